"""The authorization code with PKCE (RFC 6749 section 4.1, RFC 7636, RFC 8252): the page, and what comes back."""

from __future__ import annotations

import base64
import hashlib
import hmac
import html
import re
import secrets
import unicodedata
from collections.abc import Mapping
from urllib.parse import parse_qsl, unquote, urlencode, urlsplit

from smtp_wizard.engine.base.secret import Secret
from smtp_wizard.engine.base.shown import phrase
from smtp_wizard.engine.oauth.client import OAuthClient
from smtp_wizard.engine.oauth.errors import OAuthError, OAuthFault, meaning_of
from smtp_wizard.engine.oauth.grants import SignedIn
from smtp_wizard.engine.oauth.server import is_loopback

CUT_AT = 4095
"""A terminal hands over a line of at most 4096 bytes, its end included; what is longer is cut without a word."""
LONGEST = 20_000


class BrowserSignIn:
    """One attempt: its own state and its own verifier, each good for once."""

    def __init__(self, exchange: OAuthClient, port: int, address: str = "") -> None:
        """`port`: where the listener waits. `address`: whose mailbox it is; the page fills it in."""
        server = exchange.server
        self._exchange = exchange
        self._verifier = Secret(secrets.token_urlsafe(64))
        self.state = secrets.token_urlsafe(24)
        self.redirect_uri = server.redirect_to(port)
        digest = hashlib.sha256(self._verifier.reveal().encode("ascii")).digest()
        asked = {
            "response_type": "code",
            "client_id": exchange.client.id,
            "redirect_uri": self.redirect_uri,
            "scope": " ".join(server.scopes),
            "state": self.state,
            "code_challenge": base64.urlsafe_b64encode(digest).rstrip(b"=").decode("ascii"),
            "code_challenge_method": "S256",
            **({"login_hint": address} if address else {}),
            **server.extra,
        }
        joint = "&" if urlsplit(server.authorize).query else "?"
        self.url = f"{server.authorize}{joint}{urlencode(asked)}"
        """The address of the page where the person signs in."""

    def is_ours(self, query: Mapping[str, str]) -> bool:
        """Whether an answer belongs to this attempt."""
        return _is_state(query, self.state)

    def code_of(self, query: Mapping[str, str]) -> Secret:
        """Return the code of an answer. Raises `OAuthError`."""
        if not self.is_ours(query):
            raise _foreign_state()
        return code_in(query)

    async def finish(self, code: Secret) -> SignedIn:
        """Exchange the code. Raises `OAuthError`."""
        return await self._exchange.redeem(code, self._verifier, self.redirect_uri)

    def pasted(self, text: str) -> Secret:
        """Return the code in an address that was pasted. Raises `OAuthError`."""
        return code_from_address(text, self.state)


def code_in(query: Mapping[str, str]) -> Secret:
    """Return the code of an answer that belongs to the attempt. Raises `OAuthError`."""
    if "error" in query:
        raise meaning_of(query["error"], query.get("error_description"))
    code = query.get("code", "")
    if not code or not _CODE.fullmatch(code):
        raise OAuthError(OAuthFault.NO_CODE, _NO_CODE)
    return Secret(code)


_CODE = re.compile(r"[\x20-\x7e]+")
"""RFC 6749 appendix A.11."""


def _is_state(query: Mapping[str, str], state: str) -> bool:
    # What was pasted may hold halves of characters, which cannot be encoded.
    return hmac.compare_digest(query.get("state", "").encode("utf-8", "replace"), state.encode())


_NO_CODE = phrase(
    "There is no code in it. Copy the whole address that the browser shows at the end, when it says that "
    "the page cannot be reached."
)


def code_from_address(text: str, state: str) -> Secret:
    """Return the code in the address that a browser ended on. Raises `OAuthError` with what is wrong with it.

    Terminals break lines, mail programs put blanks and `&amp;` in, some browsers copy it percent-encoded as a whole.
    """
    length = len(text.strip("\r\n").encode("utf-8", "replace"))
    bare = "".join(ch for ch in text[:LONGEST] if not ch.isspace() and unicodedata.category(ch) not in ("Cc", "Cf"))
    bare = html.unescape(bare.strip("<>\"'`")) if "&amp;" in bare else bare.strip("<>\"'`")
    if not bare:
        raise OAuthError(
            OAuthFault.NO_CODE, phrase("Nothing was pasted. Copy the whole address that the browser ended on.")
        )
    if length in (CUT_AT, CUT_AT + 1) or length > LONGEST:
        raise OAuthError(
            OAuthFault.CUT,
            phrase(
                "The terminal cut the address, which is longer than it takes. Paste it in two lines, or set up the ssh "
                "tunnel that is shown, and open the page again."
            ),
        )
    if "%3a%2f%2f" in bare[:20].lower():
        bare = unquote(bare)
    query = _query_of(bare)
    if not _is_state(query, state):
        raise _foreign_state() if "state" in query else OAuthError(OAuthFault.NO_CODE, _NO_CODE)
    return code_in(query)


def _query_of(text: str) -> dict[str, str]:
    """Return what stands behind the question mark. Raises `OAuthError` for another page's address."""
    try:
        parts = urlsplit(text if "://" in text[:10] else f"http://127.0.0.1/?{text.partition('?')[2] or text}")
        host = parts.hostname or ""
    except ValueError:
        raise OAuthError(OAuthFault.NO_CODE, _NO_CODE) from None
    if not is_loopback(host):
        raise OAuthError(
            OAuthFault.FOREIGN,
            phrase(
                "That is the address of another page. Sign in there first; the address that is wanted begins with "
                "http://127.0.0.1 or http://localhost."
            ),
        )
    try:
        return dict(parse_qsl(parts.query, max_num_fields=50))
    except ValueError:
        raise OAuthError(OAuthFault.NO_CODE, _NO_CODE) from None


def _foreign_state() -> OAuthError:
    return OAuthError(
        OAuthFault.FOREIGN,
        phrase("That address belongs to another attempt. Open the page anew that is shown here now."),
    )
