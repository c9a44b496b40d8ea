"""DKIM: the public keys that a domain publishes for those who sign its mail (RFC 6376 section 3.6)."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Iterable, Iterator
from enum import StrEnum

from smtp_wizard.engine.domain.dns_lookups import NOT_SAID, Lookups, Texts
from smtp_wizard.engine.lazy_dataclass import dataclass

WEAK_BITS = 1024
"""Shorter keys are not to be believed (RFC 8301 section 3.2)."""
GOOD_BITS = 2048
"""Signers are to use no shorter ones (the same section)."""
ED25519_BITS = 256

TAG = re.compile(r"\s*([a-z][a-z0-9_]*)\s*=\s*([!-~\s]*?)\s*", re.IGNORECASE | re.ASCII)
"""One tag with its value: visible ASCII, and the blanks between (RFC 6376 section 3.2)."""
SELECTOR = re.compile(
    r"(?=.{1,63}$)[a-z0-9](?:[a-z0-9_-]*[a-z0-9])?(?:\.[a-z0-9](?:[a-z0-9_-]*[a-z0-9])?)*", re.IGNORECASE
)
"""What a selector looks like: labels of a name (RFC 6376 section 3.1)."""


class DkimFault(StrEnum):
    """What is wrong with one key."""

    MISSING = "dkim_missing"
    REVOKED = "dkim_revoked"
    """The key is empty, which means that it is taken back (section 3.6.1)."""
    BROKEN = "dkim_broken"
    """It cannot be read as a key."""
    SEVERAL = "dkim_several"
    """More than one record; what a receiver does then is not defined (section 3.6.2.2)."""
    TOO_SHORT = "dkim_too_short"
    SHORT = "dkim_short"
    """It is believed, but longer ones are asked for."""
    TESTING = "dkim_testing"
    """Receivers are told that this is a trial (t=y), and treat the mail as unsigned."""
    QUOTED = "dkim_quoted"
    """It would be a key, but for the quotation marks that were pasted with it."""
    ONLY_SHA1 = "dkim_only_sha1"
    """It allows no hash that anybody signs with today (h=, RFC 8301 section 3.1)."""
    NOT_FOR_MAIL = "dkim_not_for_mail"
    """It is for another service than mail (s=)."""
    UNREACHABLE = "dkim_unreachable"


@dataclass(frozen=True, slots=True, kw_only=True)
class DkimKey:
    """What stands under one selector."""

    selector: str
    name: str
    """Where it was looked for: SELECTOR._domainkey.DOMAIN."""
    record: str = ""
    bits: int | None = None
    faults: tuple[DkimFault, ...] = ()

    @property
    def usable(self) -> bool:
        """Whether receivers believe a signature with it."""
        return bool(self.record) and not set(self.faults) - {DkimFault.SHORT}


def tag_list(record: str) -> list[tuple[str, str]]:
    """Return the tags of a list 'a=1; b=2' with their values (section 3.2), names in lower case."""
    found = (TAG.fullmatch(part) for part in record.split(";"))
    return [(match[1].lower(), match[2]) for match in found if match is not None]


def tags(record: str) -> dict[str, str]:
    """Return the tags of a list by their names; of doubled ones the first."""
    found: dict[str, str] = {}
    for name, value in tag_list(record):
        found.setdefault(name, value)
    return found


def has_doubled_tag(record: str) -> bool:
    """Whether a tag stands there twice: then the whole list is invalid (section 3.2)."""
    names = [name for name, _ in tag_list(record)]
    return len(set(names)) < len(names)


def unquoted(record: str) -> str:
    """Return a record without the quotation marks of a zone file, which a form at a DNS host takes for a part of it."""
    return re.sub(r'"\s*"', "", record).replace('"', "").strip() if '"' in record else record


async def examine_key(domain: str, selector: str, lookups: Lookups) -> DkimKey:
    """Look at the key of a selector. `domain`: in A-labels. Raises nothing."""
    name = f"{selector}._domainkey.{domain}"
    texts = await lookups.texts(name)
    records = [each for each in texts.found if _is_key(each)]
    if not records:
        return DkimKey(selector=selector, name=name, faults=(_why_none(texts),))
    bits = _bits(tags(unquoted(records[0])))
    faults = tuple(_faults(records[0], bits))
    if len(records) > 1:
        faults = (DkimFault.SEVERAL, *faults)
    return DkimKey(selector=selector, name=name, record=records[0], bits=bits, faults=faults)


def _why_none(texts: Texts) -> DkimFault:
    if texts.problem in NOT_SAID:
        return DkimFault.UNREACHABLE
    return DkimFault.MISSING


def _is_key(text: str) -> bool:
    """Whether a text is meant as a key: it says so, or has a key in it (the version may be left out)."""
    found = tags(unquoted(text))
    return found.get("v", "DKIM1") == "DKIM1" and ("p" in found or "v" in found)


def _faults(record: str, bits: int | None) -> Iterator[DkimFault]:
    plain = unquoted(record)
    found = tags(plain)
    if "p" in found and not re.sub(r"\s", "", found["p"]):
        yield DkimFault.REVOKED
        return
    if "y" in _listed(found, "t"):
        yield DkimFault.TESTING
    if (
        bits is None
        or has_doubled_tag(plain)
        or not all(TAG.fullmatch(part) for part in plain.split(";") if part.strip())
    ):
        yield DkimFault.BROKEN
        return
    yield from _restrictions(found)
    if plain != record:
        yield DkimFault.QUOTED
    if bits < WEAK_BITS and bits != ED25519_BITS:
        yield DkimFault.TOO_SHORT
    elif bits < GOOD_BITS and bits != ED25519_BITS:
        yield DkimFault.SHORT


def _restrictions(found: dict[str, str]) -> Iterator[DkimFault]:
    """Tell what the key forbids, so that no signature of mail counts (section 3.6.1)."""
    if "h" in found and "sha256" not in _listed(found, "h"):
        yield DkimFault.ONLY_SHA1
    if "s" in found and not {"*", "email"} & set(_listed(found, "s")):
        yield DkimFault.NOT_FOR_MAIL


def _listed(found: dict[str, str], name: str) -> list[str]:
    return [each.strip().lower() for each in found.get(name, "").split(":")]


def mended_key(record: str, faults: Iterable[DkimFault]) -> str:
    """Return the record of a key that is good but for what can be taken out: quotation marks, 't=y', 'h=', 's='."""
    left_out = {_TAKEN_OUT[each] for each in faults if each in _TAKEN_OUT}
    parts = (part.strip() for part in unquoted(record).split(";"))
    named = ((part, part.partition("=")[0].strip().lower()) for part in parts if TAG.fullmatch(part))
    return "; ".join(part for part, name in named if name not in left_out)


_TAKEN_OUT = {DkimFault.TESTING: "t", DkimFault.ONLY_SHA1: "h", DkimFault.NOT_FOR_MAIL: "s"}


def _bits(found: dict[str, str]) -> int | None:
    """Return the length of a key in bits, None where it cannot be read (RFC 6376 section 3.6.1, RFC 8463)."""
    try:
        raw = base64.b64decode(re.sub(r"\s", "", found.get("p", "")), validate=True)
    except (binascii.Error, ValueError):
        return None
    kind = found.get("k", "rsa").lower()
    if kind == "ed25519":
        return ED25519_BITS if len(raw) == ED25519_BITS // 8 else None
    return _rsa_bits(raw) if kind == "rsa" and raw else None


def _rsa_bits(raw: bytes) -> int | None:
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
    from cryptography.hazmat.primitives.serialization import load_der_public_key

    try:
        key = load_der_public_key(raw)
    except (ValueError, UnsupportedAlgorithm):
        return None
    return key.key_size if isinstance(key, RSAPublicKey) else None
