"""What `setup` still lacks: named where nobody can be asked, else asked in plain lines, one after the other."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from smtp_wizard.commands.invocation import Invocation
from smtp_wizard.commands.options.accept_found import agreed, unconfirmed
from smtp_wizard.commands.options.browser import lacking_for
from smtp_wizard.commands.options.connection import missing_answers
from smtp_wizard.commands.setup_options import GivenAnswers, SetupOptions, custom_provider
from smtp_wizard.engine.base.address import Address
from smtp_wizard.engine.base.characters import parse_words
from smtp_wizard.engine.base.connection import Auth
from smtp_wizard.engine.base.endpoint import USUAL_WAYS, Security, parse_port
from smtp_wizard.engine.base.errors import InputError
from smtp_wizard.engine.base.shown import phrase, shown
from smtp_wizard.engine.base.stages import Depth
from smtp_wizard.engine.discovery.server_identity import belongs_to
from smtp_wizard.engine.providers.provider import CatalogEndpoint
from smtp_wizard.engine.wizard.draft import Draft, Origin, regions_left
from smtp_wizard.engine.wizard.steps import LACKING_PASSWORD, missing
from smtp_wizard.engine.wizard.trusted_servers import UnconfirmedServer, doubt_about
from smtp_wizard.runtime.questions import agree, ask, ask_password
from smtp_wizard.runtime.running import Stopwatch, run
from smtp_wizard.text.test_mail import parse_recipient

if TYPE_CHECKING:
    from smtp_wizard.flows.server import ServerFlow

LACKING_RECIPIENT = "--send-test"


class MissingAnswers:
    """Knows what must still be answered before a check can run, and asks for it."""

    def __init__(
        self,
        invocation: Invocation,
        given: SetupOptions,
        answers: GivenAnswers,
        watch: Stopwatch,
        undone: Callable[[], str],
    ) -> None:
        self._invocation = invocation
        self._out = invocation.out
        self._given = given
        self._answers = answers
        self._watch = watch
        self._undone = undone

    def names(self, draft: Draft) -> list[str]:
        """Return what is lacking, by the options that give it."""
        lacking, catalog = self._lacking(draft), self._invocation.services.catalog
        if "--host" not in lacking:
            return lacking
        if draft.maybe:
            host = own_host(draft)
            ways = f"--provider (one of: {', '.join(draft.maybe)})"
            lacking[lacking.index("--host")] = f"{ways}, or --host {host}" if host else ways
        elif regions := regions_left(draft, catalog):
            lacking[lacking.index("--host")] = f"--host (your region: {region_hosts(regions, draft)})"
        elif draft.connection.provider is None and draft.address is not None:
            lacking[lacking.index("--host")] = "--host or --provider"
        if draft.connection.provider is None and draft.address is not None:
            # The user name is made of the address.
            lacking = [each for each in lacking if each != "--username"]
        return lacking

    def _lacking(self, draft: Draft) -> list[str]:
        depth = self._given.how_deep
        lacking = [
            name
            for name in missing(draft, secret_needed=depth is not Depth.SERVER)
            if not (name == "--username" and depth is Depth.SERVER)
        ]
        if depth is not Depth.SERVER:
            lacking += self._lacking_for_browser(draft)
        if depth is Depth.SEND and draft.test_to is None:
            lacking.append(LACKING_RECIPIENT)
        return lacking

    def _lacking_for_browser(self, draft: Draft) -> list[str]:
        server = self._invocation.services.catalog.oauth_server(draft.connection)
        if server is None or draft.connection.auth is not Auth.XOAUTH2 or draft.secret is not None:
            return []
        return lacking_for(
            server,
            self._given.browser.flow,
            has_secret=draft.client_secret is not None,
            tenant=self._given.browser.tenant,
        )

    def asked(self, draft: Draft) -> Draft:
        """Ask for what is lacking, first what comes first. Raises `CommandError` for what is no question."""
        asks: Mapping[str, Callable[[Draft], Draft]] = {
            "EMAIL": self._address,
            "--host": self._server,
            "--username": self._username,
            LACKING_PASSWORD: self._password,
            LACKING_RECIPIENT: self._recipient,
        }
        while True:
            doubt = self.doubt(draft)
            draft = draft if doubt is None else agreed(self._out, draft, doubt)
            lacking = self._lacking(draft)
            if not lacking:
                return draft
            if lacking[0] not in asks:
                raise missing_answers(self.names(draft))
            draft = asks[lacking[0]](draft)

    def _address(self, draft: Draft) -> Draft:
        address = ask(self._out, "E-mail address to send from", Address.parse)
        return replace(self._answers.filled_in(self._answers.begun(address)), secret=draft.secret)

    def _username(self, draft: Draft) -> Draft:
        return draft.with_sign_in(ask(self._out, "User name", _some_words), draft.secret)

    def _password(self, draft: Draft) -> Draft:
        return replace(draft, secret=ask_password(f"Password of {draft.connection.username}"))

    def _recipient(self, draft: Draft) -> Draft:
        return replace(draft, test_to=ask(self._out, "Send the test message to", partial(parse_recipient, draft)))

    # -- the server -------------------------------------------------------------------------------------------------

    def doubt(self, draft: Draft) -> UnconfirmedServer | None:
        """Return what is to be confirmed; nothing where a server is only looked at, or nothing comes of it."""
        depth = self._given.how_deep
        goes_there = draft.connection.auth is not Auth.NONE or depth is Depth.SEND or bool(draft.name)
        return (
            doubt_about(draft, self._invocation.services.catalog) if goes_there and depth is not Depth.SERVER else None
        )

    def refuse_unconfirmed(self, draft: Draft) -> None:
        """With every answer given there is nobody to confirm a server that was found. Raises `CommandError`."""
        doubt = self.doubt(draft)
        if doubt is not None:
            raise unconfirmed(doubt)

    def _server(self, draft: Draft) -> Draft:
        if draft.origin_note:
            self._out.narrate(draft.origin_note)
        if regions := regions_left(draft, self._invocation.services.catalog):
            self._out.narrate(f"Each region has a server of its own: {region_hosts(regions, draft)}.")
        from smtp_wizard.flows.server_state import ServerField

        flow = self._server_flow(draft)
        ask(self._out, "Outgoing server, for example smtp.example.com", partial(_put_host, flow))
        port = ask(self._out, "Port, mostly 465 or 587", parse_port)
        flow.choose(USUAL_WAYS.get(port) or ask(self._out, "Encryption: tls, starttls or none", _parse_security))
        flow.type(ServerField.PORT, str(port))
        return self._gone_on(flow)

    def _server_flow(self, draft: Draft) -> ServerFlow:
        from smtp_wizard.flows.server import ServerFlow

        auth, username = draft.connection.auth, draft.connection.username
        begun = (
            draft if draft.connection.provider else draft.with_provider(custom_provider(self._invocation), Origin.HAND)
        )
        named = begun.with_sign_in(username or begun.connection.username, begun.secret)
        services = self._invocation.services
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

        leads = run(flow.act(ServerOffer.USE), self._watch, self._undone)
        if flow.state.question is ServerQuestion.CLEARTEXT:
            sends = self._given.how_deep is not Depth.SERVER
            if sends and not self._given.allow_cleartext and flow.state.card is not None:
                said = shown(" ".join(flow.state.card.lines), 400)
                agree(self._out, "cleartext", said, "Send the password unencrypted?", _CLEARTEXT_HINT)
            leads = run(flow.act(ServerOffer.YES), self._watch, self._undone)
        assert leads is not None, "nothing else is asked about a server that was typed"
        return leads.draft


MOST_REGIONS = 4
"""Regions whose servers are named; the catalogue has the rest."""


def region_hosts(regions: Sequence[CatalogEndpoint], draft: Draft) -> str:
    """Name the servers of the regions, and where the rest stands."""
    hosts = ", ".join(each.endpoint.host for each in regions[:MOST_REGIONS])
    more = f"; all: smtp-wizard providers show {draft.connection.provider}" if len(regions) > MOST_REGIONS else ""
    return f"{hosts}{more}"


def own_host(draft: Draft) -> str:
    """Return the server of the address's own domain that was found and reached; '' where there is none."""
    domain = draft.address.ascii_domain if draft.address is not None else ""
    own = (each.endpoint.host for each in draft.candidates if each.verified and belongs_to(each.endpoint.host, domain))
    return next(own, "")


_CLEARTEXT_HINT = phrase("Add --allow-cleartext-login, or use an encrypted port.")


def _some_words(text: str) -> str:
    words = parse_words(text)
    if not words:
        raise InputError(phrase("Type the user name that your provider gave you; mostly it is the address."))
    return words


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
