"""The chosen account below the list, where there is no room for more beside it."""

from __future__ import annotations

import pytest

from smtp_wizard.flows.accounts.account_list import AccountSummary
from smtp_wizard.screens.accounts.home_parts import DETAIL, detail_rows

KEYS = ("T test", "E edit", "Enter all actions")
SECONDS = (0.4, 0.5, 2.1)


def rows(*lines: str, seconds: tuple[float, ...] = SECONDS, width: int = 76) -> list[str]:
    detail = AccountSummary(name="Office", address="ana@example.test", lines=lines, seconds=seconds)
    return [row.plain for row in detail_rows(detail, KEYS, width)]


def test_how_long_its_sign_ins_took_is_drawn_at_80_columns() -> None:
    told = rows("Works.", "The certificate ends in 5 days.")
    assert told[4] == "▂▂▂▂██  0.4 to 2.1 seconds to sign in, last 3 tests"
    assert told[-1] == "T test   E edit   Enter all actions"


def test_what_is_wrong_comes_before_it() -> None:
    told = rows("The password was refused.", "Since yesterday.", "The sign-in ends in 2 days.")
    assert not any("seconds to sign in" in row for row in told)


@pytest.mark.parametrize("width", [40, 56, 76])
@pytest.mark.parametrize("count", [0, 1, 2, 10, 60])
def test_the_height_never_changes_and_every_row_fits(width: int, count: int) -> None:
    told = rows("Works.", seconds=(0.5,) * count, width=width)
    assert len(told) == DETAIL
    assert max(map(len, told)) <= width
    assert any("▁" in row or "█" in row for row in told) is (count > 1)
