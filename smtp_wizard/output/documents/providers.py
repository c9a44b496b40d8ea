"""The catalogue as JSON: `providers` and the commands below it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, ClassVar

from smtp_wizard.engine.base.endpoint import Endpoint, Port
from smtp_wizard.engine.base.records import INLINE
from smtp_wizard.engine.base.stages import Verdict
from smtp_wizard.engine.providers.limits import AccountKind, SendLimit
from smtp_wizard.engine.providers.own_providers import Override
from smtp_wizard.engine.providers.provider import (
    AccessPath,
    CatalogEndpoint,
    Documented,
    IspdbEntry,
    Lockout,
    Provider,
    ProviderKind,
    ProviderStatus,
    Retirement,
    ServerWords,
    Source,
    UsernameForm,
)
from smtp_wizard.engine.providers.retirements import EntryReview, look_again
from smtp_wizard.output.documents.document import Amount, JsonDocument


@dataclass(frozen=True, slots=True)
class BriefJson:
    """A provider in one line."""

    id: str
    name: str
    kind: ProviderKind
    status: ProviderStatus
    checked: str

    @classmethod
    def of(cls, provider: Provider) -> BriefJson:
        """Return a provider as a list has it."""
        return cls(provider.id, provider.name, provider.kind, provider.status, provider.checked)


@dataclass(frozen=True, slots=True)
class Providers(JsonDocument):
    """`providers`."""

    NAME: ClassVar = "providers"
    providers: tuple[BriefJson, ...]


@dataclass(frozen=True, slots=True)
class UsernameJson:
    """What a provider wants as a user name."""

    form: UsernameForm
    literal: str | None
    note: str


@dataclass(frozen=True, slots=True)
class LimitJson:
    """One limit, also as a phrase."""

    limit: Annotated[SendLimit, INLINE]
    words: str

    @classmethod
    def of(cls, limit: SendLimit) -> LimitJson:
        """Return a limit as it is printed."""
        return cls(limit, limit.words())


@dataclass(frozen=True, slots=True)
class DocumentedJson:
    """What the old help article says."""

    names: tuple[str, ...]
    smtp_lines: tuple[str, ...]
    host: str
    ports: tuple[Port, ...]
    false_today: tuple[str, ...]
    still_true: tuple[str, ...]
    limits_label: str
    limit_lines: tuple[str, ...]
    limits: tuple[LimitJson, ...]
    limits_today: str

    @classmethod
    def of(cls, documented: Documented) -> DocumentedJson:
        """Return what the article says as it is printed."""
        return cls(
            names=documented.names,
            smtp_lines=documented.smtp_lines,
            host=documented.host,
            ports=documented.ports,
            false_today=documented.false_today,
            still_true=documented.still_true,
            limits_label=documented.limits_label,
            limit_lines=documented.limit_lines,
            limits=tuple(map(LimitJson.of, documented.limits)),
            limits_today=documented.limits_today,
        )


@dataclass(frozen=True, slots=True)
class IspdbJson:
    """What Thunderbird's database has, and whether the catalogue agrees."""

    domain: str
    changed: str
    endpoints: tuple[Endpoint, ...]
    username: UsernameForm
    agrees: bool
    note: str

    @classmethod
    def of(cls, provider: Provider, entry: IspdbEntry) -> IspdbJson:
        """Return an entry of a provider as it is printed."""
        agrees = not provider.apart_from(entry)
        return cls(entry.domain, entry.changed, entry.endpoints, entry.username_form, agrees, entry.note)


@dataclass(frozen=True, slots=True)
class ProviderShown(JsonDocument):
    """`providers show`: the whole entry."""

    NAME: ClassVar = "providers-show"
    brief: Annotated[BriefJson, INLINE]
    other_names: tuple[str, ...]
    domains: tuple[str, ...]
    mx: tuple[str, ...]
    mx_shared: tuple[str, ...]
    endpoints: tuple[CatalogEndpoint, ...]
    username: UsernameJson
    paths: tuple[AccessPath, ...]
    accounts: tuple[AccountKind, ...]
    """The kinds of account that have limits of their own."""
    limits: tuple[LimitJson, ...]
    limits_note: str
    no_mailings: str
    documented: DocumentedJson | None
    note: str
    successor: str | None
    ispdb: tuple[IspdbJson, ...]
    errors: tuple[ServerWords, ...]
    lockout: Lockout | None
    retirements: tuple[Retirement, ...]
    sources: tuple[Source, ...]
    look_again: tuple[EntryReview, ...]
    """What would change it, and when it is to be looked at for that."""
    overrides: tuple[Override, ...]

    @classmethod
    def of(cls, provider: Provider, overrides: Sequence[Override]) -> ProviderShown:
        """Return a provider with what the person's own file decides about it."""
        return cls(
            brief=BriefJson.of(provider),
            other_names=provider.other_names,
            domains=provider.domains,
            mx=provider.mx,
            mx_shared=provider.mx_shared,
            endpoints=provider.endpoints,
            username=UsernameJson(provider.username_form, provider.username_literal or None, provider.username_note),
            paths=provider.paths,
            accounts=provider.accounts,
            limits=tuple(map(LimitJson.of, provider.limits)),
            limits_note=provider.limits_note,
            no_mailings=provider.no_mailings,
            documented=DocumentedJson.of(provider.documented) if provider.documented else None,
            note=provider.note,
            successor=provider.successor,
            ispdb=tuple(IspdbJson.of(provider, entry) for entry in provider.ispdb),
            errors=provider.errors,
            lockout=provider.lockout,
            retirements=provider.retirements,
            sources=provider.sources,
            look_again=look_again(provider),
            overrides=tuple(overrides),
        )


@dataclass(frozen=True, slots=True)
class VerifiedJson:
    """How one server of the catalogue answered."""

    endpoint: Annotated[Endpoint, INLINE]
    providers: tuple[str, ...]
    fits: bool
    misfits: tuple[str, ...]
    verdict: Verdict
    ms: Amount


@dataclass(frozen=True, slots=True)
class ProvidersVerified(JsonDocument):
    """`providers verify`."""

    NAME: ClassVar = "providers-verify"
    servers: tuple[VerifiedJson, ...]


@dataclass(frozen=True, slots=True)
class ProviderAdded(JsonDocument):
    """`provider new`: what was written, and where."""

    NAME: ClassVar = "provider-new"
    id: str
    file: str
    endpoints: tuple[Endpoint, ...]
    """The servers that answered, best first."""
    entry: str
    """As it stands in the file."""
    tests: tuple[str, ...]
    """The calls that prove it; with --into the rows for the project's tests, too."""
