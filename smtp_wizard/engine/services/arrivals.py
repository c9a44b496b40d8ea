"""Looks after a message that was sent: whether a copy lies in Sent, and where it arrived."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Awaitable, Callable
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING, TypeVar

from smtp_wizard.engine.accounts.account import Account
from smtp_wizard.engine.accounts.guarded_sign_in import PAUSED
from smtp_wizard.engine.accounts.saved_accounts import SavedAccounts
from smtp_wizard.engine.accounts.secret_entries import SecretEntries
from smtp_wizard.engine.base.address import Address
from smtp_wizard.engine.base.endpoint import Endpoint
from smtp_wizard.engine.base.secret import Secret
from smtp_wizard.engine.base.shown import NO_WORDS, Shown, shown
from smtp_wizard.engine.base.threads import in_thread
from smtp_wizard.engine.diagnosis.finding import Finding
from smtp_wizard.engine.lazy_dataclass import dataclass
from smtp_wizard.engine.mailbox.arrival_states import ArrivalState, SentCopy
from smtp_wizard.engine.oauth.errors import OAuthError
from smtp_wizard.engine.secrets.secret_store import SecretError
from smtp_wizard.engine.services.check_options import CheckOptions
from smtp_wizard.engine.services.mailboxes import Mailboxes

if TYPE_CHECKING:
    from smtp_wizard.engine.mailbox.arrival import Arrival, AwaitedBounce
    from smtp_wizard.engine.mailbox.imap_session import ImapSession

T = TypeVar("T")

PATIENCE = timedelta(seconds=60)
"""How long a message is waited for, where nobody says."""
PAUSES = (1.0, 2.0, 3.0, 5.0)
"""Seconds between two looks; the last one again and again."""
_FOR_A_COPY = timedelta(seconds=12)
"""How long a copy in Sent is waited for: a server that files one does so at once."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Confirmation:
    """What can be proved of a message that was sent."""

    copy: SentCopy
    copy_trouble: Shown = NO_WORDS
    """Why that is not known, in a sentence; '' where it is, or the mailbox has no such folder."""
    arrival: Arrival
    arrival_trouble: Shown = NO_WORDS
    """The same of its arrival; '' too where the other mailbox is none of ours."""
    whose: Shown = NO_WORDS
    """The account that it went to, where that is one of ours."""
    unread_here: Finding | None = None
    """What helps where the sender's own mailbox could not be read."""
    unread_there: Finding | None = None
    """The same of the other."""

    @property
    def unread(self) -> Finding | None:
        """What helps where a mailbox could not be read: the sender's own, else the other."""
        return self.unread_here or self.unread_there

    @property
    def paused(self) -> Finding | None:
        """Why nobody signed in to a mailbox, so that no account gets locked; None where that is not so."""
        both = (self.unread_here, self.unread_there)
        return next((each for each in both if each is not None and each.code == PAUSED), None)

    @property
    def paused_whose(self) -> Shown:
        """The account that `paused` is of; '' where that is the sender's own."""
        return self.whose if self.paused is not self.unread_here else NO_WORDS


@dataclass(frozen=True, slots=True, kw_only=True)
class Rehearsal:
    """What became of a message to an address that is nobody's."""

    waited: timedelta
    bounce: AwaitedBounce | None = None
    """None: it has not come, so far."""


class Arrivals:
    """Looks into mailboxes for one message."""

    def __init__(
        self,
        *,
        saved_accounts: SavedAccounts,
        entries: SecretEntries,
        mailboxes: Mailboxes,
        now: Callable[[], datetime],
        pause: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        """`pause` waits for so many seconds."""
        self._saved_accounts = saved_accounts
        self._entries = entries
        self._mailboxes = mailboxes
        self._now = now
        self._pause = pause

    async def confirm(
        self,
        account: Account,
        secret: Secret | None,
        to: Address,
        code: str,
        *,
        named: Endpoint | None = None,
        options: CheckOptions | None = None,
        patience: timedelta = PATIENCE,
    ) -> Confirmation:
        """Look for the message with a code word, in Sent of the account and where it went.

        `named`: the account's IMAP server, as the person named it; an account with a sign-in of its own is read from
        its own. What cannot be read is said; raises `AccountsError`,
        `DataError`.
        """
        from smtp_wizard.engine.mailbox.arrival import Arrival

        end = self._now() + patience
        copy, why, unread = await self._in_sent(account, secret, code, named, options, end)
        other = await in_thread(lambda: self._ours(to))
        if other is None:
            nowhere = Arrival(where=ArrivalState.UNKNOWN)
            return Confirmation(copy=copy, copy_trouble=why, arrival=nowhere, unread_here=unread)
        # The server was named for this sign-in: another password goes there only where it goes when mail is sent.
        may_know = _sign_in_of(other) == _sign_in_of(account) or _sends_through(other, named)
        arrival, why_not, unread_too = await self._in_other(
            other, secret if other.id == account.id else None, code, named if may_know else None, options, end
        )
        return Confirmation(
            copy=copy,
            copy_trouble=why,
            arrival=arrival,
            arrival_trouble=why_not,
            whose=shown(other.name),
            unread_here=unread,
            unread_there=unread_too,
        )

    def _ours(self, to: Address) -> Account | None:
        """Return the saved account whose mailbox an address is."""
        wanted = str(to).casefold()
        accounts = self._saved_accounts.list()
        return next((each for each in accounts if str(each.address).casefold() == wanted), None)

    async def _in_sent(
        self,
        account: Account,
        secret: Secret | None,
        code: str,
        named: Endpoint | None,
        options: CheckOptions | None,
        end: datetime,
    ) -> tuple[SentCopy, Shown, Finding | None]:
        from smtp_wizard.engine.mailbox.arrival import sent_copy
        from smtp_wizard.engine.mailbox.findings import MailboxError

        day = self._yesterday()

        def look(session: ImapSession) -> SentCopy:
            return sent_copy(session, code, day)

        def settled(found: SentCopy) -> bool:
            return found is not SentCopy.ABSENT

        soon = min(end, self._now() + _FOR_A_COPY)
        try:
            opened = self._mailboxes.opened(account, secret, named=named, options=options, patience=soon - self._now())
            async with opened as mailbox:
                return await self._until(lambda: mailbox.do(look), settled, soon), NO_WORDS, None
        except MailboxError as problem:
            return SentCopy.UNKNOWN, problem.words, problem.finding
        except (OAuthError, SecretError) as problem:
            return SentCopy.UNKNOWN, problem.words, None

    async def _in_other(
        self,
        other: Account,
        secret: Secret | None,
        code: str,
        named: Endpoint | None,
        options: CheckOptions | None,
        end: datetime,
    ) -> tuple[Arrival, Shown, Finding | None]:
        from smtp_wizard.engine.mailbox.arrival import Arrival, arrival
        from smtp_wizard.engine.mailbox.findings import MailboxError

        day = self._yesterday()

        def look(session: ImapSession) -> Arrival:
            return arrival(session, code, day)

        def settled(found: Arrival) -> bool:
            return found.where is not ArrivalState.NO

        try:
            kept = secret or await self._entries.secret_of(other)
            left = max(timedelta(0), end - self._now())
            opened = self._mailboxes.opened(other, kept, named=named, options=options, patience=left)
            async with opened as mailbox:
                return await self._until(lambda: mailbox.do(look), settled, end), NO_WORDS, None
        except MailboxError as problem:
            return Arrival(where=ArrivalState.UNKNOWN), problem.words, problem.finding
        except (OAuthError, SecretError) as problem:
            return Arrival(where=ArrivalState.UNKNOWN), problem.words, None

    async def rehearse(
        self,
        account: Account,
        secret: Secret | None,
        code: str,
        *,
        named: Endpoint | None = None,
        options: CheckOptions | None = None,
        patience: timedelta = PATIENCE,
    ) -> Rehearsal:
        """Wait for the bounce of the message with a code word, which went to an address that is nobody's.

        Raises `MailboxError`, `OAuthError`, `SecretError`, `DataError`.
        """
        from smtp_wizard.engine.mailbox.arrival import awaited_bounce

        began, day = self._now(), self._yesterday()

        def look(session: ImapSession) -> AwaitedBounce | None:
            return awaited_bounce(session, code, day)

        opened = self._mailboxes.opened(account, secret, named=named, options=options, patience=patience)
        async with opened as mailbox:
            found = await self._until(lambda: mailbox.do(look), lambda each: each is not None, began + patience)
        waited = self._now() - began
        if found is None:
            return Rehearsal(waited=waited)
        return Rehearsal(waited=waited, bounce=found)

    def _yesterday(self) -> date:
        """The server's day may have begun elsewhere."""
        return (self._now() - timedelta(days=1)).date()

    async def _until(self, look: Callable[[], Awaitable[T]], settled: Callable[[T], bool], end: datetime) -> T:
        """Look until something is settled, or the time is up."""
        for number in itertools.count():
            found = await look()
            pause = PAUSES[min(number, len(PAUSES) - 1)]
            if settled(found) or self._now() + timedelta(seconds=pause) > end:
                return found
            await self._pause(pause)
        raise AssertionError("it counts without end")


def _sends_through(account: Account, server: Endpoint | None) -> bool:
    return server is not None and server.host == account.connection.endpoint.host


def _sign_in_of(account: Account) -> tuple[str, str]:
    """Return where an account signs in, and as whom."""
    connection = account.connection
    return connection.endpoint.host, connection.username
