"""The applications that are known to send mail, and how each signs in at a mail server."""

from __future__ import annotations

from enum import StrEnum

from smtp_wizard.engine.base.strict_yaml import Node
from smtp_wizard.engine.lazy_dataclass import dataclass


class Application(StrEnum):
    """What the application that will send can do. It decides which ways of signing in are of use."""

    PASSWORD = "password"
    """It takes a user name and a password."""
    OAUTH = "oauth"
    """It can send a person to the provider's own sign-in page."""


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownApplication:
    """An application that is known by its name."""

    name: str
    can: Application
    source: str
    """The id of the source that says so."""


def read_application(node: Node) -> KnownApplication:
    """Read one entry of the table of applications. Raises `DataError`."""
    return KnownApplication(name=node.text("name"), can=node.choice("can", Application), source=node.text("source"))
