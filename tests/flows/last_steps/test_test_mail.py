"""The step 'Test mail' without a face: what is asked, what each answer leads to, and every way in which it can fail."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from smtp_wizard.engine.accounts.account import AccountsError
from smtp_wizard.engine.accounts.guarded_sign_in import PAUSED
from smtp_wizard.engine.base.address import Address
from smtp_wizard.engine.base.connection import Auth
from smtp_wizard.engine.base.data_files import DataError
from smtp_wizard.engine.base.errors import InputError
from smtp_wizard.engine.base.file_ownership import UnsafeFile
from smtp_wizard.engine.base.secret import Secret
from smtp_wizard.engine.base.shown import NO_WORDS, phrase, shown
from smtp_wizard.engine.base.stages import Depth, Stage, Verdict
from smtp_wizard.engine.base.who import Who
from smtp_wizard.engine.checks.events import Emit, Line, RunFinished, StageFinished, StageStarted
from smtp_wizard.engine.checks.report import CheckResult, Report, Speaker
from smtp_wizard.engine.diagnosis.finding import Finding
from smtp_wizard.engine.mailbox.findings import MailboxError
from smtp_wizard.engine.oauth.errors import OAuthError, OAuthFault
from smtp_wizard.engine.sandbox.errors import SandboxError
from smtp_wizard.engine.sandbox.scenarios import practice_password
from smtp_wizard.engine.secrets.secret_store import SecretError, SecretFault
from smtp_wizard.engine.secrets.store_kinds import StoreKind, StoreRef
from smtp_wizard.engine.secrets.vault import VaultStore
from smtp_wizard.engine.secrets.vault_format import Cost
from smtp_wizard.engine.services.check_options import CheckOptions
from smtp_wizard.engine.wizard.draft import Draft, Origin, Proof, ReportedArrival
from smtp_wizard.engine.wizard.steps import Back, Next
from smtp_wizard.flows.flow import Mood
from smtp_wizard.flows.last_steps.test_mail import MailTestFlow
from smtp_wizard.flows.last_steps.test_mail_state import MailTestOffer, MailTestPhase
from smtp_wizard.flows.question import Answer
from smtp_wizard.runtime.expected_errors import EXPECTED_ERRORS
from smtp_wizard.text import test_mail as words
from smtp_wizard.text.areas.arrivals import NO_REASON
from tests.support.places import EMAIL, NOW, TEST_TO, draft_at_review, draft_at_testmail
from tests.support.walk import catalog, make_services

STAGES = (Stage.DNS, Stage.CONNECT, Stage.TLS, Stage.EHLO, Stage.AUTH, Stage.MAIL, Stage.RCPT, Stage.DATA)
PASSPHRASE = "plum corner violet stove"


def came_out(bad: Stage | None = None, verdict: Verdict = Verdict.FAIL, code: str = "some_cause") -> Report:
    """Return a report whose stage `bad`, if any, came out otherwise than well."""
    draft = draft_at_testmail()
    assert draft.connection.endpoint is not None
    results: list[CheckResult] = []
    for stage in STAGES:
        if stage is bad:
            results.append(CheckResult(stage, verdict, 0.1, NO_WORDS, finding(code)))
            break
        results.append(CheckResult(stage, Verdict.PASS, 0.1))
    return Report(draft.connection.endpoint, tuple(results))


def finding(code: str) -> Finding:
    return Finding(
        code=code,
        title=phrase("It was not taken"),
        explanation=phrase("The server says no."),
        who=Who.YOU,
        steps=(phrase("Do something about it."),),
        server_said=phrase("550 no"),
    )


class Checks:
    """Comes out as it is told, and remembers what it was asked."""

    def __init__(self, *outcomes: Report | Exception) -> None:
        self.outcomes = list(outcomes)
        self.asked: list[tuple[Draft, str, bool]] = []
        self.inbox: tuple[str, ...] | Exception = ()
        self.meanwhile: Callable[[], None] = lambda: None
        self.hangs_at: Stage | None = None
        self.hangs_after: Stage | None = None

    async def check_draft(
        self, draft: Draft, depth: Depth, emit: Emit, *, options: CheckOptions | None = None, token: str = ""
    ) -> Report:
        assert depth is Depth.SEND
        self.asked.append((draft, token, options is not None and options.ignore_lockout))
        outcome = self.outcomes.pop(0)
        if isinstance(outcome, Exception):
            raise outcome
        for result in outcome.results:
            emit(StageStarted(result.stage))
            emit(Line(0.1, result.stage, Speaker.OURS, phrase("NOOP"), encrypted=True))
            self.meanwhile()
            if result.stage is self.hangs_at:
                await asyncio.Event().wait()
            emit(StageFinished(result))
            if result.stage is self.hangs_after:
                await asyncio.Event().wait()
        emit(RunFinished(outcome))
        return outcome

    def prove(self, draft: Draft, report: Report, depth: Depth) -> Proof:
        endpoint = draft.connection.endpoint
        assert endpoint is not None
        refusal = report.result(Stage.AUTH)
        refused = refusal is not None and refusal.verdict is Verdict.FAIL
        return Proof(NOW, depth, report.verdict, endpoint, draft.connection.username, refused)

    async def practice_message(self, token: str) -> tuple[str, ...]:
        if isinstance(self.inbox, Exception):
            raise self.inbox
        return self.inbox


class Tokens:
    """Says where a sign-in is read."""

    def __init__(self, place: StoreRef | Exception | None = None) -> None:
        self.place = place

    async def store_of(self, draft: Draft) -> StoreRef | None:
        if isinstance(self.place, Exception):
            raise self.place
        return self.place


def flow_of(
    draft: Draft, checks: Checks, *, tokens: Tokens | None = None, vault: VaultStore | None = None, now: datetime = NOW
) -> MailTestFlow:
    return MailTestFlow(
        draft,
        checks=checks,
        tokens=tokens or Tokens(),
        vault=vault or VaultStore(None),
        catalog=catalog(),
        now=lambda: now,
    )


async def sent(checks: Checks, draft: Draft | None = None, *, now: datetime = NOW) -> MailTestFlow:
    """Return the flow after a message was sent to Ben."""
    flow = flow_of(draft or draft_at_testmail(), checks, now=now)
    flow.type(str(TEST_TO))
    assert await flow.act(MailTestOffer.SEND) is None
    return flow


def phase(flow: MailTestFlow) -> MailTestPhase:
    return flow.state.phase


def ids(flow: MailTestFlow) -> list[str]:
    return [each.id.value for each in flow.state.offers]


# --- where it goes ---


async def test_first_it_asks_for_an_address_and_says_what_is_sent() -> None:
    flow = flow_of(draft_at_testmail(), Checks())
    state = flow.state
    assert state.phase is MailTestPhase.RECIPIENT
    assert state.entry is not None
    assert f"another one than {EMAIL}" in state.entry.hint
    assert ids(flow) == ["send", "skip"]
    assert state.card is not None
    assert f"From: {EMAIL}" in state.card.lines


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ("", "Type an address of yours"),
        ("nobody", "has an @"),
        ("ANA@Gmail.com", "is the mailbox that sends"),
    ],
)
async def test_what_cannot_be_used_is_said_at_the_field_and_nothing_is_sent(typed: str, said: str) -> None:
    checks = Checks()
    flow = flow_of(draft_at_testmail(), checks)
    flow.type(typed)
    assert await flow.act(MailTestOffer.SEND) is None
    assert flow.state.entry is not None
    assert said in flow.state.entry.error
    assert flow.state.entry.text == typed
    assert checks.asked == []
    flow.type("ben@elsewhere.example")
    assert flow.state.entry.error == "", "a fault goes as soon as something else is typed"


async def test_an_address_that_cannot_be_used_yet_is_kept_as_it_was_typed() -> None:
    flow = flow_of(draft_at_testmail(), Checks())
    flow.type("ben@")
    leads = await flow.act(MailTestOffer.BACK)
    assert isinstance(leads, Back)
    again = flow_of(leads.draft, Checks())
    assert again.state.entry is not None
    assert again.state.entry.text == "ben@"


async def test_the_test_can_be_left_out() -> None:
    leads = await flow_of(draft_at_testmail(), Checks()).act(MailTestOffer.SKIP)
    assert isinstance(leads, Next)
    assert leads.draft.arrival is ReportedArrival.SKIPPED


# --- whether it arrived ---


async def test_the_word_of_the_message_says_that_it_arrived() -> None:
    checks = Checks(came_out())
    flow = await sent(checks)
    (_, word, _) = checks.asked[0]
    assert phase(flow) is MailTestPhase.WORD
    assert ids(flow) == ["seen", "junk", "nothing"]
    assert not flow.state.marked, "nothing is preselected"
    assert flow.state.note == "The server took the message: 8 of 8 checks passed"
    flow.type(f" {word.upper()} ")
    leads = await flow.act(MailTestOffer.SEEN)
    assert isinstance(leads, Next)
    assert (leads.draft.arrival, leads.draft.test_to) == (ReportedArrival.ARRIVED, TEST_TO)
    assert leads.draft.proof is not None
    assert leads.draft.proof.depth is Depth.SEND


@pytest.mark.parametrize(("typed", "said"), [("", "Type the word"), ("wrong", "That is not the word")])
async def test_another_word_proves_nothing(typed: str, said: str) -> None:
    flow = await sent(Checks(came_out()))
    flow.type(typed)
    assert await flow.act(MailTestOffer.SEEN) is None
    assert flow.state.entry is not None
    assert said in flow.state.entry.error
    assert flow.draft.arrival is ReportedArrival.NOT_YET


async def test_each_message_has_another_word() -> None:
    checks = Checks(*[came_out() for _ in range(5)])
    flow = await sent(checks)
    for _ in range(4):
        await flow.act(MailTestOffer.AGAIN)
    assert len({word for _, word, _ in checks.asked}) == 5


@pytest.mark.parametrize(
    ("sender", "said"), [("ana@gmail.com", "add ana@gmail.com to their contacts"), ("ana@own.example", "SPF and DKIM")]
)
async def test_what_lies_in_junk_has_arrived_and_it_is_said_what_helps(sender: str, said: str) -> None:
    draft = draft_at_testmail()
    draft = replace(draft, identity=replace(draft.identity, sender=Address.parse(sender)))
    flow = await sent(Checks(came_out()), draft)
    assert await flow.act(MailTestOffer.JUNK) is None
    state = flow.state
    assert (state.phase, ids(flow)) == (MailTestPhase.JUNK, ["on", "again"])
    assert state.card is not None
    assert state.card.mood is Mood.WARNED
    assert said in state.card.lines[1]
    leads = await flow.act(MailTestOffer.ON)
    assert isinstance(leads, Next)
    assert leads.draft.arrival is ReportedArrival.JUNK


async def test_nothing_yet_offers_to_wait_to_send_elsewhere_to_look_and_to_save() -> None:
    flow = await sent(Checks(came_out()), now=NOW + timedelta(minutes=3))
    await flow.act(MailTestOffer.NOTHING)
    assert ids(flow) == ["wait", "elsewhere", "returned", "on"]
    assert flow.state.card is not None
    assert flow.state.card.title == "Sent 3 minutes ago, and not there"
    await flow.act(MailTestOffer.RETURNED)
    assert ids(flow) == ["explain", "wait", "on"]
    await flow.act(MailTestOffer.WAIT)
    assert phase(flow) is MailTestPhase.WORD
    await flow.act(MailTestOffer.NOTHING)
    await flow.act(MailTestOffer.ELSEWHERE)
    assert phase(flow) is MailTestPhase.RECIPIENT
    await flow.act(MailTestOffer.BACK)
    assert flow.draft.arrival is ReportedArrival.NOT_YET, "saved all the same, the account says 'not proved'"


async def test_a_message_has_gone_where_it_was_sent_whatever_is_typed_after_it() -> None:
    flow = await sent(Checks(came_out()))
    went_to = flow.draft.test_to
    await flow.act(MailTestOffer.NOTHING)
    await flow.act(MailTestOffer.ELSEWHERE)
    flow.type("other@elsewhere.example")
    assert flow.draft.test_to == went_to
    again = flow_of(flow.draft, Checks())
    assert phase(again) is MailTestPhase.WORD
    assert again.state.entry is not None
    assert str(went_to) in again.state.entry.hint
    await again.act(MailTestOffer.NOTHING)
    await again.act(MailTestOffer.ELSEWHERE)
    assert again.state.entry is not None
    assert again.state.entry.text == "other@elsewhere.example"


async def test_what_lies_in_junk_by_mistake_is_not_proved() -> None:
    flow = await sent(Checks(came_out()))
    for offer in (MailTestOffer.JUNK, MailTestOffer.BACK, MailTestOffer.NOTHING):
        await flow.act(offer)
    assert flow.draft.arrival is ReportedArrival.NOT_YET


async def test_whoever_comes_back_need_not_send_again() -> None:
    came_back = {
        ReportedArrival.ARRIVED: MailTestPhase.ARRIVED,
        ReportedArrival.JUNK: MailTestPhase.JUNK,
        ReportedArrival.NOT_YET: MailTestPhase.WORD,
        ReportedArrival.SKIPPED: MailTestPhase.RECIPIENT,
    }
    for arrival, wanted in came_back.items():
        flow = flow_of(replace(draft_at_review(), arrival=arrival, test_word="tiger"), Checks())
        assert phase(flow) is wanted


async def test_back_leads_to_the_question_before_and_from_the_first_to_the_step_before() -> None:
    flow = await sent(Checks(came_out()))
    for offer in (MailTestOffer.NOTHING, MailTestOffer.RETURNED):
        await flow.act(offer)
    seen = []
    while (leads := await flow.act(MailTestOffer.BACK)) is None:
        seen.append(flow.state.phase)
    assert seen == [MailTestPhase.NOTHING, MailTestPhase.WORD, MailTestPhase.RECIPIENT]
    assert isinstance(leads, Back)


# --- what was not taken ---


async def test_a_refused_sender_is_mended_here() -> None:
    checks = Checks(came_out(Stage.MAIL, code="sender_not_allowed"), came_out())
    draft = draft_at_testmail()
    draft = replace(draft, identity=replace(draft.identity, sender=Address("hello", "firm.example")))
    flow = await sent(checks, draft)
    assert phase(flow) is MailTestPhase.NOT_SENT
    assert ids(flow)[0] == "sender", "the cure is what Enter takes"
    await flow.act(MailTestOffer.SENDER)
    assert flow.state.entry is not None
    assert flow.state.entry.text == draft.connection.username == str(EMAIL)
    await flow.act(MailTestOffer.SEND_AS)
    assert checks.asked[1][0].from_address == EMAIL
    assert phase(flow) is MailTestPhase.WORD
    assert flow.draft.identity.sender is None, "it is the mailbox's own address"


async def test_a_sender_that_cannot_be_used_is_said_at_the_field() -> None:
    flow = await sent(Checks(came_out(Stage.MAIL, code="sender_not_allowed")))
    await flow.act(MailTestOffer.SENDER)
    for typed in ("", "no address"):
        flow.type(typed)
        await flow.act(MailTestOffer.SEND_AS)
        assert flow.state.entry is not None
        assert flow.state.entry.error
    flow.type(str(TEST_TO))
    await flow.act(MailTestOffer.SEND_AS)
    assert phase(flow) is MailTestPhase.RECIPIENT, "the message would go to the sender"
    assert flow.state.entry is not None
    assert "is the mailbox that sends" in flow.state.entry.error


async def test_a_refused_password_is_never_sent_again_by_enter() -> None:
    checks = Checks(came_out(Stage.AUTH, code="bad_credentials"))
    flow = await sent(checks)
    assert flow.draft.refused
    assert ids(flow)[0] == "sign-in"
    leads = await flow.act(MailTestOffer.SIGN_IN)
    assert isinstance(leads, Back)
    again = flow_of(leads.draft, checks)
    assert phase(again) is MailTestPhase.NOT_SENT, "it is said before anything is sent"
    assert ids(again) == ["sign-in", "again", "skip"]
    again.type("eve@elsewhere.example")
    await again.act(MailTestOffer.SEND)
    assert len(checks.asked) == 1, "another recipient sends it no more than Enter does"
    checks.outcomes.append(came_out())
    await again.act(MailTestOffer.AGAIN)
    assert len(checks.asked) == 2


async def test_a_sign_in_that_may_lock_the_account_is_made_after_a_yes_alone() -> None:
    checks = Checks(came_out(Stage.AUTH, code=PAUSED), came_out())
    flow = await sent(checks)
    assert ids(flow)[:2] == ["skip", "anyway"], "the careful answer is the first"
    await flow.act(MailTestOffer.ANYWAY)
    assert [anyway for _, _, anyway in checks.asked] == [False, True]
    assert phase(flow) is MailTestPhase.WORD


async def test_a_yes_to_what_may_lock_the_account_is_for_that_attempt_alone() -> None:
    """Although nothing came of it: the keyring was locked just then."""
    tokens, checks = Tokens(), Checks(came_out(Stage.AUTH, code=PAUSED), came_out())
    flow = flow_of(draft_at_testmail(), checks, tokens=tokens)
    flow.type(str(TEST_TO))
    await flow.act(MailTestOffer.SEND)
    tokens.place = SecretError(SecretFault.LOCKED, phrase("The keyring is locked."))
    await flow.act(MailTestOffer.ANYWAY)
    assert [anyway for _, _, anyway in checks.asked] == [False]
    tokens.place = None
    flow.type("carla@example.org")
    await flow.act(MailTestOffer.SEND)
    assert [anyway for _, _, anyway in checks.asked] == [False, False]


async def test_a_refused_message_says_why_and_leads_on() -> None:
    flow = await sent(Checks(came_out(Stage.DATA)))
    state = flow.state
    assert (state.phase, ids(flow)) == (MailTestPhase.NOT_SENT, ["elsewhere", "again", "skip"])
    assert state.card is not None
    assert (state.card.mood, state.card.title) == (Mood.FAILED, "It was not taken")
    assert "7 of 8" in state.card.foot
    assert flow.draft.arrival is ReportedArrival.UNASKED


async def test_an_answer_that_was_lost_asks_for_the_word_and_warns() -> None:
    flow = await sent(Checks(came_out(Stage.DATA, Verdict.UNKNOWN)))
    assert phase(flow) is MailTestPhase.WORD
    assert flow.state.card is not None
    assert flow.state.card.mood is Mood.WARNED
    assert flow.draft.test_word


async def test_a_connection_that_was_lost_before_that_sent_nothing() -> None:
    flow = await sent(Checks(came_out(Stage.RCPT, Verdict.UNKNOWN)))
    assert phase(flow) is MailTestPhase.NOT_SENT


async def test_while_it_is_sent_the_card_says_what_is_done() -> None:
    checks = Checks(came_out())
    flow = flow_of(draft_at_testmail(), checks)
    seen = []
    flow.changed = lambda state: seen.append(state.card)
    flow.type(str(TEST_TO))
    await flow.act(MailTestOffer.SEND)
    running = [card for card in seen if card is not None and card.mood is Mood.RUNNING]
    assert running[0].foot == "Esc stops"
    assert any("Handing the message over" in card.lines for card in running)
    assert len(flow.heard) == len(STAGES)


@pytest.mark.parametrize(
    ("at", "title", "shown", "text"),
    [
        (Stage.AUTH, "What is sent", MailTestPhase.RECIPIENT, str(TEST_TO)),
        (Stage.DATA, "It may or may not have been sent", MailTestPhase.WORD, ""),
    ],
)
async def test_who_stops_it_is_told_whether_it_may_have_been_sent(
    at: Stage, title: str, shown: MailTestPhase, text: str
) -> None:
    """Then its word is asked for, so that who finds it sends no second one."""
    checks = Checks(came_out())
    checks.hangs_at = at
    reached = asyncio.Event()
    flow = flow_of(draft_at_testmail(), checks)
    flow.told = lambda event: reached.set() if event == StageStarted(at) else None
    flow.type(str(TEST_TO))
    task = asyncio.ensure_future(flow.act(MailTestOffer.SEND))
    await reached.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert phase(flow) is shown
    assert flow.state.entry is not None
    assert flow.state.entry.text == text
    assert flow.state.card is not None
    assert flow.state.card.title == title
    assert bool(flow.draft.test_word) == (shown is MailTestPhase.WORD)


async def test_who_stops_it_once_the_server_has_taken_the_message_is_asked_for_its_word() -> None:
    """What is left is to end the connection, and to keep the result."""
    checks, reached = Checks(came_out()), asyncio.Event()
    checks.hangs_after = Stage.DATA
    flow = flow_of(draft_at_testmail(), checks)
    flow.told = lambda event: reached.set() if event == StageStarted(Stage.DATA) else None
    flow.type(str(TEST_TO))
    task = asyncio.ensure_future(flow.act(MailTestOffer.SEND))
    await reached.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert flow.sent
    assert (phase(flow), flow.state.question, flow.state.card) == (MailTestPhase.WORD, words.WHICH_WORD, None)
    assert flow.draft.test_word == checks.asked[0][1]


async def test_what_was_not_sent_for_no_reason_is_not_to_be_looked_for() -> None:
    results = tuple(CheckResult(stage, Verdict.PASS, 0.1) for stage in STAGES[:-1])
    nothing = CheckResult(Stage.DATA, Verdict.FAIL, 0.1)
    flow = await sent(Checks(replace(came_out(), results=(*results, nothing))))
    assert (phase(flow), flow.state.question) == (MailTestPhase.NOT_SENT, words.NOT_SENT)
    assert flow.state.card is not None
    assert flow.state.card.lines == (NO_REASON,)


# --- every service fails in every way that it may ---

FAULTS: Sequence[Exception] = (
    AccountsError(phrase("The accounts cannot be read.")),
    DataError(phrase("some.yaml: line 1: wrong")),
    InputError(phrase("Type the password first.")),
    MailboxError(
        Finding(code="imap", title=phrase("It fails"), explanation=phrase("On purpose."), who=Who.YOU, steps=())
    ),
    OAuthError(next(iter(OAuthFault)), phrase("The sign-in has ended.")),
    SandboxError(phrase("The practice server cannot run.")),
    *(SecretError(fault, phrase("It cannot be read.")) for fault in SecretFault),
    UnsafeFile(shown("Others may change it.")),
)


def test_the_list_of_faults_is_whole() -> None:
    assert {type(each) for each in FAULTS} == set(EXPECTED_ERRORS)


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: f"{type(fault).__name__}-{fault}")
async def test_whatever_is_at_fault_is_said_and_nothing_is_lost(fault: Exception) -> None:
    for checks, tokens in ((Checks(fault), Tokens()), (Checks(), Tokens(fault))):
        flow = flow_of(draft_at_testmail(), checks, tokens=tokens)
        flow.type(str(TEST_TO))
        assert await flow.act(MailTestOffer.SEND) is None
        assert (phase(flow), ids(flow)) == (MailTestPhase.NOT_SENT, ["again", "elsewhere", "skip"])
        assert flow.state.card is not None
        assert flow.state.card.mood is Mood.FAILED
        assert flow.state.card.lines == (str(fault),)
        await flow.act(MailTestOffer.BACK)
        assert flow.state.entry is not None
        assert flow.state.entry.text == str(TEST_TO)


def by_enter(flow: MailTestFlow) -> MailTestOffer:
    """What Enter takes while no row is marked."""
    return flow.enter.id


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: f"{type(fault).__name__}-{fault}")
async def test_a_practice_mailbox_that_cannot_be_read_is_said(fault: Exception) -> None:
    checks = Checks(came_out())
    draft = draft_at_testmail()
    practising = replace(draft, connection=replace(draft.connection, sandbox="accept"))
    flow = await sent(checks, practising)
    assert "inbox" in ids(flow)
    assert by_enter(flow) == MailTestOffer.INBOX
    flow.type("tig")
    assert by_enter(flow) == MailTestOffer.SEEN, "whoever types means the field"
    flow.type("")
    checks.inbox = fault
    await flow.act(MailTestOffer.INBOX)
    assert flow.state.card is not None
    assert flow.state.card.lines == (str(fault),)
    assert by_enter(flow) == MailTestOffer.INBOX, "Enter looks again"
    checks.inbox = ("Subject: smtp-wizard test tiger",)
    await flow.act(MailTestOffer.INBOX)
    assert flow.state.card.lines == ("Subject: smtp-wizard test tiger",)
    assert by_enter(flow) == MailTestOffer.SEEN, "what was opened is read, and its word typed"
    assert "inbox" not in ids(flow), "it is open"
    assert phase(flow) is MailTestPhase.WORD


async def test_without_practice_enter_never_opens_an_inbox() -> None:
    flow = await sent(Checks(came_out()), draft_at_testmail())
    assert by_enter(flow) == MailTestOffer.SEEN


async def test_a_fault_of_our_own_leaves_what_was_typed(tmp_path: Path) -> None:
    flow = flow_of(draft_at_testmail(), Checks(ZeroDivisionError()))
    flow.type(str(TEST_TO))
    with pytest.raises(ZeroDivisionError):
        await flow.act(MailTestOffer.SEND)
    assert phase(flow) is MailTestPhase.RECIPIENT


@pytest.mark.parametrize("answer", [Answer.DO, Answer.LEAVE])
async def test_a_vault_that_is_shut_is_opened_in_the_midst_of_it(tmp_path: Path, answer: Answer) -> None:
    await VaultStore(tmp_path, cost=Cost(n=2**10)).create(Secret(PASSPHRASE))
    vault = VaultStore(tmp_path, cost=Cost(n=2**10))
    checks = Checks(came_out())
    draft = draft_at_testmail()
    draft = replace(draft, connection=replace(draft.connection, auth=Auth.XOAUTH2))
    flow = flow_of(draft, checks, tokens=Tokens(StoreRef(StoreKind.VAULT, "Office/password")), vault=vault)
    flow.type(str(TEST_TO))
    await flow.act(MailTestOffer.SEND)
    asking = flow.vault
    assert asking is not None
    asking.type(0, PASSPHRASE)
    result = await asking.act(answer)
    assert result is not None
    await flow.opened(result)
    assert flow.vault is None
    assert phase(flow) is (MailTestPhase.WORD if answer is Answer.DO else MailTestPhase.NOT_SENT)
    assert len(checks.asked) == (answer is Answer.DO)


async def test_whoever_practises_needs_no_second_address() -> None:
    draft = draft_at_testmail()
    practising = replace(
        draft, connection=replace(draft.connection, sandbox="accept"), address=Address("bob", "x.test")
    )
    state = flow_of(practising, Checks()).state
    assert state.entry is not None
    assert (state.entry.text, state.entry.placeholder) == ("", "ana@x.test")
    assert "left empty: ana@x.test" in state.entry.hint
    flow = flow_of(practising, Checks(came_out()))
    await flow.act(MailTestOffer.SEND)
    assert str(flow.draft.test_to) == "ana@x.test"


# --- with the practice server itself ---


async def test_the_word_stands_in_the_message_that_the_practice_server_has(tmp_path: Path) -> None:
    provider = catalog().get("sandbox")
    assert provider is not None
    services = make_services(tmp_path / "config", now=lambda: datetime(2026, 11, 24, 12, tzinfo=UTC))
    practising = Draft(address=Address("you", "sandbox.test")).with_provider(provider, Origin.CHOSEN)
    practising = practising.with_path(provider.paths[0]).with_sign_in("you@sandbox.test", Secret(practice_password()))
    flow = MailTestFlow(
        practising,
        checks=services.checks,
        tokens=services.tokens,
        vault=services.stores.vault,
        catalog=services.catalog,
        now=services.now,
    )
    flow.type("bob@example.org")
    await flow.act(MailTestOffer.SEND)
    assert phase(flow) is MailTestPhase.WORD, flow.state.card
    await flow.act(MailTestOffer.INBOX)
    assert flow.state.card is not None
    assert flow.state.card.lines[0] == f"Subject: smtp-wizard test {flow.draft.test_word}"
    assert any(f"is {flow.draft.test_word}." in line for line in flow.state.card.lines)
