"""The nouns that several modules share. Nothing here talks to anything.

A raw string from a person is parsed once, here; below this border no strings are passed about: `Address`, `Endpoint`.
"""

from __future__ import annotations

from enum import StrEnum


class Stage(StrEnum):
    """The stages of a check, in the order in which they can happen."""

    DNS = "dns"
    CONNECT = "connect"
    TLS = "tls"
    GREETING = "greeting"
    EHLO = "ehlo"
    STARTTLS = "starttls"
    """The command, its handshake and the second EHLO."""
    AUTH = "auth"
    MAIL = "mail"
    RCPT = "rcpt"
    DATA = "data"


class Verdict(StrEnum):
    """How a stage, or a whole check, came out."""

    PASS = "pass"
    WARN = "warn"
    FAIL = "fail"
    SKIPPED = "skipped"
    UNKNOWN = "unknown"
    """The connection was lost after the final dot: the message may or may not have been taken."""


class Depth(StrEnum):
    """How far a check goes. Only `SEND` ever sends a message."""

    SERVER = "server"
    LOGIN = "login"
    SEND = "send"
