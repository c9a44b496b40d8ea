"""One run of `test`: many accounts at once, politely; each result as it comes, all of them in order at the end."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING

from smtp_wizard.commands.check_run import Transcript, held_reader, live_reader, not_begun, observed
from smtp_wizard.commands.testing.account_secrets import AccountSecrets, Held, fault_finding
from smtp_wizard.commands.testing.request import TestRequest
from smtp_wizard.engine.accounts.account_warnings import account_warnings_of
from smtp_wizard.engine.base.connection import Auth
from smtp_wizard.engine.base.errors import InputError, ShownError
from smtp_wizard.engine.base.secret import Secret
from smtp_wizard.engine.base.shown import phrase
from smtp_wizard.engine.base.stages import Depth
from smtp_wizard.engine.base.threads import in_thread
from smtp_wizard.engine.base.who import Who
from smtp_wizard.engine.checks.progress import CheckProgress
from smtp_wizard.engine.checks.report import Report
from smtp_wizard.engine.diagnosis.finding import Finding
from smtp_wizard.engine.providers.limits import connections_at_once
from smtp_wizard.engine.sandbox.errors import SandboxError
from smtp_wizard.engine.services.check_queue import CheckQueue, QueuedCheck
from smtp_wizard.engine.services.parallel_checks import ParallelChecks
from smtp_wizard.output.check_outcome import CheckOutcome
from smtp_wizard.runtime.exit_codes import CommandError
from smtp_wizard.runtime.open_file_limit import checks_at_once, limit
from smtp_wizard.runtime.running import Stopwatch, run

if TYPE_CHECKING:
    from smtp_wizard.commands.invocation import Invocation
    from smtp_wizard.engine.accounts.account import Account
    from smtp_wizard.engine.checks.events import Emit

Came = Callable[[int, CheckOutcome], None]
"""Told of an outcome as it comes, with the account's place among those that were asked for."""

NAMED = 20
"""Accounts that were not tested are named up to so many; of more it is said how many they are."""

LONGEST_RESERVED = 30.0
"""Seconds of --timeout that are kept at most for the message about what changed."""


def _reserved(asked: TestRequest) -> float:
    """Return how much of the time allowed is kept: a server that hangs must not keep the message about it away."""
    if asked.notify is None or asked.connection.timeout is None:
        return 0.0
    return min(LONGEST_RESERVED, asked.connection.timeout / 3)


class Tester:
    """Tests accounts. `outcomes` are known as they come, by the accounts' places among those that were asked for."""

    def __init__(self, invocation: Invocation, asked: TestRequest, accounts: Sequence[Account]) -> None:
        self.invocation = invocation
        self.out = invocation.out
        self.asked = asked
        self.accounts = accounts
        self.watch = Stopwatch(asked.connection.timeout, reserved=_reserved(asked))
        self.secrets = AccountSecrets(invocation, accounts, asked.depth, asked.password, self.watch)
        self.outcomes: dict[int, CheckOutcome] = {}
        self._under_way: dict[int, CheckProgress] = {}

    @property
    def alone(self) -> bool:
        """Whether one account is tested, and its stages are shown as they end."""
        return len(self.accounts) == 1

    def done(self) -> list[CheckOutcome]:
        """Return what came of the accounts that were tested, in the order in which they were asked for."""
        return [outcome for _, outcome in sorted(self.outcomes.items())]

    def run(self, came: Came) -> None:
        """Test them all. `came` is told of each outcome, with its place. Raises `Interrupted`, `CommandError`."""
        self.secrets.ask(self.undone)
        with Transcript(self.asked.connection, self.out) as transcript:
            run(self._all(transcript, came), self.watch, self.undone)

    def undone(self) -> str:
        """Say in a sentence or two what was not done."""
        left = [account.name for index, account in enumerate(self.accounts) if index not in self.outcomes]
        perhaps = [self.accounts[index].name for index, seen in self._under_way.items() if seen.perhaps_sent]
        sent = f" The test message of {', '.join(perhaps)} may or may not have been sent." if perhaps else ""
        named = ", ".join(left) if len(left) <= NAMED else f"{len(left):,} of {len(self.accounts):,} accounts"
        return (f"Not tested: {named}." if left else "") + sent

    # -- all of them -------------------------------------------------------------------------------------------------

    async def _all(self, transcript: Transcript, came: Came) -> None:
        async def check(index: int, held: Held) -> None:
            outcome = await self._test(index, held, transcript)
            self.outcomes[index] = outcome
            came(index, outcome)

        async def read(index: int) -> Held:
            try:
                async with self.watch.bound():
                    return await self.secrets.read(self.accounts[index])
            except TimeoutError:  # its check does not begin, and says so
                return None

        queue = CheckQueue(per_host=self.asked.per_host, per_provider=self._per_provider())
        await ParallelChecks(self._waiting(), queue, at_once=self._at_once(), read=read, check=check).run()

    def _waiting(self) -> list[QueuedCheck]:
        return [self._queued(index, account) for index, account in enumerate(self.accounts)]

    def _queued(self, index: int, account: Account) -> QueuedCheck:
        connection = account.connection
        signs_in = self.asked.depth is not Depth.SERVER and connection.auth is not Auth.NONE
        whose = connection.username.casefold() if signs_in else str(index)
        provider = "" if connection.sandbox is not None else connection.provider or ""
        return QueuedCheck(index, connection.endpoint.host, f"{connection.endpoint.host}\0{whose}", provider)

    def _per_provider(self) -> Mapping[str, int]:
        """Return how many connections at once the providers of these accounts advise, where they say it."""
        known = (
            self.invocation.catalog.get(each) for each in {account.connection.provider for account in self.accounts}
        )
        found = ((provider.id, connections_at_once(provider.limits)) for provider in known if provider is not None)
        return {id: most for id, most in found if most is not None}

    def _at_once(self) -> int:
        """Return how many accounts to test at a time; say so where the system's limit makes them fewer."""
        wanted = max(1, min(self.asked.at_once, len(self.accounts)))
        fitting = checks_at_once(wanted)
        if fitting < wanted:
            self.out.narrate(
                f"smtp-wizard: accounts are tested {fitting} at a time instead of {wanted}, since this system lets a "
                f"program have only {limit()} files open at once (ulimit -n)."
            )
        return fitting

    # -- one of them -------------------------------------------------------------------------------------------------

    async def _test(self, index: int, held: Held, transcript: Transcript) -> CheckOutcome:
        account = self.accounts[index]
        name, endpoint = account.name, account.connection.endpoint
        if isinstance(held, Finding):
            return await self._with_warnings(account, CheckOutcome(name, Report(endpoint), held))
        if self.watch.left() == 0:
            return not_begun(name, endpoint, self.watch.limit or 0.0)
        lines: list[str] = []
        live = self.alone and self.asked.form == "plain" and self.asked.changed is None and self.asked.on is None
        reader = live_reader(self.out, transcript, name) if live else held_reader(transcript, lines)
        seen = self._under_way[index] = CheckProgress()
        outcome = await self._observed(account, held, reader, seen)
        del self._under_way[index]
        if not live:
            transcript.block(name, lines)
        return await self._with_warnings(account, outcome)

    async def _observed(
        self, account: Account, secret: Secret | None, reader: Emit, seen: CheckProgress
    ) -> CheckOutcome:
        """Check an account; whatever is wrong with it, the others have their results."""
        name, endpoint = account.name, account.connection.endpoint
        try:
            return await observed(
                lambda emit: self._check(account, secret, emit), endpoint, name, self.watch, reader, seen
            )
        except (SandboxError, InputError) as problem:
            return CheckOutcome(name, Report(endpoint), obstacle(problem))
        except CommandError:  # of the whole command: its output cannot be written
            raise
        except Exception as problem:
            return CheckOutcome(name, Report(endpoint, tuple(seen.results)), fault_finding(problem, self.invocation))

    async def _check(self, account: Account, secret: Secret | None, emit: Emit) -> Report:
        return await self.invocation.services.checks.check_account(
            account, secret, self.asked.depth, emit, to=self.asked.to, options=self.asked.connection
        )

    async def _with_warnings(self, account: Account, outcome: CheckOutcome) -> CheckOutcome:
        """Add what is about to end for the account. A sign-in that was renewed just now is looked at as it is now."""
        services = self.invocation.services
        now_saved = account
        if account.login:
            with suppress(OSError):  # no thread is to be had: as it was known at the beginning
                (now_saved,) = await in_thread(lambda: services.saved_accounts.as_learnt([account]))
        return replace(outcome, warnings=account_warnings_of(now_saved, services.catalog, services.now()))


def interrupted(account: Account) -> CheckOutcome:
    """Return the outcome of an account that a signal kept from being tested."""
    finding = Finding(
        code="interrupted",
        title=phrase("It was not tested"),
        explanation=phrase("A signal ended the run before this account was tested."),
        who=Who.YOU,
        steps=(phrase("Run the test again."),),
    )
    return CheckOutcome(account.name, Report(account.connection.endpoint), finding)


def obstacle(problem: ShownError) -> Finding:
    """Return the finding for an account whose check could not be begun."""
    return Finding(
        code="not-testable",
        title=phrase("The account could not be tested"),
        explanation=problem.words,
        who=Who.YOU,
        steps=(phrase("Run 'smtp-wizard setup' for this account again."),),
    )
