"""TLS: the contexts of all connections, whose certificates are believed, and what a handshake showed or failed of.

Every fault of OpenSSL is translated here into `WireError`.
"""

from __future__ import annotations

import functools
import os
import re
import ssl
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from smtp_wizard.engine.base.file_ownership import refuse_other_writers
from smtp_wizard.engine.base.private_files import refuse_no_file
from smtp_wizard.engine.base.shown import NO_WORDS, Shown, phrase, shown
from smtp_wizard.engine.lazy_dataclass import dataclass
from smtp_wizard.engine.smtp.certificates import MOST_NAMES, Certificate, read_chain
from smtp_wizard.engine.smtp.symptom import Fault, TlsFault
from smtp_wizard.engine.smtp.wire_error import WireError


@dataclass(frozen=True, slots=True)
class Trust:
    """Whose certificates are believed: the system's trust store, and a CA file beside it, or that file alone."""

    ca_file: str | None = None
    only: bool = False
    """Believe the CA file alone, so that it and the system's store never vouch for each other's endpoints."""


@dataclass(frozen=True, slots=True)
class TlsFacts:
    """What a handshake showed."""

    version: Shown
    """As OpenSSL names it: 'TLSv1.3'."""
    cipher: Shown
    subject: Shown = NO_WORDS
    issuer: Shown = NO_WORDS
    not_before: datetime | None = None
    not_after: datetime | None = None
    names: tuple[Shown, ...] = ()
    """Subject alternative names: DNS names and IP addresses (RFC 9525)."""
    chain: tuple[Certificate, ...] = ()
    """The certificates as they were sent, the server's own first. Read only where none is believed."""


_LARGEST_CA_FILE = 16 * 1024 * 1024
"""Bytes of a file of trusted certificates; the largest lists that systems ship have half a million."""


@functools.cache
def verifying_context(trust: Trust) -> ssl.SSLContext:
    """Make, once for each trust, a context that verifies: chain, name by SAN alone (RFC 9525 section 6.3), TLS 1.2 up.

    Raises `WireError` (tls-failed) for a CA file that is none. SSL_CERT_FILE is honoured, SSLKEYLOGFILE is not.
    """
    try:
        # OpenSSL would read a pipe or a device to an end that never comes.
        usual = os.environ.get("SSL_CERT_FILE", "")
        if usual and Path(usual).exists():
            refuse_no_file(Path(usual), _LARGEST_CA_FILE)
        if not trust.only and sys.platform in ("darwin", "win32"):
            import truststore

            context: ssl.SSLContext = truststore.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        else:
            # Not by `create_default_context`: it writes the keys of every connection, and so each password, into the
            # file that SSLKEYLOGFILE names; and from Python 3.13 it is strict by the letter of RFC 5280, and refuses
            # companies' own authorities that every mail program believes.
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
            context.hostname_checks_common_name = False
            if not trust.only:
                context.load_default_certs()
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        context.options |= ssl.OP_NO_RENEGOTIATION
        if trust.ca_file:
            # Anybody who may change it could vouch for a server of their own, and passwords would go there.
            refuse_other_writers(Path(trust.ca_file))
            refuse_no_file(Path(trust.ca_file), _LARGEST_CA_FILE)
            context.load_verify_locations(trust.ca_file)
    except (OSError, ssl.SSLError) as problem:
        # At the end: a long name may be cut, and the reason must not be.
        unread = not isinstance(problem, ssl.SSLError)
        why = shown(problem.strerror or "", 80) if unread else phrase("no certificate is in it")
        words = phrase("the file of trusted certificates cannot be used ({})", why)
        if trust.ca_file:
            words = phrase("{}: {}", words, shown(trust.ca_file, 200))
        raise WireError(Fault.TLS_FAILED, words, TlsFault.OTHER) from None
    return context


@functools.cache
def unverified_context() -> ssl.SSLContext:
    """A context for looking at a certificate, however old the server. Nothing secret is ever sent over it."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    context.minimum_version = ssl.TLSVersion.MINIMUM_SUPPORTED
    context.set_ciphers("ALL:!aNULL:@SECLEVEL=0")
    context.options |= ssl.OP_NO_RENEGOTIATION
    return context


# X509_V_ERR_* of OpenSSL, x509_vfy.h.
_VERIFY_CODES = {
    9: TlsFault.NOT_YET_VALID,
    10: TlsFault.EXPIRED,
    18: TlsFault.SELF_SIGNED,
    19: TlsFault.UNKNOWN_ISSUER,
    2: TlsFault.UNKNOWN_ISSUER,
    20: TlsFault.UNKNOWN_ISSUER,
    21: TlsFault.UNKNOWN_ISSUER,
    62: TlsFault.WRONG_NAME,
    63: TlsFault.WRONG_NAME,
    64: TlsFault.WRONG_NAME,
    66: TlsFault.WEAK_KEY,
    67: TlsFault.WEAK_KEY,
    68: TlsFault.WEAK_KEY,
}


def certificate_fault(problem: ssl.SSLCertVerificationError) -> WireError:
    """Return what was wrong with a certificate that OpenSSL did not believe."""
    why = _VERIFY_CODES.get(problem.verify_code, TlsFault.CERTIFICATE)
    return WireError(Fault.TLS_FAILED, shown(problem.verify_message or str(problem)), why)


_VERSION_REASONS = re.compile(r"VERSION|UNSUPPORTED_PROTOCOL|NO_PROTOCOLS|HANDSHAKE_FAILURE|NO_SHARED_CIPHER|TOO_SMALL")


def handshake_fault(problem: ssl.SSLError, seen: bytes) -> WireError:
    """Tell a server that greets in clear text from one that speaks TLS we do not, or wants to know who we are."""
    begin = seen[:64].decode("utf-8", "replace")
    if re.match(r"[2-5][0-9]{2}[ -]", begin):
        return WireError(Fault.SPEAKS_PLAIN, shown(begin, 100))
    if isinstance(problem, ssl.SSLEOFError) or not seen:
        return WireError(Fault.CLOSED, phrase("the connection was closed during the TLS handshake"))
    if seen[0] not in (0x15, 0x16):
        return WireError(Fault.OTHER_PROTOCOL, shown(begin, 100))
    if "ALERT" in (problem.reason or "") and _asks_for_certificate(seen):
        why = TlsFault.CLIENT_CERTIFICATE
    elif _VERSION_REASONS.search(problem.reason or ""):
        why = TlsFault.VERSION
    else:
        why = alert_about_us(problem)
    return WireError(Fault.TLS_FAILED, openssl_words(problem), why)


_ABOUT_OUR_CERTIFICATE = re.compile(r"ALERT_(BAD_|NO_|UNSUPPORTED_)?CERTIFICATE")


def alert_about_us(problem: ssl.SSLError) -> TlsFault:
    """What an alert of the server says of us: we show no certificate, so one about it means that one is wanted.

    From TLS 1.3 on it comes after the handshake (RFC 8446 section 4.4.2.4), where an answer is waited for.
    """
    about = _ABOUT_OUR_CERTIFICATE.search(problem.reason or "")
    return TlsFault.CLIENT_CERTIFICATE if about else TlsFault.OTHER


_HANDSHAKE_RECORD = 0x16
_CERTIFICATE_REQUEST = 13


def _asks_for_certificate(seen: bytes) -> bool:
    """Whether the server's part of a handshake holds a CertificateRequest (RFC 5246 sections 6.2.1 and 7.4).

    Up to TLS 1.2 it is legible, and nothing else tells a handshake that failed for want of our certificate from one
    that failed for want of a cipher in common.
    """
    messages = bytearray()
    at = 0
    while at + 5 <= len(seen) and seen[at] == _HANDSHAKE_RECORD:
        size = int.from_bytes(seen[at + 3 : at + 5])
        messages += seen[at + 5 : at + 5 + size]
        at += 5 + size
    at = 0
    while at + 4 <= len(messages):
        if messages[at] == _CERTIFICATE_REQUEST:
            return True
        at += 4 + int.from_bytes(messages[at + 1 : at + 4])
    return False


def openssl_words(problem: ssl.SSLError) -> Shown:
    """Return what OpenSSL says of a fault, in words."""
    return shown((problem.reason or str(problem)).replace("_", " ").lower())


_Believed = tuple[Shown, Shown, datetime | None, datetime | None, tuple[Shown, ...]]
"""What is shown of a certificate that OpenSSL has verified: see the fields of `TlsFacts`."""
_KNOWN_AT_MOST = 500
_known: dict[bytes, _Believed] = {}
"""What is shown of the certificates that were verified last: a thousand accounts may be on one server."""


def tls_facts(tls: ssl.SSLObject) -> TlsFacts:
    """What a handshake showed."""
    sent = tls.getpeercert(binary_form=True) or b""
    # OpenSSL tells nothing of what it has not verified itself, and its word is not taken from an earlier handshake.
    verified = tls.context.verify_mode is ssl.CERT_REQUIRED
    believed = (_known.get(sent) or _believed(tls, sent)) if verified else None
    version, cipher = _agreed(tls)
    return TlsFacts(version, cipher, *believed) if believed is not None else _facts_as_sent(tls)


def _believed(tls: ssl.SSLObject, sent: bytes) -> _Believed | None:
    """Read the certificate that was verified, and remember what is shown of it; None where none was."""
    seen: Any = tls.getpeercert()
    if not seen:
        return None
    if len(_known) >= _KNOWN_AT_MOST:
        _known.clear()
    names = tuple(shown(value, 100) for _, value in seen.get("subjectAltName", ())[:MOST_NAMES])
    subject, issuer = (_distinguished(seen.get(whose, ())) for whose in ("subject", "issuer"))
    _known[sent] = subject, issuer, _when(seen.get("notBefore")), _when(seen.get("notAfter")), names
    return _known[sent]


def _facts_as_sent(tls: ssl.SSLObject) -> TlsFacts:
    """The same of certificates that OpenSSL has not verified: it gives their bytes alone."""
    chain = read_chain(_sent(tls))
    if not chain:
        return TlsFacts(*_agreed(tls))
    own = chain[0]
    return TlsFacts(*_agreed(tls), own.subject, own.issuer, own.not_before, own.not_after, own.names, chain)


def _agreed(tls: ssl.SSLObject) -> tuple[Shown, Shown]:
    """Version and cipher."""
    cipher = tls.cipher()
    return shown(tls.version() or "TLS"), shown(cipher[0]) if cipher else NO_WORDS


def _sent(tls: ssl.SSLObject) -> list[bytes]:
    """The certificates as they were sent, in DER."""
    if sys.version_info >= (3, 13):
        sent = list(tls.get_unverified_chain())
    else:
        opaque: Any = tls
        found = opaque._sslobj.get_unverified_chain() or ()
        sent = [ssl.PEM_cert_to_DER_cert(each.public_bytes()) for each in found]
    return sent


def _distinguished(rdns: Any) -> Shown:
    parts = {key: value for rdn in rdns for key, value in rdn}
    return shown(str(parts.get("commonName") or parts.get("organizationName") or ""), 100)


_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


def _when(text: str | None) -> datetime | None:
    """Read a time as OpenSSL writes it: 'Jan  5 09:34:43 2018 GMT'. `ssl` would load `strptime` for that."""
    if not text:
        return None
    month, day, clock, year, _ = text.split()
    hour, minute, second = map(int, clock.split(":"))
    return datetime(int(year), _MONTHS.index(month) + 1, int(day), hour, minute, second, tzinfo=UTC)
