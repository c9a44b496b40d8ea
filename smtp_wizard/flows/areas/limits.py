"""How much may I send? One row a provider, found as one types; the chosen one's figures, and who says so."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date
from enum import StrEnum
from pathlib import Path

from smtp_wizard.engine.base.shown import cut
from smtp_wizard.engine.guides.dates import date_words
from smtp_wizard.engine.limits.catalogue_limits import Sorting, listed, rows_of, sender_of, sorted_rows
from smtp_wizard.engine.limits.mailing_plan import Mailing, Reserve, plan
from smtp_wizard.engine.providers.catalog import Catalog
from smtp_wizard.engine.providers.provider import Provider
from smtp_wizard.flows.flow import Entry, Flow, Offer, Section
from smtp_wizard.flows.save_file import SaveFile
from smtp_wizard.text.limit_rows import LimitLine, article_words, limit_line, today_words
from smtp_wizard.text.limits import access_words, days_words, limit_source_words, limit_words, rows_csv

FIND_LABEL = "Find a provider"
FIND_PLACEHOLDER = "a name, or: ISP, web host, free"
NOTHING_LIKE_IT = "No provider like that is listed. Type fewer letters."
LEGEND = "?  not known to us   -  no such limit known"
EXAMPLE = 500
"""People of the mailing that is told with every provider."""
ORDERS = {
    Sorting.CATALOG: "best known first",
    Sorting.PROVIDER: "by name",
    Sorting.LIMIT: "most a day first",
    Sorting.SIZE: "largest message first",
    Sorting.CHECKED: "newest first",
}


class LimitOffer(StrEnum):
    """What may be done with the list."""

    PLAN = "plan"
    ORDER = "order"
    EXPORT = "export"


@dataclass(frozen=True, slots=True)
class PlanWith:
    """Plan a mailing with this provider."""

    provider: Provider


@dataclass(frozen=True, slots=True, kw_only=True)
class LimitsState:
    """What a face shows of the limits."""

    find: Entry
    rows: tuple[LimitLine, ...]
    at: int = 0
    """Which row is chosen; 0 where there is none."""
    sorting: Sorting = Sorting.CATALOG
    sections: tuple[Section, ...] = ()
    """About the chosen provider, the shortest first: a face with little room shows the first alone."""
    offers: tuple[Offer[LimitOffer], ...] = ()


class LimitsFlow(Flow[LimitsState, LimitOffer, PlanWith | SaveFile]):
    """The list of all providers, and the one that is chosen in it."""

    def __init__(self, catalog: Catalog, today: date, folder: Path | None = None) -> None:
        """`folder`: where a file of the rows is proposed; None: where the program was started."""
        self._catalog = catalog
        self.today = today
        self._folder = folder
        self._found: tuple[Provider, ...] = ()
        empty = Entry(label=FIND_LABEL, placeholder=FIND_PLACEHOLDER)
        super().__init__(LimitsState(find=empty, rows=()))
        self._list()

    @property
    def chosen(self) -> Provider | None:
        """The provider of the chosen row."""
        return self._found[self.state.at] if self._found else None

    @property
    def found(self) -> tuple[Provider, ...]:
        """The providers that are listed, in their order."""
        return self._found

    # -- what is typed and chosen -----------------------------------------------------------------------------------

    def find(self, text: str) -> None:
        """List what the words mean: a name, a domain, a server, or a kind of provider."""
        if text != self.state.find.text:
            self._show(replace(self.state, find=replace(self.state.find, text=text)))
            self._list()

    def choose(self, at: int) -> None:
        """Choose another row; beyond the ends, the first or the last."""
        at = max(0, min(at, len(self._found) - 1))
        if at != self.state.at:
            self._show(self._with_chosen(replace(self.state, at=at)))

    async def act(self, offer: LimitOffer) -> PlanWith | SaveFile | None:
        """Do what is offered. The plan leads to the mailing, the list to the name of a file; else one stays here."""
        match offer:
            case LimitOffer.PLAN if self.chosen is not None:
                return PlanWith(self.chosen)
            case LimitOffer.ORDER:
                orders = list(ORDERS)
                after = orders[(orders.index(self.state.sorting) + 1) % len(orders)]
                self._show(replace(self.state, sorting=after))
                self._list()
            case LimitOffer.EXPORT if self._found:
                return self._export()
            case _:
                pass
        return None

    # -- what is shown ----------------------------------------------------------------------------------------------

    def details(self) -> tuple[Section, ...]:
        """Return every figure of the chosen provider, with who says so and when."""
        return tuple(limit_details(self.chosen)) if self.chosen is not None else ()

    def _list(self) -> None:
        self._found = sorted_rows(listed(self._catalog, self.state.find.text), self.state.sorting)
        number = "1 provider" if len(self._found) == 1 else f"{len(self._found)} providers"
        order = "" if self.state.sorting is Sorting.CATALOG else f", {ORDERS[self.state.sorting]}"
        find = replace(
            self.state.find,
            hint=f"{number}{order}" if self._found else "",
            error="" if self._found else NOTHING_LIKE_IT,
        )
        self._show(self._with_chosen(replace(self.state, find=find, rows=tuple(map(limit_line, self._found)), at=0)))

    def _with_chosen(self, state: LimitsState) -> LimitsState:
        provider = self._found[state.at] if self._found else None
        plan_it = (Offer(LimitOffer.PLAN, "Plan a mailing"),) if provider is not None else ()
        export = (Offer(LimitOffer.EXPORT, "Write the list to a file"),) if provider is not None else ()
        order = (Offer(LimitOffer.ORDER, "Another order", ORDERS[state.sorting], key="F9"),)
        sections = tuple(self._about(provider)) if provider is not None else ()
        return replace(state, sections=sections, offers=(*plan_it, *order, *export))

    def _about(self, provider: Provider) -> Iterator[Section]:
        closed = access_words(provider)
        old = article_words(provider)
        yield Section(
            cut(provider.name, 60),
            tuple(filter(None, (today_words(provider), *_said_by(provider), f"The old article: {old}" if old else ""))),
        )
        if closed:
            yield Section("Before you choose it", (closed,))
        if example := self._example(provider):
            yield Section(f"A mailing to {EXAMPLE} people", (example,))

    def _example(self, provider: Provider) -> str:
        mailing = Mailing(recipients=EXAMPLE, reserve=Reserve(10, percent=True), start=self.today)
        made = plan(mailing, [sender_of(provider)])
        return f"It takes {days_words(made.days)}, with 10% kept free for invoices." if made.days is not None else ""

    def _export(self) -> SaveFile:
        """Return the question where the rows that are listed are to be written."""
        rows = [row for provider in self._found for row in rows_of(provider)]
        hint = f"{len(rows)} rows, as CSV"
        return SaveFile(rows_csv(rows), f"smtp-limits-{self.today}", "csv", hint=hint, folder=self._folder)


def _said_by(provider: Provider) -> Iterator[str]:
    """Yield who says the first figure that holds today; else when it was looked for."""
    today = (row for row in rows_of(provider) if not row.limit.documented and row.limit.value is not None)
    row = next((row for row in today if row.limit.source), None)
    yield limit_source_words(row) if row else f"We looked on {date_words(provider.checked)}."


def limit_details(provider: Provider) -> Iterator[Section]:
    """Yield every figure of a provider, today's first, each with its source, and what the old article says."""
    if closed := access_words(provider):
        yield Section("Before you choose it", (closed,))
    today = tuple(_figures(provider, documented=False))
    if today or provider.limits_note:
        notes = (provider.limits_note,) if provider.limits_note else ()
        yield Section(f"Today, checked {date_words(provider.checked)}", (*today, *notes))
    if old := tuple(_figures(provider, documented=True)):
        documented = provider.documented
        since = (f"Today: {documented.limits_today}",) if documented and documented.limits_today else ()
        yield Section("The old help article", (*old, *since))


def _figures(provider: Provider, *, documented: bool) -> Iterator[str]:
    for row in rows_of(provider):
        if row.limit.documented == documented:
            yield f"{limit_words(row)}\n  {limit_source_words(row)}{_address(provider, row.limit.source)}"


def _address(provider: Provider, source_id: str) -> str:
    source = provider.source(source_id)
    return f"\n  {source.url}" if source is not None and source.url else ""
