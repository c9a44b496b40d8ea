"""What keeps mail from arriving, in lines of text: mail that came back, and what a domain publishes about its mail."""

from __future__ import annotations

from collections.abc import Mapping

from smtp_wizard.engine.wizard.draft import Draft
from smtp_wizard.flows.areas.bounces import (
    ABOUT,
    BouncesFlow,
    BouncesOffer,
    BouncesState,
    FailedRow,
    PasteLetter,
    ReadMailbox,
)
from smtp_wizard.flows.areas.domain import LOOKING, QUESTION, WHY, DomainFlow, DomainOffer
from smtp_wizard.flows.areas.mailing import MailingField
from smtp_wizard.flows.areas.readiness import ReadinessFlow, ReadinessOffer
from smtp_wizard.flows.flow import ReadGuide
from smtp_wizard.plain.cards import row_of, say_card
from smtp_wizard.plain.connect import show_guide
from smtp_wizard.plain.conversation import Conversation, wrap
from smtp_wizard.plain.question_flow import carried_out
from smtp_wizard.plain.step_questions import StepContext
from smtp_wizard.plain.waiting import awaited
from smtp_wizard.text.areas.readiness import WHAT_IS_LOOKED_AT
from smtp_wizard.text.domain import domain_lines

MOST = 30
"""Addresses that are read out, newest first; the command writes them all into a file."""
ANOTHER = "other"
"""The word that takes another account."""


def bounces(talk: Conversation, context: StepContext) -> bool:
    """Read mailboxes for mail that came back; return whether a letter is to be pasted. Raises `GoBack`, `Quit`."""
    services = context.services
    flow = BouncesFlow(
        services.saved_accounts.list,
        services.bounces,
        services.entries,
        services.stores.vault,
        services.catalog,
        now=services.now,
    )
    awaited(flow.read_accounts())
    for line in ABOUT.lines:
        talk.say(line)
    fresh = True
    while True:
        state = flow.state
        if fresh and (state.read or state.card is not None):
            _found(talk, state)
        fresh = False
        # What is worth copying stands in the lines that were said.
        rows = [row_of(each) for each in state.offers if each.id is not BouncesOffer.COPY]
        whose = f"The mailbox of '{state.account}'." if state.account else ""
        match awaited(flow.act(talk.choose(whose, rows))):
            case ReadMailbox() as action:
                flow.take(action, carried_out(talk, action))
                fresh = True
            case ReadGuide(guide):
                show_guide(talk, context, Draft(), guide)
            case PasteLetter():
                return True


def _found(talk: Conversation, state: BouncesState) -> None:
    """Say what came of reading: each address with why, and what to do."""
    if state.read:
        talk.say(f"{state.question} {state.counted}")
    if state.card is not None:
        say_card(talk, state.card)
    for row in state.rows[:MOST]:
        _address(talk, row)
    if len(state.rows) > MOST:
        rest = f"And {len(state.rows) - MOST} more: 'smtp-wizard bounces {state.account} --csv FILE' writes them all."
        talk.show(["", *wrap(rest)])


def _address(talk: Conversation, row: FailedRow) -> None:
    talk.show(["", f"{row.address}  {row.last}  {'final' if row.final else 'still tried'}"])
    for section in row.sections:
        for line in section.lines:
            talk.show(wrap(line, "  "))


def ready(talk: Conversation, context: StepContext, provider: str, typed: Mapping[MailingField, str]) -> None:
    """Say whether accounts are ready for a mailing, until the person goes back. Raises `GoBack`, `Quit`.

    `provider`: its accounts come first; `typed`: what was typed for a plan.
    """
    services = context.services
    flow = ReadinessFlow(
        services.saved_accounts.list,
        services.domains,
        services.catalog,
        services.now().astimezone().date(),
        provider=provider,
        typed=typed,
    )
    awaited(flow.read_accounts())
    for line in WHAT_IS_LOOKED_AT:
        talk.say(line)
    if flow.state.card is not None:  # no account can send one
        say_card(talk, flow.state.card)
        return
    while True:
        entry = flow.state.entry
        several = any(each.id == ReadinessOffer.OTHER for each in flow.state.offers)
        ways = f"'{ANOTHER}' takes another account, 'back' leaves" if several else "'back' leaves"
        typed_now = talk.ask(
            f"{entry.label}, with the account '{flow.state.account}' ({ways})", str, default=entry.text
        )
        if several and typed_now.strip().casefold() == ANOTHER:
            awaited(flow.act(ReadinessOffer.OTHER))
            continue
        flow.put(typed_now)
        awaited(flow.act(ReadinessOffer.LOOK))
        talk.drop()
        state = flow.state
        if state.entry.error:
            talk.say(state.entry.error)
            continue
        if state.card is not None:
            say_card(talk, state.card)
        for section in flow.details() if flow.readiness is not None else ():
            talk.show(["", *wrap(section.title)])
            for line in section.lines:
                talk.show(wrap(line, "  "))


def domain(talk: Conversation, context: StepContext) -> None:
    """Look at one domain after the other until the person goes back. Raises `GoBack`, `Quit`."""
    services = context.services
    flow = DomainFlow(services.domains, services.catalog, services.saved_accounts.list)
    awaited(flow.read_accounts())
    talk.say(QUESTION)
    for line in WHY.lines:
        talk.show(wrap(line, "  "))
    while True:
        entry = flow.state.entry
        flow.put(talk.ask(f"{entry.label} ('back' leaves)", str, default=entry.text))
        talk.say(f"{LOOKING} ...")
        awaited(flow.act(DomainOffer.LOOK))
        talk.drop()  # Enter, pressed while the DNS was asked, answers nothing
        state = flow.state
        if state.entry.error:
            talk.say(state.entry.error)
        if state.card is not None:
            say_card(talk, state.card)
        if flow.report is not None:
            # A record stays in one line, to be copied from there.
            talk.show(["", *domain_lines(flow.report), ""])
