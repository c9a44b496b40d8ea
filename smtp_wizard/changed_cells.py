"""What stands on the terminal, cell by cell: of what is painted, only the cells that look different go over the line.

The toolkit repaints whole parts, and a whole screen where a panel goes or another screen comes. Most of those cells
show what they showed before, and each of them costs as much on a slow line as one that changed.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import lru_cache
from itertools import repeat
from typing import Any, ClassVar, TypeVar

from rich.cells import get_character_cell_size
from rich.color import Color, ColorSystem
from rich.console import COLOR_SYSTEMS, Console, ConsoleOptions, RenderResult
from rich.control import Control
from rich.style import Style
from textual._compositor import ChopsUpdate, CompositorUpdate, LayoutUpdate
from textual.app import App
from textual.binding import Binding, BindingType
from textual.geometry import Size
from textual.screen import Screen
from textual.strip import Strip

from smtp_wizard.widgets.fault_containment import FaultContained

T = TypeVar("T")

NEAR = 8
"""Cells that stay as they are and are sent all the same: to move the cursor over them would take as many bytes."""
Rendition = tuple[frozenset[str], str, str]
"""Attributes such as bold, colour and ground, as SGR has them (ECMA-48, section 8.3.117)."""
PLAIN: Rendition = (frozenset(), "39", "49")
"""What a terminal begins with."""

Look = tuple[object, ...]
Cell = tuple[str, Look]
"""What is written in a cell, and how it looks; '' in the second cell of a wide character."""
UNKNOWN: Cell = ("", ())
"""Nobody knows what stands there: whatever is painted there differs from it."""
Placed = tuple[int, int, Strip]
"""Column, row, and what is painted from there on."""


class ChangedCells(CompositorUpdate):
    """Pieces of rows that are to be written, each at its place."""

    def __init__(self, pieces: Sequence[Placed]) -> None:
        self.pieces = tuple(pieces)

    def render_segments(self, console: Console) -> str:
        """Return what is written to the terminal. A colour is named where it begins, not for every word anew."""
        system = COLOR_SYSTEMS.get(console.color_system or "", ColorSystem.TRUECOLOR)
        written, now = [], PLAIN
        for x, y, strip in self.pieces:
            written.append(Control.move_to(x, y).segment.text)
            for text, style, _ in strip:
                wanted = _rendition(style, system)
                if wanted != now:
                    written.append(_turned(now, wanted))
                    now = wanted
                link = style.link if style is not None else None
                written.append(f"\x1b]8;;{link}\x1b\\{text}\x1b]8;;\x1b\\" if link else text)
        return "".join([*written, _turned(now, PLAIN)])

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        for x, y, strip in self.pieces:
            yield Control.move_to(x, y).segment
            yield from strip


class TerminalCells:
    """What was written to a terminal. `changed` takes what is painted, and returns what of it is to be written."""

    def __init__(self) -> None:
        self._size = Size(0, 0)
        self._rows: list[list[Cell]] = []

    def forget(self) -> None:
        """Know no longer what stands there: somebody else has written to the terminal, or its size is another one."""
        self._rows = [[UNKNOWN] * self._size.width for _ in range(self._size.height)]

    def changed(self, update: CompositorUpdate, size: Size) -> ChangedCells | None:
        """Take what is painted on a terminal of this size; return the cells that look different, None for none."""
        if size != self._size:
            self._size = size
            self.forget()
        pieces = [piece for placed in _placed(update) for piece in self._put(*placed)]
        return ChangedCells(pieces) if pieces else None

    def _put(self, x: int, y: int, strip: Strip) -> Iterator[Placed]:
        """Write to a row; yield the pieces of it that look different."""
        if not (0 <= y < len(self._rows) and 0 <= x < self._size.width):
            return
        strip = strip.crop(0, self._size.width - x)
        row, new = self._rows[y], cells_of(strip)
        old = row[x : x + len(new)]
        if new == old:
            return
        row[x : x + len(new)] = new
        # Where half of a wide character is written over, the other half goes as well.
        if x and old[0][0] == "":
            row[x - 1] = UNKNOWN
        if x + len(new) < len(row) and row[x + len(new)][0] == "":
            row[x + len(new)] = UNKNOWN
        for begin, end in _ranges(old, new):
            yield x + begin, y, strip.crop(begin, end)


def cells_of(strip: Strip) -> list[Cell]:
    """Return a row as cells. Blanks on the same ground look the same, whatever colour they would be written in."""
    cells: list[Cell] = []
    for text, style, _ in strip:
        ink, ground = _looks(style)
        if text.isascii():
            cells += [(each, ground if each == " " else ink) for each in text]
            continue
        for each in text:
            width = get_character_cell_size(each)
            if width == 0 and cells:
                cells[-1] = (cells[-1][0] + each, cells[-1][1])
            else:
                cells.append((each, ground if each == " " else ink))
                cells += repeat(("", ink), width - 1)
    return cells


@lru_cache(maxsize=4096)
def _rendition(style: Style | None, system: ColorSystem) -> Rendition:
    if style is None:
        return PLAIN
    attributes = Strip.render_ansi(style.without_color, system)
    ink = style.color.downgrade(system).get_ansi_codes() if style.color is not None else ("39",)
    ground = style.bgcolor.downgrade(system).get_ansi_codes(foreground=False) if style.bgcolor is not None else ("49",)
    return frozenset(attributes.split(";") if attributes else ()), ";".join(ink), ";".join(ground)


def _turned(before: Rendition, now: Rendition) -> str:
    """Return what turns one rendition into another."""
    codes: list[str] = []
    if before[0] - now[0]:  # there is no other way to take away one attribute alone that all terminals know
        codes, before = ["0"], PLAIN
    codes += [
        *sorted(now[0] - before[0]),
        *(code for was, code in zip(before[1:], now[1:], strict=True) if code != was),
    ]
    return f"\x1b[{';'.join(codes)}m" if codes else ""


@lru_cache(maxsize=4096)
def _looks(style: Style | None) -> tuple[Look, Look]:
    """Return how a letter looks in a style, and how a blank does."""
    if style is None:
        return (), ()
    drawn = (style.reverse, style.underline, style.underline2, style.strike, style.overline, style.link)
    ground = (_shade(style.bgcolor), *drawn)
    ink = (_shade(style.color), style.bold, style.dim, style.italic, style.blink, *ground)
    return ink, ink if any(drawn) else ground


def _shade(color: Color | None) -> object:
    """Return what a colour is painted as: the toolkit writes one and the same in several ways."""
    return color and (color.type, color.number, color.triplet)


def _ranges(old: Sequence[Cell], new: Sequence[Cell]) -> list[tuple[int, int]]:
    """Return from where to where cells differ; what is cheaper to send than to leave out is in between."""
    ranges: list[tuple[int, int]] = []
    for at, (before, now) in enumerate(zip(old, new, strict=True)):
        if before == now:
            continue
        begin, end = at, at + 1
        while begin and new[begin][0] == "":
            begin -= 1
        while end < len(new) and new[end][0] == "":
            end += 1
        if ranges and begin - ranges[-1][1] <= NEAR:
            ranges[-1] = (ranges[-1][0], max(end, ranges[-1][1]))
        else:
            ranges.append((begin, end))
    return ranges


def _placed(update: CompositorUpdate) -> Iterator[Placed]:
    """Yield what an update of the toolkit paints: a whole screen, or parts of rows."""
    if isinstance(update, LayoutUpdate):
        for y, strips in enumerate(update.strips, update.region.y):
            yield update.region.x, y, Strip.join(strips)
    elif isinstance(update, ChopsUpdate):
        for y, begin, end in update.spans:
            for stop, (x, strip) in zip(update.chop_ends[y], update.chops[y].items(), strict=False):
                if strip is not None and x <= end and stop > begin:
                    yield x, y, strip.crop(0, min(stop, end) - x)


class SendsChanges(FaultContained, App[T]):
    """Stands before the toolkit's `App`: of what is painted, only the cells that look different are written."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("ctrl+l", "paint_anew", "Paint anew", show=False)]

    def __init__(self, *, ansi_color: bool | None = None) -> None:
        """`ansi_color`: as the toolkit's."""
        super().__init__(ansi_color=ansi_color)
        self._cells = TerminalCells()

    async def on_mount(self) -> None:
        """Take nothing for granted where others have had the terminal meanwhile: a shell, or a command of a store."""
        self.app_resume_signal.subscribe(self, lambda _: self._cells.forget())

    def action_paint_anew(self) -> None:
        """Write every cell again, as Ctrl+L does everywhere: another program has written over the screen."""
        self._cells.forget()
        self.screen.refresh()

    def _display(self, screen: Screen[Any], renderable: Any) -> None:
        """As the toolkit's, which writes all that is painted."""
        if isinstance(renderable, CompositorUpdate) and not self._batch_count:
            renderable = self._cells.changed(renderable, self.size)
        super()._display(screen, renderable)
