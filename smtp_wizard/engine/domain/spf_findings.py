"""What is wrong with a domain's SPF, in words."""

from __future__ import annotations

from collections.abc import Iterator

from smtp_wizard.engine.base.shown import Shown, phrase, shown
from smtp_wizard.engine.base.stages import Verdict
from smtp_wizard.engine.base.who import Who
from smtp_wizard.engine.domain import spf
from smtp_wizard.engine.domain.findings import DnsOperator, DnsRecord, DomainFinding, record_to_publish
from smtp_wizard.engine.domain.spf import SpfFault, SpfProblem, SpfResult
from smtp_wizard.engine.domain.spf_mending import costs_too_much, mended

_SPF_VERDICTS = {
    SpfFault.TOO_MANY_VOID: Verdict.WARN,
    SpfFault.NO_END: Verdict.WARN,
    SpfFault.PTR: Verdict.WARN,
    SpfFault.UNREACHABLE: Verdict.WARN,
}
"""What is not here makes receivers ignore the record, or lets the provider's mail fail."""


def spf_findings(result: SpfResult, place: DnsOperator, provider: Shown, include: str) -> Iterator[DomainFinding]:
    """Say what is wrong with the SPF. `provider`: its name, `include`: the term that lets it send; both may be ''."""
    for trouble in result.troubles:
        title, explanation = _spf_words(trouble, result, place.domain, provider)
        record = record_to_publish(place.domain, "TXT", mended(result, include))
        unmended = _unmended(trouble, result, record.value, place.domain)
        yield DomainFinding(
            code=trouble.fault.value,
            verdict=_SPF_VERDICTS.get(trouble.fault, Verdict.FAIL),
            title=title,
            explanation=explanation,
            who=Who.PROVIDER if _is_of_another(trouble, place.domain) else Who.ADMIN,
            steps=unmended or _spf_steps(trouble, result, place, record),
            publish=None if unmended else record,
        )


_OTHERS = frozenset({SpfFault.SYNTAX, SpfFault.PTR, SpfFault.EVERYBODY, SpfFault.SEVERAL})
"""Faults that a record which is included may have as well."""


def _is_of_another(trouble: SpfProblem, domain: str) -> bool:
    return trouble.fault in _OTHERS and trouble.where.partition(": ")[0] != domain


def _unmended(trouble: SpfProblem, result: SpfResult, value: str, domain: str) -> tuple[Shown, ...]:
    """Return the steps for what no record of the domain's own mends; none where one does."""
    if trouble.fault is SpfFault.UNREACHABLE:
        return (
            phrase("Look again in a few minutes."),
            phrase("Does it stay so? Ask who keeps the DNS of {}.", shown(trouble.where, 100)),
        )
    if _is_of_another(trouble, domain):
        return (
            phrase("Tell whoever runs {}: the record there is wrong.", shown(trouble.where.partition(": ")[0], 100)),
            phrase("Does nobody send for you from there any more? Take it out of your SPF record."),
        )
    if trouble.fault is SpfFault.TOO_MANY_LOOKUPS and costs_too_much(value, result):
        return (
            phrase("List the services that the record includes, and find out which of them still send for you."),
            phrase("Take the others out of the record."),
            phrase("Still too many? Let mailings go out from a subdomain with an SPF record of its own."),
        )
    return ()


def _spf_words(trouble: SpfProblem, result: SpfResult, domain: str, provider: Shown) -> tuple[Shown, Shown]:
    """Say what makes receivers ignore the record; what else is wrong, `_allowing_words` says."""
    name, where = shown(domain, 100), shown(trouble.where.removeprefix(f"{domain}: "), 200)
    match trouble.fault:
        case SpfFault.MISSING:
            return (
                phrase("{} does not say who may send its mail", name),
                phrase(
                    "There is no SPF record. Receivers cannot tell your mail from a forgery, and file more as junk."
                ),
            )
        case SpfFault.SEVERAL:
            return (
                phrase("{} has more than one SPF record", where),
                phrase("There may be only one. With two, receivers ignore both."),
            )
        case SpfFault.SYNTAX:
            return (
                phrase("Receivers cannot read the SPF record"),
                phrase("This part is wrong: '{}'. Receivers then ignore the whole record.", where),
            )
        case SpfFault.TOO_MANY_LOOKUPS:
            return (
                phrase("The SPF record takes {} look-ups; {} are allowed", result.lookups, spf.MOST_LOOKUPS),
                phrase("Each 'include', 'a' and 'mx' costs one, also in included records. Receivers then ignore it."),
            )
        case SpfFault.TOO_MANY_VOID:
            return (
                phrase("{} parts of the SPF record lead nowhere; {} are allowed", result.void, spf.MOST_VOID),
                phrase("They name hosts or domains that the DNS does not know. Many receivers then ignore the record."),
            )
        case SpfFault.LOOP:
            return (
                phrase("The SPF record includes itself"),
                phrase("It leads back to {}. Receivers then ignore it.", where),
            )
        case SpfFault.EMPTY_INCLUDE:
            return (
                phrase("The SPF record includes {}, which has none", where),
                phrase(
                    "Receivers then ignore the whole record. Perhaps the name is misspelt, or the service has moved."
                ),
            )
        case SpfFault.PROVIDER_MISSING if trouble.where in result.refused:
            return (
                phrase("The SPF record does not allow {}", provider or where),
                phrase("A '-', '~' or '?' stands in front of what names it, so mail in the name of {} fails.", name),
            )
        case _:
            return _allowing_words(trouble.fault, where, name, provider)


def _allowing_words(fault: SpfFault, where: Shown, name: Shown, provider: Shown) -> tuple[Shown, Shown]:
    """Say what is wrong with a record that receivers read: whom it allows, and how."""
    match fault:
        case SpfFault.EVERYBODY:
            return (
                phrase("The SPF record lets everybody send as {}", name),
                phrase("It ends in '+all', which allows every server in the world. It protects nothing."),
            )
        case SpfFault.NO_END:
            return (
                phrase("The SPF record has no end"),
                phrase(
                    "It does not say what holds for all other servers. '~all' at its end says that they may not send."
                ),
            )
        case SpfFault.AFTER_ALL:
            return (
                phrase("A part of the SPF record stands behind 'all', and is ignored"),
                phrase("Receivers read no further than 'all', so '{}' allows nobody. 'all' must stand last.", where),
            )
        case SpfFault.PROVIDER_MISSING:
            return (
                phrase("The SPF record does not name {}", provider or where),
                phrase("Mail that you send through it in the name of {} fails SPF, and may land in junk.", name),
            )
        case SpfFault.PTR:
            return (
                phrase("The SPF record uses 'ptr'"),
                phrase("It is slow, and receivers may skip it (RFC 7208 says not to use it)."),
            )
        case _:
            return (
                phrase("The DNS of {} did not answer", where),
                phrase("So the SPF record could not be judged."),
            )


def _spf_steps(trouble: SpfProblem, result: SpfResult, place: DnsOperator, record: DnsRecord) -> tuple[Shown, ...]:
    steps = place.publishing(record, instead=bool(result.records))
    if trouble.fault is SpfFault.SEVERAL:
        return (*steps[:2], phrase("Delete the other records that begin with 'v=spf1'."), steps[2])
    return steps
