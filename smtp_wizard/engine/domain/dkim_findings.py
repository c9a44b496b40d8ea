"""What is wrong with a domain's DKIM keys, in words."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from smtp_wizard.engine.base.shown import Shown, phrase, shown
from smtp_wizard.engine.base.stages import Verdict
from smtp_wizard.engine.base.who import Who
from smtp_wizard.engine.domain.dkim import DkimFault, DkimKey, mended_key
from smtp_wizard.engine.domain.findings import DnsOperator, DomainFinding, record_to_publish
from smtp_wizard.engine.domain.sender_records import SenderRecords


def dkim_findings(
    keys: Sequence[DkimKey],
    place: DnsOperator,
    provider: Shown,
    records: SenderRecords | None,
    *,
    needed: bool,
    asked: Sequence[str] = (),
) -> Iterator[DomainFinding]:
    """Say what is wrong with the keys. `needed`: nothing but a signature can prove the mail of this provider.

    `asked`: selectors that somebody asked about, so that it is said of each when it has no key.
    """
    if keys and not any(key.record or DkimFault.UNREACHABLE in key.faults for key in keys):
        yield _no_key(keys[0], place, provider, records, needed=needed)
        return
    usable = any(key.usable for key in keys)
    for key in keys:
        for fault in key.faults:
            if fault is not DkimFault.MISSING:
                yield _key_finding(key, fault, place, spared=usable)
            elif key.selector in asked:
                yield _nothing_there(key)


def _nothing_there(key: DkimKey) -> DomainFinding:
    return DomainFinding(
        code=DkimFault.MISSING.value,
        verdict=Verdict.WARN,
        title=phrase("There is no DKIM key '{}'", shown(key.selector, 63)),
        explanation=phrase("{} has no key, or is another name for something that has none.", shown(key.name, 253)),
        who=Who.ADMIN,
        steps=(phrase("Look in a message that you received which name its signature has after 's='."),),
    )


def _no_key(
    key: DkimKey, place: DnsOperator, provider: Shown, records: SenderRecords | None, *, needed: bool
) -> DomainFinding:
    alias = records.alias_of(key.selector, place.domain) if records else ""
    publish = record_to_publish(key.name, "CNAME", alias) if alias else None
    if publish is not None:
        steps = place.publishing(publish, instead=False)
    else:
        steps = (
            phrase(
                "Ask {} for the DKIM record of {} (its settings call it DKIM, or domain authentication).",
                provider or phrase("your provider"),
                shown(place.domain, 100),
            ),
            place.words,
            phrase("Add the record there, and switch DKIM on at {}.", provider or phrase("your provider")),
        )
    return DomainFinding(
        code=DkimFault.MISSING.value,
        verdict=Verdict.FAIL if needed else Verdict.WARN,
        title=phrase("Mail from {} is not signed", shown(place.domain, 100)),
        explanation=phrase(
            "There is no DKIM key at {}. A signature proves that the mail is yours, also where it is forwarded.",
            shown(key.name, 253),
        ),
        who=Who.ADMIN,
        steps=steps,
        publish=publish,
    )


def _key_finding(key: DkimKey, fault: DkimFault, place: DnsOperator, *, spared: bool) -> DomainFinding:
    title, explanation = _key_words(key, fault)
    verdict = Verdict.WARN if fault in (DkimFault.SHORT, DkimFault.UNREACHABLE) else Verdict.FAIL
    if spared and verdict is Verdict.FAIL:
        verdict = Verdict.SKIPPED if fault is DkimFault.REVOKED else Verdict.WARN
    mending = fault in _MENDED_HERE and DkimFault.BROKEN not in key.faults
    publish = record_to_publish(key.name, "TXT", mended_key(key.record, key.faults)) if mending else None
    return DomainFinding(
        code=fault.value,
        verdict=verdict,
        title=title,
        explanation=explanation,
        who=Who.ADMIN,
        steps=place.publishing(publish, instead=True) if publish else _key_steps(fault, place),
        publish=publish,
    )


_MENDED_HERE = frozenset({DkimFault.TESTING, DkimFault.QUOTED, DkimFault.ONLY_SHA1, DkimFault.NOT_FOR_MAIL})
"""What the same key without a part of its record mends."""


def _key_steps(fault: DkimFault, place: DnsOperator) -> tuple[Shown, ...]:
    if fault is DkimFault.SEVERAL:
        return (
            phrase("See at your provider which of the records is its own: its settings show it."),
            place.words,
            phrase("Delete the other one."),
        )
    return (phrase("Let your provider make a new key."), place.words, phrase("Publish the new key there."))


def _key_words(key: DkimKey, fault: DkimFault) -> tuple[Shown, Shown]:
    selector, name = shown(key.selector, 63), shown(key.name, 253)
    match fault:
        case DkimFault.REVOKED:
            return phrase("The DKIM key '{}' was taken back", selector), phrase("The record at {} is empty.", name)
        case DkimFault.SEVERAL:
            return (
                phrase("There is more than one DKIM record for '{}'", selector),
                phrase("Receivers may take either one at {}, so signatures fail now and then.", name),
            )
        case DkimFault.TOO_SHORT:
            return (
                phrase("The DKIM key '{}' is too short", selector),
                phrase("It has {} bits. Receivers believe no key below 1024.", key.bits or 0),
            )
        case DkimFault.SHORT:
            return (
                phrase("The DKIM key '{}' is rather short", selector),
                phrase("It has {} bits. It works; 2048 are asked for today.", key.bits or 0),
            )
        case DkimFault.TESTING:
            return (
                phrase("The DKIM key '{}' is marked as a trial", selector),
                phrase("With 't=y' receivers treat your mail as not signed."),
            )
        case DkimFault.QUOTED:
            return (
                phrase("The DKIM key '{}' stands in quotation marks", selector),
                phrase("They belong to a zone file. In the form of a DNS host they become a part of the key."),
            )
        case DkimFault.ONLY_SHA1 | DkimFault.NOT_FOR_MAIL:
            return _restricted_words(fault, selector)
        case DkimFault.UNREACHABLE:
            return phrase("The DNS did not answer for the DKIM key"), phrase("{} could not be looked up.", name)
        case _:
            return (
                phrase("The DKIM key '{}' cannot be read", selector),
                phrase("What stands at {} is no key. Perhaps it was cut when it was copied.", name),
            )


def _restricted_words(fault: DkimFault, selector: Shown) -> tuple[Shown, Shown]:
    if fault is DkimFault.ONLY_SHA1:
        return (
            phrase("The DKIM key '{}' allows only SHA-1", selector),
            phrase("Nobody signs with that any more: with this 'h=' in the record all signatures fail."),
        )
    return (
        phrase("The DKIM key '{}' is not for mail", selector),
        phrase("Its 's=' names another service, so receivers take no signature of mail with it."),
    )
