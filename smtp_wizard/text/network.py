"""What all faces say of a probe: the ports, which is best and why, what the network does, and who blocks a port."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from smtp_wizard.engine.base.connection import Family
from smtp_wizard.engine.base.endpoint import Endpoint
from smtp_wizard.engine.checks.report import Report
from smtp_wizard.engine.diagnosis.finding import Finding
from smtp_wizard.engine.lazy_dataclass import dataclass
from smtp_wizard.engine.scan.blocked_ports import Blame, ControlAnswer
from smtp_wizard.engine.scan.control_host import ControlHost
from smtp_wizard.engine.scan.network_findings import (
    NetworkFinding,
    NetworkFindingKind,
    kind_of,
    network_findings,
    report_unreached,
)
from smtp_wizard.engine.scan.network_findings import unreached as nobody_spoke
from smtp_wizard.engine.scan.results import BestPort, BestReason, PortResult, ScanResult
from smtp_wizard.output.plain_lines import VERDICT_WORDS, paragraph, who_words

if TYPE_CHECKING:
    from smtp_wizard.engine.services.scans import Scans
    from smtp_wizard.output.documents.ports import AnswerJson, BestJson, NetworkFindingJson, NetworkJson, PortJson

NO_PORT_SERVES = "None of the usual ports answers. Check the server's name with your provider."
NO_PORT_FITS = "A server answers, but none of its ports can be used as it is."
NEUTRAL_YES = "Yes, contact it once"
NEUTRAL_NO = "No, leave it"

_FAMILIES: Mapping[Family, str] = {Family.IPV4: "IPv4", Family.IPV6: "IPv6"}

_SHORT: Mapping[NetworkFindingKind, str] = {
    NetworkFindingKind.REFUSED: "refuses connections",
    NetworkFindingKind.SILENT: "no answer",
    NetworkFindingKind.MUTE: "lets us in and says nothing",
    NetworkFindingKind.RESET: "cuts the connection at once",
    NetworkFindingKind.POP: "is for reading mail (POP)",
    NetworkFindingKind.IMAP: "is for reading mail (IMAP)",
    NetworkFindingKind.WEB: "a web page answers",
}
"""What a row says of a port at which no mail server spoke."""

_WHY: Mapping[BestReason, str] = {
    BestReason.RECOMMENDED: "The provider of this server recommends it.",
    BestReason.FROM_THE_START: "Everything is encrypted there from the first byte.",
    BestReason.SUBMISSION: "It is the port for handing in mail, and encrypted before a password is sent.",
    BestReason.ENCRYPTED: "It is encrypted, and no better port answers.",
    BestReason.RELAY_PORT: (
        "No better port answers; many networks block port 25, which is for servers among themselves."
    ),
    BestReason.NO_SIGN_IN: "No port that lets you sign in answers.",
    BestReason.CLEAR: "It is not encrypted: use it inside your own network only.",
}


# --- ports ---


def port_words(result: PortResult) -> str:
    """Say in a few words what became of one port."""
    if not result.serves:
        kind = kind_of(result.leading_attempt)
        if kind is not None:
            return _SHORT[kind]
        findings = result.report.findings
        return findings[0].title if findings else "no answer"
    words = f"answers, {result.report.endpoint.security.words}, {families_words(result.families)}"
    return words if result.signs_in else f"{words}, no sign-in offered"


def families_words(families: Sequence[Family]) -> str:
    """Say over which kinds of addresses."""
    return "over " + " and ".join(_FAMILIES[each] for each in families)


def port_row_words(result: PortResult) -> str:
    """The row of one port: its number, and what became of it."""
    return f"{result.port}: {port_words(result)}"


def best_words(best: BestPort) -> str:
    """Say which port is best, and why."""
    return f"Best: port {best.endpoint.port} with {best.endpoint.security.words}. {_WHY[best.why]}"


def conclusion(probe: ScanResult, best_said: Callable[[BestPort], str] = best_words) -> list[str]:
    """What follows from a finished probe, a sentence each: the best port, and what the network does."""
    best = probe.best
    nobody = NO_PORT_FITS if any(_spoken_at(each) for each in probe.ports) else NO_PORT_SERVES
    return [best_said(best) if best else nobody, *(network_finding_words(each) for each in network_findings(probe))]


def _spoken_at(result: PortResult) -> bool:
    """Whether a mail server has spoken there, serve or not."""
    return result.leading_attempt.connected and kind_of(result.leading_attempt) is None


def common_finding(probe: ScanResult) -> Finding | None:
    """What is wrong with all ports alike, where none serves and the network has no part in it; else None."""
    findings = [next(iter(each.report.findings), None) for each in probe.ports]
    alike = len({each.code if each else "" for each in findings}) == 1
    if probe.best is not None or network_findings(probe) or not alike or findings[0] is None:
        return None
    # Every way was tried: none of them is worth an offer.
    return replace(findings[0], fix=None)


def ports_table(probe: ScanResult) -> list[str]:
    """One row a port for a plain report, best first, and what follows from them."""
    lines: list[str] = []
    for result in probe.ranked:
        way = f"port {result.port}, {result.report.endpoint.security.words}"
        tls = next((each.detail for each in result.report.results if each.tls is not None and result.serves), "")
        detail = "; ".join(part for part in (port_words(result), tls) if part)
        head = f"{VERDICT_WORDS[result.report.verdict]:<6}{way:<22}"
        lines += paragraph(f"{detail}   {result.report.took * 1000:.0f}\u00a0ms", head)
    return lines


# --- the network ---


def ports_words(ports: Sequence[int]) -> str:
    """'port 25', 'ports 465 and 587'."""
    if len(ports) == 1:
        return f"port {ports[0]}"
    return f"ports {', '.join(str(port) for port in ports[:-1])} and {ports[-1]}"


_SIGHTS: Mapping[NetworkFindingKind, Callable[[str, str], str]] = {
    NetworkFindingKind.REFUSED: lambda ports, _: (
        f"Connections to {ports} are refused at once: no mail server listens there, or a firewall forbids it."
    ),
    NetworkFindingKind.SILENT: lambda ports, _: (
        f"Nothing answers on {ports}: a firewall, of this network or of the server, swallows what we send."
    ),
    NetworkFindingKind.MUTE: lambda ports, _: (
        f"On {ports} the connection opens, and then nothing comes: a firewall or virus scanner often holds it back."
    ),
    NetworkFindingKind.RESET: lambda ports, _: (
        f"On {ports} the connection is cut before a word is said, which is mostly a firewall's doing."
    ),
    NetworkFindingKind.BROKEN_IPV6: lambda ports, _: (
        "IPv6 does not work between here and this server: its IPv6 address never answers, while IPv4 does; "
        "programs that try IPv6 first have to wait, or fail."
    ),
    NetworkFindingKind.OTHER_SERVER: lambda ports, name: (
        f"On {ports} a server answers that calls itself {name}, and not the one that was asked for: the network may "
        "lead mail elsewhere."
    ),
    NetworkFindingKind.POP: lambda ports, _: (
        f"On {ports} a server for reading mail (POP) answers; sending goes elsewhere."
    ),
    NetworkFindingKind.IMAP: lambda ports, _: (
        f"On {ports} a server for reading mail (IMAP) answers; sending goes elsewhere."
    ),
    NetworkFindingKind.WEB: lambda ports, _: (
        f"On {ports} a web page answers: a web server, or a network that wants you to sign in with a browser first."
    ),
    NetworkFindingKind.INSPECTED: lambda ports, name: (
        f"On {ports} the certificate was made by {name}: a virus scanner, or this company's network, reads along."
    ),
    NetworkFindingKind.STRIPPED: lambda ports, _: (
        f"On {ports} the offer to encrypt (STARTTLS) is taken out on the way: a firewall or virus scanner does that."
    ),
}


def network_finding_words(sight: NetworkFinding) -> str:
    """Say in one sentence what the network does."""
    return _SIGHTS[sight.kind](ports_words(sight.ports), sight.name)


# --- does this network block a port? ---


def unreached_ports(probe: ScanResult) -> list[int]:
    """The ports of which a neutral host may tell whether this network blocks them."""
    return [each.port for each in probe.ports if nobody_spoke(each)]


@dataclass(frozen=True, slots=True)
class UnreachedPorts:
    """Ports of a host at which nobody has spoken, and whom one may ask about them."""

    host: str
    neutral: ControlHost
    serving: tuple[Endpoint, ...] | None
    """Other ports of the host that do serve, best first; None: not known."""


def unreached(
    scans: Scans, host: str, ports: Sequence[int], serving: Sequence[Endpoint] | None = None
) -> UnreachedPorts | None:
    """Return what there is to find out about ports that did not answer, None where nobody can be asked."""
    neutral = scans.propose_neutral(host, ports) if ports else None
    return UnreachedPorts(host, neutral, None if serving is None else tuple(serving)) if neutral is not None else None


def unreached_after(scans: Scans, report: Report) -> UnreachedPorts | None:
    """The same after the check of one port."""
    endpoint = report.endpoint
    return unreached(scans, endpoint.host, [endpoint.port] if report_unreached(report) else [])


def block_question(ports: Sequence[int]) -> str:
    """What one may want to know about a port that did not answer."""
    return f"Does this network block {ports_words(ports)}?"


def control_host_hint(neutral: ControlHost, server: str) -> str:
    """Name the command that finds it out."""
    return f"{block_question(neutral.ports)} To find out: smtp-wizard check {server} --neutral {neutral.host}"


def answer_words(answers: Iterable[ControlAnswer]) -> list[str]:
    """What a neutral host tells, a sentence for each different answer."""
    gathered: dict[tuple[Blame, bool], list[ControlAnswer]] = {}
    for each in answers:
        gathered.setdefault((each.blame, each.sure), []).append(each)
    return [_answer(alike) for alike in gathered.values()]


def _answer(alike: Sequence[ControlAnswer]) -> str:
    first, ports = alike[0], ports_words([each.port for each in alike])
    them = "it" if len(alike) == 1 else "them"
    match first.blame:
        case Blame.NETWORK if first.sure:
            return f"This network blocks {ports}: {first.neutral} serves there, and cannot be reached from here either."
        case Blame.NETWORK:
            return f"This network seems to block {ports}: {first.neutral} cannot be reached there from here either."
        case Blame.SERVER:
            here = f"{first.neutral} answers there, and {first.host} does not serve {them}"
            return f"This network lets {ports} through: {here}."
        case Blame.REDIRECTED:
            return f"This network catches {ports}: something else answers in place of {first.neutral}."
        case Blame.UNCLEAR:
            return f"{first.neutral} tells nothing about {ports}: it cannot be found, or serves nothing there itself."
    raise AssertionError(first.blame)


def answer_steps(answers: Sequence[ControlAnswer]) -> list[str]:
    """What to do after these answers, in order: the other ports that serve come first."""
    steps = [_instead_words(each) for each in dict.fromkeys(each for one in answers for each in one.instead[:1])]
    blamed = {each.blame: each for each in reversed(answers)}
    if Blame.NETWORK in blamed or Blame.REDIRECTED in blamed:
        host = answers[0].host
        ports = [each.port for each in answers if each.blame in (Blame.NETWORK, Blame.REDIRECTED)]
        steps.append(f"Ask whoever runs this network to let connections to {host}, {ports_words(ports)}, through.")
        steps.append("Or try over another network, for example the hotspot of a phone.")
    if Blame.SERVER in blamed:
        steps.append(f"Ask the provider which port {blamed[Blame.SERVER].host} serves, and whether it lets you in.")
    if Blame.UNCLEAR in blamed:
        steps.append("See whether this computer is online, or name another well-known mail server.")
    return steps


def _instead_words(endpoint: Endpoint) -> str:
    return f"Use port {endpoint.port} with {endpoint.security.words} instead: it serves."


def answer_lines(answers: Sequence[ControlAnswer]) -> list[str]:
    """A whole answer for a plain report: sentence, who must act, what to do."""
    if not answers:
        return []
    steps = [f"{number}. {step}" for number, step in enumerate(answer_steps(answers), 1)]
    return [*answer_words(answers), f"Who must act: {who_acts(answers)}", *steps]


def who_acts(answers: Sequence[ControlAnswer]) -> str:
    """Say who must act after these answers."""
    return "; ".join(dict.fromkeys(who_words(each.who) for each in answers))


# --- JSON ---


def best_json(endpoint: Endpoint | None, families: Collection[Family] = (), why: str = "") -> BestJson | None:
    """The best endpoint, None where there is none."""
    from smtp_wizard.output.documents.ports import BestJson

    return BestJson(endpoint, tuple(each for each in Family if each in families), why) if endpoint else None


def why_words(best: BestPort) -> str:
    """Say in one sentence why the best port is the best."""
    return _WHY[best.why]


def network_json(
    seen: ScanResult | None, answers: Sequence[ControlAnswer], proposal: ControlHost | None
) -> NetworkJson:
    """What the network does, and what a neutral host told of it."""
    from smtp_wizard.output.documents.ports import NetworkJson, ProposalJson

    return NetworkJson(
        ports=tuple(map(_port_json, seen.ranked)) if seen is not None else (),
        sights=tuple(map(_network_finding_json, network_findings(seen))) if seen is not None else (),
        neutral=tuple(map(_answer_json, answers)),
        proposal=ProposalJson(proposal.host, tuple(proposal.ports)) if proposal is not None else None,
    )


def _port_json(result: PortResult) -> PortJson:
    from smtp_wizard.output.documents.ports import PortJson

    security = result.report.endpoint.security
    return PortJson(result.port, security, result.serves, tuple(result.families), port_words(result))


def _network_finding_json(sight: NetworkFinding) -> NetworkFindingJson:
    from smtp_wizard.output.documents.ports import NetworkFindingJson

    return NetworkFindingJson(sight.kind, tuple(sight.ports), sight.name, sight.who, network_finding_words(sight))


def _answer_json(answer: ControlAnswer) -> AnswerJson:
    from smtp_wizard.output.documents.ports import AnswerJson

    return AnswerJson(
        host=answer.neutral,
        port=answer.port,
        answer=answer.blame,
        sure=answer.sure,
        who=answer.who,
        sentence=answer_words([answer])[0],
        steps=tuple(answer_steps([answer])),
    )
