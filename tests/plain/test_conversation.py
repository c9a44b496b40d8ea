"""One conversation in lines of text by itself: what is understood, and what never gets out."""

from __future__ import annotations

import io
import subprocess
import sys
from collections.abc import Callable

import pytest

from smtp_wizard.plain.conversation import Choice, Conversation, GoBack, Quit, wrap
from smtp_wizard.plain.terminal import Terminal
from tests.support.dialogue import talk


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
