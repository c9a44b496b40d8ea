"""Reads `data/providers.yaml`: strictly, and as a whole, so that nothing in it contradicts anything else."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import fields
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

from smtp_wizard.engine.base.confidence import Confidence
from smtp_wizard.engine.base.connection import Auth
from smtp_wizard.engine.base.data_files import data_path
from smtp_wizard.engine.base.endpoint import Endpoint, HostError, Security, parse_host
from smtp_wizard.engine.base.shown import shown
from smtp_wizard.engine.base.strict_yaml import UNDATED, LazyTable, Node, YamlDocument
from smtp_wizard.engine.lazy_dataclass import dataclass
from smtp_wizard.engine.providers.applications import KnownApplication, read_application
from smtp_wizard.engine.providers.limits import MEGABYTE, AccountKind, Counted, Per, SendLimit, SizeOf
from smtp_wizard.engine.providers.oauth_file import OAuthServers, read_server, read_servers, server_of
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
    ServerWords,
    Source,
    SourceAccess,
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
    applications: tuple[KnownApplication, ...]
    """The applications that are known to send mail."""
    suggested: SuggestedProviders


@dataclass(frozen=True, slots=True, kw_only=True)
class SuggestedProviders:
    """Ids of the providers that are suggested first to people who cannot send through their mailbox."""

    mailboxes: tuple[str, ...] = ()
    services: tuple[str, ...] = ()


def read_provider_file(path: Path | None = None) -> ProviderFile:
    """Read a file of providers and check it as a whole.

    Without a path the product's own. Its compiled form was checked when it was made, so of that only what is asked for
    is read. Raises `DataError` with file, line, column, provider and key for whatever is not as it must be.
    """
    document = YamlDocument(data_path("providers.yaml") if path is None else path)
    return document.root.read(_piecemeal if path is None and document.content.compiled else _file)


def _file(node: Node) -> ProviderFile:
    if node.whole("version") != 1:
        raise node.error("version", "only version 1 of this file is known")
    sources = node.child("sources").read(read_sources)
    scenarios = node.child("scenarios").read(_scenarios)
    table = node.maybe_child("oauth_servers")
    servers = table.read(partial(read_servers, cited=Citations(sources))) if table else {}
    offered, never = _typing_mistakes(node)
    entries = node.children("providers")
    known = FileTables(sources, scenarios, servers)
    applications = _applications(node, Citations(sources))
    providers = tuple(entry.read(partial(_provider, known=known)) for entry in entries)
    _refuse_contradictions(entries, providers)
    suggested = _suggested(node)
    _refuse_useless_suggestions(node, suggested, providers)
    return ProviderFile(
        providers=providers,
        offer_back=offered,
        never_a_mistake=never,
        sources=sources,
        scenarios=scenarios,
        oauth=servers,
        applications=applications,
        suggested=suggested,
    )


def _suggested(node: Node) -> SuggestedProviders:
    found = node.maybe_child("suggested")
    if found is None:
        return SuggestedProviders()
    return found.read(
        lambda each: SuggestedProviders(mailboxes=each.texts("mailboxes"), services=each.texts("services"))
    )


def _refuse_useless_suggestions(node: Node, suggested: SuggestedProviders, providers: Sequence[Provider]) -> None:
    """What is suggested is there, and of its kind: a mailbox is none to whom the next one is suggested."""
    kinds = {each.id: each.kind for each in providers}
    for ids, kind in ((suggested.mailboxes, ProviderKind.MAILBOX), (suggested.services, ProviderKind.RELAY)):
        for each in ids:
            if kinds.get(each) is not kind:
                raise node.error("suggested", f"'{each}' is no provider of the kind '{kind}'")


def _applications(node: Node, cited: Citations) -> tuple[KnownApplication, ...]:
    """The table of applications; each names a source."""
    found = tuple(each.read(read_application) for each in node.children("applications"))
    for each in found:
        cited.one(node, "applications", each.source)
    return found


def _typing_mistakes(node: Node) -> tuple[tuple[str, ...], tuple[str, ...]]:
    typos = node.child("typing_mistakes")
    return typos.read(lambda each: (_domains(each, "offer_back"), _domains(each, "never_a_mistake")))


def _piecemeal(node: Node) -> ProviderFile:
    """As `_file`, of what has been checked: each source, server and field of a provider is read when it is used."""
    node.whole("version")
    sources = LazyTable(node.child("sources").table(), lambda entry, key: entry.read(partial(_source, source_id=key)))
    scenarios = _scenarios(node.child("scenarios"))
    servers: OAuthServers = {}
    if table := node.maybe_child("oauth_servers"):
        cited = Citations(sources)
        servers = LazyTable(table.table(), lambda entry, _: entry.read(partial(read_server, cited=cited)))
    offered, never = _typing_mistakes(node)
    known = FileTables(sources, scenarios, servers)
    return ProviderFile(
        providers=tuple(CompiledProvider(entry, known) for entry in node.children("providers")),
        offer_back=offered,
        never_a_mistake=never,
        sources=sources,
        scenarios=scenarios,
        oauth=servers,
        applications=_applications(node, Citations(sources)),
        suggested=_suggested(node),
    )


def read_sources(node: Node) -> dict[str, Source]:
    return {key: node.child(key).read(partial(_source, source_id=key)) for key in node.keys()}  # noqa: SIM118  a method


def _source(node: Node, source_id: str) -> Source:
    return Source(
        id=source_id,
        title=node.text("title"),
        kind=node.choice("kind", SourceKind),
        date=node.date("date"),
        seen=node.choice("seen", SourceAccess),
        url=_url(node),
        says=node.texts("says"),
        listing=node.flag("list", default=False),
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
class FileTables:
    """The tables at the head of the file, which the entries refer to."""

    sources: Mapping[str, Source]
    scenarios: Scenarios
    servers: OAuthServers


def _provider(node: Node, known: FileTables) -> Provider:
    found = read_provider(node, Citations(known.sources), known)
    _refuse_unsaid_differences(node, found)
    refuse_unknown_accounts(node, found)
    _refuse_unanswered(node, found)
    return found


def read_provider(node: Node, cited: Citations, known: FileTables, base: Provider | None = None) -> Provider:
    """Read one entry. Raises `DataError`.

    What the entry leaves out is as in `base`; without one, as it is where nothing is known, and what must be known
    must be there.
    """
    said: dict[str, Any] = {}
    for key, part in _PARTS.items():
        left_out = base is not None and not node.has(key)
        values = (getattr(base, name) for name in part.fields) if left_out else part.read(node, cited, known)
        said.update(zip(part.fields, values, strict=True))
    found = Provider(**said, sources=tuple(cited.used.values()))
    barred = bool(found.paths) and all(path.status is PathStatus.NEVER for path in found.paths)
    if barred != (found.kind is ProviderKind.NO_SMTP):
        raise node.error("kind", "'no-smtp' means that every path is 'never', and no other kind may have only such")
    return found


@dataclass(frozen=True, slots=True)
class _Part:
    """What stands at one key of an entry."""

    fields: tuple[str, ...]
    """The fields of `Provider` that it tells."""
    read: Callable[[Node, Citations, FileTables], Iterable[Any]]
    """Returns their values."""


def _cite_all(node: Node, cited: Citations, _: FileTables) -> tuple[()]:
    cited.several(node)
    return ()


def _one(name: str, read: Callable[[Node], Any]) -> _Part:
    return _Part((name,), lambda node, cited, known: (read(node),))


def _each(name: str, read: Callable[[Node, Citations, FileTables], Any]) -> _Part:
    return _Part(
        (name,),
        lambda node, cited, known: (
            tuple(child.read(lambda each: read(each, cited, known)) for child in node.children(name)),
        ),
    )


def _text(name: str) -> _Part:
    return _one(name, lambda node: node.text_or(name))


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
        region=node.text_or("region"),
        of_domain=of_domain,
        guess=guess,
        offered=offered,
        source=source,
        as_of=as_of,
        confidence=confidence,
    )


_YOUR_DOMAIN = "yourdomain.example"
"""What stands in the file for the reader's own domain (RFC 2606)."""


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
    """An entry that differs from ISPDB says why."""
    for entry in provider.ispdb:
        differences = provider.apart_from(entry)
        if differences and not entry.note:
            raise node.error("ispdb", f"{entry.domain} needs a 'note' that says why: {differences[0]}")
        if entry.note and not differences:
            raise node.error("ispdb", f"{entry.domain} has a 'note', but nothing differs")


def refuse_unknown_accounts(node: Node, provider: Provider) -> None:
    """Each limit is for kinds of account that the entry lists."""
    known = [each.id for each in provider.accounts]
    if len(set(known)) < len(known):
        raise node.error("accounts", "two kinds of account have one id")
    for each in provider.limits:
        for account in each.accounts:
            if account not in known:
                raise node.error("limits", f"'{account}' is not among the accounts")


def _refuse_unanswered(node: Node, provider: Provider) -> None:
    """A provider with a question has an answer for each way in that takes a password, and for no other way."""
    for path in provider.paths:
        answers = bool(provider.question) and not path.closed and path.auth is not PathAuth.OAUTH2
        if answers != bool(path.answer):
            raise node.error("question", f"'{path.id}' {'needs an' if answers else 'has no use for an'} answer to it")


def _path(node: Node, cited: Citations, known: FileTables) -> AccessPath:
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
        answer=node.text_or("answer"),
        answer_note=node.text_or("answer_note"),
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


def _account_kind(node: Node) -> AccountKind:
    return AccountKind(id=_identifier(node), name=node.text("name"), barred=node.text_or("barred"))


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
    size_of = node.choice("size_of", SizeOf) if node.has("size_of") else None
    if size_of is not None and not in_megabytes:
        raise node.error("size_of", "only a size has it")
    return SendLimit(
        what=Counted.BYTES if in_megabytes else node.choice("what", Counted),
        per=node.choice("per", Per),
        value=value * MEGABYTE if in_megabytes and value is not None else value,
        applies_to=node.text_or("applies_to"),
        accounts=node.texts("accounts"),
        size_of=size_of,
        ceiling=node.flag("ceiling", default=False),
        each_mailbox=node.flag("each_mailbox", default=False),
        historical=node.flag("historical", default=False),
        worked_out=node.text_or("worked_out"),
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
        of_limits=node.flag("of_limits", default=False),
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
        refuse_dangling_paths(entry, provider)
    for entry, provider in zip(entries, providers, strict=True):
        if provider.successor is not None and provider.successor not in ids:
            raise entry.error("successor", f"there is no provider '{provider.successor}'")
        _refuse_unsaid_sharing(entry, provider, providers)


def refuse_dangling_paths(entry: Node, provider: Provider) -> None:
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


_PARTS: Mapping[str, _Part] = {
    # What cites a source comes in the order in which the sources are listed.
    "username": _Part(
        ("username_form", "username_literal", "username_note"),
        lambda node, cited, known: node.child("username").read(partial(_username, cited=cited)),
    ),
    "mx": _Part(("mx", "mx_shared"), lambda node, cited, known: _mx(node, cited)),
    "sources": _Part((), _cite_all),
    "mx_hints": _one("mx_hints", lambda node: _domains(node, "mx_hints")),
    "id": _one("id", _identifier),
    "name": _one("name", lambda node: shown(node.text("name"))),
    "kind": _one("kind", lambda node: node.choice("kind", ProviderKind)),
    "status": _one("status", lambda node: node.choice("status", ProviderStatus)),
    "other_names": _one("other_names", lambda node: node.texts("other_names")),
    "domains": _one("domains", lambda node: _domains(node, "domains")),
    "endpoints": _each("endpoints", lambda node, cited, known: _endpoint(node, cited)),
    "question": _text("question"),
    "paths": _each("paths", _path),
    "accounts": _each("accounts", lambda node, cited, known: _account_kind(node)),
    "no_mailings": _text("no_mailings"),
    "limits": _each("limits", lambda node, cited, known: _limit(node, cited)),
    "limits_note": _text("limits_note"),
    "documented": _Part(("documented",), lambda node, cited, known: (_maybe_documented(node, cited),)),
    "note": _text("note"),
    "successor": _one("successor", lambda node: node.maybe_text("successor")),
    "ispdb": _each("ispdb", lambda node, cited, known: _ispdb_entry(node)),
    "errors": _each("errors", lambda node, cited, known: _server_words(node, cited)),
    "lockout": _Part(("lockout",), lambda node, cited, known: (_maybe_lockout(node, cited),)),
    "retirements": _each("retirements", lambda node, cited, known: _retirement(node, cited)),
    "checked": _one("checked", lambda node: node.date("checked")),
}
"""How each key of an entry is read."""

_PART_OF = {name: part for part in _PARTS.values() for name in part.fields}


class CompiledProvider(Provider):
    """A provider of a file that was checked as a whole: each of its fields is read when it is first used.

    Most programs that start look at a few fields of all providers, or at all of a few.
    """

    __slots__ = ("_entry", "_known")
    _entry: Node
    _known: FileTables

    def __new__(cls, *_: Any, **said: Any) -> Any:
        """Return one to be read, or, where all fields are given (`dataclasses.replace`), an ordinary provider."""
        return Provider(**said) if said else object.__new__(cls)

    def __init__(self, entry: Node, known: FileTables) -> None:
        object.__setattr__(self, "_entry", entry)
        object.__setattr__(self, "_known", known)

    def __getattr__(self, name: str) -> Any:
        """Read a field that has no value yet, and what stands at the same key."""
        if name == "sources":
            self._keep(name, read_provider(self._entry, Citations(self._known.sources), self._known).sources)
        elif name in _PART_OF:
            part = _PART_OF[name]
            for field, value in zip(
                part.fields, part.read(self._entry, Citations(self._known.sources), self._known), strict=True
            ):
                self._keep(field, value)
        return object.__getattribute__(self, name)

    def _keep(self, name: str, value: object) -> None:
        object.__setattr__(self, name, value)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Provider):
            return NotImplemented
        return all(getattr(self, each.name) == getattr(other, each.name) for each in fields(Provider))

    __hash__ = Provider.__hash__

    def source(self, source_id: str) -> Source | None:
        """As `Provider.source`; every source of the file is known."""
        return self._known.sources.get(source_id)

    @property
    def hosts(self) -> tuple[str, ...]:
        """As `Provider.hosts`, without reading more of the servers."""
        return tuple(each.text("host") for each in self._entry.children("endpoints"))
