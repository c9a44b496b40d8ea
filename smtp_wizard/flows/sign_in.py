"""Sign-in: which way in, asked as the owner of a mailbox can answer it. A way that is closed leads on."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from enum import StrEnum

from smtp_wizard.engine.base.data_files import DataError
from smtp_wizard.engine.guides.guides import Guide, Guides, UnknownGuide
from smtp_wizard.engine.providers.applications import Application
from smtp_wizard.engine.providers.catalog import Catalog
from smtp_wizard.engine.providers.provider import AccessPath, PathAuth, Provider
from smtp_wizard.engine.wizard.draft import Draft, is_usable, signs_in_elsewhere
from smtp_wizard.engine.wizard.steps import Back, Next, ranked
from smtp_wizard.flows.application import (
    ApplicationAnswer,
    ApplicationQuestion,
    application_question,
    with_application,
)
from smtp_wizard.flows.flow import Card, Flow, Leads, Mood, Offer, Section
from smtp_wizard.text.provider import OTHER_WAYS
from smtp_wizard.text.sign_in import (
    BROWSER_GO_ON,
    BROWSER_USELESS,
    LOOK_AGAIN,
    WHAT_REPLACED_IT,
    browser_title,
    closed_title,
    closed_words,
    path_sources,
    signin_question,
    way_note,
    way_title,
    way_words,
)


class SignInOffer(StrEnum):
    """What may be done beside taking a way in, which is the id of its path. `BACK` stands in no list."""

    BACK = ":back"
    GO_ON = ":go-on"
    """In the browser all the same."""
    AGAIN = ":again"
    """To the list of the ways."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SignInState:
    """What stands at the step."""

    question: str
    application: ApplicationQuestion | None = None
    """Which application will send; None where it was asked before, or changes nothing."""
    card: Card | None = None
    offers: tuple[Offer[str], ...] = ()
    """The ways in, each under the id of its path, and what is in `SignInOffer`."""
    preselected: str | None = None
    guide: Guide | None = None
    """What became of a way that is closed; None elsewhere."""


class SignInFlow(Flow[SignInState, str, Leads]):
    """Finds the way in with the person. Asks no service: the ways are the catalogue's."""

    def __init__(self, draft: Draft, catalog: Catalog, guides: Guides) -> None:
        """The step applies only where the draft's provider is known."""
        provider = catalog.get(draft.connection.provider)
        assert provider is not None, "the step applies only where a provider is known"
        self.draft = draft
        """The answers so far; a face that is left at this step keeps them."""
        self.provider: Provider = provider
        self._catalog = catalog
        self._guides = guides
        self._asks_application = draft.application is None
        self._looked_at: AccessPath | None = None
        """The way that is explained now, in the place of the list."""
        super().__init__(self._seen())

    # -- what a person does -----------------------------------------------------------------------------------------

    def choose_application(self, answer: ApplicationAnswer) -> None:
        """Take the answer to which application will send."""
        self.draft = with_application(self.draft, answer)
        self._show(self._seen())

    async def act(self, offer: str) -> Leads | None:
        """As `Flow.act`."""
        match offer:
            case SignInOffer.BACK:
                if self._looked_at is None:
                    return Back(self.draft)
                self._look_at(None)
            case SignInOffer.AGAIN:
                self._look_at(None)
            case SignInOffer.GO_ON:
                return self._in_browser()
            case _:
                return self._take(self.provider.path(offer))
        return None

    def about(self, offer: str) -> tuple[Section, ...]:
        """Return all that is known of a way in, and who says so; nothing for an offer that is none."""
        path = self.provider.path(offer)
        if path is None:
            return ()
        sources = path_sources(self.provider, path)
        said = Section(path.title, tuple(way_words(path)))
        return (said, Section("Source", (sources,))) if sources else (said,)

    def guide_for(self, offer: str) -> Guide | None:
        """Return the guide that leads through a way in; None where there is none."""
        path = self.provider.path(offer)
        return self._guide(path) if path is not None else None

    # -- where it leads ---------------------------------------------------------------------------------------------

    def _take(self, path: AccessPath | None) -> Next | None:
        """Go on with a way that can be walked, and is of use to the application; explain any other."""
        if path is None:
            return None
        draft = self._remembered
        if is_usable(path) and not (path.auth is PathAuth.OAUTH2 and draft.application is not Application.OAUTH):
            return Next(draft.with_path(path))
        self._look_at(path)
        return None

    def _in_browser(self) -> Next | None:
        path = self._looked_at
        if path is None or not signs_in_elsewhere(path):
            return None
        application = replace(self.draft, application=Application.OAUTH, application_name="")
        return Next(application.with_path(path))

    @property
    def _remembered(self) -> Draft:
        """The draft with the application that stands there, where it was asked."""
        asked = self._state.application
        return with_application(self.draft, asked.chosen) if asked is not None else self.draft

    def _look_at(self, path: AccessPath | None) -> None:
        self._looked_at = path
        self._show(self._seen())

    # -- what stands there ------------------------------------------------------------------------------------------

    def _seen(self) -> SignInState:
        path = self._looked_at
        if path is None:
            return self._list()
        return self._browser(path) if signs_in_elsewhere(path) else self._closed(path)

    def _list(self) -> SignInState:
        application = self.draft.application or Application.PASSWORD
        paths = ranked(self.provider, application)
        first = [each for each in paths if not _is_other(each, application)]
        others = [each for each in paths if each not in first]
        question = signin_question(self.provider, first)
        asked = question == self.provider.question
        return SignInState(
            question=question,
            application=application_question(self.draft, self.provider, self._catalog)
            if self._asks_application
            else None,
            card=_dispute(first),
            offers=(
                *(self._offer(each, asked=asked) for each in first),
                *(self._offer(each, asked=False, part=OTHER_WAYS) for each in others),
            ),
            preselected=self._preselected(first),
        )

    def _preselected(self, first: list[AccessPath]) -> str | None:
        """The way that was taken before, else the first that can be walked; None where there is no such way."""
        taken = self.draft.connection.path
        if taken is not None and self.provider.path(taken) is not None:
            return taken
        return first[0].id if first else None

    def _offer(self, path: AccessPath, *, asked: bool, part: str = "") -> Offer[str]:
        return Offer(
            path.id,
            way_title(path, asked=asked),
            way_note(path, self._catalog.applications, asked=asked, useful=not part),
            chip="Go on" if is_usable(path) else "See what replaced it" if path.closed else "See why",
            part=part,
            closed=not is_usable(path),
        )

    def _closed(self, path: AccessPath) -> SignInState:
        """A way that cannot be walked: why, and what replaced it."""
        ways = tuple(self._on(path))
        return SignInState(
            question=WHAT_REPLACED_IT,
            card=Card(
                mood=Mood.WARNED,
                title=closed_title(path),
                lines=(*closed_words(path), *_sentences(self.provider, path)),
            ),
            offers=(*ways, _AGAIN),
            preselected=ways[0].id if ways else SignInOffer.AGAIN,
            guide=self._guide(path),
        )

    def _browser(self, path: AccessPath) -> SignInState:
        """The way in the browser, for an application that takes a password: what is of use to it comes first."""
        ways = tuple(self._on(path))
        go_on: Offer[str] = Offer(SignInOffer.GO_ON, BROWSER_GO_ON, chip="Go on")
        return SignInState(
            question=path.title,
            card=Card(
                mood=Mood.WARNED,
                title=browser_title(self._catalog.applications),
                lines=(BROWSER_USELESS, *_sentences(self.provider, path)),
            ),
            offers=(*ways, go_on, _AGAIN),
            preselected=ways[0].id if ways else SignInOffer.AGAIN,
        )

    def _on(self, path: AccessPath) -> Iterator[Offer[str]]:
        """The other ways of this provider that a way leads to."""
        for way in self.provider.ways_on(path):
            if isinstance(way, AccessPath):
                yield Offer(way.id, way.title, way.summary, chip="Go on")

    def _guide(self, path: AccessPath) -> Guide | None:
        try:
            return self._guides.get(path.guide) if path.guide else None
        except (DataError, UnknownGuide):  # the way is there all the same
            return None


_AGAIN: Offer[str] = Offer(SignInOffer.AGAIN, LOOK_AGAIN, chip="Back to the list")


def _is_other(path: AccessPath, application: Application) -> bool:
    """Whether a way stands under 'Other ways': closed to everybody, or of no use to the application."""
    return not is_usable(path) or (path.auth is PathAuth.OAUTH2 and application is not Application.OAUTH)


def _dispute(first: list[AccessPath]) -> Card | None:
    """Say it before the choice where sources contradict each other about the way that is taken by itself."""
    if not first or not first[0].disputed:
        return None
    return Card(mood=Mood.WARNED, title="Told both ways", lines=(first[0].disputed,))


def _sentences(provider: Provider, path: AccessPath) -> tuple[str, ...]:
    """Ways on that lie elsewhere."""
    return tuple(f"· {way}" for way in provider.ways_on(path) if isinstance(way, str))
