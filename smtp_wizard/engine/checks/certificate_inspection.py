"""A second look at a server whose certificate was not believed: a connection that believes nothing and says nothing.

It greets, begins TLS, reads the certificates as they were sent, and leaves. It never signs in.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from contextlib import suppress
from dataclasses import field
from datetime import UTC, datetime

from smtp_wizard.engine.base.endpoint import Endpoint, Security
from smtp_wizard.engine.base.shown import NO_WORDS, Shown, join, phrase
from smtp_wizard.engine.lazy_dataclass import dataclass
from smtp_wizard.engine.smtp import protocol
from smtp_wizard.engine.smtp.certificates import faulty_certificate, refined_fault
from smtp_wizard.engine.smtp.protocol import Command, Dialogue, Reply, SmtpError
from smtp_wizard.engine.smtp.symptom import CLOCKS_DIFFER, TlsFault
from smtp_wizard.engine.smtp.timeouts import listening_timeout
from smtp_wizard.engine.smtp.tls import TlsFacts
from smtp_wizard.engine.smtp.transport import Peer, Stream, Wire
from smtp_wizard.engine.smtp.wire_error import WireError

WORTH_INSPECTING = frozenset(TlsFault) - {TlsFault.CLIENT_CERTIFICATE, TlsFault.OTHER}
"""Faults of which a second look tells more."""


class InspectionFailed(Exception):
    """The server did not let itself be looked at."""


@dataclass(frozen=True, slots=True)
class Inspection:
    """What the second connection saw."""

    tls: TlsFacts
    server_time: datetime | None = None
    """What the server's clock says, where its greeting tells."""


@dataclass(frozen=True, slots=True)
class Insight:
    """What a look makes of a failed handshake."""

    tls: TlsFault
    lacking: str = ""
    """As `Symptom.lacking`."""
    facts: Mapping[str, Shown] = field(default_factory=dict)
    """As `Symptom.facts`."""


async def inspect_certificates(
    wire: Wire, peer: Peer, endpoint: Endpoint, ehlo_name: str, patience: float
) -> Inspection:
    """Connect once more, to the same address, and read the certificates.

    `patience`: seconds that a greeting is waited for where none is needed. Raises `InspectionFailed`.
    """
    try:
        stream = await wire.connect([peer])
        try:
            return await _looked(stream, endpoint, ehlo_name, patience)
        finally:
            stream.close()
    except (WireError, SmtpError) as problem:
        raise InspectionFailed(str(problem)) from None


async def _looked(stream: Stream, endpoint: Endpoint, ehlo_name: str, patience: float) -> Inspection:
    dialogue = Dialogue()
    greeting: Reply | None = None
    if endpoint.security is Security.STARTTLS:
        greeting = await _expected_reply(stream, dialogue, protocol.GREETED)
        introduction = protocol.ehlo(protocol.ehlo_argument(ehlo_name, stream.local_address))
        await _ask(stream, dialogue, introduction, protocol.EHLO_ACCEPTED)
        await _ask(stream, dialogue, protocol.starttls(), protocol.TLS_READY)
        dialogue.receive(stream.read_ready())
        dialogue.restart_under_tls()
    facts = await stream.start_tls(endpoint.host, None)
    with suppress(TimeoutError, InspectionFailed, WireError, SmtpError):
        async with listening_timeout(patience):
            greeting = greeting or await _expected_reply(stream, dialogue, protocol.GREETED)
            await stream.write(dialogue.send(protocol.quit_()))
    return Inspection(facts, greeting_time(greeting.text) if greeting else None)


async def _ask(stream: Stream, dialogue: Dialogue, command: Command, codes: Collection[int]) -> None:
    await stream.write(dialogue.send(command))
    await _expected_reply(stream, dialogue, codes)


async def _expected_reply(stream: Stream, dialogue: Dialogue, codes: Collection[int]) -> Reply:
    while (reply := dialogue.reply()) is None:
        data = await stream.read()
        if not data:
            raise InspectionFailed("the server hung up")
        dialogue.receive(data)
    if reply.code not in codes:
        raise InspectionFailed(reply.shown)
    return reply


_DATE = re.compile(r"\b\d{1,2} [A-Z][a-z]{2} \d{4} \d\d:\d\d:\d\d (?:[+-]\d{4}\b|GMT\b|UTC\b)")


def greeting_time(greeting: str) -> datetime | None:
    """Return the time in a greeting: many servers say theirs, as RFC 5322 section 3.3 writes it."""
    from email.utils import parsedate_to_datetime

    found = _DATE.search(greeting)
    if found is None:
        return None
    try:
        return parsedate_to_datetime(found[0]).astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def refined_by_inspection(said: TlsFault, seen: Inspection, now: datetime) -> Insight:
    """Say more exactly than OpenSSL what is wrong, and fill in what a person has to know about it."""
    chain = seen.tls.chain
    fault = refined_fault(said, chain, now)
    known = {
        "certificate_names": join(", ", seen.tls.names[:5]) or seen.tls.subject,
        "issuer": seen.tls.issuer,
        "tls_version": _OLD_VERSIONS.get(seen.tls.version, NO_WORDS),
        "server_time": _another_day(seen.server_time, now),
    }
    if chain:
        guilty = faulty_certificate(fault, chain, now)
        known |= {
            "issuer": guilty.issuer,
            "issuers": join(", ", (each.issuer_words for each in chain)),
            "not_before": phrase("{:%Y-%m-%d}", guilty.not_before),
            "not_after": phrase("{:%Y-%m-%d}", guilty.not_after),
            "weakness": guilty.weakness,
        }
    unnamed = fault is TlsFault.WRONG_NAME and bool(chain) and not seen.tls.names
    return Insight(fault, "SAN" if unnamed else "", {name: value for name, value in known.items() if value})


_OLD_VERSIONS = {"SSLv3": phrase("SSL 3.0"), "TLSv1": phrase("TLS 1.0"), "TLSv1.1": phrase("TLS 1.1")}
"""As OpenSSL names them, and in words: no longer safe (RFC 7568, RFC 8996)."""


def _another_day(theirs: datetime | None, ours: datetime) -> Shown:
    if theirs is None or abs(theirs - ours) <= CLOCKS_DIFFER:
        return NO_WORDS
    return phrase("{:%Y-%m-%d %H:%M} UTC", theirs)
