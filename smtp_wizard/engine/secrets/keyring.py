"""The operating system's keyring, behind a guard.

This is the one border where the faults of keyring's backends are translated: what goes wrong below becomes a
`SecretError` with one sentence for a person. Nothing of a foreign exception's text is ever shown, since some of them
quote the secret.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from secrets import token_hex, token_urlsafe
from typing import Protocol, TypeVar

from smtp_wizard.engine.base.secret import Secret
from smtp_wizard.engine.base.shown import phrase, shown
from smtp_wizard.engine.secrets.secret_store import Availability, Before, SecretError, SecretFault, do_nothing
from smtp_wizard.engine.secrets.store_kinds import StoreKind, StoreRef
from smtp_wizard.engine.smtp.timeouts import done_within

SERVICE = "smtp-wizard"
"""Under this name every entry stands in a keyring."""

KEYRING_LIMIT = 8.0
"""Seconds that a keyring may take; a locked one may wait for a window that nobody sees."""

T = TypeVar("T")


class Backend(Protocol):
    """What is used of a backend of the keyring library."""

    def get_password(self, service: str, username: str, /) -> str | None: ...

    def set_password(self, service: str, username: str, password: str, /) -> None: ...

    def delete_password(self, service: str, username: str, /) -> None: ...


OS_BACKENDS = frozenset(
    {
        ("keyring.backends.SecretService", "Keyring"),
        ("keyring.backends.libsecret", "Keyring"),
        ("keyring.backends.kwallet", "DBusKeyring"),
        ("keyring.backends.kwallet", "DBusKeyringKWallet4"),
        ("keyring.backends.macOS", "Keyring"),
        ("keyring.backends.Windows", "WinVaultKeyring"),
    }
)
"""The backends that are an operating system's own keyring, by module and class. The library picks by priority, and
plug-ins that keep clear text, or ask on our terminal, give themselves a high one."""

_WINDOWS = ("keyring.backends.Windows", "WinVaultKeyring")
WINDOWS_LIMIT = 2560
"""Bytes of UTF-16 that an entry of Windows' Credential Manager holds at most (CRED_MAX_CREDENTIAL_BLOB_SIZE)."""
_CHAIN = ("keyring.backends.chainer", "ChainerBackend")
_FAIL = ("keyring.backends.fail", "Keyring")
_NULL = ("keyring.backends.null", "Keyring")

# By name like the backends, not by class: an installation whose keyring library cannot be imported is a fault as well.
_ABSENT_ERRORS = {("keyring.errors", "NoKeyringError"), ("keyring.errors", "InitError")}
_LOCKED_ERROR = ("keyring.errors", "KeyringLocked")


def desktop_backend() -> Backend:
    """Return the backend that the keyring library picks. It may be slow, or hang: called in a daemon thread only."""
    import keyring

    return keyring.get_keyring()


class KeyringStore:
    """The operating system's own keyring, behind a guard.

    A backend is used only if it is on the list of known ones; every call has a time limit and holds neither the
    program nor its end; and what was stored is read back before it is called stored.
    """

    kind = StoreKind.KEYRING

    def __init__(self, *, limit: float = KEYRING_LIMIT, backend_factory: Callable[[], Backend] = desktop_backend):
        """`limit`: seconds for one call. `backend_factory` is called in a daemon thread."""
        self._limit = limit
        self._backend_factory = backend_factory
        self._stuck: threading.Thread | None = None

    async def probe(self) -> Availability:
        """Set, get, compare and delete an entry made for this purpose."""
        try:
            await self._ask(_round_trip)
        except SecretError as problem:
            return Availability(False, str(problem), unattended=False)
        return Availability(
            True,
            "The keyring of this computer keeps the password encrypted: safe from other people and from a stolen disk, "
            "not from programs that you run yourself, and timed jobs (cron) usually cannot read it.",
            unattended=False,
        )

    async def put(self, ref: StoreRef, secret: Secret, *, before: Before = do_nothing) -> None:
        await self._ask(lambda backend, given_up: _store(backend, ref.where, secret, before, given_up))

    async def get(self, ref: StoreRef) -> Secret:
        found = await self._ask(lambda backend, _: backend.get_password(SERVICE, ref.where))
        if found is None:
            raise SecretError(
                SecretFault.MISSING,
                phrase("The keyring of this computer has no entry '{}' any more.", shown(ref.where, 100)),
            )
        return Secret(found)

    async def delete(self, ref: StoreRef) -> None:
        await self._ask(lambda backend, _: _forget(backend, ref.where))

    async def _ask(self, work: Callable[[Backend, threading.Event], T]) -> T:
        """Do `work` in a daemon thread; return what it returns. Raises `SecretError`, after the time limit at last.

        Not `asyncio.to_thread`: at its end `asyncio.run` waits for that thread, however long it hangs. While a call
        that hung is still under way, the next ones fail at once, so that a mute keyring costs the limit only once.
        """
        if self._stuck is not None and self._stuck.is_alive():
            raise self._mute()
        loop = asyncio.get_running_loop()
        answer: asyncio.Future[_Answer[T]] = loop.create_future()
        given_up = threading.Event()

        def run() -> None:
            result = _guarded(self._backend_factory, work, given_up)
            try:
                loop.call_soon_threadsafe(lambda: None if answer.done() else answer.set_result(result))
            except RuntimeError:
                return  # The loop has ended: nobody waits for the answer any more.

        thread = threading.Thread(target=run, name="smtp-wizard keyring", daemon=True)
        thread.start()
        try:
            await done_within(answer, self._limit)
        finally:
            if not answer.done():
                given_up.set()
                self._stuck = thread  # also where this was cancelled: what comes next must not meet it half way
        if not answer.done():
            raise self._mute()
        return answer.result()()

    def _mute(self) -> SecretError:
        return SecretError(
            SecretFault.MUTE,
            phrase(
                "The keyring of this computer did not answer within {:g} seconds; "
                "it may be waiting for you to unlock it in a window on this computer's screen.",
                self._limit,
            ),
        )


_Answer = Callable[[], T]
"""What a thread hands over: called, it returns the value or raises the `SecretError`."""


def _guarded(
    backend_factory: Callable[[], Backend], work: Callable[[Backend, threading.Event], T], given_up: threading.Event
) -> _Answer[T]:
    """Do `work` with a backend that is on the list. Never raises: runs in the daemon thread."""
    try:
        backend = backend_factory()
        _check_backend(backend)
        value = work(backend, given_up)
    except SecretError as problem:
        return _raiser(problem)
    except Exception as problem:  # backends raise what they like: D-Bus, Win32, pipes
        return _raiser(_translated(problem))
    return lambda: value


def _raiser(problem: SecretError) -> _Answer[T]:
    # A fresh error: the first one's traceback and context lead to the backend's frames, and to the secret.
    trouble, words = problem.fault, problem.words

    def answer() -> T:
        raise SecretError(trouble, words)

    return answer


def _translated(problem: Exception) -> SecretError:
    """Say what a backend's exception means. Its text is left out: some quote the secret."""
    kinds = {(kind.__module__, kind.__qualname__) for kind in type(problem).__mro__}
    if kinds & _ABSENT_ERRORS:
        return _absent()
    if _LOCKED_ERROR in kinds:
        return SecretError(
            SecretFault.LOCKED,
            phrase(
                "The keyring of this computer is locked; unlock it (on most systems by signing in at its "
                "screen) and try again."
            ),
        )
    return SecretError(
        SecretFault.REFUSED,
        phrase("The keyring of this computer refused to work ({}).", shown(type(problem).__name__, 60)),
    )


def _absent() -> SecretError:
    return SecretError(
        SecretFault.ABSENT,
        phrase("There is no keyring here that can be used: none is set up, or this is not a desktop session."),
    )


def _forgets() -> SecretError:
    return SecretError(
        SecretFault.FORGETS, phrase("The keyring of this computer does not give back what is stored in it.")
    )


def _check_backend(backend: object) -> None:
    """Raise `SecretError` unless the backend, and each one inside a chain, is an operating system's own keyring."""
    members = list(getattr(backend, "backends", ())) if _class_of(backend) == _CHAIN else [backend]
    if not members:
        raise _absent()
    for member in members:
        known = _class_of(member)
        if known == _FAIL:
            raise _absent()
        if known == _NULL:
            raise _forgets()
        if known not in OS_BACKENDS:
            raise SecretError(
                SecretFault.UNSAFE,
                phrase(
                    "A plug-in ({}) takes the place of this computer's keyring, and whether it "
                    "keeps passwords safe is not known, so it is not used.",
                    shown(".".join(known), 80),
                ),
            )


def _class_of(backend: object) -> tuple[str, str]:
    return type(backend).__module__, type(backend).__qualname__


def _round_trip(backend: Backend, _: threading.Event) -> None:
    """Store, read back, compare and delete a probe entry. Raises `SecretError` where the answer is another one."""
    # A name of its own for each run: two programs that probe at the same time must not meet.
    user, value = f"probe/{token_hex(8)}", token_urlsafe(24)
    backend.set_password(SERVICE, user, value)
    came_back = backend.get_password(SERVICE, user) == value
    _forget(backend, user)
    if not came_back or backend.get_password(SERVICE, user) is not None:
        raise _forgets()


def _store(backend: Backend, user: str, secret: Secret, before: Before, given_up: threading.Event) -> None:
    """Store a secret and read it back. If nobody waits any more, leave, or put back, what was there."""
    _check_length(backend, secret)
    old = backend.get_password(SERVICE, user)
    if given_up.is_set():
        return
    before()
    backend.set_password(SERVICE, user, secret.reveal())
    came_back = backend.get_password(SERVICE, user) == secret.reveal()
    if given_up.is_set() and (old is None or came_back):  # else somebody has put another one there meanwhile
        _restore(backend, user, old)
    if not came_back:
        raise _forgets()


def _check_length(backend: object, secret: Secret) -> None:
    """Raise `SecretError` for a secret that Windows would refuse with words that nobody understands."""
    members = getattr(backend, "backends", ()) if _class_of(backend) == _CHAIN else (backend,)
    length = len(secret.reveal().encode("utf-16-le", "surrogatepass"))
    if length > WINDOWS_LIMIT and _WINDOWS in {_class_of(member) for member in members}:
        raise SecretError(
            SecretFault.TOO_LONG,
            phrase(
                "Windows' own keyring takes secrets of at most {} characters, and this one has "
                "{}: keep it in another place, for example the vault.",
                WINDOWS_LIMIT // 2,
                length // 2,
            ),
        )


def _restore(backend: Backend, user: str, old: str | None) -> None:
    if old is None:
        _forget(backend, user)
    else:
        backend.set_password(SERVICE, user, old)


def _forget(backend: Backend, user: str) -> None:
    """Delete an entry; backends raise where there is none, so look first."""
    if backend.get_password(SERVICE, user) is not None:
        backend.delete_password(SERVICE, user)
