"""`test`: runs the checks of saved accounts again."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import click

from smtp_wizard.commands.checking import (
    Transcript,
    exit_code,
    held_reader,
    live_reader,
    not_begun,
    observed,
    report_line,
    stage_exit_code,
)
from smtp_wizard.commands.faults import GIVE_PASSPHRASE, known_fault, other_stores, reported_bug
from smtp_wizard.commands.options.connection import (
    DEPTH,
    ConnectionOptions,
    connection_from,
    connection_options,
    parsed_by,
    sign_in_option,
)
from smtp_wizard.commands.options.passwords import PasswordSource, password_options, taken_from
from smtp_wizard.commands.options.sign_in import given_password, tidy_password
from smtp_wizard.commands.options.vault import offer_passphrase, passphrase_options
from smtp_wizard.engine.accounts.saved_accounts import AccountFileError
from smtp_wizard.engine.accounts.secret_entries import is_asked_each_time
from smtp_wizard.engine.accounts.sign_in_ending import ending_words, retirement_of
from smtp_wizard.engine.base.address import Address
from smtp_wizard.engine.base.connection import Auth
from smtp_wizard.engine.base.errors import InputError, ShownError
from smtp_wizard.engine.base.secret import Secret
from smtp_wizard.engine.base.shown import NO_WORDS, Shown, join, phrase, shown
from smtp_wizard.engine.base.stages import Depth
from smtp_wizard.engine.base.who import Who
from smtp_wizard.engine.checks.progress import CheckProgress
from smtp_wizard.engine.checks.recipient import OwnMailbox, refuse_own_mailbox
from smtp_wizard.engine.checks.report import Report
from smtp_wizard.engine.diagnosis.finding import Finding
from smtp_wizard.engine.lazy_dataclass import dataclass
from smtp_wizard.engine.sandbox.errors import SandboxError
from smtp_wizard.engine.secrets.base import SecretError, SecretFault
from smtp_wizard.engine.secrets.kinds import StoreKind
from smtp_wizard.output.lines import plain_report, summary
from smtp_wizard.output.outcome import CheckOutcome
from smtp_wizard.runtime.exits import CommandError, Exit
from smtp_wizard.runtime.open_file_limit import checks_at_once, limit
from smtp_wizard.runtime.questions import ask_password, can_ask
from smtp_wizard.runtime.running import Stopwatch, run

if TYPE_CHECKING:
    from smtp_wizard.commands.invocation import Invocation
    from smtp_wizard.engine.accounts.account import Account
    from smtp_wizard.engine.base.secret import Secret
    from smtp_wizard.engine.checks.events import Emit
    from smtp_wizard.engine.providers.retirements import Notice

MOST_AT_ONCE = 200


@dataclass(frozen=True, slots=True)
class TestRequest:
    """What was asked for."""

    depth: Depth
    to: Address | None
    at_once: int
    form: str
    by_stage: bool
    """Whether the exit code says at which stage a check failed."""
    password: PasswordSource
    connection: ConnectionOptions


@click.command("test")
@click.argument("accounts", nargs=-1, metavar="[ACCOUNT]...")
@click.option("--all", "every", is_flag=True, help="Test every saved account.")
@click.option("--depth", type=DEPTH, default="login", show_default=True, help="How far the checks go.")
@click.option("--to", metavar="ADDR", callback=parsed_by(Address.parse), help="With --depth send: to here.")
@click.option(
    "--concurrency", type=click.IntRange(1, MOST_AT_ONCE), default=10, show_default=True, help="How many at a time."
)
@click.option(
    "--format",
    "form",
    type=click.Choice(["plain", "json", "jsonl", "junit", "nagios", "prometheus"]),
    default="plain",
    show_default=True,
    help="How the results are printed.",
)
@click.option("--exit-by-stage", "by_stage", is_flag=True, help="Exit with 10 to 19, by the stage that failed.")
@password_options
@passphrase_options
@connection_options
@sign_in_option
@click.option("--json", "as_json", is_flag=True, help="The same as --format json.")
@click.pass_obj
def command(invocation: Invocation, /, accounts: tuple[str, ...], every: bool, as_json: bool, **given: Any) -> int:
    """Test saved accounts again, as deep as the sign-in.

    Without a name the one saved account is tested. Nothing is sent without --depth send. With --format nagios the
    exit codes are those of a plugin (0 to 3).

    With --exit-by-stage, instead of 1: 10 the server's name, 11 the connection, 12 encryption, 13 the greeting, 14 the
    hello, 15 STARTTLS, 16 the sign-in, 17 the sender, 18 the recipient, 19 the message; of several accounts the
    earliest. A password that cannot be read is 3 all the same.
    """
    password, connection = taken_from(given), connection_from(given)
    asked = TestRequest(
        depth=Depth(given["depth"]),
        to=given["to"],
        at_once=given["concurrency"],
        form="json" if as_json else given["form"],
        by_stage=given["by_stage"],
        password=password,
        connection=connection,
    )
    if asked.depth is Depth.SEND and asked.to is None:
        raise CommandError("missing-answers", phrase("Missing: --to."), phrase("Say where the test message is to go."))
    if asked.by_stage and asked.form == "nagios":
        raise click.UsageError("--format nagios has exit codes of its own; it does not go with --exit-by-stage.")
    chosen = _chosen(invocation, accounts, every=every)
    _refuse_same_address(asked, chosen)
    if password.given and len(chosen) > 1:
        raise click.UsageError("A password can be given for one account only.")
    unread = invocation.saved_accounts.unread() if every else ()
    return _Tester(invocation, asked, chosen, unread).run()


def _chosen(invocation: Invocation, names: Sequence[str], *, every: bool) -> tuple[Account, ...]:
    """Return the accounts to test, each once. Raises `CommandError`, `NoSuchAccount`, `AccountFileError`."""
    if every and names:
        raise click.UsageError("Name accounts, or say --all; not both.")
    if names:
        return invocation.saved_accounts.get_all(names)
    saved = invocation.saved_accounts.list()
    if not saved and (unread := invocation.saved_accounts.unread()):
        raise AccountFileError(unread[0])
    if not saved:
        raise CommandError(
            "no-accounts", phrase("No account is saved yet."), phrase("'smtp-wizard setup' makes one."), Exit.NOT_FOUND
        )
    if len(saved) > 1 and not every:
        listed = ", ".join(account.name for account in saved[:10])
        raise CommandError(
            "which-account", phrase("Which account? There are: {}.", shown(listed)), phrase("Name some, or say --all.")
        )
    return saved


def _refuse_same_address(asked: TestRequest, accounts: Sequence[Account]) -> None:
    """Raises `InputError` where a test message would go to the mailbox that it comes from."""
    for account in accounts if asked.depth is Depth.SEND and asked.to is not None else ():
        assert asked.to is not None
        try:
            refuse_own_mailbox(asked.to, account.from_address, account.address)
        except OwnMailbox as problem:
            raise InputError(phrase("{}: {}", shown(account.name), problem.words)) from None


class _Tester:
    """One run of the command."""

    def __init__(
        self, invocation: Invocation, asked: TestRequest, accounts: Sequence[Account], unread: Sequence[Shown]
    ) -> None:
        """`unread`: why accounts that were asked for too cannot be used."""
        self.invocation = invocation
        self.out = invocation.out
        self.asked = asked
        self.accounts = accounts
        self.unread = unread
        self.watch = Stopwatch(asked.connection.timeout)
        self.done: set[str] = set()
        self.watched: dict[str, CheckProgress] = {account.name: CheckProgress() for account in accounts}

    @property
    def alone(self) -> bool:
        """Whether one account is tested, and its stages are shown as they end."""
        return len(self.accounts) == 1

    def run(self) -> int:
        secrets = self._secrets()
        # Who reads line by line gets one for each account, whatever became of it.
        if self.asked.form != "jsonl" and all(isinstance(secret, Finding) for secret in secrets.values()):
            self._refuse(secrets)
        with Transcript(self.asked.connection, self.out) as transcript:
            outcomes = run(self._test_all(secrets, transcript), self.watch, self._undone)
        code = self._print(outcomes)
        for name, notice in self._notices():
            self.out.narrate(f"{name}: {notice.words}")
        for name, ending in self._endings():
            self.out.narrate(f"{name}: {ending}")
        return code

    def _endings(self) -> list[tuple[str, str]]:
        """Return whose sign-in in the browser will end soon. Renewed just now, it is read again."""
        if not any(account.login for account in self.accounts):
            return []
        saved, services = (
            {account.name: account for account in self.invocation.saved_accounts.list()},
            self.invocation.services,
        )
        done = (saved[name] for name in self.done if name in saved)
        found = ((account.name, ending_words(account, services.catalog, services.now())) for account in done)
        return sorted((name, ending) for name, ending in found if ending)

    def _notices(self) -> list[tuple[str, Notice]]:
        """Return what ends, or has ended, for the ways in which the accounts sign in."""
        found = (
            (account.name, retirement_of(account, self.invocation.services.catalog, self.invocation.services.now()))
            for account in self.accounts
        )
        return [(name, notice) for name, notice in found if notice is not None]

    def _undone(self) -> str:
        left = [account.name for account in self.accounts if account.name not in self.done]
        perhaps = [name for name in left if self.watched[name].perhaps_sent]
        sent = f" The test message of {', '.join(perhaps)} may or may not have been sent." if perhaps else ""
        return (f"Not tested: {', '.join(left)}." if left else "") + sent

    # -- the secrets ------------------------------------------------------------------------------------------------

    def _secrets(self) -> dict[str, Secret | Finding | None]:
        """Return each account's secret, or why it cannot be had. Raises `CommandError` where one was given and is none.

        Asks for those that are kept nowhere, where there is somebody to ask.
        """
        if self.asked.depth is Depth.SERVER:
            return {account.name: None for account in self.accounts}
        if self.asked.password.given:
            (account,) = self.accounts
            given = given_password(self.invocation, self.asked.password, self.watch, self._undone)
            return {account.name: None if given is None else tidy_password(self.invocation, account, given)}
        shut = self._shut_vault()
        found = run(self._stored(shut), self.watch, self._undone)
        return {account.name: self._asked(account, found[account.name]) for account in self.accounts}

    def _shut_vault(self) -> SecretError | None:
        """Open the vault for the accounts that need it; return why it stays shut, which stops none of the others."""
        try:
            offer_passphrase(self.invocation, *(account.store for account in self.accounts))
        except SecretError as problem:
            return problem
        return None

    async def _stored(self, shut: SecretError | None) -> dict[str, Secret | Exception | None]:
        found: dict[str, Secret | Exception | None] = {}
        async with self.watch.bound():
            for account in self.accounts:
                in_vault = account.store is not None and account.store.kind is StoreKind.VAULT
                found[account.name] = shut if shut and in_vault else await self._stored_of(account)
        return found

    async def _stored_of(self, account: Account) -> Secret | Exception | None:
        """Return an account's secret, or why it cannot be had, whatever that is: the others are tested all the same."""
        try:
            secret = await self.invocation.services.entries.secret_of(account)
        except Exception as problem:
            return problem
        return _nowhere() if secret is None and account.connection.auth is not Auth.NONE else secret

    def _asked(self, account: Account, secret: Secret | Exception | None) -> Secret | Finding | None:
        if not isinstance(secret, Exception):
            return secret
        if not isinstance(secret, SecretError):
            return self._fault(secret)
        if is_asked_each_time(secret, account) and can_ask():
            return tidy_password(self.invocation, account, ask_password(f"Password of {account.name}"))
        return _secret_finding(secret)

    def _refuse(self, secrets: dict[str, Secret | Finding | None]) -> None:
        """Say that no check could even begin."""
        first = next(finding for finding in secrets.values() if isinstance(finding, Finding))
        others = len(secrets) - 1
        more = phrase(" Nor could those of {} more accounts.", others) if others else NO_WORDS
        name = next(iter(secrets))
        raise CommandError(
            first.code,
            phrase("{}: {}{}", shown(name), first.explanation, more),
            join(" ", first.steps),
            Exit.SECRET,
        )

    # -- the checks -------------------------------------------------------------------------------------------------

    async def _test_all(
        self, secrets: dict[str, Secret | Finding | None], transcript: Transcript
    ) -> list[CheckOutcome]:
        places = asyncio.Semaphore(self._at_once())

        async def one(account: Account) -> CheckOutcome:
            async with places:
                outcome = await self._test(account, secrets[account.name], transcript)
            self.done.add(account.name)
            if self.asked.form == "jsonl":
                self.out.data(_json_line(outcome))
            return outcome

        return list(await asyncio.gather(*(one(account) for account in self.accounts)))

    def _at_once(self) -> int:
        """Return how many accounts to test at a time; say so where the system's limit makes them fewer."""
        wanted = min(self.asked.at_once, len(self.accounts))
        fitting = checks_at_once(wanted)
        if fitting < wanted:
            self.out.narrate(
                f"smtp-wizard: accounts are tested {fitting} at a time instead of {wanted}, since this system lets a "
                f"program have only {limit()} files open at once (ulimit -n)."
            )
        return fitting

    async def _test(self, account: Account, secret: Secret | Finding | None, transcript: Transcript) -> CheckOutcome:
        if isinstance(secret, Finding):
            return CheckOutcome(shown(account.name), Report(account.connection.endpoint), secret)
        if self.watch.left() == 0:
            return not_begun(shown(account.name), account.connection.endpoint, self.watch.limit or 0.0)
        lines: list[str] = []
        live = self.alone and self.asked.form == "plain"
        reader = live_reader(self.out, transcript, shown(account.name)) if live else held_reader(transcript, lines)
        watched = self.watched[account.name]
        try:
            outcome = await observed(
                lambda emit: self._check(account, secret, emit),
                account.connection.endpoint,
                shown(account.name),
                self.watch,
                reader,
                watched,
            )
        except (SandboxError, InputError) as problem:
            outcome = CheckOutcome(shown(account.name), Report(account.connection.endpoint), _obstacle(problem))
        except CommandError:  # of the whole command: its output cannot be written
            raise
        except Exception as problem:  # whatever is wrong with one account, the others have their results
            outcome = CheckOutcome(
                shown(account.name), Report(account.connection.endpoint, tuple(watched.results)), self._fault(problem)
            )
        if not live:
            transcript.block(shown(account.name), lines)
        return outcome

    def _fault(self, problem: Exception) -> Finding:
        """Say what an exception means for one account: a known one in its own words, any other as a bug."""
        known = known_fault(problem) or reported_bug(problem, self.invocation)
        bug = known.exit_code is Exit.BUG
        title = phrase("A fault of smtp-wizard itself" if bug else "The account could not be tested")
        steps = (known.hint,) if known.hint else ()
        return Finding(code=known.code, title=title, explanation=known.message, who=Who.YOU, steps=steps)

    async def _check(self, account: Account, secret: Secret | None, emit: Emit) -> Report:
        return await self.invocation.services.checks.check_account(
            account, secret, self.asked.depth, emit, to=self.asked.to, options=self.asked.connection
        )

    # -- the results ------------------------------------------------------------------------------------------------

    def _print(self, outcomes: Sequence[CheckOutcome]) -> int:
        match self.asked.form:
            case "json":
                from smtp_wizard.output.documents.checks import AccountsTested, EndingJson, NoticeJson, ResultJson

                notices = tuple(NoticeJson(name, notice) for name, notice in self._notices())
                endings = tuple(EndingJson(name, ending) for name, ending in self._endings())
                self.out.document(AccountsTested(tuple(map(ResultJson.of, outcomes)), notices, endings))
            case "junit":
                from smtp_wizard.output.junit import junit

                self.out.data(junit(outcomes))
            case "prometheus":
                from smtp_wizard.output.prometheus import prometheus

                self.out.data(prometheus(outcomes))
            case "nagios":
                from smtp_wizard.output.nagios import NAGIOS_CRITICAL, NAGIOS_UNKNOWN, nagios, nagios_unknown

                text, code = nagios(outcomes)
                if self.unread and code < NAGIOS_CRITICAL:
                    text, code = f"{nagios_unknown(self.unread[0])}\n{text}", NAGIOS_UNKNOWN
                self.out.data(text)
                return code
            case "plain":
                self._print_plain(outcomes)
        code = stage_exit_code(outcomes) if self.asked.by_stage else exit_code(outcomes)
        return Exit.SECRET if self.unread and code is not Exit.BUG else code

    def _print_plain(self, outcomes: Sequence[CheckOutcome]) -> None:
        for number, outcome in enumerate(outcomes):
            if not self.alone:
                self.out.data(("\n" if number else "") + f"{outcome.title} ({outcome.report.endpoint})")
            if not self.alone or outcome.obstacle is not None:
                for line in plain_report(outcome):
                    report_line(self.out, line)
            for line in summary(outcome.report, self.asked.depth):
                report_line(self.out, line)
        if not self.alone:
            bad = [outcome.title for outcome in outcomes if exit_code([outcome])]
            well = len(outcomes) - len(bad)
            self.out.data(f"\n{well} of {len(outcomes)} well." + (f" Not well: {', '.join(bad)}." if bad else ""))


def _nowhere() -> SecretError:
    return SecretError(
        SecretFault.ASK, phrase("The password of this account is not kept anywhere; it is asked for each time.")
    )


def _obstacle(problem: ShownError) -> Finding:
    return Finding(
        code="not-testable",
        title=phrase("The account could not be tested"),
        explanation=problem.words,
        who=Who.YOU,
        steps=(phrase("Run 'smtp-wizard setup' for this account again."),),
    )


def _secret_finding(problem: SecretError) -> Finding:
    give = phrase("Give it with --password-stdin, --password-command or --password-env.")
    elsewhere = other_stores(problem)
    steps = {
        SecretFault.ASK: (give,),
        SecretFault.UNSET: (phrase("Set the variable, and start again."),),
        SecretFault.CLOSED: (GIVE_PASSPHRASE,),
        SecretFault.WRONG: (GIVE_PASSPHRASE,),
        SecretFault.EXPOSED: (phrase("Close the file to others, and test again."),),
        SecretFault.UNREADABLE: (phrase("Look there by hand what is wrong, and test again."),),
    }
    return Finding(
        code=f"secret-{problem.fault.value}",
        title=phrase("The password could not be read"),
        explanation=problem.words,
        who=Who.YOU,
        steps=steps.get(problem.fault) or ((give, elsewhere) if elsewhere else (phrase("Set the account up again."),)),
    )


def _json_line(outcome: CheckOutcome) -> str:
    from smtp_wizard.output.documents.checks import LineOfTest, ResultJson

    return LineOfTest(ResultJson.of(outcome)).json_text(indent=None, ascii_only=False)
