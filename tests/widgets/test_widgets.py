"""The parts that screens are made of, each alone on a bench: what a person sees of them, and what their keys do."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from textual import events
from textual.app import App, ComposeResult
from textual.binding import Binding
from textual.content import Content
from textual.message import Message
from textual.pilot import Pilot
from textual.screen import Screen
from textual.widget import Widget

from smtp_wizard.engine.base.address import Address
from smtp_wizard.engine.base.endpoint import Endpoint, Security
from smtp_wizard.engine.base.errors import InputError
from smtp_wizard.engine.base.shown import phrase
from smtp_wizard.engine.base.stages import Stage, Verdict
from smtp_wizard.engine.base.who import Who
from smtp_wizard.engine.checks.events import RunFinished, StageFinished, StageStarted
from smtp_wizard.engine.checks.report import CheckResult, Report
from smtp_wizard.engine.diagnosis.finding import Finding
from smtp_wizard.engine.guides.guides import Guide, GuideStep
from smtp_wizard.engine.providers.provider import Alphabet, SecretForm
from smtp_wizard.engine.wizard.draft import Draft
from smtp_wizard.engine.wizard.steps import StepId, step
from smtp_wizard.flows.flow import Offer
from smtp_wizard.flows.guide import GuideView
from smtp_wizard.screens.dialogs import LinkScreen
from smtp_wizard.widgets.checks import CheckList
from smtp_wizard.widgets.choices import Choice, Choices
from smtp_wizard.widgets.fields import LONGEST_PASTE, Field, SecretInput, TextInput
from smtp_wizard.widgets.finding_card import FindingCard
from smtp_wizard.widgets.guide import GuidePane
from smtp_wizard.widgets.guide_steps import due_line
from smtp_wizard.widgets.key_hints import KeyHints
from smtp_wizard.widgets.offers import OfferList
from smtp_wizard.widgets.qr import qr_code
from smtp_wizard.widgets.stepper import Stepper
from smtp_wizard.widgets.text import Plain
from tests.support.walk import in_one_line, shown, until

APP_PASSWORD = SecretForm(length=16, alphabet=Alphabet.LETTERS, groups=4)
LETTERS = "abcdefghijklmnop"
URL = "https://myaccount.google.com/apppasswords"


class Bench(App[None]):
    """Holds the parts that are tried out, and remembers what they say and what they copy."""

    AUTO_FOCUS = ""
    CSS_PATH = str(Path(__file__).parents[2] / "smtp_wizard" / "app.tcss")

    def __init__(self, *parts: Widget) -> None:
        super().__init__()
        self.animation_level = "none"
        self.parts = parts
        self.heard: list[Message] = []
        self.copied: list[str] = []

    def compose(self) -> ComposeResult:
        yield from self.parts

    def copy_to_clipboard(self, text: str) -> None:
        self.copied.append(text)

    def on_choices_taken(self, message: Choices.Taken) -> None:
        self.heard.append(message)

    def on_guide_pane_open_link(self, message: GuidePane.OpenLink) -> None:
        self.heard.append(message)


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

    @property
    def heard(self) -> Message:
        """The last thing that a part said."""
        return self.app.heard[-1]


@asynccontextmanager
async def bench(*parts: Widget, size: tuple[int, int] = (80, 24)) -> AsyncIterator[Bencher]:
    app = Bench(*parts)
    async with app.run_test(size=size) as pilot:
        await pilot.pause()
        app.action_focus_next()
        await pilot.pause()
        yield Bencher(app, pilot)


# --- Choices ---


def fruit() -> Choices[str]:
    return Choices([Choice("apple", "Apple", "[red]"), Choice("lime", "Lime")], id="fruit")


async def test_the_chosen_answer_has_a_mark_that_needs_no_colour() -> None:
    """'> (o)' stands before the chosen answer, '( )' before the others."""
    async with bench(fruit()) as at:
        assert at.shown.splitlines()[:2] == ["> (o) Apple  [red]", "  ( ) Lime"]


async def test_arrows_stop_at_the_ends() -> None:
    choices = fruit()
    async with bench(choices) as at:
        await at.press("up")
        assert choices.selected == "apple"
        await at.press("down")
        assert choices.selected == "lime"
        await at.press("down")
        assert choices.selected == "lime"
        await at.press("home")
        assert choices.selected == "apple"


async def test_enter_and_a_click_take_an_answer_and_space_does_not() -> None:
    choices = fruit()
    async with bench(choices) as at:
        await at.press("space")
        assert not at.app.heard
        await at.press("enter")
        assert isinstance(at.heard, Choices.Taken)
        assert choices.selected == "apple"
        await at.pilot.click("#fruit", offset=(4, 1))
        await at.pilot.pause()
        assert isinstance(at.heard, Choices.Taken)
        assert choices.selected == "lime"


async def test_an_answer_is_what_it_means_whatever_that_is() -> None:
    """No name stands between: of two servers the chosen one itself is told, and of yes and no the truth."""
    servers = [Endpoint("one.example", 465, Security.TLS), Endpoint("two.example", 465, Security.TLS)]
    choices = Choices([Choice(each, each.host) for each in servers], servers[1])
    assert choices.selected is servers[1]
    assert Choices([Choice(False, "No"), Choice(True, "Yes")]).selected is False
    first: list[Choice[str | None]] = [Choice("on", "Go on"), Choice(None, "Look again")]
    assert Choices(first).selected == "on", "where nothing is said the first one is chosen, not the one that means none"


async def test_other_answers_keep_the_chosen_one_where_it_is_still_there() -> None:
    choices = fruit()
    async with bench(choices) as at:
        await at.press("down")
        choices.offer([Choice("plum", "Plum"), Choice("lime", "Lime")])
        assert choices.selected == "lime"
        choices.offer([Choice("plum", "Plum")])
        assert choices.selected == "plum"


# --- Field ---


def address_field() -> Field[Address]:
    return Field("E-mail", TextInput(id="entry"), hint="Nothing is sent.", parse=Address.parse)


def fault_of(text: str) -> str:
    with pytest.raises(InputError) as caught:
        Address.parse(text)
    return str(caught.value)


async def test_a_fault_is_told_when_the_field_is_left_and_not_while_one_types() -> None:
    """The hint stays while one types; leaving the field puts what is wrong in its place."""
    part = address_field()
    async with bench(part, TextInput(id="other")) as at:
        await at.press("a", "n", "a")
        assert "Nothing is sent." in at.line
        assert part.error == ""
        await at.press("tab")
        assert in_one_line(f"! {fault_of('ana')}") in at.line
        assert "Nothing is sent." not in at.line


async def test_a_told_fault_is_checked_again_at_every_key() -> None:
    """Once told, it changes with the typing, and is gone as soon as it is mended."""
    part = address_field()
    async with bench(part, TextInput(id="other")) as at:
        await at.press("a", "n", "a", "tab", "shift+tab", "at")
        assert part.error == fault_of("ana@")
        await at.press(*"example", "full_stop", *"com")
        assert part.error == ""
        assert "Nothing is sent." in at.line


async def test_a_field_that_is_left_empty_is_no_fault() -> None:
    part = address_field()
    async with bench(part, TextInput(id="other")) as at:
        await at.press("tab")
        assert part.error == ""


async def test_what_is_typed_is_taken_apart_once_and_a_fault_is_the_fields_own_to_tell() -> None:
    """`parsed` gives the value or says why there is none; `read` does the same and says nothing."""
    asked: list[str] = []

    def parse(text: str) -> Address:
        asked.append(text)
        return Address.parse(text)

    part = Field("E-mail", TextInput(id="entry"), parse=parse)
    async with bench(part) as at:
        await at.press(*"ana@example.com")
        assert part.parsed() == Address("ana", "example.com")
        assert asked == ["ana@example.com"]
        await at.press("end", *["backspace"] * len("@example.com"))
        assert part.read().error == fault_of("ana")
        assert part.error == ""
        assert part.parsed() is None
        assert part.error == fault_of("ana")


async def test_a_field_without_a_form_of_its_own_gives_the_text() -> None:
    part = Field("Name", TextInput(id="entry"))
    async with bench(part) as at:
        await at.press("space", *"Ana", "space")
        assert part.parsed() == "Ana"


async def test_a_new_hint_does_not_cover_a_fault() -> None:
    part = address_field()
    async with bench(part) as at:
        part.fail("It is wrong.")
        part.hint("Another hint.")
        await at.pilot.pause()
        assert "! It is wrong." in at.line
        part.fail("")
        await at.pilot.pause()
        assert "Another hint." in at.line


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


# --- GuidePane ---


def guide(steps: int = 3, proving: int = 2) -> Guide:
    """A guide; its step `proving` is proved by the sign-in, and has a web address."""
    return Guide(
        id="g",
        title="Make a key",
        paths=(),
        checked="2026-11-01",
        sources=(("A page", URL),),
        intro=("Before you begin.",),
        steps=tuple(
            GuideStep(
                number,
                f"Do thing {number}." if number != proving else f"Open {URL}",
                (URL,) if number == proving else (),
                Stage.AUTH if number == proving else None,
            )
            for number in range(1, steps + 1)
        ),
        outro=("That was all.",),
        minutes=4,
    )


def result(
    stage: Stage, verdict: Verdict = Verdict.PASS, detail: str = "", finding: Finding | None = None
) -> CheckResult:
    return CheckResult(stage, verdict, 0.01, phrase(detail), finding)


async def test_space_ticks_the_step_where_one_is_and_takes_the_tick_away() -> None:
    """'>' marks the step, '[x]' a ticked one."""
    pane = GuidePane(guide())
    async with bench(pane) as at:
        await at.press("down", "up", "space")
        assert "> [x] 1. Do thing 1." in at.shown
        assert pane.ticks == {"g/1"}
        await at.press("space")
        assert "> [ ] 1. Do thing 1." in at.shown
        assert pane.ticks == frozenset()


async def test_a_check_that_passes_ticks_its_step_and_one_that_fails_unticks_and_opens_it() -> None:
    """The step that a failure belongs to comes into sight, even when it stands far below."""
    pane = GuidePane(guide(steps=40, proving=38))
    async with bench(pane) as at:
        assert "38. Open" not in at.shown
        pane.proved(result(Stage.AUTH))
        assert pane.ticks == {"g/38"}
        assert "38. Open" not in at.shown, "what went well does not move the text"
        pane.proved(result(Stage.AUTH, Verdict.FAIL))
        await at.until_reads("> [ ] 38. Open")
        assert pane.ticks == frozenset()


async def test_another_stage_and_a_skipped_one_prove_no_step() -> None:
    pane = GuidePane(guide(), frozenset({"g/2"}))
    async with bench(pane):
        pane.proved(result(Stage.TLS, Verdict.FAIL))
        pane.proved(result(Stage.AUTH, Verdict.SKIPPED))
        assert pane.ticks == {"g/2"}


async def test_o_asks_for_the_next_web_address() -> None:
    """From any step, the next address is opened; after the last, the first."""
    async with bench(GuidePane(guide())) as at:
        await at.press("o")
        assert isinstance(at.heard, GuidePane.OpenLink)
        assert at.heard.url == URL
        at.app.heard.clear()
        await at.press("down", "down", "o")
        assert isinstance(at.heard, GuidePane.OpenLink)
        assert at.heard.url == URL


async def test_a_web_address_is_one_whole_word_on_the_screen() -> None:
    """It is never broken into two lines: people copy it from there."""
    async with bench(GuidePane(guide()), size=(60, 24)) as at:
        assert URL in at.shown


# --- CheckList ---


def told(*results: CheckResult) -> list[StageFinished]:
    return [StageFinished(each) for each in results]


async def test_what_goes_well_stands_line_by_line() -> None:
    checks = CheckList()
    async with bench(checks) as at:
        for event in told(result(Stage.DNS, detail="192.0.2.1"), result(Stage.CONNECT, detail="21 ms")):
            checks.take(event)
        await at.until_reads("21 ms")
        assert at.rows == ["ok    Find server     192.0.2.1", "ok    Reach port      21 ms"]


async def test_what_passed_folds_into_one_line_when_something_failed() -> None:
    """One line counts what passed; the failure stands below it with the finding's title."""
    checks = CheckList()
    async with bench(checks) as at:
        bad = result(Stage.AUTH, Verdict.FAIL, "535", finding())
        for event in told(result(Stage.DNS), result(Stage.CONNECT), result(Stage.TLS), bad):
            checks.take(event)
        await at.until_reads("FAIL")
        rows = at.rows
        assert rows[0] == "ok    3 checks passed: find server, reach port, encryption"
        assert rows[1] == "FAIL  Sign in         The password is wrong"
        assert checks.failed is bad


async def test_a_running_stage_is_shown_and_what_was_skipped_is_not() -> None:
    checks = CheckList()
    async with bench(checks) as at:
        checks.take(StageFinished(result(Stage.STARTTLS, Verdict.SKIPPED)))
        checks.take(StageStarted(Stage.AUTH))
        await at.until_reads(".. Sign in")
        assert "Encryption" not in at.shown


async def test_stages_of_no_interest_fold_although_all_goes_well() -> None:
    checks = CheckList(of_interest=(Stage.DATA,))
    async with bench(checks) as at:
        for event in told(result(Stage.DNS), result(Stage.DATA, detail="queued")):
            checks.take(event)
        await at.until_reads("queued")
        assert "ok    1 check passed: find server" in at.shown


async def test_a_new_run_forgets_the_one_before() -> None:
    checks = CheckList()
    endpoint = Endpoint("mail.example.test", 465, Security.TLS)
    async with bench(checks) as at:
        checks.take(StageFinished(result(Stage.AUTH, Verdict.FAIL)))
        checks.take(RunFinished(Report(endpoint)))
        await at.until_reads("FAIL")
        checks.begin()
        await until(lambda: "FAIL" not in at.line, lambda: at.shown)
        assert checks.failed is None
        assert not checks.over


# --- FindingCard ---


def finding() -> Finding:
    return Finding(
        code="bad_credentials",
        title=phrase("The password is wrong"),
        explanation=phrase("The server [bold]refused[/] it."),
        who=Who.YOU,
        steps=(phrase("Paste it again."), phrase("Press Enter.")),
        server_said=phrase("535 [@click=app.quit]no[/]"),
        fix=Endpoint("mail.example.test", 465, Security.TLS),
    )


async def test_a_finding_says_what_who_and_which_steps_and_offers_its_fix() -> None:
    card = FindingCard()
    async with bench(card) as at:
        assert not card.display
        card.show(finding())
        await at.pilot.pause()
        for words in (
            "! The password is wrong",
            "The server [bold]refused[/] it.",
            "Who must act: ",
            "1. Paste it again.",
            "2. Press Enter.",
            "Press F9 to try mail.example.test:465",
        ):
            assert words in at.line
        assert "535" not in at.line


async def test_the_servers_words_stand_under_details_and_are_not_read_as_markup() -> None:
    card = FindingCard()
    async with bench(card) as at:
        card.show(finding(), details=True)
        await at.pilot.pause()
        assert "The server said: 535 [@click=app.quit]no[/]" in at.line
        card.show(None)
        await at.pilot.pause()
        assert not card.display
        assert "password" not in at.line


async def test_a_finding_without_a_fix_offers_none() -> None:
    card = FindingCard()
    async with bench(card) as at:
        card.show(replace(finding(), fix=None))
        await at.pilot.pause()
        assert "F9" not in at.line


# --- Stepper, KeyHints ---


@pytest.mark.parametrize(
    ("width", "words"),
    [
        (80, "Email > [Provider] > Connect > Test mail > Save"),
        (60, "Step 2 of 5: Provider"),
    ],
)
async def test_the_line_of_steps_fits_its_room(width: int, words: str) -> None:
    """Wide: all steps, the present one in brackets. Narrow: its number and name."""
    async with bench(Stepper(step(StepId.PROVIDER), Draft()), size=(width, 24)) as at:
        assert at.shown.splitlines()[0].strip() == words


class Keyed(Screen[None]):
    """Many keys, one of them out of use."""

    BINDINGS = [Binding(f"f{n}", f"nothing({n})", f"Key number {n}") for n in range(1, 9)]  # noqa: RUF012

    def compose(self) -> ComposeResult:
        yield KeyHints()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        return parameters != (2,)


@pytest.mark.parametrize(("width", "fit"), [(80, [1, 3, 4, 5]), (60, [1, 3, 4]), (200, [1, 3, 4, 5, 6, 7, 8])])
async def test_the_keys_stand_in_one_line_as_many_as_fit(width: int, fit: Sequence[int]) -> None:
    """None is cut in the middle; a key that does nothing here is left out."""
    async with bench(size=(width, 24)) as at:
        await at.app.push_screen(Keyed())
        await at.pilot.pause()
        (row,) = [row for row in at.shown.splitlines() if row]
        assert row.split() == [word for n in fit for word in (f"f{n}", "Key", "number", f"{n}")]


# --- LinkScreen, qr_code ---


async def test_a_link_is_shown_in_full_with_a_code_for_a_phone() -> None:
    """Y sends it to the terminal's clipboard, and says that this may not have worked."""
    async with bench() as at:
        await at.app.push_screen(LinkScreen(URL, local=False))
        await at.until_reads("Open this page")
        assert URL in at.shown.split()
        assert "█" in at.shown
        await at.press("y")
        assert at.app.copied == [URL]
        assert "copy the line above by hand" in at.line


@pytest.mark.parametrize("local", [True, False])
async def test_a_browser_is_started_only_where_it_opens_before_the_person(
    local: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened: list[str] = []

    def remember(self: Bench, url: str, *, new_tab: bool = True) -> None:
        opened.append(url)

    monkeypatch.setattr(Bench, "open_url", remember)
    async with bench() as at:
        await at.app.push_screen(LinkScreen(URL, local=local))
        await at.until_reads("Open this page")
        assert ("Open here" in at.line) is local
        await at.press("enter")
        assert opened == ([URL] if local else [])


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
    said = Plain(Content("as before"))
    async with bench(said) as at:
        painted: list[Widget] = []
        monkeypatch.setattr(Plain, "refresh", lambda widget, **_: painted.append(widget))
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
    whole = replace(guide(), steps=(GuideStep(1, text),))
    return due_line(GuideView(whole), width).plain.split("\n")


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
