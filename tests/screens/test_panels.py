"""Cards over the page: a guide to follow, a web address, details to copy and to save, a question."""

from __future__ import annotations

import itertools
import stat
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import date
from enum import StrEnum
from pathlib import Path
from typing import Any, TypeVar

import pytest
from textual.content import Content
from textual.screen import Screen

from smtp_wizard.engine.base.endpoint import Endpoint, Security
from smtp_wizard.engine.base.shown import NO_WORDS, phrase
from smtp_wizard.engine.base.stages import Stage, Verdict
from smtp_wizard.engine.base.who import Who
from smtp_wizard.engine.checks.events import Line, RunFinished, StageFinished
from smtp_wizard.engine.checks.report import CheckResult, Report, Speaker
from smtp_wizard.engine.diagnosis.finding import Finding
from smtp_wizard.engine.guides.guides import Guide, GuideStep
from smtp_wizard.flows.check_view import CheckRecord
from smtp_wizard.flows.flow import Card, Entry, Mood, Offer, Section
from smtp_wizard.flows.guide_ticks import GuideView
from smtp_wizard.flows.question import Answer, Question, QuestionFlow
from smtp_wizard.output.plain_lines import TRANSCRIPT_LEGEND
from smtp_wizard.screens.areas.inbox import LetterPanel
from smtp_wizard.screens.details import NOTHING_YET, CheckDetails, SectionsPanel
from smtp_wizard.screens.guide import StepsPanel
from smtp_wizard.screens.keyed_screen import KeyedScreen
from smtp_wizard.screens.link import LinkPanel
from smtp_wizard.screens.panel import ConfirmPanel, HelpPanel, Panel, TextPanel
from smtp_wizard.screens.question import FlowPanel
from smtp_wizard.widgets.chips import Chip
from smtp_wizard.widgets.fault_containment import FaultContained
from smtp_wizard.widgets.lines import Paragraphs, fitted
from smtp_wizard.widgets.qr import qr_code
from tests.support.pages import PageApp, rows
from tests.support.walk import key_event, settled, until

URL = "https://myaccount.google.com/apppasswords"
MONDAY = date(2026, 11, 30)
P = TypeVar("P", bound=Panel[Any])
HERE = Endpoint("mail.example.test", 465, Security.TLS)


class Below(FaultContained, Screen[None]):
    """What the panels lie over."""


class OverApp(PageApp):
    """Remembers what is copied and opened."""

    def __init__(self) -> None:
        super().__init__(Below)
        self.copied: list[str] = []
        self.opened: list[str] = []

    def copy_to_clipboard(self, text: str) -> None:
        self.copied.append(text)

    def open_url(self, url: str, *, new_tab: bool = True) -> None:
        self.opened.append(url)

    async def press(self, *keys: str) -> None:
        for key in keys:
            self.post_message(key_event(key))
            await settled(self)

    async def show(self, panel: P) -> P:
        """Put a panel over the screen."""
        await self.push_screen(panel)
        await settled(self)
        return panel

    async def until(self, happened: Callable[[], object] | Screen[Any]) -> None:
        """Wait for something to come true, or for a screen to be shown."""
        here = happened if callable(happened) else lambda: self.screen is happened
        await until(here, lambda: self.text)
        await settled(self)

    @property
    def keys(self) -> Sequence[Chip]:
        """Every key that works now."""
        assert isinstance(self.screen, KeyedScreen)
        return self.screen.keys()

    @property
    def text(self) -> str:
        """What stands on the screen, in one line."""
        return " ".join(" ".join(rows(self)).replace("│", " ").split())


@asynccontextmanager
async def over(size: tuple[int, int] = (80, 24)) -> AsyncIterator[OverApp]:
    app = OverApp()
    async with app.run_test(size=size) as pilot:
        await pilot.pause()
        yield app


# --- a guide to follow ---


def guide(steps: int = 3, linked: int = 2) -> GuideView:
    """A guide; its step `linked` has a web address."""
    return GuideView(
        Guide(
            id="g",
            title="Make a key",
            paths=(),
            checked="2026-11-01",
            sources=(("A page", URL),),
            intro=("Before you begin.",),
            steps=tuple(
                GuideStep(at, f"Open {URL}", (URL,)) if at == linked else GuideStep(at, f"Do thing {at}.")
                for at in range(1, steps + 1)
            ),
            outro=("That was all.",),
            minutes=4,
        )
    )


async def test_enter_ticks_the_step_that_is_due_and_backspace_takes_the_last_tick_away() -> None:
    marked: list[tuple[int, bool]] = []

    def mark(number: int, done: bool) -> None:
        marked.append((number, done))

    async with over() as app:
        await app.show(StepsPanel(guide(), mark, app.open_url))
        assert "step 1 of 3" in app.text
        await app.press("enter", "enter")
        assert "step 3 of 3" in app.text
        await app.press("backspace")
        assert "step 2 of 3" in app.text
        await app.press("enter", "enter")
        assert "all steps done" in app.text
        assert marked == [(1, True), (2, True), (2, False), (2, True), (3, True)]


async def test_the_step_that_is_due_comes_into_sight() -> None:
    async with over() as app:
        await app.show(StepsPanel(guide(steps=40, linked=38), lambda number, done: None, app.open_url))
        assert "38" not in app.text
        await app.press(*["enter"] * 37)
        await app.until(lambda: "▸ 38 Open" in app.text)


async def test_o_opens_the_web_address_of_the_step_that_is_due_or_of_the_next_that_has_one() -> None:
    """After the last one, the first."""
    async with over() as app:
        await app.show(StepsPanel(guide(), lambda number, done: None, app.open_url))
        await app.press("o", "enter", "o", "enter", "o")
        assert app.opened == [URL] * 3


async def test_a_web_address_is_one_whole_word_on_the_screen() -> None:
    """It is never broken where there is room: people copy it from there."""
    async with over(size=(60, 24)) as app:
        await app.show(StepsPanel(guide(), lambda number, done: None, app.open_url))
        assert URL in app.text.split()


# --- a web address ---


async def test_a_web_address_is_shown_whole_with_a_code_for_a_phone_and_copied() -> None:
    async with over() as app:
        await app.show(LinkPanel(URL, local=False))
        assert URL in app.text.split()
        assert code_shows(app, URL)
        await app.press("c")
        assert app.copied == [URL]
        assert "sent to your terminal" in app.text
        await app.press("enter")
        assert app.opened == [], "no browser opens in front of this person"


async def test_a_browser_is_started_where_it_opens_before_the_person() -> None:
    async with over() as app:
        await app.show(LinkPanel(URL, local=True))
        assert "Enter Open it here" in app.text
        await app.press("enter")
        assert app.opened == [URL]


def code_shows(app: OverApp, url: str) -> bool:
    """Whether the whole code shows. Raises `AssertionError` where a part of it does."""
    shown, code = rows(app), qr_code(url).splitlines()
    there = sum(any(row in line for line in shown) for row in code)
    assert there in (0, len(code)) or not any("▀" in line for line in shown), "all of it or nothing"
    return bool(code) and there == len(code)


LONG = "https://login.example.test/authorize/" + "x" * 40
"""In two rows; with more letters no code fits a screen."""


@pytest.mark.parametrize(
    ("size", "url", "shows"),
    [((60, 20), URL, False), ((80, 24), LONG, True), ((80, 21), LONG, False), ((120, 40), f"{LONG}{LONG}", False)],
)
async def test_the_code_shows_where_all_of_it_has_room(size: tuple[int, int], url: str, shows: bool) -> None:
    async with over(size=size) as app:
        await app.show(LinkPanel(url, local=False))
        assert code_shows(app, url) is shows
        assert url in "".join(app.text.split())


# --- details ---


def record() -> CheckRecord:
    """A check whose sign-in was refused."""
    finding = Finding(
        code="bad_credentials",
        title=phrase("The password is wrong"),
        explanation=phrase("The server [bold]refused[/] it."),
        who=Who.PROVIDER,
        steps=(phrase("Paste it again."), phrase("Press Enter.")),
        guide="gmail",
        server_said=phrase("535 [@click=app.quit]no[/]"),
        fix=Endpoint("other.example.test", 587, Security.STARTTLS),
        forward=phrase("Please look at the account."),
    )
    seen = CheckRecord()
    for stage, verdict in ((Stage.DNS, Verdict.PASS), (Stage.AUTH, Verdict.FAIL)):
        failed = finding if verdict is Verdict.FAIL else None
        seen.take(Line(0.5, stage, Speaker.THEIRS, phrase("said {}", phrase(stage.value)), True))
        seen.take(StageFinished(CheckResult(stage, verdict, 0.012, NO_WORDS, failed)))
    seen.take(RunFinished(Report(HERE)))
    return seen


def details(seen: CheckRecord) -> CheckDetails:
    return CheckDetails(seen.view, seen.view.finding, seen.lines, today=MONDAY)


async def test_details_say_what_who_how_and_what_was_said() -> None:
    async with over(size=(80, 40)) as app:
        await app.show(details(record()))
        for words in (
            "✓ Find server 12 ms",
            "✗ Sign in",
            "The password is wrong",
            "The server [bold]refused[/] it.",
            "Who must act: Your mail provider",
            "1. Paste it again. 2. Press Enter.",
            "Try instead: other.example.test, port 587, STARTTLS",
            "535 [@click=app.quit]no[/]",
            "Please look at the account.",
            " ".join(TRANSCRIPT_LEGEND.split()),
            "S said auth",
        ):
            assert words in app.text
        await app.press("y")
        assert app.copied == ["Please look at the account."]
        await app.press("c")
        assert app.copied[1].startswith(TRANSCRIPT_LEGEND)
        await app.press("f4")
        assert isinstance(app.screen, Below)


async def test_the_conversation_is_saved_to_a_file_of_its_owner(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The checks, what is wrong, and what was said, unfolded; Enter takes the name that is proposed."""
    monkeypatch.chdir(tmp_path)
    async with over(size=(80, 40)) as app:
        panel = await app.show(details(record()))
        await app.press("s")
        assert isinstance(app.screen, FlowPanel)
        await app.press("enter")
        await app.until(panel)
        assert "saved as smtp-conversation-2026-11-30.txt" in app.text
    (file,) = tmp_path.iterdir()
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    text = file.read_text("utf-8")
    assert text.startswith("ok    Find server")
    assert "The server said: 535 [@click=app.quit]no[/]" in text
    assert f"{TRANSCRIPT_LEGEND}\n   0.500 S  said dns\n   0.500 S  said auth\n" in text


async def test_a_file_that_cannot_be_written_is_said_and_leaving_it_leads_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    async with over() as app:
        panel = await app.show(details(record()))
        await app.press("s")
        (tmp_path / "smtp-conversation-2026-11-30.txt").write_text("mine")
        await app.press("enter")
        await app.until(lambda: "There is a file of that name already." in app.text)
        await app.press("escape")
        await app.until(panel)
    (file,) = tmp_path.iterdir()
    assert file.read_text() == "mine"


async def test_what_is_longer_than_the_window_is_scrolled_by_the_arrows() -> None:
    async with over((60, 20)) as app:
        await app.show(details(record()))
        assert "S said auth" not in app.text
        await app.press(*["down"] * 20)
        await app.until(lambda: "S said auth" in app.text)
        await app.press(*["up"] * 20)
        await app.until(lambda: "✓ Find server" in app.text)


LONG = "connected over IPv6, and then nothing came for as long as it was waited for, here and there"


def long_row() -> CheckRecord:
    seen = CheckRecord()
    seen.take(StageFinished(CheckResult(Stage.CONNECT, Verdict.PASS, 0.012, phrase(LONG), None)))
    return seen


@pytest.mark.parametrize("width", [72, 52, 40])
@pytest.mark.parametrize("panel", [0, 1, 2], ids=["details", "sections", "letter"])
def test_what_is_long_is_folded_once_for_the_width_that_there_is(panel: int, width: int) -> None:
    """Folded before for another width, a row would be broken a second time in its midst."""
    told = Section("", (LONG,))
    made = (details(long_row()), SectionsPanel([told], points=True), LetterPanel("Hello", (told, Section("", ()))))
    found = [each.plain for each in Paragraphs(made[panel].rows).rows_at(width) if each.plain]
    assert " ".join(" ".join(found).split()).count(LONG) == 1
    assert max(map(len, found)) <= width
    for row, below in itertools.pairwise(found):
        assert len(row) + 1 + len(below.split()[0]) > width, f"{below!r} begins with a word that had room above"
    if panel == 0:
        assert all(each.startswith(" " * 17) for each in found[1:]), "below the words, not below the sign"


def test_a_row_that_is_folded_keeps_its_colours_and_a_web_address_is_broken_behind_a_slash() -> None:
    row = Content.assemble(("✗", "bold"), "  Reach port    ", ("see https://mail.example.org/help/ports/465", "red"))
    rows = fitted(row, 42)
    assert [each.plain.strip() for each in rows] == [
        "✗  Reach port    see",
        "https://mail.example.org/",
        "help/ports/465",
    ]
    assert [span.style for each in rows[1:] for span in each.spans] == ["red", "red"]


async def test_where_nothing_was_said_there_is_nothing_to_copy_or_save() -> None:
    async with over() as app:
        await app.show(details(CheckRecord()))
        assert NOTHING_YET in app.text
        assert not {"c", "s"} & {each.key for each in app.keys}


def test_another_check_begins_anew() -> None:
    seen = record()
    assert len(seen.lines) == 2
    seen.take(Line(0.1, Stage.DNS, Speaker.THEIRS, phrase("again"), True))
    assert [line.text for line in seen.lines] == ["again"]
    assert seen.view.results == ()


# --- every panel ---


async def test_a_panel_is_as_high_as_its_words() -> None:
    """Whatever their length: the column of the scrollbar is not for them."""
    async with over() as app:
        cut = []
        for letters in range(60, 80):
            panel = await app.show(TextPanel("Words", [Content("x" * letters), Content(f"{'y' * letters} here")]))
            cut += [letters] * (panel.box.max_scroll_y != 0)
            await app.press("escape")
        assert cut == []


async def test_f1_names_every_key_of_a_panel_those_too_for_which_the_foot_has_no_room() -> None:
    async with over((60, 20)) as app:
        panel = await app.show(details(record()))
        assert "Copy the message" not in rows(app)[-1]
        await app.press("f1")
        assert isinstance(app.screen, HelpPanel)
        for key in panel.all_keys():
            assert f"{'F1 ?' if key.key == 'f1' else key.words} {key.help}" in app.text
        await app.press("f1")
        await app.until(panel)


class Changing(QuestionFlow[str]):
    """A change that cannot be stopped, under way."""

    def __init__(self) -> None:
        super().__init__(Question(title="Move the password", running="Moving it ..."))

    async def act(self, offer: StrEnum) -> str | None:
        return None


async def test_a_panel_names_no_key_that_stops_what_cannot_be_stopped() -> None:
    async with over() as app:
        await app.show(FlowPanel(Changing()))
        await app.until(lambda: "Moving it" in app.text)
        assert "Esc stops" not in app.text
        assert "Esc leaves it" not in app.text


# --- a question ---


@pytest.mark.parametrize(
    ("keys", "answer"),
    [
        (["enter"], Answer.LEAVE),
        (["down", "enter"], Answer.DO),
        (["down", "up", "enter"], Answer.LEAVE),
        (["escape"], None),
    ],
)
async def test_the_careful_answer_has_the_mark(keys: list[str], answer: Answer | None) -> None:
    answers: list[Answer | None] = []
    async with over() as app:
        app.push_screen(ConfirmPanel("Leave now?", ["It is not saved."], yes="Leave", no="Stay here"), answers.append)
        await settled(app)
        assert "Enter Stay here" in app.text
        await app.press(*keys)
        assert answers == [answer]


class Renamed(QuestionFlow[str]):
    """A question whose answer leads to another one, with a title that is longer than the edge of a small window."""

    TITLE = "What becomes of the account that is for all mail now, and of its name?"

    def __init__(self) -> None:
        super().__init__(Question(title="First", offers=(Offer(Answer.DO, "Go on"),)))

    async def act(self, offer: StrEnum) -> str | None:
        self._ask(Question(title=self.TITLE, offers=(Offer(Answer.DO, "Give it up"),)))
        return None


async def test_a_title_that_is_too_long_for_the_edge_stands_in_the_card_whatever_led_to_it() -> None:
    async with over(size=(60, 20)) as app:
        await app.show(FlowPanel(Renamed()))
        assert "─ First ─" in app.text
        await app.press("enter")
        await app.until(lambda: "Enter Give it up" in app.text)
        await app.until(lambda: Renamed.TITLE in app.text)


class Hasty(QuestionFlow[str]):
    """A question whose answer leads to another one, and at once to what is being done."""

    def __init__(self) -> None:
        super().__init__(Question(title="First", offers=(Offer(Answer.DO, "Go on"),)))

    async def act(self, offer: StrEnum) -> str | None:
        asked = Question(title="Second", entries=(Entry(label="Field"),), offers=(Offer(Answer.DO, "Take it"),))
        self._ask(asked)
        self._ask(replace(asked, card=Card(mood=Mood.FAILED, title="That is not it")))
        return None


async def test_a_question_that_changes_before_it_is_drawn_is_drawn_as_it_is_then() -> None:
    async with over() as app:
        await app.show(FlowPanel(Hasty()))
        await app.press("enter")
        await app.until(lambda: "That is not it" in app.text and "─ Field ─" in app.text)
        await app.until(lambda: "Enter Take it" in app.text)
