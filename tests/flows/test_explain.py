"""Explaining without a face: what is taken, what the answer offers, and where each offer leads."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from threading import Event

import pytest

from smtp_wizard.engine.accounts.account import Account, AccountsError
from smtp_wizard.engine.base.address import Address
from smtp_wizard.engine.base.connection import Connection
from smtp_wizard.engine.base.data_files import DataError
from smtp_wizard.engine.base.endpoint import Endpoint, Security
from smtp_wizard.engine.base.identity import Identity, Scope
from smtp_wizard.engine.base.shown import phrase, shown
from smtp_wizard.engine.explain.explain import Explainer
from smtp_wizard.engine.explain.factory import load_explainer
from smtp_wizard.flows.areas.explain import (
    QUOTED_WIDTH,
    CheckAccount,
    ExplainFlow,
    ExplainOffer,
    ExplainState,
    first_lines,
)
from smtp_wizard.flows.flow import CopyText, Mood, ReadGuide
from smtp_wizard.text.explain import BOUNCES_GUIDE, NOTHING_PASTED
from tests.support.patience import PATIENCE
from tests.support.walk import catalog, guides

REFUSED = (
    "535-5.7.8 Username and Password not accepted. For more information, go\n"
    "535 5.7.8 to https://support.google.com/mail/?p=BadCredentials\n"
)
BOUNCE = (
    "This is the mail system at host mx.example.org.\n"
    "<private.person@example.org>: host mail.example.org[192.0.2.7] said:\n"
    "    550 5.1.1 <private.person@example.org>: Recipient address rejected: User unknown (in reply to RCPT TO)\n"
)
SUSPENDED = "454 5.7.1 your account has been suspended, outgoing mail is blocked for spam\n"
PASSWORD = "correct-horse-battery"


def an_account(name: str, provider: str) -> Account:
    endpoint = Endpoint(f"smtp.{provider}.example", 465, Security.TLS)
    return Account(
        name=shown(name),
        address=Address("ana", "example.org"),
        connection=Connection(endpoint=endpoint, username="ana@example.org", provider=provider),
        identity=Identity(),
        scope=Scope.GENERAL,
        store=None,
        created=datetime(2026, 11, 30, tzinfo=UTC),
    )


def no_accounts() -> Sequence[Account]:
    return ()


def explaining(
    accounts: Callable[[], Sequence[Account]] = no_accounts, load: Callable[[], Explainer] | None = None
) -> ExplainFlow:
    return ExplainFlow(catalog(), guides(), accounts, load or (lambda: load_explainer(catalog())))


async def explained(text: str, accounts: Callable[[], Sequence[Account]] = no_accounts) -> ExplainFlow:
    flow = explaining(accounts)
    flow.paste(text)
    assert await flow.act(ExplainOffer.EXPLAIN) is None
    return flow


def offered(flow: ExplainFlow) -> list[ExplainOffer]:
    return [each.id for each in flow.state.offers]


async def test_a_refused_password_leads_to_an_app_password() -> None:
    """Whose words they are, what they mean, who acts; the first offer is the cure."""
    flow = await explained(REFUSED)
    state = flow.state
    assert state.said_by == "Gmail said this"
    assert state.quoted == tuple(REFUSED.splitlines())
    assert state.card is not None
    assert state.card.mood is Mood.FAILED
    assert state.card.lines[1].startswith("You: ")
    assert state.card.foot.startswith("sure")
    assert (state.offers[0].id, state.offers[0].verb) == (ExplainOffer.GUIDE, "Make an app password")
    assert "minutes" in state.offers[0].note
    assert offered(flow) == [ExplainOffer.GUIDE, ExplainOffer.ANEW]
    assert await flow.act(ExplainOffer.GUIDE) == ReadGuide("gmail-app-password")


@pytest.mark.parametrize("text", [BOUNCE, f"Subject: Undelivered Mail\nFrom: MAILER-DAEMON\nTo: x\n\n{BOUNCE}"])
async def test_every_explained_bounce_leads_to_its_guide(text: str) -> None:
    """As it came, or its middle alone."""
    flow = await explained(text)
    assert ExplainOffer.BOUNCES in offered(flow)
    assert ExplainOffer.TEST not in offered(flow)
    assert await flow.act(ExplainOffer.BOUNCES) == ReadGuide(BOUNCES_GUIDE)


async def test_a_message_for_others_is_ready_to_be_copied() -> None:
    """Where somebody else must act."""
    flow = await explained(SUSPENDED)
    assert flow.state.offers[0].verb == "Copy a message for your mail provider"
    led = await flow.act(ExplainOffer.COPY)
    assert isinstance(led, CopyText)
    assert flow.state.card is not None
    assert flow.state.card.lines[1].startswith("Your mail provider must act. ")


async def test_an_account_of_that_provider_can_be_tested() -> None:
    """Only where it is clear which one is meant."""
    office = an_account("Office", provider="gmail")
    flow = await explained(REFUSED, lambda: (office, an_account("Shop", provider="fastmail")))
    assert await flow.act(ExplainOffer.TEST) == CheckAccount("Office")
    assert "'Office'" in next(each.verb for each in flow.state.offers if each.id is ExplainOffer.TEST)
    flow = await explained(REFUSED, lambda: (office, an_account("Second", provider="gmail")))
    assert await flow.act(ExplainOffer.TEST) is None
    flow = await explained("535 5.7.8 authentication failed", lambda: (office,))
    assert await flow.act(ExplainOffer.TEST) == CheckAccount("Office")


async def test_accounts_that_cannot_be_read_are_no_fault_here() -> None:
    """Their own list says what is wrong with them."""

    def damaged() -> Sequence[Account]:
        raise AccountsError(phrase("The file of the accounts is damaged."))

    flow = await explained(REFUSED, damaged)
    assert flow.state.answered
    assert ExplainOffer.TEST not in offered(flow)


async def test_rules_that_cannot_be_read_are_said() -> None:
    """The text stays, and can be tried again."""

    def broken() -> Explainer:
        raise DataError(phrase("data/wordings.yaml is damaged."))

    flow = explaining(load=broken)
    flow.paste(REFUSED)
    await flow.act(ExplainOffer.EXPLAIN)
    assert flow.state.card is not None
    assert flow.state.card.mood is Mood.FAILED
    assert flow.state.card.lines == ("data/wordings.yaml is damaged.",)
    assert not flow.state.answered
    assert offered(flow) == [ExplainOffer.EXPLAIN]


async def test_nothing_pasted_is_said_in_the_field() -> None:
    """Nothing is asked of anybody; typing takes the words away."""
    flow = await explained(" \n ")
    assert flow.state.entry.error == NOTHING_PASTED
    flow.paste("535")
    assert not flow.state.entry.error


async def test_what_nobody_knows_is_called_so() -> None:
    """No guess: what can be tried, and a message for the provider."""
    flow = await explained("it does not work")
    assert flow.state.card is not None
    assert flow.state.card.mood is Mood.TOLD
    assert flow.state.card.foot == "not known here"


async def test_an_unknown_provider_is_said_beside_the_answer() -> None:
    """And it is explained without it."""
    flow = explaining()
    flow.paste(REFUSED, provider="no such firm")
    await flow.act(ExplainOffer.EXPLAIN)
    assert flow.state.card is not None
    assert "no such firm" in flow.state.card.lines[-1]


async def test_something_else_begins_with_nothing() -> None:
    """Nothing of the text before is left."""
    flow = await explained(REFUSED)
    await flow.act(ExplainOffer.ANEW)
    assert flow.state == ExplainState()
    assert flow.explanation is None
    assert flow.details() == ()
    await flow.act(ExplainOffer.EXPLAIN)
    assert flow.state.entry.error == NOTHING_PASTED


async def test_details_have_every_word() -> None:
    """What it rests on, all steps, the message."""
    flow = await explained(SUSPENDED)
    said = "\n".join(line for each in flow.details() for line in (each.title, *each.lines))
    assert flow.explanation is not None
    finding = flow.explanation.finding
    assert all(step in said for step in finding.steps)
    assert finding.forward
    assert finding.forward in said
    assert "Seen: " in said


async def test_a_cancelled_look_leaves_what_was_there() -> None:
    """Another text takes over, or the person goes on."""
    begun, may_end = Event(), Event()

    def slow() -> Explainer:
        begun.set()
        may_end.wait(PATIENCE)
        return load_explainer(catalog())

    flow = explaining(load=slow)
    flow.paste(REFUSED)
    before = flow.state
    at_work = asyncio.create_task(flow.act(ExplainOffer.EXPLAIN))
    await asyncio.to_thread(begun.wait, 20)
    assert flow.state.card is not None
    assert flow.state.card.mood is Mood.RUNNING
    at_work.cancel()
    may_end.set()
    with pytest.raises(asyncio.CancelledError):
        await at_work
    assert flow.state == before


async def test_the_state_has_no_more_of_the_text_than_two_lines() -> None:
    """A password further down is in no state."""
    flow = await explained(f"{REFUSED}{'x' * 50}\npassword: {PASSWORD}\n")
    assert PASSWORD not in repr(flow.state)
    assert PASSWORD not in repr(flow.details())


def test_the_quoted_lines_begin_at_the_reply() -> None:
    """Whatever stands before it; bounded, and without control characters."""
    log = "Nov 30 12:00:01 connecting\n\nNov 30 12:00:02 ok\n535 5.7.8 \x1b[31mno\u202e " + "y" * 10_000
    (line,) = first_lines(log)
    assert line.startswith("535 5.7.8")
    assert "\x1b" not in line
    assert "\u202e" not in line
    assert len(line) <= QUOTED_WIDTH + 20
    assert list(first_lines("nothing here\nof that kind\nat all")) == ["nothing here", "of that kind"]
    assert list(first_lines("")) == []
