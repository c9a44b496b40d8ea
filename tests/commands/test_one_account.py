"""One account's fault is its own: whatever stands in it, the others are tested, and its own result says what it is."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from smtp_wizard.engine.accounts.saved_accounts import FILE_NAME, SavedAccounts
from smtp_wizard.engine.secrets import vault, vault_format
from smtp_wizard.engine.secrets.store_kinds import StoreKind, StoreRef
from tests.support.cli import Ran, run
from tests.support.everycommand import make_config

Change = Callable[[dict[str, Any]], object]


@pytest.fixture(autouse=True)
def a_cheap_vault(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(vault, "USUAL", vault_format.Cost(n=2**4))


@pytest.fixture
def folder(own_home: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Two accounts, whose passwords stand in a variable; their server is not there."""
    monkeypatch.setenv("PW", "correct horse")
    folder = own_home / "config"
    make_config(folder)
    for account in SavedAccounts(folder).list():
        change(folder, account.name, lambda entry: entry.update(store={"kind": "env", "where": "PW"}))
    return folder


def change(folder: Path, name: str, how: Change) -> None:
    """Change an account by hand, as in an editor."""
    file = folder / FILE_NAME
    document = json.loads(file.read_bytes())
    how(next(entry for entry in document["accounts"] if entry["name"] == name))
    file.write_text(json.dumps(document))


def all_results(*more: str) -> dict[str, dict[str, Any]]:
    """Test all; return each result by its account."""
    os.environ["PW"] = "correct horse"  # the run before has taken it out
    ran = run("test", "--all", "--json", *more)
    assert ran.code in (1, 3), ran
    assert ran.document["schema"] == "smtp-wizard/test/1", ran.document
    return {result["account"]: result for result in ran.document["results"]}


def findings(result: dict[str, Any]) -> list[str]:
    return [finding["code"] for finding in result["findings"]]


def failed_at(result: dict[str, Any]) -> list[str]:
    return [stage["stage"] for stage in result["stages"] if stage["verdict"] == "fail"]


def store(kind: str, where: str) -> Change:
    return lambda entry: entry.update(store={"kind": kind, "where": where})


REFERENCES: dict[str, tuple[Change, str, str]] = {
    "quotes that do not close": (store("command", "pass show 'mail"), "secret-unreadable", "a quotation mark is open"),
    "no command": (store("command", ""), "secret-unreadable", "No command is named"),
    "blanks for a command": (store("command", "   "), "secret-unreadable", "No command is named"),
    "an empty word for a command": (store("command", "'' x"), "secret-unreadable", "No command is named"),
    "a comment for a command": (store("command", "# pass"), "secret-unreadable", "could not be run"),
    "a command that is not there": (store("command", "no-such-program x"), "secret-unreadable", "could not be run"),
    "a folder for a command": (store("command", "/"), "secret-unreadable", "could not be run"),
    "a home folder of nobody": (store("command", "~nobody-here/x"), "secret-unreadable", "could not be run"),
    "no file": (store("file", ""), "secret-unreadable", "is no file"),
    "a file that is gone": (store("file", "/nowhere/secret"), "secret-missing", "is not there"),
    "a credential": (store("file", "$CREDENTIALS_DIRECTORY/x"), "secret-unreadable", "CREDENTIALS_DIRECTORY"),
    "a device": (store("file", "/dev/zero"), "secret-unreadable", "is no file"),
    "a name that is too long": (store("file", "/" + "x" * 5000), "secret-unreadable", "could not be read"),
    "no variable": (store("env", ""), "secret-unset", "is not set"),
    "a variable that none can be": (store("env", "A=B"), "secret-unset", "is not set"),
    "a vault that is not there": (store("vault", "Office/password"), "secret-absent", "vault"),
    "an entry of no vault": (store("vault", ""), "secret-absent", "vault"),
    "nowhere": (store("session", ""), "secret-ask", "not kept"),
    "nothing": (lambda entry: entry.update(store=None), "secret-ask", "not kept"),
}


@pytest.mark.parametrize(("how", "code", "words"), REFERENCES.values(), ids=REFERENCES.keys())
def test_a_reference_that_is_of_no_use_stops_no_other_account(folder: Path, how: Change, code: str, words: str) -> None:
    change(folder, "Office", how)
    results = all_results()
    assert findings(results["Office"]) == [code]
    assert words in results["Office"]["findings"][0]["explanation"]
    assert failed_at(results["Shop"]) == ["connect"]


def set_to(**fields: object) -> Change:
    return lambda entry: entry.update(fields)


OTHERS: dict[str, tuple[Change, str]] = {
    "an authority that is gone": (set_to(ca_file="/nowhere/ca.pem"), ""),
    "an authority without a name": (set_to(ca_file=""), ""),
    "an authority that is a device": (set_to(ca_file="/dev/zero"), ""),
    "a provider that is gone": (set_to(provider="no-such-provider"), ""),
    "a way in that is gone": (set_to(path="no-such-path"), ""),
    "an exercise that is gone": (set_to(sandbox="no-such-exercise"), "not-testable"),
    "a name to introduce oneself by that is none": (set_to(ehlo_name="two words"), ""),
    "one in other letters": (set_to(ehlo_name="\u2603"), ""),
    "no user name": (set_to(username=""), ""),
    "a user name in other letters": (set_to(username="\u0430\u043d\u044f"), ""),
    "a sign-in in the browser without one": (set_to(auth="xoauth2"), ""),
    "the same of a provider that is gone": (set_to(auth="xoauth2", provider="no-such-provider"), ""),
}


@pytest.mark.parametrize(("how", "code"), OTHERS.values(), ids=OTHERS.keys())
def test_a_setting_that_is_of_no_use_stops_no_other_account(folder: Path, how: Change, code: str) -> None:
    change(folder, "Office", how)
    results = all_results()
    assert findings(results["Office"])
    assert not code or findings(results["Office"]) == [code]
    assert "bug" not in findings(results["Office"])
    assert failed_at(results["Shop"]) == ["connect"]


ODD = ("", " ", "/", "'", "\u2603", "a" * 3000, "-", "$HOME")


@pytest.mark.parametrize(
    "field",
    [
        *("username", "provider", "path", "sender_name", "company_name", "ehlo_name", "ca_file", "sandbox"),
        *("command", "file", "env", "vault", "session"),
    ],
)
def test_whatever_stands_in_a_field_the_other_account_has_its_result(folder: Path, field: str) -> None:
    for value in ODD:
        how = store(field, value) if field in {*StoreKind} else set_to(**{field: value})
        change(folder, "Office", how)
        results = all_results("--depth", "send", "--to", "bob@elsewhere.example")
        assert "bug" not in findings(results["Office"]), value
        assert failed_at(results["Shop"]) == ["connect"], value


def test_a_vault_that_stays_shut_stops_no_account_that_does_not_need_it(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RIGHT", "four words of no sense")
    monkeypatch.setenv("WRONG", "five words of no sense")
    kept = ("accounts", "edit", "Office", "--store", "vault", "--password-stdin", "--passphrase-env", "RIGHT")
    run(*kept, stdin="correct horse")
    assert (folder / "vault.json").exists()
    change(folder, "Office", store("vault", "Office/password"))
    results = all_results("--passphrase-env", "WRONG")
    assert findings(results["Office"]) == ["secret-wrong"]
    assert failed_at(results["Shop"]) == ["connect"]


def test_a_fault_of_our_own_in_one_account_is_its_own_too(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is said as one, and the exit code is that of a fault."""
    from smtp_wizard.engine.services.checks import Checks

    right = Checks.check_account

    async def wrong(self: Checks, account: Any, *arguments: Any, **options: Any) -> Any:
        if account.name == "Office":
            raise LookupError("correct horse")
        return await right(self, account, *arguments, **options)

    monkeypatch.setattr(Checks, "check_account", wrong)
    ran: Ran = run("test", "--all", "--json")
    assert ran.code == 70
    results = {result["account"]: result for result in ran.document["results"]}
    assert findings(results["Office"]) == ["bug"]
    assert "correct horse" not in ran.out + ran.err
    assert failed_at(results["Shop"]) == ["connect"]


def test_one_account_alone_is_told_as_before(folder: Path) -> None:
    change(folder, "Office", store("command", "pass 'x"))
    ran = run("test", "Office", "--json")
    assert (ran.code, ran.error["code"]) == (3, "secret-unreadable")
    assert SavedAccounts(folder).get("Office").store == StoreRef(StoreKind.COMMAND, "pass 'x")
    assert "a quotation mark is open" in ran.error["message"]
    assert run("doctor").code in (0, 1)
