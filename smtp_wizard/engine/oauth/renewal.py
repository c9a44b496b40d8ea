"""Renewing a sign-in that is kept: under a lock, read again inside it, saved before anything is done with it.

Some servers take a refresh token once, and take the whole sign-in back when it comes twice. Two processes that renew at
the same time must therefore wait for each other, and the second must use what the first one saved.
"""

from __future__ import annotations

import asyncio
import hashlib
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from smtp_wizard.engine.base import private_files
from smtp_wizard.engine.base.secret import Secret
from smtp_wizard.engine.base.shown import phrase, shown
from smtp_wizard.engine.base.threads import run_to_completion
from smtp_wizard.engine.oauth.errors import OAuthError, OAuthFault
from smtp_wizard.engine.oauth.grants import Grant, SignedIn, as_access_token

if TYPE_CHECKING:
    from filelock import BaseFileLock

LOCK_SECONDS = 60.0
"""How long to wait for another process that is renewing the same sign-in."""
LOOK_SECONDS = 0.05
"""Between two looks at whether it has done."""


class Renewal:
    """Renews the sign-ins of one config folder."""

    def __init__(self, folder: Path, *, lock_seconds: float = LOCK_SECONDS) -> None:
        self._folder = folder
        self._lock_seconds = lock_seconds

    async def renew(
        self,
        name: str,
        *,
        read: Callable[[], Awaitable[Secret]],
        save: Callable[[Secret], Awaitable[None]],
        ask: Callable[[Grant], Awaitable[SignedIn]],
    ) -> SignedIn | Secret:
        """Renew what `read` gives, once the lock is held; return it after `save` has kept it.

        `name`: the account's. What is no lasting sign-in is an access token itself, and comes back as it is. Raises
        `OAuthError`, and what `read` and `save` raise: then what the server gave is lost, unless it was kept.
        """
        async with self.alone(name):
            secret = await read()
            grant = Grant.opened(secret)
            if grant is None:
                return as_access_token(secret)
            return await _to_the_end(_renewed(grant, ask, save))

    @asynccontextmanager
    async def alone(self, name: str) -> AsyncIterator[None]:
        """Hold the lock of an account's sign-in. Raises `OAuthError` where another process holds it too long."""
        import filelock

        lock: BaseFileLock | None = None
        problem: OAuthError | None = None
        try:
            lock = await self._acquired(name)
        except filelock.Timeout:
            problem = OAuthError(
                OAuthFault.UNREACHABLE,
                phrase(
                    "Another smtp-wizard has been renewing this sign-in for more than {:g} seconds.", self._lock_seconds
                ),
            )
        except private_files.UnsafeFile as unsafe:
            problem = OAuthError(OAuthFault.UNREACHABLE, phrase("The sign-in is not renewed. {}", shown(str(unsafe))))
        except OSError:
            problem = OAuthError(
                OAuthFault.UNREACHABLE, phrase("The sign-in cannot be renewed: its lock cannot be written.")
            )
        if problem is not None:
            raise problem
        assert lock is not None
        try:
            yield
        finally:
            await run_to_completion(partial(lock.release, force=True))

    async def _acquired(self, name: str) -> BaseFileLock:
        """Return the lock of an account's sign-in, held. Raises `filelock.Timeout`, `OSError`."""
        import filelock

        lock = await run_to_completion(partial(self._lock, name))
        end = time.monotonic() + self._lock_seconds
        while True:
            try:
                await run_to_completion(partial(lock.acquire, blocking=False))
                return lock
            except filelock.Timeout:
                if time.monotonic() >= end:
                    raise
            except asyncio.CancelledError:
                lock.release(force=True)
                raise
            await asyncio.sleep(LOOK_SECONDS)

    def _lock(self, name: str) -> BaseFileLock:
        """Return the lock of an account's sign-in, not yet held. Raises `OSError`."""
        import filelock

        digest = hashlib.sha256(name.casefold().encode()).hexdigest()[:16]
        return filelock.FileLock(
            private_files.lock_of(self._folder / f"sign-in-{digest}"), mode=0o600, thread_local=False
        )


ENDING_SECONDS = 10.0
"""How long a program that is to end waits for a renewal that is under way."""


async def _renewed(
    grant: Grant, ask: Callable[[Grant], Awaitable[SignedIn]], save: Callable[[Secret], Awaitable[None]]
) -> SignedIn:
    found = await ask(grant)
    await save(found.grant.sealed())
    return found


async def _to_the_end(work: Coroutine[Any, Any, SignedIn]) -> SignedIn:
    """Let a renewal come to its end though its caller is cancelled: what the server gave last must be saved."""
    task = asyncio.create_task(work)
    try:
        return await asyncio.shield(task)
    except asyncio.CancelledError:
        await asyncio.wait({task}, timeout=ENDING_SECONDS)
        task.cancel()
        raise
