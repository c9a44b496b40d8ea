"""The way to sign in that `setup` takes: the one that is named, else the best; by a password, or in the browser."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import replace

import click

from smtp_wizard.commands.invocation import Invocation
from smtp_wizard.commands.options.browser import application_sign_in, flow_for, signed_in
from smtp_wizard.commands.options.sign_in import given_password, warn_of_oddities
from smtp_wizard.commands.setup_options import SetupOptions
from smtp_wizard.engine.base.connection import Auth
from smtp_wizard.engine.base.shown import phrase, shown
from smtp_wizard.engine.base.stages import Depth
from smtp_wizard.engine.providers.applications import Application
from smtp_wizard.engine.providers.provider import AccessPath, Provider
from smtp_wizard.engine.services.tokens import keepable_in
from smtp_wizard.engine.wizard.draft import Draft, is_usable
from smtp_wizard.engine.wizard.steps import best_way, ranked
from smtp_wizard.runtime.exit_codes import CommandError, Exit
from smtp_wizard.runtime.questions import ask_password
from smtp_wizard.runtime.running import Stopwatch

_CLIENT_SECRET = "client secret"


class WayIn:
    """Chooses the way in, and goes it as far as the browser."""

    def __init__(
        self, invocation: Invocation, given: SetupOptions, watch: Stopwatch, undone: Callable[[], str]
    ) -> None:
        self._invocation = invocation
        self._given = given
        self._watch = watch
        self._undone = undone

    def towards_browser(self, draft: Draft) -> Draft:
        """Choose the way in that is in the browser, where that is wanted, and what is needed for it."""
        services, given = self._invocation.services, self._given
        named = services.catalog.path(replace(draft.connection, path=given.path))
        if given.auth != Auth.XOAUTH2 and (named is None or named.auth.needs is not Auth.XOAUTH2 or given.auth):
            if given.browser.given:
                raise click.UsageError("--client-id, --client-secret-... and --flow go with --auth xoauth2.")
            return draft
        if named is not None and named.auth.needs is not Auth.XOAUTH2:
            raise click.UsageError("--auth xoauth2 goes with a way in that is in the browser; leave --path out.")
        as_application = given.browser.as_application
        if draft.secret is not None and given.browser.given and not as_application:
            raise click.UsageError("A token is given already: leave --client-id, --client-secret-... and --flow out.")
        chosen = self.chosen(draft)
        connection = replace(chosen.connection, auth=Auth.XOAUTH2)
        chosen = replace(chosen, application=Application.OAUTH, connection=connection)
        if as_application:
            return self._with_client_secret(chosen)
        if draft.secret is not None:
            return chosen
        keepable_in(chosen.store)
        secret = given_password(self._invocation, given.browser.client_secret, self._watch, self._undone)
        warn_of_oddities(self._invocation.out, secret, _CLIENT_SECRET)
        return replace(chosen, client_id=given.browser.client_id or "", client_secret=secret)

    def _with_client_secret(self, draft: Draft) -> Draft:
        """Take the client secret of the application from where it is said to be: as such, or as what is kept."""
        given = self._given.browser
        secret = given_password(self._invocation, given.client_secret, self._watch, self._undone)
        if secret is not None and draft.secret is not None:
            raise click.UsageError("The client secret is given twice: leave --client-secret-... or the other way out.")
        secret = secret or draft.secret
        warn_of_oddities(self._invocation.out, secret, _CLIENT_SECRET)
        return replace(draft, client_id=given.client_id or "", client_secret=secret, secret=None)

    def through_browser(self, draft: Draft) -> Draft:
        """Sign in in the browser, where that is the way; an application signs in with the check.

        Raises `CommandError`.
        """
        if (
            draft.connection.auth is not Auth.XOAUTH2
            or draft.secret is not None
            or self._given.how_deep is Depth.SERVER
        ):
            return draft
        if self._given.browser.as_application:
            return self._as_application(draft)
        from smtp_wizard.flows.browser import BrowserFlow

        services = self._invocation.services
        flow = BrowserFlow(
            draft, catalog=services.catalog, tokens=services.tokens, now=services.now, environ=os.environ
        )
        way = flow_for(flow.server, self._given.browser.flow)
        return signed_in(self._invocation.out, flow, way, self._watch, self._undone)

    def _as_application(self, draft: Draft) -> Draft:
        services, source = self._invocation.services, self._given.browser
        server = services.catalog.oauth_server(draft.connection)
        assert server is not None, "the way in is one with OAuth"
        flow_for(server, source.flow)
        secret = draft.client_secret or ask_password("Client secret of the application")
        return draft.with_sign_in(
            draft.connection.username, application_sign_in(server, source, secret, services.now())
        )

    def chosen(self, draft: Draft) -> Draft:
        """Choose the way to sign in: the one named, else the best that takes a password. Raises `CommandError`."""
        provider = self._invocation.services.catalog.get(draft.connection.provider)
        if provider is None or not provider.paths:
            return draft
        wanted = Application.OAUTH if self._given.auth == Auth.XOAUTH2 else Application.PASSWORD
        path = self._named_path(provider) if self._given.path else best_way(provider, wanted)
        if path is None and draft.secret is not None:
            path = best_way(provider, Application.PASSWORD)  # the token of another program goes to any server
        if path is None or not is_usable(path):
            raise _closed(provider, path)
        chosen = draft if draft.connection.path == path.id else replace(draft.with_path(path), secret=draft.secret)
        auth = draft.connection.auth if self._given.auth else chosen.connection.auth
        return replace(chosen, connection=replace(chosen.connection, auth=auth, sandbox=path.scenario))

    def _named_path(self, provider: Provider) -> AccessPath:
        wanted = self._given.path or ""
        path = provider.path(wanted)
        if path is None:
            raise CommandError(
                "no-such-path",
                phrase("{} has no way to sign in called '{}'.", provider.name, shown(wanted, 60)),
                phrase("It has: {}.", shown(", ".join(each.id for each in provider.paths))),
                Exit.NOT_FOUND,
            )
        return path


def _closed(provider: Provider, path: AccessPath | None) -> CommandError:
    """Return the error for a way in that cannot be walked here, naming the ways on."""
    blocked = path or next((each for each in ranked(provider, Application.PASSWORD) if not is_usable(each)), None)
    blocked = blocked or provider.paths[0]
    ways = [way if isinstance(way, str) else f"{way.title} (--path {way.id})" for way in provider.ways_on(blocked)]
    return CommandError(
        "path-closed",
        phrase("{}: '{}' cannot be used here. {}", provider.name, shown(blocked.title), shown(blocked.summary)),
        phrase("Instead: {}", shown("; ".join(ways))) if ways else shown(provider.note),
    )
