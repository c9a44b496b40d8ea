"""data/diagnosis.yaml: what it points to is there, and what is damaged is refused with its place."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from smtp_wizard.engine.base.data_files import DataError, data_path, read_yaml
from smtp_wizard.engine.base.stages import Stage
from smtp_wizard.engine.diagnosis.diagnosis import Diagnosis, load_diagnosis
from smtp_wizard.engine.diagnosis.rule_file import UNKNOWN
from smtp_wizard.engine.smtp.symptom import Fault
from tests.engine.diagnosis.symptoms import DIAGNOSIS, NONE_25, happened


def test_guides_that_are_pointed_to_exist() -> None:
    assert {path.stem for path in data_path("guides").glob("*.md")} >= DIAGNOSIS.guides


def test_providers_that_are_named_exist() -> None:
    """A slip in a provider's id would make a rule dead without a word."""
    known = {provider["id"] for provider in read_yaml(data_path("providers.yaml"))["providers"]}
    assert known >= DIAGNOSIS.providers


SMALL = """\
schema: 1
checked: '2026-11-24'
families: {big: [one, two]}
blanks: {host: h, port: p, numbered_port: n, named_computer: n, server_name: n,
  security: s, place: p, other_security: null, other_place: null,
  provider: p, username: u, sender: s, recipient: r, server_said: null, certificate_names: c,
  not_before: null, not_after: null, issuer: null, weakness: null, tls_version: null, days: null, reason: null,
  why: null, seconds: null, limit: null, time: null, server_time: null, ehlo_name: null,
  mechanisms: null, refused_by: null, meant: null, sent_at: null, also_failed: null,
  until: null, program: null, more: null}
delayed: {title: Late}
closing: ["That was on {sent_at}."]
evidence: ["Server: {place}"]
causes:
  - id: unknown
    title: Unknown
    explanation: Nobody knows.
    who: you
    guide: null
    steps: [Wait.]
  - id: refused
    title: Refused
    explanation: Nobody is there.
    who: you
    guide: null
    steps: [Look.]
    for:
      - provider: big
        steps: [Ask.]
rules:
  - cause: refused
    when: {fault: refused, stage: connect}
    unless: {port: 25}
"""


def _load(folder: Path, text: str) -> Diagnosis:
    path = folder / "diagnosis.yaml"
    path.write_text(text, "utf-8")
    return load_diagnosis(path)


def test_a_small_file_is_read(tmp_path: Path) -> None:
    diagnosis = _load(tmp_path, SMALL)
    assert diagnosis.causes == ("unknown", "refused")
    assert diagnosis.providers == {"one", "two"}
    refused = happened(Stage.CONNECT, Fault.REFUSED, provider="two")
    assert diagnosis.explain(refused).steps == ("Ask.",)
    assert diagnosis.explain(happened(Stage.CONNECT, Fault.REFUSED)).steps == ("Look.",)
    assert diagnosis.explain(happened(Stage.CONNECT, Fault.REFUSED, NONE_25)).code == UNKNOWN
    assert diagnosis.explain(happened(Stage.CONNECT, Fault.SILENT)).code == UNKNOWN


def _swap(old: str, new: str) -> Callable[[str], str]:
    return lambda text: text.replace(old, new, 1)


@pytest.mark.parametrize(
    ("damage", "complaint"),
    [
        (_swap("schema: 1", "schema: 2"), "schema"),
        (_swap("    when: {fault: refused, stage: connect}\n", ""), "'when' is missing"),
        (_swap("cause: refused", "cause: refusal"), "there is no cause 'refusal'"),
        (_swap("fault: refused", "fault: refusd"), "'refusd' is none of: no-such-host"),
        (_swap("stage: connect", "stage: conect"), "'conect' is none of: dns"),
        (_swap("stage: connect", "stagee: connect"), "stagee"),
        (_swap("{fault: refused, stage: connect}", "{}"), "names no condition"),
        (_swap("port: 25", "port: 70000"), "A port is a number"),
        (_swap("port: 25", "code: 5yx"), "'5yx' is not a status code"),
        (_swap("port: 25", "enhanced: '5.7'"), "'5.7' is not a status code"),
        (_swap("port: 25", "words: ['(']"), "is not a pattern"),
        (_swap("port: 25", "words: []"), "empty"),
        (_swap("port: 25", "secret_shape: long"), "'long' is none of: app-password"),
        (_swap("who: you", "who: nobody"), "'nobody' is none of: you"),
        (_swap("who: you", "who: admin"), "'forward' is missing"),
        (_swap("    steps: [Wait.]", "    steps: [Wait.]\n    forward: Hello."), "has nobody to go to"),
        (_swap("steps: [Wait.]", "steps: []"), "empty"),
        (_swap("steps: [Wait.]", "steps: ['Use {other_place}.']"), "at least one"),
        (_swap("Nobody knows.", "It ends on {not_after}."), "has a blank that may be unknown"),
        (_swap("Nobody knows.", "It ends on {day}."), "nobody fills the blank 'day'"),
        (_swap("Nobody knows.", "It ends } here."), "a brace"),
        (_swap("title: Unknown", "title: Unknown at {host}"), "has no blanks"),
        (_swap("    title: Unknown\n", ""), "'title' is missing"),
        (_swap("id: unknown", "id: refused"), "stands twice"),
        (_swap("id: unknown", "id: unheard"), "none with the id 'unknown'"),
        (_swap("    guide: null", "    guide: null\n    colour: red"), "colour"),
        (_swap("limit: null, time: null", "limit: null, tim: null"), "time"),
        (_swap("2026-11-24", "2026-11"), "must be a day such as"),
        (_swap("port: 25", "clock: right"), "'right' is none of: wrong"),
    ],
)
def test_a_damaged_file_is_refused_with_where_and_why(
    tmp_path: Path, damage: Callable[[str], str], complaint: str
) -> None:
    damaged = damage(SMALL)
    assert damaged != SMALL
    with pytest.raises(DataError, match=r"diagnosis\.yaml, line \d+, column \d+: ") as caught:
        _load(tmp_path, damaged)
    assert complaint in str(caught.value)
