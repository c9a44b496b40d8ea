"""The examples in the help of each command, as `data/examples.txt` has them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from typing import NamedTuple


class Example(NamedTuple):
    """One call of the program."""

    line: str
    what: str
    """What it is for, in a few words."""


@cache
def examples() -> Mapping[str, Sequence[Example]]:
    """Return the examples by the words that call the command; none where the file cannot be read."""
    from smtp_wizard.engine.base.data_files import data_path

    try:
        text = data_path("examples.txt").read_text("utf-8")
    except (OSError, ValueError):  # a help without examples is better than none
        return {}
    return read_examples(text)


def read_examples(text: str) -> Mapping[str, Sequence[Example]]:
    """Read the file: a command, below it its calls indented by two, below each what it is for, indented further."""
    found: dict[str, list[Example]] = {}
    command = ""
    for line in text.splitlines():
        words, depth = line.strip(), len(line) - len(line.lstrip())
        if not words or words.startswith("#"):
            continue
        if depth == 0:
            command = words
            found[command] = []
        elif depth == 2:
            found[command].append(Example(words, ""))
        else:
            found[command][-1] = found[command][-1]._replace(what=words)
    return found
