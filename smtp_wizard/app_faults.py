"""The app that goes on when something in it fails: it says so on the screen where it happened, and writes it down."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from textual._context import active_message_pump
from textual.content import Content
from textual.screen import Screen
from textual.widget import Widget
from textual.worker import NoActiveWorker, WorkerFailed, get_current_worker

from smtp_wizard.changed_cells import SendsChanges
from smtp_wizard.runtime.fault_log import FaultLog, WorkCancelled, fault_place, fault_words
from smtp_wizard.screens.panel import TextPanel
from smtp_wizard.widgets.banner import Banner
from smtp_wizard.widgets.fault_containment import FaultContained

FAULT_HEADING = "Something went wrong"


class FaultScreen(TextPanel):
    """A fault, over a screen that has no line of its own for it."""


class FaultContainedApp(SendsChanges[int]):
    """Every exception that nobody caught comes here: of keys, messages, timers, background work, painting.

    While the program starts or ends there is no screen to say it on: then it is the end, in one sentence.
    """

    def __init__(self, folder: Path, *, ansi_color: bool | None) -> None:
        super().__init__(ansi_color=ansi_color)
        self.faults = FaultLog(folder)
        self.standing = False
        """Whether there are screens to say something on."""

    def tell_fault(self, fault: Exception) -> None:
        """Say a fault on the screen where it happened; the program goes on. Where one has left that, write it down."""
        at_work = isinstance(fault, WorkerFailed | WorkCancelled)
        if isinstance(fault, WorkerFailed):
            screen, fault = self._screen_of_worker(), _cause_of(fault)
        else:
            screen = self._screen_of(active_message_pump.get(None))
        if screen is None:
            self.faults.write(fault)
            return
        if at_work:
            _end_work(screen)
        banner = getattr(screen, "banner", None)
        if isinstance(banner, Banner) and banner.is_attached:
            # Each is said once as long as it stands there: a fault in painting comes back with each painting.
            if (where := fault_place(fault)) not in banner.faults:
                banner.say_fault(fault_words(fault, self.faults.write(fault)), where)
        elif not any(isinstance(each, FaultScreen) for each in self.screen_stack):
            self.push_screen(FaultScreen(FAULT_HEADING, [Content(fault_words(fault, self.faults.write(fault)))]))

    def _screen_of_worker(self) -> Screen[Any] | None:
        try:
            return self._screen_of(get_current_worker().node)
        except NoActiveWorker:
            return self.screen

    def _screen_of(self, node: object) -> Screen[Any] | None:
        """Return the screen of a part, None where one has left it; of what is no part, the screen that is shown."""
        if not isinstance(node, Widget):
            return self.screen
        screens = [each for stack in self._screen_stacks.values() for each in stack]
        return next((each for each in node.ancestors_with_self if isinstance(each, Screen) and each in screens), None)

    def _handle_exception(self, error: Exception) -> None:
        """Called by the toolkit, and by `FaultContained` parts. Nothing that fails here may go on for ever."""
        if isinstance(error, WorkCancelled) and (self.return_code is not None or not self.is_running):
            return  # the end of the program ends what still runs
        if not self.standing or self.return_code is not None:
            super()._handle_exception(error)
            return
        try:
            self.tell_fault(error)
        except Exception as second:
            super()._handle_exception(second)

    def _fatal_error(self) -> None:
        """Say one sentence; the toolkit's own report prints local variables, and a password may be among them."""
        from rich.text import Text

        where = self.faults.write(self._exception) if self._exception is not None else ""
        self._exit_renderables.append(
            Text(
                "smtp-wizard met a fault of its own and had to stop. Your saved accounts are untouched. "
                f"{f'What happened is in {where}.' if where else ''}"
            )
        )
        self._close_messages_no_wait()


def _end_work(screen: Screen[Any]) -> None:
    """Let nothing on a screen say any longer that it is being worked."""
    if isinstance(screen, FaultContained):
        screen.work_failed()


def _cause_of(failed: WorkerFailed) -> Exception:
    return failed.error if isinstance(failed.error, Exception) else failed
