"""`--timeout` bounds the whole of each command that has it; a fault of a sign-in in the browser is said in words."""

from __future__ import annotations

import asyncio
import shutil
from pathlib import Path

import pytest

from smtp_wizard.commands.faults import known_fault
from smtp_wizard.commands.invocation import AT_LEAST, Invocation
from smtp_wizard.engine.accounts.saved_accounts import SavedAccounts
from smtp_wizard.engine.base.data_files import data_path
from smtp_wizard.engine.base.errors import ShownError
from smtp_wizard.engine.base.shown import phrase
from smtp_wizard.engine.oauth.errors import OAuthError, OAuthFault
from smtp_wizard.engine.services.bounces import Bounces
from smtp_wizard.engine.services.checks import Checks
from smtp_wizard.engine.services.domains import Domains
from smtp_wizard.engine.services.scans import Scans
from smtp_wizard.engine.services.senders import Senders
from smtp_wizard.engine.state.state import State
from smtp_wizard.runtime.exit_codes import Exit
from smtp_wizard.runtime.output import Form, Output
from tests.commands.test_send import RELAY
from tests.support.cli import run


async def never(*_: object, **__: object) -> None:
    await asyncio.Event().wait()


@pytest.mark.parametrize(
    ("service", "method", "asked"),
    [
        (Bounces, "read", ("bounces", "Office")),
        (Domains, "examine", ("domain", "example.com")),
        (Domains, "examine", ("readiness", "Office", "--recipients", "10")),
        (Senders, "try_envelopes", ("senders", "Office")),
        (Scans, "probe", ("provider", "new", "--name", "Firm", "--host", "mail.firm.example")),
    ],
    ids=["bounces", "domain", "readiness", "senders", "provider new"],
)
def test_what_never_comes_is_waited_for_no_longer_than_was_said(
    service: type[object],
    method: str,
    asked: tuple[str, ...],
    own_home: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    SavedAccounts(own_home / "config").put(RELAY)
    monkeypatch.setattr(service, method, never)
    into = Path(shutil.copy(data_path("providers.yaml"), tmp_path))
    more = ("--into", str(into), "--source", "https://firm.example") if asked[0] == "provider" else ()
    ran = run(*asked, *more, "--timeout", "0.1", "--json")
    assert (ran.code, ran.error["code"]) == (Exit.FAILED, "timeout"), ran.error


@pytest.mark.parametrize(
    ("problem", "code"),
    [
        (OAuthError(OAuthFault.ENDED, phrase("The sign-in has run out.")), "oauth-ended"),
        (ShownError(phrase("It is not to be had.")), "failed"),
    ],
)
def test_an_error_that_has_its_words_is_no_fault_of_the_program(problem: Exception, code: str) -> None:
    error = known_fault(problem)
    assert error is not None
    assert (error.code, error.message) == (code, str(problem))


@pytest.mark.parametrize(
    "asked",
    [
        ("test", "Office", "--depth", "server"),
        ("bounces", "Office"),
        ("readiness", "Office", "--recipients", "10"),
        ("domain", "example.com"),
    ],
    ids=lambda asked: asked[0],
)
def test_no_file_is_waited_for_longer_than_the_command_may_take(
    asked: tuple[str, ...], own_home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    SavedAccounts(own_home / "config").put(RELAY)
    bounded: list[Invocation] = []
    bound = Invocation.bound

    def noted(invocation: Invocation, seconds: float) -> None:
        bound(invocation, seconds)
        bounded.append(invocation)

    monkeypatch.setattr(Invocation, "bound", noted)
    for service, method in ((Bounces, "read"), (Domains, "examine"), (Checks, "check_account")):
        monkeypatch.setattr(service, method, never)
    run(*asked, "--timeout", "0.1")
    (invocation,) = bounded
    assert invocation.saved_accounts.state.storage._lock_limit == pytest.approx(0.01)


def test_what_was_learnt_is_written_in_the_time_that_is_left(
    own_home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    waited: list[float | None] = []

    def flushed(_: State, seconds: float | None = None) -> tuple[str, ...]:
        waited.append(seconds)
        return ()

    monkeypatch.setattr(State, "flush", flushed)
    invocation = Invocation(Output(Form.TEXT))
    invocation.config = tmp_path
    invocation.bound(0.0)
    assert invocation.saved_accounts.list() == ()
    invocation.close()
    assert waited == [AT_LEAST]
    invocation.close(0.5)
    assert waited == [AT_LEAST, 0.5], "a signal is in more of a hurry"
