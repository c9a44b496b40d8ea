"""What the catalogue knows of a host, as the question that a probe answers; and the service that asks it."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from smtp_wizard.engine.base.address import Address
from smtp_wizard.engine.base.connection import Family
from smtp_wizard.engine.base.endpoint import USUAL_WAYS, Endpoint, Security
from smtp_wizard.engine.providers.provider import ProviderKind
from smtp_wizard.engine.scan.blocked_ports import Blame
from smtp_wizard.engine.scan.control_host import load_control_hosts
from smtp_wizard.engine.scan.known_host import (
    counted_names,
    provider_of,
    scan_request_for,
    scan_request_for_control_host,
)
from smtp_wizard.engine.services.check_options import CheckOptions
from tests.support.clock import in_no_time
from tests.support.farhost import HOST, REFUSING, TLS_PORT, TRIP, FarHost, serving
from tests.support.rows import each_row
from tests.support.walk import catalog, make_services

TLS, STARTTLS = Security.TLS, Security.STARTTLS
OFFERING = sorted(
    {
        each.endpoint
        for provider in catalog().providers
        if provider.kind is not ProviderKind.SANDBOX
        for each in provider.offered()
    }
)


@each_row("endpoint", OFFERING)
def test_every_server_that_is_offered_is_tried_first_and_in_its_own_way(endpoint: Endpoint) -> None:
    asked = scan_request_for(catalog(), endpoint.host)
    # Where sources disagree about a port, the first way comes first; the other one is tried where it keeps silent.
    same_port = [each for each in OFFERING if (each.host, each.port) == (endpoint.host, endpoint.port)]
    assert any(each in asked.endpoints for each in same_port)
    assert asked.endpoints[0].host == endpoint.host
    assert {each.port for each in asked.endpoints} >= set(USUAL_WAYS)
    assert len({each.port for each in asked.endpoints}) == len(asked.endpoints)
    assert asked.recommended
    assert asked.provider is not None


def test_of_a_host_that_nobody_knows_the_usual_ports_are_tried() -> None:
    asked = scan_request_for(catalog(), HOST, family=Family.IPV6, ehlo_name="pc.example.com", ca_file="ca.pem")
    assert {each.port: each.security for each in asked.endpoints} == USUAL_WAYS
    assert (asked.provider, asked.recommended, asked.fixed) == (None, (), False)
    assert (asked.family, asked.ehlo_name, asked.ca_file) == (Family.IPV6, "pc.example.com", "ca.pem")


def test_a_way_that_was_said_leaves_the_others_out() -> None:
    asked = scan_request_for(catalog(), HOST, security=TLS)
    assert asked.fixed
    assert [(each.port, each.security) for each in asked.endpoints] == [(465, TLS)]


def test_whatever_else_runs_here_is_not_the_practice_server() -> None:
    practice = next(each for each in catalog().providers if each.kind is ProviderKind.SANDBOX)
    known = provider_of(catalog(), practice.endpoints[0].endpoint.host)
    assert known is None or known.id != practice.id


def test_a_neutral_host_is_asked_on_these_ports_alone_each_in_its_own_way() -> None:
    for neutral in load_control_hosts():
        asked = scan_request_for_control_host(catalog(), neutral.host, neutral.ports)
        assert [each.port for each in asked.endpoints] == list(neutral.ports)
        assert asked.provider is not None
    odd = scan_request_for_control_host(catalog(), HOST, [4000, 465])
    assert [(each.port, each.security) for each in odd.endpoints] == [(4000, STARTTLS), (465, TLS)]


def test_a_neutral_host_is_asked_beside_the_other_ports_of_the_server(tmp_path: Path) -> None:
    """What serves there is found out at the same time, and said first."""
    wire = FarHost({587: REFUSING, 465: serving(*TLS_PORT), 25: REFUSING, 2525: REFUSING})
    services = make_services(tmp_path, wire)
    (neutral, *_) = load_control_hosts()

    async def run() -> None:
        (answer,) = await services.scans.ask_neutral(
            neutral.host, HOST, [587], options=CheckOptions(family=Family.IPV4)
        )
        assert (answer.blame, answer.sure, answer.instead) == (Blame.NETWORK, True, (Endpoint(HOST, 465, TLS),))
        assert asyncio.get_running_loop().time() == pytest.approx(4 * TRIP)
        assert sorted(wire.asked) == sorted([neutral.host, HOST])
        wire.asked.clear()
        (answer,) = await services.scans.ask_neutral(neutral.host, HOST, [587], instead=())
        assert (answer.instead, wire.asked) == ((), [neutral.host])

    in_no_time(run())


def test_the_owner_of_the_server_is_never_proposed(tmp_path: Path) -> None:
    services = make_services(tmp_path)
    for neutral in load_control_hosts():
        other = services.scans.propose_neutral(neutral.host, neutral.ports)
        assert other is None or other.host != neutral.host
    assert services.scans.propose_neutral(HOST, [587]) is not None
    assert services.scans.propose_neutral(HOST, [110]) is None


def test_a_bare_user_name_counts_with_the_domain_of_the_address_or_of_the_server() -> None:
    known, host = catalog(), "mail.firm.example"
    ana = Address("ana", "other.example")
    assert counted_names(known, host, "ana", ana) == ("ana", "ana@other.example")
    assert counted_names(known, host, "ana", None) == ("ana", "ana@firm.example")
    assert counted_names(known, "192.0.2.1", "ana", None) == ("ana",)
    assert counted_names(known, host, "FIRM\\ana", ana) == ("FIRM\\ana", "ana", "ana@other.example")
    assert counted_names(known, host, "ana@third.example", ana) == ("ana@third.example",)
