"""Reports as Prometheus metrics."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime

from smtp_wizard.engine.base.shown import Shown, shown
from smtp_wizard.engine.base.stages import Verdict
from smtp_wizard.output.check_outcome import CheckOutcome

_METRICS = {
    "smtp_wizard_check_success": "Whether the whole check passed (1) or not (0).",
    "smtp_wizard_check_duration_seconds": "Seconds that the stages of the check took.",
    "smtp_wizard_stage_success": "Whether a stage passed (1) or not (0); stages that were not reached are left out.",
    "smtp_wizard_stage_duration_seconds": "Seconds that a stage took.",
    "smtp_wizard_certificate_not_after_seconds": "When the certificate runs out, in Unix time.",
    "smtp_wizard_certificate_days": "Whole days that the certificate has left.",
    "smtp_wizard_warning": "Something that works today and is about to end, by its kind (always 1).",
}


def prometheus(outcomes: Sequence[CheckOutcome], now: datetime, unread: Sequence[tuple[str, Shown]] = ()) -> str:
    """Return the outcomes in Prometheus' text format (version 0.0.4), for a textfile collector.

    `now`: from when the days of certificates are counted. `unread`: accounts that could not be tested since their
    entries cannot be used, each with its name: of them it is known alone that they are not well.
    """
    samples: dict[str, list[str]] = {name: [] for name in _METRICS}
    for outcome in outcomes:
        for name, more, value in _samples(outcome, now):
            samples[name].append(f"{name}{{{_labels(outcome, more)}}} {value}")
    # No two samples of a metric may have the same labels.
    for name in dict.fromkeys(shown(name, 100) for name, _ in unread):
        samples["smtp_wizard_check_success"].append(f'smtp_wizard_check_success{{account="{_escaped(name)}"}} 0')
    lines: list[str] = []
    for name, found in samples.items():
        if found:
            lines += [f"# HELP {name} {_METRICS[name]}", f"# TYPE {name} gauge", *found]
    return "\n".join(lines)


def _samples(outcome: CheckOutcome, now: datetime) -> Iterator[tuple[str, Mapping[str, str], str]]:
    report = outcome.report
    yield "smtp_wizard_check_success", {}, _good(report.verdict)
    yield "smtp_wizard_check_duration_seconds", {}, f"{report.took:.6f}"
    for result in report.results:
        if result.verdict is not Verdict.SKIPPED:
            yield "smtp_wizard_stage_success", {"stage": result.stage.value}, _good(result.verdict)
            yield "smtp_wizard_stage_duration_seconds", {"stage": result.stage.value}, f"{result.took:.6f}"
    if report.tls is not None and report.tls.not_after is not None:
        yield "smtp_wizard_certificate_not_after_seconds", {}, f"{report.tls.not_after.timestamp():.0f}"
    if (days := outcome.certificate_days(now)) is not None:
        yield "smtp_wizard_certificate_days", {}, str(days)
    warned = [each.code for each in outcome.remarks]
    for kind in dict.fromkeys([*(each.kind.value for each in outcome.warnings), *warned]):
        yield "smtp_wizard_warning", {"kind": kind}, "1"


def _good(verdict: Verdict) -> str:
    return "1" if verdict in (Verdict.PASS, Verdict.WARN) else "0"


def _labels(outcome: CheckOutcome, more: Mapping[str, str]) -> str:
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
    return value.replace("\\", "\\\\").replace('"', '\\"')
