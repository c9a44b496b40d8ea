"""The vault's file: every secret in one encrypted blob, under a key made of a passphrase. No reading or writing here.

scrypt (RFC 7914) makes the key, ChaCha20-Poly1305 (RFC 8439) seals the blob, and the header in clear is its associated
data. A checksum in clear tells a damaged file from a wrong passphrase, which the seal alone cannot.
"""

from __future__ import annotations

import base64
import hashlib
import json
import os
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NoReturn

from smtp_wizard.engine.base.secret import Secret

FILE_SCHEMA = "smtp-wizard/vault-file/1"
VERSION = 1
LARGEST = 8 * 1024 * 1024
"""Bytes of a vault at most."""
MOST_MEMORY = 256 * 1024 * 1024
"""Bytes that opening a vault may take. What a file asks for is checked before any of it is taken."""

_SALT, _NONCE, _KEY = 16, 12, 32
_BLOCK = 512
"""The blob's length is a multiple of this, so that it does not tell the length of a password."""


class Damaged(Exception):
    """The file is not as this program wrote it. The text says in a few words what is wrong, never what stands there."""


class Newer(Exception):
    """A newer version of the program wrote the file."""


class WrongKey(Exception):
    """The passphrase is another one."""


@dataclass(frozen=True, slots=True)
class Cost:
    """How dear one guess at a passphrase is (RFC 7914 section 2)."""

    n: int = 2**17
    r: int = 8
    p: int = 1

    @property
    def memory(self) -> int:
        """Bytes that one derivation takes."""
        return 128 * self.r * (self.n + self.p)

    @property
    def bearable(self) -> bool:
        """Whether the numbers are such as scrypt allows, and take no more memory and time than we give."""
        powers = {2**exponent for exponent in range(1, 21)}
        return self.n in powers and 1 <= self.r <= 32 and 1 <= self.p <= 16 and self.memory * self.p <= MOST_MEMORY


@dataclass(frozen=True, slots=True)
class Sealed:
    """A vault's file as it was read, closed."""

    cost: Cost
    salt: bytes
    nonce: bytes
    ciphertext: bytes


@dataclass(frozen=True, slots=True, repr=False)
class Key:
    """The key of one vault, for as long as its passphrase is not changed."""

    value: bytes
    salt: bytes
    cost: Cost

    def fits(self, sealed: Sealed) -> bool:
        """Whether the file still has the passphrase that this key was made of, as far as can be seen from outside."""
        return (self.salt, self.cost) == (sealed.salt, sealed.cost)

    def __repr__(self) -> str:
        return "Key(********)"


def make_key(passphrase: Secret, salt: bytes, cost: Cost) -> Key:
    """Derive the key; takes `cost.memory` bytes and, with the usual cost, half a second."""
    from cryptography.hazmat.primitives.kdf.scrypt import Scrypt

    # Typed on another keyboard, an accent may come as a character of its own.
    text = unicodedata.normalize("NFC", passphrase.reveal()).encode("utf-8", "surrogatepass")
    return Key(Scrypt(salt=salt, length=_KEY, n=cost.n, r=cost.r, p=cost.p).derive(text), salt, cost)


def new_key(passphrase: Secret, cost: Cost) -> Key:
    """Derive a key for a new vault."""
    return make_key(passphrase, os.urandom(_SALT), cost)


def seal(entries: Mapping[str, str], key: Key) -> bytes:
    """Return the file that holds these entries."""
    from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305

    blob = json.dumps({"entries": dict(entries)}, ensure_ascii=True, sort_keys=True).encode("ascii")
    blob += b" " * (-len(blob) % _BLOCK)
    nonce = os.urandom(_NONCE)
    header = _header(key.cost, key.salt, nonce)
    ciphertext = ChaCha20Poly1305(key.value).encrypt(nonce, blob, _written(header))
    document = {
        "schema": FILE_SCHEMA,
        "header": header,
        "ciphertext": _text(ciphertext),
        "checksum": _checksum(header, ciphertext),
    }
    return (json.dumps(document, indent=1) + "\n").encode("ascii")


def read(data: bytes) -> Sealed:
    """Take a file apart. Raises `Damaged`, `Newer`. Nothing dear is done for what cannot be right."""
    if len(data) > LARGEST:
        raise Damaged("it is far too long")
    try:
        document = json.loads(data.decode("ascii"))
    except (ValueError, RecursionError):
        raise Damaged("it is not complete JSON text") from None
    fields = _exactly(document, {"schema", "header", "ciphertext", "checksum"})
    header = fields["header"]
    if isinstance(header, dict) and _number(header.get("version")) > VERSION:
        raise Newer
    header = _exactly(header, {"version", "kdf", "cipher", "n", "r", "p", "salt", "nonce"})
    cost = Cost(_number(header["n"]), _number(header["r"]), _number(header["p"]))
    salt, nonce, ciphertext = _raw(header["salt"]), _raw(header["nonce"]), _raw(fields["ciphertext"])
    if header != _header(cost, salt, nonce) or fields["schema"] != FILE_SCHEMA:
        raise Damaged("it does not say that it is a vault")
    if (len(salt), len(nonce)) != (_SALT, _NONCE):
        raise Damaged("its header is not whole")
    if not cost.bearable:
        raise Damaged("it asks for more memory than a vault may take")
    if fields["checksum"] != _checksum(header, ciphertext):
        raise Damaged("its checksum is wrong")
    return Sealed(cost, salt, nonce, ciphertext)


def unseal(sealed: Sealed, key: Key) -> dict[str, str]:
    """Return the entries. Raises `WrongKey`, and `Damaged` for a blob that was sealed by something else than this."""
    from cryptography.exceptions import InvalidTag
    from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305

    header = _written(_header(sealed.cost, sealed.salt, sealed.nonce))
    try:
        blob = ChaCha20Poly1305(key.value).decrypt(sealed.nonce, sealed.ciphertext, header)
    except InvalidTag:
        raise WrongKey from None
    entries = _entries(blob)
    if entries is None:
        raise Damaged("what is sealed in it is no list of secrets")
    return entries


def _entries(blob: bytes) -> dict[str, str] | None:
    """Return the entries of a blob, None where it has none. The error for that ends here: it has the blob in it."""
    try:
        entries = json.loads(blob)["entries"]
    except (ValueError, KeyError, TypeError, RecursionError):
        return None
    good = isinstance(entries, dict) and all(isinstance(value, str) for value in entries.values())
    return entries if good else None


def _header(cost: Cost, salt: bytes, nonce: bytes) -> dict[str, Any]:
    return {
        "version": VERSION,
        "kdf": "scrypt",
        "cipher": "chacha20-poly1305",
        "n": cost.n,
        "r": cost.r,
        "p": cost.p,
        "salt": _text(salt),
        "nonce": _text(nonce),
    }


def _written(header: Mapping[str, Any]) -> bytes:
    """The header in the one spelling that is sealed with the blob."""
    return json.dumps(header, sort_keys=True, separators=(",", ":")).encode("ascii")


def _checksum(header: Mapping[str, Any], ciphertext: bytes) -> str:
    return hashlib.sha256(_written(header) + b"\n" + ciphertext).hexdigest()


def _text(raw: bytes) -> str:
    return base64.b64encode(raw).decode("ascii")


def _raw(value: object) -> bytes:
    try:
        return base64.b64decode(value, validate=True) if isinstance(value, str) else _damaged()
    except ValueError:
        return _damaged()


def _number(value: object) -> int:
    return value if isinstance(value, int) and not isinstance(value, bool) else _damaged()


def _exactly(value: object, keys: set[str]) -> dict[str, Any]:
    return value if isinstance(value, dict) and set(value) == keys else _damaged()


def _damaged() -> NoReturn:
    raise Damaged("a part of it is missing or odd") from None
