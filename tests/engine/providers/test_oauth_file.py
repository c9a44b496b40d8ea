"""What the catalogue says about OAuth servers, and what it refuses to say."""

from __future__ import annotations

from pathlib import Path

import pytest

from smtp_wizard.engine.oauth.server import ClientSecret, OAuthFlow, OAuthServer, is_redirect, is_safe_url
from smtp_wizard.engine.providers.catalog import load_catalog
from smtp_wizard.engine.providers.provider import PathAuth

OWN = """\
oauth_servers:
  ours:
    name: Our firm
    authorize: https://login.firm.example/auth
    token: https://login.firm.example/token
    scopes: [smtp]
providers:
  - id: our-firm
    name: Our firm
    domains: [firm.example]
    endpoints:
      - {host: mail.firm.example, port: 465, security: tls}
    paths:
      - {id: oauth, title: In the browser, summary: You sign in., status: works, auth: oauth2, oauth: ours}
"""


def own_server(tmp_path: Path, text: str) -> OAuthServer:
    file = tmp_path / "providers.yaml"
    file.write_text(text, "utf-8")
    catalog = load_catalog(own=file)
    assert not catalog.own_trouble, catalog.own_trouble
    provider = catalog.by_domain("firm.example")
    assert provider is not None
    (path,) = provider.paths
    assert path.oauth is not None
    return path.oauth


def test_the_product_knows_google_and_microsoft() -> None:
    catalog = load_catalog()
    for provider_id, name in (("gmail", "Google"), ("microsoft365", "Microsoft"), ("outlook-com", "Microsoft")):
        provider = catalog.get(provider_id)
        assert provider is not None
        path = provider.path("oauth")
        assert path is not None
        assert path.oauth is not None
        assert path.oauth.name == name
        assert not path.oauth.closed
        assert provider.source(path.oauth.source) is not None, "whose words they are can be shown"
        assert path.oauth.idle is not None
        assert provider.source(path.oauth.idle.source) is not None


def test_google_has_no_codes_and_lasts_a_week_while_it_is_tried_out() -> None:
    google = load_catalog().get("gmail").path("oauth").oauth  # type: ignore[union-attr]  # the test above
    assert google is not None
    assert google.flows == (OAuthFlow.BROWSER, OAuthFlow.PASTE)
    assert google.extra == {"access_type": "offline", "prompt": "consent"}
    assert google.client_secret is ClientSecret.NEEDED
    assert google.testing is not None
    assert google.testing.days == 7


def test_microsoft_s_redirect_is_localhost_without_a_path() -> None:
    microsoft = load_catalog().get("microsoft365").path("oauth").oauth  # type: ignore[union-attr]
    assert microsoft is not None
    assert microsoft.redirect_to(4711) == "http://localhost:4711"
    assert microsoft.flows[0] is OAuthFlow.DEVICE
    assert microsoft.scopes == ("https://outlook.office.com/SMTP.Send", "offline_access")


def test_every_way_in_the_browser_says_where_or_why_not() -> None:
    for provider in load_catalog().providers:
        for path in provider.paths:
            assert (path.oauth is not None) == (path.auth is PathAuth.OAUTH2), f"{provider.id}/{path.id}"


def test_a_firm_s_own_server_stands_in_its_own_file(tmp_path: Path) -> None:
    server = own_server(tmp_path, OWN)
    assert (server.name, server.token) == ("Our firm", "https://login.firm.example/token")
    assert server.redirect_to(1234) == "http://127.0.0.1:1234/"


def test_a_server_on_this_computer_needs_no_encryption(tmp_path: Path) -> None:
    server = own_server(tmp_path, OWN.replace("https://login.firm.example", "http://127.0.0.1:8123"))
    assert server.authorize == "http://127.0.0.1:8123/auth"


def test_a_path_may_refer_to_a_server_that_is_shipped(tmp_path: Path) -> None:
    server = own_server(tmp_path, OWN.replace("oauth: ours}", "oauth: microsoft, instead: [Ask us., Call us.]}"))
    assert server.name == "Microsoft"


@pytest.mark.parametrize(
    ("old", "new", "why"),
    [
        ("https://login.firm.example/token", "http://login.firm.example/token", "must begin with https://"),
        ("https://login.firm.example/auth", "https://ana:x@login.firm.example/auth", "must begin with https://"),
        ("scopes: [smtp]", "scopes: []", "name what is asked for"),
        ("scopes: [smtp]", "scopes: ['a b']", "name what is asked for"),
        ("scopes: [smtp]", "scopes: [smtp]\n    redirect: 'http://192.0.2.1:{port}/'", "must be http://127.0.0.1"),
        ("scopes: [smtp]", "scopes: [smtp]\n    extra: {state: x}", "is put there by the program itself"),
        ("scopes: [smtp]", "scopes: [smtp]\n    idle: {days: 0}", "must be at least 1"),
        ("oauth: ours", "oauth: theirs", "there is no OAuth server 'theirs'"),
        ("auth: oauth2", "auth: none", "has no OAuth server"),
        ("    token: https://login.firm.example/token\n", "", "the key 'token' is missing"),
    ],
)
def test_what_cannot_be_meant_is_refused(old: str, new: str, why: str, tmp_path: Path) -> None:
    file = tmp_path / "providers.yaml"
    assert old in OWN
    file.write_text(OWN.replace(old, new), "utf-8")
    assert why in load_catalog(own=file).own_trouble


def test_another_sign_in_page_of_a_known_provider_is_announced(tmp_path: Path) -> None:
    file = tmp_path / "providers.yaml"
    file.write_text(
        OWN.partition("providers:")[0]
        + """providers:
  - id: gmail
    retirements: []
    paths:
      - {id: oauth, title: In the browser, summary: You sign in., status: works, auth: oauth2, oauth: ours}
""",
        "utf-8",
    )
    catalog = load_catalog(own=file)
    assert not catalog.own_trouble
    (override,) = catalog.overrides_of("gmail")
    assert "https://login.firm.example/auth instead of https://accounts.google.com" in override.words


@pytest.mark.parametrize(
    ("url", "safe"),
    [
        ("https://login.example/x?a=b", True),
        ("http://127.0.0.1:80/", True),
        ("http://[::1]:80/", True),
        ("http://localhost/", True),
        ("http://login.example/", False),
        ("http://127.0.0.1.example/", False),
        ("http://2130706433/", False),
        ("ftp://127.0.0.1/", False),
        ("https://", False),
        ("https://a@b.example/", False),
        ("https://b.example/#x", False),
        ("https://b.example/ x", False),
        ("https://b.example:99999/", False),
        ("https://[bad/", False),
        ("https://b.example/" + "x" * 3000, False),
        ("https://bücher.example/", False),
    ],
)
def test_a_token_travels_encrypted_or_not_at_all(url: str, *, safe: bool) -> None:
    assert is_safe_url(url) is safe


def test_a_redirect_leads_to_this_computer() -> None:
    assert is_redirect("http://127.0.0.1:{port}/callback")
    assert not is_redirect("http://127.0.0.1:80/")
    assert not is_redirect("https://127.0.0.1:{port}/")
