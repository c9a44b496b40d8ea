"""After the test mail, on the screens: the mailbox is read after a yes, and what was found stands on the page."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from smtp_wizard.engine.accounts.account import Account
from smtp_wizard.engine.checks.report import Report
from smtp_wizard.engine.services.arrivals import Arrivals, Confirmation, Rehearsal
from smtp_wizard.engine.services.checks import Checks
from smtp_wizard.screens.question import FlowPanel
from smtp_wizard.text import test_mail as words
from smtp_wizard.text.areas.arrivals import WAIT_WORDS
from tests.flows.accounts.test_arrival import FOUND, TAKEN
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


async def test_a_rehearsal_that_is_stopped_asks_whether_to_wait_on_and_never_offers_to_send_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    waiting = asyncio.Event()

    async def taken(self: Checks, account: Account, *_: Any, **__: Any) -> Report:
        return Report(account.connection.endpoint, TAKEN)

    async def for_ever(self: Arrivals, *_: Any, **__: Any) -> Rehearsal:
        waiting.set()
        await asyncio.Event().wait()
        raise AssertionError("it is stopped before")

    monkeypatch.setattr(Checks, "check_account", taken)
    monkeypatch.setattr(Arrivals, "rehearse", for_ever)
    async with standing(PLACES["testmail-sent"], tmp_path) as walk:
        await walk.take(words.IT_IS_JUNK)
        await walk.take(words.REHEARSE)
        await walk.at_screen(FlowPanel)
        await walk.until_reads("Send nothing")
        await walk.press("down", "enter")
        await waiting.wait()
        await walk.press("escape")
        await walk.until_reads(WAIT_WORDS)
        assert not walk.reads("Send nothing")
        await walk.press("escape")
        await walk.until_reads("The server has taken the message.")
        assert walk.step == "testmail"
