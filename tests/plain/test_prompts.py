"""The wizard in lines of text: by script, with the practice server at the other end; and at a real terminal."""

from __future__ import annotations

import asyncio
import io
import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from smtp_wizard.commands.screens_or_plain import prefers_lines
from smtp_wizard.engine.accounts.saved_accounts import AccountFileError
from smtp_wizard.engine.base.address import Address
from smtp_wizard.engine.base.endpoint import Endpoint, Security
from smtp_wizard.engine.base.identity import Scope
from smtp_wizard.engine.base.shown import phrase
from smtp_wizard.engine.base.stages import Depth, Stage, Verdict
from smtp_wizard.engine.checks.events import Emit, StageStarted
from smtp_wizard.engine.checks.report import Report
from smtp_wizard.engine.discovery.candidate import Candidate, FoundBy
from smtp_wizard.engine.guides.guides import Guides
from smtp_wizard.engine.providers.applications import Application
from smtp_wizard.engine.providers.catalog import load_catalog
from smtp_wizard.engine.sandbox.scenarios import practice_password
from smtp_wizard.engine.scan.control_host import ControlHost
from smtp_wizard.engine.secrets import vault, vault_format
from smtp_wizard.engine.secrets.store_kinds import StoreKind
from smtp_wizard.engine.services.checks import Checks
from smtp_wizard.engine.services.services import Services
from smtp_wizard.engine.smtp.transport import SocketWire
from smtp_wizard.engine.wizard.draft import Draft, Origin, ReportedArrival
from smtp_wizard.engine.wizard.draft_file import DraftFile
from smtp_wizard.engine.wizard.steps import STEPS, StepId, step
from smtp_wizard.launch import build_services
from smtp_wizard.output.plain_lines import WIDTH
from smtp_wizard.plain.conversation import Choice, Conversation, GoBack, Quit, wrap
from smtp_wizard.plain.terminal import Terminal
from smtp_wizard.plain.test_mail import PERHAPS_SENT
from smtp_wizard.plain.waiting import awaited
from smtp_wizard.plain.wizard import PLAIN, PlainWizard
from smtp_wizard.runtime.exits import Interrupted
from tests.support.checking import mendable
from tests.support.cli import run, run_process
from tests.support.codeword import WORD, always_the_same
from tests.support.dialogue import Dialogue, Exchange, talk
from tests.support.discovering import answering
from tests.support.farhost import HOST as FAR_HOST
from tests.support.farhost import REFUSING, STARTTLS_PORT, TLS_PORT, FarHost, serving
from tests.support.network import Network
from tests.support.nouns import with_fields
from tests.support.places import draft_at_testmail
from tests.support.ptys import AtTerminal, at_terminal

PASSWORD, WRONG = "abcdefgh ijklmnop", "my usual password"
"""The practice password, with blanks where it is shown nowhere."""
APP_PASSWORD = "abcd efgh ijkl mnop"

EMAIL: Exchange = ("E-mail address:", "practise")
TYPED: Exchange = ("E-mail address:", "you@sandbox.test")
"""The same, typed as an address."""
USE: Exchange = ("1. Yes, go on", "")
SECRET: Exchange = ("not shown:", PASSWORD)
SEND: Exchange = ("Another address that you read:", "bob@example.org")
ARRIVED: Exchange = ("Which code word is in the message?", WORD)
NAME: Exchange = ("Name of the account [Practice you]:", "")
SENDER: Exchange = ("Sender's name", "")
SCOPE: Exchange = ("What should ServiceMonster send with it?", "")
COMPANY: Exchange = ("Update Company Email:", "")
PLACE: Exchange = ("Save it like this?", "place")
STORE: tuple[Exchange, ...] = (PLACE, ("Where should the password be kept?", "session"))
SAVE: Exchange = ("Save it like this? 1. Save", "")
FINISH: Exchange = ("What next? 1. It works", "")
LEAVE: Exchange = ("Your accounts", "leave")
REVIEW = (NAME, SCOPE, COMPANY, SENDER, *STORE, SAVE)


def practising(path: str) -> Exchange:
    """Choose what the practice server plays."""
    return "What do you want to practise?", path


TO_CONNECT = (EMAIL, practising("accept"))
TO_TESTMAIL = (*TO_CONNECT, SECRET)
TO_REVIEW = (*TO_TESTMAIL, SEND, ARRIVED)
TO_DONE = (*TO_REVIEW, *REVIEW)


@pytest.fixture
def network() -> Network:
    """The network of the walks, which a test may exchange."""
    return Network(SocketWire())


@pytest.fixture
def services(own_home: Path, network: Network) -> Services:
    return build_services(own_home / "config", {}, wire=network)


@pytest.fixture(scope="module")
def guides() -> Guides:
    return Guides()


@pytest.fixture(autouse=True)
def one_word(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every test message has the same code word."""
    always_the_same(monkeypatch)


@pytest.fixture(autouse=True)
def a_cheap_vault(monkeypatch: pytest.MonkeyPatch) -> None:
    """Guessing at the passphrases of these tests need not be dear."""
    monkeypatch.setattr(vault, "USUAL", vault_format.Cost(n=2**4))


Walk = Callable[..., Dialogue]


@pytest.fixture
def walk(services: Services, guides: Guides) -> Walk:
    """Walk by a script, whose every answer must be asked for; the person leaves at its end."""

    def walked(*script: Exchange, start: str = "setup", draft: Draft | None = None, **how: Any) -> Dialogue:
        dialogue = Dialogue(*script, **how)
        assert PlainWizard(services, guides, dialogue).run(start=start, draft=draft) == 0
        dialogue.over()
        return dialogue

    return walked


Look = Callable[..., Draft]


@pytest.fixture
def answered(services: Services, guides: Guides) -> Look:
    """Walk by a script that ends with 'quit' somewhere in the middle; return the draft as it is then."""

    def walked(*script: Exchange, draft: Draft | None = None) -> Draft:
        dialogue = Dialogue(*script, ("", "quit"), ("Leave now?", "yes"))
        wizard = PlainWizard(services, guides, dialogue)
        assert wizard.run(start="setup", draft=draft) == 0
        dialogue.over()
        return wizard.draft

    return walked


def at_server(draft: Draft | None = None, **changes: Any) -> Draft:
    """A draft that goes on at the server's settings, by hand."""
    custom = next(each for each in load_catalog().providers if each.id == "custom")
    begun = Draft().with_address(Address("ana", "firm.example"))
    found = begun.with_provider(custom, Origin.HAND)
    return with_fields(found.with_path(custom.paths[0]), **changes)


# --- all of it ---


def test_every_step_of_the_wizard_can_be_asked() -> None:
    assert set(PLAIN) == {each.id for each in STEPS}


def test_from_the_address_to_the_saved_account(walk: Walk, services: Services) -> None:
    """Eight steps, then the account is in the list; the password is nowhere to be read."""
    said = walk(*TO_DONE, FINISH, LEAVE)
    (account,) = services.saved_accounts.list()
    assert (account.name, str(account.address), account.scope) == ("Practice you", "you@sandbox.test", Scope.GENERAL)
    assert account.store is not None
    assert account.store.kind is StoreKind.SESSION
    assert account.last is not None
    assert account.last.verdict is Verdict.PASS
    assert "Server               127.0.0.1" in said.said
    assert "ok    Sign in       signed in as you@sandbox.test" in said.said
    assert PASSWORD not in said.said
    assert said.hidden == ["Practice password, not shown: "]
    assert DraftFile(services.folder).load() is None


def test_no_line_is_longer_than_a_terminal_of_80_shows(walk: Walk) -> None:
    said = walk(*TO_DONE, ("What next?", "which"), FINISH, LEAVE)
    long = [line for line in said.said.splitlines() if len(line) > WIDTH and len(line.split()) > 1]
    assert long == []


def test_help_at_every_question_says_what_it_is_for(services: Services, guides: Guides) -> None:
    """'help' is answered everywhere, and the question asked again."""
    dialogue = _AsksForHelp(*TO_DONE, FINISH, LEAVE)
    PlainWizard(services, guides, dialogue).run(start="setup")
    dialogue.over()
    assert dialogue.words.count("'back' goes to the question before") == 1 + len((*TO_DONE, FINISH, LEAVE))
    for purpose in ("which mail server takes your messages", "your usual password", "plain file", "their last test"):
        assert purpose in dialogue.words
    assert "not even as stars" in dialogue.words
    assert PASSWORD not in dialogue.said


class _AsksForHelp(Dialogue):
    """Types 'help' before each of its answers."""

    def __init__(self, *script: Exchange) -> None:
        doubled = [each for awaited, answer in script for each in ((awaited, "help"), ("", answer))]
        super().__init__(*doubled)


def test_back_through_everything_and_forth_again_loses_nothing(services: Services, guides: Guides) -> None:
    """From the last question to the very first by 'back', and with Enter alone to the end again."""
    sender, company = ("Sender's name", "Ana of Example"), (COMPANY[0], "yes")
    there = (*TO_REVIEW, NAME, (SCOPE[0], "all"), company, sender, *STORE)
    back = [
        *((SAVE[0], "back"), ("Sender's name [Ana of Example]", "back"), (COMPANY[0], "back")),
        *((SCOPE[0], "back"), ("Name of the account", "back"), ("The test message arrived.", "back")),
        *(("Signed in The practice server takes mail", "back"), ("What do you want to practise?", "back")),
        *(("Yes, go on", "back"), ("E-mail address [you@sandbox.test]:", "back"), ("nothing before this", "")),
    ]
    forth = [
        *(practising(""), ("Signed in The practice server takes mail", "")),
        *(("The message has reached bob@example.org.", ""), NAME, SCOPE, COMPANY),
        *(("Sender's name [Ana of Example]", ""), SAVE, FINISH, LEAVE),
    ]
    dialogue = Dialogue(*there, *back, *forth)
    PlainWizard(services, guides, dialogue).run(start="setup")
    dialogue.over()
    (account,) = services.saved_accounts.list()
    assert (account.identity.sender_name, account.identity.update_company, account.scope) == (
        "Ana of Example",
        True,
        Scope.ALL,
    )
    assert account.last is not None
    assert account.last.depth is Depth.SEND


# --- email ---


def test_what_is_no_address_is_said_and_asked_again(answered: Look) -> None:
    draft = answered(("E-mail address:", "ana"), ("has an @", "ana@"), ("not an e-mail address", "ana@sandbox.test"))
    assert str(draft.address) == "ana@sandbox.test"


def test_a_misspelt_ending_is_offered_back(answered: Look) -> None:
    """Enter takes the ending that was meant."""
    draft = answered(("E-mail address:", "ana@gmial.com"), ("Did you mean gmail.com? 1. Yes: ana@gmail.com", ""))
    assert (str(draft.address), draft.connection.provider) == ("ana@gmail.com", "gmail")


def test_a_misspelt_ending_can_be_kept_or_thought_over(answered: Look, nobody: dict[str, Any]) -> None:
    draft = answered(
        ("E-mail address:", "ana@gmial.com"),
        ("Did you mean", "back"),
        ("E-mail address [ana@gmial.com]:", ""),
        ("Did you mean", "keep"),
    )
    assert str(draft.address) == "ana@gmial.com"


# --- provider ---


@pytest.fixture
def nobody(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """What the look-up of an unknown domain comes to, instead of asking the DNS."""
    return answering(monkeypatch).found


AT_GMAIL: tuple[Exchange, ...] = (("E-mail address:", "ana@gmail.com"), ("Which application will send?", ""))
FIRM: Exchange = ("E-mail address:", "ana@firm.example")


def test_what_was_found_is_said_with_how_old_it_is(answered: Look) -> None:
    asked = "port 465, SSL/TLS · checked 23 November 2026 Which application will send?"
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
        ("You chose GMX.", ""),
    )
    assert draft.connection.provider is not None
    assert draft.connection.provider.startswith("gmx")


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
        ("Several providers share this mail server. Which one is yours?", "2"),
        ("You chose Google Workspace.", ""),
        ("Yes, go on", ""),
    )
    assert draft.connection.provider == load_catalog().providers[1].id


# --- sign-in ---

GMAIL = (*AT_GMAIL, USE)


def test_a_closed_way_leads_to_what_replaced_it(answered: Look) -> None:
    """The closed way says since when it is closed, shows its guide, and leads to the way that works."""
    draft = answered(
        *GMAIL,
        ("Closed on 30 May 2022", "less-secure-apps"),
        ("What will you do instead?", "app-password"),
    )
    assert draft.connection.path == "app-password"


def test_a_closed_way_can_be_left_for_the_list_again(answered: Look) -> None:
    draft = answered(
        *GMAIL,
        ("Is 2-Step Verification on", "less-secure-apps"),
        ("What will you do instead?", "list"),
        ("Is 2-Step Verification on", "less-secure-apps"),
        ("What will you do instead?", "back"),
        ("Is 2-Step Verification on", "app-password"),
    )
    assert draft.connection.path == "app-password"


def test_a_way_in_the_browser_stands_behind_what_works_for_a_password(walk: Walk) -> None:
    """For an application that takes a password, that it proves nothing is said before it is chosen."""
    said = walk(
        *GMAIL,
        ("Other ways 4. Sign in", "oauth"),
        ("proves nothing for it", "browser"),
        ("This is for whoever looks after your computers", "1"),
        ("Client id", "quit"),
        ("Leave now?", "yes"),
    )
    assert "This is for whoever looks after your computers" in said.words
    assert "quarter of an hour" in said.words


def test_a_way_in_the_browser_is_first_for_an_application_that_can_do_it(walk: Walk) -> None:
    said = walk(
        ("E-mail address:", "ana@gmail.com"),
        ("Which application will send?", "oauth"),
        USE,
        ("1. Sign in", "1"),
        ("This is for whoever looks after your computers", ""),
        ("Client id", "quit"),
        ("Leave now?", "yes"),
    )
    assert "In production" in said.words, "the guide"


# --- server ---


@pytest.mark.parametrize(
    ("bad", "why"),
    [
        ("http://mail.example.com", "without http://"),
        ("mail example com", "no blanks"),
        ("mail.example.com/path", "without a slash"),
        ("mail_1.example.com", "underscore"),
        ("mail.example.com:99999", "port is a number"),
        ("ana@example.com", "e-mail address"),
    ],
)
def test_a_server_that_is_none_is_said_and_asked_again(answered: Look, bad: str, why: str) -> None:
    draft = answered(("Outgoing server", bad), (why, "mail.example.com"), draft=at_server())
    assert draft.connection.endpoint == Endpoint("mail.example.com", 465, Security.TLS)


def test_a_server_is_taken_as_it_was_pasted(answered: Look) -> None:
    draft = answered(("Outgoing server", "smtps://mail.example.com:2465"), draft=at_server())
    assert draft.connection.endpoint == Endpoint("mail.example.com", 2465, Security.TLS)


def test_a_server_in_other_letters_is_taken(answered: Look) -> None:
    draft = answered(("Outgoing server", "münchen.example"), draft=at_server())
    assert draft.connection.endpoint is not None
    assert draft.connection.endpoint.host == "xn--mnchen-3ya.example"


@pytest.mark.parametrize("bad", ["abc", "0", "99999", "-1", "587.0"])
def test_a_port_that_is_none_is_said_and_asked_again(answered: Look, bad: str) -> None:
    draft = answered(HOST, SECURITY, ("Port [587]", bad), ("from 1 to 65535", "2525"), draft=at_server())
    assert draft.connection.endpoint == Endpoint("127.0.0.1", 2525, Security.STARTTLS)


HOST: Exchange = ("Outgoing server", "127.0.0.1")
SECURITY: Exchange = ("Secure connection:", "starttls")


def to_settings(port: str = "", user: str = "ana") -> tuple[Exchange, ...]:
    """Everything about the server up to where it can be tested."""
    return HOST, SECURITY, ("Port [587]", port), ("User name", user), ("From address", "")


def test_the_port_follows_the_security_until_one_is_typed(answered: Look) -> None:
    draft = answered(
        *(HOST, ("Secure connection:", "tls"), ("Port [465]", "back"), SECURITY, ("Port [587]", "4000")),
        *(("User name", "back"), ("Port [4000]", "back"), ("Secure connection:", "tls"), ("Port [4000]", "")),
        draft=at_server(),
    )
    assert draft.connection.endpoint == Endpoint("127.0.0.1", 4000, Security.TLS)


def test_without_a_user_name_the_server_wants_no_sign_in(answered: Look) -> None:
    """'-' empties what stands in brackets."""
    draft = answered(*to_settings(user="-"), draft=at_server(username="ana"))
    assert (draft.connection.username, draft.connection.auth) == ("", "none")


def test_the_from_address_may_differ(answered: Look) -> None:
    draft = answered(*to_settings()[:-1], ("From address", "office@firm.example"), draft=at_server())
    assert str(draft.from_address) == "office@firm.example"


def test_the_server_is_tested_without_a_password(walk: Walk) -> None:
    """Behind 'Enter the server by hand': each stage up to the encryption, and what that proved."""
    said = walk(
        *(TYPED, practising("back"), ("Yes, go on", "hand"), practising("accept")),
        *(
            ("Outgoing server", ""),
            ("Secure", ""),
            ("Port", ""),
            ("User name", ""),
            ("From address", ""),
            ("Try this port only", "test"),
            ("Server: 127", "quit"),
        ),
        ("Leave now?", "yes"),
    )
    assert "ok    Encryption" in said.said
    assert "Sign in " not in said.said
    assert "Server and port are right. The password comes next." in said.words


FAR: Exchange = ("Outgoing server", FAR_HOST)
AWAY: tuple[Exchange, ...] = (("", "quit"), ("Leave now?", "yes"))
BLOCKS = "whether this network blocks port 587"


def test_the_usual_ports_are_tried_and_the_best_that_answers_is_taken(walk: Walk, network: Network) -> None:
    """Each is told of as it answers; then which is best and why, and what the network does."""
    network.wire = FarHost({465: REFUSING, 587: serving(*STARTTLS_PORT), 2525: REFUSING, 25: REFUSING})
    script = (FAR, *to_settings("4000")[1:], ("Try the usual ports", "ports"))
    said = walk(*script, (f"Server: {FAR_HOST}, port 587, STARTTLS", "quit"), AWAY[1], draft=at_server())
    for words in (
        "-- 465 refuses connections",
        "ok 587 STARTTLS",
        "It is the port for handing in mail",
    ):
        assert words in said.words
    assert "Connections to ports 465, 2525 and 25 are refused at once" in said.words
    assert said.words.index("465 refuses") < said.words.index("587 STARTTLS")


def test_where_no_usual_port_answers_the_settings_stay(answered: Look, network: Network) -> None:
    network.wire = FarHost(dict.fromkeys((465, 587, 2525, 25), REFUSING))
    script = (FAR, *to_settings("4000")[1:], ("Try the usual", "ports"), ("None of the usual ports answers", "back"))
    draft = answered(*script, draft=at_server())
    assert draft.connection.endpoint == Endpoint(FAR_HOST, 4000, Security.STARTTLS)


@pytest.fixture
def gmail_is_neutral(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whom to ask about port 587."""
    known = (ControlHost("smtp.gmail.com", (587,)),)
    monkeypatch.setattr("smtp_wizard.engine.scan.control_host.load_control_hosts", lambda: known)


@pytest.mark.usefixtures("gmail_is_neutral")
@pytest.mark.parametrize("yes", [True, False])
def test_whether_the_network_blocks_a_port_is_found_out_after_a_yes(walk: Walk, network: Network, yes: bool) -> None:
    """The host that would be contacted is named; without a yes it is not even looked up."""
    wire = FarHost({587: REFUSING})
    network.wire = wire
    said = walk(
        *(FAR, *to_settings()[1:], ("Try this port only", "test"), (BLOCKS, "network")),
        *(("smtp.gmail.com, a well-known mail server", "yes" if yes else ""), *AWAY),
        draft=at_server(),
    )
    assert ("smtp.gmail.com" in wire.asked) is yes
    assert ("This network blocks port 587 Smtp.gmail.com serves there" in said.words) is yes


@pytest.mark.usefixtures("gmail_is_neutral")
def test_whether_the_network_blocks_a_port_can_be_asked_where_one_signs_in(walk: Walk, network: Network) -> None:
    """What to do begins with another port of the same server that does serve."""
    network.wire = FarHost({587: REFUSING, 465: serving(*TLS_PORT)})
    said = walk(
        *(FAR, *to_settings()[1:], ("Use this server", "on"), ("User name", ""), ("not shown", PASSWORD)),
        *((BLOCKS, "network"), ("smtp.gmail.com", "yes"), *AWAY),
        draft=at_server(),
    )
    assert "Who must act: Whoever runs the network 1. Use port 465 with SSL/TLS instead: it serves." in said.words


BETTER = Endpoint("127.0.0.1", 465, Security.TLS)


def test_what_a_finding_offers_is_the_first_answer(
    answered: Look, services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Enter takes the offer and tests it."""
    monkeypatch.setattr(services.checks, "check_draft", mendable(BETTER))
    offer = "1. Use port 465 with SSL/TLS"
    draft = answered(
        *to_settings(),
        ("Try this port only", "test"),
        (offer, ""),
        ("Server and port are right", "on"),
        draft=at_server(),
    )
    assert draft.connection.endpoint == BETTER


def security_of(draft: Draft) -> Security | None:
    return draft.connection.endpoint.security if draft.connection.endpoint is not None else None


def test_a_password_without_encryption_needs_a_yes(answered: Look) -> None:
    """The careful answer is the first; a secure connection can be chosen on the spot."""
    bare = (
        HOST,
        ("Secure connection:", "none"),
        ("Port [25]", ""),
        ("User name", "ana"),
        ("From", ""),
        ("Use this server", "on"),
    )
    agreed = answered(*bare, ("everybody between this computer", "yes"), draft=at_server())
    assert agreed.connection.allow_cleartext
    assert security_of(agreed) is Security.NONE
    script = (*bare, ("everybody between", ""), ("Secure connection:", "tls"), ("Port [465]", ""))
    careful = answered(*script, draft=at_server())
    assert not careful.connection.allow_cleartext
    assert security_of(careful) is Security.TLS


# --- connect ---


def test_a_wrong_password_says_what_who_and_what_next_and_can_be_typed_again(walk: Walk) -> None:
    """One attempt an answer; the finding, the guide that helps and the conversation can be read; nothing is lost."""
    said = walk(
        *(EMAIL, practising("wrong-password"), SECRET),
        ("What now?", "details"),
        ("AUTH PLAIN", "guide"),
        ("Checked 2", "again"),
        ("not shown (Enter: the one from before):", ""),
        ("Exactly this was refused, so nothing was sent.", "again"),
        ("not shown (Enter", "tried in vain"),
        ("FAIL Sign in", "same"),
        ("FAIL Sign in", "back"),
        ("What do you want to practise?", "quit"),
        ("Leave now? The account is not saved yet.", "yes"),
    )
    assert said.words.count("FAIL Sign in") == 3
    for words in ("Who must act: ", "What to do:", "The server said: 535"):
        assert words in said.words
    assert PASSWORD not in said.said
    assert "tried in vain" not in said.said


def test_a_wrong_kind_of_password_is_pointed_out_before_it_is_tried(walk: Walk) -> None:
    """The usual password where an app password is wanted; then the app password, whose blanks do not matter."""
    said = walk(
        *(EMAIL, practising("app-password-required")),
        ("App password, not shown:", WRONG),
        ("which is refused here. 1. Type it again", ""),
        ("App password, not shown:", APP_PASSWORD),
        ("The practice server takes mail from you@sandbox.test.", "skip"),
        *(*REVIEW, FINISH, LEAVE),
    )
    assert "Signed in" in said.words
    assert "FAIL" not in said.said


def test_a_wrong_kind_of_password_can_be_tried_all_the_same(walk: Walk) -> None:
    said = walk(
        *(EMAIL, practising("app-password-required"), ("App password", WRONG), ("1. Type it", "yes")),
        *(("FAIL Sign in", "quit"), ("Leave now?", "yes")),
    )
    assert "app password" in said.words


@pytest.mark.usefixtures("any_password")
@pytest.mark.parametrize(
    ("typed", "why"),
    [(" secret", "a blank at its beginning or end"), ("secret\u00a0", "no-break"), ("se\u200bcret", "cannot be seen")],
)
def test_what_came_along_with_a_copy_is_asked_about_and_never_taken_away(answered: Look, typed: str, why: str) -> None:
    draft = answered(*TO_CONNECT, ("not shown:", typed), (why, "yes"), ("Another address that you read", "back"))
    assert draft.secret is not None
    assert draft.secret.reveal() == typed


@pytest.mark.usefixtures("any_password")
@pytest.mark.parametrize("typed", ["100% $HOME", 'it\'s "quoted"', "pässwörd", "x" * 300])
def test_any_other_password_is_taken_as_it_is(answered: Look, typed: str) -> None:
    draft = answered(*TO_CONNECT, ("not shown:", typed), ("Another address that you read", "back"))
    assert draft.secret is not None
    assert draft.secret.reveal() == typed


def test_no_password_is_no_answer(walk: Walk) -> None:
    walk(*TO_CONNECT, ("not shown:", ""), ("Type the password first", "quit"), ("Leave now?", "yes"))


def test_an_expired_certificate_keeps_the_password_here(walk: Walk) -> None:
    said = walk(
        *(EMAIL, practising("expired-certificate"), SECRET),
        *(("FAIL Encryption", "details"), ("STARTTLS", "quit"), ("Leave now?", "yes")),
    )
    assert "AUTH" not in said.said.partition("C: this program")[2]


def test_the_offer_of_a_finding_is_taken_with_the_password_that_was_typed(
    answered: Look, services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(services.checks, "check_draft", mendable(BETTER))
    offered = Endpoint("127.0.0.1", 587, Security.STARTTLS)
    draft = at_server(endpoint=offered, username="ana", by_hand=False).confirmed()
    done = answered(("User name [ana]", ""), ("not shown:", PASSWORD), ("1. Use SSL/TLS", ""), draft=draft)
    assert (done.connection.endpoint, done.signed_in) == (BETTER, True)


def test_a_server_without_sign_in_is_checked_at_once(answered: Look, services: Services) -> None:
    here = Endpoint("127.0.0.1", 5871, Security.STARTTLS)
    draft = answered(
        *(
            ("Outgoing server", ""),
            ("Secure", ""),
            ("Port", ""),
            ("User name", "-"),
            ("From", ""),
            ("Use this server", "on"),
        ),
        *(("The server answers", "back"), ("1. Send a test", "again")),
        draft=at_server(endpoint=here, sandbox="accept", username="").confirmed(),
    )
    assert draft.signed_in


def test_a_terminal_that_cannot_hide_says_so_before_anything_is_typed(walk: Walk) -> None:
    """Going back is the first answer; typing in sight is a decision."""
    said = walk(
        *TO_CONNECT,
        ("cannot hide what you type", ""),
        practising("accept"),
        ("cannot hide what you type", "yes"),
        SECRET,
        *(("Another address that you read", "quit"), ("Leave now?", "yes")),
        hides=False,
    )
    assert said.hidden == []


# --- test mail ---


def test_the_mailbox_that_sends_is_refused_and_another_address_taken(walk: Walk) -> None:
    said = walk(
        *TO_TESTMAIL,
        ("Another address that you read:", "YOU@sandbox.test"),
        ("is the mailbox that sends", "nobody"),
        ("has an @", "bob@example.org"),
        ("Which code word is in the message?", "lion"),
        ("That is not the word.", "nothing"),
        ("Sent just now, and not there", "elsewhere"),
        ("Another address that you read [bob@example.org]:", ""),
        ("Which code word is in the message?", "3"),
        ("Nothing there yet.", "on"),
        *(*REVIEW, FINISH, LEAVE),
    )
    assert said.words.count("ok Message") == 2
    assert "not proved: nobody saw the test message" in said.words
    assert "Not proved: nobody saw the test message." in said.words


def test_a_message_in_junk_has_arrived_and_it_is_said_what_helps(answered: Look) -> None:
    draft = answered(*TO_TESTMAIL, SEND, ("It counts as arrived", "junk"), ("press 'Not junk'", "on"))
    assert draft.arrival is ReportedArrival.JUNK


def test_the_practice_inbox_shows_the_word(walk: Walk, monkeypatch: pytest.MonkeyPatch) -> None:
    said = walk(
        *(*TO_TESTMAIL, SEND),
        ("Open the practice inbox (or type: inbox)", "inbox"),
        (f"Subject: smtp-wizard test {WORD}", "back"),
        ("Another address that you read [bob@example.org]:", "quit"),
        ("Leave now?", "yes"),
    )
    assert f"The code of this test is {WORD}." in said.words


def test_a_refused_sender_is_mended_where_it_was_refused(walk: Walk) -> None:
    walk(
        *(EMAIL, practising("sender-not-allowed"), SECRET, SEND),
        ("1. Change the sender", ""),
        ("Sender:", "hello@sandbox.test"),
        ("FAIL Message", "skip"),
        *(*REVIEW, FINISH, LEAVE),
    )


def test_a_message_that_was_not_taken_says_why_and_leads_on(walk: Walk) -> None:
    said = walk(
        *(EMAIL, practising("quota-reached"), SECRET, SEND),
        ("FAIL Message", "details"),
        ("550", "elsewhere"),
        ("Another address that you read [bob@example.org]", "eve@example.org"),
        ("FAIL Message", "again"),
        ("FAIL Message", "skip"),
        *(*REVIEW, FINISH, LEAVE),
    )
    assert said.words.count("FAIL Message") == 3
    assert "Not proved: no test message was sent." in said.words


def test_the_test_mail_can_be_left_out(answered: Look) -> None:
    assert answered(*TO_TESTMAIL, ("Another address that you read", "skip")).arrival is ReportedArrival.SKIPPED


def test_a_message_that_was_cut_off_may_or_may_not_have_been_sent(
    services: Services, guides: Guides, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Ctrl-C while the message is being handed over."""

    async def handing_over(self: Checks, draft: Draft, depth: Depth, emit: Emit, **_: Any) -> Report:
        emit(StageStarted(Stage.DATA))
        os.kill(os.getpid(), signal.SIGINT)
        await asyncio.Event().wait()
        raise AssertionError("the signal ends it")

    monkeypatch.setattr(Checks, "check_draft", handing_over)
    wizard = PlainWizard(services, guides, Dialogue(SEND))
    with pytest.raises(Interrupted) as ended:
        wizard.run(start="setup", draft=draft_at_testmail())
    assert ended.value.number == signal.SIGINT
    assert ended.value.undone.startswith(PERHAPS_SENT)


# --- save ---


def saved_once(walk: Walk, scope: str = "") -> None:
    walk(*TO_REVIEW, NAME, (SCOPE[0], scope), COMPANY, SENDER, *STORE, SAVE, FINISH, LEAVE)


def test_a_name_that_is_taken_is_asked_about(walk: Walk, services: Services) -> None:
    """Another name first; then the same one, and it is replaced after a yes."""
    saved_once(walk)
    taken = ("Name of the account", "practice YOU")
    walk(
        *TO_REVIEW,
        taken,
        *REVIEW[1:],
        ("already an account named", "rename"),
        ("Name of the account", "Two"),
        FINISH,
        LEAVE,
    )
    assert [account.name for account in services.saved_accounts.list()] == ["Practice you", "Two"]
    walk(*TO_REVIEW, taken, *REVIEW[1:], ("already an account named", "replace"), FINISH, LEAVE)
    assert [account.name for account in services.saved_accounts.list()] == ["practice YOU", "Two"]


@pytest.mark.parametrize(("answer", "first", "second"), [("displace", "general", "all"), ("", "all", "general")])
def test_a_second_account_for_all_mail_is_asked_about(
    walk: Walk, services: Services, answer: str, first: str, second: str
) -> None:
    saved_once(walk, "all")
    asked = ("is the account for all mail.", answer)
    changed = (("Name of the account", "Two"), (SCOPE[0], "all"), COMPANY, SENDER, *STORE, SAVE)
    general = () if answer == "displace" else (("Save it like this?", "save"),)
    walk(*TO_REVIEW, *changed, asked, *general, FINISH, LEAVE)
    assert [account.scope for account in services.saved_accounts.list()] == [first, second]


def test_a_keyring_that_is_not_there_costs_one_answer(walk: Walk, services: Services) -> None:
    """It says why it cannot be taken; whoever takes it all the same reads that, and takes another place."""
    said = walk(
        *(*TO_REVIEW, NAME, SCOPE, COMPANY, SENDER),
        PLACE,
        ("There is no keyring here", "keyring"),
        ("There is no keyring here", "session"),
        *(SAVE, FINISH, LEAVE),
    )
    assert said.words.count("There is no keyring here") >= 2
    assert len(services.saved_accounts.list()) == 1


def test_an_environment_variable_that_is_not_set_costs_one_answer(walk: Walk, services: Services) -> None:
    said = walk(
        *(*TO_REVIEW, NAME, SCOPE, COMPANY, SENDER, PLACE, (STORE[1][0], "env")),
        ("Variable [SMTP_WIZARD_PASSWORD_PRACTICE_YOU]:", "no name"),
        ("letters, digits and _ only", "MAIL_PASSWORD"),
        SAVE,
        ("MAIL_PASSWORD is not set", "env"),
        ("Variable [MAIL_PASSWORD]", "back"),
        *(STORE[1], SAVE, FINISH, LEAVE),
    )
    assert PASSWORD not in said.said
    assert len(services.saved_accounts.list()) == 1


def test_a_vault_is_made_and_opened_by_a_passphrase(
    walk: Walk, services: Services, guides: Guides, own_home: Path
) -> None:
    """Typed twice where it is made; once in the next process, before the password is needed."""
    said = walk(
        *(*TO_REVIEW, NAME, SCOPE, COMPANY, SENDER, PLACE, (STORE[1][0], "vault")),
        ("Password: in the vault, a locked file.", ""),
        ("without it the passwords in the vault are lost", "short"),
        ("at least 8 characters", "four words of no sense"),
        ("The same once more", "another one"),
        ("were not the same", "four words of no sense"),
        ("The same once more", "four words of no sense"),
        *(FINISH, LEAVE),
    )
    assert PASSWORD not in said.said
    again = Dialogue(
        ("Your accounts", "test"),
        ("Passphrase, not shown", "a wrong one"),
        ("not the passphrase of the vault", "back"),
        ("Your accounts", "test"),
        ("Passphrase, not shown", "four words of no sense"),
        ("Nothing was sent.", "change"),
        ("What about", "move"),
        ("Keep its password in:", "file"),
        ("File:", str(own_home / "secret")),
        ("another password in it", "change"),
        ("What about", "move"),
        ("Keep its password in:", "session"),
        ("is kept here now: Nowhere", "leave"),
    )
    (own_home / "secret").write_text("another one\n")
    (own_home / "secret").chmod(0o600)
    PlainWizard(build_services(own_home / "config", {}), guides, again).run(start="home")
    again.over()
    (account,) = services.saved_accounts.list()
    assert account.store is not None
    assert account.store.kind is StoreKind.SESSION
    assert len(again.hidden) == 3


def test_an_account_in_the_vault_is_deleted_without_the_passphrase(
    walk: Walk, services: Services, guides: Guides
) -> None:
    walk(
        *(*TO_REVIEW, NAME, SCOPE, COMPANY, SENDER, PLACE, (STORE[1][0], "vault"), ("Password: in the vault", "")),
        *(("New passphrase", "four words of no sense"), ("The same once more", "four words of no sense")),
        *(FINISH, LEAVE),
    )
    again = Dialogue(
        *(("Your accounts", "change"), ("What about", "delete"), ("Its password goes too", "yes")),
        *(("Passphrase, not shown", "back"), ("its password may still be in the store", "leave")),
    )
    PlainWizard(build_services(services.folder, {}), guides, again).run(start="home")
    again.over()
    assert services.saved_accounts.list() == ()


def test_a_command_for_the_password_is_asked_until_it_works(walk: Walk, services: Services) -> None:
    said = walk(
        *(*TO_REVIEW, NAME, SCOPE, COMPANY, SENDER, PLACE, (STORE[1][0], "command")),
        ("Command:", "help"),
        ("pass show mail/office", "cat x | head"),
        ("No shell runs the command", "no-such-password-manager"),
        SAVE,
        ("could not be run", "session"),
        *(SAVE, FINISH, LEAVE),
    )
    assert PASSWORD not in said.said
    assert len(services.saved_accounts.list()) == 1


def test_a_file_that_cannot_be_written_loses_nothing(
    walk: Walk, services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The sentence is said; trying again works once the disk has room."""
    original, failures = (
        services.accounts.save,
        [AccountFileError(phrase("The disk is full.")), AccountFileError(phrase("The disk is full."))],
    )

    async def save(*arguments: Any, **options: Any) -> Any:
        if failures:
            raise failures.pop()
        return await original(*arguments, **options)

    monkeypatch.setattr(services.accounts, "save", save)
    full = "The disk is full."
    walk(*TO_DONE, (full, ""), (full, "back"), SENDER, SAVE, FINISH, LEAVE)
    assert len(services.saved_accounts.list()) == 1


def test_an_answer_can_be_changed_before_saving(walk: Walk, services: Services) -> None:
    walk(*TO_DONE[:-1], ("Save it like this?", "change"), ("Name of the account", "Office"), *REVIEW[1:], FINISH, LEAVE)
    assert [account.name for account in services.saved_accounts.list()] == ["Office"]


@pytest.mark.parametrize("bad", ["a/b", "x" * 61])
def test_a_name_that_cannot_be_used_is_said_and_asked_again(walk: Walk, services: Services, bad: str) -> None:
    walk(*TO_REVIEW, ("Name of the account", bad), ("A name has", "Office"), *REVIEW[1:], FINISH, LEAVE)
    assert [account.name for account in services.saved_accounts.list()] == ["Office"]


# --- done ---


def test_the_password_is_shown_after_a_yes_in_groups_of_four(walk: Walk) -> None:
    said = walk(*TO_DONE, ("What next?", "password"), ("stay in what can be scrolled", ""), FINISH, LEAVE)
    assert "\u2423ijk" not in said.said
    said = walk(
        *(("Your accounts", "new"), *TO_REVIEW, ("Name of the account", "Two"), *REVIEW[1:]),
        *(("What next?", "password"), ("stay in what can be scrolled", "yes"), FINISH, LEAVE),
        start="home",
    )
    assert "abcd efgh \u2423ijk lmno p" in said.said


def test_whoever_comes_back_from_the_end_changes_the_account_that_was_saved(walk: Walk, services: Services) -> None:
    changed = (("Save it like this?", "change"), NAME, SCOPE, COMPANY, ("Sender's name", "Ana"), SAVE)
    walk(*TO_DONE, ("What next?", "back"), *changed, FINISH, LEAVE)
    (account,) = services.saved_accounts.list()
    assert account.identity.sender_name == "Ana"


def test_the_guide_to_the_application_knows_the_server(walk: Walk) -> None:
    said = walk(*TO_DONE, ("What next?", "guide"), FINISH, LEAVE)
    assert "127.0.0.1" in said.said.partition('Choose "General Emails Only"')[2]


# --- home ---


def test_saved_accounts_are_tested_again_one_or_all(walk: Walk, services: Services) -> None:
    saved_once(walk)
    walk(*TO_REVIEW, ("Name of the account", "Two"), *REVIEW[1:], FINISH, LEAVE)
    said = walk(
        ("1. Test one again (or type: test)", "test"),
        ("Which one?", "back"),
        ("Your accounts", "test"),
        ("Which one?", "Two"),
        ("'Two' works", "all"),
        ("Your accounts", "leave"),
        start="home",
    )
    assert "All 2 work. Nothing was sent." in said.words
    assert said.words.count("Testing 'Practice you'") == 1
    assert "ok Practice you: today " in said.words
    assert "127.0.0.1:5871, practice" in said.words


def test_a_password_that_is_kept_nowhere_is_asked_for(walk: Walk, own_home: Path, guides: Guides) -> None:
    saved_once(walk)
    later = build_services(own_home / "config", {})
    dialogue = Dialogue(
        ("Test 'Practice you' again", "test"),
        ("The password of 'Practice you'", ""),
        ("Type the password", "back"),
        ("Your accounts", "test"),
        ("kept nowhere, as you chose", PASSWORD),
        ("'Practice you' works", "quit"),
    )
    PlainWizard(later, guides, dialogue).run(start="home")
    dialogue.over()
    assert PASSWORD not in dialogue.said


def test_an_account_whose_variable_is_gone_is_said(walk: Walk, own_home: Path, guides: Guides) -> None:
    saved_once(walk)
    file = own_home / "config" / "accounts.json"
    text = file.read_text("utf-8").replace('"session"', '"env"')
    file.write_text(re.sub(r"Practice you/password/\w+", "MAIL_PW", text), "utf-8")
    dialogue = Dialogue(("Your accounts", "test"), ("MAIL_PW is not set", "leave"))
    PlainWizard(build_services(own_home / "config", {}), guides, dialogue).run(start="home")
    dialogue.over()


def test_results_that_cannot_be_kept_are_said_beside_the_accounts(walk: Walk, services: Services) -> None:
    saved_once(walk)
    services.saved_accounts.state.flush()
    (services.folder / "state.sqlite3").write_text("no database", "utf-8")
    said = walk(("Your accounts", "leave"), start="home")
    assert "Results and refused sign-ins could not be read in" in said.words
    assert "Practice you: not tested yet" in said.words


def test_accounts_that_cannot_be_read_are_said_in_a_sentence(walk: Walk, own_home: Path) -> None:
    (own_home / "config").mkdir(parents=True, exist_ok=True)
    (own_home / "config" / "accounts.json").write_text("{", "utf-8")
    said = walk(("1. Set up my mailbox", "leave"), start="home")
    assert "No account yet." not in said.words
    assert "accounts" in said.words


def test_an_account_is_renamed_given_another_purpose_and_deleted(walk: Walk, services: Services) -> None:
    saved_once(walk)
    walk(
        ("2. Change 'Practice you' (settings, password, name", "change"),
        ("What about 'Practice you'?", "rename"),
        ("Its new name [Practice you]:", "Office"),
        ("'Practice you' is called 'Office' now.", "change"),
        ("Use it for everything", "scope"),
        ("'Office' is for ", "leave"),
        start="home",
    )
    (account,) = services.saved_accounts.list()
    assert (account.name, account.scope) == ("Office", Scope.ALL)
    walk(
        ("Your accounts", "change"),
        ("Delete it, its password too", "delete"),
        ("Delete 'Office'?", ""),
        ("Office", "change"),
        ("Delete it, its password too", "delete"),
        ("Delete 'Office'?", "yes"),
        ("'Office' is deleted.", "leave"),
        start="home",
    )
    assert services.saved_accounts.list() == ()


def test_another_account_for_all_mail_is_asked_about_before_it_loses_it(walk: Walk, services: Services) -> None:
    saved_once(walk)
    walk(*TO_REVIEW, ("Name of the account", "Two"), *REVIEW[1:], FINISH, LEAVE)
    asyncio.run(services.accounts.set_scope("Two", Scope.ALL))
    walk(
        ("Your accounts", "change"),
        ("Which one?", "Practice you"),
        ("What about", "scope"),
        ("'Two'", "no"),
        ("Your accounts", "change"),
        ("Which one?", "Practice you"),
        ("What about", "scope"),
        ("'Two' keeps to", "yes"),
        ("'Practice you' is for", "leave"),
        start="home",
    )
    assert {each.name: each.scope for each in services.saved_accounts.list()} == {
        "Practice you": Scope.ALL,
        "Two": Scope.GENERAL,
    }


def test_a_new_password_is_kept_only_if_the_server_takes_it(walk: Walk, services: Services) -> None:
    right = ("not shown:", practice_password())
    to_connect = (EMAIL, practising("app-password-required"))
    walk(*to_connect, right, SEND, ARRIVED, *REVIEW, FINISH, LEAVE)
    (account,) = services.saved_accounts.list()
    walk(
        ("Your accounts", "change"),
        ("What about", "password"),
        ("kept only if the server takes it.", WRONG),
        ("App password, not shown:", "back"),
        ("the new password was not taken; the old one is kept.", "change"),
        ("What about", "password"),
        ("kept only if the server takes it.", practice_password()),
        ("the new password works and is kept.", "leave"),
        start="home",
    )
    kept = awaited(services.entries.secret_of(account))
    assert kept is not None
    assert kept.reveal() == practice_password().replace(" ", "")


def test_the_settings_are_changed_in_the_wizard(walk: Walk, services: Services) -> None:
    saved_once(walk)
    walk(
        ("Your accounts", "change"),
        ("What about", "edit"),
        ("Outgoing server", "quit"),
        ("Leave now?", "yes"),
        start="home",
    )
    kept = DraftFile(services.folder).load()
    assert kept is not None
    assert kept.draft.editing == "Practice you"


def test_a_copy_is_another_account(walk: Walk, services: Services) -> None:
    saved_once(walk)
    walk(("Your accounts", "change"), ("What about", "copy"), ("", "quit"), ("Leave now?", "yes"), start="home")
    kept = DraftFile(services.folder).load()
    assert kept is not None
    assert (kept.draft.editing, kept.draft.name) == (None, "Practice you 2")


def test_sending_limits_are_read_out(walk: Walk) -> None:
    """Today's figures first, the article's behind them; a kind of provider may be asked for."""
    saved_once(walk)
    said = walk(
        ("Look up sending limits", "limits"),
        ("Whose limits?", "gmail"),
        ("The old help article", "other"),
        ("Whose limits?", "outlook.com"),
        ("Outlook.com, Hotmail, Live, MSN lets no program in with a password", "other"),
        ("Whose limits?", "isp"),
        ("The first 5 of", "back"),
        ("Whose limits?", "no such provider"),
        ("No provider like that is listed", "back"),
        ("Your accounts", "leave"),
        start="home",
    )
    assert "500 messages" in said.words
    assert said.words.index("Today, checked") < said.words.index("The old help article")


def test_a_mailing_is_planned_in_lines(walk: Walk) -> None:
    """The same three questions as on the screen, the days as bars, and the same mailing elsewhere."""
    saved_once(walk)
    said = walk(
        ("Look up sending limits", "limits"),
        ("Whose limits?", "gmail"),
        ("Plan a mailing with Gmail", "2"),
        ("To how many people", "many"),
        ("a number from 1 to 100,000,000", "4,600"),
        ("Sent today already [0]", "40"),
        ("Kept for invoices [10%]", ""),
        ("Whose limits?", "fastmail"),
        ("What next?", "2"),
        ("To how many people [4,600]", "back"),
        ("Whose limits?", "back"),
        ("Your accounts", "leave"),
        start="home",
    )
    assert "11 days with Gmail" in said.words
    assert "9 days of" in said.words
    assert "The same mailing elsewhere" in said.words


def test_an_error_is_explained_in_lines(walk: Walk) -> None:
    """Pasted as it came, empty lines and 'quit' included; the offers of the screen, and the account tested."""
    saved_once(walk)
    said = walk(
        ("Explain an error", "explain"),
        ("What does your application say?", "."),
        ("Paste the error first", "This is the mail system at host mx.example.org."),
        ("", ""),
        ("", "quit"),
        ("", "<ben@example.org>: host mail.example.org[192.0.2.7] said:"),
        ("", "    550 5.1.1 <ben@example.org>: Recipient address rejected: User unknown"),
        ("", "."),
        ("This address does not take mail", "What to do with mail that came back"),
        ("Type a number", "1"),
        ("Mail that came back: read it, and put it right", "2"),
        ("What does your application say?", "535 5.7.8 authentication failed"),
        ("", "."),
        ("Test my account 'Practice you'", "test"),
        ("Nothing was sent.", "leave"),
        start="home",
    )
    assert "Who must act" not in said.words


def test_what_will_end_is_read_out(walk: Walk) -> None:
    """Once an account was tested, its certificate; before that, what has to be done to know it."""
    saved_once(walk)
    said = walk(
        ("See what will end", "calendar"),
        ("Nothing is known to end", "test"),
        ("Nothing was sent.", "calendar"),
        ("certificate.", "leave"),
        start="home",
    )
    assert "For your own calendar" in said.words


def test_a_message_for_others_is_shown_to_be_copied(walk: Walk) -> None:
    """In lines of text nothing is sent to the clipboard."""
    saved_once(walk)
    walk(
        ("Explain an error", "explain"),
        ("What does your application say?", "454 5.7.1 your account has been suspended, blocked for spam"),
        ("", "."),
        ("Show a message for your mail provider", "1"),
        ("suspended", "back"),
        ("Your accounts", "leave"),
        start="home",
    )


# --- leaving, and going on ---


def test_leaving_with_something_unsaved_asks_and_says_what_is_kept(walk: Walk, services: Services) -> None:
    """'quit' twice leaves at once; 'back' and the careful answer stay at the same question."""
    said = walk(
        *(EMAIL, practising("accept"), ("not shown", "quit"), ("Leave now?", "no"), ("not shown", "quit")),
        *(("Leave now?", "back"), ("not shown", "quit"), ("Leave now?", "quit")),
    )
    assert "The account was not saved. What you answered is kept" in said.words
    assert "smtp-wizard check HOST" in said.words
    kept = DraftFile(services.folder).load()
    assert kept is not None
    assert (kept.draft.connection.path, kept.step) == ("accept", step(StepId.CONNECT))


def test_leaving_before_anything_was_typed_just_says_what_can_be_done(walk: Walk) -> None:
    said = walk(("E-mail address", "quit"))
    assert "No account was set up." in said.words
    assert "What you can do next" in said.words


def test_what_one_face_began_the_other_goes_on_with(walk: Walk, services: Services) -> None:
    """A draft that the screens left behind: only the password is typed again."""
    begun = Draft().with_address(Address("you", "sandbox.test"))
    practice = services.catalog.get("sandbox")
    assert practice is not None
    draft = begun.with_provider(practice, Origin.ADDRESS).with_path(practice.paths[0])
    DraftFile(services.folder).save(
        replace(draft, identity=replace(draft.identity, sender_name="Ana")), step(StepId.TEST_MAIL)
    )
    said = walk(
        ("You were setting up you@sandbox.test, and stopped at the step 'Connect'.", ""),
        *(SECRET, SEND, ARRIVED, NAME, SCOPE, COMPANY, ("Sender's name [Ana]", ""), *STORE, SAVE, FINISH, LEAVE),
    )
    assert "Step 4 of 6: Connect" in said.words


def test_what_was_left_and_cannot_be_read_never_keeps_it_from_starting(walk: Walk, services: Services) -> None:
    """A draft of another version is put aside, one that others may change is left alone; either is said."""
    draft = Draft().with_address(Address("ana", "sandbox.test"))
    DraftFile(services.folder).save(draft, step(StepId.PROVIDER))
    file = services.folder / "draft.json"
    file.chmod(0o602)
    said = walk(("E-mail address:", "quit"))
    assert "'chmod o-w " in said.words
    file.chmod(0o600)
    file.write_text(file.read_text().replace('"step": "provider"', '"step": "a-later-one"'))
    said = walk(("E-mail address:", "quit"))
    assert "it was put aside as" in said.words
    assert not file.exists()


def test_what_was_left_can_be_forgotten_or_put_off(walk: Walk, services: Services) -> None:
    draft = Draft().with_address(Address("ana", "sandbox.test"))
    DraftFile(services.folder).save(draft, step(StepId.PROVIDER))
    walk(("You were setting up ana@sandbox.test", "back"), ("nothing before", "home"), ("No account yet", "leave"))
    assert DraftFile(services.folder).load() is not None
    walk(("You were setting up ana@sandbox.test", "anew"), ("E-mail address:", "quit"))
    assert DraftFile(services.folder).load() is None


def test_a_draft_that_was_given_goes_on_at_its_first_open_question(walk: Walk) -> None:
    """As `smtp-wizard setup ana@sandbox.test --plain` begins."""
    draft = Draft().with_address(Address("ana", "sandbox.test"))
    said = walk(("Type a name, a domain", "quit"), ("Leave now?", "yes"), draft=draft)
    assert "Step 2 of 5: Provider" in said.words


def test_from_the_accounts_to_a_new_one_and_back(walk: Walk) -> None:
    saved_once(walk)
    walk(("Your accounts", "new"), ("E-mail address:", "back"), ("Your accounts", "leave"), start="home")


# --- a conversation by itself ---


@pytest.mark.parametrize("typed", ["\x1b[A", "a\x1bb", "\x7f", "\x00"])
def test_a_key_without_a_letter_is_refused(typed: str) -> None:
    conversation, played = talk(("Name:", typed), ("a key in it that is no letter", "Ana"))
    assert conversation.ask("Name", str) == "Ana"
    played.over()


@pytest.mark.parametrize(
    ("typed", "meant"), [('"back"', "back"), ("'Help'", "Help"), ('"quit"', "quit"), ('"x"', '"x"')]
)
def test_a_word_in_quotation_marks_is_meant_literally(typed: str, meant: str) -> None:
    conversation, _ = talk(("Name:", typed))
    assert conversation.ask("Name", str) == meant


@pytest.mark.parametrize(("typed", "raised"), [("back", GoBack), ("BACK ", GoBack), ("Quit", Quit), ("exit", Quit)])
def test_the_words_that_are_understood_everywhere(typed: str, raised: type[Exception]) -> None:
    questions: list[Callable[[Conversation], str]] = [
        lambda asking: asking.ask("Name", str),
        lambda asking: asking.choose("", [Choice("a", "A")]),
        lambda asking: asking.secret("Key"),
    ]
    for question in questions:
        conversation, _ = talk(("", typed))
        with pytest.raises(raised):
            question(conversation)


@pytest.mark.parametrize("typed", ["0", "3", "x", "-1", "1.5", "٣"])
def test_a_number_that_is_none_is_asked_again(typed: str) -> None:
    conversation, played = talk(("2. B", typed), ("Type a number from 1 to 2.", "2"))
    assert conversation.choose("Which?", [Choice("a", "A"), Choice("b", "B")]) == "b"
    played.over()


def test_without_a_default_the_first_answer_is_it_though_another_means_nothing() -> None:
    """The way back, which means None, is not what Enter takes."""
    choices: list[Choice[str | None]] = [Choice("on", "Go on"), Choice(None, "Look again")]
    conversation, dialogue = talk(("Your answer [1]", ""))
    assert conversation.choose("Which?", choices) == "on"
    dialogue.over()


def test_a_choice_is_taken_by_number_word_or_enter() -> None:
    choices = [Choice("a", "A"), Choice("b", "B", word="bee")]
    for typed, chosen in (("1", "a"), ("bee", "b"), ("B", "b"), ("", "b")):
        conversation, _ = talk(("Your answer [2]:", typed))
        assert conversation.choose("Which?", choices, "b") == chosen


def test_a_password_of_any_length_is_taken_whole() -> None:
    conversation, _ = talk(("Password:", "x" * 4096))
    assert len(conversation.secret("Password")) == 4096


def test_whatever_is_said_no_control_character_gets_out() -> None:
    shown = io.StringIO()
    Terminal(0, shown, "utf-8").write("a\x1b[31mb\x9bc\u202ed\te\u00a0f\r\n")
    assert shown.getvalue() == "a?[31mb?c?d e f \n"


def test_lines_of_text_need_no_toolkit() -> None:
    """Nothing of what draws screens is loaded, so that the first question comes at once."""
    loaded = "import sys, smtp_wizard.plain.wizard, smtp_wizard.plain.terminal; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", loaded], capture_output=True, text=True, check=True)
    assert {"textual", "rich"} & set(done.stdout.split()) == set()


def test_a_long_address_of_a_page_is_never_broken() -> None:
    url = "https://example.com/" + "x" * 90
    assert url in wrap(f"Open {url} now")


# --- which face ---


@pytest.mark.parametrize(
    ("environ", "lines"),
    [
        ({}, False),
        ({"ACCESSIBLE": "1"}, True),
        ({"ACCESSIBLE": "0"}, False),
        ({"ACCESSIBLE": ""}, False),
        ({"CI": "true"}, True),
        ({"CI": "false"}, False),
        ({"NO_COLOR": "1"}, False),
    ],
)
def test_who_prefers_lines(environ: dict[str, str], lines: bool) -> None:
    assert prefers_lines(environ) is lines


@pytest.mark.parametrize("arguments", [("--plain",), ("setup", "--plain"), ("--plain", "setup", "ana@sandbox.test")])
def test_without_a_terminal_nobody_is_asked(arguments: tuple[str, ...]) -> None:
    ran = run_process(*arguments, stdin="practise\n")
    assert (ran.code, ran.out) == (2, "")
    assert "E-mail address:" not in ran.err


def test_with_every_answer_given_plain_asks_nothing() -> None:
    ran = run("setup", "ana@sandbox.test", "--path", "accept", "--password-stdin", "--plain", stdin=PASSWORD)
    assert ran.code == 0, ran.err


# --- at a real terminal ---


def play(terminal: AtTerminal, *script: Exchange) -> None:
    for shown, typed in script:
        terminal.answer(shown, typed)


def test_the_blind_walk_from_address_to_saved_account(own_home: Path) -> None:
    """Through a real terminal: not one escape byte, and the password is not shown."""
    with at_terminal("--plain") as terminal:
        play(terminal, *TO_CONNECT)
        terminal.wait_for("not shown:")
        assert not terminal.echoes()
        play(terminal, SECRET, SEND, (ARRIVED[0], "junk"), ("It arrived, in the junk folder.", ""))
        assert terminal.echoes()
        play(terminal, *REVIEW, FINISH, LEAVE)
        assert terminal.end() == 0
    assert b"\x1b" not in terminal.raw
    assert PASSWORD.encode() not in terminal.raw
    assert [line for line in terminal.lines if len(line) > WIDTH and len(line.split()) > 1] == []
    saved = json.loads((own_home / "config" / "accounts.json").read_text("utf-8"))
    assert [account["name"] for account in saved["accounts"]] == ["Practice you"]


@pytest.mark.parametrize(
    ("arguments", "environ"),
    [
        ((), {"TERM": "dumb"}),
        ((), {"TERM": ""}),
        ((), {"TERM": "unknown"}),
        ((), {"ACCESSIBLE": "1"}),
        ((), {"CI": "true"}),
        (("setup",), {"TERM": "dumb"}),
        (("setup", "--plain"), {}),
        (("--plain", "setup"), {}),
    ],
)
def test_where_screens_cannot_or_shall_not_be_drawn_lines_come(
    arguments: tuple[str, ...], environ: dict[str, str]
) -> None:
    with at_terminal(*arguments, environ=environ) as terminal:
        terminal.answer("E-mail address:", "quit")
        assert terminal.end() == 0
    assert b"\x1b" not in terminal.raw


def test_with_standard_error_elsewhere_the_terminal_itself_is_spoken_to(tmp_path: Path) -> None:
    """Only the person's own error file stays as it was: the questions stand on the terminal."""
    with at_terminal(errors=tmp_path / "errors") as terminal:
        terminal.answer("E-mail address:", "quit")
        assert terminal.end() == 0
    assert (tmp_path / "errors").read_bytes() == b""


@pytest.mark.parametrize(("key", "code"), [(b"\x03", 130), (b"\x04", 130)])
def test_control_c_and_the_end_of_input_leave_politely(key: bytes, code: int, own_home: Path) -> None:
    """What was not done is said, and that it can be gone on with."""
    with at_terminal("--plain") as terminal:
        play(terminal, *TO_CONNECT)
        terminal.press("not shown", key)
        assert terminal.end() == code
    assert "The account was not saved. What you answered is kept" in terminal.words
    kept = DraftFile(own_home / "config").load()
    assert kept is not None
    assert kept.draft.connection.path == "accept"


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_at_the_password_leaves_the_terminal_showing_what_is_typed(number: signal.Signals) -> None:
    with at_terminal("--plain") as terminal:
        play(terminal, *TO_CONNECT)
        terminal.wait_for("not shown:")
        assert not terminal.echoes()
        terminal.process.send_signal(number)
        assert terminal.end() == 128 + number
        assert terminal.echoes()
    assert "The account was not saved." in terminal.words


def test_killed_in_the_middle_only_the_password_is_lost(own_home: Path) -> None:
    with at_terminal("--plain") as terminal:
        play(terminal, *TO_CONNECT)
        terminal.wait_for("not shown:")
        terminal.process.kill()
        terminal.end()
    with at_terminal("--plain") as terminal:
        play(terminal, ("stopped at the step 'Connect'", ""), SECRET)
        terminal.answer("Signed in", "quit")
        terminal.answer("Leave now?", "yes")
        assert terminal.end() == 0


def test_a_line_that_no_terminal_hands_over_whole_is_said() -> None:
    """A password of 4,096 letters would be cut in silence."""
    with at_terminal("--plain") as terminal:
        play(terminal, *TO_CONNECT, ("not shown:", "x" * 4096))
        terminal.wait_for("longer than a terminal hands over")
        terminal.answer("not shown:", PASSWORD)  # before the question it would be thrown away, as it was shown
        terminal.answer("Signed in", "quit")
        terminal.answer("Leave now?", "yes")
        assert terminal.end() == 0


def test_letters_that_cannot_be_read_are_asked_for_again() -> None:
    """A terminal that sends Latin-1 where UTF-8 is expected."""
    with at_terminal("--plain") as terminal:
        terminal.answer("E-mail address:", b"m\xfcller@sandbox.test")
        terminal.answer("in a way that could not be read", "practise")
        terminal.answer("What do you want to practise?", "quit")
        terminal.answer("Leave now?", "yes")
        assert terminal.end() == 0
