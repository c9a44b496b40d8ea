"""The limits without a face: what is listed, what is told of the chosen provider, and where its rows are written."""

from __future__ import annotations

import csv
import time
from collections.abc import Iterable
from datetime import date
from pathlib import Path

import pytest

from smtp_wizard.engine.limits.catalogue_limits import KIND_WORDS, rows_of
from smtp_wizard.engine.providers.provider import ProviderKind
from smtp_wizard.flows.areas.limits import NOTHING_LIKE_IT, LimitOffer, LimitsFlow, PlanWith
from smtp_wizard.flows.flow import Section
from smtp_wizard.flows.question import Answer
from smtp_wizard.flows.save_file import FileSaved, SaveFile
from smtp_wizard.text.limit_rows import NO_SUCH_LIMIT, UNKNOWN, limit_line
from tests.support.walk import catalog

MONDAY = date(2026, 11, 30)


@pytest.fixture
def flow(tmp_path: Path) -> LimitsFlow:
    return LimitsFlow(catalog(), MONDAY, tmp_path)


def words(sections: Iterable[Section]) -> str:
    return "\n".join(line for each in sections for line in (each.title, *each.lines))


def names(flow: LimitsFlow) -> list[str]:
    return [row.name for row in flow.state.rows]


def test_there_is_one_row_a_provider_with_todays_figures_alone(flow: LimitsFlow) -> None:
    """All with limits, the best known first; the article's figure stands in no row."""
    assert [row.id for row in flow.state.rows] == [each.id for each in catalog().providers if rows_of(each)]
    first = flow.state.rows[0]
    assert (first.name, first.day, first.hour, first.largest) == ("Gmail", "500", NO_SUCH_LIMIT, "25 MB")
    assert flow.state.find.hint == f"{len(flow.state.rows)} providers"


@pytest.mark.parametrize(
    ("provider", "day", "hour"),
    [("cox", UNKNOWN, NO_SUCH_LIMIT), ("ionos", NO_SUCH_LIMIT, "500"), ("microsoft365", "10,000", "1,800")],
)
def test_a_row_says_what_is_not_published_and_what_is_no_limit(provider: str, day: str, hour: str) -> None:
    """A question mark where nothing is published; a dash where only the other stretch has a limit."""
    found = catalog().get(provider)
    assert found is not None
    line = limit_line(found)
    assert (line.day, line.hour) == (day, hour)


def test_the_articles_figure_and_the_source_stand_with_the_chosen_row(flow: LimitsFlow) -> None:
    """And a mailing of a usual size, and what stands in the way of a password."""
    said = words(flow.state.sections)
    assert "The old article: 100-500 a day, 10 MB" in said
    assert "2024-03-27" in said
    assert "It takes 2 days, with 10% kept free for invoices" in said
    flow.find("outlook.com")
    assert "lets no program in with a password" in words(flow.state.sections)


def test_the_list_follows_what_one_types(flow: LimitsFlow) -> None:
    """Every letter narrows it; where nothing is like it, that is said in the place of the hint."""
    flow.choose(5)
    flow.find("gm")
    assert names(flow)[0] == "Gmail"
    assert flow.state.at == 0
    flow.find("gm and nothing else")
    assert (flow.state.rows, flow.state.find.error) == ((), NOTHING_LIKE_IT)
    assert flow.chosen is None
    assert not flow.state.sections
    assert LimitOffer.PLAN not in {each.id for each in flow.state.offers}


@pytest.mark.parametrize("query", ["ISP", "isps", "web host", "Web Hosting", "web-hosts", "free", "Free email"])
def test_the_articles_three_kinds_can_be_typed(flow: LimitsFlow, query: str) -> None:
    """Whose name has the words comes first, then the whole kind."""
    flow.find(query)
    kind = KIND_WORDS[query.casefold().replace("-", " ").removesuffix("s")]
    whole = {each.id for each in catalog().providers if each.kind is kind and rows_of(each)}
    assert whole <= {row.id for row in flow.state.rows}
    behind = [each.kind for each in flow.found[-10:]]
    assert behind == [kind] * 10


def test_the_kinds_of_the_article_are_three() -> None:
    """Sending services are ours."""
    assert set(KIND_WORDS.values()) == {
        ProviderKind.ISP,
        ProviderKind.HOSTING,
        ProviderKind.MAILBOX,
        ProviderKind.RELAY,
    }


async def test_another_order_is_named(flow: LimitsFlow) -> None:
    """Each order in turn, and the first again."""
    before = names(flow)
    seen = []
    for _ in range(5):
        await flow.act(LimitOffer.ORDER)
        seen.append(names(flow))
    assert "by name" not in flow.state.find.hint
    assert seen[-1] == before
    assert seen[0] == sorted(before, key=str.casefold)
    assert [sorted(each) for each in seen] == [sorted(before)] * 5


async def test_enter_plans_with_the_chosen_one(flow: LimitsFlow) -> None:
    """The first offer is what Enter takes; the row may be chosen beyond both ends."""
    assert flow.state.offers[0].id is LimitOffer.PLAN
    flow.choose(-3)
    assert flow.state.at == 0
    flow.choose(10_000)
    assert flow.state.at == len(flow.state.rows) - 1
    flow.find("fastmail")
    led = await flow.act(LimitOffer.PLAN)
    assert isinstance(led, PlanWith)
    assert led.provider.id == "fastmail"
    flow.find("nobody of that name")
    assert await flow.act(LimitOffer.PLAN) is None


def test_details_name_every_figure_with_who_says_so(flow: LimitsFlow) -> None:
    """Today's and the article's, each with its web address."""
    said = words(flow.details())
    for row in rows_of(flow.found[0]):
        assert row.limit.figure in said
    assert "https://support.google.com/mail/answer/22839" in said
    assert said.index("Today, checked") < said.index("The old help article")


async def test_the_rows_that_are_listed_are_written_to_a_file(flow: LimitsFlow, tmp_path: Path) -> None:
    """A name is proposed, with the day in it."""
    flow.find("cox")
    asks = await flow.act(LimitOffer.EXPORT)
    assert isinstance(asks, SaveFile)
    file = Path(asks.state.entries[0].text)
    assert file == tmp_path / "smtp-limits-2026-11-30.csv"
    assert await asks.act(Answer.DO) == FileSaved(file)
    assert {row["provider"] for row in csv.DictReader(file.read_text("utf-8").splitlines())} == {"cox"}


def test_a_key_costs_little(flow: LimitsFlow) -> None:
    """All providers are listed again for each letter, in well below a tenth of a second on a slow computer."""
    began = time.process_time()
    for text in ("g", "gm", "g", "", "isp", "o", "ou", ""):
        flow.find(text)
    assert time.process_time() - began < 0.8


def test_no_two_rows_have_the_same_name(flow: LimitsFlow) -> None:
    """Names are shortened there; the detail has the whole one."""
    assert len(set(names(flow))) == len(names(flow))
