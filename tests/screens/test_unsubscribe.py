"""The screen of the unsubscribe link: a template is looked through beside it, whatever is in it."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from threading import Event

import pytest

from smtp_wizard.app import HOME
from smtp_wizard.engine.services.services import Services
from smtp_wizard.engine.unsubscribe import TemplateReport, check_template
from smtp_wizard.flows.areas import unsubscribe
from smtp_wizard.flows.areas.unsubscribe import FILE_NAME, LOOKING, NO_FILE, LinkField
from smtp_wizard.screens.accounts.home import HomeScreen
from smtp_wizard.screens.areas.unsubscribe import UnsubscribeScreen
from smtp_wizard.screens.details import SectionsPanel
from tests.support.patience import PATIENCE
from tests.support.walk import Walk, make_services, walking

GOOD = '<p>12 Main Street, Springfield, IL 62701 <a href="mailto:list@shop.test?subject=remove">Unsubscribe</a>'


@pytest.fixture
def services(tmp_path: Path) -> Services:
    return make_services(tmp_path)


@asynccontextmanager
async def making(services: Services) -> AsyncIterator[Walk]:
    async with walking(services, start=HOME) as walk:
        await walk.at_screen(HomeScreen)
        await walk.press("f10", "u")
        await walk.at_screen(UnsubscribeScreen)
        yield walk


async def test_a_template_is_looked_through(services: Services, tmp_path: Path) -> None:
    (tmp_path / "letter.html").write_text(GOOD, "utf-8")
    async with making(services) as walk:
        await walk.fill("#template Input", str(tmp_path / "letter.html"))
        await walk.press("enter")
        await walk.until_reads("There is a way to unsubscribe: mailto:list@shop.test?subject=remove")
        assert not walk.reads(LOOKING)
        await walk.fill("#template Input", str(tmp_path / "none.html"))
        await walk.press("enter")
        await walk.until_reads("No such file or directory")
        assert not walk.reads(LOOKING)
        assert not walk.reads("There is a way to unsubscribe"), "that was another template"


async def test_the_screen_takes_keys_while_a_template_is_looked_through(
    services: Services, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One types on, a second name takes over from the first, and Escape stops it, then leaves."""
    go_on, asked = Event(), list[bytes]()

    def slow(data: bytes) -> TemplateReport:
        asked.append(data)
        if data == b"first":
            assert go_on.wait(PATIENCE)
        return check_template(data)

    monkeypatch.setattr(unsubscribe, "check_template", slow)
    for name, words in (("a", "first"), ("b", GOOD), ("c", "first")):
        (tmp_path / name).write_text(words, "utf-8")
    async with making(services) as walk:
        await walk.fill("#template Input", str(tmp_path / "a"))
        await walk.press("enter")
        await walk.until_reads(LOOKING)
        await walk.until(lambda: asked, "the work")
        await walk.fill("#template Input", str(tmp_path / "b"))
        await walk.press("enter")
        await walk.until_reads("There is a way to unsubscribe")
        await walk.fill("#template Input", str(tmp_path / "c"))
        await walk.press("enter")
        await walk.until(lambda: len(asked) == 3, "the third template")
        await walk.until_reads("Esc Stop")
        await walk.press("escape")
        await walk.until(lambda: not walk.reads(LOOKING), "the end of it")
        await walk.press("escape")
        await walk.at_screen(HomeScreen)
        go_on.set()
        await walk.settle()
        assert asked == [b"first", GOOD.encode(), b"first"]
        walk.no_fault()


async def test_a_template_that_no_pattern_was_done_with(services: Services, tmp_path: Path) -> None:
    (tmp_path / "list.txt").write_bytes(b"Name: x\r\n" * 5000)
    async with making(services) as walk:
        await walk.fill("#template Input", str(tmp_path / "list.txt"))
        await walk.press("enter")
        await walk.until_reads("There is no link or address to unsubscribe with.")


async def test_a_pipe_is_no_template(services: Services, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    async with making(services) as walk:
        await walk.fill("#template Input", str(tmp_path / "pipe"))
        await walk.press("enter")
        await walk.until(lambda: not walk.reads(LOOKING) and walk.app.screen.query_one("#template Input"), "the end")
        await walk.press("escape")
        await walk.at_screen(HomeScreen)


async def test_what_is_marked_is_copied_as_it_stands_for_the_fields(services: Services) -> None:
    """It changes as one types; Enter says what is wrong with a field, and puts the cursor there."""
    async with making(services) as walk:
        await walk.fill("#address Input", "list@shop")
        assert not walk.reads("mailto:")
        await walk.press("down", "enter")
        screen = await walk.at_screen(UnsubscribeScreen)
        await walk.until(lambda: screen.frames[LinkField.ADDRESS].entry.error, "what is wrong")
        await walk.write("list@shop.test")
        await walk.until_reads("mailto:list@shop.test?subject=remove")
        await walk.press("enter")
        await walk.until_reads("Sent to your terminal")
        assert walk.app.clipboard == '<a href="mailto:list@shop.test?subject=remove">Unsubscribe from these e-mails</a>'
        await walk.press("f4")
        await walk.at_screen(SectionsPanel)
        await walk.until_reads("List-Unsubscribe: <mailto:list@shop.test?subject=remove>")


async def test_no_name_of_a_template_is_said_in_its_field(services: Services) -> None:
    async with making(services) as walk:
        await walk.press("tab", "tab", "tab")
        await walk.until_reads("Enter Look through it")
        await walk.press("enter")
        await walk.until_reads(NO_FILE)


async def test_all_of_it_is_written_once(services: Services, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file that is there is left as it is."""
    monkeypatch.chdir(tmp_path)
    async with making(services) as walk:
        await walk.fill("#address Input", "list@shop.test")
        await walk.press("down", "down", "down", "enter")
        await walk.until((tmp_path / FILE_NAME).exists, "the file")
        await walk.until_reads("Written")
        before = (tmp_path / FILE_NAME).read_text("utf-8")
        assert before.splitlines()[0] == "mailto:list@shop.test?subject=remove"
        await walk.fill("#subject Input", "stop")
        await walk.press("enter")
        await walk.until_reads("There is such a file already")
        assert (tmp_path / FILE_NAME).read_text("utf-8") == before
