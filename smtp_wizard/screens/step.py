"""The base of a step: takes a Draft, gives back `Next` or `Back` with a Draft, shares nothing else."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.screen import Screen
from textual.widget import Widget
from textual.widgets import Input

from smtp_wizard.engine.wizard.draft import Draft
from smtp_wizard.engine.wizard.server_confirmation import doubt_about
from smtp_wizard.engine.wizard.steps import Back, Next, Step, StepId, step
from smtp_wizard.screens.dialogs import ConfirmScreen, HelpScreen, LinkScreen
from smtp_wizard.screens.kit import Kit as Kit
from smtp_wizard.text.discovery import CONFIRM_NO, CONFIRM_YES, doubt_question
from smtp_wizard.widgets.banner import Banner
from smtp_wizard.widgets.fault_containment import FaultContained
from smtp_wizard.widgets.guide import GuidePane
from smtp_wizard.widgets.key_hints import KeyHints
from smtp_wizard.widgets.stepper import Stepper
from smtp_wizard.widgets.text import Plain

StepOutcome = Next | Back


class StepScreen(FaultContained, Screen[StepOutcome]):
    """One question. Escape goes back with everything typed; Enter does the sensible next thing."""

    STEP: ClassVar[StepId]
    HELP: ClassVar[str] = ""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "back", "Back"),
        Binding("f1,question_mark", "help", "Help", key_display="f1"),
        Binding("ctrl+q", "app.leave", "Quit", show=False),
    ]

    def __init__(self, kit: Kit, draft: Draft) -> None:
        super().__init__()
        self.kit = kit
        self.draft = draft
        self.banner = Banner()
        self._left = False
        self.sheet = VerticalScroll(id="body", can_focus=False)
        """What scrolls between the line of steps and the footer."""

    @property
    def step(self) -> Step:
        """Which step of the wizard this is."""
        return step(self.STEP)

    def compose(self) -> ComposeResult:
        yield Stepper(self.step, self.draft)
        with self.sheet:
            yield from self.body()
        yield self.banner
        yield KeyHints()

    def body(self) -> Iterator[Widget]:
        """Yield what stands between the line of steps and the footer."""
        yield Plain("")

    def collect(self) -> Draft:
        """Return the draft with what was typed so far, right or wrong."""
        return self.draft

    def on_screen_resume(self) -> None:
        self.work_ended()

    def work_ended(self) -> None:
        """Say what could not be kept, unless another step is about to stand here: then that one says it."""
        for trouble in self.kit.services.problems.new() if not self._left else ():
            self.banner.add(trouble)

    def action_back(self) -> None:
        """Go to the step before; nothing typed is lost."""
        self._leave(Back(self.collect()))

    def action_help(self) -> None:
        """Say what this screen is for."""
        self.app.push_screen(HelpScreen(self.step.title, self.HELP))

    def go_on(self, draft: Draft) -> None:
        """End this step with a draft."""
        self._leave(Next(draft))

    def _leave(self, outcome: StepOutcome) -> None:
        self._left = True
        self.dismiss(outcome)

    def go_on_confirmed(self, draft: Draft, go_on: Callable[[Draft], None]) -> None:
        """Go on with a draft whose server may get a password; ask first where nobody has confirmed it."""
        doubt = doubt_about(draft, self.kit.services.catalog)
        if doubt is None:
            go_on(draft)
            return

        def answered(yes: bool | None) -> None:
            if yes:
                go_on(draft.confirmed())

        self.app.push_screen(ConfirmScreen(doubt_question(doubt), yes=CONFIRM_YES, no=CONFIRM_NO), answered)

    @on(Input.Changed)
    def _keep_in_sight(self, event: Input.Changed) -> None:
        """Nobody types blind: in a small window the field may have given way to what was wrong with it."""
        event.input.scroll_visible(animate=False)

    def on_guide_pane_open_link(self, message: GuidePane.OpenLink) -> None:
        """Show a web address, or open it where a browser is at hand."""
        message.stop()
        self.app.push_screen(LinkScreen(message.url, local=self.kit.local))
