"""Which accounts are tested: by name, by pattern, by tag, those that fail, those that were not tested lately."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from unittest.mock import Mock

import click
import pytest

from smtp_wizard.commands.options.ages import parse_age
from smtp_wizard.commands.testing.selected_accounts import Selection, selected_accounts
from smtp_wizard.engine.accounts.saved_accounts import NoSuchAccount, SavedAccounts
from smtp_wizard.engine.accounts.tags import parse_tag
from smtp_wizard.engine.base import private_files
from smtp_wizard.engine.base.errors import InputError
from smtp_wizard.engine.base.stages import Depth, Verdict
from smtp_wizard.engine.state.results import LastResult, Result
from smtp_wizard.engine.state.timestamps import FILE_NAME
from smtp_wizard.runtime.exit_codes import CommandError, Exit
from tests.commands.test_send import RELAY
from tests.support.cli import run
from tests.support.nouns import with_fields

NOW = datetime(2026, 11, 30, 12, tzinfo=UTC)


@pytest.fixture
def saved(tmp_path: Path) -> SavedAccounts:
    """Two shops, an office, and one whose name looks like a pattern."""
    saved = SavedAccounts(tmp_path / "config")
    for name, tags in (("Shop 1", ("north", "paid")), ("Shop 2", ("south",)), ("Office", ()), ("Shop*", ())):
        saved.put(with_fields(RELAY, name=name, tags=tags, id=""))
    for name, verdict, hours in (
        ("Shop 1", Verdict.FAIL, 1),
        ("Shop 2", Verdict.PASS, 50),
        ("Office", Verdict.FAIL, 50),
    ):
        last = LastResult(NOW - timedelta(hours=hours), Depth.LOGIN, verdict)
        saved.state.results.record(saved.get(name).id, Result(last))
    return saved


def names(saved: SavedAccounts, *wanted: str, every: bool = False, **more: object) -> list[str]:
    selection = Selection(names=wanted, every=every, **more)  # type: ignore[arg-type]  # each by its name
    return [account.name for account in selected_accounts(saved, selection, NOW)]


def test_a_pattern_means_every_name_that_fits_and_each_account_comes_once(saved: SavedAccounts) -> None:
    assert names(saved, "shop ?") == ["Shop 1", "Shop 2"]
    assert names(saved, "*1", "SHOP [12]", "Office") == ["Shop 1", "Shop 2", "Office"]


def test_an_account_that_is_called_like_a_pattern_is_that_one(saved: SavedAccounts) -> None:
    assert names(saved, "Shop*") == ["Shop*"]


def test_a_pattern_that_fits_nothing_exits_4(saved: SavedAccounts) -> None:
    with pytest.raises(CommandError) as missing:
        names(saved, "Shed*")
    assert missing.value.exit_code is Exit.NOT_FOUND
    with pytest.raises(NoSuchAccount):
        names(saved, "Shop ?", "Offce")


def test_tags_choose_and_need_no_name(saved: SavedAccounts) -> None:
    assert names(saved, tags=("paid",)) == ["Shop 1"]
    assert names(saved, tags=("north", "south")) == ["Shop 1", "Shop 2"]
    assert names(saved, "Office", tags=("north",)) == []


def test_a_tag_that_nobody_has_is_a_mistake_and_not_an_empty_fleet(saved: SavedAccounts) -> None:
    """A monitor of a mistyped tag would say for ever that all is well."""
    for wanted in ({"tags": ("nort",)}, {"tags": ("north", "nort")}):
        with pytest.raises(CommandError, match="No account has the tag 'nort'") as mistyped:
            names(saved, every=True, **wanted)
        assert (mistyped.value.exit_code, mistyped.value.hint) == (Exit.NOT_FOUND, "Did you mean 'north'?")


def test_failures_that_cannot_be_read_are_not_none(saved: SavedAccounts, tmp_path: Path) -> None:
    saved.state.flush()
    (tmp_path / "config" / FILE_NAME).write_bytes(b"no database" * 200)
    with pytest.raises(CommandError, match="it is damaged") as unread:
        names(SavedAccounts(tmp_path / "config"), failing=True)
    assert unread.value.exit_code is Exit.SECRET
    assert len(names(SavedAccounts(tmp_path / "config"), every=True, since=timedelta(days=2))) == 4, "rather too many"


def test_a_clock_that_was_ahead_leaves_nobody_out(saved: SavedAccounts) -> None:
    ahead = Result(LastResult(NOW + timedelta(days=300), Depth.LOGIN, Verdict.PASS))
    saved.state.results.record(saved.get("Shop 1").id, ahead)
    assert "Shop 1" in names(saved, every=True, since=timedelta(days=2))


def test_only_what_failed_is_tested_again(saved: SavedAccounts) -> None:
    assert names(saved, failing=True) == ["Office", "Shop 1"]
    assert names(saved, every=True, failing=True, tags=("north",)) == ["Shop 1"]


def test_what_was_tested_lately_is_left_out(saved: SavedAccounts) -> None:
    assert names(saved, every=True, since=timedelta(days=2)) == ["Office", "Shop 2", "Shop*"]
    assert names(saved, failing=True, since=timedelta(days=2)) == ["Office"]


def test_names_and_all_are_too_much_and_nothing_is_too_little(saved: SavedAccounts) -> None:
    with pytest.raises(click.UsageError):
        names(saved, "Office", every=True)
    with pytest.raises(CommandError) as many:
        names(saved)
    assert many.value.code == "which-account"


@pytest.mark.parametrize(("text", "age"), [("30m", 0.5), ("12h", 12), (" 2D ", 48), ("1w", 168)])
def test_an_age_is_a_number_and_a_unit(text: str, age: float) -> None:
    assert parse_age(text) == timedelta(hours=age)


@pytest.mark.parametrize("text", ["", "2", "d", "-1d", "0d", "1.5h", "2 days", "99999d", "\u0662d", "1y"])
def test_what_is_no_age_is_refused_in_one_sentence(text: str) -> None:
    with pytest.raises(InputError, match="30m, 12h, 2d, 1w"):
        parse_age(text)


def test_a_tag_is_a_short_word_in_lower_case() -> None:
    assert parse_tag(" Customer-7 ") == "customer-7"
    for odd in ("", "two words", "-x", "a" * 41, "caf\u00e9", "a,b", "\x1b"):
        with pytest.raises(InputError):
            parse_tag(odd)


def test_where_nothing_is_left_all_is_well(own_home: Path) -> None:
    SavedAccounts(own_home / "config").put(RELAY)
    for form in ("plain", "json", "jsonl", "junit", "prometheus", "nagios"):
        ran = run("test", "--only", "failing", "--format", form)
        assert (ran.code, ran.err) == (0, "No account is to be tested.\n" if form == "plain" else "")


@pytest.mark.parametrize(("form", "code"), [("nagios", 3), ("prometheus", 2)])
def test_who_tells_how_everything_stands_leaves_nothing_out_that_was_tested_lately(
    own_home: Path, form: str, code: int
) -> None:
    """The second look would call well what failed in the first."""
    SavedAccounts(own_home / "config").put(RELAY)
    ran = run("test", "--all", "--since", "1h", "--format", form)
    assert ran.code == code
    assert "--since" in ran.err


# --- accounts tag ---


def test_tags_are_given_and_taken_away_and_choose_what_is_tested(own_home: Path) -> None:
    saved = SavedAccounts(own_home / "config")
    for name in ("Shop 1", "Shop 2", "Office"):
        saved.put(with_fields(RELAY, name=name, id=""))
    ran = run("accounts", "tag", "Shop*", "--add", "Paid", "--add", "north", "--json")
    assert [(each["name"], each["tags"]) for each in ran.document["accounts"]] == [
        ("Shop 1", ["north", "paid"]),
        ("Shop 2", ["north", "paid"]),
    ]
    ran = run("accounts", "tag", "Shop 2", "--remove", "paid")
    assert (ran.code, ran.out, ran.err) == (0, "", "Shop 2: north\n")
    assert {each.name: each.tags for each in saved.list()} == {
        "Office": (),
        "Shop 1": ("north", "paid"),
        "Shop 2": ("north",),
    }
    assert "Tags" in run("accounts", "show", "Shop 1").out
    tested = run("test", "--tag", "paid", "--depth", "server", "--json").document["results"]
    assert [each["account"] for each in tested] == ["Shop 1"]


def test_nothing_to_change_an_odd_tag_and_too_many_are_refused(own_home: Path) -> None:
    SavedAccounts(own_home / "config").put(RELAY)
    assert run("accounts", "tag", "Office").code == 2
    assert run("accounts", "tag", "Office", "--add", "two words").code == 2
    many = [word for number in range(21) for word in ("--add", f"t{number}")]
    ran = run("accounts", "tag", "Office", *many)
    assert (ran.code, "more than 20 tags" in ran.err) == (2, True)
    assert run("accounts", "tag", "Nobody", "--add", "x").code == 4


def test_many_accounts_get_a_tag_in_one_writing_and_all_or_none(
    saved: SavedAccounts, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The file is written whole: once for each account would be the square of a fleet."""
    saved.state.flush()
    written = Mock(side_effect=private_files.write_private)
    monkeypatch.setattr(private_files, "write_private", written)
    config = ("--config", str(tmp_path / "config"))
    assert run(*config, "accounts", "tag", "*", "--add", "all").code == 0
    assert written.call_count == 1
    assert {account.tags for account in saved.list()} == {("all", "north", "paid"), ("all", "south"), ("all",)}
    for number in range(17):
        assert run(*config, "accounts", "tag", "Shop 1", "--add", f"t{number}").code == 0
    assert run(*config, "accounts", "tag", "Shop ?", "--add", "last").code == 2
    assert "last" not in {tag for account in saved.list() for tag in account.tags}
