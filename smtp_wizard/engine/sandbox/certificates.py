"""The certificates of the practice server, and the authority that vouches for it and for nothing else.

<folder>/ca.pem          the certificate to trust, for this server alone
<folder>/authority.pem   the same with its key; it can vouch for loopback names only, and is installed nowhere
"""

from __future__ import annotations

import ssl
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from smtp_wizard.engine.sandbox.mailbox import open_mailbox
from smtp_wizard.engine.sandbox.scenarios import CertificateKind

if TYPE_CHECKING:
    import trustme
    from cryptography import x509

LEAF_NAMES = ("localhost", "127.0.0.1", "::1")
OTHER_NAMES = ("another-server.localhost",)
"""Of the certificate with the wrong name: the authority can vouch for nothing that is not on this computer."""
_LIFE = timedelta(days=3650)
_RENEW_BEFORE = timedelta(days=60)
_LEAF_LIFE = timedelta(days=30)
_SKEW = timedelta(days=1)
"""The clock of a virtual machine may have been set back since."""
_LOCK_SECONDS = 10
_LARGEST_PEM = 64 * 1024


def ca_file(folder: Path) -> Path:
    """Return where the authority's certificate is, once the server has started."""
    return folder / "ca.pem"


def prepare(folder: Path, certificate: CertificateKind) -> ssl.SSLContext:
    """Make sure of the folder, the mailbox and the authority; return the server's side of TLS. Raises `OSError`."""
    import filelock

    from smtp_wizard.engine.base.private_files import lock_of

    with filelock.FileLock(lock_of(folder / "authority.pem"), timeout=_LOCK_SECONDS, mode=0o600):
        open_mailbox(folder)
        authority = _authority(folder, datetime.now(UTC))
    return _server_context(folder, authority, certificate, datetime.now(UTC))


def _authority(folder: Path, now: datetime) -> trustme.CA:
    """Return the folder's certificate authority; make a new one where there is none, or none that will last."""
    import trustme
    from cryptography import x509

    from smtp_wizard.engine.base.private_files import read_private, write_private

    kept = folder / "authority.pem"
    with suppress(FileNotFoundError, ValueError):
        pem = read_private(kept, _LARGEST_PEM)
        found = x509.load_pem_x509_certificate(pem)
        if found.not_valid_before_utc <= now < found.not_valid_after_utc - _RENEW_BEFORE:
            authority = trustme.CA.from_pem(pem, pem)
            if _authority_to_trust(folder) != authority.cert_pem.bytes():
                write_private(ca_file(folder), authority.cert_pem.bytes())
            return authority
    certificate, key = new_authority(now)
    write_private(kept, key + certificate)
    write_private(ca_file(folder), certificate)
    return trustme.CA.from_pem(certificate, key)


def _authority_to_trust(folder: Path) -> bytes:
    """Return the certificate that clients are told to trust; nothing where it is not there. Raises `OSError`."""
    from smtp_wizard.engine.base.private_files import read_private

    try:
        return read_private(ca_file(folder), _LARGEST_PEM)
    except FileNotFoundError:
        return b""


def new_authority(now: datetime) -> tuple[bytes, bytes]:
    """Return certificate and key of a new authority, which can vouch for loopback only (RFC 5280 section 4.2.1.10)."""
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec
    from cryptography.x509.oid import NameOID

    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "smtp-wizard practice server, this computer only")])
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - _SKEW)
        .not_valid_after(now + _LIFE)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(_signs_certificates(), critical=True)
        .add_extension(_loopback_only(), critical=True)
        .sign(key, hashes.SHA256())
    )
    secret = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    return certificate.public_bytes(serialization.Encoding.PEM), secret


def _signs_certificates() -> x509.KeyUsage:
    from cryptography import x509

    return x509.KeyUsage(
        digital_signature=False,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=True,
        crl_sign=False,
        encipher_only=False,
        decipher_only=False,
    )


def _loopback_only() -> x509.NameConstraints:
    """So that the authority's key is worthless to anybody who gets hold of it."""
    from ipaddress import ip_network

    from cryptography import x509

    permitted = [x509.DNSName("localhost"), *(x509.IPAddress(ip_network(n)) for n in ("127.0.0.0/8", "::1/128"))]
    return x509.NameConstraints(permitted_subtrees=permitted, excluded_subtrees=None)


def _server_context(folder: Path, authority: trustme.CA, certificate: CertificateKind, now: datetime) -> ssl.SSLContext:
    """Issue a certificate for loopback, as the scenario wants it; return the server's side of TLS."""
    issued = now - 2 * _LEAF_LIFE if certificate is CertificateKind.EXPIRED else now - _SKEW
    names = OTHER_NAMES if certificate is CertificateKind.WRONG_NAME else LEAF_NAMES
    leaf = authority.issue_cert(
        *names, organization_name="smtp-wizard practice server", not_before=issued, not_after=issued + _LEAF_LIFE
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)  # `create_default_context` would heed SSLKEYLOGFILE
    # OpenSSL loads keys from files only; this one is private, and gone at once.
    with leaf.private_key_and_cert_chain_pem.tempfile(dir=str(folder)) as pem:
        context.load_cert_chain(pem)
    return context
