"""The parts that screens are made of. Words from outside come in cleaned; nothing here reads markup from them.

States are words or signs first and colours second, so that everything can be read without colour and on a console with
few signs. Nothing blinks or turns: an idle screen sends not one byte.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import ClassVar, assert_never

from rich.cells import cell_len
from rich.text import Text
from textual import events, on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical, VerticalScroll
from textual.content import Content
from textual.geometry import Region
from textual.message import Message
from textual.reactive import reactive
from textual.timer import Timer
from textual.widget import Widget
from textual.widgets import Input, OptionList, Static
from textual.widgets.option_list import Option

from smtp_wizard.engine.catalog import Catalog, Provider, SecretForm
from smtp_wizard.engine.check import CheckResult, Event, Line, RunFinished, StageFinished, StageStarted
from smtp_wizard.engine.diagnosis import Finding
from smtp_wizard.engine.guides import Guide, GuideStep
from smtp_wizard.engine.model import Stage, Verdict
from smtp_wizard.engine.wizard import Draft, Step, applicable
from smtp_wizard.report import STAGE_WORDS, who_words

MARKS = {
    Verdict.PASS: "ok  ",
    Verdict.WARN: "note",
    Verdict.FAIL: "FAIL",
    Verdict.UNKNOWN: "??  ",
    Verdict.SKIPPED: "-   ",
}
"""Four letters for every verdict: readable without colour."""

STYLES = {
    Verdict.PASS: "$text-success",
    Verdict.WARN: "$text-warning",
    Verdict.FAIL: "bold $text-error",
    Verdict.UNKNOWN: "bold $text-warning",
    Verdict.SKIPPED: "$foreground-muted",
}


def wrapped(text: str, width: int, hanging: int = 0) -> list[str]:
    """Break a text at blanks into lines of at most `width` cells, all but the first indented; words stay whole."""
    lines: list[str] = []
    line = ""
    for word in text.split(" "):
        if line and cell_len(f"{line} {word}") > width:
            lines.append(line)
            line = " " * hanging + word
        else:
            line = f"{line} {word}" if line else word
    return [*lines, line]


class Plain(Static):
    """Text as it is: no markup is read."""

    def __init__(self, text: str | Content = "", *, id: str | None = None, classes: str | None = None) -> None:
        super().__init__(text, id=id, classes=classes, markup=False)


class Stepper(Static):
    """The line of steps: all of them where there is room, else the number and the name."""

    ROOM: ClassVar[int] = 70

    def __init__(self, current: Step, draft: Draft) -> None:
        super().__init__(markup=False)
        self.current = current
        self.steps = [step for step in applicable(draft) if step.id != "done"]

    def render(self) -> Content:
        if self.size.width < self.ROOM:
            return Content(self._short())
        parts: list[Content] = []
        for step in self.steps:
            name = f"[{step.title}]" if step is self.current else step.title
            parts.append(Content.styled(name, "bold" if step is self.current else "$foreground-muted"))
        return Content(" > ").join(parts)

    def _short(self) -> str:
        if self.current not in self.steps:
            return self.current.title
        return f"Step {self.steps.index(self.current) + 1} of {len(self.steps)}: {self.current.title}"


class Banner(Static):
    """One lasting message above the footer; takes no room while there is none."""

    def __init__(self) -> None:
        super().__init__("", markup=False, id="banner")
        self.display = False

    def say(self, text: str) -> None:
        """Show a message, or none."""
        self.display = bool(text)
        self.update(Content.styled(f"! {text}", "bold $text-warning") if text else "")


class KeyHints(Static):
    """The keys that do something here, in one line at the bottom; those that no longer fit are left out.

    One line of text, and not a row of widgets: it is painted only when it says something else, and never moves the
    screen about.
    """

    def __init__(self) -> None:
        super().__init__("", markup=False, id="keys")
        self._said = ""

    def on_mount(self) -> None:
        self.screen.bindings_updated_signal.subscribe(self, self._changed)
        self._changed(self.screen)

    def on_resize(self) -> None:
        self._changed(self.screen)

    def _changed(self, screen: object) -> None:
        hints = self._hints()
        said = "  ".join(f"{key} {words}" for key, words in hints)
        if said == self._said:
            return
        self._said = said
        parts = [Content.assemble((key, "bold $accent"), f" {words}") for key, words in hints]
        self.update(Content("  ").join(parts), layout=False)

    def _hints(self) -> list[tuple[str, str]]:
        """Each action once, with the first of its keys, as far as there is room."""
        room = (self.size.width or self.app.size.width) - 2
        hints: dict[str, tuple[str, str]] = {}
        for _, binding, enabled, _ in self.screen.active_bindings.values():
            if binding.show and enabled and binding.action not in hints:
                key, words = self.app.get_key_display(binding), binding.description
                room -= cell_len(key) + cell_len(words) + 3
                if room < 0:
                    break
                hints[binding.action] = key, words
        return list(hints.values())


class TextInput(Input):
    """An input of one row that never blinks and never wipes what is in it when it gets the focus."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("enter", "submit", "Next", key_display="enter")]

    def __init__(
        self, value: str = "", *, placeholder: str = "", password: bool = False, id: str | None = None
    ) -> None:
        super().__init__(value, placeholder=placeholder, password=password, id=id, compact=True, select_on_focus=False)
        self.cursor_blink = False


class Field(Vertical):
    """A label, an input, and beneath it a hint that gives way to what is wrong.

    A fault is told when the person is done with the field, and checked again at every key once it was told.
    """

    def __init__(
        self,
        label: str,
        entry: TextInput,
        *,
        hint: str = "",
        check: Callable[[str], object] | None = None,
        id: str | None = None,
    ) -> None:
        """`check` takes the text and raises `ValueError` with one sentence when it cannot be used."""
        super().__init__(id=id, classes="field")
        self.label_text = label
        self.entry = entry
        self.hint_text = hint
        self.check = check
        self.error = ""
        self._now = ("", hint)
        self._hint = Plain(hint, classes="hint")
        # Before it is mounted: afterwards it would be a second painting of the whole screen.
        self._hint.display = bool(hint)

    def compose(self) -> ComposeResult:
        with Horizontal(classes="field-row"):
            yield Plain(self.label_text, classes="label")
            yield self.entry
        yield self._hint

    @property
    def value(self) -> str:
        """What stands in the input."""
        return self.entry.value

    @value.setter
    def value(self, text: str) -> None:
        self.entry.value = text
        self.entry.cursor_position = len(text)

    def fail(self, why: str) -> None:
        """Say what is wrong, or that nothing is."""
        now = why, self.hint_text
        if now == self._now:
            return  # the same words again would repaint the screen for nothing
        self.error, self._now = why, now
        shown = Content.styled(f"! {why}" if why else self.hint_text, self._style(why))
        self._hint.update(shown)
        self._hint.display = bool(why or self.hint_text)

    def _style(self, why: str) -> str:
        return "bold $text-error" if why else "$foreground-muted"

    def hint(self, text: str) -> None:
        """Put another hint in place, unless a fault stands there."""
        self.hint_text = text
        if not self.error:
            self.fail("")

    def valid(self) -> bool:
        """Check what was typed and say what is wrong with it."""
        try:
            if self.check is not None:
                self.check(self.value)
        except ValueError as wrong:
            self.fail(str(wrong))
            return False
        self.fail("")
        return True

    @on(Input.Changed)
    def _changed(self) -> None:
        if self.error:
            self.valid()

    @on(Input.Blurred)
    def _blurred(self) -> None:
        if self.value.strip():
            self.valid()


class SecretInput(TextInput):
    """A password field: dots, shown with F2, never copied out, pasted text tidied where the secret's shape is known."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "submit", "Check", key_display="enter"),
        Binding("f2", "reveal", "Show/hide"),
    ]

    def __init__(self, value: str = "", *, form: SecretForm | None = None, id: str | None = None) -> None:
        super().__init__(value, password=True, id=id)
        self.form = form

    @property
    def _value(self) -> Text:
        """What is drawn: stars, which every terminal has."""
        return Text("*" * len(self.value), no_wrap=True, overflow="ignore", end="") if self.password else super()._value

    def action_reveal(self) -> None:
        """Show or hide what was typed."""
        self.password = not self.password

    def action_copy(self) -> None:
        """Do nothing: the clipboard of a terminal is anybody's (OSC 52)."""

    def action_cut(self) -> None:
        """Do nothing, as for copying."""

    def tidied(self, text: str) -> str:
        """Return what a paste means: one line, no invisible characters; no blanks where the shape has none."""
        joined = "".join(text.splitlines())
        if self.form is not None and self.form.fits(joined):
            return self.form.tidy(joined)
        return "".join(ch for ch in joined if unicodedata.category(ch) not in {"Cc", "Cf"})

    def _on_paste(self, event: events.Paste) -> None:
        if event.text:
            self.replace(self.tidied(event.text), *self.selection)
        event.stop()
        event.prevent_default()

    @property
    def secret(self) -> str:
        """What was typed; blanks are dropped where they are no part of such a secret."""
        return self.form.tidy(self.value) if self.form is not None and self.form.fits(self.value) else self.value


@dataclass(frozen=True, slots=True)
class Choice:
    """One answer of a `Choices`."""

    id: str
    title: str
    note: str = ""
    """Stands behind the title, dimmed."""
    heading: bool = False
    """A line between the answers that cannot be chosen."""


class Choices(Widget, can_focus=True):
    """A few answers, one of them chosen: arrows choose, Enter goes on. The chosen one has a real mark before it."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up", "move(-1)", "Choose", show=False),
        Binding("down", "move(1)", "Choose", show=False),
        Binding("home", "move(-99)", show=False),
        Binding("end", "move(99)", show=False),
        Binding("enter", "take", "Next", key_display="enter"),
        Binding("space", "take_quietly", show=False),
    ]

    selected: reactive[str] = reactive("", repaint=False)

    class Changed(Message):
        """Another answer is chosen."""

        def __init__(self, choices: Choices, choice_id: str) -> None:
            super().__init__()
            self.choices = choices
            self.choice_id = choice_id

        @property
        def control(self) -> Choices:
            return self.choices

    class Taken(Changed):
        """Enter, or a click, on an answer."""

    def __init__(self, choices: Sequence[Choice], selected: str = "", *, id: str | None = None) -> None:
        super().__init__(id=id)
        self.choices = tuple(choices)
        ids = [each.id for each in self.choices if not each.heading]
        self.set_reactive(Choices.selected, selected if selected in ids else ids[0])

    def offer(self, choices: Sequence[Choice], selected: str = "") -> None:
        """Put other answers in place, keeping the chosen one where it is still there."""
        self.choices = tuple(choices)
        ids = [each.id for each in self.choices if not each.heading]
        wanted = selected or self.selected
        self.selected = wanted if wanted in ids else ids[0]
        self.refresh(layout=True)

    def get_content_height(self, container: object, viewport: object, width: int) -> int:
        return sum(len(self._lines(each, width)) for each in self.choices)

    def _lines(self, choice: Choice, width: int) -> list[str]:
        if choice.heading:
            return [choice.title]
        words = f"{choice.title}  {choice.note}" if choice.note else choice.title
        return wrapped(words, max(20, width - 6))

    def render(self) -> Content:
        shown: list[Content] = []
        for choice in self.choices:
            lines = self._lines(choice, self.size.width or 80)
            if choice.heading:
                shown.append(Content.styled(lines[0], "$foreground-muted"))
                continue
            chosen = choice.id == self.selected
            mark = f"{'>' if chosen and self.has_focus else ' '} ({'o' if chosen else ' '}) "
            style = "bold reverse" if chosen and self.has_focus else "bold" if chosen else ""
            shown += [Content.assemble(mark if not at else "      ", (line, style)) for at, line in enumerate(lines)]
        return Content("\n").join(shown)

    def _at_row(self, row: int) -> Choice | None:
        for choice in self.choices:
            row -= len(self._lines(choice, self.size.width))
            if row < 0:
                return None if choice.heading else choice
        return None

    def watch_selected(self, before: str, choice_id: str) -> None:
        if self.is_mounted:
            self.refresh(*(self._rows_of(each) for each in (before, choice_id)))
            self.post_message(self.Changed(self, choice_id))

    def _rows_of(self, choice_id: str) -> Region:
        """Where an answer stands: only what changes is painted."""
        row = 0
        for choice in self.choices:
            height = len(self._lines(choice, self.size.width))
            if choice.id == choice_id:
                return Region(0, row, self.size.width, height)
            row += height
        return Region(0, 0, self.size.width, row)

    def action_move(self, by: int) -> None:
        """Choose the answer above or below."""
        ids = [each.id for each in self.choices if not each.heading]
        at = ids.index(self.selected) + by
        self.selected = ids[min(max(at, 0), len(ids) - 1)]

    def action_take(self) -> None:
        """Go on with the chosen answer."""
        self.post_message(self.Taken(self, self.selected))

    def action_take_quietly(self) -> None:
        """Keep the chosen answer: a space is what people press on a mark."""

    def watch_has_focus(self, focused: bool) -> None:
        super().watch_has_focus(focused)
        self.refresh()

    def on_click(self, event: events.Click) -> None:
        choice = self._at_row(event.y)
        if choice is not None:
            self.selected = choice.id
            self.action_take()


class PickerList(OptionList, can_focus=False):
    """The list under a filter. A real mark stands before the chosen row, so that it shows without colour."""

    def watch_highlighted(self, highlighted: int | None) -> None:
        super().watch_highlighted(highlighted)
        for at in range(self.option_count):
            option = self.get_option_at_index(at)
            text = str(option.prompt)
            wanted = ("> " if at == highlighted else "  ") + text[2:]
            if text != wanted:
                self.replace_option_prompt_at_index(at, wanted)


class ProviderPicker(Vertical):
    """Type to filter, arrows to move, Enter to choose. The last row always leads to the server by hand."""

    MOST: ClassVar[int] = 60
    BY_HAND: ClassVar[str] = ""

    class Picked(Message):
        """A provider was chosen; an empty id means: by hand."""

        def __init__(self, provider_id: str) -> None:
            super().__init__()
            self.provider_id = provider_id

    def __init__(
        self, catalog: Catalog, by_hand: str, first: Sequence[Provider] = (), *, id: str | None = None
    ) -> None:
        """`by_hand` is the last row's text; `first` are the likely ones, on top while nothing is typed."""
        super().__init__(id=id)
        self.catalog = catalog
        self.by_hand = by_hand
        self.first = tuple(first)
        self.entry = TextInput(placeholder="type a name, a domain or a server", id="filter")
        self.list = PickerList(compact=True, markup=False, id="picked")
        self.count = Plain("", classes="hint")

    def compose(self) -> ComposeResult:
        with Horizontal(classes="field-row"):
            yield Plain("Filter", classes="label")
            yield self.entry
        yield self.count
        yield self.list

    def on_mount(self) -> None:
        self._fill()

    @on(Input.Changed, "#filter")
    def _fill(self) -> None:
        query = self.entry.value
        everything = [each for each in self.catalog.search(query, 10_000) if each.paths and each.id != "custom"]
        if not query and self.first:
            everything = [*self.first, *(each for each in everything if each not in self.first)]
        shown = everything[: self.MOST]
        rows = [Option(f"  {_provider_row(each)}", id=each.id) for each in shown]
        self.list.set_options([*rows, Option(f"  {self.by_hand}", id="-by-hand")])
        self.list.highlighted = 0
        of = (
            f"{len(shown)} of {len(everything)} providers"
            if len(shown) < len(everything)
            else f"{len(shown)} providers"
        )
        self.count.update(Content.styled(of if everything else "Nothing like it is listed.", "$foreground-muted"))

    def on_key(self, event: events.Key) -> None:
        moves: dict[str, Callable[[], object]] = {
            "down": self.list.action_cursor_down,
            "up": self.list.action_cursor_up,
            "pagedown": self.list.action_page_down,
            "pageup": self.list.action_page_up,
        }
        if event.key in moves:
            moves[event.key]()
            event.stop()
            event.prevent_default()

    @on(Input.Submitted, "#filter")
    def _enter(self, event: Input.Submitted) -> None:
        event.stop()
        self._pick(self.list.highlighted_option)

    @on(OptionList.OptionSelected)
    def _click(self, event: OptionList.OptionSelected) -> None:
        event.stop()
        self._pick(event.option)

    def _pick(self, option: Option | None) -> None:
        if option is not None and option.id is not None:
            self.post_message(self.Picked("" if option.id == "-by-hand" else option.id))


def _provider_row(provider: Provider) -> str:
    best = provider.best()
    return f"{provider.name[:40]:<42}{best if best else ''}"


class GuideRow(Widget):
    """One step of a guide: mark, tick, text; its lines hang below the text, web addresses stay whole."""

    done: reactive[bool] = reactive(False)
    here: reactive[bool] = reactive(False)
    MARGIN: ClassVar[int] = 6

    def __init__(self, step: GuideStep) -> None:
        super().__init__(id=f"step-{step.number}", classes="guide-step")
        self.step = step

    def _lines(self, width: int) -> tuple[list[str], list[str]]:
        number = f"{self.step.number}. "
        room = max(20, width - self.MARGIN)
        then = wrapped(self.step.then, room - len(number)) if self.step.then else []
        return wrapped(number + self.step.text, room, len(number)), [" " * len(number) + line for line in then]

    def get_content_height(self, container: object, viewport: object, width: int) -> int:
        text, then = self._lines(width)
        return len(text) + len(then)

    def render(self) -> Content:
        text, then = self._lines(self.size.width or 80)
        mark = "> " if self.here else "  "
        first = Content.assemble(
            mark,
            (f"[{'x' if self.done else ' '}] ", "$text-success" if self.done else ""),
            (text[0], "bold" if self.here else ""),
        )
        rest = [Content.styled(" " * self.MARGIN + line, "bold" if self.here else "") for line in text[1:]]
        remarks = [Content.styled(" " * self.MARGIN + line, "$foreground-muted") for line in then]
        return Content("\n").join([first, *rest, *remarks])


class GuidePane(VerticalScroll, can_focus=True):
    """A guide beside the checks. Arrows move between steps, Space ticks one; a check that proves a step ticks it."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up", "move(-1)", show=False),
        Binding("down", "move(1)", show=False),
        Binding("space", "tick", "Tick"),
        Binding("o", "open", "Open link"),
    ]

    class Ticked(Message):
        """The set of ticked steps has changed."""

        def __init__(self, ticks: frozenset[str]) -> None:
            super().__init__()
            self.ticks = ticks

    class OpenLink(Message):
        """A web address of a step is wanted."""

        def __init__(self, url: str) -> None:
            super().__init__()
            self.url = url

    def __init__(self, guide: Guide, ticks: frozenset[str] = frozenset(), *, id: str | None = None) -> None:
        super().__init__(id=id)
        self.guide = guide
        self.ticks = ticks
        self.at = 0

    def compose(self) -> ComposeResult:
        yield Plain(self._heading(), classes="guide-title")
        for text in self.guide.intro:
            yield Plain(text, classes="guide-text")
        for step in self.guide.steps:
            yield GuideRow(step)
        for text in self.guide.outro:
            yield Plain(text, classes="guide-text")
        yield Plain(Content.styled(self._checked(), "$foreground-muted"), classes="guide-text")

    def _heading(self) -> Content:
        minutes = f"  (about {self.guide.minutes} minutes)" if self.guide.minutes else ""
        return Content.assemble((self.guide.title, "bold"), (minutes, "$foreground-muted"))

    def _checked(self) -> str:
        names = "; ".join(title for title, _ in self.guide.sources)
        return f"Checked {self.guide.checked}. Sources: {names}"

    def _key(self, step: GuideStep) -> str:
        return f"{self.guide.id}/{step.number}"

    def _redraw(self, number: int) -> None:
        step = self.guide.steps[number]
        row = self.query_one(f"#step-{step.number}", GuideRow)
        row.done = self._key(step) in self.ticks
        row.here = number == self.at and self.has_focus

    def watch_has_focus(self, focused: bool) -> None:
        super().watch_has_focus(focused)
        if self.guide.steps and self.is_mounted:
            self._redraw(self.at)

    def on_mount(self) -> None:
        for number in range(len(self.guide.steps)):
            self._redraw(number)

    def action_move(self, by: int) -> None:
        """Go to the step above or below; past the last one, on through the text."""
        before, target = self.at, self.at + by
        if not 0 <= target < len(self.guide.steps):
            self.scroll_relative(y=by * 2, animate=False)
            return
        self.at = target
        self._redraw(before)
        self._redraw(self.at)
        self._show(self.guide.steps[self.at])

    def _show(self, step: GuideStep) -> None:
        self.scroll_to_widget(self.query_one(f"#step-{step.number}"), animate=False)

    def action_tick(self) -> None:
        """Tick the step, or take the tick away."""
        if self.guide.steps:
            step = self.guide.steps[self.at]
            self.mark(step, self._key(step) not in self.ticks)

    def action_open(self) -> None:
        """Ask for the step's web address, or the next one's that has any."""
        for step in (*self.guide.steps[self.at :], *self.guide.steps[: self.at]):
            if step.urls:
                self.post_message(self.OpenLink(step.urls[0]))
                return

    def mark(self, step: GuideStep, done: bool) -> None:
        """Tick or untick a step."""
        self.ticks = self.ticks | {self._key(step)} if done else self.ticks - {self._key(step)}
        self._redraw(self.guide.steps.index(step))
        self.post_message(self.Ticked(self.ticks))

    def proved(self, result: CheckResult) -> None:
        """Tick the steps that a stage proves; untick them where it failed, and open the first of them."""
        for step in self.guide.steps:
            if step.proves is result.stage and result.verdict is not Verdict.SKIPPED:
                good = result.verdict in (Verdict.PASS, Verdict.WARN)
                self.mark(step, good)
                if not good:
                    before, self.at = self.at, self.guide.steps.index(step)
                    self._redraw(before)
                    self._redraw(self.at)
                    self._show(step)


class CheckList(Vertical):
    """The stages of a check as they come out. Those that passed fold into one line when one failed."""

    GATHER: ClassVar[float] = 0.12
    """Seconds within which events are painted together."""

    def __init__(self, *, of_interest: Sequence[Stage] = tuple(Stage), id: str | None = None) -> None:
        """Stages that are not `of_interest` are folded even while all goes well."""
        super().__init__(id=id, classes="checklist")
        self.of_interest = frozenset(of_interest)
        self.results: list[CheckResult] = []
        self.running: Stage | None = None
        self.lines: list[Line] = []
        self.over = False
        self._rows = Plain("", classes="check-rows")
        self._waited = 0
        self._ticker: Timer | None = None
        self._pending: Timer | None = None

    def compose(self) -> ComposeResult:
        yield self._rows

    def begin(self) -> None:
        """Forget the run before."""
        self.results, self.lines, self.running, self.over = [], [], None, False
        self._wait(None)
        self._draw_soon()

    def take(self, event: Event) -> None:
        """Fold one event in."""
        match event:
            case StageStarted(stage):
                self._wait(stage)
            case StageFinished(result):
                self._wait(None)
                self.results.append(result)
            case Line():
                self.lines.append(event)
                return
            case RunFinished():
                self.over = True
                self._wait(None)
                self._draw()
                return
            case _:
                assert_never(event)
        self._draw_soon()

    def _draw_soon(self) -> None:
        """Gather what happens within a tenth of a second: every painting goes over the line."""
        if self._pending is None:
            self._pending = self.set_timer(self.GATHER, self._draw)

    def _wait(self, stage: Stage | None) -> None:
        """Show a stage as running; its seconds are told from the second one on, once a second."""
        self.running, self._waited = stage, 0
        if self._ticker is not None:
            self._ticker.stop()
            self._ticker = None
        if stage is not None:
            self._ticker = self.set_interval(1.0, self._tick)

    def _tick(self) -> None:
        self._waited += 1
        self._draw()

    @property
    def failed(self) -> CheckResult | None:
        """The stage that ended the run, if one did."""
        return next((r for r in self.results if r.verdict in (Verdict.FAIL, Verdict.UNKNOWN)), None)

    def _draw(self) -> None:
        shown = [r for r in self.results if r.verdict is not Verdict.SKIPPED]
        rows: list[Content] = []
        if self._pending is not None:
            self._pending.stop()
            self._pending = None
        folded = [r for r in shown if r.verdict is Verdict.PASS and (self.failed or r.stage not in self.of_interest)]
        if folded:
            names = ", ".join(dict.fromkeys(STAGE_WORDS[r.stage].lower() for r in folded))
            count = f"{len(folded)} checks" if len(folded) > 1 else "1 check"
            rows.append(self._row(Verdict.PASS, f"{count} passed: {names}", ""))
            shown = [r for r in shown if r not in folded]
        for result in shown:
            detail = result.finding.title if result.finding else result.detail
            rows.append(self._row(result.verdict, f"{STAGE_WORDS[result.stage]:<15}", detail))
        if self.running is not None:
            waited = f"{self._waited} s" if self._waited > 1 else ""
            rows.append(Content(f"..    {STAGE_WORDS[self.running]:<15} {waited}".rstrip()))
        self._rows.update(Content("\n").join(rows))

    def _row(self, verdict: Verdict, name: str, detail: str) -> Content:
        """One row: mark, name, detail; a long one goes on below the name."""
        lines = wrapped(f"{name} {detail}".rstrip(), max(20, (self.size.width or 80) - 6))
        head, rest = lines[0], lines[1:]
        shown = Content.assemble(
            (MARKS[verdict], STYLES[verdict]),
            f"  {head[: len(name)]}",
            (head[len(name) :], "$foreground-muted"),
        )
        return Content("\n").join([shown, *(Content.styled(f"      {line}", "$foreground-muted") for line in rest)])

    def on_resize(self) -> None:
        self._draw()


class FindingCard(Static):
    """What is wrong, who must act, what to do next; the server's own words under Details."""

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__("", markup=False, id=id)
        self.finding: Finding | None = None
        self.display = False

    @property
    def fixable(self) -> bool:
        """Whether the finding offers another server to try."""
        return self.finding is not None and self.finding.fix is not None

    def show(self, finding: Finding | None, *, details: bool = False, fix_key: str = "F9") -> None:
        """Put a finding in place, or none."""
        self.finding = finding
        self.display = finding is not None
        if finding is None:
            self.update("")
            return
        parts = [
            Content.styled(f"! {finding.title}", "bold $text-warning" if finding.warning else "bold $text-error"),
            Content(finding.explanation),
            Content.assemble(("Who must act: ", "bold"), who_words(finding.who)),
        ]
        if finding.fix is not None:
            offer = f"Press {fix_key} to try {finding.fix} with {finding.fix.security.words}."
            parts.append(Content.styled(offer, "bold $text-accent"))
        parts += [Content(f" {number}. {step}") for number, step in enumerate(finding.steps, 1)]
        if details and finding.server_said:
            parts.append(Content.assemble(("The server said: ", "bold"), finding.server_said))
        self.update(Content("\n").join(parts))


class Transcript(VerticalScroll, can_focus=True):
    """The dialogue with the server, secrets masked."""

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._text = Plain("")

    def compose(self) -> ComposeResult:
        yield self._text

    def show(self, lines: Iterable[Line]) -> None:
        """Show the lines: C is this program, S the server."""
        rows = [f"{line.at:6.2f} {line.way.value} {line.text}" for line in lines]
        self._text.update("\n".join(rows) or "Nothing was said yet.")
