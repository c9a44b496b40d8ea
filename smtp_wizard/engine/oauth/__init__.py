"""Signing in in the browser (OAuth 2.0), and staying signed in.

`browser` and `device` are the two ways of asking the person, `attempt` is one of them from beginning to end, `exchange`
the one border to the authorization server, `grants` what is kept of it, `renewal` how it is renewed without two
processes killing it.
"""

from smtp_wizard.engine.oauth.attempt import Attempt
from smtp_wizard.engine.oauth.browser import BrowserSignIn, code_from_address
from smtp_wizard.engine.oauth.device import DeviceCode, ask_for_code, wait_for_person
from smtp_wizard.engine.oauth.errors import OAuthError, OAuthTrouble
from smtp_wizard.engine.oauth.exchange import Exchange, RegisteredClient
from smtp_wizard.engine.oauth.grants import Access, Grant, SignedIn
from smtp_wizard.engine.oauth.listener import Listener
from smtp_wizard.engine.oauth.renewal import Renewal

__all__ = [
    "Access",
    "Attempt",
    "BrowserSignIn",
    "DeviceCode",
    "Exchange",
    "Grant",
    "Listener",
    "OAuthError",
    "OAuthTrouble",
    "RegisteredClient",
    "Renewal",
    "SignedIn",
    "ask_for_code",
    "code_from_address",
    "wait_for_person",
]
