"""The step 'Save' without a face: name, what the account is for, and where its password is kept.

The best place that works here is chosen, unless the person chose one. What would replace or displace another account
is asked first; a place that takes no password leads to the others.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import Generic, Protocol, TypeVar

from smtp_wizard.engine.accounts.account import Account, parse_name
from smtp_wizard.engine.accounts.saved_accounts import Displaces, NameTaken, SavedAccounts
from smtp_wizard.engine.base.characters import parse_words
from smtp_wizard.engine.base.connection import Auth
from smtp_wizard.engine.base.errors import InputError
from smtp_wizard.engine.base.identity import Scope
from smtp_wizard.engine.providers.catalog import Catalog
from smtp_wizard.engine.secrets.reference_stores import variable_for
from smtp_wizard.engine.secrets.secret_store import Availability, SecretError
from smtp_wizard.engine.secrets.store_kinds import StoreKind
from smtp_wizard.engine.secrets.stores import SecretStores
from smtp_wizard.engine.services.tokens import keepable
from smtp_wizard.engine.wizard.account_draft import suggested_name
from smtp_wizard.engine.wizard.draft import Draft
from smtp_wizard.engine.wizard.sending_application import ApplicationScreen
from smtp_wizard.engine.wizard.steps import Back, Next
from smtp_wizard.flows.flow import Card, Entry, Flow, Leads, Mood, Offer, Section
from smtp_wizard.flows.vault import UnlockVault, VaultOpened, needs_opening
from smtp_wizard.runtime.expected_errors import EXPECTED_ERRORS
from smtp_wizard.text import save as words
from smtp_wizard.text.stores import WAY_HINTS, WAY_LABELS, WAY_PARSERS
from smtp_wizard.text.wizard import STORE_TITLES

BEST_FIRST = (StoreKind.KEYRING, StoreKind.VAULT, StoreKind.SESSION)
"""The places that keep a password without anything of the person's own, the best first."""

V = TypeVar("V")


class SavesAccounts(Protocol):
    """What is needed of `Accounts`."""

    async def save(self, draft: Draft, *, replacing: bool = False, displacing: bool = False) -> Account: ...

    async def refuse_collisions(self, draft: Draft, *, replacing: bool = False, displacing: bool = False) -> None: ...


class SaveField(StrEnum):
    """What is typed at this step."""

    NAME = "name"
    SENDER_NAME = "sender-name"
    WAY = "way"
    """The way to a password that is kept elsewhere."""


class SavePhase(StrEnum):
    """Which question is asked now."""

    ASKING = "asking"
    PLACES = "places"
    WAY = "way"
    TAKEN = "taken"
    DISPLACES = "displaces"


class SaveOffer(StrEnum):
    """What may be done at this step. A place for the password is chosen by its `StoreKind`."""

    SAVE = "save"
    AGREE = "agree"
    """Ask now what saving would ask, and save nothing: for whoever tries the account first."""
    PLACE = "place"
    """Choose another place for the password."""
    KEEP_THERE = "keep-there"
    """Take the way in the field."""
    RENAME = "rename"
    REPLACE = "replace"
    GENERAL = "general"
    """Let this account send general mail only."""
    DISPLACE = "displace"
    BACK = "back"


@dataclass(frozen=True, slots=True)
class Option(Generic[V]):
    """One of a few words to choose from."""

    value: V
    words: str
    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class SaveState:
    """All that a face shows of this step."""

    phase: SavePhase
    question: str
    name: Entry
    sender_name: Entry
    scope_label: str
    scopes: tuple[Option[Scope], ...]
    scope: Scope
    company_label: str
    companies: tuple[Option[bool], ...]
    company: bool
    place: StoreKind | None = None
    """Where the password is kept; None: there is none, or it is still being tried out."""
    place_line: str = ""
    """The same in one line, with what it means for timed jobs; it follows the word 'Password'."""
    way: Entry | None = None
    """The way to a password that is kept elsewhere, where such a place is chosen."""
    card: Card | None = None
    offers: tuple[Offer[StrEnum], ...] = ()
    """The first is what Enter takes; at `SavePhase.PLACES` the places, at `TAKEN` and `DISPLACES` the answers."""
    sections: tuple[Section, ...] = ()
    running: str = ""
    """What is being done, while nothing can be answered."""


def best_place(found: Mapping[StoreKind, Availability], *, practice: bool = False) -> StoreKind:
    """Return the best place for a password that works here: the key store, else the vault, else nowhere.

    For the practice password, which is no secret, nobody is asked to think of a passphrase.
    """
    best = [kind for kind in BEST_FIRST if not (practice and kind is StoreKind.VAULT)]
    return next((kind for kind in best if kind in found and found[kind].ok), StoreKind.SESSION)


class SaveFlow(Flow[SaveState, StrEnum, Leads]):
    """Asks for what is needed to save an account, and saves it."""

    def __init__(
        self,
        draft: Draft,
        *,
        accounts: SavesAccounts,
        stores: SecretStores,
        saved_accounts: SavedAccounts,
        catalog: Catalog,
        screen: ApplicationScreen,
        now: Callable[[], datetime],
        place_named: bool = False,
        agreed: bool = False,
    ) -> None:
        """`screen`: of the application that the account is for.

        `place_named`: the place that the draft has was named by the person, and is taken whatever becomes of it.
        `agreed`: what is saved already may be replaced, and another account for all mail give way.
        """
        # Whoever comes back from the end changes the account that was saved there.
        self.draft = replace(draft, saved=None, editing=draft.saved or draft.editing)
        """The answers, with those of this step."""
        self.vault: UnlockVault | None = None
        """Asks for the vault's passphrase, while that must be opened first; `opened` takes what comes of it."""
        self._accounts = accounts
        self._stores = stores
        self._provider = catalog.get(draft.connection.provider)
        self._screen = screen
        self._now = now
        self._name = draft.typed.get("name", draft.name or suggested_name(draft, catalog, saved_accounts))
        self._way = draft.where or self._usual_way(draft.store)
        self._errors: dict[SaveField, str] = {}
        self._found: Mapping[StoreKind, Availability] | None = None
        self._probing = asyncio.Lock()
        self._place_named = place_named and draft.store is not None
        self._replacing = self._displacing = agreed
        self._saves = True
        """Whether what is asked about is saved after the answer."""
        self.problem: Exception | None = None
        """What a service has raised against the last thing that was to be done; the state says it."""
        super().__init__(self._asking())

    @property
    def keeps_password(self) -> bool:
        """Whether there is a password, or a sign-in, to be kept."""
        return self.draft.connection.auth is not Auth.NONE

    # -- what is asked ----------------------------------------------------------------------------------------------

    def _asking(self, card: Card | None = None) -> SaveState:
        elsewhere: Offer[StrEnum] = Offer(SaveOffer.PLACE, words.ELSEWHERE, key="F9", chip=words.CHANGE_PLACE)
        return SaveState(
            phase=SavePhase.ASKING,
            question=words.QUESTION,
            name=Entry(label=words.NAME, text=self._name, error=self._errors.get(SaveField.NAME, "")),
            sender_name=Entry(
                label=words.SENDER_NAME,
                text=self.draft.identity.sender_name,
                placeholder=words.SENDER_NAME_PLACEHOLDER,
                hint=words.SENDER_NAME_HINT,
                error=self._errors.get(SaveField.SENDER_NAME, ""),
            ),
            scope_label=words.scope_label(self._screen.application),
            scopes=tuple(Option(each, each.words, words.scope_note(each, self._provider)) for each in Scope),
            scope=self.draft.scope,
            company_label=self._screen.labels.company,
            companies=(
                Option(False, words.COMPANY_NO),
                Option(True, words.company_yes(self.draft.from_address)),
            ),
            company=self.draft.identity.update_company,
            place=self.draft.store if self.keeps_password else None,
            place_line=self._place_line(),
            way=self._way_entry(),
            card=card,
            offers=(Offer(SaveOffer.SAVE, words.SAVE), *((elsewhere,) if self.keeps_password else ())),
            sections=self._sections(),
        )

    def _place_line(self) -> str:
        if not self.keeps_password:
            return words.NO_PASSWORD
        return words.PLACE_LINES[self.draft.store] if self.draft.store is not None else words.TRYING

    def _way_entry(self) -> Entry | None:
        kind = self.draft.store
        if kind is None or not kind.is_reference:
            return None
        return Entry(
            label=WAY_LABELS[kind],
            text=self._way,
            hint=f"for example {WAY_HINTS[kind]}",
            error=self._errors.get(SaveField.WAY, ""),
        )

    def _sections(self) -> tuple[Section, ...]:
        found = self._found or {}
        kind = self.draft.store
        place = [Section(STORE_TITLES[kind], (found[kind].words,))] if kind is not None and kind in found else []
        return (
            Section("General or all?", words.WHY_GENERAL),
            Section(self._screen.labels.company, (self._screen.company_note,)),
            *place,
            Section("Proved here", words.proved_lines(self.draft, self._now())),
            Section("This account", (words.account_line(self.draft),)),
        )

    def _places(self, card: Card | None = None) -> SaveState:
        found = self._found or {}
        rows = [Offer(kind, STORE_TITLES[kind], *self._worth(kind)) for kind in self._stores.offered()]
        broken = [each for each in rows if each.id in found and not found[StoreKind(each.id)].ok]
        offers = (*(each for each in rows if each not in broken), *broken)
        return replace(self._asking(card), phase=SavePhase.PLACES, question=words.WHICH_PLACE, offers=offers)

    def _asks_way(self) -> SaveState:
        assert self.draft.store is not None
        return replace(
            self._asking(),
            phase=SavePhase.WAY,
            question=words.WAY_QUESTIONS[self.draft.store],
            offers=(Offer(SaveOffer.KEEP_THERE, words.KEEP_THERE),),
        )

    def _worth(self, kind: StoreKind) -> tuple[str, str, str]:
        """Return what an offered place is worth, its key, and why it cannot be taken."""
        try:
            keepable(self.draft.secret, kind)
        except InputError as problem:
            return "", "", str(problem)
        found = (self._found or {}).get(kind)
        if found is not None and not found.ok:
            return "", "", found.words
        return words.PLACE_NOTES[kind], "", ""

    def _taken(self) -> SaveState:
        offers = (
            Offer(SaveOffer.RENAME, words.RENAME),
            Offer(SaveOffer.REPLACE, words.REPLACE, words.REPLACE_NOTE),
        )
        return replace(
            self._asking(), phase=SavePhase.TAKEN, question=words.taken_title(self.draft.name), offers=offers
        )

    def _displaces(self, other: str) -> SaveState:
        offers = (
            Offer(SaveOffer.GENERAL, words.KEEP_GENERAL, words.KEEP_GENERAL_NOTE),
            Offer(SaveOffer.DISPLACE, words.DISPLACE, words.displaces_words(other)),
        )
        return replace(self._asking(), phase=SavePhase.DISPLACES, question=words.displaces_title(other), offers=offers)

    # -- what is typed and chosen -----------------------------------------------------------------------------------

    def type(self, field: SaveField, text: str) -> None:
        """Take what stands in a field now; a fault that was said of it is settled. Not while it is being saved."""
        if self._state.running:
            return
        self._errors.pop(field, None)
        match field:
            case SaveField.NAME:
                self._name = text
                self._replacing = False
                self._keep_name()
            case SaveField.SENDER_NAME:
                self._identify(sender_name=text.strip())
            case SaveField.WAY:
                self._way = text
        self._redraw()

    def _keep_name(self) -> None:
        try:
            self.draft = replace(self.draft, name=parse_name(self._name)).with_typed("name", None)
        except InputError:
            self.draft = self.draft.with_typed("name", self._name)

    def _identify(self, **changed: object) -> None:
        self.draft = replace(self.draft, identity=replace(self.draft.identity, **changed))  # type: ignore[arg-type]

    def choose_scope(self, scope: Scope) -> None:
        """Say what the account is for; not while it is being saved."""
        if self._state.running:
            return
        self._displacing = False
        self.draft = replace(self.draft, scope=scope)
        self._redraw()

    def choose_company(self, yes: bool) -> None:
        """Say whether the application's address for the firm becomes this one; not while it is being saved."""
        if self._state.running:
            return
        self._identify(update_company=yes)
        self._redraw()

    def _redraw(self) -> None:
        state = self._state
        fresh = {
            SavePhase.ASKING: lambda: self._asking(state.card),
            SavePhase.PLACES: lambda: self._places(state.card),
            SavePhase.WAY: self._asks_way,
        }
        if state.phase in fresh:
            self._show(fresh[state.phase]())

    # -- where the password is kept ---------------------------------------------------------------------------------

    async def begin(self) -> None:
        """Try every place out, and choose the best that works, unless the person chose one."""
        if not self.keeps_password or self._place_named:
            return
        async with self._probing:
            if self._found is None:
                found = {kind: await self._stores.get(kind).probe() for kind in self._stores.offered()}
                self._found = found
                self._choose(found)
                self._redraw()

    def _choose(self, found: Mapping[StoreKind, Availability]) -> None:
        """A place that was chosen before stays, as long as it works here."""
        chosen = self.draft.store
        if chosen is None or not (found[chosen].ok and self._fits(chosen)):
            fitting = {kind: each for kind, each in found.items() if self._fits(kind)}
            self._keep_in(best_place(fitting, practice=self.draft.connection.sandbox is not None))

    def _fits(self, kind: StoreKind) -> bool:
        return not self._worth(kind)[2]

    def _keep_in(self, kind: StoreKind) -> None:
        """Choose a place; a way that was typed for another kind of place is of no use for it."""
        if kind is not self.draft.store:
            self._way = self._usual_way(kind)
        self.draft = self.draft.with_store(kind, self._way if kind.is_reference else "")

    def _usual_way(self, kind: StoreKind | None) -> str:
        """Return the way to a password that nobody has named: a variable is called after the account."""
        return variable_for(self.draft.name or self._name) if kind is StoreKind.ENV else ""

    # -- what is done -----------------------------------------------------------------------------------------------

    async def act(self, offer: StrEnum) -> Leads | None:
        """As `Flow.act`. A `StoreKind` chooses that place."""
        if isinstance(offer, StoreKind):
            await self._take_place(offer)
            return None
        match offer:
            case SaveOffer.SAVE | SaveOffer.AGREE:
                self._saves = offer is SaveOffer.SAVE
                return await self._save()
            case SaveOffer.REPLACE:
                self._replacing = True
                return await self._save()
            case SaveOffer.DISPLACE:
                self._displacing = True
                return await self._save()
            case SaveOffer.BACK if self._state.phase is SavePhase.ASKING:
                return Back(self.draft)
            case SaveOffer.PLACE:
                await self.begin()
                self._show(self._places())
            case _:
                self._return(offer)
        return None

    def _return(self, offer: StrEnum) -> None:
        """Go back to the fields, after a question in the midst."""
        if offer is SaveOffer.RENAME:
            self._errors[SaveField.NAME] = words.ANOTHER_NAME
        if offer is SaveOffer.GENERAL:
            self.draft = replace(self.draft, scope=Scope.GENERAL)
        if offer is SaveOffer.KEEP_THERE and self._way_refused():
            self._show(self._asks_way())
        elif offer is SaveOffer.BACK and self._state.phase is SavePhase.WAY:
            self._show(self._places())
        else:
            self._show(self._asking())

    async def _take_place(self, kind: StoreKind) -> None:
        """Keep the password there. Where only the way to it is kept, that is asked for next."""
        await self.begin()
        if not self._fits(kind):
            return
        self._keep_in(kind)
        self._show(self._asks_way() if kind.is_reference else self._asking())

    def _way_refused(self) -> bool:
        """Whether the way to the password cannot be used, which is said at its field then."""
        kind = self.draft.store
        if kind is None or not kind.is_reference:
            return False
        try:
            self.draft = self.draft.with_store(kind, WAY_PARSERS[kind](self._way))
        except InputError as problem:
            self._errors[SaveField.WAY] = str(problem)
            return True
        return False

    def _refused(self) -> bool:
        """Whether something that was typed cannot be used, which is said at its field then."""
        for field, parse in ((SaveField.NAME, self._parse_name), (SaveField.SENDER_NAME, self._parse_sender_name)):
            try:
                parse()
            except InputError as problem:
                self._errors[field] = str(problem)
        return self._way_refused() or bool(self._errors)

    def _parse_name(self) -> None:
        self.draft = replace(self.draft, name=parse_name(self._name)).with_typed("name", None)

    def _parse_sender_name(self) -> None:
        self._identify(sender_name=parse_words(self.draft.identity.sender_name))

    # -- saving -----------------------------------------------------------------------------------------------------

    async def _save(self) -> Leads | None:
        await self.begin()
        self._errors, self.problem = {}, None
        if self._refused():
            self._show(self._asks_way() if set(self._errors) == {SaveField.WAY} else self._asking())
            return None
        before = self._asking()
        self._show(replace(before, running=words.SAVING))
        try:
            return await self._saved()
        except EXPECTED_ERRORS as problem:
            self.problem = problem
            self._show(self._after(problem))
        except BaseException:
            self._show(before)
            raise
        return None

    def _after(self, problem: Exception) -> SaveState:
        """Return what is asked, or said, where something is in the way."""
        match problem:
            case NameTaken():
                return self._taken()
            case Displaces():
                return self._displaces(problem.other.name)
            case SecretError():
                lines = (str(problem), words.ANOTHER_PLACE_HELPS)
                return self._places(Card(mood=Mood.FAILED, title=words.NOT_KEPT, lines=lines))
        return self._asking(Card(mood=Mood.FAILED, title=words.NOT_SAVED, lines=(str(problem),)))

    async def _saved(self) -> Leads | None:
        """Save; None where the vault is to be opened first, or all is agreed. Raises what `Accounts.save` raises."""
        agreed = {"replacing": self._replacing, "displacing": self._displacing}
        if not self._saves:
            await self._accounts.refuse_collisions(self.draft, **agreed)
        if await needs_opening(self._stores.vault, self.draft.store, creating=True):
            self.vault = UnlockVault(self._stores.vault)
            self._show(self._asking())
            return None
        if not self._saves:
            self._show(self._asking())
            return None
        account = await self._accounts.save(self.draft, **agreed)
        self.draft = replace(self.draft, saved=account.name)
        return Next(self.draft)

    def go_on_with(self, draft: Draft) -> None:
        """Take the answers with what was proved, or signed in to, since they were given here."""
        self.draft = draft
        self._redraw()

    async def opened(self, result: VaultOpened) -> Leads | None:
        """Go on after the vault was opened, or left shut."""
        self.vault = None
        self._show(self._asking())
        if result.well:
            return await self._save()
        lines = (result.why_not, words.ANOTHER_PLACE_HELPS)
        self._show(self._places(Card(mood=Mood.FAILED, title=words.NOT_KEPT, lines=lines)))
        return None
