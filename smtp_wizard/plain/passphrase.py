"""The vault's passphrase in lines of text: typed twice where a vault is made, once where it is opened."""

from __future__ import annotations

from smtp_wizard.engine.accounts.account import Account
from smtp_wizard.engine.base.connection import Auth
from smtp_wizard.engine.base.secret import Secret
from smtp_wizard.engine.secrets.base import SecretError, SecretFault
from smtp_wizard.engine.secrets.kinds import StoreKind, StoreRef
from smtp_wizard.engine.wizard.draft import Draft
from smtp_wizard.flows.vault import Vault, needs_opening
from smtp_wizard.plain.checks import awaited
from smtp_wizard.plain.form import Kit
from smtp_wizard.plain.question import answered
from smtp_wizard.plain.talk import Conversation, GoBack
from smtp_wizard.runtime.expected_errors import EXPECTED_ERRORS
from smtp_wizard.text.stores import VAULT_CLOSED


def unlock(talk: Conversation, kit: Kit, *places: StoreRef | StoreKind | None, creating: bool = False) -> None:
    """Open the vault where one of the places is the vault; ask until it is open.

    `creating`: one that is not there yet is made. Raises `GoBack`, and `SecretError` where the vault cannot be used.
    """
    vault = kit.services.stores.vault
    if not awaited(needs_opening(vault, *places, creating=creating)):
        return
    outcome = answered(talk, Vault(vault))
    if outcome.fault is not None:
        raise SecretError(outcome.fault, outcome.why_not)
    if not outcome.well:
        raise GoBack


def opened_for(talk: Conversation, kit: Kit, draft: Draft) -> bool:
    """Open the vault where a check of a draft needs it. Return whether the check can be made; why not is said."""
    try:
        unlock(talk, kit, awaited(kit.services.tokens.store_of(draft)))
    except GoBack:
        talk.say(VAULT_CLOSED)
        return False
    except EXPECTED_ERRORS as problem:
        talk.say(str(problem))
        return False
    return True


def fetched(talk: Conversation, kit: Kit, account: Account) -> Secret | None:
    """Fetch the secret of an account, or ask for the one that is kept nowhere. Raises `SecretError`, `GoBack`."""
    unlock(talk, kit, account.store)
    try:
        return awaited(kit.services.entries.secret_of(account))
    except SecretError as problem:
        if problem.fault is not SecretFault.ASK or account.connection.auth is Auth.XOAUTH2:
            raise
    return Secret(talk.secret(f"Password of '{account.name}', not shown", lacking="Type the password, or 'back'."))
