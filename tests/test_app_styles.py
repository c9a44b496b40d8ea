"""How often the screens are styled: the toolkit alone would read the style sheet three times before the first frame."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest
from textual.color import Color
from textual.css.stylesheet import Stylesheet
from textual.dom import DOMNode
from textual.screen import Screen

from smtp_wizard.app_areas import SETUP
from smtp_wizard.engine.accounts.saved_accounts import SavedAccounts
from smtp_wizard.screens.areas.limits import LimitsScreen
from smtp_wizard.screens.panel import HelpPanel
from smtp_wizard.widgets.frame import Frame
from smtp_wizard.widgets.themes import DARK, LIGHT
from smtp_wizard.widgets.toolkit import BELOW
from tests.commands.test_send import RELAY
from tests.support.walk import Walk, make_services, walking


@pytest.fixture
def readings(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Each time that the whole style sheet is read again."""
    done: list[str] = []
    whole = Stylesheet.reparse

    def reparse(self: Stylesheet) -> None:
        done.append("read")
        whole(self)

    monkeypatch.setattr(Stylesheet, "reparse", reparse)
    return done


@pytest.fixture
def styled(monkeypatch: pytest.MonkeyPatch) -> list[DOMNode]:
    """Every part that is styled anew, together with all around it."""
    done: list[DOMNode] = []
    whole = Stylesheet.update_nodes

    def update_nodes(self: Stylesheet, nodes: Iterable[DOMNode], animate: bool = False) -> None:
        each = list(nodes)
        done.extend(each)
        whole(self, each, animate)

    monkeypatch.setattr(Stylesheet, "update_nodes", update_nodes)
    return done


def page(screen: Screen[Any]) -> Color:
    return screen.styles.background


async def to_limits(walk: Walk) -> None:
    await walk.press("f10", "l")
    await walk.at_screen(LimitsScreen)


async def test_the_style_sheet_is_read_again_for_another_look_alone(tmp_path: Path, readings: list[str]) -> None:
    SavedAccounts(tmp_path).put(RELAY)
    async with walking(make_services(tmp_path)) as walk:
        await walk.at("address")
        assert walk.app.current_mode == SETUP
        await to_limits(walk)
        await walk.press("escape")
        await walk.at("address")
        assert readings == []
        walk.app.theme = LIGHT.name
        await walk.settle()
        assert readings == ["read"]


async def test_another_look_is_that_of_every_area(tmp_path: Path) -> None:
    async with walking(make_services(tmp_path)) as walk:
        await walk.at("address")
        walk.app.theme = DARK.name
        await walk.settle()
        edge = walk.app.screen.query_one(Frame).styles.border_top[1]
        await to_limits(walk)
        assert page(walk.app.screen).hex.lower() == DARK.background
        walk.app.theme = LIGHT.name
        await walk.settle()
        assert page(walk.app.screen).hex.lower() == LIGHT.background
        await walk.press("escape")
        await walk.at("address")
        assert page(walk.app.screen).hex.lower() == LIGHT.background
        assert walk.app.screen.query_one(Frame).styles.border_top[1] != edge


async def test_a_step_that_is_left_is_not_styled_again(tmp_path: Path, styled: list[DOMNode]) -> None:
    """Nor is the one that comes, once all of it is there."""
    async with walking(make_services(tmp_path)) as walk:
        await walk.at("address")
        left = walk.app.screen
        await walk.write("ana@sandbox.test")
        styled.clear()
        await walk.press("enter")
        await walk.at("signin")
        assert walk.app.screen not in styled
        assert left not in styled


async def test_what_lies_below_a_panel_gives_the_accent_away_and_gets_it_back(tmp_path: Path) -> None:
    async with walking(make_services(tmp_path)) as walk:
        await walk.at("address")
        address = walk.app.screen
        await walk.press("f1")
        await walk.at_screen(HelpPanel)
        assert address.has_class(BELOW)
        await walk.press("escape")
        await walk.at("address")
        assert not address.has_class(BELOW)
