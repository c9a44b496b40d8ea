"""The password of one saved account: given, kept, or asked for; tidied as its provider allows, and doubted aloud."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from smtp_wizard.commands.options.passwords import PASSWORD_OPTIONS, PasswordSource, read_password
from smtp_wizard.commands.options.vault import offer_passphrase
from smtp_wizard.engine.base.connection import Auth
from smtp_wizard.engine.base.secret import Secret
from smtp_wizard.engine.base.shown import phrase, shown
from smtp_wizard.engine.secrets.secret_store import SecretError, SecretFault
from smtp_wizard.runtime.exit_codes import CommandError, Exit
from smtp_wizard.runtime.questions import ask_password, can_ask
from smtp_wizard.runtime.running import Stopwatch, run

if TYPE_CHECKING:
    from smtp_wizard.commands.invocation import Invocation
    from smtp_wizard.engine.accounts.account import Account
    from smtp_wizard.engine.base.secret import Secret
    from smtp_wizard.engine.secrets.store_kinds import StoreKind
    from smtp_wizard.runtime.output import Output


def warn_of_oddities(out: Output, secret: Secret | None, words: str = "password") -> None:
    """Say on stderr what is unusual in a password, or in what `words` say; it is used as it is."""
    if secret is not None and secret.oddities:
        from smtp_wizard.text.wizard import ODDITIES

        found = [ODDITIES[each] for each in secret.oddities]
        out.narrate(
            f"smtp-wizard: the {words} has {' and '.join(found)} in it. It is used as it is; if that is no part of "
            "it, give it again without."
        )


def given_password(
    invocation: Invocation, source: PasswordSource, watch: Stopwatch, undone: Callable[[], str]
) -> Secret | None:
    """Return the password that the command line leads to, None where it names none. Raises `CommandError`."""
    if not source.given:
        return None

    async def read() -> Secret | None:
        async with watch.bound():
            return await read_password(source, invocation.stores)

    return run(read(), watch, undone)


def secret_at(
    invocation: Invocation, kind: StoreKind, where: str, watch: Stopwatch, undone: Callable[[], str]
) -> Secret:
    """Return the password that a way leads to which no account has yet. Raises `SecretError`."""

    async def read() -> Secret:
        async with watch.bound():
            return await invocation.stores.read(kind, where)

    return run(read(), watch, undone)


def password_of(
    invocation: Invocation, account: Account, source: PasswordSource, watch: Stopwatch, undone: Callable[[], str]
) -> Secret | None:
    """Return the password to sign in to an account with: the given one, the kept one, or the one that is typed now.

    None where none is needed. Raises `CommandError` where there is nobody to ask, `SecretError` where the store fails.
    """
    if account.connection.auth is Auth.NONE:
        return None
    given = given_password(invocation, source, watch, undone)
    if given is None:
        offer_passphrase(invocation, account.store)
    kept = _kept(invocation, account, watch, undone) if given is None else None
    if kept is None and given is None:
        from smtp_wizard.commands.options.browser import refuse_without_sign_in

        refuse_without_sign_in(account)
    from smtp_wizard.text.accounts import secret_words

    return kept or tidy_password(invocation, account, given or typed_password(account.name, secret_words(account)))


def tidy_password(invocation: Invocation, account: Account, secret: Secret) -> Secret:
    """Return a password tidied where the account's provider makes it up itself; warn of what is odd in any other."""
    tidy = invocation.catalog.tidied(account.connection, secret)
    from smtp_wizard.engine.accounts.application_sign_in import signs_in_as_application
    from smtp_wizard.text.accounts import secret_words

    if account.connection.auth is not Auth.XOAUTH2 or signs_in_as_application(account):
        warn_of_oddities(invocation.out, tidy, secret_words(account))
    return tidy


def _kept(invocation: Invocation, account: Account, watch: Stopwatch, undone: Callable[[], str]) -> Secret | None:
    """Return the password that is kept, None where it is asked for each time."""

    async def fetch() -> Secret | None:
        async with watch.bound():
            return await invocation.services.entries.secret_of(account)

    try:
        return run(fetch(), watch, undone)
    except SecretError as problem:
        if problem.fault is not SecretFault.ASK:
            raise
        return None


def typed_password(name: str, words: str = "password") -> Secret:
    """Ask for the password of an account, or for what `words` say.

    Raises `CommandError` where there is nobody to ask.
    """
    if not can_ask():
        raise CommandError(
            "secret-ask",
            phrase(
                "The {} of '{}' is kept nowhere, and nobody can be asked for it here.",
                shown(words),
                shown(name),
            ),
            phrase("Give it: {}.", shown(PASSWORD_OPTIONS)),
            Exit.SECRET,
        )
    return ask_password(f"{words.capitalize()} of {name}")
