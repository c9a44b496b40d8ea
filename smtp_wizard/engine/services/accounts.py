"""Saves, changes and removes accounts, each with its secret, so that neither is ever lost or left behind."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from dataclasses import replace
from datetime import datetime
from functools import partial
from types import MappingProxyType
from typing import Any, Protocol

from smtp_wizard.engine.accounts.account import Account, name_key, new_id, parse_name
from smtp_wizard.engine.accounts.application_sign_in import (
    client_secret_alone,
    signs_in_as_application,
    whole_sign_in,
)
from smtp_wizard.engine.accounts.saved_accounts import (
    AccountFileError,
    Displaces,
    NameTaken,
    NoSuchAccount,
    SavedAccounts,
)
from smtp_wizard.engine.accounts.secret_entries import TRIES, SecretChange, SecretEntries, refuse_other_settings
from smtp_wizard.engine.base.connection import Auth
from smtp_wizard.engine.base.errors import InputError
from smtp_wizard.engine.base.identity import Scope
from smtp_wizard.engine.base.secret import Secret
from smtp_wizard.engine.base.shown import phrase
from smtp_wizard.engine.base.stages import Depth, Verdict
from smtp_wizard.engine.base.threads import in_thread, run_to_completion
from smtp_wizard.engine.checks.events import Emit
from smtp_wizard.engine.checks.report import Report
from smtp_wizard.engine.oauth.grants import Grant
from smtp_wizard.engine.secrets.reference_stores import variable_for
from smtp_wizard.engine.secrets.secret_store import SecretError, SecretFault
from smtp_wizard.engine.secrets.store_kinds import StoreKind, StoreRef
from smtp_wizard.engine.secrets.stores import SecretStores
from smtp_wizard.engine.services.check_options import CheckOptions
from smtp_wizard.engine.services.tokens import Tokens, keepable, login_of
from smtp_wizard.engine.state.results import Result
from smtp_wizard.engine.state.sign_in_renewals import SignInRenewal
from smtp_wizard.engine.wizard.account_draft import account_of, as_asked, edited_account
from smtp_wizard.engine.wizard.draft import Draft

ONE_SIGN_IN = phrase(
    "A sign-in in the browser belongs to one account: two that renew it would end it. Set up the second "
    "one with a sign-in of its own."
)


class ChecksAccounts(Protocol):
    """What is needed of `Checks`: to try a new password before it is kept."""

    async def check_account(
        self,
        account: Account,
        secret: Secret | None,
        depth: Depth,
        emit: Emit,
        *,
        options: CheckOptions | None = None,
        keep: bool = True,
    ) -> Report: ...

    async def record(self, account: Account, report: Report, depth: Depth) -> None: ...


class Accounts:
    """Changes what is saved. What reads or writes a file is done in threads: no event loop waits for a lock."""

    def __init__(
        self,
        *,
        saved_accounts: SavedAccounts,
        stores: SecretStores,
        entries: SecretEntries,
        tokens: Tokens,
        checks: ChecksAccounts,
        now: Callable[[], datetime],
    ) -> None:
        self._saved_accounts = saved_accounts
        self._stores = stores
        self._entries = entries
        self._tokens = tokens
        self._checks = checks
        self._now = now

    # -- saving -----------------------------------------------------------------------------------------------------

    async def save(self, draft: Draft, *, replacing: bool = False, displacing: bool = False) -> Account:
        """Save secret and account, or neither. A draft of a saved account (`editing`) takes that account's place.

        Raises `NameTaken` or `Displaces` before anything is written, unless the caller says that the person agreed;
        `SecretError` where the store takes no secret; `AccountFileError` where the file cannot be written; then
        the store is as it was.
        """
        before = await in_thread(lambda: edited_account(draft, self._saved_accounts))
        account = account_of(draft, self._now(), before)
        await self._refuse_collisions(account, before, replacing=replacing, displacing=displacing)
        owner = await self._tokens.owner(draft)
        # From the moment when a sign-in is read until the account is pointed to it, nobody else may renew it.
        async with self._tokens.alone(owner), self._entries.change() as change:
            store, login = await self._keep(draft, owner, change)
            kept = replace(account, store=store, login=login)

            def enter() -> Account:
                saved = self._entered(kept, before, change, replacing=replacing, displacing=displacing)
                self._follow(draft, saved)
                return saved

            return await run_to_completion(enter)

    async def refuse_collisions(self, draft: Draft, *, replacing: bool = False, displacing: bool = False) -> None:
        """Raise what `save` would raise where another account is in the way, so that it is asked about beforehand."""
        account, before = (
            account_of(draft, self._now()),
            await in_thread(lambda: edited_account(draft, self._saved_accounts)),
        )
        await self._refuse_collisions(account, before, replacing=replacing, displacing=displacing)

    def _follow(self, draft: Draft, saved: Account) -> None:
        """Let what is known of a draft follow the account that was saved, even if nobody waits for it any more."""
        if draft.signed_in and saved.last is not None:
            self._saved_accounts.state.results.record(saved.id, Result(saved.last))
        if draft.secret is not None and saved.login is not None:
            self._tokens.settle(draft.secret, saved.name)

    def _entered(
        self, account: Account, before: Account | None, change: SecretChange, *, replacing: bool, displacing: bool
    ) -> Account:
        """Write an account among the saved ones, in place of the one that was changed; return it.

        That one may have got another name meanwhile, which it keeps unless this change gives it one; and other tags.
        """
        if before is not None:
            with suppress(NoSuchAccount):  # removed meanwhile: it is saved again
                called = self._saved_accounts.now(before).name
                named = replace(account, name=called) if account.name == before.name else account
                entered = self._saved_accounts.alter(
                    called, partial(as_asked, account=named), displacing=displacing, leaving=change.leaves
                )
                return replace(entered, last=named.last, login=named.login)
        self._saved_accounts.put(account, replacing=replacing, displacing=displacing, leaving=change.leaves)
        return account

    async def _refuse_collisions(
        self, account: Account, before: Account | None, *, replacing: bool, displacing: bool
    ) -> None:
        await in_thread(lambda: self._collide(account, before, replacing=replacing, displacing=displacing))

    def _collide(self, account: Account, before: Account | None, *, replacing: bool, displacing: bool) -> None:
        other = self._saved_accounts.displaced_by(account)
        if other is not None and (before is None or other.name != before.name) and not displacing:
            raise Displaces(other)
        own_name = before is not None and name_key(before.name) == name_key(account.name)
        if not replacing and not own_name:
            self._refuse_taken(account.name)

    def _refuse_taken(self, name: str) -> None:
        if self._saved_accounts.free_name(name) != name:
            raise NameTaken(name)

    async def rename(self, name: str, new_name: str) -> Account:
        """Give an account another name; the secret moves with it. Raises as `save` does, and `NoSuchAccount`."""
        account = await self._get(name)
        wanted = parse_name(new_name)
        if wanted == account.name:
            return account
        if name_key(wanted) != name_key(account.name):
            await in_thread(lambda: self._refuse_taken(wanted))

        async def moved(now: Account, change: SecretChange) -> StoreRef | None:
            return await self._moved(now, wanted, change)

        renamed, _ = await self._put_elsewhere(name, moved, {"name": wanted})
        return renamed

    async def duplicate(self, name: str, new_name: str = "") -> Account:
        """Save a second account like this one, for general mail, its secret kept for it too; no result goes with it.

        `new_name` empty: a free one. Raises as `rename` does.
        """
        account = await self._get(name)
        if account.login is not None and not signs_in_as_application(account):
            raise InputError(ONE_SIGN_IN)
        wanted = parse_name(new_name or await in_thread(lambda: self._saved_accounts.free_name(account.name)))
        await in_thread(lambda: self._refuse_taken(wanted))
        async with self._entries.change() as change:
            store = await self._moved(account, wanted, change)
            copy = replace(
                account, name=wanted, scope=Scope.GENERAL, store=store, created=self._now(), id=new_id(), last=None
            )
            await run_to_completion(lambda: self._saved_accounts.put(copy))
        return copy

    async def _moved(self, account: Account, new_name: str, change: SecretChange) -> StoreRef | None:
        """Keep the secret under the new name too, where the store names it after the account."""
        if account.store is None or account.store.kind.is_reference:
            return account.store
        try:
            secret = await self._entries.secret_of(account)
        except SecretError as problem:
            if problem.fault is SecretFault.ASK:  # kept nowhere, perhaps since a moment ago
                return self._stores.place(StoreKind.SESSION, new_name)
            raise
        assert secret is not None
        return await change.put(account.store.kind, new_name, secret)

    async def _put_elsewhere(
        self,
        name: str,
        put: Callable[[Account, SecretChange], Awaitable[StoreRef | None]],
        fields: Mapping[str, Any] = MappingProxyType({}),
        then: Callable[[], None] = lambda: None,
    ) -> tuple[Account, SecretError | None]:
        """Have `put` keep an account's secret in another entry, and point the account to it; return the account.

        `fields` of the account are changed in the same step, and `then` is called after it. Where another process has
        put the secret elsewhere meanwhile, all of it is done again. Also returned is why the old entry could not be
        deleted. Raises as `put` and as `SavedAccounts.alter`.
        """
        for _ in range(TRIES):
            done: Account | None = None
            async with self._tokens.alone(await self._get(name)), self._entries.change() as change:
                account = await self._get(name)
                store = await put(account, change)
                pointed = partial(_pointed, since=account, store=store, fields=fields)
                with suppress(_SecretMoved):
                    done = await run_to_completion(partial(self._altered, account.name, pointed, change, then))
            if done is not None:
                return done, change.problem
        raise AccountFileError(
            phrase("Other programs keep changing that account; nothing was changed, please try again.")
        )

    def _altered(
        self, name: str, work: Callable[[Account], Account], change: SecretChange, then: Callable[[], None]
    ) -> Account:
        altered = self._saved_accounts.alter(name, work, leaving=change.leaves)
        then()
        return altered

    async def move(
        self, name: str, kind: StoreKind, where: str = "", secret: Secret | None = None
    ) -> tuple[Account, str]:
        """Keep an account's password in another place; return the account, and a sentence if the old copy may remain.

        `where`: of a reference, the way to the password, which must lead to the same one. `secret`: the password, where
        it was kept nowhere. The new place has given it back before the old one is emptied; the server is not asked.
        Raises `SecretError`, `InputError`, and as `SavedAccounts.change`.
        """

        async def put(now: Account, change: SecretChange) -> StoreRef:
            # What is renewed by any process is read when nobody else can renew it.
            held = secret if now.login is None else None
            held = held or await self._entries.secret_of(now)
            if held is None:
                raise InputError(phrase("'{}' has no password: its server asks for no sign-in.", now.name))
            held = client_secret_alone(held) if kind.is_reference else whole_sign_in(now.login, held)
            keepable(held, kind)
            return await change.put(kind, now.name, held, where)

        moved, problem = await self._put_elsewhere(name, put)
        return moved, f"The password may still be in the old place as well. {problem}" if problem else ""

    async def replace_secret(
        self, account: Account, secret: Secret, emit: Emit, *, options: CheckOptions | None = None
    ) -> Report:
        """Try a new password with the account's own settings, and keep it if the server takes it.

        One that is refused is not kept: the old one stays as it is, and so does its last result. Raises `SecretError`
        where the store takes no secret, and as `check_account` does.
        """
        secret = whole_sign_in(account.login, secret)
        if account.store is not None and account.connection.auth is Auth.XOAUTH2:
            keepable(secret, account.store.kind)
        report = await self._checks.check_account(account, secret, Depth.LOGIN, emit, options=options, keep=False)
        if report.verdict not in (Verdict.PASS, Verdict.WARN):
            return report
        given, secret = secret, self._tokens.latest(secret)
        grant = Grant.opened(secret) if account.connection.auth is Auth.XOAUTH2 else None
        # It may have got another name while the server was asked.
        called = (await in_thread(lambda: self._saved_accounts.now(account))).name
        settled = partial(self._tokens.settle, given, called) if grant is not None else lambda: None

        async def put(now: Account, change: SecretChange) -> StoreRef | None:
            refuse_other_settings(now, account)  # what was proved at one server is not kept for another
            return await self._put_new(now, change, secret)

        await self._put_elsewhere(called, put, _login_field(grant), settled)
        await self._checks.record(account, report, Depth.LOGIN)
        return report

    async def set_scope(self, name: str, scope: Scope, *, displacing: bool = False) -> Account:
        """Say which mails an account is for. Raises `Displaces` unless the person agreed, and as `rename` does."""
        change = partial(self._saved_accounts.alter, name, lambda now: replace(now, scope=scope), displacing=displacing)
        return await run_to_completion(change)

    async def called_now(self, account: Account) -> str:
        """Return what an account is called now: another process may have given it another name.

        Raises `NoSuchAccount`, and `AccountFileError` where another account stands in its place.
        """
        now = await in_thread(lambda: self._saved_accounts.now(account))
        if account.id and now.id != account.id:
            raise AccountFileError(
                phrase("Another program has put another account in the place of '{}'; look at it again.", now.name)
            )
        return now.name

    async def _get(self, name: str) -> Account:
        return await in_thread(lambda: self._saved_accounts.get(name))

    async def _put_new(self, account: Account, change: SecretChange, secret: Secret) -> StoreRef | None:
        """Keep a new secret of an account in the kind of place that the account has."""
        if account.store is None:
            return None
        if account.store.kind.is_reference and account.connection.auth is Auth.XOAUTH2:
            return account.store  # the next token that it gives may be another, and as good
        where = account.store.where if account.store.kind.is_reference else ""
        return await change.put(account.store.kind, account.name, secret, where)

    async def _keep(
        self, draft: Draft, owner: Account | None, change: SecretChange
    ) -> tuple[StoreRef | None, SignInRenewal | None]:
        """Keep a draft's secret; return where it is, and what may be said of it."""
        if draft.connection.auth is Auth.NONE or draft.secret is None:
            return None, None
        kind = draft.store or StoreKind.SESSION
        if draft.connection.auth is not Auth.XOAUTH2:
            return await change.put(kind, draft.name, draft.secret, draft.where), None
        given = whole_sign_in(owner.login if owner is not None else None, draft.secret)
        keepable(given, kind)
        if kind.is_reference:
            return await self._referred(given, kind, draft.where or variable_for(draft.name))
        secret = await self._newest(given, owner)
        grant = Grant.opened(secret)
        return await change.put(kind, draft.name, secret), login_of(grant) if grant is not None else None

    async def _referred(self, secret: Secret, kind: StoreKind, where: str) -> tuple[StoreRef, SignInRenewal | None]:
        """Return where an access token, or the client secret of an application, comes from each time."""
        grant = Grant.opened(secret)
        if grant is None:
            return await self._stores.refer(kind, where), None
        ref = StoreRef(kind, where)
        await self._stores.put(ref, client_secret_alone(secret))
        return ref, login_of(grant)

    async def _newest(self, secret: Secret, before: Account | None) -> Secret:
        """Return a sign-in as it is now: it may have been renewed since the draft got it, by another process too."""
        renewable = before is not None and before.login is not None and not signs_in_as_application(before)
        if before is None or not renewable or self._tokens.is_fresh(secret):
            return self._tokens.latest(secret)
        return await self._held(before) or secret

    async def _held(self, account: Account) -> Secret | None:
        """Return the secret that an account has now; None where it cannot be read."""
        try:
            return await self._entries.secret_of(account)
        except SecretError:
            return None

    async def remove(self, name: str) -> tuple[Account, str]:
        """Forget an account and its secret; return it, and a sentence if the secret could not be deleted."""
        async with self._entries.change() as change:
            account = await run_to_completion(lambda: self._saved_accounts.remove(name, leaving=change.leaves))
            await self._tokens.give_back(account)
        problem = change.problem
        if problem is not None:
            return account, f"The account is removed, but its password may still be in the store. {problem}"
        return account, ""


class _SecretMoved(Exception):
    """Another process has put an account's secret elsewhere since the account was read."""


def _pointed(now: Account, *, since: Account, store: StoreRef | None, fields: Mapping[str, Any]) -> Account:
    """Return an account pointed to another entry. Raises `_SecretMoved`."""
    if now.store != since.store:
        raise _SecretMoved
    return replace(now, store=store, **fields)


def _login_field(grant: Grant | None) -> Mapping[str, Any]:
    return {} if grant is None else {"login": login_of(grant)}
