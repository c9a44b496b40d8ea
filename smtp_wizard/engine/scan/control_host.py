"""'Does my network block this port?': another host, on the same port, tells the network from the server.

None is asked unless a person has named it, or said yes to the one that is proposed (data/control_hosts.yaml).
"""

from __future__ import annotations

import ipaddress
from collections.abc import Collection, Iterable, Sequence
from enum import StrEnum
from pathlib import Path

from smtp_wizard.engine.base.data_files import data_path
from smtp_wizard.engine.base.endpoint import Endpoint, HostError, PortError, parse_host, parse_port
from smtp_wizard.engine.base.strict_yaml import Node, YamlDocument
from smtp_wizard.engine.base.who import Who
from smtp_wizard.engine.discovery.server_identity import registered_domain
from smtp_wizard.engine.lazy_dataclass import dataclass
from smtp_wizard.engine.scan.network_findings import NetworkFindingKind, kind_of
from smtp_wizard.engine.scan.results import AttemptResult, PortResult, ScanResult
from smtp_wizard.engine.smtp.symptom import Fault


@dataclass(frozen=True, slots=True)
class ControlHost:
    """A well-known host, and the ports on which it is known to serve."""

    host: str
    ports: tuple[int, ...]


def load_control_hosts(path: Path | None = None) -> tuple[ControlHost, ...]:
    """Read data/control_hosts.yaml, or `path`. Raises `DataError`."""
    return YamlDocument(path or data_path("control_hosts.yaml")).root.read(_read)


def _read(root: Node) -> tuple[ControlHost, ...]:
    if root.whole("schema") != 1:
        raise root.error("schema", "must be 1")
    return tuple(node.read(_neutral) for node in root.children("hosts"))


def _neutral(node: Node) -> ControlHost:
    try:
        return ControlHost(parse_host(node.text("host")), tuple(parse_port(str(each)) for each in node.wholes("ports")))
    except HostError as problem:
        raise node.error("host", str(problem)) from None
    except PortError as problem:
        raise node.error("ports", str(problem)) from None


def proposed_host(host: str, ports: Collection[int], known: Iterable[ControlHost]) -> ControlHost | None:
    """Return whom to propose for these ports of `host`, with those of the ports that it serves; None: nobody fits.

    A host of the same owner would tell nothing; nor would any about a server that is in this network itself.
    """
    if is_internal_host(host):
        return None
    owner = registered_domain(host)
    fitting = [
        ControlHost(each.host, tuple(port for port in each.ports if port in ports))
        for each in known
        if each.host != host and (owner is None or registered_domain(each.host) != owner)
    ]
    best = max(fitting, key=lambda each: len(each.ports), default=None)
    return best if best is not None and best.ports else None


def is_internal_host(host: str) -> bool:
    """Whether a host is this computer, or has an address that no network leads out to (RFC 6761, RFC 1918)."""
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return host == "localhost" or host.endswith(".localhost")
    return address.is_loopback or address.is_private or address.is_link_local


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
