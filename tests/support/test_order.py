"""The order in which the tests begin, so that no processor waits for the last one."""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from typing import Any

import pytest

from tests.conftest import GROUPS_BEGIN_WITHIN, in_order


@dataclass(frozen=True)
class Item:
    """A test with its marks."""

    name: str
    early: bool = False
    group: str = ""

    def get_closest_marker(self, name: str) -> pytest.Mark | None:
        there = {"begins_early": self.early, "xdist_group": bool(self.group)}[name]
        return pytest.Mark(name, (self.group,), {}, _ispytest=True) if there else None


def test_groups_stay_whole_and_begin_one_after_the_other_and_early() -> None:
    groups = [Item(f"{group} {number}", group=group) for group in "abc" for number in range(4)]
    items: list[Any] = [*(Item(str(number), early=number in (3, 90)) for number in range(91)), *groups]
    ordered: list[Any] = in_order(items)
    assert sorted(ordered, key=items.index) == items
    begins = {}
    for group, found in itertools.groupby(ordered, lambda each: each.group):
        if group:
            assert group not in begins
            begins[group] = ordered.index(Item(f"{group} 0", group=group))
            assert len([*found]) == 4
    assert sorted(begins) == sorted(begins, key=begins.__getitem__)
    assert max(begins.values()) < len(items) * GROUPS_BEGIN_WITHIN
    assert min(one - other for other, one in itertools.pairwise(begins.values())) > 20
    assert [each.name for each in ordered if not each.group][:3] == ["3", "90", "0"]


def test_without_groups_the_order_is_as_it_was() -> None:
    items: list[Any] = [Item(str(number)) for number in range(5)]
    assert in_order(items) == items
    assert in_order([]) == []
