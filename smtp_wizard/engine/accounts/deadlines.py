"""Deadlines: certificates, sign-ins in the browser, ways in that a provider closes, limits that change.

For saved accounts what was seen at their last test and stands in the catalogue; for the catalogue all that providers
have announced.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import date, datetime, timedelta
from enum import StrEnum

from smtp_wizard.engine.accounts.account import Account
from smtp_wizard.engine.accounts.saved_accounts import SavedAccounts
from smtp_wizard.engine.accounts.sign_in_expiry import sign_in_expiry_of
from smtp_wizard.engine.base.endpoint import Security
from smtp_wizard.engine.base.shown import shown
from smtp_wizard.engine.lazy_dataclass import dataclass
from smtp_wizard.engine.providers.catalog import Catalog
from smtp_wizard.engine.providers.provider import Provider, Retirement
from smtp_wizard.engine.providers.retirements import last_day
from smtp_wizard.engine.state.results import SeenCertificate

FAR = timedelta(days=365 * 100)
"""Up to when an end is of interest; what a server says may be the end of time."""
SIGN_IN_ENDS = "The sign-in in the browser ends, used or not. Sign in again before that day."
SIGN_IN_LAPSES = "The sign-in in the browser ends unless it is used before. A test of the account renews it."


class DeadlineKind(StrEnum):
    """What ends."""

    CERTIFICATE = "certificate"
    SIGN_IN = "sign-in"
    RETIREMENT = "retirement"
    """A way in that a provider closes, or all of its mail."""
    LIMIT = "limit"
    """How much may be sent changes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Deadline:
    """One thing that ends on a day."""

    on: date
    kind: DeadlineKind
    account: str | None
    """The name of the saved account that is concerned; None for what is of the catalogue alone."""
    provider: str | None
    """The provider's id."""
    what: str
    """One sentence: what ends, how that stands, what to do instead."""
    source: str
    """Who says so, and when."""
    account_id: str = ""
    """The account's id, which stays when it is renamed."""


def deadlines_of_accounts(saved_accounts: SavedAccounts, catalog: Catalog, now: datetime) -> tuple[Deadline, ...]:
    """Return what ends for saved accounts, the nearest first, what has ended too. Raises `AccountFileError`."""
    accounts = saved_accounts.list()
    certificates = saved_accounts.state.results.certificates([account.id for account in accounts], now + FAR)
    found = (end for account in accounts for end in _of_account(account, certificates.get(account.id), catalog, now))
    return by_day(found)


def deadlines_of_catalogue(catalog: Catalog, today: date) -> tuple[Deadline, ...]:
    """Return all that providers have announced for a day from today on, the nearest first."""
    every = (_retirement(provider, each, None) for provider in catalog.providers for each in provider.retirements)
    return by_day(end for end in every if end is not None and end.on >= today)


def by_day(ends: Iterable[Deadline]) -> tuple[Deadline, ...]:
    """Return what ends, the nearest first."""
    return tuple(sorted(ends, key=lambda end: (end.on, end.kind, end.account or "", end.provider or "", end.what)))


def _of_account(
    account: Account, certificate: SeenCertificate | None, catalog: Catalog, now: datetime
) -> Iterator[Deadline]:
    provider, host = account.connection.provider, shown(account.connection.endpoint.host)
    if certificate is not None and account.connection.endpoint.security is not Security.NONE:
        yield Deadline(
            on=certificate.ends.date(),
            kind=DeadlineKind.CERTIFICATE,
            account=account.name,
            account_id=account.id,
            provider=provider,
            what=f"The certificate of {host} ends. Whoever runs the server renews it, most by themselves.",
            source=f"the server itself, {certificate.seen:%Y-%m-%d}",
        )
    ending = sign_in_expiry_of(account.login, catalog.oauth_server(account.connection), now)
    if ending is not None and account.login is not None and ending.at < now + FAR:
        yield Deadline(
            on=ending.at.date(),
            kind=DeadlineKind.SIGN_IN,
            account=account.name,
            account_id=account.id,
            provider=provider,
            what=SIGN_IN_LAPSES if ending.idle else SIGN_IN_ENDS,
            source=f"the sign-in, renewed {account.login.renewed:%Y-%m-%d}",
        )
    known = catalog.get(provider)
    for each in known.retirements if known is not None else ():
        concerned = not each.paths or account.connection.path in each.paths
        end = _retirement(known, each, account) if concerned and known is not None else None
        # What closed before the account was saved does not concern it.
        if end is not None and end.on >= account.created.date():
            yield end


def _retirement(provider: Provider, retirement: Retirement, account: Account | None) -> Deadline | None:
    """Return what a provider closes, None where no day is named."""
    day = last_day(retirement.date)
    if day is None:
        return None
    source = provider.source(retirement.source)
    return Deadline(
        on=day,
        kind=DeadlineKind.LIMIT if retirement.of_limits else DeadlineKind.RETIREMENT,
        account=account.name if account is not None else None,
        account_id=account.id if account is not None else "",
        provider=provider.id,
        what=f"{retirement.what}: {retirement.state}. Instead: {retirement.replacement}.",
        source=f"{source.title if source else retirement.source}, {retirement.as_of}",
    )
