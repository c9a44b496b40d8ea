"""Test mail: a message to a different address, and did it arrive?"""

from __future__ import annotations

from enum import StrEnum

from smtp_wizard.engine.wizard.draft import Draft
from smtp_wizard.flows.accounts.arrival import ArrivalActions
from smtp_wizard.flows.flow import Leads
from smtp_wizard.flows.last_steps.test_mail import MailTestFlow
from smtp_wizard.flows.last_steps.test_mail_state import MailTestOffer, MailTestPhase
from smtp_wizard.output.plain_lines import TRANSCRIPT_LEGEND, plain_printer, transcript_line
from smtp_wizard.plain.cards import row_of, say_card, typed_or_chosen
from smtp_wizard.plain.conversation import Choice, Conversation, GoBack
from smtp_wizard.plain.question_flow import answered, carried_out
from smtp_wizard.plain.step_questions import StepContext, StepOutcome
from smtp_wizard.plain.waiting import awaited

PASTE = (
    "Leave with 'quit', type 'smtp-wizard explain' and paste it there; then start again: you go on here. Or choose it "
    "later, from 'Your accounts'."
)


class _Own(StrEnum):
    """What this face offers besides."""

    DETAILS = "details"


SENT = "The test message was sent."
PERHAPS_SENT = "The test message may or may not have been sent."


def test_mail(talk: Conversation, context: StepContext, draft: Draft) -> StepOutcome:
    """The only step that sends. The same address is refused: mail to oneself proves little."""
    return _MailTest(talk, context, draft).run()


class _MailTest:
    """One walk through the step."""

    def __init__(self, talk: Conversation, context: StepContext, draft: Draft) -> None:
        services = context.services
        self.talk = talk
        self.context = context
        self.flow = MailTestFlow(
            draft,
            checks=services.checks,
            tokens=services.tokens,
            vault=services.stores.vault,
            catalog=services.catalog,
            now=services.now,
            messages=ArrivalActions(
                checks=services.checks,
                arrivals=services.arrivals,
                entries=services.entries,
                vault=services.stores.vault,
                catalog=services.catalog,
            ),
        )
        self.flow.told = plain_printer(lambda line: talk.show([line]), None)

    def run(self) -> StepOutcome:
        """Ask until the step leads on."""
        leads: Leads | None = None
        while leads is None:
            leads = self._led(self._answer())
            self.context.keep(self.flow.draft)
        return leads

    def _answer(self) -> MailTestOffer:
        """Show the state, and ask."""
        state = self.flow.state
        self.talk.say(state.question)
        if state.card is not None and not (state.phase is MailTestPhase.NOT_SENT and self.flow.report is not None):
            say_card(self.talk, state.card)  # why an attempt failed was told while it was made
        try:
            return self._typed() if state.entry is not None else self._chosen()
        except GoBack:
            return MailTestOffer.BACK

    def _typed(self) -> MailTestOffer:
        state = self.flow.state
        assert state.entry is not None
        first, *others = state.offers
        answer = typed_or_chosen(self.talk, state.entry, others)
        if isinstance(answer, MailTestOffer):
            return answer
        self.flow.type(answer)
        return first.id

    def _chosen(self) -> MailTestOffer:
        state = self.flow.state
        details = Choice(_Own.DETAILS, "Show what was said to the server, and its answers", word=_Own.DETAILS.value)
        rows: list[Choice[MailTestOffer | _Own]] = [row_of(each) for each in state.offers]
        while True:
            answer = self.talk.choose("", [*rows, *([details] if self.flow.heard else [])])
            if isinstance(answer, MailTestOffer):
                return answer
            self.talk.show([TRANSCRIPT_LEGEND, *(transcript_line(line) for line in self.flow.heard)])

    def _so_far(self) -> str:
        """Say what is known of a message that was being sent; '' where none was."""
        return SENT if self.flow.sent else PERHAPS_SENT if self.flow.perhaps_sent else ""

    def _led(self, offer: MailTestOffer) -> Leads | None:
        """Do what was chosen; open the vault in the midst of it, where that is needed."""
        if offer is MailTestOffer.EXPLAIN:
            self.talk.say(PASTE)
            return None
        leads = awaited(self.flow.act(offer), self._so_far)
        while self.flow.vault is not None:
            leads = awaited(self.flow.opened(answered(self.talk, self.flow.vault)), self._so_far)
        if self.flow.action is not None:
            self.flow.acted(carried_out(self.talk, self.flow.action))
        self.talk.drop()  # Enter, pressed while it was sent, answers nothing
        return leads
