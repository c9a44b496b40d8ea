"""Every source of discovery, real ones on this computer: what each gives, what they are told, and what becomes of
those that lie, differ or never answer."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import pytest

from smtp_wizard.engine.base.address import Address
from smtp_wizard.engine.base.endpoint import Endpoint, Security
from smtp_wizard.engine.base.shown import shown
from smtp_wizard.engine.base.stages import Stage, Verdict
from smtp_wizard.engine.checks.report import CheckResult, Report
from smtp_wizard.engine.discovery import search as discovery
from smtp_wizard.engine.discovery.autoconfig import Database, load_database
from smtp_wizard.engine.discovery.candidate import LED_THERE, TRUST, Candidate, FoundBy
from smtp_wizard.engine.discovery.dns import DnsProblem
from smtp_wizard.engine.discovery.search import DiscoveryResult, DiscoverySources, discover
from smtp_wizard.engine.discovery.web import FetchedDocument, WebProblem
from smtp_wizard.engine.providers.catalog import Catalog, load_catalog
from smtp_wizard.engine.smtp.timeouts import listening_timeout
from smtp_wizard.text.discovery import trust_words
from tests.engine.discovery.test_autoconfig import configuration, server
from tests.support.certs import Authority
from tests.support.dnsserver import DnsFault, DnsServer
from tests.support.patience import PATIENCE
from tests.support.walk import until
from tests.support.webserver import Page, WebServer

ANA = Address("ana.secret", "firm.de")
OWN = "https://autoconfig.firm.de/mail/config-v1.1.xml"
WELL_KNOWN = "https://firm.de/.well-known/autoconfig/mail/config-v1.1.xml"
HOSTER = "https://autoconfig.hoster.de/mail/config-v1.1.xml"
MX = "firm.de. 60 IN MX 10 mx.hoster.de.\n"
SMTP_A = "smtp.firm.de. 60 IN A 127.0.0.1\n"
TLS, STARTTLS = Security.TLS, Security.STARTTLS


@pytest.fixture(scope="module")
def catalog() -> Catalog:
    return load_catalog()


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture
def database() -> Database:
    return replace(load_database(), url="https://list.example.org/v1.1/{domain}")


def passed(endpoint: Endpoint, address: str = "127.0.0.1", *, sign_in: bool = True) -> Report:
    result = CheckResult(Stage.CONNECT, Verdict.PASS, 0.1, address=address)
    offered = {"AUTH": shown("PLAIN LOGIN")} if sign_in else {"SIZE": shown("")}
    return Report(endpoint, (result, CheckResult(Stage.EHLO, Verdict.PASS, 0.1, capabilities=offered)))


def failed(endpoint: Endpoint) -> Report:
    return Report(endpoint, (CheckResult(Stage.CONNECT, Verdict.FAIL, 0.1),))


@dataclass
class Trying:
    """Tries servers by a list of those that are good, and remembers which were tried."""

    good: tuple[str, ...] = ()
    """As 'host:port'."""
    tried: list[str] = field(default_factory=list)
    address: str = "127.0.0.1"

    async def __call__(self, endpoint: Endpoint) -> Report:
        self.tried.append(str(endpoint))
        return passed(endpoint, self.address) if str(endpoint) in self.good else failed(endpoint)


@dataclass
class Asked:
    """What a search found, and everything that was told to anybody."""

    found: DiscoveryResult
    dns: list[str]
    web: list[str]
    heads: list[bytes]

    @property
    def servers(self) -> list[str]:
        return [str(each.endpoint) for each in self.found.candidates]

    def candidate(self, host: str) -> Candidate:
        return next(each for each in self.found.candidates if each.endpoint.host == host)

    @property
    def notes(self) -> str:
        return "\n".join(self.found.notes)


Search = Callable[..., Awaitable[Asked]]


@pytest.fixture
def search(catalog: Catalog, authority: Authority) -> Search:
    """Search for a domain whose zone and pages are given, on real servers."""

    async def searched(
        zone: str = MX,
        pages: Mapping[str, Page] | None = None,
        *,
        address: Address = ANA,
        faults: Mapping[str, DnsFault] | None = None,
        patience: float = 5.0,
        **how: Any,
    ) -> Asked:
        async with DnsServer(zone, faults) as dns, WebServer(authority, pages or {}) as web:
            asking = DiscoverySources(resolver=dns.resolver, web=web.web(patience), **how)
            found = await discover(address, catalog, asking)
            return Asked(found, [f"{each.name} {each.type}" for each in dns.queries], web.requests, web.raw)

    return searched


# --- what each source gives ---


async def test_the_dns_names_the_servers_most_preferred_first(search: Search) -> None:
    asked = await search(
        MX + "_submissions._tcp.firm.de. 60 IN SRV 10 0 465 Smtp.Firm.de.\n"
        "_submission._tcp.firm.de. 60 IN SRV 20 1 587 light.firm.de.\n"
        "_submission._tcp.firm.de. 60 IN SRV 20 9 2587 heavy.firm.de.\n"
        "_submission._tcp.firm.de. 60 IN SRV 10 0 587 first.firm.de.\n"
    )
    assert {each.source for each in asked.found.candidates} == {FoundBy.SRV}
    assert [each.endpoint.security for each in asked.found.candidates] == [TLS, STARTTLS, STARTTLS, STARTTLS]
    assert asked.servers[0] == "smtp.firm.de:465"
    assert asked.found.note == "from: the domain's DNS (SRV)"
    assert asked.found.candidates[0].username == "ana.secret@firm.de"


async def test_a_domain_that_offers_no_sending_says_so(search: Search) -> None:
    asked = await search(MX + "_submission._tcp.firm.de. 60 IN SRV 0 0 0 .\n")
    assert asked.servers == []
    assert "says that it offers no server for sending" in asked.notes


async def test_records_that_name_no_server_are_passed_over(search: Search) -> None:
    asked = await search(
        MX + "_submission._tcp.firm.de. 60 IN SRV 0 0 0 zero.firm.de.\n"
        "_submission._tcp.firm.de. 60 IN SRV 0 0 587 a\\027[2Jb.firm.de.\n"
        "_submission._tcp.firm.de. 60 IN SRV 0 0 587 under_score.firm.de.\n"
    )
    assert asked.servers == []


async def test_ten_thousand_records_are_not_taken_up(search: Search) -> None:
    records = "".join(f"_submission._tcp.firm.de. 60 IN SRV 0 0 587 s{each}.firm.de.\n" for each in range(1500))
    trying = Trying()
    asked = await search(MX + records, verify=trying)
    assert len(asked.found.candidates) == 8
    assert len(trying.tried) <= 16


async def test_the_most_preferred_record_is_found_wherever_it_stands(search: Search) -> None:
    records = "".join(f"_submission._tcp.firm.de. 60 IN SRV 9 0 587 s{each}.firm.de.\n" for each in range(200))
    best = "_submission._tcp.firm.de. 60 IN SRV 1 0 587 best.firm.de.\n"
    hosts = "".join(f"firm.de. 60 IN MX 20 z{each}.firm.de.\n" for each in range(200))
    asked = await search(records + best + hosts + MX)
    assert "best.firm.de:587" in asked.servers
    assert asked.found.mx_hosts[0] == "mx.hoster.de"


@pytest.mark.parametrize("url", [OWN, WELL_KNOWN])
async def test_what_the_domain_publishes_is_read(search: Search, url: str) -> None:
    page = Page(configuration(server(more="<username>%EMAILLOCALPART%</username>")))
    asked = await search(MX, {url: page})
    (only,) = asked.found.candidates
    assert (str(only.endpoint), only.source, only.username) == ("smtp.firm.de:465", FoundBy.AUTOCONFIG, "ana.secret")
    assert only.trust == TRUST[FoundBy.AUTOCONFIG]
    assert asked.found.note == "from: the domain's web (autoconfig)"


async def test_what_the_mail_host_publishes_is_read_where_it_is_not_in_our_list(search: Search) -> None:
    asked = await search(MX, {HOSTER: Page(configuration(server("smtp.hoster.de")))})
    assert asked.servers == ["smtp.hoster.de:465"]
    only = asked.candidate("smtp.hoster.de")
    assert only.note == "this server belongs to hoster.de, not to firm.de"
    assert only.trust == LED_THERE, "the mail host is no stranger, and the DNS alone says who it is"


async def test_a_file_that_the_person_named_is_read_and_counts_as_published_where_it_is_the_domain_s(
    search: Search,
) -> None:
    elsewhere, own = "https://help.hoster.de/mail.xml", "https://www.firm.de/mail.xml"
    pages = {url: Page(configuration(server("smtp.hoster.de"))) for url in (elsewhere, own)}
    theirs = await search(MX, pages, file=elsewhere)
    (only,) = theirs.found.candidates
    assert (str(only.endpoint), only.published) == ("smtp.hoster.de:465", False)
    assert only.trust == LED_THERE, "nobody but the person leads there, and they may have been led, too"
    assert (await search(MX, pages, file=own)).found.candidates[0].published


async def test_the_public_list_is_asked_after_a_yes_alone(search: Search, database: Database) -> None:
    url = database.address("firm.de")
    pages = {url: Page(configuration(server("smtp.elsewhere.de")))}
    silent = await search(MX, pages)
    assert silent.servers == []
    assert url not in silent.web
    asked = await search(MX, pages, database=database)
    (only,) = asked.found.candidates
    assert (only.source, only.trust) == (FoundBy.ISPDB, TRUST[FoundBy.ISPDB])
    assert only.note == "this server belongs to elsewhere.de, not to firm.de"
    assert asked.web.count(url) == 1


async def test_the_usual_names_are_tried_and_count_only_where_they_hold(search: Search) -> None:
    zone = MX + SMTP_A + "mail.firm.de. 60 IN AAAA ::1\nfirm.de. 60 IN A 127.0.0.1\n"
    trying = Trying(("smtp.firm.de:587",))
    asked = await search(zone, verify=trying)
    assert asked.servers == ["smtp.firm.de:587"]
    assert (asked.found.source, asked.found.candidates[0].verified) == (FoundBy.GUESS, True)
    assert sorted(trying.tried) == sorted(
        f"{host}:{port}" for host in ("smtp.firm.de", "mail.firm.de", "firm.de") for port in (465, 587)
    )


async def test_a_server_that_offers_no_sign_in_is_not_verified_and_no_guess(search: Search) -> None:
    async def verify(endpoint: Endpoint) -> Report:
        return passed(endpoint, sign_in=False)

    assert (await search(MX + SMTP_A, verify=verify)).servers == []
    zone = MX + "_submission._tcp.firm.de. 60 IN SRV 0 0 587 smtp.firm.de.\n"
    (only,) = (await search(zone, verify=verify)).found.candidates
    assert (only.verified, only.note) == (False, "it answers, and offers no way to sign in")
    relay = Page(configuration(server(more="<authentication>none</authentication>")))
    (open_one,) = (await search(MX, {OWN: relay}, verify=verify)).found.candidates
    assert open_one.verified


@pytest.mark.parametrize(("offered", "good"), [("GSSAPI NTLM", False), ("NTLM LOGIN", True), ("xoauth2", True)])
async def test_a_server_with_ways_to_sign_in_that_nobody_has_is_said_and_whoever_runs_it_must_act(
    search: Search, offered: str, good: bool
) -> None:
    async def verify(endpoint: Endpoint) -> Report:
        result = CheckResult(Stage.EHLO, Verdict.PASS, 0.1, capabilities={"AUTH": shown(offered)})
        return Report(endpoint, (result,))

    zone = MX + "_submission._tcp.firm.de. 60 IN SRV 0 0 587 smtp.firm.de.\n"
    (only,) = (await search(zone, verify=verify)).found.candidates
    assert only.verified is good
    if not good:
        assert "offers only GSSAPI and NTLM to sign in" in only.note
        assert "whoever runs it must allow LOGIN or PLAIN on the encrypted port" in only.note


@pytest.mark.parametrize(
    ("local", "capable", "told"), [("zoë", False, True), ("zoë", True, False), ("zoe", False, False)]
)
async def test_a_mailbox_in_other_letters_needs_a_server_that_takes_them(
    search: Search, local: str, capable: bool, told: bool
) -> None:
    async def verify(endpoint: Endpoint) -> Report:
        has = {"AUTH": shown("PLAIN")} | ({"SMTPUTF8": shown("")} if capable else {})
        return Report(endpoint, (CheckResult(Stage.EHLO, Verdict.PASS, 0.1, capabilities=has),))

    zone = "_submissions._tcp.xn--bcher-kva.de. 60 IN SRV 0 0 465 smtp.xn--bcher-kva.de.\n"
    asked = await search(zone, address=Address(local, "bücher.de"), verify=verify)
    (only,) = asked.found.candidates
    assert ("SMTPUTF8" in only.note) is told
    assert only.username == f"{local}@xn--bcher-kva.de"
    assert "belongs to" not in only.note, "it is the domain's own, in whichever letters"


async def test_a_published_file_says_how_old_it_is(search: Search) -> None:
    page = Page(configuration(server()), changed="Tue, 03 Feb 2026 23:30:00 -0100")
    assert (await search(MX, {OWN: page})).found.candidates[0].as_of == "2026-02-04"
    nonsense = Page(configuration(server()), changed="the day before yesterday")
    assert (await search(MX, {OWN: nonsense})).found.candidates[0].as_of == ""


async def test_where_every_name_has_an_address_nothing_unencrypted_is_asked(search: Search) -> None:
    plain = OWN.replace("https", "http")
    zone = MX + "*.firm.de. 60 IN A 127.0.0.1\n"
    asked = await search(zone, {plain: Page(configuration(server()))}, plain_http=True)
    assert asked.servers == []
    assert not any(url.startswith("http://") and "firm.de" in url for url in asked.web)


async def test_nothing_is_guessed_where_nothing_may_be_tried(search: Search) -> None:
    asked = await search(MX + SMTP_A)
    assert asked.servers == []
    assert "smtp.firm.de A" not in asked.dns


async def test_a_domain_that_answers_for_every_name_is_said(search: Search) -> None:
    class Anything(DnsServer):
        def reply(self, wire: bytes, transport: str) -> bytes | None:
            import dns.message
            import dns.rrset

            query = dns.message.from_wire(wire)
            name = query.question[0].name
            if query.question[0].rdtype.name != "A":
                return super().reply(wire, transport)
            response = dns.message.make_response(query)
            response.answer.append(dns.rrset.from_text(name, 60, "IN", "A", "127.0.0.1"))
            return response.to_wire()

    async with Anything(MX) as dns_server:
        trying = Trying()
        asking = DiscoverySources(resolver=dns_server.resolver, web=Pages({}), verify=trying)
        found = await discover(ANA, load_catalog(), asking)
    assert found.candidates == ()
    assert any("answers for every name" in note for note in found.notes)


# --- privacy ---


async def test_nobody_is_told_more_than_the_domain(search: Search, database: Database) -> None:
    zone = MX + SMTP_A
    asked = await search(zone, {OWN: Page(configuration(server()))}, verify=Trying(), database=database)
    told = [*asked.dns, *asked.web, *(head.decode("latin-1") for head in asked.heads)]
    assert all("ana" not in each.lower().replace("manager", "") for each in told)
    assert all("@" not in url and "?" not in url for url in asked.web)
    assert all(url.startswith("https://") for url in asked.web)


async def test_a_known_ending_tells_nobody_anything(search: Search, database: Database) -> None:
    trying = Trying()
    asked = await search(address=Address("ana", "gmail.com"), verify=trying, database=database)
    assert (asked.dns, asked.web, trying.tried) == ([], [], [])
    assert asked.found.provider is not None
    assert asked.servers[0].startswith("smtp.gmail.com:")
    assert asked.found.candidates[0].as_of == asked.found.provider.checked


async def test_a_domain_in_other_letters_is_asked_about_in_its_own_spelling(search: Search) -> None:
    url = "https://autoconfig.xn--bcher-kva.de/mail/config-v1.1.xml"
    zone = "xn--bcher-kva.de. 60 IN MX 1 mx.hoster.de.\n"
    asked = await search(zone, {url: Page(configuration(server()))}, address=Address("ana", "bücher.de"))
    assert "xn--bcher-kva.de MX" in asked.dns
    assert url in asked.web


async def test_what_came_without_encryption_needs_a_yes_and_is_believed_little(search: Search) -> None:
    plain = OWN.replace("https", "http")
    pages = {plain: Page(configuration(server()))}
    assert (await search(MX, pages)).servers == []
    asked = await search(MX, pages, plain_http=True)
    (only,) = asked.found.candidates
    assert only.trust < TRUST[FoundBy.GUESS]
    assert "without encryption" in only.note


# --- sources that differ ---


async def test_the_mail_host_overrules_the_web_host_s_standard_settings(search: Search) -> None:
    zone = "firm.de. 60 IN MX 1 aspmx.l.google.com.\n_submission._tcp.firm.de. 60 IN SRV 0 0 587 mail.firm.de.\n"
    trying = Trying(("mail.firm.de:587", "smtp.gmail.com:465", "smtp.gmail.com:587"))
    asked = await search(zone, verify=trying)
    assert asked.found.provider is not None
    assert asked.found.source is FoundBy.MX
    assert asked.found.note == "from: the MX record of firm.de (aspmx.l.google.com)"
    assert asked.servers[0].startswith("smtp.gmail.com")
    web_host = asked.candidate("mail.firm.de")
    assert web_host.trust == TRUST[FoundBy.SRV] * 0.5
    assert "probably the web host's" in web_host.note
    assert "Other settings were found" in asked.notes


async def test_where_sources_differ_it_is_said_and_trying_decides(search: Search) -> None:
    zone = MX + "_submissions._tcp.firm.de. 60 IN SRV 0 0 465 new.firm.de.\n"
    pages = {OWN: Page(configuration(server("old.firm.de")))}
    asked = await search(zone, pages, verify=Trying(("new.firm.de:465",)))
    assert asked.servers == ["new.firm.de:465", "old.firm.de:465"]
    assert [each.verified for each in asked.found.candidates] == [True, False]
    assert "it was tried and did not do" in asked.candidate("old.firm.de").note
    assert "The sources differ: new.firm.de (" in asked.notes


async def test_sources_that_agree_are_believed_more_and_the_server_is_tried_once(search: Search) -> None:
    zone = MX + "_submissions._tcp.firm.de. 60 IN SRV 0 0 465 smtp.firm.de.\n" + SMTP_A
    trying = Trying(("smtp.firm.de:465",))
    asked = await search(zone, {OWN: Page(configuration(server()))}, verify=trying)
    best = asked.found.candidates[0]
    assert (best.source, best.also) == (FoundBy.AUTOCONFIG, (FoundBy.SRV,))
    assert best.trust > TRUST[FoundBy.AUTOCONFIG]
    assert trying.tried.count("smtp.firm.de:465") == 1


async def test_a_stranger_s_server_is_believed_less_and_pointed_out(search: Search) -> None:
    asked = await search(MX + "_submissions._tcp.firm.de. 60 IN SRV 0 0 465 smtp.stranger.com.\n")
    (only,) = asked.found.candidates
    assert only.trust < TRUST[FoundBy.SRV]
    assert only.note == "this server belongs to stranger.com, not to firm.de: please make sure"


@pytest.mark.parametrize("page", [None, HOSTER])
async def test_no_server_of_another_owner_is_called_likely_where_the_dns_alone_leads_there(
    search: Search, page: str | None
) -> None:
    """Whoever writes the domain's DNS on the way names the mail host too: that the two agree proves nothing."""
    zone = MX + "_submissions._tcp.firm.de. 60 IN SRV 0 0 465 smtp.hoster.de.\n"
    pages = {page: Page(configuration(server("smtp.hoster.de")))} if page else {}
    asked = await search(zone, pages, verify=Trying(("smtp.hoster.de:465",)))
    only = asked.candidate("smtp.hoster.de")
    assert trust_words(only.trust) == "perhaps right"
    vouched = await search(zone, {**pages, OWN: Page(configuration(server("smtp.hoster.de")))})
    assert trust_words(vouched.candidate("smtp.hoster.de").trust) != "perhaps right"


async def test_a_neighbour_at_the_same_hoster_is_a_stranger(search: Search) -> None:
    """github.io is an ending under which strangers get names, as .com is (the private part of the list)."""
    zone = "_submissions._tcp.a.github.io. 60 IN SRV 0 0 465 smtp.b.github.io.\n"
    asked = await search(zone, address=Address("ana", "a.github.io"))
    (only,) = asked.found.candidates
    assert only.trust < TRUST[FoundBy.SRV]
    assert only.note == "this server belongs to b.github.io, not to a.github.io: please make sure"


async def test_where_the_mail_host_is_a_neighbour_its_own_web_is_asked(search: Search) -> None:
    zone = "a.github.io. 60 IN MX 1 mx.b.github.io.\n"
    urls = [f"https://autoconfig.{domain}/mail/config-v1.1.xml" for domain in ("b.github.io", "github.io")]
    pages = {url: Page(configuration(server("smtp.b.github.io"))) for url in urls}
    asked = await search(zone, pages, address=Address("ana", "a.github.io"))
    assert asked.web == urls[:1]
    assert asked.servers == ["smtp.b.github.io:465"]


@pytest.mark.parametrize(
    ("address", "words"),
    [("10.1.2.3", "10.1.2.3 is an address inside"), ("100.64.9.9", "100.64.9.9 is an address inside")],
)
async def test_that_it_is_a_stranger_s_is_said_beside_everything_else(search: Search, address: str, words: str) -> None:
    zone = MX + "_submissions._tcp.firm.de. 60 IN SRV 0 0 465 smtp.stranger.com.\n"
    strange = "this server belongs to stranger.com, not to firm.de: please make sure"
    inside = await search(zone, verify=Trying(("smtp.stranger.com:465",), address=address))
    assert inside.candidate("smtp.stranger.com").note.startswith(f"{strange}; {words}")
    failing = await search(zone, verify=Trying())
    assert failing.candidate("smtp.stranger.com").note.startswith(f"{strange}; it was tried and did not do")

    async def nowhere(endpoint: Endpoint) -> Report:
        return Report(endpoint)

    async def without_sign_in(endpoint: Endpoint) -> Report:
        return passed(endpoint, sign_in=False)

    led_inside = await search(zone, verify=nowhere)
    assert led_inside.candidate("smtp.stranger.com").note.startswith(f"{strange}; it leads to this computer")
    useless = await search(zone, verify=without_sign_in)
    assert useless.candidate("smtp.stranger.com").note == f"{strange}; it answers, and offers no way to sign in"


async def test_that_it_is_a_stranger_s_is_said_of_what_came_unencrypted_and_of_what_is_overruled(
    search: Search,
) -> None:
    strange = "this server belongs to stranger.com, not to firm.de: please make sure"
    plain = {OWN.replace("https", "http"): Page(configuration(server("smtp.stranger.com")))}
    unencrypted = await search(MX, plain, plain_http=True)
    assert unencrypted.candidate("smtp.stranger.com").note.startswith(f"{strange}; this came without encryption")
    zone = "firm.de. 60 IN MX 1 aspmx.l.google.com.\n_submission._tcp.firm.de. 60 IN SRV 0 0 587 smtp.stranger.com.\n"
    overruled = await search(zone)
    assert overruled.candidate("smtp.stranger.com").note.startswith(f"{strange}; the mail of firm.de is at")


# --- what may be taken without a person ---


@pytest.mark.parametrize("url", [OWN, WELL_KNOWN])
async def test_what_the_domain_publishes_by_https_counts_as_published(search: Search, url: str) -> None:
    asked = await search(MX, {url: Page(configuration(server("smtp.stranger.com")))})
    assert [each.published for each in asked.found.candidates] == [True]


async def test_a_redirect_within_the_domain_leaves_it_published(search: Search) -> None:
    there = "https://www.firm.de/mail.xml"
    pages = {OWN: Page(status="302 Found", location=there), there: Page(configuration(server("smtp.stranger.com")))}
    asked = await search(MX, pages)
    assert [each.published for each in asked.found.candidates] == [True]


async def test_a_redirect_to_another_domain_is_told_and_followed_after_a_yes_alone(search: Search) -> None:
    there = "https://mail.hoster.de/config.xml"
    pages = {OWN: Page(status="302 Found", location=there), there: Page(configuration(server("smtp.hoster.de")))}
    asked = await search(MX, pages)
    assert (asked.servers, asked.found.redirect) == ([], there)
    assert f"{OWN} leads to hoster.de, another domain, and was not followed." in asked.notes
    assert there not in asked.web
    followed = await search(MX, pages, file=there)
    assert (followed.servers, followed.found.redirect) == (["smtp.hoster.de:465"], "")
    assert f"{OWN} leads to hoster.de, another domain, and was followed." in followed.notes
    assert not followed.found.candidates[0].published, "the person said yes to reading it, and to nothing else"


async def test_a_mail_host_s_redirect_is_nothing_to_be_asked_about(search: Search) -> None:
    asked = await search(MX, {HOSTER: Page(status="302 Found", location="https://elsewhere.com/x")})
    assert asked.found.redirect == ""
    assert "leads to elsewhere.com" in asked.notes


async def test_the_public_list_counts_as_published_for_the_domain_alone(search: Search, database: Database) -> None:
    page = Page(configuration(server("smtp.elsewhere.de")))
    own = await search(MX, {database.address("firm.de"): page}, database=database)
    assert [each.published for each in own.found.candidates] == [True]
    by_mx = await search(MX, {database.address("hoster.de"): page}, database=database)
    assert [each.published for each in by_mx.found.candidates] == [False]


async def test_dns_plain_http_guesses_and_the_mail_host_publish_nothing(search: Search) -> None:
    zone = MX + "_submissions._tcp.firm.de. 60 IN SRV 0 0 465 srv.firm.de.\n" + SMTP_A
    pages = {
        OWN.replace("https", "http"): Page(configuration(server("plain.firm.de"))),
        HOSTER: Page(configuration(server("smtp.hoster.de"))),
    }
    asked = await search(zone, pages, verify=Trying(("smtp.firm.de:465",)), plain_http=True)
    assert {each.endpoint.host: each.published for each in asked.found.candidates} == {
        "srv.firm.de": False,
        "plain.firm.de": False,
        "smtp.hoster.de": False,
        "smtp.firm.de": False,
    }


async def test_what_one_of_several_sources_publishes_is_published(search: Search) -> None:
    zone = MX + "_submissions._tcp.firm.de. 60 IN SRV 0 0 465 smtp.hoster.de.\n"
    page = Page(configuration(server("smtp.hoster.de")))
    asked = await search(zone, {HOSTER: page, WELL_KNOWN: page})
    (only,) = asked.found.candidates
    assert only.published


async def test_an_address_inside_a_private_network_is_pointed_out(search: Search) -> None:
    zone = MX + "_submissions._tcp.firm.de. 60 IN SRV 0 0 465 smtp.firm.de.\n"
    asked = await search(zone, verify=Trying(("smtp.firm.de:465",), address="10.1.2.3"))
    assert "10.1.2.3 is an address inside a private network" in asked.found.candidates[0].note


async def test_a_server_of_our_list_names_its_provider(search: Search) -> None:
    asked = await search(MX + "_submissions._tcp.firm.de. 60 IN SRV 0 0 465 smtp.fastmail.com.\n")
    assert asked.found.provider is not None
    assert asked.found.source is FoundBy.SRV


async def test_only_servers_that_were_reached_with_encryption_are_verified(search: Search) -> None:
    pages = {OWN: Page(configuration(server(port="25", socket="plain")))}
    asked = await search(MX, pages, verify=Trying(("smtp.firm.de:25",)))
    assert [each.verified for each in asked.found.candidates] == [False]


@pytest.mark.parametrize(
    ("page", "words"),
    [
        (Page(status="302 Found", location="https://evil.com/x"), "leads to evil.com, another domain"),
        (Page(b"<clientConfig/>"), "cannot be used: the answer names no outgoing server"),
        (Page(b"<html>Welcome</html>"), ""),
        (Page(b"<!DOCTYPE x [<!ENTITY a 'b'>]><clientConfig>&a;</clientConfig>"), "no XML that can be read"),
    ],
)
async def test_an_answer_that_is_none_is_never_fatal(search: Search, page: Page, words: str) -> None:
    zone = MX + "_submissions._tcp.firm.de. 60 IN SRV 0 0 465 smtp.firm.de.\n"
    asked = await search(zone, {OWN: page})
    assert asked.servers == ["smtp.firm.de:465"]
    assert (words in asked.notes) if words else asked.notes == ""


async def test_where_the_name_servers_fail_the_rest_still_answers(search: Search) -> None:
    faults = {"firm.de": DnsFault.SERVFAIL, "_submission._tcp.firm.de": DnsFault.REFUSED}
    asked = await search(MX, {OWN: Page(configuration(server()))}, faults=faults)
    assert asked.servers == ["smtp.firm.de:465"]
    assert asked.found.problem is None
    nothing = await search(MX, faults=faults)
    assert nothing.found.problem is DnsProblem.SERVER_FAILED


# --- time ---


@dataclass
class Pages:
    """A web of documents at hand; each waits for `gate` first."""

    documents: Mapping[str, bytes]
    gate: Callable[[], Awaitable[None]] | None = None
    asked: list[str] = field(default_factory=list)

    async def fetch(self, url: str) -> FetchedDocument | WebProblem:
        self.asked.append(url)
        if self.gate is not None:
            await self.gate()
        content = self.documents.get(url)
        return WebProblem.ABSENT if content is None else FetchedDocument(content, url)


async def never() -> None:
    await asyncio.Event().wait()


async def tried_for_ever(endpoint: Endpoint) -> Report:
    await never()
    raise AssertionError


def quiet() -> bool:
    """Whether nothing goes on beside the test."""
    return len(asyncio.all_tasks()) == 1


async def test_with_everybody_hanging_the_deadline_ends_it(
    catalog: Catalog, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It comes once everybody has been asked; that it comes to the second is shown on a clock of its own."""
    limits: list[listening_timeout] = []

    def noted(seconds: float) -> listening_timeout:
        limits.append(listening_timeout(seconds))
        return limits[-1]

    monkeypatch.setattr(discovery, "listening_timeout", noted)
    zone = SMTP_A + "firm.de. 60 IN A 127.0.0.1\n"
    faults = {"firm.de": DnsFault.DROP, "_submission._tcp.firm.de": DnsFault.DROP}
    async with DnsServer(zone, faults) as dns:
        web = Pages({}, never)
        asking = DiscoverySources(
            resolver=replace(dns.resolver, lifetime=3600.0),
            web=web,
            verify=tried_for_ever,
            database=database,
            deadline=3600,
        )
        task = asyncio.ensure_future(discover(ANA, catalog, asking))
        await until(
            lambda: {"MX", "SRV"} <= {each.type for each in dns.queries} and len(web.asked) >= 3,
            lambda: f"not everybody was asked: {dns.queries}, {web.asked}",
        )
        assert not task.done()
        limits[0].reschedule(0)
        found = await asyncio.wait_for(task, PATIENCE)
    assert limits[0] is limits[-1], "one deadline for all"
    assert found.candidates == ()
    (silent,) = found.notes
    assert silent == (
        "No answer in time: who receives the domain's mail, which servers the domain names, what the domain publishes, "
        "what the mail host publishes, who keeps the mailboxes, the public list."
    )
    assert quiet()


async def test_everybody_is_asked_at_once(catalog: Catalog, database: Database) -> None:
    """Nobody answers before all have been asked: one after the other, it would never end."""
    asked: set[str] = set()
    complete = asyncio.Event()

    def note(what: str) -> None:
        asked.add(what)
        if len(asked) == 3 + 3:
            complete.set()

    class Gated(DnsServer):
        def reply(self, wire: bytes, transport: str) -> bytes | None:
            reply = super().reply(wire, transport)
            question = self.queries[-1]
            if question.type in ("MX", "SRV"):
                note(f"{question.name} {question.type}")
            return reply if complete.is_set() else None  # asked again after a second, as over a lossy line

    class Web(Pages):
        async def fetch(self, url: str) -> FetchedDocument | WebProblem:
            note(url)
            await complete.wait()
            return await super().fetch(url)

    async with Gated(MX) as dns:
        web = Web({OWN: configuration(server())})
        asking = DiscoverySources(resolver=dns.resolver, web=web, database=database, deadline=60)
        found = await discover(ANA, catalog, asking)
    assert [str(each.endpoint) for each in found.candidates] == ["smtp.firm.de:465"]


async def test_nobody_waits_for_a_guess_when_somebody_knows(catalog: Catalog) -> None:
    zone = MX + SMTP_A + "_submissions._tcp.firm.de. 60 IN SRV 0 0 465 named.firm.de.\n"

    async def verify(endpoint: Endpoint) -> Report:
        return passed(endpoint) if endpoint.host == "named.firm.de" else await tried_for_ever(endpoint)

    async with DnsServer(zone) as dns:
        asking = DiscoverySources(resolver=dns.resolver, web=Pages({}), verify=verify, deadline=60)
        found = await asyncio.wait_for(discover(ANA, catalog, asking), PATIENCE)
    assert [str(each.endpoint) for each in found.candidates] == ["named.firm.de:465"]
    assert quiet()


async def test_a_guess_is_waited_for_when_what_was_named_does_not_do(catalog: Catalog) -> None:
    zone = MX + SMTP_A + "_submissions._tcp.firm.de. 60 IN SRV 0 0 465 dead.firm.de.\n"
    async with DnsServer(zone) as dns:
        asking = DiscoverySources(
            resolver=dns.resolver, web=Pages({}), verify=Trying(("smtp.firm.de:465",)), deadline=60
        )
        found = await discover(ANA, catalog, asking)
    assert str(found.candidates[0].endpoint) == "smtp.firm.de:465"


async def test_once_the_mail_host_is_known_the_rest_has_little_time(
    catalog: Catalog, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(discovery, "GRACE", 0.05)
    async with DnsServer("firm.de. 60 IN MX 1 aspmx.l.google.com.\n") as dns:
        asking = DiscoverySources(resolver=dns.resolver, web=Pages({}, never), verify=tried_for_ever, deadline=3600)
        found = await asyncio.wait_for(discover(ANA, catalog, asking), PATIENCE)
    assert found.provider is not None
    assert found.candidates
    assert quiet()


async def test_giving_up_ends_every_question(catalog: Catalog) -> None:
    async with DnsServer(MX + SMTP_A) as dns:
        web = Pages({}, never)
        asking = DiscoverySources(resolver=dns.resolver, web=web, verify=tried_for_ever, deadline=60)
        task = asyncio.ensure_future(discover(ANA, catalog, asking))
        while not web.asked:
            await asyncio.sleep(0.001)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert quiet()


async def test_who_waits_is_told_what_is_being_asked(catalog: Catalog) -> None:
    lines: list[str] = []
    async with DnsServer(MX + SMTP_A) as dns:
        asking = DiscoverySources(resolver=dns.resolver, web=Pages({}), verify=Trying())
        await discover(ANA, catalog, asking, lines.append)
    assert "Who receives the mail of firm.de?" in lines
    assert "Is one of these a mail server: smtp.firm.de?" in lines
    assert all(line.isprintable() and len(line) < 200 for line in lines)
