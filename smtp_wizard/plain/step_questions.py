"""A step of the wizard as questions in order: an answer leads to the next one, `back` to the one before.

And what the steps have in common: the card of a flow, and the question which application will send.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from smtp_wizard.engine.guides.guides import Guides
from smtp_wizard.engine.services.services import Services
from smtp_wizard.engine.wizard.draft import Draft
from smtp_wizard.engine.wizard.steps import Back, Next
from smtp_wizard.flows.application import ApplicationAnswer, ApplicationQuestion
from smtp_wizard.plain.conversation import Choice, Conversation, GoBack


@dataclass(frozen=True, slots=True)
class StepContext:
    """The long-lived parts, built once at the front door and handed to each step."""

    services: Services
    guides: Guides
    keep: Callable[[Draft], None]
    """Told after every answer, so that a line that is lost costs nothing but the password."""
    backwards: bool = False
    """Whether the person comes back to this step: then its last question is asked first."""


StepOutcome = Next | Back
Ask = Callable[[Conversation, StepContext, Draft], Draft]
"""Asks one question; returns the draft with its answer. Raises `GoBack`, `Quit`."""


@dataclass(frozen=True, slots=True)
class StepQuestion:
    """One question, and when it applies."""

    ask: Ask
    """Always asks, where it applies; else 'back' would never get past it."""
    applies: Callable[[Draft], bool] = lambda draft: True


def ask_in_order(
    talk: Conversation, context: StepContext, draft: Draft, questions: Sequence[StepQuestion]
) -> StepOutcome:
    """Ask the questions that apply; return `Next` after the last, `Back` before the first. Nothing answered is lost."""
    at = _last(questions, draft) if context.backwards else 0
    while at < len(questions):
        if not questions[at].applies(draft):
            at += 1
            continue
        try:
            draft = questions[at].ask(talk, context, draft)
            at += 1
        except GoBack as wanted:
            draft = wanted.draft or draft
            before = [number for number in range(at) if questions[number].applies(draft)]
            if not before:
                return Back(draft)
            at = before[0] if wanted.to_first else before[-1]
        context.keep(draft)
    return Next(draft)


def _last(questions: Sequence[StepQuestion], draft: Draft) -> int:
    return max((number for number, each in enumerate(questions) if each.applies(draft)), default=0)


def ask_application(talk: Conversation, asked: ApplicationQuestion) -> ApplicationAnswer:
    """Ask which application will send; return the answer. Raises `GoBack`, `Quit`."""
    rows = [Choice(each, each.words, also=each.application) for each in asked.answers]
    return talk.choose(asked.label, rows, asked.chosen)
