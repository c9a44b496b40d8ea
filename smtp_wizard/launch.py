"""Builds the long-lived parts once, for whichever front door was taken."""

from __future__ import annotations

from collections.abc import MutableMapping
from pathlib import Path

from smtp_wizard.engine.accounts.account_book import AccountBook
from smtp_wizard.engine.base.private_files import config_dir
from smtp_wizard.engine.base.shown import Shown
from smtp_wizard.engine.diagnosis.diagnosis import Diagnosis, load_diagnosis
from smtp_wizard.engine.diagnosis.finding import Finding
from smtp_wizard.engine.providers.catalog import Catalog, load_catalog
from smtp_wizard.engine.providers.own_providers import FILE_NAME as OWN_PROVIDERS
from smtp_wizard.engine.secrets.stores import SecretStores
from smtp_wizard.engine.services.desk import Desk
from smtp_wizard.engine.smtp.symptom import Symptom
from smtp_wizard.engine.smtp.transport import SocketWire


def build_desk(
    config: Path | None,
    environ: MutableMapping[str, str],
    *,
    book: AccountBook | None = None,
    stores: SecretStores | None = None,
) -> Desk:
    """Return the engine, ready to work in the config folder (`config`, SMTP_WIZARD_CONFIG, or the platform's own).

    `book`: the accounts of that folder, where they are at hand already: one of them knows what is not written yet.
    `stores`: the places for secrets, likewise.

    `environ` is usually `os.environ`; variables that hold secrets are taken out of it when they are read. Writes
    nothing. Raises `DataError`.
    """
    folder = config_dir(config, environ)
    catalog = load_catalog(own=folder / OWN_PROVIDERS)
    book = book or AccountBook(folder)
    return Desk(
        catalog=catalog,
        diagnosis=DiagnosisWhenNeeded(catalog),
        wire=SocketWire(),
        stores=stores or SecretStores(environ, folder, variables=book.variables),
        book=book,
        folder=folder,
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
            names = {provider.id: provider.name for provider in self._catalog.providers}
            self._diagnosis = load_diagnosis(names=names)
        return self._diagnosis
