"""Reports as JSON."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

from smtp_wizard.engine.base.shown import shown
from smtp_wizard.engine.checks.report import CheckResult
from smtp_wizard.engine.diagnosis.finding import Finding
from smtp_wizard.engine.smtp.transport import TlsFacts
from smtp_wizard.output.lines import ms
from smtp_wizard.output.outcome import Outcome


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
        "capabilities": {shown(name): shown(value) for name, value in report.capabilities.items()},
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
