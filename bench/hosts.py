"""Measure how a whole host is probed, and write that part of docs/benchmarks.md: `python -m bench.hosts`.

The host is the practice server behind proxies that let every byte take its time, on four ports over both families; one
port swallows every packet. It runs in a process of its own (`python -m bench.hosts serve SECONDS`).
"""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import socket
import ssl
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from threading import Thread
from typing import Any

from bench.measure import put
from bench.peer import _end_of_input, listen
from smtp_wizard.engine.base.connection import Family
from smtp_wizard.engine.base.endpoint import Endpoint, Security
from smtp_wizard.engine.diagnosis.diagnosis import load_diagnosis
from smtp_wizard.engine.scan.ports import ScanRequest
from smtp_wizard.engine.scan.results import PortScanned, ScanEvent
from smtp_wizard.engine.scan.scan import RESENT, probe
from smtp_wizard.engine.smtp.transport import Peer, SocketWire

ROOT = Path(__file__).resolve().parents[1]
OUTPUT = ROOT / "docs" / "benchmarks.md"
HEADING = "## Probing a host"
ROUND_TRIPS = ("0.05", "0.2")
"""Seconds."""
RUNS = 9
ADDRESSES = {Family.IPV4: "127.0.0.1", Family.IPV6: "::1"}


# --- the host ---


async def serve(seconds: float) -> None:
    """Serve until standard input ends; say first where."""
    from smtp_wizard.engine.sandbox.scenarios import load_scenarios
    from smtp_wizard.engine.sandbox.server import Sandbox

    with tempfile.TemporaryDirectory() as folder:
        scenario = load_scenarios()["accept"]
        free = replace(scenario, ports=dict.fromkeys(scenario.ports, 0))
        async with Sandbox(Path(folder), free) as sandbox, _silent() as silent, _silent(older=False) as broken:
            tls = sandbox.endpoint(Security.TLS).port
            starttls = sandbox.endpoint(Security.STARTTLS).port
            healthy = [await _both(seconds, port) for port in (tls, starttls, starttls)]
            await listen(seconds, tls, own=broken)
            ports = [*zip(healthy, ("tls", "starttls", "starttls"), strict=True), (silent, "starttls")]
            print(json.dumps({"ports": ports, "broken": broken, "ca": str(sandbox.ca_file)}), flush=True)
            await _end_of_input()


async def _both(seconds: float, port: int) -> int:
    """Listen over both families on one port."""
    own = await listen(seconds, port)
    return await listen(seconds, port, "::1", own)


@asynccontextmanager
async def _silent(*, older: bool = True) -> AsyncIterator[int]:
    """Give a port on which every packet is swallowed, over both families, or over IPv6 alone."""
    from tests.support.misbehaving import swallowing_port

    async with swallowing_port("::1") as port:
        if not older:
            yield port
            return
        async with swallowing_port("127.0.0.1", port):
            yield port


@dataclass(frozen=True)
class Host:
    """Where the host is."""

    ports: Sequence[tuple[int, str]]
    """Each with its way."""
    broken: int
    """A port that serves over IPv4, and swallows everything over IPv6."""
    ca: str


@contextmanager
def far_host(seconds: str) -> Iterator[Host]:
    """Run the host while the block lasts."""
    command = [sys.executable, "-m", "bench.hosts", "serve", seconds]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=ROOT) as process:
        assert process.stdout is not None
        assert process.stdin is not None
        try:
            ready: Any = json.loads(process.stdout.readline())
            Thread(target=process.stdout.read, daemon=True).start()
            yield Host([(port, way) for port, way in ready["ports"]], ready["broken"], ready["ca"])
        finally:
            process.stdin.close()


# --- probing it ---


class _BothWire(SocketWire):
    """The real network; the host has these addresses."""

    def __init__(self, families: Sequence[Family]) -> None:
        self._families = families

    async def resolve(self, host: str, port: int, family: Family | None) -> Sequence[Peer]:
        return [Peer(ADDRESSES[each], port, each) for each in self._families]


@dataclass(frozen=True)
class Times:
    """Seconds from the beginning of a probe."""

    first: float
    """Until the first port was known to serve."""
    ports: dict[int, float]
    """Until something was told of each."""
    whole: float


async def probed(host: Host, ports: Sequence[tuple[int, str]], families: Sequence[Family] = tuple(Family)) -> Times:
    """Probe ports of the host once."""
    told: dict[int, float] = {}
    diagnosis = load_diagnosis()
    began = time.perf_counter()

    def take(event: ScanEvent) -> None:
        if isinstance(event, PortScanned):
            told.setdefault(event.result.port, time.perf_counter() - began)

    endpoints = tuple(Endpoint("localhost", port, Security(way)) for port, way in ports)
    question = ScanRequest(host="localhost", endpoints=endpoints, ca_file=host.ca)
    found = await probe(question, wire=_BothWire(families), diagnosis=diagnosis, emit=take)
    whole = time.perf_counter() - began
    if not found.serving:
        raise RuntimeError(f"nothing serves: {[each.report for each in found.ports]}")
    return Times(min(told[each.port] for each in found.serving), told, whole)


def runs(host: Host, ports: Sequence[tuple[int, str]], families: Sequence[Family] = tuple(Family)) -> list[Times]:
    """Probe as often as it takes for a median, after one run that does not count."""

    async def all_of_them() -> list[Times]:
        return [await probed(host, ports, families) for _ in range(RUNS + 1)][1:]

    return asyncio.run(all_of_them())


# --- what one would do instead ---


def bare(host: Host, port: int, way: str) -> float:
    """Return the seconds until one port is known to serve for a client that does nothing else: the bound.

    The connection, the handshake, the greeting and the hello are four round trips with TLS 1.3; with STARTTLS the
    command and the second hello make it six.
    """
    context = ssl.create_default_context(cafile=host.ca)

    def turn(line: bytes) -> None:
        connection.sendall(line)
        connection.recv(65536)

    began = time.perf_counter()
    connection = socket.create_connection((ADDRESSES[Family.IPV4], port))
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    if way == "starttls":
        connection.recv(65536)
        turn(b"EHLO [127.0.0.1]\r\n")
        turn(b"STARTTLS\r\n")
    connection = context.wrap_socket(connection, server_hostname="localhost")
    if way == "tls":
        connection.recv(65536)
    turn(b"EHLO [127.0.0.1]\r\n")
    took = time.perf_counter() - began
    connection.close()
    return took


def bound(host: Host, port: int, way: str) -> float:
    """The median of several such clients."""
    return statistics.median(bare(host, port, way) for _ in range(RUNS))


def swaks_one_after_the_other(host: Host) -> float:
    """Return the seconds that swaks takes for each port over each family, in turn, as far as the hello."""
    began = time.perf_counter()
    for port, way in host.ports:
        for address in ADDRESSES.values():
            argv = ["swaks", "--server", address, "--port", str(port), "--tlsc" if way == "tls" else "--tls"]
            argv += ["--to", "bob@example.test", "--from", "ana@example.test", "--quit-after", "EHLO", "--silent", "3"]
            subprocess.run([*argv, "-6" if ":" in address else "-4"], capture_output=True, check=False)
    return time.perf_counter() - began


# --- the page ---


def _row(name: str, measured: float, bound: float, beside: str, goal: str) -> str:
    return (
        f"| {name} | {measured * 1000:.0f} ms | {bound * 1000:.0f} ms ({beside}) | {_ratio(measured / bound)} "
        f"| at most {goal} |"
    )


def _ratio(value: float) -> str:
    return f"{value:.2f}" if value > 0.1 else f"1/{1 / value:.0f}"


def section() -> str:
    """Measure, and return the part of the page."""
    rows: list[str] = []
    load = os.getloadavg()[0]
    for away in ROUND_TRIPS:
        trip = float(away)
        with far_host(away) as host:
            times = runs(host, host.ports)
            answering = host.ports[:3]
            least = {port: bound(host, port, way) for port, way in answering}
            label = f"{trip * 1000:.0f} ms away"
            first, on_465 = statistics.median(each.first for each in times), least[answering[0][0]]
            rows.append(_row(f"first working setting, {label}", first, on_465, "a bare client on 465", "1.15"))
            took = {port: statistics.median(each.ports[port] for each in times) for port in least}
            slowest = max(least, key=lambda port: took[port] / least[port])
            beside = "a bare client on that port"
            rows.append(
                _row(f"every answering port, the slowest, {label}", took[slowest], least[slowest], beside, "1.15")
            )
            whole = statistics.median(each.whole for each in times)
            limit = RESENT[0] + 0.25
            rows.append(_row(f"the whole host, one port silent, {label}", whole, limit, "that port's limit", "1.15"))
            broken = [(host.broken, "tls")]
            healthy = statistics.median(each.first for each in runs(host, broken, [Family.IPV4]))
            swallowed = statistics.median(each.first for each in runs(host, broken, [Family.IPV6, Family.IPV4]))
            rows.append(_row(f"first working setting, IPv6 broken, {label}", swallowed, healthy, "healthy", "1.1"))
            if away == ROUND_TRIPS[0] and shutil.which("swaks"):
                other = swaks_one_after_the_other(host)
                rows.append(_row(f"the whole host beside swaks, {label}", whole, other, "swaks in turn", "1/35"))
    return PAGE.format(rows="\n".join(rows), runs=RUNS, load=load)


PAGE = """\
## Probing a host

Four ports over both families, all at once; one port swallows every packet. Written by `python -m bench.hosts`: medians
of {runs} probes in one process, the first left out; the computer's load was {load:.1f} before. The host is behind a
proxy that lets every byte take its time, and knows when a connection would have come about. Swaks tries the same ports
and families one after the other, as far as the hello, without checking the certificate; the bare client speaks to one
port over one family, in one blocking socket.

| probing | measured | beside | ratio | goal |
| --- | --- | --- | --- | --- |
{rows}
"""


def main() -> None:
    """Measure and write."""
    part = section()
    OUTPUT.write_text(put(OUTPUT.read_text("utf-8"), HEADING, part), "utf-8")
    print(part)


if __name__ == "__main__":
    with suppress(KeyboardInterrupt):
        if sys.argv[1:2] == ["serve"]:
            asyncio.run(serve(float(sys.argv[2])))
        else:
            main()
