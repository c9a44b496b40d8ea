"""Misspelt domains of addresses (gmial.com): which one was probably meant."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from smtp_wizard.engine.base.characters import as_latin

CUTOFF = 0.85
"""How alike two domains must be: two neighbouring letters exchanged in a short name pass, two other mistakes do not."""


def meant_domain(typed: str, common: Sequence[str], known: Callable[[str], bool]) -> str | None:
    """Return the domain that was probably meant by one that is not known, or None.

    `typed` is in small letters, `common` the domains that many people have, and `known` whether there is a provider of
    a domain: one that is written with letters of another alphabet is meant for the known one that it looks like.
    """
    import difflib

    seen = as_latin(typed)
    if seen != typed and (seen in common or known(seen)):
        return seen
    return next(iter(difflib.get_close_matches(typed, common, n=1, cutoff=CUTOFF)), None)
