"""Records: what is read is what was written, and nothing else is read."""

from __future__ import annotations

import json
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from enum import StrEnum
from typing import Annotated, Any, Generic, Literal, NewType, TypeVar

import jsonschema
import pytest
from hypothesis import given
from hypothesis import strategies as st

from smtp_wizard.engine.base.records import (
    INLINE,
    LARGEST_WHOLE,
    UNSAVED,
    VERBATIM,
    YOUNGER,
    AsText,
    Moment,
    Range,
    like,
    moment_text,
    parse_day,
    parse_moment,
    read_record,
    record_schema,
    second_text,
    write_record,
)
from smtp_wizard.engine.base.strict_json import JsonError, read_json


class Colour(StrEnum):
    RED = "red"
    BLUE = "blue"
    GREEN = "green"


@dataclass(frozen=True)
class Street:
    name: str
    number: int

    @classmethod
    def parse(cls, text: str) -> Street:
        name, _, number = text.rpartition(" ")
        return cls(name, int(number))

    def __str__(self) -> str:
        return f"{self.name} {self.number}"


Words = NewType("Words", str)
Day = Annotated[date, AsText(date.fromisoformat, date.isoformat, "a day such as 1999-12-31", r"^\d{4}-\d\d-\d\d$")]


@dataclass(frozen=True)
class Room:
    title: str
    seats: Annotated[int, Range(0, 99)]


@dataclass(frozen=True)
class Place:
    street: Annotated[Street, AsText(Street.parse, str, "a street and a number")]
    floor: Annotated[int, Range(-3)] = 0


@dataclass(frozen=True)
class House:
    schema: Literal["test/house/1"]
    from_: Words
    colour: Colour
    roof: Literal[Colour.RED, Colour.BLUE]
    place: Annotated[Place, INLINE]
    built: Day | None
    warm: bool
    height: float
    lift: Literal["no", 1]
    rooms: tuple[Room, ...] = ()
    notes: Mapping[Colour, str] | None = None
    text: Annotated[str, VERBATIM] = ""
    tags: Annotated[frozenset[str], YOUNGER] = frozenset()
    more: object = None
    seen: Annotated[datetime | None, UNSAVED] = field(default=None, compare=False)


HOUSE = House(
    schema="test/house/1",
    from_=Words("Ana"),
    colour=Colour.GREEN,
    roof=Colour.BLUE,
    place=Place(Street("High St", 7), -1),
    built=date(1999, 12, 31),
    warm=True,
    height=2.5,
    lift=1,
    rooms=(Room("hall", 3),),
    notes={Colour.RED: "v"},
    text="one\ntwo\x00",
    tags=frozenset({"b", "a"}),
    more=[{"any": None}],
    seen=datetime(2026, 11, 24, tzinfo=UTC),
)
WRITTEN: dict[str, Any] = {
    "schema": "test/house/1",
    "from": "Ana",
    "colour": "green",
    "roof": "blue",
    "street": "High St 7",
    "floor": -1,
    "built": "1999-12-31",
    "warm": True,
    "height": 2.5,
    "lift": 1,
    "rooms": [{"title": "hall", "seats": 3}],
    "notes": {"red": "v"},
    "text": "one\ntwo\x00",
    "tags": ["a", "b"],
    "more": [{"any": None}],
}


def test_a_record_is_written_field_by_field_in_their_order_and_read_back() -> None:
    assert list(write_record(HOUSE).items()) == list(WRITTEN.items())
    assert read_record(House, json.loads(json.dumps(WRITTEN))) == HOUSE
    assert read_record(House, WRITTEN).seen is None


@pytest.mark.parametrize("name", WRITTEN)
def test_a_field_must_be_there_though_it_has_a_default_unless_older_versions_lack_it(name: str) -> None:
    short = {key: value for key, value in WRITTEN.items() if key != name}
    if name == "tags":
        assert read_record(House, short).tags == frozenset()
        return
    with pytest.raises(JsonError, match=f"^'{name}' is missing$"):
        read_record(House, short)


Kind = TypeVar("Kind")


@dataclass(frozen=True, slots=True)
class Box(Generic[Kind]):
    inside: Kind
    label: str


def test_a_generic_record_is_read_as_what_it_holds() -> None:
    @dataclass(frozen=True)
    class Cellar:
        box: Annotated[Box[Room], INLINE]
        other: Box[Room | None]

    written = {"inside": {"title": "x", "seats": 1}, "label": "a", "other": {"inside": None, "label": "b"}}
    assert read_record(Cellar, written) == Cellar(Box(Room("x", 1), "a"), Box(None, "b"))
    assert write_record(read_record(Cellar, written)) == written
    with pytest.raises(JsonError, match=r"^'inside' must be an object, not null$"):
        read_record(Cellar, {**written, "inside": None})


@pytest.mark.parametrize(
    ("path", "value", "words"),
    [
        (("schema",), "test/house/2", "'schema' must be test/house/1"),
        (("from",), None, "'from' must be text, not null"),
        (("from",), "two\nlines", "'from' has a character in it that cannot be seen"),
        (("from",), "half \udc80", "'from' has a character in it that cannot be seen"),
        (("from_",), "Ana", "'from_' is unknown"),
        (("seen",), None, "'seen' is unknown"),
        (("place",), {}, "'place' is unknown"),
        (("colour",), "pink", "'colour' must be one of: red, blue, green"),
        (("colour",), 3, "'colour' must be one of: red, blue, green"),
        (("colour",), [], "'colour' must be one of: red, blue, green"),
        (("roof",), "green", "'roof' must be one of: red, blue"),
        (("lift",), 0, "'lift' must be one of: no, 1"),
        (("lift",), 1.0, "'lift' must be one of: no, 1"),
        (("street",), "nowhere", "'street' must be a street and a number"),
        (("street",), "Main\x00St 1", "'street' has a character in it that cannot be seen"),
        (("street",), {"name": "High St", "number": 7}, "'street' must be text, not an object"),
        (("floor",), -4, "'floor' must be at least -3"),
        (("floor",), 10**30, "'floor' is too large"),
        (("floor",), -(10**30), "'floor' is too large"),
        (("floor",), 1.0, "'floor' must be a whole number, not a number"),
        (("built",), "yesterday", "'built' must be a day such as 1999-12-31"),
        (("built",), 19991231, "'built' must be text, not a number"),
        (("warm",), 1, "'warm' must be true or false, not a number"),
        (("height",), True, "'height' must be a number, not true or false"),
        (("height",), float("nan"), "'height' is not a number"),
        (("height",), 10**400, "'height' is too large"),
        (("rooms",), {}, "'rooms' must be a list, not an object"),
        (("rooms", 0), [], "'rooms[0]' must be an object, not a list"),
        (("rooms", 0, "seats"), 100, "'rooms[0].seats' must be from 0 to 99"),
        (("rooms", 0, "seats"), True, "'rooms[0].seats' must be a whole number, not true or false"),
        (("rooms", 0, "colour"), "red", "'rooms[0].colour' is unknown"),
        (("notes", "red"), 5, "'notes.red' must be text, not a number"),
        (("notes", "pink"), "v", "'notes.pink' must be one of: red, blue, green"),
        (("notes",), [], "'notes' must be an object, not a list"),
        (("text",), 5, "'text' must be text, not a number"),
        (("tags",), "a", "'tags' must be a list, not text"),
        (("wi\ndow\x1b",), 5, "'wi dow\\x1b' is unknown"),
    ],
    ids=lambda value: "/".join(map(repr, value)) if isinstance(value, tuple) else None,
)
def test_what_does_not_fit_is_named_by_its_place(path: tuple[str | int, ...], value: object, words: str) -> None:
    wrong: Any = json.loads(json.dumps(WRITTEN))
    place = wrong
    for step in path[:-1]:
        place = place[step]
    place[path[-1]] = value
    with pytest.raises(JsonError) as caught:
        read_record(House, wrong)
    assert str(caught.value) == words


@pytest.mark.parametrize("value", [None, [], "text", 5])
def test_what_is_no_object_is_no_record(value: object) -> None:
    with pytest.raises(JsonError, match=r"^it must be an object, not "):
        read_record(House, value)


def test_the_largest_whole_numbers_are_read() -> None:
    assert read_record(Place, {"street": "a 1", "floor": LARGEST_WHOLE}).floor == LARGEST_WHOLE


def test_an_error_of_a_parser_does_not_come_along() -> None:
    with pytest.raises(JsonError) as caught:
        read_record(House, {**WRITTEN, "street": "hunter22"})
    context = caught.value.__context__
    assert isinstance(context, JsonError)
    assert context.__context__ is None
    assert "hunter22" not in f"{caught.value!r} {context!r}"


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("2026-11-24T06:30:00Z", "2026-11-24T06:30:00Z"),
        ("2026-11-24T06:30:00.250000+00:00", "2026-11-24T06:30:00.250000Z"),
        ("2026-11-24T08:30:00+02:00", "2026-11-24T06:30:00Z"),
        ("2026-11-24t06:30:00z", "2026-11-24T06:30:00Z"),
        ("2026-11-24T06:30:00.5Z", "2026-11-24T06:30:00.500000Z"),
        ("2026-11-24T06:30:00.1234567Z", "2026-11-24T06:30:00.123456Z"),
        ("2026-11-24T06:30:00-00:00", "2026-11-24T06:30:00Z"),
    ],
)
def test_a_time_is_read_with_its_zone_and_written_in_utc(text: str, written: str) -> None:
    found = parse_moment(text)
    assert (found.utcoffset(), moment_text(found)) == (timedelta(0), written)
    assert second_text(found) == "2026-11-24T06:30:00Z"


@pytest.mark.parametrize("year", [1, 999, 9999])
def test_every_year_has_four_digits(year: int) -> None:
    """As `Second` and its schema demand: what is written can be read again."""
    moment = datetime(year, 12, 31, 23, 59, 59, 999_999, tzinfo=UTC)
    assert second_text(moment) == f"{year:04}-12-31T23:59:59Z"
    assert parse_moment(second_text(moment)) == moment.replace(microsecond=0)


NO_TIMES = (
    *("", "noon", "2026-11-24", "2026-11-24T06:30:00", "0001-01-01T00:00:00+14:00", "2026-13-01T00:00:00Z"),
    *("2026-W48-2T06:30:00Z", "20261124T063000Z", "2026-11-24T06:30:00,5Z", "2026-11-24 06:30:00Z"),
    *("2026-11-24T06:30Z", "2026-11-24T24:00:00Z", "2026-11-24T06:30:60Z", "2026-11-24T06:30:00.Z", "2026-11-24T06Z"),
    *("2026-11-24T06:30:00+02", "2026-11-24T06:30:00+0200", "2026-11-24T06:30:00+24:00", "2026-11-24T06:30:00Z\n"),
    *("2026-11-24T06:30:00+02:00:01", "\u0662026-11-24T06:30:00Z", " 2026-11-24T06:30:00Z", "2026-11-24T06:30:00ZZ"),
)


def test_what_is_no_time_in_a_zone_is_refused() -> None:
    """All that RFC 3339 does not have, though Python reads much of it."""

    @dataclass(frozen=True)
    class Note:
        at: Moment

    for text in NO_TIMES:
        with pytest.raises(JsonError, match=r"^'at' (must be a time in UTC such as |has a character )"):
            read_record(Note, {"at": text})


def test_what_is_no_day_is_refused() -> None:
    assert parse_day("2026-11-24").isoformat() == "2026-11-24"
    for text in ("20261124", "2026-W48-2", "2026-11-24T00:00:00Z", "2026-02-30", "2026-11-4", "2026-11-24\n", ""):
        with pytest.raises(ValueError):
            parse_day(text)


def test_a_text_is_held_to_a_pattern_as_a_whole() -> None:
    @dataclass(frozen=True)
    class Named:
        id: Annotated[str, like("[0-9a-f]{4}", "an id")]

    assert read_record(Named, {"id": "12ab"}) == Named("12ab")
    for wrong in ("12ab5", "12AB", "", "12ab "):
        with pytest.raises(JsonError, match=r"^'id' must be an id$"):
            read_record(Named, {"id": wrong})
    assert record_schema(Named)["properties"]["id"]["pattern"] == "^[0-9a-f]{4}$"


def test_a_type_that_has_no_form_is_a_fault_of_the_program() -> None:
    @dataclass(frozen=True)
    class Odd:
        when: datetime

    with pytest.raises(KeyError):
        record_schema(Odd)


def test_two_fields_of_one_name_are_a_fault_of_the_program() -> None:
    @dataclass(frozen=True)
    class Odd:
        box: Annotated[Box[str], INLINE]
        label: str

    with pytest.raises(TypeError, match=r"^two fields of Odd have the same name in JSON$"):
        record_schema(Odd)


def test_the_schema_takes_what_is_written_and_nothing_else() -> None:
    schema = record_schema(House)
    jsonschema.Draft202012Validator.check_schema(schema)
    validator = jsonschema.Draft202012Validator(schema)
    assert list(validator.iter_errors(WRITTEN)) == []
    assert schema["required"] == list(WRITTEN)
    wrong = [
        {**WRITTEN, "more yet": 1},
        {**WRITTEN, "colour": "pink"},
        {**WRITTEN, "roof": "green"},
        {**WRITTEN, "floor": -4},
        {**WRITTEN, "built": "soon"},
        {**WRITTEN, "rooms": [{"title": "hall"}]},
        {**WRITTEN, "rooms": [{"title": "hall", "seats": 100}]},
        {**WRITTEN, "notes": {"red": 1}},
        *({key: value for key, value in WRITTEN.items() if key != name} for name in WRITTEN),
    ]
    assert [each for each in wrong if validator.is_valid(each)] == []


lines = st.text('aB 9.ä\u202e€\U0001f600"\\/')
rooms = st.builds(Room, lines, st.integers(0, 99))
houses = st.builds(
    House,
    schema=st.just("test/house/1"),
    from_=lines,
    colour=st.sampled_from(Colour),
    roof=st.sampled_from((Colour.RED, Colour.BLUE)),
    place=st.builds(Place, st.builds(Street, lines, st.integers(0)), st.integers(-3, LARGEST_WHOLE)),
    built=st.none() | st.dates(),
    warm=st.booleans(),
    height=st.floats(allow_nan=False, allow_infinity=False),
    lift=st.sampled_from(("no", 1)),
    rooms=st.lists(rooms).map(tuple),
    notes=st.none() | st.dictionaries(st.sampled_from(Colour), lines),
    text=st.text(),
    tags=st.frozensets(lines),
)


@given(houses)
def test_whatever_it_holds_comes_back(house: House) -> None:
    text = json.dumps(write_record(house))
    assert read_record(House, read_json(text)) == house
    jsonschema.validate(json.loads(text), record_schema(House))


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text() | st.sampled_from(sorted(WRITTEN)), inner),
)


@given(json_values, st.sampled_from(sorted(WRITTEN)))
def test_nothing_else_is_ever_raised(value: object, name: str) -> None:
    with pytest.raises(JsonError):
        read_record(House, value)
    with suppress(JsonError):
        read_record(House, {**WRITTEN, name: value})
