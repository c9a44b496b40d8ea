"""From what servers really say to its cause."""

from __future__ import annotations

import pytest

from smtp_wizard.engine.base.stages import Stage
from tests.engine.diagnosis.symptoms import CODES, DIAGNOSIS, NONE_587, REPLIES, _rows, replied
from tests.support.rows import each_row


@each_row(("stage", "provider", "said", "code"), _rows(CODES))
def test_codes_alone(stage: str, provider: str, said: str, code: str) -> None:
    symptom = replied(Stage(stage), f"{said} No.", provider=None if provider == "-" else provider)
    assert DIAGNOSIS.explain(symptom).code == code


@pytest.mark.parametrize("stage", [Stage.AUTH, Stage.MAIL])
def test_530_in_clear_text_asks_for_encryption(stage: Stage) -> None:
    """The wish to have STARTTLS first comes with the same code as the wish for a sign-in (RFC 3207, RFC 4954)."""
    assert DIAGNOSIS.explain(replied(stage, "530 No", endpoint=NONE_587)).code == "starttls_required"


@each_row(("stage", "provider", "said", "code"), _rows(REPLIES))
def test_real_replies(stage: str, provider: str, said: str, code: str) -> None:
    symptom = replied(Stage(stage), said, provider=None if provider == "-" else provider)
    assert DIAGNOSIS.explain(symptom).code == code
