"""What will end: for the saved accounts, or all that providers have announced; the nearest first."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum

from smtp_wizard.engine.accounts.account import AccountsError
from smtp_wizard.engine.accounts.deadlines import Deadline, deadlines_of_accounts, deadlines_of_catalogue
from smtp_wizard.engine.accounts.saved_accounts import SavedAccounts
from smtp_wizard.engine.base.threads import in_thread
from smtp_wizard.engine.providers.catalog import Catalog
from smtp_wizard.flows.flow import Card, Flow, Mood, Offer, Section
from smtp_wizard.flows.save_file import SaveFile
from smtp_wizard.output.icalendar import icalendar
from smtp_wizard.text.calendar import KIND_WORDS, NOT_TESTED, day_words, days_words


class CalendarOffer(StrEnum):
    """What may be shown."""

    MINE = "mine"
    CATALOGUE = "catalogue"


SHOW_MINE = Offer(CalendarOffer.MINE, "Only mine", "What ends for your saved accounts.", key="O")
SHOW_ALL = Offer(CalendarOffer.CATALOGUE, "All providers", "All that providers have announced.", key="P")


@dataclass(frozen=True, slots=True)
class EndLine:
    """One row: the day, whose, what, how far off."""

    day: str
    whose: str
    what: str
    when: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CalendarState:
    """What a face shows of what ends."""

    rows: tuple[EndLine, ...] = ()
    at: int = 0
    sections: tuple[Section, ...] = ()
    """What the chosen one is about."""
    card: Card | None = None
    """Why the accounts cannot be read."""
    offers: tuple[Offer[CalendarOffer], ...] = ()
    read: bool = False
    """Whether anything was looked at yet."""


class CalendarFlow(Flow[CalendarState, CalendarOffer, None]):
    """The list of what ends. `act` with what is to be shown reads it."""

    def __init__(self, *, saved_accounts: SavedAccounts, catalog: Catalog, now: Callable[[], datetime]) -> None:
        super().__init__(CalendarState(offers=(SHOW_ALL,)))
        self._saved_accounts = saved_accounts
        self._catalog = catalog
        self._now = now
        self._ends: Sequence[Deadline] = ()

    async def act(self, offer: CalendarOffer) -> None:
        """Show what ends for the accounts, or for all providers."""
        card: Card | None = None
        try:
            self._ends = await in_thread(self._mine if offer is CalendarOffer.MINE else self._all)
        except AccountsError as problem:
            self._ends = ()
            card = Card(mood=Mood.FAILED, title="The accounts cannot be read", lines=(str(problem),))
        rows = tuple(map(self._line, self._ends))
        other = SHOW_ALL if offer is CalendarOffer.MINE else SHOW_MINE
        self._show(self._chosen(replace(self.state, rows=rows, card=card, offers=(other,), read=True), 0))

    def choose(self, at: int) -> None:
        """Choose another row; beyond the ends, the first or the last."""
        at = max(0, min(at, len(self._ends) - 1))
        if at != self.state.at:
            self._show(self._chosen(self.state, at))

    def _mine(self) -> Sequence[Deadline]:
        return deadlines_of_accounts(self._saved_accounts, self._catalog, self._now())

    def _all(self) -> Sequence[Deadline]:
        return deadlines_of_catalogue(self._catalog, self._now().date())

    def _chosen(self, state: CalendarState, at: int) -> CalendarState:
        if not self._ends:
            nothing = () if state.card is not None else (Section("", (NOT_TESTED,)),)
            return replace(state, at=0, sections=nothing)
        end = self._ends[at]
        about = Section(f"{KIND_WORDS[end.kind].capitalize()}", (end.what, f"So says: {end.source}."))
        return replace(state, at=at, sections=(about,))

    def file(self) -> SaveFile | None:
        """Ask where what is listed is to be saved, for one's own calendar; None: there is nothing."""
        hint = "any calendar program takes it"
        text = icalendar(self._ends, self._now()) if self._ends else ""
        return SaveFile(text, "what-will-end", "ics", hint=hint) if text else None

    def _line(self, end: Deadline) -> EndLine:
        provider = self._catalog.get(end.provider) if end.provider else None
        whose = end.account or (provider.short_name if provider is not None else end.provider) or ""
        return EndLine(day_words(end), whose, KIND_WORDS[end.kind], days_words(end, self._now()))
