"""What becomes of a message, in lines of text: after the test mail, and from the list of accounts."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from smtp_wizard.engine.guides.guides import Guides
from smtp_wizard.engine.mailbox.arrival import Arrival
from smtp_wizard.engine.mailbox.arrival_states import ArrivalState, SentCopy
from smtp_wizard.engine.services.arrivals import Confirmation
from smtp_wizard.engine.services.services import Services
from smtp_wizard.engine.wizard.draft import ReportedArrival
from smtp_wizard.engine.wizard.steps import Next
from smtp_wizard.plain.conversation import Conversation
from smtp_wizard.plain.step_questions import StepContext
from smtp_wizard.plain.test_mail import test_mail as ask_test_mail
from smtp_wizard.plain.wizard import PlainWizard
from tests.flows.accounts.test_arrival import ACCOUNT, FOUND, NOTHING, Doubles
from tests.flows.last_steps.test_follow_up import sent_draft
from tests.support.dialogue import Dialogue, Exchange
from tests.support.walk import make_services

IN_JUNK = Confirmation(copy=SentCopy.ABSENT, arrival=Arrival(where=ArrivalState.JUNK), whose=FOUND.whose)
PASSWORD: Exchange = ("not shown", "a password")


def services_with(folder: Path, doubles: Doubles) -> Services:
    services = make_services(folder)
    services.saved_accounts.put(ACCOUNT)
    return replace(services, checks=doubles, arrivals=doubles)  # type: ignore[arg-type]


def at_accounts(folder: Path, doubles: Doubles, *script: Exchange) -> Dialogue:
    dialogue = Dialogue(("", "change"), *script, ("Your accounts", "leave"))
    assert PlainWizard(services_with(folder, doubles), Guides(), dialogue).run(start="home") == 0
    dialogue.over()
    assert "\x1b" not in dialogue.said
    return dialogue


def test_a_message_of_an_account_is_sent_and_looked_for(tmp_path: Path) -> None:
    doubles = Doubles()
    said = at_accounts(
        tmp_path,
        doubles,
        ("Send a test message, and look where it arrives", "confirm"),
        ("Nothing in a mailbox is changed.", "bob@elsewhere.example"),
        PASSWORD,
    )
    assert "A copy lies in Sent" in said.words
    ((to, code, _),) = doubles.messages
    assert (to, doubles.looked[0][0]) == ("bob@elsewhere.example", code)


def test_a_bounce_is_rehearsed_after_a_yes_alone(tmp_path: Path) -> None:
    doubles = Doubles(found=[NOTHING])
    said = at_accounts(
        tmp_path,
        doubles,
        ("See what happens to mail that cannot be delivered", "rehearse"),
        ("to see it come back", "yes"),
        PASSWORD,
    )
    assert "Nothing has come back within 60 seconds." in said.words
    assert len(doubles.messages) == 1
    none = Doubles(found=[NOTHING])
    at_accounts(tmp_path / "no", none, ("", "rehearse"), ("1. Send nothing", ""))
    assert (none.messages, none.looked) == ([], [])


def test_after_the_test_mail_it_is_looked_for_and_what_lies_in_junk_has_arrived(tmp_path: Path) -> None:
    doubles = Doubles(found=[IN_JUNK])
    draft = sent_draft(ReportedArrival.NOT_YET)
    dialogue = Dialogue(
        ("Which code word is in the message?", "look"),
        ("is read over IMAP", "yes"),
        ("No copy lies in Sent", "on"),
    )
    context = StepContext(services_with(tmp_path, doubles), Guides(), lambda draft: None)
    leads = ask_test_mail(Conversation(dialogue), context, draft)
    dialogue.over()
    assert isinstance(leads, Next)
    assert leads.draft.arrival is ReportedArrival.JUNK
    assert (doubles.messages, doubles.looked) == ([], [("music", draft.secret)])
