"""Who takes a domain's mail, and the names of a server of one's own (RFC 5321 section 5.1, RFC 7505, RFC 8461)."""

from __future__ import annotations

import asyncio
import ipaddress
import re
from enum import StrEnum

from smtp_wizard.engine.base.shown import Shown, shown
from smtp_wizard.engine.discovery.dns import DnsProblem, MxLookup
from smtp_wizard.engine.domain.dns_lookups import MOST_HOSTS, NOT_SAID, Lookups
from smtp_wizard.engine.lazy_dataclass import dataclass


class MxFault(StrEnum):
    """What is wrong with how a domain takes mail."""

    MISSING = "mx_missing"
    """Nothing is said: servers try the domain's own address (RFC 5321 section 5.1)."""
    NULL = "mx_null"
    """The domain says that it takes no mail: bounces and answers reach nobody (RFC 7505)."""
    NO_ADDRESS = "mx_no_address"
    ALIAS = "mx_alias"
    """A host is another name for something else, which RFC 2181 section 10.3 forbids."""
    IS_ADDRESS = "mx_is_address"
    """An IP address stands where a name belongs."""
    NO_SUCH_DOMAIN = "domain_missing"
    UNREACHABLE = "dns_unreachable"


class ServerFault(StrEnum):
    """What is wrong with the names of a server that sends."""

    NO_ADDRESS = "server_no_address"
    NO_NAME = "server_no_reverse_name"
    """An address of it has no name in the DNS."""
    OTHER_NAME = "server_reverse_name_differs"
    """It has one, which does not lead back to the address."""
    UNREACHABLE = "server_unreachable"
    """The DNS did not say."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MailHosts:
    """Who takes a domain's mail, and what it says about encryption on the way in."""

    hosts: tuple[Shown, ...] = ()
    faults: tuple[tuple[MxFault, str], ...] = ()
    mta_sts: bool = False
    """Whether senders are told to insist on encryption (RFC 8461 section 3.1)."""
    tls_reports: bool = False
    """Whether reports about encryption are asked for (RFC 8460 section 3)."""
    policies_said: bool = True
    """Whether the DNS said of both whether they are there."""


async def examine_mail_hosts(domain: str, lookups: Lookups) -> MailHosts:
    """Look at who takes a domain's mail. `domain`: in A-labels. Raises nothing."""
    mx, sts, reports = await asyncio.gather(
        lookups.mx(domain), lookups.texts(f"_mta-sts.{domain}"), lookups.texts(f"_smtp._tls.{domain}")
    )
    faults = await _faults(domain, mx, lookups)
    return MailHosts(
        hosts=tuple(shown(host, 253) for host in mx.hosts),
        faults=tuple(faults),
        mta_sts=any(re.match(r"v=STSv1\s*;", each) for each in sts.found),
        tls_reports=any(re.match(r"v=TLSRPTv1\s*;", each) for each in reports.found),
        policies_said=not {sts.problem, reports.problem} & NOT_SAID,
    )


_WITHOUT_HOSTS = {
    DnsProblem.NO_MX: MxFault.MISSING,
    DnsProblem.NO_MAIL: MxFault.NULL,
    DnsProblem.NO_SUCH_DOMAIN: MxFault.NO_SUCH_DOMAIN,
}


async def _faults(domain: str, mx: MxLookup, lookups: Lookups) -> list[tuple[MxFault, str]]:
    if mx.problem is not None:
        return [(_WITHOUT_HOSTS.get(mx.problem, MxFault.UNREACHABLE), domain)]
    judged = await asyncio.gather(*(_host_fault(host, lookups) for host in mx.hosts[:MOST_HOSTS]))
    return [(fault, host) for fault, host in zip(judged, mx.hosts, strict=False) if fault is not None]


async def _host_fault(host: str, lookups: Lookups) -> MxFault | None:
    if is_address(host):
        return MxFault.IS_ADDRESS
    found, alias = await asyncio.gather(lookups.addresses_or_problem(host), lookups.is_alias(host))
    if alias:
        return MxFault.ALIAS
    return MxFault.NO_ADDRESS if found in (DnsProblem.NO_MX, DnsProblem.NO_SUCH_DOMAIN) else None


def is_address(host: str) -> bool:
    """Whether a host is an IP address."""
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


async def examine_server_names(server: str, lookups: Lookups) -> tuple[tuple[ServerFault, str], ...]:
    """Look whether each address of a server has a name that leads back to it (RFC 1912 section 2.1).

    `server`: its name, in A-labels. Returns each fault with the address it is about, the server's name for the first.
    """
    addresses = await lookups.addresses_or_problem(server)
    if not isinstance(addresses, tuple) or not addresses:
        return ((ServerFault.UNREACHABLE if addresses in NOT_SAID else ServerFault.NO_ADDRESS, server),)
    judged = await asyncio.gather(*(_address_fault(each, lookups) for each in addresses[:MOST_HOSTS]))
    return tuple((fault, address) for fault, address in zip(judged, addresses, strict=False) if fault is not None)


async def _address_fault(address: str, lookups: Lookups) -> ServerFault | None:
    names = await lookups.names_of(address)
    if not isinstance(names, tuple) or not names:
        return ServerFault.UNREACHABLE if names in NOT_SAID else ServerFault.NO_NAME
    led_to = await asyncio.gather(*(lookups.addresses_or_problem(name) for name in names))
    wanted = ipaddress.ip_address(address)
    if any(ipaddress.ip_address(each) == wanted for found in led_to if isinstance(found, tuple) for each in found):
        return None
    return ServerFault.UNREACHABLE if any(found in NOT_SAID for found in led_to) else ServerFault.OTHER_NAME
