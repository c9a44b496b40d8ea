"""Keys that are pressed again while something is being done: it is done once, and nothing half done is left."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from textual.widgets import Input

from smtp_wizard.engine.accounts.account import Account, AccountsError
from smtp_wizard.engine.accounts.secret_entries import SecretEntries
from smtp_wizard.engine.base.shown import phrase, shown
from smtp_wizard.engine.oauth.pending_sign_in import PendingSignIn
from smtp_wizard.engine.secrets.store_kinds import StoreKind
from smtp_wizard.engine.services.accounts import Accounts
from smtp_wizard.engine.services.checks import Checks
from smtp_wizard.engine.services.discovery import Discovery
from smtp_wizard.engine.services.scans import Scans
from smtp_wizard.screens.accounts.home import HomeScreen
from smtp_wizard.screens.question import FlowPanel
from smtp_wizard.screens.save import SaveScreen
from smtp_wizard.text.save import SAVING
from smtp_wizard.text.wizard import STILL_AT_WORK
from smtp_wizard.widgets.frame import RadioFrame
from tests.screens.test_faults_of_our_own import (
    AT_CLIENT,
    AT_HOME,
    AT_SERVER,
    HOST,
    WORK,
    acting,
    name_it_anew,
    sure,
)
from tests.support.places import PLACES, Go, standing
from tests.support.walk import Walk

Method = tuple[type, str]
"""A method of a service."""


class Held:
    """Part of the engine, which does what it is asked when it may, and counts how often that was and was given up."""

    def __init__(self, patch: pytest.MonkeyPatch, owner: Any, name: str) -> None:
        self.begun = self.given_up = 0
        self.may = asyncio.Event()
        original: Callable[..., Any] = getattr(owner, name)

        async def held(*arguments: Any, **named: Any) -> Any:
            self.begun += 1
            try:
                await self.may.wait()
            except asyncio.CancelledError:
                self.given_up += 1
                raise
            return await original(*arguments, **named)

        patch.setattr(owner, name, held)

    async def reached(self, walk: Walk, times: int = 1) -> None:
        await walk.until(lambda: self.begun == times, f"{times} times")
        await walk.settle()


async def test_an_address_is_looked_up_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    held = Held(monkeypatch, Discovery, "find_settings")
    async with standing(WORK["StepPage.act: address"].place, tmp_path) as walk:
        await walk.press(*["enter"] * 5)
        await held.reached(walk)
        assert (held.given_up, walk.step) == (0, "address")
        await walk.until_reads("Looking for the server of unknown.example")


async def test_whoever_types_on_is_not_taken_along_with_the_address_before(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The look-up ends with the first key that changes the address; the new one is looked up by the next Enter."""
    held = Held(monkeypatch, Discovery, "find_settings")
    async with standing(WORK["StepPage.act: address"].place, tmp_path) as walk:
        await walk.press("enter")
        await held.reached(walk)
        await walk.press("s")
        await walk.until(lambda: held.given_up == 1, "the end of the look-up")
        await walk.until(lambda: not walk.reads("Looking for"), "the end of what says so")
        assert walk.the("#address", Input).value == "ana@unknown.examples"
        await walk.press("enter")
        await held.reached(walk, 2)


@pytest.mark.parametrize(
    ("offer", "method"),
    [("Try this port only", (Checks, "check_draft")), ("Try the usual ports", (Scans, "probe"))],
)
async def test_a_server_is_tested_once(
    offer: str, method: Method, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Enter while it runs begins nothing again; Esc stops it, and it can be begun anew."""
    held = Held(monkeypatch, *method)
    async with standing(AT_SERVER, tmp_path) as walk:
        await walk.take(offer)
        await walk.press("enter", "enter")
        await held.reached(walk)
        assert held.given_up == 0, "Enter, pressed once too often, stops nothing"
        await walk.until_reads("Esc stops")
        await walk.press("escape")
        await walk.until(lambda: held.given_up == 1, "the end of it")
        assert walk.step == "server"
        assert walk.entry("#host").value == HOST["#host"]
        await walk.take(offer)
        await held.reached(walk, 2)
        assert held.given_up == 1


async def test_an_account_is_saved_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    held = Held(monkeypatch, Accounts, "save")
    async with standing(PLACES["review"], tmp_path) as walk:
        await walk.press(*["enter"] * 5)
        await held.reached(walk)
        assert held.given_up == 0
        assert isinstance(walk.app.screen, SaveScreen)
        held.may.set()
        await walk.at("done")
        assert len(walk.app.context.services.saved_accounts.list()) == 1


async def test_the_cursor_stays_in_a_frame_in_which_somebody_chooses(tmp_path: Path) -> None:
    """With the arrows, one answer after the other."""
    async with standing(PLACES["provider"], tmp_path) as walk:
        frame = walk.the("#application", RadioFrame)
        frame.focus()
        await walk.settle()
        await walk.press("right", "left", "right")
        assert walk.app.focused is frame
        assert frame.selected == frame.options[1].value


async def test_nobody_goes_back_out_of_the_midst_of_saving(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The account would be saved, or its password kept, and the wizard would know nothing of it."""
    held = Held(monkeypatch, Accounts, "save")
    async with standing(PLACES["review"], tmp_path) as walk:
        await walk.press("enter")
        await held.reached(walk)
        await walk.press("escape", "escape")
        await walk.until_reads(STILL_AT_WORK)
        assert "Esc" not in walk.shown.splitlines()[-1], "no key is named that does nothing"
        screen = walk.app.screen
        assert isinstance(screen, SaveScreen)
        name = screen.name_frame.text
        await walk.press("tab", "space", "x")
        assert (screen.name_frame.text, screen.scope.selected) == (name, screen.flow.draft.scope)
        await walk.until_reads(SAVING)
        assert held.given_up == 0
        held.may.set()
        await walk.at("done")
        assert len(walk.app.context.services.saved_accounts.list()) == 1


async def test_whoever_saved_nothing_can_go_back(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def refused(*_: Any, **__: Any) -> Any:
        raise AccountsError(shown("It cannot be saved."))

    monkeypatch.setattr(Accounts, "save", refused)
    async with standing(PLACES["review"], tmp_path) as walk:
        await walk.press("enter")
        await walk.until_reads("It cannot be saved.")
        await walk.press("escape")
        await walk.until(lambda: walk.step != "review", "the step before")


async def test_a_sign_in_in_the_browser_is_begun_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    held = Held(monkeypatch, PendingSignIn, "__aenter__")
    async with standing(AT_CLIENT, tmp_path) as walk:
        await walk.press(*["enter"] * 5)
        await held.reached(walk)
        assert held.given_up == 0
        await walk.press("escape", "enter")
        await held.reached(walk, 2)
        assert held.given_up == 1
        assert walk.step == "oauth"


CHANGES: dict[str, tuple[Go, Method]] = {
    "rename": (acting("rename", name_it_anew), (Accounts, "rename")),
    "delete": (acting("delete", sure), (Accounts, "remove")),
    "edit": (acting("edit"), (SecretEntries, "secret_of")),
    "copy": (acting("copy"), (SecretEntries, "secret_of")),
}


@pytest.mark.parametrize("change", CHANGES)
@pytest.mark.parametrize("key", ["escape", "enter"])
async def test_no_key_cuts_a_change_of_an_account_short(
    change: str, key: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Half of it would be left: an account without its password, or the other way round."""
    begin, method = CHANGES[change]
    held = Held(monkeypatch, *method)
    async with standing(AT_HOME, tmp_path) as walk:
        await begin(walk)
        await held.reached(walk)
        here = walk.app.screen
        if isinstance(here, HomeScreen):
            await walk.press("e" if key == "enter" else key)
        else:
            await walk.press(key, key)
        assert walk.app.screen is here
        if key == "enter" or not isinstance(here, HomeScreen):
            await walk.until_reads(STILL_AT_WORK)
        assert (held.begun, held.given_up) == (1, 0)
        held.may.set()
        await walk.until(lambda: not isinstance(walk.app.screen, HomeScreen) or changed(walk), "the change")


def changed(walk: Walk) -> bool:
    return [each.name for each in walk.app.context.services.saved_accounts.list()] != ["Gmail ana", "Office"]


async def test_what_was_asked_for_before_is_done_before_the_next(tmp_path: Path) -> None:
    """One change after the other is as ever."""
    async with standing(AT_HOME, tmp_path) as walk:
        await acting("rename", name_it_anew)(walk)
        await walk.until_reads("is called 'Officex' now")
        home = await walk.at_screen(HomeScreen)
        await walk.until(lambda: not home.at_work("act"), "the end of the change")
        await acting("rename")(walk)
        await walk.at_screen(FlowPanel)
        await walk.press("escape")
        await walk.until(lambda: not home.at_work("act"), "the end of the question")
        await walk.press("delete")
        await walk.at_screen(FlowPanel)
        await walk.press("escape")
        services = walk.app.context.services
        kept = services.saved_accounts.get("Officex")
        assert isinstance(kept, Account)
        assert kept == replace(kept, name=phrase("Officex"))
        assert kept.store is not None
        assert kept.store.kind is StoreKind.KEYRING
