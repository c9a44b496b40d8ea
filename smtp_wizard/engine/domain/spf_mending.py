"""The SPF record to publish in place of one that receivers ignore, or that lets the provider not send (RFC 7208)."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable, Iterator, Mapping, Sequence

from smtp_wizard.engine.domain.spf import MOST_LOOKUPS, SpfFault, SpfResult
from smtp_wizard.engine.domain.spf_terms import MOST_TERMS, before_all, parse_term, parse_terms, respelt


def mended(result: SpfResult, sender: str = "") -> str:
    """Return the record to publish in place of what stands there.

    What is allowed stays allowed: the terms of all records, once each, without those that lead to nothing or that no
    receiver can read. `sender`: the term that lets the provider or the server send, such as 'include:spf.example.net'.
    Where that costs too many look-ups, the domain's own hosts are named by their addresses.
    """
    terms = list(dict.fromkeys(_kept(result)))
    redirect = next((each for each in terms if each.lower().startswith("redirect=")), "")
    terms = [each for each in terms if each != redirect]
    wanted = any(each.fault is SpfFault.PROVIDER_MISSING for each in result.troubles) or not result.terms
    if sender and wanted:
        terms = [*_allowing(terms, sender)]
    if redirect and (len(result.records) > 1 or (sender and wanted)):
        terms.append(f"include:{redirect.partition('=')[2]}")  # what follows an 'all' is ignored
        redirect = ""
    if result.lookups + _ignored(result) + (sender in terms and wanted) > MOST_LOOKUPS:
        terms = list(dict.fromkeys(_written_out(terms, result.addresses)))
    return " ".join(["v=spf1", *terms, redirect or _end(result)])


def _allowing(terms: Sequence[str], sender: str) -> Sequence[str]:
    """Put a term where it counts: before the first that refuses anybody, as the first that fits decides."""
    kept = [each for each in terms if each == sender or each.lstrip("-+~?").lower() != sender.lower()]
    first = next((number for number, each in enumerate(kept) if each[0] in "-~?"), len(kept))
    if sender in kept[:first]:
        return kept
    kept = [each for each in kept if each != sender]
    return [*kept[:first], sender, *kept[first:]]


def costs_too_much(record: str, result: SpfResult) -> bool:
    """Whether a mended record may still cost too many look-ups: what it no longer asks is taken off the count."""
    gone = sum(each.looks_up for each in result.terms if each.text not in record.split(" "))
    return result.lookups + _ignored(result) - gone > MOST_LOOKUPS


def _ignored(result: SpfResult) -> int:
    """Return how many look-ups stand behind 'all': they will cost one each where 'all' stands last."""
    return sum(each.looks_up for each in result.terms[len(before_all(result.terms)) :])


def _kept(result: SpfResult) -> Iterator[str]:
    for record in result.records:
        for text in record.split(" ")[1 : MOST_TERMS + 1]:
            term = parse_term(respelt(text)) if text else None
            if term is not None and term.name not in ("all", "ptr") and term.text not in result.empty_terms:
                yield term.text


def _written_out(terms: Iterable[str], addresses: Mapping[str, tuple[str, ...]]) -> Iterator[str]:
    """Name the addresses that the domain's own names lead to: those need no look-up."""
    for text in terms:
        known = addresses.get(text, ())
        if known and "/" not in text and text[0] not in "-~?":
            yield from (f"ip{ipaddress.ip_address(each).version}:{each}" for each in known)
        else:
            yield text


def _end(result: SpfResult) -> str:
    """Return what holds for all others: the mildest of what the records say, as no mail is lost by that."""
    ends = {each.qualifier for record in result.records for each in parse_terms(record)[0] if each.name == "all"}
    return next((f"{mark}all" for mark in "?~-" if mark in ends), "~all")
