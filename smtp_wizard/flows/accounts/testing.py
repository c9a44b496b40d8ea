"""Signing in to saved accounts once more, to one or to all of them, one after the other. Nothing is sent."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum

from smtp_wizard.engine.accounts.account import Account
from smtp_wizard.engine.accounts.guarded_sign_in import paused
from smtp_wizard.engine.accounts.secret_entries import SecretEntries, is_asked_each_time
from smtp_wizard.engine.base.errors import InputError
from smtp_wizard.engine.base.secret import Secret
from smtp_wizard.engine.base.stages import Depth
from smtp_wizard.engine.checks.report import Report
from smtp_wizard.engine.providers.catalog import Catalog
from smtp_wizard.engine.secrets.secret_store import SecretError
from smtp_wizard.engine.secrets.vault import VaultStore
from smtp_wizard.engine.services.check_options import CheckOptions
from smtp_wizard.engine.services.checks import Checks
from smtp_wizard.flows.accounts.action import Action, ActionResult, QuestionNeeded, anyway_question
from smtp_wizard.flows.accounts.password import LACKING
from smtp_wizard.flows.check_view import GOOD
from smtp_wizard.flows.question import Answer, Topic
from smtp_wizard.flows.vault import VaultOpened
from smtp_wizard.runtime.expected_errors import EXPECTED_ERRORS
from smtp_wizard.text.accounts import all_tested_words, asked_each_time_words, not_tested_words, tested_words


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountOutcome:
    """How the test of one account came out."""

    account: Account
    report: Report | None = None
    """None where it could not begin."""
    trouble: str = ""
    """Why not, in a sentence."""

    @property
    def well(self) -> bool:
        """Whether it works."""
        return self.report is not None and self.report.verdict in GOOD


class SignInTest(Action):
    """Signs in to accounts again. What keeps one from being tested keeps none of the others."""

    def __init__(
        self,
        accounts: Sequence[Account],
        checks: Checks,
        entries: SecretEntries,
        vault: VaultStore,
        catalog: Catalog,
        *,
        beginning: Callable[[Account], None] = lambda account: None,
        tested: Callable[[AccountOutcome], None] = lambda outcome: None,
    ) -> None:
        """`beginning` is told of each account before it is tested, `tested` of each result as it comes."""
        super().__init__("Test the sign-in", vault)
        self._left = list(accounts)
        self._checks = checks
        self._entries = entries
        self._catalog = catalog
        self._alone = len(accounts) == 1
        self._typed: Secret | None = None
        self._anyway: bool | None = None
        """Whether to try although that may lock the account; None while nobody was asked."""
        self.results: list[AccountOutcome] = []
        self._beginning = beginning
        self._tested = tested

    async def _do(self) -> ActionResult:
        while self._left:
            account = self._left[0]
            self._beginning(account)
            result = await self._one(account)
            self._left.pop(0)
            self.results.append(result)
            self._tested(result)
        return self._done()

    async def _one(self, account: Account) -> AccountOutcome:
        try:
            secret = await self._secret_of(account)
            report = await self._checked(account, secret)
        except EXPECTED_ERRORS as problem:
            return AccountOutcome(account=account, trouble=str(problem))
        why = paused(report)
        if self._alone and self._anyway is None and why is not None:
            raise QuestionNeeded(anyway_question(self.state.title, why))
        return AccountOutcome(account=account, report=report)

    async def _secret_of(self, account: Account) -> Secret | None:
        """Return the secret. Where all are tested, nobody is asked for those that are kept nowhere."""
        if self._alone:
            return await self._kept_or_typed(account, self._entries, self._typed)
        await self._open_vault(account.store)
        try:
            return await self._entries.secret_of(account)
        except SecretError as problem:
            if not is_asked_each_time(problem, account):
                raise
            raise InputError(asked_each_time_words(account.name)) from None

    async def _checked(self, account: Account, secret: Secret | None) -> Report:
        take = self._watch(f"Testing '{account.name}' ...")
        options = CheckOptions(ignore_lockout=bool(self._anyway))
        return await self._checks.check_account(account, secret, Depth.LOGIN, take, options=options)

    def _done(self) -> ActionResult:
        if not self._alone:
            return ActionResult(said=all_tested_words([each.well for each in self.results]))
        (result,) = self.results
        if result.report is None:
            return ActionResult(trouble=result.trouble, name=result.account.name)
        said = tested_words(result.account, result.report)
        return ActionResult(said=said, name=result.account.name, report=result.report)

    def _answered(self, offer: StrEnum) -> ActionResult | None:
        if self.state.about is Topic.LOCKOUT:
            self._anyway = offer is Answer.DO
            if self._anyway:
                return None
            return ActionResult(said=not_tested_words(self._left[0]), name=self._left[0].name)
        if offer is Answer.DO and self.state.about is Topic.PASSWORD:
            typed = self._secret(0)
            if not typed:
                raise InputError(LACKING)
            self._typed = self._catalog.tidied(self._left[0].connection, typed)
        return super()._answered(offer)

    async def _after_vault(self, outcome: VaultOpened) -> ActionResult | None:
        if self._alone:
            return await super()._after_vault(outcome)
        return await self._go()
