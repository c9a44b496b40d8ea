"""DMARC: what a domain asks of receivers where mail in its name proves nothing (RFC 9989)."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterator, Mapping, Sequence
from enum import StrEnum
from urllib.parse import unquote

from smtp_wizard.engine.discovery.dns import DnsProblem
from smtp_wizard.engine.discovery.server_identity import owner_of
from smtp_wizard.engine.domain.dkim import has_doubled_tag, tags
from smtp_wizard.engine.domain.dns_lookups import NOT_SAID, Lookups, Texts
from smtp_wizard.engine.lazy_dataclass import dataclass

ALL = 100
MOST_LABELS = 8
"""A longer name is shortened to seven labels after the first question (RFC 9989 section 4.10)."""
ADDRESS = re.compile(r"(?:(?![@,!])[!-~]){1,64}@(?:(?![@,!])[!-~]){1,253}")
READABLE = re.compile(r"[ -~\t]*")
"""The characters of a record (section 4.8). What has others in it is never proposed."""


class Policy(StrEnum):
    """What is asked for mail that proves nothing."""

    NONE = "none"
    """Let it through; reports only."""
    QUARANTINE = "quarantine"
    REJECT = "reject"


class DmarcFault(StrEnum):
    """What is wrong with a domain's DMARC."""

    MISSING = "dmarc_missing"
    SEVERAL = "dmarc_several"
    """More than one record: none counts (section 4.7)."""
    BROKEN = "dmarc_broken"
    """A record that receivers do not read: its version is not first, or its policy cannot be read."""
    NO_REPORTS = "dmarc_no_reports"
    """Nobody is told what happens: the record names no address."""
    BAD_REPORT_ADDRESS = "dmarc_bad_report_address"
    NOT_AUTHORIZED = "dmarc_reports_not_authorized"
    """Another domain is to get the reports, and has not said that it wants them (RFC 9990 section 4)."""
    WATCHING = "dmarc_watching"
    """The policy is 'none', or the record is marked as a trial."""
    NOT_READ = "dmarc_part_not_read"
    """A part says what no receiver knows: it counts as not written, a policy as 'none' (section 4.7)."""
    PERCENT = "dmarc_percent"
    """'pct' asks for it for a part of the messages: older receivers follow it (RFC 7489 section 6.3), others do not."""
    UNREACHABLE = "dmarc_unreachable"


@dataclass(frozen=True, slots=True, kw_only=True)
class Dmarc:
    """The record that counts for a domain."""

    domain: str
    """The domain that was asked about."""
    found_at: str = ""
    """The domain that has the record: this one or one above it; '' where none has."""
    organization: str = ""
    """The domain that names are compared by where alignment is relaxed (section 4.10.2)."""
    records: tuple[str, ...] = ()
    policy: Policy | None = None
    """For mail of the domain itself."""
    strict_spf: bool = False
    strict_dkim: bool = False
    on_trial: bool = False
    """Whether the record is marked so: receivers are asked to do nothing yet (section 4.7, 't')."""
    percent: int = 100
    """Of how many messages in a hundred older receivers refuse what proves nothing (RFC 7489 section 6.3)."""
    reports_to: tuple[str, ...] = ()
    """Addresses for the daily reports."""
    faults: tuple[tuple[DmarcFault, str], ...] = ()
    """Each with what it is about."""

    @property
    def record(self) -> str:
        """The record, '' where there is none or more than one."""
        return self.records[0] if len(self.records) == 1 else ""

    @property
    def enforced(self) -> bool:
        """Whether receivers are asked to refuse mail that proves nothing, or to file it as junk."""
        return self.policy in (Policy.QUARANTINE, Policy.REJECT) and not self.on_trial

    def aligned(self, other: str, *, strict: bool) -> bool:
        """Whether a domain counts as the same one as the sender's (section 4.4)."""
        if strict:
            return other.lower() == self.domain
        return bool(owner_of(other)) and owner_of(other) == owner_of(self.domain)


async def examine_dmarc(domain: str, lookups: Lookups) -> Dmarc:
    """Find the record that counts for a domain, by the walk up the tree (RFC 9989 section 4.10). Raises nothing.

    `domain`: in A-labels.
    """
    published: dict[str, str] = {}
    own = await lookups.texts(f"_dmarc.{domain}")
    judged = _judged_own(domain, own.found, _records(own), own.problem)
    if judged is not None:
        return judged
    names = tree(domain)
    # At once: where one after the other is silent, the time would be up.
    answers = await asyncio.gather(*(lookups.texts(f"_dmarc.{name}") for name in names))
    for name, records in zip(names, map(_records, answers), strict=True):
        if len(records) != 1:
            continue
        published[name] = records[0]
        if tags(records[0]).get("psd", "u").lower() in ("n", "y"):
            break
    found_at = domain if domain in published else _organization(domain, published)
    if not found_at:
        silent = any(each.problem in NOT_SAID for each in answers)
        return Dmarc(domain=domain, faults=((DmarcFault.UNREACHABLE if silent else DmarcFault.MISSING, domain),))
    return await _read(domain, found_at, _organization(domain, published), published[found_at], lookups)


def tree(domain: str) -> list[str]:
    """Return the names whose records are asked for, the longest first."""
    labels = domain.split(".")
    if len(labels) < MOST_LABELS:
        return [".".join(labels[number:]) for number in range(len(labels))]
    short = labels[-(MOST_LABELS - 1) :]
    return [domain, *(".".join(short[number:]) for number in range(len(short)))]


def _organization(domain: str, published: dict[str, str]) -> str:
    """Return the domain whose record speaks for all below it (section 4.10.2); '' where there is none."""
    for name, record in published.items():
        mark = tags(record).get("psd", "u").lower()
        if mark == "n":
            return name
        if mark == "y" and name != domain:  # one label below a registry's own record
            below = domain.removesuffix(f".{name}").rsplit(".", 1)[-1]
            return f"{below}.{name}" if f"{below}.{name}" in published else name
    return min(published, key=lambda name: name.count("."), default="")


def _records(texts: Texts) -> tuple[str, ...]:
    return tuple(sorted(each for each in texts.found if _is_dmarc(each)))  # the DNS keeps no order


def _is_dmarc(text: str) -> bool:
    return re.match(r"v\s*=\s*DMARC1\s*(;|$)", text) is not None


def _judged_own(
    domain: str, texts: tuple[str, ...], records: tuple[str, ...], problem: DnsProblem | None
) -> Dmarc | None:
    """Judge what stands under the domain's own name, where that ends the search."""
    if problem in NOT_SAID:
        return Dmarc(domain=domain, faults=((DmarcFault.UNREACHABLE, domain),))
    if len(records) > 1:
        return Dmarc(domain=domain, found_at=domain, records=records, faults=((DmarcFault.SEVERAL, domain),))
    meant = tuple(each for each in texts if "dmarc1" in each.lower() or re.match(r"\s*p\s*=", each))
    if not records and meant:
        return Dmarc(domain=domain, found_at=domain, records=meant[:1], faults=((DmarcFault.BROKEN, meant[0]),))
    return None


async def _read(domain: str, found_at: str, organization: str, record: str, lookups: Lookups) -> Dmarc:
    found = tags(record)
    told = "sp" if found_at != domain and "sp" in found else "p"
    addresses, bad = report_addresses(found.get("rua", ""))
    invalid = has_doubled_tag(record) or not READABLE.fullmatch(record)
    policy = None if invalid else parse_policy(found.get(told, ""))
    faults: list[tuple[DmarcFault, str]] = [(DmarcFault.BAD_REPORT_ADDRESS, each) for each in bad]
    if invalid or (policy is None and not addresses):
        faults.append((DmarcFault.BROKEN, record))
    else:
        faults += _of_policy(found, told, policy, found_at)
    if not addresses and not bad:
        faults.append((DmarcFault.NO_REPORTS, found_at))
    faults += [(DmarcFault.NOT_AUTHORIZED, each) for each in await _unwilling(found_at, addresses, lookups)]
    return Dmarc(
        domain=domain,
        found_at=found_at,
        organization=organization or found_at,
        records=(record,),
        # A policy that cannot be read counts as 'none' where reports are asked for (section 4.7).
        policy=policy or (Policy.NONE if addresses and not invalid else None),
        percent=_percent(found),
        strict_spf=found.get("aspf", "r").lower() == "s",
        strict_dkim=found.get("adkim", "r").lower() == "s",
        on_trial=found.get("t", "n").lower() == "y",
        reports_to=addresses,
        faults=tuple(faults),
    )


async def _unwilling(found_at: str, addresses: Sequence[str], lookups: Lookups) -> list[str]:
    """Return the domains of other owners that have not said that they want reports about this one."""
    hosts = dict.fromkeys(each.rpartition("@")[2].lower() for each in addresses)
    others = [each for each in hosts if owner_of(each) != owner_of(found_at)]
    wanted = await asyncio.gather(*(_authorized(found_at, each, lookups) for each in others))
    return [each for each, wants in zip(others, wanted, strict=True) if not wants]


def _of_policy(
    found: Mapping[str, str], told: str, policy: Policy | None, found_at: str
) -> Iterator[tuple[DmarcFault, str]]:
    """Tell which parts receivers do not read, and what the policy asks for; `told`: the tag that it stands in."""
    unread = [name for name in ("p", "sp", "np", "adkim", "aspf", "t", "pct") if name in found]
    unread = [name for name in unread if not is_read(name, found[name])]
    if policy is None and told not in unread:
        unread.insert(0, told)  # it is not there at all
    yield from ((DmarcFault.NOT_READ, f"{name}={found.get(name, '')}") for name in unread)
    on_trial = found.get("t", "n").lower() == "y"
    if policy is Policy.NONE or (policy is not None and on_trial):
        yield DmarcFault.WATCHING, found_at
    elif policy is not None and _percent(found) < ALL:
        yield DmarcFault.PERCENT, str(_percent(found))


def _percent(found: Mapping[str, str]) -> int:
    return int(found["pct"]) if "pct" in found and is_read("pct", found["pct"]) else ALL


def parse_policy(text: str) -> Policy | None:
    """Return what a policy asks for; None where no receiver can read it."""
    try:
        return Policy(text.strip().lower())
    except ValueError:
        return None


def report_addresses(value: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return the addresses of a list of 'mailto:' URIs (section 4.7, 'rua'), and what is none."""
    good: list[str] = []
    bad: list[str] = []
    for part in filter(None, (each.strip() for each in value.split(",")[:20])):
        scheme, _, rest = part.partition(":")
        address = unquote(rest.partition("!")[0])
        if scheme.lower() == "mailto" and ADDRESS.fullmatch(address):
            good.append(address)
        else:
            bad.append(part)
    return tuple(good), tuple(bad)


async def _authorized(domain: str, host: str, lookups: Lookups) -> bool:
    """Whether a domain says that it takes the reports about another one; True where the DNS does not say."""
    texts = await lookups.texts(f"{domain}._report._dmarc.{host}")
    if texts.problem in NOT_SAID:
        return True
    return any(_is_dmarc(each) for each in texts.found)


_ASKED = frozenset(Policy)
KNOWN: Mapping[str, frozenset[str] | None] = {
    "p": _ASKED,
    "sp": _ASKED,
    "np": _ASKED,
    "pct": None,
    "adkim": frozenset("rs"),
    "aspf": frozenset("rs"),
    "fo": None,
    "rua": None,
    "ruf": None,
    "psd": frozenset("ynu"),
    "t": frozenset("yn"),
}
"""The tags that have a meaning, with what they may say (section 4.7, and 'pct' of RFC 7489 section 6.3).

Receivers ignore one that says something else. `None`: see `is_read`.
"""


def is_read(name: str, value: str) -> bool:
    """Whether receivers take notice of a tag with this value."""
    said, allowed = value.strip().lower(), KNOWN.get(name, frozenset())
    if name == "fo":
        return bool(said) and frozenset(said.split(":")) <= frozenset("01ds")
    if name == "pct":
        return re.fullmatch(r"[0-9]{1,3}", said, re.ASCII) is not None and int(said) <= ALL
    return bool(said) if allowed is None else said in allowed
