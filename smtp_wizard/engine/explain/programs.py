"""Programs that send mail, how a text of theirs is known, and how each is made to say more: data/programs.yaml."""

from __future__ import annotations

from pathlib import Path

from smtp_wizard.engine.base.data_files import data_path
from smtp_wizard.engine.base.strict_yaml import Node, YamlDocument
from smtp_wizard.engine.diagnosis.patterns import PatternIndex, Patterns, Pieces, SearchedText
from smtp_wizard.engine.diagnosis.rules import read_patterns
from smtp_wizard.engine.lazy_dataclass import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Program:
    """A program or device that sends mail."""

    name: str
    more: str
    """One step that makes it write down what the server says."""
    device: bool
    """Somebody else's machine, whose maker must act where it is too old."""


class Programs:
    """All programs of the file, in their order."""

    def __init__(self, programs: list[tuple[Program, Patterns]]) -> None:
        self._index = PatternIndex(((program, patterns), patterns) for program, patterns in programs)
        self._pieces = Pieces(frozenset().union(*(patterns.pieces for _, patterns in programs)))

    def named_in(self, text: str) -> Program | None:
        """Return the program that a text comes from, by the first whose words stand in it; None where none does."""
        sought = SearchedText(text, self._pieces)
        known = self._index.worth_asking(sought)
        return next((program for program, patterns in known if patterns.search(sought) is not None), None)


def load_programs(path: Path | None = None) -> Programs:
    """Read the file. Raises `DataError` with file, line and column."""
    return YamlDocument(path or data_path("programs.yaml")).root.read(_read)


def _read(node: Node) -> Programs:
    if node.whole("schema") != 1:
        raise node.error("schema", "is not known here")
    node.text("checked")
    return Programs([child.read(_program) for child in node.children("programs")])


def _program(node: Node) -> tuple[Program, Patterns]:
    program = Program(name=node.text("name"), more=node.text("more"), device=node.flag("device", False))
    return program, read_patterns(node, "words")
