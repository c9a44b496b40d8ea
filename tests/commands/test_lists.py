"""What only lists and shows: accounts, providers, guides, the practice mailbox, the schemas."""

from __future__ import annotations

import json
from pathlib import Path

import jsonschema
import pytest

from smtp_wizard.cli import COMMANDS
from smtp_wizard.engine.accounts.saved_accounts import SavedAccounts
from smtp_wizard.engine.guides.guides import Guides
from smtp_wizard.engine.providers.catalog import load_catalog
from smtp_wizard.output.schemas import NAMES, schema_of
from tests.support.cli import on_terminal, run, run_process

pytestmark = pytest.mark.usefixtures("any_password")

PASSWORD = "correct horse battery"


@pytest.fixture
def saved(own_home: Path) -> SavedAccounts:
    """One saved account, from the practice server."""
    arguments = ["setup", "ana@sandbox.test", "--password-stdin", "--store", "session", "--save", "Office"]
    assert run(*arguments, "--send-test", "bob@sandbox.test", stdin=PASSWORD).code == 0
    return SavedAccounts(own_home / "config")


# --- accounts ---


def test_without_accounts_the_list_is_empty_and_says_how_to_make_one() -> None:
    ran = run("accounts")
    assert (ran.code, ran.out) == (0, "")
    assert "smtp-wizard setup" in ran.err
    assert run("accounts", "--json").document["accounts"] == []


def test_accounts_are_listed_and_shown(saved: SavedAccounts) -> None:
    lines = run("accounts").out.splitlines()
    assert [line.split("  ")[0] for line in lines] == ["Name", "Office"]
    assert "127.0.0.1:5871 (practice)" in lines[1]
    assert lines[1].endswith("ok")
    (account,) = run("accounts", "--json").document["accounts"]
    shown = run("accounts", "show", "OFFICE", "--json").document
    del shown["schema"]
    assert shown.pop("refused_lately") == 0
    assert shown == account
    assert "not kept: it is asked for each time" in run("accounts", "show", "Office").out


def test_an_account_that_is_not_there_exits_4(saved: SavedAccounts) -> None:
    for command in ("show", "remove"):
        ran = run("accounts", command, "Ofice", "--json")
        assert (ran.code, ran.error["code"]) == (4, "no-such-account")


def test_removing_needs_a_yes(saved: SavedAccounts) -> None:
    refused = run("accounts", "remove", "Office", "--json")
    assert (refused.code, refused.error["code"]) == (2, "missing-answers")
    assert "--yes" in refused.error["hint"]
    assert run("accounts", "remove", "office", "--yes", "--json").document["removed"] == "Office"
    assert saved.list() == ()


def test_on_a_terminal_the_yes_is_asked_for(saved: SavedAccounts) -> None:
    """Enter alone removes nothing."""
    question = "Remove 'Office' (127.0.0.1:5871) and its password? [y/N] "
    assert on_terminal(["accounts", "remove", "Office"], typed=[(question, "\n")]).code == 1
    assert len(saved.list()) == 1
    assert on_terminal(["accounts", "remove", "Office"], typed=[(question, "yes\n")]).code == 0
    assert saved.list() == ()


def test_another_config_folder_has_other_accounts(saved: SavedAccounts, tmp_path: Path) -> None:
    assert run("--config", str(tmp_path / "other"), "accounts", "--json").document["accounts"] == []
    assert not (tmp_path / "other").exists()


# --- providers ---


def test_every_provider_is_listed_and_can_be_shown_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    """The catalogue is read once here, not for each of two hundred calls."""
    catalog = load_catalog()
    monkeypatch.setattr("smtp_wizard.engine.providers.catalog.load_catalog", lambda own: catalog)
    listed = run("providers", "--json").document["providers"]
    assert [one["id"] for one in listed] == [provider.id for provider in catalog.providers]
    for provider in catalog.providers:
        shown = run("providers", "show", provider.id, "--json").document
        assert (shown["id"], len(shown["paths"])) == (provider.id, len(provider.paths))
        assert (shown["documented"] is None) == (provider.documented is None)
        assert provider.name in run("providers", "show", provider.id).out


def test_providers_are_found_by_name_domain_or_server() -> None:
    for query in ("gmail", "GOOGLEMAIL.com", "smtp.gmail.com", "ana@gmail.com"):
        assert "gmail" in {one["id"] for one in run("providers", query, "--json").document["providers"]}
        assert "\ngmail " in run("providers", query).out


def test_options_may_stand_before_the_word_show() -> None:
    assert run("providers", "--json", "show", "gmail").document["id"] == "gmail"
    assert run("providers", "show", "gmial", "--json").error["hint"] == "Did you mean 'gmail'?"


# --- guides ---


def test_guides_are_listed_with_their_titles() -> None:
    lines = run("guide").out.splitlines()
    assert [line.split()[0] for line in lines] == list(Guides().ids())
    assert all(len(line.split()) > 2 for line in lines)


def test_a_guide_is_markdown_in_a_pipe_and_text_on_a_terminal() -> None:
    piped = run("guide", "gmail-app-password").out
    assert piped.startswith("# ")
    assert "- proves: " not in piped
    assert "\n1. " in piped
    assert "\nSources:\n\n- " in piped
    shown = on_terminal(["guide", "gmail-app-password"]).out
    assert not shown.startswith("---")
    assert "\n1. " in shown
    assert all(len(line) <= 80 for line in shown.splitlines() if "https://" not in line)


def test_a_guide_as_json() -> None:
    (guide,) = run("guide", "gmail-app-password", "--json").document["guides"]
    assert guide["steps"][0]["number"] == 1
    assert len(run("guide", "--json").document["guides"]) == len(Guides().ids())
    assert run("guide", "../secret", "--json").error["code"] == "no-such-guide"


# --- the practice mailbox ---


def test_what_was_sent_can_be_listed_read_and_cleared(saved: SavedAccounts) -> None:
    (message,) = run("sandbox", "mailbox", "--json").document["messages"]
    assert message["key"] in run("sandbox", "mailbox").out
    shown = run("sandbox", "mailbox", "show", message["key"], "--json").document
    assert {"name": "To", "value": "bob@sandbox.test"} in shown["headers"]
    assert run("sandbox", "mailbox", "show", "nonesuch", "--json").error["code"] == "no-such-message"
    assert run("sandbox", "mailbox", "--clear", "--json").document["deleted"] == 1
    assert "Nothing has arrived yet." in run("sandbox", "mailbox").err


def test_a_message_with_control_characters_is_shown_escaped(saved: SavedAccounts, own_home: Path) -> None:
    (message,) = run("sandbox", "mailbox", "--json").document["messages"]
    (file,) = (own_home / "config" / "sandbox" / "mailbox" / "new").iterdir()
    file.write_bytes(file.read_bytes().replace(b"This is a test", b"\x1b]0;owned\x07 is a test"))
    shown = run("sandbox", "mailbox", "show", message["key"])
    assert "\\x1b]0;owned\\x07 is a test" in shown.out
    assert "\x1b" not in shown.out


def test_a_scenario_that_is_not_known_exits_4() -> None:
    ran = run("sandbox", "--scenario", "acept", "--json")
    assert (ran.code, ran.error["hint"]) == (4, "Did you mean 'accept'?")


# --- schemas ---


@pytest.mark.parametrize("name", NAMES)
def test_every_schema_is_one(name: str) -> None:
    schema = json.loads(run("schema", *name.split("-")).out)
    jsonschema.Draft202012Validator.check_schema(schema)
    assert schema == schema_of(name)
    assert schema == json.loads(run("schema", name).out)


def test_every_command_has_a_schema() -> None:
    assert set(COMMANDS) <= set(NAMES)
    assert run("schema").out.split() == list(NAMES)
    assert run("schema", "--json").document["schemas"] == list(NAMES)
    assert run("schema", "nonesuch", "--json").code == 4


TAKE_A_PROVIDER = (
    "providers",
    "providers show",
    "providers verify",
    "provider export",
    "limits",
    "limits plan --recipients 10 --provider",
    "domain firm.example --provider",
    "setup ana@firm.example --provider",
    "guide",
)


@pytest.mark.parametrize("command", ["providers", "providers verify"])
@pytest.mark.parametrize("nothing", ["", "  "])
def test_an_empty_name_does_not_mean_all(command: str, nothing: str) -> None:
    ran = run(*command.split(), nothing, "--json")
    assert (ran.code, ran.error["code"]) == (4, "no-such-provider")


@pytest.mark.parametrize("command", TAKE_A_PROVIDER)
def test_a_name_that_does_not_exist_exits_4_and_the_one_like_it_is_offered(command: str) -> None:
    code = "no-such-guide" if command == "guide" else "no-such-provider"
    mistyped = run(*command.split(), "gmial", "--json")
    assert (mistyped.code, mistyped.error["code"]) == (4, code)
    like_it = "gmail-app-password" if command == "guide" else "gmail"
    assert f"Did you mean '{like_it}'?" in mistyped.err
    nothing_like_it = run(*command.split(), "qqqqqqqq", "--json")
    assert (nothing_like_it.code, nothing_like_it.error["code"]) == (4, code)
    assert "Did you mean" not in nothing_like_it.err
    assert nothing_like_it.error["hint"]


def test_a_provider_is_offered_by_another_of_its_names() -> None:
    assert "Did you mean 'outlook-com'?" in run("providers", "hotmial").err
    assert "Did you mean 'gmail'?" in run("explain", "--provider", "gmial", stdin="535 5.7.8 no").err


def test_a_provider_without_limits_is_no_unknown_one() -> None:
    ran = run("limits", "sandbox")
    assert (ran.code, ran.err) == (0, "No provider with limits is known for 'sandbox'.\n")
    assert run("limits", "sandbox", "--json").document["limits"] == []


def test_an_id_is_found_whatever_its_capitals() -> None:
    assert run("providers", "show", "GMAIL").out == run("providers", "show", "gmail").out


def test_two_forms_at_once_contradict_each_other() -> None:
    ran = run("limits", "gmail", "--json", "--csv")
    assert (ran.code, ran.error["code"]) == (2, "input")


def test_a_wrong_option_leads_to_the_help_that_has_it() -> None:
    err = run("limits", "--sort", "foo").err
    assert "limits --help'" in err
    assert "limits list" not in err


def test_what_is_wrong_is_folded_on_a_terminal_and_whole_in_a_pipe() -> None:
    words = ("discover", "ana@nosuch.invalid")
    shown = on_terminal([*words], rows=24).out
    assert max(map(len, shown.splitlines())) <= 80
    assert " ".join(shown.split()) == " ".join(run_process(*words).err.split())
    assert max(map(len, run_process(*words).err.splitlines())) > 100
