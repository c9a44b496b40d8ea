"""Signing in: SASL exchanges over SMTP (RFC 4954), as commands out and challenges in, without any I/O.

Secrets are encoded here and masked here.
"""

from __future__ import annotations

import base64
from collections.abc import Sequence
from typing import Protocol

from smtp_wizard.engine.model import Secret
from smtp_wizard.engine.smtp import MASK, MAX_COMMAND, Command, SmtpError
from smtp_wizard.engine.symptom import Fault


class Exchange(Protocol):
    """One authentication exchange (RFC 4954). Challenges come in, commands go out, all of it masked when shown."""

    name: str

    def start(self) -> Command:
        """The AUTH command."""

    def answer(self) -> Command | None:
        """The answer to a 334; None when there is nothing left to say and the exchange must be given up."""


class _Steps:
    """A mechanism whose answers do not depend on the challenges: PLAIN, LOGIN."""

    def __init__(self, name: str, answers: Sequence[str], *, initial: bool) -> None:
        self.name = name
        self._answers = [base64.b64encode(answer.encode("utf-8")) for answer in answers]
        self._initial = initial

    def start(self) -> Command:
        line = f"AUTH {self.name}".encode("ascii")
        if self._initial and len(line) + 1 + len(self._answers[0]) + 2 <= MAX_COMMAND:
            return Command(line + b" " + self._answers.pop(0) + b"\r\n", f"AUTH {self.name} {MASK}")
        return Command(line + b"\r\n", f"AUTH {self.name}")

    def answer(self) -> Command | None:
        return Command(self._answers.pop(0) + b"\r\n", MASK) if self._answers else None


def give_up() -> Command:
    """The lone star that cancels an authentication exchange (RFC 4954 section 4)."""
    return Command(b"*\r\n", "*")


MECHANISMS = ("PLAIN", "LOGIN")
"""What is used over a verified line, best first. One of them is tried, once: a second wrong try locks accounts."""


def choose_mechanism(offered: Sequence[str]) -> str | None:
    """Return the first of ours that the server offers."""
    return next((name for name in MECHANISMS if name in offered), None)


def begin(mechanism: str, username: str, secret: Secret) -> Exchange:
    """Begin an exchange: PLAIN (RFC 4616) with an initial response, or LOGIN (draft-murchison-sasl-login).

    Passwords go as UTF-8. Raises `SmtpError` (unusable secret) for what SASL cannot carry.
    """
    password = secret.reveal()
    if not password or "\0" in password or "\0" in username:
        raise SmtpError(Fault.UNUSABLE_SECRET)
    if mechanism == "PLAIN":
        return _Steps("PLAIN", [f"\0{username}\0{password}"], initial=True)
    return _Steps("LOGIN", [username, password], initial=False)
