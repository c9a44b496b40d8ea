"""One attempt to sign in, from what the person is shown to the token: in the browser, or with a code."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import AsyncExitStack, suppress
from datetime import UTC, datetime, timedelta
from types import TracebackType
from typing import Self
from urllib.parse import urlsplit

from smtp_wizard.engine.base.secret import Secret
from smtp_wizard.engine.base.shown import phrase
from smtp_wizard.engine.oauth.browser import BrowserSignIn
from smtp_wizard.engine.oauth.client import OAuthClient
from smtp_wizard.engine.oauth.device import DeviceCode, Sleep, ask_for_code, wait_for_person
from smtp_wizard.engine.oauth.errors import OAuthError, OAuthFault
from smtp_wizard.engine.oauth.grants import SignedIn
from smtp_wizard.engine.oauth.listener import Listener
from smtp_wizard.engine.oauth.server import OAuthFlow

PATIENCE = timedelta(minutes=15)
"""How long the browser is waited for."""
NO_LISTENER = 49152
"""The port that the address names where this computer lets nobody listen: the address is pasted then."""


class PendingSignIn:
    """Used as a context; `finished` waits for the person. Raises `OAuthError` on entering where it cannot begin."""

    def __init__(
        self,
        exchange: OAuthClient,
        flow: OAuthFlow,
        address: str = "",
        *,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
        sleep: Sleep = asyncio.sleep,
    ) -> None:
        """`address`: whose mailbox it is."""
        self.flow = flow
        self.ends = now() + PATIENCE
        """When it is given up."""
        self.code: DeviceCode | None = None
        """What is typed on another device, where that is the way."""
        self.port: int | None = None
        """Where the browser comes back to; None where nobody listens."""
        self._exchange = exchange
        self._address = address
        self._now = now
        self._sleep = sleep
        self._browser: BrowserSignIn | None = None
        self._listener: Listener | None = None
        self._stack = AsyncExitStack()
        self._pasted: asyncio.Future[Secret] = asyncio.get_running_loop().create_future()

    @property
    def url(self) -> str:
        """The page that the person opens."""
        if self.code is not None:
            return self.code.page
        assert self._browser is not None, "it has begun"
        return self._browser.url

    async def __aenter__(self) -> Self:
        if self.flow is OAuthFlow.DEVICE:
            self.code = await ask_for_code(self._exchange, self._now)
            self.ends = self.code.ends
            return self
        listener = Listener(urlsplit(self._exchange.server.redirect_to(1)).path)
        with suppress(OSError):
            self._listener = await self._stack.enter_async_context(listener)
            self.port = listener.port
        self._browser = BrowserSignIn(self._exchange, self.port or NO_LISTENER, self._address)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, problem: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._pasted.cancel()
        await self._stack.__aexit__(kind, problem, trace)

    def paste(self, text: str) -> None:
        """Take the address that the browser ended on. Raises `OAuthError`; then another one can be pasted."""
        assert self._browser is not None, "there is nothing to paste for a code"
        code = self._browser.pasted(text)
        if not self._pasted.done():
            self._pasted.set_result(code)

    async def finished(self) -> SignedIn:
        """Wait for the person. Raises `OAuthError`."""
        if self.code is not None:
            return await wait_for_person(self._exchange, self.code, self._now, self._sleep)
        assert self._browser is not None, "it has begun"
        return await self._browser.finish(await self._heard(self._browser))

    async def _heard(self, browser: BrowserSignIn) -> Secret:
        """Wait for the code, whichever way it comes."""
        ways: set[asyncio.Future[Secret]] = {self._pasted}
        if self._listener is not None:
            ways.add(asyncio.ensure_future(self._listened(self._listener, browser)))
        seconds = max(0.0, (self.ends - self._now()).total_seconds())
        try:
            done, _ = await asyncio.wait(ways, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for way in ways - {self._pasted}:
                way.cancel()
        if not done:
            raise OAuthError(
                OAuthFault.OVER, phrase("Nobody came back from the browser in fifteen minutes; begin anew.")
            )
        return done.pop().result()

    async def _listened(self, listener: Listener, browser: BrowserSignIn) -> Secret:
        return browser.code_of(await listener.answer(browser.is_ours))
