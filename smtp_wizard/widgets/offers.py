"""Where a person chooses among offers: one mark, its description below it, other ways in a part of their own."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Generic, TypeVar

from textual import events
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.geometry import Region
from textual.message import Message
from textual.widget import Widget

from smtp_wizard.flows.flow import Offer
from smtp_wizard.widgets.chips import CHOOSE, Chip
from smtp_wizard.widgets.lines import ACCENT, MUTED, STRONG, STRUCK, Lines
from smtp_wizard.widgets.plain_text import folded

IdT = TypeVar("IdT", bound=str)

MARK = "▌ "


@dataclass(frozen=True, slots=True)
class Row:
    """A row on the screen: of which item it is, and its words."""

    item: int | None
    words: Content


def _quoted(words: str) -> str:
    """Put words in quotes, in others than those that stand in them."""
    quote = '"' if "'" in words else "'"
    return f"{quote}{words}{quote}"


class OfferList(Lines, Generic[IdT], can_focus=True):
    """Offers below one another. Arrows choose; what Enter then does is said by `chip()`.

    The headings ('Other ways') are the offers' own `part`. An offer that is `closed` is struck through and leads on all
    the same; one with a reason in `off` shows the reason and cannot be chosen.
    """

    class Highlighted(Message):
        """Another one has the mark, or none: the screen's first chip says something else now."""

        def __init__(self, offers: OfferList[Any]) -> None:
            super().__init__()
            self.offers = offers

        @property
        def control(self) -> OfferList[Any]:
            """The list."""
            return self.offers

    class Chosen(Message):
        """Enter, or a click: `offer` is taken."""

        def __init__(self, offers: OfferList[Any], offer: Offer[Any]) -> None:
            super().__init__()
            self.offers = offers
            self.offer = offer

        @property
        def control(self) -> OfferList[Any]:
            """The list."""
            return self.offers

    APART: ClassVar[bool] = True
    """Whether an empty row stands below an offer with a description."""
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("down", "move(1)", show=False),
        Binding("up", "move(-1)", show=False),
    ]

    def __init__(
        self,
        items: Sequence[Offer[IdT]] = (),
        *,
        selected: int | None = 0,
        id: str = "offers",
    ) -> None:
        """`selected`: which offer has the mark at first, of those that can be chosen; None: none has."""
        super().__init__(id=id)
        self.items: tuple[Offer[IdT], ...] = ()
        self._at: int | None = None
        self._put(items, selected)

    # -- what is offered --------------------------------------------------------------------------------------------

    def _put(self, items: Sequence[Offer[IdT]], selected: int | None) -> None:
        self.items = tuple(items)
        able = self._able
        self._at = able[min(selected, len(able) - 1)] if selected is not None and able else None
        self.display = bool(self.items)

    @property
    def _able(self) -> list[int]:
        """Which items can be chosen."""
        return [at for at, item in enumerate(self.items) if not item.off]

    def offer(
        self,
        items: Sequence[Offer[IdT]],
        *,
        selected: int | None = 0,
    ) -> None:
        """Put other offers in place; nothing happens where they are the same."""
        if tuple(items) == self.items:
            return
        old, was = self.rows_at(self.size.width), self.display
        self._put(items, selected)
        if self.display != was:
            self.refresh(layout=True)
        else:
            self.repaint_changed(old)
        self.post_message(self.Highlighted(self))

    @property
    def selected(self) -> Offer[IdT] | None:
        """The offer that has the mark."""
        return self.items[self._at] if self._at is not None else None

    def chip(self) -> Chip:
        """Return what Enter does: take the offer with the mark; where none has it, the arrows choose first."""
        offer = self.selected
        if offer is None:
            return CHOOSE
        return Chip("enter", offer.chip or "Choose", self.choose, help=f"take {_quoted(offer.verb)}")

    def choose(self) -> None:
        """Take the offer with the mark."""
        if self.selected is not None:
            self.post_message(self.Chosen(self, self.selected))

    def move(self, by: int) -> bool:
        """Give the mark to the next one, below (1) or above (-1). Return whether there was one."""
        able = self._able
        if not able:
            return False
        at = able.index(self._at) + by if self._at is not None else 0 if by > 0 else len(able) - 1
        if not 0 <= at < len(able):
            return False
        self._mark(able[at])
        return True

    def unmark(self) -> None:
        """Take the mark away: Enter means something else again."""
        if self._at is not None:
            old, self._at = self._at, None
            rows = self._drawn(self.size.width)
            self.refresh(*(Region(0, y, self.size.width, 1) for y, row in enumerate(rows) if row.item == old))
            self.post_message(self.Highlighted(self))

    def action_move(self, by: int) -> None:
        """As `move`; above the first one is whatever stands above the list."""
        if not self.move(by) and by < 0:
            self.screen.focus_previous()

    def _mark(self, at: int) -> None:
        before, self._at = self._at, at
        rows = self._drawn(self.size.width)
        changed = [y for y, row in enumerate(rows) if row.item is not None and row.item in (before, at)]
        self.refresh(*(Region(0, y, self.size.width, 1) for y in changed))
        self._keep_in_sight([y for y, row in enumerate(rows) if row.item == at])
        self.post_message(self.Highlighted(self))

    def show_mark(self) -> None:
        """Scroll to what has the mark, where it is out of sight. Without one the list stays where it is."""
        rows = self._drawn(self.size.width) if self._at is not None else []
        self._keep_in_sight([y for y, row in enumerate(rows) if row.item == self._at])

    def _keep_in_sight(self, rows: Sequence[int]) -> None:
        """Scroll what the list stands in where these rows of it are out of sight."""
        if rows and isinstance(self.parent, Widget):
            region = Region(0, rows[0], self.size.width, len(rows)).translate(self.virtual_region.offset)
            self.parent.scroll_to_region(region, animate=False)

    # -- drawing ----------------------------------------------------------------------------------------------------

    def rows_at(self, width: int) -> Sequence[Content]:
        """As `Lines.rows_at`."""
        return [row.words for row in self._drawn(width)]

    def _drawn(self, width: int) -> list[Row]:
        room = max(20, (width or 76) - len(MARK))
        rows: list[Row] = []
        part = ""
        for at, item in enumerate(self.items):
            if item.part != part:
                part = item.part
                rows += [Row(None, Content(""))] if rows and rows[-1].words.plain else []
                rows.append(Row(None, Content.styled(part, MUTED)))
            rows += [Row(at, words) for words in self._item(item, room)]
            if self.APART and (item.note or item.off):
                rows.append(Row(None, Content("")))
        while rows and not rows[-1].words.plain:
            rows.pop()
        return rows

    def _item(self, offer: Offer[IdT], room: int) -> list[Content]:
        style = STRUCK if offer.closed else MUTED if offer.off else ""
        heads = [Content.styled(line, style) for line in folded(offer.verb, room)]
        return [*heads, *(Content.styled(line, MUTED) for line in folded(offer.off or offer.note, room) if line)]

    def is_chosen(self, y: int) -> bool:
        """As `Lines.is_chosen`."""
        rows = self._drawn(self.size.width)
        return self._at is not None and y < len(rows) and rows[y].item == self._at

    def row(self, y: int) -> Content:
        """As `Lines.row`: with the mark before it."""
        rows = self._drawn(self.size.width)
        if y >= len(rows):
            return Content("")
        row = rows[y]
        if row.item is None:
            return row.words
        if row.item != self._at:
            return Content.assemble(" " * len(MARK), row.words)
        first = y == 0 or rows[y - 1].item != row.item
        return Content.assemble((MARK, ACCENT), row.words.stylize(STRONG) if first else row.words)

    def on_click(self, event: events.Click) -> None:
        """Take what was clicked on."""
        rows = self._drawn(self.size.width)
        at = rows[event.y].item if event.y < len(rows) else None
        if at in self._able and at is not None:
            self._mark(at)
            self.choose()
