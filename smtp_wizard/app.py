"""The Textual app: two areas, and the only loop of the wizard.

While there is a step, the screen built for it is awaited, gives `Next` or `Back` with a draft, and the engine names the
following step. A screen is built again each time; all answers live in the draft.
"""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from functools import partial
from pathlib import PurePath
from typing import TYPE_CHECKING, Any, ClassVar

from textual import events, work
from textual.app import SuspendNotSupported
from textual.filter import LineFilter
from textual.screen import Screen
from textual.worker import get_current_worker

from smtp_wizard.app_areas import HOME as HOME
from smtp_wizard.app_areas import LIMITS as LIMITS
from smtp_wizard.app_areas import SETUP as SETUP
from smtp_wizard.app_areas import AreasApp
from smtp_wizard.app_screens import AREAS, READINESS, TOOL_SCREENS
from smtp_wizard.app_screens import SCREENS as SCREENS
from smtp_wizard.engine.guides.guides import Guides
from smtp_wizard.engine.services.services import Services
from smtp_wizard.engine.wizard.draft import Draft
from smtp_wizard.engine.wizard.draft_file import DraftFile, UnfinishedDraft, resumed
from smtp_wizard.engine.wizard.steps import (
    STEPS,
    Back,
    Next,
    Step,
    StepId,
    next_step,
    opening_step,
    step,
    step_back,
)
from smtp_wizard.engine.wizard.trusted_servers import step_before_confirmation
from smtp_wizard.flows.question import Answer
from smtp_wizard.runtime.console import SMALLEST, only_ascii
from smtp_wizard.runtime.early_keys import restore_terminal
from smtp_wizard.runtime.fault_log import as_fault
from smtp_wizard.runtime.lent_terminal import Foreground
from smtp_wizard.runtime.server_watch import ServerWatch
from smtp_wizard.screens.panel import ConfirmPanel
from smtp_wizard.screens.screen_context import CollectsDraft, ScreenContext
from smtp_wizard.screens.too_small import TooSmallScreen
from smtp_wizard.text.wizard import LEAVE_LINES, LEAVE_QUESTION, NOT_SAVED, Resume
from smtp_wizard.widgets.fault_containment import FaultContained
from smtp_wizard.widgets.themes import NO_COLOR, OWN, AsciiFilter, JoinedFilter, theme_for
from smtp_wizard.widgets.toolkit import outlive_the_terminal, read_any_byte

if TYPE_CHECKING:
    from smtp_wizard.screens.accounts.home import AreaRequested, WizardRequested
    from smtp_wizard.screens.areas.explain import AccountTestRequested
    from smtp_wizard.screens.areas.limits import ReadinessRequested
    from smtp_wizard.screens.page import StepPage

StepOutcome = Next | Back

SETTLE = 0.02
"""Seconds in which a screen that was just put there is laid out."""


class BaseScreen(FaultContained, Screen[None]):
    """What lies beneath the steps; never seen for longer than a change of screens."""


class WizardApp(AreasApp):
    """The screens, over the engine."""

    CSS_PATH: ClassVar[list[str | PurePath]] = ["page.tcss"]
    DEFAULT_MODE = SETUP
    TITLE = "smtp-wizard"
    ENABLE_COMMAND_PALETTE = False

    def __init__(
        self,
        services: Services,
        guides: Guides,
        *,
        foreground: Foreground | None = None,
        start: str = SETUP,
        draft: Draft | None = None,
    ) -> None:
        """`start`: 'home' or 'setup'. With a draft, setup goes on at its first open question.

        `foreground`: the terminal that commands of the stores may borrow while the screens are drawn on it.
        """
        look = theme_for(os.environ)
        # The toolkit chooses its colour filters before it knows the theme: NO_COLOR would paint black on black.
        super().__init__(services.folder, ansi_color=look == NO_COLOR or None)
        self.animation_level = "none"
        for theme in OWN:
            self.register_theme(theme)
        self.begin_with(look)
        self.context = ScreenContext(
            services,
            guides,
            ServerWatch(services.checks, services.catalog, self._handle_exception),
            browser_at_hand(os.environ),
        )
        self.start = start
        self.draft = draft or Draft()
        self.given = draft is not None
        self.box = DraftFile(services.folder)
        self.walking: Step | None = None
        self._swapping = False
        self.opening = ExitStack()
        """Holds back every painting until there is something to see: a blank frame goes over the line too."""
        self.add_mode(HOME, lambda: AREAS[HOME](self.context))
        self.add_mode(LIMITS, lambda: AREAS[LIMITS](self.context))
        (foreground or Foreground()).drawn_on(self.put_aside)
        self.ascii = only_ascii(os.environ, getattr(sys.__stderr__, "encoding", None))
        self.line_filters: Sequence[LineFilter] = (*((AsciiFilter(),) if self.ascii else ()), JoinedFilter())

    def get_default_screen(self) -> Screen[None]:
        """Return what lies beneath the steps, with which the program begins."""
        return BaseScreen()

    # -- the terminal -----------------------------------------------------------------------------------------------

    def get_line_filters(self) -> Sequence[LineFilter]:
        """Spell every line in ASCII where the terminal shows nothing else; send no colour twice."""
        return [*super().get_line_filters(), *self.line_filters]

    def on_resize(self, event: events.Resize) -> None:
        """Below the smallest size, say so instead of drawing; nothing typed is lost."""
        too_small = event.size.width < SMALLEST[0] or event.size.height < SMALLEST[1]
        shown = isinstance(self.screen, TooSmallScreen)
        if too_small and not shown:
            self.push_screen(TooSmallScreen())
        elif shown and not too_small:
            self.screen.dismiss(None)

    @contextmanager
    def put_aside(self) -> Iterator[bool]:
        """Put the screens aside while a command asks the person something; yield False where they cannot be."""
        with ExitStack() as aside:
            try:
                aside.enter_context(self.suspend())
            except SuspendNotSupported:
                yield False
                return
            aside.enter_context(restore_terminal())
            yield True

    def open_url(self, url: str, *, new_tab: bool = True) -> None:
        """Open an address in the person's browser, which inherits no secret from the environment."""
        self.context.services.stores.hide_variables()
        super().open_url(url, new_tab=new_tab)

    # -- areas ------------------------------------------------------------------------------------------------------

    async def on_mount(self) -> None:
        self._catch_signals()
        # Not before: the toolkit would begin with this mode as it goes to one, and style everything twice.
        self.add_mode(SETUP, BaseScreen)
        self.opening.enter_context(self.batch_update())
        kept = None if self.given else self.box.load()
        self.context = replace(self.context, left=self.box.problem)
        if kept is not None:
            kept = resumed(kept, self.context.services.catalog)
            self._offer_to_go_on(kept)
        elif self.start == HOME:
            await self.switch_mode(HOME)
            self._opened()
        else:
            self._set_up(self.draft)

    def _offer_to_go_on(self, kept: UnfinishedDraft) -> None:
        """A draft was left before it was saved: go on with it, or not. Nothing of it is lost by leaving again."""

        def answered(choice: Resume | None) -> None:
            if choice is Resume.ON:
                self.walk(kept.draft, kept.step)
            elif choice is Resume.ANEW:
                self.box.clear()
                self._set_up(Draft())
            elif choice is Resume.HOME:
                self.switch_mode(HOME)
            else:
                self.exit(0)

        from smtp_wizard.screens.resume import ResumeScreen

        self.push_screen(ResumeScreen(self.context, kept.draft, kept.step), answered)
        self._opened()

    def _catch_signals(self) -> None:
        """A killed session, or a lost line, must not leave the terminal in the screen's state."""
        if sys.platform == "win32":
            return
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGHUP):
            loop.add_signal_handler(number, self._ended, 128 + number)

    def _ended(self, code: int) -> None:
        """Keep what stands on the screen, and leave."""
        stack = self._screen_stacks.get(SETUP, [])
        screen = next((each for each in reversed(stack) if isinstance(each, CollectsDraft)), None)
        if screen is not None and self.walking is not None and self.draft.saved is None:
            self.box.save(screen.collect(), self.walking)
        self.exit(code, code)

    def _set_up(self, draft: Draft) -> None:
        self.walk(draft, opening_step(draft))

    def on_wizard_requested(self, message: WizardRequested) -> None:
        """From the accounts to the wizard: where it stands, again, or with a saved account's answers."""
        if message.draft is None:
            if self.walking is not None:
                self.switch_mode(SETUP)
            else:
                self._set_up(Draft())
        elif self.walking is None or self.draft.address is None:
            self._edit(message.draft)
        else:
            self._ask_to_put_aside(partial(self._edit, message.draft), "change this one")

    def _ask_to_put_aside(self, go_on: Callable[[], object], yes: str) -> None:
        """Another account is being set up: only one can be. `yes` says what is done instead."""

        def answered(answer: Answer | None) -> None:
            if answer is Answer.DO:
                go_on()

        title = f"You are setting up {self.draft.address}"
        self.push_screen(ConfirmPanel(title, NOT_SAVED, yes=f"Drop that, and {yes}", no="Stay here"), answered)

    def _edit(self, draft: Draft) -> None:
        # A copy, which edits nothing yet, begins at its server as well.
        self.walk(draft, opening_step(draft) if draft.editing is not None else step(StepId.SERVER))

    def on_area_requested(self, message: AreaRequested) -> None:
        """Another area is wanted: as if it had been chosen in the menu."""
        self._chosen(message.item)

    def on_readiness_requested(self, message: ReadinessRequested) -> None:
        """From the plan of a mailing to what receivers ask for, for the same mailing."""
        self.push_screen(READINESS["readiness"](self.context, message.provider, message.typed))

    def open_tool(self, name: str) -> None:
        """Show a tool over the screen that is shown."""
        self.push_screen(TOOL_SCREENS[name](self.context))

    def practise(self) -> None:
        """Go to the practice mailbox; what is being set up is put aside after a question."""
        if self.walking is None or not self.draft.unsaved:
            self._practise()
        else:
            self._ask_to_put_aside(self._practise, "practise")

    @work(exclusive=True, group="practise")
    async def _practise(self) -> None:
        from smtp_wizard.flows.address import AddressFlow, AddressOffer

        services = self.context.services
        flow = AddressFlow(Draft(), catalog=services.catalog, discovery=services.discovery)
        leads = await flow.act(AddressOffer.PRACTISE)
        assert isinstance(leads, Next), "the practice mailbox is in the catalogue"
        following = next_step(leads.draft, step(leads.past or StepId.ADDRESS))
        assert following is not None, "a sign-in follows"
        self.walk(leads.draft, following)

    def action_leave_keeping(self) -> None:
        """Quit without a question, for which there is no room; what was typed is kept."""
        self._ended(0)

    async def on_account_test_requested(self, message: AccountTestRequested) -> None:
        """From an explained error to the accounts, which test the one that it is about."""
        from smtp_wizard.screens.accounts.home import HomeScreen

        await self.switch_mode(HOME)
        # The explanation itself may lie over the accounts: the menu opens it there.
        while len(self.screen_stack) > 1 and not isinstance(self.screen, HomeScreen):
            await self.pop_screen()
        if isinstance(self.screen, HomeScreen):
            self.screen.test_account(message.name)

    def action_leave(self) -> None:
        """Quit; where something was entered and not saved, ask first."""
        draft = self.draft
        if self.walking is None or not draft.unsaved:
            self.exit(0)
            return
        if any(isinstance(screen, ConfirmPanel) for screen in self.screen_stack):
            return

        def answered(answer: Answer | None) -> None:
            if answer is Answer.DO:
                self._ended(0)

        self.push_screen(ConfirmPanel(LEAVE_QUESTION, LEAVE_LINES, yes="Leave", no="Stay here"), answered)

    # -- the wizard -------------------------------------------------------------------------------------------------

    def walk(self, draft: Draft, at: Step) -> None:
        """Go through the steps until the end, then to the accounts; from here on keys are for the first of them."""
        self._swapping = True
        self._walk(draft, at)

    @property
    def changing(self) -> bool:
        """Whether another screen is about to stand here: at the beginning, and from one step to the next."""
        return super().changing or (self._swapping and self.at_work("wizard"))

    @work(exclusive=True, group="wizard")
    async def _walk(self, draft: Draft, at: Step | None) -> None:
        begun = draft
        while len(self._screen_stacks.get(SETUP, [])) > 1:
            await self.switch_mode(SETUP)
            await self.pop_screen()
        fault: Exception | None = None
        stood: tuple[Draft, Step] | None = None
        while at is not None:
            at = step_before_confirmation(draft, at, self.context.services.catalog)
            try:
                outcome = await self._stand_at(at, draft, fault)
            except (Exception, asyncio.CancelledError) as problem:
                if get_current_worker().is_cancelled:
                    raise
                # The step cannot be shown: back to the one before, from which it can be tried again.
                fault, (draft, at), stood = as_fault(problem), stood or (draft, None), None
                continue
            fault, stood = None, (outcome.draft, at)
            match outcome:
                case Next(following, past):
                    draft, at = following, next_step(following, step(past) if past is not None else at)
                case Back(earlier):
                    draft, at = earlier, self._back_from(at, earlier, begun)
        self.walking = None
        self.draft = Draft()
        self.context.watch.stop()
        await self.switch_mode(HOME)
        self._opened()
        self.call_later(self._stands_there)
        if fault is not None:
            self.tell_fault(fault)

    def _back_from(self, at: Step, draft: Draft, begun: Draft) -> Step | None:
        """Return the step before; None leads to the accounts, as from where a change of a saved account begins."""
        before = step_back(draft, at)
        if before is None and draft.editing is None:
            return self._before_the_first()
        if before is None and draft == begun:
            self.box.clear()  # there is nothing to go on with
        return before

    async def _stand_at(self, at: Step, draft: Draft, fault: Exception | None) -> StepOutcome:
        """Keep the draft, show a step and return its answer; `fault` is why a later step could not be shown."""
        self.draft, self.walking = draft, at
        if draft.saved is None:
            self.box.save(draft, at)
        else:
            self.box.clear()
        self.context.watch.watch(draft)
        return await self._answer(SCREENS[at.id](self.context, draft), fault)

    async def _answer(self, screen: StepPage[Any, Any], fault: Exception | None) -> StepOutcome:
        """Show a step and return its answer. Painted in one go, since every repaint goes over the line."""
        answer: asyncio.Future[StepOutcome] = asyncio.get_running_loop().create_future()

        def answered(outcome: StepOutcome | None) -> None:
            if outcome is not None and not answer.done():
                self._swapping = True
                answer.set_result(outcome)

        with self.batch_update():
            if self.current_mode != SETUP:
                await self.switch_mode(SETUP)
                # The floor is laid out first: done later, it would have the step above it painted a second time.
                await asyncio.sleep(SETTLE)
            await self.push_screen(screen, answered, mode=SETUP)
            self._opened()
        # Behind what the screen itself has asked for, such as the focus of a field.
        self.call_later(self._stands_there)
        if fault is not None:
            self.tell_fault(fault)
        return await answer

    async def _stands_there(self) -> None:
        self._swapping = False
        await self.take_typed()

    def _opened(self) -> None:
        """Paint from now on: there is something to see."""
        self.opening.close()
        self.standing = True

    def _before_the_first(self) -> Step | None:
        """Back from the first question leads to the accounts, if there are any."""
        return None if self.context.services.saved_accounts.may_hold_any() else STEPS[0]


def browser_at_hand(environ: Mapping[str, str]) -> bool:
    """Whether a browser started here opens in front of the person: not over SSH, and with a display."""
    if "SSH_CONNECTION" in environ or "SSH_TTY" in environ:
        return False
    return sys.platform in ("darwin", "win32") or "DISPLAY" in environ or "WAYLAND_DISPLAY" in environ


def run_app(
    services: Services,
    guides: Guides,
    *,
    foreground: Foreground | None = None,
    start: str,
    draft: Draft | None = None,
    mouse: bool = True,
) -> int:
    """Draw the screens until the person leaves; return the exit code. The caller has made sure of a terminal."""
    read_any_byte()
    outlive_the_terminal()
    app: Any = WizardApp(services, guides, foreground=foreground, start=start, draft=draft)
    result = app.run(mouse=mouse)
    return result if isinstance(result, int) else 0 if app.return_code in (0, None) else 70
