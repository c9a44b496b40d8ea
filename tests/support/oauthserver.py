"""An authorization server on loopback, strict about what the standards ask of a client, and told what to do wrong.

It takes a refresh token once: one that comes twice takes the whole sign-in back, as the strictest servers do.
"""

from __future__ import annotations

import asyncio
import base64
import hashlib
import json
import secrets
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, Self
from urllib.parse import parse_qsl, urlencode, urlsplit

from smtp_wizard.engine.oauth.grants import Grant
from smtp_wizard.engine.oauth.server import ClientSecret, OAuthServer

CLIENT_ID = "wizard-of-ana"
APPLICATION_SCOPE = "https://mail.example/.default"
Answer = tuple[int, object]
"""Status, and what goes out as JSON; bytes go out as they are."""


def long_token(kind: str, size: int) -> str:
    """A token as large as those of a large provider."""
    return f"{kind}-{secrets.token_urlsafe(size)}"[:size]


def refresh_of(grant: Grant) -> str:
    """The refresh token of a person's sign-in."""
    assert grant.refresh_token is not None
    return grant.refresh_token.reveal()


def refusal(error: str, description: str, status: int = 400) -> Answer:
    """What Microsoft answers for no."""
    return status, {"error": error, "error_description": f"{description} Trace ID: 0000"}


@dataclass
class Device:
    """A device code that was given out."""

    user_code: str
    approved: bool = False
    denied: bool = False


@contextmanager
def asyncio_thread() -> Iterator[asyncio.AbstractEventLoop]:
    """An event loop that runs in a thread of its own."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    try:
        yield loop
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()


@dataclass(kw_only=True)
class AuthorizationServer:
    """Used as a context."""

    client_secret: str = ""
    token_size: int = 60
    rotating: bool = True
    lasting: bool = True
    """Whether it gives refresh tokens."""
    interval: int | None = 1
    tenants: dict[str, str] = field(default_factory=dict)
    """The organisations whose applications sign in by themselves, and what they are refused for (nothing: empty)."""
    override: Callable[[str, Mapping[str, str]], Answer | None] = lambda path, form: None
    """Asked first, with path and form: what to answer instead."""
    more: dict[str, object] = field(default_factory=dict)
    """What stands in each token answer beside the usual."""
    forms: list[tuple[str, dict[str, str]]] = field(default_factory=list)
    """Every form that was sent, with the path."""
    codes: dict[str, dict[str, str]] = field(default_factory=dict)
    devices: dict[str, Device] = field(default_factory=dict)
    refresh_tokens: dict[str, bool] = field(default_factory=dict)
    """Each with whether it can still be used."""
    access_tokens: set[str] = field(default_factory=set)
    revoked: set[str] = field(default_factory=set)
    dead: bool = False
    """Whether a refresh token came twice."""

    @contextmanager
    def beside(self) -> Iterator[Self]:
        """Serve in a thread of its own, for a command that has an event loop itself."""
        with asyncio_thread() as loop:
            asyncio.run_coroutine_threadsafe(self.__aenter__(), loop).result()
            try:
                yield self
            finally:
                asyncio.run_coroutine_threadsafe(self.__aexit__(), loop).result()

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.port: int = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *_: type[BaseException] | BaseException | TracebackType | None) -> None:
        self._server.close()

    @property
    def base(self) -> str:
        """The beginning of all its addresses."""
        return f"http://127.0.0.1:{self.port}"

    def described(self, **more: Any) -> OAuthServer:
        """What the catalogue would say of it."""
        facts: dict[str, Any] = {
            "name": "Test server",
            "authorize": f"{self.base}/auth",
            "token": f"{self.base}/token",
            "device": f"{self.base}/device",
            "revoke": f"{self.base}/revoke",
            "scopes": ("smtp", "offline_access"),
            "extra": {"prompt": "consent"},
            "redirect": "http://127.0.0.1:{port}/callback",
            "client_secret": ClientSecret.NEEDED if self.client_secret else ClientSecret.NONE,
        }
        return OAuthServer(**{**facts, **more})

    # -- the person, at the page ------------------------------------------------------------------------------------

    def consent(self, url: str) -> str:
        """Sign in on the page at `url`, and say yes; return where the browser is sent."""
        asked = dict(parse_qsl(urlsplit(url).query))
        assert asked["response_type"] == "code"
        assert asked["client_id"] == CLIENT_ID
        assert asked["code_challenge_method"] == "S256"
        assert len(asked["state"]) >= 32
        code = secrets.token_urlsafe(24)
        self.codes[code] = asked
        return f"{asked['redirect_uri']}?{urlencode({'code': code, 'state': asked['state']})}"

    def decline(self, url: str) -> str:
        """Say no on the page at `url`; return where the browser is sent."""
        asked = dict(parse_qsl(urlsplit(url).query))
        return f"{asked['redirect_uri']}?{urlencode({'error': 'access_denied', 'state': asked['state']})}"

    def type_code(self, user_code: str) -> None:
        """Type a device code on the page, and say yes."""
        for each in self.devices.values():
            each.approved |= each.user_code == user_code

    # -- the server -------------------------------------------------------------------------------------------------

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
            size = next(
                (int(x.partition(":")[2]) for x in head.lower().split("\r\n") if x.startswith("content-length")), 0
            )
            form = dict(parse_qsl((await reader.readexactly(size)).decode("ascii"), keep_blank_values=True))
            path = head.split()[1]
            self.forms.append((path, form))
            status, answer = self.override(path, form) or self._answer(path, form)
            body = answer if isinstance(answer, bytes) else json.dumps(answer).encode()
            writer.write(
                f"HTTP/1.1 {status} X\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n".encode()
            )
            writer.write(b"Connection: close\r\n\r\n" + body)
            await writer.drain()
        except (OSError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()

    def _answer(self, path: str, form: Mapping[str, str]) -> Answer:
        if form.get("grant_type") == "client_credentials":
            return self._application(path.removesuffix("/token").strip("/"), form)
        if form.get("client_id") != CLIENT_ID or form.get("client_secret", "") != self.client_secret:
            return 401, {"error": "invalid_client"}
        if path == "/device":
            return self._device()
        if path == "/revoke":
            self.revoked.add(form["token"])
            return 200, b""
        grants = {
            "authorization_code": self._redeem,
            "refresh_token": self._refresh,
            "urn:ietf:params:oauth:grant-type:device_code": self._poll,
        }
        work = grants.get(form.get("grant_type", ""))
        return work(form) if work else (400, {"error": "unsupported_grant_type"})

    def _application(self, tenant: str, form: Mapping[str, str]) -> Answer:
        """Answer as Microsoft does, with its numbers."""
        if tenant not in self.tenants:
            return refusal("invalid_request", f"AADSTS90002: Tenant '{tenant}' not found.")
        if form.get("client_id") != CLIENT_ID:
            return refusal("unauthorized_client", "AADSTS700016: Application with identifier 'x' was not found.")
        if self.tenants[tenant] == "expired":
            return refusal("invalid_client", "AADSTS7000222: The provided client secret keys are expired.", 401)
        if form.get("client_secret") != self.client_secret or not self.client_secret:
            return refusal("invalid_client", "AADSTS7000215: Invalid client secret provided.", 401)
        if form.get("scope") != APPLICATION_SCOPE:
            return refusal("invalid_scope", "AADSTS1002012: The provided value for scope is not valid.")
        access = long_token("access", self.token_size)
        self.access_tokens.add(access)
        return 200, {"access_token": access, "token_type": "Bearer", "expires_in": 3599, **self.more}

    def _device(self) -> Answer:
        device, user = secrets.token_urlsafe(30), "WDJB-MJHT"
        self.devices[device] = Device(user)
        answer: dict[str, object] = {
            "device_code": device,
            "user_code": user,
            "verification_uri": f"{self.base}/type",
            "verification_uri_complete": f"{self.base}/type?code={user}",
            "expires_in": 600,
        }
        return 200, answer | ({"interval": self.interval} if self.interval is not None else {})

    def _redeem(self, form: Mapping[str, str]) -> Answer:
        asked = self.codes.pop(form.get("code", ""), None)
        if asked is None or asked["redirect_uri"] != form.get("redirect_uri"):
            return 400, {"error": "invalid_grant"}
        digest = hashlib.sha256(form.get("code_verifier", "").encode()).digest()
        if base64.urlsafe_b64encode(digest).rstrip(b"=").decode() != asked["code_challenge"]:
            return 400, {"error": "invalid_grant"}
        return self._tokens()

    def _poll(self, form: Mapping[str, str]) -> Answer:
        device = self.devices.get(form.get("device_code", ""))
        if device is None:
            return 400, {"error": "expired_token"}
        if device.denied:
            return 400, {"error": "access_denied"}
        return self._tokens() if device.approved else (400, {"error": "authorization_pending"})

    def _refresh(self, form: Mapping[str, str]) -> Answer:
        token = form.get("refresh_token", "")
        if self.refresh_tokens.get(token) is False:
            self.dead = True
        if self.dead or not self.refresh_tokens.get(token):
            return 400, {"error": "invalid_grant", "error_description": f"the token {token} is not valid"}
        if not self.rotating:
            return self._tokens(None)
        self.refresh_tokens[token] = False
        return self._tokens()

    def _tokens(self, refresh: str | None = "new") -> Answer:
        access = long_token("access", self.token_size)
        self.access_tokens.add(access)
        answer: dict[str, object] = {"access_token": access, "token_type": "Bearer", "expires_in": 3600, **self.more}
        if self.lasting and refresh is not None:
            token = long_token("refresh", self.token_size)
            self.refresh_tokens[token] = True
            answer["refresh_token"] = token
        return 200, answer
