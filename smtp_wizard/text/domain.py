"""A domain's records in words: a line for each kind, then what is wrong, with the record that mends it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from smtp_wizard.engine.base.shown import shown
from smtp_wizard.engine.base.stages import Verdict
from smtp_wizard.engine.domain.dmarc import ALL, Policy
from smtp_wizard.engine.domain.domain_report import DomainReport
from smtp_wizard.engine.domain.findings import DnsRecord, DomainFinding
from smtp_wizard.output.plain_lines import VERDICT_WORDS, paragraph, who_words

UNKNOWN = "not known: the DNS did not answer"
_POLICY_WORDS = {
    Policy.NONE: "only watches",
    Policy.QUARANTINE: "asks for junk",
    Policy.REJECT: "asks for refusal",
}


def domain_lines(report: DomainReport) -> list[str]:
    """Return the whole report as lines of text."""
    lines = [
        line
        for verdict, label, words in _rows(report)
        for line in paragraph(words, f"{VERDICT_WORDS[verdict]:<6}{label:<12}")
    ]
    told: list[DnsRecord] = []
    for finding in report.findings:
        lines += ["", *domain_finding_lines(finding, told)]
        told += [finding.publish] if finding.publish is not None else []
    return lines


def domain_rows(report: DomainReport) -> list[str]:
    """Return one line for each kind of record: what it is, and what stands there."""
    return [f"{label}: {words}" for _, label, words in _rows(report)]


def _rows(report: DomainReport) -> Iterator[tuple[Verdict, str, str]]:
    nobody = UNKNOWN if report.not_said("dns") else "none"
    yield report.mx_verdict, "Mail hosts", ", ".join(report.mail_hosts.hosts) or nobody
    no_spf = UNKNOWN if report.not_said("spf") else "no record that counts"
    yield report.spf_verdict, "SPF", shown(report.spf.record, 1000) or no_spf
    keys = ", ".join(f"{key.selector} ({key.bits or 0} bits)" for key in report.keys if key.record)
    no_key = UNKNOWN if report.not_said("dkim") else "no key found"
    unknown = no_key if report.keys else "not looked for: no selector is known"
    yield report.dkim_verdict, "DKIM", shown(keys, 500) or unknown
    yield report.dmarc_verdict, "DMARC", _dmarc_words(report)


def _dmarc_words(report: DomainReport) -> str:
    dmarc = report.dmarc
    if not dmarc.policy:
        return UNKNOWN if report.not_said("dmarc") else "no record that counts"
    asked = _POLICY_WORDS[Policy.NONE if dmarc.on_trial else dmarc.policy]
    if dmarc.enforced and dmarc.percent < ALL:
        asked = f"{asked}, some receivers for {dmarc.percent} of 100 messages"
    parent = "" if dmarc.found_at == dmarc.domain else f", as {dmarc.found_at} has it"
    return f"{shown(dmarc.record, 1000)} ({asked}{parent})"


def domain_finding_lines(finding: DomainFinding, told: Sequence[DnsRecord] = ()) -> list[str]:
    """Return one finding as lines: what is wrong, who must act, the steps, and the record on lines of its own.

    `told`: records that stand above; one of those is not written again.
    """
    lines = paragraph(finding.title, f"{VERDICT_WORDS[finding.verdict]:<6}")
    margin = " " * 6
    lines += paragraph(finding.explanation, margin)
    if finding.publish is not None and finding.publish in told:
        return [*lines, f"{margin}The record above mends this as well."]
    if finding.steps:
        lines += paragraph(who_words(finding.who), f"{margin}Who must act: ")
    for number, step in enumerate(finding.steps, 1):
        lines += paragraph(step, f"{margin}{number:>2}. ")
    if finding.publish is not None:
        lines += [f"{margin}{line}" for line in record_lines(finding.publish)]
    return lines


def record_lines(record: DnsRecord) -> list[str]:
    """Return a record as it is entered at a DNS host, a line each."""
    return [f"Name   {record.name}", f"Type   {record.type}", f"Value  {record.value}"]


def record_words(record: DnsRecord) -> str:
    """Name a record in a few words."""
    return f"{record.type} record for {record.name}"
