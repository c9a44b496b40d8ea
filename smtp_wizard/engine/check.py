"""What a check is: its target, its limits, its stages, and the typed events that fold into a Report."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Protocol

from smtp_wizard.engine.model import (
    Address,
    Auth,
    Depth,
    Endpoint,
    Family,
    Security,
    Stage,
    Verdict,
)
from smtp_wizard.engine.symptom import Finding, Symptom
from smtp_wizard.engine.wire import TlsFacts, Trust


class Way(StrEnum):
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
    detail: str = ""
    finding: Finding | None = None
    family: Family | None = None
    """Set by `connect`: the family that worked."""
    address: str | None = None
    """Set by `connect`: the IP address that answered."""
    tls: TlsFacts | None = None
    """Set by `tls` or `starttls`. Where they failed: what a second look saw, which nobody should believe."""
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


@dataclass(frozen=True, slots=True)
class Mail:
    """The message of a check that sends."""

    sender: Address
    """Envelope sender; it may differ from the user name."""
    recipient: Address
    content: bytes
    """RFC 5322 text."""

    @property
    def needs_utf8(self) -> bool:
        """Whether an address needs SMTPUTF8 (RFC 6531): a local part with letters outside ASCII."""
        return not (self.sender.local.isascii() and self.recipient.local.isascii())


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """What a check needs beside the secret."""

    endpoint: Endpoint
    username: str = ""
    auth: Auth = Auth.PASSWORD
    """What the secret is: a password, or an access token, which goes by XOAUTH2 or OAUTHBEARER."""
    mail: Mail | None = None
    trust: Trust = field(default_factory=Trust)
    allow_cleartext: bool = False
    """The person has said yes to a password over an unencrypted line. Only ever used with security `none`."""
    family: Family | None = None
    ehlo_name: str = ""
    """Empty: the address of this end as a literal (RFC 5321 section 4.1.3)."""
    provider: str | None = None
    """Id in the catalogue, for the diagnosis."""
    secret_shape: str | None = None
    """As `Symptom.secret_shape`."""
    alternatives: tuple[Endpoint, ...] = ()
    """Other endpoints of the same server, best first: what a finding may offer instead."""
    outward: bool = False
    """A stranger named the server: it is left alone where its name leads inside (see `outward`)."""


@dataclass(frozen=True, slots=True)
class Limits:
    """Seconds that a stage may take in all, however slowly the bytes drip."""

    dns: float = 10.0
    connect: float = 15.0
    tls: float = 15.0
    greeting: float = 20.0
    ehlo: float = 15.0
    starttls: float = 20.0
    auth: float = 30.0
    mail: float = 20.0
    rcpt: float = 30.0
    data: float = 60.0
    silence: float = 1.5
    """Without a greeting for so long, the port is asked whether it speaks TLS from the first byte."""

    def of(self, stage: Stage) -> float:
        """The limit of a stage."""
        limit: float = getattr(self, stage.value)
        return limit


@dataclass(slots=True)
class SignIn:
    """How far the sign-in of a check has come, kept by the check, and who is told of it by the check."""

    sending: Callable[[], Awaitable[None]]
    """Awaited before the first word of the sign-in goes out."""
    accepted: Callable[[], Awaitable[None]]
    """Awaited when the server has taken it."""
    sent: bool = False
    """Whether the first word of it is out, or may be."""
    answered: bool = False
    """Whether the server has said how it ended."""


class Explains(Protocol):
    """What the checks need of the diagnosis."""

    def explain(self, symptom: Symptom) -> Finding: ...


class Titles(Explains, Protocol):
    """What keeps causes in mind needs of the diagnosis besides."""

    def title(self, cause: str) -> str: ...


def planned(target: Target, depth: Depth) -> tuple[Stage, ...]:
    """Return the stages that a check will go through, in order."""
    security = target.endpoint.security
    stages = [Stage.DNS, Stage.CONNECT]
    stages += [Stage.TLS] if security is Security.TLS else []
    stages += [Stage.GREETING, Stage.EHLO]
    stages += [Stage.STARTTLS] if security is Security.STARTTLS else []
    if depth is not Depth.SERVER:
        stages += [Stage.AUTH] if target.auth is not Auth.NONE else []
    if depth is Depth.SEND:
        stages += [Stage.MAIL, Stage.RCPT, Stage.DATA]
    return tuple(stages)
