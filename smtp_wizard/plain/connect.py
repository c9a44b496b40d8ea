"""Connect: the guide, the password, and one sign-in at a time, as questions in lines of text."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum

from smtp_wizard.engine.base.connection import Auth
from smtp_wizard.engine.guides.guides import Guide, as_text
from smtp_wizard.engine.wizard.draft import Draft
from smtp_wizard.flows.check_view import CheckView
from smtp_wizard.flows.connect import ConnectFlow
from smtp_wizard.flows.connect_state import ConnectOffer, ConnectPhase, ConnectState, CursorPlace
from smtp_wizard.flows.flow import Card
from smtp_wizard.flows.guide_ticks import GuideView
from smtp_wizard.output.plain_lines import TRANSCRIPT_LEGEND, WIDTH, result_lines, transcript_line
from smtp_wizard.plain.conversation import Choice, Conversation, GoBack
from smtp_wizard.plain.step_questions import StepContext, StepOutcome
from smtp_wizard.plain.waiting import awaited
from smtp_wizard.runtime.expected_errors import EXPECTED_ERRORS
from smtp_wizard.text.connect import done_words
from smtp_wizard.text.wizard import filled_guide


def connect(talk: Conversation, context: StepContext, draft: Draft) -> StepOutcome:
    """Sign in, once an answer; go on when that has worked. Raises `Quit`."""
    services = context.services
    flow = ConnectFlow(
        draft,
        catalog=services.catalog,
        checks=services.checks,
        scans=services.scans,
        tokens=services.tokens,
        vault=services.stores.vault,
        guides=context.guides,
        lingers=False,
    )
    return _Connect(talk, context, flow).run()


def show_guide(talk: Conversation, context: StepContext, draft: Draft, guide_id: str) -> None:
    """Print a guide, with what is known put in; where it cannot be read, say so."""
    try:
        guide = filled_guide(context.guides, guide_id, context.services.catalog.get(draft.connection.provider), draft)
    except EXPECTED_ERRORS as problem:
        talk.say(str(problem))
    else:
        _print_guide(talk, guide)


def _print_guide(talk: Conversation, guide: Guide) -> None:
    talk.show([*as_text(guide, WIDTH).splitlines(), ""])


class _Look(StrEnum):
    """What only this face offers: a screen has keys for it."""

    GUIDE = "guide"
    DETAILS = "details"


_HIDDEN = "What you type does not appear, not even as stars."
_WORDS: Mapping[ConnectOffer, str] = {
    ConnectOffer.FIX: "fix",
    ConnectOffer.SIGN_IN: "again",
    ConnectOffer.SAME: "same",
    ConnectOffer.ANYWAY: "anyway",
    ConnectOffer.NETWORK: "network",
    ConnectOffer.CHANGE: "settings",
}
"""What may be typed in place of a number."""
Row = Choice[ConnectOffer | _Look]


class _Connect:
    """Asks what the flow wants, says what it tells, and hands over what is chosen."""

    def __init__(self, talk: Conversation, context: StepContext, flow: ConnectFlow) -> None:
        self.talk = talk
        self.context = context
        self.flow = flow
        self._told = CheckView()
        self._card: Card | None = None
        """The card that was told last."""
        self._running = ""
        flow.changed = self._follow

    @property
    def state(self) -> ConnectState:
        """What the flow shows now."""
        return self.flow.state

    def run(self) -> StepOutcome:
        """Return where the step leads. Raises `Quit`."""
        self._begin()
        leads: StepOutcome | None = None
        while leads is None:
            try:
                offer = self._wanted()
            except GoBack:
                offer = next(each.id for each in self.state.offers if each.key == "Esc")
            leads = self._act(offer)
        return leads

    def _begin(self) -> None:
        connection, guide = self.flow.draft.connection, self.state.guide
        if guide is not None and not self.context.backwards and connection.auth is not Auth.XOAUTH2:
            _print_guide(self.talk, guide.guide)
        self.talk.say(self.state.settings)
        self.talk.say(self.state.question)
        for line in self.state.notes:
            self.talk.say(line)
        self._tell()

    # -- asking -----------------------------------------------------------------------------------------------------

    def _wanted(self) -> ConnectOffer:
        """Ask for what is to be typed now, or for one of the offers. Raises `GoBack`."""
        state = self.state
        if state.passphrase is not None:
            self.flow.type_passphrase(self.talk.secret(f"{state.passphrase.label}, not shown", optional=True))
            return ConnectOffer.UNLOCK
        if state.at is ConnectPhase.TYPING and state.offers[0].id is ConnectOffer.SIGN_IN:
            return self._filled_in()
        return self._chosen()

    def _filled_in(self) -> ConnectOffer:
        """Ask for what is typed; 'back' leads from the password to the user name. Raises `GoBack`."""
        while True:
            if self.state.username is not None:
                entry = self.state.username
                self.flow.type_username(self.talk.ask(entry.label, str, default=entry.text, help=entry.hint))
            try:
                self._secret_typed()
            except GoBack:
                if self.state.username is None:
                    raise
                continue
            return ConnectOffer.SIGN_IN

    def _secret_typed(self) -> None:
        """Ask for the password; what is unusual in it is pointed out, since it cannot be seen. Raises `GoBack`."""
        while (entry := self.state.secret) is not None:
            before = self.flow.secret_text
            keeps = " (Enter: the one from before)" if before else ""
            text = self.talk.secret(f"{entry.label}, not shown{keeps}", optional=True, help=f"{entry.hint}. {_HIDDEN}")
            if not text:
                return
            self.flow.type_secret(text)
            doubt = self.state.doubt
            if not doubt or self.talk.yes(doubt, yes="Sign in with it all the same", no="Type it again"):
                return
            self.flow.type_secret(before)

    def _chosen(self) -> ConnectOffer:
        """Ask for one of the offers; the first is what Enter takes. Raises `GoBack`."""
        while True:
            question = "" if self.state.asks else "What now? ('back' leads to the step before.)"
            chosen = self.talk.choose(question, self._rows())
            match chosen:
                case _Look.GUIDE if self.state.guide is not None:
                    _print_guide(self.talk, self.state.guide.guide)
                case _Look.DETAILS:
                    self.talk.show([TRANSCRIPT_LEGEND, *(transcript_line(line) for line in self.flow.transcript)])
                case ConnectOffer.SIGN_IN if self.state.aim in (CursorPlace.SECRET, CursorPlace.USERNAME):
                    return self._filled_in()
                case ConnectOffer():
                    return chosen

    def _rows(self) -> list[Row]:
        state = self.state
        rows: list[Row] = [
            Choice(each.id, each.verb, about=each.note, word=_WORDS.get(each.id, ""), also=self._also(each.id))
            for each in state.offers
            if each.key != "Esc" or len(state.offers) == 1 or state.asks
        ]
        if state.guide is not None and state.at is ConnectPhase.FAILED:
            rows.append(Choice(_Look.GUIDE, f"Guide: {state.guide.guide.title}", word=_Look.GUIDE))
        if self.flow.transcript and not state.asks:
            what = "Details: what was said to the server, and its answers"
            rows.append(Choice(_Look.DETAILS, what, word=_Look.DETAILS))
        return rows

    def _also(self, offer: ConnectOffer) -> str:
        """Return what a person may answer too: to a question yes or no."""
        if not self.state.asks:
            return ""
        return "no" if offer is ConnectOffer.LEAVE else "yes"

    # -- doing ------------------------------------------------------------------------------------------------------

    def _act(self, offer: ConnectOffer) -> StepOutcome | None:
        """Do what was chosen, and say what came of it."""
        before = self.state
        leads = awaited(self.flow.act(offer))
        # Enter, pressed while it ran, must not begin another sign-in.
        self.talk.drop()
        self.context.keep(self.flow.draft)
        if leads is None or self.state != before:
            self._tell_ticks(before.guide)
            self._tell()
        return leads

    def _tell_ticks(self, before: GuideView | None) -> None:
        """Say which steps have been proved; what proves a step proves those before it."""
        now = self.state.guide
        done = now.newly_done(before) if now is not None and before is not None and now.guide == before.guide else ()
        if done:
            self.talk.say(done_words(done))

    def _tell(self) -> None:
        """Say what is wrong in a field, and what the card tells, unless that was said."""
        state = self.state
        for entry in (state.username, state.secret, state.passphrase):
            if entry is not None and entry.error:
                self.talk.say(entry.error)
        card, before, self._card = state.card, self._card, state.card
        if card is None or card == before:
            return
        # What failed was said with its stage, as it came.
        said = state.at is ConnectPhase.FAILED and self._told.failed is not None
        for line in (state.tries,) if said else (card.title, *card.lines):
            if line:
                self.talk.say(line)

    def _follow(self, state: ConnectState) -> None:
        """Say what is under way, and each stage as it ends."""
        running = state.card.title if state.card is not None and state.busy else ""
        if running and running != self._running:
            self.talk.say(running)
            self._card = None
        self._running = running
        told = len(self._told.results)
        if state.check.results[:told] != self._told.results:
            told = 0
        for result in state.check.results[told:]:
            self.talk.show(result_lines(result))
        self._told = state.check
