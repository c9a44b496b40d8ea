"""Probing a host: which of its ports serve, over which family of addresses, and which of them is best.

All ports and both families are tried at once, so that what takes long, a port that keeps silent, costs its own time
and nobody else's. On each port the usual way comes first: a ClientHello on 465; elsewhere the greeting is waited for,
since a client that talks first is turned away by servers that delay their greeting. The other way is tried on
evidence, or after a stretch of silence. The port decides the order, what answers decides the verdict.

The dialogue is that of `check.run_checks`; this module says when to begin one, how long to wait, and what came of it.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Coroutine, Iterable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, TypeVar

from smtp_wizard.engine.base.connection import Connection, Family
from smtp_wizard.engine.base.endpoint import Endpoint, Security
from smtp_wizard.engine.base.shown import phrase
from smtp_wizard.engine.base.stages import Depth, Stage, Verdict
from smtp_wizard.engine.checks.report import Report
from smtp_wizard.engine.checks.runner import run_checks
from smtp_wizard.engine.checks.target import ExplainsSymptoms, Target, TimeLimits
from smtp_wizard.engine.diagnosis.finding import Finding
from smtp_wizard.engine.discovery.server_identity import foreign_server_name
from smtp_wizard.engine.scan.ports import ScanRequest
from smtp_wizard.engine.scan.results import (
    AttemptEvent,
    AttemptResult,
    EmitScanEvent,
    PortAttempt,
    PortResult,
    PortScanned,
    ScanFinished,
    ScanResult,
    ScanStarted,
    scan_result,
)
from smtp_wizard.engine.smtp.symptom import Fault, Symptom, TlsFault
from smtp_wizard.engine.smtp.timeouts import listening_timeout
from smtp_wizard.engine.smtp.tls import TlsFacts, Trust
from smtp_wizard.engine.smtp.transport import Peer, Stream, Wire
from smtp_wizard.engine.smtp.wire_error import WireError

T = TypeVar("T")

RESENT = (1.0, 3.0)
"""Seconds after which a SYN is sent a second and a third time (RFC 6298 section 5.7: 1 s, then twice as long)."""
FEW_TRIPS = 3
"""Round trips that an answer to a SYN that was sent again may take."""
LEAST_MARGIN = 0.25
"""Seconds left for that at the least: what answers nearby says little about what is behind it."""
UNKNOWN_TRIP = 0.5
"""Seconds of a round trip that nobody has measured yet; over a satellite it takes longer than most."""
SETTLING = 8.0
"""Seconds that an open connection may keep silent. Servers that delay their greeting wait five (sendmail's greet_pause)
or six (postscreen_greet_wait of Postfix)."""

MOST_ADDRESSES = 8
"""Addresses of one family that are tried on each port: the owner of a name could give it hundreds."""

SCAN_LIMITS = TimeLimits(
    dns=10.0, connect=RESENT[1] + 3.0, tls=SETTLING, greeting=SETTLING, ehlo=10.0, starttls=15.0, silence=1.5
)
"""For each stage of one port. `connect` is beyond what the patience of a probe ever allows."""

_OTHER_WAY = {Security.TLS: Security.STARTTLS, Security.STARTTLS: Security.TLS}
_INTERCEPTED = "connection_intercepted"
"""The cause that data/diagnosis.yaml finds by the issuer of a certificate, among other things."""


async def probe(
    question: ScanRequest,
    *,
    wire: Wire,
    diagnosis: ExplainsSymptoms,
    emit: EmitScanEvent,
    limits: TimeLimits = SCAN_LIMITS,
) -> ScanResult:
    """Try all ports of a host at once, telling what is seen to `emit` as it happens; return what is known then.

    No password is used and nothing is sent. What goes wrong is a value in the result. Cancelling closes every socket.
    """
    run = _ScanRun(question, wire, diagnosis, emit, limits)
    emit(ScanStarted(question))
    found = await run.addresses()
    await _together(run.port(endpoint, found) for endpoint in question.endpoints)
    result = scan_result(question, run.seen)
    emit(ScanFinished(result))
    return result


async def _together(work: Iterable[Coroutine[Any, Any, T]]) -> list[T]:
    """Do everything at once; leave nothing running, whatever happens."""
    tasks = [asyncio.ensure_future(each) for each in work]
    try:
        return await asyncio.gather(*tasks)
    finally:
        await _end(tasks)


async def _end(tasks: Iterable[asyncio.Future[Any]]) -> None:
    """Cancel what still runs, and wait until its sockets are closed."""
    left = [task for task in tasks if not task.done()]
    for task in left:
        task.cancel()
    await asyncio.gather(*left, return_exceptions=True)


# --- patience ---------------------------------------------------------------------------------------------------------


class ConnectLimits:
    """How long a connection is waited for: it depends on whether the host has answered anywhere yet.

    A host that has answered on another port is there, so silence means either a lost packet or a port that is blocked:
    the time until a SYN has been sent a second time, and a few round trips, forgive one loss. A host that has answered
    nowhere gets the time until the third SYN, and a round trip.
    """

    def __init__(self) -> None:
        self._trip: float | None = None
        self._waiting: dict[listening_timeout, float] = {}

    def end(self, began: float) -> float:
        """Return when an attempt that began then is given up, as things stand."""
        if self._trip is None:
            return began + RESENT[1] + UNKNOWN_TRIP
        margin = max(FEW_TRIPS * self._trip, LEAST_MARGIN)
        return began + min(RESENT[0] + margin, RESENT[1] + max(self._trip, LEAST_MARGIN))

    @asynccontextmanager
    async def waiting(self) -> AsyncIterator[None]:
        """Wait for a connection inside this. Raises `WireError` (silent) when the patience is over."""
        loop = asyncio.get_running_loop()
        began = loop.time()
        try:
            async with listening_timeout(self.end(began) - began) as limit:
                self._waiting[limit] = began
                try:
                    yield
                except WireError as problem:
                    if problem.fault in (Fault.REFUSED, Fault.RESET):
                        self._answered(loop.time() - began)
                    raise
                finally:
                    del self._waiting[limit]
        except TimeoutError:
            raise WireError(Fault.SILENT, phrase("no answer in {:.1f} seconds", loop.time() - began)) from None
        self._answered(loop.time() - began)

    def _answered(self, took: float) -> None:
        """The host has answered: what still waits has less time from now on."""
        resent = max((each for each in RESENT if each <= took), default=0.0)
        # The longest counts: what stands in between and answers for the host is nearer than the host.
        self._trip = max(self._trip or 0.0, took - resent)
        now = asyncio.get_running_loop().time()
        for limit, began in self._waiting.items():
            # An answer that is on its way still has one round trip.
            limit.reschedule(max(self.end(began) - now, self._trip))


# --- one attempt ------------------------------------------------------------------------------------------------------


class _ReceiveWatch:
    """Whether anything was received on a connection, and that too little was."""

    def __init__(self, patience: float) -> None:
        """`patience`: seconds that silence may last."""
        self.received = False
        self.silent = asyncio.Event()
        self._patience = patience
        self._timer: asyncio.TimerHandle | None = None

    def opened(self) -> None:
        """A connection came about: from now on something is waited for."""
        if self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(self._patience, self._over)

    def note_received(self) -> None:
        self.received = True

    def _over(self) -> None:
        if not self.received:
            self.silent.set()

    def close(self) -> None:
        if self._timer is not None:
            self._timer.cancel()


class _WatchedStream:
    """A connection that notes whatever it receives."""

    def __init__(self, stream: Stream, watch: _ReceiveWatch) -> None:
        self._stream = stream
        self._receive_watch = watch

    @property
    def peer(self) -> Peer:
        return self._stream.peer

    @property
    def local_address(self) -> str:
        return self._stream.local_address

    @property
    def encrypted(self) -> bool:
        return self._stream.encrypted

    async def read(self) -> bytes:
        try:
            data = await self._stream.read()
        except WireError:
            self._receive_watch.note_received()
            raise
        self._receive_watch.note_received()
        return data

    def read_ready(self) -> bytes:
        return self._stream.read_ready()

    async def write(self, data: bytes) -> None:
        await self._stream.write(data)

    async def start_tls(self, host: str, trust: Trust | None) -> TlsFacts:
        try:
            facts = await self._stream.start_tls(host, trust)
        except WireError:
            self._receive_watch.note_received()
            raise
        self._receive_watch.note_received()
        return facts

    def close(self) -> None:
        self._stream.close()


@dataclass(frozen=True, slots=True)
class _Addresses:
    """What the host's name led to, looked up once for all attempts."""

    peers: Sequence[Peer]
    problem: WireError | TimeoutError | None
    took: float

    @property
    def families(self) -> tuple[Family | None, ...]:
        there = {peer.family for peer in self.peers}
        return tuple(family for family in Family if family in there) or (None,)

    def of(self, attempt: PortAttempt) -> list[Peer]:
        """The addresses of a attempt. Raises what the look-up ended in."""
        if self.problem is not None:
            raise self.problem
        own = [replace(peer, port=attempt.endpoint.port) for peer in self.peers if peer.family is attempt.family]
        return own[:MOST_ADDRESSES]


class _AttemptWire:
    """The wire as the check of one attempt sees it."""

    def __init__(
        self, wire: Wire, attempt: PortAttempt, found: _Addresses, patience: ConnectLimits, watch: _ReceiveWatch
    ) -> None:
        self._wire = wire
        self._attempted = attempt
        self._found = found
        self._patience = patience
        self._receive_watch = watch

    async def resolve(self, host: str, port: int, family: Family | None) -> Sequence[Peer]:
        return self._found.of(self._attempted)

    async def connect(self, peers: Sequence[Peer]) -> Stream:
        async with self._patience.waiting():
            stream = await self._wire.connect(peers)
        self._receive_watch.opened()
        return _WatchedStream(stream, self._receive_watch)

    def clock(self) -> float:
        return self._wire.clock()

    def now(self) -> datetime:
        return self._wire.now()


class _RecordingDiagnosis:
    """The diagnosis, which also remembers what it was asked last."""

    def __init__(self, diagnosis: ExplainsSymptoms) -> None:
        self._diagnosis = diagnosis
        self.symptom: Symptom | None = None

    def explain(self, symptom: Symptom) -> Finding:
        self.symptom = symptom
        return self._diagnosis.explain(symptom)


@dataclass(frozen=True, slots=True)
class _AttemptCheck:
    """The check of one attempt, under way."""

    task: asyncio.Task[AttemptResult]
    watch: _ReceiveWatch


class _ScanRun:
    """One probe."""

    def __init__(
        self, question: ScanRequest, wire: Wire, diagnosis: ExplainsSymptoms, emit: EmitScanEvent, limits: TimeLimits
    ) -> None:
        self.question = question
        self.wire = wire
        self.diagnosis = diagnosis
        self.emit = emit
        self.limits = limits
        self.seen: dict[int, PortResult] = {}
        self._patience = ConnectLimits()
        self._began = asyncio.get_running_loop().time()

    async def addresses(self) -> _Addresses:
        """Look the host up, once."""
        began = self.wire.clock()
        peers: Sequence[Peer] = ()
        trouble: WireError | TimeoutError | None = None
        port = self.question.endpoints[0].port if self.question.endpoints else 0
        try:
            async with listening_timeout(self.limits.dns):
                peers = await self.wire.resolve(self.question.host, port, self.question.family)
        except (WireError, TimeoutError) as problem:
            trouble = problem
        return _Addresses(peers, trouble, self.wire.clock() - began)

    async def port(self, endpoint: Endpoint, found: _Addresses) -> None:
        """Try one port over every family, and tell of it."""
        attempts: list[AttemptResult] = []

        async def over(family: Family | None) -> None:
            ended = await self._attempted(PortAttempt(endpoint, family), found)
            known = any(each.serves for each in attempts)
            attempts.extend(ended)
            if known or any(each.serves for each in ended):
                self._tell(PortResult(endpoint, tuple(attempts)))

        await _together(over(family) for family in found.families)
        if endpoint.port not in self.seen:
            self._tell(PortResult(endpoint, tuple(attempts)))

    def _tell(self, result: PortResult) -> None:
        self.seen[result.port] = result
        self.emit(PortScanned(result))

    async def _attempted(self, attempt: PortAttempt, found: _Addresses) -> list[AttemptResult]:
        """Try a attempt in its usual way, and in the other one where there is reason to; return what ended."""
        first = self._begin(attempt, found)
        begun = [first]
        silence = asyncio.ensure_future(first.watch.silent.wait())
        try:
            await asyncio.wait({first.task, silence}, return_when=asyncio.FIRST_COMPLETED)
            other = _OTHER_WAY.get(attempt.endpoint.security)
            if self.question.fixed or other is None or (first.task.done() and not _worth_another(first.task.result())):
                return [await first.task]
            second = self._begin(PortAttempt(replace(attempt.endpoint, security=other), attempt.family), found)
            begun.append(second)
            return await _raced(first, second)
        finally:
            await _end([silence, *(each.task for each in begun)])
            for each in begun:
                each.watch.close()

    def _begin(self, attempt: PortAttempt, found: _Addresses) -> _AttemptCheck:
        watch = _ReceiveWatch(self.limits.silence)
        return _AttemptCheck(asyncio.ensure_future(self._check(attempt, found, watch)), watch)

    async def _check(self, attempt: PortAttempt, found: _Addresses, watch: _ReceiveWatch) -> AttemptResult:
        """Check one attempt as any endpoint is checked."""
        question, noting = self.question, _RecordingDiagnosis(self.diagnosis)
        target = Target(
            connection=Connection(
                endpoint=attempt.endpoint,
                provider=question.provider,
                ca_file=question.ca_file,
                ehlo_name=question.ehlo_name,
            ),
            family=attempt.family,
        )
        # Where the other way is tried beside this one, the check need not ask for it as well.
        beside = not question.fixed and attempt.endpoint.security is not Security.TLS
        report = await run_checks(
            target,
            None,
            depth=Depth.SERVER,
            wire=_AttemptWire(self.wire, attempt, found, self._patience, watch),
            diagnosis=noting,
            emit=lambda event: self.emit(AttemptEvent(attempt, event)),
            limits=replace(self.limits, silence=self.limits.greeting) if beside else self.limits,
        )
        report = _with_look_up(report, found.took)
        symptom = noting.symptom if report.verdict is Verdict.FAIL else None
        return AttemptResult(
            attempt,
            report,
            asyncio.get_running_loop().time() - self._began,
            symptom,
            inspector=self._inspector(report, symptom),
            foreign_name=foreign_server_name(question.host, report, symptom),
        )

    def _inspector(self, report: Report, symptom: Symptom | None) -> str:
        """Who signed the certificate, if it is one of those whom the data know to read along."""
        if report.tls is None or not report.tls.issuer:
            return ""
        facts = {"issuer": report.tls.issuer}
        if symptom is not None and "issuers" in symptom.facts:
            facts["issuers"] = symptom.facts["issuers"]
        asked = Symptom(stage=Stage.TLS, fault=Fault.TLS_FAILED, tls=TlsFault.CERTIFICATE, facts=facts)
        return report.tls.issuer if self.diagnosis.explain(asked).code == _INTERCEPTED else ""


def _with_look_up(report: Report, took: float) -> Report:
    """The report with the time of the look-up, which was done once for all."""
    return replace(
        report, results=tuple(replace(each, took=took) if each.stage is Stage.DNS else each for each in report.results)
    )


def _worth_another(result: AttemptResult) -> bool:
    """Whether the other way may do better: the port said that it speaks it, or hung up on this one without a word."""
    if result.fault in (Fault.SPEAKS_TLS, Fault.SPEAKS_PLAIN):
        return True
    early = result.symptom is not None and result.symptom.stage in (Stage.TLS, Stage.GREETING)
    return early and result.fault in (Fault.CLOSED, Fault.RESET)


async def _raced(first: _AttemptCheck, second: _AttemptCheck) -> list[AttemptResult]:
    """Return what came of two ways of speaking to one attempt; as soon as one serves, the other is of no interest."""
    running = {first.task, second.task}
    ended: list[AttemptResult] = []
    while running:
        done, running = await asyncio.wait(running, return_when=asyncio.FIRST_COMPLETED)
        ended += [task.result() for task in done]
        serving = [each for each in ended if each.serves]
        if serving:
            return serving[:1]
        both_silent = first.task.done() and first.task.result().fault is Fault.SILENT and not second.watch.received
        if both_silent and not second.task.done():
            return ended
    return ended
