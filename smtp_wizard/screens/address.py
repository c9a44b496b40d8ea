"""Email: which address do you want to send mail from?"""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

from textual import on
from textual.binding import Binding, BindingType
from textual.containers import Horizontal
from textual.content import Content
from textual.widget import Widget
from textual.widgets import Button, Input

from smtp_wizard.engine.base.address import Address
from smtp_wizard.engine.discovery.autoconfig import load_database
from smtp_wizard.engine.wizard.draft import Draft, with_found
from smtp_wizard.engine.wizard.steps import StepId
from smtp_wizard.screens.dialogs import ConfirmScreen
from smtp_wizard.screens.step import Kit, StepScreen
from smtp_wizard.text.discovery import LIST_NO, LIST_YES, list_may_help, list_question
from smtp_wizard.text.wizard import ADDRESS_HINT, ADDRESS_LEAD, ADDRESS_QUESTION, PURPOSE, practice_address, typo_words
from smtp_wizard.widgets.fault_containment import work_once
from smtp_wizard.widgets.fields import Field, TextInput
from smtp_wizard.widgets.text import Plain


class AddressScreen(StepScreen):
    """The first question. A misspelt ending is offered back; the provider is looked up before the next step."""

    STEP = StepId.ADDRESS
    AUTO_FOCUS = "#address"
    HELP: ClassVar[str] = PURPOSE[StepId.ADDRESS]
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("f2", "keep", "Keep as typed", show=False),
        Binding("f3", "practise", "Practise first"),
        Binding("f7", "app.accounts", "Accounts"),
        Binding("f8", "app.limits", "Limits"),
        Binding("ctrl+q", "app.leave", "Quit"),
    ]

    def __init__(self, kit: Kit, draft: Draft) -> None:
        super().__init__(kit, draft)
        typed = draft.typed.get("address", str(draft.address) if draft.address else "")
        self.field = Field(
            "E-mail address",
            TextInput(typed, placeholder="ana@example.com", id="address"),
            hint=ADDRESS_HINT,
            parse=Address.parse,
        )
        self._offered = ""
        """The misspelt domain that was pointed out: Enter takes the right one, F2 keeps this one."""

    def on_mount(self) -> None:
        self.banner.say(" ".join(filter(None, (self.kit.desk.catalog.own_trouble, self.kit.left))))

    def body(self) -> Iterator[Widget]:
        yield Plain(Content.styled(ADDRESS_QUESTION, "bold"), classes="question")
        yield self.field
        with Horizontal(classes="buttons"):
            yield Button("Continue", id="continue", compact=True, variant="primary")
            yield Button("Practise first, without a mailbox (F3)", id="practise", compact=True)
        yield Plain(ADDRESS_LEAD, classes="lead")

    @on(Input.Submitted, "#address")
    @on(Button.Pressed, "#continue")
    def _enter(self) -> None:
        address = self.field.parsed()
        if address is None:
            self.field.entry.focus()
            return
        meant = self.kit.desk.catalog.suggest(address.domain)
        if self._offered and self._offered == address.domain and meant:
            self._look_up(Address(address.local, meant))
        elif meant:
            self._offered = address.domain
            self.field.fail(
                f"{typo_words(address.domain, meant)} Press Enter to use {meant}, or F2 to keep {address.domain}."
            )
        else:
            self._look_up(address)

    @on(Input.Changed, "#address")
    def _typed(self) -> None:
        if self.workers.cancel_group(self, "look-up"):
            self.banner.say("")  # another address is being typed
        if self._offered and not self.field.value.strip().lower().endswith(self._offered):
            self._offered = ""
            self.field.fail("")

    def action_keep(self) -> None:
        """Use the address as it was typed, although it looks misspelt."""
        address = self.field.parsed()
        if address is not None:
            self._look_up(address)

    @on(Button.Pressed, "#practise")
    def action_practise(self) -> None:
        """Fill in an address of the practice server."""
        self.field.value = practice_address(self.kit.desk.catalog.providers)
        self.field.fail("")
        self.field.hint("This is the practice server on this computer. Press Enter to go on.")
        self.field.entry.focus()

    def collect(self) -> Draft:
        address = self.field.read().value
        if address is None:
            return self.draft.with_typed("address", self.field.value)
        return self.draft.with_address(address).with_typed("address", None)

    async def _may_ask_the_list(self, draft: Draft) -> bool:
        """Ask before a public list learns the domain."""
        question = list_question(draft, load_database())
        yes = await self.app.push_screen_wait(ConfirmScreen(question, yes=LIST_YES, no=LIST_NO))
        return yes is True

    @work_once("look-up")
    async def _look_up(self, address: Address) -> None:
        """Find the provider: at once where the ending is known, else from the DNS."""
        draft = self.draft.with_address(address).with_typed("address", None)
        if draft.connection.provider is None:
            self.banner.say(f"Looking up {address.domain} ... (Esc goes back)")
            desk = self.kit.desk
            found = await desk.discovery.find_settings(
                address, tell=lambda line: self.banner.say(f"{line} (Esc goes back)")
            )
            if list_may_help(found) and await self._may_ask_the_list(draft):
                found = await desk.discovery.find_settings(address, public_list=True)
            draft = with_found(draft, found, desk.catalog)
        self.go_on(draft)
