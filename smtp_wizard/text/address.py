"""What both faces say at the first step: the address that mail comes from."""

from __future__ import annotations

from collections.abc import Sequence

from smtp_wizard.engine.base.characters import as_latin
from smtp_wizard.engine.base.endpoint import ascii_host
from smtp_wizard.engine.providers.provider import Provider, ProviderKind

QUESTION = "Which address should your mail come from?"
LABEL = "E-mail address"
PLACEHOLDER = "you@yourfirm.com"
HINT = "nothing is sent yet"
PLAN = "We find your mail server, sign in once, send one test, and save it. Five minutes with most providers."
WHY = "Sent through your own mailbox, an invoice is kept in Sent, and you hear of it when it cannot be delivered."
NEVER = "It sends nothing before you say so, and keeps no password in clear text unless you ask for that."
PRACTICE_LOCAL = "you"
"""The part before the @ of the practice address."""


def unknown_words(domain: str, meant: str) -> str:
    """Say that an ending is not known, where it looks misspelt; or, where nobody could see why, how it is."""
    return near_words(domain, meant) if as_latin(domain) == meant else f"We know no mail server for {domain}."


def meant_question(meant: str) -> str:
    """Offer the ending that was probably meant."""
    return f"Did you mean {meant}?"


def near_words(domain: str, meant: str) -> str:
    """Say why an ending is taken for a misspelt one, or for one that only looks like another."""
    if as_latin(domain) == meant:
        return (
            f"{domain} looks like {meant}, and has letters of another alphabet in it: computers know it as "
            f"{ascii_host(domain)}, another domain."
        )
    return f"{domain} is nearly {meant}, which many people have. If yours is right as it stands, keep it."


def look_alike_words(domain: str, meant: str | None) -> str:
    """Say that a domain only looks like the one that was probably meant; '' where there is none, or it is misspelt."""
    return near_words(domain, meant) if meant is not None and as_latin(domain) == meant else ""


def practice_address(providers: Sequence[Provider]) -> str:
    """Return the address that practice is done with."""
    practice = next(each for each in providers if is_practice(each))
    return f"{PRACTICE_LOCAL}@{practice.domains[0]}"


def is_practice(provider: Provider | None) -> bool:
    """Whether a provider is the practice server on this computer."""
    return provider is not None and provider.kind is ProviderKind.SANDBOX
