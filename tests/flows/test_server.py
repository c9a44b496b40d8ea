"""The step 'Server' without a face: what it offers, what it asks, and what becomes of every fault."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from smtp_wizard.engine.accounts.account import AccountsError
from smtp_wizard.engine.base.address import Address
from smtp_wizard.engine.base.connection import Auth, Connection
from smtp_wizard.engine.base.data_files import DataError
from smtp_wizard.engine.base.endpoint import Endpoint, Security
from smtp_wizard.engine.base.errors import InputError
from smtp_wizard.engine.base.shown import phrase
from smtp_wizard.engine.discovery.candidate import Candidate, FoundBy
from smtp_wizard.engine.sandbox.errors import SandboxError
from smtp_wizard.engine.scan.control_host import ControlHost
from smtp_wizard.engine.services.checks import Checks
from smtp_wizard.engine.services.scans import Scans
from smtp_wizard.engine.services.services import Services
from smtp_wizard.engine.smtp.transport import Peer
from smtp_wizard.engine.wizard.draft import Draft, Origin, with_candidate
from smtp_wizard.engine.wizard.steps import Back, Next
from smtp_wizard.engine.wizard.trusted_servers import ServerTrust, server_trust
from smtp_wizard.flows.flow import Mood
from smtp_wizard.flows.server import ServerFlow
from smtp_wizard.flows.server_state import WHERE_TO_FIND, ServerField, ServerOffer, ServerQuestion, ServerState
from tests.support.checking import mendable
from tests.support.farhost import HOST, REFUSING, STARTTLS_PORT, SWALLOWING, TLS_PORT, FarHost, FarStream, serving
from tests.support.walk import catalog, make_services, until

ANA = Address("ana", "firma.example")
BY_HAND = Draft(
    address=ANA,
    connection=Connection(endpoint=None, provider="custom", path="password", username="ana"),
    origin=Origin.HAND,
    ways=2,
    by_hand=True,
)
GOOD = {465: serving(*TLS_PORT), **dict.fromkeys((587, 2525), serving(*STARTTLS_PORT)), 25: REFUSING}
STARTTLS = Endpoint(HOST, 587, Security.STARTTLS)
FOREIGN = Candidate(
    endpoint=Endpoint("smtp.other.example", 465, Security.TLS),
    username=str(ANA),
    source=FoundBy.SRV,
    trust=0.5,
    note="",
)
NEUTRAL = "smtp.gmail.com"


@pytest.fixture(autouse=True)
def one_neutral_host(monkeypatch: pytest.MonkeyPatch) -> None:
    known = (ControlHost(NEUTRAL, (587, 25)),)
    monkeypatch.setattr("smtp_wizard.engine.scan.control_host.load_control_hosts", lambda: known)


def flow_of(services: Services, draft: Draft = BY_HAND) -> ServerFlow:
    return ServerFlow(draft, catalog=catalog(), checks=services.checks, scans=services.scans, now=services.now)


def at_host(tmp_path: Path, wire: FarHost, draft: Draft = BY_HAND) -> ServerFlow:
    flow = flow_of(make_services(tmp_path, wire), draft)
    flow.type(ServerField.HOST, HOST)
    return flow


def offered(state: ServerState) -> list[ServerOffer]:
    return [each.id for each in state.offers]


def asked(flow: ServerFlow) -> ServerQuestion | None:
    return flow.state.question


def card_words(state: ServerState) -> str:
    assert state.card is not None
    return "\n".join([state.card.title, *state.card.lines, state.card.foot])


# --- typing, and going on ---


async def test_a_server_that_was_typed_is_tried_first_and_then_used(tmp_path: Path) -> None:
    flow = at_host(tmp_path, FarHost(GOOD))
    assert offered(flow.state) == [ServerOffer.PORTS, ServerOffer.USE, ServerOffer.TEST]
    assert await flow.act(ServerOffer.PORTS) is None
    assert flow.state.card is not None
    assert (flow.state.card.title, flow.state.card.mood) == ("It answers", Mood.PASSED)
    assert flow.state.card.lines[0].startswith("✓ 465  SSL/TLS")
    assert "✓ 587  STARTTLS  also works" in card_words(flow.state)
    assert "– 25   refuses connections" in card_words(flow.state)
    assert flow.state.card.foot == "no password was sent yet"
    assert offered(flow.state)[0] is ServerOffer.USE
    leads = await flow.act(ServerOffer.USE)
    assert isinstance(leads, Next)
    assert leads.draft.connection.endpoint == Endpoint(HOST, 465, Security.TLS)
    assert server_trust(leads.draft, catalog()) is ServerTrust.NAMED


async def test_the_port_follows_the_security_unless_somebody_chose_it(tmp_path: Path) -> None:
    flow = at_host(tmp_path, FarHost())
    assert flow.state.port.hint == "goes with it"
    flow.choose(Security.STARTTLS)
    assert (flow.state.port.text, flow.state.port.hint) == ("587", "goes with it")
    flow.type(ServerField.PORT, "4000")
    flow.choose(Security.TLS)
    assert (flow.state.port.text, flow.state.port.hint) == ("4000", "")
    assert offered(flow.state)[0] is ServerOffer.TEST, "none of the usual ports"


@pytest.mark.parametrize(
    ("field", "text", "why"),
    [
        (ServerField.HOST, "", "Type the name"),
        (ServerField.HOST, "https://mail.example.com", "without http://"),
        (ServerField.PORT, "70000", "from 1 to 65535"),
        (ServerField.SENDER, "nobody", "@"),
    ],
)
async def test_what_cannot_be_used_is_said_in_its_field_and_kept(
    tmp_path: Path, field: ServerField, text: str, why: str
) -> None:
    flow = at_host(tmp_path, FarHost())
    flow.type(field, text)
    assert await flow.act(ServerOffer.USE) is None
    entries = {
        ServerField.HOST: flow.state.host,
        ServerField.PORT: flow.state.port,
        ServerField.SENDER: flow.state.sender,
    }
    assert why in entries[field].error
    assert flow.state.cursor is field
    leads = await flow.act(ServerOffer.BACK)
    assert isinstance(leads, Back)
    assert leads.draft.typed[field.value] == text
    again = flow_of(make_services(tmp_path), leads.draft)
    assert {ServerField.HOST: again.state.host, ServerField.PORT: again.state.port}.get(
        field, again.state.sender
    ).text == text
    again.type(field, "2525" if field is ServerField.PORT else HOST)
    flow.type(field, "a.b")
    assert not flow.state.host.error


@pytest.mark.parametrize(
    ("pasted", "port", "security"),
    [
        (f"ssl://{HOST}:2465", 2465, Security.TLS),
        (f"smtps://{HOST}", 465, Security.TLS),
        (f"{HOST}:587", 587, Security.STARTTLS),
        (f" {HOST}, port 587. ", 587, Security.STARTTLS),
        (f"starttls://{HOST}", 587, Security.STARTTLS),
    ],
)
async def test_what_is_pasted_with_the_name_goes_into_the_other_fields(
    pasted: str, port: int, security: Security, tmp_path: Path
) -> None:
    flow = flow_of(make_services(tmp_path, FarHost()))
    flow.type(ServerField.HOST, pasted)
    assert flow.checked(ServerField.HOST) == ""
    state = flow.state
    assert (state.host.text, state.port.text, state.security) == (HOST, str(port), security)
    leads = await flow.act(ServerOffer.USE)
    assert isinstance(leads, Next)
    assert leads.draft.connection.endpoint == Endpoint(HOST, port, security)


async def test_what_is_pasted_is_not_taken_apart_while_one_types(tmp_path: Path) -> None:
    flow = flow_of(make_services(tmp_path, FarHost()))
    for text in ("ssl:/", "ssl://", f"ssl://{HOST}:46", f"ssl://{HOST}:465"):
        flow.type(ServerField.HOST, text)
        assert flow.state.host.text == text
    assert flow.draft.connection.endpoint == Endpoint(HOST, 465, Security.TLS)
    flow.type(ServerField.HOST, "Mail.Example.com")
    assert flow.checked(ServerField.HOST) == ""
    assert flow.state.host.text == "Mail.Example.com", "what says nothing more stays as it was typed"


async def test_no_user_name_means_no_sign_in_where_nothing_says_otherwise(tmp_path: Path) -> None:
    flow = at_host(tmp_path, FarHost())
    assert flow.state.username.hint == "usually your address"
    flow.type(ServerField.USERNAME, " ")
    assert flow.state.username.hint == "empty: no sign-in"
    leads = await flow.act(ServerOffer.USE)
    assert isinstance(leads, Next)
    assert (leads.draft.connection.auth, leads.draft.connection.username) == (Auth.NONE, "")


async def test_another_sender_is_kept_and_the_own_address_is_none(tmp_path: Path) -> None:
    flow = at_host(tmp_path, FarHost())
    flow.type(ServerField.SENDER, "office@firma.example")
    assert flow.draft.identity.sender == Address("office", "firma.example")
    flow.type(ServerField.SENDER, str(ANA))
    assert flow.draft.identity.sender is None


# --- questions in the midst ---


def found(by_hand: bool = True) -> Draft:
    provider = catalog().get("custom")
    assert provider is not None
    draft = with_candidate(Draft().with_address(ANA), catalog(), FOREIGN).with_path(provider.paths[0])
    return replace(draft, by_hand=by_hand)


async def test_a_server_of_a_foreign_domain_is_shown_as_that_and_confirmed_before_a_password(tmp_path: Path) -> None:
    flow = flow_of(make_services(tmp_path, FarHost()), found())
    assert await flow.act(ServerOffer.USE) is None
    assert asked(flow) is ServerQuestion.SERVER
    assert offered(flow.state) == [ServerOffer.NO, ServerOffer.YES], "the careful answer first"
    said = card_words(flow.state)
    for fact in ("smtp.other.example, port 465", "belongs to other.example, not to firma.example", "DNS (SRV)"):
        assert fact in said
    assert await flow.act(ServerOffer.NO) is None
    assert asked(flow) is None
    assert flow.draft.confirmed_host == ""
    await flow.act(ServerOffer.USE)
    leads = await flow.act(ServerOffer.YES)
    assert isinstance(leads, Next)
    assert leads.draft.confirmed_host == "smtp.other.example"


async def test_an_unencrypted_password_needs_a_yes_for_this_server(tmp_path: Path) -> None:
    flow = at_host(tmp_path, FarHost())
    flow.choose(Security.NONE)
    assert await flow.act(ServerOffer.USE) is None
    assert asked(flow) is ServerQuestion.CLEARTEXT
    assert "everybody between this computer and mail.example.com:25" in card_words(flow.state)
    await flow.act(ServerOffer.NO)
    assert flow.state.cursor is ServerField.SECURITY
    await flow.act(ServerOffer.USE)
    leads = await flow.act(ServerOffer.YES)
    assert isinstance(leads, Next)
    assert leads.draft.connection.allow_cleartext


async def test_a_foreign_server_without_encryption_is_asked_about_twice(tmp_path: Path) -> None:
    flow = flow_of(make_services(tmp_path, FarHost()), found())
    flow.choose(Security.NONE)
    await flow.act(ServerOffer.USE)
    assert asked(flow) is ServerQuestion.SERVER
    assert await flow.act(ServerOffer.YES) is None
    assert asked(flow) is ServerQuestion.CLEARTEXT
    assert isinstance(await flow.act(ServerOffer.YES), Next)


async def test_typing_answers_no_question(tmp_path: Path) -> None:
    flow = at_host(tmp_path, FarHost())
    flow.choose(Security.NONE)
    await flow.act(ServerOffer.USE)
    flow.type(ServerField.PORT, "26")
    assert asked(flow) is None
    assert await flow.act(ServerOffer.YES) is None, "there is no question"


# --- what was found for the address ---


async def test_a_server_of_the_own_domain_is_a_guess_and_not_yet_confirmed(tmp_path: Path) -> None:
    own = replace(FOREIGN, endpoint=Endpoint("mail.firma.example", 587, Security.STARTTLS), source=FoundBy.GUESS)
    probed: list[bool] = []
    services = make_services(tmp_path, FarHost())
    flow = flow_of(services, replace(BY_HAND, candidates=(FOREIGN, own)))
    assert (flow.state.host.text, flow.state.port.text) == ("mail.firma.example", "587")
    assert flow.state.host.hint == "a guess from your address"
    assert flow.draft.confirmed_host == "", "nobody has gone on with it"
    assert server_trust(flow.draft, catalog()) is ServerTrust.OWN
    leads = await flow.act(ServerOffer.USE)
    assert isinstance(leads, Next)
    assert leads.draft.confirmed_host == "mail.firma.example"
    assert not probed


async def test_a_server_of_somebody_else_is_never_filled_in_as_a_guess(tmp_path: Path) -> None:
    """Else Enter would confirm, as if it had been typed, what the question about it would have named as foreign."""
    flow = flow_of(make_services(tmp_path), replace(BY_HAND, candidates=(FOREIGN,)))
    assert flow.state.host.text == ""


# --- trying it ---


async def test_the_one_port_that_stands_there_is_tried_stage_by_stage(tmp_path: Path) -> None:
    flow = at_host(tmp_path, FarHost({587: GOOD[587]}))
    flow.choose(Security.STARTTLS)
    seen: list[str] = []
    flow.changed = lambda state: seen.append(card_words(state) if state.card else "")
    await flow.act(ServerOffer.TEST)
    assert any("✓ Reach port" in each and "Esc stops" in each for each in seen)
    assert flow.state.card is not None
    assert flow.state.card.title == "It answers"
    assert "Server and port are right. The password comes next." in flow.state.card.lines
    assert any("EHLO" in line for line in flow.state.details)
    assert offered(flow.state)[0] is ServerOffer.USE


async def test_a_wrong_security_is_one_key(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    check = mendable(Endpoint(HOST, 465, Security.STARTTLS))
    monkeypatch.setattr(Checks, "check_draft", lambda _, *arguments, **options: check(*arguments, **options))
    flow = at_host(tmp_path, FarHost())
    await flow.act(ServerOffer.TEST)
    fix = flow.state.offers[0]
    assert (fix.id, fix.verb) == (ServerOffer.FIX, "Use port 465 with STARTTLS")
    assert "You: Choose SSL/TLS." in card_words(flow.state)
    assert flow.state.details[0].startswith("✗ Greeting"), "F4 shows where it failed"
    assert "1. Choose SSL/TLS." in flow.state.details, "and all that helps"
    await flow.act(ServerOffer.FIX)
    assert flow.state.security is Security.STARTTLS
    assert offered(flow.state)[0] is ServerOffer.USE


async def test_ones_own_port_that_serves_is_kept(tmp_path: Path) -> None:
    flow = at_host(tmp_path, FarHost(GOOD))
    flow.choose(Security.STARTTLS)
    await flow.act(ServerOffer.PORTS)
    assert (flow.state.port.text, flow.state.security) == ("587", Security.STARTTLS)
    assert flow.state.card is not None
    assert flow.state.card.lines[0].startswith("✓ 587  STARTTLS")
    flow.type(ServerField.PORT, "4000")
    await flow.act(ServerOffer.PORTS)
    assert flow.state.port.text == "465", "the best, where one's own serves nothing"


async def test_where_none_serves_it_can_be_used_all_the_same(tmp_path: Path) -> None:
    flow = at_host(tmp_path, FarHost(dict.fromkeys((465, 587, 2525, 25), REFUSING)))
    await flow.act(ServerOffer.PORTS)
    assert flow.state.card is not None
    assert flow.state.card.mood is Mood.FAILED
    assert "✗ 465  refuses connections" in flow.state.card.lines
    verbs = {each.id: each.verb for each in flow.state.offers}
    assert offered(flow.state) == [ServerOffer.PORTS, ServerOffer.USE, ServerOffer.NETWORK]
    assert verbs[ServerOffer.USE] == "Use it all the same"
    assert verbs[ServerOffer.NETWORK] == "Find out whether this network blocks ports 587 and 25"
    assert isinstance(await flow.act(ServerOffer.USE), Next)


class Held(FarHost):
    """One port does not answer before it may."""

    def __init__(self, ports: dict[int, Any]) -> None:
        super().__init__(ports)
        self.free = asyncio.Event()

    async def connect(self, peers: Sequence[Peer]) -> FarStream:
        if peers[0].port == 25:
            await self.free.wait()
        return await super().connect(peers)


async def _while_trying(flow: ServerFlow, row: str) -> asyncio.Task[object]:
    task: asyncio.Task[object] = asyncio.ensure_future(flow.act(ServerOffer.PORTS))
    await until(lambda: flow.state.card is not None and row in card_words(flow.state), lambda: repr(flow.state))
    return task


async def test_the_best_so_far_is_taken_before_all_have_answered(tmp_path: Path) -> None:
    flow = at_host(tmp_path, Held(GOOD | {465: REFUSING}))
    task = await _while_trying(flow, "✓ 587")
    assert "waiting for port 25" in card_words(flow.state)
    assert offered(flow.state) == [ServerOffer.TAKE, ServerOffer.STOP]
    await flow.act(ServerOffer.TAKE)
    await task
    assert (flow.state.port.text, flow.state.security) == ("587", Security.STARTTLS)
    assert offered(flow.state)[0] is ServerOffer.USE


@pytest.mark.parametrize("how", ["stop", "cancel"])
async def test_a_stopped_or_cancelled_trial_leaves_all_as_it_was_and_what_was_typed(tmp_path: Path, how: str) -> None:
    wire = Held(GOOD)
    flow = at_host(tmp_path, wire)
    await flow.act(ServerOffer.TEST)
    before = flow.state
    task = await _while_trying(flow, "✓ 587")
    flow.type(ServerField.USERNAME, "typed meanwhile")
    if how == "stop":
        await flow.act(ServerOffer.STOP)
        await task
    else:
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
    assert flow.state == replace(before, username=flow.state.username)
    assert flow.state.username.text == "typed meanwhile"
    await until(lambda: all(stream.closed for stream in wire.streams), lambda: "a connection is left open")


async def test_another_host_typed_meanwhile_keeps_its_port(tmp_path: Path) -> None:
    wire = Held(GOOD)
    flow = at_host(tmp_path, wire)
    task = await _while_trying(flow, "✓ 465")
    flow.type(ServerField.HOST, "other.example.com")
    flow.type(ServerField.PORT, "4650")
    wire.free.set()
    await task
    assert (flow.state.port.text, flow.state.card) == ("4650", WHERE_TO_FIND)


async def test_what_was_said_of_a_server_goes_away_with_its_name(tmp_path: Path) -> None:
    flow = at_host(tmp_path, FarHost({587: REFUSING}))
    flow.choose(Security.STARTTLS)
    await flow.act(ServerOffer.TEST)
    assert ServerOffer.NETWORK in offered(flow.state)
    flow.type(ServerField.HOST, "other.example.com")
    assert flow.state.card == WHERE_TO_FIND
    assert ServerOffer.NETWORK not in offered(flow.state)
    assert await flow.act(ServerOffer.NETWORK) is None
    assert asked(flow) is None


# --- does the network block it? ---


async def test_nobody_is_asked_about_the_network_before_a_yes_and_the_host_is_named(tmp_path: Path) -> None:
    wire = FarHost({587: REFUSING, 465: GOOD[465]})
    flow = at_host(tmp_path, wire)
    flow.choose(Security.STARTTLS)
    await flow.act(ServerOffer.TEST)
    await flow.act(ServerOffer.NETWORK)
    assert asked(flow) is ServerQuestion.NETWORK
    assert f"blocks port 587, {NEUTRAL}, a well-known mail server" in card_words(flow.state)
    await flow.act(ServerOffer.NO)
    assert NEUTRAL not in wire.asked
    await flow.act(ServerOffer.NETWORK)
    await flow.act(ServerOffer.YES)
    assert NEUTRAL in wire.asked
    assert flow.state.card is not None
    assert flow.state.card.title == "This network blocks port 587"
    assert "Who must act: Whoever runs the network" in card_words(flow.state)
    fix = flow.state.offers[0]
    assert (fix.id, fix.verb) == (ServerOffer.FIX, "Use port 465 with SSL/TLS"), "the port that serves is one key"


# --- services that fail ---

Failing = Callable[..., Awaitable[Any]]


def failing(problem: Exception) -> Failing:
    async def fail(*_: object, **__: object) -> object:
        raise problem

    return fail


PROBLEMS: tuple[Exception, ...] = (
    InputError(phrase("The outgoing server is not known yet.")),
    SandboxError(phrase("The practice server cannot run.")),
    DataError(phrase("data/control_hosts.yaml: must be 1")),
    AccountsError(phrase("The accounts cannot be read.")),
)


@pytest.mark.parametrize("problem", PROBLEMS, ids=lambda each: type(each).__name__)
@pytest.mark.parametrize("offer", [ServerOffer.TEST, ServerOffer.PORTS, ServerOffer.NETWORK])
async def test_whatever_a_service_says_for_a_person_to_read_is_a_state(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, offer: ServerOffer, problem: Exception
) -> None:
    flow = at_host(tmp_path, FarHost({587: REFUSING}))
    flow.choose(Security.STARTTLS)
    if offer is ServerOffer.NETWORK:
        await flow.act(ServerOffer.TEST)
        await flow.act(offer)
        offer = ServerOffer.YES
    monkeypatch.setattr(Checks, "check_draft", failing(problem))
    monkeypatch.setattr(Scans, "probe", failing(problem))
    monkeypatch.setattr(Scans, "ask_neutral", failing(problem))
    assert await flow.act(offer) is None
    assert str(problem) in card_words(flow.state)
    assert not flow.state.running
    assert ServerOffer.USE in offered(flow.state)


async def test_whom_to_ask_about_the_network_may_be_unknown(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def unread() -> object:
        raise DataError(phrase("data/control_hosts.yaml: must be 1"))

    monkeypatch.setattr("smtp_wizard.engine.scan.control_host.load_control_hosts", unread)
    flow = at_host(tmp_path, FarHost({587: SWALLOWING, 465: REFUSING}))
    await flow.act(ServerOffer.TEST)
    assert ServerOffer.NETWORK not in offered(flow.state)
    assert flow.state.card is not None


async def test_a_fault_of_our_own_ends_the_running(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    flow = at_host(tmp_path, FarHost())
    monkeypatch.setattr(Scans, "probe", failing(RuntimeError("a fault of our own")))
    with pytest.raises(RuntimeError):
        await flow.act(ServerOffer.PORTS)
    assert not flow.state.running
