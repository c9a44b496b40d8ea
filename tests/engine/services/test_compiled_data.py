"""The compiled data says what the YAML says, is made only of what is right, and is read piece by piece."""

from __future__ import annotations

import dataclasses
import json
import shutil
from pathlib import Path
from types import SimpleNamespace

import pytest

from smtp_wizard.engine.base.data_files import compile_yaml, compiled_path, data_path, read_data_file
from smtp_wizard.engine.base.shown import shown
from smtp_wizard.engine.base.stages import Stage
from smtp_wizard.engine.diagnosis import patterns
from smtp_wizard.engine.diagnosis.diagnosis import load_diagnosis
from smtp_wizard.engine.diagnosis.patterns import Patterns
from smtp_wizard.engine.explain.explain import Explainer
from smtp_wizard.engine.explain.wordings import load_wordings
from smtp_wizard.engine.providers.catalog import load_catalog
from smtp_wizard.engine.providers.provider import Provider
from smtp_wizard.engine.services.compiled_data import compile_data, patterns_in
from smtp_wizard.engine.smtp.symptom import Fault, Symptom

REPORTS = Path(__file__).parents[3] / "bench" / "reports.jsonl"
FIELDS = [field.name for field in dataclasses.fields(Provider)]


def is_read(provider: object, field: str) -> bool:
    """Whether a field has been read."""
    try:
        object.__getattribute__(provider, field)
    except AttributeError:
        return False
    return True


def test_a_catalogue_that_is_read_piece_by_piece_says_the_same_as_one_that_is_read_whole() -> None:
    whole, piecemeal = load_catalog(data_path("providers.yaml")), load_catalog()
    assert piecemeal.providers == whole.providers
    assert whole.providers == piecemeal.providers
    assert hash(piecemeal.providers) == hash(whole.providers)
    for one, other in zip(load_catalog().providers, whole.providers, strict=True):
        assert one.hosts == other.hosts
        assert [one.source(each.id) for each in other.sources] == list(other.sources)
        assert {name: getattr(one, name) for name in FIELDS} == {name: getattr(other, name) for name in FIELDS}


def test_of_a_compiled_catalogue_only_what_is_used_is_read() -> None:
    catalog = load_catalog()
    provider = catalog.providers[0]
    assert provider.name
    assert catalog.by_domain(provider.domains[0]) is provider
    assert not any(is_read(provider, field) for field in ("paths", "endpoints", "limits", "sources", "ispdb"))
    assert provider.paths
    assert is_read(provider, "paths")


def test_a_server_is_looked_for_among_the_names_alone() -> None:
    """Each test of an account asks whose its server is."""
    catalog = load_catalog()
    assert catalog.at_host("smtp.gmail.com") is catalog.get("gmail")
    assert catalog.at_host("mail.firma.example") is None
    assert not any(is_read(provider, "endpoints") for provider in catalog.providers)


def test_a_compiled_provider_in_which_something_is_replaced_is_a_whole_one() -> None:
    provider = load_catalog().providers[0]
    changed = dataclasses.replace(provider, note="Another.")
    assert type(changed) is Provider
    assert changed != provider
    assert dataclasses.replace(changed, note=provider.note) == provider
    with pytest.raises(AttributeError, match="no_such"):
        provider.no_such  # type: ignore[attr-defined]  # noqa: B018


@pytest.mark.parametrize("name", ["diagnosis.yaml", "wordings.yaml"])
def test_what_is_known_of_the_patterns_is_what_would_be_worked_out(name: str) -> None:
    file = read_data_file(data_path(name))
    written = tuple(dict.fromkeys(patterns_in(file.value)))
    assert len(written) > 50
    fresh, known = Patterns(written), Patterns(written, file.worked_out)
    assert file.worked_out == fresh.work_out()
    assert (known.sources, known.pieces, known.demands) == (fresh.sources, fresh.pieces, fresh.demands)


def test_no_pattern_is_read_or_compiled_until_a_text_needs_it(monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(patterns, "re", SimpleNamespace(compile=None, IGNORECASE=0))
        patch.setattr(patterns, "_Reader", None)
        diagnosis, clues = load_diagnosis(), load_wordings()
        assert next(each for each in diagnosis.rules if each.words).words.pieces  # type: ignore[union-attr]
        assert clues.services[0].words.pieces


@pytest.mark.parametrize("name", ["providers.yaml", "diagnosis.yaml", "wordings.yaml"])
def test_what_is_not_right_is_not_compiled_and_an_older_form_of_it_goes(name: str, tmp_path: Path) -> None:
    file = tmp_path / name
    shutil.copy(data_path(name), file)
    assert compile_data(tmp_path) == ()
    assert read_data_file(file).compiled
    file.write_text(f"{file.read_text('utf-8')}\nunheard_of: 1\n", "utf-8")
    (problem,) = compile_data(tmp_path)
    assert "unheard_of" in problem
    assert not compiled_path(file).exists()


def test_the_compiled_form_of_a_file_that_has_gone_goes(tmp_path: Path) -> None:
    for name in ("wordings.yaml", "former.yaml"):
        shutil.copy(data_path("wordings.yaml"), tmp_path / name)
    assert compile_data(tmp_path) == ()
    assert compiled_path(tmp_path / "former.yaml").exists()
    (tmp_path / "former.yaml").unlink()
    assert compile_data(tmp_path) == ()
    assert not compiled_path(tmp_path / "former.yaml").exists()
    assert compiled_path(tmp_path / "wordings.yaml").exists()


def test_a_file_that_is_named_is_read_as_a_whole_though_it_is_compiled(tmp_path: Path) -> None:
    """Its compiled form may be of a time when less was looked at."""
    file = tmp_path / "providers.yaml"
    file.write_text(f"{data_path('providers.yaml').read_text('utf-8')}\nunheard_of: 1\n", "utf-8")
    compile_yaml(file)
    with pytest.raises(Exception, match="unheard_of"):
        load_catalog(file)


def test_rules_that_are_read_piece_by_piece_decide_as_those_that_are_read_whole() -> None:
    catalog = load_catalog()
    whole = load_diagnosis(data_path("diagnosis.yaml")), load_wordings(data_path("wordings.yaml"))
    one, other = Explainer(*whole, catalog), Explainer(load_diagnosis(), load_wordings(), catalog)
    texts = [json.loads(line)["text"] for line in REPORTS.read_text("utf-8").splitlines()]
    assert len(texts) > 500
    assert [text for text in texts if one.explain_text(text) != other.explain_text(text)] == []


def test_of_a_compiled_rule_only_what_may_decide_is_read() -> None:
    diagnosis = load_diagnosis()
    diagnosis.explain(Symptom(stage=Stage.AUTH, fault=Fault.REJECTED, code=535, words=shown("authentication failed")))
    read = [rule for rule in diagnosis.rules if is_read(rule, "tests")]
    assert 0 < len(read) < len(diagnosis.rules) / 3
    assert diagnosis.providers == load_diagnosis(data_path("diagnosis.yaml")).providers
    assert all(is_read(rule, "tests") for rule in diagnosis.rules)
