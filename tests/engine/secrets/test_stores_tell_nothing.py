"""Whatever a secret is, and wherever it is kept: nothing that can be printed, logged or read on the disk has it."""

from __future__ import annotations

import asyncio
import json
import logging
import os
import shlex
import tempfile
import traceback
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from smtp_wizard.commands.options.passwords import _decoded
from smtp_wizard.engine.base.secret import Secret
from smtp_wizard.engine.base.shown import shown
from smtp_wizard.engine.secrets import vault, vault_format
from smtp_wizard.engine.secrets.secret_store import SecretError, SecretFault
from smtp_wizard.engine.secrets.store_kinds import StoreKind
from smtp_wizard.engine.secrets.stores import SecretStores
from smtp_wizard.runtime.exit_codes import CommandError
from tests.support.leaks import assert_no_trace, reachable
from tests.support.stores import QuotingBackend, always, desktop

ONE_LINE = st.text(st.characters(exclude_categories=("Cc", "Cs", "Zl", "Zp")), min_size=5, max_size=40).map(
    lambda text: f"{text}~q7Z"
)
"""Secrets as people have them, on one line; the ending makes sure that none is a word of ours."""
PASSPHRASE = Secret("four words of no sense")


async def lived(secret: Secret, folder: Path, where: dict[StoreKind, str], environ: dict[str, str]) -> list[str]:
    """Keep, read, move and refuse a secret in every store; return all that was told on the way."""
    stores = SecretStores(environ, folder, backend_factory=always(desktop()))
    vault.USUAL = vault_format.Cost(n=2**4)
    await stores.vault.create(PASSPHRASE)
    told = []
    for kind in stores.offered():
        ref = stores.place(kind, "Office", where.get(kind, ""))
        await stores.put(ref, secret)
        assert await stores.fetch(ref) == secret
        told += [
            repr(ref),
            repr(await stores.fetch(ref)),
            repr(stores.get(kind)),
            (await stores.get(kind).probe()).words,
        ]
        told += await refusals(stores, kind, Secret(f"{secret.reveal()}!"), where.get(kind, ""))
    failing = SecretStores({}, folder, backend_factory=always(desktop(QuotingBackend())))
    for kind in failing.offered():
        told += await refusals(failing, kind, secret, "")
    return told


async def refusals(stores: SecretStores, kind: StoreKind, secret: Secret, where: str) -> list[str]:
    """Return everything that can be learnt from a store's refusal, if it refuses."""
    try:
        await stores.put(stores.place(kind, "Office", where), secret)
    except SecretError as problem:
        frames = traceback.TracebackException.from_exception(problem, capture_locals=False)
        return [reachable(problem), "".join(frames.format())]
    return []


@given(ONE_LINE)
@settings(max_examples=12, deadline=None, suppress_health_check=list(HealthCheck))
def test_no_secret_is_told_or_written(text: str) -> None:
    logged: list[str] = []
    handler = logging.Handler()
    handler.emit = lambda record: logged.append(record.getMessage())  # type: ignore[method-assign]
    root = logging.getLogger()
    before = root.level
    root.addHandler(handler)
    root.setLevel(logging.DEBUG)
    usual = vault.USUAL
    try:
        with tempfile.TemporaryDirectory() as place:
            source = Path(place) / "source"
            source.write_text(text, "utf-8")
            source.chmod(0o600)
            command = shlex.join(["cat", str(source)])
            where = {StoreKind.COMMAND: command, StoreKind.FILE: str(source), StoreKind.ENV: "MAIL"}
            folder = Path(place) / "config"
            told = asyncio.run(lived(Secret(text), folder, where, {"MAIL": text}))
            assert len(told) > 20
            assert_no_trace(text, folder, "\n".join(told), "\n".join(logged))
    finally:
        vault.USUAL = usual
        root.setLevel(before)
        root.removeHandler(handler)


NO_TEXT = b"correct horse~q7Z\xff\n"
"""A secret in an encoding that nobody expects."""


async def refusal(work: Awaitable[object]) -> SecretError:
    with pytest.raises(SecretError) as caught:
        await work
    return caught.value


async def test_no_error_has_the_bytes_in_it_that_are_no_text(tmp_path: Path) -> None:
    """An error of decoding holds what could not be decoded, and an error that is raised for it leads there."""
    path = tmp_path / "source"
    path.write_bytes(NO_TEXT)
    path.chmod(0o600)
    stores = SecretStores(dict(os.environ), tmp_path)
    for kind, where in ((StoreKind.FILE, str(path)), (StoreKind.COMMAND, shlex.join(["cat", str(path)]))):
        told = reachable(await refusal(stores.read(kind, where)))
        assert "gave no UTF-8 text" in told
        assert_no_trace("correct horse~q7Z", told)
    with pytest.raises(CommandError) as caught:
        _decoded(NO_TEXT, shown("standard input"))
    assert_no_trace("correct horse~q7Z", reachable(caught.value))


async def test_no_error_has_in_it_what_was_sealed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    key = vault_format.new_key(PASSPHRASE, vault_format.Cost(n=2**4))
    monkeypatch.setattr("smtp_wizard.engine.secrets.vault_format.json.dumps", no_list_of_secrets(json.dumps))
    broken = vault_format.read(vault_format.seal({}, key))
    monkeypatch.undo()
    with pytest.raises(vault_format.DamagedVault, match="no list of secrets") as caught:
        vault_format.unseal(broken, key)
    assert_no_trace("correct horse~q7Z", reachable(caught.value))


def no_list_of_secrets(dumps: Callable[..., str]) -> Callable[..., str]:
    """Return what seals half a text in the place of entries."""

    def broken(value: Any, **more: Any) -> str:
        return '{"entries": {"Office": "correct horse~q7Z' if "entries" in value else dumps(value, **more)

    return broken


def test_what_leads_to_an_error_is_found() -> None:
    """The search itself is proved."""

    def careless() -> None:
        try:
            NO_TEXT.decode()
        except UnicodeDecodeError:
            raise SecretError(SecretFault.UNREADABLE, shown("no text")) from None

    with pytest.raises(SecretError) as caught:
        careless()
    assert "correct horse~q7Z" in reachable(caught.value)
