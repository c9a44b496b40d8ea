"""An application that signs in by itself (RFC 6749 section 4.4): what is sent, to whom, and what is refused."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from smtp_wizard.engine.base.errors import InputError
from smtp_wizard.engine.base.secret import Secret
from smtp_wizard.engine.oauth.client import OAuthClient, RegisteredClient
from smtp_wizard.engine.oauth.errors import OAuthError, OAuthFault
from smtp_wizard.engine.oauth.grants import Grant
from smtp_wizard.engine.oauth.server import ApplicationAccess, OAuthServer, parse_tenant
from tests.support.oauthserver import APPLICATION_SCOPE, CLIENT_ID, AuthorizationServer
from tests.support.rows import each_row

NOW = datetime(2026, 11, 30, 12, tzinfo=UTC)
TENANT = "5f9c1b2a-0000-4000-8000-000000000001"
SECRET = "secret-of-the-application"


def described(server: AuthorizationServer) -> OAuthServer:
    access = ApplicationAccess(token=f"{server.base}/{{tenant}}/token", scopes=(APPLICATION_SCOPE,))
    return server.described(application=access)


def sign_in(server: AuthorizationServer, **other: Any) -> Grant:
    grant = Grant(
        client_id=CLIENT_ID,
        client_secret=Secret(SECRET),
        refresh_token=None,
        token_url=f"{server.base}/{TENANT}/token",
        granted=NOW,
        renewed=NOW,
        ends=None,
    )
    return replace(grant, **other)


def client_of(server: AuthorizationServer, grant: Grant) -> OAuthClient:
    return OAuthClient(described(server), RegisteredClient(grant.client_id, grant.client_secret), now=lambda: NOW)


async def test_it_gets_a_token_with_its_own_secret_and_for_the_scope_in_the_data() -> None:
    async with AuthorizationServer(client_secret=SECRET, tenants={TENANT: ""}) as server:
        grant = sign_in(server)
        found = await client_of(server, grant).renew(grant)
    assert found.access.token.reveal() in server.access_tokens
    assert found.access.ends == NOW + timedelta(seconds=3599)
    assert found.grant == grant, "nothing of it changes"
    path, form = server.forms[0]
    assert path == f"/{TENANT}/token"
    assert form == {
        "grant_type": "client_credentials",
        "client_id": CLIENT_ID,
        "client_secret": SECRET,
        "scope": APPLICATION_SCOPE,
    }


async def test_a_refresh_token_that_nobody_asked_for_is_not_kept() -> None:
    """RFC 6749 section 4.4.3: a server should give none."""
    async with AuthorizationServer(
        client_secret=SECRET, tenants={TENANT: ""}, more={"refresh_token": "refresh-1"}
    ) as server:
        grant = sign_in(server)
        assert (await client_of(server, grant).renew(grant)).grant.refresh_token is None


REFUSALS: dict[str, tuple[dict[str, Any], OAuthFault, str]] = {
    "another tenant": ({"tenant": "other"}, OAuthFault.REFUSED, "AADSTS90002"),
    "another client": ({"client_id": "stranger"}, OAuthFault.CLIENT, "AADSTS700016"),
    "another secret": ({"client_secret": Secret("secret-2")}, OAuthFault.CLIENT, "AADSTS7000215"),
    "a secret that has expired": ({"tenant": "late"}, OAuthFault.CLIENT, "AADSTS7000222"),
}


async def test_each_refusal_is_named_with_its_number_and_tells_no_secret() -> None:
    async with AuthorizationServer(client_secret=SECRET, tenants={TENANT: "", "late": "expired"}) as server:
        for name, (other, fault, number) in REFUSALS.items():
            given = dict(other)
            tenant = given.pop("tenant", TENANT)
            grant = sign_in(server, token_url=f"{server.base}/{tenant}/token", **given)
            with pytest.raises(OAuthError) as caught:
                await client_of(server, grant).renew(grant)
            assert (caught.value.fault, caught.value.number) == (fault, number), name
            assert "secret-" not in str(caught.value), name


async def test_a_client_secret_goes_nowhere_else_than_to_the_address_in_the_data() -> None:
    async with AuthorizationServer(client_secret=SECRET, tenants={TENANT: ""}) as server:
        for url in (
            "https://elsewhere.example/x/token",
            f"{server.base}/x/other",
            f"{server.base}/a/b/token",
            f"{server.base}/../token",
            f"{server.base}//token",
            f"{server.base}/token",
            f"{server.base}/{TENANT}/token?x=1",
            f"http://127.0.0.1:1/{TENANT}/token",
        ):
            grant = sign_in(server, token_url=url)
            with pytest.raises(OAuthError) as caught:
                await client_of(server, grant).renew(grant)
            assert caught.value.fault is OAuthFault.ELSEWHERE, url
        assert server.forms == []


async def test_a_person_s_refresh_token_does_not_go_to_an_application_s_address() -> None:
    async with AuthorizationServer(client_secret=SECRET, tenants={TENANT: ""}) as server:
        grant = sign_in(server, refresh_token=Secret("refresh-1"))
        with pytest.raises(OAuthError) as caught:
            await client_of(server, grant).renew(grant)
        assert caught.value.fault is OAuthFault.ELSEWHERE
        assert server.forms == []


async def test_nothing_is_given_back_where_there_is_no_refresh_token() -> None:
    async with AuthorizationServer(client_secret=SECRET, tenants={TENANT: ""}) as server:
        grant = sign_in(server)
        await client_of(server, grant).revoke(grant)
        assert server.forms == []


async def test_it_is_kept_and_read_again() -> None:
    async with AuthorizationServer() as server:
        grant = sign_in(server)
        assert Grant.opened(grant.sealed()) == grant
        assert grant.of_application


TENANTS: dict[str, str | None] = {
    TENANT: TENANT,
    f"  {TENANT.upper()} ": TENANT,
    "firm.onmicrosoft.com": "firm.onmicrosoft.com",
    "": None,
    "a/b": None,
    "..": None,
    "a..b": None,
    "a?b": None,
    "a b": None,
    "a\x00b": None,
    "fírm.example": None,
    "x" * 300: None,
}


@each_row(("text", "wanted"), TENANTS.items())
def test_what_a_tenant_is(text: str, wanted: str | None) -> None:
    if wanted is not None:
        assert parse_tenant(text) == wanted
        return
    with pytest.raises(InputError):
        parse_tenant(text)
