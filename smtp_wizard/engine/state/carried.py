"""Takes over, once, the refused sign-ins of an older version, which kept them in a file of their own."""

from __future__ import annotations

import errno
import json
import re
from collections.abc import Mapping
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from smtp_wizard.engine.base import private_files
from smtp_wizard.engine.state import signins
from smtp_wizard.engine.state.signins import Reached, SignIn

if TYPE_CHECKING:
    from sqlite3 import Connection

OLD_NAME = "attempts.json"
OLD_SCHEMAS = frozenset({"smtp-wizard/attempts-file/1", "smtp-wizard/attempts-file/2"})
"""In the first form an entry says whether it was `refused`; in the second, how far it came, and why it failed."""
LARGEST = 64_000_000
"""Bytes of the old file at most."""
ASIDE = ".aside"


def take_over(connection: Connection, folder: Path) -> None:
    """Take the old file over and delete it; one that cannot be understood is put aside. Raises what SQLite raises."""
    old = folder / OLD_NAME
    try:
        data = private_files.read_private(old, LARGEST)
    except OSError as problem:
        if problem.errno != errno.EFBIG:
            return
        data = b""
    try:
        entries = _entries(data)
    except (ValueError, TypeError, KeyError, OverflowError, RecursionError):
        with suppress(OSError):
            old.replace(old.with_name(OLD_NAME + ASIDE))
        return
    connection.execute("BEGIN IMMEDIATE")
    try:
        for account, entry in entries.items():
            signins.put(connection, account, entry)
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise
    # Killed before this, it takes the same over once more.
    with suppress(OSError):
        old.unlink()
        old.with_name(f"{OLD_NAME}.lock").unlink(missing_ok=True)


def _entries(data: bytes) -> dict[str, signins.Entry]:
    """Read the file's content. Raises `ValueError`, `TypeError`, `KeyError` and the like for whatever is odd in it."""
    document = _table(json.loads(data.decode()), {"schema", "accounts"})
    if document["schema"] not in OLD_SCHEMAS:
        raise ValueError("not a file of attempts")
    return {_fitting(account, signins.ACCOUNT): _entry(each) for account, each in _table(document["accounts"]).items()}


def _entry(value: object) -> signins.Entry:
    found = {_fitting(id, signins.ID): _sign_in(_table(each)) for id, each in _table(value).items()}
    # A place that was only taken belonged to a process of the older version.
    return {id: each for id, each in found.items() if each.state is not Reached.OPEN}


def _sign_in(table: Mapping[str, Any]) -> SignIn:
    if "refused" in table:
        state, cause, process = Reached.FAILED if table["refused"] else Reached.OPEN, "bad_credentials", 0
    else:
        state, cause, process = Reached(table["state"]), _fitting(table["cause"], signins.CAUSE), table["process"]
    at, until = _moment(table["at"]), _moment(table["until"])
    if type(process) is not int or process < 0 or not at < until:
        raise ValueError("no attempt")
    return SignIn(at, until, state, cause, process)


def _moment(value: Any) -> datetime:
    moment = datetime.fromisoformat(value)
    if moment.tzinfo is None:
        raise ValueError("a moment without a zone")
    return moment.astimezone(UTC)


def _table(value: object, keys: set[str] | None = None) -> Mapping[str, Any]:
    if not isinstance(value, dict) or (keys is not None and set(value) != keys):
        raise ValueError("not the table that it must be")
    return value


def _fitting(text: str, pattern: re.Pattern[str]) -> str:
    if not pattern.fullmatch(text):
        raise ValueError("not the name that it must be")
    return text
