"""From a saved account to the wizard's answers, so that it can be changed there, and back."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from smtp_wizard.engine.accounts.account import Account, fit_name, new_id, parse_name
from smtp_wizard.engine.accounts.application_sign_in import signs_in_as_application, whole_sign_in
from smtp_wizard.engine.accounts.guarded_sign_in import REFUSED
from smtp_wizard.engine.accounts.saved_accounts import AccountFileError, NoSuchAccount, SavedAccounts
from smtp_wizard.engine.base.connection import Auth, knows_server
from smtp_wizard.engine.base.errors import InputError
from smtp_wizard.engine.base.identity import Scope
from smtp_wizard.engine.base.secret import Secret
from smtp_wizard.engine.base.shown import phrase
from smtp_wizard.engine.base.stages import Depth, Verdict
from smtp_wizard.engine.oauth.grants import Grant
from smtp_wizard.engine.providers.catalog import Catalog
from smtp_wizard.engine.providers.provider import ProviderKind
from smtp_wizard.engine.state.results import NOT_PROVED, LastResult
from smtp_wizard.engine.wizard.draft import Draft, Origin, Proof, ReportedArrival, as_catalogued

ASKED = ("name", "address", "connection", "identity", "scope", "store")
"""The fields of an account that the wizard asks about."""


def draft_of(account: Account, secret: Secret | None, catalog: Catalog) -> Draft:
    """Return the wizard's answers for a saved account, so that it can be changed there.

    The secret goes with it where it could be read; what was proved does not: what is changed is tested again. That
    the server has refused this very password last time does, so that it is not sent once more by a mere Enter.
    """
    provider = catalog.get(account.connection.provider)
    secret = whole_sign_in(account.login, secret) if secret is not None else None
    grant = Grant.opened(secret) if secret is not None and account.connection.auth is Auth.XOAUTH2 else None
    draft = Draft(
        address=account.address,
        connection=account.connection,
        identity=account.identity,
        origin=Origin.HAND if provider is None or provider.kind is ProviderKind.CUSTOM else Origin.CHOSEN,
        origin_note=f"the saved account '{account.name}'",
        ways=len(provider.paths) if provider else 0,
        confirmed_host=account.connection.endpoint.host,
        by_hand=True,
        secret=secret,
        proof=_refusal(account) if secret is not None else None,
        client_id=account.login.client_id if account.login is not None else "",
        client_secret=grant.client_secret if grant is not None else None,
        name=account.name,
        scope=account.scope,
        editing=account.name,
        editing_id=account.id,
    ).with_store(*((account.store.kind, account.store.where) if account.store else (None,)))
    return as_catalogued(draft, catalog)


def copy_of(account: Account, secret: Secret | None, catalog: Catalog, name: str) -> Draft:
    """Return the wizard's answers for a second account like this one, under `name`, for general mail."""
    draft = draft_of(account, secret, catalog)
    persons = account.login is not None and not signs_in_as_application(account)
    draft = as_catalogued(replace(draft, secret=None), catalog) if persons else draft
    return replace(draft, editing=None, editing_id="", name=name, scope=Scope.GENERAL)


def draft_to_sign_in_again(account: Account, secret: Secret | None, catalog: Catalog) -> Draft:
    """Return the wizard's answers for an account whose sign-in in the browser is to be made again.

    `secret`: the old one, where it can be read: the client's own secret is in it.
    """
    draft = replace(draft_of(account, secret, catalog), secret=None, token_elsewhere=False)
    return as_catalogued(draft, catalog)


def _refusal(account: Account) -> Proof | None:
    """Return what the last test of an account says against its password, None where it says nothing."""
    last = account.last
    if last is None or account.connection.auth is not Auth.PASSWORD or last.code not in REFUSED:
        return None
    return Proof(
        last.at, last.depth, last.verdict, account.connection.endpoint, account.connection.username, refused=True
    )


def account_of(draft: Draft, now: datetime, before: Account | None = None) -> Account:
    """Return the account that a draft makes, its secret still to be kept. Raises `InputError`.

    `before`: the saved one that it changes, which keeps whatever the wizard does not ask about.
    """
    if draft.address is None or not knows_server(draft.connection) or not draft.name:
        raise InputError(phrase("The account is not complete yet."))
    made = Account(
        name=parse_name(draft.name),
        address=draft.address,
        connection=draft.connection,
        identity=draft.identity.in_use,
        scope=draft.scope,
        store=None,
        created=now,
        id=new_id(),
        last=_proved(draft),
    )
    if before is None:
        return made
    asked = {each: getattr(made, each) for each in ASKED}
    if draft.name == draft.editing:  # no other name was wanted: it keeps the one that it has got meanwhile
        asked["name"] = before.name
    return replace(before, **asked, login=None, last=made.last or before.last)


def as_asked(now: Account, account: Account) -> Account:
    """Return an account as it stands in the file, with what the wizard has asked about, and learnt, of `account`.

    What the wizard does not ask about may have changed meanwhile, and stays so. Where another account has taken its
    place, nothing of that one stays.
    """
    if now.id != account.id:
        return account
    return replace(now, **{each: getattr(account, each) for each in (*ASKED, "login", "last")})


def _proved(draft: Draft) -> LastResult | None:
    """Return what the checks of a draft have proved; a test message that nobody has seen leaves that open."""
    proof = draft.proof if draft.signed_in else None
    if proof is None:
        return None
    if proof.depth is Depth.SEND and draft.arrival is ReportedArrival.NOT_YET:
        return LastResult(proof.at, proof.depth, Verdict.WARN, None, NOT_PROVED)
    return LastResult(proof.at, proof.depth, proof.verdict)


def edited_account(draft: Draft, saved_accounts: SavedAccounts) -> Account | None:
    """Return the account that a draft changes; None where it was removed meanwhile: then it is saved again.

    Raises `AccountFileError`.
    """
    try:
        return saved_accounts.known(draft.editing_id, draft.editing) if draft.editing is not None else None
    except NoSuchAccount:
        return None


def suggested_name(draft: Draft, catalog: Catalog, saved_accounts: SavedAccounts) -> str:
    """Return a name for a new account, the provider's first word and the address's: a free one.

    Where the accounts cannot be read it may be taken; saving says so.
    """
    provider = catalog.get(draft.connection.provider)
    local = draft.address.local if draft.address else ""
    if provider is None or provider.kind is ProviderKind.CUSTOM:
        words = draft.address.domain if draft.address else ""
    elif provider.kind is ProviderKind.SANDBOX:
        words = "Practice"
    else:
        words = provider.name.split("(")[0].strip()
    wanted = " ".join(part for part in (words, local) if part) or "Account"
    try:
        return saved_accounts.free_name(wanted)
    except AccountFileError:
        return fit_name(wanted)
