"""What the faces are handed: the services, and the long-lived parts that they are made of."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from pathlib import Path

from smtp_wizard.engine.accounts.lockout_guard import LockoutGuard
from smtp_wizard.engine.accounts.saved_accounts import SavedAccounts
from smtp_wizard.engine.accounts.secret_entries import SecretEntries
from smtp_wizard.engine.checks.events import NamesCauses
from smtp_wizard.engine.lazy_dataclass import dataclass
from smtp_wizard.engine.providers.catalog import Catalog
from smtp_wizard.engine.secrets.stores import SecretStores
from smtp_wizard.engine.services.accounts import Accounts
from smtp_wizard.engine.services.arrivals import Arrivals
from smtp_wizard.engine.services.bounces import Bounces
from smtp_wizard.engine.services.checks import Checks
from smtp_wizard.engine.services.discovery import Discovery
from smtp_wizard.engine.services.domains import Domains
from smtp_wizard.engine.services.mailboxes import Mailboxes
from smtp_wizard.engine.services.problems import Problems
from smtp_wizard.engine.services.scans import Scans
from smtp_wizard.engine.services.senders import Senders
from smtp_wizard.engine.services.tokens import Tokens


@dataclass(frozen=True, slots=True, kw_only=True)
class Services:
    """Holds the services of one config folder, and decides nothing itself. Built once, in `launch`."""

    folder: Path
    """The config folder. It need not exist."""
    catalog: Catalog
    saved_accounts: SavedAccounts
    """The saved accounts, to be read; `accounts` changes them."""
    stores: SecretStores
    lockout_guard: LockoutGuard
    """The sign-ins that count."""
    diagnosis: NamesCauses
    entries: SecretEntries
    """The secrets of saved accounts."""
    discovery: Discovery
    domains: Domains
    scans: Scans
    checks: Checks
    tokens: Tokens
    mailboxes: Mailboxes
    bounces: Bounces
    arrivals: Arrivals
    senders: Senders
    accounts: Accounts
    problems: Problems
    now: Callable[[], datetime]
