"""The product's own data, read once for all commands that run in this process: each would read the same files again."""

from __future__ import annotations

import functools
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import pytest

from smtp_wizard.engine.base.data_files import compiled_path, data_path
from smtp_wizard.engine.diagnosis import diagnosis
from smtp_wizard.engine.diagnosis.diagnosis import Diagnosis
from smtp_wizard.engine.providers import catalog, provider_file
from smtp_wizard.engine.providers.provider_file import ProviderFile

Stamp = tuple[tuple[str, int, int], ...]
_read_providers, _load_diagnosis = provider_file.read_provider_file, diagnosis.load_diagnosis


def _stamp(name: str) -> Stamp:
    """Return what is another where the file, or its compiled form, is another."""
    file = data_path(name)
    return tuple(
        (str(each), each.stat().st_mtime_ns, each.stat().st_size)
        for each in (file, compiled_path(file))
        if each.exists()
    )


@functools.cache
def _providers(stamp: Stamp) -> ProviderFile:
    return _read_providers()


@functools.cache
def _diagnosis(stamp: Stamp, names: tuple[tuple[str, str], ...]) -> Diagnosis:
    return _load_diagnosis(names=dict(names))


def _read_providers_once(path: Path | None = None) -> ProviderFile:
    return _read_providers(path) if path is not None else _providers(_stamp("providers.yaml"))


def _load_diagnosis_once(path: Path | None = None, names: Mapping[str, str] | None = None) -> Diagnosis:
    if path is not None:
        return _load_diagnosis(path, names)
    return _diagnosis(_stamp("diagnosis.yaml"), tuple((names or {}).items()))


@contextmanager
def data_read_once() -> Iterator[None]:
    """Have whoever asks for the shipped providers and rules get those that were read first, unless a file changed.

    Only while a command runs: other tests look at what is read of a catalogue, and when.
    """
    with pytest.MonkeyPatch.context() as patch:
        if vars(catalog)["read_provider_file"] is _read_providers:  # else a test has something else in its place
            patch.setattr(catalog, "read_provider_file", _read_providers_once)
        if diagnosis.load_diagnosis is _load_diagnosis:
            patch.setattr(diagnosis, "load_diagnosis", _load_diagnosis_once)
        yield
