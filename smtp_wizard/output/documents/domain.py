"""What a domain publishes about its mail, as JSON: `domain`."""

from __future__ import annotations

from typing import ClassVar

from smtp_wizard.engine.base.records import Whole
from smtp_wizard.engine.base.stages import Verdict
from smtp_wizard.engine.base.who import Who
from smtp_wizard.engine.domain.dmarc import Policy
from smtp_wizard.engine.domain.domain_report import DomainReport
from smtp_wizard.engine.domain.findings import DnsRecord, DomainFinding
from smtp_wizard.engine.lazy_dataclass import dataclass
from smtp_wizard.output.documents.document import JsonDocument


@dataclass(frozen=True, slots=True)
class SpfJson:
    """The SPF record, and what it costs a receiver."""

    verdict: Verdict
    record: str | None
    lookups: Whole


@dataclass(frozen=True, slots=True)
class DkimJson:
    """One DKIM key."""

    selector: str
    verdict: Verdict
    bits: Whole | None


@dataclass(frozen=True, slots=True)
class DmarcJson:
    """The DMARC record, and what it asks for."""

    verdict: Verdict
    record: str | None
    policy: Policy | None


@dataclass(frozen=True, slots=True)
class DomainFindingJson:
    """One thing that is wrong, or good to know."""

    code: str
    verdict: Verdict
    title: str
    explanation: str
    who: Who
    steps: tuple[str, ...]
    publish: DnsRecord | None

    @classmethod
    def of(cls, finding: DomainFinding) -> DomainFindingJson:
        """Return a finding as it is printed."""
        return cls(
            finding.code,
            finding.verdict,
            finding.title,
            finding.explanation,
            finding.who,
            finding.steps,
            finding.publish,
        )


@dataclass(frozen=True, slots=True)
class DomainExamined(JsonDocument):
    """`domain`."""

    NAME: ClassVar = "domain"
    domain: str
    provider: str | None
    verdict: Verdict
    spf: SpfJson
    dkim: tuple[DkimJson, ...]
    dmarc: DmarcJson
    mx: tuple[str, ...] | None
    """The mail hosts; null where the DNS did not answer."""
    findings: tuple[DomainFindingJson, ...]

    @classmethod
    def of(cls, report: DomainReport) -> DomainExamined:
        """Return what was found as it is printed."""
        from smtp_wizard.engine.base.shown import shown

        return cls(
            domain=report.domain,
            provider=report.provider or None,
            verdict=report.verdict,
            spf=SpfJson(report.spf_verdict, shown(report.spf.record, 4096) or None, report.spf.lookups),
            dkim=tuple(
                DkimJson(key.selector, Verdict.PASS if key.usable else Verdict.FAIL, key.bits) for key in report.keys
            ),
            dmarc=DmarcJson(report.dmarc_verdict, shown(report.dmarc.record, 4096) or None, report.dmarc.policy),
            mx=None if report.mx_verdict is Verdict.UNKNOWN else report.mail_hosts.hosts,
            findings=tuple(map(DomainFindingJson.of, report.findings)),
        )
