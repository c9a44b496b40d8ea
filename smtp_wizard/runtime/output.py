"""What a command writes: data to stdout, narration to stderr, and with --json one document, whatever happens."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Sequence
from contextlib import suppress
from enum import Enum
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

from smtp_wizard.runtime.exit_codes import CommandError, Exit, Interrupted

if TYPE_CHECKING:
    from smtp_wizard.output.documents.document import JsonDocument


class Form(Enum):
    """In which form somebody expects what stands on stdout."""

    TEXT = "text"
    JSON = "json"
    LINES = "jsonl"
    NAGIOS = "nagios"


def form_asked_for(arguments: Sequence[str]) -> Form:
    """Return the form that a command line asks for, also where the rest of it cannot be understood."""
    words = arguments[: arguments.index("--")] if "--" in arguments else arguments
    if "--json" in words:
        return Form.JSON
    if "--jsonl" in words:
        return Form.LINES
    pairs = [*pairwise(words), *(tuple(word.split("=", 1)) for word in words if "=" in word)]
    for form in (Form.JSON, Form.LINES, Form.NAGIOS):
        if ("--format", form.value) in pairs:
            return form
    return Form.TEXT


class OutputLost(CommandError):
    """What belongs on stdout could not be written there: the disk is full, say, or stdout was closed."""

    def __init__(self, problem: OSError | ValueError) -> None:
        from smtp_wizard.engine.base.shown import phrase, shown

        why = problem.strerror if isinstance(problem, OSError) else None
        super().__init__(
            "output",
            phrase("The output could not be written: {}.", shown(why or "it is closed", 100)),
            exit_code=Exit.FAILED,
        )


class Output:
    """The two streams of one run."""

    def __init__(self, form: Form) -> None:
        """Streams are looked up when something is written, so that they can be replaced."""
        self.form = form
        self.quiet = False
        """Whether nothing is narrated: it would stand among what somebody is typing."""
        self._documented = False
        self._progress = False
        """Whether a line stands on stderr that the next one is written over."""

    @property
    def colour(self) -> bool:
        """Whether stdout takes a little colour."""
        return _looks_wanted() and sys.stdout.isatty()

    @property
    def width(self) -> int | None:
        """The columns of the terminal that stdout is; None where it is none, and everything is written out."""
        return _columns(sys.stdout)

    def can_show(self, text: str) -> bool:
        """Whether stdout has all characters of a text; what it has not is written as escapes."""
        try:
            text.encode(sys.stdout.encoding or "utf-8")
        except (UnicodeError, LookupError):
            return False
        return True

    @property
    def shows_progress(self) -> bool:
        """Whether stderr takes a line that is written over again and again."""
        return _looks_wanted() and sys.stderr.isatty()

    def progress(self, text: str) -> None:
        """Write how far something has come over what was written so before. '' takes it away."""
        if text and not self.shows_progress:
            return
        if text or self._progress:
            self._progress = bool(text)
            with suppress(OSError, ValueError):
                _write(sys.stderr, f"\r{text}\x1b[K")

    def data(self, text: str) -> None:
        """Write a line, or several, to stdout. Raises `OutputLost`; `Interrupted` where its reader has gone."""
        self.progress("")
        try:
            _write(sys.stdout, text + "\n")
        except BrokenPipeError:  # `| head`
            _silence(sys.stdout)
            raise Interrupted(_BROKEN_PIPE) from None
        except (OSError, ValueError) as problem:
            raise self.lost(problem) from None

    def page(self, text: str) -> None:
        """Write a text; where it is longer than the terminal, through the person's pager. Raises as `data`."""
        from smtp_wizard.runtime.pager import is_longer_than_terminal, paged

        if not (is_longer_than_terminal(text) and paged(text, os.environ)):
            self.data(text)

    def document(self, document: JsonDocument) -> None:
        """Write the one JSON document of a command."""
        self._documented = True
        self.data(document.json_text())

    def narrate(self, text: str) -> None:
        """Write a line, or several, to stderr. What nobody can read there is no reason to stop."""
        if self.quiet:
            return
        self.progress("")
        try:
            _write(sys.stderr, text + "\n")
        except (OSError, ValueError):
            _silence(sys.stderr)

    def lost(self, problem: OSError | ValueError) -> OutputLost:
        """Return the error for what could not be written to stdout; nothing is written there any more."""
        _silence(sys.stdout)
        return OutputLost(problem)

    def error(self, problem: CommandError) -> int:
        """Say why a command could not run, in the form asked for; return the exit code.

        Raises `Interrupted` where the reader of stdout has gone.
        """
        from smtp_wizard.engine.base.shown import cut
        from smtp_wizard.runtime.tables import folded

        message, width = cut(problem.message, _LONGEST_MESSAGE), _columns(sys.stderr)
        self.narrate(folded(f"smtp-wizard: {message}", width))
        if problem.hint:
            self.narrate(folded(problem.hint, width))
        with suppress(OutputLost):  # it was said on stderr
            if self.form is Form.NAGIOS:
                from smtp_wizard.output.nagios import nagios_unknown

                self.data(nagios_unknown(message))
            elif self.form is not Form.TEXT and not self._documented:
                self._error_document(problem.code, message, problem.hint)
        return 3 if self.form is Form.NAGIOS else int(problem.exit_code)

    def interrupted(self, problem: Interrupted) -> int:
        """Say that a signal ended the program, and what was not done; return the exit code."""
        if problem.number == _BROKEN_PIPE:
            return 128 + _BROKEN_PIPE
        from smtp_wizard.engine.base.shown import phrase, shown

        by_key = problem.number == signal.SIGINT
        words = phrase("Interrupted." if by_key else "Ended by {}.", shown(_signal_name(problem.number)))
        words = phrase("{} {}", words, shown(problem.undone)) if problem.undone else words
        code = Exit.INTERRUPTED if by_key else Exit.BUG
        self.error(CommandError("interrupted", words, exit_code=code))
        return 128 + problem.number

    def _error_document(self, code: str, message: str, hint: str) -> None:
        from smtp_wizard.output.documents.document import Failed, ProblemJson

        self._documented = True
        failed = Failed(ProblemJson(code, message, hint))
        self.data(failed.json_text(indent=None if self.form is Form.LINES else 2))


def _looks_wanted() -> bool:
    """Whether nobody has said that there should be neither colour nor movement (an empty NO_COLOR says nothing)."""
    plain = os.environ.get("NO_COLOR") or os.environ.get("TERM") in ("dumb", "")
    return not plain and "CI" not in os.environ


def _columns(stream: TextIO) -> int | None:
    """Return the columns of the terminal that a stream is; None where it is none, says nothing, or is closed."""
    wanted = os.environ.get("COLUMNS", "")
    try:
        if not stream.isatty():
            return None
        if wanted.isdecimal() and int(wanted):
            return int(wanted)
        return os.get_terminal_size(stream.fileno()).columns or None
    except (OSError, ValueError):
        return None


_LONGEST_MESSAGE = 1000
_BROKEN_PIPE = 13
"""The number of SIGPIPE, which Windows does not know."""


def _write(stream: TextIO, text: str) -> None:
    stream.write(text)
    stream.flush()


def _silence(stream: TextIO) -> None:
    """Let a stream that cannot be written lead nowhere: Python would complain once more about it at its end."""
    with suppress(OSError, ValueError), Path(os.devnull).open("wb") as nowhere:
        os.dup2(nowhere.fileno(), stream.fileno())


def _signal_name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"
