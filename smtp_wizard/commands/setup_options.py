"""What `setup` was told by its options, and the wizard's answers that come of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import click

from smtp_wizard.commands.invocation import Invocation
from smtp_wizard.commands.options.accept_found import Search
from smtp_wizard.commands.options.answers import reference_missing, store_named
from smtp_wizard.commands.options.browser import BrowserSource
from smtp_wizard.commands.options.connection import ConnectionOptions, changed_endpoint
from smtp_wizard.commands.options.passwords import PasswordSource
from smtp_wizard.commands.options.sign_in import given_password, secret_at
from smtp_wizard.commands.providers import provider_called
from smtp_wizard.engine.base.address import Address
from smtp_wizard.engine.base.connection import Auth, Connection
from smtp_wizard.engine.base.endpoint import Endpoint, Security
from smtp_wizard.engine.base.identity import Identity, Scope
from smtp_wizard.engine.base.secret import Secret
from smtp_wizard.engine.base.shown import shown
from smtp_wizard.engine.base.stages import Depth
from smtp_wizard.engine.discovery.candidate import FoundBy
from smtp_wizard.engine.discovery.server_identity import belongs_to
from smtp_wizard.engine.providers.catalog import Catalog
from smtp_wizard.engine.providers.provider import Provider, ProviderKind
from smtp_wizard.engine.secrets.command import parse_command
from smtp_wizard.engine.secrets.reference_stores import variable_for
from smtp_wizard.engine.secrets.store_kinds import StoreKind
from smtp_wizard.engine.wizard.draft import Draft, Origin
from smtp_wizard.engine.wizard.steps import alike_in_browser
from smtp_wizard.runtime.running import Stopwatch


@dataclass(frozen=True, slots=True, kw_only=True)
class SetupOptions:
    """What was said on the command line. None: not said."""

    email: Address | None
    provider: str | None
    path: str | None
    host: str | None
    port: int | None
    security: str | None
    username: str | None
    auth: str | None
    sender: Address | None
    sender_name: str | None
    depth: str | None
    send_test: Address | None
    scope: str | None
    company_email: bool | None
    company_name: str | None
    reply_to: Address | None
    store: str | None
    env_name: str | None
    secret_command: str | None
    secret_file: str | None
    save: str | None
    replacing: bool
    allow_cleartext: bool
    accept_found: bool
    follow: bool
    password: PasswordSource
    browser: BrowserSource
    connection: ConnectionOptions

    @property
    def how_deep(self) -> Depth:
        """Test the server only, the sign-in too, or send a message."""
        if self.send_test is not None:
            return Depth.SEND
        return Depth(self.depth or "login")


class GivenAnswers:
    """Fills a draft in with what was said on the command line."""

    def __init__(
        self, invocation: Invocation, given: SetupOptions, watch: Stopwatch, undone: Callable[[], str]
    ) -> None:
        self._invocation = invocation
        self._given = given
        self._watch = watch
        self._undone = undone
        self._search = Search(
            invocation, given.connection, watch, undone, accept_found=given.accept_found, follows=given.follow
        )

    def refuse_contradictions(self) -> None:
        """Raise `click.UsageError` for options that do not go together."""
        given = self._given
        if given.depth not in (None, "send") and given.send_test is not None:
            raise click.UsageError("--send-test means --depth send; leave --depth out.")
        kind = self._store()
        if kind in (StoreKind.COMMAND, StoreKind.FILE) and not self._where(kind):
            raise reference_missing(kind)

    def begun(self, address: Address | None) -> Draft:
        """Return a draft with address and provider: the one named, the one typed by hand, or the one found."""
        draft = Draft() if address is None else Draft().with_address(address)
        given = self._given
        if given.provider is not None:
            return self._at_named_provider(draft, provider_called(self._invocation, given.provider))
        if given.host is not None:
            return self._at_named_host(draft, given.host)
        return draft if address is None else self._settled(self._search.found(draft, address))

    def _at_named_provider(self, draft: Draft, provider: Provider) -> Draft:
        """Return the draft for a provider that was named; the MX record may tell the account's region."""
        address = draft.address
        if address is not None and self._given.host is None and provider.regions(address):
            draft = replace(draft, mx_hosts=self._search.mail_hosts(address))
        return draft.with_provider(provider, Origin.CHOSEN)

    def _at_named_host(self, draft: Draft, host: str) -> Draft:
        """Return the draft for a server that was named: its provider is asked for a token, if it is known to give any.

        A token that is given already, and a password, go to the server whoever keeps it.
        """
        given = self._given
        token_given = given.password.given or bool(self._where(self._store()))
        if given.auth == Auth.XOAUTH2 and (given.browser.as_application or not token_given):
            owner = alike_in_browser(self._invocation.services.catalog.all_at_host(host))
            if owner is not None:
                return draft.with_provider(owner, Origin.CHOSEN, f"from: the server {host}, which is {owner.name}'s")
        return draft.with_provider(custom_provider(self._invocation), Origin.HAND)

    def _settled(self, draft: Draft) -> Draft:
        """Return the draft with one of several providers that have the same mail hosts, where any of them will do.

        Traces in the DNS are no such thing: what they point to is asked.
        """
        if self._given.auth != Auth.XOAUTH2 or self._search.source is not FoundBy.MX:
            return draft
        catalog = self._invocation.services.catalog
        owners = [each for each in map(catalog.get, draft.maybe) if each is not None]
        owner = alike_in_browser(owners) if owners else None
        if owner is None:
            return draft
        names = " and ".join(each.name for each in owners)
        domain = shown(draft.address.domain if draft.address is not None else "", 80)
        note = f"from: the MX record of {domain}. {names} use it, with the same server and the same sign-in."
        return replace(draft.with_provider(owner, Origin.MX, note), maybe=())

    def filled_in(self, draft: Draft) -> Draft:
        """Return the draft with what was said in the place of what was found."""
        given = self._given
        draft, kind = self._with_server(draft), self._store()
        return replace(
            draft,
            connection=self._connection(draft.connection),
            identity=self._identity(),
            scope=Scope(given.scope or "general"),
            test_to=given.send_test,
            name=given.save or "",
        ).with_store(kind, self._where(kind))

    def _connection(self, known: Connection[Endpoint | None]) -> Connection[Endpoint | None]:
        given = self._given
        return replace(
            known,
            username=known.username if given.username is None else given.username,
            auth=Auth(given.auth) if given.auth else known.auth,
            allow_cleartext=given.allow_cleartext,
            ehlo_name=given.connection.ehlo_name,
            ca_file=given.connection.ca_file,
        )

    def _identity(self) -> Identity:
        given = self._given
        implied = bool(given.company_name or given.reply_to)
        return Identity(
            sender=given.sender,
            sender_name=given.sender_name or "",
            update_company=implied if given.company_email is None else given.company_email,
            company_name=given.company_name or "",
            reply_to=given.reply_to,
        )

    def _with_server(self, draft: Draft) -> Draft:
        """Put the server of the command line in the place of the provider's, part by part."""
        given, known = self._given, draft.connection.endpoint
        host = given.host or (known.host if known else None)
        if host is None or not (given.host or given.port or given.security):
            return draft
        if known is not None and given.host is None and given.port is None:
            known = self._same_host(draft, Security(given.security or known.security)) or known
        security = Security(given.security) if given.security else None
        catalog = self._invocation.services.catalog
        changed = draft.with_endpoint(changed_endpoint(known, host, given.port, security, catalog))
        return changed.confirmed() if given.host else changed

    def _same_host(self, draft: Draft, security: Security) -> Endpoint | None:
        """Return the provider's own endpoint with that encryption, on the same host before others, if it has one."""
        provider, known = self._invocation.services.catalog.get(draft.connection.provider), draft.connection.endpoint
        offered = provider.near(draft.address, draft.mx_hosts) if provider else ()
        fitting = [each.endpoint for each in offered if each.endpoint.security is security]
        return next(
            (each for each in fitting if known is not None and each.host == known.host), next(iter(fitting), None)
        )

    def _store(self) -> StoreKind | None:
        given = self._given
        ways = {"env_name": given.env_name, "secret_command": given.secret_command, "secret_file": given.secret_file}
        return store_named(given.store, ways)

    def _where(self, kind: StoreKind | None) -> str:
        """Return the way to the password, where the store keeps only that; the password's own way is taken as well."""
        given = self._given
        match kind:
            case StoreKind.ENV:
                return given.env_name or given.password.variable or ""
            case StoreKind.COMMAND:
                return given.secret_command or (parse_command(given.password.command) if given.password.command else "")
            case StoreKind.FILE:
                return given.secret_file or ""
        return ""

    def secret(self) -> Secret | None:
        """Return the password that the options lead to, None where none. Raises `SecretError`, `CommandError`."""
        given = self._given
        source = given.password
        if not source.given and self._store() is StoreKind.ENV and (given.env_name or given.save):
            source = PasswordSource(variable=given.env_name or variable_for(given.save or ""))
        if given.auth == "none":
            return None
        kind = self._store()
        if not source.given and kind in (StoreKind.COMMAND, StoreKind.FILE):
            return secret_at(self._invocation, kind, self._where(kind), self._watch, self._undone)
        return given_password(self._invocation, source, self._watch, self._undone)


def custom_provider(invocation: Invocation) -> Provider:
    """Return what stands for a provider that is in no catalogue."""
    return next(each for each in invocation.services.catalog.providers if each.kind is ProviderKind.CUSTOM)


def elsewhere_words(draft: Draft, catalog: Catalog) -> str:
    """Say that the server that was named is none of the provider's that was named; '' where it is, or none is known.

    Hosts of one registered domain belong together: a provider has more than the list does.
    """
    provider, endpoint = catalog.get(draft.connection.provider), draft.connection.endpoint
    known = [each.endpoint.host for each in provider.offered(draft.address)] if provider is not None else []
    if provider is None or endpoint is None or not known or not provider.firm or draft.connection.sandbox:
        return ""
    domain = draft.address.ascii_domain if draft.address is not None else ""
    if any(belongs_to(endpoint.host, each) for each in (*known, *filter(None, [domain]))):
        return ""
    what = "access token" if draft.connection.auth is Auth.XOAUTH2 else "password"
    return (
        f"{shown(endpoint.host, 80)} is none of the servers of {provider.short_name} ({shown(known[0], 80)}), and you "
        f"named both: the {what} goes to {shown(endpoint.host, 80)}."
    )
