"""Done: what to type into the application, and what to do next."""

from __future__ import annotations

from contextlib import suppress
from enum import StrEnum

from smtp_wizard.engine.wizard.draft import Draft
from smtp_wizard.engine.wizard.sending_application import load_sending_application
from smtp_wizard.flows.flow import Leads
from smtp_wizard.flows.last_steps.done import DoneFlow, DoneOffer, FilledField, Tick
from smtp_wizard.plain.cards import row_of
from smtp_wizard.plain.connect import show_guide
from smtp_wizard.plain.conversation import Choice, Conversation, GoBack
from smtp_wizard.plain.step_questions import StepContext, StepOutcome, StepQuestion, ask_in_order
from smtp_wizard.plain.waiting import awaited
from smtp_wizard.text.done import HIDDEN_ELSEWHERE
from smtp_wizard.text.wizard import APPLICATION_GUIDE, SCOPE_GUIDE

LABEL = 20
ON_SCREEN = "The password will stand on your screen, and stay in what can be scrolled back to."
EXPLAIN = "Type 'smtp-wizard explain' and paste it there, or finish here and choose it from 'Your accounts'."


class _Own(StrEnum):
    """What this face offers besides."""

    GUIDE = "guide"
    WHICH = "which"


def done(talk: Conversation, context: StepContext, draft: Draft) -> StepOutcome:
    """The only place where the password is shown: after a yes, in groups of four, as it is typed by hand."""
    end = _End(talk, context, draft)
    end.tell()
    return ask_in_order(talk, context, draft, [StepQuestion(end.ask)])


class _End:
    """One walk through the step."""

    def __init__(self, talk: Conversation, context: StepContext, draft: Draft) -> None:
        self.talk = talk
        self.context = context
        self.flow = DoneFlow(
            draft,
            catalog=context.services.catalog,
            screen=load_sending_application(),
            copy=lambda value: talk.show([value]),
        )

    def tell(self) -> None:
        """Say what is typed into the application, line by line in its own order."""
        state = self.flow.state
        self.talk.say(state.question)
        rows = (_field(each) for each in state.fields)
        scopes = "      ".join(_round(each) for each in state.scopes)
        self.talk.show(["", state.title, f"  {scopes}", *rows, f"  {_box(state.company)}", f"  {state.saves}", ""])
        for line in (state.proved, state.note):
            if line:
                self.talk.say(line)

    def ask(self, talk: Conversation, context: StepContext, draft: Draft) -> Draft:
        """What next? Raises `GoBack`."""
        while True:
            leads = self._led(self._chosen())
            if leads is not None:
                return leads.draft

    def _chosen(self) -> StrEnum:
        rows: list[Choice[StrEnum]] = [row_of(each) for each in self.flow.state.offers]
        guides = (
            Choice(_Own.GUIDE, "A guide to the application's own screen", word="guide"),
            Choice(_Own.WHICH, "Which mails go through which account", word="which"),
        )
        return self.talk.choose("What next?", [*rows, *guides])

    def _led(self, answer: StrEnum) -> Leads | None:
        match answer:
            case _Own.GUIDE:
                self._guide(APPLICATION_GUIDE)
            case _Own.WHICH:
                self._guide(SCOPE_GUIDE)
            case DoneOffer.EXPLAIN:
                self.talk.say(EXPLAIN)
            case DoneOffer.PASSWORD:
                self._reveal()
            case DoneOffer.COPY:
                self._copy()
            case _:
                return awaited(self.flow.act(answer))
        return None

    def _reveal(self) -> None:
        """Show the password, after a yes; a line of text cannot be taken back."""
        if not self.talk.yes(ON_SCREEN, yes="Show it", no="Do not show it"):
            return
        awaited(self.flow.act(DoneOffer.PASSWORD))
        self.talk.show([_field(each, self.flow.password) for each in self.flow.state.fields if each.secret])
        awaited(self.flow.act(DoneOffer.PASSWORD))

    def _copy(self) -> None:
        """Write one value alone on a line, from which it is copied without anything around it."""
        awaited(self.flow.act(DoneOffer.COPY))
        with suppress(GoBack):
            awaited(
                self.flow.act(
                    self.talk.choose(self.flow.state.question, [row_of(each) for each in self.flow.state.offers])
                )
            )
        awaited(self.flow.act(DoneOffer.BACK))

    def _guide(self, guide_id: str) -> None:
        show_guide(self.talk, self.context, self.flow.draft, guide_id)


def _field(field: FilledField, password: str = HIDDEN_ELSEWHERE) -> str:
    value = password if field.secret else field.value
    more = f"   {_box(field.tick)}" if field.tick is not None else f"   ({field.note})" if field.note else ""
    return f"  {field.label:<{LABEL}} {value}{more}"


def _box(tick: Tick) -> str:
    return f"[{'x' if tick.on else ' '}] {tick.words}"


def _round(tick: Tick) -> str:
    return f"({'x' if tick.on else ' '}) {tick.words}"
