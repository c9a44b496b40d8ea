"""Runs a check while the person waits: a line for each stage as it ends."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

from smtp_wizard.engine.accounts.lockout_guard import paused
from smtp_wizard.engine.base.stages import Verdict
from smtp_wizard.engine.checks.events import Emit, Event
from smtp_wizard.engine.checks.progress import CheckProgress
from smtp_wizard.engine.checks.report import Report
from smtp_wizard.output.lines import TRANSCRIPT_LEGEND, plain_printer
from smtp_wizard.plain.talk import Conversation
from smtp_wizard.runtime.expected_errors import EXPECTED_ERRORS
from smtp_wizard.runtime.running import Stopwatch, run

T = TypeVar("T")
Check = Callable[[Emit], Coroutine[Any, Any, Report]]

GOOD = (Verdict.PASS, Verdict.WARN)
PERHAPS_SENT = "The test message may or may not have been sent."


def awaited(work: Coroutine[Any, Any, T]) -> T:
    """Do something that is asynchronous, while nothing else happens. Raises `Interrupted` when a signal comes."""
    return run(work, Stopwatch())


class CompletedCheck:
    """One check as the person sees it: its report, None where it could not begin; and what was said."""

    def __init__(self, talk: Conversation, check: Check) -> None:
        """Run it, and show it. Raises `Interrupted` when a signal comes."""
        self.report: Report | None = None
        self._talk = talk
        self._lines: list[str] = []
        self._watched = CheckProgress()
        self._printer = plain_printer(lambda line: talk.show([line]), self._lines.append)
        try:
            self.report = run(check(self._take), Stopwatch(), self._undone)
        except EXPECTED_ERRORS as problem:
            talk.say(str(problem))
        # Enter, pressed while it ran, must not begin another sign-in.
        talk.drop()

    @property
    def good(self) -> bool:
        """Whether it passed."""
        return self.report is not None and self.report.verdict in GOOD

    @property
    def paused(self) -> bool:
        """Whether no sign-in was tried, so that the account does not get locked."""
        return self.report is not None and paused(self.report) is not None

    def show_transcript(self) -> None:
        """Show the conversation with the server; secrets are masked in it."""
        self._talk.show([TRANSCRIPT_LEGEND, *self._lines] if self._lines else ["Nothing was said yet."])

    def _take(self, event: Event) -> None:
        self._watched.take(event)
        self._printer(event)

    def _undone(self) -> str:
        return PERHAPS_SENT if self._watched.perhaps_sent else ""
