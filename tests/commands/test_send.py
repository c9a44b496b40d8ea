"""`send`: the test message, what is known of it afterwards, and what is not."""

from __future__ import annotations

import asyncio
import base64
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from smtp_wizard.engine.accounts.account import Account
from smtp_wizard.engine.accounts.saved_accounts import SavedAccounts
from smtp_wizard.engine.base.address import Address
from smtp_wizard.engine.base.connection import Auth, Connection
from smtp_wizard.engine.base.endpoint import Endpoint, Security
from smtp_wizard.engine.base.identity import Identity, Scope
from smtp_wizard.engine.base.shown import phrase
from tests.support.certs import Authority
from tests.support.checking import DATA, GO_AHEAD, MAIL_FROM, MESSAGE, OK, RCPT_TO, starttls_up_to_handshake
from tests.support.cli import Ran, on_terminal, run
from tests.support.misbehaving import Close, Expect, Hold, MisbehavingServer, Send, StartTls, Step
from tests.support.nouns import with_fields
from tests.support.state import FULL, refuse_to_write
from tests.support.time_is_up import TimeIsUp
from tests.support.walk import until

PASSWORD = "abcd efgh ijkl mnop"
BOB = "bob@example.org"
RELAY = Account(
    name=phrase("Office"),
    address=Address("ana", "example.com"),
    connection=Connection(
        endpoint=Endpoint("127.0.0.1", 587, Security.STARTTLS),
        username="",
        auth=Auth.NONE,
        provider="custom",
        path="none",
        allow_cleartext=False,
        ehlo_name="",
        ca_file=None,
        sandbox=None,
    ),
    identity=Identity(
        sender=Address("hello", "example.com"), sender_name="Ana", company_name="", reply_to=None, update_company=False
    ),
    scope=Scope.GENERAL,
    store=None,
    created=datetime(2026, 11, 24, tzinfo=UTC),
)
"""An account that needs no sign-in, so that a script is short."""


@pytest.fixture
def saved_accounts(own_home: Path) -> SavedAccounts:
    return SavedAccounts(own_home / "config")


@pytest.fixture
def practice(saved_accounts: SavedAccounts) -> Account:
    """A practice account whose password is kept nowhere."""
    arguments = ("setup", "ana@sandbox.test", "--password-stdin", "--store", "session", "--save", "Office")
    assert run(*arguments, stdin=PASSWORD).code == 0
    return saved_accounts.get("Office")


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return Authority(tmp_path / "ca")


def script(authority: Authority, *rest: Step) -> list[Step]:
    """Play a server that needs no sign-in, up to the sender; `rest` is what follows."""
    context = authority.issue("127.0.0.1").context()
    offer: list[Step] = [Expect(rb"EHLO .*"), Send(b"250-mail.example.com\r\n250 SIZE 50000\r\n")]
    return [*starttls_up_to_handshake(), StartTls(context), *offer, MAIL_FROM, OK, *rest, Hold()]


async def send(
    saved_accounts: SavedAccounts, authority: Authority, server: MisbehavingServer, *more: str, **changes: Any
) -> Ran:
    """Save an account that leads to this server, and send its test message."""
    account = replace(
        RELAY,
        connection=replace(RELAY.connection, endpoint=server.endpoint(Security.STARTTLS), ca_file=str(authority.file)),
    )
    saved_accounts.put(with_fields(account, **changes), replacing=True)
    return await asyncio.to_thread(run, "send", "office", "--to", BOB, *more)


# --- practice ---


def test_in_practice_it_lies_in_the_practice_mailbox_with_its_code(practice: Account) -> None:
    ran = run("send", "Office", "--to", "bob@sandbox.test", "--password-stdin", "--json", stdin=PASSWORD)
    assert (ran.code, ran.stages[-1], ran.document["accepted"]) == (0, ("data", "pass"), "yes")
    shown = run("sandbox", "mailbox", "show", ran.document["practice_message"], "--json").document
    assert ran.document["test_code"] in shown["subject"]
    assert ran.document["test_code"] in shown["text"]
    assert shown["recipients"] == [ran.document["to"]] == ["bob@sandbox.test"]


def test_a_person_reads_where_it_lies(practice: Account) -> None:
    ran = run("send", "Office", "--to", "bob@sandbox.test", "--password-stdin", stdin=PASSWORD)
    words = " ".join(ran.out.split())
    (message,) = run("sandbox", "mailbox", "--json").document["messages"]
    assert f"'smtp-wizard sandbox mailbox show {message['key']}' shows it." in words
    assert "goes nowhere else" in words


def test_the_result_is_kept_with_the_account(practice: Account, saved_accounts: SavedAccounts) -> None:
    assert run("send", "Office", "--to", "bob@sandbox.test", "--password-stdin", stdin=PASSWORD).code == 0
    last = saved_accounts.get("Office").last
    assert last is not None
    assert (last.depth, last.verdict) == ("send", "pass")


def test_on_a_terminal_the_password_is_asked_for(practice: Account) -> None:
    """The person types the password, which is not shown, and reads the stages and what is known."""
    ran = on_terminal(["send", "Office", "--to", "bob@sandbox.test"], typed=[("Password of Office: ", f"{PASSWORD}\n")])
    assert ran.code == 0
    assert "its code is" in " ".join(ran.out.split())
    assert PASSWORD not in ran.out


def test_a_server_that_takes_no_more_today_is_a_finding_and_nothing_was_sent(saved_accounts: SavedAccounts) -> None:
    """Signing in works, so the account could be saved; the message is refused."""
    saved = ("setup", "ana@sandbox.test", "--path", "quota-reached", "--store", "session", "--save", "Full")
    assert run(*saved, "--password-stdin", stdin=PASSWORD).code == 0
    ran = run("send", "Full", "--to", "bob@sandbox.test", "--password-stdin", "--json", stdin=PASSWORD)
    assert (ran.code, ran.document["accepted"], ran.document["practice_message"]) == (1, "no", None)
    (finding,) = ran.result["findings"]
    assert finding["code"] == "daily_limit"
    assert run("sandbox", "mailbox", "--json").document["messages"] == []
    told = run("send", "Full", "--to", "bob@sandbox.test", "--password-stdin", stdin=PASSWORD)
    assert (told.code, told.out.splitlines()[-1]) == (1, "No message was sent.")


@pytest.mark.parametrize("form", [(), ("--json",), ("-v",)])
def test_the_password_is_in_no_output_and_no_file(practice: Account, own_home: Path, form: tuple[str, ...]) -> None:
    talk = own_home / "talk.txt"
    more = ("--to", "bob@sandbox.test", "--password-stdin", "--transcript", str(talk))
    ran = run("send", "Office", *more, *form, stdin=PASSWORD)
    assert ran.code == 0
    assert talk.stat().st_size > 0
    forms = [PASSWORD.encode(), base64.b64encode(PASSWORD.encode())[:-4]]
    forms.append(base64.b64encode(b"\0ana@sandbox.test\0" + PASSWORD.encode())[24:-4])
    seen = [ran.out.encode(), ran.err.encode()]
    seen += [file.read_bytes() for file in own_home.rglob("*") if file.is_file()]
    assert [each for each in forms for text in seen if each in text] == []


# --- a real server ---


async def test_that_it_was_taken_is_known_and_that_it_arrives_is_not(
    saved_accounts: SavedAccounts, authority: Authority
) -> None:
    played = script(authority, RCPT_TO, OK, DATA, GO_AHEAD, MESSAGE, Send(b"250 2.0.0 queued as 4F1\r\n"))
    async with MisbehavingServer(played) as server:
        ran = await send(saved_accounts, authority, server)
        ran_json = await send(saved_accounts, authority, server, "--json")
    assert ran.code == 0
    words = " ".join(ran.out.split())
    code = words.partition("its code is ")[2][:8]
    assert f"smtp-wizard test {code}".encode() in server.received
    assert "queued as 4F1" in words
    assert f"The server has taken the message for {BOB}" in words
    assert "Not known from here: whether it arrives" in words
    assert "a returned message in the mailbox of hello@example.com" in words
    assert (ran_json.document["accepted"], ran_json.document["practice_message"]) == ("yes", None)


async def test_a_recipient_that_is_refused_means_that_nothing_was_sent(
    saved_accounts: SavedAccounts, authority: Authority
) -> None:
    async with MisbehavingServer(script(authority, RCPT_TO, Send(b"550 5.1.1 no such user\r\n"))) as server:
        ran = await send(saved_accounts, authority, server)
        ran_json = await send(saved_accounts, authority, server, "--json")
    assert ran.code == 1
    assert ran.out.splitlines()[-1] == "No message was sent."
    assert (ran_json.document["accepted"], ran_json.result["verdict"]) == ("no", "fail")


async def test_an_answer_that_is_lost_leaves_it_unknown(saved_accounts: SavedAccounts, authority: Authority) -> None:
    async with MisbehavingServer(script(authority, RCPT_TO, OK, DATA, GO_AHEAD, MESSAGE, Close())) as server:
        ran = await send(saved_accounts, authority, server)
        ran_json = await send(saved_accounts, authority, server, "--json")
    assert ran.code == 1
    assert "Nobody can say whether the message was sent" in " ".join(ran.out.split())
    assert (ran_json.document["accepted"], ran_json.stages[-1]) == ("unknown", ("data", "unknown"))


async def test_time_that_is_up_in_the_middle_of_it_leaves_it_unknown(
    saved_accounts: SavedAccounts, authority: Authority, monkeypatch: pytest.MonkeyPatch
) -> None:
    time_is_up = TimeIsUp(monkeypatch)
    played = script(authority, RCPT_TO, OK, DATA, GO_AHEAD, MESSAGE)
    async with MisbehavingServer(played) as server:
        sending = asyncio.create_task(send(saved_accounts, authority, server, "--timeout", "1", "--json"))
        await until(
            lambda: [each.played for each in server.conversations] == [len(played) - 1], lambda: "no message came"
        )
        time_is_up.now()
        ran = await sending
    assert (ran.code, ran.document["accepted"]) == (1, "unknown")
    assert ran.result["findings"][0]["code"] == "time-is-up"


async def test_a_result_that_cannot_be_kept_does_not_hide_that_it_was_sent(
    saved_accounts: SavedAccounts, authority: Authority, monkeypatch: pytest.MonkeyPatch
) -> None:
    refuse_to_write(monkeypatch, FULL)
    played = script(authority, RCPT_TO, OK, DATA, GO_AHEAD, MESSAGE, OK)
    async with MisbehavingServer(played) as server:
        ran = await send(saved_accounts, authority, server, "--json")
    assert (ran.code, ran.document["accepted"]) == (0, "yes")
    assert ran.err.splitlines()[-1].endswith("no space left on the disk.")


# --- what cannot be sent ---


@pytest.mark.parametrize("same", ["ana@sandbox.test", "ANA@Sandbox.Test"])
def test_the_senders_own_address_proves_nothing_and_is_refused(practice: Account, same: str) -> None:
    ran = run("send", "Office", "--to", same, "--password-stdin", "--json", stdin=PASSWORD)
    assert (ran.code, ran.error["code"]) == (2, "input")
    assert "it proves nothing. Choose another address." in ran.error["message"]
    assert run("sandbox", "mailbox", "--json").document["messages"] == []


@pytest.mark.parametrize(
    ("arguments", "code", "kind"),
    [
        (("Office",), 2, "missing-answers"),
        (("Office", "--to", "nobody"), 2, "usage"),
        (("Nobody", "--to", BOB), 4, "no-such-account"),
        (("Office", "--to", BOB), 3, "secret-ask"),
        (("Office", "--to", BOB, "--ca-file", "/nowhere/ca.pem"), 2, "ca-file"),
        ((), 2, "usage"),
    ],
)
def test_what_is_lacking_is_said_and_nothing_is_tried(
    practice: Account, arguments: tuple[str, ...], code: int, kind: str
) -> None:
    ran = run("send", *arguments, "--json")
    assert (ran.code, ran.error["code"]) == (code, kind)
