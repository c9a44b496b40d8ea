"""What stands beside the wizard, in lines of text: sending limits and plans; errors explained."""

from __future__ import annotations

from functools import partial

from smtp_wizard.engine.explain.factory import load_explainer
from smtp_wizard.engine.guides.guides import as_text
from smtp_wizard.engine.providers.provider import Provider
from smtp_wizard.flows.areas.calendar import CalendarFlow, CalendarOffer
from smtp_wizard.flows.areas.explain import CheckAccount, ExplainFlow, ExplainOffer
from smtp_wizard.flows.areas.limits import NOTHING_LIKE_IT, LimitsFlow, limit_details
from smtp_wizard.flows.areas.mailing import (
    ELSEWHERE,
    FIRST,
    QUESTION,
    MailingField,
    MailingFlow,
    MailingOffer,
    bar_lines,
)
from smtp_wizard.flows.flow import Card, CopyText, ReadGuide, Section
from smtp_wizard.plain.conversation import END, Choice, Conversation, GoBack, wrap
from smtp_wizard.plain.delivery import ready
from smtp_wizard.plain.step_questions import StepContext
from smtp_wizard.plain.waiting import awaited
from smtp_wizard.text.areas.on_screens import on_screens
from smtp_wizard.text.calendar import FILE_WORDS, NOTHING_ENDS
from smtp_wizard.text.explain import EXPLAIN_QUESTION, NOTHING_KEPT
from smtp_wizard.text.limits import BAR

MOST = 5
"""Providers whose limits are read out; more words find fewer."""
WHOSE = "Whose limits? A name, a domain, or a kind: ISP, web host, free ('back' leaves)"


def limits(talk: Conversation, context: StepContext) -> None:
    """Ask for providers, say what they let one send, and plan a mailing, until the person goes back. Raises `GoBack`,
    `Quit`.
    """
    flow = LimitsFlow(context.services.catalog, context.services.now().astimezone().date())
    typed: dict[MailingField, str] = {}
    while True:
        query = talk.ask(WHOSE, lambda text: text)
        if not query:
            continue
        flow.find(query)
        if not flow.found:
            talk.say(NOTHING_LIKE_IT)
            continue
        for at in range(min(MOST, len(flow.found))):
            flow.choose(at)
            _tell(talk, flow)
        if len(flow.found) > MOST:
            talk.say(f"The first {MOST} of {len(flow.found)}; more letters find fewer.")
        try:
            _plan(talk, context, flow, typed)
        except GoBack:
            continue


def calendar(talk: Conversation, context: StepContext) -> None:
    """Say what will end for the saved accounts, the nearest first."""
    services = context.services
    flow = CalendarFlow(saved_accounts=services.saved_accounts, catalog=services.catalog, now=services.now)
    awaited(flow.act(CalendarOffer.MINE))
    state = flow.state
    for line in state.card.lines if state.card is not None else ():
        talk.say(line)
    for at, row in enumerate(state.rows):
        flow.choose(at)
        talk.say(f"{row.day}, {row.when}: {row.whose}, {row.what}.")
        for line in flow.state.sections[0].lines:
            talk.say(line)
    if state.rows:
        talk.say(FILE_WORDS)
    elif state.card is None:
        talk.say(on_screens(NOTHING_ENDS))


def _tell(talk: Conversation, flow: LimitsFlow) -> None:
    """Say what the chosen provider lets one send, every figure with who says so."""
    assert flow.chosen is not None, "it was chosen just now"
    talk.show(["", flow.chosen.name])
    for section in limit_details(flow.chosen):
        _figures(talk, section)


def _figures(talk: Conversation, section: Section) -> None:
    talk.show(wrap(f"{section.title}:", "  "))
    for line in section.lines:
        first, *rest = line.split("\n")
        talk.show(wrap(first, "  - "))
        for more in rest:
            talk.show(wrap(more.strip(), "    "))


def _plan(talk: Conversation, context: StepContext, flow: LimitsFlow, typed: dict[MailingField, str]) -> None:
    """Plan a mailing with one of those that were read out. Raises `GoBack`, `Quit`."""
    told = flow.found[:MOST]
    rows: list[Choice[Provider | str]] = [
        Choice("other", "Look up another provider", word="other"),
        *(Choice(each, f"Plan a mailing with {each.name}", also=each.id) for each in told),
        Choice("ready", "See whether I am ready for a mailing", word="ready"),
    ]
    provider = talk.choose("What next?", rows)
    if isinstance(provider, str):
        if provider == "ready":
            ready(talk, context, flow.found[0].id, typed)
        return
    mailing = MailingFlow(context.services.catalog, provider, flow.today, typed)
    talk.say(QUESTION)
    for field in FIRST:
        _ask(talk, mailing, field)
    awaited(mailing.act(MailingOffer.COUNT))
    typed |= mailing.typed
    _days(talk, mailing)


def _ask(talk: Conversation, mailing: MailingFlow, field: MailingField) -> None:
    entry = mailing.state.entries[field]
    talk.ask(entry.label, partial(mailing.accepted, field), default=entry.text)


def _days(talk: Conversation, mailing: MailingFlow) -> None:
    state = mailing.state
    assert state.card is not None, "every field was parsed"
    talk.show(["", state.card.title, *([state.card.foot] if state.card.foot else [])])
    for line in state.card.lines:
        talk.say(line)
    talk.show(bar_lines(state.bars, width=BAR))
    if state.elsewhere:
        talk.show(["", ELSEWHERE, *bar_lines(state.elsewhere, width=BAR)])
    if state.ways:
        talk.show(["", "What you can do"])
        for number, words in enumerate(state.ways, 1):
            talk.show(wrap(words, f"{number:>3}. "))
    for section in state.sections[1:]:
        _figures(talk, section)


# --- errors explained ---


def explain(talk: Conversation, context: StepContext) -> str | None:
    """Explain one text after the other until the person goes back; return the name of an account that is to be tested.

    Raises `GoBack`, `Quit`.
    """
    catalog = context.services.catalog
    flow = ExplainFlow(catalog, context.guides, context.services.saved_accounts.list, lambda: load_explainer(catalog))
    while True:
        talk.say(f"{EXPLAIN_QUESTION} Paste it, then type {END} alone in a line. {NOTHING_KEPT}")
        flow.paste(talk.paste(f"The text, and {END} at its end"))
        awaited(flow.act(ExplainOffer.EXPLAIN))
        if flow.state.entry.error:
            talk.say(flow.state.entry.error)
        elif flow.state.card is not None and not flow.state.answered:
            _card(talk, flow.state.card)
        elif (account := _answered(talk, flow)) is not None:
            return account


def _answered(talk: Conversation, flow: ExplainFlow) -> str | None:
    """Say the answer, and do what is chosen of it, until another text is wanted, or an account is to be tested."""
    assert flow.state.card is not None, "it was answered"
    _card(talk, flow.state.card)
    for section in flow.state.sections:
        _section(talk, section)
    rows = [Choice(each.id, _in_lines(each.id, each.verb), each.note) for each in flow.state.offers]
    while flow.state.answered:
        match awaited(flow.act(talk.choose("What next?", rows))):
            case ReadGuide(guide):
                found = flow.guide_of(guide)
                talk.show([""] if found is None else ["", *as_text(found).splitlines()])
            case CopyText(text):
                talk.show(["", *wrap(text)])
            case CheckAccount(name):
                return name
    return None


def _in_lines(offer: ExplainOffer, verb: str) -> str:
    """In lines of text a message is shown, to be copied from there."""
    return verb.replace("Copy", "Show", 1) if offer is ExplainOffer.COPY else verb


def _card(talk: Conversation, card: Card) -> None:
    talk.show(["", *wrap(card.title)])
    for line in card.lines:
        talk.show(wrap(line, "  "))


def _section(talk: Conversation, section: Section) -> None:
    talk.show(["", *wrap(section.title)])
    for line in section.lines:
        talk.show(wrap(line, "  "))
