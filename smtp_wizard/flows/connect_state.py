"""What a face knows of the step Connect: where it stands, what is typed, what is offered."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

from smtp_wizard.engine.accounts.guarded_sign_in import PAUSED
from smtp_wizard.engine.base.connection import Auth
from smtp_wizard.engine.base.endpoint import Endpoint
from smtp_wizard.engine.base.secret import Secret
from smtp_wizard.engine.checks.target import TimeLimits
from smtp_wizard.engine.diagnosis.finding import Finding
from smtp_wizard.engine.providers.provider import AccessPath, Provider
from smtp_wizard.engine.scan.blocked_ports import ControlAnswer
from smtp_wizard.engine.wizard.draft import Draft
from smtp_wizard.flows.check_view import CheckView
from smtp_wizard.flows.flow import Card, Entry, Offer
from smtp_wizard.flows.guide_ticks import GuideView
from smtp_wizard.flows.server_questions import NetworkQuestion
from smtp_wizard.text.connect import short_name

Pair = tuple[Endpoint | None, str, Secret | None]
"""Server, user name and password."""


class ConnectOffer(StrEnum):
    """What can be done with a sign-in."""

    SIGN_IN = "sign-in"
    NEXT = "next"
    FIX = "fix"
    """Take the server that the finding offers, and sign in there."""
    SAME = "same"
    """Send once more what was refused, unchanged."""
    ANYWAY = "anyway"
    ANYWAY_NOW = "anyway-now"
    CONFIRM = "confirm"
    UNLOCK = "unlock"
    NETWORK = "network"
    ASK_NEUTRAL = "ask-neutral"
    LEAVE = "leave"
    """End a question in the midst, and change nothing."""
    STOP = "stop"
    CHANGE = "change"
    BACK = "back"


class ConnectPhase(StrEnum):
    """Where the step stands."""

    TYPING = "typing"
    RUNNING = "running"
    STOPPED = "stopped"
    FAILED = "failed"
    PASSED = "passed"
    PROBLEM = "problem"
    """A service has said why nothing could be tried."""
    CONFIRM = "confirm"
    LOCKED = "locked"
    ANYWAY = "anyway"
    NETWORK = "network"
    ASKING = "asking"
    ANSWERED = "answered"


ASKS = frozenset({ConnectPhase.CONFIRM, ConnectPhase.ANYWAY, ConnectPhase.NETWORK})
"""Questions in the midst: their offers are the answers, the careful one first."""
BUSY = frozenset({ConnectPhase.RUNNING, ConnectPhase.ASKING})


class CursorPlace(StrEnum):
    """Where the cursor belongs."""

    USERNAME = "username"
    SECRET = "secret"
    PASSPHRASE = "passphrase"
    OFFERS = "offers"


@dataclass(frozen=True, slots=True, kw_only=True)
class ConnectState:
    """All that a face shows of the step."""

    at: ConnectPhase
    question: str
    settings: str
    """Who signs in where, in one line."""
    notes: tuple[str, ...] = ()
    """What is to be known before a password goes there: a file of the person's own names the server."""
    username: Entry | None = None
    """None where the settings give it."""
    secret: Entry | None = None
    doubt: str = ""
    """What is unusual in the password as it stands, in a sentence."""
    passphrase: Entry | None = None
    """Asked for where the vault is locked."""
    card: Card | None = None
    finding: Finding | None = None
    """What the card tells, in full."""
    tries: str = ""
    """How often it may still fail; part of the card."""
    check: CheckView = field(default_factory=CheckView)
    guide: GuideView | None = None
    """What helps now: with what went wrong, else with this way in."""
    offers: tuple[Offer[ConnectOffer], ...] = ()
    aim: CursorPlace = CursorPlace.OFFERS
    refused: bool = False
    """Whether the server has refused exactly what stands there: typing is to replace it."""

    @property
    def asks(self) -> bool:
        """Whether a question in the midst is shown."""
        return self.at in ASKS

    @property
    def busy(self) -> bool:
        """Whether something is under way, which Esc stops."""
        return self.at in BUSY


@dataclass(frozen=True, slots=True, kw_only=True)
class ConnectFacts:
    """What the flow itself knows, and every part of the state is made of."""

    draft: Draft
    at: ConnectPhase
    back_to: ConnectPhase
    """Where a question in the midst leads back to."""
    provider: Provider | None
    path: AccessPath | None
    asks_name: bool
    check: CheckView = field(default_factory=CheckView)
    took: float = 0.0
    tries: str = ""
    problem: str = ""
    """What a service said, where nothing could be tried."""
    unlockable: bool = False
    """Whether that is a place for secrets that is locked."""
    sent: bool = False
    """Whether the password went out in the attempt that was stopped."""
    network: NetworkQuestion
    """What there is to find out where nobody answers."""
    answers: tuple[ControlAnswer, ...] = ()
    """What the neutral host tells."""
    refusals: frozenset[Pair] = frozenset()
    """What the server has refused while this step was shown."""

    @property
    def pair(self) -> Pair:
        """What a sign-in is made of."""
        return self.draft.connection.endpoint, self.draft.connection.username, self.draft.secret

    @property
    def refused(self) -> bool:
        """Whether the server has refused exactly what stands there."""
        return self.draft.refused or self.pair in self.refusals

    @property
    def needs_secret(self) -> bool:
        """Whether a password is typed."""
        return self.draft.connection.auth is Auth.PASSWORD

    @property
    def nameless(self) -> bool:
        """Whether nobody signs in: the server is only asked."""
        return self.draft.connection.auth is Auth.NONE

    @property
    def name(self) -> str:
        """Who looks at the password."""
        return short_name(self.provider)

    @property
    def limit(self) -> int:
        """Seconds that the stage under way may take; 0 while none is."""
        return round(TimeLimits().of(self.check.running)) if self.check.running is not None else 0

    @property
    def held_back(self) -> bool:
        """Whether no sign-in was tried, so that the account does not get locked."""
        finding = self.check.finding
        return finding is not None and finding.code == PAUSED
