"""The neutral hosts that can be asked whether this network blocks a port (data/control_hosts.yaml).

None is asked unless a person has named it, or said yes to the one that is proposed. `blocked_ports` reads the answer.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Collection, Iterable
from pathlib import Path

from smtp_wizard.engine.base.data_files import data_path
from smtp_wizard.engine.base.endpoint import HostError, PortError, parse_host, parse_port
from smtp_wizard.engine.base.strict_yaml import Node, YamlDocument
from smtp_wizard.engine.discovery.server_identity import registered_domain
from smtp_wizard.engine.lazy_dataclass import dataclass


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
