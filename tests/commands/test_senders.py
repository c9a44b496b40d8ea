"""`senders`: which addresses may stand in the envelope and in From, and what to change where one may not."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from smtp_wizard.engine.accounts.saved_accounts import SavedAccounts
from smtp_wizard.engine.base.address import Address
from smtp_wizard.engine.base.connection import Auth
from smtp_wizard.engine.mailbox.arrival import sender_in
from smtp_wizard.engine.secrets.store_kinds import StoreKind, StoreRef
from smtp_wizard.engine.services import senders
from tests.commands.test_send import RELAY
from tests.support.certs import Authority
from tests.support.cli import Ran, on_terminal, run
from tests.support.imapserver import PASSWORD, USER, ImapServer, StoredFolder
from tests.support.senderserver import SenderServer, only

SALES = "sales@example.com"
NOT_OWNED = b"553 5.7.1 <%s>: Sender address rejected: not owned by user ana@example.com\r\n" % SALES.encode()
SEND_AS_DENIED = b"554 5.2.252 SendAsDenied; ana@example.com not allowed to send as sales@example.com\r\n"


@dataclass
class Office:
    """An account that sends through one server of ours, and is read from another."""

    smtp: SenderServer
    imap: ImapServer

    async def senders(self, *more: str) -> Ran:
        asked = ("senders", "Office", "--imap", f"127.0.0.1:{self.imap.endpoint.port}", "--password-stdin", *more)
        return await asyncio.to_thread(run, *asked, stdin=PASSWORD)

    @property
    def begun(self) -> list[str]:
        """The senders that were named in the envelope."""
        return [each.partition("<")[2].partition(">")[0] for each in self.smtp.commands if each.startswith("MAIL")]


@pytest.fixture
def authority(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Authority:
    monkeypatch.setattr(senders, "PAUSES", (0.01,))
    monkeypatch.setattr(senders, "PATIENCE", timedelta(seconds=0.5))
    return Authority(tmp_path / "ca")


@asynccontextmanager
async def office(own_home: Path, authority: Authority, provider: str = "custom", **how: Any) -> AsyncIterator[Office]:
    """Run both servers, and save the account."""
    context = authority.issue("127.0.0.1").context()
    async with ImapServer(context) as imap, SenderServer(context, mailbox=imap.inbox, **how) as smtp:
        connection = replace(
            RELAY.connection,
            endpoint=smtp.endpoint,
            username=USER,
            auth=Auth.PASSWORD,
            provider=provider,
            ca_file=str(authority.file),
        )
        identity = replace(RELAY.identity, sender=Address("ana", "example.com"))
        saved = replace(RELAY, connection=connection, identity=identity, store=StoreRef(StoreKind.SESSION, "x"))
        SavedAccounts(own_home / "config").put(saved)
        yield Office(smtp, imap)


def by_kind(ran: Ran) -> dict[str, dict[str, Any]]:
    return {row["kind"]: row for row in ran.document["senders"]}


async def test_the_envelope_is_tried_without_a_message_by_one_sign_in(own_home: Path, authority: Authority) -> None:
    """Where a server waits with its refusal until the recipient is named, too, as Postfix does."""
    async with office(own_home, authority, at_rcpt=only(USER, said=NOT_OWNED)) as here:
        ran = await here.senders("--try", SALES, "--json")
    rows = by_kind(ran)
    assert ran.code == 1
    assert (rows["account"]["address"], rows["account"]["envelope"], rows["account"]["from"]) == (
        USER,
        "accepted",
        "unknown",
    )
    assert (rows["tried"]["envelope"], rows["tried"]["finding"]["code"]) == ("refused", "sender_not_allowed")
    assert (rows["domain"]["envelope"], rows["elsewhere"]["envelope"]) == ("refused", "refused")
    assert rows["elsewhere"]["address"].endswith("@example.net")
    assert (here.smtp.sign_ins, here.smtp.messages, ran.document["sent"]) == (1, [], 0)
    assert "DATA" not in here.smtp.commands, "it would not be forgotten any more"
    assert here.smtp.commands.count("RSET") == len(rows)
    assert "--yes" in ran.err


async def test_what_only_the_message_tells_is_tried_by_one_to_oneself_from_each(
    own_home: Path, authority: Authority
) -> None:
    async with office(own_home, authority, at_data=only(USER, said=SEND_AS_DENIED)) as here:
        ran = await here.senders("--try", SALES, "--yes", "--json")
    rows = by_kind(ran)
    assert ran.code == 1
    assert (rows["account"]["envelope"], rows["account"]["from"]) == ("accepted", "accepted")
    assert (rows["tried"]["envelope"], rows["tried"]["from"]) == ("accepted", "refused")
    assert rows["tried"]["finding"]["code"] == "sender_not_allowed"
    assert (rows["domain"]["from"], rows["elsewhere"]["from"]) == ("unknown", "unknown"), "no message as somebody else"
    assert (len(here.smtp.messages), ran.document["sent"], ran.document["seen"]) == (1, 1, True)
    assert {each for each in here.smtp.commands if each.startswith("RCPT")} == {f"RCPT TO:<{USER}>"}


async def test_a_from_that_is_rewritten_is_seen_in_the_mailbox_with_what_to_change(
    own_home: Path, authority: Authority
) -> None:
    async with office(own_home, authority, provider="gmail", rewritten=USER) as here:
        ran = await here.senders("--try", SALES, "--yes", "--json")
        told = await here.senders("--try", SALES, "--yes")
    row = by_kind(ran)["tried"]
    assert ran.code == 1
    assert (row["from"], row["became"], row["finding"]["code"]) == ("rewritten", USER, "sender_rewritten")
    assert by_kind(ran)["account"]["from"] == "accepted"
    assert any("Send mail as" in step for step in row["finding"]["steps"]), "the provider's own way"
    words = " ".join(told.out.split())
    assert f"{SALES} becomes {USER} in From" in words
    assert "Office may send as 1 of 2 addresses." in words
    assert "2 messages were sent, to ana@example.com." in words


async def test_an_address_that_the_envelope_may_not_have_is_tried_in_from_beside_one_that_it_may(
    own_home: Path, authority: Authority
) -> None:
    async with office(own_home, authority, at_mail=only(USER, said=NOT_OWNED)) as here:
        ran = await here.senders("--try", SALES, "--yes", "--json")
    row = by_kind(ran)["tried"]
    assert (row["envelope"], row["from"], ran.code) == ("refused", "accepted", 1)
    assert here.begun[-2:] == [USER, USER]
    assert here.smtp.sign_ins == 2


async def test_messages_that_were_not_seen_leave_from_unknown_and_say_where_to_look(
    own_home: Path, authority: Authority
) -> None:
    async with office(own_home, authority) as here:
        here.imap.folders["INBOX"] = StoredFolder()
        ran = await here.senders("--yes", "--timeout", "30", "--json")
        words = await here.senders("--yes", "--imap", "127.0.0.1:1")
    row = by_kind(ran)["account"]
    assert (row["from"], ran.document["sent"], ran.document["seen"], ran.code) == ("unknown", 1, False, 1)
    assert row["test_code"] in here.smtp.messages[0].decode()
    assert "look in your mailbox what stands in From" in " ".join(words.out.split())
    assert "name it: --imap HOST[:PORT]" in " ".join(words.err.split())
    assert "See 'smtp-wizard guide mailbox-imap'." in " ".join(words.err.split())


@pytest.mark.parametrize(
    "written", ["\u00e9@ex\u00e4mple.test", "\u00c5sa <\u00e5@\u00e0.test>", "=?utf-8?q?=C3=A9?= <a@b.test>"]
)
def test_a_from_in_utf_8_is_read_as_it_is(written: str) -> None:
    """RFC 6532 section 3.1."""
    address = written.rpartition("<")[2].rstrip(">")
    assert sender_in(f"Subject: x\r\nFrom: {written}\r\n\r\nhello".encode()) == address


@pytest.mark.parametrize("field", [b"", b"From: %s@x.example\r" % (b"a" * 100_000)], ids=["none", "without an end"])
async def test_a_from_that_cannot_be_read_is_not_taken_for_another_one(
    field: bytes, own_home: Path, authority: Authority, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with office(own_home, authority) as here:
        added = here.imap.inbox.add

        def add(octets: bytes, when: datetime) -> None:
            added(re.sub(rb"^From: .*\r$", field or b"X-Not-From: 1\r", octets, flags=re.MULTILINE), when)

        monkeypatch.setattr(here.imap.inbox, "add", add)
        ran = await here.senders("--yes", "--json")
    row = by_kind(ran)["account"]
    assert (row["envelope"], row["from"], row["finding"]) == ("accepted", "unknown", None)


async def test_what_a_server_says_or_puts_into_from_cannot_steer_the_terminal(
    own_home: Path, authority: Authority
) -> None:
    said = b"550 5.7.1 \x1b[31mSender address rejected\x1b]0;owned\x07\r\n"
    async with office(own_home, authority, at_rcpt=only(USER, said=said), rewritten="\x1b[2J@x.example") as here:
        ran = [await here.senders("--try", SALES, "--yes", *more) for more in ((), ("--json",))]
    for each in ran:
        assert each.code == 1
        assert not {"\x1b", "\x07"} & set(each.out + each.err)


@pytest.mark.parametrize(
    "said",
    [
        b"250 ok\r\n250 ok\r\n",
        b"354 go ahead\r\n",
        b"\xff\xfe\r\n",
        b"550-5.7.1 no\r\n" * 20_000,
        b"550 %s\r\n" % (b"x" * 2**21),
    ],
    ids=["two for one", "a word for DATA", "no reply", "20,000 lines", "a line of 2 MiB"],
)
async def test_after_a_reply_that_makes_no_sense_no_sender_is_called_accepted_or_refused(
    said: bytes, own_home: Path, authority: Authority
) -> None:
    """The next reply might be the answer to the last command."""
    async with office(own_home, authority, at_rcpt=only(USER, said=said)) as here:
        rows = by_kind(await here.senders("--try", SALES, "--json"))
    assert rows["account"]["envelope"] == "accepted"
    assert {rows[kind]["envelope"] for kind in ("domain", "elsewhere")} == {"unknown"}


async def test_when_the_time_is_up_after_a_message_it_is_said_that_it_may_have_gone(
    own_home: Path, authority: Authority
) -> None:
    async with office(own_home, authority, at_data=lambda _: b"") as here:
        ran = await here.senders("--yes", "--timeout", "3", "--json")
    assert ran.code == 1
    assert f"Messages may have been sent, to {USER} alone" in ran.document["trouble"]
    assert by_kind(ran)["account"]["envelope"] == "accepted", "what was found before is not lost"


async def test_where_no_message_is_taken_no_address_is_called_good(own_home: Path, authority: Authority) -> None:
    limit = b"550 5.4.5 Daily user sending limit exceeded\r\n"
    async with office(own_home, authority, at_data=lambda _: limit) as here:
        ran = await here.senders("--try", SALES, "--yes")
    words = " ".join(ran.out.split())
    assert ran.code == 1
    assert "Office may send as 0 of 2 addresses" in words
    assert words.count("???? ") == 2
    assert "The server took no message with it" in words
    assert here.smtp.messages == []


async def test_a_server_that_is_weary_of_errors_is_no_lockout(own_home: Path, authority: Authority) -> None:
    async with office(own_home, authority, at_mail=lambda _: b"421 4.7.0 Error: too many errors\r\n") as here:
        row = by_kind(await here.senders("--json"))["account"]
    assert row["finding"]["code"] != "too_many_logins", "the sign-in was taken"


@pytest.mark.parametrize(
    ("said", "verdict"),
    [
        (b"452 4.3.1 try again later\r\n", "unknown"),
        (b"550 5.4.5 Daily user sending limit exceeded\r\n", "unknown"),
        (b"550 5.1.1 no such user\r\n", "unknown"),
        (b"553 5.7.1 Sender address rejected: not owned by user\r\n", "refused"),
    ],
)
async def test_what_says_nothing_of_the_sender_leaves_it_unknown(
    said: bytes, verdict: str, own_home: Path, authority: Authority
) -> None:
    """A limit, a moment, or the recipient: where the same one was taken from nobody."""
    async with office(own_home, authority, at_rcpt=lambda _: said) as here:
        ran = await here.senders("--json")
    assert (by_kind(ran)["account"]["envelope"], ran.code) == (verdict, 1)


async def test_a_refusal_of_one_sender_is_about_it_where_the_recipient_was_taken_from_another(
    own_home: Path, authority: Authority
) -> None:
    async with office(own_home, authority, at_rcpt=only(USER, said=b"550 5.1.1 no such user here\r\n")) as here:
        ran = await here.senders("--try", SALES, "--json")
    assert by_kind(ran)["tried"]["envelope"] == "refused"


async def test_a_server_that_hangs_up_in_the_midst_leaves_the_rest_unknown(
    own_home: Path, authority: Authority
) -> None:
    async with office(own_home, authority, at_rcpt=only(USER, said=b"421 4.7.0 too many errors\r\n")) as here:
        ran = await here.senders("--try", SALES, "--json")
    rows = by_kind(ran)
    assert rows["account"]["envelope"] == "accepted"
    assert {rows[kind]["envelope"] for kind in ("tried", "domain", "elsewhere")} == {"unknown"}
    assert ran.code == 1


async def test_a_refused_sign_in_is_said_and_counts_and_the_lockout_guard_stops_the_fourth(
    own_home: Path, authority: Authority
) -> None:
    async with office(own_home, authority, sign_in=b"535 5.7.8 no\r\n") as here:
        ran = [await here.senders("--json") for _ in range(4)]
    assert [each.code for each in ran] == [1, 1, 1, 1]
    assert [each.error["code"] for each in ran] == ["bad_credentials"] * 3 + ["sign_in_paused"]
    assert here.smtp.sign_ins == 3
    assert PASSWORD not in "".join(each.out + each.err for each in ran)


@pytest.mark.parametrize("form", ["--json", "--yes"])
async def test_a_second_sign_in_that_fails_takes_nothing_back_of_what_the_first_has_told(
    form: str, own_home: Path, authority: Authority
) -> None:
    async with office(own_home, authority) as here:
        here.smtp.sign_in_replies = [b"235 2.7.0 ok\r\n", b"535 5.7.8 no\r\n"]
        ran = await here.senders("--try", SALES, "--yes", form)
    assert (ran.code, here.smtp.sign_ins, here.smtp.messages) == (1, 2, [])
    if form == "--json":
        assert {row["envelope"] for row in ran.document["senders"]} == {"accepted"}
        assert (ran.document["sent"], ran.document["seen"]) == (0, False)
        assert "password" in ran.document["trouble"]
    else:
        words = " ".join(ran.out.split())
        assert f"{SALES} (to try) The server takes it as the sender of the envelope" in words
    assert ran.err.count("smtp-wizard: ") == 1, "why it is not more is said once"


async def test_where_nobody_else_may_be_in_the_envelope_no_made_up_address_goes_there(
    own_home: Path, authority: Authority
) -> None:
    def made_up_only(sender: str) -> bytes | None:
        return None if sender.startswith("no-such-sender-") else NOT_OWNED

    async with office(own_home, authority, at_mail=made_up_only) as here:
        ran = await here.senders("--try", SALES, "--yes", "--json")
    assert (ran.code, here.smtp.messages) == (1, [])
    tried = 4
    assert set(here.begun[tried:]) <= {USER}, "the messages go out as the account itself, or not at all"


async def test_too_many_addresses_are_refused_before_anything_is_asked(own_home: Path, authority: Authority) -> None:
    async with office(own_home, authority) as here:
        many = [word for number in range(9) for word in ("--try", f"a{number}@example.com")]
        ran = await here.senders(*many)
    assert (ran.code, here.smtp.commands) == (2, [])
    assert "at most 8" in ran.err


async def test_an_address_is_tried_once_however_it_is_written(own_home: Path, authority: Authority) -> None:
    async with office(own_home, authority) as here:
        ran = await here.senders("--try", "Ana@EXAMPLE.com", "--try", "<ana@example.com>", "--json")
    assert [row["kind"] for row in ran.document["senders"]] == ["account", "domain", "elsewhere"]


async def test_the_transcript_has_the_conversation_without_the_password(
    own_home: Path, authority: Authority, tmp_path: Path
) -> None:
    async with office(own_home, authority) as here:
        ran = await here.senders("--transcript", str(tmp_path / "said"))
    said = (tmp_path / "said").read_text("utf-8")
    assert ran.code == 0
    assert "RSET" in said
    assert "MAIL FROM:<ana@example.com>" in said
    assert PASSWORD not in said


@pytest.mark.parametrize(
    ("typed", "code", "told"),
    [
        ("n\n", 0, "What becomes of it in From is not known."),
        ("\x04", 0, "What becomes of it in From is not known."),
        ("\x03", 130, "Interrupted. No message was sent."),
    ],
    ids=["no", "the end", "Ctrl+C"],
)
def test_on_a_terminal_nothing_but_a_yes_sends_anything(
    typed: str, code: int, told: str, own_home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PW", "abcd efgh ijkl mnop")
    made = ("setup", "ana@sandbox.test", "--password-env", "PW", "--store", "env", "--env-name", "PW")
    assert run(*made, "--save", "Office").code == 0
    monkeypatch.setenv("PW", "abcd efgh ijkl mnop")
    ran = on_terminal(["senders", "Office"], typed=[("Send it? [y/N] ", typed)])
    assert ran.code == code
    assert told in " ".join(ran.out.split())
    assert run("sandbox", "mailbox", "list", "--json").document["messages"] == []
