"""What was told last, by the name of the comparison: kept, read by older and newer files, forgotten with an account."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from smtp_wizard.engine.state import database
from smtp_wizard.engine.state.last_told import AccountStatus
from smtp_wizard.engine.state.state import State
from smtp_wizard.engine.state.timestamps import FILE_NAME

NOW = datetime(2026, 11, 30, tzinfo=UTC)
REFUSED = AccountStatus("bad_credentials", frozenset({"certificate", "sign-in"}))
OFFICE, SHOP = "00000000000000aa", "00000000000000bb"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "config"


def told(folder: Path, name: str = "night") -> dict[str, AccountStatus]:
    """What another process finds."""
    return State(folder).last_told.last(name)


def test_what_was_told_is_there_for_the_next_process_under_its_name_alone(folder: Path) -> None:
    state = State(folder)
    assert state.last_told.last("night") == {}
    state.last_told.move_on("night", {OFFICE: REFUSED, SHOP: AccountStatus()}, (), NOW)
    assert state.flush() == ()
    assert told(folder) == {OFFICE: REFUSED, SHOP: AccountStatus()}
    assert told(folder, "day") == {}
    state.last_told.move_on("night", {OFFICE: AccountStatus()}, (SHOP,), NOW)
    state.flush()
    assert told(folder) == {OFFICE: AccountStatus()}


def test_it_is_forgotten_with_the_account_and_tidied_when_it_belongs_to_nobody(folder: Path) -> None:
    state = State(folder)
    for name in ("night", "day"):
        state.last_told.move_on(name, {OFFICE: REFUSED, SHOP: REFUSED}, (), NOW)
    state.forget(OFFICE)
    state.flush()
    assert told(folder).keys() == told(folder, "day").keys() == {SHOP}
    state.tidy([OFFICE], NOW + timedelta(days=1))
    state.flush()
    assert told(folder) == {}


def older(folder: Path) -> None:
    """Make the file as the version before this table has made it."""
    folder.mkdir(mode=0o700)
    file = folder / FILE_NAME
    file.touch(0o600)
    with closing(sqlite3.connect(file)) as connection:
        for statement in database.MIGRATIONS[0]:
            connection.execute(statement)
        connection.execute(f"PRAGMA application_id = {database.APPLICATION_ID}")
        connection.execute("PRAGMA user_version = 1")


def test_in_a_file_of_the_version_before_nothing_was_told_and_it_is_no_damaged_one(folder: Path) -> None:
    older(folder)
    state = State(folder)
    assert state.last_told.last("night") == {}
    assert (database.put_aside(folder, 1.0), state.problems()) == ("", ())
    state.last_told.move_on("night", {OFFICE: REFUSED}, (), NOW)
    assert state.flush() == ()
    assert told(folder) == {OFFICE: REFUSED}


@pytest.mark.parametrize("odd", ["", "no JSON", "5", '{"a": 1}', "[" * 5000])
def test_a_row_of_another_kind_is_passed_over(folder: Path, odd: str) -> None:
    state = State(folder)
    state.last_told.move_on("night", {OFFICE: REFUSED, SHOP: REFUSED}, (), NOW)
    state.flush()
    with closing(sqlite3.connect(folder / FILE_NAME, isolation_level=None)) as file:
        file.execute("UPDATE told SET warnings = ? WHERE account = ?", (odd, OFFICE))
    assert told(folder) == {SHOP: REFUSED}
