"""Checks as JSON: `setup`, `test`, `send`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, ClassVar, Literal

from smtp_wizard.engine.accounts.account_warnings import AccountWarningKind
from smtp_wizard.engine.accounts.changes import Change
from smtp_wizard.engine.base.connection import Family
from smtp_wizard.engine.base.endpoint import Endpoint
from smtp_wizard.engine.base.records import INLINE, Second, Whole
from smtp_wizard.engine.base.shown import Shown, cut
from smtp_wizard.engine.base.stages import Stage, Verdict
from smtp_wizard.engine.base.who import Who
from smtp_wizard.engine.checks.report import CheckResult
from smtp_wizard.engine.diagnosis.finding import Finding
from smtp_wizard.engine.mailbox.arrival_states import ArrivalState, AuthenticationState, SentCopy
from smtp_wizard.engine.providers.retirements import RetirementNotice
from smtp_wizard.engine.smtp.tls import TlsFacts
from smtp_wizard.output.check_outcome import CheckOutcome
from smtp_wizard.output.documents.document import Amount, JsonDocument
from smtp_wizard.output.plain_lines import ms


@dataclass(frozen=True, slots=True)
class FindingJson:
    """A finding, in words for a person."""

    code: str
    title: str
    explanation: str
    who: Who
    steps: tuple[str, ...]
    guide: str | None
    forward: str | None
    server_said: str

    @classmethod
    def of(cls, finding: Finding) -> FindingJson:
        """Return a finding as it is printed."""
        return cls(
            code=finding.code,
            title=finding.title,
            explanation=finding.explanation,
            who=finding.who,
            steps=finding.steps,
            guide=finding.guide,
            forward=finding.forward,
            server_said=finding.server_said,
        )


@dataclass(frozen=True, slots=True)
class StageJson:
    """How one stage came out."""

    stage: Stage
    verdict: Verdict
    ms: Amount
    detail: str
    finding: str | None
    """The code of its finding."""

    @classmethod
    def of(cls, result: CheckResult) -> StageJson:
        """Return a stage's result as it is printed."""
        code = result.finding.code if result.finding else None
        return cls(result.stage, result.verdict, ms(result.took), result.detail, code)


@dataclass(frozen=True, slots=True)
class TlsJson:
    """What a handshake showed."""

    version: str
    cipher: str
    subject: str
    issuer: str
    not_after: Second | None
    names: tuple[str, ...]

    @classmethod
    def of(cls, facts: TlsFacts) -> TlsJson:
        """Return what a handshake showed as it is printed."""
        return cls(facts.version, facts.cipher, facts.subject, facts.issuer, facts.not_after, facts.names)


@dataclass(frozen=True, slots=True)
class ResultJson:
    """One finished check: an entry of `results`."""

    account: str | None
    endpoint: Annotated[Endpoint, INLINE]
    family: Family | None
    verdict: Verdict
    stages: tuple[StageJson, ...]
    findings: tuple[FindingJson, ...]
    mechanism: str | None
    capabilities: Mapping[str, str]
    tls: TlsJson | None
    ms: Amount

    @classmethod
    def of(cls, outcome: CheckOutcome) -> ResultJson:
        """Return a check as it is printed."""
        report = outcome.report
        return cls(
            account=outcome.account,
            endpoint=report.endpoint,
            family=report.family,
            verdict=report.verdict,
            stages=tuple(map(StageJson.of, report.results)),
            findings=tuple(map(FindingJson.of, outcome.findings)),
            mechanism=report.mechanism,
            capabilities={name: cut(value) for name, value in report.capabilities.items()},
            tls=TlsJson.of(report.tls) if report.tls else None,
            ms=ms(report.took),
        )


@dataclass(frozen=True, slots=True)
class PlacedJson:
    """One check, and from where it was made."""

    result: Annotated[ResultJson, INLINE]
    from_: str
    """'here', or the computer behind --on."""
    differs: tuple[Stage, ...]
    """With --on: the stages that came out otherwise at the other place."""


@dataclass(frozen=True, slots=True)
class Setup(JsonDocument):
    """`setup`."""

    NAME: ClassVar = "setup"
    results: tuple[ResultJson, ...]


@dataclass(frozen=True, slots=True)
class WarningJson:
    """That something is about to end for an account."""

    kind: AccountWarningKind
    words: str


@dataclass(frozen=True, slots=True)
class TestedJson:
    """One saved account that was tested."""

    __test__ = False  # its name begins as that of a test does

    result: Annotated[ResultJson, INLINE]
    index: Whole
    """Its place among those that were asked for, from 0."""
    change: Change | None
    """With --changed: what differs from what was told last."""
    warnings: tuple[WarningJson, ...]
    from_: str
    """Where it was tested from: 'here', or the computer behind --on."""
    differs: tuple[Stage, ...]
    """With --on: the stages that came out otherwise at the other place."""


@dataclass(frozen=True, slots=True)
class LineOfTest(JsonDocument):
    """One line of `test --format jsonl`."""

    NAME: ClassVar = "test-line"
    tested: Annotated[TestedJson, INLINE]


@dataclass(frozen=True, slots=True)
class NoticeJson:
    """That a way in closes, or has closed."""

    account: str
    notice: Annotated[RetirementNotice, INLINE]


@dataclass(frozen=True, slots=True)
class EndingJson:
    """That a sign-in in the browser ends soon."""

    account: str
    words: str


@dataclass(frozen=True, slots=True)
class UnreadJson:
    """An entry of the accounts file that cannot be used."""

    name: str | None
    """None where it tells none."""
    problem: str
    """One sentence."""

    @classmethod
    def of(cls, entry: tuple[str, Shown]) -> UnreadJson:
        """Return what `SavedAccounts.unread_entries` says of one."""
        name, problem = entry
        return cls(name or None, problem)


MANY = 50
"""Results of a document that a person still reads."""


@dataclass(frozen=True, slots=True)
class AccountsTested(JsonDocument):
    """`test`."""

    NAME: ClassVar = "test"
    results: tuple[TestedJson, ...]
    notices: tuple[NoticeJson, ...]
    endings: tuple[EndingJson, ...]
    unread: tuple[UnreadJson, ...]
    """Accounts that were asked for too, and could not be tested; with --changed those that are new among them."""

    def json_text(self, *, indent: int | None = 2, ascii_only: bool = True) -> str:
        """As `JsonDocument.json_text`; that of many accounts in one line, which takes a tenth of the time."""
        return JsonDocument.json_text(self, indent=None if len(self.results) > MANY else indent, ascii_only=ascii_only)


Accepted = Literal["yes", "no", "unknown"]
"""Whether the server has taken a message; its answer may have been lost."""


@dataclass(frozen=True, slots=True)
class AuthenticationJson:
    """How the receiver's checks of a message's origin came out."""

    spf: AuthenticationState
    dkim: AuthenticationState
    dmarc: AuthenticationState


@dataclass(frozen=True, slots=True)
class AwaitedBounceJson:
    """What came back of a message."""

    found: bool
    folder: ArrivalState
    """Where the bounce lies: 'no' where none has come."""
    after_seconds: Whole
    """How long that was waited for."""
    address: str
    """The address that the message went to."""
    reported_by: str
    cause: str = ""
    """Why it came, as the id of a main cause, or 'unknown'; '' where none has come."""
    delayed: bool = False
    """Whether all that came is word that the message is late."""
    delivered: bool = False
    """Whether the message itself lies in the account's own mailbox, so that none can come."""


@dataclass(frozen=True, slots=True)
class Sent(JsonDocument):
    """`send`."""

    NAME: ClassVar = "send"
    to: str
    test_code: str
    accepted: Accepted
    practice_message: str | None
    results: tuple[ResultJson, ...]
    sent_copy: SentCopy | None = None
    """With --confirm: whether a copy lies in Sent."""
    arrived: ArrivalState | None = None
    """With --confirm: where the message lies in the mailbox that it went to, where that is one of ours."""
    authentication: AuthenticationJson | None = None
    """With --confirm: what the receiver says of the message's origin; null where it has not arrived."""
    bounce: AwaitedBounceJson | None = None
    """With --rehearse-bounce: what came back. With --confirm: null where nothing did, so far."""
    trouble: str | None = None
    """Why something of this is not known, in sentences; null where nothing is wanting."""
