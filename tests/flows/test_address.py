"""The step 'Address' without a face: what it asks, where it leads, and what becomes of every fault."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from smtp_wizard.engine.base.address import Address
from smtp_wizard.engine.base.endpoint import Endpoint, Security
from smtp_wizard.engine.discovery.candidate import Candidate, FoundBy
from smtp_wizard.engine.services.discovery import Discovery
from smtp_wizard.engine.wizard.draft import Draft
from smtp_wizard.engine.wizard.steps import Back, Next, StepId, next_step, step
from smtp_wizard.flows.address import AddressFlow, AddressOffer, AddressQuestion, AddressState
from smtp_wizard.flows.flow import Leads, Mood
from smtp_wizard.runtime.expected_errors import EXPECTED_ERRORS
from tests.support.discovering import Answer, answering
from tests.support.walk import catalog, make_services, until

FIRM = "ana@firm.example"


@pytest.fixture
def nobody(monkeypatch: pytest.MonkeyPatch) -> Answer:
    """What the look-up of an unknown domain comes to, instead of asking the DNS."""
    return answering(monkeypatch)


def begun(folder: Path, text: str = "", draft: Draft | None = None) -> AddressFlow:
    flow = AddressFlow(draft or Draft(), catalog=catalog(), discovery=make_services(folder).discovery)
    flow.type(text)
    return flow


def offered(flow: AddressFlow) -> list[AddressOffer]:
    return [each.id for each in flow.state.offers]


def led(leads: Leads | None) -> Draft:
    assert isinstance(leads, Next)
    return leads.draft


async def test_a_known_ending_leads_on_at_once_and_nothing_is_said_of_a_search(tmp_path: Path) -> None:
    flow = begun(tmp_path, "ana@gmail.com")
    states: list[AddressState] = []
    flow.changed = states.append
    draft = led(await flow.act(AddressOffer.FIND))
    assert (str(draft.address), draft.connection.provider) == ("ana@gmail.com", "gmail")
    assert [each for each in states if each.running] == []


@pytest.mark.parametrize("text", ["Ana <ana@gmail.com>", "mailto:ana@gmail.com?subject=x", "ana@gmail.com. "])
async def test_an_address_is_taken_as_it_was_pasted(text: str, tmp_path: Path) -> None:
    draft = led(await begun(tmp_path, text).act(AddressOffer.FIND))
    assert (str(draft.address), draft.connection.provider) == ("ana@gmail.com", "gmail")


async def test_a_settings_file_that_was_pasted_is_asked_and_not_told_whose_it_is(
    tmp_path: Path, nobody: Answer
) -> None:
    url = "https://autoconfig.hoster.example/mail/config-v1.1.xml"
    draft = led(await begun(tmp_path, f"{url}?emailaddress=ana%40firm.example").act(AddressOffer.FIND))
    assert str(draft.address) == FIRM
    assert [each.file for each in nobody.asked] == [url]


REDIRECT = "https://mail.hoster.example/config.xml"


@pytest.mark.parametrize(("offer", "files"), [(AddressOffer.FOLLOW, ["", REDIRECT]), (AddressOffer.STAY, [""])])
async def test_settings_at_another_domain_are_read_after_a_yes_alone(
    offer: AddressOffer, files: list[str], tmp_path: Path, nobody: Answer
) -> None:
    nobody.found["redirect"] = REDIRECT
    flow = begun(tmp_path, FIRM)
    assert await flow.act(AddressOffer.FIND) is None
    assert flow.state.question is AddressQuestion.REDIRECT
    assert flow.state.card is not None
    assert flow.state.card.title == "May we read the settings at hoster.example?"
    assert offered(flow) == [AddressOffer.STAY, AddressOffer.FOLLOW, AddressOffer.BACK], "the careful one is the first"
    assert str(led(await flow.act(offer)).address) == FIRM
    assert [each.file for each in nobody.asked] == files


async def test_the_public_list_is_asked_about_after_the_other_domain(tmp_path: Path, nobody: Answer) -> None:
    nobody.found |= {"redirect": REDIRECT, "problem": None}
    flow = begun(tmp_path, FIRM)
    await flow.act(AddressOffer.FIND)
    assert await flow.act(AddressOffer.FOLLOW) is None
    assert flow.state.question is AddressQuestion.LIST
    led(await flow.act(AddressOffer.ASK))
    assert [(each.file, each.database is not None) for each in nobody.asked] == [
        ("", False),
        (REDIRECT, False),
        (REDIRECT, True),
    ]


async def test_a_yes_to_one_address_s_settings_is_none_to_another_s(tmp_path: Path, nobody: Answer) -> None:
    nobody.found["redirect"] = REDIRECT
    flow = begun(tmp_path, FIRM)
    await flow.act(AddressOffer.FIND)
    await flow.act(AddressOffer.FOLLOW)
    flow.type("ana@other.example")
    await flow.act(AddressOffer.FIND)
    assert nobody.asked[-1].file == ""


@pytest.mark.parametrize("text", ["", "ana", "ana@", "ana@@firm"])
async def test_what_is_no_address_is_said_at_the_field_and_kept(text: str, tmp_path: Path) -> None:
    flow = begun(tmp_path, text)
    assert await flow.act(AddressOffer.FIND) is None
    assert flow.state.address.error.endswith(".")
    assert flow.state.address.text == text
    assert flow.collected().typed.get("address", "") == text
    flow.type("ana@gmail.com")
    assert flow.state.address.error == "", "what is typed now is another address"


async def test_an_ending_that_only_looks_like_a_known_one_is_asked_about(tmp_path: Path) -> None:
    """Letters of another alphabet: nobody could see it, so the card says it, with the name that computers use."""
    flow = begun(tmp_path, "ana@gm\u0430\u0456l.com")
    assert await flow.act(AddressOffer.FIND) is None
    assert flow.state.question is AddressQuestion.SPELLING
    assert flow.state.card is not None
    assert "xn--gml-7cd4q.com" in flow.state.card.lines[0]
    assert offered(flow)[0] is AddressOffer.MEANT


async def test_a_misspelt_ending_is_a_question_of_two_answers(tmp_path: Path) -> None:
    flow = begun(tmp_path, "ana@gmial.com")
    assert await flow.act(AddressOffer.FIND) is None
    assert flow.state.question is AddressQuestion.SPELLING
    assert flow.state.card is not None
    assert flow.state.card.title == "Did you mean gmail.com?"
    assert offered(flow) == [AddressOffer.MEANT, AddressOffer.KEEP, AddressOffer.BACK]
    assert str(led(await flow.act(AddressOffer.MEANT)).address) == "ana@gmail.com"


async def test_a_misspelt_ending_that_is_meant_is_not_asked_about_again(tmp_path: Path, nobody: Answer) -> None:
    flow = begun(tmp_path, "ana@gmial.com")
    await flow.act(AddressOffer.FIND)
    draft = led(await flow.act(AddressOffer.KEEP))
    assert str(draft.address) == "ana@gmial.com"
    again = begun(tmp_path, "ana@gmial.com", draft)
    assert led(await again.act(AddressOffer.FIND)).address == draft.address


async def test_back_leaves_the_question_for_the_field_and_then_the_step(tmp_path: Path) -> None:
    flow = begun(tmp_path, "ana@gmial.com")
    await flow.act(AddressOffer.FIND)
    assert await flow.act(AddressOffer.BACK) is None
    assert flow.state.question is AddressQuestion.ADDRESS
    assert flow.state.address.text == "ana@gmial.com"
    left = await flow.act(AddressOffer.BACK)
    assert isinstance(left, Back)
    assert str(left.draft.address) == "ana@gmial.com"


async def test_practising_goes_on_at_once_whatever_was_typed(tmp_path: Path) -> None:
    flow = begun(tmp_path, "no address")
    leads = await flow.act(AddressOffer.PRACTISE)
    assert isinstance(leads, Next)
    assert (str(leads.draft.address), leads.draft.connection.provider) == ("you@sandbox.test", "sandbox")
    following = next_step(leads.draft, step(leads.past or StepId.ADDRESS))
    assert following is step(StepId.SIGN_IN), "nobody is asked whether practice is the right provider"


@pytest.mark.parametrize("text", ["ana@sandbox.test", "ANA@SANDBOX.TEST", "Ana <ana@sandbox.test>"])
async def test_whoever_types_a_practice_address_goes_the_way_of_practice(text: str, tmp_path: Path) -> None:
    leads = await begun(tmp_path, text).act(AddressOffer.FIND)
    assert isinstance(leads, Next)
    assert str(leads.draft.address).lower() == "ana@sandbox.test"
    following = next_step(leads.draft, step(leads.past or StepId.ADDRESS))
    assert following is step(StepId.SIGN_IN), "as with F3, nobody is asked whether practice is the right provider"


@pytest.mark.parametrize(("offer", "asked"), [(AddressOffer.ASK, 2), (AddressOffer.LEAVE_OUT, 1)])
async def test_a_public_list_is_asked_after_a_yes_alone(
    offer: AddressOffer, asked: int, tmp_path: Path, nobody: Answer
) -> None:
    nobody.found["problem"] = None
    endpoint = Endpoint("smtp.firm.example", 465, Security.TLS)
    listed = Candidate(endpoint=endpoint, username=FIRM, source=FoundBy.ISPDB, trust=0.5, note="")
    nobody.listed = {"candidates": (listed,)}
    flow = begun(tmp_path, FIRM)
    assert await flow.act(AddressOffer.FIND) is None
    assert flow.state.question is AddressQuestion.LIST
    assert flow.state.card is not None
    assert "firm.example" in flow.state.card.lines[0]
    assert offered(flow)[0] is AddressOffer.LEAVE_OUT, "the careful one is the first"
    draft = led(await flow.act(offer))
    assert len(nobody.asked) == asked
    assert [each.database is not None for each in nobody.asked] == [False, True][:asked]
    assert draft.connection.endpoint == (endpoint if offer is AddressOffer.ASK else None)


async def test_where_the_domain_is_not_there_no_list_is_offered(tmp_path: Path, nobody: Answer) -> None:
    draft = led(await begun(tmp_path, FIRM).act(AddressOffer.FIND))
    assert draft.origin_note == "Nobody was found."


@pytest.mark.parametrize("kind", EXPECTED_ERRORS, ids=lambda kind: str(kind.__name__))
async def test_whatever_the_search_raises_for_a_person_becomes_a_card(
    kind: type[Exception], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    problem = kind.__new__(kind)
    monkeypatch.setattr(kind, "__str__", lambda self: "The data cannot be read.")

    async def failing(*_: Any, **__: Any) -> Any:
        raise problem

    monkeypatch.setattr(Discovery, "find_settings", failing)
    flow = begun(tmp_path, FIRM)
    assert await flow.act(AddressOffer.FIND) is None
    card = flow.state.card
    assert card is not None
    assert (card.mood, card.lines) == (Mood.FAILED, ("The data cannot be read.",))
    assert flow.state.address.text == FIRM
    assert not flow.state.running
    assert AddressOffer.FIND in offered(flow), "it can be tried again"


class Endless:
    """A search that never ends by itself."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.begun = self.given_up = 0

        async def searching(*_: Any, **__: Any) -> Any:
            self.begun += 1
            try:
                await asyncio.Event().wait()
            except asyncio.CancelledError:
                self.given_up += 1
                raise

        monkeypatch.setattr(Discovery, "find_settings", searching)


@pytest.mark.parametrize("end", ["stop", "type", "cancel"])
async def test_a_search_ends_when_it_is_stopped_and_what_was_typed_stays(
    end: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    search = Endless(monkeypatch)
    flow = begun(tmp_path, FIRM)
    looking = asyncio.ensure_future(flow.act(AddressOffer.FIND))
    await until(lambda: search.begun, lambda: "no search")
    assert flow.state.running
    assert flow.state.card is not None
    assert flow.state.card.foot == "Esc stops"
    if end == "stop":
        assert flow.stop()
    elif end == "type":
        flow.type(f"{FIRM}s")
    else:
        looking.cancel()
    await asyncio.wait({looking})
    assert search.given_up == 1
    after = flow.state
    assert (after.running, after.card, after.question) == (False, None, AddressQuestion.ADDRESS)
    assert flow.state.address.text == (f"{FIRM}s" if end == "type" else FIRM)
    assert not flow.stop(), "nothing runs any more"


async def test_the_draft_that_was_begun_is_gone_on_with(tmp_path: Path) -> None:
    draft = Draft().with_typed("address", "ana@@firm")
    assert begun(tmp_path, "ana@@firm", draft).collected().typed["address"] == "ana@@firm"
    known = Draft().with_address(Address("ana", "gmail.com"))
    flow = AddressFlow(known, catalog=catalog(), discovery=make_services(tmp_path).discovery)
    assert flow.state.address.text == "ana@gmail.com"
    assert flow.collected() == known


@pytest.mark.parametrize("kind", [ZeroDivisionError, asyncio.CancelledError])
async def test_after_a_fault_of_our_own_nothing_says_that_it_goes_on(
    kind: type[BaseException], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def failing(*_: Any, **__: Any) -> Any:
        raise kind

    monkeypatch.setattr(Discovery, "find_settings", failing)
    flow = begun(tmp_path, FIRM)
    with pytest.raises(kind):
        await flow.act(AddressOffer.FIND)
    assert (flow.state.running, flow.state.card) == (False, None)
