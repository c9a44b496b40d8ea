"""Builds what explains pasted errors, from the catalogue and the data."""

from __future__ import annotations

from smtp_wizard.engine.catalog import Catalog
from smtp_wizard.engine.explain import Explainer


def load_explainer(catalog: Catalog) -> Explainer:
    """Read the rules and the clues; the catalogue gives the providers. Raises `DataError`."""
    from smtp_wizard.engine.clues import load_clues
    from smtp_wizard.engine.diagnosis import load_diagnosis

    diagnosis = load_diagnosis(names={provider.id: provider.name for provider in catalog.providers})
    return Explainer(diagnosis, load_clues(), catalog)
