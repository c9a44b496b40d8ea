"""What is kept of a sign-in in the browser: the refresh token with all that is needed to renew it, as one secret.

The whole is the account's secret, in the place that the person chose; nothing of it is written anywhere else. A secret
that is no such thing is an access token itself, as `token_command` and the like give it.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Self

from smtp_wizard.engine.base.secret import Secret

SCHEMA = "smtp-wizard/sign-in/1"


@dataclass(frozen=True, slots=True)
class Access:
    """An access token. In memory alone."""

    token: Secret
    ends: datetime | None
    """When it runs out; None where the server does not say."""

    def lasts(self, until: datetime) -> bool:
        """Whether it can still be used then."""
        return self.ends is None or self.ends > until


@dataclass(frozen=True, slots=True, kw_only=True)
class Grant:
    """A lasting sign-in."""

    client_id: str
    client_secret: Secret | None
    refresh_token: Secret
    token_url: str
    """Where it came from. It is never sent anywhere else."""
    granted: datetime
    """When the person signed in."""
    renewed: datetime
    """When the server last answered with a token."""
    ends: datetime | None
    """When it ends in any case, where the server says so."""

    def sealed(self) -> Secret:
        """Return it as the one secret that is kept."""
        document = {
            "schema": SCHEMA,
            "client_id": self.client_id,
            "client_secret": self.client_secret.reveal() if self.client_secret else None,
            "refresh_token": self.refresh_token.reveal(),
            "token_url": self.token_url,
            "granted": _written(self.granted),
            "renewed": _written(self.renewed),
            "ends": _written(self.ends) if self.ends else None,
        }
        return Secret(json.dumps(document, separators=(",", ":")))

    @classmethod
    def opened(cls, secret: Secret) -> Self | None:
        """Return what `sealed` gave; None for any other secret."""
        text = secret.reveal()
        if SCHEMA not in text[:100]:
            return None
        try:
            document = json.loads(text)
            own = document["client_secret"]
            ends = document["ends"]
            return cls(
                client_id=_text(document["client_id"]),
                client_secret=Secret(_text(own)) if own is not None else None,
                refresh_token=Secret(_text(document["refresh_token"])),
                token_url=_text(document["token_url"]),
                granted=_read(document["granted"]),
                renewed=_read(document["renewed"]),
                ends=_read(ends) if ends is not None else None,
            )
        except (ValueError, TypeError, KeyError, OverflowError, RecursionError):
            return None


@dataclass(frozen=True, slots=True)
class SignedIn:
    """What the token server gave."""

    grant: Grant
    access: Access


def _written(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="seconds")


def _read(value: object) -> datetime:
    moment = datetime.fromisoformat(_text(value))
    if moment.tzinfo is None:
        raise ValueError("no time zone")
    return moment.astimezone(UTC)


def _text(value: object) -> str:
    if not isinstance(value, str) or not value:
        raise TypeError("not a text")
    return value
