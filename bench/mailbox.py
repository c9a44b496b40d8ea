"""A large mailbox, read by `smtp-wizard bounces`: `python -m bench.mailbox [LETTERS]`, as root, with Dovecot.

The letters lie in a Maildir that Dovecot serves over loopback, 40 bounces among them, all of the last 30 days. Measured
is the command itself, one process: what it took, and the most memory that it had. The first time Dovecot has no index.
It ends with exit code 1 where a goal is missed: too long, too much memory, a bounce not found, or a letter read twice.
"""

from __future__ import annotations

import json
import os
import pwd
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from bench.measure import put
from smtp_wizard.engine.accounts.saved_accounts import SavedAccounts
from smtp_wizard.engine.base.address import Address
from smtp_wizard.engine.base.connection import Auth
from smtp_wizard.engine.base.endpoint import Endpoint, Security
from smtp_wizard.engine.secrets.store_kinds import StoreKind, StoreRef
from tests.commands.test_send import RELAY
from tests.realservers.mailboxes import Mailboxes, run_mailboxes
from tests.realservers.servers import ALICE, DOMAIN, NAME
from tests.support.returned import ORDINARY, report

ROOT = Path(__file__).resolve().parents[1]
OUTPUT = ROOT / "docs" / "benchmarks.md"
HEADING = "## A large mailbox"
LETTERS, BOUNCES = 50_000, 40
SECONDS, MEBIBYTES = 10, 96
"""The goals for that many letters: the whole process at most."""
DAYS = 29
BODY = b"An ordinary line of an ordinary letter, as there are many of them.\n" * 30


@dataclass(frozen=True, slots=True)
class Run:
    """One run of the command."""

    seconds: float
    processor: float
    mebibytes: float
    found: int
    scanned: int


def fill(servers: Mailboxes, letters: int) -> None:
    """Write the letters, spread over the days."""
    box = servers.smtp.mail / "alice"
    owner = pwd.getpwnam("nobody")
    for each in (box, *(box / part for part in ("tmp", "new", "cur"))):
        each.mkdir(exist_ok=True)
        os.chown(each, owner.pw_uid, owner.pw_gid)
    now = time.time()
    for number, octets in enumerate(_letters(letters)):
        arrived = now - DAYS * 86_400 * (letters - number) / letters
        file = box / "cur" / f"{int(arrived)}.{number}.made:2,S"
        file.write_bytes(octets)
        os.utime(file, (arrived, arrived))
        os.chown(file, owner.pw_uid, owner.pw_gid)


def _letters(count: int) -> Iterator[bytes]:
    every = count // BOUNCES
    for number in range(count):
        if number % every == every // 2:
            yield report(f"customer{number}@elsewhere.example", number=number)
        else:
            yield ORDINARY.replace(b"<lunch@", b"<%d@" % number) + BODY


def measured(servers: Mailboxes, home: Path, *more: str) -> Run:
    """Run the command once."""
    program = str(Path(sys.executable).parent / "smtp-wizard")
    asked = ("bounces", RELAY.name, "--imap", f"{NAME}:{servers.imap.port}", "--password-stdin", "--json", *more)
    began = time.perf_counter()
    process = subprocess.Popen(
        (program, "--config", str(home), *asked), stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert process.stdin is not None
    assert process.stdout is not None
    process.stdin.write(ALICE.password)
    process.stdin.close()
    document = json.loads(process.stdout.read())
    _, _, used = os.wait4(process.pid, 0)
    took = time.perf_counter() - began
    process.returncode = 0
    found = len(document["bounces"])
    return Run(took, used.ru_utime + used.ru_stime, used.ru_maxrss / 1024, found, document["scanned"])


def missed(runs: Mapping[str, Run], letters: int) -> list[str]:
    """Return what is above a goal, in words. The goals hold for `LETTERS` letters and fewer."""
    found = []
    for name, run in runs.items():
        if letters <= LETTERS and run.seconds > SECONDS:
            found.append(f"{name}: {run.seconds:.1f} s, and {SECONDS} s at most")
        if letters <= LETTERS and run.mebibytes > MEBIBYTES:
            found.append(f"{name}: {run.mebibytes:.0f} MiB, and {MEBIBYTES} MiB at most")
        if (expected := 0 if "--new" in name else BOUNCES) != run.found:
            found.append(f"{name}: {run.found} bounces, and there are {expected}")
        if (read := letters if name == FIRST else 0) != run.scanned:
            found.append(f"{name}: {run.scanned:,} letters searched, and {read:,} are new")
    return found


def save_account(servers: Mailboxes, home: Path) -> None:
    """Save the account whose mailbox it is."""
    connection = replace(
        RELAY.connection,
        endpoint=Endpoint(NAME, servers.smtp.starttls_port, Security.STARTTLS),
        username=ALICE.address,
        auth=Auth.PASSWORD,
        ca_file=str(servers.smtp.ca_file),
    )
    store = StoreRef(StoreKind.SESSION, "x")
    SavedAccounts(home).put(replace(RELAY, address=Address("alice", DOMAIN), connection=connection, store=store))


def _row(name: str, run: Run) -> str:
    figures = f"{run.seconds:.1f} s | {run.processor:.1f} s | {run.mebibytes:.0f} MiB | {run.scanned:,} | {run.found}"
    return f"| {name} | {figures} |"


FIRST = "the first time"


def main() -> None:
    """Measure, write the section, and say what is missed."""
    letters = int(sys.argv[1]) if len(sys.argv) > 1 else LETTERS
    with run_mailboxes() as servers, tempfile.TemporaryDirectory() as folder:
        home = Path(folder) / "config"
        save_account(servers, home)
        fill(servers, letters)
        runs = {
            FIRST: measured(servers, home),
            "again": measured(servers, home),
            "again, `--new`": measured(servers, home, "--new"),
        }
    rows = [_row(name, each) for name, each in runs.items()]
    load = os.getloadavg()[0]
    part = "\n".join(
        [
            HEADING,
            "",
            f"`smtp-wizard bounces` over {letters:,} letters, {BOUNCES} bounces among them, in a Maildir that Dovecot",
            "serves on the same computer; written by `python -m bench.mailbox`. Time and memory are those of the whole",
            "process, its start included; the server's own work is in the time. The first time Dovecot has no index of",
            f"the Maildir. The goals are {SECONDS} s and {MEBIBYTES} MiB, and the command fails above them.",
            f"The computer's load was {load:.1f}.",
            "",
            "| | took | processor | memory at most | letters searched | bounces |",
            "| --- | --- | --- | --- | --- | --- |",
            *rows,
        ]
    )
    print(part)
    if letters == LETTERS:
        OUTPUT.write_text(put(OUTPUT.read_text("utf-8"), HEADING, part), "utf-8")
    if wrong := missed(runs, letters):
        sys.exit("\n".join(("Missed:", *wrong)))


if __name__ == "__main__":
    main()
