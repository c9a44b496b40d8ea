"""Builds the long-lived parts and the services once, for whichever front door was taken."""

from __future__ import annotations

from collections.abc import Callable, MutableMapping
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from smtp_wizard.engine.accounts.lockout_guard import LockoutGuard
from smtp_wizard.engine.accounts.saved_accounts import SavedAccounts
from smtp_wizard.engine.accounts.secret_entries import SecretEntries
from smtp_wizard.engine.base.private_files import config_dir
from smtp_wizard.engine.oauth.renewal import Renewal
from smtp_wizard.engine.providers.catalog import OWN_FILE, Catalog, load_catalog
from smtp_wizard.engine.secrets.stores import SecretStores
from smtp_wizard.engine.services.accounts import Accounts
from smtp_wizard.engine.services.arrivals import Arrivals
from smtp_wizard.engine.services.bounces import Bounces
from smtp_wizard.engine.services.checks import PRACTICE_FOLDER, Checks
from smtp_wizard.engine.services.discovery import Discovery
from smtp_wizard.engine.services.domains import Domains
from smtp_wizard.engine.services.mailboxes import Mailboxes
from smtp_wizard.engine.services.problems import Problems
from smtp_wizard.engine.services.scans import Scans
from smtp_wizard.engine.services.senders import Senders
from smtp_wizard.engine.services.services import Services
from smtp_wizard.engine.services.tokens import Tokens
from smtp_wizard.engine.smtp.transport import SocketWire, Wire

if TYPE_CHECKING:
    from smtp_wizard.engine.base.shown import Shown
    from smtp_wizard.engine.checks.events import NamesCauses
    from smtp_wizard.engine.checks.target import TimeLimits
    from smtp_wizard.engine.diagnosis.diagnosis import Diagnosis
    from smtp_wizard.engine.diagnosis.finding import Finding
    from smtp_wizard.engine.discovery.dns import Resolver
    from smtp_wizard.engine.discovery.web import Web
    from smtp_wizard.engine.smtp.symptom import Symptom


def build_services(
    config: Path | None,
    environ: MutableMapping[str, str],
    *,
    saved_accounts: SavedAccounts | None = None,
    stores: SecretStores | None = None,
    catalog: Catalog | None = None,
    wire: Wire | None = None,
) -> Services:
    """Return the services, ready to work in the config folder (`config`, SMTP_WIZARD_CONFIG, or the platform's own).

    `saved_accounts`: the accounts of that folder, where they are at hand already: they know what is not
    written yet.
    `stores`: the places for secrets, likewise, and `catalog`: the providers. `wire`: what speaks to servers.

    `environ` is usually `os.environ`; variables that hold secrets are taken out of it when they are read. Writes
    nothing. Raises `DataError`.
    """
    folder = config_dir(config, environ)
    catalog = catalog or load_catalog(own=folder / OWN_FILE)
    saved_accounts = saved_accounts or SavedAccounts(folder)
    return compose(
        catalog=catalog,
        diagnosis=DiagnosisWhenNeeded(catalog),
        wire=wire or SocketWire(),
        stores=stores or SecretStores(environ, folder, variables=saved_accounts.variables),
        saved_accounts=saved_accounts,
        folder=folder,
    )


def compose(
    *,
    catalog: Catalog,
    diagnosis: NamesCauses,
    wire: Wire,
    stores: SecretStores,
    saved_accounts: SavedAccounts,
    folder: Path,
    limits: TimeLimits | None = None,
    resolver: Resolver | None = None,
    web: Web | None = None,
    now: Callable[[], datetime] = lambda: datetime.now(UTC),
) -> Services:
    """Return the services, made of these parts; each is handed what it needs.

    `folder` is the config folder; the practice server keeps its mailbox and certificates below it. `resolver` and `web`
    are asked for settings: the system's name servers, and the web, where they are left out.
    """
    entries = SecretEntries(stores, saved_accounts)
    guard = LockoutGuard(saved_accounts.state.storage, now=now)
    tokens = Tokens(catalog=catalog, saved_accounts=saved_accounts, entries=entries, renewal=Renewal(folder), now=now)
    checks = _checks(catalog, diagnosis, wire, guard, tokens, saved_accounts, folder, limits, now)
    mailboxes = _mailboxes(catalog, diagnosis, guard, tokens, saved_accounts, resolver, web, now)
    return Services(
        folder=folder,
        catalog=catalog,
        saved_accounts=saved_accounts,
        stores=stores,
        lockout_guard=guard,
        diagnosis=diagnosis,
        entries=entries,
        discovery=Discovery(catalog=catalog, diagnosis=diagnosis, wire=wire, resolver=resolver, web=web),
        domains=Domains(catalog, resolver),
        scans=Scans(catalog=catalog, diagnosis=diagnosis, wire=wire, limits=limits),
        checks=checks,
        tokens=tokens,
        mailboxes=mailboxes,
        arrivals=Arrivals(catalog, saved_accounts=saved_accounts, entries=entries, mailboxes=mailboxes, now=now),
        bounces=Bounces(catalog=catalog, saved_accounts=saved_accounts, mailboxes=mailboxes, now=now),
        senders=Senders(
            catalog=catalog, checks=checks, mailboxes=mailboxes, practice=folder / PRACTICE_FOLDER, now=now
        ),
        accounts=Accounts(
            saved_accounts=saved_accounts, stores=stores, entries=entries, tokens=tokens, checks=checks, now=now
        ),
        problems=Problems(saved_accounts, stores.journal),
        now=now,
    )


def _mailboxes(
    catalog: Catalog,
    diagnosis: NamesCauses,
    lockout_guard: LockoutGuard,
    tokens: Tokens,
    saved_accounts: SavedAccounts,
    resolver: Resolver | None,
    web: Web | None,
    now: Callable[[], datetime],
) -> Mailboxes:
    """Return the service that opens mailboxes; the servers that are named for it are kept with what is learnt."""
    return Mailboxes(
        catalog=catalog,
        diagnosis=diagnosis,
        lockout_guard=lockout_guard,
        tokens=tokens,
        named_servers=saved_accounts.state.named_servers,
        now=now,
        resolver=resolver,
        web=web,
    )


def _checks(
    catalog: Catalog,
    diagnosis: NamesCauses,
    wire: Wire,
    lockout_guard: LockoutGuard,
    tokens: Tokens,
    saved_accounts: SavedAccounts,
    folder: Path,
    limits: TimeLimits | None,
    now: Callable[[], datetime],
) -> Checks:
    """Return the service that checks servers, with the practice server's folder below the config folder."""
    return Checks(
        catalog=catalog,
        diagnosis=diagnosis,
        wire=wire,
        lockout_guard=lockout_guard,
        tokens=tokens,
        saved_accounts=saved_accounts,
        practice=folder / PRACTICE_FOLDER,
        limits=limits,
        now=now,
    )


class DiagnosisWhenNeeded:
    """The diagnosis, read when something goes wrong for the first time: a check that passes never asks it."""

    def __init__(self, catalog: Catalog) -> None:
        """`catalog` gives the display names of the providers."""
        self._catalog = catalog
        self._diagnosis: Diagnosis | None = None

    def explain(self, symptom: Symptom) -> Finding:
        """As `Diagnosis.explain`. Raises `DataError` where the rules cannot be read."""
        return self._loaded().explain(symptom)

    def title(self, cause: str) -> Shown:
        """As `Diagnosis.title`. Raises `DataError` where the rules cannot be read."""
        return self._loaded().title(cause)

    def _loaded(self) -> Diagnosis:
        if self._diagnosis is None:
            from smtp_wizard.engine.diagnosis.diagnosis import load_diagnosis

            names = {provider.id: provider.firm for provider in self._catalog.providers}
            self._diagnosis = load_diagnosis(names=names)
        return self._diagnosis
