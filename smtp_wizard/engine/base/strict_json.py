"""JSON as it must be (RFC 8259): UTF-8, no key twice, no NaN, nothing that another program could not hold."""

from __future__ import annotations

import math
from typing import Any, NoReturn

from smtp_wizard.engine.base.shown import Shown, shown

DEEPEST = 60
"""Levels of nesting that are read at most."""
_LONGEST_KEY = 60


class JsonError(ValueError):
    """What was read is not what it must be. The text names the place and never the value, which may be a secret.

    It goes on after words such as 'The file is damaged:', as "'accounts[3].port' must be from 1 to 65535".
    """

    def __init__(self, problem: str, path: tuple[str | int, ...] = ()) -> None:
        super().__init__(problem)
        self.problem = problem
        self.path = path

    def inside(self, step: str | int) -> JsonError:
        """Return the same problem, seen from one level above."""
        return JsonError(self.problem, (step, *self.path))

    @property
    def words(self) -> Shown:
        """The text, fit to be shown."""
        return shown(str(self))

    def __str__(self) -> str:
        steps = [f"[{step}]" if isinstance(step, int) else f".{shown(step, _LONGEST_KEY)}" for step in self.path]
        place = "".join(steps).removeprefix(".")
        return f"'{place}' {self.problem}" if place else f"it {self.problem}"


def read_json(source: str | bytes) -> object:
    """Return the JSON value that a text is. Raises `JsonError`."""
    value, problem = _loaded(source)
    if not problem and _is_deep(value):
        problem = "is nested too deeply"
    if problem:  # raised here, so that no other error, which has the text in it, comes along
        raise JsonError(problem)
    return value


def _loaded(source: str | bytes) -> tuple[object, str]:
    """Return the value, and what is wrong with the text."""
    import json

    try:
        text = source if isinstance(source, str) else source.decode("utf-8")
        hooks: dict[str, Any] = {"parse_constant": _no_constant, "parse_float": _finite}
        return json.loads(text, object_pairs_hook=_without_doubles, **hooks), ""
    except JsonError as problem:
        return None, problem.problem
    except UnicodeDecodeError:
        return None, "is not UTF-8 text"
    except json.JSONDecodeError:
        return None, "is not complete JSON text"
    except RecursionError:
        return None, "is nested too deeply"
    except ValueError:  # `int` takes some thousand digits only
        return None, "has a number in it that is too large"


def _without_doubles(pairs: list[tuple[str, object]]) -> dict[str, object]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise JsonError("has the same key twice in one place")
    return found


def _no_constant(_: str) -> NoReturn:
    raise JsonError("is not complete JSON text")


def _finite(text: str) -> float:
    number = float(text)
    if math.isinf(number):
        raise JsonError("has a number in it that is too large")
    return number


def _is_deep(value: object) -> bool:
    level = [value] if isinstance(value, dict | list) else []
    for _ in range(DEEPEST):
        inside = [each.values() if isinstance(each, dict) else each for each in level]
        level = [each for values in inside for each in values if isinstance(each, dict | list)]
    return bool(level)
