"""`test`: runs the checks of saved accounts again."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import click

from smtp_wizard.commands.check_run import exit_code
from smtp_wizard.commands.command_with_examples import CommandWithExamples
from smtp_wizard.commands.options.connection import (
    DEPTH,
    connection_from,
    connection_options,
    parsed_by,
    sign_in_option,
)
from smtp_wizard.commands.options.passwords import password_options, taken_from
from smtp_wizard.commands.options.remote_host import parse_remote_host
from smtp_wizard.commands.options.shell_completion import account_names
from smtp_wizard.commands.options.vault import passphrase_options
from smtp_wizard.commands.testing.comparison import USUAL_NAME, Comparison, parse_comparison_name
from smtp_wizard.commands.testing.request import TestRequest
from smtp_wizard.commands.testing.result_printer import PrintedResult, ResultPrinter, change_line
from smtp_wizard.commands.testing.selected_accounts import (
    Selection,
    selected_accounts,
    selection_from,
    selection_options,
)
from smtp_wizard.commands.testing.tester import Tester, interrupted
from smtp_wizard.engine.accounts.changes import Change
from smtp_wizard.engine.base.address import Address
from smtp_wizard.engine.base.errors import InputError
from smtp_wizard.engine.base.shown import Shown, phrase, shown
from smtp_wizard.engine.base.stages import Depth
from smtp_wizard.engine.checks.recipient import OwnMailbox, refuse_own_mailbox
from smtp_wizard.engine.secrets.secret_store import SecretError
from smtp_wizard.engine.secrets.store_kinds import StoreKind
from smtp_wizard.output.check_outcome import CheckOutcome
from smtp_wizard.runtime.exit_codes import CommandError, Exit, Interrupted

if TYPE_CHECKING:
    from smtp_wizard.commands.invocation import Invocation
    from smtp_wizard.commands.testing.notification import Notification
    from smtp_wizard.engine.accounts.account import Account

MOST_AT_ONCE = 200
MONITORING = ("nagios", "prometheus")
"""The forms that tell how everything stands now: what changed is for who reads them to say."""


class _TestCommand(CommandWithExamples):
    """The command; --changed may be given a name behind '=', and never takes the next word for one."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """As `Command.parse_args`."""
        end = args.index("--") if "--" in args else len(args)
        named = [f"--changed={USUAL_NAME}" if each == "--changed" else each for each in args[:end]]
        return super().parse_args(ctx, [*named, *args[end:]])


@click.command("test", cls=_TestCommand)
@click.argument("accounts", nargs=-1, metavar="[ACCOUNT]...", shell_complete=account_names)
@click.option("--all", "every", is_flag=True, help="Test every saved account.")
@selection_options
@click.option(
    "--depth",
    type=DEPTH,
    default="login",
    show_default=True,
    help="Test the server only, the sign-in too, or send a message.",
)
@click.option(
    "--to",
    metavar="ADDR",
    callback=parsed_by(Address.parse),
    help="With --depth send or --notify: the recipient's address.",
)
@click.option(
    "--concurrency",
    metavar="N",
    type=click.IntRange(1, MOST_AT_ONCE),
    default=10,
    show_default=True,
    help="Test at most N accounts at once.",
)
@click.option(
    "--per-host",
    metavar="N",
    type=click.IntRange(1, MOST_AT_ONCE),
    default=10,
    show_default=True,
    help="Test at most N accounts of one server at once.",
)
@click.option(
    "--changed",
    metavar="NAME",
    callback=parsed_by(parse_comparison_name),
    help="Report only what changed since the last run with --changed (or --changed=NAME).",
)
@click.option(
    "--on",
    metavar="[USER@]HOST",
    callback=parsed_by(parse_remote_host),
    help="Also run the check on HOST, over ssh, and compare.",
)
@click.option(
    "-o", "ssh_options", metavar="OPTION", multiple=True, help="With --on: pass this option to ssh (repeatable)."
)
@click.option(
    "--notify",
    metavar="ACCOUNT",
    shell_complete=account_names,
    help="With --changed: mail the changes to --to through this account, at most once an hour.",
)
@click.option(
    "--init",
    type=click.Choice(["systemd", "cron"]),
    help="Print a systemd timer or a crontab line that runs this test every night.",
)
@click.option(
    "--exit-by-stage", "by_stage", is_flag=True, help="Exit with 10 to 19 instead of 1, by the stage that failed."
)
@click.option(
    "--format",
    "form",
    type=click.Choice(["plain", "json", "jsonl", "junit", *MONITORING]),
    default="plain",
    show_default=True,
    help="The output format.",
)
@password_options
@passphrase_options
@connection_options
@sign_in_option
@click.option("--json", "as_json", is_flag=True, help="The same as --format json.")
@click.pass_obj
def command(invocation: Invocation, /, accounts: tuple[str, ...], every: bool, as_json: bool, **given: Any) -> int:
    """Test saved accounts again, up to the sign-in.

    ACCOUNT may be a pattern such as 'Shop*'; it may be left out if only one account is saved. No message is sent
    without --depth send. With --format nagios the exit codes are those of a Nagios plugin (0 to 3).

    --exit-by-stage replaces exit code 1: 10 DNS, 11 connection, 12 TLS, 13 greeting, 14 EHLO, 15 STARTTLS, 16 sign-in,
    17 sender, 18 recipient, 19 message. If several accounts fail, the earliest stage counts. A password that cannot be
    read is still exit code 3, and a test that --timeout ended 1.
    """
    wanted = selection_from(accounts, every=every, given=given)
    password, connection = taken_from(given), connection_from(given)
    asked = TestRequest(
        depth=Depth(given["depth"]),
        to=given["to"],
        at_once=given["concurrency"],
        per_host=given["per_host"],
        form="json" if as_json else given["form"],
        changed=given["changed"],
        notify=given["notify"],
        on=given["on"],
        init=given["init"],
        ssh_options=given["ssh_options"],
        by_stage=given["by_stage"],
        password=password,
        connection=connection,
    )
    _refuse_contradictions(asked)
    if asked.form in MONITORING and wanted.since is not None:
        raise click.UsageError(f"--format {asked.form} says how everything stands; it does not go with --since.")
    chosen = selected_accounts(invocation.saved_accounts, wanted, datetime.now(UTC))
    _refuse_same_address(asked, chosen)
    if password.given and len(chosen) > 1:
        raise click.UsageError("A password can be given for one account only.")
    if asked.on is not None:
        return _test_elsewhere(invocation, asked, chosen)
    if asked.init is not None:
        return _print_schedule(invocation, asked.init, asked, chosen)
    if len(chosen) == 1:
        _begin_connection(invocation, asked, chosen[0])
    return _Run(invocation, asked, wanted, chosen).run()


def _test_elsewhere(invocation: Invocation, asked: TestRequest, accounts: Sequence[Account]) -> int:
    from smtp_wizard.commands.testing.remote_comparison import RemoteComparison

    if len(accounts) != 1:
        raise click.UsageError("--on takes one account.")
    if accounts[0].connection.sandbox is not None:
        raise InputError(phrase("The practice server is on this computer alone; no other one can reach it."))
    return RemoteComparison(invocation, asked, accounts[0]).run()


def _print_schedule(invocation: Invocation, form: str, asked: TestRequest, accounts: Sequence[Account]) -> int:
    from smtp_wizard.commands.testing import schedule

    if asked.password.given:
        raise click.UsageError("What runs by itself takes each password from its account's own store.")
    through = [invocation.saved_accounts.get(asked.notify)] if asked.notify is not None else []
    wanted = schedule.schedule_for(
        [*accounts, *through],
        invocation.folder,
        invocation.arguments,
        has_passphrase=invocation.passphrase is not None,
        signing_in=[*(accounts if asked.depth is not Depth.SERVER else ()), *through],
        environ=invocation.environ,
    )
    if wanted.unwritable:
        raise InputError(
            phrase("'{}' has a line end or another control character in it.", shown(wanted.unwritable, 100))
        )
    if form == "systemd":
        unit = schedule.UNIT
        invocation.out.data(
            f"# {unit}.service\n{schedule.service(wanted)}\n# {unit}.timer\n{schedule.timer()}".rstrip()
        )
        invocation.out.narrate(schedule.systemd_words(wanted))
    else:
        invocation.out.data(schedule.cron_line(wanted).rstrip("\n"))
        invocation.out.narrate(schedule.cron_words(wanted))
    return Exit.OK


def _begin_connection(invocation: Invocation, asked: TestRequest, account: Account) -> None:
    """Begin to connect where nothing comes before the check: no question, no other program, nothing that pauses it."""
    if asked.password.given:
        at_once = asked.password.command is None
    else:
        at_once = account.store is not None and account.store.kind in (StoreKind.ENV, StoreKind.FILE)
    at_once = (at_once or asked.depth is Depth.SERVER) and account.connection.sandbox is None
    if at_once and not invocation.saved_accounts.state.counts_sign_ins:
        invocation.begin_connection(account.connection.endpoint, asked.connection.family)


def _refuse_contradictions(asked: TestRequest) -> None:
    """Raise `CommandError` where an answer is missing, `click.UsageError` where two options contradict each other."""
    if asked.depth is Depth.SEND and asked.to is None:
        raise CommandError("missing-answers", phrase("Missing: --to."), phrase("Say where the test message is to go."))
    _refuse_with_notify(asked)
    _refuse_with_on(asked)
    if asked.form in MONITORING and asked.changed is not None:
        raise click.UsageError(f"--format {asked.form} says how everything stands; it does not go with --changed.")
    if asked.form == "nagios" and asked.by_stage:
        raise click.UsageError("--format nagios has exit codes of its own; it does not go with --exit-by-stage.")


def _refuse_with_notify(asked: TestRequest) -> None:
    if asked.notify is None:
        return
    if asked.changed is None or asked.to is None:
        raise CommandError(
            "missing-answers",
            phrase("Missing: {}.", shown("--changed" if asked.changed is None else "--to")),
            phrase("--notify mails what changed: it goes with --changed and --to."),
        )
    if asked.depth is Depth.SEND:
        raise click.UsageError("--to is where the changes go; with --notify no test message is sent.")


def _refuse_with_on(asked: TestRequest) -> None:
    if asked.on is None:
        if asked.ssh_options:
            raise click.UsageError("-o goes with --on.")
        return
    if asked.depth is Depth.SEND or asked.changed is not None:
        raise click.UsageError("--on sends nothing, and compares two places: without --depth send and --changed.")
    if asked.init is not None:
        raise click.UsageError("--on asks ssh, which may ask a person; what runs by itself (--init) tests from here.")
    if asked.form not in ("plain", "json", "jsonl"):
        raise click.UsageError(f"--on prints in lines, json or jsonl, not as {asked.form}.")


def _refuse_same_address(asked: TestRequest, accounts: Sequence[Account]) -> None:
    """Raises `InputError` where a test message would go to the mailbox that it comes from."""
    for account in accounts if asked.depth is Depth.SEND and asked.to is not None else ():
        assert asked.to is not None
        try:
            refuse_own_mailbox(asked.to, account.from_address, account.address)
        except OwnMailbox as problem:
            raise InputError(phrase("{}: {}", account.name, problem.words)) from None


class _Run:
    """One run of the command: the tests, what is told of them, and what is remembered of that."""

    def __init__(
        self, invocation: Invocation, asked: TestRequest, wanted: Selection, accounts: Sequence[Account]
    ) -> None:
        self.invocation = invocation
        self.asked = asked
        self.whole = wanted.every and not wanted.filters
        """Whether all that is saved was asked for."""
        self.accounts = accounts
        self._shows_progress = len(accounts) > 1 and invocation.out.shows_progress
        self._bad = 0
        """Accounts that were tested and are not well."""
        self.tester = Tester(invocation, asked, accounts)
        saved = invocation.saved_accounts
        self.comparison = (
            Comparison(saved.state.last_told, asked.changed, asked.depth) if asked.changed is not None else None
        )
        self.notification = self._notification()
        self.unread = self._unread()
        self.results = ResultPrinter(
            invocation.out, asked, self.unread, alone=len(accounts) == 1, now=datetime.now(UTC)
        )

    def run(self) -> int:
        if self.notification is not None:
            with suppress(SecretError):  # said when the message is to go out
                self.notification.open_vault()
        try:
            self.tester.run(self._came)
        except Interrupted:
            self._print_what_was_done()
            raise
        refusal = self.tester.secrets.refusal() if self._is_read_as_a_whole else None
        if refusal is not None:
            raise refusal
        told = self._told()
        code = self.results.print(told)
        return self._move_on(self.comparison, told, code) if self.comparison is not None else code

    @property
    def _is_read_as_a_whole(self) -> bool:
        """Whether an error in its place tells as much. To a monitor no result means that there is nothing to see."""
        return self.asked.form not in ("jsonl", "junit", "prometheus") and self.comparison is None

    def _move_on(self, comparison: Comparison, told: Sequence[PrintedResult], code: int) -> int:
        """Mail what changed where that is wanted; compare with this run from now on. Return the exit code.

        Where nobody knows what was told last, nothing is mailed, and the next run is compared with that.
        """
        if comparison.unread:
            return code if code == Exit.BUG else Exit.SECRET
        now = self.invocation.services.now()
        lines = [*(change_line(each) for each in told), *(words for _, words in self.unread)]
        trouble = self.notification.tell(lines, now) if self.notification is not None else Exit.OK
        if trouble is Exit.OK:
            saved = self.invocation.saved_accounts.list() if self.whole else None
            kept = comparison.move_on(saved, now, self.tester.watch.time_to_keep())
            trouble = Exit.OK if kept else Exit.SECRET
        if trouble is Exit.SECRET and code != Exit.BUG:
            return trouble
        return code or trouble

    def _notification(self) -> Notification | None:
        """Return what mails the changes. Raises `NoSuchAccount` before anything is tested."""
        asked = self.asked
        if asked.notify is None or asked.to is None or asked.changed is None:
            return None
        from smtp_wizard.commands.testing.notification import Notification

        account = self.invocation.saved_accounts.get(asked.notify)
        return Notification(self.invocation, account, asked.to, asked.changed, self.tester.watch)

    def _unread(self) -> Sequence[tuple[str, Shown]]:
        """Return which accounts that were asked for too cannot be used, and why; with --changed, the new ones."""
        if not self.whole:
            return ()
        saved = self.invocation.saved_accounts
        if self.comparison is None:
            return saved.unread_entries()
        news = self.comparison.unread_news(saved.unread_entries())
        if not news:
            saved.problems()  # said before, and not to be said again at the end
        return news

    def _came(self, index: int, outcome: CheckOutcome) -> None:
        self._bad += bool(exit_code([outcome]))
        if self._shows_progress:
            self.invocation.out.progress(self._progress_words())
        if self.asked.form == "jsonl":
            told = self._one(index, outcome)
            if told.change is not Change.NONE:
                self.results.line(told)

    def _progress_words(self) -> str:
        done, bad = len(self.tester.outcomes), f", {self._bad:,} not well" if self._bad else ""
        return f"{done:,} of {len(self.accounts):,} tested{bad}" if done < len(self.accounts) else ""

    def _told(self) -> list[PrintedResult]:
        """Return what is printed, in the order in which the accounts were asked for."""
        every = [self._one(index, outcome) for index, outcome in sorted(self.tester.outcomes.items())]
        return [told for told in every if told.change is not Change.NONE]

    def _one(self, index: int, outcome: CheckOutcome) -> PrintedResult:
        if self.comparison is None:
            return PrintedResult(index, outcome, None, outcome.warnings)
        account = self.accounts[index]
        news = self.comparison.news(account, outcome)
        warnings = tuple(each for each in outcome.warnings if each.key in news)
        return PrintedResult(index, outcome, self.comparison.change(account, outcome), warnings, news)

    def _print_what_was_done(self) -> None:
        """Print the results that there are, where a signal has ended the run; what changed is told next time."""
        if not self.tester.outcomes or self.asked.form == "nagios":
            return
        left = [index for index in range(len(self.accounts)) if index not in self.tester.outcomes]
        untested = [PrintedResult(index, interrupted(self.accounts[index])) for index in left]
        self.results.print(self._told(), untested if self.comparison is None else ())
