"""Places for secrets, for tests: a keyring in memory that can fail in each known way, a store that always fails."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, field

from smtp_wizard.engine.base.secret import Secret
from smtp_wizard.engine.base.shown import shown
from smtp_wizard.engine.secrets.keyring import SERVICE
from smtp_wizard.engine.secrets.reference_stores import ReferenceStore
from smtp_wizard.engine.secrets.secret_store import (
    Availability,
    Before,
    SecretError,
    SecretFault,
    SecretStore,
    do_nothing,
)
from smtp_wizard.engine.secrets.store_kinds import StoreKind, StoreRef


class FailingStore:
    """A store in which nothing works, whatever is asked of it."""

    def __init__(self, kind: StoreKind = StoreKind.KEYRING, trouble: SecretFault = SecretFault.REFUSED) -> None:
        self.kind = kind
        self.trouble = trouble

    async def probe(self) -> Availability:
        return Availability(False, "This store fails on purpose.", unattended=False)

    async def put(self, ref: StoreRef, secret: Secret, *, before: Before = do_nothing) -> None:
        raise self._error()

    async def get(self, ref: StoreRef) -> Secret:
        raise self._error()

    async def delete(self, ref: StoreRef) -> None:
        raise self._error()

    def _error(self) -> SecretError:
        return SecretError(self.trouble, shown("This store fails on purpose."))


@dataclass
class MemoryBackend:
    """A backend of the keyring library, with its entries in a dict. The guard takes it for a plug-in: see `named`."""

    entries: dict[tuple[str, str], str] = field(default_factory=dict)

    def get_password(self, service: str, username: str) -> str | None:
        return self.entries.get((service, username))

    def set_password(self, service: str, username: str, password: str) -> None:
        self.entries[service, username] = password

    def delete_password(self, service: str, username: str) -> None:
        # As the real ones do, raise where there is nothing to delete.
        del self.entries[service, username]


@dataclass
class ForgetfulBackend(MemoryBackend):
    """Takes everything and keeps nothing."""

    def set_password(self, service: str, username: str, password: str) -> None:
        pass


@dataclass
class AlteringBackend(MemoryBackend):
    """Gives back something else than it was given."""

    def set_password(self, service: str, username: str, password: str) -> None:
        super().set_password(service, username, password[:-1])


@dataclass
class UndeletingBackend(MemoryBackend):
    """Says that it has deleted, and has not."""

    def delete_password(self, service: str, username: str) -> None:
        pass


@dataclass
class RaisingBackend(MemoryBackend):
    """Raises the same exception whatever it is asked."""

    problem: Exception = field(default_factory=RuntimeError)

    def get_password(self, service: str, username: str) -> str | None:
        raise self.problem

    def set_password(self, service: str, username: str, password: str) -> None:
        raise self.problem


@dataclass
class QuotingBackend(MemoryBackend):
    """Refuses, and quotes the password in its exception, as some do."""

    def set_password(self, service: str, username: str, password: str) -> None:
        raise ValueError(f"cannot store {password!r} for {username}")


@dataclass
class HangingBackend(MemoryBackend):
    """Does not come back until `release` is set; `reached` is set when somebody is stuck in it."""

    in_reading: bool = False
    """Hangs when it is read already, as one does that waits to be unlocked; else when something is stored."""
    release: threading.Event = field(default_factory=threading.Event)
    reached: threading.Event = field(default_factory=threading.Event)
    stored: int = 0
    """How often something was stored."""

    def get_password(self, service: str, username: str) -> str | None:
        if self.in_reading:
            self._hang()
        return super().get_password(service, username)

    def set_password(self, service: str, username: str, password: str) -> None:
        if not self.in_reading:
            self._hang()
        self.stored += 1
        super().set_password(service, username, password)

    def _hang(self) -> None:
        self.reached.set()
        self.release.wait()


@dataclass
class ChainBackend(MemoryBackend):
    """Several backends in one, as the keyring library chains them."""

    backends: tuple[object, ...] = ()


def named(backend: MemoryBackend, module: str, name: str = "Keyring") -> MemoryBackend:
    """Give a backend the module and class name of another one, and return it."""
    kind = type(backend)
    backend.__class__ = type(name, (kind,), {"__module__": module, "__qualname__": name})
    return backend


def desktop(backend: MemoryBackend | None = None) -> MemoryBackend:
    """Return a backend that the guard takes for a desktop's own keyring; in memory and working where none is given."""
    return named(backend or MemoryBackend(), "keyring.backends.SecretService")


def chain(*backends: object) -> MemoryBackend:
    """Return a chain of backends that the guard takes for the library's own chain."""
    return named(ChainBackend(backends=backends), "keyring.backends.chainer", "ChainerBackend")


def kept(backend: MemoryBackend) -> dict[str, str]:
    """What a keyring holds, by the account's entry: 'Office/password'. An entry's own ending is left out."""
    entries = [user for service, user in backend.entries if service == SERVICE]
    plain = ["/".join(user.split("/")[:2]) for user in entries]
    assert len(set(plain)) == len(plain), "an account has two entries"
    return {name: backend.entries[SERVICE, user] for name, user in zip(plain, entries, strict=True)}


def entry(ref: StoreRef | None) -> tuple[StoreKind, str]:
    """Where a secret is, without the ending that each entry has of its own."""
    assert ref is not None
    return ref.kind, "/".join(ref.where.split("/")[:2])


async def put(store: SecretStore, account_name: str, secret: Secret) -> StoreRef:
    """Keep a secret under a name that tests know; return where it is."""
    usual = store.default(account_name) if isinstance(store, ReferenceStore) else f"{account_name}/password"
    ref = StoreRef(store.kind, usual)
    await store.put(ref, secret)
    return ref


def always(backend: MemoryBackend) -> Callable[[], MemoryBackend]:
    """Return a factory that hands out this backend."""
    return lambda: backend
