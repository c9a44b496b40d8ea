"""Server: host, port, security and user name by hand, and 'Test server settings', which sends no password."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import ClassVar

from textual import on, work
from textual.binding import Binding, BindingType
from textual.containers import Horizontal
from textual.content import Content
from textual.widget import Widget
from textual.widgets import Button, Input

from smtp_wizard.engine.check import Event, Report, RunFinished
from smtp_wizard.engine.model import (
    Auth,
    Depth,
    Endpoint,
    HostError,
    InputError,
    PortError,
    Security,
    Verdict,
    parse_host,
    parse_port,
)
from smtp_wizard.engine.sandbox import SandboxError
from smtp_wizard.engine.wizard import USUAL_PORT, USUAL_PORTS, Draft
from smtp_wizard.screens.dialogs import ConfirmScreen
from smtp_wizard.screens.step import Kit, StepScreen
from smtp_wizard.widgets import CheckList, Choice, Choices, Field, FindingCard, Plain, TextInput
from smtp_wizard.words import (
    CLEARTEXT_NO,
    CLEARTEXT_YES,
    NO_SIGN_IN,
    NO_USUAL_PORT,
    PURPOSE,
    SECURITY_TITLES,
    SERVER_GOOD,
    SERVER_QUESTION,
    best_port_words,
    cleartext_question,
    parse_reply_to,
    port_words,
)


@dataclass
class Told(Exception):
    """A field is wrong; it says so already."""


class ServerScreen(StepScreen):
    """The settings that an application asks for. The test proves server and port, and says that it proved no more."""

    STEP = "server"
    AUTO_FOCUS = "#host"
    HELP: ClassVar[str] = (
        f"{PURPOSE['server']} F5 tests these three without a password. F6 tries the usual ports and says which answer."
    )
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("f9", "fix", "Use the offer"),
        Binding("f5", "test", "Test server"),
        Binding("f6", "usual_ports", "Try usual ports"),
        Binding("f4", "details", "Details", show=False),
    ]

    def __init__(self, kit: Kit, draft: Draft) -> None:
        super().__init__(kit, draft)
        endpoint, typed = draft.endpoint, draft.typed
        host = typed.get("host", endpoint.host if endpoint else "")
        port = typed.get("port", str(endpoint.port if endpoint else 465))
        sender = typed.get("sender", str(draft.sender or ""))
        self.host = Field("Outgoing server", TextInput(host, id="host"), check=parse_host)
        self.security = Choices(
            [Choice(each, title, note) for each, (title, note) in SECURITY_TITLES.items()],
            endpoint.security if endpoint else Security.TLS,
            id="security",
        )
        self.port = Field("Port", TextInput(port, id="port"), check=parse_port)
        self.username = Field("User name", TextInput(draft.username, id="username"), hint=NO_SIGN_IN)
        self.sender = Field(
            "From address",
            TextInput(sender, placeholder=str(draft.address or ""), id="sender"),
            check=parse_reply_to,
        )
        self.checks = CheckList(id="checks")
        self.card = FindingCard(id="finding")
        self.verdict = Plain("", classes="note", id="verdict")
        self._details = False

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

    def on_mount(self) -> None:
        self.verdict.display = False

    @on(Choices.Changed, "#security")
    def _security_changed(self) -> None:
        """The port follows while it is one of the usual ones; a port that somebody typed stays."""
        if self.port.value.strip() in {str(port) for port in USUAL_PORT.values()}:
            self.port.value = str(USUAL_PORT[Security(self.security.selected)])

    def _endpoint(self) -> Endpoint:
        fields_good = [field.valid() for field in (self.host, self.port)]
        if not all(fields_good):
            (self.host if not fields_good[0] else self.port).entry.focus()
            raise Told
        return Endpoint(parse_host(self.host.value), parse_port(self.port.value), Security(self.security.selected))

    def collect(self) -> Draft:
        draft = self.draft
        try:
            endpoint = Endpoint(
                parse_host(self.host.value), parse_port(self.port.value), Security(self.security.selected)
            )
            draft = draft.with_endpoint(endpoint).with_typed("host", None).with_typed("port", None)
        except (HostError, PortError):
            draft = draft.with_typed("host", self.host.value).with_typed("port", self.port.value)
        try:
            draft = replace(draft, sender=parse_reply_to(self.sender.value)).with_typed("sender", None)
        except InputError:
            draft = draft.with_typed("sender", self.sender.value)
        username = self.username.value.strip()
        auth = Auth.NONE if not username else Auth.PASSWORD if draft.auth is Auth.NONE else draft.auth
        return replace(draft.with_sign_in(username, draft.secret), auth=auth)

    @on(Input.Submitted)
    @on(Choices.Taken)
    @on(Button.Pressed, "#continue")
    def _enter(self) -> None:
        try:
            self._endpoint()
        except Told:
            return
        if not self.sender.valid():
            self.sender.entry.focus()
            return
        draft = self.collect()
        if draft.security is Security.NONE and draft.auth is Auth.PASSWORD and not draft.allow_cleartext:
            self._ask_for_cleartext(draft)
        else:
            self.go_on(draft)

    def _ask_for_cleartext(self, draft: Draft) -> None:
        """A password over an unencrypted line needs a yes, given for this server."""

        def answered(yes: bool | None) -> None:
            if yes:
                self.go_on(replace(draft, allow_cleartext=True))

        self.app.push_screen(
            ConfirmScreen(cleartext_question(draft.endpoint), yes=CLEARTEXT_YES, no=CLEARTEXT_NO),
            answered,
        )

    @on(Button.Pressed, "#test")
    def action_test(self) -> None:
        """Test server and port, with no password."""
        try:
            endpoint = self._endpoint()
        except Told:
            return
        self._test(self.collect().with_endpoint(endpoint))

    @work(exclusive=True, group="checks")
    async def _test(self, draft: Draft) -> None:
        self.checks.begin()
        self.card.show(None)
        self._say("")
        try:
            report = await self.kit.desk.check_draft(draft, Depth.SERVER, self._take)
        except (InputError, SandboxError) as problem:
            self._say(str(problem))
            return
        self._told(report)

    def _take(self, event: Event) -> None:
        self.checks.take(event)
        if isinstance(event, RunFinished):
            self.card.show(next(iter(event.report.findings), None), details=self._details)
            self.refresh_bindings()

    def _told(self, report: Report) -> None:
        if report.verdict in (Verdict.PASS, Verdict.WARN):
            self._say(SERVER_GOOD)

    def _say(self, text: str) -> None:
        self.verdict.update(text)
        self.verdict.display = bool(text)
        if text:
            # Twice laid out: where a scroll bar comes, the lines above are broken anew.
            self.call_after_refresh(self.query_one("#body").scroll_end, animate=False)

    @on(Button.Pressed, "#usual")
    def action_usual_ports(self) -> None:
        """Try the usual ports, all at once, each in its usual way."""
        if self.host.valid():
            self._try_ports(parse_host(self.host.value))
        else:
            self.host.entry.focus()

    @work(exclusive=True, group="checks")
    async def _try_ports(self, host: str) -> None:
        self.checks.begin()
        self.card.show(None)
        self._say(f"Trying the usual ports of {host} ...")
        draft = self.collect()
        endpoints = [Endpoint(host, port, security) for port, security in USUAL_PORTS]

        async def one(endpoint: Endpoint) -> Report:
            return await self.kit.desk.check_draft(draft.with_endpoint(endpoint), Depth.SERVER, _ignore)

        reports = await asyncio.gather(*(one(endpoint) for endpoint in endpoints))
        serving = [report.endpoint for report in reports if report.verdict in (Verdict.PASS, Verdict.WARN)]
        words = [f"{each.endpoint.port}: {port_words(each)}" for each in reports]
        if serving:
            self.port.value = str(serving[0].port)
            self.security.selected = serving[0].security
            words.append(best_port_words(serving[0]))
        else:
            words.append(NO_USUAL_PORT)
        self._say("\n".join(words))

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Offer the key for a fix only where there is one."""
        return self.card.fixable if action == "fix" else True

    def action_fix(self) -> None:
        """Fill in what a finding offers, and test it."""
        fix = self.card.finding.fix if self.card.finding else None
        if fix is not None:
            self.host.value, self.port.value = fix.host, str(fix.port)
            self.security.selected = fix.security
            self.port.value = str(fix.port)
            self.action_test()

    def action_details(self) -> None:
        """Show or hide the server's own words."""
        self._details = not self._details
        self.card.show(self.card.finding, details=self._details)


def _ignore(event: Event) -> None:
    """Only the report is of interest."""
