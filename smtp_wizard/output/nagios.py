"""Reports as the output of a Nagios plugin."""

from __future__ import annotations

from collections.abc import Sequence

from smtp_wizard.engine.base.shown import shown
from smtp_wizard.engine.base.stages import Verdict
from smtp_wizard.output.outcome import Outcome

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
    return shown(text).replace("|", "/")


def _label(name: str) -> str:
    plain = _nagios_text(name).replace("'", "''").replace("=", "_")
    return f"'{plain}'"
