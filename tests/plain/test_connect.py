"""The step Connect in lines of text: the password, what a failed sign-in leads to, and what is asked before."""

from __future__ import annotations

import pytest

from smtp_wizard.engine.base.endpoint import Endpoint, Security
from smtp_wizard.engine.services.services import Services
from tests.plain.exchanges import (
    BETTER,
    EMAIL,
    FINISH,
    LEAVE,
    PASSWORD,
    REVIEW,
    SECRET,
    TO_CONNECT,
    WRONG,
    Look,
    Walk,
    at_server,
    practising,
)
from tests.support.checking import mendable

APP_PASSWORD = "abcd efgh ijkl mnop"


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
