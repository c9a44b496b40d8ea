"""A server as a source names it, before it is judged; and what trying it showed."""

from __future__ import annotations

from collections.abc import Iterable

from smtp_wizard.engine.base.endpoint import Endpoint, HostError, parse_host
from smtp_wizard.engine.base.shown import shown
from smtp_wizard.engine.base.stages import Verdict
from smtp_wizard.engine.checks.report import Report
from smtp_wizard.engine.discovery.candidate import Candidate, FoundBy
from smtp_wizard.engine.discovery.egress_guard import Reachability, reachability
from smtp_wizard.engine.lazy_dataclass import dataclass
from smtp_wizard.engine.smtp.sasl import PASSWORD_MECHANISMS, TOKEN_MECHANISMS

MOST_CERTIFICATE_NAMES = 3
"""Names of a certificate that are tried in the place of the name that it does not fit."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NamedServer:
    """A server as a source names it: what it is worth depends on what the others say."""

    endpoint: Endpoint
    source: FoundBy
    username: str
    auth: tuple[str, ...] = ("password",)
    as_of: str = ""
    plain: bool = False
    """It came without encryption."""
    published: bool = False
    """As `Candidate.published`."""
    place: int = 0
    """As `Candidate.place`."""
    trust: float | None = None
    """How far this server is believed; None: as its source is."""
    shown_by: str = ""
    """The host whose certificate bears this name, where that led here; fit to show."""
    reason: str = ""
    """What else there is to know of why it is named: a clause."""

    @classmethod
    def of(cls, candidate: Candidate) -> NamedServer:
        """Return a server of the catalogue."""
        return cls(
            endpoint=candidate.endpoint,
            source=candidate.source,
            username=candidate.username,
            auth=candidate.auth,
            as_of=candidate.as_of,
            place=candidate.place,
            trust=candidate.trust,
        )


def failed(report: Report | None) -> bool:
    """Return whether a trial ended badly."""
    return report is not None and report.verdict not in (Verdict.PASS, Verdict.WARN)


def serves(report: Report | None, named: NamedServer) -> bool:
    """Return whether trying a server showed that one can send by it: it does what it should, and lets one sign in."""
    opens = report is not None and ("none" in named.auth or signs_in(report))
    return opens and not failed(report)


def signs_in(report: Report) -> bool:
    """Return whether a server offers a sign-in with a password or a token."""
    return any(each in _KNOWN_WAYS for each in offered_ways(report))


_KNOWN_WAYS = frozenset((*PASSWORD_MECHANISMS, *TOKEN_MECHANISMS))


def offered_ways(report: Report) -> tuple[str, ...]:
    """Return the ways to sign in that a server offers, as it names them (RFC 4954 section 3)."""
    return tuple(str(report.capabilities.get("AUTH", "")).upper().split())


def other_names(endpoint: Endpoint, report: Report | None) -> tuple[str, ...]:
    """Return the hosts that a server's certificate is for, where it is not for the name that was asked for.

    At most `MOST_CERTIFICATE_NAMES`; without those that no server can have ('*.example.com'). Nobody vouches for them.
    """
    if report is None or report.tls is None or not failed(report):
        return ()
    names = report.tls.names
    if any(_covers(name, endpoint.host) for name in names):
        return ()  # then something else is wrong with it
    return tuple(dict.fromkeys(_hosts(names)))[:MOST_CERTIFICATE_NAMES]


def _hosts(names: Iterable[str]) -> Iterable[str]:
    for name in names:
        try:
            host = parse_host(name)
        except HostError:
            continue
        if "." in host and ":" not in host and not host[-1].isdigit():  # no IP address, and no bare name
            yield host


def _covers(name: str, host: str) -> bool:
    """Whether a certificate's name is good for a host (RFC 9525 section 6.3): a '*' stands for one label."""
    wanted, given = host.lower(), name.lower().rstrip(".")
    return given == wanted or (given.startswith("*.") and given[1:] == f".{wanted.partition('.')[2]}")


def tried_words(report: Report | None, named: NamedServer) -> str:
    """Say what trying a server showed that a person should know; '' where it serves, and from everywhere."""
    if report is None:
        return ""
    if not report.results:
        return "it leads to this computer, or to an odd port of an inner network, so it was not tried"
    if failed(report):
        finding = next(iter(report.findings), None)
        return f"it was tried and did not do: {finding.title if finding else 'no answer'}"
    if not serves(report, named):
        return unusable_words(offered_ways(report))
    if report.address is not None and reachability(report.address) is Reachability.INNER:
        return f"{report.address} is an address inside a private network: from elsewhere it cannot be reached"
    return ""


def unusable_words(ways: tuple[str, ...]) -> str:
    """Say that nobody can sign in with a password or a token, and who can change that: a clause."""
    if not ways:
        return "it answers, and offers no way to sign in"
    listed = shown(" and ".join(ways[:4]), 80)
    return (
        f"it answers, and offers only {listed} to sign in, which few applications have: whoever runs it must allow "
        "LOGIN or PLAIN on the encrypted port"
    )


def certificate_words(host: str, names: tuple[str, ...]) -> str:
    """Say which names a certificate has that is not for the host that was asked for."""
    listed = " and ".join(shown(name, 80) for name in names)
    return f"The certificate of {shown(host, 80)} is for {listed}, so that name was tried as well."
