"""The catalogue of providers: what each needs today, what the old article documents, with sources and dates.

Everything in it comes from `data/providers.yaml`, which is read strictly and once. Nothing here asks the network.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import partial
from pathlib import Path

from smtp_wizard.engine.data import data_path
from smtp_wizard.engine.limits import MEGABYTE, Confidence, Counted, Per, SendLimit
from smtp_wizard.engine.model import Address, Auth, Endpoint, HostError, Security, parse_host
from smtp_wizard.engine.strict import UNDATED, Document, Node


class ProviderKind(StrEnum):
    """What a provider is to the person."""

    MAILBOX = "mailbox"
    ISP = "isp"
    """An internet access provider that gives mailboxes to its customers."""
    HOSTING = "hosting"
    RELAY = "relay"
    """Sends only. It cannot be seen from an address or a domain: it is always a choice."""
    NO_SMTP = "no-smtp"
    """Has no way in for another program."""
    CUSTOM = "custom"
    """Not a provider: the person enters the server by hand."""
    SANDBOX = "sandbox"
    """The practice server on this computer."""


class ProviderStatus(StrEnum):
    """How a provider's mail service stands."""

    ACTIVE = "active"
    MIGRATING = "migrating"
    MIGRATED = "migrated"
    """Somebody else runs the mailboxes now: see `successor`."""
    RETIRING = "retiring"
    RETIRED = "retired"
    NO_SMTP = "no-smtp"
    UNKNOWN = "unknown"


class PathStatus(StrEnum):
    """Whether a way in can be used."""

    WORKS = "works"
    NEEDS_PREPARATION = "needs-preparation"
    """Works after something has been done at the provider; the guide says what."""
    RETIRED = "retired"
    """The provider has closed it. It is shown because people still look for it, and leads to what replaced it."""


class PathAuth(StrEnum):
    """What the person has in hand to sign in with."""

    PASSWORD = "password"
    APP_PASSWORD = "app-password"
    OAUTH2 = "oauth2"
    KEY = "key"
    """A relay's key: typed where a password is typed."""
    NONE = "none"
    """The server asks for no sign-in."""

    @property
    def needs(self) -> Auth:
        """What the SMTP conversation needs for it."""
        return {PathAuth.OAUTH2: Auth.XOAUTH2, PathAuth.NONE: Auth.NONE}.get(self, Auth.PASSWORD)


class UsernameForm(StrEnum):
    """What the provider wants as a user name."""

    FULL_ADDRESS = "full-address"
    LOCAL_PART = "local-part"
    """The part before the @."""
    LITERAL = "literal"
    """One fixed word for everybody: see `Provider.username_literal`."""
    GIVEN = "given"
    """The provider makes one up and shows it; it cannot be guessed from the address."""


class Alphabet(StrEnum):
    """What the characters of a made-up secret are."""

    LETTERS = "letters"
    LETTERS_AND_DIGITS = "letters-and-digits"
    LETTERS_AND_HYPHENS = "letters-and-hyphens"


_ALPHABETS = {
    Alphabet.LETTERS: re.compile(r"[A-Za-z]+"),
    Alphabet.LETTERS_AND_DIGITS: re.compile(r"[A-Za-z0-9]+"),
    Alphabet.LETTERS_AND_HYPHENS: re.compile(r"[A-Za-z-]+"),
}


class SourceKind(StrEnum):
    """Who is speaking in a source."""

    OFFICIAL = "official"
    ISPDB = "ispdb"
    COMMUNITY = "community"
    ARTICLE = "article"
    OWN = "own"


class Seen(StrEnum):
    """How a source was read."""

    DIRECT = "direct"
    """The page itself."""
    COPY = "copy"
    """A copy of the page elsewhere."""
    QUOTED = "quoted"
    """Somebody else's dated reading of it."""
    NAMED_ONLY = "named-only"
    """Another source points to it; its text was not seen."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """Where a fact comes from."""

    id: str
    title: str
    kind: SourceKind
    date: str
    """The day the text is known for, or 'undated'."""
    seen: Seen
    url: str = ""
    """Empty where there is no address to give."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SecretForm:
    """The shape of a secret that a provider makes up, so that a paste can be tidied and a wrong paste noticed."""

    length: int
    """How many characters are left once it is tidied."""
    alphabet: Alphabet
    groups: int = 0
    """The provider shows it in groups of so many; 0: in one piece."""
    strip_blanks: bool = True
    """The blanks between the groups are no part of it."""

    def tidy(self, text: str) -> str:
        """Return what was pasted without blanks, line ends and invisible characters; unchanged where blanks count."""
        if not self.strip_blanks:
            return text
        return "".join(ch for ch in text if not ch.isspace() and unicodedata.category(ch) not in {"Cf", "Cc"})

    def fits(self, text: str) -> bool:
        """Does what was typed have this shape, once tidied?"""
        tidied = self.tidy(text)
        return len(tidied) == self.length and _ALPHABETS[self.alphabet].fullmatch(tidied) is not None

    def grouped(self, text: str) -> str:
        """Return the tidied text in the provider's groups, as it is read aloud or typed by hand."""
        tidied = self.tidy(text)
        if not self.groups:
            return tidied
        return " ".join(tidied[at : at + self.groups] for at in range(0, len(tidied), self.groups))


@dataclass(frozen=True, slots=True, kw_only=True)
class AccessPath:
    """One way of getting a program to send through a provider."""

    id: str
    title: str
    summary: str
    """One or two plain sentences: what it takes."""
    status: PathStatus
    auth: PathAuth
    guide: str | None = None
    """The id of the guide that leads through it."""
    note: str = ""
    retired_on: str | None = None
    """The day the provider closed it, or has said it will."""
    since: str | None = None
    """The day from which it has been possible."""
    instead: tuple[str, ...] = ()
    """Other ways on, best first: the id of another path of this provider, or a plain sentence."""
    secret_label: str = ""
    """What the secret is called on the screen; empty where none is typed."""
    secret_form: SecretForm | None = None
    documented: bool = False
    """The old article describes it."""
    disputed: str = ""
    """Where sources contradict each other about it: both sides. Empty where they agree."""
    sources: tuple[str, ...] = ()
    """Ids of the sources."""
    scenarios: tuple[str, ...] = ()
    """Names of the practice server's scenarios that make sense on this path."""
    scenario: str | None = None
    """For the practice server's own paths: the one scenario that this path plays."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CatalogEndpoint:
    """A server where mail can be handed in, as a fact with its source."""

    endpoint: Endpoint
    note: str = ""
    plan: str = ""
    """For which plan or region; empty: for all."""
    domains: tuple[str, ...] = ()
    """Only for addresses of these domains; empty: for all."""
    offered: bool = True
    """False: it stands here because it is documented, and is never offered. Always False without encryption."""
    source: str = ""
    as_of: str = ""
    confidence: Confidence = Confidence.UNKNOWN


@dataclass(frozen=True, slots=True, kw_only=True)
class Retirement:
    """Something that a provider switched off, moved, or says it will switch off."""

    what: str
    date: str
    state: str
    """How it stands: 'ended', 'announced', 'disputed', 'under way', with what is known about it."""
    replacement: str
    source: str
    as_of: str
    confidence: Confidence
    paths: tuple[str, ...] = ()
    """The ids of the access paths that it closes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerWords:
    """A reply that this provider is known to give."""

    code: int
    enhanced: str
    """Enhanced status code (RFC 3463), or empty."""
    words: str
    """The provider's own words, or the part of them that is always the same."""
    means: str
    source: str
    as_of: str
    confidence: Confidence


@dataclass(frozen=True, slots=True, kw_only=True)
class Documented:
    """What the old help article says about a provider, word for word, and how much of it still holds."""

    names: tuple[str, ...]
    """What the article calls the provider."""
    smtp_lines: tuple[str, ...] = ()
    host: str = ""
    """The server that the article names; empty where it names none."""
    ports: tuple[int, ...] = ()
    false_today: tuple[str, ...] = ()
    still_true: tuple[str, ...] = ()
    limits_label: str = ""
    """The article's heading over the limits."""
    limit_lines: tuple[str, ...] = ()
    limits: tuple[SendLimit, ...] = ()
    """The same lines as figures."""
    limits_today: str = ""
    """What is known about these limits today."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Provider:
    """A mail provider, and every way in that it has or had."""

    id: str
    name: str
    kind: ProviderKind
    status: ProviderStatus
    other_names: tuple[str, ...] = ()
    """What else people call it."""
    domains: tuple[str, ...] = ()
    """Domains of its addresses. '*.example.com' stands for every name below example.com."""
    mx: tuple[str, ...] = ()
    """Endings of the MX hosts of own domains that are hosted here."""
    mx_shared: tuple[str, ...] = ()
    """Ids of other providers with the same MX hosts: the person is asked."""
    endpoints: tuple[CatalogEndpoint, ...] = ()
    """Best first."""
    username_form: UsernameForm
    username_literal: str = ""
    """The fixed word, where the form is `LITERAL`."""
    username_note: str = ""
    paths: tuple[AccessPath, ...]
    """Best first; retired ones last."""
    limits: tuple[SendLimit, ...] = ()
    """What holds today."""
    limits_note: str = ""
    documented: Documented | None = None
    note: str = ""
    """A sentence or two that a person should read before going on."""
    successor: str | None = None
    """The id of the provider that runs its mailboxes now, or will."""
    errors: tuple[ServerWords, ...] = ()
    retirements: tuple[Retirement, ...] = ()
    sources: tuple[Source, ...] = ()
    """Every source that anything above refers to."""
    checked: str
    """The day this entry was last compared with its sources. No server was spoken to."""

    def best(self, address: Address | None = None) -> Endpoint | None:
        """Return the endpoint to begin with, for this address where it matters; None: the server must be entered."""
        return next((each.endpoint for each in self.offered(address)), None)

    def offered(self, address: Address | None = None) -> tuple[CatalogEndpoint, ...]:
        """Return the endpoints that may be offered, best first: those for the address's domain where it has its own."""
        open_ones = tuple(each for each in self.endpoints if each.offered)
        if address is None:
            return open_ones
        own = tuple(each for each in open_ones if not each.domains or address.ascii_domain in each.domains)
        return own or open_ones

    def path(self, path_id: str) -> AccessPath | None:
        """Return the access path with this id, or None."""
        return next((path for path in self.paths if path.id == path_id), None)

    def ways_on(self, path: AccessPath) -> tuple[AccessPath | str, ...]:
        """Return where a path leads that cannot be walked: other paths of this provider, or plain sentences."""
        return tuple(self.path(way) or way for way in path.instead)

    def username_for(self, address: Address) -> str:
        """Return the user name to fill in for an address; empty where only the person can know it."""
        match self.username_form:
            case UsernameForm.FULL_ADDRESS:
                return address.wire
            case UsernameForm.LOCAL_PART:
                return address.local
            case UsernameForm.LITERAL:
                return self.username_literal
            case UsernameForm.GIVEN:
                return ""

    def source(self, source_id: str) -> Source | None:
        """Return the source that a fact of this provider refers to, or None."""
        return next((source for source in self.sources if source.id == source_id), None)


class Catalog:
    """All providers, and the ways to find one. Built once, by `load_catalog`; never changed."""

    def __init__(self, providers: Sequence[Provider], common_domains: Sequence[str], no_typos: Sequence[str]) -> None:
        """Take the providers in listing order.

        `common_domains` are worth offering where one of them was mistyped; `no_typos` look like one and are not.
        """
        self.providers = tuple(providers)
        self._by_id = {provider.id: provider for provider in self.providers}
        self._by_domain = {domain: provider for provider in self.providers for domain in provider.domains}
        self._by_mx: dict[str, list[Provider]] = {}
        for provider in self.providers:
            for suffix in provider.mx:
                self._by_mx.setdefault(suffix, []).append(provider)
        self._common_domains = tuple(common_domains)
        self._no_typos = frozenset(no_typos)

    def get(self, provider_id: str) -> Provider | None:
        """Return the provider with this id, or None."""
        return self._by_id.get(provider_id)

    def by_domain(self, domain: str) -> Provider | None:
        """Return the provider whose addresses end in this domain, or None."""
        wanted = _plain(domain)
        found = self._by_domain.get(wanted)
        if found is not None:
            return found
        return next((self._by_domain[f"*.{up}"] for up in _parents(wanted) if f"*.{up}" in self._by_domain), None)

    def by_mx(self, hosts: Sequence[str]) -> tuple[Provider, ...]:
        """Return who hosts a domain with these MX hosts, most preferred host first: the longest known ending wins.

        Endings match whole labels only. Several providers come back where they share the host: ask the person.
        """
        for host in hosts:
            name = _plain(host)
            for ending in (name, *_parents(name)):
                if ending in self._by_mx:
                    return tuple(self._by_mx[ending])
        return ()

    def search(self, query: str, limit: int = 20) -> tuple[Provider, ...]:
        """Return the providers that a query means, best first; all of them, in listing order, for an empty one.

        Rank: exact domain, name prefix, domain prefix, word prefix, anything inside a name, domain, host or id.
        """
        wanted = " ".join(query.casefold().rpartition("@")[2].split())
        if not wanted:
            return self.providers[:limit]
        ranked = ((_rank(provider, wanted), at, provider) for at, provider in enumerate(self.providers))
        found = sorted((rank, at) for rank, at, _ in ranked if rank is not None)
        return tuple(self.providers[at] for _, at in found[:limit])

    def suggest(self, domain: str) -> str | None:
        """Return the common domain that was probably meant, or None. A known domain is never taken for a mistake."""
        import difflib

        typed = _plain(domain)
        if typed in self._no_typos or self.by_domain(typed) is not None:
            return None
        return next(iter(difflib.get_close_matches(typed, self._common_domains, n=1, cutoff=_TYPO_CUTOFF)), None)


_TYPO_CUTOFF = 0.85
"""Two neighbouring letters exchanged in a name such as 'aol.com' still pass; a letter changed and one added do not."""


def _plain(domain: str) -> str:
    return domain.strip().rstrip(".").lower()


def _parents(domain: str) -> Iterable[str]:
    """'a.b.c' -> 'b.c', 'c'."""
    while "." in domain:
        domain = domain.partition(".")[2]
        yield domain


def _rank(provider: Provider, wanted: str) -> int | None:
    """How well a provider answers a query: 0 best, None not at all."""
    documented = provider.documented.names if provider.documented else ()
    names = [name.casefold() for name in (provider.name, *provider.other_names, *documented)]
    domains = provider.domains
    if wanted in domains:
        return 0
    if any(name.startswith(wanted) for name in names):
        return 1
    if any(domain.startswith(wanted) for domain in domains):
        return 2
    if any(word.startswith(wanted) for name in names for word in re.split(r"[^\w]+", name)):
        return 3
    hosts = (each.endpoint.host for each in provider.endpoints)
    if any(wanted in text for text in (*names, *domains, *hosts, provider.id)):
        return 4
    return None


def load_catalog(path: Path | None = None) -> Catalog:
    """Read the providers' file, the product's own unless another is given.

    Raises `DataError` with file, line, column, provider and key for whatever is not as it must be.
    """
    document = Document(data_path("providers.yaml") if path is None else path)
    return document.root.read(_catalog)


def _catalog(node: Node) -> Catalog:
    if node.whole("version") != 1:
        raise node.error("version", "only version 1 of this file is known")
    sources = node.child("sources").read(_sources)
    scenarios = node.child("scenarios").read(_scenarios)
    typos = node.child("typing_mistakes")
    common, not_mistakes = typos.read(lambda each: (each.texts("offer_back"), each.texts("never_a_mistake")))
    entries = node.children("providers")
    providers = [entry.read(partial(_provider, sources=sources, scenarios=scenarios)) for entry in entries]
    _refuse_contradictions(entries, providers)
    return Catalog(providers, common, not_mistakes)


def _sources(node: Node) -> dict[str, Source]:
    return {key: node.child(key).read(partial(_source, source_id=key)) for key in node.keys()}  # noqa: SIM118  a method


def _source(node: Node, source_id: str) -> Source:
    return Source(
        id=source_id,
        title=node.text("title"),
        kind=node.choice("kind", SourceKind),
        date=node.date("date"),
        seen=node.choice("seen", Seen),
        url=_url(node),
    )


def _url(node: Node) -> str:
    url = node.text_or("url")
    if url and not re.fullmatch(r"https?://[^\s]+", url):
        raise node.error("url", "must begin with https://")
    return url


Scenarios = Mapping[PathAuth, tuple[str, ...]]


def _scenarios(node: Node) -> Scenarios:
    return {auth: node.texts(auth) for auth in PathAuth}


class _Cited:
    """Collects the sources that one provider's facts refer to, in the order of their first use."""

    def __init__(self, known: Mapping[str, Source]) -> None:
        self._known = known
        self.used: dict[str, Source] = {}

    def one(self, node: Node, key: str, source_id: str) -> str:
        """Take a source's id; return it. Raises `DataError` where there is no such source."""
        if source_id not in self._known:
            raise node.error(key, f"there is no source '{source_id}' in the table of sources")
        self.used[source_id] = self._known[source_id]
        return source_id

    def several(self, node: Node) -> tuple[str, ...]:
        """The ids at 'sources'."""
        return tuple(self.one(node, "sources", source_id) for source_id in node.texts("sources"))

    def fact(self, node: Node) -> tuple[str, str, Confidence]:
        """Return source, date and confidence of a fact. Each is there, unless nothing at all is known."""
        confidence = node.choice("confidence", Confidence)
        if confidence is Confidence.UNKNOWN:
            if node.has("source") or node.has("as_of"):
                raise node.error("confidence", "a fact with a source is not unknown")
            return "", "", confidence
        source = self.one(node, "source", node.text("source"))
        if confidence is not Confidence.COMMUNITY and confidence.value != self._known[source].kind.value:
            raise node.error("confidence", f"is {confidence}, but the source '{source}' is {self._known[source].kind}")
        return source, node.date("as_of"), confidence


def _provider(node: Node, sources: Mapping[str, Source], scenarios: Scenarios) -> Provider:
    cited = _Cited(sources)
    form, literal, username_note = node.child("username").read(partial(_username, cited=cited))
    mx, shared = _mx(node, cited)
    documented = node.maybe_child("documented")
    cited.several(node)
    return Provider(
        id=_identifier(node),
        name=node.text("name"),
        kind=node.choice("kind", ProviderKind),
        status=node.choice("status", ProviderStatus),
        other_names=node.texts("other_names"),
        domains=_domains(node, "domains"),
        mx=mx,
        mx_shared=shared,
        endpoints=tuple(each.read(partial(_endpoint, cited=cited)) for each in node.children("endpoints")),
        username_form=form,
        username_literal=literal,
        username_note=username_note,
        paths=tuple(each.read(partial(_path, cited=cited, usual=scenarios)) for each in node.children("paths")),
        limits=tuple(each.read(partial(_limit, cited=cited)) for each in node.children("limits")),
        limits_note=node.text_or("limits_note"),
        documented=documented.read(partial(_documented, cited=cited)) if documented else None,
        note=node.text_or("note"),
        successor=node.maybe_text("successor"),
        errors=tuple(each.read(partial(_server_words, cited=cited)) for each in node.children("errors")),
        retirements=tuple(each.read(partial(_retirement, cited=cited)) for each in node.children("retirements")),
        checked=node.date("checked"),
        sources=tuple(cited.used.values()),
    )


_IDENTIFIER = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")


def _identifier(node: Node) -> str:
    found = node.text("id")
    if not _IDENTIFIER.fullmatch(found):
        raise node.error("id", "must be small letters and digits, with single hyphens between them")
    return found


_DOMAIN = re.compile(r"(\*\.)?[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)+")


def _domains(node: Node, key: str) -> tuple[str, ...]:
    found = node.texts(key)
    for domain in found:
        if not _DOMAIN.fullmatch(domain):
            raise node.error(key, f"'{domain}' is not a domain in small letters")
    return found


def _mx(node: Node, cited: _Cited) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The endings of the MX hosts, and the ids of those who share them."""

    def read(mx: Node) -> tuple[tuple[str, ...], tuple[str, ...]]:
        cited.fact(mx)
        return _domains(mx, "endings"), mx.texts("shared_with")

    found = node.maybe_child("mx")
    return found.read(read) if found else ((), ())


def _username(node: Node, cited: _Cited) -> tuple[UsernameForm, str, str]:
    cited.fact(node)
    form = node.choice("form", UsernameForm)
    literal = node.text_or("literal")
    if (form is UsernameForm.LITERAL) != bool(literal):
        raise node.error("form", "'literal' needs the fixed word at the key 'literal', and only it")
    return form, literal, node.text_or("note")


def _endpoint(node: Node, cited: _Cited) -> CatalogEndpoint:
    security = node.choice("security", Security)
    offered = node.flag("offered", default=security is not Security.NONE)
    if offered and security is Security.NONE:
        raise node.error("offered", "a server without encryption is never offered")
    source, as_of, confidence = cited.fact(node)
    return CatalogEndpoint(
        endpoint=Endpoint(_host(node), _port(node, node.whole("port")), security),
        note=node.text_or("note"),
        plan=node.text_or("plan"),
        domains=_domains(node, "domains"),
        offered=offered,
        source=source,
        as_of=as_of,
        confidence=confidence,
    )


def _host(node: Node) -> str:
    text = node.text("host")
    try:
        host = parse_host(text)
    except HostError as problem:
        raise node.error("host", str(problem)) from None
    if host != text:
        raise node.error("host", f"must be written as '{host}'")
    return host


def _port(node: Node, port: int, key: str = "port") -> int:
    if not 1 <= port <= 65535:
        raise node.error(key, "must be from 1 to 65535")
    return port


def _path(node: Node, cited: _Cited, usual: Scenarios) -> AccessPath:
    status, auth = node.choice("status", PathStatus), node.choice("auth", PathAuth)
    secret = node.maybe_child("secret")
    if (secret is not None) != (auth.needs is Auth.PASSWORD):
        raise node.error("secret", f"a path with the sign-in '{auth}' {'has no' if secret else 'needs a'} secret")
    label, form = secret.read(_secret) if secret else ("", None)
    scenario = node.maybe_text("scenario")
    found = AccessPath(
        id=_identifier(node),
        title=node.text("title"),
        summary=node.text("summary"),
        status=status,
        auth=auth,
        guide=node.maybe_text("guide"),
        note=node.text_or("note"),
        retired_on=node.maybe_date("retired_on"),
        since=node.maybe_date("since"),
        instead=node.texts("instead"),
        secret_label=label,
        secret_form=form,
        documented=node.flag("documented", default=False),
        disputed=node.text_or("disputed"),
        sources=cited.several(node),
        scenarios=(scenario,) if scenario else node.texts("scenarios") or usual[auth],
        scenario=scenario,
    )
    _refuse_dead_end(node, found)
    return found


def _refuse_dead_end(node: Node, path: AccessPath) -> None:
    """A path that cannot be walked must lead on; what is claimed about it needs a source."""
    if path.status is PathStatus.RETIRED and not (path.instead and path.retired_on):
        raise node.error("status", "a retired path needs the day ('retired_on') and a way on ('instead')")
    if path.auth is PathAuth.OAUTH2 and len(path.instead) < 2:
        raise node.error("instead", "a path that only a sign-in in the browser opens must name two ways on")
    if path.disputed and not (path.instead and len(path.sources) > 1):
        raise node.error("disputed", "a disputed path needs a way on ('instead') and the sources of both sides")
    if not path.sources:
        raise node.error("sources", "name at least one source")


def _secret(node: Node) -> tuple[str, SecretForm | None]:
    label = node.text("label")
    if not node.has("length"):
        return label, None
    form = SecretForm(
        length=node.whole("length"),
        alphabet=node.choice("alphabet", Alphabet),
        groups=node.maybe_whole("groups") or 0,
        strip_blanks=node.flag("strip_blanks", default=True),
    )
    return label, form


_MEGABYTES = "megabytes"
"""The file says megabytes, which people read; the engine counts bytes."""


def _limit(node: Node, cited: _Cited) -> SendLimit:
    source, as_of, confidence = cited.fact(node)
    in_megabytes = node.text("what") == _MEGABYTES
    value = node.maybe_whole("value")
    if (value is None) != (confidence is Confidence.UNKNOWN):
        raise node.error("value", "a figure needs a source; without a figure the confidence is 'unknown'")
    if value is not None and value < 1:
        raise node.error("value", "must be at least 1")
    return SendLimit(
        what=Counted.BYTES if in_megabytes else node.choice("what", Counted),
        per=node.choice("per", Per),
        value=value * MEGABYTE if in_megabytes and value is not None else value,
        applies_to=node.text_or("applies_to"),
        historical=node.flag("historical", default=False),
        source=source,
        as_of=as_of,
        confidence=confidence,
    )


_ARTICLE = "article"
"""The id of the old article in the table of sources."""


def _documented(node: Node, cited: _Cited) -> Documented:
    cited.one(node, "names", _ARTICLE)
    return Documented(
        names=node.texts("names"),
        smtp_lines=node.texts("smtp_lines"),
        host=_host(node) if node.has("host") else "",
        ports=tuple(_port(node, port, "ports") for port in node.wholes("ports")),
        false_today=node.texts("false_today"),
        still_true=node.texts("still_true"),
        limits_label=node.text_or("limits_label"),
        limit_lines=node.texts("limit_lines"),
        limits=tuple(each.read(_documented_limit) for each in node.children("limits")),
        limits_today=node.text_or("limits_today"),
    )


def _documented_limit(node: Node) -> SendLimit:
    """A figure of the article. All of them have the same source, which needn't be written each time."""
    in_megabytes = node.text("what") == _MEGABYTES
    value = node.whole("value")
    return SendLimit(
        what=Counted.BYTES if in_megabytes else node.choice("what", Counted),
        per=node.choice("per", Per),
        value=value * MEGABYTE if in_megabytes else value,
        applies_to=node.text_or("applies_to"),
        documented=True,
        source=_ARTICLE,
        as_of=UNDATED,
        confidence=Confidence.ARTICLE,
    )


def _server_words(node: Node, cited: _Cited) -> ServerWords:
    source, as_of, confidence = cited.fact(node)
    code = node.whole("code")
    if not 200 <= code <= 599:
        raise node.error("code", "an SMTP reply has a code from 200 to 599")
    return ServerWords(
        code=code,
        enhanced=node.text_or("enhanced"),
        words=node.text("words"),
        means=node.text("means"),
        source=source,
        as_of=as_of,
        confidence=confidence,
    )


def _retirement(node: Node, cited: _Cited) -> Retirement:
    source, as_of, confidence = cited.fact(node)
    return Retirement(
        what=node.text("what"),
        date=node.date("date"),
        state=node.text("state"),
        replacement=node.text("replacement"),
        source=source,
        as_of=as_of,
        confidence=confidence,
        paths=node.texts("paths"),
    )


def _refuse_contradictions(entries: Sequence[Node], providers: Sequence[Provider]) -> None:
    """What no entry can know by itself: names given twice, references that lead nowhere, shared MX hosts."""
    ids: dict[str, Provider] = {}
    owners: dict[str, str] = {}
    for entry, provider in zip(entries, providers, strict=True):
        if provider.id in ids:
            raise entry.error("id", f"there are two providers with the id '{provider.id}'")
        ids[provider.id] = provider
        for domain in provider.domains:
            if domain in owners:
                raise entry.error("domains", f"'{domain}' belongs to '{owners[domain]}' already")
            owners[domain] = provider.id
        _refuse_loose_paths(entry, provider)
    for entry, provider in zip(entries, providers, strict=True):
        if provider.successor is not None and provider.successor not in ids:
            raise entry.error("successor", f"there is no provider '{provider.successor}'")
        _refuse_unsaid_sharing(entry, provider, providers)


def _refuse_loose_paths(entry: Node, provider: Provider) -> None:
    """Every provider has a path, no two with one id; whatever names a path of it names a real one."""
    known = [path.id for path in provider.paths]
    if not known:
        raise entry.error("paths", "there must be at least one path")
    for path_id in known:
        if known.count(path_id) > 1:
            raise entry.error("paths", f"there are two paths with the id '{path_id}'")
    for path in provider.paths:
        for way in path.instead:
            if _IDENTIFIER.fullmatch(way) and way not in known:
                raise entry.error("paths", f"'{path.id}' leads to '{way}', which is no path here")
    for retirement in provider.retirements:
        for path_id in retirement.paths:
            if path_id not in known:
                raise entry.error("retirements", f"'{path_id}' is no path here")
    for each in provider.endpoints:
        for domain in each.domains:
            if domain not in provider.domains:
                raise entry.error("endpoints", f"'{domain}' is not among the domains")


def _refuse_unsaid_sharing(entry: Node, provider: Provider, providers: Sequence[Provider]) -> None:
    """Where an MX ending is shared, each of those who share it says with whom."""
    others = tuple(
        other.id for other in providers if other is not provider and not set(other.mx).isdisjoint(provider.mx)
    )
    if set(others) != set(provider.mx_shared):
        raise entry.error("mx", f"shares its MX hosts with [{', '.join(others)}]: 'shared_with' must say so")
