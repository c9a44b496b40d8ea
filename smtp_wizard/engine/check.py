"""The checks: stages in order, each with its own time limit, told as typed events that fold into a Report."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from smtp_wizard.engine.diagnosis import Finding
from smtp_wizard.engine.model import Endpoint, Family, Stage, Verdict


class Way(StrEnum):
    """Whose words a transcript line holds."""

    OURS = "C"
    THEIRS = "S"
    NOTE = "*"


@dataclass(frozen=True, slots=True)
class TlsFacts:
    """What the handshake proved."""

    version: str
    """'TLSv1.3'"""
    cipher: str
    subject: str = ""
    issuer: str = ""
    not_after: datetime | None = None
    names: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class CheckResult:
    """How one stage came out. `detail` is one short line for a person."""

    stage: Stage
    verdict: Verdict
    took: float
    """Seconds."""
    detail: str = ""
    finding: Finding | None = None
    family: Family | None = None
    """Set by `connect`: the family that worked."""
    address: str | None = None
    """Set by `connect`: the IP address that answered."""
    tls: TlsFacts | None = None
    """Set by `tls` or `starttls`."""
    capabilities: Mapping[str, str] | None = None
    """Set by `ehlo`, and again by `starttls`: EHLO keyword -> parameters."""
    mechanism: str | None = None
    """Set by `auth`: the SASL mechanism used."""


@dataclass(frozen=True, slots=True)
class StageStarted:
    stage: Stage


@dataclass(frozen=True, slots=True)
class Line:
    """One line of the transcript. Secrets are masked where they are encoded, so it can be shown as it is."""

    at: float
    """Seconds since the check began."""
    stage: Stage
    way: Way
    text: str
    encrypted: bool


@dataclass(frozen=True, slots=True)
class StageFinished:
    result: CheckResult


@dataclass(frozen=True, slots=True)
class Report:
    """The whole check. What is not stored is derived from the results."""

    endpoint: Endpoint
    results: tuple[CheckResult, ...] = ()

    def result(self, stage: Stage) -> CheckResult | None:
        """The result of a stage, or None if it was not reached."""
        return next((r for r in self.results if r.stage is stage), None)

    @property
    def verdict(self) -> Verdict:
        """The worst of the stages: fail, unknown, warn, pass; 'skipped' when nothing ran."""
        seen = {r.verdict for r in self.results}
        for verdict in (Verdict.FAIL, Verdict.UNKNOWN, Verdict.WARN, Verdict.PASS):
            if verdict in seen:
                return verdict
        return Verdict.SKIPPED

    @property
    def findings(self) -> tuple[Finding, ...]:
        return tuple(r.finding for r in self.results if r.finding is not None)

    @property
    def took(self) -> float:
        """Seconds spent in the stages."""
        return sum(r.took for r in self.results)

    @property
    def family(self) -> Family | None:
        return next((r.family for r in self.results if r.family is not None), None)

    @property
    def address(self) -> str | None:
        return next((r.address for r in self.results if r.address is not None), None)

    @property
    def tls(self) -> TlsFacts | None:
        return next((r.tls for r in self.results if r.tls is not None), None)

    @property
    def capabilities(self) -> Mapping[str, str]:
        """What EHLO offered last (the one under TLS where there is one)."""
        offered = [r.capabilities for r in self.results if r.capabilities is not None]
        return offered[-1] if offered else {}

    @property
    def mechanism(self) -> str | None:
        return next((r.mechanism for r in self.results if r.mechanism is not None), None)


@dataclass(frozen=True, slots=True)
class RunFinished:
    report: Report


Event = StageStarted | Line | StageFinished | RunFinished
Emit = Callable[[Event], None]


def fold(endpoint: Endpoint, events: Iterable[Event]) -> Report:
    """Fold events into the Report. Law: it equals the report that RunFinished carries."""
    return Report(endpoint, tuple(e.result for e in events if isinstance(e, StageFinished)))
