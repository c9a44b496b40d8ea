"""The ports of a server, and what the network does, as JSON: `check`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, ClassVar

from smtp_wizard.engine.base.connection import Family
from smtp_wizard.engine.base.endpoint import Endpoint, Port, Security
from smtp_wizard.engine.base.records import INLINE
from smtp_wizard.engine.base.who import Who
from smtp_wizard.engine.scan.blocked_ports import Blame
from smtp_wizard.engine.scan.network_findings import NetworkFindingKind
from smtp_wizard.output.documents.checks import PlacedJson
from smtp_wizard.output.documents.document import JsonDocument


@dataclass(frozen=True, slots=True)
class BestJson:
    """The best way to a server."""

    endpoint: Annotated[Endpoint, INLINE]
    families: tuple[Family, ...]
    why: str


@dataclass(frozen=True, slots=True)
class PortJson:
    """What became of one port."""

    port: Port
    security: Security
    serves: bool
    families: tuple[Family, ...]
    sentence: str


@dataclass(frozen=True, slots=True)
class NetworkFindingJson:
    """What the network does."""

    kind: NetworkFindingKind
    ports: tuple[Port, ...]
    name: str
    who: Who
    sentence: str


@dataclass(frozen=True, slots=True)
class AnswerJson:
    """What a neutral host told of a port."""

    host: str
    port: Port
    answer: Blame
    sure: bool
    who: Who
    sentence: str
    steps: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ProposalJson:
    """Which neutral host could be asked about which ports."""

    host: str
    ports: tuple[Port, ...]


@dataclass(frozen=True, slots=True)
class NetworkJson:
    """What the network does, and what a neutral host told of it."""

    ports: tuple[PortJson, ...]
    sights: tuple[NetworkFindingJson, ...]
    neutral: tuple[AnswerJson, ...]
    proposal: ProposalJson | None


@dataclass(frozen=True, slots=True)
class Checked(JsonDocument):
    """`check`."""

    NAME: ClassVar = "check"
    results: tuple[PlacedJson, ...]
    best: BestJson | None
    network: NetworkJson
