"""The one way in which data files are read: strict, the same by either parser, and precise about what is wrong."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from smtp_wizard.engine.base import data_files
from smtp_wizard.engine.base.data_files import DataError, data_path, parse_yaml, read_yaml
from smtp_wizard.engine.base.strict_yaml import YamlDocument


@pytest.fixture(params=["C", "Python"], autouse=True)
def parser(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """Each test runs with the parser in C, and without it, as on platforms that lack it."""
    assert hasattr(yaml, "CSafeLoader"), "both parsers are to be tested"
    with monkeypatch.context() as patch:
        patch.setattr(data_files, "_loader", None)
        if request.param == "Python":
            patch.delattr(yaml, "CSafeLoader")
        yield request.param


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("no", "no"),
        ("yes", "yes"),
        ("on", "on"),
        ("Off", "Off"),
        ("True", "True"),
        ("true", True),
        ("false", False),
        ("null", None),
        ("~", None),
        ("Null", "Null"),
        ("0123", "0123"),
        ("0", 0),
        ("-7", -7),
        ("+7", "+7"),
        ("587", 587),
        ("0x1F", "0x1F"),
        ("0o17", "0o17"),
        ("0b1", "0b1"),
        ("1_000", "1_000"),
        ("1e3", "1e3"),
        ("1.5", 1.5),
        (".5", ".5"),
        ("1.", "1."),
        ("5.7.8", "5.7.8"),
        (".inf", ".inf"),
        (".NaN", ".NaN"),
        ("12:30", "12:30"),
        ("190:20:30", "190:20:30"),
        ("2026-11-23", "2026-11-23"),
        ("2026-11-23 10:00:00", "2026-11-23 10:00:00"),
        ("=", "="),
        ("<<", "<<"),
        ("'587'", "587"),
        ('"true"', "true"),
        ("''", ""),
    ],
)
def test_a_value_is_what_was_written(text: str, value: object) -> None:
    """Plain YAML reads `no` as false, 0123 as 83, 12:30 as 750, and a date as another thing than its text."""
    read = parse_yaml(f"key: {text}\n", "test.yaml")["key"]
    assert read == value
    assert type(read) is type(value)


def test_nothing_is_null() -> None:
    assert parse_yaml("key:\n", "test.yaml") == {"key": None}
    assert parse_yaml("", "test.yaml") is None
    assert parse_yaml("# only a comment\n", "test.yaml") is None


def test_lists_and_mappings_and_folded_text() -> None:
    text = "a:\n  - {b: 1, c: [x, y]}\n  - >-\n    one\n    two\n  - |\n    three\n    four\n"
    assert parse_yaml(text, "test.yaml") == {"a": [{"b": 1, "c": ["x", "y"]}, "one two", "three\nfour\n"]}


REFUSED: dict[str, tuple[str, str]] = {
    "a key twice": ("a: 1\nb: 2\na: 3\n", "line 3, column 1: the key 'a' stands twice"),
    "a key twice, deep": ("x:\n  - {a: 1, 'a': 2}\n", "line 2, column 12: the key 'a' stands twice"),
    "an alias": ("a: &here [1]\nb: *here\n", "aliases are not used"),
    "a merge": ("a: &here {x: 1}\nb:\n  <<: *here\n", "aliases are not used"),
    "an alias to itself": ("a: &here [*here]\n", "aliases are not used"),
    "a tag of Python": ("a: !!python/object/apply:os.system ['true']\n", "line 1"),
    "a tag of one's own": ("a: !mine 1\n", "line 1"),
    "a list as a key": ("? [1, 2]\n: x\n", "a key must be text"),
    "null as a key": ("~: x\n", "a key must be text"),
    "true as a key": ("true: x\n", "a key must be text"),
    "a fraction as a key": ("1.5: x\n", "a key must be text"),
    "a bracket too few": ("a: [1, 2\n", "line"),
    "a tab": ("a:\n\tb: 1\n", "line 2"),
    "two documents": ("a: 1\n---\nb: 2\n", "line 2"),
    "a NUL": ("a: \0\n", "test.yaml"),
    "an escape": ("a: \x1b[2J\n", "test.yaml"),
    "too deep": ("[" * 60 + "]" * 60, "nested too deep"),
}


@pytest.mark.parametrize(("text", "words"), REFUSED.values(), ids=REFUSED.keys())
def test_traps_are_refused_with_the_place(text: str, words: str) -> None:
    with pytest.raises(DataError) as caught:
        parse_yaml(text, "test.yaml")
    assert str(caught.value).startswith("test.yaml")
    assert words in str(caught.value)
    assert "\n" not in str(caught.value)
    assert "\x1b" not in str(caught.value)


@pytest.mark.parametrize("depth", [1_000, 100_000])
def test_a_file_that_is_nothing_but_brackets_is_refused_and_brings_nothing_down(depth: int, parser: str) -> None:
    with pytest.raises(DataError):
        parse_yaml("[" * depth, "test.yaml")
    with pytest.raises(DataError):
        parse_yaml("{a: " * depth, "test.yaml")


def test_a_laugh_by_the_billion_is_no_work() -> None:
    lines = ["a0: &a0 [x, x]"] + [f"a{n}: &a{n} [*a{n - 1}, *a{n - 1}]" for n in range(1, 60)]
    with pytest.raises(DataError, match="aliases"):
        parse_yaml("\n".join(lines), "test.yaml")


@pytest.mark.parametrize("text", ["2026", "2026-02", "2026-02-28", "undated"])
def test_a_date_may_be_of_a_day_a_month_or_a_year(text: str, tmp_path: Path) -> None:
    file = tmp_path / "data.yaml"
    file.write_text(f"date: '{text}'\n")
    assert YamlDocument(file).root.read(lambda root: root.date("date")) == text


@pytest.mark.parametrize(
    "text", ["2026-02-30", "2026-13", "20260228", "2026-W09-2", "\u0662\u0660\u0662\u0666", "26-02"]
)
def test_what_is_no_date_is_refused(text: str, tmp_path: Path) -> None:
    file = tmp_path / "data.yaml"
    file.write_text(f"date: '{text}'\n", "utf-8")
    with pytest.raises(DataError, match=r"must be a date such as 2026-11-23"):
        YamlDocument(file).root.read(lambda root: root.date("date"))


def test_a_number_as_a_key_is_its_text_or_number() -> None:
    """Reply codes stand as keys in the rules."""
    assert list(parse_yaml("535: x\n", "test.yaml")) in ([535], ["535"])


def test_a_file_that_is_no_text(tmp_path: Path) -> None:
    file = tmp_path / "mine.yaml"
    file.write_bytes(b"a: \xff\xfe\n")
    with pytest.raises(DataError, match=r"mine\.yaml: not UTF-8"):
        read_yaml(file)


@pytest.mark.parametrize("begin", ["", "\ufeff", "%YAML 1.1\n---\n"])
def test_how_a_file_begins_changes_nothing(tmp_path: Path, begin: str) -> None:
    file = tmp_path / "mine.yaml"
    file.write_text(f"{begin}a: no\n", "utf-8")
    assert read_yaml(file) == {"a": "no"}


def test_our_own_files_are_the_same_by_either_parser(monkeypatch: pytest.MonkeyPatch) -> None:
    for file in sorted(data_path().glob("*.yaml")):
        here = read_yaml(file)
        with monkeypatch.context() as patch:
            patch.setattr(data_files, "_loader", None)
            if hasattr(yaml, "CSafeLoader"):
                patch.delattr(yaml, "CSafeLoader")
            assert read_yaml(file) == here


def compiled(tmp_path: Path, text: str = "a: no\nb: [1, 2.5, true, null]\n") -> Path:
    """Write a file and its compiled form; return the file."""
    file = tmp_path / "mine.yaml"
    file.write_text(text, "utf-8")
    data_files.compile_yaml(file)
    return file


def test_the_compiled_form_is_read_while_it_is_of_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = compiled(tmp_path)
    with monkeypatch.context() as patch:
        patch.delattr(data_files, "parse_yaml")
        assert read_yaml(file) == {"a": "no", "b": [1, 2.5, True, None]}
    file.write_text("a: new\n", "utf-8")
    assert read_yaml(file) == {"a": "new"}


def test_a_compiled_form_that_somebody_has_changed_is_not_believed(tmp_path: Path) -> None:
    """It would send passwords to another server, while the YAML that people read and compare says the right one."""
    file = compiled(tmp_path, "host: smtp.example.com\n")
    form = data_files.compiled_path(file)
    whole = form.read_bytes()
    form.write_bytes(whole.replace(b"smtp.example.com", b"smtp.evil.example"))
    assert read_yaml(file) == {"host": "smtp.example.com"}
    for at in range(len(whole)):
        form.write_bytes(whole[:at] + bytes([whole[at] ^ 1]) + whole[at + 1 :])
        assert read_yaml(file) == {"host": "smtp.example.com"}
    form.write_bytes(whole + b" ")
    assert read_yaml(file) == {"host": "smtp.example.com"}


def test_a_compiled_form_of_another_file_is_not_believed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Not even where what was moved from one to the other makes the same bytes of both."""
    file = compiled(tmp_path, "a: no\n")
    form = data_files.compiled_path(file)
    content = form.read_bytes().partition(b"\n")[2]
    form.write_bytes(data_files._checksum(b"a: no", b"\n" + content) + b"\n" + content)
    with monkeypatch.context() as patch:
        patch.setattr(data_files, "parse_yaml", lambda text, name: "the file itself")
        assert read_yaml(file) == "the file itself"


@pytest.mark.parametrize("damage", [b"", b"\xff", b"{", b"6 5 00000000\n{}", b"[" * 100_000])
def test_a_damaged_compiled_form_is_passed_over(tmp_path: Path, damage: bytes) -> None:
    file = compiled(tmp_path)
    form = data_files.compiled_path(file)
    checksum = form.read_bytes().partition(b"\n")[0]
    for content in (
        damage,
        checksum + b"\n" + damage,
        data_files._checksum(file.read_bytes(), damage) + b"\n" + damage,
    ):
        form.write_bytes(content)
        assert read_yaml(file)["a"] == "no"


def test_what_json_cannot_say_is_not_compiled(tmp_path: Path) -> None:
    file = tmp_path / "mine.yaml"
    file.write_text("535: x\n", "utf-8")
    with pytest.raises(DataError, match="JSON cannot"):
        data_files.compile_yaml(file)
    assert read_yaml(file) == {535: "x"}


def test_our_own_files_say_the_same_compiled(tmp_path: Path) -> None:
    for file in sorted(data_path().glob("*.yaml")):
        copy = tmp_path / file.name
        copy.write_bytes(file.read_bytes())
        plain = parse_yaml(copy.read_text("utf-8"), copy.name)
        data_files.compile_yaml(copy)
        assert read_yaml(copy) == plain


WITHIN_FOUR = st.characters(codec="utf-8", max_codepoint=0xFFFF)
"""JSON writes the rest as two halves, which YAML does not put together."""
PLAIN = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**9), 10**9) | st.text(WITHIN_FOUR, max_size=20),
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.text(WITHIN_FOUR, min_size=1, max_size=10), inner, max_size=4)
    ),
    max_leaves=12,
)


def same(one: Any, other: Any) -> bool:
    return bool(one == other) and type(one) is type(other)


@given(PLAIN)
def test_json_is_read_as_json(value: Any) -> None:
    """Every JSON text is YAML; what quotes say is text stays text."""
    data_files._loader = None
    assert same(parse_yaml(json.dumps({"value": value}), "test.yaml")["value"], value)


@given(st.text(max_size=60))
def test_any_text_is_read_or_refused_by_name(text: str) -> None:
    data_files._loader = None
    words = "test.yaml"
    try:
        parse_yaml(text, "test.yaml")
    except DataError as problem:
        words = str(problem)
    assert words.startswith("test.yaml")
