"""Whether an account is ready for mailings: what receivers ask of who sends to many, checked as far as can be seen.

What they ask stands in `data/bulk_senders.yaml`, with who says so and from when.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from enum import StrEnum
from functools import partial
from pathlib import Path

from smtp_wizard.engine.base.confidence import Confidence
from smtp_wizard.engine.base.data_files import data_path
from smtp_wizard.engine.base.endpoint import Endpoint, Security
from smtp_wizard.engine.base.shown import NO_WORDS, Shown, phrase, shown
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
    """'pass', 'fail', 'warn' (not met, and not asked of so few), 'unknown' (it cannot be seen from here), or 'skipped':
    it is another's matter."""
    detail: Shown
    silent: bool = False
    """Whether it is only unknown because the DNS did not answer."""
    undecided: bool = False
    """Whether nobody can be called ready before this is known: it is asked of so many, and can be seen elsewhere."""

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


@dataclass(frozen=True, slots=True, kw_only=True)
class _Look:
    """What was seen of one requirement."""

    verdict: Verdict
    detail: Shown
    silent: bool = False
    who: Who | None = None
    step: Shown = NO_WORDS
    """What to do in this case, where it is something else than the requirement has; `who` does it."""


def _met(requirement: Requirement, report: DomainReport, endpoint: Endpoint, recipients: int) -> RequirementResult:
    look = _looked_at(requirement.check, report, endpoint)
    asked = recipients >= requirement.many
    by_domain = requirement.check is RequirementCheck.ALIGNMENT and report.dmarc.enforced
    verdict, detail = look.verdict, look.detail
    if verdict is Verdict.FAIL and not (asked or by_domain):
        verdict = Verdict.WARN
        detail = phrase("{} It is asked only of who sends {:,} messages a day.", detail, requirement.many)
    if look.step:
        requirement = replace(requirement, who=look.who or requirement.who, step=look.step)
    decides = look.silent or requirement.check in _DECIDING
    return RequirementResult(
        requirement=requirement,
        verdict=verdict,
        detail=detail,
        silent=look.silent,
        undecided=verdict is Verdict.UNKNOWN and decides and (asked or _may_be_asked(requirement.check, report)),
    )


_DECIDING = frozenset({RequirementCheck.EITHER, RequirementCheck.ALIGNMENT})
"""What must be known: of SPF and DKIM alone one is enough, as the other may not be visible from here."""


def _may_be_asked(check: RequirementCheck, report: DomainReport) -> bool:
    """Whether the domain may ask all receivers for it, however little is sent (DMARC, RFC 9989 section 4.7)."""
    return check is RequirementCheck.ALIGNMENT and (report.dmarc.enforced or report.not_said("dmarc"))


def _looked_at(check: RequirementCheck, report: DomainReport, endpoint: Endpoint) -> _Look:
    match check:
        case RequirementCheck.EITHER:
            return _either(_spf(report), _dkim(report))
        case RequirementCheck.SPF:
            return _spf(report)
        case RequirementCheck.DKIM:
            return _dkim(report)
        case RequirementCheck.DMARC:
            return _by_record(report, bool(report.dmarc.record), "dmarc", phrase("A DMARC record is published."))
        case RequirementCheck.ALIGNMENT:
            return _aligned(report)
        case RequirementCheck.TLS if endpoint.security is Security.NONE:
            return _Look(verdict=Verdict.FAIL, detail=phrase("The account sends over a connection without encryption."))
        case RequirementCheck.TLS:
            return _Look(verdict=Verdict.PASS, detail=phrase("The account sends over an encrypted connection."))
        case _:
            return _Look(verdict=Verdict.UNKNOWN, detail=phrase("It cannot be seen from here."))


def _either(spf: _Look, dkim: _Look) -> _Look:
    """Return what is good of the two; where neither is, what is known of both."""
    for found in (spf, dkim):
        if found.verdict is Verdict.PASS:
            return found
    same = spf.detail == dkim.detail
    return _Look(
        verdict=Verdict.FAIL if {spf.verdict, dkim.verdict} == {Verdict.FAIL} else Verdict.UNKNOWN,
        detail=spf.detail if same else phrase("{} {}", spf.detail, dkim.detail),
        silent=spf.silent or dkim.silent,
        who=spf.who,
        step=spf.step,
    )


_NOT_ALIGNED = ("dmarc_not_aligned", "freemail_sender")


def _by_record(report: DomainReport, there: bool, kind: str, good: Shown) -> _Look:
    """Return what was found of one kind of record. `there`: whether there is one; what is missing is not met."""
    own = [each for each in report.findings if each.code.startswith(f"{kind}_") and each.code not in _NOT_ALIGNED]
    worst = next((each for each in own if each.verdict is Verdict.FAIL), None)
    if worst is None and report.not_said(kind) and not (there and kind == "dkim"):
        return _SILENT  # of an SPF record that came in part as well
    if worst is None and not there:
        worst = own[0] if own else None
    if worst is not None:
        return _Look(verdict=Verdict.FAIL, detail=phrase("{}.", worst.title))
    if there:
        return _Look(verdict=Verdict.PASS, detail=good)
    detail = phrase("There is no such record.")
    return _of_owner(report, detail) if report.owner else _Look(verdict=Verdict.FAIL, detail=detail)


def _of_owner(report: DomainReport, detail: Shown) -> _Look:
    """Say of a record that is missing who alone can publish it: the mailbox provider that has the domain."""
    step = phrase("Only {} can publish it. Send such a mailing from an address of a domain of your own.", report.owner)
    return _Look(verdict=Verdict.FAIL, detail=detail, who=Who.YOU, step=step)


_SILENT = _Look(
    verdict=Verdict.UNKNOWN,
    detail=phrase("The DNS did not answer: it is not known whether there is such a record."),
    silent=True,
)


def _foreign(report: DomainReport) -> _Look | None:
    """Say that the domain belongs to a mailbox provider, and that another server sends; None where it does not."""
    if not report.owner or report.owner_sends:
        return None
    found = next((each for each in report.findings if each.code == "freemail_sender"), None)
    if found is not None:
        return _Look(
            verdict=Verdict.FAIL,
            detail=phrase("{}.", found.title),
            who=found.who,
            step=phrase("{} {}", *found.steps),
        )
    return _Look(
        verdict=Verdict.UNKNOWN,
        detail=phrase(
            "Only {} can send in the name of {}. It is not known whether your server hands the mail on to it.",
            report.owner,
            shown(report.domain, 100),
        ),
        who=Who.YOU,
        step=phrase("Send through {} itself, or from an address of a domain of your own.", report.owner),
    )


def _dkim(report: DomainReport) -> _Look:
    there = any(key.record for key in report.keys)
    foreign = _foreign(report)
    if foreign is not None:
        return foreign
    if there or report.dkim_verdict is Verdict.FAIL or report.not_said("dkim"):
        return _by_record(report, there, "dkim", phrase("A key is published."))
    if report.owner:
        detail = phrase("That is the matter of {} alone: the domain is its own.", report.owner)
        return _Look(
            verdict=Verdict.SKIPPED, detail=detail, who=Who.PROVIDER, step=phrase("There is nothing for you to do.")
        )
    return _Look(
        verdict=Verdict.UNKNOWN,
        detail=phrase("The name of the key is not known. A message that you received shows it."),
    )


def _spf(report: DomainReport) -> _Look:
    """Return whether the SPF record lets the account's server send: that it is in order is not enough."""
    foreign = _foreign(report)
    if foreign is not None:
        return foreign
    if report.bounces_elsewhere:
        return _Look(
            verdict=Verdict.PASS,
            detail=phrase("Bounces go to the provider's own domain: its own SPF record counts."),
        )
    look = _by_record(report, bool(report.spf.record), "spf", phrase("It names what sends."))
    if look.verdict is Verdict.PASS and report.named is None:
        detail = phrase("There is one, but it is not known whether it names the server that sends.")
        return _Look(verdict=Verdict.UNKNOWN, detail=detail)
    return look


def _aligned(report: DomainReport) -> _Look:
    foreign = _foreign(report)
    if foreign is not None:
        return foreign
    found = next((each for each in report.findings if each.code in _NOT_ALIGNED), None)
    if found is not None:
        return _Look(verdict=Verdict.FAIL, detail=phrase("{}.", found.title))
    signed = any(key.record for key in report.keys)
    if signed and report.dkim_verdict is not Verdict.FAIL:
        return _Look(verdict=Verdict.PASS, detail=phrase("The key is your domain's own."))
    spf = _spf(report)
    if spf.verdict is Verdict.PASS and not report.bounces_elsewhere:
        return _Look(verdict=Verdict.PASS, detail=phrase("The SPF record of your domain names what sends."))
    if spf.silent or report.not_said("dkim"):
        return _SILENT
    if report.bounces_elsewhere:
        detail = phrase("Only a signature of your domain proves this mail. The name of its key is not known.")
        return _Look(
            verdict=Verdict.UNKNOWN,
            detail=detail,
            step=phrase("Look in the settings of your provider whether your domain is verified there (DKIM)."),
        )
    return _Look(verdict=Verdict.UNKNOWN, detail=phrase("Neither a key nor the provider's servers are known here."))
