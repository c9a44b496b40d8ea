"""A server of a foreign domain that was found, on both faces of the wizard: shown as that, and confirmed first."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from smtp_wizard.app import HOME
from smtp_wizard.engine.base.address import Address
from smtp_wizard.engine.base.connection import Family
from smtp_wizard.engine.base.endpoint import Endpoint, Security
from smtp_wizard.engine.base.secret import Secret
from smtp_wizard.engine.base.shown import shown
from smtp_wizard.engine.discovery.candidate import Candidate, FoundBy
from smtp_wizard.engine.guides.guides import Guides
from smtp_wizard.engine.scan.ports import ScanRequest
from smtp_wizard.engine.scan.results import ScanResult
from smtp_wizard.engine.secrets.store_kinds import StoreKind
from smtp_wizard.engine.services.scans import Scans
from smtp_wizard.engine.services.services import Services
from smtp_wizard.engine.smtp.symptom import Fault
from smtp_wizard.engine.smtp.transport import Peer, SocketWire, Stream
from smtp_wizard.engine.smtp.wire_error import WireError
from smtp_wizard.engine.wizard.account_draft import draft_of
from smtp_wizard.engine.wizard.draft import Draft, Origin, with_candidate
from smtp_wizard.engine.wizard.draft_file import DraftFile
from smtp_wizard.engine.wizard.steps import StepId, step
from smtp_wizard.flows.provider import ProviderOffer
from smtp_wizard.plain.wizard import PlainWizard
from smtp_wizard.screens.panel import QuestionPanel
from smtp_wizard.screens.resume import ResumeScreen
from smtp_wizard.widgets.fields import SecretInput
from tests.support.dialogue import Dialogue, Exchange
from tests.support.discovering import Answer, answering
from tests.support.nouns import with_fields
from tests.support.redirect import RedirectWire, playing, tls_ports
from tests.support.walk import Walk, catalog, in_one_line, make_services, walking

PASSWORD = "abcd efgh ijkl mnop"
"""The practice password: the practice server takes no other."""
ANA = Address("ana", "victim.example")
FOREIGN = Candidate(
    endpoint=Endpoint("smtp.other.example", 465, Security.TLS),
    username=str(ANA),
    source=FoundBy.SRV,
    trust=0.6,
    verified=True,
    note="this server belongs to other.example, not to victim.example: please make sure",
)
OWN = replace(FOREIGN, endpoint=Endpoint("mail.victim.example", 465, Security.TLS), trust=0.5, note="")
WHOSE = "This server belongs to other.example, not to victim.example."
QUESTION = f"{WHOSE} Whoever runs it gets your password. Is it your provider's server?"


@pytest.fixture
def found(monkeypatch: pytest.MonkeyPatch) -> Answer:
    """A server of a foreign domain is found, and one of the own."""
    answer = answering(monkeypatch)
    note = "from: the domain's DNS (SRV)"
    answer.found |= {"candidates": (FOREIGN, OWN), "source": FoundBy.SRV, "note": note, "problem": None}
    return answer


def left() -> Draft:
    """A draft with the server that was found, and nothing said about it."""
    provider = catalog().get("custom")
    assert provider is not None
    return with_candidate(Draft().with_address(ANA), catalog(), FOREIGN).with_path(provider.paths[0])


@dataclass(frozen=True)
class At:
    """The screens, over mail servers of any name that take every password."""

    walk: Walk
    wire: RedirectWire


@asynccontextmanager
async def screens(folder: Path, draft: Draft | None = None, *, start: str = "setup") -> AsyncIterator[At]:
    """Open the screens."""
    async with playing(folder / "practice", "accept") as servers:
        wire = RedirectWire(servers["accept"], tls_ports(catalog()))
        async with walking(make_services(folder, wire), draft=draft, start=start) as walk:
            yield At(walk, wire)


async def to_provider(walk: Walk, address: str = str(ANA)) -> None:
    await walk.at("address")
    await walk.fill("#address", address)
    await walk.press("enter")
    await walk.at("provider")


async def asked(walk: Walk, whose: str = WHOSE) -> None:
    """Whose server it is stands there, and that it gets the password."""
    await walk.until(lambda: isinstance(walk.app.screen, QuestionPanel), "the question")
    await walk.settle()
    said = in_one_line(walk.shown.replace("|", " ").replace("│", " "))
    for words in (whose, "Whoever runs it gets your password.", "Is it your provider's server?"):
        assert words in said, walk.shown


async def asked_at_provider(walk: Walk, words: str = WHOSE) -> None:
    """The step of the provider asks itself, with 'no' as what Enter takes."""
    await walk.until_reads("Is it your provider's server?")
    assert words in in_one_line(walk.shown.replace("│", " ")), walk.shown


# --- the screens ---


async def test_it_is_shown_with_whose_it_is_and_a_no_leads_nowhere(tmp_path: Path, found: Answer) -> None:
    async with screens(tmp_path) as at:
        walk = at.walk
        await to_provider(walk)
        await walk.until_reads("this server belongs to other.example, not to victim.example")
        for no in ("enter", "escape"):
            await walk.press("enter")
            await asked_at_provider(walk)
            await walk.press(no)
            await walk.at("provider")
        assert walk.draft.confirmed_host == ""


async def test_after_a_yes_the_password_goes_there_and_not_before(tmp_path: Path, found: Answer) -> None:
    async with screens(tmp_path) as at:
        walk = at.walk
        await to_provider(walk)
        await walk.press("enter")
        await asked_at_provider(walk)
        await walk.press("down", "enter")
        await walk.at("signin")
        await walk.press("enter")
        await walk.at("connect")
        assert walk.draft.connection.endpoint == FOREIGN.endpoint
        await walk.write(PASSWORD)
        await walk.press("enter")
        await walk.until_reads("Enter Send a test")


async def test_a_server_of_the_own_domain_is_not_asked_about(tmp_path: Path, found: Answer) -> None:
    async with screens(tmp_path) as at:
        walk = at.walk
        await to_provider(walk)
        await walk.press("down", "enter")
        await walk.at("signin")
        assert walk.draft.connection.endpoint == OWN.endpoint


async def test_the_row_that_is_taken_is_the_server_that_is_used(tmp_path: Path, found: Answer) -> None:
    """Another one was chosen before: the first row stands for the first server all the same."""
    async with screens(tmp_path) as at:
        walk = at.walk
        await to_provider(walk)
        await walk.press("down", "enter")
        await walk.at("signin")
        await walk.press("escape")
        await walk.at("provider")
        await walk.take_offer(ProviderOffer.FIRST_SERVER)
        await asked_at_provider(walk)
        await walk.press("down", "enter")
        await walk.at("signin")
        assert walk.draft.connection.endpoint == FOREIGN.endpoint


async def test_the_server_step_asks_too_unless_another_server_is_typed(tmp_path: Path, found: Answer) -> None:
    async with screens(tmp_path) as at:
        walk = at.walk
        await to_provider(walk)
        await walk.press("f9")
        await walk.at("signin")
        await walk.press("enter")
        await walk.at("server")
        await walk.press("enter")
        await asked(walk)
        await walk.press("enter")
        await walk.at("server")
        await walk.fill("#host", "smtp.typed.example")
        await walk.take("Use this server")
        await walk.at("connect")
        assert walk.draft.confirmed_host == "smtp.typed.example"


async def test_to_choose_the_server_by_hand_is_no_yes_to_what_stands_there(tmp_path: Path, found: Answer) -> None:
    async with screens(tmp_path) as at:
        walk = at.walk
        await to_provider(walk)
        await walk.take_offer(ProviderOffer.OTHER)
        await walk.until_reads("Find your provider")
        await walk.write("no such provider")
        await walk.press("f9")
        await walk.at("signin")
        await walk.press("enter")
        await walk.at("server")
        assert walk.draft.origin is Origin.HAND
        await walk.press("enter")
        await asked(walk)
        await walk.press("down", "enter")
        await walk.at("connect")


async def test_another_address_needs_another_yes(tmp_path: Path, found: Answer) -> None:
    async with screens(tmp_path) as at:
        walk = at.walk
        await to_provider(walk)
        await walk.press("enter")
        await asked_at_provider(walk)
        await walk.press("down", "enter")
        await walk.at("signin")
        await walk.press("escape")
        await walk.at("provider")
        await walk.press("enter")
        await walk.at("signin")  # what was said holds
        await walk.press("escape")
        await walk.at("provider")
        await walk.press("escape")
        await to_provider(walk, "ana@third.example")
        await walk.press("enter")
        await asked_at_provider(walk, "This server belongs to other.example, not to third.example.")


async def test_a_draft_that_was_left_is_asked_about_before_it_goes_on(tmp_path: Path) -> None:
    DraftFile(tmp_path).save(left(), step(StepId.CONNECT))
    async with screens(tmp_path) as at:
        walk = at.walk
        await walk.at_screen(ResumeScreen)
        await walk.until_reads("'Provider'")
        await walk.press("enter")
        await walk.at("provider")
        await walk.until_reads(WHOSE)
        await walk.press("enter")
        await asked_at_provider(walk)
        await walk.press("down", "enter")
        await walk.at("signin")


async def test_a_draft_that_was_left_after_a_yes_goes_on_where_it_stood(tmp_path: Path) -> None:
    DraftFile(tmp_path).save(left().confirmed(), step(StepId.CONNECT))
    async with screens(tmp_path) as at:
        await at.walk.at_screen(ResumeScreen)
        await at.walk.press("enter")
        await at.walk.at("connect")


async def test_a_draft_from_the_command_line_is_asked_about(tmp_path: Path) -> None:
    async with screens(tmp_path, replace(left(), secret=Secret(PASSWORD))) as at:
        await at.walk.at("provider")
        await at.walk.until_reads(WHOSE)


async def test_a_saved_account_is_not_asked_about_until_its_address_is_another(tmp_path: Path, found: Answer) -> None:
    account = replace(left().confirmed(), secret=Secret(PASSWORD), name="Office", store=StoreKind.SESSION)
    services = make_services(tmp_path)
    saved = await services.accounts.save(account)
    async with screens(tmp_path, draft_of(saved, None, services.catalog)) as at:
        walk = at.walk
        await walk.at("server")
        await walk.press("enter")
        await walk.at("connect")
        await walk.press("escape")
        await walk.at("server")
        walk.app.walk(walk.draft, step(StepId.ADDRESS))
        await walk.at("address")
        await to_provider(walk, "ana@third.example")
        await walk.press("enter")
        await asked_at_provider(walk, "This server belongs to other.example, not to third.example.")


async def test_the_field_for_the_password_is_nowhere_before_the_yes(tmp_path: Path) -> None:
    """Whatever step a draft asks for: no screen with a field for a password is shown."""
    async with screens(tmp_path, start=HOME) as at:
        walk = at.walk
        for wanted in ("connect", "testmail", "review"):
            walk.app.walk(left(), step(StepId(wanted)))
            await walk.at("provider")
            assert not walk.app.screen.query(SecretInput)


async def test_what_stood_before_ones_eyes_is_ones_own_word(tmp_path: Path) -> None:
    """Continue at the server step says yes to a server of the own domain: it is followed anywhere from then on."""
    draft = with_fields(left(), endpoint=OWN.endpoint, by_hand=True)
    async with screens(tmp_path, draft) as at:
        await at.walk.at("connect")
        assert at.walk.draft.confirmed_host == ""
        await at.walk.press("escape")
        await at.walk.at("server")
        await at.walk.press("enter")
        await at.walk.at("connect")
        assert at.walk.draft.confirmed_host == OWN.endpoint.host


async def test_a_server_that_leads_inside_is_looked_at_after_a_yes(tmp_path: Path, found: Answer) -> None:
    """Before, it is left alone, also by the check that runs while the person reads; then its own answer counts."""
    wire = LedHere()
    async with walking(make_services(tmp_path, wire)) as walk:
        await to_provider(walk)
        await walk.press("enter")
        await asked_at_provider(walk)
        assert wire.connected == 0
        await walk.press("down", "enter")
        await walk.at("signin")
        await walk.press("enter")
        await walk.at("connect")
        await walk.until(lambda: wire.connected, "the server to be looked at")
        await walk.until_reads("checks passed")
        assert not walk.reads("was not followed")


class LedHere(SocketWire):
    """Leads every name to this computer, where nobody listens."""

    def __init__(self) -> None:
        super().__init__()
        self.connected = 0

    async def resolve(self, host: str, port: int, family: Family | None) -> Sequence[Peer]:
        return [Peer("127.0.0.1", port, Family.IPV4)]

    async def connect(self, peers: Sequence[Peer]) -> Stream:
        self.connected += 1
        raise WireError(Fault.REFUSED, shown("Connection refused"))


@pytest.fixture
def probed(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, bool]]:
    """Whose ports were tried, and whether as those of a server that a stranger named; nobody answers."""
    hosts: list[tuple[str, bool]] = []

    async def probe(scans: Scans, host: str, emit: object, *, found: bool = False, **_: object) -> ScanResult:
        hosts.append((host, found))
        return ScanResult(ScanRequest(host=host, endpoints=()))

    monkeypatch.setattr(Scans, "probe", probe)
    return hosts


async def test_the_usual_ports_are_tried_as_those_of_a_strangers_server(
    tmp_path: Path, probed: list[tuple[str, bool]]
) -> None:
    async with screens(tmp_path, replace(left(), by_hand=True)) as at:
        walk = at.walk
        await walk.at("server")
        await walk.take("Try the usual ports")
        await walk.until(lambda: probed, "the ports to be tried")
        await walk.settle()
        await walk.fill("#host", "smtp.typed.example")
        await walk.press("enter")
        await walk.until(lambda: len(probed) > 1, "the ports to be tried again")
    assert probed == [("smtp.other.example", True), ("smtp.typed.example", False)]


# --- in lines of text ---


@pytest.fixture
def services(tmp_path: Path) -> Services:
    return make_services(tmp_path)


Lines = Callable[..., Draft]


@pytest.fixture
def lines(services: Services) -> Lines:
    """Walk by a script that ends with 'quit' somewhere in the middle; return the draft as it is then."""

    def walked(*script: Exchange, draft: Draft | None = None) -> Draft:
        dialogue = Dialogue(*script, ("", "quit"), ("Leave now?", "yes"))
        wizard = PlainWizard(services, Guides(), dialogue)
        assert wizard.run(start="setup", draft=draft) == 0
        dialogue.over()
        return wizard.draft

    return walked


EMAIL: Exchange = ("E-mail address:", str(ANA))
ASKED = "named by the domain's DNS (SRV). This server belongs to other.example, not to victim.example. Whoever runs it"
FIRST: Exchange = ("this server belongs to other.example, not to victim.example", "1")
SIGN_IN: tuple[Exchange, ...] = (("Does your mail server ask for a password?", ""),)


def test_in_lines_too_a_no_leads_back_to_the_servers(lines: Lines, found: Answer) -> None:
    draft = lines(EMAIL, FIRST, (ASKED, "no"), ("1. smtp.other.example", "1"), (ASKED, "back"), ("1. smtp", "2"))
    assert (draft.connection.endpoint, draft.confirmed_host) == (OWN.endpoint, "")


def test_in_lines_too_a_yes_goes_on(lines: Lines, found: Answer) -> None:
    draft = lines(EMAIL, FIRST, (ASKED, "yes"))
    assert (draft.connection.endpoint, draft.confirmed_host) == (FOREIGN.endpoint, FOREIGN.endpoint.host)


def by_hand(host: str) -> tuple[Exchange, ...]:
    return (
        *(("Outgoing server", host), ("Secure connection", ""), ("Port", ""), ("User name", ""), ("From address", "")),
        ("Use this server", "on"),
    )


def test_in_lines_too_the_server_step_asks_unless_another_server_is_typed(lines: Lines, found: Answer) -> None:
    draft = lines(
        *(EMAIL, ("1. smtp.other.example", "hand"), *SIGN_IN),
        *(*by_hand(""), (QUESTION, "no"), *by_hand("smtp.typed.example")),
    )
    assert draft.confirmed_host == "smtp.typed.example"


def test_in_lines_too_the_server_step_goes_back_from_its_question(lines: Lines, found: Answer) -> None:
    draft = lines(
        *(EMAIL, ("1. smtp.other.example", "hand"), *SIGN_IN),
        *(*by_hand(""), (QUESTION, "back"), ("Use this server", "on"), (QUESTION, "yes"), ("not shown", "back")),
        ("Use this server", "back"),
    )
    assert draft.confirmed_host == FOREIGN.endpoint.host


def test_in_lines_too_a_draft_that_was_left_is_asked_about(lines: Lines, services: Services) -> None:
    DraftFile(services.folder).save(left(), step(StepId.CONNECT))
    draft = lines(("stopped at the step 'Provider'.", "on"), ("1. Use smtp.other.example", "1"), (ASKED, "yes"))
    assert draft.confirmed_host == FOREIGN.endpoint.host


def test_in_lines_too_what_stood_before_ones_eyes_is_ones_own_word(lines: Lines) -> None:
    draft = with_fields(left(), endpoint=OWN.endpoint, by_hand=True)
    done = lines(("not shown", "back"), ("Use this server", "on"), draft=draft)
    assert done.confirmed_host == OWN.endpoint.host


def test_in_lines_too_a_draft_from_the_command_line_is_asked_about(lines: Lines) -> None:
    draft = replace(left(), secret=Secret(PASSWORD))
    assert (
        lines(("1. Use smtp.other.example", "1"), (ASKED, "yes"), draft=draft).confirmed_host == FOREIGN.endpoint.host
    )


def test_in_lines_too_the_ports_are_tried_as_those_of_a_strangers_server(
    lines: Lines, probed: list[tuple[str, bool]]
) -> None:
    begun = replace(left(), by_hand=True)
    lines(*by_hand("")[:-1], ("Try the usual ports", "ports"), draft=begun)
    lines(*by_hand("smtp.typed.example")[:-1], ("Try the usual ports", "ports"), draft=begun)
    assert probed == [("smtp.other.example", True), ("smtp.typed.example", False)]


def test_in_lines_too_another_address_needs_another_yes(lines: Lines, found: Answer) -> None:
    draft = lines(
        *(EMAIL, FIRST, (ASKED, "yes"), ("2.", "back"), ("1. smtp", "back")),
        *(("E-mail address", "ana@third.example"), ("1. smtp", "1")),
        ("This server belongs to other.example, not to third.example.", "no"),
    )
    assert draft.confirmed_host == ""
