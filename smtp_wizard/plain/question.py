"""Leads through a flow of questions in lines of text: its fields one after the other, then its answers."""

from __future__ import annotations

from enum import StrEnum
from typing import TypeVar

from smtp_wizard.flows.question import Answer, Question, QuestionFlow
from smtp_wizard.plain.checks import awaited
from smtp_wizard.plain.talk import Choice, Conversation, GoBack

LeadsT = TypeVar("LeadsT")


def answered(talk: Conversation, flow: QuestionFlow[LeadsT]) -> LeadsT:
    """Ask until the flow leads somewhere; return where. `back` is its `Answer.LEAVE`. Raises `Quit`."""
    said: tuple[str, ...] = ()
    while True:
        question = flow.state
        if question.lines != said:
            for line in question.lines:
                talk.say(line)
            said = question.lines
        if question.failed:
            talk.say(question.failed)
        try:
            offer = _filled_in(talk, flow) if question.entries else _chosen(talk, question)
        except GoBack:
            offer = Answer.LEAVE
        leads = awaited(flow.act(offer))
        if leads is not None:
            return leads


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
    """Ask for one of the answers. Raises `GoBack`."""
    rows = [Choice(each.id, each.verb, about=each.note) for each in question.offers if not each.off]
    return talk.choose(question.title, rows, question.chosen)
