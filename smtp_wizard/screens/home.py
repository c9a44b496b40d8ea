"""Home: the saved accounts, their last result, and testing them again."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar

from textual import on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.content import Content
from textual.message import Message
from textual.screen import Screen
from textual.widgets import DataTable

from smtp_wizard.engine.accounts.account import Account, AccountsError, parse_name
from smtp_wizard.engine.accounts.account_book import Displaces
from smtp_wizard.engine.accounts.lockout_guard import paused
from smtp_wizard.engine.accounts.sign_in_ending import ending_words, retirement_of
from smtp_wizard.engine.base.connection import Auth
from smtp_wizard.engine.base.errors import InputError
from smtp_wizard.engine.base.identity import Scope
from smtp_wizard.engine.base.secret import Secret
from smtp_wizard.engine.base.shown import phrase
from smtp_wizard.engine.base.stages import Depth, Verdict
from smtp_wizard.engine.base.threads import in_thread
from smtp_wizard.engine.checks.events import Event, RunFinished
from smtp_wizard.engine.secrets.base import SecretError, SecretFault
from smtp_wizard.engine.secrets.kinds import StoreKind
from smtp_wizard.engine.services.options import Options
from smtp_wizard.engine.wizard.account_draft import copy_of, draft_of, draft_to_sign_in_again
from smtp_wizard.engine.wizard.draft import Draft
from smtp_wizard.runtime.expected_errors import EXPECTED_ERRORS
from smtp_wizard.screens.dialogs import ActionScreen, ConfirmScreen, HelpScreen, NameScreen, PasswordScreen
from smtp_wizard.screens.finding import answer_transcript
from smtp_wizard.screens.passphrase import MoveScreen, unlocked
from smtp_wizard.screens.step import Kit
from smtp_wizard.text.accounts import (
    DELETE_NO,
    DELETE_YES,
    DISPLACE_NO,
    NEW_SECRET_WHY,
    AccountAction,
    account_actions,
    delete_question,
    deleted_words,
    displaces_yes,
    in_browser,
    new_secret_words,
    other_scope,
    renamed_words,
    scope_words,
    signs_in,
)
from smtp_wizard.text.stores import VAULT_CLOSED, moved_words
from smtp_wizard.text.wizard import (
    ANYWAY_NO,
    ANYWAY_QUESTION,
    ANYWAY_YES,
    HOME_PURPOSE,
    STILL_AT_WORK,
    STORE_TITLES,
    UNDER_WAY,
    day_words,
    result_words,
    tested_words,
)
from smtp_wizard.widgets.banner import Banner
from smtp_wizard.widgets.checks import CheckList
from smtp_wizard.widgets.choices import Choice
from smtp_wizard.widgets.fault_containment import FaultContained, work_once
from smtp_wizard.widgets.finding_card import FindingCard
from smtp_wizard.widgets.key_hints import KeyHints
from smtp_wizard.widgets.table import Column, Table
from smtp_wizard.widgets.text import Plain
from smtp_wizard.widgets.transcript import TranscriptPane

HELP = (
    f"{HOME_PURPOSE} T signs in to the chosen one again and shows what happened; nothing is sent. Enter shows "
    "everything that can be done with it: test, change, rename, another password, a copy, which mails it is for, "
    "delete."
)
STORE_WORDS = {
    StoreKind.KEYRING: "in this computer's keyring",
    StoreKind.VAULT: "in the vault, which your passphrase opens",
    StoreKind.COMMAND: "printed by a command of yours",
    StoreKind.FILE: "in a file of yours",
    StoreKind.ENV: "read from an environment variable",
    StoreKind.SESSION: "asked for each time",
}


COLUMNS = (
    Column("Name", 21, least=13, most=200),
    Column("Server", 24, least=13, most=200),
    Column("For", 5),
    Column("Last test", 12),
    Column("Result", 13, least=12),
)


@dataclass
class WizardRequested(Message):
    """The person goes to the wizard: again, or with the answers of a saved account."""

    draft: Draft | None = None


class HomeScreen(FaultContained, Screen[None]):
    """The list of accounts; what a test says stands beneath it."""

    AUTO_FOCUS = "#accounts"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "actions", "What to do", key_display="enter"),
        Binding("t,f5", "test", "Test again", key_display="t"),
        Binding("a", "test_all", "Test all", show=False),
        Binding("f9", "anyway", "Try anyway"),
        Binding("n", "new", "New"),
        Binding("e", "edit", "Change", show=False),
        Binding("r", "rename", "Rename", show=False),
        Binding("p", "password", "Password", show=False),
        Binding("d,delete", "delete", "Delete", show=False),
        Binding("l", "app.limits", "Limits"),
        Binding("o", "app.tools", "Tools"),
        Binding("f4", "details", "Details"),
        Binding("f1,question_mark", "help", "Help", key_display="f1"),
        Binding("escape", "stop", "Stop the test", show=False),
        Binding("ctrl+q", "app.leave", "Quit"),
    ]

    def __init__(self, kit: Kit) -> None:
        super().__init__()
        self.kit = kit
        self.banner = Banner()
        self.table = Table(COLUMNS, id="accounts")
        self.empty = Plain("No account is saved yet. Press N to set one up.", classes="question")
        self.legend = Plain("* practice, on this computer alone", classes="lead")
        self.notice = Plain("", classes="note", id="notice")
        self.heading = Plain("", classes="question")
        self.checks = CheckList(id="checks")
        self.card = FindingCard(id="finding")
        self.transcript = TranscriptPane(id="transcript")
        self._details = False
        self._accounts: tuple[Account, ...] = ()
        self._held_back: Account | None = None
        """The account that was not tested last, so that it does not get locked."""

    def compose(self) -> ComposeResult:
        yield Plain(Content.styled("Saved accounts", "bold"), classes="title")
        with VerticalScroll(id="body", can_focus=False):
            yield self.table
            yield self.empty
            yield self.legend
            yield self.notice
            yield self.heading
            yield self.checks
            yield self.card
            yield self.transcript
        yield self.banner
        yield KeyHints()

    def on_mount(self) -> None:
        self.transcript.display = self.notice.display = False
        self.banner.say(self.kit.left)
        self.reload()

    def on_screen_resume(self) -> None:
        self.reload()

    def reload(self) -> None:
        """Read the accounts again; where the cursor stood, it stays."""
        try:
            self._accounts = self.kit.desk.book.list()
            empty = not self.kit.desk.book.holds_any()
        except AccountsError as problem:
            self._accounts, empty = (), False
            self.banner.say(str(problem))
        self.work_ended()
        self.table.fill(((each.name, self._cells(each)) for each in self._accounts), self.table.cursor_row)
        self.table.display = bool(self._accounts)
        self.empty.display = empty
        self.legend.display = any(account.connection.sandbox for account in self._accounts)
        self._warn(self.table.cursor_row)

    def _cells(self, account: Account) -> tuple[str, ...]:
        practice = "* " if account.connection.sandbox else ""
        when = day_words(account.last.at, self.kit.desk.now()) if account.last else "never"
        scope = "all" if account.scope is Scope.ALL else "gen"
        return f"{practice}{account.name}", str(account.connection.endpoint), scope, when, result_words(account.last)

    @on(DataTable.RowHighlighted)
    def _moved(self, event: DataTable.RowHighlighted) -> None:
        self._warn(event.cursor_row)

    def _warn(self, row: int) -> None:
        """Say what retires for the account of a row."""
        notice = self._retiring(self._accounts[row]) if 0 <= row < len(self._accounts) else ""
        self.notice.update(Content.styled(notice, "bold $text-warning"))
        self.notice.display = bool(notice)

    def _retiring(self, account: Account) -> str:
        """Say that the account's way of signing in ends, when, what to do, and who says so."""
        notice = retirement_of(account, self.kit.desk.catalog, self.kit.desk.now())
        words = [notice.words] if notice else []
        words += [ending] if (ending := ending_words(account, self.kit.desk.catalog, self.kit.desk.now())) else []
        return "\n".join(f"! {each}" for each in words)

    @property
    def _chosen(self) -> Account | None:
        row = self.table.cursor_row
        return self._accounts[row] if 0 <= row < len(self._accounts) else None

    @on(DataTable.RowSelected)
    def action_actions(self) -> None:
        """Show what can be done with the chosen account."""
        account = self._chosen
        if account is None:
            return

        def answered(choice: AccountAction | None) -> None:
            if choice is not None:
                actions[choice]()

        actions: dict[AccountAction, Callable[[], object]] = {
            AccountAction.TEST: self.action_test,
            AccountAction.EDIT: self.action_edit,
            AccountAction.PASSWORD: self.action_password,
            AccountAction.MOVE: self.action_move,
            AccountAction.RENAME: self.action_rename,
            AccountAction.COPY: self.action_copy_account,
            AccountAction.SCOPE: self.action_scope,
            AccountAction.DELETE: self.action_delete,
        }
        choices = [Choice(each.action, each.title, each.note) for each in account_actions(account)]
        self.app.push_screen(ActionScreen(account.name, self._about(account), choices), answered)

    def _about(self, account: Account) -> str:
        stored = f"its password: {STORE_WORDS[account.store.kind]}" if account.store else "no sign-in"
        last = f"last test: {day_words(account.last.at, self.kit.desk.now())}, " if account.last else "never tested"
        result = result_words(account.last) if account.last else ""
        endpoint = account.connection.endpoint
        return f"{account.address} through {endpoint}, {endpoint.security.words}; {stored}; {last}{result}"

    def action_test(self) -> None:
        """Sign in to the chosen account again."""
        if self._chosen is not None and self._free():
            self._test((self._chosen,))

    def test_account(self, name: str) -> None:
        """Choose the account of that name, and sign in to it again."""
        self.reload()
        at = next((at for at, account in enumerate(self._accounts) if account.name == name), None)
        if at is not None:
            self.table.move_cursor(row=at, animate=False)
            self.action_test()

    def action_test_all(self) -> None:
        """Sign in to every account again, one after the other."""
        if self._accounts and self._free():
            self._test(self._accounts)

    def _free(self) -> bool:
        """Whether no test is under way; else say so. One that is given up counts towards a lock-out."""
        if self.at_work("checks"):
            self.banner.say(UNDER_WAY)
            return False
        return True

    @work(exclusive=True, group="checks")
    async def _test(self, accounts: tuple[Account, ...], *, anyway: bool = False) -> None:
        words: list[str] = []
        for account in accounts:
            if not await self._tested(account, words, anyway=anyway):
                break

    async def _tested(self, account: Account, words: list[str], *, anyway: bool) -> bool:
        """Test one account; say how it came out, below what was said of those before. Return whether to go on."""
        self._begin(f"Testing '{account.name}' ...")
        try:
            secret = await self._secret(account)
            options = Options(ignore_lockout=anyway)
            report = await self.kit.desk.checks.check_account(account, secret, Depth.LOGIN, self._take, options=options)
        except EXPECTED_ERRORS as problem:
            self.heading.update("")
            self.banner.say(f"'{account.name}': {problem}")
            return False
        words.append(tested_words(account, report))
        self._told("\n".join(words))
        self._held_back = account if paused(report) else None
        self.refresh_bindings()
        return True

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Offer the key for a sign-in against advice only where there was none."""
        return self._held_back is not None if action == "anyway" else True

    @work_once("change")
    async def action_anyway(self) -> None:
        """Test although that may lock the account, once the person has said yes."""
        account = self._held_back
        if account is not None and await self._wanted_anyway() and self._free():
            self._test((account,), anyway=True)

    async def _wanted_anyway(self) -> bool:
        question = ConfirmScreen(ANYWAY_QUESTION, yes=ANYWAY_YES, no=ANYWAY_NO)
        return await self.app.push_screen_wait(question) or False

    def _begin(self, words: str) -> None:
        self._held_back = None
        self.refresh_bindings()
        self.banner.say("")
        self.heading.update(Content.styled(words, "bold"))
        self.checks.begin()
        self.card.show(None)

    def _told(self, words: str) -> None:
        self.heading.update(Content.styled(words, "bold"))
        self.transcript.show(self.checks.lines)
        self.reload()

    async def _secret(self, account: Account) -> Secret | None:
        """Fetch the secret, or ask for the one that is kept nowhere."""
        await self._open_vault(account)
        try:
            return await self.kit.desk.entries.secret_of(account)
        except SecretError as problem:
            if problem.fault is not SecretFault.ASK or account.connection.auth is Auth.XOAUTH2:
                raise
        secret = await self.app.push_screen_wait(PasswordScreen(account.name, "It is kept nowhere, as you chose."))
        if secret is None:
            raise InputError(phrase("Without the password the sign-in cannot be tested."))
        return secret

    def _take(self, event: Event) -> None:
        self.checks.take(event)
        if isinstance(event, RunFinished):
            self.card.show(next(iter(event.report.findings), None), details=self._details)

    def work_ended(self) -> None:
        for trouble in self.kit.desk.problems():
            self.banner.add(trouble)

    def still_at_work(self) -> None:
        self.banner.say(STILL_AT_WORK)

    def work_failed(self) -> None:
        self.heading.update("")

    def action_stop(self) -> None:
        """Stop a running test."""
        if self.workers.cancel_group(self, "checks"):
            self.heading.update("The test was stopped.")

    def action_new(self) -> None:
        """Set up another account."""
        self.post_message(WizardRequested())

    # -- changing ---------------------------------------------------------------------------------------------------

    @work_once("change")
    async def action_edit(self) -> None:
        """Go through the wizard again with the account's answers filled in."""
        if (account := self._chosen) is not None:
            secret = await self._secret_if_at_hand(account)
            self.post_message(WizardRequested(draft_of(account, secret, self.kit.desk.catalog)))

    @work_once("change")
    async def action_copy_account(self) -> None:
        """Begin another account with this one's answers."""
        if (account := self._chosen) is None:
            return
        try:
            secret = await self._secret_if_at_hand(account)
            name = await in_thread(lambda: self.kit.desk.book.free_name(account.name))
            draft = copy_of(account, secret, self.kit.desk.catalog, name)
        except EXPECTED_ERRORS as problem:
            self.banner.say(str(problem))
        else:
            self.post_message(WizardRequested(draft))

    async def _open_vault(self, account: Account, *places: StoreKind) -> None:
        """Have the vault opened where it is needed. Raises `InputError` where the person does not open it."""
        vault = self.kit.desk.stores.vault
        if not await unlocked(self.app, vault, account.store, *places, creating=bool(places)):
            raise InputError(VAULT_CLOSED)

    async def _secret_if_at_hand(self, account: Account) -> Secret | None:
        try:
            await self._open_vault(account)
            return await self.kit.desk.entries.secret_of(account)
        except (SecretError, InputError):
            return None  # it is typed again at the step that needs it

    @work_once("change")
    async def action_rename(self) -> None:
        """Give the account another name; its password moves with it."""
        account = self._chosen
        if account is None:
            return
        wanted = await self.app.push_screen_wait(NameScreen(account.name, parse_name))
        if wanted is None:
            return
        try:
            await self._open_vault(account)
            renamed = await self.kit.desk.accounts.rename(account.name, wanted)
        except EXPECTED_ERRORS as problem:
            self.banner.say(str(problem))
            return
        self._said(renamed_words(account.name, renamed.name))

    def action_password(self) -> None:
        """Ask for a new password, nothing else; try it, and keep it if the server takes it."""
        account = self._chosen
        if account is not None and signs_in(account) and self._free():
            self._new_password(account)

    @work(exclusive=True, group="checks")
    async def _new_password(self, account: Account) -> None:
        if in_browser(account):
            secret = await self._secret_if_at_hand(account)
            self.post_message(WizardRequested(draft_to_sign_in_again(account, secret, self.kit.desk.catalog)))
            return
        path = self.kit.desk.catalog.path(account.connection)
        label = path.secret_label if path and path.secret_label else "Password"
        form = path.secret_form if path else None
        secret = await self.app.push_screen_wait(PasswordScreen(account.name, NEW_SECRET_WHY, label=label, form=form))
        if secret is None:
            return
        self._begin(f"Trying the new password of '{account.name}' ...")
        try:
            await self._open_vault(account)
            report = await self.kit.desk.accounts.replace_secret(account, secret, self._take)
            if paused(report) and await self._wanted_anyway():
                self._begin(f"Trying the new password of '{account.name}' ...")
                options = Options(ignore_lockout=True)
                report = await self.kit.desk.accounts.replace_secret(account, secret, self._take, options=options)
        except EXPECTED_ERRORS as problem:
            self.heading.update("")
            self.banner.say(str(problem))
            return
        good = report.verdict in (Verdict.PASS, Verdict.WARN)
        self._told(new_secret_words(account.name, kept=good, tried=paused(report) is None))

    @work_once("change")
    async def action_move(self) -> None:
        """Keep the password in another place."""
        account = self._chosen
        if account is None or account.store is None:
            return
        wanted = await self.app.push_screen_wait(MoveScreen(self.kit, account))
        if wanted is None:
            return
        try:
            secret = await self._secret(account)
            await self._open_vault(account, wanted.kind)
            _, trouble = await self.kit.desk.accounts.move(account.name, wanted.kind, wanted.where, secret)
        except EXPECTED_ERRORS as problem:
            self.banner.say(str(problem))
            return
        self._said(moved_words(account.name, STORE_TITLES[wanted.kind]), trouble)

    @work_once("change")
    async def action_scope(self) -> None:
        """Use the account for all mail, or for general mail only."""
        account = self._chosen
        if account is None:
            return
        wanted = other_scope(account)
        try:
            if await self._scope_set(account, wanted):
                self._said(scope_words(account.name, wanted))
        except EXPECTED_ERRORS as problem:
            self.banner.say(str(problem))

    async def _scope_set(self, account: Account, wanted: Scope) -> bool:
        """Set the scope; ask where another account would be displaced. Return whether it was done."""
        try:
            await self.kit.desk.accounts.set_scope(account.name, wanted)
        except Displaces as problem:
            yes = displaces_yes(account.name, problem.other.name)
            if not await self.app.push_screen_wait(ConfirmScreen(str(problem), yes=yes, no=DISPLACE_NO)):
                return False
            await self.kit.desk.accounts.set_scope(account.name, wanted, displacing=True)
        return True

    @work_once("change")
    async def action_delete(self) -> None:
        """Forget the account and its password, after asking."""
        account = self._chosen
        if account is None:
            return
        question = delete_question(account.name)
        if not await self.app.push_screen_wait(ConfirmScreen(question, yes=DELETE_YES, no=DELETE_NO)):
            return
        try:
            await self._open_vault(account)
        except InputError:
            pass  # it is removed all the same; that its password may still be in the vault is said below
        except SecretError as problem:
            self.banner.say(str(problem))
        try:
            _, trouble = await self.kit.desk.accounts.remove(account.name)
        except EXPECTED_ERRORS as problem:
            self.banner.say(str(problem))
            return
        self.checks.begin()
        self.card.show(None)
        self._said(deleted_words(account.name), trouble)

    def _said(self, words: str, trouble: str = "") -> None:
        self.banner.say(trouble)
        self.heading.update(Content.styled(words, "bold"))
        self.reload()

    def action_details(self) -> None:
        """Show or hide the server's own words and the dialogue."""
        self._details = not self._details
        self.transcript.show(self.checks.lines)
        self.card.show(self.card.finding, details=self._details)
        self.transcript.unfold(self._details, failed=self.card.finding is not None, otherwise=self.table.focus)

    def on_transcript_pane_wanted(self, message: TranscriptPane.Wanted) -> None:
        """The dialogue was copied, or is wanted in full."""
        answer_transcript(self, message, self.kit.shelf, self.card.finding, self.banner)

    def action_help(self) -> None:
        """Say what this screen is for."""
        self.app.push_screen(HelpScreen("Saved accounts", HELP))
