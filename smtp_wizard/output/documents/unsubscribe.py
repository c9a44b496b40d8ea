"""The way off a mailing list, as JSON: `unsubscribe`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from smtp_wizard.engine.unsubscribe import TemplateCheck, TemplateKind
from smtp_wizard.output.documents.document import HeaderJson, JsonDocument


@dataclass(frozen=True, slots=True)
class RuleJson:
    """A rule for mailings."""

    name: str
    words: str


@dataclass(frozen=True, slots=True)
class UnsubscribeLink(JsonDocument):
    """`unsubscribe`."""

    NAME: ClassVar = "unsubscribe"
    mailto: str
    url: str | None
    html: str
    text: str
    headers: tuple[HeaderJson, ...]
    one_click: bool
    rules: tuple[RuleJson, ...]


@dataclass(frozen=True, slots=True)
class TemplateChecked(JsonDocument):
    """`unsubscribe --check`."""

    NAME: ClassVar = "unsubscribe-check"
    kind: TemplateKind
    good: bool
    seen: tuple[TemplateCheck, ...]
    links: tuple[str, ...]
