"""The search for a server without a face: what is asked on the way, and what was said beforehand."""

from __future__ import annotations

import asyncio

import pytest

from smtp_wizard.engine.base.data_files import DataError
from smtp_wizard.engine.base.endpoint import Endpoint, Security
from smtp_wizard.engine.base.shown import phrase
from smtp_wizard.engine.discovery.candidate import Candidate, FoundBy
from smtp_wizard.engine.discovery.discovery_result import DiscoveryResult
from smtp_wizard.flows.server_search import SearchQuestion, ServerSearch

ELSEWHERE = "https://provider.example/mail.xml"
NOTHING = DiscoveryResult(provider=None, source=FoundBy.GUESS, note="")
LED = DiscoveryResult(provider=None, source=FoundBy.GUESS, note="", redirect=ELSEWHERE)
SERVER = Candidate(
    endpoint=Endpoint("smtp.firm.example", 465, Security.TLS),
    username="ana@firm.example",
    source=FoundBy.AUTOCONFIG,
    trust=0.9,
    note="",
    verified=True,
)
FOUND = DiscoveryResult(provider=None, source=FoundBy.AUTOCONFIG, note="", candidates=(SERVER,))
CERTAIN_AND_LED = DiscoveryResult(
    provider=None, source=FoundBy.AUTOCONFIG, note="", candidates=(SERVER,), redirect=ELSEWHERE
)


class Searches:
    """Finds these, one after the other; remembers what it was asked."""

    def __init__(self, *results: DiscoveryResult | Exception) -> None:
        self.results = list(results)
        self.asked: list[tuple[bool, str]] = []

    async def __call__(self, *, public_list: bool, file: str) -> DiscoveryResult:
        self.asked.append((public_list, file))
        result = self.results.pop(0)
        if isinstance(result, Exception):
            raise result
        return result


def asks(search: ServerSearch) -> SearchQuestion | None:
    """What is asked now, which the next answer changes."""
    return search.question


async def test_what_is_certain_is_asked_about_no_further() -> None:
    searches = Searches(FOUND)
    search = ServerSearch(searches)
    await search.begin()
    assert (asks(search), search.found, searches.asked) == (None, FOUND, [(False, "")])


async def test_a_redirect_is_asked_about_then_the_list_and_each_learns_after_a_yes_alone() -> None:
    searches = Searches(LED, NOTHING, FOUND)
    search = ServerSearch(searches)
    await search.begin()
    assert asks(search) is SearchQuestion.REDIRECT
    await search.answer(True)
    assert asks(search) is SearchQuestion.LIST
    await search.answer(True)
    assert (asks(search), search.found) == (None, FOUND)
    assert searches.asked == [(False, ""), (False, ELSEWHERE), (True, ELSEWHERE)], (
        "the file is read again with the list"
    )


async def test_after_two_times_no_nobody_else_was_asked() -> None:
    searches = Searches(LED)
    search = ServerSearch(searches)
    await search.begin()
    await search.answer(False)
    assert asks(search) is SearchQuestion.LIST
    await search.answer(False)
    assert (asks(search), search.found, len(searches.asked)) == (None, LED, 1)


async def test_a_redirect_that_nobody_needs_is_asked_about_only_where_it_was_wished_for() -> None:
    asked, wished = ServerSearch(Searches(CERTAIN_AND_LED)), Searches(CERTAIN_AND_LED, FOUND)
    await asked.begin()
    assert asks(asked) is None
    await ServerSearch(wished, follows=True).begin()
    assert wished.asked == [(False, ""), (False, ELSEWHERE)]


@pytest.mark.parametrize(
    ("follows", "asks_list", "asked"),
    [
        (False, False, [(False, "")]),
        (True, False, [(False, ""), (False, ELSEWHERE)]),
        (False, True, [(True, "")]),
        (True, True, [(True, ""), (True, ELSEWHERE)]),
    ],
)
async def test_what_was_said_beforehand_is_not_asked(
    follows: bool, asks_list: bool, asked: list[tuple[bool, str]]
) -> None:
    searches = Searches(LED, NOTHING)
    search = ServerSearch(searches, follows=follows, asks_list=asks_list)
    await search.begin()
    assert (asks(search), searches.asked) == (None, asked)


async def test_a_file_that_was_named_is_read_from_the_beginning() -> None:
    searches = Searches(NOTHING, FOUND)
    search = ServerSearch(searches, file=ELSEWHERE, follows=False)
    await search.begin()
    await search.answer(True)
    assert searches.asked == [(False, ELSEWHERE), (True, ELSEWHERE)]


async def test_a_search_that_fails_or_is_stopped_asks_the_same_again() -> None:
    searches = Searches(LED, DataError(phrase("It fails on purpose.")), FOUND)
    search = ServerSearch(searches)
    await search.begin()
    with pytest.raises(DataError):
        await search.answer(True)
    assert (asks(search), search.found) == (SearchQuestion.REDIRECT, LED)
    stopped = asyncio.ensure_future(search.answer(True))
    stopped.cancel()
    with pytest.raises(asyncio.CancelledError):
        await stopped
    assert asks(search) is SearchQuestion.REDIRECT
    await search.answer(True)
    assert search.found is FOUND
