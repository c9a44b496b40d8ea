"""Server: host, port, security and user name by hand, and 'Test server settings', which sends no password."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import ClassVar

from textual import on, work
from textual.binding import Binding, BindingType
from textual.containers import Horizontal
from textual.content import Content
from textual.timer import Timer
from textual.widget import Widget
from textual.widgets import Button, Input

from smtp_wizard.engine.base.endpoint import (
    Endpoint,
    Security,
    following_port,
    parse_host,
    parse_port,
)
from smtp_wizard.engine.base.stages import Depth, Verdict
from smtp_wizard.engine.checks.events import Event, RunFinished
from smtp_wizard.engine.checks.report import Report
from smtp_wizard.engine.diagnosis.finding import Finding
from smtp_wizard.engine.scan.results import PortScanned, ScanResult, ScanStarted, fold_scan
from smtp_wizard.engine.scan.results import ScanEvent as ProbeEvent
from smtp_wizard.engine.services.options import Options
from smtp_wizard.engine.wizard.draft import Draft
from smtp_wizard.engine.wizard.server_confirmation import server_was_discovered
from smtp_wizard.engine.wizard.steps import StepId, may_be_nameless, with_typed_username
from smtp_wizard.runtime.expected_errors import EXPECTED_ERRORS
from smtp_wizard.screens.dialogs import ConfirmScreen
from smtp_wizard.screens.finding import answer_transcript
from smtp_wizard.screens.step import Kit, ReachingScreen
from smtp_wizard.text.network import (
    TAKE_NOW,
    common_finding,
    conclusion,
    rows,
    taken_words,
    unreached,
    unreached_after,
    unreached_ports,
)
from smtp_wizard.text.wizard import (
    CLEARTEXT_NO,
    CLEARTEXT_YES,
    NAME_FROM_PROVIDER,
    NO_SIGN_IN,
    PURPOSE,
    SECURITY_TITLES,
    SERVER_GOOD,
    SERVER_QUESTION,
    cleartext_question,
    parse_reply_to,
)
from smtp_wizard.widgets.checks import CheckList
from smtp_wizard.widgets.choices import Choice, Choices
from smtp_wizard.widgets.fields import Field, TextInput
from smtp_wizard.widgets.finding_card import FindingCard
from smtp_wizard.widgets.text import Plain
from smtp_wizard.widgets.transcript import TranscriptPane


class ServerScreen(ReachingScreen):
    """The settings that an application asks for. The test proves server and port, and says that it proved no more."""

    STEP = StepId.SERVER
    AUTO_FOCUS = "#host"
    HELP: ClassVar[str] = (
        f"{PURPOSE[StepId.SERVER]} F5 tests these three without a password. F6 tries every usual port and fills in the "
        "best."
    )
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("f9", "fix", "Use the offer"),
        Binding("f5", "test", "Test server"),
        Binding("f6", "usual_ports", "Try usual ports"),
        Binding("f4", "details", "Details", show=False),
    ]

    def __init__(self, kit: Kit, draft: Draft) -> None:
        super().__init__(kit, draft)
        endpoint, typed = draft.connection.endpoint, draft.typed
        host = typed.get("host", endpoint.host if endpoint else "")
        port = typed.get("port", str(endpoint.port if endpoint else 465))
        sender = typed.get("sender", str(draft.identity.sender or ""))
        self.host = Field("Outgoing server", TextInput(host, id="host"), parse=parse_host)
        self.security = Choices(
            [Choice(each, title, note) for each, (title, note) in SECURITY_TITLES.items()],
            endpoint.security if endpoint else Security.TLS,
            id="security",
        )
        self._way = self.security.selected
        """The security that stands in the fields together with the port."""
        self.port = Field("Port", TextInput(port, id="port"), parse=parse_port)
        nameless = NO_SIGN_IN if may_be_nameless(draft, kit.desk.catalog) else NAME_FROM_PROVIDER
        self.username = Field("User name", TextInput(draft.connection.username, id="username"), hint=nameless)
        self.sender = Field(
            "From address",
            TextInput(sender, placeholder=str(draft.address or ""), id="sender"),
            parse=parse_reply_to,
        )
        self.checks = CheckList(id="checks")
        self.card = FindingCard(id="finding")
        self.verdict = Plain("", classes="note", id="verdict")
        self.transcript = TranscriptPane(id="transcript")
        self._details = False
        self._offer = ""
        self.probe: ScanResult | None = None
        self._asked: Endpoint | str | None = None
        """The server that is tested, or the host whose ports are tried."""
        self._seen: list[PortScanned] = []
        self._pending: Timer | None = None

    def body(self) -> Iterator[Widget]:
        yield Plain(Content.styled(SERVER_QUESTION, "bold"), classes="question")
        yield self.host
        with Horizontal(id="security-row"):
            yield Plain("Secure connection", classes="label")
            yield self.security
        yield self.port
        yield self.username
        yield self.sender
        with Horizontal(classes="buttons"):
            yield Button("Continue", id="continue", compact=True, variant="primary")
            yield Button("Test server settings (F5)", id="test", compact=True)
            yield Button("Try the usual ports (F6)", id="usual", compact=True)
        yield self.checks
        yield self.verdict
        yield self.card
        yield self.transcript

    def on_mount(self) -> None:
        self.verdict.display = self.transcript.display = False

    @on(Choices.Changed, "#security")
    def _security_changed(self) -> None:
        """The port follows, unless it was filled in together with the security."""
        before, self._way = self._way, self.security.selected
        port = self.port.read().value
        if port is not None:
            self.port.value = str(following_port(port, before, self._way))

    def _fill_in(self, endpoint: Endpoint) -> None:
        """Put port and security, which belong together, into their fields."""
        self.port.value = str(endpoint.port)
        self._way = endpoint.security
        self.security.selected = endpoint.security

    def _endpoint(self) -> Endpoint | None:
        """Return the server that stands in the fields; None once it was said what is wrong with it."""
        host, port = self.host.parsed(), self.port.parsed()
        if host is None or port is None:
            (self.host if host is None else self.port).entry.focus()
            return None
        return Endpoint(host, port, self.security.selected)

    def collect(self) -> Draft:
        draft = self.draft
        host, port, sender = self.host.read().value, self.port.read().value, self.sender.read()
        if host is None or port is None:
            draft = draft.with_typed("host", self.host.value).with_typed("port", self.port.value)
        else:
            endpoint = Endpoint(host, port, self.security.selected)
            draft = draft.with_typed_endpoint(endpoint).with_typed("host", None).with_typed("port", None)
        if sender.error:
            draft = draft.with_typed("sender", self.sender.value)
        else:
            identity = replace(draft.identity, sender=sender.value)
            draft = replace(draft, identity=identity).with_typed("sender", None)
        return with_typed_username(draft, self.kit.desk.catalog, self.username.value.strip())

    @on(Input.Submitted)
    @on(Choices.Taken)
    @on(Button.Pressed, "#continue")
    def _enter(self) -> None:
        if self.probing and self.probe is not None and self.probe.best is not None:
            self.workers.cancel_group(self, "ports")
            self._take_best(self.probe)
            return
        if self._endpoint() is None:
            return
        self.sender.parsed()
        if self.sender.error:
            self.sender.entry.focus()
            return
        self.go_on_confirmed(self.collect(), self._encrypted)

    def _encrypted(self, draft: Draft) -> None:
        """Go on with a server that stood before the person's eyes; ask first where the password would go in clear."""
        draft = draft.confirmed()
        if draft.connection.awaits_consent:
            self._ask_for_cleartext(draft)
        else:
            self.go_on(draft)

    def _ask_for_cleartext(self, draft: Draft) -> None:
        """A password over an unencrypted line needs a yes, given for this server."""

        def answered(yes: bool | None) -> None:
            if yes:
                self.go_on(replace(draft, connection=replace(draft.connection, allow_cleartext=True)))

        self.app.push_screen(
            ConfirmScreen(cleartext_question(draft.connection.endpoint), yes=CLEARTEXT_YES, no=CLEARTEXT_NO),
            answered,
        )

    @on(Button.Pressed, "#test")
    def action_test(self) -> None:
        """Test server and port, with no password."""
        endpoint = self._endpoint()
        if endpoint is not None and self._anew(endpoint):
            self._test(self.collect().with_typed_endpoint(endpoint))

    def _anew(self, wanted: Endpoint | str) -> bool:
        """Whether something else is wanted than what is being done; that is ended then."""
        if wanted == self._asked and (self.probing or self.at_work("checks")):
            return False
        for group in ("checks", "ports"):
            self.workers.cancel_group(self, group)
        self._asked = wanted
        return True

    @property
    def probing(self) -> bool:
        """Whether the ports of a host are being tried."""
        return self.at_work("ports")

    @work(exclusive=True, group="checks")
    async def _test(self, draft: Draft) -> None:
        self._forget()
        try:
            report = await self.kit.desk.checks.check_draft(draft, Depth.SERVER, self._take)
        except EXPECTED_ERRORS as problem:
            self._say(str(problem))
            return
        self._told(report)

    def work_failed(self) -> None:
        self._say("")

    def _take(self, event: Event) -> None:
        self.checks.take(event)
        if isinstance(event, RunFinished):
            self._offer = self.wonder(unreached_after(self.kit.desk.scans, event.report))
            self._show(next(iter(event.report.findings), None))
            self.refresh_bindings()

    def _told(self, report: Report) -> None:
        if report.verdict in (Verdict.PASS, Verdict.WARN):
            self._say(SERVER_GOOD)

    def _say(self, text: str) -> None:
        self.verdict.update(text)
        self.verdict.display = bool(text)
        if text:
            # Twice laid out: where a scroll bar comes, the lines above are broken again.
            self.call_after_refresh(self.sheet.scroll_end, animate=False)

    @on(Button.Pressed, "#usual")
    def action_usual_ports(self) -> None:
        """Try every port that may serve, all at once; each is shown as it answers."""
        host = self.host.parsed()
        if host is None:
            self.host.entry.focus()
        elif self._anew(host):
            self._try_ports(host)

    @work(exclusive=True, group="ports")
    async def _try_ports(self, host: str) -> None:
        self._forget()
        draft = self.collect()
        found = await self.kit.desk.scans.probe(
            host,
            self._see,
            ca_file=draft.connection.ca_file,
            options=Options(ehlo_name=draft.connection.ehlo_name),
            found=server_was_discovered(draft, self.kit.desk.catalog),
        )
        self._take_best(found)

    def _see(self, event: ProbeEvent) -> None:
        """Show a port as soon as it has answered."""
        if isinstance(event, ScanStarted):
            self.probe = ScanResult(event.question)
        elif isinstance(event, PortScanned) and self.probe is not None:
            self._seen.append(event)
            self.probe = fold_scan(self.probe.question, self._seen)
        else:
            return
        if self._pending is None:
            self._pending = self.set_timer(CheckList.GATHER, self._show_ports)

    def _show_ports(self) -> None:
        self._pending = None
        if self.probe is not None and self.probing:
            more = TAKE_NOW if self.probe.best else ""
            head = f"Trying the ports of {self.probe.question.host} ... {more}".rstrip()
            self._say("\n".join([head, *rows(self.probe)]))

    def _take_best(self, found: ScanResult) -> None:
        """Fill in the best port, and say what follows from all of them."""
        self.probe = found
        best = found.best
        if best is not None and self._still(best.endpoint.host):
            self._fill_in(best.endpoint)
        ports = unreached_ports(found) if len(found.ports) == len(found.question.endpoints) else []
        serving = [each.report.endpoint for each in found.serving]
        offer = self.wonder(unreached(self.kit.desk.scans, found.question.host, ports, serving))
        self._say("\n".join([*rows(found), *conclusion(found, taken_words), *([offer] if offer else [])]))
        self._offer = ""
        self._show(common_finding(found))
        self.refresh_bindings()

    def _still(self, host: str) -> bool:
        """Whether the field still holds the name that was tried."""
        return self.host.read().value == host

    def _forget(self) -> None:
        """Let go what the last test said."""
        self.checks.begin()
        self.card.show(None)
        self._say("")
        self.probe, self._seen, self.unreached = None, [], None

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Offer the key for a fix only where there is one."""
        return self.card.fixable if action == "fix" else super().check_action(action, parameters)

    def action_fix(self) -> None:
        """Fill in what a finding offers, and test it."""
        fix = self.card.finding.fix if self.card.finding else None
        if fix is not None:
            self.host.value = fix.host
            self._fill_in(fix)
            self.action_test()

    def action_details(self) -> None:
        """Show or hide the server's own words, and what was said to it."""
        self._details = not self._details
        self.transcript.show(self.checks.lines)
        self._show(self.card.finding)
        self.transcript.unfold(self._details, failed=self.card.finding is not None, otherwise=self.host.entry.focus)

    def on_transcript_pane_wanted(self, message: TranscriptPane.Wanted) -> None:
        """The dialogue was copied, or is wanted in full."""
        answer_transcript(self, message, self.kit.shelf, self.card.finding, self.banner)

    def _show(self, finding: Finding | None) -> None:
        self.card.show(finding, details=self._details, question=self._offer)
