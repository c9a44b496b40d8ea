"""One account in the file that cannot be understood: the commands use the others, and nobody is left in the dark."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from junitparser import JUnitXml
from prometheus_client.parser import text_string_to_metric_families

from smtp_wizard.engine.sandbox.scenarios import practice_password
from tests.support.cli import checked, run

FILES = Path(__file__).parents[1] / "corpus" / "files"


@pytest.fixture
def file(own_home: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Three accounts for practice; of the one whose password is refused, the port is odd."""
    monkeypatch.setenv("OFFICE_PASSWORD", practice_password())
    folder = own_home / "config"
    folder.mkdir(mode=0o700)
    document = json.loads((FILES / "accounts.json").read_text())
    document["accounts"] = [each for each in document["accounts"] if each["name"] != "Nowhere"]
    entry_of(document)["endpoint"]["port"] = 99999
    written = folder / "accounts.json"
    written.write_text(json.dumps(document))
    written.chmod(0o600)
    return written


def entry_of(document: dict[str, Any], name: str = "Bad") -> dict[str, Any]:
    found: dict[str, Any] = next(each for each in document["accounts"] if each["name"] == name)
    return found


WORDS = "cannot be used ('accounts[0].endpoint.port' must be from 1 to 65535); it was left as it is: mend it there."


def test_the_others_are_listed_and_it_is_named(file: Path) -> None:
    ran = run("accounts", "--json")
    assert (ran.code, [each["name"] for each in ran.document["accounts"]]) == (0, ["Office"])
    assert ran.err.count(WORDS) == 1
    assert "The account 'Bad' in " in ran.err


def test_the_list_for_programs_names_it_too(file: Path) -> None:
    (unread,) = run("accounts", "--json").document["unread"]
    assert unread["name"] == "Bad"
    assert unread["problem"].startswith("The account 'Bad' in ")
    assert WORDS in unread["problem"]
    document = json.loads(file.read_text())
    entry_of(document)["name"] = 7
    file.write_text(json.dumps(document))
    (nameless,) = run("accounts", "--json").document["unread"]
    assert nameless["name"] is None
    assert nameless["problem"].startswith("An account in ")
    del document["accounts"][0]
    file.write_text(json.dumps({**document, "accounts": [entry_of(document, "Office")]}))
    assert run("accounts", "--json").document["unread"] == []


def test_it_is_kept_as_it_was_when_another_is_changed(file: Path) -> None:
    before = entry_of(json.loads(file.read_text()))
    assert run("accounts", "rename", "Office", "Shop", "--json").document["account"]["name"] == "Shop"
    assert entry_of(json.loads(file.read_text())) == before
    assert run("accounts", "remove", "Shop", "--yes").code == 0
    assert json.loads(file.read_text())["accounts"] == [before]
    assert "No account is saved yet" not in run("accounts").err


@pytest.mark.parametrize(
    "command", [("accounts", "show", "Bad"), ("accounts", "remove", "bad", "--yes"), ("test", "BAD")], ids=" ".join
)
def test_a_command_for_it_says_what_is_wrong(file: Path, command: tuple[str, ...]) -> None:
    before = file.read_bytes()
    ran = run(*command, "--json")
    assert (ran.code, ran.error["code"]) == (3, "accounts")
    assert WORDS in ran.error["message"]
    assert file.read_bytes() == before


@pytest.mark.parametrize("form", ["plain", "json", "jsonl", "junit", "prometheus"])
def test_a_test_of_all_tests_the_others_and_is_not_well(file: Path, form: str) -> None:
    ran = run("test", "--all", "--format", form)
    assert ran.code == 3, ran
    assert "Office" in ran.out or "you can send" in ran.out or "lets you in" in ran.out
    assert WORDS in ran.err


def test_a_plugin_of_nagios_says_that_it_does_not_know(file: Path) -> None:
    ran = run("test", "--all", "--format", "nagios")
    first, second, third = ran.out.splitlines()
    assert (ran.code, first.startswith("SMTP UNKNOWN - The account 'Bad' in ")) == (3, True)
    assert second.startswith("UNKNOWN: The account 'Bad' in ")
    assert third.startswith("OK: Office: ")


def test_a_plugin_of_nagios_names_it_also_where_another_account_fails(
    file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OFFICE_PASSWORD", "not the password")
    ran = run("test", "--all", "--format", "nagios")
    first, _, third = ran.out.splitlines()
    assert (ran.code, first.startswith("SMTP CRITICAL - Office: ")) == (2, True)
    assert third.startswith("UNKNOWN: The account 'Bad' in ")


@pytest.fixture
def documents(file: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], str]:
    """What is printed in one form; the variable of the password is taken out of the environment each time."""

    def printed(form: str) -> str:
        monkeypatch.setenv("OFFICE_PASSWORD", practice_password())
        return run("test", "--all", "--format", form).out

    return printed


def test_no_document_leaves_it_out(documents: Callable[[str], str]) -> None:
    """Who collects the documents sees neither the exit code nor what is said on stderr."""
    (unread,) = checked(documents("json"))["unread"]
    assert unread["name"] == "Bad"
    assert WORDS in unread["problem"]
    good, odd = map(checked, documents("jsonl").splitlines())
    assert good["account"] == "Office"
    assert WORDS in odd["error"]["message"]
    suites = JUnitXml.fromstring(documents("junit").encode())
    assert [(suite.name, suite.errors) for suite in suites] == [("Office", 0), ("Bad", 1)]
    metrics = text_string_to_metric_families(documents("prometheus"))
    (success,) = (each for each in metrics if each.name == "smtp_wizard_check_success")
    assert {each.labels["account"]: each.value for each in success.samples} == {"Office": 1, "Bad": 0}


@pytest.mark.parametrize("form", ["junit", "prometheus"])
def test_a_document_of_results_is_there_also_where_no_password_can_be_read(
    file: Path, monkeypatch: pytest.MonkeyPatch, form: str
) -> None:
    monkeypatch.delenv("OFFICE_PASSWORD")
    ran = run("test", "--all", "--format", form)
    assert ran.code == 3
    wanted = '<testsuite name="Office" tests="1" failures="0" errors="1"' if form == "junit" else 'account="Office"'
    assert wanted in ran.out


def test_the_doctor_finds_it(file: Path) -> None:
    checks = [each for each in run("doctor", "--json").document["checks"] if each["code"] == "accounts"]
    assert [each["state"] for each in checks] == ["ok", "fail"]
    assert WORDS in checks[1]["sentence"]


def test_where_no_account_can_be_used_nobody_says_that_there_is_none(file: Path) -> None:
    document = json.loads(file.read_text())
    document["accounts"] = [entry_of(document)]
    file.write_text(json.dumps(document))
    assert "No account" not in run("accounts").err
    ran = run("test", "--all", "--json")
    assert (ran.code, ran.error["code"]) == (3, "accounts")
    assert WORDS in ran.error["message"]
