"""The saved accounts in lines of text, and what is read out beside them: limits, plans, explained errors."""

from __future__ import annotations

import asyncio
import re
from pathlib import Path

from smtp_wizard.engine.base.identity import Scope
from smtp_wizard.engine.guides.guides import Guides
from smtp_wizard.engine.sandbox.scenarios import practice_password
from smtp_wizard.engine.services.services import Services
from smtp_wizard.engine.wizard.draft_file import DraftFile
from smtp_wizard.launch import build_services
from smtp_wizard.plain.waiting import awaited
from smtp_wizard.plain.wizard import PlainWizard
from tests.plain.exchanges import (
    ARRIVED,
    EMAIL,
    FINISH,
    LEAVE,
    PASSWORD,
    REVIEW,
    SEND,
    TO_REVIEW,
    WRONG,
    Walk,
    practising,
    saved_once,
)
from tests.support.dialogue import Dialogue


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
        ("'Office' now sends ", "leave"),
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
        ("'Practice you' now sends", "leave"),
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
