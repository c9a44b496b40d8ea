"""A provider as a mail program reads it: as the format asks for it, and as our own reader understands it."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ElementTree
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

import defusedxml.ElementTree
import pytest

from smtp_wizard.engine.base.address import Address
from smtp_wizard.engine.base.endpoint import Endpoint, Security
from smtp_wizard.engine.base.errors import InputError
from smtp_wizard.engine.discovery.autoconfig import MOST_SERVERS, read_offers
from smtp_wizard.engine.providers.autoconfig_export import OWN_DOMAIN, autoconfig, ispdb, left_out
from smtp_wizard.engine.providers.catalog import load_catalog
from smtp_wizard.engine.providers.provider import PathAuth, Provider, UsernameForm

CATALOG = load_catalog()
IMAP = Endpoint("imap.firm.example", 993, Security.TLS)
DOMAIN = "firm.example"
WITH_SERVERS = [
    each for each in CATALOG.providers if any(not one.guess for one in each.offered(Address("ana", DOMAIN)))
]


def ending_of(provider: Provider) -> str:
    """The first of the provider's endings where each has servers of its own, and no other domain has any; else ''."""
    for_each = all(each.domains for each in provider.endpoints)
    return provider.domains[0].replace("*", "ana") if for_each and provider.endpoints else ""


def region_of(provider: Provider) -> dict[str, str]:
    """What says the first of the provider's regions, an MX ending or its name; nothing where it has none."""
    named = next((each.region for each in provider.endpoints if each.region), "")
    if any(each.mx for each in provider.endpoints):
        return {"mx": provider.mx[0]}
    return {"region": named} if named else {}


# --- the format's own schema (draft-ietf-mailmaint-autoconfig-06 sections 3 and 4) ---


@dataclass(frozen=True)
class Child:
    """How often an element may stand in another one."""

    least: int = 1
    most: int | None = 1


@dataclass(frozen=True)
class Kind:
    """What an element must have."""

    children: Mapping[str, Child] | None = None
    """In this order; None: text, and nothing else."""
    attributes: Mapping[str, str] | None = None
    text: str = r"\S(.*\S)?"


SERVER = {
    "hostname": Child(),
    "port": Child(),
    "socketType": Child(),
    "username": Child(0),
    "authentication": Child(1, None),
}
SCHEMA: Mapping[str, Kind] = {
    "clientConfig": Kind({"emailProvider": Child()}, {"version": r"1\.1"}),
    "emailProvider": Kind(
        {
            "domain": Child(1, None),
            "displayName": Child(),
            "displayShortName": Child(),
            "incomingServer": Child(0, None),
            "outgoingServer": Child(1, None),
            "documentation": Child(0, None),
        },
        {"id": r"%EMAILDOMAIN%|[a-z0-9.-]+"},
    ),
    "incomingServer": Kind(SERVER, {"type": "imap|pop3"}),
    "outgoingServer": Kind(SERVER, {"type": "smtp"}),
    "domain": Kind(text=r"%EMAILDOMAIN%|[a-z0-9]([a-z0-9.-]*[a-z0-9])?"),
    "displayName": Kind(),
    "displayShortName": Kind(),
    "hostname": Kind(text=r"[a-z0-9.-]*(%EMAILDOMAIN%)?"),
    "port": Kind(text=r"[1-9][0-9]{0,4}"),
    "socketType": Kind(text="plain|SSL|STARTTLS"),
    "username": Kind(),
    "authentication": Kind(text="password-cleartext|password-encrypted|NTLM|GSSAPI|client-IP-address|OAuth2|none"),
    "documentation": Kind({"descr": Child(1, None)}, {"url": r"https?://\S+"}),
    "descr": Kind(attributes={"lang": "[a-z]{2}"}),
}


def faults(element: ElementTree.Element) -> Iterator[str]:
    """Yield what is not as the schema asks for it."""
    kind = SCHEMA.get(element.tag)
    if kind is None:
        yield f"<{element.tag}> is unknown"
        return
    wanted = kind.attributes or {}
    if element.attrib.keys() != wanted.keys():
        yield f"<{element.tag}> has the attributes {sorted(element.attrib)}"
    yield from (f"{key}={element.get(key)!r}" for key in wanted if not re.fullmatch(wanted[key], element.get(key, "")))
    if kind.children is None:
        if len(element) or not re.fullmatch(kind.text, element.text or ""):
            yield f"<{element.tag}> holds {element.text!r}"
        return
    tags = [child.tag for child in element if child.tag in kind.children]
    if sorted(tags, key=list(kind.children).index) != tags:
        yield f"<{element.tag}>: {tags} is another order"
    for tag, often in kind.children.items():
        if not often.least <= tags.count(tag) <= (often.most or len(tags)):
            yield f"<{tag}> stands {tags.count(tag)} times in <{element.tag}>"
    for child in element:
        yield from faults(child)


def parsed(text: str) -> ElementTree.Element:
    root: ElementTree.Element = defusedxml.ElementTree.fromstring(text.encode("utf-8"), forbid_dtd=True)
    return root


def test_the_schema_refuses_what_is_not_the_format() -> None:
    good = autoconfig(CATALOG.providers[0], incoming=IMAP)
    assert list(faults(parsed(good))) == []
    for old, new in (
        ('version="1.1"', 'version="2"'),
        ("<port>465</port>", "<port>none</port>"),
        ("<port>465</port>", ""),
        ("SSL</socketType>", "magic</socketType>"),
        ("OAuth2", "oauth"),
        ("<displayName>", "<displayname>"),
    ):
        assert old in good
        broken = good.replace(old, new).replace(
            "</displayName>", "</displayname>" if "displayname" in new else "</displayName>"
        )
        assert list(faults(parsed(broken))) != [], new


@pytest.mark.parametrize("write", [autoconfig, ispdb])
def test_every_provider_is_written_as_the_schema_asks(write: Callable[..., str]) -> None:
    wrong = {}
    for provider in WITH_SERVERS:
        if write is ispdb and all(each.startswith("*.") for each in provider.domains):
            continue
        region = region_of(provider) if write is autoconfig else {}
        wrong[provider.id] = list(faults(parsed(write(provider, domain=ending_of(provider), incoming=IMAP, **region))))
    assert len(wrong) > 100
    assert {name: found for name, found in wrong.items() if found} == {}


# --- read again ---


@pytest.mark.parametrize("provider", WITH_SERVERS, ids=lambda each: each.id)
def test_what_is_written_says_the_same_when_it_is_read(provider: Provider) -> None:
    ending = ending_of(provider)
    ana = Address("ana", ending or DOMAIN)
    told = region_of(provider)
    mx, region = told.get("mx", ""), told.get("region", "")
    offers = read_offers(autoconfig(provider, domain=ending, mx=mx, region=region).encode("utf-8"), ana)
    near = (each for each in provider.near(ana, [mx] if mx else []) if not each.guess)
    expected = [each.endpoint for each in near if each.region == region][:MOST_SERVERS]
    assert [each.endpoint for each in offers] == expected
    assert offers[0].username == provider.username_for(ana)
    open_ways = {path.auth for path in provider.paths if not path.closed}
    assert ("xoauth2" in offers[0].auth) is (PathAuth.OAUTH2 in open_ways)


def test_a_server_below_the_own_domain_keeps_its_place() -> None:
    provider = CATALOG.get("own-web-host")
    assert provider is not None
    assert f"<hostname>mail.{OWN_DOMAIN}</hostname>" in autoconfig(provider)
    assert "<hostname>mail.shop.example</hostname>" in autoconfig(provider, domain="shop.example")


def test_the_database_has_a_file_for_the_domains_that_share_a_server() -> None:
    zoho = CATALOG.get("zoho")
    assert zoho is not None
    europe = parsed(ispdb(zoho, domain="zoho.eu"))
    assert {each.text for each in europe.iterfind("emailProvider/domain")} >= {"zoho.eu", "zohomail.eu"}
    assert "zoho.com" not in {each.text for each in europe.iterfind("emailProvider/domain")}
    assert {each.findtext("hostname") for each in europe.iter("outgoingServer")} == {"smtp.zoho.eu"}


@pytest.mark.parametrize("provider", WITH_SERVERS, ids=lambda each: each.id)
def test_a_file_of_the_database_names_no_domain_with_other_servers(provider: Provider) -> None:
    """Also no ending of the MX hosts of another region."""
    known = [each for each in provider.domains if not each.startswith("*.")]
    for main in (*known, *provider.mx) if known else ():
        try:
            root = parsed(ispdb(provider, domain=main))
        except InputError:
            continue
        servers = [each.findtext("hostname") for each in root.iter("outgoingServer")]
        for other in {each.text or "" for each in root.iterfind("emailProvider/domain")} - {*known}:
            near = [each for each in provider.offered(Address("a", DOMAIN)) if provider.is_near(each, [f"mx.{other}"])]
            assert [each.endpoint.host for each in near] == servers, (main, other)


def test_an_ending_of_mail_hosts_has_a_file_with_those_of_its_region() -> None:
    ionos = CATALOG.get("ionos")
    assert ionos is not None
    root = parsed(ispdb(ionos, domain="ionos.co.uk"))
    domains = [each.text for each in root.iterfind("emailProvider/domain")]
    assert domains == ["ionos.co.uk", "1and1.co.uk", "oneandone.co.uk"]
    assert {each.findtext("hostname") for each in root.iter("outgoingServer")} == {"smtp.ionos.co.uk"}


@pytest.mark.parametrize("domain", ["", "mydomain.eu"])
def test_the_servers_of_several_regions_do_not_stand_in_one_file(domain: str) -> None:
    zoho = CATALOG.get("zoho")
    assert zoho is not None
    with pytest.raises(InputError, match=r"for each region: say with --mx .*zoho\.com, zoho\.eu"):
        autoconfig(zoho, domain=domain)
    root = parsed(autoconfig(zoho, domain=domain, mx="mx2.zoho.eu"))
    assert {each.findtext("hostname") for each in root.iter("outgoingServer")} == {"smtppro.zoho.eu"}
    with pytest.raises(InputError, match="no MX host of Zoho Mail"):
        autoconfig(zoho, domain=domain, mx="aspmx.l.google.com")


@pytest.mark.parametrize("provider_id", ["mailjet", "godaddy"])
def test_a_provider_without_addresses_of_its_own_has_another_format(provider_id: str) -> None:
    provider = CATALOG.get(provider_id)
    assert provider is not None
    with pytest.raises(InputError, match="has no addresses of its own: use --format autoconfig"):
        ispdb(provider)


def test_signs_of_the_format_in_a_name_are_no_markup() -> None:
    provider = CATALOG.get("att")
    assert provider is not None
    assert "AT&amp;T" in autoconfig(provider)


@pytest.mark.parametrize("provider_id", ["custom", "hey"])
def test_a_provider_without_a_server_is_refused(provider_id: str) -> None:
    provider = CATALOG.get(provider_id)
    assert provider is not None
    with pytest.raises(InputError, match="no server"):
        autoconfig(provider)


def test_the_servers_of_several_endings_do_not_stand_in_one_file() -> None:
    """Mail programs would take the first, whatever the address ends in."""
    each_its_own = [each for each in WITH_SERVERS if ending_of(each)]
    assert len(each_its_own) > 3
    for provider in each_its_own:
        with pytest.raises(InputError, match="give one of its domains"):
            autoconfig(provider)


@pytest.mark.parametrize("domain", ["", "firm.example"])
def test_servers_of_other_endings_are_not_written_for_a_domain_of_one_s_own(domain: str) -> None:
    """Also where own domains are kept there: nobody knows which of the servers is theirs."""
    gmx, aruba = CATALOG.get("gmx"), CATALOG.get("aruba")
    assert gmx is not None
    assert aruba is not None
    with pytest.raises(InputError, match="other servers for each ending"):
        autoconfig(gmx, domain=domain)
    own = parsed(autoconfig(aruba, domain=domain))
    assert {each.findtext("hostname") for each in own.iter("outgoingServer")} == {"smtps.aruba.it"}


def test_the_server_of_an_ending_comes_before_those_for_all() -> None:
    for provider_id, domain, host in (
        ("centurylink", "qwestoffice.net", "smtp.qwestoffice.net"),
        ("aruba", "pec.it", "smtps.pec.aruba.it"),
    ):
        provider = CATALOG.get(provider_id)
        assert provider is not None
        best = provider.best(Address("ana", domain))
        assert best is not None
        assert best.host == host


def test_a_server_that_is_only_guessed_is_no_fact_in_a_file() -> None:
    domeneshop = CATALOG.get("domeneshop")
    assert domeneshop is not None
    with pytest.raises(InputError, match="only guessed"):
        autoconfig(domeneshop, domain="firm.example")
    for provider in WITH_SERVERS:
        guessed = {each.endpoint.host for each in provider.endpoints if each.guess}
        facts = {each.endpoint.host for each in provider.endpoints if not each.guess}
        told = region_of(provider)
        mx, region = told.get("mx", ""), told.get("region", "")
        written = autoconfig(provider, domain=ending_of(provider), mx=mx, region=region)
        assert not {host for host in guessed - facts if f"<hostname>{host}</hostname>" in written}, provider.id


def test_the_file_of_the_database_says_which_endings_it_leaves_out() -> None:
    gmx = CATALOG.get("gmx")
    assert gmx is not None
    others = left_out(gmx, "gmx.com")
    assert {"gmx.de", "gmx.net"} <= set(others)
    assert not {each.text for each in parsed(ispdb(gmx, domain="gmx.com")).iterfind("emailProvider/domain")} & {*others}
    gmail = CATALOG.get("gmail")
    assert gmail is not None
    assert left_out(gmail, "gmail.com") == ()


def test_a_domain_that_is_not_the_provider_s_is_refused() -> None:
    gmail = CATALOG.get("gmail")
    assert gmail is not None
    with pytest.raises(InputError, match="one of its domains"):
        ispdb(gmail, domain="firm.example")


def test_a_name_that_only_the_person_knows_is_left_open() -> None:
    given = next(each for each in WITH_SERVERS if each.username_form is UsernameForm.GIVEN)
    assert "<username>" not in autoconfig(given)
