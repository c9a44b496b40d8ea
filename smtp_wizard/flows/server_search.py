"""The search for the server of one address: what is asked on the way, on every face alike.

The domain's own settings may lie at another domain, and a public list may know a server that nothing else names. Each
of them learns that somebody sets up a mailbox of this domain, so each is asked about where it may help, and only then.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Protocol

from smtp_wizard.engine.discovery.discovery_result import DiscoveryResult
from smtp_wizard.text.discovery import is_certain, list_may_help


class SearchQuestion(StrEnum):
    """What is asked before it is searched any further."""

    REDIRECT = "redirect"
    """Whether the settings may be read at the other domain where they lie."""
    LIST = "list"
    """Whether the public list may be asked."""


class Searches(Protocol):
    """Searches once."""

    async def __call__(self, *, public_list: bool, file: str) -> DiscoveryResult:
        """Return what is found. `public_list`: that is asked too; `file`: the settings file to read, '' where none."""
        ...


class ServerSearch:
    """One search. `begin` it, and `answer` as long as there is a question."""

    def __init__(
        self, search: Searches, *, file: str = "", follows: bool | None = None, asks_list: bool | None = None
    ) -> None:
        """`file`: a settings file that the person named.

        `follows`, `asks_list`: what the person has said to either question already; None: each is asked where the
        answer may help.
        """
        self._search = search
        self._file = file
        self._follows = follows
        self._asks_list = asks_list
        self._found: DiscoveryResult | None = None
        self.question: SearchQuestion | None = None
        """What is asked now; None while nothing is."""

    @property
    def searched(self) -> bool:
        """Whether anything was searched yet, so that `found` may be asked for."""
        return self._found is not None

    @property
    def found(self) -> DiscoveryResult:
        """What was found so far; it was searched."""
        assert self._found is not None, "it was searched"
        return self._found

    async def begin(self) -> None:
        """Search. Raises what the search raises."""
        found = self._found = await self._once(public_list=self._asks_list is True, file=self._file)
        if found.redirect and self._follows is not None:
            await self._led(follow=self._follows)
        elif found.redirect and not is_certain(found):
            self.question = SearchQuestion.REDIRECT
        else:
            self._conclude()

    async def answer(self, yes: bool) -> None:
        """Take the answer to the question, and search further after a yes.

        Raises what the search raises; then, and where it is cancelled, the same is asked as before.
        """
        if self.question is SearchQuestion.REDIRECT:
            await self._led(follow=yes)
        elif self.question is SearchQuestion.LIST and yes:
            await self.look_in_list()
        else:
            self.question = None

    async def look_in_list(self) -> None:
        """Search once more, in the public list too, after the person's yes. Raises what the search raises."""
        self._found = await self._once(public_list=True, file=self._file)
        self.question, self._asks_list = None, True

    async def _led(self, *, follow: bool) -> None:
        file = self.found.redirect
        if follow:
            self._found = await self._once(public_list=self._asks_list is True, file=file)
            self._file = file
        self._conclude()

    def _conclude(self) -> None:
        asks = self._asks_list is None and list_may_help(self.found)
        self.question = SearchQuestion.LIST if asks else None

    async def _once(self, *, public_list: bool, file: str) -> DiscoveryResult:
        return await self._search(public_list=public_list, file=file)
