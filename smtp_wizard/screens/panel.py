"""Cards over the page: help, details, a guide, a question. Esc closes each, with nothing decided.

The page below is not dimmed, so that its question stays in sight; it gives the accent away to the card.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Iterator, Sequence
from typing import Generic, TypeVar

from rich.cells import cell_len
from textual.app import ComposeResult
from textual.containers import VerticalScroll
from textual.content import Content
from textual.geometry import Size
from textual.screen import ModalScreen
from textual.widget import Widget

from smtp_wizard.engine.guides.guides import Guide, as_text
from smtp_wizard.flows.flow import Card, Mood, Offer
from smtp_wizard.flows.question import Answer
from smtp_wizard.screens.keyed_screen import KeyedScreen
from smtp_wizard.widgets.chips import CHOOSE, Chip
from smtp_wizard.widgets.frame import EDGE_ROOM, Edged
from smtp_wizard.widgets.lines import ACCENT, STRONG, Paragraphs
from smtp_wizard.widgets.offers import IdT, OfferList

T = TypeVar("T")

WIDTH, MARGINS = 76, 4
"""Columns of a panel, and of what is beside it where the window is narrower."""
INSIDE, EDGES = 72, 4
"""Columns of text in a panel, and of its edges with the blanks beside them."""


class PanelBox(Edged, VerticalScroll):
    """The card itself; what is longer than the window scrolls."""

    def get_content_height(self, container: Size, viewport: Size, width: int) -> int:
        """As `Widget.get_content_height`, for the width of the words: the toolkit counts the scrollbar's column."""
        return super().get_content_height(container, viewport, width - self.styles.scrollbar_size_vertical)


class Panel(KeyedScreen[T | None], ModalScreen[T | None], Generic[T]):
    """A card at the foot of the page. Its result is None where Esc closed it."""

    AUTO_FOCUS = "PanelBox Input, PanelBox OfferList, PanelBox RowList"

    def __init__(self, title: str, foot: str = "Esc closes") -> None:
        super().__init__()
        self.box = PanelBox(classes="box", can_focus=False)
        self.heading, self._foot = title, foot
        self.long_title = Paragraphs(_as_rows(title))
        """The title where it is too long for the edge."""

    @abstractmethod
    def body(self) -> Iterator[Widget]:
        """Yield what stands in the card."""

    def chips(self) -> Sequence[Chip]:
        """Return the panel's own keys, the first of them Enter's where Enter does something."""
        return ()

    def compose(self) -> ComposeResult:
        with self.box:
            yield self.long_title
            yield from self.body()
        yield self.foot
        self._edge()
        self.redraw()

    def keys(self) -> Sequence[Chip]:
        """As `KeyedScreen.keys`: its own, Esc and F1; where nothing else is Enter's, Esc stands first."""
        close = Chip("escape", "Close", self.close, help="close this; the page below is as it was")
        own = list(self.chips())
        first = [own.pop(0)] if own and (own[0].key == "enter" or own[0] is CHOOSE) else []
        always = (
            Chip("ctrl+q", "Leave", self._leave, shown=False),
            Chip("f1", "Help", self.help, help="this help"),
        )
        taken = {each.key for each in own}
        return [*first, close, *own, *(each for each in always if each.key not in taken)]

    def help(self) -> None:
        """Say what each key does here."""
        self.app.push_screen(HelpPanel(self.heading, "", self.all_keys()))

    def on_resize(self) -> None:
        """Put the title where there is room for it."""
        self._edge()

    def _edge(self) -> None:
        width = min(self.app.size.width - MARGINS, WIDTH)
        self.long_title.display = cell_len(self.heading) + EDGE_ROOM > width
        self.box.label("" if self.long_title.display else self.heading, self._foot)

    def tell(self, words: str) -> None:
        """As `KeyedScreen.tell`: in the lower edge."""
        self.label(self.heading, words)

    def label(self, title: str, foot: str) -> None:
        """Give the card another title, and other words in its lower edge."""
        if title != self.heading:
            self.long_title.show(_as_rows(title))
        self.heading, self._foot = title, foot
        self._edge()

    def _leave(self) -> None:
        self.call_next(self.run_action, "app.leave")

    def close(self) -> None:
        """Close the panel with nothing decided."""
        self.dismiss(None)

    def move_list(self, by: int) -> bool:
        """As `KeyedScreen.move_list`; where there is no list the text scrolls."""
        if not super().move_list(by):
            self.box.scroll_relative(y=by, animate=False, immediate=True)
        return True


def _as_rows(title: str) -> list[Content]:
    return [Content.styled(title, STRONG), Content("")]


class TextPanel(Panel[None]):
    """A card of text to read: `.rows` are its paragraphs, broken for the window as it is."""

    def __init__(self, title: str, rows: Sequence[Content], foot: str = "Esc closes") -> None:
        super().__init__(title, foot)
        self.rows = tuple(rows)
        self.text = Paragraphs(self.rows)

    def body(self) -> Iterator[Widget]:
        yield self.text


class HelpPanel(TextPanel):
    """F1: what the screen is for, and every key that works on it with what it does here."""

    def __init__(self, title: str, purpose: str, keys: Sequence[Chip]) -> None:
        about = [Content(purpose), Content("")] if purpose else []
        super().__init__(f"Help: {title}", [*about, *map(_key_row, keys)])

    def chips(self) -> Sequence[Chip]:
        """As `Panel.chips`: F1 closes the help again."""
        return [Chip("f1", "Close", self.close, shown=False)]


class GuidePanel(TextPanel):
    """F6: a guide to read; O opens the web address of its first step that has one."""

    def __init__(self, guide: Guide, open_link: Callable[[str], None] | None = None) -> None:
        """`open_link` is called with a web address; None where there is no way to open one."""
        super().__init__(as_text(guide, INSIDE).partition("\n")[0], ())
        self.guide = guide
        self.urls = [url for step in guide.steps for url in step.urls]
        self._open_link = open_link

    def body(self) -> Iterator[Widget]:
        """As `Panel.body`."""
        self._write()
        yield from super().body()

    def on_resize(self) -> None:
        """As `Panel.on_resize`: the guide is written for the window as it is."""
        super().on_resize()
        self._write()

    def _write(self) -> None:
        text = as_text(self.guide, min(INSIDE, self.app.size.width - MARGINS - EDGES)).partition("\n")[2]
        self.rows = tuple(Content(line) for line in text.strip("\n").split("\n"))
        self.text.show(self.rows)

    def chips(self) -> Sequence[Chip]:
        """As `Panel.chips`."""
        link = Chip("o", "Open the page", self._open, help="open the web address of the guide")
        moves = Chip("", "Scroll", help="scroll")
        return [*([link] if self.urls and self._open_link is not None else []), moves]

    def keys(self) -> Sequence[Chip]:
        """As `Panel.keys`: F6 closes the guide again."""
        return [*super().keys(), Chip("f6", "Close", self.close, shown=False)]

    def _open(self) -> None:
        if self._open_link is not None:
            self._open_link(self.urls[0])


KEYS_WIDE = 8
"""Columns for the name of a key."""


def _key_row(chip: Chip) -> Content:
    words = chip.help or chip.verb[:1].lower() + chip.verb[1:]
    named = "F1 ?" if chip.key == "f1" else chip.words
    return Content.assemble((f"{named:<{KEYS_WIDE}}", ACCENT), words)


class QuestionPanel(Panel[IdT], Generic[IdT]):
    """A question in the midst of a step, over the page: its card's words, and offers. Returns the id of the one taken.

    Its first offer has the mark: let that be the careful one.
    """

    def __init__(self, card: Card, offers: Sequence[Offer[IdT]], *, selected: int | None = 0) -> None:
        super().__init__(card.title, card.foot or "Esc closes")
        self.card = card
        self.offers = OfferList(offers, selected=selected)

    def body(self) -> Iterator[Widget]:
        if self.card.lines:
            yield Paragraphs([*map(Content, self.card.lines), Content("")])
        yield self.offers

    def chips(self) -> Sequence[Chip]:
        """As `Panel.chips`."""
        return [self.offers.chip()]

    def on_offer_list_chosen(self, message: OfferList.Chosen) -> None:
        """Return what was chosen."""
        self.dismiss(message.offer.id)


class ConfirmPanel(QuestionPanel[Answer]):
    """A question with two answers: `Answer.DO` is the yes. The careful one has the mark."""

    def __init__(self, title: str, lines: Sequence[str], *, yes: str, no: str) -> None:
        """`yes` and `no` say what each answer does: 'Leave', 'Stay here'."""
        offers = (Offer(Answer.LEAVE, no, chip=no), Offer(Answer.DO, yes, chip=yes))
        super().__init__(Card(mood=Mood.TOLD, title=title, lines=tuple(lines), foot="Esc changes nothing"), offers)
