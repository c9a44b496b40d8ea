"""The facts of a bounced message: which address failed, when, who refused it, and which address was probably meant."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from smtp_wizard.engine.base.shown import NO_WORDS, Shown, join, phrase, shown
from smtp_wizard.engine.explain.evidence import AttemptOutcome, Delivery, Evidence
from smtp_wizard.engine.lazy_dataclass import dataclass

if TYPE_CHECKING:
    from smtp_wizard.engine.providers.catalog import Catalog
    from smtp_wizard.engine.smtp.symptom import Symptom


def with_delivery(symptom: Symptom, delivery: Delivery, catalog: Catalog) -> Symptom:
    """Return a symptom with what is known of the message that came back."""
    meant = _meant(delivery.recipient, catalog)
    facts: dict[str, Shown] = {
        "refused_by": shown(delivery.server, _LONGEST_HOST),
        "sent_at": shown(delivery.since, _LONGEST_DATE),
        "until": shown(delivery.until, _LONGEST_DATE),
        "meant": shown(meant),
        "also_failed": _named(delivery.others),
    }
    known = {**symptom.facts, **{name: value for name, value in facts.items() if value}}
    return replace(symptom, facts=known, recipient=shown(delivery.recipient, _LONGEST_ADDRESS) or NO_WORDS)


def _named(addresses: Sequence[str]) -> Shown:
    """Return the first of some addresses, and how many more there are; '' of none."""
    named = join(", ", [shown(each, _LONGEST_ADDRESS) for each in addresses[:_FEW]])
    return phrase("{} and {} more", named, len(addresses) - _FEW) if len(addresses) > _FEW else named


_FEW = 3
_LONGEST_HOST = 253
_LONGEST_DATE = 60
_LONGEST_ADDRESS = 320


@dataclass(frozen=True, slots=True)
class UnreachedAddress:
    """An address that mail did not reach, or not yet."""

    address: Shown
    status: Shown
    """Enhanced status code (RFC 3463); '' where nobody says one."""
    final: bool
    """It is not tried again by itself."""
    did_you_mean: Shown
    """The address that was probably meant; '' where nothing looks like a slip."""


def recipients(found: Iterable[Evidence], catalog: Catalog) -> Iterator[UnreachedAddress]:
    """Yield the addresses that a report or a log says were not reached, each once with the last that is said of it."""
    last = {each.recipient.casefold(): each for each in found if isinstance(each, Delivery) and each.recipient}
    unreached = [each for each in last.values() if each.outcome in (AttemptOutcome.FAILED, AttemptOutcome.DELAYED)]
    for each in unreached[:_MOST]:
        yield UnreachedAddress(
            shown(each.recipient, _LONGEST_ADDRESS),
            shown(each.status),
            each.outcome is AttemptOutcome.FAILED,
            shown(_meant(each.recipient, catalog)),
        )


_MOST = 100


def _meant(recipient: str, catalog: Catalog) -> str:
    """Return the address that was probably meant, '' where nothing looks like a slip."""
    local, sign, domain = recipient.rpartition("@")
    meant = catalog.suggest(domain) if sign else None
    return f"{local}@{meant}" if meant else ""
