"""Measure `test --all` over a fleet of accounts, and write that part of docs/benchmarks.md: `python -m bench.fleet`.

Every account is good, so every verdict must be 'pass'. The servers are 50 ms away (`bench.far_fleet`, a process of its
own); all secrets stand in one vault, or where that is said in a file. `python -m bench.fleet run COUNT AT_ONCE [FILES]`
measures one fleet, prints what came of it, and writes nothing.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench.measure import put
from bench.run import OURS, environment
from tests.support.many import PASSWORD, USER, save_fleet

ROOT = Path(__file__).resolve().parents[1]
OUTPUT = ROOT / "docs" / "benchmarks.md"
HEADING = "## A fleet of accounts"
ROUND_TRIP = 0.05
"""Seconds."""
TRIPS = 7
"""Round trips to the verdict of a sign-in with STARTTLS and TLS 1.3; see the page."""
SERVERS = 100
COMPARED = 1000
"""Accounts that other programs are given."""
PASSPHRASE = "plum corner violet stove"
SETTLED = 2.5
"""Seconds after which a vault that was written counts as one that stands there for long."""


@dataclass(frozen=True)
class Size:
    """A fleet to measure."""

    count: int
    at_once: int
    files: int | None = None
    """The limit of open files."""
    vault: bool = True
    """Whether the secrets are in one vault; else they are in a file."""


FLEETS = (
    Size(1000, 200),
    Size(1000, 200, vault=False),
    Size(1000, 200, files=256),
    Size(200, 200, files=64),
    Size(10_000, 200),
)


# --- the fleet ---


@dataclass(frozen=True)
class Far:
    """Where the servers are."""

    servers: Sequence[tuple[str, int]]
    ca: str


@contextmanager
def far_servers() -> Iterator[Far]:
    """Run the servers while the block lasts."""
    command = [sys.executable, "-m", "bench.far_fleet", str(SERVERS), str(ROUND_TRIP)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=ROOT) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        try:
            ready: Any = json.loads(process.stdout.readline())
            yield Far([(host, port) for host, port in ready["servers"]], ready["ca"])
        finally:
            process.stdin.close()
            process.stdout.read()


# --- the run ---


@dataclass(frozen=True)
class Ran:
    """What came of testing a fleet once."""

    size: Size
    right: int
    seconds: float
    cpu: float
    """Seconds of the processor, ours alone."""
    memory: int
    """Most bytes at once, ours alone."""
    verdicts: Mapping[str, int]
    said: str

    @property
    def bound(self) -> float:
        """Seconds that it takes who waits for nothing but the servers."""
        return self.size.count / self.size.at_once * TRIPS * ROUND_TRIP


def run(far: Far, size: Size) -> Ran:
    """Test a fleet once."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        passphrase = PASSPHRASE if size.vault else ""
        save_fleet(folder / "config", far.servers, far.ca, size.count, passphrase=passphrase)
        time.sleep(SETTLED)
        command = [OURS, "test", "--all", "--concurrency", str(size.at_once), "--json"]
        if size.vault:
            command += ["--passphrase-env", "FLEET"]
        if size.files is not None:
            command = ["sh", "-c", f'ulimit -n {size.files}; exec "$@"', "sh", *command]
        out, err = folder / "out.json", folder / "err.txt"
        began = time.perf_counter()
        with out.open("wb") as stdout, err.open("wb") as stderr:
            process = subprocess.Popen(
                command, stdout=stdout, stderr=stderr, env={**environment(folder), "FLEET": PASSPHRASE}
            )
            _, _, usage = os.wait4(process.pid, 0)
            process.returncode = 0
        seconds = time.perf_counter() - began
        results = json.loads(out.read_text("utf-8")).get("results", [])
        verdicts = [each["verdict"] for each in results]
        return Ran(
            size=size,
            right=verdicts.count("pass"),
            seconds=seconds,
            cpu=usage.ru_utime + usage.ru_stime,
            memory=usage.ru_maxrss * 1024,
            verdicts={verdict: verdicts.count(verdict) for verdict in set(verdicts)},
            said=err.read_text("utf-8"),
        )


# --- beside other programs ---


def others(far: Far, folder: Path, count: int) -> Iterator[tuple[str, float, int]]:
    """Yield what else signs in to so many accounts, fifty at a time: its name, the seconds, how many it let in."""
    places = [far.servers[number % len(far.servers)] for number in range(count)]
    rows = "".join(f"{host} {port} {USER}{number}\n" for number, (host, port) in enumerate(places))
    for name, script in OTHERS.items():
        if shutil.which(name) is None:
            continue
        command = ["xargs", "-P", "50", "-n", "3", "sh", "-c", script, "sh"]
        environ = {**environment(folder), "CA": far.ca, "WORD": PASSWORD}
        began = time.perf_counter()
        done = subprocess.run(command, input=rows, capture_output=True, text=True, env=environ, check=False)
        yield name, time.perf_counter() - began, done.stdout.count("235 ")


OTHERS = {
    "swaks": 'swaks --server "$1" --port "$2" --tls --tls-verify --tls-ca-path "$CA" --auth PLAIN --auth-user "$3" '
    '--auth-password "$WORD" --from a@example.test --to b@example.test --quit-after AUTH 2>&1 | grep -m1 "235 " ||:',
    "curl": 'curl -sv --sasl-ir --ssl-reqd --cacert "$CA" --user "$3:$WORD" "smtp://$1:$2" -X NOOP 2>&1 '
    '| grep -m1 "235 " ||:',
}
"""How each signs in once, with a verified certificate: host, port and user name are its arguments."""


# --- the page ---


def row(ran: Ran) -> str:
    """One line of the table."""
    size = ran.size
    limit = f", {size.files} files" if size.files else ""
    where = "" if size.vault else ", no vault"
    return (
        f"| {size.count:,} accounts, {size.at_once} at once{limit}{where} | {ran.right:,} | {ran.seconds:.1f} s "
        f"| {ran.bound:.2f} s | {ran.seconds / ran.bound:.1f} | {ran.cpu / size.count * 1000:.1f} ms "
        f"| {ran.memory / 2**20:.0f} MiB |"
    )


def section() -> str:
    """Measure, and return the part of the page."""
    load = os.getloadavg()[0]
    with far_servers() as far, tempfile.TemporaryDirectory() as name:
        rows = [row(run(far, size)) for size in FLEETS]
        other = [
            f"| {program}, 50 at once | {right:,} | {seconds:.1f} s |"
            for program, seconds, right in others(far, Path(name), COMPARED)
        ]
    return PAGE.format(load=f"{load:.1f}", rows="\n".join(rows), others="\n".join(other), compared=f"{COMPARED:,}")


PAGE = """\
## A fleet of accounts

`smtp-wizard test --all` over good accounts, written by `python -m bench.fleet`. They are on 100 servers, 50 ms away,
that take a sign-in after STARTTLS; the certificate is verified. The bound is what it takes who waits for nothing but
the servers: accounts / at once x 7 round trips. The servers share the two cores with what is measured; processor and
memory are those of smtp-wizard alone, its start included, and so is what a vault takes to be opened: 32 MiB for a
moment, before the first check begins. With few open files fewer accounts are tested at once. The computer's load was
{load} before; the goals, for 1,000 accounts on a quiet one, are twice the bound, 4 ms and 96 MiB.

| | right verdicts | took | bound | ratio | processor a check | memory at most |
| --- | --- | --- | --- | --- | --- | --- |
{rows}

The same {compared} accounts signed in to by other programs, one process an account (`xargs -P 50`), in the same run:

| | signed in | took |
| --- | --- | --- |
{others}
"""


def main() -> None:
    """Measure and write that part of the page."""
    OUTPUT.write_text(put(OUTPUT.read_text("utf-8"), HEADING, section()), "utf-8")


if __name__ == "__main__":
    if sys.argv[1:2] == ["run"]:
        count, at_once, *files = map(int, sys.argv[2:])
        with far_servers() as far:
            ran = run(far, Size(count, at_once, files[0] if files else None))
        print(row(ran), ran.verdicts, ran.said[:2000], sep="\n")
    else:
        main()
