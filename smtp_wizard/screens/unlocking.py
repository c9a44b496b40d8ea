"""A step in whose midst the vault may have to be opened: its passphrase is asked over the page."""

from __future__ import annotations

from typing import Protocol

from smtp_wizard.engine.secrets.base import SecretError
from smtp_wizard.engine.secrets.kinds import StoreKind
from smtp_wizard.flows.flow import Leads
from smtp_wizard.flows.vault import Opened, Vault
from smtp_wizard.screens.page import OfferT, StateT, StepPage
from smtp_wizard.screens.passphrase import unlocked
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
        """As `StepPage.act`."""
        leads = await self.flow.act(offer)
        while self.unlocks.vault is not None:
            leads = await self.unlocks.opened(await self._opened())
        if leads is not None:
            self.leave(leads)

    async def _opened(self) -> Opened:
        """Ask for the passphrase until the vault is open, or left shut."""
        try:
            well = await unlocked(self.app, self.kit.services.stores.vault, StoreKind.VAULT, creating=True)
        except SecretError as problem:
            return Opened(problem.words, problem.fault)
        return Opened() if well else Opened(VAULT_CLOSED)
