"""What can be done with a saved account, in lines of text: the same as Enter shows on the screen."""

from __future__ import annotations

from functools import partial

from smtp_wizard.engine.accounts.account import Account, parse_name
from smtp_wizard.engine.accounts.account_book import Displaces
from smtp_wizard.engine.base.identity import Scope
from smtp_wizard.engine.base.secret import Secret
from smtp_wizard.engine.secrets.base import SecretError
from smtp_wizard.engine.services.options import Options
from smtp_wizard.engine.wizard.account_draft import copy_of, draft_of, draft_to_sign_in_again
from smtp_wizard.engine.wizard.draft import Draft
from smtp_wizard.plain.checks import CompletedCheck, awaited
from smtp_wizard.plain.form import Kit
from smtp_wizard.plain.passphrase import fetched, unlock
from smtp_wizard.plain.review import ask_store, ask_way
from smtp_wizard.plain.talk import Choice, Conversation, GoBack
from smtp_wizard.runtime.expected_errors import EXPECTED_ERRORS
from smtp_wizard.text.accounts import (
    DELETE_NO,
    DELETE_YES,
    DISPLACE_NO,
    NEW_SECRET_WHY,
    AccountAction,
    account_actions,
    delete_question,
    deleted_words,
    displaces_yes,
    in_browser,
    new_secret_words,
    other_scope,
    renamed_words,
    scope_words,
)
from smtp_wizard.text.stores import MOVE_QUESTION, MOVE_WHY, moved_words
from smtp_wizard.text.wizard import ANYWAY_NO, ANYWAY_QUESTION, ANYWAY_YES, SECRET_LACKING, STORE_TITLES


def change_account(talk: Conversation, kit: Kit, account: Account) -> Draft | None:
    """Ask what is to be done, and do it; return a draft where the wizard is to go on with the account's answers.

    Raises `GoBack`, `Quit`.
    """
    rows = [Choice(each.action, each.title, each.note) for each in account_actions(account)]
    rows = [each for each in rows if each.value is not AccountAction.TEST]
    try:
        match talk.choose(f"What about '{account.name}'?", rows):
            case AccountAction.EDIT:
                return draft_of(account, _at_hand(talk, kit, account), kit.desk.catalog)
            case AccountAction.COPY:
                secret = _at_hand(talk, kit, account)
                return copy_of(account, secret, kit.desk.catalog, kit.desk.book.free_name(account.name))
            case AccountAction.PASSWORD if in_browser(account):
                return draft_to_sign_in_again(account, _at_hand(talk, kit, account), kit.desk.catalog)
            case AccountAction.PASSWORD:
                _new_secret(talk, kit, account)
            case AccountAction.MOVE:
                _move(talk, kit, account)
            case AccountAction.RENAME:
                _rename(talk, kit, account)
            case AccountAction.SCOPE:
                _scope(talk, kit, account)
            case AccountAction.DELETE:
                _delete(talk, kit, account)
    except EXPECTED_ERRORS as problem:
        talk.say(str(problem))
    return None


def _at_hand(talk: Conversation, kit: Kit, account: Account) -> Secret | None:
    try:
        unlock(talk, kit, account.store)
        return awaited(kit.desk.entries.secret_of(account))
    except SecretError:
        return None  # it is typed again at the step that needs it


def _new_secret(talk: Conversation, kit: Kit, account: Account) -> None:
    path = kit.desk.catalog.path(account.connection)
    label = path.secret_label if path and path.secret_label else "Password"
    talk.say(NEW_SECRET_WHY)
    typed = talk.secret(f"{label} of '{account.name}', not shown", lacking=SECRET_LACKING)
    form = path.secret_form if path else None
    secret = Secret(form.tidy(typed) if form is not None and form.fits(typed) else typed)
    unlock(talk, kit, account.store)
    checked = CompletedCheck(talk, partial(kit.desk.accounts.replace_secret, account, secret))
    if checked.paused and talk.yes(ANYWAY_QUESTION, yes=ANYWAY_YES, no=ANYWAY_NO):
        options = Options(ignore_lockout=True)
        checked = CompletedCheck(talk, partial(kit.desk.accounts.replace_secret, account, secret, options=options))
    if checked.report is not None:
        talk.say(new_secret_words(account.name, kept=checked.good, tried=not checked.paused))


def _move(talk: Conversation, kit: Kit, account: Account) -> None:
    """Keep the password in another place."""
    assert account.store is not None, "it is offered only where there is one"
    talk.say(MOVE_WHY)
    kind = ask_store(talk, kit, account.store.kind, MOVE_QUESTION)
    known = account.store.where if kind is account.store.kind else ""
    where = ask_way(talk, kind, known, account.name) if kind.is_reference else ""
    secret = fetched(talk, kit, account)
    unlock(talk, kit, kind, creating=True)
    _, trouble = awaited(kit.desk.accounts.move(account.name, kind, where, secret))
    talk.say(moved_words(account.name, STORE_TITLES[kind]))
    if trouble:
        talk.say(trouble)


def _rename(talk: Conversation, kit: Kit, account: Account) -> None:
    wanted = talk.ask("Its new name", parse_name, default=account.name)
    unlock(talk, kit, account.store)
    renamed = awaited(kit.desk.accounts.rename(account.name, wanted))
    talk.say(renamed_words(account.name, renamed.name))


def _scope(talk: Conversation, kit: Kit, account: Account) -> None:
    wanted = other_scope(account)
    try:
        awaited(kit.desk.accounts.set_scope(account.name, wanted))
    except Displaces as problem:
        if not talk.yes(str(problem), yes=displaces_yes(account.name, problem.other.name), no=DISPLACE_NO):
            return
        awaited(kit.desk.accounts.set_scope(account.name, Scope.ALL, displacing=True))
    talk.say(scope_words(account.name, wanted))


def _delete(talk: Conversation, kit: Kit, account: Account) -> None:
    if not talk.yes(delete_question(account.name), yes=DELETE_YES, no=DELETE_NO):
        return
    # Without the passphrase, or the vault, it is deleted all the same; what remains in the store is said.
    try:
        unlock(talk, kit, account.store)
    except GoBack:
        pass
    except SecretError as problem:
        talk.say(str(problem))
    _, trouble = awaited(kit.desk.accounts.remove(account.name))
    talk.say(deleted_words(account.name))
    if trouble:
        talk.say(trouble)
