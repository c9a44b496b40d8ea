"""The parts that screens are made of, each alone on a bench: what a person sees of them, and what their keys do."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
from textual import events
from textual.app import App, ComposeResult
from textual.content import Content
from textual.pilot import Pilot
from textual.widget import Widget

import smtp_wizard
from smtp_wizard.engine.guides.guides import Guide, GuideStep
from smtp_wizard.engine.providers.provider import Alphabet, SecretForm
from smtp_wizard.flows.flow import Offer
from smtp_wizard.flows.guide_ticks import GuideView
from smtp_wizard.widgets.chips import CHOOSE
from smtp_wizard.widgets.fields import LONGEST_PASTE, SecretInput, TextInput
from smtp_wizard.widgets.guide_steps import due_line
from smtp_wizard.widgets.offers import OfferList
from smtp_wizard.widgets.plain_text import PlainText
from smtp_wizard.widgets.qr import qr_code
from smtp_wizard.widgets.themes import OWN
from tests.support.walk import in_one_line, shown, until

APP_PASSWORD = SecretForm(length=16, alphabet=Alphabet.LETTERS, groups=4)
LETTERS = "abcdefghijklmnop"
URL = "https://myaccount.google.com/apppasswords"


class Bench(App[None]):
    """Holds the parts that are tried out, and remembers what is taken and what they copy."""

    AUTO_FOCUS = ""
    CSS_PATH = str(Path(smtp_wizard.__file__).parent / "page.tcss")

    def __init__(self, *parts: Widget) -> None:
        super().__init__()
        for theme in OWN:
            self.register_theme(theme)
        self.theme = "dark"
        self.animation_level = "none"
        self.parts = parts
        self.taken: list[Offer[str]] = []
        self.copied: list[str] = []

    def compose(self) -> ComposeResult:
        yield from self.parts

    def copy_to_clipboard(self, text: str) -> None:
        self.copied.append(text)

    def on_offer_list_chosen(self, message: OfferList.Chosen) -> None:
        self.taken.append(message.offer)


@dataclass
class Bencher:
    """Somebody at the bench."""

    app: Bench
    pilot: Pilot[None]

    async def press(self, *keys: str) -> None:
        await self.pilot.press(*keys)
        await self.pilot.pause()

    async def paste(self, text: str) -> None:
        assert self.app.focused is not None
        self.app.focused.post_message(events.Paste(text))
        await self.pilot.pause()

    async def until_reads(self, words: str) -> None:
        await until(lambda: words in self.line, lambda: f"{words!r} never came:\n{self.shown}")

    @property
    def shown(self) -> str:
        return shown(self.app)

    @property
    def line(self) -> str:
        return in_one_line(self.shown)

    @property
    def rows(self) -> list[str]:
        """The rows of the screen that are not empty."""
        return [row.strip() for row in self.shown.splitlines() if row.strip()]


@asynccontextmanager
async def bench(*parts: Widget, size: tuple[int, int] = (80, 24)) -> AsyncIterator[Bencher]:
    app = Bench(*parts)
    async with app.run_test(size=size) as pilot:
        await pilot.pause()
        app.action_focus_next()
        await pilot.pause()
        yield Bencher(app, pilot)


# --- SecretInput ---


@pytest.mark.parametrize(
    "pasted",
    [
        "abcd efgh ijkl mnop",
        "abcd\u00a0efgh\u00a0ijkl\u00a0mnop",
        "\u200babcdefgh\u200dijklmnop\ufeff",
        "abcdefghijklmnop\n",
        "\nabcdefghijklmnop",
        "\r\n  abcd efgh\r\nijkl mnop \t",
    ],
    ids=["blanks", "no-break", "zero-width", "newline", "leading-newline", "all-of-it"],
)
async def test_a_pasted_app_password_is_tidied(pasted: str) -> None:
    """However it was copied, sixteen letters stand in the field."""
    entry = SecretInput(form=APP_PASSWORD)
    async with bench(entry) as at:
        await at.paste(pasted)
        assert entry.value == LETTERS
        assert at.rows[0] == "*" * 16


@pytest.mark.parametrize("form", [None, APP_PASSWORD], ids=["any-password", "app-password-wanted"])
@pytest.mark.parametrize(
    ("pasted", "kept"),
    [
        (" pass  word ", " pass  word "),
        ("pa\u00a0ss", "pa\u00a0ss"),
        ("p\u200bass\u00ad", "pass"),
        ("pässwörd€", "pässwörd€"),
        ("secret\r\n", "secret"),
        ("\nsecret", "secret"),
        ("\x1b[31msecret", "[31msecret"),
    ],
)
async def test_another_password_loses_only_what_cannot_be_seen(form: SecretForm | None, pasted: str, kept: str) -> None:
    """Blanks may be part of a password: they stay, wherever they are."""
    entry = SecretInput(form=form)
    async with bench(entry) as at:
        await at.paste(pasted)
        assert (entry.value, entry.secret) == (kept, kept)


@pytest.mark.parametrize("kind", [TextInput, SecretInput])
async def test_of_megabytes_in_one_row_the_beginning_is_taken(kind: type[TextInput]) -> None:
    """It is drawn again at every key."""
    entry = kind()
    async with bench(entry) as at:
        await at.paste("x" * 5_000_000)
        assert entry.value == "x" * LONGEST_PASTE
        await at.paste("\ny" * 2_000_000)
        assert len(entry.value) <= 2 * LONGEST_PASTE


async def test_a_paste_takes_the_place_of_what_is_selected() -> None:
    entry = SecretInput(form=APP_PASSWORD)
    async with bench(entry) as at:
        entry.value = "wrong"
        entry.select_all()
        await at.paste("abcd efgh ijkl mnop")
        assert entry.value == LETTERS


async def test_blanks_that_were_typed_into_an_app_password_are_dropped_too() -> None:
    """A terminal without bracketed paste sends a paste as keys."""
    entry = SecretInput(form=APP_PASSWORD)
    async with bench(entry) as at:
        await at.press(*"abcd", "space", *"efgh", "space", *"ijkl", "space", *"mnop")
        assert entry.value == "abcd efgh ijkl mnop"
        assert entry.secret == LETTERS


@pytest.mark.parametrize("key", ["ctrl+c", "super+c", "ctrl+x", "ctrl+insert", "shift+delete"])
async def test_a_password_is_never_copied_out(key: str) -> None:
    """Neither copying nor cutting sends anything to the terminal's clipboard (OSC 52)."""
    entry = SecretInput()
    async with bench(entry) as at:
        entry.value = "hunter2 hunter2"
        for reveal in (False, True):
            entry.password = not reveal
            entry.select_all()
            await at.press(key)
            assert at.app.copied == []
            assert at.app.clipboard == ""
        assert "hunter2" in entry.value


async def test_an_ordinary_field_can_be_copied_so_the_test_above_can_fail() -> None:
    entry = TextInput()
    async with bench(entry) as at:
        entry.value = "ana@example.com"
        entry.select_all()
        await at.press("ctrl+c")
        assert at.app.copied == ["ana@example.com"]


async def test_f2_shows_and_hides_a_password() -> None:
    async with bench(SecretInput()) as at:
        await at.press(*"hunter2")
        assert at.rows[0] == "*******"
        await at.press("f2")
        assert at.rows[0] == "hunter2"
        await at.press("f2")
        assert at.rows[0] == "*******"


# --- qr_code ---


def test_a_code_is_square_has_a_quiet_edge_and_fits_a_screen() -> None:
    """Two modules of height to a row; an edge of light all around it (ISO/IEC 18004 asks for one)."""
    rows = qr_code(URL).splitlines()
    assert len({len(row) for row in rows}) == 1
    assert abs(len(rows[0]) - 2 * len(rows)) <= 3
    assert len(rows) <= 19
    assert all(row.startswith("██") and row.endswith("██") for row in rows[:-1])
    assert qr_code(URL) != qr_code(URL + "x")


def test_a_code_that_would_not_fit_is_left_out() -> None:
    assert qr_code("https://example.com/" + "x" * 500) == ""


# --- Plain ---


async def test_words_that_stand_there_already_are_not_painted_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """Other words are, and the same words in another tone."""
    said = PlainText(Content("as before"))
    async with bench(said) as at:
        painted: list[Widget] = []
        monkeypatch.setattr(PlainText, "refresh", lambda widget, **_: painted.append(widget))
        said.put(Content("as before"))
        assert painted == []
        said.put(Content.styled("as before", "bold"))
        said.put(Content("other"))
        assert painted == [said, said]
        monkeypatch.undo()
        said.refresh()
        await at.until_reads("other")


# --- the step that is due ---


def due(text: str, width: int = 74) -> list[str]:
    guide = Guide("g", "Make a key", (), "2026-11-01", (), (), (GuideStep(1, text),), ())
    return due_line(GuideView(guide), width).plain.split("\n")


def test_the_step_that_is_due_is_cut_only_where_two_rows_do_not_hold_it() -> None:
    assert due("Press Create.")[0].startswith("Step 1 of 1  Press Create.")
    assert due("Press Create.")[0].endswith("F6 all the steps")
    rows = due("Type the practice password of this program: abcd efgh ijkl mnop")
    assert rows == [
        "Step 1 of 1  Type the practice password of this program: abcd efgh ijkl",
        "             mnop  F6 all the steps",
    ]
    long = due("word " * 60)
    assert len(long) == 2
    assert "…  F6 all the steps" in long[1]
    assert max(map(len, long)) <= 74


# --- OfferList ---


@pytest.mark.parametrize(
    ("verb", "said"),
    [("Go on", "take 'Go on'"), ("'Less secure apps' with a password", "take \"'Less secure apps' with a password\"")],
)
def test_the_help_quotes_an_offer_in_other_quotes_than_its_own(verb: str, said: str) -> None:
    assert OfferList([Offer("one", verb)]).chip().help == said


def fruit() -> OfferList[str]:
    return OfferList(
        [Offer("apple", "Apple", "[red]"), Offer("fig", "Fig", off="None is ripe."), Offer("lime", "Lime")], id="fruit"
    )


async def test_the_offer_with_the_mark_shows_without_colour() -> None:
    """The mark stands before each row of it and before no other; words are read for no markup."""
    async with bench(fruit()) as at:
        assert at.rows == ["▌ Apple", "▌ [red]", "Fig", "None is ripe.", "Lime"]


async def test_the_mark_stops_at_the_ends_and_passes_over_what_cannot_be_taken() -> None:
    offers = fruit()
    async with bench(offers) as at:
        marked = []
        for key in ("up", "down", "down", "up"):
            await at.press(key)
            marked.append(offers.selected.id if offers.selected is not None else "")
        assert marked == ["apple", "lime", "lime", "apple"]


async def test_a_click_takes_an_offer_and_space_does_not() -> None:
    async with bench(fruit()) as at:
        await at.press("space")
        await at.pilot.click("#fruit", offset=(4, 3))
        assert at.app.taken == []
        await at.pilot.click("#fruit", offset=(4, 6))
        await at.pilot.pause()
        assert [each.id for each in at.app.taken] == ["lime"]


async def test_other_offers_have_the_mark_on_the_first() -> None:
    offers = fruit()
    async with bench(offers) as at:
        await at.press("down")
        offers.offer([Offer("plum", "Plum"), Offer("lime", "Lime")])
        assert offers.chip().help == "take 'Plum'"
        offers.offer([])
        assert offers.chip() is CHOOSE
        assert not offers.display
