"""Where a server is reached, or is not: every port at the server step, and whether the network blocks one."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from smtp_wizard.engine.base.address import Address
from smtp_wizard.engine.base.connection import Connection
from smtp_wizard.engine.base.endpoint import Endpoint, Security
from smtp_wizard.engine.base.shown import shown
from smtp_wizard.engine.scan.control_host import ControlHost
from smtp_wizard.engine.smtp.symptom import Fault
from smtp_wizard.engine.smtp.transport import Peer
from smtp_wizard.engine.smtp.wire_error import WireError
from smtp_wizard.engine.wizard.draft import Draft, Origin
from smtp_wizard.screens.details import DetailsPanel
from smtp_wizard.screens.panel import QuestionPanel
from smtp_wizard.widgets.frame import RadioFrame
from smtp_wizard.widgets.outcome_card import OutcomeCard
from tests.support.farhost import (
    HOST,
    REFUSING,
    STARTTLS_PORT,
    SWALLOWING,
    TLS_PORT,
    FarHost,
    FarStream,
    Port,
    serving,
)
from tests.support.scripted import Silence
from tests.support.walk import Walk, in_one_line, make_services, walking

NEUTRAL = "smtp.gmail.com"
BY_HAND = Draft(
    address=Address("ana", "firma.example"),
    connection=Connection(endpoint=None, provider="custom", path="password", username="ana"),
    origin=Origin.HAND,
    ways=2,
    by_hand=True,
)
GOOD = {465: serving(*TLS_PORT), **dict.fromkeys((587, 2525), serving(*STARTTLS_PORT)), 25: REFUSING}
REFUSED = Endpoint(HOST, 587, Security.STARTTLS)


@pytest.fixture(autouse=True)
def one_neutral_host(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whom to propose."""
    known = (ControlHost(NEUTRAL, (587, 25)),)
    monkeypatch.setattr("smtp_wizard.engine.scan.control_host.load_control_hosts", lambda: known)


@asynccontextmanager
async def at_the_server(folder: Path, wire: FarHost, security: Security = Security.TLS) -> AsyncIterator[Walk]:
    """Stand at the server step, its host filled in, and the port that is usual with the security."""
    async with walking(make_services(folder, wire), draft=BY_HAND) as walk:
        await walk.at("server")
        await walk.fill("#host", HOST)
        await walk.choose("#security", security)
        yield walk


def port(walk: Walk) -> str:
    return walk.entry("#port").value


# --- what is offered ---


async def test_the_row_with_the_mark_is_in_sight_in_the_smallest_window(tmp_path: Path) -> None:
    async with walking(make_services(tmp_path, FarHost(GOOD)), draft=BY_HAND, size=(60, 20)) as walk:
        await walk.at("server")
        await walk.fill("#host", HOST)
        await walk.press("down", "down")
        await walk.until(lambda: "▌ Try this port only" in walk.shown, "the mark down there")
        await walk.press("up", "up")
        await walk.until(lambda: "▌ Try the usual ports" in walk.shown, "the mark up there")


# --- every port ---


async def test_each_port_is_shown_as_it_answers_and_enter_takes_the_best_so_far(tmp_path: Path) -> None:
    held = asyncio.Event()

    class Held(FarHost):
        """One port does not answer before it may."""

        async def connect(self, peers: Sequence[Peer]) -> FarStream:
            if peers[0].port == 25:
                await held.wait()
            return await super().connect(peers)

    async with at_the_server(tmp_path, Held(GOOD | {465: REFUSING})) as walk:
        await walk.press("enter")
        await walk.until_reads("587 STARTTLS")
        await walk.until_reads("Enter Take the best so far")
        await walk.until_reads("465 refuses connections")
        await walk.until_reads("waiting for port 25")
        assert port(walk) == "465"
        await walk.press("enter")
        await walk.until_reads("It answers")
        assert (walk.step, port(walk)) == ("server", "587")
        assert walk.the("#security", RadioFrame).selected == Security.STARTTLS
        await walk.press("enter")
        await walk.at("connect")
        assert walk.draft.connection.endpoint == REFUSED


async def test_the_best_is_filled_in_with_its_reason_and_what_the_network_does(tmp_path: Path) -> None:
    async with at_the_server(tmp_path, FarHost(GOOD, {})) as walk:
        await walk.fill("#port", "4650")
        await walk.take("Try the usual ports")
        await walk.until_reads("It answers")
        assert port(walk) == "465"
        await walk.until_reads("Find out whether this network blocks port 25")
        await walk.press("f4")
        await walk.at_screen(DetailsPanel)
        said = in_one_line(walk.shown.replace("│", " "))
        assert "Everything is encrypted there from the first byte." in said
        assert "IPv6 does not work between here and this server" in said


async def test_another_host_typed_meanwhile_keeps_its_port(tmp_path: Path) -> None:
    async with at_the_server(tmp_path, FarHost({**GOOD, 25: SWALLOWING})) as walk:
        await walk.press("enter")
        await walk.until_reads("465 SSL/TLS")
        await walk.fill("#host", "other.example.com")
        await walk.fill("#port", "4650")
        await walk.until(lambda: not walk.app.screen.query_one(OutcomeCard).has_class("-running"), "the end of it")
        assert port(walk) == "4650"
        assert not walk.reads("It answers")


async def test_leaving_while_ports_are_tried_closes_everything(tmp_path: Path) -> None:
    wire = FarHost({**GOOD, 587: serving(Silence()), 25: SWALLOWING})
    async with at_the_server(tmp_path, wire) as walk:
        await walk.press("enter")
        await walk.until_reads("465 SSL/TLS")
        await walk.until(lambda: {587, 25} <= {port for _, port, _ in wire.begun}, "every port to be tried")
        await walk.until(lambda: any(not stream.closed for stream in wire.streams), "one that stays open")
        await walk.press("escape", "escape")
        await walk.until(lambda: walk.step != "server", "another step")
        await walk.until(lambda: all(stream.closed for stream in wire.streams), "the end of every connection")
        begun = len(wire.begun)
        await walk.settle()
        assert len(wire.begun) == begun, "nothing is tried any more"


# --- does the network block it? ---


FIND_OUT = "Find out whether this network blocks port 587"


async def test_nobody_is_asked_before_a_yes_and_the_host_is_named(tmp_path: Path) -> None:
    wire = FarHost({587: REFUSING})
    async with at_the_server(tmp_path, wire, Security.STARTTLS) as walk:
        await walk.take("Try this port only")
        await walk.until_reads("Find out")
        await walk.take(FIND_OUT)
        await walk.at_screen(QuestionPanel)
        await walk.until_reads(f"May {NEUTRAL} be contacted once?")
        await walk.press("enter")
        await walk.at("server")
        await walk.take(FIND_OUT)
        await walk.at_screen(QuestionPanel)
        await walk.press("escape")
        await walk.at("server")
        assert NEUTRAL not in wire.asked


async def test_who_blocks_the_port_is_said_and_what_serves_is_one_key(tmp_path: Path) -> None:
    """The network does: the neutral host serves there, and cannot be reached either. Port 465 of the server can."""
    wire = FarHost({587: REFUSING, 465: GOOD[465]})
    async with at_the_server(tmp_path, wire, Security.STARTTLS) as walk:
        await walk.take("Try this port only")
        await walk.until_reads("Find out")
        await walk.take(FIND_OUT)
        await walk.at_screen(QuestionPanel)
        await walk.press("down", "enter")
        await walk.until_reads("This network blocks port 587")
        await walk.until_reads("Who must act: Whoever runs the network")
        await walk.until_reads("Enter Use port 465")
        assert NEUTRAL in wire.asked
        await walk.press("enter")
        await walk.until_reads("Server and port are right")
        assert port(walk) == "465"


async def test_the_offer_goes_away_with_what_it_was_about(tmp_path: Path) -> None:
    async with at_the_server(tmp_path, FarHost({587: REFUSING}), Security.STARTTLS) as walk:
        await walk.take("Try this port only")
        await walk.until_reads("Find out")
        await walk.fill("#host", "other.example.com")
        assert not walk.reads("Find out")


@pytest.mark.parametrize("fault", [Fault.REFUSED, Fault.RESET])
async def test_connect_offers_it_too_where_nobody_answers(tmp_path: Path, fault: Fault) -> None:
    wire = FarHost({587: Port(refuses=fault)})
    draft = replace(BY_HAND, connection=replace(BY_HAND.connection, endpoint=REFUSED)).confirmed()
    async with walking(make_services(tmp_path, wire), draft=draft, size=(120, 40)) as walk:
        await walk.at("connect")
        await walk.until_reads("Find out whether this network blocks port 587")
        await walk.take("Find out")
        await walk.take("Yes, contact it once")
        await walk.until_reads("This network blocks port 587")
        await walk.press("escape")
        await walk.until_reads("Find out whether this network blocks port 587")


async def test_what_is_wrong_with_all_ports_alike_is_said_once_with_what_to_do(tmp_path: Path) -> None:
    wire = FarHost(unknown=WireError(Fault.NO_SUCH_HOST, shown("no such name")))
    async with at_the_server(tmp_path, wire) as walk:
        await walk.press("enter")
        await walk.until_reads("There is no server with this name")
        await walk.until_reads("Look at the server name letter by letter")
        assert port(walk) == "465"
