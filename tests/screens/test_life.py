"""The accounts' own screen, going on after a break, small windows, tools: what the person sees and what is kept."""

from __future__ import annotations

import asyncio
import re
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from smtp_wizard.app import HOME, SCREENS, SETUP
from smtp_wizard.engine.base.address import Address
from smtp_wizard.engine.base.connection import Auth, Connection
from smtp_wizard.engine.base.endpoint import Endpoint, Security
from smtp_wizard.engine.base.identity import Scope
from smtp_wizard.engine.base.secret import Secret
from smtp_wizard.engine.base.stages import Depth
from smtp_wizard.engine.providers.catalog import load_catalog
from smtp_wizard.engine.secrets.store_kinds import StoreKind
from smtp_wizard.engine.services.checks import PRACTICE_FOLDER, Checks
from smtp_wizard.engine.services.services import Services
from smtp_wizard.engine.wizard.account_draft import copy_of, draft_to_sign_in_again
from smtp_wizard.engine.wizard.draft import Draft
from smtp_wizard.engine.wizard.draft_file import DraftFile
from smtp_wizard.engine.wizard.steps import StepId, step
from smtp_wizard.flows.accounts.account_list import AccountsFlow
from smtp_wizard.screens.accounts.home import HELP as home_help
from smtp_wizard.screens.accounts.home import HomeScreen, WizardRequested
from smtp_wizard.screens.areas.guides import GuideListScreen
from smtp_wizard.screens.areas.inbox import InboxScreen, LetterPanel
from smtp_wizard.screens.areas.limits import LimitsScreen
from smtp_wizard.screens.areas.unsubscribe import UnsubscribeScreen
from smtp_wizard.screens.panel import ConfirmPanel, GuidePanel, QuestionPanel
from smtp_wizard.screens.question import FlowPanel
from smtp_wizard.screens.resume import ResumeScreen
from smtp_wizard.screens.too_small import TooSmallScreen
from smtp_wizard.text.wizard import STILL_AT_WORK
from smtp_wizard.widgets.rows import RowList
from tests.screens.test_faults_of_our_own import acting, take
from tests.support.places import skipped
from tests.support.stores import MemoryBackend, desktop
from tests.support.walk import Walk, key_event, make_services, walking

pytestmark = pytest.mark.usefixtures("any_password")

NOON = datetime(2026, 11, 24, 12, tzinfo=UTC)
SECRET = Secret("abcd efgh ijkl mnop")
PRACTICE = Draft(
    address=Address("ana", "sandbox.test"),
    connection=Connection(
        provider="sandbox",
        path="accept",
        sandbox="accept",
        endpoint=Endpoint("127.0.0.1", 5871, Security.STARTTLS),
        username="ana",
    ),
    ways=5,
    secret=SECRET,
    name="Office",
    store=StoreKind.KEYRING,
)


@pytest.fixture
def backend() -> MemoryBackend:
    return desktop()


@pytest.fixture
def services(tmp_path: Path, backend: MemoryBackend) -> Services:
    return make_services(tmp_path, backend=backend, now=lambda: NOON)


async def home(walk: Walk) -> HomeScreen:
    return await walk.at_screen(HomeScreen)


async def test_enter_shows_everything_that_can_be_done(services: Services) -> None:
    """Enter on an account lists: test, change, new password, rename, copy, scope, delete."""
    await services.accounts.save(PRACTICE)
    async with walking(services, start=HOME) as walk:
        await home(walk)
        await walk.press("enter")
        await walk.at_screen(QuestionPanel)
        for words in ("Test the sign-in", "Change the settings", "new password", "Rename", "another one", "Delete"):
            await walk.until_reads(words)
        await walk.press("escape")
        await home(walk)


async def test_rename_moves_the_account(services: Services) -> None:
    """R asks for the new name; the list shows it."""
    await services.accounts.save(PRACTICE)
    async with walking(services, start=HOME) as walk:
        await home(walk)
        await acting("rename")(walk)
        await walk.at_screen(FlowPanel)
        await walk.fill("#field-0 TextInput", "a/b")
        await walk.press("enter")
        await walk.until_reads("no slash")
        await walk.fill("#field-0 TextInput", "Shop")
        await walk.press("enter")
        await walk.until_reads("'Office' is called 'Shop' now")
    assert [account.name for account in services.saved_accounts.list()] == ["Shop"]


async def test_a_new_password_is_all_that_is_asked(services: Services, backend: MemoryBackend) -> None:
    """P asks for the password alone, tries it, and says that it is kept."""
    await services.accounts.save(PRACTICE)
    async with walking(services, start=HOME) as walk:
        await home(walk)
        await walk.press("p")
        await walk.at_screen(FlowPanel)
        await walk.write("another password")
        await walk.press("enter")
        await walk.until_reads("the new password works and is kept")
    assert "another password" in backend.entries.values()


async def test_a_new_password_that_is_refused_leaves_the_old_one(services: Services, backend: MemoryBackend) -> None:
    """The finding says what is wrong; the old password is kept."""
    await services.accounts.save(
        replace(PRACTICE, connection=replace(PRACTICE.connection, path="wrong-password", sandbox="wrong-password"))
    )
    async with walking(services, start=HOME) as walk:
        await home(walk)
        await walk.press("p")
        await walk.at_screen(FlowPanel)
        await walk.write("another password")
        await walk.press("enter")
        await walk.until_reads("Who must act")
        await walk.press("escape")
        await walk.until_reads("was not taken; the old one is kept")
    assert list(backend.entries.values()) == [SECRET.reveal()]


async def test_a_key_right_after_esc_waits_and_acts(services: Services, monkeypatch: pytest.MonkeyPatch) -> None:
    """Esc leaves a question, and the accounts are read again: the next key is kept until that is done."""
    await services.accounts.save(PRACTICE)
    gate, reload = asyncio.Event(), AccountsFlow.reload

    async def slowly(self: AccountsFlow, name: str = "") -> None:
        await gate.wait()
        await reload(self, name)

    async with walking(services, start=HOME) as walk:
        screen = await home(walk)
        await walk.press("p")
        await walk.at_screen(FlowPanel)
        monkeypatch.setattr(AccountsFlow, "reload", slowly)
        for key in ("escape", "t"):
            walk.app.post_message(key_event(key))
        await walk.until(lambda: walk.app.screen is screen and walk.app.keys_follow, "the key kept")
        gate.set()
        await walk.until(lambda: screen.record.over, "the test that the key asks for")
        assert not walk.reads(STILL_AT_WORK)


async def test_a_key_right_after_a_test_was_stopped_waits_and_acts(
    services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Esc stops a test; until the connection is put away, the next key is kept."""
    await services.accounts.save(PRACTICE)
    running, gate, checked = asyncio.Event(), asyncio.Event(), Checks.check_account

    async def never_ends(self: Checks, *given: Any, **named: Any) -> Any:
        running.set()
        try:
            await asyncio.Event().wait()
        finally:
            await gate.wait()

    async with walking(services, start=HOME) as walk:
        screen = await home(walk)
        monkeypatch.setattr(Checks, "check_account", never_ends)
        await walk.press("t")
        await walk.until(lambda: running.is_set() and screen.back_words() == "Stop", "the test that runs")
        monkeypatch.setattr(Checks, "check_account", checked)
        for key in ("escape", "t"):
            walk.app.post_message(key_event(key))
        await walk.until(lambda: screen.finishing and walk.app.keys_follow, "the key kept")
        gate.set()
        await walk.until(lambda: screen.record.over, "the test that the key asks for")
        assert not walk.reads(STILL_AT_WORK)


async def test_delete_asks_and_the_password_goes_too(services: Services, backend: MemoryBackend) -> None:
    """Delete asks; the careful answer is chosen at first."""
    await services.accounts.save(PRACTICE)
    async with walking(services, start=HOME) as walk:
        await home(walk)
        await walk.press("delete")
        await walk.at_screen(FlowPanel)
        await walk.press("enter")
        await home(walk)
        assert len(services.saved_accounts.list()) == 1
        await walk.press("delete")
        await walk.at_screen(FlowPanel)
        await walk.press("down", "enter")
        await walk.until_reads("'Office' is deleted")
        await walk.until_reads("No account yet")
    assert services.saved_accounts.list() == ()
    assert not backend.entries


async def test_change_goes_through_the_wizard_filled_in(services: Services) -> None:
    """E opens the server step with the account's values; saving keeps one account."""
    await services.accounts.save(PRACTICE)
    async with walking(services, start=HOME) as walk:
        await home(walk)
        await walk.press("e")
        await walk.at("server")
        await walk.until_reads("127.0.0.1")
        await walk.press("enter")
        await walk.at("connect")
        await walk.press("enter")
        await walk.until_reads("Next: one test message")
        await walk.press("enter")
        await skipped(walk)
        await walk.at("review")
        await walk.fill("#sender-name", "Ana's Cleaning")
        await walk.press("enter")
        await walk.at("done")
    (account,) = services.saved_accounts.list()
    assert (account.name, account.identity.sender_name) == ("Office", "Ana's Cleaning")


async def test_the_first_key_of_a_question_says_what_enter_does(services: Services) -> None:
    """'Enter Keep it', not 'Enter Choose': nobody deletes what was to be kept."""
    await services.accounts.save(PRACTICE)
    async with walking(services, start=HOME) as walk:
        await home(walk)
        await walk.press("delete")
        await walk.at_screen(FlowPanel)
        await walk.until_reads("Enter Keep it")
        await walk.press("down")
        await walk.until_reads("Enter Delete it")


@pytest.mark.parametrize("changed", [False, True])
async def test_one_key_leaves_a_change_of_an_account(services: Services, changed: bool) -> None:
    """Esc at its first step leads back to the accounts; a draft is left behind only where something was changed."""
    await services.accounts.save(PRACTICE)
    async with walking(services, start=HOME) as walk:
        await home(walk)
        await walk.press("e")
        await walk.at("server")
        if changed:
            await walk.fill("#username", "other")
        await walk.press("escape")
        await home(walk)
        assert (walk.app.box.load() is not None) is changed


async def test_a_copy_begins_with_the_same_answers(services: Services) -> None:
    """'Make another one like it' opens the wizard; the name is a free one."""
    await services.accounts.save(PRACTICE)
    async with walking(services, start=HOME) as walk:
        await home(walk)
        await walk.press("enter")
        await walk.at_screen(QuestionPanel)
        await take(walk, "copy")
        await walk.at("server")
        assert walk.draft.name == "Office 2"
        assert walk.draft.editing is None


async def test_all_mail_is_asked_before_another_account_is_displaced(services: Services) -> None:
    """The second account for all mail displaces the first only after a yes."""
    await services.accounts.save(replace(PRACTICE, name="A", scope=Scope.ALL))
    await services.accounts.save(replace(PRACTICE, name="B"))
    async with walking(services, start=HOME) as walk:
        await home(walk)
        await walk.press("down", "enter")
        await walk.at_screen(QuestionPanel)
        await take(walk, "scope")
        await walk.at_screen(FlowPanel)
        await walk.press("down", "enter")
        await walk.until_reads("'B' now sends everything, mailings too.")
    assert {each.name: each.scope for each in services.saved_accounts.list()} == {"A": Scope.GENERAL, "B": Scope.ALL}


async def test_all_are_tested_one_after_the_other(services: Services) -> None:
    """A tests every account and says each result."""
    await services.accounts.save(replace(PRACTICE, name="A"))
    await services.accounts.save(
        replace(
            PRACTICE, name="B", connection=replace(PRACTICE.connection, path="wrong-password", sandbox="wrong-password")
        )
    )
    async with walking(services, start=HOME) as walk:
        await home(walk)
        await walk.press("a")
        await walk.until_reads("1 of 2 work. Nothing was sent.")
        rows = walk.the("#accounts", RowList)
        await walk.until(lambda: [row.key for row in rows.list] == ["B", "A"], "what needs somebody on top")
        await walk.until_reads("password refused")


async def test_an_account_whose_way_in_retires_is_told_so(services: Services) -> None:
    """A line under the list says when, what to do instead, and who says so."""
    await services.accounts.save(
        replace(
            PRACTICE,
            connection=replace(
                PRACTICE.connection,
                provider="microsoft365",
                path="password",
                sandbox=None,
                endpoint=Endpoint("smtp.office365.com", 587, Security.STARTTLS),
            ),
        )
    )
    async with walking(services, start=HOME, size=(120, 40)) as walk:
        await home(walk)
        await walk.until_reads("2026-12-31")
        await walk.until_reads("Instead:")


async def test_a_draft_that_was_left_is_offered_and_only_the_password_is_typed_again(services: Services) -> None:
    """'Go on where I stopped' opens Connect with everything but the password."""
    DraftFile(services.folder).save(PRACTICE, step(StepId.SAVE))
    async with walking(services) as walk:
        await walk.at_screen(ResumeScreen)
        await walk.until_reads("ana@sandbox.test")
        await walk.until_reads("Esc Leave")  # it ends the program, and says so
        await walk.press("enter")
        await walk.at("connect")
        await walk.write("abcd efgh ijkl mnop")
        await walk.press("enter")
        await walk.until_reads("Next: one test message")


@pytest.mark.parametrize("start", [HOME, SETUP])
async def test_a_draft_that_cannot_be_read_never_keeps_the_screens_from_opening(services: Services, start: str) -> None:
    """One of another version was left: the first screen says where it was put."""
    file = services.folder / "draft.json"
    DraftFile(services.folder).save(PRACTICE, step(StepId.CONNECT))
    file.write_text(file.read_text().replace('"step": "connect"', '"step": "a-later-one"'))
    async with walking(services, start=start, size=(120, 40)) as walk:
        await walk.until_reads("it was put aside as")
        assert not file.exists()


GONE: dict[str, dict[str, Any]] = {
    "the way": {"provider": "custom", "path": "password", "auth": Auth.XOAUTH2},
    "the provider": {"provider": "firm", "path": "browser", "auth": Auth.XOAUTH2},
    "the provider and its ways": {"provider": "firm", "path": None, "auth": Auth.PASSWORD},
}
"""What a draft, or an account, names, and no list has any more."""


@pytest.mark.parametrize("gone", GONE)
@pytest.mark.parametrize("left", ["provider", "signin", "server", "oauth", "connect", "review"])
async def test_a_draft_goes_on_although_what_it_names_is_gone(gone: str, left: str, services: Services) -> None:
    draft = replace(PRACTICE, connection=replace(PRACTICE.connection, sandbox=None, **GONE[gone]))
    draft = replace(draft, confirmed_host="127.0.0.1", name="")
    assert DraftFile(services.folder).save(draft, step(StepId(left)))
    async with walking(services) as walk:
        await walk.at_screen(ResumeScreen)
        await walk.press("enter")
        await walk.until(lambda: walk.step, "a step")
        for _ in range(3):
            await walk.press("escape")
            await walk.until(lambda: walk.step, "a step")


@pytest.mark.parametrize("gone", GONE)
@pytest.mark.parametrize("key", ["e", "p", "c"])
async def test_an_account_can_be_changed_although_what_it_names_is_gone(
    gone: str, key: str, services: Services
) -> None:
    """Also with a token at hand that another program gives: there is no step in the browser then."""
    named = replace(PRACTICE, connection=replace(PRACTICE.connection, sandbox=None, **GONE[gone]))
    await services.accounts.save(replace(named, store=StoreKind.KEYRING, confirmed_host="127.0.0.1"))
    account = services.saved_accounts.get("Office")
    async with walking(services, start=HOME) as walk:
        await walk.at_screen(HomeScreen)
        if key == "c":
            walk.app.screen.post_message(WizardRequested(copy_of(account, SECRET, services.catalog, "Copy")))
        elif key == "p":
            walk.app.screen.post_message(WizardRequested(draft_to_sign_in_again(account, None, services.catalog)))
        else:
            await walk.press("e")
        await walk.at("server")
        await walk.press("enter")
        await walk.at("connect")
        await walk.press("escape")
        await walk.at("server")


async def test_a_draft_can_be_forgotten(services: Services) -> None:
    """'Start again' opens the first question, and the draft is gone."""
    box = DraftFile(services.folder)
    box.save(PRACTICE, step(StepId.CONNECT))
    async with walking(services) as walk:
        await walk.at_screen(ResumeScreen)
        await walk.press("down", "enter")
        await walk.at("address")
        assert box.load() is None


async def test_the_draft_is_written_at_every_step_and_gone_once_saved(services: Services) -> None:
    box = DraftFile(services.folder)
    async with walking(services) as walk:
        await walk.at("address")
        await walk.press("f3")
        await walk.at("signin")
        kept = box.load()
        assert kept is not None
        assert kept.step.id == "signin"
        await walk.press("enter")
        await walk.at("connect")
        await walk.write("abcd efgh ijkl mnop")
        await walk.press("enter")
        await walk.until_reads("Next: one test message")
        await walk.press("enter")
        await skipped(walk)
        await walk.at("review")
        await walk.press("enter")
        await walk.at("done")
        assert box.load() is None


async def test_leaving_with_unsaved_work_asks_and_keeps_the_draft(services: Services) -> None:
    """Ctrl+Q asks; 'Leave' keeps everything but the password."""
    async with walking(services) as walk:
        await walk.at("address")
        await walk.press("f3")
        await walk.at("signin")
        await walk.press("ctrl+q")
        await walk.at_screen(ConfirmPanel)
        await walk.press("enter")
        await walk.at("signin")
        await walk.press("ctrl+q")
        await walk.at_screen(ConfirmPanel)
        await walk.press("down", "enter")
        await walk.pilot.pause()
    assert DraftFile(services.folder).load() is not None


async def test_a_server_of_the_persons_own_file_is_shown_before_a_password_goes_there(tmp_path: Path) -> None:
    """The provider's step and Connect say that providers.yaml names the server, and what would hold without it."""
    own = tmp_path / "providers.yaml"
    own.write_text(
        "providers:\n  - id: gmail\n    endpoints:\n      - {host: mail.firm.example, port: 465, security: tls}\n"
    )
    services = make_services(tmp_path, providers=load_catalog(own=own))
    assert services.catalog.own_trouble == ""
    async with walking(services, size=(120, 40)) as walk:
        await walk.at("address")
        await walk.write("ana@gmail.com")
        await walk.press("enter")
        await walk.at("provider")
        await walk.until_reads("Your own providers.yaml sets the server of 'gmail': mail.firm.example")
        await walk.press("enter")
        await walk.at("signin")
        await walk.press("enter")
        await walk.at("connect")
        await walk.until_reads("Your own providers.yaml sets the server")


async def test_a_file_of_the_persons_own_that_is_broken_is_said_on_the_first_screen(tmp_path: Path) -> None:
    """One sentence with line and column; the shipped catalogue goes on."""
    own = tmp_path / "providers.yaml"
    own.write_text("providers: [")
    services = make_services(tmp_path, providers=load_catalog(own=own))
    async with walking(services) as walk:
        await walk.at("address")
        await walk.until_reads("providers.yaml, line")


async def test_a_window_that_is_too_small_says_so_and_loses_nothing(services: Services) -> None:
    """Below 60x20 one sentence stands there; bigger again, what was typed is there."""
    async with walking(services) as walk:
        await walk.at("address")
        await walk.write("ana@")
        await walk.pilot.resize_terminal(50, 12)
        await walk.at_screen(TooSmallScreen)
        await walk.until_reads("This window is too small")
        await walk.pilot.resize_terminal(60, 20)
        await walk.at("address")
        await walk.until_reads("ana@")
        await walk.until_reads("● Address")


def test_help_says_what_a_screen_is_for_in_at_most_three_sentences() -> None:
    helps = [screen.HELP for screen in SCREENS.values()]  # type: ignore[attr-defined]  # each is a class of a step
    helps += [home_help, LimitsScreen.HELP, InboxScreen.HELP, UnsubscribeScreen.HELP]
    assert all(0 < len(re.findall(r"[.!?](?:\s|$)", text)) <= 3 for text in helps)


async def test_the_practice_inbox_is_read_and_emptied(services: Services) -> None:
    """The menu shows what was sent to the practice server; Enter reads it; Delete empties after asking."""
    sent = replace(PRACTICE, test_to=Address("bob", "example.test"))
    await services.checks.check_draft(sent, Depth.SEND, lambda event: None, token="marker99")
    async with walking(services, start=HOME) as walk:
        await home(walk)
        await walk.press("f10", "i")
        await walk.at_screen(InboxScreen)
        await walk.until_reads("marker99")
        await walk.press("enter")
        await walk.at_screen(LetterPanel)
        await walk.until_reads("bob@example.test")
        await walk.press("escape")
        await walk.at_screen(InboxScreen)
        await walk.press("delete")
        await walk.at_screen(QuestionPanel)
        await walk.press("enter")
        await walk.at_screen(InboxScreen)
        await walk.until_reads("marker99")  # the careful answer stands first
        await walk.press("delete")
        await walk.at_screen(QuestionPanel)
        await walk.press("down", "enter")
        await walk.until_reads("Nothing has arrived yet")
    assert not list((services.folder / PRACTICE_FOLDER / "mailbox" / "new").iterdir())


@pytest.mark.parametrize("start", [HOME, SETUP])
async def test_an_empty_inbox_leads_to_practice(services: Services, start: str) -> None:
    """Wherever it was opened, nothing lies over the step then."""
    async with walking(services, start=start) as walk:
        await (home(walk) if start == HOME else walk.at("address"))
        await walk.press("f10", "i")
        await walk.at_screen(InboxScreen)
        await walk.until_reads("Nothing has arrived yet")
        await walk.until_reads("Enter Practise")
        await walk.press("enter")
        await walk.at("signin")
        assert str(walk.draft.address) == "you@sandbox.test"
        assert not any(isinstance(each, InboxScreen) for each in walk.app.screen_stack)


async def test_every_guide_can_be_read(services: Services) -> None:
    """A list of titles; Enter opens one."""
    async with walking(services, start=HOME) as walk:
        await home(walk)
        await walk.press("f10", "g")
        screen = await walk.at_screen(GuideListScreen)
        assert len(screen.list.list) == len(walk.app.context.guides.ids())
        await walk.press("down", "enter")
        await walk.at_screen(GuidePanel)
        await walk.press("escape", "escape")
        await home(walk)
