"""The file of the accounts: what is written, and how it is read again, strictly.

What is unknown, missing, twice there or of another form is refused with what is wrong in a few words.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any, NoReturn, TypeVar

from smtp_wizard.engine.accounts.account import Account, AccountNameError, AccountsError, name_key, parse_name
from smtp_wizard.engine.base.address import Address, saved_address
from smtp_wizard.engine.base.characters import has_control
from smtp_wizard.engine.base.connection import Auth, Connection
from smtp_wizard.engine.base.endpoint import Endpoint, Security, parse_host
from smtp_wizard.engine.base.errors import InputError
from smtp_wizard.engine.base.identity import Identity, Scope
from smtp_wizard.engine.base.shown import phrase, shown
from smtp_wizard.engine.base.stages import Depth, Stage, Verdict
from smtp_wizard.engine.secrets.kinds import StoreKind, StoreRef
from smtp_wizard.engine.state.logins import Login
from smtp_wizard.engine.state.results import LastResult

FILE_SCHEMAS = {1: "smtp-wizard/accounts-file/1", 2: "smtp-wizard/accounts-file/2"}
"""By version. In the first one an account has its last result with it, and no id."""
FILE_VERSION = 2

_ID = re.compile(r"[0-9a-f]{16}")

E = TypeVar("E", bound=StrEnum)


class DamagedFile(AccountsError):
    """The file cannot be understood. The text says in a few words what is wrong."""


class NewerFile(DamagedFile):
    """The file's version is one that this program does not know."""


def accounts_from_bytes(data: bytes) -> list[Account]:
    """Read the whole file. Raises `DamagedFile`, and `NewerFile` for one of a later version."""
    try:
        document = json.loads(data.decode("utf-8"), object_pairs_hook=_no_duplicates)
    except (ValueError, RecursionError):
        raise DamagedFile(phrase("it is not complete JSON text")) from None
    if isinstance(document, dict) and _is_newer(document.get("version")):
        raise NewerFile(phrase("its version is one that this program does not know"))
    fields = _Fields(document, "file", ("schema", "version", "accounts"))
    version = fields.raw("version")
    if type(version) is not int or version not in FILE_SCHEMAS or fields.raw("schema") != FILE_SCHEMAS[version]:
        raise DamagedFile(phrase("it does not say that it is a file of accounts"))
    listed = fields.raw("accounts")
    if not isinstance(listed, list):
        raise DamagedFile(phrase("'accounts' is not a list"))
    accounts = [account_from_json(entry) for entry in listed]
    if len({name_key(account.name) for account in accounts}) != len(accounts):
        raise DamagedFile(phrase("two accounts have the same name"))
    return _with_ids(accounts)


def accounts_to_bytes(accounts: Sequence[Account]) -> bytes:
    """Return what is written for these accounts."""
    by_name = sorted(accounts, key=lambda account: name_key(account.name))
    document = {
        "schema": FILE_SCHEMAS[FILE_VERSION],
        "version": FILE_VERSION,
        "accounts": [account_to_json(account) for account in by_name],
    }
    return (json.dumps(document, ensure_ascii=False, indent=2) + "\n").encode("utf-8")


def account_to_json(account: Account) -> dict[str, Any]:
    """Return an account as `account_from_json` takes it: in the file its connection and identity stand side by side."""
    connection, identity = account.connection, account.identity
    return {
        "name": account.name,
        "address": str(account.address),
        "endpoint": _endpoint_to_json(connection.endpoint),
        "username": connection.username,
        "auth": connection.auth.value,
        "provider": connection.provider,
        "path": connection.path,
        "sender": _maybe_str(identity.sender),
        "sender_name": identity.sender_name,
        "company_name": identity.company_name,
        "reply_to": _maybe_str(identity.reply_to),
        "update_company": identity.update_company,
        "scope": account.scope.value,
        "store": None if account.store is None else {"kind": account.store.kind.value, "where": account.store.where},
        "allow_cleartext": connection.allow_cleartext,
        "ehlo_name": connection.ehlo_name,
        "ca_file": connection.ca_file,
        "sandbox": connection.sandbox,
        "created": _written(account.created),
        "login": None if account.login is None else _login_to_json(account.login),
        "id": account.id,
    }


def account_from_json(value: object) -> Account:
    """Take one account as it stands in the file. Raises `DamagedFile` for anything unknown, missing or odd."""
    fields = _Fields(value, "account", _KEYS, may_lack=("login", "last", "id"))
    return Account(
        name=fields.name("name"),
        address=fields.address("address"),
        connection=_connection_from_json(fields),
        identity=_identity_from_json(fields),
        scope=fields.choice("scope", Scope),
        store=_store_from_json(fields.raw("store")),
        created=fields.moment("created"),
        login=_login_from_json(fields.raw("login")),
        id=fields.id("id"),
        last=_last_from_json(fields.raw("last")),
    )


def _connection_from_json(fields: _Fields) -> Connection[Endpoint]:
    return Connection(
        endpoint=_endpoint_from_json(fields.raw("endpoint")),
        username=fields.text("username"),
        auth=fields.choice("auth", Auth),
        provider=fields.maybe_text("provider"),
        path=fields.maybe_text("path"),
        ca_file=fields.maybe_text("ca_file"),
        ehlo_name=fields.text("ehlo_name"),
        allow_cleartext=fields.flag("allow_cleartext"),
        sandbox=fields.maybe_text("sandbox"),
    )


def _identity_from_json(fields: _Fields) -> Identity:
    return Identity(
        sender=fields.maybe_address("sender"),
        sender_name=fields.text("sender_name"),
        update_company=fields.flag("update_company"),
        company_name=fields.text("company_name"),
        reply_to=fields.maybe_address("reply_to"),
    )


def _with_ids(accounts: Sequence[Account]) -> list[Account]:
    """Return the accounts as they stand in the file, each with an id that no other has.

    Where an earlier version wrote the file, or a person did by hand, an id may be missing: it is made of the name then,
    so that it is the same each time the file is read. When the file is written it is kept.
    """
    taken: set[str] = set()
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
    return isinstance(version, int) and not isinstance(version, bool) and version > FILE_VERSION


def _no_duplicates(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a key stands twice")
    return found


_KEYS = tuple(
    name
    for noun in (Account, Connection, Identity)
    for name in (each.name for each in dataclasses.fields(noun))
    if name not in ("connection", "identity")
)
"""The keys of an account in the file."""


class _Fields:
    """One JSON object, read strictly: every expected key is there, and no other."""

    def __init__(self, value: object, what: str, keys: Sequence[str], may_lack: Sequence[str] = ()) -> None:
        """`may_lack`: keys that are younger than the file's form; where they are missing they are null."""
        if not isinstance(value, dict):
            raise DamagedFile(phrase("an entry for {} is no object", shown(what)))
        value = {**dict.fromkeys(may_lack), **value}
        missing = [key for key in keys if key not in value]
        unknown = [key for key in value if key not in keys]
        if missing:
            raise DamagedFile(phrase("'{}' is missing in an entry for {}", shown(missing[0]), shown(what)))
        if unknown:
            raise DamagedFile(phrase("'{}' is unknown in an entry for {}", shown(str(unknown[0]), 40), shown(what)))
        self._value: Mapping[str, object] = value

    def raw(self, key: str) -> object:
        return self._value[key]

    def text(self, key: str) -> str:
        """A text without control characters: none of them may reach a line of SMTP or a header."""
        value = self._value[key]
        if not isinstance(value, str) or has_control(value):
            self._refuse(key)
        return value

    def maybe_text(self, key: str) -> str | None:
        return None if self._value[key] is None else self.text(key)

    def name(self, key: str) -> str:
        value = self.text(key)
        try:
            good = parse_name(value) == value
        except AccountNameError:
            good = False
        return value if good else self._refuse(key)

    def id(self, key: str) -> str:
        """'' where there is none."""
        value = "" if self._value[key] is None else self.text(key)
        return value if not value or _ID.fullmatch(value) else self._refuse(key)

    def flag(self, key: str) -> bool:
        value = self._value[key]
        return value if isinstance(value, bool) else self._refuse(key)

    def whole(self, key: str) -> int:
        value = self._value[key]
        return value if isinstance(value, int) and not isinstance(value, bool) else self._refuse(key)

    def choice(self, key: str, kinds: type[E]) -> E:
        try:
            return kinds(self.text(key))
        except ValueError:
            self._refuse(key)

    def address(self, key: str) -> Address:
        try:
            return saved_address(self.text(key))
        except InputError:
            self._refuse(key)

    def maybe_address(self, key: str) -> Address | None:
        return None if self._value[key] is None else self.address(key)

    def moment(self, key: str) -> datetime:
        try:
            moment = datetime.fromisoformat(self.text(key))
            return moment.astimezone(UTC) if moment.tzinfo is not None else self._refuse(key)
        except (ValueError, OverflowError):
            self._refuse(key)

    def _refuse(self, key: str) -> NoReturn:
        # The value is not shown: a damaged file may hold anything, at any place.
        raise DamagedFile(phrase("'{}' is not as it must be", shown(key)))


def _endpoint_to_json(endpoint: Endpoint) -> dict[str, Any]:
    return {"host": endpoint.host, "port": endpoint.port, "security": endpoint.security.value}


def _endpoint_from_json(value: object) -> Endpoint:
    fields = _Fields(value, "server", ("host", "port", "security"))
    host, port = fields.text("host"), fields.whole("port")
    try:
        good = parse_host(host) == host and 1 <= port <= 65535
    except InputError:
        good = False
    if not good:
        raise DamagedFile(phrase("a server is not as it must be"))
    return Endpoint(host, port, fields.choice("security", Security))


def _store_from_json(value: object) -> StoreRef | None:
    if value is None:
        return None
    fields = _Fields(value, "store", ("kind", "where"))
    return StoreRef(fields.choice("kind", StoreKind), fields.text("where"))


def _last_from_json(value: object) -> LastResult | None:
    if value is None:
        return None
    fields = _Fields(value, "last", ("at", "depth", "verdict", "stage", "code"))
    return LastResult(
        at=fields.moment("at"),
        depth=fields.choice("depth", Depth),
        verdict=fields.choice("verdict", Verdict),
        stage=None if fields.raw("stage") is None else fields.choice("stage", Stage),
        code=fields.text("code"),
    )


def _login_to_json(login: Login) -> dict[str, Any]:
    return {
        "client_id": login.client_id,
        "granted": _written(login.granted),
        "renewed": _written(login.renewed),
        "ends": None if login.ends is None else _written(login.ends),
    }


def _login_from_json(value: object) -> Login | None:
    if value is None:
        return None
    fields = _Fields(value, "login", ("client_id", "granted", "renewed", "ends"))
    ends = None if fields.raw("ends") is None else fields.moment("ends")
    return Login(fields.text("client_id"), fields.moment("granted"), fields.moment("renewed"), ends)


def _maybe_str(address: Address | None) -> str | None:
    return None if address is None else str(address)


def _written(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat().replace("+00:00", "Z")
