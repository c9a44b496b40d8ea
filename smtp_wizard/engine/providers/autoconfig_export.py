"""A provider of the catalogue as a configuration that mail programs read: Thunderbird's autoconfig format.

Source: draft-ietf-mailmaint-autoconfig-06, sections 3 and 4.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from smtp_wizard.engine.base.address import Address
from smtp_wizard.engine.base.endpoint import Endpoint, Security
from smtp_wizard.engine.base.errors import InputError
from smtp_wizard.engine.base.shown import phrase, shown
from smtp_wizard.engine.providers.provider import CatalogEndpoint, PathAuth, Provider, UsernameForm

if TYPE_CHECKING:
    from xml.etree.ElementTree import Element

_SOCKETS = {Security.TLS: "SSL", Security.STARTTLS: "STARTTLS", Security.NONE: "plain"}
_METHODS = {PathAuth.OAUTH2: "OAuth2", PathAuth.NONE: "none"}
"""What the format calls a way to sign in; every other one is a password."""
_PASSWORD = "password-cleartext"
OWN_DOMAIN = "%EMAILDOMAIN%"
"""The format's place for the domain of the address."""
_STAND_IN = "domain.invalid"
"""The domain that is put into the servers, and replaced by the place for it (RFC 2606)."""


def autoconfig(provider: Provider, *, domain: str = "", incoming: Endpoint | None = None) -> str:
    """Return the file that the owner of a domain publishes, whose mailboxes are kept at a provider.

    Without a domain the file fits every one. `incoming`: the IMAP server, which the catalogue does not know. Raises
    `InputError` where the provider has no server.
    """
    return _document(provider, domain or OWN_DOMAIN, (domain or OWN_DOMAIN,), incoming)


def ispdb(provider: Provider, *, domain: str = "", incoming: Endpoint | None = None) -> str:
    """Return the file for Thunderbird's database: the provider's own domains that share servers with `domain`.

    Without one, with its first. Raises `InputError` where the provider has no such domain, or no server.
    """
    known = [each for each in provider.domains if not each.startswith("*.")]
    main = domain or next(iter(known), "")
    if not main or (known and main not in known):
        raise InputError(
            phrase("'{}' has no addresses of its own ending in that: give one of its domains.", shown(provider.id))
        )
    theirs = _servers(provider, main)
    same = [each for each in known if each == main or _servers(provider, each) == theirs]
    return _document(provider, main, tuple(dict.fromkeys((main, *same, *provider.mx))), incoming)


def _servers(provider: Provider, domain: str) -> tuple[Endpoint, ...]:
    return _offered(provider, domain)


def _document(provider: Provider, main: str, domains: Sequence[str], incoming: Endpoint | None) -> str:
    from xml.etree.ElementTree import Element, SubElement, indent, tostring

    _refuse_other_brands(provider, main)
    servers = _offered(provider, main)
    if not servers:
        raise InputError(phrase("'{}' has no server that is the same for all.", shown(provider.id)))
    root = Element("clientConfig", version="1.1")
    there = SubElement(root, "emailProvider", id=main)
    for each in domains:
        _text(there, "domain", each)
    _text(there, "displayName", provider.name)
    _text(there, "displayShortName", provider.short_name)
    if incoming is not None:
        _server(SubElement(there, "incomingServer", type="imap"), incoming, provider)
    for endpoint in servers:
        _server(SubElement(there, "outgoingServer", type="smtp"), endpoint, provider)
    for url, title in _pages(provider):
        page = SubElement(there, "documentation", url=url)
        words = SubElement(page, "descr", lang="en")
        words.text = title
    indent(root, "  ")
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{tostring(root, "unicode")}\n'


def _refuse_other_brands(provider: Provider, main: str) -> None:
    """Raise `InputError` where a file for every domain would name servers that are for one ending each.

    Where own domains are kept at the provider as well, any of them may be theirs.
    """
    if main == OWN_DOMAIN and not provider.mx and provider.endpoints and all(e.domains for e in provider.endpoints):
        raise InputError(
            phrase(
                "'{}' has other servers for each ending: give one of its domains, such as {}.",
                shown(provider.id),
                shown(provider.domains[0].replace("*", "yours")),
            )
        )


def _offered(provider: Provider, main: str) -> tuple[Endpoint, ...]:
    """The servers for a domain, best first; below the place for it where they lie below the address's own domain."""
    found = provider.offered(Address("a", _STAND_IN if main == OWN_DOMAIN else main))
    own = provider.domains and main in provider.domains
    for_own_domains = [each for each in found if not (own and each.mx)]
    return tuple(_with_place(each) for each in for_own_domains or found)


def _with_place(offer: CatalogEndpoint) -> Endpoint:
    endpoint = offer.endpoint
    host = endpoint.host.removesuffix(_STAND_IN)
    if host == endpoint.host:
        return endpoint
    return Endpoint(f"{host}{OWN_DOMAIN}", endpoint.port, endpoint.security)


def _server(element: Element, endpoint: Endpoint, provider: Provider) -> None:
    _text(element, "hostname", endpoint.host)
    _text(element, "port", str(endpoint.port))
    _text(element, "socketType", _SOCKETS[endpoint.security])
    if name := _username(provider):
        _text(element, "username", name)
    for method in _methods(provider):
        _text(element, "authentication", method)


def _username(provider: Provider) -> str:
    match provider.username_form:
        case UsernameForm.LOCAL_PART:
            return "%EMAILLOCALPART%"
        case UsernameForm.LITERAL:
            return provider.username_literal
        case UsernameForm.FULL_ADDRESS:
            return "%EMAILADDRESS%"
        case UsernameForm.GIVEN:
            return ""  # nobody but the person knows it


def _methods(provider: Provider) -> Iterator[str]:
    """The ways in that are open, best first, each once."""
    open_ways = [path.auth for path in provider.paths if not path.closed] or [PathAuth.PASSWORD]
    yield from dict.fromkeys(_METHODS.get(way, _PASSWORD) for way in open_ways)


def _pages(provider: Provider) -> Iterator[tuple[str, str]]:
    """The provider's own pages that the servers were read on."""
    used = dict.fromkeys(each.source for each in provider.endpoints if each.source)
    for source_id in used:
        source = provider.source(source_id)
        if source is not None and source.url and source.kind.value == "official":
            yield source.url, source.title


def _text(parent: Element, tag: str, text: str) -> None:
    from xml.etree.ElementTree import SubElement

    SubElement(parent, tag).text = text
