"""Sending limits: what every provider lets an account send, today and in the old article; and a mailing planned."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any, ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical, VerticalScroll
from textual.content import Content
from textual.screen import Screen
from textual.widgets import DataTable, Input

from smtp_wizard.engine.base.errors import InputError
from smtp_wizard.engine.base.private_files import absolute
from smtp_wizard.engine.base.shown import phrase, shown
from smtp_wizard.engine.limits.catalogue_limits import Sorting, advice, rows_of, sender_of, sorted_rows
from smtp_wizard.engine.limits.mailing_plan import (
    MOST_EACH,
    MOST_RECIPIENTS,
    Mailing,
    Plan,
    Reserve,
    is_rate,
    limits_in_force,
    matches_words,
    others,
    parse_count,
    parse_size,
    parse_start,
    plan,
)
from smtp_wizard.engine.providers.provider import Provider
from smtp_wizard.screens.dialogs import Dialog, HelpScreen
from smtp_wizard.screens.step import Kit
from smtp_wizard.text.limits import (
    access_words,
    advice_words,
    bars,
    limit_source_words,
    limit_words,
    plan_words,
    refusal_words,
    rows_csv,
    table_cells,
)
from smtp_wizard.widgets.banner import Banner
from smtp_wizard.widgets.fault_containment import FaultContained
from smtp_wizard.widgets.fields import Field, TextInput
from smtp_wizard.widgets.key_hints import KeyHints
from smtp_wizard.widgets.table import Column, Table
from smtp_wizard.widgets.text import Plain

HELP = (
    "This list says how much each provider lets one account send, and how large a message may be; a row with * is what "
    "the old help article says. Type / and a name to find a provider, and press F4 to see who says so and when. Enter "
    "plans a mailing with the chosen provider: how many days it takes, and what to do when it does not fit."
)
PLAN_HELP = (
    "Say how many people get the mailing, and press Enter: you see how many go out on which day. Files grow by a third "
    "on the way, and what you keep free is left for your invoices. The numbers are a plan; a new mailbox is often "
    "stopped earlier."
)
COLUMNS = (
    Column("Provider", 21, least=9, most=46),
    Column("Per hour", 9),
    Column("Per day", 15, least=12),
    Column("To", 10, least=7),
    Column("Size", 9, least=7),
    Column("Checked", 11),
)
SORTINGS = {
    Sorting.CATALOG: "best known first",
    Sorting.PROVIDER: "by name",
    Sorting.LIMIT: "most a day first",
    Sorting.SIZE: "largest message first",
    Sorting.CHECKED: "newest first",
}
LEGEND = "* old article  r recipients  To: recipients of a message  1-5: accounts differ"
MOST_MAILBOXES = 20


class LimitTable(Table):
    """The rows; Enter plans with the chosen one."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("enter", "select_cursor", "Plan", key_display="enter")]


class FilterInput(TextInput):
    """Where one types what to look for; the arrows move in the table all the while."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "submit", "Plan", key_display="enter"),
        Binding("up", "screen.move(-1)", show=False),
        Binding("down", "screen.move(1)", show=False),
        Binding("pageup", "screen.move(-10)", show=False),
        Binding("pagedown", "screen.move(10)", show=False),
        Binding("escape", "screen.to_table", "To the list"),
    ]


class LimitsScreen(FaultContained, Screen[None]):
    """All providers, each with today's figures and, below them, those of the old article."""

    AUTO_FOCUS = "#limits"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("slash", "filter", "Filter", key_display="/"),
        Binding("s", "sort", "Sort"),
        Binding("x", "export", "Export CSV"),
        Binding("f4", "details", "Sources"),
        Binding("escape", "app.leave_area", "Back"),
        Binding("f1,question_mark", "help", "Help", key_display="f1"),
        Binding("ctrl+q", "app.leave", "Quit", show=False),
    ]

    def __init__(self, kit: Kit) -> None:
        super().__init__()
        self.kit = kit
        self.banner = Banner()
        self.entry = FilterInput(placeholder="a name, a domain or a server", id="limit-filter")
        self.count = Plain("", id="limit-count")
        self.table = LimitTable(COLUMNS, id="limits")
        self.sorting = Sorting.CATALOG
        self.entries: Mapping[str, str] = {}
        """What was typed for the plan before, so that it need not be typed for the next provider."""
        self._rows: list[tuple[str, Provider]] = []

    def compose(self) -> ComposeResult:
        yield Plain(Content.styled("Sending limits", "bold"), classes="title")
        with Horizontal(id="limit-line"):
            yield Plain("Filter", id="limit-label")
            yield self.entry
            yield self.count
        yield self.table
        yield Plain(Content.styled(LEGEND, "$foreground-muted"), id="limit-legend")
        yield self.banner
        yield KeyHints()

    def on_mount(self) -> None:
        self.fill()

    @on(Input.Changed, "#limit-filter")
    def fill(self) -> None:
        """List what the filter means, in the order chosen."""
        catalog = self.kit.desk.catalog
        known = [each for each in catalog.search(self.entry.value, len(catalog.providers)) if rows_of(each)]
        self._rows = [
            (f"{provider.id}{mark}", provider)
            for provider in sorted_rows(known, self.sorting)
            for mark in ("", *("*" if provider.documented and _article(provider) else ""))
        ]
        self.table.fill((key, _cells(key, provider)) for key, provider in self._rows)
        number = "1 provider" if len(known) == 1 else f"{len(known)} providers"
        found = f"{number}, {SORTINGS[self.sorting]}" if known else "Nothing like it is listed."
        self.count.update(Content.styled(found, "$foreground-muted"), layout=False)

    @property
    def chosen(self) -> Provider | None:
        """The provider of the row where the cursor stands."""
        row = self.table.cursor_row
        return self._rows[row][1] if 0 <= row < len(self._rows) else None

    def action_move(self, by: int) -> None:
        """Choose another row, wherever the focus is."""
        self.table.move_cursor(row=self.table.cursor_row + by, animate=False)

    def action_filter(self) -> None:
        """Go to the filter."""
        self.entry.focus()

    def action_to_table(self) -> None:
        """Go back to the list; what it is filtered by stays."""
        self.table.focus()

    def action_sort(self) -> None:
        """Take the next order."""
        orders = list(SORTINGS)
        self.sorting = orders[(orders.index(self.sorting) + 1) % len(orders)]
        self.fill()

    def action_details(self) -> None:
        """Show every figure of the chosen provider, with who says so and when."""
        if self.chosen is not None:
            self.app.push_screen(LimitDetailsScreen(self.chosen))

    def action_export(self) -> None:
        """Write the rows that are listed to a file."""

        def written(file: Path | None) -> None:
            if file is not None:
                self.banner.say(f"Written: {shown(str(file), 300)}")

        providers = dict.fromkeys(provider for _, provider in self._rows)
        rows = [row for provider in providers for row in rows_of(provider)]
        name = f"smtp-limits-{self._today()}.csv"
        if rows:
            self.app.push_screen(ExportScreen(rows_csv(rows), Path.cwd() / name, len(rows)), written)

    @on(DataTable.RowSelected)
    @on(Input.Submitted, "#limit-filter")
    def action_plan(self) -> None:
        """Plan a mailing with the chosen provider."""

        def planned(entries: Mapping[str, str] | None) -> None:
            self.entries = entries or {}

        if self.chosen is not None:
            self.banner.say("")
            self.app.push_screen(PlanScreen(self.kit, self.chosen, self.entries, self._today()), planned)

    def _today(self) -> date:
        return self.kit.desk.now().astimezone().date()

    def action_help(self) -> None:
        """Say what this screen is for."""
        self.app.push_screen(HelpScreen("Sending limits", HELP))


def _article(provider: Provider) -> bool:
    return any(row.limit.documented for row in rows_of(provider))


def _cells(key: str, provider: Provider) -> tuple[str, ...]:
    old = key.endswith("*")
    limits = [row.limit for row in rows_of(provider) if row.limit.documented == old]
    fast, day, to, size = table_cells(limits)
    if old and not any(limit.value is not None for limit in limits):
        day = "words only, F4"
    name, checked = (f"* {provider.name}", "undated") if old else (provider.name, provider.checked)
    return shown(name, 60), fast, day, to, size, checked


class LimitDetailsScreen(Dialog[None]):
    """Every figure of one provider, with its source."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("enter,f4", "dismiss(None)", "Close", show=False)]

    def __init__(self, provider: Provider) -> None:
        super().__init__()
        self.provider = provider

    def compose(self) -> ComposeResult:
        provider = self.provider
        with VerticalScroll(classes="dialog"):
            yield Plain(Content.styled(f"Sending limits of {shown(provider.name, 60)}", "bold"))
            if closed := access_words(provider):
                yield Plain(Content.styled(f"! {closed}", "$text-warning"))
            yield Plain(f"\nToday (checked {provider.checked})\n" + "\n".join(self._rows(documented=False)))
            if provider.limits_note:
                yield Plain(f"  {provider.limits_note}")
            if _article(provider):
                yield Plain("\nThe old help article\n" + "\n".join(self._rows(documented=True)))
            if provider.documented is not None and provider.documented.limits_today:
                yield Plain(f"  Today: {provider.documented.limits_today}")
        yield KeyHints()

    def _rows(self, *, documented: bool) -> Iterator[str]:
        for row in rows_of(self.provider):
            if row.limit.documented == documented:
                source = self.provider.source(row.limit.source)
                yield f"  {limit_words(row.limit)}\n    {limit_source_words(row)}"
                if source is not None and source.url:
                    yield f"    {source.url}"


class ExportScreen(Dialog[Path]):
    """Asks for the file, which must not be there yet, and writes it."""

    def __init__(self, text: str, file: Path, rows: int) -> None:
        super().__init__()
        self.text = text
        self.rows = rows
        self.field = Field("File", TextInput(str(file), id="export-file"))

    def compose(self) -> ComposeResult:
        with Vertical(classes="dialog"):
            yield Plain(Content.styled(f"Write the {self.rows} rows that are listed as CSV", "bold"))
            yield self.field
        yield KeyHints()

    @on(Input.Submitted)
    def _enter(self) -> None:
        try:
            file = absolute(Path(self.field.value.strip()))
            with file.open("x", encoding="utf-8", newline="") as opened:
                opened.write(self.text)
        except FileExistsError:
            self.field.fail("There is a file of that name already. Type another one.")
        except (OSError, ValueError) as problem:
            self.field.fail(f"It cannot be written there: {shown(str(problem), 200)}")
        else:
            self.dismiss(file)


class PlanInput(TextInput):
    """A field whose Enter plans; the arrows go to the other fields, the page keys through the result."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "submit", "Plan", key_display="enter"),
        Binding("up", "app.focus_previous", show=False),
        Binding("down", "app.focus_next", show=False),
        Binding("pageup", "screen.read(-1)", show=False),
        Binding("pagedown", "screen.read(1)", "Read on", key_display="pgdn"),
    ]


@dataclass(frozen=True, slots=True)
class _PlanFields:
    """What the fields of a plan say."""

    mailing: Mailing
    sent: int
    mailboxes: int
    chosen: str


def _recipients(text: str) -> int:
    return parse_count(text, "Recipients", MOST_RECIPIENTS, 1)


def _each(text: str) -> int:
    return parse_count(text, "Messages each", MOST_EACH, 1)


def _sent(text: str) -> int:
    return parse_count(text or "0", "Sent that day", MOST_RECIPIENTS)


def _mailboxes(text: str) -> int:
    return parse_count(text, "Such mailboxes", MOST_MAILBOXES, 1)


class PlanScreen(FaultContained, Screen[Mapping[str, str]]):
    """A mailing and one provider: the numbers of each day, as bars; or why not, and what to do."""

    AUTO_FOCUS = "#plan-recipients"
    HORIZONTAL_BREAKPOINTS = [(0, "-narrow"), (100, "-wide")]  # noqa: RUF012  the base declares it so
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("f4", "details", "Sources"),
        Binding("escape", "back", "Back"),
        Binding("f1", "help", "Help"),
        Binding("ctrl+q", "app.leave", "Quit", show=False),
    ]

    def __init__(self, kit: Kit, provider: Provider, entries: Mapping[str, str], today: date) -> None:
        """`entries`: what the fields say at first, by their ids."""
        super().__init__()
        self.kit = kit
        self.provider = provider
        self.today = today
        self.recipients = Field("Recipients", PlanInput(id="plan-recipients"), parse=_recipients)
        self.each = Field("Messages each", PlanInput("1", id="plan-each"), parse=_each)
        self.size_each = Field("Size in MB", PlanInput(id="plan-size", placeholder="with its files"), parse=parse_size)
        self.sent = Field("Sent that day", PlanInput("0", id="plan-sent"), parse=_sent)
        free = PlanInput("10%", id="plan-reserve", placeholder="50 or 10%")
        self.reserve = Field("Keep free", free, parse=Reserve.parse)
        self.start = Field("First day", PlanInput(today.isoformat(), id="plan-start"), parse=self._start)
        self.mailboxes = Field("Such mailboxes", PlanInput("1", id="plan-mailboxes"), parse=_mailboxes)
        example = next(iter(self._kinds()), "")
        self.kind = Field("Kind of account", PlanInput(id="plan-for", placeholder=example[:50]), parse=self._kind)
        asked: list[Field[Any]] = [
            *(self.recipients, self.each, self.size_each, self.sent, self.reserve, self.start, self.mailboxes),
            *([self.kind] if example else []),
        ]
        self.fields = {each.entry.id or "": each for each in asked}
        for name, text in entries.items():
            if name in self.fields:
                self.fields[name].value = text
        self.made: Plan | None = None
        self.result = Plain("Type how many people get the mailing, and press Enter.", id="plan-words")
        self.pane = VerticalScroll(self.result, id="plan-result", can_focus=False)

    # -- what is typed ----------------------------------------------------------------------------------------------

    def _start(self, text: str) -> date:
        return parse_start(text, self.today)

    def _kinds(self) -> list[str]:
        """Whom the figures are for that are not the ordinary account's."""
        limits = self.provider.limits
        different = (limit for limit in others(limits, limits_in_force(limits)) if is_rate(limit) and limit.applies_to)
        return [limit.applies_to for limit in different]

    def _kind(self, text: str) -> str:
        if text.strip() and not any(
            matches_words(limit, text) for limit in self.provider.limits if not limit.historical
        ):
            raise InputError(phrase("Words out of one of these: {}", shown("; ".join(self._kinds()))))
        return text.strip()

    def _asked(self) -> _PlanFields | None:
        """Return what is typed, or None once it was said what is wrong."""
        typed = (
            *(self.recipients.parsed(), self.each.parsed(), self.size_each.parsed(), self.reserve.parsed()),
            *(self.start.parsed(), self.sent.parsed(), self.mailboxes.parsed(), self.kind.parsed()),
        )
        match typed:
            case (
                int(recipients),
                int(each),
                int(size),
                Reserve() as reserve,
                date() as start,
                int(sent),
                int(mailboxes),
                str(kind),
            ):
                mailing = Mailing(recipients=recipients, each=each, size=size, reserve=reserve, start=start)
                return _PlanFields(mailing, sent, mailboxes, kind)
        next(field for field in self.fields.values() if field.error).entry.focus()
        return None

    # -- what is shown ----------------------------------------------------------------------------------------------

    def compose(self) -> ComposeResult:
        yield Plain(Content.styled(f"Plan a mailing: {shown(self.provider.name, 60)}", "bold"), classes="title")
        with Vertical(id="plan-split"):
            with Vertical(id="plan-form"):
                yield from self.fields.values()
            yield self.pane
        yield KeyHints()

    @on(Input.Submitted)
    def action_plan(self) -> None:
        """Plan what is typed."""
        asked = self._asked()
        if asked is None:
            return
        first = sender_of(self.provider, asked.sent, asked.chosen)
        more = [sender_of(self.provider, 0, asked.chosen)] * (asked.mailboxes - 1)
        self.made = plan(asked.mailing, [first, *more])
        self.result.update(Content("\n").join(self._lines(self.made)))
        self.pane.scroll_home(animate=False)

    def _lines(self, made: Plan) -> Iterator[Content]:
        catalog = self.kit.desk.catalog
        headline, *words = plan_words(made, catalog)
        sign = "" if made.fits else "! "
        yield Content.styled(f"{sign}{headline}", "bold" if made.fits else "bold $text-warning")
        yield from map(Content, bars(made))
        yield from map(Content, words)
        ways = advice(made, catalog)
        if ways:
            yield Content.styled("\nWhat you can do", "bold")
            yield from (Content(f"{number}. {advice_words(each)}") for number, each in enumerate(ways, 1))
        yield Content.styled("\nWhen the limit is reached", "bold")
        yield from map(Content, refusal_words(made, catalog))

    # -- keys -------------------------------------------------------------------------------------------------------

    def action_read(self, pages: int) -> None:
        """Read on, or back."""
        self.pane.scroll_relative(y=pages * max(1, self.pane.size.height - 1), animate=False)

    def action_details(self) -> None:
        """Show every figure of the provider, with who says so and when."""
        self.app.push_screen(LimitDetailsScreen(self.provider))

    def action_back(self) -> None:
        """Back to the list; what was typed is kept."""
        self.dismiss({name: field.value for name, field in self.fields.items() if name != "plan-for"})

    def action_help(self) -> None:
        """Say what this screen is for."""
        self.app.push_screen(HelpScreen("Plan a mailing", PLAN_HELP))
