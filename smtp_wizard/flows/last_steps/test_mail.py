"""The step 'Test mail' without a face: one message to another mailbox, and whether it was seen there.

The message carries a code word, so that nobody takes an older one for it. What was refused is mended here: another
address, another sender; another password is a step before.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from typing import Protocol

from smtp_wizard.engine.accounts.guarded_sign_in import paused, refused
from smtp_wizard.engine.base.errors import InputError
from smtp_wizard.engine.base.stages import Depth, Stage, Verdict
from smtp_wizard.engine.checks.code_words import is_word, new_word
from smtp_wizard.engine.checks.events import Emit, Event, Line, RunFinished
from smtp_wizard.engine.checks.progress import CheckProgress
from smtp_wizard.engine.checks.report import Report
from smtp_wizard.engine.diagnosis.finding import Finding
from smtp_wizard.engine.providers.catalog import Catalog
from smtp_wizard.engine.secrets.store_kinds import StoreRef
from smtp_wizard.engine.secrets.vault import VaultStore
from smtp_wizard.engine.services.check_options import CheckOptions
from smtp_wizard.engine.wizard.draft import Draft, Proof, ReportedArrival
from smtp_wizard.engine.wizard.steps import Back, Next
from smtp_wizard.flows.accounts.action import ActionResult
from smtp_wizard.flows.accounts.arrival import ArrivalActions, MessageAction
from smtp_wizard.flows.check_view import CheckView, finding_card, running_card
from smtp_wizard.flows.flow import Card, Entry, Flow, Leads, Mood, Offer, Section
from smtp_wizard.flows.last_steps.follow_up import FollowUp, found_card, with_arrival
from smtp_wizard.flows.last_steps.test_mail_state import (
    ANSWERED,
    SAVE_ANYWAY,
    WAIT,
    MailTestOffer,
    MailTestPhase,
    MailTestState,
)
from smtp_wizard.flows.vault import UnlockVault, VaultOpened, needs_opening
from smtp_wizard.runtime.expected_errors import EXPECTED_ERRORS
from smtp_wizard.text import test_mail as words
from smtp_wizard.text.areas.arrivals import NO_REASON
from smtp_wizard.text.connect import short_name

OF_INTEREST = (Stage.AUTH, Stage.MAIL, Stage.RCPT, Stage.DATA)
"""What is told while it is sent: that the server answers was seen a step before."""
SENDER_REFUSED = "sender_not_allowed"
"""The cause where the server takes mail from no such sender."""


class SendsTests(Protocol):
    """What is needed of `Checks`."""

    async def check_draft(
        self, draft: Draft, depth: Depth, emit: Emit, *, options: CheckOptions | None = None, token: str = ""
    ) -> Report: ...

    def prove(self, draft: Draft, report: Report, depth: Depth) -> Proof: ...

    async def practice_message(self, token: str) -> tuple[str, ...]: ...


class KnowsStores(Protocol):
    """What is needed of `Tokens`."""

    async def store_of(self, draft: Draft) -> StoreRef | None: ...


class MailTestFlow(Flow[MailTestState, MailTestOffer, Leads]):
    """Sends the test message, and asks what became of it."""

    def __init__(
        self,
        draft: Draft,
        *,
        checks: SendsTests,
        tokens: KnowsStores,
        vault: VaultStore,
        catalog: Catalog,
        now: Callable[[], datetime],
        messages: ArrivalActions | None = None,
    ) -> None:
        """`messages` makes what may be done once the message is sent; None where nothing may."""
        self.draft = draft
        """The answers, with those of this step."""
        self.report: Report | None = None
        """How the last attempt came out."""
        self.heard: list[Line] = []
        """What was said to the server then, and its answers."""
        self.told: Callable[[Event], None] = lambda event: None
        """Called with each event of an attempt, for a face that tells them as they come."""
        self.vault: UnlockVault | None = None
        """Asks for the vault's passphrase, while that must be opened first; `opened` takes what comes of it."""
        self.action: MessageAction | None = None
        """What is gone through in the midst, with questions of its own; `acted` takes what comes of it."""
        self._follow_up = FollowUp(messages, now) if messages is not None else None
        self._checks = checks
        self._tokens = tokens
        self._store = vault
        self._provider = catalog.get(draft.connection.provider)
        self._now = now
        self._typed = ""
        self._progress = CheckProgress()
        self._view = CheckView()
        self._anyway = False
        self._used: set[str] = {draft.test_word} if draft.test_word else set()
        super().__init__(self._first())

    # -- what is asked ----------------------------------------------------------------------------------------------

    def _first(self) -> MailTestState:
        """Whoever comes back need not send again."""
        match self.draft.arrival:
            case ReportedArrival.ARRIVED:
                return self._arrived()
            case ReportedArrival.JUNK:
                return self._junk()
            case ReportedArrival.NOT_YET if self.draft.test_word:
                return self._word()
        return self._refused_before() if self.draft.refused else self._recipient()

    def _recipient(self, card: Card | None = None, error: str = "") -> MailTestState:
        self._typed = self.draft.typed.get("test_to", str(self.draft.test_to or ""))
        entry = Entry(
            label=words.RECIPIENT,
            text=self._typed,
            placeholder=words.practice_recipient(self.draft) or "you.private@example.org",
            hint=words.recipient_hint(self.draft),
            error=error,
        )
        return MailTestState(
            phase=MailTestPhase.RECIPIENT,
            question=words.WHERE_TO,
            entry=entry,
            card=card or Card(mood=Mood.TOLD, title="What is sent", lines=words.what_is_sent(self.draft)),
            offers=(
                Offer(MailTestOffer.SEND, words.SEND_IT),
                Offer(MailTestOffer.SKIP, words.SKIP_IT, chip=words.SKIP_CHIP),
            ),
            sections=(Section("Why another address", words.WHY_ANOTHER), Section("Why a word", words.WHY_A_WORD)),
        )

    def _word(self, error: str = "", card: Card | None = None) -> MailTestState:
        entry = Entry(
            label=words.CODE_WORD,
            text=self._typed,
            placeholder=words.WORD_PLACEHOLDER,
            hint=words.sent_words(self.draft, self._sent_at),
            error=error,
        )
        inbox = [Offer(MailTestOffer.INBOX, words.OPEN_INBOX, words.INBOX_NOTE, chip=words.OPEN_IT)]
        return MailTestState(
            phase=MailTestPhase.WORD,
            question=words.PERHAPS_WHICH_WORD if card is not None and card.mood is Mood.WARNED else words.WHICH_WORD,
            entry=entry,
            card=card,
            offers=(
                Offer(MailTestOffer.SEEN, words.IT_ARRIVED),
                *(inbox if self.draft.connection.sandbox and not _read(card) else ()),
                Offer(MailTestOffer.JUNK, words.IT_IS_JUNK, words.JUNK_NOTE, chip=words.JUNK_CHIP),
                *self._follow_ups[:1],
                Offer(MailTestOffer.NOTHING, words.NOT_THERE, words.NOT_THERE_NOTE, chip=words.NOT_THERE),
            ),
            marked=False,
            note=f"The server took the message: {self._tally}" if self._tally else "",
            sections=(Section("Where it is", words.WHERE_IT_IS), Section("Why a word", words.WHY_A_WORD)),
        )

    def _arrived(self) -> MailTestState:
        card = Card(mood=Mood.PASSED, title=words.WORKS, lines=(words.arrived_words(self.draft),), foot=self._tally)
        return self._answered(MailTestPhase.ARRIVED, words.ARRIVED, card)

    def _junk(self) -> MailTestState:
        lines = (words.JUNK_YOU, words.junk_customers(self.draft, self._provider))
        card = Card(mood=Mood.WARNED, title=words.JUNK_TITLE, lines=lines, foot=self._tally)
        return self._answered(MailTestPhase.JUNK, words.IN_JUNK, card)

    def _answered(self, phase: MailTestPhase, question: str, card: Card) -> MailTestState:
        return MailTestState(phase=phase, question=question, card=card, offers=(*ANSWERED, *self._follow_ups))

    @property
    def _follow_ups(self) -> tuple[Offer[MailTestOffer], ...]:
        return self._follow_up.offers(self.draft) if self._follow_up is not None else ()

    def _followed(self, done: ActionResult, action: MessageAction | None = None) -> MailTestState:
        """Say what was found, beside what is known of the message already."""
        go_on = (WAIT, SAVE_ANYWAY) if self._unseen else ANSWERED[:1]
        return MailTestState(
            phase=MailTestPhase.FOLLOWED,
            question=words.FOLLOWED,
            card=found_card(done, action),
            offers=(*go_on, *self._follow_ups),
        )

    @property
    def _unseen(self) -> bool:
        """Whether nobody has seen the message yet."""
        return self.draft.arrival not in (ReportedArrival.ARRIVED, ReportedArrival.JUNK)

    def _nothing(self) -> MailTestState:
        card = Card(
            mood=Mood.TOLD,
            title=words.nothing_title(self._sent_at, self._now()),
            lines=words.nothing_words(self.draft, self._sent_at),
            foot=self._tally,
        )
        return MailTestState(
            phase=MailTestPhase.NOTHING,
            question=words.NOTHING_YET,
            card=card,
            offers=(
                WAIT,
                Offer(MailTestOffer.ELSEWHERE, words.ELSEWHERE, words.ELSEWHERE_NOTE),
                Offer(MailTestOffer.RETURNED, words.SEE_RETURNED, words.returned_note(self.draft)),
                *self._follow_ups[:1],
                SAVE_ANYWAY,
            ),
        )

    def _returned(self) -> MailTestState:
        card = Card(mood=Mood.TOLD, title=words.returned_title(self.draft), lines=words.RETURNED_WORDS)
        return MailTestState(
            phase=MailTestPhase.RETURNED,
            question=words.CAME_BACK,
            card=card,
            offers=(
                Offer(MailTestOffer.EXPLAIN, words.PASTE_IT, words.PASTE_NOTE),
                WAIT,
                SAVE_ANYWAY,
            ),
        )

    def _not_sent(self, card: Card, *first: Offer[MailTestOffer]) -> MailTestState:
        """Say why it was not sent; `first` are the ways on that fit."""
        elsewhere = Offer(MailTestOffer.ELSEWHERE, words.ELSEWHERE)
        usual = (
            *(() if self.draft.refused else (elsewhere,)),
            Offer(MailTestOffer.AGAIN, words.SAME_AGAIN, chip=words.SEND_IT),
            Offer(MailTestOffer.SKIP, words.SKIP_TEST, chip=words.SKIP_CHIP),
        )
        taken = {each.id for each in first}
        offers = (*first, *(each for each in usual if each.id not in taken))
        return MailTestState(phase=MailTestPhase.NOT_SENT, question=words.NOT_SENT, card=card, offers=offers)

    def _not_tried(self, title: str, why: str) -> MailTestState:
        card = Card(mood=Mood.FAILED, title=title, lines=(why,))
        return self._not_sent(card, Offer(MailTestOffer.AGAIN, words.TRY_AGAIN, chip=words.TRY_AGAIN))

    def _refused_before(self) -> MailTestState:
        card = Card(mood=Mood.FAILED, title=words.REFUSED_TITLE, lines=(words.REFUSED_WORDS,))
        return self._not_sent(card, Offer(MailTestOffer.SIGN_IN, words.CHANGE_SIGN_IN, chip=words.CHANGE_SIGN_IN_CHIP))

    def _sender(self, error: str = "") -> MailTestState:
        entry = Entry(label=words.SENDER, text=self._typed, hint=words.SENDER_HINT, error=error)
        return MailTestState(
            phase=MailTestPhase.SENDER,
            question=words.WHICH_SENDER,
            entry=entry,
            card=self._state.card,
            offers=(
                Offer(MailTestOffer.SEND_AS, words.SEND_IT),
                Offer(MailTestOffer.SKIP, words.SKIP_TEST, chip=words.SKIP_CHIP),
            ),
        )

    # -- what is typed ----------------------------------------------------------------------------------------------

    def type(self, text: str) -> None:
        """Take what stands in the field now; a fault that was said of it is settled."""
        self._typed = text
        if self._state.phase is MailTestPhase.RECIPIENT:
            self._keep_recipient()
        if self._state.entry is not None:
            self._show(replace(self._state, entry=replace(self._state.entry, text=text, error="")))

    @property
    def enter(self) -> Offer[MailTestOffer]:
        """What Enter takes while no row of the list is marked.

        It is the first offer; in practice, while nothing is typed and the message was not read, that is what the word
        is waiting in.
        """
        state = self._state
        inbox = next((each for each in state.offers if each.id is MailTestOffer.INBOX), None)
        return state.offers[0] if inbox is None or self._typed.strip() else inbox

    def _keep_recipient(self) -> None:
        """What cannot be used yet is kept as it was typed; while a message is out, so is another place for one."""
        try:
            to = words.parse_recipient(self.draft, self._typed)
        except InputError:
            to = None
        if to is None or (self.draft.test_word and to != self.draft.test_to):
            self.draft = self.draft.with_typed("test_to", self._typed or None)
        else:
            self.draft = replace(self.draft, test_to=to).with_typed("test_to", None)

    # -- what is done -----------------------------------------------------------------------------------------------

    async def act(self, offer: MailTestOffer) -> Leads | None:
        """As `Flow.act`."""
        match offer:
            case MailTestOffer.SEND:
                await self._send_there()
            case MailTestOffer.SEND_AS:
                await self._send_as()
            case MailTestOffer.AGAIN | MailTestOffer.ANYWAY:
                await self._again(anyway=offer is MailTestOffer.ANYWAY)
            case MailTestOffer.INBOX:
                await self._inbox()
            case MailTestOffer.LOOK | MailTestOffer.REHEARSE:
                self._begin_action(offer)
            case MailTestOffer.SEEN:
                return self._seen()
            case MailTestOffer.ON:
                return Next(self.draft)
            case MailTestOffer.SKIP:
                return Next(replace(self.draft, arrival=ReportedArrival.SKIPPED))
            case MailTestOffer.SIGN_IN:
                return Back(self.draft)
            case MailTestOffer.BACK:
                return self._question_before()
            case _:
                self._turn_to(offer)
        return None

    def _question_before(self) -> Leads | None:
        phase = self._state.phase
        if phase in (MailTestPhase.RECIPIENT, MailTestPhase.ARRIVED) or (
            phase is MailTestPhase.NOT_SENT and self.draft.refused
        ):
            return Back(self.draft)
        self._typed = ""
        if phase is MailTestPhase.FOLLOWED:
            self._show(self._first())
            return None
        if phase is MailTestPhase.JUNK:  # that was a mistake
            self.draft = replace(self.draft, arrival=ReportedArrival.NOT_YET)
        before = {
            MailTestPhase.JUNK: self._word,
            MailTestPhase.NOTHING: self._word,
            MailTestPhase.RETURNED: self._nothing,
        }
        self._show(before.get(phase, self._recipient)())
        return None

    def _turn_to(self, offer: MailTestOffer) -> None:
        """Show what an answer leads to, where nothing is done for it."""
        match offer:
            case MailTestOffer.JUNK:
                self.draft = replace(self.draft, arrival=ReportedArrival.JUNK)
                self._show(self._junk())
            case MailTestOffer.NOTHING:
                self._show(self._nothing())
            case MailTestOffer.RETURNED:
                self._show(self._returned())
            case MailTestOffer.WAIT:
                self._typed = ""
                self._show(self._word())
            case MailTestOffer.ELSEWHERE:
                self._show(self._recipient())
            case MailTestOffer.SENDER:
                self._typed = self._likely_sender()
                self._show(self._sender())

    def _likely_sender(self) -> str:
        """Return the address that the server is most likely to take: that of the sign-in."""
        username = self.draft.connection.username
        likely = username if "@" in username else str(self.draft.address or "")
        return likely if likely != str(self.draft.from_address) else ""

    def _seen(self) -> Leads | None:
        if is_word(self._typed, self.draft.test_word):
            return Next(replace(self.draft, arrival=ReportedArrival.ARRIVED))
        error = words.wrong_word(self.draft) if self._typed.strip() else words.LACKING_WORD
        self._show(self._word(error, self._state.card))
        return None

    def _begin_action(self, offer: MailTestOffer) -> None:
        if self._follow_up is None or offer not in {each.id for each in self._state.offers}:
            return  # it was offered of another message
        try:
            self.action = self._follow_up.action(offer, self.draft)
        except EXPECTED_ERRORS as problem:
            self._show(self._followed(ActionResult(trouble=str(problem))))

    def acted(self, done: ActionResult) -> None:
        """Show what came of `action`."""
        action, self.action = self.action, None
        self.draft = with_arrival(self.draft, action)
        if done.said or done.trouble:
            self._show(self._followed(done, action))

    async def _send_there(self, *, insisting: bool = False, anyway: bool = False) -> None:
        """Send to the address in the field. What was refused goes out again only where the person insists.

        `anyway`: although it may lock the account. That yes is for this attempt, even if nothing comes of it.
        """
        self._anyway = anyway
        try:
            to = words.parse_recipient(self.draft, self._typed)
        except InputError as problem:
            self._show(self._recipient(error=str(problem)))
            return
        self.draft = replace(self.draft, test_to=to).with_typed("test_to", None)
        if self.draft.refused and not insisting:
            self._show(self._refused_before())
        else:
            await self._send()

    async def _send_as(self) -> None:
        try:
            sender = words.parse_sender(self._typed)
        except InputError as problem:
            self._show(self._sender(str(problem)))
            return
        other = sender if sender != self.draft.address else None
        self.draft = replace(self.draft, identity=replace(self.draft.identity, sender=other))
        self._typed = str(self.draft.test_to or "")
        await self._send_there()

    async def _again(self, *, anyway: bool) -> None:
        self._typed = str(self.draft.test_to or "")
        await self._send_there(insisting=True, anyway=anyway)

    # -- sending ----------------------------------------------------------------------------------------------------

    async def _send(self) -> None:
        """Send, once the vault is open where it is needed; say what came of it."""
        try:
            if await needs_opening(self._store, await self._tokens.store_of(self.draft)):
                self.vault = UnlockVault(self._store)
                return
            await self._attempt()
        except EXPECTED_ERRORS as problem:
            self._show(self._not_tried(words.NOT_TRIED, str(problem)))

    async def opened(self, result: VaultOpened) -> Leads | None:
        """Go on after the vault was opened, or left shut."""
        self.vault = None
        if result.well:
            await self._send()
        else:
            self._show(self._not_tried(words.VAULT_LOCKED, result.why_not))
        return None

    async def _attempt(self) -> None:
        before, word = self._state, new_word(self._used)
        options = CheckOptions(ignore_lockout=self._anyway)
        self._anyway = False
        self.heard, self._progress, self._view = [], CheckProgress(), CheckView()
        self._show(self._sending())
        try:
            report = await self._checks.check_draft(self.draft, Depth.SEND, self._take, options=options, token=word)
        except asyncio.CancelledError:
            self._stopped(before, word)
            raise
        except BaseException:
            self._show(before)
            raise
        self._used.add(word)
        self._show(self._outcome(report, word))

    def _sending(self) -> MailTestState:
        told = replace(self._view, results=tuple(each for each in self._view.results if each.stage in OF_INTEREST))
        card = running_card(told, words.SENDING, short_name(self._provider))
        return MailTestState(phase=MailTestPhase.SENDING, question=words.WHERE_TO, entry=self._state.entry, card=card)

    def _take(self, event: Event) -> None:
        self._progress.take(event)
        self.told(event)
        if isinstance(event, Line):
            self.heard.append(event)
            return
        self._view = self._view.after(event)
        if not isinstance(event, RunFinished):
            self._show(self._sending())

    def _stopped(self, before: MailTestState, word: str) -> None:
        """The person stopped it, perhaps while the message was being handed over."""
        self._used.add(word)
        if self._progress.sent:
            self._went_out(word)
            self._show(self._word())
        else:
            self._show(self._perhaps_sent(word) if self._progress.perhaps_sent else before)

    def _went_out(self, word: str) -> None:
        self.draft = replace(self.draft, test_word=word, arrival=ReportedArrival.NOT_YET)
        self._typed = ""

    def _perhaps_sent(self, word: str, tally: str = "") -> MailTestState:
        """Ask for the word all the same: who finds the message must not have to send a second one."""
        self._went_out(word)
        lines = (words.PERHAPS_WORDS,)
        return self._word(card=Card(mood=Mood.WARNED, title=words.PERHAPS_TITLE, lines=lines, foot=tally))

    def _outcome(self, report: Report, word: str) -> MailTestState:
        self.report = report
        data = report.result(Stage.DATA)
        perhaps = data is not None and data.verdict is Verdict.UNKNOWN
        taken = report.verdict in (Verdict.PASS, Verdict.WARN)
        if taken or refused(report):
            # What was proved before holds no longer where the sign-in is refused, on the way back either.
            self.draft = replace(self.draft, proof=self._checks.prove(self.draft, report, Depth.SEND))
        if perhaps:
            return self._perhaps_sent(word, self._tally)
        if taken:
            self._went_out(word)
            return self._word()
        return self._failed(report)

    def _failed(self, report: Report) -> MailTestState:
        finding = next(iter(report.findings), None)
        card = finding_card(self._view, finding) if finding is not None else _no_reason(self._tally)
        if paused(report) is not None:
            return replace(
                self._not_sent(
                    card,
                    Offer(MailTestOffer.SKIP, words.PAUSED_NO, words.PAUSED_NO_NOTE),
                    Offer(MailTestOffer.ANYWAY, words.PAUSED_YES),
                ),
                marked=True,
            )
        if refused(report):
            return self._not_sent(
                card, Offer(MailTestOffer.SIGN_IN, words.CHANGE_SIGN_IN, chip=words.CHANGE_SIGN_IN_CHIP)
            )
        return self._not_sent(card, *self._mending(report, finding))

    def _mending(self, report: Report, finding: Finding | None) -> tuple[Offer[MailTestOffer], ...]:
        """Return what mends a message that was not taken, first of all ways on."""
        mend = Offer(MailTestOffer.SENDER, words.MEND_SENDER, words.MEND_SENDER_NOTE, chip=words.CHANGE_SIGN_IN_CHIP)
        if finding is not None and SENDER_REFUSED in (finding.code, finding.broadly):
            return (mend,)
        stage = next((each.stage for each in report.results if each.verdict is Verdict.FAIL), None)
        return (Offer(MailTestOffer.AGAIN, words.SAME_AGAIN, chip=words.SEND_IT), mend) if stage is Stage.MAIL else ()

    async def _inbox(self) -> None:
        """Show the message as it came to the practice mailbox."""
        mood, lines = Mood.TOLD, tuple[str, ...]()
        try:
            lines = await self._checks.practice_message(self.draft.test_word)
        except EXPECTED_ERRORS as problem:
            mood, lines = Mood.FAILED, (str(problem),)
        card = Card(mood=mood, title=words.INBOX_TITLE, lines=lines or (words.INBOX_EMPTY,))
        self._show(self._word(card=card))

    # -- what is known ----------------------------------------------------------------------------------------------

    @property
    def perhaps_sent(self) -> bool:
        """Whether the message is being handed over, so that nobody knows what becomes of it when this ends now."""
        return self._progress.perhaps_sent

    @property
    def sent(self) -> bool:
        """Whether the server took the message in the last attempt."""
        return self._progress.sent

    @property
    def check(self) -> CheckView:
        """What was seen of the last attempt, as far as it has come."""
        return self._view

    @property
    def _sent_at(self) -> datetime | None:
        proof = self.draft.proof
        return proof.at if proof is not None and proof.depth is Depth.SEND else None

    @property
    def _tally(self) -> str:
        """How many checks have passed in the last attempt; '' where there was none."""
        if self.report is None:
            return ""
        ran = [each for each in self.report.results if each.verdict is not Verdict.SKIPPED]
        good = sum(each.verdict in (Verdict.PASS, Verdict.WARN) for each in ran)
        return words.tally(good, len(self.report.results)) if ran else ""


def _read(card: Card | None) -> bool:
    """Whether a card shows the message as it came to the practice inbox."""
    shown = card is not None and card.title == words.INBOX_TITLE and card.mood is Mood.TOLD
    return card is not None and shown and card.lines != (words.INBOX_EMPTY,)


def _no_reason(tally: str) -> Card:
    return Card(mood=Mood.FAILED, title=words.NOT_SENT, lines=(NO_REASON,), foot=tally)
