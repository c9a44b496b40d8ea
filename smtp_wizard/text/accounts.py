"""What both faces say about a saved account, and what can be done with one. Plain text; no toolkit is known here."""

from __future__ import annotations

from enum import StrEnum
from typing import NamedTuple

from smtp_wizard.engine.accounts.account import Account
from smtp_wizard.engine.base.connection import Auth
from smtp_wizard.engine.base.identity import Scope


class AccountAction(StrEnum):
    """What can be done with a saved account."""

    TEST = "test"
    EDIT = "edit"
    PASSWORD = "password"
    RENAME = "rename"
    COPY = "copy"
    SCOPE = "scope"
    MOVE = "move"
    DELETE = "delete"


class AccountOffer(NamedTuple):
    """One thing that can be done."""

    action: AccountAction
    title: str
    note: str = ""


def other_scope(account: Account) -> Scope:
    """Return the scope that the account does not have."""
    return Scope.GENERAL if account.scope is Scope.ALL else Scope.ALL


def account_actions(account: Account) -> tuple[AccountOffer, ...]:
    """Return what can be done with an account, in the order in which it is offered."""
    return (
        AccountOffer(AccountAction.TEST, "Test the sign-in again", "nothing is sent"),
        AccountOffer(AccountAction.EDIT, "Change the settings", "the wizard again, filled in"),
        *([_new_secret(account)] if signs_in(account) else []),
        AccountOffer(AccountAction.RENAME, "Rename"),
        AccountOffer(AccountAction.COPY, "Make another one like it"),
        AccountOffer(AccountAction.SCOPE, f"Use it for: {other_scope(account).words}", f"now: {account.scope.words}"),
        *(
            [AccountOffer(AccountAction.MOVE, "Keep its password in another place")]
            if account.store is not None
            else []
        ),
        AccountOffer(AccountAction.DELETE, "Delete", "its password goes too"),
    )


def _new_secret(account: Account) -> AccountOffer:
    if in_browser(account):
        return AccountOffer(AccountAction.PASSWORD, "Sign in again in the browser", "when the sign-in has ended")
    return AccountOffer(AccountAction.PASSWORD, "Put in a new password", "when the old one was revoked")


def in_browser(account: Account) -> bool:
    """Whether the account signs in in the browser, and stays signed in."""
    return account.login is not None


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


def renamed_words(name: str, new_name: str) -> str:
    """Say that an account has another name."""
    return f"'{name}' is called '{new_name}' now."


def displaces_yes(name: str, other: str) -> str:
    """The answer that gives an account the mailings, which another one has."""
    return f"Use '{name}' for all mail; '{other}' keeps to {Scope.GENERAL.words}"


def scope_words(name: str, scope: Scope) -> str:
    """Say which mails an account is for."""
    return f"'{name}' is for {scope.words} now."


def delete_question(name: str) -> str:
    """Ask before an account is deleted, and say what goes with it."""
    return f"Delete '{name}'? Its password goes too. The mailbox itself is not touched."


def deleted_words(name: str) -> str:
    """Say that an account is gone."""
    return f"'{name}' is deleted."
