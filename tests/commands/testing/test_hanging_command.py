"""A command that should print a password and never ends: --timeout is obeyed, and the command is ended with it."""

from __future__ import annotations

import shlex
from pathlib import Path

import pytest

from smtp_wizard.engine.accounts.saved_accounts import SavedAccounts
from smtp_wizard.engine.secrets.store_kinds import StoreKind, StoreRef
from tests.commands.test_send import RELAY
from tests.support.cli import run
from tests.support.nouns import with_fields

HANGS = 'echo $$ >> "$0"; exec sleep 3600'


@pytest.fixture
def begun(own_home: Path, tmp_path: Path) -> Path:
    """Two accounts whose commands hang; return the file in which these write their process ids."""
    file = tmp_path / "begun"
    command = shlex.join(["sh", "-c", HANGS, str(file)])
    saved = SavedAccounts(own_home / "config")
    for name in ("Hangs", "Hangs too"):
        saved.put(with_fields(RELAY, name=name, id="", store=StoreRef(StoreKind.COMMAND, command)))
    return file


def ended(file: Path) -> bool:
    """Whether the commands that begun are no more; one may not have come so far as to write its id."""
    return not any(Path(f"/proc/{number}").exists() for number in file.read_text().split()) if file.exists() else True


@pytest.mark.parametrize("accounts", [("Hangs",), ("--all",)])
def test_the_time_allowed_ends_it_and_says_so(begun: Path, accounts: tuple[str, ...]) -> None:
    ran = run("test", *accounts, "--timeout", "0.5", "--json")
    assert ran.code == 1
    results = ran.document["results"]
    assert len(results) == (2 if "--all" in accounts else 1)
    assert {finding["code"] for each in results for finding in each["findings"]} == {"time-is-up"}
    assert {each["verdict"] for each in results} == {"skipped"}
    assert ended(begun)


def test_one_that_was_given_is_ended_too(begun: Path) -> None:
    command = shlex.join(["sh", "-c", HANGS, str(begun)])
    ran = run("test", "Hangs", "--timeout", "0.5", "--password-command", command)
    assert (ran.code, ran.out) == (1, "")
    assert "--timeout" in ran.err
    assert ended(begun)
