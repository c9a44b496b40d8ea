"""What screens and panels have in common: their keys are those that they name, and they are painted once."""

from __future__ import annotations

import asyncio
from abc import abstractmethod
from collections.abc import Sequence
from contextlib import ExitStack
from typing import Any, TypeVar

from textual import events
from textual.await_complete import AwaitComplete
from textual.screen import Screen
from textual.widgets import Input, TextArea

from smtp_wizard.widgets.chips import Chip, Chips
from smtp_wizard.widgets.offers import OfferList
from smtp_wizard.widgets.rows import RowList
from smtp_wizard.widgets.toolkit import PaintedOnce

T = TypeVar("T")
AnswerT = TypeVar("AnswerT")

EDITING = frozenset({"delete", "backspace", "home", "end", "left", "right", "space", "question_mark"})
"""Keys that belong to a field while the cursor is in one."""
MOVES = {"down": 1, "up": -1}
LONGEST_HELD = 0.1
"""Seconds after which something is painted in any case."""
HOW_TO_LEAVE = "Press Ctrl+Q to leave."


class KeyedScreen(PaintedOnce[T]):
    """A screen whose keys are the `Chip`s of `keys()`: what works is named at the foot or in F1, and nothing else."""

    def __init__(self) -> None:
        super().__init__()
        self.foot = Chips()
        self._outcome: tuple[T | None] | None = None
        """With what this screen ends as soon as nothing lies over it."""
        self._on_top = asyncio.Event()

    # -- what may lie over it ---------------------------------------------------------------------------------------

    def dismiss(self, result: T | None = None) -> AwaitComplete:
        """As `Screen.dismiss`; while another screen lies over this one, the end waits until that one has gone.

        The toolkit gives the result away and takes whatever lies on top for the screen that is to go.
        """
        if self.is_active:
            return super().dismiss(result)
        self._outcome = (result,)
        return AwaitComplete()

    async def uncovered(self) -> None:
        """Wait until nothing lies over this screen: what work leads to must not come between somebody's keys."""
        while not self.is_active:
            self._on_top.clear()
            await self._on_top.wait()

    async def ask(self, panel: Screen[AnswerT]) -> AnswerT | None:
        """Put a panel over this screen once nothing else lies there; return its answer. For work of this screen."""
        await self.uncovered()
        return await self.app.push_screen_wait(panel)

    async def show_over(self, panel: Screen[Any]) -> None:
        """Put a panel over this screen once nothing else lies there."""
        await self.uncovered()
        self.app.push_screen(panel)

    def on_screen_resume(self) -> None:
        """End the screen where its work has ended it meanwhile; else let it be painted once."""
        self._on_top.set()
        if self._outcome is not None and self.is_active:
            (result,), self._outcome = self._outcome, None
            self.dismiss(result)
        else:
            self._hold_painting()

    def _hold_painting(self) -> None:
        """Hold back what would be painted before this screen, and the one below it, are styled and laid out."""
        held = ExitStack()
        held.enter_context(self.app.batch_update())
        stack = self.app.screen_stack
        below = stack[-2] if len(stack) > 1 else self
        # The screen below is told first that it is below; then the app styles it anew; then this one is painted.
        below.call_later(self.app.call_later, self.call_after_refresh, held.close)
        self.set_timer(LONGEST_HELD, held.close)

    @abstractmethod
    def keys(self) -> Sequence[Chip]:
        """Return every key that does something here now, in the order of the foot; the first is what Enter does."""

    def all_keys(self) -> Sequence[Chip]:
        """Return every key that works here, the toolkit's own among them, for F1."""
        own = [each for each in self.keys() if each.key != "ctrl+q"]
        others = [Chip("tab", "Next part", help="to the next field or list")] if len(self.focus_chain) > 1 else []
        anew = Chip("ctrl+l", "Paint anew", help="paint the screen anew, where something has written over it")
        return [*own, *others, anew, Chip("ctrl+q", "Leave", help="leave; you can go on here next time")]

    def redraw(self) -> None:
        """Say at the foot what the keys do now."""
        self.foot.show(self.keys())

    async def on_key(self, event: events.Key) -> None:
        """Do what the key says at the foot; the arrows of a field move the list that stands below it."""
        field = self.focused if isinstance(self.focused, Input | TextArea) else None
        chip = None if field is not None and event.key in EDITING else self._chip_of(event.key)
        if chip is not None:
            event.stop()
            event.prevent_default()
            chip.act()
        elif event.key == "ctrl+c" and not (field is not None and field.selected_text):
            event.stop()
            event.prevent_default()
            self.tell(HOW_TO_LEAVE)
        elif event.key in MOVES and self.move_list(MOVES[event.key]):
            event.stop()
            event.prevent_default()

    def tell(self, words: str) -> None:
        """Say something for a moment, where this screen has a place for it."""

    def _chip_of(self, key: str) -> Chip | None:
        key = "f1" if key == "question_mark" else key
        return next((each for each in self.keys() if each.key == key), None)

    def move_list(self, by: int) -> bool:
        """Move the mark of the list on this screen; return whether there is one."""
        for each in self.query("OfferList, RowList"):
            if isinstance(each, OfferList | RowList) and each.display:
                each.move(by)
                return True
        return False

    def on_offer_list_highlighted(self) -> None:
        """Say what Enter does now."""
        self.redraw()

    def on_row_list_highlighted(self) -> None:
        """Say what Enter does now."""
        self.redraw()
