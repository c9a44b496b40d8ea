"""The step Sign-in in lines of text: ways that are closed, and ways in the browser."""

from __future__ import annotations

from tests.plain.exchanges import AT_GMAIL, Look, Walk
from tests.support.dialogue import Exchange

USE: Exchange = ("1. Yes, go on", "")
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
