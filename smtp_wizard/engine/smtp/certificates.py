"""Certificates as a server sends them: read, never believed, and judged for what is plainly wrong with them.

OpenSSL says that it does not believe a certificate, and one reason. What a person must do depends on more: whether the
server forgot to send the certificate between its own and the root, whether the issuer is a virus scanner, which one of
the chain has run out. `read_chain` reads what was sent (RFC 5280), `refined_fault` what that makes of OpenSSL's reason.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator, Sequence
from dataclasses import field
from datetime import datetime
from typing import TYPE_CHECKING, TypeVar

from smtp_wizard.engine.base.shown import NO_WORDS, Shown, phrase, shown
from smtp_wizard.engine.lazy_dataclass import dataclass
from smtp_wizard.engine.smtp.symptom import TlsFault

if TYPE_CHECKING:
    from cryptography import x509

T = TypeVar("T")

MOST_READ = 10
"""Certificates of a chain that are looked at."""
MOST_NAMES = 50
SMALLEST_RSA = 2048
SMALLEST_CURVE = 224
"""Bits; both are worth 112 bits of a symmetric key, the least that NIST SP 800-131A and OpenSSL's level 2 take."""

_WEAK_SIGNATURES = {
    "1.2.840.113549.1.1.2": "MD2",
    "1.2.840.113549.1.1.4": "MD5",
    "1.2.840.113549.1.1.5": "SHA-1",
    "1.2.840.10045.4.1": "SHA-1",
    "1.2.840.10040.4.3": "SHA-1",
    "1.3.14.3.2.29": "SHA-1",
}
"""Algorithms of signatures by object identifier (RFC 3279 section 2.2)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Certificate:
    """One certificate."""

    subject: Shown
    """The common name, or the organisation where there is none."""
    issuer: Shown
    """The same of who signed it."""
    issuer_words: Shown
    """All that the issuer's name says, for patterns."""
    not_before: datetime
    not_after: datetime
    names: tuple[Shown, ...]
    """Subject alternative names: DNS names and IP addresses (RFC 9525)."""
    weakness: Shown
    """'an RSA key of 1024 bits', 'a signature with SHA-1'; empty where nothing is weak."""
    subject_name: bytes = field(repr=False)
    """As it is encoded: what the issuer of the next one down has to equal (RFC 5280 section 6.1.3)."""
    issuer_name: bytes = field(repr=False)

    @property
    def self_issued(self) -> bool:
        """Whether it vouches for itself."""
        return self.subject_name == self.issuer_name


def read_chain(encoded: Sequence[bytes]) -> tuple[Certificate, ...]:
    """Read certificates from DER, the leaf first; without those that cannot be read. Never raises.

    Empty where the leaf itself cannot be read.
    """
    read = [_read(each) for each in encoded[:MOST_READ]]
    return tuple(each for each in read if each is not None) if read and read[0] is not None else ()


def refined_fault(said: TlsFault, chain: Sequence[Certificate], now: datetime) -> TlsFault:
    """Say more exactly what is wrong, given OpenSSL's reason and the chain that was sent."""
    if not chain:
        return said
    match said:
        case TlsFault.UNKNOWN_ISSUER if chain[0].self_issued:
            return TlsFault.SELF_SIGNED
        case TlsFault.UNKNOWN_ISSUER if _ends_at_leaf(chain):
            return TlsFault.CHAIN_INCOMPLETE
        case TlsFault.VERSION if chain[0].weakness:
            return TlsFault.WEAK_KEY
        case TlsFault.CERTIFICATE:
            return next(_plain_faults(chain, now), said)
    return said


def faulty_certificate(fault: TlsFault, chain: Sequence[Certificate], now: datetime) -> Certificate:
    """Return the certificate of a chain that a fault is about: the leaf, where none stands out."""
    return next((each for each in chain if _is_guilty(each, fault, now)), chain[0])


def _is_guilty(certificate: Certificate, fault: TlsFault, now: datetime) -> bool:
    match fault:
        case TlsFault.EXPIRED:
            return certificate.not_after < now
        case TlsFault.NOT_YET_VALID:
            return certificate.not_before > now
        case TlsFault.WEAK_KEY:
            return bool(certificate.weakness)
    return True


def _plain_faults(chain: Sequence[Certificate], now: datetime) -> Iterator[TlsFault]:
    """What can be seen without knowing whom this computer trusts."""
    for fault in (TlsFault.EXPIRED, TlsFault.NOT_YET_VALID, TlsFault.WEAK_KEY):
        if any(_is_guilty(each, fault, now) for each in chain):
            yield fault
    if chain[0].self_issued:
        yield TlsFault.SELF_SIGNED


def _ends_at_leaf(chain: Sequence[Certificate]) -> bool:
    """Whether nothing that was sent signed the leaf."""
    return not any(each.subject_name == chain[0].issuer_name for each in chain[1:])


def _read(encoded: bytes) -> Certificate | None:
    """Read one certificate; None where that is not possible."""
    from cryptography import x509

    # It warns of what it will refuse one day, such as a negative serial number, and would do so all over the screen.
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return _attempted(lambda: _facts(x509.load_der_x509_certificate(encoded)), None)


def _attempted(read: Callable[[], T], otherwise: T) -> T:
    """Read a part of what a stranger encoded; whatever that raises, it is not readable."""
    try:
        return read()
    except Exception:
        return otherwise


def _facts(certificate: x509.Certificate) -> Certificate:
    return Certificate(
        subject=_short_name(certificate.subject),
        issuer=_short_name(certificate.issuer),
        issuer_words=shown(", ".join(str(each.value) for each in certificate.issuer), 500),
        not_before=certificate.not_valid_before_utc,
        not_after=certificate.not_valid_after_utc,
        names=_attempted(lambda: _names(certificate), ()),
        weakness=_weakness(certificate),
        subject_name=certificate.subject.public_bytes(),
        issuer_name=certificate.issuer.public_bytes(),
    )


def _short_name(name: x509.Name) -> Shown:
    from cryptography.x509.oid import NameOID

    for wanted in (NameOID.COMMON_NAME, NameOID.ORGANIZATION_NAME):
        if found := name.get_attributes_for_oid(wanted):
            return shown(str(found[0].value), 100)
    return NO_WORDS


def _names(certificate: x509.Certificate) -> tuple[Shown, ...]:
    from cryptography import x509

    try:
        found = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        return ()
    names = [*found.get_values_for_type(x509.DNSName), *map(str, found.get_values_for_type(x509.IPAddress))]
    return tuple(shown(each, 100) for each in names[:MOST_NAMES])


def _weakness(certificate: x509.Certificate) -> Shown:
    key = _attempted(lambda: _weak_key(certificate), NO_WORDS)
    if key or certificate.subject == certificate.issuer:
        # A self-signed certificate is believed, or not, for other reasons than its own signature.
        return key
    algorithm = _WEAK_SIGNATURES.get(certificate.signature_algorithm_oid.dotted_string)
    return phrase("a signature with {}", shown(algorithm)) if algorithm else NO_WORDS


def _weak_key(certificate: x509.Certificate) -> Shown:
    from cryptography.hazmat.primitives.asymmetric import dsa, ec, rsa

    key = certificate.public_key()
    if isinstance(key, rsa.RSAPublicKey | dsa.DSAPublicKey) and key.key_size < SMALLEST_RSA:
        kind = "an RSA key of {} bits" if isinstance(key, rsa.RSAPublicKey) else "a DSA key of {} bits"
        return phrase(kind, key.key_size)
    if isinstance(key, ec.EllipticCurvePublicKey) and key.curve.key_size < SMALLEST_CURVE:
        return phrase("an elliptic curve key of {} bits", key.curve.key_size)
    return NO_WORDS
