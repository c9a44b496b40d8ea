"""The questions about a server that several flows and `check` ask alike: what is asked, and what is taken unasked."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from smtp_wizard.engine.base.endpoint import Endpoint, Security
from smtp_wizard.engine.scan.control_host import ControlHost
from smtp_wizard.engine.services.check_options import CheckOptions
from smtp_wizard.flows.server_questions import NetworkQuestion, answers_in

HOST, NAMED = "mail.firm.example", "other.example"
SERVES = Endpoint(HOST, 587, Security.STARTTLS)


class Scans:
    """Proposes a host, and remembers whom it asked."""

    def __init__(self, proposed: str | None = "neutral.example") -> None:
        self.proposed = proposed
        self.asked: list[tuple[str, tuple[int, ...], Sequence[Endpoint] | None, CheckOptions | None]] = []

    def propose_neutral(self, host: str, ports: Sequence[int]) -> ControlHost | None:
        return ControlHost(self.proposed, tuple(ports)) if self.proposed is not None else None

    async def ask_neutral(
        self, neutral: str, host: str, ports: Sequence[int], *, instead: Any = None, options: Any = None
    ) -> tuple[()]:
        self.asked.append((neutral, tuple(ports), instead, options))
        return ()


def question(scans: Scans) -> NetworkQuestion:
    return NetworkQuestion(scans)  # type: ignore[arg-type]


async def test_whom_the_person_names_is_asked_without_another_word() -> None:
    scans = Scans()
    asks = question(scans)
    asks.wonder_at(HOST, [25], None, NAMED)
    assert (asks.agreed, asks.urgent) == (True, True)
    options = CheckOptions(ehlo_name="here.example")
    await asks.answers(options)
    assert scans.asked == [(NAMED, (25,), None, options)]


@pytest.mark.parametrize(("serving", "urgent"), [(None, True), ([], True), ([SERVES], False)])
def test_a_host_that_is_proposed_is_asked_about_where_nothing_else_serves(serving: Any, urgent: bool) -> None:
    asks = question(Scans())
    asks.wonder_at(HOST, [25, 465], serving)
    assert (asks.agreed, asks.urgent) == (False, urgent)
    assert "neutral.example" in asks.asking().title


@pytest.mark.parametrize("named", ["", NAMED])
def test_where_every_port_was_reached_there_is_nothing_to_ask(named: str) -> None:
    asks = question(Scans())
    asks.wonder_at(HOST, [], None, named)
    assert (asks.unreached, asks.agreed, asks.urgent) == (None, False, False)


def test_where_nobody_can_be_proposed_nothing_is_asked_either() -> None:
    asks = question(Scans(None))
    asks.wonder_at(HOST, [25], None)
    assert (asks.unreached, asks.urgent) == (None, False)


def test_another_thing_to_find_out_needs_a_yes_of_its_own() -> None:
    asks = question(Scans())
    asks.wonder_at(HOST, [25], None, NAMED)
    asks.wonder_at(HOST, [25], None)
    assert not asks.agreed
    asks.wonder_at(HOST, [25], None, NAMED)
    asks.wonder(None)
    assert not asks.agreed


TLS, STARTTLS, CLEAR = (Endpoint(HOST, 465, each) for each in (Security.TLS, Security.STARTTLS, Security.NONE))


@pytest.mark.parametrize(
    ("offered", "said", "taken"),
    [
        (STARTTLS, False, STARTTLS),
        (STARTTLS, True, None),
        (CLEAR, False, None),
        (None, False, None),
        (SERVES, False, None),
        (Endpoint("other.example", 465, Security.STARTTLS), False, None),
    ],
    ids=["another way", "the way was said", "no encryption", "nothing", "another port", "another server"],
)
def test_the_same_port_alone_is_taken_unasked_and_never_without_encryption(
    offered: Endpoint | None, said: bool, taken: Endpoint | None
) -> None:
    assert answers_in(TLS, offered, said=said) == taken
