"""What all flows have in common: a state that a face shows, offers that a person takes, and where they lead.

A flow is one step, or one action on an account, without a face. Whatever is decided is decided here, once: what is
asked next, what Enter takes, what a refusal leads to. A face shows `Flow.state`, hands over what is typed with the
methods of that flow and what is chosen with `act`, and shows the next state. A question in the midst of a step (is
this the right server? may a public list be asked?) is a state as well: a card and its own offers.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Generic, TypeVar

from smtp_wizard.engine.wizard.steps import Back, Next

Leads = Next | Back
"""Where a step of the wizard leads, with the draft that goes there."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """A field in which a person types. A secret's text is in the flow, never in its state."""

    label: str
    text: str = ""
    placeholder: str = ""
    hint: str = ""
    """What helps to fill it in; a fault stands in the same place."""
    error: str = ""
    """One sentence on what is wrong with the text; '' where nothing is, or where it is not yet said."""
    secret: bool = False


class Mood(StrEnum):
    """What a card tells by its colour and its sign."""

    TOLD = "told"
    RUNNING = "running"
    PASSED = "passed"
    WARNED = "warned"
    FAILED = "failed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Card:
    """What happened, in one place: its title says it, its lines say more and who acts."""

    mood: Mood
    title: str
    lines: tuple[str, ...] = ()
    """Paragraphs; a face folds them."""
    foot: str = ""
    """A few words for the frame's lower edge: '5 of 6 checks passed', 'Esc stops'."""
    seconds: int = 0
    """While it runs: how many seconds it may take at most; 0 where nobody knows. Its last line says what is awaited."""


Named = TypeVar("Named", bound=str, covariant=True)


@dataclass(frozen=True, slots=True)
class Offer(Generic[Named]):
    """Something that a person may do now."""

    id: Named
    verb: str
    """What the key says: 'Find my server'. As a row of a list, its words."""
    note: str = ""
    """One line below it, where it is a row of a list."""
    key: str = ""
    """A key that takes it wherever the cursor is ('F2', 'F9'); '' where it is taken as a row, or by Enter alone."""
    off: str = ""
    """Why it cannot be taken now, in a sentence; '' where it can."""
    chip: str = ""
    """As a row of a list: what the key of Enter says while it is the chosen one ('Go on'); '' is 'Choose'."""
    part: str = ""
    """The heading of the part of a list that it stands in: 'Other ways'; '' before all headings."""
    closed: bool = False
    """What others have closed: struck through. It can be taken all the same, and leads to what replaced it."""


@dataclass(frozen=True, slots=True)
class Section:
    """A part of what explains the step, beside the question: sources, settings, what changed."""

    title: str
    lines: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class CopyText:
    """Where a flow leads: the face copies this text to where the person can paste it from."""

    text: str


@dataclass(frozen=True, slots=True)
class ReadGuide:
    """Where a flow leads: the face shows this guide."""

    guide: str


StateT = TypeVar("StateT")
OfferT = TypeVar("OfferT", bound=str)
LeadsT = TypeVar("LeadsT")


class Flow(ABC, Generic[StateT, OfferT, LeadsT]):
    """One step without a face. `state` is all that a face may know of it."""

    def __init__(self, state: StateT) -> None:
        self._state = state
        self.changed: Callable[[StateT], None] = lambda state: None
        """Called with each new state, in the event loop; a face puts its own drawing here."""

    @property
    def state(self) -> StateT:
        """What a face shows now; frozen."""
        return self._state

    def _show(self, state: StateT) -> None:
        """Put another state in place, and tell the face where it is another one."""
        if state != self._state:
            self._state = state
            self.changed(state)

    @abstractmethod
    async def act(self, offer: OfferT) -> LeadsT | None:
        """Do what is offered; return where that leads, or None to stay here with the new state.

        Whatever a service raises for a person to read becomes a state: this raises nothing of
        `runtime.expected_errors`. A cancelled `act` leaves the flow as it was before, with what was typed.
        """
