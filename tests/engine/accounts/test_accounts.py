"""Accounts are saved whole or not at all, by one writer at a time, and nothing that is not understood is lost."""

from __future__ import annotations

import errno
import json
import os
import stat
import subprocess
import sys
import textwrap
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import filelock
import pytest
from hypothesis import given
from hypothesis import strategies as st

from smtp_wizard.engine.accounts.account import NAME_LIMIT, Account, AccountNameError, AccountsError, parse_name
from smtp_wizard.engine.accounts.account_file import FILE_SCHEMAS, FILE_VERSION, account_from_json, account_to_json
from smtp_wizard.engine.accounts.saved_accounts import (
    FILE_NAME,
    AccountFileError,
    Displaces,
    NameTaken,
    NoSuchAccount,
    SavedAccounts,
)
from smtp_wizard.engine.base import private_files
from smtp_wizard.engine.base.address import Address
from smtp_wizard.engine.base.connection import Auth, Connection
from smtp_wizard.engine.base.endpoint import Endpoint, Security
from smtp_wizard.engine.base.identity import Identity, Scope
from smtp_wizard.engine.base.shown import phrase, shown
from smtp_wizard.engine.base.stages import Depth, Stage, Verdict
from smtp_wizard.engine.base.strict_json import JsonError
from smtp_wizard.engine.secrets.store_kinds import StoreKind, StoreRef
from smtp_wizard.engine.state.results import LastResult, Result
from smtp_wizard.engine.state.sign_in_renewals import SignInRenewal
from tests.support.nouns import with_fields
from tests.support.state import rows_of

WHEN = datetime(2026, 11, 23, 9, 30, 15, 250, tzinfo=UTC)


def account(name: str = "Office", **changes: Any) -> Account:
    """An account as the wizard saves it."""
    plain = Account(
        name=shown(name),
        address=Address("ana", "example.test"),
        connection=Connection(
            endpoint=Endpoint("smtp.example.test", 587, Security.STARTTLS),
            username="ana@example.test",
            auth=Auth.PASSWORD,
            provider="custom",
            path="password",
            allow_cleartext=False,
            ehlo_name="",
            ca_file=None,
            sandbox=None,
        ),
        identity=Identity(sender=None, sender_name="Ana", company_name="", reply_to=None, update_company=False),
        scope=Scope.GENERAL,
        store=StoreRef(StoreKind.KEYRING, f"{name}/password"),
        created=WHEN,
    )
    return with_fields(plain, **changes)


FAILED = LastResult(WHEN + timedelta(days=1), Depth.LOGIN, Verdict.FAIL, Stage.AUTH, "wrong-password")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A config folder that does not exist yet."""
    return tmp_path / "config"


@pytest.fixture
def saved_accounts(folder: Path) -> SavedAccounts:
    return SavedAccounts(folder, lock_limit=0.2)


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


# -- the config folder -------------------------------------------------------------------------------------------------


def test_the_option_wins_over_the_variable(tmp_path: Path) -> None:
    environ = {"SMTP_WIZARD_CONFIG": str(tmp_path / "variable")}
    assert private_files.config_dir(tmp_path / "option", environ) == tmp_path / "option"
    assert private_files.config_dir(None, environ) == tmp_path / "variable"


def test_without_a_choice_the_platform_says_where() -> None:
    found = private_files.config_dir(None, {"SMTP_WIZARD_CONFIG": ""})
    assert found.is_absolute()
    assert found.name == "smtp-wizard"


def test_a_relative_folder_does_not_move_with_the_working_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert private_files.config_dir(Path("here"), {}) == tmp_path / "here"


def test_reading_writes_nothing(saved_accounts: SavedAccounts, folder: Path) -> None:
    assert saved_accounts.list() == ()
    assert saved_accounts.suggest("Office") is None
    assert saved_accounts.free_name("Office") == "Office"
    assert not folder.exists()


# -- saving ------------------------------------------------------------------------------------------------------------


def test_what_is_saved_is_read_back(saved_accounts: SavedAccounts, folder: Path) -> None:
    saved = account(
        sender=Address("shop", "example.test"),
        reply_to=Address("desk", "bücher.test"),
        scope=Scope.ALL,
        sandbox="accept",
        ca_file="/etc/company.pem",
        last=FAILED,
    )
    assert saved_accounts.put(saved) is None
    assert SavedAccounts(folder).get("Office") == saved


def test_accounts_are_listed_by_name_whatever_the_case(saved_accounts: SavedAccounts) -> None:
    for name in ("zoo", "Bakery", "apple"):
        saved_accounts.put(account(name))
    assert [saved.name for saved in saved_accounts.list()] == ["apple", "Bakery", "zoo"]


def test_only_the_owner_can_read_what_is_saved(saved_accounts: SavedAccounts, folder: Path) -> None:
    before = os.umask(0)
    try:
        saved_accounts.put(account())
    finally:
        os.umask(before)
    assert mode(folder) == 0o700
    assert {path.name: mode(path) for path in folder.iterdir()} == {FILE_NAME: 0o600, f"{FILE_NAME}.lock": 0o600}


def test_a_file_that_others_could_read_becomes_private_again(saved_accounts: SavedAccounts, folder: Path) -> None:
    saved_accounts.put(account())
    (folder / FILE_NAME).chmod(0o644)
    saved_accounts.put(account("Second"))
    assert mode(folder / FILE_NAME) == 0o600


def test_a_link_keeps_leading_to_the_file(saved_accounts: SavedAccounts, folder: Path, tmp_path: Path) -> None:
    kept = tmp_path / "kept-elsewhere.json"
    folder.mkdir()
    (folder / FILE_NAME).symlink_to(kept)
    saved_accounts.put(account())
    saved_accounts.put(account("Second"))
    assert (folder / FILE_NAME).is_symlink()
    assert len(json.loads(kept.read_text("utf-8"))["accounts"]) == 2


def test_a_name_is_not_taken_twice_whatever_the_case(saved_accounts: SavedAccounts) -> None:
    saved_accounts.put(account("Office"))
    with pytest.raises(NameTaken, match="already an account named 'Office'"):
        saved_accounts.put(account("OFFICE", username="other"))
    assert saved_accounts.get("office").connection.username == "ana@example.test"


def test_replacing_gives_back_what_was_there(saved_accounts: SavedAccounts) -> None:
    old, new = account("Office"), account("OFFICE", username="other")
    saved_accounts.put(old)
    assert saved_accounts.put(new, replacing=True) == old
    assert saved_accounts.list() == (new,)


def test_removing_gives_back_the_account(saved_accounts: SavedAccounts) -> None:
    saved_accounts.put(account("Office"))
    saved_accounts.put(account("Shop"))
    assert saved_accounts.remove("office").name == "Office"
    assert [saved.name for saved in saved_accounts.list()] == ["Shop"]


def test_the_last_result_is_kept_with_its_account(saved_accounts: SavedAccounts) -> None:
    saved_accounts.put(account("Office"))
    saved_accounts.put(account("Shop"))
    saved_accounts.state.results.record(saved_accounts.get("shop").id, Result(FAILED))
    assert [saved.last for saved in saved_accounts.list()] == [None, FAILED]
    saved_accounts.state.flush()
    assert [saved.last for saved in SavedAccounts(saved_accounts._folder).list()] == [None, FAILED]


def test_an_account_that_could_not_be_read_back_is_not_saved(saved_accounts: SavedAccounts) -> None:
    saved_accounts.put(account())
    for odd in (
        account("a/b"),
        account("Second", created=WHEN.replace(tzinfo=None)),
        account("Second", ehlo_name="host\r\nRSET"),
        account("Second", endpoint=Endpoint("smtp.example.test", 0, Security.TLS)),
        account("Second", sender_name="\ud800"),
    ):
        with pytest.raises(AccountsError):
            saved_accounts.put(odd)
    assert [saved.name for saved in saved_accounts.list()] == ["Office"]


# -- one account for all mail ------------------------------------------------------------------------------------------


def test_a_second_account_for_all_mail_displaces_only_after_asking(saved_accounts: SavedAccounts) -> None:
    saved_accounts.put(account("First", scope=Scope.ALL))
    second = account("Second", scope=Scope.ALL)
    assert saved_accounts.displaced_by(second) == account("First", scope=Scope.ALL)
    with pytest.raises(Displaces) as refused:
        saved_accounts.put(second)
    assert refused.value.other.name == "First"
    assert [saved.name for saved in saved_accounts.list()] == ["First"]

    saved_accounts.put(second, displacing=True)
    assert [(saved.name, saved.scope) for saved in saved_accounts.list()] == [
        ("First", Scope.GENERAL),
        ("Second", Scope.ALL),
    ]


def test_a_changed_account_displaces_only_after_asking(saved_accounts: SavedAccounts) -> None:
    saved_accounts.put(account("First", scope=Scope.ALL))
    saved_accounts.put(account("Second"))
    changed = account("Second", scope=Scope.ALL)
    with pytest.raises(Displaces) as refused:
        saved_accounts.change("Second", changed)
    assert refused.value.other.name == "First"
    assert [saved.scope for saved in saved_accounts.list()] == [Scope.ALL, Scope.GENERAL]

    assert saved_accounts.change("Second", changed, displacing=True) == account("Second")
    assert [(saved.name, saved.scope) for saved in saved_accounts.list()] == [
        ("First", Scope.GENERAL),
        ("Second", Scope.ALL),
    ]


def test_an_account_never_displaces_itself(saved_accounts: SavedAccounts) -> None:
    saved_accounts.put(account("First", scope=Scope.ALL))
    again = account("FIRST", scope=Scope.ALL)
    assert saved_accounts.displaced_by(again) is None
    saved_accounts.put(again, replacing=True)
    assert saved_accounts.list() == (again,)


def test_an_account_for_general_mail_displaces_nobody(saved_accounts: SavedAccounts) -> None:
    saved_accounts.put(account("First", scope=Scope.ALL))
    assert saved_accounts.displaced_by(account("Second")) is None
    saved_accounts.put(account("Second"))
    assert saved_accounts.get("First").scope is Scope.ALL


# -- what is learnt of an account --------------------------------------------------------------------------------------

RELEASED = """{
  "schema": "smtp-wizard/accounts-file/1",
  "version": 1,
  "accounts": [
    {
      "name": "Office",
      "address": "ana@example.test",
      "endpoint": {"host": "smtp.example.test", "port": 587, "security": "starttls"},
      "username": "ana@example.test",
      "auth": "password",
      "provider": "custom",
      "path": "password",
      "sender": null,
      "sender_name": "Ana",
      "company_name": "",
      "reply_to": null,
      "update_company": false,
      "scope": "general",
      "store": {"kind": "keyring", "where": "Office/password"},
      "allow_cleartext": false,
      "ehlo_name": "",
      "ca_file": null,
      "sandbox": null,
      "created": "2026-11-23T09:30:15.000250Z",
      "last": {
        "at": "2026-11-24T09:30:15.000250Z",
        "depth": "login",
        "verdict": "fail",
        "stage": "auth",
        "code": "wrong-password"
      },
      "login": null
    }
  ]
}
"""
"""As version 1 wrote it: with the last result, without an id."""


def test_the_released_file_is_read_with_its_last_results(saved_accounts: SavedAccounts, folder: Path) -> None:
    folder.mkdir()
    (folder / FILE_NAME).write_text(RELEASED, "utf-8")
    (office,) = saved_accounts.list()
    assert (office, office.last) == (account("Office"), FAILED)
    assert saved_accounts.get("Office").id == office.id != ""
    assert (folder / FILE_NAME).read_text("utf-8") == RELEASED, "reading changes nothing"
    assert [each.name for each in folder.iterdir()] == [FILE_NAME]

    newer = LastResult(WHEN + timedelta(days=2), Depth.LOGIN, Verdict.PASS)
    saved_accounts.state.results.record(office.id, Result(newer))
    assert saved_accounts.get("Office").last == newer


def test_its_last_results_are_taken_over_when_it_is_written_anew(saved_accounts: SavedAccounts, folder: Path) -> None:
    folder.mkdir()
    (folder / FILE_NAME).write_text(RELEASED, "utf-8")
    saved_accounts.change("Office", account("Branch"))
    assert saved_accounts.get("Branch").last == FAILED
    assert saved_accounts.state.flush() == ()
    assert "wrong-password" not in (folder / FILE_NAME).read_text("utf-8")
    assert SavedAccounts(folder).get("Branch").last == FAILED
    saved_accounts.change("Branch", account("Office"))
    assert saved_accounts.state.flush() == ()
    assert len(rows_of(folder, "results")) == 1, "once"


def test_the_file_holds_nothing_that_is_learnt(saved_accounts: SavedAccounts, folder: Path) -> None:
    """So a test of an account leaves it alone, however many accounts are in it."""
    saved_accounts.put(account("Office", last=FAILED))
    before = (folder / FILE_NAME).read_bytes()
    saved_accounts.state.results.record(saved_accounts.get("Office").id, Result(FAILED))
    assert saved_accounts.state.flush() == ()
    assert (folder / FILE_NAME).read_bytes() == before
    assert b"wrong-password" not in before


def test_what_is_learnt_follows_a_new_name_and_goes_with_the_account(
    saved_accounts: SavedAccounts, folder: Path
) -> None:
    saved_accounts.put(account("Office"))
    saved_accounts.put(account("Shop"))
    for name in ("Office", "Shop"):
        saved_accounts.state.results.record(saved_accounts.get(name).id, Result(FAILED))
    saved_accounts.change("Office", replace(saved_accounts.get("Office"), name=phrase("Branch")))
    assert saved_accounts.get("Branch").last == FAILED
    saved_accounts.put(account("Office"))
    assert saved_accounts.get("Office").last is None, "a new account of the old name"
    saved_accounts.put(account("Branch", username="other"), replacing=True)
    assert saved_accounts.get("Branch").last is None, "another account in its place"
    saved_accounts.remove("Shop")
    assert saved_accounts.state.flush() == ()
    assert rows_of(folder, "results") == []


def test_a_copy_begins_anew(saved_accounts: SavedAccounts) -> None:
    saved_accounts.put(account("Office"))
    saved_accounts.state.results.record(saved_accounts.get("Office").id, Result(FAILED))
    saved_accounts.put(replace(saved_accounts.get("Office"), name=phrase("Copy")))
    assert saved_accounts.get("Copy").last is None
    assert len({saved.id for saved in saved_accounts.list()}) == 2


def test_ids_that_are_missing_or_stand_twice_are_made_good(saved_accounts: SavedAccounts, folder: Path) -> None:
    """Somebody has written the file by hand, or copied an entry in it."""
    one = {**account_to_json(account("One")), "id": "00000000000000a1"}
    two = {**account_to_json(account("Two")), "id": "00000000000000a1"}
    three = {key: value for key, value in account_to_json(account("Three")).items() if key != "id"}
    folder.mkdir()
    (folder / FILE_NAME).write_bytes(document(one, two, three))
    first: dict[str, str] = {saved.name: saved.id for saved in saved_accounts.list()}
    assert (first["One"], len(set(first.values()))) == ("00000000000000a1", 3)
    saved_accounts.put(account("Four"))
    assert {saved.name: saved.id for saved in saved_accounts.list() if saved.name != "Four"} == first


def test_several_accounts_are_read_in_one_look(saved_accounts: SavedAccounts, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("One", "Two", "Three"):
        saved_accounts.put(account(name))
    looks: list[Path] = []
    read = SavedAccounts._read

    def counted(self: SavedAccounts) -> list[Account]:
        looks.append(self._file)
        return read(self)

    monkeypatch.setattr(SavedAccounts, "_read", counted)
    assert [saved.name for saved in saved_accounts.get_all(["three", "ONE", "Three"])] == ["Three", "One"]
    assert len(looks) == 1


# -- names -------------------------------------------------------------------------------------------------------------


def test_a_name_is_tidied() -> None:
    assert parse_name("  Gmail \t ana  ") == "Gmail ana"
    assert parse_name("Caf\u0065\u0301") == "Caf\u00e9"
    assert parse_name("x" * NAME_LIMIT) == "x" * NAME_LIMIT


@pytest.mark.parametrize("typed", ["", "   ", "x" * (NAME_LIMIT + 1), "a/b", "a\x1b[2Jb", "a\u202eb", "a\u200bb"])
def test_a_name_that_cannot_be_used_is_refused_in_a_sentence(typed: str) -> None:
    with pytest.raises(AccountNameError) as refused:
        parse_name(typed)
    assert str(refused.value).endswith(".")
    assert "\x1b" not in str(refused.value)


def test_an_unknown_name_offers_the_one_that_was_meant(saved_accounts: SavedAccounts) -> None:
    saved_accounts.put(account("Gmail ana"))
    saved_accounts.put(account("Bakery"))
    assert saved_accounts.suggest("gmial ana") == "Gmail ana"
    with pytest.raises(NoSuchAccount, match=r"no account named 'gmial ana'\. Did you mean 'Gmail ana'\?") as missing:
        saved_accounts.get("gmial ana")
    assert missing.value.suggestion == "Gmail ana"
    with pytest.raises(NoSuchAccount, match=r"named 'qqqq'\.$"):
        saved_accounts.remove("qqqq")
    with pytest.raises(NoSuchAccount, match="named 'qqqq'"):
        saved_accounts.get_all(["Bakery", "qqqq"])


def test_an_unknown_name_is_shown_without_what_moves_the_cursor(saved_accounts: SavedAccounts) -> None:
    with pytest.raises(NoSuchAccount) as missing:
        saved_accounts.get("\x1b[2J" + "x" * 1000)
    assert "\x1b" not in str(missing.value)
    assert len(str(missing.value)) < 200


def test_a_free_name_counts_up(saved_accounts: SavedAccounts) -> None:
    saved_accounts.put(account("Gmail ana"))
    assert saved_accounts.free_name("gmail Ana") == "gmail Ana 2"
    saved_accounts.put(account("Gmail ana 2"))
    assert saved_accounts.free_name("Gmail ana") == "Gmail ana 3"
    saved_accounts.put(account("x" * NAME_LIMIT))
    assert saved_accounts.free_name("x" * NAME_LIMIT) == "x" * (NAME_LIMIT - 2) + " 2"


@given(st.text())
def test_a_free_name_is_a_name(wanted: str) -> None:
    name = SavedAccounts(Path("/nonexistent-folder-of-a-test")).free_name(wanted)
    assert parse_name(name) == name


# -- the round trip ----------------------------------------------------------------------------------------------------


def _is_name(text: str) -> bool:
    try:
        return parse_name(text) == text
    except AccountNameError:
        return False


_plain = st.text(st.characters(exclude_categories=["Cc", "Cs"]), max_size=30)
_some = st.text(st.characters(exclude_categories=["Cc", "Cs"]), min_size=1, max_size=30)
_maybe = st.none() | _plain
_hosts = st.sampled_from(["smtp.example.test", "xn--bcher-kva.test", "localhost", "192.0.2.7", "2001:db8::7"])
_addresses = st.builds(Address, _some, st.sampled_from(["example.test", "bücher.test", "mail.example.test"]))
_zones = st.sampled_from([UTC, timezone(timedelta(hours=-7)), timezone(timedelta(hours=5, minutes=45))])
_moments = st.datetimes(datetime(1990, 1, 1), datetime(2200, 1, 1), timezones=_zones)
_names = _some.map(lambda text: " ".join(text.split())).filter(_is_name)
_lasts = st.builds(
    LastResult,
    at=_moments,
    depth=st.sampled_from(Depth),
    verdict=st.sampled_from(Verdict),
    stage=st.none() | st.sampled_from(Stage),
    code=_plain,
)
_connections: st.SearchStrategy[Connection[Endpoint]] = st.builds(
    Connection,
    endpoint=st.builds(Endpoint, _hosts, st.integers(1, 65535), st.sampled_from(Security)),
    username=_plain,
    auth=st.sampled_from(Auth),
    provider=_maybe,
    path=_maybe,
    ca_file=_maybe,
    ehlo_name=_plain,
    allow_cleartext=st.booleans(),
    sandbox=_maybe,
)
_identities = st.builds(
    Identity,
    sender=st.none() | _addresses,
    sender_name=_plain,
    update_company=st.booleans(),
    company_name=_plain,
    reply_to=st.none() | _addresses,
)
_accounts = st.builds(
    Account,
    name=_names,
    address=_addresses,
    connection=_connections,
    identity=_identities,
    scope=st.sampled_from(Scope),
    store=st.none() | st.builds(StoreRef, st.sampled_from(StoreKind), _plain),
    created=_moments,
    last=st.none() | _lasts,
    login=st.none() | st.builds(SignInRenewal, _some, _moments, _moments, st.none() | _moments),
)


@given(_accounts)
def test_any_account_survives_the_file(saved: Account) -> None:
    assert account_from_json(json.loads(json.dumps(account_to_json(saved)))) == saved


YOUNGER = {"id", "last", "login", "tags"}
"""Keys that files of earlier versions lack."""


@given(_accounts)
def test_a_file_of_an_earlier_version_is_read(saved: Account) -> None:
    written = account_to_json(saved)
    assert account_from_json({key: value for key, value in written.items() if key not in YOUNGER}) == replace(
        saved, login=None, tags=()
    )


@given(_accounts, st.data())
def test_a_missing_or_an_unknown_key_is_refused(saved: Account, data: st.DataObject) -> None:
    written = account_to_json(saved)
    missing = data.draw(st.sampled_from(sorted(written.keys() - YOUNGER)))
    with pytest.raises(JsonError, match=f"^'{missing}' is missing$"):
        account_from_json({key: value for key, value in written.items() if key != missing})
    with pytest.raises(JsonError, match=r"^'password' is unknown$"):
        account_from_json({**written, "password": "hunter2"})


# -- files that cannot be understood -----------------------------------------------------------------------------------


def document(*accounts: object, **changes: object) -> bytes:
    """The file as it is written, with changes at its top."""
    return json.dumps(
        {"schema": FILE_SCHEMAS[FILE_VERSION], "version": FILE_VERSION, "accounts": list(accounts), **changes}
    ).encode()


def bent(**changes: object) -> bytes:
    """A file with one account in which some values are other ones."""
    return document({**account_to_json(account()), **changes})


DAMAGED = {
    "empty": b"",
    "cut off": bent()[:-20],
    "not UTF-8": b'{"schema": "\xff"}',
    "another document": b"[]",
    "endless nesting": b"[" * 200_000,
    "a huge number": document(version=0)[:-1] + b', "x": ' + b"9" * 5000 + b"}",
    "another schema": document(schema="smtp-wizard/drafts/1"),
    "no version": b'{"schema": "smtp-wizard/accounts-file/1", "accounts": []}',
    "version as text": document(version="1"),
    "version zero": document(version=0),
    "an unknown key at the top": document(extra=1),
    "accounts no list": document(accounts={}),
    "a key twice": bent().replace(b'"name"', b'"name": "Shop", "name"', 1),
}


@pytest.mark.parametrize("damage", DAMAGED)
def test_a_damaged_file_is_said_and_left_as_it_is(saved_accounts: SavedAccounts, folder: Path, damage: str) -> None:
    folder.mkdir()
    (folder / FILE_NAME).write_bytes(DAMAGED[damage])
    attempts: list[Callable[[], object]] = [
        saved_accounts.list,
        lambda: saved_accounts.put(account("New"), replacing=True, displacing=True),
        lambda: saved_accounts.remove("Office"),
        lambda: saved_accounts.change("Office", account("Office")),
    ]
    for attempt in attempts:
        with pytest.raises(AccountFileError, match=rf"{FILE_NAME} is damaged \(.+\); it was left as it is") as trouble:
            attempt()
        assert "hunter2" not in str(trouble.value)
    assert (folder / FILE_NAME).read_bytes() == DAMAGED[damage]


def test_a_file_of_a_newer_version_is_said_and_left_as_it_is(saved_accounts: SavedAccounts, folder: Path) -> None:
    newer = document(schema="smtp-wizard/accounts-file/3", version=3, folders=[])
    folder.mkdir()
    (folder / FILE_NAME).write_bytes(newer)
    with pytest.raises(AccountFileError, match="newer smtp-wizard"):
        saved_accounts.list()
    with pytest.raises(AccountFileError, match="newer smtp-wizard"):
        saved_accounts.put(account(), replacing=True)
    assert (folder / FILE_NAME).read_bytes() == newer


# -- a disk that does not do what it should ----------------------------------------------------------------------------


@pytest.fixture
def saved_file(saved_accounts: SavedAccounts, folder: Path) -> Iterator[Path]:
    """The file with one account in it; afterwards it must be as it was, alone with its lock."""
    saved_accounts.put(account())
    path = folder / FILE_NAME
    before = path.read_bytes()
    yield path
    assert path.read_bytes() == before
    assert sorted(left.name for left in folder.iterdir()) == [FILE_NAME, f"{FILE_NAME}.lock"]


@pytest.mark.parametrize("call", ["replace", "fsync"])
def test_a_write_that_fails_leaves_the_old_file(
    saved_accounts: SavedAccounts, saved_file: Path, monkeypatch: pytest.MonkeyPatch, call: str
) -> None:
    def fail(*_: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with monkeypatch.context() as patch:
        patch.setattr(os, call, fail)
        with pytest.raises(AccountFileError, match="No space left on device; nothing there was changed") as trouble:
            saved_accounts.put(account("Second"))
    assert str(saved_file) in str(trouble.value)


def test_a_file_that_cannot_grow_leaves_the_old_one(saved_file: Path) -> None:
    """The kernel itself refuses the write (a limit on the size of files, as a quota or a full disk does)."""
    script = """
        import resource, sys
        from dataclasses import replace
        from pathlib import Path
        from smtp_wizard.engine.accounts.saved_accounts import SavedAccounts, AccountFileError
        saved_accounts = SavedAccounts(Path(sys.argv[1]))
        sys.dont_write_bytecode = True  # a compiled module would be cut off
        resource.setrlimit(resource.RLIMIT_FSIZE, (300, 300))
        try:
            saved_accounts.put(replace(saved_accounts.get("Office"), name="Second"))
        except AccountFileError as trouble:
            print(trouble)
    """
    ended = run_python(script, str(saved_file.parent))
    assert "File too large; nothing there was changed." in ended


def test_a_read_only_file_is_respected(saved_accounts: SavedAccounts, saved_file: Path) -> None:
    saved_file.chmod(0o400)
    with pytest.raises(AccountFileError, match="Permission denied"):
        saved_accounts.put(account("Second"))
    assert saved_accounts.list() == (account(),)


def test_a_folder_in_the_files_place_is_said(saved_accounts: SavedAccounts, folder: Path) -> None:
    (folder / FILE_NAME).mkdir(parents=True)
    with pytest.raises(AccountFileError, match="could not be read: Is a directory"):
        saved_accounts.list()
    with pytest.raises(AccountFileError, match="could not be read: Is a directory"):
        saved_accounts.put(account())
    with pytest.raises(IsADirectoryError):
        private_files.write_private(folder / FILE_NAME, b"")


def test_a_file_in_the_folders_place_is_said(tmp_path: Path) -> None:
    (tmp_path / "config").write_text("a file")
    saved_accounts = SavedAccounts(tmp_path / "config")
    with pytest.raises(AccountFileError, match="could not be read"):
        saved_accounts.list()
    with pytest.raises(AccountFileError, match="could not be saved"):
        saved_accounts.put(account())


def test_what_a_killed_writer_left_is_swept_at_the_next_save(saved_accounts: SavedAccounts, folder: Path) -> None:
    saved_accounts.put(account())
    (folder / f".{FILE_NAME}.abcd.scratch").write_bytes(b"half")
    (folder / "notes.txt").write_text("not ours")
    saved_accounts.put(account("Second"))
    assert sorted(left.name for left in folder.iterdir()) == [FILE_NAME, f"{FILE_NAME}.lock", "notes.txt"]


# -- several writers ---------------------------------------------------------------------------------------------------


def test_a_lock_that_is_held_is_said_in_a_sentence(saved_accounts: SavedAccounts, saved_file: Path) -> None:
    with (
        filelock.FileLock(f"{saved_file}.lock"),
        pytest.raises(AccountFileError, match=r"Another smtp-wizard .* more than 0\.2 seconds; nothing was saved"),
    ):
        saved_accounts.put(account("Second"))
    assert saved_accounts.list() == (account(),)


def test_two_writers_lose_nothing(saved_accounts: SavedAccounts, folder: Path) -> None:
    saved_accounts.put(account("Seed"))
    script = textwrap.dedent("""
        import sys
        from dataclasses import replace
        from pathlib import Path
        from smtp_wizard.engine.accounts.saved_accounts import SavedAccounts
        saved_accounts = SavedAccounts(Path(sys.argv[1]), lock_limit=60)
        seed = saved_accounts.get("Seed")
        for number in range(25):
            saved_accounts.put(replace(seed, name=f"{sys.argv[2]} {number}"))
    """)
    writers = [subprocess.Popen([sys.executable, "-c", script, str(folder), name]) for name in ("left", "right")]
    assert [writer.wait(timeout=100) for writer in writers] == [0, 0]
    expected = {"Seed"} | {f"{side} {number}" for side in ("left", "right") for number in range(25)}
    assert {saved.name for saved in saved_accounts.list()} == expected


def run_python(script: str, *args: str) -> str:
    """Run a script in a process of its own; return what it printed."""
    command = [sys.executable, "-c", textwrap.dedent(script), *args]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert ended.returncode == 0, ended.stderr
    return ended.stdout


def test_reading_accounts_loads_nothing_heavy() -> None:
    script = """
        import sys
        from pathlib import Path
        from smtp_wizard.engine.accounts.saved_accounts import SavedAccounts
        from smtp_wizard.engine.base.private_files import config_dir
        SavedAccounts(config_dir(Path("nowhere-at-all"), {})).list()
        print(sorted({"filelock", "platformdirs", "email_validator", "keyring", "idna"} & set(sys.modules)))
    """
    assert run_python(script).strip() == "[]"
