"""The step Provider in lines of text: what was found, which application sends, the list of all."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from smtp_wizard.engine.base.endpoint import Endpoint, Security
from smtp_wizard.engine.discovery.candidate import Candidate, FoundBy
from smtp_wizard.engine.providers.applications import Application
from smtp_wizard.engine.providers.catalog import load_catalog
from tests.plain.exchanges import AT_GMAIL, Look, Walk
from tests.support.dialogue import Exchange

FIRM: Exchange = ("E-mail address:", "ana@firm.example")


def test_what_was_found_is_said_with_how_old_it_is(answered: Look) -> None:
    asked = "port 465, SSL/TLS · checked 30 November 2026 Which application will send?"
    draft = answered(("E-mail address:", "ana@gmail.com"), (asked, ""), ("1. Yes, go on", "use"))
    assert draft.connection.provider == "gmail"


def test_which_application_will_send_is_asked_once(answered: Look) -> None:
    """It is remembered; 'back' leads to it."""
    draft = answered(
        *AT_GMAIL,
        ("1. Yes, go on", "back"),
        ("3. another, browser sign-in Your answer [1]", "3"),
        ("1. Yes, go on", ""),
        ("How shall your application sign in at Gmail?", "back"),
        ("1. Yes, go on", "back"),
        ("Which application will send?", ""),
        ("1. Yes, go on", ""),
    )
    assert (draft.application, draft.application_name) == (Application.OAUTH, "")


def test_an_application_that_cannot_send_has_three_ways_on_and_none_by_enter(answered: Look) -> None:
    draft = answered(
        ("E-mail address:", "ana@hotmail.com"),
        ("Your application cannot send through hotmail.com since September 2024", ""),
        ("Type a number", "service"),
        ("Which sending service will you use?", ""),
        ("Type a number", "back"),
        ("cannot send through", "mailbox"),
        ("E-mail address:", "ana@sandbox.test"),
    )
    assert str(draft.address) == "ana@sandbox.test"


def test_a_sending_service_is_chosen_by_its_name(answered: Look) -> None:
    draft = answered(
        ("E-mail address:", "ana@hotmail.com"),
        ("2. Use a sending service", "2"),
        ("1. Brevo", "brevo"),
        ("You send through Brevo. Brevo wants an SMTP key", ""),
    )
    assert (draft.connection.provider, str(draft.address)) == ("brevo", "ana@hotmail.com")


def test_the_browser_of_such_a_mailbox_is_for_whoever_looks_after_the_computers(walk: Walk) -> None:
    said = walk(
        ("E-mail address:", "ana@hotmail.com"),
        ("3. My application can sign in in a browser", "browser"),
        ("1. Sign in with Microsoft in the browser", ""),
        ("This is for whoever looks after your computers", ""),
        ("Client id", "quit"),
        ("Leave now?", "yes"),
    )
    assert "Other ways 2. Your Microsoft password Closed on 16 September 2024" in said.words


def test_then_and_now_is_an_answer(walk: Walk) -> None:
    """'more' says what the article says, what holds today and who says so; then the question comes again."""
    said = walk(
        *AT_GMAIL,
        ("(or type: more)", "more"),
        ("Sources", "quit"),
        ("Leave now?", "yes"),
    )
    for words in ("What the old help article says", "What holds today", "“"):
        assert words in said.said


def test_another_provider_is_searched_for(answered: Look) -> None:
    """Words that find nothing are said to; 'back' leads to what was found at first."""
    draft = answered(
        *AT_GMAIL,
        ("Yes, go on", "other"),
        ("Type a name, a domain", "back"),
        ("Yes, go on", "other"),
        ("Type a name, a domain", "no such provider"),
        ("Nothing like it is listed.", "yahoo"),
        ("Search with other words", "search"),
        ("Type a name, a domain", "gmx"),
        ("Search with other words", "1"),
        ("GMX has several servers. Which is yours? 1. mail.gmx.com", "2"),
        ("You chose GMX.", ""),
    )
    assert draft.connection.provider is not None
    assert draft.connection.provider.startswith("gmx")
    assert draft.connection.endpoint == Endpoint("mail.gmx.net", 465, Security.TLS)


def test_a_long_list_of_providers_is_cut_and_says_so(walk: Walk) -> None:
    said = walk(
        *(*AT_GMAIL, ("Yes, go on", "other"), ("Type a name, a domain", "e")),
        *(("Search with other words", "quit"), ("Leave now?", "yes")),
    )
    assert "The first 15 of" in said.words


def test_where_nobody_was_found_the_server_is_entered_by_hand(answered: Look, nobody: dict[str, Any]) -> None:
    draft = answered(FIRM, ("Nobody was found. Who runs your mailbox?", "hand"))
    assert (draft.connection.provider, draft.by_hand) == ("custom", True)


def test_servers_that_were_found_are_offered_with_where_they_are_from(answered: Look, nobody: dict[str, Any]) -> None:
    endpoint = Endpoint("smtp.firm.example", 465, Security.TLS)
    first = Candidate(endpoint=endpoint, username="ana@firm.example", source=FoundBy.SRV, trust=0.85, verified=True)
    second = replace(first, endpoint=Endpoint("old.firm.example", 587, Security.STARTTLS), verified=False)
    nobody |= {"candidates": (first, second), "source": FoundBy.SRV, "note": "from: SRV", "problem": None}
    draft = answered(FIRM, ("1. smtp.firm.example, port 465, SSL/TLS", ""))
    assert (draft.connection.endpoint, draft.by_hand) == (first.endpoint, False)
    anew = ("You were setting up", "anew")
    assert answered(anew, FIRM, ("it answers, and its certificate fits", "2")).connection.endpoint == second.endpoint
    assert answered(anew, FIRM, ("Several servers were found", "hand")).by_hand


def test_a_public_list_is_a_question(answered: Look, nobody: dict[str, Any]) -> None:
    nobody["problem"] = None
    answered(FIRM, ("The list learns your domain, never your address.", "no"), ("Who runs your mailbox?", "back"))


def test_where_several_are_possible_they_are_offered_first(answered: Look, nobody: dict[str, Any]) -> None:
    nobody["alternatives"] = load_catalog().providers[:2]
    draft = answered(
        FIRM,
        ("It may be at one of several providers. Which one is yours?", "2"),
        ("You chose Google Workspace.", ""),
        ("Yes, go on", ""),
    )
    assert draft.connection.provider == load_catalog().providers[1].id
