"""Probing a host, on a clock of its own: who is tried when, how long is waited, what is told when."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smtp_wizard.engine.base.connection import Family
from smtp_wizard.engine.base.endpoint import Endpoint, Security
from smtp_wizard.engine.base.shown import shown
from smtp_wizard.engine.base.stages import Stage, Verdict
from smtp_wizard.engine.scan.network_findings import NetworkFinding, NetworkFindingKind, network_findings
from smtp_wizard.engine.scan.ports import ScanRequest, candidates
from smtp_wizard.engine.scan.results import (
    AttemptEvent,
    BestReason,
    PortResult,
    PortScanned,
    ScanEvent,
    ScanFinished,
    ScanResult,
    ScanStarted,
    fold_scan,
)
from smtp_wizard.engine.scan.scan import (
    FEW_TRIPS,
    LEAST_MARGIN,
    RESENT,
    SCAN_LIMITS,
    SETTLING,
    UNKNOWN_TRIP,
    ConnectLimits,
    probe,
)
from smtp_wizard.engine.smtp.symptom import Fault
from smtp_wizard.engine.smtp.wire_error import WireError
from tests.support.checking import diagnosis
from tests.support.clock import in_no_time
from tests.support.farhost import (
    EHLO,
    GREETING,
    HOST,
    OFFER,
    REFUSING,
    STARTTLS_PORT,
    SWALLOWING,
    TLS_PORT,
    TRIP,
    USUAL,
    FarHost,
    Late,
    Port,
    serving,
)
from tests.support.scripted import Eof, Fails, Server, Silence, Step, Tls

TLS, STARTTLS = Security.TLS, Security.STARTTLS
OLD, NEW = Family.IPV4, Family.IPV6
ON_465, ON_587, ON_2525, ON_25 = USUAL
GOOD = {
    465: serving(*TLS_PORT),
    587: serving(*STARTTLS_PORT),
    2525: serving(*STARTTLS_PORT),
    25: serving(*STARTTLS_PORT),
}
ONE_LOSS = RESENT[0] + max(FEW_TRIPS * TRIP, LEAST_MARGIN)
"""How long a silent port is waited for once the host has answered on another."""
MUTE: tuple[Step, ...] = (Silence(),)


@dataclass(frozen=True)
class Seen:
    """What came of a probe, and when."""

    probe: ScanResult
    events: tuple[tuple[float, ScanEvent], ...]
    host: FarHost
    took: float

    def port(self, number: int) -> PortResult:
        return next(each for each in self.probe.ports if each.port == number)

    def told(self, number: int) -> list[float]:
        """When something was told of a port."""
        return [at for at, event in self.events if isinstance(event, PortScanned) and event.result.port == number]

    @property
    def network_findings(self) -> tuple[NetworkFinding, ...]:
        return network_findings(self.probe)


def probed(host: FarHost, *endpoints: Endpoint, question: ScanRequest | None = None) -> Seen:
    """Probe a host on a clock of its own."""
    asked = question or ScanRequest(host=HOST, endpoints=endpoints or USUAL)

    async def run() -> Seen:
        loop = asyncio.get_running_loop()
        events: list[tuple[float, ScanEvent]] = []
        found = await probe(
            asked, wire=host, diagnosis=diagnosis(), emit=lambda event: events.append((loop.time(), event))
        )
        return Seen(found, tuple(events), host, loop.time())

    seen = in_no_time(run())
    assert all(stream.closed for stream in host.streams)
    assert fold_scan(asked, [event for _, event in seen.events]) == seen.probe
    return seen


def both(ports: Mapping[int, Port]) -> FarHost:
    """A host that is the same over either family."""
    return FarHost(ports, ports)


# --- all at once ---


def test_every_connection_is_begun_before_anything_has_answered() -> None:
    seen = probed(both(GOOD))
    assert sorted((port, family) for _, port, family in seen.host.begun) == sorted(
        (each.port, family) for each in USUAL for family in Family
    )
    assert {at for at, _, _ in seen.host.begun} == {0.0}
    assert seen.host.first_answer == TRIP


def test_the_name_is_looked_up_once() -> None:
    assert probed(both(GOOD)).host.asked == [HOST]


def test_a_port_is_told_of_as_soon_as_it_serves() -> None:
    """A connection, a handshake, a greeting, a hello: four round trips on 465; with STARTTLS two more."""
    seen = probed(FarHost(GOOD))
    assert seen.told(465) == [pytest.approx(4 * TRIP)]
    assert seen.told(587) == [pytest.approx(6 * TRIP)]
    assert [type(event) for _, event in seen.events if not isinstance(event, AttemptEvent)] == [
        ScanStarted,
        *[PortScanned] * 4,
        ScanFinished,
    ]


def test_one_silent_port_costs_its_own_time_and_nobody_elses() -> None:
    """All ports, both families, one of them silent: no longer than that one alone."""
    seen = probed(both({**GOOD, 25: SWALLOWING}))
    assert seen.told(465)[0] == pytest.approx(4 * TRIP)
    assert seen.told(25) == [pytest.approx(ONE_LOSS)]
    assert seen.took == pytest.approx(ONE_LOSS)
    assert [each.port for each in seen.probe.serving] == [465, 587, 2525]
    assert seen.network_findings == (NetworkFinding(NetworkFindingKind.SILENT, (25,)),)


def test_a_mute_port_costs_what_an_open_connection_may_keep_silent() -> None:
    """A port that takes connections and says nothing, whichever way it is spoken to."""
    seen = probed(both({**GOOD, 25: serving(*MUTE)}))
    assert seen.took == pytest.approx(TRIP + SETTLING)
    assert seen.told(2525)[0] == pytest.approx(6 * TRIP)
    assert seen.network_findings == (NetworkFinding(NetworkFindingKind.MUTE, (25,)),)


# --- patience ---


def test_one_lost_packet_is_forgiven_where_the_host_has_answered_elsewhere() -> None:
    seen = probed(FarHost({**GOOD, 587: replace(GOOD[587], lost=1)}))
    assert seen.port(587).serves
    assert seen.told(587) == [pytest.approx(1 + 6 * TRIP)]


def test_two_lost_packets_are_forgiven_where_it_has_answered_nowhere() -> None:
    seen = probed(FarHost({465: replace(GOOD[465], lost=2)}))
    assert seen.port(465).serves
    assert seen.told(465) == [pytest.approx(3 + 4 * TRIP)]


def test_a_host_that_answers_nowhere_is_given_up_after_the_third_packet() -> None:
    seen = probed(both(dict.fromkeys(GOOD, SWALLOWING)))
    assert seen.took == pytest.approx(RESENT[1] + UNKNOWN_TRIP)
    assert seen.probe.best is None
    assert seen.network_findings == (NetworkFinding(NetworkFindingKind.SILENT, (465, 587, 2525, 25)),)
    words = seen.port(465).report.result(Stage.CONNECT)
    assert words is not None
    assert words.verdict is Verdict.FAIL


def test_a_refusal_is_an_answer_too() -> None:
    seen = probed(FarHost({465: REFUSING}))
    assert seen.told(465) == [pytest.approx(TRIP)]
    assert seen.took == pytest.approx(ONE_LOSS)


async def _ends(trips: list[float], began: float) -> float:
    patience = ConnectLimits()
    for trip in trips:
        async with patience.waiting():
            await asyncio.sleep(trip)
    return patience.end(began)


@pytest.mark.parametrize(
    ("trips", "end"),
    [
        ([], 3 + UNKNOWN_TRIP),
        ([0.2], 1 + FEW_TRIPS * 0.2),
        # What answers for the host from nearby does not shorten the way to the host.
        ([0.2, 0.001], 1 + FEW_TRIPS * 0.2),
        ([0.001], 1 + LEAST_MARGIN),
        # A packet was sent again: that second is no part of the round trip.
        ([1.2], 1 + FEW_TRIPS * 0.2),
        ([3.3], 1 + FEW_TRIPS * 0.3),
        # Never longer than where nobody has answered at all.
        ([0.9], 1 + FEW_TRIPS * 0.9 if 1 + FEW_TRIPS * 0.9 < 3.9 else 3.9),
    ],
)
def test_how_long_a_connection_is_waited_for(trips: list[float], end: float) -> None:
    assert in_no_time(_ends(trips, 0.0)) == pytest.approx(end)


def test_an_answer_on_its_way_still_has_a_round_trip() -> None:
    """Where the first answer of a host comes late, the others are not given up at that very moment."""
    seen = probed(FarHost({465: replace(GOOD[465], lost=2), 587: replace(GOOD[587], lost=2)}))
    assert seen.port(465).serves
    assert seen.port(587).serves


# --- the usual way first, the other one on evidence or after silence ---


def test_silence_makes_the_other_way_be_tried_beside_the_first() -> None:
    """587 speaks TLS from the first byte: it waits for us, and we for it."""
    port = Port(([Silence()], list(TLS_PORT)))
    seen = probed(FarHost({587: port}), ON_587)
    assert [at for at, _, _ in seen.host.begun] == [0.0, pytest.approx(TRIP + SCAN_LIMITS.silence)]
    assert seen.told(587) == [pytest.approx(TRIP + SCAN_LIMITS.silence + 4 * TRIP)]
    assert seen.port(587).report.endpoint == Endpoint(HOST, 587, TLS)


def test_a_greeting_that_comes_late_is_waited_for_and_nothing_is_said_before_it() -> None:
    greets_late = [Late(b"220 mail.example.com\r\n", 6.0), *STARTTLS_PORT[1:]]
    knows_no_tls = [Tls(WireError(Fault.CLOSED))]
    seen = probed(FarHost({25: Port((greets_late, knows_no_tls))}), ON_25)
    assert seen.port(25).serves
    assert seen.port(25).report.endpoint.security is STARTTLS


def test_a_greeting_in_clear_text_is_evidence_at_once() -> None:
    plain = [Tls(WireError(Fault.SPEAKS_PLAIN, shown("220 mail.example.com")))]
    seen = probed(FarHost({465: Port((plain, list(STARTTLS_PORT)))}), ON_465)
    assert seen.port(465).report.endpoint == Endpoint(HOST, 465, STARTTLS)
    assert seen.told(465) == [pytest.approx(2 * TRIP + 6 * TRIP)]


def test_a_port_that_hangs_up_on_one_way_is_tried_in_the_other() -> None:
    seen = probed(FarHost({587: Port(([Fails(WireError(Fault.RESET))], list(TLS_PORT)))}), ON_587)
    assert seen.port(587).serves
    assert seen.port(587).report.endpoint.security is TLS


def test_what_is_no_mail_server_in_either_way_is_said_once() -> None:
    seen = probed(FarHost({587: serving(Server(b"+OK ready\r\n"))}), ON_587)
    assert len(seen.host.begun) == 1
    assert seen.network_findings == (NetworkFinding(NetworkFindingKind.POP, (587,)),)


def test_a_way_that_was_said_is_kept_to() -> None:
    plain = [Tls(WireError(Fault.SPEAKS_PLAIN, shown("220 mail.example.com")))]
    question = ScanRequest(host=HOST, endpoints=(ON_465,), fixed=True)
    seen = probed(FarHost({465: Port((plain,))}), question=question)
    assert len(seen.host.begun) == 1
    assert not seen.port(465).serves
    fix = seen.port(465).report.findings[0].fix
    assert fix == Endpoint(HOST, 465, STARTTLS)


# --- families ---


def test_broken_ipv6_costs_the_first_working_setting_nothing() -> None:
    healthy, broken = probed(FarHost(GOOD)), probed(FarHost(GOOD, {}))
    assert broken.told(465)[0] == healthy.told(465)[0]
    assert broken.took == pytest.approx(ONE_LOSS)
    assert broken.network_findings == (NetworkFinding(NetworkFindingKind.BROKEN_IPV6, (465, 587, 2525, 25)),)
    assert broken.port(465).families == (OLD,)


def test_the_families_that_serve_are_said() -> None:
    seen = probed(FarHost(GOOD, {465: GOOD[465], 587: REFUSING, 2525: REFUSING, 25: REFUSING}))
    assert seen.port(465).families == (OLD, NEW)
    assert seen.port(587).families == (OLD,)
    assert seen.network_findings == ()
    assert seen.probe.best is not None
    assert seen.probe.best.families == (OLD, NEW)


def test_a_computer_without_ipv6_has_nothing_broken() -> None:
    nowhere = Port(refuses=Fault.NO_NETWORK)
    seen = probed(FarHost(GOOD, dict.fromkeys(GOOD, nowhere)))
    assert seen.network_findings == ()
    assert seen.port(465).families == (OLD,)


def test_one_family_can_be_asked_for() -> None:
    seen = probed(both(GOOD), question=ScanRequest(host=HOST, endpoints=USUAL, family=NEW))
    assert {family for _, _, family in seen.host.begun} == {NEW}


def test_a_name_that_is_none_is_said_of_every_port_and_nobody_is_called() -> None:
    seen = probed(FarHost(unknown=WireError(Fault.NO_SUCH_HOST, shown("no such name"))))
    assert not seen.host.begun
    assert [each.report.findings[0].code for each in seen.probe.ports] == ["dns_host_not_found"] * 4
    assert seen.network_findings == ()


# --- which is best, and why ---


def best(ports: Mapping[int, Port], *recommended: Endpoint) -> tuple[int, BestReason]:
    seen = probed(FarHost(ports), question=ScanRequest(host=HOST, endpoints=USUAL, recommended=recommended))
    found = seen.probe.best
    assert found is not None
    return found.endpoint.port, found.why


def test_which_port_is_best_and_why() -> None:
    bare: tuple[Step, ...] = (*TLS_PORT[:-1], Server(b"250 here\r\n"))
    assert best(GOOD) == (465, BestReason.FROM_THE_START)
    assert best(GOOD, ON_587, ON_465) == (587, BestReason.RECOMMENDED)
    assert best({**GOOD, 465: REFUSING}) == (587, BestReason.SUBMISSION)
    assert best({2525: GOOD[2525], 25: GOOD[25]}) == (2525, BestReason.ENCRYPTED)
    assert best({25: GOOD[25]}) == (25, BestReason.RELAY_PORT)
    assert best({**GOOD, 465: serving(*bare)}) == (587, BestReason.SUBMISSION)
    assert best({465: serving(*bare)}) == (465, BestReason.NO_SIGN_IN)


def test_a_port_without_encryption_is_best_only_where_nothing_else_was_asked_for() -> None:
    clear = Endpoint(HOST, 25, Security.NONE)
    question = ScanRequest(host=HOST, endpoints=candidates(HOST, security=Security.NONE), fixed=True)
    seen = probed(FarHost({25: serving(GREETING, EHLO, OFFER)}), question=question)
    assert seen.probe.best is not None
    assert (seen.probe.best.endpoint, seen.probe.best.why) == (clear, BestReason.CLEAR)


def test_the_ports_that_serve_are_listed_first() -> None:
    seen = probed(FarHost({587: GOOD[587], 25: GOOD[25]}))
    assert [each.port for each in seen.probe.ranked] == [587, 25, 465, 2525]


# --- what is tried ---


def test_what_the_provider_names_says_its_own_way_and_comes_first() -> None:
    odd = Endpoint(HOST, 4650, TLS)
    elsewhere = Endpoint("other.example.com", 26, STARTTLS)
    upside_down = Endpoint(HOST, 465, STARTTLS)
    assert candidates(HOST) == USUAL
    assert candidates(HOST, [odd, elsewhere, upside_down]) == (odd, upside_down, ON_587, ON_2525, ON_25)
    assert candidates(HOST, [odd], TLS) == (odd, ON_465)
    assert {each.port for each in candidates(HOST, security=Security.NONE)} == {25, 587, 2525}


# --- leaving ---


def test_cancelling_closes_every_connection() -> None:
    host = both(dict.fromkeys(GOOD, serving(*MUTE)))

    async def run() -> None:
        work = probe(ScanRequest(host=HOST, endpoints=USUAL), wire=host, diagnosis=diagnosis(), emit=lambda _: None)
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(work, 3)
        assert len(asyncio.all_tasks()) == 1

    in_no_time(run())
    assert len(host.streams) == 16
    assert all(stream.closed for stream in host.streams)


def test_a_bug_in_a_reader_ends_the_probe_and_leaves_nothing_running() -> None:
    def burst(event: ScanEvent) -> None:
        if isinstance(event, PortScanned):
            raise RuntimeError("a bug")

    host = both(GOOD)

    async def run() -> None:
        with pytest.raises(RuntimeError, match="a bug"):
            await probe(ScanRequest(host=HOST, endpoints=USUAL), wire=host, diagnosis=diagnosis(), emit=burst)
        assert len(asyncio.all_tasks()) == 1

    in_no_time(run())
    assert all(stream.closed for stream in host.streams)


# --- whatever the ports do ---

BEHAVIOURS = {
    "serves": None,
    "refuses": REFUSING,
    "swallows": SWALLOWING,
    "mute": serving(*MUTE),
    "cuts": serving(Fails(WireError(Fault.RESET))),
    "hangs up": serving(Eof()),
    "reads mail": serving(Server(b"* OK ready\r\n")),
    "turns away": serving(Server(b"554 go away\r\n")),
    "loses one": None,
}


def behaving(name: str, port: int) -> Port:
    """A port of this behaviour, spoken to as is usual there; TLS where it is expected meets what is no TLS."""
    known = BEHAVIOURS[name]
    if known is None:
        return replace(GOOD[port], lost=int(name == "loses one"))
    if port == 465 and known.scripts:
        fault = {"mute": None, "cuts": Fault.RESET, "hangs up": Fault.CLOSED}.get(name, Fault.OTHER_PROTOCOL)
        return known if fault is None else Port(([Tls(WireError(fault, shown("* OK ready")))], list(known.scripts[0])))
    if name in ("cuts", "hangs up"):
        return Port((list(known.scripts[0]), [Tls(WireError(Fault.RESET))]))
    return known


ports_that = st.fixed_dictionaries({each.port: st.sampled_from(sorted(BEHAVIOURS)) for each in USUAL})


@given(ports_that, st.none() | ports_that)
def test_whatever_ports_do_the_probe_ends_in_time_and_says_of_each(
    older: dict[int, str], newer: dict[int, str] | None
) -> None:
    def spoken(names: dict[int, str]) -> dict[int, Port]:
        return {port: behaving(name, port) for port, name in names.items()}

    seen = probed(FarHost(spoken(older), None if newer is None else spoken(newer)))
    longest = max(RESENT[1] + UNKNOWN_TRIP, RESENT[0] + TRIP + SETTLING)
    assert seen.took <= longest * 1.15
    assert [each.port for each in seen.probe.ports] == [each.port for each in USUAL]
    good = {port for names in (older, newer or {}) for port, name in names.items() if name in ("serves", "loses one")}
    assert {each.port for each in seen.probe.serving} == good
    assert (seen.probe.best is None) == (not good)
    assert (seen.probe.best is None) or seen.probe.best.endpoint.port in good
    for sight in seen.network_findings:
        assert set(sight.ports) <= set(older)
