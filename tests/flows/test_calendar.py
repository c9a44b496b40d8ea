"""What will end, without a face."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from smtp_wizard.engine.accounts.saved_accounts import SavedAccounts
from smtp_wizard.engine.base.stages import Depth, Verdict
from smtp_wizard.engine.providers.catalog import load_catalog
from smtp_wizard.engine.state.results import LastResult, Result
from smtp_wizard.flows.areas.calendar import SHOW_ALL, SHOW_MINE, CalendarFlow, CalendarOffer, EndLine
from smtp_wizard.text.calendar import NOT_TESTED
from tests.commands.test_send import RELAY

NOW = datetime(2026, 11, 30, 12, tzinfo=UTC)


@pytest.fixture
def saved(tmp_path: Path) -> SavedAccounts:
    return SavedAccounts(tmp_path / "config")


@pytest.fixture
def flow(saved: SavedAccounts) -> Callable[[], CalendarFlow]:
    return lambda: CalendarFlow(saved_accounts=saved, catalog=load_catalog(), now=lambda: NOW)


async def test_before_anything_ends_it_says_what_would_have_to_be_done(flow: Callable[[], CalendarFlow]) -> None:
    shown = flow()
    assert (shown.state.read, shown.state.rows) == (False, ())
    await shown.act(CalendarOffer.MINE)
    assert (shown.state.read, shown.state.rows, shown.state.offers) == (True, (), (SHOW_ALL,))
    assert shown.state.sections[0].lines == (NOT_TESTED,)


async def test_a_row_says_the_day_whose_what_and_how_far_off(
    saved: SavedAccounts, flow: Callable[[], CalendarFlow]
) -> None:
    saved.put(RELAY)
    last = LastResult(NOW, Depth.LOGIN, Verdict.PASS)
    saved.state.results.record(saved.list()[0].id, Result(last, {}, NOW + timedelta(days=1)))
    shown = flow()
    await shown.act(CalendarOffer.MINE)
    assert shown.state.rows == (EndLine("1 Dec 2026", "Office", "certificate", "tomorrow"),)
    (section,) = shown.state.sections
    assert section.title == "Certificate"
    assert "127.0.0.1" in section.lines[0]


async def test_all_providers_are_one_key_away_and_so_is_the_way_back(flow: Callable[[], CalendarFlow]) -> None:
    shown = flow()
    await shown.act(CalendarOffer.CATALOGUE)
    assert "Microsoft 365" in {row.whose for row in shown.state.rows}
    assert shown.state.offers == (SHOW_MINE,)
    shown.choose(1)
    assert shown.state.at == 1
    shown.choose(999)
    assert shown.state.at == len(shown.state.rows) - 1
    await shown.act(CalendarOffer.MINE)
    assert (shown.state.rows, shown.state.at, shown.state.offers) == ((), 0, (SHOW_ALL,))


async def test_accounts_that_cannot_be_read_are_a_card(
    saved: SavedAccounts, flow: Callable[[], CalendarFlow], tmp_path: Path
) -> None:
    saved.put(RELAY)
    (tmp_path / "config" / "accounts.json").write_text("{", "utf-8")
    shown = flow()
    await shown.act(CalendarOffer.MINE)
    assert shown.state.card is not None
    assert "damaged" in shown.state.card.lines[0]
    assert (shown.state.rows, shown.state.sections) == ((), ())
