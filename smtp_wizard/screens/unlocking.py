"""A step in whose midst the vault may have to be opened: its passphrase is asked over the page."""

from __future__ import annotations

from typing import Protocol

from smtp_wizard.flows.flow import Leads
from smtp_wizard.flows.vault import Opened, Vault
from smtp_wizard.screens.page import OfferT, StateT, StepPage
from smtp_wizard.screens.question import FlowPanel
from smtp_wizard.text.stores import VAULT_CLOSED
from smtp_wizard.widgets.fault_containment import work_once


class Unlocks(Protocol):
    """A flow that has the vault opened in the midst of what it does."""

    vault: Vault | None

    async def opened(self, result: Opened) -> Leads | None: ...


class UnlockingPage(StepPage[StateT, OfferT]):
    """Does what is offered, and opens the vault on the way where that is needed."""

    unlocks: Unlocks
    """The same flow as `flow`."""

    @work_once("act")
    async def act(self, offer: OfferT) -> None:
        """As `StepPage.act`; the flow's own question for the passphrase is put until it leads to an answer."""
        leads = await self.flow.act(offer)
        while self.unlocks.vault is not None:
            answer = await self.app.push_screen_wait(FlowPanel(self.unlocks.vault))
            leads = await self.unlocks.opened(answer or Opened(VAULT_CLOSED))
        if leads is not None:
            self.leave(leads)
