"""Whether this network blocks a port, or the server does not answer there: told by a neutral host on the same port."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from enum import StrEnum

from smtp_wizard.engine.base.endpoint import Endpoint
from smtp_wizard.engine.base.who import Who
from smtp_wizard.engine.lazy_dataclass import dataclass
from smtp_wizard.engine.scan.network_findings import NetworkFindingKind, kind_of
from smtp_wizard.engine.scan.results import AttemptResult, PortResult, ScanResult
from smtp_wizard.engine.smtp.symptom import Fault


class Blame(StrEnum):
    """Why a port could not be reached, as far as a neutral host tells."""

    NETWORK = "network"
    """The neutral host cannot be reached on this port either: this network blocks it."""
    SERVER = "server"
    """The neutral host answers on this port: it is the server that does not."""
    REDIRECTED = "redirected"
    """Something in this network answers in place of the neutral host."""
    UNCLEAR = "unclear"
    """The neutral host could not be asked, or says no itself on a port where nobody knows it to serve."""


@dataclass(frozen=True, slots=True)
class ControlAnswer:
    """What a neutral host tells of one port."""

    host: str
    """The host that was asked for first."""
    port: int
    neutral: str
    blame: Blame
    sure: bool
    """Whether the neutral host is known to serve on this port; else its silence may be its own."""
    instead: tuple[Endpoint, ...] = ()
    """Other ports of the host that do serve, best first."""

    @property
    def who(self) -> Who:
        """Who must act."""
        return _WHO[self.blame]


_WHO = {
    Blame.NETWORK: Who.NETWORK,
    Blame.REDIRECTED: Who.NETWORK,
    Blame.SERVER: Who.PROVIDER,
    Blame.UNCLEAR: Who.YOU,
}


def control_answers(
    host: str, seen: ScanResult, sure: Collection[int], instead: Sequence[Endpoint] = ()
) -> tuple[ControlAnswer, ...]:
    """Return what the probe of a neutral host tells of each port. `sure`: where that host is known to serve."""
    return tuple(
        ControlAnswer(
            host, each.port, seen.question.host, blame(each, each.port in sure), each.port in sure, tuple(instead)
        )
        for each in seen.ports
    )


def blame(port: PortResult, sure: bool) -> Blame:
    """Return what a neutral host's port tells of the same port elsewhere. `sure`: it is known to serve."""
    if any(_answered_by_another(each) for each in port.attempts):
        return Blame.REDIRECTED
    if any(_spoke(each) for each in port.attempts):
        return Blame.SERVER
    if not sure and any(each.fault is Fault.REFUSED for each in port.attempts):
        return Blame.UNCLEAR
    return Blame.UNCLEAR if all(_never_asked(each) for each in port.attempts) else Blame.NETWORK


def _answered_by_another(attempt: AttemptResult) -> bool:
    return bool(attempt.foreign_name or attempt.inspector) or kind_of(attempt) in (
        NetworkFindingKind.WEB,
        NetworkFindingKind.POP,
        NetworkFindingKind.IMAP,
    )


def _spoke(attempt: AttemptResult) -> bool:
    return attempt.connected and attempt.fault not in (Fault.SILENT, Fault.RESET, Fault.CLOSED)


def _never_asked(attempt: AttemptResult) -> bool:
    """Whether nothing was sent on the way: no such name, no look-up, no route."""
    return (
        attempt.fault in (Fault.NO_SUCH_HOST, Fault.NO_NETWORK)
        or (not attempt.report.results)
        or attempt.attempt.family is None
    )
