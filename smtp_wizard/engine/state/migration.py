"""Takes over, once, the refused sign-ins of an older version, which kept them in a file of their own."""

from __future__ import annotations

import errno
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

from smtp_wizard.engine.base import private_files
from smtp_wizard.engine.base.records import Moment, Range, like, read_record
from smtp_wizard.engine.base.strict_json import JsonError, read_json
from smtp_wizard.engine.state import sign_in_records
from smtp_wizard.engine.state.sign_in_records import SignInRecord, SignInStage
from smtp_wizard.engine.state.timestamps import OLD_NAME

if TYPE_CHECKING:
    from sqlite3 import Connection

FIRST_SCHEMA = "smtp-wizard/attempts-file/1"
LARGEST = 64_000_000
"""Bytes of the old file at most."""
ASIDE = ".aside"


def migrate(connection: Connection, folder: Path) -> None:
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
    except JsonError:
        with suppress(OSError):
            old.replace(old.with_name(OLD_NAME + ASIDE))
        return
    connection.execute("BEGIN IMMEDIATE")
    try:
        for account, entry in entries.items():
            sign_in_records.put(connection, account, entry)
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise
    # Killed before this, it takes the same over once more.
    with suppress(OSError):
        old.unlink()
        old.with_name(f"{OLD_NAME}.lock").unlink(missing_ok=True)


_Account = Annotated[str, like(sign_in_records.ACCOUNT, "the scrambled name of an account")]
_Id = Annotated[str, like(sign_in_records.ID, "an id")]


@dataclass(frozen=True, slots=True)
class _First:
    """A sign-in of the first form."""

    at: Moment
    until: Moment
    refused: bool

    @property
    def sign_in(self) -> SignInRecord:
        state = SignInStage.FAILED if self.refused else SignInStage.OPEN
        return SignInRecord(self.at, self.until, state, "bad_credentials")


@dataclass(frozen=True, slots=True)
class _Second:
    """A sign-in of the second form."""

    at: Moment
    until: Moment
    state: SignInStage
    cause: Annotated[str, like(sign_in_records.CAUSE, "the code of a finding")]
    process: Annotated[int, Range(0)]

    @property
    def sign_in(self) -> SignInRecord:
        return SignInRecord(self.at, self.until, self.state, self.cause, self.process)


@dataclass(frozen=True, slots=True)
class _FirstFile:
    schema: Literal["smtp-wizard/attempts-file/1"]
    accounts: Mapping[_Account, Mapping[_Id, _First]]


@dataclass(frozen=True, slots=True)
class _SecondFile:
    schema: Literal["smtp-wizard/attempts-file/2"]
    accounts: Mapping[_Account, Mapping[_Id, _Second]]


def _entries(data: bytes) -> dict[str, sign_in_records.Entry]:
    """Read the file's content. Raises `JsonError` for whatever is odd in it."""
    document = read_json(data)
    is_first = isinstance(document, dict) and document.get("schema") == FIRST_SCHEMA
    file = read_record(_FirstFile, document) if is_first else read_record(_SecondFile, document)
    return {account: _entry(each) for account, each in file.accounts.items()}


def _entry(found: Mapping[str, _First] | Mapping[str, _Second]) -> sign_in_records.Entry:
    # A place that was only taken belonged to a process of the older version.
    entry = {id: each.sign_in for id, each in found.items() if each.sign_in.state is not SignInStage.OPEN}
    if any(each.at >= each.until for each in entry.values()):
        raise JsonError("has a sign-in that ends before it begins")
    return entry
