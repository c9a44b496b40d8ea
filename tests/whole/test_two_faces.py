"""The screens and the command line are two faces of one engine: what they say of a check is the same, row by row."""

from __future__ import annotations

import asyncio
import functools
import os
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from smtp_wizard.app import HOME
from smtp_wizard.engine.base.address import Address
from smtp_wizard.engine.base.connection import Connection
from smtp_wizard.engine.base.endpoint import Endpoint, Security
from smtp_wizard.engine.base.secret import Secret
from smtp_wizard.engine.base.stages import Stage
from smtp_wizard.engine.checks.report import CheckResult
from smtp_wizard.engine.sandbox.scenarios import CertificateKind, Scenario, SignInRule, load_scenarios
from smtp_wizard.engine.secrets.store_kinds import StoreKind
from smtp_wizard.engine.secrets.stores import SecretStores
from smtp_wizard.engine.services.services import Services
from smtp_wizard.engine.smtp.symptom import Fault
from smtp_wizard.engine.smtp.wire_error import WireError
from smtp_wizard.engine.wizard.draft import Draft, Origin
from smtp_wizard.flows.server_state import ServerState
from smtp_wizard.output.plain_lines import STAGE_WORDS
from smtp_wizard.plain.wizard import PlainWizard
from smtp_wizard.screens import test_mail
from smtp_wizard.screens.accounts.home import HomeScreen
from smtp_wizard.screens.server import ServerScreen
from smtp_wizard.text.network import NO_PORT_FITS
from tests.support.cli import Ran, run
from tests.support.dialogue import Dialogue
from tests.support.misbehaving import Expect, Hold, MisbehavingServer, Send, Step, refused_port
from tests.support.walk import Walk, catalog, guides, make_services, walking

Row = tuple[str, str, str | None]
"""Stage, verdict, code of the finding."""

EMAIL = Address("ana", "sandbox.test")
TEST_TO = Address("ben", "elsewhere.example")
PASSWORD = "abcdefgh ijklmnop"
VARIABLE = "OFFICE_PASSWORD"
SCENARIOS = tuple(load_scenarios())
LETS_IN = tuple(
    each.id
    for each in load_scenarios().values()
    if each.certificate is CertificateKind.GOOD and each.auth is SignInRule.PRACTICE
)
"""Those that take the practice password, so that a message can be sent."""


@functools.cache
def scenarios() -> dict[str, Scenario]:
    """What the practice server plays, with nothing to wait for."""
    return {each.id: replace(each, delays={}) for each in load_scenarios().values()}


@pytest.fixture(autouse=True)
def nothing_to_wait_for(monkeypatch: pytest.MonkeyPatch) -> None:
    """The scenario that takes its time takes none."""
    known = scenarios()
    monkeypatch.setattr("smtp_wizard.engine.sandbox.scenarios.load_scenarios", lambda: known)


@pytest.fixture
def services(own_home: Path) -> Services:
    """The engine over the folder that the command line uses, too; passwords come from the environment."""
    return make_services(own_home / "config", stores=SecretStores({VARIABLE: PASSWORD}))


def practising(scenario: str) -> Draft:
    """Return a draft that goes on where the password is typed."""
    provider = catalog().get("sandbox")
    assert provider is not None
    return Draft(
        address=EMAIL,
        connection=Connection(
            provider=provider.id, path=scenario, sandbox=scenario, endpoint=provider.best(), username=str(EMAIL)
        ),
        ways=len(provider.paths),
    )


def on_the_screen(results: Sequence[CheckResult]) -> list[Row]:
    return [(r.stage.value, r.verdict.value, r.finding.code if r.finding else None) for r in results]


def in_the_document(ran: Ran) -> list[Row]:
    return [(stage["stage"], stage["verdict"], stage["finding"]) for stage in ran.result["stages"]]


async def screens_sign_in(services: Services, scenario: str) -> list[Row]:
    async with walking(services, draft=practising(scenario)) as walk:
        await walk.at("connect")
        await walk.write(PASSWORD)
        return on_the_screen((await walk.sign_in()).check.results)


async def screens_send(services: Services, scenario: str) -> list[Row]:
    async with walking(services, draft=practising(scenario)) as walk:
        await walk.at("connect")
        await walk.write(PASSWORD)
        await walk.sign_in()
        assert walk.draft.signed_in
        await walk.press("enter")
        await walk.at("testmail")
        await walk.write(str(TEST_TO))
        await walk.press("enter")
        screen = walk.app.screen
        assert isinstance(screen, test_mail.TestMailScreen)
        await walk.until(lambda: screen.flow.report, "the end of the check")
        report = screen.flow.report
        assert report is not None
        return on_the_screen(list(report.results))


async def screens_test_again(services: Services) -> list[Row]:
    async with walking(services, start=HOME) as walk:
        screen = await walk.at_screen(HomeScreen)
        await walk.press("t")
        await walk.until(lambda: screen.record.over, "the end of the check")
        return on_the_screen(screen.record.view.results)


def setup(scenario: str, *more: str) -> Ran:
    return run("setup", str(EMAIL), "--path", scenario, "--password-stdin", "--json", *more, stdin=PASSWORD)


@pytest.mark.parametrize("scenario", SCENARIOS)
def test_connect_and_setup_say_the_same(services: Services, scenario: str) -> None:
    """Signing in at Connect, and `setup EMAIL --path ... --password-stdin --json`."""
    rows = asyncio.run(screens_sign_in(services, scenario))
    assert rows == in_the_document(setup(scenario))
    assert [stage for stage, _, _ in rows] == ["dns", "connect", "greeting", "ehlo", "starttls", "auth"]


@pytest.mark.parametrize("scenario", LETS_IN)
def test_test_mail_and_setup_say_the_same(services: Services, scenario: str) -> None:
    """Sending at Test mail, and `setup ... --send-test ADDR --json`."""
    rows = asyncio.run(screens_send(services, scenario))
    assert rows == in_the_document(setup(scenario, "--send-test", str(TEST_TO)))
    assert [stage for stage, _, _ in rows][-3:] == ["mail", "rcpt", "data"]


@pytest.mark.parametrize("scenario", SCENARIOS)
def test_home_and_test_say_the_same(services: Services, scenario: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """T on a saved account, and `test NAME --json`; the result that is kept is the same."""
    draft = replace(
        practising(scenario), name="Office", store=StoreKind.ENV, env_name=VARIABLE, secret=Secret(PASSWORD)
    )
    asyncio.run(services.accounts.save(draft))
    rows = asyncio.run(screens_test_again(services))
    assert services.saved_accounts.state.flush() == (), "a thread of its own writes the result"
    kept = services.saved_accounts.get("Office").last
    monkeypatch.setitem(os.environ, VARIABLE, PASSWORD)
    assert rows == in_the_document(run("test", "Office", "--json"))
    again = services.saved_accounts.get("Office").last
    assert kept is not None
    assert again is not None
    assert (kept.verdict, kept.stage, kept.code) == (again.verdict, again.stage, again.code)


def test_a_server_of_ones_own_is_said_the_same_of(services: Services) -> None:
    """Where nobody listens: at the server step without a password, and `check HOST`."""
    with refused_port() as port:
        endpoint = Endpoint("127.0.0.1", port, Security.STARTTLS)
        rows = asyncio.run(server_step(services, endpoint))
        ran = run("check", f"127.0.0.1:{port}", "--security", "starttls", "--json")
    assert rows == in_the_document(ran)
    assert ("connect", "fail") in {row[:2] for row in rows}


async def server_step(services: Services, endpoint: Endpoint) -> list[Row]:
    draft = Draft(
        address=EMAIL, connection=Connection(provider="custom", path="password", endpoint=endpoint), by_hand=True
    ).confirmed()
    async with walking(services, draft=draft) as walk:
        await walk.at("server")
        await walk.take("Try this port only")
        state = await tried_on_the_screen(walk)
        finding = state.finding.code if state.finding is not None else None
        told = [_told(row) for row in state.details[: state.details.index("")]]
        return [(stage, verdict, finding if verdict in ("fail", "warn") else None) for stage, verdict in told]


async def tried_on_the_screen(walk: Walk) -> ServerState:
    """Wait for the end of a trial at the server step; return what it shows then."""
    screen = walk.app.screen
    assert isinstance(screen, ServerScreen)
    await walk.until(lambda: screen.flow.state.details and not screen.flow.state.running, "the end of the trial")
    await walk.settle()
    return screen.flow.state


SIGNS = {"✓": "pass", "!": "warn", "✗": "fail", "–": "skipped"}


def _told(row: str) -> tuple[str, str]:
    """The stage and the verdict that a row of a trial with STARTTLS tells."""
    told = next(stage for stage in Stage if row[2:].startswith(STAGE_WORDS[stage]))
    return (Stage.STARTTLS if told is Stage.TLS else told).value, SIGNS[row[0]]


def test_every_port_of_a_server_is_said_the_same_of(services: Services, monkeypatch: pytest.MonkeyPatch) -> None:
    """The usual ports at the server step, and `check HOST`: the same rows and the same about the network."""

    async def both() -> tuple[list[str], Ran, Ran]:
        script: list[Step] = [
            Send(b"220 localhost\r\n"),
            Expect(rb"EHLO .*"),
            Send(b"250-here\r\n250 AUTH PLAIN\r\n"),
            Hold(),
        ]
        reading = MisbehavingServer([Send(b"+OK\r\n"), Hold()])
        async with MisbehavingServer(script) as bare, reading:
            with refused_port() as closed:
                ways = dict.fromkeys((bare.port, reading.port, closed), Security.STARTTLS)
                monkeypatch.setattr("smtp_wizard.engine.scan.ports.USUAL_WAYS", ways)
                rows = await every_port(services)
                shown = await asyncio.to_thread(run, "check", "localhost")
                return rows, shown, await asyncio.to_thread(run, "check", "localhost", "--json")

    lines, shown, ran = asyncio.run(both())
    rows, said = lines[:3], " ".join(lines[3:])
    assert sorted(rows) == sorted(shown.err.splitlines()[:3])
    for sentence in [each["sentence"] for each in ran.document["network"]["sights"]]:
        assert sentence in said
        assert sentence in " ".join(shown.out.split())
    assert {each["kind"] for each in ran.document["network"]["sights"]} == {"refused", "pop"}
    assert (ran.code, ran.document["best"]) == (1, None)


async def every_port(services: Services) -> list[str]:
    draft = Draft(address=EMAIL, connection=Connection(endpoint=None, provider="custom", path="password"), by_hand=True)
    async with walking(services, draft=draft, size=(120, 40)) as walk:
        await walk.at("server")
        await walk.fill("#host", "localhost")
        await walk.take("Try the usual ports")
        state = await tried_on_the_screen(walk)
        assert state.card is not None
        assert NO_PORT_FITS.startswith(state.card.title)
        ports = [row[2:].split(maxsplit=1) for row in state.card.lines]
        return [*(f"{port}: {words}" for port, words in ports), *state.notes]


# --- the port follows the security ---

FIRM = "mail.firm.example"


@pytest.mark.parametrize(
    ("port", "before", "after", "expected"),
    [
        (465, Security.NONE, Security.STARTTLS, 587),
        (465, Security.TLS, Security.STARTTLS, 587),
        (587, Security.STARTTLS, Security.NONE, 25),
        (25, Security.STARTTLS, Security.TLS, 465),
        (2525, Security.STARTTLS, Security.TLS, 2525),
        (4650, Security.TLS, Security.NONE, 4650),
    ],
)
def test_the_port_follows_the_security_alike_whatever_one_uses(
    services: Services, monkeypatch: pytest.MonkeyPatch, port: int, before: Security, after: Security, expected: int
) -> None:
    """A usual port becomes the usual one of the new security, another one stays: on the screens, in lines of text,
    in `setup` and in `accounts edit`."""
    monkeypatch.setattr("smtp_wizard.engine.smtp.transport.SocketWire.resolve", nowhere)
    known, wanted = Endpoint(FIRM, port, before), Endpoint(FIRM, expected, after)
    assert asyncio.run(changed_on_the_screen(services, known, after)) == wanted
    assert changed_in_lines_of_text(services, known, after) == wanted
    if before is not Security.NONE:  # no provider is ever offered without encryption
        assert changed_by_setup(services, known, after) == wanted
    assert changed_by_edit(services, known, after) == wanted


async def nowhere(*_: object) -> None:
    raise WireError(Fault.NO_SUCH_HOST)


def by_hand_at(known: Endpoint) -> Draft:
    provider = catalog().get("custom")
    assert provider is not None
    begun = Draft(address=EMAIL).with_provider(provider, Origin.HAND).with_path(provider.paths[0])
    return begun.with_endpoint(known).with_sign_in("", None).confirmed()


async def changed_on_the_screen(services: Services, known: Endpoint, security: Security) -> Endpoint | None:
    async with walking(services, draft=by_hand_at(known)) as walk:
        await walk.at("server")
        await walk.choose("#security", security)
        screen = walk.app.screen
        assert isinstance(screen, ServerScreen)
        return screen.collect().connection.endpoint


def changed_in_lines_of_text(services: Services, known: Endpoint, security: Security) -> Endpoint | None:
    dialogue = Dialogue(
        *(("Outgoing server", ""), ("Secure connection:", security.value), ("Port [", ""), ("User name", "ana")),
        *(("", "quit"), ("Leave now?", "yes")),
    )
    wizard = PlainWizard(services, guides(), dialogue)
    assert wizard.run(start="setup", draft=by_hand_at(known)) == 0
    return wizard.draft.connection.endpoint


def changed_by_setup(services: Services, known: Endpoint, security: Security) -> Endpoint:
    endpoint = f"{{host: {known.host}, port: {known.port}, security: {known.security}}}"
    own = f"providers:\n  - {{id: our-firm, name: Our firm, domains: [firm.example], endpoints: [{endpoint}]}}\n"
    (services.folder / "providers.yaml").write_text(own)
    said = ("setup", "ana@firm.example", "--provider", "our-firm", "--security", security.value)
    return tried(run(*said, "--allow-cleartext-login", "--password-stdin", "--json", stdin=PASSWORD))


def changed_by_edit(services: Services, known: Endpoint, security: Security) -> Endpoint:
    draft = by_hand_at(known).with_sign_in(str(EMAIL), Secret(PASSWORD)).with_store(StoreKind.ENV, VARIABLE)
    asyncio.run(services.accounts.save(replace(draft, name="Firm")))
    said = ("accounts", "edit", "Firm", "--security", security.value)
    return tried(run(*said, "--allow-cleartext-login", "--password-stdin", "--json", stdin=PASSWORD))


def tried(ran: Ran) -> Endpoint:
    """Return the server that a command tried to reach."""
    return Endpoint(ran.result["host"], ran.result["port"], Security(ran.result["security"]))
