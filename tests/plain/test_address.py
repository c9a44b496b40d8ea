"""The step Address in lines of text."""

from __future__ import annotations

from typing import Any

from tests.plain.exchanges import Look


def test_what_is_no_address_is_said_and_asked_again(answered: Look) -> None:
    draft = answered(("E-mail address:", "ana"), ("has an @", "ana@"), ("not an e-mail address", "ana@sandbox.test"))
    assert str(draft.address) == "ana@sandbox.test"


def test_practice_is_taken_at_its_word_however_that_is_spelt(answered: Look) -> None:
    draft = answered(("E-mail address:", "Practise"))
    assert draft.connection.provider == "sandbox"


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
