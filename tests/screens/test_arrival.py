"""After the test mail, on the screens: the mailbox is read after a yes, and what was found stands on the page."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from smtp_wizard.engine.services.arrivals import Arrivals, Confirmation
from smtp_wizard.screens.question import FlowPanel
from tests.flows.accounts.test_arrival import FOUND
from tests.support.places import PLACES, standing


async def test_the_mailbox_is_read_after_a_yes_and_what_was_found_stands_on_the_page(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    looked: list[str] = []

    async def confirm(self: Arrivals, account: Any, secret: Any, to: Any, code: str, **_: Any) -> Confirmation:
        looked.append(code)
        return FOUND

    monkeypatch.setattr(Arrivals, "confirm", confirm)
    async with standing(PLACES["testmail-sent"], tmp_path) as walk:
        await walk.press("down", "down", "enter")
        await walk.at_screen(FlowPanel)
        await walk.press("escape")
        await walk.at("testmail")
        assert looked == []
        await walk.press("enter")
        await walk.at_screen(FlowPanel)
        await walk.until_reads("Nothing in a mailbox is changed.")
        await walk.press("enter")
        await walk.until_reads("A copy lies in Sent")
        assert looked == [walk.draft.test_word]
        assert walk.step == "testmail"
