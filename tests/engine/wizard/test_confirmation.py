"""Whether a server is confirmed before a secret goes there: one answer, that every face asks for."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from smtp_wizard.engine.base.address import Address
from smtp_wizard.engine.base.connection import Auth, Family
from smtp_wizard.engine.base.endpoint import Endpoint, Security
from smtp_wizard.engine.base.secret import Secret
from smtp_wizard.engine.base.stages import Depth
from smtp_wizard.engine.checks.events import Line
from smtp_wizard.engine.discovery.candidate import TRUST, Candidate, FoundBy
from smtp_wizard.engine.discovery.search import DiscoveryResult
from smtp_wizard.engine.providers.catalog import Catalog, load_catalog
from smtp_wizard.engine.providers.provider import Provider
from smtp_wizard.engine.smtp.transport import Peer, SocketWire, Stream
from smtp_wizard.engine.wizard.account_draft import draft_of
from smtp_wizard.engine.wizard.draft import Draft, Origin, with_candidate, with_choice, with_found
from smtp_wizard.engine.wizard.draft_file import FILE_NAME, DraftFile
from smtp_wizard.engine.wizard.steps import STEPS, StepId, step
from smtp_wizard.engine.wizard.trusted_servers import (
    ServerTrust,
    Unconfirmed,
    doubt_about,
    server_trust,
    step_before_confirmation,
)
from tests.support.misbehaving import MisbehavingServer, Send
from tests.support.nouns import with_fields
from tests.support.walk import make_services, until

ANA = Address("ana", "victim.example")
FOREIGN = Endpoint("smtp.other.example", 465, Security.TLS)
OWN = Endpoint("smtp.victim.example", 465, Security.TLS)
CATALOG = load_catalog()


def candidate(endpoint: Endpoint = FOREIGN, source: FoundBy = FoundBy.SRV, *, published: bool = False) -> Candidate:
    return Candidate(
        endpoint=endpoint, username=str(ANA), source=source, trust=TRUST[source], published=published, verified=True
    )


def found(*candidates: Candidate, address: Address = ANA) -> Draft:
    """What an address comes to where these servers are found."""
    what = DiscoveryResult(
        provider=None, source=FoundBy.SRV, note="from: the domain's DNS (SRV)", candidates=candidates
    )
    return with_found(Draft().with_address(address), what, CATALOG)


def provider(provider_id: str) -> Provider:
    known = CATALOG.get(provider_id)
    assert known is not None
    return known


# --- what speaks for a server ---


def test_without_a_server_there_is_nothing_to_confirm() -> None:
    assert server_trust(Draft(address=ANA), CATALOG) is None
    assert doubt_about(Draft(address=ANA), CATALOG) is None


@pytest.mark.parametrize("source", [each for each in TRUST if each is not FoundBy.CATALOG])
def test_a_server_of_a_foreign_domain_is_confirmed_by_nobody(source: FoundBy) -> None:
    draft = found(candidate(source=source))
    assert server_trust(draft, CATALOG) is ServerTrust.UNKNOWN
    doubt = doubt_about(draft, CATALOG)
    assert doubt is not None
    assert doubt.whose == "this server belongs to other.example, not to victim.example"
    assert doubt.endpoint == FOREIGN
    assert doubt.domain == "victim.example"


@pytest.mark.parametrize(
    ("host", "domain", "own"),
    [
        ("smtp.victim.example", "victim.example", True),
        ("smtp.victim.example", "mail.victim.example", True),
        ("smtp.xn--bcher-kva.de", "bücher.de", True),
        ("victim.example.evil.test", "victim.example", False),
        ("smtp.b.github.io", "a.github.io", False),
        ("xn--vctim-pza.com", "victim.com", False),
        ("192.0.2.4", "victim.example", False),
    ],
)
def test_a_name_of_the_own_domain_confirms_a_server(host: str, domain: str, own: bool) -> None:
    draft = found(candidate(Endpoint(host, 465, Security.TLS)), address=Address("ana", domain))
    assert server_trust(draft, CATALOG) is (ServerTrust.OWN if own else ServerTrust.UNKNOWN)


def test_without_encryption_a_name_confirms_nothing() -> None:
    draft = found(candidate(Endpoint("smtp.victim.example", 25, Security.NONE)))
    doubt = doubt_about(draft, CATALOG)
    assert doubt is not None
    assert doubt.whose == "it is not encrypted, so nothing proves that it belongs to victim.example"


def test_what_stands_in_the_catalogue_is_confirmed_whatever_led_to_it() -> None:
    gmail = provider("gmail")
    for origin in (Origin.MX, Origin.FOUND, Origin.CHOSEN, Origin.ADDRESS):
        draft = Draft().with_address(ANA).with_provider(gmail, origin)
        assert server_trust(draft, CATALOG) is ServerTrust.LISTED


def test_another_server_beside_a_known_provider_is_not_in_the_catalogue() -> None:
    draft = with_fields(Draft().with_address(ANA).with_provider(provider("gmail"), Origin.MX), endpoint=FOREIGN)
    assert server_trust(draft, CATALOG) is ServerTrust.UNKNOWN


def test_another_providers_server_does_not_count_for_this_one() -> None:
    listed = provider("fastmail").best()
    assert listed is not None
    draft = with_fields(Draft().with_address(ANA).with_provider(provider("gmail"), Origin.MX), endpoint=listed)
    assert server_trust(draft, CATALOG) is ServerTrust.UNKNOWN


@pytest.mark.parametrize("change", [{"source": ""}, {"guess": True}])
def test_a_server_that_no_source_names_is_a_guess_of_ours(change: dict[str, Any]) -> None:
    gmail = provider("gmail")
    guessed = replace(gmail, endpoints=tuple(replace(each, **change) for each in gmail.endpoints))
    draft = Draft().with_address(ANA).with_provider(guessed, Origin.MX)
    assert server_trust(draft, Catalog([guessed], (), ())) is ServerTrust.UNKNOWN


def test_a_usual_name_below_the_domain_is_the_domains_own_and_not_the_catalogues() -> None:
    host = provider("own-web-host")
    draft = Draft().with_address(ANA).with_provider(host, Origin.CHOSEN)
    assert draft.connection.endpoint is not None
    assert draft.connection.endpoint.host == "mail.victim.example"
    assert server_trust(draft, CATALOG) is ServerTrust.OWN


def test_the_practice_server_needs_no_yes() -> None:
    practice = provider("sandbox")
    assert server_trust(Draft().with_address(ANA).with_provider(practice, Origin.CHOSEN), CATALOG) is ServerTrust.LISTED


# --- what the person says ---


def test_a_yes_holds_for_that_server_and_that_domain() -> None:
    draft = found(candidate(), candidate(OWN)).confirmed()
    assert server_trust(draft, CATALOG) is ServerTrust.NAMED
    other = Endpoint("smtp.third.example", 465, Security.TLS)
    assert server_trust(draft.with_endpoint(other), CATALOG) is ServerTrust.UNKNOWN
    assert server_trust(draft.with_endpoint(replace(FOREIGN, port=587)), CATALOG) is ServerTrust.NAMED
    moved = draft.with_address(Address("ana", "elsewhere.example"))
    assert server_trust(with_candidate(moved, CATALOG, candidate()), CATALOG) is ServerTrust.UNKNOWN
    same_domain = draft.with_address(Address("ben", "victim.example"))
    assert server_trust(same_domain, CATALOG) is ServerTrust.NAMED


def test_what_is_typed_is_the_persons_own_word_and_what_stands_there_already_is_not() -> None:
    draft = found(candidate())
    assert server_trust(draft.with_typed_endpoint(replace(FOREIGN, port=587)), CATALOG) is ServerTrust.UNKNOWN
    typed = draft.with_typed_endpoint(Endpoint("smtp.third.example", 465, Security.TLS))
    assert server_trust(typed, CATALOG) is ServerTrust.NAMED
    assert server_trust(Draft(address=ANA).with_typed_endpoint(FOREIGN), CATALOG) is ServerTrust.NAMED


def test_to_enter_the_server_by_hand_confirms_nothing_yet() -> None:
    """The server that was found stands in the field, and nobody has typed it."""
    draft = with_choice(found(candidate()), CATALOG, None)
    assert (draft.connection.endpoint, draft.origin, draft.by_hand) == (FOREIGN, Origin.HAND, True)
    assert server_trust(draft, CATALOG) is ServerTrust.UNKNOWN


def test_the_doubt_knows_who_names_the_server_that_was_chosen() -> None:
    first, second = candidate(), candidate(Endpoint("mx.third.example", 587, Security.STARTTLS), FoundBy.ISPDB)
    draft = with_candidate(found(first, second), CATALOG, replace(second, published=True))
    doubt = doubt_about(draft, CATALOG)
    assert doubt is not None
    assert doubt.source == "a public list (ISPDB)"
    assert draft.origin_note == "from: a public list (ISPDB)"
    later = doubt_about(replace(draft, candidates=()), CATALOG)
    assert later is not None
    assert (later.source, later.published) == ("a public list (ISPDB)", False)


# --- the steps ---


def test_no_step_of_the_password_comes_before_the_yes() -> None:
    draft = found(candidate())
    to = {each.id: step_before_confirmation(draft, each, CATALOG).id for each in STEPS}
    assert to == {each.id: "address" if each.id == "address" else "provider" for each in STEPS}
    by_hand = {each.id: step_before_confirmation(replace(draft, by_hand=True), each, CATALOG).id for each in STEPS}
    before = ("address", "provider", "signin", "server")
    assert by_hand == {each.id: each.id if each.id in before else "server" for each in STEPS}
    assert all(step_before_confirmation(draft.confirmed(), each, CATALOG) is each for each in STEPS)


def test_a_draft_that_was_left_keeps_the_yes_and_one_without_it_asks_again(tmp_path: Path) -> None:
    box = DraftFile(tmp_path)
    for draft, asked in ((found(candidate()), True), (found(candidate()).confirmed(), False)):
        assert box.save(draft, step(StepId.CONNECT))
        kept = box.load()
        assert kept is not None
        assert (doubt_about(kept.draft, CATALOG) is not None) is asked


def test_a_draft_of_an_older_version_has_no_yes_in_it(tmp_path: Path) -> None:
    box = DraftFile(tmp_path)
    assert box.save(found(candidate()).confirmed(), step(StepId.CONNECT))
    document = json.loads((tmp_path / FILE_NAME).read_bytes())
    del document["draft"]["confirmed_host"]
    (tmp_path / FILE_NAME).write_text(json.dumps(document))
    kept = box.load()
    assert kept is not None
    assert doubt_about(kept.draft, CATALOG) is not None


# --- the check itself ---


class Led(SocketWire):
    """Leads every name to one server of this computer, under an address that it is said to have."""

    def __init__(self, port: int, address: str = "192.0.2.1") -> None:
        super().__init__()
        self.port = port
        self.address = address
        self.asked: list[str] = []

    async def resolve(self, host: str, port: int, family: Family | None) -> Sequence[Peer]:
        self.asked.append(host)
        return [Peer(self.address, port, Family.IPV4)]

    async def connect(self, peers: Sequence[Peer]) -> Stream:
        return await super().connect([Peer("127.0.0.1", self.port, Family.IPV4)])


def with_password(draft: Draft) -> Draft:
    return replace(draft, secret=Secret("correct horse"), test_to=Address("ben", "elsewhere.example"))


@pytest.mark.parametrize("depth", [Depth.LOGIN, Depth.SEND])
@pytest.mark.parametrize("auth", [Auth.PASSWORD, Auth.XOAUTH2])
async def test_no_check_that_signs_in_begins_before_the_yes(tmp_path: Path, depth: Depth, auth: Auth) -> None:
    async with MisbehavingServer([Send(b"220 ready\r\n")], strict=False) as server:
        services = make_services(tmp_path, Led(server.port))
        draft = with_fields(with_password(found(candidate())), auth=auth)
        await services.checks.check_draft(draft, Depth.SERVER, lambda _: None)
        before = server.connections
        with pytest.raises(Unconfirmed, match=r"smtp\.other\.example has to be confirmed first") as refused:
            await services.checks.check_draft(draft, depth, lambda _: None)
        assert "belongs to other.example, not to victim.example" in str(refused.value)
        assert server.connections == before > 0


async def test_looking_at_a_server_needs_no_yes(tmp_path: Path) -> None:
    async with MisbehavingServer([Send(b"220 ready\r\n")], strict=False) as server:
        services = make_services(tmp_path, Led(server.port))
        said: list[str] = []
        await services.checks.check_draft(
            found(candidate()), Depth.SERVER, lambda event: said.append(event.text) if isinstance(event, Line) else None
        )
        assert server.connections >= 1
        assert not any("AUTH" in line for line in said)


@pytest.mark.parametrize("endpoint", [FOREIGN, OWN])
async def test_a_server_that_was_found_is_left_alone_where_it_leads_inside(tmp_path: Path, endpoint: Endpoint) -> None:
    """The check while the person reads, and the one with the password for a server of the own domain."""
    async with MisbehavingServer([Send(b"220 ready\r\n")], strict=False) as server:
        services = make_services(tmp_path, Led(server.port, "127.0.0.1"))
        draft = with_password(found(candidate(endpoint)))
        depth = Depth.SERVER if endpoint is FOREIGN else Depth.LOGIN
        report = await services.checks.check_draft(draft, depth, lambda _: None)
        assert [each.title for each in report.findings] == ["This server was not followed to where it leads"]
        assert server.connections == 0
        named = await services.checks.check_draft(draft.confirmed(), Depth.SERVER, lambda _: None)
        assert server.connections >= 1
        assert named.findings[0].title != report.findings[0].title


async def test_the_ports_of_a_server_that_was_found_are_left_alone_where_it_leads_inside(tmp_path: Path) -> None:
    async with MisbehavingServer([Send(b"220 ready\r\n")], strict=False) as server:
        services = make_services(tmp_path, Led(server.port, "127.0.0.1"))
        seen = await services.scans.probe("smtp.other.example", lambda _: None, found=True)
        assert (seen.best, server.connections) == (None, 0)
        probing = asyncio.ensure_future(services.scans.probe("smtp.other.example", lambda _: None))
        await until(lambda: server.connections, lambda: "where nothing was found the port is asked")
        probing.cancel()  # it would wait for a server that says no more
        with suppress(asyncio.CancelledError):
            await probing


async def test_a_saved_account_is_the_persons_own_word(tmp_path: Path) -> None:
    services = make_services(tmp_path)
    saved = await services.accounts.save(replace(with_password(found(candidate()).confirmed()), name="Office"))
    draft = draft_of(saved, None, services.catalog)
    assert server_trust(draft, CATALOG) is ServerTrust.NAMED
    assert server_trust(draft.with_address(Address("ana", "third.example")), CATALOG) is None
