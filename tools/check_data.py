"""Checks everything under data/, each file by itself and then the links between them: `make check-data`.

Prints one line for each fault, and exits 1 where there is one. A line that begins with 'note:' is no fault: what was
last compared with its sources more than a year ago, what retires within 90 days, what has since it was checked, the
sources of which no sentence was kept, and the figures of limits that stand in no kept sentence.
`--today 2026-11-24` asks for another day; an argument names another folder than the product's own.
"""

from __future__ import annotations

import argparse
import re
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import TypeVar

from smtp_wizard.engine.base.data_files import DataError, data_path
from smtp_wizard.engine.base.endpoint import Security
from smtp_wizard.engine.base.records import parse_day
from smtp_wizard.engine.diagnosis.diagnosis import Diagnosis, load_diagnosis
from smtp_wizard.engine.discovery.mailbox_traces import MailboxKnowledge, load_mailbox_knowledge
from smtp_wizard.engine.domain.readiness import load_requirements
from smtp_wizard.engine.domain.sender_records import SenderRecords, load_sender_records
from smtp_wizard.engine.explain.wordings import load_wordings
from smtp_wizard.engine.guides.guides import Guide, load_guides
from smtp_wizard.engine.mailbox.mailbox_file import MailboxList, load_mailboxes
from smtp_wizard.engine.providers.catalog import Catalog, load_catalog
from smtp_wizard.engine.providers.limits import MEGABYTE, Counted, SendLimit
from smtp_wizard.engine.providers.provider import Documented, Provider, ProviderKind, Source, SourceKind
from smtp_wizard.engine.providers.retirements import endings, has_come, is_stale, retiring
from smtp_wizard.engine.providers.sender_rules import SenderRule, load_sender_rules
from smtp_wizard.engine.sandbox.scenarios import Scenario, load_scenarios
from smtp_wizard.engine.scan.control_host import ControlHost, load_control_hosts
from smtp_wizard.engine.unsubscribe import rules

T = TypeVar("T")


@dataclass(frozen=True)
class Knowledge:
    """Everything under data/, read."""

    catalog: Catalog
    guides: dict[str, Guide]
    diagnosis: Diagnosis
    scenarios: dict[str, Scenario]
    neutrals: tuple[ControlHost, ...]
    mailboxes: MailboxKnowledge
    imap_servers: MailboxList
    sender_records: Mapping[str, SenderRecords]
    sender_rules: Mapping[str, SenderRule]


def read_all(folder: Path) -> tuple[Knowledge | None, list[str]]:
    """Return what a folder knows, or None and one line for each file that cannot be read."""
    problems: list[str] = []

    def read(load: Callable[[Path], T], name: str) -> T | None:
        try:
            return load(folder / name)
        except DataError as problem:
            problems.append(str(problem))
            return None

    catalog = read(load_catalog, "providers.yaml")
    guides = read(load_guides, "guides")
    diagnosis = read(load_diagnosis, "diagnosis.yaml")
    scenarios = read(load_scenarios, "sandbox.yaml")
    neutrals = read(load_control_hosts, "control_hosts.yaml")
    mailboxes = read(load_mailbox_knowledge, "discovery.yaml")
    imap_servers = read(load_mailboxes, "mailboxes.yaml")
    read(load_requirements, "bulk_senders.yaml")
    read(load_wordings, "wordings.yaml")
    read(rules, "unsubscribe.yaml")
    if catalog is None or guides is None or diagnosis is None or scenarios is None or neutrals is None:
        return None, problems
    records, senders = read(load_sender_records, "sender_records.yaml"), read(load_sender_rules, "sender_rules.yaml")
    if mailboxes is None or imap_servers is None or records is None or senders is None:
        return None, problems
    known = Knowledge(catalog, guides, diagnosis, scenarios, neutrals, mailboxes, imap_servers, records, senders)
    return known, problems


def faults(known: Knowledge) -> Iterator[str]:
    """Yield what no file can know by itself, each as one line."""
    for provider in known.catalog.providers:
        for fault in (
            *_loose_paths(provider, known.guides, known.scenarios),
            *_odd_servers(provider),
            *_lost_figures(provider.documented),
        ):
            yield f"providers.yaml: {provider.id}{fault}"
    yield from _loose_guides(known.catalog, known.guides)
    yield from _loose_causes(known)
    yield from _practice_ports(known.catalog, known.scenarios)
    yield from _unknown_neutrals(known.catalog, known.neutrals)
    yield from _odd_traces(known.catalog, known.mailboxes)
    yield from _unknown_mailboxes(known.catalog, known.imap_servers)
    yield from _unknown_senders(known)


def _loose_paths(provider: Provider, guides: dict[str, Guide], scenarios: dict[str, Scenario]) -> Iterator[str]:
    """An access path names a guide and scenarios of the practice server."""
    for path in provider.paths:
        if path.guide is not None and path.guide not in guides:
            yield f"/{path.id}: there is no guide '{path.guide}'"
        for scenario in path.scenarios:
            if scenario not in scenarios:
                yield f"/{path.id}: there is no scenario '{scenario}'"


def _odd_servers(provider: Provider) -> Iterator[str]:
    """Port 465 is encrypted from the first byte (RFC 8314 section 3); port 25 is not for handing in (RFC 6409)."""
    for each in provider.endpoints:
        endpoint = each.endpoint
        if endpoint.port == 465 and endpoint.security is not Security.TLS:
            yield f": {endpoint} must be encrypted from the first byte"
        if endpoint.port == 25 and each.offered:
            yield f": {endpoint} is never offered, since many networks block port 25"


_WORDS_FOR_FIGURES = re.compile(r"\d[\d,]*")


def _lost_figures(documented: Documented | None) -> Iterator[str]:
    """Every number in the article's lines about limits stands among the figures."""
    if documented is None:
        return
    there = {text for limit in documented.limits for text in _figures(limit)}
    for line in documented.limit_lines:
        for number in _WORDS_FOR_FIGURES.findall(line):
            if number.replace(",", "") not in there:
                yield f": the article's '{line}' has a figure that stands nowhere: {number}"


def _figures(limit: SendLimit) -> Iterator[str]:
    if limit.value is not None:
        yield str(limit.value // MEGABYTE if limit.what is Counted.BYTES else limit.value)
    yield from _WORDS_FOR_FIGURES.findall(f"{limit.per.words} {limit.applies_to}")


def _loose_guides(catalog: Catalog, guides: dict[str, Guide]) -> Iterator[str]:
    """A guide names access paths; each has no other guide."""
    for guide in guides.values():
        for place in guide.paths:
            provider_id, _, path_id = place.partition("/")
            provider = catalog.get(provider_id)
            path = provider.path(path_id) if provider is not None else None
            if path is None:
                yield f"{guide.id}.md: there is no access path '{place}'"
            elif path.guide != guide.id and (path.guide is None or path.guide in guides):
                yield f"{guide.id}.md: the access path '{place}' has the guide '{path.guide}'"


def _loose_causes(known: Knowledge) -> Iterator[str]:
    """A cause names guides and providers. Clues may name services that are in no catalogue."""
    for guide_id in sorted(known.diagnosis.guides - known.guides.keys()):
        yield f"diagnosis.yaml: there is no guide '{guide_id}'"
    for provider_id in sorted(known.diagnosis.providers):
        if known.catalog.get(provider_id) is None:
            yield f"diagnosis.yaml: there is no provider '{provider_id}'"


def _practice_ports(catalog: Catalog, scenarios: dict[str, Scenario]) -> Iterator[str]:
    """The practice server listens where the catalogue says that it does."""
    listens = {(security, port) for scenario in scenarios.values() for security, port in scenario.ports.items()}
    for provider in catalog.providers:
        if provider.kind is ProviderKind.SANDBOX:
            for each in provider.endpoints:
                if (each.endpoint.security, each.endpoint.port) not in listens:
                    yield f"providers.yaml: {provider.id}: no scenario listens on {each.endpoint}"


def _unknown_neutrals(catalog: Catalog, neutrals: tuple[ControlHost, ...]) -> Iterator[str]:
    """A host that is proposed for a question about a port is one that is known to serve there."""
    serving = {
        (each.endpoint.host, each.endpoint.port) for provider in catalog.providers for each in provider.endpoints
    }
    for neutral in neutrals:
        for port in neutral.ports:
            if (neutral.host, port) not in serving:
                yield f"control_hosts.yaml: no provider has a server {neutral.host} on port {port}"


def _odd_traces(catalog: Catalog, mailboxes: MailboxKnowledge) -> Iterator[str]:
    """Traces lead to a provider of the catalogue; a filter's hosts are nobody's mailboxes."""
    for each in mailboxes.traces:
        if catalog.get(each.provider) is None:
            yield f"discovery.yaml: there is no provider '{each.provider}'"
    for behind in mailboxes.filters:
        for ending in behind.mx:
            if owners := catalog.by_mx([ending]):
                yield f"discovery.yaml: {behind.id}: the mail host {ending} belongs to '{owners[0].id}', too"


def _unknown_mailboxes(catalog: Catalog, mailboxes: MailboxList) -> Iterator[str]:
    """A mailbox is one of a provider in the catalogue; what it is beside is a server of that provider."""
    for each in mailboxes.servers:
        provider = catalog.get(each.provider)
        for host in each.beside if provider is not None else ():
            if provider is not None and host not in provider.hosts:
                yield f"mailboxes.yaml: {each.provider} has no server {host}"
    for provider_id in sorted({each.provider for each in mailboxes.servers} | mailboxes.pop3_only):
        if catalog.get(provider_id) is None:
            yield f"mailboxes.yaml: there is no provider '{provider_id}'"
    for provider_id in mailboxes.switched_on.keys() - {each.provider for each in mailboxes.servers}:
        yield f"mailboxes.yaml: '{provider_id}' has no IMAP server to be switched on"


def _unknown_senders(known: Knowledge) -> Iterator[str]:
    """What is said of senders is said of providers in the catalogue."""
    for name, said in (("sender_records.yaml", known.sender_records), ("sender_rules.yaml", known.sender_rules)):
        for provider_id in said:
            if known.catalog.get(provider_id) is None:
                yield f"{name}: there is no provider '{provider_id}'"


def notes(known: Knowledge, today: date) -> Iterator[str]:
    """Yield what will want a look, each as one line."""
    for provider in known.catalog.providers:
        if is_stale(provider.checked, today):
            yield f"providers.yaml: {provider.id} was last checked on {provider.checked}"
    for guide in known.guides.values():
        if is_stale(guide.checked, today):
            yield f"{guide.id}.md: was last checked on {guide.checked}"
    for provider in known.catalog.providers:
        for each in endings(provider):
            if each.on is not None and has_come(each.on, today):
                yield f"providers.yaml: {provider.id}: look again since {each.on}: {each.why}"
    for provider, retirement in retiring(known.catalog.providers, today):
        yield f"providers.yaml: {provider.id}: retires on {retirement.date}: {retirement.what}"
    yield from _said_of_sentences(known.catalog.providers)


def _said_of_sentences(providers: Sequence[Provider]) -> Iterator[str]:
    """Yield what cannot be read in a sentence kept of its source."""
    if unquoted := sorted(_unquoted(providers)):
        yield f"providers.yaml: no sentence was kept of these sources, which are no lists: {', '.join(unquoted)}"
    for provider in providers:
        for limit, source in _unproven(provider):
            yield f"providers.yaml: {provider.id}: '{limit.figure}' stands in no kept sentence of {source.id}"


_HAVE_SENTENCES = (SourceKind.OFFICIAL, SourceKind.COMMUNITY)
"""Thunderbird's list has none, nor has what was only searched for; what the article says stands with the facts."""


def _unquoted(providers: Iterable[Provider]) -> set[str]:
    """Return the ids of the sources that are pages and no lists, and of which no sentence was kept."""
    return {
        source.id
        for provider in providers
        for source in provider.sources
        if not source.says and not source.listing and source.kind in _HAVE_SENTENCES
    }


def _unproven(provider: Provider) -> Iterator[tuple[SendLimit, Source]]:
    """Yield each limit of today whose figure stands in no sentence kept of its source, with that source.

    Three kinds of limit need none: one that the source leaves open; one of a source without any sentence, which is
    named by itself or is a list; and one that is worked out, where the figures that it follows from must be there.
    """
    for limit in provider.limits:
        source = provider.source(limit.source)
        if limit.value is None or source is None or not source.says:
            continue
        said = {number for sentence in source.says for number in figures_in(sentence)}
        from_them = figures_in(limit.worked_out)
        if not (from_them <= said if from_them else _spellings(limit.what, limit.value) & said):
            yield limit, source


def _spellings(what: Counted, value: int) -> set[int]:
    """Return the numbers that say this much: a size also in kilobytes and bytes, by a thousand or by 1,024."""
    if what is not Counted.BYTES:
        return {value}
    return {value // MEGABYTE * unit for unit in (1, 1000, 1024, 1000**2, 1024**2)}


_BETWEEN = r"[.,'\N{RIGHT SINGLE QUOTATION MARK}]"
_FIGURE = re.compile(rf"(?P<digits>\d+(?:{_BETWEEN}\d+)*)(?:\s?(?P<times>[kK]\b|\u4e07|\ub9cc))?")
_GROUPED = re.compile(rf"\d{{1,3}}(?:{_BETWEEN}\d{{3}})+")
_SPACED = re.compile(r"(?<![\d.,])\d{1,3}(?:[ \N{NO-BREAK SPACE}\N{NARROW NO-BREAK SPACE}]\d{3})+(?![\d.,])")
_TIMES = {"k": 1000, "\u4e07": 10_000, "\ub9cc": 10_000}
"""The last two are Chinese and Korean for ten thousand."""

_WORDS = ("one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten")


def figures_in(sentence: str) -> set[int]:
    """Return the whole numbers in a sentence, however they are spelt: 2,000 or 2.000, 2 000 or 2'000, 2k, and two."""
    found = {_WORDS.index(word) + 1 for word in re.findall(r"[a-z]+", sentence.lower()) if word in _WORDS}
    found |= {_whole(each.group()) for each in _SPACED.finditer(sentence)}
    for each in _FIGURE.finditer(sentence):
        digits = each["digits"]
        if digits.isdecimal() or _GROUPED.fullmatch(digits):
            found.add(_whole(digits) * _TIMES.get((each["times"] or "").lower(), 1))
    return found


def _whole(digits: str) -> int:
    """Return a number without what stands between its groups of three."""
    return int(re.sub(r"\D", "", digits))


def main(arguments: Sequence[str]) -> int:
    """Print notes and faults; return the exit code."""
    parser = argparse.ArgumentParser(description="Check everything under data/.")
    parser.add_argument("folder", nargs="?", type=Path, default=data_path(), help="another folder than the product's")
    parser.add_argument("--today", type=parse_day, default=date.today(), help="as YYYY-MM-DD")
    asked = parser.parse_args(arguments)
    known, found = read_all(asked.folder)
    if known is not None:
        for note in notes(known, asked.today):
            print(f"note: {note}")
        found = [*found, *faults(known)]
    for fault in found:
        print(fault)
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
