"""After the test mail, without a face: looking where it arrived, and rehearsing a bounce, before anything is saved."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from smtp_wizard.engine.accounts.guarded_sign_in import PAUSED
from smtp_wizard.engine.base.address import Address
from smtp_wizard.engine.base.connection import Auth
from smtp_wizard.engine.base.shown import phrase
from smtp_wizard.engine.mailbox.arrival import Arrival
from smtp_wizard.engine.mailbox.arrival_states import ArrivalState, SentCopy
from smtp_wizard.engine.mailbox.findings import MailboxError
from smtp_wizard.engine.services.arrivals import Confirmation
from smtp_wizard.engine.wizard.draft import Draft, ReportedArrival
from smtp_wizard.engine.wizard.steps import Next
from smtp_wizard.flows.accounts.action import LEFT, ActionResult
from smtp_wizard.flows.flow import Mood
from smtp_wizard.flows.last_steps.test_mail import MailTestFlow
from smtp_wizard.flows.last_steps.test_mail_state import MailTestOffer, MailTestPhase
from smtp_wizard.flows.question import Answer, Topic
from smtp_wizard.text.areas.arrivals import TAKEN
from smtp_wizard.text.test_mail import FOLLOWED_NOT
from tests.flows.accounts.test_arrival import NOTHING, Doubles, actions, finding
from tests.flows.last_steps.test_test_mail import Checks, Tokens
from tests.support.places import NOW, draft_at_testmail
from tests.support.walk import catalog

BOB = Address("bob", "elsewhere.example")
BOTH = {MailTestOffer.LOOK, MailTestOffer.REHEARSE}


def sent_draft(arrival: ReportedArrival = ReportedArrival.ARRIVED, **connection: Any) -> Draft:
    """A draft whose test message, 'music', went to Bob from a mailbox that is no practice."""
    draft = draft_at_testmail()
    own = replace(draft.connection, **({"sandbox": None} | connection))
    return replace(draft, connection=own, test_to=BOB, test_word="music", arrival=arrival)


def flow_of(folder: Path, draft: Draft, doubles: Doubles) -> MailTestFlow:
    return MailTestFlow(
        draft,
        checks=Checks(),
        tokens=Tokens(),
        vault=actions(folder, doubles).vault,
        catalog=catalog(),
        now=lambda: NOW,
        messages=actions(folder, doubles),
    )


def offered(flow: MailTestFlow) -> set[MailTestOffer]:
    return {each.id for each in flow.state.offers}


async def gone_through(flow: MailTestFlow, offer: MailTestOffer, answer: Answer = Answer.DO) -> ActionResult:
    """Take an offer, and answer the question that comes before anything is read or sent."""
    assert await flow.act(offer) is None
    action = flow.action
    assert action is not None
    assert await action.begin() is None
    assert action.state.about in (Topic.LOOK, Topic.REHEARSAL)
    done = await action.act(answer)
    assert done is not None
    flow.acted(done)
    return done


def found(where: ArrivalState) -> Confirmation:
    return Confirmation(copy=SentCopy.FOUND, arrival=Arrival(where=where), whose=phrase("Bob's"))


@pytest.mark.parametrize("arrival", [ReportedArrival.ARRIVED, ReportedArrival.JUNK])
def test_both_are_offered_once_the_message_was_seen(arrival: ReportedArrival, tmp_path: Path) -> None:
    flow = flow_of(tmp_path, sent_draft(arrival), Doubles())
    assert offered(flow) >= BOTH
    assert flow.state.offers[0].id is MailTestOffer.ON, "Enter goes on"


@pytest.mark.parametrize(
    "connection",
    [{"sandbox": "accept"}, {"auth": Auth.NONE}, {"auth": Auth.XOAUTH2}],
    ids=["practice", "none", "token"],
)
async def test_neither_is_offered_where_no_mailbox_can_be_read_with_it(
    connection: dict[str, Any], tmp_path: Path
) -> None:
    flow = flow_of(tmp_path, sent_draft(**connection), Doubles())
    assert not offered(flow) & BOTH
    for offer in BOTH:
        assert await flow.act(offer) is None
        assert flow.action is None


async def test_the_copy_in_sent_is_looked_for_by_the_word_of_the_message_and_nothing_is_sent(tmp_path: Path) -> None:
    doubles = Doubles(found=[found(ArrivalState.INBOX)])
    draft = sent_draft()
    flow = flow_of(tmp_path, draft, doubles)
    await gone_through(flow, MailTestOffer.LOOK)
    assert (doubles.looked, doubles.messages) == ([("music", draft.secret)], [])
    assert flow.state.phase is MailTestPhase.FOLLOWED
    assert flow.state.card is not None
    assert (flow.state.card.mood, len(flow.state.card.lines)) == (Mood.PASSED, 1)
    assert flow.state.card.lines[0].startswith("A copy lies in Sent")
    leads = await flow.act(MailTestOffer.ON)
    assert isinstance(leads, Next)


@pytest.mark.parametrize(
    "came_out",
    [
        Confirmation(copy=SentCopy.ABSENT, arrival=Arrival(where=ArrivalState.NO)),
        Confirmation(
            copy=SentCopy.UNKNOWN, copy_trouble=phrase("It timed out."), arrival=Arrival(where=ArrivalState.NO)
        ),
    ],
    ids=["found nowhere", "not read"],
)
async def test_what_was_not_found_is_not_called_found(came_out: Confirmation, tmp_path: Path) -> None:
    flow = flow_of(tmp_path, sent_draft(), Doubles(found=[came_out]))
    await gone_through(flow, MailTestOffer.LOOK)
    assert flow.state.card is not None
    assert (flow.state.card.mood, flow.state.card.title) == (Mood.WARNED, FOLLOWED_NOT)


@pytest.mark.parametrize("nothing", [False, True], ids=["at the word", "nothing yet"])
@pytest.mark.parametrize(
    ("where", "known", "before"),
    [
        (ArrivalState.INBOX, ReportedArrival.ARRIVED, MailTestPhase.ARRIVED),
        (ArrivalState.JUNK, ReportedArrival.JUNK, MailTestPhase.JUNK),
        (ArrivalState.NO, ReportedArrival.NOT_YET, MailTestPhase.WORD),
        (ArrivalState.UNKNOWN, ReportedArrival.NOT_YET, MailTestPhase.WORD),
    ],
)
async def test_what_is_found_in_a_mailbox_of_ones_own_has_arrived(
    where: ArrivalState, known: ReportedArrival, before: MailTestPhase, nothing: bool, tmp_path: Path
) -> None:
    flow = flow_of(tmp_path, sent_draft(ReportedArrival.NOT_YET), Doubles(found=[found(where)]))
    if nothing:
        await flow.act(MailTestOffer.NOTHING)
    assert not flow.state.marked or nothing, "while the word is asked for nothing is marked"
    assert MailTestOffer.LOOK in offered(flow)
    await gone_through(flow, MailTestOffer.LOOK)
    assert flow.draft.arrival is known
    assert await flow.act(MailTestOffer.BACK) is None
    assert flow.state.phase is before


async def test_a_bounce_is_rehearsed_after_a_yes_and_kept_with_no_account(tmp_path: Path) -> None:
    doubles = Doubles(found=[NOTHING])
    flow = flow_of(tmp_path, sent_draft(), doubles)
    await gone_through(flow, MailTestOffer.REHEARSE)
    ((to, code, envelope),) = doubles.messages
    assert to.startswith(f"no-such-mailbox-{code}@")
    assert (envelope, doubles.kept) == (code, [False])
    assert flow.state.card is not None
    assert flow.state.card.mood is Mood.WARNED
    assert flow.draft.arrival is ReportedArrival.ARRIVED, "what is known of the test message stays"


@pytest.mark.parametrize("offer", sorted(BOTH))
async def test_whoever_leaves_it_stands_where_they_were(offer: MailTestOffer, tmp_path: Path) -> None:
    doubles = Doubles(found=[NOTHING])
    flow = flow_of(tmp_path, sent_draft(), doubles)
    before = flow.state
    assert await gone_through(flow, offer, Answer.LEAVE) == LEFT
    assert flow.state == before
    assert (doubles.messages, doubles.looked) == ([], [])


async def test_a_rehearsal_that_was_left_once_the_message_went_out_found_nothing(tmp_path: Path) -> None:
    """Nobody signs in to see it come back: what is known of the message is told, and is no find."""
    doubles = Doubles(found=[MailboxError(finding(PAUSED))])
    flow = flow_of(tmp_path, sent_draft(), doubles)
    await flow.act(MailTestOffer.REHEARSE)
    assert flow.action is not None
    await flow.action.begin()
    assert await flow.action.act(Answer.DO) is None
    done = await flow.action.act(Answer.LEAVE)
    assert done is not None
    flow.acted(done)
    card = flow.state.card
    assert card is not None
    assert (card.mood, card.title, card.lines) == (Mood.WARNED, FOLLOWED_NOT, (TAKEN,))
