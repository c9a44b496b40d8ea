"""From an address to the settings of its mail server: every source at once, one deadline, and a bad one is never fatal.

The sources: our own catalogue, by the ending of the address; who receives the domain's mail (MX); what the domain
names for sending (SRV); what it, or its mail host, publishes on the web; a public list, after a yes; and the usual
names, each tried. Only the domain is ever told to anybody, never the part before the @, and no password is sent.
Where sources differ, what each names is tried: who speaks there, and whether the certificate fits the name.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import field, replace
from typing import Any
from urllib.parse import urlsplit

from smtp_wizard.engine.base.address import Address
from smtp_wizard.engine.base.shown import shown
from smtp_wizard.engine.discovery.autoconfig import Database, own_addresses
from smtp_wizard.engine.discovery.autodiscover import autodiscover_url, read_autodiscover
from smtp_wizard.engine.discovery.candidate import (
    ELSEWHERE,
    FURTHER_TRACE,
    TRUST,
    UNDECIDED,
    Candidate,
    FoundBy,
    provider_candidates,
)
from smtp_wizard.engine.discovery.discovery_result import DiscoveryResult, ResultBuilder
from smtp_wizard.engine.discovery.dns import (
    SERVICES,
    DnsProblem,
    MxLookup,
    Resolver,
    look_up_addresses,
    look_up_srv,
)
from smtp_wizard.engine.discovery.guessed_servers import WildcardDomains, guesses, own_mail_hosts, usual_hosts
from smtp_wizard.engine.discovery.mail_keepers import look_up_mail_hosts
from smtp_wizard.engine.discovery.mailbox_traces import (
    MailboxKnowledge,
    find_traces,
    host_traces,
    load_mailbox_knowledge,
    together,
    trace_words,
)
from smtp_wizard.engine.discovery.named_server import NamedServer, certificate_words, other_names, serves
from smtp_wizard.engine.discovery.published_settings import PublishedSettings
from smtp_wizard.engine.discovery.server_identity import belongs_to, owner_domain
from smtp_wizard.engine.discovery.trials import Trials, Verify
from smtp_wizard.engine.discovery.web import FetchedDocument, HttpWeb, Web
from smtp_wizard.engine.lazy_dataclass import dataclass
from smtp_wizard.engine.providers.catalog import Catalog
from smtp_wizard.engine.smtp.timeouts import listening_timeout

__all__ = [
    "Candidate",
    "DiscoveryResult",
    "DiscoverySources",
    "DnsProblem",
    "FoundBy",
    "MxLookup",
    "Resolver",
    "discover",
]

DEADLINE = 8.0
"""Seconds that everything together may take: a person waits for it."""
GRACE = 1.5
"""Seconds that the other sources still have once the domain's mail host is known: they may say more, seldom better."""
MOST_NAMED = 8
"""Servers of one source that are taken up."""


Tell = Callable[[str], None]
"""Takes one line about what is being asked, for somebody who waits."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DiscoverySources:
    """Whom to ask, and how long."""

    resolver: Resolver = field(default_factory=Resolver)
    web: Web = field(default_factory=HttpWeb)
    verify: Verify | None = None
    """None: nothing is tried, and so nothing is guessed."""
    knowledge: MailboxKnowledge = field(default_factory=load_mailbox_knowledge)
    """Filters, and traces of providers."""
    database: Database | None = None
    """The public list, where the person said yes to asking it."""
    plain_http: bool = False
    """The person said yes to settings that come without encryption."""
    file: str = ""
    """The address of a settings file that the person named (https); '' where they named none."""
    deadline: float = DEADLINE
    """Seconds."""


async def discover(
    address: Address, catalog: Catalog, asking: DiscoverySources | None = None, tell: Tell = lambda line: None
) -> DiscoveryResult:
    """Find the provider and the server of an address. A known ending is answered without asking anybody.

    Raises nothing. Cancelling it ends every question at once.
    """
    known = catalog.by_domain(address.ascii_domain)
    if known is not None:
        return DiscoveryResult(
            provider=known,
            source=FoundBy.CATALOG,
            note=f"from: the ending of the address ({_shown(address)})",
            candidates=provider_candidates(known, address, FoundBy.CATALOG),
        )
    return await _Search(address, catalog, asking or DiscoverySources(), tell).run()


class _Search:
    """One search."""

    def __init__(self, address: Address, catalog: Catalog, asking: DiscoverySources, tell: Tell) -> None:
        self.address = address
        self.domain = address.ascii_domain
        self.catalog = catalog
        self.asking = asking
        self.tell = tell
        self.builder = ResultBuilder(address, catalog, asking.knowledge.filters)
        self.mx_known = asyncio.Event()
        self._trials = Trials(asking.verify)
        self._wildcards = WildcardDomains(asking.resolver)
        self._published = PublishedSettings(address, asking.web, self.builder, self._add, asking.file)
        self._news = asyncio.Event()
        """Something was learnt that may change who is waited for."""

    async def run(self) -> DiscoveryResult:
        """Ask everybody at once."""
        sources: dict[str, Coroutine[Any, Any, None]] = {
            "who receives the domain's mail": self._ask_mx(),
            "which servers the domain names": self._ask_srv(),
            "what the domain publishes": self._ask_web(self.domain),
            "what the domain publishes with a digest": self._published.read_vouched(self.asking.resolver),
            "what the mail host publishes": self._ask_mail_host(),
            "who keeps the mailboxes": self._ask_traces(),
        }
        if self.asking.database is not None:
            sources["the public list"] = self._ask_database(self.asking.database, self.domain)
        if self.asking.file:
            host = urlsplit(self.asking.file).hostname or ""
            about = self.domain if belongs_to(host, self.domain) else host
            sources["the file that was named"] = self._published.read(self.asking.file, FoundBy.AUTOCONFIG, about)
        asked = {name: asyncio.ensure_future(work) for name, work in sources.items()}
        guessing = asyncio.ensure_future(self._guess())
        try:
            await self._wait(list(asked.values()), guessing)
        finally:
            late: list[asyncio.Task[Any]] = [*asked.values(), guessing, *self._wildcards.tasks, *self._trials.tasks]
            for task in late:
                task.cancel()
            await asyncio.gather(*late, return_exceptions=True)
        silent = [name for name, task in asked.items() if task.cancelled()]
        if silent:
            self.builder.notes.append(f"No answer in time: {', '.join(silent)}.")
        for task in (*asked.values(), guessing):
            if not task.cancelled():
                task.result()  # a fault of ours is not swallowed
        return self.builder.result(self._trials.report, named_file=self.asking.file)

    async def _wait(self, asked: Sequence[asyncio.Task[None]], guessing: asyncio.Task[None]) -> None:
        """Wait for the sources that can still change the result, until the deadline at most."""
        gracious = False
        with suppress(TimeoutError):
            async with listening_timeout(self.asking.deadline) as limit:
                while True:
                    self._news.clear()
                    if self.builder.owners and not gracious:
                        limit.shorten(GRACE)
                        gracious = True
                    waiting: set[asyncio.Future[Any]] = {task for task in asked if not task.done()}
                    if not guessing.done() and not self._somebody_knows:
                        waiting.add(guessing)
                    if not waiting:
                        return
                    news = asyncio.ensure_future(self._news.wait())
                    try:
                        await asyncio.wait({*waiting, news}, return_when=asyncio.FIRST_COMPLETED)
                    finally:
                        news.cancel()

    @property
    def _somebody_knows(self) -> bool:
        """Whether a server is known that need not be guessed: it was named, and has not failed when it was tried."""
        named = [each for each in self.builder.named if each.source is not FoundBy.GUESS]
        return bool(self.builder.owners) or any(self._may_serve(each) for each in named)

    def _may_serve(self, named: NamedServer) -> bool:
        report = self._trials.report(named.endpoint)
        return report is None or serves(report, named)

    # -- the sources ------------------------------------------------------------------------------------------------

    async def _ask_mx(self) -> None:
        self.tell(f"Who receives the mail of {_shown(self.address)}?")
        try:
            filters = self.asking.knowledge.filters
            self.builder.receives(await look_up_mail_hosts(self.domain, self.catalog, self.asking.resolver, filters))
        finally:
            self.mx_known.set()
            self._news.set()
        await self._add(self._of_owners())

    def _of_owners(self) -> Iterator[NamedServer]:
        """Yield the servers of whose mail hosts these are; less is believed in what not all of these providers have."""
        owners = self.builder.owners
        common = [{each.endpoint for each in owner.offered(self.address, self.builder.mx.hosts)} for owner in owners]
        for owner in owners:
            for each in provider_candidates(owner, self.address, FoundBy.MX, self.builder.mx.hosts):
                shared = all(each.endpoint in theirs for theirs in common)
                yield NamedServer.of(each if shared else replace(each, trust=each.trust - ELSEWHERE))
        for possible in self.builder.keepers.possible:
            for each in provider_candidates(possible, self.address, FoundBy.MX, self.builder.mx.hosts):
                yield NamedServer.of(replace(each, trust=min(each.trust, UNDECIDED)))

    async def _ask_srv(self) -> None:
        self.tell(f"Which servers does {_shown(self.address)} name for sending?")
        resolver = self.asking.resolver
        answers = await asyncio.gather(*(look_up_srv(self.domain, service, resolver) for service in SERVICES))
        named = [endpoint for answer in answers for endpoint in answer.endpoints]
        if not named and any(answer.not_offered for answer in answers):
            self.builder.notes.append(f"{_shown(self.address)} says that it offers no server for sending.")
        await self._add(
            NamedServer(endpoint=each, source=FoundBy.SRV, username=self.address.wire, place=place)
            for place, each in enumerate(named[:MOST_NAMED])
        )

    async def _ask_mail_host(self) -> None:
        """Ask the web site of the provider that receives the mail, if it is another one and not in our list."""
        await self.mx_known.wait()
        if self.builder.behind is not None:
            return
        theirs = next((owner_domain(host) for host in self.builder.mx.hosts), None)
        if theirs is None or theirs in (self.domain, owner_domain(self.domain)) or self.builder.owners:
            return
        asked = [self._ask_web(theirs)]
        if self.asking.database is not None:
            asked.append(self._ask_database(self.asking.database, theirs))
        await asyncio.gather(*asked)

    async def _ask_traces(self) -> None:
        """Look for what points to a provider's mailboxes, where who receives the mail is nobody of our list."""
        await self.mx_known.wait()
        if self.builder.owners or self.builder.mx.problem in _NOBODY_RECEIVES:
            return
        known = self.asking.knowledge.traces
        by_dns, by_web = await asyncio.gather(
            find_traces(self.domain, known, self.asking.resolver), self._ask_autodiscover()
        )
        self.builder.points_to(together((*by_dns, *host_traces(by_web, known))))
        theirs = [(provider, found) for found in self.builder.traces if (provider := self.catalog.get(found.provider))]
        await self._add(
            replace(
                NamedServer.of(each),
                trust=TRUST[FoundBy.TRACES] + FURTHER_TRACE * (len(found.traces) - 1),
                reason=trace_words(self.address.domain, provider.name, found),
            )
            for provider, found in theirs
            for each in provider_candidates(provider, self.address, FoundBy.TRACES)
        )
        if by_web and not host_traces(by_web, known):
            await self._add(guesses(self.address, [by_web]))

    async def _ask_autodiscover(self) -> str:
        """Return the host that the domain's autodiscover names, '' where it names none, or is another name for one."""
        host = f"autodiscover.{self.domain}"
        if isinstance(await look_up_addresses(host, self.asking.resolver), DnsProblem):
            return ""
        fetched = await self.asking.web.fetch(autodiscover_url(self.domain))
        return read_autodiscover(fetched.content) if isinstance(fetched, FetchedDocument) else ""

    async def _ask_web(self, domain: str) -> None:
        """Ask a domain's own web for its settings, encrypted; and without, where the person said yes to that."""
        self.tell(f"What does {shown(domain, 80)} publish about its mail?")
        asked = [self._published.read(url, FoundBy.AUTOCONFIG, domain) for url in own_addresses(domain)]
        if self.asking.plain_http:
            asked.append(self._ask_plain_web(domain))
        await asyncio.gather(*asked)

    async def _ask_plain_web(self, domain: str) -> None:
        """Ask without encryption, unless the domain answers for every name: nothing proves who says it then."""
        if not await self._wildcards.answers_for_all(domain):
            urls = own_addresses(domain, plain=True)
            await asyncio.gather(*(self._published.read(url, FoundBy.AUTOCONFIG, domain) for url in urls))

    async def _ask_database(self, database: Database, domain: str) -> None:
        self.tell(f"What does {database.name} have?")
        await self._published.read(database.address(domain), FoundBy.ISPDB, domain)

    async def _guess(self) -> None:
        """Try the usual names, and the domain's own mail host: small firms often send by it too."""
        if self.asking.verify is not None:
            await asyncio.gather(self._guess_usual(usual_hosts(self.domain)), self._guess_mail_host())

    async def _guess_usual(self, hosts: Sequence[str]) -> None:
        """Try those of the usual names that exist."""
        resolver = self.asking.resolver
        there, for_all = await asyncio.gather(
            asyncio.gather(*(look_up_addresses(host, resolver) for host in hosts)),
            self._wildcards.answers_for_all(self.domain),
        )
        if for_all:
            self.builder.notes.append(
                f"{_shown(self.address)} answers for every name, so only servers whose certificate fits are believed."
            )
        exist = [host for host, addresses in zip(hosts, there, strict=True) if not isinstance(addresses, DnsProblem)]
        if exist:
            self.tell(f"Is one of these a mail server: {', '.join(shown(host, 80) for host in exist)}?")
        await self._add(guesses(self.address, exist))

    async def _guess_mail_host(self) -> None:
        """Try the hosts inside the domain that receive its mail."""
        await self.mx_known.wait()
        own = own_mail_hosts(self.domain, self.builder.mx.hosts)
        await self._add(guesses(self.address, own, after=len(usual_hosts(self.domain))))

    # -- trying -----------------------------------------------------------------------------------------------------

    async def _add(self, named: Iterable[NamedServer]) -> None:
        """Take servers up and try each of them once, however many sources name it.

        Where a server's certificate is for other names, those are tried in its place.
        """
        own = list(named)
        self.builder.named.extend(own)
        tries = self._trials.begin(each.endpoint for each in own)
        self._news.set()
        if tries:
            await asyncio.wait(tries)
        led = [each for server in own if not server.shown_by for each in self._by_certificate(server)]
        if led:
            await self._add(led)

    def _by_certificate(self, named: NamedServer) -> Iterator[NamedServer]:
        """Yield the servers that a certificate is for, where it is not for the name that was asked for."""
        host = named.endpoint.host
        names = other_names(named.endpoint, self._trials.report(named.endpoint))
        if names:
            self.builder.notes.append(certificate_words(host, names))
        for name in names:
            there = replace(named.endpoint, host=name)
            yield replace(named, endpoint=there, published=False, trust=None, shown_by=shown(host, 80))


_NOBODY_RECEIVES = (DnsProblem.NO_SUCH_DOMAIN, DnsProblem.NO_MAIL, DnsProblem.NO_NETWORK)


def _shown(address: Address) -> str:
    return shown(address.domain, 80)
