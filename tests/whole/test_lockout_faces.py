"""The lockout guard as a person meets it: on the screens and in lines of text, with the way on that asks first."""

from __future__ import annotations

import asyncio
import os
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from smtp_wizard.engine.accounts.lockout_guard import USUAL, Slot
from smtp_wizard.engine.base.address import Address
from smtp_wizard.engine.base.connection import Auth, Connection
from smtp_wizard.engine.base.endpoint import Endpoint, Security
from smtp_wizard.engine.base.secret import Secret
from smtp_wizard.engine.base.stages import Depth, Verdict
from smtp_wizard.engine.guides.guides import Guides
from smtp_wizard.engine.secrets.store_kinds import StoreKind
from smtp_wizard.engine.secrets.stores import SecretStores
from smtp_wizard.engine.services.services import Services
from smtp_wizard.engine.wizard.draft import Draft, Origin, Proof
from smtp_wizard.plain.wizard import PlainWizard
from smtp_wizard.screens.accounts.home import HomeScreen
from smtp_wizard.screens.question import FlowPanel
from smtp_wizard.text.connect import REFUSED_UNCHANGED
from smtp_wizard.text.wizard import ANYWAY_QUESTION
from tests.support.checking import EHLO, GREETING, PLAIN_UP_TO_AUTH, QUICK, SIGNED_IN
from tests.support.dialogue import Dialogue
from tests.support.misbehaving import Expect, Hold, MisbehavingServer, Script, Send, refused_port
from tests.support.nouns import with_fields
from tests.support.ptys import at_terminal
from tests.support.walk import make_services, until, walking

ANA = "ana@firm.example"
REFUSED = [*PLAIN_UP_TO_AUTH, Send(b"535 5.7.8 no\r\n"), Hold()]
TAKEN = [*PLAIN_UP_TO_AUTH, SIGNED_IN, Hold()]
TOKEN_REFUSED: Script = [
    GREETING,
    EHLO,
    Send(b"250-mail.example.test\r\n250 AUTH XOAUTH2\r\n"),
    Expect(rb"AUTH XOAUTH2 \S+"),
    Send(b"535 5.7.8 no\r\n"),
    Hold(),
]
STOPPED = "Stopped before the account gets locked"


@pytest.fixture
def services(tmp_path: Path) -> Services:
    return make_services(tmp_path, limits=QUICK)


def draft(endpoint: Endpoint) -> Draft:
    return Draft(
        address=Address("ana", "firm.example"),
        connection=Connection(
            provider="custom", path="password", endpoint=endpoint, allow_cleartext=True, username=ANA
        ),
        origin=Origin.HAND,
        ways=2,
        by_hand=True,
        confirmed_host=endpoint.host,
        secret=Secret("guess one"),
        name="Office",
    )


async def spend(services: Services, endpoint: Endpoint) -> None:
    """Three sign-ins that were refused."""
    for _ in range(3):
        place = await services.lockout_guard.acquire(ANA, endpoint.host, USUAL)
        assert isinstance(place, Slot)
        services.lockout_guard.record(place, cause="bad_credentials")


@pytest.mark.parametrize("size", [(80, 24), (120, 40)])
async def test_connect_stops_and_goes_on_after_a_yes(services: Services, size: tuple[int, int]) -> None:
    """'Try anyway' asks first; 'No, wait' is the first answer, and then nobody is asked."""
    async with MisbehavingServer(TAKEN, strict=False) as server:  # the check beside asks no further than it must
        endpoint = server.endpoint(Security.NONE)
        await spend(services, endpoint)
        async with walking(services, draft=draft(endpoint), size=size) as walk:
            await walk.at("connect")
            walk.app.context.watch.stop()
            before = server.connections
            await walk.press("enter")
            await walk.until_reads(STOPPED)
            assert server.connections == before
            await walk.take("Try anyway")
            card = walk.connect.card
            assert card is not None
            assert card.lines == (ANYWAY_QUESTION,)
            await walk.press("enter")
            await walk.until_reads(STOPPED)
            assert server.connections == before
            await walk.take("Try anyway")
            await walk.take("Try anyway, once")
            await walk.until_reads("Enter Send a test")
            assert server.connections == before + 1
            assert not walk.reads("Try anyway")
    assert services.lockout_guard.counted(ANA, endpoint.host) == ()


async def test_home_stops_and_goes_on_after_a_yes(services: Services) -> None:
    """T is held back, and asks; the last result stays what it was after a no; a new password asks too."""
    async with MisbehavingServer(REFUSED, TAKEN) as server:
        endpoint = server.endpoint(Security.NONE)
        await services.accounts.save(draft(endpoint))
        await spend(services, endpoint)
        async with walking(services, start="home") as walk:
            await walk.at_screen(HomeScreen)
            assert not walk.reads("Try anyway")
            await walk.press("t")
            await walk.until_reads(STOPPED)
            await walk.until_reads("Several sign-ins failed in a short time.")
            await walk.press("enter")
            await walk.until_reads("'Office' was not tested")
            assert server.connections == 0
            assert services.saved_accounts.get("Office").last is None
            await walk.press("t")
            await walk.until_reads("Several sign-ins failed in a short time.")
            await walk.press("down", "enter")
            await walk.until_reads("'Office': password refused. Nothing was sent.")
            assert server.connections == 1
            await walk.press("p")
            await walk.at_screen(FlowPanel)
            await walk.write("right")
            await walk.press("enter")
            await walk.until_reads("Several sign-ins failed in a short time.")
            await walk.press("down", "enter")
            await walk.until_reads("the new password works and is kept")
    assert server.connections == 2


def test_the_plain_wizard_stops_and_offers_the_way_on(services: Services) -> None:
    with refused_port() as port:
        endpoint = Endpoint("127.0.0.1", port, Security.NONE)
        asyncio.run(spend(services, endpoint))
        dialogue = Dialogue(
            ("not shown", "guess one"),
            ("Try anyway", "anyway"),
            (ANYWAY_QUESTION, ""),
            ("What now?", "anyway"),
            (ANYWAY_QUESTION, "yes"),
            ("What now?", "quit"),
            ("Leave now?", "yes"),
        )
        begun = replace(draft(endpoint), secret=None)
        assert PlainWizard(services, Guides(), dialogue).run(start="setup", draft=begun) == 0
        dialogue.over()
    assert STOPPED in dialogue.words
    assert dialogue.words.index(STOPPED) < dialogue.words.rindex("FAIL Reach port")


def test_the_plain_home_stops_and_offers_the_way_on(services: Services) -> None:
    with refused_port() as port:
        endpoint = Endpoint("127.0.0.1", port, Security.NONE)
        asyncio.run(services.accounts.save(draft(endpoint)))
        asyncio.run(spend(services, endpoint))
        dialogue = Dialogue(
            ("What next?", "test"),
            (ANYWAY_QUESTION, ""),
            ("What next?", "test"),
            (ANYWAY_QUESTION, "yes"),
            ("What next?", "leave"),
        )
        assert PlainWizard(services, Guides(), dialogue).run(start="home") == 0
        dialogue.over()
    assert "'Office' was not tested, so that it does not get locked. Nothing was sent." in dialogue.words
    assert "'Office': server does not answer. Nothing was sent." in dialogue.words


async def plainly(services: Services, begun: Draft, *script: tuple[str, str]) -> Dialogue:
    """Answer the questions of the wizard in lines of text, beside the server of this test."""
    dialogue = Dialogue(*script)
    wizard = PlainWizard(services, Guides(), dialogue)
    assert await asyncio.to_thread(wizard.run, start="setup", draft=begun) == 0
    dialogue.over()
    return dialogue


async def test_in_lines_of_text_enter_sends_nothing_that_was_refused(services: Services) -> None:
    """Enter at 'What now?', and Enter for 'the one from before': only what is asked for by its number is sent."""
    async with MisbehavingServer(REFUSED) as server:
        begun = replace(draft(server.endpoint(Security.NONE)), secret=None)
        dialogue = await plainly(
            services,
            begun,
            ("not shown", "guess one"),
            ("What now?", ""),
            ("not shown (Enter: the one from before)", ""),
            (REFUSED_UNCHANGED, ""),
            ("not shown", "guess one"),
            (REFUSED_UNCHANGED, "2"),
            ("The user name or the password is wrong", ""),
            ("not shown", "guess two"),
            ("What now?", "quit"),
            ("Leave now?", "yes"),
        )
        assert server.received.count(b"AUTH PLAIN") == 3
    assert dialogue.words.count("The user name or the password is wrong") == 3


async def test_in_lines_of_text_the_test_mail_sends_nothing_that_was_refused(services: Services) -> None:
    """Neither Enter nor another recipient does; the way back leads to the password."""
    async with MisbehavingServer(REFUSED) as server:
        begun = draft(server.endpoint(Security.NONE))
        assert begun.connection.endpoint is not None
        proof = Proof(
            datetime.now(UTC), Depth.LOGIN, Verdict.PASS, begun.connection.endpoint, begun.connection.username
        )
        begun = replace(begun, proof=proof)
        await plainly(
            services,
            begun,
            ("Another address that you read", "bob@elsewhere.example"),
            ("1. Change how you sign in", "details"),
            ("1. Change how you sign in", "again"),
            ("1. Change how you sign in", ""),
            ("Enter: the one from before", "quit"),
            ("Leave now?", "yes"),
        )
        assert server.received.count(b"AUTH PLAIN") == 2


async def test_in_lines_of_text_what_was_refused_is_not_said_to_be_tested(services: Services) -> None:
    async with MisbehavingServer(REFUSED) as server:
        begun = draft(server.endpoint(Security.NONE))
        assert begun.connection.endpoint is not None
        proof = Proof(
            datetime.now(UTC), Depth.LOGIN, Verdict.PASS, begun.connection.endpoint, begun.connection.username
        )
        dialogue = await plainly(
            services,
            replace(begun, proof=proof),
            ("Another address that you read", "bob@elsewhere.example"),
            ("The test message was not sent.", "skip"),
            ("Name of the account", "quit"),
            ("Leave now?", "yes"),
        )
    assert "the server refuses the sign-in" in dialogue.words


async def test_in_lines_of_text_enter_sends_no_refused_token_either(services: Services) -> None:
    """Where nothing can be typed again, Enter leads to where another token comes from."""
    async with MisbehavingServer(TOKEN_REFUSED) as server:
        token = with_fields(draft(server.endpoint(Security.NONE)), auth=Auth.XOAUTH2, secret=Secret("ya29.token"))
        token = replace(token, token_elsewhere=True)
        dialogue = await plainly(
            services,
            token,
            ("What now? ('back' leads to the step before.) 1. Change settings", "same"),
            ("What now?", ""),
            ("Which server sends your mail?", "quit"),
            ("Leave now?", "yes"),
        )
        assert server.received.count(b"AUTH XOAUTH2") == 2
    assert "FAIL" in dialogue.words


async def test_at_a_terminal_enter_does_nothing_while_a_check_runs(
    own_home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Three times Enter while a slow server is waited for: they answer none of the questions that come later."""
    monkeypatch.setenv("OFFICE_PASSWORD", "guess one")
    answer = asyncio.Event()
    slow = [*PLAIN_UP_TO_AUTH, Hold(answer), Send(b"454 4.7.0 later\r\n"), Hold()]
    async with MisbehavingServer(slow, REFUSED) as server:
        saved = replace(draft(server.endpoint(Security.NONE)), store=StoreKind.ENV, env_name="OFFICE_PASSWORD")
        services = make_services(own_home / "config", stores=SecretStores(dict(os.environ), own_home / "config"))
        await services.accounts.save(saved)
        with at_terminal("--plain") as terminal:
            await asyncio.to_thread(terminal.answer, "What next?", "test")
            await until(lambda: b"AUTH PLAIN" in server.received, lambda: terminal.words)
            await asyncio.to_thread(terminal.press, "Testing 'Office'", b"\n\n\n")
            answer.set()
            await asyncio.to_thread(terminal.answer, "What next?", "test")
            await asyncio.to_thread(terminal.answer, "What next?", "leave")
            assert await asyncio.to_thread(terminal.end) == 0
        assert server.received.count(b"AUTH PLAIN") == 2
