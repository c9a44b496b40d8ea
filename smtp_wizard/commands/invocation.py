"""One run of the command line: what every command is handed, built only as far as it is used."""

from __future__ import annotations

import os
import time
from collections.abc import MutableMapping
from contextlib import suppress
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from smtp_wizard.runtime.output import Output

if TYPE_CHECKING:
    from smtp_wizard.engine.accounts.saved_accounts import SavedAccounts
    from smtp_wizard.engine.base.connection import Family
    from smtp_wizard.engine.base.endpoint import Endpoint
    from smtp_wizard.engine.explain.explain import Explainer
    from smtp_wizard.engine.guides.guides import Guides
    from smtp_wizard.engine.providers.catalog import Catalog
    from smtp_wizard.engine.secrets.reference_stores import EnvStore
    from smtp_wizard.engine.secrets.stores import SecretStores
    from smtp_wizard.engine.secrets.vault import PassphraseSource
    from smtp_wizard.engine.services.services import Services
    from smtp_wizard.engine.smtp.begun_connection import BegunConnection
    from smtp_wizard.runtime.lent_terminal import Foreground


COMPLETING = "_SMTP_WIZARD_COMPLETE"
"""By this variable a shell asks what could be typed next; it names the shell (`completion`)."""

LOCK_LIMIT = 5.0
"""Seconds to wait for a file that another process holds."""
AT_LEAST = 0.8
"""Seconds for writing what was learnt where the time of --timeout is over."""


class Invocation:
    """The long-lived parts of one run."""

    def __init__(self, out: Output) -> None:
        self.out = out
        self._complained = False
        self.config: Path | None = None
        """What --config says."""
        self.mouse: bool | None = None
        """What --mouse and --no-mouse say."""
        self.arguments: tuple[str, ...] = ()
        """The command line, without the program's name."""
        self.plain = False
        """Whether --plain asks for lines of text in place of screens."""
        self._begun: BegunConnection | None = None
        self.passphrase: PassphraseSource | None = None
        """Gives the vault's passphrase without asking: --passphrase-env, --passphrase-command."""
        self._ends_at: float | None = None
        """When --timeout is over (monotonic)."""
        self._lock_limit = LOCK_LIMIT

    def bound(self, seconds: float) -> None:
        """Let files that another process holds be waited for only as long as a command of so many seconds can."""
        self._ends_at = time.monotonic() + seconds
        self._lock_limit = min(LOCK_LIMIT, seconds / 10)

    @property
    def environ(self) -> MutableMapping[str, str]:
        """The environment; variables that hold secrets are taken out of it when they are read."""
        return os.environ

    @cached_property
    def folder(self) -> Path:
        """The config folder. It need not exist."""
        from smtp_wizard.engine.base.private_files import config_dir

        return config_dir(self.config, self.environ)

    @cached_property
    def saved_accounts(self) -> SavedAccounts:
        """The saved accounts alone, for a command that needs nothing else."""
        from smtp_wizard.engine.accounts.saved_accounts import SavedAccounts

        return SavedAccounts(self.folder, lock_limit=self._lock_limit)

    @cached_property
    def stores(self) -> SecretStores:
        """The places for secrets alone."""
        from smtp_wizard.engine.secrets.stores import SecretStores
        from smtp_wizard.runtime.questions import can_ask

        return SecretStores(
            self.environ,
            self.folder,
            variables=self.saved_accounts.variables,
            env=self.env,
            passphrase=self.passphrase,
            lend=self.foreground.run if can_ask() else None,
        )

    @cached_property
    def env(self) -> EnvStore:
        """The environment variables that hold secrets."""
        from smtp_wizard.engine.secrets.reference_stores import EnvStore

        return EnvStore(self.environ)

    @cached_property
    def foreground(self) -> Foreground:
        """The person's terminal, as a command that gives a secret may borrow it."""
        from smtp_wizard.runtime.lent_terminal import Foreground

        return Foreground()

    def give_passphrase(self, source: PassphraseSource) -> None:
        """Say what gives the vault's passphrase, so that nobody is asked for it. To be said before a store is used."""
        assert "stores" not in self.__dict__, "they are built with it"
        self.passphrase = source

    @cached_property
    def catalog(self) -> Catalog:
        """The providers alone."""
        from smtp_wizard.engine.providers.catalog import OWN_FILE, load_catalog

        return self._heard(load_catalog(own=self.folder / OWN_FILE))

    @cached_property
    def services(self) -> Services:
        """The whole engine."""
        from smtp_wizard.engine.smtp.transport import SocketWire
        from smtp_wizard.launch import build_services

        return build_services(
            self.config,
            self.environ,
            saved_accounts=self.saved_accounts,
            stores=self.stores,
            catalog=self.catalog,
            wire=SocketWire(self._begun),
        )

    def begin_connection(self, endpoint: Endpoint, family: Family | None) -> None:
        """Begin to connect to the server that will be spoken to, while the rest of the program is loaded.

        To be said before `services` is used, and only where nothing is left to be asked or confirmed.
        """
        from smtp_wizard.engine.smtp.begun_connection import BegunConnection

        with suppress(RuntimeError):  # there is no thread to be had; then it is connected when it is needed
            self._begun = BegunConnection(endpoint.host, endpoint.port, family)

    def _heard(self, catalog: Catalog) -> Catalog:
        """Say once that the person's own list of providers cannot be used."""
        if catalog.own_trouble and not self._complained:
            self._complained = True
            self.out.narrate(f"smtp-wizard: {catalog.own_trouble}")
        return catalog

    @cached_property
    def explainer(self) -> Explainer:
        """What explains pasted errors."""
        from smtp_wizard.engine.explain.factory import load_explainer

        return load_explainer(self.catalog)

    @cached_property
    def guides(self) -> Guides:
        """The guides."""
        from smtp_wizard.engine.guides.guides import Guides

        return Guides()

    def close(self, seconds: float | None = None) -> None:
        """Write what was learnt, and say what could not be kept. To be called once, when the command is done.

        `seconds`: how long that may take, where somebody waits for the program to end; None: as long as --timeout says.
        """
        if seconds is None and self._ends_at is not None:
            seconds = max(AT_LEAST, self._ends_at - time.monotonic())
        if self._begun is not None:
            self._begun.close()
        if "saved_accounts" in self.__dict__:
            for trouble in (*self.saved_accounts.problems(), *self.saved_accounts.state.flush(seconds)):
                self.out.narrate(f"smtp-wizard: {trouble}")
        for trouble in self.stores.journal.problems() if "stores" in self.__dict__ else ():
            self.out.narrate(f"smtp-wizard: {trouble}")

    def use_mouse(self) -> bool:
        """Whether the screens take the mouse: over SSH the terminal's own copy and paste is worth more."""
        return "SSH_CONNECTION" not in self.environ if self.mouse is None else self.mouse
