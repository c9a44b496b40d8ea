"""What the terminal can show: letters outside ASCII or not, colours or not, and which look the person wants."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass

from rich.cells import cell_len
from rich.color import Color as RichColor
from rich.segment import Segment
from rich.style import Style
from textual.color import Color
from textual.filter import LineFilter
from textual.theme import Theme

from smtp_wizard.runtime.console import SMALLEST as SMALLEST
from smtp_wizard.runtime.console import only_ascii as only_ascii

THEME_VARIABLE = "SMTP_WIZARD_THEME"
THEMES = {"dark": "dark", "light": "light", "high-contrast": "high-contrast", "ansi": "ansi"}
"""What a person calls a look, and its name in the toolkit."""
NO_COLOR = "no-color"
"""The look where colours are not wanted: the terminal's own two, signs, and heavy frames for the focus."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Palette:
    """The colours of a look by what they are for."""

    ink: str
    mute: str
    """For what is said beside; a tone of its own, never a blend."""
    edge: str
    """Frames a field."""
    rule: str
    """Only separates."""
    accent: str
    good: str
    warned: str
    bad: str
    page: str
    bar: str
    chosen: str


def _theme(name: str, colours: Palette, *, dark: bool = True, ansi: bool = False) -> Theme:
    """Return a look. `ansi`: it is made of the terminal's own colours."""
    return Theme(
        name=name,
        dark=dark,
        ansi=ansi,
        primary=colours.accent,
        secondary=colours.mute,
        accent=colours.accent,
        foreground=colours.ink,
        background=colours.page,
        surface=colours.bar,
        panel=colours.chosen,
        boost=colours.bar,
        success=colours.good,
        warning=colours.warned,
        error=colours.bad,
        variables=_text_and_fields(colours, ansi=ansi) | _scrollbar(colours) | (_selection(colours) if ansi else {}),
    )


def _text_and_fields(colours: Palette, *, ansi: bool) -> dict[str, str]:
    return {
        "mute": colours.mute,
        "edge": colours.edge,
        "rule": colours.rule,
        "chosen": colours.chosen,
        "border": colours.accent,
        "border-blurred": colours.edge,
        "foreground-muted": colours.mute,
        "text-muted": colours.mute,
        "text-success": colours.good,
        "text-warning": colours.warned,
        "text-error": colours.bad,
        "text-accent": colours.accent,
        "primary-muted": colours.chosen,
        "footer-key-foreground": colours.accent,
        "input-cursor-background": colours.accent,
        "input-cursor-foreground": colours.page,
        "input-cursor-text-style": "reverse" if ansi else "none",
        "input-selection-background": colours.accent,
        "input-selection-foreground": colours.page,
    }


def _scrollbar(colours: Palette) -> dict[str, str]:
    bar = ("scrollbar", "scrollbar-hover", "scrollbar-active")
    ground = (*(f"scrollbar-background{state}" for state in ("", "-hover", "-active")), "scrollbar-corner-color")
    return dict.fromkeys(bar, colours.edge) | dict.fromkeys(ground, colours.page)


def _selection(colours: Palette) -> dict[str, str]:
    """Return what the toolkit would else paint in colours that the terminal did not choose."""
    own = ("ansi-background", "ansi-foreground", "screen-selection-background", "screen-selection-foreground")
    return dict.fromkeys(own, colours.page)


def _of_the_terminal(name: str, *, mute: str, accent: str, good: str, warned: str, bad: str) -> Theme:
    """Return a look of the terminal's own colours, on its own ground."""
    own = "ansi_default"
    colours = Palette(
        ink=own,
        mute=mute,
        edge=own,
        rule=own,
        accent=accent,
        good=good,
        warned=warned,
        bad=bad,
        page=own,
        bar=own,
        chosen=own,
    )
    return _theme(name, colours, ansi=True)


DARK = _theme(
    "dark",
    Palette(
        ink="#e6e8ea",
        mute="#a3adb8",
        edge="#6b7684",
        rule="#39424e",
        accent="#7cc4ff",
        good="#8fd694",
        warned="#f0c36d",
        bad="#ff9a9a",
        page="#13161b",
        bar="#1b2027",
        chosen="#242b35",
    ),
)
LIGHT = _theme(
    "light",
    Palette(
        ink="#1d2329",
        mute="#50585f",
        edge="#858b90",
        rule="#c9ccc6",
        accent="#0b5cad",
        good="#17652f",
        warned="#744a00",
        bad="#a8231c",
        page="#fbfbf8",
        bar="#efefe9",
        chosen="#e2e6ea",
    ),
    dark=False,
)
HIGH_CONTRAST = _theme(
    "high-contrast",
    Palette(
        ink="#ffffff",
        mute="#dcdcdc",
        edge="#a8a8a8",
        rule="#808080",
        accent="#ffe14d",
        good="#7dff8a",
        warned="#ffc25c",
        bad="#ffb0b0",
        page="#000000",
        bar="#000000",
        chosen="#2b2b2b",
    ),
)
ANSI = _of_the_terminal(
    "ansi", mute="ansi_default", accent="ansi_bright_blue", good="ansi_green", warned="ansi_yellow", bad="ansi_red"
)
COLOURLESS = _of_the_terminal(
    NO_COLOR,
    mute="ansi_default",
    accent="ansi_default",
    good="ansi_default",
    warned="ansi_default",
    bad="ansi_default",
)
OWN = (DARK, LIGHT, HIGH_CONTRAST, ANSI, COLOURLESS)
"""All looks. Text stands out at least 4.5 to 1 in the dark and light ones, 7 to 1 in high contrast; edges, marks 3."""


def theme_for(environ: Mapping[str, str]) -> str:
    """Return the toolkit's name of the look: the one that was asked for, none where colours are not wanted."""
    asked = THEMES.get(environ.get(THEME_VARIABLE, ""))
    if asked is not None:
        return asked
    return NO_COLOR if environ.get("NO_COLOR") else DARK.name


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
    "\u00b7": "-",
    "\u00d7": "x",
    "\u203a": ">",
    "\u2713": "+",
    "\u2717": "x",
    "\u25cf": "*",
    "\u25cb": ".",
    "\u25b8": ">",
    "\u25b2": "^",
    "\u25bc": "v",
    "\u2190": "<",
    "\u2191": "^",
    "\u2192": ">",
    "\u2193": "v",
    "\u258c": ">",
    "\u2588": "#",
    "\u2590": "|",
    "\u258f": "|",
    **dict.fromkeys("\u25d0\u25d1\u25d2\u25d3", "~"),
    **dict.fromkeys("\u2500\u2574\u2576", "-"),
    **dict.fromkeys("\u2501", "="),
    **dict.fromkeys("\u2502\u2503", "|"),
    **dict.fromkeys("\u256d\u256e\u256f\u2570\u250c\u2510\u2514\u2518\u250f\u2513\u2517\u251b", "+"),
    **dict.fromkeys("\u2581\u2582\u2583\u2584\u2585\u2586\u2587\u2580", "_"),
}
"""Signs of the screens and of texts, each in ASCII: one for which none stands here becomes a blank or '?'."""


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


class JoinedFilter(LineFilter):
    """Joins what stands beside one another in one style, so that less goes over the line.

    Blanks have no colour of their own: over the same ground they take the style of what stands beside them.
    """

    def apply(self, segments: list[Segment], background: Color) -> list[Segment]:
        """As `LineFilter.apply`."""
        joined: list[Segment] = []
        for segment in segments:
            both = _joined(joined[-1], segment) if joined else None
            if both is None:
                joined.append(segment)
            else:
                joined[-1] = both
        return joined


def _joined(one: Segment, other: Segment) -> Segment | None:
    """Return two neighbours as one, or None where they are painted in different ways."""
    if one.control or other.control:
        return None
    if one.style == other.style:
        return Segment(one.text + other.text, one.style)
    if one.style is None or other.style is None or not _alike_in_blanks(one.style, other.style):
        return None
    if other.text.isspace() or _same_ink(one.style, other.style):
        return Segment(one.text + other.text, one.style)
    return Segment(one.text + other.text, other.style) if one.text.isspace() else None


def _alike_in_blanks(one: Style, other: Style) -> bool:
    """Whether a blank looks the same in both styles: one ground, and no line through or below it."""
    if any(each.meta or each.link or each.reverse for each in (one, other)):
        return False
    if any(each.underline or each.underline2 or each.strike or each.overline for each in (one, other)):
        return False
    return _shade(one.bgcolor) == _shade(other.bgcolor)


def _same_ink(one: Style, other: Style) -> bool:
    return _shade(one.color) == _shade(other.color) and one.without_color == other.without_color


def _shade(color: RichColor | None) -> object:
    """Return what a colour is painted as: the toolkit writes one and the same in several ways."""
    return color and (color.type, color.number, color.triplet)
