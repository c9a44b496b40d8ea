"""The OAuth server of the tests does what the flows need of one, so that a test that fails there says something."""

from __future__ import annotations

import base64
import hashlib
import urllib.parse

import pytest

from tests.realservers.oidc import JWT, LARGE, OPAQUE, Browser, OAuthRefused, TokenServer
from tests.realservers.servers import ALICE

pytestmark = pytest.mark.real


def test_a_device_waits_until_somebody_has_agreed(oauth: TokenServer) -> None:
    begun = oauth.begin_device()
    with pytest.raises(OAuthRefused) as refused:
        oauth.finish_device(begun)
    assert refused.value.error == "authorization_pending"
    assert "Done" in Browser(ALICE.address).open(begun.address).text
    tokens = oauth.finish_device(begun)
    assert tokens.access
    assert tokens.refresh


@pytest.mark.parametrize(("client", "shortest", "longest"), [(OPAQUE, 43, 43), (JWT, 500, 1000), (LARGE, 2700, 2900)])
def test_tokens_are_as_large_as_they_are_said_to_be(
    oauth: TokenServer, client: str, shortest: int, longest: int
) -> None:
    assert shortest <= len(oauth.sign_in(ALICE.address, client=client).access) <= longest


def test_a_refresh_token_used_twice_ends_the_login(oauth: TokenServer) -> None:
    first = oauth.sign_in(ALICE.address)
    second = oauth.refresh(first)
    assert second.refresh != first.refresh
    for spent in (first, second):
        with pytest.raises(OAuthRefused) as refused:
            oauth.refresh(spent)
        assert refused.value.error == "invalid_grant"


def test_a_browser_is_sent_home_with_a_code(oauth: TokenServer) -> None:
    verifier = "v" * 64
    challenge = base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).decode().rstrip("=")
    asked = {
        "client_id": OPAQUE,
        "response_type": "code",
        "redirect_uri": "http://127.0.0.1:9/callback",
        "scope": "openid offline_access smtp",
        "state": "abc",
        "code_challenge": challenge,
        "code_challenge_method": "S256",
        "prompt": "consent",
    }
    page = Browser(ALICE.address).open(f"{oauth.authorize}?{urllib.parse.urlencode(asked)}", follow_home=False)
    came = dict(urllib.parse.parse_qsl(urllib.parse.urlsplit(page.address).query))
    assert page.address.startswith("http://127.0.0.1:9/callback?")
    assert came["state"] == "abc"
    tokens = oauth.redeem(came["code"], verifier=verifier, redirect="http://127.0.0.1:9/callback")
    assert tokens.refresh
