"""The vault's passphrase, asked for in the midst of a step."""

from __future__ import annotations

from textual.app import App

from smtp_wizard.engine.secrets.base import SecretError
from smtp_wizard.engine.secrets.kinds import StoreKind, StoreRef
from smtp_wizard.engine.secrets.vault import VaultStore
from smtp_wizard.flows.vault import Vault, needs_opening
from smtp_wizard.screens.question import FlowPanel


async def unlocked(
    app: App[int], vault: VaultStore, *places: StoreRef | StoreKind | None, creating: bool = False
) -> bool:
    """Open the vault where one of the places is the vault; ask until it is open. Only in a worker.

    `creating`: one that is not there yet is made. Returns False where the person does not give the passphrase. Raises
    `SecretError` where the vault cannot be used.
    """
    if not await needs_opening(vault, *places, creating=creating):
        return True
    outcome = await app.push_screen_wait(FlowPanel(Vault(vault)))
    if outcome is not None and outcome.fault is not None:
        raise SecretError(outcome.fault, outcome.why_not)
    return outcome is not None and outcome.well
