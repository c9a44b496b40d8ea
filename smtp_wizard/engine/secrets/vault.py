"""The vault: an encrypted file of our own in the config folder, opened by a passphrase.

It is read again for each use and written whole or not at all, under a lock, so that several processes can use it at
the same time. The key stays in memory once the passphrase was right, and so does what was read, until the file is
another one: many secrets cost one reading.
"""

from __future__ import annotations

import os
import time
from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import contextmanager
from enum import StrEnum
from pathlib import Path
from typing import NoReturn, TypeVar

from smtp_wizard.engine.base import private_files
from smtp_wizard.engine.base.errors import InputError
from smtp_wizard.engine.base.secret import Secret
from smtp_wizard.engine.base.shown import Shown, phrase, shown
from smtp_wizard.engine.base.threads import in_thread, run_to_completion
from smtp_wizard.engine.lazy_dataclass import dataclass
from smtp_wizard.engine.secrets import vault_format
from smtp_wizard.engine.secrets.secret_store import Availability, Before, SecretError, SecretFault, do_nothing
from smtp_wizard.engine.secrets.store_kinds import StoreKind, StoreRef
from smtp_wizard.engine.secrets.vault_format import Cost, Key, Sealed

FILE_NAME = "vault.json"
USUAL = Cost()
"""What guessing costs where a passphrase is new."""
SHORTEST = 8
"""Characters of a passphrase at least."""

SETTLED = 2_000_000_000
"""Nanoseconds after which a file that is written once more has another time: no file system's clock is coarser."""

T = TypeVar("T")


@dataclass(frozen=True, slots=True, repr=False)
class _Copy:
    """The file as it was read last."""

    mark: tuple[int, ...]
    """What tells it from every other: see `_mark`."""
    sealed: Sealed


@dataclass(frozen=True, slots=True, repr=False)
class _Unsealed:
    """What was in it, and the key that opened it."""

    sealed: Sealed
    key: Key
    entries: Mapping[str, str]

    def __reduce__(self) -> NoReturn:
        raise TypeError("what a vault holds is not written anywhere")


PassphraseSource = Callable[[], Awaitable[Secret]]
"""Gives a passphrase. Raises `SecretError`."""


class VaultState(StrEnum):
    """What the vault is like now."""

    MISSING = "missing"
    """There is none yet; the first passphrase makes it."""
    CLOSED = "closed"
    OPEN = "open"


def acceptable(passphrase: Secret) -> Secret:
    """Return a passphrase for a new vault. Raises `InputError` where it is too short."""
    if len(passphrase) < SHORTEST:
        raise InputError(
            phrase(
                "A passphrase has at least {} characters; four or five words that do not belong together are good.",
                SHORTEST,
            )
        )
    return passphrase


class VaultStore:
    """Keeps secrets in one encrypted file.

    Where it is closed, all but `probe` raise `SecretFault.CLOSED`, unless `source` gives the passphrase; the
    caller then asks for it, calls `open` or `create`, and tries again.
    """

    kind = StoreKind.VAULT

    def __init__(
        self,
        folder: Path | None,
        *,
        cost: Cost | None = None,
        lock_limit: float = 10.0,
        source: PassphraseSource | None = None,
    ) -> None:
        """`folder`: the config folder; None: there is no place for a vault. `cost`: of a new passphrase.

        `lock_limit`: seconds to wait for another process that is writing. `source` gives the passphrase without asking
        anybody.
        """
        self._file = folder / FILE_NAME if folder is not None else None
        self._cost = cost or USUAL
        self._lock_limit = lock_limit
        self._key: Key | None = None
        self._copy: _Copy | None = None
        self._unsealed_last: _Unsealed | None = None
        self._outdated = False
        """Whether the vault was open here, and has another passphrase since."""
        self._source = source

    # -- the passphrase ---------------------------------------------------------------------------------------------

    @property
    def state(self) -> VaultState:
        """What the vault is like now. A file that cannot be used is closed: opening it says why."""
        if self._file is None or not private_files.may_exist(self._file):
            return VaultState.MISSING
        return VaultState.OPEN if self._key is not None else VaultState.CLOSED

    async def open(self, passphrase: Secret) -> None:
        """Open the vault, for as long as the program runs. Raises `SecretError`: `WRONG`, `DAMAGED`, `ABSENT`."""
        await self._in_thread(lambda: self._opened(passphrase))

    async def create(self, passphrase: Secret) -> None:
        """Make the vault, or open the one that another process has made meanwhile. Raises `SecretError`."""
        acceptable(passphrase)
        await self._to_completion(lambda: self._created(passphrase))

    async def change_passphrase(self, passphrase: Secret) -> None:
        """Seal everything under another passphrase; the old one opens nothing any more. Raises `SecretError`.

        A copy of the file that was made before, as in a backup, still opens with the old one.
        """
        acceptable(passphrase)
        await self._unlocked(lambda: self._changed(passphrase), self._to_completion)

    async def ready(self) -> bool:
        """Open the vault with what `source` gives, if it must be; return whether it is open. Raises `SecretError`."""
        try:
            await self._ready()
        except SecretError as problem:
            if problem.fault is SecretFault.CLOSED:
                return False
            raise
        return True

    async def _ready(self) -> None:
        """Have the key at hand. Raises `SecretError`, `CLOSED` where nobody gives the passphrase."""
        if await self._in_thread(self._fitting):
            return
        if self._source is None:
            raise self.closed()
        passphrase = await self._source()
        if self.state is VaultState.MISSING:
            try:
                await self.create(passphrase)
            except InputError as problem:
                raise SecretError(SecretFault.REFUSED, problem.words) from None
        else:
            await self._open_anew(passphrase)

    async def _open_anew(self, passphrase: Secret) -> None:
        """Open the vault with what `source` gave. Raises `SecretError`, `CLOSED` where that was right once."""
        try:
            await self.open(passphrase)
        except SecretError as problem:
            if problem.fault is SecretFault.WRONG and self._outdated:
                raise self.closed() from None
            raise

    def _fitting(self) -> bool:
        """Whether the key is at hand and, where there is a file, is that file's."""
        found = self._read()  # read before a passphrase is asked for: what is damaged is said first
        if self._key is not None and (found is None or not self._key.fits(found)):
            self._give_up_key(found)
        return self._key is not None

    def _give_up_key(self, found: Sealed | None) -> None:
        """Forget the key: the file was removed, or another process has changed the passphrase."""
        if self._key is not None:
            self._key, self._outdated = None, found is not None
            self._copy = self._unsealed_last = None

    def closed(self) -> SecretError:
        """Return the error for a vault whose passphrase nobody gives."""
        if self._outdated:
            words = phrase("The vault has another passphrase since it was opened here: the new one is needed.")
        elif self.state is VaultState.MISSING:
            words = phrase("There is no vault yet: a passphrase for a new one is needed.")
        else:
            words = phrase("The vault is closed: its passphrase is needed.")
        return SecretError(SecretFault.CLOSED, words)

    async def _unlocked(self, work: Callable[[], T], do: Callable[[Callable[[], T]], Awaitable[T]]) -> T:
        """Have `do` do `work` in a thread, with the vault open. Raises `SecretError`.

        Where another process changes the passphrase just before it, `source` is asked once more.
        """
        await self._ready()
        try:
            return await do(work)
        except SecretError as problem:
            if problem.fault is not SecretFault.CLOSED or self._source is None:
                raise
        await self._ready()
        return await do(work)

    async def _entries_to_read(self) -> Mapping[str, str]:
        """Return the entries: those that were read last, where the file is still that one. Raises `SecretError`."""
        found = self._at_hand()
        return found if found is not None else await self._unlocked(self._entries, self._in_thread)

    def _at_hand(self) -> Mapping[str, str] | None:
        """Return what was read last, where it still stands in the file. It takes a look at the file, and no thread."""
        copy, last = self._copy, self._unsealed_last
        if self._file is None or copy is None or last is None:
            return None
        try:
            unchanged = copy.mark == _mark(self._file)
        except OSError:
            return None
        return last.entries if unchanged and last.sealed is copy.sealed and last.key is self._key else None

    # -- a store ----------------------------------------------------------------------------------------------------

    async def probe(self) -> Availability:
        """Read the file, if there is one, and look whether the folder can be written; no passphrase is needed."""
        try:
            await self._in_thread(self._looked_at)
        except SecretError as problem:
            return Availability(False, str(problem), unattended=False)
        return Availability(
            True,
            "An encrypted file of smtp-wizard's own, which you open with a passphrase: who copies the file learns "
            "nothing without it, and timed jobs (cron) can read it only where they are given the passphrase.",
            unattended=self._source is not None,
        )

    async def put(self, ref: StoreRef, secret: Secret, *, before: Before = do_nothing) -> None:
        await self._unlocked(lambda: self._update({ref.where: secret.reveal()}, before), self._to_completion)

    async def get(self, ref: StoreRef) -> Secret:
        if self.state is VaultState.MISSING:
            raise _absent()
        entries = await self._entries_to_read()
        if ref.where not in entries:
            raise SecretError(
                SecretFault.MISSING, phrase("The vault has no entry '{}' any more.", shown(ref.where, 100))
            )
        return Secret(entries[ref.where])

    async def delete(self, ref: StoreRef) -> None:
        if self.state is VaultState.MISSING:
            return
        await self._unlocked(lambda: self._update({ref.where: None}), self._to_completion)

    # -- the file, in a thread --------------------------------------------------------------------------------------

    async def _in_thread(self, work: Callable[[], T]) -> T:
        """Do `work`, which reads. Raises `SecretError`. When it is cancelled, it waits no longer."""
        return _unwrapped(await in_thread(lambda: _guarded(work)))

    async def _to_completion(self, work: Callable[[], T]) -> T:
        """Do `work`, which writes. Raises `SecretError`. When it is cancelled, it still waits for the work to end.

        Otherwise it would write after the change that asked for it was undone and its note given up.
        """
        return _unwrapped(await run_to_completion(lambda: _guarded(work)))

    def _looked_at(self) -> None:
        """Raise `SecretError` where the file cannot be used."""
        if self._file is None:
            raise SecretError(SecretFault.ABSENT, phrase("There is no config folder in which a vault could be."))
        self._read()
        above = next(each for each in (self._file.parent, *self._file.parent.parents) if each.exists())
        if not above.is_dir() or not os.access(above, os.W_OK | os.X_OK):
            raise SecretError(SecretFault.REFUSED, phrase("No vault can be written in {}.", _shown(self._file.parent)))

    def _opened(self, passphrase: Secret) -> None:
        found = self._read()
        if found is None:
            raise _absent()
        key = vault_format.make_key(passphrase, found.header.salt, found.header.cost)
        self._unsealed(found, key)
        self._key, self._outdated = key, False
        self._swept()

    def _created(self, passphrase: Secret) -> None:
        key = vault_format.new_key(passphrase, self._cost)
        with self._locked() as file:
            if file.exists():
                made_meanwhile = True
            else:
                made_meanwhile = False
                self._write(file, {}, key)
        if made_meanwhile:
            self._opened(passphrase)

    def _changed(self, passphrase: Secret) -> None:
        key = vault_format.new_key(passphrase, self._cost)
        with self._locked() as file:
            self._write(file, self._entries(), key)

    def _update(self, changes: dict[str, str | None], before: Before = do_nothing) -> None:
        """Set or, for None, remove entries: read, change, write and read back, under the lock."""
        with self._locked() as file:
            entries = self._entries()
            after = {name: value for name, value in {**entries, **changes}.items() if value is not None}
            if after == entries:
                return
            assert self._key is not None
            self._write(file, after, self._key, before)

    def _write(self, file: Path, entries: Mapping[str, str], key: Key, before: Before = do_nothing) -> None:
        """Write the file, and read back what was written. Raises `SecretError`, `OSError`."""
        data = vault_format.seal(entries, key)
        if len(data) > vault_format.LARGEST:  # it could not be read any more
            raise SecretError(
                SecretFault.TOO_LONG,
                phrase("The vault is full: keep what is long in another place. Nothing was changed."),
            )
        before()
        private_files.write_private(file, data)
        found = self._read()
        if found is None or not key.fits(found) or self._unsealed(found, key) != entries:
            raise SecretError(SecretFault.FORGETS, phrase("The vault does not give back what is stored in it."))
        self._key, self._outdated = key, False

    def _entries(self) -> Mapping[str, str]:
        """Read and unseal the file with the key that is at hand. Raises `SecretError`."""
        found = self._read()
        if found is None:
            raise _absent()
        if self._key is None or not self._key.fits(found):
            self._give_up_key(found)
            raise self.closed()
        return self._unsealed(found, self._key)

    def _unsealed(self, found: Sealed, key: Key) -> Mapping[str, str]:
        last = self._unsealed_last
        if last is not None and last.sealed is found and last.key is key:
            return last.entries
        try:
            entries = vault_format.unseal(found, key)
        except vault_format.WrongKey:
            raise SecretError(SecretFault.WRONG, phrase("That is not the passphrase of the vault.")) from None
        except vault_format.DamagedVault as problem:
            raise self._damaged(str(problem)) from None
        self._unsealed_last = _Unsealed(found, key, entries)
        return entries

    def _read(self) -> Sealed | None:
        """Return the file, closed; None where there is none. Raises `SecretError`."""
        if self._file is None:
            return None
        try:
            return self._read_if_changed(self._file)
        except FileNotFoundError:
            return None
        except private_files.UnsafeFile as problem:
            raise SecretError(SecretFault.EXPOSED, problem.words) from None
        except OSError as problem:
            raise SecretError(
                SecretFault.REFUSED,
                phrase("The vault {} could not be read: {}.", _shown(self._file), _why(problem)),
            ) from None
        except vault_format.NewerVault:
            raise SecretError(
                SecretFault.REFUSED,
                phrase(
                    "The vault {} was written by a newer smtp-wizard; please update this one.",
                    _shown(self._file),
                ),
            ) from None
        except vault_format.DamagedVault as problem:
            raise self._damaged(str(problem)) from None

    def _read_if_changed(self, file: Path) -> Sealed:
        """Return the file, read only where it is not the one that was read last. Raises as `_read`'s parts do."""
        mark, now, last = _mark(file), time.time_ns(), self._copy
        if last is not None and last.mark == mark:
            return last.sealed
        sealed = vault_format.read(private_files.read_private(file, vault_format.LARGEST))
        if last is not None and last.sealed == sealed:
            sealed = last.sealed  # what was unsealed of it is known
        # One that was written just now may be written once more without its mark telling.
        self._copy = _Copy(mark if max(mark[:2]) < now - SETTLED else (), sealed)
        return sealed

    def _damaged(self, why: str) -> SecretError:
        assert self._file is not None
        return SecretError(
            SecretFault.DAMAGED,
            phrase(
                "The vault {} is damaged ({}) and was left as it is: put a copy from a backup in its "
                "place, or move it away and type the passwords anew.",
                _shown(self._file),
                shown(why),
            ),
        )

    @contextmanager
    def _locked(self) -> Iterator[Path]:
        """Hold the lock of the file; sweep what a writer that was killed has left. Raises `SecretError`."""
        import filelock

        if self._file is None:
            raise SecretError(SecretFault.ABSENT, phrase("There is no config folder in which a vault could be."))
        try:
            with filelock.FileLock(private_files.lock_of(self._file), timeout=self._lock_limit, mode=0o600):
                private_files.sweep_scratch(self._file)
                yield self._file
        except filelock.Timeout:
            raise SecretError(
                SecretFault.REFUSED,
                phrase(
                    "Another smtp-wizard has been writing the vault for more than {:g} seconds; nothing "
                    "was changed, please try again.",
                    self._lock_limit,
                ),
            ) from None
        except private_files.UnsafeFile as problem:
            raise SecretError(SecretFault.EXPOSED, phrase("Nothing was saved. {}", problem.words)) from None
        except OSError as problem:
            raise SecretError(
                SecretFault.REFUSED,
                phrase(
                    "The vault {} could not be written: {}; it is as it was.",
                    _shown(self._file),
                    _why(problem),
                ),
            ) from None

    def _swept(self) -> None:
        """Sweep what killed writers have left, unless somebody is writing, or the folder cannot be written."""
        import filelock

        assert self._file is not None
        try:
            private_files.refuse_foreign_owners(self._file.parent)
            with filelock.FileLock(f"{self._file}.lock", timeout=0, mode=0o600):
                private_files.sweep_scratch(self._file)
        except (filelock.Timeout, OSError):
            return


def _guarded(work: Callable[[], T]) -> T | SecretError:
    try:
        return work()
    except SecretError as problem:
        return problem
    except MemoryError:
        return SecretError(SecretFault.REFUSED, phrase("There is not enough memory to open or close the vault."))


def _unwrapped(done: T | SecretError) -> T:
    """Return what was done; what went wrong is raised here again, without the frames that hold secrets."""
    if isinstance(done, SecretError):
        raise SecretError(done.fault, done.words)
    return done


def _mark(file: Path) -> tuple[int, ...]:
    """Return what changes with every change of a file, of its rights and of its owner too. Raises `OSError`."""
    found = file.stat()
    return found.st_mtime_ns, found.st_ctime_ns, found.st_size, found.st_ino, found.st_dev


def _absent() -> SecretError:
    return SecretError(
        SecretFault.ABSENT, phrase("The vault is not there any more: its file was removed, or moved away.")
    )


def _why(problem: OSError) -> Shown:
    return shown(problem.strerror or type(problem).__name__, 100)


def _shown(path: Path) -> Shown:
    return shown(str(path), 200)
