"""Limits as facts: the words in which one is shown."""

from __future__ import annotations

import pytest

from smtp_wizard.engine.base.confidence import Confidence
from smtp_wizard.engine.providers.limits import MEGABYTE, Counted, Per, SendLimit


def limit(what: Counted, per: Per, value: int | None, **more: str) -> SendLimit:
    return SendLimit(what=what, per=per, value=value, **more)  # type: ignore[arg-type]  # only texts are passed


@pytest.mark.parametrize(
    ("known", "words"),
    [
        (limit(Counted.MESSAGES, Per.DAY, 500), "500 messages per day"),
        (limit(Counted.MESSAGES, Per.MINUTE, 1), "1 message per minute"),
        (limit(Counted.RECIPIENTS, Per.DAY, 10_000), "10,000 recipients per day"),
        (limit(Counted.RECIPIENTS, Per.MESSAGE, 100), "100 recipients per message"),
        (limit(Counted.BYTES, Per.MESSAGE, 25 * MEGABYTE), "25 MB per message"),
        (limit(Counted.BYTES, Per.MESSAGE, 2_500_000), "2.5 MB per message"),
        (limit(Counted.MESSAGES, Per.HALF_HOUR, 500), "500 messages every 30 minutes"),
        (limit(Counted.CONNECTIONS, Per.CONCURRENT, 3), "3 connections at the same time"),
        (limit(Counted.MESSAGES, Per.DAY, None), "not known to us"),
        (limit(Counted.MESSAGES, Per.DAY, None, confidence=Confidence.OWN), "not found in our search"),
        (limit(Counted.MESSAGES, Per.DAY, None, confidence=Confidence.OFFICIAL), "not published"),
        (limit(Counted.MESSAGES, Per.DAY, 1000, applies_to="residential"), "1,000 messages per day (residential)"),
    ],
)
def test_a_limit_is_one_readable_phrase(known: SendLimit, words: str) -> None:
    assert known.words() == words


def test_a_figure_of_the_past_says_so() -> None:
    past = SendLimit(what=Counted.MESSAGES, per=Per.HOUR, value=400, historical=True)
    assert past.words() == "formerly 400 messages per hour"


@pytest.mark.parametrize("per", Per)
def test_every_stretch_has_words(per: Per) -> None:
    assert limit(Counted.MESSAGES, per, 2).words().startswith("2 messages ")
