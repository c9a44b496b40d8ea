"""Rows of words in columns, and lines of text, for a person: whole in a pipe, folded where a terminal is narrower."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from itertools import zip_longest

GAP = 2
"""Blanks between two columns."""
NARROWEST = 10
"""Columns below which nothing is folded: one word a row is no table."""
WHOLE_WORD = 24
"""Columns of a word that is not cut as long as there is room for it: an id, the name of a server."""


def table(
    rows: Sequence[Sequence[str]], width: int | None = None, colours: Mapping[int, Sequence[str]] | None = None
) -> list[str]:
    """Return the rows with their columns under one another; the last column is not padded.

    `width`: of the terminal, where cells are folded that it has no room for; None: everything is written out.
    `colours`: by column, the SGR parameters of each row's cell (ECMA-48 section 8.3.117), '' for none.
    """
    if not rows:
        return []
    painted = [{column: codes[at] for column, codes in (colours or {}).items()} for at in range(len(rows))]
    columns = list(zip(*rows, strict=True))
    widths = [max(map(_cells, column)) for column in columns]
    if width is None or sum(widths) + GAP * (len(widths) - 1) <= width:
        return [_line(row, widths, codes) for row, codes in zip(rows, painted, strict=True)]
    words = [max((_cells(word) for cell in column for word in cell.split(" ")), default=0) for column in columns]
    widths = _fitted(widths, [min(each, WHOLE_WORD) for each in words], width - GAP * (len(widths) - 1))
    return [line for row, codes in zip(rows, painted, strict=True) for line in _folded(row, widths, codes)]


def folded(text: str, width: int | None) -> str:
    """Return a text whose lines fit the terminal, folded at blanks; a word that is too long is left whole.

    What goes on stands a little to the right of where its line begins, or behind its number or hyphen. `width` None:
    the text as it is.
    """
    if width is None:
        return text
    return "\n".join(piece for line in text.split("\n") for piece in _folded_line(line, width))


_MARK = re.compile(r" *(?:[0-9]{1,3}\. |[-*] )?")
"""How a line begins that belongs to a list."""


def facts(rows: Sequence[tuple[str, str]], width: int | None = None) -> list[str]:
    """Return names with what is said of each, under one another.

    `width`: as of `table`; but no word is cut, since it may be a path or an address that is copied.
    """
    column = max((_cells(name) for name, _ in rows), default=0) + GAP
    return [
        line
        for name, words in rows
        for line in _folded_behind(name + " " * (column - _cells(name)), " " * column, words, width)
    ]


def _folded_line(line: str, width: int) -> Iterator[str]:
    begin = _MARK.match(line)
    head = begin[0] if begin is not None else ""
    later = " " * (len(head) + (2 if head and head.isspace() else 0))
    return _folded_behind(head, later, line[len(head) :], width)


def _folded_behind(head: str, later: str, words: str, width: int | None) -> Iterator[str]:
    """Yield words behind a head; `later` stands before the lines that follow."""
    if width is None or _cells(head + words) <= width or width - len(later) < NARROWEST:
        yield (head + words).rstrip()
        return
    row = ""
    for word in words.split(" "):
        if row and _cells(head) + _cells(row) + 1 + _cells(word) > width:
            yield (head + row).rstrip()
            head, row = later, word
        else:
            row = f"{row} {word}" if row else word
    yield (head + row).rstrip()


def _line(row: Sequence[str], widths: Sequence[int], codes: Mapping[int, str]) -> str:
    cells = [cell + " " * (width - _cells(cell)) for cell, width in zip(row, widths, strict=True)]
    cells[-1] = row[-1]
    while len(cells) > 1 and not cells[-1]:
        cells.pop()
        cells[-1] = row[len(cells) - 1]
    for column, code in codes.items():
        if code and column < len(cells) and row[column]:
            cells[column] = cells[column].replace(row[column], f"\x1b[{code}m{row[column]}\x1b[0m", 1)
    return "  ".join(cells).rstrip()


def _fitted(widths: Sequence[int], floors: Sequence[int], room: int) -> list[int]:
    """Take from the widest columns what there is no room for; a column keeps room for its longest word if it can."""
    floors = floors if sum(floors) <= room else [NARROWEST] * len(widths)
    fitted = list(widths)
    for _ in range(sum(fitted) - room):
        wider = [place for place, each in enumerate(fitted) if each > floors[place]]
        if not wider:
            break
        fitted[max(wider, key=lambda place: fitted[place])] -= 1
    return fitted


def _folded(row: Sequence[str], widths: Sequence[int], codes: Mapping[int, str]) -> Iterator[str]:
    pieces = [list(_pieces(cell, width)) or [""] for cell, width in zip(row, widths, strict=True)]
    for parts in zip_longest(*pieces, fillvalue=""):
        yield _line(parts, widths, codes)


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
