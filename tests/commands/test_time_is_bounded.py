"""`--timeout` bounds the whole of each command that has it; a fault of a sign-in in the browser is said in words."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from smtp_wizard.commands.faults import known_fault
from smtp_wizard.engine.accounts.saved_accounts import SavedAccounts
from smtp_wizard.engine.base.errors import ShownError
from smtp_wizard.engine.base.shown import phrase
from smtp_wizard.engine.oauth.errors import OAuthError, OAuthFault
from smtp_wizard.engine.services.bounces import Bounces
from smtp_wizard.engine.services.domains import Domains
from smtp_wizard.engine.services.scans import Scans
from smtp_wizard.engine.services.senders import Senders
from smtp_wizard.runtime.exit_codes import Exit
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
    more = ("--into", str(tmp_path / "new.yaml"), "--source", "https://firm.example") if asked[0] == "provider" else ()
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
