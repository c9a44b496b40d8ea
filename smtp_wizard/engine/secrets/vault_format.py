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
from dataclasses import replace
from typing import Annotated, Final, Literal, NoReturn

from smtp_wizard.engine.base.records import VERBATIM, AsText, read_record, write_record
from smtp_wizard.engine.base.secret import Secret
from smtp_wizard.engine.base.strict_json import JsonError, read_json
from smtp_wizard.engine.lazy_dataclass import dataclass

FILE_SCHEMA: Final = "smtp-wizard/vault-file/1"
VERSION: Final = 1
LARGEST = 8 * 1024 * 1024
"""Bytes of a vault at most."""
MOST_MEMORY = 256 * 1024 * 1024
"""Bytes that opening a vault may take. What a file asks for is checked before any of it is taken."""

_SALT, _NONCE, _KEY = 16, 12, 32
_BLOCK = 512
"""The blob's length is a multiple of this, so that it does not tell the length of a password."""


class DamagedVault(Exception):
    """The file is not as this program wrote it. The text says in a few words what is wrong, never what stands there."""


class NewerVault(Exception):
    """A newer version of the program wrote the file."""


class WrongKey(Exception):
    """The passphrase is another one."""


@dataclass(frozen=True, slots=True)
class Cost:
    """How dear one guess at a passphrase is (RFC 7914 section 2).

    The usual one takes 32 MiB, three times over. OWASP's 'Password Storage Cheat Sheet' names it beside 128 MiB once
    (`n=2**17, p=1`) as of equal strength; on a small computer it leaves memory to the checks.
    """

    n: int = 2**15
    r: int = 8
    p: int = 3

    @property
    def memory(self) -> int:
        """Bytes that one derivation takes."""
        return 128 * self.r * (self.n + self.p)

    @property
    def bearable(self) -> bool:
        """Whether the numbers are such as scrypt allows, and take no more memory and time than we give."""
        powers = {2**exponent for exponent in range(1, 21)}
        return self.n in powers and 1 <= self.r <= 32 and 1 <= self.p <= 16 and self.memory * self.p <= MOST_MEMORY


def _encoded(raw: bytes) -> str:
    return base64.b64encode(raw).decode("ascii")


def _decoded(text: str) -> bytes:
    raw = base64.b64decode(text, validate=True)
    if _encoded(raw) != text:
        raise ValueError("another spelling")
    return raw


_Bytes = Annotated[bytes, AsText(_decoded, _encoded, "Base64 text")]


@dataclass(frozen=True, slots=True)
class Header:
    """What stands in clear in a vault's file."""

    version: Literal[1]
    kdf: Literal["scrypt"]
    cipher: Literal["chacha20-poly1305"]
    n: int
    r: int
    p: int
    salt: _Bytes
    nonce: _Bytes

    @property
    def cost(self) -> Cost:
        """How dear a guess is at this vault."""
        return Cost(self.n, self.r, self.p)

    def spelt(self) -> bytes:
        """Return it in the one spelling that is sealed with the blob."""
        return json.dumps(write_record(self), sort_keys=True, separators=(",", ":")).encode("ascii")


@dataclass(frozen=True, slots=True)
class Sealed:
    """A vault's file, closed."""

    schema: Literal["smtp-wizard/vault-file/1"]
    header: Header
    ciphertext: _Bytes
    checksum: str

    def sum(self) -> str:
        """Return what its checksum should be."""
        return hashlib.sha256(self.header.spelt() + b"\n" + self.ciphertext).hexdigest()


@dataclass(frozen=True, slots=True)
class _Blob:
    """What is sealed."""

    entries: Mapping[Annotated[str, VERBATIM], Annotated[str, VERBATIM]]


@dataclass(frozen=True, slots=True, repr=False)
class Key:
    """The key of one vault, for as long as its passphrase is not changed."""

    value: bytes
    salt: bytes
    cost: Cost

    def fits(self, sealed: Sealed) -> bool:
        """Whether the file still has the passphrase that this key was made of, as far as can be seen from outside."""
        return (self.salt, self.cost) == (sealed.header.salt, sealed.header.cost)

    def __repr__(self) -> str:
        return "Key(********)"

    def __reduce__(self) -> NoReturn:
        raise TypeError("a key is not written anywhere")


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

    blob = json.dumps(write_record(_Blob(entries)), ensure_ascii=True, sort_keys=True).encode("ascii")
    blob += b" " * (-len(blob) % _BLOCK)
    nonce, cost = os.urandom(_NONCE), key.cost
    header = Header(VERSION, "scrypt", "chacha20-poly1305", cost.n, cost.r, cost.p, key.salt, nonce)
    sealed = Sealed(FILE_SCHEMA, header, ChaCha20Poly1305(key.value).encrypt(nonce, blob, header.spelt()), "")
    document = write_record(replace(sealed, checksum=sealed.sum()))
    return (json.dumps(document, indent=1) + "\n").encode("ascii")


def read(data: bytes) -> Sealed:
    """Take a file apart. Raises `DamagedVault`, `NewerVault`. Nothing dear is done for what cannot be right."""
    if len(data) > LARGEST:
        raise DamagedVault("it is far too long")
    try:
        document = read_json(data)
        if _version(document) > VERSION:
            raise NewerVault
        sealed = read_record(Sealed, document)
    except JsonError as problem:
        raise DamagedVault(str(problem)) from None
    if (len(sealed.header.salt), len(sealed.header.nonce)) != (_SALT, _NONCE):
        raise DamagedVault("its header is not whole")
    if not sealed.header.cost.bearable:
        raise DamagedVault("it asks for more memory than a vault may take")
    if sealed.checksum != sealed.sum():
        raise DamagedVault("its checksum is wrong")
    return sealed


def _version(document: object) -> int:
    """Return which version of the program's vaults this is, 0 where it does not say."""
    header = document.get("header") if isinstance(document, dict) else None
    version = header.get("version") if isinstance(header, dict) else None
    return version if type(version) is int else 0


def unseal(sealed: Sealed, key: Key) -> dict[str, str]:
    """Return the entries. Raises `WrongKey`, and `DamagedVault` for what this program has not sealed."""
    from cryptography.exceptions import InvalidTag
    from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305

    try:
        blob = ChaCha20Poly1305(key.value).decrypt(sealed.header.nonce, sealed.ciphertext, sealed.header.spelt())
    except InvalidTag:
        raise WrongKey from None
    entries = _entries(blob)
    if entries is None:
        raise DamagedVault("what is sealed in it is no list of secrets")
    return entries


def _entries(blob: bytes) -> dict[str, str] | None:
    """Return the entries of a blob, None where it has none. The error for that ends here: it has the blob in it."""
    try:
        return dict(read_record(_Blob, read_json(blob)).entries)
    except JsonError:
        return None
