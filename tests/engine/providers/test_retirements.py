"""The calendar: what is told about a way in that closes, and from which day on it lies behind us."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smtp_wizard.engine.providers.catalog import load_catalog
from smtp_wizard.engine.providers.provider import ProviderStatus
from smtp_wizard.engine.providers.retirements import has_come, is_stale, last_day, look_again, notice_of, retiring

CATALOG = load_catalog()


@pytest.mark.parametrize(
    ("text", "day"),
    [
        ("2026-12-31", date(2026, 12, 31)),
        ("2024-02", date(2024, 2, 29)),
        ("2025", date(2025, 12, 31)),
        ("undated", None),
    ],
)
def test_a_date_means_its_last_day(text: str, day: date | None) -> None:
    assert last_day(text) == day


@pytest.mark.parametrize(
    ("text", "today", "come"),
    [
        ("2026-12-31", date(2026, 12, 30), False),
        ("2026-12-31", date(2026, 12, 31), True),
        ("2025", date(2025, 12, 30), False),
        ("2025", date(2026, 1, 1), True),
        ("undated", date(2999, 1, 1), False),
    ],
)
def test_a_day_has_come_when_it_is_there(text: str, today: date, come: bool) -> None:
    assert has_come(text, today) is come


@given(st.dates(min_value=date(2000, 1, 1), max_value=date(2100, 1, 1)))
def test_a_check_is_good_for_a_year(checked: date) -> None:
    assert not is_stale(checked.isoformat(), checked)
    assert not is_stale(checked.isoformat(), checked + timedelta(days=365))
    assert is_stale(checked.isoformat(), checked + timedelta(days=366))


def test_what_nobody_dated_is_stale() -> None:
    assert is_stale("undated", date(2026, 1, 1))


def test_a_password_at_microsoft_365_is_told_with_day_source_and_what_to_do() -> None:
    provider = CATALOG.get("microsoft365")
    assert provider is not None
    notice = notice_of(provider, "password", date(2026, 11, 24))
    assert notice is not None
    assert (notice.date, notice.past) == ("2026-12-31", False)
    assert notice.words.startswith("2026-12-31: Sending with a password")
    assert "administrators can switch it on again" in notice.words
    assert "Instead: A sign-in in the browser, or a relay." in notice.words
    assert notice.words.endswith("Deprecation Timeline, 2026-01-27)")
    later = notice_of(provider, "password", date(2027, 1, 1))
    assert later is not None
    assert later.past
    assert notice_of(provider, "oauth", date(2026, 11, 24)) is None
    assert notice_of(provider, None, date(2026, 11, 24)) is None


def test_what_is_disputed_is_told_as_disputed() -> None:
    for provider_id in ("yahoo", "aol", "verizon", "att", "bellsouth", "cox", "sky"):
        provider = CATALOG.get(provider_id)
        assert provider is not None
        notice = notice_of(provider, "app-password", date(2026, 11, 24))
        assert notice is not None
        assert notice.state.startswith("disputed")


def test_what_has_no_day_says_so() -> None:
    provider = CATALOG.get("godaddy")
    assert provider is not None
    notice = notice_of(provider, "password", date(2026, 11, 24))
    assert notice is not None
    assert notice.words.startswith("No day is named: Workspace Email: being closed")
    assert not notice.past


def test_the_calendar_lists_what_ends_soon_and_nothing_that_has_ended() -> None:
    soon = list(retiring(CATALOG.providers, date(2026, 11, 24)))
    assert [(provider.id, what.date) for provider, what in soon] == [
        ("microsoft365", "2026-12-31"),
        ("godaddy-microsoft365", "2026-12-31"),
    ]
    later = [provider.id for provider, _ in retiring(CATALOG.providers, date(2026, 12, 31))]
    assert not {provider.id for provider, _ in soon}.intersection(later)
    assert list(retiring(CATALOG.providers, date(2026, 11, 24), timedelta(days=7))) == []


# --- what would change an entry ---


def test_every_entry_says_what_would_change_it() -> None:
    for provider in CATALOG.providers:
        found = look_again(provider)
        assert found, provider.id
        assert all(each.words.startswith("Look again ") and each.words.endswith(".") for each in found), provider.id
        days = [each.on for each in found if each.on is not None]
        assert days == sorted(days), "what comes first stands first"


def test_a_way_that_ends_is_to_be_looked_at_on_that_day() -> None:
    microsoft = CATALOG.get("microsoft365")
    assert microsoft is not None
    first = look_again(microsoft)[0]
    assert first.on == "2026-12-31"
    assert first.words.startswith("Look again on 2026-12-31: Sending with a password")


def test_an_entry_that_nobody_has_compared_names_no_day() -> None:
    """As in a person's own file."""
    microsoft = CATALOG.get("microsoft365")
    assert microsoft is not None
    own = replace(microsoft, checked="undated", retirements=())
    assert [each.words for each in look_again(own) if "compared" in each.why] == [
        "Look again when it is known: whether it is still right; no day says when it was compared with its source."
    ]


def test_what_had_ended_when_it_was_checked_changes_nothing_more() -> None:
    microsoft = CATALOG.get("microsoft365")
    assert microsoft is not None
    later = replace(microsoft, checked="2027-01-05")
    assert "2026-12-31" not in {each.on for each in look_again(later)}
    assert look_again(later)[0].on == "2028-01-05", "a year after it was checked"


def test_what_is_not_known_has_no_day() -> None:
    provider = replace(CATALOG.providers[0], checked="undated", retirements=())
    assert look_again(provider)[0].on is None
    disputed = [each for each in CATALOG.providers if any(path.disputed for path in each.paths)]
    assert all(any("which of the sources is right" in each.why for each in look_again(one)) for one in disputed)
    guessed = [each for each in CATALOG.providers if any(server.guess for server in each.endpoints)]
    assert guessed
    assert all(any("which is a guess" in each.why for each in look_again(one)) for one in guessed)


def test_a_way_in_that_is_open_after_its_day_says_more_of_it() -> None:
    """At Rogers for those who have an app password already, at Sky since sources disagree."""
    open_still = {
        (provider.id, path.id): path.instead or path.note or path.disputed
        for provider in CATALOG.providers
        for gone in provider.retirements
        for path in provider.paths
        if path.id in gone.paths and not path.closed and has_come(gone.date, date(2026, 11, 30))
    }
    assert open_still.keys() >= {("rogers", "app-password"), ("sky", "app-password")}
    moving = {each.id for each in CATALOG.providers if each.status is not ProviderStatus.ACTIVE}
    assert [(name, path) for (name, path), said in open_still.items() if not said and name not in moving] == []
