"""Which words of a letter are about which address, where it names several.

Every mail server has a form of its own, but there are few of them: an address on a line, in angle brackets, behind a
name, before a colon or a time; and what was said of it behind it and below.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator, Sequence, Set

from smtp_wizard.engine.lazy_dataclass import dataclass

MOST_LINES = 2_000
"""Lines of a letter that are looked at."""
MOST_BLOCKS = 101
"""Addresses whose words are told: one more than are listed of a letter, so that it is seen that there are more."""
_LONGEST_LINE = 600
_LONGEST_WORDS = 4_000


@dataclass(frozen=True, slots=True)
class RecipientBlock:
    """An address that stands at the head of a few lines."""

    address: str
    words: str
    """What the lines say of it; '' where they say nothing."""


def recipient_blocks(body: str) -> tuple[RecipientBlock, ...]:
    """Return the addresses that stand on lines of their own in what a letter says, each once, with what is said of it.

    An address without words of its own gets the lines further on that name it alone, and what was answered.
    """
    lines = [line[:_LONGEST_LINE] for line in body.split("\n")[:MOST_LINES]]
    said: dict[str, list[str]] = {}
    written: dict[str, str] = {}
    for addresses, words in _parted(lines):
        for address in addresses:
            said.setdefault(written.setdefault(address.casefold(), address), []).extend(words)
    if len(said) < 2:
        return tuple(RecipientBlock(each, _joined(words)) for each, words in said.items())
    listed = {each.casefold() for each in said}
    answers = [(line.strip(), _named_in(line)) for line in lines if _ANSWERED.search(line)]
    blocks = []
    for each, words in itertools.islice(said.items(), MOST_BLOCKS):
        own = _joined([line for line in words if not _is_about_another(line, each, listed)])
        blocks.append(RecipientBlock(each, own or _mentions(each, answers)))
    return tuple(blocks)


def _named_in(line: str) -> set[str]:
    """Return the addresses that a line names, in small letters and without the dots that end a sentence."""
    return {each.rstrip(".").casefold() for each in _ADDRESS.findall(line)}


def _is_about_another(line: str, address: str, listed: Set[str]) -> bool:
    """Whether a line names another address of the letter, and not this one. `listed`: all of them, in small letters."""
    named = _named_in(line)
    return address.casefold() not in named and not named.isdisjoint(listed)


def _joined(words: Sequence[str]) -> str:
    return "\n".join(dict.fromkeys(words))[:_LONGEST_WORDS]


def _parted(lines: Sequence[str]) -> Iterator[tuple[Sequence[str], list[str]]]:
    """Yield the addresses at the head of each block, and its lines. It ends at the blank line behind its words."""
    heads: Sequence[str] = ()
    words: list[str] = []
    before = ""
    for line in lines:
        found = _head(line) if not _CONTACT.search(before) else None
        ends = _RULE.match(line) is not None or (not line.strip() and bool(words))
        if heads and (found or ends):
            yield heads, words
            heads, words = (), []
        if found:
            heads, words = found[0], [found[1]] if found[1] else []
        elif heads and line.strip():
            words.append(line.strip())
        before = line if line.strip() else before
    if heads:
        yield heads, words


ADDRESS = r"[^\s<>@,;:\"'()\[\]\\\x00-\x20\x7f-\x9f]{1,64}@[^\s<>@,;:\"'()\[\]\\\x00-\x20\x7f-\x9f]{1,253}"
_ADDRESS = re.compile(ADDRESS)
_RULE = re.compile(r"[ \t]{0,20}(?:[-=_*]{3}|diagnos\w{1,8} (?:information|f|pour|para|per|voor))", re.IGNORECASE)
"""A line that begins another part of the letter."""
_CONTACT = re.compile(
    r"\b(?:contact|assistance|help|questions?|support|hilfe|fragen|kontakt\w*|aide|ayuda|assistenza)\b", re.IGNORECASE
)
"""What stands before an address that can be written to for help."""
_BETWEEN = re.compile(r"[\s,;<>'\"]{1,8}(?:(?:and|und|et|y|e|en) )?[\s<>'\"]{0,4}")
_NAME = re.compile(r"[\s*\u2022-]{0,8}\"?(?:[A-Z\u00c0-\u00de][\w.'-]{0,30},? ?){1,4}\"? ?[<(]")
"""A person's name before the address: 'Bob Builder <', 'Bob Builder ('."""
_OPENS = re.compile(r"[\s*\u2022<'\"(-]{0,20}")
_BEHIND = re.compile(r"[>')\"]{0,3}(?:<mailto:[^>\s]{1,320}>)?(?P<rest>.*)", re.DOTALL)
_GOES_ON = re.compile(r"\s*(?::|\.\.\.|- |\(|on \d|am \d|le \d|el \d|il \d|op \d|$)")
"""What may stand behind an address that is no part of a sentence."""
_FROM = re.compile(r"\s*\((?:expanded|generated) from [^)]{0,330}\)?")


def _head(line: str) -> tuple[Sequence[str], str] | None:
    """Return the addresses that a line begins a block with, and what it says of them itself; None for any other."""
    first = _ADDRESS.search(line)
    if first is None:
        return None
    begin = line[: first.start()]
    opens, name = _OPENS.fullmatch(begin), _NAME.fullmatch(begin)
    if opens is None and name is None:
        return None
    addresses, end = [first[0]], first.end()
    while (gap := _BETWEEN.match(line, end)) is not None and (more := _ADDRESS.match(line, gap.end())) is not None:
        addresses.append(more[0])
        end = more.end()
    behind = _BEHIND.match(line, end)
    rest = _without_origin(behind["rest"]) if behind is not None else ""
    if not begin.rstrip().endswith("<") and _GOES_ON.match(rest) is None:
        return None  # the address stands in a sentence
    if name is not None and rest.strip() not in ("", ":"):
        return None
    return [each.strip(".") for each in addresses], _words_behind(rest)


def _without_origin(rest: str) -> str:
    """Take off, behind an address, which other address its mail was forwarded from."""
    found = _FROM.match(rest)
    return rest[found.end() :] if found is not None else rest


_WHEN = re.compile(r"(?:on|am|le|el|il|op) \d[\d .,/:-]{4,30}(?:[AP]M)?", re.IGNORECASE)


def _words_behind(rest: str) -> str:
    """Return what a line says of the address before it, without the time that Exchange puts there."""
    words = rest.strip().lstrip(":.-").strip()
    return "" if _WHEN.fullmatch(words) or _ADDRESS.fullmatch(words.strip("()<>")) else words


_ANSWERED = re.compile(r"(?<!\d)[45]\d\d(?!\d)|(?<![\d.])[45]\.\d{1,3}\.\d{1,3}")


def _mentions(address: str, answers: Sequence[tuple[str, set[str]]]) -> str:
    """Return the lines with an answer in them that name this address and no other."""
    return _joined([line for line, named in answers if named == {address.casefold()}])
