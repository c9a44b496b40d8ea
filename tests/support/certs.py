"""Certificates for the servers that tests start: a throw-away authority, and what can be wrong with a certificate."""

from __future__ import annotations

import ssl
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import trustme


@dataclass(frozen=True, slots=True)
class CertificateFiles:
    """A certificate with its key, as servers want them: two PEM files."""

    chain: Path
    """The certificate, then the intermediate ones."""
    key: Path

    def context(self) -> ssl.SSLContext:
        """Return what a server made in Python needs to present this certificate."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.chain, self.key)
        return context


class Authority:
    """A certificate authority that nobody trusts but who is given `file`."""

    def __init__(self, folder: Path, name: str = "Throw-Away Authority") -> None:
        """Make the authority's key and write its certificate into `folder`, which is made if it is missing."""
        folder.mkdir(parents=True, exist_ok=True)
        self._folder = folder
        self._ca = trustme.CA(organization_name=name)
        self._issued = 0
        self.file = folder / "ca.pem"
        self._ca.cert_pem.write_to_path(self.file)

    def issue(self, *names: str, common_name: str | None = None, not_after: datetime | None = None) -> CertificateFiles:
        """Issue a certificate for host names and addresses; with none it has only a CN, which RFC 9525 refuses."""
        leaf = self._ca.issue_cert(*names, common_name=common_name, not_after=not_after)
        self._issued += 1
        files = CertificateFiles(self._folder / f"{self._issued}.pem", self._folder / f"{self._issued}.key")
        for number, blob in enumerate(leaf.cert_chain_pems):
            blob.write_to_path(files.chain, append=number > 0)
        leaf.private_key_pem.write_to_path(files.key)
        files.key.chmod(0o600)
        return files


def self_signed(folder: Path, name: str) -> CertificateFiles:
    """Write a certificate that vouches for itself, as appliances ship them."""
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=30))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
        .sign(key, hashes.SHA256())
    )
    folder.mkdir(parents=True, exist_ok=True)
    files = CertificateFiles(folder / f"{name}.self-signed.pem", folder / f"{name}.self-signed.key")
    files.chain.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    files.key.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    files.key.chmod(0o600)
    return files
