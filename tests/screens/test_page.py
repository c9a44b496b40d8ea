"""What all pages have in common: painted once, the keys they name, cards over them, and what moves."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import pytest
from textual._compositor import ReflowResult
from textual.content import Content
from textual.geometry import Region, Size
from textual.widget import Widget

from smtp_wizard.flows.flow import Card, Entry
from smtp_wizard.screens.panel import HelpPanel, QuestionPanel
from smtp_wizard.widgets.chips import Chips
from smtp_wizard.widgets.plain_text import PlainText
from smtp_wizard.widgets.toolkit import MovedOnly
from tests.support.pages import FAILED, OFFERS, RUNNING, PageApp, SamplePage, Way, rows
from tests.support.walk import key_event, settled, until

SIZES = [(60, 20), (80, 24), (120, 40), (200, 60)]


@asynccontextmanager
async def shown(
    folder: Path, size: tuple[int, int] = (80, 24), *, card: Card | None = FAILED
) -> AsyncIterator[tuple[PageApp, SamplePage]]:
    app = PageApp(lambda: SamplePage(folder, card))
    async with app.run_test(size=size) as pilot:
        await until(lambda: app.paintings, lambda: "nothing was painted")
        await pilot.pause()
        page = app.screen
        assert isinstance(page, SamplePage)
        yield app, page


async def repainted(app: PageApp) -> None:
    """Wait until what changed is painted: the toolkit gathers changes, and paints them in its next turn."""
    done = asyncio.Event()
    app.screen.call_after_refresh(done.set)
    await done.wait()
    await settled(app)


async def press(app: PageApp, *keys: str) -> None:
    for key in keys:
        app.post_message(key_event(key))
        await settled(app)
        await repainted(app)


@pytest.mark.parametrize("size", SIZES)
async def test_a_page_is_painted_once(size: tuple[int, int], tmp_path: Path) -> None:
    async with shown(tmp_path, size) as (app, _page):
        assert len(app.paintings) == 1


async def test_words_from_outside_are_read_for_no_markup(tmp_path: Path) -> None:
    async with shown(tmp_path) as (app, _page):
        text = "\n".join(rows(app))
        assert "Name [of it]" in text
        assert "as [you] like" in text
        assert "It has [10] characters" in text


async def test_the_first_key_says_what_enter_does_and_does_it(tmp_path: Path) -> None:
    async with shown(tmp_path) as (app, page):
        assert rows(app)[-1].split("  ")[1].strip() == "Enter Go on"
        await press(app, "down")
        assert "Enter Choose" in rows(app)[-1]
        await press(app, "enter")
        assert page.taken == [Way.PHONE]


async def test_what_cannot_be_taken_is_passed_over_and_a_closed_way_leads_on(tmp_path: Path) -> None:
    async with shown(tmp_path) as (app, page):
        await press(app, "down", "down", "down", "enter")
        assert page.taken == [Way.CLOSED]


async def test_help_names_every_key_and_escape_closes_it(tmp_path: Path) -> None:
    async with shown(tmp_path) as (app, page):
        await press(app, "f1")
        assert isinstance(app.screen, HelpPanel)
        text = "\n".join(rows(app))
        for key in page.all_keys():
            assert key.words in text
        assert "show or hide the password" in text
        await press(app, "escape")
        assert not app.screen.is_modal


async def test_a_question_over_the_page_gives_back_what_was_chosen(tmp_path: Path) -> None:
    answers: list[Way | None] = []
    async with shown(tmp_path) as (app, _page):
        app.push_screen(QuestionPanel(FAILED, OFFERS), answers.append)
        await settled(app)
        await press(app, "down", "enter")
        assert answers == [Way.PHONE]


async def test_the_page_beneath_stays_in_sight(tmp_path: Path) -> None:
    async with shown(tmp_path, (120, 40)) as (app, _page):
        await press(app, "f1")
        assert any("How does it look?" in row for row in rows(app))


@pytest.mark.parametrize("size", SIZES)
async def test_the_keys_fit_and_the_first_and_the_last_are_there(size: tuple[int, int], tmp_path: Path) -> None:
    async with shown(tmp_path, size) as (app, _page):
        foot = rows(app)[-1]
        assert len(foot) <= size[0]
        assert foot.strip().startswith("Enter Go on")
        assert foot.endswith("F10 Menu")
        assert app.screen.query_one(Chips).size.height == 1


async def test_a_field_says_what_is_wrong_where_its_hint_stood(tmp_path: Path) -> None:
    async with shown(tmp_path) as (app, page):
        before = rows(app)
        page.name_frame.show(Entry(label="Name [of it]", text="ana", error="It is taken."))
        await repainted(app)
        after = rows(app)
        changed = [y for y, (one, other) in enumerate(zip(before, after, strict=True)) if one != other]
        assert len(changed) == 1, "nothing moved"
        assert "It is taken." in after[changed[0]]
        assert page.name_frame.has_class("-bad")


async def test_what_the_flow_shows_does_not_move_the_cursor_of_who_types(tmp_path: Path) -> None:
    async with shown(tmp_path) as (app, page):
        await press(app, "home", "x")
        page.name_frame.show(Entry(label="Name", text="xana"))
        assert page.name_frame.field.cursor_position == 1


async def test_the_outcome_keeps_its_place_whatever_it_is(tmp_path: Path) -> None:
    async with shown(tmp_path, (80, 40), card=None) as (app, page):
        before = rows(app)
        page.card.show_card(FAILED)
        await repainted(app)
        after = rows(app)
        at = page.card.region
        assert at.height == 6
        assert before[: at.y] == after[: at.y]
        assert before[at.bottom :] == after[at.bottom :]


async def test_a_running_card_moves_and_rests_beneath_another_screen(tmp_path: Path) -> None:
    async with shown(tmp_path, (80, 40), card=RUNNING) as (app, page):
        first = rows(app)
        page.card._tick()
        await repainted(app)
        now = rows(app)
        changed = [y for y, (one, other) in enumerate(zip(first, now, strict=True)) if one != other]
        assert len(changed) == 1
        await press(app, "f1")
        painted = len(app.paintings)
        page.card._tick()
        await repainted(app)
        assert len(app.paintings) == painted


async def test_tab_repaints_the_two_fields_and_not_the_page(tmp_path: Path) -> None:
    async with shown(tmp_path) as (app, _page):
        app.paintings.clear()
        await press(app, "tab")
        assert app.paintings
        assert "LayoutUpdate" not in app.paintings


@pytest.mark.parametrize("size", [(99, 24), (100, 24)])
async def test_the_rail_is_there_from_a_hundred_columns_on(size: tuple[int, int], tmp_path: Path) -> None:
    async with shown(tmp_path, size) as (app, _page):
        wide = size[0] >= 100
        text = "\n".join(rows(app))
        assert ("Server    smtp.example" in text) is wide
        assert ("smtp.example, port 465" in text) is not wide


async def test_what_is_too_long_for_the_edge_of_a_field_is_folded_below_it(tmp_path: Path) -> None:
    why = "An e-mail address has an @ in the middle, for example ana@example.com, and no blanks in it."
    async with shown(tmp_path, (60, 20)) as (app, page):
        page.name_frame.show(Entry(label="Name", text="ana", error=why))
        await repainted(app)
        text = " ".join(" ".join(rows(app)).replace("│", " ").split())
        assert why in text


# --- what goes over the line ---


async def test_a_list_that_comes_and_goes_repaints_nothing_above_it(tmp_path: Path) -> None:
    """The toolkit would paint anew whatever has another number among its neighbours then."""
    async with shown(tmp_path, (80, 40)) as (_app, page):
        above = {page.name_frame.region, page.secret.region, page.card.region}
        dirty: set[Region] = set()
        reflow = MovedOnly.reflow

        def seen(self: MovedOnly, parent: Widget, size: Size) -> ReflowResult:
            result = reflow(self, parent, size)
            dirty.update(self._dirty_regions)
            return result

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(MovedOnly, "reflow", seen)
            page.offers.offer([])
            await until(lambda: dirty, lambda: "nothing was laid out anew")
        assert page.offers.display is False
        assert [each for each in dirty for part in above if each.overlaps(part)] == []


async def test_a_text_that_stays_the_same_is_not_painted_again(tmp_path: Path) -> None:
    async with shown(tmp_path) as (app, page):
        text = page.query_one(".narrow", PlainText)
        app.paintings.clear()
        text.update("smtp.example, port 465")
        page.banner.say("")
        await repainted(app)
        assert app.paintings == []
        text.update(Content.styled("smtp.example, port 465", "bold"))
        await repainted(app)
        assert app.paintings


async def test_a_running_card_paints_its_steps_with_the_next_movement_of_the_sign(tmp_path: Path) -> None:
    """Ten steps in a second are painted once, and the last one of them; what ends it is painted at once."""
    async with shown(tmp_path, card=RUNNING) as (app, page):
        assert page.card._ticker is not None
        page.card._ticker.pause()
        app.paintings.clear()
        for step in ("one", "two", "three"):
            page.card.show_card(replace(RUNNING, lines=(step,)))
        await repainted(app)
        assert app.paintings == []
        page.card._tick()
        await repainted(app)
        assert "three" in "\n".join(rows(app))
        app.paintings.clear()
        page.card.show_card(FAILED)
        await repainted(app)
        assert FAILED.title in "\n".join(rows(app))
        assert app.paintings


async def test_a_card_with_room_of_its_own_is_not_laid_out_for_another_row(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with shown(tmp_path, card=RUNNING) as (app, page):
        laid_out: list[Widget] = []
        reflow = MovedOnly.reflow

        def counted(self: MovedOnly, parent: Widget, size: Size) -> ReflowResult:
            laid_out.append(parent)
            return reflow(self, parent, size)

        monkeypatch.setattr(MovedOnly, "reflow", counted)
        page.card.show_card(replace(RUNNING, lines=("one", "two", "three")))
        page.card._tick()
        await repainted(app)
        assert "two" in "\n".join(rows(app))
        assert laid_out == []
