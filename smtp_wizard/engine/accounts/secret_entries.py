"""The saved accounts' secrets while something about them changes: none is lost, and none is left behind unseen.

Every secret that is kept gets an entry of its own, the account is pointed to it in one step, and only then is the
entry deleted that no account refers to any more. So whatever happens at the same time, or stops in between, an account
has the secret that it was saved with; and what was left in a store is named by a note (see `secrets.journal`).
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AbstractContextManager, asynccontextmanager
from datetime import datetime
from pathlib import Path
from typing import TypeVar

from smtp_wizard.engine.accounts.account import Account, AccountsError
from smtp_wizard.engine.accounts.application_sign_in import signs_in_as_application
from smtp_wizard.engine.accounts.saved_accounts import SavedAccounts
from smtp_wizard.engine.base.connection import Auth
from smtp_wizard.engine.base.secret import Secret
from smtp_wizard.engine.base.shown import phrase
from smtp_wizard.engine.base.threads import in_thread, run_to_completion
from smtp_wizard.engine.lazy_dataclass import dataclass
from smtp_wizard.engine.secrets.journal import ChangeNote, PendingChange
from smtp_wizard.engine.secrets.secret_store import KEPT_NOWHERE, SecretError, SecretFault
from smtp_wizard.engine.secrets.store_kinds import StoreKind, StoreRef
from smtp_wizard.engine.secrets.stores import SecretStores

T = TypeVar("T")

TRIES = 5
"""How often something is begun again because another process has changed the same account meanwhile."""


@dataclass(frozen=True, slots=True)
class Leftover:
    """An entry in a store that no account refers to: a change was stopped in the middle."""

    ref: StoreRef
    since: datetime
    """When that change began. Aware."""
    there: bool | None
    """Whether the entry is there; None where the store cannot say now."""

    @property
    def account(self) -> str:
        """The name of the account that it was kept for."""
        return self.ref.where.partition("/")[0]


@dataclass(frozen=True, slots=True)
class Leftovers:
    """What changes that were stopped have left."""

    entries: tuple[Leftover, ...]
    odd: tuple[Path, ...]
    """Notes that cannot be read."""


@dataclass(frozen=True, slots=True)
class CleanupResult:
    """What came of deleting what was left."""

    removed: tuple[Leftover, ...]
    kept: tuple[tuple[Leftover, str], ...]
    """What could not be deleted, each with the sentence that says why."""


class SecretEntries:
    """Reads, replaces and deletes the secrets of saved accounts. Built once, in `launch`."""

    def __init__(self, stores: SecretStores, saved_accounts: SavedAccounts) -> None:
        self._stores = stores
        self._saved_accounts = saved_accounts

    async def secret_of(self, account: Account) -> Secret | None:
        """Return the secret of an account, None where it needs none. Raises `SecretError`.

        Another process may have put it elsewhere since the account was read. It is followed there, but never to what
        is meant for another server or another user name than the account that the caller has.
        """
        place = account.store
        for _ in range(TRIES):
            if place is None:
                _refuse_unkept(account)
                return None
            try:
                return await self._stores.fetch(place)
            except SecretError as problem:
                now = await self.place_of(account)
                if problem.fault not in (SecretFault.MISSING, SecretFault.ASK) or now == place:
                    raise
                place = now
        raise SecretError(SecretFault.MISSING, phrase("Other programs keep changing that password; please try again."))

    async def place_of(self, account: Account) -> StoreRef | None:
        """Return where the secret of an account is now. Raises `SecretError` where the account is another one now."""
        try:
            now = await in_thread(lambda: self._saved_accounts.now(account))
        except AccountsError:
            return account.store
        refuse_other_settings(now, account)
        return now.store

    @asynccontextmanager
    async def change(self) -> AsyncIterator[SecretChange]:
        """Change what is kept. Afterwards, also when that failed, entries that no account refers to are deleted."""
        pending = self._stores.journal.begin()
        change = SecretChange(self._saved_accounts, self._stores, pending)
        try:
            try:
                yield change
            finally:
                await change.settle()
        finally:
            await run_to_completion(pending.end)

    # -- what was left ----------------------------------------------------------------------------------------------

    async def left(self) -> Leftovers:
        """Return what interrupted changes have left in the stores. Changes nothing. Raises `AccountFileError`."""
        notes, odd = await in_thread(self._stores.journal.left)
        return Leftovers(tuple([left async for left in self._left_by(notes)]), tuple(odd))

    async def _left_by(self, notes: list[ChangeNote]) -> AsyncIterator[Leftover]:
        needed, told = await in_thread(self._saved_accounts.stores), set()
        for ref, since in ((ref, note.since) for note in notes for ref in note.entries):
            if ref in needed or ref in told or ref.kind.is_reference:
                continue
            told.add(ref)
            there = await self._there(ref)
            if there is not False:
                yield Leftover(ref, since, there)

    async def _there(self, ref: StoreRef) -> bool | None:
        """Whether a store has an entry, None where it cannot say."""
        if ref.kind is StoreKind.SESSION:
            return False
        try:
            await self._stores.fetch(ref)
        except SecretError as problem:
            # Without its file the vault has nothing in it; without a keyring, the next session may have one.
            gone = problem.fault is SecretFault.MISSING or (
                problem.fault is SecretFault.ABSENT and ref.kind is StoreKind.VAULT
            )
            return False if gone else None
        return True

    async def clean(self) -> CleanupResult:
        """Delete what changes that were stopped have left, and the notes of it.

        What an account refers to is never deleted, nor what a change under way is about. Raises `AccountFileError`.
        """
        removed: list[Leftover] = []
        kept: list[tuple[Leftover, str]] = []
        journal = self._stores.journal
        for file in await in_thread(journal.files):
            async with _entered(journal.taken(file)) as note:
                if note is not None:
                    await self._clear(note, removed, kept)
        await run_to_completion(journal.sweep)
        return CleanupResult(tuple(removed), tuple(kept))

    async def _clear(self, note: ChangeNote, removed: list[Leftover], kept: list[tuple[Leftover, str]]) -> None:
        still: list[StoreRef] = []
        async for left in self._left_by([note]):
            try:
                await self._stores.delete(left.ref)
            except SecretError as problem:
                still.append(left.ref)
                kept.append((left, str(problem)))
            else:
                removed.append(left)
        await run_to_completion(lambda: self._stores.journal.rewrite(note, still))


class SecretChange:
    """A change under way of what is kept."""

    def __init__(self, saved_accounts: SavedAccounts, stores: SecretStores, pending: PendingChange) -> None:
        self._saved_accounts = saved_accounts
        self._stores = stores
        self._pending = pending
        self._touched: list[StoreRef] = []
        self.problem: SecretError | None = None
        """Why something that no account refers to could not be deleted."""

    async def put(self, kind: StoreKind, account_name: str, secret: Secret, where: str = "") -> StoreRef:
        """Keep a secret in an entry of its own, or follow a reference to it; return where. Raises `SecretError`."""
        ref = self._stores.place(kind, account_name, where)
        await self.put_at(ref, secret)
        return ref

    async def put_at(self, ref: StoreRef, secret: Secret) -> None:
        """Keep a secret where another one is, such as a sign-in that was renewed. Raises `SecretError`."""
        await self._stores.put(ref, secret, before=lambda: self._touch(ref))

    def leaves(self, account: Account) -> None:
        """Say that an account as it was is about to be no more: its secret is perhaps needed no longer."""
        if account.store is not None and not account.store.kind.is_reference:
            self._touch(account.store)

    def _touch(self, ref: StoreRef) -> None:
        if ref.kind is not StoreKind.SESSION:  # in memory alone: nothing outlives this process
            self._pending.add(ref)
        self._touched.append(ref)

    async def settle(self) -> None:
        """Delete what was touched and what no account refers to now."""
        for ref in await self._unneeded():
            try:
                await self._stores.delete(ref)
            except SecretError as problem:
                self.problem = problem
            else:
                self._pending.drop(ref)

    async def _unneeded(self) -> list[StoreRef]:
        if not self._touched:
            return []
        try:
            needed = await in_thread(self._saved_accounts.stores)
        except AccountsError as problem:
            self.problem = SecretError(SecretFault.REFUSED, problem.words)
            return []
        touched = list(dict.fromkeys(self._touched))
        for ref in touched:
            if ref in needed:
                self._pending.drop(ref)
        return [ref for ref in touched if ref not in needed]


def _refuse_unkept(account: Account) -> None:
    """Raise `SecretError` for an account without a place for its secret, unless it needs none."""
    if account.connection.auth is not Auth.NONE:
        raise SecretError(SecretFault.ASK, KEPT_NOWHERE)


def refuse_other_settings(now: Account, account: Account) -> None:
    """Raise `SecretError` where an account is for another server or user name now than when it was read."""
    settings, before = now.connection, account.connection
    if (settings.endpoint, settings.username) != (before.endpoint, before.username):
        raise SecretError(
            SecretFault.MISSING,
            phrase(
                "Another program has changed '{}' meanwhile, and its password is for other settings now; "
                "look at the account again.",
                account.name,
            ),
        )


def is_asked_each_time(problem: SecretError, account: Account) -> bool:
    """Whether a secret could not be had because it is kept nowhere, so that the person types it.

    An access token is typed by nobody; the client secret of an application is.
    """
    typed = account.connection.auth is not Auth.XOAUTH2 or signs_in_as_application(account)
    return problem.fault is SecretFault.ASK and typed


@asynccontextmanager
async def _entered(held: AbstractContextManager[T]) -> AsyncIterator[T]:
    """Enter and leave what waits for a disk, in threads."""
    value = await run_to_completion(held.__enter__)
    try:
        yield value
    finally:
        await run_to_completion(lambda: held.__exit__(None, None, None))
