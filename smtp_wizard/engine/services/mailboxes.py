"""Opens the mailbox behind a saved account for reading: the right server, the sign-in that counts, the session.

What a session does is blocking work in a thread. Whoever is cancelled meanwhile closes the connection at once.
"""

from __future__ import annotations

import errno
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, TypeVar

from smtp_wizard.engine.accounts.account import Account
from smtp_wizard.engine.accounts.guarded_sign_in import UNANSWERED, lockout_of, pause_finding
from smtp_wizard.engine.accounts.lockout_guard import LockoutGuard, Pause, Slot
from smtp_wizard.engine.base.connection import Auth
from smtp_wizard.engine.base.endpoint import Endpoint
from smtp_wizard.engine.base.secret import Secret
from smtp_wizard.engine.base.shown import NO_WORDS, Shown, shown
from smtp_wizard.engine.base.threads import in_thread
from smtp_wizard.engine.checks.events import NamesCauses
from smtp_wizard.engine.mailbox.faults import ImapFailed, MailboxFault, SoughtMail
from smtp_wizard.engine.providers.catalog import Catalog
from smtp_wizard.engine.providers.provider import ProviderKind
from smtp_wizard.engine.scan.known_host import counted_names
from smtp_wizard.engine.services.check_options import CheckOptions
from smtp_wizard.engine.services.tokens import Tokens
from smtp_wizard.engine.smtp.tls import Trust
from smtp_wizard.engine.state.named_servers import NamedServers, SignInPlace

if TYPE_CHECKING:
    from smtp_wizard.engine.discovery.dns import Resolver
    from smtp_wizard.engine.discovery.web import Web
    from smtp_wizard.engine.mailbox.bounded_imap import ImapLimits
    from smtp_wizard.engine.mailbox.findings import MailboxDescription, MailboxError
    from smtp_wizard.engine.mailbox.imap_servers import ImapServer, MailboxServers
    from smtp_wizard.engine.mailbox.imap_session import ImapSession
    from smtp_wizard.engine.mailbox.mailbox_file import MailboxList

T = TypeVar("T")

_COUNTED_AS: Mapping[MailboxFault, str] = {
    MailboxFault.REFUSED: "bad_credentials",
    MailboxFault.APP_PASSWORD: "app_password_required",
    MailboxFault.SWITCHED_OFF: "smtp_access_off",
    MailboxFault.NO_SCOPE: "oauth_scope_missing",
    MailboxFault.EXPIRED: "bad_credentials",
    MailboxFault.WEB_SIGN_IN: "web_login_required",
    MailboxFault.NO_PASSWORDS: "basic_auth_disabled",
    MailboxFault.ACCOUNT_CLOSED: "account_suspended",
}
"""What a sign-in to read mail counts as, beside those to send: it is the same account. Any other went unanswered."""
_MOVES_ON = frozenset(
    {
        MailboxFault.UNREACHED.value,
        MailboxFault.NOT_IMAP.value,
        MailboxFault.POP3_SERVER.value,
        MailboxFault.BUSY.value,
        MailboxFault.NOT_TRUSTED.value,
        MailboxFault.NOT_ENCRYPTED.value,
        MailboxFault.CLOSED.value,
        MailboxFault.SILENT.value,
    }
)
"""Faults after which the next server is tried: no secret has gone anywhere yet."""


class OpenMailbox:
    """A mailbox that is signed in to. Its session is used in one thread at a time."""

    def __init__(self, session: ImapSession, server: ImapServer, place: MailboxDescription) -> None:
        self._session = session
        self.server = server
        self._place = place

    async def do(self, work: Callable[[ImapSession], T]) -> T:
        """Do work in the session. Raises `MailboxError`."""
        with _told(self._place):
            return await _in_thread(lambda: work(self._session))


class Mailboxes:
    """Opens mailboxes."""

    def __init__(
        self,
        *,
        catalog: Catalog,
        diagnosis: NamesCauses,
        lockout_guard: LockoutGuard,
        tokens: Tokens,
        named_servers: NamedServers,
        now: Callable[[], datetime],
        resolver: Resolver | None = None,
        web: Web | None = None,
        limits: ImapLimits | None = None,
    ) -> None:
        """`named_servers`: where it is kept which server a person has named, once it has taken the sign-in.

        `resolver` and `web` are asked for servers: the system's name servers, and the web, where left out.
        """
        self._catalog = catalog
        self._diagnosis = diagnosis
        self._lockout_guard = lockout_guard
        self._tokens = tokens
        self._named_servers = named_servers
        self._now = now
        self._resolver = resolver
        self._web = web
        self._limits = limits

    @asynccontextmanager
    async def opened(
        self,
        account: Account,
        secret: Secret | None,
        *,
        named: Endpoint | None = None,
        options: CheckOptions | None = None,
        patience: timedelta = timedelta(0),
        sought: SoughtMail = SoughtMail.RETURNED,
    ) -> AsyncIterator[OpenMailbox]:
        """Open the mailbox behind an account. `named`: the server that the person named; it is remembered.

        `patience`: how long something is waited for in it, beside the time that the server may take for everything.
        `sought`: what for, as the way on depends on it.

        Raises `MailboxError`; `OAuthError`, `SecretError` where a sign-in in the browser cannot be used; `DataError`.
        """
        said = options or CheckOptions()
        trust = Trust(said.over(account.connection).ca_file)
        sessions: list[ImapSession] = []
        try:
            server, place = await self._connected(account, secret, named, said, trust, sessions, patience, sought)
            with _told(place):
                await self._sign_in(account, secret, server, said, trust, sessions[-1])
            if named is not None:
                with suppress(OSError):  # no thread to remember it: the mailbox is open all the same
                    await in_thread(lambda: self._named_servers.keep(place_of(account), named, self._now()))
            yield OpenMailbox(sessions[-1], server, place)
            with suppress(OSError):  # no thread for a goodbye: everything was read
                await in_thread(sessions[-1].log_out)
        finally:
            for session in sessions:
                session.close()

    # -- the server -------------------------------------------------------------------------------------------------

    async def _connected(
        self,
        account: Account,
        secret: Secret | None,
        named: Endpoint | None,
        said: CheckOptions,
        trust: Trust,
        sessions: list[ImapSession],
        patience: timedelta,
        sought: SoughtMail,
    ) -> tuple[ImapServer, MailboxDescription]:
        """Connect to the first server that answers, and may be shown the secret. Raises `MailboxError`."""
        from smtp_wizard.engine.mailbox.findings import MailboxError, finding_of
        from smtp_wizard.engine.mailbox.mailbox_file import load_mailboxes

        place, provider = self._place(account, sought), account.connection.provider or ""
        with _told(place):
            listed = await _in_thread(load_mailboxes)
        place = replace(place, switch=shown(listed.switched_on.get(provider, ""), 120))
        with _told(place):
            if secret is None or not self._has_mailbox(account):
                raise ImapFailed(MailboxFault.NO_MAILBOX)
            remembered = await _in_thread(lambda: self._named_servers.of(place_of(account)))
            wanted = named or remembered
            if wanted is None and provider in listed.pop3_only:
                raise ImapFailed(MailboxFault.POP3_ONLY)
        servers = await self._servers(listed, trust).of(account, wanted)
        first: MailboxError | None = None
        for server in servers:
            there = replace(place, server=_words_of(server.endpoint))
            session = self._session(server, said, trust, patience)
            sessions.append(session)
            try:
                with _told(there):
                    await _in_thread(session.connect)
                    if not server.confirmed:
                        raise ImapFailed(MailboxFault.UNCONFIRMED)
                return server, there
            except MailboxError as problem:
                if problem.finding.code not in _MOVES_ON:
                    raise
                first = first or problem
        if first is not None and not servers[0].guessed:
            raise first
        raise MailboxError(finding_of(ImapFailed(MailboxFault.NOT_FOUND), place))

    def _servers(self, listed: MailboxList, trust: Trust) -> MailboxServers:
        from smtp_wizard.engine.discovery.dns import Resolver
        from smtp_wizard.engine.discovery.web import HttpWeb
        from smtp_wizard.engine.mailbox.imap_servers import MailboxServers

        return MailboxServers(listed, self._resolver or Resolver(), self._web or HttpWeb(trust))

    def _session(self, server: ImapServer, said: CheckOptions, trust: Trust, patience: timedelta) -> ImapSession:
        from smtp_wizard.engine.mailbox.bounded_imap import ImapLimits, ImapStream
        from smtp_wizard.engine.mailbox.imap_servers import leads_out
        from smtp_wizard.engine.mailbox.imap_session import ImapSession

        limits = self._limits or ImapLimits()
        line = ImapStream(
            server.endpoint,
            replace(limits, total=limits.total + patience.total_seconds()),
            family=said.family,
            allowed=leads_out if server.foreign else lambda address, port: True,
        )
        return ImapSession(line, trust)

    def _place(self, account: Account, sought: SoughtMail) -> MailboxDescription:
        from smtp_wizard.engine.mailbox.findings import MailboxDescription

        provider = self._catalog.get(account.connection.provider)
        return MailboxDescription(
            address=shown(str(account.address), 100),
            provider=shown(provider.short_name, 60) if provider and provider.firm else NO_WORDS,
            sought=sought,
        )

    def _has_mailbox(self, account: Account) -> bool:
        """Whether there may be a mailbox behind an account: a relay has none, nor has practice."""
        connection = account.connection
        provider = self._catalog.get(connection.provider)
        relay = provider is not None and provider.kind is ProviderKind.RELAY
        return connection.auth is not Auth.NONE and connection.sandbox is None and not relay

    # -- the sign-in ------------------------------------------------------------------------------------------------

    async def _sign_in(
        self,
        account: Account,
        secret: Secret | None,
        server: ImapServer,
        said: CheckOptions,
        trust: Trust,
        session: ImapSession,
    ) -> None:
        """Sign in, where that cannot lock the account; how it came out counts. Raises `ImapFailed`, `MailboxError`."""
        assert secret is not None
        auth = account.connection.auth
        mechanism = await _in_thread(lambda: session.way_in(auth))
        if auth is Auth.XOAUTH2:
            secret = await self._tokens.for_account(account, secret, trust.ca_file)
        shown_secret = secret
        slot = await self._slot(account, said)
        outcome: str | None = UNANSWERED
        try:
            await self._lockout_guard.sending(slot)
            await _in_thread(lambda: session.sign_in(server.username, shown_secret, mechanism))
            outcome = None
        except ImapFailed as problem:
            outcome = _counted_as(problem.fault, auth)
            raise
        finally:
            self._lockout_guard.record(slot, cause=outcome)

    async def _slot(self, account: Account, said: CheckOptions) -> Slot:
        """Take a slot for one sign-in, under the names that sending counts under. Raises `MailboxError`."""
        connection = account.connection
        provider = self._catalog.get(connection.provider)
        name, *also = counted_names(self._catalog, connection.endpoint.host, connection.username, account.address)
        slot = await self._lockout_guard.acquire(
            name, connection.endpoint.host, lockout_of(provider), also=also, anyway=said.ignore_lockout
        )
        if isinstance(slot, Pause):
            from smtp_wizard.engine.mailbox.findings import MailboxError

            firm = provider.firm if provider is not None else ""
            raise MailboxError(pause_finding(slot, self._now(), firm, self._diagnosis.title))
        return slot


def place_of(account: Account) -> SignInPlace:
    """Return what a server that is named for an account is named for."""
    connection = account.connection
    return SignInPlace(account.id, (str(connection.endpoint), connection.username, str(account.address)))


def _counted_as(fault: MailboxFault, auth: Auth) -> str:
    """Return the cause of a sign-in that failed, as those to send have it."""
    if fault is MailboxFault.REFUSED and auth is Auth.XOAUTH2:
        return "oauth_token_invalid"
    return _COUNTED_AS.get(fault, UNANSWERED)


async def _in_thread(work: Callable[[], T]) -> T:
    """Do work in a thread. Raises `ImapFailed` where none is to be had, else what the work raises."""
    try:
        return await in_thread(work)
    except OSError as problem:
        if problem.errno != errno.EAGAIN:
            raise
        raise ImapFailed(MailboxFault.NO_ROOM) from None


@contextmanager
def _told(place: MailboxDescription) -> Iterator[None]:
    """Say a fault in words: which mailbox and server it is about."""
    try:
        yield
    except ImapFailed as problem:
        from smtp_wizard.engine.mailbox.findings import MailboxError, finding_of

        raise MailboxError(finding_of(problem, place)) from None


def _words_of(endpoint: Endpoint) -> Shown:
    return shown(str(endpoint), 120)
