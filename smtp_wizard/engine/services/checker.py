"""Checks drafts and accounts: the one place where either becomes a `Target`, with its secret or a fresh token.

The practice server is brought up for the length of a check, and the lockout guard asked before a sign-in.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from smtp_wizard.engine.accounts.account import Account
from smtp_wizard.engine.accounts.account_book import AccountBook, NoSuchAccount
from smtp_wizard.engine.accounts.lockout_guard import Guard, paused, refused, signs_in
from smtp_wizard.engine.accounts.secret_entries import Entries
from smtp_wizard.engine.accounts.sign_in_attempts import Attempts
from smtp_wizard.engine.base.address import Address
from smtp_wizard.engine.base.connection import Auth, Connection, knows_server
from smtp_wizard.engine.base.endpoint import Endpoint, Security
from smtp_wizard.engine.base.errors import InputError
from smtp_wizard.engine.base.identity import Identity
from smtp_wizard.engine.base.secret import Secret
from smtp_wizard.engine.base.shown import shown
from smtp_wizard.engine.base.stages import Depth, Stage, Verdict
from smtp_wizard.engine.checks.events import Emit, RunFinished, SignIn, StageFinished, StageStarted, Titles
from smtp_wizard.engine.checks.report import CheckResult, Report
from smtp_wizard.engine.checks.runner import run_checks
from smtp_wizard.engine.checks.target import Limits, Mail, Target
from smtp_wizard.engine.discovery.dns import Resolver
from smtp_wizard.engine.discovery.egress_guard import OutwardWire
from smtp_wizard.engine.discovery.web import Web
from smtp_wizard.engine.oauth.errors import OAuthError
from smtp_wizard.engine.oauth.server import OAuthServer
from smtp_wizard.engine.providers.catalog import Catalog
from smtp_wizard.engine.providers.provider import ProviderKind
from smtp_wizard.engine.providers.retirements import Notice, notice_of
from smtp_wizard.engine.scan.known_host import counted_names
from smtp_wizard.engine.secrets.kinds import StoreRef
from smtp_wizard.engine.secrets.stores import SecretStores
from smtp_wizard.engine.services.access_tokens import Bearers, ending_of
from smtp_wizard.engine.services.finder import Finder, Options
from smtp_wizard.engine.smtp.symptom import Fault, Symptom
from smtp_wizard.engine.smtp.transport import Wire
from smtp_wizard.engine.state.results import LastResult, Result
from smtp_wizard.engine.wizard.draft import Draft, Proof
from smtp_wizard.engine.wizard.server_confirmation import refuse_unconfirmed

if TYPE_CHECKING:
    pass


PRACTICE_FOLDER = "sandbox"
"""Below the config folder: the practice server's mailbox and certificates."""


def _needs_token(target: Target, depth: Depth) -> bool:
    return depth is not Depth.SERVER and target.connection.auth is Auth.XOAUTH2


def result_of(report: Report, depth: Depth, now: datetime) -> Result:
    """Return what is kept of a check."""
    bad = next((each for each in report.results if each.verdict in (Verdict.FAIL, Verdict.UNKNOWN)), None)
    code = bad.finding.code if bad and bad.finding else ""
    good = (each.tls for each in report.results if each.tls is not None and each is not bad)
    return Result(
        LastResult(now, depth, report.verdict, bad.stage if bad else None, code),
        {each.stage: round(each.took * 1000) for each in report.results if each.verdict is not Verdict.SKIPPED},
        next((tls.not_after for tls in good), None),
    )


class Checker(Finder):
    """The part of the engine that signs in and sends."""

    def __init__(
        self,
        *,
        catalog: Catalog,
        diagnosis: Titles,
        wire: Wire,
        stores: SecretStores,
        book: AccountBook,
        folder: Path,
        limits: Limits | None = None,
        resolver: Resolver | None = None,
        web: Web | None = None,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        """`folder` is the config folder; the practice server keeps its mailbox and certificates below it.

        `resolver` and `web` are asked for settings: the system's name servers, and the web, where they are left out.
        """
        super().__init__(catalog=catalog, diagnosis=diagnosis, wire=wire, limits=limits, resolver=resolver, web=web)
        self.title = diagnosis.title
        self.stores = stores
        self.book = book
        self.folder = folder
        self.now = now
        self.attempts = Attempts(book.state.storage, now=now)
        self.entries = Entries(stores, book)
        self.bearers = Bearers(self.entries, book, folder, now)

    # -- checking ---------------------------------------------------------------------------------------------------

    async def check_draft(
        self, draft: Draft, depth: Depth, emit: Emit, *, options: Options | None = None, token: str = ""
    ) -> Report:
        """Check what a draft says so far. With depth `send`, a test message goes to `draft.test_to`.

        Raises `InputError` where the draft lacks what the depth needs, as `Unconfirmed` where nobody has confirmed the
        server that a secret would go to; `SandboxError` where the practice server cannot run. Where the draft changes
        an account that signs in in the browser, also `SecretError` where that sign-in cannot be read or kept, and
        `StoreTrouble` where the accounts cannot.
        """
        said = options or Options()
        if not knows_server(draft.connection):
            raise InputError("The outgoing server is not known yet.")
        refuse_unconfirmed(draft, depth, self.catalog)
        target = Target(
            connection=said.over(draft.connection),
            family=said.family,
            secret_shape=self._shape(draft.connection, draft.secret),
            alternatives=self.alternatives(draft.connection.endpoint, draft.connection.provider, draft.address),
            outward=self.was_found(draft),
        )
        if depth is Depth.SEND:
            target = replace(target, mail=self._draft_mail(draft, token))
        try:
            secret = await self._draft_token(draft) if _needs_token(target, depth) else draft.secret
        except OAuthError as problem:
            return self._no_token(target, problem, emit)
        return await self._run(target, secret, depth, emit, address=draft.address, anyway=said.ignore_lockout)

    async def check_account(
        self,
        account: Account,
        secret: Secret | None,
        depth: Depth,
        emit: Emit,
        *,
        to: Address | None = None,
        options: Options | None = None,
        token: str = "",
        keep: bool = True,
    ) -> Report:
        """Check a saved account again and keep the result with it, unless `keep` says not to.

        Raises as `check_draft`.
        """
        said = options or Options()
        target = Target(
            connection=said.over(account.connection),
            family=said.family,
            secret_shape=self._shape(account.connection, secret),
            alternatives=self.alternatives(account.connection.endpoint, account.connection.provider, account.address),
        )
        if depth is Depth.SEND:
            if to is None:
                raise InputError("Say where the test message is to go.")
            target = replace(target, mail=self._account_mail(account, to, token))
        try:
            if _needs_token(target, depth) and secret is not None:
                secret = await self._account_token(account, secret, target.trust.ca_file)
        except OAuthError as problem:
            report = self._no_token(target, problem, emit)
        else:
            report = await self._run(target, secret, depth, emit, address=account.address, anyway=said.ignore_lockout)
        if keep and paused(report) is None:  # what was not tried is no result
            self._keep_result(account, report, depth)
        return report

    async def _draft_token(self, draft: Draft) -> Secret | None:
        """Return the access token for a draft. A sign-in that a saved account has is renewed there, and kept."""
        if draft.secret is None:
            return None
        server = self.oauth_server(draft.connection.provider, draft.connection.path)
        before = self._owner(draft)
        if before is not None and before.store is not None and not self.bearers.is_fresh(draft.secret):
            return await self.bearers.of_account(before, draft.secret, server, draft.connection.ca_file)
        return await self.bearers.of_draft(draft.secret, server, draft.connection.ca_file)

    def kept_in(self, draft: Draft) -> StoreRef | None:
        """Return where a check of a draft reads the sign-in of a saved account, None where it reads nothing.

        Raises `StoreTrouble`.
        """
        if draft.connection.auth is not Auth.XOAUTH2 or draft.secret is None or self.bearers.is_fresh(draft.secret):
            return None
        owner = self._owner(draft)
        return owner.store if owner is not None else None

    def _owner(self, draft: Draft) -> Account | None:
        """Return the account that a draft's sign-in belongs to, None where it is not saved yet."""
        name = self.bearers.owner(draft.secret) if draft.secret is not None else None
        try:
            return self.edited(draft) if name is None else self.book.get(name)
        except NoSuchAccount:
            return None

    async def _account_token(self, account: Account, secret: Secret, ca_file: str | None) -> Secret:
        """Return the access token for a saved account; for a sign-in that is still to be kept, that one's."""
        server = self.oauth_server(account.connection.provider, account.connection.path)
        if self.bearers.is_fresh(secret):
            return await self.bearers.of_draft(secret, server, ca_file)
        return await self.bearers.of_account(account, secret, server, ca_file)

    def _no_token(self, target: Target, problem: OAuthError, emit: Emit) -> Report:
        """Return, and tell, the report of a check that could not begin: there is nothing to sign in with."""
        finding = self.diagnosis.explain(
            Symptom(
                stage=Stage.AUTH,
                fault=Fault.NO_TOKEN,
                lacking=problem.trouble.value,
                endpoint=target.connection.endpoint,
                provider=target.connection.provider,
                username=shown(target.connection.username, 100),
                now=self.now(),
                facts={"why": problem.words},
            )
        )
        result = CheckResult(Stage.AUTH, Verdict.FAIL, 0.0, finding.title, finding)
        report = Report(target.connection.endpoint, (result,))
        for event in (StageStarted(Stage.AUTH), StageFinished(result), RunFinished(report)):
            emit(event)
        return report

    def oauth_server(self, provider: str | None, path: str | None) -> OAuthServer | None:
        """Return where one signs in in the browser, by the ids of provider and path; None where that is not known."""
        way = self.path(provider, path)
        return way.oauth if way else None

    def ending(self, account: Account) -> str:
        """Say that an account's sign-in in the browser ends soon, and what to do; empty where there is no hurry."""
        now = self.now()
        found = ending_of(account.login, self.oauth_server(account.connection.provider, account.connection.path), now)
        return found.words(now) if found is not None and found.soon else ""

    def _keep_result(self, account: Account, report: Report, depth: Depth) -> None:
        """Hand over how a check came out. It is one row, however many accounts are saved."""
        with suppress(NoSuchAccount):  # removed by another process meanwhile
            id = account.id or self.book.get(account.name).id
            self.book.state.results.record(id, result_of(report, depth, self.now()))

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
    ) -> Report:
        if depth is not Depth.SERVER and target.connection.auth is Auth.PASSWORD and not secret:
            raise InputError("Type the password first.")
        if _needs_token(target, depth) and not secret:
            raise InputError("Sign in in the browser first.")
        if target.connection.sandbox is not None or not signs_in(target, depth):
            return await self._checked(target, secret, depth, emit)
        provider = self.provider(target.connection.provider)
        whose = counted_names(self.catalog, target.connection.endpoint.host, target.connection.username, address)
        guard = Guard(self.attempts, provider, self.now, self.title, whose, anyway=anyway)

        def check(sign_in: SignIn) -> Awaitable[Report]:
            return self._checked(target, secret, depth, emit, sign_in)

        return await guard.watch(target, depth, emit, check)

    async def _checked(
        self,
        target: Target,
        secret: Secret | None,
        depth: Depth,
        emit: Emit,
        sign_in: SignIn | None = None,
    ) -> Report:
        async with self._peer(target) as reachable:
            return await run_checks(
                reachable,
                secret,
                depth=depth,
                wire=OutwardWire(self.wire) if target.outward else self.wire,
                diagnosis=self.diagnosis,
                emit=emit,
                limits=self.limits,
                sign_in=sign_in,
            )

    @asynccontextmanager
    async def _peer(self, target: Target) -> AsyncIterator[Target]:
        """Yield the target as it can be reached: for practice, with the server up and its own authority trusted."""
        scenario, wanted = target.connection.sandbox, target.connection.endpoint
        if scenario is None:
            yield target
            return
        from smtp_wizard.engine.sandbox.scenarios import load_scenarios
        from smtp_wizard.engine.sandbox.server import Sandbox

        known = load_scenarios().get(scenario)
        if known is None:
            raise InputError("The practice server does not know this exercise any more.")
        listener = Security.TLS if wanted.security is Security.TLS else Security.STARTTLS
        ports = {**known.ports, listener: wanted.port}
        async with Sandbox(self.folder / PRACTICE_FOLDER, replace(known, ports=ports)) as sandbox:
            actual = sandbox.endpoint(listener)
            reachable = Endpoint(actual.host, actual.port, wanted.security)
            connection = replace(target.connection, endpoint=reachable, ca_file=str(sandbox.ca_file))
            yield replace(target, connection=connection, alternatives=())

    def tidied(self, draft: Draft) -> Draft:
        """Return the draft with a secret of the provider's own making tidied: no blanks, as it is pasted with some.

        A secret of another shape stays as it was typed: blanks may be part of it.
        """
        way = self.path(draft.connection.provider, draft.connection.path)
        if draft.secret is None or way is None or way.secret_form is None:
            return draft
        typed = draft.secret.reveal()
        tidy = way.secret_form.tidy(typed) if way.secret_form.fits(typed) else typed
        return draft.with_sign_in(draft.connection.username, Secret(tidy))

    def _shape(self, connection: Connection[Endpoint], secret: Secret | None) -> str | None:
        way = self.path(connection.provider, connection.path)
        if way is None or way.secret_form is None or not secret:
            return None
        return "app-password" if way.secret_form.fits(secret.reveal()) else "other"

    def edited(self, draft: Draft) -> Account | None:
        """Return the account that a draft changes; one that was removed meanwhile is saved anew."""
        try:
            return self.book.get(draft.editing) if draft.editing is not None else None
        except NoSuchAccount:
            return None

    def notice(self, account: Account) -> Notice | None:
        """Return what is known about the end of the account's way of signing in, None where nothing is."""
        provider = self.provider(account.connection.provider)
        return notice_of(provider, account.connection.path, self.now().date()) if provider else None

    def alternatives(
        self, endpoint: Endpoint, provider: str | None, address: Address | None = None
    ) -> tuple[Endpoint, ...]:
        """Return other ways to reach the same mail service, best first, never without encryption."""
        known = self.provider(provider)
        if known is not None and known.kind is ProviderKind.SANDBOX:
            return ()
        offered = tuple(each.endpoint for each in known.offered(address)) if known else ()
        if endpoint.host not in {each.host for each in offered}:
            offered = (Endpoint(endpoint.host, 465, Security.TLS), Endpoint(endpoint.host, 587, Security.STARTTLS))
        return tuple(each for each in offered if each.port != endpoint.port or each.host != endpoint.host)

    def proof(self, draft: Draft, report: Report, depth: Depth) -> Proof:
        """Return what a report proves for a draft, or against it."""
        assert draft.connection.endpoint is not None
        return Proof(
            self.now(), depth, report.verdict, draft.connection.endpoint, draft.connection.username, refused(report)
        )

    # -- the test message -------------------------------------------------------------------------------------------

    def _draft_mail(self, draft: Draft, token: str) -> Mail:
        sender, endpoint = draft.from_address, draft.connection.endpoint
        if sender is None or draft.test_to is None or endpoint is None:
            raise InputError("Say where the test message is to go.")
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
            now=self.now(),
            token=token or new_token(),
            host_words=endpoint.host,
        )
        return Mail(sender, to, content)
