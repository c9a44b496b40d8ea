"""Accounts, and the one file that holds them.

The file is written by the program alone, and only when a person has changed something: whole or not at all, readable by
its owner only, under a lock. It never holds a secret, only a reference to where the secret is kept. A file that cannot
be understood is said so and left as it is. What was learnt of an account since is read with it from `state`.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
import re
import secrets
import unicodedata
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import Any, NoReturn, Self, TypeVar

from smtp_wizard.engine.base import private_files
from smtp_wizard.engine.base.address import Address, AddressError
from smtp_wizard.engine.base.characters import has_control
from smtp_wizard.engine.base.connection import Auth
from smtp_wizard.engine.base.endpoint import Endpoint, Security, ascii_host, parse_host
from smtp_wizard.engine.base.errors import InputError
from smtp_wizard.engine.base.identity import Scope
from smtp_wizard.engine.base.shown import shown
from smtp_wizard.engine.base.stages import Depth, Stage, Verdict
from smtp_wizard.engine.secrets.kinds import StoreKind, StoreRef
from smtp_wizard.engine.state.logins import Login as Login
from smtp_wizard.engine.state.results import LastResult as LastResult
from smtp_wizard.engine.state.state import State

FILE_NAME = "accounts.json"
FILE_SCHEMAS = {1: "smtp-wizard/accounts-file/1", 2: "smtp-wizard/accounts-file/2"}
"""By version. In the first one an account has its last result with it, and no id."""
FILE_VERSION = 2
NAME_LIMIT = 60
"""Characters of an account's name at most."""
LARGEST = 64 * 1024 * 1024
"""Bytes of the file at most: some 80,000 accounts."""

_SUGGEST_FROM = 0.6
"""How alike two names must be (0 to 1) before one is offered for the other."""

_ID = re.compile(r"[0-9a-f]{16}")

E = TypeVar("E", bound=StrEnum)


class AccountsError(Exception):
    """Something about the saved accounts did not work. The text is one sentence for a person."""


class StoreTrouble(AccountsError):
    """The file of the accounts could not be read or written. It is as it was before."""


class NoSuchAccount(AccountsError):
    """There is no account of that name; `suggestion` is the name that was perhaps meant."""

    def __init__(self, name: str, suggestion: str | None) -> None:
        hint = f" Did you mean '{suggestion}'?" if suggestion else ""
        super().__init__(f"There is no account named '{shown(name, NAME_LIMIT)}'.{hint}")
        self.suggestion = suggestion


class NameTaken(AccountsError):
    """Another account has that name, and nobody said that it may be replaced."""

    def __init__(self, name: str) -> None:
        super().__init__(f"There is already an account named '{name}'.")


class Displaces(AccountsError):
    """`other` is the account for all mail already, and nobody said that it may be displaced."""

    def __init__(self, other: Account) -> None:
        super().__init__(f"'{other.name}' is the account for all mail already, and there can be only one.")
        self.other = other


class AccountNameError(InputError):
    """A name that was typed for an account cannot be used."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """A mailbox that sends, as it is saved. Never the secret."""

    name: str
    """As `parse_name` returns it. Upper and lower case are the same name."""
    address: Address
    endpoint: Endpoint
    username: str
    auth: Auth
    provider: str | None
    """Id in the catalogue."""
    path: str | None
    """Id of the access path in the catalogue."""
    sender: Address | None
    """The address in From, where it differs from `address`."""
    sender_name: str
    company_name: str
    """What 'Update Company Email' told the application; '' where nothing was told."""
    reply_to: Address | None
    update_company: bool
    scope: Scope
    store: StoreRef | None
    """None for a server that wants no sign-in."""
    allow_cleartext: bool
    """The person said yes to a password over a line without encryption."""
    ehlo_name: str
    """'' for the computer's own."""
    ca_file: str | None
    """A company's own certificate authority."""
    sandbox: str | None
    """The scenario, where this is practice and no real mailbox."""
    created: datetime
    """Aware."""
    login: Login | None = None
    """For an account that signs in in the browser and stays signed in."""
    id: str = field(default="", compare=False)
    """What is learnt of the account is kept under this, whatever it is named. The book gives it one."""
    last: LastResult | None = field(default=None, compare=False)
    """How its last check came out. Not saved with it."""

    def to_json(self) -> dict[str, Any]:
        """Return the account as `from_json` takes it."""
        return {
            "name": self.name,
            "address": str(self.address),
            "endpoint": {
                "host": self.endpoint.host,
                "port": self.endpoint.port,
                "security": self.endpoint.security.value,
            },
            "username": self.username,
            "auth": self.auth.value,
            "provider": self.provider,
            "path": self.path,
            "sender": _maybe_str(self.sender),
            "sender_name": self.sender_name,
            "company_name": self.company_name,
            "reply_to": _maybe_str(self.reply_to),
            "update_company": self.update_company,
            "scope": self.scope.value,
            "store": None if self.store is None else {"kind": self.store.kind.value, "where": self.store.where},
            "allow_cleartext": self.allow_cleartext,
            "ehlo_name": self.ehlo_name,
            "ca_file": self.ca_file,
            "sandbox": self.sandbox,
            "created": _written(self.created),
            "login": None if self.login is None else _login_to_json(self.login),
            "id": self.id,
        }

    @classmethod
    def from_json(cls, value: object) -> Self:
        """Take one account as it stands in the file. Raises `AccountsError` for anything unknown, missing or odd."""
        names = [field.name for field in dataclasses.fields(cls)]
        fields = _Fields(value, "account", names, may_lack=("login", "last", "id"))
        return cls(
            name=fields.name("name"),
            address=fields.address("address"),
            endpoint=_endpoint_from_json(fields.raw("endpoint")),
            username=fields.text("username"),
            auth=fields.choice("auth", Auth),
            provider=fields.maybe_text("provider"),
            path=fields.maybe_text("path"),
            sender=fields.maybe_address("sender"),
            sender_name=fields.text("sender_name"),
            company_name=fields.text("company_name"),
            reply_to=fields.maybe_address("reply_to"),
            update_company=fields.flag("update_company"),
            scope=fields.choice("scope", Scope),
            store=_store_from_json(fields.raw("store")),
            allow_cleartext=fields.flag("allow_cleartext"),
            ehlo_name=fields.text("ehlo_name"),
            ca_file=fields.maybe_text("ca_file"),
            sandbox=fields.maybe_text("sandbox"),
            created=fields.moment("created"),
            login=_login_from_json(fields.raw("login")),
            id=fields.id("id"),
            last=_last_from_json(fields.raw("last")),
        )


def parse_name(text: str) -> str:
    """Take a name for an account as typed; return it without blanks around it, runs of blanks made one.

    Raises `AccountNameError` with one sentence. A '/' is refused because it parts account and kind in a keyring.
    """
    name = unicodedata.normalize("NFC", " ".join(text.split()))
    if not name:
        raise AccountNameError("Give the account a name, for example 'Office'.")
    if len(name) > NAME_LIMIT:
        raise AccountNameError(f"A name has at most {NAME_LIMIT} letters; this one has {len(name)}.")
    if "/" in name:
        raise AccountNameError("A name has no slash (/) in it.")
    if shown(name, NAME_LIMIT) != name:
        raise AccountNameError("That name has a character in it that cannot be seen; please type it by hand.")
    return name


Leaving = Callable[[Account], None]
"""Told of an account as it stands in the file, just before the file is written without it or with another in its place.
What it raises stops the writing."""

_Accounts = list[Account]
"""Has a name because `AccountBook.list` hides the built-in one inside the class."""


class AccountBook:
    """The saved accounts of one config folder. Built once at the front door and handed down."""

    def __init__(self, folder: Path, *, lock_limit: float = 5.0) -> None:
        """`folder`: see `paths.config_dir`. `lock_limit`: seconds to wait for another process that is saving."""
        self._folder = folder
        self._file = folder / FILE_NAME
        self._lock_limit = lock_limit
        self.state = State(folder, lock_limit=lock_limit)
        """What was learnt of the accounts, by their ids."""
        self._last_read: tuple[bytes, tuple[Account, ...]] | None = None
        """What stood in the file, and what was made of it: a file that is as before is not taken apart again."""

    def list(self) -> tuple[Account, ...]:
        """Return all accounts, sorted by name, with what was learnt of each. Writes nothing. Raises `StoreTrouble`."""
        return self._with_state(sorted(self._read(), key=lambda account: _key(account.name)))

    def get(self, name: str) -> Account:
        """Return the account of that name, in upper or lower case. Raises `NoSuchAccount`, `StoreTrouble`."""
        return self.get_all((name,))[0]

    def get_all(self, names: Iterable[str]) -> tuple[Account, ...]:
        """Return the accounts of those names, each once, in one look at the file. Raises as `get`."""
        accounts = self._read()
        by_key = {_key(account.name): account for account in accounts}
        wanted = {_key(name): name for name in names}
        for key, name in wanted.items():
            if key not in by_key:
                raise NoSuchAccount(name, _suggestion(accounts, name))
        return self._with_state([by_key[key] for key in wanted])

    def now(self, account: Account) -> Account:
        """Return an account as it is saved now, under whatever name. Raises `NoSuchAccount`, `StoreTrouble`."""
        accounts = self._read()
        same = (other for other in accounts if account.id and other.id == account.id)
        return next(same, None) or accounts[_place(accounts, account.name)]

    def stores(self) -> frozenset[StoreRef]:
        """Return where all accounts have their secrets. Raises `StoreTrouble`."""
        return frozenset(account.store for account in self._read() if account.store is not None)

    def variables(self) -> tuple[str, ...]:
        """Return the names of the variables in which accounts have their secrets, as far as the file can be read."""
        try:
            return tuple(ref.where for ref in self.stores() if ref.kind is StoreKind.ENV)
        except StoreTrouble:
            return ()

    def suggest(self, name: str) -> str | None:
        """Return the name of an account that is much like `name`, or None. Raises `StoreTrouble`."""
        return _suggestion(self._read(), name)

    def free_name(self, wanted: str) -> str:
        """Return `wanted` made into a name that no account has yet: 'Office', 'Office 2'. Raises `StoreTrouble`."""
        taken = {_key(account.name) for account in self._read()}
        base = fit_name(wanted)
        name, number = base, 1
        while _key(name) in taken:
            number += 1
            ending = f" {number}"
            name = base[: NAME_LIMIT - len(ending)].rstrip() + ending
        return name

    def displaced_by(self, account: Account) -> Account | None:
        """Return the other account for all mail that saving `account` displaces, or None. Raises `StoreTrouble`."""
        return _displaced(self._read(), account)

    def put(
        self,
        account: Account,
        *,
        replacing: bool = False,
        displacing: bool = False,
        leaving: Leaving = lambda _: None,
    ) -> Account | None:
        """Save an account; return the one that it replaced, whose secret may be kept elsewhere.

        `replacing`: one of the same name may be replaced (else `NameTaken`). `displacing`: another account for all
        mail becomes one for general mail in the same write (else `Displaces`). `leaving` is told of the one that is
        replaced. Raises `StoreTrouble`, and `AccountsError` for an account that could not be read back.
        """
        with self._changing() as accounts:
            same = [other for other in accounts if _key(other.name) == _key(account.name)]
            if same and not replacing:
                raise NameTaken(same[0].name)
            accounts[:] = [other for other in accounts if other not in same]
            _enter(accounts, _with_id(account, accounts, new_id()), displacing=displacing)
            for replaced in same:
                leaving(replaced)
        return same[0] if same else None

    def remove(self, name: str, *, leaving: Leaving = lambda _: None) -> Account:
        """Forget an account and return it, so that its secret can be deleted too. Raises as `get` does.

        `leaving` is told of it.
        """
        with self._changing() as accounts:
            removed = accounts.pop(_place(accounts, name))
            leaving(removed)
        return removed

    def change(
        self, name: str, changed: Account, *, displacing: bool = False, leaving: Leaving = lambda _: None
    ) -> Account:
        """Put another account in place of the one of that name, under its own, perhaps new, name; return the old one.

        `leaving` is told of the old one. Raises as `get` and `put` do; `NameTaken` where the new name belongs to a
        third account.
        """
        return self._swapped(name, lambda _: changed, displacing=displacing, leaving=leaving)[0]

    def alter(
        self,
        name: str,
        work: Callable[[Account], Account],
        *,
        displacing: bool = False,
        leaving: Leaving = lambda _: None,
    ) -> Account:
        """Change an account into what `work` makes of it, as it stands in the file now; return the new one.

        So nothing is lost that another process has changed in it. What `work` raises stops the writing. Otherwise as
        `change`.
        """
        _, changed = self._swapped(name, work, displacing=displacing, leaving=leaving)
        return self._with_state([changed])[0]

    def _swapped(
        self, name: str, work: Callable[[Account], Account], *, displacing: bool, leaving: Leaving
    ) -> tuple[Account, Account]:
        """Return the old account and the new one."""
        with self._changing() as accounts:
            old = accounts.pop(_place(accounts, name))
            changed = work(old)
            taken = [other for other in accounts if _key(other.name) == _key(changed.name)]
            if taken:
                raise NameTaken(taken[0].name)
            changed = _with_id(changed, accounts, old.id)
            _enter(accounts, changed, displacing=displacing)
            leaving(old)
        return old, changed

    @contextmanager
    def _changing(self) -> Iterator[_Accounts]:
        """Read, let the caller change the list, write: all under the lock. An exception inside writes nothing."""
        import filelock

        try:
            with filelock.FileLock(private_files.lock_of(self._file), timeout=self._lock_limit, mode=0o600):
                before = self._read()
                accounts = [*before]
                yield accounts
                private_files.sweep_scratch(self._file)
                private_files.write_private(self._file, _file_bytes(accounts))
                self._told(before, accounts)
        except filelock.Timeout:
            raise StoreTrouble(
                f"Another smtp-wizard has been saving accounts for more than {self._lock_limit:g} seconds; "
                "nothing was saved, please try again."
            ) from None
        except private_files.UnsafeFile as problem:
            raise StoreTrouble(f"Nothing was saved. {problem}") from None
        except OSError as problem:
            raise StoreTrouble(
                f"The accounts could not be saved in {_shown(self._file)}: {_why(problem)}; nothing there was changed."
            ) from None

    def _told(self, before: _Accounts, after: _Accounts) -> None:
        """Let the state follow: what was removed leaves nothing behind, and results leave the file for the state."""
        saved = {account.id for account in after}
        self.state.results.carry_over({each.id: each.last for each in before if each.last and each.id in saved})
        for account in before:
            if account.id not in saved:
                self.state.forget(account.id)
        self.state.tidy(saved, datetime.now(UTC))

    def _with_state(self, accounts: Sequence[Account]) -> tuple[Account, ...]:
        """Return accounts with their last results and renewals, in one look at the state for all of them."""
        ids = [account.id for account in accounts]
        lasts = self.state.results.lasts(ids)
        logins = self.state.logins.latest([account.id for account in accounts if account.login])
        return tuple(
            replace(each, last=lasts.get(each.id, each.last), login=_newer(each.login, logins.get(each.id)))
            if each.id in lasts or each.id in logins
            else each
            for each in accounts
        )

    def _read(self) -> _Accounts:
        try:
            data = private_files.read_private(self._file, LARGEST)
        except FileNotFoundError:
            return []
        except private_files.UnsafeFile as problem:
            raise StoreTrouble(str(problem)) from None
        except OSError as problem:
            raise StoreTrouble(
                f"The saved accounts in {_shown(self._file)} could not be read: {_why(problem)}."
            ) from None
        try:
            if self._last_read is None or self._last_read[0] != data:
                self._last_read = data, tuple(_accounts_from_bytes(data))
            return [*self._last_read[1]]
        except _NewerFile:
            raise StoreTrouble(
                f"The saved accounts in {_shown(self._file)} were written by a newer smtp-wizard; "
                "please update this one (the file was left as it is)."
            ) from None
        except AccountsError as problem:
            raise StoreTrouble(
                f"The file {_shown(self._file)} is damaged ({problem}); it was left as it is: "
                "mend it, or move it away to begin anew."
            ) from None


class _NewerFile(AccountsError):
    """The file's version is one that this program does not know."""


def _accounts_from_bytes(data: bytes) -> list[Account]:
    """Read the whole file. Raises `_NewerFile` or `AccountsError` with what is wrong, in a few words."""
    try:
        document = json.loads(data.decode("utf-8"), object_pairs_hook=_no_duplicates)
    except (ValueError, RecursionError):
        raise AccountsError("it is not complete JSON text") from None
    if isinstance(document, dict) and _is_newer(document.get("version")):
        raise _NewerFile
    fields = _Fields(document, "file", ("schema", "version", "accounts"))
    version = fields.raw("version")
    if type(version) is not int or version not in FILE_SCHEMAS or fields.raw("schema") != FILE_SCHEMAS[version]:
        raise AccountsError("it does not say that it is a file of accounts")
    listed = fields.raw("accounts")
    if not isinstance(listed, list):
        raise AccountsError("'accounts' is not a list")
    accounts = [Account.from_json(entry) for entry in listed]
    if len({_key(account.name) for account in accounts}) != len(accounts):
        raise AccountsError("two accounts have the same name")
    return _with_ids(accounts)


def new_id() -> str:
    """Return an id for a new account. It tells nothing of it."""
    return secrets.token_hex(8)


def _with_id(account: Account, others: Sequence[Account], id: str) -> Account:
    """Return an account with its own id, or with `id` where it has none, or another's: it is a copy of that one."""
    own = account.id and account.id not in {other.id for other in others}
    return account if own else replace(account, id=id)


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
    return hashlib.blake2b(_key(text).encode(), digest_size=8, person=b"smtp-wizard").hexdigest()


def _file_bytes(accounts: Sequence[Account]) -> bytes:
    document = {
        "schema": FILE_SCHEMAS[FILE_VERSION],
        "version": FILE_VERSION,
        "accounts": [account.to_json() for account in sorted(accounts, key=lambda account: _key(account.name))],
    }
    return (json.dumps(document, ensure_ascii=False, indent=2) + "\n").encode("utf-8")


def _is_newer(version: object) -> bool:
    return isinstance(version, int) and not isinstance(version, bool) and version > FILE_VERSION


def _no_duplicates(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a key stands twice")
    return found


def _key(name: str) -> str:
    """What two names have in common when they are the same name to a person."""
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", name.strip()).casefold())


def _place(accounts: Sequence[Account], name: str) -> int:
    for place, account in enumerate(accounts):
        if _key(account.name) == _key(name):
            return place
    raise NoSuchAccount(name, _suggestion(accounts, name))


def _suggestion(accounts: Sequence[Account], name: str) -> str | None:
    import difflib

    by_key = {_key(account.name): account.name for account in accounts}
    close = difflib.get_close_matches(_key(name)[:NAME_LIMIT], by_key, n=1, cutoff=_SUGGEST_FROM)
    return by_key[close[0]] if close else None


def _enter(accounts: list[Account], account: Account, *, displacing: bool) -> None:
    """Put an account among the others. Raises `Displaces`, and `AccountsError` for one that could not be read back."""
    if Account.from_json(account.to_json()) != account:
        raise AccountsError(f"The account '{shown(account.name, NAME_LIMIT)}' cannot be saved as it is.")
    displaced = _displaced(accounts, account)
    if displaced is not None:
        if not displacing:
            raise Displaces(displaced)
        accounts[accounts.index(displaced)] = replace(displaced, scope=Scope.GENERAL)
    accounts.append(account)


def _displaced(accounts: Sequence[Account], account: Account) -> Account | None:
    if account.scope is not Scope.ALL:
        return None
    others = (other for other in accounts if _key(other.name) != _key(account.name))
    return next((other for other in others if other.scope is Scope.ALL), None)


def fit_name(wanted: str) -> str:
    """Make a name out of any text: what a name cannot have becomes a blank."""
    kept = "".join(" " if ch == "/" or shown(ch) != ch else ch for ch in unicodedata.normalize("NFC", wanted))
    return " ".join(kept.split())[:NAME_LIMIT].rstrip() or "Account"


def saved_address(text: str) -> Address:
    """Return an address that was parsed before it was saved; email-validator need not be loaded for it again.

    Raises `InputError` for what no address says.
    """
    local, at, domain = text.rpartition("@")
    if not (local and at and domain) or has_control(text) or any(ch.isspace() or ch in "<>" for ch in domain):
        raise AddressError("not an address")
    ascii_host(domain)  # what cannot be written for the DNS would be found out in the middle of a check
    return Address(local, domain)


class _Fields:
    """One JSON object, read strictly: every expected key is there, and no other."""

    def __init__(self, value: object, what: str, keys: Sequence[str], may_lack: Sequence[str] = ()) -> None:
        """`may_lack`: keys that are younger than the file's form; where they are missing they are null."""
        if not isinstance(value, dict):
            raise AccountsError(f"an entry for {what} is no object")
        value = {**dict.fromkeys(may_lack), **value}
        missing = [key for key in keys if key not in value]
        unknown = [key for key in value if key not in keys]
        if missing:
            raise AccountsError(f"'{missing[0]}' is missing in an entry for {what}")
        if unknown:
            raise AccountsError(f"'{shown(str(unknown[0]), 40)}' is unknown in an entry for {what}")
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
        raise AccountsError(f"'{key}' is not as it must be")


def _endpoint_from_json(value: object) -> Endpoint:
    fields = _Fields(value, "server", ("host", "port", "security"))
    host, port = fields.text("host"), fields.whole("port")
    try:
        good = parse_host(host) == host and 1 <= port <= 65535
    except InputError:
        good = False
    if not good:
        raise AccountsError("a server is not as it must be")
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


def _newer(saved: Login | None, learnt: Login | None) -> Login | None:
    """Return what is known of a sign-in: as it was saved, or as it was renewed since."""
    if saved is None or learnt is None or (learnt.client_id, learnt.granted) != (saved.client_id, saved.granted):
        return saved
    return learnt if learnt.renewed >= saved.renewed else saved


def _maybe_str(address: Address | None) -> str | None:
    return None if address is None else str(address)


def _written(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat().replace("+00:00", "Z")


def _shown(path: Path) -> str:
    return shown(str(path), 200)


def _why(problem: OSError) -> str:
    return shown(problem.strerror or type(problem).__name__, 100)
