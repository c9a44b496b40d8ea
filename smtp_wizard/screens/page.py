"""The base of every screen: one question, one card, one line of keys.

At the top the steps, or the title of an area; below it one column of 76 for the question and what it asks, from 100
columns on a rail of 38 that explains; at the foot the keys. A page is painted once when it comes: nothing about it is
set after it is composed.
"""

from __future__ import annotations

import re
from abc import abstractmethod
from collections.abc import Iterator, Sequence
from typing import Any, ClassVar, Generic, TypeVar

from textual import events
from textual.app import ComposeResult
from textual.containers import Horizontal, VerticalScroll
from textual.content import Content
from textual.widget import Widget
from textual.worker import Worker

from smtp_wizard.engine.guides.named_guides import with_titles
from smtp_wizard.engine.wizard.draft import Draft
from smtp_wizard.engine.wizard.steps import Back, Next, Step, StepId, step
from smtp_wizard.flows.flow import Flow, Section
from smtp_wizard.screens.keyed_screen import KeyedScreen
from smtp_wizard.screens.panel import GuidePanel, HelpPanel
from smtp_wizard.screens.screen_context import ScreenContext
from smtp_wizard.widgets.banner import Banner
from smtp_wizard.widgets.chips import Chip
from smtp_wizard.widgets.fault_containment import work_once
from smtp_wizard.widgets.lines import ACCENT, STRONG, Lines
from smtp_wizard.widgets.offers import OfferList
from smtp_wizard.widgets.plain_text import PlainText, folded
from smtp_wizard.widgets.stepper import StepLine

T = TypeVar("T")
StateT = TypeVar("StateT")
OfferT = TypeVar("OfferT", bound=str)

StepOutcome = Next | Back
WIDE = 100
"""Columns from which on the rail is there."""
READ = "read"
"""The group of the work that reads what a screen shows."""
NARROW = 76
"""Columns below which frames with long labels (`-stacks`) stand below one another."""
RAIL = 36
"""Columns of its words."""
KEY = re.compile(r"(F\d+|Enter|Esc|Del|[A-Z])(?= {2})")


class Page(KeyedScreen[T]):
    """A screen of the new look. A subclass says what stands in the column, in the rail, and what the keys do."""

    AUTO_FOCUS = "#column Input, #column TextArea, #column OfferList, #column RowList, #column RadioFrame"
    HEADING: ClassVar[str] = ""
    """The title of an area; a step shows the line of steps instead."""
    HELP: ClassVar[str] = ""
    """What the screen is for, for F1."""

    def __init__(self, context: ScreenContext) -> None:
        super().__init__()
        self.context = context
        self.banner = Banner()
        """Says what failed of the program itself; takes no room while nothing did."""
        self._rail = Lines(id="rail")
        self.sheet = VerticalScroll(id="column", can_focus=False)

    @property
    def reading(self) -> bool:
        """Whether what it shows is being read, by work of the group `READ`, while it stands there already."""
        return self.at_work(READ)

    @property
    def finishing(self) -> bool:
        """As `FaultContained.finishing`: keys wait for what is read."""
        return self.reading

    def on_worker_state_changed(self, event: Worker.StateChanged) -> None:
        """Let the keys go on that have waited for what was read."""
        if event.worker.group == READ and event.worker.is_finished:
            self.app.post_message(self.Stands())

    # -- what a subclass says ---------------------------------------------------------------------------------------

    @abstractmethod
    def column(self) -> Iterator[Widget]:
        """Yield the question (`question(...)`) and the parts below it. Called once; `draw` changes them later."""

    @abstractmethod
    def rail(self) -> Sequence[Section]:
        """Return what explains the question, for windows of 100 columns and more."""

    @abstractmethod
    def chips(self) -> Sequence[Chip]:
        """Return this screen's own keys: first what Enter does, then the others. Esc, F1 and F10 are added."""

    def back_words(self) -> str:
        """Return what Esc does, for its chip; '' where it does nothing."""
        return "Back"

    @property
    def heading(self) -> str:
        """What F1 calls this screen."""
        return self.HEADING

    def escape(self) -> None:
        """Do what Esc does: leave the page."""
        self.dismiss(None)

    # -- drawing ----------------------------------------------------------------------------------------------------

    def compose(self) -> ComposeResult:
        # Before the first layout: as breakpoints, the toolkit sets it after one, which paints everything twice.
        self._fit(self.app.size.width)
        yield self.top()
        with Horizontal(id="page"):
            with self.sheet:
                yield from self.column()
            yield self._rail
        yield self.banner
        yield self.foot
        self.redraw()

    def top(self) -> Widget:
        """Return the line at the top."""
        return PlainText(Content.styled(self.HEADING, STRONG), id="top")

    def redraw(self) -> None:
        """Draw the rail and the keys as they are now; what is as before is not painted again."""
        super().redraw()
        self._rail.show(self.rail_content())

    def rail_content(self) -> list[Content]:
        """Return the rows of the rail; a screen may draw parts of it itself."""
        return rail_rows(self.rail())

    def on_resize(self, event: events.Resize) -> None:
        """Show the rail where there is room for it."""
        self._fit(event.size.width)

    def _fit(self, width: int) -> None:
        self.set_class(width >= WIDE, "-wide")
        self.set_class(width < NARROW, "-narrow")

    def scroll_to_center(self, widget: Widget, *args: Any, **options: Any) -> None:
        """As `Widget.scroll_to_center`, which is asked for whatever gets the focus and is not wholly in sight.

        A list of offers that is higher than the window shows what has the mark: centred, it would hide the question.
        """
        if isinstance(widget, OfferList):
            widget.show_mark()
        else:
            super().scroll_to_center(widget, *args, **options)

    # -- keys -------------------------------------------------------------------------------------------------------

    def keys(self) -> Sequence[Chip]:
        """As `KeyedScreen.keys`: Enter's, Esc, its own, F1, F10; where Enter does nothing, Esc first."""
        own = list(self.chips())
        first = own.pop(0) if own and not own[0].key.startswith("f") else None
        back = self.back_words()
        return [
            *([first] if first is not None else []),
            *([Chip("escape", back, self.escape, help=self.escape_help())] if back else []),
            *own,
            Chip("f1", "Help", self.help, help="this help"),
            Chip("f10", "Menu", self.menu, help="menu: accounts, limits, tools, practise, look (or Ctrl+P)"),
        ]

    def escape_help(self) -> str:
        """Say for F1 what Esc does."""
        return "back; nothing you typed is lost"

    def help(self) -> None:
        """Say what this screen is for, and what its keys do."""
        self.app.push_screen(HelpPanel(self.heading, self.HELP, self.all_keys()))

    def menu(self) -> None:
        """Open the menu."""
        self.run_action_now("app.menu")

    def tell(self, words: str) -> None:
        """As `KeyedScreen.tell`."""
        self.banner.say(words)

    def show_guide(self, guide_id: str) -> None:
        """Show a guide over the page, others named in it by their titles. Raises `UnknownGuide`, `DataError`."""
        guides = self.context.guides
        self.app.push_screen(GuidePanel(with_titles(guides.get(guide_id), guides), self.open_link))

    def open_link(self, url: str) -> None:
        """Show a web address whole, as a code for a phone, and open it where a browser is at hand."""
        from smtp_wizard.screens.link import LinkPanel

        self.app.push_screen(LinkPanel(url, local=self.context.local))

    def run_action_now(self, action: str) -> None:
        """Run an action of the app."""
        self.call_next(self.run_action, action)


class StepPage(Page[StepOutcome], Generic[StateT, OfferT]):
    """A step of the wizard, drawn on its flow. Esc stops what runs, else goes back with everything typed.

    `act(offer)` has the flow do what is offered, once at a time, and leaves where that leads somewhere; each new state
    of the flow is given to `draw`.
    """

    STEP: ClassVar[StepId]

    def __init__(self, context: ScreenContext, draft: Draft, flow: Flow[StateT, OfferT, StepOutcome]) -> None:
        super().__init__(context)
        self.draft = draft
        self.flow = flow
        self._left = False
        flow.changed = self._changed

    @abstractmethod
    def draw(self, state: StateT) -> None:
        """Show a state: put it into the parts that `column` made. Rail and keys are drawn behind it."""

    @abstractmethod
    def collect(self) -> Draft:
        """Return the draft with what was typed so far, right or wrong."""

    @property
    def step(self) -> Step:
        """Which step of the wizard this is."""
        return step(self.STEP)

    @property
    def heading(self) -> str:
        """As `Page.heading`."""
        return self.step.title

    def top(self) -> Widget:
        """As `Page.top`: the line of steps."""
        return StepLine(self.STEP, self.draft)

    def _changed(self, state: StateT) -> None:
        if self.is_mounted:
            self.draw(state)
            self.redraw()

    @work_once("act")
    async def act(self, offer: OfferT) -> None:
        """Have the flow do what is offered; leave where that leads somewhere."""
        leads = await self.flow.act(offer)
        if leads is not None:
            self.leave(leads)

    def leave(self, outcome: StepOutcome) -> None:
        """End this step."""
        self._left = True
        self.dismiss(outcome)

    def escape(self) -> None:
        """Stop what runs; else go to the step before. Nothing typed is lost."""
        if not self.stop():
            self.leave(Back(self.collect()))

    def stop(self) -> bool:
        """Stop what the flow is doing; return whether it did anything."""
        return bool(self.workers.cancel_group(self, "act"))

    def back_words(self) -> str:
        """As `Page.back_words`."""
        return "Stop" if self.at_work("act") else "Back"

    def on_screen_resume(self) -> None:
        self.work_ended()

    def work_ended(self) -> None:
        """Say what could not be kept, unless another step is about to stand here: then that one says it."""
        for trouble in self.context.services.problems.new() if not self._left else ():
            self.banner.add(trouble)
        if self.is_mounted:
            self.redraw()


class ImmediatePage(StepPage[StateT, OfferT]):
    """A step whose flow asks no service: what is taken is done before the next key is dealt with.

    A worker would be overtaken by the keys of whoever types ahead: they would go to the screen that is being left.
    """

    def act(self, offer: OfferT) -> None:
        """As `StepPage.act`."""
        self.call_next(self._act_now, offer)

    async def _act_now(self, offer: OfferT) -> None:
        leads = None if self._left else await self.flow.act(offer)
        if leads is not None:
            self.leave(leads)


def question(text: str) -> PlainText:
    """Return the question of a page, in bold with an empty row below it."""
    return PlainText(Content.styled(text, STRONG), classes="asked")


def note(text: str | Content, *, narrow: bool = False, id: str | None = None) -> PlainText:
    """Return muted words, with an empty row around them. `narrow`: only where no rail says the same."""
    return PlainText(text, classes="told narrow" if narrow else "told", id=id)


def rail_rows(sections: Sequence[Section]) -> list[Content]:
    """Return the rows of a rail: titles in bold, an empty row below each and between sections."""
    rows: list[Content] = []
    for section in sections:
        rows += [Content("")] if rows else []
        rows += [Content.styled(row, f"{STRONG} $foreground") for row in folded(section.title, RAIL) if row]
        rows += [Content("")] if section.title else []
        rows += [_led(row) for line in section.lines for row in folded(line, RAIL)]
    return rows


def _led(row: str) -> Content:
    """Return a row of the rail with the key that it begins with in the accent: 'F4  all of it'."""
    key = KEY.match(row)
    return Content.assemble((key[0], ACCENT), row[key.end() :]) if key is not None else Content(row)
