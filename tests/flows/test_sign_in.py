"""The step of the sign-in without a face: a question that an owner can answer, and ways that lead on."""

from __future__ import annotations

import asyncio
from dataclasses import replace

from smtp_wizard.engine.base.address import Address
from smtp_wizard.engine.base.connection import Auth
from smtp_wizard.engine.guides.guides import Guides
from smtp_wizard.engine.providers.applications import Application
from smtp_wizard.engine.providers.catalog import load_catalog
from smtp_wizard.engine.providers.provider import AccessPath, PathAuth, Provider, ProviderKind
from smtp_wizard.engine.wizard.draft import Draft, Origin, is_usable, signs_in_elsewhere
from smtp_wizard.engine.wizard.steps import Back, Next
from smtp_wizard.flows.flow import Leads
from smtp_wizard.flows.sign_in import SignInFlow, SignInOffer, SignInState
from tests.support.rows import each_row

CATALOG = load_catalog()
SHELF = Guides()
ASKED = [each for each in CATALOG.providers if len(each.paths) > 1]


def get(provider_id: str) -> Provider:
    found = CATALOG.get(provider_id)
    assert found is not None, provider_id
    return found


def at(provider_id: str, application: Application | None = Application.PASSWORD, name: str = "") -> SignInFlow:
    draft = Draft(address=Address("ana", "firm.example"), application=application, application_name=name)
    return SignInFlow(draft.with_provider(get(provider_id), Origin.CHOSEN), CATALOG, SHELF)


def ids(state: SignInState, part: str | None = None) -> list[str]:
    return [each.id for each in state.offers if part is None or each.part == part]


def draft_of(leads: Leads | None, kind: type[Next] | type[Back]) -> Draft:
    assert isinstance(leads, kind), leads
    return leads.draft


# --- the question -----------------------------------------------------------------------------------------------------


def test_google_s_ways_are_asked_as_an_owner_can_answer() -> None:
    state = at("gmail").state
    assert state.question == "Is 2-Step Verification on in your Google account?"
    assert [each.verb for each in state.offers][:3] == [
        "It is on, or I am not sure",
        "It is off: I have a phone",
        "It is off: I give no phone number",
    ]
    assert ids(state, "") == ["app-password", "two-step", "no-phone"]
    assert state.preselected == "app-password"


def test_ways_that_are_closed_or_of_no_use_stand_apart_and_are_marked() -> None:
    state = at("gmail").state
    assert ids(state, "Other ways") == ["oauth", "less-secure-apps"]
    browser, closed = state.offers[3:]
    assert (browser.closed, closed.closed) == (False, True)
    assert browser.note == f"Only if your application offers it. {CATALOG.applications[0].name} does not."
    assert closed.note == "Closed on 30 May 2022: see what replaced it."


def test_for_an_application_with_a_browser_that_way_comes_first() -> None:
    state = at("gmail", Application.OAUTH).state
    assert ids(state)[0] == "oauth"
    assert state.preselected == "oauth"
    assert ids(state, "Other ways") == ["less-secure-apps"]
    assert state.question == "How shall your application sign in at Gmail?", "it is no answer to the other question"
    assert state.offers[0].note == get("gmail").paths[3].summary


@each_row("provider", ASKED, ids=lambda provider: provider.id)
def test_each_question_has_answers_and_each_answer_leads_on(provider: Provider) -> None:
    state = at(provider.id).state
    assert state.question.endswith("?")
    assert sorted(ids(state)) == sorted(each.id for each in provider.paths), "no way is left out"
    if provider.question:
        answers = {each.answer for each in provider.paths if each.answer}
        assert state.question == provider.question
        assert answers <= {each.verb for each in state.offers}
    for offer in state.offers:
        flow, path = at(provider.id), provider.path(offer.id)
        assert path is not None
        assert offer.note.strip(), offer
        assert (offer.part == "Other ways") == (not is_usable(path) or path.auth is PathAuth.OAUTH2)
        leads = asyncio.run(flow.act(offer.id))
        assert (leads is not None) == (is_usable(path) and not signs_in_elsewhere(path))
        assert leads is not None or flow.state != state


def test_a_way_that_is_told_both_ways_says_so_before_it_is_chosen() -> None:
    state = at("yahoo").state
    assert state.card is not None
    assert state.card.lines == (get("yahoo").paths[0].disputed,)
    assert at("gmail").state.card is None


def test_practice_asks_what_to_practise() -> None:
    state = at("sandbox").state
    assert (state.question, state.preselected) == ("What do you want to practise?", "accept")


def test_who_is_handed_another_file_s_ways_without_answers_is_shown_the_ways() -> None:
    """A person's own file may replace the ways, and leave the question."""
    gmail = get("gmail")
    bare = tuple(replace(each, answer="") for each in gmail.paths)
    draft = Draft(address=Address("ana", "gmail.com")).with_provider(gmail, Origin.ADDRESS)
    catalog = load_catalog()
    catalog._by_id["gmail"] = replace(gmail, paths=bare)
    state = SignInFlow(draft, catalog, SHELF).state
    assert state.question == "How shall your application sign in at Gmail?"
    assert state.offers[0].verb == bare[0].title


# --- taking a way -----------------------------------------------------------------------------------------------------


async def test_a_way_with_a_password_is_gone_on_with() -> None:
    draft = draft_of(await at("gmail", name="Any").act("no-phone"), Next)
    assert (draft.connection.path, draft.connection.auth) == ("no-phone", Auth.PASSWORD)
    assert (draft.application, draft.application_name) == (Application.PASSWORD, "Any")


async def test_what_was_chosen_before_is_marked_again() -> None:
    draft = draft_of(await at("gmail").act("two-step"), Next)
    assert SignInFlow(draft, CATALOG, SHELF).state.preselected == "two-step"


async def test_back_leads_to_the_step_before() -> None:
    flow = at("gmail")
    assert draft_of(await flow.act(SignInOffer.BACK), Back) == flow.draft


async def test_an_offer_that_is_not_there_does_nothing() -> None:
    flow = at("gmail")
    before = flow.state
    for offer in ("no-such-way", SignInOffer.GO_ON, SignInOffer.AGAIN):
        assert await flow.act(offer) is None
        assert flow.state == before


# --- which application will send --------------------------------------------------------------------------------------


async def test_the_application_is_asked_here_where_it_was_not_asked_before() -> None:
    flow = at("gmail", None)
    asked = flow.state.application
    assert asked is not None
    named = draft_of(await flow.act("app-password"), Next)
    assert (named.application, named.application_name) == (Application.PASSWORD, CATALOG.applications[0].name)
    flow.choose_application(asked.answers[-1])
    assert ids(flow.state)[0] == "oauth"
    assert flow.state.application is not None, "it can still be changed"
    assert at("gmail").state.application is None, "asked once"


def test_it_is_not_asked_where_it_changes_nothing() -> None:
    for each in ("ionos", "sandbox", "outlook-com"):
        assert at(each, None).state.application is None


# --- a way that cannot be walked --------------------------------------------------------------------------------------


async def test_a_closed_way_says_what_replaced_it_and_leads_there() -> None:
    flow = at("gmail")
    before = flow.state
    assert await flow.act("less-secure-apps") is None
    state = flow.state
    assert state.card is not None
    assert state.card.title == "'Less secure apps' with your Google password: closed"
    assert ids(state) == ["no-phone", "app-password", SignInOffer.AGAIN]
    assert state.preselected == "no-phone"
    assert state.guide is not None
    assert state.guide.id == "gmail-less-secure-apps"
    assert await flow.act(SignInOffer.AGAIN) is None
    assert flow.state == before
    await flow.act("less-secure-apps")
    assert await flow.act(SignInOffer.BACK) is None
    assert flow.state == before
    await flow.act("less-secure-apps")
    assert draft_of(await flow.act("no-phone"), Next).connection.path == "no-phone"


async def test_the_way_in_the_browser_is_explained_to_whom_it_is_of_no_use() -> None:
    flow = at("gmail")
    assert await flow.act("oauth") is None
    state = flow.state
    assert state.card is not None
    assert state.card.title == f"{CATALOG.applications[0].name} cannot sign in in a browser"
    assert state.preselected == "app-password", "what is of use to the application"
    draft = draft_of(await flow.act(SignInOffer.GO_ON), Next)
    assert (draft.connection.path, draft.connection.auth) == ("oauth", Auth.XOAUTH2)
    assert draft.application is Application.OAUTH, "it was said that it can do that"


async def test_an_application_with_a_browser_goes_on_by_enter() -> None:
    flow = at("outlook-com", Application.OAUTH)
    assert flow.state.preselected == "oauth"
    assert draft_of(await flow.act("oauth"), Next).connection.auth is Auth.XOAUTH2


CLOSED = [(provider, path) for provider in CATALOG.providers for path in provider.paths if not is_usable(path)]


@each_row("way", CLOSED, ids=lambda way: f"{way[0].id}/{way[1].id}")
def test_no_closed_way_is_a_dead_end(way: tuple[Provider, AccessPath]) -> None:
    provider, path = way
    flow = at(provider.id)
    assert asyncio.run(flow.act(path.id)) is None
    state = flow.state
    assert state.card is not None
    said = " ".join(state.card.lines)
    ways = provider.ways_on(path)
    assert all(way in said for way in ways if isinstance(way, str))
    assert [each for each in ids(state) if not each.startswith(":")] == [
        way.id for way in ways if isinstance(way, AccessPath)
    ]
    assert state.preselected in ids(state)


# --- what is known of a way -------------------------------------------------------------------------------------------


def test_all_that_is_known_of_a_way_can_be_asked_for() -> None:
    flow, gmail = at("gmail"), get("gmail")
    part, source = flow.about("app-password")
    assert part.title == gmail.paths[0].title
    assert gmail.paths[0].note in part.lines
    assert source.title == "Source"
    assert source.lines[0].startswith("How to generate App Passwords")
    assert flow.about(SignInOffer.AGAIN) == ()
    guide = flow.guide_for("app-password")
    assert guide is not None
    assert guide.id == "gmail-app-password"
    assert flow.guide_for(SignInOffer.AGAIN) is None
    assert at("yahoo").guide_for("oauth") is None, "it has none"


def test_practice_is_the_only_one_with_a_question_of_ours() -> None:
    ours = "How shall your application sign in at "
    for provider in ASKED:
        question = at(provider.id).state.question
        known = provider.question or provider.kind is ProviderKind.SANDBOX
        assert question.startswith(ours) != bool(known), provider.id
