"""Pressing Enter again: it begins no second sign-in while one runs, and sends nothing once more that was refused."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from smtp_wizard.engine.base.address import Address
from smtp_wizard.engine.base.connection import Connection
from smtp_wizard.engine.base.endpoint import Security
from smtp_wizard.engine.base.secret import Secret
from smtp_wizard.engine.base.stages import Depth, Verdict
from smtp_wizard.engine.checks.target import TimeLimits
from smtp_wizard.engine.services.services import Services
from smtp_wizard.engine.wizard.draft import Draft, Origin, Proof
from smtp_wizard.screens.accounts.home import HomeScreen
from smtp_wizard.text.connect import REFUSED_UNCHANGED, SAME_AGAIN
from smtp_wizard.text.wizard import UNDER_WAY
from smtp_wizard.widgets.fault_containment import FaultContained
from tests.support.checking import AUTH, EHLO, GREETING, PLAIN_UP_TO_AUTH, SIGNED_IN, SLOW_OFFER, hurried
from tests.support.misbehaving import Hold, MisbehavingServer, Script, Send
from tests.support.walk import Walk, make_services, walking

REFUSED: Script = [*PLAIN_UP_TO_AUTH, Send(b"535 5.7.8 no\r\n"), Hold()]
TAKEN: Script = [*PLAIN_UP_TO_AUTH, SIGNED_IN, Hold()]
SILENT: Script = [GREETING, EHLO, SLOW_OFFER, AUTH, Hold()]
NOON = datetime(2026, 11, 30, 12, tzinfo=UTC)


PATIENT = hurried(auth=60.0)
"""The server keeps silent for as long as the test lasts."""


def draft(server: MisbehavingServer) -> Draft:
    return Draft(
        address=Address("ana", "firm.example"),
        connection=Connection(
            provider="custom",
            path="password",
            endpoint=server.endpoint(Security.NONE),
            allow_cleartext=True,
            username="ana@firm.example",
        ),
        origin=Origin.HAND,
        ways=2,
        by_hand=True,
        confirmed_host=server.host,
        secret=Secret("guess one"),
        name="Office",
    )


def signed_in(server: MisbehavingServer) -> Draft:
    found = draft(server)
    assert found.connection.endpoint is not None
    proof = Proof(NOON, Depth.LOGIN, Verdict.PASS, found.connection.endpoint, found.connection.username)
    return replace(found, proof=proof, test_to=Address("bob", "elsewhere.example"))


def services_with(folder: Path, limits: TimeLimits = PATIENT) -> Services:
    return make_services(folder, limits=limits)


def sign_ins(server: MisbehavingServer) -> int:
    return server.received.count(b"AUTH PLAIN")


async def reach(walk: Walk, server: MisbehavingServer, count: int) -> None:
    await walk.until(lambda: sign_ins(server) == count, f"{count} sign-ins at the server")


async def checked(walk: Walk) -> None:
    """Wait for the end of a check."""
    screen = walk.app.screen
    assert isinstance(screen, FaultContained)
    await walk.until(lambda: not screen.at_work("checks") and not screen.at_work("act"), "the end of the check")
    await walk.settle()


async def at_connect(walk: Walk) -> None:
    """Come to Connect, where no other check is under way."""
    await walk.at("connect")
    walk.app.context.watch.stop()


@pytest.mark.parametrize("key", ["enter", "f4"])
async def test_while_a_sign_in_runs_no_key_begins_another(tmp_path: Path, key: str) -> None:
    """Six times Enter at a slow server: one sign-in."""
    async with (
        MisbehavingServer(SILENT, strict=False) as server,
        walking(services_with(tmp_path), draft=draft(server)) as walk,
    ):
        await at_connect(walk)
        await walk.press("enter")
        await reach(walk, server, 1)
        before = server.connections
        await walk.press(*[key] * 5)
        assert (sign_ins(server), server.connections) == (1, before)


async def test_a_server_that_never_answers_gets_three_and_the_screen_says_so(tmp_path: Path) -> None:
    services = services_with(tmp_path, hurried(auth=0.05))
    async with MisbehavingServer(SILENT, strict=False) as server, walking(services, draft=draft(server)) as walk:
        await at_connect(walk)
        for _ in range(30):  # on a busy computer the time may be up before the password has gone out: that counts not
            await walk.press("enter")
            await checked(walk)
            if walk.reads("Stopped before the account gets locked"):
                break
        await walk.until_reads("3 sign-ins were not answered in time")
        assert sign_ins(server) == 3


async def test_enter_sends_nothing_while_a_refused_password_stands_there(tmp_path: Path) -> None:
    """A choice of its own sends the same once more; another password is tried at once."""
    async with (
        MisbehavingServer(REFUSED, strict=False) as server,
        walking(services_with(tmp_path), draft=draft(server)) as walk,
    ):
        await at_connect(walk)
        await walk.press("enter")
        await walk.until_reads("The user name or the password is wrong")
        await walk.press("enter", "enter", "enter")
        await walk.until_reads(REFUSED_UNCHANGED)
        assert sign_ins(server) == 1
        await walk.take(SAME_AGAIN)
        await reach(walk, server, 2)
        await checked(walk)
        await walk.write("guess two")
        assert walk.draft.secret == Secret("guess two"), "what was refused is typed over"
        await walk.press("enter")
        await reach(walk, server, 3)


async def test_a_refused_password_stays_refused_when_one_goes_back_and_comes_again(tmp_path: Path) -> None:
    async with (
        MisbehavingServer(REFUSED, strict=False) as server,
        walking(services_with(tmp_path), draft=draft(server)) as walk,
    ):
        await at_connect(walk)
        await walk.press("enter")
        await walk.until_reads("The user name or the password is wrong")
        await walk.press("escape")
        await walk.at("server")
        await walk.press("enter")
        await walk.until(lambda: walk.step == "connect" or walk.reads("Enter"), "the way on")
        while walk.step != "connect":
            await walk.press("enter")
            await checked(walk)
        await at_connect(walk)
        await walk.press("enter", "enter")
        await walk.until_reads(REFUSED_UNCHANGED)
        assert sign_ins(server) == 1


async def test_the_test_mail_sends_nothing_once_more_that_was_refused(tmp_path: Path) -> None:
    """Enter leads to Connect, which believes no longer that the sign-in works; 'once more' is a choice of its own."""
    async with (
        MisbehavingServer(REFUSED, strict=False) as server,
        walking(services_with(tmp_path), draft=signed_in(server)) as walk,
    ):
        await walk.at("testmail")
        walk.app.context.watch.stop()
        await walk.press("enter")
        await walk.until_reads("The user name or the password is wrong")
        await walk.press("down", "enter")
        await reach(walk, server, 2)
        await walk.until_reads("The test message was not sent.")
        await walk.press("enter")
        await at_connect(walk)
        assert not walk.reads("Enter Send a test")
        await walk.press("enter")
        await walk.until_reads(REFUSED_UNCHANGED)
        assert sign_ins(server) == 2


async def test_while_a_test_mail_is_sent_no_key_sends_another(tmp_path: Path) -> None:
    async with (
        MisbehavingServer(SILENT, strict=False) as server,
        walking(services_with(tmp_path), draft=signed_in(server)) as walk,
    ):
        await walk.at("testmail")
        walk.app.context.watch.stop()
        await walk.press("enter")
        await reach(walk, server, 1)
        before = server.connections
        await walk.press("enter", "f5", "enter")
        assert (sign_ins(server), server.connections) == (1, before)


@pytest.mark.parametrize("keys", ["ttt", "aaa", "tap"])
async def test_while_an_account_is_tested_no_key_begins_another_test(tmp_path: Path, keys: str) -> None:
    """T, T, T on the accounts: one sign-in. Escape stops it."""
    services = services_with(tmp_path)
    async with MisbehavingServer(SILENT, strict=False) as server:
        await services.accounts.save(draft(server))
        async with walking(services, start="home") as walk:
            await walk.at_screen(HomeScreen)
            await walk.press(keys[0])
            await reach(walk, server, 1)
            await walk.press(*keys[1:])
            await walk.until_reads(UNDER_WAY)
            assert (sign_ins(server), server.connections) == (1, 1)
            await walk.press("escape")
            await walk.until_reads("Stopped. Nothing was sent.")


async def test_a_saved_password_that_was_refused_is_not_sent_again_by_enter(tmp_path: Path) -> None:
    """T says that it is refused; whoever then changes the account types another, or presses F5."""
    services = services_with(tmp_path)
    async with MisbehavingServer(REFUSED, strict=False) as server:
        await services.accounts.save(draft(server))
        async with walking(services, start="home") as walk:
            await walk.at_screen(HomeScreen)
            await walk.press("t")
            await walk.until_reads("'Office': password refused")
            await walk.press("e")
            await walk.at("server")
            await walk.press("enter")
            await walk.at("connect")
            walk.app.context.watch.stop()
            await walk.press("enter", "enter")
            await walk.until_reads(REFUSED_UNCHANGED)
            assert sign_ins(server) == 1
            await walk.fill("#secret", "guess two")
            await walk.press("enter")
            await reach(walk, server, 2)
