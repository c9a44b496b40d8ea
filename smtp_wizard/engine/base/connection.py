"""How an account connects to its server: one noun, held by what is being entered, what is saved and what is checked."""

from __future__ import annotations

from enum import StrEnum
from typing import Generic, TypeGuard, TypeVar

from smtp_wizard.engine.base.endpoint import Endpoint, Security
from smtp_wizard.engine.lazy_dataclass import dataclass


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


E_co = TypeVar("E_co", bound=Endpoint | None, covariant=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class Connection(Generic[E_co]):
    """How an account connects to its server, all but the secret.

    `Connection[Endpoint]` is one whose server is known, `Connection[Endpoint | None]` one that is still being entered.
    """

    endpoint: E_co
    username: str = ""
    auth: Auth = Auth.PASSWORD
    """What the secret is: a password, or an access token, which goes by XOAUTH2 or OAUTHBEARER."""
    provider: str | None = None
    """Id in the catalogue."""
    path: str | None = None
    """Id of the access path in the catalogue."""
    ca_file: str | None = None
    """A company's own certificate authority."""
    ehlo_name: str = ""
    """Empty: the address of this end as a literal (RFC 5321 section 4.1.3)."""
    allow_cleartext: bool = False
    """The person said yes to a password over a line without encryption. Only ever used with security `none`."""
    sandbox: str | None = None
    """The scenario, where this is practice and no real mailbox."""

    @property
    def may_have_mailbox(self) -> bool:
        """Whether there may be a mailbox behind it that the same sign-in opens: neither a relay nor practice."""
        return self.auth is not Auth.NONE and self.sandbox is None

    @property
    def awaits_consent(self) -> bool:
        """Whether a password would go over a line without encryption, and the person has not said yes to that."""
        clear = self.endpoint is not None and self.endpoint.security is Security.NONE
        return clear and self.auth is Auth.PASSWORD and not self.allow_cleartext


def knows_server(connection: Connection[Endpoint | None]) -> TypeGuard[Connection[Endpoint]]:
    """Whether a connection that is being entered has its server."""
    return connection.endpoint is not None
