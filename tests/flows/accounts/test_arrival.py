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
from smtp_wizard.engine.checks.events import Line, StageStarted
from smtp_wizard.engine.checks.report import CheckResult, Report, Speaker
from smtp_wizard.engine.diagnosis.finding import Finding
from smtp_wizard.engine.mailbox.arrival import Arrival
from smtp_wizard.engine.mailbox.arrival_states import ArrivalState, SentCopy
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


async def test_whoever_stops_the_waiting_stands_before_the_question_again_and_sends_nothing_more(
    tmp_path: Path,
) -> None:
    doubles, begun = Doubles(found=[NOTHING]), asyncio.Event()

    async def for_ever() -> None:
        begun.set()
        await asyncio.Event().wait()

    doubles.waits = for_ever
    action = actions(tmp_path, doubles).rehearse(ACCOUNT, secret=SECRET)
    await action.begin()
    acting = asyncio.ensure_future(action.act(Answer.DO))
    await begun.wait()
    assert action.state.stops, "waiting may be stopped"
    acting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await acting
    assert not action.state.running
    doubles.waits = None
    assert await action.act(Answer.DO) is not None
    assert len(doubles.messages) == 1


async def test_a_message_whose_handing_over_was_stopped_is_looked_for_and_not_sent_again(tmp_path: Path) -> None:
    """Nobody knows whether the server has it; a second one would say nothing of the first."""
    begun = asyncio.Event()
    doubles = Doubles(found=[NOTHING])

    class HandsOver(Doubles):
        async def check_account(self, account: Account, secret: Any, depth: Any, emit: Any, **said: Any) -> Report:
            doubles.messages.append((str(said["to"]), said["token"], said["envelope_id"]))
            emit(StageStarted(Stage.DATA))
            emit(Line(0.0, Stage.DATA, Speaker.OURS, phrase("."), True))
            begun.set()
            await asyncio.Event().wait()
            raise AssertionError("it is stopped before")

    made = replace(actions(tmp_path, doubles), checks=HandsOver())  # type: ignore[arg-type]
    action = made.rehearse(ACCOUNT, secret=SECRET)
    await action.begin()
    acting = asyncio.ensure_future(action.act(Answer.DO))
    await begun.wait()
    acting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await acting
    assert await action.act(Answer.DO) is not None
    assert (len(doubles.messages), len(doubles.looked)) == (1, 1)


async def test_a_no_to_the_reading_of_the_mailbox_says_that_the_message_went_out(tmp_path: Path) -> None:
    doubles = Doubles(found=[MailboxError(finding(PAUSED))])
    done = await through(actions(tmp_path, doubles).rehearse(ACCOUNT, secret=SECRET), Answer.DO, Answer.LEAVE)
    assert done.said == words.TAKEN


def test_both_are_actions_of_their_own(tmp_path: Path) -> None:
    made = actions(tmp_path, Doubles())
    assert isinstance(made.confirm(ACCOUNT), ConfirmArrival)
    assert isinstance(made.rehearse(ACCOUNT), RehearseBounce)
