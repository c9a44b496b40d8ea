"""Provider: whose mailbox it is, what a sign-in there takes, and where to go where the application cannot send."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from enum import Enum, StrEnum

from smtp_wizard.engine.discovery.candidate import Candidate
from smtp_wizard.engine.guides.dates import date_words
from smtp_wizard.engine.providers.applications import Application
from smtp_wizard.engine.providers.catalog import Catalog
from smtp_wizard.engine.providers.provider import CatalogEndpoint, Provider, ProviderKind
from smtp_wizard.engine.wizard.draft import (
    Draft,
    Origin,
    regions_left,
    signs_in_elsewhere,
    with_candidate,
    with_choice,
)
from smtp_wizard.engine.wizard.steps import Back, Next, best_way, takes_password
from smtp_wizard.engine.wizard.trusted_servers import UnconfirmedServer, doubt_about
from smtp_wizard.flows.application import (
    ApplicationAnswer,
    ApplicationQuestion,
    application_question,
    with_application,
)
from smtp_wizard.flows.flow import Card, Entry, Flow, Leads, Mood, Offer, Section
from smtp_wizard.flows.server_questions import doubt_card
from smtp_wizard.text.discovery import (
    CONFIRM_NO,
    CONFIRM_YES,
    believed_words,
    found_question,
    offered,
    server_words,
    whose_sentence,
)
from smtp_wizard.text.provider import (
    ANOTHER_MAILBOX,
    BEFORE_A_PASSWORD,
    BY_HAND,
    EACH_REGION,
    FILTER,
    FILTER_HINT,
    FILTER_HINT_REGIONS,
    FILTER_REGIONS,
    FILTER_SERVICES,
    GO_ON,
    IN_BROWSER,
    NOT_LISTED,
    NOT_LISTED_WORDS,
    NOTHING_LISTED,
    OTHER_PROVIDER,
    OTHER_WAYS,
    SENDING_SERVICE,
    TO_THE_ADDRESS,
    WHICH_SERVICE,
    WHO_KEEPS_IT,
    WHO_OF_THESE,
    WHO_RUNS_IT,
    barred_lines,
    barred_title,
    browser_note,
    change_lines,
    known_from,
    mailbox_note,
    need_title,
    provider_question,
    region_question,
    service_note,
    settings_line,
    settings_rows,
    what_changed,
)
from smtp_wizard.text.wizard import override_words


class ProviderOffer(StrEnum):
    """What may be done at this step. `BACK` is always possible, and stands in no list."""

    BACK = "back"
    USE = "use"
    OTHER = "other"
    HAND = "hand"
    FIRST_SERVER = "server-1"
    SECOND_SERVER = "server-2"
    THIRD_SERVER = "server-3"
    FOURTH_SERVER = "server-4"
    MAILBOX = "mailbox"
    SERVICE = "service"
    BROWSER = "browser"
    CONFIRM = "yes"
    DENY = "no"


SERVERS = (
    ProviderOffer.FIRST_SERVER,
    ProviderOffer.SECOND_SERVER,
    ProviderOffer.THIRD_SERVER,
    ProviderOffer.FOURTH_SERVER,
)
"""The servers that were found, in their order."""
MOST_LISTED = 60
"""Rows of the list of providers: whoever looks for another one types a letter more."""

ProviderOffers = tuple[Offer[ProviderOffer], ...]


@dataclass(frozen=True, slots=True)
class ProviderRow:
    """A provider in the list."""

    id: str
    name: str
    server: str
    """The server to begin with, or that there is one for each region; '' where it is another for each customer."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ProviderList:
    """The providers to choose from. `ProviderFlow.pick` takes one."""

    filter: Entry
    rows: tuple[ProviderRow, ...]
    preselected: str | None = None
    """The id of the row that Enter takes; None while nothing was typed: nobody is recommended."""
    found: int = 0
    """How many the words mean, those included that are left out."""
    likely: int = 0
    """How many of the rows are more than the beginning of all providers: what was found, or what is asked for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ProviderState:
    """What stands at the step."""

    question: str
    card: Card | None = None
    application: ApplicationQuestion | None = None
    """Which application will send, asked above the offers; None where it changes nothing."""
    list: ProviderList | None = None
    """Where one is chosen out of many; it stands above the offers."""
    offers: ProviderOffers = ()
    preselected: ProviderOffer | None = None
    """The offer that Enter takes at once; None where the person is to choose."""
    settings: str = ""
    """The server in one line, for where there is no room for the rail."""
    notes: tuple[str, ...] = ()
    """What else is to be known before anything is chosen."""
    rail: tuple[Section, ...] = ()
    changed: tuple[Section, ...] = ()
    """What the old article says, what holds today, and the sources; empty where no provider is known."""


class _View(Enum):
    """Which question is asked now."""

    PROVIDER = "provider"
    LIST = "list"
    SERVICES = "services"
    CONFIRM = "yes"


@dataclass(frozen=True, slots=True)
class _Place:
    """Where the person is in the step, and what was typed there."""

    view: _View = _View.PROVIDER
    query: str = ""
    wanted: Draft | None = field(default=None, repr=False)
    """What becomes the draft when its server is confirmed."""


class ProviderFlow(Flow[ProviderState, ProviderOffer, Leads]):
    """Finds out with the person who runs the mailbox. Asks no service: what is known was found before."""

    def __init__(self, draft: Draft, catalog: Catalog) -> None:
        self.draft = draft
        """The answers so far; a face that is left at this step keeps them."""
        self._catalog = catalog
        self._place = _Place()
        super().__init__(self._seen())

    # -- what a person does -----------------------------------------------------------------------------------------

    def choose_application(self, answer: ApplicationAnswer) -> None:
        """Take the answer to which application will send."""
        self.draft = with_application(self.draft, answer)
        self._show(self._seen())

    def search(self, query: str) -> None:
        """Show the providers that these words mean, where one is chosen out of many."""
        if self._state.list is not None:
            self._place = replace(self._place, query=query)
            self._show(self._seen())

    def pick(self, row_id: str) -> None:
        """Take a provider of the list, and show what a sign-in there takes; of regions, the account's."""
        if self._regions:
            region = next((each for each in self._regions if each.endpoint.host == row_id), None)
            if region is not None:
                self._go(self.draft.with_endpoint(region.endpoint).confirmed())
            return
        provider = self._catalog.get(row_id)
        if provider is not None:
            self._go(replace(with_choice(self.draft, self._catalog, provider), by_hand=False))

    def everybody(self) -> ProviderList:
        """Return the list as it begins, for a face that makes room for it before it is asked for."""
        return self._list(FILTER, [])

    async def act(self, offer: ProviderOffer) -> Leads | None:
        """As `Flow.act`."""
        match offer:
            case ProviderOffer.BACK:
                return self._back()
            case ProviderOffer.USE:
                return self._use(replace(self.draft, by_hand=self.draft.connection.endpoint is None))
            case ProviderOffer.HAND:
                return Next(self._by_hand())
            case ProviderOffer.CONFIRM:
                return Next((self._place.wanted or self.draft).confirmed())
            case ProviderOffer.MAILBOX:
                return Back(self.draft.begun_again())
            case ProviderOffer.BROWSER:
                return Next(replace(self.draft, application=Application.OAUTH, application_name=""))
            case ProviderOffer.OTHER | ProviderOffer.SERVICE:
                self._put(_Place(_View.LIST if offer is ProviderOffer.OTHER else _View.SERVICES))
            case ProviderOffer.DENY:
                self._put(_Place())
            case _:
                return self._use(self._with(offered(self.draft.candidates)[SERVERS.index(offer)]))
        return None

    # -- where it leads ---------------------------------------------------------------------------------------------

    def _back(self) -> Back | None:
        """Go back by one question: to the first one of the step, or to the step before."""
        view, known = self._place.view, self._is_known and not regions_left(self.draft, self._catalog)
        if view is _View.LIST and not known:
            return Back(self.draft)
        if view is _View.PROVIDER:
            if known or self.draft.origin is not Origin.CHOSEN or not self._is_known:
                return Back(self.draft)
            self._put(_Place(_View.LIST))  # to another provider than the one whose regions are shown
            return None
        self._put(_Place())
        return None

    def _use(self, wanted: Draft) -> Next | None:
        """Go on with a server, once it is confirmed."""
        provider = self._catalog.get(wanted.connection.provider)
        asked = application_question(wanted, provider, self._catalog) if provider is not None else None
        wanted = with_application(wanted, asked.chosen) if asked is not None else wanted
        if provider is not None and not wanted.ways:  # the server was to be entered by hand before
            wanted = replace(wanted, ways=len(provider.paths))
        if doubt_about(wanted, self._catalog) is None:
            return Next(wanted)
        self._put(_Place(_View.CONFIRM, wanted=wanted))
        return None

    def _by_hand(self) -> Draft:
        """Return the draft for the server by hand: as it is known, unless another one is wanted.

        A listed provider's fields come at once: the way in is the one taken before, else the usual one, and not asked.
        """
        provider = self._catalog.get(self.draft.connection.provider)
        another = self._place.view in (_View.LIST, _View.SERVICES)
        if another or provider is None or not takes_password(provider):
            return with_choice(self.draft, self._catalog, None)
        if self._listed is None or provider.kind is ProviderKind.SANDBOX:  # where the ways are what is practised
            return replace(self.draft, by_hand=True)
        way = provider.path(self.draft.connection.path or "")
        way = way or best_way(provider, self.draft.application or Application.PASSWORD)
        draft = self.draft.with_path(way) if way is not None else self.draft
        return replace(draft, by_hand=True, ways=0)

    def _with(self, server: Candidate) -> Draft:
        """The draft with a server that was found; what was typed for it stays where it stands there already."""
        first = offered(self.draft.candidates)[0]
        same = server == first and server.endpoint == self.draft.connection.endpoint
        chosen = self.draft if same else with_candidate(self.draft, self._catalog, server)
        return replace(chosen, by_hand=False)

    def _go(self, draft: Draft) -> None:
        self.draft = draft
        self._put(_Place())

    def _put(self, place: _Place) -> None:
        self._place = place
        self._show(self._seen())

    # -- what stands there ------------------------------------------------------------------------------------------

    @property
    def _is_known(self) -> bool:
        """Whether there is a provider, or a server, to say yes to."""
        return self._was_found or self._listed is not None

    @property
    def _listed(self) -> Provider | None:
        """The provider, where it is one of the catalogue."""
        provider = self._catalog.get(self.draft.connection.provider)
        return provider if provider is not None and provider.kind is not ProviderKind.CUSTOM else None

    @property
    def _was_found(self) -> bool:
        """Whether somebody names a server, although its provider is not in the catalogue."""
        found = self.draft.origin is Origin.FOUND and self.draft.connection.endpoint is not None
        return found and self._listed is None

    @property
    def _regions(self) -> tuple[CatalogEndpoint, ...]:
        """The regions of which the person must name the account's, where that is asked now."""
        asked = self._place.view is _View.PROVIDER and not self.draft.by_hand
        return regions_left(self.draft, self._catalog) if asked else ()

    def _seen(self) -> ProviderState:
        place, provider = self._place, self._listed
        if place.view is _View.CONFIRM and place.wanted is not None:
            doubt = doubt_about(place.wanted, self._catalog)
            assert doubt is not None, "that is what is asked"
            return _confirmation(doubt)
        if place.view is _View.SERVICES:
            return self._services()
        if place.view is _View.LIST or not self._is_known:
            return self._unknown()
        if provider is None:
            return self._found()
        if self._regions:
            return self._which_region(provider)
        return self._known(provider) if takes_password(provider) else self._barred(provider)

    def _known(self, provider: Provider) -> ProviderState:
        draft, catalog = self.draft, self._catalog
        way = best_way(provider, Application.PASSWORD)
        said = provider.note or (way.summary if way is not None else "")
        offers = (
            Offer(ProviderOffer.USE, GO_ON, chip="Go on"),
            Offer(ProviderOffer.OTHER, OTHER_PROVIDER, chip="Choose another"),
            _by_hand(),
        )
        return ProviderState(
            question=provider_question(draft, provider),
            card=Card(mood=Mood.TOLD, title=need_title(provider, way), lines=(said,)),
            application=application_question(draft, provider, catalog),
            offers=offers,
            preselected=ProviderOffer.HAND if draft.by_hand and draft.connection.endpoint else ProviderOffer.USE,
            settings=settings_line(draft, provider),
            notes=(*override_words(draft, catalog), *draft.found_notes),
            rail=(*_settings(draft, provider), *_changes(provider)),
            changed=_changed(provider),
        )

    def _which_region(self, provider: Provider) -> ProviderState:
        """An account is known in one region only, and nothing tells which."""
        query = self._place.query
        wanted = query.strip().casefold()
        rows = tuple(
            ProviderRow(each.endpoint.host, each.region or each.plan or each.endpoint.host, str(each.endpoint))
            for each in self._regions
            if wanted in f"{each.endpoint.host} {each.region} {each.plan}".casefold()
        )
        hint = _count(len(rows), len(rows), "region")
        return ProviderState(
            question=region_question(provider),
            list=ProviderList(
                filter=Entry(label=FILTER_REGIONS, text=query, placeholder=FILTER_HINT_REGIONS, hint=hint),
                rows=rows,
                preselected=rows[0].id if len(rows) == 1 and wanted else None,
                found=len(rows),
                likely=len(rows),
            ),
            offers=(_by_hand(),),
            notes=(*override_words(self.draft, self._catalog), *self.draft.found_notes),
            rail=_changes(provider),
            changed=_changed(provider),
        )

    def _barred(self, provider: Provider) -> ProviderState:
        """No application with a password can send: three ways on, none of them the one that everybody wants."""
        catalog = self._catalog
        return ProviderState(
            question=barred_title(self.draft, provider),
            card=Card(
                mood=Mood.WARNED,
                title=provider_question(self.draft, provider).removesuffix("."),
                lines=barred_lines(provider, catalog.applications),
            ),
            offers=tuple(self._ways_on(provider)),
            notes=self.draft.found_notes,
            rail=_changes(provider),
            changed=_changed(provider),
        )

    def _ways_on(self, provider: Provider) -> Iterator[Offer[ProviderOffer]]:
        catalog = self._catalog
        yield Offer(
            ProviderOffer.MAILBOX,
            ANOTHER_MAILBOX,
            mailbox_note([each.short_name for each in catalog.suggested_mailboxes]),
            chip="Another mailbox",
        )
        names = [each.short_name for each in catalog.sending_services[:2]]
        yield Offer(ProviderOffer.SERVICE, SENDING_SERVICE, service_note(names), chip="See services")
        if any(signs_in_elsewhere(path) for path in provider.paths):
            yield Offer(ProviderOffer.BROWSER, IN_BROWSER, browser_note(catalog.applications), chip="Browser")
        yield Offer(ProviderOffer.OTHER, OTHER_PROVIDER, chip="Choose another", part=OTHER_WAYS)
        yield _by_hand(OTHER_WAYS)

    def _found(self) -> ProviderState:
        """Servers that somebody names, of a provider that is not in the catalogue."""
        draft = self.draft
        found = offered(draft.candidates)
        servers: list[Offer[ProviderOffer]] = [
            Offer(offer, server_words(each), believed_words(each), chip="Use this server")
            for offer, each in zip(SERVERS, found, strict=False)
        ]
        servers = servers or [Offer(ProviderOffer.USE, f"Use {draft.connection.endpoint}", chip="Use this server")]
        doubt = doubt_about(draft, self._catalog) if not found else None
        return ProviderState(
            question=found_question(draft),
            offers=(
                *servers,
                Offer(ProviderOffer.OTHER, OTHER_PROVIDER, chip="Choose another", part=OTHER_WAYS),
                _by_hand(OTHER_WAYS),
            ),
            preselected=servers[0].id,
            notes=(*([whose_sentence(doubt)] if doubt is not None else []), *draft.found_notes),
            rail=(Section("Settings", settings_rows(draft, None)),),
        )

    def _unknown(self) -> ProviderState:
        """Nobody names a server, or the person looks for another one."""
        draft = self.draft
        likely = [each for each in map(self._catalog.get, draft.maybe) if each is not None]
        return ProviderState(
            question=_who(draft, likely),
            card=None if likely or self._is_known else _nobody(draft.origin_note),
            list=self._list(FILTER, likely),
            offers=(_by_hand(),),
            notes=()
            if self._is_known
            else (*([draft.origin_note] if likely and draft.origin_note else []), *_further(draft)),
            rail=(Section(NOT_LISTED, (NOT_LISTED_WORDS,)),),
        )

    def _services(self) -> ProviderState:
        return ProviderState(
            question=WHICH_SERVICE,
            list=self._list(FILTER_SERVICES, self._catalog.sending_services),
            offers=(_by_hand(),),
            rail=(Section(NOT_LISTED, (NOT_LISTED_WORDS,)),),
        )

    def _list(self, label: str, first: tuple[Provider, ...] | list[Provider]) -> ProviderList:
        """The providers that the words mean; `first` are the likely ones, on top while nothing is typed."""
        query, noun = self._place.query, "provider"
        found = [each for each in self._catalog.search(query, 10_000) if each.paths and _is_listed(each)]
        if self._place.view is _View.SERVICES:
            found = [each for each in found if each in first]
            noun = "service"
        if not query.strip():
            found = [*first, *(each for each in found if each not in first)]
        rows = tuple(ProviderRow(each.id, each.name, _server_of(each)) for each in found[:MOST_LISTED])
        return ProviderList(
            filter=Entry(label=label, text=query, placeholder=FILTER_HINT, hint=_count(len(rows), len(found), noun)),
            rows=rows,
            preselected=rows[0].id if rows and query.strip() else None,
            found=len(found),
            likely=len(rows) if query.strip() else len(first),
        )


def _by_hand(part: str = "") -> Offer[ProviderOffer]:
    """The server by hand: there at every question, under the key that changes settings everywhere."""
    return Offer(ProviderOffer.HAND, BY_HAND, key="F9", chip="By hand", part=part)


def _server_of(provider: Provider) -> str:
    return EACH_REGION if provider.regions() else str(provider.best() or "")


def _further(draft: Draft) -> tuple[str, ...]:
    """What else was learnt than what the card says."""
    return tuple(each for each in draft.found_notes if each != draft.origin_note)


def _nobody(note: str) -> Card | None:
    """Say why nobody was found: the address may be misspelt. Its first sentence is the title."""
    first, end, more = note.partition(". ")
    title = first if end else note.removesuffix(".")
    return Card(mood=Mood.WARNED, title=title, lines=(more,) if more else (), foot=TO_THE_ADDRESS) if note else None


def _is_listed(provider: Provider) -> bool:
    return provider.kind is not ProviderKind.CUSTOM


def _count(shown: int, all_of_them: int, noun: str) -> str:
    if not all_of_them:
        return NOTHING_LISTED
    if shown < all_of_them:
        return f"the first {shown} of {all_of_them}; type to find yours"
    return f"{shown} {noun}{'' if shown == 1 else 's'}"


def _confirmation(doubt: UnconfirmedServer) -> ProviderState:
    return ProviderState(
        question=BEFORE_A_PASSWORD,
        card=doubt_card(doubt),
        offers=(
            Offer(ProviderOffer.DENY, CONFIRM_NO, chip="Look again"),
            Offer(ProviderOffer.CONFIRM, CONFIRM_YES, chip="Yes"),
        ),
        preselected=ProviderOffer.DENY,
    )


def _who(draft: Draft, likely: Sequence[Provider]) -> str:
    """Ask for the provider: who has the mailbox behind a filter, which of several it may be, or who it is at all."""
    if draft.filtered_by:
        return WHO_KEEPS_IT
    return WHO_OF_THESE if len(likely) > 1 else WHO_RUNS_IT


def _changed(provider: Provider) -> tuple[Section, ...]:
    return tuple(Section(title, lines) for title, lines in what_changed(provider))


def _settings(draft: Draft, provider: Provider) -> tuple[Section, ...]:
    rows = settings_rows(draft, provider)
    known = known_from(draft)
    more = (*([known] if known else []), f"Checked {date_words(provider.checked)}.")
    return (Section("Settings", (*rows, "", *more)),) if rows else ()


def _changes(provider: Provider) -> tuple[Section, ...]:
    changes = change_lines(provider)
    return (Section("What changed", changes),) if changes else ()
