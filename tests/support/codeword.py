"""The code word of a test message, where a test types it without having read the message."""

from __future__ import annotations

import pytest

WORD = "tiger"


def always_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let every test message carry `WORD`."""
    monkeypatch.setattr("smtp_wizard.flows.last_steps.test_mail.new_word", lambda besides: WORD)
