"""Scores the servers that were named for an address: how far each is trusted, with the reasons in words."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace

from smtp_wizard.engine.base.address import Address
from smtp_wizard.engine.base.endpoint import Endpoint, Security
from smtp_wizard.engine.base.shown import shown
from smtp_wizard.engine.checks.report import Report
from smtp_wizard.engine.discovery.candidate import (
    FOREIGN,
    LEAST_TRUST,
    LED_THERE,
    OVERRULED,
    SOURCE_WORDS,
    TRUST,
    UNENCRYPTED,
    UNREACHED,
    Candidate,
    FoundBy,
    in_order,
    merge_candidates,
)
from smtp_wizard.engine.discovery.named_server import NamedServer, serves, tried_words
from smtp_wizard.engine.discovery.server_identity import belongs_to, whose_words
from smtp_wizard.engine.lazy_dataclass import dataclass
from smtp_wizard.engine.providers.provider import Provider


@dataclass(frozen=True, slots=True, kw_only=True)
class CandidateScoring:
    """Scores the servers that were named for an address, once every source has been asked."""

    address: Address
    mx_hosts: tuple[str, ...]
    """Who receives the domain's mail."""
    report: Callable[[Endpoint], Report | None]
    """Returns what trying a server showed; None where it was not tried."""

    def merged(self, named: Iterable[NamedServer]) -> tuple[Candidate, ...]:
        """Put together what several sources say about a server; best first. A guess counts only when it holds."""
        by_endpoint: dict[Endpoint, list[Candidate]] = {}
        for each in named:
            judged = self._judged(each)
            if judged.verified or each.source is not FoundBy.GUESS:
                by_endpoint.setdefault(each.endpoint, []).append(judged)
        return in_order(self._bounded(merge_candidates(same)) for same in by_endpoint.values())

    def _judged(self, named: NamedServer) -> Candidate:
        """Say what a server is worth, and everything there is to know about it: nothing of that replaces the rest."""
        trust, notes = TRUST[named.source] if named.trust is None else named.trust, [self._whose_words(named)]
        led = named.source in (*_OF_A_PROVIDER, FoundBy.ISPDB) or bool(named.shown_by)
        if not led and self._is_foreign(named.endpoint.host):
            trust -= FOREIGN
        if named.plain:
            trust -= UNENCRYPTED
            notes.append("this came without encryption, so anybody on the way may have written it")
        if named.reason:
            notes.append(named.reason)
        if named.shown_by:
            notes.append(f"it is the name in the certificate of {named.shown_by}")
        report = self.report(named.endpoint)
        notes.append(tried_words(report, named))
        if report is not None and not serves(report, named):
            trust *= UNREACHED
        elif report is not None and not self.address.local.isascii() and "SMTPUTF8" not in report.capabilities:
            notes.append("it has no SMTPUTF8, so it cannot take the letters before the @ of this address (RFC 6531)")
        return Candidate(
            endpoint=named.endpoint,
            username=named.username,
            auth=named.auth,
            source=named.source,
            trust=max(trust, LEAST_TRUST),
            as_of=named.as_of,
            verified=serves(report, named) and named.endpoint.security is not Security.NONE,
            published=named.published,
            place=named.place,
            note="; ".join(note for note in notes if note),
        )

    def _whose_words(self, named: NamedServer) -> str:
        """Say whose a server is, where that is somebody else; the mail host, and a public list, vouch for one."""
        if named.source in _OF_A_PROVIDER:
            return ""
        words = whose_words(named.endpoint.host, self.address.domain)
        doubtful = words and named.source is not FoundBy.ISPDB and self._is_foreign(named.endpoint.host)
        return f"{words}: please make sure" if doubtful else words

    def _is_foreign(self, host: str) -> bool:
        """Whether a server belongs neither to the domain, nor to its mail host."""
        return not any(belongs_to(host, each) for each in (self.address.ascii_domain, *self.mx_hosts))

    def _bounded(self, candidate: Candidate) -> Candidate:
        """Believe no more than `LED_THERE` in a server that nobody vouches for: see `trusted_servers`."""
        vouched = candidate.published or bool({candidate.source, *candidate.also}.intersection(_OF_A_PROVIDER))
        if vouched or belongs_to(candidate.endpoint.host, self.address.ascii_domain):
            return candidate
        return replace(candidate, trust=min(candidate.trust, LED_THERE))

    def overruled(self, candidates: Sequence[Candidate], owners: Sequence[Provider]) -> tuple[Candidate, ...]:
        """Believe a web host's standard settings less where the mail is at somebody else's; best first."""
        names = " or ".join(owner.name for owner in owners)
        words = f"the mail of {shown(self.address.domain, 80)} is at {names}, so this server is probably the web host's"
        return in_order(_less(each, words) if _is_elsewhere(each, owners) else each for each in candidates)


_OF_A_PROVIDER = (FoundBy.MX, FoundBy.TRACES)
"""Sources that lead to a provider of the catalogue, whose servers are its own."""


def _less(candidate: Candidate, words: str) -> Candidate:
    note = f"{candidate.note}; {words}" if candidate.note else words
    return replace(candidate, trust=candidate.trust * OVERRULED, note=note)


def _is_elsewhere(candidate: Candidate, owners: Sequence[Provider]) -> bool:
    return candidate.endpoint.host not in {each.endpoint.host for owner in owners for each in owner.endpoints}


def any_elsewhere(candidates: Sequence[Candidate], owners: Sequence[Provider]) -> bool:
    """Return whether some servers belong to none of the providers that have the mail."""
    return any(_is_elsewhere(each, owners) for each in candidates)


def differing_words(candidates: Sequence[Candidate]) -> list[str]:
    """Say where sources name different servers."""
    said: dict[str, FoundBy] = {}
    for each in candidates:
        if each.source is not FoundBy.GUESS:
            said.setdefault(each.endpoint.host, each.source)
    if len(set(said.values())) < 2:
        return []
    parts = "; ".join(f"{shown(host, 80)} ({SOURCE_WORDS[source]})" for host, source in said.items())
    return [f"The sources differ: {parts}."]
