"""What is asked before a message of an account goes out, and before a mailbox is read for it."""

from __future__ import annotations

from enum import StrEnum

from smtp_wizard.engine.accounts.account import Account
from smtp_wizard.engine.base.address import Address
from smtp_wizard.engine.base.shown import shown
from smtp_wizard.flows.accounts.action import yes_or_no
from smtp_wizard.flows.flow import Entry, Offer
from smtp_wizard.flows.question import Answer, Question, Topic
from smtp_wizard.text.accounts import REHEARSE_TITLE
from smtp_wizard.text.areas import arrivals as words


def recipient_question(title: str) -> Question:
    """Return the question where the message is to go."""
    return Question(
        title=title,
        about=Topic.RECIPIENT,
        lines=words.CONFIRM_WORDS,
        entries=(Entry(label=words.RECIPIENT, placeholder="you.private@example.org", hint=words.RECIPIENT_HINT),),
        offers=(Offer(Answer.DO, words.SEND_AND_LOOK), Offer(Answer.LEAVE, words.LEAVE, key="Esc")),
    )


def look_question(title: str, account: Account, known: str = "") -> Question:
    """Return the question whether the mailbox may be read for a message that went out. `known`: what is known of it."""
    lines = words.look_words(shown(str(account.address), 100))
    return Question(
        title=title,
        about=Topic.LOOK,
        lines=(known, *lines) if known else lines,
        offers=(Offer(Answer.DO, words.LOOK), Offer(Answer.LEAVE, words.LEAVE)),
    )


def wait_question(title: str, known: str) -> Question:
    """Return the question whether to wait, after all, for a message to come back. `known`: what is known of it."""
    offers: tuple[Offer[StrEnum], ...] = (Offer(Answer.DO, words.WAIT_FOR_IT), Offer(Answer.LEAVE, words.LEAVE))
    return Question(title=title, about=Topic.LOOK, lines=(known, words.WAIT_WORDS), offers=offers)


def rehearse_question(to: Address) -> Question:
    """Return the question whether a message may go to an address that is nobody's. The no is marked at first."""
    lines = words.rehearse_words(shown(str(to), 100))
    return yes_or_no(Topic.REHEARSAL, REHEARSE_TITLE, lines, yes=words.SEND_ONE, no=words.SEND_NONE)
