"""The DMARC record to publish in place of one that receivers do not read, or that names nobody (RFC 9989).

It never asks for more than what stands there does, and loses no address.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from smtp_wizard.engine.domain.dkim import tag_list, unquoted
from smtp_wizard.engine.domain.dmarc import (
    ADDRESS,
    KNOWN,
    READABLE,
    Dmarc,
    DmarcFault,
    Policy,
    is_read,
    parse_policy,
    report_addresses,
)

_COMMA = re.compile(rf",\s*(?=(?:{'|'.join(KNOWN)})\s*=)", re.IGNORECASE)
"""A comma where a semicolon belongs: a tag follows, and no further address of a list."""
_VERSION = re.compile(r"^\s*v\s*=\s*dmarc1", re.IGNORECASE)
_LOOSE_ADDRESS = re.compile(r"(?:^|(?<=[\s,;:]))[^\s@,;:!/<>]{1,64}@[a-z0-9.-]{1,253}(?=$|[\s,;!])", re.IGNORECASE)
"""An address in a list that is not written as one: without 'mailto:', or with a blank between two."""


def mended(dmarc: Dmarc, report_address: str) -> str:
    """Return the record to publish: with the policy that stands there, the mildest of several.

    `report_address`: who gets the reports, where no address that can is named yet. Receivers ignore tags that they do
    not know; ours keeps those that RFC 9989 has, and 'pct', which receivers that follow RFC 7489 still read.
    """
    meant = [_meant(each) for each in dmarc.records]
    found = min(meant, key=_mildness).copy() if meant else {}
    refused = {host for fault, host in dmarc.faults if fault is DmarcFault.NOT_AUTHORIZED}
    named = dict.fromkeys(address for each in meant for address in _addresses(each.get("rua", "")))
    addresses = [each for each in named if each.rpartition("@")[2].lower() not in refused] or [report_address]
    found["p"] = (parse_policy(found.get("p", "")) or Policy.NONE).value
    found["rua"] = ",".join(f"mailto:{each.replace('%', '%25').replace(';', '%3B')}" for each in addresses)
    return "; ".join(["v=DMARC1", *_ordered(found)])


def _meant(record: str) -> dict[str, str]:
    """Return the tags that a record is meant to have; of doubled ones the mildest policy, and all addresses."""
    found: dict[str, str] = {}
    for name, value in tag_list(_COMMA.sub(";", _VERSION.sub("v=DMARC1", unquoted(record)))):
        if not READABLE.fullmatch(value):
            continue
        found[name] = _together(name, found[name], value) if name in found else value
    return found


def _together(name: str, first: str, second: str) -> str:
    return f"{first},{second}" if name in ("rua", "ruf") else min(first, second, key=_rank)


def _addresses(value: str) -> Iterable[str]:
    good, bad = report_addresses(value)
    yield from good
    for part in bad:
        yield from (each for each in _LOOSE_ADDRESS.findall(part) if ADDRESS.fullmatch(each))


def _mildness(found: dict[str, str]) -> int:
    """Order records by what they ask for, the mildest first: no mail is lost by that; those without a policy last."""
    return _rank(found.get("p", ""))


def _rank(value: str) -> int:
    policy = parse_policy(value)
    return len(Policy) if policy is None else list(Policy).index(policy)


def _ordered(found: dict[str, str]) -> Iterator[str]:
    for name in KNOWN:
        if name in found and is_read(name, found[name]):
            yield f"{name}={found[name]}"
