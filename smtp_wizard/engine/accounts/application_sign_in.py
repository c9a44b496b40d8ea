"""Accounts whose application signs in by itself: their secret is a client secret, which changes with no renewal.

Where the secret is kept it is the whole sign-in (`oauth.Grant`), as a person's is; a command, a file or a variable
leads to the client secret alone. What that needs beside it stands in the account.
"""

from __future__ import annotations

from smtp_wizard.engine.accounts.account import Account
from smtp_wizard.engine.base.secret import Secret
from smtp_wizard.engine.oauth.grants import Grant, is_kept_sign_in
from smtp_wizard.engine.state.sign_in_renewals import SignInRenewal


def signs_in_as_application(account: Account) -> bool:
    """Whether the application itself signs in, and no person."""
    return account.login is not None and bool(account.login.application_at)


def whole_sign_in(login: SignInRenewal | None, secret: Secret) -> Secret:
    """Return the whole sign-in that a secret stands for: an application's client secret alone is not sent as a token.

    Any other secret comes back as it is, and so does a sign-in that is damaged: it is nobody's client secret.
    """
    if login is None or not login.application_at or is_kept_sign_in(secret):
        return secret
    return Grant(
        client_id=login.client_id,
        client_secret=secret,
        refresh_token=None,
        token_url=login.application_at,
        granted=login.granted,
        renewed=login.renewed,
        ends=None,
    ).sealed()


def client_secret_alone(secret: Secret) -> Secret:
    """Return the client secret of an application's whole sign-in; any other secret as it is."""
    grant = Grant.opened(secret)
    of_application = grant is not None and grant.of_application
    return grant.client_secret or secret if grant is not None and of_application else secret
