"""What every front door does with the engine: check a draft, re-test an account, save, remove.

`Desk` is built once at the front door from the long-lived parts and handed down. It is the one place where a draft or
an account becomes a `Target`, where the practice server is brought up for a check, and where secret and account are
saved so that neither is ever lost or left behind.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Collection, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from smtp_wizard.engine.accounts import (
    Account,
    AccountBook,
    Displaces,
    LastResult,
    Login,
    NameTaken,
    NoSuchAccount,
    StoreKind,
    StoreRef,
    parse_name,
)
from smtp_wizard.engine.attempts import Attempts
from smtp_wizard.engine.autoconfig import load_database
from smtp_wizard.engine.bearers import Bearers, ending_of, keepable, login_of
from smtp_wizard.engine.catalog import AccessPath, Catalog, Provider, ProviderKind
from smtp_wizard.engine.check import (
    CheckResult,
    Emit,
    Explains,
    Limits,
    Mail,
    Report,
    RunFinished,
    StageFinished,
    StageStarted,
    Target,
)
from smtp_wizard.engine.discovery import DEADLINE, Asking, Discovery, Resolver, discover
from smtp_wizard.engine.lockout import Guard, paused, signs_in
from smtp_wizard.engine.model import (
    Address,
    Auth,
    Depth,
    Endpoint,
    Family,
    InputError,
    Scope,
    Secret,
    Security,
    Stage,
    Verdict,
    clean,
)
from smtp_wizard.engine.oauth import Grant, OAuthError
from smtp_wizard.engine.oauth_server import OAuthServer
from smtp_wizard.engine.outward import OutwardWire
from smtp_wizard.engine.retirements import Notice, notice_of
from smtp_wizard.engine.run import run_checks
from smtp_wizard.engine.secrets import SecretError, SecretStores, Trouble, entry_name, variable_for
from smtp_wizard.engine.symptom import Fault, Symptom
from smtp_wizard.engine.web import HttpWeb, Web
from smtp_wizard.engine.wire import Trust, Wire
from smtp_wizard.engine.wizard import Draft, Origin, Proof

if TYPE_CHECKING:
    from smtp_wizard.engine.neutral import Answer, Neutral
    from smtp_wizard.engine.reach import Emit as Tell
    from smtp_wizard.engine.reach import Probe, Question


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """What a command may say beside the draft or the account."""

    family: Family | None = None
    ehlo_name: str = ""
    ca_file: str | None = None
    allow_cleartext: bool = False
    ignore_lockout: bool = False
    """Sign in although so many sign-ins were refused that the account may get locked. Only ever a person's own word."""


TRYING = Limits(dns=5.0, connect=4.0, tls=5.0, greeting=8.0, ehlo=5.0, starttls=8.0)
"""What a server has time for that is tried because a source names it; the search has a deadline of its own."""
PRACTICE_FOLDER = "sandbox"
"""Below the config folder: the practice server's mailbox and certificates."""


ONE_SIGN_IN = (
    "A sign-in in the browser belongs to one account: two that renew it would end it. Set up the second one with a "
    "sign-in of its own."
)


def _needs_token(target: Target, depth: Depth) -> bool:
    return depth is not Depth.SERVER and target.auth is Auth.XOAUTH2


class Desk:
    """The engine as the front doors use it."""

    def __init__(
        self,
        *,
        catalog: Catalog,
        diagnosis: Explains,
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
        self.catalog = catalog
        self.diagnosis = diagnosis
        self.wire = wire
        self.stores = stores
        self.book = book
        self.folder = folder
        self.limits = limits
        self.resolver = resolver or Resolver()
        self.web = web
        self.now = now
        self.attempts = Attempts(folder, now=now)
        self.bearers = Bearers(stores, book, folder, now)

    # -- finding the settings ---------------------------------------------------------------------------------------

    async def discover(
        self,
        address: Address,
        *,
        public_list: bool = False,
        plain_http: bool = False,
        options: Options | None = None,
        deadline: float = DEADLINE,
        tell: Callable[[str], None] = lambda line: None,
    ) -> Discovery:
        """Find the provider and the server of an address; every server that is named is tried, without a password.

        `public_list` and `plain_http`: the person said yes to that. Raises nothing but `DataError`.
        """
        trust = Trust(options.ca_file if options else None)
        asking = Asking(
            resolver=self.resolver,
            web=self.web or HttpWeb(trust),
            verify=partial(self._tried, options or Options()),
            database=load_database() if public_list else None,
            plain_http=plain_http,
            deadline=deadline,
        )
        return await discover(address, self.catalog, asking, tell)

    async def _tried(self, options: Options, endpoint: Endpoint) -> Report:
        """Try a server as deep as the EHLO after TLS; one that leads inside is left alone, and nothing is reported."""
        wire = OutwardWire(self.wire)
        target = Target(
            endpoint=endpoint,
            trust=Trust(options.ca_file),
            family=options.family,
            ehlo_name=options.ehlo_name,
        )
        report = await run_checks(
            target,
            None,
            depth=Depth.SERVER,
            wire=wire,
            diagnosis=self.diagnosis,
            emit=lambda event: None,
            limits=TRYING,
        )
        return Report(endpoint) if wire.refused else report

    # -- checking ---------------------------------------------------------------------------------------------------

    async def check_draft(
        self, draft: Draft, depth: Depth, emit: Emit, *, options: Options | None = None, token: str = ""
    ) -> Report:
        """Check what a draft says so far. With depth `send`, a test message goes to `draft.test_to`.

        Raises `InputError` where the draft lacks what the depth needs, `SandboxError` where the practice server
        cannot run.
        """
        said = options or Options()
        if draft.endpoint is None:
            raise InputError("The outgoing server is not known yet.")
        target = Target(
            endpoint=draft.endpoint,
            username=draft.username,
            auth=draft.auth,
            trust=Trust(said.ca_file or draft.ca_file),
            allow_cleartext=draft.allow_cleartext or said.allow_cleartext,
            family=said.family,
            ehlo_name=said.ehlo_name or draft.ehlo_name,
            provider=draft.provider,
            secret_shape=self._shape(draft.provider, draft.path, draft.secret),
            alternatives=self.alternatives(draft.endpoint, draft.provider, draft.address),
        )
        if depth is Depth.SEND:
            target = replace(target, mail=self._draft_mail(draft, token))
        try:
            secret = await self._draft_token(draft) if _needs_token(target, depth) else draft.secret
        except OAuthError as problem:
            return self._no_token(target, problem, emit)
        return await self._run(target, secret, depth, emit, draft.sandbox, anyway=said.ignore_lockout)

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

        Raises as `check_draft`, and `StoreTrouble` where the result cannot be kept.
        """
        said = options or Options()
        target = Target(
            endpoint=account.endpoint,
            username=account.username,
            auth=account.auth,
            trust=Trust(said.ca_file or account.ca_file),
            allow_cleartext=account.allow_cleartext,
            family=said.family,
            ehlo_name=said.ehlo_name or account.ehlo_name,
            provider=account.provider,
            secret_shape=self._shape(account.provider, account.path, secret),
            alternatives=self.alternatives(account.endpoint, account.provider, account.address),
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
            report = await self._run(target, secret, depth, emit, account.sandbox, anyway=said.ignore_lockout)
        if keep and paused(report) is None:  # what was not tried is no result
            self._keep_result(account.name, report, depth)
        return report

    async def _draft_token(self, draft: Draft) -> Secret | None:
        """Return the access token for a draft. A sign-in that a saved account has is renewed there, and kept."""
        if draft.secret is None:
            return None
        server = self.oauth_server(draft.provider, draft.path)
        before = self._owner(draft)
        if before is not None and before.store is not None and not self.bearers.is_fresh(draft.secret):
            return await self.bearers.of_account(before, draft.secret, server, draft.ca_file)
        return await self.bearers.of_draft(draft.secret, server, draft.ca_file)

    def _owner(self, draft: Draft) -> Account | None:
        """Return the account that a draft's sign-in belongs to, None where it is not saved yet."""
        name = self.bearers.owner(draft.secret) if draft.secret is not None else None
        try:
            return self._edited(draft) if name is None else self.book.get(name)
        except NoSuchAccount:
            return None

    async def _account_token(self, account: Account, secret: Secret, ca_file: str | None) -> Secret:
        """Return the access token for a saved account; for a sign-in that is still to be kept, that one's."""
        server = self.oauth_server(account.provider, account.path)
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
                endpoint=target.endpoint,
                provider=target.provider,
                username=clean(target.username, 100),
                now=self.now(),
                facts={"why": str(problem)},
            )
        )
        result = CheckResult(Stage.AUTH, Verdict.FAIL, 0.0, finding.title, finding)
        report = Report(target.endpoint, (result,))
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
        found = ending_of(account.login, self.oauth_server(account.provider, account.path), now)
        return found.words(now) if found is not None and found.soon else ""

    def _keep_result(self, name: str, report: Report, depth: Depth) -> None:
        with suppress(NoSuchAccount):  # removed by another process meanwhile
            self.book.record(name, self._last(report, depth))

    async def check_target(self, target: Target, secret: Secret | None, depth: Depth, emit: Emit) -> Report:
        """Check a server that belongs to no account."""
        return await self._run(target, secret, depth, emit, None)

    # -- whole hosts ------------------------------------------------------------------------------------------------

    async def probe(
        self,
        host: str,
        emit: Tell,
        *,
        security: Security | None = None,
        ca_file: str | None = None,
        options: Options | None = None,
    ) -> Probe:
        """Try every port of a host that may serve, all at once, without a password; tell what is seen as it happens.

        `security` keeps to one way of encrypting; `ca_file` is believed where `options` names none.
        """
        from smtp_wizard.engine.hosts import question_about

        said = options or Options()
        question = question_about(
            self.catalog,
            host,
            security=security,
            family=said.family,
            ehlo_name=said.ehlo_name,
            ca_file=said.ca_file or ca_file,
        )
        return await self._probed(question, emit)

    async def _probed(self, question: Question, emit: Tell) -> Probe:
        from smtp_wizard.engine.probe import PROBE_LIMITS, probe

        limits = self.limits or PROBE_LIMITS
        return await probe(question, wire=self.wire, diagnosis=self.diagnosis, emit=emit, limits=limits)

    def neutral_for(self, host: str, ports: Collection[int]) -> Neutral | None:
        """Return whom to propose for the question whether this network blocks ports; it is not spoken to yet."""
        from smtp_wizard.engine.neutral import load_neutrals, proposed

        return proposed(host, ports, load_neutrals())

    async def ask_neutral(
        self,
        neutral: str,
        host: str,
        ports: Collection[int],
        *,
        instead: Sequence[Endpoint] | None = None,
        options: Options | None = None,
    ) -> tuple[Answer, ...]:
        """Try ports of a neutral host, which the person has agreed to; return what that tells of the same of `host`.

        `instead`: other ports of `host` that are known to serve, best first; None: that is found out beside.
        """
        from smtp_wizard.engine.hosts import question_about_neutral
        from smtp_wizard.engine.neutral import answers

        said = options or Options()
        question = question_about_neutral(self.catalog, neutral, ports, family=said.family, ca_file=said.ca_file)
        asked = [self._probed(question, _unheard)]
        if instead is None:
            asked.append(self.probe(host, _unheard, options=options))
        seen, *own = await asyncio.gather(*asked)
        serving = [each.report.endpoint for probe in own for each in probe.serving]
        every = (each.endpoint for provider in self.catalog.providers for each in provider.endpoints)
        return answers(host, seen, {each.port for each in every if each.host == neutral}, instead or serving)

    async def _run(
        self,
        target: Target,
        secret: Secret | None,
        depth: Depth,
        emit: Emit,
        scenario: str | None,
        *,
        anyway: bool = False,
    ) -> Report:
        if depth is not Depth.SERVER and target.auth is Auth.PASSWORD and not secret:
            raise InputError("Type the password first.")
        if _needs_token(target, depth) and not secret:
            raise InputError("Sign in in the browser first.")
        if scenario is not None or not signs_in(target, depth):
            return await self._checked(target, secret, depth, emit, scenario)
        provider = self.provider(target.provider)
        guard = Guard(self.attempts, provider, self.now, anyway=anyway)
        return await guard.watch(target, depth, emit, lambda: self._checked(target, secret, depth, emit, scenario))

    async def _checked(
        self, target: Target, secret: Secret | None, depth: Depth, emit: Emit, scenario: str | None
    ) -> Report:
        async with self._peer(target, scenario) as reachable:
            return await run_checks(
                reachable,
                secret,
                depth=depth,
                wire=self.wire,
                diagnosis=self.diagnosis,
                emit=emit,
                limits=self.limits,
            )

    @asynccontextmanager
    async def _peer(self, target: Target, scenario: str | None) -> AsyncIterator[Target]:
        """Yield the target as it can be reached: for practice, with the server up and its own authority trusted."""
        if scenario is None:
            yield target
            return
        from smtp_wizard.engine.sandbox import Sandbox
        from smtp_wizard.engine.scenarios import load_scenarios

        known = load_scenarios().get(scenario)
        if known is None:
            raise InputError("The practice server does not know this exercise any more.")
        wanted = target.endpoint
        listener = Security.TLS if wanted.security is Security.TLS else Security.STARTTLS
        ports = {**known.ports, listener: wanted.port}
        async with Sandbox(self.folder / PRACTICE_FOLDER, replace(known, ports=ports)) as sandbox:
            actual = sandbox.endpoint(listener)
            yield replace(
                target,
                endpoint=Endpoint(actual.host, actual.port, wanted.security),
                trust=Trust(str(sandbox.ca_file), only=True),
                alternatives=(),
            )

    def tidied(self, draft: Draft) -> Draft:
        """Return the draft with a secret of the provider's own making tidied: no blanks, as it is pasted with some.

        A secret of another shape stays as it was typed: blanks may be part of it.
        """
        way = self.path(draft.provider, draft.path)
        if draft.secret is None or way is None or way.secret_form is None:
            return draft
        typed = draft.secret.reveal()
        tidy = way.secret_form.tidy(typed) if way.secret_form.fits(typed) else typed
        return draft.with_sign_in(draft.username, Secret(tidy))

    def _shape(self, provider: str | None, path: str | None, secret: Secret | None) -> str | None:
        way = self.path(provider, path)
        if way is None or way.secret_form is None or not secret:
            return None
        return "app-password" if way.secret_form.fits(secret.reveal()) else "other"

    def path(self, provider: str | None, path: str | None) -> AccessPath | None:
        """Return an access path by the ids of provider and path, or None."""
        known = self.provider(provider)
        return known.path(path) if known and path else None

    def provider(self, provider: str | None) -> Provider | None:
        """Return a provider by its id, or None."""
        return self.catalog.get(provider) if provider else None

    def notice(self, account: Account) -> Notice | None:
        """Return what is known about the end of the account's way of signing in, None where nothing is."""
        provider = self.provider(account.provider)
        return notice_of(provider, account.path, self.now().date()) if provider else None

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

    def _last(self, report: Report, depth: Depth) -> LastResult:
        bad = next((r for r in report.results if r.verdict in (Verdict.FAIL, Verdict.UNKNOWN)), None)
        code = bad.finding.code if bad and bad.finding else ""
        return LastResult(self.now(), depth, report.verdict, bad.stage if bad else None, code)

    def proof(self, draft: Draft, report: Report, depth: Depth) -> Proof:
        """Return what a report proves for a draft."""
        assert draft.endpoint is not None
        return Proof(self.now(), depth, report.verdict, draft.endpoint, draft.username)

    # -- the test message -------------------------------------------------------------------------------------------

    def _draft_mail(self, draft: Draft, token: str) -> Mail:
        sender = draft.from_address
        if sender is None or draft.test_to is None or draft.endpoint is None:
            raise InputError("Say where the test message is to go.")
        company = draft.company_name if draft.update_company else ""
        reply_to = draft.reply_to if draft.update_company else None
        return self._mail(sender, draft.test_to, draft.endpoint, draft.sender_name, company, reply_to, token)

    def _account_mail(self, account: Account, to: Address, token: str) -> Mail:
        sender = account.sender or account.address
        return self._mail(
            sender, to, account.endpoint, account.sender_name, account.company_name, account.reply_to, token
        )

    def _mail(
        self,
        sender: Address,
        to: Address,
        endpoint: Endpoint,
        sender_name: str,
        company: str,
        reply_to: Address | None,
        token: str,
    ) -> Mail:
        from smtp_wizard.engine.message import new_token, test_message

        content = test_message(
            sender,
            to,
            sender_name=sender_name,
            reply_to=reply_to,
            company=company,
            now=self.now(),
            token=token or new_token(),
            host_words=endpoint.host,
        )
        return Mail(sender, to, content)

    # -- saving -----------------------------------------------------------------------------------------------------

    async def save(self, draft: Draft, *, replacing: bool = False, displacing: bool = False) -> Account:
        """Save secret and account, or neither. A draft of a saved account (`editing`) takes that account's place.

        Raises `NameTaken` or `Displaces` before anything is written, unless the caller says that the person agreed;
        `SecretError` where the store takes no secret; `StoreTrouble` where the file cannot be written, in which case
        the store is as it was.
        """
        if draft.address is None or draft.endpoint is None or not draft.name:
            raise InputError("The account is not complete yet.")
        before = self._edited(draft)
        account = self._account(draft, None)
        if before is not None:
            account = replace(account, created=before.created, last=account.last or before.last)
        self._refuse_collisions(account, before, replacing=replacing, displacing=displacing)
        overwritten = before or self._namesake(account)
        held = await self._held(overwritten)
        store, login = await self._keep(draft, self._owner(draft))
        account = replace(account, store=store, login=login)
        try:
            if before is not None:
                gone: Account | None = self.book.change(before.name, account, displacing=displacing)
            else:
                gone = self.book.put(account, replacing=replacing, displacing=displacing)
        except Exception:
            await self._undo(store, overwritten, held)
            raise
        if gone is not None and gone.store is not None and gone.store != store:
            await self._forget(gone.store)
        if draft.secret is not None and login is not None:
            self.bearers.settle(draft.secret, account.name)
        return account

    def _namesake(self, account: Account) -> Account | None:
        """Return the account that a new one of the same name replaces: a store may keep both in the same entry."""
        try:
            return self.book.get(account.name)
        except NoSuchAccount:
            return None

    async def _held(self, before: Account | None) -> Secret | None:
        """Return the secret that an account has now, so that it can be put back; None where it cannot be read."""
        if before is None or before.store is None or before.store.kind.is_reference:
            return None
        try:
            return await self.stores.fetch(before.store)
        except SecretError:
            return None

    async def _undo(self, store: StoreRef | None, before: Account | None, held: Secret | None) -> None:
        """Leave the store as it was before the account could not be written."""
        if before is None or store != before.store:
            await self._forget(store)
        elif store is not None and held is not None:
            with suppress(SecretError):
                await self.stores.put(store.kind, before.name, held)

    def _edited(self, draft: Draft) -> Account | None:
        """Return the account that a draft changes; one that was removed meanwhile is saved anew."""
        try:
            return self.book.get(draft.editing) if draft.editing is not None else None
        except NoSuchAccount:
            return None

    def _refuse_collisions(
        self, account: Account, before: Account | None, *, replacing: bool, displacing: bool
    ) -> None:
        other = self.book.displaced_by(account)
        if other is not None and (before is None or other.name != before.name) and not displacing:
            raise Displaces(other)
        own_name = before is not None and before.name.casefold() == account.name.casefold()
        if not replacing and not own_name and self.book.free_name(account.name) != account.name:
            raise NameTaken(account.name)

    def draft_of(self, account: Account, secret: Secret | None) -> Draft:
        """Return the wizard's answers for a saved account, so that it can be changed there.

        The secret goes with it where it could be read; the proof does not: what is changed is tested again.
        """
        provider = self.provider(account.provider)
        grant = Grant.opened(secret) if secret is not None and account.auth is Auth.XOAUTH2 else None
        return Draft(
            address=account.address,
            provider=account.provider,
            origin=Origin.HAND if provider is None or provider.kind is ProviderKind.CUSTOM else Origin.CHOSEN,
            origin_note=f"the saved account '{account.name}'",
            ways=len(provider.paths) if provider else 0,
            path=account.path,
            endpoint=account.endpoint,
            by_hand=True,
            username=account.username,
            auth=account.auth,
            allow_cleartext=account.allow_cleartext,
            ehlo_name=account.ehlo_name,
            ca_file=account.ca_file,
            sender=account.sender,
            sandbox=account.sandbox,
            secret=secret,
            client_id=account.login.client_id if account.login is not None else "",
            client_secret=grant.client_secret if grant is not None else None,
            name=account.name,
            sender_name=account.sender_name,
            scope=account.scope,
            update_company=account.update_company,
            company_name=account.company_name,
            reply_to=account.reply_to,
            editing=account.name,
        ).with_store(*((account.store.kind, account.store.where) if account.store else (None,)))

    def copy_of(self, account: Account, secret: Secret | None) -> Draft:
        """Return the wizard's answers for a second account like this one, under a free name, for general mail."""
        draft = self.draft_of(account, secret)
        draft = replace(draft, secret=None) if account.login is not None else draft
        return replace(draft, editing=None, name=self.book.free_name(account.name), scope=Scope.GENERAL)

    def sign_in_anew(self, account: Account, secret: Secret | None) -> Draft:
        """Return the wizard's answers for an account whose sign-in in the browser is to be made anew.

        `secret`: the old one, where it can be read: the client's own secret is in it.
        """
        return replace(self.draft_of(account, secret), secret=None)

    async def rename(self, name: str, new_name: str) -> Account:
        """Give an account another name; the secret moves with it. Raises as `save` does, and `NoSuchAccount`."""
        account = self.book.get(name)
        wanted = parse_name(new_name)
        if wanted == account.name:
            return account
        if wanted.casefold() != account.name.casefold() and self.book.free_name(wanted) != wanted:
            raise NameTaken(wanted)
        async with self.bearers.alone(account):
            store = await self._moved(account, wanted)
            renamed = replace(account, name=wanted, store=store)
            try:
                self.book.change(name, renamed)
            except Exception:
                if store != account.store:
                    await self._forget(store)
                raise
            if store != account.store:
                await self._forget(account.store)
        return renamed

    async def duplicate(self, name: str, new_name: str = "") -> Account:
        """Save a second account like this one, for general mail, its secret kept for it too; no result goes with it.

        `new_name` empty: a free one. Raises as `rename` does.
        """
        account = self.book.get(name)
        if account.login is not None:
            raise InputError(ONE_SIGN_IN)
        wanted = parse_name(new_name) if new_name else self.book.free_name(account.name)
        if self.book.free_name(wanted) != wanted:
            raise NameTaken(wanted)
        store = await self._moved(account, wanted)
        copy = replace(account, name=wanted, scope=Scope.GENERAL, store=store, created=self.now(), last=None)
        try:
            self.book.put(copy)
        except Exception:
            await self._forget(store)
            raise
        return copy

    async def _moved(self, account: Account, new_name: str) -> StoreRef | None:
        """Keep the secret under the new name too, where the store names it after the account."""
        if account.store is None or account.store.kind.is_reference:
            return account.store
        try:
            secret = await self.stores.fetch(account.store)
        except SecretError as problem:
            if problem.trouble is Trouble.ASK:
                return StoreRef(account.store.kind, entry_name(new_name))
            raise
        return await self.stores.put(account.store.kind, new_name, secret)

    async def move(
        self, name: str, kind: StoreKind, where: str = "", secret: Secret | None = None
    ) -> tuple[Account, str]:
        """Keep an account's password in another place; return the account, and a sentence if the old copy may remain.

        `where`: of a reference, the way to the password, which must lead to the same one. `secret`: the password, where
        it was kept nowhere. The new place has given it back before the old one is emptied; the server is not asked.
        Raises `SecretError`, `InputError`, and as `AccountBook.change`.
        """
        account = self.book.get(name)
        async with self.bearers.alone(account):
            # What is renewed by any process is read when nobody else can renew it.
            held = secret if account.login is None else None
            held = held or await self.secret_of(account)
            if held is None:
                raise InputError(f"'{account.name}' has no password: its server asks for no sign-in.")
            keepable(held, kind)
            store = await self.stores.put(kind, account.name, held, where=where)
            moved = replace(account, store=store)
            try:
                self.book.change(account.name, moved)
            except Exception:
                if store != account.store:
                    await self._forget(store)
                raise
        if account.store is None or account.store == store:
            return moved, ""
        try:
            await self.stores.delete(account.store)
        except SecretError as problem:
            return moved, f"The password may still be in the old place as well. {problem}"
        return moved, ""

    async def replace_secret(
        self, account: Account, secret: Secret, emit: Emit, *, options: Options | None = None
    ) -> Report:
        """Try a new password with the account's own settings, and keep it if the server takes it.

        One that is refused is not kept: the old one stays as it is, and so does its last result. Raises `SecretError`
        where the store takes no secret, and as `check_account` does.
        """
        if account.store is not None and account.auth is Auth.XOAUTH2:
            keepable(secret, account.store.kind)
        report = await self.check_account(account, secret, Depth.LOGIN, emit, options=options, keep=False)
        if report.verdict not in (Verdict.PASS, Verdict.WARN):
            return report
        given, secret = secret, self.bearers.latest(secret)
        grant = Grant.opened(secret) if account.auth is Auth.XOAUTH2 else None
        if account.store is not None:
            where = account.store.where if account.store.kind.is_reference else ""
            async with self.bearers.alone(account):
                await self.stores.put(account.store.kind, account.name, secret, where=where)
        if grant is not None:
            self.bearers.settle(given, account.name)
            self.book.renewed(account.name, login_of(grant))
        self._keep_result(account.name, report, Depth.LOGIN)
        return report

    def set_scope(self, name: str, scope: Scope, *, displacing: bool = False) -> Account:
        """Say which mails an account is for. Raises `Displaces` unless the person agreed, and as `rename` does."""
        account = self.book.get(name)
        changed = replace(account, scope=scope)
        self.book.change(name, changed, displacing=displacing)
        return changed

    async def _keep(self, draft: Draft, before: Account | None) -> tuple[StoreRef | None, Login | None]:
        """Keep a draft's secret; return where it is, and what may be said of it."""
        if draft.auth is Auth.NONE or draft.secret is None:
            return None, None
        kind = draft.store or StoreKind.SESSION
        if draft.auth is not Auth.XOAUTH2:
            return await self._put(draft, kind, draft.secret), None
        keepable(draft.secret, kind)
        async with self.bearers.alone(before):
            secret = await self._newest(draft.secret, before)
            grant = Grant.opened(secret)
            return await self._put(draft, kind, secret), login_of(grant) if grant is not None else None

    async def _put(self, draft: Draft, kind: StoreKind, secret: Secret) -> StoreRef:
        if draft.auth is Auth.XOAUTH2 and kind.is_reference:
            return await self.stores.refer(kind, draft.where or variable_for(draft.name))
        return await self.stores.put(kind, draft.name, secret, where=draft.where)

    async def _newest(self, secret: Secret, before: Account | None) -> Secret:
        """Return a sign-in as it is now: it may have been renewed since the draft got it, by another process too."""
        if before is None or before.login is None or self.bearers.is_fresh(secret):
            return self.bearers.latest(secret)
        return await self._held(before) or secret

    async def _forget(self, ref: StoreRef | None) -> None:
        if ref is not None:
            with suppress(SecretError):
                await self.stores.delete(ref)

    def _account(self, draft: Draft, store: StoreRef | None) -> Account:
        assert draft.address is not None
        assert draft.endpoint is not None
        proof = draft.proof if draft.signed_in else None
        return Account(
            name=draft.name,
            address=draft.address,
            endpoint=draft.endpoint,
            username=draft.username,
            auth=draft.auth,
            provider=draft.provider,
            path=draft.path,
            sender=draft.sender,
            sender_name=draft.sender_name,
            company_name=draft.company_name if draft.update_company else "",
            reply_to=draft.reply_to if draft.update_company else None,
            update_company=draft.update_company,
            scope=draft.scope,
            store=store,
            allow_cleartext=draft.allow_cleartext,
            ehlo_name=draft.ehlo_name,
            ca_file=draft.ca_file,
            sandbox=draft.sandbox,
            created=self.now(),
            last=LastResult(proof.at, proof.depth, proof.verdict) if proof else None,
        )

    async def secret_of(self, account: Account) -> Secret | None:
        """Return the secret of an account, None where it needs none. Raises `SecretError`."""
        return await self.stores.fetch(account.store) if account.store is not None else None

    async def remove(self, name: str) -> tuple[Account, str]:
        """Forget an account and its secret; return it, and a sentence if the secret could not be deleted."""
        account = self.book.remove(name)
        if account.store is None:
            return account, ""
        await self._give_back(account)
        try:
            await self.stores.delete(account.store)
        except SecretError as problem:
            return account, f"The account is removed, but its password may still be in the store. {problem}"
        return account, ""

    async def _give_back(self, account: Account) -> None:
        """Tell the provider that a sign-in is wanted no more. That it cannot be told is no reason to keep it."""
        server = self.oauth_server(account.provider, account.path)
        secret = await self._held(account) if account.login is not None and server is not None else None
        if secret is not None:
            with suppress(OAuthError):
                await self.bearers.give_back(secret, server, account.ca_file)

    def suggested_name(self, draft: Draft) -> str:
        """Return a free name for a new account: the provider's first word and the address's."""
        provider = self.provider(draft.provider)
        local = draft.address.local if draft.address else ""
        if provider is None or provider.kind is ProviderKind.CUSTOM:
            words = draft.address.domain if draft.address else ""
        elif provider.kind is ProviderKind.SANDBOX:
            words = "Practice"
        else:
            words = provider.name.split("(")[0].strip()
        return self.book.free_name(" ".join(part for part in (words, local) if part) or "Account")


def _unheard(_: object) -> None:
    """What happens on the way is of no interest."""
