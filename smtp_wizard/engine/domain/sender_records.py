"""What each provider asks a domain to publish, so that it may send for it (data/sender_records.yaml)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from enum import StrEnum
from pathlib import Path
from types import MappingProxyType

from smtp_wizard.engine.base.data_files import data_path
from smtp_wizard.engine.base.strict_yaml import Node, YamlDocument
from smtp_wizard.engine.domain.dkim import SELECTOR
from smtp_wizard.engine.lazy_dataclass import dataclass

_NAME = re.compile(r"(?:[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9])?\.)+[a-z]{2,63}")


class ReturnPath(StrEnum):
    """Whose domain bounces go to, and SPF is asked about."""

    SENDER = "sender"
    """The sender's own: its SPF record must name the provider."""
    PROVIDER = "provider"
    """The provider's: its own record counts, and SPF does not align. DKIM must."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SenderSource:
    """A page that says so."""

    title: str
    url: str
    date: str
    """Of the page or of its stored copy: 'YYYY-MM-DD', 'YYYY-MM', 'YYYY' or 'undated'."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SenderRecords:
    """What one provider asks a domain to publish."""

    provider: str
    """Id of the provider."""
    spf: tuple[str, ...]
    """Domains to include, any of which lets it send; the first one is proposed. Empty where nothing is."""
    selectors: tuple[str, ...]
    """Of its DKIM keys. Empty where each customer has others."""
    alias: str
    """What the name of a key is another name for, with {selector} and {domain}; '' where the page shows a key."""
    return_path: ReturnPath
    source: SenderSource

    def alias_of(self, selector: str, domain: str) -> str:
        """Return what to publish as CNAME under a selector; '' where only the provider's own page says it."""
        return self.alias.replace("{selector}", selector).replace("{domain}", domain)


def load_sender_records(path: Path | None = None) -> Mapping[str, SenderRecords]:
    """Read data/sender_records.yaml, or `path`: by the provider's id. Raises `DataError`."""
    return YamlDocument(path or data_path("sender_records.yaml")).root.read(_read)


def _read(root: Node) -> Mapping[str, SenderRecords]:
    if root.whole("schema") != 1:
        raise root.error("schema", "must be 1")
    found: dict[str, SenderRecords] = {}
    for node in root.children("providers"):
        records = node.read(_records)
        if records.provider in found:
            raise node.error("id", "stands here twice")
        found[records.provider] = records
    return MappingProxyType(found)


def _records(node: Node) -> SenderRecords:
    records = SenderRecords(
        provider=node.text("id"),
        spf=node.texts("spf"),
        selectors=node.texts("selectors"),
        alias=node.text_or("alias"),
        return_path=node.choice("return_path", ReturnPath),
        source=node.child("source").read(_source),
    )
    for name in records.spf:
        if not _NAME.fullmatch(name):
            raise node.error("spf", "must be domains to include")
    for selector in records.selectors:
        if not SELECTOR.fullmatch(selector):
            raise node.error("selectors", "must be labels of a name")
    if records.alias and not (records.selectors and _NAME.fullmatch(records.alias_of("key1", "example.com"))):
        raise node.error("alias", "must be a name, with {selector} and {domain} in it, and have selectors")
    return records


def _source(node: Node) -> SenderSource:
    return SenderSource(title=node.text("title"), url=node.text("url"), date=node.date("date"))
