"""Checks drafts and accounts: the one place where either becomes a `Target`, with its secret or a fresh token.

The practice server is brought up for the length of a check, and the lockout guard asked before a sign-in.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from smtp_wizard.engine.accounts.account import Account
from smtp_wizard.engine.accounts.guarded_sign_in import GuardedSignIn, lockout_of, paused, refused, signs_in
from smtp_wizard.engine.accounts.lockout_guard import LockoutGuard
from smtp_wizard.engine.accounts.saved_accounts import NoSuchAccount, SavedAccounts
from smtp_wizard.engine.base.address import Address
from smtp_wizard.engine.base.connection import Auth, Connection, knows_server
from smtp_wizard.engine.base.endpoint import Endpoint, Security
from smtp_wizard.engine.base.errors import InputError
from smtp_wizard.engine.base.identity import Identity
from smtp_wizard.engine.base.secret import Secret
from smtp_wizard.engine.base.shown import Shown, phrase, shown
from smtp_wizard.engine.base.stages import Depth, Stage, Verdict
from smtp_wizard.engine.base.threads import in_thread
from smtp_wizard.engine.checks.credential_clues import typed_clue
from smtp_wizard.engine.checks.events import (
    Emit,
    NamesCauses,
    NotBegun,
    RunFinished,
    SignInProgress,
    StageFinished,
    StageStarted,
)
from smtp_wizard.engine.checks.report import CheckResult, Report
from smtp_wizard.engine.checks.runner import run_checks
from smtp_wizard.engine.checks.target import Mail, Target, TimeLimits
from smtp_wizard.engine.discovery.egress_guard import GuardedWire
from smtp_wizard.engine.lazy_dataclass import dataclass
from smtp_wizard.engine.oauth.errors import OAuthError
from smtp_wizard.engine.providers.catalog import Catalog
from smtp_wizard.engine.scan.known_host import counted_names
from smtp_wizard.engine.services.check_options import CheckOptions
from smtp_wizard.engine.services.tokens import Tokens
from smtp_wizard.engine.smtp.symptom import Fault, Symptom
from smtp_wizard.engine.smtp.transport import Wire
from smtp_wizard.engine.state.results import LastResult, Result
from smtp_wizard.engine.wizard.draft import Draft, Proof
from smtp_wizard.engine.wizard.trusted_servers import refuse_unconfirmed, server_was_discovered

if TYPE_CHECKING:
    from smtp_wizard.engine.checks.notice_message import NoticeText
    from smtp_wizard.engine.checks.sender_trials import SenderTrial, TriedSender

PRACTICE_FOLDER = "sandbox"
"""Below the config folder: the practice server's mailbox and certificates."""


def _needs_token(target: Target, depth: Depth) -> bool:
    return depth is not Depth.SERVER and target.connection.auth is Auth.XOAUTH2


def result_of(report: Report, depth: Depth, now: datetime) -> Result:
    """Return what is kept of a check."""
    bad = next((each for each in report.results if each.verdict in (Verdict.FAIL, Verdict.UNKNOWN)), None)
    code = bad.finding.code if bad and bad.finding else ""
    return Result(
        LastResult(now, depth, report.verdict, bad.stage if bad else None, code),
        {each.stage: round(each.took * 1000) for each in report.results if each.verdict is not Verdict.SKIPPED},
        report.certificate_end(now),
    )


class RemoteChecker(Protocol):
    """Another computer that makes a check."""

    async def check(self, target: Target, secret: Secret | None, depth: Depth, diagnosis: NamesCauses) -> Report:
        """Make it there; what goes wrong is explained by `diagnosis`. Raises `NotBegun` before a server is asked."""


@dataclass(frozen=True, slots=True)
class TriesLeft:
    """How often a sign-in may still fail before the lockout guard holds it back."""

    left: int
    minutes: int
    """How long it is held back then."""


class Checks:
    """Signs in, and sends, for a draft, an account, or a server alone."""

    def __init__(
        self,
        *,
        catalog: Catalog,
        diagnosis: NamesCauses,
        wire: Wire,
        lockout_guard: LockoutGuard,
        tokens: Tokens,
        saved_accounts: SavedAccounts,
        practice: Path,
        limits: TimeLimits | None = None,
        now: Callable[[], datetime],
    ) -> None:
        """`practice`: the folder of the practice server's mailbox and certificates. `limits`: how long a stage takes.

        Results are kept in the state of `saved_accounts`.
        """
        self._catalog = catalog
        self._diagnosis = diagnosis
        self._wire = wire
        self._lockout_guard = lockout_guard
        self._tokens = tokens
        self._saved_accounts = saved_accounts
        self._practice = practice
        self._limits = limits
        self._now = now

    # -- checking ---------------------------------------------------------------------------------------------------

    async def check_draft(
        self,
        draft: Draft,
        depth: Depth,
        emit: Emit,
        *,
        options: CheckOptions | None = None,
        token: str = "",
        remote: RemoteChecker | None = None,
    ) -> Report:
        """Check what a draft says so far. With depth `send`, a test message goes to `draft.test_to`.

        Raises `InputError` where the draft lacks what the depth needs, as `Unconfirmed` where nobody has confirmed the
        server that a secret would go to; `SandboxError` where the practice server cannot run. Where the draft changes
        an account that signs in in the browser, also `SecretError` where that sign-in cannot be read or kept, and
        `AccountFileError` where the accounts cannot.
        """
        said = options or CheckOptions()
        if not knows_server(draft.connection):
            raise InputError(phrase("The outgoing server is not known yet."))
        refuse_unconfirmed(draft, depth, self._catalog)
        target = self._target(draft.connection, said, draft.secret, draft.address)
        target = replace(target, outward=server_was_discovered(draft, self._catalog))
        if depth is Depth.SEND:
            target = replace(target, mail=self._draft_mail(draft, token))
        try:
            secret = await self._tokens.for_draft(draft) if _needs_token(target, depth) else draft.secret
        except OAuthError as problem:
            return self._no_token(target, problem, emit)
        return await self._run(
            target, secret, depth, emit, address=draft.address, anyway=said.ignore_lockout, remote=remote
        )

    async def check_account(
        self,
        account: Account,
        secret: Secret | None,
        depth: Depth,
        emit: Emit,
        *,
        to: Address | None = None,
        options: CheckOptions | None = None,
        token: str = "",
        keep: bool = True,
        remote: RemoteChecker | None = None,
        envelope_id: str = "",
    ) -> Report:
        """Check a saved account again and keep the result with it, unless `keep` says not to.

        `remote`: the computer that makes the check; the sign-in counts as any other.

        Raises as `check_draft`.
        """
        said = options or CheckOptions()
        target = self._target(account.connection, said, secret, account.address)
        if depth is Depth.SEND:
            if to is None:
                raise InputError(phrase("Say where the test message is to go."))
            mail = replace(self._account_mail(account, to, token), envelope_id=envelope_id)
            target = replace(target, mail=mail)
        try:
            if _needs_token(target, depth) and secret is not None:
                secret = await self._tokens.for_account(account, secret, target.trust.ca_file)
        except OAuthError as problem:
            report = self._no_token(target, problem, emit)
        else:
            report = await self._run(
                target, secret, depth, emit, address=account.address, anyway=said.ignore_lockout, remote=remote
            )
        if keep and paused(report) is None:  # what was not tried is no result
            await self.record(account, report, depth)
        return report

    def _target(
        self, connection: Connection[Endpoint], said: CheckOptions, secret: Secret | None, address: Address | None
    ) -> Target:
        """Return what is checked of a connection, with what helps to explain it where it fails."""
        return Target(
            connection=said.over(connection),
            family=said.family,
            secret_shape=self._shape(connection, secret),
            typed=typed_clue(connection.username, secret),
            alternatives=self._catalog.alternatives(connection.endpoint, connection.provider, address),
        )

    def _no_token(self, target: Target, problem: OAuthError, emit: Emit) -> Report:
        """Return, and tell, the report of a check that could not begin: there is nothing to sign in with."""
        finding = self._diagnosis.explain(
            Symptom(
                stage=Stage.AUTH,
                fault=Fault.NO_TOKEN,
                lacking=problem.fault.value,
                words=problem.number,
                endpoint=target.connection.endpoint,
                provider=target.connection.provider,
                username=shown(target.connection.username, 100),
                now=self._now(),
                facts={"why": problem.words},
            )
        )
        result = CheckResult(Stage.AUTH, Verdict.FAIL, 0.0, finding.title, finding)
        report = Report(target.connection.endpoint, (result,))
        for event in (StageStarted(Stage.AUTH), StageFinished(result), RunFinished(report)):
            emit(event)
        return report

    async def record(self, account: Account, report: Report, depth: Depth) -> None:
        """Keep how a check came out, as the account's last result. It is one row, however many accounts are saved."""
        with suppress(NoSuchAccount):  # removed by another process meanwhile
            id = account.id or (await in_thread(lambda: self._saved_accounts.get(account.name))).id
            self._saved_accounts.state.results.record(id, result_of(report, depth, self._now()))

    async def send_notice(self, account: Account, secret: Secret | None, to: Address, text: NoticeText) -> Report:
        """Send a message of the program's own through a saved account; it is kept as no result of the account.

        Raises as `check_draft`.
        """
        from smtp_wizard.engine.checks.notice_message import notice_message
        from smtp_wizard.engine.checks.test_message import new_token

        sender = account.from_address
        content = notice_message(
            sender, to, text, sender_name=account.identity.sender_name, token=new_token(), now=self._now()
        )
        target = Target(connection=account.connection, mail=Mail(sender, to, content))
        if _needs_token(target, Depth.SEND) and secret is not None:
            secret = await self._tokens.for_account(account, secret, target.trust.ca_file)
        return await self._run(target, secret, Depth.SEND, lambda _: None, address=account.address)

    async def try_senders(
        self,
        account: Account,
        secret: Secret | None,
        trials: Sequence[SenderTrial],
        emit: Emit,
        *,
        options: CheckOptions | None = None,
    ) -> tuple[Report, tuple[TriedSender, ...]]:
        """Sign in to a saved account once, and try senders there; return the report of the sign-in, and what was tried.

        It is kept as no result of the account. Raises as `check_draft`.
        """
        from smtp_wizard.engine.checks.sender_trials import run_sender_trials

        said = options or CheckOptions()
        target = self._target(account.connection, said, secret, account.address)
        tried: list[TriedSender] = []

        async def work(target: Target, secret: Secret | None, *, depth: Depth, **how: Any) -> Report:
            return await run_sender_trials(target, secret, trials, tried, **how)

        try:
            if _needs_token(target, Depth.LOGIN) and secret is not None:
                secret = await self._tokens.for_account(account, secret, target.trust.ca_file)
        except OAuthError as problem:
            return self._no_token(target, problem, emit), ()
        report = await self._run(
            target, secret, Depth.LOGIN, emit, address=account.address, anyway=said.ignore_lockout, work=work
        )
        return report, tuple(tried)

    async def check_target(self, target: Target, secret: Secret | None, depth: Depth, emit: Emit) -> Report:
        """Check a server that belongs to no account."""
        return await self._run(target, secret, depth, emit)

    async def _run(
        self,
        target: Target,
        secret: Secret | None,
        depth: Depth,
        emit: Emit,
        *,
        address: Address | None = None,
        anyway: bool = False,
        remote: RemoteChecker | None = None,
        work: Callable[..., Awaitable[Report]] | None = None,
    ) -> Report:
        """Check, with the guard before a sign-in. `work`: what is done in the place of `run_checks`."""
        if remote is not None and target.connection.sandbox is not None:
            raise InputError(phrase("The practice server is on this computer alone; no other one can reach it."))
        if depth is not Depth.SERVER and target.connection.auth is Auth.PASSWORD and not secret:
            raise InputError(phrase("Type the password first."))
        if _needs_token(target, depth) and not secret:
            raise InputError(phrase("Sign in in the browser first."))
        if target.connection.sandbox is not None or not signs_in(target, depth):
            return await self._checked(target, secret, depth, emit, remote=remote, work=work)
        provider = self._catalog.get(target.connection.provider)
        whose = counted_names(self._catalog, target.connection.endpoint.host, target.connection.username, address)
        guarded = GuardedSignIn(self._lockout_guard, provider, self._now, self._diagnosis.title, whose, anyway=anyway)

        def check(sign_in: SignInProgress) -> Awaitable[Report]:
            return self._checked(target, secret, depth, emit, sign_in, remote, work)

        return await guarded.watch(target, depth, emit, check)

    async def _checked(
        self,
        target: Target,
        secret: Secret | None,
        depth: Depth,
        emit: Emit,
        sign_in: SignInProgress | None = None,
        remote: RemoteChecker | None = None,
        work: Callable[..., Awaitable[Report]] | None = None,
    ) -> Report:
        if remote is not None:
            return await self._checked_remotely(target, secret, depth, remote, sign_in)
        async with self._peer(target) as reachable:
            return await (work or run_checks)(
                reachable,
                secret,
                depth=depth,
                wire=GuardedWire(self._wire) if target.outward else self._wire,
                diagnosis=self._diagnosis,
                emit=emit,
                limits=self._limits,
                sign_in=sign_in,
            )

    async def _checked_remotely(
        self,
        target: Target,
        secret: Secret | None,
        depth: Depth,
        remote: RemoteChecker,
        sign_in: SignInProgress | None,
    ) -> Report:
        """Have another computer make a check; whether its sign-in was answered is known from what it reports."""
        if sign_in is not None:
            await sign_in.sending()
            sign_in.mark_sent()
        try:
            report = await remote.check(target, secret, depth, self._diagnosis)
        except NotBegun:
            if sign_in is not None:
                sign_in.sent = False
            raise
        result = report.result(Stage.AUTH)
        if sign_in is None:
            return report
        if result is None or result.verdict is Verdict.SKIPPED:
            sign_in.sent = False  # it did not come so far
        elif result.verdict in (Verdict.PASS, Verdict.WARN):
            sign_in.mark_answered()
            await sign_in.accepted()
        elif result.finding is not None and result.finding.server_said:
            sign_in.mark_answered()
        return report

    @asynccontextmanager
    async def _peer(self, target: Target) -> AsyncIterator[Target]:
        """Yield the target as it can be reached: for practice, with the server up and its own authority trusted."""
        scenario, wanted = target.connection.sandbox, target.connection.endpoint
        if scenario is None:
            yield target
            return
        from smtp_wizard.engine.sandbox.scenarios import load_scenarios
        from smtp_wizard.engine.sandbox.server import Sandbox

        known = (await in_thread(load_scenarios)).get(scenario)
        if known is None:
            raise InputError(phrase("The practice server does not know this exercise any more."))
        listener = Security.TLS if wanted.security is Security.TLS else Security.STARTTLS
        ports = {**known.ports, listener: wanted.port}
        async with Sandbox(self._practice, replace(known, ports=ports)) as sandbox:
            actual = sandbox.endpoint(listener)
            reachable = Endpoint(actual.host, actual.port, wanted.security)
            connection = replace(target.connection, endpoint=reachable, ca_file=str(sandbox.ca_file))
            yield replace(target, connection=connection, alternatives=())

    async def tries_left(self, draft: Draft) -> TriesLeft | None:
        """Return how often a sign-in of a draft may still fail before it is held back; None where none is counted."""
        connection = draft.connection
        if connection.endpoint is None or connection.auth is Auth.NONE or connection.sandbox is not None:
            return None
        provider = self._catalog.get(connection.provider)
        lockout = lockout_of(provider)
        host = connection.endpoint.host
        name, *also = counted_names(self._catalog, host, connection.username, draft.address)
        counted = await in_thread(lambda: self._lockout_guard.counted(name, host, also))
        return TriesLeft(max(0, lockout.attempts - len(counted)), lockout.minutes)

    def _shape(self, connection: Connection[Endpoint | None], secret: Secret | None) -> str | None:
        path = self._catalog.path(connection)
        return path.shape_of(secret) if path is not None else None

    def prove(self, draft: Draft, report: Report, depth: Depth) -> Proof:
        """Return what a report proves for a draft, or against it."""
        assert draft.connection.endpoint is not None
        return Proof(
            self._now(), depth, report.verdict, draft.connection.endpoint, draft.connection.username, refused(report)
        )

    # -- the test message -------------------------------------------------------------------------------------------

    async def practice_message(self, token: str) -> tuple[Shown, ...]:
        """Return what a test message says in the practice mailbox, cleaned: subject, and the paragraph with `token`.

        Empty where it has no such message.

        Raises `UnsafeFile` where others may change that mailbox.
        """
        return await in_thread(lambda: self._practised(token))

    def _practised(self, token: str) -> tuple[Shown, ...]:
        from smtp_wizard.engine.sandbox import mailbox

        try:
            found = next((each for each in mailbox.messages(self._practice) if token in each.subject.split()), None)
            body = mailbox.read(self._practice, found.key).shown("text/plain") if found is not None else None
        except (KeyError, OSError):  # emptied meanwhile, or the disk is at fault: it is not there
            return ()
        if found is None or body is None:
            return ()
        paragraphs = (shown(each) for each in body.text().replace("\r", "").split("\n\n"))
        return (phrase("Subject: {}", shown(found.subject)), *(each for each in paragraphs if token in each))

    def _draft_mail(self, draft: Draft, token: str) -> Mail:
        sender, endpoint = draft.from_address, draft.connection.endpoint
        if sender is None or draft.test_to is None or endpoint is None:
            raise InputError(phrase("Say where the test message is to go."))
        return self._mail(sender, draft.test_to, endpoint, draft.identity.in_use, token)

    def _account_mail(self, account: Account, to: Address, token: str) -> Mail:
        return self._mail(account.from_address, to, account.connection.endpoint, account.identity, token)

    def _mail(self, sender: Address, to: Address, endpoint: Endpoint, identity: Identity, token: str) -> Mail:
        from smtp_wizard.engine.checks.test_message import new_token, test_message

        content = test_message(
            sender,
            to,
            sender_name=identity.sender_name,
            reply_to=identity.reply_to,
            company=identity.company_name,
            now=self._now(),
            token=token or new_token(),
            host_words=endpoint.host,
        )
        return Mail(sender, to, content)
