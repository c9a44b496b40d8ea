"""`test`: saved accounts, checked again, in every form."""

from __future__ import annotations

import asyncio
import json
import re
import signal
import subprocess
import xml.etree.ElementTree as ET
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families

from smtp_wizard.commands.check_run import not_begun, stage_exit_code, time_is_up
from smtp_wizard.commands.testing import tester
from smtp_wizard.engine.accounts.account import Account
from smtp_wizard.engine.accounts.saved_accounts import SavedAccounts
from smtp_wizard.engine.base.address import Address
from smtp_wizard.engine.base.connection import Auth, Connection
from smtp_wizard.engine.base.endpoint import Endpoint, Security
from smtp_wizard.engine.base.identity import Identity, Scope
from smtp_wizard.engine.base.shown import phrase, shown
from smtp_wizard.engine.base.stages import Stage, Verdict
from smtp_wizard.engine.checks.report import CheckResult, Report
from smtp_wizard.engine.secrets.store_kinds import StoreKind, StoreRef
from smtp_wizard.output.check_outcome import CheckOutcome
from smtp_wizard.runtime.exit_codes import STAGE_CODES, Interrupted
from tests.support.cli import checked, hold, on_terminal, run, started
from tests.support.misbehaving import refused_port, silent_port
from tests.support.nouns import with_fields
from tests.support.state import FULL, refuse_to_write
from tests.support.time_is_up import TimeIsUp

PASSWORD = "abcd efgh ijkl mnop"
SESSION = StoreRef(StoreKind.SESSION, "x/password")

PRACTICE = Account(
    name=phrase("Practice"),
    address=Address("ana", "sandbox.test"),
    connection=Connection(
        endpoint=Endpoint("127.0.0.1", 5871, Security.STARTTLS),
        username="ana@sandbox.test",
        auth=Auth.PASSWORD,
        provider="sandbox",
        path="accept",
        allow_cleartext=False,
        ehlo_name="",
        ca_file=None,
        sandbox="accept",
    ),
    identity=Identity(sender=None, sender_name="", company_name="", reply_to=None, update_company=False),
    scope=Scope.GENERAL,
    store=StoreRef(StoreKind.ENV, "PRACTICE_PASSWORD"),
    created=datetime(2026, 11, 24, tzinfo=UTC),
)

Save = Callable[..., Account]


@pytest.fixture
def saved_accounts(own_home: Path) -> SavedAccounts:
    return SavedAccounts(own_home / "config")


@pytest.fixture
def save(saved_accounts: SavedAccounts, monkeypatch: pytest.MonkeyPatch) -> Save:
    """Save an account like the practice one; its password is in the environment."""

    def save(name: str, **changes: object) -> Account:
        variable = f"PASSWORD_{name.upper()}"
        monkeypatch.setenv(variable, PASSWORD)
        account = replace(PRACTICE, name=shown(name), store=StoreRef(StoreKind.ENV, variable))
        account = with_fields(account, **changes)
        saved_accounts.put(account)
        return account

    return save


def test_the_one_account_needs_no_name_and_its_result_is_kept(save: Save, saved_accounts: SavedAccounts) -> None:
    save("Office")
    ran = run("test", "--json")
    assert (ran.code, ran.result["account"], ran.result["verdict"]) == (0, "Office", "pass")
    last = saved_accounts.get("Office").last
    assert last is not None
    assert last.verdict == "pass"


def test_a_way_of_signing_in_that_ends_is_told_and_changes_no_verdict(
    save: Save, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Microsoft closes passwords; the practice server stands in for it here. The exit code stays 0."""
    save("Office", provider="microsoft365", path="password")
    save("Shop", provider="gmail", path="app-password")
    ran = run("test", "--all", "--json")
    assert ran.code == 0
    (notice,) = ran.document["notices"]
    assert (notice["account"], notice["date"]) == ("Office", "2026-12-31")
    assert notice["replacement"] == "A sign-in in the browser, or a relay"
    assert notice["source"].endswith("2026-01-27")
    (line,) = ran.err.splitlines()
    assert line.startswith("Office: 2026-12-31: Sending with a password")
    monkeypatch.setenv("PASSWORD_OFFICE", PASSWORD)
    plain = run("test", "Office")
    assert (plain.code, plain.err.splitlines()) == (0, [line])
    monkeypatch.setenv("PASSWORD_SHOP", PASSWORD)
    assert run("test", "Shop", "--json").document["notices"] == []


def test_the_plain_form_shows_the_stages_and_says_that_nothing_was_sent(save: Save) -> None:
    save("Office")
    ran = run("test")
    assert ran.out.splitlines()[-1] == "The server lets you in. No message was sent."
    assert "ok    Sign in       signed in as ana@sandbox.test (PLAIN)" in ran.out


def test_of_several_accounts_one_must_be_named_or_all_said(save: Save) -> None:
    save("One")
    save("Two", path="wrong-password", sandbox="wrong-password")
    ran = run("test", "--json")
    assert (ran.code, ran.error["code"]) == (2, "which-account")
    assert "One, Two" in ran.error["message"]
    assert [one["account"] for one in run("test", "two", "ONE", "Two", "--json").document["results"]] == ["Two", "One"]


def test_all_accounts_are_tested_and_the_bad_one_named(save: Save) -> None:
    save("One")
    save("Two", path="wrong-password", sandbox="wrong-password")
    ran = run("test", "--all", "--concurrency", "1")
    assert ran.code == 1
    assert re.search(r"^One \(127\.0\.0\.1:\d+\)\nok    Find server", ran.out, re.MULTILINE)
    assert ran.out.splitlines()[-1] == "1 of 2 well. Not well: Two."


def test_json_lines_come_one_an_account(save: Save) -> None:
    save("One")
    save("Two", path="wrong-password", sandbox="wrong-password")
    ran = run("test", "--all", "--format", "jsonl")
    lines = [json.loads(line) for line in ran.out.splitlines()]
    for line in lines:
        hold(line, "test-line")
    assert ran.code == 1
    assert sorted((line["account"], line["verdict"]) for line in lines) == [("One", "pass"), ("Two", "fail")]


@pytest.mark.parametrize("names", [("One",), ("One", "Two")])
def test_json_lines_come_one_an_account_also_where_no_password_can_be_read(save: Save, names: tuple[str, ...]) -> None:
    for name in names:
        save(name, store=StoreRef(StoreKind.ENV, "NEVER_SET"))
    ran = run("test", *names, "--format", "jsonl")
    lines = [json.loads(line) for line in ran.out.splitlines()]
    for line in lines:
        hold(line, "test-line")
    assert ran.code == 3
    lines.sort(key=lambda line: int(line["index"]))
    assert [(line["account"], line["findings"][0]["code"]) for line in lines] == [
        (name, "secret-unset") for name in names
    ]


def test_junit_nagios_and_prometheus(save: Save) -> None:
    save("One")
    save("Two", path="wrong-password", sandbox="wrong-password")
    junit = run("test", "--all", "--format", "junit")
    assert junit.code == 1
    assert [suite.get("failures") for suite in ET.fromstring(junit.out)] == ["0", "1"]
    one = run("test", "One", "--format", "nagios")
    assert one.code == 3  # the variable was taken out of this process's environment by the run before
    assert one.out.startswith("SMTP UNKNOWN - One: ")


def test_nagios_is_critical_for_a_failure(save: Save) -> None:
    save("Two", path="wrong-password", sandbox="wrong-password")
    ran = run("test", "--format", "nagios")
    assert ran.code == 2
    assert ran.out.startswith("SMTP CRITICAL - Two: ")


def test_prometheus_is_one_document(save: Save) -> None:
    save("One")
    ran = run("test", "--format", "prometheus")
    assert ran.code == 0
    labels = r'account="One",host="127\.0\.0\.1",port="\d+",security="starttls"'
    assert re.search(rf"^smtp_wizard_check_success{{{labels}}} 1$", ran.out, re.MULTILINE)


def test_without_an_account_nothing_can_be_tested() -> None:
    ran = run("test", "--json")
    assert (ran.code, ran.error["code"]) == (4, "no-accounts")
    nagios = run("test", "--format", "nagios")
    assert (nagios.code, nagios.out) == (3, "SMTP UNKNOWN - No account is saved yet.\n")


def test_an_unknown_name_exits_4_with_a_suggestion_before_anything_is_tried(save: Save) -> None:
    save("Office")
    ran = run("test", "Office", "Ofice", "--json")
    assert (ran.code, ran.error["code"]) == (4, "no-such-account")
    assert "Did you mean 'Office'?" in ran.error["message"]


# --- passwords ---


def test_an_account_whose_password_is_kept_nowhere_takes_a_given_one(save: Save) -> None:
    save("Office", store=SESSION)
    refused = run("test", "--json")
    assert (refused.code, refused.error["code"]) == (3, "secret-ask")
    assert run("test", "--json", "--password-stdin", stdin=PASSWORD).code == 0


def test_on_a_terminal_it_is_asked_for(save: Save) -> None:
    save("Office", store=SESSION)
    ran = on_terminal(["test"], typed=[("Password of Office: ", f"{PASSWORD}\n")])
    assert ran.code == 0
    assert PASSWORD not in ran.out
    assert "\x1b[32mok\x1b[0m" in ran.out
    assert "\x1b" not in on_terminal(["test"], typed=[("Password of Office: ", f"{PASSWORD}\n")], term="dumb").out


def test_one_unreadable_password_does_not_hide_the_other_results(save: Save) -> None:
    save("One")
    save("Two", store=SESSION)
    ran = run("test", "--all", "--json")
    assert ran.code == 3
    assert [(one["account"], one["verdict"]) for one in ran.document["results"]] == [
        ("One", "pass"),
        ("Two", "skipped"),
    ]
    assert ran.document["results"][1]["findings"][0]["code"] == "secret-ask"


def test_a_password_for_several_accounts_is_refused(save: Save) -> None:
    save("One")
    save("Two")
    assert run("test", "--all", "--password-stdin", "--json", stdin=PASSWORD).error["code"] == "usage"


def test_the_server_alone_needs_no_password(save: Save) -> None:
    save("Office", store=SESSION)
    ran = run("test", "--depth", "server", "--json")
    assert (ran.code, ran.stages[-1]) == (0, ("starttls", "pass"))


# --- sending ---


def test_a_message_is_sent_only_when_asked_for_and_to_another_address(save: Save) -> None:
    save("Office")
    assert run("test", "--depth", "send", "--json").error["code"] == "missing-answers"
    same = run("test", "--depth", "send", "--to", "ana@sandbox.test", "--json")
    assert (same.code, same.error["code"]) == (2, "input")
    assert run("sandbox", "mailbox", "--json").document["messages"] == []
    ran = run("test", "--depth", "send", "--to", "bob@sandbox.test", "--json")
    assert (ran.code, ran.stages[-1]) == (0, ("data", "pass"))
    assert len(run("sandbox", "mailbox", "--json").document["messages"]) == 1


# --- bounds and odd folders ---


async def test_the_time_limit_leaves_what_was_found_and_says_what_was_not_begun(
    save: Save, monkeypatch: pytest.MonkeyPatch
) -> None:
    time_is_up = TimeIsUp(monkeypatch)
    with silent_port() as port:
        stuck = Endpoint("127.0.0.1", port, Security.STARTTLS)
        save("One", endpoint=stuck, sandbox=None, path=None, provider=None)
        save("Two", endpoint=stuck, sandbox=None, path=None, provider=None)
        testing = asyncio.to_thread(run, "test", "--all", "--concurrency", "1", "--timeout", "2", "--json")
        ran = await time_is_up.when(lambda: (port, Stage.GREETING) in time_is_up.begun, testing)
    assert ran.code == 1
    first, second = ran.document["results"]
    assert (first["verdict"], first["stages"][-1]["stage"]) == ("unknown", "greeting")
    assert (second["verdict"], second["stages"]) == ("skipped", [])
    assert {finding["code"] for one in (first, second) for finding in one["findings"]} == {"time-is-up"}


def test_a_result_that_cannot_be_kept_hides_nothing(
    save: Save, saved_accounts: SavedAccounts, monkeypatch: pytest.MonkeyPatch
) -> None:
    save("One")
    save("Two")
    with monkeypatch.context() as patch:
        refuse_to_write(patch, FULL)
        ran = run("test", "--all", "--json")
    assert (ran.code, [each["verdict"] for each in ran.document["results"]]) == (0, ["pass", "pass"])
    (line,) = ran.err.splitlines()
    assert line.startswith("smtp-wizard: Results and refused sign-ins could not be kept in ")
    assert line.endswith("no space left on the disk.")
    assert [each.last for each in SavedAccounts(saved_accounts._folder).list()] == [None, None]


def test_a_scenario_that_is_gone_is_told_beside_the_other_results(save: Save) -> None:
    save("One")
    save("Two", sandbox="nonesuch")
    ran = run("test", "--all", "--json")
    assert ran.code == 1
    assert ran.document["results"][1]["findings"][0]["code"] == "not-testable"


def test_a_damaged_file_of_accounts_exits_3(saved_accounts: SavedAccounts, save: Save) -> None:
    save("Office")
    saved_accounts._file.write_text("{", "utf-8")
    ran = run("test", "--json")
    assert (ran.code, ran.error["code"]) == (3, "accounts")


def test_a_refused_connection_is_a_failure_of_the_check(save: Save) -> None:
    with refused_port() as port:
        save("Office", endpoint=Endpoint("127.0.0.1", port, Security.TLS), sandbox=None, path=None, provider=None)
        ran = run("test", "--json")
    assert (ran.code, ran.stages[1]) == (1, ("connect", "fail"))
    assert checked(ran.out)["results"][0]["account"] == "Office"


# --- the stage in the exit code ---


def test_the_exit_code_tells_the_stage_where_that_is_wanted(save: Save) -> None:
    save("Refused", path="wrong-password", sandbox="wrong-password")
    assert run("test", "Refused").code == 1
    save("Again", path="wrong-password", sandbox="wrong-password")
    assert run("test", "Again", "--exit-by-stage").code == 16


def test_of_several_accounts_the_earliest_stage_is_told_and_good_ones_change_nothing(
    save: Save, monkeypatch: pytest.MonkeyPatch
) -> None:
    with refused_port() as port:
        save("Good")
        assert run("test", "Good", "--exit-by-stage").code == 0
        monkeypatch.setenv("PASSWORD_GOOD", PASSWORD)
        save("Refused", path="wrong-password", sandbox="wrong-password")
        save("Shut", endpoint=Endpoint("127.0.0.1", port, Security.STARTTLS), sandbox=None, provider=None, path=None)
        assert run("test", "--all", "--exit-by-stage", "--json").code == 11


def test_where_the_time_was_up_no_stage_has_failed() -> None:
    endpoint = PRACTICE.connection.endpoint
    ended = time_is_up(1, sent=False)
    late = CheckOutcome(None, Report(endpoint, (CheckResult(Stage.DNS, Verdict.UNKNOWN, 0.0, ended.title, ended),)))
    refused = CheckOutcome(None, Report(endpoint, (CheckResult(Stage.AUTH, Verdict.FAIL, 0.1),)))
    assert stage_exit_code([late]) == stage_exit_code([not_begun(None, endpoint, 1)]) == 1
    assert stage_exit_code([late, refused]) == 16


def test_a_password_that_cannot_be_read_takes_precedence_over_the_stage(save: Save) -> None:
    save("Refused", path="wrong-password", sandbox="wrong-password")
    save("Nowhere", store=SESSION)
    assert run("test", "--all", "--exit-by-stage", "--json").code == 3


def test_every_stage_has_its_code_and_a_plugin_its_own() -> None:
    assert {stage: STAGE_CODES[stage] for stage in Stage} == dict(zip(Stage, range(10, 20), strict=True))
    assert run("test", "--all", "--format", "nagios", "--exit-by-stage").code == 3


# --- many at once ---


def test_each_line_has_its_place_among_those_that_were_asked_for(save: Save) -> None:
    """The lines come as the checks end, in whatever order that is."""
    for name in ("C", "A", "B"):
        save(name)
    lines = [checked(line) for line in run("test", "C", "A", "B", "--format", "jsonl").out.splitlines()]
    assert {each["account"]: each["index"] for each in lines} == {"C": 0, "A": 1, "B": 2}


def test_the_document_is_in_order_and_has_what_will_end(save: Save) -> None:
    save("Zoo")
    save("Ends", provider="microsoft365", path="password")
    results = run("test", "Zoo", "Ends", "--json").document["results"]
    assert [(each["account"], each["index"], len(each["warnings"])) for each in results] == [
        ("Zoo", 0, 0),
        ("Ends", 1, 1),
    ]
    assert results[0]["change"] is None


def test_a_way_that_is_closed_is_a_warning_to_nagios_and_prometheus(
    save: Save, monkeypatch: pytest.MonkeyPatch
) -> None:
    save("Ends", provider="microsoft365", path="password")
    ran = run("test", "--format", "nagios")
    assert ran.code == 1
    assert ran.out.startswith("SMTP WARNING - Ends: 2026-12-31: ")
    assert "'Ends certificate days'=" in ran.out
    monkeypatch.setenv("PASSWORD_ENDS", PASSWORD)
    text = run("test", "--format", "prometheus").out
    metrics = {each.name: each.samples for each in text_string_to_metric_families(text)}
    assert [each.labels["kind"] for each in metrics["smtp_wizard_warning"]] == ["retirement"]
    assert metrics["smtp_wizard_certificate_days"][0].value > 0


def test_on_a_terminal_it_is_shown_how_far_it_has_come(save: Save, tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.touch(0o600)
    secret.write_text(PASSWORD, "utf-8")
    for name in ("One", "Two", "Three"):
        save(name, store=StoreRef(StoreKind.FILE, str(secret)))
    ran = on_terminal(["test", "--all", "--format", "jsonl"])
    assert ran.code == 0
    assert "\r1 of 3 tested\x1b[K\r\x1b[K{" in ran.out
    assert "\r" not in on_terminal(["test", "--all", "--format", "jsonl"], term="dumb").out.replace("\r\n", "\n")


async def test_a_signal_ends_it_and_prints_what_was_done(save: Save, tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.touch(0o600)
    secret.write_text(PASSWORD, "utf-8")
    with silent_port() as port:
        stuck = Endpoint("127.0.0.1", port, Security.STARTTLS)
        kept = StoreRef(StoreKind.FILE, str(secret))
        save("Good", store=kept)
        # Of one mailbox one sign-in at a time would be made, in whichever order the secrets are read.
        save("Stuck", endpoint=stuck, sandbox=None, path=None, provider=None, store=kept, username="bob")
        with started("test", "--all", "--json", "-v") as process:
            await asyncio.to_thread(_told_of, process, "== Good")
            process.send_signal(signal.SIGTERM)
            out, err = await asyncio.to_thread(process.communicate)
    assert process.returncode == 128 + signal.SIGTERM
    good, stuck = checked(out)["results"]
    assert (good["account"], good["verdict"]) == ("Good", "pass")
    assert (stuck["account"], [each["code"] for each in stuck["findings"]]) == ("Stuck", ["interrupted"])
    assert "Ended by SIGTERM. Not tested: Stuck." in err


@pytest.mark.parametrize(
    ("form", "sign"),
    [
        ("plain", "\n1 of 2 well. 1 not tested.\n"),
        ("json", '"code": "interrupted"'),
        ("junit", '<testsuite name="Two" tests="1" failures="0" errors="1"'),
        ("prometheus", 'smtp_wizard_check_success{account="Two",host="127.0.0.1",port="5871",security="starttls"} 0'),
    ],
)
def test_what_a_signal_left_undone_is_in_what_is_printed(
    save: Save, monkeypatch: pytest.MonkeyPatch, form: str, sign: str
) -> None:
    account = save("One")
    save("Two")

    def stopped(running: tester.Tester, came: tester.Came) -> None:
        report = Report(account.connection.endpoint, (CheckResult(Stage.AUTH, Verdict.PASS, 0.1),))
        running.outcomes[0] = CheckOutcome(account.name, report)
        raise Interrupted(signal.SIGINT, running.undone())

    monkeypatch.setattr(tester.Tester, "run", stopped)
    ran = run("test", "--all", "--format", form)
    assert ran.code == 130
    assert sign in ran.out
    assert "Not tested: Two." in ran.err


def _told_of(process: subprocess.Popen[str], words: str) -> None:
    assert process.stderr is not None
    for line in process.stderr:
        if words in line:
            return
    raise AssertionError(f"{words} was never said")
