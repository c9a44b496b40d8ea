"""A part that stands whatever happens in it, and whatever it is told."""

from __future__ import annotations

import asyncio

from textual import events
from textual.app import App
from textual.geometry import Size
from textual.screen import Screen

from smtp_wizard.widgets.fault_containment import FaultContained

SIZE = Size(80, 24)
MORE_THAN_ENOUGH = 20


class Counting(FaultContained, Screen[None]):
    """Counts how often it is told its size."""

    def __init__(self) -> None:
        super().__init__()
        self.told = 0

    def on_resize(self, event: events.Resize) -> None:
        self.told += 1
        if self.told > MORE_THAN_ENOUGH:
            event.prevent_default()  # else nobody else, the test least of all, would have a turn


class OneScreen(App[None]):
    """Nothing beneath it."""

    def __init__(self, screen: Counting) -> None:
        super().__init__()
        self.only = screen

    def get_default_screen(self) -> Screen[None]:
        return self.only


async def test_a_screen_that_is_told_two_sizes_at_once_comes_to_rest() -> None:
    """The window was changed while the program was starting, before anything of it was painted."""
    screen = Counting()
    app = OneScreen(screen)
    async with app.run_test(size=SIZE) as pilot:
        await pilot.pause()
        with app.batch_update():
            for size in (SIZE, Size(80, 25), SIZE, Size(80, 25)):
                screen.post_message(events.Resize(size, size))
                screen.call_later(lambda: None)
            for _ in range(MORE_THAN_ENOUGH):
                await asyncio.sleep(0)
            assert screen.told < MORE_THAN_ENOUGH
