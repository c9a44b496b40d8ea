"""Reports as JUnit XML."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import assert_never

from smtp_wizard.engine.base.stages import Verdict
from smtp_wizard.engine.checks.report import CheckResult
from smtp_wizard.engine.diagnosis.finding import Finding
from smtp_wizard.output.lines import finding_lines
from smtp_wizard.output.outcome import CheckOutcome


def junit(outcomes: Sequence[CheckOutcome]) -> str:
    """Return JUnit XML: a suite an account, a case a stage."""
    suites = [_suite(outcome) for outcome in outcomes]
    return "\n".join(['<?xml version="1.0" encoding="UTF-8"?>', "<testsuites>", *suites, "</testsuites>"])


def _suite(outcome: CheckOutcome) -> str:
    report = outcome.report
    cases = [_case(outcome.title, result) for result in report.results]
    if outcome.obstacle is not None:
        words = _failure_words(outcome.obstacle)
        cases.append(
            f'    <testcase classname={_attribute(outcome.title)} name="password" time="0.000">\n'
            f"      <error message={_attribute(outcome.obstacle.title)}>{_xml(words)}</error>\n    </testcase>"
        )
    verdicts = [result.verdict for result in report.results]
    failures = sum(verdict in (Verdict.FAIL, Verdict.UNKNOWN) for verdict in verdicts)
    head = (
        f'  <testsuite name={_attribute(outcome.title)} tests="{len(cases)}" failures="{failures}" '
        f'errors="{int(outcome.obstacle is not None)}" skipped="{verdicts.count(Verdict.SKIPPED)}" '
        f'time="{report.took:.3f}">'
    )
    return "\n".join([head, *cases, "  </testsuite>"])


def _case(title: str, result: CheckResult) -> str:
    head = f'    <testcase classname={_attribute(title)} name={_attribute(result.stage.value)} time="{result.took:.3f}"'
    match result.verdict:
        case Verdict.PASS:
            return f"{head}/>"
        case Verdict.SKIPPED:
            inner = "<skipped/>"
        case Verdict.WARN:
            inner = f"<system-out>{_xml(_stage_words(result))}</system-out>"
        case Verdict.FAIL | Verdict.UNKNOWN:
            kind = _attribute(result.finding.code if result.finding else result.verdict.value)
            inner = f"<failure type={kind} message={_attribute(result.detail)}>{_xml(_stage_words(result))}</failure>"
        case _:
            assert_never(result.verdict)
    return f"{head}>\n      {inner}\n    </testcase>"


def _stage_words(result: CheckResult) -> str:
    return _failure_words(result.finding) if result.finding else result.detail


def _failure_words(finding: Finding) -> str:
    return "\n".join([finding.title, *(line.strip() for line in finding_lines(finding))])


# What XML 1.0 (section 2.2) cannot hold, not even escaped.
_NO_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def _xml(text: str) -> str:
    safe = _NO_XML.sub("\ufffd", text)
    return safe.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _attribute(text: str) -> str:
    quoted = _xml(text).replace('"', "&quot;").replace("\n", "&#10;").replace("\r", "&#13;").replace("\t", "&#9;")
    return f'"{quoted}"'
