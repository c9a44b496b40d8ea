"""Events and reports as plain lines, JSON, JUnit, Nagios and Prometheus. Pure: nothing here writes anywhere."""

from __future__ import annotations

import json
import re
import textwrap
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, assert_never

from smtp_wizard.engine.check import (
    CheckResult,
    Event,
    Line,
    Report,
    RunFinished,
    StageFinished,
    StageStarted,
)
from smtp_wizard.engine.diagnosis import Finding
from smtp_wizard.engine.model import Depth, Endpoint, Stage, Verdict, Who, clean
from smtp_wizard.engine.wire import TlsFacts

WIDTH = 78
"""Columns of a plain report in a terminal of 80."""

STAGE_WORDS: Mapping[Stage, str] = {
    Stage.DNS: "Find server",
    Stage.CONNECT: "Reach port",
    Stage.TLS: "Encryption",
    Stage.GREETING: "Greeting",
    Stage.EHLO: "Hello",
    Stage.STARTTLS: "Encryption",
    Stage.AUTH: "Sign in",
    Stage.MAIL: "Sender",
    Stage.RCPT: "Recipient",
    Stage.DATA: "Message",
}
"""What a person reads for a stage."""

VERDICT_WORDS: Mapping[Verdict, str] = {
    Verdict.PASS: "ok",
    Verdict.WARN: "warn",
    Verdict.FAIL: "FAIL",
    Verdict.SKIPPED: "--",
    Verdict.UNKNOWN: "????",
}
"""What a person reads for a verdict: a word first, colour second."""

_WHO_WORDS: Mapping[Who, str] = {
    Who.YOU: "You",
    Who.PROVIDER: "Your mail provider",
    Who.ADMIN: "Whoever administers the mail",
    Who.HOST: "Whoever runs the computer that sends",
    Who.NETWORK: "Whoever runs the network",
    Who.APP: "The maker of the application that sends",
    Who.RECIPIENT: "The recipient",
}


def who_words(who: Who) -> str:
    """Return what a person reads for who must act."""
    return _WHO_WORDS[who]


def ms(seconds: float) -> float:
    """Return seconds as milliseconds, to a tenth."""
    return round(seconds * 1000, 1)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one check that a command was asked for."""

    account: str | None
    """The name of the saved account, where there is one."""
    report: Report
    obstacle: Finding | None = None
    """Why the check could not even begin. The report is empty then."""

    @property
    def findings(self) -> tuple[Finding, ...]:
        """Everything that a person should read."""
        return (self.obstacle,) if self.obstacle is not None else self.report.findings

    @property
    def title(self) -> str:
        """How a list calls it: the account, or host and port."""
        return self.account or str(self.report.endpoint)

    @property
    def words(self) -> str:
        """One short phrase: how it came out."""
        if self.findings:
            return self.findings[0].title
        return {Verdict.PASS: "all checks passed", Verdict.SKIPPED: "nothing was checked"}.get(
            self.report.verdict, self.report.verdict.value
        )


# --- plain lines ----------------------------------------------------------------------------------------------------

_ROW_START = 6
_ROW_STAGE = 14


def row(result: CheckResult) -> list[str]:
    """Return one stage as a person reads it: 'ok    Find server   mail.example.com is 192.0.2.1   12 ms'."""
    took = "" if result.verdict is Verdict.SKIPPED else _took(result.took)
    head = f"{VERDICT_WORDS[result.verdict]:<{_ROW_START}}{STAGE_WORDS[result.stage]:<{_ROW_STAGE}}"
    return _wrapped(f"{result.detail}{took}", head)


def _took(seconds: float) -> str:
    # A no-break space, so that figure and unit stay on one line; `_wrapped` makes it an ordinary one.
    return f"   {seconds * 1000:.0f}\u00a0ms"


def finding_lines(finding: Finding) -> list[str]:
    """Return a finding as a person reads it: what, who, steps, the server's words; indented below its row."""
    margin = " " * _ROW_START
    lines = _wrapped(finding.explanation, margin) if finding.explanation else []
    lines += _wrapped(who_words(finding.who), f"{margin}Who must act: ")
    lines += [f"{margin}What to do:"] if finding.steps else []
    for number, step in enumerate(finding.steps, 1):
        lines += _wrapped(step, f"{margin}{number:>2}. ")
    if finding.fix is not None:
        lines += _wrapped(endpoint_words(finding.fix), f"{margin}Try instead: ")
    if finding.guide:
        lines += _wrapped(f"smtp-wizard guide {finding.guide}", f"{margin}More help: ")
    if finding.server_said:
        lines += _wrapped(finding.server_said, f"{margin}The server said: ")
    if finding.forward:
        lines.append(f"{margin}A message that you can send to them:")
        lines += [f"{margin}  > {line}".rstrip() for line in _letter(finding.forward)]
    return lines


def endpoint_words(endpoint: Endpoint) -> str:
    """Return an endpoint as it is typed into a form: 'mail.example.com, port 587, STARTTLS'."""
    return f"{endpoint.host}, port {endpoint.port}, {endpoint.security.words}"


def transcript_line(line: Line) -> str:
    """Return one line of the transcript: when, whose words, in clear text or not."""
    return f"{line.at:8.3f} {line.way.value}{' ' if line.encrypted else '!'} {line.text}".rstrip()


PERHAPS_SENT = "Nobody can say whether the message was sent: look for it before you send it again."
"""What is said where the message may or may not be on its way."""
TRANSCRIPT_LEGEND = "C: this program   S: the server   *: a note   !: not encrypted"
"""What stands above a transcript."""


def plain_report(outcome: Outcome) -> list[str]:
    """Return a whole report as plain lines."""
    lines = [line for result in outcome.report.results for line in result_lines(result)]
    if outcome.obstacle is not None:
        lines += _wrapped(outcome.obstacle.title, f"{VERDICT_WORDS[Verdict.FAIL]:<{_ROW_START}}")
        lines += finding_lines(outcome.obstacle)
    return lines


def result_lines(result: CheckResult) -> list[str]:
    """Return one stage with its finding as plain lines."""
    return row(result) + (finding_lines(result.finding) if result.finding is not None else [])


def summary(report: Report, depth: Depth) -> list[str]:
    """Return the last words below a report: what was proved, and what was not."""
    words = {
        Depth.SERVER: "The server answers as it should. The password was not checked.",
        Depth.LOGIN: "The server lets you in. No message was sent.",
        Depth.SEND: "The server has taken the test message. Whether it arrived, look in the mailbox that it went to.",
    }
    match report.verdict:
        case Verdict.PASS | Verdict.WARN:
            return _wrapped(words[depth], "")
        case Verdict.UNKNOWN:
            return _wrapped(PERHAPS_SENT, "") if _perhaps_sent(report) else []
        case Verdict.FAIL | Verdict.SKIPPED:
            return []
    assert_never(report.verdict)


def _perhaps_sent(report: Report) -> bool:
    """Whether the connection was lost after the message had gone out; what was cut short before that sent nothing."""
    data = report.result(Stage.DATA)
    return data is not None and data.verdict is Verdict.UNKNOWN


def paragraph(text: str, head: str = "") -> list[str]:
    """Return a text as lines of a plain report, behind `head`."""
    return _wrapped(text, head)


def plain_printer(write: Callable[[str], None], transcript: Callable[[str], None] | None) -> Callable[[Event], None]:
    """Return a reader of events that writes each stage as it ends, and the transcript where somebody wants it."""

    def read(event: Event) -> None:
        match event:
            case StageStarted() | RunFinished():
                pass
            case Line():
                if transcript is not None:
                    transcript(transcript_line(event))
            case StageFinished(result):
                for line in result_lines(result):
                    write(line)
            case _:
                assert_never(event)

    return read


def coloured(line: str) -> str:
    """Return a plain line with its verdict in colour. The words stay the same."""
    word = line[:_ROW_START].strip()
    code = {"ok": "32", "warn": "33", "FAIL": "31;1", "????": "33;1"}.get(word)
    return f"\x1b[{code}m{word}\x1b[0m{line[len(word) :]}" if code else line


def _wrapped(text: str, head: str) -> list[str]:
    """Wrap a paragraph behind `head`, the following lines under its beginning. Long words are left whole."""
    indent = " " * len(head)
    lines = textwrap.wrap(
        text, WIDTH, initial_indent=head, subsequent_indent=indent, break_long_words=False, break_on_hyphens=False
    )
    return [line.replace("\u00a0ms", " ms") for line in lines] or [head.rstrip()]


def _letter(text: str) -> Iterator[str]:
    for line in text.splitlines():
        yield from textwrap.wrap(line, WIDTH - 10, break_long_words=False, break_on_hyphens=False) or [""]


# --- JSON -----------------------------------------------------------------------------------------------------------


def document(command: str, **content: Any) -> str:
    """Return one JSON document of a command, without its line end."""
    return json.dumps({"schema": f"smtp-wizard/{command}/1", **content}, ensure_ascii=False, indent=2)


def outcome_json(outcome: Outcome) -> dict[str, Any]:
    """Return one entry of `results`."""
    report = outcome.report
    return {
        "account": outcome.account,
        "host": report.endpoint.host,
        "port": report.endpoint.port,
        "security": report.endpoint.security.value,
        "family": report.family.value if report.family else None,
        "verdict": report.verdict.value,
        "stages": [_stage_json(result) for result in report.results],
        "findings": [finding_json(finding) for finding in outcome.findings],
        "mechanism": report.mechanism,
        "capabilities": {clean(name): clean(value) for name, value in report.capabilities.items()},
        "tls": _tls_json(report.tls) if report.tls else None,
        "ms": ms(report.took),
    }


def finding_json(finding: Finding) -> dict[str, Any]:
    """Return a finding as JSON."""
    return {
        "code": finding.code,
        "title": finding.title,
        "explanation": finding.explanation,
        "who": finding.who.value,
        "steps": list(finding.steps),
        "guide": finding.guide,
        "forward": finding.forward,
        "server_said": finding.server_said,
    }


def json_line(outcome: Outcome) -> str:
    """Return an outcome as one line of JSON Lines."""
    return json.dumps({"schema": "smtp-wizard/test-line/1", **outcome_json(outcome)}, ensure_ascii=False)


def _stage_json(result: CheckResult) -> dict[str, Any]:
    return {
        "stage": result.stage.value,
        "verdict": result.verdict.value,
        "ms": ms(result.took),
        "detail": result.detail,
        "finding": result.finding.code if result.finding else None,
    }


def _tls_json(facts: TlsFacts) -> dict[str, Any]:
    return {
        "version": facts.version,
        "cipher": facts.cipher,
        "subject": facts.subject,
        "issuer": facts.issuer,
        "not_after": moment(facts.not_after) if facts.not_after else None,
        "names": list(facts.names),
    }


def moment(when: datetime) -> str:
    """Return a time as JSON has it: UTC, to the second."""
    return when.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


# --- JUnit ----------------------------------------------------------------------------------------------------------


def junit(outcomes: Sequence[Outcome]) -> str:
    """Return JUnit XML: a suite an account, a case a stage."""
    suites = [_suite(outcome) for outcome in outcomes]
    return "\n".join(['<?xml version="1.0" encoding="UTF-8"?>', "<testsuites>", *suites, "</testsuites>"])


def _suite(outcome: Outcome) -> str:
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


# --- Nagios ---------------------------------------------------------------------------------------------------------

_NAGIOS = {0: "OK", 1: "WARNING", 2: "CRITICAL", 3: "UNKNOWN"}
_NAGIOS_CODES = {Verdict.PASS: 0, Verdict.WARN: 1, Verdict.FAIL: 2, Verdict.UNKNOWN: 3, Verdict.SKIPPED: 3}
_NAGIOS_ORDER = (2, 3, 1, 0)
"""Which of several states speaks for all, worst first."""


def nagios(outcomes: Sequence[Outcome]) -> tuple[str, int]:
    """Return the lines and the exit code of a Nagios plugin (Monitoring Plugins Development Guidelines)."""
    codes = [_NAGIOS_CODES[outcome.report.verdict] for outcome in outcomes]
    code = next((code for code in _NAGIOS_ORDER if code in codes), 3)
    well = codes.count(0)
    bad = [outcome for outcome, each in zip(outcomes, codes, strict=True) if each == code and code]
    head = f"{bad[0].title}: {bad[0].words}" if bad else f"{well} of {len(codes)} can send"
    more = f" (and {len(bad) - 1} more)" if len(bad) > 1 else ""
    times = " ".join(f"{_label(outcome.title)}={outcome.report.took:.3f}s" for outcome in outcomes)
    first = f"SMTP {_NAGIOS[code]} - {_nagios_text(head + more)} | {times}"
    rest = [
        f"{_NAGIOS[each]}: {_nagios_text(f'{outcome.title}: {outcome.words}')}"
        for outcome, each in zip(outcomes, codes, strict=True)
    ]
    return "\n".join([first, *(rest if len(outcomes) > 1 else [])]), code


def nagios_unknown(sentence: str) -> str:
    """Return the line of a plugin that could not look."""
    return f"SMTP UNKNOWN - {_nagios_text(sentence)}"


def _nagios_text(text: str) -> str:
    # A bar begins the performance data.
    return clean(text).replace("|", "/")


def _label(name: str) -> str:
    plain = _nagios_text(name).replace("'", "''").replace("=", "_")
    return f"'{plain}'"


# --- Prometheus -----------------------------------------------------------------------------------------------------

_METRICS = {
    "smtp_wizard_check_success": "Whether the whole check passed (1) or not (0).",
    "smtp_wizard_check_duration_seconds": "Seconds that the stages of the check took.",
    "smtp_wizard_stage_success": "Whether a stage passed (1) or not (0); stages that were not reached are left out.",
    "smtp_wizard_stage_duration_seconds": "Seconds that a stage took.",
    "smtp_wizard_certificate_not_after_seconds": "When the certificate runs out, in Unix time.",
}


def prometheus(outcomes: Sequence[Outcome]) -> str:
    """Return the outcomes in Prometheus' text format (version 0.0.4), for a textfile collector."""
    samples: dict[str, list[str]] = {name: [] for name in _METRICS}
    for outcome in outcomes:
        for name, more, value in _samples(outcome):
            samples[name].append(f"{name}{{{_labels(outcome, more)}}} {value}")
    lines: list[str] = []
    for name, found in samples.items():
        if found:
            lines += [f"# HELP {name} {_METRICS[name]}", f"# TYPE {name} gauge", *found]
    return "\n".join(lines)


def _samples(outcome: Outcome) -> Iterator[tuple[str, Mapping[str, str], str]]:
    report = outcome.report
    yield "smtp_wizard_check_success", {}, _good(report.verdict)
    yield "smtp_wizard_check_duration_seconds", {}, f"{report.took:.6f}"
    for result in report.results:
        if result.verdict is not Verdict.SKIPPED:
            yield "smtp_wizard_stage_success", {"stage": result.stage.value}, _good(result.verdict)
            yield "smtp_wizard_stage_duration_seconds", {"stage": result.stage.value}, f"{result.took:.6f}"
    if report.tls is not None and report.tls.not_after is not None:
        yield "smtp_wizard_certificate_not_after_seconds", {}, f"{report.tls.not_after.timestamp():.0f}"


def _good(verdict: Verdict) -> str:
    return "1" if verdict in (Verdict.PASS, Verdict.WARN) else "0"


def _labels(outcome: Outcome, more: Mapping[str, str]) -> str:
    endpoint = outcome.report.endpoint
    known = {
        "account": outcome.account or "",
        "host": endpoint.host,
        "port": str(endpoint.port),
        "security": endpoint.security.value,
        **more,
    }
    return ",".join(f'{name}="{_escaped(value)}"' for name, value in known.items())


def _escaped(value: str) -> str:
    return clean(value).replace("\\", "\\\\").replace('"', '\\"')
