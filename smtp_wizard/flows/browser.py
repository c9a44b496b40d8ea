"""The sign-in in the browser: the client id, then the wait for the person to come back from the provider's page."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum

from smtp_wizard.engine.base.secret import Secret
from smtp_wizard.engine.base.shown import shown
from smtp_wizard.engine.oauth.client import RegisteredClient
from smtp_wizard.engine.oauth.errors import OAuthError, OAuthFault
from smtp_wizard.engine.oauth.grants import SignedIn
from smtp_wizard.engine.oauth.pending_sign_in import PendingSignIn
from smtp_wizard.engine.oauth.server import ClientSecret, OAuthFlow, OAuthServer
from smtp_wizard.engine.providers.catalog import Catalog
from smtp_wizard.engine.services.tokens import Tokens
from smtp_wizard.engine.wizard.draft import Draft
from smtp_wizard.engine.wizard.steps import Back, Next
from smtp_wizard.flows.flow import Card, Entry, Flow, Leads, Mood, Offer, Section
from smtp_wizard.flows.stoppable import StoppableWork, Stopped
from smtp_wizard.runtime.expected_errors import EXPECTED_ERRORS
from smtp_wizard.text import browser as words
from smtp_wizard.text.wizard import override_words

LONGEST_ID = 300
"""Characters of a client id at most."""


class BrowserField(StrEnum):
    """Where a person types at this step."""

    CLIENT_ID = "client-id"
    CLIENT_SECRET = "client-secret"
    PASTED = "pasted"


class BrowserOffer(StrEnum):
    """What can be done at this step."""

    BEGIN = "begin"
    """Go on to the client id: it is for whoever looks after the computers, and that is who reads it."""
    CODE = "code"
    """Sign in with a code that is typed on any device."""
    BROWSER = "browser"
    """Sign in in the browser of this computer."""
    PASTE = "paste"
    """Take the address that was pasted."""
    OPEN_PAGE = "open-page"
    """Open or show the page: the face does that, with `BrowserState.page`."""
    COPY_CODE = "copy-code"
    """Copy the code: the face does that, with `BrowserState.code`."""
    GO_ON = "go-on"
    AGAIN = "again"
    """Sign in again, whatever came of the last time."""
    STOP = "stop"
    BACK = "back"


class BrowserStage(StrEnum):
    """How far it is."""

    PREFACE = "preface"
    """It says whom this is for."""
    CLIENT = "client"
    """The client id is typed."""
    WAITING = "waiting"
    """The person is on the provider's page."""
    DONE = "done"


@dataclass(frozen=True, slots=True, kw_only=True)
class BrowserState:
    """All that a face shows of the step; never a secret or a token."""

    stage: BrowserStage
    question: str
    client_id: Entry
    client_secret: Entry | None
    """None where the provider gives none."""
    pasted: Entry | None = None
    """Where the last address of the browser is pasted; None where nothing is waited for, or only a code is typed."""
    code: str = ""
    """What is typed on the page."""
    page: str = ""
    """The page's address, which the person opens."""
    picture: str = ""
    """The address that a QR code leads a phone to; '' where there is no code to type."""
    steps: tuple[str, ...] = ()
    """What the person does now, in order."""
    tunnel: str = ""
    """A command that leads the browser of another computer here; '' where the person sits at this one."""
    ends: datetime | None = None
    """When waiting is given up."""
    card: Card | None = None
    offers: tuple[Offer[BrowserOffer], ...] = ()
    """The first is what Enter takes."""
    cursor: BrowserField = BrowserField.CLIENT_ID
    sections: tuple[Section, ...] = ()

    @property
    def only_way(self) -> BrowserOffer | None:
        """The one thing that can be done, about which nobody need be asked; None where it has just failed, too."""
        return self.offers[0].id if len(self.offers) == 1 and self.card is None else None


_BY_CODE, _BY_BROWSER = BrowserOffer.CODE, BrowserOffer.BROWSER
_WAYS: Mapping[BrowserOffer, OAuthFlow] = {_BY_CODE: OAuthFlow.DEVICE, _BY_BROWSER: OAuthFlow.BROWSER}


def way_for(server: OAuthServer, wanted: OAuthFlow | None) -> OAuthFlow | None:
    """Return the way to sign in: the wanted one, else the simplest; None where the provider has not that one."""
    if wanted is OAuthFlow.CLIENT_CREDENTIALS:
        return wanted if server.application is not None else None
    return wanted if wanted in server.flows else server.flows[0] if wanted is None else None


def lacks_secret(server: OAuthServer, *, has_secret: bool) -> bool:
    """Whether a client secret must be given before a sign-in at this server can begin."""
    return server.client_secret is ClientSecret.NEEDED and not has_secret


class BrowserFlow(Flow[BrowserState, BrowserOffer, Leads]):
    """Asks for the client, then waits for the person; every fault of the sign-in is a state."""

    def __init__(
        self,
        draft: Draft,
        *,
        catalog: Catalog,
        tokens: Tokens,
        now: Callable[[], datetime],
        environ: Mapping[str, str],
    ) -> None:
        """`environ` says whether the person's browser is on another computer (SSH_CONNECTION)."""
        server = catalog.oauth_server(draft.connection)
        assert server is not None, "the step applies only where one signs in in the browser"
        self.server = server
        self._draft = draft
        self._tokens = tokens
        self._now = now
        self._environ = environ
        self.overrides = override_words(draft, catalog)
        """What a file of the person's own decides: it names where the sign-in goes."""
        self._pasted = ""
        self._errors: dict[BrowserField, str] = {}
        self._cursor = BrowserField.CLIENT_ID
        self._begun = bool(draft.client_id) or draft.secret is not None
        self._attempt: PendingSignIn | None = None
        self._problem: OAuthFault | None = None
        self._card: Card | None = None
        self._way = way_for(server, None) or OAuthFlow.BROWSER
        self._work = StoppableWork()
        super().__init__(self._picture())

    # -- what is typed ----------------------------------------------------------------------------------------------

    def type(self, field: BrowserField, text: str) -> None:
        """Put a text into a field. What came of another client is not kept with this one."""
        match field:
            case BrowserField.PASTED:
                self._pasted = text
            case BrowserField.CLIENT_SECRET:
                given = Secret(text) if text.strip() else None
                if given != self._draft.client_secret:
                    self._draft = replace(self._without_sign_in(), client_secret=given)
            case BrowserField.CLIENT_ID if shown(text.strip(), LONGEST_ID) != self._draft.client_id:
                self._draft = replace(self._without_sign_in(), client_id=shown(text.strip(), LONGEST_ID))
        self._errors.pop(field, None)
        self._draw()

    def _without_sign_in(self) -> Draft:
        self._card, self._problem = None, None
        return self._draft.with_sign_in(self._draft.connection.username, None)

    def checked(self, field: BrowserField) -> str:
        """Return what is lacking in a field, '' where nothing is; it is said there from now on."""
        error = ""
        if field is BrowserField.CLIENT_ID and not self._draft.client_id:
            error = str(words.CLIENT_ID_LACKING)
        if field is BrowserField.CLIENT_SECRET and self.lacks_secret:
            error = str(words.CLIENT_SECRET_LACKING)
        if error:
            self._errors[field], self._cursor = error, field
            self._draw()
        return error

    def tick(self, ticks: frozenset[str]) -> None:
        """Keep which steps of the guide are ticked."""
        self._draft = replace(self._draft, ticks=ticks)

    @property
    def draft(self) -> Draft:
        """The draft with what stands in the fields."""
        return self._draft

    @property
    def wants_secret(self) -> bool:
        """Whether the provider may give a client secret along with the client id."""
        return self.server.client_secret is not ClientSecret.NONE

    @property
    def lacks_secret(self) -> bool:
        """Whether a client secret must be given before the sign-in can begin."""
        return lacks_secret(self.server, has_secret=self._draft.client_secret is not None)

    # -- what is done -----------------------------------------------------------------------------------------------

    async def act(self, offer: BrowserOffer) -> Leads | None:
        match offer:
            case BrowserOffer.BACK:
                self._work.stop()
                return Back(self._draft)
            case BrowserOffer.GO_ON if self._draft.secret is not None:
                return Next(self._draft)
            case BrowserOffer.BEGIN:
                self._begun = True
            case BrowserOffer.STOP:
                self._work.stop()
            case BrowserOffer.PASTE:
                self._paste()
            case BrowserOffer.AGAIN:
                self._draft = self._without_sign_in()
            case BrowserOffer.CODE | BrowserOffer.BROWSER if self._attempt is None and self._complete():
                await self._sign_in(_WAYS[offer])
        self._draw()
        return None

    def _complete(self) -> bool:
        lacking = [self.checked(BrowserField.CLIENT_SECRET), self.checked(BrowserField.CLIENT_ID)]  # both are said
        return not any(lacking)

    async def _sign_in(self, way: OAuthFlow) -> None:
        before = self._way, self._card, self._problem
        self.choose(way)
        try:
            self.signed_in(await self._work.run(self._waited()))
        except EXPECTED_ERRORS as problem:
            self.failed(problem)
        except BaseException as ended:  # stopped, cancelled, or a fault of our own: all is as it was
            self._way, self._card, self._problem = before
            self._attempt = None
            self._draw()
            if not isinstance(ended, Stopped):
                raise

    async def _waited(self) -> SignedIn:
        async with self.new_attempt() as attempt:
            self.waits(attempt)
            return await attempt.finished()

    def _paste(self) -> None:
        """Take what was pasted; what is wrong with it is said at its field."""
        if self._attempt is None or not self._pasted.strip():
            return
        try:
            self._attempt.paste(self._pasted)
        except OAuthError as problem:
            self._errors[BrowserField.PASTED] = str(problem)

    # -- for a face that waits in a thread of its own ---------------------------------------------------------------

    def choose(self, way: OAuthFlow) -> None:
        """Say how the next attempt is made."""
        self._way = way
        self._card, self._problem, self._pasted = None, None, ""
        self._errors.clear()

    def new_attempt(self) -> PendingSignIn:
        """Return the attempt to sign in, which begins when it is entered."""
        client = RegisteredClient(self._draft.client_id, self._draft.client_secret)
        exchange = self._tokens.exchange(self.server, client, self._draft.connection.ca_file)
        return PendingSignIn(exchange, self._way, self._address, now=self._now)

    def waits(self, attempt: PendingSignIn) -> None:
        """Show that somebody is waited for."""
        self._attempt = attempt
        self._cursor = BrowserField.PASTED
        self._draw()

    def signed_in(self, found: SignedIn) -> None:
        """Keep what came of it."""
        self._attempt = None
        self._draft = self._draft.with_sign_in(self._draft.connection.username, self._tokens.remember(found))
        self._draw()

    def failed(self, problem: Exception) -> None:
        """Show why nothing came of it, and what helps."""
        self._attempt = None
        self._problem = problem.fault if isinstance(problem, OAuthError) else None
        self._cursor = BrowserField.CLIENT_ID
        self._card = Card(mood=Mood.FAILED, title=words.NOT_SIGNED_IN, lines=(str(problem),))
        self._draw()

    def stopped(self) -> None:
        """Show that it was given up: all is as it was before."""
        self._attempt = None
        self._draw()

    def left(self) -> str:
        """Say how long somebody is still waited for: 'good for 14 min 32 s'; '' where nobody is."""
        return words.good_for(self._attempt.ends, self._now()) if self._attempt is not None else ""

    # -- what is shown ----------------------------------------------------------------------------------------------

    def _draw(self) -> None:
        self._show(self._picture())

    @property
    def _stage(self) -> BrowserStage:
        if self._attempt is not None:
            return BrowserStage.WAITING
        if self._draft.secret is not None:
            return BrowserStage.DONE
        return BrowserStage.CLIENT if self._begun else BrowserStage.PREFACE

    @property
    def _address(self) -> str:
        return self._draft.address.wire if self._draft.address is not None else ""

    def _picture(self) -> BrowserState:
        stage, attempt = self._stage, self._attempt
        state = BrowserState(
            stage=stage,
            question=words.question(stage.value, self.server),
            client_id=self._entry(BrowserField.CLIENT_ID, words.CLIENT_ID, self._draft.client_id, words.CLIENT_ID_HINT),
            client_secret=self._secret_entry() if self.wants_secret else None,
            card=self._shown_card(stage),
            offers=tuple(self._offers(stage)),
            cursor=self._cursor,
            sections=tuple(self._sections()),
        )
        return state if attempt is None else self._while_waiting(state, attempt)

    def _entry(self, field: BrowserField, label: str, text: str, hint: str) -> Entry:
        return Entry(label=label, text=text, hint=hint, error=self._errors.get(field, ""))

    def _secret_entry(self) -> Entry:
        hint = "" if self.server.client_secret is ClientSecret.NEEDED else words.SECRET_OPTIONAL_HINT
        error = self._errors.get(BrowserField.CLIENT_SECRET, "")
        return Entry(label=words.CLIENT_SECRET, hint=hint, error=error, secret=True)

    def _while_waiting(self, state: BrowserState, attempt: PendingSignIn) -> BrowserState:
        code = attempt.code
        pasted = self._entry(BrowserField.PASTED, words.PASTED, self._pasted, words.PASTED_HINT)
        return replace(
            state,
            pasted=pasted if code is None else None,
            code=code.user_code if code is not None else "",
            page=attempt.url,
            picture=(code.whole_page or code.page) if code is not None else "",
            steps=words.steps_of(attempt, self._address),
            tunnel=words.tunnel_command(attempt.port, self._environ) if attempt.port is not None else "",
            ends=attempt.ends,
        )

    def _shown_card(self, stage: BrowserStage) -> Card | None:
        match stage:
            case BrowserStage.PREFACE:
                lines = (words.preface_needs(self.server), words.PREFACE_PROVES)
                return Card(mood=Mood.TOLD, title=words.PREFACE, lines=lines)
            case BrowserStage.WAITING:
                title = f"Waiting for {self.server.name} …"
                return Card(mood=Mood.RUNNING, title=title, lines=(words.UNTIL,), foot="Esc stops")
            case BrowserStage.DONE:
                return Card(mood=Mood.PASSED, title=words.DONE, lines=(words.DONE_STAYS,))
        return self._card

    def _offers(self, stage: BrowserStage) -> Iterator[Offer[BrowserOffer]]:
        match stage:
            case BrowserStage.PREFACE:
                yield Offer(BrowserOffer.BEGIN, words.THAT_IS_ME, chip="Go on")
                yield Offer(BrowserOffer.BACK, words.ANOTHER_WAY, chip="Back")
            case BrowserStage.CLIENT:
                for each in self._ways():
                    verb = words.WAY_VERBS[_WAYS[each]]
                    yield Offer(each, verb, words.WAY_NOTES[_WAYS[each]], chip=verb)
            case BrowserStage.WAITING:
                yield from self._waiting_offers()
            case BrowserStage.DONE:
                yield Offer(BrowserOffer.GO_ON, "Go on", chip="Go on")
                yield Offer(BrowserOffer.AGAIN, "Sign in again", chip="Sign in again")

    def _ways(self) -> tuple[BrowserOffer, ...]:
        """The ways to sign in, the one to take first; one that the provider has just forbidden comes last."""
        if not self.server.device:
            return (_BY_BROWSER,)
        forbidden = self._problem is OAuthFault.FORBIDDEN and self._way is OAuthFlow.DEVICE
        return (_BY_BROWSER, _BY_CODE) if forbidden else (_BY_CODE, _BY_BROWSER)

    def _waiting_offers(self) -> Iterator[Offer[BrowserOffer]]:
        by_code = self._attempt is not None and self._attempt.code is not None
        if self._pasted.strip() and not by_code:
            yield Offer(BrowserOffer.PASTE, "Take the address")
        # Where there is a field to type in, a letter is a letter.
        yield Offer(BrowserOffer.OPEN_PAGE, "Open the page", key="O" if by_code else "F4")
        if by_code:
            yield Offer(BrowserOffer.COPY_CODE, "Copy the code", key="C")
        yield Offer(BrowserOffer.STOP, "Stop", key="Esc")

    def _sections(self) -> Iterator[Section]:
        if self.overrides:
            yield Section("From your own file", self.overrides)
        yield Section("What it takes", (words.NEEDS,))
        yield Section("What it proves", (words.PROVES_NOTHING,))
