"""Every example of the help, the README and the documents is run: on this computer, which plays everybody else."""

from __future__ import annotations

import asyncio
import re
import shlex
import threading
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from smtp_wizard import cli
from smtp_wizard.commands.examples import examples
from smtp_wizard.engine.accounts.saved_accounts import SavedAccounts
from smtp_wizard.engine.base.connection import Family
from smtp_wizard.engine.base.shown import phrase
from smtp_wizard.engine.discovery import dns
from smtp_wizard.engine.sandbox.scenarios import practice_password
from smtp_wizard.engine.secrets.store_kinds import StoreKind, StoreRef
from smtp_wizard.engine.smtp.symptom import Fault
from smtp_wizard.engine.smtp.tls import verifying_context
from smtp_wizard.engine.smtp.transport import Peer, SocketWire, Stream
from smtp_wizard.engine.smtp.wire_error import WireError
from tests.commands.test_discover import Served
from tests.commands.test_laws import readme_calls
from tests.commands.test_test import PRACTICE
from tests.support import many as many_module
from tests.support.cli import run
from tests.support.discovering import answering
from tests.support.everycommand import leaves
from tests.support.many import Many, many_servers
from tests.support.nouns import with_fields
from tests.support.patience import PATIENCE

pytestmark = pytest.mark.system_trust
"""The servers here are trusted by SSL_CERT_FILE, in the place of all that the system trusts."""

ROOT = Path(__file__).parents[2]
HERE = "mail.example.com"
ZONE = """
example.com. 60 IN MX 10 mail.example.com.
example.com. 60 IN TXT "v=spf1 mx -all"
mail.example.com. 60 IN A 192.0.2.7
_dmarc.example.com. 60 IN TXT "v=DMARC1; p=none; rua=mailto:dmarc@example.com"
"""


class Elsewhere:
    """The mail server of example.com, which runs beside the test in a loop of its own."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._loop = asyncio.new_event_loop()
        self._up = threading.Event()
        self._thread = threading.Thread(target=lambda: self._loop.run_until_complete(self._run()))
        self._end: asyncio.Event
        self.many: Many

    async def _run(self) -> None:
        self._end = asyncio.Event()
        async with many_servers(self._folder, names=(HERE,)) as self.many:
            self._up.set()
            await self._end.wait()

    def __enter__(self) -> Many:
        self._thread.start()
        assert self._up.wait(PATIENCE)
        return self.many

    def __exit__(self, *_: object) -> None:
        self._loop.call_soon_threadsafe(self._end.set)
        self._thread.join()
        self._loop.close()


@pytest.fixture
def world(own_home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Two saved accounts, files to look through, and a mail server of example.com that takes STARTTLS on 587."""
    with Elsewhere(tmp_path / "ca") as many, Served(ZONE) as names:
        host, port = many.places[0]

        async def resolve(_: SocketWire, name: str, wanted: int, family: Family | None) -> Sequence[Peer]:
            if name.startswith("127."):
                return [Peer(name, wanted, Family.IPV4)]
            if name != HERE or family is Family.IPV6:
                raise WireError(Fault.NO_SUCH_HOST, phrase("nobody is called so here"))
            return [Peer(host, wanted, Family.IPV4)]

        really = SocketWire.connect

        async def connect(wire: SocketWire, peers: Sequence[Peer]) -> Stream:
            there = {(host, 587): port}
            return await really(
                wire, [replace(each, port=there.get((each.address, each.port), each.port)) for each in peers]
            )

        monkeypatch.setattr(SocketWire, "resolve", resolve)
        monkeypatch.setattr(SocketWire, "connect", connect)
        monkeypatch.setenv("SSL_CERT_FILE", str(many.ca_file))
        password = practice_password()
        monkeypatch.setattr(many_module, "PASSWORD", password)  # one for both servers
        for name in ("MAIL_PASSWORD", "PASSWORD"):
            monkeypatch.setenv(name, password)
        monkeypatch.setattr(dns, "Resolver", lambda: names.resolver)
        verifying_context.cache_clear()  # it knows whom to trust from before
        answering(monkeypatch)
        secret = tmp_path / "secret"
        secret.touch(0o600)
        secret.write_text(password, "utf-8")
        saved = SavedAccounts(own_home / "config")
        for name in ("Office", "Shop 1"):
            saved.put(with_fields(PRACTICE, name=name, id="", store=StoreRef(StoreKind.FILE, str(secret))))
        work = tmp_path / "work"
        work.mkdir()
        (work / "error.txt").write_text("535 5.7.8 authentication failed", "utf-8")
        (work / "letter.html").write_text('<a href="https://firm.example/u?{{id}}">Unsubscribe</a>', "utf-8")
        monkeypatch.chdir(work)
        yield
    verifying_context.cache_clear()


ENDS: dict[str, tuple[int, ...]] = {
    "setup ana@example.com": (2,),  # opens the screens, for which there is no terminal here
    "discover ana@example.com": (1,),  # nobody was found
    "domain example.com": (0, 1),  # its keys for DKIM are nowhere
    "readiness Office --recipients 5000": (1,),  # a practice mailbox publishes nothing
    "unsubscribe --check letter.html": (0, 1),
    "test 'Shop*' --only failing --format jsonl": (0,),
    "vault passphrase --passphrase-env OLD_PASSPHRASE --new-passphrase-env NEW_PASSPHRASE": (0, 3),
}
"""What an example exits with that does not say that all is well."""
UNTIL_STOPPED = ("sandbox --scenario", "sandbox mailbox show KEY", "bounces")
"""What runs until it is stopped, needs a word that is another each time, or reads a mailbox; other tests run these."""


@pytest.mark.parametrize(
    "line", [example.line for found in examples().values() for example in found], ids=lambda line: line[12:60]
)
def test_every_example_of_the_help_does_what_it_says(world: None, line: str) -> None:
    words = shlex.split(line.partition(" > ")[0])
    assert words[0] == "smtp-wizard"
    if line.partition(" ")[2].startswith(UNTIL_STOPPED):
        assert run(*words[1:], "--help").code == 0
        return
    ran = run(*words[1:], stdin="535 5.7.8 authentication failed\n")
    assert ran.code in ENDS.get(line.partition(" ")[2], (0,)), ran.err + ran.out
    assert "Traceback" not in ran.err


def test_every_command_has_an_example_that_its_help_shows() -> None:
    lacking = []
    for words, command in leaves():
        named = words[:-1] if command.hidden else words  # the one that runs where no other is named
        if not examples().get(" ".join(named)):
            lacking.append(" ".join(named))
    assert lacking == []
    for name, found in examples().items():
        text = run(*name.split(), "--help").out
        assert all(f"  {each.line}\n      {each.what}\n" in text for each in found), name


def test_every_example_calls_the_command_below_which_it_stands() -> None:
    for name, found in examples().items():
        assert all(each.line == f"smtp-wizard {name}" or each.line.startswith(f"smtp-wizard {name} ") for each in found)


DOCUMENTS = ("README.md", "CONTRIBUTING.md", *(f"docs/{each.name}" for each in sorted((ROOT / "docs").glob("*.md"))))
CALL = re.compile(r"`smtp-wizard ([a-z][^`]*)`")


def calls_in_text() -> Iterator[tuple[str, str]]:
    """Yield what the documents call in the midst of a sentence, with the document."""
    for name in DOCUMENTS:
        for found in CALL.findall((ROOT / name).read_text("utf-8")):
            yield name, found


@pytest.mark.parametrize(("document", "call"), list(calls_in_text()))
def test_every_call_in_the_documents_is_understood(document: str, call: str) -> None:
    words = [word for word in shlex.split(call) if word != "..."]
    assert words[0] in cli.COMMANDS, document
    assert run(*words, "--help").code == 0, document


RUN_ELSEWHERE = (
    "accounts edit Office --store vault",
    "send Office --rehearse-bounce",
    "test Office --on",
    "sandbox",
    "setup",
    "doctor --clean",
    "vault",
    "check mail.example.com:25",
)
"""Calls of the README that ask somebody, run until they are stopped, or are run by tests of their own."""


@pytest.mark.parametrize("words", readme_calls(), ids=" ".join)
def test_the_calls_of_the_readme_run(world: None, words: list[str]) -> None:
    line = " ".join(words)
    if line.startswith(RUN_ELSEWHERE) and not line.startswith("sandbox mailbox"):
        assert run(*words, "--help").code == 0
        return
    ran = run(*words)
    assert "Traceback" not in ran.err
    assert ran.code in (0, 1) or "Broker" in line, ran.err
