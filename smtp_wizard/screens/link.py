"""A web address over the page: whole, as a code for a phone, to be copied, and opened where a browser is at hand."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from textual.content import Content
from textual.widget import Widget

from smtp_wizard.screens.panel import INSIDE, Panel
from smtp_wizard.widgets.chips import Chip
from smtp_wizard.widgets.lines import STRONG, Lines
from smtp_wizard.widgets.plain_text import folded
from smtp_wizard.widgets.qr import qr_code

AROUND = 4
"""Rows of a window that are not the panel's text: its edges, the one above it, the keys."""
OWN_COLOURS = "#ffffff on #000000"
"""Of the code: a phone reads it in the light look, too."""


class WebAddress(Lines):
    """The address in bold, and below it the code, where all of it fits."""

    def __init__(self, url: str) -> None:
        super().__init__(id="address-and-code")
        self.url = url
        self._code = qr_code(url).splitlines()

    def rows_at(self, width: int) -> Sequence[Content]:
        """As `Lines.rows_at`."""
        width = width or INSIDE
        rows = [Content.styled(row, STRONG) for row in folded(self.url, width)]
        fits = len(rows) + len(self._code) <= self.app.size.height - AROUND
        if not self._code or len(self._code[0]) > width or not fits:
            return rows
        return [*rows, *(Content.styled(row, OWN_COLOURS) for row in self._code)]


class LinkPanel(Panel[None]):
    """A page to be opened in a browser, here or elsewhere."""

    def __init__(self, url: str, *, local: bool) -> None:
        """`local`: a browser that is started here opens in front of the person."""
        super().__init__("Open this page in a web browser")
        self.url = url
        self.local = local
        self.address = WebAddress(url)

    def body(self) -> Iterator[Widget]:
        yield self.address

    def chips(self) -> Sequence[Chip]:
        """As `Panel.chips`."""
        here = [Chip("enter", "Open it here", self._open, help="open it in the browser of this computer")]
        return [*(here if self.local else []), Chip("c", "Copy it", self._copy)]

    def on_resize(self) -> None:
        """As `Panel.on_resize`; the code is there where it fits now."""
        super().on_resize()
        self.address.refresh(layout=True)

    def _copy(self) -> None:
        """Send the address to the terminal's clipboard; whether it took it cannot be known."""
        self.app.copy_to_clipboard(self.url)
        self.tell("sent to your terminal; if pasting fails, copy it by hand")

    def _open(self) -> None:
        self.app.open_url(self.url)
        self.tell("the browser was asked to open it")
