"""Reports as JUnit XML."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import assert_never
from xml.etree.ElementTree import Element, SubElement, indent, tostring

from smtp_wizard.engine.base.shown import Shown, shown
from smtp_wizard.engine.base.stages import Verdict
from smtp_wizard.engine.checks.report import CheckResult
from smtp_wizard.engine.diagnosis.finding import Finding
from smtp_wizard.output.check_outcome import CheckOutcome
from smtp_wizard.output.plain_lines import finding_lines

NAMELESS = "(without a name)"


def junit(outcomes: Sequence[CheckOutcome], unread: Sequence[tuple[str, Shown]] = ()) -> str:
    """Return JUnit XML: a suite an account, a case a stage.

    `unread`: accounts that could not be tested since their entries cannot be used, each with its name and why.
    """
    suites = Element("testsuites")
    for outcome in outcomes:
        _suite(suites, outcome)
    for name, why in unread:
        _unread_suite(suites, shown(name, 100) or NAMELESS, why)
    indent(suites)
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{tostring(suites, encoding="unicode")}'


def _suite(suites: Element, outcome: CheckOutcome) -> None:
    report, obstacle = outcome.report, outcome.obstacle
    verdicts = [result.verdict for result in report.results]
    suite = _child(
        suites,
        "testsuite",
        name=outcome.title,
        tests=str(len(verdicts) + (obstacle is not None)),
        failures=str(sum(verdict in (Verdict.FAIL, Verdict.UNKNOWN) for verdict in verdicts)),
        errors=str(int(obstacle is not None)),
        skipped=str(verdicts.count(Verdict.SKIPPED)),
        time=_seconds(report.took),
    )
    for result in report.results:
        _case(suite, outcome.title, result)
    if obstacle is not None:
        case = _child(suite, "testcase", classname=outcome.title, name="password", time=_seconds(0))
        _child(case, "error", _failure_words(obstacle), message=obstacle.title)


def _unread_suite(suites: Element, name: str, why: Shown) -> None:
    counts = {"tests": "1", "failures": "0", "errors": "1", "skipped": "0"}
    suite = _child(suites, "testsuite", name=name, time=_seconds(0), **counts)
    case = _child(suite, "testcase", classname=name, name="account", time=_seconds(0))
    _child(case, "error", why, message="The account cannot be used")


def _case(suite: Element, title: str, result: CheckResult) -> None:
    case = _child(suite, "testcase", classname=title, name=result.stage.value, time=_seconds(result.took))
    match result.verdict:
        case Verdict.PASS:
            pass
        case Verdict.SKIPPED:
            _child(case, "skipped")
        case Verdict.WARN:
            _child(case, "system-out", _stage_words(result))
        case Verdict.FAIL | Verdict.UNKNOWN:
            kind = result.finding.code if result.finding else result.verdict.value
            _child(case, "failure", _stage_words(result), type=kind, message=result.detail)
        case _:
            assert_never(result.verdict)


def _child(parent: Element, tag: str, words: str = "", **attributes: str) -> Element:
    """Add an element with these words in it."""
    child = SubElement(parent, tag, {name: _holdable(value) for name, value in attributes.items()})
    child.text = _holdable(words) or None
    return child


def _seconds(took: float) -> str:
    return f"{took:.3f}"


def _stage_words(result: CheckResult) -> str:
    return _failure_words(result.finding) if result.finding else result.detail


def _failure_words(finding: Finding) -> str:
    return "\n".join([finding.title, *(line.strip() for line in finding_lines(finding))])


# What XML 1.0 (section 2.2) cannot hold, not even escaped.
_NO_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def _holdable(text: str) -> str:
    return _NO_XML.sub("\ufffd", text)
