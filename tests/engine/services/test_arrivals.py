"""Looking for a message: whose mailbox is read from which server, and for how long it may be waited."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from smtp_wizard.engine.accounts.account import Account
from smtp_wizard.engine.accounts.guarded_sign_in import PAUSED
from smtp_wizard.engine.base.address import Address
from smtp_wizard.engine.base.connection import Auth
from smtp_wizard.engine.base.endpoint import Endpoint, Security
from smtp_wizard.engine.base.secret import Secret
from smtp_wizard.engine.base.shown import phrase
from smtp_wizard.engine.base.who import Who
from smtp_wizard.engine.diagnosis.finding import Finding
from smtp_wizard.engine.mailbox import arrival
from smtp_wizard.engine.mailbox.arrival import Arrival, AwaitedBounce, ComeBack
from smtp_wizard.engine.mailbox.arrival_states import ArrivalState, SentCopy
from smtp_wizard.engine.mailbox.bounce_letters import read_letter
from smtp_wizard.engine.mailbox.findings import MailboxError
from smtp_wizard.engine.providers.catalog import load_catalog
from smtp_wizard.engine.services.arrivals import Arrivals
from smtp_wizard.text.areas.arrivals import confirmation_lines, rehearsal_lines
from tests.commands.test_send import RELAY
from tests.support.returned import report

NOW = datetime(2026, 11, 30, tzinfo=UTC)
NAMED = Endpoint("imap.example.com", 993, Security.TLS)
ANA = replace(RELAY, id="a" * 16, connection=replace(RELAY.connection, username="ana", auth=Auth.PASSWORD))
BOB = Address("bob", "elsewhere.example")


def bobs(username: str) -> Account:
    connection = replace(ANA.connection, username=username)
    return replace(ANA, id="b" * 16, name=phrase("Bob"), address=BOB, connection=connection)


class Opened:
    """Whose mailbox was opened, at which server and with how much patience. Everything is found at once."""

    def __init__(self, *accounts: Account) -> None:
        self.accounts = accounts
        self.mailboxes: list[tuple[str, Endpoint | None]] = []
        self.patience: list[timedelta] = []

    def list(self) -> Sequence[Account]:
        return self.accounts

    async def secret_of(self, account: Account) -> Secret:
        return Secret(f"the password of {account.id}")

    @asynccontextmanager
    async def opened(
        self, account: Account, secret: Secret, *, named: Endpoint | None, patience: timedelta, **_: object
    ) -> AsyncIterator[Any]:
        self.mailboxes.append((account.id, named))
        self.patience.append(patience)
        yield self

    async def do(self, work: Any) -> Any:
        return work(None)


def arrivals_over(opened: Opened, monkeypatch: pytest.MonkeyPatch, came: ComeBack | None = None) -> Arrivals:
    monkeypatch.setattr(arrival, "sent_copy", lambda *_: SentCopy.FOUND)
    monkeypatch.setattr(arrival, "arrival", lambda *_: Arrival(where=ArrivalState.INBOX))
    monkeypatch.setattr(arrival, "come_back", lambda *_: came or ComeBack())
    doubles: Any = opened
    catalog = load_catalog()
    return Arrivals(catalog, saved_accounts=doubles, entries=doubles, mailboxes=doubles, now=lambda: NOW, pause=at_once)


async def at_once(seconds: float) -> None:
    """The copy that was found is looked for once more, for a bounce that comes after it."""


def bounce(status: str = "5.1.1", diagnostic: str = "smtp; 550 5.1.1 User unknown") -> ComeBack:
    letter = read_letter(report("no-such-mailbox-code@example.com", status=status, diagnostic=diagnostic))
    came = AwaitedBounce(folder=ArrivalState.INBOX, letter=letter, recipient=letter.recipients[0])
    return ComeBack(bounce=came)


@pytest.mark.parametrize(
    ("username", "named"), [("bob", None), ("ana", NAMED)], ids=["another sign-in", "the same sign-in"]
)
async def test_the_password_of_another_sign_in_does_not_go_to_a_server_that_was_named_for_one(
    username: str, named: Endpoint | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened = Opened(ANA, bobs(username))
    found = await arrivals_over(opened, monkeypatch).confirm(ANA, Secret("a"), BOB, "code", named=NAMED)
    assert opened.mailboxes == [("a" * 16, NAMED), ("b" * 16, named)]
    assert (found.arrival.where, found.whose) == (ArrivalState.INBOX, "Bob")


async def test_where_mail_is_sent_through_the_same_server_its_password_may_be_read_with(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    there = Endpoint(ANA.connection.endpoint.host, 993, Security.TLS)
    opened = Opened(ANA, bobs("bob"))
    await arrivals_over(opened, monkeypatch).confirm(ANA, Secret("a"), BOB, "code", named=there)
    assert opened.mailboxes == [("a" * 16, there), ("b" * 16, there)]


async def test_as_long_as_a_message_is_waited_for_the_mailbox_stays_open(monkeypatch: pytest.MonkeyPatch) -> None:
    opened, patience = Opened(ANA, bobs("bob")), timedelta(seconds=900)
    arrivals = arrivals_over(opened, monkeypatch, bounce())
    await arrivals.confirm(ANA, Secret("a"), BOB, "code", patience=patience)
    await arrivals.rehearse(ANA, Secret("a"), "code", patience=patience)
    assert opened.patience == [timedelta(seconds=12), patience, patience]


@pytest.mark.parametrize("shut", ["a" * 16, "b" * 16], ids=["own", "other"])
async def test_a_mailbox_held_back_lest_the_account_be_locked_is_told_with_whose_it_is(
    shut: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    held = Finding(code=PAUSED, title=phrase("Wait"), explanation=phrase("Or not."), who=Who.YOU, steps=())

    class HeldBack(Opened):
        @asynccontextmanager
        async def opened(self, account: Account, secret: Secret, **how: Any) -> AsyncIterator[Any]:
            if account.id == shut:
                raise MailboxError(held)
            yield self

    found = await arrivals_over(HeldBack(ANA, bobs("bob")), monkeypatch).confirm(ANA, Secret("a"), BOB, "code")
    assert (found.paused, found.paused_whose) == (held, "Bob" if shut == "b" * 16 else "")


@pytest.mark.parametrize(
    ("status", "diagnostic", "cause", "settled"),
    [
        ("5.1.1", "smtp; 550 5.1.1 User unknown", "recipient_rejected", True),
        ("5.0.0", "smtp; 554 no", "unknown", True),
        ("5.7.1", "smtp; 554 5.7.1 blocked using zen.spamhaus.org", "sending_ip_rejected", False),
        ("5.2.2", "smtp; 552 5.2.2 Mailbox full", "recipient_rejected", False),
    ],
)
async def test_a_rehearsal_is_settled_by_a_bounce_for_an_address_that_is_nobodys_alone(
    status: str, diagnostic: str, cause: str, settled: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Mail that is blocked comes back too; whoever hears that all is well never mends it."""
    arrivals = arrivals_over(Opened(ANA), monkeypatch, bounce(status=status, diagnostic=diagnostic))
    found = await arrivals.rehearse(ANA, Secret("a"), "code")
    assert (found.cause, found.settled) == (cause, settled)
    lines = " ".join(rehearsal_lines(found, phrase("x@example.com")))
    assert ("But not because the address is nobody's" in lines) is not settled


@pytest.mark.parametrize(
    ("came", "settled", "words"),
    [
        (ComeBack(delayed=bounce().bounce), False, "only word that the message is late"),
        (ComeBack(delivered=True), True, "your domain takes mail for every address"),
        (ComeBack(unknown=("Zbytky",)), False, "No folder for junk was found. If it is one of 'Zbytky'"),
        (ComeBack(), False, "gets lost without a word"),
    ],
    ids=["late", "every address is taken", "no Junk", "nothing"],
)
async def test_where_no_bounce_came_it_is_told_what_is_known(
    came: ComeBack, settled: bool, words: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    arrivals = arrivals_over(Opened(ANA), monkeypatch, came)
    found = await arrivals.rehearse(ANA, Secret("a"), "code", patience=timedelta(0))
    assert (found.bounce, found.settled) == (None, settled)
    assert words in " ".join(rehearsal_lines(found, phrase("x@example.com")))


async def test_a_message_that_has_come_back_already_is_told_where_it_was_to_be_confirmed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    found = await arrivals_over(Opened(ANA), monkeypatch, bounce()).confirm(ANA, Secret("a"), BOB, "code")
    assert found.bounce is not None
    assert found.bounce.cause == "recipient_rejected"
    first = next(iter(confirmation_lines(found)))
    assert first.startswith("The message has come back, reported by mail.example.com: This address does not take mail.")


async def test_where_junk_may_be_a_folder_of_unknown_use_nobody_says_that_it_has_not_arrived(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    arrivals = arrivals_over(Opened(ANA, bobs("bob")), monkeypatch)
    nowhere = Arrival(where=ArrivalState.NO, unknown=("Zbytky",))
    monkeypatch.setattr(arrival, "arrival", lambda *_: nowhere)
    found = await arrivals.confirm(ANA, Secret("a"), BOB, "code", patience=timedelta(0))
    assert found.arrival.where is ArrivalState.UNKNOWN
    assert "No folder for junk was found" in " ".join(confirmation_lines(found))
