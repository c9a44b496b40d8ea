"""Builds what explains pasted errors, from the catalogue and the data."""

from __future__ import annotations

from typing import TYPE_CHECKING

from smtp_wizard.engine.explain.explain import Explainer

if TYPE_CHECKING:
    from smtp_wizard.engine.providers.catalog import Catalog


def load_explainer(catalog: Catalog) -> Explainer:
    """Read the rules and the clues; the catalogue gives the providers. Raises `DataError`."""
    from smtp_wizard.engine.diagnosis.diagnosis import load_diagnosis
    from smtp_wizard.engine.explain.wordings import load_wordings

    diagnosis = load_diagnosis(names={provider.id: provider.firm for provider in catalog.providers})
    return Explainer(diagnosis, load_wordings(), catalog)
