"""Runs checks for a command: shows each stage as it ends, keeps the transcript, survives the end of its time."""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Awaitable, Callable, Iterable
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Self

from smtp_wizard.commands.options.connection import ConnectionOptions
from smtp_wizard.engine.base.endpoint import Endpoint
from smtp_wizard.engine.base.shown import Shown, phrase, shown
from smtp_wizard.engine.base.stages import Stage, Verdict
from smtp_wizard.engine.base.who import Who
from smtp_wizard.engine.checks.events import Emit, Event, StageFinished
from smtp_wizard.engine.checks.progress import CheckProgress
from smtp_wizard.engine.checks.report import CheckResult, Report
from smtp_wizard.engine.diagnosis.finding import Finding
from smtp_wizard.output.check_outcome import CheckOutcome
from smtp_wizard.output.plain_lines import TRANSCRIPT_LEGEND, WIDTH, coloured, plain_printer
from smtp_wizard.runtime.exit_codes import STAGE_CODES, CommandError, Exit
from smtp_wizard.runtime.output import Form, Output

if TYPE_CHECKING:
    from smtp_wizard.commands.options.connection import ConnectionOptions
    from smtp_wizard.engine.base.endpoint import Endpoint
    from smtp_wizard.runtime.running import Stopwatch

BUG = "bug"
"""The code of the finding where a check met a fault of this program."""
TIME_IS_UP = "time-is-up"
"""The code of the finding when --timeout ended a check."""

Check = Callable[[Emit], Awaitable[Report]]
"""A check that tells its events and returns its report."""


async def observed(
    check: Check,
    endpoint: Endpoint,
    account: Shown | None,
    watch: Stopwatch,
    emit: Emit,
    watched: CheckProgress | None = None,
) -> CheckOutcome:
    """Run a check inside the command's time limit; what was seen until then is reported when the time is up."""
    seen = watched or CheckProgress()

    def both(event: Event) -> None:
        seen.take(event)
        emit(event)

    try:
        async with watch.bound():
            return CheckOutcome(account, await check(both))
    except TimeoutError:
        both(StageFinished(cut_off(seen, watch.limit or 0.0)))
        return CheckOutcome(account, Report(endpoint, tuple(seen.results)))


def not_begun(account: Shown | None, endpoint: Endpoint, limit: float) -> CheckOutcome:
    """Return the outcome of a check that had no time left to begin."""
    return CheckOutcome(account, Report(endpoint), time_is_up(limit, sent=False))


def time_is_up(limit: float, *, sent: bool) -> Finding:
    """Return the finding for a check that --timeout ended. `sent`: the message was just being handed over."""
    given = phrase("{:g} second" if limit == 1 else "{:g} seconds", limit)
    words = phrase("The time allowed ({}) was over before the check was done.", given)
    perhaps = phrase("{} The test message may or may not have been sent.", words)
    return Finding(
        code=TIME_IS_UP,
        title=phrase("The time allowed was up"),
        explanation=perhaps if sent else words,
        who=Who.YOU,
        steps=(phrase("Try again with a larger number behind --timeout, or without it."),),
    )


def cut_off(seen: CheckProgress, limit: float) -> CheckResult:
    """Return the stage in which the time was up."""
    finding = time_is_up(limit, sent=seen.perhaps_sent)
    # Between two stages nothing is under way; the verdict must not be that of the stages before.
    stage = seen.begun or (seen.results[-1].stage if seen.results else Stage.DNS)
    return CheckResult(stage, Verdict.UNKNOWN, 0.0, finding.title, finding)


def exit_code(outcomes: Iterable[CheckOutcome]) -> Exit:
    """Return the exit code for what became of the checks."""
    done = list(outcomes)
    if any(outcome.obstacle is not None and outcome.obstacle.code == BUG for outcome in done):
        return Exit.BUG
    if any(outcome.obstacle is not None and outcome.obstacle.code.startswith("secret-") for outcome in done):
        return Exit.SECRET
    good = all(outcome.obstacle is None and outcome.report.verdict in (Verdict.PASS, Verdict.WARN) for outcome in done)
    return Exit.OK if good else Exit.FAILED


def stage_exit_code(outcomes: Iterable[CheckOutcome]) -> int:
    """Return the exit code that tells the stage that failed, the earliest of several; as `exit_code` where none did.

    Where --timeout was over no stage has failed, whichever was under way.
    """
    done = list(outcomes)
    code = exit_code(done)
    if code is not Exit.FAILED:
        return code
    results = (each for outcome in done for each in outcome.report.results if _code(each) != TIME_IS_UP)
    return min((STAGE_CODES[each.stage] for each in results if each.verdict in _BAD), default=code)


def _code(result: CheckResult) -> str:
    return result.finding.code if result.finding is not None else ""


_BAD = (Verdict.FAIL, Verdict.UNKNOWN)


def report_line(out: Output, text: str) -> None:
    """Write one line of a plain report to stdout, its verdict in colour where that is wanted."""
    out.data(coloured(text) if out.colour else text)


def report_width(out: Output) -> int:
    """Return the columns of a plain report on stdout: as many as a terminal has, and never more than usual."""
    return min(WIDTH, out.width or WIDTH)


def live_reader(out: Output, transcript: Transcript, title: Shown) -> Emit:
    """Return what shows the events of one check while it runs: stages on stdout, unless that is for a machine."""
    transcript.begin(title)
    shown = partial(report_line, out) if out.form is Form.TEXT else _nothing
    return plain_printer(shown, transcript.add if transcript.wanted else None, report_width(out))


def held_reader(transcript: Transcript, lines: list[str]) -> Emit:
    """Return what only gathers the transcript of one check among several, for `Transcript.block`."""
    return plain_printer(_nothing, lines.append) if transcript.wanted else _nothing


def _nothing(_: object) -> None:
    return


class Transcript:
    """The conversation, on stderr with -v, in a file of its own with --transcript. Secrets are masked already."""

    def __init__(self, connection: ConnectionOptions, out: Output) -> None:
        """Raises `CommandError` where the file cannot be written."""
        self._out = out
        self._show = connection.verbose
        self._handle = _private_file(connection.transcript) if connection.transcript is not None else None

    def __enter__(self) -> Self:
        self._write(TRANSCRIPT_LEGEND)
        return self

    def __exit__(self, kind: type[BaseException] | None, _: BaseException | None, __: TracebackType | None) -> None:
        if self._handle is not None:
            os.close(self._handle)

    @property
    def wanted(self) -> bool:
        """Whether anybody reads it."""
        return self._show or self._handle is not None

    def block(self, title: Shown, lines: Iterable[str]) -> None:
        """Write a conversation that was gathered, in one piece."""
        self.begin(title)
        for line in lines:
            self.add(line)

    def begin(self, title: Shown) -> None:
        """Say whose conversation follows."""
        self._write(f"== {title}")

    def add(self, line: str) -> None:
        """Add one line."""
        self._write(line)

    def _write(self, line: str) -> None:
        if self._show:
            self._out.narrate(line)
        if self._handle is not None:
            try:
                os.write(self._handle, f"{line}\n".encode())
            except OSError as problem:
                raise _unwritable(problem) from None


def _private_file(path: Path) -> int:
    """Open a file that its owner alone can read, and empty it. Raises `CommandError`."""
    try:
        # Not blocking: opening a pipe would wait for somebody who reads it.
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | getattr(os, "O_NONBLOCK", 0), 0o600)
        try:
            if os.name == "posix":
                os.set_blocking(handle, True)
            # A pipe or /dev/null is written to as it is; its mode belongs to everybody.
            if stat.S_ISREG(os.fstat(handle).st_mode):
                if hasattr(os, "fchmod"):
                    os.fchmod(handle, 0o600)
                os.ftruncate(handle, 0)
        except OSError:
            os.close(handle)
            raise
    except OSError as problem:
        raise _unwritable(problem) from None
    return handle


def _unwritable(problem: OSError) -> CommandError:
    if problem.errno == errno.ENXIO:
        return CommandError("transcript", phrase("The transcript cannot be written: it is a pipe that nobody reads."))
    return CommandError(
        "transcript", phrase("The transcript cannot be written: {}.", shown(problem.strerror or "", 100))
    )
