"""A server that may be the right one for an address: who names it, and how far that is believed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from enum import StrEnum

from smtp_wizard.engine.base.address import Address
from smtp_wizard.engine.base.endpoint import Endpoint, Security
from smtp_wizard.engine.lazy_dataclass import dataclass
from smtp_wizard.engine.providers.provider import CatalogEndpoint, PathAuth, Provider


class FoundBy(StrEnum):
    """What led to a provider or a server."""

    CATALOG = "catalog"
    """The ending of the address is in the catalogue."""
    MX = "mx"
    """The host that receives the domain's mail is known."""
    SRV = "srv"
    """The domain's DNS names the server for sending (RFC 6186, RFC 8314)."""
    AUTOCONFIG = "autoconfig"
    """The domain, or its mail host's, publishes the settings on the web."""
    ISPDB = "ispdb"
    """A public list has them."""
    TRACES = "traces"
    """The domain's DNS has what it has where a provider of the catalogue keeps the mailboxes."""
    GUESS = "guess"
    """A usual name, tried."""
    MANUAL = "manual"
    """The person typed it."""
    NONE = "none"


TRUST: Mapping[FoundBy, float] = {
    FoundBy.CATALOG: 1.0,
    FoundBy.MX: 0.9,
    FoundBy.AUTOCONFIG: 0.8,
    FoundBy.ISPDB: 0.75,
    FoundBy.SRV: 0.7,
    FoundBy.TRACES: 0.5,
    FoundBy.GUESS: 0.5,
}
"""How far a source is believed. The DNS is not encrypted, so what it alone says counts less than what came by https."""
FOREIGN = 0.15
"""Taken off where the server belongs neither to the domain nor to its mail host (RFC 6186 section 6)."""
LED_THERE = 0.55
"""How far a server of another owner is believed at most where the DNS alone has led to it, whatever agrees with it: the
DNS is not encrypted and may have led all sources there, so the question must not call it likely."""
ELSEWHERE = 0.3
"""Taken off for a provider's server of another region, or of one that is not known to be the account's."""
UNDECIDED = 0.45
"""How far a provider's server is believed at most where the domain's mail goes elsewhere first, or as well."""
UNENCRYPTED = 0.4
"""Taken off for what came without encryption: anybody on the way may have written it."""
FURTHER_TRACE = 0.1
"""Added for each further trace of the same provider."""
AGREED = 0.05
"""Added for each further source that says the same."""
UNREACHED = 0.4
"""What is left of the trust in a server that was tried and did not do, as a factor."""
OVERRULED = 0.5
"""The same where the domain's mail host shows that the mail is elsewhere."""
MOST_AGREED = 0.95
LEAST_TRUST = 0.05


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """One server that may be the right one."""

    endpoint: Endpoint
    username: str
    auth: tuple[str, ...] = ("password",)
    """'password', 'xoauth2', 'none': what the source says about signing in, best first."""
    source: FoundBy
    also: tuple[FoundBy, ...] = ()
    """Other sources that name the same server."""
    trust: float
    """From 0 to 1."""
    as_of: str = ""
    """When the source was last checked, where that is known: a date as in the catalogue."""
    verified: bool = False
    """It was reached, speaks SMTP, and its certificate fits its name."""
    published: bool = False
    """The public list has it for the address's own domain, or that domain itself publishes it, by https under a
    certificate that is believed: what a person who is not there may take beforehand."""
    place: int = 0
    """Which one it is in its source's own order: the priority and weight of records, the lines of a file."""
    note: str = ""
    """What there is to know about it: one sentence, or several behind semicolons."""


SOURCE_WORDS: Mapping[FoundBy, str] = {
    FoundBy.CATALOG: "our own list",
    FoundBy.MX: "the domain's mail host (MX)",
    FoundBy.SRV: "the domain's DNS (SRV)",
    FoundBy.AUTOCONFIG: "the domain's web (autoconfig)",
    FoundBy.ISPDB: "a public list (ISPDB)",
    FoundBy.TRACES: "traces in the domain's DNS",
    FoundBy.GUESS: "a usual name",
    FoundBy.MANUAL: "typed",
}


def source_words(candidate: Candidate) -> str:
    """Say who names a server."""
    first, *others = (SOURCE_WORDS[each] for each in (candidate.source, *candidate.also))
    return f"{first} and {', '.join(others)}" if others else first


def source_note(candidate: Candidate) -> str:
    """Say, as a note of where settings come from, who names a server."""
    return f"from: {source_words(candidate)}"


def provider_candidates(
    provider: Provider, address: Address, source: FoundBy, mx_hosts: Sequence[str] = ()
) -> tuple[Candidate, ...]:
    """Return the servers of a provider in the catalogue, best first, as candidates.

    Less trust have a server of another region than the domain's MX hosts, those of all regions where nothing tells the
    account's, and one that no source names.
    """
    ways = {PathAuth.OAUTH2: "xoauth2", PathAuth.NONE: "none"}
    auth = tuple(dict.fromkeys(ways.get(path.auth, "password") for path in provider.paths if not path.closed))
    untold = bool(provider.regions(address, mx_hosts))
    return tuple(
        Candidate(
            endpoint=each.endpoint,
            username=provider.username_for(address),
            auth=auth or ("password",),
            source=source,
            trust=_trust(each, source, elsewhere=untold or not provider.is_near(each, mx_hosts)),
            as_of=provider.checked,
            place=place,
        )
        for place, each in enumerate(provider.offered(address, mx_hosts))
    )


def _trust(offer: CatalogEndpoint, source: FoundBy, *, elsewhere: bool) -> float:
    trust = min(TRUST[source], TRUST[FoundBy.GUESS]) if offer.guess else TRUST[source]
    return trust - ELSEWHERE if elsewhere else trust


def in_order(candidates: Iterable[Candidate]) -> tuple[Candidate, ...]:
    """Return candidates best first: by trust, of equals those that were reached, of these in their source's own order.

    What is not encrypted comes last of its equals, wherever its source has it.
    """
    return tuple(sorted(candidates, key=_rank))


def _rank(candidate: Candidate) -> tuple[object, ...]:
    endpoint = candidate.endpoint
    unencrypted = endpoint.security is Security.NONE
    way = (Security.TLS, Security.STARTTLS, Security.NONE).index(endpoint.security)
    return -round(candidate.trust, 3), not candidate.verified, unencrypted, candidate.place, way, endpoint.host


def merge_candidates(same: Sequence[Candidate]) -> Candidate:
    """Return what several sources say about one server, as one candidate."""
    best = max(same, key=lambda each: each.trust)
    # That a usual name is usual says nothing more.
    unlike = (best.source, FoundBy.GUESS)
    others = tuple(dict.fromkeys(each.source for each in same if each.source not in unlike))
    trust = min(best.trust + AGREED * len(others), max(best.trust, MOST_AGREED))
    return replace(
        best,
        also=others,
        trust=trust,
        verified=any(each.verified for each in same),
        published=any(each.published for each in same),
    )
