"""Sign-in in lines of text: a question that an owner can answer, and ways that lead on."""

from __future__ import annotations

from collections.abc import Mapping

from smtp_wizard.engine.guides.guides import Guide, as_text
from smtp_wizard.engine.wizard.draft import Draft
from smtp_wizard.engine.wizard.steps import Back, Next
from smtp_wizard.flows.application import application_question, with_application
from smtp_wizard.flows.sign_in import SignInFlow, SignInOffer, SignInState
from smtp_wizard.output.plain_lines import WIDTH
from smtp_wizard.plain.cards import say_card
from smtp_wizard.plain.conversation import Choice, Conversation, GoBack
from smtp_wizard.plain.step_questions import (
    StepContext,
    StepOutcome,
    StepQuestion,
    ask_application,
    ask_in_order,
)
from smtp_wizard.plain.waiting import awaited

WORDS: Mapping[str, str] = {SignInOffer.GO_ON: "browser", SignInOffer.AGAIN: "list"}
"""What may be typed for an offer that is no way in."""


def sign_in(talk: Conversation, context: StepContext, draft: Draft) -> StepOutcome:
    """Ask which application will send, where nobody did, then for the way in. Raises `Quit`."""
    asks = SignInFlow(draft, context.services.catalog, context.guides).state.application is not None
    return ask_in_order(talk, context, draft, [StepQuestion(_application, lambda _: asks), StepQuestion(_way)])


def _application(talk: Conversation, context: StepContext, draft: Draft) -> Draft:
    provider = context.services.catalog.get(draft.connection.provider)
    asked = application_question(draft, provider, context.services.catalog) if provider is not None else None
    return draft if asked is None else with_application(draft, ask_application(talk, asked))


def _way(talk: Conversation, context: StepContext, draft: Draft) -> Draft:
    """Ask until the flow leads somewhere; `back` is its way back. Raises `GoBack`, `Quit`."""
    flow = SignInFlow(draft, context.services.catalog, context.guides)
    while True:
        try:
            offer = _chosen(talk, flow.state)
        except GoBack:
            offer = SignInOffer.BACK
        match awaited(flow.act(offer)):
            case Back(earlier):
                raise GoBack(earlier)
            case Next(following):
                _tell_more(talk, flow, offer)
                return following


def _chosen(talk: Conversation, state: SignInState) -> str:
    """Say what stands there, and ask for one of the offers. Raises `GoBack`."""
    if state.card is not None:
        say_card(talk, state.card)
    if state.guide is not None:
        _show_guide(talk, state.guide)
    rows = [
        Choice(each.id, each.verb, about=each.note, part=each.part, word=WORDS.get(each.id, ""))
        for each in state.offers
    ]
    return talk.choose(state.question, rows, state.preselected, undecided=state.preselected is None)


def _show_guide(talk: Conversation, guide: Guide) -> None:
    talk.show(["", *as_text(guide, WIDTH).splitlines(), ""])


def _tell_more(talk: Conversation, flow: SignInFlow, offer: str) -> None:
    """Say what else is to be heeded on the way that was taken, and who says so."""
    parts = flow.about(offer)
    for line in parts[0].lines[1:] if parts else ():
        talk.say(line)
    for part in parts[1:]:
        talk.say(f"{part.title}: {' '.join(part.lines)}")
