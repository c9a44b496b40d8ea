"""DKIM keys for tests, each length made once."""

from __future__ import annotations

import base64
from functools import cache

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat


@cache
def key_record(bits: int) -> str:
    """Return the record of a fresh RSA key, or of an Ed25519 key for 256 bits."""
    if bits == 256:
        raw = Ed25519PrivateKey.generate().public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
        return f"v=DKIM1; k=ed25519; p={base64.b64encode(raw).decode()}"
    public = generate_private_key(65537, bits).public_key()
    return (
        f"v=DKIM1; p={base64.b64encode(public.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)).decode()}"
    )
