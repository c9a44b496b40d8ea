"""A DNS server on a loopback port: UDP and TCP, a zone written as text, and faults by name."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from contextlib import suppress
from enum import StrEnum
from typing import Any, NamedTuple, Self

import dns.flags
import dns.message
import dns.name
import dns.rcode
import dns.rdatatype
import dns.rrset
import dns.zonefile

from smtp_wizard.engine.discovery.dns import Resolver

TRIES = 50
"""Ports that are tried, until one is free for both."""


class DnsFault(StrEnum):
    """What is wrong with the answers about a name."""

    DROP = "drop"
    SERVFAIL = "servfail"
    REFUSED = "refused"
    TRUNCATE = "truncate"
    """Over UDP only a note that the answer is too long: the client must come back over TCP."""


class Asked(NamedTuple):
    """One question that came in."""

    transport: str
    name: str
    type: str


class DnsServer:
    """Answers from `zone` (lines such as 'example.com. 60 IN MX 10 mail.example.com.'); use it as `async with`."""

    def __init__(self, zone: str, faults: Mapping[str, DnsFault] | None = None) -> None:
        self._records: dict[tuple[dns.name.Name, dns.rdatatype.RdataType], dns.rrset.RRset] = {
            (rrset.name, rrset.rdtype): rrset for rrset in dns.zonefile.read_rrsets(zone, rdclass=None)
        }
        self._faults = dict(faults or {})
        self.queries: list[Asked] = []
        """Every question, in the order in which it came: a test can see what was told to whom."""
        self.port = 0

    @property
    def resolver(self) -> Resolver:
        """What makes the product ask this server and no other."""
        return Resolver(nameservers=("127.0.0.1",), port=self.port)

    async def __aenter__(self) -> Self:
        for _ in range(TRIES):
            self._tcp = await asyncio.start_server(self._serve_tcp, "127.0.0.1", 0)
            self.port = self._tcp.sockets[0].getsockname()[1]
            if await self._has_udp():
                return self
            self._tcp.close()
            await self._tcp.wait_closed()
        raise AssertionError("no port is free for both UDP and TCP")

    async def _has_udp(self) -> bool:
        """Listen at the same number; False where somebody else, such as a question to another server, has it."""
        loop = asyncio.get_running_loop()
        try:
            self._udp, _ = await loop.create_datagram_endpoint(lambda: _Udp(self), local_addr=("127.0.0.1", self.port))
        except OSError:
            return False
        return True

    async def __aexit__(self, *_: object) -> None:
        self._udp.close()
        self._tcp.close()
        await self._tcp.wait_closed()

    async def _serve_tcp(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(asyncio.IncompleteReadError, ConnectionError):
            while True:
                size = int.from_bytes(await reader.readexactly(2), "big")
                reply = self.reply(await reader.readexactly(size), "tcp")
                if reply is not None:
                    writer.write(len(reply).to_bytes(2, "big") + reply)
                    await writer.drain()
        writer.close()

    def reply(self, wire: bytes, transport: str) -> bytes | None:
        """Answer one question; None: it is left unanswered."""
        query = dns.message.from_wire(wire)
        question = query.question[0]
        name = question.name.to_text(omit_final_dot=True).lower()
        self.queries.append(Asked(transport, name, dns.rdatatype.to_text(question.rdtype)))
        fault = self._faults.get(name)
        if fault is DnsFault.DROP:
            return None
        response = dns.message.make_response(query)
        response.flags |= dns.flags.RA
        self._fill(response, question, fault, transport)
        return response.to_wire()

    def _fill(self, response: dns.message.Message, question: Any, fault: DnsFault | None, transport: str) -> None:
        if fault is DnsFault.SERVFAIL or fault is DnsFault.REFUSED:
            response.set_rcode(dns.rcode.from_text(fault.value))
        elif fault is DnsFault.TRUNCATE and transport == "udp":
            response.flags |= dns.flags.TC
        elif (question.name, question.rdtype) in self._records:
            response.answer.append(self._records[question.name, question.rdtype])
        elif (question.name, dns.rdatatype.CNAME) in self._records:
            self._follow(response, question)
        elif not any(name == question.name for name, _ in self._records):
            self._wildcard(response, question)

    def _follow(self, response: dns.message.Message, question: Any) -> None:
        """Answer with the names that a name stands for, and what the last of them has (RFC 1034 section 3.6.2)."""
        name = question.name
        while (alias := self._records.get((name, dns.rdatatype.CNAME))) is not None and alias not in response.answer:
            response.answer.append(alias)
            name = alias[0].target
        if (name, question.rdtype) in self._records:
            response.answer.append(self._records[name, question.rdtype])

    def _wildcard(self, response: dns.message.Message, question: Any) -> None:
        """Answer for a name that stands nowhere, as a record for '*' above it says (RFC 4592)."""
        star = dns.name.from_text("*", origin=question.name.parent())
        if not any(name == star for name, _ in self._records):
            response.set_rcode(dns.rcode.NXDOMAIN)
        elif (star, question.rdtype) in self._records:
            found = self._records[star, question.rdtype]
            response.answer.append(dns.rrset.from_rdata_list(question.name, found.ttl, list(found)))


class _Udp(asyncio.DatagramProtocol):
    def __init__(self, server: DnsServer) -> None:
        self._server = server
        self._transport: asyncio.DatagramTransport | None = None

    def connection_made(self, transport: Any) -> None:
        self._transport = transport

    def datagram_received(self, data: bytes, addr: tuple[str | Any, int]) -> None:
        reply = self._server.reply(data, "udp")
        if reply is not None and self._transport is not None:
            self._transport.sendto(reply, addr)
