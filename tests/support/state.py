"""The file of what was learnt: read without the program, and made to refuse."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from smtp_wizard.engine.state.timestamps import FILE_NAME

BUSY, FULL = 5, 13
"""Result codes of SQLite."""


def rows_of(folder: Path, table: str, mode: str = "rw") -> list[dict[str, Any]]:
    """Return the rows of a table, by the names of its columns."""
    with closing(sqlite3.connect(f"file:{folder / FILE_NAME}?mode={mode}", uri=True)) as file:
        file.row_factory = sqlite3.Row
        return [dict(row) for row in file.execute(f"SELECT * FROM {table}")]


def refuse_to_write(patch: pytest.MonkeyPatch, code: int) -> None:
    """Let SQLite answer every end of a transaction in a file with an error, as on a disk that has no room."""
    connect = sqlite3.connect

    class Refusing(sqlite3.Connection):
        def execute(self, sql: str, *values: Any) -> sqlite3.Cursor:
            if sql == "COMMIT":
                problem = sqlite3.OperationalError("refused")
                problem.sqlite_errorcode = code
                raise problem
            return super().execute(sql, *values)

    def refusing(name: str, **options: Any) -> sqlite3.Connection:
        return connect(name, **options) if name == ":memory:" else connect(name, factory=Refusing, **options)

    patch.setattr(sqlite3, "connect", refusing)
