"""Own domains as small firms have them, with DNS, web and mail servers on this computer: what comes first."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from smtp_wizard.engine.base.address import Address
from smtp_wizard.engine.discovery.autodiscover import autodiscover_url
from smtp_wizard.engine.discovery.search import DiscoveryResult
from smtp_wizard.engine.services.check_options import CheckOptions
from tests.engine.discovery.test_autoconfig import configuration, server
from tests.support.certs import Authority
from tests.support.dnsserver import DnsServer
from tests.support.mailhosts import MailHost, MailHosts
from tests.support.walk import make_services
from tests.support.webserver import Page, WebServer

AT_ONCE = 4
"""Searches that run at a time."""
A = "60 IN A 203.0.113.1"
"""That a name is there; where it leads, the wire of the test says."""


@dataclass(frozen=True)
class Own:
    """A domain, and what must come first."""

    domain: str
    first: str
    """The first candidate, as 'host:port'."""
    zone: str = ""
    """Its records; '@' stands for the domain."""
    pages: Mapping[str, Page] = field(default_factory=dict)
    hosts: Mapping[str, MailHost] = field(default_factory=dict)
    provider: str = ""
    """The provider that is known then, or the first of those that are asked about."""
    filtered_by: str = ""

    @property
    def records(self) -> str:
        """The lines of its zone."""
        lines = (line.strip() for line in self.zone.splitlines() if line.strip())
        return "".join(f"{line.replace('@', self.domain)}\n" for line in lines)


def mx(host: str) -> str:
    return f"@. 60 IN MX 10 {host}.\n"


def spf(*includes: str) -> str:
    return f'@. 60 IN TXT "v=spf1 {" ".join(f"include:{each}" for each in includes)} ~all"\n'


def srv(service: str, priority: int, weight: int, port: int, host: str) -> str:
    return f"_{service}._tcp.@. 60 IN SRV {priority} {weight} {port} {host}.\n"


def file_of(domain: str, *servers: str) -> dict[str, Page]:
    return {f"https://autoconfig.{domain}/mail/config-v1.1.xml": Page(configuration(*servers))}


def well_known(domain: str, *servers: str) -> dict[str, Page]:
    return {f"https://{domain}/.well-known/autoconfig/mail/config-v1.1.xml": Page(configuration(*servers))}


SERVES = MailHost()
TLS_ONLY, STARTTLS_ONLY = MailHost(ports=(465,)), MailHost(ports=(587,))
AT_PROVIDERS = (
    *("smtp.gmail.com", "smtppro.zoho.eu", "smtppro.zoho.com", "smtp.ionos.de", "smtp.ionos.com", "smtp.1und1.de"),
    *("smtp.fastmail.com", "smtp.hostinger.com", "mail.privateemail.com", "mail.gandi.net", "ssl0.ovh.net"),
    "secure.emailsrvr.com",
)
PROVIDERS = {
    **dict.fromkeys(AT_PROVIDERS, SERVES),
    **dict.fromkeys(("smtp.office365.com", "smtp.protonmail.ch", "smtp.mail.me.com"), STARTTLS_ONLY),
}
MICROSOFT_KEYS = "selector1._domainkey.@. 60 IN CNAME selector1-x._domainkey.x.onmicrosoft.com.\n"
GOOGLE_KEY = 'google._domainkey.@. 60 IN TXT "v=DKIM1; p=MIIB"\n'

OWN = (
    # kept at a provider: the MX record says which
    Own("google.test", "smtp.gmail.com:465", mx("aspmx.l.google.com"), provider="google-workspace"),
    Own("microsoft.test", "smtp.office365.com:587", mx("x.mail.protection.outlook.com"), provider="microsoft365"),
    Own("zoho-eu.test", "smtppro.zoho.eu:465", mx("mx.zoho.eu"), provider="zoho"),
    Own("zoho-us.test", "smtppro.zoho.com:465", mx("mx.zoho.com"), provider="zoho"),
    Own("ionos.test", "smtp.ionos.de:465", mx("mx00.ionos.de"), provider="ionos"),
    Own("fastmail.test", "smtp.fastmail.com:465", mx("in1-smtp.messagingengine.com"), provider="fastmail"),
    Own("proton.test", "smtp.protonmail.ch:587", mx("mail.protonmail.ch"), provider="proton"),
    Own("hostinger.test", "smtp.hostinger.com:465", mx("mx1.hostinger.com"), provider="hostinger"),
    Own("namecheap.test", "mail.privateemail.com:465", mx("mx1.privateemail.com"), provider="namecheap-privateemail"),
    Own("gandi.test", "mail.gandi.net:465", mx("spool.mail.gandi.net"), provider="gandi"),
    Own("ovh.test", "ssl0.ovh.net:465", mx("mx1.ovh.net"), provider="ovh"),
    Own("icloud.test", "smtp.mail.me.com:587", mx("mx01.mail.icloud.com"), provider="icloud"),
    Own("rackspace.test", "secure.emailsrvr.com:465", mx("mx1.emailsrvr.com"), provider="rackspace"),
    # kept at a provider, beside a web host's standard settings
    Own(
        "webhost.test",
        "smtp.gmail.com:465",
        mx("aspmx.l.google.com") + srv("submissions", 0, 1, 465, "mail.webhost.test") + f"mail.@. {A}\n",
        hosts={"mail.webhost.test": SERVES},
        provider="google-workspace",
    ),
    # a provider is only the reserve of the domain's own server
    Own(
        "reserve.test",
        "mail.reserve.test:465",
        mx("mail.reserve.test") + f"@. 60 IN MX 20 aspmx.l.google.com.\nmail.@. {A}\n",
        hosts={"mail.reserve.test": SERVES},
        provider="google-workspace",
    ),
    # the domain's DNS names its servers
    Own(
        "srv.test",
        "smtp.srv.test:465",
        mx("mx.srv.test") + srv("submissions", 0, 1, 465, "smtp.srv.test"),
        hosts={"smtp.srv.test": SERVES},
    ),
    Own(
        "weights.test",
        "heavy.weights.test:465",
        srv("submissions", 20, 1, 465, "backup.weights.test")
        + srv("submissions", 10, 5, 465, "main.weights.test")
        + srv("submissions", 10, 50, 465, "heavy.weights.test"),
        hosts={f"{host}.weights.test": TLS_ONLY for host in ("backup", "main", "heavy")},
    ),
    Own(
        "both.test",
        "new.both.test:465",
        srv("submission", 0, 0, 587, "old.both.test") + srv("submissions", 10, 0, 465, "new.both.test"),
        hosts={"old.both.test": STARTTLS_ONLY, "new.both.test": TLS_ONLY},
    ),
    Own(
        "certificate.test",
        "post.certificate.test:587",
        mx("post.certificate.test") + srv("submission", 0, 0, 587, "alpha.certificate.test"),
        hosts={
            "alpha.certificate.test": MailHost((587,), "post.certificate.test"),
            "post.certificate.test": STARTTLS_ONLY,
        },
    ),
    Own(
        "hosted.test",
        "smtp.hoster.test:465",
        mx("mx.hoster.test") + srv("submissions", 0, 1, 465, "smtp.hoster.test"),
        hosts={"smtp.hoster.test": SERVES},
    ),
    Own(
        "gone.test",
        "mail.gone.test:465",
        mx("mx.gone.test") + srv("submissions", 0, 1, 465, "dead.gone.test") + f"mail.@. {A}\n",
        hosts={"mail.gone.test": SERVES},
    ),
    Own(
        "not-offered.test",
        "mail.not-offered.test:587",
        f"_submissions._tcp.@. 60 IN SRV 0 0 0 .\nmail.@. {A}\n",
        hosts={"mail.not-offered.test": STARTTLS_ONLY},
    ),
    Own(
        "shop.firm.co.uk",
        "mail.firm.co.uk:465",
        srv("submissions", 0, 1, 465, "mail.firm.co.uk"),
        hosts={"mail.firm.co.uk": SERVES},
    ),
    Own(
        "xn--bcher-kva.test",
        "smtp.xn--bcher-kva.test:465",
        srv("submissions", 0, 1, 465, "smtp.xn--bcher-kva.test"),
        hosts={"smtp.xn--bcher-kva.test": SERVES},
    ),
    # the domain, or its mail host, publishes a file
    Own(
        "file.test",
        "smtp.file.test:465",
        mx("mx.hoster.test"),
        file_of("file.test", server("smtp.file.test")),
        {"smtp.file.test": SERVES},
    ),
    Own(
        "well-known.test",
        "smtp.hoster.test:465",
        mx("mx.elsewhere.test"),
        well_known("well-known.test", server("smtp.hoster.test")),
    ),
    Own(
        "order.test",
        "zulu.order.test:587",
        "",
        file_of("order.test", server("zulu.order.test", "587", "STARTTLS"), server("alpha.order.test")),
        {"zulu.order.test": STARTTLS_ONLY, "alpha.order.test": TLS_ONLY},
    ),
    Own(
        "first-dead.test",
        "b.first-dead.test:465",
        "",
        file_of("first-dead.test", server("a.first-dead.test"), server("b.first-dead.test")),
        {"b.first-dead.test": TLS_ONLY},
    ),
    Own(
        "moved.test",
        "smtp.moved.test:465",
        "",
        {
            "https://autoconfig.moved.test/mail/config-v1.1.xml": Page(
                status="302 Found", location="https://www.moved.test/mail.xml"
            ),
            "https://www.moved.test/mail.xml": Page(configuration(server("smtp.moved.test"))),
        },
        {"smtp.moved.test": SERVES},
    ),
    Own(
        "by-mail-host.test",
        "smtp.bighost.de:465",
        mx("mx7.bighost.de"),
        file_of("bighost.de", server("smtp.bighost.de")),
        {"smtp.bighost.de": SERVES},
    ),
    # nothing but usual names
    Own("usual.test", "smtp.usual.test:465", f"smtp.@. {A}\n", hosts={"smtp.usual.test": SERVES}),
    Own("mail-only.test", "mail.mail-only.test:587", f"mail.@. {A}\n", hosts={"mail.mail-only.test": STARTTLS_ONLY}),
    Own("bare.test", "bare.test:465", f"@. {A}\n", hosts={"bare.test": TLS_ONLY}),
    Own("own-mx.test", "post.own-mx.test:587", mx("post.own-mx.test"), hosts={"post.own-mx.test": STARTTLS_ONLY}),
    Own(
        "shared.test",
        "s12.hosting.test:465",
        mx("mx.hosting.test") + f"mail.@. {A}\n",
        hosts={"mail.shared.test": MailHost((465,), "s12.hosting.test"), "s12.hosting.test": TLS_ONLY},
    ),
    Own(
        "wildcard.test",
        "mail.wildcard.test:465",
        f"*.@. {A}\n",
        hosts={
            "mail.wildcard.test": TLS_ONLY,
            "smtp.wildcard.test": MailHost((465,), "park.hosting.test"),
        },
    ),
    # filters and forwarders
    Own(
        "mimecast.test",
        "smtp.office365.com:587",
        mx("eu-smtp-inbound-1.mimecast.com")
        + spf("eu._netblocks.mimecast.com", "spf.protection.outlook.com")
        + "autodiscover.@. 60 IN CNAME autodiscover.outlook.com.\n"
        + MICROSOFT_KEYS,
        provider="microsoft365",
        filtered_by="Mimecast",
    ),
    Own(
        "proofpoint.test",
        "smtp.gmail.com:465",
        mx("mx1-us1.ppe-hosted.com") + spf("_spf.google.com") + GOOGLE_KEY,
        provider="google-workspace",
        filtered_by="Proofpoint Essentials",
    ),
    Own(
        "barracuda.test",
        "owa.barracuda.test:587",
        mx("d1a.ess.barracudanetworks.com") + f"autodiscover.@. {A}\n",
        {
            autodiscover_url("barracuda.test"): Page(
                json.dumps({"Protocol": "AutodiscoverV1", "Url": "https://owa.barracuda.test/ews"}).encode()
            )
        },
        {"owa.barracuda.test": STARTTLS_ONLY},
        filtered_by="Barracuda",
    ),
    Own(
        "cloudflare.test",
        "smtp.fastmail.com:465",
        mx("route1.mx.cloudflare.net") + spf("_spf.mx.cloudflare.net", "spf.messagingengine.com"),
        provider="fastmail",
        filtered_by="Cloudflare Email Routing",
    ),
    Own(
        "improvmx.test",
        "smtp.improvmx.test:465",
        mx("mx1.improvmx.com") + spf("spf.improvmx.com"),
        file_of("improvmx.test", server("smtp.improvmx.test")),
        {"smtp.improvmx.test": SERVES},
        filtered_by="ImprovMX",
    ),
    Own(
        "unknown-filter.test",
        "smtp.office365.com:587",
        mx("mx.filter.test") + spf("spf.protection.outlook.com") + MICROSOFT_KEYS,
        provider="microsoft365",
    ),
)


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("authority"))


async def test_each_own_domain_gets_the_right_first_candidate(authority: Authority, tmp_path: Path) -> None:
    assert len({each.domain for each in OWN}) == len(OWN) >= 30
    pages = {url: page for each in OWN for url, page in each.pages.items()}
    hosts = PROVIDERS | {host: one for each in OWN for host, one in each.hosts.items()}
    zone = "".join(each.records for each in OWN)
    options = CheckOptions(ca_file=str(authority.file))
    turns = asyncio.Semaphore(AT_ONCE)
    async with DnsServer(zone) as dns, WebServer(authority, pages) as web, MailHosts(authority, hosts) as mail:
        services = make_services(tmp_path, mail, resolver=dns.resolver, web=web.web())

        async def search(own: Own) -> DiscoveryResult:
            async with turns:
                return await services.discovery.find_settings(
                    Address("ana", own.domain), options=options, deadline=60.0
                )

        found = await asyncio.gather(*map(search, OWN))
    told = {each.domain: _told(result) for each, result in zip(OWN, found, strict=True)}
    assert told == {each.domain: (each.first, each.provider, each.filtered_by, True) for each in OWN}


def _told(found: DiscoveryResult) -> tuple[str, str, str, bool]:
    """The first candidate, who has the mailbox, who filters, and whether that server was reached."""
    who = found.provider or next(iter(found.alternatives), None)
    first = found.candidates[0] if found.candidates else None
    server = str(first.endpoint) if first is not None else ""
    return server, who.id if who else "", found.filtered_by, first is not None and first.verified
