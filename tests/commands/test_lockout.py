"""Every command that signs in stops before an account gets locked, says so in every form, and can be told otherwise."""

from __future__ import annotations

import asyncio
import json
import signal
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest

from smtp_wizard.engine.accounts.account import Account
from smtp_wizard.engine.accounts.guarded_sign_in import REFUSED
from smtp_wizard.engine.accounts.saved_accounts import SavedAccounts
from smtp_wizard.engine.base.connection import Auth
from smtp_wizard.engine.base.endpoint import Security
from smtp_wizard.engine.base.shown import phrase, shown
from smtp_wizard.engine.secrets.store_kinds import StoreKind, StoreRef
from tests.commands.test_send import RELAY
from tests.support.certs import Authority
from tests.support.checking import AUTH, EHLO, GREETING, SLOW_OFFER, starttls_up_to_auth
from tests.support.cli import Ran, run, started
from tests.support.misbehaving import Hold, MisbehavingServer, Send, Step
from tests.support.time_is_up import TimeIsUp
from tests.support.walk import until

ANA = "ana@example.com"
PAUSED = "sign_in_paused"


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return Authority(tmp_path / "ca")


@pytest.fixture
def refusing(authority: Authority) -> list[Step]:
    """A server that takes no password."""
    context = authority.issue("localhost", "127.0.0.1").context()
    return [*starttls_up_to_auth(context), Send(b"535 5.7.8 no\r\n"), Hold()]


@pytest.fixture
def saved_accounts(own_home: Path) -> SavedAccounts:
    return SavedAccounts(own_home / "config")


def save(
    saved_accounts: SavedAccounts, authority: Authority, server: MisbehavingServer, name: str = "Office"
) -> Account:
    account = replace(
        RELAY,
        name=shown(name),
        connection=replace(
            RELAY.connection,
            endpoint=server.endpoint(Security.STARTTLS),
            ca_file=str(authority.file),
            auth=Auth.PASSWORD,
            username=ANA,
        ),
        store=StoreRef(StoreKind.SESSION, f"{name}/password"),
    )
    saved_accounts.put(account)
    return account


async def cli(*arguments: str) -> Ran:
    """Run a command beside the server of this test, the password on its standard input."""
    return await asyncio.to_thread(run, *arguments, "--password-stdin", stdin="guess one\n")


async def spend(server: MisbehavingServer, authority: Authority) -> None:
    """Sign in in vain, three times."""
    where = [f"127.0.0.1:{server.port}", "--security", "starttls", "--ca-file", str(authority.file)]
    for _ in range(3):
        ran = await cli("check", *where, "--depth", "login", "--username", ANA, "--json")
        assert ran.result["findings"][0]["code"] in REFUSED
    assert server.connections == 3


async def test_every_command_stops_and_every_one_can_be_told_otherwise(
    refusing: list[Step], authority: Authority, saved_accounts: SavedAccounts
) -> None:
    async with MisbehavingServer(refusing) as server:
        save(saved_accounts, authority, server)
        await spend(server, authority)
        ca = ["--ca-file", str(authority.file)]
        place = ["--host", "127.0.0.1", "--port", str(server.port), "--security", "starttls", "--username", ANA]
        commands = {
            "check": [
                "check",
                f"127.0.0.1:{server.port}",
                "--security",
                "starttls",
                "--depth",
                "login",
                "--username",
                ANA,
            ],
            "test": ["test", "Office"],
            "send": ["send", "Office", "--to", "bob@example.org"],
            "password": ["accounts", "password", "Office"],
            "edit": ["accounts", "edit", "Office", "--sender-name", "Ana"],
            "setup": ["setup", ANA, "--provider", "custom", *place],
        }
        for command in commands.values():
            ran = await cli(*command, *ca, "--json")
            assert (ran.code, ran.result["verdict"]) == (1, "fail"), command
            assert [finding["code"] for finding in ran.result["findings"]] == [PAUSED], command
            assert ("auth", "fail") in ran.stages
        assert server.connections == 3
        for number, command in enumerate(commands.values(), 4):
            ran = await cli(*command, *ca, "--json", "--ignore-lockout")
            assert ran.result["findings"][0]["code"] in REFUSED, command
            assert server.connections == number


async def test_every_form_of_test_says_it(
    refusing: list[Step], authority: Authority, saved_accounts: SavedAccounts
) -> None:
    async with MisbehavingServer(refusing) as server:
        save(saved_accounts, authority, server)
        await spend(server, authority)
        forms = {
            form: await cli("test", "--format", form) for form in ("plain", "jsonl", "junit", "nagios", "prometheus")
        }
        assert server.connections == 3
    plain = " ".join(forms["plain"].out.split())
    assert "FAIL Sign in Stopped before the account gets locked: wait until" in plain
    assert "--ignore-lockout" in plain
    assert json.loads(forms["jsonl"].out)["findings"][0]["code"] == PAUSED
    assert "Stopped before the account gets locked" in forms["junit"].out
    assert (forms["nagios"].code, "Stopped before the account gets locked" in forms["nagios"].out) == (2, True)
    assert "smtp_wizard" in forms["prometheus"].out
    assert all(ran.code for form, ran in forms.items())


async def test_two_names_of_one_mailbox_are_counted_together(
    refusing: list[Step], authority: Authority, saved_accounts: SavedAccounts, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with MisbehavingServer(refusing) as server:
        for name in ("One", "Two", "Three", "Four"):
            monkeypatch.setenv(f"PASSWORD_{name.upper()}", "guess one")
            account = save(saved_accounts, authority, server, name)
            store = StoreRef(StoreKind.ENV, f"PASSWORD_{name.upper()}")
            saved_accounts.put(replace(account, store=store), replacing=True)
        ran = await asyncio.to_thread(run, "test", "--all", "--json")
        found = sorted(result["findings"][0]["code"] for result in ran.document["results"])
        assert (found, server.connections) == (["bad_credentials"] * 3 + [PAUSED], 3)


async def test_the_account_says_how_many_refusals_count(
    refusing: list[Step], authority: Authority, saved_accounts: SavedAccounts
) -> None:
    async with MisbehavingServer(refusing) as server:
        save(saved_accounts, authority, server)
        shown = await asyncio.to_thread(run, "accounts", "show", "Office", "--json")
        assert shown.document["refused_lately"] == 0
        await spend(server, authority)
    shown = await asyncio.to_thread(run, "accounts", "show", "Office", "--json")
    assert shown.document["refused_lately"] == 3
    words = (await asyncio.to_thread(run, "accounts", "show", "Office")).out
    assert "user name and password were refused 3 times" in words


SILENCE: list[Step] = [GREETING, EHLO, SLOW_OFFER, AUTH, Hold()]


def sign_ins(server: MisbehavingServer) -> int:
    return server.received.count(b"AUTH PLAIN")


def no_sign_in() -> str:
    return "no sign-in came"


def more_sign_ins(server: MisbehavingServer, before: int) -> bool:
    return sign_ins(server) > before


async def test_a_script_that_is_impatient_sends_three_and_no_more(
    own_home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`setup --timeout` at a server that does not answer the sign-in, five times."""
    time_is_up = TimeIsUp(monkeypatch)
    async with MisbehavingServer(SILENCE, strict=False) as server:
        where = ["--host", "127.0.0.1", "--port", str(server.port), "--security", "none", "--allow-cleartext-login"]
        for _ in range(5):
            setting_up = cli("setup", ANA, *where, "--username", ANA, "--timeout", "1", "--json")
            ran = await time_is_up.when(partial(more_sign_ins, server, sign_ins(server)), setting_up)
            assert ran.code == 1
        assert sign_ins(server) == 3


@pytest.mark.parametrize("ending", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
async def test_a_sign_in_whose_process_was_ended_counts(
    saved_accounts: SavedAccounts, monkeypatch: pytest.MonkeyPatch, ending: signal.Signals
) -> None:
    """Whatever ends it: the server has seen the password. What comes next says so, at once."""
    monkeypatch.setenv("OFFICE_PASSWORD", "guess one")
    async with MisbehavingServer(SILENCE, strict=False) as server:
        account = replace(
            RELAY,
            name=phrase("Office"),
            connection=replace(
                RELAY.connection,
                endpoint=server.endpoint(Security.NONE),
                allow_cleartext=True,
                auth=Auth.PASSWORD,
                username=ANA,
            ),
            store=StoreRef(StoreKind.ENV, "OFFICE_PASSWORD"),
        )
        saved_accounts.put(account)
        for _ in range(3):
            before = sign_ins(server)
            with started("test", "Office") as process:
                await until(partial(more_sign_ins, server, before), no_sign_in)
                process.send_signal(ending)
                await asyncio.to_thread(process.communicate)
        ran = await asyncio.to_thread(run, "test", "Office", "--json")
        assert sign_ins(server) == 3
    (finding,) = ran.result["findings"]
    assert finding["code"] == PAUSED
    assert "3 sign-ins were not answered in time" in finding["explanation"]
