"""`bounces`: what a person, a script and a spreadsheet read about mail that came back."""

from __future__ import annotations

import asyncio
import csv
import io
import re
import stat
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from filelock import FileLock, Timeout

from smtp_wizard.engine.accounts.saved_accounts import SavedAccounts
from smtp_wizard.engine.base.address import Address
from smtp_wizard.engine.base.connection import Auth
from smtp_wizard.engine.base.shown import phrase
from smtp_wizard.engine.secrets.store_kinds import StoreKind, StoreRef
from smtp_wizard.engine.services.bounces import BounceReport, Bounces
from smtp_wizard.engine.state.state import State
from smtp_wizard.output.documents.bounces import csv_table
from tests.commands.test_send import RELAY
from tests.support.certs import Authority
from tests.support.cli import Ran, run
from tests.support.imapserver import PASSWORD, USER, ImapServer, StoredFolder
from tests.support.returned import IN_WORDS, ORDINARY, OUT_OF_OFFICE, WITHOUT_ADDRESS, report

NOW = datetime.now(UTC)
"""The mailbox is asked for the last days."""


class Office:
    """An account with a mailbox on a server of ours."""

    def __init__(self, imap: ImapServer, authority: Authority) -> None:
        self.imap = imap
        self.authority = authority

    def arrives(self, octets: bytes, days_ago: float = 1) -> None:
        self.imap.inbox.add(octets, NOW - timedelta(days=days_ago))

    async def bounces(self, *more: str, password: str = PASSWORD) -> Ran:
        there = f"127.0.0.1:{self.imap.endpoint.port}"
        asked = ("bounces", "Office", "--imap", there, "--password-stdin", *more)
        return await asyncio.to_thread(run, *asked, stdin=password)


@pytest.fixture
async def office(own_home: Path, tmp_path: Path) -> AsyncIterator[Office]:
    authority = Authority(tmp_path / "ca")
    connection = replace(RELAY.connection, username=USER, auth=Auth.PASSWORD, ca_file=str(authority.file))
    account = replace(
        RELAY,
        connection=connection,
        address=Address("ana", "example.com"),
        store=StoreRef(StoreKind.SESSION, "x"),
    )
    SavedAccounts(own_home / "config").put(account)
    async with ImapServer(authority.issue("127.0.0.1").context()) as imap:
        yield Office(imap, authority)


async def test_a_script_reads_each_failed_address_and_the_misspelt_ending_is_offered_back(office: Office) -> None:
    office.arrives(report(), 3)
    office.arrives(IN_WORDS, 1)
    office.arrives(OUT_OF_OFFICE)
    office.arrives(ORDINARY)
    ran = await office.bounces("--json")
    assert (ran.code, ran.err) == (0, "")
    document = ran.document
    assert (document["account"], document["scanned"], document["auto_replies"]) == ("Office", 4, 1)
    newest, older = document["bounces"]
    assert (newest["address"], newest["did_you_mean"], newest["subject"]) == (
        "carla@gmial.com",
        "carla@gmail.com",
        "Offer 3",
    )
    assert (older["status"], older["final"], older["cause"], older["who"], older["new"]) == (
        "5.1.1",
        True,
        "recipient_rejected",
        "you",
        True,
    )
    assert older["reported_by"] == "mail.example.com"
    assert older["sent_at"] == "2026-11-20T09:29:00Z"


async def test_a_person_reads_why_whether_it_is_final_and_what_to_do(office: Office) -> None:
    office.arrives(report("carla@gmial.com"), 3)
    office.arrives(report("carla@gmial.com", number=2, subject="Reminder"), 1)
    ran = await office.bounces()
    words = " ".join(ran.out.split())
    assert "Office: 1 address failed since" in words
    assert "carla@gmial.com (2 messages) new" in words
    assert "(5.1.1), final." in words
    assert "Did you mean carla@gmail.com?" in words
    assert "customer's record" in words
    assert words.index("Reminder") < words.index("Invoice 17")
    assert max(map(len, ran.out.splitlines())) <= 80


async def test_with_new_each_is_told_once_and_a_failed_reading_forgets_nothing(office: Office) -> None:
    office.arrives(report())
    assert len((await office.bounces("--new", "--json")).document["bounces"]) == 1
    assert (await office.bounces("--new", "--json")).document["bounces"] == []
    office.arrives(report("eva@elsewhere.example", number=2))
    refused = await office.bounces("--new", "--json", password="wrong")
    assert (refused.code, refused.error["code"]) == (1, "mailbox_refused")
    (only,) = (await office.bounces("--new", "--json")).document["bounces"]
    assert only["address"] == "eva@elsewhere.example"
    everything = (await office.bounces("--json")).document["bounces"]
    assert [each["new"] for each in everything] == [False, False]
    quiet = await office.bounces("--new")
    assert (quiet.code, quiet.out) == (0, ""), "cron mails what is printed"


async def test_a_letter_from_before_the_time_asked_for_was_not_shown_and_is_new_later(office: Office) -> None:
    office.arrives(report(), 20 / 24)
    assert (await office.bounces("--since", "12h", "--json")).document["bounces"] == []
    (late,) = (await office.bounces("--since", "2d", "--new", "--json")).document["bounces"]
    assert (late["address"], late["new"]) == ("bob@elsewhere.example", True)


async def test_an_address_one_letter_off_one_that_was_written_to_is_offered(office: Office) -> None:
    office.imap.folders["Sent"] = StoredFolder(special="\\Sent")
    office.imap.folders["Sent"].add(b"To: robert@elsewhere.example\nSubject: x\n\nHello\n", NOW)
    office.arrives(report("rober@elsewhere.example"))
    (only,) = (await office.bounces("--json")).document["bounces"]
    assert only["did_you_mean"] == "robert@elsewhere.example"


async def test_a_table_for_a_spreadsheet_computes_nothing_and_is_for_its_owner(office: Office, tmp_path: Path) -> None:
    office.arrives(report("=cmd@elsewhere.example", subject="=HYPERLINK(1)"))
    file = tmp_path / "failed.csv"
    ran = await office.bounces("--csv", str(file))
    assert ran.code == 0
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    (row,) = csv.DictReader(io.StringIO(file.read_text("utf-8-sig")))
    assert (row["address"], row["subject"]) == ("'=cmd@elsewhere.example", "'=HYPERLINK(1)")
    assert row["final"] == "yes"
    to_stdout = await office.bounces("--csv", "-")
    assert to_stdout.out.splitlines()[0].startswith("address,did_you_mean,final")
    assert csv_table([]).count("\n") == 1


async def test_nothing_of_a_letter_is_kept_in_the_state(office: Office, own_home: Path) -> None:
    office.arrives(report("secret-customer@elsewhere.example", subject="Confidential"))
    assert (await office.bounces()).code == 0
    kept = b"".join(file.read_bytes() for file in (own_home / "config").iterdir() if file.is_file())
    assert b"secret-customer" not in kept
    assert b"Confidential" not in kept


async def test_nothing_in_the_mailbox_is_changed(office: Office) -> None:
    office.arrives(report())
    before = office.imap.flags()
    await office.bounces()
    assert office.imap.flags() == before
    assert not [each for each in office.imap.commands if each.startswith(("SELECT", "STORE", "UID STORE", "COPY"))]


@pytest.mark.parametrize(
    ("more", "code", "error"),
    [
        (("--since", "yesterday"), 2, "usage"),
        (("--imap", "not a host"), 2, "usage"),
        (("--imap", "127.0.0.1:1"), 1, "mailbox_unreached"),
    ],
)
async def test_what_cannot_be_used_or_reached_is_said_in_a_sentence(
    more: tuple[str, ...], code: int, error: str, office: Office
) -> None:
    ran = await office.bounces(*more, "--json")
    assert (ran.code, ran.error["code"]) == (code, error)
    assert ran.error["hint"]


@pytest.mark.parametrize("listed", [None, b'* LIST () "/" "x\r\ny"\r\nTAG OK done\r\n'], ids=["Junk", "the list"])
async def test_what_the_inbox_has_is_told_also_where_junk_cannot_be_read(listed: bytes | None, office: Office) -> None:
    """A folder that may not be opened, and a list of folders that makes no sense."""

    def lie(tag: str, command: str, words: str) -> bytes | None:
        if command == "LIST" and listed is not None:
            return listed.replace(b"TAG", tag.encode())
        if command == "EXAMINE" and "Spam" in words:
            return f"{tag} NO permission denied\r\n".encode()
        return None

    office.imap._lies = lie
    office.imap.folders["Spam"] = StoredFolder(special="\\Junk")
    office.arrives(report())
    told = await office.bounces()
    ran = await office.bounces("--json")
    assert [each["address"] for each in ran.document["bounces"]] == ["bob@elsewhere.example"]
    assert (ran.code, ran.document["complete"]) == (0, False)
    assert f"The folder '{'Spam' if listed is None else 'Junk'}' could not be read" in " ".join(told.err.split())


@pytest.mark.parametrize("uid", [2**32, 10**30])
async def test_a_number_that_no_letter_has_is_not_kept(uid: int, office: Office) -> None:
    def lie(tag: str, command: str, words: str) -> bytes | None:
        return f"* SEARCH {uid}\r\n{tag} OK done\r\n".encode() if command == "UID SEARCH" else None

    office.imap._lies = lie
    office.arrives(report())
    ran = await office.bounces("--json")
    assert (ran.code, ran.document["bounces"], ran.err) == (0, [], "")


@pytest.mark.parametrize(
    "said",
    ["31-Dec-9999 23:59:59 -1400", "20-Nov-2026 09:30:00 +9999", "01-Jan-1900 00:00:00 +0000", "99-Foo-1900 9:9:9"],
)
async def test_a_time_that_no_letter_has_is_none(said: str, office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    """What the server says of it, and what stands in the letter, in whatever zone it is read."""
    octets = re.sub(rb"(?m)^Date: .*$", b"Date: Fri, 31 Dec 9999 23:59:59 +0000", report()).replace(b"\n", b"\r\n")

    def lie(tag: str, command: str, words: str) -> bytes | None:
        begin = f'* 1 FETCH (UID 1 INTERNALDATE "{said}" BODY[]<0> {{{len(octets)}}}\r\n'
        return begin.encode() + octets + f")\r\n{tag} OK done\r\n".encode() if command == "UID FETCH" else None

    monkeypatch.setenv("TZ", "Asia/Tokyo")
    time.tzset()
    office.imap._lies = lie
    office.arrives(report())
    try:
        told, ran = await office.bounces(), await office.bounces("--json")
    finally:
        monkeypatch.undo()
        time.tzset()
    assert (told.code, ran.code) == (0, 0)
    assert [(each["at"], each["sent_at"]) for each in ran.document["bounces"]] == [(None, None)]


async def test_a_mailbox_that_falls_silent_is_left_when_the_time_is_up(office: Office) -> None:
    office.imap._lies = lambda tag, command, words: b"" if command == "EXAMINE" else None
    ran = await office.bounces("--timeout", "0.5", "--json")
    assert (ran.code, ran.error["code"]) == (1, "timeout")
    assert "nothing in it was changed" in ran.error["message"]


async def test_a_relay_has_no_mailbox(own_home: Path) -> None:
    relay = replace(RELAY, name=phrase("Relay"), connection=replace(RELAY.connection, provider="sendgrid"))
    SavedAccounts(own_home / "config").put(relay)
    ran = await asyncio.to_thread(run, "bounces", "Relay", "--json")
    assert (ran.code, ran.error["code"]) == (1, "no_mailbox")


async def test_what_cannot_be_remembered_is_told_all_the_same_and_again(office: Office, own_home: Path) -> None:
    """The disk is full, or the file is none."""
    (own_home / "config" / "state.sqlite3").mkdir()
    office.arrives(report())
    ran = [await office.bounces("--new", "--json") for _ in range(2)]
    for each in ran:
        assert (each.code, len(each.document["bounces"])) == (0, 1)
        assert "could not be kept" in each.err


def test_the_end_of_a_file_of_our_own_is_no_interruption(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    """A module that was cut short, because the disk was full when Python kept it: `EOFError`, as at a prompt's end."""

    def cut_short(*_: object, **__: object) -> None:
        raise EOFError("marshal data too short")

    monkeypatch.setattr(Bounces, "read", cut_short)
    ran = run("bounces", "Office", "--password-stdin", "--json", stdin=PASSWORD)
    assert (ran.code, ran.error["code"]) == (70, "bug")


async def test_letters_that_cannot_be_read_are_told_by_subject_and_day(office: Office) -> None:
    office.arrives(WITHOUT_ADDRESS)
    office.arrives(report())
    ran = await office.bounces()
    words = " ".join((ran.out + ran.err).split())
    assert "1 letter could not be read: it reports mail that failed" in words
    assert re.search(r"\d{4}-\d\d-\d\d Undeliverable: Invoice 55", words)
    document = (await office.bounces("--json")).document
    assert (document["complete"], len(document["bounces"])) == (False, 1)
    ((subject, new),) = [(each["subject"], each["new"]) for each in document["unreadable"]]
    assert (subject, new) == ("Undeliverable: Invoice 55", False)
    quiet = await office.bounces("--new")
    assert "no new mail has come back" not in quiet.out + quiet.err
    assert "Invoice 55" not in quiet.out + quiet.err


async def test_of_a_letter_with_too_many_addresses_is_told_that_not_all_are_listed(office: Office) -> None:
    more = "".join(f"\nFinal-Recipient: rfc822; u{number}@d.example\nAction: failed\n" for number in range(150))
    office.arrives(report(more=more))
    ran = await office.bounces("--json")
    assert (ran.document["complete"], len(ran.document["bounces"])) == (False, 100)
    told = await office.bounces()
    assert "1 letter names more addresses than are read of one" in " ".join((told.out + told.err).split())


async def test_what_a_step_points_at_and_the_servers_words_are_in_every_form(office: Office) -> None:
    forged = "smtp; 550 5.7.26 This mail is unauthenticated, SPF and DKIM did not pass"
    office.arrives(report(status="5.7.26", diagnostic=forged))
    strange = report("eva@elsewhere.example", number=2).replace(b"From: Ana <ana@example.com>", b"From: x@spam.example")
    office.arrives(strange)
    found = {each["address"]: each for each in (await office.bounces("--json")).document["bounces"]}
    mine, others = found["bob@elsewhere.example"], found["eva@elsewhere.example"]
    assert (mine["code"], mine["server_said"], mine["backscatter"]) == ("spf_dmarc_fail", forged[6:], False)
    assert mine["forward"].startswith("Hello, mail from our domain")
    assert (others["code"], others["backscatter"], others["forward"]) == ("backscatter", True, None)
    table = csv.DictReader(io.StringIO((await office.bounces("--csv", "-")).out))
    rows = {each["address"]: each for each in table if each["address"] in found}
    assert rows["bob@elsewhere.example"]["server_said"] == forged[6:]
    assert rows["bob@elsewhere.example"]["forward"].startswith("Hello, mail from our domain")
    assert rows["eva@elsewhere.example"]["backscatter"] == "yes"
    told = await office.bounces()
    words = " ".join(told.out.split())
    assert "Office: 1 address failed since" in words
    assert "The message to send: Hello, mail from our domain" in words
    assert "Not counted: 1 letter is about messages" in " ".join(told.err.split())


async def test_of_where_nobody_knows_which_folder_is_junk_is_told_that_it_was_not_read(office: Office) -> None:
    office.imap.folders["Zbytky"] = StoredFolder()
    office.imap.folders["Zbytky"].add(report(), NOW - timedelta(days=1))
    ran = await office.bounces()
    words = " ".join((ran.out + ran.err).split())
    assert "not all that came back since" in words
    assert "No folder for junk was found. If it is one of 'Zbytky', look there too" in words
    assert (await office.bounces("--json")).document["complete"] is False


async def test_what_was_sent_to_nobody_on_purpose_is_counted_apart(office: Office) -> None:
    office.arrives(report("no-such-mailbox-abcd2345@gone.example"))
    ran = await office.bounces()
    words = " ".join((ran.out + ran.err).split())
    assert "no mail has come back" in words
    assert "Left out: 1 message that was sent to nobody on purpose" in words
    assert (await office.bounces("--csv", "-")).out.count("\n") == 1, "the heading alone"


async def test_one_letter_off_at_a_provider_for_everybody_is_another_customer(office: Office) -> None:
    office.imap.folders["Sent"] = StoredFolder(special="\\Sent")
    office.imap.folders["Sent"].add(b"To: n.meier@web.de, anna@firm.example\nSubject: x\n\nHello\n", NOW)
    office.arrives(report("m.meier@web.de"))
    office.arrives(report("ana@firm.example", number=2))
    meant = {each["address"]: each["did_you_mean"] for each in (await office.bounces("--json")).document["bounces"]}
    assert meant == {"m.meier@web.de": None, "ana@firm.example": "anna@firm.example"}


@pytest.mark.parametrize("known_by", ["Sent", "another account", "nothing"])
async def test_a_message_of_an_alias_at_another_domain_is_ones_own(
    known_by: str, office: Office, own_home: Path
) -> None:
    shop = Address("shop", "firmshop.example")
    if known_by == "Sent":
        office.imap.folders["Sent"] = StoredFolder(special="\\Sent")
        office.imap.folders["Sent"].add(b"From: Shop <shop@firmshop.example>\nTo: eva@elsewhere.example\n\nHi\n", NOW)
    elif known_by == "another account":
        SavedAccounts(own_home / "config").put(replace(RELAY, name=phrase("Shop"), address=shop))
    office.arrives(report().replace(b"From: Ana <ana@example.com>", b"From: Shop <shop@firmshop.example>"))
    ((backscatter, final),) = [
        (each["backscatter"], each["final"]) for each in (await office.bounces("--json")).document["bounces"]
    ]
    assert (backscatter, final) == (known_by == "nothing", True)


async def test_with_new_no_other_run_tells_the_same_meanwhile(
    office: Office, own_home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each reads what was told, tells, and keeps that it was told."""
    (saved,) = SavedAccounts(own_home / "config").list()
    lock = FileLock(own_home / "config" / f"bounces-{saved.id}.lock")
    read, locked = Bounces.read, []

    async def looked_at(*args: Any, **said: Any) -> BounceReport:
        try:
            lock.acquire(blocking=False)
            lock.release()
            locked.append(False)
        except Timeout:
            locked.append(True)
        return await read(*args, **said)

    monkeypatch.setattr(Bounces, "read", looked_at)
    office.arrives(report())
    assert len((await office.bounces("--new", "--json")).document["bounces"]) == 1
    await office.bounces("--json")
    assert locked == [True, False]
    lock.acquire(blocking=False)
    monkeypatch.setattr("smtp_wizard.commands.bounces._PATIENCE", 0.0)
    assert (await office.bounces("--new", "--json")).document["bounces"] == [], "it does not wait for ever"
    waited: list[float] = []

    @contextmanager
    def alone(_: State, __: str, seconds: float) -> Iterator[None]:
        waited.append(seconds)
        yield

    monkeypatch.setattr("smtp_wizard.commands.bounces._PATIENCE", 60.0)
    monkeypatch.setattr(State, "alone", alone)
    await office.bounces("--new", "--json", "--timeout", "30")
    await office.bounces("--new", "--json")
    assert waited[0] <= 30.0 < waited[1], "no longer than --timeout allows"
    lock.release()
