"""What a walk over the screens waits for."""

from __future__ import annotations

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
