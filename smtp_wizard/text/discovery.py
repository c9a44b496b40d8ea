"""What both faces say about servers that were found for an address. Plain text; no toolkit is known here."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from urllib.parse import urlsplit

from smtp_wizard.engine.base.endpoint import unicode_host
from smtp_wizard.engine.base.shown import Shown, phrase, shown
from smtp_wizard.engine.discovery.autoconfig import Database
from smtp_wizard.engine.discovery.candidate import SOURCE_WORDS, Candidate, FoundBy
from smtp_wizard.engine.discovery.dns import DnsProblem
from smtp_wizard.engine.discovery.search import DiscoveryResult
from smtp_wizard.engine.discovery.server_identity import owner_of
from smtp_wizard.engine.guides.dates import date_words
from smtp_wizard.engine.wizard.draft import Draft
from smtp_wizard.engine.wizard.trusted_servers import UnconfirmedServer
from smtp_wizard.output.plain_lines import endpoint_words

MOST_OFFERED = 4
"""Servers that are offered; the rest is seldom more than the same on other ports."""
LIST_YES = "Yes, ask the list"
LIST_NO = "No, go on without it"
_NOBODY_TO_ASK = (DnsProblem.NO_SUCH_DOMAIN, DnsProblem.NO_MAIL, DnsProblem.NO_NETWORK, DnsProblem.SILENT)


FOLLOW_YES = "Yes, read it there"
FOLLOW_NO = "No, go on without it"


def is_certain(found: DiscoveryResult) -> bool:
    """Whether a provider is known, or a server that was reached."""
    return bool(found.provider or found.alternatives or any(each.verified for each in found.candidates))


def redirect_title(found: DiscoveryResult) -> str:
    """Ask before a settings file is read at another domain."""
    return f"May we read the settings at {_owner(found)}?"


def redirect_lines(domain: str, found: DiscoveryResult) -> tuple[str, ...]:
    """Say why that is asked, and what it means."""
    return (
        f"The settings file of {shown(domain, 80)} lies at another domain, {_owner(found)}.",
        f"Is that your provider? It learns that somebody sets up a mailbox of {shown(domain, 80)}, not whose.",
    )


def follow_words(domain: str, found: DiscoveryResult) -> str:
    """Say where a settings file lies that was not read, and which option reads it."""
    return f"{redirect_lines(domain, found)[0]} --follow reads it there."


def redirect_question(domain: str, found: DiscoveryResult) -> str:
    """Return both in one text."""
    return " ".join((*redirect_lines(domain, found), redirect_title(found)))


def _owner(found: DiscoveryResult) -> str:
    host = urlsplit(found.redirect).hostname or ""
    return shown(owner_of(host) or host, 80)


def list_may_help(found: DiscoveryResult) -> bool:
    """Whether asking a public list is worth a question: nothing certain was found, and the domain is there."""
    return not is_certain(found) and found.problem not in _NOBODY_TO_ASK


def list_title(database: Database) -> str:
    """Ask before a public list learns the domain."""
    return f"May we look in {database.name}?"


def list_lines(draft: Draft, database: Database) -> tuple[str, ...]:
    """Say why that is asked, and what its keeper learns."""
    domain = draft.address.domain if draft.address else "it"
    return (f"We could not find the server of {domain}.", f"The list learns {database.learns}.")


def list_question(draft: Draft, database: Database) -> str:
    """Return both in one text."""
    why, learns = list_lines(draft, database)
    return f"{why} {list_title(database)} {learns}"


def _in_brackets(text: str) -> str:
    return f" ({shown(text, 200)})"


def server_words(candidate: Candidate) -> str:
    """Name a server, its port, and how it is encrypted; and in its own letters, where it has others than A to Z."""
    name = unicode_host(candidate.endpoint.host)
    return f"{endpoint_words(candidate.endpoint)}{f' ({shown(name, 100)})' if name else ''}"


def username_words(candidate: Candidate) -> str:
    """Name the user name, as it is sent, and as people write it."""
    local, _, domain = candidate.username.rpartition("@")
    name = unicode_host(domain)
    return f"{shown(candidate.username)}{_in_brackets(f'{local}@{name}') if name else ''}"


CONFIRM_YES = "Yes, this is my provider's server"
CONFIRM_SHORT = "Is it your provider's server?"
CONFIRM_NO = "No, look again"


def whose_sentence(doubt: UnconfirmedServer) -> Shown:
    """Say whose a server is that nobody has confirmed, or why that is not known."""
    return phrase("{}.", shown(f"{doubt.whose[0].upper()}{doubt.whose[1:]}"))


def doubt_words(doubt: UnconfirmedServer) -> Shown:
    """Name a server that nobody has confirmed, who names it, and whose it is."""
    template = "Found for {}: {}, named by {}. {}" if doubt.source else "Found for {}: {}{}. {}"
    where = shown(endpoint_words(doubt.endpoint))
    return phrase(template, shown(doubt.domain), where, shown(doubt.source), whose_sentence(doubt))


def doubt_ways_on(doubt: UnconfirmedServer) -> Shown:
    """Name the options of `setup` that accept a server."""
    endpoint = doubt.endpoint
    named = phrase("--host {} --port {} --security {}", shown(endpoint.host), endpoint.port, endpoint.security)
    if doubt.username:
        named = phrase("{} --username {}", named, shown(shlex.quote(doubt.username)))
    takes = phrase("takes what the domain itself publishes by https, and what the public list has")
    if doubt.published:
        return phrase("If it is your provider's, name it: {}. Or add --accept-found, which {}.", named, takes)
    words = "If it is your provider's, name it: {}. --accept-found {}: not this server, which neither names."
    return phrase(words, named, takes)


def believed_words(candidate: Candidate) -> str:
    """Say who names a server, whether it was reached, how far it is to be believed, and what is odd about it."""
    sources = ", ".join(SOURCE_WORDS[each] for each in (candidate.source, *candidate.also))
    reached = "it answers, and its certificate fits" if candidate.verified else "not proved yet"
    parts = [f"{trust_words(candidate.trust)}: named by {sources}"]
    parts += [part for part in (candidate.note, reached if candidate.verified or not candidate.note else "") if part]
    if candidate.as_of:
        # What the DNS points to is a server of our own list; the DNS itself has no dates.
        ours = candidate.source in (FoundBy.CATALOG, FoundBy.MX, FoundBy.TRACES)
        parts.append(f"{'checked' if ours else 'last changed'} {date_words(candidate.as_of) or candidate.as_of}")
    return "; ".join(parts)


def trust_words(trust: float) -> str:
    """Say in words how far something is believed."""
    for least, words in ((0.85, "very likely right"), (0.6, "likely right"), (0.4, "perhaps right")):
        if trust >= least:
            return words
    return "doubtful"


def offered(candidates: Sequence[Candidate]) -> tuple[Candidate, ...]:
    """Return the servers that are worth a line of their own."""
    return tuple(candidates[:MOST_OFFERED])


def found_question(draft: Draft) -> str:
    """Say that a server was found, and ask whether it is right."""
    domain = draft.address.domain if draft.address else "your address"
    if len(offered(draft.candidates)) > 1:
        return f"Several servers were found for {domain}. The first is the likeliest."
    return f"A server was found for {domain}. Is it right?"
