"""The step 'Address': which address mail comes from, and whose it is."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum

from smtp_wizard.engine.base.address import Address, AddressError, settings_file
from smtp_wizard.engine.discovery.autoconfig import Database, load_database
from smtp_wizard.engine.discovery.search import DEADLINE, DiscoveryResult
from smtp_wizard.engine.providers.catalog import Catalog
from smtp_wizard.engine.providers.provider import Provider
from smtp_wizard.engine.services.discovery import Discovery
from smtp_wizard.engine.wizard.draft import Draft, with_choice, with_found
from smtp_wizard.engine.wizard.steps import Back, Next, StepId
from smtp_wizard.flows.flow import Card, Entry, Flow, Leads, Mood, Offer, Section
from smtp_wizard.flows.stoppable import StoppableWork, Stopped
from smtp_wizard.runtime.expected_errors import EXPECTED_ERRORS
from smtp_wizard.text import address as words
from smtp_wizard.text.discovery import (
    FOLLOW_NO,
    FOLLOW_YES,
    LIST_NO,
    LIST_YES,
    is_certain,
    list_lines,
    list_may_help,
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
        self._found: tuple[Draft, DiscoveryResult] | None = None
        """What was found without the public list, or the file at another domain, while that is the question."""
        self._file = ""
        """The settings file at another domain that may be read."""
        typed = draft.typed.get("address", str(draft.address) if draft.address else "")
        entry = Entry(label=words.LABEL, text=typed, placeholder=words.PLACEHOLDER, hint=words.HINT)
        super().__init__(AddressState(address=entry))

    # -- what is typed ----------------------------------------------------------------------------------------------

    def type(self, text: str) -> None:
        """Take what stands in the field now; what was said or is being looked up of another address ends."""
        if text == self._state.address.text:
            return
        self._work.stop()
        self._file = ""
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
        if offer in (AddressOffer.ASK, AddressOffer.LEAVE_OUT) and self._found is not None:
            return await self._go_on(*self._found, ask=offer is AddressOffer.ASK)
        if offer in (AddressOffer.FOLLOW, AddressOffer.STAY) and self._found is not None:
            return await self._followed(*self._found, follow=offer is AddressOffer.FOLLOW)
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
        found = await self._searched(address)
        if found is None:
            return None
        if found.redirect and not is_certain(found):
            self._ask_redirect(draft, found)
            return None
        return self._concluded(draft, found)

    async def _followed(self, draft: Draft, found: DiscoveryResult, *, follow: bool) -> Leads | None:
        """Read the settings file at the other domain, or leave it out."""
        assert draft.address is not None, "it was looked up"
        self._file = found.redirect if follow else self._file
        there = await self._searched(draft.address, file=found.redirect) if follow else found
        return self._concluded(draft, there) if there is not None else None

    def _concluded(self, draft: Draft, found: DiscoveryResult) -> Leads | None:
        """Go on with what was found; where that is not certain, ask whether a public list may be looked in."""
        if list_may_help(found):
            self._ask_list(draft, found)
            return None
        return Next(with_found(draft, found, self._catalog))

    async def _go_on(self, draft: Draft, found: DiscoveryResult, *, ask: bool) -> Leads | None:
        """Go on with what was found, or with what the public list adds to it."""
        assert draft.address is not None, "it was looked up"
        listed = await self._searched(draft.address, public_list=True) if ask else found
        return Next(with_found(draft, listed, self._catalog)) if listed is not None else None

    async def _searched(self, address: Address, *, public_list: bool = False, file: str = "") -> DiscoveryResult | None:
        """Return what is found; None where it was stopped, or failed, which is said."""

        def tell(line: str) -> None:
            self._show_running(address, line)

        if self._catalog.by_domain(address.ascii_domain) is None:
            tell("")
        file = file or self._file or settings_file(self._state.address.text)
        search = self._discovery.find_settings(address, public_list=public_list, file=file, tell=tell)
        try:
            return await self._work.run(search)
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

    # -- states -----------------------------------------------------------------------------------------------------

    def _ask_address(self, text: str | None = None, *, error: str = "") -> None:
        """Ask for the address, with nothing said but what is wrong with it."""
        self._found = None
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

    def _ask_redirect(self, draft: Draft, found: DiscoveryResult) -> None:
        self._found = (draft, found)
        domain = draft.address.domain if draft.address is not None else ""
        card = Card(mood=Mood.TOLD, title=redirect_title(found), lines=redirect_lines(domain, found))
        offers = (
            Offer(AddressOffer.STAY, FOLLOW_NO, chip="Go on"),
            Offer(AddressOffer.FOLLOW, FOLLOW_YES, chip="Read it"),
            BACK,
        )
        self._show(replace(self._state, question=AddressQuestion.REDIRECT, card=card, offers=offers, running=False))

    def _ask_list(self, draft: Draft, found: DiscoveryResult) -> None:
        self._found = (draft, found)
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
