"""What can go wrong with a sign-in in the browser, each in one sentence for a person.

Nothing of a server's free words is ever shown: some of them say tokens and codes back. What is kept is the name of the
error, where it is one that the standards know, and Microsoft's numbers.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType

from smtp_wizard.engine.base.errors import ShownError
from smtp_wizard.engine.base.shown import NO_WORDS, Shown, phrase, shown


class OAuthFault(StrEnum):
    """Why there is no token."""

    DENIED = "denied"
    """The person, or a rule of theirs, said no on the page."""
    ENDED = "ended"
    """The sign-in has run out, or was taken back: the person signs in again."""
    OVER = "over"
    """The attempt took too long, or its code was used before."""
    CLIENT = "client"
    """The server does not know the client id, or the secret is wrong."""
    FORBIDDEN = "forbidden"
    """The client may not do this: the scope, or this way of signing in."""
    UNREACHABLE = "unreachable"
    GARBLED = "garbled"
    """The server's answer is none."""
    REFUSED = "refused"
    """Any other no."""
    BRIEF = "brief"
    """It signed the person in, and gave nothing to stay signed in with."""
    NO_CODE = "no-code"
    """What was pasted has no code in it."""
    CUT = "cut"
    """What was pasted was cut by the terminal."""
    FOREIGN = "foreign"
    """What was pasted belongs to another page, or to another attempt."""
    ELSEWHERE = "elsewhere"
    """The provider's address is another one now than when the person signed in."""


class OAuthError(ShownError):
    """No token. The text is one sentence for a person, never a token, a code or a secret."""

    def __init__(self, fault: OAuthFault, words: Shown, number: Shown = NO_WORDS) -> None:
        """`number`: Microsoft's own for it, where there is one."""
        super().__init__(words)
        self.fault = fault
        self.number = number


_MEANINGS: Mapping[str, tuple[OAuthFault, Shown]] = MappingProxyType(
    {
        "access_denied": (
            OAuthFault.DENIED,
            phrase("The sign-in page said no: you declined there, or a rule of your organisation forbids it."),
        ),
        "authorization_declined": (OAuthFault.DENIED, phrase("You declined on the sign-in page.")),
        "expired_token": (
            OAuthFault.OVER,
            phrase("The code was not typed on the sign-in page in time; begin anew to get another one."),
        ),
        "invalid_grant": (
            OAuthFault.ENDED,
            phrase("The sign-in is no longer valid: it has run out, or was taken back. Sign in again in the browser."),
        ),
        "interaction_required": (
            OAuthFault.ENDED,
            phrase("The provider wants to see you again: sign in in the browser."),
        ),
        "login_required": (OAuthFault.ENDED, phrase("The provider wants to see you again: sign in in the browser.")),
        "consent_required": (
            OAuthFault.ENDED,
            phrase("The provider asks for your consent again: sign in in the browser."),
        ),
        "invalid_client": (
            OAuthFault.CLIENT,
            phrase(
                "The provider does not know this client id, or the client secret is wrong; compare both with its page."
            ),
        ),
        "unauthorized_client": (
            OAuthFault.CLIENT,
            phrase(
                "The provider does not let this client id sign in this way; look at its kind, and at what it "
                "is allowed."
            ),
        ),
        "invalid_scope": (
            OAuthFault.FORBIDDEN,
            phrase(
                "The provider does not give this client id the right to send mail this way; try the browser, "
                "and look at what it is allowed."
            ),
        ),
        "unsupported_grant_type": (
            OAuthFault.FORBIDDEN,
            phrase("The provider does not let this client id sign in this way; try another way."),
        ),
        "invalid_request": (
            OAuthFault.REFUSED,
            phrase(
                "The provider did not take the request; compare the client id and its redirect address with the guide."
            ),
        ),
        "temporarily_unavailable": (
            OAuthFault.UNREACHABLE,
            phrase("The sign-in server is busy; try again in a few minutes."),
        ),
        "server_error": (
            OAuthFault.UNREACHABLE,
            phrase("The sign-in server has a fault of its own; try again later."),
        ),
        "slow_down": (
            OAuthFault.UNREACHABLE,
            phrase("The sign-in server wants fewer questions; try again in a few minutes."),
        ),
    }
)
"""RFC 6749 sections 4.1.2.1 and 5.2, RFC 8628 section 3.5, OpenID Connect Core section 3.1.2.6."""

_NUMBER = re.compile(r"\bAADSTS\d{4,8}\b")


def meaning_of(error: object, description: object = None) -> OAuthError:
    """Return what a server's error means. Unknown names are not shown: they could be anything."""
    trouble, sentence = _MEANINGS.get(
        error if isinstance(error, str) else "",
        (OAuthFault.REFUSED, phrase("The sign-in server refused, for a reason that the standard does not know.")),
    )
    found = _NUMBER.search(description[:4000]) if isinstance(description, str) else None
    if found is None:
        return OAuthError(trouble, sentence)
    number = shown(found[0])
    return OAuthError(trouble, phrase("{} ({})", sentence, number), number)


_NOT_REACHED = phrase("could not be reached")


def unreachable(host: str, why: Shown = _NOT_REACHED) -> OAuthError:
    """Return the error for a server that gave no answer."""
    return OAuthError(
        OAuthFault.UNREACHABLE,
        phrase("The sign-in server {} {}; look at the connection and try again.", shown(host), why),
    )


def garbled(host: str) -> OAuthError:
    """Return the error for an answer that is none."""
    return OAuthError(
        OAuthFault.GARBLED, phrase("The sign-in server {} gave an answer that cannot be read.", shown(host))
    )
