"""What this installation can and cannot do: stores, the config folder, name look-ups, TLS, the clock, the data."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from pathlib import Path

from smtp_wizard.engine.accounts.saved_accounts import FILE_NAME, AccountFileError, SavedAccounts
from smtp_wizard.engine.accounts.secret_entries import Leftover, Leftovers, SecretEntries
from smtp_wizard.engine.base.data_files import DataError
from smtp_wizard.engine.base.private_files import may_exist
from smtp_wizard.engine.base.shown import shown
from smtp_wizard.engine.base.threads import in_thread
from smtp_wizard.engine.providers.catalog import Catalog
from smtp_wizard.engine.secrets.command import found_program
from smtp_wizard.engine.secrets.secret_store import Availability, SecretError
from smtp_wizard.engine.secrets.store_kinds import StoreKind, StoreRef
from smtp_wizard.engine.secrets.stores import SecretStores
from smtp_wizard.engine.secrets.vault import VaultState
from smtp_wizard.engine.services import computer
from smtp_wizard.engine.services.part_health import Health, PartHealth
from smtp_wizard.engine.smtp.transport import Wire
from smtp_wizard.engine.state import timestamps
from smtp_wizard.engine.wizard import draft_file

MANY = 20
"""So many things of one kind are told one by one."""


class Doctor:
    """Looks at every part of an installation by itself, without changing any. What waits for a disk is in threads."""

    def __init__(
        self,
        *,
        folder: Path,
        saved_accounts: SavedAccounts,
        stores: SecretStores,
        entries: SecretEntries,
        wire: Wire,
        environ: Mapping[str, str],
        now: Callable[[], datetime],
    ) -> None:
        """`folder`: the config folder; it need not exist."""
        self._folder = folder
        self._saved_accounts = saved_accounts
        self._stores = stores
        self._entries = entries
        self._wire = wire
        self._environ = environ
        self._now = now

    async def examine(self, load: Callable[[], Catalog], *, network: bool) -> tuple[list[PartHealth], Leftovers]:
        """Look at everything; also return what changes that were stopped have left in the stores.

        `load` gives the catalogue, or raises `DataError`, which is told. `network`: ask it too.
        """
        left = await self._left()
        found = [*await self._examine_stores(), *await self._examine_places(), *left_behind(left)]
        found += await in_thread(lambda: examine_folder(self._folder, self._saved_accounts))
        found += await in_thread(lambda: [computer.resolver(), *computer.tls(self._environ)])
        try:
            catalog = await in_thread(load)
        except DataError as problem:
            words = f"{problem} Install smtp-wizard again."
            return [*found, PartHealth("data", "data-age", Health.FAIL, words)], left
        now = self._now()
        found += [computer.clock(now, catalog), computer.data_age(now, catalog)]
        if network:
            found.append(await computer.lookup(self._wire, catalog))
        return found, left

    async def _left(self) -> Leftovers:
        """Return what was left; nothing where that cannot be told now."""
        try:
            return await self._entries.left()
        except AccountFileError:
            return Leftovers((), ())  # said where the accounts are looked at

    async def _examine_stores(self) -> list[PartHealth]:
        """Try every store out. One that does not work is no failure as long as another one does."""
        found = [(kind, await self._stores.get(kind).probe()) for kind in self._stores.offered()]
        none_works = not any(availability.ok for _, availability in found)
        bad = Health.FAIL if none_works else Health.WARN
        return [
            PartHealth(
                "stores",
                f"store-{kind.value}",
                Health.OK if availability.ok else bad,
                _told(self._stores, kind, availability),
            )
            for kind, availability in found
        ]

    async def _examine_places(self) -> list[PartHealth]:
        """Look whether what saved accounts refer to is there: the vault, programs, files. No command is run."""
        try:
            saved = await in_thread(self._saved_accounts.list)
        except AccountFileError:
            return []  # said where the accounts are looked at
        found = []
        for account in saved:
            trouble = await self._place_trouble(account.store) if account.store is not None else ""
            if account.store is not None and trouble:
                words = f"The password of '{account.name}' cannot be read: {trouble}"
                found.append(PartHealth("stores", f"store-{account.store.kind.value}-used", Health.FAIL, words))
        return found

    async def _place_trouble(self, store: StoreRef) -> str:
        match store.kind:
            case StoreKind.VAULT if self._stores.vault.state is VaultState.MISSING:
                return "there is no vault any more."
            case StoreKind.COMMAND if await in_thread(lambda: found_program(store.where, self._environ)) is None:
                return f"the program of '{shown(store.where, 100)}' is not installed here."
            case StoreKind.FILE:
                try:
                    await self._stores.fetch(store)
                except SecretError as problem:
                    return str(problem)
        return ""


# -- stores ------------------------------------------------------------------------------------------------------------


def _told(known: SecretStores, kind: StoreKind, found: Availability) -> str:
    """Say what a store is good for, and of the vault whether there is one."""
    if kind is not StoreKind.VAULT or not found.ok:
        return found.words
    state = "There is none yet." if known.vault.state is VaultState.MISSING else "There is one, and it is whole."
    return f"{found.words} {state}"


def left_words(left: Leftover) -> str:
    """Say what was left, and where."""
    place = "in the vault" if left.ref.kind is StoreKind.VAULT else "in the keyring of this computer"
    return (
        f"A password for '{shown(left.account, 60)}' that no account uses {'is' if left.there else 'may be'} {place}: "
        f"a change was stopped in the middle ({left.since:%Y-%m-%d %H:%M} UTC)."
    )


def left_behind(found: Leftovers) -> list[PartHealth]:
    """Say what changes that were stopped have left, and what to do."""
    cleaning = "'smtp-wizard doctor --clean' deletes it."
    told = [
        PartHealth("stores", "store-left", Health.WARN, f"{left_words(left)} {cleaning}")
        for left in found.entries[:MANY]
    ]
    if len(found.entries) > MANY:
        words = f"So are {len(found.entries) - MANY} more. {cleaning.replace('it.', 'them.')}"
        told.append(PartHealth("stores", "store-left", Health.WARN, words))
    for file in found.odd[:MANY]:
        words = f"{_shown(file)}, which says what a stopped change was about, cannot be read. {cleaning}"
        told.append(PartHealth("config", "note", Health.WARN, words))
    return told


# -- the config folder -------------------------------------------------------------------------------------------------


def examine_folder(folder: Path, saved_accounts: SavedAccounts) -> list[PartHealth]:
    """Look at the config folder, the accounts in it, and a setup that was not finished."""
    try:
        is_folder = stat.S_ISDIR(folder.stat().st_mode)
    except (FileNotFoundError, NotADirectoryError):
        return [_folder_to_be(folder)]
    except OSError as problem:  # a folder above is closed, or links go round in a circle
        why = shown(problem.strerror or type(problem).__name__, 100)
        return [_config("folder", Health.FAIL, f"{_shown(folder)} cannot be looked at: {why}.")]
    if not is_folder:
        return [_config("folder", Health.FAIL, f"{_shown(folder)} is no folder: move it away.")]
    return [_folder(folder), *_accounts(folder, saved_accounts), *_results(folder, saved_accounts), *_draft(folder)]


def _config(code: str, state: Health, sentence: str) -> PartHealth:
    return PartHealth("config", code, state, sentence)


def _folder_to_be(folder: Path) -> PartHealth:
    above = next(each for each in folder.parents if each.exists())
    if not os.access(above, os.W_OK | os.X_OK):
        return _config(
            "folder", Health.FAIL, f"{_shown(folder)} cannot be made: {_shown(above)} is not yours to write."
        )
    return _config("folder", Health.OK, f"Nothing is saved yet. {_shown(folder)} is made when something is.")


def _folder(folder: Path) -> PartHealth:
    if not os.access(folder, os.W_OK | os.X_OK):
        words = f"{_shown(folder)} cannot be written: accounts can be tested, and nothing can be saved."
        return _config("folder", Health.WARN, words)
    if _others_may(folder):
        words = f"Others on this computer can look into {_shown(folder)}: 'chmod 700' on it ends that."
        return _config("folder", Health.WARN, words)
    return _config("folder", Health.OK, f"Accounts are kept in {_shown(folder)}, where only you can look.")


def _accounts(folder: Path, saved_accounts: SavedAccounts) -> Iterator[PartHealth]:
    try:
        saved = saved_accounts.list()
    except AccountFileError as problem:
        yield _config("accounts", Health.FAIL, str(problem))
        return
    file = folder / FILE_NAME
    if _others_may(file):
        words = f"Others on this computer can read {_shown(file)}: 'chmod 600' on it ends that."
        yield _config("accounts", Health.WARN, words)
    else:
        count = {0: "No account is", 1: "One account is"}.get(len(saved), f"{len(saved)} accounts are")
        yield _config("accounts", Health.OK, f"{count} saved.")
    for words in saved_accounts.problems():
        yield _config("accounts", Health.FAIL, words)
    for account in saved:
        ca_file = account.connection.ca_file
        if ca_file and not computer.is_file(ca_file):
            words = f"'{account.name}' trusts {shown(ca_file, 200)}, and that file is not there any more."
            yield _config("ca-file", Health.FAIL, words)


def _results(folder: Path, saved_accounts: SavedAccounts) -> Iterator[PartHealth]:
    file = folder / timestamps.FILE_NAME
    if not may_exist(file):
        return
    readable = saved_accounts.state.readable
    troubles = saved_accounts.state.problems()
    for trouble in troubles:
        yield _config("results", Health.WARN, f"{trouble} Accounts can be tested all the same.")
    if readable and not troubles:
        yield _config("results", Health.OK, f"What tests have shown is kept in {_shown(file)}.")


def _draft(folder: Path) -> Iterator[PartHealth]:
    if computer.is_file(str(folder / draft_file.FILE_NAME)):
        words = "A setup was left before it was saved: the next start offers to go on with it."
        yield _config("draft", Health.OK, words)


def _others_may(path: Path) -> bool:
    try:
        return os.name == "posix" and bool(stat.S_IMODE(path.stat().st_mode) & 0o077)
    except OSError:  # not there, perhaps since a moment ago
        return False


def _shown(path: Path) -> str:
    return shown(str(path), 200)
