"""What the terminal can show: letters outside ASCII or not, colours or not, and which look the person wants."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping

from rich.cells import cell_len
from rich.segment import Segment
from textual.color import Color
from textual.filter import LineFilter
from textual.theme import Theme

from smtp_wizard.runtime.console import SMALLEST as SMALLEST
from smtp_wizard.runtime.console import only_ascii as only_ascii

THEME_VARIABLE = "SMTP_WIZARD_THEME"
THEMES = {
    "dark": "textual-dark",
    "light": "textual-light",
    "high-contrast": "high-contrast",
    "ansi": "ansi-dark",
}
"""What a person calls a look, and its name in the toolkit."""

HIGH_CONTRAST = Theme(
    name="high-contrast",
    primary="#ffff00",
    secondary="#00ffff",
    warning="#ffff00",
    error="#ffb4b4",
    success="#80ff80",
    accent="#00ffff",
    foreground="#ffffff",
    background="#000000",
    surface="#000000",
    panel="#000000",
    boost="#101010",
    dark=True,
    variables={
        "text-muted": "#ffffff",
        "text-success": "#80ff80",
        "text-warning": "#ffff00",
        "text-error": "#ffb4b4",
        "foreground-muted": "#ffffff",
        "footer-key-foreground": "#ffff00",
        "footer-description-foreground": "#ffffff",
        "primary-muted": "#202020",
        "input-cursor-background": "#ffff00",
        "input-cursor-foreground": "#000000",
    },
)
"""Every text at ten to one or better against its ground."""


def theme_for(environ: Mapping[str, str]) -> str:
    """Return the toolkit's name of the look: the one that was asked for, none where colours are not wanted."""
    asked = THEMES.get(environ.get(THEME_VARIABLE, ""))
    if asked is not None:
        return asked
    return THEMES["ansi"] if environ.get("NO_COLOR") is not None else THEMES["dark"]


_SPELT = {
    "\u2018": "'",
    "\u2019": "'",
    "\u201c": '"',
    "\u201d": '"',
    "\u2013": "-",
    "\u2014": "-",
    "\u2022": "*",
    "\u2026": ".",
    "\u2423": "_",
    "\u20ac": "E",
}


def spelt(text: str) -> str:
    """Return a text in ASCII that takes as many cells: accents fall off, lines and blocks become plain signs."""
    if text.isascii():
        return text
    out: list[str] = []
    for ch in text:
        if ch.isascii():
            out.append(ch)
            continue
        cells = cell_len(ch)
        bare = unicodedata.normalize("NFKD", ch).encode("ascii", "ignore").decode("ascii")
        plain = _SPELT.get(ch) or (bare if len(bare) == cells else "")
        if not plain and "\u2500" <= ch <= "\u259f":
            plain = " "
        out.append(plain or "?" * cells)
    return "".join(out)


class AsciiFilter(LineFilter):
    """Spells every painted line in ASCII, whoever painted it."""

    def apply(self, segments: list[Segment], background: Color) -> list[Segment]:
        """As `LineFilter.apply`."""
        return [Segment(spelt(text), style, control) for text, style, control in segments]
