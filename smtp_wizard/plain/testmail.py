"""Test mail: a message to a different address, and did it arrive?"""

from __future__ import annotations

from dataclasses import replace
from functools import partial

from smtp_wizard.engine.accounts.lockout_guard import refused
from smtp_wizard.engine.base.address import Address
from smtp_wizard.engine.base.stages import Depth, Verdict
from smtp_wizard.engine.services.options import Options
from smtp_wizard.engine.wizard.draft import Arrival, Draft
from smtp_wizard.engine.wizard.steps import Back
from smtp_wizard.output.lines import summary
from smtp_wizard.plain.checks import GOOD, Checked
from smtp_wizard.plain.form import Kit, Question, StepOutcome, in_order
from smtp_wizard.plain.passphrase import opened_for
from smtp_wizard.plain.talk import Choice, GoBack, Talk
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


def testmail(talk: Talk, kit: Kit, draft: Draft) -> StepOutcome:
    """The only step that sends. The same address is refused: mail to oneself proves little."""
    talk.say(TESTMAIL_QUESTION)
    if draft.arrival is Arrival.SKIPPED:
        draft = replace(draft, arrival=Arrival.UNASKED)
    sends = [Question(_to, _unsent), Question(_sent, _unsent)]
    try:
        return in_order(talk, replace(kit, backwards=False), draft, [Question(_seen_before, _was_sent), *sends])
    except _ToPassword as wanted:
        return Back(wanted.draft)


def _unsent(draft: Draft) -> bool:
    return draft.arrival is Arrival.UNASKED


def _was_sent(draft: Draft) -> bool:
    return draft.arrival in (Arrival.ARRIVED, Arrival.NOT_YET)


def _seen_before(talk: Talk, kit: Kit, draft: Draft) -> Draft:
    """Whoever comes back need not send again."""
    rows = [Choice("on", "Go on"), Choice("again", SEND_AGAIN)]
    again = talk.choose(f"A test message went to {draft.test_to}.", rows) == "again"
    return replace(draft, arrival=Arrival.UNASKED) if again else draft


def _to(talk: Talk, kit: Kit, draft: Draft) -> Draft:
    def parse(text: str) -> Address | None:
        return None if text.casefold() == SKIP else parse_recipient(draft, text, SKIPPING)

    default = draft.typed.get("test_to", str(draft.test_to or ""))
    help = f"{another_address(draft)} To leave this out, type '{SKIP}'."
    to = talk.ask("Send a test to (or: skip)", parse, default=default, help=help)
    following = draft.with_typed("test_to", None)
    return replace(following, arrival=Arrival.SKIPPED) if to is None else replace(following, test_to=to)


def _sent(talk: Talk, kit: Kit, draft: Draft) -> Draft:
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


def _attempted(talk: Talk, kit: Kit, draft: Draft) -> Checked | None:
    """Send, once; None where that could not even begin, which is said."""
    if not opened_for(talk, kit, draft):
        return None
    talk.say("Sending ...")
    checked = Checked(talk, partial(kit.desk.checks.check_draft, draft, Depth.SEND))
    if checked.paused and talk.yes(ANYWAY_QUESTION, yes=ANYWAY_YES, no=ANYWAY_NO):
        options = Options(ignore_lockout=True)
        checked = Checked(talk, partial(kit.desk.checks.check_draft, draft, Depth.SEND, options=options))
    return checked


def _tries_again(talk: Talk, checked: Checked | None, draft: Draft) -> bool:
    """Ask what is to be done after a message that was not taken.

    Raises `GoBack` for another address, `_ToPassword` for another password. Whoever just presses Enter never sends a
    password once more that was refused.
    """
    other = Choice("other", "Send to another address")
    password = Choice("password", "Change how you sign in", word="change")
    rows = [
        password if draft.refused else other,
        Choice("again", "Send once more to the same address"),
        *([Choice("details", "Show what was said to the server, and its answers", word="details")] if checked else []),
        Choice("skip", "Go on without a test message", word=SKIP),
    ]
    try:
        while (action := talk.choose("What now?", rows)) == "details":
            assert checked is not None, "it is offered only after a check"
            checked.show_transcript()
    except GoBack:
        raise GoBack(draft) from None
    if action == "password":
        raise _ToPassword(draft)
    if action == "other":
        raise GoBack(draft)
    return action == "again"


def _arrived(talk: Talk, draft: Draft) -> Draft:
    rows = [
        Choice("yes", ARRIVED, word="yes"),
        Choice("no", NOT_YET, word="no"),
        Choice("again", SEND_AGAIN),
        Choice("on", GO_ON_UNKNOWING, word="on"),
    ]
    question = arrived_question(draft)
    while True:
        match talk.choose(question, rows):
            case "yes":
                return replace(draft, arrival=Arrival.ARRIVED)
            case "on":
                return replace(draft, arrival=Arrival.NOT_YET)
            case "again":
                raise GoBack(draft)
            case _:
                talk.say(NOT_YET_WORDS)
