"""Opening the vault: its passphrase asked once where there is one, and chosen, typed twice, where one is made.

Whoever needs what the vault holds asks `needs_opening`, puts the question of an `UnlockVault` in the midst of what it
does, and goes on when that leads to `VaultOpened`.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum

from smtp_wizard.engine.base.errors import InputError
from smtp_wizard.engine.base.secret import Secret
from smtp_wizard.engine.base.shown import NO_WORDS, Shown
from smtp_wizard.engine.secrets.secret_store import SecretError, SecretFault
from smtp_wizard.engine.secrets.store_kinds import StoreKind, StoreRef
from smtp_wizard.engine.secrets.vault import VaultState, VaultStore, acceptable
from smtp_wizard.flows.flow import Entry, Offer
from smtp_wizard.flows.question import Answer, LeadsT, Question, QuestionFlow, Topic
from smtp_wizard.text.stores import VAULT_CLOSED, VAULT_NEW, VAULT_NOT_SAME, VAULT_OPEN

LACKING = "Type the passphrase."
FIRST, AGAIN = 0, 1


@dataclass(frozen=True, slots=True)
class VaultOpened:
    """How asking for the passphrase ended."""

    why_not: Shown = NO_WORDS
    """Why the vault is shut still, in a sentence; '' where it is open."""
    fault: SecretFault | None = None
    """What is wrong with it, where it cannot be used; None where the person left it shut."""

    @property
    def well(self) -> bool:
        """Whether the vault is open."""
        return not self.why_not


async def needs_opening(vault: VaultStore, *places: StoreRef | StoreKind | None, creating: bool = False) -> bool:
    """Whether a passphrase must be asked for before one of these places can be used.

    `creating`: something will be put there, so that a vault that is not there yet is made. Raises `SecretError` where
    the vault cannot be used at all.
    """
    kinds = [place.kind if isinstance(place, StoreRef) else place for place in places]
    if StoreKind.VAULT not in kinds or (vault.state is VaultState.MISSING and not creating):
        return False
    return not await vault.ready()


class _ChosenPassphrase(QuestionFlow[LeadsT]):
    """Has a new passphrase typed twice."""

    def _chosen(self) -> Secret | None:
        """The new passphrase, once it is good enough and was typed twice; else say what is lacking, where it is."""
        try:
            typed = acceptable(self._secret(FIRST))
        except InputError as problem:
            self._fail(FIRST, str(problem))
            return None
        if self._secret(AGAIN) == typed:
            return typed
        if self.state.at == FIRST:
            self._fail(AGAIN, "")
        else:  # either may have the slip in it
            self._fail(FIRST, VAULT_NOT_SAME)
        return None


class NewPassphrase(_ChosenPassphrase[Secret]):
    """Asks for another passphrase of a vault that is there, until it is good enough; it cannot be left."""

    def __init__(self) -> None:
        super().__init__(replace(_new(), lines=()))

    async def act(self, offer: StrEnum) -> Secret | None:
        """Return the new passphrase, None while something is lacking."""
        return self._chosen()


class UnlockVault(_ChosenPassphrase[VaultOpened]):
    """Asks for the passphrase until it is right, or left."""

    def __init__(self, vault: VaultStore) -> None:
        self._vault = vault
        super().__init__(_new() if vault.state is VaultState.MISSING else _known())

    async def act(self, offer: StrEnum) -> VaultOpened | None:
        """Open the vault, or make it. A wrong passphrase is said at its field."""
        if offer is not Answer.DO:
            return VaultOpened(VAULT_CLOSED)
        making = len(self.state.entries) > 1
        passphrase = self._chosen() if making else self._typed()
        return await self._opened(passphrase, making=making) if passphrase is not None else None

    def _typed(self) -> Secret | None:
        typed = self._secret(FIRST)
        if not typed:
            self._fail(FIRST, LACKING)
        return typed or None

    async def _opened(self, passphrase: Secret, *, making: bool) -> VaultOpened | None:
        before = self.state
        self._show(replace(before, running="Making the vault ..." if making else "Opening the vault ..."))
        try:
            await (self._vault.create(passphrase) if making else self._vault.open(passphrase))
        except SecretError as problem:
            if problem.fault is not SecretFault.WRONG:
                return VaultOpened(problem.words, problem.fault)
            self._wrong(str(problem))
            return None
        except BaseException:
            self._show(before)
            raise
        return VaultOpened()

    def _wrong(self, words: str) -> None:
        """Another process has made the vault meanwhile, or the passphrase is another one: it is asked once."""
        self._ask(_known().with_error(FIRST, words))


def _known() -> Question:
    return Question(
        title="The vault",
        about=Topic.PASSPHRASE,
        lines=(VAULT_OPEN,),
        entries=(Entry(label="Passphrase", secret=True),),
        offers=_offers("Open"),
    )


def _new() -> Question:
    entries = (Entry(label="New passphrase", secret=True), Entry(label="The same once more", secret=True))
    return Question(
        title="A new vault",
        about=Topic.NEW_PASSPHRASE,
        lines=(VAULT_NEW,),
        entries=entries,
        offers=_offers("Make the vault"),
    )


def _offers(verb: str) -> tuple[Offer[StrEnum], ...]:
    return Offer(Answer.DO, verb), Offer(Answer.LEAVE, "Not now", key="Esc")
