"""Connect: the password, with the step guide beside the live checks."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import ClassVar

from textual import on, work
from textual.binding import Binding, BindingType
from textual.containers import Container, VerticalScroll
from textual.content import Content
from textual.widget import Widget
from textual.widgets import Input

from smtp_wizard.engine.base.connection import Auth
from smtp_wizard.engine.base.errors import InputError
from smtp_wizard.engine.base.secret import Secret
from smtp_wizard.engine.base.stages import Depth, Verdict
from smtp_wizard.engine.checks.events import Event, Line, RunFinished, StageFinished
from smtp_wizard.engine.diagnosis.finding import Finding
from smtp_wizard.engine.guides.guides import Guide
from smtp_wizard.engine.services.options import Options
from smtp_wizard.engine.wizard.draft import Draft
from smtp_wizard.engine.wizard.steps import StepId
from smtp_wizard.runtime.expected_errors import EXPECTED_ERRORS
from smtp_wizard.screens.dialogs import ConfirmScreen
from smtp_wizard.screens.finding import answer_transcript
from smtp_wizard.screens.passphrase import unlocked
from smtp_wizard.screens.step import Kit, ReachingScreen
from smtp_wizard.text.network import unreached_after
from smtp_wizard.text.stores import VAULT_CLOSED
from smtp_wizard.text.wizard import (
    ANYWAY_NO,
    ANYWAY_QUESTION,
    ANYWAY_YES,
    BLANK_AT_END,
    PURPOSE,
    REFUSED_KEYS,
    SECRET_LACKING,
    USERNAME_LACKING,
    filled_guide,
    guide_id_for,
    override_words,
    proved_words,
    secret_count,
)
from smtp_wizard.widgets.checks import CheckList
from smtp_wizard.widgets.fields import Field, SecretInput, TextInput
from smtp_wizard.widgets.finding_card import FindingCard
from smtp_wizard.widgets.guide import GuidePane
from smtp_wizard.widgets.text import Plain
from smtp_wizard.widgets.transcript import TranscriptPane


class ConnectScreen(ReachingScreen):
    """Enter checks the sign-in. What passed is ticked in the guide; what failed opens its step, to be mended here."""

    STEP = StepId.CONNECT
    HELP: ClassVar[str] = f"{PURPOSE[StepId.CONNECT]} F6 moves between the guide and the form."
    HORIZONTAL_BREAKPOINTS = [(0, "-narrow"), (100, "-wide")]  # noqa: RUF012  the base declares it so
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("f9", "fix", "Use the offer"),
        Binding("f9", "anyway", "Try anyway"),
        Binding("f6", "switch", "Guide/form"),
        Binding("f4", "details", "Details"),
        Binding("enter", "check", "Check", show=False),
        Binding("f5", "again", "Check again", show=False),
    ]

    def __init__(self, kit: Kit, draft: Draft) -> None:
        super().__init__(kit, draft)
        path = kit.desk.catalog.path(draft.connection)
        self.form = path.secret_form if path else None
        self.needs_secret = draft.connection.auth is Auth.PASSWORD
        self.needs_name = draft.connection.auth is not Auth.NONE
        label = path.secret_label if path and path.secret_label else "Password"
        self.username = Field("User name", TextInput(draft.connection.username, id="username"))
        typed = draft.secret.reveal() if draft.secret and self.needs_secret else ""
        self.entry = SecretInput(typed, form=self.form, id="secret")
        self.field = Field(label, self.entry, hint=self._hint_words(""))
        self.guide_id = guide_id_for(path)
        self.pane = GuidePane(self._guide(self.guide_id), draft.ticks, id="guide")
        self.checks = CheckList(id="checks")
        self.card = FindingCard(id="finding")
        self.outcome = Plain("", id="outcome")
        self.transcript = TranscriptPane(id="transcript")
        self._details = False
        self._offer = ""
        self._end_listening: Callable[[], None] | None = None

    def body(self) -> Iterator[Widget]:
        with Container(id="split"):
            yield self.pane
            with VerticalScroll(id="form", can_focus=False):
                yield Plain(self._server_words(), classes="server")
                if self.needs_name:
                    yield self.username
                if self.needs_secret:
                    yield self.field
                yield self.checks
                yield self.outcome
                yield self.card
                yield self.transcript

    def on_mount(self) -> None:
        self.transcript.display = False
        self._aim()
        self._end_listening = self.kit.watch.listen(self._take_background)
        if self.draft.signed_in:
            self._succeeded()

    def on_unmount(self) -> None:
        if self._end_listening is not None:
            self._end_listening()

    def _aim(self) -> None:
        """Put the cursor where the next thing is to be typed."""
        if not self.needs_name:
            self.pane.focus()
        elif not self.username.value or not self.needs_secret:
            self.username.entry.focus()
        else:
            self.entry.focus()

    def _server_words(self) -> Content:
        endpoint = self.draft.connection.endpoint
        where = f"{endpoint}, {endpoint.security.words}" if endpoint else "no server yet"
        ending = "" if self.needs_secret else "   Press Enter to check."
        ending = ending if self.needs_name else "   No sign-in: press Enter to check."
        own = "".join(f"\n{line}" for line in override_words(self.draft, self.kit.desk.catalog))
        return Content.assemble(("Server ", "$foreground-muted"), f"{where}{ending}", (own, "bold $text-warning"))

    def _guide(self, guide_id: str) -> Guide:
        provider = self.kit.desk.catalog.get(self.draft.connection.provider)
        return filled_guide(self.kit.shelf, guide_id, provider, self.draft)

    # -- typing -----------------------------------------------------------------------------------------------------

    def _hint_words(self, text: str) -> str:
        if self.form is None:
            return "F2 shows what you type. Enter signs in, once."
        if not text:
            return f"{self.form.length} characters, blanks do not matter. F2 shows what you type. Enter signs in."
        return secret_count(self.form, text)

    @on(Input.Changed, "#secret")
    def _typed(self) -> None:
        if self.form is not None:
            self.field.hint(self._hint_words(self.entry.value))
        elif self.entry.value != self.entry.value.strip():
            self.field.hint(BLANK_AT_END)
        else:
            self.field.hint(self._hint_words(""))
        self._forget_success()

    @on(Input.Changed, "#username")
    def _renamed(self) -> None:
        self._forget_success()

    def _forget_success(self) -> None:
        self.draft = self.collect()
        if not self.draft.signed_in:
            self.outcome.update("", layout=False)

    def collect(self) -> Draft:
        draft = replace(self.draft, ticks=self.pane.ticks)
        if not self.needs_name:
            return draft
        if not self.needs_secret:
            return draft.with_sign_in(self.username.value.strip(), draft.secret)
        typed = self.entry.secret
        return draft.with_sign_in(self.username.value.strip(), Secret(typed) if typed else None)

    # -- checking ---------------------------------------------------------------------------------------------------

    def _take_background(self, event: Event) -> None:
        """Show the server check that ran while the person read; a finding of it is shown before a password is typed."""
        if not isinstance(event, Line):
            self._fold(event)

    def _fold(self, event: Event) -> None:
        self.checks.take(event)
        if isinstance(event, StageFinished):
            self.pane.proved(event.result)
        elif isinstance(event, RunFinished):
            self._offer = self.wonder(unreached_after(self.kit.desk.scans, event.report))
            self._show(next(iter(event.report.findings), None))

    def _show(self, finding: Finding | None) -> None:
        self.card.show(finding, details=self._details, question=self._offer)
        # The room that was held free is wanted for what is wrong.
        failed = finding is not None and not finding.warning
        self.outcome.display = not failed
        self.checks.set_class(failed, "-short")
        self.refresh_bindings()
        if failed:
            self.card.scroll_visible(animate=False)

    @on(Input.Submitted)
    def action_check(self) -> None:
        """Sign in, once; when that has been done and nothing has changed since, go on, or say what to change.

        While it is being done nothing happens: each further sign-in would count towards a lock-out.
        """
        draft = self.collect()
        if self.at_work("checks"):
            return
        if draft.signed_in:
            self.go_on(draft)
        elif draft.refused:
            self.banner.say(REFUSED_KEYS)
            self._aim()
        else:
            self.action_again()

    def action_again(self) -> None:
        """Sign in, once, whatever came of the last time; not while that is being done."""
        if not self.at_work("checks") and (not self.needs_name or self._complete()):
            self._check(self.collect())

    def _complete(self) -> bool:
        if not self.username.value.strip():
            self.username.fail(USERNAME_LACKING)
            self.username.entry.focus()
            return False
        if self.needs_secret and not self.entry.value:
            self.field.fail(SECRET_LACKING)
            self.entry.focus()
            return False
        return True

    @work(exclusive=True, group="checks")
    async def _check(self, draft: Draft, *, anyway: bool = False) -> None:
        if self._end_listening is not None:
            self._end_listening()
        self.banner.say("")
        self.checks.begin()
        self._show(None)
        self.outcome.update("", layout=False)
        self.field.fail("")
        desk = self.kit.desk
        try:
            if not await unlocked(self.app, desk.stores.vault, await desk.tokens.store_of(draft)):
                raise InputError(VAULT_CLOSED)
            options = Options(ignore_lockout=anyway)
            report = await desk.checks.check_draft(draft, Depth.LOGIN, self._fold, options=options)
        except EXPECTED_ERRORS as problem:
            self.banner.say(str(problem))
            return
        self.draft = replace(draft, ticks=self.pane.ticks, proof=self.kit.desk.checks.prove(draft, report, Depth.LOGIN))
        self._refresh_transcript()
        if report.verdict in (Verdict.PASS, Verdict.WARN):
            self._succeeded()
        else:
            self._failed(next(iter(report.findings), None))

    def _succeeded(self) -> None:
        words = proved_words(self.draft.connection.auth)
        self.outcome.update(
            Content.styled(f"{words} Press Enter to go on to the test mail.", "bold $text-success"), layout=False
        )
        # The rows above have just grown: where it lies is known only after they were laid out.
        self.call_after_refresh(self.outcome.scroll_visible, animate=False)

    def _failed(self, finding: Finding | None) -> None:
        """Leave the cursor where the thing can be mended."""
        if finding is None:
            return
        if finding.guide and finding.guide != self.guide_id and finding.guide in self.kit.shelf.ids():
            self.banner.say(f"A guide for this: smtp-wizard guide {finding.guide}")
        self._aim()

    # -- looking ----------------------------------------------------------------------------------------------------

    @on(GuidePane.Ticked)
    def _ticked(self, message: GuidePane.Ticked) -> None:
        self.draft = replace(self.draft, ticks=message.ticks)

    def action_switch(self) -> None:
        """Move between the guide and the form."""
        if self.pane.has_focus:
            self._aim()
        else:
            self.pane.focus()

    def action_details(self) -> None:
        """Show or hide the server's own words and the dialogue."""
        self._details = not self._details
        self._refresh_transcript()
        self.card.show(self.card.finding, details=self._details, question=self._offer)
        self.transcript.unfold(self._details, failed=self.card.finding is not None, otherwise=self._aim)

    def on_transcript_pane_wanted(self, message: TranscriptPane.Wanted) -> None:
        """The dialogue was copied, or is wanted in full."""
        answer_transcript(self, message, self.kit.shelf, self.card.finding, self.banner)

    def _refresh_transcript(self) -> None:
        if self._details:
            self.transcript.show(self.checks.lines)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Offer the keys for a fix, and for a sign-in against advice, only where there is something of the kind."""
        known = {"fix": self.card.fixable, "anyway": self.card.paused}
        return known[action] if action in known else super().check_action(action, parameters)

    def action_anyway(self) -> None:
        """Sign in although that may lock the account, once the person has said yes."""

        def answered(yes: bool | None) -> None:
            if yes and not self.at_work("checks") and self._complete():
                self._check(self.collect(), anyway=True)

        self.app.push_screen(ConfirmScreen(ANYWAY_QUESTION, yes=ANYWAY_YES, no=ANYWAY_NO), answered)

    def action_fix(self) -> None:
        """Take the endpoint that a finding offers, and check again."""
        fix = self.card.finding.fix if self.card.finding else None
        if fix is None:
            return
        self.draft = self.collect().with_endpoint(fix)
        self.kit.watch.watch(self.draft)
        self.query_one(".server", Plain).update(self._server_words())
        if self.needs_secret and not self.entry.value:
            self.checks.begin()
            self._show(None)
            self._end_listening = self.kit.watch.listen(self._take_background)
        else:
            self._check(self.draft)
