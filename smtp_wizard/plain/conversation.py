"""Asking a person in lines of text: one question at a time, numbered choices, the default in brackets.

Three answers are understood everywhere: `back`, `help`, `quit`. One that is meant literally stands in quotation marks.
"""

from __future__ import annotations

import textwrap
import unicodedata
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Generic, Protocol, TypeVar

from smtp_wizard.engine.base.errors import InputError
from smtp_wizard.engine.base.shown import phrase
from smtp_wizard.engine.wizard.draft import Draft
from smtp_wizard.output.plain_lines import WIDTH

T = TypeVar("T")
V = TypeVar("V")
V_co = TypeVar("V_co", covariant=True)

BACK, HELP, QUIT = "back", "help", "quit"
END = "."
"""The line that ends a pasted text."""
MOST_PASTED = 4_000_000
"""Characters of a pasted text that are taken."""
NOTHING = "-"
"""The answer that empties what may be empty; Enter alone takes what stands in brackets."""
ANSWERS_WORDS = (
    "Answers: Enter alone takes what stands in brackets. 'back' goes to the question before; nothing you answered is "
    "lost. 'help' says this. 'quit' leaves the program. Where one of these words is the answer itself, put it in "
    "quotation marks."
)
NO_LETTER = phrase("There was a key in it that is no letter, an arrow perhaps. Please type it again.")


class GoBack(Exception):
    """The person wants the question before."""

    def __init__(self, draft: Draft | None = None, *, to_first: bool = False) -> None:
        """`draft`: what was answered meanwhile, where that is more. `to_first`: to the first question of the step."""
        super().__init__()
        self.draft = draft
        self.to_first = to_first


class Quit(Exception):
    """The person wants to leave."""


class Unreadable(InputError):
    """What was typed could not be read. The text is one sentence for a person."""


class CannotHide(Exception):
    """The terminal would show what is typed."""


class LineIO(Protocol):
    """The line to the person: a terminal, or a script in a test."""

    def write(self, text: str) -> None:
        """Write a text as it is."""
        ...

    def read(self, prompt: str) -> str:
        """Write a prompt and return one line, without its end. Raises `Unreadable`."""
        ...

    def read_hidden(self, prompt: str) -> str:
        """As `read`, without showing what is typed. Raises `CannotHide` before anything is asked."""
        ...

    def drop(self) -> None:
        """Throw away what was typed since the last answer."""
        ...


@dataclass(frozen=True, slots=True)
class Choice(Generic[V_co]):
    """One answer of several."""

    value: V_co
    """What it means: a name of one of several may be typed as it is."""
    title: str
    note: str = ""
    word: str = ""
    """May be typed in place of the number."""
    about: str = ""
    """Stands beneath it."""
    also: str = ""
    """May be typed too, and is not shown."""
    part: str = ""
    """The heading above it, said where it is another than that of the answer before; '' where there is none."""

    def typed_as(self, text: str) -> bool:
        """Whether a person who types this text means this answer."""
        name = self.value if isinstance(self.value, str) else ""
        return bool(text) and text.casefold() in (self.word.casefold(), self.also.casefold(), name.casefold())

    @property
    def line(self) -> str:
        """The title with what stands behind it."""
        return " ".join([self.title, *([f"({self.note})"] if self.note else []), *([self._or] if self.word else [])])

    @property
    def _or(self) -> str:
        return f"(or type: {self.word})"


def wrap(text: str, first: str = "", rest: str | None = None) -> list[str]:
    """Break a text into lines of at most `WIDTH`; `first` stands before it, `rest` before the lines that follow."""
    lines: list[str] = []
    for paragraph in text.split("\n"):
        margin = " " * (len(paragraph) - len(paragraph.lstrip()))
        lines += textwrap.wrap(
            paragraph,
            WIDTH,
            initial_indent="" if lines else first,
            subsequent_indent=margin + (" " * len(first) if rest is None else rest),
            break_long_words=False,
            break_on_hyphens=False,
        ) or [""]
    return lines


class Conversation:
    """One conversation."""

    def __init__(self, line: LineIO, leaves: Callable[[], bool] = lambda: True) -> None:
        """`leaves` is asked when the person wants to quit; it may ask them whether they are sure."""
        self._line = line
        self._purpose = ""
        self._leaving = False
        self._leaves = leaves

    # -- saying -----------------------------------------------------------------------------------------------------

    def begin(self, title: str, purpose: str) -> None:
        """Say that another part begins. `purpose` is what `help` says in it."""
        self._purpose = purpose
        self.show(["", title])

    def say(self, text: str) -> None:
        """Say a text, wrapped."""
        self.show(wrap(text))

    def show(self, lines: Iterable[str]) -> None:
        """Say lines that are laid out already."""
        for line in lines:
            self._line.write(f"{line}\n")

    def drop(self) -> None:
        """Throw away what was typed while nobody had asked: it answers nothing, and must not begin anything."""
        self._line.drop()

    # -- asking -----------------------------------------------------------------------------------------------------

    def ask(
        self,
        question: str,
        parse: Callable[[str], T],
        *,
        default: str = "",
        optional: bool = False,
        help: str = "",
    ) -> T:
        """Ask until the answer can be used. `parse` takes the text and raises `InputError` with one sentence.

        `optional`: it may be empty; where there is a default, `-` empties it. Raises `GoBack`, `Quit`.
        """
        shown = f" [{default}]" if default else ""
        more = f"Type {NOTHING} alone for none." if optional and default else ""
        while True:
            text = self._answer(f"{question}{shown}: ", f"{help} {more}".strip())
            given = "" if optional and text == NOTHING else text or default
            try:
                return parse(given)
            except InputError as problem:
                self.say(str(problem))

    def list(self, choices: Sequence[Choice[V]]) -> None:
        """Say the answers with their numbers, below the headings of their parts."""
        part = ""
        for number, each in enumerate(choices, 1):
            if each.part != part:
                part = each.part
                self.show([part] if part else [])
            label = f"{number:>3}. "
            self.show(wrap(each.line, label))
            if each.about:
                self.show(wrap(each.about, " " * len(label)))

    def choose(
        self,
        question: str,
        choices: Sequence[Choice[V]],
        default: V | None = None,
        *,
        undecided: bool = False,
        help: str = "",
    ) -> V:
        """Ask for one of several answers; return what it means. The `default` is the first. Raises as `ask`.

        `undecided`: none of them is taken by Enter alone.
        """
        values = [each.value for each in choices]
        usual = values.index(default) + 1 if default is not None and default in values else 1
        if question:
            self.say(question)
        self.list(choices)

        def parse(text: str) -> V:
            for number, each in enumerate(choices, 1):
                if text == str(number) or each.typed_as(text):
                    return each.value
            raise InputError(phrase("Type a number from 1 to {}." if len(choices) > 1 else "Type 1.", len(choices)))

        return self.ask("Your answer", parse, default="" if undecided else str(usual), help=help)

    def yes(self, question: str, *, yes: str, no: str) -> bool:
        """Ask for one of two answers; the careful one is the default. Raises as `ask`."""
        return self.choose(question, [Choice(False, no, also="no"), Choice(True, yes, also="yes")])

    def secret(self, question: str, *, optional: bool = False, lacking: str = "", help: str = "") -> str:
        """Ask for something that is not shown; return it as it was typed, blanks included.

        Empty only where it is `optional`; else `lacking` is said. Raises as `ask`.
        """
        while True:
            text = self._answer(f"{question}: ", help, hidden=True)
            if text or optional:
                return text
            self.say(lacking)

    def paste(self, question: str) -> str:
        """Take any number of lines up to one with a full stop alone; return them. Raises `GoBack`, `Quit`.

        `back`, `help` and `quit` are understood in the first line only: what is pasted may have such a line in it. Of
        a text that is longer than any error the end is left out.
        """
        lines = [self._answer(f"{question}: ", f"Type {END} alone in the last line.")]
        size = len(lines[0])
        while lines[-1].strip() != END:
            line = self._line.read("")
            size += len(line)
            if size <= MOST_PASTED or line.strip() == END:
                lines.append(line)
        return "\n".join(lines[:-1])

    # -- the line ---------------------------------------------------------------------------------------------------

    def _answer(self, prompt: str, help: str, *, hidden: bool = False) -> str:
        """Return one answer; see to those that are understood everywhere."""
        while True:
            try:
                text = self._read_hidden(prompt) if hidden else self._read(prompt).strip()
            except Unreadable as problem:
                self.say(str(problem))
                continue
            match text.strip().casefold():
                case "back":
                    raise GoBack
                case "help" | "?":
                    self.say(" ".join(part for part in (self._purpose, help, ANSWERS_WORDS) if part))
                case "quit" | "exit":
                    self._quit()
                case _:
                    return _literal(text)

    def _read(self, prompt: str) -> str:
        *before, last = wrap(prompt.rstrip())
        self.show(before)
        return _no_keys(self._line.read(f"{last} "))

    def _read_hidden(self, prompt: str) -> str:
        try:
            return _no_keys(self._line.read_hidden(prompt))
        except CannotHide:
            question = "This terminal cannot hide what you type: everybody who sees it can read the password."
            if not self.yes(question, yes="Type it all the same, in sight", no="Go back"):
                raise GoBack from None
            return _no_keys(self._line.read(prompt))

    def _quit(self) -> None:
        if self._leaving:
            raise Quit
        self._leaving = True
        try:
            if self._leaves():
                raise Quit
        except GoBack:
            return
        finally:
            self._leaving = False


def _no_keys(text: str) -> str:
    """Refuse what an arrow or another key without a letter leaves in a line. Raises `Unreadable`."""
    if any(unicodedata.category(ch) == "Cc" and ch != "\t" for ch in text):
        raise Unreadable(NO_LETTER)
    return text


def _literal(text: str) -> str:
    """Take the quotation marks from an answer that would mean something else without them."""
    bare = text.strip().strip("\"'")
    return bare if bare != text.strip() and bare.casefold() in (BACK, HELP, QUIT, "exit", "?") else text
