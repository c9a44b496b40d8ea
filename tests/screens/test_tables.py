"""Tables: each figure under its own head, whatever was typed and however the window was dragged before."""

from __future__ import annotations

import itertools
from datetime import UTC, datetime
from pathlib import Path

import pytest

import smtp_wizard
from smtp_wizard.app import HOME
from smtp_wizard.screens.accounts.home import HomeScreen
from smtp_wizard.screens.areas.limits import LimitsScreen
from smtp_wizard.widgets.frame import TextFrame
from smtp_wizard.widgets.rows import RowList
from tests.support.places import PLACES, standing
from tests.support.walk import Walk, make_services, walking

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)
SIZES = {"wide": (140, 30), "wider": (100, 24), "small": (60, 20), "usual": (80, 24)}


STEPS = ("wide", "small", "usual", "filter")


async def act(walk: Walk, step: str) -> None:
    """Do one of the things that lay the list out again."""
    if step in SIZES:
        await walk.pilot.resize_terminal(*SIZES[step])
        await walk.until(lambda: walk.app.size.width == SIZES[step][0], "the new size")
        await walk.settle()
    else:
        await walk.press("backspace" if walk.the("#limit-find", TextFrame).text else "o")


@pytest.mark.parametrize("first", STEPS)
async def test_limits_stand_under_their_heads_after_resizing_and_filtering_in_every_order(
    first: str, tmp_path: Path
) -> None:
    """Figures end where their heads end."""
    async with walking(make_services(tmp_path, now=lambda: NOON), start=HOME) as walk:
        await walk.press("f10", "l")
        await walk.at_screen(LimitsScreen)
        for order in itertools.permutations([each for each in STEPS if each != first], 2):
            for step in (first, *order):
                await act(walk, step)
            await walk.until(lambda: flush_right(walk), f"each figure under its head after {order}")


def flush_right(walk: Walk) -> bool:
    """Whether the figures of the rows shown end where the heads end, and are those of the list."""
    rows = walk.the("#limits", RowList)
    lines = walk.shown.splitlines()
    at = next(number for number, line in enumerate(lines) if "A day" in line)
    ends = [lines[at].index(head) + len(head) for head in ("A day", "An hour", "Largest")]
    for line, row in zip(lines[at + 1 :], rows.list[rows.top : rows.top + rows.page], strict=False):
        for end, cell in zip(ends, row.cells[1:], strict=True):
            if line[:end][-len(cell) :] != cell:
                return False
    return bool(rows.list)


async def test_the_row_that_is_chosen_stays_chosen(tmp_path: Path) -> None:
    async with walking(make_services(tmp_path, now=lambda: NOON), start=HOME) as walk:
        await walk.press("f10", "l")
        screen = await walk.at_screen(LimitsScreen)
        await walk.press(*["down"] * 30)
        chosen = screen.flow.chosen
        for size in SIZES:
            await act(walk, size)
            assert screen.flow.chosen is chosen
            await walk.until(lambda: any(line.startswith("  ▌ ") for line in walk.shown.splitlines()), "the mark")


async def test_accounts_stand_under_their_heads_in_every_window(tmp_path: Path) -> None:
    async with standing(PLACES["home"], tmp_path) as walk:
        await walk.at_screen(HomeScreen)
        for size in SIZES.values():
            await walk.pilot.resize_terminal(*size)
            await walk.settle()
            head, *rows = accounts_shown(walk)
            at = head.index("Last test")
            assert [row[at:].split("  ")[0].strip() for row in rows] == ["password refused", "today 12:00"]
            assert [row[head.index("Account") :].split("  ")[0] for row in rows] == ["Office", "Gmail ana"]
            if size[0] >= 80:
                assert [row[head.index("Sends") : at].strip() for row in rows] == ["everything", "invoices"]


async def test_a_list_takes_the_room_of_a_wide_window(tmp_path: Path) -> None:
    async with standing(PLACES["home"], tmp_path, size=(200, 60)) as walk:
        assert walk.the("#accounts", RowList).size.width > 100


def accounts_shown(walk: Walk) -> list[str]:
    """Return the head of the accounts' list and its rows, as they are shown."""
    region = walk.the("#accounts", RowList).region
    lines = [line[region.x : region.right] for line in walk.shown.splitlines()[region.y : region.bottom]]
    return [line for line in lines if line.strip()]


def test_no_screen_lays_out_a_table_of_the_toolkit() -> None:
    """It goes over the line cell by cell; ours is drawn by rows."""
    package = Path(smtp_wizard.__file__).parent
    files = [*(package / "screens").rglob("*.py"), *(package / "widgets").glob("*.py")]
    made = [file.name for file in files if "DataTable" in file.read_text("utf-8")]
    assert made == []
