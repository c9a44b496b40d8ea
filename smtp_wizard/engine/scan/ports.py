"""What is asked of a host: which ports, which families, which encryption."""

from __future__ import annotations

from collections.abc import Iterable

from smtp_wizard.engine.base.connection import Family
from smtp_wizard.engine.base.endpoint import USUAL_WAYS, Endpoint, Security
from smtp_wizard.engine.lazy_dataclass import dataclass

CLEAR_PORTS = (25, 587, 2525)
"""Where a server without encryption is looked for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ScanRequest:
    """What is to be found out about a host."""

    host: str
    endpoints: tuple[Endpoint, ...]
    """Each port in the way that is tried first there, best first."""
    fixed: bool = False
    """The way was said: no other one is tried."""
    recommended: tuple[Endpoint, ...] = ()
    """What the provider of this host recommends, best first."""
    family: Family | None = None
    """Only this family."""
    ca_file: str | None = None
    ehlo_name: str = ""
    provider: str | None = None
    """Id in the catalogue."""


def candidates(
    host: str, known: Iterable[Endpoint] = (), security: Security | None = None, ways: Iterable[Endpoint] | None = None
) -> tuple[Endpoint, ...]:
    """Return what to try of a host: what is `known` of it says its own way, and the usual ports come after it.

    `security` keeps to the ports that are usual in that way. `ways` stands in for the usual ports.
    """
    usual = list(ways) if ways is not None else [Endpoint(host, port, way) for port, way in USUAL_WAYS.items()]
    if security is Security.NONE and ways is None:
        usual = [Endpoint(host, port, security) for port in CLEAR_PORTS]
    found: dict[int, Endpoint] = {}
    for each in (*(each for each in known if each.host == host), *usual):
        if security in (None, each.security):
            found.setdefault(each.port, each)
    return tuple(found.values())
