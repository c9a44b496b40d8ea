"""The guides' list without a face: what is found, and what is told of the chosen one."""

from __future__ import annotations

from pathlib import Path

from smtp_wizard.engine.guides.guides import Guides
from smtp_wizard.flows.areas.guides import NOTHING_LIKE_IT, GuideOffer, GuidesFlow
from smtp_wizard.flows.flow import Mood
from tests.support.walk import guides


def titles(flow: GuidesFlow) -> list[str]:
    return [row.title for row in flow.state.rows]


def test_every_guide_is_listed_by_its_title() -> None:
    """No open slot, no id, no other words."""
    flow = GuidesFlow(guides())
    assert sorted(row.id for row in flow.state.rows) == list(guides().ids())
    assert flow.state.find.hint == f"{len(guides().ids())} guides"
    assert not [title for title in titles(flow) if "{" in title]


async def test_a_word_finds_those_that_have_it_in_the_title_first() -> None:
    """Then those in whose words it stands."""
    flow = GuidesFlow(guides())
    flow.choose(7)
    flow.find("app password")
    assert flow.state.at == 0
    assert "app password" in titles(flow)[0]
    assert any("app password" not in title for title in titles(flow)), "others speak of it"
    assert await flow.act(GuideOffer.READ) == flow.state.rows[0].id


async def test_nothing_like_it_is_said_in_the_field() -> None:
    """And nothing can be read then."""
    flow = GuidesFlow(guides())
    flow.find("zebra")
    assert (flow.state.rows, flow.state.find.error) == ((), NOTHING_LIKE_IT)
    assert flow.state.offers == ()
    assert await flow.act(GuideOffer.READ) is None


def test_a_way_that_is_gone_says_so() -> None:
    flow = GuidesFlow(guides())
    flow.find("less secure apps is gone")
    flow.find("gmail less secure")
    at = next(at for at, row in enumerate(flow.state.rows) if row.id == "gmail-less-secure-apps")
    flow.choose(at)
    assert flow.state.rows[at].closed
    assert flow.state.rows[at].time == "closed"
    assert "closed since 30 May 2022" in flow.state.sections[0].lines[0]


def test_guides_that_cannot_be_read_are_said(tmp_path: Path) -> None:
    (tmp_path / "broken.md").write_text("no guide", "utf-8")
    flow = GuidesFlow(Guides(tmp_path))
    assert flow.state.card is not None
    assert flow.state.card.mood is Mood.FAILED
    assert "broken.md" in flow.state.card.lines[0]
    assert flow.state.rows == ()
