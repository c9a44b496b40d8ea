"""Ready for a mailing, without a face: what is asked for, what is missing, the plan beside it, and how it can fail."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from typing import Any

import pytest

from smtp_wizard.engine.accounts.account import Account, AccountsError
from smtp_wizard.engine.base.address import Address
from smtp_wizard.engine.base.shown import phrase, shown
from smtp_wizard.engine.base.stages import Verdict
from smtp_wizard.engine.services.domains import Domains
from smtp_wizard.flows.areas.domain import ReadSections
from smtp_wizard.flows.areas.mailing import MailingField, MailingFlow, MailingOffer, plan_card
from smtp_wizard.flows.areas.readiness import WHY, ReadinessFlow, ReadinessOffer, ReadinessState, provider_of
from smtp_wizard.flows.flow import Mood
from smtp_wizard.runtime.expected_errors import EXPECTED_ERRORS
from smtp_wizard.text.areas.readiness import DOES_NOT_FIT, FIT_NOT_KNOWN, NO_ACCOUNT, NO_ANSWER
from smtp_wizard.text.limits import plan_words
from tests.commands.test_send import RELAY
from tests.engine.domain.test_mending import DOMAIN, as_text, good_zone
from tests.flows.accounts.doubles import name_of, troubles
from tests.support.dnsserver import DnsFault, DnsServer
from tests.support.walk import catalog

MONDAY = date(2026, 11, 30)


def account(name: str = "Office", provider: str = "gmail", **connection: Any) -> Account:
    own = replace(RELAY.connection, provider=provider, **connection)
    ana = Address("ana", DOMAIN)
    identity = replace(RELAY.identity, sender=ana)
    return replace(RELAY, name=shown(name), address=ana, identity=identity, connection=own)


async def flow_of(
    domains: Any, *accounts: Account, provider: str = "", recipients: str = "500", typed: Any = None
) -> ReadinessFlow:
    flow = ReadinessFlow(
        lambda: accounts or (account(),),
        domains,
        catalog(),
        MONDAY,
        provider=provider,
        typed={MailingField.RECIPIENTS: recipients, **(typed or {})},
    )
    await flow.read_accounts()
    return flow


class Failing:
    """A look at a domain that fails."""

    def __init__(self, problem: Exception) -> None:
        self.problem = problem

    async def examine(self, *_: Any, **__: Any) -> Any:
        raise self.problem


async def test_what_is_missing_stands_first_with_who_mends_it_and_the_plan_beside_it() -> None:
    zone = {key: value for key, value in good_zone().items() if not key[0].startswith("_dmarc")}
    async with DnsServer(as_text(zone)) as server:
        flow = await flow_of(Domains(catalog(), server.resolver), recipients="20000")
        assert flow.explained(None) == (WHY,)
        await flow.act(ReadinessOffer.LOOK)
    found = flow.readiness
    assert found is not None
    assert not found.ready
    assert "dmarc" in {each.requirement.id for each in found.missing}
    state = flow.state
    assert state.card is not None
    assert state.card.mood is Mood.FAILED
    assert "'Office' is not ready for this mailing" in state.card.title
    verdicts = [state.found[each.id].verdict for each in state.offers if each.id in state.found]
    assert verdicts == sorted(verdicts, key=[Verdict.FAIL, Verdict.WARN, Verdict.UNKNOWN, Verdict.PASS].index)
    assert state.plan[0].startswith("20,000 messages: ")
    leads = await flow.act("dmarc")
    assert isinstance(leads, ReadSections)
    assert any(line.startswith("Who must act: ") for line in leads.sections[0].lines)
    assert "Publish the DMARC record that 'Your domain' shows." in leads.sections[0].lines
    rule, plan = flow.explained("dmarc")
    assert (rule.title, plan.lines) == (leads.title, state.plan)
    assert len(flow.details()) == len(found.requirements) + 1


async def test_where_the_dns_is_silent_it_is_not_known_whether_one_is_ready() -> None:
    zone = good_zone()
    async with DnsServer(as_text(zone), {name: DnsFault.SERVFAIL for name, _ in zone}) as server:
        flow = await flow_of(Domains(catalog(), server.resolver))
        await flow.act(ReadinessOffer.LOOK)
    found, card = flow.readiness, flow.state.card
    assert found is not None
    assert card is not None
    assert (found.verdict, found.ready, card.mood) == (Verdict.UNKNOWN, False, Mood.WARNED)
    assert card.title == "It is not known whether 'Office' is ready for this mailing"
    assert NO_ANSWER in card.lines


async def test_without_published_limits_it_is_not_known_whether_a_mailing_fits() -> None:
    zone = good_zone() | {(DOMAIN, "TXT"): ["v=spf1 ip4:127.0.0.1 -all"]}
    async with DnsServer(as_text(zone)) as server:
        flow = await flow_of(Domains(catalog(), server.resolver), account(provider="custom"), recipients="50")
        await flow.act(ReadinessOffer.LOOK)
    found, card = flow.readiness, flow.state.card
    assert found is not None
    assert card is not None
    assert (found.verdict, found.missing) == (Verdict.UNKNOWN, ())
    assert FIT_NOT_KNOWN in card.lines
    assert DOES_NOT_FIT not in card.lines


async def test_a_mailing_that_the_provider_forbids_is_not_ready_whatever_its_limits_let_through() -> None:
    async with DnsServer(as_text(good_zone())) as server:
        flow = await flow_of(Domains(catalog(), server.resolver), account(provider="hetzner"), recipients="50")
        await flow.act(ReadinessOffer.LOOK)
    found, card = flow.readiness, flow.state.card
    assert found is not None
    assert card is not None
    assert (found.plan.fits, found.verdict, card.mood) == (True, Verdict.FAIL, Mood.FAILED)
    forbids = "Hetzner forbids newsletters and other mass mail."
    assert forbids in card.lines
    made = plan_card(found.plan, provider_of(account(provider="hetzner"), catalog()))
    assert (made.mood, made.lines[0]) == (Mood.WARNED, forbids)
    assert plan_words(found.plan, catalog())[1].endswith(forbids), "right behind how long it takes"


async def test_it_is_the_same_mailing_that_was_planned() -> None:
    """With what is kept for invoices, and what went out today."""
    planned = {MailingField.RESERVE: "10%", MailingField.SENT: "100"}
    mailing = MailingFlow(catalog(), provider_of(account(), catalog()), MONDAY)
    for field, text in {MailingField.RECIPIENTS: "5000", **planned}.items():
        mailing.put(field, text)
    await mailing.act(MailingOffer.COUNT)
    async with DnsServer(as_text(good_zone())) as server:
        flow = await flow_of(Domains(catalog(), server.resolver), recipients="5000", typed=planned)
        await flow.act(ReadinessOffer.LOOK)
    assert flow.readiness is not None
    assert flow.readiness.plan == mailing.made


async def test_what_was_typed_wrong_for_the_plan_does_not_stand_in_the_way() -> None:
    wrong = {MailingField.RESERVE: "no such", MailingField.SENT: "-3"}
    async with DnsServer(as_text(good_zone())) as server:
        flow = await flow_of(Domains(catalog(), server.resolver), typed=wrong)
        await flow.act(ReadinessOffer.LOOK)
    assert flow.readiness is not None
    assert not flow.readiness.plan.mailing.reserve.amount


async def test_a_few_people_are_asked_for_less() -> None:
    zone = {key: value for key, value in good_zone().items() if not key[0].startswith("_dmarc")}
    async with DnsServer(as_text(zone)) as server:
        flow = await flow_of(Domains(catalog(), server.resolver), recipients="20")
        await flow.act(ReadinessOffer.LOOK)
    assert flow.state.found["dmarc"].verdict is Verdict.WARN


@pytest.mark.parametrize("typed", ["", "0", "-3", "many", "9" * 40, "\x1b[2J"])
async def test_a_number_that_is_none_is_said_in_its_field_and_nobody_is_asked(typed: str) -> None:
    flow = await flow_of(Failing(AssertionError("nobody is asked")), recipients=typed)
    await flow.act(ReadinessOffer.LOOK)
    assert flow.state.entry.error
    assert flow.state.found == {}
    flow.put("500")
    assert not flow.state.entry.error


@pytest.mark.parametrize("problem", list(troubles()), ids=name_of)
async def test_what_a_service_raises_stands_on_the_card(problem: Exception) -> None:
    assert isinstance(problem, EXPECTED_ERRORS)
    flow = await flow_of(Failing(problem))
    await flow.act(ReadinessOffer.LOOK)
    assert flow.state.card is not None
    assert (flow.state.card.mood, flow.state.card.lines) == (Mood.FAILED, (str(problem),))


async def test_the_accounts_of_the_planned_provider_come_first_and_practice_has_nothing_to_be_ready_for() -> None:
    accounts = (account("Web"), account("Shop", "fastmail"), account("Practice", "sandbox", sandbox="accept"))
    flow = await flow_of(Failing(AssertionError()), *accounts, provider="fastmail")
    assert flow.state.account == "Shop"
    await flow.act(ReadinessOffer.OTHER)
    assert flow.state.account == "Web"
    await flow.act(ReadinessOffer.OTHER)
    assert flow.state.account == "Shop"


async def test_without_an_account_it_is_said_what_comes_first() -> None:
    def none() -> Sequence[Account]:
        return ()

    def unreadable() -> Sequence[Account]:
        raise AccountsError(phrase("It fails on purpose."))

    for accounts, said in ((none, NO_ACCOUNT), (unreadable, "It fails on purpose.")):
        flow = ReadinessFlow(accounts, Failing(AssertionError()), catalog(), MONDAY)  # type: ignore[arg-type]
        await flow.read_accounts()
        assert flow.state.card is not None
        assert flow.state.card.title == said
        assert await flow.act(ReadinessOffer.LOOK) is None
        assert await flow.act(ReadinessOffer.OTHER) is None


async def test_an_account_of_a_provider_that_is_gone_is_said() -> None:
    flow = await flow_of(Failing(AssertionError()), account(provider="no-such"))
    await flow.act(ReadinessOffer.LOOK)
    assert flow.state.card is not None
    assert flow.state.card.lines == ("The provider of 'Office' is not known any more.",)


async def test_another_number_takes_over_from_a_look_that_is_under_way() -> None:
    begun, go_on = asyncio.Event(), asyncio.Event()

    class Slow:
        async def examine(self, *_: Any, **__: Any) -> Any:
            begun.set()
            await go_on.wait()
            raise AccountsError(phrase("too late"))

    flow = await flow_of(Slow())
    looking = asyncio.ensure_future(flow.act(ReadinessOffer.LOOK))
    await begun.wait()
    assert flow.state.card is not None
    assert flow.state.card.mood is Mood.RUNNING
    flow.put("600")
    go_on.set()
    await looking
    assert flow.state.entry.text == "600"
    assert flow.state == ReadinessState(entry=flow.state.entry, account="Office")


async def test_a_look_that_is_stopped_leaves_the_question() -> None:
    begun = asyncio.Event()

    class Endless:
        async def examine(self, *_: Any, **__: Any) -> Any:
            begun.set()
            await asyncio.Event().wait()

    flow = await flow_of(Endless())
    looking = asyncio.ensure_future(flow.act(ReadinessOffer.LOOK))
    await begun.wait()
    looking.cancel()
    with pytest.raises(asyncio.CancelledError):
        await looking
    assert (flow.state.card, flow.state.entry.text) == (None, "500")
