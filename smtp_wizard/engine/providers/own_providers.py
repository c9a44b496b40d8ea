"""A person's own `providers.yaml`, in their config folder: what it says wins over what the program ships.

Its entries have the keys of `data/providers.yaml`, and almost all may be left out. An entry with the id of a provider
that is shipped changes that provider in what it says; another one is a provider of its own, for which name and servers
are enough. Nobody has to name sources:

    providers:
      - id: our-firm
        name: Our firm
        domains: [firm.example]
        endpoints:
          - {host: mail.firm.example, port: 465, security: tls}
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from smtp_wizard.engine.base.confidence import Confidence
from smtp_wizard.engine.base.data_files import DataError
from smtp_wizard.engine.base.file_ownership import UnsafeFile
from smtp_wizard.engine.base.private_files import read_private
from smtp_wizard.engine.base.shown import NO_WORDS, phrase, shown
from smtp_wizard.engine.base.strict_yaml import UNDATED, Node, YamlDocument
from smtp_wizard.engine.providers.oauth_file import read_servers
from smtp_wizard.engine.providers.provider import (
    AccessPath,
    IspdbEntry,
    PathAuth,
    PathStatus,
    Provider,
    ProviderKind,
    ProviderStatus,
    Source,
    SourceAccess,
    SourceKind,
    UsernameForm,
)
from smtp_wizard.engine.providers.provider_file import (
    Citations,
    FileTables,
    ProviderFile,
    Scenarios,
    read_provider,
    read_sources,
    refuse_dangling_paths,
    refuse_unknown_accounts,
)

LARGEST = 1024 * 1024
"""Bytes of it at most."""

_SOURCE = Source(
    id="own-file", title="Your own providers.yaml", kind=SourceKind.OWN, date=UNDATED, seen=SourceAccess.DIRECT, url=""
)
_DIFFERS = "Your own providers.yaml says otherwise."
_TYPED = "Password"


@dataclass(frozen=True, slots=True)
class Override:
    """That the person's own file decides where a password goes, and what would hold without it."""

    provider: str
    """The id of the provider that is used now."""
    field: str
    """'server'; or 'domain' or 'mx', with the name of it behind a blank."""
    old: str
    """The servers that are shipped, or the provider's id."""
    new: str

    @property
    def words(self) -> str:
        """One sentence for a person, before a password goes there."""
        return f"Your own providers.yaml sets the {self.field} of '{self.provider}': {self.new} instead of {self.old}."


def read_own_file(path: Path, shipped: ProviderFile) -> tuple[Provider, ...]:
    """Return the providers that the file adds or changes, each whole, in its order.

    Raises `DataError` with line and column for whatever is not as it must be.
    """

    def read(node: Node) -> tuple[Provider, ...]:
        if node.has("version") and node.whole("version") != 1:
            raise node.error("version", "only version 1 of this file is known")
        table = node.maybe_child("sources")
        sources = {**shipped.sources, _SOURCE.id: _SOURCE, **(table.read(read_sources) if table else {})}
        servers = node.maybe_child("oauth_servers")
        own = servers.read(lambda each: read_servers(each, _Uncited(sources))) if servers else {}
        known = FileTables(sources, shipped.scenarios, {**shipped.oauth, **own})
        bases = {provider.id: provider for provider in shipped.providers}
        entries = node.children("providers")
        found = tuple(_entry(entry, bases, known) for entry in entries)
        _refuse_contradictions(entries, found, bases)
        return found

    return YamlDocument(path, source=_content(path)).root.read(read)


def _content(path: Path) -> bytes:
    """Return what stands in the file. Raises `DataError` where it cannot be read, or others may change it."""
    try:
        return read_private(path, LARGEST)
    except UnsafeFile as problem:
        raise DataError(problem.words) from None
    except OSError as problem:
        raise DataError(
            phrase("{}: cannot be read: {}", shown(path.name), shown(problem.strerror or "unknown reason"))
        ) from None


def merge_providers(shipped: Sequence[Provider], own: Sequence[Provider]) -> tuple[Provider, ...]:
    """Return all providers: the person's additions first, what they changed in its place.

    A domain belongs to the person's provider alone, and so does an ending of MX hosts, but for whom it is shared with.
    """
    changed = {provider.id: provider for provider in own}
    known = {provider.id for provider in shipped}
    domains = {domain for provider in own for domain in provider.domains}

    def without(provider: Provider) -> Provider:
        endings = {ending for each in own if provider.id not in each.mx_shared for ending in each.mx}
        if domains.isdisjoint(provider.domains) and endings.isdisjoint(provider.mx):
            return provider  # as it is, read no further than this
        return replace(
            provider,
            domains=tuple(domain for domain in provider.domains if domain not in domains),
            mx=tuple(ending for ending in provider.mx if ending not in endings),
        )

    added = tuple(provider for provider in own if provider.id not in known)
    return (*added, *(changed.get(provider.id) or without(provider) for provider in shipped))


class _Uncited(Citations):
    """Citations that may be left out: then the person's own file is the source."""

    def several(self, node: Node) -> tuple[str, ...]:
        return super().several(node) or (self.one(node, "sources", _SOURCE.id),)

    def dated(self, node: Node) -> tuple[str, str]:
        if node.has("source"):
            return super().dated(node)
        return self.one(node, "source", _SOURCE.id), node.maybe_date("as_of") or UNDATED

    def fact(self, node: Node) -> tuple[str, str, Confidence]:
        if node.has("source") or node.has("confidence"):
            return super().fact(node)
        as_of = node.maybe_date("as_of") or UNDATED
        return self.one(node, "source", _SOURCE.id), as_of, Confidence.OWN


def _entry(node: Node, bases: Mapping[str, Provider], known: FileTables) -> Provider:
    base = bases.get(node.text("id"))
    if base is None:
        for key in ("name", "endpoints"):
            if not node.has(key):
                raise node.error(None, f"the key '{key}' is missing")
    start = base or _blank(known.scenarios)
    found = node.read(lambda each: read_provider(each, _Uncited(known.sources, start.sources), known, start))
    if found.kind in (ProviderKind.CUSTOM, ProviderKind.SANDBOX):
        raise node.error("id" if base else "kind", f"'{found.kind}' is a part of the program and stays as it is")
    if node.has("ispdb") or not node.has("endpoints"):
        return found
    notes = (_DIFFERS if found.apart_from(entry) else "" for entry in found.ispdb)
    return replace(found, ispdb=tuple(map(_noted, found.ispdb, notes)))


def _noted(entry: IspdbEntry, note: str) -> IspdbEntry:
    return replace(entry, note=note)


def _blank(usual: Scenarios) -> Provider:
    """What holds for a provider of the person's own, as long as they say nothing else."""
    path = AccessPath(
        id="password",
        title="User name and password",
        summary="You type the user name and the password that you were given.",
        status=PathStatus.WORKS,
        auth=PathAuth.PASSWORD,
        guide="basic",
        secret_label=_TYPED,
        sources=(_SOURCE.id,),
        scenarios=usual[PathAuth.PASSWORD],
    )
    return Provider(
        id="",
        name=NO_WORDS,
        kind=ProviderKind.MAILBOX,
        status=ProviderStatus.ACTIVE,
        username_form=UsernameForm.FULL_ADDRESS,
        paths=(path,),
        sources=(_SOURCE,),
        checked=UNDATED,
    )


def _refuse_contradictions(entries: Sequence[Node], own: Sequence[Provider], bases: Mapping[str, Provider]) -> None:
    """What no entry can know by itself: names given twice, references that lead nowhere."""
    ids: set[str] = set()
    owners: dict[str, str] = {}
    for entry, provider in zip(entries, own, strict=True):
        if provider.id in ids:
            raise entry.error("id", f"there are two providers with the id '{provider.id}'")
        ids.add(provider.id)
        for domain in provider.domains:
            if domain in owners:
                raise entry.error("domains", f"'{domain}' belongs to '{owners[domain]}' already")
            owners[domain] = provider.id
        if provider.successor is not None and provider.successor not in {*bases, *(each.id for each in own)}:
            raise entry.error("successor", f"there is no provider '{provider.successor}'")
        refuse_dangling_paths(entry, provider)
        refuse_unknown_accounts(entry, provider)
