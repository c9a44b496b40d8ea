"""Access tokens for accounts and drafts that sign in in the browser, and when such a sign-in will end.

The account's secret is the whole sign-in (`oauth.Grant`), or an access token itself where a command, a file or a
variable gives one. Access tokens are kept in memory alone.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, MutableMapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path

from smtp_wizard.engine.accounts.account import Account, AccountsError
from smtp_wizard.engine.accounts.account_book import AccountBook
from smtp_wizard.engine.accounts.secret_entries import Entries
from smtp_wizard.engine.base.errors import InputError
from smtp_wizard.engine.base.secret import Secret
from smtp_wizard.engine.base.shown import phrase
from smtp_wizard.engine.oauth.errors import OAuthError, OAuthTrouble
from smtp_wizard.engine.oauth.exchange import Exchange, RegisteredClient
from smtp_wizard.engine.oauth.grants import Grant, SignedIn
from smtp_wizard.engine.oauth.renewal import Renewal
from smtp_wizard.engine.oauth.server import OAuthServer
from smtp_wizard.engine.secrets.base import SecretError, Trouble
from smtp_wizard.engine.secrets.kinds import StoreKind, StoreRef
from smtp_wizard.engine.smtp.transport import Trust
from smtp_wizard.engine.state.logins import Login

ENOUGH = timedelta(minutes=2)
"""An access token that lasts less long is renewed before it is used."""
RENEWABLE = frozenset({StoreKind.KEYRING, StoreKind.VAULT, StoreKind.SESSION})
"""The stores that can keep what changes with each renewal. The others are references to what somebody else keeps."""
NOT_RENEWABLE = phrase(
    "A sign-in in the browser changes whenever it is renewed, so it can be kept in the keyring or the "
    "vault only. A command, a file or a variable can give the access token of another program."
)
NO_SERVER = phrase("Where to sign in in the browser is not known for this account; sign in again in the wizard.")


class Bearers:
    """Gets the token that an AUTH command carries. Built once, by the desk."""

    def __init__(self, entries: Entries, book: AccountBook, folder: Path, now: Callable[[], datetime]) -> None:
        self._entries = entries
        self._book = book
        self._renewal = Renewal(folder)
        self._now = now
        self._fresh: MutableMapping[Secret, SignedIn] = {}
        """What drafts hold, as it was when they got it, and what has become of it."""
        self._settled: MutableMapping[Secret, str] = {}

    def exchange(self, server: OAuthServer, client: RegisteredClient, ca_file: str | None = None) -> Exchange:
        """Return what is asked of a server on behalf of a client."""
        return Exchange(server, client, trust=Trust(ca_file), now=self._now)

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

    def owner(self, secret: Secret) -> str | None:
        """Return the name of the account that a draft's sign-in was saved for, None where it was not."""
        return self._settled.get(secret)

    def is_fresh(self, secret: Secret) -> bool:
        """Whether the sign-in was made here, and belongs to no saved account yet."""
        return secret in self._fresh

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
            raise SecretError(Trouble.LOCKED, str(problem)) from None

    async def of_draft(self, secret: Secret, server: OAuthServer | None, ca_file: str | None) -> Secret:
        """Return an access token for a draft's secret. Raises `OAuthError`."""
        grant = Grant.opened(secret)
        if grant is None:
            return secret
        found = self._fresh.get(secret)
        if found is not None and found.access.lasts(self._now() + ENOUGH):
            return found.access.token
        found = await self._ask(server, ca_file)(found.grant if found is not None else grant)
        self._fresh[secret] = found
        return found.access.token

    async def of_account(
        self, account: Account, secret: Secret, server: OAuthServer | None, ca_file: str | None
    ) -> Secret:
        """Return an access token for a saved account, its sign-in renewed and kept. Raises `OAuthError`, `SecretError`.

        `secret`: what was read or given; what is no lasting sign-in is the token itself.
        """
        if Grant.opened(secret) is None:
            return secret
        kept = _Kept(self._entries, account)
        found = await self._renewal.renew(
            account.name, read=kept.read, save=kept.replace, ask=self._ask(server, ca_file)
        )
        if isinstance(found, Secret):
            return found
        login = login_of(found.grant)
        with suppress(AccountsError):  # the days that are shown; the sign-in itself is kept
            id = account.id or self._book.get(account.name).id
            self._book.state.logins.renewed(id, login)
        return found.access.token

    def _ask(self, server: OAuthServer | None, ca_file: str | None) -> Callable[[Grant], Awaitable[SignedIn]]:
        if server is None:
            raise OAuthError(OAuthTrouble.ELSEWHERE, NO_SERVER)
        known = server
        return lambda grant: self.exchange(
            known, RegisteredClient(grant.client_id, grant.client_secret), ca_file
        ).renew(grant)

    async def give_back(self, secret: Secret, server: OAuthServer | None, ca_file: str | None) -> None:
        """Tell the server that a sign-in is wanted no more, where it has a place for that. Raises `OAuthError`."""
        grant = Grant.opened(secret)
        if grant is not None and server is not None and server.revoke and server.token == grant.token_url:
            await self.exchange(server, RegisteredClient(grant.client_id, grant.client_secret), ca_file).revoke(grant)


class _Kept:
    """A saved account's sign-in while it is renewed."""

    def __init__(self, entries: Entries, account: Account) -> None:
        self._entries = entries
        self._account = account
        self.place = account.store

    async def read(self) -> Secret:
        """Return the sign-in from where it is now: whoever held the lock before may have put it elsewhere."""
        self.place = self._entries.place_of(self._account)
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
        raise OAuthError(OAuthTrouble.ELSEWHERE, NOT_RENEWABLE)
    return ref


def login_of(grant: Grant) -> Login:
    """Return what may be read of a sign-in without opening the store."""
    return Login(grant.client_id, grant.granted, grant.renewed, grant.ends)


def keepable_in(kind: StoreKind | None) -> None:
    """Raise `InputError` where a store cannot keep a sign-in that changes. None: none was chosen yet."""
    if kind is not None and kind not in RENEWABLE:
        raise InputError(NOT_RENEWABLE)


def keepable(secret: Secret | None, kind: StoreKind) -> None:
    """Raise `InputError` where a store cannot keep a sign-in that changes."""
    if secret is not None and Grant.opened(secret) is not None:
        keepable_in(kind)


@dataclass(frozen=True, slots=True)
class Ending:
    """When a sign-in ends, and whether using it puts that off."""

    at: datetime
    idle: bool
    soon: bool
    """Whether it is time to say so."""

    def words(self, now: datetime) -> str:
        """One sentence or two: when, and what to do."""
        if self.at <= now:
            return (
                f"The sign-in in the browser has most likely ended on {self.at:%Y-%m-%d}. Sign in again: choose "
                "'Sign in again' for the account."
            )
        days = max(1, (self.at - now).days)
        when = f"The sign-in in the browser ends on {self.at:%Y-%m-%d}, in {days} {'day' if days == 1 else 'days'}"
        if self.idle:
            return f"{when}, unless it is used before. A test of the account renews it."
        return (
            f"{when}, used or not. Sign in again before that day; where the client is still 'in testing', publish it."
        )


WARN_DAYS = timedelta(days=14)
"""So long before its end a sign-in is spoken of, or a third of its life where that is shorter."""


def ending_of(login: Login | None, server: OAuthServer | None, now: datetime) -> Ending | None:
    """Return when a sign-in ends, None where nothing says so."""
    if login is None:
        return None
    ends = [(login.ends, False, login.renewed)] if login.ends is not None else []
    if server is not None and server.idle is not None:
        ends.append((login.renewed + timedelta(days=server.idle.days), True, login.renewed))
    if not ends:
        return None
    at, idle, since = min(ends)
    return Ending(at, idle, now >= at - min(WARN_DAYS, max(timedelta(days=2), (at - since) / 3)))
