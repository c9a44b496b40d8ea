"""Another name for an account, other mails, no account any more; and the wizard with its answers filled in."""

from __future__ import annotations

from enum import StrEnum

from smtp_wizard.engine.accounts.account import Account, parse_name
from smtp_wizard.engine.accounts.saved_accounts import Displaces, NameTaken, SavedAccounts
from smtp_wizard.engine.accounts.secret_entries import SecretEntries
from smtp_wizard.engine.base.threads import in_thread
from smtp_wizard.engine.providers.catalog import Catalog
from smtp_wizard.engine.secrets.secret_store import SecretError, SecretFault
from smtp_wizard.engine.secrets.vault import VaultStore
from smtp_wizard.engine.services.accounts import Accounts
from smtp_wizard.engine.wizard.account_draft import copy_of, draft_of, draft_to_sign_in_again
from smtp_wizard.flows.accounts.action import Action, ActionResult, QuestionNeeded, VaultShut, yes_or_no
from smtp_wizard.flows.flow import Entry, Offer
from smtp_wizard.flows.question import Answer, Question, Topic
from smtp_wizard.flows.vault import VaultOpened
from smtp_wizard.text.accounts import (
    DELETE_NO,
    DELETE_WHY,
    DELETE_YES,
    DISPLACE_NO,
    delete_question,
    deleted_words,
    displaces_yes,
    duplicated_words,
    other_scope,
    renamed_words,
    scope_words,
)


class Rename(Action):
    """Gives an account another name; its password moves with it."""

    def __init__(self, account: Account, accounts: Accounts, vault: VaultStore) -> None:
        super().__init__(f"Rename '{account.name}'", vault)
        self._account = account
        self._accounts = accounts
        self._wanted: str | None = None

    async def _do(self) -> ActionResult:
        if self._wanted is None:
            raise QuestionNeeded(self._question(self._account.name))
        await self._open_vault(self._account.store)
        try:
            renamed = await self._accounts.rename(await self._accounts.called_now(self._account), self._wanted)
        except NameTaken as problem:
            taken, self._wanted = self._wanted, None
            raise QuestionNeeded(self._question(taken).with_error(0, str(problem))) from None
        return ActionResult(said=renamed_words(self._account.name, renamed.name), name=renamed.name)

    def _question(self, name: str) -> Question:
        offers: tuple[Offer[StrEnum], ...] = (
            Offer(Answer.DO, "Rename"),
            Offer(Answer.LEAVE, "Leave it", key="Esc"),
        )
        entry = Entry(label="Its new name", text=name)
        title = f"Rename '{self._account.name}'"
        return Question(title=title, about=Topic.NAME, entries=(entry,), offers=offers)

    def _answered(self, offer: StrEnum) -> ActionResult | None:
        if offer is Answer.DO:
            self._wanted = parse_name(self.state.entries[0].text)
        return super()._answered(offer)


class Duplicate(Action):
    """Saves a second account like one, with its password, for general mail. Nothing is tested."""

    def __init__(self, account: Account, accounts: Accounts, vault: VaultStore, new_name: str = "") -> None:
        """`new_name` empty: a free one."""
        super().__init__(f"A second account like '{account.name}'", vault)
        self._account = account
        self._accounts = accounts
        self._new_name = new_name

    async def _do(self) -> ActionResult:
        await self._open_vault(self._account.store)
        copy = await self._accounts.duplicate(await self._accounts.called_now(self._account), self._new_name)
        return ActionResult(said=duplicated_words(self._account.name, copy.name, copy.scope), name=copy.name)


class ChangeScope(Action):
    """Uses an account for all mail, or for invoices only."""

    def __init__(self, account: Account, accounts: Accounts, vault: VaultStore) -> None:
        super().__init__(f"What '{account.name}' is for", vault)
        self._account = account
        self._accounts = accounts
        self._displacing = False

    async def _do(self) -> ActionResult:
        wanted = other_scope(self._account)
        name = await self._accounts.called_now(self._account)
        try:
            await self._accounts.set_scope(name, wanted, displacing=self._displacing)
        except Displaces as problem:
            yes = displaces_yes(name, problem.other.name)
            asked = yes_or_no(Topic.DISPLACES, self.state.title, (str(problem),), yes=yes, no=DISPLACE_NO)
            raise QuestionNeeded(asked) from None
        return ActionResult(said=scope_words(name, wanted), name=name)

    def _answered(self, offer: StrEnum) -> ActionResult | None:
        self._displacing = offer is Answer.DO
        return super()._answered(offer)


class Delete(Action):
    """Forgets an account and its password, after asking."""

    def __init__(self, account: Account, accounts: Accounts, vault: VaultStore) -> None:
        super().__init__(delete_question(account.name), vault)
        self._account = account
        self._accounts = accounts
        self._sure = False

    async def _do(self) -> ActionResult:
        name = self._account.name
        if not self._sure:
            raise QuestionNeeded(
                yes_or_no(Topic.DELETION, self.state.title, (DELETE_WHY,), yes=DELETE_YES, no=DELETE_NO)
            )
        # Without the passphrase, or the vault, it is deleted all the same; what remains there is said.
        trouble = ""
        try:
            await self._open_vault(self._account.store)
        except SecretError as problem:
            if (
                problem.fault is SecretFault.WRONG
            ):  # it was given beforehand: whoever gave it did not mean to do without
                raise
            trouble = str(problem)
        except VaultShut:
            pass
        _, left = await self._accounts.remove(await self._accounts.called_now(self._account))
        return ActionResult(said=deleted_words(name), trouble=left or trouble)

    def _answered(self, offer: StrEnum) -> ActionResult | None:
        self._sure = offer is Answer.DO
        return super()._answered(offer)

    async def _after_vault(self, outcome: VaultOpened) -> ActionResult | None:
        return await self._go()


class Edit(Action):
    """Goes on in the wizard with an account's answers filled in."""

    def __init__(self, account: Account, entries: SecretEntries, vault: VaultStore, catalog: Catalog) -> None:
        super().__init__(f"Change '{account.name}'", vault)
        self._account = account
        self._entries = entries
        self._catalog = catalog

    async def _do(self) -> ActionResult:
        secret = await self._at_hand(self._account, self._entries)
        return ActionResult(draft=draft_of(self._account, secret, self._catalog), name=self._account.name)

    async def _after_vault(self, outcome: VaultOpened) -> ActionResult | None:
        return await self._go()


class SignInAgain(Edit):
    """Goes on in the wizard where the sign-in in the browser is made again."""

    async def _do(self) -> ActionResult:
        secret = await self._at_hand(self._account, self._entries)
        return ActionResult(draft=draft_to_sign_in_again(self._account, secret, self._catalog), name=self._account.name)


class Copy(Edit):
    """Goes on in the wizard with the answers of an account, for a second one like it."""

    def __init__(
        self,
        account: Account,
        saved_accounts: SavedAccounts,
        entries: SecretEntries,
        vault: VaultStore,
        catalog: Catalog,
    ) -> None:
        super().__init__(account, entries, vault, catalog)
        self._saved_accounts = saved_accounts

    async def _do(self) -> ActionResult:
        secret = await self._at_hand(self._account, self._entries)
        name = await in_thread(lambda: self._saved_accounts.free_name(self._account.name))
        return ActionResult(draft=copy_of(self._account, secret, self._catalog, name), name=self._account.name)
