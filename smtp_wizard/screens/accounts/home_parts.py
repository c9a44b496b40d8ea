"""The parts of the accounts' screen: rows, how many need somebody, what is being done, the chosen account in short."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import overload

from textual.content import Content
from textual.geometry import Region
from textual.timer import Timer

from smtp_wizard.flows.accounts.account_list import AccountListState, AccountSummary
from smtp_wizard.flows.accounts.health import AccountHealth, AccountRow
from smtp_wizard.flows.flow import Mood, Offer
from smtp_wizard.text.accounts import FIRST_QUESTION, AccountAction, short_words
from smtp_wizard.text.last_test import seconds_words, spark
from smtp_wizard.widgets.lines import ACCENT, BAD, GOOD, MUTED, RULE, STRONG, Lines
from smtp_wizard.widgets.outcome_card import SIGNS, TICKS
from smtp_wizard.widgets.plain_text import folded
from smtp_wizard.widgets.rows import Column, ListRow

MOODS = {
    AccountHealth.PROBLEM: Mood.FAILED,
    AccountHealth.WARNING: Mood.WARNED,
    AccountHealth.UNTESTED: Mood.TOLD,
    AccountHealth.WORKS: Mood.PASSED,
}
ACCOUNT, SENDS, LAST = Column("Account", 26, grows=True), Column("Sends", 10), Column("Last test", 27)
NARROW = 72
"""Columns below which what an account is for stands in its detail only."""
DETAIL = 6
"""Rows below the list that tell of the chosen one, where there is no rail."""
WIDTH = 76


class AccountRows(Sequence[ListRow]):
    """The rows of accounts, each made when it is drawn: what is out of sight costs nothing."""

    def __init__(self, rows: Sequence[AccountRow], testing: str, now: datetime, *, short: bool) -> None:
        """`testing`: the account that is under test. `short`: without what each is for."""
        self.rows = rows
        self.testing = testing
        self.now = now
        self.short = short

    def __len__(self) -> int:
        return len(self.rows)

    @overload
    def __getitem__(self, at: int) -> ListRow: ...
    @overload
    def __getitem__(self, at: slice) -> Sequence[ListRow]: ...
    def __getitem__(self, at: int | slice) -> ListRow | Sequence[ListRow]:
        if isinstance(at, slice):
            return AccountRows(self.rows[at], self.testing, self.now, short=self.short)
        row = self.rows[at]
        under_test = row.account is not None and row.name == self.testing
        words = "testing …" if under_test else row.words(self.now)
        name = row.name or "(without a name)"
        cells = (name, words) if self.short else (name, row.sends, words)
        return ListRow(row.name, cells, Mood.TOLD if under_test else MOODS[row.mark])


class ActionLine(Lines):
    """What is being done, with a sign that moves; afterwards what came of it. Its row is always kept."""

    def __init__(self) -> None:
        super().__init__(id="told")
        self.running = ""
        self._ticks = 0
        self._ticker: Timer | None = None

    def run(self, words: str) -> None:
        """Say what is being done; '' where nothing is any more."""
        if words == self.running:
            return
        old = self.rows_at(self.size.width)
        self.running = words
        if words and self._ticker is None:
            self._ticks, self._ticker = 0, self.set_interval(1 / TICKS, self._tick)
        elif not words and self._ticker is not None:
            self._ticker.stop()
            self._ticker = None
        self.repaint_changed(old)

    def rows_at(self, width: int) -> Sequence[Content]:
        """As `Lines.rows_at`."""
        if not self.running:
            return super().rows_at(width) or [Content("")]
        seconds = f"{self._ticks // TICKS} s"
        return [Content.assemble((SIGNS[self._ticks % len(SIGNS)], ACCENT), f" {seconds:<5}{self.running}")]

    def _tick(self) -> None:
        self._ticks += 1
        # Under another screen a tick would have that one painted anew, all of it.
        if self.screen.is_active:
            self.refresh(Region(0, 0, 1 if self._ticks % TICKS else 7, 1))


class AccountDetail(Lines):
    """Below the list, where there is no rail: the chosen account in a few rows, of a height that never changes."""

    def __init__(self) -> None:
        super().__init__(id="detail", classes="narrow")
        self._account: AccountSummary | None = None
        self._keys: Sequence[str] = ()

    def tell(self, detail: AccountSummary | None, keys: Sequence[str]) -> None:
        """Tell of another account; `keys`: what can be done, as much of it as fits a row."""
        old = self.rows_at(self.size.width)
        self._account, self._keys = detail, tuple(keys)
        self.repaint_changed(old)

    def rows_at(self, width: int) -> Sequence[Content]:
        """As `Lines.rows_at`."""
        return detail_rows(self._account, self._keys, width or WIDTH)


def detail_rows(account: AccountSummary | None, keys: Sequence[str], width: int) -> list[Content]:
    """Return an account in always as many rows: how it stands, how long its sign-ins took, in the last one the keys.

    A sentence that is cut short ends with '…'. The sign-ins are drawn where no sentence needs the row.
    """
    told = [] if account is None else _told_of(account, width)
    if len(told) > DETAIL - 2:
        told[DETAIL - 3] = Content.assemble(told[DETAIL - 3][: width - 1], "…")
    elif account is not None and len(account.seconds) > 1 and len(told) < DETAIL - 2:
        words = f"  {seconds_words(account.seconds)} to sign in, last {len(account.seconds)} tests"
        told.append(Content.assemble((spark(account.seconds, width - len(words)), ACCENT), (words, MUTED)))
    rows = [Content.styled("─" * width, RULE), *told, *[Content("")] * DETAIL][: DETAIL - 1]
    fitting = [at for at in range(len(keys) + 1) if len("   ".join(keys[:at])) <= width]
    return [*rows, Content.styled("   ".join(keys[: fitting[-1]]), MUTED)]


def _told_of(account: AccountSummary, width: int) -> list[Content]:
    """Return an account's name, where it sends, and how it stands; where there is room for the address behind it."""
    where = " · ".join(each for each in (account.address, account.server) if each)
    head = Content.assemble((account.name, STRONG), (f"  {where}", MUTED))
    if head.cell_length > width:
        head = Content.assemble((account.name, STRONG), (f"  {account.address}", MUTED))
        head = head if head.cell_length <= width else Content.assemble(head[: width - 1], "…")
    return [head, *(Content(row) for line in account.lines for row in folded(line, width))]


def head_words(state: AccountListState) -> tuple[str, str]:
    """Return what this is, and how many need somebody; without an account the question."""
    if state.empty:
        return FIRST_QUESTION, ""
    return "Your accounts", f"{len(state.rows)} found" if state.wanted else state.counted


def told_rows(state: AccountListState) -> list[Content]:
    told = ((state.problem, BAD), (state.said, GOOD if not state.trouble else ""), (state.trouble, BAD))
    return [Content.styled(words, style) for words, style in told if words]


def written_key(offer: Offer[AccountAction]) -> str:
    return "Del" if offer.key == "Delete" else offer.key


def keys_in_short(state: AccountListState) -> list[str]:
    """Return what can be done with the chosen account, in short: what mends it first."""
    account = state.chosen.account if state.chosen is not None else None
    if account is None:
        return []
    lettered = [each for each in state.offers if each.key]
    return [*(f"{written_key(each)} {short_words(each.id, account).lower()}" for each in lettered), "Enter all actions"]
