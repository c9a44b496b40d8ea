"""Many patterns over one text, quickly: a pattern is only tried where a piece of text that it needs is there.

`\\bquota\\b.{0,30}exceed` cannot match a text without 'exceed', and looking for a fixed piece costs a fraction of what
the pattern costs. So of every branch of every pattern it is worked out once which pieces it needs; a text is asked once
which of all those pieces it holds; and what cannot match is never tried, nor even compiled by itself.

No pattern takes more than linear time, whatever the text: `*`, `+` and `{2,}` go no further than `reach` says. For
`zertifikat\\w*` without an end would read a text of nothing but 'zertifikat' to its end, once for each of them.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import cached_property, partial
from itertools import islice
from types import MappingProxyType
from typing import Generic, TypeVar

T = TypeVar("T")

SHORTEST_PIECE = 2
"""Characters of a piece that is worth looking for."""


WorkedOut = Mapping[str, Sequence[Sequence[str] | None]]
"""By pattern: for each of its branches the pieces of which it needs one, None where it needs none of them."""


class Patterns:
    """Some patterns, of which any may fit. Capitals do not matter; what repeats without an end is given one."""

    def __init__(self, patterns: Sequence[str], worked_out: WorkedOut = MappingProxyType({})) -> None:
        """`worked_out`: what is known of some of them, which need not be read for that. Raises `re.error`."""
        for pattern in patterns:
            if pattern not in worked_out:
                re.compile(pattern, re.IGNORECASE)
        self._patterns = tuple(patterns)
        self._worked_out = worked_out

    @cached_property
    def _branches(self) -> tuple[_Branch, ...]:
        """The branches of all patterns. Worked out when the first text comes, where they have not been before."""
        return tuple(branch for pattern in self._patterns for branch in self._branches_of(pattern))

    def _branches_of(self, pattern: str) -> Iterable[_Branch]:
        known = self._worked_out.get(pattern)
        if known is None:
            return [_Branch(partial(str, source), pieces) for source, pieces in _Reader(pattern).top_branches()]
        return [_Branch(partial(_source, pattern, at), pieces) for at, pieces in enumerate(known)]

    def work_out(self) -> WorkedOut:
        """Return what can be known of each of the patterns before there is a text."""
        return {
            pattern: [
                each.pieces if each.pieces is None else sorted(each.pieces) for each in self._branches_of(pattern)
            ]
            for pattern in self._patterns
        }

    @cached_property
    def pieces(self) -> frozenset[str]:
        """All pieces that are worth looking for."""
        return frozenset().union(*(each or () for each in self._needed()))

    def _needed(self) -> Iterator[Iterable[str] | None]:
        """Yield the pieces of each branch. What was worked out of it says them without the branch being made."""
        for pattern in self._patterns:
            known = self._worked_out.get(pattern)
            yield from known if known is not None else (each.pieces for each in self._branches_of(pattern))

    def search(self, text: SearchedText) -> re.Match[str] | None:
        """Return the first match of the first branch that fits, or None."""
        held = text.pieces
        if held is not None and self.demands is not None and held.isdisjoint(self.demands):
            return None
        for branch in self._branches:
            if branch.pieces is None or held is None or not held.isdisjoint(branch.pieces):
                found = branch.compiled.search(text.text)
                if found is not None:
                    return found
        return None

    @cached_property
    def demands(self) -> frozenset[str] | None:
        """Pieces of which a text must hold one for any pattern to fit; None where one pattern demands nothing."""
        return None if any(each is None for each in self._needed()) else self.pieces

    def taken_out(self, text: str) -> str:
        """Return a text with a blank in the place of everything that fits."""
        return self._together.sub(" ", text)

    @cached_property
    def _together(self) -> re.Pattern[str]:
        return re.compile("|".join(f"(?:{branch.source})" for branch in self._branches), re.IGNORECASE)

    @property
    def sources(self) -> tuple[str, ...]:
        """All branches as they are tried."""
        return tuple(branch.source for branch in self._branches)

    def fits(self, text: str) -> bool:
        """Whether one of few patterns fits a text that is asked for nothing else."""
        return self.search(SearchedText(text)) is not None


class _Branch:
    """One of the alternatives at the top of a pattern, with the pieces of which it needs at least one."""

    def __init__(self, pattern: Callable[[], str], pieces: Iterable[str] | None) -> None:
        self._pattern = pattern
        self.pieces = pieces

    @property
    def source(self) -> str:
        """The branch as a pattern, in which whatever repeats has an end. Read when it is first tried."""
        return self._pattern()

    @cached_property
    def compiled(self) -> re.Pattern[str]:
        """The branch by itself. Compiled when it is first tried: most never are."""
        return re.compile(self.source, re.IGNORECASE)


def _source(pattern: str, at: int) -> str:
    """Return one branch of a pattern."""
    return next(islice(_Reader(pattern).top_branches(), at, None))[0]


class Pieces:
    """All the pieces that some patterns need, ready to be looked for in many texts."""

    __slots__ = ("_by_start", "_others")

    def __init__(self, pieces: Iterable[str]) -> None:
        known = sorted(set(pieces))
        self._by_start: dict[str, list[str]] = {}
        self._others: list[str] = []
        for piece in known:
            if len(known) < _FEW or len(piece) < _START:
                self._others.append(piece)
            else:
                self._by_start.setdefault(piece[:_START], []).append(piece)

    def held_by(self, text: str) -> frozenset[str]:
        """Return those that are in a text. Only such are looked for whose start is in it."""
        lower = text.lower()
        found = [piece for piece in self._others if piece in lower]
        if self._by_start:
            starts = self._by_start.keys() & {lower[at : at + _START] for at in range(len(lower) - _START + 1)}
            found += [piece for start in starts for piece in self._by_start[start] if piece in lower]
        return frozenset(found)


_START = 3
"""Characters of a piece by which it is found."""
_FEW = 60
"""So few pieces are looked for one by one in less time."""


class SearchedText:
    """A text, and which of the known pieces it holds."""

    __slots__ = ("pieces", "text")

    def __init__(self, text: str, known: Pieces | None = None) -> None:
        """`known`: the pieces of all patterns that will be asked for; None: every pattern is tried."""
        self.text = text
        self.pieces = known.held_by(text) if known else None


class PatternIndex(Generic[T]):
    """Some things that each wait for their patterns, of which those are asked about a text that can fit it."""

    def __init__(self, things: Iterable[tuple[T, Patterns | None]]) -> None:
        """Take them in the order in which they are asked; None: the thing waits for no words."""
        self._things: list[T] = []
        self._always: set[int] = set()
        self._by_piece: dict[str, set[int]] = {}
        for place, (thing, patterns) in enumerate(things):
            self._things.append(thing)
            demands = patterns.demands if patterns is not None else None
            if demands is None:
                self._always.add(place)
            for piece in demands or ():
                self._by_piece.setdefault(piece, set()).add(place)

    def worth_asking(self, text: SearchedText) -> Iterator[T]:
        """Yield those whose patterns can fit a text, in their order."""
        if text.pieces is None:
            return iter(self._things)
        held = (self._by_piece[piece] for piece in text.pieces if piece in self._by_piece)
        return map(self._things.__getitem__, sorted(self._always.union(*held)))


_GROUP_START = re.compile(r"\?(?:<[=!]|[=!:]|P?<\w+>|[a-z-]*:?)")
_SET = re.compile(r"\[\^?\]?(?:[^\]\\]|\\.)*\]", re.DOTALL)
"""[...]: the bracket that closes it is neither escaped nor the first character."""
_ESCAPE = re.compile(r"\\(?:x[0-9a-fA-F]{2}|u[0-9a-fA-F]{4}|U[0-9a-fA-F]{8}|N\{[^}]*\}|\d+|.)", re.DOTALL)
_QUANTIFIER = re.compile(r"([?*+]|\{(\d*)(?:,\d*)?\})[?+]?")
_ZERO_WIDTH = frozenset({"?=", "?!", "?<=", "?<!"})


class _Reader:
    """Reads a pattern from left to right for what it cannot do without."""

    def __init__(self, pattern: str) -> None:
        self._pattern = pattern
        self._at = 0
        self._bounded: list[str] = []
        """What has been read, with an end to every repetition."""

    def top_branches(self) -> Iterator[tuple[str, frozenset[str] | None]]:
        """Read the whole pattern; yield its branches, each with the pieces of which it needs one."""
        while True:
            self._bounded = []
            pieces = self._branch()
            yield "".join(self._bounded), pieces
            if self._peek() != "|":
                return
            self._take(1)

    def alternatives(self) -> frozenset[str] | None:
        """Read up to the end of a group or of the pattern: of several branches each must need something."""
        branches = [self._branch()]
        while self._peek() == "|":
            self._take(1)
            branches.append(self._branch())
        needed = [each for each in branches if each is not None]
        return frozenset().union(*needed) if len(needed) == len(branches) else None

    def _peek(self) -> str:
        return self._pattern[self._at : self._at + 1]

    def _take(self, length: int) -> str:
        """Go on behind so many signs, as they stand."""
        taken = self._pattern[self._at : self._at + length]
        self._at += length
        self._bounded.append(taken)
        return taken

    def _branch(self) -> frozenset[str] | None:
        """Read one branch; of all that it needs return what is rarest, which is what is longest."""
        needs: list[frozenset[str]] = []
        run = ""
        while (ch := self._peek()) not in ("", "|", ")"):
            start = self._at
            atom = self._atom(ch)
            repeated, optional = self._quantifier(self._pattern[start : self._at])
            if isinstance(atom, str) and atom and not optional:
                run += atom
                if not repeated:
                    continue
            elif isinstance(atom, frozenset) and not optional:
                needs.append(atom)
            needs.append(frozenset({run}))
            run = ""
        needs.append(frozenset({run}))
        return max((each for each in needs if _worth(each)), key=_rarity, default=None)

    def _atom(self, ch: str) -> str | frozenset[str] | None:
        """Read one atom: a letter that must be there, the needs of a group, or None for whatever demands nothing."""
        if ch == "(":
            return self._group()
        if ch == "[":
            self._skip(_SET)
            return None
        if ch == "\\":
            escaped = self._skip(_ESCAPE)[1:]
            return None if escaped[0].isalnum() else escaped
        self._take(1)
        return None if ch in ".^$" else ch.lower()

    def _skip(self, what: re.Pattern[str]) -> str:
        found = what.match(self._pattern, self._at)
        assert found is not None, "it has been compiled before"
        return self._take(len(found[0]))

    def _group(self) -> frozenset[str] | None:
        self._take(1)
        zero_width = False
        if self._peek() == "?":
            zero_width = self._skip(_GROUP_START) in _ZERO_WIDTH
        needed = self.alternatives()
        self._take(1)
        return None if zero_width else needed

    def _quantifier(self, atom: str) -> tuple[bool, bool]:
        """Read what says how often the atom comes: whether it says anything, and whether it allows none at all."""
        found = _QUANTIFIER.match(self._pattern, self._at)
        if found is None:
            return False, False
        self._at = found.end()
        often, manner = found[1], found[0][len(found[1]) :]
        least = {"?": 0, "*": 0, "+": 1}.get(often) if found[2] is None else int(found[2] or 0)
        assert least is not None
        if often in ("*", "+") or often.endswith(",}"):
            often = f"{{{least},{least + reach(atom)}}}"
        self._bounded.append(often + manner)
        return True, least == 0


def reach(atom: str) -> int:
    """Return how many signs more a repetition goes than it must: what separates two words, a name, a word at most."""
    return _BETWEEN if atom == "." else _WORD if atom == r"\w" else _NAME


_BETWEEN = 1000
_NAME = 255
_WORD = 40


def _worth(pieces: frozenset[str]) -> bool:
    return min(map(len, pieces), default=0) >= SHORTEST_PIECE


def _rarity(pieces: frozenset[str]) -> tuple[int, int]:
    return min(map(len, pieces)), -len(pieces)
