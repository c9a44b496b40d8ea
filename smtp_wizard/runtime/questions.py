"""Asking the person, where there is one: on stderr, in plain lines, so that stdout stays data."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import TypeVar

from smtp_wizard.engine.base.characters import has_surrogate
from smtp_wizard.engine.base.errors import InputError
from smtp_wizard.engine.base.secret import Secret
from smtp_wizard.engine.base.shown import Shown, phrase, shown
from smtp_wizard.runtime.exit_codes import CommandError, Exit, Interrupted
from smtp_wizard.runtime.output import Output

T = TypeVar("T")


def can_ask() -> bool:
    """Whether there is somebody to ask: a terminal on stdin and on stderr, and nothing else decides it."""
    return sys.stdin is not None and sys.stdin.isatty() and sys.stderr.isatty()


QUIT = frozenset({"quit", "exit"})
HELP = phrase(
    "Type the answer, or 'quit' to leave: nothing is done then. There is no way back to the question before. Where one "
    "of the words quit, exit, back and help is the answer itself, put it in quotation marks."
)


def ask(out: Output, question: str, parse: Callable[[str], T]) -> T:
    """Ask until the answer can be used. `parse` raises `InputError`.

    The words that the wizard in lines of text knows are no answers here, either. Raises `CommandError` at the end of
    the input, and where the person leaves.
    """
    while True:
        line = _line(f"{question}: ")
        if not line:
            raise no_answer(question)
        if has_surrogate(line):
            out.narrate(NO_TEXT)
            continue
        if line.strip().lower() in QUIT:
            raise CommandError("declined", phrase("You left. Nothing was done."), exit_code=Exit.FAILED)
        if line.strip().lower() in ("help", "back"):
            out.narrate(HELP)
            continue
        try:
            return parse(_meant(line.strip()))
        except InputError as problem:
            out.narrate(str(problem))


def _meant(text: str) -> str:
    """Return one of the words that are no answers, where it stands in quotation marks to be one."""
    quoted = len(text) > 2 and text[0] == text[-1] and text[0] in "'\""
    return text[1:-1] if quoted and text[1:-1].lower() in {*QUIT, "help", "back"} else text


def ask_password(question: str) -> Secret:
    """Ask for a password without showing it. Raises `CommandError` at the end of the input."""
    while True:
        typed = _hidden_line(question)
        if typed and not has_surrogate(typed):
            return Secret(typed)
        if typed:
            sys.stderr.write(f"{NO_TEXT}\n")


def _hidden_line(question: str) -> str:
    """Return what was typed, unseen; a half of a character where it was no text. Raises `CommandError`."""
    import getpass

    try:
        return getpass.getpass(f"{question}: ", stream=sys.stderr)
    except UnicodeDecodeError:  # its bytes are the password: they must not be quoted
        return "\udc80"
    except (EOFError, OSError):
        raise no_answer(question) from None


def _line(prompt: str) -> str:
    """Return a line with its end; nothing at the end of the input, also where the terminal has gone."""
    try:
        sys.stderr.write(prompt)
        sys.stderr.flush()
        return sys.stdin.readline()
    except (OSError, ValueError):
        return ""


NO_TEXT = phrase("This terminal sent letters in a way that could not be read. Please type it again.")


def confirm(question: str, *, undone: str = "") -> bool:
    """Ask for yes or no; Enter alone means no. `undone`: what is said where a signal ends the program meanwhile."""
    try:
        return _line(f"{question} [y/N] ").strip().lower() in ("y", "yes")
    except Interrupted as problem:
        raise Interrupted(problem.number, problem.undone or undone) from None


def agree(out: Output, code: str, words: Shown, question: str, hint: Shown) -> None:
    """Say what is in the way and ask whether to go on.

    Raises `CommandError`: with `code` and `hint` where nobody can be asked, as declined after a no.
    """
    if not can_ask():
        raise CommandError(code, words, hint)
    out.narrate(words)
    if not confirm(question):
        raise CommandError("declined", phrase("Nothing was saved."), exit_code=Exit.FAILED)


def no_answer(question: str) -> CommandError:
    """Return the error for a question that was left without an answer."""
    return CommandError("missing-answers", phrase("No answer to: {}", shown(question)), exit_code=Exit.USAGE)
