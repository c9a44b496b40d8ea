"""Keys that are pressed faster than the screens come: each goes to the screen to which the one before it led.

Over a slow line, or while the computer is busy, a person types on. The toolkit would give all those keys to what has
the focus when they are read: to a screen that is not laid out yet, where letters are lost, or to one that the Enter
before them has left.
"""

from __future__ import annotations

from collections import deque
from contextlib import suppress
from pathlib import Path

from textual import events, on
from textual.app import ModeError, ScreenError
from textual.message import Message
from textual.timer import Timer
from textual.widget import Widget

from smtp_wizard.app_faults import FaultContainedApp
from smtp_wizard.widgets.fault_containment import FaultContained

ROUNDS = 3
"""How often something follows a key: what a key brings about may bring about more, such as a screen's dismissal."""
PATIENCE = 0.1
"""Seconds after which is looked again, whether what a key had to wait for has gone away in silence."""
LOOKS = 20
"""How often that is done for one key. Then the next one goes its way: whatever is stuck must not hold all of them."""
MOST = 10_000
"""Keys that are kept at most."""


class KeyMarker(Message):
    """Goes the way of a key, behind it: where it arrives, the key has been dealt with."""

    def __init__(self, key: int, rounds: int) -> None:
        super().__init__()
        self.key = key
        self.rounds = rounds


class TypeAheadApp(FaultContainedApp):
    """Deals with one key after the other, and with none while one screen gives way to another."""

    def __init__(self, folder: Path, *, ansi_color: bool | None) -> None:
        super().__init__(folder, ansi_color=ansi_color)
        self._typed: deque[events.Key | events.Paste] = deque(maxlen=MOST)
        self._key = 0
        self._taker: Widget | None = None
        """What the last key went to, until it has been dealt with."""
        self._later: Timer | None = None
        self._looks = 0

    @property
    def changing(self) -> bool:
        """Whether another screen is about to stand here."""
        return not self.standing

    @property
    def dealt_with(self) -> bool:
        """Whether every key has done what it does, and whatever that has brought about."""
        return not self._typed and self._taken

    @property
    def keys_follow(self) -> bool:
        """Whether more keys have come than were dealt with: of somebody who types fast, or of what was pasted."""
        return bool(self._typed)

    async def on_event(self, event: events.Event) -> None:
        """Keep keys until it is their turn."""
        if isinstance(event, events.Key | events.Paste) and not event.is_forwarded:
            self._typed.append(as_pressed(event))
            await self.take_typed()
        else:
            await super().on_event(event)

    async def take_typed(self) -> None:
        """Give the next key to what has the focus, if it can be dealt with now."""
        if not self._typed:
            return
        if self._can_take():
            await self._give(self._typed.popleft())
        elif self._later is None:
            self._later = self.set_timer(PATIENCE, self._look_again)

    async def _look_again(self) -> None:
        self._later = None
        self._looks += 1
        if self._looks >= LOOKS:
            self._taker = None
        await self.take_typed()

    def _can_take(self) -> bool:
        screen = self._shown
        ready = self._taken and not self.changing and screen is not None and screen.is_mounted
        # What does not end in time must not hold the keys for ever: the screen says then that it is at work.
        return ready and (self._looks >= LOOKS or not getattr(screen, "finishing", False))

    @property
    def _taken(self) -> bool:
        """Whether the last key has been dealt with; what is gone deals with nothing any more."""
        taker = self._taker
        return taker is None or not (taker.is_attached and taker.is_running)

    async def _give(self, event: events.Key | events.Paste) -> None:
        taker = self.focused or self.screen
        await super().on_event(event)
        self._key, self._looks = self._key + 1, 0
        self._follow(taker, ROUNDS)

    @property
    def _shown(self) -> Widget | None:
        """The screen that is shown; None at the very end."""
        with suppress(ScreenError, ModeError):
            return self.screen
        return None

    def _follow(self, taker: Widget, rounds: int) -> None:
        """Send something behind the key; where what took it is gone, to what is there now."""
        there = taker if taker.is_attached else self._shown
        self._taker = there if there is not None and there.post_message(KeyMarker(self._key, rounds)) else None

    @on(KeyMarker)
    async def _followed(self, message: KeyMarker) -> None:
        if message.key != self._key:
            return
        if message.rounds > 1 and self._taker is not None:
            self._follow(self._taker, message.rounds - 1)
        else:
            self._taker = None
        await self.take_typed()

    @on(FaultContained.Stands)
    async def _stands(self) -> None:
        await self.take_typed()


def as_pressed(event: events.Key | events.Paste) -> events.Key | events.Paste:
    """Return a key as it was pressed: before the screens stood, the terminal made a line end of Enter."""
    return events.Key("enter", "\r") if isinstance(event, events.Key) and event.key == "ctrl+j" else event
