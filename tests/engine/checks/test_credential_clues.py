"""What was typed says more about a refused sign-in than the server does."""

from __future__ import annotations

import pytest

from smtp_wizard.engine.base.secret import Secret
from smtp_wizard.engine.base.shown import shown
from smtp_wizard.engine.base.stages import Stage
from smtp_wizard.engine.checks.credential_clues import typed_clue
from smtp_wizard.engine.diagnosis.diagnosis import load_diagnosis
from smtp_wizard.engine.smtp.symptom import Fault, Symptom

DIAGNOSIS = load_diagnosis()


@pytest.mark.parametrize(
    ("username", "password", "clue"),
    [
        ("ana@firm.test", "pässword", "letters"),
        ("ana@firm.test", "secret\u00a0word", "letters"),
        ("ana@firm.test", "abcd efgh ijkl mnop", "app-password"),
        ("ana@firm.test", "abcdefghijklmnop", "app-password"),
        ("ana@firm.test", " secret", "blanks"),
        ("ana@firm.test", "se cret", "blanks"),
        ("ana@firma-ä.test", "secret", "idn"),
        ("ana@xn--firma--lza.test", "secret", "idn"),
        ("ana+shop@firm.test", "secret", "plus"),
        ("ana+shop", "secret", ""),
        ("ana@firm.test", "S3cret-word", ""),
    ],
)
def test_what_stands_out(username: str, password: str, clue: str) -> None:
    found = typed_clue(username, Secret(password))
    assert found == clue
    assert password not in found


def test_without_a_password_nothing_stands_out() -> None:
    assert typed_clue("ana@firm.test", None) == ""


@pytest.mark.parametrize(
    ("clue", "said"),
    [
        ("letters", "letters"),
        ("blanks", "blank"),
        ("app-password", "app password"),
        ("idn", "xn--"),
        ("plus", "+"),
    ],
)
def test_the_likely_slip_is_said_first(clue: str, said: str) -> None:
    """The cause stays the same; what is said of it, and the first step, are about what was typed."""
    refusal = Symptom(
        stage=Stage.AUTH,
        fault=Fault.REJECTED,
        code=535,
        words=shown("5.7.8 Authentication failed"),
        username=shown("ana@firm.test"),
        facts={"typed": shown(clue)},
    )
    finding = DIAGNOSIS.explain(refusal)
    assert finding.code == "bad_credentials"
    assert said in finding.explanation
    assert said in finding.steps[0]


def test_practice_stays_practice() -> None:
    """The practice server refuses whatever is typed: nobody is to look for a slip in it."""
    refusal = Symptom(
        stage=Stage.AUTH, fault=Fault.REJECTED, code=535, provider="sandbox", facts={"typed": shown("blanks")}
    )
    finding = DIAGNOSIS.explain(refusal)
    assert finding.code == "bad_credentials"
    assert "blank" not in finding.explanation
