"""The step Test mail in lines of text: the message, and whether it arrived."""

from __future__ import annotations

import asyncio
import os
import signal
from typing import Any

import pytest

from smtp_wizard.engine.base.stages import Depth, Stage
from smtp_wizard.engine.checks.events import Emit, StageStarted
from smtp_wizard.engine.checks.report import Report
from smtp_wizard.engine.guides.guides import Guides
from smtp_wizard.engine.services.checks import Checks
from smtp_wizard.engine.services.services import Services
from smtp_wizard.engine.wizard.draft import Draft, ReportedArrival
from smtp_wizard.plain.test_mail import PERHAPS_SENT
from smtp_wizard.plain.wizard import PlainWizard
from smtp_wizard.runtime.exit_codes import Interrupted
from tests.plain.exchanges import EMAIL, FINISH, LEAVE, REVIEW, SECRET, SEND, TO_TESTMAIL, Look, Walk, practising
from tests.support.codeword import WORD
from tests.support.dialogue import Dialogue
from tests.support.places import draft_at_testmail


def test_the_mailbox_that_sends_is_refused_and_another_address_taken(walk: Walk) -> None:
    said = walk(
        *TO_TESTMAIL,
        ("Another address that you read:", "YOU@sandbox.test"),
        ("is the mailbox that sends", "nobody"),
        ("has an @", "bob@example.org"),
        ("Which code word is in the message?", "lion"),
        ("That is not the word.", "nothing"),
        ("Sent just now, and not there", "elsewhere"),
        ("Another address that you read [bob@example.org]:", ""),
        ("Which code word is in the message?", "3"),
        ("Nothing there yet.", "on"),
        *(*REVIEW, FINISH, LEAVE),
    )
    assert said.words.count("ok Message") == 2
    assert "not proved: nobody saw the test message" in said.words
    assert "Not proved: nobody saw the test message." in said.words


def test_a_message_in_junk_has_arrived_and_it_is_said_what_helps(answered: Look) -> None:
    draft = answered(*TO_TESTMAIL, SEND, ("It counts as arrived", "junk"), ("press 'Not junk'", "on"))
    assert draft.arrival is ReportedArrival.JUNK


def test_the_practice_inbox_shows_the_word(walk: Walk, monkeypatch: pytest.MonkeyPatch) -> None:
    said = walk(
        *(*TO_TESTMAIL, SEND),
        ("Open the practice inbox (or type: inbox)", "inbox"),
        (f"Subject: smtp-wizard test {WORD}", "back"),
        ("Another address that you read [bob@example.org]:", "quit"),
        ("Leave now?", "yes"),
    )
    assert f"The code of this test is {WORD}." in said.words


def test_a_refused_sender_is_mended_where_it_was_refused(walk: Walk) -> None:
    walk(
        *(EMAIL, practising("sender-not-allowed"), SECRET, SEND),
        ("1. Change the sender", ""),
        ("Sender:", "hello@sandbox.test"),
        ("FAIL Message", "skip"),
        *(*REVIEW, FINISH, LEAVE),
    )


def test_a_message_that_was_not_taken_says_why_and_leads_on(walk: Walk) -> None:
    said = walk(
        *(EMAIL, practising("quota-reached"), SECRET, SEND),
        ("FAIL Message", "details"),
        ("550", "elsewhere"),
        ("Another address that you read [bob@example.org]", "eve@example.org"),
        ("FAIL Message", "again"),
        ("FAIL Message", "skip"),
        *(*REVIEW, FINISH, LEAVE),
    )
    assert said.words.count("FAIL Message") == 3
    assert "Not proved: no test message was sent." in said.words


def test_the_test_mail_can_be_left_out(answered: Look) -> None:
    assert answered(*TO_TESTMAIL, ("Another address that you read", "skip")).arrival is ReportedArrival.SKIPPED


def test_a_message_that_was_cut_off_may_or_may_not_have_been_sent(
    services: Services, guides: Guides, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Ctrl-C while the message is being handed over."""

    async def handing_over(self: Checks, draft: Draft, depth: Depth, emit: Emit, **_: Any) -> Report:
        emit(StageStarted(Stage.DATA))
        os.kill(os.getpid(), signal.SIGINT)
        await asyncio.Event().wait()
        raise AssertionError("the signal ends it")

    monkeypatch.setattr(Checks, "check_draft", handing_over)
    wizard = PlainWizard(services, guides, Dialogue(SEND))
    with pytest.raises(Interrupted) as ended:
        wizard.run(start="setup", draft=draft_at_testmail())
    assert ended.value.number == signal.SIGINT
    assert ended.value.undone.startswith(PERHAPS_SENT)
