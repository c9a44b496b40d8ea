"""What is done with an account that another process changes between the choice and the deed."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from smtp_wizard.engine.base.endpoint import Endpoint, Security
from smtp_wizard.engine.base.secret import Secret
from smtp_wizard.engine.secrets.store_kinds import StoreKind
from smtp_wizard.engine.services.services import Services
from smtp_wizard.flows.accounts.action import Action, ActionResult
from smtp_wizard.flows.question import Answer
from smtp_wizard.text.accounts import AccountAction
from tests.flows.accounts.doubles import flow_of, saved
from tests.flows.accounts.test_actions import Server, action, answered, with_server
from tests.support.stores import desktop
from tests.support.walk import make_services

OTHER = Endpoint("smtp.other.example", 465, Security.TLS)


async def rename(begun: Action) -> ActionResult | None:
    return await answered(begun, "New name")


async def new_password(begun: Action) -> ActionResult | None:
    return await answered(begun, "a new one")


async def yes(begun: Action) -> ActionResult | None:
    return await begun.act(Answer.DO)


async def to_session(begun: Action) -> ActionResult | None:
    return await begun.act(StoreKind.SESSION)


DEEDS: dict[AccountAction, Callable[[Action], Awaitable[ActionResult | None]] | None] = {
    AccountAction.RENAME: rename,
    AccountAction.PASSWORD: new_password,
    AccountAction.SCOPE: None,
    AccountAction.MOVE: to_session,
    AccountAction.DELETE: yes,
}


class Two:
    """Two processes over one folder and one keyring; the first has the account before it."""

    def __init__(self, folder: Path) -> None:
        backend = desktop()
        self.one, self.other = make_services(folder, backend=backend), make_services(folder, backend=backend)
        self.server = Server("a new one", "abcdefghijklmnop")
        with_server(self.one, self.server)

    async def done(self, wanted: AccountAction, meanwhile: Callable[[Services], Awaitable[Any]]) -> ActionResult:
        """Choose what is to be done, have something happen, then do it."""
        await saved(self.one, "Office")
        begun = await action(flow_of(self.one, checks=self.server), wanted)
        go = DEEDS[wanted]
        if go is not None:
            assert await begun.begin() is None
        await meanwhile(self.other)
        done = await (go(begun) if go is not None else begun.begin())
        assert done is not None
        return done

    async def secret_of(self, name: str) -> str:
        found = await self.other.entries.secret_of(self.other.saved_accounts.get(name))
        assert found is not None
        return found.reveal()


@pytest.fixture
def two(tmp_path: Path) -> Two:
    return Two(tmp_path)


@pytest.mark.parametrize("wanted", DEEDS)
async def test_it_is_done_to_the_account_whatever_it_is_called_now(two: Two, wanted: AccountAction) -> None:
    done = await two.done(wanted, lambda other: other.accounts.rename("Office", "Elsewhere"))
    assert (bool(done.said), done.trouble) == (True, "")
    names = [each.name for each in two.other.saved_accounts.list()]
    gone, renamed = wanted is AccountAction.DELETE, wanted is AccountAction.RENAME
    assert names == ([] if gone else ["New name"] if renamed else ["Elsewhere"])


@pytest.mark.parametrize("wanted", DEEDS)
async def test_an_account_that_is_gone_is_said(two: Two, wanted: AccountAction) -> None:
    done = await two.done(wanted, lambda other: other.accounts.remove("Office"))
    assert (done.said, "no account named 'Office'" in done.trouble) == ("", True)
    assert two.other.saved_accounts.list() == ()


@pytest.mark.parametrize("wanted", DEEDS)
async def test_nothing_is_done_to_another_account_that_has_its_name(two: Two, wanted: AccountAction) -> None:
    """Set up anew meanwhile, it is for another server: neither is it deleted, nor has it another's password."""

    async def another(other: Services) -> None:
        await other.accounts.remove("Office")
        made = await saved(other, "Office", secret=Secret("of another"))
        other.saved_accounts.change("Office", replace(made, connection=replace(made.connection, endpoint=OTHER)))

    done = await two.done(wanted, another)
    assert (done.said, bool(done.trouble)) == ("", True)
    (account,) = two.other.saved_accounts.list()
    assert (account.name, account.connection.endpoint) == ("Office", OTHER)
    assert await two.secret_of("Office") == "of another"


async def test_a_password_that_one_server_took_is_not_kept_for_another(two: Two) -> None:
    async def moved(other: Services) -> None:
        now = other.saved_accounts.get("Office")
        other.saved_accounts.change("Office", replace(now, connection=replace(now.connection, endpoint=OTHER)))

    done = await two.done(AccountAction.PASSWORD, moved)
    assert "for other settings now" in done.trouble
    assert await two.secret_of("Office") == "abcdefghijklmnop"


async def test_two_that_give_one_account_a_password_at_once_keep_one_of_them(two: Two) -> None:
    await saved(two.one, "Office")
    with_server(two.other, Server("another new one"))
    first = await action(flow_of(two.one), AccountAction.PASSWORD)
    second = await action(flow_of(two.other), AccountAction.PASSWORD)
    await first.begin()
    await second.begin()
    dones = await asyncio.gather(answered(first, "a new one"), answered(second, "another new one"))
    assert all(done is not None and (done.said or done.trouble) for done in dones)
    assert await two.secret_of("Office") in ("a new one", "another new one")
