"""What is told of an account, and what is not told again."""

from __future__ import annotations

import pytest

from smtp_wizard.engine.accounts.changes import Change, change_of, moved_on
from smtp_wizard.engine.state.last_told import AccountStatus

GOOD, REFUSED, SILENT = AccountStatus(), AccountStatus("bad_credentials"), AccountStatus("unreachable")
SOON = AccountStatus(warnings=frozenset({"certificate"}))
BOTH = AccountStatus(warnings=frozenset({"certificate", "sign-in"}))


@pytest.mark.parametrize(
    ("before", "now", "change"),
    [
        (None, GOOD, Change.NONE),
        (None, REFUSED, Change.NEW),
        (None, SOON, Change.WARNING),
        (GOOD, GOOD, Change.NONE),
        (GOOD, REFUSED, Change.NEW),
        (REFUSED, REFUSED, Change.NONE),
        (REFUSED, SILENT, Change.OTHER_CAUSE),
        (REFUSED, GOOD, Change.RECOVERED),
        (REFUSED, SOON, Change.RECOVERED),
        (GOOD, SOON, Change.WARNING),
        (SOON, SOON, Change.NONE),
        (SOON, BOTH, Change.WARNING),
        (BOTH, SOON, Change.NONE),
        (SOON, REFUSED, Change.NEW),
    ],
)
def test_only_what_differs_is_told(before: AccountStatus | None, now: AccountStatus, change: Change) -> None:
    assert change_of(before, now) is change


def test_a_warning_that_a_failed_check_could_not_see_is_not_told_once_more_when_it_recovers() -> None:
    failed = moved_on(SOON, REFUSED, conclusive=True)
    assert change_of(failed, SOON) is Change.RECOVERED
    assert change_of(moved_on(failed, SOON, conclusive=True), SOON) is Change.NONE


def test_a_warning_that_has_gone_is_told_again_when_it_comes_back() -> None:
    renewed = moved_on(SOON, GOOD, conclusive=True)
    assert change_of(renewed, SOON) is Change.WARNING


def test_what_was_not_looked_at_leaves_a_failure_as_it_was_told() -> None:
    """A held-back sign-in between two refusals is no other cause, and neither is the refusal after it."""
    held = AccountStatus("sign_in_paused")
    kept = moved_on(REFUSED, held, conclusive=False)
    assert kept == REFUSED
    assert change_of(kept, REFUSED) is Change.NONE


def test_an_account_that_worked_and_was_not_looked_at_is_a_new_failure() -> None:
    late = AccountStatus("time-is-up")
    assert change_of(GOOD, late) is Change.NEW
    assert moved_on(GOOD, late, conclusive=False) == late


def test_a_warning_that_begins_while_an_account_fails_is_told_with_the_next_line() -> None:
    both = AccountStatus("bad_credentials", frozenset({"sign-in"}))
    kept = moved_on(REFUSED, both, conclusive=True)
    assert change_of(REFUSED, kept) is Change.NONE
    assert kept == REFUSED, "what no line has told stays new"
    other = moved_on(kept, AccountStatus("unreachable", frozenset({"sign-in"})), conclusive=True)
    assert other == AccountStatus("unreachable", frozenset({"sign-in"})), "this line has told it"


def test_a_warning_that_begins_where_an_account_was_not_looked_at_stays_new() -> None:
    held = AccountStatus("sign_in_paused", frozenset({"sign-in"}))
    assert moved_on(REFUSED, held, conclusive=False) == REFUSED
