"""The secrets of the accounts that are tested: given, kept or typed. Why one cannot be had is a finding."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from smtp_wizard.commands.faults import GIVE_PASSPHRASE, known_fault, other_stores, reported_bug
from smtp_wizard.commands.options.passwords import PasswordSource
from smtp_wizard.commands.options.sign_in import given_password, tidy_password
from smtp_wizard.commands.options.vault import offer_passphrase
from smtp_wizard.engine.accounts.secret_entries import is_asked_each_time
from smtp_wizard.engine.base.connection import Auth
from smtp_wizard.engine.base.secret import Secret
from smtp_wizard.engine.base.shown import NO_WORDS, join, phrase, shown
from smtp_wizard.engine.base.stages import Depth
from smtp_wizard.engine.base.who import Who
from smtp_wizard.engine.diagnosis.finding import Finding
from smtp_wizard.engine.secrets.secret_store import SecretError, SecretFault
from smtp_wizard.engine.secrets.store_kinds import StoreKind
from smtp_wizard.runtime.exit_codes import CommandError, Exit
from smtp_wizard.runtime.questions import ask_password, can_ask
from smtp_wizard.runtime.running import Stopwatch, run

if TYPE_CHECKING:
    from smtp_wizard.commands.invocation import Invocation
    from smtp_wizard.engine.accounts.account import Account

Held = Secret | Finding | None
"""A secret, why it cannot be had, or None where none is needed."""


class AccountSecrets:
    """What the accounts of one run sign in with. `ask` first; then `read` each, many at once, in the event loop."""

    def __init__(
        self,
        invocation: Invocation,
        accounts: Sequence[Account],
        depth: Depth,
        source: PasswordSource,
        watch: Stopwatch,
    ) -> None:
        self._invocation = invocation
        self._accounts = accounts
        self._depth = depth
        self._source = source
        self._watch = watch
        self._known: dict[str, Held] = {}
        """By the accounts' names: what was given, typed or found out before."""
        self._shut: SecretError | None = None
        """Why the vault stays shut."""
        self.unreadable: dict[str, Finding] = {}
        """Why the secrets of accounts could not be had, by their names."""

    # -- what a person is asked --------------------------------------------------------------------------------------

    def ask(self, undone: Callable[[], str]) -> None:
        """Take the password that was given, open the vault, and ask for what is kept nowhere. Raises `CommandError`."""
        if self._depth is Depth.SERVER:
            self._known = {account.name: None for account in self._accounts}
        elif self._source.given:
            (account,) = self._accounts
            given = given_password(self._invocation, self._source, self._watch, undone)
            self._known[account.name] = None if given is None else tidy_password(self._invocation, account, given)
        else:
            self._open_vault()
            self._ask_each(undone)

    def _open_vault(self) -> None:
        """Open the vault once for all that need it. Where it stays shut, the others are tested all the same."""
        try:
            offer_passphrase(self._invocation, *(account.store for account in self._accounts))
        except SecretError as problem:
            self._shut = problem

    def _ask_each(self, undone: Callable[[], str]) -> None:
        asked = [account for account in self._accounts if _may_be_asked_for(account)] if can_ask() else []
        if asked:
            run(self._look(asked), self._watch, undone)
        for account in asked:
            if account.name not in self._known:
                from smtp_wizard.text.accounts import secret_words

                typed = ask_password(f"{secret_words(account).capitalize()} of {account.name}")
                self._known[account.name] = tidy_password(self._invocation, account, typed)

    async def _look(self, accounts: Sequence[Account]) -> None:
        """Leave those for a question whose secret was not put anywhere meanwhile."""
        async with self._watch.bound():
            for account in accounts:
                found = await self._kept(account)
                if not (isinstance(found, SecretError) and is_asked_each_time(found, account)):
                    self._known[account.name] = self._told(account, found)

    # -- reading -----------------------------------------------------------------------------------------------------

    async def read(self, account: Account) -> Held:
        """Return an account's secret, or why it cannot be had, whatever that is: the others are tested all the same."""
        if account.name in self._known:
            return self._known[account.name]
        return self._told(account, await self._kept(account))

    async def _kept(self, account: Account) -> Secret | Exception | None:
        if self._shut is not None and account.store is not None and account.store.kind is StoreKind.VAULT:
            return self._shut
        try:
            secret = await self._invocation.services.entries.secret_of(account)
        except Exception as problem:
            return problem
        return secret

    def _told(self, account: Account, found: Secret | Exception | None) -> Held:
        if not isinstance(found, Exception):
            return found
        finding = secret_finding(found) if isinstance(found, SecretError) else fault_finding(found, self._invocation)
        self.unreadable[account.name] = finding
        return finding

    def refusal(self) -> CommandError | None:
        """Return why no check could even begin; None where one did."""
        if len(self.unreadable) < len(self._accounts) or not self._accounts:
            return None
        name = self._accounts[0].name
        first, others = self.unreadable[name], len(self.unreadable) - 1
        more = phrase(" Nor could those of {} more accounts.", others) if others else NO_WORDS
        words = phrase("{}: {}{}", shown(name), first.explanation, more)
        return CommandError(first.code, words, join(" ", first.steps), Exit.SECRET)


def _may_be_asked_for(account: Account) -> bool:
    kept_nowhere = account.store is None or account.store.kind is StoreKind.SESSION
    return kept_nowhere and account.connection.auth is not Auth.NONE


def fault_finding(problem: Exception, invocation: Invocation) -> Finding:
    """Say what an exception means for one account: a known one in its own words, any other as a bug."""
    known = known_fault(problem) or reported_bug(problem, invocation)
    bug = known.exit_code is Exit.BUG
    title = phrase("A fault of smtp-wizard itself" if bug else "The account could not be tested")
    steps = (known.hint,) if known.hint else ()
    return Finding(code=known.code, title=title, explanation=known.message, who=Who.YOU, steps=steps)


def secret_finding(problem: SecretError) -> Finding:
    """Say why a secret cannot be had, and what to do."""
    give = phrase("Give it with --password-stdin, --password-command or --password-env.")
    elsewhere = other_stores(problem)
    steps = {
        SecretFault.ASK: (give,),
        SecretFault.UNSET: (phrase("Set the variable, and start again."),),
        SecretFault.CLOSED: (GIVE_PASSPHRASE,),
        SecretFault.WRONG: (GIVE_PASSPHRASE,),
        SecretFault.EXPOSED: (phrase("Close the file to others, and test again."),),
        SecretFault.UNREADABLE: (phrase("Look there by hand what is wrong, and test again."),),
    }
    return Finding(
        code=f"secret-{problem.fault.value}",
        title=phrase("The password could not be read"),
        explanation=problem.words,
        who=Who.YOU,
        steps=steps.get(problem.fault) or ((give, elsewhere) if elsewhere else (phrase("Set the account up again."),)),
    )
