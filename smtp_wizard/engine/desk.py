"""What every front door does with the engine: check a draft, re-test an account, save, remove.

`Desk` is built once at the front door from the long-lived parts and handed down. It stands on two floors of its own:
`Finder` needs neither account nor secret, `Checker` signs in and sends. Here secret and account are saved, so that
neither is ever lost or left behind.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING

from smtp_wizard.engine.accounts import (
    Account,
    Displaces,
    Login,
    NameTaken,
    NoSuchAccount,
    StoreKind,
    StoreRef,
    new_id,
    parse_name,
)
from smtp_wizard.engine.bearers import keepable, login_of
from smtp_wizard.engine.catalog import ProviderKind
from smtp_wizard.engine.check import (
    Emit,
    Report,
)
from smtp_wizard.engine.checker import PRACTICE_FOLDER, Checker
from smtp_wizard.engine.finder import Options
from smtp_wizard.engine.model import (
    Auth,
    Depth,
    InputError,
    Scope,
    Secret,
    Verdict,
)
from smtp_wizard.engine.oauth import Grant, OAuthError
from smtp_wizard.engine.secrets import SecretError, Trouble, entry_name, variable_for
from smtp_wizard.engine.state import LastResult, Result
from smtp_wizard.engine.wizard import Draft, Origin

if TYPE_CHECKING:
    pass

__all__ = ["ONE_SIGN_IN", "PRACTICE_FOLDER", "Desk", "Options"]

ONE_SIGN_IN = (
    "A sign-in in the browser belongs to one account: two that renew it would end it. Set up the second one with a "
    "sign-in of its own."
)


class Desk(Checker):
    """The engine as the front doors use it."""

    # -- saving -----------------------------------------------------------------------------------------------------

    async def save(self, draft: Draft, *, replacing: bool = False, displacing: bool = False) -> Account:
        """Save secret and account, or neither. A draft of a saved account (`editing`) takes that account's place.

        Raises `NameTaken` or `Displaces` before anything is written, unless the caller says that the person agreed;
        `SecretError` where the store takes no secret; `StoreTrouble` where the file cannot be written, in which case
        the store is as it was.
        """
        if draft.address is None or draft.endpoint is None or not draft.name:
            raise InputError("The account is not complete yet.")
        before = self.edited(draft)
        account = self._account(draft, None)
        if before is not None:
            account = replace(account, created=before.created, id=before.id, last=account.last or before.last)
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
        if draft.signed_in and account.last is not None:
            self.book.state.results.record(account.id, Result(account.last))
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
            confirmed_host=account.endpoint.host,
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
        copy = replace(
            account, name=wanted, scope=Scope.GENERAL, store=store, created=self.now(), id=new_id(), last=None
        )
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
        self._keep_result(account, report, Depth.LOGIN)
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
            id=new_id(),
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
