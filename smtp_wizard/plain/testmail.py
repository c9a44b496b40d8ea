"""Test mail: a message to a different address, and did it arrive?"""

from __future__ import annotations

from dataclasses import replace
from enum import StrEnum
from functools import partial

from smtp_wizard.engine.accounts.lockout_guard import refused
from smtp_wizard.engine.base.address import Address
from smtp_wizard.engine.base.stages import Depth, Verdict
from smtp_wizard.engine.services.options import Options
from smtp_wizard.engine.wizard.draft import Arrival, Draft
from smtp_wizard.engine.wizard.steps import Back
from smtp_wizard.output.lines import summary
from smtp_wizard.plain.checks import GOOD, CompletedCheck
from smtp_wizard.plain.form import Kit, Question, StepOutcome, ask_in_order
from smtp_wizard.plain.passphrase import opened_for
from smtp_wizard.plain.talk import Choice, Conversation, GoBack
from smtp_wizard.text.wizard import (
    ANYWAY_NO,
    ANYWAY_QUESTION,
    ANYWAY_YES,
    ARRIVED,
    GO_ON_UNKNOWING,
    NOT_YET,
    NOT_YET_WORDS,
    REFUSED_AS_IT_IS,
    SEND_AGAIN,
    TESTMAIL_QUESTION,
    ArrivalAnswer,
    another_address,
    arrived_question,
    parse_recipient,
)

SKIP = "skip"
SKIPPING = f"type '{SKIP}' to leave it out"


class _ToPassword(Exception):
    """The person wants to change what was refused, a step before."""

    def __init__(self, draft: Draft) -> None:
        super().__init__()
        self.draft = draft


def testmail(talk: Conversation, kit: Kit, draft: Draft) -> StepOutcome:
    """The only step that sends. The same address is refused: mail to oneself proves little."""
    talk.say(TESTMAIL_QUESTION)
    if draft.arrival is Arrival.SKIPPED:
        draft = replace(draft, arrival=Arrival.UNASKED)
    sends = [Question(_to, _unsent), Question(_sent, _unsent)]
    try:
        return ask_in_order(talk, replace(kit, backwards=False), draft, [Question(_seen_before, _was_sent), *sends])
    except _ToPassword as wanted:
        return Back(wanted.draft)


def _unsent(draft: Draft) -> bool:
    return draft.arrival is Arrival.UNASKED


def _was_sent(draft: Draft) -> bool:
    return draft.arrival in (Arrival.ARRIVED, Arrival.NOT_YET)


def _seen_before(talk: Conversation, kit: Kit, draft: Draft) -> Draft:
    """Whoever comes back need not send again."""
    rows = [Choice(False, "Go on", also="on"), Choice(True, SEND_AGAIN, also="again")]
    again = talk.choose(f"A test message went to {draft.test_to}.", rows)
    return replace(draft, arrival=Arrival.UNASKED) if again else draft


def _to(talk: Conversation, kit: Kit, draft: Draft) -> Draft:
    def parse(text: str) -> Address | None:
        return None if text.casefold() == SKIP else parse_recipient(draft, text, SKIPPING)

    default = draft.typed.get("test_to", str(draft.test_to or ""))
    help = f"{another_address(draft)} To leave this out, type '{SKIP}'."
    to = talk.ask("Send a test to (or: skip)", parse, default=default, help=help)
    following = draft.with_typed("test_to", None)
    return replace(following, arrival=Arrival.SKIPPED) if to is None else replace(following, test_to=to)


def _sent(talk: Conversation, kit: Kit, draft: Draft) -> Draft:
    """Send, and ask what became of it; or say why it was not sent, and offer ways on."""
    if draft.refused:
        talk.say(REFUSED_AS_IT_IS)
    going = not draft.refused or _tries_again(talk, None, draft)
    while going:
        checked = _attempted(talk, kit, draft)
        report = checked.report if checked is not None else None
        if report is not None and report.verdict is not Verdict.FAIL:
            talk.show(summary(report, Depth.SEND))
            if report.verdict in GOOD:
                draft = replace(draft, proof=kit.desk.checks.prove(draft, report, Depth.SEND))
            return _arrived(talk, draft)
        if report is not None and refused(report):
            # What was proved before holds no longer, on the way back either.
            draft = replace(draft, proof=kit.desk.checks.prove(draft, report, Depth.SEND))
        going = _tries_again(talk, checked, draft)
    return replace(draft, arrival=Arrival.SKIPPED)


def _attempted(talk: Conversation, kit: Kit, draft: Draft) -> CompletedCheck | None:
    """Send, once; None where that could not even begin, which is said."""
    if not opened_for(talk, kit, draft):
        return None
    talk.say("Sending ...")
    checked = CompletedCheck(talk, partial(kit.desk.checks.check_draft, draft, Depth.SEND))
    if checked.paused and talk.yes(ANYWAY_QUESTION, yes=ANYWAY_YES, no=ANYWAY_NO):
        options = Options(ignore_lockout=True)
        checked = CompletedCheck(talk, partial(kit.desk.checks.check_draft, draft, Depth.SEND, options=options))
    return checked


class _Action(StrEnum):
    """What can be done after a message that was not taken."""

    OTHER = "other"
    PASSWORD = "password"
    AGAIN = "again"
    DETAILS = "details"
    SKIP = "skip"


def _tries_again(talk: Conversation, checked: CompletedCheck | None, draft: Draft) -> bool:
    """Ask what is to be done after a message that was not taken.

    Raises `GoBack` for another address, `_ToPassword` for another password. Whoever just presses Enter never sends a
    password once more that was refused.
    """
    other = Choice(_Action.OTHER, "Send to another address")
    details = Choice(_Action.DETAILS, "Show what was said to the server, and its answers", word="details")
    password = Choice(_Action.PASSWORD, "Change how you sign in", word="change")
    rows = [
        password if draft.refused else other,
        Choice(_Action.AGAIN, "Send once more to the same address"),
        *([details] if checked else []),
        Choice(_Action.SKIP, "Go on without a test message", word=SKIP),
    ]
    try:
        while (action := talk.choose("What now?", rows)) is _Action.DETAILS:
            assert checked is not None, "it is offered only after a check"
            checked.show_transcript()
    except GoBack:
        raise GoBack(draft) from None
    if action is _Action.PASSWORD:
        raise _ToPassword(draft)
    if action is _Action.OTHER:
        raise GoBack(draft)
    return action is _Action.AGAIN


def _arrived(talk: Conversation, draft: Draft) -> Draft:
    rows = [
        Choice(ArrivalAnswer.YES, ARRIVED, word="yes"),
        Choice(ArrivalAnswer.NO, NOT_YET, word="no"),
        Choice(ArrivalAnswer.AGAIN, SEND_AGAIN),
        Choice(ArrivalAnswer.ON, GO_ON_UNKNOWING, word="on"),
    ]
    question = arrived_question(draft)
    while True:
        match talk.choose(question, rows):
            case ArrivalAnswer.YES:
                return replace(draft, arrival=Arrival.ARRIVED)
            case ArrivalAnswer.ON:
                return replace(draft, arrival=Arrival.NOT_YET)
            case ArrivalAnswer.AGAIN:
                raise GoBack(draft)
            case ArrivalAnswer.NO:
                talk.say(NOT_YET_WORDS)
