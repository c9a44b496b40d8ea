"""How a check came out: its stages, and the whole."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import TYPE_CHECKING

from smtp_wizard.engine.base.connection import Family
from smtp_wizard.engine.base.endpoint import Endpoint
from smtp_wizard.engine.base.shown import NO_WORDS, Shown
from smtp_wizard.engine.base.stages import Stage, Verdict
from smtp_wizard.engine.lazy_dataclass import dataclass

if TYPE_CHECKING:
    from datetime import datetime

    from smtp_wizard.engine.base.connection import Family
    from smtp_wizard.engine.base.endpoint import Endpoint
    from smtp_wizard.engine.diagnosis.finding import Finding
    from smtp_wizard.engine.smtp.tls import TlsFacts

_GOOD = (Verdict.PASS, Verdict.WARN)


class Speaker(StrEnum):
    """Whose words a transcript line holds."""

    OURS = "C"
    THEIRS = "S"
    NOTE = "*"


@dataclass(frozen=True, slots=True)
class CheckResult:
    """How one stage came out. `detail` is one short line for a person."""

    stage: Stage
    verdict: Verdict
    took: float
    """Seconds."""
    detail: Shown = NO_WORDS
    finding: Finding | None = None
    family: Family | None = None
    """Set by `connect`: the family that worked."""
    address: str | None = None
    """Set by `connect`: the IP address that answered."""
    tls: TlsFacts | None = None
    """Set by `tls` or `starttls`. Where they failed: what a second look saw, which nobody should believe."""
    capabilities: Mapping[str, Shown] | None = None
    """Set by `ehlo`, and again by `starttls`: EHLO keyword -> parameters."""
    mechanism: str | None = None
    """Set by `auth`: the SASL mechanism used."""


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

    def certificate_end(self, now: datetime) -> datetime | None:
        """When the server's certificate ends, or has ended; None where none was seen that anybody should believe.

        One that has run out is believed in this alone: it is why the connection failed.
        """
        seen = ((each.tls.not_after, each.verdict in _GOOD) for each in self.results if each.tls is not None)
        return next((ends for ends, good in seen if ends is not None and (good or ends <= now)), None)

    @property
    def capabilities(self) -> Mapping[str, Shown]:
        """What EHLO offered last (the one under TLS where there is one)."""
        offered = [r.capabilities for r in self.results if r.capabilities is not None]
        return offered[-1] if offered else {}

    @property
    def mechanism(self) -> str | None:
        return next((r.mechanism for r in self.results if r.mechanism is not None), None)
