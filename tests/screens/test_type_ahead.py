"""Many keys at once, as a slow line brings them: each goes to the screen to which the one before it led, and once."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from textual import events
from textual.widgets import Input

from smtp_wizard.app import HOME, WizardApp
from smtp_wizard.engine.base.stages import Depth
from smtp_wizard.engine.services.checks import Checks
from smtp_wizard.engine.wizard.draft import Draft
from smtp_wizard.screens.accounts.home import HomeScreen
from smtp_wizard.screens.areas.limits import LimitsScreen
from smtp_wizard.screens.connect import ConnectScreen
from smtp_wizard.screens.page import StepOutcome, StepPage
from smtp_wizard.widgets.offers import OfferList
from smtp_wizard.widgets.plain_text import PlainText
from tests.support.places import PLACES, Place, at_home, standing
from tests.support.walk import Walk, guides, key_event, make_services, walking

ADDRESS, PASSWORD = "ana@sandbox.test", "p\u00e4ssw\u00f6rt"
TO_CONNECT = [*ADDRESS, "enter", "down", "up", "enter", *PASSWORD]


async def burst(walk: Walk, keys: Sequence[str], *, chunks: Iterator[int] | None = None) -> None:
    """Send keys without waiting for what they do; `chunks` says how many come at once."""
    left = list(keys)
    while left:
        number = next(chunks) if chunks is not None else len(left)
        for key in left[:number]:
            walk.app.post_message(key_event(key))
        del left[:number]
        await asyncio.sleep(0)


def any_chunks(seed: int) -> Iterator[int]:
    chance = random.Random(seed)
    while True:
        yield chance.choice([1, 1, 2, 3, 5, 50])


@pytest.mark.parametrize("seed", range(6))
async def test_from_the_address_to_the_password_in_any_rhythm(tmp_path: Path, seed: int) -> None:
    async with walking(make_services(tmp_path)) as walk:
        await burst(walk, TO_CONNECT, chunks=any_chunks(seed))
        await walk.at("connect")
        await walk.until(lambda: walk.the("#secret", Input).value == PASSWORD, "the password")
        assert str(walk.draft.address) == ADDRESS


async def test_keys_between_two_screens_wait_for_the_second(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """While one screen is gone and the next is being made, however long that takes."""
    gate, left = asyncio.Event(), asyncio.Event()
    original = WizardApp._answer

    async def held(self: WizardApp, screen: StepPage[Any, Any], fault: Exception | None) -> StepOutcome:
        if isinstance(screen, ConnectScreen):
            left.set()
            await gate.wait()
        return await original(self, screen, fault)

    monkeypatch.setattr(WizardApp, "_answer", held)
    async with walking(make_services(tmp_path)) as walk:
        await burst(walk, TO_CONNECT[: -len(PASSWORD)])
        await walk.until(left.is_set, "the screen before to be left")
        await burst(walk, PASSWORD)
        await walk.settle()
        assert not isinstance(walk.app.screen, StepPage)
        gate.set()
        await walk.at("connect")
        await walk.until(lambda: walk.the("#secret", Input).value == PASSWORD, "the password")


async def test_a_key_is_for_what_a_window_leads_to(tmp_path: Path) -> None:
    """Delete asks, the arrow and Enter say yes, and the account below is gone before N leads on."""
    async with standing(Place(at_home, start=HOME), tmp_path) as walk:
        await burst(walk, ["delete", "down", "enter"])
        await walk.until_reads("'Office' is deleted")
        await burst(walk, ["n", *"ana"])
        await walk.at("address")
        await walk.until(lambda: walk.the("#address", Input).value == "ana", "the address")
        assert [each.name for each in walk.app.context.services.saved_accounts.list()] == ["Gmail ana"]


async def test_as_many_steps_back_as_keys(tmp_path: Path) -> None:
    async with walking(make_services(tmp_path)) as walk:
        await burst(walk, TO_CONNECT)
        await walk.at("connect")
        await burst(walk, ["escape", "escape"])
        await walk.at("provider")
        await walk.settle()
        assert walk.step == "provider"


async def test_from_area_to_area(tmp_path: Path) -> None:
    """Each is made when it is first gone to."""
    async with standing(Place(at_home, start=HOME), tmp_path) as walk:
        await burst(walk, ["f10", "l", *"gmx", "escape", "n", *"ana@"])
        await walk.at("address")
        await walk.until(lambda: walk.the("#address", Input).value == "ana@", "the address")
        await walk.press("f10", "l")
        screen = await walk.at_screen(LimitsScreen)
        assert screen.frame.text == "gmx"


@pytest.mark.usefixtures("any_password")
async def test_enters_that_come_at_once_sign_in_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """And what was proved once is gone on from once."""
    checks: list[Depth] = []
    original = Checks.check_draft

    async def counted(self: Checks, draft: Draft, depth: Depth, *arguments: Any, **named: Any) -> Any:
        checks.append(depth)
        return await original(self, draft, depth, *arguments, **named)

    monkeypatch.setattr(Checks, "check_draft", counted)
    async with walking(make_services(tmp_path)) as walk:
        await burst(walk, [*TO_CONNECT, "enter", "enter", "enter"])
        await walk.until_reads("Enter Send a test")
        assert checks.count(Depth.LOGIN) == 1
        await burst(walk, ["enter", "down", "enter", "enter"])
        await walk.at("done")
        assert len(walk.app.context.services.saved_accounts.list()) == 1


async def test_a_paste_keeps_its_place_among_keys(tmp_path: Path) -> None:
    async with walking(make_services(tmp_path)) as walk:
        for event in (key_event("a"), events.Paste("na@sandbox"), key_event("."), events.Paste("test")):
            walk.app.post_message(event)
        await burst(walk, ["enter", "enter"])
        await walk.at("signin")
        assert str(walk.draft.address) == ADDRESS


async def test_enter_is_enter_as_the_terminal_had_it_before_the_screens(tmp_path: Path) -> None:
    """A line end, of which the toolkit makes Ctrl-J."""
    async with walking(make_services(tmp_path)) as walk:
        await burst(walk, [*ADDRESS])
        walk.app.post_message(events.Key("ctrl+j", "\n"))
        await walk.at("signin")


async def test_each_enter_answers_the_question_that_the_one_before_it_led_to(tmp_path: Path) -> None:
    """The address, the way in, back to the provider, and on: the arrows in the midst belong to its offers."""
    async with walking(make_services(tmp_path)) as walk:
        await walk.at("address")
        await walk.write("ana@sandbox.test")
        await burst(walk, ["enter", "escape", "down", "up", "enter", "enter"])
        await walk.at("connect")


async def test_a_part_that_no_longer_answers_does_not_hold_the_keys(tmp_path: Path) -> None:
    """Keys go on where the toolkit has ended a part with the focus, and where one is stuck."""

    stuck, free = asyncio.Event(), asyncio.Event()

    class Stuck(PlainText, can_focus=True):
        async def on_key(self, event: events.Key) -> None:
            stuck.set()
            await free.wait()

    async with standing(PLACES["provider"], tmp_path) as walk:
        part = Stuck("stuck")
        await walk.app.screen.query_one("#column").mount(part)
        part.focus()
        await walk.until(lambda: part.has_focus, "the focus")
        walk.app.post_message(key_event("x"))
        await stuck.wait()
        walk.app.screen.query_one(OfferList).focus()
        await burst(walk, ["enter"])
        await walk.until(lambda: walk.step == "signin", "the next step")
        free.set()


async def test_the_accounts_take_keys_when_they_come_first(tmp_path: Path) -> None:
    """Keys that were there before the first screen."""
    async with standing(Place(at_home, start=HOME), tmp_path):
        pass
    app = WizardApp(make_services(tmp_path / "config"), guides(), start=HOME)
    for key in ("down", "enter"):
        app._typed.append(key_event(key))
    async with app.run_test(size=(80, 24)) as pilot:
        walk = Walk(app, pilot)
        await walk.until_reads("Office")
        await walk.until(lambda: not isinstance(app.screen, HomeScreen), "what can be done with it")
