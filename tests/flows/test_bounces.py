"""Mail that came back without a face: what is asked, what is listed, and each way in which it cannot be read."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from smtp_wizard.engine.accounts.account import Account, AccountsError
from smtp_wizard.engine.accounts.guarded_sign_in import PAUSED
from smtp_wizard.engine.base.connection import Auth
from smtp_wizard.engine.base.endpoint import Endpoint, Security
from smtp_wizard.engine.base.secret import Secret
from smtp_wizard.engine.base.shown import phrase, shown
from smtp_wizard.engine.base.who import Who
from smtp_wizard.engine.diagnosis.finding import Finding
from smtp_wizard.engine.mailbox.bounce_letters import LetterKind
from smtp_wizard.engine.mailbox.failed_deliveries import FailedDelivery
from smtp_wizard.engine.mailbox.findings import MailboxError
from smtp_wizard.engine.oauth.errors import OAuthError, OAuthFault
from smtp_wizard.engine.secrets.secret_store import SecretError, SecretFault
from smtp_wizard.engine.secrets.store_kinds import StoreKind, StoreRef
from smtp_wizard.engine.services.bounces import BounceReport, UnreadableLetter
from smtp_wizard.engine.services.check_options import CheckOptions
from smtp_wizard.flows.accounts.action import ActionResult
from smtp_wizard.flows.areas.bounces import NO_ACCOUNT, BouncesFlow, BouncesOffer, PasteLetter, ReadMailbox, failed_row
from smtp_wizard.flows.flow import CopyText, Mood, ReadGuide
from smtp_wizard.flows.question import Answer, Topic
from smtp_wizard.text.areas.bounces import delivery_lines, summary
from tests.commands.test_send import RELAY
from tests.support.walk import make_services

NOW = datetime(2026, 11, 30, tzinfo=UTC)
ACCOUNT = replace(
    RELAY,
    id="a" * 16,
    connection=replace(RELAY.connection, username="ana", auth=Auth.PASSWORD),
    store=StoreRef(StoreKind.SESSION, "x"),
)


def delivery(address: str, *, days: int = 1, meant: str = "", final: bool = True) -> FailedDelivery:
    return FailedDelivery(
        address=phrase(address),
        kind=LetterKind.FAILED if final else LetterKind.DELAYED,
        at=NOW - timedelta(days=days),
        subject=phrase("Invoice 17"),
        sent_at=NOW - timedelta(days=days),
        status=phrase("5.1.1"),
        final=final,
        cause="recipient_rejected",
        code="recipient_rejected",
        why=phrase("This address does not take mail"),
        who=Who.YOU,
        steps=(phrase("Correct it in the customer's record."),),
        did_you_mean=phrase(meant),
        reported_by=phrase("mail.example.com"),
        new=True,
    )


def report(*deliveries: FailedDelivery) -> BounceReport:
    return BounceReport(
        since=NOW - timedelta(days=30),
        server=phrase("imap.example.com:993"),
        scanned=10,
        fetched=100,
        deliveries=deliveries,
        auto_replies=1,
        cut_off=False,
        marks={},
        keys=("key",),
    )


class Bounces:
    """Gives these results one after the other: reports, or what a service raises."""

    def __init__(self, *results: BounceReport | Exception) -> None:
        self.results = list(results)
        self.secrets: list[Secret | None] = []
        self.anyway: list[bool] = []
        self.remembered: list[BounceReport] = []
        self.named: list[Endpoint | None] = []

    async def read(
        self,
        account: Account,
        secret: Secret | None,
        age: timedelta,
        *,
        named: Endpoint | None,
        options: CheckOptions,
    ) -> BounceReport:
        self.named.append(named)
        self.secrets.append(secret)
        self.anyway.append(options.ignore_lockout)
        result = self.results.pop(0)
        if isinstance(result, Exception):
            raise result
        return result

    def remember(self, account: Account, found: BounceReport) -> None:
        self.remembered.append(found)


async def flow_over(folder: Path, bounces: Any, accounts: Sequence[Account] = (ACCOUNT,)) -> BouncesFlow:
    services = make_services(folder)
    vault = services.stores.vault
    flow = BouncesFlow(lambda: accounts, bounces, services.entries, vault, services.catalog, now=lambda: NOW)
    await flow.read_accounts()
    return flow


async def read_through(flow: BouncesFlow, password: str = "a password") -> ActionResult:
    """Read the mailbox; a question for the password is answered."""
    action = await flow.act(BouncesOffer.READ)
    assert isinstance(action, ReadMailbox)
    flow.begin()
    assert flow.state.card is not None
    assert flow.state.card.mood is Mood.RUNNING
    done = await action.begin()
    if done is None and action.state.about is Topic.PASSWORD:
        action.give(0, Secret(password))
        done = await action.act(Answer.DO)
    if done is None:
        assert action.state.about is Topic.LOCKOUT
        done = await action.act(Answer.DO)
    assert done is not None
    flow.take(action, done)
    return done


def offered(flow: BouncesFlow) -> list[BouncesOffer]:
    return [each.id for each in flow.state.offers]


def mixed() -> list[FailedDelivery]:
    """Three messages to one address: the newest is late, two older ones failed, of two reasons."""
    late = replace(delivery("bob@elsewhere.example", final=False), why=phrase("The message is late"), code="late")
    full = replace(delivery("bob@elsewhere.example", days=2), why=phrase("The mailbox is full"), code="mailbox_full")
    gone = delivery("bob@elsewhere.example", days=3)
    named = ("Invoice B", "Invoice A", "Invoice 0")
    return [replace(each, subject=phrase(name)) for each, name in zip((late, full, gone), named, strict=True)]


async def test_a_newer_delay_hides_no_failure_and_each_reason_has_its_messages(tmp_path: Path) -> None:
    flow = await flow_over(tmp_path, Bounces(report(*mixed())))
    await read_through(flow)
    (row,) = flow.state.rows
    assert (row.final, row.why) == (True, "The mailbox is full, and 2 more")
    assert flow.state.question == "1 address was not reached."
    why = "\n".join(row.sections[0].lines)
    assert all(words in why for words in ("mailbox is full", "does not take mail", "message is late"))
    mails = [section.lines for section in row.sections if section.title == "Your messages"]
    assert [line.partition("  ")[2] for lines in mails for line in lines] == ["Invoice A", "Invoice 0", "Invoice B"]


def test_in_lines_too_each_reason_has_its_messages_and_what_is_cut_short_is_said() -> None:
    lines = "\n".join(delivery_lines(mixed()))
    failed, waiting = lines.index("The mailbox is full"), lines.index("The message is late")
    assert failed < lines.index("Invoice A") < lines.index("does not take mail") < lines.index("Invoice 0") < waiting
    assert waiting < lines.index("Invoice B")
    said = summary(report(*mixed()), mixed(), phrase("Office"), new=False)
    assert "1 address failed" in said
    assert "waiting" not in said
    many = [delivery("bob@elsewhere.example", days=days) for days in range(1, 26)]
    assert sum("Invoice 17" in line for line in delivery_lines(many)) == 20
    assert "    ... and 5 more: --csv has them all." in delivery_lines(many)
    odd = [replace(delivery("bob@elsewhere.example"), code=str(number)) for number in range(9)]
    assert "    ... and 4 other reasons: --json has them all." in delivery_lines(odd)


async def test_each_address_stands_in_a_row_with_what_to_do_and_what_was_meant_is_copied(tmp_path: Path) -> None:
    found = report(
        delivery("bob@elsewhere.example", days=9, final=False),
        delivery("carla@gmial.com", meant="carla@gmail.com"),
        delivery("carla@gmial.com", days=3, meant="carla@gmail.com"),
    )
    bounces = Bounces(found)
    flow = await flow_over(tmp_path, bounces)
    assert offered(flow) == [BouncesOffer.READ, BouncesOffer.PASTE]
    await read_through(flow)
    assert [(row.address, row.last, row.final) for row in flow.state.rows] == [
        ("carla@gmial.com", "yesterday", True),
        ("bob@elsewhere.example", "21 Nov", False),
    ]
    assert flow.state.question == "1 address was not reached."
    assert flow.state.counted == "1 is still being tried · Office, since 31 Oct"
    why, what, mails = flow.state.sections
    assert "Did you mean carla@gmail.com?" in why.lines
    assert what.lines == ("Correct it in the customer's record.",)
    assert len(mails.lines) == 2
    assert await flow.act(BouncesOffer.COPY) == CopyText("carla@gmail.com")
    flow.choose(1)
    assert await flow.act(BouncesOffer.COPY) == CopyText("bob@elsewhere.example")
    assert bounces.remembered == [found]


async def test_the_password_that_is_kept_nowhere_is_asked_for(tmp_path: Path) -> None:
    bounces = Bounces(report())
    await read_through(await flow_over(tmp_path, bounces), "typed now")
    assert bounces.secrets == [Secret("typed now")]


async def test_reading_a_mailbox_may_be_stopped_after_the_password(tmp_path: Path) -> None:
    class Slow(Bounces):
        async def read(self, *_: Any, **__: Any) -> BounceReport:
            reached.set()
            await asyncio.Event().wait()
            raise AssertionError("it is stopped")

    reached = asyncio.Event()
    flow = await flow_over(tmp_path, Slow())
    action = await flow.act(BouncesOffer.READ)
    assert isinstance(action, ReadMailbox)
    assert await action.begin() is None
    action.give(0, Secret("a password"))
    reading = asyncio.ensure_future(action.act(Answer.DO))
    await reached.wait()
    assert action.state.stops
    reading.cancel()
    await asyncio.gather(reading, return_exceptions=True)
    assert (action.state.about, action.state.running) == (Topic.PASSWORD, "")


async def test_nothing_came_back_is_good_news(tmp_path: Path) -> None:
    flow = await flow_over(tmp_path, Bounces(report()))
    await read_through(flow)
    assert flow.state.card is not None
    assert flow.state.question == "Nothing has come back."
    assert "automatic repl" in flow.state.card.lines[0]


def trouble(code: str = "mailbox_switched_off", guide: str | None = "mailbox-imap") -> MailboxError:
    return MailboxError(
        Finding(
            code=code,
            title=phrase("IMAP is switched off"),
            explanation=phrase("No program may read it."),
            who=Who.YOU,
            steps=(phrase("Switch IMAP on."),),
            guide=guide,
        )
    )


async def test_what_the_mailbox_lacks_stands_on_a_card_with_its_guide(tmp_path: Path) -> None:
    bounces = Bounces(trouble())
    flow = await flow_over(tmp_path, bounces)
    await read_through(flow)
    assert flow.state.card is not None
    assert (flow.state.card.mood, flow.state.card.title) == (Mood.FAILED, "IMAP is switched off")
    assert "Switch IMAP on." in flow.state.card.lines
    assert await flow.act(BouncesOffer.GUIDE) == ReadGuide("mailbox-imap")
    assert bounces.remembered == [], "what was not read was not shown"


@pytest.mark.parametrize(
    "problem",
    [
        SecretError(SecretFault.LOCKED, phrase("The keyring is locked.")),
        OAuthError(OAuthFault.ELSEWHERE, phrase("Sign in again.")),
    ],
    ids=["secret", "browser"],
)
async def test_what_a_service_raises_is_said_and_the_mailbox_can_be_read_again(
    problem: Exception, tmp_path: Path
) -> None:
    flow = await flow_over(tmp_path, Bounces(problem, report()))
    await read_through(flow)
    assert flow.state.card is not None
    assert flow.state.card.title == str(problem)
    assert offered(flow)[0] is BouncesOffer.READ
    await read_through(flow)
    assert flow.state.read


async def at_the_server_question(folder: Path, service: Bounces) -> tuple[BouncesFlow, ReadMailbox]:
    flow = await flow_over(folder, service)
    action = await flow.act(BouncesOffer.READ)
    assert isinstance(action, ReadMailbox)
    flow.begin()
    assert await action.begin() is None
    action.give(0, Secret("a password"))
    assert await action.act(Answer.DO) is None
    assert action.state.about is Topic.IMAP_SERVER
    return flow, action


async def test_a_server_that_is_not_found_is_asked_for(tmp_path: Path) -> None:
    service = Bounces(trouble("mailbox_not_found"), trouble("mailbox_unreached"), report())
    _, action = await at_the_server_question(tmp_path, service)
    assert action.state.lines == ("IMAP is switched off.", "No program may read it.")
    action.type(0, "imap example")
    assert await action.act(Answer.DO) is None
    assert action.state.entries[0].text == "imap example"
    assert len(service.named) == 1, "it is said at the field"
    action.type(0, "imap.example.com")
    assert await action.act(Answer.DO) is None
    assert action.state.entries[0].text == "imap.example.com:993"
    action.type(0, "mail.example.com:143")
    done = await action.act(Answer.DO)
    assert done is not None
    assert not done.trouble
    assert service.named[1:] == [
        Endpoint("imap.example.com", 993, Security.TLS),
        Endpoint("mail.example.com", 143, Security.STARTTLS),
    ]


async def test_of_the_command_line_nothing_is_said(tmp_path: Path) -> None:
    """Neither what is typed there where too much came back, nor what it calls the area where a letter is pasted."""
    strange = replace(delivery("ana@stranger.example"), steps=(phrase("Paste the letter into smtp-wizard explain."),))
    flow = await flow_over(tmp_path, Bounces(replace(report(strange), auto_replies=0, cut_off=True)))
    await read_through(flow)
    assert flow.state.card is not None
    assert flow.state.card.lines == ("There are more than were read.",)
    (to_do,) = [each.lines for each in flow.state.sections if each.title == "What to do"]
    assert to_do == ("Paste the letter into 'Explain an error'.",)


async def test_who_names_no_server_is_told_what_is_wrong_without_the_command_line(tmp_path: Path) -> None:
    problem = trouble("mailbox_not_found")
    steps = (
        phrase("Name it: --imap HOST[:PORT]."),
        phrase("Look in the webmail."),
        phrase("See 'smtp-wizard explain'."),
    )
    flow, action = await at_the_server_question(tmp_path, Bounces(MailboxError(replace(problem.finding, steps=steps))))
    flow.asks()
    assert flow.state.card is not None
    assert flow.state.card.mood is Mood.TOLD, "nothing is read meanwhile"
    done = await action.act(Answer.LEAVE)
    assert done is not None
    flow.take(action, done)
    assert flow.state.card is not None
    assert flow.state.card.lines == ("No program may read it.", "Look in the webmail.", "See 'Explain an error'.")


async def test_what_was_read_stays_where_it_is_read_again_in_vain(tmp_path: Path) -> None:
    flow = await flow_over(tmp_path, Bounces(report(delivery("carla@gmial.com")), trouble()))
    await read_through(flow)
    before, rows = flow.state, flow.state.rows
    assert len(rows) == 1
    flow.begin()
    flow.stopped()
    assert flow.state == before
    await read_through(flow)
    assert flow.state.rows == rows
    assert flow.state.card is not None
    assert BouncesOffer.GUIDE in offered(flow)
    assert BouncesOffer.COPY in offered(flow)


async def test_a_sign_in_that_is_held_back_is_tried_after_a_yes_alone(tmp_path: Path) -> None:
    bounces = Bounces(trouble(PAUSED, None), report())
    await read_through(await flow_over(tmp_path, bounces))
    assert bounces.anyway == [False, True]


async def test_accounts_are_taken_one_after_the_other_and_those_without_a_mailbox_are_none(tmp_path: Path) -> None:
    second = replace(ACCOUNT, name=phrase("Shop"))
    flow = await flow_over(tmp_path, Bounces(), (RELAY, ACCOUNT, second))
    assert flow.state.account == "Office"
    await flow.act(BouncesOffer.OTHER)
    assert flow.state.account == "Shop"
    await flow.act(BouncesOffer.OTHER)
    assert flow.state.account == "Office"


async def test_without_an_account_a_letter_can_be_pasted(tmp_path: Path) -> None:
    flow = await flow_over(tmp_path, Bounces(), (RELAY,))
    assert flow.state.card is not None
    assert flow.state.card.title == NO_ACCOUNT
    assert offered(flow) == [BouncesOffer.PASTE]
    assert await flow.act(BouncesOffer.PASTE) == PasteLetter()
    assert await flow.act(BouncesOffer.READ) is None


async def test_accounts_that_cannot_be_read_are_said(tmp_path: Path) -> None:
    def damaged() -> Sequence[Account]:
        raise AccountsError(phrase("The accounts are damaged."))

    services = make_services(tmp_path)
    bounces: Any = Bounces()
    vault = services.stores.vault
    flow = BouncesFlow(damaged, bounces, services.entries, vault, services.catalog, now=lambda: NOW)
    await flow.read_accounts()
    assert flow.state.card is not None
    assert flow.state.card.title == "The accounts are damaged."


async def test_where_letters_could_not_be_read_it_does_not_say_that_nothing_has_come_back(tmp_path: Path) -> None:
    letter = UnreadableLetter(at=NOW, subject=phrase("Undeliverable: Invoice 55"), new=True)
    flow = await flow_over(tmp_path, Bounces(replace(report(), unreadable=(letter,) * 5)))
    done = await read_through(flow)
    assert done.said == "Office: not all that came back since 2026-10-31 could be read."
    assert flow.state.question == "Not all that came back could be read."
    assert flow.state.card is not None
    assert "5 letters could not be read: they report mail that failed" in flow.state.card.lines[1]
    assert flow.state.card.lines[2].endswith("  Undeliverable: Invoice 55")
    assert flow.state.card.lines[5] == "... and 2 more."


async def test_a_letters_subject_is_shown_as_it_is_and_of_options_nothing_is_said(tmp_path: Path) -> None:
    """By its subject the letter is to be found; only words of our own are put as a screen puts them."""
    subject = "Undeliverable: smtp-wizard test KAYAK-17 --host"
    letter = UnreadableLetter(at=NOW, subject=phrase("{}", shown(subject)), new=True)
    flow = await flow_over(tmp_path, Bounces(replace(report(), unreadable=(letter,), cut_off=True)))
    await read_through(flow)
    assert flow.state.card is not None
    assert any(line.endswith(subject) for line in flow.state.card.lines)
    assert flow.state.card.lines[-1] == "There are more than were read."


def test_a_row_shows_the_servers_words_and_the_message_to_send() -> None:
    said = replace(delivery("bob@x.example"), server_said=phrase("550 no"), forward=phrase("Hello, please look."))
    sections = {each.title: each.lines for each in failed_row([said], NOW).sections}
    assert sections["The server's words"] == ("The server said: 550 no",)
    assert sections["The message to send"] == ("Hello, please look.",)
