"""A domain's records, seen from the provider that sends for it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from smtp_wizard.engine.base.endpoint import HostError, parse_host
from smtp_wizard.engine.base.errors import InputError
from smtp_wizard.engine.base.shown import NO_WORDS, Shown, phrase, shown
from smtp_wizard.engine.base.threads import in_thread
from smtp_wizard.engine.providers.provider import Provider, ProviderKind

if TYPE_CHECKING:
    from smtp_wizard.engine.discovery.dns import Resolver
    from smtp_wizard.engine.domain.dns_lookups import Lookups
    from smtp_wizard.engine.domain.domain_report import DomainReport
    from smtp_wizard.engine.domain.sender_records import SenderRecords
    from smtp_wizard.engine.providers.catalog import Catalog

MOST_SELECTORS = 20
"""Keys that one question may name."""


class Domains:
    """Looks up what a domain publishes, and judges it."""

    def __init__(self, catalog: Catalog, resolver: Resolver | None = None) -> None:
        """`resolver` is asked: the system's name servers, where left out."""
        self._catalog = catalog
        self._resolver = resolver

    async def examine(
        self,
        domain: str,
        *,
        provider: Provider | None = None,
        selectors: tuple[str, ...] = (),
        server: str = "",
        sends_through: str = "",
    ) -> DomainReport:
        """Look at a domain, or at that of an address. Only the DNS is asked, and only about names.

        `provider`: who sends for it; where left out, the one that takes its mail. `selectors`: DKIM keys to look at as
        well. `server`: a server of one's own that sends. `sends_through`: the server that mail is handed to, which
        need not be the one that sends it on. Raises `InputError`, `DataError`.
        """
        from smtp_wizard.engine.discovery.dns import Resolver
        from smtp_wizard.engine.domain.dns_lookups import Lookups
        from smtp_wizard.engine.domain.domain_report import DomainQuery, examine_domain
        from smtp_wizard.engine.domain.sender_records import load_sender_records

        name = domain_name(domain)
        lookups = Lookups(self._resolver or Resolver())
        if provider is None and not server and not sends_through:
            provider = await self._by_mx(name, lookups)
        owner = self._catalog.by_domain(name)
        if owner is not None and owner.kind in (ProviderKind.HOSTING, ProviderKind.RELAY, ProviderKind.CUSTOM):
            owner = None
        records = (await in_thread(load_sender_records)).get(provider.id) if provider else None
        question = DomainQuery(
            domain=name,
            written=_written(domain),
            provider_id=provider.id if provider else "",
            provider=provider.name if provider else NO_WORDS,
            records=records,
            selectors=selectors[:MOST_SELECTORS],
            server=domain_name(server) if server else "",
            sends_through=sends_through,
            owner=owner.name if owner else NO_WORDS,
            owner_sends=owner is not None and self._owner_sends(owner, provider, sends_through),
            own_domains_only=await self._sends_for_own_domains_only(provider, records, name, lookups),
        )
        return await examine_domain(question, lookups)

    def _owner_sends(self, owner: Provider, provider: Provider | None, sends_through: str) -> bool | None:
        """Return whether the owner of a domain sends; None where that depends on what nobody knows here.

        That is a server that no provider is known to have, one on this computer, and one that two share: whose mailbox
        signs in to it.
        """
        if provider is not None and provider is not owner and set(provider.hosts) & set(owner.hosts):
            return None
        if provider is not None or not sends_through:
            return provider is owner
        from smtp_wizard.engine.domain.mail_hosts import is_address

        at_host = () if is_address(sends_through) else self._catalog.all_at_host(sends_through)
        return owner in at_host if at_host else None

    async def _sends_for_own_domains_only(
        self, provider: Provider | None, records: SenderRecords | None, domain: str, lookups: Lookups
    ) -> bool:
        """Whether a provider has mailboxes of its own domains and is not known to send for others, such as this one."""
        if provider is None or records is not None or not provider.domains:
            return False
        if provider.kind not in (ProviderKind.MAILBOX, ProviderKind.ISP):
            return False
        from smtp_wizard.engine.domain.dns_lookups import NOT_SAID

        mx = await lookups.mx(domain)
        takes_its_mail = provider in self._catalog.by_mx(mx.hosts)
        return mx.problem not in NOT_SAID and not takes_its_mail

    async def _by_mx(self, domain: str, lookups: Lookups) -> Provider | None:
        """Return who takes the mail of a domain before others, where that is one provider alone."""
        from smtp_wizard.engine.discovery.mail_keepers import mail_keepers

        found = mail_keepers(await lookups.mx(domain), self._catalog, ()).owners
        return found[0] if len(found) == 1 else None


def _written(text: str) -> Shown:
    """Return a domain as it was typed, '' where that is as computers know it."""
    name = _domain_part(text)
    return NO_WORDS if name.isascii() else shown(name, 253)


def _domain_part(text: str) -> str:
    return text.strip().rpartition("@")[2].removesuffix(".").lower()


def domain_name(text: str) -> str:
    """Return a domain, or that of an address, in A-labels. Raises `InputError`."""
    name = _domain_part(text)
    try:
        plain = parse_host(name)
    except HostError:
        plain = ""
    if "." not in plain or plain.replace(".", "").isdigit() or ":" in plain:
        raise InputError(phrase("'{}' is no domain. A domain looks like example.com.", shown(text, 100)))
    return plain
