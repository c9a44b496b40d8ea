"""Settings that a domain, or a public list, publishes on the web: Thunderbird's autoconfig format.

Addresses to ask, and what the answers mean. An address of a person never stands in a URL. Source:
draft-ietf-mailmaint-autoconfig-06.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, Literal

from smtp_wizard.engine.base.address import Address
from smtp_wizard.engine.base.data_files import data_path
from smtp_wizard.engine.base.endpoint import Endpoint, HostError, PortError, Security, parse_host, parse_port
from smtp_wizard.engine.base.shown import shown
from smtp_wizard.engine.base.strict_yaml import Node, YamlDocument
from smtp_wizard.engine.lazy_dataclass import dataclass

LONGEST_USERNAME = 320
"""Characters, as many as an address has (RFC 3696, erratum 1690)."""
MOST_SERVERS = 8
"""Servers of one answer that are looked at."""
_SOCKETS = {"ssl": Security.TLS, "tls": Security.TLS, "starttls": Security.STARTTLS, "plain": Security.NONE}
_METHODS = {
    "password-cleartext": "password",
    "plain": "password",
    "password-encrypted": "password",
    "secure": "password",
    "oauth2": "xoauth2",
    "none": "none",
    "client-ip-address": "none",
}
"""What the format calls a way to sign in, and what this product calls it."""


class AutoconfigError(ValueError):
    """An answer is not what the format asks for. The text says what is wrong, in a few words."""


@dataclass(frozen=True, slots=True)
class PublishedServer:
    """One server that was published."""

    endpoint: Endpoint
    username: str
    """Filled in for the address; empty where the format names none."""
    auth: tuple[str, ...]
    """'password', 'xoauth2', 'none'; in the order of the answer."""


@dataclass(frozen=True, slots=True)
class Database:
    """A public list that can be asked for the settings of a domain."""

    id: str
    name: str
    url: str
    """With {domain} where the domain goes."""
    learns: str
    """What its keeper learns by being asked."""

    def address(self, domain: str) -> str:
        """Return the URL to ask for a domain, given in A-labels."""
        return self.url.replace("{domain}", domain)


def own_addresses(domain: str, *, plain: bool = False) -> tuple[str, ...]:
    """Return the URLs under which a domain publishes settings itself (section 4.2), most usual first.

    `plain` gives those without encryption: for a person who said yes to that.
    """
    scheme = "http" if plain else "https"
    return (
        f"{scheme}://autoconfig.{domain}/mail/config-v1.1.xml",
        f"{scheme}://{domain}/.well-known/autoconfig/mail/config-v1.1.xml",
    )


def load_database() -> Database:
    """Return the public list that the product knows. Raises `DataError`."""
    return YamlDocument(data_path("discovery.yaml")).root.read(_read)


def _read(root: Node) -> Database:
    if root.whole("schema") != 2:
        raise root.error("schema", "must be 2")
    for part in ("filters", "traces"):
        root.children(part)  # they are read elsewhere
    found = [node.read(_read_database) for node in root.children("databases")]
    if len(found) != 1:
        raise root.error("databases", "must hold one")
    return found[0]


def _read_database(node: Node) -> Database:
    node.text("source")
    node.date("as_of")
    database = Database(node.text("id"), node.text("name"), node.text("url"), node.text("learns"))
    if not database.url.startswith("https://") or "{domain}" not in database.url:
        raise node.error("url", "must begin with https:// and hold {domain}")
    return database


ServerKind = Literal["smtp", "imap"]
"""What a server is for: sending, or reading."""


def read_offers(document: bytes, address: Address, *, kind: ServerKind = "smtp") -> tuple[PublishedServer, ...]:
    """Read the servers of a configuration, in its order; those that make no sense are left out.

    `kind`: the outgoing servers, or those for reading by IMAP. Raises `AutoconfigError` where it is no such
    configuration, or names no such server.
    """
    import xml.etree.ElementTree as ElementTree

    import defusedxml
    import defusedxml.ElementTree

    try:
        root = defusedxml.ElementTree.fromstring(document, forbid_dtd=True)
    except (ElementTree.ParseError, defusedxml.DefusedXmlException, ValueError, LookupError, RecursionError):
        raise AutoconfigError("the answer is no XML that can be read") from None
    if root.tag != "clientConfig":
        raise AutoconfigError("the answer is not a mail configuration")
    offers = tuple(_offers(root, address, kind))
    if not offers:
        direction = "outgoing" if kind == "smtp" else "incoming"
        raise AutoconfigError(f"the answer names no {direction} server that can be used")
    return offers


def _offers(root: Any, address: Address, kind: ServerKind) -> Iterator[PublishedServer]:
    if kind == "smtp":
        named = [each for each in root.iterfind("emailProvider/outgoingServer") if each.get("type", "smtp") == kind]
    else:
        named = [each for each in root.iterfind("emailProvider/incomingServer") if each.get("type") == kind]
    for server in named[:MOST_SERVERS]:
        try:
            host = parse_host(_host(_text(server, "hostname"), address))
            endpoint = Endpoint(host, parse_port(_text(server, "port")), _SOCKETS[_text(server, "socketType").lower()])
        except (HostError, PortError, KeyError):
            continue
        methods = [_METHODS.get((each.text or "").strip().lower()) for each in server.iterfind("authentication")]
        auth = tuple(dict.fromkeys(each for each in methods if each))
        username = _username(_text(server, "username"), address)
        # It is signed in with: cut, or with a character made visible, it would be another one.
        usable = shown(username, LONGEST_USERNAME) == username
        yield PublishedServer(endpoint, username if usable else "", auth or ("password",))


def _text(element: Any, name: str) -> str:
    found = element.find(name)
    return str(found.text or "").strip() if found is not None else ""


_PLACE = re.compile(r"%[A-Z]+%")


def _host(text: str, address: Address) -> str:
    """Put the domain where the format has a place for it (section 3.3); other places stay, and make it no host.

    The name is looked up: with the part before the @ in it, the DNS would learn whose address this is.
    """
    return text.replace("%EMAILDOMAIN%", address.ascii_domain)


def _username(text: str, address: Address) -> str:
    """Put the parts of the address where the format has a place for them; '' where another place stays open."""
    parts = {"%EMAILADDRESS%": address.wire, "%EMAILLOCALPART%": address.local, "%EMAILDOMAIN%": address.ascii_domain}
    if any(place not in parts for place in _PLACE.findall(text)):
        return ""
    return _PLACE.sub(lambda place: parts[place[0]], text)
