"""`history`: the last results of an account, and how long they took."""

from __future__ import annotations

import os
import re
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from smtp_wizard.engine.accounts.account import Account
from smtp_wizard.engine.accounts.saved_accounts import SavedAccounts
from smtp_wizard.engine.base.stages import Depth, Stage, Verdict
from smtp_wizard.engine.state.results import KEEP, LastResult, Result
from smtp_wizard.engine.state.timestamps import FILE_NAME
from smtp_wizard.text.last_test import seconds_words
from tests.commands.test_send import RELAY
from tests.support.cli import on_terminal, run, run_process

BEGAN = datetime(2026, 11, 1, 2, 8, tzinfo=UTC)


def result(day: int, ms: int, code: str = "") -> Result:
    """A check on a day of November: it signed in, or was refused."""
    verdict, stage = (Verdict.FAIL, Stage.AUTH) if code else (Verdict.PASS, None)
    last = LastResult(BEGAN + timedelta(days=day), Depth.LOGIN, verdict, stage, code)
    return Result(last, {Stage.DNS: 1, Stage.CONNECT: 50, Stage.AUTH: ms})


@pytest.fixture
def tested(own_home: Path) -> Account:
    """An account that signed in twice, and was refused the third time."""
    saved = SavedAccounts(own_home / "config")
    saved.put(RELAY)
    account = saved.get(RELAY.name)
    for each in (result(0, 120), result(1, 480), result(2, 200, "bad_credentials")):
        saved.state.results.record(account.id, each)
    saved.state.flush()
    return account


def test_the_document_has_the_results_with_their_stages_the_newest_first(tested: Account) -> None:
    ran = run("history", tested.name, "--json")
    assert (ran.code, ran.err) == (0, "")
    document = ran.document
    assert document["account"] == tested.name
    (result,) = run("history", tested.name, "--last", "1", "--json").document["results"]
    assert result["ms"]["auth"] == 200
    assert run("history", tested.name, "--last", str(KEEP + 1)).code == 2


def test_an_account_that_was_never_tested_has_no_history(own_home: Path) -> None:
    SavedAccounts(own_home / "config").put(RELAY)
    ran = run("history", RELAY.name)
    assert (ran.code, ran.out) == (0, "")
    assert "not been tested yet" in ran.err
    assert run("history", RELAY.name, "--json").document["results"] == []


def test_an_account_that_is_not_there_exits_4() -> None:
    ran = run("history", "Nobody", "--json")
    assert (ran.code, ran.error["code"]) == (4, "no-such-account")


@pytest.mark.parametrize("words", [("history", RELAY.name), ("history", RELAY.name, "--json"), ("calendar", "--json")])
def test_what_cannot_be_read_is_not_taken_for_a_test_that_never_was(
    tested: Account, own_home: Path, words: str
) -> None:
    (own_home / "config" / FILE_NAME).write_bytes(b"no database" * 200)
    ran = run(*words)
    assert ran.code == 3
    assert ran.err.count("is damaged") == 1
    assert "not been tested yet" not in ran.err
    if words[0] == "history" and "--json" in words:
        assert ran.error["code"] == "state-unread"


def test_the_list_says_no_never_of_what_cannot_be_read(tested: Account, own_home: Path) -> None:
    (own_home / "config" / FILE_NAME).write_bytes(b"no database" * 200)
    for words in (("accounts",), ("accounts", "show", tested.name)):
        assert "not known" in run(*words).out


def test_on_a_terminal_results_have_a_colour_and_no_line_is_too_long(tested: Account) -> None:
    saved = SavedAccounts(Path(os.environ["SMTP_WIZARD_CONFIG"]))
    for day in range(4, 24):
        saved.state.results.record(tested.id, result(day, 100 + 20 * day))
    saved.state.flush()
    ran = on_terminal(["history", tested.name], rows=50)
    assert "\x1b[32mok\x1b[0m" in ran.out
    assert "▁▂▃" in ran.out or "█" in ran.out
    assert max(len(re.sub(r"\x1b\[[0-9;]*m", "", line)) for line in ran.out.splitlines()) <= 80


def test_where_the_bars_cannot_be_shown_the_figures_are(tested: Account) -> None:
    ran = run_process("history", tested.name, environ={"PYTHONIOENCODING": "ascii"})
    assert ran.out.splitlines()[1] == "0.2 to 0.5 seconds to sign in, the oldest first"
    assert "\\u" not in ran.out


def test_what_is_quicker_than_a_tenth_of_a_second_is_not_called_nothing() -> None:
    assert seconds_words([0.03, 0.04]) == "less than 0.1 seconds"
    assert seconds_words([0.03, 0.5]) == "less than 0.1 to 0.5 seconds"
    assert seconds_words([0.06, 0.12]) == "0.1 seconds"
