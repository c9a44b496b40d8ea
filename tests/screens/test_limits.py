"""The limits on the screen: finding a provider, seeing who says so, writing a file, planning a mailing."""

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

from smtp_wizard.app import HOME, LIMITS, SETUP
from smtp_wizard.engine.services.services import Services
from smtp_wizard.screens.accounts.home import HomeScreen
from smtp_wizard.screens.areas.limits import LimitsScreen, ListPanel, MailingScreen
from smtp_wizard.screens.details import SectionsPanel
from smtp_wizard.screens.panel import GuidePanel, HelpPanel
from smtp_wizard.screens.question import FlowPanel
from smtp_wizard.widgets.frame import TextFrame
from smtp_wizard.widgets.rows import RowList
from tests.support.line import Line
from tests.support.walk import Walk, make_services, walking

MONDAY = datetime(2026, 11, 30, 12, tzinfo=UTC)


@pytest.fixture
def services(tmp_path: Path) -> Services:
    return make_services(tmp_path, now=lambda: MONDAY)


async def limits(walk: Walk) -> LimitsScreen:
    await walk.press("ctrl+p", "l")
    return await walk.at_screen(LimitsScreen)


async def planning(walk: Walk, name: str, people: str = "") -> MailingScreen:
    """Go from the limits to the plan for a provider, by keys alone."""
    await limits(walk)
    await walk.write(name)
    await walk.press("enter")
    screen = await walk.at_screen(MailingScreen)
    if people:
        await walk.write(people)
        await walk.press("enter")
    return screen


def listed(walk: Walk) -> list[str]:
    """The names of the rows."""
    return [row.cells[0] for row in walk.the("#limits", RowList).list]


async def test_the_menu_leads_there_and_escape_back_to_where_one_was(services: Services) -> None:
    """From the wizard, with something half typed, and from the accounts; nothing typed is lost."""
    async with walking(services) as walk:
        await walk.at("address")
        await walk.write("ana@exam")
        await limits(walk)
        assert walk.app.current_mode == LIMITS
        await walk.press("escape")
        await walk.at("address")
        assert walk.app.current_mode == SETUP
        await walk.until_reads("ana@exam")
        await walk.press("ctrl+p", "a")
        await walk.at_screen(HomeScreen)
        await walk.press("ctrl+p", "l")
        await walk.at_screen(LimitsScreen)
        await walk.press("escape")
        await walk.at_screen(HomeScreen)
        assert walk.app.current_mode == HOME


@pytest.mark.parametrize("size", [(80, 24), (120, 40)])
async def test_the_list_has_todays_figures_and_the_detail_the_articles(
    services: Services, size: tuple[int, int]
) -> None:
    """One row a provider, figures flush right; beside it or below it the article's, and who says so."""
    async with walking(services, start=HOME, size=size) as walk:
        await limits(walk)
        await walk.until_reads("Gmail 500 - 25 MB")
        await walk.until_reads("The old article: 100-500 a day, 10")
        await walk.until_reads("Microsoft 365 10,000 1,800 ?")
        rows = {line[4:40].strip(): line for line in walk.shown.splitlines()}
        ends = {rows[name].index("MB") for name in ("Gmail", "Yahoo Mail")}
        assert len(ends) == 1, "figures are flush right"
        await walk.press("down", "down")
        await walk.until(lambda: "▌ Yahoo Mail" in walk.shown, "the mark")
        await walk.until_reads("disputed")
        assert walk.shown.count("▌") == 1


async def test_typing_finds_and_the_arrows_choose(services: Services) -> None:
    """Every letter narrows the list while the arrows move in it; nothing like it is said in the field."""
    async with walking(services, start=HOME) as walk:
        await limits(walk)
        everything = len(listed(walk))
        await walk.press("g", "m")
        assert 0 < len(listed(walk)) < everything
        assert listed(walk)[0] == "Gmail"
        await walk.until_reads("5 providers")
        await walk.press("down", "down", "up")
        await walk.until(lambda: "▌ Google Workspace" in walk.shown, "the mark")
        await walk.write(" and nothing else")
        await walk.until_reads("No provider like that is listed.")
        assert listed(walk) == []
        await walk.press("enter", "down", "pagedown")
        assert isinstance(walk.app.screen, LimitsScreen)


async def test_a_kind_can_be_typed(services: Services) -> None:
    """The article's headings."""
    async with walking(services, start=HOME) as walk:
        await limits(walk)
        await walk.write("web host")
        assert "Bluehost" in listed(walk)
        assert "Comcast / Xfinity" not in listed(walk)


async def test_the_page_keys_turn_the_list(services: Services) -> None:
    """The cursor stays in the field."""
    async with walking(services, start=HOME) as walk:
        await limits(walk)
        await walk.press("pagedown")
        assert walk.the("#limits", RowList).at > 5
        await walk.press("pageup")
        assert walk.the("#limits", RowList).at == 0


async def test_f4_shows_who_says_so(services: Services) -> None:
    """Every figure with its source, its day and its address in full, and what the article documents."""
    async with walking(services, start=HOME, size=(100, 60)) as walk:
        await limits(walk)
        await walk.press("f4")
        await walk.at_screen(SectionsPanel)
        await walk.until_reads("500 messages per day (web page and programs together)")
        await walk.until_reads("https://support.google.com/mail/answer/22839")
        await walk.until_reads("100 messages per day (desktop email client)")
        await walk.until_reads("the old help article, undated")
        await walk.press("f4")
        await walk.at_screen(LimitsScreen)


async def test_f9_lists_in_another_order_or_writes_a_file(services: Services, tmp_path: Path) -> None:
    """The file is named on the screen, can be changed, and is never written over."""
    file = tmp_path / "here.csv"
    async with walking(services, start=HOME, size=(120, 40)) as walk:
        await limits(walk)
        await walk.write("gm")
        await walk.press("f9")
        await walk.at_screen(ListPanel)
        await walk.press("enter")
        await walk.until_reads("by name")
        await walk.press("down", "enter")
        await walk.at_screen(FlowPanel)
        assert "smtp-limits-2026-11-30.csv" in walk.the("#field-0", TextFrame).text
        await walk.fill("#field-0 Input", str(tmp_path / "nowhere" / "x.csv"))
        await walk.press("enter")
        await walk.until_reads("It cannot be written there")
        await walk.fill("#field-0 Input", str(file))
        await walk.press("enter")
        await walk.at_screen(LimitsScreen)
        await walk.until_reads("The list is saved as here.csv.")
        await walk.until_reads("5 providers, by name")
    rows = list(csv.DictReader(file.read_text("utf-8").splitlines()))
    assert {row["provider"] for row in rows} >= {"gmail", "gmx"}
    assert {row["documented"] for row in rows} == {"yes", "no"}


async def test_enter_plans_a_mailing(services: Services) -> None:
    """1,200 people, 40 sent, 10 % kept free: 410, 450, 340, as named bars, and the same mailing elsewhere."""
    async with walking(services, start=HOME) as walk:
        await planning(walk, "gmail")
        await walk.write("1,200")
        await walk.press("tab")
        await walk.fill("#sent Input", "40")
        await walk.press("enter")
        await walk.until_reads("3 days with Gmail")
        await walk.until_reads(f"Mon 30 Nov │ {'▆' * 27} 410".replace("│ ", ""))
        await walk.until_reads(f"Tue 1 Dec {'▆' * 30} 450")
        await walk.until_reads("The same mailing elsewhere")
        await walk.press("f4")
        await walk.at_screen(SectionsPanel)
        await walk.until_reads("The limit that binds: Gmail, 500 messages per day")


async def test_equal_days_are_one_line(services: Services) -> None:
    """Eleven days in two lines."""
    async with walking(services, start=HOME) as walk:
        await planning(walk, "gmail", "4600")
        await walk.until_reads("10 days of")
        await walk.until_reads("Thu 10 Dec")


async def test_what_does_not_fit_says_what_to_do(services: Services) -> None:
    """Without a published limit nothing is guessed; the ways on stand below."""
    async with walking(services, start=HOME, size=(80, 40)) as walk:
        await planning(walk, "cox", "100")
        await walk.until_reads("It cannot be planned with Cox")
        await walk.until_reads("we do not guess")
        await walk.until_reads("It would fit at: Gmail, 1 day")


async def test_what_cannot_be_used_is_said_in_its_field(services: Services) -> None:
    """The cursor goes there; what is typed replaces it. F9 shows the other fields."""
    async with walking(services, start=HOME) as walk:
        screen = await planning(walk, "fastmail")
        await walk.press("enter")
        await walk.until_reads("please correct")
        await walk.until_reads("Recipients: a number from 1 to 100,000,000.")
        await walk.write("10000")
        await walk.press("f9")
        await walk.until_reads("Such mailboxes")
        await walk.fill("#kind Input", "gold")
        await walk.press("enter")
        await walk.until_reads("Words out of one of these: Professional plan")
        await walk.write("professional")
        await walk.press("enter")
        await walk.until(lambda: screen.flow.made is not None, "a plan")
        assert screen.flow.made is not None
        assert screen.flow.made.per_day == (10000,)


async def test_what_was_typed_is_there_for_the_next_provider(services: Services) -> None:
    """Escape leads back to the list; another provider is asked the same."""
    async with walking(services, start=HOME) as walk:
        await planning(walk, "gmail", "777")
        await walk.press("escape")
        await walk.at_screen(LimitsScreen)
        await walk.press("down", "enter")
        await walk.at_screen(MailingScreen)
        assert walk.the("#recipients", TextFrame).text == "777"


async def test_help_names_every_key(services: Services) -> None:
    """F1 says what the screens are for; F6 opens the guide."""
    async with walking(services, start=HOME, size=(80, 40)) as walk:
        await limits(walk)
        await walk.press("f1")
        await walk.at_screen(HelpPanel)
        await walk.until_reads("How much each provider lets one mailbox send")
        await walk.until_reads("F9")
        await walk.press("escape", "f6")
        await walk.at_screen(GuidePanel)
        await walk.until_reads("Sending limits: when the list is too large")
        await walk.press("f6", "enter")
        await walk.at_screen(MailingScreen)
        await walk.press("f1")
        await walk.until_reads("Files grow by a third")


@pytest.mark.parametrize("size", [(60, 20), (80, 24), (120, 40), (200, 60)])
async def test_it_fits_windows_of_every_size(services: Services, size: tuple[int, int]) -> None:
    """The first row, the columns and the keys are there; nothing is drawn beside the window."""
    async with walking(services, start=HOME, size=size) as walk:
        await limits(walk)
        await walk.until(lambda: "▌ Gmail" in walk.shown, "the mark")
        await walk.until_reads("Enter Plan a mailing")
        await walk.until_reads("F10 Menu")
        assert max(map(len, walk.shown.splitlines())) <= size[0]
        await walk.press("enter")
        await walk.at_screen(MailingScreen)
        await walk.write("1200")
        await walk.press("enter")
        await walk.until_reads("3 days with Gmail")


# --- what goes over the line ---


@pytest.fixture
def line(tmp_path: Path) -> Iterator[Line]:
    opened = Line([sys.executable, "-m", "smtp_wizard"], {"SMTP_WIZARD_CONFIG": str(tmp_path)})
    try:
        yield opened
    finally:
        opened.close()


def test_the_line_stays_light(line: Line) -> None:
    """Idle sends nothing; a row down is a kilobyte at most, a letter in the filter five, a screen twelve."""
    line.take(quiet=1.2, until="Which address")
    assert line.press("\x10l", until="Workspace") <= 12 * 1024
    assert idle(line) == 0
    assert line.press("\x1b[B") <= 1024
    assert line.press("g") <= 5 * 1024
    assert line.press("m") <= 5 * 1024
    assert idle(line) == 0
    assert line.press("\r", until="how many") <= 12 * 1024
    assert line.press("9") <= 1024
    line.press("\r", until="Gmail")
    assert idle(line) == 0


def idle(line: Line) -> int:
    """Return the bytes of a second and a half in which nobody does anything."""
    began, count = time.monotonic(), 0
    while time.monotonic() - began < 1.5:
        if select.select([line.end], [], [], 0.1)[0]:
            count += len(os.read(line.end, 65536))
    return count
