"""How another address becomes one that an account may send as, at each provider (data/sender_rules.yaml)."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from pathlib import Path
from types import MappingProxyType

from smtp_wizard.engine.base.confidence import Confidence
from smtp_wizard.engine.base.data_files import data_path
from smtp_wizard.engine.base.shown import Shown, shown
from smtp_wizard.engine.base.strict_yaml import Node, YamlDocument
from smtp_wizard.engine.lazy_dataclass import dataclass
from smtp_wizard.engine.providers.provider import Source
from smtp_wizard.engine.providers.provider_file import Citations, read_sources


@dataclass(frozen=True, slots=True, kw_only=True)
class SenderRule:
    """How one provider does it."""

    provider: str
    """Id in the catalogue."""
    steps: tuple[Shown, ...]
    """What to do."""
    source: Source
    as_of: str
    confidence: Confidence


def load_sender_rules(path: Path | None = None) -> Mapping[str, SenderRule]:
    """Read data/sender_rules.yaml, or `path`: by the provider's id. Raises `DataError`."""
    return YamlDocument(path or data_path("sender_rules.yaml")).root.read(_read)


def _read(root: Node) -> Mapping[str, SenderRule]:
    if root.whole("version") != 1:
        raise root.error("version", "only version 1 of this file is known")
    sources = root.child("sources").read(read_sources)
    cited = Citations(sources)
    found: dict[str, SenderRule] = {}
    for node in root.children("rules"):
        for rule in node.read(partial(_rules, cited=cited)):
            if rule.provider in found:
                raise node.error("providers", f"'{rule.provider}' stands here twice")
            found[rule.provider] = rule
    unused = sources.keys() - cited.used.keys()
    if unused:
        raise root.error("sources", f"nobody refers to '{min(unused)}'")
    return MappingProxyType(found)


def _rules(node: Node, cited: Citations) -> tuple[SenderRule, ...]:
    source, as_of, confidence = cited.fact(node)
    if not source:
        raise node.error("confidence", "a rule without a source is none")
    steps = tuple(map(shown, node.texts("steps")))
    if not steps:
        raise node.error("steps", "say how an address becomes one that may send")
    return tuple(
        SenderRule(
            provider=each,
            steps=steps,
            source=cited.used[source],
            as_of=as_of,
            confidence=confidence,
        )
        for each in node.texts("providers")
    )
