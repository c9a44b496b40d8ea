"""The whole way with Postfix and Dovecot: a message is sent, comes back, and is read out of the mailbox."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from imapclient import IMAPClient

from smtp_wizard.engine.accounts.saved_accounts import SavedAccounts
from smtp_wizard.engine.base.address import Address
from smtp_wizard.engine.base.connection import Auth
from smtp_wizard.engine.base.endpoint import Endpoint, Security
from smtp_wizard.engine.base.identity import Identity
from smtp_wizard.engine.base.secret import Secret
from smtp_wizard.engine.base.shown import phrase
from smtp_wizard.engine.mailbox.arrival import sent_copy
from smtp_wizard.engine.mailbox.arrival_states import SentCopy
from smtp_wizard.engine.mailbox.bounded_imap import ImapLimits, ImapStream
from smtp_wizard.engine.mailbox.imap_session import ImapSession
from smtp_wizard.engine.secrets.store_kinds import StoreKind, StoreRef
from smtp_wizard.engine.smtp.tls import Trust, verifying_context
from tests.commands.test_send import RELAY
from tests.realservers.mailboxes import FULL, GONE, Mailboxes, run_mailboxes
from tests.realservers.servers import ALICE, DOMAIN, NAME, ZOE, wait_until
from tests.support.cli import Ran, run
from tests.support.returned import IN_WORDS, ORDINARY, OUT_OF_OFFICE

pytestmark = pytest.mark.real


@pytest.fixture(scope="module")
def mailboxes() -> Iterator[Mailboxes]:
    with run_mailboxes() as servers:
        yield servers


@pytest.fixture
def office(own_home: Path, mailboxes: Mailboxes) -> str:
    """Alice's account, saved."""
    connection = replace(
        RELAY.connection,
        endpoint=Endpoint(NAME, mailboxes.smtp.starttls_port, Security.STARTTLS),
        username=ALICE.address,
        auth=Auth.PASSWORD,
        ca_file=str(mailboxes.smtp.ca_file),
    )
    address = Address("alice", DOMAIN)
    identity = Identity(sender=address, sender_name="Alice", company_name="", reply_to=None, update_company=False)
    SavedAccounts(own_home / "config").put(
        replace(
            RELAY, address=address, connection=connection, identity=identity, store=StoreRef(StoreKind.SESSION, "x")
        )
    )
    return RELAY.name


def ask(mailboxes: Mailboxes, office: str, *more: str) -> Ran:
    there = f"{NAME}:{mailboxes.imap.port}"
    return run("bounces", office, "--imap", there, "--password-stdin", "--json", *more, stdin=ALICE.password)


def send(office: str, to: str) -> None:
    ran = run("send", office, "--to", to, "--password-stdin", "--json", stdin=ALICE.password)
    assert (ran.code, ran.document["accepted"]) == (0, "yes"), ran.out


def letters(mailboxes: Mailboxes) -> int:
    box = mailboxes.smtp.mail / "alice"
    return sum(1 for part in ("new", "cur") if (box / part).is_dir() for _ in (box / part).iterdir())


def flags(mailboxes: Mailboxes) -> dict[str, Any]:
    """Return the flags of all letters in all folders, as another program sees them."""
    context = verifying_context(Trust(str(mailboxes.smtp.ca_file)))
    with IMAPClient(NAME, mailboxes.imap.port, ssl_context=context, timeout=20) as client:
        client.login(ALICE.address, ALICE.password)
        found: dict[str, Any] = {}
        for _, _, name in client.list_folders():
            client.select_folder(name, readonly=True)
            uids = client.search()
            found[name] = dict(client.get_flags(uids)) if uids else {}
        return found


@pytest.mark.parametrize(
    ("to", "status", "words"), [(GONE, "5.1.1", "does not take mail"), (FULL, "5.2.2", "full")], ids=["unknown", "full"]
)
def test_what_comes_back_is_found_at_once_with_its_address_its_cause_and_that_it_is_final(
    to: str, status: str, words: str, mailboxes: Mailboxes, office: str
) -> None:
    before = letters(mailboxes)
    send(office, to)
    wait_until(lambda: letters(mailboxes) > before, "the returned message")
    began = time.monotonic()
    found = [each for each in ask(mailboxes, office).document["bounces"] if each["address"] == to]
    assert time.monotonic() - began < 5
    assert (found[0]["status"], found[0]["final"], found[0]["cause"]) == (status, True, "recipient_rejected")
    assert words in found[0]["why"]
    assert "mail." in found[0]["reported_by"]


def test_nothing_in_the_mailbox_is_changed_and_junk_is_looked_into(mailboxes: Mailboxes, office: str) -> None:
    for number, octets in enumerate((ORDINARY, OUT_OF_OFFICE)):
        mailboxes.put("alice", octets, name=f"{int(time.time())}.other{number}.here")
    mailboxes.put("alice", IN_WORDS, folder="Junk", name=f"{int(time.time())}.junk.here")
    before = flags(mailboxes)
    ran = ask(mailboxes, office)
    assert "carla@gmial.com" in [each["address"] for each in ran.document["bounces"]]
    assert ran.document["auto_replies"] >= 1
    assert flags(mailboxes) == before
    again = ask(mailboxes, office, "--new")
    assert (again.document["scanned"], again.document["bounces"]) == (0, [])
    mailboxes.put("alice", ORDINARY, name=f"{int(time.time())}.late.here")
    assert ask(mailboxes, office, "--new").document["scanned"] == 1


def test_the_absence_of_a_copy_in_sent_is_said_and_the_arrival_found(
    mailboxes: Mailboxes, office: str, own_home: Path, tmp_path: Path
) -> None:
    """Postfix files no copy; with one in Sent, it is found."""
    saved = SavedAccounts(own_home / "config")
    secret = tmp_path / "secret"
    secret.write_text(ZOE.password, "utf-8")
    secret.chmod(0o600)
    alice = saved.get(office)
    zoe = replace(alice.connection, username=ZOE.address)
    store = StoreRef(StoreKind.FILE, str(secret))
    saved.put(replace(alice, name=phrase("Zoe"), id="", address=Address("zoe", DOMAIN), connection=zoe, store=store))
    there = f"{NAME}:{mailboxes.imap.port}"
    asked = ("send", office, "--to", ZOE.address, "--confirm", "--imap", there, "--password-stdin", "--json")
    document = run(*asked, stdin=ALICE.password).document
    assert (document["accepted"], document["sent_copy"], document["arrived"]) == ("yes", "absent", "inbox")
    code = document["test_code"]
    box = mailboxes.smtp.mail / "zoe"
    files = [file.read_bytes() for part in ("new", "cur") for file in (box / part).iterdir()]
    (copy,) = [each for each in files if code.encode() in each]
    mailboxes.put("alice", copy, folder="Sent", name=f"{int(time.time())}.sent.here")
    line = ImapStream(mailboxes.imap, ImapLimits())
    session = ImapSession(line, Trust(str(mailboxes.smtp.ca_file)))
    session.connect()
    session.sign_in(ALICE.address, Secret(ALICE.password), session.way_in(Auth.PASSWORD))
    assert sent_copy(session, code, datetime.now(UTC).date() - timedelta(days=1)) is SentCopy.FOUND
    session.log_out()


def test_a_bounce_is_rehearsed(mailboxes: Mailboxes, office: str) -> None:
    there = f"{NAME}:{mailboxes.imap.port}"
    asked = ("send", office, "--to", GONE, "--rehearse-bounce", "--yes", "--imap", there, "--password-stdin", "--json")
    ran = run(*asked, stdin=ALICE.password)
    bounce = ran.document["bounce"]
    assert (ran.code, bounce["found"], bounce["folder"]) == (0, True, "inbox")
    assert bounce["address"].endswith("@gone.example")
    assert bounce["after_seconds"] < 30


def test_a_wrong_password_is_refused_in_words(mailboxes: Mailboxes, office: str) -> None:
    there = f"{NAME}:{mailboxes.imap.port}"
    ran = run("bounces", office, "--imap", there, "--password-stdin", "--json", stdin="wrong password")
    assert (ran.code, ran.error["code"]) == (1, "mailbox_refused")
    assert "wrong password" not in ran.out + ran.err


def test_the_addresses_that_an_account_may_send_as_are_found_by_one_message_to_oneself(
    mailboxes: Mailboxes, office: str
) -> None:
    """Postfix refuses another user's address when the recipient is named, and looks at no From."""
    before = letters(mailboxes)
    there = f"{NAME}:{mailboxes.imap.port}"
    asked = ("senders", office, "--try", ZOE.address, "--yes", "--imap", there, "--password-stdin", "--json")
    document = run(*asked, stdin=ALICE.password).document
    rows = {row["kind"]: row for row in document["senders"]}
    assert (rows["account"]["envelope"], rows["account"]["from"]) == ("accepted", "accepted")
    assert (rows["tried"]["envelope"], rows["tried"]["from"]) == ("refused", "accepted")
    assert rows["tried"]["finding"]["code"] == "sender_not_allowed"
    assert (document["sent"], document["seen"], letters(mailboxes) - before) == (2, True, 2)
