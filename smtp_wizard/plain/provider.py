"""Provider in lines of text: whose mailbox it is, and where to go where the application cannot send."""

from __future__ import annotations

from smtp_wizard.engine.wizard.draft import Draft
from smtp_wizard.flows.provider import ProviderFlow, ProviderList, ProviderOffer, ProviderRow, ProviderState
from smtp_wizard.plain.cards import say_card
from smtp_wizard.plain.conversation import Choice, Conversation, GoBack, wrap
from smtp_wizard.plain.step_questions import StepContext, StepOutcome, ask_application
from smtp_wizard.plain.waiting import awaited

MOST = 15
"""Rows of a list that are read out at most."""
MORE: Choice[str] = Choice("more", "What changed since the old help article, with the sources", word="more")
SEARCH: Choice[str] = Choice("search", "Search with other words", word="search")


def provider(talk: Conversation, context: StepContext, draft: Draft) -> StepOutcome:
    """Ask until the flow leads somewhere; `back` is its way back. Raises `Quit`."""
    flow = ProviderFlow(draft, context.services.catalog)
    while True:
        try:
            offer = _answered(talk, flow)
        except GoBack:
            offer = ProviderOffer.BACK
        leads = awaited(flow.act(offer)) if offer is not None else None
        context.keep(flow.draft)
        if leads is not None:
            return leads


def _answered(talk: Conversation, flow: ProviderFlow) -> ProviderOffer | None:
    """Say what stands there and ask; return what was chosen, None once a provider was picked. Raises `GoBack`."""
    state = flow.state
    if state.card is not None and state.list is not None:
        title = state.card.title if state.card.title.endswith((".", "?", "!")) else f"{state.card.title}."
        talk.show(wrap(" ".join((title, *state.card.lines))))
    elif state.card is not None:
        talk.say(state.question)
        say_card(talk, state.card)
    talk.show(line for note in (state.settings, *state.notes) if note for line in wrap(note))
    if state.list is not None:
        return _from_list(talk, flow)
    wanted = state.application if flow.draft.application is None else None
    while True:
        if wanted is not None:
            flow.choose_application(ask_application(talk, wanted))
        try:
            return _chosen(talk, flow.state)
        except GoBack:
            # To the application, unless that is where the person came from.
            wanted = flow.state.application
            if wanted is None:
                raise


def _chosen(talk: Conversation, state: ProviderState) -> ProviderOffer:
    """Ask for one of the offers. Raises `GoBack`."""
    rows: list[Choice[str]] = [Choice(each.id, each.verb, about=each.note, part=each.part) for each in state.offers]
    rows += [MORE] if state.changed else []
    question = "" if state.card is not None else state.question
    while True:
        taken = talk.choose(question, rows, state.preselected, undecided=state.preselected is None)
        if taken != MORE.value:
            return ProviderOffer(taken)
        for part in state.changed:
            talk.show(["", part.title, *(line for words in part.lines for line in wrap(words, "  "))])
        talk.show([""])


# --- out of many ---


def _from_list(talk: Conversation, flow: ProviderFlow) -> ProviderOffer | None:
    """Ask for words until a provider is picked, or another offer taken. Raises `GoBack`."""
    talk.say(flow.state.question)
    first = True
    while True:
        listed = flow.state.list
        assert listed is not None, "that is what is asked"
        if not (first and listed.likely):
            listed = _searched(talk, flow)
        first = False
        if listed is None:
            return ProviderOffer.HAND
        try:
            picked = _picked(talk, flow.state, listed)
        except GoBack:
            if not listed.filter.text:
                raise
            continue
        if isinstance(picked, ProviderRow):
            flow.pick(picked.id)
            return None
        if picked != SEARCH.value:
            return ProviderOffer(picked)


def _searched(talk: Conversation, flow: ProviderFlow) -> ProviderList | None:
    """Ask for words until something is found; None where the server is to be entered by hand. Raises `GoBack`."""
    hand = ProviderOffer.HAND.value
    help = f"'{hand}' leads to the server by hand."
    while True:
        asked = flow.state.list
        assert asked is not None, "that is what is asked"
        query = talk.ask(f"{asked.filter.placeholder.capitalize()} (or: {hand})", _some_words, help=help)
        if query.casefold() == hand:
            return None
        flow.search(query)
        listed = flow.state.list
        assert listed is not None, "that is what is asked"
        if listed.rows:
            return listed
        talk.say(f"{listed.filter.hint} Try other words, or type '{hand}' to enter the server by hand.")


def _some_words(text: str) -> str:
    return text.strip()


def _picked(talk: Conversation, state: ProviderState, listed: ProviderList) -> ProviderRow | str:
    """Return a provider, or what is wanted instead of one of these. Raises `GoBack`."""
    shown = listed.rows[: min(listed.likely, MOST)]
    rows: list[Choice[ProviderRow | str]] = [Choice(each, each.name, each.server, also=each.id) for each in shown]
    if listed.likely > MOST:
        talk.say(f"The first {MOST} of {listed.found}; more letters find fewer.")
    rows.append(SEARCH)
    rows += [Choice(each.id, each.verb, word=each.id) for each in state.offers]
    chosen = next((each for each in shown if each.id == listed.preselected), None)
    return talk.choose("", rows, chosen, undecided=chosen is None)
