"""Which IMAP server a mailbox is read from, who names it, and whether a password may go there."""

from __future__ import annotations

from dataclasses import replace

import pytest

from smtp_wizard.engine.accounts.account import Account
from smtp_wizard.engine.base.address import Address
from smtp_wizard.engine.base.endpoint import Endpoint, Security
from smtp_wizard.engine.discovery.candidate import FoundBy
from smtp_wizard.engine.discovery.web import FetchedDocument, WebProblem
from smtp_wizard.engine.mailbox.imap_servers import (
    ImapServer,
    ImapServerTrust,
    MailboxServers,
    imap_server_trust,
    leads_out,
)
from smtp_wizard.engine.mailbox.mailbox_file import load_mailboxes
from smtp_wizard.engine.providers.catalog import load_catalog
from tests.commands.test_send import RELAY
from tests.support.dnsserver import DnsServer

CONFIG = b"""<clientConfig version="1.1"><emailProvider id="firm.example">
<incomingServer type="pop3"><hostname>pop.firm.example</hostname>
<port>995</port><socketType>SSL</socketType></incomingServer>
<incomingServer type="imap"><hostname>clear.firm.example</hostname>
<port>143</port><socketType>plain</socketType></incomingServer>
<incomingServer type="imap"><hostname>read.firm.example</hostname><port>993</port><socketType>SSL</socketType>
<username>%EMAILLOCALPART%</username></incomingServer>
<outgoingServer type="smtp"><hostname>send.firm.example</hostname>
<port>465</port><socketType>SSL</socketType></outgoingServer>
</emailProvider></clientConfig>"""


class OneFile:
    """A web where one file lies under every address, or none."""

    def __init__(self, content: bytes = b"") -> None:
        self.content = content
        self.asked: list[str] = []

    async def fetch(self, url: str) -> FetchedDocument | WebProblem:
        self.asked.append(url)
        return FetchedDocument(self.content, url) if self.content else WebProblem.ABSENT


def account(address: str = "ana@firm.example", smtp: str = "smtp.firm.example", provider: str | None = None) -> Account:
    connection = replace(
        RELAY.connection, endpoint=Endpoint(smtp, 465, Security.TLS), username=address, provider=provider
    )
    return replace(RELAY, address=Address.parse_bare(address), connection=connection)


async def found(wanted: Account, web: OneFile, zone: str = "", named: Endpoint | None = None) -> tuple[ImapServer, ...]:
    async with DnsServer(zone) as dns:
        return await MailboxServers(load_mailboxes(), dns.resolver, web).of(wanted, named)


async def test_our_own_list_is_enough_and_nobody_is_asked() -> None:
    web = OneFile(CONFIG)
    servers = await found(account("ana@web.de", "smtp.web.de", "web-de"), web)
    assert [(each.endpoint.host, each.trust, each.source) for each in servers][:1] == [
        ("imap.web.de", ImapServerTrust.LISTED, FoundBy.CATALOG)
    ]
    assert web.asked == []


async def test_what_the_domain_publishes_is_read_with_its_user_name_and_nothing_in_clear_text() -> None:
    servers = await found(account(), OneFile(CONFIG))
    assert (servers[0].endpoint.host, servers[0].username, servers[0].trust) == (
        "read.firm.example",
        "ana",
        ImapServerTrust.OWN,
    )
    assert {each.endpoint.security for each in servers} == {Security.TLS}
    assert not {"pop.firm.example", "send.firm.example", "clear.firm.example"} & {
        each.endpoint.host for each in servers
    }


async def test_what_the_dns_names_is_used_and_one_of_a_stranger_comes_last_and_unconfirmed() -> None:
    zone = "_imaps._tcp.firm.example 60 IN SRV 0 0 993 imap.stranger.example.\n"
    servers = await found(account(), OneFile(), zone)
    assert servers[-1].endpoint.host == "imap.stranger.example"
    assert (servers[-1].trust, servers[-1].confirmed) == (ImapServerTrust.UNKNOWN, False)
    assert servers[0].confirmed


async def test_a_server_that_the_person_names_is_the_only_one() -> None:
    there = Endpoint("imap.stranger.example", 993, Security.TLS)
    (server,) = await found(account(), OneFile(CONFIG), named=there)
    assert (server.endpoint, server.confirmed) == (there, True)


@pytest.mark.parametrize(
    ("host", "trust"),
    [
        ("imap.firm.example", ImapServerTrust.OWN),
        ("imap.hoster.example", ImapServerTrust.SAME_OWNER),
        ("imap.hoster.example.stranger.example", ImapServerTrust.UNKNOWN),
        ("imap.other.example", ImapServerTrust.UNKNOWN),
    ],
)
def test_a_password_goes_where_it_goes_for_sending_already_or_to_the_domains_owner(
    host: str, trust: ImapServerTrust
) -> None:
    there = Endpoint(host, 993, Security.TLS)
    assert imap_server_trust(account(smtp="smtp.hoster.example"), there) is trust


def test_what_a_stranger_names_never_leads_to_this_computer() -> None:
    assert not leads_out("127.0.0.1", 993)
    assert not leads_out("10.0.0.8", 22)
    assert leads_out("10.0.0.8", 993)
    assert leads_out("192.0.43.8", 993)


def test_the_list_names_providers_of_the_catalogue_and_their_servers() -> None:
    catalog, listed = load_catalog(), load_mailboxes()
    assert len({each.provider for each in listed.servers}) >= 40
    assert [each for each in listed.servers if catalog.get(each.provider) is None] == []
    assert [each for each in listed.servers if each.source not in listed.sources] == []
    assert listed.of("zoho", "smtp.zoho.eu") == (), "another region has another server"
    assert listed.of("zoho", "smtp.zoho.com") != ()
