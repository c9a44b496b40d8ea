"""The published schemas: every document that the program was recorded to print fits, and nothing that differs."""

from __future__ import annotations

import copy
import functools
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from smtp_wizard.output.schemas import NAMES, schema_of
from tests.support.cli import run

EXPECTED = Path(__file__).parents[1] / "corpus" / "expected"
STDOUT = re.compile(r"^--- stdout\n(.*?)\n\n?--- stderr", re.DOTALL | re.MULTILINE)
PUT_BACK = (
    (re.compile(r"(?<=\": )PORT\b"), "5871"),
    (re.compile(r"(?<=\": )TIME\b"), "12.5"),
    (re.compile(r"(?<=\")MOMENT(?=\")"), "2026-11-24T06:30:00Z"),
    (re.compile(r"(?<=mailbox as )KEY$", re.MULTILINE), 'KEY",'),
)
"""What stands in the recordings for what varies, and a value that it could have."""

Path_ = tuple[str | int, ...]


@functools.cache
def recorded() -> dict[str, list[dict[str, Any]]]:
    """Return the recorded documents by the names of their schemas."""
    found: dict[str, list[dict[str, Any]]] = {}
    for file in sorted(EXPECTED.glob("*.txt")):
        for printed in STDOUT.findall(file.read_text("utf-8")):
            for pattern, value in PUT_BACK:
                printed = pattern.sub(value, printed)  # noqa: PLW2901
            for text in [printed] if printed.startswith("{\n") else printed.splitlines():
                if '"schema": "smtp-wizard/' in text[:40]:
                    document = json.loads(text)
                    found.setdefault(document["schema"].split("/")[1], []).append(document)
    return found


def places(value: Any, path: Path_ = ()) -> Iterator[tuple[Path_, Any]]:
    """Yield every value in a document with the way to it."""
    yield path, value
    inside = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for step, each in inside:
        yield from places(each, (*path, step))


def changed(document: dict[str, Any], path: Path_, value: Any) -> dict[str, Any]:
    """Return a document with another value in one place."""
    document = copy.deepcopy(document)
    place: Any = document
    for step in path[:-1]:
        place = place[step]
    place[path[-1]] = value
    return document


def odd_ones(document: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield a document changed in each place: a value of another type, a key more."""
    for path, value in places(document):
        name = ".".join("*" if isinstance(step, int) else step for step in path)
        if path:
            yield f"{name}: another type", changed(document, path, {"odd": 7} if value != {} else 7)
        if isinstance(value, dict):
            yield f"{name}: one key more", changed(document, (*path, "odd"), 7)


def test_every_schema_is_one() -> None:
    for name in NAMES:
        schema = schema_of(name)
        jsonschema.Draft202012Validator.check_schema(schema)
        assert json.loads(json.dumps(schema)) == schema
        assert schema["title"] == f"smtp-wizard {name.replace('-', ' ')}"


def test_enough_is_recorded() -> None:
    assert len(recorded()) >= 15
    assert sum(map(len, recorded().values())) >= 60


@pytest.mark.parametrize("name", sorted(recorded()))
def test_what_was_recorded_fits_and_what_differs_does_not(name: str) -> None:
    hold(name, recorded()[name])


SHORT = (
    *("providers sandbox", "limits sandbox", "guide sandbox", "sandbox mailbox", "doctor", "schema"),
    "limits plan --provider sandbox --recipients 700 --start 2026-11-23",
)


@pytest.mark.parametrize("command", SHORT)
def test_what_is_printed_fits_and_what_differs_does_not(command: str) -> None:
    """Documents of which none is recorded."""
    document = json.loads(run(*command.split(), "--json").out)
    hold(document["schema"].split("/")[1], [document])


def hold(name: str, documents: list[dict[str, Any]]) -> None:
    """Hold documents, and each of them changed in each place, to a schema."""
    validator = jsonschema.Draft202012Validator(schema_of(name))
    seen: set[str] = set()
    wrong = []
    for document in documents:
        assert list(validator.iter_errors(document)) == []
        for what, odd in odd_ones(document):
            if what not in seen:
                seen.add(what)
                wrong += [what] if validator.is_valid(odd) else []
    assert wrong == []
    assert len(seen) > 2


def test_an_object_has_all_its_fields_and_no_other() -> None:
    """Whatever is printed: a reader may rely on every field, and learns of a new one by its schema."""
    loose = []
    for name in NAMES:
        for path, value in places(schema_of(name)):
            if isinstance(value, dict) and isinstance(value.get("properties"), dict) and value.get("type") == "object":
                strict = value["additionalProperties"] is False and value["required"] == list(value["properties"])
                loose += [] if strict else [(name, path)]
    assert loose == []
