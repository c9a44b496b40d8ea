"""The file of the accounts: what is written, and how it is read again, strictly.

An entry that cannot be understood is refused alone, and goes back into the file as it was. Where that could lose
anything, the whole file is refused: what is no JSON, or of another form, or has a key twice.
"""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Annotated, Any, Literal

from smtp_wizard.engine.accounts.account import Account, AccountNameError, AccountsError, name_key, parse_name
from smtp_wizard.engine.base.records import INLINE, YOUNGER, read_record, write_record
from smtp_wizard.engine.base.shown import Shown, phrase
from smtp_wizard.engine.base.strict_json import JsonError, read_json
from smtp_wizard.engine.lazy_dataclass import dataclass
from smtp_wizard.engine.secrets.store_kinds import StoreRef
from smtp_wizard.engine.state.results import LastResult

FILE_SCHEMAS = {1: "smtp-wizard/accounts-file/1", 2: "smtp-wizard/accounts-file/2"}
"""By version. In the first one an account has its last result with it, and no id."""
FILE_VERSION = 2


class DamagedFile(AccountsError):
    """The file cannot be understood. The text says in a few words what is wrong."""


class NewerFile(DamagedFile):
    """The file's version is one that this program does not know."""


@dataclass(frozen=True, slots=True)
class Unread:
    """An entry of the file that cannot be understood."""

    entry: object
    """As it stands there. What is in it is believed only as far as it is read below."""
    problem: Shown
    """What is wrong, in a few words."""

    @property
    def name(self) -> str:
        """The account's name, '' where it has none that can be used."""
        name = self._field("name")
        try:
            return name if isinstance(name, str) and parse_name(name) == name else ""
        except AccountNameError:
            return ""

    @property
    def id(self) -> str:
        """What the account's results are kept under; '' where that cannot be told."""
        id = self._field("id")
        return id if isinstance(id, str) and id else _id_from(self.name) if self.name else ""

    @property
    def store(self) -> StoreRef | None:
        """Where the account has its secret, None where it has none. Raises `JsonError` where that cannot be told."""
        store = self._field("store")
        if store is None and not (isinstance(self.entry, dict) and "store" in self.entry):
            raise JsonError("is missing", ("store",))
        return None if store is None else read_record(StoreRef, store)

    def _field(self, key: str) -> object:
        return self.entry.get(key) if isinstance(self.entry, dict) else None


@dataclass(frozen=True, slots=True)
class Contents:
    """What stands in the file."""

    accounts: tuple[Account, ...] = ()
    unread: tuple[Unread, ...] = ()


@dataclass(frozen=True, slots=True)
class _File:
    schema: Literal["smtp-wizard/accounts-file/1", "smtp-wizard/accounts-file/2"]
    version: Literal[1, 2]
    accounts: tuple[object, ...]


@dataclass(frozen=True, slots=True)
class _Entry:
    account: Annotated[Account, INLINE]
    last: Annotated[LastResult | None, YOUNGER] = None


def contents_from_bytes(data: bytes) -> Contents:
    """Read the whole file. Raises `DamagedFile`, and `NewerFile` for one of a later version."""
    try:
        document = read_json(data)
        if isinstance(document, dict) and _is_newer(document.get("version")):
            raise NewerFile(phrase("its version is one that this program does not know"))
        file = read_record(_File, document)
    except JsonError as problem:
        raise DamagedFile(problem.words) from None
    if file.schema != FILE_SCHEMAS[file.version]:
        raise DamagedFile(phrase("it does not say that it is a file of accounts"))
    found = [_account_or_unread(entry, place) for place, entry in enumerate(file.accounts)]
    found = [*_without_doubles(found, file.accounts)]
    unread = tuple(each for each in found if isinstance(each, Unread))
    accounts = [each for each in found if isinstance(each, Account)]
    return Contents(tuple(_with_ids(accounts, {each.id for each in unread})), unread)


def contents_to_bytes(accounts: Sequence[Account], unread: Sequence[Unread] = ()) -> bytes:
    """Return what is written for these accounts; entries that could not be read come last, as they were."""
    by_name = sorted(accounts, key=lambda account: name_key(account.name))
    document = {
        "schema": FILE_SCHEMAS[FILE_VERSION],
        "version": FILE_VERSION,
        "accounts": [*map(account_to_json, by_name), *(each.entry for each in unread)],
    }
    try:
        return (json.dumps(document, ensure_ascii=False, indent=2) + "\n").encode("utf-8")
    except UnicodeEncodeError:  # half a character, in an entry that could not be read
        return (json.dumps(document, indent=2) + "\n").encode("ascii")


def account_to_json(account: Account) -> dict[str, Any]:
    """Return an account as `account_from_json` takes it: in the file its connection and identity stand side by side."""
    return write_record(account)


def account_from_json(value: object) -> Account:
    """Take one account as it stands in the file. Raises `JsonError` for anything unknown, missing or odd."""
    entry = read_record(_Entry, value)
    return replace(entry.account, last=entry.last) if entry.last else entry.account


def _account_or_unread(entry: object, place: int) -> Account | Unread:
    try:
        return account_from_json(entry)
    except JsonError as problem:
        return Unread(entry, problem.inside(place).inside("accounts").words)


def _without_doubles(found: Sequence[Account | Unread], entries: Sequence[object]) -> Iterable[Account | Unread]:
    """Take accounts of one name for unread, all of them: nobody can say which of them is meant."""
    times = Counter(name_key(each.name) for each in found if isinstance(each, Account))
    for place, (each, entry) in enumerate(zip(found, entries, strict=True)):
        doubled = isinstance(each, Account) and times[name_key(each.name)] > 1
        words = phrase("'accounts[{}].name' is the name of another account too", place)
        yield Unread(entry, words) if doubled else each


def _with_ids(accounts: Sequence[Account], taken: set[str]) -> list[Account]:
    """Return the accounts as they stand in the file, each with an id that no other has.

    Where an earlier version wrote the file, or a person did by hand, an id may be missing: it is made of the name then,
    so that it is the same each time the file is read. When the file is written it is kept.
    """
    found: list[Account] = []
    for account in accounts:
        id = account.id or _id_from(account.name)
        while id in taken:
            id = _id_from(f"{account.name}/{id}")
        taken.add(id)
        found.append(account if id == account.id else replace(account, id=id))
    return found


def _id_from(text: str) -> str:
    return hashlib.blake2b(name_key(text).encode(), digest_size=8, person=b"smtp-wizard").hexdigest()


def _is_newer(version: object) -> bool:
    return type(version) is int and version > FILE_VERSION
