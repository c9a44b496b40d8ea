"""`test` of one account connects while the rest of the program is loaded, where nothing could still come before."""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from smtp_wizard import launch
from smtp_wizard.engine.accounts.saved_accounts import SavedAccounts
from smtp_wizard.engine.base.endpoint import Endpoint, Security
from smtp_wizard.engine.secrets.store_kinds import StoreKind, StoreRef
from smtp_wizard.engine.state.sign_in_records import SignInRecord, SignInStage, put
from tests.commands.test_test import PASSWORD, PRACTICE
from tests.support.cli import run
from tests.support.nouns import with_fields

EARLY, LATE = 10.0, 0.05
"""Seconds to wait for a connection that comes, and for one that does not."""
Connects = Callable[..., bool]


@pytest.fixture
def server() -> Iterator[socket.socket]:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        yield listening


@pytest.fixture
def saved_accounts(server: socket.socket, monkeypatch: pytest.MonkeyPatch, own_home: Any) -> SavedAccounts:
    monkeypatch.setenv("PW", PASSWORD)
    saved = SavedAccounts(own_home / "config")
    endpoint = Endpoint("127.0.0.1", server.getsockname()[1], Security.TLS)
    at_server = with_fields(PRACTICE, endpoint=endpoint, sandbox=None, provider=None, path=None)
    saved.put(with_fields(at_server, name="Office", store=StoreRef(StoreKind.ENV, "PW")))
    saved.put(with_fields(at_server, name="Shop", store=StoreRef(StoreKind.COMMAND, "false")))
    return saved


@pytest.fixture
def connects(server: socket.socket, saved_accounts: SavedAccounts, monkeypatch: pytest.MonkeyPatch) -> Connects:
    """Run `test`; return whether it had connected when its engine was built. The server closes at once."""
    whole = launch.build_services
    came: list[str] = []
    patience: list[float] = []

    def accept(seconds: float) -> None:
        server.settimeout(seconds)
        with suppress(TimeoutError):
            server.accept()[0].close()
            came.append("connection")

    def built(*arguments: Any, **more: Any) -> Any:
        accept(patience[-1])
        if not came:
            server.close()  # what connects later is refused, and waits for nobody
        came.append("engine")
        return whole(*arguments, **more)

    def connects(*arguments: str, wait: float, stdin: str = "") -> bool:
        patience.append(wait)
        came.clear()
        run("test", *arguments, stdin=stdin)
        begun = came[0] == "connection"
        if begun:
            accept(LATE)
            assert came.count("connection") == 1, "it is the connection of the check"
        return begun

    monkeypatch.setattr(launch, "build_services", built)
    return connects


def test_it_connects_before_the_engine_is_built(connects: Connects) -> None:
    assert connects("Office", wait=EARLY)
    assert connects("Shop", "--password-stdin", wait=EARLY, stdin=PASSWORD)
    assert connects("Shop", "--depth", "server", wait=EARLY)


@pytest.mark.parametrize(
    "arguments",
    [("--all",), ("Shop",), ("Office", "--password-command", "echo x")],
    ids=["several", "a program comes first", "a program that is named"],
)
def test_it_does_not_where_something_comes_before(arguments: tuple[str, ...], connects: Connects) -> None:
    assert not connects(*arguments, wait=LATE)


def test_it_does_not_where_a_sign_in_may_be_held_back(connects: Connects, saved_accounts: SavedAccounts) -> None:
    now = datetime.now(UTC)
    record = SignInRecord(now, now + timedelta(hours=1), SignInStage.FAILED, "wrong_password")
    saved_accounts.state.storage.put(lambda file: put(file, "0" * 32, {"0" * 16: record}))
    assert saved_accounts.state.flush() == ()
    assert not connects("Office", wait=LATE)
