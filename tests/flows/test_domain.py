"""Your domain without a face: what is found, what may be copied, and every way in which it can fail."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any

import pytest

from smtp_wizard.engine.accounts.account import Account, AccountsError
from smtp_wizard.engine.base.data_files import DataError
from smtp_wizard.engine.base.shown import phrase
from smtp_wizard.engine.domain import sender_records
from smtp_wizard.engine.domain.domain_report import DomainReport
from smtp_wizard.engine.services.domains import Domains
from smtp_wizard.flows.areas.domain import WHY, DomainFlow, DomainOffer, ReadSections
from smtp_wizard.flows.flow import CopyText, Mood
from tests.engine.domain.test_mending import DOMAIN, as_text, good_zone
from tests.support.dnsserver import DnsFault, DnsServer
from tests.support.walk import catalog


def none_saved() -> Sequence[Account]:
    return ()


def flow_asking(server: DnsServer) -> DomainFlow:
    return DomainFlow(Domains(catalog(), server.resolver), catalog(), none_saved)


async def test_what_mends_a_fault_is_copied() -> None:
    zone = good_zone() | {(DOMAIN, "TXT"): ["v=spf1 ipv4:203.0.113.9 -all"]}
    async with DnsServer(as_text(zone)) as server:
        flow = flow_asking(server)
        flow.put(f" ana@{DOMAIN} ")
        assert await flow.act(DomainOffer.LOOK) is None
    state = flow.state
    assert state.card is not None
    assert (state.card.mood, state.card.title) == (Mood.FAILED, "1 thing is wrong")
    assert state.rows[0] == "Mail hosts: mx.hoster.example"
    first, again = state.offers
    assert first.verb.startswith("✗ Receivers cannot read the SPF record")
    assert again.id == DomainOffer.LOOK
    assert await flow.act(first.id) == CopyText("v=spf1 ip4:203.0.113.9 -all")
    assert [each.title for each in flow.explained(first.id)] == ["Receivers cannot read the SPF record"]
    assert flow.explained(None) == (WHY,)
    assert len(flow.details()) == 2


async def test_what_no_record_mends_is_read() -> None:
    zone = good_zone() | {(DOMAIN, "MX"): ["0 ."]}
    async with DnsServer(as_text(zone)) as server:
        flow = flow_asking(server)
        flow.put(DOMAIN)
        await flow.act(DomainOffer.LOOK)
        leads = await flow.act(flow.state.offers[0].id)
    assert isinstance(leads, ReadSections)
    assert leads.title == f"{DOMAIN} says that it takes no mail"


async def test_another_domain_takes_what_was_found_away() -> None:
    async with DnsServer(as_text(good_zone())) as server:
        flow = flow_asking(server)
        flow.put(DOMAIN)
        await flow.act(DomainOffer.LOOK)
        assert flow.state.card is not None
        assert flow.state.card.mood is Mood.PASSED
        flow.put("other.example")
    assert flow.report is None
    assert flow.state.rows == ()
    assert flow.details() == (WHY,)


@pytest.mark.parametrize("text", ["", "nodots", "192.0.2.1", "a b.example"])
async def test_what_is_no_domain_is_said_at_the_field_and_stays(text: str) -> None:
    async with DnsServer("") as server:
        flow = flow_asking(server)
        flow.put(text)
        await flow.act(DomainOffer.LOOK)
        assert server.queries == []
    assert "is no domain" in flow.state.entry.error
    assert (flow.state.entry.text, flow.state.card) == (text, None)


async def test_a_silent_name_server_is_a_state() -> None:
    faults = dict.fromkeys((DOMAIN, f"_dmarc.{DOMAIN}"), DnsFault.REFUSED)
    async with DnsServer(as_text(good_zone()), faults) as server:
        flow = flow_asking(server)
        flow.put(DOMAIN)
        await flow.act(DomainOffer.LOOK)
    assert flow.state.card is not None
    assert flow.state.card.mood is Mood.WARNED


async def test_data_that_cannot_be_read_is_a_state(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken() -> None:
        raise DataError(phrase("The data is damaged."))

    monkeypatch.setattr(sender_records, "load_sender_records", broken)
    async with DnsServer(as_text(good_zone() | {(DOMAIN, "MX"): ["1 aspmx.l.google.com."]})) as server:
        flow = flow_asking(server)
        flow.put(DOMAIN)
        await flow.act(DomainOffer.LOOK)
    assert flow.state.card is not None
    assert flow.state.card.lines == ("The data is damaged.",)


async def test_who_stops_a_look_stands_where_he_was() -> None:
    async with DnsServer(as_text(good_zone()), {DOMAIN: DnsFault.DROP}) as server:
        flow = flow_asking(server)
        flow.put(DOMAIN)
        looking = asyncio.ensure_future(flow.act(DomainOffer.LOOK))
        while not server.queries:
            await asyncio.sleep(0.001)
        looking.cancel()
        await asyncio.gather(looking, return_exceptions=True)
    assert (flow.state.card, flow.state.entry.text) == (None, DOMAIN)


async def test_what_is_found_of_another_domain_overwrites_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    async with DnsServer(as_text(good_zone())) as server:
        flow = flow_asking(server)
        flow.put(DOMAIN)
        examine, typed = flow._domains.examine, asyncio.Event()

        async def slow(text: str, **more: Any) -> DomainReport:
            report = await examine(text, **more)
            await typed.wait()
            return report

        monkeypatch.setattr(flow._domains, "examine", slow)
        look = asyncio.create_task(flow.act(DomainOffer.LOOK))
        await asyncio.sleep(0)
        flow.put("second.exam")
        typed.set()
        await look
    assert (flow.state.entry.text, flow.state.card, flow.report) == ("second.exam", None, None)


async def test_a_look_that_fails_leaves_no_report_of_an_earlier_one(monkeypatch: pytest.MonkeyPatch) -> None:
    async with DnsServer(as_text(good_zone())) as server:
        flow = flow_asking(server)
        flow.put(DOMAIN)
        await flow.act(DomainOffer.LOOK)
    assert flow.report is not None

    async def failing(text: str, **more: Any) -> DomainReport:
        raise DataError(phrase("no data"))

    monkeypatch.setattr(flow._domains, "examine", failing)
    await flow.act(DomainOffer.LOOK)
    assert flow.report is None


async def test_accounts_that_cannot_be_read_propose_nothing() -> None:
    def broken() -> Sequence[Account]:
        raise AccountsError(phrase("The file is damaged."))

    flow = DomainFlow(Domains(catalog()), catalog(), broken)
    await flow.read_accounts()
    assert flow.state.entry.text == ""
