"""The planner: no limit is ever broken, the numbers add up, and asking for more never ends earlier."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smtp_wizard.engine.base.errors import InputError
from smtp_wizard.engine.limits.limits_in_force import (
    daily_maximum,
    days_of,
    is_rate,
    limits_in_force,
    maximum_of,
    others,
)
from smtp_wizard.engine.limits.mailing_plan import (
    COMFORTABLE,
    LONGEST,
    Exclusion,
    Mailing,
    Plan,
    Reserve,
    Sender,
    calendar,
    parse_count,
    parse_size,
    parse_start,
    plan,
)
from smtp_wizard.engine.providers.limits import MEGABYTE, AccountKind, Counted, Per, SendLimit, SizeOf

MONDAY = date(2026, 11, 23)
WINDOWS = {
    Per.SECOND: 1,
    Per.MINUTE: 60,
    Per.TEN_MINUTES: 600,
    Per.HALF_HOUR: 1800,
    Per.HOUR: 3600,
    Per.TWO_HOURS: 7200,
    Per.TWELVE_HOURS: 43_200,
}
"""Seconds."""


def a_limit(value: int | None, per: Per = Per.DAY, what: Counted = Counted.MESSAGES, **more: object) -> SendLimit:
    return SendLimit(what=what, per=per, value=value, **more)  # type: ignore[arg-type]  # named by the tests


def a_plan(
    *limits: SendLimit,
    recipients: int = 1200,
    each: int = 1,
    size: int = 0,
    reserve: str = "",
    sent: int = 0,
    chosen: str = "",
) -> Plan:
    mailing = Mailing(recipients=recipients, each=each, size=size, reserve=Reserve.parse(reserve), start=MONDAY)
    return plan(mailing, [Sender(name="one", limits=limits, sent=sent, chosen=chosen)])


# --- examples ---


def test_a_mailing_is_spread_over_days_with_a_part_kept_free() -> None:
    made = a_plan(a_limit(500), recipients=1200, reserve="10 %", sent=40)
    assert made.per_day == (410, 450, 340)
    assert (made.days, made.ends, made.fits) == (3, date(2026, 11, 25), True)
    assert list(calendar(made))[2] == (date(2026, 11, 25), 340)


def test_a_number_kept_free_is_kept_free_each_day() -> None:
    assert a_plan(a_limit(500), recipients=900, reserve="50").per_day == (450, 450)


def test_messages_for_each_recipient_all_count() -> None:
    assert a_plan(a_limit(500), recipients=500, each=3).per_day == (500, 500, 500)


def test_what_was_sent_on_the_first_day_can_use_it_up() -> None:
    assert a_plan(a_limit(500), recipients=100, sent=600).per_day == (0, 100)


def test_an_hour_bounds_the_day_and_the_pace() -> None:
    made = a_plan(a_limit(50, Per.HOUR), recipients=1300)
    assert (made.per_day, made.interval) == ((1200, 100), 72)


def test_the_limit_that_holds_back_is_named() -> None:
    day, hour = a_limit(500), a_limit(100, Per.HOUR)
    people = a_limit(300, what=Counted.RECIPIENTS)
    for limits, binding in (((day, hour), day), ((people, day), people), ((a_limit(10, Per.HOUR), day), None)):
        shown = a_plan(*limits).narrowest
        assert shown is not None
        assert shown.binding == (binding or limits[0])


def test_a_month_holds_in_any_thirty_days() -> None:
    made = a_plan(a_limit(200), a_limit(1000, Per.MONTH), recipients=1100)
    assert made.per_day == (200,) * 5 + (0,) * 25 + (100,)
    short = a_plan(a_limit(200), a_limit(1000, Per.MONTH), recipients=300).narrowest
    assert short is not None
    assert short.binding == a_limit(200)


def test_without_a_short_limit_a_day_is_spread_over_the_day() -> None:
    assert a_plan(a_limit(24)).interval == 3600
    assert a_plan(a_limit(24), a_limit(60, Per.HOUR)).interval == 60
    assert a_plan(a_limit(200), a_limit(1000, Per.MONTH)).interval == 432


def test_what_is_kept_free_is_kept_free_in_the_hour_too() -> None:
    assert a_plan(a_limit(100, Per.HOUR), reserve="10%").interval == 40
    assert a_plan(a_limit(100, Per.HOUR), reserve="1200").interval == 72


def test_a_file_grows_by_a_third_before_it_is_compared() -> None:
    limits = a_limit(500), a_limit(20 * MEGABYTE, Per.MESSAGE, Counted.BYTES)
    assert a_plan(*limits, size=15 * MEGABYTE).fits
    made = a_plan(*limits, size=15 * MEGABYTE + 1)
    assert (made.fits, made.days, made.per_day, made.interval) == (False, None, (), None)
    assert made.shares[0].exclusion is Exclusion.TOO_LARGE
    assert made.narrowest is not None
    assert made.narrowest.binding == limits[1]


@pytest.mark.parametrize(
    "limits",
    [
        (),
        (a_limit(None),),
        (a_limit(500, documented=True),),
        (a_limit(400, Per.HOUR, historical=True),),
        (a_limit(100, Per.MESSAGE, Counted.RECIPIENTS),),
        (a_limit(500, Per.CONNECTION),),
        (a_limit(3, Per.CONCURRENT, Counted.CONNECTIONS),),
    ],
)
def test_what_nobody_knows_of_today_is_not_planned_with(limits: Sequence[SendLimit]) -> None:
    made = a_plan(*limits)
    assert made.shares[0].exclusion is Exclusion.NOT_KNOWN
    assert (made.days, made.ends, made.per_day, made.fits, made.narrowest) == (None, None, (), False, None)


def test_keeping_everything_free_leaves_nothing() -> None:
    for reserve in ("100%", "500", "9999"):
        assert a_plan(a_limit(500), reserve=reserve).shares[0].exclusion is Exclusion.NOTHING_LEFT


def test_more_than_a_month_does_not_fit_and_more_than_ten_years_is_no_plan() -> None:
    assert a_plan(a_limit(10), recipients=10 * COMFORTABLE).fits
    month = a_plan(a_limit(10), recipients=10 * COMFORTABLE + 1)
    assert (month.fits, month.days) == (False, COMFORTABLE + 1)
    assert a_plan(a_limit(10), recipients=10 * LONGEST).days == LONGEST
    assert a_plan(a_limit(10), recipients=10 * LONGEST + 1).days is None


def test_of_several_figures_the_ordinary_accounts_holds_unless_another_is_chosen() -> None:
    paid, trial, large = (
        a_limit(2000, applies_to="paid account"),
        a_limit(500, applies_to="trial account"),
        a_limit(9000, applies_to="large paid account"),
    )
    assert a_plan(paid, trial, recipients=4000).days == 2
    assert a_plan(paid, trial, recipients=4000, chosen="Trial").days == 8
    assert a_plan(large, paid, trial, recipients=4000, chosen="account PAID").days == 2
    assert a_plan(paid, trial, recipients=4000, chosen="nonesuch").days == 2
    assert others((paid, trial, large), limits_in_force((paid, trial, large))) == (trial, large)
    assert daily_maximum((paid, trial), "trial") == 500


PLANS = (
    AccountKind(id="lite", name="Lite plan"),
    AccountKind(id="pro", name="Pro plan"),
    AccountKind(id="free", name="free plan", barred="The free plan lets no program send."),
)


def test_limits_of_different_kinds_of_account_never_hold_together() -> None:
    lite, pro = a_limit(100, accounts=("lite",)), a_limit(900, Per.HOUR, Counted.RECIPIENTS, accounts=("pro",))
    free, all_of_them = a_limit(50, accounts=("free",)), a_limit(30, Per.MINUTE)
    limits = (free, lite, pro, all_of_them)
    assert limits_in_force(limits, "", PLANS) == (lite, all_of_them)
    assert limits_in_force(limits, "pro", PLANS) == (pro, all_of_them)
    assert limits_in_force(limits, "plan", PLANS) == (lite, all_of_them), "the ordinary one of those that are meant"
    assert limits_in_force(limits) == (all_of_them,), "without kinds none of them holds"
    assert others(limits, (lite, all_of_them), PLANS) == (pro,), "a figure that nobody can use is not named"


def test_an_account_from_which_no_mailing_leaves_is_planned_with_only_where_it_is_chosen() -> None:
    limits = (a_limit(50, accounts=("free",)), a_limit(100, accounts=("lite",)))
    mailing = Mailing(recipients=10, start=MONDAY)
    ordinary = Sender(name="one", limits=limits, accounts=PLANS)
    assert plan(mailing, [ordinary]).fits
    barred = plan(mailing, [replace(ordinary, chosen="free")])
    assert (barred.days, barred.shares[0].exclusion, barred.per_day) == (None, Exclusion.BARRED, ())
    alone = replace(ordinary, accounts=PLANS[2:])
    assert plan(mailing, [alone]).shares[0].exclusion is Exclusion.BARRED


def test_the_most_that_anybody_can_have_holds_only_where_nothing_else_is_known() -> None:
    most, usual = a_limit(500, ceiling=True), a_limit(100)
    assert limits_in_force((most, usual)) == (usual,)
    assert limits_in_force((most,)) == (most,)


def test_a_size_of_the_files_is_compared_before_they_are_encoded() -> None:
    day, size = a_limit(500), a_limit(20 * MEGABYTE, Per.MESSAGE, Counted.BYTES, size_of=SizeOf.FILES)
    assert a_plan(day, size, size=20 * MEGABYTE).fits
    assert a_plan(day, size, size=20 * MEGABYTE + 1).shares[0].exclusion is Exclusion.TOO_LARGE
    whole = a_limit(25 * MEGABYTE, Per.MESSAGE, Counted.BYTES, size_of=SizeOf.MESSAGE)
    both = a_plan(day, size, whole, size=19 * MEGABYTE).shares[0]
    assert (both.exclusion, both.binding) == (Exclusion.TOO_LARGE, whole)


def test_several_accounts_send_together_and_one_that_is_unknown_is_left_out() -> None:
    mailing = Mailing(recipients=1000, start=MONDAY)
    senders = [
        Sender(name="a", limits=(a_limit(300),), sent=100),
        Sender(name="b", limits=()),
        Sender(name="c", limits=(a_limit(10, Per.HOUR),)),
    ]
    made = plan(mailing, senders)
    assert [share.per_day for share in made.shares] == [(200, 300, 20), (), (240, 240, 0)]
    assert made.per_day == (440, 540, 20)
    assert [share.name for share in (each.sender for each in made.working)] == ["a", "c"]
    assert [share.interval for share in made.shares] == [288, None, 360]
    assert made.interval == 160
    assert made.narrowest is not None
    assert made.narrowest.sender.name == "c"


# --- what always holds ---

RATES = st.builds(
    a_limit,
    st.integers(1, 3000),
    st.sampled_from([*WINDOWS, Per.DAY, Per.WEEK, Per.MONTH]),
    st.sampled_from([Counted.MESSAGES, Counted.RECIPIENTS]),
)
LIMITS = st.lists(RATES, min_size=1, max_size=4, unique_by=lambda limit: (limit.what, limit.per)).map(tuple)
SENDERS = st.lists(
    st.builds(Sender, name=st.just("one"), limits=LIMITS, sent=st.integers(0, 3000)), min_size=1, max_size=3
)
RESERVES = st.builds(Reserve, st.integers(0, 99), st.booleans())
MAILINGS = st.builds(
    Mailing, recipients=st.integers(1, 20_000), each=st.integers(1, 2), reserve=RESERVES, start=st.just(MONDAY)
)


def end_of(made: Plan) -> int:
    """The number of days, or more than any where it never ends."""
    return LONGEST + 1 if made.days is None else made.days


@given(MAILINGS, SENDERS)
def test_the_sum_is_the_list(mailing: Mailing, senders: list[Sender]) -> None:
    made = plan(mailing, senders)
    if made.days is not None:
        assert sum(made.per_day) == mailing.messages
        assert len(made.per_day) == made.days
        assert made.per_day[-1] > 0
        assert sum(share.total for share in made.shares) == mailing.messages


@given(MAILINGS, SENDERS)
def test_no_stretch_goes_over_a_limit(mailing: Mailing, senders: list[Sender]) -> None:
    """Counted again, stretch by stretch: with what was sent before, and what is kept free."""
    for share in plan(mailing, senders).working:
        for limit in filter(is_rate, share.sender.limits):
            days = days_of(limit)
            for first in range(max(1, len(share.per_day) - days + 1)):
                stretch = share.per_day[first : first + days]
                before = share.sender.sent if first == 0 else 0
                most = mailing.reserve.of(maximum_of(limit), days)
                assert sum(stretch) == 0 or sum(stretch) + before <= most


@given(MAILINGS, SENDERS)
def test_at_the_safe_pace_no_short_limit_is_broken(mailing: Mailing, senders: list[Sender]) -> None:
    for share in plan(mailing, senders).working:
        assert share.interval is not None
        for limit in share.sender.limits:
            if limit.per in WINDOWS:
                assert limit.value is not None
                assert share.interval * limit.value >= WINDOWS[limit.per] - 1e-6


@given(MAILINGS, SENDERS, st.integers(1, 5000))
def test_more_recipients_never_end_earlier(mailing: Mailing, senders: list[Sender], more: int) -> None:
    larger = replace(mailing, recipients=mailing.recipients + more)
    assert end_of(plan(larger, senders)) >= end_of(plan(mailing, senders))


@given(MAILINGS, SENDERS, st.integers(1, 60))
def test_more_reserve_never_ends_earlier(mailing: Mailing, senders: list[Sender], more: int) -> None:
    amount = mailing.reserve.amount + more
    amount = min(100, amount) if mailing.reserve.percent else amount
    careful = replace(mailing, reserve=replace(mailing.reserve, amount=amount))
    made, before = plan(careful, senders), plan(mailing, senders)
    assert end_of(made) >= end_of(before)
    for later, sooner in zip(made.shares, before.shares, strict=True):
        if later.interval is not None and sooner.interval is not None:
            assert later.interval >= sooner.interval


@given(MAILINGS, SENDERS, st.integers(1, 500))
def test_more_sent_already_never_ends_earlier(mailing: Mailing, senders: list[Sender], more: int) -> None:
    busier = [replace(senders[0], sent=senders[0].sent + more), *senders[1:]]
    assert end_of(plan(mailing, busier)) >= end_of(plan(mailing, senders))


@given(MAILINGS, SENDERS, RATES)
def test_another_account_never_makes_it_later(mailing: Mailing, senders: list[Sender], limit: SendLimit) -> None:
    more = [*senders, Sender(name="more", limits=(limit,))]
    assert end_of(plan(mailing, more)) <= end_of(plan(mailing, senders))


@given(MAILINGS, st.integers(1, 200), st.integers(0, 500))
def test_the_same_limit_in_another_unit_means_the_same(mailing: Mailing, hourly: int, sent: int) -> None:
    """1 an hour is 24 a day; 2 every 30 minutes are 4 an hour; 60 a minute are 1 a second."""
    for one, same in (
        (a_limit(hourly, Per.HOUR), a_limit(24 * hourly)),
        (a_limit(hourly, Per.HALF_HOUR), a_limit(2 * hourly, Per.HOUR)),
        (a_limit(hourly, Per.MINUTE), a_limit(60 * hourly, Per.HOUR)),
        (a_limit(hourly, Per.SECOND), a_limit(60 * hourly, Per.MINUTE)),
        (a_limit(hourly), a_limit(hourly, what=Counted.RECIPIENTS)),
    ):
        first, second = (plan(mailing, [Sender(name="one", limits=(each,), sent=sent)]) for each in (one, same))
        assert (first.days, first.per_day, first.interval) == (second.days, second.per_day, second.interval)


# --- what a person types ---


@pytest.mark.parametrize(("typed", "meant"), [("", "0"), ("50", "50"), (" 10 % ", "10%"), ("100%", "100%")])
def test_what_is_kept_free_is_a_number_or_a_part(typed: str, meant: str) -> None:
    assert str(Reserve.parse(typed)) == meant


@pytest.mark.parametrize("typed", ["ten", "-5", "101%", "5 %%", "1.5", "٣"])
def test_what_cannot_be_kept_free(typed: str) -> None:
    with pytest.raises(InputError):
        Reserve.parse(typed)


@pytest.mark.parametrize(
    ("typed", "size"),
    [("", 0), ("10", 10_000_000), ("2.5 MB", 2_500_000), ("2,5m", 2_500_000), ("300 KB", 300_000), ("0.1k", 100)],
)
def test_a_size_is_in_megabytes_unless_it_says_otherwise(typed: str, size: int) -> None:
    assert parse_size(typed) == size


@pytest.mark.parametrize("typed", ["big", "-1", "1e9", "99999999", "10 GB", "1.2.3"])
def test_what_is_no_size(typed: str) -> None:
    with pytest.raises(InputError):
        parse_size(typed)


def test_numbers_may_be_typed_in_groups() -> None:
    for typed in ("1200", "1,200", "1 200", "1.200", "1'200"):
        assert parse_count(typed, "Recipients", 5000) == 1200
    for typed in ("", "12x", "-1", "5001", "1.5", "1,2", "0"):
        with pytest.raises(InputError, match=r"^Recipients: a number from 1 to 5,000"):
            parse_count(typed, "Recipients", 5000, 1)


def test_a_first_day_is_a_date_and_not_far_off() -> None:
    assert parse_start("", MONDAY) == MONDAY
    assert parse_start(" 2026-12-01 ", MONDAY) == date(2026, 12, 1)
    for typed in ("tomorrow", "01.12.2026", "2026-02-30", "9999-12-31", "1999-01-01", "20261201", "2026-W49-2"):
        with pytest.raises(InputError):
            parse_start(typed, MONDAY)
