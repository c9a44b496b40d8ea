"""When the way in which an account signs in will end: a sign-in in the browser, or a provider that closes it."""

from __future__ import annotations

from datetime import datetime, timedelta

from smtp_wizard.engine.accounts.account import Account
from smtp_wizard.engine.lazy_dataclass import dataclass
from smtp_wizard.engine.oauth.server import OAuthServer
from smtp_wizard.engine.providers.catalog import Catalog
from smtp_wizard.engine.providers.retirements import RetirementNotice, notice_of
from smtp_wizard.engine.state.sign_in_renewals import SignInRenewal


@dataclass(frozen=True, slots=True)
class SignInExpiry:
    """When a sign-in ends, and whether using it puts that off."""

    at: datetime
    idle: bool
    soon: bool
    """Whether it is time to say so."""

    def words(self, now: datetime) -> str:
        """One sentence or two: when, and what to do."""
        if self.at <= now:
            return (
                f"The sign-in in the browser has most likely ended on {self.at:%Y-%m-%d}. Sign in again: choose "
                "'Sign in again' for the account."
            )
        days = max(1, (self.at - now).days)
        when = f"The sign-in in the browser ends on {self.at:%Y-%m-%d}, in {days} {'day' if days == 1 else 'days'}"
        if self.idle:
            return f"{when}, unless it is used before. A test of the account renews it."
        return (
            f"{when}, used or not. Sign in again before that day; where the client is still 'in testing', publish it."
        )


WARN_DAYS = timedelta(days=14)
"""So long before its end a sign-in is spoken of, or a third of its life where that is shorter."""


def sign_in_expiry_of(login: SignInRenewal | None, server: OAuthServer | None, now: datetime) -> SignInExpiry | None:
    """Return when a sign-in ends, None where nothing says so."""
    if login is None:
        return None
    ends = [(login.ends, False, login.renewed)] if login.ends is not None else []
    if server is not None and server.idle is not None and not login.application_at:
        ends.append((login.renewed + timedelta(days=server.idle.days), True, login.renewed))
    if not ends:
        return None
    at, idle, since = min(ends)
    return SignInExpiry(at, idle, now >= at - min(WARN_DAYS, max(timedelta(days=2), (at - since) / 3)))


def ending_words(account: Account, catalog: Catalog, now: datetime) -> str:
    """Say that an account's sign-in in the browser ends soon, and what to do; empty where there is no hurry."""
    found = sign_in_expiry_of(account.login, catalog.oauth_server(account.connection), now)
    return found.words(now) if found is not None and found.soon else ""


def retirement_of(account: Account, catalog: Catalog, now: datetime) -> RetirementNotice | None:
    """Return what is known about the end of the account's way of signing in, None where nothing is."""
    provider = catalog.get(account.connection.provider)
    return notice_of(provider, account.connection.path, now.date()) if provider else None
