"""From what went wrong to what a person can do: a Symptom becomes a Finding. The rules are in data/diagnosis.yaml."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from smtp_wizard.engine.model import Endpoint, Security, Stage, Who


class Fault(StrEnum):
    """What kind of thing went wrong, before anybody asks why. One for each way a stage can end badly."""

    NO_SUCH_HOST = "no-such-host"
    """The name has no address."""
    NO_NETWORK = "no-network"
    """Names cannot be looked up, or no route leads anywhere."""
    REFUSED = "refused"
    SILENT = "silent"
    """Nothing came in the time allowed."""
    RESET = "reset"
    """The connection was torn down without a word."""
    DENIED = "denied"
    """This computer itself forbade the connection (EACCES, EPERM)."""
    CLOSED = "closed"
    """The other side ended the connection where a reply was due."""
    SPEAKS_TLS = "speaks-tls"
    """A greeting was waited for; the port speaks TLS from the first byte."""
    SPEAKS_PLAIN = "speaks-plain"
    """TLS was begun; the port greets in clear text (it wants STARTTLS, or none)."""
    OTHER_PROTOCOL = "other-protocol"
    """What answered is not SMTP: POP3, IMAP, HTTP."""
    TLS_FAILED = "tls-failed"
    """The handshake failed; `tls` says how."""
    NOT_OFFERED = "not-offered"
    """EHLO did not offer what the stage needs (STARTTLS, AUTH, a mechanism, SMTPUTF8); `lacking` says what."""
    REJECTED = "rejected"
    """A 4xx or 5xx reply; `code`, `enhanced` and `words` say which."""
    GARBLED = "garbled"
    """A reply that is none, or out of bounds."""
    UNSOLICITED = "unsolicited"
    """A reply came before anything was asked."""
    INJECTED = "injected"
    """Bytes came in clear text behind the reply to STARTTLS; they were thrown away. A warning, not a failure."""
    UNENCRYPTED = "unencrypted"
    """We refused to send a password over an unencrypted line: the person has not said yes."""
    UNUSABLE_SECRET = "unusable-secret"
    """We refused to send it: a NUL in it, or empty."""
    OUTCOME_UNKNOWN = "outcome-unknown"
    """The connection was lost after the final dot."""


class TlsFault(StrEnum):
    """Why a TLS handshake failed."""

    EXPIRED = "expired"
    NOT_YET_VALID = "not-yet-valid"
    WRONG_NAME = "wrong-name"
    SELF_SIGNED = "self-signed"
    UNKNOWN_ISSUER = "unknown-issuer"
    VERSION = "version"
    """No TLS version or cipher in common."""
    OTHER = "other"


@dataclass(frozen=True, slots=True, kw_only=True)
class Symptom:
    """What is known at the moment of a failure, flat, so that rules can be written over it.

    Every text in it is cleaned and free of secrets already.
    """

    stage: Stage
    fault: Fault
    words: str = ""
    """What the server or the operating system said."""
    code: int | None = None
    """Basic status code (RFC 5321 section 4.2), such as 535."""
    enhanced: str | None = None
    """Enhanced status code (RFC 3463), such as '5.7.8'."""
    tls: TlsFault | None = None
    lacking: str = ""
    """What was not offered: STARTTLS, AUTH, SMTPUTF8, HELO-ONLY."""
    endpoint: Endpoint | None = None
    provider: str | None = None
    """Id in the catalogue."""
    secret_shape: str | None = None
    """'app-password' if the secret that was tried looks like one of this provider, 'other' if it does not."""
    username: str = ""
    sender: str = ""
    recipient: str = ""
    other: Endpoint | None = None
    """An endpoint that was seen to work, or that answers in the other way: what the one-key fix would use."""
    facts: Mapping[str, str] = field(default_factory=dict)
    """More to fill in, by name: certificate_names, not_after, issuer, seconds, limit ..."""

    @property
    def security(self) -> Security | None:
        """How the endpoint was spoken to."""
        return self.endpoint.security if self.endpoint else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """A failure in words: what is wrong, who must act, what to do next."""

    code: str
    """Id of the cause: stable, in the taxonomy of data/diagnosis.yaml."""
    title: str
    explanation: str
    who: Who
    steps: tuple[str, ...]
    """What to do, one action a step, in order."""
    guide: str | None = None
    """Id of the guide that helps."""
    server_said: str = ""
    """The server's own words, cleaned, with codes; empty when it said nothing."""
    forward: str | None = None
    """A message ready to send to who must act, when that is not the person in front of the screen."""
    fix: Endpoint | None = None
    """An endpoint to try instead, with one key."""
    warning: bool = False
    """The check goes on; the verdict is 'warn'."""
