"""What a check needs: where to, how deep, how long."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from smtp_wizard.engine.base.address import Address
from smtp_wizard.engine.base.connection import Auth, Connection, Family
from smtp_wizard.engine.base.endpoint import Endpoint, Security
from smtp_wizard.engine.base.shown import NO_WORDS, Shown
from smtp_wizard.engine.base.stages import Depth, Stage
from smtp_wizard.engine.lazy_dataclass import dataclass
from smtp_wizard.engine.smtp.tls import Trust

if TYPE_CHECKING:
    from smtp_wizard.engine.base.address import Address
    from smtp_wizard.engine.diagnosis.finding import Finding
    from smtp_wizard.engine.smtp.symptom import Symptom


@dataclass(frozen=True, slots=True)
class Mail:
    """The message of a check that sends."""

    sender: Address
    """Envelope sender; it may differ from the user name."""
    recipient: Address
    content: bytes
    """RFC 5322 text."""
    envelope_id: str = ""
    """By which a bounce names it, where the server offers DSN (RFC 3461); '' where no bounce is asked for."""

    @property
    def needs_utf8(self) -> bool:
        """Whether an address needs SMTPUTF8 (RFC 6531): a local part with letters outside ASCII."""
        return not (self.sender.local.isascii() and self.recipient.local.isascii())


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """What a check needs beside the secret."""

    connection: Connection[Endpoint]
    mail: Mail | None = None
    family: Family | None = None
    secret_shape: str | None = None
    """As `Symptom.secret_shape`."""
    typed: Shown = NO_WORDS
    """What stands out in the user name or the secret, as `typed_clue` says it."""
    alternatives: tuple[Endpoint, ...] = ()
    """Other endpoints of the same server, best first: what a finding may offer instead."""
    outward: bool = False
    """A stranger named the server: it is left alone where its name leads inside (see `outward`)."""

    @property
    def trust(self) -> Trust:
        """Whose certificates are believed. The practice server's own authority and the system's never mix."""
        return Trust(self.connection.ca_file, only=self.connection.sandbox is not None)


@dataclass(frozen=True, slots=True)
class TimeLimits:
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


class ExplainsSymptoms(Protocol):
    """What the checks need of the diagnosis."""

    def explain(self, symptom: Symptom) -> Finding: ...


def planned_stages(target: Target, depth: Depth) -> tuple[Stage, ...]:
    """Return the stages that a check will go through, in order."""
    security = target.connection.endpoint.security
    stages = [Stage.DNS, Stage.CONNECT]
    stages += [Stage.TLS] if security is Security.TLS else []
    stages += [Stage.GREETING, Stage.EHLO]
    stages += [Stage.STARTTLS] if security is Security.STARTTLS else []
    if depth is not Depth.SERVER:
        stages += [Stage.AUTH] if target.connection.auth is not Auth.NONE else []
    if depth is Depth.SEND:
        stages += [Stage.MAIL, Stage.RCPT, Stage.DATA]
    return tuple(stages)
