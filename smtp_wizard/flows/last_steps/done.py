"""The step 'Done' without a face: the application's own screen, filled in with the values of the account.

The password is shown only when it is asked for, in groups, as it is typed by hand; it is never copied.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from enum import StrEnum

from smtp_wizard.engine.base.connection import Auth
from smtp_wizard.engine.base.endpoint import Security
from smtp_wizard.engine.base.identity import Scope
from smtp_wizard.engine.providers.catalog import Catalog
from smtp_wizard.engine.providers.provider import ProviderKind
from smtp_wizard.engine.wizard.draft import Draft
from smtp_wizard.engine.wizard.sending_application import ApplicationScreen
from smtp_wizard.engine.wizard.steps import Back, Next
from smtp_wizard.flows.flow import Flow, Leads, Offer, Section
from smtp_wizard.text import done as words
from smtp_wizard.text.save import short_name


class DoneOffer(StrEnum):
    """What may be done at the end."""

    FINISH = "finish"
    EXPLAIN = "explain"
    """Paste what the application says: the face opens its explanation of errors."""
    COPY = "copy"
    """Choose a value to copy."""
    PASSWORD = "password"
    """Show the password, or hide it."""
    BACK = "back"


class Value(StrEnum):
    """A value that can be copied."""

    HOST = "server"
    PORT = "port"
    USERNAME = "user"
    SENDER = "from"


@dataclass(frozen=True, slots=True)
class Tick:
    """A box, or one of two to choose from, in the application's screen."""

    words: str
    on: bool


@dataclass(frozen=True, slots=True)
class FilledField:
    """A field of the application's screen, and what is typed there."""

    label: str
    value: str
    tick: Tick | None = None
    """A box beside it."""
    note: str = ""
    secret: bool = False
    """The value is the password: it is empty here, and a face shows `DoneFlow.password` where the state says so."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DoneState:
    """All that a face shows of this step."""

    question: str
    title: str
    """Where the screen is in the application."""
    scopes: tuple[Tick, ...]
    """One of them is chosen."""
    fields: tuple[FilledField, ...]
    company: Tick
    saves: str
    """How the application's screen is saved."""
    offers: tuple[Offer[StrEnum], ...]
    """Enter takes the first; with `copying` the values."""
    proved: str
    note: str = ""
    """What was done last, or that this was practice."""
    revealed: bool = False
    has_password: bool = False
    """Whether there is a password to be shown."""
    copying: bool = False
    sections: tuple[Section, ...] = ()


class DoneFlow(Flow[DoneState, StrEnum, Leads]):
    """Shows what is typed into the application."""

    def __init__(
        self, draft: Draft, *, catalog: Catalog, screen: ApplicationScreen, copy: Callable[[str], None]
    ) -> None:
        """`screen`: the application's. `copy` puts a value where the person can paste it from."""
        self.draft = draft
        self._screen = screen
        self._provider = catalog.get(draft.connection.provider)
        self._copy = copy
        super().__init__(self._shown(revealed=False))

    # -- what is shown ----------------------------------------------------------------------------------------------

    def _shown(self, *, revealed: bool) -> DoneState:
        screen, draft = self._screen, self.draft
        return DoneState(
            question=words.saved_words(draft, screen.application),
            title=screen.title,
            scopes=tuple(Tick(each.words, each is draft.scope) for each in Scope),
            fields=self._fields(),
            company=Tick(screen.labels.company, draft.identity.update_company),
            saves=screen.saves,
            offers=self._offers(revealed=revealed),
            proved=words.proved_words(draft),
            note=words.PRACTICE if draft.connection.sandbox else "",
            revealed=revealed,
            has_password=self._has_password,
            sections=(
                Section(f"In {screen.application}", tuple(f"{n}  {each}" for n, each in enumerate(screen.steps, 1))),
                Section("Good to know", words.KEEP_IT_RIGHT),
            ),
        )

    def _fields(self) -> tuple[FilledField, ...]:
        labels, draft = self._screen.labels, self.draft
        endpoint = draft.connection.endpoint
        assert endpoint is not None, "an account is saved with its server"
        # One box stands for both kinds of encryption.
        box = Tick(labels.security, endpoint.security is not Security.NONE)
        username = draft.connection.username or words.NO_USERNAME
        return (
            FilledField(labels.provider, self._listed()),
            FilledField(labels.host, endpoint.host),
            FilledField(labels.port, str(endpoint.port), box),
            FilledField(labels.username, username),
            self._password(),
        )

    def _listed(self) -> str:
        """Return what is chosen in the application's list: it has the providers that its own article names."""
        provider = self._provider
        if provider is None or provider.documented is None or provider.kind is ProviderKind.CUSTOM:
            return self._screen.other
        return short_name(provider)

    def _password(self) -> FilledField:
        label = self._screen.labels.password
        secret = self.draft.secret
        match self.draft.connection.auth:
            case Auth.NONE:
                return FilledField(label, words.NO_PASSWORD)
            case Auth.XOAUTH2:
                return FilledField(label, words.IN_BROWSER)
        if secret is None:
            return FilledField(label, words.NOT_HERE)
        # 'No blanks' would contradict a password that has some of its own.
        return FilledField(label, "", note="" if " " in secret.reveal() else self._screen.by_hand, secret=True)

    @property
    def password(self) -> str:
        """The password in groups, as it is typed by hand; '' while it is not to be seen."""
        secret = self.draft.secret
        return words.grouped(secret.reveal()) if self._state.revealed and secret is not None else ""

    @property
    def _has_password(self) -> bool:
        return self.draft.connection.auth is Auth.PASSWORD and self.draft.secret is not None

    def _offers(self, *, revealed: bool) -> tuple[Offer[StrEnum], ...]:
        show = Offer(DoneOffer.PASSWORD, words.HIDE if revealed else words.SHOW, key="F2")
        return (
            Offer(DoneOffer.FINISH, words.IT_WORKS, chip=words.FINISH),
            Offer(DoneOffer.EXPLAIN, words.complains(self._screen.application), chip=words.PASTE),
            Offer(DoneOffer.COPY, words.COPY, chip=words.CHOOSE_IT),
            *([show] if self._has_password else []),
        )

    @property
    def values(self) -> dict[Value, tuple[str, str]]:
        """What can be copied: label and value. Never the password, which the application does not let in by pasting."""
        labels, connection = self._screen.labels, self.draft.connection
        assert connection.endpoint is not None
        found = {
            Value.HOST: (labels.host, connection.endpoint.host),
            Value.PORT: (labels.port, str(connection.endpoint.port)),
            Value.USERNAME: (labels.username, connection.username),
            Value.SENDER: ("From", str(self.draft.from_address or "")),
        }
        return {each: pair for each, pair in found.items() if pair[1]}

    # -- what is done -----------------------------------------------------------------------------------------------

    async def act(self, offer: StrEnum) -> Leads | None:
        """As `Flow.act`. A `Value` is copied. `EXPLAIN` is the face's own, and does nothing here."""
        if isinstance(offer, Value):
            self._copied(offer)
            return None
        match offer:
            case DoneOffer.FINISH:
                return Next(self.draft)
            case DoneOffer.BACK if not self._state.copying:
                return Back(self.draft)
            case DoneOffer.BACK:
                self._show(self._shown(revealed=self._state.revealed))
            case DoneOffer.COPY:
                found = self.values.items()
                offers = tuple(Offer(each, f"{label}: {value}", chip=words.COPY_IT) for each, (label, value) in found)
                self._show(replace(self._state, copying=True, question=words.COPY_WHICH, offers=offers))
            case DoneOffer.PASSWORD if self._has_password:
                self._show(self._shown(revealed=not self._state.revealed))
        return None

    def _copied(self, value: Value) -> None:
        label, text = self.values[value]
        self._copy(text)
        self._show(replace(self._state, note=words.copied(label, text)))
