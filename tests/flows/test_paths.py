"""Every open way of the catalogue through the flows: each of its scenarios is met and mended, over real sockets."""

from __future__ import annotations

from pathlib import Path

import pytest

from smtp_wizard.engine.base.endpoint import Endpoint, Security
from smtp_wizard.engine.base.stages import Stage, Verdict
from smtp_wizard.engine.wizard.draft import Draft, Origin
from smtp_wizard.engine.wizard.steps import Next
from smtp_wizard.flows.connect import ConnectFlow
from smtp_wizard.flows.connect_state import ConnectOffer
from smtp_wizard.flows.last_steps.test_mail import MailTestFlow
from smtp_wizard.flows.last_steps.test_mail_state import MailTestOffer, MailTestPhase
from smtp_wizard.output.plain_lines import who_words
from tests.screens.test_paths import (
    GOOD,
    HAND_HOST,
    OPEN_WAYS,
    PRACTICE_PASSWORD,
    TEST_TO,
    WELL_KNOWN,
    Way,
    at_the_message,
    before_the_message,
    fails_at,
    scenarios,
)
from tests.screens.test_paths import (
    practice_folder as practice_folder,
)
from tests.support.redirect import RedirectWire, open_relay, playing, tls_ports
from tests.support.walk import catalog, guides, make_services


def begun(way: Way) -> Draft:
    """The draft of somebody who has chosen this way, at the password."""
    draft = Draft().with_address(way.address).with_provider(way.provider, Origin.CHOSEN).with_path(way.path)
    if draft.connection.endpoint is None:
        draft = draft.with_endpoint(Endpoint(HAND_HOST, 587, Security.STARTTLS))
    return draft.confirmed()


async def sign_in(flow: ConnectFlow, password: str) -> None:
    """Type what is missing, and sign in; what was refused exactly so before is sent by its own offer alone."""
    if flow.state.username is not None and not flow.state.username.text:
        flow.type_username("key-17")
    if flow.state.secret is not None:
        flow.type_secret(password)
    refused = flow.state.refused
    await flow.act(ConnectOffer.SIGN_IN)
    if refused:
        await flow.act(ConnectOffer.SAME)


def sees_failure(flow: ConnectFlow, scenario: str) -> None:
    """The card says what failed, why, who must act and what they do first."""
    state, endpoint = flow.state, flow.draft.connection.endpoint
    failed, finding, card = state.check.failed, state.finding, state.card
    assert failed is not None, scenario
    assert finding is not None
    assert card is not None
    assert endpoint is not None
    stage = fails_at(scenario)
    expected = Stage.TLS if stage is Stage.STARTTLS and endpoint.security is Security.TLS else stage
    assert failed.stage is expected, scenario
    assert failed.verdict is (Verdict.UNKNOWN if scenarios()[scenario].drops else Verdict.FAIL)
    assert (card.title, card.lines[0]) == (finding.title, finding.explanation)
    assert card.lines[1] == f"{who_words(finding.who)}: {finding.steps[0]}"
    assert scenario not in WELL_KNOWN or finding.code in WELL_KNOWN[scenario], f"{scenario}: {finding}"
    assert not flow.draft.signed_in


def sees_why_it_was_not_sent(flow: MailTestFlow, scenario: str) -> None:
    """The stage that failed, with a finding and a card; where the answer was lost, that nobody knows."""
    assert flow.report is not None
    failed = next(each for each in flow.report.results if each.verdict in (Verdict.FAIL, Verdict.UNKNOWN))
    assert failed.verdict is (Verdict.UNKNOWN if scenarios()[scenario].drops else Verdict.FAIL)
    assert failed.stage is fails_at(scenario), scenario
    assert failed.finding is not None
    assert flow.state.card is not None
    if failed.verdict is Verdict.FAIL:
        assert flow.state.card.title == failed.finding.title
    assert scenario not in WELL_KNOWN or failed.finding.code in WELL_KNOWN[scenario], f"{scenario}: {failed.finding}"


@pytest.mark.parametrize("way", OPEN_WAYS, ids=str)
async def test_each_scenario_of_a_way_is_said_and_mended(way: Way, tmp_path: Path, practice_folder: Path) -> None:
    early, late = before_the_message(way.path.scenarios), at_the_message(way.path.scenarios)
    assert {GOOD, *early, *late} == {GOOD, *way.path.scenarios}, "every scenario is met"
    serving = playing if way.needs_secret else open_relay
    async with serving(practice_folder, *dict.fromkeys([*way.path.scenarios, GOOD])) as servers:
        wire = RedirectWire(servers[GOOD], tls_ports(catalog()))
        services = make_services(tmp_path, wire)
        flow = ConnectFlow(
            begun(way),
            catalog=services.catalog,
            checks=services.checks,
            scans=services.scans,
            tokens=services.tokens,
            vault=services.stores.vault,
            guides=guides(),
        )
        assert flow.state.guide is not None
        assert way.path.guide is None or flow.state.guide.guide.id == way.path.guide
        for scenario in early:
            wire.led = servers[scenario]
            await sign_in(flow, way.wrong_password(scenario))
            sees_failure(flow, scenario)
        if early[-1:] != ["app-password-required"]:
            wire.led = servers[GOOD]
        await sign_in(flow, PRACTICE_PASSWORD)
        assert flow.draft.signed_in
        leads = await flow.act(ConnectOffer.NEXT)
        assert isinstance(leads, Next)
        mail = MailTestFlow(
            leads.draft,
            checks=services.checks,
            tokens=services.tokens,
            vault=services.stores.vault,
            catalog=services.catalog,
            now=services.now,
        )
        mail.type(TEST_TO)
        offer = MailTestOffer.SEND
        for scenario in late:
            wire.led = servers[scenario]
            await mail.act(offer)
            sees_why_it_was_not_sent(mail, scenario)
            offer = MailTestOffer.AGAIN
        wire.led = servers[GOOD]
        await mail.act(offer)
        assert mail.state.phase is MailTestPhase.WORD
