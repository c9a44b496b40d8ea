"""`test --changed`: what differs from what was told last under the same name; it moves on when all was told."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping, Sequence
from datetime import datetime

from smtp_wizard.commands.check_run import TIME_IS_UP
from smtp_wizard.engine.accounts.account import Account, name_key
from smtp_wizard.engine.accounts.changes import Change, change_of, moved_on
from smtp_wizard.engine.accounts.guarded_sign_in import paused
from smtp_wizard.engine.base.errors import InputError
from smtp_wizard.engine.base.shown import Shown, phrase, shown
from smtp_wizard.engine.base.stages import Depth, Verdict
from smtp_wizard.engine.state.last_told import AccountStatus, LastTold
from smtp_wizard.output.check_outcome import CheckOutcome

USUAL_NAME = "default"
"""What a comparison is called where nobody says it."""


_UNREAD = "unread-"
"""What stands for the cause of an entry that cannot be used, and begins what it is compared under."""


class Comparison:
    """The comparison of one run with what was told last. What it says is kept by `move_on` alone."""

    def __init__(self, last_told: LastTold, name: str, depth: Depth = Depth.LOGIN) -> None:
        """`depth`: how far the checks of this run go; what did not go as far knows nothing of what failed later."""
        self._last_told = last_told
        self._name = name if depth is Depth.LOGIN else f"{name}:{depth.value}"
        self._last: Mapping[str, AccountStatus] = last_told.last(self._name)
        self.unread = last_told.unread
        """Whether nobody knows what was told last: everything looks new."""
        self._now: dict[str, AccountStatus] = {}
        self._unread: Mapping[str, AccountStatus] = {}
        self._mended: set[str] = set()
        """What the accounts that were tested would be compared under if their entries could not be used."""

    def change(self, account: Account, outcome: CheckOutcome) -> Change:
        """Return what is to be told of an account, and take it as told."""
        before = self._before(account)
        now = moved_on(before, status_of(outcome), conclusive=is_conclusive(outcome))
        self._now[account.id] = now
        self._mended.add(_unread_key(account.name))
        return change_of(before, now)

    def news(self, account: Account, outcome: CheckOutcome) -> frozenset[str]:
        """Return which of the warnings about an account are new."""
        before = self._before(account)
        return status_of(outcome).warnings - (before.warnings if before is not None else frozenset())

    def _before(self, account: Account) -> AccountStatus | None:
        """Return what was told of an account last; where its entry could not be used meanwhile, that."""
        key = _unread_key(account.name)
        unread = self._last.get(key) if key not in self._unread else None
        return unread or self._last.get(account.id)

    def unread_news(self, entries: Sequence[tuple[str, Shown]]) -> tuple[tuple[str, Shown], ...]:
        """Return the entries that cannot be used and were not told, each with why, and take them as told."""
        self._unread = {_unread_key(name or words): AccountStatus(_UNREAD) for name, words in entries}
        return tuple((name, words) for name, words in entries if _unread_key(name or words) not in self._last)

    def move_on(self, saved: Sequence[Account] | None, now: datetime, seconds: float | None = None) -> bool:
        """Compare with this run from now on; return whether that could be kept.

        `saved`: all accounts; what is told of any other is forgotten. `seconds`: how long to wait for the file.
        """
        told = {**self._now, **self._unread}
        known = {*told, *(account.id for account in saved)} if saved is not None else self._last.keys() - self._mended
        return self._last_told.move_on(self._name, told, self._last.keys() - known, now, seconds)


def _unread_key(name: str) -> str:
    """Return what an entry without an id is compared under; it names nobody, as an id does not."""
    return _UNREAD + hashlib.blake2b(name_key(name).encode(), digest_size=8).hexdigest()


def status_of(outcome: CheckOutcome) -> AccountStatus:
    """Return how an account stands after a check."""
    warned = (each.code for each in outcome.remarks)
    return AccountStatus(_cause(outcome), frozenset({*warned, *(each.key for each in outcome.warnings)}))


def _cause(outcome: CheckOutcome) -> str:
    if outcome.obstacle is not None:
        return outcome.obstacle.code
    bad = next((each for each in outcome.report.results if each.verdict in (Verdict.FAIL, Verdict.UNKNOWN)), None)
    if bad is None:
        return ""
    return bad.finding.code if bad.finding is not None else bad.verdict.value


def is_conclusive(outcome: CheckOutcome) -> bool:
    """Whether the server was really asked: not where the time was up, or the sign-in held back."""
    late = outcome.obstacle is not None and outcome.obstacle.code == TIME_IS_UP
    return not late and outcome.report.verdict is not Verdict.UNKNOWN and paused(outcome.report) is None


_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,39}")


def parse_comparison_name(text: str) -> str:
    """Take the name of a comparison as typed. Raises `InputError`."""
    if not _NAME.fullmatch(text):
        raise InputError(
            phrase(
                "'{}' cannot be the name of a comparison: it has up to 40 letters (a to z), digits, dots, hyphens and "
                "underscores.",
                shown(text, 40),
            )
        )
    return text
