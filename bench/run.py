"""Measure, and write docs/benchmarks.md: `python -m bench.run`.

It needs swaks (with Net::SSLeay, for TLS) to compare with. Everything stays on this computer: what is far away is so
because a proxy lets it take its time.
"""

from __future__ import annotations

import importlib.metadata
import json
import os
import platform
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from threading import Thread
from typing import Any

from bench import explain, hosts, start
from bench.measure import Pair, Program, in_turns, milliseconds
from bench.terminal import FirstFrame, first_frame
from smtp_wizard.engine.sandbox.scenarios import practice_password

ROOT = Path(__file__).resolve().parents[1]
OUTPUT = ROOT / "docs" / "benchmarks.md"
OURS = str(Path(sys.executable).parent / "smtp-wizard")
ROUND_TRIPS = ("0", "0.05", "0.2")
"""Seconds."""
PAIRS = {"0": 15, "0.05": 9, "0.2": 7}
FRAME_PAIRS = 7
PASSWORD = practice_password()
Table = list[tuple[str, ...]]


class Peer:
    """The far server, in a process of its own."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        assert process.stdout is not None
        ready: Any = json.loads(process.stdout.readline())
        self.ports: Mapping[str, Mapping[str, int]] = ready["ports"]
        self.ca = str(ready["ca"])
        self._waits: list[int] = []
        Thread(target=self._listen, args=(process.stdout,), daemon=True).start()

    def _listen(self, lines: Iterator[str]) -> None:
        for line in lines:
            self._waits.append(int(json.loads(line)["waits"]))

    def waits_of(self, program: Program) -> int:
        """Run a program once; return how often it waited for the server."""
        time.sleep(1)  # what ended before this is told by now
        self._waits.clear()
        program.seconds()
        while not self._waits:
            time.sleep(0.01)
        return self._waits[0]


@contextmanager
def far_server() -> Iterator[Peer]:
    """Run the far server while the block lasts."""
    command = [sys.executable, "-m", "bench.peer", *ROUND_TRIPS]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=ROOT) as process:
        try:
            yield Peer(process)
        finally:
            assert process.stdin is not None
            process.stdin.close()


def environment(home: Path) -> dict[str, str]:
    """An environment that holds nothing of the person who measures."""
    kept = {name: os.environ[name] for name in ("PATH",) if name in os.environ}
    return {
        **kept,
        "HOME": str(home),
        "LANG": "C.UTF-8",
        "TERM": "xterm-256color",
        "SMTP_WIZARD_CONFIG": str(home / "config"),
    }


# --- signing in ---


def sign_in(peer: Peer, security: str, away: str, env: Mapping[str, str]) -> Program:
    """`smtp-wizard test` of a saved account; the account is saved first."""
    name = f"{security} {away}"
    port = str(peer.ports[security][away])
    given = ["--password-stdin", "--ca-file", peer.ca]
    words = ["ana@example.test", "--host", "127.0.0.1", "--port", port, "--security", security, "--username", "ana"]
    setup = [OURS, "setup", *words, "--store", "session", "--save", name, *given]
    Program("setup", setup, PASSWORD, env).seconds()
    return Program(f"smtp-wizard test, {name}", [OURS, "test", name, *given], PASSWORD, env)


def swaks(peer: Peer, security: str, away: str, env: Mapping[str, str]) -> Program:
    """The same by swaks, which verifies the certificate too and goes as far as the sign-in."""
    port = str(peer.ports[security][away])
    argv = ["swaks", "--server", "127.0.0.1", "--port", port, "--tlsc" if security == "tls" else "--tls"]
    argv += ["--tls-verify", "--tls-ca-path", peer.ca, "--auth", "PLAIN", "--auth-user", "ana"]
    argv += ["--auth-password", PASSWORD, "--from", "ana@example.test", "--to", "bob@example.test"]
    return Program(f"swaks, {security} {away}", [*argv, "--quit-after", "AUTH", "--silent", "3"], env=env)


def sign_in_tables(peer: Peer, env: Mapping[str, str]) -> tuple[Table, Table]:
    """Round trips, and times beside swaks."""
    trips: Table = []
    times: Table = []
    for security, label, bound in (("tls", "SSL/TLS (465)", 5), ("starttls", "STARTTLS (587)", 7)):
        for away in ROUND_TRIPS:
            ours, other = sign_in(peer, security, away, env), swaks(peer, security, away, env)
            if away == "0.05":
                trips.append((label, f"{bound}", str(peer.waits_of(ours)), str(peer.waits_of(other))))
            pair = in_turns(ours.seconds, other.seconds, PAIRS[away])
            goal = {"0": "1.2", "0.05": "1.1"}.get(away, "0.85")
            times.append((f"{label}, {float(away) * 1000:.0f} ms away", *beside(pair), f"at most {goal}"))
    return trips, times


def beside(pair: Pair) -> tuple[str, str, str]:
    """Ours, the other's, and the ratio."""
    return milliseconds(pair.ours), milliseconds(pair.other), f"{pair.ratio:.2f}"


# --- drawing ---


def frame_table(env: Mapping[str, str]) -> tuple[Table, Table]:
    """The first frame beside that of a program that draws one line; and bytes over the line."""
    frames: list[FirstFrame] = []

    def wizard() -> float:
        frames.append(first_frame([OURS], b"address", env))
        return frames[-1].seconds

    def hello() -> float:
        return first_frame([sys.executable, str(ROOT / "bench" / "hello.py")], b"Hello, World!", env).seconds

    pair = in_turns(wizard, hello, FRAME_PAIRS)
    size = statistics.median(frame.size for frame in frames)
    idle = max(frame.idle for frame in frames)
    return (
        [("first frame of the wizard", *beside(pair), "at most 2")],
        [
            ("bytes of the first frame at 80x24", f"{size / 1000:.1f} KB", "9 KB"),
            ("bytes in a second of idleness", f"{idle}", "0"),
        ],
    )


# --- writing ---


def table(head: Sequence[str], rows: Table) -> str:
    """A table in Markdown."""
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(row)} |" for row in lines) + "\n"


def machine() -> str:
    """What it was measured on, in a sentence."""
    version = subprocess.run(["swaks", "--version"], capture_output=True, text=True, check=True).stdout
    found = re.search(r"version (\S+)", version)
    return (
        f"Measured on {date.today():%Y-%m-%d}, on {os.cpu_count()} cores ({platform.machine()}, "
        f"{platform.system()}), with Python {platform.python_version()}, "
        f"textual {importlib.metadata.version('textual')} and swaks {found[1] if found else ''}."
    )


def main() -> None:
    """Measure everything and write the page."""
    if shutil.which("swaks") is None:
        sys.exit("bench: swaks is not installed (Debian: swaks, libnet-ssleay-perl).")
    with tempfile.TemporaryDirectory() as folder, far_server() as peer:
        env = environment(Path(folder))
        trips, times = sign_in_tables(peer, env)
        # A home where nothing is saved: the wizard opens.
        frames, sizes = frame_table({**env, "SMTP_WIZARD_CONFIG": str(Path(folder) / "empty")})
    ratio = ("ours", "the other's", "ratio", "goal")
    OUTPUT.write_text(
        PAGE.format(
            machine=machine(),
            pairs=f"{min(*PAIRS.values(), FRAME_PAIRS)} to {max(PAIRS.values())}",
            trips=table(("encryption", "least possible", "smtp-wizard test", "swaks"), trips),
            times=table(("`smtp-wizard test` beside `swaks --quit-after AUTH`", *ratio), times),
            frames=table(("beside a program with one line of text", *ratio), frames),
            sizes=table(("over the line", "measured", "goal"), sizes),
        ),
        "utf-8",
    )
    from bench import fleet

    start.main()
    hosts.main()
    explain.write()
    fleet.main()
    print(OUTPUT.read_text("utf-8"))


PAGE = """\
# Benchmarks

Written by `python -m bench.run`. Every figure stands beside what else a person would use, or beside what nobody can go
below; what counts is the ratio, since seconds depend on the computer. Times are medians of {pairs} pairs of runs, in
turns, each in a process that starts cold; ratios are medians of the ratios of the pairs.

{machine}

No test measures time. What the figures come from is guarded by tests of structure: round trips are counted on a
scripted wire and on real servers, and so are the modules that a command loads and the bytes that an idle screen sends.

## Round trips to the verdict of a sign-in

How often the program waits for the server until it ends: the connection, the handshake, each reply. TLS 1.3 on both
sides. Our verdict stands when the sign-in is answered: the goodbye is said and not waited for.

{trips}
## A saved account tested again

From the start of the program to its end, certificate verified, signed in by AUTH PLAIN. The server is our practice
server behind a proxy on the same computer that lets every byte take its time. What is missed: asyncio, ssl, the
authorities of the system and some 58 dataclasses are loaded before the connection begins.

{times}
## Drawing

In a terminal of 80 by 24, over a pseudo-terminal, from the start of the program to the first frame. What is missed: the
toolkit reads its style sheet three times on the way there, once for each mode that is switched to.

{frames}
{sizes}"""


if __name__ == "__main__":
    main()
