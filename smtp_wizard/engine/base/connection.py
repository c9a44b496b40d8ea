"""How a server is connected to."""

from __future__ import annotations

from enum import StrEnum


class Auth(StrEnum):
    """What a server is shown to let somebody send."""

    PASSWORD = "password"
    """Any password: the mailbox's own, an app password, a relay's key."""
    XOAUTH2 = "xoauth2"
    NONE = "none"


class Family(StrEnum):
    """Address family of a connection."""

    IPV4 = "ipv4"
    IPV6 = "ipv6"
