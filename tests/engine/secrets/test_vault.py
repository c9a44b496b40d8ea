"""The vault keeps what it is given, tells a wrong passphrase from damage, and outlives whoever writes it."""

from __future__ import annotations

import asyncio
import base64
import copy
import hashlib
import json
import os
import pickle
import signal
import stat
import subprocess
import sys
import threading
import traceback
from collections.abc import Awaitable, Callable
from dataclasses import replace
from pathlib import Path
from typing import Any
from unittest.mock import Mock

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from smtp_wizard.engine.base import private_files
from smtp_wizard.engine.base.errors import InputError
from smtp_wizard.engine.base.secret import Secret
from smtp_wizard.engine.secrets import vault as vault_module
from smtp_wizard.engine.secrets import vault_format
from smtp_wizard.engine.secrets.secret_store import SecretError, SecretFault
from smtp_wizard.engine.secrets.store_kinds import StoreKind, StoreRef
from smtp_wizard.engine.secrets.vault import VaultState, VaultStore, acceptable
from smtp_wizard.engine.secrets.vault_format import Cost, Key, Sealed
from tests.support.leaks import assert_no_trace, spellings
from tests.support.stores import put

FILES = Path(__file__).parents[2] / "corpus" / "files"
CHEAP = Cost(n=2**4)
"""So that a test need not take as long as somebody who guesses."""
PASSPHRASE = Secret("four words of no sense")
PASSWORD = "pä$$ 'wörd\" %40"
SECRET = Secret(PASSWORD)
OFFICE = StoreRef(StoreKind.VAULT, "Office/password")


def vault(folder: Path, **more: Any) -> VaultStore:
    return VaultStore(folder, cost=CHEAP, **more)


async def new_vault(folder: Path) -> VaultStore:
    made = vault(folder)
    await made.create(PASSPHRASE)
    return made


async def opened(folder: Path, **more: Any) -> VaultStore:
    again = vault(folder, **more)
    await again.open(PASSPHRASE)
    return again


def state_of(store: VaultStore) -> VaultState:
    return store.state


async def trouble_of(work: Any) -> SecretFault:
    with pytest.raises(SecretError) as caught:
        await work
    assert str(caught.value).count("\n") == 0
    assert caught.value.__context__ is None or caught.value.__suppress_context__
    assert_no_trace(PASSWORD, "".join(traceback.format_exception(caught.value)))
    return caught.value.fault


# -- keeping -----------------------------------------------------------------------------------------------------------


def test_a_key_is_not_written_anywhere() -> None:
    key = vault_format.new_key(PASSPHRASE, CHEAP)
    for written in (pickle.dumps, copy.copy, copy.deepcopy):
        with pytest.raises(TypeError, match="not written anywhere"):
            written(key)
    assert key.value not in repr(key).encode()


async def test_another_process_reads_what_was_kept(tmp_path: Path) -> None:
    store = await new_vault(tmp_path)
    assert await put(store, "Office", SECRET) == OFFICE
    token = await put(store, "Shop", Secret("a token"))
    again = await opened(tmp_path)
    assert await again.get(OFFICE) == SECRET
    assert await again.get(token) == Secret("a token")
    await store.delete(token)
    assert await trouble_of(again.get(token)) is SecretFault.MISSING
    assert await again.get(OFFICE) == SECRET


async def test_the_file_is_private_and_tells_nothing(tmp_path: Path) -> None:
    store = await new_vault(tmp_path / "config")
    await put(store, "Office", SECRET)
    assert stat.S_IMODE((tmp_path / "config" / "vault.json").stat().st_mode) == 0o600
    assert_no_trace(PASSWORD, tmp_path)
    assert_no_trace(PASSPHRASE.reveal(), tmp_path)
    assert_no_trace("Office", tmp_path)
    assert PASSPHRASE.reveal() not in repr(vars(store))
    assert "********" in repr(vars(store)["_key"])


class Steps:
    """Counts how often a vault is read, and unsealed."""

    def __init__(self, patch: pytest.MonkeyPatch) -> None:
        self.read = self.unsealed = 0
        read, unseal = vault_format.read, vault_format.unseal

        def reading(data: bytes) -> Sealed:
            self.read += 1
            return read(data)

        def unsealing(sealed: Sealed, key: Key) -> dict[str, str]:
            self.unsealed += 1
            return unseal(sealed, key)

        patch.setattr(vault_format, "read", reading)
        patch.setattr(vault_format, "unseal", unsealing)


async def test_many_secrets_cost_one_reading(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store = await new_vault(tmp_path)
    refs = [StoreRef(StoreKind.VAULT, f"{number}/password") for number in range(40)]
    store._update({ref.where: f"secret {ref.where}" for ref in refs})
    again = await opened(tmp_path)
    monkeypatch.setattr(vault_module, "SETTLED", -60 * 10**9)  # as if that were long ago
    steps = Steps(monkeypatch)
    assert [(await again.get(ref)).reveal() for ref in refs] == [f"secret {ref.where}" for ref in refs]
    assert (steps.read, steps.unsealed) == (1, 0), "it was unsealed when it was opened"


async def test_many_secrets_of_one_vault_take_one_thread(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A thread for each would cost more of the processor than all the rest of the reading."""
    store = await new_vault(tmp_path)
    await put(store, "Office", SECRET)
    again = await opened(tmp_path)
    monkeypatch.setattr(vault_module, "SETTLED", -60 * 10**9)
    assert await again.get(OFFICE) == SECRET
    monkeypatch.setattr(vault_module, "in_thread", Mock(side_effect=AssertionError("a thread")))
    for _ in range(10):
        assert await again.get(OFFICE) == SECRET


async def test_a_vault_that_was_written_just_now_is_read_each_time_and_unsealed_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Within one tick of the clock it could be written again, and nothing outside would tell."""
    store = await new_vault(tmp_path)
    await put(store, "Office", SECRET)
    again = await opened(tmp_path)
    monkeypatch.setattr(vault_module, "SETTLED", 3600 * 10**9)
    steps = Steps(monkeypatch)
    for _ in range(3):
        assert await again.get(OFFICE) == SECRET
    assert steps.read >= 3
    assert steps.unsealed == 0


async def test_what_another_process_changes_is_seen_although_nothing_is_read_twice(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(vault_module, "SETTLED", -60 * 10**9)
    store = await new_vault(tmp_path)
    await put(store, "Office", SECRET)
    again = await opened(tmp_path)
    assert await again.get(OFFICE) == SECRET
    await put(store, "Office", Secret("another"))
    assert await again.get(OFFICE) == Secret("another")
    (tmp_path / "vault.json").chmod(0o666)
    assert await trouble_of(again.get(OFFICE)) is SecretFault.EXPOSED
    (tmp_path / "vault.json").chmod(0o600)
    assert await again.get(OFFICE) == Secret("another")
    (tmp_path / "vault.json").write_text("{")
    assert await trouble_of(again.get(OFFICE)) is SecretFault.DAMAGED


async def test_what_is_at_hand_of_a_vault_is_not_shown(tmp_path: Path) -> None:
    store = await new_vault(tmp_path)
    await put(store, "Office", SECRET)
    assert await store.get(OFFICE) == SECRET
    assert_no_trace(PASSWORD, repr(vars(store)))


async def test_the_length_of_the_file_does_not_tell_the_length_of_the_password(tmp_path: Path) -> None:
    store = await new_vault(tmp_path)
    sizes = set()
    for length in range(1, 40):
        await put(store, "Office", Secret("x" * length))
        sizes.add((tmp_path / "vault.json").stat().st_size)
    assert len(sizes) == 1


async def test_nothing_is_written_where_nothing_changes(tmp_path: Path) -> None:
    store = await new_vault(tmp_path)
    await put(store, "Office", SECRET)
    before = (tmp_path / "vault.json").read_bytes()
    await put(store, "Office", SECRET)
    await store.delete(StoreRef(StoreKind.VAULT, "Nobody/password"))
    assert (tmp_path / "vault.json").read_bytes() == before


async def test_every_writing_takes_another_nonce(tmp_path: Path) -> None:
    store = await new_vault(tmp_path)
    nonces = set()
    for number in range(20):
        await put(store, "Office", Secret(str(number)))
        nonces.add(json.loads((tmp_path / "vault.json").read_text())["header"]["nonce"])
    assert len(nonces) == 20


@given(st.dictionaries(st.text(max_size=20), st.text(max_size=200), max_size=5), st.text(max_size=30))
@settings(deadline=None)
def test_what_is_sealed_comes_back(entries: dict[str, str], words: str) -> None:
    key = vault_format.new_key(Secret(words), CHEAP)
    found = vault_format.read(vault_format.seal(entries, key))
    again = vault_format.make_key(Secret(words), found.header.salt, found.header.cost)
    assert vault_format.unseal(found, again) == entries


@given(st.text(min_size=10, max_size=60).map(lambda text: f"{text}~q7Z"))  # else it finds the names of the fields
@settings(deadline=None)
def test_no_spelling_of_a_secret_stands_in_the_file(secret: str) -> None:
    data = vault_format.seal({"Office/password": secret}, vault_format.new_key(PASSPHRASE, CHEAP))
    assert not any(spelling in data for spelling in spellings(secret))


def test_an_accent_may_be_typed_in_two_ways() -> None:
    salt = b"0" * 16
    typed = ("caf\u00e9 au lait", "cafe\u0301 au lait")
    one, other = (vault_format.make_key(Secret(text), salt, CHEAP) for text in typed)
    assert one.value == other.value


# -- closed, wrong, damaged --------------------------------------------------------------------------------------------


async def test_a_closed_vault_says_that_it_needs_its_passphrase(tmp_path: Path) -> None:
    store = vault(tmp_path)
    assert state_of(store) is VaultState.MISSING
    assert await trouble_of(put(store, "Office", SECRET)) is SecretFault.CLOSED
    assert not (tmp_path / "vault.json").exists()
    assert await trouble_of(store.get(OFFICE)) is SecretFault.ABSENT
    await store.delete(OFFICE)
    assert not await store.ready()
    await put(await new_vault(tmp_path), "Office", SECRET)
    assert state_of(store) is VaultState.CLOSED
    assert await trouble_of(store.get(OFFICE)) is SecretFault.CLOSED
    await store.open(PASSPHRASE)
    assert state_of(store) is VaultState.OPEN
    assert await store.ready()
    assert await store.get(OFFICE) == SECRET


async def test_a_wrong_passphrase_is_not_called_damage(tmp_path: Path) -> None:
    await new_vault(tmp_path)
    store = vault(tmp_path)
    assert await trouble_of(store.open(Secret("another passphrase"))) is SecretFault.WRONG
    assert state_of(store) is VaultState.CLOSED


async def test_every_changed_byte_is_damage_and_not_a_wrong_passphrase(tmp_path: Path) -> None:
    store = await new_vault(tmp_path)
    await put(store, "Office", SECRET)
    file = tmp_path / "vault.json"
    whole = file.read_bytes()
    for place in range(0, len(whole), 7):
        changed = bytearray(whole)
        changed[place] ^= 1
        if bytes(changed).split() == whole.split():
            continue  # a blank between two fields
        file.write_bytes(changed)
        with pytest.raises(SecretError, match=r"is damaged \(") as caught:
            await opened(tmp_path)
        assert caught.value.fault is SecretFault.DAMAGED


@pytest.mark.parametrize("keep", [0, 1, 100, 400])
async def test_a_file_that_was_cut_is_damaged_and_left_alone(keep: int, tmp_path: Path) -> None:
    store = await new_vault(tmp_path)
    await put(store, "Office", SECRET)
    file = tmp_path / "vault.json"
    file.write_bytes(file.read_bytes()[:keep])
    assert await trouble_of(store.get(OFFICE)) is SecretFault.DAMAGED
    assert await trouble_of(put(store, "Office", SECRET)) is SecretFault.DAMAGED
    assert await trouble_of(vault(tmp_path).create(PASSPHRASE)) is SecretFault.DAMAGED
    assert file.stat().st_size == keep
    found = await store.probe()
    assert not found.ok
    assert "is damaged" in found.words


def forged(folder: Path, **header: Any) -> None:
    """Change a vault's header, as somebody would who can compute a checksum."""
    file = folder / "vault.json"
    document = json.loads(file.read_text())
    document["header"] |= header
    header_bytes = json.dumps(document["header"], sort_keys=True, separators=(",", ":")).encode()
    checked = header_bytes + b"\n" + base64.b64decode(document["ciphertext"])
    document["checksum"] = hashlib.sha256(checked).hexdigest()
    file.write_text(json.dumps(document))


@pytest.mark.parametrize(
    "header",
    [
        {"n": 2**26},
        {"n": 2**63},
        {"n": 10**4000},
        {"n": 3},
        {"n": 0},
        {"n": -16},
        {"n": True},
        {"n": 16.0},
        {"r": 2**20},
        {"r": 0},
        {"p": 2**20},
        {"n": 2**18, "p": 16},
        {"kdf": "none"},
        {"salt": ""},
        {"nonce": "AAAA"},
        {"salt": 5},
        {"version": 0},
    ],
    ids=str,
)
async def test_a_forged_header_is_refused_before_any_memory_is_taken(
    header: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    await new_vault(tmp_path)
    forged(tmp_path, **header)
    derive = Mock(side_effect=AssertionError("the key was derived"))
    monkeypatch.setattr(vault_format, "make_key", derive)
    assert await trouble_of(vault(tmp_path).open(PASSPHRASE)) is SecretFault.DAMAGED


async def test_the_header_is_sealed_with_the_rest(tmp_path: Path) -> None:
    await new_vault(tmp_path)
    forged(tmp_path, nonce=base64.b64encode(b"n" * 12).decode())
    assert await trouble_of(vault(tmp_path).open(PASSPHRASE)) is SecretFault.WRONG


def released() -> dict[str, Any]:
    document: dict[str, Any] = json.loads((FILES / "vault.json").read_text())
    return document


@pytest.mark.parametrize(
    ("words", "odd"),
    [
        ("'more' is unknown", released() | {"more": 1}),
        ("'checksum' must be text, not a number", released() | {"checksum": 7}),
        ("'schema' must be smtp-wizard/vault-file/1", released() | {"schema": "smtp-wizard/vault-file/0"}),
        ("'ciphertext' must be Base64 text", released() | {"ciphertext": released()["ciphertext"] + "="}),
        ("'header.more' is unknown", released() | {"header": released()["header"] | {"more": 1}}),
        ("'header.nonce' must be Base64 text", released() | {"header": released()["header"] | {"nonce": "AAAB="}}),
        ("'header.salt' must be Base64 text", released() | {"header": released()["header"] | {"salt": "AB=="}}),
        ("'header.cipher' is missing", released() | {"header": {"version": 1, "kdf": "", "n": 1, "r": 1, "p": 1}}),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_is_odd_in_a_vault_is_named(words: str, odd: dict[str, Any]) -> None:
    with pytest.raises(vault_format.DamagedVault) as caught:
        vault_format.read(json.dumps(odd).encode())
    assert str(caught.value) == words


@pytest.mark.parametrize("double", ['"version": 1', '"n": 16384'])
def test_a_vault_with_a_key_twice_is_damaged(double: str) -> None:
    text = (FILES / "vault.json").read_text()
    assert text.count(double) == 1
    with pytest.raises(vault_format.DamagedVault, match=r"^it has the same key twice"):
        vault_format.read(text.replace(double, f"{double}, {double}").encode())


async def test_a_newer_vault_asks_for_a_newer_program(tmp_path: Path) -> None:
    await new_vault(tmp_path)
    forged(tmp_path, version=2)
    with pytest.raises(SecretError, match="newer smtp-wizard"):
        await vault(tmp_path).open(PASSPHRASE)


def test_the_usual_cost_is_what_it_is_said_to_be() -> None:
    assert (Cost().n, Cost().r, Cost().p) == (32768, 8, 3)
    assert Cost().bearable
    assert 32 * 2**20 < Cost().memory < 33 * 2**20


def test_a_vault_of_the_former_cost_can_be_opened() -> None:
    """Its file says what a guess costs there, and that stays so until its passphrase is changed."""
    former = Cost(n=2**17, r=8, p=1)
    assert former.bearable
    sealed = vault_format.read(vault_format.seal({"a": "b"}, vault_format.new_key(PASSPHRASE, former)))
    assert sealed.header.cost == former
    assert vault_format.unseal(sealed, vault_format.make_key(PASSPHRASE, sealed.header.salt, sealed.header.cost)) == {
        "a": "b"
    }


async def test_a_passphrase_that_is_too_short_makes_no_vault(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="at least 8 characters"):
        await vault(tmp_path).create(Secret("short"))
    assert not (tmp_path / "vault.json").exists()
    assert acceptable(Secret("long enough")) == Secret("long enough")


async def test_a_folder_that_cannot_be_written_is_said(tmp_path: Path) -> None:
    (tmp_path / "config").write_text("no folder")
    store = vault(tmp_path / "config")
    assert await trouble_of(store.create(PASSPHRASE)) is SecretFault.REFUSED
    assert not (await store.probe()).ok
    assert not (await VaultStore(None).probe()).ok
    assert await trouble_of(VaultStore(None).create(PASSPHRASE)) is SecretFault.ABSENT


async def test_a_writer_that_never_ends_is_said(tmp_path: Path) -> None:
    import filelock

    await new_vault(tmp_path)
    store = await opened(tmp_path, lock_limit=0.05)
    with filelock.FileLock(f"{tmp_path / 'vault.json'}.lock"):
        assert await trouble_of(put(store, "Office", SECRET)) is SecretFault.REFUSED
        await opened(tmp_path)
    await put(store, "Office", SECRET)


# -- where the passphrase comes from -----------------------------------------------------------------------------------


async def test_a_source_makes_and_opens_the_vault_without_asking(tmp_path: Path) -> None:
    async def source() -> Secret:
        return PASSPHRASE

    store = vault(tmp_path, source=source)
    await put(store, "Office", SECRET)
    again = vault(tmp_path, source=source)
    assert await again.get(OFFICE) == SECRET
    assert (await again.probe()).unattended


async def test_a_source_with_a_short_passphrase_makes_no_vault(tmp_path: Path) -> None:
    async def source() -> Secret:
        return Secret("short")

    store = vault(tmp_path, source=source)
    assert await trouble_of(put(store, "Office", SECRET)) is SecretFault.REFUSED


async def test_another_passphrase_locks_out_the_old_one(tmp_path: Path) -> None:
    store = await new_vault(tmp_path)
    await put(store, "Office", SECRET)
    other = await opened(tmp_path)
    await store.change_passphrase(Secret("another passphrase"))
    assert await store.get(OFFICE) == SECRET
    assert await trouble_of(other.get(OFFICE)) is SecretFault.CLOSED
    assert await trouble_of(put(other, "Office", SECRET)) is SecretFault.CLOSED
    assert await trouble_of(vault(tmp_path).open(PASSPHRASE)) is SecretFault.WRONG
    await other.open(Secret("another passphrase"))
    assert await other.get(OFFICE) == SECRET
    with pytest.raises(InputError):
        await store.change_passphrase(Secret("short"))


NEW_PASSPHRASE = Secret("five words of no sense")


async def test_a_vault_whose_passphrase_another_process_has_changed_is_closed_and_can_be_opened(tmp_path: Path) -> None:
    """A program that runs for long asks again, instead of failing for ever."""
    other = await new_vault(tmp_path)
    await put(other, "Office", SECRET)
    store = await opened(tmp_path)
    assert await store.ready()
    await other.change_passphrase(NEW_PASSPHRASE)
    assert not await store.ready()
    assert state_of(store) is VaultState.CLOSED
    for work in (store.get(OFFICE), store.put(OFFICE, Secret("x")), store.delete(OFFICE)):
        with pytest.raises(SecretError, match="another passphrase since it was opened here") as closed:
            await work
        assert closed.value.fault is SecretFault.CLOSED
    assert await trouble_of(store.open(PASSPHRASE)) is SecretFault.WRONG
    await store.open(NEW_PASSPHRASE)
    assert await store.ready()
    assert await store.get(OFFICE) == SECRET
    await other.change_passphrase(PASSPHRASE)
    assert not await store.ready(), "and once more"
    with pytest.raises(SecretError, match="another passphrase since"):
        store._entries()


async def test_a_vault_that_is_taken_away_just_before_it_is_used(tmp_path: Path) -> None:
    store = await new_vault(tmp_path)
    ready = store._ready

    async def taken_away() -> None:
        await ready()
        (tmp_path / "vault.json").unlink()

    store._ready = taken_away  # type: ignore[method-assign]
    assert await trouble_of(store.put(OFFICE, SECRET)) is SecretFault.ABSENT


async def test_who_wants_to_know_is_told_before_anything_is_written(tmp_path: Path) -> None:
    store = await new_vault(tmp_path)
    before = (tmp_path / "vault.json").read_bytes()
    seen: list[bytes] = []
    await store.put(OFFICE, SECRET, before=lambda: seen.append((tmp_path / "vault.json").read_bytes()))
    assert seen == [before]


async def test_without_a_config_folder_there_is_no_vault() -> None:
    store = VaultStore(None)
    assert not await store.ready()
    assert await trouble_of(store.put(OFFICE, SECRET)) is SecretFault.CLOSED
    assert await trouble_of(store.create(PASSPHRASE)) is SecretFault.ABSENT


async def test_a_vault_that_was_never_opened_says_so(tmp_path: Path) -> None:
    store = vault(tmp_path)
    with pytest.raises(SecretError, match="There is no vault yet: a passphrase"):
        await put(store, "Office", SECRET)
    assert await trouble_of(store.open(PASSPHRASE)) is SecretFault.ABSENT
    await new_vault(tmp_path)
    with pytest.raises(SecretError, match="The vault is closed: its passphrase"):
        await put(store, "Office", SECRET)


async def test_a_new_vault_costs_one_derivation(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    derive = Mock(side_effect=vault_format.make_key)
    monkeypatch.setattr(vault_format, "make_key", derive)
    await new_vault(tmp_path)
    assert derive.call_count == 1


async def test_a_vault_in_a_folder_that_cannot_be_written_is_not_offered(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Root may write everywhere, so the system's answer is played."""
    assert (await vault(tmp_path / "a" / "b").probe()).ok
    monkeypatch.setattr("os.access", lambda *_: False)
    found = await vault(tmp_path / "a" / "b").probe()
    assert (found.ok, "No vault can be written" in found.words) == (False, True)


async def test_a_passphrase_that_was_given_and_is_right_no_longer_leads_to_a_question(tmp_path: Path) -> None:
    """As from a variable, which stays as it is for as long as the program runs."""

    async def from_variable() -> Secret:
        return PASSPHRASE

    other = await new_vault(tmp_path)
    await put(other, "Office", SECRET)
    store = vault(tmp_path, source=from_variable)
    assert await store.get(OFFICE) == SECRET
    await other.change_passphrase(NEW_PASSPHRASE)
    assert not await store.ready()
    assert await trouble_of(store.get(OFFICE)) is SecretFault.CLOSED
    await store.open(NEW_PASSPHRASE)
    assert await store.get(OFFICE) == SECRET


async def test_a_passphrase_that_was_never_right_is_wrong(tmp_path: Path) -> None:
    async def wrong() -> Secret:
        return NEW_PASSPHRASE

    await new_vault(tmp_path)
    store = vault(tmp_path, source=wrong)
    assert await trouble_of(store.ready()) is SecretFault.WRONG
    await store.open(PASSPHRASE)
    assert await store.ready()


async def test_a_password_manager_that_knows_the_new_passphrase_is_asked_again(tmp_path: Path) -> None:
    known = [PASSPHRASE]

    async def from_manager() -> Secret:
        return known[-1]

    other = await new_vault(tmp_path)
    await put(other, "Office", SECRET)
    store = vault(tmp_path, source=from_manager)
    assert await store.get(OFFICE) == SECRET
    await other.change_passphrase(NEW_PASSPHRASE)
    known.append(NEW_PASSPHRASE)
    assert await store.get(OFFICE) == SECRET


@pytest.mark.parametrize("knows", [True, False])
async def test_a_passphrase_that_changes_just_before_the_vault_is_used(tmp_path: Path, knows: bool) -> None:
    """Between the look whether the key fits and the use of it: nothing is sealed under the old one."""
    other = await new_vault(tmp_path)

    async def new_one() -> Secret:
        return NEW_PASSPHRASE

    store = await opened(tmp_path, source=new_one if knows else None)
    ready = store._ready

    async def changed_meanwhile() -> None:
        await ready()
        store._ready = ready  # type: ignore[method-assign]
        await other.change_passphrase(NEW_PASSPHRASE)

    store._ready = changed_meanwhile  # type: ignore[method-assign]
    if knows:
        await store.put(OFFICE, SECRET)
        assert await other.get(OFFICE) == SECRET
    else:
        assert await trouble_of(store.put(OFFICE, SECRET)) is SecretFault.CLOSED
        assert await trouble_of(other.get(OFFICE)) is SecretFault.MISSING


def forgetting(monkeypatch: pytest.MonkeyPatch) -> None:
    """From now on the system says that it has written, and has not."""
    monkeypatch.setattr("smtp_wizard.engine.base.private_files.write_private", lambda *_, **__: None)


async def test_what_was_written_is_read_back(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store = await new_vault(tmp_path)
    await put(store, "Office", SECRET)
    forgetting(monkeypatch)
    assert await trouble_of(put(store, "Shop", SECRET)) is SecretFault.FORGETS
    assert await trouble_of(put(store, "Office", Secret("another one"))) is SecretFault.FORGETS
    assert await trouble_of(store.delete(OFFICE)) is SecretFault.FORGETS
    assert await trouble_of(store.change_passphrase(NEW_PASSPHRASE)) is SecretFault.FORGETS
    assert await store.get(OFFICE) == SECRET, "the old passphrase still opens it, here too"


async def test_a_new_vault_is_read_back_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    forgetting(monkeypatch)
    store = vault(tmp_path)
    assert await trouble_of(store.create(PASSPHRASE)) is SecretFault.FORGETS
    assert state_of(store) is VaultState.MISSING


async def test_what_comes_back_is_compared(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store = await new_vault(tmp_path)
    whole = vault_format.seal
    monkeypatch.setattr(vault_format, "seal", lambda entries, key: whole({**entries, "Office/password": "x"}, key))
    assert await trouble_of(put(store, "Office", SECRET)) is SecretFault.FORGETS


async def test_a_vault_that_is_full_stays_as_it_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A larger one could not be read any more."""
    store = await new_vault(tmp_path)
    await put(store, "Office", SECRET)
    monkeypatch.setattr(vault_format, "LARGEST", 2000)
    noted = Mock()
    long = StoreRef(StoreKind.VAULT, "Shop/password")
    assert await trouble_of(store.put(long, Secret("x" * 3000), before=noted)) is SecretFault.TOO_LONG
    assert not noted.called
    assert await store.get(OFFICE) == SECRET


async def test_too_little_memory_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    await new_vault(tmp_path)
    monkeypatch.setattr(vault_format, "make_key", Mock(side_effect=MemoryError))
    with pytest.raises(SecretError, match="not enough memory") as said:
        await vault(tmp_path).open(PASSPHRASE)
    assert said.value.fault is SecretFault.REFUSED


async def test_two_that_make_it_at_once_make_one(tmp_path: Path) -> None:
    one, other = vault(tmp_path), vault(tmp_path)
    await asyncio.gather(one.create(PASSPHRASE), other.create(PASSPHRASE))
    await put(one, "Office", SECRET)
    assert await other.get(OFFICE) == SECRET


async def test_a_vault_that_was_taken_away_is_said(tmp_path: Path) -> None:
    store = await new_vault(tmp_path)
    await put(store, "Office", SECRET)
    (tmp_path / "vault.json").unlink()
    assert await trouble_of(store.get(OFFICE)) is SecretFault.ABSENT
    assert await trouble_of(put(store, "Office", SECRET)) is SecretFault.CLOSED


# -- many writers, and killed ones -------------------------------------------------------------------------------------

WRITER = """
import asyncio, sys
from pathlib import Path
from smtp_wizard.engine.secrets.store_kinds import StoreKind, StoreRef
from smtp_wizard.engine.base.secret import Secret
from smtp_wizard.engine.secrets.vault import VaultStore
from smtp_wizard.engine.secrets.vault_format import Cost

async def main(folder, name, count):
    store = VaultStore(Path(folder), cost=Cost(n=16), lock_limit=60)
    await store.open(Secret("four words of no sense"))
    for number in range(count):
        ref = StoreRef(StoreKind.VAULT, f"{name} {number}/password")
        await store.put(ref, Secret(f"secret {name} {number}"))
        print(number, flush=True)

if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], sys.argv[2], int(sys.argv[3])))
"""
WRITERS = (
    WRITER.replace("__main__", "nobody")
    + """
import os, filelock
from cryptography.hazmat.primitives.ciphers import aead
from cryptography.hazmat.primitives.kdf import scrypt

for name in sys.stdin:
    child = os.fork()
    if child == 0:
        print(os.getpid(), flush=True)
        asyncio.run(main(sys.argv[1], name.strip(), 1000))
        os._exit(0)
    os.waitpid(child, 0)
    os.write(1, b"ended\\n")
"""
)
"""Begins a writer for each name that it is told, which says its number first, and tells when that one has ended."""


def writer(folder: Path, name: str, count: int) -> subprocess.Popen[str]:
    command = [sys.executable, "-W", "error", "-c", WRITER, str(folder), name, str(count)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


async def test_four_processes_with_25_updates_each_keep_100(tmp_path: Path) -> None:
    await new_vault(tmp_path)
    running = [writer(tmp_path, f"writer {number}", 25) for number in range(4)]
    for process in running:
        out, err = process.communicate(timeout=100)
        assert (process.returncode, err, len(out.splitlines())) == (0, "", 25)
    entries = (await opened(tmp_path))._entries()
    assert entries == {
        f"writer {who} {number}/password": f"secret writer {who} {number}" for who in range(4) for number in range(25)
    }


async def test_50_writers_that_are_killed_never_damage_it(tmp_path: Path) -> None:
    """Each is killed on its way to the next writing; what it said it had kept is kept."""
    await new_vault(tmp_path)
    kept: set[str] = set()
    command = [sys.executable, "-W", "error", "-c", WRITERS, str(tmp_path)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as writers:
        assert writers.stdin is not None
        assert writers.stdout is not None
        for attempt in range(50):
            writers.stdin.write(f"attempt {attempt}\n")
            writers.stdin.flush()
            process = int(writers.stdout.readline())
            for number in range(1 + attempt % 3):
                assert writers.stdout.readline().strip() == str(number)
                kept.add(f"attempt {attempt} {number}/password")
            os.kill(process, signal.SIGKILL)
            while (told := writers.stdout.readline()) != "ended\n":
                assert told, "it has ended by itself"
            assert kept <= (await opened(tmp_path))._entries().keys()
        writers.stdin.close()
    assert len(kept) == 99
    store = await opened(tmp_path)
    await put(store, "Office", SECRET)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["vault.json", "vault.json.lock"]


async def test_what_a_killed_writer_left_is_swept_when_the_vault_is_opened(tmp_path: Path) -> None:
    await new_vault(tmp_path)
    (tmp_path / ".vault.json.abc.scratch").write_bytes(b"half")
    await opened(tmp_path)
    assert not (tmp_path / ".vault.json.abc.scratch").exists()


# -- what is held of it, and what is not -------------------------------------------------------------------------------


def test_what_is_far_too_long_is_not_taken_apart(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(vault_format, "read_json", Mock(side_effect=AssertionError("it was read")))
    with pytest.raises(vault_format.DamagedVault, match="far too long"):
        vault_format.read(b" " * (vault_format.LARGEST + 1))


@pytest.mark.parametrize(("cost", "bearable"), [
    (Cost(n=2, r=32, p=1), True),
    (Cost(n=2, r=33, p=1), False),
    (Cost(n=2, r=0, p=1), False),
    (Cost(n=2, r=1, p=16), True),
    (Cost(n=2, r=1, p=17), False),
    (Cost(n=2, r=1, p=0), False),
    (Cost(n=3, r=1, p=1), False),
    (Cost(n=1, r=1, p=1), False),
    (Cost(n=2**20, r=1, p=1), True),
    (Cost(n=2**20, r=2, p=1), False),
    (Cost(n=2**18, r=2, p=5), False),
])  # fmt: skip
def test_what_an_opening_may_cost_has_bounds(cost: Cost, bearable: bool) -> None:
    assert cost.bearable is bearable


async def test_salt_nonce_and_key_have_their_lengths(tmp_path: Path) -> None:
    store = await new_vault(tmp_path)
    header = vault_format.read((tmp_path / "vault.json").read_bytes()).header
    assert store._key is not None
    assert (len(header.salt), len(header.nonce), len(store._key.value)) == (16, 12, 32)


async def test_a_key_of_another_cost_is_another_key(tmp_path: Path) -> None:
    store = await new_vault(tmp_path)
    sealed = vault_format.read((tmp_path / "vault.json").read_bytes())
    key = store._key
    assert key is not None
    assert key.fits(sealed)
    assert not replace(key, cost=Cost(n=2**5)).fits(sealed)
    assert not replace(key, salt=bytes(16)).fits(sealed)


async def test_what_was_read_goes_with_the_key(tmp_path: Path) -> None:
    """A vault that is closed, since another process changed its passphrase, holds no secret in memory."""
    store = await new_vault(tmp_path)
    await put(store, "Office", SECRET)
    assert await store.get(OFFICE) == SECRET
    await (await opened(tmp_path)).change_passphrase(Secret("another one of no sense"))
    assert await trouble_of(store.get(OFFICE)) is SecretFault.CLOSED
    assert (store._key, store._copy, store._unsealed_last) == (None, None, None)


async def test_a_vault_that_is_open_is_opened_by_no_other_passphrase(tmp_path: Path) -> None:
    """That it was unsealed before, by the right one, says nothing."""
    store = await new_vault(tmp_path)
    await put(store, "Office", SECRET)
    for _ in range(2):
        assert await store.get(OFFICE) == SECRET
        assert await trouble_of(store.open(Secret("four words of a guess"))) is SecretFault.WRONG


# -- given up while it writes ------------------------------------------------------------------------------------------

WRITING: dict[str, tuple[Callable[[VaultStore], Awaitable[None]], dict[str, str]]] = {
    "create": (lambda store: store.create(PASSPHRASE), {}),
    "put": (lambda store: store.put(OFFICE, Secret("another")), {OFFICE.where: "another"}),
    "delete": (lambda store: store.delete(OFFICE), {}),
    "passphrase": (lambda store: store.change_passphrase(PASSPHRASE), {OFFICE.where: PASSWORD}),
}
"""What writes the file, and what is in it then."""


@pytest.mark.parametrize("what", WRITING)
async def test_who_is_cancelled_waits_until_the_vault_is_written(
    what: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Else an entry would come up after the change was undone, and after the note of it was taken away."""
    act, afterwards = WRITING[what]
    store = vault(tmp_path)
    if what != "create":
        await store.create(PASSPHRASE)
        await store.put(OFFICE, SECRET)
    write, loop = private_files.write_private, asyncio.get_running_loop()
    reached, go_on = asyncio.Event(), threading.Event()

    def held(path: Path, data: bytes) -> None:
        loop.call_soon_threadsafe(reached.set)
        go_on.wait()
        write(path, data)

    monkeypatch.setattr(private_files, "write_private", held)
    writing = asyncio.ensure_future(act(store))
    await reached.wait()
    for _ in range(3):
        writing.cancel()
        await asyncio.sleep(0)
    left = writing.done()
    go_on.set()
    await asyncio.wait({writing})
    assert not left, "it is still being written"
    assert writing.cancelled()
    assert (await opened(tmp_path))._entries() == afterwards
