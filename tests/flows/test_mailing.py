"""A mailing without a face: what is asked, the days as bars, the same elsewhere, and what does not fit."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date

import pytest

from smtp_wizard.engine.limits.catalogue_limits import PasswordAccess, access_to
from smtp_wizard.flows.areas.mailing import (
    FIRST,
    MOST_BARS,
    MailingField,
    MailingFlow,
    MailingOffer,
    bar_length,
    bar_lines,
    kinds_of,
)
from smtp_wizard.flows.flow import Mood
from smtp_wizard.text.limit_rows import short_name
from tests.support.walk import catalog

MONDAY = date(2026, 11, 30)


def mailing(provider: str = "gmail", **typed: str) -> MailingFlow:
    known = catalog().get(provider)
    assert known is not None
    return MailingFlow(catalog(), known, MONDAY, {MailingField(name): text for name, text in typed.items()})


async def counted(provider: str = "gmail", **typed: str) -> MailingFlow:
    flow = mailing(provider, **typed)
    await flow.act(MailingOffer.COUNT)
    return flow


def bars(flow: MailingFlow) -> list[tuple[str, str]]:
    return [(bar.name, bar.words) for bar in flow.state.bars]


async def test_equal_days_are_one_bar() -> None:
    """4,600 people with Gmail, 40 sent, a tenth kept free: 410, nine days of 450, and 140."""
    flow = await counted(recipients="4,600", sent="40")
    assert flow.state.card is not None
    assert flow.state.card.mood is Mood.PASSED
    assert flow.state.card.title == "11 days with Gmail"
    assert flow.state.card.foot == "10% kept free for invoices"
    assert bars(flow) == [("Mon 30 Nov", "410"), ("9 days of", "450"), ("Thu 10 Dec", "140")]
    assert [bar.share for bar in flow.state.bars] == [410 / 450, 1.0, 140 / 450]


async def test_a_day_of_another_year_has_its_year() -> None:
    """Else the last day of a long mailing would look like one of this year."""
    flow = await counted("mail-ch", recipients="16690")
    assert flow.state.bars[-1].name == "Sun 5 Dec 2027"


async def test_the_same_mailing_elsewhere_is_shown_the_quickest_first() -> None:
    """With those that an application with a password gets into; quicker and slower are told apart."""
    flow = await counted("brevo", recipients="5000")
    names = [bar.name for bar in flow.state.elsewhere]
    assert len(names) == 4
    days = [float(bar.share) for bar in flow.state.elsewhere]
    assert days == sorted(days)
    by_name = {short_name(each): each for each in catalog().providers}
    assert {access_to(by_name[name]) for name in names} == {PasswordAccess.OPEN}
    assert {bar.mood for bar in flow.state.elsewhere} == {Mood.PASSED}
    assert not (await counted(recipients="10")).state.elsewhere, "one day is enough here"


async def test_a_slower_one_is_marked_as_slower() -> None:
    """Fastmail is quicker than Gmail for 4,600 people; with two mailboxes of Gmail others are slower."""
    flow = await counted("google-workspace", recipients="4600")
    moods = {bar.name: bar.mood for bar in flow.state.elsewhere}
    assert moods["Gmail"] is Mood.WARNED


async def test_what_does_not_fit_says_what_to_do() -> None:
    """Longer than a month: a warning, and the ways on."""
    flow = await counted("mail-ch", recipients="16695")
    assert flow.state.card is not None
    assert flow.state.card.mood is Mood.WARNED
    assert "371 days" in flow.state.card.title
    assert flow.state.ways[0].startswith("Ask your provider")


async def test_without_a_published_limit_nothing_is_guessed() -> None:
    """No bars; ask them, and with whom it would fit."""
    flow = await counted("cox", recipients="100")
    assert flow.state.card is not None
    assert flow.state.card.mood is Mood.FAILED
    assert "we do not guess" in flow.state.card.lines[0]
    assert flow.state.bars == ()
    assert flow.state.elsewhere
    assert "It would fit at: Gmail, 1 day" in "".join(flow.state.ways)


async def test_a_number_that_no_years_are_enough_for_is_said_to_be_one() -> None:
    """Ten years are never; nothing is drawn."""
    flow = await counted("mail-ch", recipients="100000000")
    assert flow.state.card is not None
    assert flow.state.card.lines == ("It would take more than ten years.",)
    assert flow.state.bars == ()


@pytest.mark.parametrize(
    ("typed", "wrong", "error"),
    [
        ({"recipients": ""}, MailingField.RECIPIENTS, "a number from 1 to 100,000,000"),
        ({"recipients": "many"}, MailingField.RECIPIENTS, "a number from 1 to 100,000,000"),
        ({"recipients": "1", "sent": "-4"}, MailingField.SENT, "a number from 0"),
        ({"recipients": "1", "reserve": "half"}, MailingField.RESERVE, "such as 10%"),
        ({"recipients": "1", "size": "big"}, MailingField.SIZE, "number of megabytes"),
        ({"recipients": "1", "each": "0"}, MailingField.EACH, "a number from 1"),
        ({"recipients": "1", "start": "tomorrow"}, MailingField.START, "year-month-day"),
        ({"recipients": "1", "mailboxes": "99"}, MailingField.MAILBOXES, "a number from 1 to 20"),
        ({"recipients": "1", "kind": "gold"}, MailingField.KIND, "Words out of one of these"),
    ],
)
async def test_what_cannot_be_used_is_said_in_its_field(
    typed: Mapping[str, str], wrong: MailingField, error: str
) -> None:
    """The cursor goes there, also where the field was behind 'More settings'; typing takes the words away."""
    flow = await counted("fastmail", **typed)
    assert flow.state.wrong is wrong
    assert error in flow.state.entries[wrong].error
    assert wrong in flow.state.fields
    assert flow.made is None
    assert flow.state.offers[1].verb == ("More settings" if wrong in FIRST else "Fewer settings")
    flow.put(wrong, "1")
    assert not flow.state.entries[wrong].error
    assert flow.state.wrong is None


async def test_the_rest_is_asked_on_demand() -> None:
    """Three fields at first; F9 shows the others, and takes them away again."""
    flow = mailing("fastmail")
    assert flow.state.fields == FIRST
    assert [each.key for each in flow.state.offers] == ["", "F9"]
    await flow.act(MailingOffer.MORE)
    assert flow.state.fields == tuple(MailingField)
    await flow.act(MailingOffer.MORE)
    assert flow.state.fields == FIRST


async def test_two_mailboxes_are_twice_as_fast() -> None:
    """Only the first has sent anything that day."""
    flow = await counted(recipients="1000", sent="100", mailboxes="2", reserve="")
    assert flow.made is not None
    assert flow.made.per_day == (900, 100)


async def test_a_kind_of_account_has_its_own_figures() -> None:
    """Words out of whom a figure is for; they are not carried to another provider."""
    flow = await counted("fastmail", recipients="10000", kind="standard")
    assert flow.made is not None
    assert flow.made.per_day == (7200, 2800)
    assert MailingField.KIND not in flow.typed
    assert flow.typed[MailingField.RECIPIENTS] == "10000"
    known = catalog().get("cox")
    assert known is not None
    assert kinds_of(known) == ()
    assert MailingField.KIND not in mailing("cox").state.entries


async def test_details_say_the_whole_plan() -> None:
    """What binds, how fast, and what a reached limit looks like."""
    flow = mailing()
    assert flow.details() == ()
    flow.put(MailingField.RECIPIENTS, "1200")
    await flow.act(MailingOffer.COUNT)
    said = "\n".join(line for each in flow.details() for line in each.lines)
    assert "The limit that binds: Gmail, 500 messages per day" in said
    assert "A safe pace" in said
    assert "550 5.4.5 'Daily user sending limit exceeded'" in said


async def test_of_an_earlier_plan_nothing_is_left_where_a_field_cannot_be_used() -> None:
    """Neither in the details, nor beside the question, nor in what Enter says."""
    flow = await counted(recipients="1200")
    about = mailing().state.sections
    assert flow.state.sections != about
    flow.put(MailingField.RECIPIENTS, "many")
    await flow.act(MailingOffer.COUNT)
    assert (flow.made, flow.details(), flow.state.sections) == (None, (), about)
    assert flow.state.offers[0].verb == "Count the days"


async def test_the_verb_changes_once_it_was_counted() -> None:
    """Enter counts, and counts again."""
    flow = mailing(recipients="5")
    assert flow.state.offers[0].verb == "Count the days"
    await flow.act(MailingOffer.COUNT)
    assert flow.state.offers[0].verb == "Count again"


async def test_bars_are_as_long_as_their_share() -> None:
    """One character at least, where it is not nothing; never more than the width, and never too many lines."""
    flow = await counted("ionos", recipients="123456")
    assert len(flow.state.bars) <= MOST_BARS
    lines = list(bar_lines(flow.state.bars, width=30))
    assert all(line.count("#") <= 30 for line in lines)
    assert all(bar_length(bar, 30) >= 1 for bar in flow.state.bars if bar.words)
