"""Work that ends while another screen lies over it: that screen stays, and the work's own leaves once it is seen."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from enum import StrEnum
from pathlib import Path
from typing import Any

import pytest
from textual.screen import Screen

from smtp_wizard.app import SETUP
from smtp_wizard.engine.secrets.store_kinds import StoreKind
from smtp_wizard.engine.services.accounts import Accounts
from smtp_wizard.engine.services.discovery import Discovery
from smtp_wizard.flows.flow import Card, Entry, Mood, Offer
from smtp_wizard.flows.question import Answer, Question, QuestionFlow
from smtp_wizard.flows.server_state import ServerOffer, ServerQuestion
from smtp_wizard.screens.areas.explain import ExplainScreen
from smtp_wizard.screens.areas.limits import LimitsScreen
from smtp_wizard.screens.panel import HelpPanel, QuestionPanel
from smtp_wizard.screens.question import FlowPanel
from smtp_wizard.screens.server import ServerScreen
from tests.screens.test_panels import over
from tests.support.places import PLACES, standing
from tests.support.walk import Walk

COVERS: dict[str, tuple[tuple[str, ...], type[Screen[Any]]]] = {
    "help": (("f1",), HelpPanel),
    "tool": (("f10", "x"), ExplainScreen),
    "area": (("f10", "l"), LimitsScreen),
}
"""What may be laid over a screen: the keys, and what stands there then."""
TYPED = "550 5.7.1"
ADDRESS = "ana@gmail.com"


class Gate:
    """Holds a piece of work until the test lets it end."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, owner: type, name: str) -> None:
        self.begun, self.may, real = asyncio.Event(), asyncio.Event(), getattr(owner, name)

        async def held(*given: Any, **named: Any) -> Any:
            self.begun.set()
            await self.may.wait()
            return await real(*given, **named)

        monkeypatch.setattr(owner, name, held)

    async def end(self, walk: Walk, screen: Screen[Any]) -> None:
        """Let the work end, and wait until it has."""
        self.may.set()
        await walk.until(lambda: not screen.at_work("act"), "the end of the work")  # type: ignore[attr-defined]
        await walk.settle()


@asynccontextmanager
async def covered(walk: Walk, cover: str) -> AsyncIterator[Screen[Any]]:
    """Lay a screen over the one that is shown; see that it stays while the body runs; go back."""
    keys, kind = COVERS[cover]
    await walk.press(*keys)
    over_it = await walk.at_screen(kind)
    if isinstance(over_it, ExplainScreen):
        await walk.write(TYPED)
    yield over_it
    assert walk.app.screen is over_it, "what the person has opened stays"
    if isinstance(over_it, ExplainScreen):
        assert over_it.area.text == TYPED
    await walk.press("escape")


# --- steps ---


@pytest.mark.parametrize("cover", COVERS)
async def test_a_step_whose_work_ends_below_another_screen_leaves_once_it_is_seen_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, cover: str
) -> None:
    gate = Gate(monkeypatch, Discovery, "find_settings")
    async with standing(PLACES["address"], tmp_path) as walk:
        await walk.write(ADDRESS)
        step = walk.app.screen
        await walk.press("enter")
        await gate.begun.wait()
        async with covered(walk, cover):
            await gate.end(walk, step)
        await walk.at("provider")
        assert len(walk.app._screen_stacks[SETUP]) == 2, "the floor, and one step"


@pytest.mark.parametrize("cover", COVERS)
async def test_an_account_that_is_saved_below_another_screen_is_told_of_once_the_step_is_seen_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, cover: str
) -> None:
    gate = Gate(monkeypatch, Accounts, "save")
    async with standing(PLACES["review"], tmp_path) as walk:
        step = walk.app.screen
        await walk.press("enter")
        await gate.begun.wait()
        async with covered(walk, cover):
            await gate.end(walk, step)
        await walk.at("done")
        assert len(walk.app._screen_stacks[SETUP]) == 2
        assert [each.name for each in walk.app.context.services.saved_accounts.list()] == ["Gmail ana"]


async def test_the_passphrase_is_asked_for_once_nothing_lies_over_the_step(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A panel that came over a tool would take the letters of whoever types there."""
    async with standing(PLACES["review"], tmp_path) as walk:
        step = walk.app.screen
        flow = step.flow  # type: ignore[attr-defined]
        await flow.act(StoreKind.VAULT)
        gate = Gate(monkeypatch, type(walk.app.context.services.stores.vault), "ready")
        await walk.press("enter")
        await gate.begun.wait()
        async with covered(walk, "tool"):
            gate.may.set()
            await walk.until(lambda: flow.vault is not None, "the question for the passphrase")
            await walk.settle()
        await walk.at_screen(FlowPanel)
        await walk.press("escape")
        await walk.until(lambda: walk.app.screen is step, "the step")


async def test_a_question_about_the_server_waits_until_nothing_lies_over_the_step(tmp_path: Path) -> None:
    async with standing(PLACES["server"], tmp_path) as walk:
        screen = walk.app.screen
        assert isinstance(screen, ServerScreen)
        async with covered(walk, "help"):
            flow, card = screen.flow, Card(mood=Mood.TOLD, title="May it be contacted once?")
            offers = (Offer(ServerOffer.NO, "No"), Offer(ServerOffer.YES, "Yes"))
            flow._show(replace(flow.state, question=ServerQuestion.NETWORK, card=card, offers=offers))
            await walk.settle()
        await walk.at_screen(QuestionPanel)


# --- panels ---


class Reads(QuestionFlow[str]):
    """Asks for a password, and reads until the test lets it end."""

    def __init__(self) -> None:
        entries = (Entry(label="Password", secret=True),)
        offers: tuple[Offer[StrEnum], ...] = (Offer(Answer.DO, "Read"), Offer(Answer.LEAVE, "Not now", key="Esc"))
        super().__init__(Question(title="The mailbox", entries=entries, offers=offers))
        self.may = asyncio.Event()

    async def act(self, offer: StrEnum) -> str | None:
        await self.may.wait()
        return "read"


async def test_a_panel_whose_work_ends_below_the_help_leaves_once_it_is_seen_again() -> None:
    got: list[str | None] = []
    async with over() as app:
        below, flow = app.screen, Reads()
        panel = FlowPanel(flow)
        await app.push_screen(panel, got.append)
        await app.until(panel)
        await app.press("x", "enter", "f1")
        assert isinstance(app.screen, HelpPanel)
        flow.may.set()
        await app.until(lambda: not panel.at_work("act"))
        assert isinstance(app.screen, HelpPanel)
        assert got == []
        await app.press("escape")
        await app.until(below)
        assert got == ["read"]


async def test_a_panel_that_is_ended_twice_takes_nothing_else_with_it() -> None:
    async with over() as app:
        below = app.screen
        panel = await app.show(HelpPanel("It", "", ()))
        panel.dismiss(None)
        panel.dismiss(None)
        await app.until(below)
