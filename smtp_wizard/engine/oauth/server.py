"""What is known about a provider's OAuth server: its addresses, what is asked for, and how long a sign-in lasts."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Mapping
from dataclasses import field
from enum import StrEnum
from urllib.parse import urlsplit

from smtp_wizard.engine.base.confidence import Confidence
from smtp_wizard.engine.base.errors import InputError
from smtp_wizard.engine.base.records import Whole
from smtp_wizard.engine.base.shown import phrase
from smtp_wizard.engine.lazy_dataclass import dataclass

PORT_SLOT = "{port}"
"""Stands in `OAuthServer.redirect` for the port that the listener gets."""


class OAuthFlow(StrEnum):
    """How a token is got."""

    BROWSER = "browser"
    """The browser comes back to a listener on this computer (RFC 8252 section 7.3), with PKCE (RFC 7636)."""
    PASTE = "paste"
    """As `BROWSER`, on another computer: the address that the browser ended on is pasted."""
    DEVICE = "device"
    """A code is typed on a page, on any device (RFC 8628)."""
    CLIENT_CREDENTIALS = "client-credentials"
    """No person signs in: the application does, with a secret of its own (RFC 6749 section 4.4)."""


class ClientSecret(StrEnum):
    """Whether a client that a person registers for a program on their computer gets a secret."""

    NONE = "none"
    OPTIONAL = "optional"
    NEEDED = "needed"


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenLife:
    """How long a sign-in lasts, as a fact with its source."""

    days: Whole
    source: str = ""
    as_of: str = ""
    confidence: Confidence = Confidence.UNKNOWN


TENANT_SLOT = "{tenant}"
"""Stands in `ApplicationAccess.token` for the organisation that the application belongs to."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ApplicationAccess:
    """How an application signs in by itself, without a person."""

    token: str
    """Where it gets its tokens, with `TENANT_SLOT` where each organisation has an address of its own."""
    scopes: tuple[str, ...]
    shared: tuple[str, ...] = ()
    """What may stand in the place of an organisation when people sign in, and gives no token to an application."""
    source: str = ""
    as_of: str = ""
    confidence: Confidence = Confidence.UNKNOWN

    @property
    def needs_tenant(self) -> bool:
        """Whether it must be said which organisation the application belongs to."""
        return TENANT_SLOT in self.token

    def token_at(self, tenant: str) -> str:
        """Return where the applications of an organisation get their tokens. `tenant`: as `parse_tenant` returns it."""
        return self.token.replace(TENANT_SLOT, tenant)

    def is_at(self, url: str) -> bool:
        """Whether an address is this server's own for some organisation."""
        before, slot, after = self.token.partition(TENANT_SLOT)
        tenant = url[len(before) : len(url) - len(after)]
        return url == self.token_at(tenant if slot else "") and (not slot or _TENANT.fullmatch(tenant) is not None)


_TENANT = re.compile(r"[0-9A-Za-z](?:[0-9A-Za-z.-]{0,251}[0-9A-Za-z])?")


def parse_tenant(text: str) -> str:
    """Return the id or the domain of an organisation, as it stands in an address. Raises `InputError`."""
    tenant = text.strip().lower()
    if _TENANT.fullmatch(tenant) is None or ".." in tenant:
        raise InputError(phrase("That is no tenant: type the id of the directory (tenant), or the firm's domain."))
    return tenant


@dataclass(frozen=True, slots=True, kw_only=True)
class OAuthServer:
    """One authorization server (RFC 6749), as its provider describes it for sending mail."""

    name: str
    """What a person calls it."""
    authorize: str
    """The page where the person signs in."""
    token: str
    device: str = ""
    """Where device codes are given out; empty: it has none, or none for mail."""
    register: str = ""
    """Where a program registers itself (RFC 7591); empty: the person does that in `console`."""
    revoke: str = ""
    """Where a sign-in is given back (RFC 7009)."""
    scopes: tuple[str, ...]
    extra: Mapping[str, str] = field(default_factory=dict, hash=False)
    """What goes into the address of the page beside the standard's own parameters."""
    redirect: str = "http://127.0.0.1:{port}/"
    """Where the browser comes back to. What the provider compares must not be changed: the name, or the path."""
    client_secret: ClientSecret = ClientSecret.NONE
    console: str = ""
    """The page where a client id is registered."""
    idle: TokenLife | None = None
    """A sign-in that is not used for so long ends."""
    testing: TokenLife | None = None
    """A sign-in at a client that is still being tried out ends after so long, used or not."""
    application: ApplicationAccess | None = None
    """How an application signs in by itself; None where none can, or nothing is known of it."""
    closed: str = ""
    """One sentence: why nobody can register a client of their own here; empty where they can."""
    note: str = ""
    source: str = ""
    as_of: str = ""
    confidence: Confidence = Confidence.UNKNOWN

    @property
    def flows(self) -> tuple[OAuthFlow, ...]:
        """The ways for a person to sign in, simplest first."""
        return (*((OAuthFlow.DEVICE,) if self.device else ()), OAuthFlow.BROWSER, OAuthFlow.PASTE)

    def gives_tokens_at(self, url: str, *, to_application: bool) -> bool:
        """Whether an address is where this server gives tokens: to a person's client, or to an application."""
        if to_application:
            return self.application is not None and self.application.is_at(url)
        return url == self.token

    def redirect_to(self, port: int) -> str:
        """Return the address that the browser comes back to."""
        return self.redirect.replace(PORT_SLOT, str(port))


LONGEST_URL = 2000


def is_safe_url(text: str) -> bool:
    """Whether a token may travel there: https, or a server on this computer itself (RFC 8252 section 7.3)."""
    if not text.isascii() or not text.isprintable() or " " in text or len(text) > LONGEST_URL:
        return False
    try:
        parts = urlsplit(text)
        host, _ = parts.hostname, parts.port
    except ValueError:
        return False
    if not host or parts.username is not None or parts.password is not None or parts.fragment:
        return False
    return parts.scheme == "https" or (parts.scheme == "http" and is_loopback(host))


def is_loopback(host: str) -> bool:
    """Whether a host is this computer."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


_REDIRECT = re.compile(r"http://(127\.0\.0\.1|localhost):\{port\}(/[A-Za-z0-9/_-]*)?")


def is_redirect(text: str) -> bool:
    """Whether this is an address of this computer with the port left open."""
    return _REDIRECT.fullmatch(text) is not None
