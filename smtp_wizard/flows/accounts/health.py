"""How an account stands: works, warns, or needs somebody; what is said of it, and what mends it.

The whole list is sorted by this, so it looks at no more than what was read with the accounts. The sentences beside the
list are made for the one account that is chosen.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import IntEnum

from smtp_wizard.engine.accounts.account import Account
from smtp_wizard.engine.accounts.guarded_sign_in import REFUSED, TOKEN_REFUSED
from smtp_wizard.engine.accounts.sign_in_expiry import SignInExpiry, ending_words, retirement_of, sign_in_expiry_of
from smtp_wizard.engine.base.shown import Shown
from smtp_wizard.engine.base.stages import Stage, Verdict
from smtp_wizard.engine.checks.runner import SOON
from smtp_wizard.engine.providers.catalog import Catalog
from smtp_wizard.engine.state.results import LastResult, Result, SeenCertificate
from smtp_wizard.text.accounts import AccountAction
from smtp_wizard.text.last_test import (
    PRACTICE,
    SENDS,
    SIGN_IN_ENDED,
    UNREAD,
    date_words,
    ends_words,
    last_test_words,
    seconds_of,
    since_words,
    when_words,
)

GOOD = (Verdict.PASS, Verdict.WARN)


class AccountHealth(IntEnum):
    """How an account stands, the one that needs somebody most first."""

    PROBLEM = 0
    WARNING = 1
    UNTESTED = 2
    WORKS = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountRow:
    """One row of the list: an account, or an entry of the file that cannot be read."""

    name: str
    """'' for an entry that tells no name."""
    account: Account | None
    mark: AccountHealth
    last: LastResult | None = None
    """As in the account, which is the same account whatever its last result."""
    certificate: datetime | None = None
    """When the server's certificate ends, where that is soon."""
    ending: SignInExpiry | None = None
    """When the sign-in in the browser ends, where that is soon."""
    unread: str = ""
    """Why the entry cannot be read, and what to do, in a sentence."""

    @property
    def sends(self) -> str:
        """What it is for, in a word."""
        if self.account is None:
            return ""
        return PRACTICE if self.account.connection.sandbox else SENDS[self.account.scope]

    def words(self, now: datetime) -> str:
        """The last test in a few words, or what is about to end."""
        if self.account is None:
            return UNREAD
        last = self.last
        if last is None or last.verdict not in GOOD:
            return last_test_words(last, now)
        if self.ending is not None:
            return SIGN_IN_ENDED if self.ending.at <= now else ends_words("sign-in", self.ending.at, now)
        if self.certificate is not None:
            return ends_words("certificate", self.certificate, now)
        return last_test_words(last, now)

    @property
    def cure(self) -> AccountAction | None:
        """What mends it, or is the next thing to do with it; None where nothing here can."""
        if self.account is None:
            return None
        last = self.last
        refused = last is not None and last.verdict is Verdict.FAIL and asks_for_a_secret(self.account, last)
        return AccountAction.PASSWORD if refused or self.ending is not None else AccountAction.TEST


def asks_for_a_secret(account: Account, last: LastResult) -> bool:
    """Whether an account works again once it has another password, or another sign-in in the browser."""
    if last.code in REFUSED | TOKEN_REFUSED:
        return True
    return account.login is not None and last.stage is Stage.AUTH and last.code.startswith("oauth_")


def listed(
    accounts: Iterable[Account], certificates: Mapping[str, SeenCertificate], catalog: Catalog, now: datetime
) -> list[AccountRow]:
    """Return the rows of accounts. `certificates`: of the accounts' servers, as they were seen last, by their ids."""
    return [_listed(account, certificates.get(account.id), catalog, now) for account in accounts]


def _listed(account: Account, seen: SeenCertificate | None, catalog: Catalog, now: datetime) -> AccountRow:
    ending = sign_in_expiry_of(account.login, catalog.oauth_server(account.connection), now) if account.login else None
    ending = ending if ending is not None and ending.soon else None
    # What was far off when it was seen last has been renewed since, as servers do.
    certificate = seen.ends if seen is not None and seen.ends - seen.seen < SOON else None
    mark = _mark(account.last, ending, certificate, now)
    return AccountRow(
        name=account.name, account=account, mark=mark, last=account.last, certificate=certificate, ending=ending
    )


def _mark(
    last: LastResult | None, ending: SignInExpiry | None, certificate: datetime | None, now: datetime
) -> AccountHealth:
    if last is None or last.verdict is Verdict.SKIPPED:
        return AccountHealth.UNTESTED
    ended = any(at is not None and at <= now for at in (ending.at if ending else None, certificate))
    if last.verdict is Verdict.FAIL or ended:
        return AccountHealth.PROBLEM
    warns = last.verdict is not Verdict.PASS or ending is not None or certificate is not None
    return AccountHealth.WARNING if warns else AccountHealth.WORKS


def unreadable(entries: Iterable[tuple[str, Shown]]) -> list[AccountRow]:
    """Return the rows of what stands in the file and cannot be read: each with its name and the sentence about it."""
    return [AccountRow(name=name, account=None, mark=AccountHealth.PROBLEM, unread=words) for name, words in entries]


# --- the sentences ---


def about(row: AccountRow, history: Sequence[Result], title: str, catalog: Catalog, now: datetime) -> tuple[str, ...]:
    """Return what is said beside the list of the chosen row, a paragraph each; the first says how it stands.

    `history`: its results, the newest first. `title`: what the cause of its last failure is called.
    """
    account = row.account
    if account is None:
        return (row.unread,)
    last = row.last
    lines = [_stands(last, history, title, now)]
    if row.certificate is not None and last is not None and last.verdict in GOOD:
        lines.append(f"The server's {ends_words('certificate', row.certificate, now)}. Whoever runs it must renew it.")
    if ending := ending_words(account, catalog, now):
        lines.append(ending)
    notice = retirement_of(account, catalog, now)
    return (*lines, *([notice.words] if notice is not None else []))


def _stands(last: LastResult | None, history: Sequence[Result], title: str, now: datetime) -> str:
    if last is None or last.verdict is Verdict.SKIPPED:
        return "Not tested yet. A test signs in once, and sends nothing."
    if last.verdict is Verdict.UNKNOWN:
        return f"{_capital(when_words(last.at, now))} the connection broke off: a test message may have been sent."
    if last.verdict is not Verdict.FAIL:
        return f"It signed in {when_words(last.at, now)}{_took(history)}."
    since, worked = _failing_since(last, history)
    said = f"{title or last_test_words(last, now)}, {since_words(since, now)}."
    if worked is None:
        return _capital(said)
    reason = " Somebody changed the password, or it ran out." if last.code in REFUSED else ""
    return f"{_capital(said)} It worked until {date_words(worked, now)}.{reason}"


def _failing_since(last: LastResult, history: Sequence[Result]) -> tuple[datetime, datetime | None]:
    """Return since when an account fails in the same way, and when it worked last, as far as that is known."""
    since = last.at
    for each in history:
        if each.last.verdict in GOOD:
            return since, each.last.at
        if each.last.code == last.code:
            since = min(since, each.last.at)
    return since, None


def _took(history: Sequence[Result]) -> str:
    seconds = seconds_of(history[:1])
    return f", in {seconds[0]:.1f} seconds" if seconds else ""


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]


def within(now: datetime) -> datetime:
    """Return up to when the end of a certificate is of interest."""
    return now + timedelta(days=SOON.days)
