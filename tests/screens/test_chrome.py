"""What stands around every screen: the menu, help, guide, how to leave, and the window that is too small."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from textual.screen import Screen

from smtp_wizard.engine.wizard.draft import Draft
from smtp_wizard.engine.wizard.steps import StepId
from smtp_wizard.screens.accounts.home import HomeScreen
from smtp_wizard.screens.address import AddressScreen
from smtp_wizard.screens.areas.bounces import BouncesScreen
from smtp_wizard.screens.areas.calendar import CalendarScreen
from smtp_wizard.screens.areas.domain import DomainScreen
from smtp_wizard.screens.areas.explain import ExplainScreen
from smtp_wizard.screens.areas.guides import GuideListScreen
from smtp_wizard.screens.areas.inbox import InboxScreen
from smtp_wizard.screens.areas.limits import LimitsScreen
from smtp_wizard.screens.areas.unsubscribe import UnsubscribeScreen
from smtp_wizard.screens.keyed_screen import HOW_TO_LEAVE
from smtp_wizard.screens.menu import ITEMS, LOOKS, LookPanel, MenuPanel
from smtp_wizard.screens.panel import ConfirmPanel, GuidePanel, HelpPanel
from smtp_wizard.screens.too_small import TooSmallScreen
from tests.support.discovering import answering
from tests.support.walk import Walk, key_event, make_services, until, walking

TYPED = "ana@fir"


async def begun(walk: Walk, text: str = TYPED) -> AddressScreen:
    """Stand at the first step, with something half typed."""
    await walk.at("address")
    await walk.write(text)
    screen = walk.app.screen
    assert isinstance(screen, AddressScreen)
    return screen


@pytest.mark.parametrize("key", ["f10", "ctrl+p"])
async def test_the_menu_and_back_leave_everything_as_it_was(key: str, tmp_path: Path) -> None:
    async with walking(make_services(tmp_path)) as walk:
        screen = await begun(walk)
        await walk.press(key)
        await walk.at_screen(MenuPanel)
        for item in ITEMS:
            await walk.until_reads(item.verb)
            await walk.until_reads(item.key)
        await walk.press("escape")
        await walk.until(lambda: walk.app.screen is screen, "the step")
        assert screen.frame.text == TYPED
        assert walk.app.focused is screen.frame.field


LEADS: dict[str, type[Screen[Any]]] = {
    "a": HomeScreen,
    "l": LimitsScreen,
    "x": ExplainScreen,
    "b": BouncesScreen,
    "u": UnsubscribeScreen,
    "d": DomainScreen,
    "e": CalendarScreen,
    "g": GuideListScreen,
    "i": InboxScreen,
    "k": LookPanel,
}


@pytest.mark.parametrize("key", LEADS)
async def test_each_letter_of_the_menu_leads_where_it_says(key: str, tmp_path: Path) -> None:
    async with walking(make_services(tmp_path)) as walk:
        await begun(walk)
        await walk.press("f10", key)
        await walk.at_screen(LEADS[key])


@pytest.mark.parametrize("key", [key for key in LEADS if key != "a"])
async def test_escape_leads_back_to_where_one_was(key: str, tmp_path: Path) -> None:
    async with walking(make_services(tmp_path)) as walk:
        screen = await begun(walk)
        await walk.press("f10", key)
        await walk.at_screen(LEADS[key])
        await walk.press("escape")
        await walk.until(lambda: walk.app.screen is screen, "the step")
        assert screen.frame.text == TYPED


async def test_every_item_of_the_menu_leads_somewhere() -> None:
    assert {each.key.lower() for each in ITEMS} == {*LEADS, "f3", "ctrl+q"}


@pytest.mark.parametrize("keys", [("f3",), ("f10", "f3")])
async def test_one_practises_at_once(keys: tuple[str, ...], tmp_path: Path) -> None:
    async with walking(make_services(tmp_path)) as walk:
        await begun(walk, "")
        await walk.press(*keys)
        await walk.at("signin")
        await walk.until_reads("What do you want to practise?")
        assert str(walk.draft.address) == "you@sandbox.test"


async def test_what_is_being_set_up_is_not_dropped_for_practice_without_a_question(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    answering(monkeypatch)
    async with walking(make_services(tmp_path)) as walk:
        await begun(walk, "ana@firm.example")
        await walk.press("enter")
        await walk.at("provider")
        walk.app.action_menu()
        await walk.at_screen(MenuPanel)
        await walk.press("f3")
        await walk.at_screen(ConfirmPanel)
        await walk.press("enter")
        await walk.at("provider")
        assert str(walk.draft.address) == "ana@firm.example"


async def test_a_look_is_chosen_by_its_name(tmp_path: Path) -> None:
    async with walking(make_services(tmp_path)) as walk:
        await begun(walk)
        for theme in (*list(LOOKS)[1:], "dark"):
            await walk.press("f10", "k")
            await walk.at_screen(LookPanel)
            await walk.press(*(["down"] if theme != "dark" else ["up"] * 3), "enter")
            await walk.at("address")
            assert walk.app.theme == theme


async def test_ctrl_c_says_how_to_leave_and_leaves_nothing(tmp_path: Path) -> None:
    async with walking(make_services(tmp_path)) as walk:
        screen = await begun(walk)
        await walk.press("ctrl+c")
        await walk.until_reads(HOW_TO_LEAVE)
        assert screen.frame.text == TYPED
        await walk.press("f10")
        await walk.at_screen(MenuPanel)
        await walk.press("ctrl+c")
        await walk.until_reads(HOW_TO_LEAVE)


async def test_help_names_each_key_of_the_screen_and_what_it_does(tmp_path: Path) -> None:
    async with walking(make_services(tmp_path)) as walk:
        screen = await begun(walk)
        await walk.press("f1")
        await walk.at_screen(HelpPanel)
        for key in screen.all_keys():
            await walk.until_reads(key.words)
            await walk.until_reads(key.help)
        await walk.press("f1")
        await walk.at("address")


async def test_f6_shows_why_one_sends_through_ones_own_mailbox(tmp_path: Path) -> None:
    async with walking(make_services(tmp_path)) as walk:
        await begun(walk)
        await walk.press("f6")
        panel = await walk.at_screen(GuidePanel)
        assert panel.heading == walk.app.context.guides.get("own-mailbox").title
        await walk.press("escape")
        await walk.at("address")


EVERY_KEY = [
    "enter",
    "escape",
    "f1",
    "f2",
    "f3",
    "f4",
    "f5",
    "f6",
    "f9",
    "f10",
    "ctrl+p",
    "a",
    "y",
    "down",
]


async def test_a_window_that_is_too_small_answers_no_key_that_it_does_not_show(tmp_path: Path) -> None:
    async with walking(make_services(tmp_path)) as walk:
        await begun(walk)
        await walk.pilot.resize_terminal(40, 12)
        small = await walk.at_screen(TooSmallScreen)
        await walk.until_reads("It has 40 × 12 cells; I need 60 × 20.")
        await walk.press(*EVERY_KEY)
        assert walk.app.screen is small
        await walk.pilot.resize_terminal(80, 24)
        await walk.at("address")
        await walk.until_reads(TYPED)
        assert walk.app.theme == "dark"


async def test_leaving_out_of_a_window_that_is_too_small_keeps_what_was_typed(tmp_path: Path) -> None:
    services = make_services(tmp_path)
    async with walking(services, draft=Draft()) as walk:
        await begun(walk)
        await walk.pilot.resize_terminal(40, 12)
        await walk.at_screen(TooSmallScreen)
        walk.app.post_message(key_event("ctrl+q"))
        await until(lambda: walk.app.return_code is not None, lambda: walk.shown)
    kept = walk.app.box.load()
    assert kept is not None
    assert kept.step.id is StepId.ADDRESS
    assert kept.draft.typed["address"] == TYPED
