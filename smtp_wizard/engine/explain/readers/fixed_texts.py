"""Fixed texts of programs and devices, in their own languages: data/fixed_texts.yaml. Read where nothing else helps."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from smtp_wizard.engine.base.data_files import data_path
from smtp_wizard.engine.base.stages import Stage
from smtp_wizard.engine.base.strict_yaml import Node, YamlDocument
from smtp_wizard.engine.diagnosis.patterns import PatternIndex, Patterns, Pieces, SearchedText
from smtp_wizard.engine.diagnosis.rules import read_patterns
from smtp_wizard.engine.lazy_dataclass import dataclass
from smtp_wizard.engine.smtp.symptom import Fault, TlsFault


@dataclass(frozen=True, slots=True, kw_only=True)
class FixedText:
    """What a fixed text means, and the words by which it was seen."""

    fault: Fault
    stage: Stage
    tls: TlsFault | None
    lacking: str
    code: int | None
    weak: bool
    words: str = ""


class FixedTexts:
    """All texts of the file, ready to be looked for."""

    def __init__(self, texts: list[tuple[FixedText, Patterns]]) -> None:
        self._index = PatternIndex(((meaning, patterns), patterns) for meaning, patterns in texts)
        self._pieces = Pieces(frozenset().union(*(patterns.pieces for _, patterns in texts)))

    def find(self, text: str) -> FixedText | None:
        """Return the first that stands in a text of one line; None where there is none."""
        sought = SearchedText(text, self._pieces)
        for meaning, patterns in self._index.worth_asking(sought):
            found = patterns.search(sought)
            if found is not None:
                return replace(meaning, words=found[0])
        return None


def load_fixed_texts(path: Path | None = None) -> FixedTexts:
    """Read the file. Raises `DataError` with file, line and column."""
    return YamlDocument(path or data_path("fixed_texts.yaml")).root.read(_read)


def _read(node: Node) -> FixedTexts:
    if node.whole("schema") != 1:
        raise node.error("schema", "is not known here")
    return FixedTexts([child.read(_text) for child in node.children("texts")])


def _text(node: Node) -> tuple[FixedText, Patterns]:
    meaning = FixedText(
        fault=node.choice("fault", Fault),
        stage=node.choice("stage", Stage),
        tls=node.choice("tls", TlsFault) if node.has("tls") else None,
        lacking=node.maybe_text("lacking") or "",
        code=node.whole("code") if node.has("code") else None,
        weak=node.flag("weak", False),
    )
    return meaning, read_patterns(node, "words")
