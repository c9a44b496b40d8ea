"""Run the real checks on real sockets with the real diagnosis, and look at what came out."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields, is_dataclass, replace
from ssl import SSLContext
from typing import Any

from smtp_wizard.engine.base.address import Address
from smtp_wizard.engine.base.connection import Connection, Family
from smtp_wizard.engine.base.endpoint import Endpoint
from smtp_wizard.engine.base.secret import Secret
from smtp_wizard.engine.base.shown import phrase
from smtp_wizard.engine.base.stages import Depth, Stage, Verdict
from smtp_wizard.engine.base.who import Who
from smtp_wizard.engine.checks.events import Emit, Event, Line, RunFinished, StageFinished, fold
from smtp_wizard.engine.checks.report import CheckResult, Report, Speaker
from smtp_wizard.engine.checks.runner import run_checks
from smtp_wizard.engine.checks.target import Mail, Target, TimeLimits
from smtp_wizard.engine.diagnosis.diagnosis import Diagnosis, load_diagnosis
from smtp_wizard.engine.diagnosis.finding import Finding
from smtp_wizard.engine.providers.catalog import load_catalog
from smtp_wizard.engine.services.check_options import CheckOptions
from smtp_wizard.engine.smtp.symptom import Symptom
from smtp_wizard.engine.smtp.tls import Trust
from smtp_wizard.engine.smtp.transport import Peer, SocketWire, Wire
from smtp_wizard.engine.wizard.draft import Draft
from tests.support.misbehaving import Expect, ExpectMessage, Send, StartTls, Step
from tests.support.nouns import with_fields
from tests.support.patience import PATIENCE

SECRET = Secret("correct horse")
ALICE = Address("alice", "example.test")
BOB = Address("bob", "example.test")
MAIL = Mail(ALICE, BOB, b"From: alice@example.test\r\nTo: bob@example.test\r\nSubject: hi\r\n\r\n.dot\r\n")

QUICK = TimeLimits(
    **{each.name: PATIENCE for each in fields(TimeLimits) if each.name != "silence"},
    silence=0.1,
)
"""For checks that end by themselves: only what goes wrong with the test itself takes so long."""


def hurried(**seconds: float) -> TimeLimits:
    """Return `QUICK` with shorter limits for the stages in which a server keeps silent."""
    return replace(QUICK, **seconds)


class NotingDiagnosis:
    """The real diagnosis, which also remembers what it was asked."""

    def __init__(self) -> None:
        self.symptoms: list[Symptom] = []

    def explain(self, symptom: Symptom) -> Finding:
        self.symptoms.append(symptom)
        return diagnosis().explain(symptom)


@functools.cache
def diagnosis() -> Diagnosis:
    """The rules as they ship, with the providers' names as they ship."""
    return load_diagnosis(names={provider.id: provider.firm for provider in load_catalog().providers})


@dataclass(frozen=True)
class Checked:
    """One run of the checks."""

    report: Report
    events: tuple[Event, ...]
    symptoms: tuple[Symptom, ...]

    @property
    def verdict(self) -> Verdict:
        return self.report.verdict

    @property
    def last(self) -> CheckResult:
        """The last stage that was reached."""
        return [result for result in self.report.results if result.verdict is not Verdict.SKIPPED][-1]

    @property
    def finding(self) -> Finding:
        """The one finding there is."""
        (finding,) = self.report.findings
        return finding

    @property
    def row(self) -> tuple[Stage, Verdict, str]:
        """How it ended: the last stage reached, its verdict, its finding's code."""
        return self.last.stage, self.last.verdict, self.last.finding.code if self.last.finding else ""

    @property
    def transcript(self) -> list[str]:
        return [f"{event.way.value}: {event.text}" for event in self.events if isinstance(event, Line)]

    @property
    def said(self) -> list[str]:
        """What we said."""
        return [event.text for event in self.events if isinstance(event, Line) and event.way is Speaker.OURS]

    @property
    def everything(self) -> str:
        """Every text that came out anywhere, as it is and as `repr` shows it."""
        shown = repr((self.events, self.report, self.symptoms))
        return "\n".join([shown, *texts(self.events), *texts(self.report), *texts(self.symptoms)])


def texts(value: object) -> Iterator[str]:
    """Give every text in a value, however deep it lies."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for key, each in value.items():
            yield from (*texts(key), *texts(each))
    elif isinstance(value, list | tuple):
        for each in value:
            yield from texts(each)
    elif is_dataclass(value):
        for each in fields(value):
            yield from texts(getattr(value, each.name))


class NamedHere(SocketWire):
    """The real network, where every name is this computer: its servers then pass for somebody else's."""

    async def resolve(self, host: str, port: int, family: Family | None) -> Sequence[Peer]:
        return await super().resolve("127.0.0.1", port, family)


SOMEBODY_ELSE = "mail.example.test"


async def check(
    endpoint: Endpoint,
    *,
    depth: Depth = Depth.LOGIN,
    secret: Secret | None = SECRET,
    limits: TimeLimits = QUICK,
    wire: Wire | None = None,
    trust: Trust | None = None,
    **target: Any,
) -> Checked:
    """Check an endpoint as alice, over the real network where no `wire` is given; `target` says what is different."""
    target |= {"ca_file": trust.ca_file} if trust is not None else {}
    events: list[Event] = []
    noting = NotingDiagnosis()
    wanted = with_fields(
        Target(connection=Connection(endpoint=endpoint, username="alice@example.test"), mail=MAIL), **target
    )
    report = await run_checks(
        wanted,
        secret,
        depth=depth,
        wire=wire or SocketWire(),
        diagnosis=noting,
        emit=events.append,
        limits=limits,
    )
    assert fold(endpoint, events) == report
    assert events[-1] == RunFinished(report)
    return Checked(report, tuple(events), tuple(noting.symptoms))


# The parts of which most scripts for the misbehaving server are made

GREETING = Send(b"220 mail.example.test ESMTP\r\n")
EHLO = Expect(rb"EHLO \[.*\]")
BARE_OFFER = Send(b"250-mail.example.test\r\n250 STARTTLS\r\n")
OFFER = Send(b"250-mail.example.test\r\n250-PIPELINING\r\n250-SIZE 50000\r\n250 AUTH PLAIN LOGIN\r\n")
SLOW_OFFER = Send(b"250-mail.example.test\r\n250-SIZE 50000\r\n250 AUTH PLAIN LOGIN\r\n")
"""Without pipelining: each command is answered before the next one comes."""
AUTH = Expect(rb"AUTH PLAIN \S+")
SIGNED_IN = Send(b"235 2.7.0 welcome\r\n")
MAIL_FROM = Expect(rb"MAIL FROM:<\S+>.*")
RCPT_TO = Expect(rb"RCPT TO:<\S+>")
DATA = Expect(rb"DATA")
OK = Send(b"250 2.0.0 ok\r\n")
GO_AHEAD = Send(b"354 go ahead\r\n")
MESSAGE = ExpectMessage()
PLAIN_UP_TO_AUTH: Sequence[Step] = (GREETING, EHLO, SLOW_OFFER, AUTH)
"""An unencrypted server, for which a person has said yes: the quickest way to what comes after the encryption."""


def tls_up_to_auth(context: SSLContext) -> list[Step]:
    """A server that speaks TLS from the first byte, up to the sign-in."""
    return [StartTls(context), GREETING, EHLO, OFFER, AUTH]


def starttls_up_to_auth(context: SSLContext, go: bytes = b"220 go\r\n") -> list[Step]:
    """A server with STARTTLS, up to the sign-in; `go` is what it answers to STARTTLS."""
    return [*starttls_up_to_handshake(go), StartTls(context), EHLO, OFFER, AUTH]


def starttls_up_to_handshake(go: bytes = b"220 go\r\n") -> list[Step]:
    """A server with STARTTLS, up to where the handshake begins."""
    return [GREETING, EHLO, BARE_OFFER, Expect(rb"STARTTLS"), Send(go)]


def mendable(works: Endpoint) -> Callable[..., Any]:
    """A check that fails, and offers the endpoint that works."""
    finding = Finding(
        code="speaks_tls",
        title=phrase("This port speaks TLS from the first byte"),
        explanation=phrase("The port and the security do not fit."),
        who=Who.YOU,
        steps=(phrase("Choose SSL/TLS."),),
        fix=works,
        server_said=phrase("\x16\x03"),
    )

    async def check(draft: Draft, depth: Depth, emit: Emit, options: CheckOptions | None = None) -> Report:
        assert draft.connection.endpoint is not None
        good = draft.connection.endpoint == works
        stage = Stage.AUTH if depth is Depth.LOGIN and good else Stage.GREETING
        result = CheckResult(stage, Verdict.PASS if good else Verdict.FAIL, 0.0, phrase(""), None if good else finding)
        report = Report(draft.connection.endpoint, (result,))
        emit(StageFinished(result))
        emit(RunFinished(report))
        return report

    return check
