"""Mail that came back: an account's own mailbox is read, and each failed address stands in a row with what to do."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

from smtp_wizard.engine.accounts.account import Account
from smtp_wizard.engine.accounts.guarded_sign_in import PAUSED
from smtp_wizard.engine.accounts.secret_entries import SecretEntries
from smtp_wizard.engine.base.endpoint import Endpoint, parse_imap
from smtp_wizard.engine.base.errors import InputError
from smtp_wizard.engine.base.secret import Secret
from smtp_wizard.engine.base.threads import in_thread
from smtp_wizard.engine.mailbox.failed_deliveries import FailedDelivery
from smtp_wizard.engine.mailbox.faults import MailboxFault
from smtp_wizard.engine.mailbox.findings import MailboxError
from smtp_wizard.engine.providers.catalog import Catalog
from smtp_wizard.engine.secrets.vault import VaultStore
from smtp_wizard.engine.services.bounces import BounceReport, Bounces
from smtp_wizard.engine.services.check_options import CheckOptions
from smtp_wizard.flows.accounts.action import Action, ActionResult, QuestionNeeded, anyway_question
from smtp_wizard.flows.accounts.password import LACKING
from smtp_wizard.flows.flow import Card, CopyText, Entry, Flow, Mood, Offer, ReadGuide, Section
from smtp_wizard.flows.question import Answer, Question, Topic
from smtp_wizard.runtime.expected_errors import EXPECTED_ERRORS
from smtp_wizard.text.areas.bounces import (
    QUESTION,
    by_reason,
    counted_words,
    grouped,
    meant_words,
    messages_words,
    notes,
    said_words,
    summary,
    why_words,
)
from smtp_wizard.text.areas.on_screens import on_screens, steps_on_screens
from smtp_wizard.text.last_test import date_words

AGE = timedelta(days=30)
"""How far back the mailbox is read."""
NO_ACCOUNT = "No account is saved whose mailbox could be read"
NO_ACCOUNT_WAYS = "Set one up, or paste a message that came back."
ABOUT = Section(
    "What is read",
    (
        "The inbox and Junk of your own mailbox, over IMAP, the last 30 days. Nothing in it is changed.",
        "No address leaves this computer. Automatic replies are left out.",
    ),
)


class BouncesOffer(StrEnum):
    """What may be done."""

    READ = "read"
    COPY = "copy"
    """Copy the address that was probably meant, or the failed one."""
    OTHER = "other"
    """Take the next account."""
    GUIDE = "guide"
    PASTE = "paste"


READ = Offer(BouncesOffer.READ, "Read the mailbox", chip="Read it", key="R")
OTHER = Offer(BouncesOffer.OTHER, "Another account", key="A")
PASTE = Offer(BouncesOffer.PASTE, "Paste a message", key="P")
GUIDE = Offer(BouncesOffer.GUIDE, "Show the guide", key="F6")


@dataclass(frozen=True, slots=True)
class FailedRow:
    """One address in the list, and all that is said of it."""

    address: str
    why: str
    last: str
    final: bool
    """Whether nobody tries it again."""
    sections: tuple[Section, ...]
    copies: str
    """The address that is worth copying."""
    backscatter: bool = False
    """Whether others sent the message."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BouncesState:
    """What a face shows."""

    question: str = QUESTION
    counted: str = ""
    """How many were not reached."""
    account: str = ""
    """Whose mailbox it is; '' where there is no account."""
    rows: tuple[FailedRow, ...] = ()
    at: int = 0
    read: bool = False
    """Whether the mailbox was read."""
    card: Card | None = None
    guide: str = ""
    """The guide that helps with what went wrong."""
    offers: tuple[Offer[BouncesOffer], ...] = (PASTE,)
    """The first one is Enter's."""

    @property
    def sections(self) -> tuple[Section, ...]:
        """What there is to say about the marked address."""
        return self.rows[self.at].sections if self.rows else ()


@dataclass(frozen=True, slots=True)
class PasteLetter:
    """Go where a letter can be pasted."""


class ReadMailbox(Action):
    """Reads the mail that came back to one account; asks for what is lacking."""

    def __init__(
        self, account: Account, bounces: Bounces, entries: SecretEntries, vault: VaultStore, catalog: Catalog
    ) -> None:
        super().__init__("Mail that came back", vault)
        self._account = account
        self._bounces = bounces
        self._entries = entries
        self._catalog = catalog
        self._typed: Secret | None = None
        self._anyway: bool | None = None
        self._named: Endpoint | None = None
        """The server that the person named."""
        self._without: MailboxError | None = None
        """Why it was asked for."""
        self.report: BounceReport | None = None
        """What was found."""

    async def _do(self) -> ActionResult:
        secret = await self._kept_or_typed(self._account, self._entries, self._typed)
        self._show_running(f"Reading the mailbox of '{self._account.name}' ...")
        options = CheckOptions(ignore_lockout=bool(self._anyway))
        try:
            self.report = await self._bounces.read(self._account, secret, AGE, named=self._named, options=options)
        except MailboxError as problem:
            if problem.finding.code == PAUSED and self._anyway is None:
                raise QuestionNeeded(anyway_question(self.state.title, problem.finding)) from None
            if problem.finding.code in _MENDED_BY_NAMING:
                self._without = problem
                raise QuestionNeeded(server_question(self.state.title, problem, self._named)) from None
            raise
        name = self._account.name
        return ActionResult(said=summary(self.report, self.report.deliveries, name, new=False), name=self._account.name)

    def _answered(self, offer: StrEnum) -> ActionResult | None:
        if self.state.about is Topic.LOCKOUT:
            self._anyway = offer is Answer.DO
            return None if self._anyway else ActionResult(name=self._account.name)
        if self.state.about is Topic.IMAP_SERVER:
            return self._server_named(offer)
        if offer is Answer.DO and self.state.about is Topic.PASSWORD:
            typed = self._secret(0)
            if not typed:
                raise InputError(LACKING)
            self._typed = self._catalog.tidied(self._account.connection, typed)
        return super()._answered(offer)

    def _server_named(self, offer: StrEnum) -> ActionResult | None:
        """Take the server in the field; left, what was wrong is told. Raises `InputError`."""
        if offer is Answer.DO:
            self._named = parse_imap(self.state.entries[0].text)
            return None
        return ActionResult(trouble=str(self._without), name=self._account.name, problem=self._without)


_MENDED_BY_NAMING = frozenset(
    {
        MailboxFault.NOT_FOUND,
        MailboxFault.POP3_ONLY,
        MailboxFault.UNCONFIRMED,
        MailboxFault.UNREACHED,
        MailboxFault.NOT_IMAP,
        MailboxFault.NOT_ENCRYPTED,
    }
)


def server_question(title: str, problem: MailboxError, named: Endpoint | None) -> Question:
    """Return the question which server the mailbox is read from, with why it is asked."""
    finding = problem.finding
    entry = Entry(
        label="IMAP server",
        text=str(named) if named is not None else "",
        placeholder="imap.example.com",
        hint="It stands on your provider's help page. The password goes there.",
    )
    return Question(
        title=title,
        about=Topic.IMAP_SERVER,
        lines=(f"{finding.title}.", on_screens(finding.explanation)),
        entries=(entry,),
        offers=(Offer(Answer.DO, "Read it there"), Offer(Answer.LEAVE, "Leave it", key="Esc")),
    )


BouncesLeads = ReadMailbox | CopyText | PasteLetter | ReadGuide


class BouncesFlow(Flow[BouncesState, BouncesOffer, BouncesLeads]):
    """One mailbox after the other."""

    def __init__(
        self,
        accounts: Callable[[], Sequence[Account]],
        bounces: Bounces,
        entries: SecretEntries,
        vault: VaultStore,
        catalog: Catalog,
        *,
        now: Callable[[], datetime],
    ) -> None:
        """`accounts`: reads the saved ones, once `read_accounts` is awaited; before that there is nothing to do."""
        super().__init__(BouncesState(offers=()))
        self._bounces = bounces
        self._entries = entries
        self._vault = vault
        self._catalog = catalog
        self._now = now
        self._read = accounts
        self._accounts: tuple[Account, ...] = ()
        self._number = 0
        self._before = self.state
        """What was read before the mailbox is read again."""

    async def read_accounts(self) -> None:
        """Read the saved accounts, beside the event loop, and show whose mailbox can be read."""
        try:
            found = await in_thread(self._read)
        except EXPECTED_ERRORS as problem:
            self._show(BouncesState(card=Card(mood=Mood.FAILED, title=str(problem))))
            return
        self._accounts = tuple(each for each in found if each.connection.may_have_mailbox)
        if not self._accounts:
            self._show(BouncesState(card=Card(mood=Mood.TOLD, title=NO_ACCOUNT, lines=(NO_ACCOUNT_WAYS,))))
        else:
            self._show(self._unread())

    def _unread(self) -> BouncesState:
        return BouncesState(account=self._accounts[self._number].name, offers=self._offers(READ))

    def _offers(self, *first: Offer[BouncesOffer]) -> tuple[Offer[BouncesOffer], ...]:
        return (*first, *((OTHER,) if len(self._accounts) > 1 else ()), PASTE)

    def choose(self, at: int) -> None:
        """Mark another row; beyond the ends, the first or the last."""
        at = max(0, min(at, len(self.state.rows) - 1))
        if self.state.rows and at != self.state.at:
            self._show(self._marked(replace(self.state, at=at)))

    def _marked(self, state: BouncesState, more: Sequence[Offer[BouncesOffer]] = ()) -> BouncesState:
        row = state.rows[state.at]
        verb = "Copy the address that was meant" if row.copies != row.address else "Copy the address"
        chip = "Copy what was meant" if row.copies != row.address else "Copy the address"
        copy = Offer(BouncesOffer.COPY, verb, chip=chip)
        return replace(state, offers=self._offers(copy, replace(READ, verb="Read it again", chip=""), *more))

    async def act(self, offer: BouncesOffer) -> BouncesLeads | None:
        """Return what is to be gone through, copied or read; another account is taken at once."""
        match offer:
            case BouncesOffer.READ if self._accounts:
                account = self._accounts[self._number]
                return ReadMailbox(account, self._bounces, self._entries, self._vault, self._catalog)
            case BouncesOffer.COPY if self.state.rows:
                return CopyText(self.state.rows[self.state.at].copies)
            case BouncesOffer.OTHER if self._accounts:
                self._number = (self._number + 1) % len(self._accounts)
                self._show(self._unread())
            case BouncesOffer.GUIDE if self.state.guide:
                return ReadGuide(self.state.guide)
            case BouncesOffer.PASTE:
                return PasteLetter()
        return None

    def begin(self) -> None:
        """Show that the mailbox is being read."""
        self._before = self.state
        card = Card(mood=Mood.RUNNING, title="Reading the mailbox", foot="Esc stops")
        self._show(replace(self._unread(), card=card, offers=()))

    def asks(self) -> None:
        """Show that nothing goes on before a question is answered."""
        self._show(replace(self._unread(), card=Card(mood=Mood.TOLD, title="Waiting for your answer"), offers=()))

    def stopped(self) -> None:
        """Show that reading was given up: what was read before stays."""
        if self._accounts:
            self._show(self._before)

    def take(self, action: ReadMailbox, done: ActionResult) -> None:
        """Show what came of reading."""
        if action.report is None:
            self._show(self._failed(done))
            return
        report, account = action.report, self._accounts[self._number]
        self._bounces.remember(account, report)
        now = self._now()
        rows = tuple(failed_row(group, now) for group in grouped(report.deliveries))
        rows = tuple(sorted(rows, key=lambda row: not row.final))
        lines = tuple(map(str, notes(report, options=False)))
        card = Card(mood=Mood.TOLD, title="Good to know", lines=lines) if lines else None
        counted = [row.final for row in rows if not row.backscatter]
        question, waiting = counted_words(counted, complete=report.complete)
        told = " · ".join(filter(None, (waiting, f"{account.name}, since {date_words(report.since, now)}")))
        state = replace(self._unread(), rows=rows, read=True, card=card, question=question, counted=told)
        self._show(self._marked(state) if rows else state)

    def _failed(self, done: ActionResult) -> BouncesState:
        """Return what was there before, with what went wrong now."""
        before = self._before if self._before.rows else self._unread()
        if not done.trouble:
            return before
        finding = done.problem.finding if isinstance(done.problem, MailboxError) else None
        if finding is None:
            return replace(before, card=Card(mood=Mood.FAILED, title=done.trouble))
        lines = (on_screens(finding.explanation), *steps_on_screens(finding.steps))
        guide = finding.guide or ""
        more = (GUIDE,) if guide else ()
        card = Card(mood=Mood.FAILED, title=finding.title, lines=lines)
        state = replace(before, card=card, guide=guide, offers=self._offers(READ, *more))
        return self._marked(state, more) if state.rows else state


def failed_row(group: Sequence[FailedDelivery], now: datetime) -> FailedRow:
    """Return the row of an address, and what there is to say of it: of each reason its own messages."""
    first, *others = by_reason(group)
    newest = first[0]
    meant = (meant_words(newest),) if newest.did_you_mean else ()
    also = tuple(f"Besides: {why_words(same[0])} {messages_words(len(same))}" for same in others)
    sections = [Section(newest.address, (why_words(newest), *meant, *also)), *_reason_sections(first, now)]
    for same in others:
        sections += [Section("Besides", (why_words(same[0]),)), *_reason_sections(same, now)]
    return FailedRow(
        address=newest.address,
        why=f"{newest.why}, and {len(others)} more" if others else newest.why,
        last=_day(group[0].at, now),
        final=newest.final,
        sections=tuple(sections),
        copies=newest.did_you_mean or newest.address,
        backscatter=newest.backscatter,
    )


def _reason_sections(same: Sequence[FailedDelivery], now: datetime) -> Iterator[Section]:
    newest = same[0]
    yield Section("What to do", steps_on_screens(newest.steps))
    if newest.server_said:
        yield Section("The server's words", (said_words(newest),))
    if newest.forward:
        yield Section("The message to send", tuple(filter(None, newest.forward.splitlines())))
    mails = tuple(f"{_day(each.sent_at or each.at, now)}  {each.subject}" for each in same[:_MOST_MAILS])
    more = (f"... and {len(same) - _MOST_MAILS} more",) if len(same) > _MOST_MAILS else ()
    yield Section("Your messages", (*mails, *more))


def _day(moment: datetime | None, now: datetime) -> str:
    """Return a day as one speaks of it."""
    if moment is None:
        return ""
    days = (now.astimezone().date() - moment.astimezone().date()).days
    return "today" if days == 0 else "yesterday" if days == 1 else date_words(moment, now)


_MOST_MAILS = 20
