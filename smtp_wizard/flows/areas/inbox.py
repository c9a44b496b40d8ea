"""The practice inbox: what was sent to the practice server, newest first."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path

from smtp_wizard.engine.base.file_ownership import UnsafeFile
from smtp_wizard.engine.base.mail_message import MailMessage
from smtp_wizard.engine.base.shown import shown
from smtp_wizard.engine.base.threads import in_thread, run_to_completion
from smtp_wizard.engine.sandbox.mailbox import SandboxMessage, clear, messages, read, readable
from smtp_wizard.flows.flow import Card, Flow, Mood, Offer, Section
from smtp_wizard.text.last_test import when_words

EMPTY = "Nothing has arrived yet. Practise, and send a test message."
GONE = "That message is not there any more."
EMPTY_QUESTION = Card(mood=Mood.WARNED, title="Throw away every message?", lines=("They were only sent for practice.",))
HEADERS = ("From", "To", "Reply-To", "Subject", "Date", "Message-ID")
LONGEST = 20_000
"""Characters of a message that are shown."""


class InboxOffer(StrEnum):
    """What may be done with the inbox."""

    READ = "read"
    LOOK = "look"
    EMPTY = "empty"
    PRACTISE = "practise"
    """Set up the practice mailbox, so that something arrives."""
    KEEP = "keep"


LOOK = Offer(InboxOffer.LOOK, "Look again", key="R")
ANSWERS = (
    Offer(InboxOffer.KEEP, "Keep them", chip="Keep them"),
    Offer(InboxOffer.EMPTY, "Throw them away", chip="Throw away"),
)
"""To `EMPTY_QUESTION`."""


@dataclass(frozen=True, slots=True)
class Letter:
    """One message in the list; cleaned, bounded."""

    key: str
    when: str
    to: str
    subject: str


@dataclass(frozen=True, slots=True, kw_only=True)
class InboxState:
    """What a face shows of the inbox."""

    rows: tuple[Letter, ...] = ()
    at: int = 0
    looked: bool = False
    """Whether somebody has looked into it yet."""
    card: Card | None = None
    """Why it cannot be read, or what became of a message."""
    sections: tuple[Section, ...] = ()
    """The chosen message, its words in full."""
    offers: tuple[Offer[InboxOffer], ...] = (LOOK,)
    """The first one is Enter's."""


@dataclass(frozen=True, slots=True)
class ReadLetter:
    """Read this message: its subject, its headers, its text."""

    subject: str
    sections: tuple[Section, ...]


@dataclass(frozen=True, slots=True)
class Practise:
    """Go to the practice mailbox."""


class InboxFlow(Flow[InboxState, InboxOffer, ReadLetter | Practise]):
    """The messages of one practice folder."""

    def __init__(self, folder: Path) -> None:
        super().__init__(InboxState())
        self._folder = folder

    def choose(self, at: int) -> None:
        """Choose another message; beyond the ends, the first or the last."""
        at = max(0, min(at, len(self.state.rows) - 1))
        if at != self.state.at:
            self._show(replace(self.state, at=at, sections=_about(self.state.rows[at : at + 1])))

    async def act(self, offer: InboxOffer) -> ReadLetter | Practise | None:
        """Look, read or empty. What cannot be read becomes a card."""
        try:
            match offer:
                case InboxOffer.READ if self.state.rows:
                    return await self._read(self.state.rows[self.state.at].key)
                case InboxOffer.EMPTY:
                    await run_to_completion(lambda: clear(self._folder))
                    await self._look()
                case InboxOffer.LOOK:
                    await self._look()
                case InboxOffer.PRACTISE:
                    return Practise()
                case _:
                    pass
        except OSError as problem:
            self._show(replace(self.state, looked=True, card=Card(mood=Mood.FAILED, title=_why(problem))))
        return None

    async def _look(self, card: Card | None = None) -> None:
        """Look beside the event loop: there may be hundreds of messages. The chosen one stays chosen."""
        found = await in_thread(lambda: messages(self._folder))
        now = datetime.now(UTC)
        rows = tuple(letter(each, now) for each in found)
        chosen = self.state.rows[self.state.at].key if self.state.rows else ""
        at = next((at for at, row in enumerate(rows) if row.key == chosen), 0)
        sections = _about(rows[at : at + 1])
        self._show(InboxState(rows=rows, at=at, looked=True, card=card, sections=sections, offers=_offers(found)))

    async def _read(self, key: str) -> ReadLetter | None:
        try:
            message = await in_thread(lambda: read(self._folder, key))
        except KeyError:
            await self._look(Card(mood=Mood.WARNED, title=GONE))
            return None
        subject = shown(readable(message.head.get("subject")), 60) or "(no subject)"
        return ReadLetter(subject, await in_thread(lambda: letter_sections(message)))


def _offers(found: Sequence[SandboxMessage]) -> tuple[Offer[InboxOffer], ...]:
    if not found:
        return (Offer(InboxOffer.PRACTISE, "Practise"), LOOK)
    return (Offer(InboxOffer.READ, "Read it"), LOOK, Offer(InboxOffer.EMPTY, "Empty it", key="Del"))


def letter(message: SandboxMessage, now: datetime) -> Letter:
    """Return the row of a message."""
    when = when_words(message.when, now)
    subject = shown(message.subject, 200) or "(no subject)"
    return Letter(message.key, when, shown(", ".join(message.recipients), 200), subject)


def _about(chosen: Sequence[Letter]) -> tuple[Section, ...]:
    return tuple(Section(each.subject, (f"To: {each.to}", f"Arrived: {each.when}")) for each in chosen)


def letter_sections(message: MailMessage) -> tuple[Section, ...]:
    """Return a message to read: its headers, then its text, each line cleaned, bounded."""
    heads = [(name, value) for name in HEADERS for value in message.head.all(name.lower())[:1]]
    lines = tuple(f"{name + ':':<12}{shown(readable(value), 300)}" for name, value in heads)
    return (Section("", lines), Section("", tuple(letter_text(message).splitlines())))


def letter_text(message: MailMessage) -> str:
    """Return the readable text of a message, each line cleaned, bounded."""
    part = message.shown("text/plain", "text/html")
    if part is None:
        return "(no text in it)"
    text = part.text()
    lines = text[:LONGEST].splitlines()
    return "\n".join(shown(line, 1000) for line in lines) + ("\n..." if len(text) > LONGEST else "")


def _why(problem: OSError) -> str:
    """Say why the inbox cannot be looked into."""
    if isinstance(problem, UnsafeFile):
        return str(problem)
    return f"The practice inbox cannot be read: {shown(problem.strerror or 'unknown reason', 100)}."
