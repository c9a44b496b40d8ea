"""What a new entry would take from a provider that is known: its id, a domain of its addresses, its mail hosts."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from smtp_wizard.engine.base.shown import Shown, phrase, shown
from smtp_wizard.engine.providers.catalog import Catalog
from smtp_wizard.engine.providers.provider import Provider


def entry_clash(identity: str, domains: Sequence[str], mx: Sequence[str], shipped: Catalog) -> Shown | None:
    """Return in one sentence what an entry would take from a provider of the shipped list; None where it is nothing.

    Passwords would go to another server then, unasked.
    """
    holder = shipped.get(identity)
    if holder is not None:
        return phrase("'{}' is in the shipped list: {}.", shown(identity), shown(holder.name))
    for domain in domains:
        if (holder := shipped.by_domain(domain)) is not None:
            return phrase("'{}' belongs to {} in the shipped list.", shown(domain), shown(holder.name))
    for ending in mx:
        if (holder := _mail_host_holder(ending, shipped)) is not None:
            return phrase(
                "The mail hosts of '{}' are those of {} in the shipped list.", shown(ending), shown(holder.name)
            )
    return None


def _mail_host_holder(ending: str, shipped: Catalog) -> Provider | None:
    """The provider with hosts at this ending: at a wider one of its own, or at a narrower one."""
    return next(iter(shipped.by_mx([ending])), None) or _below(ending, shipped.providers)


def _below(ending: str, providers: Iterable[Provider]) -> Provider | None:
    return next((each for each in providers if any(one.endswith(f".{ending}") for one in each.mx)), None)
