"""How a command ends: the exit codes, and the one error that every command raises."""

from __future__ import annotations

from collections.abc import Mapping
from enum import IntEnum
from typing import TYPE_CHECKING

from smtp_wizard.engine.base.stages import Stage

if TYPE_CHECKING:
    from smtp_wizard.engine.base.shown import Shown


class Exit(IntEnum):
    """The exit codes. Scripts are written against them."""

    OK = 0
    FAILED = 1
    USAGE = 2
    SECRET = 3
    NOT_FOUND = 4
    BUG = 70
    INTERRUPTED = 130


EXIT_WORDS = (
    ("0", "all is well, perhaps with warnings"),
    ("1", "a check failed, or its outcome is unknown"),
    ("2", "wrong usage, unusable input, or a missing answer"),
    ("3", "a password, or the place where it is kept, could not be read or written"),
    ("4", "what was asked for does not exist"),
    ("70", "a bug in this program"),
    ("130", "interrupted by Ctrl-C; 128 + n: ended by signal n"),
)
"""The same for `--help`."""

STAGE_CODES: Mapping[Stage, int] = {stage: code for code, stage in enumerate(Stage, 10)}
"""What --exit-by-stage exits with where a stage failed: 10 for `dns` to 19 for `data`."""


class CommandError(Exception):
    """A command cannot run, or not go on."""

    def __init__(self, code: str, message: Shown, hint: Shown | None = None, exit_code: Exit = Exit.USAGE) -> None:
        """`code` is stable, for scripts; `message` one sentence; `hint` what to do."""
        from smtp_wizard.engine.base.shown import NO_WORDS

        super().__init__(message)
        self.code = code
        self.message = message
        self.hint = hint or NO_WORDS
        self.exit_code = exit_code


class Interrupted(BaseException):
    """A signal ends the program. Like KeyboardInterrupt no `Exception`, so that nobody handles it by accident."""

    def __init__(self, number: int, undone: str = "") -> None:
        """`undone`: one sentence that says what was not done."""
        super().__init__(number)
        self.number = number
        self.undone = undone
