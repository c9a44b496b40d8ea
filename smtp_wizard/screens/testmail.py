"""Test mail: a message to a different address, and did it arrive?"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import ClassVar

from textual import on, work
from textual.binding import Binding, BindingType
from textual.containers import Horizontal
from textual.content import Content
from textual.widget import Widget
from textual.widgets import Button, Input

from smtp_wizard.engine.accounts.lockout_guard import refused
from smtp_wizard.engine.base.address import Address
from smtp_wizard.engine.base.errors import InputError
from smtp_wizard.engine.base.stages import Depth, Stage, Verdict
from smtp_wizard.engine.checks.events import Event
from smtp_wizard.engine.services.options import Options
from smtp_wizard.engine.wizard.draft import Arrival, Draft
from smtp_wizard.engine.wizard.steps import StepId
from smtp_wizard.runtime.expected_errors import EXPECTED_ERRORS
from smtp_wizard.screens.dialogs import ConfirmScreen
from smtp_wizard.screens.finding import answer_transcript
from smtp_wizard.screens.passphrase import unlocked
from smtp_wizard.screens.step import Kit, StepScreen
from smtp_wizard.text.stores import VAULT_CLOSED
from smtp_wizard.text.wizard import (
    ANYWAY_NO,
    ANYWAY_QUESTION,
    ANYWAY_YES,
    ARRIVED,
    GO_ON_UNKNOWING,
    NOT_YET,
    NOT_YET_WORDS,
    PURPOSE,
    REFUSED_AT_TESTMAIL,
    SEND_AGAIN,
    TESTMAIL_QUESTION,
    ArrivalAnswer,
    another_address,
    arrived_question,
    parse_recipient,
)
from smtp_wizard.widgets.checks import CheckList
from smtp_wizard.widgets.choices import Choice, Choices
from smtp_wizard.widgets.fields import Field, TextInput
from smtp_wizard.widgets.finding_card import FindingCard
from smtp_wizard.widgets.text import Plain
from smtp_wizard.widgets.transcript import TranscriptPane


class TestMailScreen(StepScreen):
    """The only step that sends. The same address is refused: mail to oneself proves little."""

    STEP = StepId.TESTMAIL
    HELP: ClassVar[str] = PURPOSE[StepId.TESTMAIL]
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("f9", "anyway", "Try anyway"),
        Binding("f4", "details", "Details"),
        Binding("f8", "skip", "Skip"),
        Binding("f5", "again", "Send again", show=False),
    ]

    def __init__(self, kit: Kit, draft: Draft) -> None:
        super().__init__(kit, draft)
        typed = draft.typed.get("test_to", str(draft.test_to or ""))
        self.field = Field(
            "Send a test to",
            TextInput(typed, placeholder="another address of yours", id="to"),
            hint=another_address(draft),
            parse=self._recipient,
        )
        self.checks = CheckList(of_interest=(Stage.MAIL, Stage.RCPT, Stage.DATA), id="checks")
        self.card = FindingCard(id="finding")
        self.arrived = Choices(
            [
                Choice(ArrivalAnswer.YES, ARRIVED),
                Choice(ArrivalAnswer.NO, NOT_YET),
                Choice(ArrivalAnswer.AGAIN, SEND_AGAIN),
                Choice(ArrivalAnswer.ON, GO_ON_UNKNOWING),
            ],
            id="arrived",
        )
        self.question = Plain("", classes="question", id="arrived-question")
        self.advice = Plain("", classes="note", id="advice")
        self.transcript = TranscriptPane(id="transcript")
        self._details = False

    def body(self) -> Iterator[Widget]:
        yield Plain(Content.styled(TESTMAIL_QUESTION, "bold"), classes="question")
        yield self.field
        with Horizontal(classes="buttons"):
            yield Button("Send test mail", id="send", compact=True, variant="primary")
            yield Button("Skip this step (F8)", id="skip", compact=True)
        yield self.checks
        yield self.card
        yield self.question
        yield self.arrived
        yield self.advice
        yield self.transcript

    def on_mount(self) -> None:
        for hidden in (self.question, self.arrived, self.advice, self.transcript):
            hidden.display = False
        self.field.entry.focus()
        if self.draft.arrival in (Arrival.ARRIVED, Arrival.NOT_YET):
            self._ask()

    def _recipient(self, text: str) -> Address:
        return parse_recipient(self.draft, text, "press F8 to skip")

    def collect(self) -> Draft:
        to = self.field.read().value
        if to is None:
            return self.draft.with_typed("test_to", self.field.value or None)
        return replace(self.draft, test_to=to).with_typed("test_to", None)

    @on(Input.Submitted, "#to")
    @on(Button.Pressed, "#send")
    def _enter(self) -> None:
        if self.at_work("checks"):
            return
        if self.draft.refused:
            self.banner.say(REFUSED_AT_TESTMAIL)
        else:
            self.action_again()

    def action_again(self) -> None:
        """Send, whatever came of the last time; not while that is being done."""
        if self.at_work("checks"):
            return
        if self.field.parsed() is not None:
            self._send(self.collect())
        else:
            self.field.entry.focus()

    @work(exclusive=True, group="checks")
    async def _send(self, draft: Draft, *, anyway: bool = False) -> None:
        self.banner.say("")
        self.checks.begin()
        self.card.show(None)
        for hidden in (self.question, self.arrived, self.advice):
            hidden.display = False
        desk = self.kit.desk
        try:
            if not await unlocked(self.app, desk.stores.vault, await desk.tokens.store_of(draft)):
                raise InputError(VAULT_CLOSED)
            options = Options(ignore_lockout=anyway)
            report = await desk.checks.check_draft(draft, Depth.SEND, self._take, options=options)
        except EXPECTED_ERRORS as problem:
            self.banner.say(str(problem))
            return
        self.draft = draft
        if refused(report):  # what was proved before holds no longer, on the way back either
            self.draft = replace(draft, proof=self.kit.desk.checks.prove(draft, report, Depth.SEND))
        self.card.show(next(iter(report.findings), None), details=self._details)
        self.refresh_bindings()
        if report.verdict in (Verdict.PASS, Verdict.WARN):
            self.draft = replace(draft, proof=self.kit.desk.checks.prove(draft, report, Depth.SEND))
            self._ask()
        elif report.verdict is Verdict.UNKNOWN:
            self._ask()
        if self._details:
            self.transcript.show(self.checks.lines)

    def _take(self, event: Event) -> None:
        self.checks.take(event)

    def _ask(self) -> None:
        self.question.update(Content.styled(arrived_question(self.draft), "bold"))
        self.question.display = self.arrived.display = True
        self.arrived.focus()
        self.arrived.scroll_visible(animate=False)

    @on(Choices.Taken, "#arrived")
    def _answered(self) -> None:
        match self.arrived.selected:
            case ArrivalAnswer.YES:
                self.go_on(replace(self.collect(), arrival=Arrival.ARRIVED))
            case ArrivalAnswer.NO:
                self.draft = replace(self.draft, arrival=Arrival.NOT_YET)
                self.advice.update(NOT_YET_WORDS)
                self.advice.display = True
                self.advice.scroll_visible(animate=False)
            case ArrivalAnswer.AGAIN:
                self.field.entry.focus()
            case ArrivalAnswer.ON:
                self.go_on(replace(self.collect(), arrival=Arrival.NOT_YET))

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Offer the key for a sign-in against advice only where there was none."""
        return self.card.paused if action == "anyway" else True

    def action_anyway(self) -> None:
        """Send although the sign-in may lock the account, once the person has said yes."""

        def answered(yes: bool | None) -> None:
            if yes and not self.at_work("checks") and self.field.parsed() is not None:
                self._send(self.collect(), anyway=True)

        self.app.push_screen(ConfirmScreen(ANYWAY_QUESTION, yes=ANYWAY_YES, no=ANYWAY_NO), answered)

    @on(Button.Pressed, "#skip")
    def action_skip(self) -> None:
        """Go on without a test message."""
        self.workers.cancel_group(self, "checks")
        self.go_on(replace(self.collect(), arrival=Arrival.SKIPPED))

    def action_details(self) -> None:
        """Show or hide the server's own words and the dialogue."""
        self._details = not self._details
        self.transcript.show(self.checks.lines)
        self.card.show(self.card.finding, details=self._details)
        self.transcript.unfold(self._details, failed=self.card.finding is not None, otherwise=self.field.entry.focus)

    def on_transcript_pane_wanted(self, message: TranscriptPane.Wanted) -> None:
        """The dialogue was copied, or is wanted in full."""
        answer_transcript(self, message, self.kit.shelf, self.card.finding, self.banner)
