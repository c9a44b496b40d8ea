"""Texts that repeat one unit, and what it costs to read them: whatever reads strangers' words takes linear time."""

from __future__ import annotations

import re
import string
import time
from collections.abc import Callable, Iterable, Iterator
from re import _constants as op  # type: ignore[attr-defined]
from re import _parser  # type: ignore[attr-defined]
from typing import Any

MOST = 10.0
"""What a text of four times the length may cost, in costs of the shorter one: 4 is linear, 16 quadratic."""
CHEAP = 2e-7
"""Seconds a character: what costs less is looked at no further, since what is quadratic costs far more at this size."""

SIGNS: tuple[str, ...] = (*"0aX.,:;-_/\\'\"()[]{}<>@#&%=+*?!$^|~", " ", "\t", "\n", "\r\n", "\0", "\u00e9", "\u4e2d")
UNITS: tuple[str, ...] = (
    *SIGNS,
    *(
        "zertifikat",
        "unsubscribe ",
        "subject=",
        "Name: x\r\n",
        "Name: x\n",
        " x\n",
        "\n \n",
        "\n> ",
        "> ",
        "- ",
        "--b\n",
    ),
    *(
        "a.",
        "1.",
        "a-",
        "a@",
        "a@a.",
        "1:",
        "::",
        "1.1.1.1",
        "5.1.1 ",
        "550 ",
        "550-x\n",
        "421\n",
        "port ",
        "http://",
        "www.",
    ),
    *(
        "<a ",
        "<a",
        "</a",
        "<a href=",
        '<a href="',
        "<!--",
        "<br ",
        "<p>",
        "&#",
        "&#9",
        "&amp",
        "&am",
        "<![CDATA[",
        "<?",
    ),
    *(
        "\\n",
        "\\\\",
        "\\u00",
        "=?",
        "=?a?q?",
        ";a=",
        ';a="',
        '="\\',
        "%41",
        "{{",
        "'\\'",
        "') ",
        "'a' ",
        "[a]",
        "(a",
        "((",
        "a ",
    ),
    *(
        "12 Main Street ",
        "12 a b c d ",
        "Main weg 1",
        "A1 1AA ",
        "12345 Ab",
        "P.O. Box ",
        "aaaa bbbb ",
        "eyJ",
        "AADSTS1",
        "1,",
    ),
    *(
        "a" * 63 + ".",
        "x" * 70 + " ",
        "TWFu",
        "TWE=",
        "\u0301\u0316",
        "\ufdfa",
        "\u202e",
        "\ud800",
        "\x1b[",
        "\x85",
        "\u2028",
    ),
)
"""What is repeated: single signs, words and their beginnings, headers, tags, escapes."""
END = "\x01"
"""What stands behind it and fits nowhere, so that whatever was read was read in vain."""


def seconds(work: Callable[[], object]) -> float:
    """Return the process's CPU time for doing something once."""
    began = time.process_time()
    work()
    return time.process_time() - began


def ratio(work: Callable[[str], object], text: Callable[[int], str], size: int, cheap: float) -> float:
    """Return what a text of four times the size costs, in costs of one of this size; 0 where it is cheap anyway."""
    long, short = text(4 * size), text(size)
    once = _timed(work, long)
    if once <= cheap * len(long):
        return 0.0
    costs = min(_timed(work, short) for _ in range(3))
    if once <= 7 * costs:
        return once / costs
    best = [min(_timed(work, each) for _ in range(5)) for each in (short, long)]
    return best[1] / best[0]


def _timed(work: Callable[[str], object], text: str) -> float:
    return max(seconds(lambda: work(text)), 1e-9)


def repeated(unit: str) -> Callable[[int], str]:
    """Return what makes a text of about so many characters."""
    return lambda size: unit * (size // len(unit) + 1) + END


def superlinear(
    work: Callable[[str], object],
    size: int,
    units: Iterable[str] = UNITS,
    *,
    cheap: float = CHEAP,
) -> list[tuple[str, float]]:
    """Return the units whose repetition costs more than it may, with how much more."""
    found = ((unit, ratio(work, repeated(unit), size, cheap)) for unit in units)
    return [(unit, round(each, 1)) for unit, each in found if each > MOST]


# --- what a pattern itself makes likely ---


def units_of(pattern: str, flags: int = 0) -> Iterator[str]:
    """Yield the words of a pattern: what each beginning of it would fit, and each of its alternatives."""
    seen: set[str] = set()
    for words in _beginnings(_parser.parse(pattern, flags)):
        if words and words not in seen:
            seen.add(words)
            yield words


def _beginnings(parsed: Any) -> Iterator[str]:
    words = ""
    for what, how in parsed:
        if what is op.SUBPATTERN or what is op.BRANCH:
            inner = how[1] if what is op.BRANCH else [how[3]]
            for branch in inner:
                yield from (words + each for each in _beginnings(branch))
        elif what in _REPEATS:
            yield from (words + each for each in _beginnings(how[2]))
        words += _fitting([(what, how)])
        if what is not op.LITERAL:
            yield words
    yield words
    yield words[:-1]


_REPEATS = (op.MAX_REPEAT, op.MIN_REPEAT, op.POSSESSIVE_REPEAT)


def _fitting(parsed: Any) -> str:
    """Return a short text that fits."""
    return "".join(_sign(what, how) for what, how in parsed)


def _sign(what: Any, how: Any) -> str:
    if what is op.LITERAL:
        return chr(int(how))
    if what is op.IN:
        return str(next(sign for sign in _CANDIDATES if _is_in(how, sign)))
    if what in _REPEATS:
        return _fitting(how[2]) * max(1, int(how[0]))
    inner = {op.BRANCH: lambda: how[1][0], op.SUBPATTERN: lambda: how[3], op.ATOMIC_GROUP: lambda: how}
    if what in inner:
        return _fitting(inner[what]())
    return "b" if what is op.NOT_LITERAL and how == ord("a") else "a" if what in (op.NOT_LITERAL, op.ANY) else ""


_CANDIDATES = (
    *string.ascii_lowercase,
    *string.printable,
    *map(chr, range(128, 0x3000)),
    *map(chr, range(0x3000, 0x110000)),
)


def _is_in(members: Any, sign: str) -> bool:
    """Whether a set has a sign in it."""
    inside = False
    for what, how in members:
        if what is op.LITERAL:
            inside |= ord(sign) == how
        elif what is op.RANGE:
            inside |= how[0] <= ord(sign) <= how[1]
        elif what is op.CATEGORY:
            inside |= re.match(_CATEGORIES[how], sign) is not None
    return inside != (members[0][0] is op.NEGATE)


_CATEGORIES = {
    op.CATEGORY_DIGIT: r"\d",
    op.CATEGORY_NOT_DIGIT: r"\D",
    op.CATEGORY_SPACE: r"\s",
    op.CATEGORY_NOT_SPACE: r"\S",
    op.CATEGORY_WORD: r"\w",
    op.CATEGORY_NOT_WORD: r"\W",
}


# --- what the structure of a pattern allows ---


def without_end(pattern: str, flags: int = 0) -> bool:
    """Whether anything in a pattern repeats without an end."""
    return _without_end(_parser.parse(pattern, flags))


def _without_end(parsed: Any) -> bool:
    for what, how in parsed:
        if what in _REPEATS and (how[1] is op.MAXREPEAT or _without_end(how[2])):
            return True
        inner: Iterable[Any] = ()
        if what is op.SUBPATTERN:
            inner = (how[3],)
        elif what is op.BRANCH:
            inner = how[1]
        elif what in (op.ASSERT, op.ASSERT_NOT):
            inner = (how[1],)
        elif what is op.ATOMIC_GROUP:
            inner = (how,)
        if any(map(_without_end, inner)):
            return True
    return False
