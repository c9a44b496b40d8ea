"""What a walk over the screens waits for."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from smtp_wizard.engine.checks.report import Report
from smtp_wizard.engine.services.checks import Checks
from smtp_wizard.widgets.checks import CheckList
from tests.support.places import PASSWORD
from tests.support.walk import make_desk, walking
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
    async with walking(make_desk(tmp_path), draft=typed_name("wrong-password")) as walk:
        await walk.at("connect")
        checks = walk.the("#checks", CheckList)
        before = checks.results
        await walk.write(PASSWORD)
        await walk.press("enter")
        await walk.until(lambda: checks.over and checks.results is not before, "the last stage")
        assert not walk.ended(checks, before)
        may_end.set()
        await walk.until(lambda: walk.ended(checks, before), "the end of the check")
        assert walk.draft.refused
