"""`providers`: what the person's own file changes is said, and `providers verify` speaks to each server."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.cli import run

OVERRIDE = """\
providers:
  - id: gmail
    endpoints:
      - {host: gate.firm.example, port: 587, security: starttls}
"""
SAID = "Your own providers.yaml sets the server of 'gmail': gate.firm.example:587 (STARTTLS) instead of "


@pytest.fixture
def own_file(own_home: Path) -> Path:
    """The place of the person's own providers.yaml."""
    folder = own_home / "config"
    folder.mkdir()
    return folder / "providers.yaml"


def test_showing_an_overridden_provider_says_so(own_file: Path) -> None:
    own_file.write_text(OVERRIDE, "utf-8")
    shown = run("providers", "show", "gmail", "--json").document
    assert shown["endpoints"][0]["host"] == "gate.firm.example"
    assert shown["overrides"] == [
        {
            "provider": "gmail",
            "field": "server",
            "old": "smtp.gmail.com:465 (SSL/TLS), smtp.gmail.com:587 (STARTTLS)",
            "new": "gate.firm.example:587 (STARTTLS)",
        }
    ]
    assert f"\nOverridden\n  {SAID}" in run("providers", "show", "gmail").out
    assert run("providers", "show", "yahoo", "--json").document["overrides"] == []
    assert "Overridden" not in run("providers", "show", "yahoo").out


def test_setting_up_says_where_the_password_will_go_before_it_goes(own_file: Path) -> None:
    own_file.write_text(OVERRIDE.replace("gate.firm.example", "127.0.0.1"), "utf-8")
    ran = run("setup", "ana@gmail.com", "--password-stdin", "--depth", "server", stdin="correct horse battery")
    assert "sets the server of 'gmail': 127.0.0.1:587 (STARTTLS)" in ran.err


def test_a_file_that_cannot_be_used_is_one_sentence_and_the_rest_goes_on(own_file: Path) -> None:
    own_file.write_text(OVERRIDE.replace("587", "0"), "utf-8")
    ran = run("providers", "show", "gmail", "--json")
    assert ran.code == 0
    assert ran.document["endpoints"][0]["host"] == "smtp.gmail.com"
    (line,) = ran.err.splitlines()
    assert line.startswith("smtp-wizard: Your own list of providers is left out: providers.yaml, line 4, column ")


def test_another_config_folder_has_its_own_file(own_file: Path, tmp_path: Path) -> None:
    own_file.write_text(OVERRIDE, "utf-8")
    other = run("--config", str(tmp_path / "other"), "providers", "show", "gmail", "--json").document
    assert other["overrides"] == []
