"""JSON from outside: what is plain JSON is read, and everything else is refused in one sentence."""

from __future__ import annotations

import json
import traceback
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smtp_wizard.engine.base.strict_json import DEEPEST, JsonError, read_json


@pytest.mark.parametrize(
    ("source", "words"),
    [
        (b'{"a": 1, "a": 2}', "it has the same key twice in one place"),
        (b'[{"b": {"a": 1, "\\u0061": 2}}]', "it has the same key twice in one place"),
        (b'{"a": NaN}', "it is not complete JSON text"),
        (b'{"a": -Infinity}', "it is not complete JSON text"),
        (b'{"a": ', "it is not complete JSON text"),
        (b"{'a': 1}", "it is not complete JSON text"),
        (b"{} {}", "it is not complete JSON text"),
        (b"", "it is not complete JSON text"),
        ("\ufeff{}".encode(), "it is not complete JSON text"),
        ("{}".encode("utf-16"), "it is not UTF-8 text"),
        ('{"a": "ä"}'.encode("latin-1"), "it is not UTF-8 text"),
        (b'{"a": "\xed\xa0\x80"}', "it is not UTF-8 text"),
        (b"[" * 200_000, "it is nested too deeply"),
        (b"[" * (DEEPEST + 1) + b"]" * (DEEPEST + 1), "it is nested too deeply"),
        (b'{"a":' * (DEEPEST + 1) + b"1" + b"}" * (DEEPEST + 1), "it is nested too deeply"),
        (b'{"a": ' + b"1" * 10_000 + b"}", "it has a number in it that is too large"),
        (b'{"a": 1e999}', "it has a number in it that is too large"),
    ],
    ids=[
        *("doubled", "doubled inside, and escaped", "NaN", "infinity", "cut", "quotes", "two values", "empty", "BOM"),
        *("UTF-16", "Latin-1", "surrogate", "very deep", "deep list", "deep object", "digits", "exponent"),
    ],
)
def test_what_is_not_plain_json_is_refused(source: bytes, words: str) -> None:
    with pytest.raises(JsonError) as caught:
        read_json(source)
    assert str(caught.value) == words


def test_as_many_levels_as_are_read_are_read() -> None:
    assert read_json("[" * (DEEPEST - 1) + "[]" + "]" * (DEEPEST - 1)) != []


@pytest.mark.parametrize("source", ['{"password": "hunter22"', '{"hunter22": 1, "hunter22": 1}', b'["hunter22\xff"]'])
def test_no_error_has_the_text_in_it(source: str | bytes) -> None:
    with pytest.raises(JsonError) as caught:
        read_json(source)
    assert caught.value.__context__ is None
    assert "hunter22" not in "".join(traceback.format_exception(caught.value, chain=True)).split("JsonError")[-1]


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)


@given(json_values)
def test_whatever_python_writes_is_read_as_it_was(value: object) -> None:
    assert read_json(json.dumps(value)) == value
    assert read_json(json.dumps(value, ensure_ascii=False).encode()) == value


@given(st.binary())
def test_nothing_else_is_ever_raised(source: bytes) -> None:
    with suppress(JsonError):
        read_json(source)


def test_a_place_is_named_from_outside_inwards_and_made_fit_to_be_shown() -> None:
    problem = JsonError("is unknown", ("ho\x1b[2Jst\n" + "x" * 500,)).inside(3).inside("accounts")
    assert str(problem).startswith("'accounts[3].ho\\x1b[2Jst x")
    assert str(problem).endswith("…' is unknown")
    assert len(str(problem)) < 120
    assert str(JsonError("is unknown", (0, "a"))) == "'[0].a' is unknown"
