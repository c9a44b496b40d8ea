"""Whether the catalogue still holds: which servers are spoken to, and what counts as no longer fitting."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Awaitable, Callable
from dataclasses import replace

import pytest

from smtp_wizard.engine.base.connection import Auth, Connection
from smtp_wizard.engine.base.endpoint import Endpoint, Security
from smtp_wizard.engine.base.shown import shown
from smtp_wizard.engine.base.stages import Depth, Stage, Verdict
from smtp_wizard.engine.checks.report import CheckResult, Report
from smtp_wizard.engine.checks.runner import run_checks
from smtp_wizard.engine.checks.target import Target
from smtp_wizard.engine.providers.catalog import load_catalog
from smtp_wizard.engine.providers.provider import CatalogEndpoint, Provider, ProviderKind
from smtp_wizard.engine.scan.verify import ListedSmtpServer, listed_servers, verify
from smtp_wizard.engine.smtp.symptom import Fault
from smtp_wizard.engine.smtp.wire_error import WireError
from tests.support.checking import NotingDiagnosis
from tests.support.scripted import Client, ScriptedWire, Server, Step, Tls

CATALOG = load_catalog()
HOME = Endpoint("smtp.example.test", 465, Security.TLS)


def provider(provider_id: str) -> Provider:
    found = CATALOG.get(provider_id)
    assert found is not None
    return found


def at(endpoint: Endpoint, like: str = "gmx") -> ListedSmtpServer:
    """A provider as one that is shipped, with this server alone."""
    return ListedSmtpServer(endpoint, (replace(provider(like), endpoints=(CatalogEndpoint(endpoint=endpoint),)),))


# --- which servers ----------------------------------------------------------------------------------------------------


def test_every_server_that_is_offered_is_spoken_to_once() -> None:
    found = listed_servers(CATALOG.providers)
    endpoints = [place.endpoint for place in found]
    assert len(endpoints) == len(set(endpoints)) > 150
    for each in CATALOG.providers:
        real = each.kind not in (ProviderKind.CUSTOM, ProviderKind.SANDBOX)
        for offer in each.endpoints:
            listed = [place for place in found if place.endpoint == offer.endpoint and each in place.providers]
            assert len(listed) == (1 if real and offer.offered and not offer.of_domain else 0), (
                f"{each.id} {offer.endpoint}"
            )


def test_nobody_on_this_computer_and_nobody_in_the_clear_is_spoken_to() -> None:
    for place in listed_servers(CATALOG.providers):
        assert place.endpoint.security is not Security.NONE
        assert place.endpoint.host != "127.0.0.1"


def test_providers_with_one_server_share_it() -> None:
    (shared,) = (
        place for place in listed_servers(CATALOG.providers) if str(place.endpoint) == "smtp.office365.com:587"
    )
    assert [each.id for each in shared.providers] == ["microsoft365", "godaddy-microsoft365"]


# --- what no longer fits ----------------------------------------------------------------------------------------------


def script(offers: bytes) -> list[Step]:
    return [Tls(), Server(b"220 ready\r\n"), Client(re.compile(rb"EHLO \S+\r\n")), Server(b"250-here\r\n" + offers)]


def speaking(wire: ScriptedWire) -> Callable[[Endpoint], Awaitable[Report]]:
    async def check(endpoint: Endpoint) -> Report:
        target = Target(connection=Connection(endpoint=endpoint, auth=Auth.NONE))
        return await run_checks(
            target, None, depth=Depth.SERVER, wire=wire, diagnosis=NotingDiagnosis(), emit=lambda event: None
        )

    return check


@pytest.mark.parametrize(
    ("like", "offers", "misfits"),
    [
        ("gmx", b"250 AUTH PLAIN LOGIN\r\n", ()),
        ("gmx", b"250 AUTH=LOGIN\r\n", ()),
        (
            "gmx",
            b"250 AUTH XOAUTH2 OAUTHBEARER\r\n",
            ("ehlo: no sign-in with a password is offered (AUTH: XOAUTH2 OAUTHBEARER)",),
        ),
        ("gmx", b"250 SIZE 1000\r\n", ("ehlo: no sign-in with a password is offered (AUTH: none)",)),
        ("outlook-com", b"250 AUTH XOAUTH2\r\n", ()),
    ],
)
async def test_a_server_must_offer_the_sign_in_that_people_are_told_of(
    like: str, offers: bytes, misfits: tuple[str, ...]
) -> None:
    wire = ScriptedWire(script(offers))
    (verified,) = await verify([at(HOME, like)], speaking(wire), at_once=1)
    assert verified.misfits == misfits
    wire.finished()


async def test_a_server_that_cannot_be_found_does_not_fit() -> None:
    wire = ScriptedWire(resolve=WireError(Fault.NO_SUCH_HOST, shown("no such host")))
    (verified,) = await verify([at(HOME)], speaking(wire), at_once=1)
    (misfit,) = verified.misfits
    assert misfit.startswith("dns: ")


async def test_a_server_that_speaks_otherwise_than_is_said_does_not_fit() -> None:
    """STARTTLS is said of it, and it offers none."""
    plain: list[Step] = [Server(b"220 ready\r\n"), Client(re.compile(rb"EHLO \S+\r\n")), Server(b"250 here\r\n")]
    wire = ScriptedWire(plain)
    (verified,) = await verify([at(Endpoint("smtp.example.test", 587, Security.STARTTLS))], speaking(wire), at_once=1)
    assert [misfit.partition(":")[0] for misfit in verified.misfits] == ["starttls"]


async def test_what_was_not_tried_is_not_called_good() -> None:
    async def too_late(endpoint: Endpoint) -> Report:
        return Report(endpoint)

    (verified,) = await verify([at(HOME)], too_late, at_once=1)
    assert verified.misfits == ("nothing was tried",)


async def test_only_so_many_are_spoken_to_at_once_and_the_order_stays() -> None:
    going, most = 0, 0

    async def check(endpoint: Endpoint) -> Report:
        nonlocal going, most
        going += 1
        most = max(most, going)
        for _ in range(endpoint.port % 7):
            await asyncio.sleep(0)
        going -= 1
        return Report(endpoint, (CheckResult(Stage.DNS, Verdict.PASS, 0.0),))

    wanted = [at(Endpoint("smtp.example.test", port, Security.TLS)) for port in range(1, 40)]
    found = await verify(wanted, check, at_once=5)
    assert [each.place for each in found] == wanted
    assert most == 5
