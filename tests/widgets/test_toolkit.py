"""What of the toolkit is replaced, since it offers no way to say it."""

from __future__ import annotations

import errno
import io
import threading

import pytest

from smtp_wizard.widgets.toolkit import outlive_the_terminal
from tests.support.patience import PATIENCE

MORE_THAN_IS_QUEUED = 200


class Gone(io.StringIO):
    """A terminal that went away after the first words."""

    def write(self, text: str) -> int:
        if self.tell():
            raise OSError(errno.EIO, "Input/output error")
        return super().write(text)

    def flush(self) -> None:
        raise OSError(errno.EIO, "Input/output error")


def test_nobody_waits_for_a_terminal_that_is_gone(monkeypatch: pytest.MonkeyPatch) -> None:
    """The window was closed, or the line was lost, while much was to be painted: the program still ends."""
    from textual.drivers import linux_driver

    monkeypatch.setitem(vars(linux_driver), "WriterThread", vars(linux_driver)["WriterThread"])
    outlive_the_terminal()
    writer = vars(linux_driver)["WriterThread"](Gone())

    def paint() -> None:
        writer.start()
        for _ in range(MORE_THAN_IS_QUEUED):
            writer.write("row")
        writer.stop()

    painting = threading.Thread(target=paint, daemon=True)
    painting.start()
    painting.join(PATIENCE)
    assert not painting.is_alive()
