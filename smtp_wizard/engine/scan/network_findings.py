"""What the network does between here and a host, read from what a probe has seen. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator
from enum import StrEnum

from smtp_wizard.engine.base.connection import Family
from smtp_wizard.engine.base.endpoint import Security
from smtp_wizard.engine.base.stages import Stage, Verdict
from smtp_wizard.engine.base.who import Who
from smtp_wizard.engine.checks.report import Report
from smtp_wizard.engine.lazy_dataclass import dataclass
from smtp_wizard.engine.scan.results import AttemptResult, PortResult, ScanResult
from smtp_wizard.engine.smtp.symptom import Fault


class NetworkFindingKind(StrEnum):
    """What was seen."""

    REFUSED = "refused"
    """Somebody says no at once."""
    SILENT = "silent"
    """Nobody answers at all."""
    MUTE = "mute"
    """The connection opens, and then nothing comes."""
    RESET = "reset"
    """The connection is cut before the server has said anything."""
    BROKEN_IPV6 = "broken-ipv6"
    """The host has IPv6 addresses, which swallow everything, while IPv4 is answered."""
    OTHER_SERVER = "other-server"
    """A server answers that says itself that it is another one."""
    POP = "pop"
    IMAP = "imap"
    WEB = "web"
    """A web server, or the log-in page of a network."""
    INSPECTED = "inspected"
    """The certificate was made by a virus scanner, or by a company that reads along."""
    STRIPPED = "starttls-stripped"
    """The offer to encrypt was taken out on the way."""


WHO = {
    NetworkFindingKind.REFUSED: Who.PROVIDER,
    NetworkFindingKind.SILENT: Who.NETWORK,
    NetworkFindingKind.MUTE: Who.NETWORK,
    NetworkFindingKind.RESET: Who.NETWORK,
    NetworkFindingKind.BROKEN_IPV6: Who.NETWORK,
    NetworkFindingKind.OTHER_SERVER: Who.NETWORK,
    NetworkFindingKind.POP: Who.YOU,
    NetworkFindingKind.IMAP: Who.YOU,
    NetworkFindingKind.WEB: Who.NETWORK,
    NetworkFindingKind.INSPECTED: Who.ADMIN,
    NetworkFindingKind.STRIPPED: Who.NETWORK,
}
"""Who can change it."""


@dataclass(frozen=True, slots=True)
class NetworkFinding:
    """One thing that the network does."""

    kind: NetworkFindingKind
    ports: tuple[int, ...]
    name: str = ""
    """By what name the other server calls itself, or who signed the certificate; cleaned."""

    @property
    def who(self) -> Who:
        """Who can change it."""
        return WHO[self.kind]


def network_findings(probe: ScanResult) -> tuple[NetworkFinding, ...]:
    """Return what the network does, as far as the probe has seen it; each kind, and each name, once."""
    found: dict[tuple[NetworkFindingKind, str], list[int]] = {}
    for port in probe.ports:
        for kind, name in _of_port(port, probe):
            found.setdefault((kind, name), []).append(port.port)
    if broken := _broken_ipv6(probe):
        found[NetworkFindingKind.BROKEN_IPV6, ""] = broken
    order = list(NetworkFindingKind)
    kinds = sorted(found, key=lambda each: order.index(each[0]))
    return tuple(NetworkFinding(kind, tuple(found[kind, name]), name) for kind, name in kinds)


def unreached(port: PortResult) -> bool:
    """Whether nobody has spoken at a port, so that it may be the network that keeps it from us."""
    return not port.serves and _unreached(port.leading_attempt)


def _unreached(attempt: AttemptResult) -> bool:
    early = attempt.symptom is not None and attempt.symptom.stage in (Stage.CONNECT, Stage.TLS, Stage.GREETING)
    return early and attempt.fault in (Fault.REFUSED, Fault.SILENT, Fault.RESET, Fault.CLOSED)


def _of_port(port: PortResult, probe: ScanResult) -> Iterator[tuple[NetworkFindingKind, str]]:
    """Yield what is seen at one port, each once."""
    yield from {(NetworkFindingKind.INSPECTED, each.inspector): None for each in port.attempts if each.inspector}
    yield from {
        (NetworkFindingKind.OTHER_SERVER, each.foreign_name): None for each in port.attempts if each.foreign_name
    }
    if any(_stripped(each, probe) for each in port.attempts):
        yield NetworkFindingKind.STRIPPED, ""
    if not port.serves and (kind := kind_of(port.leading_attempt)) is not None:
        yield kind, ""


def kind_of(attempt: AttemptResult) -> NetworkFindingKind | None:
    """Return how a attempt ended, where it is the doing of what lies before a mail server."""
    if attempt.fault is Fault.OTHER_PROTOCOL and attempt.symptom is not None:
        return _protocol(attempt.symptom.words)
    if not _unreached(attempt):
        return None
    if attempt.fault is Fault.REFUSED:
        return NetworkFindingKind.REFUSED
    if attempt.fault is Fault.SILENT:
        return NetworkFindingKind.MUTE if attempt.connected else NetworkFindingKind.SILENT
    return NetworkFindingKind.RESET


_PROTOCOLS = {
    NetworkFindingKind.POP: re.compile(r"\+OK\b|-ERR\b"),
    NetworkFindingKind.IMAP: re.compile(r"\* (OK|PREAUTH|BYE|BAD)\b", re.IGNORECASE),
    NetworkFindingKind.WEB: re.compile(r"HTTP/|<(html|!doctype|\?xml|head|body)\b", re.IGNORECASE),
}
"""How other servers begin (RFC 1939 section 3, RFC 9051 section 7.1, RFC 9112 section 4)."""


def _protocol(words: str) -> NetworkFindingKind | None:
    return next((kind for kind, begins in _PROTOCOLS.items() if begins.match(words.lstrip())), None)


def _broken_ipv6(probe: ScanResult) -> list[int]:
    """The ports that IPv4 reaches and IPv6 does not; none where IPv6 was answered anywhere."""
    newer = [each for port in probe.ports for each in port.attempts if each.attempt.family is Family.IPV6]
    if any(each.connected or each.fault in (Fault.REFUSED, Fault.RESET) for each in newer):
        return []
    swallowed = {each.attempt.endpoint.port for each in newer if each.fault is Fault.SILENT}
    return [port.port for port in probe.ports if port.port in swallowed and _older_answered(port)]


def _older_answered(port: PortResult) -> bool:
    return any(each.connected for each in port.attempts if each.attempt.family is Family.IPV4)


_STRUCK_OUT = re.compile(r"X{4,}[A-Z]?", re.IGNORECASE)
"""What the mail inspection of some firewalls leaves of the word STARTTLS, or of any it does not know."""
_STARRED = re.compile(r"\*{6,}")
"""What it leaves of the greeting."""


def _stripped(attempt: AttemptResult, probe: ScanResult) -> bool:
    """Whether the offer to encrypt was taken out on the way: its traces are there, or it stands everywhere else."""
    symptom = attempt.symptom
    if symptom is None or symptom.fault is not Fault.NOT_OFFERED or symptom.lacking != "STARTTLS":
        return False
    greeting = attempt.report.result(Stage.GREETING)
    if any(_STRUCK_OUT.fullmatch(each) for each in attempt.report.capabilities):
        return True
    if greeting is not None and _STARRED.search(greeting.detail):
        return True
    return attempt.attempt.endpoint in probe.question.recommended or any(
        each.serves and each.attempt.endpoint.security is Security.STARTTLS
        for port in probe.ports
        for each in port.attempts
    )


def report_unreached(report: Report) -> bool:
    """The same of the check of one endpoint: nobody has spoken there."""
    failed = next((each for each in report.results if each.verdict is Verdict.FAIL), None)
    if failed is None or failed.finding is None:
        return False
    return failed.stage is Stage.CONNECT or (
        failed.stage in (Stage.TLS, Stage.GREETING) and failed.finding.broadly == _NOBODY_SPOKE
    )


_NOBODY_SPOKE = "port_blocked"
"""The main cause in data/diagnosis.yaml of what is silent or cut off before a word was said."""
