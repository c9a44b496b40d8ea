"""What a change was about is written down before anything is touched: nothing that it leaves in a store is unseen."""

from __future__ import annotations

import asyncio
import json
import os
import stat
import threading
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from smtp_wizard.engine.accounts.saved_accounts import FILE_NAME, AccountFileError
from smtp_wizard.engine.accounts.secret_entries import Leftover
from smtp_wizard.engine.base import private_files
from smtp_wizard.engine.base.secret import Secret
from smtp_wizard.engine.base.shown import phrase, shown
from smtp_wizard.engine.secrets import journal
from smtp_wizard.engine.secrets.journal import Journal
from smtp_wizard.engine.secrets.keyring import SERVICE
from smtp_wizard.engine.secrets.secret_store import SecretError, SecretFault
from smtp_wizard.engine.secrets.store_kinds import StoreKind, StoreRef
from smtp_wizard.engine.secrets.stores import SecretStores
from smtp_wizard.engine.secrets.vault import VaultStore
from smtp_wizard.engine.secrets.vault_format import Cost
from smtp_wizard.engine.services.services import Services
from tests.engine.accounts.test_two_at_once import draft
from tests.support.leaks import assert_no_trace
from tests.support.stores import FailingStore, HangingBackend, MemoryBackend, always, desktop, kept
from tests.support.walk import make_services

NOON = datetime(2026, 11, 30, 12, tzinfo=UTC)
PASSWORD = "correct horse~q7Z"
PASSPHRASE = Secret("four words of no sense")
ORPHAN = StoreRef(StoreKind.KEYRING, "Office/password/0011223344556677")


@pytest.fixture
def backend() -> MemoryBackend:
    return desktop()


@pytest.fixture
def services(tmp_path: Path, backend: MemoryBackend) -> Services:
    return make_services(tmp_path, backend=backend, now=lambda: NOON)


def notes(folder: Path) -> list[str]:
    """The names of all files that have to do with notes."""
    return sorted(path.name for path in folder.iterdir() if "unfinished" in path.name)


def left_behind(folder: Path, *refs: StoreRef) -> Path:
    """Leave a note as a change does that is killed; return its file."""
    pending = Journal(folder, now=lambda: NOON).begin()
    for ref in refs:
        pending.add(ref)
    pending.end()
    (file,) = Journal(folder).files()
    return file


# -- while a change is under way ---------------------------------------------------------------------------------------


class Looking(MemoryBackend):
    """A keyring that looks, whenever it is written to, at what stands in the config folder."""

    def __init__(self, folder: Path) -> None:
        super().__init__()
        self.folder = folder
        self.seen: list[dict[str, Any]] = []
        self.left: list[int] = []

    def set_password(self, service: str, username: str, password: str) -> None:
        self._look()
        super().set_password(service, username, password)

    def delete_password(self, service: str, username: str) -> None:
        self._look()
        super().delete_password(service, username)

    def _look(self) -> None:
        self.seen += [json.loads(file.read_text()) for file in self.folder.glob("unfinished-*.json")]
        self.left.append(len(Journal(self.folder).left()[0]))
        for file in self.folder.glob("*unfinished*"):
            assert stat.S_IMODE(file.stat().st_mode) == 0o600


async def test_an_entry_is_named_before_it_is_written_and_before_it_is_deleted(tmp_path: Path) -> None:
    backend = Looking(tmp_path)
    services = make_services(tmp_path, backend=desktop(backend), now=lambda: NOON)
    first = await services.accounts.save(draft(PASSWORD))
    second = await services.accounts.save(draft("another one~q7Z"), replacing=True)
    assert first.store is not None
    assert second.store is not None
    named = [[each["where"] for each in note["entries"]] for note in backend.seen]
    assert named == [[first.store.where], [second.store.where], [second.store.where, first.store.where]]
    assert {note["schema"] for note in backend.seen} == {"smtp-wizard/unfinished-file/1"}
    assert notes(tmp_path) == [], "nothing is left of it afterwards"
    assert_no_trace(PASSWORD, json.dumps(backend.seen))


def test_an_entry_is_named_once(tmp_path: Path) -> None:
    pending = Journal(tmp_path).begin()
    pending.add(ORPHAN)
    pending.add(ORPHAN)
    assert pending.entries == (ORPHAN,)
    pending.end()


async def test_the_first_change_of_all_is_noted_too(tmp_path: Path) -> None:
    """The config folder is made for the note, for its owner alone."""
    folder = tmp_path / "new" / "config"
    backend = Looking(folder)
    services = make_services(folder, backend=desktop(backend))
    await services.accounts.save(draft(PASSWORD))
    assert len(backend.seen) == 1
    assert services.stores.journal.problems() == ()
    assert [stat.S_IMODE(each.stat().st_mode) for each in (folder, folder.parent)] == [0o700, 0o700]


async def test_without_a_config_folder_nothing_is_noted_and_nothing_said() -> None:
    pending = Journal(None).begin()
    pending.add(ORPHAN)
    pending.end()
    journal = pending._journal
    with pytest.raises(SecretError):
        pending.add(ORPHAN)
    journal.sweep()
    assert (journal.left(), journal.files(), journal.problems()) == (([], []), [], ())


async def test_a_change_under_way_is_no_leftover(tmp_path: Path) -> None:
    """Whoever looks from elsewhere, such as `doctor`, sees that somebody is at it."""
    backend = Looking(tmp_path)
    services = make_services(tmp_path, backend=desktop(backend))
    await services.accounts.save(draft(PASSWORD))
    await services.accounts.remove("Office")
    assert backend.left == [0, 0]
    assert len(backend.seen) == 2


async def test_what_a_change_under_way_is_about_is_not_cleared_away(services: Services, backend: MemoryBackend) -> None:
    other = make_services(services.folder, backend=backend)
    async with services.entries.change() as change:
        await change.put(StoreKind.KEYRING, "Shop", Secret(PASSWORD))
        assert await other.entries.clean() == await services.entries.clean()
        assert kept(backend) == {"Shop/password": PASSWORD}
        assert len(notes(services.folder)) == 2
    assert kept(backend) == {}, "no account refers to it"
    assert notes(services.folder) == []


async def test_what_never_wrote_anything_leaves_no_note(services: Services) -> None:
    """A closed vault, a keyring that is locked: nothing was touched."""
    with pytest.raises(SecretError):
        await services.accounts.save(draft(PASSWORD, store=StoreKind.VAULT))
    services = make_services(services.folder, keyring=FailingStore(trouble=SecretFault.LOCKED))
    with pytest.raises(SecretError):
        await services.accounts.save(draft(PASSWORD))
    assert not list(services.folder.iterdir())


async def test_the_session_needs_no_note(services: Services) -> None:
    await services.accounts.save(draft(PASSWORD, store=StoreKind.SESSION))
    await services.accounts.remove("Office")
    assert notes(services.folder) == []
    assert services.stores.journal.problems() == ()


async def test_a_session_forgets_what_no_account_was_saved_for(
    services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object, **__: object) -> None:
        raise AccountFileError(shown("The disk is full."))

    monkeypatch.setattr(services.saved_accounts, "put", full)
    with pytest.raises(AccountFileError):
        await services.accounts.save(draft(PASSWORD, store=StoreKind.SESSION))
    assert not vars(services.stores.get(StoreKind.SESSION))["_kept"]


async def test_a_password_that_could_not_be_deleted_stays_named(services: Services, backend: MemoryBackend) -> None:
    account = await services.accounts.save(draft(PASSWORD))
    locked_out = make_services(services.folder, keyring=FailingStore(trouble=SecretFault.LOCKED))
    _, words = await locked_out.accounts.remove("Office")
    assert "may still be in the store" in words
    (left,) = (await services.entries.left()).entries
    assert (left.ref, left.account, left.there) == (account.store, "Office", True)
    assert [each.ref for each in (await services.entries.clean()).removed] == [account.store]
    assert kept(backend) == {}
    assert notes(services.folder) == []


async def test_where_the_accounts_cannot_be_read_nothing_is_deleted(services: Services, backend: MemoryBackend) -> None:
    """Nobody can say then which entries are needed."""
    account = await services.accounts.save(draft(PASSWORD))
    assert account.store is not None
    file = services.folder / FILE_NAME
    whole = file.read_bytes()
    async with services.entries.change() as change:
        change.leaves(account)
        await change.put(StoreKind.KEYRING, "Shop", Secret("another one"))
        file.write_text("{")
    assert change.problem is not None
    assert kept(backend) == {"Office/password": PASSWORD, "Shop/password": "another one"}
    with pytest.raises(AccountFileError):
        await services.entries.left()
    with pytest.raises(AccountFileError):
        await services.entries.clean()
    file.write_bytes(whole)
    assert [each.account for each in (await services.entries.clean()).removed] == ["Shop"]
    assert kept(backend) == {"Office/password": PASSWORD}


async def test_two_accounts_with_one_entry_do_not_take_it_from_each_other(
    services: Services, backend: MemoryBackend
) -> None:
    """As in a file of accounts that somebody has written by hand."""
    account = await services.accounts.save(draft(PASSWORD))
    services.saved_accounts.put(replace(account, name=phrase("Shop")))
    await services.accounts.remove("Office")
    assert await services.entries.secret_of(services.saved_accounts.get("Shop")) == Secret(PASSWORD)
    await services.accounts.remove("Shop")
    assert kept(backend) == {}


async def test_an_entry_of_an_older_version_is_read_and_replaced(services: Services, backend: MemoryBackend) -> None:
    account = await services.accounts.save(draft(PASSWORD))
    old = StoreRef(StoreKind.KEYRING, "Office/password")
    services.saved_accounts.change("Office", replace(account, store=old))
    backend.entries = {(SERVICE, old.where): "as before"}
    now = services.saved_accounts.get("Office")
    assert await services.entries.secret_of(now) == Secret("as before")
    renamed = await services.accounts.rename("Office", "Shop")
    assert await services.entries.secret_of(renamed) == Secret("as before")
    assert kept(backend) == {"Shop/password": "as before"}


# -- a note that cannot be written -------------------------------------------------------------------------------------


async def test_a_note_that_cannot_be_written_is_said_and_stands_in_nobodys_way(
    services: Services, backend: MemoryBackend, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = private_files.write_private

    def full(path: Path, data: bytes, **more: Any) -> None:
        if "unfinished" in path.name:
            raise OSError(28, "No space left on device")
        whole(path, data, **more)

    monkeypatch.setattr(private_files, "write_private", full)
    await services.accounts.save(draft(PASSWORD))
    await services.accounts.remove("Office")
    assert kept(backend) == {}
    (told,) = services.stores.journal.problems()
    assert "without a note of it (No space left on device)" in told
    assert services.stores.journal.problems() == (), "the same thing is told once"
    assert notes(services.folder) == []


async def test_there_are_not_more_notes_than_anybody_can_need(
    services: Services, backend: MemoryBackend, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(journal, "MOST", 2)
    for number in range(2):
        (services.folder / f"unfinished-{number}.json").write_text("odd")
    await services.accounts.save(draft(PASSWORD))
    assert kept(backend) == {"Office/password": PASSWORD}
    assert "2 notes already; 'smtp-wizard doctor --clean'" in " ".join(services.stores.journal.problems())
    assert len(notes(services.folder)) == 2


ODD = {
    "cut": '{"schema": "smtp-wizard/unfin',
    "another schema": '{"schema": "x", "since": "2026-11-30T12:00:00+00:00", "entries": []}',
    "no table": "[]",
    "no time": '{"schema": "smtp-wizard/unfinished-file/1", "since": 5, "entries": []}',
    "no list": '{"schema": "smtp-wizard/unfinished-file/1", "since": "2026-11-30T12:00:00+00:00", "entries": 7}',
    "no store": '{"schema": "smtp-wizard/unfinished-file/1", "since": "2026-11-30T12:00:00+00:00", '
    '"entries": [{"kind": "attic", "where": "x"}]}',
    "a line break": '{"schema": "smtp-wizard/unfinished-file/1", "since": "2026-11-30T12:00:00+00:00", '
    '"entries": [{"kind": "vault", "where": "x\\ny"}]}',
    "no name": '{"schema": "smtp-wizard/unfinished-file/1", "since": "2026-11-30T12:00:00+00:00", '
    '"entries": [{"kind": "vault", "where": ""}]}',
    "deep": "[" * 50_000,
    "long": " " * 70_000,
}


@pytest.mark.parametrize("what", ODD)
async def test_a_damaged_note_is_named_and_stands_in_nobodys_way(
    what: str, services: Services, backend: MemoryBackend
) -> None:
    file = services.folder / "unfinished-0123.json"
    file.write_text(ODD[what])
    await services.accounts.save(draft(PASSWORD))
    found = await services.entries.left()
    assert (found.entries, found.odd) == ((), (file,))
    assert (await services.entries.clean()).removed == ()
    assert notes(services.folder) == []
    assert kept(backend) == {"Office/password": PASSWORD}


async def test_a_pipe_in_the_place_of_a_note_holds_nobody(services: Services) -> None:
    os.mkfifo(services.folder / "unfinished-0123.json")
    assert len((await services.entries.left()).odd) == 1
    await services.entries.clean()
    assert notes(services.folder) == []


# -- what was left -----------------------------------------------------------------------------------------------------


async def test_what_was_left_is_told_and_nothing_is_changed(services: Services, backend: MemoryBackend) -> None:
    account = await services.accounts.save(draft(PASSWORD))
    assert account.store is not None
    backend.entries[SERVICE, ORPHAN.where] = "left"
    left_behind(services.folder, ORPHAN, account.store, replace(ORPHAN, where="Office/password/gone"))
    before = {path.name: path.read_bytes() for path in services.folder.iterdir()}
    found = await services.entries.left()
    assert found.entries == (Leftover(ORPHAN, NOON, there=True),)
    assert {path.name: path.read_bytes() for path in services.folder.iterdir()} == before
    assert len(backend.entries) == 2


async def test_the_lock_of_a_killed_change_is_free(services: Services, backend: MemoryBackend) -> None:
    """Its file is still there; nobody holds it."""
    backend.entries[SERVICE, ORPHAN.where] = "left"
    file = left_behind(services.folder, ORPHAN)
    lock = file.with_name(f"{file.name}.lock")
    lock.touch(0o600)
    assert [each.ref for each in (await services.entries.left()).entries] == [ORPHAN]
    assert lock.exists(), "who only looks changes nothing"
    assert len((await services.entries.clean()).removed) == 1
    assert notes(services.folder) == []


async def test_only_what_no_account_refers_to_is_cleared_away(services: Services, backend: MemoryBackend) -> None:
    account = await services.accounts.save(draft(PASSWORD))
    assert account.store is not None
    backend.entries[SERVICE, ORPHAN.where] = "left"
    left_behind(services.folder, account.store, ORPHAN)
    cleaned = await services.entries.clean()
    assert (cleaned.removed, cleaned.kept) == ((Leftover(ORPHAN, NOON, there=True),), ())
    assert kept(backend) == {"Office/password": PASSWORD}
    assert notes(services.folder) == []


@pytest.mark.parametrize("fault", [SecretFault.LOCKED, SecretFault.ABSENT])
async def test_what_cannot_be_deleted_now_is_kept_in_mind(
    services: Services, backend: MemoryBackend, fault: SecretFault
) -> None:
    """Where there is no keyring now there may be one in the next session."""
    backend.entries[SERVICE, ORPHAN.where] = "left"
    file = left_behind(services.folder, StoreRef(StoreKind.SESSION, "Shop/password/00"), ORPHAN)
    services = make_services(services.folder, keyring=FailingStore(trouble=fault))
    (left,) = (await services.entries.left()).entries
    assert left.there is None
    cleaned = await services.entries.clean()
    assert cleaned.removed == ()
    assert [(each.ref, why) for each, why in cleaned.kept] == [(ORPHAN, "This store fails on purpose.")]
    assert [each["where"] for each in json.loads(file.read_text())["entries"]] == [ORPHAN.where]
    assert json.loads(file.read_text())["since"] == "2026-11-30T12:00:00Z"


async def test_what_was_left_in_a_vault_is_found_once_it_is_open(tmp_path: Path) -> None:
    vault = VaultStore(tmp_path, cost=Cost(n=2**4))
    stores = SecretStores({}, tmp_path, backend_factory=always(desktop()), vault=vault)
    services = make_services(tmp_path, stores=stores)
    orphan = StoreRef(StoreKind.VAULT, "Office/password/00")
    left_behind(tmp_path, orphan)
    assert (await services.entries.left()).entries == (), "there is no vault, so there is nothing in it"
    await stores.vault.create(PASSPHRASE)
    await stores.vault.put(orphan, Secret(PASSWORD))
    assert [each.there for each in (await services.entries.left()).entries] == [True]
    stores.vault._key = None
    assert [each.there for each in (await services.entries.left()).entries] == [None]
    assert len((await services.entries.clean()).kept) == 1
    await stores.vault.open(PASSPHRASE)
    assert [each.ref for each in (await services.entries.clean()).removed] == [orphan]
    assert stores.vault._entries() == {}


async def test_locks_and_scratch_files_of_killed_writers_are_swept(services: Services) -> None:
    for name in ("unfinished-0a.json.lock", ".unfinished-0a.json.x.scratch", "unfinished-0b.json.lock"):
        (services.folder / name).touch(0o600)
    await services.entries.clean()
    assert notes(services.folder) == []


async def test_what_a_change_is_just_writing_is_not_swept(services: Services) -> None:
    """Its lock is held before its note is there."""
    file, lock = services.stores.journal.new_file()
    scratch = file.with_name(f".{file.name}.abc.scratch")
    scratch.touch()
    await services.entries.clean()
    assert scratch.exists()
    lock.release()
    await services.entries.clean()
    assert notes(services.folder) == []


# -- too slow, and given up --------------------------------------------------------------------------------------------


async def test_who_was_too_slow_writes_nothing_any_more(tmp_path: Path) -> None:
    """The change has ended; the thread in which a store works comes to its writing only now."""
    pending = Journal(tmp_path).begin()
    pending.end()
    with pytest.raises(SecretError, match="given up"):
        pending.add(ORPHAN)
    assert notes(tmp_path) == []


@pytest.mark.parametrize("end", ["time", "cancelled"])
async def test_a_keyring_that_hangs_in_the_middle_leaves_a_note_and_nothing_else(tmp_path: Path, end: str) -> None:
    """It may write what nobody waits for any more; what it then leaves is named."""
    hanging = HangingBackend()
    limit = 0.1 if end == "time" else 3600.0
    stores = SecretStores({}, tmp_path, keyring_limit=limit, backend_factory=always(desktop(hanging)))
    services = make_services(tmp_path, stores=stores)
    saving = asyncio.create_task(services.accounts.save(draft(PASSWORD)))
    while not hanging.reached.is_set():
        await asyncio.sleep(0.001)
    if end == "cancelled":
        saving.cancel()
    with pytest.raises((SecretError, asyncio.CancelledError)):
        await saving
    (note,) = services.stores.journal.left()[0]
    assert len(note.entries) == 1
    hanging.release.set()
    for thread in threading.enumerate():
        if thread.name == "smtp-wizard keyring":
            thread.join()
    assert hanging.entries == {}
    assert (await services.entries.left()).entries == (), "the keyring says that nothing is there"
    await services.entries.clean()
    assert notes(tmp_path) == []


async def test_a_password_that_somebody_deleted_is_said_to_be_gone(services: Services, backend: MemoryBackend) -> None:
    """Not that other programs keep changing it: the account still refers to where it was."""
    account = await services.accounts.save(draft(PASSWORD))
    backend.entries.clear()
    with pytest.raises(SecretError, match="has no entry"):
        await services.entries.secret_of(account)


@pytest.mark.parametrize("kind", [StoreKind.COMMAND, StoreKind.FILE, StoreKind.ENV])
async def test_what_a_note_says_of_others_places_is_never_followed(
    services: Services, tmp_path: Path, kind: StoreKind
) -> None:
    """No command is run because a file names it; what a person keeps elsewhere is theirs, and left to them."""
    trace = tmp_path / "trace"
    where = {StoreKind.COMMAND: f"touch {trace}", StoreKind.FILE: str(tmp_path / "mine"), StoreKind.ENV: "HOME"}[kind]
    (tmp_path / "mine").write_text("mine\n")
    (tmp_path / "mine").chmod(0o600)
    left_behind(services.folder, StoreRef(kind, where))
    assert (await services.entries.left()).entries == ()
    assert (await services.entries.clean()).removed == ()
    assert not trace.exists()
    assert (tmp_path / "mine").exists()
    assert notes(services.folder) == []


@pytest.mark.parametrize("kind", [StoreKind.SESSION, StoreKind.ENV])
async def test_where_nothing_can_be_left_behind_nothing_is_noted(
    tmp_path: Path, kind: StoreKind, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is in memory ends with the program; what a reference leads to was never put there by us."""
    stores = SecretStores({"MAIL_PASSWORD": PASSWORD}, tmp_path)
    services = make_services(tmp_path, stores=stores, now=lambda: NOON)
    noted: list[Journal] = []
    monkeypatch.setattr(Journal, "new_file", noted.append)
    saved = replace(draft(PASSWORD), store=None).with_store(kind, "MAIL_PASSWORD" if kind is StoreKind.ENV else "")
    await services.accounts.save(saved)
    await services.accounts.rename("Office", "Shop")
    await services.accounts.remove("Shop")
    assert (noted, notes(tmp_path)) == ([], [])
