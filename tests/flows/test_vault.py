"""Asking for the vault's passphrase, without a face."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from smtp_wizard.engine.base.secret import Secret
from smtp_wizard.engine.base.shown import shown
from smtp_wizard.engine.secrets.secret_store import SecretError, SecretFault
from smtp_wizard.engine.secrets.store_kinds import StoreKind, StoreRef
from smtp_wizard.engine.secrets.vault import VaultState, VaultStore
from smtp_wizard.engine.secrets.vault_format import Cost
from smtp_wizard.flows.question import Answer
from smtp_wizard.flows.vault import UnlockVault, VaultOpened, needs_opening
from smtp_wizard.text.stores import VAULT_CLOSED, VAULT_NOT_SAME

PASSPHRASE = "plum corner violet stove"
CHEAP = Cost(n=2**10)


def vault(folder: Path) -> VaultStore:
    return VaultStore(folder, cost=CHEAP)


async def made(folder: Path) -> VaultStore:
    """Return a vault that another program has made, shut."""
    await vault(folder).create(Secret(PASSPHRASE))
    return vault(folder)


async def test_a_new_vault_is_made_with_a_passphrase_typed_twice(tmp_path: Path) -> None:
    store = vault(tmp_path)
    flow = UnlockVault(store)
    assert [each.secret for each in flow.state.entries] == [True, True]
    flow.type(0, PASSPHRASE)
    assert await flow.act(Answer.DO) is None
    assert (flow.state.at, flow.state.failed) == (1, ""), "Enter in the first field leads to the second"
    flow.type(1, PASSPHRASE)
    assert await flow.act(Answer.DO) == VaultOpened()
    assert store.state is VaultState.OPEN


@pytest.mark.parametrize(
    ("first", "again", "at", "said"), [("short", "short", 0, "8 characters"), (PASSPHRASE, "x", 0, VAULT_NOT_SAME)]
)
async def test_what_is_wrong_with_a_new_passphrase_is_said_at_its_field(
    tmp_path: Path, first: str, again: str, at: int, said: str
) -> None:
    flow = UnlockVault(vault(tmp_path))
    flow.type(0, first)
    flow.type(1, again)
    assert await flow.act(Answer.DO) is None
    assert flow.state.at == at
    assert said in flow.state.entries[at].error
    flow.type(at, PASSPHRASE)
    assert flow.state.failed == "", "a fault goes as soon as something else is typed"


async def test_a_wrong_passphrase_is_asked_for_again(tmp_path: Path) -> None:
    flow = UnlockVault(await made(tmp_path))
    assert len(flow.state.entries) == 1
    assert await flow.act(Answer.DO) is None
    assert "Type the passphrase" in flow.state.failed
    flow.type(0, "not this one at all")
    assert await flow.act(Answer.DO) is None
    assert "passphrase" in flow.state.failed
    flow.type(0, PASSPHRASE)
    assert await flow.act(Answer.DO) == VaultOpened()


async def test_a_vault_that_another_program_made_meanwhile_is_opened(tmp_path: Path) -> None:
    """Both fields were asked for; the passphrase that was chosen here is not that of the vault that is there now."""
    store = vault(tmp_path)
    flow = UnlockVault(store)
    await vault(tmp_path).create(Secret("quite another passphrase"))
    for at in (0, 1):
        flow.type(at, PASSPHRASE)
    assert await flow.act(Answer.DO) is None
    assert len(flow.state.entries) == 1
    assert flow.state.failed
    flow.type(0, "quite another passphrase")
    assert await flow.act(Answer.DO) == VaultOpened()


async def test_leaving_leaves_it_shut(tmp_path: Path) -> None:
    store = await made(tmp_path)
    outcome = await UnlockVault(store).act(Answer.LEAVE)
    assert outcome == VaultOpened(VAULT_CLOSED)
    assert not outcome.well
    assert store.state is VaultState.CLOSED


class FailingVault(VaultStore):
    """Fails in one of the documented ways when it is opened or made."""

    def __init__(self, folder: Path, fault: SecretFault) -> None:
        super().__init__(folder, cost=CHEAP)
        self.fault = fault

    async def open(self, passphrase: Secret) -> None:
        raise SecretError(self.fault, shown("It fails on purpose."))

    create = open


@pytest.mark.parametrize("fault", [fault for fault in SecretFault if fault is not SecretFault.WRONG])
async def test_a_vault_that_cannot_be_used_is_said_and_ends_the_question(tmp_path: Path, fault: SecretFault) -> None:
    flow = UnlockVault(FailingVault(tmp_path, fault))
    for at in (0, 1):
        flow.type(at, PASSPHRASE)
    assert await flow.act(Answer.DO) == VaultOpened(shown("It fails on purpose."), fault)


async def test_what_is_typed_is_in_no_state(tmp_path: Path) -> None:
    seen: list[str] = []
    flow = UnlockVault(await made(tmp_path))
    flow.changed = lambda state: seen.append(repr(state))
    flow.type(0, PASSPHRASE)
    await flow.act(Answer.DO)
    assert seen
    assert not any(PASSPHRASE in each for each in seen)


async def test_given_up_it_stands_as_before(tmp_path: Path) -> None:
    class Slow(VaultStore):
        async def open(self, passphrase: Secret) -> None:
            started.set()
            await asyncio.Event().wait()

    started = asyncio.Event()
    await made(tmp_path)
    flow = UnlockVault(Slow(tmp_path, cost=CHEAP))
    flow.type(0, PASSPHRASE)
    before = flow.state
    acting = asyncio.ensure_future(flow.act(Answer.DO))
    await started.wait()
    assert flow.state.running
    acting.cancel()
    await asyncio.gather(acting, return_exceptions=True)
    assert flow.state == before


@pytest.mark.parametrize(
    ("place", "creating", "needed"),
    [
        (StoreKind.VAULT, True, True),
        (StoreKind.VAULT, False, False),
        (StoreKind.KEYRING, True, False),
        (None, True, False),
    ],
)
async def test_a_vault_that_is_not_there_yet_is_asked_for_only_where_one_is_made(
    tmp_path: Path, place: StoreKind | None, creating: bool, needed: bool
) -> None:
    assert await needs_opening(vault(tmp_path), place, creating=creating) is needed


async def test_a_vault_is_asked_for_until_it_is_open(tmp_path: Path) -> None:
    store = await made(tmp_path)
    ref = StoreRef(StoreKind.VAULT, "Office/smtp-password")
    assert await needs_opening(store, None, ref)
    await store.open(Secret(PASSPHRASE))
    assert not await needs_opening(store, ref)
