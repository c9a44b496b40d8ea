"""Home: the saved accounts, their last result, testing them again, and whatever else can be done with them."""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum
from functools import partial

from smtp_wizard.engine.accounts.account import Account, AccountsError
from smtp_wizard.engine.accounts.sign_in_ending import ending_words
from smtp_wizard.engine.base.stages import Depth
from smtp_wizard.engine.services.options import Options
from smtp_wizard.engine.wizard.draft import Draft
from smtp_wizard.plain.account import change_account
from smtp_wizard.plain.areas import explain, limits
from smtp_wizard.plain.checks import CompletedCheck
from smtp_wizard.plain.form import Kit
from smtp_wizard.plain.passphrase import fetched
from smtp_wizard.plain.talk import Choice, Conversation, GoBack, wrap
from smtp_wizard.runtime.expected_errors import EXPECTED_ERRORS
from smtp_wizard.text.wizard import (
    ANYWAY_NO,
    ANYWAY_QUESTION,
    ANYWAY_YES,
    HOME_PURPOSE,
    day_words,
    result_words,
    tested_words,
)

CHANGES = "settings, password, name, copy, which mails, delete"


class _Action(StrEnum):
    """What can be done with the accounts."""

    TEST = "test"
    ALL = "all"
    CHANGE = "change"
    NEW = "new"
    LIMITS = "limits"
    EXPLAIN = "explain"
    LEAVE = "leave"


def home(talk: Conversation, kit: Kit) -> Draft | None:
    """See to the accounts as long as wanted; return the draft to go on with in the wizard, None to leave.

    Raises `Quit`.
    """
    while True:
        talk.begin("Saved accounts", HOME_PURPOSE)
        accounts = _accounts(talk, kit)
        try:
            match talk.choose("What next?", _actions(accounts), _Action.LEAVE if accounts else _Action.NEW):
                case _Action.TEST:
                    _test(talk, kit, _chosen(talk, accounts))
                case _Action.ALL:
                    _test_all(talk, kit, accounts)
                case _Action.CHANGE:
                    if (draft := change_account(talk, kit, _chosen(talk, accounts))) is not None:
                        return draft
                case _Action.LIMITS:
                    limits(talk, kit)
                case _Action.EXPLAIN:
                    _explain(talk, kit, accounts)
                case _Action.NEW:
                    return Draft()
                case _Action.LEAVE:
                    return None
        except GoBack:
            continue


def _actions(accounts: Sequence[Account]) -> list[Choice[_Action]]:
    only = f"'{accounts[0].name}'" if len(accounts) == 1 else "one"
    return [
        *([Choice(_Action.TEST, f"Test {only} again", word="test")] if accounts else []),
        *([Choice(_Action.ALL, "Test all again", word="all")] if len(accounts) > 1 else []),
        *([Choice(_Action.CHANGE, f"Change {only}", CHANGES, word="change")] if accounts else []),
        Choice(_Action.NEW, "Set up another account" if accounts else "Set an account up", word="new"),
        Choice(_Action.LIMITS, "Look up sending limits", word="limits"),
        Choice(_Action.EXPLAIN, "Explain an error", word="explain"),
        Choice(_Action.LEAVE, "Leave"),
    ]


def _accounts(talk: Conversation, kit: Kit) -> tuple[Account, ...]:
    """Read the accounts and read them out."""
    try:
        accounts = kit.desk.book.list()
    except AccountsError as problem:
        talk.say(str(problem))
        return ()
    for trouble in kit.desk.problems():
        talk.say(trouble)
    for account in accounts:
        talk.show(wrap(_words(account, kit), "  - "))
        if ending := ending_words(account, kit.desk.catalog, kit.desk.now()):
            talk.show(wrap(f"! {ending}", "    "))
    if not kit.desk.book.holds_any():
        talk.say("No account is saved yet.")
    return accounts


def _words(account: Account, kit: Kit) -> str:
    practice = " (practice)" if account.connection.sandbox else ""
    when = f"{day_words(account.last.at, kit.desk.now())}, " if account.last else ""
    return f"{account.name}{practice}: {account.connection.endpoint}, last test: {when}{result_words(account.last)}"


def _chosen(talk: Conversation, accounts: Sequence[Account]) -> Account:
    if len(accounts) == 1:
        return accounts[0]
    rows = [Choice(each, each.name, str(each.connection.endpoint), also=each.name) for each in accounts]
    return talk.choose("Which one?", rows)


def _explain(talk: Conversation, kit: Kit, accounts: Sequence[Account]) -> None:
    """Explain an error, and test the account that it is about, where that is wanted. Raises `GoBack`, `Quit`."""
    name = explain(talk, kit)
    account = next((each for each in accounts if each.name == name), None)
    if account is not None:
        _test(talk, kit, account)


def _test_all(talk: Conversation, kit: Kit, accounts: Sequence[Account]) -> None:
    for account in accounts:
        _test(talk, kit, account)


def _test(talk: Conversation, kit: Kit, account: Account) -> None:
    """Sign in to an account again; nothing is sent."""
    talk.show(["", f"Testing '{account.name}' ..."])
    try:
        secret = fetched(talk, kit, account)
    except EXPECTED_ERRORS as problem:
        talk.say(str(problem))
        return
    checked = CompletedCheck(talk, partial(kit.desk.checks.check_account, account, secret, Depth.LOGIN))
    if checked.paused and talk.yes(ANYWAY_QUESTION, yes=ANYWAY_YES, no=ANYWAY_NO):
        options = Options(ignore_lockout=True)
        checked = CompletedCheck(
            talk, partial(kit.desk.checks.check_account, account, secret, Depth.LOGIN, options=options)
        )
    if checked.report is not None:
        talk.say(tested_words(account, checked.report))
