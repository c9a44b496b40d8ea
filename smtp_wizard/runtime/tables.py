"""Rows of words in columns, for a person: as wide as they are in a pipe, folded where a terminal is narrower."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator, Sequence
from itertools import zip_longest

GAP = 2
"""Blanks between two columns."""
NARROWEST = 10
"""Columns below which nothing is folded: one word a row is no table."""


def table(rows: Sequence[Sequence[str]], width: int | None = None) -> list[str]:
    """Return the rows with their columns under one another; the last column is not padded.

    `width`: of the terminal, where cells are folded that it has no room for; None: everything is written out.
    """
    if not rows:
        return []
    widths = [max(map(_cells, column)) for column in zip(*rows, strict=True)]
    if width is None or sum(widths) + GAP * (len(widths) - 1) <= width:
        return [_line(row, widths) for row in rows]
    widths = _fitted(widths, width - GAP * (len(widths) - 1))
    return [line for row in rows for line in _folded(row, widths)]


def _line(row: Sequence[str], widths: Sequence[int]) -> str:
    return "  ".join(cell + " " * (width - _cells(cell)) for cell, width in zip(row, widths, strict=True)).rstrip()


def _fitted(widths: Sequence[int], room: int) -> list[int]:
    """Take from the widest columns what there is no room for."""
    fitted = list(widths)
    while sum(fitted) > room:
        widest = max(fitted)
        if widest <= NARROWEST:
            break
        second = max((each for each in fitted if each < widest), default=NARROWEST)
        at = [place for place, each in enumerate(fitted) if each == widest]
        fewer = min(-(-(sum(fitted) - room) // len(at)), widest - max(second, NARROWEST)) or 1
        for place in at:
            fitted[place] -= fewer
    return fitted


def _folded(row: Sequence[str], widths: Sequence[int]) -> Iterator[str]:
    pieces = [list(_pieces(cell, width)) or [""] for cell, width in zip(row, widths, strict=True)]
    for parts in zip_longest(*pieces, fillvalue=""):
        yield _line(parts, widths)


def _pieces(cell: str, width: int) -> Iterator[str]:
    """Cut a cell into rows at its blanks; a word that is too long is cut where it must be."""
    row = ""
    for word in cell.split(" "):
        if row and _cells(row) + 1 + _cells(word) <= width:
            row = f"{row} {word}"
            continue
        if row:
            yield row
        row = word
        while _cells(row) > width:
            head = _head(row, width)
            yield head
            row = row[len(head) :]
    yield row


def _head(word: str, width: int) -> str:
    """Return the first characters of a word that fit; one at least."""
    room, end = width, 0
    for character in word:
        room -= _cells(character)
        if room < 0:
            break
        end += 1
    return word[: max(end, 1)]


def _cells(text: str) -> int:
    """Return how many columns a terminal gives to a text."""
    if text.isascii():
        return len(text)  # most texts are, and a list has thousands of cells
    return sum(
        0 if unicodedata.combining(ch) else 2 if unicodedata.east_asian_width(ch) in ("W", "F") else 1 for ch in text
    )
