"""The step Connect, without a face."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from smtp_wizard.engine.accounts.account import AccountsError
from smtp_wizard.engine.accounts.guarded_sign_in import PAUSED
from smtp_wizard.engine.base.address import Address
from smtp_wizard.engine.base.connection import Auth, Connection
from smtp_wizard.engine.base.data_files import DataError
from smtp_wizard.engine.base.endpoint import Endpoint, Security
from smtp_wizard.engine.base.errors import InputError
from smtp_wizard.engine.base.file_ownership import UnsafeFile
from smtp_wizard.engine.base.secret import Secret
from smtp_wizard.engine.base.shown import Shown, phrase
from smtp_wizard.engine.base.stages import Depth, Stage, Verdict
from smtp_wizard.engine.base.who import Who
from smtp_wizard.engine.checks.events import Emit, Line, RunFinished, StageFinished, StageStarted
from smtp_wizard.engine.checks.report import CheckResult, Report, Speaker
from smtp_wizard.engine.diagnosis.finding import Finding
from smtp_wizard.engine.guides.guides import Guide, Guides, GuideStep
from smtp_wizard.engine.oauth.errors import OAuthError, OAuthFault
from smtp_wizard.engine.sandbox.errors import SandboxError
from smtp_wizard.engine.sandbox.scenarios import practice_password
from smtp_wizard.engine.scan.blocked_ports import Blame, ControlAnswer
from smtp_wizard.engine.secrets.secret_store import SecretError, SecretFault
from smtp_wizard.engine.secrets.store_kinds import StoreKind, StoreRef
from smtp_wizard.engine.secrets.vault import VaultStore
from smtp_wizard.engine.secrets.vault_format import Cost
from smtp_wizard.engine.services.check_options import CheckOptions
from smtp_wizard.engine.services.checks import TriesLeft
from smtp_wizard.engine.services.services import Services
from smtp_wizard.engine.wizard.draft import Draft, Origin
from smtp_wizard.engine.wizard.steps import Back, Next
from smtp_wizard.flows.connect import ConnectFlow
from smtp_wizard.flows.connect_state import ConnectOffer, ConnectPhase, ConnectState, CursorPlace
from smtp_wizard.flows.flow import Mood
from smtp_wizard.flows.guide_ticks import GuideView
from smtp_wizard.runtime.server_watch import ServerWatch
from tests.support.checking import mendable
from tests.support.walk import catalog, guides, make_services

PASSWORD, ANOTHER = "correct horse battery", "another horse"
PASSPHRASE = "plum corner violet stove"
SERVER = Endpoint("mail.example.com", 587, Security.STARTTLS)
WORKS = Endpoint("mail.example.com", 465, Security.TLS)
ANA = Address.parse("ana@example.com")


@pytest.fixture
def services(tmp_path: Path) -> Services:
    return make_services(tmp_path)


def flow_of(draft: Draft, services: Services, **others: Any) -> ConnectFlow:
    """Return the step over these services; `others` stand in for some of them."""
    own: dict[str, Any] = {
        "catalog": services.catalog,
        "checks": services.checks,
        "scans": services.scans,
        "tokens": services.tokens,
        "vault": services.stores.vault,
        "guides": guides(),
    }
    return ConnectFlow(draft, **(own | others))


def by_hand(**connection: Any) -> Draft:
    """A draft whose server the person typed, and whose user name is the address."""
    known = {"endpoint": SERVER, "username": str(ANA), "provider": "custom", **connection}
    return Draft(address=ANA, connection=Connection(**known)).confirmed()


def practice(path: str) -> Draft:
    """A draft for the practice server."""
    begun = Draft().with_address(Address.parse("you@sandbox.test"))
    provider = catalog().get("sandbox")
    assert provider is not None
    chosen = next(each for each in provider.paths if each.id == path)
    return begun.with_provider(provider, Origin.ADDRESS).with_path(chosen)


def of_gmail() -> Draft:
    """A draft of a provider that makes up the passwords itself."""
    provider = catalog().get("gmail")
    assert provider is not None
    chosen = provider.path("app-password")
    assert chosen is not None
    return (
        Draft().with_address(Address.parse("ana@gmail.com")).with_provider(provider, Origin.ADDRESS).with_path(chosen)
    )


def finding(code: str = "bad_credentials", **others: Any) -> Finding:
    known = {
        "code": code,
        "title": phrase("It did not work"),
        "explanation": phrase("For a reason."),
        "who": Who.YOU,
        "steps": (phrase("Do this."),),
        **others,
    }
    return Finding(**known)


class Scripted:
    """A check that tells what it is given, and counts how often it was asked."""

    def __init__(self, *results: CheckResult) -> None:
        self.results = results
        self.asked: list[tuple[Draft, CheckOptions]] = []

    async def __call__(self, draft: Draft, depth: Depth, emit: Emit, *, options: CheckOptions | None = None) -> Report:
        assert draft.connection.endpoint is not None
        self.asked.append((draft, options or CheckOptions()))
        report = Report(draft.connection.endpoint, self.results)
        for result in self.results:
            emit(StageStarted(result.stage))
            emit(Line(0.0, result.stage, Speaker.OURS, phrase("a word"), True))
            emit(StageFinished(result))
        emit(RunFinished(report))
        return report


def at_stage(stage: Stage, found: Finding | None = None) -> CheckResult:
    verdict = Verdict.PASS if found is None else Verdict.WARN if found.warning else Verdict.FAIL
    return CheckResult(stage, verdict, 0.1, found.title if found else phrase("well"), found)


GREETED = at_stage(Stage.GREETING)
REFUSED = (GREETED, at_stage(Stage.AUTH, finding()))


def flow_with(
    services: Services, patch: pytest.MonkeyPatch, draft: Draft, check: Callable[..., Any], **others: Any
) -> ConnectFlow:
    patch.setattr(services.checks, "check_draft", check)
    return flow_of(draft, services, **others)


def ids(state: ConnectState) -> list[ConnectOffer]:
    return [each.id for each in state.offers]


def aim(flow: ConnectFlow) -> CursorPlace:
    return flow.state.aim


def refused(flow: ConnectFlow) -> bool:
    return flow.state.refused


# --- one sign-in ---


async def test_what_works_is_said_and_leads_on(services: Services) -> None:
    """As a person practises: the password that is told there, Enter, Enter. Another one is refused."""
    flow = flow_of(practice("accept"), services)
    assert (flow.state.username, flow.state.aim) == (None, CursorPlace.SECRET), "the settings give the name"
    assert flow.state.question == f"Type the practice password: {practice_password()}"
    for wrong in ("my usual password", "wrong"):  # a short one is masked, and what the server said with it
        flow.type_secret(wrong)
        assert await flow.act(ConnectOffer.SIGN_IN) is None
        card = flow.state.card
        assert card is not None
        assert (card.mood, card.title) == (Mood.FAILED, "This is not the practice password")
        assert card.lines[1] == f"You: Type the practice password: {practice_password()}"
    flow.type_secret(practice_password())
    assert await flow.act(ConnectOffer.SIGN_IN) is None
    card = flow.state.card
    assert card is not None
    assert (card.mood, card.title) == (Mood.PASSED, "Signed in")
    assert flow.state.guide is not None
    assert flow.state.guide.due == flow.state.guide.step(5), "what the sign-in proves is ticked, with all before it"
    assert "you@sandbox.test" in card.lines[0]
    assert card.foot.startswith("✓✓✓✓✓✓  6 of 6 checks, ")
    leads = await flow.act(flow.state.offers[0].id)
    assert isinstance(leads, Next)
    assert leads.draft.signed_in


async def test_a_server_that_wants_no_sign_in_is_asked_at_once(
    services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    flow = flow_with(services, monkeypatch, by_hand(auth=Auth.NONE, username=""), Scripted(GREETED))
    assert (flow.state.username, flow.state.secret, flow.state.aim) == (None, None, CursorPlace.OFFERS)
    await flow.act(ConnectOffer.SIGN_IN)
    assert flow.state.at is ConnectPhase.PASSED
    assert flow.state.card is not None
    assert flow.state.card.title == "The server answers"


async def test_what_is_lacking_is_said_at_its_field_and_nothing_is_sent(
    services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    check = Scripted(*REFUSED)
    flow = flow_with(services, monkeypatch, by_hand(username=""), check)
    assert flow.state.username is not None
    await flow.act(ConnectOffer.SIGN_IN)
    assert flow.state.username.error
    assert aim(flow) is CursorPlace.USERNAME
    flow.type_username(" key-17 ")
    assert flow.state.username.error == "", "a fault goes as soon as something else is typed"
    assert flow.draft.connection.username == "key-17"
    await flow.act(ConnectOffer.SIGN_IN)
    assert flow.state.secret is not None
    assert flow.state.secret.error
    assert aim(flow) is CursorPlace.SECRET
    assert check.asked == []


@pytest.mark.parametrize(("username", "asked"), [("", True), ("key-17", True), (str(ANA), False)])
def test_a_user_name_is_asked_for_only_where_the_settings_do_not_give_it(
    services: Services, username: str, asked: bool
) -> None:
    assert (flow_of(by_hand(username=username), services).state.username is not None) is asked


async def test_a_note_of_the_server_does_not_stand_in_the_way(
    services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    note = finding("certificate_expires_soon", warning=True, title=phrase("The certificate ends in 5 days"))
    check = Scripted(at_stage(Stage.TLS, note), at_stage(Stage.AUTH))
    flow = flow_with(services, monkeypatch, by_hand(), check)
    flow.type_secret(PASSWORD)
    await flow.act(ConnectOffer.SIGN_IN)
    card = flow.state.card
    assert card is not None
    assert (card.mood, ids(flow.state)[0]) == (Mood.WARNED, ConnectOffer.NEXT)
    assert any("ends in 5 days" in line for line in card.lines)


async def test_what_has_worked_leads_on_at_once_where_it_was_said_and_need_not_be_looked_at(
    services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As in lines of text. What has failed, and what was proved before, stays there."""
    check = Scripted(*REFUSED)
    flow = flow_with(services, monkeypatch, by_hand(), check, lingers=False)
    flow.type_secret(PASSWORD)
    assert await flow.act(ConnectOffer.SIGN_IN) is None
    check.results = (GREETED, at_stage(Stage.AUTH))
    leads = await flow.act(ConnectOffer.SAME)
    assert isinstance(leads, Next)
    assert leads.draft.signed_in
    assert await flow.act(ConnectOffer.SIGN_IN) is None, "whoever comes back and checks again stays"


# --- a password that was refused ---


async def test_a_refused_password_is_not_sent_again_by_enter(
    services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    check = Scripted(*REFUSED)
    flow = flow_with(services, monkeypatch, by_hand(), check)
    flow.type_secret(PASSWORD)
    await flow.act(ConnectOffer.SIGN_IN)
    assert refused(flow)
    assert ids(flow.state)[:2] == [ConnectOffer.SIGN_IN, ConnectOffer.SAME]
    await flow.act(ConnectOffer.SIGN_IN)
    assert flow.state.secret is not None
    assert "nothing was sent" in flow.state.secret.error
    assert len(check.asked) == 1
    flow.type_secret(ANOTHER)
    assert not refused(flow)
    flow.type_secret(PASSWORD)
    assert refused(flow), "it is the same password still, whatever stood there in between"
    await flow.act(ConnectOffer.SIGN_IN)
    assert len(check.asked) == 1
    await flow.act(ConnectOffer.SAME)
    assert len(check.asked) == 2, "the person has changed something at the provider"


async def test_a_password_that_was_refused_before_is_said_when_one_comes_back(
    services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    check = Scripted(*REFUSED)
    flow = flow_with(services, monkeypatch, by_hand(), check)
    flow.type_secret(PASSWORD)
    await flow.act(ConnectOffer.SIGN_IN)
    leads = await flow.act(ConnectOffer.BACK)
    assert isinstance(leads, Back)
    again = flow_of(leads.draft, services)
    assert again.state.refused
    assert again.state.card is not None
    await again.act(ConnectOffer.SIGN_IN)
    assert len(check.asked) == 1


async def test_a_refused_token_leads_back_to_where_another_one_comes_from(
    services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    check = Scripted(at_stage(Stage.AUTH, finding("oauth_token_invalid")))
    for elsewhere, first in ((False, ConnectOffer.BACK), (True, ConnectOffer.CHANGE)):
        draft = replace(by_hand(auth=Auth.XOAUTH2), secret=Secret("token"), token_elsewhere=elsewhere)
        flow = flow_with(services, monkeypatch, draft, check)
        assert flow.state.secret is None
        await flow.act(ConnectOffer.SIGN_IN)
        assert ids(flow.state)[0] is first
        assert ConnectOffer.SIGN_IN not in ids(flow.state)
        assert ConnectOffer.SAME in ids(flow.state)


@pytest.mark.parametrize(
    ("left", "said"),
    [(2, "2 tries left"), (1, "1 try left"), (0, "No try left now"), (None, "")],
)
async def test_the_card_says_how_many_tries_are_left(
    services: Services, monkeypatch: pytest.MonkeyPatch, left: int | None, said: str
) -> None:
    async def tries_left(_: Draft) -> TriesLeft | None:
        return TriesLeft(left, 15) if left is not None else None

    monkeypatch.setattr(services.checks, "tries_left", tries_left)
    flow = flow_with(services, monkeypatch, by_hand(), Scripted(*REFUSED))
    flow.type_secret(PASSWORD)
    await flow.act(ConnectOffer.SIGN_IN)
    assert flow.state.card is not None
    assert said in flow.state.tries
    assert (flow.state.tries in flow.state.card.lines) is bool(said)


async def test_a_failure_is_told_once_with_what_to_do_and_how_far_it_came(
    services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = finding(who=Who.ADMIN, steps=(phrase("Send this."), phrase("Try again.")))
    flow = flow_with(services, monkeypatch, by_hand(), Scripted(GREETED, at_stage(Stage.AUTH, found)))
    flow.type_secret(PASSWORD)
    await flow.act(ConnectOffer.SIGN_IN)
    card = flow.state.card
    assert card is not None
    assert card.title == "It did not work"
    assert card.lines[:2] == ("For a reason.", "Whoever administers the mail: Send this.")
    assert card.foot == "✓✗  1 of 2 checks passed"


# --- what the provider makes up ---


def test_an_app_password_is_counted_tidied_and_doubted(services: Services) -> None:
    flow = flow_of(of_gmail(), services)
    assert flow.state.secret is not None
    assert flow.state.secret.hint == "16 characters, blanks do not matter"
    assert flow.state.question == "Paste the app password for Gmail."
    flow.type_secret("abcd efghij")
    assert flow.state.secret.hint == "10 of 16 characters, blanks removed"
    assert "10 characters" in flow.state.doubt
    flow.type_secret("abcd efgh ijkl mnop")
    assert flow.state.doubt == ""
    assert flow.draft.secret == Secret("abcdefghijklmnop")
    assert flow.secret_text == "abcd efgh ijkl mnop", "the field keeps what was typed"


def test_what_is_typed_is_in_no_state(services: Services) -> None:
    seen: list[str] = []
    flow = flow_of(by_hand(), services)
    flow.changed = lambda state: seen.append(repr(state))
    for text in (PASSWORD, f"{PASSWORD} "):
        flow.type_secret(text)
    assert seen
    assert not any(PASSWORD in each for each in seen)


# --- the cure of a failure ---


async def test_a_wrong_security_is_one_key(services: Services, monkeypatch: pytest.MonkeyPatch) -> None:
    """Enter takes the server that the finding offers, and signs in there with the password that stands there."""
    flow = flow_with(services, monkeypatch, by_hand(), mendable(WORKS))
    flow.type_secret(PASSWORD)
    await flow.act(ConnectOffer.SIGN_IN)
    cure = flow.state.offers[0]
    assert (cure.id, cure.verb) == (ConnectOffer.FIX, "Use SSL/TLS")
    await flow.act(cure.id)
    assert flow.state.at is ConnectPhase.PASSED
    assert flow.draft.connection.endpoint == WORKS


async def test_what_fails_in_the_background_is_cured_before_a_password_is_typed(
    services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(services.checks, "check_draft", mendable(WORKS))
    faults: list[Exception] = []
    watch = ServerWatch(services.checks, services.catalog, faults.append)
    flow = flow_of(by_hand(), services, watch=watch)
    seen = asyncio.Event()
    flow.changed = lambda state: seen.set() if state.at is ConnectPhase.FAILED else None
    watch.watch(flow.draft)
    flow.begin()
    await seen.wait()
    await flow.act(ConnectOffer.FIX)
    assert (flow.state.at, flow.state.card) == (ConnectPhase.TYPING, None)
    assert flow.draft.connection.endpoint == WORKS
    assert flow.state.settings == "ana@example.com at mail.example.com, port 465, SSL/TLS"
    flow.end()
    watch.stop()
    assert faults == []


async def test_a_server_that_nobody_has_confirmed_is_asked_about_first(
    services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    check = Scripted(at_stage(Stage.AUTH))
    stranger = Endpoint("mail.elsewhere.example", 465, Security.TLS)
    flow = flow_with(services, monkeypatch, replace(by_hand(endpoint=stranger), confirmed_host=""), check)
    flow.type_secret(PASSWORD)
    await flow.act(ConnectOffer.SIGN_IN)
    assert flow.state.asks
    assert flow.state.card is not None
    assert "mail.elsewhere.example" in " ".join(flow.state.card.lines)
    await flow.act(flow.state.offers[0].id)
    assert (flow.state.at, check.asked) == (ConnectPhase.TYPING, []), "the careful answer is the first"
    await flow.act(ConnectOffer.SIGN_IN)
    await flow.act(ConnectOffer.CONFIRM)
    assert flow.state.at is ConnectPhase.PASSED
    assert flow.draft.confirmed_host == stranger.host


async def test_a_sign_in_that_may_lock_the_account_takes_a_second_yes(
    services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    check = Scripted(at_stage(Stage.AUTH, finding(PAUSED)))
    flow = flow_with(services, monkeypatch, by_hand(), check)
    flow.type_secret(PASSWORD)
    await flow.act(ConnectOffer.SIGN_IN)
    assert ids(flow.state)[:2] == [ConnectOffer.SIGN_IN, ConnectOffer.ANYWAY]
    assert flow.state.tries == "", "nothing was tried"
    await flow.act(ConnectOffer.ANYWAY)
    assert ids(flow.state) == [ConnectOffer.LEAVE, ConnectOffer.ANYWAY_NOW]
    await flow.act(ConnectOffer.LEAVE)
    assert (flow.state.at, len(check.asked)) == (ConnectPhase.FAILED, 1)
    await flow.act(ConnectOffer.ANYWAY)
    await flow.act(ConnectOffer.ANYWAY_NOW)
    assert [options.ignore_lockout for _, options in check.asked] == [False, True]
    await flow.act(ConnectOffer.SIGN_IN)
    assert not check.asked[-1][1].ignore_lockout, "a yes holds once"


def unreachable() -> Scripted:
    return Scripted(at_stage(Stage.DNS), at_stage(Stage.CONNECT, finding("port_blocked")))


async def test_a_neutral_host_is_asked_only_after_a_yes(services: Services, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []

    async def ask_neutral(neutral: str, host: str, ports: Any, **_: Any) -> tuple[ControlAnswer, ...]:
        asked.append(neutral)
        return tuple(ControlAnswer(host, port, neutral, Blame.NETWORK, True) for port in ports)

    monkeypatch.setattr(services.scans, "ask_neutral", ask_neutral)
    flow = flow_with(services, monkeypatch, by_hand(), unreachable())
    flow.type_secret(PASSWORD)
    await flow.act(ConnectOffer.SIGN_IN)
    await flow.act(ConnectOffer.NETWORK)
    assert flow.state.card is not None
    assert ids(flow.state) == [ConnectOffer.LEAVE, ConnectOffer.ASK_NEUTRAL]
    await flow.act(ConnectOffer.LEAVE)
    assert asked == []
    await flow.act(ConnectOffer.NETWORK)
    await flow.act(ConnectOffer.ASK_NEUTRAL)
    assert len(asked) == 1
    assert flow.state.card.title == "This network blocks port 587"
    await flow.act(ConnectOffer.LEAVE)
    assert flow.state.at is ConnectPhase.FAILED


async def test_a_neutral_host_is_asked_once(services: Services, monkeypatch: pytest.MonkeyPatch) -> None:
    """While it is waited for nothing but Esc does anything; that leads back to what failed."""
    asked, begun = [], asyncio.Event()

    async def ask_neutral(*arguments: Any, **_: Any) -> tuple[ControlAnswer, ...]:
        asked.append(arguments)
        begun.set()
        await asyncio.Event().wait()
        return ()

    monkeypatch.setattr(services.scans, "ask_neutral", ask_neutral)
    flow = flow_with(services, monkeypatch, by_hand(), unreachable())
    flow.type_secret(PASSWORD)
    await flow.act(ConnectOffer.SIGN_IN)
    await flow.act(ConnectOffer.NETWORK)
    asking = asyncio.ensure_future(flow.act(ConnectOffer.ASK_NEUTRAL))
    await begun.wait()
    for offer in (ConnectOffer.ASK_NEUTRAL, ConnectOffer.SIGN_IN, ConnectOffer.BACK):
        assert await flow.act(offer) is None
    assert len(asked) == 1
    assert flow.stop()
    await asking
    assert flow.state.at is ConnectPhase.FAILED
    assert not flow.stop(), "nothing is under way"


# --- the vault ---


async def locked(services: Services, patch: pytest.MonkeyPatch, folder: Path, check: Callable[..., Any]) -> ConnectFlow:
    await VaultStore(folder, cost=Cost(n=2**4)).create(Secret(PASSPHRASE))

    async def store_of(_: Draft) -> StoreRef:
        return StoreRef(StoreKind.VAULT, "Office/password")

    patch.setattr(services.tokens, "store_of", store_of)
    draft = replace(by_hand(auth=Auth.XOAUTH2), secret=Secret("token"))
    flow = flow_with(services, patch, draft, check, vault=VaultStore(folder, cost=Cost(n=2**4)))
    await flow.act(ConnectOffer.SIGN_IN)
    return flow


async def test_a_locked_vault_is_opened_in_the_midst_and_the_sign_in_goes_on(
    services: Services, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    check = Scripted(at_stage(Stage.AUTH))
    flow = await locked(services, monkeypatch, tmp_path, check)
    assert (flow.state.at, flow.state.aim) == (ConnectPhase.LOCKED, CursorPlace.PASSPHRASE)
    flow.type_passphrase("other words of no sense")
    await flow.act(ConnectOffer.UNLOCK)
    assert flow.state.passphrase is not None
    assert flow.state.passphrase.error
    flow.type_passphrase(PASSPHRASE)
    assert flow.state.passphrase.error == ""
    await flow.act(ConnectOffer.UNLOCK)
    assert flow.state.at is ConnectPhase.PASSED
    assert len(check.asked) == 1


async def test_a_vault_that_stays_shut_can_be_opened_later(
    services: Services, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    check = Scripted(at_stage(Stage.AUTH))
    flow = await locked(services, monkeypatch, tmp_path, check)
    await flow.act(ConnectOffer.LEAVE)
    assert flow.state.at is ConnectPhase.PROBLEM
    assert flow.state.offers[0].verb == "Unlock it and try again"
    await flow.act(ConnectOffer.SIGN_IN)
    assert (flow.state.at, check.asked) == (ConnectPhase.LOCKED, [])


# --- while it runs ---


class Held:
    """A check that waits to be given up."""

    def __init__(self, stage: Stage) -> None:
        self.stage = stage
        self.begun = asyncio.Event()

    async def __call__(self, draft: Draft, depth: Depth, emit: Emit, **_: Any) -> Report:
        emit(StageStarted(Stage.DNS))
        emit(StageFinished(at_stage(Stage.DNS)))
        emit(StageStarted(self.stage))
        emit(Line(0.0, self.stage, Speaker.OURS, phrase("a word"), True))
        self.begun.set()
        await asyncio.Event().wait()
        raise AssertionError("nobody answers")


async def test_what_runs_is_told_with_its_limit_and_nothing_else_is_offered(
    services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    held = Held(Stage.AUTH)
    flow = flow_with(services, monkeypatch, by_hand(), held)
    flow.type_secret(PASSWORD)
    running = asyncio.ensure_future(flow.act(ConnectOffer.SIGN_IN))
    await held.begun.wait()
    state = flow.state
    assert state.card is not None
    assert state.card.lines == ("✓ Server found", "The server looks at the password")
    assert (state.card.foot, state.card.seconds, ids(state)) == ("Esc stops", 30, [ConnectOffer.STOP])
    assert await flow.act(ConnectOffer.SIGN_IN) is None, "a second Enter begins no second sign-in"
    await flow.act(ConnectOffer.STOP)
    assert await running is None
    assert flow.state.at is ConnectPhase.STOPPED


@pytest.mark.parametrize(("stage", "said"), [(Stage.GREETING, "had not been sent"), (Stage.AUTH, "had been sent")])
async def test_what_was_stopped_says_whether_the_password_went_out(
    services: Services, monkeypatch: pytest.MonkeyPatch, stage: Stage, said: str
) -> None:
    held = Held(stage)
    flow = flow_with(services, monkeypatch, by_hand(), held)
    flow.type_secret(PASSWORD)
    running = asyncio.ensure_future(flow.act(ConnectOffer.SIGN_IN))
    await held.begun.wait()
    await flow.act(ConnectOffer.STOP)
    await running
    assert flow.state.card is not None
    assert said in flow.state.card.lines[0]
    assert ids(flow.state)[0] is ConnectOffer.SIGN_IN


async def test_given_up_it_stands_as_before(services: Services, monkeypatch: pytest.MonkeyPatch) -> None:
    held = Held(Stage.GREETING)
    flow = flow_with(services, monkeypatch, by_hand(), held)
    flow.type_secret(PASSWORD)
    running = asyncio.ensure_future(flow.act(ConnectOffer.SIGN_IN))
    await held.begun.wait()
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    assert flow.state.at is ConnectPhase.TYPING
    assert flow.draft.secret == Secret(PASSWORD)


async def test_what_is_typed_while_it_runs_is_not_taken_for_what_was_proved(
    services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def check(draft: Draft, depth: Depth, emit: Emit, **_: Any) -> Report:
        flow.type_secret(ANOTHER)
        return await Scripted(at_stage(Stage.AUTH))(draft, depth, emit)

    flow = flow_with(services, monkeypatch, by_hand(), check)
    flow.type_secret(PASSWORD)
    await flow.act(ConnectOffer.SIGN_IN)
    assert not flow.draft.signed_in
    assert ids(flow.state)[0] is ConnectOffer.SIGN_IN


async def test_what_is_not_offered_does_nothing(services: Services) -> None:
    flow = flow_of(by_hand(), services)
    before = flow.state
    for offer in set(ConnectOffer) - set(ids(before)):
        assert await flow.act(offer) is None
    assert flow.state == before


async def test_the_settings_are_changed_in_the_form_for_the_server(services: Services) -> None:
    flow = flow_of(replace(by_hand(), by_hand=False), services)
    flow.type_secret(PASSWORD)
    leads = await flow.act(ConnectOffer.CHANGE)
    assert isinstance(leads, Back)
    assert (leads.draft.by_hand, leads.draft.secret) == (True, Secret(PASSWORD))


# --- services that fail ---

WORDS = phrase("It fails on purpose.")


def expected() -> list[Exception]:
    """Every kind of problem that a service may have for a person to read."""
    plain: list[Callable[[Shown], Exception]] = [AccountsError, DataError, InputError, SandboxError, UnsafeFile]
    secrets = [SecretError(fault, WORDS) for fault in SecretFault]
    tokens = [OAuthError(fault, WORDS) for fault in OAuthFault]
    return [*(kind(WORDS) for kind in plain), *secrets, *tokens]


@pytest.mark.parametrize("problem", expected(), ids=repr)
@pytest.mark.parametrize("where", ["check_draft", "tries_left", "store_of", "ask_neutral"])
async def test_whatever_a_service_says_is_shown_and_the_step_goes_on(
    services: Services, monkeypatch: pytest.MonkeyPatch, where: str, problem: Exception
) -> None:
    async def fails(*_: Any, **__: Any) -> Any:
        raise problem

    monkeypatch.setattr(services.checks, "check_draft", unreachable() if where == "ask_neutral" else Scripted(*REFUSED))
    owner = {"store_of": services.tokens, "ask_neutral": services.scans}.get(where, services.checks)
    monkeypatch.setattr(owner, where, fails)
    flow = flow_of(by_hand(), services)
    flow.type_secret(PASSWORD)
    await flow.act(ConnectOffer.SIGN_IN)
    if where == "ask_neutral":
        await flow.act(ConnectOffer.NETWORK)
        await flow.act(ConnectOffer.ASK_NEUTRAL)
    assert flow.state.at is ConnectPhase.PROBLEM
    assert flow.state.card is not None
    assert flow.state.card.lines == (str(WORDS),)
    locked = isinstance(problem, SecretError) and problem.fault in (SecretFault.LOCKED, SecretFault.CLOSED)
    assert (flow.state.offers[0].verb == "Unlock it and try again") is locked
    monkeypatch.undo()
    assert isinstance(await flow.act(ConnectOffer.BACK), Back)


@pytest.mark.parametrize("fault", [each for each in SecretFault if each is not SecretFault.WRONG])
async def test_a_vault_that_cannot_be_used_is_said(
    services: Services, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fault: SecretFault
) -> None:
    async def fails(*_: Any) -> None:
        raise SecretError(fault, WORDS)

    flow = await locked(services, monkeypatch, tmp_path, Scripted())
    monkeypatch.setattr(VaultStore, "open", fails)
    flow.type_passphrase(PASSPHRASE)
    await flow.act(ConnectOffer.UNLOCK)
    assert flow.state.at is ConnectPhase.PROBLEM
    assert flow.state.card is not None
    assert flow.state.card.lines == (str(WORDS),)


def test_a_guide_that_cannot_be_read_is_no_reason_to_end(services: Services, tmp_path: Path) -> None:
    (tmp_path / "guides").mkdir()
    (tmp_path / "guides" / "basic.md").write_text("no guide", "utf-8")
    flow = flow_of(by_hand(), services, guides=Guides(tmp_path / "guides"))
    assert flow.state.guide is None
    assert any("basic.md" in note for note in flow.state.notes)


async def test_a_fault_of_the_program_leaves_the_step_as_it_was(
    services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def check(*_: Any, **__: Any) -> Report:
        raise ZeroDivisionError

    flow = flow_with(services, monkeypatch, by_hand(), check)
    flow.type_secret(PASSWORD)
    with pytest.raises(ZeroDivisionError):
        await flow.act(ConnectOffer.SIGN_IN)
    assert flow.state.at is ConnectPhase.TYPING


# --- the guide ---


async def test_the_guide_that_helps_with_what_is_wrong_is_shown_and_the_own_one_comes_back(
    services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    helps = Scripted(at_stage(Stage.AUTH, finding(guide="gmail-two-step")))
    flow = flow_with(services, monkeypatch, of_gmail(), helps)
    flow.type_secret("abcd efgh ijkl mnop")
    await flow.act(ConnectOffer.SIGN_IN)
    assert flow.state.guide is not None
    assert flow.state.guide.guide.id == "gmail-two-step"
    helps.results = (at_stage(Stage.AUTH),)
    await flow.act(ConnectOffer.SAME)
    assert flow.state.guide is not None
    assert flow.state.guide.guide.id == "gmail-app-password"


async def test_a_step_that_is_proved_proves_the_ones_before_it(
    services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    check = Scripted(GREETED, at_stage(Stage.AUTH))
    flow = flow_with(services, monkeypatch, of_gmail(), check)
    assert flow.state.guide is not None
    assert flow.state.guide.due is not None
    assert flow.state.guide.due.number == 1
    flow.mark(1, True)
    assert flow.state.guide.due.number == 2
    flow.mark(99, True)
    flow.type_secret("abcd efgh ijkl mnop")
    await flow.act(ConnectOffer.SIGN_IN)
    assert flow.draft.ticks == {f"gmail-app-password/{number}" for number in range(1, 7)}
    assert flow.state.guide.due is not None
    assert flow.state.guide.due.proves is Stage.DATA


def stepped(*proves: Stage | None) -> GuideView:
    steps = tuple(GuideStep(number, "Do it.", proves=stage) for number, stage in enumerate(proves, 1))
    return GuideView(Guide("sample", "A guide", (), "2026-11-30", (), (), steps, ()))


def test_what_was_not_reached_proves_nothing_and_what_failed_takes_its_tick_away() -> None:
    view = stepped(None, Stage.AUTH, Stage.DATA)
    proved = view.after(at_stage(Stage.AUTH))
    assert [step.number for step in proved.newly_done(view)] == [1, 2]
    assert proved.after(CheckResult(Stage.DATA, Verdict.SKIPPED, 0.0)) == proved
    failed = proved.after(at_stage(Stage.AUTH, finding()))
    assert failed.ticks == {"sample/1"}
    assert failed.due is not None
    assert failed.due.number == 2
