"""Settings that a domain, its mail host or a public list publishes as a file on the web, read for one search."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Sequence
from urllib.parse import urlsplit

from smtp_wizard.engine.base.address import Address
from smtp_wizard.engine.base.shown import shown
from smtp_wizard.engine.discovery.autoconfig import AutoconfigError, read_offers
from smtp_wizard.engine.discovery.candidate import FoundBy
from smtp_wizard.engine.discovery.discovery_result import ResultBuilder
from smtp_wizard.engine.discovery.dns import Resolver, look_up_texts
from smtp_wizard.engine.discovery.named_server import NamedServer
from smtp_wizard.engine.discovery.server_identity import belongs_to, owner_of
from smtp_wizard.engine.discovery.user_agent_configuration import (
    configuration_url,
    digest_name,
    digests,
    is_vouched_for,
    read_configuration,
)
from smtp_wizard.engine.discovery.web import FetchedDocument, LedElsewhere, Web, WebProblem

_WORTH_TELLING = {
    WebProblem.LED_AWAY: "sends one round and round, or to where nothing is encrypted, and was not followed",
    WebProblem.TOO_LARGE: "answers with too much, and was not read",
}


class PublishedSettings:
    """Fetches files with settings, and has the servers that they name taken up; what is told of them goes to `builder`.

    No redirect to another domain is followed.
    """

    def __init__(
        self,
        address: Address,
        web: Web,
        builder: ResultBuilder,
        add: Callable[[Iterable[NamedServer]], Awaitable[None]],
        followed: str = "",
    ) -> None:
        """`add` takes servers up and tries them; `followed`: a file that the person named, and that is read."""
        self._followed = followed
        self._address = address
        self._domain = address.ascii_domain
        self._web = web
        self._builder = builder
        self._add = add

    async def read(self, url: str, source: FoundBy, domain: str) -> None:
        """Read what lies under a URL, which was asked about a domain."""
        fetched = await self._web.fetch(url)
        if isinstance(fetched, LedElsewhere):
            self._take_redirect(url, fetched, source)
        elif isinstance(fetched, WebProblem):
            self._tell_problem(url, fetched)
        else:
            published = self._is_published(fetched.url, source, domain)
            await self._add(self._named(url, fetched, source, published=published))

    async def read_vouched(self, resolver: Resolver) -> None:
        """Read the file whose digest stands in the domain's DNS; where none does, nothing is fetched."""
        wanted = digests(await look_up_texts(digest_name(self._domain), resolver))
        if not wanted:
            return
        url = configuration_url(self._domain)
        fetched = await self._web.fetch(url)
        if isinstance(fetched, LedElsewhere):
            self._builder.notes.append(redirect_words(url, fetched.url, followed=False))
        if not isinstance(fetched, FetchedDocument):
            return
        offer = read_configuration(fetched.content)
        if not is_vouched_for(fetched.content, wanted):
            words = "is not what the domain's DNS says it is (its digest is another), and was not used"
            self._builder.notes.append(f"{shown(url, 120)} {words}.")
        elif offer is not None:
            named = NamedServer(
                endpoint=offer.endpoint,
                source=FoundBy.AUTOCONFIG,
                username=self._address.wire,
                auth=offer.auth,
                as_of=fetched.changed,
                published=self._is_published(fetched.url, FoundBy.AUTOCONFIG, self._domain),
            )
            await self._add([named])

    def _named(self, url: str, fetched: FetchedDocument, source: FoundBy, *, published: bool) -> Sequence[NamedServer]:
        """Return the servers that a file names; why it cannot be used is told."""
        try:
            offers = read_offers(fetched.content, self._address)
        except AutoconfigError as problem:
            # Many servers answer whatever they are asked with a page of their own.
            if b"clientConfig" in fetched.content[:4096]:
                self._builder.notes.append(f"{shown(url, 120)} cannot be used: {problem}.")
            return ()
        return [
            NamedServer(
                endpoint=offer.endpoint,
                source=source,
                username=offer.username or self._address.wire,
                auth=offer.auth,
                as_of=fetched.changed,
                plain=fetched.url.startswith("http://"),
                published=published,
                place=place,
            )
            for place, offer in enumerate(offers)
        ]

    def _tell_problem(self, url: str, problem: WebProblem) -> None:
        if problem in _WORTH_TELLING:
            self._builder.notes.append(f"{shown(url, 120)} {_WORTH_TELLING[problem]}.")
        elif problem is WebProblem.NOT_TRUSTED:
            self._builder.doubts.append(
                f"{shown(url, 120)} has a certificate that is not believed, so it was not asked."
            )

    def _take_redirect(self, url: str, led: LedElsewhere, source: FoundBy) -> None:
        """Say that a file lies at another domain; of the domain's own, the person may be asked."""
        self._builder.notes.append(redirect_words(url, led.url, followed=led.url == self._followed))
        if source is FoundBy.AUTOCONFIG and belongs_to(urlsplit(url).hostname or "", self._domain):
            self._builder.redirects.append(led.url)

    def _is_published(self, url: str, source: FoundBy, domain: str) -> bool:
        """Whether a file counts as `Candidate.published`: not where the MX led to it, and not without encryption."""
        parts = urlsplit(url)
        own = source is FoundBy.ISPDB or belongs_to(parts.hostname or "", self._domain)
        return domain == self._domain and parts.scheme == "https" and own


def redirect_words(url: str, following: str, *, followed: bool) -> str:
    """Say that a settings file leads to another domain, and whose that is."""
    theirs = owner_of(urlsplit(following).hostname or "")
    return (
        f"{shown(url, 120)} leads to {shown(theirs, 80)}, another domain, and was {'' if followed else 'not '}followed."
    )
