"""What a walk over the screens waits for."""

from __future__ import annotations

import ast
import asyncio
from pathlib import Path
from typing import Any

import pytest

from smtp_wizard.engine.checks.report import Report
from smtp_wizard.engine.services.checks import Checks
from tests.support.places import PASSWORD
from tests.support.walk import make_services, walking
from tests.whole.test_tells_nothing import typed_name


async def test_a_check_has_ended_only_when_its_screen_has_done_with_it_what_it_does(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """All stages are there, and the focus is still to be moved: a key that is pressed now goes astray."""
    may_end = asyncio.Event()
    check_draft = Checks.check_draft

    async def held(*arguments: Any, **more: Any) -> Report:
        report = await check_draft(*arguments, **more)
        await may_end.wait()
        return report

    monkeypatch.setattr(Checks, "check_draft", held)
    async with walking(make_services(tmp_path), draft=typed_name("wrong-password")) as walk:
        await walk.at("connect")
        await walk.write(PASSWORD)
        signing_in = asyncio.ensure_future(walk.sign_in())
        await walk.until(lambda: walk.connect.check.failed is not None, "the last stage")
        await walk.settle()
        assert not signing_in.done()
        may_end.set()
        await signing_in
        assert walk.draft.refused


@pytest.mark.parametrize(
    ("line", "waits"),
    [
        ('assert walk.reads("words")', False),
        ('assert walk.reads("words") is (name == "known")', False),
        ('assert "words" in walk.shown', False),
        ('assert walk.reads("ok") or walk.reads("so")', False),
        ('assert not walk.reads("words")', True),
        ('assert "words" not in walk.line', True),
        ('await walk.until_reads("words")', True),
    ],
)
def test_words_asked_for_at_once_are_found(line: str, waits: bool) -> None:
    assert (not asked_at_once(f"async def test() -> None:\n    {line}")) is waits


def test_a_test_waits_for_the_words_it_wants_to_see() -> None:
    """A screen is painted after what it shows has come: on a busy computer, later than the next line of the test."""
    tests = Path(__file__).parents[1]
    assert not [
        f"{path.relative_to(tests)}:{number}"
        for path in sorted(tests.rglob("test_*.py"))
        for number in asked_at_once(path.read_text("utf-8"))
    ]


def asked_at_once(source: str) -> list[int]:
    """Return the lines that assert that words stand on the screen, without waiting for them."""
    found = []
    for node in ast.walk(ast.parse(source)):
        if not isinstance(node, ast.Assert):
            continue
        words = ast.unparse(node.test)
        absent = isinstance(node.test, ast.UnaryOp) or " not in walk." in words
        asked = "walk.reads(" in words or (" in walk." in words and words.endswith((".shown", ".line")))
        if asked and not absent:
            found.append(node.lineno)
    return found
