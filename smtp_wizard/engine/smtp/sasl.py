"""Signing in: SASL exchanges over SMTP (RFC 4954), as commands out and challenges in, without any I/O.

Secrets are encoded here and masked here. What a server asks for is bounded before it costs anything.
"""

from __future__ import annotations

import base64
import binascii
import hmac
import json
import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any, Protocol

from smtp_wizard.engine.base.connection import Auth
from smtp_wizard.engine.base.endpoint import Endpoint
from smtp_wizard.engine.base.secret import Secret
from smtp_wizard.engine.base.shown import NO_WORDS, Shown, phrase, shown
from smtp_wizard.engine.smtp.masking import MASK, Redactor
from smtp_wizard.engine.smtp.protocol import MAX_COMMAND, Command, SmtpError
from smtp_wizard.engine.smtp.symptom import Fault

if TYPE_CHECKING:
    from scramp import ScramClient

PASSWORD_MECHANISMS = ("PLAIN", "LOGIN", "SCRAM-SHA-256", "CRAM-MD5")
"""What is used over a verified line, best first. One of them is tried, once: a second wrong try locks accounts.

PLAIN first, since every server can check it; CRAM-MD5 last: servers offer it that keep passwords in a form with which
it cannot work, and then refuse the right one.
"""
TOKEN_MECHANISMS = ("XOAUTH2", "OAUTHBEARER")
"""The same for an access token: what most programs that will send later use, and RFC 7628."""

FEWEST_ROUNDS = 4096
"""RFC 7677 section 4: a server that asks for fewer makes the password easy to guess for who listens."""
MOST_ROUNDS = 600_000
"""More would only hold up this computer: a quarter of a second is spent on these."""
MAX_CHALLENGE = 2048
"""Octets of one challenge, decoded: no mechanism of ours needs the tenth of it."""


class Exchange(Protocol):
    """One authentication exchange (RFC 4954). Challenges come in, commands go out, all of it masked when shown."""

    name: str
    added: Shown
    """What the server said in its challenges about a refusal; ''."""
    facts: Mapping[str, Shown]
    """What is known of a refusal beyond the server's reply, for the diagnosis."""

    def start(self) -> Command:
        """The AUTH command."""

    def answer(self, challenge: str) -> Command | None:
        """The answer to a 334; None when there is nothing left to say and the exchange must be given up.

        Raises `SmtpError` for a challenge that must not be answered.
        """

    def accepted(self) -> None:
        """The server says that we are signed in. Raises `SmtpError` (impostor) where it owes a proof of its own."""


class _Mechanism:
    """What the mechanisms have in common."""

    name = ""

    def __init__(self) -> None:
        self.added = NO_WORDS
        self.facts: Mapping[str, Shown] = {}

    def accepted(self) -> None:
        """Nothing is owed."""

    def _begin(self, initial: str) -> tuple[Command, bool]:
        """The AUTH command, and whether it holds the initial response: only where the line stays short enough.

        Servers cut longer lines at 1024 or 2048 octets, whatever RFC 4954 section 4 says.
        """
        line, encoded = f"AUTH {self.name}".encode("ascii"), _encoded(initial)
        if len(line) + 1 + len(encoded) + 2 <= MAX_COMMAND:
            return Command(line + b" " + encoded + b"\r\n", phrase("AUTH {} {}", shown(self.name), MASK)), True
        return self._bare(), False

    def _bare(self) -> Command:
        return Command(f"AUTH {self.name}\r\n".encode("ascii"), phrase("AUTH {}", shown(self.name)))


class _Steps(_Mechanism):
    """A mechanism whose answers do not depend on the challenges: PLAIN (RFC 4616), LOGIN (draft-murchison-sasl-login).

    Only PLAIN has an initial response.
    """

    def __init__(self, name: str, answers: Sequence[str]) -> None:
        super().__init__()
        self.name = name
        self._answers = list(answers)

    def start(self) -> Command:
        if self.name != "PLAIN":
            return self._bare()
        command, said = self._begin(self._answers[0])
        if said:
            self._answers.pop(0)
        return command

    def answer(self, challenge: str) -> Command | None:
        return _masked(self._answers.pop(0)) if self._answers else None


class _CramMd5(_Mechanism):
    """CRAM-MD5 (RFC 2195): one challenge, answered with a keyed digest of it."""

    name = "CRAM-MD5"

    def __init__(self, username: str, password: str) -> None:
        super().__init__()
        self._username, self._password = username, password
        self._answered = False
        self.facts = {"mechanism": phrase("CRAM-MD5")}

    def start(self) -> Command:
        return self._bare()

    def answer(self, challenge: str) -> Command | None:
        if self._answered:
            return None
        self._answered = True
        digest = hmac.new(self._password.encode("utf-8"), _decoded(challenge), "md5").hexdigest()
        return _masked(f"{self._username} {digest}")


class _Scram(_Mechanism):
    """SCRAM-SHA-256 (RFC 5802, 7677) without channel binding. Both sides prove that they know the password."""

    name = "SCRAM-SHA-256"

    def __init__(self, client: ScramClient) -> None:
        super().__init__()
        self._client = client
        self._first = ""
        """The client's first message, while it waits to be said."""
        self._steps = ["first", "final"]
        """What is still to come of the server."""
        self._proved = False

    def start(self) -> Command:
        self._first = self._client.get_client_first()
        command, said = self._begin(self._first)
        if said:
            self._first = ""
        return command

    def answer(self, challenge: str) -> Command | None:
        if self._first:
            first, self._first = self._first, ""
            return _masked(first)
        if not self._steps:
            return None
        step = self._steps.pop(0)
        said = _decoded(challenge).decode("utf-8", "replace")
        return self._proof(said) if step == "first" else self._believe(said)

    def _proof(self, said: str) -> Command:
        """The answer to the server's first message, after a look at what it asks for."""
        rounds = re.search(r"(?:^|,)i=(\d+)(?:,|$)", said)
        if rounds and not (len(rounds[1]) <= 7 and FEWEST_ROUNDS <= int(rounds[1]) <= MOST_ROUNDS):
            raise SmtpError(Fault.ROUNDS, phrase("the server asks for {} rounds", shown(rounds[1][:20])))
        nonce, ours = re.search(r"(?:^|,)r=([^,]*)", said), str(self._client.c_nonce)
        if nonce and not (nonce[1].startswith(ours) and len(nonce[1]) > len(ours)):
            raise SmtpError(Fault.IMPOSTOR, phrase("the server answers to another sign-in than this one"))
        try:
            self._client.set_server_first(said)
            return _masked(self._client.get_client_final())
        except _scram_troubles():
            raise SmtpError(Fault.GARBLED, phrase("the challenge cannot be understood")) from None

    def _believe(self, said: str) -> Command:
        """Check the server's proof. A refusal in its place is answered too, so that the reply with its code comes."""
        if not said.startswith("e="):
            try:
                self._client.set_server_final(said)
            except _scram_troubles():
                raise SmtpError(Fault.IMPOSTOR, phrase("the server's proof is wrong")) from None
            self._proved = True
        return _masked("")

    def accepted(self) -> None:
        if not self._proved:
            raise SmtpError(Fault.IMPOSTOR, phrase("the server gave no proof that it knows the password"))


def _scram_troubles() -> tuple[type[Exception], ...]:
    """What scramp raises over words that are not as they should be."""
    from scramp import ScramException

    return (ScramException, ValueError, KeyError, IndexError)


class _Bearer(_Mechanism):
    """An access token: OAUTHBEARER (RFC 7628) or XOAUTH2, its forerunner.

    A refusal comes as a challenge that says in JSON why (RFC 7628 section 3.2.2), and only after the dummy answer to
    that as a reply with a code.
    """

    def __init__(self, name: str, message: str, dummy: str, redactor: Redactor, facts: Mapping[str, Shown]) -> None:
        super().__init__()
        self.name = name
        self.facts = facts
        self._message = message
        self._dummy = dummy
        self._redactor = redactor
        self._said = self._refused = False

    def start(self) -> Command:
        command, self._said = self._begin(self._message)
        return command

    def answer(self, challenge: str) -> Command | None:
        if not self._said:
            self._said = True
            return _masked(self._message)
        if self._refused:
            return None
        self._refused = True
        said = _fields(challenge)
        self.added = shown(self._redactor.scrub(", ".join(f"{key}: {value}" for key, value in said.items())), 300)
        if not self.facts and _SCOPE_LACKING & {said.get("status"), said.get("error")}:
            self.facts = {"token": phrase("no-scope")}
        return _masked(self._dummy)


_SCOPE_LACKING = frozenset({"insufficient_scope", "invalid_scope"})
_SAID_IN_JSON = ("status", "error", "error_description", "scope", "schemes", "openid-configuration")
"""RFC 7628 section 3.2.2, and what servers add in words."""


def _fields(challenge: str) -> dict[str, str]:
    """What a server's JSON says, field by field; nothing where it is none."""
    try:
        found = json.loads(_decoded(challenge))
    except (SmtpError, ValueError, RecursionError):
        return {}
    if not isinstance(found, dict):
        return {}
    return {
        key: str(value)[:200]
        for key in _SAID_IN_JSON
        if isinstance(value := found.get(key), str | int) and str(value).strip()
    }


def token_trouble(token: str, username: str, now: datetime) -> Shown:
    """Say what a look at the token alone tells about a refusal, or ''.

    'expired', 'other-user', 'other-service' (made for another one), 'no-user' (an application's own) or 'no-scope'.

    Only a JSON Web Token (RFC 7519) can be looked into. It is meant for the server and not for us, so this explains a
    refusal and never forestalls a try.
    """
    claims = _claims(token)
    expires = claims.get("exp")
    if isinstance(expires, int | float) and expires <= now.timestamp():
        return phrase("expired")
    named = [claims.get(key) for key in ("upn", "preferred_username", "unique_name", "email", "username")]
    owners = {each.casefold() for each in named if isinstance(each, str) and "@" in each}
    if owners and "@" in username and username.casefold() not in owners:
        return phrase("other-user")
    if _OTHER_SERVICE.match(str(claims.get("aud", ""))):
        return phrase("other-service")
    if claims.get("roles") and not owners and "scp" not in claims:
        return phrase("no-user")
    scope = claims.get("scp", claims.get("scope"))
    words = " ".join(map(str, scope)) if isinstance(scope, list) else scope
    if isinstance(words, str) and not re.search("smtp|mail", words, re.IGNORECASE):
        return phrase("no-scope")
    return NO_WORDS


_OTHER_SERVICE = re.compile(r"https?://graph\.|00000003-0000-0000-c000-000000000000", re.IGNORECASE)
"""Interfaces for everything but SMTP. `aud` says whom a token is meant for (RFC 7519 section 4.1.3)."""


def _claims(token: str) -> dict[str, Any]:
    parts = token.split(".")
    if len(parts) != 3:
        return {}
    try:
        found = json.loads(base64.urlsafe_b64decode(parts[1] + "=" * (-len(parts[1]) % 4)))
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def _encoded(text: str) -> bytes:
    return base64.b64encode(text.encode("utf-8"))


def _masked(text: str) -> Command:
    return Command(_encoded(text) + b"\r\n", MASK)


def _decoded(challenge: str) -> bytes:
    """The octets of a challenge. Raises `SmtpError` (garbled) for what is no Base64, or far too long."""
    try:
        raw = base64.b64decode(challenge.strip(), validate=True)
    except (binascii.Error, ValueError):
        raise SmtpError(Fault.GARBLED, phrase("the challenge cannot be read")) from None
    if len(raw) > MAX_CHALLENGE:
        raise SmtpError(Fault.GARBLED, phrase("the challenge is far too long"))
    return raw


def cancel() -> Command:
    """The lone star that cancels an authentication exchange (RFC 4954 section 4)."""
    return Command(b"*\r\n", phrase("*"))


def choose_mechanism(offered: Sequence[str], auth: Auth = Auth.PASSWORD) -> str | None:
    """Return the first of ours that the server offers, for a password or for an access token."""
    ours = TOKEN_MECHANISMS if auth is Auth.XOAUTH2 else PASSWORD_MECHANISMS
    return next((name for name in ours if name in offered), None)


def begin_exchange(
    mechanism: str, username: str, secret: Secret, *, endpoint: Endpoint | None = None, now: datetime | None = None
) -> Exchange:
    """Begin an exchange with one of the mechanisms.

    Passwords go as UTF-8, prepared with SASLprep (RFC 4013) where the mechanism asks for it. `endpoint` is told to
    servers that take OAUTHBEARER; `now` lets a refused token be looked into. Raises `SmtpError` (unusable secret) for
    what SASL cannot carry.
    """
    value = secret.reveal()
    if not value or "\0" in value or "\0" in username:
        raise SmtpError(Fault.UNUSABLE_SECRET)
    match mechanism:
        case "PLAIN":
            return _Steps("PLAIN", [f"\0{username}\0{value}"])
        case "LOGIN":
            return _Steps("LOGIN", [username, value])
        case "CRAM-MD5":
            return _CramMd5(username, value)
        case "SCRAM-SHA-256":
            return _scram(username, value)
        case "XOAUTH2" | "OAUTHBEARER":
            return _bearer(mechanism, username, secret, endpoint, now)
    raise ValueError(f"{mechanism} is not spoken here")


def _scram(username: str, password: str, nonce: str | None = None) -> _Scram:
    from scramp import ScramClient

    try:
        return _Scram(ScramClient(["SCRAM-SHA-256"], username, password, c_nonce=nonce))
    except _scram_troubles():
        # From None: it quotes what it could not prepare.
        raise SmtpError(Fault.UNUSABLE_SECRET) from None


def _bearer(mechanism: str, username: str, secret: Secret, endpoint: Endpoint | None, now: datetime | None) -> _Bearer:
    token = secret.reveal()
    # RFC 6750 section 2.1; anything else could end the field it stands in.
    if not re.fullmatch(r"[\x21-\x7e]+", token) or "\1" in username:
        raise SmtpError(Fault.UNUSABLE_SECRET)
    trouble = token_trouble(token, username, now) if now else NO_WORDS
    facts = {"token": trouble} if trouble else {}
    redactor = Redactor(secret, username)
    if mechanism == "XOAUTH2":
        return _Bearer(mechanism, f"user={username}\1auth=Bearer {token}\1\1", "", redactor, facts)
    name = username.replace("=", "=3D").replace(",", "=2C")
    place = f"host={endpoint.host}\1port={endpoint.port}\1" if endpoint else ""
    return _Bearer(mechanism, f"n,a={name},\1{place}auth=Bearer {token}\1\1", "\1", redactor, facts)
