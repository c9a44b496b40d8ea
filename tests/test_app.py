"""The screens as a whole: few keys, nothing painted while nobody acts, and every size of window."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import pytest
from rich.console import RenderableType
from textual import events
from textual.screen import Screen
from textual.widget import Widget
from textual.widgets import Input

from smtp_wizard.app import WizardApp
from smtp_wizard.engine.base.connection import Connection
from smtp_wizard.engine.base.endpoint import Endpoint, Security
from smtp_wizard.engine.services.checks import PRACTICE_FOLDER
from smtp_wizard.engine.wizard.draft import Draft, Origin
from smtp_wizard.engine.wizard.steps import STEPS, StepId
from smtp_wizard.screens.accounts.home import HomeScreen
from smtp_wizard.screens.panel import Panel
from smtp_wizard.widgets.chips import Chips
from smtp_wizard.widgets.stepper import PLACE, WORDS, StepLine
from tests.support.misbehaving import Expect, MisbehavingServer, Send, StartTls, Step, good, make_ca
from tests.support.places import PASSWORD, PLACES, Place, at_review, draft_at_connect, seen, sent, standing
from tests.support.walk import Walk, make_services, walking

MOST_KEYS = 14
"""From the address to the saved account, beside what is typed."""
IDLE_SECONDS, IDLE_SPANS = 3.2, 3
"""How long nothing may be painted, and how many such spans are waited for one."""
AT_ONCE = 8
SMALL, USUAL, WIDE = (60, 20), (80, 24), (120, 40)


# --- few keys ---


async def test_a_rehearsal_takes_few_keys(tmp_path: Path) -> None:
    """Address, Enter, Enter, password, Enter, Enter, address, Enter, Enter, Enter: saved."""
    services = make_services(tmp_path)
    async with walking(services) as walk:
        await walk.at("address")
        await walk.write("ana@sandbox.test")
        await walk.press("enter")
        await walk.at("signin")
        await walk.press("enter")
        await walk.at("connect")
        await walk.write(PASSWORD)
        await walk.press("enter")
        await walk.until_reads("Enter Send a test")
        await walk.press("enter")
        await sent(walk, "ben@elsewhere.example")
        await seen(walk)
        await at_review(walk)
        await walk.press("enter")
        await walk.at("done")
        assert services.saved_accounts.get(walk.draft.saved or "").connection.sandbox == "accept"
        assert len(walk.pressed) <= MOST_KEYS
        await walk.press("enter")
        await walk.at_screen(HomeScreen)
        await walk.until_reads("Practice ana")


async def test_one_press_of_enter_is_one_attempt(tmp_path: Path) -> None:
    """A server that counts wrong passwords locks people out: Enter signs in once."""
    ca = make_ca()
    script: list[Step] = [
        StartTls(good(ca)),
        Send(b"220 mail.firma.example ESMTP\r\n"),
        Expect(rb"EHLO .*"),
        Send(b"250-mail.firma.example\r\n250 AUTH PLAIN\r\n"),
        Expect(rb"AUTH PLAIN .*"),
        Send(b"535 5.7.8 no\r\n"),
    ]
    ca_file = tmp_path / "ca.pem"
    ca.cert_pem.write_to_path(ca_file)
    async with MisbehavingServer(script, strict=False) as server:
        draft = Draft(
            address=draft_at_connect().address,
            connection=Connection(
                provider="custom",
                path="password",
                endpoint=Endpoint(server.host, server.port, Security.TLS),
                username="ana",
                ca_file=str(ca_file),
            ),
            origin=Origin.HAND,
            ways=2,
            confirmed_host=server.host,
        )
        async with walking(make_services(tmp_path), draft=draft) as walk:
            await walk.at("connect")
            await walk.write(PASSWORD)
            await walk.press("enter")
            await walk.until_reads("checks passed")
            await walk.settle()
        assert server.received.count(b"AUTH PLAIN") == 1


async def test_a_practice_server_that_cannot_start_is_said_and_nothing_is_lost(tmp_path: Path) -> None:
    """Where its folder cannot be made: one sentence at the step, the password still typed; then it works."""
    in_the_way = tmp_path / PRACTICE_FOLDER
    in_the_way.write_text("a file where a folder should be")
    async with walking(make_services(tmp_path)) as walk:
        await walk.at("address")
        await walk.write("ana@sandbox.test")
        for step in ("signin", "connect"):
            await walk.press("enter")
            await walk.at(step)
        await walk.write(PASSWORD)
        await walk.press("enter")
        await walk.until_reads("The practice server could not start")
        assert walk.the("#secret", Input).value == PASSWORD
        in_the_way.unlink()
        await walk.press("enter")
        await walk.until_reads("Enter Send a test")
        assert not walk.reads("could not start")


# --- nothing while nobody acts ---


async def test_nothing_is_painted_while_nobody_does_anything(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every screen, with the cursor in a field where it has one: not one paint in three seconds.

    What arriving there painted late, on a busy computer, is no painting while nobody does anything: that comes again.
    """
    painted: dict[int, int] = {}
    display = WizardApp._display

    def counted(self: WizardApp, screen: Screen[Any], renderable: RenderableType | None) -> None:
        painted[id(self)] = painted.get(id(self), 0) + (renderable is not None)
        display(self, screen, renderable)

    monkeypatch.setattr(WizardApp, "_display", counted)

    few = asyncio.Semaphore(AT_ONCE)  # screens that begin at the same time wait for each other, and not for ever

    async def paints(name: str, place: Place) -> tuple[str, int]:
        async with AsyncExitStack() as stack:
            async with few:
                walk = await stack.enter_async_context(standing(place, tmp_path / name))
            assert painted[id(walk.app)], "painting is seen"
            more = 0
            for _ in range(IDLE_SPANS):
                before = painted[id(walk.app)]
                await asyncio.sleep(IDLE_SECONDS)
                more = painted[id(walk.app)] - before
                if not more:
                    break
            return name, more

    counts = await asyncio.gather(*(paints(name, place) for name, place in PLACES.items()))
    assert {name: count for name, count in counts if count} == {}


# --- every size of window ---


def in_sight(walk: Walk, widget: Widget) -> bool:
    """Whether all of a widget can be seen: not scrolled away, not beside the window."""
    placed = walk.app.screen.find_widget(widget)
    return placed.region.area > 0 and placed.visible_region == placed.region


@pytest.mark.parametrize("size", [SMALL, USUAL, WIDE], ids=["60x20", "80x24", "120x40"])
@pytest.mark.parametrize("name", PLACES)
async def test_every_screen_fits(name: str, size: tuple[int, int], tmp_path: Path) -> None:
    """The keys and where in the wizard one is can be seen; nothing is wider than the window; nobody types blind."""
    async with standing(PLACES[name], tmp_path, size) as walk:
        screen, focused = walk.app.screen, walk.app.focused
        assert all(in_sight(walk, each) for each in [*screen.query(Chips), *screen.query(StepLine)])
        assert max(len(line) for line in walk.shown.splitlines()) <= size[0]
        # A card of text to read scrolls by the arrows, whatever has the focus.
        assert focused is not None or name == "done" or isinstance(screen, Panel)
        if isinstance(focused, Input):
            focused.post_message(events.Paste("x"))
            await walk.until(lambda: in_sight(walk, focused), "the field in which one types")


STEP_PLACES: Mapping[str, str] = {step.id: step.id for step in STEPS}


@pytest.mark.parametrize("name", STEP_PLACES)
async def test_every_step_says_where_one_is(name: str, tmp_path: Path) -> None:
    """The same six words at the top, in a small window too: what is behind one ticked off, and where one is."""
    here = PLACE[StepId(name)]
    marks = ["✓"] * here + ["●"] + ["○"] * len(WORDS)
    line = [part for mark, word in zip(marks, WORDS, strict=False) for part in (mark, word)]
    async with standing(PLACES[name], tmp_path, USUAL) as walk:
        assert walk.shown.splitlines()[0].split() == line
        await walk.pilot.resize_terminal(*SMALL)
        await walk.until(lambda: walk.app.screen.size.width == SMALL[0], "the small window")
        await walk.settle()
        assert walk.shown.splitlines()[0].split() == line


async def test_the_guide_stands_beside_the_form_or_in_one_line_below_it(tmp_path: Path) -> None:
    """From 100 columns on all its steps; below that the one that is due. Dragging the window loses nothing typed."""
    async with standing(PLACES["connect"], tmp_path, USUAL) as walk:
        view = walk.connect.guide
        assert view is not None
        assert view.due is not None
        await walk.write(PASSWORD)
        line = f"Step {view.due.number} of {len(view.guide.steps)}"
        await walk.until_reads(line)
        await walk.pilot.resize_terminal(*WIDE)
        await walk.until_reads(f"▸ {view.due.number}")
        assert not walk.reads(line)
        steps = view.guide.steps
        await walk.until(lambda: all(f" {step.number}  " in walk.shown for step in steps), "all steps of the guide")
        await walk.pilot.resize_terminal(*SMALL)
        await walk.until(lambda: not walk.reads(f"▸ {view.due and view.due.number}"), "the guide in one line")
        entry = walk.the("#secret", Input)
        assert entry.value == PASSWORD
        assert entry.has_focus
        assert in_sight(walk, entry)
