"""What all actions on an account have in common: what is lacking is asked for, then it is done, whole or not at all.

An action says in `_do` what it does, from the beginning. Where an answer is lacking it raises `QuestionNeeded`; with
the answer `_do` is called again. Nothing has been changed until then, so the way back from each question is free.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable
from dataclasses import dataclass, replace
from enum import StrEnum

from smtp_wizard.engine.accounts.account import Account
from smtp_wizard.engine.accounts.secret_entries import SecretEntries, is_asked_each_time
from smtp_wizard.engine.base.errors import InputError
from smtp_wizard.engine.base.secret import Secret
from smtp_wizard.engine.base.shown import Shown
from smtp_wizard.engine.checks.events import Event, StageStarted
from smtp_wizard.engine.checks.report import Report
from smtp_wizard.engine.diagnosis.finding import Finding
from smtp_wizard.engine.secrets.secret_store import SecretError
from smtp_wizard.engine.secrets.store_kinds import StoreKind, StoreRef
from smtp_wizard.engine.secrets.vault import VaultStore
from smtp_wizard.engine.wizard.draft import Draft
from smtp_wizard.flows.accounts.check_cards import running_card
from smtp_wizard.flows.flow import Entry, Offer
from smtp_wizard.flows.question import Answer, Question, QuestionFlow, Topic
from smtp_wizard.flows.vault import UnlockVault, VaultOpened, needs_opening
from smtp_wizard.runtime.expected_errors import EXPECTED_ERRORS
from smtp_wizard.text.accounts import secret_words
from smtp_wizard.text.connect import practice_password_of
from smtp_wizard.text.wizard import ANYWAY_NO, ANYWAY_QUESTION, ANYWAY_YES


@dataclass(frozen=True, slots=True, kw_only=True)
class ActionResult:
    """What came of an action."""

    said: str = ""
    """What was done, in a sentence; '' where nothing was."""
    trouble: str = ""
    """What did not work, or only in part, in a sentence or two."""
    name: str = ""
    """What the account is called now; '' where there is none any more, or none to be shown."""
    draft: Draft | None = None
    """The wizard's answers to go on with there."""
    report: Report | None = None
    """Of the last check, where there was one."""
    problem: Exception | None = None
    """What a service raised, where that is why nothing was done; `trouble` says it."""


LEFT = ActionResult()
"""The person left it: nothing was done."""


class QuestionNeeded(Exception):
    """Something is lacking: the question that asks for it."""

    def __init__(self, question: Question) -> None:
        super().__init__(question.title)
        self.question = question


class VaultShut(InputError):
    """The person does not open the vault. The text says so."""


class Action(QuestionFlow[ActionResult]):
    """One thing that is done with saved accounts. `begin` it, then `act` until it leads to a `ActionResult`."""

    def __init__(self, title: str, vault: VaultStore) -> None:
        super().__init__(Question(title=title))
        self._store = vault
        self._vault: UnlockVault | None = None
        """Asks for the passphrase now."""
        self._interrupted = Question(title=title), dict[int, Secret]()
        """The question that stood there before the vault's, and what was typed; it comes back after it."""
        self._shut: Shown | None = None
        """Why the vault stays shut; None while nobody has said so."""
        self.events: Callable[[Event], None] = lambda event: None
        """Told of what happens in a check that the action makes."""

    async def begin(self) -> ActionResult | None:
        """Do it, or ask for what is lacking. As `act`."""
        return await self._go()

    async def act(self, offer: StrEnum) -> ActionResult | None:
        """Take an answer. Return what came of it all, None where something else is asked."""
        if self._vault is not None:
            return await self._with_vault(self._vault, offer)
        if self.state.about is None:  # it was stopped before anything was asked
            return await self._go() if offer is Answer.DO else self._leaving()
        try:
            left = self._answered(offer)
        except InputError as problem:
            self._fail(self.state.at, str(problem))
            return None
        return left or await self._go()

    def type(self, at: int, text: str) -> None:
        """As `QuestionFlow.type`."""
        if self._vault is not None:
            self._vault.type(at, text)
        else:
            super().type(at, text)

    def give(self, at: int, secret: Secret) -> None:
        """As `QuestionFlow.give`."""
        if self._vault is not None:
            self._vault.give(at, secret)
        else:
            super().give(at, secret)

    async def _go(self) -> ActionResult | None:
        before = self.state
        try:
            return await self._do()
        except QuestionNeeded as asked:
            if self._vault is not None:
                self._interrupted = before, self._secrets
            self._ask(asked.question)
            return None
        except EXPECTED_ERRORS as problem:
            return ActionResult(said=self.so_far, trouble=str(problem), problem=problem)
        except BaseException:
            self._show(self._stopped(before))
            raise

    def _stopped(self, before: Question) -> Question:
        """Return what is asked once it was stopped: what was asked before, unless that has been done meanwhile."""
        return before

    @property
    def so_far(self) -> str:
        """What has been done that cannot be taken back, in a sentence; '' where nothing has."""
        return ""

    def _leaving(self) -> ActionResult:
        """Return what came of it where the person leaves it now."""
        return LEFT

    @abstractmethod
    async def _do(self) -> ActionResult:
        """Do it, with the answers so far. Raises `QuestionNeeded`, and what a face may be told."""

    def _answered(self, offer: StrEnum) -> ActionResult | None:
        """Take the answer to the question of this action; return what came of it where that ends it.

        Raises `InputError` where what stands in the field cannot be used.
        """
        return self._leaving() if offer is not Answer.DO else None

    def _running(self, words: str) -> None:
        self._show(replace(self.state, running=words, card=None))

    def _show_running(self, words: str) -> None:
        """Show what is waited for; it may be stopped."""
        self._show(replace(self.state, running=words, card=running_card(words)))

    def _watch(self, words: str) -> Callable[[Event], None]:
        """Return what shows a check while it runs, under `words`."""

        def take(event: Event) -> None:
            self.events(event)
            if isinstance(event, StageStarted):
                self._show(replace(self.state, running=words, card=running_card(words, event)))

        self._show(replace(self.state, running=words, card=running_card(words)))
        return take

    # -- the vault --------------------------------------------------------------------------------------------------

    async def _open_vault(self, *places: StoreRef | StoreKind | None, creating: bool = False) -> None:
        """Have the vault open where one of the places is in it.

        Raises `QuestionNeeded`, `VaultShut` where the person has said no to that, `SecretError` where it is unusable.
        """
        if not await needs_opening(self._store, *places, creating=creating):
            return
        if self._shut is not None:
            raise VaultShut(self._shut)
        self._vault = UnlockVault(self._store)
        self._vault.changed = self._show
        raise QuestionNeeded(self._vault.state)

    async def _with_vault(self, vault: UnlockVault, offer: StrEnum) -> ActionResult | None:
        outcome = await vault.act(offer)
        if outcome is None:
            return None
        self._vault = None
        question, self._secrets = self._interrupted
        self._show(question)
        if not outcome.well:
            self._shut = outcome.why_not
        return await self._after_vault(outcome)

    async def _after_vault(self, outcome: VaultOpened) -> ActionResult | None:
        """Go on, or end it, once the passphrase was asked for: most actions need what is in the vault."""
        return await self._go() if outcome.well else ActionResult(said=self.so_far, trouble=outcome.why_not)

    # -- secrets ----------------------------------------------------------------------------------------------------

    async def _at_hand(self, account: Account, entries: SecretEntries) -> Secret | None:
        """Return an account's secret where it can be had; None where it is typed again at the step that needs it."""
        try:
            await self._open_vault(account.store)
            return await entries.secret_of(account)
        except (SecretError, VaultShut):
            return None

    async def _kept_or_typed(self, account: Account, entries: SecretEntries, typed: Secret | None) -> Secret | None:
        """Return an account's secret, or `typed` where none is kept. Raises as `secret_of`, and `QuestionNeeded`."""
        await self._open_vault(account.store)
        try:
            return await entries.secret_of(account)
        except SecretError as problem:
            if not is_asked_each_time(problem, account):
                raise
        if typed is None:
            raise QuestionNeeded(password_question(account, "It is kept nowhere, as you chose.", "Password"))
        return typed


def password_question(account: Account, why: str, label: str, verb: str = "Go on") -> Question:
    """Return the question for an account's password; for practice with what that is. Raises `DataError`."""
    practice = practice_password_of(account.connection)
    return Question(
        title=f"The {secret_words(account)} of '{account.name}'",
        about=Topic.PASSWORD,
        lines=(why, f"The practice password: {practice}") if practice else (why,),
        entries=(Entry(label=label, secret=True),),
        offers=(Offer(Answer.DO, verb), Offer(Answer.LEAVE, "Leave it", key="Esc")),
    )


def anyway_question(title: str, why: Finding) -> Question:
    """Return the question whether to sign in although that may lock the account. `why`: why nobody did."""
    return yes_or_no(Topic.LOCKOUT, title, (f"{why.title}.", ANYWAY_QUESTION), yes=ANYWAY_YES, no=ANYWAY_NO)


def yes_or_no(about: Topic, title: str, lines: tuple[str, ...], *, yes: str, no: str) -> Question:
    """Return a question with two answers, of which the careful one is marked at first."""
    offers: tuple[Offer[StrEnum], ...] = (Offer(Answer.LEAVE, no), Offer(Answer.DO, yes))
    return Question(title=title, about=about, lines=lines, offers=offers, chosen=Answer.LEAVE)
