"""What keeps the screens standing when something in them fails: one handler is lost, never the part that it belongs to.

The toolkit ends a part whose handler raises, and with it all that the part would still have been told: its keys are
dead from then on. A `FaultContained` part hands the fault to the app, which says it on the screen, and goes on.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Coroutine
from fractions import Fraction
from typing import Any, Concatenate, ParamSpec, TypeVar

from textual import events, work
from textual.box_model import BoxModel
from textual.geometry import Region, Spacing
from textual.message import Message
from textual.message_pump import MessagePump
from textual.screen import Screen
from textual.strip import Strip
from textual.worker import Worker, WorkerState

from smtp_wizard.runtime.fault_log import WorkCancelled, as_fault, fault_place

P = ParamSpec("P")
S = TypeVar("S", bound="FaultContained")


class FaultContained(MessagePump):
    """Stands before a class of the toolkit: `class HomeScreen(FaultContained, Screen[None])`."""

    _undrawn: frozenset[str] = frozenset()
    """Where faults happened while it was measured and painted."""

    class Stands(Message, bubble=False):
        """A screen is laid out, and takes keys. Sent to the app."""

    async def _dispatch_message(self, message: Message) -> None:
        try:
            await super()._dispatch_message(message)
        except Exception as fault:
            self.app._handle_exception(fault)

    def _get_box_model(self, *sizes: Any, **options: Any) -> BoxModel:
        """As `Widget._get_box_model`: how large a part is. One that cannot be measured takes no room.

        Else nothing else would be laid out either, and the fault could not be said.
        """
        try:
            return super()._get_box_model(*sizes, **options)  # type: ignore[misc, no-any-return]  # it is a `Widget`
        except Exception as fault:
            self._cannot_be_drawn(fault)
            return BoxModel(Fraction(0), Fraction(0), Spacing())

    def render_lines(self, crop: Region) -> list[Strip]:
        """As `Widget.render_lines`: what is painted of a part. One that cannot be painted stays empty.

        Else nothing else would be painted either: no part beside it, and no screen that lies over it.
        """
        try:
            return super().render_lines(crop)  # type: ignore[misc, no-any-return]  # it is a `Widget`
        except Exception as fault:
            self._cannot_be_drawn(fault)
            return [Strip.blank(crop.width)] * crop.height

    def _cannot_be_drawn(self, fault: Exception) -> None:
        """Hand a fault in drawing this part to the app, once: each painting would tell it anew."""
        if (where := fault_place(fault)) not in self._undrawn:
            self._undrawn |= {where}
            self.call_later(self.app._handle_exception, fault)

    async def on_event(self, event: events.Event) -> None:
        """Take an event, unless it tells a screen of a size that the terminal has no longer.

        A screen that lays itself out tells itself its size, and would go on between two sizes for ever, with no turn
        for anybody else, where two of them stood in its queue before it was painted for the first time.
        """
        outdated = isinstance(self, Screen) and isinstance(event, events.Resize) and event.size != self.app.size
        if not outdated:
            await super().on_event(event)

    def at_work(self, group: str) -> bool:
        """Whether background work of this part and group is going on, so that a key must not begin it again."""
        here: object = self
        return any(
            worker.node is here and worker.group == group and not (worker.is_finished or worker.is_cancelled)
            for worker in self.app.workers
        )

    @property
    def finishing(self) -> bool:
        """Whether something that a key has ended, or answered, is about to be done with: the next key waits for it."""
        return False

    def still_at_work(self) -> None:
        """Say that what was asked for once more is being done already."""

    def work_failed(self) -> None:
        """Take back what says that something is going on: background work of this screen has failed."""

    def work_ended(self) -> None:
        """Say what background work of this screen has left to be said: it has ended, well or not."""

    def on_screen_resume(self) -> None:
        """Tell the app: it may keep keys for this screen."""
        self.app.post_message(self.Stands())

    def on_worker_state_changed(self, event: Worker.StateChanged) -> None:
        """Take work that ended unasked for a fault: the toolkit says nothing of it, and the person would wait on."""
        worker = event.worker
        if worker.is_finished:
            self.work_ended()
        if event.state is WorkerState.CANCELLED and not worker.is_cancelled:
            raise as_fault(worker.error or WorkCancelled())


def work_once(
    group: str,
) -> Callable[[Callable[Concatenate[S, P], Coroutine[Any, Any, None]]], Callable[Concatenate[S, P], None]]:
    """Make background work of a method that is done one at a time.

    As the toolkit's `work`, but while something of the same part and group goes on, nothing is begun and nothing
    cancelled: half of a change to accounts and passwords must not be left standing because a key was pressed again.
    """

    def decorated(method: Callable[Concatenate[S, P], Coroutine[Any, Any, None]]) -> Callable[Concatenate[S, P], None]:
        begin: Callable[..., object] = work(group=group)(method)

        def once(part: S, /, *arguments: P.args, **named: P.kwargs) -> None:
            if part.at_work(group):
                part.still_at_work()
            else:
                begin(part, *arguments, **named)

        functools.update_wrapper(once, method)
        return once

    return decorated
