"""`setup` without a person to confirm: a password goes to no server that was only found, against real servers here."""

from __future__ import annotations

import asyncio
import base64
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest

from smtp_wizard.engine.accounts.saved_accounts import SavedAccounts
from smtp_wizard.engine.base.connection import Family
from smtp_wizard.engine.base.secret import Secret
from smtp_wizard.engine.discovery import mail_keepers, search
from smtp_wizard.engine.discovery.autoconfig import load_database
from smtp_wizard.engine.discovery.dns import MxLookup, Resolver
from smtp_wizard.engine.discovery.search import DiscoveryResult, DiscoverySources
from smtp_wizard.engine.smtp.transport import Peer, SocketWire, Stream
from tests.engine.discovery.test_autoconfig import configuration
from tests.engine.discovery.test_autoconfig import server as outgoing
from tests.support.certs import Authority
from tests.support.cli import Ran, run
from tests.support.dnsserver import DnsServer
from tests.support.misbehaving import Expect, Hold, MisbehavingServer, Send, StartTls, Step
from tests.support.webserver import Page, WebServer

PASSWORD = "correct horse battery"
DOMAIN = "victim.example"
ANA = f"ana@{DOMAIN}"
EVIL = "smtp.evil.test"
ELSEWHERE = "192.0.2.1"
"""The address that every name is said to have (TEST-NET-1, RFC 5737); the connection goes to this computer."""
OWN_FILE = f"https://autoconfig.{DOMAIN}/mail/config-v1.1.xml"
WELL_KNOWN = f"https://{DOMAIN}/.well-known/autoconfig/mail/config-v1.1.xml"
LISTED = load_database().address(DOMAIN)
MX = f"{DOMAIN}. 60 IN MX 10 mx.hoster.de.\n"
HOSTER_FILE = "https://autoconfig.hoster.de/mail/config-v1.1.xml"
REGIONAL = ("smtp.ionos.de", "smtppro.zoho.eu", "email-smtp.eu-west-1.amazonaws.com")
HOSTS = (
    *REGIONAL,
    EVIL,
    f"smtp.{DOMAIN}",
    f"mail.{DOMAIN}",
    "smtp.a.github.io",
    "smtp.b.github.io",
    "smtp.gmail.com",
    f"{DOMAIN}.evil.test",
)
NOT_CONFIRMED = "server-not-confirmed"


def srv(host: str, domain: str = DOMAIN, port: int = 465) -> str:
    """A record that names a server for sending."""
    return f"_submissions._tcp.{domain}. 60 IN SRV 0 1 {port} {host}.\n"


def published(host: str, **how: str) -> Page:
    """A configuration that names one outgoing server."""
    return Page(configuration(outgoing(host, **how)))


@dataclass
class World:
    """Name servers, web and a mail server that takes every password, all on this computer."""

    authority: Authority
    smtp: MisbehavingServer
    web: WebServer
    dns: DnsServer
    connected: list[int] = field(default_factory=list)

    async def setup(self, *words: str, email: str = ANA, stdin: str = PASSWORD) -> Ran:
        arguments = ("setup", email, "--password-stdin", "--json", "--ca-file", str(self.authority.file), *words)
        return await asyncio.to_thread(run, *arguments, stdin=stdin)

    @property
    def heard_the_password(self) -> bool:
        encoded = base64.b64encode(f"\0{ANA}\0{PASSWORD}".encode())
        return encoded in self.smtp.received or b"AUTH" in self.smtp.received


Open = Callable[..., Any]


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Open:
    """Open a world with a zone and pages."""

    @asynccontextmanager
    async def opened(zone: str = MX, pages: Mapping[str, Page] | None = None) -> AsyncIterator[World]:
        authority = Authority(tmp_path / "authority")
        script: list[Step] = [
            StartTls(authority.issue(*HOSTS).context()),
            *(Send(b"220 ready\r\n"), Expect(rb"EHLO .*"), Send(b"250-here\r\n250 AUTH PLAIN\r\n")),
            *(Expect(rb"(AUTH PLAIN|QUIT).*"), Send(b"235 2.7.0 ok\r\n"), Hold()),
        ]
        async with (
            MisbehavingServer(script, strict=False) as smtp,
            WebServer(authority, pages or {}) as web,
            DnsServer(zone) as dns,
        ):
            world = World(authority, smtp, web, dns)
            _lead(monkeypatch, world)
            yield world

    return opened


def _lead(monkeypatch: pytest.MonkeyPatch, world: World) -> None:
    """Ask these name servers and this web, and lead every mail server's name to this one."""
    connect = SocketWire.connect
    really = search.discover

    async def resolve(self: SocketWire, host: str, port: int, family: Family | None) -> Sequence[Peer]:
        return [Peer(ELSEWHERE, port, Family.IPV4)]

    async def connected(self: SocketWire, peers: Sequence[Peer]) -> Stream:
        world.connected.append(peers[0].port)
        return await connect(self, [Peer("127.0.0.1", world.smtp.port, Family.IPV4)])

    async def discover(
        address: Any, catalog: Any, asking: DiscoverySources, tell: Callable[[str], None]
    ) -> DiscoveryResult:
        there = replace(asking, resolver=world.dns.resolver, web=world.web.web())
        return await really(address, catalog, there, tell)

    mail_hosts = mail_keepers.look_up_mail_hosts

    async def looked_up(domain: str, catalog: Any, resolver: Resolver, filters: Any = ()) -> MxLookup:
        return await mail_hosts(domain, catalog, world.dns.resolver, filters)

    monkeypatch.setattr(mail_keepers, "look_up_mail_hosts", looked_up)
    monkeypatch.setattr(SocketWire, "resolve", resolve)
    monkeypatch.setattr(SocketWire, "connect", connected)
    monkeypatch.setattr(search, "discover", discover)


@pytest.fixture
def saved_accounts(own_home: Path) -> SavedAccounts:
    return SavedAccounts(own_home / "config")


def refused(ran: Ran) -> tuple[str, str]:
    """Return what an error for a server that nobody confirmed says, and its ways on."""
    assert (ran.code, ran.error["code"]) == (2, NOT_CONFIRMED), ran.out
    assert PASSWORD not in ran.out + ran.err
    return ran.error["message"], ran.error["hint"]


# --- who does not confirm a server ---


async def test_a_server_that_the_dns_names_gets_no_password(world: Open, saved_accounts: SavedAccounts) -> None:
    """It serves, and its certificate fits: that proves only that it is the server of its own name."""
    async with world(MX + srv(EVIL)) as at:
        ran = await at.setup("--save", "Office", "--store", "session")
        assert at.connected, "it was tried, without a password"
        assert not at.heard_the_password
    message, hint = refused(ran)
    assert f"{EVIL}, port 465, SSL/TLS" in message
    assert "the domain's DNS (SRV)" in message
    assert f"This server belongs to evil.test, not to {DOMAIN}." in message
    assert f"--host {EVIL} --port 465 --security tls" in hint
    assert "--accept-found" in hint
    assert saved_accounts.list() == ()


UNSIGNED: dict[str, tuple[str, dict[str, Page]]] = {
    "SRV": (MX + srv(EVIL), {}),
    "the web of the mail host": (MX, {HOSTER_FILE: published(EVIL)}),
    "the public list, about the mail host": (MX, {load_database().address("hoster.de"): published(EVIL)}),
    "a neighbour in the own name": (MX + srv(f"{DOMAIN}.evil.test"), {}),
}


@pytest.mark.parametrize("which", UNSIGNED)
async def test_what_nobody_signed_is_taken_by_no_option(world: Open, which: str) -> None:
    zone, pages = UNSIGNED[which]
    async with world(zone, pages) as at:
        message, hint = refused(await at.setup("--accept-found"))
        assert not at.heard_the_password
    assert f"not to {DOMAIN}" in message
    assert "not this server, which neither names" in hint


async def test_what_comes_without_encryption_is_not_even_asked_for(world: Open) -> None:
    plain = OWN_FILE.replace("https", "http")
    async with world(MX, {plain: published(EVIL)}) as at:
        ran = await at.setup("--accept-found")
        assert not at.heard_the_password
        assert not any(url.startswith("http://") for url in at.web.requests)
    assert (ran.code, ran.error["code"]) == (2, "missing-answers")


@pytest.mark.parametrize(("host", "confirmed"), [("smtp.b.github.io", False), ("smtp.a.github.io", True)])
async def test_the_customers_of_one_hoster_are_strangers(world: Open, host: str, *, confirmed: bool) -> None:
    async with world(srv(host, "a.github.io")) as at:
        ran = await at.setup(email="ana@a.github.io")
        assert (b"AUTH" in at.smtp.received) is confirmed
    if confirmed:
        assert (ran.code, ran.result["host"]) == (0, host)
    else:
        assert "belongs to b.github.io, not to a.github.io" in refused(ran)[0]


async def test_without_encryption_a_name_of_the_own_domain_is_not_enough(world: Open) -> None:
    page = published(f"smtp.{DOMAIN}", port="587", socket="plain")
    async with world(MX, {OWN_FILE: page}) as at:
        message, _ = refused(await at.setup("--allow-cleartext-login", "--accept-found"))
        assert not at.heard_the_password
    assert "it is not encrypted, so nothing proves" in message.lower()


@pytest.mark.parametrize(
    "words",
    [
        ("--port", "587", "--security", "starttls"),
        ("--username", "ana"),
        ("--auth", "none", "--save", "Office"),
        ("--send-test", "ben@elsewhere.example"),
    ],
)
async def test_other_options_confirm_no_server(world: Open, words: tuple[str, ...]) -> None:
    async with world(MX + srv(EVIL)) as at:
        _, hint = refused(await at.setup(*words))
        assert not at.heard_the_password
    assert f"--host {EVIL}" in hint
    assert ("--username ana" in hint) is ("--username" in words)
    assert ("--port 587 --security starttls" in hint) is ("--port" in words)


async def test_no_token_goes_there_either(world: Open) -> None:
    async with world(MX + srv(EVIL)) as at:
        ran = await asyncio.to_thread(run, "setup", ANA, "--token-command", "echo token", "--json")
        assert b"AUTH" not in at.smtp.received
    assert f"--host {EVIL}" in refused(ran)[1]


# --- who does ---


async def test_a_server_of_the_own_domain_is_used(world: Open, saved_accounts: SavedAccounts) -> None:
    async with world(MX + srv(f"SMTP.{DOMAIN.upper()}")) as at:
        ran = await at.setup("--save", "Office", "--store", "session")
        assert at.heard_the_password
    assert (ran.code, ran.result["host"]) == (0, f"smtp.{DOMAIN}")
    assert saved_accounts.get("Office").connection.endpoint.host == f"smtp.{DOMAIN}"


async def test_a_server_that_was_named_is_used(world: Open) -> None:
    """As the error says it: the options, copied."""
    async with world(MX + srv(EVIL)) as at:
        ran = await at.setup("--host", EVIL, "--port", "465", "--security", "tls")
        assert at.heard_the_password
    assert (ran.code, ran.result["host"]) == (0, EVIL)


async def test_an_mx_record_leads_to_a_provider_of_our_list_alone(world: Open) -> None:
    """What stands in the catalogue is confirmed by it, although the record that led there is not signed."""
    zone = f"{DOMAIN}. 60 IN MX 1 aspmx.l.google.com.\n" + srv(EVIL)
    async with world(zone) as at:
        ran = await at.setup()
        assert at.heard_the_password
    assert (ran.code, ran.result["host"]) == (0, "smtp.gmail.com")
    assert f"from: the MX record of {DOMAIN} (aspmx.l.google.com)" in " ".join(ran.err.split())


@pytest.mark.parametrize("url", [OWN_FILE, WELL_KNOWN])
async def test_what_the_domain_publishes_is_taken_after_a_yes_alone(
    world: Open, saved_accounts: SavedAccounts, url: str
) -> None:
    pages = {url: published(EVIL)}
    async with world(MX + srv("smtp.third.example"), pages) as at:
        message, hint = refused(await at.setup())
        assert not at.heard_the_password
        assert "the domain's web (autoconfig)" in message
        assert "Or add --accept-found" in hint
        ran = await at.setup("--accept-found", "--save", "Office", "--store", "session")
        assert at.heard_the_password
    assert (ran.code, ran.result["host"]) == (0, EVIL)
    assert saved_accounts.get("Office").connection.endpoint.host == EVIL


async def test_what_the_public_list_has_is_taken_and_the_list_asked_only_then(world: Open) -> None:
    async with world(MX, {LISTED: published(EVIL)}) as at:
        assert (await at.setup()).error["code"] == "missing-answers"
        assert LISTED not in at.web.requests
        ran = await at.setup("--accept-found")
        assert LISTED in at.web.requests
        assert at.heard_the_password
    assert (ran.code, ran.result["host"]) == (0, EVIL)


async def test_the_list_is_not_asked_where_the_own_domain_names_its_server(world: Open) -> None:
    async with world(MX + srv(f"smtp.{DOMAIN}"), {LISTED: published(EVIL)}) as at:
        ran = await at.setup("--accept-found")
        assert LISTED not in at.web.requests
    assert (ran.code, ran.result["host"]) == (0, f"smtp.{DOMAIN}")


async def test_of_several_the_one_that_may_be_taken_is(world: Open) -> None:
    """The DNS names another one; what the list has is taken, not what the DNS says."""
    async with world(MX + srv("smtp.third.example"), {LISTED: published(EVIL)}) as at:
        ran = await at.setup("--accept-found")
    assert (ran.code, ran.result["host"]) == (0, EVIL)


async def test_looking_at_a_server_needs_no_confirmation(world: Open) -> None:
    async with world(MX + srv(EVIL)) as at:
        ran = await at.setup("--depth", "server")
        assert b"AUTH" not in at.smtp.received
    assert (ran.code, ran.result["host"]) == (0, EVIL)


# --- an account that is known in one region only ---


def mx(*hosts: str) -> str:
    """The records of hosts that receive the mail, each as 'preference host'."""
    return "".join(f"{DOMAIN}. 60 IN MX {each}.\n" for each in hosts)


@pytest.mark.parametrize(
    ("words", "host", "server"),
    [
        ((), "mx00.ionos.de", "smtp.ionos.de"),
        (("--provider", "zoho"), "mx.zoho.eu", "smtppro.zoho.eu"),
        (("--provider", "zoho", "--security", "starttls", "--depth", "server"), "mx.zoho.eu", "smtppro.zoho.eu"),
    ],
)
async def test_the_mail_host_tells_the_region(world: Open, words: tuple[str, ...], host: str, server: str) -> None:
    async with world(mx(f"10 {host}")) as at:
        ran = await at.setup(*words)
        assert at.heard_the_password is ("--depth" not in words)
    assert ran.result["host"] == server


@pytest.mark.parametrize("zone", [mx("10 mx.unknown.test"), mx("10 aspmx.l.google.com"), mx("10 mx.zoho.uk"), ""])
@pytest.mark.parametrize(
    ("provider", "username"), [("zoho", ()), ("amazon-ses", ("--username", "AKIA1")), ("amazon-workmail", ())]
)
async def test_no_password_goes_to_a_region_that_nobody_told(
    world: Open, zone: str, provider: str, username: tuple[str, ...]
) -> None:
    async with world(zone) as at:
        ran = await at.setup("--provider", provider, *username)
        assert b"AUTH" not in at.smtp.received
        assert at.connected == []
    assert (ran.code, ran.error["code"]) == (2, "missing-answers")
    assert ran.error["message"].startswith("Missing: --host (your region: "), ran.error
    assert "--username" not in ran.error["message"]


async def test_two_regions_in_one_domain_tell_none(world: Open) -> None:
    async with world(mx("10 mx.zoho.eu", "20 mx.zoho.com")) as at:
        ran = await at.setup()
        assert not at.heard_the_password
    assert "smtppro.zoho.com, smtppro.zoho.eu)" in ran.error["message"]
    assert "smtppro.zoho.in" not in ran.error["message"], "only those that its mail hosts are of"


async def test_the_region_that_was_named_gets_the_password(world: Open) -> None:
    host = "email-smtp.eu-west-1.amazonaws.com"
    async with world("") as at:
        ran = await at.setup("--provider", "amazon-ses", "--username", "AKIA1", "--host", host, "--port", "465")
        assert b"AUTH" in at.smtp.received
    assert (ran.code, ran.result["host"]) == (0, host)


@pytest.mark.parametrize(
    ("host", "told"), [(EVIL, True), (f"smtp.{DOMAIN}", False), ("email-smtp.eu-west-1.amazonaws.com", False)]
)
async def test_a_named_server_that_is_none_of_the_named_provider_s_is_told(
    world: Open, host: str, *, told: bool
) -> None:
    async with world("") as at:
        ran = await at.setup("--provider", "amazon-ses", "--username", "AKIA1", "--host", host, "--port", "465")
    assert (ran.code, ran.result["host"]) == (0, host)
    words = f"{host} is none of the servers of Amazon SES"
    assert (words in " ".join(ran.err.split())) is told


async def test_settings_at_another_domain_are_read_where_that_was_said(world: Open) -> None:
    """What they name is found, and not confirmed."""
    there = "https://mail.hoster.test/settings.xml"
    pages = {OWN_FILE: Page(status="302 Found", location=there), there: published(EVIL)}
    async with world("", pages) as at:
        unread = await at.setup()
        assert "--follow reads it there." in " ".join(unread.err.split())
        message, hint = refused(await at.setup("--follow"))
        assert not at.heard_the_password
    assert unread.error["code"] == "missing-answers"
    assert EVIL in message
    assert f"--host {EVIL}" in hint


async def test_where_nobody_is_found_the_provider_is_a_way_on_too(world: Open) -> None:
    async with world(mx("10 mx.hoster.de")) as at:
        ran = await at.setup()
    assert ran.error["message"] == "Missing: --host or --provider."


# --- a mail host that is not the preferred one ---


OWN_SERVER = f"mail.{DOMAIN}. 60 IN A {ELSEWHERE}\n"


@pytest.mark.parametrize(
    ("hosts", "providers"),
    [
        ((f"10 mail.{DOMAIN}", "20 aspmx.l.google.com"), "google-workspace"),
        (("10 aspmx.l.google.com", "10 mx.zoho.eu"), "google-workspace, zoho"),
    ],
)
async def test_a_reserve_that_is_known_gets_no_password_unasked(
    world: Open, hosts: tuple[str, ...], providers: str
) -> None:
    own = any(DOMAIN in each for each in hosts)
    async with world(mx(*hosts) + (OWN_SERVER if own else "")) as at:
        ran = await at.setup()
        assert b"AUTH" not in at.smtp.received
    assert (ran.code, ran.error["code"]) == (2, "missing-answers"), ran.out
    ways = f"Missing: --provider (one of: {providers})" + (f", or --host mail.{DOMAIN}." if own else ".")
    assert ran.error["message"] == ways
    assert "do not belong together" in ran.error["hint"]


@pytest.mark.parametrize("hosts", [("10 mx.hoster.de", "20 aspmx.l.google.com"), ("10 mx.hoster.de", "10 mx.zoho.eu")])
async def test_a_reserve_that_is_known_gets_no_token_either(world: Open, hosts: tuple[str, ...]) -> None:
    async with world(mx(*hosts)) as at:
        ran = await at.setup("--auth", "xoauth2")
        assert b"AUTH" not in at.smtp.received
    assert (ran.code, ran.error["code"]) == (2, "missing-answers"), ran.out


# --- somebody at the terminal ---


@pytest.fixture
def somebody(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Somebody can be asked; return the passwords that were asked for."""
    asked: list[str] = []

    def ask_password(question: str) -> Secret:
        asked.append(question)
        return Secret(PASSWORD)

    monkeypatch.setattr("smtp_wizard.commands.setup.can_ask", lambda: True)
    monkeypatch.setattr("smtp_wizard.runtime.questions.can_ask", lambda: True)
    monkeypatch.setattr("smtp_wizard.commands.setup_questions.ask_password", ask_password)
    return asked


async def test_with_every_answer_given_nobody_is_asked(world: Open, somebody: list[str]) -> None:
    async with world(MX + srv(EVIL)) as at:
        refused(await at.setup())
        assert not at.heard_the_password
    assert somebody == []


@pytest.mark.parametrize("yes", [True, False])
async def test_the_server_is_asked_about_before_the_password(world: Open, somebody: list[str], *, yes: bool) -> None:
    async with world(MX + srv(EVIL)) as at:
        words = ("setup", ANA, "--json", "--ca-file", str(at.authority.file))
        ran = await asyncio.to_thread(run, *words, stdin="y\n" if yes else "\n")
        assert at.heard_the_password is yes
    assert f"This server belongs to evil.test, not to {DOMAIN}." in ran.err
    assert "Is it your provider's server? [y/N]" in ran.err
    assert bool(somebody) is yes
    assert ran.code == (0 if yes else 1)


async def test_a_server_of_the_own_domain_is_not_asked_about(world: Open, somebody: list[str]) -> None:
    async with world(MX + srv(f"smtp.{DOMAIN}")) as at:
        words = ("setup", ANA, "--json", "--ca-file", str(at.authority.file))
        ran = await asyncio.to_thread(run, *words)
    assert ran.code == 0
    assert len(somebody) == 1
    assert "[y/N]" not in ran.err
