"""Who keeps a domain's mail, by its mail hosts: a reserve decides nothing, nor do several strangers."""

from __future__ import annotations

import pytest

from smtp_wizard.engine.discovery.dns import MxLookup
from smtp_wizard.engine.discovery.mail_keepers import MailKeepers, look_up_mail_hosts, mail_keepers
from smtp_wizard.engine.discovery.mailbox_traces import load_mailbox_knowledge
from smtp_wizard.engine.providers.catalog import load_catalog
from smtp_wizard.engine.providers.provider import Provider
from tests.support.dnsserver import DnsServer

CATALOG = load_catalog()
FILTERS = load_mailbox_knowledge().filters
OWN, GOOGLE, ZOHO, FILTER = "mail.firm.test", "aspmx.l.google.com", "mx.zoho.eu", "eu-smtp-inbound-1.mimecast.com"


def keepers(*hosts: tuple[int, str]) -> MailKeepers:
    found = MxLookup(hosts=tuple(name for _, name in hosts), preferences=tuple(number for number, _ in hosts))
    return mail_keepers(found, CATALOG, FILTERS)


def ids(providers: tuple[Provider, ...]) -> list[str]:
    return [each.id for each in providers]


@pytest.mark.parametrize(
    ("hosts", "owners", "possible", "reserve"),
    [
        (((10, GOOGLE),), ["google-workspace"], [], []),
        (((10, GOOGLE), (20, "alt1.aspmx.l.google.com")), ["google-workspace"], [], []),
        (((10, GOOGLE), (10, "aspmx2.googlemail.com"), (20, OWN)), ["google-workspace"], [], []),
        (((10, GOOGLE), (20, ZOHO)), ["google-workspace"], [], ["zoho"]),
        (((10, FILTER), (20, GOOGLE)), ["google-workspace"], [], []),
        (((10, FILTER), (10, GOOGLE)), ["google-workspace"], [], []),
        (((10, "x.mail.protection.outlook.com"),), ["microsoft365", "godaddy-microsoft365"], [], []),
        (((10, OWN), (20, GOOGLE)), [], ["google-workspace"], []),
        (((10, OWN), (10, GOOGLE)), [], ["google-workspace"], []),
        (((10, GOOGLE), (10, OWN)), [], ["google-workspace"], []),
        (((10, FILTER), (20, OWN), (30, GOOGLE)), [], ["google-workspace"], []),
        (((10, GOOGLE), (10, ZOHO)), [], ["google-workspace", "zoho"], []),
        (((10, OWN), (20, "mx.hoster.test"), (30, ZOHO)), [], ["zoho"], []),
        (((10, OWN),), [], [], []),
        (((10, FILTER),), [], [], []),
        ((), [], [], []),
    ],
)
def test_who_keeps_the_mail(
    hosts: tuple[tuple[int, str], ...], owners: list[str], possible: list[str], reserve: list[str]
) -> None:
    found = keepers(*hosts)
    assert (ids(found.owners), ids(found.possible), ids(found.reserve)) == (owners, possible, reserve)
    assert not (owners or possible) or found.first
    assert not (possible or reserve) or found.other not in ("", found.first)


async def test_a_mail_host_that_is_another_name_for_one_that_is_known_is_that_one() -> None:
    """RFC 2181 section 10.3 forbids it; it is done all the same."""
    zone = "".join(
        f"{line}\n"
        for line in (
            "firm.test. 60 IN MX 5 mx.firm.test.",
            "firm.test. 60 IN MX 10 other.firm.test.",
            f"mx.firm.test. 60 IN CNAME {ZOHO}.",
            "other.firm.test. 60 IN CNAME nobody.test.",
        )
    )
    async with DnsServer(zone) as dns:
        found = await look_up_mail_hosts("firm.test", CATALOG, dns.resolver, FILTERS)
    assert (found.hosts, found.preferences) == ((ZOHO, "other.firm.test"), (5, 10))
