"""Asking the DNS for what a domain publishes: texts, mail hosts, addresses, who answers for it. Each question once."""

from __future__ import annotations

import asyncio
import ipaddress
from collections.abc import Awaitable, Callable
from typing import Any

from smtp_wizard.engine.base.shown import Shown, shown
from smtp_wizard.engine.discovery.dns import DnsProblem, MxLookup, Resolver, ask, look_up_addresses, look_up_mx
from smtp_wizard.engine.lazy_dataclass import dataclass

MOST_TEXTS = 50
"""TXT records of one name that are looked at."""
LONGEST_TEXT = 4096
"""Characters of one that are kept; a DKIM key of 4096 bits has 740."""
MOST_QUESTIONS = 200
"""Asked about one domain in all, whatever its records lead to."""
MOST_HOSTS = 10
"""Mail hosts whose addresses are asked for: as many as SPF allows (RFC 7208 section 4.6.4)."""


NOT_SAID = frozenset({DnsProblem.SERVER_FAILED, DnsProblem.SILENT, DnsProblem.NO_NETWORK})
"""The DNS did not say whether there is a record: that is no fault of the domain, and nothing follows from it."""


@dataclass(frozen=True, slots=True)
class Texts:
    """The TXT records of a name, each put together from its parts, or why there are none."""

    found: tuple[str, ...] = ()
    problem: DnsProblem | None = None


class Lookups:
    """What was asked about one domain; the same question is asked once."""

    def __init__(self, resolver: Resolver) -> None:
        """`resolver`: whom to ask."""
        self._resolver = resolver
        self._asked: dict[tuple[str, str], asyncio.Future[Any]] = {}

    async def texts(self, name: str) -> Texts:
        """Return the TXT records of a name (RFC 1035 section 3.3.14). Raises nothing."""
        nothing = Texts(problem=DnsProblem.SILENT)
        found: Texts = await self._once("TXT", name, lambda: _texts(name, self._resolver), nothing)
        return found

    async def mx(self, domain: str) -> MxLookup:
        """Return who takes the mail of a domain. Raises nothing."""
        nothing = MxLookup(problem=DnsProblem.SILENT)
        found: MxLookup = await self._once("MX", domain, lambda: look_up_mx(domain, self._resolver), nothing)
        return found

    async def addresses(self, name: str) -> tuple[str, ...]:
        """Return the addresses of a name, none where the DNS names or says none. Raises nothing."""
        answer = await self.addresses_or_problem(name)
        return answer if isinstance(answer, tuple) else ()

    async def addresses_or_problem(self, name: str) -> tuple[str, ...] | DnsProblem:
        """As `addresses`, with the reason."""
        work = self._once("A", name, lambda: look_up_addresses(name, self._resolver), DnsProblem.SILENT)
        found: tuple[str, ...] | DnsProblem = await work
        return found

    async def mail_host_addresses(self, domain: str) -> tuple[str, ...] | DnsProblem:
        """Return the addresses of the hosts that take the mail of a domain, or why none is known. Raises nothing."""
        mx = await self.mx(domain)
        if mx.problem is not None:
            return mx.problem
        answers = await asyncio.gather(*(self.addresses_or_problem(host) for host in mx.hosts))
        found = tuple(dict.fromkeys(each for answer in answers if isinstance(answer, tuple) for each in answer))
        unsaid = next((each for each in answers if each in NOT_SAID), None)
        # Of some hosts alone nothing can be concluded: the sender that is looked for may be another one.
        return unsaid if isinstance(unsaid, DnsProblem) else found

    async def name_servers(self, domain: str) -> tuple[Shown, ...]:
        """Return the hosts that answer for a domain, or for the one above it that is a zone of its own."""
        for name in _upwards(domain):
            found = await self._ask(name, "NS")
            if found in NOT_SAID:
                return ()  # it may be a zone of its own
            if not isinstance(found, DnsProblem):
                hosts = (each.target.to_text(omit_final_dot=True).lower() for each in list(found)[:MOST_HOSTS])
                return tuple(sorted(shown(host, 253) for host in hosts))
        return ()

    async def names_of(self, address: str) -> tuple[Shown, ...] | DnsProblem:
        """Return the names that an IP address has in the DNS (PTR, RFC 1035 section 3.3.12), or why none is known."""
        name = ipaddress.ip_address(address).reverse_pointer
        found = await self._ask(name, "PTR")
        if isinstance(found, DnsProblem):
            return found
        return tuple(shown(each.target.to_text(omit_final_dot=True).lower(), 253) for each in list(found)[:MOST_HOSTS])

    async def is_alias(self, name: str) -> bool:
        """Whether a name is another name for something (CNAME), as no mail host may be (RFC 5321 section 5.1)."""
        return bool(await self.alias_target(name))

    async def alias_target(self, name: str) -> str:
        """Return what a name is another name for (CNAME, RFC 1034 section 3.6.2); '' where it is none, or not said."""
        found = await self._ask(name, "CNAME")
        return "" if isinstance(found, DnsProblem) else found[0].target.to_text(omit_final_dot=True).lower()

    async def _ask(self, name: str, kind: str) -> Any:
        return await self._once(kind, name, lambda: ask(name, kind, self._resolver), DnsProblem.SILENT)

    async def _once(self, kind: str, name: str, begin: Callable[[], Awaitable[Any]], beyond: Any) -> Any:
        """Ask, or wait for who asked already. `beyond`: the answer where far too much was asked."""
        known = self._asked.get((kind, name))
        if known is None:
            if len(self._asked) >= MOST_QUESTIONS:
                return beyond
            known = self._asked[kind, name] = asyncio.ensure_future(begin())
        return await asyncio.shield(known)


def _upwards(domain: str) -> list[str]:
    """Return the domain and those above it, but for the one that has no dot."""
    labels = domain.split(".")
    return [".".join(labels[number:]) for number in range(max(1, len(labels) - 1))]


async def _texts(name: str, resolver: Resolver) -> Texts:
    answer = await ask(name, "TXT", resolver)
    if isinstance(answer, DnsProblem):
        return Texts(problem=answer)
    # Among many proofs of ownership the records that are looked for may stand anywhere.
    parts = sorted(
        (b"".join(each.strings) for each in answer), key=lambda part: not part[:7].lower().startswith(_KINDS)
    )
    return Texts(tuple(part.decode("utf-8", "backslashreplace")[:LONGEST_TEXT] for part in parts[:MOST_TEXTS]))


_KINDS = (b"v=spf1", b"v=dmarc", b"v=dkim1", b"v=stsv1", b"v=tlsrp")
"""How the records that are looked for begin."""
