"""A certificate for another name is said, and that name tried; so is a mail host inside the domain."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

import pytest

from smtp_wizard.engine.base.address import Address
from smtp_wizard.engine.base.endpoint import Endpoint, Security
from smtp_wizard.engine.base.shown import shown
from smtp_wizard.engine.base.stages import Stage, Verdict
from smtp_wizard.engine.checks.report import CheckResult, Report
from smtp_wizard.engine.discovery.candidate import FoundBy
from smtp_wizard.engine.discovery.named_server import MOST_CERTIFICATE_NAMES, other_names
from smtp_wizard.engine.discovery.search import DiscoveryResult, DiscoverySources, discover
from smtp_wizard.engine.discovery.trials import MOST_TRIED
from smtp_wizard.engine.providers.catalog import Catalog, load_catalog
from smtp_wizard.engine.smtp.tls import TlsFacts
from smtp_wizard.text.discovery import trust_words
from tests.engine.discovery.test_autoconfig import configuration, server
from tests.engine.discovery.test_discovery_sources import Pages, failed, passed
from tests.support.dnsserver import DnsServer

ANA = Address("ana", "firm.test")
SRV = "_submission._tcp.firm.test. 60 IN SRV 0 0 587 alpha.firm.test.\n"
OWN = "https://autoconfig.firm.test/mail/config-v1.1.xml"


def with_certificate(endpoint: Endpoint, *names: str) -> Report:
    """Return how a trial ends at a server whose certificate was not believed."""
    facts = TlsFacts(
        version=shown("TLSv1.3"),
        cipher=shown("TLS_AES_256_GCM_SHA384"),
        subject=shown(names[0] if names else ""),
        issuer=shown("Somebody"),
        names=tuple(map(shown, names)),
        not_before=datetime(2026, 1, 1, tzinfo=UTC),
        not_after=datetime(2027, 1, 1, tzinfo=UTC),
        chain=(),
    )
    return Report(endpoint, (CheckResult(Stage.STARTTLS, Verdict.FAIL, 0.1, tls=facts),))


@dataclass
class Servers:
    """Servers by host and port, each with the names that its certificate is for."""

    certificates: Mapping[str, Sequence[str]]
    tried: list[str] = field(default_factory=list)

    async def __call__(self, endpoint: Endpoint) -> Report:
        self.tried.append(str(endpoint))
        names = self.certificates.get(str(endpoint))
        if names is None:
            return failed(endpoint)
        return passed(endpoint) if endpoint.host in names else with_certificate(endpoint, *names)


@pytest.fixture(scope="module")
def catalog() -> Catalog:
    return load_catalog()


async def found(
    catalog: Catalog, zone: str, servers: Servers, pages: Mapping[str, bytes] | None = None
) -> DiscoveryResult:
    async with DnsServer(zone) as dns:
        asking = DiscoverySources(resolver=dns.resolver, web=Pages(pages or {}), verify=servers)
        return await discover(ANA, catalog, asking)


async def test_the_name_in_the_certificate_is_said_tried_and_the_best(catalog: Catalog) -> None:
    zone = SRV + "firm.test. 60 IN MX 10 post.firm.test.\n"
    servers = Servers({"alpha.firm.test:587": ["post.firm.test"], "post.firm.test:587": ["post.firm.test"]})
    result = await found(catalog, zone, servers)
    best, other = result.candidates
    assert (str(best.endpoint), best.verified) == ("post.firm.test:587", True)
    assert best.note == "it is the name in the certificate of alpha.firm.test"
    assert (other.endpoint.host, other.verified) == ("alpha.firm.test", False)
    words = "The certificate of alpha.firm.test is for post.firm.test, so that name was tried as well."
    assert words in result.notes
    assert servers.tried.count("post.firm.test:587") == 1, "once, whoever names it"


async def test_a_mail_host_inside_the_domain_is_one_of_the_guesses(catalog: Catalog) -> None:
    zone = "firm.test. 60 IN MX 10 post.firm.test.\n"
    servers = Servers({"post.firm.test:587": ["post.firm.test"]})
    result = await found(catalog, zone, servers)
    (only,) = result.candidates
    assert (str(only.endpoint), only.source, only.verified) == ("post.firm.test:587", FoundBy.GUESS, True)


async def test_a_mail_host_elsewhere_is_no_guess(catalog: Catalog) -> None:
    servers = Servers({})
    await found(catalog, "firm.test. 60 IN MX 10 mx.hoster.test.\n", servers)
    assert not any("hoster" in each for each in servers.tried)


async def test_a_usual_name_whose_certificate_is_the_hoster_s_leads_to_the_hoster(catalog: Catalog) -> None:
    """Shared hosting: mail.firm.test is an address of the hoster's server, whose certificate is in its own name."""
    zone = "mail.firm.test. 60 IN A 192.0.2.1\n"
    names = ["s12.hoster.test"]
    result = await found(catalog, zone, Servers({"mail.firm.test:465": names, "s12.hoster.test:465": names}))
    (only,) = result.candidates
    assert (str(only.endpoint), only.source, only.verified) == ("s12.hoster.test:465", FoundBy.GUESS, True)
    assert "this server belongs to hoster.test, not to firm.test: please make sure" in only.note
    assert trust_words(only.trust) not in ("very likely right", "likely right"), "nobody vouches for it"


async def test_nobody_vouches_for_what_a_certificate_names(catalog: Catalog) -> None:
    """Who stands on the way can show any certificate: a file that came by https named another server."""
    servers = Servers({"smtp.firm.test:465": ["evil.test"], "evil.test:465": ["evil.test"]})
    result = await found(
        catalog, "firm.test. 60 IN A 192.0.2.1\n", servers, {OWN: configuration(server("smtp.firm.test"))}
    )
    evil = next(each for each in result.candidates if each.endpoint.host == "evil.test")
    assert not evil.published
    assert trust_words(evil.trust) in ("perhaps right", "doubtful")


async def test_certificates_that_name_each_other_end(catalog: Catalog) -> None:
    chain = {f"a{at}.firm.test:587": [f"a{at + 1}.firm.test"] for at in range(50)}
    servers = Servers({"alpha.firm.test:587": ["a0.firm.test"], **chain})
    await found(catalog, SRV, servers)
    assert servers.tried.count("a0.firm.test:587") == 1
    assert not any(each.startswith("a1.") for each in servers.tried), "one step, no more"
    assert len(servers.tried) <= MOST_TRIED


@pytest.mark.parametrize(
    ("names", "others"),
    [
        (["post.firm.test"], ("post.firm.test",)),
        (["alpha.firm.test", "post.firm.test"], ()),
        (["*.firm.test"], ()),
        (["*.hoster.test", "hoster.test"], ("hoster.test",)),
        (["*.alpha.firm.test"], ()),
        (["localhost", "192.0.2.7", "under_score.test", "a b", ""], ()),
        (
            [f"s{at}.hoster.test" for at in range(9)],
            tuple(f"s{at}.hoster.test" for at in range(MOST_CERTIFICATE_NAMES)),
        ),
        (["POST.firm.test", "post.firm.test"], ("post.firm.test",)),
        ([], ()),
    ],
)
def test_names_that_a_server_can_have_and_was_not_asked_for(names: list[str], others: tuple[str, ...]) -> None:
    endpoint = Endpoint("alpha.firm.test", 587, Security.STARTTLS)
    assert other_names(endpoint, with_certificate(endpoint, *names)) == others
    believed = replace(with_certificate(endpoint, *names).results[0], verdict=Verdict.PASS)
    assert other_names(endpoint, Report(endpoint, (believed,))) == (), "nothing is wrong with it"
    assert other_names(endpoint, None) == ()
