"""The step 'Address': which address mail comes from, and whose it is."""

from __future__ import annotations

from collections.abc import Coroutine, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from functools import partial
from typing import Any

from smtp_wizard.engine.base.address import Address, AddressError, settings_file
from smtp_wizard.engine.discovery.autoconfig import Database, load_database
from smtp_wizard.engine.discovery.search import DEADLINE, DiscoveryResult
from smtp_wizard.engine.providers.catalog import Catalog
from smtp_wizard.engine.providers.provider import Provider
from smtp_wizard.engine.services.discovery import Discovery
from smtp_wizard.engine.wizard.draft import Draft, with_choice, with_found
from smtp_wizard.engine.wizard.steps import Back, Next, StepId
from smtp_wizard.flows.flow import Card, Entry, Flow, Leads, Mood, Offer, Section
from smtp_wizard.flows.server_search import Searches, SearchQuestion, ServerSearch
from smtp_wizard.flows.stoppable import StoppableWork, Stopped
from smtp_wizard.runtime.expected_errors import EXPECTED_ERRORS
from smtp_wizard.text import address as words
from smtp_wizard.text.discovery import (
    FOLLOW_NO,
    FOLLOW_YES,
    LIST_NO,
    LIST_YES,
    list_lines,
    list_title,
    redirect_lines,
    redirect_title,
)


class AddressOffer(StrEnum):
    """What a person may do at the first step."""

    FIND = "find"
    PRACTISE = "practise"
    MEANT = "meant"
    KEEP = "keep"
    FOLLOW = "follow"
    STAY = "stay"
    ASK = "ask"
    LEAVE_OUT = "leave-out"
    BACK = "back"


class AddressQuestion(StrEnum):
    """What is asked now."""

    ADDRESS = "address"
    SPELLING = "spelling"
    """Whether the ending is misspelt."""
    REDIRECT = "redirect"
    """Whether the domain's settings file may be read at another domain, to which it leads."""
    LIST = "list"
    """Whether a public list may be asked, which then learns the domain."""


ANSWERS: Mapping[AddressOffer, SearchQuestion] = {
    AddressOffer.FOLLOW: SearchQuestion.REDIRECT,
    AddressOffer.STAY: SearchQuestion.REDIRECT,
    AddressOffer.ASK: SearchQuestion.LIST,
    AddressOffer.LEAVE_OUT: SearchQuestion.LIST,
}
"""Which question of a search an offer answers."""

FIND = Offer(AddressOffer.FIND, "Find my server")
PRACTISE = Offer(AddressOffer.PRACTISE, "Practise", key="F3")
BACK = Offer(AddressOffer.BACK, "Back", key="Esc")


SECTIONS = (Section("What this does", (words.WHY,)), Section("What it never does", (words.NEVER,)))


@dataclass(frozen=True, slots=True, kw_only=True)
class AddressState:
    """All that a face shows of the step."""

    address: Entry
    question: AddressQuestion = AddressQuestion.ADDRESS
    card: Card | None = None
    """The question in the midst of the step; what is being looked up; what went wrong."""
    offers: tuple[Offer[AddressOffer], ...] = (FIND, PRACTISE, BACK)
    """The first is what Enter takes. Of a question they are the answers, the one that is marked at first in front."""
    running: bool = False
    sections: tuple[Section, ...] = SECTIONS


class AddressFlow(Flow[AddressState, AddressOffer, Leads]):
    """Takes an address; a misspelt ending is offered back, and the provider is looked up before the next step."""

    def __init__(self, draft: Draft, *, catalog: Catalog, discovery: Discovery) -> None:
        """Begin with the address that the draft has, or with what was typed there and was none."""
        self._draft = draft
        self._catalog = catalog
        self._discovery = discovery
        self._work = StoppableWork()
        self._kept = draft.address.domain if draft.address else ""
        """The ending that is meant as it stands, although it looks misspelt."""
        self._search: tuple[Draft, ServerSearch] | None = None
        """The search whose question stands there, with the draft that it is for."""
        typed = draft.typed.get("address", str(draft.address) if draft.address else "")
        entry = Entry(label=words.LABEL, text=typed, placeholder=words.PLACEHOLDER, hint=words.HINT)
        super().__init__(AddressState(address=entry))

    # -- what is typed ----------------------------------------------------------------------------------------------

    def type(self, text: str) -> None:
        """Take what stands in the field now; what was said or is being looked up of another address ends."""
        if text == self._state.address.text:
            return
        self._work.stop()
        self._ask_address(text)

    def stop(self) -> bool:
        """Stop the look-up; return whether there was one."""
        running = self._work.running
        self._work.stop()
        return running

    def collected(self) -> Draft:
        """Return the draft with what was typed so far, right or wrong."""
        text = self._state.address.text
        try:
            return self._with(Address.parse(text))
        except AddressError:
            return self._draft.with_typed("address", text)

    def _with(self, address: Address) -> Draft:
        return self._draft.with_address(address).with_typed("address", None)

    # -- what is done -----------------------------------------------------------------------------------------------

    async def act(self, offer: AddressOffer) -> Leads | None:
        """As `Flow.act`."""
        if offer is AddressOffer.BACK:
            return self._back()
        if offer is AddressOffer.PRACTISE:
            return self._practised()
        if offer in ANSWERS and self._search is not None and self._search[1].question is ANSWERS[offer]:
            return await self._answered(*self._search, yes=offer in (AddressOffer.ASK, AddressOffer.FOLLOW))
        address = self._parsed()
        if address is None:
            return None
        if offer is AddressOffer.KEEP:
            self._kept = address.domain
        meant = self._catalog.suggest(address.domain) if address.domain != self._kept else None
        if offer is AddressOffer.MEANT and meant:
            address = Address(address.local, meant)
            self._ask_address(str(address))
        elif meant:
            self._ask_spelling(address, meant)
            return None
        return await self._look_up(address)

    def _practised(self) -> Leads:
        """Go to the practice mailbox: whoever wants that is not asked whether it is the right provider."""
        address = Address.parse(words.practice_address(self._catalog.providers))
        self._ask_address(str(address))
        return self._with_practice(self._with(address), self._catalog.by_domain(address.ascii_domain))

    def _with_practice(self, draft: Draft, practice: Provider | None) -> Leads:
        return Next(with_choice(draft, self._catalog, practice), past=StepId.PROVIDER)

    def _back(self) -> Leads | None:
        """Leave a question in the midst of the step for the address; else the step."""
        if self._state.question is AddressQuestion.ADDRESS:
            return Back(self.collected())
        self._ask_address()
        return None

    def _parsed(self) -> Address | None:
        """Return the address that was typed; None where it is none, which is said at the field."""
        try:
            return Address.parse(self._state.address.text)
        except AddressError as problem:
            self._ask_address(error=str(problem))
            return None

    async def _look_up(self, address: Address) -> Leads | None:
        """Find the provider: at once where the ending is known, else from the DNS and what the domain publishes."""
        draft = self._with(address)
        known = self._catalog.by_domain(address.ascii_domain)
        if draft.connection.provider is not None:
            return Next(draft, past=StepId.PROVIDER if words.is_practice(known) else None)
        if words.is_practice(known):
            return self._with_practice(draft, known)
        search = ServerSearch(self._searching(address), file=settings_file(self._state.address.text))
        self._search = None
        if self._catalog.by_domain(address.ascii_domain) is None:
            self._show_running(address, "")
        return await self._went_on(draft, address, search, search.begin())

    def _searching(self, address: Address) -> Searches:
        async def search(*, public_list: bool, file: str) -> DiscoveryResult:
            return await self._discovery.find_settings(
                address, public_list=public_list, file=file, tell=partial(self._show_running, address)
            )

        return search

    async def _answered(self, draft: Draft, search: ServerSearch, *, yes: bool) -> Leads | None:
        """Take the answer to the question of a search, and go on with it."""
        assert draft.address is not None, "it was looked up"
        if yes:
            self._show_running(draft.address, "")
        return await self._went_on(draft, draft.address, search, search.answer(yes))

    async def _went_on(
        self, draft: Draft, address: Address, search: ServerSearch, work: Coroutine[Any, Any, None]
    ) -> Leads | None:
        """Search; ask what is to be asked then, else go on with what was found. None too where it was stopped."""
        try:
            await self._work.run(work)
        except EXPECTED_ERRORS as problem:
            self._ask_address()
            failed = Card(mood=Mood.FAILED, title="This could not be looked up", lines=(str(problem),))
            self._show(replace(self._state, card=failed))
            return None
        except BaseException as ended:
            if self._state.running:  # else another address is typed already
                self._ask_address()
            if not isinstance(ended, Stopped):
                raise
            return None
        match search.question:
            case SearchQuestion.REDIRECT:
                self._ask_redirect(draft, search)
            case SearchQuestion.LIST:
                self._ask_list(draft, search)
            case None:
                return Next(with_found(draft, search.found, self._catalog))
        return None

    # -- states -----------------------------------------------------------------------------------------------------

    def _ask_address(self, text: str | None = None, *, error: str = "") -> None:
        """Ask for the address, with nothing said but what is wrong with it."""
        self._search = None
        entry = replace(self._state.address, error=error)
        if text is not None:
            entry = replace(entry, text=text)
        self._show(AddressState(address=entry))

    def _ask_spelling(self, address: Address, meant: str) -> None:
        card = Card(
            mood=Mood.WARNED, title=words.meant_question(meant), lines=(words.unknown_words(address.domain, meant),)
        )
        offers = (
            Offer(AddressOffer.MEANT, f"Yes: {Address(address.local, meant)}", chip=f"Use {meant}"),
            Offer(AddressOffer.KEEP, f"No: keep {address.domain}", chip=f"Keep {address.domain}"),
        )
        why = (Section("Why we ask", (words.near_words(address.domain, meant),)),)
        asked = replace(self._state, question=AddressQuestion.SPELLING, card=card, offers=(*offers, BACK), sections=why)
        self._show(replace(asked, address=replace(asked.address, error="")))

    def _ask_redirect(self, draft: Draft, search: ServerSearch) -> None:
        self._search, found = (draft, search), search.found
        domain = draft.address.domain if draft.address is not None else ""
        card = Card(mood=Mood.TOLD, title=redirect_title(found), lines=redirect_lines(domain, found))
        offers = (
            Offer(AddressOffer.STAY, FOLLOW_NO, chip="Go on"),
            Offer(AddressOffer.FOLLOW, FOLLOW_YES, chip="Read it"),
            BACK,
        )
        self._show(replace(self._state, question=AddressQuestion.REDIRECT, card=card, offers=offers, running=False))

    def _ask_list(self, draft: Draft, search: ServerSearch) -> None:
        self._search = (draft, search)
        database: Database = load_database()
        card = Card(mood=Mood.TOLD, title=list_title(database), lines=list_lines(draft, database))
        offers = (
            Offer(AddressOffer.LEAVE_OUT, LIST_NO, chip="Go on"),
            Offer(AddressOffer.ASK, LIST_YES, chip="Ask it"),
            BACK,
        )
        self._show(replace(self._state, question=AddressQuestion.LIST, card=card, offers=offers, running=False))

    def _show_running(self, address: Address, line: str) -> None:
        card = Card(
            mood=Mood.RUNNING,
            title=f"Looking for the server of {address.domain}",
            lines=(line,) if line else (),
            foot="Esc stops",
            seconds=int(DEADLINE),
        )
        state = replace(self._state, question=AddressQuestion.ADDRESS, card=card, offers=(BACK,), running=True)
        self._show(replace(state, address=replace(state.address, error="")))
