"""The screen of the unsubscribe link: a template is looked through beside it, whatever is in it."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from threading import Event

import pytest

from smtp_wizard.app import TOOLS
from smtp_wizard.engine.services.desk import Desk
from smtp_wizard.engine.unsubscribe import TemplateReport, check_template
from smtp_wizard.screens import unsubscribe
from smtp_wizard.screens.tools import ToolsScreen
from smtp_wizard.screens.unsubscribe import LOOKING, UnsubscribeScreen
from tests.support.patience import PATIENCE
from tests.support.walk import Walk, make_desk, walking

GOOD = '<p>12 Main Street, Springfield, IL 62701 <a href="mailto:list@shop.test?subject=remove">Unsubscribe</a>'


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return make_desk(tmp_path)


@asynccontextmanager
async def making(desk: Desk) -> AsyncIterator[Walk]:
    async with walking(desk, start=TOOLS) as walk:
        await walk.app.switch_mode(TOOLS)
        await walk.at_screen(ToolsScreen)
        walk.app.push_screen(UnsubscribeScreen(walk.app.kit))
        await walk.at_screen(UnsubscribeScreen)
        yield walk


async def test_a_template_is_looked_through(desk: Desk, tmp_path: Path) -> None:
    (tmp_path / "letter.html").write_text(GOOD, "utf-8")
    async with making(desk) as walk:
        await walk.fill("#unsubscribe-file", str(tmp_path / "letter.html"))
        await walk.press("enter")
        await walk.until_reads("There is a way to unsubscribe: mailto:list@shop.test?subject=remove")
        assert not walk.reads(LOOKING)
        await walk.fill("#unsubscribe-file", str(tmp_path / "none.html"))
        await walk.press("f6")
        await walk.until_reads("No such file or directory")
        assert not walk.reads(LOOKING)
        assert not walk.reads("There is a way to unsubscribe"), "that was another template"


async def test_the_screen_takes_keys_while_a_template_is_looked_through(
    desk: Desk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One types on, a second name takes over from the first, and Escape leaves."""
    go_on, asked = Event(), list[bytes]()

    def slow(data: bytes) -> TemplateReport:
        asked.append(data)
        if data == b"first":
            assert go_on.wait(PATIENCE)
        return check_template(data)

    monkeypatch.setattr(unsubscribe, "check_template", slow)
    for name, words in (("a", "first"), ("b", GOOD), ("c", "first")):
        (tmp_path / name).write_text(words, "utf-8")
    async with making(desk) as walk:
        await walk.fill("#unsubscribe-file", str(tmp_path / "a"))
        await walk.press("enter")
        await walk.until_reads(LOOKING)
        await walk.until(lambda: asked, "the work")
        await walk.fill("#unsubscribe-file", str(tmp_path / "b"))
        await walk.press("enter")
        await walk.until_reads("There is a way to unsubscribe")
        await walk.fill("#unsubscribe-file", str(tmp_path / "c"))
        await walk.press("enter")
        await walk.until(lambda: len(asked) == 3, "the third template")
        await walk.press("escape")
        await walk.at_screen(ToolsScreen)
        go_on.set()
        await walk.settle()
        assert asked == [b"first", GOOD.encode(), b"first"]
        walk.no_fault()


async def test_a_template_that_no_pattern_was_done_with(desk: Desk, tmp_path: Path) -> None:
    (tmp_path / "list.txt").write_bytes(b"Name: x\r\n" * 5000)
    async with making(desk) as walk:
        await walk.fill("#unsubscribe-file", str(tmp_path / "list.txt"))
        await walk.press("enter")
        await walk.until_reads("There is no link or address to unsubscribe with.")


async def test_a_pipe_is_no_template(desk: Desk, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    async with making(desk) as walk:
        await walk.fill("#unsubscribe-file", str(tmp_path / "pipe"))
        await walk.press("enter")
        await walk.until(lambda: not walk.reads(LOOKING) and walk.app.screen.query_one("#unsubscribe-file"), "the end")
        await walk.press("escape")
        await walk.at_screen(ToolsScreen)
