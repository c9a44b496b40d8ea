"""Walks the screens as a person does: presses keys, types, reads what stands there."""

from __future__ import annotations

import asyncio
import functools
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeVar

from textual import events
from textual.app import App, ScreenError
from textual.content import Content
from textual.keys import _character_to_key
from textual.message_pump import MessagePump
from textual.pilot import Pilot
from textual.screen import Screen
from textual.widget import Widget
from textual.widgets import Input, Static

from smtp_wizard.app import SETUP, WizardApp
from smtp_wizard.engine.accounts.saved_accounts import SavedAccounts
from smtp_wizard.engine.checks.target import TimeLimits
from smtp_wizard.engine.diagnosis.diagnosis import Diagnosis, load_diagnosis
from smtp_wizard.engine.discovery.dns import Resolver
from smtp_wizard.engine.discovery.web import Web
from smtp_wizard.engine.guides.guides import Guides
from smtp_wizard.engine.providers.catalog import Catalog, load_catalog
from smtp_wizard.engine.secrets.secret_store import SecretStore
from smtp_wizard.engine.secrets.stores import SecretStores
from smtp_wizard.engine.services.services import Services
from smtp_wizard.engine.smtp.transport import SocketWire, Wire
from smtp_wizard.engine.wizard.draft import Draft
from smtp_wizard.flows.connect_state import ConnectState
from smtp_wizard.launch import compose
from smtp_wizard.runtime.lent_terminal import Foreground
from smtp_wizard.screens.connect import ConnectScreen
from smtp_wizard.screens.page import StepPage
from smtp_wizard.widgets.frame import RadioFrame
from smtp_wizard.widgets.offers import OfferList
from tests.support.patience import PATIENCE
from tests.support.stores import MemoryBackend, always, desktop
from tests.support.stylesheets import read_once

W = TypeVar("W", bound=Widget)
S = TypeVar("S", bound=Screen[Any])

read_once()


SHORTEST, LONGEST = 0.002, 0.02
"""Seconds between two looks at what has not happened yet: a look at a whole screen takes the processor's time."""


async def until(happened: Callable[[], object], otherwise: Callable[[], str]) -> None:
    """Wait until something has happened. Raises `AssertionError`, with what `otherwise` says, when it does not."""
    end = time.monotonic() + PATIENCE
    pause = SHORTEST
    while not happened():
        assert time.monotonic() < end, otherwise()
        await asyncio.sleep(pause)
        pause = min(pause * 1.2, LONGEST)


QUIET = 6
"""Turns of the event loop in a row, in which nothing is under way, after which nothing more comes by itself."""


async def settled(app: App[Any]) -> None:
    """Wait until no message is under way: to the app, the screen that is shown, or what stands on it.

    `Pilot.pause` sends each of them messages to find that out, which costs more than what they are behind.
    """
    quiet, end = 0, time.monotonic() + PATIENCE
    while quiet < QUIET and app.return_code is None:
        busy = [each for each in on_stage(app) if under_way(each)]
        assert not busy or time.monotonic() < end, f"messages are stuck: {busy}"
        quiet = 0 if busy else quiet + 1
        await asyncio.sleep(0)


def on_stage(app: App[Any]) -> list[MessagePump]:
    """Return the app, the screen that is shown, and all that stands on it."""
    try:
        return [app, *app.screen.walk_children(with_self=True)]
    except ScreenError:  # the last one has gone
        return [app]


def under_way(pump: MessagePump) -> bool:
    """Whether something is in its queue, or being dealt with: what has nothing to do waits at its queue."""
    queue: Any = pump._message_queue
    return pump.is_running and not pump._closing and not (queue.empty() and queue.ready_event._waiters)


@functools.cache
def catalog() -> Catalog:
    """The product's own providers, read once for all tests."""
    return load_catalog()


@functools.cache
def diagnosis() -> Diagnosis:
    """The product's own rules, read once for all tests."""
    return load_diagnosis(names={provider.id: provider.firm for provider in catalog().providers})


@functools.cache
def guides() -> Guides:
    """The product's own guides."""
    return Guides()


def make_services(
    folder: Path,
    wire: Wire | None = None,
    *,
    backend: MemoryBackend | None = None,
    stores: SecretStores | None = None,
    limits: TimeLimits | None = None,
    now: Callable[[], datetime] | None = None,
    providers: Catalog | None = None,
    lock_limit: float = 5.0,
    keyring: SecretStore | None = None,
    resolver: Resolver | None = None,
    web: Web | None = None,
) -> Services:
    """Build the engine over a config folder, with a keyring that is a dict in memory.

    `lock_limit`: seconds to wait for another process that is saving accounts. `keyring`: in the place of that dict.
    """
    return compose(
        catalog=providers or catalog(),
        diagnosis=diagnosis(),
        wire=wire or SocketWire(),
        stores=stores or SecretStores({}, folder, backend_factory=always(backend or desktop()), keyring=keyring),
        saved_accounts=SavedAccounts(folder, lock_limit=lock_limit),
        folder=folder,
        limits=limits,
        resolver=resolver,
        web=web,
        now=now or (lambda: datetime.now(UTC)),
    )


def key_event(key: str) -> events.Key:
    name = key if len(key) > 1 or key.isalnum() else _character_to_key(key)
    return events.Key(name, key if len(key) == 1 else None)


def shown(app: App[Any]) -> str:
    """Return what stands on the screen, line by line, without the blanks at the ends of lines."""
    rows = app.screen._compositor.render_strips()
    return "\n".join("".join(segment.text for segment in row).rstrip() for row in rows)


def in_one_line(text: str) -> str:
    """Return a text without its line breaks: where a screen breaks a sentence depends on its width."""
    return " ".join(text.split())


EDGES = str.maketrans(dict.fromkeys("│▌▏", " "))
"""What stands between two rows of the same sentence."""


def words_of(widget: Static) -> str:
    """Return all words of a widget, those included that are scrolled out of sight."""
    content = widget.content
    return content.plain if isinstance(content, Content) else str(content)


@dataclass
class Walk:
    """One person at the screens."""

    app: WizardApp
    pilot: Pilot[int]
    pressed: list[str] = field(default_factory=list)
    """Every key but those of typed values."""
    faults_expected: int = 0
    """How many faults of the program's own the test has brought about."""

    async def press(self, *keys: str) -> None:
        """Press keys, one after the other."""
        for key in keys:
            self.pressed.append(key)
            self.app.post_message(key_event(key))
            await self.settle()

    async def settle(self) -> None:
        """Wait until every key and every message that is under way has been dealt with."""
        await until(
            lambda: self.app.dealt_with or self.app.changing or self.app.return_code is not None,
            lambda: "a key is stuck",
        )
        await settled(self.app)
        if self._reads:
            await until(lambda: not self._reads, lambda: "what a screen shows first is never read")
            await self.settle()

    @property
    def _reads(self) -> bool:
        """Whether the screen that is shown reads what it shows first."""
        with suppress(ScreenError):
            return getattr(self.app.screen, "reading", False) and self.app.return_code is None
        return False

    async def write(self, text: str) -> None:
        """Paste a value into the field that has the focus, behind what stands there."""
        await self.until(lambda: self.app.focused is not None, "a field that has the focus")
        entry = self.app.focused
        assert entry is not None
        entry.post_message(events.Paste(text))
        await self.settle()

    async def fill(self, selector: str, text: str) -> None:
        """Go to a field and type, in place of what stands there."""
        entry = self.entry(selector)
        entry.focus()
        entry.value = ""
        await self.settle()
        if text:
            await self.write(text)

    def entry(self, selector: str) -> Input:
        """Return the field of a selector, which may be that of the frame around it."""
        found = self.app.screen.query_one(selector)
        return found if isinstance(found, Input) else found.query_one(Input)

    async def choose(self, selector: str, value: object) -> None:
        """Choose in a frame of a few words, with the arrows."""
        radio = self.the(selector, RadioFrame)
        radio.focus()
        for _ in radio.options:
            if radio.selected == value:
                return
            await self.press("right")
        raise AssertionError(f"{value} is not in {selector}")

    async def take(self, words: str) -> None:
        """Take what is offered in these words, with the arrows and Enter."""
        offers = self.the("#offers", OfferList)
        verbs = [each.verb for each in offers.items]
        wanted = next((verb for verb in verbs if words in verb), None)
        assert wanted is not None, f"{words!r} is not offered, but {verbs}"
        for _ in verbs:
            at = verbs.index(offers.selected.verb) if offers.selected is not None else -1
            if at == verbs.index(wanted):
                break
            await self.press("down" if at < verbs.index(wanted) else "up")
        await self.press("enter")

    async def mark(self, offer: str) -> None:
        """Give the mark of the list of offers to one of them, by the arrows."""
        offers = self.the("#offers", OfferList)
        wanted = [each.id for each in offers.items].index(offer)
        for _ in offers.items:
            marked = offers.items.index(offers.selected) if offers.selected is not None else -1
            if marked == wanted:
                return
            await self.press("down" if marked < wanted else "up")
        raise AssertionError(f"{offer} could not be marked; shown:\n{self.shown}")

    async def take_offer(self, offer: str) -> None:
        """Take one of the offers, by its id."""
        await self.mark(offer)
        await self.press("enter")

    @property
    def step(self) -> str:
        """The id of the step whose screen is shown; empty for any other screen."""
        screen = self.app.screen
        return screen.STEP if isinstance(screen, StepPage) else ""

    async def at(self, step: str) -> None:
        """Wait for the screen of a step."""
        await self.until(lambda: self.step == step and self.app.screen.is_mounted, f"the step {step}")
        await self.settle()

    async def at_screen(self, kind: type[S]) -> S:
        """Wait for a screen of another kind, such as a dialog; return it."""
        await self.until(lambda: isinstance(self.app.screen, kind) and self.app.screen.is_mounted, kind.__name__)
        await self.settle()
        screen = self.app.screen
        assert isinstance(screen, kind)
        return screen

    def the(self, selector: str, kind: type[W]) -> W:
        """Return a widget of the screen that is shown."""
        return self.app.screen.query_one(selector, kind)

    @property
    def shown(self) -> str:
        """What stands on the screen."""
        return shown(self.app)

    @property
    def line(self) -> str:
        """The same in one line, without the frames and the marks."""
        return in_one_line(self.shown.translate(EDGES))

    def reads(self, words: str) -> bool:
        """Whether these words stand on the screen, wherever the lines are broken."""
        return in_one_line(words) in self.line

    async def until_reads(self, words: str) -> None:
        """Wait for these words on the screen."""
        await self.until(lambda: self.reads(words), f"the words {words!r}")

    async def until(self, happened: Callable[[], object], what: str) -> None:
        """Wait for something to come true; a fault of the program ends the wait."""

        def over() -> object:
            return happened() or self.app.return_code is not None or self._new_faults

        await until(over, lambda: f"never came: {what}; shown:\n{self.shown}")
        assert self.app.return_code is None, "the program has ended"
        self.no_fault()

    async def sign_in(self, key: str = "enter") -> ConnectState:
        """Press a key that begins a sign-in at Connect, and wait for its end; return what the step shows then."""
        screen = self.app.screen
        assert isinstance(screen, ConnectScreen)
        await self.press(key)
        await self.until(lambda: not screen.at_work("act"), "the end of the sign-in")
        await self.settle()
        return screen.flow.state

    @property
    def connect(self) -> ConnectState:
        """What the step Connect shows."""
        screen = self.app.screen
        assert isinstance(screen, ConnectScreen)
        return screen.flow.state

    @property
    def _new_faults(self) -> list[str]:
        return self.app.faults.entries[self.faults_expected :]

    def no_fault(self) -> None:
        """Raise `AssertionError` where the program met a fault of its own that the test did not expect."""
        assert not self._new_faults, "\n".join(["faults of the program's own:", *self._new_faults])

    @property
    def draft(self) -> Draft:
        """The answers so far, as the screen has them."""
        screen = self.app.screen
        assert isinstance(screen, StepPage)
        return screen.collect()


@asynccontextmanager
async def walking(
    services: Services,
    *,
    start: str = SETUP,
    draft: Draft | None = None,
    size: tuple[int, int] = (80, 24),
    foreground: Foreground | None = None,
) -> AsyncIterator[Walk]:
    """Open the screens; yield the person before them."""
    app = WizardApp(services, guides(), foreground=foreground, start=start, draft=draft)
    async with app.run_test(size=size) as pilot:
        await pilot.pause()
        walk = Walk(app, pilot)
        yield walk
        walk.no_fault()
