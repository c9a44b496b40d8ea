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


def autoconfig(
    provider: Provider, *, domain: str = "", mx: str = "", region: str = "", incoming: Endpoint | None = None
) -> str:
    """Return the file that the owner of a domain publishes, whose mailboxes are kept at a provider.

    Without a domain the file fits every one. `mx`: its MX host, which says its region where the provider has several;
    `region`: its name, where no MX host says it. `incoming`: the IMAP server, which the catalogue does not know. Raises
    `InputError` where the provider has no server, and where nobody said which region it is.
    """
    main = domain or OWN_DOMAIN
    if mx and not _of_mail_hosts(provider, mx):
        known = phrase("{}", shown(", ".join(provider.mx))) if provider.mx else phrase("none is known")
        raise InputError(phrase("'{}' is no MX host of {}: {}.", shown(mx), shown(provider.name), known))
    _refuse_other_brands(provider, main)
    if not mx:
        _refuse_regions(provider, main)
    _refuse_unnamed_region(provider, region)
    return _document(provider, main, (main,), _offered(provider, main, mx, region), incoming)


def ispdb(provider: Provider, *, domain: str = "", incoming: Endpoint | None = None) -> str:
    """Return the file for Thunderbird's database: the domains and MX endings that share servers with `domain`.

    `domain` is one of either; without one it is the first domain. Raises `InputError` where the provider has no such
    domain, or no server.
    """
    known = [each for each in provider.domains if not each.startswith("*.")]
    main = domain or next(iter(known), "")
    if not main:
        raise InputError(phrase("'{}' has no addresses of its own: use --format autoconfig.", shown(provider.id)))
    if known and main not in (*known, *provider.mx):
        raise InputError(
            phrase(
                "'{}' is not one of its domains: those of {} are for example {}.",
                shown(main),
                shown(provider.id),
                shown(", ".join(known[:3])),
            )
        )
    at_mail_hosts = main in provider.mx and main not in known
    theirs = _offered(provider, OWN_DOMAIN, main) if at_mail_hosts else _offered(provider, main)
    same = [each for each in known if each == main or _offered(provider, each) == theirs]
    hosts = [each for each in provider.mx if _offered(provider, OWN_DOMAIN, each) == theirs]
    if not known:
        _refuse_regions(provider, main)
    return _document(provider, main, tuple(dict.fromkeys((main, *same, *hosts))), theirs, incoming)


def _document(
    provider: Provider, main: str, domains: Sequence[str], servers: Sequence[Endpoint], incoming: Endpoint | None
) -> str:
    from xml.etree.ElementTree import Element, SubElement, indent, tostring

    if not servers and any(each.guess for each in provider.endpoints):
        why = "The servers of '{}' are only guessed, and would stand in the file as facts: none is written."
        raise InputError(phrase(why, shown(provider.id)))
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
    """Raise `InputError` where the file of a domain would name servers that are for other endings."""
    bound = bool(provider.endpoints) and all(each.domains for each in provider.endpoints)
    if bound and not _is_of(provider, main):
        raise InputError(
            phrase(
                "'{}' has other servers for each ending: give one of its domains, such as {}.",
                shown(provider.id),
                shown(provider.domains[0].replace("*", "yours")),
            )
        )


def _refuse_regions(provider: Provider, main: str) -> None:
    """Raise `InputError` where an account is known in one region only, and the domain does not say in which."""
    if main in provider.domains or main in provider.mx:
        return
    regions = {_offered(provider, main, ending): ending for ending in reversed(provider.mx)}
    endings = [ending for servers, ending in regions.items() if servers]
    if len(endings) > 1:
        raise InputError(
            phrase(
                "'{}' has other servers for each region: say with --mx what the MX host of the domain ends in ({}).",
                shown(provider.id),
                shown(", ".join(reversed(endings)), 300),
            )
        )


def _refuse_unnamed_region(provider: Provider, region: str) -> None:
    """Raise `InputError` where an account is known in one region, and that is not named, or is none of these."""
    known = tuple(dict.fromkeys(each.region for each in provider.endpoints if each.offered and each.region))
    if region in known or not (known or region):
        return
    name, names = shown(provider.id), shown(", ".join(known), 300)
    if not known:
        raise InputError(phrase("'{}' has no regions that are told by name.", name))
    if not region:
        raise InputError(phrase("'{}' has other servers for each region: say with --region which ({}).", name, names))
    raise InputError(phrase("'{}' has no region '{}': it has {}.", name, shown(region, 60), names))


def _is_of(provider: Provider, domain: str) -> bool:
    return any(domain == each or (each[:2] == "*." and domain.endswith(each[1:])) for each in provider.domains)


def left_out(provider: Provider, domain: str = "") -> tuple[str, ...]:
    """Return the domains and MX endings whose servers differ from those of `domain`, as `ispdb` takes it.

    They stand in no file with it: each of them has one of its own.
    """
    known = [each for each in provider.domains if not each.startswith("*.")]
    main = domain or next(iter(known), "")
    at_mail_hosts = main in provider.mx and main not in known
    theirs = _offered(provider, OWN_DOMAIN, main) if at_mail_hosts else _offered(provider, main)
    others = [(each, _offered(provider, each)) for each in known]
    others += [(each, _offered(provider, OWN_DOMAIN, each)) for each in provider.mx if each not in known]
    return tuple(each for each, servers in others if servers and servers != theirs)


def _of_mail_hosts(provider: Provider, mx: str) -> bool:
    return any(mx == ending or mx.endswith(f".{ending}") for ending in provider.mx)


def _offered(provider: Provider, main: str, mx: str = "", region: str = "") -> tuple[Endpoint, ...]:
    """The servers for a domain, best first; below the place for it where they lie below the address's own domain.

    `mx`: the MX host of an own domain, which says its region; `region`: that, by its name.
    """
    found = provider.offered(Address("a", _STAND_IN if main == OWN_DOMAIN else main))
    found = tuple(each for each in found if not each.guess)
    if provider.domains and main in provider.domains:
        found = tuple(each for each in found if not each.mx) or found
    elif mx:
        found = tuple(each for each in found if provider.is_near(each, [mx]))
    return tuple(_with_place(each) for each in found if each.region == region)


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
