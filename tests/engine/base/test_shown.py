"""Nothing raw is shown: what carries words to a face demands `Shown`, and only what makes them fit makes it."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest

import smtp_wizard
from smtp_wizard.engine.base.errors import ShownError
from smtp_wizard.engine.base.file_ownership import UnsafeFile
from smtp_wizard.engine.base.shown import NO_WORDS, cut, halves, join, phrase, shown
from smtp_wizard.engine.base.stages import Stage
from smtp_wizard.engine.base.who import Who
from smtp_wizard.engine.checks.events import Line
from smtp_wizard.engine.checks.report import CheckResult, Speaker
from smtp_wizard.engine.diagnosis.finding import Finding
from smtp_wizard.engine.smtp.certificates import Certificate
from smtp_wizard.engine.smtp.protocol import Command, Reply, SmtpError
from smtp_wizard.engine.smtp.symptom import Fault, Hints, Symptom
from smtp_wizard.engine.smtp.tls import TlsFacts
from smtp_wizard.engine.smtp.wire_error import WireError
from smtp_wizard.runtime.exit_codes import CommandError
from smtp_wizard.runtime.expected_errors import EXPECTED_ERRORS as EXPECTED

RAW = "\x1b[2J"
PACKAGE = Path(smtp_wizard.__file__).parent


def test_the_type_checker_refuses_a_plain_str() -> None:
    """An unused `type: ignore` is an error too: were `str` accepted, mypy would say so of each of these lines."""
    Symptom(stage=Stage.AUTH, fault=Fault.REJECTED, words=RAW)  # type: ignore[arg-type]
    Symptom(stage=Stage.AUTH, fault=Fault.REJECTED, username=RAW)  # type: ignore[arg-type]
    Symptom(stage=Stage.AUTH, fault=Fault.REJECTED, facts={"issuer": RAW})  # type: ignore[dict-item]
    Finding(code="x", title=RAW, explanation=NO_WORDS, who=Who.YOU, steps=())  # type: ignore[arg-type]
    Finding(code="x", title=NO_WORDS, explanation=RAW, who=Who.YOU, steps=())  # type: ignore[arg-type]
    Finding(code="x", title=NO_WORDS, explanation=NO_WORDS, who=Who.YOU, steps=(RAW,))  # type: ignore[arg-type]
    Line(0.0, Stage.AUTH, Speaker.THEIRS, RAW, True)  # type: ignore[arg-type]
    phrase("{}", RAW)  # type: ignore[arg-type]
    join(" ", [RAW])  # type: ignore[list-item]


CODES = {
    Symptom: {"enhanced", "lacking", "provider", "secret_shape"},
    Finding: {"code", "broadly", "guide"},
    CheckResult: {"address", "mechanism"},
}
"""Text that is no words: ids of the data, codes and addresses that were parsed, names of mechanisms that we know."""


@pytest.mark.parametrize("kind", [Symptom, Hints, Finding, Line, CheckResult, Certificate, TlsFacts, Reply, Command])
def test_every_word_of_it_is_fit_to_be_shown(kind: type[Any]) -> None:
    """The keys of a mapping are names of ours."""
    raw = {field.name for field in fields(kind) if re.search(r"\bstr\b", field.type.replace("Mapping[str, ", ""))}
    assert raw == CODES.get(kind, set())


@pytest.mark.parametrize(
    ("kind", "name"),
    [
        (WireError, "words"),
        (SmtpError, "words"),
        (ShownError, "words"),
        (UnsafeFile, "words"),
        (CommandError, "message"),
    ],
)
def test_every_word_of_an_error_is_fit_to_be_shown(kind: type[Exception], name: str) -> None:
    assert kind.__init__.__annotations__[name] == "Shown"


def test_what_the_engine_raises_for_a_person_is_fit_to_be_shown() -> None:
    """Every face says these as they are."""
    assert all(issubclass(kind, ShownError | UnsafeFile) for kind in EXPECTED)


# --- nobody else makes it --------------------------------------------------------------------------------------------

HOME = "engine/base/shown.py"
TEMPLATES_OF_THE_DATA = {"engine/diagnosis/placeholders.py": "own_words"}
"""Where a phrase is no literal, and in which function: its words are those of data/, which nobody else writes."""


def calls(name: str) -> Iterator[tuple[str, ast.Call, str]]:
    """All calls of a function in the package, with the function that they stand in."""
    for path in sorted(PACKAGE.rglob("*.py")):
        where, text = path.relative_to(PACKAGE).as_posix(), path.read_text("utf-8")
        if not re.search(rf"\b{name}\s*\(", text):
            continue  # to take all of them apart takes seconds
        for function, node in _within(ast.parse(text), ""):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == name:
                yield where, node, function


def _within(node: ast.AST, function: str) -> Iterator[tuple[str, ast.AST]]:
    for child in ast.iter_child_nodes(node):
        inner = child.name if isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef) else function
        yield inner, child
        yield from _within(child, inner)


def _literal(node: ast.expr) -> bool:
    if isinstance(node, ast.IfExp):
        return _literal(node.body) and _literal(node.orelse)
    return isinstance(node, ast.Constant)


def _chosen(node: ast.expr, where: str) -> bool:
    """Whether a name stands for a literal, or a choice between some, in the same module."""
    if not isinstance(node, ast.Name):
        return False
    made = [
        each.value
        for each in ast.walk(ast.parse((PACKAGE / where).read_text("utf-8")))
        if isinstance(each, ast.Assign) and any(isinstance(t, ast.Name) and t.id == node.id for t in each.targets)
    ]
    return bool(made) and all(map(_literal, made))


def test_shown_is_made_in_one_place() -> None:
    assert {where for where, _, _ in calls("Shown")} == {HOME}
    assert [where for where, call, _ in calls("cast") if "Shown" in ast.unparse(call)] == []


def test_a_phrase_is_a_literal() -> None:
    """An f-string in its place would let anything in."""
    loose = {
        f"{where}:{call.lineno}"
        for where, call, function in calls("phrase")
        if not (_literal(call.args[0]) or _chosen(call.args[0], where)) and TEMPLATES_OF_THE_DATA.get(where) != function
    }
    assert loose == set()
    assert {f"{where}:{call.lineno}" for where, call, _ in calls("join") if not _literal(call.args[0])} == set()


# --- how it is put together ------------------------------------------------------------------------------------------


def test_parts_go_into_a_phrase_as_they_are() -> None:
    assert phrase("{} said: {}", shown("a\nb"), shown("{}\x07")) == "a b said: {}\\x07"
    assert phrase("no {part} in it") == "no {part} in it"


def test_what_is_cut_stays_fit_and_says_so() -> None:
    assert cut(shown("word word word"), 6) == "word…"
    assert cut(shown("word"), 4) == "word"
    assert cut(shown("x" * 600, 600)) == shown("x" * 600)


def test_what_is_cut_off_by_a_blank_at_the_end_says_so() -> None:
    assert shown("x" * 10 + " y", 10) == "x" * 9 + "…"
    assert shown(" " + "x" * 10 + "y", 10) == "x" * 9 + "…"


def test_halves_of_what_is_shown() -> None:
    assert halves(shown("AUTH PLAIN LOGIN"), " ") == ("AUTH", "PLAIN LOGIN")
    assert halves(shown("STARTTLS"), " ") == ("STARTTLS", "")
