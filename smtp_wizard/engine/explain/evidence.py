"""What a pasted text says, piece by piece, before anybody asks what it means: the evidence that the rules are given.

A reader (`readers/`) knows one way of writing: a session, a log, a stack trace, a report of delivery. It turns what it
knows into evidence, with the lines that it came from; what it does not know is none. So a key of JSON, a copied header,
a clock or a port is never taken for what a server said.
"""

from __future__ import annotations

from enum import StrEnum

from smtp_wizard.engine.base.endpoint import Security
from smtp_wizard.engine.base.stages import Stage
from smtp_wizard.engine.lazy_dataclass import dataclass


class Party(StrEnum):
    """Who said something, as seen from the person whose mail it was."""

    OWN = "own"
    """The server that the person sends through."""
    RECIPIENT = "recipient"
    """The server of the recipient's domain, or one that stands before it."""
    FORWARDER = "forwarder"
    """A server that passes the recipient's mail on to another one, which refused it."""


class AttemptOutcome(StrEnum):
    """How an attempt, or a delivery, ended."""

    ACCEPTED = "accepted"
    FAILED = "failed"
    DELAYED = "delayed"
    """It is tried again by itself."""
    OPEN = "open"
    """The text ends before it did, or does not say."""


@dataclass(frozen=True, slots=True)
class LineRange:
    """The lines of the text, counted from 1, that a piece of evidence came from."""

    first: int
    last: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerReply:
    """A reply of a server (RFC 5321 section 4.2), with the command that it answers."""

    code: int
    enhanced: str | None = None
    words: str = ""
    command: str = ""
    """The command's verb: 'EHLO', 'AUTH'; '.' for the end of the message; '' before any."""
    stage: Stage | None = None
    host: str = ""
    at: str = ""
    """When it came, as it stands in the text."""
    cut: bool = False
    """The text ends before the last line of the reply."""
    lines: LineRange

    @property
    def refuses(self) -> bool:
        """Whether it is a refusal, for now or for good (section 4.2.1)."""
        return self.code >= _REFUSALS


_REFUSALS = 400


@dataclass(frozen=True, slots=True, kw_only=True)
class Connecting:
    """A program begins to connect, or says what it connected to."""

    host: str = ""
    port: int | None = None
    security: Security | None = None
    lines: LineRange


@dataclass(frozen=True, slots=True, kw_only=True)
class ClientCommand:
    """A command that a program sent. What follows the verb of AUTH is not kept."""

    verb: str
    lines: LineRange


@dataclass(frozen=True, slots=True, kw_only=True)
class Secured:
    """The connection became encrypted."""

    lines: LineRange


@dataclass(frozen=True, slots=True, kw_only=True)
class Complaint:
    """What a program or a library says went wrong, in its own words: an exception, a line of an error."""

    words: str
    kind: str = ""
    """The class of an exception: 'javax.net.ssl.SSLHandshakeException'; '' where it has none."""
    lines: LineRange


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """What became of a message on its way to one recipient: a report (RFC 3464), a letter, a line of a log."""

    outcome: AttemptOutcome
    recipient: str = ""
    words: str = ""
    """What the other server said, or what the own one says in its place."""
    status: str = ""
    """Enhanced status code (RFC 3463)."""
    reporter: str = ""
    """The server that tells of it: the one that sent the message on."""
    server: str = ""
    """The server that was asked to take the message."""
    port: int | None = None
    command: str = ""
    """The command that was answered so: 'RCPT TO', 'end of DATA'; '' where it is not said."""
    speaker: Party | None = None
    since: str = ""
    """When the message was handed in, as it stands in the text."""
    until: str = ""
    """Until when it is tried again."""
    others: tuple[str, ...] = ()
    """The other addresses that the same report says were not reached."""
    lines: LineRange


Evidence = ServerReply | Connecting | ClientCommand | Secured | Complaint | Delivery
