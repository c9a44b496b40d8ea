"""What was found for an address, as JSON: `discover`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, ClassVar, Literal, cast

from smtp_wizard.engine.base.connection import Auth
from smtp_wizard.engine.base.endpoint import Endpoint
from smtp_wizard.engine.base.records import INLINE
from smtp_wizard.engine.discovery.candidate import Candidate, FoundBy
from smtp_wizard.engine.providers.provider import AccessPath
from smtp_wizard.output.documents.document import JsonDocument, Share

_Source = Literal[
    FoundBy.CATALOG, FoundBy.MX, FoundBy.SRV, FoundBy.AUTOCONFIG, FoundBy.ISPDB, FoundBy.GUESS, FoundBy.MANUAL
]


@dataclass(frozen=True, slots=True)
class CandidateJson:
    """A server that may be the right one."""

    endpoint: Annotated[Endpoint, INLINE]
    username: str
    auth: tuple[Auth, ...]
    source: _Source
    also: tuple[_Source, ...]
    trust: Share
    verified: bool
    as_of: str | None
    note: str | None

    @classmethod
    def of(cls, candidate: Candidate) -> CandidateJson:
        """Return a candidate as it is printed. None is led to by nothing."""
        return cls(
            endpoint=candidate.endpoint,
            username=candidate.username,
            auth=tuple(map(Auth, candidate.auth)),
            source=_printed(candidate.source),
            also=tuple(dict.fromkeys(map(_printed, candidate.also))),
            trust=round(candidate.trust, 2),
            verified=candidate.verified,
            as_of=candidate.as_of or None,
            note=candidate.note or None,
        )


def _printed(source: FoundBy) -> _Source:
    """Return a source as it is printed: what traces point to counts as a guess, whose note says why."""
    return cast("_Source", FoundBy.GUESS if source is FoundBy.TRACES else source)


@dataclass(frozen=True, slots=True)
class Discovered(JsonDocument):
    """`discover`."""

    NAME: ClassVar = "discover"
    email: str
    provider: str | None
    alternatives: tuple[str, ...]
    candidates: tuple[CandidateJson, ...]
    paths: tuple[AccessPath, ...]
    mx: tuple[str, ...]
    notes: tuple[str, ...]
