"""The unsubscribe link without a face: what is made as one types, what is wrong, what a template lacks."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from pathlib import Path
from threading import Event
from typing import Any

import pytest

from smtp_wizard.engine.accounts.account import Account, AccountsError
from smtp_wizard.engine.base.data_files import DataError
from smtp_wizard.engine.base.private_files import read_bounded
from smtp_wizard.engine.base.shown import phrase
from smtp_wizard.engine.unsubscribe import TemplateReport, check_template
from smtp_wizard.flows.areas import unsubscribe
from smtp_wizard.flows.areas.unsubscribe import FILE_NAME, NO_FILE, LinkField, LinkFlow, LinkOffer
from smtp_wizard.flows.flow import Card, CopyText, Mood
from tests.support.patience import PATIENCE

GOOD = '<p>12 Main Street, Springfield, IL 62701 <a href="mailto:list@shop.test?subject=remove">Unsubscribe</a>'


def none_saved() -> Sequence[Account]:
    return ()


def card(flow: LinkFlow) -> Card:
    assert flow.state.card is not None
    return flow.state.card


def made(folder: Path | None = None) -> LinkFlow:
    flow = LinkFlow(none_saved, folder)
    flow.put(LinkField.ADDRESS, "list@shop.test")
    return flow


async def test_the_link_changes_as_one_types() -> None:
    flow = made()
    assert await flow.act(LinkOffer.LINK) == CopyText("mailto:list@shop.test?subject=remove")
    flow.put(LinkField.SUBJECT, "stop it")
    assert await flow.act(LinkOffer.LINK) == CopyText("mailto:list@shop.test?subject=stop%20it")
    assert flow.state.offers[0].note == "mailto:list@shop.test?subject=stop%20it"
    flow.put(LinkField.URL, "https://shop.test/out")
    headers = await flow.act(LinkOffer.HEADERS)
    assert headers is not None
    assert headers.text.splitlines()[1] == "List-Unsubscribe-Post: List-Unsubscribe=One-Click"


@pytest.mark.parametrize(
    ("name", "text"),
    [(LinkField.ADDRESS, "shop"), (LinkField.SUBJECT, ""), (LinkField.URL, "http://shop.test/out")],
)
async def test_what_is_wrong_is_said_in_its_field_once_it_is_wanted(name: LinkField, text: str) -> None:
    """Not while somebody types."""
    flow = made()
    flow.put(name, text)
    assert (flow.state.wrong, flow.state.made, flow.state.entries[name].error) == (None, (), "")
    assert await flow.act(LinkOffer.HTML) is None
    assert flow.state.wrong is name
    assert flow.state.entries[name].error
    flow.put(name, f"{text}x")
    assert flow.state.entries[name].error == ""


@pytest.mark.parametrize("problem", [AccountsError(phrase("Damaged.")), DataError(phrase("Damaged."))])
async def test_accounts_that_cannot_be_read_propose_nothing(
    problem: Exception, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither they nor the rules are needed for a link."""

    def refused() -> Sequence[Account]:
        raise problem

    monkeypatch.setattr(unsubscribe, "rules", refused)
    flow = LinkFlow(refused)
    await flow.read_accounts()
    assert flow.state.entries[LinkField.ADDRESS].text == ""
    assert flow.state.sections == ()


async def test_all_of_it_is_written_to_a_file_that_was_not_there(tmp_path: Path) -> None:
    flow = made(tmp_path)
    await flow.act(LinkOffer.SAVE)
    assert card(flow).mood is Mood.PASSED
    written = (tmp_path / FILE_NAME).read_text("utf-8")
    assert written.splitlines()[0] == "mailto:list@shop.test?subject=remove"
    flow.put(LinkField.SUBJECT, "stop")
    await flow.act(LinkOffer.SAVE)
    assert card(flow).mood is Mood.WARNED
    assert (tmp_path / FILE_NAME).read_text("utf-8") == written


async def test_a_folder_that_takes_no_file_is_a_card(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("", "utf-8")
    flow = made(tmp_path / "file")
    await flow.act(LinkOffer.SAVE)
    assert card(flow).mood is Mood.FAILED
    assert FILE_NAME in card(flow).lines[0]


@pytest.mark.parametrize(("words", "mood"), [(GOOD, Mood.PASSED), ("<p>Buy now.", Mood.FAILED)])
async def test_a_template_is_looked_through(words: str, mood: Mood, tmp_path: Path) -> None:
    (tmp_path / "letter.html").write_text(words, "utf-8")
    flow = made()
    flow.put(LinkField.TEMPLATE, str(tmp_path / "letter.html"))
    await flow.act(LinkOffer.CHECK)
    assert card(flow).mood is mood
    assert len(card(flow).lines) >= 2


@pytest.mark.parametrize(
    ("name", "said"), [("", NO_FILE), ("none.html", "No such file"), ("~nobody-here/x", ""), ("a\0b", "no name has")]
)
async def test_a_template_that_cannot_be_read_is_said_in_its_field(name: str, said: str, tmp_path: Path) -> None:
    flow = made()
    flow.put(LinkField.TEMPLATE, name and str(tmp_path / name))
    await flow.act(LinkOffer.CHECK)
    assert (flow.state.wrong, flow.state.card) == (LinkField.TEMPLATE, None)
    assert flow.state.entries[LinkField.TEMPLATE].error
    assert said in flow.state.entries[LinkField.TEMPLATE].error


async def test_what_is_typed_while_a_template_is_looked_through_stays(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also where it is stopped in the midst."""
    begun, go_on = Event(), Event()

    def slow(data: bytes) -> TemplateReport:
        begun.set()
        assert go_on.wait(PATIENCE)
        return check_template(data)

    monkeypatch.setattr(unsubscribe, "check_template", slow)
    (tmp_path / "letter.html").write_text(GOOD, "utf-8")
    flow = made()
    flow.put(LinkField.TEMPLATE, str(tmp_path / "letter.html"))
    looking = asyncio.ensure_future(flow.act(LinkOffer.CHECK))
    await asyncio.to_thread(begun.wait, PATIENCE)
    flow.put(LinkField.SUBJECT, "stop")
    assert card(flow).mood is Mood.RUNNING
    looking.cancel()
    with pytest.raises(asyncio.CancelledError):
        await looking
    go_on.set()
    assert flow.state.card is None
    assert flow.state.entries[LinkField.SUBJECT].text == "stop"


@pytest.mark.parametrize("words", [GOOD, None], ids=["read", "not there"])
async def test_another_name_typed_while_a_template_is_looked_through_gets_nothing_that_was_seen_in_the_first(
    words: str | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun, go_on = Event(), Event()

    def slow(*arguments: Any, **named: Any) -> bytes:
        begun.set()
        assert go_on.wait(PATIENCE)
        return read_bounded(*arguments, **named)

    monkeypatch.setattr(unsubscribe, "read_bounded", slow)
    if words is not None:
        (tmp_path / "letter.html").write_text(words, "utf-8")
    flow = made()
    flow.put(LinkField.TEMPLATE, str(tmp_path / "letter.html"))
    looking = asyncio.ensure_future(flow.act(LinkOffer.CHECK))
    await asyncio.to_thread(begun.wait, PATIENCE)
    flow.put(LinkField.TEMPLATE, "other.html")
    assert flow.state.card is None, "nothing is looked through under that name"
    go_on.set()
    assert await looking is None
    entry = flow.state.entries[LinkField.TEMPLATE]
    assert (flow.state.card, flow.state.wrong, entry.text, entry.error) == (None, None, "other.html", "")


def test_typing_an_address_moves_nothing() -> None:
    """Each offer has as many rows before it is known as afterwards, at 80 columns."""
    flow = LinkFlow(none_saved)
    rows = [bool(each.note) for each in flow.state.offers]
    flow.put(LinkField.ADDRESS, f"{'list' * 15}@shop.test")
    assert [bool(each.note) for each in flow.state.offers] == rows
    assert max(len(each.note) for each in flow.state.offers) <= 74
