"""What is wrong with a domain's DMARC, in words, and what becomes of mail that does not fit it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from difflib import get_close_matches

from smtp_wizard.engine.base.shown import Shown, phrase, shown
from smtp_wizard.engine.base.stages import Verdict
from smtp_wizard.engine.base.who import Who
from smtp_wizard.engine.domain.dkim import DkimFault, DkimKey
from smtp_wizard.engine.domain.dmarc import Dmarc, DmarcFault, Policy
from smtp_wizard.engine.domain.dmarc_mending import mended
from smtp_wizard.engine.domain.findings import DnsOperator, DnsRecord, DomainFinding, record_to_publish
from smtp_wizard.engine.domain.sender_records import ReturnPath, SenderRecords


def dmarc_findings(result: Dmarc, place: DnsOperator) -> Iterator[DomainFinding]:
    """Say what is wrong with the DMARC record."""
    for fault, where in result.faults:
        title, explanation = _dmarc_words(
            fault, shown(where, 200), shown(place.domain, 100), shown(result.found_at, 100)
        )
        publish = _dmarc_record(fault, where, result, place)
        yield DomainFinding(
            code=fault.value,
            verdict=_DMARC_VERDICTS.get(fault, Verdict.WARN),
            title=title,
            explanation=explanation,
            who=Who.ADMIN,
            steps=_dmarc_steps(fault, where, result, place, publish),
            publish=publish,
        )


_DMARC_VERDICTS = {
    DmarcFault.SEVERAL: Verdict.FAIL,
    DmarcFault.BROKEN: Verdict.FAIL,
    DmarcFault.NO_REPORTS: Verdict.SKIPPED,
    DmarcFault.WATCHING: Verdict.SKIPPED,
    DmarcFault.PERCENT: Verdict.SKIPPED,
}


def _dmarc_words(fault: DmarcFault, where: Shown, domain: Shown, found_at: Shown) -> tuple[Shown, Shown]:
    match fault:
        case DmarcFault.MISSING:
            return (
                phrase("{} has no DMARC record", domain),
                phrase("The large mailbox providers ask for one from everybody who sends mailings."),
            )
        case DmarcFault.SEVERAL:
            return (
                phrase("{} has more than one DMARC record", domain),
                phrase("Receivers ignore all of them when there is more than one."),
            )
        case DmarcFault.BROKEN:
            return (
                phrase("Receivers cannot read the DMARC record"),
                phrase(
                    "It must begin with 'v=DMARC1;', have a policy, such as 'p=none', have no part twice,"
                    " and be written in plain letters (ASCII). It says: {}",
                    where,
                ),
            )
        case DmarcFault.NO_REPORTS:
            return (
                phrase("Nobody gets the DMARC reports"),
                phrase("The record of {} names no address. The reports say who sends in your name.", found_at),
            )
        case DmarcFault.BAD_REPORT_ADDRESS:
            return (
                phrase("The DMARC reports have no address"),
                phrase("'{}' is none. It must be written as 'mailto:name@domain'.", where),
            )
        case DmarcFault.NOT_AUTHORIZED:
            return (
                phrase("{} does not take the DMARC reports", where),
                phrase("Reports to another domain are sent only if that domain says that it wants them."),
            )
        case DmarcFault.NOT_READ | DmarcFault.PERCENT:
            return _part_words(fault, where)
        case DmarcFault.WATCHING:
            return (
                phrase("DMARC only watches"),
                phrase("The policy of {} asks receivers for nothing yet. That is enough for most receivers.", found_at),
            )
        case DmarcFault.UNREACHABLE:
            return phrase("The DNS did not answer"), phrase("The DMARC record of {} could not be looked up.", domain)


def _part_words(fault: DmarcFault, where: Shown) -> tuple[Shown, Shown]:
    """Say what a part of the record does that is not as it seems."""
    name, _, value = where.partition("=")
    if fault is DmarcFault.PERCENT:
        return (
            phrase("Some receivers apply the DMARC policy to {} of 100 messages only", where),
            phrase("So 'pct={}' says to the older ones. Those that follow RFC 9989 apply it to all.", where),
        )
    policy = name in ("p", "sp", "np")
    if value or not policy:
        title = phrase("Receivers do not read '{}' in the DMARC record", where)
    else:
        title = phrase("The DMARC record has no policy '{}='", shown(name))
    return (
        title,
        phrase("It is none of 'none', 'quarantine' and 'reject', so mail that proves nothing is let through.")
        if policy
        else phrase("It counts as not written."),
    )


def _dmarc_record(fault: DmarcFault, where: str, result: Dmarc, place: DnsOperator) -> DnsRecord | None:
    if fault in (DmarcFault.WATCHING, DmarcFault.PERCENT, DmarcFault.UNREACHABLE):
        return None
    if fault is DmarcFault.NOT_AUTHORIZED:
        return record_to_publish(f"{result.found_at}._report._dmarc.{where}", "TXT", "v=DMARC1")
    at = result.found_at or place.domain
    return record_to_publish(f"_dmarc.{at}", "TXT", mended(result, f"postmaster@{at}"))


def _dmarc_steps(
    fault: DmarcFault, where: str, result: Dmarc, place: DnsOperator, publish: DnsRecord | None
) -> tuple[Shown, ...]:
    match fault:
        case DmarcFault.WATCHING:
            return (phrase("When the reports show only your own senders, ask for more: 'p=quarantine'."),)
        case DmarcFault.PERCENT:
            return (phrase("When the reports show only your own senders, take 'pct' out: then all receivers agree."),)
        case DmarcFault.UNREACHABLE:
            return (phrase("Look again in some minutes."),)
        case DmarcFault.NOT_AUTHORIZED:
            return (
                phrase(
                    "Ask {} to add the record below, or have the reports sent to an address of your own.",
                    shown(where, 100),
                ),
            )
    assert publish is not None, "everything else is mended by a record"
    steps = place.publishing(publish, instead=bool(result.records))
    reports = phrase("Reports go to the address after 'rua=': change it if nobody reads that one.")
    several = fault is DmarcFault.SEVERAL
    others = (phrase("Delete the other records that begin with 'v=DMARC1'."),) if several else ()
    return (*steps[:2], *others, *_meant_policy(fault, where), reports, steps[2])


def _meant_policy(fault: DmarcFault, where: str) -> tuple[Shown, ...]:
    """Say how to ask for what a misspelt policy is meant as: the record to publish asks for no more than now."""
    name, _, value = where.partition("=")
    found = get_close_matches(value.strip().lower(), (Policy.QUARANTINE, Policy.REJECT), 1)
    if fault is not DmarcFault.NOT_READ or name not in ("p", "sp", "np") or not found:
        return ()
    meant = phrase("{}={}", shown(name), shown(found[0]))
    return (phrase("Is '{}' meant? Write it when the reports show only your own senders.", meant),)


def alignment_finding(
    result: Dmarc, keys: Sequence[DkimKey], place: DnsOperator, provider: Shown, records: SenderRecords | None
) -> DomainFinding | None:
    """Say where mail through a provider cannot pass DMARC: its own domain takes the bounces, and no key signs."""
    own_path = records is None or records.return_path is ReturnPath.SENDER
    if own_path or not result.enforced or not keys:
        return None
    if any(key.usable or DkimFault.UNREACHABLE in key.faults for key in keys):
        return None
    return DomainFinding(
        code="dmarc_not_aligned",
        verdict=Verdict.FAIL,
        title=phrase("Mail through {} fails DMARC", provider),
        explanation=phrase(
            "{} asks receivers to refuse what is not proved. Bounces go to the provider's own domain, so only a DKIM"
            " signature of {} proves this mail, and there is no usable key.",
            shown(result.found_at, 100),
            shown(place.domain, 100),
        ),
        who=Who.ADMIN,
        steps=(phrase("Set DKIM up at {}: its settings show the record.", provider), place.words),
    )


def freemail_finding(result: Dmarc, domain: str, owner: Shown, provider: Shown) -> DomainFinding:
    """Say what becomes of mail in the name of a mailbox provider's own domain that another server sends."""
    refused = result.enforced
    if refused:
        words = phrase(
            "{} asks receivers to refuse such mail, or to file it as junk (DMARC policy '{}').",
            shown(domain, 100),
            result.policy or Policy.NONE,
        )
    else:
        words = phrase("It fails SPF and has no signature of {}, so it often lands in junk.", shown(domain, 100))
    return DomainFinding(
        code="freemail_sender",
        verdict=Verdict.FAIL if refused else Verdict.WARN,
        title=phrase("Only {} can send in the name of {}", owner, shown(domain, 100)),
        explanation=words,
        who=Who.YOU,
        steps=(
            phrase("Send through {}, with that mailbox's own sign-in.", owner),
            phrase("Or send through {} from an address of a domain of your own.", provider or phrase("your provider")),
        ),
    )


def foreign_finding(result: Dmarc, place: DnsOperator, provider: Shown) -> DomainFinding:
    """Say what becomes of mail for a domain through a provider of mailboxes that does not send for other domains."""
    refused = result.enforced
    name = shown(place.domain, 100)
    asked = (
        phrase(
            "The DMARC policy of {} is '{}': such mail is refused, or filed as junk.",
            name,
            result.policy or Policy.NONE,
        )
        if refused
        else phrase("It often lands in junk.")
    )
    return DomainFinding(
        code="dmarc_not_aligned",
        verdict=Verdict.FAIL if refused else Verdict.WARN,
        title=phrase("Mail through {} is not proved to be from {}", provider, name),
        explanation=phrase(
            "{} proves mail of its own addresses: neither SPF nor a signature speaks for {}. {}", provider, name, asked
        ),
        who=Who.YOU,
        steps=(
            phrase("Send through the provider of the mailboxes of {}, with that mailbox's own sign-in.", name),
            phrase("Or send through {} from an address of its own.", provider),
        ),
    )
