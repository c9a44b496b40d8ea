"""What the catalogue knows of a host, made into the question that a probe answers."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import TYPE_CHECKING

from smtp_wizard.engine.base.endpoint import Endpoint, Security
from smtp_wizard.engine.discovery.server_identity import owner_of
from smtp_wizard.engine.providers.provider import Provider, UsernameForm
from smtp_wizard.engine.scan.ports import ScanRequest, candidates

if TYPE_CHECKING:
    from smtp_wizard.engine.base.address import Address
    from smtp_wizard.engine.base.connection import Family
    from smtp_wizard.engine.providers.catalog import Catalog


def provider_of(catalog: Catalog, host: str) -> Provider | None:
    """Return the first provider in the catalogue whose server this is: what its replies mean is known then.

    Not the practice server: whatever else listens on this computer is none.
    """
    return catalog.at_host(host)


def counted_names(catalog: Catalog, host: str, username: str, address: Address | None) -> tuple[str, ...]:
    """Return the names under which sign-ins to a server are counted: the user name, then what may mean the same to it.

    Where the provider has one word for everybody ('apikey'), the key alone says who signs in: there it is the address
    as well, so that the wrong key of one account does not hold the others back, nor the good one of another make it
    forgotten. Many servers complete a user name without a domain by their own; which that is they do not say, so it
    counts with the domain of the address, or of the server where no address is known.
    """
    provider = provider_of(catalog, host)
    word = provider.username_literal if provider and provider.username_form is UsernameForm.LITERAL else ""
    everybodys = bool(word) and username.strip().casefold() == word.casefold()
    if everybodys:
        return (f"{username}\0{address.wire}" if address is not None else username,)
    bare = username.strip().rpartition("\\")[2]  # of 'FIRM\ana' the part that is the person's
    if not bare or "@" in bare:
        return (username,)
    domain = address.ascii_domain if address is not None else owner_of(host)
    return tuple(dict.fromkeys((username, bare, f"{bare}@{domain}") if domain else (username, bare)))


def scan_request_for(
    catalog: Catalog,
    host: str,
    *,
    port: int | None = None,
    security: Security | None = None,
    family: Family | None = None,
    ehlo_name: str = "",
    ca_file: str | None = None,
) -> ScanRequest:
    """Return what to ask about a host: the ports that its provider's data name, and the usual ones.

    `port`: that one alone, usual or not. `security`: only what is usual in that way, and no other way is tried.
    """
    provider = provider_of(catalog, host)
    known = [each.endpoint for each in provider.endpoints] if provider else []
    recommended = [each.endpoint for each in provider.offered()] if provider else []
    return ScanRequest(
        host=host,
        endpoints=candidates(host, known, security) if port is None else (_at(host, port, known, security),),
        fixed=security is not None,
        recommended=tuple(each for each in recommended if each.host == host),
        family=family,
        ca_file=ca_file,
        ehlo_name=ehlo_name,
        provider=provider.id if provider else None,
    )


def _at(host: str, port: int, known: Iterable[Endpoint], security: Security | None) -> Endpoint:
    """One port of a host, in the way that was said, else in its usual one."""
    usual = {each.port: each.security for each in candidates(host, known)}
    return Endpoint(host, port, security or usual.get(port, Security.STARTTLS))


def scan_request_for_control_host(
    catalog: Catalog, host: str, ports: Collection[int], *, family: Family | None = None, ca_file: str | None = None
) -> ScanRequest:
    """Return what to ask of a neutral host: these ports alone, each in its usual way."""
    whole = scan_request_for(catalog, host, family=family, ca_file=ca_file)
    ways = {each.port: each for each in whole.endpoints}
    wanted = (ways.get(port, Endpoint(host, port, Security.STARTTLS)) for port in ports)
    return ScanRequest(
        host=host,
        endpoints=tuple(wanted),
        family=family,
        ca_file=ca_file,
        provider=whole.provider,
    )
