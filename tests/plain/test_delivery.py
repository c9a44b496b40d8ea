"""Mail that came back and the domain's records in lines of text: what is said, what is asked, where 'back' leads."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from smtp_wizard.engine.base.address import Address
from smtp_wizard.engine.base.identity import Scope
from smtp_wizard.engine.base.secret import Secret
from smtp_wizard.engine.base.shown import shown
from smtp_wizard.engine.guides.guides import Guides
from smtp_wizard.engine.services.domains import Domains
from smtp_wizard.engine.services.services import Services
from smtp_wizard.flows.areas.bounces import NO_ACCOUNT
from smtp_wizard.plain.conversation import Conversation, GoBack
from smtp_wizard.plain.delivery import MOST, bounces, domain, ready
from smtp_wizard.plain.step_questions import StepContext
from smtp_wizard.plain.wizard import PlainWizard
from tests.engine.domain.test_mending import DOMAIN, as_text, good_zone
from tests.flows.test_bounces import ACCOUNT, NOW, Bounces, delivery, report, trouble
from tests.support.dialogue import Dialogue, Exchange
from tests.support.dnsserver import DnsServer
from tests.support.walk import catalog, make_services

PASSWORD: Exchange = ("not shown", "a password")


def services_with(folder: Path, doubles: Bounces, *, saved: bool = True) -> Services:
    services = make_services(folder, now=lambda: NOW)
    if saved:
        services.saved_accounts.put(ACCOUNT)
    return replace(services, bounces=doubles)  # type: ignore[arg-type]


def talked(services: Services, *script: Exchange, area: Any = bounces) -> tuple[Dialogue, Any]:
    """Go through an area; return what was said, and where it led: None after 'back'."""
    dialogue = Dialogue(*script)
    context = StepContext(services, Guides(), lambda draft: None)
    try:
        led = area(Conversation(dialogue), context)
    except GoBack:
        led = None
    dialogue.over()
    return dialogue, led


def test_each_address_is_said_with_why_and_what_to_do_and_remembered(tmp_path: Path) -> None:
    doubles = Bounces(report(delivery("carla@gmial.com", meant="carla@gmail.com"), delivery("bob@elsewhere.example")))
    said, led = talked(services_with(tmp_path, doubles), ("The mailbox of", "read"), PASSWORD, ("again", "back"))
    assert led is None
    for words in (
        "carla@gmial.com yesterday final",
        "Did you mean carla@gmail.com?",
        "bob@elsewhere.example",
        "Invoice",
    ):
        assert words in said.words
    assert said.words.count("Correct it in the customer's record.") == 2
    assert (doubles.secrets, len(doubles.remembered)) == ([Secret("a password")], 1)
    assert "a password" not in said.said
    assert "\x1b" not in said.said
    assert "copy" not in said.words.lower().split("the mailbox of")[-1], "what is worth copying was said"


def test_what_is_read_again_is_said_again_although_nothing_is_new(tmp_path: Path) -> None:
    found = report(delivery("bob@elsewhere.example"))
    again: tuple[Exchange, ...] = (("", "read"), PASSWORD)
    said, _ = talked(services_with(tmp_path, Bounces(found, found)), *again, *again, ("bob@elsewhere.example", "back"))
    assert said.words.count("bob@elsewhere.example") == 2


def test_of_very_many_the_newest_are_said_and_the_command_named_that_writes_all(tmp_path: Path) -> None:
    many = report(*(delivery(f"customer{number}@elsewhere.example") for number in range(MOST + 5)))
    said, _ = talked(services_with(tmp_path, Bounces(many)), ("", "read"), PASSWORD, ("And 5 more", "back"))
    assert f"'smtp-wizard bounces {ACCOUNT.name} --csv FILE'" in said.words
    assert said.words.count("@elsewhere.example") == MOST


def test_what_the_mailbox_lacks_is_said_once_and_its_guide_can_be_read(tmp_path: Path) -> None:
    doubles = Bounces(trouble())
    said, _ = talked(
        services_with(tmp_path, doubles), ("", "read"), PASSWORD, ("Switch IMAP on.", "guide"), ("", "back")
    )
    assert said.words.count("IMAP is switched off") == 1
    assert doubles.remembered == []


def test_a_letter_that_came_elsewhere_is_pasted_where_errors_are_explained(tmp_path: Path) -> None:
    _, led = talked(services_with(tmp_path, Bounces(report())), ("", "paste"))
    assert led is True
    _, led = talked(services_with(tmp_path / "none", Bounces(report()), saved=False), (NO_ACCOUNT, "paste"))
    assert led is True
    dialogue = Dialogue(("", "bounces"), ("", "paste"), ("Paste it", "back"), ("", "leave"))
    wizard = PlainWizard(services_with(tmp_path / "home", Bounces(report())), Guides(), dialogue)
    assert wizard.run(start="home") == 0
    dialogue.over()


@contextmanager
def dns(zone: dict[tuple[str, str], list[str]]) -> Iterator[DnsServer]:
    """Serve a zone beside the questions, which are asked in a loop of their own."""
    loop, up = asyncio.new_event_loop(), threading.Event()
    server = DnsServer(as_text(zone))
    ends = asyncio.Event()

    async def serve() -> None:
        async with server:
            up.set()
            await ends.wait()

    beside = threading.Thread(target=loop.run_until_complete, args=(serve(),))
    beside.start()
    up.wait()
    try:
        yield server
    finally:
        loop.call_soon_threadsafe(ends.set)
        beside.join()
        loop.close()


def test_a_domain_is_looked_at_and_the_record_that_mends_it_stands_in_one_line(tmp_path: Path) -> None:
    with dns(good_zone() | {(DOMAIN, "TXT"): ["v=spf1 ipv4:203.0.113.9 -all"]}) as server:
        services = replace(make_services(tmp_path), domains=Domains(catalog(), server.resolver))
        said, _ = talked(
            services,
            ("Is your domain ready", "no domain"),
            ("Your domain, or your address", f"ana@{DOMAIN}"),
            ("1 thing is wrong", "back"),
            area=domain,
        )
    assert any("v=spf1 ip4:203.0.113.9 -all" in line for line in said.said.splitlines())
    assert "\x1b" not in said.said


def test_whether_an_account_is_ready_is_said_with_what_is_missing_and_the_plan(tmp_path: Path) -> None:
    with dns({key: value for key, value in good_zone().items() if not key[0].startswith("_dmarc")}) as server:
        services = replace(services_with(tmp_path, Bounces()), domains=Domains(catalog(), server.resolver))
        at_domain = replace(
            ACCOUNT, name=shown("Shop"), id="b" * 16, address=Address("ana", DOMAIN), scope=Scope.GENERAL
        )
        known = replace(at_domain, connection=replace(at_domain.connection, provider="gmail"))
        services.saved_accounts.put(known)
        said, _ = talked(
            services,
            ("To how many people, with the account 'Shop'", "many"),
            ("with the account 'Shop'", "20000"),
            ("with the account 'Shop' ('other' takes another account, 'back' leaves)", "Other"),
            (f"with the account '{ACCOUNT.name}'", "back"),
            area=partial(ready, provider="gmail", typed={}),
        )
    for words in ("'Shop' is not ready for this mailing", "Who must act:", "How long it takes", "20,000 messages"):
        assert words in said.words
    assert "\x1b" not in said.said


def test_without_an_account_there_is_nothing_to_be_ready_for(tmp_path: Path) -> None:
    services = services_with(tmp_path, Bounces(), saved=False)
    said, _ = talked(services, area=partial(ready, provider="gmail", typed={}))
    assert "Set one up first." in said.words


@pytest.mark.parametrize("area", ["bounces", "domain"])
def test_back_leads_to_the_accounts(area: str, tmp_path: Path) -> None:
    dialogue = Dialogue(("", area), ("", "back"), ("What next?", "leave"))
    wizard = PlainWizard(services_with(tmp_path, Bounces(report())), Guides(), dialogue)
    assert wizard.run(start="home") == 0
    dialogue.over()
