"""Signing in in the browser from the command line: the page or the code on stderr, and the wait for the person."""

from __future__ import annotations

import os
from collections.abc import Callable
from datetime import datetime
from typing import TYPE_CHECKING, Any, TypeVar

import click

from smtp_wizard.commands.invocation import Invocation
from smtp_wizard.commands.options.connection import parsed_by
from smtp_wizard.commands.options.passwords import PASSWORD_OPTIONS, PasswordSource, command_words, hidden
from smtp_wizard.engine.accounts.account import Account
from smtp_wizard.engine.accounts.application_sign_in import signs_in_as_application
from smtp_wizard.engine.base.connection import Auth
from smtp_wizard.engine.base.secret import Secret
from smtp_wizard.engine.base.shown import NO_WORDS, Shown, phrase, shown
from smtp_wizard.engine.lazy_dataclass import dataclass
from smtp_wizard.engine.oauth.errors import OAuthError
from smtp_wizard.engine.oauth.grants import Grant, SignedIn
from smtp_wizard.engine.oauth.pending_sign_in import PendingSignIn
from smtp_wizard.engine.oauth.server import OAuthFlow, OAuthServer, parse_tenant
from smtp_wizard.engine.secrets.command import parse_command
from smtp_wizard.engine.secrets.secret_store import SecretError
from smtp_wizard.engine.wizard.account_draft import draft_to_sign_in_again
from smtp_wizard.engine.wizard.draft import Draft
from smtp_wizard.runtime.exit_codes import CommandError, Exit
from smtp_wizard.runtime.output import Output
from smtp_wizard.runtime.questions import ask, ask_password, can_ask
from smtp_wizard.runtime.running import Stopwatch, run

if TYPE_CHECKING:
    from smtp_wizard.flows.browser import BrowserFlow

F = TypeVar("F", bound=Callable[..., Any])

FLOW = click.option(
    "--flow",
    type=click.Choice([each.value for each in OAuthFlow if each is not OAuthFlow.CLIENT_CREDENTIALS]),
    help="How to sign in with the browser.  [default: device, if the provider has it]",
)
ANY_FLOW = click.option(
    "--flow",
    type=click.Choice([each.value for each in OAuthFlow]),
    help="How to sign in with the browser, or without a person (client-credentials).  "
    "[default: device, if the provider has it]",
)
CLIENT_SECRET = "--client-secret-env or --client-secret-command"
CAME_BACK_SECONDS = 30.0
NEEDS_TERMINAL = "--flow device (in a browser somebody must come back from, and there is no terminal here)"


@dataclass(frozen=True, slots=True)
class BrowserSource:
    """What was said on the command line about a sign-in in the browser."""

    client_id: str | None
    client_secret: PasswordSource
    flow: OAuthFlow | None
    tenant: Shown = NO_WORDS
    """The organisation that the application belongs to which signs in by itself."""

    @property
    def given(self) -> bool:
        """Whether anything was."""
        return self.client_id is not None or self.client_secret.given or self.flow is not None

    @property
    def as_application(self) -> bool:
        """Whether the application is to sign in by itself."""
        return self.flow is OAuthFlow.CLIENT_CREDENTIALS


def browser_options(command: F) -> F:
    """Add the options about the sign-in in the browser; `browser_from` reads them, but for --token-command."""
    for option in (
        click.option(
            "--token-command",
            metavar="CMD",
            callback=parsed_by(parse_command),
            help="Run this command each time; the first line it prints is an OAuth access token.",
        ),
        ANY_FLOW,
        click.option(
            "--tenant",
            metavar="ID",
            callback=parsed_by(parse_tenant),
            help="With --flow client-credentials: the organisation that the application belongs to.",
        ),
        click.option(
            "--client-secret-command",
            metavar="CMD",
            callback=command_words,
            help="Run this command; the first line it prints is the OAuth client secret.",
        ),
        click.option(
            "--client-secret-env",
            metavar="NAME",
            callback=hidden,
            help="Take the OAuth client secret from this environment variable.",
        ),
        click.option("--client-id", metavar="ID", help="With --auth xoauth2: your own OAuth client ID."),
    ):
        command = option(command)
    return command


def browser_from(given: dict[str, Any]) -> BrowserSource:
    """Take the options out of what click gives. Raises `click.UsageError` for what does not go together."""
    variable, run_this = given.pop("client_secret_env"), given.pop("client_secret_command")
    if variable is not None and run_this is not None:
        raise click.UsageError("Only one of --client-secret-env and --client-secret-command can be used.")
    flow, client_id = given.pop("flow"), given.pop("client_id")
    if client_id is not None and (not client_id.strip() or shown(client_id, 300) != client_id.strip()):
        raise click.UsageError("--client-id is not a client id.")
    source = PasswordSource(command=run_this, variable=variable)
    tenant = shown(given.pop("tenant") or "", 300)
    found = BrowserSource(client_id.strip() if client_id else None, source, OAuthFlow(flow) if flow else None, tenant)
    if tenant and not found.as_application:
        raise click.UsageError("--tenant goes with --flow client-credentials.")
    return found


def flow_for(server: OAuthServer, wanted: OAuthFlow | None) -> OAuthFlow:
    """Return the way to sign in. Raises `CommandError` for one that the provider has not."""
    from smtp_wizard.flows.browser import way_for

    if wanted is OAuthFlow.CLIENT_CREDENTIALS and server.application is None:
        raise CommandError(
            "no-such-flow",
            phrase("{} lets no application sign in to this mailbox by itself, as far as is known.", shown(server.name)),
            phrase("Sign in as a person: leave --flow out."),
        )
    way = way_for(server, wanted)
    if way is None:
        raise CommandError(
            "no-such-flow",
            phrase("{} gives out no codes for mail.", shown(server.name)),
            phrase("Use --flow browser, or --flow paste."),
        )
    return way


def lacking_for(server: OAuthServer, flow: OAuthFlow | None, *, has_secret: bool, tenant: str = "") -> list[str]:
    """Return what must still be said before the sign-in can begin here, as the names of options.

    Raises `CommandError` for a way that the provider has not.
    """
    if flow is OAuthFlow.CLIENT_CREDENTIALS:
        flow_for(server, flow)
        wants_tenant = server.application is not None and server.application.needs_tenant
        return [
            *(["--tenant"] if wants_tenant and not tenant else []),
            *([CLIENT_SECRET] if not has_secret and not can_ask() else []),
        ]
    from smtp_wizard.flows.browser import lacks_secret, way_for

    wants_secret = lacks_secret(server, has_secret=has_secret)
    lacking = [CLIENT_SECRET] if wants_secret else []
    if not can_ask() and way_for(server, flow) not in (OAuthFlow.DEVICE, None):
        lacking.append(NEEDS_TERMINAL if server.device else "--token-command, or a terminal")
    return lacking


def application_sign_in(server: OAuthServer, source: BrowserSource, secret: Secret, now: datetime) -> Secret:
    """Return the whole sign-in of an application; nobody has been asked for a token yet. Raises `CommandError`."""
    access = server.application
    if access is None:
        raise CommandError("no-such-flow", phrase("{} lets no application sign in by itself.", shown(server.name)))
    if source.tenant and not access.needs_tenant:
        raise CommandError("no-tenant", phrase("{} knows no tenants: leave --tenant out.", shown(server.name)))
    if source.tenant in access.shared:
        raise CommandError(
            "no-tenant",
            phrase(
                "'{}' is no tenant of its own: an application signs in at the one that it belongs to.", source.tenant
            ),
            phrase("Give its id: --tenant."),
        )
    return Grant(
        client_id=source.client_id or "",
        client_secret=secret,
        refresh_token=None,
        token_url=access.token_at(source.tenant),
        granted=now,
        renewed=now,
        ends=None,
    ).sealed()


def signed_in(out: Output, flow: BrowserFlow, way: OAuthFlow, watch: Stopwatch, undone: Callable[[], str]) -> Draft:
    """Sign in that way; return the draft with what came of it. Raises `CommandError`."""
    flow.choose(way)
    try:
        found = (
            run(_with_code(out, flow, watch), watch, undone) if way is OAuthFlow.DEVICE else _with_browser(out, flow)
        )
    except OAuthError as problem:
        raise CommandError("sign-in-failed", problem.words, shown(undone()), Exit.FAILED) from None
    flow.signed_in(found)
    return flow.draft


async def _with_code(out: Output, flow: BrowserFlow, watch: Stopwatch) -> SignedIn:
    async with watch.bound(), flow.new_attempt() as attempt:
        _show(out, attempt)
        return await attempt.finished()


def _with_browser(out: Output, flow: BrowserFlow) -> SignedIn:
    from smtp_wizard.runtime.sign_in_thread import SignInThread

    with SignInThread(flow.new_attempt) as beside:
        _show(out, beside.attempt)
        while True:
            text = ask(out, "Press Enter when the browser says that you are signed in, or paste its address", str)
            try:
                if text:
                    beside.paste(text)
            except OAuthError as problem:
                out.narrate(str(problem))
                continue
            found = beside.result(CAME_BACK_SECONDS if text else 0.5)
            if found is not None:
                return found
            out.narrate("Nobody has come back from the browser yet.")


def _show(out: Output, attempt: PendingSignIn) -> None:
    from smtp_wizard.text.browser import page_lines

    for line in page_lines(attempt, os.environ):
        out.narrate(line)


def signed_in_again(
    invocation: Invocation, account: Account, flow: OAuthFlow | None, watch: Stopwatch, undone: Callable[[], str]
) -> Secret:
    """Sign in again for a saved account, with the client that it had; or ask for its application's new client secret.

    Raises `CommandError`.
    """
    if signs_in_as_application(account):
        if not can_ask():
            raise CommandError(
                "secret-ask",
                phrase("'{}' signs in as an application, and its new client secret is not given.", account.name),
                phrase("Give it: {}.", shown(PASSWORD_OPTIONS)),
                Exit.SECRET,
            )
        return ask_password(f"New client secret of {account.name}")
    server = invocation.services.catalog.oauth_server(account.connection)
    if server is None or account.login is None:
        raise CommandError(
            "no-browser-sign-in",
            phrase("'{}' takes the access token of another program.", account.name),
            phrase("Give another one: --password-command, --password-env or --password-stdin."),
        )
    from smtp_wizard.flows.browser import BrowserFlow

    way = flow_for(server, flow)
    lacking = lacking_for(server, way, has_secret=True)
    if lacking:
        raise CommandError("missing-answers", phrase("Missing: {}.", shown(", ".join(lacking))))
    services = invocation.services
    draft = draft_to_sign_in_again(account, _kept(invocation, account, watch, undone), services.catalog)
    asks = BrowserFlow(draft, catalog=services.catalog, tokens=services.tokens, now=services.now, environ=os.environ)
    secret = signed_in(invocation.out, asks, way, watch, undone).secret
    assert secret is not None, "it was signed in"
    return secret


def _kept(invocation: Invocation, account: Account, watch: Stopwatch, undone: Callable[[], str]) -> Secret | None:
    """Return the old sign-in, in which the client's own secret is; None where it cannot be read."""

    async def fetch() -> Secret | None:
        async with watch.bound():
            return await invocation.services.entries.secret_of(account)

    try:
        return run(fetch(), watch, undone)
    except SecretError:
        return None


def refuse_without_sign_in(account: Account) -> None:
    """Raise `CommandError` where a password would be asked for, and the account signs in in the browser."""
    if account.connection.auth is Auth.XOAUTH2 and not signs_in_as_application(account):
        raise CommandError(
            "secret-ask",
            phrase("'{}' signs in in the browser, and that sign-in is kept nowhere.", account.name),
            phrase("Sign in again: smtp-wizard accounts password '{}'", account.name),
            Exit.SECRET,
        )
