"""`send --confirm` and `send --rehearse-bounce`: what can be proved of a message that was sent."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from smtp_wizard.engine.accounts.saved_accounts import SavedAccounts
from smtp_wizard.engine.base.address import Address
from smtp_wizard.engine.base.connection import Auth
from smtp_wizard.engine.base.endpoint import Security
from smtp_wizard.engine.base.shown import phrase
from smtp_wizard.engine.checks import test_message
from smtp_wizard.engine.secrets.store_kinds import StoreKind, StoreRef
from smtp_wizard.engine.services import arrivals
from smtp_wizard.text.areas.arrivals import rehearse_words
from tests.commands.test_send import RELAY
from tests.support.certs import Authority
from tests.support.checking import GO_AHEAD, MAIL_FROM, MESSAGE, OK, starttls_up_to_handshake
from tests.support.cli import Ran, on_terminal, run
from tests.support.imapserver import PASSWORD, USER, ImapServer, StoredFolder
from tests.support.misbehaving import Expect, Hold, MisbehavingServer, Send, StartTls, Step
from tests.support.returned import report

CODE = "abcd2345"
ARRIVED = f"""\
Authentication-Results: mx.example.net; spf=pass smtp.mailfrom=example.com; dkim=fail; dmarc=none
Authentication-Results: forged.example; dkim=pass
From: ana@example.com
Subject: smtp-wizard test {CODE}
Message-ID: <{CODE}.1795000000@example.com>

This is a test message.
""".encode()


class Office:
    """An account that sends through a script, and is read from a server of ours."""

    def __init__(self, smtp: MisbehavingServer, imap: ImapServer) -> None:
        self.smtp = smtp
        self.imap = imap

    async def send(self, *more: str) -> Ran:
        asked = ("send", "Office", "--imap", f"127.0.0.1:{self.imap.endpoint.port}", "--password-stdin", *more)
        return await asyncio.to_thread(run, *asked, stdin=PASSWORD)


def script(authority: Authority, *, refusal: bytes = b"") -> list[Step]:
    """Take a message, and offer DSN; `refusal`: what the recipient is refused with."""
    context = authority.issue("127.0.0.1").context()
    offer: list[Step] = [Expect(rb"EHLO .*"), Send(b"250-mail.example.com\r\n250-DSN\r\n250 AUTH PLAIN\r\n")]
    sign_in: list[Step] = [Expect(rb"AUTH PLAIN .*"), Send(b"235 2.7.0 ok\r\n")]
    rest: list[Step] = [MAIL_FROM, OK, Expect(rb"RCPT TO:<[^>]*>.*"), OK, Expect(rb"DATA"), GO_AHEAD, MESSAGE, OK]
    if refusal:
        rest[3:] = [Send(refusal + b"\r\n")]
    return [*starttls_up_to_handshake(), StartTls(context), *offer, *sign_in, *rest, Hold()]


@pytest.fixture
async def office(
    request: pytest.FixtureRequest, own_home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Office]:
    """`param`: what the server refuses the recipient with."""
    monkeypatch.setattr("smtp_wizard.commands.send.new_token", lambda: CODE)
    monkeypatch.setattr(arrivals, "PAUSES", (0.01,))
    authority = Authority(tmp_path / "ca")
    async with (
        MisbehavingServer(script(authority, refusal=getattr(request, "param", b""))) as smtp,
        ImapServer(authority.issue("127.0.0.1").context()) as imap,
    ):
        connection = replace(
            RELAY.connection,
            endpoint=smtp.endpoint(Security.STARTTLS),
            username=USER,
            auth=Auth.PASSWORD,
            ca_file=str(authority.file),
        )
        identity = replace(RELAY.identity, sender=Address("ana", "example.com"))
        saved = SavedAccounts(own_home / "config")
        saved.put(replace(RELAY, connection=connection, identity=identity, store=StoreRef(StoreKind.SESSION, "x")))
        secret = tmp_path / "secret"
        secret.write_text(PASSWORD, "utf-8")
        secret.chmod(0o600)
        other = replace(
            RELAY,
            name=phrase("Other"),
            address=Address("bob", "elsewhere.example"),
            connection=connection,
            store=StoreRef(StoreKind.FILE, str(secret)),
        )
        saved.put(other)
        yield Office(smtp, imap)


async def test_the_copy_in_sent_and_the_arrival_in_junk_are_found_with_what_the_receiver_says(office: Office) -> None:
    office.imap.folders["Sent"] = StoredFolder(special="\\Sent")
    office.imap.folders["Spam"] = StoredFolder(special="\\Junk")
    office.imap.folders["Sent"].add(ARRIVED, datetime.now(UTC))
    office.imap.folders["Spam"].add(ARRIVED, datetime.now(UTC))
    ran = await office.send("--to", "bob@elsewhere.example", "--confirm", "--json")
    assert ran.code == 0, ran.out
    document = ran.document
    assert (document["accepted"], document["sent_copy"], document["arrived"]) == ("yes", "found", "junk")
    assert document["trouble"] is None
    assert document["authentication"] == {"spf": "pass", "dkim": "fail", "dmarc": "none"}
    assert document["bounce"] is None


async def test_the_absence_of_a_copy_is_said_with_how_to_get_one(office: Office) -> None:
    office.imap.folders["Sent"] = StoredFolder(special="\\Sent")
    office.imap.inbox.add(ARRIVED, datetime.now(UTC))
    ran = await office.send("--to", "bob@elsewhere.example", "--confirm", "--wait", "1")
    words = " ".join(ran.out.split())
    assert ran.code == 0
    assert "No copy lies in Sent" in words
    assert "Bcc to your own address" in words
    assert "arrived in the inbox of 'Other'" in words
    assert "SPF good, DKIM not good, DMARC none" in words


async def test_a_mailbox_of_a_stranger_is_not_looked_into(office: Office) -> None:
    ran = await office.send("--to", "eva@stranger.example", "--confirm", "--json")
    assert (ran.code, ran.document["arrived"], ran.document["authentication"]) == (1, "unknown", None)
    assert ran.document["sent_copy"] == "unknown", "there is no such folder"
    assert "no folder that is known as Sent" in ran.document["trouble"]
    assert "no account saved here" in ran.document["trouble"]


async def test_a_bounce_is_rehearsed_with_an_envelope_id_and_found(office: Office) -> None:
    address = f"no-such-mailbox-{CODE}@example.com"
    office.imap.inbox.add(report(address, extra=f"Original-Envelope-Id: {CODE}\n"), datetime.now(UTC))
    ran = await office.send("--rehearse-bounce", "--yes", "--json")
    assert ran.code == 0, ran.out
    assert ran.document["to"] == address
    bounce = ran.document["bounce"]
    assert (bounce["found"], bounce["folder"], bounce["address"]) == (True, "inbox", address)
    received = office.smtp.received
    assert f"RET=HDRS ENVID={CODE}".encode() in received
    assert f"RCPT TO:<{address}> NOTIFY=FAILURE,DELAY".encode() in received


async def test_a_bounce_that_never_comes_fails_and_says_what_that_means(office: Office) -> None:
    office.imap.inbox.add(report("bob@elsewhere.example"), datetime.now(UTC))
    ran = await office.send("--rehearse-bounce", "--yes", "--wait", "1")
    assert ran.code == 1
    assert "Nothing has come back within" in " ".join(ran.out.split())


@pytest.mark.parametrize("office", [b"550 5.1.1 User unknown"], indirect=True)
async def test_a_server_that_refuses_the_made_up_address_at_once_is_no_fault_of_the_account(
    office: Office, own_home: Path
) -> None:
    ran = await office.send("--rehearse-bounce", "--yes")
    words = " ".join(ran.out.split())
    assert ran.code == 0, ran.out
    assert "refuses such an address at once" in words
    assert "misspelt" not in words
    saved = SavedAccounts(own_home / "config")
    assert [each.last for each in saved.list() if each.name == "Office"] == [None]


@pytest.mark.parametrize(
    ("office", "why"),
    [
        (b"451 4.7.1 Greylisted, try again", "not now"),
        (b"450 4.1.1 User unknown", ""),
        (b"550 5.4.5 Daily user sending limit exceeded", "limit"),
        (b"554 5.7.1 Client host [192.0.2.1] blocked using zen.spamhaus.org", "block list"),
        (b"550 5.7.1 Relaying denied", ""),
    ],
    indirect=["office"],
)
async def test_another_refusal_of_the_made_up_address_is_told_as_what_it_is(why: str, office: Office) -> None:
    """Else nobody hears that no mail at all goes out."""
    ran = await office.send("--rehearse-bounce", "--yes")
    words = " ".join((ran.out + ran.err).split())
    assert ran.code == 1, ran.out
    assert "refuses such an address at once" not in words
    assert "No message was sent." in words
    assert why in words


async def test_word_that_the_message_is_late_is_no_bounce(office: Office) -> None:
    late = report(f"no-such-mailbox-{CODE}@example.com", action="delayed", status="4.4.1", diagnostic="smtp; timed out")
    office.imap.inbox.add(late, datetime.now(UTC))
    ran = await office.send("--rehearse-bounce", "--yes", "--wait", "1", "--json")
    bounce = ran.document["bounce"]
    assert (ran.code, bounce["found"], bounce["delayed"]) == (1, False, True)


async def test_a_bounce_for_another_reason_is_told_with_it(office: Office) -> None:
    address = f"no-such-mailbox-{CODE}@example.com"
    blocked = report(address, status="5.7.1", diagnostic="smtp; 554 5.7.1 blocked using zen.spamhaus.org")
    office.imap.inbox.add(blocked, datetime.now(UTC))
    ran = await office.send("--rehearse-bounce", "--yes", "--json")
    bounce = ran.document["bounce"]
    assert (ran.code, bounce["found"], bounce["cause"]) == (1, True, "sending_ip_rejected")


async def test_where_the_own_domain_takes_every_address_that_is_told(office: Office) -> None:
    office.imap.inbox.add(ARRIVED, datetime.now(UTC))
    ran = await office.send("--rehearse-bounce", "--yes", "--wait", "1", "--json")
    bounce = ran.document["bounce"]
    assert (ran.code, bounce["found"], bounce["delivered"]) == (0, False, True)


async def test_a_message_that_came_back_is_told_where_it_was_to_be_confirmed(office: Office) -> None:
    office.imap.folders["Sent"] = StoredFolder(special="\\Sent")
    office.imap.folders["Sent"].add(ARRIVED, datetime.now(UTC))
    came = report("eva@stranger.example", diagnostic="smtp; 550 5.1.1 User unknown", subject=f"smtp-wizard test {CODE}")
    office.imap.inbox.add(came, datetime.now(UTC))
    ran = await office.send("--to", "eva@stranger.example", "--confirm", "--json")
    assert (ran.code, ran.document["sent_copy"]) == (1, "found")
    assert (ran.document["bounce"]["cause"], ran.document["bounce"]["folder"]) == ("recipient_rejected", "inbox")


async def test_a_copy_in_any_of_several_sent_folders_counts(office: Office) -> None:
    office.imap.folders["Sent"] = StoredFolder(special="\\Sent")
    office.imap.folders["Sent Items"] = StoredFolder(special="\\Sent")
    office.imap.folders["Sent Items"].add(ARRIVED, datetime.now(UTC))
    ran = await office.send("--to", "eva@stranger.example", "--confirm", "--json")
    assert (ran.code, ran.document["sent_copy"]) == (0, "found")


async def test_the_arrival_in_junk_is_found_by_its_german_name(office: Office) -> None:
    office.imap.folders.update({"Gesendete Elemente": StoredFolder(), "Junk-E-Mail": StoredFolder()})
    for name in ("Gesendete Elemente", "Junk-E-Mail"):
        office.imap.folders[name].add(ARRIVED, datetime.now(UTC))
    ran = await office.send("--to", "bob@elsewhere.example", "--confirm", "--json")
    assert (ran.code, ran.document["sent_copy"], ran.document["arrived"]) == (0, "found", "junk")


async def test_without_a_yes_no_message_is_sent(office: Office) -> None:
    ran = await office.send("--rehearse-bounce", "--json")
    assert (ran.code, ran.error["code"]) == (2, "rehearse")
    assert "--yes" in ran.error["hint"]
    assert office.smtp.connections == 0


async def test_what_cannot_be_looked_for_takes_nothing_back_of_a_message_that_was_sent(office: Office) -> None:
    ran = await office.send("--rehearse-bounce", "--yes", "--json", "--imap", "127.0.0.1:1")
    assert (ran.code, ran.document["accepted"], ran.document["bounce"]) == (1, "yes", None)
    said = " ".join(ran.err.split())
    assert "The mailbox was not looked into: The IMAP server 127.0.0.1:1 cannot be reached" in said


@pytest.mark.parametrize("form", ["--json", "-4"])
@pytest.mark.parametrize("how", [("--rehearse-bounce", "--yes"), ("--confirm", "--to", "eva@stranger.example")])
async def test_where_the_mailbox_cannot_be_read_the_way_on_is_given(
    how: tuple[str, ...], form: str, office: Office
) -> None:
    """As `bounces` gives it; and nothing at all was confirmed."""
    ran = await office.send(*how, form, "--imap", "127.0.0.1:1")
    said = " ".join(ran.err.split())
    assert ran.code == 1
    assert "name it: --imap HOST[:PORT]" in said
    assert "See 'smtp-wizard guide mailbox-imap'." in said
    assert max(map(len, ran.err.splitlines())) <= 100, "the lines are folded"
    if "--confirm" in how:
        assert "returned mail" not in said
        assert "whether a copy lies in Sent" in said
    if form == "--json":
        assert "cannot be reached" in ran.document["trouble"]


async def test_a_copy_in_sent_is_a_confirmation_wherever_the_message_went(office: Office) -> None:
    office.imap.folders["Sent"] = StoredFolder(special="\\Sent")
    office.imap.folders["Sent"].add(ARRIVED, datetime.now(UTC))
    ran = await office.send("--to", "eva@stranger.example", "--confirm", "--json")
    assert (ran.code, ran.document["sent_copy"], ran.document["arrived"]) == (0, "found", "unknown")


@pytest.mark.parametrize("asked", ["confirm", "rehearse"])
async def test_when_the_time_is_up_after_the_message_was_sent_that_is_said(
    asked: str, office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def over(*_: object, **__: object) -> None:
        raise TimeoutError

    monkeypatch.setattr(arrivals.Arrivals, asked, over)
    how = ["--confirm", "--to", "bob@elsewhere.example"] if asked == "confirm" else ["--rehearse-bounce", "--yes"]
    ran = await office.send(*how, "--json")
    assert (ran.code, ran.document["accepted"]) == (1, "yes")
    said = " ".join(ran.err.split())
    assert "Nothing was found in the mailbox so far:" in said
    assert "was not looked into" not in said
    assert "--timeout" in ran.document["trouble"]
    assert f"The time allowed by --timeout was up. The message was sent; its code is {CODE}." in said


async def test_who_stops_it_after_the_message_was_sent_reads_that_it_was(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def stopped(*_: object, **__: object) -> None:
        raise asyncio.CancelledError

    monkeypatch.setattr(arrivals.Arrivals, "confirm", stopped)
    ran = await office.send("--confirm", "--to", "bob@elsewhere.example")
    assert ran.code == 130
    assert f"The message was sent; its code is {CODE}." in ran.err


def test_the_word_that_marks_a_message_is_in_its_id() -> None:
    """By which the copy and the arrival are found."""
    ana = Address("ana", "example.com")
    written = test_message.test_message(
        ana, ana, sender_name="", reply_to=None, company="", now=datetime.now(UTC), token=CODE, host_words="x"
    )
    assert f"Message-ID: <{CODE}.".encode() in written


@pytest.mark.parametrize(("typed", "code"), [("n\n", 1), ("\x03", 130)], ids=["no", "Ctrl+C"])
def test_on_a_terminal_nothing_but_a_yes_sends_anything(typed: str, code: int, own_home: Path) -> None:
    saved = SavedAccounts(own_home / "config")
    saved.put(RELAY)
    ran = on_terminal(["send", "Office", "--rehearse-bounce"], typed=[("Send it, and wait? [y/N] ", typed)])
    assert ran.code == code
    said = " ".join(ran.out.split())
    assert "No message was sent." in said
    assert all(line in said for line in rehearse_words(phrase("x"))[1:]), "as the screens ask it"
