"""Reports as the output of a Nagios plugin."""

from __future__ import annotations

from collections.abc import Sequence

from smtp_wizard.engine.base.shown import Shown, cut, phrase
from smtp_wizard.engine.base.stages import Verdict
from smtp_wizard.output.outcome import CheckOutcome

NAGIOS_CRITICAL, NAGIOS_UNKNOWN = 2, 3
_NAGIOS = {0: "OK", 1: "WARNING", 2: "CRITICAL", 3: "UNKNOWN"}


_NAGIOS_CODES = {Verdict.PASS: 0, Verdict.WARN: 1, Verdict.FAIL: 2, Verdict.UNKNOWN: 3, Verdict.SKIPPED: 3}


_NAGIOS_ORDER = (2, 3, 1, 0)
"""Which of several states speaks for all, worst first."""


def nagios(outcomes: Sequence[CheckOutcome]) -> tuple[str, int]:
    """Return the lines and the exit code of a Nagios plugin (Monitoring Plugins Development Guidelines)."""
    codes = [_NAGIOS_CODES[outcome.report.verdict] for outcome in outcomes]
    code = next((code for code in _NAGIOS_ORDER if code in codes), 3)
    well = codes.count(0)
    bad = [outcome for outcome, each in zip(outcomes, codes, strict=True) if each == code and code]
    head = _result(bad[0]) if bad else phrase("{} of {} can send", well, len(codes))
    if len(bad) > 1:
        head = phrase("{} (and {} more)", head, len(bad) - 1)
    times = " ".join(f"{_label(outcome.title)}={outcome.report.took:.3f}s" for outcome in outcomes)
    first = f"SMTP {_NAGIOS[code]} - {_nagios_text(head)} | {times}"
    rest = [f"{_NAGIOS[each]}: {_nagios_text(_result(outcome))}" for outcome, each in zip(outcomes, codes, strict=True)]
    return "\n".join([first, *(rest if len(outcomes) > 1 else [])]), code


def _result(outcome: CheckOutcome) -> Shown:
    return phrase("{}: {}", outcome.title, outcome.words)


def nagios_unknown(sentence: Shown) -> str:
    """Return the line of a plugin that could not look."""
    return f"SMTP UNKNOWN - {_nagios_text(sentence)}"


def _nagios_text(text: Shown) -> str:
    # A bar begins the performance data.
    return cut(text).replace("|", "/")


def _label(name: Shown) -> str:
    plain = _nagios_text(name).replace("'", "''").replace("=", "_")
    return f"'{plain}'"
