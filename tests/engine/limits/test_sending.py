"""Which providers a mailing is sent to: those alone into which an application with a password gets."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest

from smtp_wizard.engine.limits.catalogue_limits import PasswordAccess, access_to, advice, rows_of, sender_of
from smtp_wizard.engine.limits.mailing_plan import Mailing, plan
from smtp_wizard.engine.providers.catalog import load_catalog
from smtp_wizard.engine.providers.provider import (
    AccessPath,
    PathAuth,
    PathStatus,
    Provider,
    ProviderKind,
    ProviderStatus,
)

CATALOG = load_catalog()
TYPED = [each for each in CATALOG.providers if each.kind not in (ProviderKind.CUSTOM, ProviderKind.SANDBOX)]


def provider(id: str) -> Provider:
    found = CATALOG.get(id)
    assert found is not None
    return found


PASSWORD = next(path for path in provider("fastmail").paths if path.auth is PathAuth.APP_PASSWORD)
BROWSER = replace(PASSWORD, id="oauth", auth=PathAuth.OAUTH2)
DISPUTED = replace(PASSWORD, disputed="One says so, another says no.")
ENDING = replace(PASSWORD, retired_on="2026-12-31")
ENDED = replace(PASSWORD, status=PathStatus.RETIRED)
NEVER = replace(PASSWORD, status=PathStatus.NEVER)


@pytest.mark.parametrize(
    ("paths", "access"),
    [
        ([PASSWORD], PasswordAccess.OPEN),
        ([ENDED, DISPUTED, PASSWORD], PasswordAccess.OPEN),
        ([DISPUTED], PasswordAccess.DISPUTED),
        ([DISPUTED, BROWSER], PasswordAccess.DISPUTED),
        ([DISPUTED, ENDING], PasswordAccess.DISPUTED),
        ([ENDING], PasswordAccess.CLOSING),
        ([ENDING, BROWSER, ENDED], PasswordAccess.CLOSING),
        ([BROWSER], PasswordAccess.CLOSED),
        ([ENDED, BROWSER], PasswordAccess.CLOSED),
        ([NEVER], PasswordAccess.CLOSED),
        ([], PasswordAccess.CLOSED),
    ],
)
def test_the_ways_in_say_whether_somebody_can_begin(paths: list[AccessPath], access: PasswordAccess) -> None:
    assert access_to(replace(provider("fastmail"), paths=tuple(paths))) is access


@pytest.mark.parametrize(
    ("status", "access"),
    [
        (ProviderStatus.ACTIVE, PasswordAccess.OPEN),
        (ProviderStatus.UNKNOWN, PasswordAccess.UNCONFIRMED),
        (ProviderStatus.MIGRATING, PasswordAccess.MOVED),
        (ProviderStatus.MIGRATED, PasswordAccess.MOVED),
        (ProviderStatus.RETIRING, PasswordAccess.CLOSING),
        (ProviderStatus.RETIRED, PasswordAccess.CLOSED),
        (ProviderStatus.NO_SMTP, PasswordAccess.CLOSED),
    ],
)
def test_so_does_how_the_provider_stands_and_the_worst_is_named(status: ProviderStatus, access: PasswordAccess) -> None:
    standing = replace(provider("fastmail"), status=status, paths=(PASSWORD,))
    assert access_to(standing) is access
    assert access_to(replace(standing, paths=(BROWSER,))) is PasswordAccess.CLOSED
    worse = max(access, PasswordAccess.DISPUTED, key=list(PasswordAccess).index)
    assert access_to(replace(standing, paths=(DISPUTED,))) is worse


def test_what_the_catalogue_calls_unusable_or_disputed_is_known_as_such() -> None:
    assert access_to(provider("outlook-com")) is PasswordAccess.CLOSED
    assert access_to(provider("yahoo")) is PasswordAccess.DISPUTED
    assert access_to(provider("microsoft365")) is PasswordAccess.CLOSING
    assert access_to(provider("gmail")) is PasswordAccess.OPEN


@pytest.mark.parametrize("size", [0, 5_000_000])
@pytest.mark.parametrize("recipients", [100, 2_000, 14_000, 50_000, 250_000])
def test_no_mailing_is_sent_to_a_provider_that_lets_no_password_in(recipients: int, size: int) -> None:
    """Whoever it begins with, and whoever is on top of the catalogue."""
    unusable = {each.id for each in TYPED if access_to(each) is not PasswordAccess.OPEN}
    mailing = Mailing(recipients=recipients, size=size, start=date(2026, 11, 23))
    offered: set[str] = set()
    for each in TYPED:
        ways = advice(plan(mailing, [sender_of(each)]), CATALOG)
        offered |= {fit.provider.id for way in ways for fit in way.fits}
    assert offered & unusable == set()
    assert offered


def test_whoever_is_left_out_would_otherwise_be_proposed() -> None:
    """Their figures alone do not keep them out: each of them has some that fit a small mailing."""
    left_out = [
        each for each in TYPED if access_to(each) in (PasswordAccess.CLOSED, PasswordAccess.DISPUTED) and rows_of(each)
    ]
    mailing = Mailing(recipients=100, start=date(2026, 11, 23))
    fitting = [each.id for each in left_out if plan(mailing, [sender_of(each)]).fits]
    assert {"outlook-com", "yahoo"} <= set(fitting)
