"""Where accounts, or the places for passwords, cannot be used, each screen says so in a sentence and goes on."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from contextlib import AbstractContextManager, ExitStack, asynccontextmanager, contextmanager
from dataclasses import replace
from pathlib import Path

import filelock
import keyring.errors
import pytest

from smtp_wizard.app import HOME
from smtp_wizard.app_faults import FaultScreen
from smtp_wizard.engine.accounts import saved_accounts
from smtp_wizard.engine.base import private_files
from smtp_wizard.engine.base.address import Address
from smtp_wizard.engine.base.identity import Scope
from smtp_wizard.engine.base.secret import Secret
from smtp_wizard.engine.sandbox.scenarios import practice_password
from smtp_wizard.engine.secrets import vault, vault_format
from smtp_wizard.engine.secrets.store_kinds import StoreKind
from smtp_wizard.engine.services.services import Services
from smtp_wizard.engine.state.timestamps import FILE_NAME as STATE_FILE
from smtp_wizard.engine.wizard.account_draft import draft_of
from smtp_wizard.engine.wizard.steps import StepId, step
from smtp_wizard.screens.accounts.home import HomeScreen
from smtp_wizard.screens.areas.unsubscribe import UnsubscribeScreen
from smtp_wizard.screens.connect import ConnectScreen
from smtp_wizard.screens.panel import QuestionPanel
from smtp_wizard.screens.question import FlowPanel
from smtp_wizard.text.stores import VAULT_CLOSED
from tests.engine.services.test_bearers import Office
from tests.screens.test_faults_of_our_own import mark
from tests.screens.test_life import PRACTICE
from tests.screens.test_steps import TO_BE_SAVED
from tests.support.oauthserver import AuthorizationServer
from tests.support.stores import desktop
from tests.support.walk import Walk, make_services, walking

PASSPHRASE, ANOTHER = Secret("four words of no sense"), Secret("other words of no sense")


@pytest.fixture(autouse=True)
def a_cheap_vault(monkeypatch: pytest.MonkeyPatch) -> None:
    """Guessing at the passphrases of these tests need not be dear."""
    monkeypatch.setattr(vault, "USUAL", vault_format.Cost(n=2**4))


@pytest.fixture
def services(tmp_path: Path) -> Services:
    return make_services(tmp_path, backend=desktop(), lock_limit=0.05)


def no_fault(walk: Walk) -> None:
    """Nothing was taken for a fault of the program's own."""
    assert not isinstance(walk.app.screen, FaultScreen), walk.shown
    assert walk.app.faults.entries == []


# --- the accounts' file ---


@contextmanager
def damaged(services: Services) -> Iterator[str]:
    """The file is damaged while the screen shows what was in it; gives the words that say so."""
    (services.folder / saved_accounts.FILE_NAME).write_text("{", "utf-8")
    yield "is damaged (it is not"


@contextmanager
def one_odd(services: Services) -> Iterator[str]:
    """One account in the file becomes such as nobody understands; gives words that say so."""
    file = services.folder / saved_accounts.FILE_NAME
    document = json.loads(file.read_text("utf-8"))
    document["accounts"][0]["auth"] = "magic"
    file.write_text(json.dumps(document), "utf-8")
    yield "cannot be used"


@contextmanager
def locked(services: Services) -> Iterator[str]:
    """Another process is writing, and does not come to an end."""
    with filelock.FileLock(private_files.lock_of(services.folder / saved_accounts.FILE_NAME)):
        yield "Another smtp-wizard"


Bad = Callable[[Services], AbstractContextManager[str]]


GoBad = Callable[[], str]
"""Makes the file unusable; returns words that say so."""
Act = Callable[[Walk, GoBad], Coroutine[object, object, str]]


async def choose(walk: Walk, action: str) -> None:
    """Press Enter on the account, and go to what is to be done."""
    await walk.press("enter")
    await walk.at_screen(QuestionPanel)
    mark(walk, action)


def at_once(action: str) -> Act:
    """Return how to do what asks nothing more."""

    async def act(walk: Walk, go_bad: GoBad) -> str:
        await choose(walk, action)
        words = go_bad()
        await walk.press("enter")
        return words

    return act


async def rename(walk: Walk, go_bad: GoBad) -> str:
    await choose(walk, "rename")
    await walk.press("enter")
    await walk.at_screen(FlowPanel)
    await walk.fill("#field-0 Input", "Shop")
    words = go_bad()
    await walk.press("enter")
    return words


async def move(walk: Walk, go_bad: GoBad) -> str:
    await choose(walk, "move")
    await walk.press("enter")
    await walk.at_screen(FlowPanel)
    mark(walk, StoreKind.SESSION)
    words = go_bad()
    await walk.press("enter")
    return words


async def delete(walk: Walk, go_bad: GoBad) -> str:
    await choose(walk, "delete")
    await walk.press("enter")
    await walk.at_screen(FlowPanel)
    words = go_bad()
    await walk.press("down", "enter")
    return words


async def new_password(walk: Walk, go_bad: GoBad) -> str:
    await choose(walk, "password")
    await walk.press("enter")
    await walk.at_screen(FlowPanel)
    await walk.write(practice_password())
    words = go_bad()
    await walk.press("enter")
    return words


ACTIONS: dict[str, Act] = {
    "copy": at_once("copy"),
    "scope": at_once("scope"),
    "rename": rename,
    "move": move,
    "delete": delete,
    "password": new_password,
}
GOES_ON = {"copy": "server"}
"""What changes nothing in the accounts' file, and so goes on although another process is writing."""


@pytest.mark.parametrize("action", ACTIONS)
@pytest.mark.parametrize("bad", [damaged, locked, one_odd])
async def test_an_action_on_the_accounts_screen_ends_in_a_sentence(services: Services, action: str, bad: Bad) -> None:
    await services.accounts.save(PRACTICE)
    async with walking(services, start=HOME) as walk:
        with ExitStack() as until_the_end:
            await walk.at_screen(HomeScreen)
            words = await ACTIONS[action](walk, lambda: until_the_end.enter_context(bad(services)))
            if bad is not damaged and action in GOES_ON:
                await walk.at(GOES_ON[action])
            else:
                await walk.until_reads(words)
                assert isinstance(walk.app.screen, HomeScreen)
        no_fault(walk)


async def test_a_copy_of_an_account_whose_file_goes_bad_meanwhile_is_a_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is damaged while the keyring is being asked."""
    backend = desktop()
    services = make_services(tmp_path, backend=backend)
    await services.accounts.save(PRACTICE)
    async with walking(services, start=HOME) as walk:
        with ExitStack() as until_the_end:
            words: list[str] = []
            read = backend.get_password

            def reading(service: str, username: str) -> str | None:
                words.append(until_the_end.enter_context(damaged(services)))
                return read(service, username)

            await walk.at_screen(HomeScreen)
            await choose(walk, "copy")
            monkeypatch.setattr(backend, "get_password", reading)
            await walk.press("enter")
            await walk.until(lambda: words, "the question to the keyring")
            await walk.until_reads(words[0])
        no_fault(walk)


@pytest.mark.parametrize("bad", [damaged, locked])
async def test_a_yes_that_comes_too_late_ends_in_a_sentence(services: Services, bad: Bad) -> None:
    """The question whether to displace another account stands there while the file goes bad."""
    await services.accounts.save(replace(PRACTICE, name="A", scope=Scope.ALL))
    await services.accounts.save(replace(PRACTICE, name="B"))
    async with walking(services, start=HOME) as walk:
        await walk.at_screen(HomeScreen)
        await walk.press("down")
        await choose(walk, "scope")
        await walk.press("enter")
        await walk.at_screen(FlowPanel)
        with bad(services) as words:
            await walk.press("down", "enter")
            await walk.until_reads(words)
        no_fault(walk)


@pytest.mark.parametrize("bad", [damaged, one_odd])
async def test_a_list_that_cannot_be_read_is_not_called_empty(services: Services, bad: Bad) -> None:
    await services.accounts.save(PRACTICE)
    with bad(services) as words:
        async with walking(services, start=HOME) as walk:
            await walk.at_screen(HomeScreen)
            await walk.until_reads(words)
            assert not walk.reads("No account yet")


async def test_results_that_cannot_be_kept_are_said_and_the_accounts_shown(services: Services) -> None:
    await services.accounts.save(PRACTICE)
    await asyncio.to_thread(services.saved_accounts.state.flush)
    (services.folder / STATE_FILE).write_text("no database", "utf-8")
    async with walking(services, start=HOME) as walk:
        await walk.at_screen(HomeScreen)
        await walk.until_reads("Results and refused sign-ins could not be read")
        await walk.until_reads("127.0.0.1")
        no_fault(walk)


async def test_the_last_step_is_shown_although_no_free_name_can_be_looked_for(services: Services) -> None:
    """Saving says what is wrong; the draft stays."""
    with damaged(services) as words:
        async with walking(services, draft=TO_BE_SAVED) as walk:
            await walk.at("review")
            await walk.press("enter")
            await walk.until_reads(words)
            assert walk.step == "review"
            no_fault(walk)


async def test_the_unsubscribe_link_needs_no_accounts(services: Services) -> None:
    with damaged(services):
        async with walking(services, start=HOME) as walk:
            await walk.at_screen(HomeScreen)
            walk.app.push_screen(UnsubscribeScreen(walk.app.context))
            await walk.at_screen(UnsubscribeScreen)
            no_fault(walk)


# --- the place of a sign-in in the browser ---


@asynccontextmanager
async def changing(services: Services, at: str) -> AsyncIterator[Walk]:
    """Come with the answers of a saved account that signs in in the browser to one of the steps that sign in."""
    account = services.saved_accounts.get("Ana")
    draft = draft_of(account, await services.entries.secret_of(account), services.catalog)
    draft = replace(draft, test_to=Address("bob", "elsewhere.example"))
    async with walking(services, draft=draft) as walk:
        await walk.at("server")
        walk.app.context.watch.stop()
        walk.app.walk(draft, step(StepId(at)))
        await walk.at(at)
        yield walk


STEPS_THAT_SIGN_IN = ("connect", "testmail")


@pytest.mark.parametrize("at", STEPS_THAT_SIGN_IN)
async def test_a_keyring_that_was_locked_meanwhile_is_a_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, at: str
) -> None:
    """And when it is unlocked again, Enter goes on."""
    async with AuthorizationServer() as server:
        office = Office(tmp_path, server, monkeypatch)
        await office.services.accounts.save(await office.new_draft())
        async with changing(office.other_services(), at) as walk:
            with monkeypatch.context() as patch:
                patch.setattr(office.backend, "get_password", locked_keyring)
                await walk.press("enter")
                await walk.until_reads("keyring of this computer is locked")
                assert not signed_in(office)
            await walk.press("enter")
            await walk.until(lambda: signed_in(office), "the sign-in")
            no_fault(walk)


def signed_in(office: Office) -> bool:
    """Whether an access token went to the mail server."""
    return any(token is not None and token.reveal() in office.server.access_tokens for token in office.tokens)


def locked_keyring(service: str, username: str) -> str:
    raise keyring.errors.KeyringLocked("locked")


async def in_the_vault(office: Office) -> tuple[Services, Services]:
    """Save the account in the vault; return the processes of two processes that have opened it."""
    processes = office.other_services(), office.other_services()
    await processes[0].stores.vault.create(PASSPHRASE)
    await processes[0].accounts.save(replace(await office.new_draft(), store=StoreKind.VAULT))
    await processes[1].stores.vault.open(PASSPHRASE)
    return processes


async def passphrase_asked(walk: Walk) -> None:
    """At Connect it is a field of the step itself."""
    if walk.step == "connect":
        await walk.until(lambda: walk.connect.passphrase is not None, "the passphrase to be asked for")
        await walk.settle()
    else:
        await walk.at_screen(FlowPanel)


@pytest.mark.parametrize("at", STEPS_THAT_SIGN_IN)
async def test_a_vault_whose_passphrase_was_changed_is_asked_for_the_new_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, at: str
) -> None:
    async with AuthorizationServer() as server:
        office = Office(tmp_path, server, monkeypatch)
        other, services = await in_the_vault(office)
        async with changing(services, at) as walk:
            await other.stores.vault.change_passphrase(ANOTHER)
            await walk.press("enter")
            await passphrase_asked(walk)
            await walk.press("escape")
            await walk.until_reads(VAULT_CLOSED)
            assert not signed_in(office)
            await walk.press("enter")
            await passphrase_asked(walk)
            await walk.write(ANOTHER.reveal())
            await walk.press("enter")
            await walk.until(lambda: signed_in(office), "the sign-in")
            no_fault(walk)


async def test_a_passphrase_stays_in_no_field_once_it_is_not_asked_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither one that was refused nor one that was left; F2 shows it while it is typed."""
    async with AuthorizationServer() as server:
        other, services = await in_the_vault(Office(tmp_path, server, monkeypatch))
        async with changing(services, "connect") as walk:
            screen = walk.app.screen
            assert isinstance(screen, ConnectScreen)
            assert screen.passphrase is not None
            await other.stores.vault.change_passphrase(ANOTHER)
            await walk.press("enter")
            await passphrase_asked(walk)
            await walk.write(PASSPHRASE.reveal())
            await walk.press("f2")
            assert screen.passphrase.revealed
            await walk.press("enter")
            await walk.until_reads("That is not the passphrase of the vault.")
            assert (screen.passphrase.text, screen.passphrase.revealed) == ("", False)
            await walk.write("half of")
            await walk.press("escape")
            await walk.until_reads(VAULT_CLOSED)
            assert screen.passphrase.text == ""


@pytest.mark.parametrize("at", STEPS_THAT_SIGN_IN)
async def test_a_vault_or_accounts_that_were_damaged_meanwhile_are_a_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, at: str
) -> None:
    async with AuthorizationServer() as server:
        office = Office(tmp_path, server, monkeypatch)
        _, services = await in_the_vault(office)
        async with changing(services, at) as walk:
            (tmp_path / vault.FILE_NAME).write_text("{", "utf-8")
            await walk.press("enter")
            await walk.until_reads("is damaged")
            with damaged(services) as words:
                await walk.press("enter")
                await walk.until_reads(words)
            assert not signed_in(office)
            no_fault(walk)


@pytest.mark.parametrize("key", ["t", "p", "r"])
async def test_the_accounts_screen_says_that_the_keyring_is_locked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, key: str
) -> None:
    """T cannot test; 'sign in again' needs the old sign-in for nothing it could not do without; R cannot move it."""
    async with AuthorizationServer() as server:
        office = Office(tmp_path, server, monkeypatch)
        await office.services.accounts.save(await office.new_draft())
        async with walking(office.other_services(), start=HOME) as walk:
            await walk.at_screen(HomeScreen)
            monkeypatch.setattr(office.backend, "get_password", locked_keyring)
            if key == "r":
                await choose(walk, "rename")
                await walk.press("enter")
                await walk.at_screen(FlowPanel)
                await walk.fill("#field-0 Input", "Shop")
                await walk.press("enter")
            else:
                await walk.press(key)
            if key == "p":
                await walk.at("oauth")
            else:
                await walk.until_reads("keyring of this computer is locked")
            no_fault(walk)
