"""Everything that a domain publishes about its mail, looked at at once, seen from the provider that sends."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Mapping
from dataclasses import replace

from smtp_wizard.engine.base.shown import NO_WORDS, Shown, phrase, shown
from smtp_wizard.engine.base.stages import Verdict
from smtp_wizard.engine.domain.dkim import DkimFault, DkimKey, examine_key
from smtp_wizard.engine.domain.dkim_findings import dkim_findings
from smtp_wizard.engine.domain.dmarc import Dmarc, DmarcFault, examine_dmarc
from smtp_wizard.engine.domain.dmarc_findings import (
    alignment_finding,
    dmarc_findings,
    foreign_finding,
    freemail_finding,
)
from smtp_wizard.engine.domain.dns_lookups import Lookups
from smtp_wizard.engine.domain.findings import DnsOperator, DomainFinding
from smtp_wizard.engine.domain.host_findings import mail_host_findings, server_findings
from smtp_wizard.engine.domain.mail_hosts import (
    MailHosts,
    MxFault,
    ServerFault,
    examine_mail_hosts,
    examine_server_names,
    is_address,
)
from smtp_wizard.engine.domain.sender_records import ReturnPath, SenderRecords
from smtp_wizard.engine.domain.spf import SpfFault, SpfResult, examine_spf
from smtp_wizard.engine.domain.spf_findings import nobody_sends, spf_findings
from smtp_wizard.engine.lazy_dataclass import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class DomainQuery:
    """What is asked about a domain."""

    domain: str
    """In A-labels."""
    written: Shown = NO_WORDS
    """As the person wrote it, where that is not in A-labels: so it is named in words."""
    provider_id: str = ""
    provider: Shown = NO_WORDS
    """The name of the provider that sends for it; '' where nobody said."""
    records: SenderRecords | None = None
    """What that provider asks for, where it is known."""
    selectors: tuple[str, ...] = ()
    """Of DKIM keys to look at, beside those of the provider."""
    server: str = ""
    """A server of one's own that sends, in A-labels."""
    sends_through: str = ""
    """The server that mail is handed to, where it is not known from which addresses it goes out."""
    owner: Shown = NO_WORDS
    """The mailbox provider that the domain itself belongs to ('gmail.com'); '' for a domain of one's own."""
    owner_sends: bool | None = False
    """Whether that provider is the one that sends; None where that is not known."""
    own_domains_only: bool = False
    """Whether the provider has mailboxes of its own domains, and is not known to send for others."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DomainReport:
    """What was found of a domain."""

    domain: str
    provider: str
    """Id of the provider that it was judged for; '' where nobody is known."""
    spf: SpfResult
    keys: tuple[DkimKey, ...]
    dmarc: Dmarc
    mail_hosts: MailHosts
    name_servers: tuple[Shown, ...]
    findings: tuple[DomainFinding, ...] = ()
    """The worst first."""
    named: bool | None = None
    """Whether the SPF record names who sends; None where that is not known."""
    owner: Shown = NO_WORDS
    """The mailbox provider that the domain itself belongs to; '' for a domain of one's own."""
    owner_sends: bool | None = False
    """Whether that provider is the one that sends; None where that is not known."""
    bounces_elsewhere: bool = False
    """Whether bounces go to a domain of the provider's, so that SPF says nothing about this one."""

    @property
    def verdict(self) -> Verdict:
        """The worst of all; 'unknown' where nothing is wrong, but the DNS did not say what the domain publishes."""
        found = worst(self.findings)
        unsaid = Verdict.UNKNOWN in (self.mx_verdict, self.spf_verdict, self.dmarc_verdict)
        return Verdict.UNKNOWN if unsaid and found is not Verdict.FAIL else found

    def verdict_of(self, prefix: str, *, there: bool) -> Verdict:
        """Return the worst of the findings whose codes begin so; 'skipped' where nothing is `there` to be judged."""
        found = worst(each for each in self.findings if each.code.startswith(prefix))
        return Verdict.SKIPPED if found is Verdict.PASS and not there else found

    def not_said(self, kind: str) -> bool:
        """Whether the DNS did not say all of one kind: 'spf', 'dkim', 'dmarc', or 'dns' for the mail hosts."""
        verdicts = {"spf": self.spf_verdict, "dmarc": self.dmarc_verdict, "dns": self.mx_verdict}
        own = verdicts.get(kind) is Verdict.UNKNOWN or set(verdicts.values()) == {Verdict.UNKNOWN}
        return own or any(each.code == f"{kind}{_UNREACHABLE}" for each in self.findings)

    @property
    def spf_verdict(self) -> Verdict:
        """Of the SPF record; 'unknown' where the DNS did not say whether there is one."""
        if not self.spf.records and SpfFault.UNREACHABLE in self.spf.faults:
            return Verdict.UNKNOWN
        return self.verdict_of("spf_", there=bool(self.spf.record))

    @property
    def dkim_verdict(self) -> Verdict:
        """Of all keys together."""
        return self.verdict_of("dkim_", there=any(key.record for key in self.keys))

    @property
    def dmarc_verdict(self) -> Verdict:
        """Of the DMARC record; 'unknown' as above."""
        if not self.dmarc.records and DmarcFault.UNREACHABLE in dict(self.dmarc.faults):
            return Verdict.UNKNOWN
        return self.verdict_of("dmarc_", there=bool(self.dmarc.record))

    @property
    def mx_verdict(self) -> Verdict:
        """Of the mail hosts, and of the domain itself; 'unknown' as above."""
        if MxFault.UNREACHABLE in dict(self.mail_hosts.faults):
            return Verdict.UNKNOWN
        found = worst(each for each in self.findings if each.code in (*MxFault, *ServerFault))
        return Verdict.SKIPPED if found is Verdict.PASS and not self.mail_hosts.hosts else found


_ORDER = (Verdict.FAIL, Verdict.WARN, Verdict.SKIPPED)


def worst(found: Iterator[DomainFinding] | tuple[DomainFinding, ...]) -> Verdict:
    """Return the worst verdict of findings; what is only good to know leaves 'pass'."""
    verdicts = {each.verdict for each in found}
    return next((each for each in _ORDER[:2] if each in verdicts), Verdict.PASS)


async def examine_domain(question: DomainQuery, lookups: Lookups) -> DomainReport:
    """Look a domain up, and judge it. Only names are asked about. Raises nothing."""
    domain, records = question.domain, question.records
    selectors = dict.fromkeys((*question.selectors, *(records.selectors if records else ())))
    own_server, through = await asyncio.gather(
        _addresses(question.server, lookups), _addresses(question.sends_through, lookups)
    )
    examined = await asyncio.gather(*(examine_key(domain, selector, lookups) for selector in selectors))
    spf, dmarc, hosts, servers = await asyncio.gather(
        examine_spf(domain, lookups, records.spf if records else (), own_server, through),
        examine_dmarc(domain, lookups),
        examine_mail_hosts(domain, lookups),
        lookups.name_servers(domain),
    )
    keys = tuple(examined)
    names, aliases = await asyncio.gather(
        _server_names(question.server, lookups), _aliases(domain, spf, dmarc, keys, lookups)
    )
    report = DomainReport(
        domain=domain,
        provider=question.provider_id,
        spf=spf,
        keys=keys,
        dmarc=dmarc,
        mail_hosts=hosts,
        name_servers=servers,
        named=_is_named(question, spf),
        owner=question.owner,
        owner_sends=_owner_sends(question, spf),
        bounces_elsewhere=_bounces_elsewhere(question),
    )
    found = sorted(_told_once(_findings(question, report, names, aliases), report), key=_urgency)
    return replace(report, findings=tuple(_as_written(each, question) for each in found))


def _as_written(finding: DomainFinding, question: DomainQuery) -> DomainFinding:
    """Name the domain in words as the person wrote it. The record to publish stays in A-labels, as the DNS wants it."""
    if not question.written:
        return finding

    def named(words: Shown) -> Shown:
        return shown(words.replace(question.domain, question.written), len(words) + LONGEST_NAME)

    return replace(
        finding,
        title=named(finding.title),
        explanation=named(finding.explanation),
        steps=tuple(map(named, finding.steps)),
    )


LONGEST_NAME = 253
"""Characters of a domain (RFC 1035 section 2.3.4)."""


async def _aliases(
    domain: str, spf: SpfResult, dmarc: Dmarc, keys: tuple[DkimKey, ...], lookups: Lookups
) -> dict[str, str]:
    """Return which of the names where a record may have to be published are other names (CNAME), and for what."""
    # A name server that did not answer is not asked again: that costs seconds.
    names = [domain] if spf.faults - {SpfFault.UNREACHABLE} else []
    names += [f"_dmarc.{dmarc.found_at or domain}"] if set(dict(dmarc.faults)) - {DmarcFault.UNREACHABLE} else []
    names += [key.name for key in keys if set(key.faults) - {DkimFault.UNREACHABLE}]
    targets = await asyncio.gather(*map(lookups.alias_target, names))
    return {name: target for name, target in zip(names, targets, strict=True) if target}


def _owner_sends(question: DomainQuery, spf: SpfResult) -> bool | None:
    """Return whether the mailbox provider sends whose own domain it is: it does from what its own record names."""
    if question.owner_sends is None and spf.allowed:
        return True
    return question.owner_sends


def _is_named(question: DomainQuery, spf: SpfResult) -> bool | None:
    """Return whether the record names who sends, None where it is not known who does."""
    if question.owner and question.owner_sends is not None:
        return question.owner_sends
    if question.sends_through:
        return True if spf.allowed else None  # another server may pass the mail on
    known = bool(question.records and question.records.spf) or bool(question.server)
    if not known or {SpfFault.UNREACHABLE, SpfFault.BY_MESSAGE} & spf.faults:
        return None
    return bool(spf.record) and SpfFault.PROVIDER_MISSING not in spf.faults


def _urgency(finding: DomainFinding) -> tuple[int, bool]:
    """Order the worst first, and of those alike what the DNS did not say: looking again comes before anything else."""
    return _ORDER.index(finding.verdict), not finding.code.endswith(_UNREACHABLE)


_UNREACHABLE = "_unreachable"


def _told_once(findings: Iterator[DomainFinding], report: DomainReport) -> Iterator[DomainFinding]:
    """Tell one finding where the DNS said nothing at all."""
    silent = {report.mx_verdict, report.spf_verdict, report.dmarc_verdict} == {Verdict.UNKNOWN}
    for each in findings:
        if not (silent and each.code.endswith(_UNREACHABLE)) or each.code == MxFault.UNREACHABLE:
            yield each


async def _addresses(server: str, lookups: Lookups) -> tuple[str, ...]:
    if not server:
        return ()
    return (server,) if is_address(server) else await lookups.addresses(server)


async def _server_names(server: str, lookups: Lookups) -> tuple[tuple[ServerFault, str], ...]:
    return await examine_server_names(server, lookups) if server else ()


def _findings(
    question: DomainQuery,
    report: DomainReport,
    names: tuple[tuple[ServerFault, str], ...],
    aliases: Mapping[str, str],
) -> Iterator[DomainFinding]:
    place = DnsOperator(domain=question.domain, name_servers=report.name_servers, aliases=aliases)
    hosts = tuple(mail_host_findings(report.mail_hosts, place))
    if MxFault.NO_SUCH_DOMAIN in [fault for fault, _ in report.mail_hosts.faults]:
        yield from hosts  # of a domain that is not there, nothing else can be wrong
        return
    if question.owner:
        sender = question.provider or shown(question.server or question.sends_through, 253)
        if report.owner_sends is False and sender:
            yield freemail_finding(report.dmarc, question.domain, question.owner, sender)
        return  # its records are its owner's to change
    include = _include(question)
    needed = _bounces_elsewhere(question)
    provider = question.provider or shown(question.server, 253)
    yield from _spf_findings(report, place, provider, include, needed=not needed)
    yield from dkim_findings(
        report.keys, place, question.provider, question.records, needed=needed, asked=question.selectors
    )
    yield from dmarc_findings(report.dmarc, place)
    unaligned = alignment_finding(
        report.dmarc, report.keys, place, question.provider or phrase("your provider"), question.records
    )
    if unaligned is not None:
        yield unaligned
    elif question.own_domains_only:
        yield foreign_finding(report.dmarc, place, question.provider)
    yield from hosts
    yield from server_findings(names, question.server)


def _spf_findings(
    report: DomainReport, place: DnsOperator, provider: Shown, include: str, *, needed: bool
) -> Iterator[DomainFinding]:
    """Say what is wrong with the SPF. `needed`: it is asked for this domain, and not for the provider's own."""
    takes_no_mail = MxFault.NULL in dict(report.mail_hosts.faults)
    for found in spf_findings(report.spf, place, provider, include):
        if found.code != SpfFault.NOBODY:
            yield found
        elif takes_no_mail:
            yield nobody_sends(place)
        elif needed:
            yield found


def _bounces_elsewhere(question: DomainQuery) -> bool:
    return question.records is not None and question.records.return_path is ReturnPath.PROVIDER


def _include(question: DomainQuery) -> str:
    """Return the SPF term that lets the sender send, '' where none is known."""
    if question.records is not None and question.records.spf:
        return f"include:{question.records.spf[0]}"
    return f"a:{question.server}" if question.server else ""
