"""What is kept of a sign-in in the browser: the refresh token with all that is needed to renew it, as one secret.

The whole is the account's secret, in the place that the person chose; nothing of it is written anywhere else. A secret
that is no such thing is an access token itself, as `token_command` and the like give it.
"""

from __future__ import annotations

import json
from datetime import datetime
from typing import Annotated, Final, Literal

from smtp_wizard.engine.base.records import INLINE, VERBATIM, AsText, Second, read_record, write_record
from smtp_wizard.engine.base.secret import Secret
from smtp_wizard.engine.base.shown import phrase
from smtp_wizard.engine.base.strict_json import JsonError, read_json
from smtp_wizard.engine.lazy_dataclass import dataclass
from smtp_wizard.engine.oauth.errors import OAuthError, OAuthFault

SCHEMA: Final = "smtp-wizard/sign-in/1"
_ANY_SCHEMA = "smtp-wizard/sign-in/"
"""In what any version has kept, whole or damaged. No token has it: none has blanks, quotation marks or braces."""
_UNREADABLE = phrase(
    "The sign-in that is kept cannot be read: it is damaged, or a newer smtp-wizard has written it. Sign in again."
)


@dataclass(frozen=True, slots=True)
class AccessToken:
    """An access token. In memory alone."""

    token: Secret
    ends: datetime | None
    """When it runs out; None where the server does not say."""

    def lasts(self, until: datetime) -> bool:
        """Whether it can still be used then."""
        return self.ends is None or self.ends > until


def _filled(text: str) -> str:
    if not text:
        raise ValueError("empty")
    return text


_FILLED = "text that is not empty"
_Filled = Annotated[str, AsText(_filled, str, _FILLED)]
_Token = Annotated[Secret, AsText(lambda text: Secret(_filled(text)), Secret.reveal, _FILLED), VERBATIM]


@dataclass(frozen=True, slots=True, kw_only=True)
class Grant:
    """A lasting sign-in: a person's, or an application's own."""

    client_id: _Filled
    client_secret: _Token | None
    refresh_token: _Token | None
    """None where no person signed in: the application does so itself, with the client secret."""
    token_url: _Filled
    """Where it came from. It is never sent anywhere else."""
    granted: Second
    """When the person signed in."""
    renewed: Second
    """When the server last answered with a token."""
    ends: Second | None
    """When it ends in any case, where the server says so."""

    @property
    def of_application(self) -> bool:
        """Whether the application itself signs in, and no person (RFC 6749 section 4.4)."""
        return self.refresh_token is None

    def sealed(self) -> Secret:
        """Return it as the one secret that is kept."""
        return Secret(json.dumps(write_record(_StoredGrant(SCHEMA, self)), separators=(",", ":")))

    @classmethod
    def opened(cls, secret: Secret) -> Grant | None:
        """Return what `sealed` gave; None for any other secret."""
        text = secret.reveal()
        if SCHEMA not in text:
            return None
        try:
            return read_record(_StoredGrant, read_json(text)).grant
        except JsonError:
            return None


def is_kept_sign_in(secret: Secret) -> bool:
    """Whether a secret is a sign-in that is kept, whole or damaged, of this version or another."""
    return _ANY_SCHEMA in secret.reveal()


def as_access_token(secret: Secret) -> Secret:
    """Return a secret that is an access token itself, as `Grant.opened` has found.

    Raises `OAuthError` for a sign-in that is kept, and cannot be read: damaged, or written by a newer version. It has a
    refresh token in it, which must not go to a mail server.
    """
    if is_kept_sign_in(secret):
        raise OAuthError(OAuthFault.ENDED, _UNREADABLE)
    return secret


@dataclass(frozen=True, slots=True)
class _StoredGrant:
    schema: Literal["smtp-wizard/sign-in/1"]
    grant: Annotated[Grant, INLINE]


@dataclass(frozen=True, slots=True)
class SignedIn:
    """What the token server gave."""

    grant: Grant
    access: AccessToken
