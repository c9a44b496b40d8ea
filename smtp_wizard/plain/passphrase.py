"""The vault's passphrase in lines of text: typed twice where a vault is made, once where it is opened."""

from __future__ import annotations

from smtp_wizard.engine.accounts.account import Account
from smtp_wizard.engine.base.connection import Auth
from smtp_wizard.engine.base.errors import InputError
from smtp_wizard.engine.base.secret import Secret
from smtp_wizard.engine.secrets.base import SecretError, SecretFault
from smtp_wizard.engine.secrets.kinds import StoreKind, StoreRef
from smtp_wizard.engine.secrets.vault import VaultState, acceptable
from smtp_wizard.engine.wizard.draft import Draft
from smtp_wizard.plain.checks import awaited
from smtp_wizard.plain.form import Kit
from smtp_wizard.plain.talk import Conversation, GoBack
from smtp_wizard.runtime.expected_errors import EXPECTED_ERRORS
from smtp_wizard.text.stores import VAULT_CLOSED, VAULT_NEW, VAULT_NOT_SAME, VAULT_OPEN

_LACKING = "Type the passphrase, or 'back'."


def unlock(talk: Conversation, kit: Kit, *places: StoreRef | StoreKind | None, creating: bool = False) -> None:
    """Open the vault where one of the places is the vault; ask until it is open.

    `creating`: one that is not there yet is made. Raises `GoBack`, and `SecretError` where the vault cannot be used.
    """
    vault = kit.desk.stores.vault
    kinds = [place.kind if isinstance(place, StoreRef) else place for place in places]
    if StoreKind.VAULT not in kinds or (vault.state is VaultState.MISSING and not creating):
        return
    if awaited(vault.ready()):
        return
    if vault.state is VaultState.MISSING:
        talk.say(VAULT_NEW)
        awaited(vault.create(_new(talk)))
        return
    talk.say(VAULT_OPEN)
    while vault.state is not VaultState.OPEN:
        try:
            awaited(vault.open(Secret(talk.secret("Passphrase, not shown", lacking=_LACKING))))
        except SecretError as problem:
            if problem.fault is not SecretFault.WRONG:
                raise
            talk.say(str(problem))


def opened_for(talk: Conversation, kit: Kit, draft: Draft) -> bool:
    """Open the vault where a check of a draft needs it. Return whether the check can be made; why not is said."""
    try:
        unlock(talk, kit, awaited(kit.desk.tokens.store_of(draft)))
    except GoBack:
        talk.say(VAULT_CLOSED)
        return False
    except EXPECTED_ERRORS as problem:
        talk.say(str(problem))
        return False
    return True


def _new(talk: Conversation) -> Secret:
    while True:
        typed = Secret(talk.secret("New passphrase, not shown", lacking=_LACKING))
        try:
            acceptable(typed)
        except InputError as problem:
            talk.say(str(problem))
            continue
        if Secret(talk.secret("The same once more", lacking=_LACKING)) == typed:
            return typed
        talk.say(VAULT_NOT_SAME)


def fetched(talk: Conversation, kit: Kit, account: Account) -> Secret | None:
    """Fetch the secret of an account, or ask for the one that is kept nowhere. Raises `SecretError`, `GoBack`."""
    unlock(talk, kit, account.store)
    try:
        return awaited(kit.desk.entries.secret_of(account))
    except SecretError as problem:
        if problem.fault is not SecretFault.ASK or account.connection.auth is Auth.XOAUTH2:
            raise
    return Secret(talk.secret(f"Password of '{account.name}', not shown", lacking="Type the password, or 'back'."))
