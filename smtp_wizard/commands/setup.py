"""`setup`: an account from options; what is missing is asked by the screens, by plain questions, or named."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Any

import click

from smtp_wizard.commands.accounts import store_words
from smtp_wizard.commands.checking import Transcript, exit_code, live_reader, observed, report_line
from smtp_wizard.commands.faults import REPLACE_HINT
from smtp_wizard.commands.invocation import Invocation
from smtp_wizard.commands.options.answers import (
    LET_IT_SEND_GENERAL,
    accept_found_option,
    reference_missing,
    sender_options,
    server_options,
    store_named,
    store_options,
)
from smtp_wizard.commands.options.browser import (
    BrowserSource,
    browser_from,
    browser_options,
    flow_for,
    lacking_for,
    signed_in,
)
from smtp_wizard.commands.options.connection import (
    DEPTH,
    ConnectionOptions,
    connection_from,
    connection_options,
    missing_answers,
    parsed_by,
    sign_in_option,
    usual_way,
)
from smtp_wizard.commands.options.found_server import Search, agreed, unconfirmed
from smtp_wizard.commands.options.passwords import PasswordSource, password_options, taken_from
from smtp_wizard.commands.options.sign_in import given_password, secret_at, warn_of_oddities
from smtp_wizard.commands.options.vault import offer_passphrase, passphrase_options
from smtp_wizard.commands.providers import provider_called
from smtp_wizard.commands.screens_or_plain import open_wizard
from smtp_wizard.engine.accounts.account import Account, parse_name
from smtp_wizard.engine.accounts.saved_accounts import Displaces, NameTaken, NoSuchAccount
from smtp_wizard.engine.base.address import Address
from smtp_wizard.engine.base.characters import parse_words
from smtp_wizard.engine.base.connection import Auth, Connection
from smtp_wizard.engine.base.endpoint import USUAL_PORTS, USUAL_WAYS, Endpoint, Security, parse_port
from smtp_wizard.engine.base.errors import InputError
from smtp_wizard.engine.base.identity import Identity, Scope
from smtp_wizard.engine.base.secret import Secret
from smtp_wizard.engine.base.shown import phrase, shown
from smtp_wizard.engine.base.stages import Depth
from smtp_wizard.engine.checks.progress import CheckProgress
from smtp_wizard.engine.checks.recipient import refuse_own_mailbox
from smtp_wizard.engine.oauth.client import RegisteredClient
from smtp_wizard.engine.providers.applications import Application
from smtp_wizard.engine.providers.provider import AccessPath, Provider, ProviderKind
from smtp_wizard.engine.secrets.command import parse_command
from smtp_wizard.engine.secrets.kinds import StoreKind
from smtp_wizard.engine.secrets.references import variable_for
from smtp_wizard.engine.services.tokens import keepable_in
from smtp_wizard.engine.wizard.draft import Draft, Origin, is_usable, with_tidy_secret
from smtp_wizard.engine.wizard.server_confirmation import UnconfirmedServer, doubt_about
from smtp_wizard.engine.wizard.steps import best_way, missing, ranked
from smtp_wizard.output.lines import summary
from smtp_wizard.output.outcome import CheckOutcome
from smtp_wizard.runtime.exits import CommandError, Exit
from smtp_wizard.runtime.output import Form
from smtp_wizard.runtime.questions import agree, ask, ask_password, can_ask
from smtp_wizard.runtime.running import Stopwatch, run
from smtp_wizard.runtime.tables import table

if TYPE_CHECKING:
    from smtp_wizard.flows.server import ServerFlow


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
    password: PasswordSource
    browser: BrowserSource
    connection: ConnectionOptions

    @property
    def how_deep(self) -> Depth:
        """How far the check goes."""
        if self.send_test is not None:
            return Depth.SEND
        return Depth(self.depth or "login")


_ADDRESS = parsed_by(Address.parse)


@click.command("setup")
@click.argument("email", required=False, callback=_ADDRESS)
@click.option("--provider", metavar="ID", help="The provider; 'smtp-wizard providers' lists them.")
@click.option("--path", metavar="ID", help="The way to sign in; 'smtp-wizard providers show ID' lists them.")
@server_options
@accept_found_option
@click.option("--depth", type=DEPTH, help="How far the check goes.  [default: login]")
@click.option("--send-test", metavar="ADDR", callback=_ADDRESS, help="Send a test message here too (= --depth send).")
@sender_options
@store_options
@click.option("--save", metavar="NAME", callback=parsed_by(parse_name), help="Save the account under this name.")
@click.option("--replace", "replacing", is_flag=True, help="Take the place of what is saved already.")
@password_options
@passphrase_options
@browser_options
@connection_options
@sign_in_option
@click.option("--plain", is_flag=True, help="Questions in lines of text instead of screens.")
@click.option("--json", "_json", is_flag=True, help="Print one JSON document.")
@click.pass_obj
def command(invocation: Invocation, /, **given: Any) -> int:
    """Set an account up and test it, starting at EMAIL.

    With every answer given nothing is asked, and the report is printed. In a terminal the wizard opens for what is
    missing; elsewhere it is named. Nothing is saved without --save, and nothing is sent without --send-test. A password
    goes to no server that was only found: name it, or look at --accept-found.
    """
    given.pop("_json")
    invocation.plain |= given.pop("plain")
    _take_token_command(given)
    password, connection, browser = taken_from(given), connection_from(given), browser_from(given)
    return _Setup(invocation, SetupOptions(password=password, browser=browser, connection=connection, **given)).run()


def _take_token_command(given: dict[str, Any]) -> None:
    """Take a command that prints access tokens: the account refers to it, and it is asked again each time."""
    words = given.pop("token_command")
    if words is None:
        return
    if given["auth"] not in (None, "xoauth2") or given["store"] not in (None, "command") or given["secret_command"]:
        raise click.UsageError("--token-command means --auth xoauth2 and --store command; leave other ways out.")
    given.update(auth="xoauth2", store="command", secret_command=words)


class _Setup:
    """One run of the command."""

    def __init__(self, invocation: Invocation, given: SetupOptions) -> None:
        self.invocation = invocation
        self.out = invocation.out
        self.given = given
        self.watch = Stopwatch(given.connection.timeout)
        self.watched = CheckProgress()
        self.search = Search(invocation, given.connection, self.watch, self._undone, accept_found=given.accept_found)
        self.displacing = given.replacing
        self.replacing = given.replacing

    def run(self) -> int:
        self._refuse_contradictions()
        draft = self._with_answers(self._begun(self.given.email))
        draft = self._towards_browser(replace(draft, secret=self._given_secret()))
        lacking = self._missing(draft)
        if lacking and not can_ask():
            raise missing_answers(lacking, shown(draft.origin_note))
        if lacking and self.out.form is Form.TEXT:
            return open_wizard(self.invocation, "setup", draft)
        self._tell_overrides(draft)
        draft = self._asked(draft) if lacking else draft
        self._refuse_unconfirmed(draft)
        draft = with_tidy_secret(self._with_path(draft), self.invocation.services.catalog)
        warn_of_oddities(self.out, draft.secret)
        self._refuse_unprovable(draft)
        self._agree_to_collisions()
        if draft.name:
            offer_passphrase(self.invocation, draft.store, creating=True)
        return self._check_and_save(self._through_browser(draft))

    # -- in the browser ---------------------------------------------------------------------------------------------

    def _towards_browser(self, draft: Draft) -> Draft:
        """Choose the way in that is in the browser, where that is wanted, and what is needed for it."""
        services, given = self.invocation.services, self.given
        named = services.catalog.path(replace(draft.connection, path=given.path))
        if given.auth != Auth.XOAUTH2 and (named is None or named.auth.needs is not Auth.XOAUTH2 or given.auth):
            if given.browser.given:
                raise click.UsageError("--client-id, --client-secret-... and --flow go with --auth xoauth2.")
            return draft
        if named is not None and named.auth.needs is not Auth.XOAUTH2:
            raise click.UsageError("--auth xoauth2 goes with a way in that is in the browser; leave --path out.")
        if draft.secret is not None and given.browser.given:
            raise click.UsageError("A token is given already: leave --client-id, --client-secret-... and --flow out.")
        chosen = self._with_path(draft)
        connection = replace(chosen.connection, auth=Auth.XOAUTH2)
        chosen = replace(chosen, application=Application.OAUTH, connection=connection)
        if draft.secret is not None:
            return chosen
        keepable_in(chosen.store)
        secret = given_password(self.invocation, given.browser.client_secret, self.watch, self._undone)
        return replace(chosen, client_id=given.browser.client_id or "", client_secret=secret)

    def _through_browser(self, draft: Draft) -> Draft:
        """Sign in in the browser, where that is the way. Raises `CommandError`."""
        if draft.connection.auth is not Auth.XOAUTH2 or draft.secret is not None or self.given.how_deep is Depth.SERVER:
            return draft
        services = self.invocation.services
        server = services.catalog.oauth_server(draft.connection)
        assert server is not None, "the way in has one"
        flow = flow_for(server, self.given.browser.flow)
        client = RegisteredClient(draft.client_id, draft.client_secret)
        exchange = services.tokens.exchange(server, client, draft.connection.ca_file)
        address = draft.address.wire if draft.address else draft.connection.username
        found = signed_in(self.invocation, exchange, flow, address, self.watch, self._undone)
        return draft.with_sign_in(draft.connection.username, found)

    def _lacking_for_browser(self, draft: Draft) -> list[str]:
        server = self.invocation.services.catalog.oauth_server(draft.connection)
        if server is None or draft.connection.auth is not Auth.XOAUTH2 or draft.secret is not None:
            return []
        return lacking_for(server, self.given.browser.flow, has_secret=draft.client_secret is not None)

    def _tell_overrides(self, draft: Draft) -> None:
        """Say where the person's own file decides where the password goes."""
        for override in self.invocation.services.catalog.overrides_of(draft.connection.provider):
            self.out.narrate(override.words)

    # -- what was given ---------------------------------------------------------------------------------------------

    def _refuse_contradictions(self) -> None:
        given = self.given
        if given.depth not in (None, "send") and given.send_test is not None:
            raise click.UsageError("--send-test means --depth send; leave --depth out.")
        kind = self._store()
        if kind in (StoreKind.COMMAND, StoreKind.FILE) and not self._where(kind):
            raise reference_missing(kind)

    def _begun(self, address: Address | None) -> Draft:
        """Return a draft with address and provider: the one named, the one typed by hand, or the one found."""
        draft = Draft() if address is None else Draft().with_address(address)
        given = self.given
        if given.provider is not None:
            return draft.with_provider(provider_called(self.invocation, given.provider), Origin.CHOSEN)
        if given.host is not None:
            return draft.with_provider(self._custom(), Origin.HAND)
        return draft if address is None else self.search.found(draft, address)

    def _custom(self) -> Provider:
        providers = self.invocation.services.catalog.providers
        return next(each for each in providers if each.kind is ProviderKind.CUSTOM)

    def _with_answers(self, draft: Draft) -> Draft:
        given = self.given
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
        given = self.given
        return replace(
            known,
            username=known.username if given.username is None else given.username,
            auth=Auth(given.auth) if given.auth else known.auth,
            allow_cleartext=given.allow_cleartext,
            ehlo_name=given.connection.ehlo_name,
            ca_file=given.connection.ca_file,
        )

    def _identity(self) -> Identity:
        given = self.given
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
        given, known = self.given, draft.connection.endpoint
        host = given.host or (known.host if known else None)
        if host is None or not (given.host or given.port or given.security):
            return draft
        if known is not None and given.host is None and given.port is None:
            known = self._same_host(draft, Security(given.security or known.security)) or known
        security = Security(given.security) if given.security else usual_way(given.port, known)
        port = given.port or _usual_port(known, security, host)
        changed = draft.with_endpoint(Endpoint(host, port, security))
        return changed.confirmed() if given.host else changed

    def _same_host(self, draft: Draft, security: Security) -> Endpoint | None:
        """Return the provider's own endpoint with that encryption, if it has one."""
        provider = self.invocation.services.catalog.get(draft.connection.provider)
        offered = provider.offered(draft.address) if provider else ()
        return next((each.endpoint for each in offered if each.endpoint.security is security), None)

    def _store(self) -> StoreKind | None:
        given = self.given
        ways = {"env_name": given.env_name, "secret_command": given.secret_command, "secret_file": given.secret_file}
        return store_named(given.store, ways)

    def _where(self, kind: StoreKind | None) -> str:
        """Return the way to the password, where the store keeps only that; the password's own way is taken as well."""
        given = self.given
        match kind:
            case StoreKind.ENV:
                return given.env_name or given.password.variable or ""
            case StoreKind.COMMAND:
                return given.secret_command or (parse_command(given.password.command) if given.password.command else "")
            case StoreKind.FILE:
                return given.secret_file or ""
        return ""

    def _given_secret(self) -> Secret | None:
        given = self.given
        source = given.password
        if not source.given and self._store() is StoreKind.ENV and (given.env_name or given.save):
            source = PasswordSource(variable=given.env_name or variable_for(given.save or ""))
        if given.auth == "none":
            return None
        kind = self._store()
        if not source.given and kind in (StoreKind.COMMAND, StoreKind.FILE):
            return secret_at(self.invocation, kind, self._where(kind), self.watch, self._undone)
        return given_password(self.invocation, source, self.watch, self._undone)

    # -- what is missing --------------------------------------------------------------------------------------------

    def _missing(self, draft: Draft) -> list[str]:
        depth = self.given.how_deep
        lacking = [
            name
            for name in missing(draft, secret_needed=depth is not Depth.SERVER)
            if not (name == "--username" and depth is Depth.SERVER)
        ]
        if draft.maybe and "--host" in lacking:
            lacking[lacking.index("--host")] = f"--provider (one of: {', '.join(draft.maybe)})"
        if depth is not Depth.SERVER:
            lacking += self._lacking_for_browser(draft)
        if depth is Depth.SEND and draft.test_to is None:
            lacking.append("--send-test")
        return lacking

    def _asked(self, draft: Draft) -> Draft:
        """Ask in plain lines for what is missing."""
        secret = draft.secret
        if draft.address is None:
            address = ask(self.out, "E-mail address to send from", Address.parse)
            draft = self._with_answers(self._begun(address))
        if draft.connection.endpoint is None:
            draft = self._server_asked(draft)
        doubt = self._doubt(draft)
        draft = draft if doubt is None else agreed(self.out, draft, doubt)
        depth = self.given.how_deep
        if draft.connection.auth is not Auth.NONE and not draft.connection.username and depth is not Depth.SERVER:
            draft = replace(
                draft, connection=replace(draft.connection, username=ask(self.out, "User name", _some_words))
            )
        if depth is Depth.SEND and draft.test_to is None:
            draft = replace(draft, test_to=ask(self.out, "Send the test message to", Address.parse))
        if secret is None and draft.connection.auth is Auth.PASSWORD and depth is not Depth.SERVER:
            secret = ask_password(f"Password of {draft.connection.username}")
        return replace(draft, secret=secret)

    def _server_asked(self, draft: Draft) -> Draft:
        if draft.origin_note:
            self.out.narrate(draft.origin_note)
        from smtp_wizard.flows.server_state import ServerField

        flow = self._server_flow(draft)
        ask(self.out, "Outgoing server, for example smtp.example.com", partial(_put_host, flow))
        port = ask(self.out, "Port, mostly 465 or 587", parse_port)
        flow.choose(USUAL_WAYS.get(port) or ask(self.out, "Encryption: tls, starttls or none", _parse_security))
        flow.type(ServerField.PORT, str(port))
        return self._gone_on(flow)

    def _server_flow(self, draft: Draft) -> ServerFlow:
        from smtp_wizard.flows.server import ServerFlow

        auth, username = draft.connection.auth, draft.connection.username
        begun = draft if draft.connection.provider else draft.with_provider(self._custom(), Origin.HAND)
        named = begun.with_sign_in(username or begun.connection.username, begun.secret)
        services = self.invocation.services
        return ServerFlow(
            replace(named, connection=replace(named.connection, auth=auth)),
            catalog=services.catalog,
            checks=services.checks,
            scans=services.scans,
            now=services.now,
        )

    def _gone_on(self, flow: ServerFlow) -> Draft:
        """Go on with the server that was typed. Raises `CommandError` after a no to an unencrypted password."""
        from smtp_wizard.flows.server_state import ServerOffer, ServerQuestion

        leads = run(flow.act(ServerOffer.USE), self.watch, self._undone)
        if flow.state.question is ServerQuestion.CLEARTEXT:
            sends = self.given.how_deep is not Depth.SERVER
            if sends and not self.given.allow_cleartext and flow.state.card is not None:
                said = shown(" ".join(flow.state.card.lines), 400)
                agree(self.out, "cleartext", said, "Send the password unencrypted?", _CLEARTEXT_HINT)
            leads = run(flow.act(ServerOffer.YES), self.watch, self._undone)
        assert leads is not None, "nothing else is asked about a server that was typed"
        return leads.draft

    # -- the way in -------------------------------------------------------------------------------------------------

    def _with_path(self, draft: Draft) -> Draft:
        """Choose the way to sign in: the one named, else the best that takes a password. Raises `CommandError`."""
        provider = self.invocation.services.catalog.get(draft.connection.provider)
        if provider is None or not provider.paths:
            return draft
        wanted = Application.OAUTH if self.given.auth == Auth.XOAUTH2 else Application.PASSWORD
        path = self._named_path(provider) if self.given.path else best_way(provider, wanted)
        if path is None and draft.secret is not None:
            path = best_way(provider, Application.PASSWORD)  # the token of another program goes to any server
        if path is None or not is_usable(path):
            raise _closed(provider, path)
        chosen = draft if draft.connection.path == path.id else replace(draft.with_path(path), secret=draft.secret)
        auth = draft.connection.auth if self.given.auth else chosen.connection.auth
        return replace(chosen, connection=replace(chosen.connection, auth=auth, sandbox=path.scenario))

    def _named_path(self, provider: Provider) -> AccessPath:
        path = provider.path(self.given.path or "")
        if path is None:
            raise CommandError(
                "no-such-path",
                phrase("{} has no way to sign in called '{}'.", shown(provider.name), shown(self.given.path or "", 60)),
                phrase("It has: {}.", shown(", ".join(each.id for each in provider.paths))),
                Exit.NOT_FOUND,
            )
        return path

    # -- before anything is tried -----------------------------------------------------------------------------------

    def _doubt(self, draft: Draft) -> UnconfirmedServer | None:
        """Return what is to be confirmed; nothing where a server is only looked at, or nothing comes of it."""
        depth = self.given.how_deep
        goes_there = draft.connection.auth is not Auth.NONE or depth is Depth.SEND or bool(draft.name)
        return (
            doubt_about(draft, self.invocation.services.catalog) if goes_there and depth is not Depth.SERVER else None
        )

    def _refuse_unconfirmed(self, draft: Draft) -> None:
        """With every answer given there is nobody to confirm a server that was found. Raises `CommandError`."""
        doubt = self._doubt(draft)
        if doubt is not None:
            raise unconfirmed(doubt)

    def _refuse_unprovable(self, draft: Draft) -> None:
        if draft.test_to is not None:
            refuse_own_mailbox(draft.test_to, draft.from_address, draft.address)
        if draft.name and self.given.how_deep is Depth.SERVER and draft.connection.auth is not Auth.NONE:
            raise click.UsageError("An account is saved only when its sign-in was tested: leave --depth server out.")

    def _agree_to_collisions(self) -> None:
        """Ask whether what is saved already may be replaced. Raises `CommandError` before anything is tried."""
        given = self.given
        if given.save is None or given.replacing:
            return
        try:
            same: Account | None = self.invocation.saved_accounts.get(given.save)
        except NoSuchAccount:
            same = None
        if same is not None:
            agree(self.out, "name-taken", NameTaken(same.name).words, "Replace it?", REPLACE_HINT)
            self.replacing = True
        for other in self.invocation.saved_accounts.list() if given.scope == Scope.ALL else ():
            if other.scope is Scope.ALL and (same is None or other.name != same.name):
                agree(self.out, "displaces", Displaces(other).words, LET_IT_SEND_GENERAL, REPLACE_HINT)
                self.displacing = True

    def _undone(self) -> str:
        sent = " The test message may or may not have been sent." if self.watched.perhaps_sent else ""
        return f"Nothing was saved.{sent}"

    # -- the check, and saving --------------------------------------------------------------------------------------

    def _check_and_save(self, draft: Draft) -> int:
        if draft.origin_note:
            self.out.narrate(draft.origin_note)  # also beside JSON: who led where a password goes is always said
        with Transcript(self.given.connection, self.out) as transcript:
            outcome = run(self._check(draft, transcript), self.watch, self._undone)
        code = exit_code([outcome])
        draft = replace(draft, proof=self.invocation.services.checks.prove(draft, outcome.report, self.given.how_deep))
        saved = self._save(draft) if draft.name and code == Exit.OK else None
        if self.out.form is Form.JSON:
            from smtp_wizard.output.documents.checks import ResultJson, Setup

            named = replace(outcome, account=shown(saved.name) if saved else None)
            self.out.document(Setup((ResultJson.of(named),)))
        else:
            self._print(draft, outcome)
        self._tell_saved(draft, saved, code)
        return code

    async def _check(self, draft: Draft, transcript: Transcript) -> CheckOutcome:
        connection, depth = self.given.connection, self.given.how_deep
        assert draft.connection.endpoint is not None
        return await observed(
            lambda emit: self.invocation.services.checks.check_draft(draft, depth, emit, options=connection),
            draft.connection.endpoint,
            None,
            self.watch,
            live_reader(self.out, transcript, shown(str(draft.connection.endpoint))),
            self.watched,
        )

    def _save(self, draft: Draft) -> Account:
        """Save the account. Raises what `Accounts.save` raises."""
        kept = (
            draft
            if draft.store is not None or draft.connection.auth is Auth.NONE
            else replace(draft, store=StoreKind.KEYRING)
        )
        return run(
            self.invocation.services.accounts.save(kept, replacing=self.replacing, displacing=self.displacing),
            Stopwatch(),
            lambda: f"Look with 'smtp-wizard accounts' whether '{draft.name}' was saved.",
        )

    def _print(self, draft: Draft, outcome: CheckOutcome) -> None:
        for line in summary(outcome.report, self.given.how_deep):
            report_line(self.out, line)
        if exit_code([outcome]) == Exit.OK:
            self.out.data("\nWhat to type into the application:")
            self.out.data("\n".join(f"  {line}" for line in table(_settings(draft))))

    def _tell_saved(self, draft: Draft, saved: Account | None, code: Exit) -> None:
        if saved is not None:
            self.out.narrate(f"Saved as '{saved.name}'. Its {_kept(saved)}: {store_words(saved.store)}.")
        elif draft.name:
            self.out.narrate("Nothing was saved: the check did not pass.")
        elif code == Exit.OK and self.out.form is Form.TEXT:
            self.out.narrate("Nothing was saved; --save NAME would.")


def _kept(account: Account) -> str:
    return "sign-in" if account.connection.auth is Auth.XOAUTH2 else "password"


def _usual_port(known: Endpoint | None, security: Security, host: str) -> int:
    """Return the port where none was said: that of the known server follows the security, another begins again."""
    same = known is not None and known.host == host
    return known.with_security(security).port if known is not None and same else USUAL_PORTS[security]


def _closed(provider: Provider, path: AccessPath | None) -> CommandError:
    """Return the error for a way in that cannot be walked here, naming the ways on."""
    blocked = path or next((each for each in ranked(provider, Application.PASSWORD) if not is_usable(each)), None)
    blocked = blocked or provider.paths[0]
    ways = [way if isinstance(way, str) else f"{way.title} (--path {way.id})" for way in provider.ways_on(blocked)]
    return CommandError(
        "path-closed",
        phrase("{}: '{}' cannot be used here. {}", shown(provider.name), shown(blocked.title), shown(blocked.summary)),
        phrase("Instead: {}", shown("; ".join(ways))) if ways else shown(provider.note),
    )


def _settings(draft: Draft) -> Sequence[tuple[str, str]]:
    assert draft.connection.endpoint is not None
    facts = [
        ("Outgoing server", draft.connection.endpoint.host),
        ("Port", str(draft.connection.endpoint.port)),
        ("Secure connection", draft.connection.endpoint.security.words),
        ("User name", draft.connection.username if draft.connection.auth is not Auth.NONE else ""),
        ("Password", "the one that was just used" if draft.connection.auth is Auth.PASSWORD else ""),
        ("Sign-in", "in the browser (OAuth 2.0, XOAUTH2)" if draft.connection.auth is Auth.XOAUTH2 else ""),
        ("From", str(draft.from_address or "")),
    ]
    return [(name, words) for name, words in facts if words]


def _some_words(text: str) -> str:
    words = parse_words(text)
    if not words:
        raise InputError(phrase("Type the user name that your provider gave you; mostly it is the address."))
    return words


_CLEARTEXT_HINT = phrase("Add --allow-cleartext-login, or use an encrypted port.")


def _put_host(flow: ServerFlow, text: str) -> None:
    """Put an answer into the field for the server's name. Raises `InputError` where it cannot be used."""
    from smtp_wizard.flows.server_state import ServerField

    flow.type(ServerField.HOST, text)
    problem = flow.checked(ServerField.HOST)
    if problem:
        raise InputError(shown(problem))


def _parse_security(text: str) -> Security:
    try:
        return Security(text.lower())
    except ValueError:
        raise InputError(phrase("Type tls, starttls or none.")) from None
