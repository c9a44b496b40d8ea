"""The line of a change: why an account fails, and every warning that is new, whichever stage it is of."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

from smtp_wizard.commands.testing.result_printer import PrintedResult, change_line
from smtp_wizard.engine.accounts.account_warnings import AccountWarning, AccountWarningKind
from smtp_wizard.engine.accounts.changes import Change
from smtp_wizard.engine.base.endpoint import Endpoint, Security
from smtp_wizard.engine.base.shown import shown
from smtp_wizard.engine.base.stages import Stage, Verdict
from smtp_wizard.engine.base.who import Who
from smtp_wizard.engine.checks.report import CheckResult, Report
from smtp_wizard.engine.diagnosis.finding import Finding
from smtp_wizard.output.check_outcome import CheckOutcome
from smtp_wizard.output.nagios import nagios

NOW = datetime(2026, 11, 30, tzinfo=UTC)
ENDPOINT = Endpoint("mail.example.com", 587, Security.STARTTLS)
CLOSING = AccountWarning(AccountWarningKind.RETIREMENT, shown("2027-03-31: The way in closes."))


def remark(code: str, verdict: Verdict = Verdict.WARN, stage: Stage = Stage.STARTTLS) -> CheckResult:
    said = Finding(
        code=code, title=shown(f"About {code}"), explanation=shown(f"Why {code}."), who=Who.PROVIDER, steps=()
    )
    return CheckResult(stage, verdict, 0.1, said.title, said)


def outcome(*results: CheckResult) -> CheckOutcome:
    return CheckOutcome(shown("R"), Report(ENDPOINT, results), warnings=(CLOSING,))


def line(change: Change, told: CheckOutcome, *news: str, ends: bool = True) -> str:
    return change_line(PrintedResult(0, told, change, told.warnings if ends else (), frozenset(news)))


def test_every_warning_that_is_new_is_named_and_no_other() -> None:
    both = outcome(remark("certificate"), remark("injected", stage=Stage.AUTH))
    assert line(Change.WARNING, both, "certificate", "injected") == (
        "warning      R: About certificate. About injected. 2027-03-31: The way in closes."
    )
    assert line(Change.WARNING, both, "injected", ends=False) == "warning      R: About injected."


def test_a_failure_is_told_before_what_an_earlier_stage_remarked_on() -> None:
    failed = outcome(remark("certificate"), remark("refused", Verdict.FAIL, Stage.AUTH))
    assert line(Change.NEW, failed, "certificate", ends=False) == (
        "new failure  R: About refused. Why refused. About certificate."
    )
    assert line(Change.OTHER_CAUSE, failed, ends=False) == "other cause  R: About refused. Why refused."


def test_a_failure_without_an_explanation_is_told_by_its_title() -> None:
    untold = remark("refused", Verdict.FAIL, Stage.AUTH)
    assert untold.finding is not None
    short = replace(untold, finding=replace(untold.finding, explanation=shown("")))
    assert line(Change.NEW, outcome(short), ends=False) == "new failure  R: About refused."


def test_what_begins_with_a_recovery_is_told_with_it() -> None:
    well = outcome(remark("certificate"))
    assert line(Change.RECOVERED, well, "certificate", ends=False) == "recovered    R: About certificate."
    assert line(Change.RECOVERED, well, ends=False) == "recovered    R"


def test_a_plugin_of_nagios_names_the_failure_too() -> None:
    failed = outcome(remark("certificate"), remark("refused", Verdict.FAIL, Stage.AUTH))
    assert nagios([failed], NOW)[0].startswith("SMTP CRITICAL - R: About refused")
