"""What a terminal must have for the screens. Knows no toolkit, so that whoever only asks loads none."""

from __future__ import annotations

from collections.abc import Mapping

SMALLEST = (60, 20)
"""Columns and rows below which the screens are not drawn."""

_BARE_TERMINALS = ("linux", "vt", "ansi", "cons", "sun")


def only_ascii(environ: Mapping[str, str], encoding: str | None) -> bool:
    """Whether letters outside ASCII must be spelt otherwise: a bare console, or a line that carries no UTF-8."""
    terminal = environ.get("TERM", "").lower()
    return terminal.startswith(_BARE_TERMINALS) or (encoding or "ascii").lower().replace("-", "") != "utf8"
