"""Every way in of every provider, walked at the screens, meeting every scenario that applies to it on the way.

Real sockets, real TLS, real SMTP: only the names lead to loopback. One walk a path: the person signs in against a
server that plays one scenario after the other, sees each failure explained, mends it on the spot, and goes on to the
saved account.
"""

from __future__ import annotations

import functools
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import date
from pathlib import Path

import pytest

from smtp_wizard.engine.accounts.account import Account
from smtp_wizard.engine.base.address import Address
from smtp_wizard.engine.base.connection import Auth
from smtp_wizard.engine.base.endpoint import Security
from smtp_wizard.engine.base.identity import Scope
from smtp_wizard.engine.base.secret import Secret
from smtp_wizard.engine.base.stages import Stage, Verdict
from smtp_wizard.engine.checks.report import CheckResult, Report
from smtp_wizard.engine.checks.target import Target
from smtp_wizard.engine.providers.catalog import Catalog
from smtp_wizard.engine.providers.provider import AccessPath, Provider, ProviderKind
from smtp_wizard.engine.sandbox.scenarios import CertificateKind, Scenario, load_scenarios
from smtp_wizard.engine.secrets.store_kinds import StoreKind
from smtp_wizard.engine.smtp.tls import Trust
from smtp_wizard.engine.wizard.draft import Draft, is_usable, signs_in_elsewhere, with_choice
from smtp_wizard.engine.wizard.steps import takes_password
from smtp_wizard.engine.wizard.trusted_servers import doubt_about
from smtp_wizard.flows.last_steps.test_mail_state import MailTestOffer, MailTestPhase
from smtp_wizard.flows.provider import ProviderOffer
from smtp_wizard.flows.sign_in import SignInOffer, SignInState
from smtp_wizard.output.plain_lines import who_words
from smtp_wizard.screens.browser import BrowserScreen
from smtp_wizard.screens.details import CheckDetails
from smtp_wizard.screens.sign_in import SignInScreen
from smtp_wizard.screens.test_mail import TestMailScreen as MailScreen
from smtp_wizard.widgets.fields import SecretInput
from smtp_wizard.widgets.rows import RowList
from tests.engine.oauth.test_oauth import visit
from tests.support.discovering import answering
from tests.support.oauthserver import CLIENT_ID, AuthorizationServer
from tests.support.places import seen, skipped, take
from tests.support.redirect import Led, RedirectWire, open_relay, playing, tls_ports
from tests.support.stores import MemoryBackend, desktop
from tests.support.walk import Walk, catalog, in_one_line, make_services, walking

PRACTICE_PASSWORD = "abcd efgh ijkl mnop"
"""Taken by the practice server wherever it takes any; shaped like most providers' app passwords."""
WRONG_PASSWORD = "my usual password"
OWN_DOMAIN = "firma.example"
HAND_HOST = "mail.firma.example"
TEST_TO = "ben@elsewhere.example"
GOOD = "accept"
WELL_KNOWN = {
    "app-password-required": {"app_password_required"},
    "wrong-password": {"bad_credentials", "app_password_required", "service_key_needed"},
    "expired-certificate": {"cert_expired"},
    "quota-reached": {"daily_limit"},
}
"""What the finding may be: where a provider makes passwords up, a usual one is of the wrong kind."""


@dataclass(frozen=True)
class Way:
    """One access path of one provider."""

    provider: Provider
    path: AccessPath

    def __str__(self) -> str:
        return f"{self.provider.id}/{self.path.id}"

    @property
    def practice(self) -> bool:
        """Whether the path itself says what the practice server plays."""
        return self.provider.kind is ProviderKind.SANDBOX

    @property
    def address(self) -> Address:
        """Somebody's address there: one of the provider's own domain, where it has one."""
        return Address("ana", next((each for each in self.provider.domains if "*" not in each), OWN_DOMAIN))

    @property
    def needs_secret(self) -> bool:
        """Whether a password is typed."""
        return self.path.auth.needs is not Auth.NONE

    def wrong_password(self, scenario: str) -> str:
        """What somebody types by mistake: the usual password, or an app password with a slip in it."""
        form = self.path.secret_form
        return "z" * form.length if form is not None and scenario == "wrong-password" else WRONG_PASSWORD


EVERY_WAY = [Way(provider, path) for provider in catalog().providers for path in provider.paths]
BROWSER_WAYS = [way for way in EVERY_WAY if signs_in_elsewhere(way.path) and not way.path.closed]
OPEN_WAYS = [way for way in EVERY_WAY if is_usable(way.path) and not way.practice and way not in BROWSER_WAYS]
CLOSED_WAYS = [way for way in EVERY_WAY if not is_usable(way.path)]
PRACTICE_WAYS = [way for way in EVERY_WAY if way.practice]


def kinds(way: Way) -> frozenset[object]:
    """What is particular about a way: what the screens do differently for it, and what it meets."""
    path, provider = way.path, way.provider
    form = path.secret_form
    return frozenset(
        {
            provider.kind,
            ("needs", path.auth.needs),
            ("length", form.length if form is not None else 0),
            ("known server", provider.best(way.address) is not None),
            ("regions", bool(provider.regions(way.address))),
            ("ways", min(len(provider.paths), 3)),
            ("guide", path.guide is not None),
            ("name", bool(provider.username_for(way.address))),
            *(("meets", scenario) for scenario in path.scenarios),
        }
    )


def well_chosen(ways: list[Way]) -> list[Way]:
    """Return few ways that have every kind between them, those with the most first; all go through the flows."""
    left, chosen = set().union(*map(kinds, ways)), []
    while left:
        best = max(ways, key=lambda way: len(kinds(way) & left))
        chosen.append(best)
        left -= kinds(best)
    return chosen


@functools.cache
def scenarios() -> dict[str, Scenario]:
    """What the practice server plays, with nothing to wait for."""
    return {each.id: replace(each, delays={}) for each in load_scenarios().values()}


def fails_at(scenario: str) -> Stage | None:
    """Return the stage at which a scenario goes wrong, that of the handshake being STARTTLS; None: all goes well."""
    played = scenarios()[scenario]
    if played.certificate is not CertificateKind.GOOD:
        return Stage.STARTTLS
    return played.drops or next(iter(played.replies), None)


MESSAGE_STAGES = (Stage.MAIL, Stage.RCPT, Stage.DATA)


def before_the_message(ways: tuple[str, ...]) -> list[str]:
    """Return the scenarios of these that fail before a message is sent, a wrong password being the last."""
    found = [each for each in ways if fails_at(each) not in (None, *MESSAGE_STAGES)]
    return sorted(found, key=lambda each: fails_at(each) is Stage.AUTH)


def at_the_message(ways: tuple[str, ...]) -> list[str]:
    """Return the scenarios of these that fail when a message is sent."""
    return [each for each in ways if fails_at(each) in MESSAGE_STAGES]


@pytest.fixture(scope="session")
def practice_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One authority for all walks."""
    return tmp_path_factory.mktemp("practice")


@pytest.fixture(autouse=True)
def nothing_to_wait_for(monkeypatch: pytest.MonkeyPatch) -> None:
    """The scenario that takes its time takes none."""
    known = scenarios()
    monkeypatch.setattr("smtp_wizard.engine.sandbox.scenarios.load_scenarios", lambda: known)


@pytest.fixture(autouse=True)
def nobody_knows_the_domain(monkeypatch: pytest.MonkeyPatch) -> None:
    """The DNS knows no domain, so that the person chooses the provider."""

    answering(monkeypatch)


@dataclass(kw_only=True)
class Person(Walk):
    """Somebody who walks one way."""

    way: Way
    wire: RedirectWire
    servers: dict[str, Led] = field(default_factory=dict)
    backend: MemoryBackend

    def lead_to(self, scenario: str) -> None:
        """From now on a server answers that plays this."""
        if not self.way.practice:
            self.wire.led = self.servers[scenario]

    # -- the way to the password ------------------------------------------------------------------------------------

    async def give_address(self) -> None:
        await self.at("address")
        await self.write(str(self.way.address))
        await self.press("enter")
        if self.way.practice:
            return
        await self.at("provider")
        if self.way.address.domain == OWN_DOMAIN:
            await self.pick_provider()
        if self.way.provider.kind is not ProviderKind.CUSTOM:
            await self.until_reads(self.way.provider.short_name)
            await self.pick_region()
            await self.use_provider()

    async def pick_provider(self) -> None:
        """Nothing was found: choose from the list; a server of one's own is under a key of its own."""
        if self.way.provider.kind is ProviderKind.CUSTOM:
            await self.press("f9")
            return
        rows = self.the("#providers", RowList)
        await self.write(self.way.provider.name)
        for _ in rows.list:
            if rows.selected is not None and rows.selected.key == self.way.provider.id:
                break
            await self.press("down")
        else:
            raise AssertionError(f"{self.way.provider.id} is not in the list:\n{self.shown}")
        await self.press("enter")

    async def pick_region(self) -> None:
        """Where an account is known in one region only, and nothing tells which; Enter alone takes none."""
        if self.way.provider.regions(self.way.address):
            await self.until_reads("Which is yours?")
            await self.press("enter")
            await self.press("down", "enter")
            await self.until_reads("Yes, go on")

    async def use_provider(self) -> None:
        """Say yes to the provider; where it takes no password, that the application can do without."""
        if not takes_password(self.way.provider):
            if self.way.provider.kind is not ProviderKind.NO_SMTP:
                await self.take_offer(ProviderOffer.BROWSER)
            return
        await self.press("enter")
        if doubt_about(with_choice(Draft(address=self.way.address), catalog(), self.way.provider), catalog()):
            await self.say_yes_to_the_server()

    async def say_yes_to_the_server(self) -> None:
        """The server is the catalogue's own guess: its owner is named, and 'no' is what Enter takes."""
        await self.until_reads("Is it your provider's server?")
        await self.press("down", "enter")

    async def choose_way(self) -> None:
        """Choose the way to sign in, where there is a choice."""
        if len(self.way.provider.paths) > 1:
            await self.at("signin")
            await self.take_offer(self.way.path.id)

    async def give_server(self) -> None:
        """Where nobody knows the server, it is entered by hand."""
        provider = self.way.provider
        if provider.best(self.way.address) is not None or provider.regions(self.way.address):
            return
        await self.at("server")
        await self.fill("#host", HAND_HOST)
        if not self.way.needs_secret:
            assert self.entry("#username").value == "", "no sign-in, so no user name"
            await self.choose("#security", Security.STARTTLS)
        await self.take("Use this server")

    async def reach_connect(self) -> None:
        await self.give_address()
        await self.choose_way()
        await self.give_server()
        await self.at("connect")

    # -- signing in -------------------------------------------------------------------------------------------------

    async def sign_in_with(self, password: str) -> None:
        """Type what is missing, press Enter, wait for the end of the check."""
        if self.way.needs_secret:
            if self.connect.username is not None and not self.connect.username.text:
                await self.fill("#username", "key-17")
            await self.fill("#secret", password)
        await Walk.sign_in(self)

    @property
    def signed_in(self) -> bool:
        """Whether the sign-in is proved."""
        return self.draft.signed_in

    # -- what a failure shows ---------------------------------------------------------------------------------------

    async def sees_why_it_was_not_sent(self, scenario: str) -> None:
        """The card says what failed, and what to do first; where the answer was lost, that nobody knows."""
        screen = self.app.screen
        assert isinstance(screen, MailScreen)
        await self.until(lambda: screen.flow.state.phase is not MailTestPhase.SENDING and screen.flow.report, "the end")
        assert screen.flow.report is not None
        failed = next(each for each in screen.flow.report.results if each.verdict in (Verdict.FAIL, Verdict.UNKNOWN))
        assert failed.verdict is (Verdict.UNKNOWN if scenarios()[scenario].drops else Verdict.FAIL)
        assert failed.stage is self.failing_stage(scenario), f"{scenario}:\n{self.shown}"
        finding = failed.finding
        assert finding is not None
        lost = failed.stage is Stage.DATA and failed.verdict is Verdict.UNKNOWN
        await self.until_reads("It may or may not have been sent" if lost else finding.title)

    async def sees_failed_sign_in(self, scenario: str) -> None:
        """The card says what failed, why, who must act and what they do first; Details say everything."""
        state = self.connect
        failed, finding, card = state.check.failed, state.finding, state.card
        assert failed is not None, f"{scenario}:\n{self.shown}"
        assert finding is not None
        assert card is not None
        assert failed.verdict is (Verdict.UNKNOWN if scenarios()[scenario].drops else Verdict.FAIL)
        assert failed.stage is self.failing_stage(scenario), f"{scenario}:\n{self.shown}"
        for words in (finding.title, *card.lines):
            await self.until_reads(words)
        assert (card.title, card.lines[0]) == (finding.title, finding.explanation)
        assert card.lines[1] == f"{who_words(finding.who)}: {finding.steps[0]}"
        details = CheckDetails(state.check, finding, (), today=date(2026, 11, 30))
        said = in_one_line(" ".join(row.plain for row in details.rows))
        assert f"Who must act: {who_words(finding.who)}" in said
        for number, step in enumerate(finding.steps, 1):
            assert in_one_line(f"{number}. {step}") in said
        assert scenario not in WELL_KNOWN or finding.code in WELL_KNOWN[scenario], f"{scenario}: {finding}"

    def failing_stage(self, scenario: str) -> Stage | None:
        endpoint = self.draft.connection.endpoint
        assert endpoint is not None
        stage = fails_at(scenario)
        return Stage.TLS if stage is Stage.STARTTLS and endpoint.security is Security.TLS else stage

    async def fails_to_sign_in(self, scenario: str) -> None:
        """Sign in as somebody who does not know better; what was typed is still there afterwards."""
        self.lead_to(scenario)
        typed = self.way.wrong_password(scenario)
        await self.sign_in_with(typed)
        await self.sees_failed_sign_in(scenario)
        assert not self.signed_in
        if self.way.needs_secret:
            assert self.the("#secret", SecretInput).value == typed, "what was typed is still there"

    async def fails_to_send(self, scenario: str) -> None:
        """Send the test message in vain; the address is still there afterwards."""
        self.lead_to(scenario)
        await self.send()
        await self.sees_why_it_was_not_sent(scenario)
        assert str(self.draft.test_to) == TEST_TO

    # -- what mends it ----------------------------------------------------------------------------------------------

    async def mend_sign_in(self, failed: str | None) -> None:
        """Do what the last finding asks for, as far as it lies with the person or the provider; sign in."""
        if failed != "app-password-required":
            self.lead_to(GOOD)
        await self.sign_in_with(PRACTICE_PASSWORD)
        await self.until(lambda: self.signed_in, "the sign-in")
        assert self.connect.finding is None or self.connect.finding.warning
        await self.until_reads("Enter Send a test")

    # -- the rest of the way ----------------------------------------------------------------------------------------

    async def go_to_test_mail(self) -> None:
        await self.press("enter")
        await self.at("testmail")
        await self.write(TEST_TO)

    async def send(self) -> None:
        """Send, for the first time or once more."""
        if self.reads("Which code word is in the message?"):
            await self.press("escape")
        if self.reads("Where should the test message go?"):
            await self.press("enter")
            return
        await take(self, MailTestOffer.AGAIN)

    async def sees_it_arrive(self) -> None:
        self.lead_to(GOOD)
        await self.send()
        await self.until_reads(f"to {TEST_TO}")
        await self.until_reads("Which code word is in the message?")
        await seen(self)

    async def save(self) -> None:
        """From the review to the saved account, its secret in the keyring."""
        await self.at("review")
        if self.way.needs_secret:
            await self.until_reads("Password  in this computer's keyring")
        await self.press("enter")
        await self.at("done")
        services = self.app.context.services
        found: list[Account] = []

        def kept() -> bool:
            found[:] = services.saved_accounts.list()
            return found[0].last is not None

        await self.until(kept, "the result, which a thread of its own writes")
        (account,) = found
        assert account.name == self.draft.saved
        assert account.connection.provider == self.way.provider.id
        assert account.scope is Scope.GENERAL
        assert account.last is not None
        assert account.last.verdict in (Verdict.PASS, Verdict.WARN)
        secret = await services.entries.secret_of(account)
        if not self.way.needs_secret:
            assert (secret, account.connection.auth) == (None, Auth.NONE)
        else:
            assert secret == self.draft.secret
            assert secret is not None
            assert account.store is not None
            assert account.store.kind is StoreKind.KEYRING
            assert list(self.backend.entries.values()) == [secret.reveal()]


@asynccontextmanager
async def person(way: Way, folder: Path, practice: Path) -> AsyncIterator[Person]:
    """Bring up a server for each scenario of a path, and open the screens."""
    serving = playing if way.needs_secret else open_relay
    wanted = [] if way.practice else list(dict.fromkeys([*way.path.scenarios, GOOD]))
    async with serving(practice, *wanted) as servers:
        wire = RedirectWire(servers.get(GOOD, Led({}, Trust())), tls_ports(catalog()))
        backend = desktop()
        async with walking(make_services(folder, wire, backend=backend)) as walk:
            yield Person(app=walk.app, pilot=walk.pilot, way=way, wire=wire, servers=servers, backend=backend)


@pytest.mark.parametrize("way", well_chosen(OPEN_WAYS), ids=str)
async def test_from_the_address_to_the_saved_account(way: Way, tmp_path: Path, practice_folder: Path) -> None:
    """Every scenario of the path on the way: what failed is said, and mended on the spot, with nothing lost."""
    early, late = before_the_message(way.path.scenarios), at_the_message(way.path.scenarios)
    assert {GOOD, *early, *late} == {GOOD, *way.path.scenarios}, "every scenario is met"
    async with person(way, tmp_path, practice_folder) as walk:
        await walk.reach_connect()
        view = walk.connect.guide
        assert view is not None
        assert way.path.guide is None or view.guide.id == way.path.guide
        for scenario in early:
            await walk.fails_to_sign_in(scenario)
        await walk.mend_sign_in(early[-1] if early else None)
        await walk.go_to_test_mail()
        for scenario in late:
            await walk.fails_to_send(scenario)
        await walk.sees_it_arrive()
        await walk.save()


@pytest.mark.parametrize("way", PRACTICE_WAYS, ids=str)
async def test_a_rehearsal(way: Way, tmp_path: Path, practice_folder: Path) -> None:
    """The practice server plays the path's scenario; whoever fails goes back and practises that all goes well."""
    scenario = way.path.scenario
    assert scenario is not None
    stage = fails_at(scenario)
    async with person(way, tmp_path, practice_folder) as walk:
        await walk.reach_connect()
        if stage is None or stage in MESSAGE_STAGES:
            await walk.mend_sign_in(None)
        else:
            await walk.fails_to_sign_in(scenario)
            await mend_rehearsal(walk, scenario)
        await walk.go_to_test_mail()
        if stage in MESSAGE_STAGES:
            await walk.fails_to_send(scenario)
            await walk.press("escape")
            await skipped(walk)
        else:
            await walk.sees_it_arrive()
        await walk.save()


async def mend_rehearsal(walk: Person, scenario: str) -> None:
    if scenario == "app-password-required":
        await walk.mend_sign_in(scenario)
        return
    await walk.press("escape")
    await walk.at("signin")
    await walk.take_offer(GOOD)
    await walk.at("connect")
    await walk.mend_sign_in(None)


@pytest.mark.parametrize("way", BROWSER_WAYS, ids=str)
async def test_a_way_in_the_browser(
    way: Way, tmp_path: Path, practice_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The catalogue's own way, with a sign-in server on this computer in the place of the provider's."""
    has_codes = way.path.oauth is not None and bool(way.path.oauth.device)
    async with (
        AuthorizationServer(client_secret="" if has_codes else "s3cret") as server,
        playing(practice_folder, GOOD) as servers,
    ):
        wire = RedirectWire(servers[GOOD], tls_ports(catalog()))
        described = server.described() if has_codes else server.described(device="")
        standing = replace(way.path, oauth=described)
        provider = replace(
            way.provider, paths=tuple(standing if path.id == way.path.id else path for path in way.provider.paths)
        )
        others = [provider if each.id == provider.id else each for each in catalog().providers]
        services = make_services(tmp_path, wire, providers=Catalog(others, (), ()))
        tokens: list[str] = []

        async def checks(target: Target, secret: Secret | None, **_: object) -> Report:
            tokens.append(secret.reveal() if secret else "")
            return Report(
                target.connection.endpoint, (CheckResult(Stage.AUTH, Verdict.PASS, 0.0, mechanism="XOAUTH2"),)
            )

        monkeypatch.setattr("smtp_wizard.engine.services.checks.run_checks", checks)
        async with walking(services) as walk:
            person = Person(walk.app, walk.pilot, way=Way(provider, standing), wire=wire, backend=desktop())
            await person.give_address()
            await person.at("signin")
            await person.take_offer(standing.id)
            if takes_password(provider):
                await person.until_reads("cannot sign in in a browser")
                await person.take_offer(SignInOffer.GO_ON)
            await person.at("oauth")
            await person.press("enter")
            await person.fill("#client-id", CLIENT_ID)
            if server.client_secret:
                await person.fill("#client-secret", server.client_secret)
            await person.press("enter")
            await person.until_reads("until you have signed in")
            screen = person.app.screen
            assert isinstance(screen, BrowserScreen)
            waiting = screen.flow.state
            if waiting.code:
                server.type_code(waiting.code)
            else:
                await visit(server.consent(waiting.page))
            await person.until_reads("It stays so")
            await person.press("enter")
            await person.at("connect")
            await person.press("enter")
            await person.until(lambda: person.draft.signed_in, "the sign-in")
            assert [token for token in tokens if token] == [*server.access_tokens]
            await person.press("enter")
            await person.at("testmail")


@pytest.mark.parametrize("way", CLOSED_WAYS, ids=str)
async def test_a_way_that_cannot_be_walked_leads_on(way: Way, tmp_path: Path, practice_folder: Path) -> None:
    """Enter says why it is closed, or not open to everybody, and leads to an open way, or names other ways on."""
    async with person(way, tmp_path, practice_folder) as walk:
        await walk.give_address()
        if way.provider.kind is ProviderKind.NO_SMTP:
            await walk.until_reads(way.provider.note)
            await walk.take_offer(ProviderOffer.MAILBOX)
            await walk.at("address")
            return
        await walk.at("signin")
        question = sign_in_state(walk).question
        await walk.take_offer(way.path.id)
        state = sign_in_state(walk)
        assert state.card is not None
        await walk.until_reads(state.card.title)
        ways = way.provider.ways_on(way.path)
        assert ways
        said = in_one_line("\n".join([*state.card.lines, *(offer.verb for offer in state.offers)]))
        assert all(in_one_line(each.title if isinstance(each, AccessPath) else each) in said for each in ways)
        open_one = next((each for each in ways if isinstance(each, AccessPath) and is_usable(each)), None)
        if open_one is None or signs_in_elsewhere(open_one):
            await walk.press("escape")
            await walk.until_reads(question)
            return
        await walk.take_offer(open_one.id)
        await walk.give_server()
        await walk.at("connect")
        assert walk.draft.connection.path == open_one.id
        for scenario in before_the_message(way.path.scenarios):
            await walk.fails_to_sign_in(scenario)


def sign_in_state(walk: Walk) -> SignInState:
    screen = walk.app.screen
    assert isinstance(screen, SignInScreen)
    return screen.flow.state


async def test_enter_takes_the_first_way_on(tmp_path: Path, practice_folder: Path) -> None:
    """Of a closed way Enter alone leads on; going back to the others is the last row."""
    way = next(way for way in CLOSED_WAYS if isinstance(way.provider.ways_on(way.path)[0], AccessPath))
    async with person(way, tmp_path, practice_folder) as walk:
        await walk.give_address()
        await walk.at("signin")
        await walk.take_offer(way.path.id)
        assert sign_in_state(walk).preselected == way.path.instead[0]
        await walk.press("enter")
        await walk.at("connect")


def test_no_way_is_left_out() -> None:
    """Every path is walked by one of the tests above."""
    assert len(OPEN_WAYS) + len(BROWSER_WAYS) + len(CLOSED_WAYS) + len(PRACTICE_WAYS) == len(EVERY_WAY)
    assert BROWSER_WAYS
    assert set(scenarios()) == {way.path.scenario for way in PRACTICE_WAYS}
