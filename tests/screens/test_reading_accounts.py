"""Where reading the saved accounts takes a while the screen stands there meanwhile, and the event loop goes on."""

from __future__ import annotations

import threading
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from smtp_wizard.app import HOME
from smtp_wizard.commands import screens_or_plain
from smtp_wizard.engine.accounts import saved_accounts
from smtp_wizard.engine.accounts.account import Account
from smtp_wizard.engine.accounts.saved_accounts import SavedAccounts
from smtp_wizard.engine.base.address import Address
from smtp_wizard.engine.base.connection import Auth
from smtp_wizard.engine.base.shown import phrase
from smtp_wizard.engine.services.services import Services
from smtp_wizard.screens.accounts.home import READING, HomeScreen
from smtp_wizard.screens.areas.bounces import BouncesScreen
from smtp_wizard.screens.areas.domain import DomainScreen
from smtp_wizard.screens.areas.unsubscribe import UnsubscribeScreen
from smtp_wizard.screens.menu import MenuPanel
from tests.commands.test_send import RELAY
from tests.support.patience import PATIENCE
from tests.support.walk import Walk, key_event, make_services, walking

ONE = replace(
    RELAY,
    name=phrase("Office"),
    connection=replace(RELAY.connection, username="ana", auth=Auth.PASSWORD),
    identity=replace(RELAY.identity, sender=Address("hello", "shop.example")),
)


class Slow:
    """Reads the accounts as ever, once somebody lets it."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.may = threading.Event()
        self.threads: list[threading.Thread] = []
        """Where they were read."""
        read = SavedAccounts.list

        def slowly(accounts: SavedAccounts) -> Sequence[Account]:
            self.threads.append(threading.current_thread())
            assert self.may.wait(PATIENCE), "whoever waits for it has nobody left who could let it go on"
            return read(accounts)

        monkeypatch.setattr(SavedAccounts, "list", slowly)
        monkeypatch.setattr(saved_accounts, "QUICKLY_READ", 0)

    def goes_on(self) -> None:
        """See that it was read beside the event loop, and let it go on."""
        assert self.threads
        assert threading.main_thread() not in self.threads
        self.may.set()


@pytest.fixture
def services(tmp_path: Path) -> Services:
    made = make_services(tmp_path)
    made.saved_accounts.put(ONE)
    return made


@asynccontextmanager
async def at_home(services: Services, slow: Slow) -> AsyncIterator[Walk]:
    slow.may.set()
    async with walking(services, start=HOME) as walk:
        await walk.until_reads("Office")
        slow.may.clear()
        slow.threads.clear()
        yield walk
        slow.may.set()


async def test_the_list_of_accounts_stands_there_before_they_are_read(
    services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    slow = Slow(monkeypatch)
    async with walking(services, start=HOME) as walk:
        await walk.until_reads(READING)
        await walk.until_reads("Your accounts")
        walk.app.post_message(key_event("enter"))
        slow.goes_on()
        await walk.until(lambda: not isinstance(walk.app.screen, HomeScreen), "what can be done with the account")
        await walk.until_reads("Office")


@pytest.mark.parametrize(
    ("key", "screen", "words"),
    [
        ("b", BouncesScreen, "The mailbox of 'Office' was not read yet."),
        ("d", DomainScreen, "shop.example"),
        ("u", UnsubscribeScreen, "hello@shop.example"),
    ],
)
async def test_a_tool_stands_there_before_the_accounts_are_read(
    key: str, screen: type[BouncesScreen], words: str, services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    slow = Slow(monkeypatch)
    async with at_home(services, slow) as walk:
        walk.app.open_tool({"b": "bounces", "d": "domain", "u": "unsubscribe"}[key])
        await walk.until(lambda: isinstance(walk.app.screen, screen), "the tool")
        await walk.until_reads(screen.HEADING)
        assert not walk.reads(words)
        slow.goes_on()
        await walk.until_reads(words)


async def test_the_menu_opens_before_the_accounts_are_counted(
    services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    slow = Slow(monkeypatch)
    async with at_home(services, slow) as walk:
        await walk.press("f10")
        await walk.at_screen(MenuPanel)
        await walk.until_reads("saved, tested, changed")
        await walk.press("down")
        slow.goes_on()
        await walk.until_reads("1 saved")
        panel = await walk.at_screen(MenuPanel)
        assert panel.menu.selected is panel.menu.items[1], "the mark stays where it is"


def test_whether_there_are_accounts_to_go_to_is_known_of_a_large_file_without_reading_it(
    services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    Slow(monkeypatch)
    monkeypatch.setattr(SavedAccounts, "holds_any", lambda _: pytest.fail("it is read"))
    assert services.saved_accounts.may_hold_any()


def test_the_screens_open_over_many_accounts_without_reading_them_first(
    services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    Slow(monkeypatch)
    opened: list[str] = []
    monkeypatch.setattr(SavedAccounts, "holds_any", lambda _: pytest.fail("it is read"))
    monkeypatch.setattr(screens_or_plain, "open_wizard", lambda invocation, start, draft: opened.append(start))
    invocation: Any = SimpleNamespace(saved_accounts=services.saved_accounts)
    screens_or_plain.open_screens(invocation)
    assert opened == ["home"]
