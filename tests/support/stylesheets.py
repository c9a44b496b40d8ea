"""The stylesheets of the screens, read once for all tests: each app would read the same texts again."""

from __future__ import annotations

from typing import Any

from textual.css.model import RuleSet
from textual.css.stylesheet import Stylesheet

_read_anew = Stylesheet._parse_rules
_known: dict[tuple[object, ...], list[RuleSet]] = {}


def _read_once(self: Stylesheet, css: str, *where: Any, **more: Any) -> list[RuleSet]:
    """As `Stylesheet._parse_rules`: the rules depend on the text, where it stands, and the values of the variables."""
    key = (css, where, *sorted(more.items()), tuple(self._variables.items()))
    if key not in _known:
        _known[key] = _read_anew(self, css, *where, **more)
    return _known[key]


def read_once() -> None:
    """Read no stylesheet of the toolkit twice in this process."""
    Stylesheet._parse_rules = _read_once  # type: ignore[method-assign]
