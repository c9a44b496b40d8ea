"""An account in the file that cannot be understood: it is refused alone, told, and kept as it stands there."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smtp_wizard.engine.accounts.account import Account
from smtp_wizard.engine.accounts.account_file import (
    FILE_SCHEMAS,
    FILE_VERSION,
    account_to_json,
    contents_from_bytes,
    contents_to_bytes,
)
from smtp_wizard.engine.accounts.saved_accounts import (
    FILE_NAME,
    MOST_TOLD,
    AccountFileError,
    NameTaken,
    NoSuchAccount,
    SavedAccounts,
    UnreadAccount,
)
from smtp_wizard.engine.base.address import Address
from smtp_wizard.engine.base.connection import Connection
from smtp_wizard.engine.base.endpoint import Endpoint, Security
from smtp_wizard.engine.base.identity import Identity, Scope
from smtp_wizard.engine.base.shown import shown
from smtp_wizard.engine.base.stages import Depth, Stage, Verdict
from smtp_wizard.engine.secrets.store_kinds import StoreKind, StoreRef
from smtp_wizard.engine.state.results import LastResult, Result

WHEN = datetime(2026, 11, 23, 9, 30, tzinfo=UTC)
GOOD_SERVER = {"host": "smtp.example.test", "port": 587, "security": "starttls"}


def account(name: str = "Office") -> Account:
    return Account(
        name=shown(name),
        address=Address("ana", "example.test"),
        connection=Connection(endpoint=Endpoint("smtp.example.test", 587, Security.STARTTLS), username="ana"),
        identity=Identity(sender_name="Ana"),
        scope=Scope.GENERAL,
        store=StoreRef(StoreKind.ENV, f"{name.upper()}_PASSWORD"),
        created=WHEN,
    )


def entry(called: str = "Bad", /, **changes: object) -> dict[str, Any]:
    """An account as it stands in the file, with some values that are other ones."""
    return {**account_to_json(account(called)), "id": "", **changes}


ODD: dict[str, tuple[object, str]] = {
    "no object": ("Office", "'accounts[1]' must be an object, not text"),
    "a name with a slash": (entry(name="a/b"), "'accounts[1].name' must be the name of an account"),
    "a name with blanks around": (entry(name=" Bad"), "'accounts[1].name' must be the name of an account"),
    "a name that is none": (entry(name=None), "'accounts[1].name' must be text, not null"),
    "an address without @": (entry(address="ana"), "'accounts[1].address' must be an e-mail address"),
    "an address with a line end": (
        entry(address="ana@example.test\r\nDATA"),
        "'accounts[1].address' has a character in it that cannot be seen",
    ),
    "an address with a blank": (entry(address="ana@example .test"), "'accounts[1].address' must be an e-mail address"),
    "a sender that is none": (entry(sender="ana"), "'accounts[1].sender' must be an e-mail address"),
    "a line end in the EHLO name": (
        entry(ehlo_name="host\r\nRSET"),
        "'accounts[1].ehlo_name' has a character in it that cannot be seen",
    ),
    "half a character": (
        entry(sender_name="\ud800"),
        "'accounts[1].sender_name' has a character in it that cannot be seen",
    ),
    "a server that is text": (
        entry(endpoint="smtp.example.test:587"),
        "'accounts[1].endpoint' must be an object, not text",
    ),
    "a host with a line end": (
        entry(endpoint={**GOOD_SERVER, "host": "smtp\r\n.example.test"}),
        "'accounts[1].endpoint.host' has a character in it that cannot be seen",
    ),
    "a host that is a web address": (
        entry(endpoint={**GOOD_SERVER, "host": "http://example.test"}),
        "'accounts[1].endpoint.host' must be a server's name",
    ),
    "a host in capitals": (
        entry(endpoint={**GOOD_SERVER, "host": "SMTP.example.test"}),
        "'accounts[1].endpoint.host' must be a server's name",
    ),
    "port true": (
        entry(endpoint={**GOOD_SERVER, "port": True}),
        "'accounts[1].endpoint.port' must be a whole number, not true or false",
    ),
    "port 65536": (
        entry(endpoint={**GOOD_SERVER, "port": 65536}),
        "'accounts[1].endpoint.port' must be from 1 to 65535",
    ),
    "unknown security": (
        entry(endpoint={**GOOD_SERVER, "security": "ssl3"}),
        "'accounts[1].endpoint.security' must be one of: tls, starttls, none",
    ),
    "a flag that is a number": (
        entry(update_company=1),
        "'accounts[1].update_company' must be true or false, not a number",
    ),
    "an unknown store": (
        entry(store={"kind": "note-on-the-screen", "where": "x"}),
        "'accounts[1].store.kind' must be one of: keyring, vault, command, file, env, session",
    ),
    "a store with a secret": (
        entry(store={"kind": "env", "where": "X", "secret": "hunter2"}),
        "'accounts[1].store.secret' is unknown",
    ),
    "a time without a zone": (
        entry(created="2026-11-23T09:30:00"),
        "'accounts[1].created' must be a time in UTC such as 2026-11-24T06:30:00Z",
    ),
    "a time before all others": (
        entry(created="0001-01-01T00:00:00+14:00"),
        "'accounts[1].created' must be a time in UTC such as 2026-11-24T06:30:00Z",
    ),
    "an id that is none": (entry(id="Office"), "'accounts[1].id' must be an id"),
    "a key more": (entry(password="hunter2"), "'accounts[1].password' is unknown"),
    "an unknown stage": (
        entry(last={"at": "2026-11-23T09:30:00Z", "depth": "login", "verdict": "fail", "stage": "hello", "code": ""}),
        f"'accounts[1].last.stage' must be one of: {', '.join(Stage)}",
    ),
}
"""What is odd, and how it is said."""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "config"
    folder.mkdir(mode=0o700)
    return folder


def write(folder: Path, *entries: object) -> SavedAccounts:
    """Write a file with these accounts."""
    document = {"schema": FILE_SCHEMAS[FILE_VERSION], "version": FILE_VERSION, "accounts": list(entries)}
    (folder / FILE_NAME).write_text(json.dumps(document))
    return SavedAccounts(folder, lock_limit=0.2)


def entries_of(folder: Path) -> list[Any]:
    entries: list[Any] = json.loads((folder / FILE_NAME).read_bytes())["accounts"]
    return entries


GOOD = entry("Good", id="0123456789abcdef")


@pytest.mark.parametrize("what", ODD)
def test_one_that_is_odd_is_refused_alone_and_kept(folder: Path, what: str) -> None:
    odd, problem = ODD[what]
    saved_accounts = write(folder, GOOD, odd)
    assert [each.name for each in saved_accounts.list()] == ["Good"]
    (words,) = saved_accounts.unread()
    assert f"({problem}); it was left as it is: mend it there." in words
    assert "hunter2" not in words
    assert words.isprintable()
    saved_accounts.put(account("New"))
    saved_accounts.remove("Good")
    assert [each.name for each in saved_accounts.list()] == ["New"]
    assert entries_of(folder)[1:] == [odd]
    assert len(saved_accounts.unread()) == 1


def test_two_of_one_name_are_both_refused_and_kept(folder: Path) -> None:
    """Nobody can say which of them is meant."""
    saved_accounts = write(folder, entry("Office"), GOOD, entry("OFFICE"))
    assert saved_accounts.holds_any()
    assert [each.name for each in saved_accounts.list()] == ["Good"]
    assert [words.split("(")[1].split(")")[0] for words in saved_accounts.unread()] == [
        "'accounts[0].name' is the name of another account too",
        "'accounts[2].name' is the name of another account too",
    ]
    saved_accounts.remove("Good")
    assert [each["name"] for each in entries_of(folder)] == ["Office", "OFFICE"]


def test_whoever_asks_for_it_by_name_is_told_why(folder: Path) -> None:
    saved_accounts = write(folder, GOOD, entry(auth="magic"))
    attempts: list[Callable[[], object]] = [
        lambda: saved_accounts.get("bad"),
        lambda: saved_accounts.get_all(("Good", "Bad")),
        lambda: saved_accounts.remove("BAD"),
        lambda: saved_accounts.change("Bad", account("Bad")),
        lambda: saved_accounts.now(account("Bad")),
    ]
    for attempt in attempts:
        with pytest.raises(
            UnreadAccount, match=r"^The account 'Bad' in .*accounts.json cannot be used \('accounts\[1\].auth' "
        ):
            attempt()
    with pytest.raises(NoSuchAccount):
        saved_accounts.get("Nobody")
    assert entries_of(folder) == [GOOD, entry(auth="magic")]


def test_its_name_is_not_given_away(folder: Path) -> None:
    """Once it is mended, there would be two of that name."""
    saved_accounts = write(folder, GOOD, entry(auth="magic"))
    assert saved_accounts.free_name("Bad") == "Bad 2"
    for replacing in (False, True):
        with pytest.raises(UnreadAccount):
            saved_accounts.put(account("BAD"), replacing=replacing)
    with pytest.raises(UnreadAccount):
        saved_accounts.change("Good", account("bad"))
    with pytest.raises(NameTaken):
        saved_accounts.put(account("GOOD"))


def test_what_is_learnt_of_it_stays(folder: Path) -> None:
    saved_accounts = write(folder, GOOD, entry(id="fedcba9876543210"))
    passed = LastResult(WHEN, Depth.LOGIN, Verdict.PASS)
    saved_accounts.state.results.record("fedcba9876543210", Result(passed))
    saved_accounts.state.flush()
    bad = write(folder, GOOD, entry(id="fedcba9876543210", auth="magic"))
    bad.put(account("New"))
    bad.state.tidy({each.id for each in bad.list()} | {"fedcba9876543210"}, WHEN + timedelta(days=400))
    bad.state.flush()
    mended = write(folder, GOOD, entry(id="fedcba9876543210"))
    assert mended.get("Bad").last == passed


def test_its_secret_belongs_to_an_account(folder: Path) -> None:
    """What belongs to none may be deleted."""
    in_vault = StoreRef(StoreKind.VAULT, "Bad/password/00")
    saved_accounts = write(folder, GOOD, entry(auth="magic", store={"kind": "vault", "where": "Bad/password/00"}))
    assert saved_accounts.stores() == {StoreRef(StoreKind.ENV, "GOOD_PASSWORD"), in_vault}
    assert write(folder, entry(auth="magic", store=None)).stores() == set()
    for store in ({"kind": "attic", "where": "x"}, "vault"):
        with pytest.raises(AccountFileError, match="'Bad'"):
            write(folder, GOOD, entry(store=store)).stores()
    without = {key: value for key, value in entry().items() if key != "store"}
    with pytest.raises(AccountFileError, match=r"accounts\[1\].store' is missing"):
        write(folder, GOOD, without).stores()


def test_the_variables_are_told_as_far_as_they_can_be(folder: Path) -> None:
    saved_accounts = write(folder, GOOD, entry(auth="magic"), entry("Worse", store=5))
    assert saved_accounts.variables() == ("GOOD_PASSWORD", "BAD_PASSWORD")


def test_each_is_told_once_and_of_many_how_many_more_there_are(folder: Path) -> None:
    saved_accounts = write(folder, GOOD, *(entry(f"Bad {number}", auth="magic") for number in range(MOST_TOLD + 3)))
    assert saved_accounts.problems() == ()  # nothing was read yet
    assert len(saved_accounts.list()) == 1
    told = saved_accounts.problems()
    assert len(told) == MOST_TOLD + 1
    assert told[-1] == "3 more accounts there cannot be used either."
    assert saved_accounts.problems() == ()
    write(folder, GOOD, entry("Bad 0", auth="magic"), entry("Another", auth="magic"))
    assert len(saved_accounts.list()) == 1
    assert [words.split("'")[1] for words in saved_accounts.problems()] == ["Another"]


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


@given(json_values, st.sampled_from(sorted(GOOD)))
def test_whatever_stands_in_an_entry_is_written_back_as_it_was(value: object, key: str) -> None:
    """In a field of an account, and in the place of an account."""
    for odd in (value, {**entry(), key: value}):
        document = {"schema": FILE_SCHEMAS[FILE_VERSION], "version": FILE_VERSION, "accounts": [GOOD, odd]}
        found = contents_from_bytes(json.dumps(document).encode())
        written = contents_to_bytes(found.accounts, found.unread)
        if found.unread:
            assert json.loads(written)["accounts"] == [account_to_json(found.accounts[0]), odd]
        again = contents_from_bytes(written)
        assert (set(again.accounts), len(again.unread)) == (set(found.accounts), len(found.unread))
