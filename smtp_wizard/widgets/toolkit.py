"""What of the toolkit is touched though it is private, and why: the one place that says so, held to by a test.

Each of these is looked at when the toolkit's range in pyproject.toml is moved.
"""

from __future__ import annotations

import sys
from codecs import getincrementaldecoder
from collections.abc import Mapping
from contextlib import suppress
from io import TextIOBase
from types import MappingProxyType
from typing import IO, TYPE_CHECKING, TextIO, TypeVar, cast

from textual import events, on
from textual._compositor import Compositor, ReflowResult
from textual.geometry import Region, Size
from textual.reactive import Reactive
from textual.screen import Screen
from textual.widget import Widget

from smtp_wizard.widgets.fault_containment import FaultContained

if TYPE_CHECKING:
    from codecs import IncrementalDecoder

T = TypeVar("T")

PRIVATE: Mapping[str, str] = MappingProxyType(
    {
        "_context": "which part is at work is asked where a fault is said on the screen that it came from",
        "_dispatch_message": "every handler of a part is called through it, so that no fault in one ends the part",
        "_get_box_model": "every part is measured through it, so that one that cannot be leaves the others laid out",
        "_handle_exception": "where the toolkit brings what nobody caught; ours says it on the screen, and goes on",
        "_fatal_error": "the toolkit's own report prints local variables, and a password may be among them",
        "_exception": "the fault that ends the program, to be written down",
        "_exit_renderables": "what is said once the screens are gone",
        "_close_messages_no_wait": "ends the program while no screen is there to leave",
        "_screen_stacks": "the screens of the modes that are not shown: the public stack is that of the mode on top",
        "_value": "stars for a password, which every terminal has, where the toolkit draws dots",
        "_message_queue": "tests wait until no message is under way; a message of theirs would cost more",
        "_closing": "the same: what is being closed deals with nothing more",
        "_compositor_refresh": "where a layout and a repaint are due at once the toolkit paints everything twice",
        "_repaint_required": "whether that repaint has been asked for already",
        "_dirty_widgets": "what a screen that gives way to another would have painted, which that one paints",
        "_dirty_regions": "the same",
        "_display": "what is painted is compared with what stands on the terminal; tests count it",
        "_batch_count": "the same: what is held back is not painted, and stands nowhere",
        "_compositor": "a screen has one that repaints less; tests read what stands on the screen, row by row",
        "_full_map": "where each part of a screen stood before it was laid out anew, and where it stands now",
    }
)
"""Each name, with what is done with it that no public way does."""


BELOW = "-below"
"""The class of a screen while a panel stands over it."""


class MovedOnly(Compositor):
    """Lays a screen out, and has those parts painted that have moved, come or gone.

    The toolkit's own repaints also a part of which nothing but its number among its neighbours has changed: a list that
    comes had everything above it painted anew.
    """

    def reflow(self, parent: Widget, size: Size) -> ReflowResult:
        """As `Compositor.reflow`."""
        dirty, before = set(self._dirty_regions), self._places()
        result = super().reflow(parent, size)
        moved = before ^ self._places()
        self._dirty_regions = dirty | {seen for _, region, clip in moved if (seen := clip.intersection(region))}
        return result

    def _places(self) -> set[tuple[Widget, Region, Region]]:
        """Return where each part stands, and what of it may be seen."""
        return {(widget, place.region, place.clip) for widget, place in self._full_map.items()}


class PaintedOnce(FaultContained, Screen[T]):
    """Stands before a class of the toolkit: a screen that is painted once when it comes, and little for each Tab.

    At the start, and whenever a screen is put on top of another, the toolkit lays it out, which paints it, and asks
    for a repaint of all of it in the same tick. Left out is only what that repaint draws over a moment later.
    """

    focused: Reactive[Widget | None] = Reactive(None, repaint=False)
    """As the toolkit's, which repaints the whole screen for each Tab; the two parts concerned repaint themselves."""

    gives_way = False
    """Whether another screen comes on top: its own first painting shows this one, too."""

    def __init__(self, name: str | None = None, id: str | None = None, classes: str | None = None) -> None:
        super().__init__(name, id, classes)
        self._compositor = MovedOnly()

    def on_screen_suspend(self) -> None:
        """Leave the painting that is asked for now to the screen that comes on top; below a panel, look like it."""
        self.gives_way = True
        if self.app.screen.is_modal:
            self.add_class(BELOW)

    def on_screen_resume(self) -> None:
        """Paint as ever."""
        self.gives_way = False
        self.remove_class(BELOW)

    @on(events.ScreenResume)
    def keep_styles(self, event: events.ScreenResume) -> None:
        """Keep the styles that the screen has: the toolkit would work all of them out again."""
        event.refresh_styles = False

    def _compositor_refresh(self) -> None:
        if self._repaint_required:
            return
        if self.gives_way and self is not self.app.screen:
            self.gives_way = False
            self._dirty_widgets.clear()
            self._compositor._dirty_regions.clear()
            return
        super()._compositor_refresh()


def read_any_byte() -> None:
    """Let a byte that is no UTF-8 be read as a replacement character, where it ended the program.

    A terminal that speaks Latin-1 sends such bytes, and so does what is pasted from a broken file. The driver decodes
    strictly in the thread that reads the keys, and offers no way to say otherwise; it makes its decoder by this name.
    """
    if sys.platform == "win32":  # its driver reads characters, not bytes
        return
    from textual.drivers import linux_driver

    vars(linux_driver)["getincrementaldecoder"] = _replacing


def outlive_the_terminal() -> None:
    """Let what is written to a terminal that is gone be dropped, where the program waited for ever to write it.

    The driver writes in a thread that ends with the first error, and whoever writes more than it has room for waits
    for that thread. It offers no way to say otherwise; it makes its thread by this name.
    """
    if sys.platform == "win32":
        return
    from textual.drivers import linux_driver
    from textual.drivers._writer_thread import WriterThread

    vars(linux_driver)["WriterThread"] = lambda file: WriterThread(cast(IO[str], TerminalOutput(file)))


class TerminalOutput(TextIOBase):
    """A terminal to write to, where nothing fails once it is gone."""

    def __init__(self, file: TextIO) -> None:
        """`file`: what stands for the terminal."""
        super().__init__()
        self._file = file

    def write(self, text: str) -> int:
        """Write, or drop what there is nowhere to write to. Return the characters taken: all of them."""
        with suppress(OSError):
            self._file.write(text)
        return len(text)

    def flush(self) -> None:
        """Hand on what was written, or drop it."""
        with suppress(OSError):
            self._file.flush()

    def fileno(self) -> int:
        """Return the number by which the system knows it."""
        return self._file.fileno()


def _replacing(encoding: str) -> type[IncrementalDecoder]:
    """As `codecs.getincrementaldecoder`; the decoder replaces what it cannot read."""
    decoder = getincrementaldecoder(encoding)

    class Replacing(decoder):  # type: ignore[valid-type, misc]  # which class it is, the encoding decides
        def __init__(self, errors: str = "replace") -> None:
            super().__init__(errors)

    return Replacing
