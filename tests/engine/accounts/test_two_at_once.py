"""Two programs change saved accounts at the same time, in every order that their steps can come in: nothing is lost."""

from __future__ import annotations

import asyncio
import itertools
import os
import tempfile
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from smtp_wizard.engine.accounts.account import Account, AccountsError
from smtp_wizard.engine.accounts.saved_accounts import NoSuchAccount
from smtp_wizard.engine.base.address import Address
from smtp_wizard.engine.base.connection import Connection
from smtp_wizard.engine.base.endpoint import Endpoint, Security
from smtp_wizard.engine.base.errors import InputError
from smtp_wizard.engine.base.identity import Scope
from smtp_wizard.engine.base.private_files import write_private
from smtp_wizard.engine.base.secret import Secret
from smtp_wizard.engine.secrets.keyring import SERVICE
from smtp_wizard.engine.secrets.secret_store import SecretError
from smtp_wizard.engine.secrets.store_kinds import StoreKind, StoreRef
from smtp_wizard.engine.secrets.stores import SecretStores
from smtp_wizard.engine.secrets.vault_format import Cost
from smtp_wizard.engine.services.services import Services
from smtp_wizard.engine.wizard.account_draft import draft_of
from smtp_wizard.engine.wizard.draft import Draft
from tests.commands.test_send import RELAY
from tests.support.accepting import taking_every_password
from tests.support.at_once import AtOnceKeyring, AtOnceVault, without_threads
from tests.support.nouns import with_fields
from tests.support.stores import MemoryBackend, always, desktop
from tests.support.walk import make_services

PASSPHRASE = Secret("four words of no sense")
ENDPOINT = Endpoint("mail.example.test", 587, Security.STARTTLS)
OLD = "the old one"
FAULTS = (SecretError, AccountsError, InputError)
"""What a change may be refused with where another one was faster."""

Act = Callable[[Services], Awaitable[object]]


def draft(password: str, name: str = "Office", store: StoreKind = StoreKind.KEYRING, **more: Any) -> Draft:
    whole = Draft(
        address=Address("ana", "example.test"),
        connection=Connection(endpoint=ENDPOINT, username="ana"),
        secret=Secret(password),
    )
    return with_fields(whole, name=name, store=store, **more)


def acts(password: str, office: Account) -> dict[str, Act]:
    """Everything that changes what is kept; where a password is typed it is this one.

    `office`: the account as it was when the program last looked, as on a screen that stays open.
    """
    vault, session = StoreKind.VAULT, StoreKind.SESSION

    def edited(services: Services, **more: Any) -> Draft:
        return with_fields(draft_of(office, Secret(password), services.catalog), **more)

    async def scoped(services: Services) -> Account:
        return await services.accounts.set_scope("Office", Scope.ALL)

    return {
        "saves a new one": lambda services: services.accounts.save(draft(password, "Shop")),
        "saves a new one in the vault": lambda services: services.accounts.save(draft(password, "Shop", vault)),
        "replaces": lambda services: services.accounts.save(draft(password), replacing=True),
        "replaces in the vault": lambda services: services.accounts.save(draft(password, store=vault), replacing=True),
        "edits": lambda services: services.accounts.save(edited(services, sender_name="Ana")),
        "edits the name": lambda services: services.accounts.save(edited(services, name="Shop")),
        "renames": lambda services: services.accounts.rename("Office", "Shop"),
        "copies": lambda services: services.accounts.duplicate("Office", "Shop"),
        "moves to the vault": lambda services: services.accounts.move("Office", vault),
        "moves to nowhere": lambda services: services.accounts.move("Office", session),
        "renews": lambda services: services.accounts.replace_secret(office, Secret(password), lambda _: None),
        "removes": lambda services: services.accounts.remove("Office"),
        "sets the scope": scoped,
    }


NAMES = tuple(acts("", RELAY))
SAVES = frozenset(name for name in NAMES if name.startswith(("saves", "replaces", "edits")))
TAKES_AWAY = frozenset({"removes", "renames", "edits the name", "moves to nowhere"})
"""After these the password of the account of that name may not be found any more."""


class Stores(SecretStores):
    """Stores that wait for their turn before and after each thing they do."""

    def __init__(self, folder: Path, backend: MemoryBackend, program: Program) -> None:
        keyring = AtOnceKeyring(backend_factory=always(backend))
        super().__init__({}, folder, keyring=keyring, vault=AtOnceVault(folder, cost=Cost(n=2**4)))
        self._program = program

    async def put(self, ref: StoreRef, secret: Secret, **more: Any) -> None:
        await self._program.turn()
        await super().put(ref, secret, **more)
        await self._program.turn()

    async def fetch(self, ref: StoreRef) -> Secret:
        await self._program.turn()
        return await super().fetch(ref)

    async def delete(self, ref: StoreRef) -> None:
        await self._program.turn()
        await super().delete(ref)
        await self._program.turn()


@dataclass
class Program:
    """One of two programs; it goes on when it may, one step at a time."""

    steps: int = 0
    running: asyncio.Task[object] | None = None
    problem: Exception | None = None
    _may: asyncio.Event = field(default_factory=asyncio.Event)
    _waits: asyncio.Event = field(default_factory=asyncio.Event)

    async def turn(self) -> None:
        """Called by the stores: wait until this program may go on."""
        if self.running is None:
            return  # it is still being set up
        self.steps += 1
        self._waits.set()
        await self._may.wait()
        self._may.clear()

    async def go(self, steps: int | None = None) -> None:
        """Let it go on for so many steps, None: to its end."""
        assert self.running is not None
        for _ in itertools.count() if steps is None else range(steps):
            self._waits.clear()
            self._may.set()
            await _either(self.running, self._waits)
            if self.running.done():
                return

    async def run(self, act: Act, services: Services) -> None:
        """Do something up to its first step."""

        async def guarded() -> object:
            try:
                return await act(services)
            except FAULTS as problem:
                self.problem = problem
                return None

        self.running = asyncio.create_task(guarded())
        await _either(self.running, self._waits)


async def _either(task: asyncio.Task[object], event: asyncio.Event) -> None:
    waiting = asyncio.create_task(event.wait())
    await asyncio.wait({task, waiting}, return_when=asyncio.FIRST_COMPLETED)
    waiting.cancel()


class Computer:
    """A config folder, a keyring and a vault, and two programs that use them."""

    def __init__(self, folder: Path, backend: MemoryBackend) -> None:
        self.folder = folder
        self.backend = backend
        self.programs = (Program(), Program())
        self.processes = tuple(self._services(program) for program in self.programs)

    def _services(self, program: Program) -> Services:
        services = make_services(self.folder, stores=Stores(self.folder, self.backend, program))
        return taking_every_password(services, ENDPOINT)

    async def set_up(self) -> Account:
        """Return the account that is saved at the beginning: the same files each time, which are made once."""
        if not _saved:
            await self.processes[0].stores.vault.create(PASSPHRASE)
            await self.processes[0].accounts.save(draft(OLD))
            _saved.append((kept_files(self.folder), dict(self.backend.entries)))
        else:
            files, entries = _saved[0]
            for name, content in files.items():
                write_private(self.folder / name, content)
            self.backend.entries.update(entries)
            await self.processes[0].stores.vault.open(PASSPHRASE)
        await self.processes[1].stores.vault.open(PASSPHRASE)
        return self.processes[0].saved_accounts.get("Office")

    async def both(self, one: Act, other: Act, before: int, between: int) -> None:
        """Do both: the first one for so many steps, then the other one, then the rest of each."""
        first, second = self.programs
        await first.run(one, self.processes[0])
        await first.go(before)
        await second.run(other, self.processes[1])
        await second.go(between)
        await first.go()
        await second.go()

    async def entries(self) -> dict[StoreRef, str]:
        """Everything that is kept, wherever."""
        keyring = {
            StoreRef(StoreKind.KEYRING, user): secret
            for (service, user), secret in self.backend.entries.items()
            if service == SERVICE
        }
        vault = self.processes[0].stores.vault._entries()
        return keyring | {StoreRef(StoreKind.VAULT, name): secret for name, secret in vault.items()}


_saved: list[tuple[dict[str, bytes], dict[tuple[str, str], str]]] = []
"""The files of the config folder, and the entries of the keyring, that each run begins with."""


def kept_files(folder: Path) -> dict[str, bytes]:
    files = [path for path in folder.iterdir() if path.suffix != ".lock"]
    assert len(files) > 1
    return {path.name: path.read_bytes() for path in files}


@pytest.fixture(autouse=True)
def no_power_cut_and_no_threads(monkeypatch: pytest.MonkeyPatch) -> None:
    """What lasts over a power cut takes its time, and so do threads, which these thousands of runs do without.

    One program does one thing at a time here, so that nothing else could happen while a thread is waited for.
    """
    monkeypatch.setattr("os.fsync", lambda _: None)
    without_threads(monkeypatch)


@contextmanager
def fresh_folder() -> Iterator[Path]:
    """A config folder, in memory where the system has a place for that."""
    memory = Path("/dev/shm")
    with tempfile.TemporaryDirectory(dir=memory if os.access(memory, os.W_OK) else None) as folder:
        yield Path(folder)


@pytest.mark.parametrize("other", NAMES)
@pytest.mark.parametrize("one", NAMES)
async def test_nothing_is_lost_in_any_order(one: str, other: str) -> None:
    """Every account that is there has its password, and no password is there that belongs to no account.

    One program does some steps, then the other some, then the first the rest, then the other.
    """
    orders = 0
    for before in itertools.count():
        for between in itertools.count():
            first, second = await in_one_order(one, other, before, between)
            orders += 1
            if second.steps <= between or first.steps <= before:
                break  # one of them had ended before the other went on: more steps are the same order
        if first.steps <= before:
            break
    assert orders >= first.steps


async def in_one_order(one: str, other: str, before: int, between: int) -> tuple[Program, Program]:
    with fresh_folder() as folder:
        computer = Computer(folder, desktop())
        office = await computer.set_up()
        await computer.both(acts("by one", office)[one], acts("by the other", office)[other], before, between)
        await told_rightly(computer, one, other)
        return computer.programs


async def told_rightly(computer: Computer, one: str, other: str) -> None:
    accounts = computer.processes[0].saved_accounts.list()
    kept = await computer.entries()
    stores = [account.store for account in accounts if account.store and account.store.kind is not StoreKind.SESSION]
    assert set(kept) == set(stores), "each account has its password, and none is left that belongs to nobody"
    assert len(stores) == len(set(stores))
    assert not list(computer.folder.glob("unfinished-*"))
    first, second = computer.programs
    nobody_spoilt(first, one, "by one", other, kept)
    nobody_spoilt(second, other, "by the other", one, kept)
    if "removes" not in (one, other):
        assert accounts


def nobody_spoilt(program: Program, act: str, typed: str, other: str, kept: dict[StoreRef, str]) -> None:
    """What a program said that it had done was done, and what it could not do had a reason."""
    assert program.running is not None
    made = program.running.result()
    if act in SAVES and isinstance(made, Account) and made.store in kept:
        assert kept[made.store] == typed, "an account has the password that it was saved with"
    if act == "renews" and program.problem is None and other in {"renames", "moves to the vault", "sets the scope"}:
        assert set(kept.values()) == {typed}, "a new password is not lost to somebody who typed none"
    if isinstance(program.problem, SecretError):
        assert other in TAKES_AWAY
    if isinstance(program.problem, NoSuchAccount):
        assert other in TAKES_AWAY
        assert act not in SAVES, "what was typed is saved, also where the account is gone"
