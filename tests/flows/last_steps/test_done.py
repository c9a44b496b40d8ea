"""The step 'Done' without a face: the application's screen, filled in; what can be copied; what was not proved."""

from __future__ import annotations

from dataclasses import replace

import pytest

from smtp_wizard.engine.base.connection import Auth
from smtp_wizard.engine.base.endpoint import Endpoint, Security
from smtp_wizard.engine.base.identity import Scope
from smtp_wizard.engine.base.secret import Secret
from smtp_wizard.engine.wizard.draft import Draft, ReportedArrival
from smtp_wizard.engine.wizard.sending_application import load_sending_application
from smtp_wizard.engine.wizard.steps import Back, Next
from smtp_wizard.flows.last_steps.done import DoneFlow, DoneOffer, Value
from tests.support.places import draft_at_done
from tests.support.walk import catalog


def flow_of(draft: Draft, copied: list[str] | None = None) -> DoneFlow:
    kept = copied if copied is not None else []
    return DoneFlow(draft, catalog=catalog(), screen=load_sending_application(), copy=kept.append)


def filled(flow: DoneFlow) -> dict[str, str]:
    return {each.label: each.value for each in flow.state.fields}


def test_the_applications_screen_is_filled_in_with_this_account() -> None:
    flow = flow_of(draft_at_done())
    state = flow.state
    assert state.title == "Settings › SMTP Settings"
    assert filled(flow) == {
        "Select SMTP Server": "Gmail",
        "Server": "smtp.gmail.com",
        "Port": "465",
        "Username": "ana@gmail.com",
        "Password": "",
    }
    assert [each.tick for each in state.fields if each.tick] == [state.fields[2].tick]
    assert state.fields[2].tick is not None
    assert (state.fields[2].tick.words, state.fields[2].tick.on) == ("Enable SSL/TLS", True)


@pytest.mark.parametrize("scope", Scope)
@pytest.mark.parametrize("company", [True, False])
def test_what_was_chosen_when_it_was_saved_is_carried_to_the_end(scope: Scope, company: bool) -> None:
    draft = replace(draft_at_done(), scope=scope)
    flow = flow_of(replace(draft, identity=replace(draft.identity, update_company=company)))
    assert [each.words for each in flow.state.scopes if each.on] == [scope.words]
    assert (flow.state.company.words, flow.state.company.on) == ("Update Company Email", company)


def test_a_provider_that_the_application_does_not_list_is_chosen_as_another_one() -> None:
    draft = draft_at_done()
    own = replace(draft.connection, provider="custom", endpoint=Endpoint("mail.firm.example", 25, Security.NONE))
    flow = flow_of(replace(draft, connection=own))
    assert filled(flow)["Select SMTP Server"] == "Custom Email Provider"
    tick = flow.state.fields[2].tick
    assert tick is not None
    assert not tick.on


# --- the password ---


async def test_the_password_is_shown_when_it_is_asked_for_in_groups() -> None:
    flow = flow_of(replace(draft_at_done(), secret=Secret("abcdefghij klmno")))
    assert (flow.password, flow.state.revealed) == ("", False)
    await flow.act(DoneOffer.PASSWORD)
    assert flow.password == "abcd efgh ij\u2423k lmno   (\u2423 is a blank)"
    assert "abcd" not in repr(flow.state)
    await flow.act(DoneOffer.PASSWORD)
    assert flow.password == ""


@pytest.mark.parametrize(("secret", "told"), [("abcdefghijklmnop", True), ("abcd efgh", False)])
def test_a_password_with_blanks_is_not_said_to_be_typed_without_them(secret: str, told: bool) -> None:
    state = flow_of(replace(draft_at_done(), secret=Secret(secret))).state
    assert ("no blanks" in next(each.note for each in state.fields if each.secret)) is told


@pytest.mark.parametrize(("auth", "said"), [(Auth.NONE, "no sign-in"), (Auth.XOAUTH2, "in the browser")])
async def test_where_there_is_no_password_none_is_shown(auth: Auth, said: str) -> None:
    draft = draft_at_done()
    flow = flow_of(replace(draft, connection=replace(draft.connection, auth=auth)))
    assert said in filled(flow)["Password"]
    await flow.act(DoneOffer.PASSWORD)
    assert (flow.state.revealed, flow.password, flow.state.has_password) == (False, "", False)


# --- copying, and leaving ---


async def test_each_value_can_be_copied_by_itself_and_the_password_cannot() -> None:
    copied: list[str] = []
    flow = flow_of(draft_at_done(), copied)
    await flow.act(DoneOffer.COPY)
    assert flow.state.copying
    assert [each.id for each in flow.state.offers] == list(Value)
    for value in Value:
        await flow.act(value)
    assert copied == ["smtp.gmail.com", "465", "ana@gmail.com", "ana@gmail.com"]
    assert flow.state.note == "From is sent to your terminal: ana@gmail.com"
    assert await flow.act(DoneOffer.BACK) is None
    assert not flow.state.copying


async def test_enter_finishes_and_back_leads_back() -> None:
    flow = flow_of(draft_at_done())
    assert flow.state.offers[0].id is DoneOffer.FINISH
    assert isinstance(await flow.act(DoneOffer.FINISH), Next)
    assert isinstance(await flow.act(DoneOffer.BACK), Back)


# --- what was proved ---


@pytest.mark.parametrize(
    ("arrival", "said"),
    [
        (ReportedArrival.ARRIVED, "the test message arrived."),
        (ReportedArrival.JUNK, "the test message arrived, in the junk folder."),
        (ReportedArrival.NOT_YET, "Not proved: nobody saw the test message."),
        (ReportedArrival.SKIPPED, "Not proved: no test message was sent."),
        (ReportedArrival.UNASKED, "Not proved: no test message was sent."),
    ],
)
def test_it_says_what_was_proved_and_what_was_not(arrival: ReportedArrival, said: str) -> None:
    proved = flow_of(replace(draft_at_done(), arrival=arrival)).state.proved
    assert proved.startswith("Proved here: signed in ")
    assert proved.endswith(said)


def test_an_account_that_was_never_signed_in_to_is_not_said_to_be_tested() -> None:
    assert flow_of(replace(draft_at_done(), proof=None)).state.proved == "Not proved: nothing was tested."
