"""Who keeps a domain's mailboxes, where somebody else receives its mail first.

That is: filters, forwarders, and what the domain's DNS has for the provider behind them.

Only names of the domain are asked for. What is known of each service stands in `data/discovery.yaml`.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterable, Sequence
from enum import StrEnum
from pathlib import Path

from smtp_wizard.engine.base.data_files import data_path
from smtp_wizard.engine.base.shown import shown
from smtp_wizard.engine.base.strict_yaml import Node, YamlDocument
from smtp_wizard.engine.discovery.dns import Resolver, look_up_alias, look_up_texts
from smtp_wizard.engine.lazy_dataclass import dataclass
from smtp_wizard.engine.providers.provider import Provider

LONGEST_SPF = 4096
"""Characters of an SPF record that are read; a whole answer of the DNS has room for little more."""


class FilterKind(StrEnum):
    """What stands in front of a mailbox."""

    FILTER = "filter"
    """It takes out what is unwanted, and hands the rest on."""
    FORWARDER = "forwarder"
    """It hands everything on, to a mailbox under another address."""


@dataclass(frozen=True, slots=True)
class MailFilter:
    """A service that receives a domain's mail and keeps none of it."""

    id: str
    name: str
    kind: FilterKind
    mx: tuple[str, ...]
    """Endings of its hosts."""


class Trace(StrEnum):
    """What in a domain's DNS, or on its web, points to a provider of mailboxes."""

    AUTODISCOVER = "autodiscover"
    DKIM = "dkim"
    SPF = "spf"


@dataclass(frozen=True, slots=True)
class DkimTrace:
    """A key of a provider's, in a domain's DNS (RFC 6376 section 3.6.2.1)."""

    selector: str
    into: str
    """The ending of the name that it is another name for; '' where the provider's key stands there itself."""


@dataclass(frozen=True, slots=True)
class ProviderTraces:
    """What a domain's DNS has where a provider keeps its mailboxes."""

    provider: str
    """Its id in the catalogue."""
    spf: tuple[str, ...]
    autodiscover: tuple[str, ...]
    dkim: tuple[DkimTrace, ...]


@dataclass(frozen=True, slots=True)
class MailboxKnowledge:
    """What `data/discovery.yaml` has of both."""

    filters: tuple[MailFilter, ...]
    traces: tuple[ProviderTraces, ...]


@dataclass(frozen=True, slots=True)
class FoundTraces:
    """That a domain has traces of a provider."""

    provider: str
    traces: tuple[Trace, ...]
    """At least one, the strongest first."""


def load_mailbox_knowledge(path: Path | None = None) -> MailboxKnowledge:
    """Return what is known of filters and traces. Raises `DataError`."""
    return YamlDocument(path or data_path("discovery.yaml")).root.read(_read)


def _read(root: Node) -> MailboxKnowledge:
    if root.whole("schema") != 2:
        raise root.error("schema", "must be 2")
    root.children("databases")  # they are read elsewhere
    filters = tuple(each.read(_read_filter) for each in root.children("filters"))
    return MailboxKnowledge(filters, tuple(each.read(_read_traces) for each in root.children("traces")))


def _read_filter(node: Node) -> MailFilter:
    _read_sources(node)
    return MailFilter(node.text("id"), node.text("name"), node.choice("kind", FilterKind), node.one_or_more("mx"))


def _read_traces(node: Node) -> ProviderTraces:
    _read_sources(node)
    dkim = tuple(each.read(_read_dkim) for each in node.children("dkim"))
    return ProviderTraces(node.text("provider"), node.texts("spf"), node.texts("autodiscover"), dkim)


def _read_dkim(node: Node) -> DkimTrace:
    return DkimTrace(node.text("selector"), node.text_or("into"))


def _read_sources(node: Node) -> None:
    """Every fact names where it was read, when, and the words that say so."""
    for source in node.children("sources"):
        source.read(_read_source)
    if not node.children("sources"):
        raise node.error("sources", "name at least one")


def _read_source(node: Node) -> None:
    if not node.text("url").startswith("https://"):
        raise node.error("url", "must begin with https://")
    node.date("as_of")
    node.one_or_more("says")


def filter_of(mx_hosts: Sequence[str], filters: Iterable[MailFilter]) -> MailFilter | None:
    """Return the service that receives the mail of a domain with these MX hosts; None where none is known."""
    known = tuple(filters)
    found = (each for host in mx_hosts for each in known if _ends_in(host, each.mx))
    return next(found, None)


async def find_traces(domain: str, known: Sequence[ProviderTraces], resolver: Resolver) -> tuple[FoundTraces, ...]:
    """Look for traces of the known providers in the DNS of a domain, given in A-labels; most of them first.

    Raises nothing.
    """
    selectors = sorted({(each.selector, bool(each.into)) for one in known for each in one.dkim})
    keys = asyncio.gather(*(_key(domain, selector, resolver, alias=alias) for selector, alias in selectors))
    spf, alias, found_keys = await asyncio.gather(
        _included(domain, resolver), look_up_alias(f"autodiscover.{domain}", resolver), keys
    )
    by_selector = dict(zip(selectors, found_keys, strict=True))

    def of(one: ProviderTraces) -> tuple[Trace, ...]:
        keyed = any(_fits(by_selector[each.selector, bool(each.into)], each) for each in one.dkim)
        return tuple(
            trace
            for trace, there in (
                (Trace.AUTODISCOVER, _ends_in(alias, one.autodiscover)),
                (Trace.DKIM, keyed),
                (Trace.SPF, any(_ends_in(each, one.spf) for each in spf)),
            )
            if there
        )

    found = [FoundTraces(one.provider, of(one)) for one in known]
    return tuple(sorted((each for each in found if each.traces), key=lambda each: -len(each.traces)))


async def _included(domain: str, resolver: Resolver) -> tuple[str, ...]:
    """Return the domains whose servers the SPF record of a domain lets send (RFC 7208 sections 4.6.2, 5.2 and 6.1).

    What it refuses ('-include:', '~include:') shows that its mail does not come from there.
    """
    records = [text[:LONGEST_SPF] for text in await look_up_texts(domain, resolver)]
    terms = [term.lower() for text in records if text.lower().startswith("v=spf1 ") for term in text.split()[1:]]
    named = (term.lstrip("+?") for term in terms)
    return tuple(
        term[8:] for each in named for term in [each.replace("redirect=", "include:")] if term[:8] == "include:"
    )


_KEY = re.compile(r"(?:^|;)[ \t]{0,8}p[ \t]{0,8}=[ \t]{0,8}[^\s;]", re.IGNORECASE)
"""A key; one with nothing in it has been withdrawn (RFC 6376 section 3.6.1)."""


async def _key(domain: str, selector: str, resolver: Resolver, *, alias: bool) -> str:
    """Return what stands under a selector: the name that it is another name for, or else the key; '' for nothing."""
    name = f"{selector}._domainkey.{domain}"
    if alias:
        return await look_up_alias(name, resolver)
    return next((text for text in await look_up_texts(name, resolver) if _KEY.search(text)), "")


def _fits(found: str, wanted: DkimTrace) -> bool:
    return _ends_in(found, (wanted.into,)) if wanted.into else bool(found)


def _ends_in(name: str, endings: Iterable[str]) -> bool:
    """Whether a name is one of these, or below it."""
    plain = name.rstrip(".").lower()
    return any(plain == ending or plain.endswith(f".{ending}") for ending in endings)


def host_traces(host: str, known: Iterable[ProviderTraces]) -> tuple[FoundTraces, ...]:
    """Return whose a host is that the domain's own autodiscover names; empty where that is nobody who is known."""
    return tuple(
        FoundTraces(each.provider, (Trace.AUTODISCOVER,)) for each in known if _ends_in(host, each.autodiscover)
    )


def together(found: Iterable[FoundTraces]) -> tuple[FoundTraces, ...]:
    """Put together what several look-ups found; the provider with most traces first."""
    by_provider: dict[str, set[Trace]] = {}
    for each in found:
        by_provider.setdefault(each.provider, set()).update(each.traces)
    ordered = [
        FoundTraces(provider, tuple(trace for trace in Trace if trace in traces))
        for provider, traces in by_provider.items()
    ]
    return tuple(sorted(ordered, key=lambda each: -len(each.traces)))


_TRACE_WORDS = {
    Trace.AUTODISCOVER: "its autodiscover leads there",
    Trace.DKIM: "its DKIM key is theirs",
    Trace.SPF: "its SPF record names them",
}


def trace_words(domain: str, provider: str, found: FoundTraces) -> str:
    """Say why a domain's mailboxes may be at a provider: a clause."""
    reasons = " and ".join(_TRACE_WORDS[trace] for trace in found.traces)
    return f"the mailboxes of {shown(domain, 80)} may be at {provider}: {reasons}"


def traces_note(domain: str, providers: Sequence[Provider]) -> str:
    """Say where providers are from that traces point to, and ask which it is."""
    names = ", ".join(each.name for each in providers)
    asks = "please choose yours." if len(providers) > 1 else "is your mailbox there?"
    return f"from: traces in the DNS of {shown(domain, 80)}. They point to {names}: {asks}"


_HANDS_ON = {
    FilterKind.FILTER: "The mail of {domain} is filtered by {name} ({host}), which keeps no mailbox: who keeps yours?",
    FilterKind.FORWARDER: "{name} ({host}) hands the mail of {domain} on to another mailbox: who keeps that one?",
}
_COMES_FIRST = {
    FilterKind.FILTER: "The mail of {domain} is filtered by {name} ({host}), which keeps no mailbox.",
    FilterKind.FORWARDER: "{name} ({host}) hands mail of {domain} on to another mailbox.",
}


def filter_words(behind: MailFilter, domain: str, host: str, *, known: bool = False) -> str:
    """Say who receives a domain's mail first, and and ask who keeps the mailbox unless that is known."""
    words = _COMES_FIRST if known else _HANDS_ON
    return words[behind.kind].format(domain=shown(domain, 80), name=behind.name, host=shown(host, 80))
