"""What went wrong, as the checks see it (Symptom), and what a person reads about it (Finding)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field
from datetime import datetime, timedelta
from enum import StrEnum

from smtp_wizard.engine.base.connection import Auth
from smtp_wizard.engine.base.endpoint import Endpoint, Security
from smtp_wizard.engine.base.shown import NO_WORDS, Shown
from smtp_wizard.engine.base.stages import Stage
from smtp_wizard.engine.lazy_dataclass import dataclass

CLOCKS_DIFFER = timedelta(days=1)
"""Two clocks that are further apart disagree: more than time zones that somebody mixed up can explain."""


class Fault(StrEnum):
    """What kind of thing went wrong, before anybody asks why. One for each way a stage can end badly."""

    NO_SUCH_HOST = "no-such-host"
    """The name has no address."""
    LEADS_INSIDE = "leads-inside"
    """A stranger named the server, and its name leads to this computer or into an inner network: it was left alone."""
    NO_NETWORK = "no-network"
    """Names cannot be looked up, or no route leads anywhere."""
    REFUSED = "refused"
    SILENT = "silent"
    """Nothing came in the time allowed."""
    RESET = "reset"
    """The connection was torn down without a word."""
    DENIED = "denied"
    """This computer itself forbade the connection (EACCES, EPERM)."""
    NO_ROOM = "no-room"
    """This program may have no more files, connections or threads (EMFILE, ENFILE, EAGAIN)."""
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
    EXPIRES_SOON = "expires-soon"
    """The certificate is believed, and will run out in less than three weeks. A warning, not a failure."""
    UNENCRYPTED = "unencrypted"
    """We refused to send a password over an unencrypted line: the person has not said yes."""
    UNUSABLE_SECRET = "unusable-secret"
    """We refused to send it: a NUL in it, or empty."""
    NO_TOKEN = "no-token"
    """There is no access token to sign in with; `lacking` says why, as `OAuthFault` calls it."""
    ROUNDS = "rounds"
    """We refused a sign-in that would cost too much, or protect too little (SCRAM, RFC 7677 section 4)."""
    IMPOSTOR = "impostor"
    """The server could not prove that it knows the password (SCRAM, RFC 5802 section 5)."""
    OUTCOME_UNKNOWN = "outcome-unknown"
    """The connection was lost after the final dot."""


class TlsFault(StrEnum):
    """Why a TLS handshake failed."""

    EXPIRED = "expired"
    NOT_YET_VALID = "not-yet-valid"
    WRONG_NAME = "wrong-name"
    SELF_SIGNED = "self-signed"
    UNKNOWN_ISSUER = "unknown-issuer"
    CHAIN_INCOMPLETE = "chain-incomplete"
    """The issuer is unknown, and nothing that was sent leads from the server's own certificate to a known one."""
    WEAK_KEY = "weak-key"
    """The key is too short, or the signature is of a kind that can be forged."""
    CERTIFICATE = "certificate"
    """The certificate is not believed, for a reason that is none of those above."""
    CLIENT_CERTIFICATE = "client-certificate"
    """The server wants a certificate from us."""
    REVOCATION = "revocation"
    """The issuer's list of withdrawn certificates could not be fetched."""
    VERSION = "version"
    """No TLS version or cipher in common."""
    OTHER = "other"


@dataclass(frozen=True, slots=True, kw_only=True)
class Hints:
    """What is known of an endpoint that is not known as a whole, as from a pasted text."""

    host: Shown = NO_WORDS
    port: int | None = None
    security: Security | None = None
    auth: Auth | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Symptom:
    """What is known at the moment of a failure, flat, so that rules can be written over it.

    Every text in it is free of secrets.
    """

    stage: Stage
    fault: Fault
    stages: frozenset[Stage] = frozenset()
    """Where it is not known in which stage it was: all those that it may have been in, `stage` among them."""
    words: Shown = NO_WORDS
    """What the server or the operating system said."""
    code: int | None = None
    """Basic status code (RFC 5321 section 4.2), such as 535."""
    enhanced: str | None = None
    """Enhanced status code (RFC 3463), such as '5.7.8'."""
    tls: TlsFault | None = None
    lacking: str = ""
    """What was not offered: STARTTLS, AUTH, AUTH-BEFORE-TLS (only after it), MECHANISM (none we know), OAUTH (none
    for a token), PASSWORD (only for tokens), SMTPUTF8; or SAN: the certificate carries its names in the CN alone, which
    counts no more (RFC 9525 section 2)."""
    endpoint: Endpoint | None = None
    hints: Hints = Hints()
    """What is known of the endpoint where `endpoint` is None."""
    provider: str | None = None
    """Id in the catalogue."""
    secret_shape: str | None = None
    """'app-password' if the secret that was tried looks like one of this provider, 'other' if it does not."""
    username: Shown = NO_WORDS
    sender: Shown = NO_WORDS
    recipient: Shown = NO_WORDS
    other: Endpoint | None = None
    """An endpoint that was seen to work, or that answers in the other way: what the one-key fix would use."""
    now: datetime | None = None
    """What the clock of this computer says."""
    server_time: datetime | None = None
    """What the server's clock says, where its greeting tells."""
    facts: Mapping[str, Shown] = field(default_factory=dict)
    """More to fill in, by name: certificate_names, not_before, not_after, issuer, weakness, tls_version, days, reason
    (OpenSSL's), why (there is no token), seconds, limit, time, server_time, mechanisms; of a message that came back:
    refused_by, meant (the address that a misspelt one stands for), sent_at, until, also_failed. For conditions alone:
    issuers, who signed any of what was sent; certificate_of, host_of, side, stage_is, mechanism, token, sign, sign_in,
    pasted, as the conditions of data/diagnosis.yaml call them."""

    @property
    def host(self) -> str:
        """Who was spoken to, or ''."""
        return self.endpoint.host if self.endpoint else self.hints.host

    @property
    def port(self) -> int | None:
        """The port that was spoken to."""
        return self.endpoint.port if self.endpoint else self.hints.port

    @property
    def security(self) -> Security | None:
        """How the endpoint was spoken to."""
        return self.endpoint.security if self.endpoint else self.hints.security
