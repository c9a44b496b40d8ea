"""`doctor` names what changes that were stopped have left in the stores, and `--clean` deletes it after a yes."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from smtp_wizard.engine.accounts.saved_accounts import FILE_NAME, SavedAccounts
from smtp_wizard.engine.base.secret import Secret
from smtp_wizard.engine.base.shown import phrase
from smtp_wizard.engine.secrets import vault, vault_format
from smtp_wizard.engine.secrets.journal import Journal
from smtp_wizard.engine.secrets.keyring import SERVICE
from smtp_wizard.engine.secrets.store_kinds import StoreKind, StoreRef
from smtp_wizard.engine.secrets.vault import VaultStore
from tests.commands.test_send import RELAY
from tests.support.cli import Ran, on_terminal, run
from tests.support.stores import MemoryBackend, RaisingBackend, desktop

pytestmark = pytest.mark.usefixtures("any_password")

NOON = datetime(2026, 11, 30, 12, tzinfo=UTC)
PASSPHRASE = "four words of no sense"
ORPHAN = StoreRef(StoreKind.KEYRING, "Office/password/0011223344556677")
IN_VAULT = StoreRef(StoreKind.VAULT, "Shop/password/8899aabbccddeeff")


@pytest.fixture
def folder(own_home: Path) -> Path:
    made = own_home / "config"
    made.mkdir(mode=0o700)
    return made


@pytest.fixture
def backend(monkeypatch: pytest.MonkeyPatch) -> MemoryBackend:
    backend = desktop()
    monkeypatch.setattr("keyring.get_keyring", lambda: backend)
    return backend


def stopped(folder: Path, *refs: StoreRef) -> None:
    """Leave what a change leaves that is killed."""
    pending = Journal(folder, now=lambda: NOON).begin()
    for ref in refs:
        pending.add(ref)
    pending.end()


@pytest.fixture
def orphan(folder: Path, backend: MemoryBackend) -> StoreRef:
    backend.entries[SERVICE, ORPHAN.where] = "left behind"
    stopped(folder, ORPHAN)
    return ORPHAN


def told(ran: Ran) -> list[str]:
    """What is said of leftovers."""
    return [each["sentence"] for each in ran.document["checks"] if each["code"] in ("store-left", "note")]


LISTED = {
    "store": "keyring",
    "entry": ORPHAN.where,
    "account": "Office",
    "since": "2026-11-30T12:00:00Z",
    "there": "yes",
}


def test_without_leftovers_nothing_is_said(backend: MemoryBackend) -> None:
    ran = run("doctor", "--json")
    assert (told(ran), ran.document["left"], ran.document["removed"]) == ([], [], [])
    ran = run("doctor", "--clean", "--json")
    assert (ran.code, ran.document["removed"]) == (0, [])
    assert "there is nothing to delete" in ran.err


def test_what_was_left_is_named_and_stays(orphan: StoreRef, backend: MemoryBackend, folder: Path) -> None:
    ran = run("doctor", "--json")
    assert ran.code == 0
    assert (ran.document["left"], ran.document["removed"]) == ([LISTED], [])
    (sentence,) = told(ran)
    assert sentence == (
        "A password for 'Office' that no account uses is in the keyring of this computer: a change was stopped in the "
        "middle (2026-11-30 12:00 UTC). 'smtp-wizard doctor --clean' deletes it."
    )
    assert (SERVICE, orphan.where) in backend.entries
    assert len(list(folder.glob("unfinished-*"))) == 1
    assert "left behind" not in ran.out + ran.err
    text = run("doctor").out
    assert "warn  Store: left" in text


def test_it_is_deleted_after_a_yes(orphan: StoreRef, backend: MemoryBackend, folder: Path) -> None:
    ran = run("doctor", "--clean", "--yes", "--json")
    assert ran.code == 0
    assert (ran.document["left"], ran.document["removed"]) == ([], [LISTED])
    assert ran.err == f"Deleted: {orphan.where} (keyring)\n"
    assert backend.entries == {}
    assert not list(folder.glob("unfinished-*"))


def test_without_a_terminal_a_yes_is_asked_for(orphan: StoreRef, backend: MemoryBackend) -> None:
    ran = run("doctor", "--clean", "--json")
    assert (ran.code, ran.error["code"], ran.error["hint"]) == (2, "missing-answers", "Add --yes.")
    assert ran.error["message"] == "Delete 1 password that no account uses? Nobody can be asked here."
    assert (SERVICE, orphan.where) in backend.entries
    assert run("doctor", "--yes").code == 2


def test_what_an_account_refers_to_is_no_leftover(orphan: StoreRef, backend: MemoryBackend, folder: Path) -> None:
    SavedAccounts(folder).put(replace(RELAY, name=phrase("Office"), store=orphan))
    assert run("doctor", "--json").document["left"] == []
    assert run("doctor", "--clean", "--yes", "--json").document["removed"] == []
    assert (SERVICE, orphan.where) in backend.entries


def test_what_a_change_is_just_about_is_no_leftover(folder: Path, backend: MemoryBackend) -> None:
    backend.entries[SERVICE, ORPHAN.where] = "just being saved"
    pending = Journal(folder).begin()
    pending.add(ORPHAN)
    assert run("doctor", "--json").document["left"] == []
    assert run("doctor", "--clean", "--yes", "--json").document["removed"] == []
    assert (SERVICE, ORPHAN.where) in backend.entries
    pending.end()
    assert run("doctor", "--clean", "--yes", "--json").document["removed"] != []


def test_where_the_accounts_are_damaged_nothing_is_deleted(
    orphan: StoreRef, backend: MemoryBackend, folder: Path
) -> None:
    (folder / FILE_NAME).write_text("{")
    (folder / FILE_NAME).chmod(0o600)
    assert run("doctor", "--json").document["left"] == []
    ran = run("doctor", "--clean", "--yes", "--json")
    assert (ran.code, ran.error["code"]) == (3, "accounts")
    assert (SERVICE, orphan.where) in backend.entries


def test_what_cannot_be_deleted_is_said(orphan: StoreRef, monkeypatch: pytest.MonkeyPatch, folder: Path) -> None:
    monkeypatch.setattr("keyring.get_keyring", lambda: desktop(RaisingBackend(problem=OSError())))
    ran = run("doctor", "--clean", "--yes", "--json")
    assert ran.code == 3
    assert f"Not deleted: {orphan.where} (keyring). The keyring of this computer refused to work" in ran.err
    assert ran.document["left"] == [{**LISTED, "there": "unknown"}]
    assert "may be in the keyring" in told(ran)[0]


@pytest.fixture
def in_vault(folder: Path, backend: MemoryBackend, monkeypatch: pytest.MonkeyPatch) -> VaultStore:
    monkeypatch.setattr(vault, "USUAL", vault_format.Cost(n=2**4))
    store = VaultStore(folder)
    asyncio.run(store.create(Secret(PASSPHRASE)))
    asyncio.run(store.put(IN_VAULT, Secret("left behind")))
    stopped(folder, IN_VAULT)
    return store


def test_a_closed_vault_may_have_something(in_vault: VaultStore, monkeypatch: pytest.MonkeyPatch) -> None:
    ran = run("doctor", "--json")
    assert [each["there"] for each in ran.document["left"]] == ["unknown"]
    assert "for 'Shop' that no account uses may be in the vault" in told(ran)[0]
    kept = run("doctor", "--clean", "--yes", "--json")
    assert (kept.code, kept.document["removed"]) == (3, [])
    assert "its passphrase is needed" in kept.err
    monkeypatch.setenv("VAULT", PASSPHRASE)
    gone = run("doctor", "--clean", "--yes", "--json", "--passphrase-env", "VAULT")
    assert (gone.code, [each["entry"] for each in gone.document["removed"]]) == (0, [IN_VAULT.where])
    assert in_vault._entries() == {}


def test_on_a_terminal_it_is_asked_first_and_the_vault_opened(in_vault: VaultStore, folder: Path) -> None:
    no = on_terminal(["doctor", "--clean"], typed=[("Delete 1 password that no account uses? [y/N]", "\n")])
    assert "Nothing was deleted." in no.out
    assert "may be in the vault" in no.out
    assert len(in_vault._entries()) == 1
    yes = on_terminal(
        ["doctor", "--clean"],
        typed=[
            ("Delete 1 password that no account uses? [y/N]", "y\n"),
            ("Passphrase of the vault", f"{PASSPHRASE}\n"),
        ],
    )
    assert f"Deleted: {IN_VAULT.where} (vault)" in yes.out
    assert in_vault._entries() == {}
    assert not list(folder.glob("unfinished-*"))


def test_a_note_that_cannot_be_read_is_named_and_deleted(folder: Path, backend: MemoryBackend) -> None:
    note = folder / "unfinished-00.json"
    note.write_text("{")
    ran = run("doctor", "--json")
    assert (ran.document["left"], str(note) in told(ran)[0], "cannot be read" in told(ran)[0]) == ([], True, True)
    assert "Delete notes that cannot be read? Nobody" in run("doctor", "--clean", "--json").error["message"]
    assert run("doctor", "--clean", "--yes").code == 0
    assert not note.exists()


def test_many_are_told_in_one_sentence(folder: Path, backend: MemoryBackend) -> None:
    refs = [StoreRef(StoreKind.KEYRING, f"Office/password/{number:x}") for number in range(25)]
    backend.entries |= {(SERVICE, ref.where): "left" for ref in refs}
    stopped(folder, *refs)
    ran = run("doctor", "--json")
    assert len(ran.document["left"]) == 25
    assert len(told(ran)) == 21
    assert told(ran)[-1] == "So are 5 more. 'smtp-wizard doctor --clean' deletes them."


def test_a_change_without_a_note_is_said_at_the_end(
    folder: Path, backend: MemoryBackend, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("smtp_wizard.engine.secrets.journal.MOST", 0)
    saved = ("setup", "ana@sandbox.test", "--password-stdin", "--save", "Office")
    ran = run(*saved, stdin="correct horse battery")
    assert ran.code == 0
    assert "smtp-wizard: What is kept was changed without a note of it" in ran.err
    assert len(backend.entries) == 1
