"""Access tokens for accounts and drafts that sign in in the browser.

The account's secret is the whole sign-in (`oauth.Grant`), or an access token itself where a command, a file or a
variable gives one. Access tokens are kept in memory alone.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, MutableMapping
from contextlib import asynccontextmanager, suppress
from dataclasses import replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from smtp_wizard.engine.accounts.account import Account, AccountsError
from smtp_wizard.engine.accounts.application_sign_in import whole_sign_in
from smtp_wizard.engine.accounts.saved_accounts import NoSuchAccount, SavedAccounts
from smtp_wizard.engine.accounts.secret_entries import SecretEntries
from smtp_wizard.engine.base.connection import Auth
from smtp_wizard.engine.base.errors import InputError
from smtp_wizard.engine.base.secret import Secret
from smtp_wizard.engine.base.shown import phrase
from smtp_wizard.engine.base.threads import in_thread
from smtp_wizard.engine.oauth.errors import OAuthError, OAuthFault
from smtp_wizard.engine.oauth.grants import Grant, SignedIn, as_access_token
from smtp_wizard.engine.oauth.renewal import Renewal
from smtp_wizard.engine.oauth.server import OAuthServer
from smtp_wizard.engine.providers.catalog import Catalog
from smtp_wizard.engine.secrets.secret_store import SecretError, SecretFault
from smtp_wizard.engine.secrets.store_kinds import StoreKind, StoreRef
from smtp_wizard.engine.smtp.tls import Trust
from smtp_wizard.engine.state.sign_in_renewals import SignInRenewal
from smtp_wizard.engine.wizard.account_draft import edited_account
from smtp_wizard.engine.wizard.draft import Draft

if TYPE_CHECKING:
    from smtp_wizard.engine.oauth.client import OAuthClient, RegisteredClient

ENOUGH = timedelta(minutes=2)
"""An access token that lasts less long is renewed before it is used."""
RENEWABLE = frozenset({StoreKind.KEYRING, StoreKind.VAULT, StoreKind.SESSION})
"""The stores that can keep what changes with each renewal. The others are references to what somebody else keeps.

An application's own sign-in changes with none: every store can keep it.
"""
NOT_RENEWABLE = phrase(
    "A sign-in in the browser changes whenever it is renewed, so it can be kept in the keyring or the "
    "vault only. A command, a file or a variable can give the access token of another program."
)
NO_SERVER = phrase("Where to sign in in the browser is not known for this account; sign in again in the wizard.")


class Tokens:
    """Gets the token that an AUTH command carries."""

    def __init__(
        self,
        *,
        catalog: Catalog,
        saved_accounts: SavedAccounts,
        entries: SecretEntries,
        renewal: Renewal,
        now: Callable[[], datetime],
    ) -> None:
        self._catalog = catalog
        self._saved_accounts = saved_accounts
        self._entries = entries
        self._renewal = renewal
        self._now = now
        self._fresh: MutableMapping[Secret, SignedIn] = {}
        """What drafts hold, as it was when they got it, and what has become of it."""
        self._settled: MutableMapping[Secret, str] = {}

    def exchange(self, server: OAuthServer, client: RegisteredClient, ca_file: str | None = None) -> OAuthClient:
        """Return what is asked of a server on behalf of a client."""
        from smtp_wizard.engine.oauth.client import OAuthClient

        return OAuthClient(server, client, trust=Trust(ca_file), now=self._now)

    # -- whose a sign-in is -----------------------------------------------------------------------------------------

    def remember(self, found: SignedIn) -> Secret:
        """Take a sign-in that was just made; return the secret that a draft holds of it."""
        secret = found.grant.sealed()
        self._fresh[secret] = found
        return secret

    def latest(self, secret: Secret) -> Secret:
        """Return what is to be kept of a draft's secret: renewed meanwhile, it is another one."""
        found = self._fresh.get(secret)
        return found.grant.sealed() if found is not None else secret

    def settle(self, secret: Secret, name: str) -> None:
        """A draft's sign-in was saved: from now on it is the account's, and is renewed there."""
        self._fresh.pop(secret, None)
        self._settled[secret] = name

    def is_fresh(self, secret: Secret) -> bool:
        """Whether the sign-in was made here, and belongs to no saved account yet."""
        return secret in self._fresh

    async def owner(self, draft: Draft) -> Account | None:
        """Return the account that a draft's sign-in belongs to, None where it is not saved yet.

        Raises `AccountFileError`.
        """
        name = self._settled.get(draft.secret) if draft.secret is not None else None
        if name is None:
            return await in_thread(lambda: edited_account(draft, self._saved_accounts))
        try:
            return await in_thread(lambda: self._saved_accounts.get(name))
        except NoSuchAccount:
            return None

    async def store_of(self, draft: Draft) -> StoreRef | None:
        """Return where a check of a draft reads the sign-in of a saved account, None where it reads nothing.

        Raises `AccountFileError`.
        """
        if draft.connection.auth is not Auth.XOAUTH2 or draft.secret is None or self.is_fresh(draft.secret):
            return None
        owner = await self.owner(draft)
        return owner.store if owner is not None else None

    @asynccontextmanager
    async def alone(self, account: Account | None) -> AsyncIterator[None]:
        """Let no other process renew an account's sign-in. Raises `SecretError` where one is at it too long."""
        if account is None or account.login is None:
            yield
            return
        try:
            async with self._renewal.alone(account.name):
                yield
        except OAuthError as problem:
            raise SecretError(SecretFault.LOCKED, problem.words) from None

    # -- tokens -----------------------------------------------------------------------------------------------------

    async def for_draft(self, draft: Draft) -> Secret | None:
        """Return the access token for a draft. A sign-in that a saved account has is renewed there, and kept.

        None where the draft has no sign-in. Raises `OAuthError`, `SecretError`, `AccountFileError`.
        """
        if draft.secret is None:
            return None
        server = self._catalog.oauth_server(draft.connection)
        owner = await self.owner(draft)
        if owner is not None and owner.store is not None and not self.is_fresh(draft.secret):
            return await self._of_account(owner, draft.secret, server, draft.connection.ca_file)
        whole = whole_sign_in(owner.login if owner is not None else None, draft.secret)
        return await self._of_draft(whole, server, draft.connection.ca_file)

    async def for_account(self, account: Account, secret: Secret, ca_file: str | None) -> Secret:
        """Return the access token for a saved account, its sign-in renewed and kept.

        `secret`: what was read, or a sign-in that is still to be kept; what is no lasting sign-in is the token itself,
        or the client secret of an application that signs in by itself.
        Raises `OAuthError`, `SecretError`.
        """
        server = self._catalog.oauth_server(account.connection)
        if self.is_fresh(secret):
            return await self._of_draft(secret, server, ca_file)
        return await self._of_account(account, secret, server, ca_file)

    async def _of_draft(self, secret: Secret, server: OAuthServer | None, ca_file: str | None) -> Secret:
        grant = Grant.opened(secret)
        if grant is None:
            return as_access_token(secret)
        found = self._fresh.get(secret)
        if found is not None and found.access.lasts(self._now() + ENOUGH):
            return found.access.token
        found = await self._ask(server, ca_file)(found.grant if found is not None else grant)
        self._fresh[secret] = found
        return found.access.token

    async def _of_account(
        self, account: Account, secret: Secret, server: OAuthServer | None, ca_file: str | None
    ) -> Secret:
        secret = whole_sign_in(account.login, secret)
        grant = Grant.opened(secret)
        if grant is None:
            return as_access_token(secret)
        if grant.of_application:  # nothing changes, so nothing is kept, and no other process is in the way
            renewed = await self._ask(server, ca_file)(grant)
            await self._learn(account, renewed)
            return renewed.access.token
        kept = _SignInUnderRenewal(self._entries, account)
        found = await self._renewal.renew(
            account.name, read=kept.read, save=kept.replace, ask=self._ask(server, ca_file)
        )
        if isinstance(found, Secret):
            return found
        await self._learn(account, found)
        return found.access.token

    async def _learn(self, account: Account, found: SignedIn) -> None:
        with suppress(AccountsError):  # the days that are shown; the sign-in itself is kept
            id = account.id or (await in_thread(lambda: self._saved_accounts.get(account.name))).id
            self._saved_accounts.state.sign_in_renewals.renewed(id, login_of(found.grant))

    def _ask(self, server: OAuthServer | None, ca_file: str | None) -> Callable[[Grant], Awaitable[SignedIn]]:
        if server is None:
            raise OAuthError(OAuthFault.ELSEWHERE, NO_SERVER)
        known = server
        return lambda grant: self.exchange(known, _client_of(grant), ca_file).renew(grant)

    async def give_back(self, account: Account) -> None:
        """Tell the provider that an account's sign-in is wanted no more; that it cannot be told stops nothing."""
        server = self._catalog.oauth_server(account.connection)
        if account.login is None or server is None or not server.revoke:
            return
        with suppress(OAuthError, SecretError):
            secret = await self._entries.secret_of(account)
            grant = Grant.opened(secret) if secret is not None else None
            if grant is not None and server.token == grant.token_url:
                await self.exchange(server, _client_of(grant), account.connection.ca_file).revoke(grant)


class _SignInUnderRenewal:
    """A saved account's sign-in while it is renewed."""

    def __init__(self, entries: SecretEntries, account: Account) -> None:
        self._entries = entries
        self._account = account
        self.place = account.store

    async def read(self) -> Secret:
        """Return the sign-in from where it is now: the previous holder of the lock may have moved it."""
        self.place = await self._entries.place_of(self._account)
        _renewable(self.place)
        secret = await self._entries.secret_of(replace(self._account, store=self.place))
        assert secret is not None
        return secret

    async def replace(self, renewed: Secret) -> None:
        """Keep what came of it in the same entry: the old one opens nothing any more. Raises `SecretError`."""
        async with self._entries.change() as change:
            await change.put_at(_renewable(self.place), renewed)


def _renewable(ref: StoreRef | None) -> StoreRef:
    """Return where a sign-in is kept. Raises `OAuthError` where it could not be renewed."""
    if ref is None or ref.kind not in RENEWABLE:
        raise OAuthError(OAuthFault.ELSEWHERE, NOT_RENEWABLE)
    return ref


def _client_of(grant: Grant) -> RegisteredClient:
    from smtp_wizard.engine.oauth.client import RegisteredClient

    return RegisteredClient(grant.client_id, grant.client_secret)


def login_of(grant: Grant) -> SignInRenewal:
    """Return what may be read of a sign-in without opening the store."""
    at = grant.token_url if grant.of_application else ""
    return SignInRenewal(grant.client_id, grant.granted, grant.renewed, grant.ends, at)


def keepable_in(kind: StoreKind | None) -> None:
    """Raise `InputError` where a store cannot keep a sign-in that changes. None: none was chosen yet."""
    if kind is not None and kind not in RENEWABLE:
        raise InputError(NOT_RENEWABLE)


def keepable(secret: Secret | None, kind: StoreKind) -> None:
    """Raise `InputError` where a store cannot keep a sign-in that changes."""
    grant = Grant.opened(secret) if secret is not None else None
    if grant is not None and not grant.of_application:
        keepable_in(kind)
