"""Guides: all of them by their titles, found as one types."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum

from smtp_wizard.engine.base.data_files import DataError
from smtp_wizard.engine.guides.dates import date_words
from smtp_wizard.engine.guides.guides import Guide, Guides, fill
from smtp_wizard.flows.flow import Card, Entry, Flow, Mood, Offer, Section

CLOSED = "closed since {}"
NOTHING_LIKE_IT = "No guide is called so. Type fewer letters."


class GuideOffer(StrEnum):
    """What may be done with the list."""

    READ = "read"


@dataclass(frozen=True, slots=True)
class GuideLine:
    """One guide in the list."""

    id: str
    title: str
    time: str
    """How long it takes: '4 min'."""
    closed: bool
    """Whether the way that it describes is gone."""


@dataclass(frozen=True, slots=True, kw_only=True)
class GuidesState:
    """What a face shows of the guides."""

    find: Entry
    rows: tuple[GuideLine, ...] = ()
    at: int = 0
    sections: tuple[Section, ...] = ()
    """What the chosen one is about."""
    card: Card | None = None
    offers: tuple[Offer[GuideOffer], ...] = ()


class GuidesFlow(Flow[GuidesState, GuideOffer, str]):
    """The list of guides; `act` leads to the id of the one to read."""

    def __init__(self, guides: Guides) -> None:
        super().__init__(GuidesState(find=Entry(label="Find a guide", placeholder="a provider, or a word")))
        try:
            self._guides = tuple(sorted(map(fill, guides.all().values()), key=lambda guide: guide.title.casefold()))
        except DataError as problem:
            self._guides = ()
            card = Card(mood=Mood.FAILED, title="The guides cannot be read", lines=(str(problem),))
            self._show(replace(self.state, card=card))
        self._found: tuple[Guide, ...] = ()
        self._list()

    def find(self, text: str) -> None:
        """List the guides in whose words all of these stand; those that have them in the title first."""
        if text != self.state.find.text:
            self._show(replace(self.state, find=replace(self.state.find, text=text)))
            self._list()

    def choose(self, at: int) -> None:
        """Choose another row; beyond the ends, the first or the last."""
        at = max(0, min(at, len(self._found) - 1))
        if at != self.state.at:
            self._show(self._with_chosen(replace(self.state, at=at)))

    @property
    def chosen(self) -> Guide | None:
        """The guide of the chosen row."""
        return self._found[self.state.at] if self._found else None

    async def act(self, offer: GuideOffer) -> str | None:
        """Lead to the chosen guide."""
        return self.chosen.id if self.chosen is not None else None

    def _list(self) -> None:
        words = self.state.find.text.casefold().split()
        titled = [each for each in self._guides if all(word in each.title.casefold() for word in words)]
        told = [each for each in self._guides if all(word in _words(each) for word in words)]
        self._found = tuple({each.id: each for each in (*titled, *told)}.values())
        number = "1 guide" if len(self._found) == 1 else f"{len(self._found)} guides"
        lacking = "" if self._found or not self._guides else NOTHING_LIKE_IT
        find = replace(self.state.find, hint=number if self._found else "", error=lacking)
        rows = tuple(map(_line, self._found))
        self._show(self._with_chosen(replace(self.state, find=find, rows=rows, at=0)))

    def _with_chosen(self, state: GuidesState) -> GuidesState:
        if not self._found:
            return replace(state, sections=(), offers=())
        guide = self._found[state.at]
        gone = (f"This way is {CLOSED.format(date_words(guide.retired))}.",) if guide.retired else ()
        section = Section(guide.title, (*gone, *guide.intro))
        return replace(state, sections=(section,), offers=(Offer(GuideOffer.READ, "Read it"),))


def _line(guide: Guide) -> GuideLine:
    time = "closed" if guide.retired else f"{guide.minutes} min" if guide.minutes else ""
    return GuideLine(guide.id, guide.title, time, bool(guide.retired))


def _words(guide: Guide) -> str:
    return " ".join((guide.id, guide.title, *guide.intro, *(step.text for step in guide.steps))).casefold()
