"""What holds on every screen: contrast of what is painted, focus that shows without colour, keys, words, bytes.

Each screen is gone to once; there it is looked at in every look and every size.
"""

from __future__ import annotations

import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pyte
import pytest
from rich.cells import cell_len
from rich.color import ColorType
from rich.console import Console
from rich.segment import Segment
from rich.style import Style
from textual.app import App
from textual.screen import Screen
from textual.widget import Widget
from textual.widgets import Input, Static, TextArea

from smtp_wizard.app_screens import SCREENS
from smtp_wizard.engine.sandbox.mailbox import deliver
from smtp_wizard.engine.services.checks import PRACTICE_FOLDER
from smtp_wizard.engine.wizard.steps import STEPS
from smtp_wizard.plain.wizard import PLAIN
from smtp_wizard.screens.areas.bounces import BouncesScreen
from smtp_wizard.screens.areas.calendar import CalendarScreen
from smtp_wizard.screens.areas.domain import DomainScreen
from smtp_wizard.screens.areas.explain import ExplainScreen
from smtp_wizard.screens.areas.guides import GuideListScreen
from smtp_wizard.screens.areas.inbox import InboxScreen, LetterPanel
from smtp_wizard.screens.areas.limits import LimitsScreen, MailingScreen
from smtp_wizard.screens.areas.readiness import ReadinessScreen
from smtp_wizard.screens.areas.unsubscribe import UnsubscribeScreen
from smtp_wizard.screens.keyed_screen import EDITING, KeyedScreen
from smtp_wizard.screens.menu import LookPanel, MenuPanel
from smtp_wizard.screens.page import Page
from smtp_wizard.screens.panel import GuidePanel, HelpPanel, Panel, QuestionPanel
from smtp_wizard.screens.question import FlowPanel
from smtp_wizard.text.wizard import PURPOSE
from smtp_wizard.widgets.chips import Chip, Chips
from smtp_wizard.widgets.frame import Edged
from smtp_wizard.widgets.lines import Lines
from smtp_wizard.widgets.plain_text import PlainText
from smtp_wizard.widgets.rows import RowList
from smtp_wizard.widgets.stepper import PLACE
from tests.support.pages import cells
from tests.support.places import BAD, PLACES, Place, draft_at_connect, failure_in_detail, standing
from tests.support.walk import Walk, words_of


def by_keys(kind: type[Screen[Any]], *keys: str) -> Place:
    """A screen that these keys lead to from the first step."""

    async def go(walk: Walk) -> None:
        await walk.at("address")
        await walk.press(*keys)
        await walk.at_screen(kind)

    return Place(go)


LETTER = (
    b"From: <ana@example.com>\nTo: <bob@example.test>\nDelivered-To: bob@example.test\n"
    b"Subject: A subject that is far too long for a row of any list, so that it is shortened there\n\n"
    b"Word of the test: heron.\n" + b"A long line, " * 40 + b"\n"
)


async def at_inbox(walk: Walk) -> None:
    folder = walk.app.context.services.folder / PRACTICE_FOLDER
    folder.mkdir(parents=True, exist_ok=True)
    for _ in range(40):
        deliver(folder, LETTER)
    await by_keys(InboxScreen, "f10", "i").go(walk)
    await walk.until_reads("bob@example.test")


async def at_a_message(walk: Walk) -> None:
    await at_inbox(walk)
    await walk.press("enter")
    await walk.at_screen(LetterPanel)


async def at_the_question(walk: Walk) -> None:
    await at_inbox(walk)
    await walk.press("delete")
    await walk.at_screen(QuestionPanel)


async def at_a_refused_link(walk: Walk) -> None:
    await by_keys(UnsubscribeScreen, "f10", "u").go(walk)
    await walk.press("home")  # waits until the screen is painted
    await walk.write("list@shop")
    await walk.press("enter")
    await walk.until_reads("! ")


async def at_a_template(walk: Walk) -> None:
    template = walk.app.context.services.folder / "letter.html"
    template.parent.mkdir(parents=True, exist_ok=True)
    template.write_text("<p>Buy now.", "utf-8")
    await by_keys(UnsubscribeScreen, "f10", "u").go(walk)
    await walk.press("home")  # waits until the screen is painted
    await walk.write("list@shop.test")
    await walk.fill("#template Input", str(template))
    await walk.press("enter")
    await walk.until_reads("missing")


async def at_the_name_of_a_file(walk: Walk) -> None:
    await failure_in_detail(walk)
    await walk.press("s")
    await walk.at_screen(FlowPanel)


EVERYWHERE = {
    **PLACES,
    "connect-save": Place(at_the_name_of_a_file, draft_at_connect, BAD),
    "menu": by_keys(MenuPanel, "f10"),
    "look": by_keys(LookPanel, "f10", "k"),
    "why-guide": by_keys(GuidePanel, "f6"),
    "limits": by_keys(LimitsScreen, "f10", "l"),
    "mailing": by_keys(MailingScreen, "f10", "l", "enter"),
    "readiness": by_keys(ReadinessScreen, "f10", "l", "enter", "f5"),
    "explain": by_keys(ExplainScreen, "f10", "x"),
    "guides": by_keys(GuideListScreen, "f10", "g"),
    "calendar": by_keys(CalendarScreen, "f10", "e"),
    "inbox-empty": by_keys(InboxScreen, "f10", "i"),
    "inbox": Place(at_inbox),
    "inbox-message": Place(at_a_message),
    "inbox-question": Place(at_the_question),
    "domain": by_keys(DomainScreen, "f10", "d"),
    "returned": by_keys(BouncesScreen, "f10", "b"),
    "unsubscribe": by_keys(UnsubscribeScreen, "f10", "u"),
    "unsubscribe-refused": Place(at_a_refused_link),
    "unsubscribe-template": Place(at_a_template),
}
SIZES = [(60, 20), (120, 40), (200, 60), (80, 24)]
TEXT = {"dark": 4.5, "light": 4.5, "high-contrast": 7.0}
"""How far text stands out of its ground at least, in each look whose colours are ours."""
EDGES = 3.0
SEPARATES = "▏"
"""Only separates: nobody needs to see it."""
NEW_SCREEN = 6_000
"""Bytes of the painting of a screen. Of what is painted besides, such as a sign that moves, none has half as many."""
PANEL = 4_000
"""Bytes of a panel that comes or goes."""


# --- what is painted ---


@dataclass
class Painting:
    """One time that something went over the line."""

    screen: Screen[Any]
    size: int
    keys: int
    """How many keys had been pressed before it."""


@dataclass
class Painter:
    """Counts what is painted."""

    paintings: list[Painting] = field(default_factory=list)
    keys: int = 0
    terminal: pyte.Screen = field(default_factory=lambda: pyte.Screen(80, 24))
    """What has been written, as a terminal shows it."""

    def write(self, sent: str, width: int, height: int) -> None:
        """Write to the terminal."""
        if (self.terminal.columns, self.terminal.lines) != (width, height):
            self.terminal.resize(height, width)
        pyte.Stream(self.terminal).feed(sent)

    @property
    def shown(self) -> str:
        """What stands on the terminal."""
        return "\n".join(line.rstrip() for line in self.terminal.display)

    def of(self, screen: Screen[Any]) -> list[Painting]:
        """Return the paintings of a screen up to the first key that was pressed on it."""
        own = [each for each in self.paintings if each.screen is screen]
        return [each for each in own if each.keys == own[0].keys]  # none where nothing is painted yet


@pytest.fixture
def painter(monkeypatch: pytest.MonkeyPatch) -> Painter:
    painted = Painter()
    display = App._display
    press, write = Walk.press, Walk.write
    console = Console(color_system="truecolor", force_terminal=True, legacy_windows=False, file=io.StringIO())

    def counted(self: App[Any], screen: Screen[Any], renderable: Any) -> None:
        if renderable is not None and not self._batch_count:
            sent = renderable.render_segments(console)
            painted.write(sent, *self.size)
            painted.paintings.append(Painting(screen, len(sent.encode()), painted.keys))
        display(self, screen, renderable)

    async def pressed(self: Walk, *keys: str) -> None:
        await self.until(lambda: painted.of(self.app.screen), "a painting before the key")
        painted.keys += 1
        await press(self, *keys)

    async def written(self: Walk, text: str) -> None:
        painted.keys += 1
        await write(self, text)

    monkeypatch.setattr(Walk, "write", written)
    monkeypatch.setattr(App, "_display", counted)
    monkeypatch.setattr(Walk, "press", pressed)
    return painted


# --- contrast ---


def luminance(rgb: Sequence[int]) -> float:
    """Relative luminance, WCAG 2.2."""
    parts = [value / 255 for value in rgb]
    red, green, blue = (part / 12.92 if part <= 0.03928 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(style: Style) -> float:
    """Return how far what is written in a style stands out of its ground."""
    assert style.color is not None
    assert style.bgcolor is not None
    assert ColorType.TRUECOLOR in (style.color.type, style.bgcolor.type)
    lighter, darker = sorted((luminance(each.get_truecolor()) for each in (style.color, style.bgcolor)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


def faint(row: list[Segment], text: float) -> Iterator[str]:
    """Yield what of a row does not stand out enough; a line that only separates need not."""
    if set("".join(segment.text for segment in row).partition("▏")[0].strip()) == {"─"}:
        return
    for words, style, _ in row:
        if style is None or not words.strip():
            continue
        drawn = [ch for ch in words.strip() if "\u2500" <= ch <= "\u259f" and ch not in SEPARATES]
        written = [ch for ch in words if not ch.isspace() and not "\u2500" <= ch <= "\u259f"]
        least = text if written else EDGES if drawn else 0.0
        if contrast(style) < least:
            yield f"{words.strip()!r} {contrast(style):.1f} < {least}"


async def painted_in(walk: Walk, theme: str) -> list[list[Segment]]:
    walk.app.theme = theme
    await walk.pilot.pause()
    await walk.settle()
    return cells(walk.app)


# --- keys ---

CHANGES = {"Change place", "Change account", "Change list"}
"""What F9 changes where that is not called settings."""
MEANINGS = {
    "enter": None,
    "escape": {"Back", "Stop", "Close"},
    "f1": {"Help", "Close"},
    "f2": {"Show", "Hide"},
    "f3": {"Practise"},
    "f4": {"Details", "Close"},
    "f5": {"Am I ready?"},
    "f6": {"Guide", "Close"},
    "f9": {"Settings", "Change settings", "More settings", "Fewer settings", *CHANGES, "Close"},
    "f10": {"Menu", "Close"},
    "ctrl+q": {"Leave"},
}
"""What a key may mean anywhere; None: what Enter does is the chip's own."""
MOVES = ("tab", "shift+tab", "up", "down", "left", "right", "home", "end", "space")
ALWAYS = frozenset({*MOVES, "pageup", "pagedown", "ctrl+pageup", "ctrl+pagedown"})
"""Moves the cursor everywhere, in terminals as in forms."""
COPIES = frozenset({"ctrl+c", "super+c"})
"""Copies what is selected with the mouse, as in every terminal; with nothing selected it says how to leave."""


def wrong_keys(screen: KeyedScreen[Any]) -> Iterator[str]:
    """Yield each key of a screen that means two things, or another one than elsewhere, or is named nowhere."""
    named: dict[str, Chip] = {}
    for chip in (*screen.keys(),):
        if chip.key in named and chip.key:
            yield f"{chip.key} is {named[chip.key].verb} and {chip.verb}"
        named[chip.key] = chip
        if chip.key.startswith("f") and chip.key not in MEANINGS:
            yield f"{chip.key} means nothing elsewhere"
        meant = MEANINGS.get(chip.key)
        if meant is not None and chip.verb not in meant:
            yield f"{chip.key} is {chip.verb!r}"
    editing = isinstance(screen.focused, Input | TextArea)
    for key, (node, _, enabled, _) in screen.active_bindings.items():
        ours = type(node).__module__.startswith("smtp_wizard") and not isinstance(node, Input | TextArea)
        if enabled and ours and key not in named and key not in ALWAYS | COPIES | {"ctrl+l", "ctrl+p", "ctrl+q"}:
            yield f"{key} works and is named nowhere"
    if isinstance(screen, Page | Panel) and not isinstance(screen, HelpPanel):
        assert "f1" in named
        told = {each.key for each in screen.all_keys()}
        yield from (f"{key} is not in the help" for key in named if key not in told)
        if editing:
            yield from (f"{key} is typed here" for key in named if len(key) == 1 and key.isprintable())
    yield from (f"{each} edits" for each in named if editing and each in EDITING)


# --- words ---


def clipped(screen: Screen[Any]) -> Iterator[str]:
    """Yield the words that are cut off at this size."""
    for part in screen.walk_children(Widget):
        if not part.display or not part.is_on_screen:
            continue
        yield from cut(part)


def cut(part: Widget) -> Iterator[str]:
    """Yield what of a part has no room in it."""
    width = part.content_size.width
    if isinstance(part, Edged):
        for edge in (part._border_title, part._border_subtitle):
            if edge is not None and cell_len(edge.plain) + 4 > part.outer_size.width:
                yield f"edge: {edge.plain}"
    if isinstance(part, Lines) and not isinstance(part, RowList):
        for y in range(part.content_size.height):
            if part.row(y).cell_length > width:
                yield f"row: {part.row(y).plain}"
    elif isinstance(part, PlainText | Chips) or type(part).__name__ == "StepLine":
        assert isinstance(part, Static)
        said = part.render().plain if type(part).__name__ == "StepLine" else words_of(part)  # type: ignore[union-attr]
        lines = [said] if part.content_size.height == 1 else said.split()
        yield from (f"word: {line}" for line in lines if cell_len(line.rstrip()) > width)


# --- on each of them ---


@pytest.mark.parametrize("name", EVERYWHERE)
async def test_what_holds_on_every_screen(name: str, painter: Painter, tmp_path: Path) -> None:
    async with standing(EVERYWHERE[name], tmp_path) as walk:
        screen = walk.app.screen
        assert isinstance(screen, KeyedScreen)
        await walk.until(lambda: painter.of(screen), "a painting")
        await walk.pilot.pause()
        first = painter.of(screen)
        whole = [each for each in first if each.size > max(each.size for each in first) / 2]
        assert len(whole) == 1, f"painted {len(whole)} times"
        assert whole[0].size <= NEW_SCREEN
        assert list(wrong_keys(screen)) == []
        for theme, least in TEXT.items():
            painted = await painted_in(walk, theme)
            assert [each for row in painted for each in faint(row, least)] == [], theme
        for size in SIZES:
            await walk.pilot.resize_terminal(*size)
            await walk.settle()
            assert list(clipped(walk.app.screen)) == [], size
            await walk.until(lambda: painter.shown == walk.shown, "on the terminal what is on the screen")
        await focus_shows(walk)


async def focus_shows(walk: Walk) -> None:
    """See that what has the focus shows without colour: in high contrast, by lines and signs alone."""
    screen = walk.app.screen
    await painted_in(walk, "high-contrast")
    chain = [each for each in screen.focus_chain if each.display]
    seen = []
    for part in chain:
        screen.set_focus(part)
        await walk.pilot.pause()
        await walk.settle()
        seen.append(walk.shown)
    assert len(set(seen)) == len(chain)


async def test_a_key_stays_with_its_word_in_a_small_window(tmp_path: Path) -> None:
    async with standing(EVERYWHERE["connect"], tmp_path) as walk:
        await walk.pilot.resize_terminal(60, 20)
        await walk.settle()
        assert "F9 change" in words_of(walk.app.screen.query_one("#where", PlainText)).split("\n")
        assert not walk.app.screen.query_one("#column").show_vertical_scrollbar, "all of it is in sight"


@pytest.mark.parametrize("key", ["f1", "f4", "f6", "f10"])
async def test_a_panel_comes_and_goes_in_one_painting(key: str, painter: Painter, tmp_path: Path) -> None:
    """The toolkit paints the page twice where a panel goes; what stands there already does not go over the line."""
    async with standing(EVERYWHERE["signin"], tmp_path) as walk:
        for pressed in (key, "escape"):
            before = len(painter.paintings)
            await walk.press(pressed)
            await walk.pilot.pause()
            await walk.settle()
            sizes = [each.size for each in painter.paintings[before:]]
            assert [each for each in sizes if each > max(sizes) / 2] == [max(sizes)]
            assert sum(sizes) <= PANEL


def test_every_step_stands_on_every_face_and_is_looked_at() -> None:
    """Whoever adds a step is told here what it still lacks."""
    steps = {each.id for each in STEPS}
    faces: dict[str, set[str]] = {
        "app_screens.py": set(SCREENS),
        "plain/wizard.py": set(PLAIN),
        "text/wizard.py": set(PURPOSE),
        "widgets/stepper.py": set(PLACE),
        "tests/support/places.py": set(PLACES),
    }
    assert {where: steps - found for where, found in faces.items() if steps - found} == {}
