"""Home: the saved accounts, their last result, and testing them again."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import ClassVar

from textual import on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.content import Content
from textual.message import Message
from textual.screen import Screen
from textual.widgets import DataTable, Footer

from smtp_wizard.engine.accounts import Account, AccountsError, LastResult
from smtp_wizard.engine.check import Event, RunFinished
from smtp_wizard.engine.model import Depth, InputError, Secret, Verdict
from smtp_wizard.engine.secrets import SecretError, Trouble
from smtp_wizard.report import STAGE_WORDS
from smtp_wizard.screens.dialogs import HelpScreen, PasswordScreen
from smtp_wizard.screens.step import Kit
from smtp_wizard.widgets import Banner, CheckList, FindingCard, Plain, Transcript

HELP = (
    "Here are the accounts that you saved, with the result of their last test. T signs in to the chosen one again and "
    "shows what happened; nothing is sent. N sets up another account."
)
VERDICT_WORDS = {
    Verdict.PASS: "ok",
    Verdict.WARN: "ok (note)",
    Verdict.FAIL: "FAIL",
    Verdict.UNKNOWN: "not known",
    Verdict.SKIPPED: "not tested",
}


class Wanted(StrEnum):
    """Where the person wants to go from here."""

    SETUP = "setup"


@dataclass
class Leave(Message):
    """The person goes to another area."""

    wanted: Wanted


class HomeScreen(Screen[None]):
    """The list of accounts; what a test says stands beneath it."""

    AUTO_FOCUS = "#accounts"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("t,f5", "test", "Test again", key_display="t"),
        Binding("n", "new", "New account"),
        Binding("f4", "details", "Details"),
        Binding("f1,question_mark", "help", "Help", key_display="f1"),
        Binding("escape", "stop", "Stop the test", show=False),
        Binding("ctrl+q", "app.leave", "Quit"),
    ]

    def __init__(self, kit: Kit) -> None:
        super().__init__()
        self.kit = kit
        self.banner = Banner()
        self.table: DataTable[str] = DataTable(id="accounts", cursor_type="row", zebra_stripes=False)
        self.empty = Plain("No account is saved yet. Press N to set one up.", classes="question")
        self.legend = Plain("* practice, on this computer alone", classes="lead")
        self.heading = Plain("", classes="question")
        self.checks = CheckList(id="checks")
        self.card = FindingCard(id="finding")
        self.transcript = Transcript(id="transcript")
        self._details = False
        self._accounts: tuple[Account, ...] = ()

    def compose(self) -> ComposeResult:
        yield Plain(Content.styled("Saved accounts", "bold"), classes="title")
        with VerticalScroll(id="body", can_focus=False):
            yield self.table
            yield self.empty
            yield self.legend
            yield self.heading
            yield self.checks
            yield self.card
            yield self.transcript
        yield self.banner
        yield Footer(show_command_palette=False, compact=True)

    def on_mount(self) -> None:
        self.transcript.display = False
        spare = max(0, self.app.size.width - 80)
        for label, width in (
            ("", 1),
            ("Name", 22 + spare // 2),
            ("Server", 21 + spare // 2),
            ("Last test", 11),
            ("Result", 12),
        ):
            self.table.add_column(label, width=width, key=label or "mark")
        self.reload()

    def on_screen_resume(self) -> None:
        self.reload()

    def reload(self) -> None:
        """Read the accounts again; where the cursor stood, it stays."""
        try:
            self._accounts = self.kit.desk.book.list()
        except AccountsError as problem:
            self._accounts = ()
            self.banner.say(str(problem))
        at = self.table.cursor_row
        self.table.clear()
        for account in self._accounts:
            self.table.add_row(*self._cells(account), key=account.name)
        self.table.display = bool(self._accounts)
        self.empty.display = not self._accounts
        self.legend.display = any(account.sandbox for account in self._accounts)
        if self._accounts:
            self.table.move_cursor(row=min(at, len(self._accounts) - 1), animate=False)
            self._mark(self.table.cursor_row)

    def _cells(self, account: Account) -> tuple[str, ...]:
        practice = "* " if account.sandbox else ""
        when = day_words(account.last.at, self.kit.desk.now()) if account.last else "never"
        return " ", f"{practice}{account.name}", str(account.endpoint), when, result_words(account.last)

    @on(DataTable.RowHighlighted)
    def _moved(self, event: DataTable.RowHighlighted) -> None:
        self._mark(event.cursor_row)

    def _mark(self, row: int) -> None:
        """Put a real mark before the chosen row, so that it shows without colour."""
        for at, account in enumerate(self._accounts):
            self.table.update_cell(account.name, "mark", ">" if at == row else " ")

    @property
    def _chosen(self) -> Account | None:
        row = self.table.cursor_row
        return self._accounts[row] if 0 <= row < len(self._accounts) else None

    @on(DataTable.RowSelected)
    def action_test(self) -> None:
        """Sign in to the chosen account again."""
        account = self._chosen
        if account is not None:
            self._test(account)

    @work(exclusive=True, group="checks", exit_on_error=False)
    async def _test(self, account: Account) -> None:
        self.banner.say("")
        self.heading.update(Content.styled(f"Testing '{account.name}' ...", "bold"))
        self.checks.begin()
        self.card.show(None)
        try:
            secret = await self._secret(account)
            report = await self.kit.desk.check_account(account, secret, Depth.LOGIN, self._take)
        except (SecretError, AccountsError, InputError) as problem:
            self.heading.update("")
            self.banner.say(str(problem))
            return
        words = VERDICT_WORDS[report.verdict]
        self.heading.update(
            Content.styled(f"'{account.name}': {words} ({report.took:.1f} s). Nothing was sent.", "bold")
        )
        self.transcript.show(self.checks.lines)
        self.reload()

    async def _secret(self, account: Account) -> Secret | None:
        """Fetch the secret, or ask for the one that is kept nowhere."""
        try:
            return await self.kit.desk.secret_of(account)
        except SecretError as problem:
            if problem.trouble is not Trouble.ASK:
                raise
        secret = await self.app.push_screen_wait(PasswordScreen(account.name, "It is kept nowhere, as you chose."))
        if secret is None:
            raise InputError("Without the password the sign-in cannot be tested.")
        return secret

    def _take(self, event: Event) -> None:
        self.checks.take(event)
        if isinstance(event, RunFinished):
            self.card.show(next(iter(event.report.findings), None), details=self._details)

    def action_stop(self) -> None:
        """Stop a running test."""
        if self.workers.cancel_group(self, "checks"):
            self.heading.update("The test was stopped.")

    def action_new(self) -> None:
        """Set up another account."""
        self.post_message(Leave(Wanted.SETUP))

    def action_details(self) -> None:
        """Show or hide the server's own words and the dialogue."""
        self._details = not self._details
        self.transcript.display = self._details
        self.transcript.show(self.checks.lines)
        self.card.show(self.card.finding, details=self._details)

    def action_help(self) -> None:
        """Say what this screen is for."""
        self.app.push_screen(HelpScreen("Saved accounts", HELP))


def day_words(at: datetime, now: datetime) -> str:
    """Return the time for today, the date for other days, in local time."""
    local = at.astimezone()
    return f"today {local:%H:%M}" if local.date() == now.astimezone().date() else f"{local:%Y-%m-%d}"


def result_words(last: LastResult | None) -> str:
    """Return the last result in a few words: a word first, then where it failed."""
    if last is None:
        return "not tested"
    stage = f" {STAGE_WORDS[last.stage].lower()}" if last.stage else ""
    return f"{VERDICT_WORDS[last.verdict]}{stage}"
