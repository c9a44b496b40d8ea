"""Whether an account is ready for mailings: what receivers ask of who sends to many, checked as far as can be seen.

What they ask stands in `data/bulk_senders.yaml`, with who says so and from when.
"""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum
from functools import partial
from pathlib import Path

from smtp_wizard.engine.base.confidence import Confidence
from smtp_wizard.engine.base.data_files import data_path
from smtp_wizard.engine.base.endpoint import Endpoint, Security
from smtp_wizard.engine.base.shown import Shown, phrase, shown
from smtp_wizard.engine.base.stages import Verdict
from smtp_wizard.engine.base.strict_yaml import Node, YamlDocument
from smtp_wizard.engine.base.who import Who
from smtp_wizard.engine.domain.domain_report import DomainReport
from smtp_wizard.engine.lazy_dataclass import dataclass
from smtp_wizard.engine.providers.provider import Source
from smtp_wizard.engine.providers.provider_file import Citations, read_sources


class RequirementCheck(StrEnum):
    """The check by which a requirement is looked at."""

    EITHER = "either"
    """SPF or DKIM: one of the two is enough."""
    SPF = "spf"
    DKIM = "dkim"
    DMARC = "dmarc"
    ALIGNMENT = "alignment"
    TLS = "tls"
    NAMES = "names"
    UNSUBSCRIBE = "unsubscribe"
    COMPLAINTS = "complaints"


@dataclass(frozen=True, slots=True, kw_only=True)
class Requirement:
    """What receivers ask for."""

    id: str
    check: RequirementCheck
    by: tuple[str, ...]
    """Who asks."""
    many: int
    """Messages a day from which on; 1: of everybody."""
    since: str
    title: Shown
    asked: Shown
    who: Who
    step: Shown
    source: Source
    as_of: str
    confidence: Confidence
    also: tuple[Source, ...] = ()
    """Other sources that say so."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RequirementResult:
    """A requirement, and whether it is met."""

    requirement: Requirement
    verdict: Verdict
    """'pass', 'fail', 'warn' (not met, and not asked of so few), or 'unknown': it cannot be seen from here."""
    detail: Shown
    silent: bool = False
    """Whether it is only unknown because the DNS did not answer."""

    @property
    def step(self) -> Shown:
        """What to do where it is not met, or cannot be seen."""
        return LOOK_LATER if self.silent else self.requirement.step


LOOK_LATER = phrase("Look again in some minutes.")


def load_requirements(path: Path | None = None) -> tuple[Requirement, ...]:
    """Read the list, the product's own unless another is given. Raises `DataError`."""
    return YamlDocument(path or data_path("bulk_senders.yaml")).root.read(_read)


def _read(root: Node) -> tuple[Requirement, ...]:
    if root.whole("version") != 1:
        raise root.error("version", "only version 1 of this file is known")
    sources = root.child("sources").read(read_sources)
    read = partial(_requirement, cited=Citations(sources))
    found = tuple(each.read(read) for each in root.children("requirements"))
    if len({each.id for each in found}) != len(found):
        raise root.error("requirements", "two have the same id")
    return found


def _requirement(node: Node, cited: Citations) -> Requirement:
    source, as_of, confidence = cited.fact(node)
    return Requirement(
        id=node.text("id"),
        check=node.choice("check", RequirementCheck),
        by=node.texts("by"),
        many=node.whole("many"),
        since=node.date("since"),
        title=shown(node.text("title")),
        asked=shown(node.text("asked")),
        who=node.choice("who", Who),
        step=shown(node.text("step")),
        source=cited.used[source],
        as_of=as_of,
        confidence=confidence,
        also=tuple(cited.used[cited.one(node, "also", each)] for each in node.texts("also")),
    )


def judge(
    requirements: Iterable[Requirement], report: DomainReport, endpoint: Endpoint, recipients: int
) -> tuple[RequirementResult, ...]:
    """Say of each requirement whether it is met, for a mailing to so many."""
    return tuple(_met(each, report, endpoint, recipients) for each in requirements)


def _met(requirement: Requirement, report: DomainReport, endpoint: Endpoint, recipients: int) -> RequirementResult:
    verdict, detail = _looked_at(requirement.check, report, endpoint)
    if verdict is Verdict.FAIL and recipients < requirement.many:
        verdict = Verdict.WARN
        detail = phrase("{} It is asked only of who sends {:,} messages a day.", detail, requirement.many)
    silent = verdict is Verdict.UNKNOWN and _SILENT in detail
    return RequirementResult(requirement=requirement, verdict=verdict, detail=detail, silent=silent)


_UNSEEN = phrase("It cannot be seen from here.")


def _looked_at(check: RequirementCheck, report: DomainReport, endpoint: Endpoint) -> tuple[Verdict, Shown]:
    match check:
        case RequirementCheck.EITHER:
            return _either(
                _looked_at(RequirementCheck.SPF, report, endpoint), _looked_at(RequirementCheck.DKIM, report, endpoint)
            )
        case RequirementCheck.SPF:
            return _spf(report)
        case RequirementCheck.DKIM if (
            not any(key.record for key in report.keys)
            and report.dkim_verdict is not Verdict.FAIL
            and not report.not_said("dkim")
        ):
            return Verdict.UNKNOWN, phrase("The name of the key is not known. A message that you received shows it.")
        case RequirementCheck.DKIM:
            return _by_record(report, any(key.record for key in report.keys), "dkim", phrase("A key is published."))
        case RequirementCheck.DMARC:
            return _by_record(report, bool(report.dmarc.record), "dmarc", phrase("A DMARC record is published."))
        case RequirementCheck.ALIGNMENT:
            return _aligned(report)
        case RequirementCheck.TLS if endpoint.security is Security.NONE:
            return Verdict.FAIL, phrase("The account sends over a connection without encryption.")
        case RequirementCheck.TLS:
            return Verdict.PASS, phrase("The account sends over an encrypted connection.")
        case _:
            return Verdict.UNKNOWN, _UNSEEN


def _either(spf: tuple[Verdict, Shown], dkim: tuple[Verdict, Shown]) -> tuple[Verdict, Shown]:
    """Return what is good of the two; where neither is, what is known of both."""
    for found in (spf, dkim):
        if found[0] is Verdict.PASS:
            return found
    verdict = Verdict.UNKNOWN if Verdict.UNKNOWN in (spf[0], dkim[0]) else Verdict.FAIL
    return verdict, phrase("{} {}", spf[1], dkim[1])


_NOT_ALIGNED = ("dmarc_not_aligned", "freemail_sender")


def _by_record(report: DomainReport, there: bool, kind: str, good: Shown) -> tuple[Verdict, Shown]:
    """Return what was found of one kind of record. `there`: whether there is one; what is missing is not met."""
    own = [each for each in report.findings if each.code.startswith(f"{kind}_") and each.code not in _NOT_ALIGNED]
    worst = next((each for each in own if each.verdict is Verdict.FAIL), None)
    if worst is None and report.not_said(kind) and not (there and kind == "dkim"):
        return Verdict.UNKNOWN, _SILENT  # of an SPF record that came in part as well
    if worst is None and not there:
        worst = own[0] if own else None
    if worst is not None:
        return Verdict.FAIL, phrase("{}.", worst.title)
    return (Verdict.PASS, good) if there else (Verdict.FAIL, phrase("There is no such record."))


_SILENT = phrase("The DNS did not answer: it is not known whether there is such a record.")


def _spf(report: DomainReport) -> tuple[Verdict, Shown]:
    """Return whether the SPF record lets the account's server send: that it is in order is not enough."""
    verdict, detail = _by_record(report, bool(report.spf.record), "spf", phrase("It names what sends."))
    if verdict is Verdict.PASS and report.named is None:
        return Verdict.UNKNOWN, phrase("There is one, but it is not known whether it names the server that sends.")
    return verdict, detail


def _aligned(report: DomainReport) -> tuple[Verdict, Shown]:
    found = next((each for each in report.findings if each.code in _NOT_ALIGNED), None)
    if found is not None:
        return Verdict.FAIL, phrase("{}.", found.title)
    signed = any(key.record for key in report.keys)
    if signed and report.dkim_verdict is not Verdict.FAIL:
        return Verdict.PASS, phrase("The key is your domain's own.")
    if report.named and _spf(report)[0] is Verdict.PASS:
        return Verdict.PASS, phrase("The SPF record of your domain names what sends.")
    return Verdict.UNKNOWN, phrase("Neither a key nor the provider's servers are known here.")
