"""What all faces say at the step 'Server': its fields, what its ports answered, what no encryption means."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

from smtp_wizard.engine.base.endpoint import USUAL_PORTS, Endpoint, Security
from smtp_wizard.engine.base.stages import Verdict
from smtp_wizard.engine.checks.report import CheckResult, Report
from smtp_wizard.engine.scan.results import PortResult, ScanResult
from smtp_wizard.output.plain_lines import STAGE_WORDS
from smtp_wizard.text.network import port_words, ports_words

QUESTION = "Which server sends your mail?"
HOST, PORT, USERNAME, SENDER = "Server", "Port", "User name", "From address"
SECURITY = "Secure connection"
SECURITY_TITLES: Mapping[Security, tuple[str, str]] = {
    Security.TLS: ("SSL/TLS", "usual on 465"),
    Security.STARTTLS: ("STARTTLS", "usual on 587"),
    Security.NONE: ("none", "only inside your own network"),
}
NOTHING_SENT = "no password was sent yet"
ANSWERS = "It answers"
RIGHT = "Server and port are right. The password comes next."
WAITING = "waiting for the server"
COULD_NOT_TRY = "It could not be tried"
CLEARTEXT_TITLE = "Your password would go out unencrypted"
CLEARTEXT_YES = "I know that: send the password unencrypted"
CLEARTEXT_NO = "No, choose a secure connection"

GUESS_HINT, FOUND_HINT = "a guess from your address", "found for your address"
USERNAME_HINT = "usually your address"
NAMELESS_HINT = "empty: no sign-in"
NAME_LATER_HINT = "from your provider"
SENDER_HINT = "empty: your address"
NAMELESS_HELP = "Leave it empty if no sign-in is needed."
NAME_LATER_HELP = "Your provider gives you this name. You can leave it for later."

WHERE_TO_FIND = (
    "Your provider's help page calls it 'outgoing server' or 'SMTP'. It is a name like mail.yourfirm.com, not a web "
    "address."
)
ABOUT_SECURITY = (
    "The old article says: tick the box, and take 587 or 465. With 465 it is SSL/TLS, with 587 it is STARTTLS."
)
NOT_SURE = "Leave the port as it is: the usual ports are tried, and the best one is chosen."


def port_hint(port: int | None, security: Security) -> str:
    """Say that a port goes with the secure connection; '' for one that somebody chose."""
    usual = port == USUAL_PORTS[security]
    return "goes with it" if usual and security is not Security.NONE else ""


def cleartext_words(endpoint: Endpoint) -> str:
    """Say what an unencrypted password means."""
    return (
        f"Without encryption, everybody between this computer and {endpoint} can read your password and your "
        "mail. Do that only inside your own network."
    )


def stage_row(result: CheckResult) -> str:
    """The row of one stage of a check: its sign, its name, what was seen."""
    sign = {Verdict.PASS: "✓", Verdict.WARN: "!", Verdict.SKIPPED: "–"}.get(result.verdict, "✗")
    return f"{sign} {STAGE_WORDS[result.stage]:<13}{result.detail}".rstrip()


def serving_row(report: Report, now: datetime, *, first: bool, signs_in: bool = True) -> str:
    """The row of a port that serves: how it is encrypted, what was seen of it, how long it took."""
    said = _seen(report, now) if first else "also works"
    said = said if signs_in else "lets nobody sign in"
    way = SECURITY_TITLES[report.endpoint.security][0]
    return f"✓ {report.endpoint.port:<4} {way:<10}{said:<25}{report.took * 1000:>5.0f} ms"


def _seen(report: Report, now: datetime) -> str:
    """Say which encryption it was, and how long the certificate is good."""
    if report.endpoint.security is Security.NONE:
        return "not encrypted"
    seen = next((each for each in report.results if each.tls is not None), None)
    if seen is None or seen.tls is None:
        return ""
    version, ends = seen.detail.partition(",")[0], seen.tls.not_after
    return f"{version}, good for {max((ends - now).days, 0)} days" if ends is not None else version


def other_row(result: PortResult, *, bad: bool) -> str:
    """The row of a port that serves nothing. `bad`: that matters, because none serves."""
    return f"{'✗' if bad else '–'} {result.port:<4} {port_words(result)}"


def scan_rows(scan: ScanResult, now: datetime, chosen: Endpoint | None = None) -> list[str]:
    """The rows of all ports: the one that is taken first, those that serve nothing last."""
    serving = sorted(scan.serving, key=lambda each: each.report.endpoint != chosen)
    return [*_serving_rows(serving, now), *(other_row(each, bad=not serving) for each in scan.ports if not each.serves)]


def running_rows(scan: ScanResult, now: datetime) -> list[str]:
    """The rows of the ports that have answered so far, and what is waited for."""
    rows = [*_serving_rows(scan.serving, now), *(other_row(each, bad=False) for each in scan.ports if not each.serves)]
    return [*rows, waited_for(scan)]


def waited_for(scan: ScanResult) -> str:
    """Say which ports have not answered yet."""
    answered = {each.port for each in scan.ports}
    waited = [each.port for each in scan.question.endpoints if each.port not in answered]
    return f"waiting for {ports_words(waited)}" if waited else WAITING


def _serving_rows(serving: Sequence[PortResult], now: datetime) -> list[str]:
    return [
        serving_row(each.report, now, first=number == 0, signs_in=each.signs_in) for number, each in enumerate(serving)
    ]
