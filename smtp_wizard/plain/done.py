"""Done: what to type into the application, and what to do next."""

from __future__ import annotations

from enum import StrEnum

from smtp_wizard.engine.base.connection import Auth
from smtp_wizard.engine.guides.guides import as_text
from smtp_wizard.engine.wizard.draft import Draft
from smtp_wizard.output.lines import WIDTH
from smtp_wizard.plain.form import Kit, Question, StepOutcome, ask_in_order
from smtp_wizard.plain.talk import Choice, Conversation
from smtp_wizard.text.wizard import (
    APPLICATION_GUIDE,
    SCOPE_GUIDE,
    TYPE_THIS,
    application_rows,
    done_notes,
    filled_guide,
    grouped,
    saved_words,
)

LABEL = 19
ON_SCREEN = "The password will stand on your screen, and stay in what can be scrolled back to."


def done(talk: Conversation, kit: Kit, draft: Draft) -> StepOutcome:
    """The only place where the password is shown: after a yes, in groups of four, as it is typed by hand."""
    talk.say(saved_words(draft))
    if draft.connection.sandbox:
        talk.say(
            "This was practice, on this computer alone. A real account works the same way: choose 'Set up another "
            "account' next, and type your own address."
        )
    talk.show(["", TYPE_THIS, *(f"  {label:<{LABEL}}{value}" for label, value in application_rows(draft)), ""])
    talk.say(done_notes(draft))
    return ask_in_order(talk, kit, draft, [Question(_next)])


class _Action(StrEnum):
    """What can be done at the end."""

    FINISH = "finish"
    SHOW = "show"
    GUIDE = "guide"
    WHICH = "which"


def _next(talk: Conversation, kit: Kit, draft: Draft) -> Draft:
    secret = draft.connection.auth is not Auth.NONE and draft.secret is not None
    rows = [
        Choice(_Action.FINISH, "Finish"),
        *([Choice(_Action.SHOW, "Show the password, in groups of four", word="show")] if secret else []),
        Choice(_Action.GUIDE, "A guide to the application's own screen", word="guide"),
        Choice(_Action.WHICH, "Which mails go through which account", word="which"),
    ]
    while True:
        match talk.choose("What next?", rows):
            case _Action.FINISH:
                return draft
            case _Action.SHOW:
                _show(talk, draft)
            case _Action.GUIDE:
                _show_guide(talk, kit, draft, APPLICATION_GUIDE)
            case _Action.WHICH:
                _show_guide(talk, kit, draft, SCOPE_GUIDE)


def _show_guide(talk: Conversation, kit: Kit, draft: Draft, guide_id: str) -> None:
    guide = filled_guide(kit.shelf, guide_id, kit.desk.catalog.get(draft.connection.provider), draft)
    talk.show(as_text(guide, WIDTH).splitlines())


def _show(talk: Conversation, draft: Draft) -> None:
    assert draft.secret is not None, "it is offered only where there is one"
    if talk.yes(ON_SCREEN, yes="Show it", no="Do not show it"):
        talk.show([f"  {'Password':<{LABEL}}{grouped(draft.secret.reveal())}"])
