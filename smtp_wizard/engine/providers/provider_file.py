"""Reads `data/providers.yaml`: strictly, and as a whole, so that nothing in it contradicts anything else."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TypeVar

from smtp_wizard.engine.base.confidence import Confidence
from smtp_wizard.engine.base.connection import Auth
from smtp_wizard.engine.base.endpoint import Endpoint, HostError, Security, parse_host
from smtp_wizard.engine.base.strict_yaml import UNDATED, Document, Node
from smtp_wizard.engine.providers.limits import MEGABYTE, Counted, Per, SendLimit
from smtp_wizard.engine.providers.oauth_file import OAuthServers, read_servers, server_of
from smtp_wizard.engine.providers.provider import (
    LONGEST_LOCKOUT,
    AccessPath,
    Alphabet,
    CatalogEndpoint,
    Documented,
    IspdbEntry,
    Lockout,
    PathAuth,
    PathStatus,
    Provider,
    ProviderKind,
    ProviderStatus,
    Retirement,
    SecretForm,
    Seen,
    ServerWords,
    Source,
    SourceKind,
    UsernameForm,
)

T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class ProviderFile:
    """What the file holds, in its order."""

    providers: tuple[Provider, ...]
    offer_back: tuple[str, ...]
    """Domains that are offered back where one of them seems mistyped."""
    never_a_mistake: tuple[str, ...]
    """Domains that look like a mistake and are none."""
    sources: Mapping[str, Source]
    """The table of sources."""
    scenarios: Scenarios
    """The scenarios that each sign-in usually has."""
    oauth: OAuthServers
    """The OAuth servers that paths refer to by name."""


def read_provider_file(path: Path) -> ProviderFile:
    """Read and check the whole file.

    Raises `DataError` with file, line, column, provider and key for whatever is not as it must be.
    """
    return Document(path).root.read(_file)


def _file(node: Node) -> ProviderFile:
    if node.whole("version") != 1:
        raise node.error("version", "only version 1 of this file is known")
    sources = node.child("sources").read(read_sources)
    scenarios = node.child("scenarios").read(_scenarios)
    table = node.maybe_child("oauth_servers")
    servers = table.read(partial(read_servers, cited=Citations(sources))) if table else {}
    typos = node.child("typing_mistakes")
    offered, never = typos.read(lambda each: (_domains(each, "offer_back"), _domains(each, "never_a_mistake")))
    entries = node.children("providers")
    known = Known(sources, scenarios, servers)
    providers = tuple(entry.read(partial(_provider, known=known)) for entry in entries)
    _refuse_contradictions(entries, providers)
    return ProviderFile(
        providers=providers,
        offer_back=offered,
        never_a_mistake=never,
        sources=sources,
        scenarios=scenarios,
        oauth=servers,
    )


def read_sources(node: Node) -> dict[str, Source]:
    return {key: node.child(key).read(partial(_source, source_id=key)) for key in node.keys()}  # noqa: SIM118  a method


def _source(node: Node, source_id: str) -> Source:
    return Source(
        id=source_id,
        title=node.text("title"),
        kind=node.choice("kind", SourceKind),
        date=node.date("date"),
        seen=node.choice("seen", Seen),
        url=_url(node),
        says=node.texts("says"),
    )


def _url(node: Node) -> str:
    url = node.text_or("url")
    if url and not re.fullmatch(r"https?://[^\s]+", url):
        raise node.error("url", "must begin with https://")
    return url


Scenarios = Mapping[PathAuth, tuple[str, ...]]


def _scenarios(node: Node) -> Scenarios:
    return {auth: node.texts(auth) for auth in PathAuth}


class Citations:
    """Collects the sources that one provider's facts refer to, in the order of their first use."""

    def __init__(self, known: Mapping[str, Source], used: Iterable[Source] = ()) -> None:
        self._known = known
        self.used: dict[str, Source] = {source.id: source for source in used}

    def one(self, node: Node, key: str, source_id: str) -> str:
        """Take a source's id; return it. Raises `DataError` where there is no such source."""
        if source_id not in self._known:
            raise node.error(key, f"there is no source '{source_id}' in the table of sources")
        self.used[source_id] = self._known[source_id]
        return source_id

    def several(self, node: Node) -> tuple[str, ...]:
        """The ids at 'sources'."""
        return tuple(self.one(node, "sources", source_id) for source_id in node.texts("sources"))

    def dated(self, node: Node) -> tuple[str, str]:
        """Source and date of a fact whose confidence is that of its source."""
        return self.one(node, "source", node.text("source")), node.date("as_of")

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


@dataclass(frozen=True, slots=True)
class Known:
    """The tables at the head of the file, which the entries refer to."""

    sources: Mapping[str, Source]
    scenarios: Scenarios
    servers: OAuthServers


def _provider(node: Node, known: Known) -> Provider:
    found = read_provider(node, Citations(known.sources), known)
    _refuse_unsaid_differences(node, found)
    return found


def read_provider(node: Node, cited: Citations, known: Known, base: Provider | None = None) -> Provider:
    """Read one entry. Raises `DataError`.

    What the entry leaves out is as in `base`; without one, as it is where nothing is known, and what must be known
    must be there.
    """

    def take(key: str, read: Callable[[], T], of: Callable[[Provider], T]) -> T:
        return of(base) if base is not None and not node.has(key) else read()

    def each(key: str, read: Callable[[Node], T], of: Callable[[Provider], tuple[T, ...]]) -> tuple[T, ...]:
        return take(key, lambda: tuple(child.read(read) for child in node.children(key)), of)

    form, literal, username_note = take(
        "username",
        lambda: node.child("username").read(partial(_username, cited=cited)),
        lambda old: (old.username_form, old.username_literal, old.username_note),
    )
    mx, shared = take("mx", lambda: _mx(node, cited), lambda old: (old.mx, old.mx_shared))
    cited.several(node)
    found = Provider(
        id=_identifier(node),
        name=take("name", lambda: node.text("name"), lambda old: old.name),
        kind=take("kind", lambda: node.choice("kind", ProviderKind), lambda old: old.kind),
        status=take("status", lambda: node.choice("status", ProviderStatus), lambda old: old.status),
        other_names=take("other_names", lambda: node.texts("other_names"), lambda old: old.other_names),
        domains=take("domains", lambda: _domains(node, "domains"), lambda old: old.domains),
        mx=mx,
        mx_shared=shared,
        endpoints=each("endpoints", partial(_endpoint, cited=cited), lambda old: old.endpoints),
        username_form=form,
        username_literal=literal,
        username_note=username_note,
        paths=each("paths", partial(_path, cited=cited, known=known), lambda old: old.paths),
        limits=each("limits", partial(_limit, cited=cited), lambda old: old.limits),
        limits_note=take("limits_note", lambda: node.text_or("limits_note"), lambda old: old.limits_note),
        documented=take("documented", lambda: _maybe_documented(node, cited), lambda old: old.documented),
        note=take("note", lambda: node.text_or("note"), lambda old: old.note),
        successor=take("successor", lambda: node.maybe_text("successor"), lambda old: old.successor),
        ispdb=each("ispdb", _ispdb_entry, lambda old: old.ispdb),
        errors=each("errors", partial(_server_words, cited=cited), lambda old: old.errors),
        lockout=take("lockout", lambda: _maybe_lockout(node, cited), lambda old: old.lockout),
        retirements=each("retirements", partial(_retirement, cited=cited), lambda old: old.retirements),
        checked=take("checked", lambda: node.date("checked"), lambda old: old.checked),
        sources=tuple(cited.used.values()),
    )
    barred = bool(found.paths) and all(path.status is PathStatus.NEVER for path in found.paths)
    if barred != (found.kind is ProviderKind.NO_SMTP):
        raise node.error("kind", "'no-smtp' means that every path is 'never', and no other kind may have only such")
    return found


_IDENTIFIER = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")


def _identifier(node: Node) -> str:
    found = node.text("id")
    if not _IDENTIFIER.fullmatch(found):
        raise node.error("id", "must be small letters and digits, with single hyphens between them")
    return found


_DOMAIN = re.compile(r"(\*\.)?[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)+")


def _domains(node: Node, key: str) -> tuple[str, ...]:
    return tuple(_domain(node, domain, key) for domain in node.texts(key))


def _domain(node: Node, text: str, key: str) -> str:
    if not _DOMAIN.fullmatch(text):
        raise node.error(key, f"'{text}' is not a domain in small letters")
    return text


def _mx(node: Node, cited: Citations) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The endings of the MX hosts, and the ids of those who share them."""

    def read(mx: Node) -> tuple[tuple[str, ...], tuple[str, ...]]:
        cited.fact(mx)
        return _domains(mx, "endings"), mx.texts("shared_with")

    found = node.maybe_child("mx")
    return found.read(read) if found else ((), ())


def _username(node: Node, cited: Citations) -> tuple[UsernameForm, str, str]:
    cited.fact(node)
    form = node.choice("form", UsernameForm)
    literal = node.text_or("literal")
    if (form is UsernameForm.LITERAL) != bool(literal):
        raise node.error("form", "'literal' needs the fixed word at the key 'literal', and only it")
    return form, literal, node.text_or("note")


def _endpoint(node: Node, cited: Citations) -> CatalogEndpoint:
    security = node.choice("security", Security)
    offered = node.flag("offered", default=security is not Security.NONE)
    if offered and security is Security.NONE:
        raise node.error("offered", "a server without encryption is never offered")
    source, as_of, confidence = cited.fact(node)
    guess = node.flag("guess", default=False)
    if guess != (confidence is Confidence.UNKNOWN):
        raise node.error("guess", "a server that no source names is marked 'guess: true', and no other is")
    host, of_domain = _host(node), node.text_or("of_domain")
    if of_domain and host != f"{of_domain}.{_YOUR_DOMAIN}":
        raise node.error("of_domain", f"the host must be written as '{of_domain}.{_YOUR_DOMAIN}'")
    return CatalogEndpoint(
        endpoint=Endpoint(host, _port(node, node.whole("port")), security),
        note=node.text_or("note"),
        plan=node.text_or("plan"),
        domains=_domains(node, "domains"),
        mx=_domains(node, "mx"),
        of_domain=of_domain,
        guess=guess,
        offered=offered,
        source=source,
        as_of=as_of,
        confidence=confidence,
    )


_YOUR_DOMAIN = "yourdomain.example"
"""What stands in the file for the domain of whoever reads it (RFC 2606)."""


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


_SERVER = re.compile(r"(?P<host>\S+):(?P<port>\d{1,5}) (?P<security>tls|starttls|none)")


def _ispdb_entry(node: Node) -> IspdbEntry:
    return IspdbEntry(
        domain=_domain(node, node.text("domain"), "domain"),
        changed=node.date("changed"),
        endpoints=tuple(_server(node, text) for text in node.texts("servers")),
        username_form=node.choice("username", UsernameForm),
        note=node.text_or("note"),
    )


def _server(node: Node, text: str) -> Endpoint:
    """Read 'smtp.example.com:465 tls'."""
    found = _SERVER.fullmatch(text)
    if found is None:
        raise node.error("servers", f"'{text}' is not written as 'smtp.example.com:465 tls'")
    return Endpoint(found["host"], _port(node, int(found["port"]), "servers"), Security(found["security"]))


def _refuse_unsaid_differences(node: Node, provider: Provider) -> None:
    """Whoever knows better than ISPDB says why."""
    for entry in provider.ispdb:
        differences = provider.apart_from(entry)
        if differences and not entry.note:
            raise node.error("ispdb", f"{entry.domain} needs a 'note' that says why: {differences[0]}")
        if entry.note and not differences:
            raise node.error("ispdb", f"{entry.domain} has a 'note', but nothing differs")


def _path(node: Node, cited: Citations, known: Known) -> AccessPath:
    status, auth = node.choice("status", PathStatus), node.choice("auth", PathAuth)
    secret = node.maybe_child("secret")
    if (secret is not None) != (auth.needs is Auth.PASSWORD):
        raise node.error("secret", f"a path with the sign-in '{auth}' {'has no' if secret else 'needs a'} secret")
    label, form = secret.read(_secret) if secret else ("", None)
    server = server_of(node, known.servers, cited)
    if server is not None and auth is not PathAuth.OAUTH2:
        raise node.error("oauth", f"a path with the sign-in '{auth}' has no OAuth server")
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
        scenarios=_scenarios_of(node, scenario, () if status is PathStatus.NEVER else known.scenarios[auth]),
        scenario=scenario,
        oauth=server,
    )
    _refuse_dead_end(node, found)
    return found


def _scenarios_of(node: Node, own: str | None, usual: tuple[str, ...]) -> tuple[str, ...]:
    """What can be rehearsed: the path's one scenario, those that it names, or those that its sign-in usually has."""
    return (own,) if own else node.texts("scenarios") or usual


def _refuse_dead_end(node: Node, path: AccessPath) -> None:
    """A path that cannot be walked must lead on; what is claimed about it needs a source."""
    if path.status is PathStatus.RETIRED and not (path.instead and path.retired_on):
        raise node.error("status", "a retired path needs the day ('retired_on') and a way on ('instead')")
    if path.status is PathStatus.NEVER and len(path.instead) < 2:
        raise node.error("instead", "a way that there has never been must name two ways on")
    own = path.oauth is not None and path.oauth.confidence is Confidence.OWN
    if path.auth is PathAuth.OAUTH2 and len(path.instead) < 2 and not own:
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


def _limit(node: Node, cited: Citations) -> SendLimit:
    source, as_of, confidence = cited.fact(node)
    in_megabytes = node.text("what") == _MEGABYTES
    value = node.maybe_whole("value")
    known = value is not None or not node.flag("published", default=True)
    if known == (confidence is Confidence.UNKNOWN):
        raise node.error("value", "a figure needs a source, and a source without a figure needs 'published: false'")
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


def _maybe_documented(node: Node, cited: Citations) -> Documented | None:
    found = node.maybe_child("documented")
    return found.read(partial(_documented, cited=cited)) if found else None


def _documented(node: Node, cited: Citations) -> Documented:
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


def _maybe_lockout(node: Node, cited: Citations) -> Lockout | None:
    found = node.maybe_child("lockout")
    return found.read(partial(_lockout, cited=cited)) if found else None


def _lockout(node: Node, cited: Citations) -> Lockout:
    attempts, minutes = node.whole("attempts"), node.whole("minutes")
    if not 1 <= attempts <= _MOST_ATTEMPTS:
        raise node.error("attempts", f"must be from 1 to {_MOST_ATTEMPTS}")
    if not 1 <= minutes <= LONGEST_LOCKOUT:
        raise node.error("minutes", f"must be from 1 to {LONGEST_LOCKOUT}")
    source, as_of = cited.dated(node)
    return Lockout(attempts=attempts, minutes=minutes, source=source, as_of=as_of)


_MOST_ATTEMPTS = 100


def _server_words(node: Node, cited: Citations) -> ServerWords:
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


def _retirement(node: Node, cited: Citations) -> Retirement:
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
        refuse_loose_paths(entry, provider)
    for entry, provider in zip(entries, providers, strict=True):
        if provider.successor is not None and provider.successor not in ids:
            raise entry.error("successor", f"there is no provider '{provider.successor}'")
        _refuse_unsaid_sharing(entry, provider, providers)


def refuse_loose_paths(entry: Node, provider: Provider) -> None:
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
        for ending in each.mx:
            if ending not in provider.mx:
                raise entry.error("endpoints", f"'{ending}' is not among the endings of the MX hosts")


def _refuse_unsaid_sharing(entry: Node, provider: Provider, providers: Sequence[Provider]) -> None:
    """Where an MX ending is shared, each of those who share it says with whom."""
    others = tuple(
        other.id for other in providers if other is not provider and not set(other.mx).isdisjoint(provider.mx)
    )
    if set(others) != set(provider.mx_shared):
        raise entry.error("mx", f"shares its MX hosts with [{', '.join(others)}]: 'shared_with' must say so")
