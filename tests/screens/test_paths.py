"""Every way in of every provider, walked at the screens with every scenario that applies to it.

Real sockets, real TLS, real SMTP: only the names lead to loopback.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from smtp_wizard.engine.accounts import StoreKind
from smtp_wizard.engine.catalog import AccessPath, PathStatus, Provider, ProviderKind
from smtp_wizard.engine.diagnosis import Finding
from smtp_wizard.engine.discovery import DnsProblem, MxLookup
from smtp_wizard.engine.model import Auth, Scope, Stage, Verdict
from smtp_wizard.engine.wizard import walkable
from smtp_wizard.report import who_words
from smtp_wizard.screens.dialogs import LeadScreen
from smtp_wizard.widgets import CheckList, Choices, FindingCard, GuidePane, ProviderPicker, SecretInput, TextInput
from tests.support.redirect import Led, RedirectWire, open_relay, playing, tls_ports
from tests.support.stores import MemoryBackend, desktop
from tests.support.walk import Walk, catalog, in_one_line, make_desk, walking, words_of

PRACTICE_PASSWORD = "abcd efgh ijkl mnop"
"""Taken by the practice server wherever it takes any; shaped like most providers' app passwords."""
WRONG_PASSWORD = "my usual password"
OWN_DOMAIN = "firma.example"
HAND_HOST = "mail.firma.example"
TEST_TO = "ben@elsewhere.example"

FAILS_AT = {
    "app-password-required": Stage.AUTH,
    "wrong-password": Stage.AUTH,
    "quota-reached": Stage.DATA,
    "tenant-off": Stage.AUTH,
    "greylisting": Stage.RCPT,
    "drops": Stage.DATA,
    "sender-not-allowed": Stage.DATA,
}
"""The stage that fails; with a bad certificate it is that of the handshake."""
CODES = {
    "app-password-required": {"app_password_required"},
    # Which of them depends on the provider, and on what the password looks like.
    "wrong-password": {"bad_credentials", "app_password_required", "service_key_needed"},
    "expired-certificate": {"cert_expired"},
    "quota-reached": {"daily_limit"},
    "wrong-name": {"cert_hostname_mismatch"},
    "tenant-off": {"smtp_auth_disabled"},
    "greylisting": {"temporary_try_later"},
    "drops": {"outcome_unknown"},
    "sender-not-allowed": {"sender_not_allowed"},
}


@dataclass(frozen=True)
class Case:
    """One walk."""

    provider: Provider
    path: AccessPath
    scenario: str

    def __str__(self) -> str:
        return f"{self.provider.id}/{self.path.id}/{self.scenario}"


def cases(*, open_ones: bool) -> Iterator[Case]:
    """Every walk there is: along the paths that can be walked, or along the others."""
    for provider in catalog().providers:
        for path in provider.paths:
            if walkable(path) is open_ones:
                for scenario in path.scenarios or ("accept",):
                    yield Case(provider, path, scenario)


@pytest.fixture(scope="session")
def practice_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One authority for all walks: making its key is what takes time."""
    return tmp_path_factory.mktemp("practice")


@pytest.fixture(autouse=True)
def nobody_knows_the_domain(monkeypatch: pytest.MonkeyPatch) -> None:
    """The DNS knows no domain, so that the person chooses the provider."""

    async def look_up(domain: str, resolver: object) -> MxLookup:
        return MxLookup(problem=DnsProblem.NO_SUCH_DOMAIN)

    monkeypatch.setattr("smtp_wizard.engine.discovery.look_up_mx", look_up)


@dataclass(kw_only=True)
class Person(Walk):
    """Somebody who walks one case."""

    case: Case
    wire: RedirectWire
    servers: dict[str, Led]
    backend: MemoryBackend

    # -- the way to the password ------------------------------------------------------------------------------------

    async def give_address(self) -> None:
        await self.at("address")
        domain = next((each for each in self.case.provider.domains if "*" not in each), OWN_DOMAIN)
        await self.write(f"ana@{domain}")
        await self.press("enter")
        await self.at("provider")
        if domain == OWN_DOMAIN:
            await self.pick_provider()
        else:
            await self.until_reads(f"Found: {self.case.provider.name}")
            await self.press("enter")

    async def pick_provider(self) -> None:
        """Nothing was found: choose from the list, the way to a server of one's own being its last row."""
        picker = self.the("#picker", ProviderPicker)
        custom = self.case.provider.kind is ProviderKind.CUSTOM
        await self.write("no such provider" if custom else self.case.provider.name)
        wanted = "-by-hand" if custom else self.case.provider.id
        for _ in range(ProviderPicker.MOST):
            option = picker.list.highlighted_option
            if option is not None and option.id == wanted:
                break
            await self.press("down")
        else:
            raise AssertionError(f"{wanted} is not in the list:\n{self.shown}")
        await self.press("enter")

    async def choose_way(self) -> None:
        """Choose the way to sign in, where there is a choice."""
        if len(self.case.provider.paths) > 1:
            await self.at("signin")
            await self.point_at(self.case.path)
            await self.press("enter")

    async def point_at(self, path: AccessPath) -> None:
        choices = self.the("#paths", Choices)
        await self.press("home")
        for _ in self.case.provider.paths:
            if choices.selected == path.id:
                return
            await self.press("down")
        raise AssertionError(f"{path.id} is not in the list")

    async def give_server(self) -> None:
        """Where nobody knows the server, it is entered by hand."""
        if self.case.provider.best() is not None:
            return
        await self.at("server")
        await self.fill("#host", HAND_HOST)
        if self.case.path.auth.needs is Auth.NONE:
            assert self.the("#username", TextInput).value == "", "no sign-in, so no user name"
            await self.fill("#port", "587")
            self.the("#security", Choices).selected = "starttls"
        await self.press("enter")

    async def reach_connect(self) -> None:
        await self.give_address()
        await self.choose_way()
        await self.give_server()
        await self.at("connect")

    # -- signing in -------------------------------------------------------------------------------------------------

    @property
    def needs_secret(self) -> bool:
        return self.draft.auth is not Auth.NONE

    async def sign_in(self, password: str) -> None:
        """Type what is missing, press Enter, wait for the end of the check."""
        if self.needs_secret:
            if not self.the("#username", TextInput).value:
                await self.fill("#username", "key-17")
            await self.fill("#secret", password)
        await self.check()

    async def check(self) -> None:
        await self.press("enter")
        checks = self.the("#checks", CheckList)
        signs_in = {Stage.AUTH} if self.needs_secret else {Stage.EHLO, Stage.STARTTLS}

        def over() -> bool:
            ended = {result.stage for result in checks.results}
            return checks.over and bool(signs_in & ended)

        await self.until(over, "the end of the check")
        await self.settle()

    @property
    def signed_in(self) -> bool:
        """Whether the sign-in is proved."""
        return self.draft.signed_in

    # -- what a failure shows ---------------------------------------------------------------------------------------

    async def failure(self, stage: Stage | None) -> Finding:
        """Return the finding shown, once it is proved that the screen says what failed, who must act, and how."""
        checks, card = self.the("#checks", CheckList), self.the("#finding", FindingCard)
        assert checks.failed is not None, self.shown
        assert checks.failed.verdict is (Verdict.UNKNOWN if self.case.scenario == "drops" else Verdict.FAIL)
        handshake = Stage.TLS if self.tls_first else Stage.STARTTLS
        assert checks.failed.stage is (stage or handshake)
        await self.until(lambda: card.finding is not None, "the finding")
        finding = card.finding
        assert finding is not None
        assert card.display
        await self.until_reads(finding.title)
        words = in_one_line(words_of(card))
        assert f"Who must act: {who_words(finding.who)}" in words
        assert finding.steps
        for number, step in enumerate(finding.steps, 1):
            assert in_one_line(f"{number}. {step}") in words
        return finding

    @property
    def tls_first(self) -> bool:
        endpoint = self.draft.endpoint
        assert endpoint is not None
        return endpoint.security.value == "tls"

    # -- the rest of the way ----------------------------------------------------------------------------------------

    async def send_test_mail(self) -> None:
        await self.at("testmail")
        await self.write(TEST_TO)
        await self.press("enter")
        checks = self.the("#checks", CheckList)
        await self.until(lambda: checks.over, "the end of the sending")
        await self.settle()

    async def save(self) -> None:
        """From the review to the saved account, its secret in the keyring."""
        await self.at("review")
        if self.needs_secret:
            store = self.the("#store", Choices)
            await self.until(lambda: store.selected == StoreKind.KEYRING, "the keyring to be chosen")
        await self.press("enter")
        await self.at("done")
        desk = self.app.kit.desk
        (account,) = desk.book.list()
        assert account.name == self.draft.saved
        assert account.provider == self.case.provider.id
        assert account.scope is Scope.GENERAL
        secret = await desk.secret_of(account)
        if not self.needs_secret:
            assert secret is None
            assert account.auth is Auth.NONE
        else:
            assert secret == self.draft.secret
            assert account.store is not None
            assert account.store.kind is StoreKind.KEYRING
            assert list(self.backend.entries.values()) == [secret.reveal() if secret else ""]
        assert account.last is not None
        assert account.last.verdict in (Verdict.PASS, Verdict.WARN)

    def lead_to(self, scenario: str) -> None:
        """The provider has mended its side: from now on another server answers."""
        self.wire.led = self.servers[scenario]


@asynccontextmanager
async def person(case: Case, folder: Path, practice: Path) -> AsyncIterator[Person]:
    """Bring up the servers of a case and open the screens before them."""
    serving = open_relay if case.path.auth.needs is Auth.NONE else playing
    async with serving(practice, case.scenario, "accept") as servers:
        wire = RedirectWire(servers[case.scenario], tls_ports(catalog()))
        backend = desktop()
        async with walking(make_desk(folder, wire, backend=backend)) as walk:
            yield Person(app=walk.app, pilot=walk.pilot, case=case, wire=wire, servers=servers, backend=backend)


@pytest.mark.parametrize("case", list(cases(open_ones=True)), ids=str)
async def test_a_path_that_can_be_walked(case: Case, tmp_path: Path, practice_folder: Path) -> None:
    """From the address to the saved account; where the scenario fails, what is said, and mended on the spot."""
    async with person(case, tmp_path, practice_folder) as walk:
        await walk.reach_connect()
        guide = walk.the("#guide", GuidePane).guide
        assert case.path.guide is None or guide.id == case.path.guide
        match case.scenario:
            case "accept" | "slow" | "starttls-only":
                await walk_to_the_end(walk)
            case "quota-reached" | "greylisting" | "drops" | "sender-not-allowed":
                await walk_into_a_refusal(walk)
            case _:
                await walk_and_mend(walk)


async def walk_to_the_end(walk: Person) -> None:
    await walk.sign_in(PRACTICE_PASSWORD)
    await walk.until(lambda: walk.signed_in, "the sign-in")
    await walk.until_reads("Press Enter to go on")
    await walk.press("enter")
    await walk.send_test_mail()
    await walk.until_reads(f"Did it arrive at {TEST_TO}?")
    await walk.press("enter")
    await walk.save()


async def walk_into_a_refusal(walk: Person) -> None:
    """Sign in, and see the test message refused, or lost."""
    scenario = walk.case.scenario
    await walk.sign_in(PRACTICE_PASSWORD)
    await walk.until(lambda: walk.signed_in, "the sign-in")
    await walk.press("enter")
    await walk.send_test_mail()
    finding = await walk.failure(FAILS_AT[scenario])
    assert finding.code in CODES[scenario]
    assert walk.the("#to", TextInput).value == TEST_TO
    await walk.press("f8")
    await walk.save()


async def walk_and_mend(walk: Person) -> None:
    scenario = walk.case.scenario
    typed = wrong_password(walk.case)
    await walk.sign_in(typed)
    finding = await walk.failure(FAILS_AT.get(scenario))
    assert finding.code in CODES[scenario]
    assert not walk.signed_in
    if walk.needs_secret:
        assert walk.the("#secret", SecretInput).value == typed, "what was typed is still there"
    await mend(walk)
    await walk.until(lambda: walk.signed_in, "the sign-in")
    assert not walk.the("#finding", FindingCard).display
    await walk.press("enter")
    await walk.at("testmail")


def wrong_password(case: Case) -> str:
    """What somebody types by mistake: the usual password, or an app password with a slip in it."""
    form = case.path.secret_form
    return "z" * form.length if form is not None and case.scenario == "wrong-password" else WRONG_PASSWORD


async def mend(walk: Person) -> None:
    """Do what the finding asks for, as far as it lies with the person or the provider, and check again."""
    if walk.case.scenario == "app-password-required":
        await walk.fill("#secret", PRACTICE_PASSWORD)
        await walk.check()
    elif walk.case.provider.kind is ProviderKind.SANDBOX:
        await walk.press("escape")
        await walk.at("signin")
        await walk.press("home", "enter")
        await walk.at("connect")
        await walk.sign_in(PRACTICE_PASSWORD)
    else:
        walk.lead_to("accept")
        await walk.check()


@pytest.mark.parametrize("case", list(cases(open_ones=False)), ids=str)
async def test_a_path_that_cannot_be_walked_leads_on(case: Case, tmp_path: Path, practice_folder: Path) -> None:
    """Enter says why it is closed, or not there yet, and leads to a way that is open, or names other ways on."""
    async with person(case, tmp_path, practice_folder) as walk:
        await walk.give_address()
        await walk.at("signin")
        await walk.point_at(case.path)
        closed = walk.case.path.status is PathStatus.RETIRED
        await walk.until_reads("Enter shows what replaced it." if closed else "Enter names two ways on.")
        await walk.press("enter")
        dialog = await walk.at_screen(LeadScreen)
        await walk.until_reads("What you can do instead")
        ways = case.provider.ways_on(case.path)
        for way in ways:
            assert in_one_line(way.title if isinstance(way, AccessPath) else way) in in_one_line(dialog_words(dialog))
        open_one = next((way for way in ways if isinstance(way, AccessPath) and walkable(way)), None)
        if open_one is None:
            await walk.press("escape")
            await walk.at("signin")
            return
        await choose_in(walk, dialog, open_one)
        await walk.give_server()
        await walk.at("connect")
        assert walk.draft.path == open_one.id
        if case.scenario in FAILS_AT:
            await walk.sign_in(WRONG_PASSWORD)
            finding = await walk.failure(FAILS_AT[case.scenario])
            assert finding.code in CODES[case.scenario]


def dialog_words(dialog: LeadScreen) -> str:
    """All words of a dialog, choices included."""
    return "\n".join([dialog.why, *(choice.title for choice in dialog.choices.choices)])


async def choose_in(walk: Person, dialog: LeadScreen, path: AccessPath) -> None:
    for _ in dialog.choices.choices:
        if dialog.choices.selected == path.id:
            break
        await walk.press("down")
    await walk.press("enter")


def test_every_path_of_the_catalogue_is_walked() -> None:
    """No provider is left out, and every scenario that a path names is walked along it."""
    walked = {str(case) for open_ones in (True, False) for case in cases(open_ones=open_ones)}
    for provider in catalog().providers:
        for path in provider.paths:
            assert {f"{provider.id}/{path.id}/{each}" for each in path.scenarios or ("accept",)} <= walked
