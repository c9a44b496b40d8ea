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
from smtp_wizard.engine.base.strict_json import JsonError, read_json
from smtp_wizard.engine.lazy_dataclass import dataclass

SCHEMA: Final = "smtp-wizard/sign-in/1"


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
    """A lasting sign-in."""

    client_id: _Filled
    client_secret: _Token | None
    refresh_token: _Token
    token_url: _Filled
    """Where it came from. It is never sent anywhere else."""
    granted: Second
    """When the person signed in."""
    renewed: Second
    """When the server last answered with a token."""
    ends: Second | None
    """When it ends in any case, where the server says so."""

    def sealed(self) -> Secret:
        """Return it as the one secret that is kept."""
        return Secret(json.dumps(write_record(_StoredGrant(SCHEMA, self)), separators=(",", ":")))

    @classmethod
    def opened(cls, secret: Secret) -> Grant | None:
        """Return what `sealed` gave; None for any other secret."""
        text = secret.reveal()
        if SCHEMA not in text[:100]:
            return None
        try:
            return read_record(_StoredGrant, read_json(text)).grant
        except JsonError:
            return None


@dataclass(frozen=True, slots=True)
class _StoredGrant:
    schema: Literal["smtp-wizard/sign-in/1"]
    grant: Annotated[Grant, INLINE]


@dataclass(frozen=True, slots=True)
class SignedIn:
    """What the token server gave."""

    grant: Grant
    access: AccessToken
