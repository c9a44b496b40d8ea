"""The server that a command finds for an address, and what confirms it where no screen asks."""

from __future__ import annotations

from collections.abc import Callable

from smtp_wizard.commands.invocation import Invocation
from smtp_wizard.commands.options.connection import ConnectionOptions
from smtp_wizard.engine.base.address import Address
from smtp_wizard.engine.base.endpoint import Security
from smtp_wizard.engine.base.shown import phrase
from smtp_wizard.engine.discovery.search import DiscoveryResult
from smtp_wizard.engine.wizard.draft import Draft, with_candidate, with_found
from smtp_wizard.engine.wizard.server_confirmation import UnconfirmedServer, doubt_about
from smtp_wizard.runtime.exits import CommandError
from smtp_wizard.runtime.output import Output
from smtp_wizard.runtime.questions import agree
from smtp_wizard.runtime.running import Stopwatch, run
from smtp_wizard.text.discovery import CONFIRM_SHORT, doubt_ways_on, doubt_words

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
    ) -> None:
        """`undone` says what was not done when it is interrupted; `accept_found`: the person said `--accept-found`."""
        self._invocation = invocation
        self._connection = connection
        self._watch = watch
        self._undone = undone
        self._accept_found = accept_found

    def found(self, draft: Draft, address: Address) -> Draft:
        """Return the draft with what is found; the public list is asked only for `--accept-found`, where it must be."""
        found = self._looked_up(draft, address, public_list=False)
        if not self._accept_found or found.maybe:
            return found
        accepted = self._accepted(found)
        if accepted is not None:
            return accepted
        listed = self._looked_up(draft, address, public_list=True)
        return self._accepted(listed) or (found if found.connection.endpoint is not None else listed)

    def _looked_up(self, draft: Draft, address: Address, *, public_list: bool) -> Draft:
        services, options = self._invocation.services, self._connection

        async def look() -> DiscoveryResult:
            async with self._watch.bound():
                return await services.discovery.find_settings(address, public_list=public_list, options=options)

        return with_found(draft, run(look(), self._watch, self._undone), services.catalog)

    def _accepted(self, found: Draft) -> Draft | None:
        """Return the draft with the best server that `--accept-found` takes; None where there is none."""
        services = self._invocation.services
        if found.connection.endpoint is not None and doubt_about(found, services.catalog) is None:
            return found
        published = (each for each in found.candidates if each.published)
        taken = next((each for each in published if each.endpoint.security is not Security.NONE), None)
        return with_candidate(found, services.catalog, taken).confirmed() if taken is not None else None


def agreed(out: Output, draft: Draft, doubt: UnconfirmedServer) -> Draft:
    """Ask whether a server that was found is the right one. Raises `CommandError` where the answer is no."""
    agree(out, UNCONFIRMED, doubt_words(doubt), CONFIRM_SHORT, doubt_ways_on(doubt))
    return draft.confirmed()


def unconfirmed(doubt: UnconfirmedServer) -> CommandError:
    """Return the error for a server that was found where nobody is asked."""
    return CommandError(UNCONFIRMED, phrase("{} No password was sent.", doubt_words(doubt)), doubt_ways_on(doubt))
