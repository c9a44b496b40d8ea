"""Address: which address should your mail come from? In lines of text, on the flow of the step."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from smtp_wizard.engine.base.address import Address
from smtp_wizard.engine.wizard.draft import Draft
from smtp_wizard.engine.wizard.steps import Next, StepId
from smtp_wizard.flows.address import AddressFlow, AddressOffer, AddressQuestion, AddressState
from smtp_wizard.flows.flow import Leads, Mood
from smtp_wizard.plain.conversation import Choice, Conversation, GoBack
from smtp_wizard.plain.step_questions import StepContext, StepOutcome, StepQuestion, ask_in_order
from smtp_wizard.plain.waiting import awaited
from smtp_wizard.text import address as words

PRACTISE = ("practise", "practice")
"""What is typed to rehearse without a mailbox."""
TYPED: Mapping[AddressOffer, str] = {
    AddressOffer.MEANT: "use",
    AddressOffer.KEEP: "keep",
    AddressOffer.FOLLOW: "yes",
    AddressOffer.STAY: "no",
    AddressOffer.ASK: "yes",
    AddressOffer.LEAVE_OUT: "no",
}
"""What may be typed in place of an answer's number."""


def address(talk: Conversation, context: StepContext, draft: Draft) -> StepOutcome:
    """The first question. A misspelt ending is offered back; the provider is looked up before the next step."""
    if draft.address is None:
        talk.say(f"{words.WHY} {words.PLAN}")
        talk.say("No mailbox at hand? Type 'practise' to rehearse everything on this computer.")
    past: StepId | None = None

    def asked(talk: Conversation, context: StepContext, draft: Draft) -> Draft:
        nonlocal past
        leads = _address(talk, context, draft)
        past = leads.past
        return leads.draft

    outcome = ask_in_order(talk, context, draft, [StepQuestion(asked)])
    return replace(outcome, past=past) if isinstance(outcome, Next) else outcome


def _address(talk: Conversation, context: StepContext, draft: Draft) -> Next:
    flow = AddressFlow(draft, catalog=context.services.catalog, discovery=context.services.discovery)
    flow.changed = _Progress(talk).take
    talk.say(words.QUESTION)
    leads: Leads | None = None
    while leads is None:
        match flow.state.question:
            case AddressQuestion.ADDRESS:
                leads = awaited(flow.act(_typed(talk, flow)))
            case AddressQuestion.SPELLING | AddressQuestion.LIST | AddressQuestion.REDIRECT:
                leads = _answered(talk, flow)
        _tell_failure(talk, flow.state)
    assert isinstance(leads, Next), "'back' is an exception here"
    return leads


def _typed(talk: Conversation, flow: AddressFlow) -> AddressOffer:
    """Ask for the address; return what is to be done with it."""

    def parse(text: str) -> str:
        if text.casefold() not in PRACTISE:
            Address.parse(text)
        return text

    text = talk.ask(words.LABEL, parse, default=flow.state.address.text)
    if text.casefold() in PRACTISE:
        return AddressOffer.PRACTISE
    flow.type(text)
    return AddressOffer.FIND


def _answered(talk: Conversation, flow: AddressFlow) -> Leads | None:
    """Ask the question that came in the midst of it; `back` leads to the address."""
    state = flow.state
    assert state.card is not None, "it has a question"
    ways = [Choice(each.id, each.verb, also=TYPED[each.id]) for each in state.offers if each.id in TYPED]
    try:
        answer = talk.choose(" ".join((*state.card.lines, state.card.title)), ways)
    except GoBack:
        answer = AddressOffer.BACK
    return awaited(flow.act(answer))


def _tell_failure(talk: Conversation, state: AddressState) -> None:
    if state.card is not None and state.card.mood is Mood.FAILED:
        talk.say(" ".join((f"{state.card.title}:", *state.card.lines)))
    elif state.address.error:
        talk.say(state.address.error)


class _Progress:
    """Says what is looked up, each line once."""

    def __init__(self, talk: Conversation) -> None:
        self._talk = talk
        self._said: set[str] = set()

    def take(self, state: AddressState) -> None:
        """Say what is new."""
        if not state.running or state.card is None:
            return
        for line in (f"{state.card.title} ...", *(f"  {each}" for each in state.card.lines)):
            if line not in self._said:
                self._said.add(line)
                self._talk.show([line])
