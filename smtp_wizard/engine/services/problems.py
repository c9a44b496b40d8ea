"""What could not be read, kept or noted, for a person to read: each told once, by whichever face asks next."""

from __future__ import annotations

from smtp_wizard.engine.accounts.saved_accounts import SavedAccounts
from smtp_wizard.engine.secrets.journal import Journal


class Problems:
    """Gathers what the long-lived parts could not do beside what they were asked for."""

    def __init__(self, saved_accounts: SavedAccounts, journal: Journal) -> None:
        self._saved_accounts = saved_accounts
        self._journal = journal

    def new(self) -> tuple[str, ...]:
        """Return which accounts cannot be used, what could not be kept or noted; nothing that was returned before."""
        return (*self._saved_accounts.problems(), *self._saved_accounts.state.problems(), *self._journal.problems())
