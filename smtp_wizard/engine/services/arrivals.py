"""Looks after a message that was sent: whether a copy lies in Sent, and where it arrived."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING, TypeVar

from smtp_wizard.engine.accounts.account import Account
from smtp_wizard.engine.accounts.guarded_sign_in import PAUSED
from smtp_wizard.engine.accounts.saved_accounts import SavedAccounts
from smtp_wizard.engine.accounts.secret_entries import SecretEntries
from smtp_wizard.engine.base.address import Address
from smtp_wizard.engine.base.endpoint import Endpoint
from smtp_wizard.engine.base.secret import Secret
from smtp_wizard.engine.base.shown import NO_WORDS, Shown, phrase, shown
from smtp_wizard.engine.base.threads import in_thread
from smtp_wizard.engine.diagnosis.finding import Finding
from smtp_wizard.engine.lazy_dataclass import dataclass
from smtp_wizard.engine.mailbox.arrival_states import ArrivalState, SentCopy
from smtp_wizard.engine.mailbox.faults import SoughtMail
from smtp_wizard.engine.oauth.errors import OAuthError
from smtp_wizard.engine.providers.catalog import Catalog
from smtp_wizard.engine.secrets.secret_store import SecretError
from smtp_wizard.engine.services.check_options import CheckOptions
from smtp_wizard.engine.services.mailboxes import Mailboxes

if TYPE_CHECKING:
    from smtp_wizard.engine.explain.explain import Explanation
    from smtp_wizard.engine.mailbox.arrival import Arrival, AwaitedBounce, ComeBack
    from smtp_wizard.engine.mailbox.imap_session import ImapSession

T = TypeVar("T")

PATIENCE = timedelta(seconds=60)
"""How long a message is waited for, where nobody says."""
PAUSES = (1.0, 2.0, 3.0, 5.0)
"""Seconds between two looks; the last one again and again."""
_FOR_A_COPY = timedelta(seconds=12)
"""How long a copy in Sent is waited for: a server that files one does so at once."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ExplainedBounce:
    """A bounce, and why it came."""

    bounce: AwaitedBounce
    cause: str
    """Id of a main cause in the taxonomy, or 'unknown'."""
    reason: Finding
    waited: timedelta
    """How long it was waited for."""


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
    bounce: ExplainedBounce | None = None
    """That the message has come back already."""

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
    cause: str = ""
    """Why it came: id of a main cause in the taxonomy, or 'unknown'; '' where it has not come."""
    reason: Finding | None = None
    """What that cause means, where it is another than that the address is nobody's."""
    delayed: bool = False
    """Whether its server has said that the message is late, and nothing more yet."""
    delivered: bool = False
    """Whether the message itself has arrived in the mailbox, so that nothing can come back."""
    unknown: tuple[str, ...] = ()
    """Folders among which Junk may be, where neither the bounce nor Junk was found."""

    @property
    def settled(self) -> bool:
        """Whether it is known what becomes of such mail: it came back for that reason, or every address is taken."""
        return self.reason is None if self.bounce is not None else self.delivered


_NOBODYS = frozenset({"recipient_rejected", "unknown"})
"""Causes that a bounce of such a message may have: not every server says why."""
_FULL = "mailbox_full"


class Arrivals:
    """Looks into mailboxes for one message."""

    def __init__(
        self,
        catalog: Catalog,
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
        self._catalog = catalog
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

        began = self._now()
        end = began + patience
        copy, came, why, unread = await self._in_sent(account, secret, code, named, options, end)
        bounce = await self._explained(came, began) if came is not None else None
        other = await in_thread(lambda: self._ours(to))
        if other is None:
            nowhere = Arrival(where=ArrivalState.UNKNOWN)
            return Confirmation(copy=copy, copy_trouble=why, arrival=nowhere, unread_here=unread, bounce=bounce)
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
            bounce=bounce,
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
    ) -> tuple[SentCopy, AwaitedBounce | None, Shown, Finding | None]:
        from smtp_wizard.engine.mailbox.arrival import come_back, sent_copy
        from smtp_wizard.engine.mailbox.faults import ImapFailed
        from smtp_wizard.engine.mailbox.findings import MailboxError

        day = self._yesterday()

        def look(session: ImapSession) -> tuple[SentCopy, AwaitedBounce | None]:
            copy = sent_copy(session, code, day)
            try:
                return copy, come_back(session, code, day).bounce
            except ImapFailed:  # a copy that was seen is there, whatever else cannot be read
                return copy, None

        looks = itertools.count(1)

        def settled(found: tuple[SentCopy, AwaitedBounce | None]) -> bool:
            # A bounce comes a moment after the copy, so there is one more look.
            return found[1] is not None or (next(looks) > 1 and found[0] is not SentCopy.ABSENT)

        soon = min(end, self._now() + _FOR_A_COPY)
        try:
            opened = self._mailboxes.opened(
                account, secret, named=named, options=options, patience=soon - self._now(), sought=SoughtMail.COPY
            )
            async with opened as mailbox:
                copy, bounce = await self._until(lambda: mailbox.do(look), settled, soon)
            return copy, bounce, _NO_FOLDER if copy is SentCopy.UNKNOWN else NO_WORDS, None
        except MailboxError as problem:
            return SentCopy.UNKNOWN, None, problem.words, problem.finding
        except (OAuthError, SecretError) as problem:
            return SentCopy.UNKNOWN, None, problem.words, None

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
            opened = self._mailboxes.opened(
                other, kept, named=named, options=options, patience=left, sought=SoughtMail.MESSAGE
            )
            async with opened as mailbox:
                found = await self._until(lambda: mailbox.do(look), settled, end)
            if found.where is ArrivalState.NO and found.unknown:
                found = replace(found, where=ArrivalState.UNKNOWN)
            return found, NO_WORDS, None
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
        from smtp_wizard.engine.mailbox.arrival import come_back

        began, day = self._now(), self._yesterday()

        def look(session: ImapSession) -> ComeBack:
            return come_back(session, code, day)

        opened = self._mailboxes.opened(account, secret, named=named, options=options, patience=patience)
        async with opened as mailbox:
            found = await self._until(lambda: mailbox.do(look), lambda each: each.bounce is not None, began + patience)
        waited = self._now() - began
        if found.bounce is None:
            late = found.delayed is not None
            return Rehearsal(waited=waited, delayed=late, delivered=found.delivered, unknown=found.unknown)
        why = await self._explained(found.bounce, began)
        other = why.reason if why.cause not in _NOBODYS or why.reason.code == _FULL else None
        return Rehearsal(waited=waited, bounce=found.bounce, cause=why.cause, reason=other)

    async def _explained(self, bounce: AwaitedBounce, began: datetime) -> ExplainedBounce:
        waited = self._now() - began
        found = await in_thread(lambda: self._explanation(bounce.recipient.words))
        return ExplainedBounce(bounce=bounce, cause=found.cause, reason=found.finding, waited=waited)

    def _explanation(self, words: str) -> Explanation:
        from smtp_wizard.engine.explain.error_context import AFTER
        from smtp_wizard.engine.explain.factory import load_explainer

        return load_explainer(self._catalog).explain_text(words, stage=AFTER)

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


_NO_FOLDER = phrase("The mailbox has no folder that is known as Sent.")


def _sends_through(account: Account, server: Endpoint | None) -> bool:
    return server is not None and server.host == account.connection.endpoint.host


def _sign_in_of(account: Account) -> tuple[str, str]:
    """Return where an account signs in, and as whom."""
    connection = account.connection
    return connection.endpoint.host, connection.username
