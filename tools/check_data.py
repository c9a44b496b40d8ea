"""Checks everything under data/, each file by itself and then the links between them: `make check-data`.

Prints one line for each fault and exits 1; prints nothing and exits 0 where all is well. An argument names another
folder than the product's own.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TypeVar

from smtp_wizard.engine.catalog import Catalog, ProviderKind, load_catalog
from smtp_wizard.engine.data import DataError, data_path
from smtp_wizard.engine.diagnosis import Diagnosis, load_diagnosis
from smtp_wizard.engine.guides import Guide, load_guides
from smtp_wizard.engine.sandbox import Scenario, load_scenarios
from smtp_wizard.engine.unsubscribe import rules

T = TypeVar("T")


def faults(folder: Path) -> Iterator[str]:
    """Yield every fault of a data folder as one line. The links are looked at once every file can be read."""
    problems: list[str] = []

    def read(load: Callable[[Path], T], name: str) -> T | None:
        try:
            return load(folder / name)
        except DataError as problem:
            problems.append(str(problem))
            return None

    catalog = read(load_catalog, "providers.yaml")
    guides = read(load_guides, "guides")
    diagnosis = read(load_diagnosis, "diagnosis.yaml")
    scenarios = read(load_scenarios, "sandbox.yaml")
    read(rules, "unsubscribe.yaml")
    yield from problems
    if catalog is not None and guides is not None and diagnosis is not None and scenarios is not None:
        yield from _loose_paths(catalog, guides, scenarios)
        yield from _loose_guides(catalog, guides)
        yield from _loose_causes(guides, diagnosis)
        yield from _practice_ports(catalog, scenarios)


def _loose_paths(catalog: Catalog, guides: dict[str, Guide], scenarios: dict[str, Scenario]) -> Iterator[str]:
    """An access path names a guide and scenarios of the practice server."""
    for provider in catalog.providers:
        for path in provider.paths:
            if path.guide is not None and path.guide not in guides:
                yield f"providers.yaml: {provider.id}/{path.id}: there is no guide '{path.guide}'"
            for scenario in path.scenarios:
                if scenario not in scenarios:
                    yield f"providers.yaml: {provider.id}/{path.id}: there is no scenario '{scenario}'"


def _loose_guides(catalog: Catalog, guides: dict[str, Guide]) -> Iterator[str]:
    """A guide names access paths."""
    for guide in guides.values():
        for place in guide.paths:
            provider_id, _, path_id = place.partition("/")
            provider = catalog.get(provider_id)
            if provider is None or provider.path(path_id) is None:
                yield f"{guide.id}.md: there is no access path '{place}'"


def _loose_causes(guides: dict[str, Guide], diagnosis: Diagnosis) -> Iterator[str]:
    """A cause names guides. The providers it names need not be in the catalogue: their words are met all the same."""
    for guide_id in sorted(diagnosis.guides - guides.keys()):
        yield f"diagnosis.yaml: there is no guide '{guide_id}'"


def _practice_ports(catalog: Catalog, scenarios: dict[str, Scenario]) -> Iterator[str]:
    """The practice server listens where the catalogue says that it does."""
    listens = {(security, port) for scenario in scenarios.values() for security, port in scenario.ports.items()}
    for provider in catalog.providers:
        if provider.kind is ProviderKind.SANDBOX:
            for each in provider.endpoints:
                if (each.endpoint.security, each.endpoint.port) not in listens:
                    yield f"providers.yaml: {provider.id}: no scenario listens on {each.endpoint}"


def main(arguments: list[str]) -> int:
    """Print the faults; return the exit code."""
    found = list(faults(Path(arguments[0]) if arguments else data_path()))
    for fault in found:
        print(fault)
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
