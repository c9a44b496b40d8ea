"""The server that a command finds for an address, and what confirms it where no screen asks."""

from __future__ import annotations

from collections.abc import Callable

from smtp_wizard.commands.invocation import Invocation
from smtp_wizard.commands.options.connection import ConnectionOptions
from smtp_wizard.engine.base.address import Address
from smtp_wizard.engine.base.shown import phrase
from smtp_wizard.engine.discovery.candidate import FoundBy
from smtp_wizard.engine.discovery.search import DiscoveryResult
from smtp_wizard.engine.wizard.draft import Draft, with_found
from smtp_wizard.engine.wizard.trusted_servers import UnconfirmedServer, with_accepted
from smtp_wizard.flows.server_search import Searches, ServerSearch
from smtp_wizard.runtime.exit_codes import CommandError
from smtp_wizard.runtime.output import Output
from smtp_wizard.runtime.questions import agree
from smtp_wizard.runtime.running import Stopwatch, run
from smtp_wizard.text.discovery import CONFIRM_SHORT, doubt_ways_on, doubt_words, follow_words

UNCONFIRMED = "server-not-confirmed"
"""The code of the error where a password would go to a server that nobody has confirmed."""


class Search:
    """Finds the server of an address within the time of a command."""

    def __init__(
        self,
        invocation: Invocation,
        connection: ConnectionOptions,
        watch: Stopwatch,
        undone: Callable[[], str],
        *,
        accept_found: bool,
        follows: bool,
    ) -> None:
        """`undone` says what was not done when it is interrupted; `accept_found`: the person said `--accept-found`.

        `follows`: they said `--follow`.
        """
        self._follows = follows
        self._invocation = invocation
        self._connection = connection
        self._watch = watch
        self._undone = undone
        self._accept_found = accept_found
        self.source = FoundBy.NONE
        """Who named the provider, or the several that it may be."""

    def found(self, draft: Draft, address: Address) -> Draft:
        """Return the draft with what is found; the public list is asked only for `--accept-found`, where it must be."""
        catalog = self._invocation.services.catalog
        search = ServerSearch(self._searching(address), follows=self._follows, asks_list=False)
        run(search.begin(), self._watch, self._undone)
        if search.found.redirect:
            self._invocation.out.narrate(follow_words(address.domain, search.found))
        self.source = search.found.source
        found = with_found(draft, search.found, catalog)
        if not self._accept_found or found.maybe:
            return found
        accepted = with_accepted(found, catalog)
        if accepted is not None:
            return accepted
        run(search.look_in_list(), self._watch, self._undone)
        listed = with_found(draft, search.found, catalog)
        return with_accepted(listed, catalog) or (found if found.connection.endpoint is not None else listed)

    def mail_hosts(self, address: Address) -> tuple[str, ...]:
        """Return the hosts that receive the mail of an address's domain; none where that is not found out."""

        async def looked_up() -> tuple[str, ...]:
            async with self._watch.bound():
                return await self._invocation.services.discovery.mail_hosts(address)

        return run(looked_up(), self._watch, self._undone)

    def _searching(self, address: Address) -> Searches:
        async def search(*, public_list: bool, file: str) -> DiscoveryResult:
            async with self._watch.bound():
                return await self._invocation.services.discovery.find_settings(
                    address, public_list=public_list, file=file, options=self._connection
                )

        return search


def agreed(out: Output, draft: Draft, doubt: UnconfirmedServer) -> Draft:
    """Ask whether a server that was found is the right one. Raises `CommandError` where the answer is no."""
    agree(out, UNCONFIRMED, doubt_words(doubt), CONFIRM_SHORT, doubt_ways_on(doubt))
    return draft.confirmed()


def unconfirmed(doubt: UnconfirmedServer) -> CommandError:
    """Return the error for a server that was found where nobody is asked."""
    return CommandError(UNCONFIRMED, phrase("{} No password was sent.", doubt_words(doubt)), doubt_ways_on(doubt))
