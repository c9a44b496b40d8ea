"""The calendar of what providers close: what is said about it, for which way in, and whether its day has come.

The facts stand in the catalogue, each with its source. Here they meet a day.
"""

from __future__ import annotations

import calendar
from collections.abc import Iterable, Iterator
from datetime import date, timedelta
from typing import TYPE_CHECKING

from smtp_wizard.engine.lazy_dataclass import dataclass

if TYPE_CHECKING:
    from smtp_wizard.engine.providers.provider import Provider, Retirement


@dataclass(frozen=True, slots=True, kw_only=True)
class RetirementNotice:
    """That a way in closes, or has closed, in the words in which a person is told."""

    date: str
    """As in the catalogue: a day, a month, a year, or 'undated'."""
    what: str
    state: str
    replacement: str
    source: str
    """Who says so, and when."""
    past: bool
    """Whether the day has come. False where none is named."""

    @property
    def words(self) -> str:
        """One line: the day, what ends, how it stands, what to do, who says so."""
        when = self.date if self.date[:1].isdigit() else "No day is named"
        return f"{when}: {self.what}: {self.state}. Instead: {self.replacement}. ({self.source})"


def notice_of(provider: Provider, path_id: str | None, today: date) -> RetirementNotice | None:
    """Return what is known about the end of an access path, None where nothing is.

    What is disputed is told too: the words say so.
    """
    closing = provider.retirement_of(path_id)
    if closing is None:
        return None
    source = provider.source(closing.source)
    return RetirementNotice(
        date=closing.date,
        what=closing.what,
        state=closing.state,
        replacement=closing.replacement,
        source=f"{source.title if source else closing.source}, {closing.as_of}",
        past=has_come(closing.date, today),
    )


def last_day(text: str) -> date | None:
    """Return the last day that a date of the catalogue can mean ('2026-02' -> the 28th); None where it is undated."""
    if not text[:1].isdigit():
        return None
    year, month, day = (*(int(part) for part in text.split("-")), 0, 0)[:3]
    month = month or 12
    return date(year, month, day or calendar.monthrange(year, month)[1])


def has_come(text: str, today: date) -> bool:
    """Return whether a date of the catalogue lies behind us, or is today. What is undated has not come."""
    day = last_day(text)
    return day is not None and day <= today


def is_stale(checked: str, today: date) -> bool:
    """Return whether something was compared with its sources longer than a year ago, or nobody knows when."""
    day = last_day(checked)
    return day is None or day < today - timedelta(days=365)


def retiring(
    providers: Iterable[Provider], today: date, within: timedelta = timedelta(days=90)
) -> Iterator[tuple[Provider, Retirement]]:
    """Yield what ends from tomorrow on until `within` is over, in the order of the providers."""
    for provider in providers:
        for retirement in provider.retirements:
            day = last_day(retirement.date)
            if day is not None and today < day <= today + within:
                yield provider, retirement


@dataclass(frozen=True, slots=True)
class EntryReview:
    """What would change an entry of the catalogue, and when it is to be looked at for that."""

    on: str | None
    """The day (ISO 8601); None where none is known."""
    why: str
    """One clause: what is to be looked for."""

    @property
    def words(self) -> str:
        """The same in one sentence."""
        return f"Look again on {self.on}: {self.why}." if self.on else f"Look again when it is known: {self.why}."


YEAR = timedelta(days=365)
"""After so long every entry is compared with its sources again."""


def look_again(provider: Provider) -> tuple[EntryReview, ...]:
    """Return what would change what the catalogue says of a provider, what comes first in front; at least one thing.

    That is: a day on which something ends, what sources contradict each other about, a server that no page names, and
    in any case a year gone by.
    """
    dated = [*endings(provider), *_yearly(provider)]
    undated = [*_disputes(provider), *_guesses(provider)]
    return (*sorted(dated, key=lambda each: (each.on is None, each.on or "")), *undated)


def endings(provider: Provider) -> Iterator[EntryReview]:
    """Yield what ends, or is said to; what had ended when the entry was last checked stands in it already."""
    checked = last_day(provider.checked)
    for each in provider.retirements:
        day = last_day(each.date)
        if day is None:
            yield EntryReview(None, f"{_clause(each.what)} ({each.state}; no day is named)")
        elif checked is None or day > checked:
            yield EntryReview(day.isoformat(), f"{_clause(each.what)} ({each.state})")


def _yearly(provider: Provider) -> Iterator[EntryReview]:
    checked = last_day(provider.checked)
    pages = len([each for each in provider.sources if each.url])
    named, them = (f"its {pages} sources", "them") if pages > 1 else ("its source", "it")
    if checked is None:
        yield EntryReview(None, "whether it is still right; no day says when it was compared with its source")
        return
    compared = f"the entry was compared with {them} on {provider.checked}"
    yield EntryReview((checked + YEAR).isoformat(), f"{named} may say something else by then; {compared}")


def _disputes(provider: Provider) -> Iterator[EntryReview]:
    for path in provider.paths:
        if path.disputed:
            yield EntryReview(None, f"which of the sources is right about '{path.title}'")


def _guesses(provider: Provider) -> Iterator[EntryReview]:
    hosts = dict.fromkeys(each.endpoint.host for each in provider.endpoints if each.guess)
    for host in hosts:
        yield EntryReview(None, f"a page that names {host}, which is a guess")


def _clause(text: str) -> str:
    return text.strip().rstrip(".")
