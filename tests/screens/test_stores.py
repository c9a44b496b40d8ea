"""Where the password is kept, at the screens: the vault's passphrase, a command, a file, and moving it."""

from __future__ import annotations

import asyncio
import os
import shlex
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from smtp_wizard.app import HOME
from smtp_wizard.engine.base.secret import Secret
from smtp_wizard.engine.secrets import journal, vault, vault_format
from smtp_wizard.engine.secrets.secret_store import Availability
from smtp_wizard.engine.secrets.store_kinds import StoreKind, StoreRef
from smtp_wizard.engine.secrets.stores import SecretStores
from smtp_wizard.engine.secrets.vault import VaultState
from smtp_wizard.engine.services.services import Services
from smtp_wizard.runtime import lent_terminal
from smtp_wizard.runtime.lent_terminal import Foreground
from smtp_wizard.screens.accounts.home import HomeScreen
from smtp_wizard.screens.panel import QuestionPanel
from smtp_wizard.screens.question import FlowPanel
from smtp_wizard.screens.save import SaveScreen
from smtp_wizard.text.wizard import STORE_TITLES
from tests.screens.test_faults_of_our_own import acting, sure, to_another_place
from tests.screens.test_faults_of_our_own import take as choose_offer
from tests.screens.test_life import PRACTICE, SECRET
from tests.support.leaks import assert_no_trace
from tests.support.places import Go, keep_in, skipped, take
from tests.support.stores import MemoryBackend, always, desktop
from tests.support.walk import Walk, make_services, walking

PASSPHRASE = Secret("four words of no sense")


@pytest.fixture(autouse=True)
def a_cheap_vault(monkeypatch: pytest.MonkeyPatch) -> None:
    """Guessing at the passphrases of these tests need not be dear."""
    monkeypatch.setattr(vault, "USUAL", vault_format.Cost(n=2**4))


@pytest.fixture
def backend() -> MemoryBackend:
    return MemoryBackend()


def services_in(folder: Path, backend: MemoryBackend) -> Services:
    """Return the engine as a new process has it: the vault is closed."""
    stores = SecretStores(dict(os.environ), folder, backend_factory=always(desktop(backend)))
    return make_services(folder, stores=stores)


@pytest.fixture
def services(tmp_path: Path, backend: MemoryBackend) -> Services:
    return services_in(tmp_path / "config", backend)


@pytest.fixture
def secret_file(tmp_path: Path) -> Path:
    path = tmp_path / "secret"
    path.write_text(f"{SECRET.reveal()}\n")
    path.chmod(0o600)
    return path


async def to_review(walk: Walk) -> None:
    """Change the saved account, as far as the last step."""
    await walk.at_screen(HomeScreen)
    await walk.press("e")
    await walk.at("server")
    await walk.press("enter")
    await walk.at("connect")
    await walk.press("enter")
    await walk.until_reads("Next: one test message")
    await walk.press("enter")
    await skipped(walk)
    await walk.at("review")


async def held(services: Services, name: str = "Office") -> tuple[StoreKind, Secret | None]:
    account = services.saved_accounts.get(name)
    assert account.store is not None
    return account.store.kind, await services.entries.secret_of(account)


async def test_a_vault_is_made_when_the_first_password_is_put_into_it(
    services: Services, backend: MemoryBackend
) -> None:
    await services.accounts.save(PRACTICE)
    async with walking(services, start=HOME) as walk:
        await to_review(walk)
        await keep_in(walk, StoreKind.VAULT)
        await walk.until_reads("Password in the vault, a locked file.")
        await walk.press("enter")
        await walk.at_screen(FlowPanel)
        await walk.until_reads("Choose a passphrase for the vault")
        await walk.press("escape")
        await walk.until_reads("The vault stays closed")
        await take(walk, StoreKind.VAULT)
        await walk.press("enter")
        await walk.at_screen(FlowPanel)
        await walk.write("short")
        await walk.press("enter")
        await walk.until_reads("at least 8 characters")
        await walk.fill("#field-0 Input", PASSPHRASE.reveal())
        await walk.press("enter")
        await walk.fill("#field-1 Input", "another one")
        await walk.press("enter")
        await walk.until_reads("were not the same")
        await walk.fill("#field-1 Input", "")
        await walk.fill("#field-0 Input", "")
        letters = list(PASSPHRASE.reveal())
        await walk.press(*letters, "tab", *letters)
        assert [walk.entry(f"#field-{at} Input").value for at in (0, 1)] == [PASSPHRASE.reveal()] * 2
        assert_no_trace(PASSPHRASE.reveal(), walk.shown)
        await walk.press("enter")
        await walk.at("done")
    assert await held(services) == (StoreKind.VAULT, SECRET)
    assert backend.entries == {}
    assert_no_trace(SECRET.reveal(), services.folder)
    assert_no_trace(PASSPHRASE.reveal(), services.folder)


async def in_the_vault(folder: Path, backend: MemoryBackend) -> Services:
    """Save an account in the vault; return the engine of the next process."""
    before = services_in(folder, backend)
    await before.stores.vault.create(PASSPHRASE)
    await before.accounts.save(replace(PRACTICE, store=StoreKind.VAULT))
    before.saved_accounts.state.flush()
    return services_in(folder, backend)


NO_NOTE = "What is kept was changed without a note of it"


async def test_a_note_that_cannot_be_written_is_said_when_it_happens(
    services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Not only when the program ends: by then nobody knows what it was about."""
    await services.accounts.save(PRACTICE)
    monkeypatch.setattr(journal, "MOST", 0)
    async with walking(services, start=HOME, size=(120, 40)) as walk:
        await to_review(walk)
        assert not walk.reads(NO_NOTE)
        await walk.press("enter")
        await walk.at("done")
        await walk.until_reads(NO_NOTE)
        await walk.press("enter")
        await walk.at_screen(HomeScreen)
        assert not walk.reads(NO_NOTE), "the same thing is said once"


@pytest.mark.parametrize("act", [acting("move", to_another_place), acting("delete", sure)], ids=["move", "delete"])
async def test_a_change_at_home_without_a_note_is_said_there(
    act: Go, services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    await services.accounts.save(PRACTICE)
    monkeypatch.setattr(journal, "MOST", 0)
    async with walking(services, start=HOME, size=(120, 40)) as walk:
        await walk.at_screen(HomeScreen)
        await act(walk)
        await walk.until_reads(NO_NOTE)


async def test_the_vault_is_opened_once_for_all(tmp_path: Path, backend: MemoryBackend) -> None:
    services = await in_the_vault(tmp_path, backend)
    async with walking(services, start=HOME) as walk:
        await walk.at_screen(HomeScreen)
        await walk.press("t")
        await walk.at_screen(FlowPanel)
        await walk.press("enter")
        await walk.until_reads("Type the passphrase.")
        await walk.write("a wrong one")
        await walk.press("enter")
        await walk.until_reads("That is not the passphrase of the vault.")
        await walk.fill("#field-0 Input", PASSPHRASE.reveal())
        await walk.press("enter")
        await walk.until_reads("Nothing was sent.")
        await walk.press("t")
        await walk.until_reads("Nothing was sent.")
        assert isinstance(walk.app.screen, HomeScreen)


async def test_who_does_not_open_the_vault_tests_nothing(tmp_path: Path, backend: MemoryBackend) -> None:
    services = await in_the_vault(tmp_path, backend)
    async with walking(services, start=HOME) as walk:
        await walk.at_screen(HomeScreen)
        await walk.press("t")
        await walk.at_screen(FlowPanel)
        await walk.press("escape")
        await walk.until_reads("The vault stays closed")


async def test_an_account_can_be_deleted_without_the_passphrase(tmp_path: Path, backend: MemoryBackend) -> None:
    services = await in_the_vault(tmp_path, backend)
    async with walking(services, start=HOME) as walk:
        await walk.at_screen(HomeScreen)
        await walk.press("delete")
        await walk.at_screen(FlowPanel)
        await walk.press("down", "enter")
        await walk.until_reads("Type its passphrase")
        await walk.press("escape")
        await walk.until_reads("its password may still be in the store")
    assert services.saved_accounts.list() == ()


async def test_a_damaged_vault_is_said(tmp_path: Path, backend: MemoryBackend) -> None:
    services = await in_the_vault(tmp_path, backend)
    (tmp_path / "vault.json").write_text("{")
    async with walking(services, start=HOME) as walk:
        await walk.at_screen(HomeScreen)
        await walk.press("t")
        await walk.until_reads("is damaged")


async def test_a_command_is_checked_and_tried(services: Services, secret_file: Path) -> None:
    await services.accounts.save(PRACTICE)
    program = "import sys; print(open(sys.argv[1]).read())"
    command = shlex.join([sys.executable, "-c", program, str(secret_file)])
    async with walking(services, start=HOME) as walk:
        await to_review(walk)
        await keep_in(walk, StoreKind.COMMAND)
        await walk.press("enter")
        await walk.until_reads("Type the command that prints the password")
        await walk.fill("#way", "pass show x | head -1")
        await walk.press("enter")
        await walk.until_reads("No shell runs the command")
        await walk.fill("#way", "false")
        await walk.press("enter")
        await walk.until_reads("Save it like this?")
        await walk.press("enter")
        await walk.until_reads("gave up (exit code 1)")
        await take(walk, StoreKind.COMMAND)
        await walk.fill("#way", command)
        await walk.press("enter")
        await walk.until_reads("Save it like this?")
        await walk.press("enter")
        await walk.at("done")
        await walk.press("escape")
        await walk.at("review")
    assert services.saved_accounts.get("Office").store == StoreRef(StoreKind.COMMAND, command)
    assert await held(services) == (StoreKind.COMMAND, SECRET)


async def test_moving_to_each_place_and_back(services: Services, backend: MemoryBackend, secret_file: Path) -> None:
    await services.accounts.save(PRACTICE)
    await services.stores.vault.create(PASSPHRASE)
    async with walking(services, start=HOME) as walk:
        for kind in (StoreKind.VAULT, StoreKind.FILE, StoreKind.KEYRING):
            await walk.at_screen(HomeScreen)
            await walk.press("enter")
            await walk.at_screen(QuestionPanel)
            await choose_offer(walk, "move")
            await walk.at_screen(FlowPanel)
            await choose_offer(walk, kind)
            if kind is StoreKind.FILE:
                await walk.until_reads("Keep it there")
                await walk.press("enter")
                await walk.until_reads("Type the name of the file")
                await walk.fill("#field-0 Input", str(secret_file))
                await walk.press("enter")
            await walk.until_reads(f"The password of 'Office' is kept here now: {STORE_TITLES[kind]}")
            assert await held(services) == (kind, SECRET)
    assert list(backend.entries.values()) == [SECRET.reveal()]
    assert services.stores.vault._entries() == {}
    assert services.stores.vault.state is VaultState.OPEN


async def test_a_move_that_fails_changes_nothing(services: Services, backend: MemoryBackend, secret_file: Path) -> None:
    await services.accounts.save(PRACTICE)
    secret_file.write_text("another password\n")
    async with walking(services, start=HOME) as walk:
        await walk.at_screen(HomeScreen)
        await walk.press("enter")
        await walk.at_screen(QuestionPanel)
        await choose_offer(walk, "move")
        await walk.at_screen(FlowPanel)
        await choose_offer(walk, StoreKind.FILE)
        await walk.until_reads("Keep it there")
        await walk.fill("#field-0 Input", str(secret_file))
        await walk.press("enter")
        await walk.until_reads("has another password in it")
    assert await held(services) == (StoreKind.KEYRING, SECRET)


async def test_a_terminal_that_cannot_be_lent_is_not(services: Services, monkeypatch: pytest.MonkeyPatch) -> None:
    """The screens of a test are drawn nowhere, so they cannot be put aside: the command is not even begun."""
    begun: list[object] = []
    monkeypatch.setattr(lent_terminal, "run_on_terminal", lambda *words: begun.append(words))
    terminal = Foreground()
    async with walking(services, start=HOME, foreground=terminal):
        assert terminal.run(["true"], {}) is None
    assert begun == []


def test_the_screens_are_put_aside_while_a_command_has_the_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    acts: list[str] = []

    @contextmanager
    def aside() -> Iterator[bool]:
        acts.append("aside")
        yield True
        acts.append("back")

    monkeypatch.setattr(lent_terminal, "run_on_terminal", lambda *_: acts.append("asked"))
    terminal = Foreground()
    terminal.run(["true"], {})
    terminal.drawn_on(aside)
    terminal.run(["true"], {})
    assert acts == ["asked", "aside", "asked", "back"]


async def test_a_choice_made_while_the_places_are_tried_out_stays(
    services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A keyring may take its time; what was chosen before is not chosen again."""
    await services.accounts.save(replace(PRACTICE, name="Office", store=StoreKind.SESSION))
    keyring = type(services.stores.get(StoreKind.KEYRING))
    probe, gate = keyring.probe, asyncio.Event()

    async def slow(store: Any) -> Availability:
        await gate.wait()
        return await probe(store)

    monkeypatch.setattr(keyring, "probe", slow)
    async with walking(services, start=HOME) as walk:
        await to_review(walk)
        await walk.until_reads("Password kept nowhere")
        gate.set()
        screen = walk.app.screen
        assert isinstance(screen, SaveScreen)
        await walk.until(lambda: not screen.at_work("begin"), "the places were tried out")
        assert walk.draft.store is StoreKind.SESSION
