"""What is wrong with a domain's records, in words: what it does, who must act, what to do, the record to publish."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field

from smtp_wizard.engine.base.shown import Shown, phrase, shown
from smtp_wizard.engine.base.stages import Verdict
from smtp_wizard.engine.base.who import Who
from smtp_wizard.engine.discovery.server_identity import owner_of
from smtp_wizard.engine.lazy_dataclass import dataclass

LONGEST_VALUE = 65_535
"""Bytes that a record can have (RFC 1035 section 3.2.1)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DnsRecord:
    """A record to publish. Parts of it may be what a stranger has published: see `record_to_publish`."""

    name: Shown
    """In full, without a dot at the end."""
    type: Shown
    value: Shown


def record_to_publish(name: str, kind: str, value: str) -> DnsRecord:
    """Return a record that is fit to be shown, and to be pasted at a DNS host. `kind`: 'TXT' and so on."""
    return DnsRecord(name=shown(name, 253), type=shown(kind), value=shown(value, LONGEST_VALUE))


@dataclass(frozen=True, slots=True, kw_only=True)
class DomainFinding:
    """One thing that is wrong, or that is good to know."""

    code: str
    verdict: Verdict
    """FAIL: mail is lost or lands in junk; WARN: it may; SKIP: good to know, and nothing more."""
    title: Shown
    explanation: Shown
    who: Who
    steps: tuple[Shown, ...] = ()
    publish: DnsRecord | None = None
    """The record that mends it, merged with the one that stands there."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DnsOperator:
    """Where a domain's records are changed."""

    domain: str
    name_servers: tuple[Shown, ...] = ()
    aliases: Mapping[str, str] = field(default_factory=dict)
    """Names that are only other names for something (CNAME), and for what: beside that no other record may stand."""

    @property
    def words(self) -> Shown:
        """Name the place."""
        hosts = sorted({owner_of(each) for each in self.name_servers} - {""})
        if not hosts:
            return phrase("Sign in where the DNS of {} is kept.", shown(self.domain, 100))
        return phrase("Sign in where the DNS of {} is kept: {}.", shown(self.domain, 100), shown(", ".join(hosts), 200))

    def publishing(self, record: DnsRecord, *, instead: bool) -> tuple[Shown, ...]:
        """Return the steps that publish a record. `instead`: it takes the place of what stands there."""
        kind, name = record.type, record.name
        target = self.aliases.get(name, "")
        if target and kind != "CNAME":
            return self._in_place_of_alias(record, target)
        if instead or target:
            changed = phrase("Replace the {} record of {} with the one below.", kind, name)
        else:
            changed = phrase("Add the {} record below for {}.", kind, name)
        return (self.words, changed, phrase("Wait a few minutes (a day at most), and look again."))

    def _in_place_of_alias(self, record: DnsRecord, target: str) -> tuple[Shown, ...]:
        """Return the steps where whoever has `target` keeps the record: none can be added (RFC 1034 section 3.6.2)."""
        where = phrase("{} is only another name (CNAME) for {}", record.name, shown(target, 253))
        return (
            phrase("{}: who runs that keeps the record. Change it there, in the settings of that service.", where),
            phrase(
                "Or is the service no longer in use? {} Delete the CNAME, and add the {} record below for {}.",
                self.words,
                record.type,
                record.name,
            ),
            phrase("Wait a few minutes (a day at most), and look again."),
        )
