"""Leads through a flow of questions in lines of text: its fields one after the other, then its answers."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from enum import StrEnum
from typing import TypeVar

from smtp_wizard.flows.accounts.action import Action, ActionResult
from smtp_wizard.flows.question import Answer, Question, QuestionFlow
from smtp_wizard.output.plain_lines import plain_printer
from smtp_wizard.plain.conversation import Choice, Conversation, GoBack
from smtp_wizard.plain.waiting import awaited

LeadsT = TypeVar("LeadsT")

ALSO: Mapping[StrEnum, str] = {Answer.DO: "yes", Answer.LEAVE: "no"}
"""What may be typed for an answer beside its number."""


def answered(talk: Conversation, flow: QuestionFlow[LeadsT], undone: Callable[[], str] = lambda: "") -> LeadsT:
    """Ask until the flow leads somewhere; return where. `back` is its `Answer.LEAVE`.

    Raises `Quit`, and `Interrupted` with what `undone` says then.
    """
    said: Question | None = None
    while True:
        question = flow.state
        _introduce(talk, question, said)
        said = question
        try:
            offer = _filled_in(talk, flow) if question.entries else _chosen(talk, question)
        except GoBack:
            offer = Answer.LEAVE
        leads = awaited(flow.act(offer), undone)
        # Enter, pressed while something was done, answers nothing.
        talk.drop()
        if leads is not None:
            return leads


def carried_out(talk: Conversation, action: Action) -> ActionResult:
    """Go through an action to its end, each stage of a check said as it ends; return what came of it.

    Raises `Quit`, and `Interrupted` with what had been done by then.
    """
    action.changed = _announcer(talk)
    action.events = plain_printer(lambda line: talk.show([line]), None)
    result = awaited(action.begin(), lambda: action.so_far)
    talk.drop()
    return result if result is not None else answered(talk, action, lambda: action.so_far)


def done(talk: Conversation, action: Action) -> ActionResult:
    """As `carried_out`; what came of it is said as well."""
    result = carried_out(talk, action)
    for words in (result.said, result.trouble):
        if words:
            talk.say(words)
    return result


def _announcer(talk: Conversation) -> Callable[[Question], None]:
    """Return what says what is being done, once."""
    last = ""

    def announce(question: Question) -> None:
        nonlocal last
        if question.running and question.running != last:
            talk.show(["", question.running])
        last = question.running

    return announce


def _introduce(talk: Conversation, question: Question, said: Question | None) -> None:
    """Say why something is asked; of a question that is asked again, what was wrong with the answer."""
    if said is None or (said.title, said.lines) != (question.title, question.lines):
        for line in (question.title, *question.lines):
            talk.say(line)
    if question.failed:
        talk.say(question.failed)


def _filled_in(talk: Conversation, flow: QuestionFlow[LeadsT]) -> StrEnum:
    """Ask for the field that is to be filled in now; the flow says whether there is another. Raises `GoBack`."""
    at = flow.state.at
    entry = flow.state.entries[at]
    if entry.secret:
        flow.type(at, talk.secret(f"{entry.label}, not shown", optional=True, help=entry.hint))
    else:
        flow.type(at, talk.ask(entry.label, str, default=entry.text, help=entry.hint))
    return Answer.DO


def _chosen(talk: Conversation, question: Question) -> StrEnum:
    """Ask for one of the answers; the careful one may be said as 'no', the other as 'yes'. Raises `GoBack`."""
    rows = [
        Choice(each.id, each.verb, about=each.off or each.note, also=ALSO.get(each.id, "")) for each in question.offers
    ]
    while True:
        chosen = talk.choose("", rows, question.chosen)
        off = next(each.off for each in question.offers if each.id == chosen)
        if not off:
            return chosen
        talk.say(off)
