"""A new password for an account, tried before it is kept; and another place for the one it has."""

from __future__ import annotations

from dataclasses import replace
from enum import StrEnum

from smtp_wizard.engine.accounts.account import Account
from smtp_wizard.engine.accounts.guarded_sign_in import paused
from smtp_wizard.engine.accounts.secret_entries import SecretEntries
from smtp_wizard.engine.base.errors import InputError
from smtp_wizard.engine.base.secret import Secret
from smtp_wizard.engine.base.shown import phrase
from smtp_wizard.engine.checks.report import Report
from smtp_wizard.engine.providers.catalog import Catalog
from smtp_wizard.engine.secrets.reference_stores import variable_for
from smtp_wizard.engine.secrets.secret_store import Availability
from smtp_wizard.engine.secrets.store_kinds import StoreKind
from smtp_wizard.engine.secrets.stores import SecretStores
from smtp_wizard.engine.secrets.vault import VaultStore
from smtp_wizard.engine.services.accounts import Accounts
from smtp_wizard.engine.services.check_options import CheckOptions
from smtp_wizard.flows.accounts.action import (
    LEFT,
    Action,
    ActionResult,
    QuestionNeeded,
    anyway_question,
    password_question,
)
from smtp_wizard.flows.accounts.check_cards import failed_card
from smtp_wizard.flows.check_view import GOOD
from smtp_wizard.flows.flow import Entry, Offer
from smtp_wizard.flows.question import Answer, Question, Topic
from smtp_wizard.text.accounts import NEW_SECRET_WHY, new_secret_words, secret_words
from smtp_wizard.text.save import PLACE_NOTES
from smtp_wizard.text.stores import (
    MOVE_QUESTION,
    MOVE_WHY,
    TRYING,
    WAY_HINTS,
    WAY_LABELS,
    WAY_PARSERS,
    moved_words,
)
from smtp_wizard.text.wizard import STORE_TITLES

LACKING = phrase("Type the password.")


class NewPassword(Action):
    """Tries a new password with the account's own settings, and keeps it if the server takes it."""

    def __init__(
        self,
        account: Account,
        accounts: Accounts,
        vault: VaultStore,
        catalog: Catalog,
        options: CheckOptions | None = None,
    ) -> None:
        """`options`: how the server is to be spoken to this time."""
        super().__init__(f"The {secret_words(account)} of '{account.name}'", vault)
        self._options = options or CheckOptions()
        self._account = account
        self._accounts = accounts
        self._catalog = catalog
        self._typed: Secret | None = None
        self._anyway = False
        self._report: Report | None = None
        """How the last one came out, where it was not taken, or not even tried."""

    async def _do(self) -> ActionResult:
        if self._typed is None:
            raise QuestionNeeded(self._question())
        await self._open_vault(self._account.store)
        report = await self._tried(self._catalog.tidied(self._account.connection, self._typed))
        if report.verdict not in GOOD:
            self._report = report
        if (why := paused(report)) is not None:
            raise QuestionNeeded(anyway_question(self.state.title, why))
        if report.verdict not in GOOD:
            self._typed, self._anyway = None, False
            raise QuestionNeeded(self._question())
        return ActionResult(
            said=new_secret_words(self._account.name, kept=True), name=self._account.name, report=report
        )

    async def _tried(self, secret: Secret) -> Report:
        take = self._watch(f"Trying the new {secret_words(self._account)} of '{self._account.name}' ...")
        options = replace(self._options, ignore_lockout=self._anyway or self._options.ignore_lockout)
        return await self._accounts.replace_secret(self._account, secret, take, options=options)

    def _question(self) -> Question:
        path = self._catalog.path(self._account.connection)
        label = (
            path.secret_label if path is not None and path.secret_label else secret_words(self._account).capitalize()
        )
        asked = password_question(self._account, NEW_SECRET_WHY, label, "Try it")
        return asked if self._report is None else replace(asked, card=failed_card(self._report))

    def _answered(self, offer: StrEnum) -> ActionResult | None:
        if self.state.about is Topic.LOCKOUT:
            self._anyway = offer is Answer.DO
            return None if self._anyway else self._not_kept(tried=False)
        if offer is not Answer.DO:
            return self._not_kept(tried=True) if self._report is not None else LEFT
        typed = self._secret(0)
        if not typed:
            raise InputError(LACKING)
        self._typed, self._anyway = typed, False
        return None

    def _not_kept(self, *, tried: bool) -> ActionResult:
        words = new_secret_words(self._account.name, kept=False, tried=tried)
        return ActionResult(said=words, name=self._account.name, report=self._report)


class Move(Action):
    """Keeps an account's password in another place."""

    def __init__(self, account: Account, accounts: Accounts, entries: SecretEntries, stores: SecretStores) -> None:
        super().__init__(f"The password of '{account.name}'", stores.vault)
        self._account = account
        self._accounts = accounts
        self._entries = entries
        self._stores = stores
        self._kind: StoreKind | None = None
        self._where: str | None = None
        self._typed: Secret | None = None

    async def _do(self) -> ActionResult:
        if self._kind is None:
            raise QuestionNeeded(await self._which())
        if self._kind.is_reference and self._where is None:
            raise QuestionNeeded(self._way(self._kind))
        name = await self._accounts.called_now(self._account)
        secret = await self._kept_or_typed(self._account, self._entries, self._typed)
        await self._open_vault(self._kind, creating=True)
        self._running("Putting it there ...")
        _, trouble = await self._accounts.move(name, self._kind, self._where or "", secret)
        return ActionResult(said=moved_words(name, STORE_TITLES[self._kind]), trouble=trouble, name=name)

    async def _which(self) -> Question:
        """Try every place out before it is offered."""
        self._running(TRYING)
        found = {kind: await self._stores.get(kind).probe() for kind in self._stores.offered()}
        offers = tuple(sorted((_place(kind, each) for kind, each in found.items()), key=lambda each: bool(each.off)))
        chosen = self._account.store.kind if self._account.store is not None else None
        lines = (MOVE_WHY, MOVE_QUESTION)
        return Question(title=self.state.title, about=Topic.PLACE, lines=lines, offers=offers, chosen=chosen)

    def _way(self, kind: StoreKind) -> Question:
        store = self._account.store
        known = store.where if store is not None and store.kind is kind else ""
        known = known or (variable_for(self._account.name) if kind is StoreKind.ENV else "")
        entry = Entry(
            label=WAY_LABELS[kind], text=known, placeholder=WAY_HINTS[kind], hint=f"Such as {WAY_HINTS[kind]}"
        )
        offers: tuple[Offer[StrEnum], ...] = (
            Offer(Answer.DO, "Keep it there"),
            Offer(Answer.LEAVE, "Leave it", key="Esc"),
        )
        title = self.state.title
        return Question(title=title, about=Topic.WAY, lines=(MOVE_WHY,), entries=(entry,), offers=offers)

    def _answered(self, offer: StrEnum) -> ActionResult | None:
        if isinstance(offer, StoreKind):
            self._kind, self._where = offer, None
            return None
        if offer is not Answer.DO:
            return LEFT
        if self._kind is not None and self.state.about is Topic.WAY:
            self._where = WAY_PARSERS[self._kind](self.state.entries[0].text)
        else:
            self._typed = self._secret(0)
            if not self._typed:
                self._typed = None
                raise InputError(LACKING)
        return None


def _place(kind: StoreKind, found: Availability) -> Offer[StrEnum]:
    return Offer(
        kind,
        STORE_TITLES[kind],
        note=PLACE_NOTES[kind] if found.ok else "",
        chip="Keep it there",
        off="" if found.ok else found.words,
    )
