"""One message of an account and what becomes of it, without a face: what is asked, what is sent, how it can fail."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from smtp_wizard.engine.accounts.account import Account
from smtp_wizard.engine.accounts.guarded_sign_in import PAUSED
from smtp_wizard.engine.base.address import Address
from smtp_wizard.engine.base.connection import Auth
from smtp_wizard.engine.base.secret import Secret
from smtp_wizard.engine.base.shown import phrase
from smtp_wizard.engine.base.stages import Depth, Stage, Verdict
from smtp_wizard.engine.base.who import Who
from smtp_wizard.engine.checks.events import Event, StageFinished, StageStarted
from smtp_wizard.engine.checks.report import CheckResult, Report
from smtp_wizard.engine.diagnosis.finding import Finding
from smtp_wizard.engine.mailbox.arrival import Arrival
from smtp_wizard.engine.mailbox.arrival_states import ArrivalState, AuthenticationState, SentCopy
from smtp_wizard.engine.mailbox.authentication_results import Authentication
from smtp_wizard.engine.mailbox.findings import MailboxError
from smtp_wizard.engine.services.arrivals import Confirmation, Rehearsal
from smtp_wizard.flows.accounts.action import ActionResult
from smtp_wizard.flows.accounts.arrival import (
    ArrivalActions,
    ConfirmArrival,
    MessageAction,
    RehearseBounce,
    SentMessage,
    accepted,
    nobodys_address,
)
from smtp_wizard.flows.question import Answer, Topic
from smtp_wizard.runtime.expected_errors import EXPECTED_ERRORS
from smtp_wizard.text.areas import arrivals as words
from tests.commands.test_send import RELAY
from tests.flows.accounts.doubles import name_of, troubles
from tests.support.walk import make_services

ACCOUNT = replace(RELAY, connection=replace(RELAY.connection, username="ana", auth=Auth.PASSWORD))
BOB = Address("bob", "elsewhere.example")
TAKEN = (CheckResult(Stage.DATA, Verdict.PASS, 0.0, phrase("250 ok")),)
FOUND = Confirmation(copy=SentCopy.FOUND, arrival=Arrival(where=ArrivalState.UNKNOWN))
NOTHING = Rehearsal(waited=timedelta(seconds=60))


def finding(code: str) -> Finding:
    return Finding(
        code=code, title=phrase("It is shut"), explanation=phrase("Somebody shut it."), who=Who.YOU, steps=()
    )


def failing(code: str, stage: Stage = Stage.AUTH, verdict: Verdict = Verdict.FAIL) -> tuple[CheckResult, ...]:
    return (CheckResult(stage, verdict, 0.0, phrase("no"), finding(code)),)


class Doubles:
    """What is sent and looked for; each result is given once, the last one again and again."""

    def __init__(self, *, sent: list[Any] | None = None, found: list[Any] | None = None) -> None:
        self.sent = sent or [TAKEN]
        self.found = found or [FOUND]
        self.messages: list[tuple[str, str, str]] = []
        """Where each went, its word and its envelope id."""
        self.looked: list[tuple[str, Secret | None]] = []
        self.anyway: list[bool] = []
        self.places: list[str] = []
        self.looked_anyway: list[bool] = []
        """Of each look, whether it was to sign in although that may lock an account."""
        self.kept: list[bool] = []
        """Of each message, whether the result is kept with its account."""
        self.waits: Callable[[], Awaitable[None]] | None = None

    async def check_account(
        self, account: Account, secret: Secret | None, depth: Depth, emit: Any, **said: Any
    ) -> Report:
        assert depth is Depth.SEND
        self.anyway.append(said["options"].ignore_lockout)
        result = next_of(self.sent)
        self.kept.append(said["keep"])
        self.messages.append((str(said["to"]), said["token"], said["envelope_id"]))
        return Report(account.connection.endpoint, result)

    async def confirm(
        self, account: Account, secret: Secret | None, to: Address, code: str, **said: Any
    ) -> Confirmation:
        self.places.append(str(to))
        self.looked_anyway.append(said["options"].ignore_lockout)
        found: Confirmation = await self._looked(code, secret)
        return found

    async def rehearse(self, account: Account, secret: Secret | None, code: str, **said: Any) -> Rehearsal:
        found: Rehearsal = await self._looked(code, secret)
        return found

    async def _looked(self, code: str, secret: Secret | None) -> Any:
        self.looked.append((code, secret))
        if self.waits is not None:
            await self.waits()
        return next_of(self.found)


def next_of(results: list[Any]) -> Any:
    result = results.pop(0) if len(results) > 1 else results[0]
    if isinstance(result, Exception):
        raise result
    return result


def actions(folder: Path, doubles: Any) -> ArrivalActions:
    services = make_services(folder)
    return ArrivalActions(
        checks=doubles,
        arrivals=doubles,
        entries=services.entries,
        vault=services.stores.vault,
        catalog=services.catalog,
    )


async def through(action: MessageAction, *answers: Answer | str) -> ActionResult:
    """Begin, and answer each question: a text goes into its field."""
    done = await action.begin()
    for answer in answers:
        assert done is None, done
        typed = not isinstance(answer, Answer)
        if typed:
            action.type(0, answer)
        done = await action.act(Answer.DO if typed else Answer(answer))
    assert done is not None, action.state.title
    return done


SECRET = Secret("a password")


async def test_a_message_goes_out_after_the_address_was_typed_and_is_looked_for_by_its_word(tmp_path: Path) -> None:
    doubles = Doubles()
    action = actions(tmp_path, doubles).confirm(ACCOUNT, secret=SECRET)
    assert await action.begin() is None
    assert (action.state.about, doubles.messages) == (Topic.RECIPIENT, []), "nothing goes out before that"
    action.type(0, str(BOB))
    done = await action.act(Answer.DO)
    assert done is not None
    ((to, code, envelope),) = doubles.messages
    assert (to, envelope) == (str(BOB), "")
    assert doubles.looked == [(code, SECRET)]
    assert done.said == str(words.COPY_WORDS[SentCopy.FOUND])


@pytest.mark.parametrize("typed", ["", "no address", str(ACCOUNT.address), str(ACCOUNT.address).upper()])
async def test_an_address_that_proves_nothing_is_refused_in_its_field(typed: str, tmp_path: Path) -> None:
    doubles = Doubles()
    action = actions(tmp_path, doubles).confirm(ACCOUNT, secret=SECRET)
    await action.begin()
    action.type(0, typed)
    assert await action.act(Answer.DO) is None
    assert action.state.failed
    assert doubles.messages == []


async def test_what_went_out_already_is_looked_for_after_a_yes_and_not_sent_again(tmp_path: Path) -> None:
    doubles = Doubles()
    sent = SentMessage(to=BOB, code="music")
    action = actions(tmp_path, doubles).confirm(ACCOUNT, secret=SECRET, sent=sent)
    assert await action.begin() is None
    assert (action.state.about, doubles.looked) == (Topic.LOOK, [])
    assert await action.act(Answer.DO) is not None
    assert (doubles.messages, doubles.looked) == ([], [("music", SECRET)])


@pytest.mark.parametrize("kind", ["confirm", "rehearse"])
async def test_whoever_leaves_the_first_question_has_sent_and_read_nothing(kind: str, tmp_path: Path) -> None:
    doubles = Doubles(found=[NOTHING])
    made = actions(tmp_path, doubles)
    action = made.confirm(ACCOUNT, secret=SECRET) if kind == "confirm" else made.rehearse(ACCOUNT, secret=SECRET)
    assert await through(action, Answer.LEAVE) == ActionResult()
    assert (doubles.messages, doubles.looked) == ([], [])


async def test_a_bounce_is_rehearsed_after_a_yes_with_an_address_of_ones_own_domain(tmp_path: Path) -> None:
    doubles = Doubles(found=[NOTHING])
    action = actions(tmp_path, doubles).rehearse(ACCOUNT, secret=SECRET)
    assert await action.begin() is None
    assert action.state.chosen is Answer.LEAVE, "the careful answer is marked"
    assert str(action.to) in action.state.lines[0]
    done = await action.act(Answer.DO)
    assert done is not None
    ((to, code, envelope),) = doubles.messages
    assert to == str(nobodys_address(ACCOUNT.from_address, code))
    assert envelope == code
    assert "Nothing has come back within 60 seconds." in done.trouble
    assert not done.said


async def test_the_password_that_is_kept_nowhere_is_asked_for(tmp_path: Path) -> None:
    doubles = Doubles(found=[NOTHING])
    action = actions(tmp_path, doubles).rehearse(ACCOUNT)
    await action.begin()
    assert await action.act(Answer.DO) is None
    assert (action.state.about, doubles.messages) == (Topic.PASSWORD, [])
    action.give(0, Secret("typed now"))
    assert await action.act(Answer.DO) is not None
    assert [secret for _, secret in doubles.looked] == [Secret("typed now")]


async def test_a_sign_in_that_may_lock_the_account_is_asked_about_before_it_is_tried(tmp_path: Path) -> None:
    doubles = Doubles(sent=[failing(PAUSED), TAKEN])
    action = actions(tmp_path, doubles).confirm(ACCOUNT, secret=SECRET)
    done = await through(action, str(BOB), Answer.DO)
    assert action.state.about is Topic.LOCKOUT
    assert done.said
    assert doubles.anyway == [False, True]


async def test_a_no_to_that_leaves_it(tmp_path: Path) -> None:
    doubles = Doubles(sent=[failing(PAUSED)])
    done = await through(actions(tmp_path, doubles).confirm(ACCOUNT, secret=SECRET), str(BOB), Answer.LEAVE)
    assert done.said == words.LEFT_ALONE
    assert doubles.looked == []


async def test_one_message_goes_out_although_the_mailbox_asks_first(tmp_path: Path) -> None:
    """The reading of the mailbox is held back, and asked about: the message was sent by then."""
    doubles = Doubles(found=[MailboxError(finding(PAUSED)), NOTHING])
    done = await through(actions(tmp_path, doubles).rehearse(ACCOUNT, secret=SECRET), Answer.DO, Answer.DO)
    assert done.trouble
    assert (len(doubles.messages), len(doubles.looked)) == (1, 2)


@pytest.mark.parametrize(
    ("report", "said"),
    [
        (failing("bad_credentials"), words.NOT_SENT),
        (failing("over_quota", Stage.DATA), words.NOT_SENT),
        (failing("outcome_unknown", Stage.DATA, Verdict.UNKNOWN), words.PERHAPS_SENT),
        ((), words.NOT_SENT),
    ],
    ids=["refused", "not taken", "lost", "nothing"],
)
async def test_what_was_not_taken_is_said_and_not_looked_for(
    report: tuple[CheckResult, ...], said: str, tmp_path: Path
) -> None:
    doubles = Doubles(sent=[report])
    done = await through(actions(tmp_path, doubles).confirm(ACCOUNT, secret=SECRET), str(BOB))
    assert done.trouble.startswith(said)
    assert doubles.looked == []


def test_what_a_report_says_of_the_message() -> None:
    here = ACCOUNT.connection.endpoint
    verdicts = {Verdict.PASS: "yes", Verdict.WARN: "yes", Verdict.UNKNOWN: "unknown", Verdict.FAIL: "no"}
    for verdict, said in verdicts.items():
        assert accepted(Report(here, (CheckResult(Stage.DATA, verdict, 0.0, phrase("x")),))) == said
    assert accepted(Report(here)) == "no"


@pytest.mark.parametrize("problem", list(troubles()), ids=name_of)
@pytest.mark.parametrize("where", ["sent", "found"])
async def test_what_a_service_raises_is_said(where: str, problem: Exception, tmp_path: Path) -> None:
    assert isinstance(problem, EXPECTED_ERRORS)
    doubles = Doubles(**{where: [problem]})
    done = await through(actions(tmp_path, doubles).confirm(ACCOUNT, secret=SECRET), str(BOB))
    assert done.trouble == str(problem)
    assert SECRET.reveal() not in repr(done)


class HandsOver(Doubles):
    """Hands a message over, and is stopped before that comes to an end."""

    def __init__(self, *said: Event, found: list[Any] | None = None) -> None:
        super().__init__(found=found)
        self.said = said
        self.begun = asyncio.Event()

    async def check_account(
        self, account: Account, secret: Secret | None, depth: Depth, emit: Any, **said: Any
    ) -> Report:
        self.messages.append((str(said["to"]), said["token"], said["envelope_id"]))
        for event in self.said:
            emit(event)
        self.begun.set()
        await asyncio.Event().wait()
        raise AssertionError("it is stopped before")


async def stopped(action: MessageAction, begun: asyncio.Event) -> None:
    """Say yes to what is asked, and stop it once it has begun."""
    acting = asyncio.ensure_future(action.act(Answer.DO))
    await begun.wait()
    assert action.state.stops
    acting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await acting


DATA_BEGUN = StageStarted(Stage.DATA)
DATA_TAKEN = StageFinished(*TAKEN)
DATA_LOST = StageFinished(*failing("outcome_unknown", Stage.DATA, Verdict.UNKNOWN))
HANDED_OVER = [
    pytest.param((DATA_BEGUN,), words.PERHAPS_SENT, id="being handed over"),
    pytest.param((DATA_BEGUN, DATA_LOST), words.PERHAPS_SENT, id="answer lost"),
    pytest.param((DATA_BEGUN, DATA_TAKEN), words.TAKEN, id="taken"),
]
"""What was seen of sending when it was stopped, and what is known of the message then."""


async def test_whoever_stops_the_waiting_is_asked_whether_to_go_on_with_it_and_sends_nothing_more(
    tmp_path: Path,
) -> None:
    doubles, begun = Doubles(found=[NOTHING]), asyncio.Event()

    async def for_ever() -> None:
        begun.set()
        await asyncio.Event().wait()

    doubles.waits = for_ever
    action = actions(tmp_path, doubles).rehearse(ACCOUNT, secret=SECRET)
    await action.begin()
    await stopped(action, begun)
    assert (action.state.about, action.state.running) == (Topic.LOOK, "")
    assert action.state.lines[0] == words.TAKEN
    doubles.waits = None
    assert await action.act(Answer.DO) is not None
    assert len(doubles.messages) == 1


@pytest.mark.parametrize(("seen", "known"), HANDED_OVER)
async def test_a_rehearsal_stopped_once_it_was_handed_over_is_waited_for_and_not_sent_again(
    seen: tuple[Event, ...], known: str, tmp_path: Path
) -> None:
    """Nobody is offered to send nothing: the server may have it. A second one would say nothing of the first."""
    doubles = HandsOver(*seen, found=[NOTHING])
    action = actions(tmp_path, doubles).rehearse(ACCOUNT, secret=SECRET)
    await action.begin()
    await stopped(action, doubles.begun)
    assert words.SEND_NONE not in [each.verb for each in action.state.offers]
    assert (action.state.about, action.state.lines[0]) == (Topic.LOOK, known)
    assert await action.act(Answer.DO) is not None
    assert (len(doubles.messages), len(doubles.looked)) == (1, 1)


@pytest.mark.parametrize(("seen", "known"), HANDED_OVER)
async def test_a_message_stopped_once_it_was_handed_over_is_looked_for_where_it_went(
    seen: tuple[Event, ...], known: str, tmp_path: Path
) -> None:
    """No other address is taken: nothing would be sent there."""
    doubles = HandsOver(*seen)
    action = actions(tmp_path, doubles).confirm(ACCOUNT, secret=SECRET)
    await action.begin()
    action.type(0, str(BOB))
    await stopped(action, doubles.begun)
    assert (action.state.about, action.state.entries, action.state.lines[0]) == (Topic.LOOK, (), known)
    assert await action.act(Answer.DO) is not None
    assert (len(doubles.messages), doubles.places) == (1, [str(BOB)])


@pytest.mark.parametrize("kind", ["confirm", "rehearse"])
@pytest.mark.parametrize(("seen", "known"), HANDED_OVER)
async def test_whoever_leaves_it_then_reads_what_is_known_of_the_message(
    seen: tuple[Event, ...], known: str, kind: str, tmp_path: Path
) -> None:
    doubles = HandsOver(*seen)
    made = actions(tmp_path, doubles)
    action = made.confirm(ACCOUNT, secret=SECRET) if kind == "confirm" else made.rehearse(ACCOUNT, secret=SECRET)
    await action.begin()
    if kind == "confirm":
        action.type(0, str(BOB))
    await stopped(action, doubles.begun)
    assert action.so_far == known
    done = await action.act(Answer.LEAVE)
    assert done is not None
    assert (done.said, doubles.looked, action.came_to_an_end) == (known, [], False)


async def test_what_is_stopped_before_the_message_is_handed_over_is_asked_as_before(tmp_path: Path) -> None:
    doubles = HandsOver(StageStarted(Stage.AUTH))
    action = actions(tmp_path, doubles).rehearse(ACCOUNT, secret=SECRET)
    await action.begin()
    await stopped(action, doubles.begun)
    assert (action.state.about, action.so_far) == (Topic.REHEARSAL, "")
    assert await action.act(Answer.LEAVE) == ActionResult()


async def test_a_yes_to_a_sign_in_that_may_lock_the_account_ends_with_what_it_was_given_for(tmp_path: Path) -> None:
    """Stopped and begun again, it is asked anew."""
    doubles, begun = Doubles(found=[MailboxError(finding(PAUSED)), NOTHING]), asyncio.Event()
    action = actions(tmp_path, doubles).rehearse(ACCOUNT, secret=SECRET)
    await action.begin()
    assert await action.act(Answer.DO) is None

    async def for_ever() -> None:
        begun.set()
        await asyncio.Event().wait()

    doubles.waits = for_ever
    assert action.state.about is Topic.LOCKOUT
    await stopped(action, begun)
    doubles.waits, doubles.found = None, [MailboxError(finding(PAUSED))]
    assert await action.act(Answer.DO) is None
    assert action.state.about is Topic.LOCKOUT
    done = await action.act(Answer.LEAVE)
    assert done is not None
    assert (done.said, action.came_to_an_end) == (words.TAKEN, False)


IN_SENT = replace(FOUND, whose=phrase("Other"), unread_there=finding(PAUSED), arrival_trouble=phrase("It is shut."))
HELD_BACK = [
    pytest.param(replace(FOUND, copy=SentCopy.UNKNOWN, unread_here=finding(PAUSED)), ACCOUNT.name, id="own"),
    pytest.param(IN_SENT, "Other", id="the other"),
    pytest.param(replace(IN_SENT, unread_here=finding("imap_down")), "Other", id="the other, and the own is down"),
]


@pytest.mark.parametrize(("held", "whose"), HELD_BACK)
async def test_a_mailbox_that_may_be_locked_is_asked_about_before_anybody_signs_in_there(
    held: Confirmation, whose: str, tmp_path: Path
) -> None:
    doubles = Doubles(found=[held, FOUND])
    action = actions(tmp_path, doubles).confirm(ACCOUNT, secret=SECRET)
    await action.begin()
    action.type(0, str(BOB))
    assert await action.act(Answer.DO) is None
    assert action.state.about is Topic.LOCKOUT
    assert action.state.lines[0] == f"The mailbox of '{whose}' was not read."
    done = await action.act(Answer.DO)
    assert done is not None
    assert done.said == str(words.COPY_WORDS[SentCopy.FOUND])
    assert (len(doubles.messages), doubles.looked_anyway) == (1, [False, True])


async def test_a_no_to_that_tells_what_was_found_in_the_other_mailbox(tmp_path: Path) -> None:
    doubles = Doubles(found=[IN_SENT])
    done = await through(actions(tmp_path, doubles).confirm(ACCOUNT, secret=SECRET), str(BOB), Answer.LEAVE)
    assert str(words.COPY_WORDS[SentCopy.FOUND]) in done.said
    assert "It is shut." in done.said
    assert len(doubles.looked) == 1


async def test_where_nobody_can_be_asked_it_is_told_and_not_tried(tmp_path: Path) -> None:
    doubles = Doubles(found=[IN_SENT])
    action = ConfirmArrival(ACCOUNT, actions(tmp_path, doubles), secret=SECRET, to=BOB, asks=False)
    done = await action.begin()
    assert done is not None
    assert "It is shut." in done.said
    assert doubles.looked_anyway == [False]


async def test_a_no_to_the_reading_of_the_mailbox_says_that_the_message_went_out(tmp_path: Path) -> None:
    doubles = Doubles(found=[MailboxError(finding(PAUSED))])
    done = await through(actions(tmp_path, doubles).rehearse(ACCOUNT, secret=SECRET), Answer.DO, Answer.LEAVE)
    assert done.said == words.TAKEN


def test_both_are_actions_of_their_own(tmp_path: Path) -> None:
    made = actions(tmp_path, Doubles())
    assert isinstance(made.confirm(ACCOUNT), ConfirmArrival)
    assert isinstance(made.rehearse(ACCOUNT), RehearseBounce)


async def test_where_it_helps_an_area_of_the_screens_is_named_and_no_command(tmp_path: Path) -> None:
    bad = Authentication(dmarc=AuthenticationState.FAIL)
    junk = Arrival(where=ArrivalState.JUNK, authentication=bad)
    found = Confirmation(copy=SentCopy.FOUND, arrival=junk, whose=phrase("Other"))
    done = await through(actions(tmp_path, Doubles(found=[found])).confirm(ACCOUNT, secret=SECRET), str(BOB))
    assert "but in Junk: 'Your domain' says what receivers look at." in done.said
    assert "see 'Your domain'." in done.said
    assert "smtp-wizard" not in done.said
