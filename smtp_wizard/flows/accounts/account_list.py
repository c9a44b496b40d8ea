"""The list of the saved accounts: how each stands, problems first, and what can be done with the chosen one.

What grows with the number of accounts is done once, when they are read, in a thread. A row's words are made when the
row is drawn, and its sentences when it is chosen.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum

from smtp_wizard.engine.accounts.account import Account, AccountsError
from smtp_wizard.engine.accounts.saved_accounts import SavedAccounts
from smtp_wizard.engine.accounts.secret_entries import SecretEntries
from smtp_wizard.engine.base.data_files import DataError
from smtp_wizard.engine.base.threads import in_thread
from smtp_wizard.engine.checks.events import NamesCauses
from smtp_wizard.engine.providers.catalog import Catalog
from smtp_wizard.engine.secrets.stores import SecretStores
from smtp_wizard.engine.services.accounts import Accounts
from smtp_wizard.engine.services.arrivals import Arrivals
from smtp_wizard.engine.services.checks import Checks
from smtp_wizard.flows.accounts.action import Action, ActionResult
from smtp_wizard.flows.accounts.arrival import ArrivalActions
from smtp_wizard.flows.accounts.edits import ChangeScope, Copy, Delete, Edit, Rename, SignInAgain
from smtp_wizard.flows.accounts.health import AccountHealth, AccountRow, about, listed, unreadable, within
from smtp_wizard.flows.accounts.password import Move, NewPassword
from smtp_wizard.flows.accounts.testing import AccountOutcome, SignInTest
from smtp_wizard.flows.flow import Flow, Offer
from smtp_wizard.text.accounts import (
    NO_SUCH_PASSWORD,
    STOPPED,
    AccountAction,
    account_actions,
    counted_words,
    in_browser,
)
from smtp_wizard.text.last_test import seconds_of

SPARKS = 14
"""Tests whose seconds are drawn."""


class AccountListAction(StrEnum):
    """What can be done beside what can be done with one account."""

    TEST_ALL = "test-all"
    NEW = "new"
    PRACTISE = "practise"
    LIMITS = "limits"
    EXPLAIN = "explain"


FIRST_OFFERS: tuple[Offer[AccountListAction], ...] = (
    Offer(
        AccountListAction.NEW, "Set up my mailbox", "Your address, a password, one test. Five minutes.", chip="Set up"
    ),
    Offer(
        AccountListAction.PRACTISE,
        "Practise first",
        "A mailbox on this computer, with every error to try.",
        chip="Practise",
    ),
    Offer(
        AccountListAction.LIMITS,
        "See how much I may send",
        "The limits of the providers, and a plan for a mailing.",
        chip="See limits",
    ),
    Offer(AccountListAction.EXPLAIN, "Explain an error", "Paste what your application says.", chip="Explain"),
)
"""What can be done where there is no account yet."""


class AccountListDestination(StrEnum):
    """Where the list leads, where that is no action on an account."""

    NEW = "new"
    PRACTISE = "practise"
    LIMITS = "limits"
    EXPLAIN = "explain"


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountSummary:
    """What stands beside the list of the chosen row."""

    name: str
    address: str = ""
    server: str = ""
    lines: tuple[str, ...] = ()
    """Sentences: how it stands, since when, what is about to end."""
    seconds: tuple[float, ...] = ()
    """Of its last sign-ins, the oldest first."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountListState:
    """What a face shows of the accounts."""

    rows: tuple[AccountRow, ...] = ()
    """Those that fit the filter, problems first."""
    at: int = 0
    """Which of them is chosen."""
    counted: str = ""
    """How many need somebody, warn and work."""
    wanted: str = ""
    """The filter, as it is typed."""
    detail: AccountSummary | None = None
    offers: tuple[Offer[AccountAction], ...] = ()
    """What can be done with the chosen row, what mends it first."""
    read: bool = False
    """Whether the accounts were read: before that nothing is known of them."""
    empty: bool = False
    """Whether there is none at all."""
    problem: str = ""
    """Why they cannot be read, in a sentence."""
    testing: str = ""
    """The name of the account that is under test now."""
    said: str = ""
    """What the last action came to, in a sentence."""
    trouble: str = ""
    """What did not work in it, in a sentence or two."""

    @property
    def first_cure(self) -> int | None:
        """Where the first account stands that works again with another password; None where none does."""
        rows = enumerate(self.rows)
        return next(
            (at for at, row in rows if row.mark is AccountHealth.PROBLEM and row.cure is AccountAction.PASSWORD), None
        )

    @property
    def chosen(self) -> AccountRow | None:
        """The row that is chosen."""
        return self.rows[self.at] if self.at < len(self.rows) else None


Leads = Action | AccountListDestination


@dataclass(frozen=True, slots=True)
class _Read:
    """All rows, as they were read."""

    rows: tuple[AccountRow, ...] = ()
    problem: str = ""


class AccountsFlow(Flow[AccountListState, AccountAction | AccountListAction, Leads]):
    """The accounts of one config folder. `reload` it first, and whenever something may have changed."""

    def __init__(
        self,
        *,
        saved_accounts: SavedAccounts,
        accounts: Accounts,
        entries: SecretEntries,
        checks: Checks,
        stores: SecretStores,
        catalog: Catalog,
        causes: NamesCauses,
        arrivals: Arrivals,
        now: Callable[[], datetime],
    ) -> None:
        super().__init__(AccountListState())
        self._saved_accounts = saved_accounts
        self._accounts = accounts
        self._entries = entries
        self._checks = checks
        self._stores = stores
        self._catalog = catalog
        self._causes = causes
        self._now = now
        self._messages = ArrivalActions(
            checks=checks, arrivals=arrivals, entries=entries, vault=stores.vault, catalog=catalog
        )
        self._all: tuple[AccountRow, ...] = ()
        self._keys: tuple[str, ...] | None = None
        """What the filter looks through, of each row; made when it is needed."""

    # -- reading ----------------------------------------------------------------------------------------------------

    async def reload(self, name: str = "") -> None:
        """Read the accounts again. `name`: the one to choose; else it stays where it was."""
        self._show_read(await in_thread(self._rows), name)

    def load(self) -> None:
        """Read the accounts at once: before there is anything to see, nothing waits for it."""
        self._show_read(self._rows(), "")

    def _show_read(self, read: _Read, name: str) -> None:
        self._all, self._keys = read.rows, None
        chosen = self.state.chosen
        self._put(
            replace(
                self.state,
                read=True,
                empty=not read.rows and not read.problem,
                problem=read.problem,
                counted=counted_words([row.mark for row in read.rows]),
                testing="",
            ),
            name or (chosen.name if chosen is not None else ""),
        )

    def _rows(self) -> _Read:
        try:
            accounts = self._saved_accounts.list()
            rows = unreadable(self._saved_accounts.unread_entries())
        except AccountsError as problem:
            return _Read(problem=str(problem))
        now = self._now()
        ends = self._saved_accounts.state.results.certificates([account.id for account in accounts], within(now))
        rows += listed(accounts, ends, self._catalog, now)
        return _Read(tuple(sorted(rows, key=lambda row: row.mark)))

    def _put(self, state: AccountListState, name: str) -> None:
        """Show the rows that fit the filter, with the one of that name chosen, where it is among them."""
        rows = self._fitting(state.wanted)
        at = next((at for at, row in enumerate(rows) if row.name == name), None)
        self._choose(replace(state, rows=rows), at if at is not None else min(state.at, max(len(rows) - 1, 0)))

    def _fitting(self, wanted: str) -> tuple[AccountRow, ...]:
        words = wanted.casefold().split()
        if not words:
            return self._all
        if self._keys is None:
            self._keys = tuple(map(_searched, self._all))
        fits = (all(word in key for word in words) for key in self._keys)
        return tuple(row for row, fit in zip(self._all, fits, strict=True) if fit)

    # -- choosing ---------------------------------------------------------------------------------------------------

    def choose(self, at: int) -> None:
        """Choose a row by its place in the list."""
        self._choose(self.state, at)

    def find(self, wanted: str) -> None:
        """Show the rows in whose name, address or server these words stand; '' shows all."""
        chosen = self.state.chosen
        self._put(replace(self.state, wanted=wanted), chosen.name if chosen is not None else "")

    def _choose(self, state: AccountListState, at: int) -> None:
        state = replace(state, at=at)
        row = state.chosen
        self._show(replace(state, detail=self._detail(row) if row else None, offers=offers_for(row) if row else ()))

    def _detail(self, row: AccountRow) -> AccountSummary:
        account, now = row.account, self._now()
        if account is None:
            return AccountSummary(
                name=row.name or "An account without a name", lines=about(row, (), "", self._catalog, now)
            )
        history = self._saved_accounts.state.results.history(account.id, SPARKS * 2)
        endpoint = account.connection.endpoint
        return AccountSummary(
            name=account.name,
            address=str(account.address),
            server=f"{endpoint.host}, port {endpoint.port}",
            lines=about(row, history, self._title(account), self._catalog, now),
            seconds=seconds_of(history)[-SPARKS:],
        )

    def _title(self, account: Account) -> str:
        code = account.last.code if account.last is not None else ""
        try:
            return self._causes.title(code) if code else ""
        except DataError:  # the rules cannot be read: the row has a few words of its own
            return ""

    # -- doing ------------------------------------------------------------------------------------------------------

    async def act(self, offer: AccountAction | AccountListAction) -> Leads | None:
        """Return the action to go through, begun by nobody yet; or where the list leads. `take` what comes of it."""
        if isinstance(offer, AccountListAction):
            return self._test_all() if offer is AccountListAction.TEST_ALL else AccountListDestination(offer.value)
        row = self.state.chosen
        if row is None or row.account is None:
            self._show(replace(self.state, said="", trouble=row.unread if row is not None else ""))
            return None
        if offer not in {each.id for each in self.state.offers}:
            self._show(replace(self.state, said="", trouble=NO_SUCH_PASSWORD))
            return None
        return self._action(offer, row.account)

    def _action(self, offer: AccountAction, account: Account) -> Action:
        vault = self._stores.vault
        match offer:
            case AccountAction.TEST:
                return self._test((account,))
            case AccountAction.EDIT:
                return Edit(account, self._entries, vault, self._catalog)
            case AccountAction.PASSWORD if in_browser(account):
                return SignInAgain(account, self._entries, vault, self._catalog)
            case AccountAction.PASSWORD:
                return NewPassword(account, self._accounts, vault, self._catalog)
            case AccountAction.RENAME:
                return Rename(account, self._accounts, vault)
            case AccountAction.COPY:
                return Copy(account, self._saved_accounts, self._entries, vault, self._catalog)
            case AccountAction.SCOPE:
                return ChangeScope(account, self._accounts, vault)
            case AccountAction.MOVE:
                return Move(account, self._accounts, self._entries, self._stores)
            case AccountAction.CONFIRM:
                return self._messages.confirm(account)
            case AccountAction.REHEARSE:
                return self._messages.rehearse(account)
            case AccountAction.DELETE:
                return Delete(account, self._accounts, vault)

    def _test_all(self) -> Action | None:
        accounts = [row.account for row in self._all if row.account is not None]
        return self._test(accounts) if accounts else None

    def _test(self, accounts: Sequence[Account]) -> Action:
        return SignInTest(
            accounts,
            self._checks,
            self._entries,
            self._stores.vault,
            self._catalog,
            beginning=self._beginning,
            tested=self._tested,
        )

    def _beginning(self, account: Account) -> None:
        self._show(replace(self.state, testing=account.name, said="", trouble=""))

    def _tested(self, outcome: AccountOutcome) -> None:
        """Show a result in its row, which stays where it is until the accounts are read again."""
        last = self._saved_accounts.state.results.lasts([outcome.account.id]).get(outcome.account.id)
        account = replace(outcome.account, last=last or outcome.account.last)
        now = self._now()
        ends = self._saved_accounts.state.results.certificates([account.id], within(now))
        (row,) = listed([account], ends, self._catalog, now)
        self._all = tuple(row if _same(each, account) else each for each in self._all)
        rows = tuple(row if _same(each, account) else each for each in self.state.rows)
        self._choose(
            replace(self.state, rows=rows, counted=counted_words([each.mark for each in self._all])), self.state.at
        )

    def stopped(self) -> None:
        """Say that the person stopped what was being done."""
        self._show(replace(self.state, testing="", said=STOPPED, trouble=""))

    async def take(self, done: ActionResult) -> None:
        """Show what came of an action, and the accounts as they are now."""
        await self.reload(done.name)
        self._show(replace(self.state, said=done.said, trouble=done.trouble))


def _same(row: AccountRow, account: Account) -> bool:
    return row.account is not None and row.account.id == account.id


def _searched(row: AccountRow) -> str:
    account = row.account
    return (f"{row.name} {account.address} {account.connection.endpoint.host}" if account else row.name).casefold()


def offers_for(row: AccountRow) -> tuple[Offer[AccountAction], ...]:
    """Return what can be done with a row, what mends it first; nothing with what cannot be read."""
    if row.account is None:
        return ()
    offers = [Offer(each.action, each.title, each.note, each.key) for each in account_actions(row.account)]
    return tuple(sorted(offers, key=lambda offer: offer.id is not row.cure))
