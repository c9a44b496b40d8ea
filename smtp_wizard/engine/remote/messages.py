"""The request for a check on another computer, and its response: one JSON record each way. Standard library alone."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated

from smtp_wizard.engine.base.connection import Auth, Connection, Family
from smtp_wizard.engine.base.endpoint import Endpoint
from smtp_wizard.engine.base.records import VERBATIM, Moment, Range
from smtp_wizard.engine.base.shown import shown
from smtp_wizard.engine.base.stages import Depth, Stage, Verdict
from smtp_wizard.engine.checks.report import CheckResult
from smtp_wizard.engine.checks.target import Target
from smtp_wizard.engine.lazy_dataclass import dataclass
from smtp_wizard.engine.smtp.symptom import Fault, Symptom, TlsFault
from smtp_wizard.engine.smtp.tls import TlsFacts

BEGINS = b"smtp-wizard-check/1\n"
"""The line that stands before the response: what stands before it is the other computer's greeting."""
LONGEST = 500
"""Characters that are believed of any one text from there."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RemoteCheckRequest:
    """A check to be made. The secret is in it: it goes over standard input, and is written nowhere."""

    endpoint: Endpoint
    username: Annotated[str, VERBATIM]
    auth: Auth
    ehlo_name: str
    allow_cleartext: bool
    family: Family | None
    depth: Depth
    secret: Annotated[str, VERBATIM] | None
    authority: Annotated[str, VERBATIM] | None
    """A company's own certificate authority, as PEM."""

    def target(self, ca_file: str | None) -> Target:
        """Return it as the check takes it. `ca_file`: where the authority has been written to."""
        connection = Connection(
            endpoint=self.endpoint,
            username=self.username,
            auth=self.auth,
            ehlo_name=self.ehlo_name,
            allow_cleartext=self.allow_cleartext,
            ca_file=ca_file,
        )
        return Target(connection=connection, family=self.family)


@dataclass(frozen=True, slots=True, kw_only=True)
class RemoteSymptom:
    """What went wrong there, so that it can be explained here, where the rules are."""

    stage: Stage
    fault: Fault
    words: str
    code: int | None
    enhanced: str | None
    tls: TlsFault | None
    lacking: str
    now: Moment | None
    server_time: Moment | None
    facts: Mapping[str, str]

    @classmethod
    def of(cls, symptom: Symptom) -> RemoteSymptom:
        """Return what is told of a symptom."""
        return cls(
            stage=symptom.stage,
            fault=symptom.fault,
            words=symptom.words,
            code=symptom.code,
            enhanced=symptom.enhanced,
            tls=symptom.tls,
            lacking=symptom.lacking,
            now=symptom.now,
            server_time=symptom.server_time,
            facts=dict(symptom.facts),
        )

    def symptom(self, target: Target) -> Symptom:
        """Return it as the rules take it; what is known of the account is added here, and the words are cleaned."""
        connection = target.connection
        return Symptom(
            stage=self.stage,
            fault=self.fault,
            words=shown(self.words, LONGEST),
            code=self.code,
            enhanced=self.enhanced,
            tls=self.tls,
            lacking=self.lacking,
            endpoint=connection.endpoint,
            provider=connection.provider,
            secret_shape=target.secret_shape,
            username=shown(connection.username, 100),
            now=self.now,
            server_time=self.server_time,
            facts={
                **({"typed": target.typed} if target.typed else {}),
                **{name: shown(words, LONGEST) for name, words in self.facts.items()},
            },
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Handshake:
    """What a handshake showed there."""

    version: str
    cipher: str
    subject: str
    issuer: str
    not_before: Moment | None
    not_after: Moment | None
    names: tuple[str, ...]

    @classmethod
    def of(cls, facts: TlsFacts) -> Handshake:
        """Return what is told of it."""
        return cls(
            version=facts.version,
            cipher=facts.cipher,
            subject=facts.subject,
            issuer=facts.issuer,
            not_before=facts.not_before,
            not_after=facts.not_after,
            names=facts.names,
        )

    def facts(self) -> TlsFacts:
        """Return it as a report has it, the words cleaned."""
        return TlsFacts(
            shown(self.version, 50),
            shown(self.cipher, 100),
            shown(self.subject, 100),
            shown(self.issuer, 100),
            self.not_before,
            self.not_after,
            tuple(shown(name, 100) for name in self.names),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class StageOutcome:
    """How one stage came out there."""

    stage: Stage
    verdict: Verdict
    took: Annotated[float, Range(0)]
    detail: str
    family: Family | None
    address: str | None
    tls: Handshake | None
    capabilities: Mapping[str, str] | None
    mechanism: str | None
    trouble: RemoteSymptom | None

    @classmethod
    def of(cls, result: CheckResult, symptom: Symptom | None) -> StageOutcome:
        """Return what is told of a stage."""
        return cls(
            stage=result.stage,
            verdict=result.verdict,
            took=result.took,
            detail=result.detail,
            family=result.family,
            address=result.address,
            tls=Handshake.of(result.tls) if result.tls is not None else None,
            capabilities=dict(result.capabilities) if result.capabilities is not None else None,
            mechanism=result.mechanism,
            trouble=RemoteSymptom.of(symptom) if symptom is not None else None,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class RemoteCheckResponse:
    """How the check came out there."""

    outcomes: tuple[StageOutcome, ...]
