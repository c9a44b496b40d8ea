"""Records: frozen dataclasses that are read from JSON strictly, written as JSON, and described by a JSON Schema.

Every file that the program writes for itself and every document that it prints is one, so that reader, writer and
published schema cannot disagree. YAML that people write is read by `strict_yaml`, which knows lines.

A field's type says all: `str`, `int`, `float`, `bool`, enums, `Literal`, `tuple[X, ...]`, `frozenset[X]`,
`Mapping[K, V]`, other records, any of these or None, and `object` for what is taken as it is. `Annotated` adds `Range`,
`AsText`, or a mark: `VERBATIM`, `INLINE`, `YOUNGER`, `UNSAVED`. Every field must be there but for the last two,
whether or not it has a default. A name that Python keeps for itself ends in an underscore: `from_` is 'from'.
"""

from __future__ import annotations

import collections.abc
import dataclasses
import math
import re
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime
from enum import Enum
from functools import cache
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, TypeVar, Union, get_args, get_origin, get_type_hints

from smtp_wizard.engine.base.characters import has_control
from smtp_wizard.engine.base.strict_json import JsonError
from smtp_wizard.engine.lazy_dataclass import dataclass

T = TypeVar("T")

LARGEST_WHOLE = 2**63 - 1
"""What is read of whole numbers at most, with and without a minus: as much as other programs can hold."""


@dataclass(frozen=True, slots=True)
class Range:
    """Bounds of a number, both included."""

    least: int
    most: int | None = None


@dataclass(frozen=True, slots=True)
class AsText:
    """A value that stands as one line of text, so that `parse(write(value)) == value`."""

    parse: Callable[[str], Any]
    """Raises `ValueError` or `OverflowError`."""
    write: Callable[[Any], str]
    what: str
    """What the text is, after 'must be': 'an e-mail address'."""
    pattern: str = ""
    """A regular expression for the schema."""


def like(pattern: str | re.Pattern[str], what: str) -> AsText:
    """Return the rule for a text that a regular expression describes as a whole."""
    compiled = re.compile(pattern)

    def parse(text: str) -> str:
        if not compiled.fullmatch(text):
            raise ValueError(what)
        return text

    return AsText(parse, str, what, f"^{compiled.pattern}$")


def parse_moment(text: str) -> datetime:
    """Take a time with its zone (RFC 3339 section 5.6), return it in UTC. Raises `ValueError`, `OverflowError`.

    A leap second, which Python's times do not have, is refused.
    """
    if not re.fullmatch(_RFC_3339, text):  # `fromisoformat` takes weeks, commas and hours alone as well
        raise ValueError("no time with its zone")
    return datetime.fromisoformat(text.upper()).astimezone(UTC)


_RFC_3339 = r"[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt][0-9]{2}:[0-9]{2}:[0-5][0-9](\.[0-9]+)?([Zz]|[+-][0-2][0-9]:[0-5][0-9])"


def parse_day(text: str) -> date:
    """Take a day (RFC 3339 section 5.6, full-date). Raises `ValueError`."""
    if not re.fullmatch(_DAY, text):  # `fromisoformat` takes '20261124' and '2026-W48-2' as well
        raise ValueError("no day")
    return date.fromisoformat(text)


_DAY = "[0-9]{4}-[0-9]{2}-[0-9]{2}"


def moment_text(moment: datetime) -> str:
    """Return an aware time in UTC, to the microsecond where it has any."""
    return moment.astimezone(UTC).isoformat().replace("+00:00", "Z")


def second_text(moment: datetime) -> str:
    """Return an aware time in UTC, to the second."""
    return moment_text(moment.replace(microsecond=0))  # `strftime` writes the year 999 in three digits on some systems


_MOMENT = "a time in UTC such as 2026-11-24T06:30:00Z"
Moment = Annotated[datetime, AsText(parse_moment, moment_text, _MOMENT)]
Second = Annotated[datetime, AsText(parse_moment, second_text, _MOMENT, r"^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}Z$")]
Day = Annotated[date, AsText(parse_day, date.isoformat, "a day such as 2026-11-24", r"^\d{4}-\d{2}-\d{2}$")]
Whole = Annotated[int, Range(0)]


class _Mark(Enum):
    VERBATIM = 1
    INLINE = 2
    YOUNGER = 3
    UNSAVED = 4


VERBATIM = _Mark.VERBATIM
"""The text may hold anything. Any other is one line: no control characters, no halves of characters."""
INLINE = _Mark.INLINE
"""The fields of this record stand among those of the one that holds it."""
YOUNGER = _Mark.YOUNGER
"""What earlier versions wrote lacks this field: it has a default."""
UNSAVED = _Mark.UNSAVED
"""This field has a default, and is neither read nor written nor described."""


def read_record(kind: type[T], value: object) -> T:
    """Return the record that a JSON value is. Raises `JsonError`."""
    found: T = _form(kind).read(value)
    return found


def write_record(record: object) -> dict[str, Any]:
    """Return a record as `json.dumps` takes it."""
    written: dict[str, Any] = _form(type(record)).write(record)
    return written


def record_schema(kind: type) -> dict[str, Any]:
    """Return the JSON Schema (draft 2020-12) of a record as it is written: with every field, and no other."""
    return dict(_form(kind).schema)


@dataclass(frozen=True, slots=True)
class _Form:
    """How a type is read, written and described."""

    read: Callable[[Any], Any]
    write: Callable[[Any], Any]
    schema: Mapping[str, Any]


def _worked_out(kind: Any) -> _Form:
    origin, inner = get_origin(kind), get_args(kind)
    if origin is Annotated:
        return _narrowed(inner[0], inner[1:])
    if origin in (Union, UnionType):
        return _optional(inner)
    if origin is Literal:
        return _choice(inner)
    if origin in (tuple, frozenset):
        return _list(origin, _form(inner[0]))
    if origin is collections.abc.Mapping:
        return _mapping(_form(inner[0]), _form(inner[1]))
    if dataclasses.is_dataclass(origin or kind):
        return _record(kind)
    if isinstance(kind, type) and issubclass(kind, Enum):
        return _choice(tuple(kind))
    return _PLAIN[getattr(kind, "__supertype__", kind)]


_form: Callable[[Any], _Form] = cache(_worked_out)


# -- records --------------------------------------------------------------------------------------------------------


def _record(kind: Any) -> _Form:
    hints, made = _hints(kind), get_origin(kind) or kind
    saved = [each for each in dataclasses.fields(made) if UNSAVED not in _marks(hints[each.name])]
    fields = [_Field(each, hints[each.name]) for each in saved]
    properties = {key: schema for each in fields for key, schema in each.properties.items()}
    if len(properties) != sum(len(each.properties) for each in fields):
        raise TypeError(f"two fields of {made.__name__} have the same name in JSON")
    known, needed = properties.keys(), {each.key for each in fields if each.needed}

    def read(value: Any) -> Any:
        _demand(value, dict, "an object")
        if not value.keys() <= known:
            raise JsonError("is unknown", (min(value.keys() - known),))
        if not needed <= value.keys():
            raise JsonError("is missing", (min(needed - value.keys()),))
        return made(**{each.name: each.read(value) for each in fields if each.key in value or each.inline})

    def write(record: Any) -> dict[str, Any]:
        written: dict[str, Any] = {}
        for each in fields:
            value = each.form.write(getattr(record, each.name))
            written.update(value if each.inline else {each.key: value})
        return written

    described = {"type": "object", "properties": properties, "required": list(properties)}
    return _Form(read, write, {**described, "additionalProperties": False})


def _hints(kind: Any) -> dict[str, Any]:
    """Return the types of a record's fields; of a generic one, with what stands for its type variables."""
    origin = get_origin(kind)
    if origin is None:
        return get_type_hints(kind, include_extras=True)
    chosen = dict(zip(origin.__parameters__, get_args(kind), strict=True))
    return {name: chosen.get(hint, hint) for name, hint in _hints(origin).items()}


class _Field:
    """One field of a record."""

    def __init__(self, field: dataclasses.Field[Any], hint: Any) -> None:
        self.name, self.key = field.name, field.name.removesuffix("_")
        self.form = _form(hint)
        self.inline = INLINE in _marks(hint)
        self.needed = not self.inline and YOUNGER not in _marks(hint)
        self.properties: Mapping[str, Any] = {self.key: self.form.schema}
        if self.inline:
            self.properties = self.form.schema["properties"]

    def read(self, value: Mapping[str, Any]) -> Any:
        """Read it out of the object that has it, or, inline, all of its own fields."""
        if self.inline:
            return self.form.read({key: value[key] for key in self.properties if key in value})
        try:
            return self.form.read(value[self.key])
        except JsonError as problem:
            raise problem.inside(self.key) from None


def _marks(hint: Any) -> tuple[Any, ...]:
    return get_args(hint)[1:] if get_origin(hint) is Annotated else ()


def _read_inside(form: _Form, step: str | int, value: Any) -> Any:
    try:
        return form.read(value)
    except JsonError as problem:
        raise problem.inside(step) from None


# -- what holds others, and what is narrowed ------------------------------------------------------------------------


def _list(kind: type, form: _Form) -> _Form:
    def read(value: Any) -> Any:
        _demand(value, list, "a list")
        return kind(_read_inside(form, number, each) for number, each in enumerate(value))

    def write(items: Any) -> list[Any]:
        written = [form.write(each) for each in items]
        return sorted(written) if kind is frozenset else written

    return _Form(read, write, {"type": "array", "items": form.schema})


def _mapping(keys: _Form, values: _Form) -> _Form:
    def read(value: Any) -> dict[Any, Any]:
        _demand(value, dict, "an object")
        return {_read_inside(keys, key, key): _read_inside(values, key, each) for key, each in value.items()}

    def write(items: Mapping[Any, Any]) -> dict[str, Any]:
        return {keys.write(key): values.write(each) for key, each in items.items()}

    return _Form(read, write, {"type": "object", "additionalProperties": values.schema})


def _optional(kinds: tuple[Any, ...]) -> _Form:
    (kind,) = (each for each in kinds if each is not NoneType)  # no other union is needed, and none reads as clearly
    form = _form(kind)
    return _Form(
        lambda value: None if value is None else form.read(value),
        lambda value: None if value is None else form.write(value),
        {"anyOf": [form.schema, {"type": "null"}]},
    )


def _choice(members: tuple[Any, ...]) -> _Form:
    values = [*map(_value, members)]
    known = {(type(value), value): each for value, each in zip(values, members, strict=True)}  # to Python `True` is 1
    words = f"must be {'one of: ' if len(values) > 1 else ''}{', '.join(map(str, values))}"

    def read(value: Any) -> Any:
        if isinstance(value, dict | list) or (type(value), value) not in known:
            raise JsonError(words)
        return known[type(value), value]

    return _Form(read, _value, {"enum": values} if len(values) > 1 else {"const": values[0]})


def _value(member: Any) -> Any:
    return member.value if isinstance(member, Enum) else member


def _narrowed(kind: Any, rules: tuple[Any, ...]) -> _Form:
    as_text = next((rule for rule in rules if isinstance(rule, AsText)), None)
    bounds = next((rule for rule in rules if isinstance(rule, Range)), None)
    form = _TEXT if VERBATIM in rules else _form(str if as_text else kind)
    form = _as_text(as_text, form) if as_text else form
    return _ranged(form, bounds) if bounds else form


def _as_text(rule: AsText, text: _Form) -> _Form:
    def read(value: Any) -> Any:
        found = _parsed(rule.parse, text.read(value))
        if found is None:
            raise JsonError(f"must be {rule.what}")
        return found

    return _Form(read, rule.write, {"type": "string"} | ({"pattern": rule.pattern} if rule.pattern else {}))


def _parsed(parse: Callable[[str], Any], text: str) -> Any:
    """Return None where the text cannot be parsed: the error for that, which may have the text in it, ends here."""
    try:
        return parse(text)
    except (ValueError, OverflowError):
        return None


def _ranged(form: _Form, bounds: Range) -> _Form:
    least, most = bounds.least, bounds.most
    if most is None:
        return _checked(form, lambda found: least <= found, f"must be at least {least}", minimum=least)
    words = f"must be from {least} to {most}"
    return _checked(form, lambda found: least <= found <= most, words, minimum=least, maximum=most)


def _checked(form: _Form, fits: Callable[[Any], bool], words: str, **described: Any) -> _Form:
    def read(value: Any) -> Any:
        found = form.read(value)
        if not fits(found):
            raise JsonError(words)
        return found

    return _Form(read, form.write, {**form.schema, **described})


# -- plain values ---------------------------------------------------------------------------------------------------


_KINDS = {dict: "an object", list: "a list", str: "text", bool: "true or false", NoneType: "null"}


def _demand(value: object, kind: type, words: str) -> None:
    if type(value) is not kind:
        raise JsonError(f"must be {words}, not {_KINDS.get(type(value), 'a number')}")


def _plain(kind: type, words: str, name: str) -> _Form:
    def read(value: Any) -> Any:
        _demand(value, kind, words)
        return value

    return _Form(read, lambda value: value, {"type": name})


def _is_line(text: str) -> bool:
    return text.isprintable() or not has_control(text)


_TEXT = _plain(str, "text", "string")
_FRACTION = _checked(_plain(float, "a number", "number"), math.isfinite, "is not a number")


def _number(value: Any) -> Any:
    return (_PLAIN[int] if type(value) is int else _FRACTION).read(value)


_PLAIN: dict[Any, _Form] = {
    object: _Form(lambda value: value, lambda value: value, {}),
    str: _checked(_TEXT, _is_line, "has a character in it that cannot be seen"),
    bool: _plain(bool, "true or false", "boolean"),
    int: _checked(_plain(int, "a whole number", "integer"), lambda n: abs(n) <= LARGEST_WHOLE, "is too large"),
    float: _Form(_number, lambda value: value, {"type": "number"}),
}
