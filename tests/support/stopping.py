"""Changes accounts in processes of their own, and stops them at every step: for good by SIGKILL, or for a while.

A program of its own, since it forks: `python -m tests.support.stopping FOLDER kill ACT...`, or `... pause ACT OTHER`
for any number of pairs. A step is whatever touches a file of the config folder, takes a lock, or goes to the keyring;
with `--real`, where the keyring is the computer's own, only what goes to it. It prints what it found as JSON, for each
act or pair.
"""

from __future__ import annotations

import asyncio
import contextlib
import gc
import importlib
import json
import os
import shutil
import signal
import sys
import threading
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from smtp_wizard.engine.accounts.account import AccountsError
from smtp_wizard.engine.accounts.saved_accounts import SavedAccounts
from smtp_wizard.engine.base.address import Address
from smtp_wizard.engine.base.connection import Connection
from smtp_wizard.engine.base.endpoint import Endpoint, Security
from smtp_wizard.engine.base.errors import InputError
from smtp_wizard.engine.base.identity import Scope
from smtp_wizard.engine.base.secret import Secret
from smtp_wizard.engine.diagnosis.diagnosis import load_diagnosis
from smtp_wizard.engine.providers.catalog import load_catalog
from smtp_wizard.engine.secrets.keyring import SERVICE, Backend, desktop_backend
from smtp_wizard.engine.secrets.secret_store import SecretError
from smtp_wizard.engine.secrets.store_kinds import StoreKind, StoreRef
from smtp_wizard.engine.secrets.stores import SecretStores
from smtp_wizard.engine.secrets.vault import VaultStore
from smtp_wizard.engine.secrets.vault_format import Cost
from smtp_wizard.engine.services.services import Services
from smtp_wizard.engine.smtp.transport import SocketWire
from smtp_wizard.engine.wizard.account_draft import draft_of
from smtp_wizard.engine.wizard.draft import Draft
from smtp_wizard.launch import compose
from tests.support.accepting import taking_every_password
from tests.support.at_once import AtOnceKeyring, AtOnceVault, without_threads
from tests.support.nouns import with_fields
from tests.support.stores import MemoryBackend, desktop

PASSPHRASE = Secret("four words of no sense")
ENDPOINT = Endpoint("mail.example.test", 587, Security.STARTTLS)
OLD, NEW, OTHER = "the old one~q7Z", "the new one~q7Z", "the other one~q7Z"
_CRYPTOGRAPHY = "cryptography.hazmat.primitives"
HEAVY = ("filelock", "sqlite3", f"{_CRYPTOGRAPHY}.kdf.scrypt", f"{_CRYPTOGRAPHY}.ciphers.aead")
"""What every child would load for itself."""
LIMIT = 250.0
"""Seconds for a whole run of this program, should a process hang."""
REFUSED = 3
"""How a process ends that was refused what it wanted."""
PATIENCE = 0.05
"""Seconds to wait for a lock that a process holds which is stopped for a while."""


class Steps:
    """Counts the steps of a process, and does something at one of them."""

    def __init__(self, at: int, then: Callable[[], None]) -> None:
        """`at`: the number of the step before which `then` is called once."""
        self.number = 0
        self._at = at
        self._then = then
        self._guard = threading.Lock()

    def step(self) -> None:
        """Something is about to be done."""
        with self._guard:
            self.number += 1
            reached = self.number == self._at
        if reached:
            self._then()

    def watch(self, folder: Path) -> None:
        """Take whatever touches a file of `folder`, and each lock, for a step."""
        whole = os.fsync

        def fsync(fd: Any) -> None:
            self.step()
            whole(fd)

        def heard(event: str, arguments: tuple[Any, ...]) -> None:
            if event == "fcntl.flock" or (event in _EVENTS and _within(arguments[0], folder)):
                self.step()

        os.fsync = fsync
        sys.addaudithook(heard)


_EVENTS = frozenset({"open", "os.rename", "os.remove", "os.mkdir", "os.chmod"})


def _within(path: object, folder: Path) -> bool:
    # The state is no place for secrets, and its thread does its steps whenever it likes.
    return isinstance(path, str | Path) and str(path).startswith(str(folder)) and "state.sqlite3" not in str(path)


class FileBackend(MemoryBackend):
    """A keyring that several processes share: a file for each entry."""

    def __init__(self, folder: Path) -> None:
        super().__init__()
        self.folder = folder

    def get_password(self, service: str, username: str) -> str | None:
        with contextlib.suppress(FileNotFoundError):
            return self._file(username).read_text("utf-8")
        return None

    def set_password(self, service: str, username: str, password: str) -> None:
        scratch = self._file(f"{username} {os.getpid()}")
        scratch.write_text(password, "utf-8")
        scratch.replace(self._file(username))

    def delete_password(self, service: str, username: str) -> None:
        self._file(username).unlink()

    def names(self) -> list[str]:
        """Return the names of all entries."""
        return [bytes.fromhex(file.name).decode() for file in self.folder.iterdir() if " " not in _name(file)]

    def _file(self, username: str) -> Path:
        return self.folder / username.encode().hex()


def _name(file: Path) -> str:
    return bytes.fromhex(file.name).decode()


class SteppedBackend:
    """The computer's own keyring: each call to it is a step, before and after."""

    def __init__(self, inner: Backend, steps: Steps) -> None:
        self._inner = inner
        self._steps = steps

    def get_password(self, service: str, username: str) -> str | None:
        self._steps.step()
        return self._inner.get_password(service, username)

    def set_password(self, service: str, username: str, password: str) -> None:
        self._steps.step()
        self._inner.set_password(service, username, password)
        self._steps.step()

    def delete_password(self, service: str, username: str) -> None:
        self._steps.step()
        self._inner.delete_password(service, username)
        self._steps.step()


# -- what is done ------------------------------------------------------------------------------------------------------


def draft(password: str, name: str = "Office", store: StoreKind = StoreKind.KEYRING, **more: Any) -> Draft:
    whole = Draft(
        address=Address("ana", "example.test"),
        connection=Connection(endpoint=ENDPOINT, username="ana"),
        secret=Secret(password),
    )
    return with_fields(whole, name=name, store=store, **more)


async def _edited(services: Services, password: str, name: str) -> object:
    before = draft_of(services.saved_accounts.get("Office"), Secret(password), services.catalog)
    return await services.accounts.save(
        replace(before, name=name, identity=replace(before.identity, sender_name="Ana"))
    )


async def _new_password(services: Services, password: str) -> object:
    return await services.accounts.replace_secret(
        services.saved_accounts.get("Office"), Secret(password), lambda _: None
    )


async def _scoped(services: Services, _: str) -> object:
    return await services.accounts.set_scope("Office", Scope.ALL)


async def _renewed(services: Services, password: str) -> object:
    """As a sign-in in the browser is renewed: in its own entry."""
    store = services.saved_accounts.get("Office").store
    assert store is not None
    async with services.entries.change() as change:
        await change.put_at(store, Secret(password))
    return None


ACTS: dict[str, Callable[[Services, str], Awaitable[object]]] = {
    "save": lambda services, password: services.accounts.save(draft(password, "Shop")),
    "save in the vault": lambda services, password: services.accounts.save(draft(password, "Shop", StoreKind.VAULT)),
    "replace": lambda services, password: services.accounts.save(draft(password), replacing=True),
    "replace in the vault": lambda services, password: services.accounts.save(
        draft(password, store=StoreKind.VAULT), replacing=True
    ),
    "edit": lambda services, password: _edited(services, password, "Shop"),
    "rename": lambda services, _: services.accounts.rename("Office", "Shop"),
    "copy": lambda services, _: services.accounts.duplicate("Office", "Shop"),
    "move": lambda services, _: services.accounts.move("Office", StoreKind.VAULT),
    "move to nowhere": lambda services, _: services.accounts.move("Office", StoreKind.SESSION),
    "new password": _new_password,
    "renew": _renewed,
    "remove": lambda services, _: services.accounts.remove("Office"),
    "scope": _scoped,
}
FAULTS = (SecretError, AccountsError, InputError)


@dataclass(frozen=True)
class Seen:
    """What is kept: each account's password by its name, and whatever else lies in the stores."""

    accounts: dict[str, tuple[str, str]]
    others: dict[tuple[str, str], str]


class Computer:
    """A config folder with a vault and a keyring."""

    def __init__(self, folder: Path, *, real: bool) -> None:
        """`real`: the computer's own keyring, instead of files."""
        self.folder = folder
        self.config = folder / "config"
        self.keyring = FileBackend(folder / "keyring")
        self.real = real
        self.catalog = load_catalog()
        self.diagnosis = load_diagnosis()
        self._template = folder / "template"
        self._anew = False
        """Whether everything is as `set_up` made it."""

    def at_once(self, keyring: MemoryBackend) -> Services:
        """Return the engine of a program without threads. They must be patched away while it is used."""
        backend = desktop(keyring)
        stores = SecretStores(
            {},
            self.config,
            keyring=AtOnceKeyring(backend_factory=lambda: backend),
            vault=AtOnceVault(self.config, cost=Cost(n=2**4)),
        )
        return self._services(stores, 10.0)

    def services(self, steps: Steps | None = None, *, patience: float = 10.0) -> Services:
        """Return the engine of a program."""
        backend: Backend = desktop_backend() if self.real else desktop(self.keyring)
        if steps is not None and self.real:
            backend = _stepped(backend, steps)
        vault = VaultStore(self.config, cost=Cost(n=2**4), lock_limit=patience)
        return self._services(SecretStores({}, self.config, backend_factory=lambda: backend, vault=vault), patience)

    def once(self, act: str) -> None:
        """Do everything once, so that no child loads it, and works out for itself how each record is read."""
        services = self.at_once(MemoryBackend())

        async def all_of_it() -> None:
            await services.stores.vault.create(PASSPHRASE)
            await services.accounts.save(draft(OLD))
            await ACTS[act](services, NEW)
            await services.entries.clean()

        self.config.mkdir(mode=0o700)
        _run_at_once(all_of_it, services)
        shutil.rmtree(self.config)

    def _services(self, stores: SecretStores, patience: float) -> Services:
        services = compose(
            catalog=self.catalog,
            diagnosis=self.diagnosis,
            wire=SocketWire(),
            stores=stores,
            saved_accounts=SavedAccounts(self.config, lock_limit=patience),
            folder=self.config,
        )
        return taking_every_password(services, ENDPOINT)

    def begin_anew(self) -> None:
        """Have everything as `set_up` made it."""
        if self._anew:
            self._anew = False
        elif self.real or not self._template.exists():
            assert ended(in_child(self.set_up)) == 0
            shutil.copytree(self.config, self._template / "config")
            shutil.copytree(self.keyring.folder, self._template / "keyring")
        else:
            for folder in (self.config, self.keyring.folder):
                shutil.rmtree(folder)
                shutil.copytree(self._template / folder.name, folder)

    def looked(self) -> Any:
        """Return which accounts there are, and what is wrong with anything; then everything is cleared away.

        Where the keyring is the computer's own, whoever has asked it begins anew at once.
        """
        self._anew = self.real
        if self.real:
            return asked(self._looked_and_set_up)
        services = self.at_once(self.keyring)
        return _run_at_once(lambda: self._looked(services), services)

    async def _looked(self, services: Services) -> Any:
        await services.stores.vault.open(PASSPHRASE)
        return [(await self.seen(services)).accounts, await self.cleaned(services)]

    async def _looked_and_set_up(self) -> Any:
        told = await self._looked(self.services())
        await self.set_up()
        return told

    async def set_up(self) -> None:
        """Start again, with one account."""
        for folder in (self.config, self.keyring.folder, self._template):
            shutil.rmtree(folder, ignore_errors=True)
            folder.mkdir(mode=0o700)
        services = self.services()
        for name in await self._names():
            await services.stores.delete(StoreRef(StoreKind.KEYRING, name))
        await services.stores.vault.create(PASSPHRASE)
        await services.accounts.save(draft(OLD))

    async def _names(self) -> list[str]:
        """Return the names of all entries of ours in the keyring."""
        if not self.real:
            return self.keyring.names()
        import secretstorage

        with contextlib.closing(secretstorage.dbus_init()) as bus:
            items = secretstorage.get_default_collection(bus).search_items({"service": SERVICE})
            return [item.get_attributes()["username"] for item in items]

    async def seen(self, services: Services) -> Seen:
        """Look at everything. Raises whatever is wrong with it."""
        accounts: dict[str, tuple[str, str]] = {}
        others: dict[tuple[str, str], str] = {}
        for name in await self._names():
            ref = StoreRef(StoreKind.KEYRING, name)
            others[ref.kind.value, name] = (await services.stores.fetch(ref)).reveal()
        others |= {(StoreKind.VAULT.value, name): secret for name, secret in services.stores.vault._entries().items()}
        for account in services.saved_accounts.list():
            assert account.store is not None
            where = (account.store.kind.value, account.store.where)
            accounts[account.name] = (account.store.kind.value, others.get(where, ""))
            others.pop(where, None)
        return Seen(accounts, others)

    async def cleaned(self, services: Services) -> list[str]:
        """Clear away what was left; return whatever is not right about that."""
        before = await self.seen(services)
        named = {(left.ref.kind.value, left.ref.where) for left in (await services.entries.left()).entries}
        problems = []
        if named != set(before.others):
            problems.append(f"left are {sorted(before.others)}, and named {sorted(named)}")
        cleaned = await services.entries.clean()
        if cleaned.kept or len(cleaned.removed) != len(named):
            problems.append(f"not everything was deleted: {cleaned.kept}")
        after = await self.seen(services)
        if after != Seen(before.accounts, {}):
            problems.append(f"after deleting there is {after}, before {before}")
        rests = sorted(file.name for file in self.config.iterdir() if "unfinished" in file.name)
        if rests:
            problems.append(f"notes remain: {rests}")
        return problems + self._in_clear()

    def _in_clear(self) -> list[str]:
        texts = {file.name: file.read_bytes() for file in self.config.iterdir() if file.is_file()}
        return [f"{name} tells a password" for name, text in texts.items() if b"~q7Z" in text]


def _stepped(backend: Backend, steps: Steps) -> Backend:
    """Return a keyring whose calls are steps, and which is still taken for the computer's own."""
    stepped = SteppedBackend(backend, steps)
    kind = type(backend)
    stepped.__class__ = type(
        kind.__qualname__, (SteppedBackend,), {"__module__": kind.__module__, "__qualname__": kind.__qualname__}
    )
    return stepped


# -- processes ---------------------------------------------------------------------------------------------------------


def in_child(work: Callable[[], Awaitable[object]]) -> int:
    """Do something in a process of its own; return its id."""
    process = os.fork()
    if process:
        return process
    code = 1
    try:
        code = REFUSED if asyncio.run(_awaited(work)) is False else 0
    finally:
        sys.stderr.flush()
        os._exit(code)


async def _awaited(work: Callable[[], Awaitable[object]]) -> object:
    return await work()


def _run_at_once(work: Callable[[], Awaitable[Any]], services: Services) -> Any:
    """Do something in this process, which must have no threads when it forks."""
    with pytest.MonkeyPatch.context() as patch:
        without_threads(patch)
        done = asyncio.run(_awaited(work))
    services.saved_accounts.state.storage.flush()
    for thread in set(threading.enumerate()) - {threading.main_thread()}:
        thread.join()  # the state's, which has ended
    return done


def ended(process: int) -> int:
    """Wait for a child; return how it ended: 0, or less where a signal killed it."""
    _, status = os.waitpid(process, 0)
    return os.waitstatus_to_exitcode(status)


def asked(work: Callable[[], Awaitable[Any]]) -> Any:
    """Return what `work` returns in a process of its own: this one must have no threads when it forks."""
    reading, writing = os.pipe()

    async def told() -> None:
        answer = json.dumps(await work())
        with os.fdopen(writing, "w") as pipe:
            pipe.write(answer)

    process = in_child(told)
    os.close(writing)
    with os.fdopen(reading) as pipe:
        answer = pipe.read()
    assert ended(process) == 0, "a process that only looks has failed"
    return json.loads(answer)


async def _act(computer: Computer, name: str, password: str, steps: Steps | None, patience: float) -> bool:
    """Do something; return False where it was refused."""
    services = computer.services(steps, patience=patience)
    await services.stores.vault.open(PASSPHRASE)
    if steps is not None and not computer.real:
        steps.watch(computer.folder)
    try:
        await ACTS[name](services, password)
    except FAULTS:
        return False
    return True


def kill(computer: Computer, act: str) -> Iterator[str]:
    """Kill a change at each of its steps, one after the other; yield what is not right afterwards."""

    def die() -> None:
        os.kill(os.getpid(), signal.SIGKILL)

    computer.begin_anew()
    before = computer.looked()[0]
    computer.begin_anew()
    ended(in_child(lambda: _act(computer, act, NEW, None, 10.0)))
    after = computer.looked()[0]
    for step in range(1, 1000):
        computer.begin_anew()
        code = ended(in_child(partial(_act, computer, act, NEW, Steps(step, die), 10.0)))
        accounts, problems = computer.looked()
        if accounts not in (before, after):
            problems.append(f"the accounts are {accounts}, and were {before}")
        yield from (f"{act}, step {step}: {problem}" for problem in problems)
        if code == 0:
            if accounts != after:
                yield f"it came to its end with {accounts} instead of {after}"
            STEPS[act] = step - 1
            return
        assert code == -signal.SIGKILL, f"it ended with {code}"


def pause(computer: Computer, act: str, other: str) -> Iterator[str]:
    """Stop a change at each of its steps while another process does something else; yield what is not right then."""

    for step in range(1, 1000):
        computer.begin_anew()
        stop = Stop()
        first = in_child(partial(_act, computer, act, NEW, Steps(step, stop.wait), 10.0))
        if not stop.reached():
            assert ended(first) == 0
            STEPS[f"{act}, {other}"] = step - 1
            return
        refused = ended(in_child(partial(_act, computer, other, OTHER, None, PATIENCE))) == REFUSED
        stop.go_on()
        assert ended(first) in (0, REFUSED)
        accounts, problems = computer.looked()
        problems += [f"{name} has lost its password" for name, (_, secret) in accounts.items() if not secret]
        if other == "new password" and not refused and OLD in str(accounts):
            problems.append("the new password was lost")
        yield from (f"{act}, step {step}: {problem}" for problem in problems)


class Stop:
    """Holds a child at a step until this process lets it go on."""

    def __init__(self) -> None:
        self._waiting, self._reached = os.pipe()
        self._until, self._go = os.pipe()

    def wait(self) -> None:
        """In the child: say that the step is reached, and wait."""
        os.write(self._reached, b".")
        os.read(self._until, 1)

    def reached(self) -> bool:
        """In this process: wait for the child's step, or its end."""
        os.close(self._reached)
        reached = os.read(self._waiting, 1) == b"."
        os.close(self._waiting)
        if not reached:
            self.go_on()
        return reached

    def go_on(self) -> None:
        """Let the child go on."""
        os.write(self._go, b".")
        os.close(self._go)
        os.close(self._until)


STEPS: dict[str, int] = {}
"""How many steps there were, by what was done."""


def main() -> None:
    """Take what to do from the command line; print what came of it."""
    folder, what, *acts = sys.argv[1:]
    computer = Computer(Path(folder), real="--real" in acts)
    acts = [act for act in acts if act != "--real"]
    signal.alarm(int(LIMIT))
    for module in HEAVY:
        importlib.import_module(module)
    if computer.real:
        desktop_backend()  # chosen once, for all children
    for act in acts:
        computer.once(act)
    gc.freeze()
    pairs = zip(acts[::2], acts[1::2], strict=True) if what == "pause" else ()
    runs = [pause(computer, *pair) for pair in pairs] or [kill(computer, act) for act in acts]
    problems = [problem for run in runs for problem in run]
    sys.stdout.write(json.dumps({"steps": STEPS, "problems": problems}))


if __name__ == "__main__":
    main()
