"""A question by itself: one card, the fields that belong to it, and the answers. An action is a row of them.

A face needs no more than this to lead through any action on an account, or to ask for the vault's passphrase in the
midst of a step: it shows `Flow.state`, hands over what is typed with `type`, and what is chosen with `act`.
"""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import TypeVar

from smtp_wizard.engine.base.secret import Secret
from smtp_wizard.flows.flow import Card, Entry, Flow, Mood, Offer


class Answer(StrEnum):
    """What leads on from a question, whatever it is about. Others are the question's own."""

    DO = "do"
    """What was asked for, with what stands in the fields."""
    LEAVE = "leave"
    """Leave it; nothing is done."""


class Topic(StrEnum):
    """What a question is about, for a face that answers it from options."""

    PASSPHRASE = "passphrase"
    NEW_PASSPHRASE = "new-passphrase"
    PASSWORD = "password"
    NAME = "name"
    PLACE = "place"
    WAY = "way"
    """The way to a password that is kept elsewhere."""
    DISPLACES = "displaces"
    """Whether another account for all mail may give way."""
    LOCKOUT = "lockout"
    """Whether to sign in although that may lock the account."""
    DELETION = "deletion"
    RECIPIENT = "recipient"
    """Where a message is to go."""
    LOOK = "look"
    """Whether a mailbox may be read for a message that went out."""
    REHEARSAL = "rehearsal"
    """Whether a message may go to an address that is nobody's, to see it come back."""
    IMAP_SERVER = "imap-server"
    """Which server a mailbox is read from."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """What is asked now, whole."""

    title: str
    about: Topic | None = None
    """None while nothing is asked."""
    card: Card | None = None
    """What came of the last answer, where that is why it is asked again."""
    lines: tuple[str, ...] = ()
    """Paragraphs: why it is asked, and what each answer does."""
    entries: tuple[Entry, ...] = ()
    at: int = 0
    """The field that the person is to fill in now."""
    offers: tuple[Offer[StrEnum], ...] = ()
    """The answers. Enter takes the first, or the one that was chosen where they are shown as a list."""
    chosen: StrEnum | None = None
    """The offer that is marked at first, where another than the first is the careful one."""
    running: str = ""
    """What is being done, while nothing can be answered; '' where an answer is waited for."""

    @property
    def stops(self) -> bool:
        """Whether what is being done may be stopped: a check; a change to what is kept is never cut short."""
        return bool(self.running) and self.card is not None and self.card.mood is Mood.RUNNING

    @property
    def failed(self) -> str:
        """What is wrong with what was typed, in a sentence; '' where nothing is."""
        return next((each.error for each in self.entries if each.error), "")

    def with_error(self, at: int, error: str) -> Question:
        """Return the question with a fault said at a field, which is to be filled in anew."""
        entries = tuple(replace(each, error=error if n == at else "") for n, each in enumerate(self.entries))
        return replace(self, entries=entries, at=at, running="")


LeadsT = TypeVar("LeadsT")


class QuestionFlow(Flow[Question, StrEnum, LeadsT]):
    """A flow whose state is always a question. What is typed stays here; of a secret nothing is in the state."""

    def __init__(self, state: Question) -> None:
        super().__init__(state)
        self._secrets: dict[int, Secret] = {}

    def type(self, at: int, text: str) -> None:
        """Take what stands in a field now; a fault that was said of it is settled."""
        entry = self._state.entries[at]
        if entry.secret:
            self._give(at, Secret(text))
        self._put(at, replace(entry, text="" if entry.secret else text, error=""))

    def give(self, at: int, secret: Secret) -> None:
        """Take a secret that was not typed into its field, or not here."""
        self._give(at, secret)
        self._put(at, replace(self._state.entries[at], error=""))

    def _give(self, at: int, secret: Secret) -> None:
        self._secrets[at] = secret

    def _put(self, at: int, entry: Entry) -> None:
        entries = tuple(entry if n == at else each for n, each in enumerate(self._state.entries))
        self._show(replace(self._state, entries=entries, at=at))

    def _secret(self, at: int) -> Secret:
        """What was typed into a field that is not shown."""
        return self._secrets.get(at, Secret(""))

    def _ask(self, question: Question) -> None:
        """Put another question, with nothing typed that the first one had."""
        self._secrets = {}
        self._show(question)

    def _fail(self, at: int, error: str) -> None:
        self._show(self._state.with_error(at, error))

    @abstractmethod
    async def act(self, offer: StrEnum) -> LeadsT | None:
        """As `Flow.act`."""
