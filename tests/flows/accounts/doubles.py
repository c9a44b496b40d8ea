"""What the accounts' flows are given in tests: a few saved accounts, and services that fail in each documented way."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from smtp_wizard.engine.accounts.account import Account
from smtp_wizard.engine.accounts.saved_accounts import AccountFileError, NoSuchAccount
from smtp_wizard.engine.base.data_files import DataError
from smtp_wizard.engine.base.errors import InputError
from smtp_wizard.engine.base.file_ownership import UnsafeFile
from smtp_wizard.engine.base.shown import phrase, shown
from smtp_wizard.engine.base.stages import Depth, Stage, Verdict
from smtp_wizard.engine.base.who import Who
from smtp_wizard.engine.diagnosis.finding import Finding
from smtp_wizard.engine.mailbox.findings import MailboxError
from smtp_wizard.engine.oauth.errors import OAuthError, OAuthFault
from smtp_wizard.engine.sandbox.errors import SandboxError
from smtp_wizard.engine.secrets.secret_store import SecretError, SecretFault
from smtp_wizard.engine.services.services import Services
from smtp_wizard.engine.state.results import LastResult, Result
from smtp_wizard.flows.accounts.account_list import AccountsFlow
from tests.support.places import draft_at_review

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)


def troubles() -> Iterator[Exception]:
    """Yield one of each kind that a service raises for a person to read."""
    words = shown("It fails on purpose.")
    yield AccountFileError(words)
    yield NoSuchAccount("Office", None)
    yield DataError(words)
    yield InputError(words)
    yield MailboxError(
        Finding(code="imap", title=phrase("It fails"), explanation=phrase("On purpose."), who=Who.YOU, steps=())
    )
    yield OAuthError(OAuthFault.ELSEWHERE, words)
    yield SandboxError(words)
    yield UnsafeFile(words)
    for fault in SecretFault:
        if fault is not SecretFault.ASK:  # then it is typed
            yield SecretError(fault, words)


def name_of(problem: Exception) -> str:
    """What a kind of failure is called in a report of the tests."""
    return f"{type(problem).__name__}-{getattr(problem, 'fault', '')}"


class Failing:
    """A service of which some methods fail, and the others are those of the real one."""

    def __init__(self, real: object, problem: Exception, *names: str) -> None:
        self._real = real
        self._problem = problem
        self._names = names

    def __getattr__(self, name: str) -> Any:
        if name not in self._names:
            return getattr(self._real, name)

        async def failing(*arguments: object, **named: object) -> object:
            raise self._problem

        return failing


def flow_of(services: Services, **others: Any) -> AccountsFlow:
    """Return the list over these services; `others` stand in for some of them."""
    own: dict[str, Any] = {
        "saved_accounts": services.saved_accounts,
        "accounts": services.accounts,
        "entries": services.entries,
        "checks": services.checks,
        "stores": services.stores,
        "catalog": services.catalog,
        "causes": services.diagnosis,
        "arrivals": services.arrivals,
        "now": services.now,
    }
    return AccountsFlow(**(own | others))


async def saved(services: Services, name: str, **fields: Any) -> Account:
    """Save an account and return it."""
    return await services.accounts.save(replace(draft_at_review(), name=name, **fields), replacing=True)


def came_out(
    services: Services,
    name: str,
    verdict: Verdict = Verdict.PASS,
    *,
    ago: timedelta = timedelta(),
    stage: Stage | None = None,
    code: str = "",
    ms: Mapping[Stage, int] | None = None,
    not_after: datetime | None = None,
) -> None:
    """Have a test of an account known that came out so."""
    last = LastResult(NOW - ago, Depth.LOGIN, verdict, stage, code)
    services.saved_accounts.state.results.record(
        services.saved_accounts.get(name).id, Result(last, ms or {}, not_after)
    )
