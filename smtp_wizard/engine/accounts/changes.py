"""What has changed about an account since it was last told: a new failure, another cause, a recovery, a new warning."""

from __future__ import annotations

from enum import StrEnum

from smtp_wizard.engine.state.last_told import AccountStatus


class Change(StrEnum):
    """What is worth telling."""

    NEW = "new"
    """It fails, and did not, or was never looked at."""
    RECOVERED = "recovered"
    OTHER_CAUSE = "other-cause"
    """It fails as before, for another reason."""
    WARNING = "warning"
    """It works, and something is about to end that was not before."""
    NONE = "none"


def change_of(before: AccountStatus | None, now: AccountStatus) -> Change:
    """Return what is to be told of an account. `before`: what was told last, None where nothing was."""
    failed = before.cause if before is not None else ""
    if now.cause:
        return Change.NONE if now.cause == failed else Change.OTHER_CAUSE if failed else Change.NEW
    if failed:
        return Change.RECOVERED
    known = before.warnings if before is not None else frozenset()
    return Change.WARNING if now.warnings - known else Change.NONE


def moved_on(before: AccountStatus | None, now: AccountStatus, *, conclusive: bool) -> AccountStatus:
    """Return what is compared with next time.

    `conclusive`: whether the account was really looked at. Where it was not (the time was up, a sign-in was held
    back), a failure that was told stays as it was told. What failed has not seen all warnings. A warning of an account
    that fails as before is told by no line: it stays new until there is one.
    """
    if before is None or not now.cause:
        return now
    if before.cause and (not conclusive or now.cause == before.cause):
        return before
    return AccountStatus(now.cause, before.warnings | now.warnings)
