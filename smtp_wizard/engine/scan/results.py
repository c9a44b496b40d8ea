"""What is known of a host's ports: values that a probe tells, and the ranking of what serves. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from enum import StrEnum

from smtp_wizard.engine.base.connection import Family
from smtp_wizard.engine.base.endpoint import Endpoint, Security
from smtp_wizard.engine.base.stages import Stage, Verdict
from smtp_wizard.engine.checks import events as check
from smtp_wizard.engine.checks.report import Report
from smtp_wizard.engine.lazy_dataclass import dataclass
from smtp_wizard.engine.scan.ports import ScanRequest
from smtp_wizard.engine.smtp.symptom import Fault, Symptom


@dataclass(frozen=True, slots=True)
class PortAttempt:
    """One port over one family, spoken to in one way."""

    endpoint: Endpoint
    family: Family | None
    """None where the host's name led to no address."""


@dataclass(frozen=True, slots=True)
class AttemptResult:
    """What came of one attempt."""

    attempt: PortAttempt
    report: Report
    at: float
    """Seconds from the beginning of the probe to the end of this attempt."""
    symptom: Symptom | None = None
    """What went wrong, where something did."""
    inspector: str = ""
    """Who signed the certificate, where that is a program or a company that reads along."""
    foreign_name: str = ""
    """The name by which the server calls itself, where it belongs to somebody else than the host that was asked for."""

    @property
    def serves(self) -> bool:
        """Whether mail could be handed in here, as far as can be said without a password."""
        return self.report.verdict in (Verdict.PASS, Verdict.WARN)

    @property
    def connected(self) -> bool:
        """Whether a connection came about."""
        reached = self.report.result(Stage.CONNECT)
        return reached is not None and reached.verdict is Verdict.PASS

    @property
    def fault(self) -> Fault | None:
        """What kind of thing went wrong."""
        return self.symptom.fault if self.symptom else None


# How much each fault tells of a port, of two attempts that came equally far; what is not named tells most.
_LITTLE = (Fault.NO_NETWORK, Fault.SILENT, Fault.CLOSED, Fault.RESET, Fault.SPEAKS_TLS, Fault.SPEAKS_PLAIN)


@dataclass(frozen=True, slots=True)
class PortResult:
    """What is known of one port."""

    asked: Endpoint
    """The port, in the way that was tried first."""
    attempts: tuple[AttemptResult, ...]
    """In the order in which they ended."""

    @property
    def port(self) -> int:
        """Its number."""
        return self.asked.port

    @property
    def leading_attempt(self) -> AttemptResult:
        """The attempt that speaks for the port: one that serves, else the one that tells most."""
        return max(self.attempts, key=_telling)

    @property
    def report(self) -> Report:
        """What its leading_attempt reports."""
        return self.leading_attempt.report

    @property
    def serves(self) -> bool:
        """Whether the port serves."""
        return self.leading_attempt.serves

    @property
    def families(self) -> tuple[Family, ...]:
        """The families over which it serves."""
        served = {each.attempt.family for each in self.attempts if each.serves}
        return tuple(family for family in Family if family in served)

    @property
    def signs_in(self) -> bool:
        """Whether a sign-in is offered."""
        return "AUTH" in self.report.capabilities


def _telling(result: AttemptResult) -> tuple[bool, int, int]:
    passed = sum(each.verdict in (Verdict.PASS, Verdict.WARN) for each in result.report.results)
    fault = result.fault
    return result.serves, passed, _LITTLE.index(fault) if fault in _LITTLE else len(_LITTLE)


class BestReason(StrEnum):
    """Why the best port is the best."""

    RECOMMENDED = "recommended"
    """The provider itself recommends it."""
    FROM_THE_START = "from-the-start"
    """Encrypted from the first byte (RFC 8314 section 3)."""
    SUBMISSION = "submission"
    """The port for handing mail in (RFC 6409), and encrypted."""
    ENCRYPTED = "encrypted"
    """Encrypted, and nothing better answers."""
    RELAY_PORT = "relay-port"
    """Port 25 is for servers among themselves; nothing better answers."""
    NO_SIGN_IN = "no-sign-in"
    """It offers no sign-in, and nothing that does answers."""
    CLEAR = "clear"
    """Not encrypted; nothing better was found."""


@dataclass(frozen=True, slots=True)
class BestPort:
    """The port to take."""

    endpoint: Endpoint
    families: tuple[Family, ...]
    why: BestReason


@dataclass(frozen=True, slots=True)
class ScanResult:
    """What is known of a host."""

    question: ScanRequest
    ports: tuple[PortResult, ...] = ()
    """As far as they have answered, in the order in which they were asked."""

    @property
    def serving(self) -> tuple[PortResult, ...]:
        """The ports that serve, best first."""
        return tuple(sorted((each for each in self.ports if each.serves), key=self._rank))

    @property
    def ranked(self) -> tuple[PortResult, ...]:
        """All ports: those that serve first, best first."""
        return (*self.serving, *(each for each in self.ports if not each.serves))

    @property
    def best(self) -> BestPort | None:
        """The best port that serves, None where none does."""
        if not self.serving:
            return None
        first = self.serving[0]
        return BestPort(first.report.endpoint, first.families, self._why(first))

    def _rank(self, each: PortResult) -> tuple[bool, bool, int, bool, bool, int]:
        endpoint, known = each.report.endpoint, self.question.recommended
        return (
            not each.signs_in,
            endpoint.security is Security.NONE,
            known.index(endpoint) if endpoint in known else len(known),
            endpoint.port == _RELAY_PORT,
            endpoint.security is not Security.TLS,
            [asked.port for asked in self.question.endpoints].index(each.port),
        )

    def _why(self, each: PortResult) -> BestReason:
        endpoint = each.report.endpoint
        if endpoint.security is Security.NONE:
            return BestReason.CLEAR
        if not each.signs_in:
            return BestReason.NO_SIGN_IN
        if endpoint in self.question.recommended:
            return BestReason.RECOMMENDED
        if endpoint.port == _RELAY_PORT:
            return BestReason.RELAY_PORT
        if endpoint.security is Security.TLS:
            return BestReason.FROM_THE_START
        return BestReason.SUBMISSION if endpoint.port == _SUBMISSION_PORT else BestReason.ENCRYPTED


_RELAY_PORT = 25
_SUBMISSION_PORT = 587


@dataclass(frozen=True, slots=True)
class ScanStarted:
    """The probe has begun."""

    question: ScanRequest


@dataclass(frozen=True, slots=True)
class AttemptEvent:
    """Something happened in the check of one attempt."""

    attempt: PortAttempt
    event: check.Event


@dataclass(frozen=True, slots=True)
class PortScanned:
    """A port serves, or has been tried in every way. Told again when another family adds to it: the last counts."""

    result: PortResult


@dataclass(frozen=True, slots=True)
class ScanFinished:
    """All has been tried."""

    probe: ScanResult


ScanEvent = ScanStarted | AttemptEvent | PortScanned | ScanFinished
EmitScanEvent = Callable[[ScanEvent], None]


def fold_scan(question: ScanRequest, events: Iterable[ScanEvent]) -> ScanResult:
    """Fold events into what is known. Law: all of them give what `ScanFinished` carries."""
    seen = {event.result.port: event.result for event in events if isinstance(event, PortScanned)}
    return scan_result(question, seen)


def scan_result(question: ScanRequest, seen: dict[int, PortResult]) -> ScanResult:
    """Return what is known, from the results by port."""
    return ScanResult(question, tuple(seen[each.port] for each in question.endpoints if each.port in seen))
