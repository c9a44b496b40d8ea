"""What a shell completes: asked as the shell asks, and by a real bash."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from smtp_wizard import cli
from smtp_wizard.commands.invocation import COMPLETING
from smtp_wizard.engine.accounts.saved_accounts import SavedAccounts
from tests.commands.test_send import RELAY
from tests.support.cli import run
from tests.support.nouns import with_fields


@pytest.fixture
def saved(own_home: Path) -> SavedAccounts:
    saved = SavedAccounts(own_home / "config")
    for name in ("Office", "Shop 1", "Shop & Sons' (new)"):
        saved.put(with_fields(RELAY, name=name, id=""))
    return saved


def completed(monkeypatch: pytest.MonkeyPatch, *words: str, shell: str = "zsh") -> list[str]:
    """What is offered for the last word."""
    with monkeypatch.context() as patch:
        patch.setenv(COMPLETING, f"{shell}_complete")
        patch.setenv("COMP_WORDS", " ".join(["smtp-wizard", *words]))
        patch.setenv("COMP_CWORD", str(len(words)))
        ran = run()
    assert (ran.code, ran.err) == (0, "")
    return ran.out.splitlines()[1::3] if shell == "zsh" else [line.partition(",")[2] for line in ran.out.splitlines()]


def test_commands_options_accounts_providers_and_guides_are_completed(
    saved: SavedAccounts, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert completed(monkeypatch, "hist") == ["history"]
    assert set(completed(monkeypatch, "")) == set(cli.COMMANDS)
    assert "--changed" in completed(monkeypatch, "test", "--ch")
    assert completed(monkeypatch, "test", "off") == ["Office"]
    assert completed(monkeypatch, "accounts", "show", "Sh") == ["Shop & Sons' (new)", "Shop 1"]
    assert completed(monkeypatch, "providers", "show", "gma") == ["gmail"]
    assert completed(monkeypatch, "limits", "plan", "--provider", "gma") == ["gmail"]
    assert completed(monkeypatch, "guide", "gmail-app") == ["gmail-app-password"]


@pytest.mark.parametrize(
    "command", ["history", "send", "accounts rename", "accounts remove", "accounts password", "accounts tag"]
)
def test_every_command_for_one_account_completes_its_name(
    saved: SavedAccounts, monkeypatch: pytest.MonkeyPatch, command: str
) -> None:
    assert completed(monkeypatch, *command.split(), "Off") == ["Office"]


def test_another_config_folder_is_looked_into(
    saved: SavedAccounts, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    other = SavedAccounts(tmp_path / "other")
    other.put(with_fields(RELAY, name="Elsewhere", id=""))
    assert completed(monkeypatch, "--config", str(tmp_path / "other"), "test", "") == ["Elsewhere"]


def test_tags_scenarios_and_schemas_are_completed(saved: SavedAccounts, monkeypatch: pytest.MonkeyPatch) -> None:
    saved.put(with_fields(RELAY, name="Tagged", tags=("north", "paid"), id=""))
    assert completed(monkeypatch, "test", "--tag", "n") == ["north"]
    assert completed(monkeypatch, "accounts", "tag", "Tagged", "--add", "p") == ["paid"]
    assert completed(monkeypatch, "sandbox", "--scenario", "wrong-p") == ["wrong-password"]
    assert completed(monkeypatch, "schema", "accounts-sh") == ["accounts-show"]


def test_an_account_that_would_be_taken_for_an_option_is_not_offered(
    saved: SavedAccounts, monkeypatch: pytest.MonkeyPatch
) -> None:
    saved.put(with_fields(RELAY, name="-dash", id=""))
    assert "-dash" not in completed(monkeypatch, "test", "")


def test_nothing_is_said_among_what_is_being_typed(
    saved: SavedAccounts, monkeypatch: pytest.MonkeyPatch, own_home: Path
) -> None:
    file = own_home / "config" / "accounts.json"
    document = json.loads(file.read_text("utf-8"))
    document["accounts"].append({"name": "Odd"})
    file.write_text(json.dumps(document), "utf-8")
    assert completed(monkeypatch, "test", "off") == ["Office"]


@pytest.mark.parametrize(
    ("pieces", "offered"),
    [
        (("test", "cust", ":", "s"), ["shop"]),
        (("test", "cust", ":"), ["office", "shop"]),
        (("test", "CUST", ":", "a", ":"), []),
        (("--config", "=", "{other}", "test", "El"), ["Elsewhere:1"]),
        (("--config", "=", "{other}", "test", "Elsewhere", ":"), ["1"]),
        (("limits", "plan", "--provider", "=", "gma"), ["gmail"]),
        (("test", "--changed", "=", "night", "off"), ["Office"]),
    ],
)
def test_bash_is_answered_as_it_cuts_the_line(
    saved: SavedAccounts, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, pieces: tuple[str, ...], offered: list[str]
) -> None:
    """It takes '=' and ':' for ends of words (COMP_WORDBREAKS), and replaces what stands behind the last."""
    for name in ("cust:shop", "cust:office"):
        saved.put(with_fields(RELAY, name=name, id=""))
    SavedAccounts(tmp_path / "other").put(with_fields(RELAY, name="Elsewhere:1", id=""))
    words = [each.replace("{other}", str(tmp_path / "other")) for each in pieces]
    assert [each for each in completed(monkeypatch, *words, shell="bash") if each] == offered


def test_accounts_that_cannot_be_read_and_odd_questions_complete_nothing(
    saved: SavedAccounts, monkeypatch: pytest.MonkeyPatch, own_home: Path
) -> None:
    (own_home / "config" / "accounts.json").write_text("{", "utf-8")
    assert completed(monkeypatch, "test", "") == []
    for odd in ("nonsense", "bash", "zsh_nonsense", ""):
        monkeypatch.setenv(COMPLETING, odd)
        ran = run()
        assert (ran.code, ran.out, ran.err) == (1, "", "")


BASH = """
source "$1"
COMP_WORDS=(smtp-wizard test "$2") COMP_CWORD=2
_smtp_wizard_completion "$3"
printf '%s\\n' "${COMPREPLY[@]}"
"""
"""Asks as bash does when Tab is pressed. `$3`: the program."""


@pytest.mark.parametrize(("typed", "word"), [("Off", "Office"), ("Shop\\ ", "Shop\\ 1")])
def test_bash_completes_names_so_that_they_stay_one_word(
    saved: SavedAccounts, tmp_path: Path, typed: str, word: str
) -> None:
    script, program = tmp_path / "completion", tmp_path / "smtp-wizard"
    script.write_text(run("completion", "bash").out, "utf-8")
    program.write_text(f"#!/bin/sh\nexec '{sys.executable}' -m smtp_wizard \"$@\"\n", "utf-8")
    program.chmod(0o700)
    command = ["bash", "--norc", "-c", BASH, "bash", str(script), typed, str(program)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    assert word in done.stdout.splitlines()
    again = ["bash", "-c", f"printf '%s|' {' '.join(done.stdout.splitlines())}"]
    read = subprocess.run(again, capture_output=True, text=True, timeout=60, check=True)
    assert set(read.stdout.rstrip("|").split("|")) <= {account.name for account in saved.list()}


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_each_shell_has_its_script(shell: str) -> None:
    ran = run("completion", shell)
    assert ran.code == 0
    assert f"{COMPLETING}={shell}_complete" in ran.out
    assert run("completion", shell, "--json").document["script"] == ran.out.rstrip("\n")
    assert run("completion", "csh").code == 2


# --- the manual page ---


def test_the_manual_page_tells_of_every_command_option_and_exit_code() -> None:
    page = run("manual").out
    for name in cli.COMMANDS:
        assert f".SS smtp\\-wizard {name}" in page
    assert "\\fB\\-\\-exit\\-by\\-stage\\fR" in page
    assert "smtp\\-wizard test \\-\\-all \\-\\-changed" in page
    assert page.count(".SH ") == 8
    assert not [line for line in page.splitlines() if line.startswith(("'", ".")) and line[1:3].isspace()]
    assert run("manual", "--json").document["page"] == page.rstrip("\n")


def test_the_manual_names_both_ways_to_ask_for_help_and_leaves_both_to_the_commands() -> None:
    """A command keeps the option from when it is asked for it first."""
    page = run("manual").out
    assert page.count("\\-h, \\-\\-help") == page.count("\\-\\-help\\fR")
    assert "-h, --help" in run("accounts", "show", "--help").out
