"""The SPF record to publish in place of one that receivers ignore, or that lets the provider not send (RFC 7208).

It never loses what stands there and may be right. Where it is not known what sends, no record is whole: it has a place
to fill, as one that names nobody would let all mail of the domain fail.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable, Iterator, Mapping, Sequence
from difflib import get_close_matches

from smtp_wizard.engine.domain.spf import MOST_LOOKUPS, SpfFault, SpfResult
from smtp_wizard.engine.domain.spf_terms import MECHANISMS, MOST_TERMS, Term, before_all, parse_term, respelt
from smtp_wizard.engine.lazy_dataclass import dataclass

PLACE = "<what sends>"
"""Stands in a record where nobody knows yet what sends. No receiver can read it: it is never offered to be copied."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MendedSpf:
    """The record that mends what stands there."""

    record: str
    """With `PLACE` in it where it is not `whole`."""
    whole: bool
    """Whether it can be published as it is."""
    left_out: tuple[str, ...] = ()
    """Parts of what stands there that it does not have, and that may be meant for something that sends."""


def mended(result: SpfResult, sender: str = "") -> MendedSpf:
    """Return the record to publish in place of what stands there.

    What is allowed stays allowed: the terms of all records, once each, without those that lead to nothing or that no
    receiver can read. `sender`: the term that lets the provider or the server send, such as 'include:spf.example.net'.
    Where that costs too many look-ups, the domain's own hosts are named by their addresses.
    """
    texts = list(dict.fromkeys(_texts(result)))
    left_out = tuple(each for each in texts if _is_missed(each, result))
    terms, redirects = _kept(texts, result)
    wanted = any(each.fault is SpfFault.PROVIDER_MISSING for each in result.troubles) or not result.terms
    if sender and wanted:
        terms = [*_allowing(terms, sender)]
    end = _end(texts)
    if end or len(redirects) > 1 or len(result.records) > 1 or (sender and wanted):
        # Beside an 'all' it is ignored (section 6.1), and it may stand there once.
        terms += [f"include:{each.partition('=')[2]}" for each in redirects]
        redirects = []
    if result.lookups + _ignored(result) + (sender in terms and wanted) > MOST_LOOKUPS:
        terms = list(dict.fromkeys(_written_out(terms, result.addresses)))
    else:
        terms = list(dict.fromkeys(_written_out(terms, _of_many_hosts(result))))
    last = next(iter(redirects), end or "~all")
    record = " ".join(["v=spf1", *terms, last])
    if _is_whole(record, result, sender, left_out):
        return MendedSpf(record=record, whole=True, left_out=left_out)
    return MendedSpf(record=" ".join(["v=spf1", *terms, PLACE, last]), whole=False, left_out=left_out)


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


def _is_whole(record: str, result: SpfResult, sender: str, left_out: tuple[str, ...]) -> bool:
    """Whether the record names something that sends, and nothing that may send is lost by it."""
    terms = [parse_term(each) for each in record.split(" ")[1:]]
    names = any(each is not None and each.name in MECHANISMS - {"all"} for each in terms) or "redirect=" in record
    return names and record != result.record and (not left_out or bool(sender)) and sender not in left_out


def _texts(result: SpfResult) -> Iterator[str]:
    """Return all parts of all records, as they are meant."""
    for record in result.records or (result.almost,):
        for text in record.split(" ")[1 : MOST_TERMS + 1]:
            yield from respelt(text).split(" ") if text else ()


def _kept(texts: Iterable[str], result: SpfResult) -> tuple[list[str], list[str]]:
    """Return the terms that stay, and the redirections."""
    terms: list[str] = []
    redirects: list[str] = []
    for text in texts:
        term = parse_term(text)
        if term is None or term.name in ("all", "ptr") or _leads_nowhere(term, result):
            continue
        if term.name == "redirect":
            redirects.append(term.text)
        elif term.name == "exp" and any(each.lower().startswith("exp=") for each in terms):
            continue  # it may stand there once (section 6)
        elif not term.is_wide:
            terms.append(term.text)
        elif term.name in ("a", "mx"):
            terms.append(term.text.removesuffix(term.mask))
    return terms, redirects


def _leads_nowhere(term: Term, result: SpfResult) -> bool:
    """Whether a term makes receivers ignore the record. Two that find nothing are allowed (section 4.6.4), and stay."""
    if term.text not in result.empty_terms:
        return False
    too_many = any(each.fault is SpfFault.TOO_MANY_VOID for each in result.troubles)
    return term.name in ("include", "redirect") or (too_many and bool(term.value))


def _is_missed(text: str, result: SpfResult) -> bool:
    """Whether a part that the mended record does not have may stand for something that sends."""
    term = parse_term(text)
    if term is None:  # a stray word stands for nothing
        return not text.isalpha() or bool(get_close_matches(text.lower(), sorted(MECHANISMS)))
    if term.name in ("all", "ptr"):
        return term.qualifier == "+"
    itself = any(each.fault is SpfFault.LOOP and each.where == term.value.lower() for each in result.troubles)
    return term.is_wide or (_leads_nowhere(term, result) and not itself)


def _of_many_hosts(result: SpfResult) -> Mapping[str, tuple[str, ...]]:
    """Return the addresses of the domain's own terms that lead to more hosts than a receiver asks for."""
    many = {each.where.partition(": ")[2] for each in result.troubles if each.fault is SpfFault.TOO_MANY_HOSTS}
    return {text: found for text, found in result.addresses.items() if text in many}


def _written_out(terms: Iterable[str], addresses: Mapping[str, tuple[str, ...]]) -> Iterator[str]:
    """Name the addresses that the domain's own names lead to: those need no look-up."""
    for text in terms:
        known = addresses.get(text, ())
        if known and "/" not in text and text[0] not in "-~?":
            yield from (f"ip{ipaddress.ip_address(each).version}:{each}" for each in known)
        else:
            yield text


def _end(texts: Iterable[str]) -> str:
    """Return what holds for all others: the mildest of what the records say, as no mail is lost by that.

    '' where they say nothing; what allows everybody becomes a mild refusal.
    """
    terms = (parse_term(each) for each in texts)
    ends = {each.qualifier for each in terms if each is not None and each.name == "all"}
    return next((f"{mark}all" for mark in "?~-" if mark in ends), "~all" if ends else "")
