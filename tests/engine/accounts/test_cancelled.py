"""A change that is given up at any of its steps is done, or undone; what it leaves in a store is named.

So it is when the person leaves the program while it works, and when the time of a command runs out.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Coroutine
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from smtp_wizard.engine.base import threads
from smtp_wizard.engine.base.secret import Secret
from smtp_wizard.engine.secrets import vault, vault_format
from smtp_wizard.engine.secrets.store_kinds import StoreKind
from smtp_wizard.engine.services.services import Services
from tests.engine.accounts.test_two_at_once import draft
from tests.support.stores import MemoryBackend, desktop
from tests.support.walk import make_services

OLD, NEW = "correct horse~q7Z", "battery staple~q7Z"
MOST_STEPS = 60
OTHER = {StoreKind.KEYRING: StoreKind.VAULT, StoreKind.VAULT: StoreKind.KEYRING}

Change = Callable[[Services, StoreKind], Coroutine[Any, Any, Any]]

CHANGES: dict[str, tuple[Change, dict[str, str]]] = {
    "save": (
        lambda services, kind: services.accounts.save(replace(draft(NEW), store=kind)),
        {"Office": NEW},
    ),
    "replace": (
        lambda services, kind: services.accounts.save(replace(draft(NEW), store=OTHER[kind]), replacing=True),
        {"Office": NEW},
    ),
    "rename": (lambda services, kind: services.accounts.rename("Office", "Shop"), {"Shop": OLD}),
    "move": (lambda services, kind: services.accounts.move("Office", OTHER[kind]), {"Office": OLD}),
    "copy": (lambda services, kind: services.accounts.duplicate("Office", "Shop"), {"Office": OLD, "Shop": OLD}),
    "remove": (lambda services, kind: services.accounts.remove("Office"), {}),
}
"""Each change, and what is saved when it is done: the accounts' names and passwords."""


class GivenUp:
    """Gives a task up when it begins a certain piece of its work in a thread.

    Work that the task does not wait for any more then is held until the task has ended.
    """

    def __init__(self, patch: pytest.MonkeyPatch, at: int) -> None:
        self._patch = patch
        self._at = at
        self.steps = 0
        self._go_on = threading.Event()
        self._over = asyncio.Event()

    async def run(self, work: Coroutine[Any, Any, Any]) -> bool:
        """Do some work; return whether it was given up."""
        task = asyncio.ensure_future(work)
        begin = threads._begun

        def begun(part: Callable[[], Any]) -> asyncio.Future[Any]:
            if asyncio.current_task() is not task:
                return begin(part)
            self.steps += 1
            if self.steps != self._at:
                return begin(part)
            answer = begin(self._held(part))
            task.cancel()
            # When this is called the task has been told, and has left its work or waits for it.
            asyncio.get_running_loop().call_soon(lambda: None if answer.cancelled() else self._go_on.set())
            return answer

        with self._patch.context() as patch:
            patch.setattr(threads, "_begun", begun)
            await asyncio.wait({task})
        return task.cancelled()

    async def finish(self) -> None:
        """Let what was held go on, and wait for its end."""
        self._go_on.set()
        if self.steps >= self._at:
            await self._over.wait()

    def _held(self, part: Callable[[], Any]) -> Callable[[], Any]:
        loop = asyncio.get_running_loop()

        def held() -> Any:
            self._go_on.wait()
            try:
                return part()
            finally:
                loop.call_soon_threadsafe(self._over.set)

        return held


def written(folder: Path, backend: MemoryBackend) -> tuple[dict[str, bytes], dict[tuple[str, str], str]]:
    """What the files and the keyring hold."""
    return {path.name: path.read_bytes() for path in folder.glob("*.json")}, dict(backend.entries)


async def saved(services: Services) -> dict[str, str]:
    """The names of all accounts, and their passwords."""
    found: dict[str, str] = {}
    for account in services.saved_accounts.list():
        secret = await services.entries.secret_of(account)
        assert secret is not None
        found[account.name] = secret.reveal()
    return found


async def unseen(services: Services, backend: MemoryBackend) -> set[str]:
    """The entries of the stores that no account refers to, and no note names."""
    kept = {name for _, name in backend.entries} | set(services.stores.vault._entries())
    needed = {account.store.where for account in services.saved_accounts.list() if account.store is not None}
    return kept - needed - {left.ref.where for left in (await services.entries.left()).entries}


@pytest.mark.parametrize("kind", OTHER)
@pytest.mark.parametrize("change", CHANGES)
async def test_a_change_that_is_given_up_is_done_or_undone(
    change: str, kind: StoreKind, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(vault, "USUAL", vault_format.Cost(n=2**4))
    act, afterwards = CHANGES[change]
    before = {} if change == "save" else {"Office": OLD}
    for at in range(1, MOST_STEPS):
        (folder := tmp_path / str(at)).mkdir(mode=0o700)
        backend = desktop()
        services = make_services(folder, backend=backend)
        await services.stores.vault.create(Secret("four words of no sense"))
        if before:
            await services.accounts.save(replace(draft(OLD), store=kind))
        given_up = GivenUp(monkeypatch, at)
        was_given_up = await given_up.run(act(services, kind))
        at_its_end = written(folder, backend)
        await given_up.finish()
        assert written(folder, backend) == at_its_end, "what nobody waits for any more changes nothing"
        assert await saved(services) in ((before, afterwards) if was_given_up else (afterwards,))
        assert await unseen(services, backend) == set()
        if given_up.steps < at:
            assert at > 2
            return
    raise AssertionError("it has no end")
