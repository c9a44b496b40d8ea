"""What is wrong with a domain's SPF, in words."""

from __future__ import annotations

from collections.abc import Iterator

from smtp_wizard.engine.base.shown import Shown, phrase, shown
from smtp_wizard.engine.base.stages import Verdict
from smtp_wizard.engine.base.who import Who
from smtp_wizard.engine.domain import spf
from smtp_wizard.engine.domain.dns_lookups import MOST_HOSTS
from smtp_wizard.engine.domain.findings import DnsOperator, DomainFinding, record_to_publish
from smtp_wizard.engine.domain.spf import SpfFault, SpfProblem, SpfResult
from smtp_wizard.engine.domain.spf_mending import PLACE, MendedSpf, costs_too_much, mended

_SPF_VERDICTS = {
    SpfFault.TOO_MANY_VOID: Verdict.WARN,
    SpfFault.NO_END: Verdict.WARN,
    SpfFault.PTR: Verdict.WARN,
    SpfFault.REDIRECT_IGNORED: Verdict.WARN,
    SpfFault.UNREACHABLE: Verdict.WARN,
    SpfFault.BY_MESSAGE: Verdict.SKIPPED,
}
"""What is not here makes receivers ignore the record, or lets the provider's mail fail."""


def spf_findings(result: SpfResult, place: DnsOperator, provider: Shown, include: str) -> Iterator[DomainFinding]:
    """Say what is wrong with the SPF. `provider`: its name, `include`: the term that lets it send; both may be ''."""
    mending = mended(result, include)
    for trouble in result.troubles:
        title, explanation = _spf_words(trouble, result, place.domain, provider)
        steps = _unmended(trouble, result, mending.record, place.domain)
        whole = mending.whole and not steps
        yield DomainFinding(
            code=trouble.fault.value,
            verdict=_spf_verdict(trouble.fault, result),
            title=title,
            explanation=explanation,
            who=Who.PROVIDER if _is_of_another(trouble, place.domain) else Who.ADMIN,
            steps=steps or _spf_steps(trouble, result, place, mending),
            publish=record_to_publish(place.domain, "TXT", mending.record) if whole else None,
        )


def nobody_sends(place: DnsOperator) -> DomainFinding:
    """Say that the record is right for a domain that neither takes nor sends mail."""
    return DomainFinding(
        code=SpfFault.NOBODY.value,
        verdict=Verdict.SKIPPED,
        title=phrase("Nobody may send as {}", shown(place.domain, 100)),
        explanation=phrase("It takes no mail, and no server may send for it. That is right for a domain without mail."),
        who=Who.ADMIN,
    )


def _spf_verdict(fault: SpfFault, result: SpfResult) -> Verdict:
    """A record that names nobody lets all mail fail, but for one that ends in '?all' or says nothing of the others."""
    if fault is SpfFault.NOBODY and not {"-", "~", ""} & {each.qualifier for each in result.terms}:
        return Verdict.WARN
    return _SPF_VERDICTS.get(fault, Verdict.FAIL)


_OTHERS = frozenset(
    {
        SpfFault.SYNTAX,
        SpfFault.PTR,
        SpfFault.EVERYBODY,
        SpfFault.SEVERAL,
        SpfFault.TOO_MANY_HOSTS,
        SpfFault.DOUBLED,
    }
)
"""Faults that a record which is included may have as well."""


def _is_of_another(trouble: SpfProblem, domain: str) -> bool:
    return trouble.fault in _OTHERS and trouble.where.partition(": ")[0] != domain


def _unmended(trouble: SpfProblem, result: SpfResult, value: str, domain: str) -> tuple[Shown, ...]:
    """Return the steps for what no record of the domain's own mends; none where one does."""
    if trouble.fault is SpfFault.UNREACHABLE:
        return (
            phrase("Look again in some minutes."),
            phrase("Does it stay so? Ask who keeps the DNS of {}.", shown(trouble.where, 100)),
        )
    if _is_of_another(trouble, domain):
        return (
            phrase("Tell whoever runs {}: the record there is wrong.", shown(trouble.where.partition(": ")[0], 100)),
            phrase("Does nobody send for you from there any more? Take it out of your SPF record."),
        )
    if trouble.fault is SpfFault.BY_MESSAGE:
        return (
            phrase("Does whoever set the record up know that this provider sends? Ask there where you cannot tell."),
            phrase("Or see it in a message: 'smtp-wizard send ACCOUNT --to ADDRESS --confirm' reads what arrived."),
        )
    if trouble.fault is SpfFault.TOO_MANY_HOSTS and trouble.where.partition(": ")[2] in value.split(" "):
        return (
            phrase("Name the hosts that send, each with 'a:' and its name, in the place of 'mx'."),
            phrase("A host that only takes mail need not stand in an SPF record."),
        )
    too_many = trouble.fault is SpfFault.TOO_MANY_LOOKUPS and costs_too_much(value, result)
    if too_many or (trouble.fault is SpfFault.TOO_MANY_VOID and not result.empty_terms):
        return (
            phrase("List the services that the record includes, and find out which of them still send for you."),
            phrase("Take the others out of the record."),
            phrase("Still too many? Let mailings go out from a subdomain with an SPF record of its own."),
        )
    return ()


def _spf_words(trouble: SpfProblem, result: SpfResult, domain: str, provider: Shown) -> tuple[Shown, Shown]:
    """Say what makes receivers ignore the record; what else is wrong, `_allowing_words` says."""
    name, where = shown(domain, 100), shown(trouble.where.removeprefix(f"{domain}: "), 200)
    if trouble.fault is SpfFault.PROVIDER_MISSING and trouble.where in result.refused:
        return _refused_words(provider or where, name)
    match trouble.fault:
        case SpfFault.MISSING:
            return (
                phrase("{} does not say who may send its mail", name),
                phrase("A record is there, but it does not begin with 'v=spf1' and a blank: receivers do not see it.")
                if result.almost
                else phrase(
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
        case SpfFault.EMPTY_INCLUDE:
            return (
                phrase("The SPF record includes {}, which has none", where),
                phrase(
                    "Receivers then ignore the whole record. Perhaps the name is misspelt, or the service has moved."
                ),
            )
        case SpfFault.TOO_MANY_LOOKUPS | SpfFault.TOO_MANY_VOID | SpfFault.TOO_MANY_HOSTS:
            return _counted_words(trouble.fault, where, result)
        case SpfFault.DOUBLED:
            return (
                phrase("The SPF record has '{}' more than once", where),
                phrase("It may stand there once. Receivers then ignore the whole record."),
            )
        case SpfFault.LOOP:
            return (
                phrase("The SPF record includes itself"),
                phrase("It leads back to {}. Receivers then ignore it.", where),
            )
        case _:
            return _allowing_words(trouble.fault, where, name, provider)


def _counted_words(fault: SpfFault, where: Shown, result: SpfResult) -> tuple[Shown, Shown]:
    """Say of what the record has more than a receiver asks for."""
    match fault:
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
        case _:
            return (
                phrase("'{}' in the SPF record leads to more than {} mail hosts", where, MOST_HOSTS),
                phrase("A receiver asks for no more, and then ignores the whole record."),
            )


def _refused_words(provider: Shown, name: Shown) -> tuple[Shown, Shown]:
    return (
        phrase("The SPF record does not allow {}", provider),
        phrase("A '-', '~' or '?' stands in front of what names it, so mail in the name of {} fails.", name),
    )


def _allowing_words(fault: SpfFault, where: Shown, name: Shown, provider: Shown) -> tuple[Shown, Shown]:
    """Say what is wrong with a record that receivers read: whom it allows, and how."""
    match fault:
        case SpfFault.EVERYBODY:
            return (
                phrase("The SPF record lets everybody send as {}", name),
                phrase("It ends in '+all', which allows every server in the world. It protects nothing.")
                if where == name
                else phrase("'{}' allows a large part of all servers in the world. It protects nothing.", where),
            )
        case SpfFault.NOBODY:
            return (
                phrase("The SPF record of {} names no server", name),
                phrase("So no server may send for it: all your mail fails SPF, and may be refused or land in junk."),
            )
        case SpfFault.REDIRECT_IGNORED:
            return (
                phrase("A part of the SPF record counts for nothing"),
                phrase("'redirect' is ignored where the record has 'all'. 'include' is what is meant."),
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
        case _:
            return _naming_words(fault, where, name, provider)


def _naming_words(fault: SpfFault, where: Shown, name: Shown, provider: Shown) -> tuple[Shown, Shown]:
    """Say what is wrong with how the record names the provider, or that it could not be judged."""
    match fault:
        case SpfFault.PROVIDER_MISSING:
            return (
                phrase("The SPF record does not name {}", provider or where),
                phrase("Mail that you send through it in the name of {} fails SPF, and may land in junk.", name),
            )
        case SpfFault.BY_MESSAGE:
            return (
                phrase("Whether the SPF record names {}, only a message shows", provider or where),
                phrase(
                    "A part of it is looked up anew for each message, with the address of the server that sends it."
                ),
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


def _spf_steps(trouble: SpfProblem, result: SpfResult, place: DnsOperator, mending: MendedSpf) -> tuple[Shown, ...]:
    if not mending.whole:
        return (*_steps_to_fill(mending, place), *_missed(mending), place.words, _LOOK_AGAIN)
    record = record_to_publish(place.domain, "TXT", mending.record)
    sign_in, change, again = place.publishing(record, instead=bool(result.records or result.almost))
    several = trouble.fault is SpfFault.SEVERAL
    others = (phrase("Delete the other records that begin with 'v=spf1'."),) if several else ()
    return (sign_in, change, *others, *_missed(mending), *_moving(mending, result), again)


def _moving(mending: MendedSpf, result: SpfResult) -> tuple[Shown, ...]:
    """Say what goes with naming addresses in the place of hosts."""
    of_hosts = {address for found in result.addresses.values() for address in found}
    before = {each.text for each in result.terms}
    if not any(each[4:] in of_hosts and each not in before for each in mending.record.split(" ")):
        return ()
    return (phrase("It names addresses in the place of your hosts: change it when one of them moves."),)


_LOOK_AGAIN = phrase("Wait a few minutes (a day at most), and look again.")


def _steps_to_fill(mending: MendedSpf, place: DnsOperator) -> tuple[Shown, ...]:
    """Return what to do where it is not known what sends: no record can be written then."""
    name = shown(place.domain, 253)
    return (
        phrase("Find out what sends mail as {}: a provider, a server of your own, a shop, a newsletter.", name),
        phrase(
            "Name it, and the record is written for you: 'smtp-wizard domain {}' with --provider ID or --server HOST.",
            name,
        ),
        phrase(
            "Or write it yourself: with 'include:' and what your provider names, or 'ip4:' and the address of your"
            " server, in the place of '{}': {}",
            shown(PLACE, 40),
            shown(mending.record, 1000),
        ),
    )


def _missed(mending: MendedSpf) -> tuple[Shown, ...]:
    """Name what the record leaves out, as it may only be misspelt."""
    named = [each for each in mending.left_out if each.lstrip("+").lower() not in ("all", "ptr")]
    if not named:
        return ()
    parts = shown(", ".join(named), 300)
    return (
        phrase("It leaves out '{}'. Does that name something that sends for you? Put it in as it is right.", parts),
    )
