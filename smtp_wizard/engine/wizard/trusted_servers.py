"""Which servers a secret may go to without a person who says yes, and the question that every face asks about others.

An unsigned DNS record, a file or a guess may name any server, and a certificate proves only that it is the one of that
name. So a secret goes to a server that the person named, that stands in the catalogue for their provider, or whose name
belongs to the address's own domain; any other is shown, with whose it is, and confirmed first.

Source: RFC 6186 section 6.
"""

from __future__ import annotations

from enum import StrEnum

from smtp_wizard.engine.base.connection import Auth
from smtp_wizard.engine.base.endpoint import Endpoint, Security
from smtp_wizard.engine.base.errors import InputError
from smtp_wizard.engine.base.shown import phrase, shown
from smtp_wizard.engine.base.stages import Depth
from smtp_wizard.engine.discovery.candidate import source_words
from smtp_wizard.engine.discovery.server_identity import belongs_to, whose_words
from smtp_wizard.engine.lazy_dataclass import dataclass
from smtp_wizard.engine.providers.catalog import Catalog
from smtp_wizard.engine.wizard.draft import Draft, Origin, with_candidate
from smtp_wizard.engine.wizard.steps import STEPS, Step, StepId, step


class ServerTrust(StrEnum):
    """What speaks for the server of a draft."""

    NAMED = "named"
    """The person typed it, or said yes to it."""
    LISTED = "listed"
    """The catalogue has it for the draft's provider; which provider it is may come from the MX record."""
    OWN = "own"
    """Its name belongs to the address's own domain, and a certificate for that name is asked for."""
    UNKNOWN = "unknown"
    """Nothing: somebody named it, and nobody has confirmed it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class UnconfirmedServer:
    """A server that was found, and that nobody has confirmed."""

    endpoint: Endpoint
    domain: str
    """The address's, fit to show."""
    whose: str
    """Whose it is, or why that is not known: a sentence without its first capital and full stop."""
    source: str
    """Who names it; '' where that is no longer known."""
    published: bool
    """As `Candidate.published`."""
    username: str
    """The user name, where it is another one than the address; '' where it is the usual one."""


class Unconfirmed(InputError):
    """A secret would go to a server that nobody has confirmed."""


def server_trust(draft: Draft, catalog: Catalog) -> ServerTrust | None:
    """Return what speaks for the server of a draft, None where there is no server yet."""
    endpoint = draft.connection.endpoint
    if endpoint is None:
        return None
    if draft.confirmed_host == endpoint.host:
        return ServerTrust.NAMED
    if draft.connection.sandbox is not None or endpoint.host in _listed(draft, catalog):
        return ServerTrust.LISTED
    # Without encryption no certificate is asked for, so that a name proves nothing.
    proves = endpoint.security is not Security.NONE and draft.address is not None
    if proves and draft.address is not None and belongs_to(endpoint.host, draft.address.ascii_domain):
        return ServerTrust.OWN
    return ServerTrust.UNKNOWN


def _listed(draft: Draft, catalog: Catalog) -> frozenset[str]:
    """The hosts that the catalogue has for a draft's provider, from a source: no guess, no other region."""
    provider = catalog.get(draft.connection.provider) if draft.connection.provider else None
    offered = provider.near(draft.address, draft.mx_hosts) if provider else ()
    return frozenset(each.endpoint.host for each in offered if each.source and not (each.guess or each.of_domain))


_GUESS = "our list of providers, as a guess"
"""Who names the server of a provider that the person chose, where no page or list that was read names it."""


def doubt_about(draft: Draft, catalog: Catalog) -> UnconfirmedServer | None:
    """Return what is to be asked before a secret goes to the server of a draft; None where nothing is."""
    endpoint = draft.connection.endpoint
    if endpoint is None or server_trust(draft, catalog) is not ServerTrust.UNKNOWN:
        return None
    found = next((each for each in draft.candidates if each.endpoint == endpoint), None)
    found = found or next((each for each in draft.candidates if each.endpoint.host == endpoint.host), None)
    domain = shown(draft.address.domain, 80) if draft.address is not None else "your address"
    chosen = draft.origin is Origin.CHOSEN
    return UnconfirmedServer(
        endpoint=endpoint,
        domain=domain,
        whose=whose_words(endpoint.host, domain)
        or f"it is not encrypted, so nothing proves that it belongs to {domain}",
        source=source_words(found) if found else _GUESS if chosen else draft.origin_note.removeprefix("from: "),
        published=found is not None and found.published,
        username=draft.connection.username
        if draft.address is None or draft.connection.username != draft.address.wire
        else "",
    )


def with_accepted(draft: Draft, catalog: Catalog) -> Draft | None:
    """Return the draft with the server that is taken unasked where the person has said so; None where there is none.

    It is the one of the draft, where nothing is to be asked about that; else the best that somebody has published, and
    that is encrypted.
    """
    if draft.connection.endpoint is not None and doubt_about(draft, catalog) is None:
        return draft
    published = (each for each in draft.candidates if each.published)
    taken = next((each for each in published if each.endpoint.security is not Security.NONE), None)
    return with_candidate(draft, catalog, taken).confirmed() if taken is not None else None


def server_was_discovered(draft: Draft, catalog: Catalog) -> bool:
    """Whether a stranger named the server of a draft, and the person has not taken it up as their own."""
    return server_trust(draft, catalog) in (ServerTrust.OWN, ServerTrust.UNKNOWN)


def refuse_unconfirmed(draft: Draft, depth: Depth, catalog: Catalog) -> None:
    """Raise `Unconfirmed` where a check would send a secret to a server that nobody has confirmed."""
    doubt = doubt_about(draft, catalog)
    if doubt is not None and depth is not Depth.SERVER and draft.connection.auth is not Auth.NONE:
        raise Unconfirmed(
            phrase(
                "{} has to be confirmed first, before a password goes there: {}.",
                shown(doubt.endpoint.host),
                shown(doubt.whose),
            )
        )


def step_before_confirmation(draft: Draft, wanted: Step, catalog: Catalog) -> Step:
    """Return the step to go to: the wanted one, or that before it where the draft's server is still to be confirmed."""
    asks = step(StepId.SERVER if draft.by_hand else StepId.PROVIDER)
    too_early = STEPS.index(wanted) > STEPS.index(asks)
    return asks if too_early and doubt_about(draft, catalog) is not None else wanted
