"""Many patterns over one text: what is skipped could not have matched."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smtp_wizard.engine.diagnosis.patterns import Patterns, Pieces, SearchedText


@pytest.mark.parametrize(
    ("pattern", "pieces"),
    [
        ("daily", {"daily"}),
        ("Daily", {"daily"}),
        (r"\bquota\b.{0,30}exceed\w*", {"exceed"}),
        ("(user|mailbox) unknown", {" unknown"}),
        ("(alpha|beta)?", None),
        ("(alpha|beta)", {"alpha", "beta"}),
        ("(alpha|b)", None),
        ("(alpha|[b-z]+)", None),
        ("pop3?", {"pop"}),
        ("ab+c", {"ab"}),
        ("a{2}bcd", {"bcd"}),
        ("a{0,2}bcd", {"bcd"}),
        ("log ?-?in", {"log"}),
        (r"5\.7\.1", {"5.7.1"}),
        (r"a\x41bc", {"bc"}),
        (r"(?!never)always", {"always"}),
        (r"(?<=before)x", None),
        ("one|two", {"one", "two"}),
        ("[]x]yes", {"yes"}),
        (r"[\]x]yes", {"yes"}),
        (".*", None),
        ("授权码", {"授权码"}),
    ],
)
def test_pieces_that_a_pattern_needs(pattern: str, pieces: set[str] | None) -> None:
    assert Patterns([pattern]).demands == (None if pieces is None else frozenset(pieces))


ATOMS = st.sampled_from(["a", "b", "[ab]", "[^c]", ".", r"\w", r"\.", r"\x61", "(a|bb)", "(?:ab|c)", "(b|)"])
PIECES = st.builds("".join, st.tuples(ATOMS, st.sampled_from(["", "", "?", "*", "+", "{2}", "{0,1}", "{1,}?"])))
PIECES |= st.sampled_from(["Ab", r"\b", "(?!c)", "(?=.)", "^", "$"])
PATTERNS = st.builds("|".join, st.lists(st.builds("".join, st.lists(PIECES, max_size=5)), min_size=1, max_size=3))


@given(st.lists(PATTERNS, max_size=4), st.text("abcAB. ", max_size=12))
def test_nothing_that_matches_is_skipped(patterns: list[str], text: str) -> None:
    all_of_them = Patterns(patterns)
    found = all_of_them.search(SearchedText(text, Pieces(all_of_them.pieces)))
    plain = next((match for each in patterns if (match := re.search(each, text, re.IGNORECASE))), None)
    assert (found is None) == (plain is None)


@given(st.sets(st.text("abc", min_size=1, max_size=5), max_size=8), st.text("abcAB", max_size=12))
def test_the_pieces_that_a_text_holds(pieces: set[str], text: str) -> None:
    assert Pieces(pieces).held_by(text) == {piece for piece in pieces if piece in text.lower()}


@pytest.mark.parametrize(
    ("pattern", "tried"),
    [
        (r"auth\w* (fail|no)", (r"auth\w{0,40} (fail|no)",)),
        (r"auth\w+?x|\S+y", (r"auth\w{1,41}?x", r"\S{1,256}y")),
        ("a.*b(c+)?", ("a.{0,1000}b(c{1,256})?",)),
        (r"[^a]{2,}(?!\d*)", (r"[^a]{2,257}(?!\d{0,255})",)),
        (r"(\w+ ){0,4}x*+", (r"(\w{1,41} ){0,4}x{0,255}+",)),
        ("a{2}b{,3}c?", ("a{2}b{,3}c?",)),
    ],
)
def test_what_repeats_without_an_end_is_given_one(pattern: str, tried: tuple[str, ...]) -> None:
    assert Patterns([pattern]).sources == tried


def test_what_fits_is_taken_out() -> None:
    noise = Patterns(["more ?\\w*", "(?i:b)+"])
    assert noise.taken_out("a MORE of, bb, it") == "a  ,  , it"


def test_a_pattern_that_cannot_be_read_is_refused() -> None:
    with pytest.raises(re.error):
        Patterns(["("])
