"""Reads the mail that came back to an account, and remembers what was shown."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from contextlib import suppress
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING

from smtp_wizard.engine.accounts.account import Account
from smtp_wizard.engine.accounts.saved_accounts import SavedAccounts
from smtp_wizard.engine.base.endpoint import Endpoint
from smtp_wizard.engine.base.secret import Secret
from smtp_wizard.engine.base.shown import Shown, phrase, shown
from smtp_wizard.engine.base.threads import in_thread
from smtp_wizard.engine.lazy_dataclass import dataclass
from smtp_wizard.engine.mailbox.findings import MailboxError
from smtp_wizard.engine.providers.catalog import Catalog
from smtp_wizard.engine.services.check_options import CheckOptions
from smtp_wizard.engine.services.mailboxes import Mailboxes, OpenMailbox
from smtp_wizard.engine.state.mailbox_marks import FolderMark

if TYPE_CHECKING:
    from smtp_wizard.engine.explain.explain import Explainer
    from smtp_wizard.engine.mailbox.bounce_scan import Correspondence, FoundLetter, Scan
    from smtp_wizard.engine.mailbox.failed_deliveries import FailedDelivery


MOST_COMPARED = 500
"""Addresses that failed which are compared with those that were written to."""


@dataclass(frozen=True, slots=True, kw_only=True)
class UnreadableLetter:
    """A letter that reports a failure, but not, or not for all, to which address. Its words are fit to show."""

    at: datetime | None
    """Aware."""
    subject: Shown
    """Its own."""
    new: bool
    """Whether it was not shown before."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BounceReport:
    """What came back to an account."""

    since: datetime
    """Aware."""
    server: Shown
    """The IMAP server: 'imap.example.com:993'."""
    scanned: int
    """Letters that the server was asked about this time."""
    fetched: int
    """Octets of letters that were fetched."""
    deliveries: tuple[FailedDelivery, ...]
    """Grouped by address, the newest first."""
    auto_replies: int
    cut_off: bool
    """Whether letters were left out, since there were too many: a shorter time shows all."""
    marks: Mapping[str, FolderMark]
    keys: Sequence[str]
    """By which the letters that `deliveries` tell of are known again, the newest first."""
    unread: tuple[Shown, ...] = ()
    """Folders that could not be read."""
    unknown: tuple[Shown, ...] = ()
    """Folders among which Junk may be, where none was found."""
    unreadable: tuple[UnreadableLetter, ...] = ()
    """Letters that report a failure, but not, or not for all, to which address: the newest first."""
    crowded: int = 0
    """Letters that name more addresses than are read of one."""
    not_handed_out: int = 0
    """Letters that the server was asked for and did not send."""
    rehearsed: int = 0
    """Messages among what came back that went to nobody on purpose; `deliveries` has none of them."""

    @property
    def complete(self) -> bool:
        """Whether all that came back was read."""
        left_out = (self.unread, self.unknown, self.unreadable, self.crowded, self.not_handed_out)
        return not self.cut_off and not any(left_out)


class Bounces:
    """Reads the mail that came back."""

    def __init__(
        self,
        *,
        catalog: Catalog,
        saved_accounts: SavedAccounts,
        mailboxes: Mailboxes,
        now: Callable[[], datetime],
    ) -> None:
        """What was shown is remembered in the state of `saved_accounts`."""
        self._catalog = catalog
        self._saved_accounts = saved_accounts
        self._mailboxes = mailboxes
        self._now = now
        self._explainer: Explainer | None = None

    async def read(
        self,
        account: Account,
        secret: Secret | None,
        age: timedelta,
        *,
        named: Endpoint | None = None,
        options: CheckOptions | None = None,
    ) -> BounceReport:
        """Return what came back in the last time. `named`: the IMAP server that the person named.

        Raises as `Mailboxes.opened`. Nothing in the mailbox is changed; what was found is not remembered yet.
        """
        from smtp_wizard.engine.mailbox.bounce_scan import scan
        from smtp_wizard.engine.mailbox.mailbox_file import load_mailboxes

        since = self._now() - age
        day = (since - timedelta(days=1)).date()  # the server's days may begin elsewhere
        words = (await in_thread(load_mailboxes)).returned
        own = (str(account.address), account.address.wire, account.connection.username, str(account.from_address))
        async with self._mailboxes.opened(account, secret, named=named, options=options) as mailbox:
            server = _words_for(mailbox.server.endpoint)
            marks = await in_thread(lambda: self._saved_accounts.state.mailboxes.folders(account.id, server))
            found = await mailbox.do(lambda session: scan(session, day, words, marks, own))
            endings = await in_thread(lambda: self._endings(found))
            also = await in_thread(self._addresses_saved)
            sent = await self._correspondence(mailbox, found, endings, own, also, day)
        meant = self._meant(endings, sent.recipients)
        also |= sent.senders
        return await in_thread(lambda: self._report(account, since, mailbox, found, meant, own, also))

    def _report(
        self,
        account: Account,
        since: datetime,
        mailbox: OpenMailbox,
        found: Scan,
        meant: Callable[[str], str],
        own: Iterable[str],
        also: Collection[str],
    ) -> BounceReport:
        from smtp_wizard.engine.mailbox.failed_deliveries import failed_deliveries, letters_since
        from smtp_wizard.engine.mailbox.rehearsals import is_nobodys

        unreadable = tuple(letters_since(found.unreadable, since))
        seen = self._saved_accounts.state.mailboxes.shown(account.id)
        named = (said.address for each in letters_since(found.letters, since) for said in each.letter.recipients)
        return BounceReport(
            since=since,
            server=_words_for(mailbox.server.endpoint),
            scanned=found.scanned,
            fetched=found.fetched,
            deliveries=failed_deliveries(found.letters, self._loaded(), meant, seen, since, own, also),
            auto_replies=found.auto_replies,
            cut_off=found.cut_off,
            marks=found.marks,
            keys=_keys([*letters_since(found.letters, since), *unreadable]),
            unread=tuple(shown(each, 80) for each in found.unread),
            unknown=tuple(shown(each, 80) for each in found.unknown),
            unreadable=_unreadable_letters(unreadable, seen),
            crowded=sum(each.letter.has_more for each in letters_since(found.letters, since)),
            not_handed_out=found.not_handed_out,
            rehearsed=len({each for each in named if is_nobodys(each)}),
        )

    def _endings(self, found: Scan) -> Mapping[str, str]:
        """Return each address that failed, with what was meant by its ending, or ''."""
        failed = {recipient.address for each in found.letters for recipient in each.letter.recipients}
        return {each: self._by_ending(each) for each in failed}

    def _addresses_saved(self) -> frozenset[str]:
        """Return the addresses of all saved accounts: one may receive what comes back to another."""
        accounts = self._saved_accounts.list()
        return frozenset(
            str(each).casefold() for account in accounts for each in (account.address, account.from_address)
        )

    async def _correspondence(
        self,
        mailbox: OpenMailbox,
        found: Scan,
        endings: Mapping[str, str],
        own: Iterable[str],
        also: Collection[str],
        day: date,
    ) -> Correspondence:
        """Return whom was written to, and from where, if anything is to be compared with it."""
        from smtp_wizard.engine.mailbox.bounce_scan import Correspondence, correspondence
        from smtp_wizard.engine.mailbox.failed_deliveries import senders_of_others

        if all(endings.values()) and not senders_of_others(found.letters, own, also):
            return Correspondence()
        with suppress(MailboxError):  # without it nothing is offered, and all else is told
            return await mailbox.do(lambda session: correspondence(session, day))
        return Correspondence()

    def _meant(self, endings: Mapping[str, str], written_to: Collection[str]) -> Callable[[str], str]:
        """Return what says what was probably meant with an address: by its ending, or by whom was written to before.

        Where a provider gives out addresses to everybody, one letter off is another customer, or a stranger.
        """
        from smtp_wizard.engine.mailbox.failed_deliveries import one_letter_off

        open_ones = [each for each, meant in endings.items() if not meant and not self._is_for_everybody(each)]
        compared = frozenset(sorted(open_ones)[:MOST_COMPARED])
        near = one_letter_off(set(written_to) - {each.casefold() for each in endings})
        return lambda address: endings.get(address) or (near(address) if address in compared else "")

    def _is_for_everybody(self, address: str) -> bool:
        return self._catalog.by_domain(address.rpartition("@")[2]) is not None

    def _by_ending(self, address: str) -> str:
        local, _, domain = address.rpartition("@")
        meant = self._catalog.suggest(domain)
        return f"{local}@{meant}" if meant else ""

    def _loaded(self) -> Explainer:
        if self._explainer is None:
            from smtp_wizard.engine.explain.factory import load_explainer

            self._explainer = load_explainer(self._catalog)
        return self._explainer

    def remember(self, account: Account, report: BounceReport) -> None:
        """Keep what was looked at, and that it was shown."""
        if account.id:
            self._saved_accounts.state.mailboxes.keep(account.id, report.server, report.marks, report.keys, self._now())


def _words_for(server: Endpoint) -> Shown:
    return phrase("{}:{}", shown(server.host, 100), server.port)


def _unreadable_letters(letters: Sequence[FoundLetter], seen: Collection[str]) -> tuple[UnreadableLetter, ...]:
    from smtp_wizard.engine.mailbox.failed_deliveries import NEVER, moment_of

    unlike = {each.key: each for each in letters}
    newest = sorted(unlike.values(), key=lambda each: moment_of(each) or NEVER, reverse=True)
    return tuple(
        UnreadableLetter(at=moment_of(each), subject=shown(each.letter.own_subject, 200), new=each.key not in seen)
        for each in newest
    )


def _keys(letters: Iterable[FoundLetter]) -> Sequence[str]:
    """Return the keys of letters, each once: the newest first, and last those of which nobody knows when they came."""
    from smtp_wizard.engine.mailbox.failed_deliveries import NEVER, moment_of

    newest = sorted(letters, key=lambda each: moment_of(each) or NEVER, reverse=True)
    return tuple(dict.fromkeys(each.key for each in newest))
