"""What works in threads of its own, without them: where one thing is done after the other anyway."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from typing import Any

import pytest

from smtp_wizard.engine.secrets.keyring import KeyringStore, _guarded
from smtp_wizard.engine.secrets.vault import VaultStore


class AtOnceKeyring(KeyringStore):
    """The keyring."""

    async def _ask(self, work: Any) -> Any:
        return _guarded(self._backend_factory, work, threading.Event())()


class AtOnceVault(VaultStore):
    """The vault."""

    async def _in_thread(self, work: Any) -> Any:
        return work()

    async def _to_completion(self, work: Any) -> Any:
        return work()


def without_threads(patch: pytest.MonkeyPatch) -> None:
    """Do at once whatever the engine would do in a thread."""
    patch.setattr("smtp_wizard.engine.base.threads._begun", _done)


def _done(work: Callable[[], object]) -> asyncio.Future[object]:
    answer: asyncio.Future[object] = asyncio.get_running_loop().create_future()
    try:
        answer.set_result(work())
    except Exception as problem:
        answer.set_exception(problem)
    return answer
