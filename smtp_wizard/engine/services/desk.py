"""What every front door does with the engine: check a draft, re-test an account, save, remove.

`Desk` is built once at the front door from the long-lived parts and handed down. It stands on two floors of its own:
`Finder` needs neither account nor secret, `Checker` signs in and sends. Here secret and account are saved, so that
neither is ever lost or left behind.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from dataclasses import replace
from functools import partial
from types import MappingProxyType
from typing import Any

from smtp_wizard.engine.accounts.account import Account, fit_name, new_id, parse_name
from smtp_wizard.engine.accounts.account_book import Displaces, NameTaken, NoSuchAccount, StoreTrouble
from smtp_wizard.engine.accounts.lockout_guard import REFUSED
from smtp_wizard.engine.accounts.secret_entries import TRIES, Change
from smtp_wizard.engine.base.connection import Auth, knows_server
from smtp_wizard.engine.base.errors import InputError
from smtp_wizard.engine.base.identity import Scope
from smtp_wizard.engine.base.secret import Secret
from smtp_wizard.engine.base.stages import Depth, Verdict
from smtp_wizard.engine.checks.events import Emit
from smtp_wizard.engine.checks.report import Report
from smtp_wizard.engine.oauth.errors import OAuthError
from smtp_wizard.engine.oauth.grants import Grant
from smtp_wizard.engine.providers.provider import ProviderKind
from smtp_wizard.engine.secrets.base import SecretError, Trouble
from smtp_wizard.engine.secrets.kinds import StoreKind, StoreRef
from smtp_wizard.engine.secrets.references import variable_for
from smtp_wizard.engine.services.access_tokens import keepable, login_of
from smtp_wizard.engine.services.checker import PRACTICE_FOLDER, Checker
from smtp_wizard.engine.services.finder import Options
from smtp_wizard.engine.state.logins import Login
from smtp_wizard.engine.state.results import LastResult, Result
from smtp_wizard.engine.wizard.draft import Draft, Origin, Proof

__all__ = ["ONE_SIGN_IN", "PRACTICE_FOLDER", "Desk", "Options"]

ONE_SIGN_IN = (
    "A sign-in in the browser belongs to one account: two that renew it would end it. Set up the second one with a "
    "sign-in of its own."
)


class Desk(Checker):
    """The engine as the front doors use it."""

    def troubles(self) -> tuple[str, ...]:
        """Return what could not be kept of what was learnt, or noted of a change, and was not returned before."""
        return (*self.book.state.troubles(), *self.stores.journal.troubles())

    # -- saving -----------------------------------------------------------------------------------------------------

    async def save(self, draft: Draft, *, replacing: bool = False, displacing: bool = False) -> Account:
        """Save secret and account, or neither. A draft of a saved account (`editing`) takes that account's place.

        Raises `NameTaken` or `Displaces` before anything is written, unless the caller says that the person agreed;
        `SecretError` where the store takes no secret; `StoreTrouble` where the file cannot be written, in which case
        the store is as it was.
        """
        before = self.edited(draft)
        account = self._account(draft)
        if before is not None:
            account = replace(account, created=before.created, id=before.id, last=account.last or before.last)
        self._refuse_collisions(account, before, replacing=replacing, displacing=displacing)
        owner = self._owner(draft)
        # From the moment when a sign-in is read until the account is pointed to it, nobody else may renew it.
        async with self.bearers.alone(owner), self.entries.change() as change:
            store, login = await self._keep(draft, owner, change)
            account = replace(account, store=store, login=login)
            account = self._entered(account, before, change, replacing=replacing, displacing=displacing)
        if draft.signed_in and account.last is not None:
            self.book.state.results.record(account.id, Result(account.last))
        if draft.secret is not None and login is not None:
            self.bearers.settle(draft.secret, account.name)
        return account

    def _entered(
        self, account: Account, before: Account | None, change: Change, *, replacing: bool, displacing: bool
    ) -> Account:
        """Write an account into the book, in place of the one that was changed; return it.

        That one may have got another name meanwhile, which it keeps unless this change gives it one.
        """
        if before is not None:
            with suppress(NoSuchAccount):  # removed meanwhile: it is saved anew
                called = self.book.now(before).name
                named = replace(account, name=called) if account.name == before.name else account
                self.book.change(called, named, displacing=displacing, leaving=change.leaves)
                return named
        self.book.put(account, replacing=replacing, displacing=displacing, leaving=change.leaves)
        return account

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

        The secret goes with it where it could be read; what was proved does not: what is changed is tested again. That
        the server has refused this very password last time does, so that it is not sent once more by a mere Enter.
        """
        provider = self.provider(account.connection.provider)
        grant = Grant.opened(secret) if secret is not None and account.connection.auth is Auth.XOAUTH2 else None
        return Draft(
            address=account.address,
            connection=account.connection,
            identity=account.identity,
            origin=Origin.HAND if provider is None or provider.kind is ProviderKind.CUSTOM else Origin.CHOSEN,
            origin_note=f"the saved account '{account.name}'",
            ways=len(provider.paths) if provider else 0,
            confirmed_host=account.connection.endpoint.host,
            by_hand=True,
            secret=secret,
            proof=_refusal(account) if secret is not None else None,
            client_id=account.login.client_id if account.login is not None else "",
            client_secret=grant.client_secret if grant is not None else None,
            name=account.name,
            scope=account.scope,
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

        async def moved(now: Account, change: Change) -> StoreRef | None:
            return await self._moved(now, wanted, change)

        renamed, _ = await self._put_elsewhere(name, moved, {"name": wanted})
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
        async with self.entries.change() as change:
            store = await self._moved(account, wanted, change)
            copy = replace(
                account, name=wanted, scope=Scope.GENERAL, store=store, created=self.now(), id=new_id(), last=None
            )
            self.book.put(copy)
        return copy

    async def _moved(self, account: Account, new_name: str, change: Change) -> StoreRef | None:
        """Keep the secret under the new name too, where the store names it after the account."""
        if account.store is None or account.store.kind.is_reference:
            return account.store
        try:
            secret = await self.secret_of(account)
        except SecretError as problem:
            if problem.trouble is Trouble.ASK:  # kept nowhere, perhaps since a moment ago
                return self.stores.place(StoreKind.SESSION, new_name)
            raise
        assert secret is not None
        return await change.put(account.store.kind, new_name, secret)

    async def _put_elsewhere(
        self,
        name: str,
        put: Callable[[Account, Change], Awaitable[StoreRef | None]],
        fields: Mapping[str, Any] = MappingProxyType({}),
    ) -> tuple[Account, SecretError | None]:
        """Have `put` keep an account's secret in another entry, and point the account to it; return the account.

        `fields` of the account are changed in the same step. Where another process has put the secret elsewhere
        meanwhile, all of it is done anew. Also returned is why the old entry could not be deleted. Raises as `put` and
        as `AccountBook.alter`.
        """
        for _ in range(TRIES):
            done: Account | None = None
            async with self.bearers.alone(self.book.get(name)), self.entries.change() as change:
                account = self.book.get(name)
                store = await put(account, change)
                pointed = partial(_pointed, since=account, store=store, fields=fields)
                with suppress(_Elsewhere):
                    done = self.book.alter(account.name, pointed, leaving=change.leaves)
            if done is not None:
                return done, change.trouble
        raise StoreTrouble("Other programs keep changing that account; nothing was changed, please try again.")

    async def move(
        self, name: str, kind: StoreKind, where: str = "", secret: Secret | None = None
    ) -> tuple[Account, str]:
        """Keep an account's password in another place; return the account, and a sentence if the old copy may remain.

        `where`: of a reference, the way to the password, which must lead to the same one. `secret`: the password, where
        it was kept nowhere. The new place has given it back before the old one is emptied; the server is not asked.
        Raises `SecretError`, `InputError`, and as `AccountBook.change`.
        """

        async def put(now: Account, change: Change) -> StoreRef:
            # What is renewed by any process is read when nobody else can renew it.
            held = secret if now.login is None else None
            held = held or await self.secret_of(now)
            if held is None:
                raise InputError(f"'{now.name}' has no password: its server asks for no sign-in.")
            keepable(held, kind)
            return await change.put(kind, now.name, held, where)

        moved, problem = await self._put_elsewhere(name, put)
        return moved, f"The password may still be in the old place as well. {problem}" if problem else ""

    async def replace_secret(
        self, account: Account, secret: Secret, emit: Emit, *, options: Options | None = None
    ) -> Report:
        """Try a new password with the account's own settings, and keep it if the server takes it.

        One that is refused is not kept: the old one stays as it is, and so does its last result. Raises `SecretError`
        where the store takes no secret, and as `check_account` does.
        """
        if account.store is not None and account.connection.auth is Auth.XOAUTH2:
            keepable(secret, account.store.kind)
        report = await self.check_account(account, secret, Depth.LOGIN, emit, options=options, keep=False)
        if report.verdict not in (Verdict.PASS, Verdict.WARN):
            return report
        given, secret = secret, self.bearers.latest(secret)
        grant = Grant.opened(secret) if account.connection.auth is Auth.XOAUTH2 else None
        called = self.book.now(account).name  # it may have got another one while the server was asked
        await self._put_elsewhere(called, partial(self._put_new, secret=secret), _login_field(grant))
        if grant is not None:
            self.bearers.settle(given, called)
        self._keep_result(account, report, Depth.LOGIN)
        return report

    def set_scope(self, name: str, scope: Scope, *, displacing: bool = False) -> Account:
        """Say which mails an account is for. Raises `Displaces` unless the person agreed, and as `rename` does."""
        return self.book.alter(name, lambda now: replace(now, scope=scope), displacing=displacing)

    async def _put_new(self, account: Account, change: Change, secret: Secret) -> StoreRef | None:
        """Keep a new secret of an account in the kind of place that the account has."""
        if account.store is None:
            return None
        if account.store.kind.is_reference and account.connection.auth is Auth.XOAUTH2:
            return account.store  # the next token that it gives may be another, and as good
        where = account.store.where if account.store.kind.is_reference else ""
        return await change.put(account.store.kind, account.name, secret, where)

    async def _keep(self, draft: Draft, owner: Account | None, change: Change) -> tuple[StoreRef | None, Login | None]:
        """Keep a draft's secret; return where it is, and what may be said of it."""
        if draft.connection.auth is Auth.NONE or draft.secret is None:
            return None, None
        kind = draft.store or StoreKind.SESSION
        if draft.connection.auth is not Auth.XOAUTH2:
            return await change.put(kind, draft.name, draft.secret, draft.where), None
        keepable(draft.secret, kind)
        if kind.is_reference:
            return await self.stores.refer(kind, draft.where or variable_for(draft.name)), None
        secret = await self._newest(draft.secret, owner)
        grant = Grant.opened(secret)
        return await change.put(kind, draft.name, secret), login_of(grant) if grant is not None else None

    async def _newest(self, secret: Secret, before: Account | None) -> Secret:
        """Return a sign-in as it is now: it may have been renewed since the draft got it, by another process too."""
        if before is None or before.login is None or self.bearers.is_fresh(secret):
            return self.bearers.latest(secret)
        return await self._held(before) or secret

    async def _held(self, account: Account) -> Secret | None:
        """Return the secret that an account has now; None where it cannot be read."""
        try:
            return await self.secret_of(account)
        except SecretError:
            return None

    def _account(self, draft: Draft) -> Account:
        """Return the account that a draft makes, its secret still to be kept. Raises `InputError`."""
        if draft.address is None or not knows_server(draft.connection) or not draft.name:
            raise InputError("The account is not complete yet.")
        proof = draft.proof if draft.signed_in else None
        return Account(
            name=draft.name,
            address=draft.address,
            connection=draft.connection,
            identity=draft.identity.in_use,
            scope=draft.scope,
            store=None,
            created=self.now(),
            id=new_id(),
            last=LastResult(proof.at, proof.depth, proof.verdict) if proof else None,
        )

    async def secret_of(self, account: Account) -> Secret | None:
        """Return the secret of an account, None where it needs none. Raises `SecretError`."""
        return await self.entries.secret_of(account)

    async def remove(self, name: str) -> tuple[Account, str]:
        """Forget an account and its secret; return it, and a sentence if the secret could not be deleted."""
        async with self.entries.change() as change:
            account = self.book.remove(name, leaving=change.leaves)
            await self._give_back(account)
        problem = change.trouble
        if problem is not None:
            return account, f"The account is removed, but its password may still be in the store. {problem}"
        return account, ""

    async def _give_back(self, account: Account) -> None:
        """Tell the provider that a sign-in is wanted no more. That it cannot be told is no reason to keep it."""
        server = self.oauth_server(account.connection.provider, account.connection.path)
        secret = await self._held(account) if account.login is not None and server is not None else None
        if secret is not None:
            with suppress(OAuthError):
                await self.bearers.give_back(secret, server, account.connection.ca_file)

    def suggested_name(self, draft: Draft) -> str:
        """Return a name for a new account, the provider's first word and the address's: a free one.

        Where the accounts cannot be read it may be taken; saving says so.
        """
        provider = self.provider(draft.connection.provider)
        local = draft.address.local if draft.address else ""
        if provider is None or provider.kind is ProviderKind.CUSTOM:
            words = draft.address.domain if draft.address else ""
        elif provider.kind is ProviderKind.SANDBOX:
            words = "Practice"
        else:
            words = provider.name.split("(")[0].strip()
        wanted = " ".join(part for part in (words, local) if part) or "Account"
        try:
            return self.book.free_name(wanted)
        except StoreTrouble:
            return fit_name(wanted)


def _refusal(account: Account) -> Proof | None:
    """Return what the last test of an account says against its password, None where it says nothing."""
    last = account.last
    if last is None or account.connection.auth is not Auth.PASSWORD or last.code not in REFUSED:
        return None
    return Proof(
        last.at, last.depth, last.verdict, account.connection.endpoint, account.connection.username, refused=True
    )


class _Elsewhere(Exception):
    """Another process has put an account's secret elsewhere since the account was read."""


def _pointed(now: Account, *, since: Account, store: StoreRef | None, fields: Mapping[str, Any]) -> Account:
    """Return an account pointed to another entry. Raises `_Elsewhere`."""
    if now.store != since.store:
        raise _Elsewhere
    return replace(now, store=store, **fields)


def _login_field(grant: Grant | None) -> Mapping[str, Any]:
    return {} if grant is None else {"login": login_of(grant)}
