"""The IMAP server that was named for an account: for that sign-in alone, until the account goes."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from smtp_wizard.engine.base.endpoint import Endpoint, Security
from smtp_wizard.engine.state.named_servers import SignInPlace
from smtp_wizard.engine.state.state import State
from smtp_wizard.engine.state.timestamps import FILE_NAME

NOON = datetime(2026, 11, 30, 12, tzinfo=UTC)
SERVER = Endpoint("imap.example.com", 143, Security.STARTTLS)
OFFICE = SignInPlace("0123456789abcdef", ("smtp.example.com:465", "ana", "ana@example.com"))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "config"


def test_it_is_read_back_in_the_next_session_for_the_same_sign_in_alone(folder: Path) -> None:
    state = State(folder)
    assert state.named_servers.of(OFFICE) is None
    state.named_servers.keep(OFFICE, SERVER, NOON)
    assert state.named_servers.of(OFFICE) == SERVER, "before it stands in the file"
    assert state.flush() == ()
    for found in (state, State(folder)):
        assert found.named_servers.of(OFFICE) == SERVER
        assert found.named_servers.of(SignInPlace(OFFICE.account, ("smtp.evil.example:465", "ana", "a@x"))) is None
        assert found.named_servers.of(SignInPlace("fedcba9876543210", OFFICE.words)) is None


def test_no_name_of_a_person_stands_in_the_file(folder: Path) -> None:
    state = State(folder)
    state.named_servers.keep(OFFICE, SERVER, NOON)
    state.flush()
    with closing(sqlite3.connect(folder / FILE_NAME)) as file:
        [row] = file.execute("SELECT * FROM named_servers").fetchall()
    assert "ana" not in " ".join(map(str, row))


def test_an_account_that_was_never_saved_leaves_nothing(folder: Path) -> None:
    state = State(folder)
    state.named_servers.keep(SignInPlace("", OFFICE.words), SERVER, NOON)
    assert state.flush() == ()
    assert not (folder / FILE_NAME).exists()


def test_it_goes_with_the_account(folder: Path) -> None:
    state = State(folder)
    state.named_servers.keep(OFFICE, SERVER, NOON)
    state.tidy([OFFICE.account], NOON + timedelta(days=1))
    assert state.named_servers.of(OFFICE) == SERVER
    state.forget(OFFICE.account)
    state.flush()
    assert state.named_servers.of(OFFICE) is None
    state.named_servers.keep(OFFICE, SERVER, NOON)
    state.flush()
    state.tidy([], NOON + timedelta(days=1))
    state.flush()
    assert State(folder).named_servers.of(OFFICE) is None


def test_what_this_version_did_not_write_is_no_server(folder: Path) -> None:
    state = State(folder)
    state.named_servers.keep(OFFICE, SERVER, NOON)
    state.flush()
    with closing(sqlite3.connect(folder / FILE_NAME)) as file:
        file.execute("UPDATE named_servers SET server = '\x1b no server'")
        file.commit()
    assert State(folder).named_servers.of(OFFICE) is None
