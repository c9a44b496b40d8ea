"""What the step 'Test mail' shows: which question is asked now, and what may be done."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from smtp_wizard.flows.flow import Card, Entry, Offer, Section
from smtp_wizard.text import test_mail as words


class MailTestPhase(StrEnum):
    """Which question is asked now."""

    RECIPIENT = "recipient"
    SENDING = "sending"
    WORD = "word"
    ARRIVED = "arrived"
    JUNK = "junk"
    NOTHING = "nothing"
    RETURNED = "returned"
    FOLLOWED = "followed"
    """It was looked where it arrived, or what came back."""
    NOT_SENT = "not-sent"
    SENDER = "sender"


class MailTestOffer(StrEnum):
    """What may be done at this step."""

    SEND = "send"
    """Send to the address in the field."""
    SKIP = "skip"
    SEEN = "seen"
    """The word in the field is that of the message."""
    JUNK = "junk"
    NOTHING = "nothing"
    ON = "on"
    """Go on, with what is known."""
    AGAIN = "again"
    """Send once more, as it is."""
    WAIT = "wait"
    ELSEWHERE = "elsewhere"
    RETURNED = "returned"
    EXPLAIN = "explain"
    """Paste the message that came back: the face opens its explanation of errors."""
    SENDER = "sender"
    SEND_AS = "send-as"
    """Send from the address in the field."""
    ANYWAY = "anyway"
    """Sign in although it may lock the account."""
    LOOK = "look"
    """Look in the mailboxes for the message: its copy in Sent, its arrival."""
    REHEARSE = "rehearse"
    """See what happens to mail that cannot be delivered."""
    INBOX = "inbox"
    """Show what came to the practice mailbox."""
    SIGN_IN = "sign-in"
    """Go a step back: to where the sign-in is changed."""
    BACK = "back"
    """To the question before; from the first one to the step before."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MailTestState:
    """All that a face shows of this step."""

    phase: MailTestPhase
    question: str
    entry: Entry | None = None
    card: Card | None = None
    offers: tuple[Offer[MailTestOffer], ...] = ()
    """Where there is a field, the first is what Enter does with it; the others, and all where there is none, are rows
    of a list."""
    marked: bool = True
    """Whether Enter takes the first offer. Where it does not, the person chooses."""
    note: str = ""
    """One line below."""
    sections: tuple[Section, ...] = ()


WAIT = Offer(MailTestOffer.WAIT, words.WAIT, words.WAIT_NOTE, chip=words.WAIT_CHIP)
SAVE_ANYWAY = Offer(MailTestOffer.ON, words.SAVE_ANYWAY, words.SAVE_ANYWAY_NOTE, chip=words.GO_ON)
ANSWERED = (
    Offer(MailTestOffer.ON, words.GO_ON, chip=words.GO_ON),
    Offer(MailTestOffer.AGAIN, words.ONCE_MORE, chip=words.SEND_IT),
)
"""What may be done with a message that was seen."""
