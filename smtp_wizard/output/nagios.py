"""Reports as the output of a Nagios plugin."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime

from smtp_wizard.engine.base.shown import Shown, cut, phrase
from smtp_wizard.engine.base.stages import Verdict
from smtp_wizard.engine.checks.runner import SOON
from smtp_wizard.output.check_outcome import CheckOutcome

NAGIOS_CRITICAL, NAGIOS_UNKNOWN = 2, 3
_NAGIOS = {0: "OK", 1: "WARNING", 2: "CRITICAL", 3: "UNKNOWN"}


_NAGIOS_CODES = {Verdict.PASS: 0, Verdict.WARN: 1, Verdict.FAIL: 2, Verdict.UNKNOWN: 3, Verdict.SKIPPED: 3}


_NAGIOS_ORDER = (2, 3, 1, 0)
"""Which of several states speaks for all, worst first."""


def nagios(
    outcomes: Sequence[CheckOutcome], now: datetime, unread: Sequence[tuple[str, Shown]] = ()
) -> tuple[str, int]:
    """Return the lines and the exit code of a Nagios plugin (Monitoring Plugins Development Guidelines).

    What is about to end is a warning. `now`: from when the days of certificates are counted. `unread`: accounts that
    could not be tested since their entries cannot be used, each with its name and why. Of many accounts those that are
    not well come first and the performance data last: what is too long is cut at its end.
    """
    states = [(_state(outcome), _result(outcome)) for outcome in outcomes]
    states += [(NAGIOS_UNKNOWN, why) for _, why in unread]
    if not states:
        return "SMTP OK - no account is to be tested", 0
    states.sort(key=lambda each: _NAGIOS_ORDER.index(each[0]))
    code, head = states[0]
    alike = sum(each == code for each, _ in states)
    if not code:
        head = phrase("{} of {} can send", alike, len(states))
    elif alike > 1:
        head = phrase("{} (and {} more)", head, alike - 1)
    lines = [f"SMTP {_NAGIOS[code]} - {_nagios_text(head)}"]
    if len(states) > 1:
        lines += [f"{_NAGIOS[each]}: {_nagios_text(words)}" for each, words in states]
    if outcomes:
        lines[-1] += f" | {' '.join(figure for outcome in outcomes for figure in _figures(outcome, now))}"
    return "\n".join(lines), code


def _state(outcome: CheckOutcome) -> int:
    code = _NAGIOS_CODES[outcome.report.verdict]
    return 1 if code == 0 and outcome.warnings else code


def _figures(outcome: CheckOutcome, now: datetime) -> Iterator[str]:
    """Yield the performance data of one account: how long its check took, how many days its certificate has left."""
    yield f"{_label(outcome.title)}={outcome.report.took:.3f}s"
    if (days := outcome.certificate_days(now)) is not None:
        yield f"{_label(phrase('{} certificate days', outcome.title))}={days};{SOON.days}:;0:"


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
