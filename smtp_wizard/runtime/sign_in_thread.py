"""A sign-in in the browser that goes on in a thread of its own, while a person is asked in lines of text."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Coroutine
from concurrent.futures import Future
from contextlib import suppress
from types import TracebackType
from typing import Any, Self, TypeVar

from smtp_wizard.engine.oauth.grants import SignedIn
from smtp_wizard.engine.oauth.pending_sign_in import PendingSignIn

T = TypeVar("T")
SECONDS = 30.0
"""How long what should be done at once may take."""


class SignInThread:
    """Used as a context, which ends the thread. Every fault of the sign-in comes out as `OAuthError`."""

    def __init__(self, make: Callable[[], PendingSignIn]) -> None:
        """`make` builds the attempt; called in the thread."""
        self._make = make
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._run, name="smtp-wizard sign-in", daemon=True)
        self._finished: Future[SignedIn] | None = None

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        self._loop.run_forever()

    def __enter__(self) -> Self:
        self._thread.start()
        try:
            self.attempt = self._do(self._begin())
        except BaseException:
            self._stop()
            raise
        self._finished = asyncio.run_coroutine_threadsafe(self.attempt.finished(), self._loop)
        return self

    def __exit__(self, kind: type[BaseException] | None, _: BaseException | None, __: TracebackType | None) -> None:
        assert self._finished is not None, "it was entered"
        self._finished.cancel()
        with suppress(Exception):
            self._do(self.attempt.__aexit__(None, None, None))
        self._stop()

    async def _begin(self) -> PendingSignIn:
        return await self._make().__aenter__()

    def _do(self, work: Coroutine[Any, Any, T]) -> T:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(SECONDS)

    def _stop(self) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(SECONDS)
        if not self._loop.is_running():
            for task in asyncio.all_tasks(self._loop):
                task.cancel()
            self._loop.run_until_complete(asyncio.sleep(0))
            self._loop.close()

    @property
    def done(self) -> bool:
        """Whether the person has come back, or it has failed."""
        assert self._finished is not None, "it was entered"
        return self._finished.done()

    def paste(self, text: str) -> None:
        """Take a pasted address. Raises `OAuthError`; then another one can be pasted."""

        async def take() -> None:
            self.attempt.paste(text)

        self._do(take())

    def result(self, seconds: float | None = None) -> SignedIn | None:
        """Wait so long; return the sign-in, None where nobody has come back yet. Raises `OAuthError`."""
        assert self._finished is not None, "it was entered"
        try:
            return self._finished.result(seconds)
        except TimeoutError:
            return None
