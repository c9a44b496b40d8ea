"""The practice inbox without a face: what is listed and read, and each way in which it cannot be."""

from __future__ import annotations

from pathlib import Path

import pytest

from smtp_wizard.engine.base.file_ownership import UnsafeFile
from smtp_wizard.engine.base.shown import phrase
from smtp_wizard.engine.sandbox.mailbox import deliver, messages
from smtp_wizard.flows.areas import inbox
from smtp_wizard.flows.areas.inbox import GONE, LONGEST, InboxFlow, InboxOffer, Practise, ReadLetter
from smtp_wizard.flows.flow import Mood

HOSTILE = "\x1b[31mred\x07\u202egnp.exe"


def letter(subject: str, text: str = "Hello.") -> bytes:
    return f"From: a@shop.test\nDelivered-To: b@shop.test\nSubject: {subject}\n\n{text}\n".encode()


async def looked(folder: Path, *letters: bytes) -> InboxFlow:
    for each in letters:
        deliver(folder, each)
    flow = InboxFlow(folder)
    await flow.act(InboxOffer.LOOK)
    return flow


def offered(flow: InboxFlow) -> list[InboxOffer]:
    return [each.id for each in flow.state.offers]


async def test_an_empty_inbox_leads_to_practice(tmp_path: Path) -> None:
    flow = await looked(tmp_path / "nothing")
    assert flow.state.looked
    assert flow.state.rows == ()
    assert offered(flow) == [InboxOffer.PRACTISE, InboxOffer.LOOK]
    assert await flow.act(InboxOffer.PRACTISE) == Practise()
    assert await flow.act(InboxOffer.READ) is None


async def test_a_message_is_listed_and_read(tmp_path: Path) -> None:
    flow = await looked(tmp_path, letter("Invoice 7", "Word: heron"))
    (row,) = flow.state.rows
    assert (row.to, row.subject) == ("b@shop.test", "Invoice 7")
    assert flow.state.sections[0].title == "Invoice 7"
    read = await flow.act(InboxOffer.READ)
    assert isinstance(read, ReadLetter)
    head, text = read.sections
    assert read.subject == "Invoice 7"
    assert "From:       a@shop.test" in head.lines
    assert text.lines == ("Word: heron",)


async def test_the_chosen_message_stays_chosen_when_others_arrive(tmp_path: Path) -> None:
    flow = await looked(tmp_path, letter("one"), letter("two"))
    flow.choose(1)
    chosen = flow.state.rows[1]
    deliver(tmp_path, letter("three"))
    await flow.act(InboxOffer.LOOK)
    assert flow.state.rows[flow.state.at] == chosen
    assert flow.state.sections[0].title == chosen.subject
    flow.choose(99)
    assert flow.state.at == 2


async def test_hostile_and_endless_words_are_cleaned_and_cut(tmp_path: Path) -> None:
    flow = await looked(tmp_path, letter(HOSTILE + "x" * 500, f"{HOSTILE}\n" + "y" * LONGEST * 2))
    read = await flow.act(InboxOffer.READ)
    assert isinstance(read, ReadLetter)
    lines = [line for section in read.sections for line in section.lines]
    said = [read.subject, flow.state.rows[0].subject, *lines]
    assert not [each for each in said if any(sign in each for sign in "\x1b\x07\u202e") or len(each) > 1100]
    assert lines[-1] == "..."


async def test_a_message_that_another_program_has_thrown_away(tmp_path: Path) -> None:
    flow = await looked(tmp_path, letter("one"))
    messages(tmp_path)[0].path.unlink()
    assert await flow.act(InboxOffer.READ) is None
    assert flow.state.card is not None
    assert (flow.state.card.title, flow.state.rows) == (GONE, ())


async def test_everything_is_thrown_away(tmp_path: Path) -> None:
    flow = await looked(tmp_path, letter("one"), letter("two"))
    await flow.act(InboxOffer.KEEP)
    assert len(messages(tmp_path)) == 2
    await flow.act(InboxOffer.EMPTY)
    assert (messages(tmp_path), flow.state.rows) == ((), ())


@pytest.mark.parametrize("offer", [InboxOffer.LOOK, InboxOffer.READ, InboxOffer.EMPTY])
@pytest.mark.parametrize("problem", [PermissionError(13, "Permission denied"), UnsafeFile(phrase("Others may write."))])
async def test_an_inbox_that_cannot_be_read_is_a_card(
    problem: OSError, offer: InboxOffer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was listed stays; when it can be read again, the card goes."""
    flow = await looked(tmp_path, letter("one"))

    def refused(*_: object) -> None:
        raise problem

    with monkeypatch.context() as patch:
        for name in ("messages", "read", "clear"):
            patch.setattr(inbox, name, refused)
        assert await flow.act(offer) is None
    assert flow.state.card is not None
    assert flow.state.card.mood is Mood.FAILED
    assert ("Others may write." if isinstance(problem, UnsafeFile) else "Permission denied") in flow.state.card.title
    assert len(flow.state.rows) == 1
    await flow.act(InboxOffer.LOOK)
    assert flow.state.card is None
