"""`test --on`: the same check here and on another computer, side by side."""

from __future__ import annotations

import asyncio
import re
from pathlib import Path

import pytest

from smtp_wizard.commands.check_run import not_begun, time_is_up
from smtp_wizard.commands.testing.remote_comparison import differences, unreached, verdict_words
from smtp_wizard.engine.accounts.account import AccountsError
from smtp_wizard.engine.accounts.saved_accounts import SavedAccounts
from smtp_wizard.engine.base.errors import InputError
from smtp_wizard.engine.base.shown import phrase, shown
from smtp_wizard.engine.base.stages import Stage, Verdict
from smtp_wizard.engine.base.who import Who
from smtp_wizard.engine.checks.report import CheckResult, Report
from smtp_wizard.engine.diagnosis.finding import Finding
from smtp_wizard.engine.remote.ssh import PYTHON_THERE, RemoteError, SshHost, Unreached
from smtp_wizard.engine.secrets.store_kinds import StoreKind, StoreRef
from smtp_wizard.output.check_outcome import CheckOutcome
from tests.commands.test_test import PRACTICE
from tests.support.cli import Ran, run, run_process
from tests.support.fakessh import fake_ssh
from tests.support.many import PASSWORD, many_servers, save_fleet
from tests.support.nouns import with_fields


async def run_on(tmp_path: Path, own_home: Path, *words: str) -> Ran:
    """Test the one account of a good server."""
    async with many_servers(tmp_path / "ca") as many:
        save_fleet(own_home / "config", many.places, str(many.ca_file), 1)
        return await asyncio.to_thread(run, "test", "--on", "web1", *words)


async def test_both_columns_are_shown_and_it_is_said_that_they_agree(
    tmp_path: Path, own_home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    notes = fake_ssh(tmp_path, monkeypatch)
    ran = await run_on(tmp_path, own_home, "-o", "Port=2222")
    assert (ran.code, ran.err) == (0, "")
    lines = ran.out.splitlines()
    assert lines[1].split() == ["here", "on", "web1"]
    assert [line.split()[-6:-5] + line.split()[-3:-2] for line in lines if line.startswith("Sign in")] == [["ok", "ok"]]
    assert lines[-1] == "It works here and on web1."
    assert "Port=2222" in notes.read_text("utf-8")


async def test_each_result_says_from_where_and_in_what_it_differs(
    tmp_path: Path, own_home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fake_ssh(tmp_path, monkeypatch)
    ran = await run_on(tmp_path, own_home, "--json")
    assert [(each["from"], each["differs"], each["verdict"]) for each in ran.document["results"]] == [
        ("here", [], "pass"),
        ("web1", [], "pass"),
    ]


async def test_a_computer_that_cannot_be_gone_to_hides_nothing_of_here(
    tmp_path: Path, own_home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fake_ssh(tmp_path, monkeypatch, then="echo 'Host key verification failed.' >&2; exit 255")
    ran = await run_on(tmp_path, own_home)
    assert ran.code == 1
    assert "From web1 it could not be tested" in ran.out
    assert "Host key verification failed" in " ".join(ran.out.split())
    assert PASSWORD not in ran.out + ran.err
    assert run("accounts", "show", "Account 00000", "--json").document["refused_lately"] == 0, "nobody was signed in to"


@pytest.mark.parametrize("command", ["test", "check"])
async def test_a_signal_during_the_check_there_leaves_what_was_done_here(
    tmp_path: Path, own_home: Path, monkeypatch: pytest.MonkeyPatch, command: str
) -> None:
    fake_ssh(tmp_path, monkeypatch, then="kill -TERM $PPID; exec sleep 600")
    async with many_servers(tmp_path / "ca") as many:
        save_fleet(own_home / "config", many.places, str(many.ca_file), 1)
        ((host, port),) = many.places
        at = (f"{host}:{port}", "--security", "starttls", "--ca-file", str(many.ca_file)) if command == "check" else ()
        plain = await asyncio.to_thread(run_process, command, *at, "--on", "web1")
        document = (await asyncio.to_thread(run_process, command, *at, "--on", "web1", "--json")).document
    assert (plain.code, plain.err) == (143, "smtp-wizard: Ended by SIGTERM. Not tested from web1.\n")
    assert re.search(r"^Encryption +ok [0-9]+ ms$", plain.out, re.MULTILINE)
    assert [(each["from"], each["verdict"]) for each in document["results"]] == [("here", "pass")]


async def test_only_the_result_of_here_is_kept_with_the_account(
    tmp_path: Path, own_home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fake_ssh(tmp_path, monkeypatch)
    await run_on(tmp_path, own_home)
    saved = SavedAccounts(own_home / "config")
    (account,) = saved.list()
    assert len(saved.state.results.history(account.id)) == 1


@pytest.mark.parametrize("problem", [InputError(phrase("No such thing.")), AccountsError(phrase("No such thing."))])
async def test_whatever_goes_wrong_there_hides_nothing_of_here(
    tmp_path: Path, own_home: Path, monkeypatch: pytest.MonkeyPatch, problem: Exception
) -> None:
    async def broken(*_: object) -> Report:
        raise problem

    monkeypatch.setattr(SshHost, "check", broken)
    ran = await run_on(tmp_path, own_home, "--json")
    here, there = ran.document["results"]
    assert (here["from"], here["verdict"]) == ("here", "pass")
    assert there["from"] == "web1"
    assert "No such thing." in str(there)
    assert ran.code == 1


def test_practice_is_refused_before_anything_is_tested(own_home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PRACTICE_PASSWORD", "correct horse battery")
    saved = SavedAccounts(own_home / "config")
    saved.put(PRACTICE)
    assert run("test", "Practice", "--on", "web1").code == 2
    assert saved.list()[0].last is None


def test_practice_and_what_contradicts_itself_is_refused(own_home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PRACTICE_PASSWORD", "correct horse battery")
    saved = SavedAccounts(own_home / "config")
    saved.put(PRACTICE)
    ran = run("test", "Practice", "--on", "web1")
    assert ran.code == 2
    assert "on this computer alone" in ran.err
    saved.put(with_fields(PRACTICE, name="Other", id=""))
    assert run("test", "--all", "--on", "web1").code == 2
    assert run("test", "Practice", "--on", "-oProxyCommand=x").code == 2
    assert run("test", "Practice", "--on", "web1", "--depth", "send", "--to", "a@b.example").code == 2
    assert run("test", "Practice", "--on", "web1", "--format", "nagios").code == 3
    assert run("test", "Practice", "-o", "Port=2").code == 2
    for form in ("systemd", "cron"):
        ran = run("test", "Practice", "--on", "web1", "--init", form)
        assert (ran.code, ran.out) == (2, "")
        assert "--init" in ran.err


ENDPOINT = PRACTICE.connection.endpoint
GOOD = Report(ENDPOINT, tuple(CheckResult(stage, Verdict.PASS, 0.1) for stage in (Stage.CONNECT, Stage.AUTH)))


def failed(stage: Stage, code: str) -> Report:
    finding = Finding(code=code, title=shown(code), explanation=shown(""), who=Who.HOST, steps=())
    results = [CheckResult(each, Verdict.PASS, 0.1) for each in (Stage.CONNECT, Stage.AUTH) if each is not stage]
    return Report(ENDPOINT, (*results, CheckResult(stage, Verdict.FAIL, 0.1, finding=finding)))


def late(*stages: Stage) -> Report:
    """A check that --timeout ended in the stage after these."""
    passed = tuple(CheckResult(stage, Verdict.PASS, 0.1) for stage in stages)
    ended = time_is_up(8, sent=False)
    return Report(ENDPOINT, (*passed, CheckResult(Stage.AUTH, Verdict.UNKNOWN, 0.0, ended.title, ended)))


@pytest.mark.parametrize(
    ("here", "there", "differs", "words"),
    [
        (late(Stage.CONNECT), late(), (), "The time allowed was up before the check was done here and on web1: how"),
        (GOOD, late(Stage.CONNECT), (), "The time allowed was up before the check was done on web1: how"),
        (late(Stage.CONNECT), GOOD, (), "The time allowed was up before the check was done here: how"),
        (GOOD, GOOD, (), "It works here and on web1."),
        (GOOD, failed(Stage.CONNECT, "blocked"), (Stage.CONNECT,), "here; from web1 port 5871 cannot be reached"),
        (GOOD, failed(Stage.AUTH, "refused"), (Stage.AUTH,), "It works here, and not on web1"),
        (failed(Stage.CONNECT, "blocked"), GOOD, (Stage.CONNECT,), "It works on web1, and not here"),
        (failed(Stage.AUTH, "a"), failed(Stage.AUTH, "a"), (), "It fails here and on web1, in the same way."),
        (failed(Stage.AUTH, "a"), failed(Stage.AUTH, "b"), (Stage.AUTH,), "each in its own way."),
    ],
)
def test_what_differs_is_said_with_whom_to_ask(
    here: Report, there: Report, differs: tuple[Stage, ...], words: str
) -> None:
    assert differences(here, there) == differs
    assert words in verdict_words(CheckOutcome(None, here), CheckOutcome(None, there), shown("web1"))


def test_what_had_no_time_to_begin_there_is_not_called_untestable() -> None:
    there = not_begun(None, ENDPOINT, 8)
    assert "time allowed was up" in verdict_words(CheckOutcome(None, GOOD), there, shown("web1"))


@pytest.mark.parametrize(
    ("problem", "words"),
    [
        (RemoteError(phrase("It went wrong.")), "Try 'ssh' to it by hand"),
        (Unreached(phrase("No Python."), PYTHON_THERE), "Install Python there"),
    ],
)
def test_the_step_fits_what_went_wrong(problem: RemoteError, words: str) -> None:
    (step,) = unreached(problem).steps
    assert words in step


def test_no_variable_with_a_secret_comes_to_ssh_which_may_hand_it_on(
    tmp_path: Path, own_home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    notes = fake_ssh(tmp_path, monkeypatch, then=f"env > {tmp_path}/environment; exit 255")
    monkeypatch.setenv("SHOP_PASSWORD", "correct horse battery")
    SavedAccounts(own_home / "config").put(
        with_fields(PRACTICE, name="Shop", id="", store=StoreRef(StoreKind.ENV, "SHOP_PASSWORD"))
    )
    assert run("check", "127.0.0.1:1", "--on", "web1").code == 1
    assert notes.exists()
    assert "correct horse" not in (tmp_path / "environment").read_text("utf-8")


# --- check --on ---


async def test_whatever_goes_wrong_there_hides_nothing_of_a_server_of_no_account(
    tmp_path: Path, own_home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def broken(*_: object) -> Report:
        raise InputError(phrase("No such thing."))

    monkeypatch.setattr(SshHost, "check", broken)
    async with many_servers(tmp_path / "ca") as many:
        host, port = many.places[0]
        words = ("check", f"{host}:{port}", "--security", "starttls", "--ca-file", str(many.ca_file), "--on", "web1")
        ran = await asyncio.to_thread(run, *words, "--json")
    assert [(each["from"], each["verdict"]) for each in ran.document["results"]][:1] == [("here", "pass")]
    assert "No such thing." in ran.out


async def test_a_server_of_no_account_is_checked_from_two_places_too(
    tmp_path: Path, own_home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    notes = fake_ssh(tmp_path, monkeypatch)
    async with many_servers(tmp_path / "ca") as many:
        host, port = many.places[0]
        words = ("check", f"{host}:{port}", "--security", "starttls", "--ca-file", str(many.ca_file), "--on", "web1")
        plain = await asyncio.to_thread(run, *words)
        ran = await asyncio.to_thread(run, *words, "--json", "-o", "Port=2222")
    assert (plain.code, plain.out.splitlines()[-1]) == (0, "It works here and on web1.")
    assert [(each["from"], each["differs"], each["verdict"]) for each in ran.document["results"]] == [
        ("here", [], "pass"),
        ("web1", [], "pass"),
    ]
    assert "Port=2222" in notes.read_text("utf-8")
    assert run("check", "mail.example.com", "--on", "web1").code == 2
    assert run("check", "mail.example.com:587", "-o", "Port=2").code == 2
