"""The sending limits on the screen: finding a provider, seeing who says so, writing a file, planning a mailing."""

from __future__ import annotations

import csv
import os
import select
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from textual.widgets import Input

from smtp_wizard.app import HOME, LIMITS, SETUP
from smtp_wizard.engine.services.desk import Desk
from smtp_wizard.screens.address import AddressScreen
from smtp_wizard.screens.dialogs import HelpScreen
from smtp_wizard.screens.home import HomeScreen
from smtp_wizard.screens.limits import ExportScreen, LimitDetailsScreen, LimitsScreen, LimitTable, PlanScreen
from tests.support.line import Line
from tests.support.walk import Walk, make_desk, walking, words_of

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return make_desk(tmp_path, now=lambda: NOON)


async def limits(walk: Walk) -> LimitsScreen:
    await walk.press("f10", "l")
    return await walk.at_screen(LimitsScreen)


async def planning(walk: Walk, name: str) -> PlanScreen:
    """Go from the limits to the plan for a provider, by keys alone."""
    await limits(walk)
    await walk.press("slash")
    await walk.write(name)
    await walk.press("enter")
    return await walk.at_screen(PlanScreen)


def result(screen: PlanScreen) -> str:
    return " ".join(words_of(screen.result).split())


def listed(walk: Walk) -> list[str]:
    """The names of the rows."""
    table = walk.the("#limits", LimitTable)
    return [str(table.get_row_at(at)[0])[2:22].strip() for at in range(table.row_count)]


async def test_the_menu_leads_there_and_escape_back_to_where_one_was(desk: Desk) -> None:
    """From the wizard, with something half typed, and from the accounts; nothing typed is lost."""
    async with walking(desk) as walk:
        await walk.at("address")
        await walk.write("ana@exam")
        await limits(walk)
        assert walk.app.current_mode == LIMITS
        await walk.press("escape")
        await walk.at_screen(AddressScreen)
        assert walk.app.current_mode == SETUP
        await walk.until_reads("ana@exam")
        await walk.press("f10", "a")
        await walk.at_screen(HomeScreen)
        await walk.press("l")
        await walk.at_screen(LimitsScreen)
        await walk.press("escape")
        await walk.at_screen(HomeScreen)
        assert walk.app.current_mode == HOME


async def test_today_and_the_old_article_stand_below_each_other(desk: Desk) -> None:
    """Gmail has 500 a day and 25 MB today, and 100 to 500 a day and 10 MB in the article; a mark shows the choice."""
    async with walking(desk, start=HOME) as walk:
        await limits(walk)
        await walk.until_reads("> Gmail 500 100-500 25 MB 2026-11-23")
        await walk.until_reads("* Gmail 100-500 10 MB undated")
        await walk.until_reads("Microsoft 365 (work 30/min 100-10,000 r 500 150 MB")
        await walk.press("down", "down")
        assert "> Google Workspace" in walk.shown
        assert walk.shown.count("> ") == 1


async def test_the_list_follows_what_one_types(desk: Desk) -> None:
    """Slash goes to the filter; every letter narrows the list, the arrows move in it, Escape leads to the list."""
    async with walking(desk, start=HOME) as walk:
        await limits(walk)
        everything = len(listed(walk))
        await walk.press("slash", "g", "m")
        assert 0 < len(listed(walk)) < everything
        assert listed(walk)[:2] == ["Gmail", "* Gmail"]
        await walk.until_reads("5 providers, best known first")
        await walk.press("down", "down", "down", "up")
        assert "> Google Workspace" in walk.shown
        await walk.press("escape", "s")
        assert walk.the("#limit-filter", Input).value == "gm"
        await walk.until_reads("5 providers, by name")
        await walk.press("slash")
        await walk.write(" and nothing else")
        await walk.until_reads("Nothing like it is listed.")
        assert listed(walk) == []
        await walk.press("enter", "escape", "enter", "f4", "x")
        assert isinstance(walk.app.screen, LimitsScreen)


async def test_s_takes_the_next_order(desk: Desk) -> None:
    """By name, by what goes out in a day, by size, by date, and as at first."""
    async with walking(desk, start=HOME) as walk:
        await limits(walk)
        first = listed(walk)
        orders = []
        for words in ("by name", "most a day first", "largest message first", "newest first"):
            await walk.press("s")
            await walk.until_reads(words)
            orders.append(listed(walk))
        assert sorted(map(len, orders)) == [len(first)] * 4
        names = [name.casefold() for name in orders[0] if not name.startswith("*")]
        assert names == sorted(names)
        await walk.press("s")
        assert listed(walk) == first


async def test_f4_shows_who_says_so(desk: Desk) -> None:
    """Every figure with its source, its day and its address in full, and what the article documents."""
    async with walking(desk, start=HOME, size=(100, 60)) as walk:
        await limits(walk)
        await walk.press("f4")
        await walk.at_screen(LimitDetailsScreen)
        await walk.until_reads("500 messages per day (web page and programs together)")
        await walk.until_reads("2024-04")
        await walk.until_reads("https://support.google.com/mail/answer/22839")
        await walk.until_reads("100 messages per day (desktop email client)")
        await walk.until_reads("the old help article, undated")
        await walk.press("f4")
        await walk.at_screen(LimitsScreen)


async def test_a_provider_that_lets_no_password_in_is_marked_and_never_proposed(desk: Desk) -> None:
    """In its figures and in a plan with it; a plan that does not fit elsewhere leads to others."""
    async with walking(desk, start=HOME, size=(120, 60)) as walk:
        screen = await planning(walk, "outlook.com")
        await walk.write("100000")
        await walk.press("enter")
        await walk.until_reads("lets no program in with a password")
        await walk.press("f4")
        await walk.at_screen(LimitDetailsScreen)
        await walk.until_reads("! Outlook.com, Hotmail, Live, MSN lets no program in with a password")
        await walk.press("escape", "escape")
        await walk.press("slash")
        await walk.fill("#limit-filter", "gmail")
        await walk.press("enter")
        screen = await walk.at_screen(PlanScreen)
        await walk.press("enter")
        await walk.until(lambda: "What you can do" in result(screen), "the ways on")
        said = result(screen)
        assert "Move to a provider with a higher limit. It would fit at:" in said
        assert not [name for name in ("Outlook.com", "Yahoo", "AOL", "Microsoft 365") if name in said]


async def test_x_writes_what_is_listed_to_a_file(desk: Desk, tmp_path: Path) -> None:
    """The file is named on the screen, can be changed, and is never written over."""
    file = tmp_path / "here.csv"
    async with walking(desk, start=HOME, size=(120, 40)) as walk:
        await limits(walk)
        await walk.press("slash")
        await walk.write("cox")
        await walk.press("escape", "x")
        await walk.at_screen(ExportScreen)
        assert "smtp-limits-2026-11-23.csv" in walk.the("#export-file", Input).value
        await walk.fill("#export-file", str(tmp_path / "nowhere" / "x.csv"))
        await walk.press("enter")
        await walk.until_reads("It cannot be written there")
        await walk.fill("#export-file", str(file))
        await walk.press("enter")
        await walk.at_screen(LimitsScreen)
        await walk.until_reads("Written: ")
        rows = list(csv.DictReader(file.read_text("utf-8").splitlines()))
        assert {row["provider"] for row in rows} == {"cox"}
        assert {row["documented"] for row in rows} == {"yes", "no"}
        before = file.read_bytes()
        await walk.press("x")
        await walk.at_screen(ExportScreen)
        await walk.fill("#export-file", str(file))
        await walk.press("enter")
        await walk.until_reads("There is a file of that name already")
        await walk.press("escape")
        await walk.at_screen(LimitsScreen)
    assert file.read_bytes() == before


async def test_enter_plans_a_mailing(desk: Desk) -> None:
    """1,200 people, 40 sent, 10 % kept free: 410, 450, 340, as numbers and bars, and the limit that binds."""
    async with walking(desk, start=HOME) as walk:
        screen = await planning(walk, "gmail")
        await walk.until_reads("Plan a mailing: Gmail")
        await walk.write("1,200")
        await walk.fill("#plan-sent", "40")
        await walk.press("enter")
        await walk.until_reads("1,200 messages: 3 days, from Mon 2026-11-23 to Wed 2026-11-25.")
        await walk.until_reads(
            f"Mon 2026-11-23 410 {'#' * 28} Tue 2026-11-24 450 {'#' * 30} Wed 2026-11-25 340 {'#' * 23} The"
        )
        assert "The limit that binds: Gmail, 500 messages per day" in result(screen)
        assert "550 5.4.5 'Daily user sending limit exceeded'" in result(screen)
        assert not walk.reads("What you can do")


async def turn(walk: Walk, key: str, words: str) -> None:
    """Turn the pages until these words stand there."""
    for _ in range(40):
        if walk.reads(words):
            return
        await walk.press(key)
        await walk.pilot.pause()
    raise AssertionError(f"{words!r} is on no page")


async def test_what_does_not_fit_says_what_to_do(desk: Desk) -> None:
    """The result can be read to its end with the page keys, wherever the cursor stands."""
    async with walking(desk, start=HOME) as walk:
        screen = await planning(walk, "proton")
        await walk.write("50000")
        await walk.press("enter")
        await walk.until_reads("! 50,000 messages: 371 days")
        assert "What you can do 1. Ask your provider" in result(screen)
        await turn(walk, "pagedown", "Invoices wait too.")
        await turn(walk, "pageup", "What you can do")


async def test_without_a_published_limit_nothing_is_guessed(desk: Desk) -> None:
    """No number of days: ask them, and the providers with which it would fit."""
    async with walking(desk, start=HOME) as walk:
        screen = await planning(walk, "cox")
        await walk.write("100")
        await walk.press("enter")
        await walk.until_reads("! 100 messages: it cannot be planned.")
        await walk.until_reads("the limit is not published, and we do not guess")
        assert "It would fit at: Gmail, 1 day" in result(screen)


async def test_what_cannot_be_used_is_said_beside_its_field(desk: Desk) -> None:
    """The cursor goes to the first field that is wrong; nothing is planned."""
    async with walking(desk, start=HOME) as walk:
        screen = await planning(walk, "fastmail")
        await walk.press("enter")
        await walk.until_reads("Recipients: a number from 1 to 100,000,000.")
        await walk.write("10000")
        await walk.fill("#plan-for", "gold")
        await walk.fill("#plan-size", "big")
        await walk.press("enter")
        await walk.until_reads("Words out of one of these: Standard plan; Professional plan")
        await walk.until_reads("number of megabytes")
        assert walk.app.focused is screen.fields["plan-size"].entry
        assert not screen.pane.max_scroll_y
        await walk.fill("#plan-size", "")
        await walk.fill("#plan-for", "standard")
        await walk.press("enter")
        await walk.until(lambda: screen.made is not None, "a plan")
        assert screen.made is not None
        assert screen.made.per_day == (7200, 2800)


async def test_several_mailboxes_share_a_mailing(desk: Desk) -> None:
    """Two mailboxes are twice as fast; only the first has sent anything that day."""
    async with walking(desk, start=HOME) as walk:
        screen = await planning(walk, "gmail")
        await walk.write("1000")
        await walk.press("down", "down", "down")
        assert walk.app.focused is screen.fields["plan-sent"].entry
        await walk.fill("#plan-sent", "100")
        await walk.fill("#plan-mailboxes", "2")
        await walk.fill("#plan-reserve", "")
        await walk.press("enter")
        await walk.until(lambda: screen.made is not None, "a plan")
        assert screen.made is not None
        assert screen.made.per_day == (900, 100)


async def test_what_was_typed_is_there_for_the_next_provider(desk: Desk) -> None:
    """Escape leads back to the list; another provider is asked the same."""
    async with walking(desk, start=HOME) as walk:
        await planning(walk, "gmail")
        await walk.write("777")
        await walk.fill("#plan-start", "2026-12-01")
        await walk.press("escape")
        await walk.at_screen(LimitsScreen)
        await walk.press("down", "down", "enter")
        screen = await walk.at_screen(PlanScreen)
        assert screen.fields["plan-recipients"].value == "777"
        await walk.press("enter")
        await walk.until(lambda: screen.made is not None, "a plan")
        assert screen.made is not None
        assert screen.made.mailing.start.isoformat() == "2026-12-01"


async def test_help_and_sources_from_both_screens(desk: Desk) -> None:
    """F1 says what the screen is for; F4 on the plan shows the provider's figures."""
    async with walking(desk, start=HOME) as walk:
        await limits(walk)
        await walk.press("f1")
        await walk.at_screen(HelpScreen)
        await walk.until_reads("how much each provider lets one account send")
        await walk.press("escape", "enter")
        await walk.at_screen(PlanScreen)
        await walk.press("f1")
        await walk.at_screen(HelpScreen)
        await walk.until_reads("Files grow by a third")
        await walk.press("escape", "f4")
        await walk.at_screen(LimitDetailsScreen)


@pytest.mark.parametrize("size", [(60, 20), (80, 24), (120, 40), (200, 60)])
async def test_it_fits_windows_of_every_size(desk: Desk, size: tuple[int, int]) -> None:
    """The first row, the columns and the keys are there; nothing is drawn beside the window."""
    async with walking(desk, start=HOME, size=size) as walk:
        await limits(walk)
        await walk.until_reads("> Gmail")
        await walk.until_reads("enter Plan")
        assert max(map(len, walk.shown.splitlines())) <= size[0]
        await walk.press("enter")
        await walk.at_screen(PlanScreen)
        await walk.write("1200")
        await walk.press("enter")
        await walk.until_reads("3 days, from Mon 2026-11-23")


# --- what goes over the line ---


@pytest.fixture
def line(tmp_path: Path) -> Iterator[Line]:
    opened = Line([sys.executable, "-m", "smtp_wizard"], {"SMTP_WIZARD_CONFIG": str(tmp_path)})
    try:
        yield opened
    finally:
        opened.close()


def test_the_line_stays_light(line: Line) -> None:
    """Idle sends nothing; a row down is a kilobyte at most, a letter in the filter six, a screen thirty."""
    line.take(quiet=1.2, until="Which address")
    assert line.press("\x1b[19~", until="Workspace") <= 30 * 1024
    assert idle(line) == 0
    assert line.press("\x1b[B") <= 1024
    line.press("/")
    assert line.press("g") <= 6 * 1024
    assert line.press("m") <= 6 * 1024
    assert idle(line) == 0
    assert line.press("\r", until="Recipients") <= 30 * 1024
    assert line.press("9") <= 1024
    line.press("\r", until="binds")
    assert idle(line) == 0


def idle(line: Line) -> int:
    """Return the bytes of a second and a half in which nobody does anything."""
    began, count = time.monotonic(), 0
    while time.monotonic() - began < 1.5:
        if select.select([line.end], [], [], 0.1)[0]:
            count += len(os.read(line.end, 65536))
    return count
