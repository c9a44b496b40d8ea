"""Which IMAP server a mailbox is read from: who names it, and whether a password may go there.

The same sources as for sending, and the same rule (RFC 6186 section 6): a secret goes to a server that the person
named, that the catalogue lists for the account's provider, or that belongs to the owner of the address's domain. One
more speaks for a server: that its owner is the owner of the server the account sends through, since that one has the
same secret already, and a certificate proves whose name it is.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from enum import StrEnum

from smtp_wizard.engine.accounts.account import Account
from smtp_wizard.engine.base.endpoint import Endpoint, Security
from smtp_wizard.engine.discovery.autoconfig import AutoconfigError, own_addresses, read_offers
from smtp_wizard.engine.discovery.candidate import FoundBy
from smtp_wizard.engine.discovery.dns import IMAP_SERVICES, Resolver, look_up_srv
from smtp_wizard.engine.discovery.egress_guard import Reachability, reachability
from smtp_wizard.engine.discovery.server_identity import belongs_to
from smtp_wizard.engine.discovery.web import FetchedDocument, Web
from smtp_wizard.engine.lazy_dataclass import dataclass
from smtp_wizard.engine.mailbox.mailbox_file import MailboxList

GUESSES = ("imap.", "mail.", "")
"""What usually stands before a domain in the name of its IMAP server."""
MOST_TRIED = 6
"""Servers that are tried at most."""


class ImapServerTrust(StrEnum):
    """What speaks for an IMAP server."""

    NAMED = "named"
    """The person named it."""
    LISTED = "listed"
    """Our list has it for the account's provider."""
    OWN = "own"
    """Its name belongs to the owner of the address's domain."""
    SAME_OWNER = "same-owner"
    """Its name belongs to the owner of the server that the account sends through."""
    UNKNOWN = "unknown"
    """Nothing: somebody named it, and nobody has confirmed it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ImapServer:
    """A server that a mailbox may be on."""

    endpoint: Endpoint
    source: FoundBy
    trust: ImapServerTrust
    username: str

    @property
    def confirmed(self) -> bool:
        """Whether a secret may go there."""
        return self.trust is not ImapServerTrust.UNKNOWN

    @property
    def guessed(self) -> bool:
        """Whether nobody names it."""
        return self.source is FoundBy.GUESS

    @property
    def foreign(self) -> bool:
        """Whether a stranger named it, so that its name must lead out."""
        return self.trust not in (ImapServerTrust.NAMED, ImapServerTrust.LISTED)


def leads_out(address: str, port: int) -> bool:
    """Return whether an address may be spoken to because a stranger named the server: see `egress_guard`."""
    found = reachability(address)
    return found is Reachability.ANYWHERE or (found is Reachability.INNER and port in _PORTS)


_PORTS = (993, 143)


class MailboxServers:
    """Finds the IMAP servers of an account."""

    def __init__(self, listed: MailboxList, resolver: Resolver, web: Web) -> None:
        self._listed = listed
        self._resolver = resolver
        self._web = web

    async def of(self, account: Account, named: Endpoint | None = None) -> tuple[ImapServer, ...]:
        """Return the servers to try, best first. `named`: the one that the person named, which is the only one then.

        Raises nothing. Only the domain is told to anybody, and only where our list has no server.
        """
        if named is not None:
            return (_server(account, named, FoundBy.MANUAL, ImapServerTrust.NAMED),)
        connection = account.connection
        listed = self._listed.of(connection.provider, connection.endpoint.host)
        if listed:
            return tuple(_server(account, each, FoundBy.CATALOG, ImapServerTrust.LISTED) for each in listed)
        published, in_dns = await asyncio.gather(self._published(account), self._in_dns(account))
        found = [*published, *in_dns, *_guessed(account)]
        unlike = {each.endpoint: each for each in reversed(found)}
        best = sorted((each for each in found if unlike[each.endpoint] is each), key=lambda each: not each.confirmed)
        return tuple(best[:MOST_TRIED])

    async def _published(self, account: Account) -> list[ImapServer]:
        """Return what the address's domain publishes on the web, encrypted."""
        found: list[ImapServer] = []
        for url in own_addresses(account.address.ascii_domain):
            fetched = await self._web.fetch(url)
            if not isinstance(fetched, FetchedDocument):
                continue
            try:
                offers = read_offers(fetched.content, account.address, kind="imap")
            except AutoconfigError:
                continue
            for offer in offers:
                if offer.endpoint.security is not Security.NONE:
                    username = offer.username or account.connection.username
                    found.append(_server(account, offer.endpoint, FoundBy.AUTOCONFIG, username=username))
            break
        return found

    async def _in_dns(self, account: Account) -> list[ImapServer]:
        """Return what the address's domain names in the DNS (RFC 6186 section 3.2, RFC 8314 section 5.1)."""
        found: list[ImapServer] = []
        for service in IMAP_SERVICES:
            answer = await look_up_srv(account.address.ascii_domain, service, self._resolver)
            found += [_server(account, each, FoundBy.SRV) for each in answer.endpoints]
        return found


def _guessed(account: Account) -> Iterator[ImapServer]:
    """Yield the usual names: of the server that the account sends through, and of the address's domain."""
    host = account.connection.endpoint.host
    first, _, rest = host.partition(".")
    if first in _OUTGOING and "." in rest:
        yield _server(account, Endpoint(f"imap.{rest}", 993, Security.TLS), FoundBy.GUESS)
    yield _server(account, Endpoint(host, 993, Security.TLS), FoundBy.GUESS)
    for prefix in GUESSES:
        there = Endpoint(f"{prefix}{account.address.ascii_domain}", 993, Security.TLS)
        yield _server(account, there, FoundBy.GUESS)


_OUTGOING = frozenset({"smtp", "smtps", "out", "send", "mailout", "smtpauth", "securesmtp", "smtp-auth"})
"""First labels of servers for sending, in whose place 'imap' is usual."""


def _server(
    account: Account,
    endpoint: Endpoint,
    source: FoundBy,
    trust: ImapServerTrust | None = None,
    *,
    username: str = "",
) -> ImapServer:
    return ImapServer(
        endpoint=endpoint,
        source=source,
        trust=trust or imap_server_trust(account, endpoint),
        username=username or account.connection.username,
    )


def imap_server_trust(account: Account, endpoint: Endpoint) -> ImapServerTrust:
    """Return what speaks for a server that a stranger named for an account."""
    if belongs_to(endpoint.host, account.address.ascii_domain):
        return ImapServerTrust.OWN
    if belongs_to(endpoint.host, account.connection.endpoint.host):
        return ImapServerTrust.SAME_OWNER
    return ImapServerTrust.UNKNOWN
