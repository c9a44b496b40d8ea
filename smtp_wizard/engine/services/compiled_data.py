"""Checks and compiles the files of `data/`, so that a program that starts often need do neither."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from smtp_wizard.engine.base.data_files import DataError, compile_yaml, compiled_path, data_path, read_yaml
from smtp_wizard.engine.diagnosis.diagnosis import load_diagnosis
from smtp_wizard.engine.diagnosis.patterns import Patterns
from smtp_wizard.engine.diagnosis.rules import PATTERN_KEYS
from smtp_wizard.engine.explain.programs import load_programs
from smtp_wizard.engine.explain.readers.fixed_texts import load_fixed_texts
from smtp_wizard.engine.explain.wordings import load_wordings
from smtp_wizard.engine.providers.catalog import load_catalog


def compile_data(folder: Path | None = None) -> tuple[str, ...]:
    """Write the compiled form of every YAML file of a folder, the product's own unless another is given.

    Return in a sentence each what could not be compiled: what is not as it must be is left as YAML, which every program
    that reads it complains of. The compiled form of a file that is no longer there goes, as a package would carry it.
    """
    files = sorted((folder or data_path()).glob("*.yaml"))
    wanted = {compiled_path(file) for file in files}
    for stale in {each for file in files for each in compiled_path(file).parent.glob("*.json")} - wanted:
        stale.unlink(missing_ok=True)
    return tuple(_compiled(files))


def _compiled(files: Iterable[Path]) -> Iterator[str]:
    for file in files:
        compiled_path(file).unlink(missing_ok=True)
        try:
            compile_yaml(file, _CHECKS[file.name](file) if file.name in _CHECKS else None)
        except (DataError, OSError, ValueError) as problem:
            yield str(problem)


def _of_providers(file: Path) -> Mapping[str, Any]:
    load_catalog(file)
    return {}


def _of_diagnosis(file: Path) -> Mapping[str, Any]:
    load_diagnosis(file)
    return _of_patterns(read_yaml(file))


def _of_clues(file: Path) -> Mapping[str, Any]:
    load_wordings(file)
    return _of_patterns(read_yaml(file))


def _of_fixed_texts(file: Path) -> Mapping[str, Any]:
    load_fixed_texts(file)
    return _of_patterns(read_yaml(file))


def _of_programs(file: Path) -> Mapping[str, Any]:
    load_programs(file)
    return _of_patterns(read_yaml(file))


def _of_patterns(value: Any) -> Mapping[str, Any]:
    return dict(Patterns(tuple(patterns_in(value))).work_out())


def patterns_in(value: Any) -> Iterator[str]:
    """Yield the patterns of a data file that holds rules or wordings, and what else stands at a key of that name."""
    if isinstance(value, Mapping):
        for key, inner in value.items():
            yield from _texts(inner) if key in PATTERN_KEYS else patterns_in(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from patterns_in(inner)


def _texts(value: Any) -> Iterable[str]:
    values = value if isinstance(value, list) else [value]
    return [each for each in values if isinstance(each, str)]


_CHECKS: Mapping[str, Callable[[Path], Mapping[str, Any]]] = {
    "providers.yaml": _of_providers,
    "diagnosis.yaml": _of_diagnosis,
    "wordings.yaml": _of_clues,
    "fixed_texts.yaml": _of_fixed_texts,
    "programs.yaml": _of_programs,
}
"""What is read piece by piece later must be right as a whole; each returns what was worked out of the texts."""
