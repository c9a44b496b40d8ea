"""Discovery against a real name server: what Unbound answers is understood, and its log says what was told to it."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from smtp_wizard.engine.base.address import Address
from smtp_wizard.engine.base.endpoint import Endpoint, Security
from smtp_wizard.engine.base.secret import Secret
from smtp_wizard.engine.base.shown import shown
from smtp_wizard.engine.base.stages import Depth, Stage, Verdict
from smtp_wizard.engine.checks.report import CheckResult, Report
from smtp_wizard.engine.discovery.autoconfig import load_database
from smtp_wizard.engine.discovery.candidate import FoundBy
from smtp_wizard.engine.discovery.dns import DnsProblem, Resolver, look_up_addresses, look_up_mx, look_up_srv
from smtp_wizard.engine.discovery.egress_guard import may_connect_to
from smtp_wizard.engine.discovery.search import DiscoveryResult, DiscoverySources, discover
from smtp_wizard.engine.providers.catalog import Catalog, load_catalog
from smtp_wizard.engine.wizard.draft import Draft, with_found
from smtp_wizard.engine.wizard.trusted_servers import ServerTrust, Unconfirmed, server_trust
from tests.realservers.servers import HOST, program, running, server_folder, wait_until
from tests.support.certs import Authority
from tests.support.ports import free_ports
from tests.support.walk import make_services
from tests.support.webserver import WebServer

pytestmark = pytest.mark.real

WEB_HOSTS = ("autoconfig.firm.de", "firm.de")
"""What the web server can prove to be, so that it hears what it is asked."""
SERVERS = 100
"""SRV records of a domain that names more than fit into a packet."""
ZONE = (
    "firm.de. MX 10 mx.hoster.de.",
    "_submissions._tcp.firm.de. SRV 0 1 465 smtp.firm.de.",
    "_submission._tcp.firm.de. SRV 0 0 0 .",
    "smtp.firm.de. A 8.8.8.8",
    "smtp.firm.de. AAAA 2001:4860:4860::8888",
    "google.firm.de. MX 1 aspmx.l.google.com.",
    "none.firm.de. MX 0 .",
    "xn--bcher-kva.de. MX 1 aspmx.l.google.com.",
    "_submissions._tcp.victim.de. SRV 0 1 465 smtp.stranger.de.",
    "smtp.stranger.de. A 8.8.8.8",
    "_submissions._tcp.led.victim.de. SRV 0 1 6379 inside.victim.de.",
    "inside.victim.de. AAAA 64:ff9b::7f00:1",
    "_submissions._tcp.looks.de. SRV 0 1 465 SMTP.looks.de.stranger.de.",
    "_submissions._tcp.own.de. SRV 0 1 465 SMTP.Own.DE.",
    *(
        f"_submission._tcp.many.firm.de. SRV {SERVERS - each} 0 587 s{each}.a-rather-long-name.firm.de."
        for each in range(SERVERS)
    ),
)


ZONES = ("firm.de", "xn--bcher-kva.de", "nowhere.de", "victim.de", "stranger.de", "looks.de", "own.de")
ALIASES = """$ORIGIN alias.de.
@ 60 IN SOA ns.alias.de. root.alias.de. 1 3600 600 86400 60
@ 60 IN NS ns
_submissions._tcp 60 IN CNAME _submissions._tcp.hosted
_submissions._tcp.hosted 60 IN SRV 0 1 465 smtp.stranger.de.
_submissions._tcp.sub 60 IN SRV 0 1 465 smtp.sub
smtp.sub 60 IN CNAME there
there 60 IN A 8.8.8.8
"""
"""A zone with other names for things, which Unbound follows."""


@dataclass(frozen=True)
class NameServer:
    """Unbound, running."""

    resolver: Resolver
    log: Path

    def asked(self, mark: int = 0) -> list[str]:
        """Return what it was asked, in order: name and type."""
        text = self.log.read_bytes()[mark:].decode()
        return re.findall(r"info: 127\.0\.0\.1 (\S+ \S+) IN", text)

    def mark(self) -> int:
        """Return where its log ends now, once it has written down the question that asks for this mark."""
        return self.log.stat().st_size


def write_config(folder: Path, port: int, log: Path) -> Path:
    """Write a configuration that answers from `ZONE` and asks nobody in the world."""
    config, aliases = folder / "unbound.conf", folder / "alias.de.zone"
    aliases.write_text(ALIASES, "utf-8")
    zones = "".join(f'  local-zone: "{zone}." static\n' for zone in ZONES)
    data = "".join(f"  local-data: '{record}'\n" for record in ZONE)
    config.write_text(
        f"""server:
  interface: {HOST}
  port: {port}
  do-daemonize: no
  username: ""
  chroot: ""
  directory: "{folder}"
  pidfile: "{folder}/unbound.pid"
  logfile: "{log}"
  use-syslog: no
  log-queries: yes
  verbosity: 1
  num-threads: 1
  access-control: 127.0.0.0/8 allow
  local-zone: "refused.de." refuse
{zones}{data}
  local-zone: "alias.de." transparent
  local-zone: "." static
auth-zone:
  name: "alias.de."
  zonefile: "{aliases}"
  for-upstream: yes
  for-downstream: yes
remote-control:
  control-enable: no
""",
        "utf-8",
    )
    return config


@contextlib.contextmanager
def run_unbound() -> Iterator[NameServer]:
    """Run it. Raises `ServerTrouble` where it is missing or does not start."""
    with server_folder() as folder:
        (port,) = free_ports(1)
        log = folder / "unbound.log"
        config = write_config(folder, port, log)
        command = [program("unbound"), "-d", "-c", str(config)]
        with running(command, folder, log, lambda: log.exists() and b"start of service" in log.read_bytes()):
            yield NameServer(Resolver(nameservers=(HOST,), port=port), log)


@pytest.fixture(scope="module")
def unbound() -> Iterator[NameServer]:
    """Unbound, started once."""
    with run_unbound() as server:
        yield server


@pytest.fixture(scope="module")
def catalog() -> Catalog:
    """The product's own providers."""
    return load_catalog()


async def good(endpoint: Endpoint) -> Report:
    """Every server does."""
    result = CheckResult(Stage.EHLO, Verdict.PASS, 0.1, capabilities={"AUTH": shown("PLAIN")})
    return Report(endpoint, (result,))


async def searched(
    unbound: NameServer, catalog: Catalog, tmp_path: Path, address: Address, *, listed: bool = False
) -> tuple[DiscoveryResult, list[str]]:
    """Search with this name server and an empty web; return what was found and the URLs that were asked for."""
    async with WebServer(Authority(tmp_path), {}, names=WEB_HOSTS) as web:
        database = load_database() if listed else None
        asking = DiscoverySources(resolver=unbound.resolver, web=web.web(), verify=good, database=database)
        found = await discover(address, catalog, asking)
        return found, web.requests


async def test_what_a_real_name_server_says_is_understood(
    unbound: NameServer, catalog: Catalog, tmp_path: Path
) -> None:
    found, _ = await searched(unbound, catalog, tmp_path, Address("ana", "firm.de"))
    best = found.candidates[0]
    assert (str(best.endpoint), best.source, best.verified) == ("smtp.firm.de:465", FoundBy.SRV, True)
    assert found.mx_hosts == ("mx.hoster.de",)


async def test_its_log_says_that_only_the_domain_was_told(
    unbound: NameServer, catalog: Catalog, tmp_path: Path
) -> None:
    mark = unbound.mark()
    _, urls = await searched(unbound, catalog, tmp_path, Address("very.private", "firm.de"))
    wait_until(lambda: "firm.de. MX" in unbound.asked(mark), "the question in the log")
    asked = unbound.asked(mark)
    assert {"firm.de. MX", "_submissions._tcp.firm.de. SRV", "_submission._tcp.firm.de. SRV"} <= set(asked)
    assert {url.split("/")[2] for url in urls} == set(WEB_HOSTS)
    assert not any("private" in each for each in (*asked, *urls))
    assert not any("ispdb" in each for each in (*asked, *urls))


async def test_a_known_ending_leaves_no_line_in_its_log(unbound: NameServer, catalog: Catalog, tmp_path: Path) -> None:
    mark = unbound.mark()
    found, urls = await searched(unbound, catalog, tmp_path, Address("ana", "gmail.com"), listed=True)
    assert found.provider is not None
    # A question of ours that comes after: the log is written in order.
    await look_up_mx("google.firm.de", unbound.resolver)
    wait_until(lambda: "google.firm.de. MX" in unbound.asked(mark), "the question in the log")
    assert (unbound.asked(mark), urls) == (["google.firm.de. MX"], [])


@pytest.mark.parametrize("domain", ["google.firm.de", "bücher.de"])
async def test_a_known_mail_host_names_the_provider(
    unbound: NameServer, catalog: Catalog, tmp_path: Path, domain: str
) -> None:
    found, _ = await searched(unbound, catalog, tmp_path, Address("ana", domain))
    assert found.provider is catalog.get("google-workspace")


async def test_records_that_do_not_fit_into_a_packet_come_over_tcp(unbound: NameServer) -> None:
    found = await look_up_srv("many.firm.de", "_submission", unbound.resolver)
    assert found.endpoints[0].host == f"s{SERVERS - 1}.a-rather-long-name.firm.de"


async def test_a_service_that_is_not_offered_is_told_from_one_that_is_not_named(unbound: NameServer) -> None:
    assert (await look_up_srv("firm.de", "_submission", unbound.resolver)).not_offered
    assert (await look_up_srv("google.firm.de", "_submission", unbound.resolver)).problem is DnsProblem.NO_SUCH_DOMAIN


async def test_both_families_are_found(unbound: NameServer) -> None:
    assert await look_up_addresses("smtp.firm.de", unbound.resolver) == ("8.8.8.8", "2001:4860:4860::8888")


@pytest.mark.parametrize(
    ("domain", "problem"),
    [
        ("nowhere.de", DnsProblem.NO_SUCH_DOMAIN),
        ("none.firm.de", DnsProblem.NO_MAIL),
        ("smtp.firm.de", DnsProblem.NO_MX),
        ("refused.de", DnsProblem.SERVER_FAILED),
    ],
)
async def test_each_way_to_say_no_is_told_apart(unbound: NameServer, domain: str, problem: DnsProblem) -> None:
    assert (await look_up_mx(domain, replace(unbound.resolver, lifetime=5.0))).problem is problem


@pytest.mark.parametrize(
    ("domain", "host", "confirmed"),
    [
        ("victim.de", "smtp.stranger.de", False),
        ("looks.de", "smtp.looks.de.stranger.de", False),
        ("alias.de", "smtp.stranger.de", False),
        ("own.de", "smtp.own.de", True),
        ("sub.alias.de", "smtp.sub.alias.de", True),
    ],
)
async def test_a_record_confirms_no_server_but_one_of_the_own_domain(
    unbound: NameServer, catalog: Catalog, tmp_path: Path, domain: str, host: str, *, confirmed: bool
) -> None:
    """Whatever a record's own name is another name for: what counts is the server that is named, and asked for."""
    address = Address("ana", domain)
    found, _ = await searched(unbound, catalog, tmp_path, address)
    draft = replace(with_found(Draft().with_address(address), found, catalog), secret=Secret("correct horse"))
    assert draft.connection.endpoint == Endpoint(host, 465, Security.TLS)
    assert server_trust(draft, catalog) is (ServerTrust.OWN if confirmed else ServerTrust.UNKNOWN)
    if not confirmed:
        assert found.candidates[0].note == f"this server belongs to stranger.de, not to {domain}: please make sure"
        with pytest.raises(Unconfirmed):
            await make_services(tmp_path / "config").checks.check_draft(draft, Depth.LOGIN, lambda _: None)


async def test_an_address_that_leads_inside_by_a_detour_is_not_followed(unbound: NameServer) -> None:
    found = await look_up_addresses("inside.victim.de", unbound.resolver)
    assert found == ("64:ff9b::7f00:1",)
    assert not may_connect_to(found[0], 6379)
    assert not may_connect_to(found[0], 465)
