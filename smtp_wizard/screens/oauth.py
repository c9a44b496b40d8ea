"""Browser: the client id, then the wait for the person to come back from the provider's sign-in page."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import replace
from typing import ClassVar
from urllib.parse import urlsplit

from textual import on
from textual.binding import Binding, BindingType
from textual.containers import Container, VerticalScroll
from textual.content import Content
from textual.widget import Widget
from textual.widgets import Input

from smtp_wizard.engine.base.secret import Secret
from smtp_wizard.engine.base.shown import shown
from smtp_wizard.engine.oauth.client import RegisteredClient
from smtp_wizard.engine.oauth.errors import OAuthError
from smtp_wizard.engine.oauth.pending_sign_in import PendingSignIn
from smtp_wizard.engine.oauth.server import ClientSecret, Flow
from smtp_wizard.engine.wizard.draft import Draft
from smtp_wizard.engine.wizard.steps import StepId
from smtp_wizard.runtime.expected_errors import EXPECTED_ERRORS
from smtp_wizard.screens.dialogs import LinkScreen
from smtp_wizard.screens.step import Kit, StepScreen
from smtp_wizard.text.oauth import (
    CLIENT_ID_LACKING,
    CLIENT_SECRET_LACKING,
    DONE_WORDS,
    PASTE_HINT,
    client_words,
    left_words,
    tunnel_command,
)
from smtp_wizard.text.wizard import PURPOSE, filled_guide, guide_id_for, override_words
from smtp_wizard.widgets.fault_containment import work_once
from smtp_wizard.widgets.fields import Field, SecretInput, TextInput
from smtp_wizard.widgets.guide import GuidePane
from smtp_wizard.widgets.text import Plain


class OAuthScreen(StepScreen):
    """Enter opens the sign-in, and goes on when it is done. Escape leads back, and ends the waiting, at any time."""

    STEP = StepId.OAUTH
    HELP: ClassVar[str] = PURPOSE[StepId.OAUTH]
    HORIZONTAL_BREAKPOINTS = [(0, "-narrow"), (100, "-wide")]  # noqa: RUF012  the base declares it so
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("f4", "page", "The page"),
        Binding("f9", "other_way", "Other way"),
        Binding("f6", "switch", "Guide/form"),
        Binding("f5", "anew", "Sign in again", show=False),
        Binding("enter", "begin", "Sign in", show=False),
    ]

    def __init__(self, kit: Kit, draft: Draft) -> None:
        super().__init__(kit, draft)
        path = kit.desk.catalog.path(draft.connection)
        server = path.oauth if path else None
        assert server is not None, "the step applies only where one signs in in the browser"
        self.server = server
        self.flow = server.flows[0]
        self.client_id = Field("Client id", TextInput(draft.client_id, id="client-id"))
        kept = draft.client_secret.reveal() if draft.client_secret else ""
        self.secret_entry = SecretInput(kept, id="client-secret")
        self.client_secret = Field("Client secret", self.secret_entry)
        self.pasted = Field("Its last address", TextInput(id="pasted"), hint=PASTE_HINT)
        guide = filled_guide(kit.shelf, guide_id_for(path), kit.desk.catalog.get(draft.connection.provider), draft)
        self.pane = GuidePane(guide, draft.ticks, id="guide")
        self.about = Plain("", id="about")
        self.state = Plain("", id="outcome")
        self.attempt: PendingSignIn | None = None

    # -- what is shown ----------------------------------------------------------------------------------------------

    def body(self) -> Iterator[Widget]:
        with Container(id="split"):
            yield self.pane
            with VerticalScroll(id="form", can_focus=False):
                yield self.client_id
                yield self.client_secret
                yield self.about
                yield self.pasted
                yield self.state

    def on_mount(self) -> None:
        self.client_secret.display = self.server.client_secret is not ClientSecret.NONE
        self.set_interval(1.0, self._tick)
        self._describe()
        self._aim()

    def _aim(self) -> None:
        fields = [self.client_id, *([self.client_secret] if self.client_secret.display else [])]
        wanted = self.pasted if self.pasted.display else next((each for each in fields if not each.value), fields[0])
        wanted.entry.focus()

    def _describe(self) -> None:
        """Say what is to be done now."""
        waiting = self.attempt is not None
        self.pasted.display = waiting and self.flow is not Flow.DEVICE
        self.client_id.entry.disabled = self.secret_entry.disabled = waiting
        self.about.update(Content("\n").join(self._lines()))
        self._tick()
        self.refresh_bindings()

    def _lines(self) -> list[Content]:
        if self.attempt is not None:
            return self._what_to_do(self.attempt)
        lines = [Content(client_words(self.server)), Content(self._way_words())]
        own = override_words(self.draft, self.kit.desk.catalog)
        return [*lines, *(Content.styled(line, "bold $text-warning") for line in own)]

    def _way_words(self) -> str:
        other = " F9: with a code instead." if self.server.device and self.flow is not Flow.DEVICE else ""
        if self.flow is Flow.DEVICE:
            return "Enter shows a code, which you type on any device. F9: in the browser instead."
        return f"Enter shows the sign-in page of {self._host}.{other}"

    @property
    def _host(self) -> str:
        return urlsplit(self.server.authorize).hostname or ""

    def _what_to_do(self, attempt: PendingSignIn) -> list[Content]:
        if attempt.code is not None:
            return [
                Content.assemble("On any device, open ", (attempt.code.page, "bold")),
                Content.assemble("and type the code ", (attempt.code.user_code, "bold"), "   F4: as a QR code."),
            ]
        lines = [Content(f"F4 shows the page of {self._host}: open it in a browser, and sign in.")]
        tunnel = tunnel_command(attempt.port, os.environ) if attempt.port is not None else ""
        if tunnel:
            lines += [
                Content("The browser is elsewhere? Run this there first:"),
                Content.styled(tunnel, "bold"),
                Content("or paste here the address that it ended on:"),
            ]
        return lines

    def _tick(self) -> None:
        """Say how long is left, once a second while somebody is waited for; else nothing changes."""
        if self.attempt is not None:
            words = Content.styled(left_words(self.attempt.ends, self.kit.desk.now()), "bold")
        elif self.draft.secret is not None:
            words = Content.styled(f"{DONE_WORDS} Enter goes on; F5 signs in again.", "bold $text-success")
        else:
            words = Content("")
        if words != self.state.content:
            self.state.update(words, layout=False)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        if action == "page":
            return self.attempt is not None
        if action == "other_way":
            return bool(self.server.device) and self.draft.secret is None
        return True

    # -- typing -----------------------------------------------------------------------------------------------------

    def collect(self) -> Draft:
        typed = self.secret_entry.secret
        client_id = shown(self.client_id.value.strip(), 300)
        secret = Secret(typed) if typed else None
        draft = replace(self.draft, ticks=self.pane.ticks)
        if (client_id, secret) == (draft.client_id, draft.client_secret):
            return draft
        # What came of another client is not kept with this one.
        return replace(draft, client_id=client_id, client_secret=secret).with_sign_in(draft.connection.username, None)

    @on(Input.Changed, "#client-id")
    @on(Input.Changed, "#client-secret")
    def _typed(self) -> None:
        self.draft = self.collect()
        self._tick()

    def _complete(self) -> bool:
        lacking = [(self.client_id, CLIENT_ID_LACKING)]
        if self.server.client_secret is ClientSecret.NEEDED:
            lacking.append((self.client_secret, CLIENT_SECRET_LACKING))
        for field, why in lacking:
            if not field.value.strip():
                field.fail(why)
                field.entry.focus()
                return False
        return True

    # -- signing in -------------------------------------------------------------------------------------------------

    @on(Input.Submitted)
    def action_begin(self) -> None:
        """Go on when it is done; take what was pasted; else begin."""
        if self.draft.secret is not None:
            self.go_on(self.collect())
        elif self.attempt is not None:
            self._paste()
        elif self._complete():
            self._sign_in(self.collect())

    def action_anew(self) -> None:
        """Begin again, whatever came of the last time."""
        self.workers.cancel_group(self, "oauth")
        self.attempt = None
        self.draft = self.collect().with_sign_in(self.draft.connection.username, None)
        self._describe()
        if self._complete():
            self._sign_in(self.draft)

    def _paste(self) -> None:
        assert self.attempt is not None, "it is asked for while somebody is waited for"
        if self.flow is Flow.DEVICE or not self.pasted.value:
            return
        try:
            self.attempt.paste(self.pasted.value)
        except OAuthError as problem:
            self.pasted.fail(str(problem))
        else:
            self.pasted.fail("")

    @work_once("oauth")
    async def _sign_in(self, draft: Draft) -> None:
        self.draft = draft
        self.banner.say("")
        desk = self.kit.desk
        client = RegisteredClient(draft.client_id, draft.client_secret)
        exchange = desk.tokens.exchange(self.server, client, draft.connection.ca_file)
        address = draft.address.wire if draft.address else ""
        try:
            async with PendingSignIn(exchange, self.flow, address, now=desk.now) as attempt:
                self.attempt = attempt
                self.pasted.value = ""
                self._describe()
                self._aim()
                if self.kit.local:
                    self.app.open_url(attempt.url)
                found = await attempt.finished()
        except EXPECTED_ERRORS as problem:
            self.banner.say(str(problem))
        else:
            self.draft = self.draft.with_sign_in(draft.connection.username, desk.tokens.remember(found))
        finally:
            self.attempt = None
        self._describe()
        self._aim()

    def work_failed(self) -> None:
        self._describe()
        self._aim()

    def action_other_way(self) -> None:
        """With a code instead of the browser, or the other way round; what was begun ends."""
        self.workers.cancel_group(self, "oauth")
        self.attempt = None
        self.flow = Flow.BROWSER if self.flow is Flow.DEVICE else Flow.DEVICE
        self.banner.say("")
        self._describe()
        self._aim()

    def action_page(self) -> None:
        """Show the page's address in full, and as a QR code."""
        if self.attempt is not None:
            code = self.attempt.code
            url = code.whole_page or code.page if code is not None else self.attempt.url
            self.app.push_screen(LinkScreen(url, local=self.kit.local))

    @on(GuidePane.Ticked)
    def _ticked(self, message: GuidePane.Ticked) -> None:
        self.draft = replace(self.draft, ticks=message.ticks)

    def action_switch(self) -> None:
        """Move between the guide and the form."""
        if self.pane.has_focus:
            self._aim()
        else:
            self.pane.focus()
