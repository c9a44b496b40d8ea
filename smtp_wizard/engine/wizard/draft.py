"""What is being entered: an immutable draft of an account."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field, replace
from datetime import datetime
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Self

from smtp_wizard.engine.base.address import Address, AddressText
from smtp_wizard.engine.base.connection import Auth, Connection
from smtp_wizard.engine.base.endpoint import Endpoint
from smtp_wizard.engine.base.identity import Identity, Scope
from smtp_wizard.engine.base.records import INLINE, UNSAVED, YOUNGER, Whole
from smtp_wizard.engine.base.secret import Secret
from smtp_wizard.engine.base.stages import Depth, Verdict
from smtp_wizard.engine.discovery.candidate import Candidate, FoundBy, source_note
from smtp_wizard.engine.lazy_dataclass import dataclass
from smtp_wizard.engine.providers.applications import Application
from smtp_wizard.engine.providers.provider import AccessPath, CatalogEndpoint, PathAuth, Provider, ProviderKind
from smtp_wizard.engine.secrets.store_kinds import StoreKind

if TYPE_CHECKING:
    from smtp_wizard.engine.discovery.search import DiscoveryResult
    from smtp_wizard.engine.providers.catalog import Catalog


class Origin(StrEnum):
    """Where the provider in a draft comes from."""

    ADDRESS = "address"
    """The ending of the address is in the catalogue."""
    MX = "mx"
    """The domain's MX record named it."""
    CHOSEN = "chosen"
    """The person picked it."""
    FOUND = "found"
    """The domain, or somebody who knows it, names the server; no provider of the catalogue is known for it."""
    HAND = "hand"
    """The person enters the server."""


class ReportedArrival(StrEnum):
    """What became of the test message, as the person says."""

    UNASKED = "unasked"
    ARRIVED = "arrived"
    JUNK = "junk"
    """It arrived, in the junk folder."""
    NOT_YET = "not-yet"
    """The server took it; nobody has seen it."""
    SKIPPED = "skipped"


@dataclass(frozen=True, slots=True)
class Proof:
    """That a check passed, and for what: it holds only as long as these are still the draft's."""

    at: datetime
    depth: Depth
    verdict: Verdict
    endpoint: Endpoint
    username: str
    refused: bool = False
    """Whether the server will not take user name and password, or token, as they are."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """What was entered so far. Every field may be unset; the `with_` methods drop what no longer holds."""

    address: AddressText | None = None
    connection: Annotated[Connection[Endpoint | None], INLINE] = Connection(endpoint=None)  # frozen
    identity: Annotated[Identity, INLINE] = Identity()
    origin: Origin | None = None
    """Where the provider comes from."""
    origin_note: str = ""
    """One sentence: where the settings come from."""
    maybe: tuple[str, ...] = ()
    """Ids of the providers it could be, where the answer was not clear."""
    candidates: Annotated[tuple[Candidate, ...], UNSAVED] = ()
    """The servers that were found, best first."""
    found_notes: Annotated[tuple[str, ...], UNSAVED] = ()
    """What else was learnt while looking."""
    filtered_by: Annotated[str, UNSAVED] = ""
    """The service that receives the domain's mail and keeps none of it; '' where none is known to."""
    mx_hosts: Annotated[tuple[str, ...], YOUNGER] = ()
    """The hosts that receive the domain's mail, as far as they were looked up: some tell an account's region."""
    ways: Whole = 0
    """How many access paths the provider has; 0 where the server is entered by hand, and no way in is asked for."""
    application: Application | None = None
    """What the application that will send can do, as the person said; None where they were not asked yet."""
    application_name: Annotated[str, YOUNGER] = ""
    """Which one it is, where it is one that is known by its name."""
    confirmed_host: Annotated[str, YOUNGER] = ""
    """The server that the person typed, or said yes to; about another one see `confirmation`."""
    by_hand: bool = False
    """The person wants to see, and perhaps change, the server's settings."""
    secret: Annotated[Secret | None, UNSAVED] = field(default=None, repr=False)
    """In memory only: it is left out wherever a draft is written. For a sign-in in the browser: what came of it."""
    token_elsewhere: Annotated[bool, UNSAVED] = False
    """The access token is another program's, or nobody knows where one signs in for it: there is no step for that."""
    client_id: str = ""
    """The person's own registration, where the sign-in is in the browser."""
    client_secret: Annotated[Secret | None, UNSAVED] = field(default=None, repr=False)
    """As `secret`, in memory alone."""
    ticks: frozenset[str] = frozenset()
    """Steps of guides that the person has ticked: 'guide/3'."""
    proof: Annotated[Proof | None, UNSAVED] = None
    test_to: AddressText | None = None
    arrival: ReportedArrival = ReportedArrival.UNASKED
    test_word: Annotated[str, YOUNGER] = ""
    """The code word in the test message that was sent last."""
    name: str = ""
    scope: Scope = Scope.GENERAL
    store: StoreKind | None = None
    env_name: str = ""
    """The environment variable, where the store is one."""
    secret_command: Annotated[str, YOUNGER] = ""
    """The command that prints the secret, where the store is one; as `secrets.parse_command` writes it."""
    secret_file: Annotated[str, YOUNGER] = ""
    """The file that has the secret in it, where the store is one; as `secrets.parse_secret_file` writes it."""
    editing: str | None = None
    """The name that the saved account had which is being changed; saving replaces it."""
    editing_id: Annotated[str, YOUNGER] = ""
    """The id of that account, which another process may give another name meanwhile."""
    saved: Annotated[str | None, UNSAVED] = None
    """The name under which the account was saved."""
    typed: Mapping[str, str] = field(default_factory=dict)
    """What stands in a field and cannot be used yet, by the field's name: going back and forth keeps it."""

    def with_address(self, address: Address) -> Self:
        """Another domain means another server: what was found for the old one is dropped."""
        if address == self.address:
            return self
        connection = self.connection
        if self.address is not None and address.domain == self.address.domain:
            usual = connection.username == self.address.wire
            same = replace(connection, username=address.wire) if usual else connection
            return replace(self, address=address, connection=same, proof=None, saved=None)
        return replace(self.begun_again(), address=address)

    def begun_again(self) -> Self:
        """Return the draft without its address, and without what was found, typed or proved for it.

        How this computer is introduced, whose certificates are believed and what is shown at the sign-in are no matter
        of the address; nor is the application that will send.
        """
        before = self.connection
        kept = Connection(endpoint=None, auth=before.auth, ca_file=before.ca_file, ehlo_name=before.ehlo_name)
        return replace(
            self,
            address=None,
            connection=kept,
            origin=None,
            origin_note="",
            maybe=(),
            candidates=(),
            found_notes=(),
            filtered_by="",
            mx_hosts=(),
            ways=0,
            confirmed_host="",
            by_hand=False,
            secret=None,
            ticks=frozenset(),
            proof=None,
            arrival=ReportedArrival.UNASKED,
            name="",
            saved=None,
            typed={},
        )

    def with_provider(self, provider: Provider, origin: Origin, note: str = "") -> Self:
        """Take a provider's settings. The same provider again changes nothing but where it comes from.

        There is no server where nothing tells which region's is the account's: see `Provider.regions`.
        """
        if provider.id == self.connection.provider:
            return replace(self, origin=origin, origin_note=note)
        only = provider.paths[0] if len(provider.paths) == 1 else None
        connection = Connection(
            endpoint=provider.best(self.address, self.mx_hosts),
            username=provider.username_for(self.address) if self.address else "",
            provider=provider.id,
            ca_file=self.connection.ca_file,
            ehlo_name=self.connection.ehlo_name,
        )
        fresh = replace(
            self,
            connection=connection,
            origin=origin,
            origin_note=note,
            ways=len(provider.paths),
            by_hand=provider.kind is ProviderKind.CUSTOM,
            secret=None,
            proof=None,
            arrival=ReportedArrival.UNASKED,
        )
        return fresh.with_path(only) if only is not None and is_usable(only) else fresh

    def with_path(self, path: AccessPath) -> Self:
        """Choose a way of signing in. A password typed for another way is not carried over.

        Where no sign-in is wanted there is no user name either; it is filled in again when one is.
        """
        before = self.connection
        if path.id == before.path:
            return self
        needs = path.auth.needs
        filled_in = self.address is not None and not before.username and before.auth is Auth.NONE
        usual = self.address.wire if self.address is not None and filled_in else before.username
        username = "" if needs is Auth.NONE else usual
        connection = replace(before, path=path.id, auth=needs, username=username, sandbox=path.scenario)
        return replace(
            self,
            connection=connection,
            token_elsewhere=False,
            secret=None,
            proof=None,
            arrival=ReportedArrival.UNASKED,
            saved=None,
        )

    def with_endpoint(self, endpoint: Endpoint) -> Self:
        """Set the server. A yes to an unencrypted password holds for the endpoint it was given for."""
        if endpoint == self.connection.endpoint:
            return self
        connection = replace(self.connection, endpoint=endpoint, allow_cleartext=False)
        return replace(self, connection=connection, proof=None, arrival=ReportedArrival.UNASKED, saved=None)

    def with_typed_endpoint(self, endpoint: Endpoint) -> Self:
        """As `with_endpoint`, for what stands in the person's fields: a host that they put there is confirmed."""
        before = self.connection.endpoint
        same = before is not None and endpoint.host == before.host
        changed = self.with_endpoint(endpoint)
        return changed if same else changed.confirmed()

    def confirmed(self) -> Self:
        """Note that the person typed the server that stands here, or said yes to it."""
        endpoint = self.connection.endpoint
        return replace(self, confirmed_host=endpoint.host if endpoint is not None else "")

    def with_sign_in(self, username: str, secret: Secret | None) -> Self:
        """Set user name and secret."""
        if username == self.connection.username and secret == self.secret:
            return self
        connection = replace(self.connection, username=username)
        arrival = self.arrival if username == self.connection.username else ReportedArrival.UNASKED
        return replace(self, connection=connection, secret=secret, proof=None, arrival=arrival, saved=None)

    def with_typed(self, name: str, text: str | None) -> Self:
        """Keep what stands in a field as it is, or forget it (None) because it could be used."""
        others = {key: value for key, value in self.typed.items() if key != name}
        return replace(self, typed=others if text is None else {**others, name: text})

    @property
    def where(self) -> str:
        """The way to the secret, where the store only keeps that; '' where it keeps the secret, or none was named."""
        ways = {
            StoreKind.ENV: self.env_name,
            StoreKind.COMMAND: self.secret_command,
            StoreKind.FILE: self.secret_file,
        }
        return ways.get(self.store, "") if self.store is not None else ""

    def with_store(self, kind: StoreKind | None, where: str = "") -> Self:
        """Say where the secret is kept and, for a reference, the way there; other ways are forgotten."""
        return replace(
            self,
            store=kind,
            env_name=where if kind is StoreKind.ENV else "",
            secret_command=where if kind is StoreKind.COMMAND else "",
            secret_file=where if kind is StoreKind.FILE else "",
        )

    @property
    def unsaved(self) -> bool:
        """Whether something was entered that no account was saved of."""
        return self.address is not None and self.saved is None

    @property
    def signed_in(self) -> bool:
        """Whether a check has passed, as deep as the sign-in, for what stands here now."""
        proof = self.proof
        return (
            proof is not None
            and proof.verdict in (Verdict.PASS, Verdict.WARN)
            and (proof.depth is not Depth.SERVER or self.connection.auth is Auth.NONE)
            and proof.endpoint == self.connection.endpoint
            and proof.username == self.connection.username
        )

    @property
    def refused(self) -> bool:
        """Whether the server has refused user name and password, or token, as they stand here now."""
        proof = self.proof
        now = (self.connection.endpoint, self.connection.username)
        return proof is not None and proof.refused and (proof.endpoint, proof.username) == now

    @property
    def from_address(self) -> Address | None:
        """The address that will stand in From."""
        return self.identity.sender or self.address


def with_found(draft: Draft, found: DiscoveryResult, catalog: Catalog) -> Draft:
    """Return the draft with what was found about the address: its provider, or a server that somebody names."""
    learnt = replace(
        draft,
        maybe=(),
        candidates=found.candidates,
        found_notes=found.notes,
        filtered_by=found.filtered_by,
        mx_hosts=found.mx_hosts,
    )
    if found.provider is not None:
        origin = {FoundBy.CATALOG: Origin.ADDRESS, FoundBy.MX: Origin.MX}.get(found.source, Origin.FOUND)
        return learnt.with_provider(found.provider, origin, found.note)
    if found.candidates and not found.alternatives:
        return with_candidate(learnt, catalog, found.candidates[0])
    return replace(learnt, origin_note=found.note, maybe=tuple(each.id for each in found.alternatives))


def with_candidate(draft: Draft, catalog: Catalog, candidate: Candidate) -> Draft:
    """Return the draft with a server that was found, of a provider that is not in the catalogue."""
    chosen = draft.with_provider(_custom(catalog), Origin.FOUND, source_note(candidate))
    filled = chosen.with_endpoint(candidate.endpoint).with_sign_in(candidate.username, chosen.secret)
    return replace(filled, by_hand=False)


def with_tidy_secret(draft: Draft, catalog: Catalog) -> Draft:
    """Return the draft with a secret of the provider's own making tidied; see `AccessPath.tidied`."""
    if draft.secret is None:
        return draft
    return draft.with_sign_in(draft.connection.username, catalog.tidied(draft.connection, draft.secret))


def _custom(catalog: Catalog) -> Provider:
    return next(each for each in catalog.providers if each.kind is ProviderKind.CUSTOM)


def as_catalogued(draft: Draft, catalog: Catalog) -> Draft:
    """Return a draft that was left, or made of an account, fitted to what the catalogue has now.

    Its provider, or where one signs in in the browser, may have gone, with the person's own file for example. A token
    that is at hand is gone on with; without one a password is asked for.
    """
    connection = draft.connection
    provider = catalog.get(connection.provider) if connection.provider else None
    if connection.provider and provider is None:
        draft = replace(draft, ways=0, by_hand=True)
    path = provider.path(connection.path) if provider is not None and connection.path else None
    if connection.auth is not Auth.XOAUTH2 or (path is not None and path.oauth is not None):
        return draft
    if draft.secret is not None:
        return replace(draft, token_elsewhere=True)
    way = connection.path if provider is None else None
    return replace(draft, connection=replace(connection, auth=Auth.PASSWORD, path=way))


def with_choice(draft: Draft, catalog: Catalog, provider: Provider | None) -> Draft:
    """Return the draft with the provider that the person picked; None means: the server by hand."""
    if provider is None:
        return replace(draft.with_provider(_custom(catalog), Origin.HAND), by_hand=True)
    chosen = draft.with_provider(provider, Origin.CHOSEN, "your choice")
    return replace(chosen, by_hand=chosen.by_hand or chosen.connection.endpoint is None)


def regions_left(draft: Draft, catalog: Catalog) -> tuple[CatalogEndpoint, ...]:
    """Return the servers of a draft's provider of which the person must name one, a region each; empty for none.

    None is left where a server is there, and where it is being entered by hand.
    """
    provider = catalog.get(draft.connection.provider)
    if provider is None or draft.connection.endpoint is not None:
        return ()
    return provider.regions(draft.address, draft.mx_hosts)


def is_usable(path: AccessPath) -> bool:
    """Whether this program can walk a path: a closed one leads on, and so does one where nobody gets a client id."""
    return not path.closed and (path.auth is not PathAuth.OAUTH2 or signs_in_elsewhere(path))


def signs_in_elsewhere(path: AccessPath) -> bool:
    """Whether a path's sign-in is in the browser, and open to a client of the person's own."""
    return path.oauth is not None and not path.oauth.closed
