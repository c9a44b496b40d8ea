"""The step of the provider without a face: whose mailbox it is, and where to go where the application cannot send."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

from smtp_wizard.engine.base.address import Address
from smtp_wizard.engine.base.endpoint import Endpoint, Security
from smtp_wizard.engine.base.secret import Secret
from smtp_wizard.engine.discovery.candidate import Candidate, FoundBy
from smtp_wizard.engine.providers.applications import Application
from smtp_wizard.engine.providers.catalog import Catalog, load_catalog
from smtp_wizard.engine.providers.provider import PathAuth, Provider, ProviderKind
from smtp_wizard.engine.wizard.draft import Draft, Origin, is_usable, with_candidate, with_choice
from smtp_wizard.engine.wizard.steps import (
    Back,
    Next,
    StepId,
    next_step,
    previous_step,
    resume_step,
    step,
    takes_password,
)
from smtp_wizard.engine.wizard.trusted_servers import ServerTrust, server_trust
from smtp_wizard.flows.flow import Leads, Mood
from smtp_wizard.flows.provider import MOST_LISTED, ProviderFlow, ProviderOffer, ProviderState
from tests.support.rows import each_row

CATALOG = load_catalog()
FIRM = Address("ana", "firm.example")


def candidate(host: str, port: int, security: Security, trust: float) -> Candidate:
    return Candidate(
        endpoint=Endpoint(host, port, security), username="ana@firm.example", source=FoundBy.SRV, trust=trust
    )


STRANGE = candidate("mail.stranger.example", 587, Security.STARTTLS, 0.7)
OWN = candidate("mail.firm.example", 465, Security.TLS, 0.9)


def get(provider_id: str) -> Provider:
    found = CATALOG.get(provider_id)
    assert found is not None, provider_id
    return found


def at(provider: str, domain: str, origin: Origin = Origin.ADDRESS) -> ProviderFlow:
    """At the provider; of several regions, the first was taken."""
    flow = before_the_region(provider, domain, origin)
    if flow.draft.connection.endpoint is None and flow.state.list is not None:
        flow.pick(flow.state.list.rows[0].id)
    return flow


def before_the_region(provider: str, domain: str, origin: Origin = Origin.ADDRESS) -> ProviderFlow:
    note = f"from: the ending of the address ({domain})" if origin is Origin.ADDRESS else "your choice"
    return ProviderFlow(Draft(address=Address("ana", domain)).with_provider(get(provider), origin, note), CATALOG)


def at_found(*candidates: Candidate) -> ProviderFlow:
    draft = replace(Draft(address=FIRM), candidates=candidates)
    return ProviderFlow(with_candidate(draft, CATALOG, candidates[0]), CATALOG)


def unknown(**known: object) -> ProviderFlow:
    return ProviderFlow(replace(Draft(address=FIRM), **known), CATALOG)  # type: ignore[arg-type]  # fields by name


def offered(state: ProviderState) -> list[ProviderOffer]:
    return [each.id for each in state.offers]


def draft_of(leads: Leads | None, kind: type[Next] | type[Back]) -> Draft:
    assert isinstance(leads, kind), leads
    return leads.draft


def used(flow: ProviderFlow) -> Draft:
    """Go on with the provider, and say yes to its server where that is asked."""
    leads = asyncio.run(flow.act(ProviderOffer.USE)) or asyncio.run(flow.act(ProviderOffer.CONFIRM))
    return draft_of(leads, Next)


# --- a provider that is known -----------------------------------------------------------------------------------------


async def test_enter_goes_on_with_a_provider_that_is_known() -> None:
    flow = at("gmail", "gmail.com")
    state = flow.state
    assert state.question == "Your mail is with Gmail."
    assert state.card is not None
    assert (state.card.mood, state.card.title) == (Mood.TOLD, "Gmail wants an app password")
    assert state.preselected is ProviderOffer.USE
    assert offered(state) == [ProviderOffer.USE, ProviderOffer.OTHER, ProviderOffer.HAND]
    draft = draft_of(await flow.act(ProviderOffer.USE), Next)
    assert draft.connection.endpoint == get("gmail").best()
    assert next_step(draft, step(StepId.PROVIDER)) is step(StepId.SIGN_IN)


async def test_the_server_by_hand_keeps_the_settings_of_the_provider() -> None:
    flow = at("gmail", "gmail.com")
    draft = draft_of(await flow.act(ProviderOffer.HAND), Next)
    assert (draft.by_hand, draft.connection.provider, draft.connection.endpoint) == (True, "gmail", get("gmail").best())
    way = get("gmail").path(draft.connection.path or "")
    assert way is not None
    assert way.guide == "gmail-app-password", "and its guide, not that for any provider"
    again = ProviderFlow(draft, CATALOG)
    assert again.state.preselected is ProviderOffer.HAND, "what was chosen before"
    assert draft_of(await again.act(ProviderOffer.USE), Next).by_hand is False


@each_row("provider", [each for each in CATALOG.providers if takes_password(each)], ids=lambda provider: provider.id)
def test_the_server_by_hand_asks_no_way_in_and_using_the_provider_asks_it_again(provider: Provider) -> None:
    if provider.kind in {ProviderKind.CUSTOM, ProviderKind.SANDBOX}:
        return
    flow = at(provider.id, "firm.example", Origin.CHOSEN)
    draft = draft_of(asyncio.run(flow.act(ProviderOffer.HAND)), Next)
    asked = next_step(used(flow), step(StepId.PROVIDER))
    assert next_step(draft, step(StepId.PROVIDER)) is step(StepId.SERVER)
    assert previous_step(draft, step(StepId.SERVER)) is step(StepId.PROVIDER)
    way = provider.path(draft.connection.path or "")
    assert way is None or (is_usable(way) and way.auth is not PathAuth.OAUTH2)
    again = used(ProviderFlow(draft, CATALOG))
    assert (again.ways, next_step(again, step(StepId.PROVIDER))) == (len(provider.paths), asked)


async def test_the_server_by_hand_keeps_the_way_in_that_was_taken() -> None:
    """And the password that was typed for it."""
    taken = at("gmail", "gmail.com").draft.with_path(get("gmail").paths[1])
    taken = taken.with_sign_in("ana@gmail.com", Secret("abcd efgh"))
    draft = draft_of(await ProviderFlow(taken, CATALOG).act(ProviderOffer.HAND), Next)
    assert (draft.connection.path, draft.secret) == (taken.connection.path, taken.secret)


async def test_back_leads_to_the_address_with_everything() -> None:
    flow = at("gmail", "gmail.com")
    assert draft_of(await flow.act(ProviderOffer.BACK), Back) == flow.draft


def test_settings_changes_and_sources_stand_beside_the_question_and_never_in_it() -> None:
    state = at("gmail", "gmail.com").state
    assert state.settings == "smtp.gmail.com, port 465, SSL/TLS · checked 30 November 2026"
    settings, changed = state.rail
    assert (settings.title, changed.title) == ("Settings", "What changed")
    assert "Known from the ending of the address (gmail.com)." in settings.lines
    assert any(line.startswith("· 30 May 2022: ") for line in changed.lines)
    assert [part.title for part in state.changed] == [
        "What the old help article says",
        "What holds today",
        "Sources",
    ]
    said = " ".join(line for part in state.changed for line in part.lines)
    for fact in get("gmail").sources:
        assert fact.title in said
        assert fact.date in said


@each_row("provider", CATALOG.providers, ids=lambda provider: provider.id)
def test_each_provider_says_what_it_takes_and_each_offer_leads_somewhere(provider: Provider) -> None:
    if provider.kind is ProviderKind.CUSTOM:
        return
    domain = next((each for each in provider.domains if "*" not in each), "firm.example")
    state = at(provider.id, domain).state
    assert ProviderOffer.HAND in offered(state), "always in sight"
    assert state.card is not None
    assert all(state.card.lines), state.card
    assert (state.preselected is None) == (not takes_password(provider))
    said = [state.question, state.card.title, *state.card.lines, *state.notes]
    said += [words for each in state.offers for words in (each.verb, each.note)]
    assert not any(bad in words for words in said for bad in ("{", "}", "None", "  ")), said
    for offer in offered(state):
        flow = at(provider.id, domain)
        before = flow.state
        leads = asyncio.run(flow.act(offer))
        assert leads is not None or flow.state != before, offer


# --- an account that is known in one region only ----------------------------------------------------------------------


@pytest.mark.parametrize("provider", ["zoho", "ionos", "amazon-ses", "amazon-workmail", "mailgun", "gmx"])
def test_no_region_is_taken_unasked(provider: str) -> None:
    flow = before_the_region(provider, "firm.example", Origin.CHOSEN)
    assert flow.draft.connection.endpoint is None
    listed = flow.state.list
    assert listed is not None
    assert listed.preselected is None, "Enter takes none of them"
    assert len({row.id for row in listed.rows}) == len(listed.rows) == listed.likely > 1
    assert resume_step(flow.draft) is step(StepId.PROVIDER), "nothing goes on without a server"
    flow.pick(listed.rows[1].id)
    assert flow.state.card is not None
    draft = used(flow)
    assert draft.connection.endpoint is not None
    assert (draft.connection.endpoint.host, draft.connection.provider) == (listed.rows[1].id, provider)
    assert server_trust(draft, CATALOG) is ServerTrust.NAMED


async def test_a_region_is_found_by_its_name() -> None:
    flow = before_the_region("amazon-ses", "firm.example", Origin.CHOSEN)
    flow.search("Central-1")
    assert flow.state.list is not None
    assert [row.name for row in flow.state.list.rows] == ["eu-central-1", "ca-central-1"]
    flow.search("eu-central")
    assert flow.state.list.preselected == "email-smtp.eu-central-1.amazonaws.com"


@pytest.mark.parametrize(("mx", "host"), [("mx.zoho.eu", "smtppro.zoho.eu"), ("mx2.zoho.in", "smtppro.zoho.in")])
def test_the_mail_host_tells_the_region_of_a_provider_that_is_chosen(mx: str, host: str) -> None:
    draft = replace(Draft(address=FIRM), mx_hosts=(mx,))
    flow = ProviderFlow(with_choice(draft, CATALOG, get("zoho")), CATALOG)
    assert flow.draft.connection.endpoint == Endpoint(host, 465, Security.TLS)
    assert used(flow).connection.endpoint == Endpoint(host, 465, Security.TLS)


async def test_from_the_regions_of_a_chosen_provider_back_leads_to_another_one() -> None:
    flow = before_the_region("zoho", "firm.example", Origin.CHOSEN)
    assert await flow.act(ProviderOffer.BACK) is None
    assert flow.state.list is not None
    assert len(flow.state.list.rows) == MOST_LISTED
    flow.pick("gmail")
    assert flow.draft.connection.provider == "gmail"
    again = before_the_region("zoho", "firm.example", Origin.CHOSEN)
    await again.act(ProviderOffer.BACK)
    draft_of(await again.act(ProviderOffer.BACK), Back)


# --- which application will send --------------------------------------------------------------------------------------


async def test_which_application_will_send_is_remembered() -> None:
    flow = at("gmail", "gmail.com")
    asked = flow.state.application
    assert asked is not None
    assert asked.answers[0].words == CATALOG.applications[0].name
    assert asked.chosen is asked.answers[0]
    named = draft_of(await flow.act(ProviderOffer.USE), Next)
    assert (named.application, named.application_name) == (Application.PASSWORD, CATALOG.applications[0].name)
    flow.choose_application(asked.answers[-1])
    other = draft_of(await flow.act(ProviderOffer.USE), Next)
    assert (other.application, other.application_name) == (Application.OAUTH, "")
    again = ProviderFlow(other, CATALOG).state.application
    assert again is not None
    assert again.chosen == asked.answers[-1]


def test_it_is_not_asked_where_the_answer_changes_nothing() -> None:
    for provider_id in ("ionos", "sandbox", "outlook-com", "brevo", "yahoo"):
        assert at(provider_id, "firm.example").state.application is None, provider_id


def test_an_application_of_the_data_is_offered_by_its_name_and_none_is_known_to_the_program() -> None:
    nameless = Catalog(CATALOG.providers, (), ())
    asked = ProviderFlow(at("gmail", "gmail.com").draft, nameless).state.application
    assert asked is not None
    assert [each.name for each in asked.answers] == ["", ""]
    barred = ProviderFlow(at("outlook-com", "outlook.com").draft, nameless).state
    assert barred.card is not None
    assert barred.card.lines[-1].startswith("An application that takes a user name and a password cannot")


# --- an application with a password cannot send -----------------------------------------------------------------------


def test_a_mailbox_that_only_a_browser_opens_says_so_and_prefers_no_way_on() -> None:
    state = at("outlook-com", "hotmail.com").state
    assert state.card is not None
    assert state.question == "Your application cannot send through hotmail.com since September 2024."
    assert state.card.title == "Your mail is with Outlook.com"
    assert state.card.mood is Mood.WARNED
    assert CATALOG.applications[0].name in state.card.lines[-1]
    assert state.preselected is None
    assert offered(state)[:3] == [ProviderOffer.MAILBOX, ProviderOffer.SERVICE, ProviderOffer.BROWSER]
    assert "whoever looks after your computers" in state.offers[2].note
    assert [each.part for each in state.offers[3:]] == ["Other ways", "Other ways"]
    assert ProviderOffer.USE not in offered(state), "the way that nobody gets through is not offered"


async def test_another_mailbox_begins_with_its_address_and_keeps_the_application() -> None:
    flow = at("outlook-com", "hotmail.com")
    flow.draft = replace(flow.draft, application=Application.PASSWORD, application_name="Any")
    draft = draft_of(await flow.act(ProviderOffer.MAILBOX), Back)
    assert (draft.address, draft.connection.provider, draft.connection.endpoint, draft.ways) == (None, None, None, 0)
    assert (draft.application, draft.application_name) == (Application.PASSWORD, "Any")


async def test_a_sending_service_is_chosen_from_those_there_are() -> None:
    flow = at("outlook-com", "hotmail.com")
    assert await flow.act(ProviderOffer.SERVICE) is None
    listed = flow.state.list
    assert listed is not None
    relays = [each.id for each in CATALOG.providers if each.kind is ProviderKind.RELAY]
    assert sorted(each.id for each in listed.rows) == sorted(relays)
    first = [each.id for each in CATALOG.sending_services[:4]]
    assert [each.id for each in listed.rows[:4]] == first
    assert all(path.guide == each for each in first for path in get(each).paths), "with a guide of their own"
    assert listed.preselected is None
    flow.search("gmail")
    assert flow.state.list is not None
    assert "gmail" not in [each.id for each in flow.state.list.rows], "no mailbox among them"
    flow.pick(first[0])
    assert flow.state.question == f"You send through {get(first[0]).short_name}."
    assert flow.state.preselected is ProviderOffer.USE
    draft = draft_of(await flow.act(ProviderOffer.USE), Next)
    assert (draft.connection.provider, str(draft.address)) == (first[0], "ana@hotmail.com")


async def test_an_application_with_a_browser_goes_on_to_the_sign_in() -> None:
    draft = draft_of(await at("outlook-com", "hotmail.com").act(ProviderOffer.BROWSER), Next)
    assert (draft.application, draft.connection.provider) == (Application.OAUTH, "outlook-com")
    assert next_step(draft, step(StepId.PROVIDER)) is step(StepId.SIGN_IN)


async def test_the_server_by_hand_is_no_server_of_a_provider_that_takes_no_password() -> None:
    draft = draft_of(await at("outlook-com", "hotmail.com").act(ProviderOffer.HAND), Next)
    assert (draft.connection.provider, draft.by_hand, draft.connection.endpoint) == ("custom", True, None)


@pytest.mark.parametrize("provider_id", [each.id for each in CATALOG.providers if each.kind is ProviderKind.NO_SMTP])
def test_who_lets_no_program_send_has_two_ways_on_and_no_browser(provider_id: str) -> None:
    state = at(provider_id, get(provider_id).domains[0]).state
    assert offered(state)[:2] == [ProviderOffer.MAILBOX, ProviderOffer.SERVICE]
    assert ProviderOffer.BROWSER not in offered(state)
    assert state.preselected is None


def test_through_a_domain_of_ones_own_the_provider_is_named() -> None:
    state = at("outlook-com", "firm.example", Origin.CHOSEN).state
    assert "through Outlook.com since September 2024" in state.question


# --- an address that was not recognised -------------------------------------------------------------------------------


async def test_nothing_is_preselected_for_an_address_that_was_not_recognised() -> None:
    flow = unknown(origin_note="Nobody names a server.", found_notes=("It has a website.",))
    state = flow.state
    assert state.question == "Who runs your mailbox?"
    assert state.list is not None
    assert (state.list.preselected, state.preselected) == (None, None)
    assert len(state.list.rows) == MOST_LISTED
    assert state.notes == ("It has a website.",)
    assert state.card is not None
    assert (state.card.title, state.card.lines) == ("Nobody names a server", ())
    assert state.list.filter.hint.startswith(f"the first {MOST_LISTED} of ")
    assert offered(state) == [ProviderOffer.HAND]
    draft = draft_of(await flow.act(ProviderOffer.HAND), Next)
    assert (draft.connection.provider, draft.by_hand) == ("custom", True)
    assert draft_of(await flow.act(ProviderOffer.BACK), Back) == flow.draft


async def test_a_domain_that_does_not_exist_is_said_on_a_card_until_a_provider_is_picked() -> None:
    flow = unknown(origin_note="There is no domain firm.example. Is it spelled right?")
    card = flow.state.card
    assert card is not None
    assert (card.mood, card.title, card.lines) == (
        Mood.WARNED,
        "There is no domain firm.example",
        ("Is it spelled right?",),
    )
    assert (card.foot, flow.state.notes) == ("Esc corrects the address", ())
    assert draft_of(await flow.act(ProviderOffer.BACK), Back).address == FIRM
    shared = unknown(maybe=("ionos", "gmx"), origin_note="Several use it.").state
    assert (shared.card, shared.notes) == (None, ("Several use it.",))


async def test_typing_finds_a_provider_and_picking_it_shows_what_it_takes() -> None:
    flow = unknown()
    flow.search("web.de")
    listed = flow.state.list
    assert listed is not None
    assert (listed.filter.text, listed.rows[0].id, listed.preselected) == ("web.de", "web-de", "web-de")
    flow.pick("web-de")
    assert flow.state.question == "You chose WEB.DE."
    assert draft_of(await flow.act(ProviderOffer.USE), Next) == replace(
        with_choice(Draft(address=FIRM), CATALOG, get("web-de")), by_hand=False
    )


def test_words_that_nothing_is_like_leave_the_server_by_hand() -> None:
    flow = unknown()
    flow.search("no such provider")
    state = flow.state
    assert state.list is not None
    assert (state.list.rows, state.list.filter.hint) == ((), "Nothing like it is listed.")
    assert offered(state) == [ProviderOffer.HAND]
    flow.pick("no-such-id")
    assert flow.state == state


def test_behind_a_filter_it_is_asked_who_keeps_the_mailbox() -> None:
    for maybe in ((), ("microsoft365",)):
        state = unknown(maybe=maybe, filtered_by="Mimecast", origin_note="It is filtered. Who keeps yours?").state
        assert state.question == "Your mail is only passed on there. Who keeps your mailbox?"
    assert state.list is not None
    assert state.list.rows[0].id == "microsoft365"


def test_several_that_share_a_server_come_first() -> None:
    state = unknown(maybe=("microsoft365", "gone", "godaddy-microsoft365")).state
    assert state.question == "It may be at one of several providers. Which one is yours?"
    assert state.list is not None
    assert [each.id for each in state.list.rows[:2]] == ["microsoft365", "godaddy-microsoft365"]
    assert state.list.preselected is None


def test_the_filter_in_front_is_told_once() -> None:
    asks = "The mail of firm.example is filtered by Mimecast (mx), which keeps no mailbox: who keeps yours?"
    state = unknown(origin_note=asks, found_notes=(asks, "More."), filtered_by="Mimecast").state
    assert state.card is not None
    assert (state.card.title, state.notes) == (asks, ("More.",))


async def test_looking_for_another_provider_comes_back_to_where_it_began() -> None:
    flow = at("gmail", "gmail.com")
    before = flow.state
    assert await flow.act(ProviderOffer.OTHER) is None
    assert flow.state.question == "Who runs your mailbox?"
    flow.search("yah")
    assert await flow.act(ProviderOffer.BACK) is None
    assert flow.state == before
    flow.search("nobody asks for words here")
    assert flow.state == before


async def test_another_provider_s_server_by_hand_is_not_that_which_was_found() -> None:
    flow = at_found(OWN)
    await flow.act(ProviderOffer.OTHER)
    draft = draft_of(await flow.act(ProviderOffer.HAND), Next)
    assert (draft.origin, draft.by_hand) == (Origin.HAND, True)


async def test_another_provider_that_takes_no_password_is_said_at_once() -> None:
    flow = unknown()
    flow.pick("outlook-com")
    assert "cannot send through" in flow.state.question


# --- a server that was found ------------------------------------------------------------------------------------------


async def test_a_server_of_the_address_s_own_domain_is_gone_on_with() -> None:
    flow = at_found(OWN, STRANGE)
    state = flow.state
    assert state.question == "Several servers were found for firm.example. The first is the likeliest."
    assert [each.verb for each in state.offers[:2]] == [
        "mail.firm.example, port 465, SSL/TLS",
        "mail.stranger.example, port 587, STARTTLS",
    ]
    assert state.preselected is ProviderOffer.FIRST_SERVER
    draft = draft_of(await flow.act(ProviderOffer.FIRST_SERVER), Next)
    assert (draft.connection.endpoint, draft.by_hand) == (OWN.endpoint, False)


async def test_a_server_of_a_stranger_is_confirmed_first() -> None:
    flow = at_found(OWN, STRANGE)
    assert await flow.act(ProviderOffer.SECOND_SERVER) is None
    asked = flow.state
    assert asked.card is not None
    assert asked.card.title == "Is it your provider's server?"
    assert "mail.stranger.example" in asked.card.lines[0]
    assert asked.preselected is ProviderOffer.DENY, "the careful answer"
    assert await flow.act(ProviderOffer.DENY) is None
    assert flow.state.preselected is ProviderOffer.FIRST_SERVER
    assert flow.draft.connection.endpoint == OWN.endpoint, "a no changes nothing"
    await flow.act(ProviderOffer.SECOND_SERVER)
    assert await flow.act(ProviderOffer.BACK) is None
    await flow.act(ProviderOffer.SECOND_SERVER)
    draft = draft_of(await flow.act(ProviderOffer.CONFIRM), Next)
    assert (draft.connection.endpoint, draft.confirmed_host) == (STRANGE.endpoint, "mail.stranger.example")


async def test_a_found_server_of_a_draft_that_was_left_can_be_used() -> None:
    """The candidates are not kept; the server is."""
    left = replace(at_found(OWN).draft, candidates=())
    flow = ProviderFlow(left, CATALOG)
    assert flow.state.offers[0].verb == "Use mail.firm.example:465"
    assert draft_of(await flow.act(ProviderOffer.USE), Next).connection.endpoint == OWN.endpoint


async def test_a_found_server_can_be_looked_at_and_changed_by_hand() -> None:
    draft = draft_of(await at_found(OWN).act(ProviderOffer.HAND), Next)
    assert (draft.by_hand, draft.connection.endpoint) == (True, OWN.endpoint)


def test_every_way_of_this_program_is_told_from_those_it_cannot_walk() -> None:
    for provider in CATALOG.providers:
        walkable = any(is_usable(path) for path in provider.paths)
        assert walkable or not takes_password(provider), provider.id
