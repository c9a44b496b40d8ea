"""`test --changed`: only what differs from the last such run is told, and remembered once it was."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from smtp_wizard.engine.accounts.account import Account
from smtp_wizard.engine.accounts.saved_accounts import SavedAccounts
from smtp_wizard.engine.secrets.store_kinds import StoreKind, StoreRef
from smtp_wizard.runtime.output import Output, OutputLost
from tests.commands.test_test import PASSWORD, PRACTICE
from tests.support.cli import Ran, checked, run
from tests.support.nouns import with_fields

Save = Callable[..., Account]


@pytest.fixture
def saved_accounts(own_home: Path) -> SavedAccounts:
    return SavedAccounts(own_home / "config")


@pytest.fixture
def save(saved_accounts: SavedAccounts, tmp_path: Path) -> Save:
    """Save an account of the practice server, again to change it; its password stands in a file."""
    secret = tmp_path / "secret"
    secret.touch(0o600)
    secret.write_text(PASSWORD, "utf-8")

    def save(name: str, **changes: object) -> Account:
        changes = {"store": StoreRef(StoreKind.FILE, str(secret)), **changes}
        account = with_fields(PRACTICE, name=name, **changes)
        known: dict[str, str] = {each.name: each.id for each in saved_accounts.list()}
        saved_accounts.put(with_fields(account, id=known.get(name, "")), replacing=True)
        return account

    return save


def changed(*words: str) -> Ran:
    return run("test", "--all", "--changed", *words)


def lines(ran: Ran) -> list[str]:
    return [line.split(":")[0] for line in ran.out.splitlines()]


def broken(save: Save, name: str, scenario: str = "wrong-password") -> None:
    save(name, path=scenario, sandbox=scenario)


def test_the_second_run_is_silent_then_a_failure_is_one_line_and_so_is_the_recovery(save: Save) -> None:
    save("Office")
    save("Shop")
    assert (changed().code, changed().out, changed().err) == (0, "", "")
    broken(save, "Shop")
    ran = changed()
    (line,) = ran.out.splitlines()
    assert (ran.code, ran.err) == (1, "")
    assert line.startswith("new failure  Shop: ")
    assert (changed().code, changed().out) == (0, "")
    save("Shop")
    ran = changed()
    assert (ran.code, ran.out) == (0, "recovered    Shop\n")
    assert changed().out == ""


def test_the_first_run_tells_every_failure_and_every_warning(save: Save) -> None:
    save("Good")
    broken(save, "Refused")
    save("Ends", provider="microsoft365", path="password")
    ran = changed()
    assert (ran.code, lines(ran)) == (1, ["warning      Ends", "new failure  Refused"])
    assert "2026-12-31" in ran.out
    assert ran.err == ""
    assert changed().out == ""


def test_another_cause_is_told(save: Save) -> None:
    broken(save, "Office")
    assert lines(changed()) == ["new failure  Office"]
    broken(save, "Office", "tenant-off")
    ran = changed()
    assert (ran.code, lines(ran)) == (1, ["other cause  Office"])
    assert changed().out == ""


def test_a_test_by_hand_in_between_changes_nothing(save: Save) -> None:
    save("Office")
    changed()
    broken(save, "Office")
    run("test", "Office")
    assert lines(changed()) == ["new failure  Office"]


def test_runs_of_other_names_are_compared_by_themselves(save: Save) -> None:
    save("Office")
    changed()
    broken(save, "Office")
    assert lines(run("test", "--all", "--changed=night")) == ["new failure  Office"]
    assert lines(changed()) == ["new failure  Office"]
    assert run("test", "--all", "--changed=night").out == ""
    assert run("test", "--all", "--changed=no name").code == 2


def test_the_word_behind_it_is_an_account_and_no_name(save: Save) -> None:
    save("Office")
    broken(save, "Shop")
    assert run("test", "--changed", "Office").out == ""
    assert lines(run("test", "--changed", "Shop")) == ["new failure  Shop"]


def test_each_json_line_has_its_change_and_its_index(save: Save) -> None:
    broken(save, "Broken")
    save("Good")
    save("Ends", provider="microsoft365", path="password")
    ran = changed("--format", "jsonl")
    told = {each["account"]: each for each in (checked(line) for line in ran.out.splitlines())}
    assert {name: (each["change"], each["index"]) for name, each in told.items()} == {
        "Broken": ("new", 0),
        "Ends": ("warning", 1),
    }
    assert [each["kind"] for each in told["Ends"]["warnings"]] == ["retirement"]
    document = changed("--json").document
    assert (document["results"], document["notices"]) == ([], [])


def test_what_could_not_be_printed_is_told_next_time(save: Save, monkeypatch: pytest.MonkeyPatch) -> None:
    broken(save, "Office")
    with monkeypatch.context() as patch:

        def lost(_: Output, text: str) -> None:
            raise OutputLost(OSError(28, "no space"))

        patch.setattr(Output, "data", lost)
        assert changed().code == 1
    assert lines(changed()) == ["new failure  Office"]


def test_an_entry_that_cannot_be_used_is_told_once(save: Save, own_home: Path) -> None:
    save("Office")
    file = own_home / "config" / "accounts.json"
    document = json.loads(file.read_text("utf-8"))
    document["accounts"].append({"name": "Odd"})
    file.write_text(json.dumps(document), "utf-8")
    first = changed()
    assert first.code == 3
    assert "Odd" in first.err
    again = changed()
    assert (again.code, again.out, again.err) == (0, "", "")


def test_what_is_told_of_an_account_that_was_removed_is_forgotten(
    save: Save, saved_accounts: SavedAccounts, own_home: Path
) -> None:
    save("Office")
    broken(save, "Shop")
    changed()
    shop = saved_accounts.get("Shop")
    saved_accounts.remove("Shop")
    saved_accounts.state.flush()
    assert shop.id not in SavedAccounts(own_home / "config").state.last_told.last("default")


@pytest.mark.parametrize("form", ["nagios", "prometheus"])
def test_who_tells_how_everything_stands_is_not_told_what_changed(save: Save, form: str) -> None:
    save("Office")
    assert changed("--format", form).code in (2, 3)


def test_a_password_that_cannot_be_read_is_a_failure_as_any_other(save: Save) -> None:
    save("Office", store=StoreRef(StoreKind.ENV, "NOT_SET_ANYWHERE"))
    ran = changed()
    assert (ran.code, lines(ran)) == (3, ["new failure  Office"])
    assert (changed().code, changed().out) == (0, "")


def test_a_warning_that_begins_while_an_account_fails_is_told_when_it_recovers(save: Save) -> None:
    broken(save, "Office")
    changed()
    save("Office", sandbox="wrong-password", provider="microsoft365", path="password")
    assert changed().out == ""
    save("Office", provider="microsoft365", path="password")
    (line,) = changed().out.splitlines()
    assert line.startswith("recovered    Office: ")
    assert "2026-12-31" in line
    assert changed().out == ""


def test_a_check_that_goes_less_far_knows_nothing_of_what_failed_later(save: Save) -> None:
    broken(save, "Office")
    assert lines(changed()) == ["new failure  Office"]
    assert (changed("--depth", "server").code, changed("--depth", "server").out) == (0, "")
    assert changed().out == "", "the sign-in fails as before"


def test_a_line_says_why_also_where_the_title_is_the_same(save: Save) -> None:
    save("Office", store=StoreRef(StoreKind.ENV, "NOT_SET_ANYWHERE"))
    assert "NOT_SET_ANYWHERE" in changed().out
    save("Office", store=StoreRef(StoreKind.FILE, "/nowhere/secret"))
    (line,) = changed().out.splitlines()
    assert line.startswith("other cause  Office: The password could not be read. ")
    assert "/nowhere/secret" in line
