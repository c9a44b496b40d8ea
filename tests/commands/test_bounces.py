"""`bounces`: what a person, a script and a spreadsheet read about mail that came back."""

from __future__ import annotations

import asyncio
import csv
import io
import stat
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from smtp_wizard.engine.accounts.saved_accounts import SavedAccounts
from smtp_wizard.engine.base.address import Address
from smtp_wizard.engine.base.connection import Auth
from smtp_wizard.engine.base.shown import phrase
from smtp_wizard.engine.secrets.kinds import StoreKind, StoreRef
from smtp_wizard.output.documents.bounces import csv_table
from tests.commands.test_send import RELAY
from tests.support.certs import Authority
from tests.support.cli import Ran, run
from tests.support.imapserver import PASSWORD, USER, ImapServer, StoredFolder
from tests.support.returned import IN_WORDS, ORDINARY, OUT_OF_OFFICE, report

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


async def test_a_relay_has_no_mailbox(own_home: Path) -> None:
    relay = replace(RELAY, name=phrase("Relay"), connection=replace(RELAY.connection, provider="sendgrid"))
    SavedAccounts(own_home / "config").put(relay)
    ran = await asyncio.to_thread(run, "bounces", "Relay", "--json")
    assert (ran.code, ran.error["code"]) == (1, "no_mailbox")
