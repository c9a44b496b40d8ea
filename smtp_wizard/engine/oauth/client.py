"""The one border to an authorization server: Authlib over httpx2, bounded in time and size, its faults translated.

Both are loaded inside, since they cost a third of a second. No redirect is followed, nothing is sent unencrypted but
to this computer, and an error is raised outside of the handler of the foreign one: that one's request holds tokens.
"""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from smtp_wizard.engine.base.secret import Secret
from smtp_wizard.engine.base.shown import phrase, shown
from smtp_wizard.engine.lazy_dataclass import dataclass
from smtp_wizard.engine.oauth.errors import OAuthError, OAuthFault, garbled, meaning_of, unreachable
from smtp_wizard.engine.oauth.grants import AccessToken, Grant, SignedIn
from smtp_wizard.engine.oauth.server import OAuthServer, is_safe_url
from smtp_wizard.engine.smtp.timeouts import listening_timeout
from smtp_wizard.engine.smtp.tls import Trust, verifying_context
from smtp_wizard.engine.smtp.wire_error import WireError

if TYPE_CHECKING:
    from authlib.integrations.httpx_client import AsyncOAuth2Client

SECONDS = 20.0
"""How long one answer may take in all."""
LARGEST = 256 * 1024
"""Bytes of an answer at most."""
LONGEST_TOKEN = 16 * 1024
_TOKEN = re.compile(r"[\x21-\x7e]+")
"""RFC 6749 appendix A.12 and A.17, without the blank."""


@dataclass(frozen=True, slots=True)
class RegisteredClient:
    """The person's own registration at the provider."""

    id: str
    secret: Secret | None = None


class OAuthClient:
    """What is asked of one authorization server on behalf of one client."""

    def __init__(
        self,
        server: OAuthServer,
        client: RegisteredClient,
        *,
        trust: Trust | None = None,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
        seconds: float = SECONDS,
    ) -> None:
        self.server = server
        self.client = client
        self._trust = trust or Trust()
        self._now = now
        self._seconds = seconds

    async def redeem(self, code: Secret, verifier: Secret, redirect_uri: str) -> SignedIn:
        """Exchange an authorization code (RFC 6749 section 4.1.3, RFC 7636 section 4.5). Raises `OAuthError`."""

        async def ask(client: AsyncOAuth2Client) -> Any:
            return await client.fetch_token(
                self.server.token,
                grant_type="authorization_code",
                code=code.reveal(),
                code_verifier=verifier.reveal(),
                redirect_uri=redirect_uri,
            )

        try:
            answer = await self._asked(self.server.token, ask)
        except OAuthError as problem:
            if problem.fault is not OAuthFault.ENDED:
                raise
            raise OAuthError(
                OAuthFault.OVER,
                phrase("The provider did not take the code: it was too old, or used before. Begin anew."),
            ) from None
        return self._signed_in(answer, None)

    async def renew(self, grant: Grant) -> SignedIn:
        """Get a new access token, and the refresh token that holds from now on (RFC 6749 section 6).

        An application's own sign-in is made anew (section 4.4). Raises `OAuthError`; `ENDED` means that the person must
        sign in again.
        """
        if not self.server.gives_tokens_at(grant.token_url, to_application=grant.of_application):
            raise OAuthError(
                OAuthFault.ELSEWHERE,
                phrase(
                    "The provider's address for tokens is another one than when you signed in, so nothing "
                    "was sent there; sign in again in the browser."
                ),
            )

        refresh_token = grant.refresh_token
        if refresh_token is None:
            return await self._as_application(grant)

        async def ask(client: AsyncOAuth2Client) -> Any:
            client.token = {"access_token": "", "refresh_token": refresh_token.reveal()}
            # The scopes stay those that were granted: named again, some servers refuse what they would give.
            client.scope = None
            return await client.refresh_token(self.server.token, refresh_token=refresh_token.reveal())

        return self._signed_in(await self._asked(self.server.token, ask), grant)

    async def _as_application(self, grant: Grant) -> SignedIn:
        """Sign in as the application itself (RFC 6749 section 4.4). A refresh token in the answer is not kept."""
        access = self.server.application
        assert access is not None, "it gives tokens to applications"

        async def ask(client: AsyncOAuth2Client) -> Any:
            return await client.fetch_token(
                grant.token_url, grant_type="client_credentials", scope=" ".join(access.scopes)
            )

        answer = await self._asked(grant.token_url, ask)
        now = self._now()
        return SignedIn(replace(grant, renewed=now), self._access_in(answer, grant.token_url, now))

    async def post(self, url: str, data: Mapping[str, str]) -> Mapping[str, Any]:
        """Send a form; return the JSON object that comes back. Raises `OAuthError`."""

        async def ask(client: AsyncOAuth2Client) -> Any:
            # Authlib adds the client's id, and its secret, by itself.
            auth = client.client_auth(client.token_endpoint_auth_method)
            answer = await client.request("POST", url, data=dict(data), withhold_token=True, auth=auth)
            if answer.status_code >= 500:
                answer.raise_for_status()
            return answer.json()

        answer = await self._asked(url, ask)
        if not isinstance(answer, dict):
            raise garbled(host_of(url))
        if "error" in answer:
            raise meaning_of(answer["error"], answer.get("error_description"))
        return answer

    async def poll(self, device_code: Secret) -> SignedIn | str:
        """Ask whether the person has typed the code (RFC 8628 section 3.4).

        Returns 'authorization_pending' or 'slow_down' while they have not. Raises `OAuthError`.
        """
        waiting = ""

        async def ask(client: AsyncOAuth2Client) -> Any:
            nonlocal waiting
            from authlib.integrations.base_client import OAuthError as Refused

            try:
                return await client.fetch_token(
                    self.server.token,
                    grant_type="urn:ietf:params:oauth:grant-type:device_code",
                    device_code=device_code.reveal(),
                )
            except Refused as problem:
                if problem.error not in ("authorization_pending", "slow_down"):
                    raise
                waiting = problem.error
            return None

        answer = await self._asked(self.server.token, ask)
        return waiting or self._signed_in(answer, None)

    async def revoke(self, grant: Grant) -> None:
        """Give a sign-in back (RFC 7009), where the server has a place for it. Raises `OAuthError`."""
        url, refresh_token = self.server.revoke, grant.refresh_token
        if url and refresh_token is not None:

            async def ask(client: AsyncOAuth2Client) -> Any:
                form = {"token": refresh_token.reveal(), "token_type_hint": "refresh_token"}
                auth = client.client_auth(client.token_endpoint_auth_method)
                (await client.request("POST", url, data=form, withhold_token=True, auth=auth)).raise_for_status()

            await self._asked(url, ask)

    # -- the border -------------------------------------------------------------------------------------------------

    async def _asked(self, url: str, ask: Callable[[AsyncOAuth2Client], Awaitable[Any]]) -> Any:
        """Ask, and translate whatever goes wrong. Raises `OAuthError`."""
        if not is_safe_url(url):
            raise OAuthError(OAuthFault.REFUSED, phrase("The address of the sign-in server is not encrypted (https)."))
        context = self._context(url)
        host = host_of(url)
        from authlib.integrations.base_client import OAuthError as Refused
        from httpx2 import HTTPError

        problem: OAuthError
        try:
            async with listening_timeout(self._seconds), self._client(context) as client:
                return await ask(client)
        except TimeoutError:
            problem = unreachable(host, phrase("did not answer within {:g} seconds", self._seconds))
        except Refused as refused:
            problem = meaning_of(refused.error, refused.description)
        except _TooMuch:
            problem = garbled(host)
        except HTTPError as trouble:
            certificate = "CERTIFICATE_VERIFY_FAILED" in str(trouble)
            problem = unreachable(
                host, phrase("showed a certificate that cannot be believed") if certificate else _NOT_THERE
            )
        except (ValueError, TypeError, KeyError, AttributeError, ArithmeticError, RecursionError):
            problem = garbled(host)
        raise problem

    def _context(self, url: str) -> Any:
        try:
            return verifying_context(self._trust)
        except WireError as problem:
            sentence = str(problem)
        raise OAuthError(
            OAuthFault.UNREACHABLE,
            phrase("The sign-in server {} could not be asked: {}", shown(host_of(url)), shown(sentence)),
        )

    @asynccontextmanager
    async def _client(self, context: Any) -> AsyncIterator[AsyncOAuth2Client]:
        import httpx2
        from authlib.integrations.httpx_client import AsyncOAuth2Client

        class Bounded(httpx2.AsyncByteStream):
            def __init__(self, stream: Any) -> None:
                self.stream = stream

            async def __aiter__(self) -> AsyncIterator[bytes]:
                size = 0
                async for piece in self.stream:
                    size += len(piece)
                    if size > LARGEST:
                        raise _TooMuch
                    yield piece

            async def aclose(self) -> None:
                await self.stream.aclose()

        class Transport(httpx2.AsyncHTTPTransport):
            async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
                answer = await super().handle_async_request(request)
                answer.stream = Bounded(answer.stream)
                return answer

        async with AsyncOAuth2Client(
            self.client.id,
            self.client.secret.reveal() if self.client.secret else None,
            token_endpoint_auth_method="client_secret_post" if self.client.secret else "none",
            revocation_endpoint_auth_method="client_secret_post" if self.client.secret else "none",
            transport=Transport(verify=context),
            timeout=None,  # the whole is bounded, see `_asked`
            follow_redirects=False,
            # Nothing that is packed: it could unfold to any size.
            headers={"Accept": "application/json", "Accept-Encoding": "identity", "User-Agent": "smtp-wizard"},
        ) as client:
            for kind in ("access_token_response", "refresh_token_response"):
                client.register_compliance_hook(kind, _Timed)
            yield client

    # -- the answer -------------------------------------------------------------------------------------------------

    def _signed_in(self, answer: Any, before: Grant | None) -> SignedIn:
        now = self._now()
        access = self._access_in(answer, self.server.token, now)
        refresh = token_in(answer, "refresh_token") or (before.refresh_token if before else None)
        if refresh is None:
            raise OAuthError(
                OAuthFault.BRIEF,
                phrase(
                    "The provider signed you in for an hour or so only, and gave nothing to stay signed in "
                    "with; remove this program from your account's connections there, and sign in again."
                ),
            )
        lasts = seconds_in(answer, "refresh_token_expires_in") or seconds_in(answer, "refresh_expires_in")
        grant = Grant(
            client_id=self.client.id,
            client_secret=self.client.secret,
            refresh_token=refresh,
            token_url=self.server.token,
            granted=before.granted if before else now,
            renewed=now,
            ends=now + lasts if lasts else before.ends if before else None,
        )
        return SignedIn(grant, access)

    def _access_in(self, answer: Any, url: str, now: datetime) -> AccessToken:
        if not isinstance(answer, dict):
            raise garbled(host_of(url))
        access = token_in(answer, "access_token")
        if access is None or str(answer.get("token_type", "bearer")).lower() != "bearer":
            raise garbled(host_of(url))
        own = seconds_in(answer, "expires_in")
        return AccessToken(access, now + own if own else None)


_NOT_THERE = phrase("could not be reached")


class _TooMuch(Exception):
    """An answer is larger than any that is meant."""


def host_of(url: str) -> str:
    """Return whom an address belongs to, to be named."""
    return urlsplit(url).hostname or "?"


def token_in(answer: Mapping[str, Any], key: str) -> Secret | None:
    """Return a token of an answer, None where there is none that could be sent."""
    value = answer.get(key)
    if isinstance(value, str) and len(value) <= LONGEST_TOKEN and _TOKEN.fullmatch(value):
        return Secret(value)
    return None


class _Timed:
    """An answer whose times can be reckoned with: Authlib would lose all of it over one that is no number.

    The refresh token in it may be the only one that still holds.
    """

    def __init__(self, answer: Any) -> None:
        self._answer = answer

    def __getattr__(self, name: str) -> Any:
        return getattr(self._answer, name)

    def json(self) -> Any:
        """Return what the answer holds, `expires_in` as a whole number or not at all. Raises `ValueError`."""
        held = self._answer.json()
        if not isinstance(held, dict):
            return held
        lasts = seconds_in(held, "expires_in")
        usable = {key: value for key, value in held.items() if key not in ("expires_in", "expires_at")}
        return {**usable, **({"expires_in": int(lasts.total_seconds())} if lasts else {})}


_CENTURY = 100 * 365 * 86400


def seconds_in(answer: Mapping[str, Any], key: str) -> timedelta | None:
    """Return a number of seconds, which some servers write as a text; None where there is none."""
    try:
        value = int(float(answer.get(key) or 0))
    except (TypeError, ValueError, OverflowError):
        return None
    return timedelta(seconds=min(value, _CENTURY)) if value > 0 else None
