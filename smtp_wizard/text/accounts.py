"""What both faces say about a saved account, and what can be done with one. Plain text; no toolkit is known here."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from enum import StrEnum
from typing import NamedTuple

from smtp_wizard.engine.accounts.account import Account
from smtp_wizard.engine.accounts.application_sign_in import signs_in_as_application
from smtp_wizard.engine.accounts.guarded_sign_in import paused
from smtp_wizard.engine.base.connection import Auth
from smtp_wizard.engine.base.identity import Scope
from smtp_wizard.engine.base.shown import Shown, phrase, shown
from smtp_wizard.engine.base.stages import Verdict
from smtp_wizard.engine.checks.report import Report
from smtp_wizard.text.last_test import failed_words


class AccountAction(StrEnum):
    """What can be done with a saved account."""

    TEST = "test"
    EDIT = "edit"
    PASSWORD = "password"
    RENAME = "rename"
    COPY = "copy"
    SCOPE = "scope"
    MOVE = "move"
    CONFIRM = "confirm"
    """Send a message, and look where it arrives."""
    REHEARSE = "rehearse"
    """See what happens to mail that cannot be delivered."""
    DELETE = "delete"


class AccountOffer(NamedTuple):
    """One thing that can be done."""

    action: AccountAction
    title: str
    note: str = ""
    key: str = ""
    """The letter that does it on the list; '' where it is chosen among all that can be done."""


CONFIRM_TITLE = "Send a test message, and look where it arrives"
REHEARSE_TITLE = "See what happens to mail that cannot be delivered"
MAILBOX_OFFERS = (
    AccountOffer(AccountAction.CONFIRM, CONFIRM_TITLE, "In your mailbox, too: is a copy in Sent?"),
    AccountOffer(AccountAction.REHEARSE, REHEARSE_TITLE, "One message to an address that is nobody's."),
)
"""What may be done where there is a mailbox that can be read."""


def other_scope(account: Account) -> Scope:
    """Return the scope that the account does not have."""
    return Scope.GENERAL if account.scope is Scope.ALL else Scope.ALL


def account_actions(account: Account) -> tuple[AccountOffer, ...]:
    """Return what can be done with an account, in the order in which it is offered."""
    return (
        AccountOffer(AccountAction.TEST, "Test the sign-in again", key="T"),
        AccountOffer(AccountAction.EDIT, "Change the settings", key="E"),
        *([_new_secret(account)] if signs_in(account) else []),
        *(MAILBOX_OFFERS if account.connection.may_have_mailbox else ()),
        AccountOffer(AccountAction.RENAME, "Rename it"),
        AccountOffer(AccountAction.COPY, "Make another one like it"),
        AccountOffer(AccountAction.SCOPE, f"Use it for {SCOPE_WORDS[other_scope(account)]}"),
        *(
            [AccountOffer(AccountAction.MOVE, "Keep its password in another place")]
            if account.store is not None
            else []
        ),
        AccountOffer(AccountAction.DELETE, "Delete it, its password too", key="Delete"),
    )


SCOPE_WORDS = {
    Scope.GENERAL: "invoices only ('General Emails Only')",
    Scope.ALL: "everything, mailings too ('For All Emails')",
}
"""What an account is for, with the application's own words for it."""
SHORT = {
    AccountAction.TEST: "Test",
    AccountAction.EDIT: "Change",
    AccountAction.PASSWORD: "New password",
    AccountAction.DELETE: "Delete",
}
"""What the keys of the list say."""


def short_words(action: AccountAction, account: Account | None) -> str:
    """Return what the key of an action says: one or two words."""
    if action is AccountAction.PASSWORD and account is not None and in_browser(account):
        return "Sign in again"
    return SHORT[action]


def _new_secret(account: Account) -> AccountOffer:
    if in_browser(account):
        return AccountOffer(AccountAction.PASSWORD, "Sign in again in the browser", key="P")
    return AccountOffer(AccountAction.PASSWORD, f"Put in a new {secret_words(account)}", key="P")


def problem_first(account: Account) -> str:
    """Offer what mends an account: Put in a new password for 'Office'."""
    verb = "Sign in again in the browser" if in_browser(account) else f"Put in a new {secret_words(account)}"
    return f"{verb} for '{account.name}'"


def counted_words(standing: Iterable[int]) -> str:
    """Say how many accounts need somebody, warn, and work.

    `standing`: the `AccountHealth` of each.
    """
    counts = Counter(standing)
    told = [
        *([f"{n} {'needs' if n == 1 else 'need'} you"] if (n := counts[0]) else []),
        *([f"{n} {'warns' if n == 1 else 'warn'}"] if (n := counts[1]) else []),
        *([f"{n} not tested"] if (n := counts[2]) else []),
        *([f"{n} {'works' if n == 1 else 'work'}"] if (n := counts[3]) else []),
    ]
    return "  ·  ".join(told)


STOPPED = "Stopped. Nothing was sent."
NO_SUCH_PASSWORD = "It has no password: its server asks for no sign-in."


def in_browser(account: Account) -> bool:
    """Whether the account signs in in the browser, and stays signed in."""
    return account.login is not None and not signs_in_as_application(account)


def secret_words(account: Account) -> str:
    """Say what an account's secret is called by whoever types it."""
    return "client secret" if signs_in_as_application(account) else "password"


def signs_in(account: Account) -> bool:
    """Whether the account has a password at all."""
    return account.connection.auth is not Auth.NONE


NEW_SECRET_WHY = "It is tried at once, and kept only if the server takes it."
DISPLACE_NO = "Leave it as it is"
DELETE_YES, DELETE_NO = "Delete it", "Keep it"


def new_secret_words(name: str, *, kept: bool, tried: bool = True) -> str:
    """Say how the trial of a new password came out. `tried`: the server was asked."""
    fate = "taken" if tried else "tried"
    how = "the new password works and is kept" if kept else f"the new password was not {fate}; the old one is kept"
    return f"'{name}': {how}."


def tested_words(account: Account, report: Report) -> str:
    """Say how the test of an account came out."""
    if paused(report) is not None:
        return not_tested_words(account)
    if report.verdict in (Verdict.PASS, Verdict.WARN):
        return f"'{account.name}' works: it signed in, in {report.took:.1f} seconds. Nothing was sent."
    bad = next((each for each in report.results if each.verdict is Verdict.FAIL), None)
    code = bad.finding.code if bad is not None and bad.finding is not None else ""
    return f"'{account.name}': {failed_words(bad.stage if bad is not None else None, code)}. Nothing was sent."


def not_tested_words(account: Account) -> str:
    """Say that no sign-in was tried."""
    return f"'{account.name}' was not tested, so that it does not get locked. Nothing was sent."


def all_tested_words(well: Sequence[bool]) -> str:
    """Say how the test of all accounts came out. `well`: of each whether it works."""
    good = sum(well)
    if good == len(well):
        return f"All {good} work. Nothing was sent."
    return f"{good} of {len(well)} work. Nothing was sent."


def asked_each_time_words(name: str) -> Shown:
    """Say why an account is left out where all are tested."""
    return phrase("The password of '{}' is kept nowhere, as you chose: test it by itself.", shown(name))


def renamed_words(name: str, new_name: str) -> str:
    """Say that an account has another name."""
    return f"'{name}' is called '{new_name}' now."


def duplicated_words(name: str, copy: str, scope: Scope) -> str:
    """Say that there is a second account like one."""
    return f"Saved as '{copy}', like '{name}', for {scope.words}."


def displaces_yes(name: str, other: str) -> str:
    """The answer that gives an account the mailings, which another one has."""
    return f"Use '{name}' for all mail; '{other}' keeps to {Scope.GENERAL.words}"


def scope_words(name: str, scope: Scope) -> str:
    """Say which mails an account is for."""
    return f"'{name}' now sends {SENDS_WORDS[scope]}."


SENDS_WORDS = {Scope.GENERAL: "invoices and confirmations only", Scope.ALL: "everything, mailings too"}
"""What an account sends, in a sentence."""


def delete_question(name: str) -> str:
    """Ask before an account is deleted."""
    return f"Delete '{name}'?"


DELETE_WHY = "Its password goes too. The mailbox itself is not touched."


def deleted_words(name: str) -> str:
    """Say that an account is gone."""
    return f"'{name}' is deleted."


# --- no account yet ---

FIRST_QUESTION = "No account yet. What would you like to do?"
