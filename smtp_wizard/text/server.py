"""What all faces say at the step 'Server': its fields, what its ports answered, what no encryption means."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from smtp_wizard.engine.base.endpoint import USUAL_PORTS, Endpoint, Security
from smtp_wizard.engine.base.stages import Verdict
from smtp_wizard.engine.checks.report import CheckResult, Report
from smtp_wizard.engine.scan.results import PortResult, ScanResult
from smtp_wizard.output.lines import STAGE_WORDS
from smtp_wizard.text.network import port_words

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
COULD_NOT_TRY = "It could not be tried"
CLEARTEXT_TITLE = "Your password would go out unencrypted"
CLEARTEXT_YES = "I know that: send the password unencrypted"
CLEARTEXT_NO = "No, choose a secure connection"

GUESS_HINT, FOUND_HINT = "a guess from your address", "found for your address"
USERNAME_HINT = "mostly the whole address"
NAMELESS_HINT = "empty: no sign-in"
NAME_LATER_HINT = "your provider gives you this name"
SENDER_HINT = "empty: your own address"
NAMELESS_HELP = "Leave it empty if no sign-in is needed."
NAME_LATER_HELP = "Your provider gives you this name. You can leave it for later."

WHERE_TO_FIND = (
    "Your provider's help page calls it 'outgoing server' or 'SMTP'. It is a name like mail.yourfirm.com, not a web "
    "address."
)
ABOUT_SECURITY = (
    "The old article says: tick the box, and take 587 or 465. With 465 it is SSL/TLS, with 587 it is STARTTLS."
)
NOT_SURE = "Not sure? Leave the port as it is: the usual ports are tried, and the best one is chosen."


def port_hint(port: int | None, security: Security) -> str:
    """Say that a port goes with the secure connection; '' for one that somebody chose."""
    usual = port == USUAL_PORTS[security]
    return f"goes with {SECURITY_TITLES[security][0]}" if usual and security is not Security.NONE else ""


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


def serving_row(report: Report, *, first: bool, signs_in: bool = True) -> str:
    """The row of a port that serves: what it is, what was seen of it, how long it took."""
    endpoint = report.endpoint
    words = _encryption(report) if first else "also works"
    words = words if signs_in else "lets nobody sign in"
    way = SECURITY_TITLES[endpoint.security][0] if endpoint.security is not Security.NONE else "no encryption"
    return f"✓ {endpoint.port:<5}{way:<14}{words:<40}{report.took * 1000:>6.0f} ms"


def _encryption(report: Report) -> str:
    seen = next((each.detail for each in report.results if each.tls is not None), "")
    return seen or ("not encrypted" if report.endpoint.security is Security.NONE else "")


def other_row(result: PortResult, *, bad: bool) -> str:
    """The row of a port that serves nothing. `bad`: that matters, because none serves."""
    return f"{'✗' if bad else '–'} {result.port:<5}{port_words(result)}"


def scan_rows(scan: ScanResult, chosen: Endpoint | None = None) -> list[str]:
    """The rows of all ports: the one that is taken first, those that serve nothing last."""
    serving = sorted(scan.serving, key=lambda each: each.report.endpoint != chosen)
    return [*_serving_rows(serving), *(other_row(each, bad=not serving) for each in scan.ports if not each.serves)]


def running_rows(scan: ScanResult) -> list[str]:
    """The rows of the ports that have answered so far, and one of those that have not."""
    answered = {each.port for each in scan.ports}
    waited = [str(each.port) for each in scan.question.endpoints if each.port not in answered]
    rows = [*_serving_rows(scan.serving), *(other_row(each, bad=False) for each in scan.ports if not each.serves)]
    return [*rows, f"… {', '.join(waited)}"] if waited else rows


def _serving_rows(serving: Sequence[PortResult]) -> list[str]:
    return [serving_row(each.report, first=number == 0, signs_in=each.signs_in) for number, each in enumerate(serving)]
