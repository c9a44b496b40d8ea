"""What `test` does between the checks of many accounts: the event loop waits for no file."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

import pytest

from smtp_wizard.commands.testing import tester
from smtp_wizard.engine.accounts.account import Account
from smtp_wizard.engine.checks.report import Report
from smtp_wizard.engine.providers.catalog import load_catalog
from smtp_wizard.engine.state.sign_in_renewals import SignInRenewal
from smtp_wizard.output.check_outcome import CheckOutcome
from tests.commands.test_send import RELAY

NOW = datetime(2026, 11, 30, tzinfo=UTC)
BEGUN = replace(RELAY, login=SignInRenewal(client_id="x", granted=NOW, renewed=NOW, ends=None))
OUTCOME = CheckOutcome(BEGUN.name, Report(BEGUN.connection.endpoint))


class Saved:
    """Notes in which threads it is asked."""

    def __init__(self) -> None:
        self.threads: list[threading.Thread] = []

    def as_learnt(self, accounts: Sequence[Account]) -> tuple[Account, ...]:
        self.threads.append(threading.current_thread())
        return tuple(accounts)


def made_over(saved: Saved) -> tester.Tester:
    made = tester.Tester.__new__(tester.Tester)
    services: Any = SimpleNamespace(saved_accounts=saved, catalog=load_catalog(), now=lambda: NOW)
    made.invocation = SimpleNamespace(services=services)  # type: ignore[assignment]
    return made


async def test_how_long_a_sign_in_lasts_is_read_beside_the_event_loop() -> None:
    saved = Saved()
    assert (await made_over(saved)._with_warnings(BEGUN, OUTCOME)).report is OUTCOME.report
    assert len(saved.threads) == 1
    assert threading.main_thread() not in saved.threads


async def test_where_no_thread_is_to_be_had_the_outcome_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    async def none(work: object) -> None:
        raise OSError

    monkeypatch.setattr(tester, "in_thread", none)
    assert (await made_over(Saved())._with_warnings(BEGUN, OUTCOME)).report is OUTCOME.report
