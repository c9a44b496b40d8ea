"""What the tools that look something up have in common: Esc stops what runs, and a text is copied."""

from __future__ import annotations

from typing import Protocol

from textual import work

from smtp_wizard.screens.page import READ, Page
from smtp_wizard.text.explain import COPIED

WORK = "act"
"""The group of what runs on such a page."""


class NeedsAccounts(Protocol):
    """What is needed of a flow that has to know the saved accounts."""

    async def read_accounts(self) -> None: ...


class StoppablePage(Page[None]):
    """A tool that does one thing at a time, in the group `WORK`; the person may stop it."""

    def escape(self) -> None:
        """Stop what runs; else leave."""
        if not self.workers.cancel_group(self, WORK):
            self.leave()

    def leave(self) -> None:
        """Do what Esc does where nothing runs."""
        self.dismiss(None)

    def back_words(self) -> str:
        """As `Page.back_words`."""
        return "Stop" if self.at_work(WORK) else "Back"

    def work_ended(self) -> None:
        """Say what the keys do once nothing runs any more."""
        if self.is_mounted:
            self.redraw()

    def copy_text(self, text: str) -> None:
        """Send a text to where the person can paste it from, and say so."""
        self.app.copy_to_clipboard(text)
        self.banner.say(COPIED)


class AccountsPage(StoppablePage):
    """A tool that has to know the saved accounts: they are read once it stands there, and keys wait for that."""

    flow: NeedsAccounts

    def on_mount(self) -> None:
        """Read the accounts."""
        self._read_accounts()

    @work(group=READ)
    async def _read_accounts(self) -> None:
        await self.flow.read_accounts()


class FormPage(AccountsPage):
    """A tool of fields, a card and a list: what Enter does follows the focus."""

    def on_descendant_focus(self) -> None:
        """Say what Enter does now."""
        self.redraw()
