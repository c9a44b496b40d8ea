"""The settings screen of the application that sends: what it calls each value (data/sending_application.yaml)."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path

from smtp_wizard.engine.base.data_files import data_path
from smtp_wizard.engine.base.strict_yaml import Node, YamlDocument


@dataclass(frozen=True, slots=True, kw_only=True)
class Labels:
    """What the application calls each of its fields."""

    provider: str
    host: str
    port: str
    security: str
    """A box to tick."""
    username: str
    password: str
    company: str
    """A box to tick."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ApplicationScreen:
    """One application's screen for an outgoing mail server."""

    application: str
    title: str
    """Where it is."""
    labels: Labels
    other: str
    """What is chosen for a provider that the application does not list."""
    company_note: str
    by_hand: str
    saves: str
    steps: tuple[str, ...]
    source: str
    checked: str


@cache
def load_sending_application(path: Path | None = None) -> ApplicationScreen:
    """Read data/sending_application.yaml, or `path`. Raises `DataError`."""
    return YamlDocument(path or data_path("sending_application.yaml")).root.read(_read)


def _read(root: Node) -> ApplicationScreen:
    if root.whole("schema") != 1:
        raise root.error("schema", "must be 1")
    return ApplicationScreen(
        application=root.text("application"),
        title=root.text("title"),
        labels=root.child("labels").read(_labels),
        other=root.text("other"),
        company_note=root.text("company_note"),
        by_hand=root.text("by_hand"),
        saves=root.text("saves"),
        steps=root.texts("steps"),
        source=root.text("source"),
        checked=root.date("checked"),
    )


def _labels(node: Node) -> Labels:
    return Labels(
        provider=node.text("provider"),
        host=node.text("host"),
        port=node.text("port"),
        security=node.text("security"),
        username=node.text("username"),
        password=node.text("password"),
        company=node.text("company"),
    )
