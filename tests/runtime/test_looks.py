"""Colour and movement: where nobody has said that there should be none."""

from __future__ import annotations

import pytest

from smtp_wizard.runtime import output


@pytest.mark.parametrize(
    ("name", "value", "wanted"),
    [
        ("NO_COLOR", "1", False),
        ("NO_COLOR", "", True),  # no-color.org: present, and not empty
        ("TERM", "dumb", False),
        ("TERM", "", False),
        ("TERM", "xterm-256color", True),
        ("CI", "", False),
    ],
)
def test_what_is_said_in_the_environment_decides(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str, wanted: bool
) -> None:
    for each in ("NO_COLOR", "CI"):
        monkeypatch.delenv(each, raising=False)
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv(name, value)
    assert output._looks_wanted() is wanted
