"""What a face shows of the step 'Server': its state, its offers, and the cards that tell what came of a trial."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum

from smtp_wizard.engine.base.endpoint import Endpoint, Security
from smtp_wizard.engine.base.stages import Verdict
from smtp_wizard.engine.checks.report import Report
from smtp_wizard.engine.diagnosis.finding import Finding
from smtp_wizard.engine.scan.results import ScanResult
from smtp_wizard.flows.flow import Card, Entry, Mood, Offer, Section
from smtp_wizard.output.plain_lines import TRANSCRIPT_LEGEND, who_words
from smtp_wizard.text import server as words
from smtp_wizard.text.areas.on_screens import on_screens, steps_on_screens
from smtp_wizard.text.connect import first_step
from smtp_wizard.text.discovery import CONFIRM_NO, CONFIRM_YES
from smtp_wizard.text.network import NEUTRAL_NO, NEUTRAL_YES, best_words, common_finding, conclusion


class ServerField(StrEnum):
    """Where a person types at this step."""

    HOST = "host"
    SECURITY = "security"
    PORT = "port"
    USERNAME = "username"
    SENDER = "sender"


class ServerOffer(StrEnum):
    """What can be done at this step."""

    USE = "use"
    """Go on with what stands in the fields."""
    PORTS = "ports"
    """Try every port that may serve, and take the best."""
    TEST = "test"
    """Try the one that stands in the fields."""
    TAKE = "take"
    """Take the best of those that have answered so far."""
    FIX = "fix"
    """Take the port that a failure, or the answer about the network, offers instead."""
    NETWORK = "network"
    """Ask whether this network blocks the port."""
    YES = "yes"
    NO = "no"
    STOP = "stop"
    BACK = "back"


class ServerQuestion(StrEnum):
    """What is asked in the midst of the step; it is answered with YES or NO."""

    SERVER = "server"
    """Whether a server that was found is the right one."""
    CLEARTEXT = "cleartext"
    """Whether the password may go out unencrypted."""
    NETWORK = "network"
    """Whether a well-known mail server may be contacted."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerState:
    """All that a face shows of the step."""

    host: Entry
    security: Security
    port: Entry
    username: Entry
    sender: Entry
    card: Card | None = None
    offers: tuple[Offer[ServerOffer], ...] = ()
    """The first is what Enter takes."""
    question: ServerQuestion | None = None
    running: bool = False
    cursor: ServerField = ServerField.HOST
    """Where the person goes on typing."""
    finding: Finding | None = None
    """What the last trial found wrong, in full."""
    notes: tuple[str, ...] = ()
    """What follows from all ports together, a sentence each."""
    details: tuple[str, ...] = ()
    """What every port said, or what was said to the one that was tried; secrets are masked."""
    sections: tuple[Section, ...] = ()


@dataclass(frozen=True, slots=True)
class TrialOutcome:
    """What the last trial told of the server that stands in the fields."""

    card: Card | None = None
    fix: Endpoint | None = None
    finding: Finding | None = None
    notes: tuple[str, ...] = ()
    details: tuple[str, ...] = ()
    tried: bool = False
    """Whether anything was tried."""
    good: bool = False
    scan: bool = False
    """Whether it is about all ports, so that another port in the field does not make it untrue."""


NOTHING = TrialOutcome()
"""Nothing was tried yet."""


WHERE_TO_FIND = Card(mood=Mood.TOLD, title="Where to find it", lines=(words.WHERE_TO_FIND,))
"""Stands there before anything was tried."""
SECTIONS = (
    Section("Secure connection", (words.ABOUT_SECURITY,)),
    Section("Not sure?", (words.NOT_SURE,)),
)
ANSWERS = {
    ServerQuestion.SERVER: (CONFIRM_NO, CONFIRM_YES),
    ServerQuestion.CLEARTEXT: (words.CLEARTEXT_NO, words.CLEARTEXT_YES),
    ServerQuestion.NETWORK: (NEUTRAL_NO, NEUTRAL_YES),
}
"""The careful answer, which Enter takes, and the other one."""


def cleartext_card(endpoint: Endpoint | None) -> Card:
    said = words.cleartext_words(endpoint) if endpoint is not None else ""
    return Card(mood=Mood.WARNED, title=words.CLEARTEXT_TITLE, lines=(said,), foot=words.NOTHING_SENT)


def finding_card(finding: Finding) -> Card:
    """The card of a failure: what is wrong, who acts, and what they do first."""
    return Card(
        mood=Mood.FAILED,
        title=finding.title,
        lines=(on_screens(finding.explanation), first_step(finding)),
        foot=words.NOTHING_SENT,
    )


def in_full(finding: Finding) -> tuple[str, ...]:
    """Return all that is known of a failure, a paragraph each: for whoever asks for the details."""
    steps = (f"{number}. {step}" for number, step in enumerate(steps_on_screens(finding.steps), 1))
    said = (f"The server said: {finding.server_said}",) if finding.server_said else ()
    return (finding.title, on_screens(finding.explanation), f"Who must act: {who_words(finding.who)}", *steps, *said)


def of_scan(scan: ScanResult, taken: Endpoint | None, now: datetime) -> TrialOutcome:
    """What all ports together tell: those that serve, or why none does."""
    rows = words.scan_rows(scan, now, taken)
    finding = common_finding(scan)
    first, *rest = conclusion(scan, best_words)
    details = (*rows, "", first, *rest, *(in_full(finding) if finding is not None else ()))
    told = TrialOutcome(finding=finding, details=details, tried=True, scan=True)
    if taken is not None:
        best = scan.best is not None and scan.best.endpoint == taken
        card = Card(mood=Mood.PASSED, title=words.ANSWERS, lines=tuple(rows), foot=words.NOTHING_SENT)
        return replace(told, card=card, notes=(first, *rest) if best else tuple(rest), good=True)
    if finding is not None:
        return replace(told, card=finding_card(finding))
    title, _, advice = first.removesuffix(".").partition(". ")
    foot = f"{advice[0].lower()}{advice[1:]}" if advice else words.NOTHING_SENT
    card = Card(mood=Mood.FAILED, title=title, lines=tuple(rows), foot=foot)
    return replace(told, card=card, notes=tuple(rest))


def of_report(report: Report, rows: Sequence[str], lines: Sequence[str], now: datetime) -> TrialOutcome:
    """What the trial of one port tells. `rows`: its stages; `lines`: what was said."""
    finding = next(iter(report.findings), None)
    wrong = (*in_full(finding), "") if finding is not None else ()
    details = (*rows, "", *wrong, *((TRANSCRIPT_LEGEND, *lines) if lines else ()))
    if report.verdict in (Verdict.PASS, Verdict.WARN):
        row = words.serving_row(report, now, first=True)
        warned = (f"! {finding.title}",) if finding is not None else ()
        card = Card(
            mood=Mood.WARNED if warned else Mood.PASSED,
            title=words.ANSWERS,
            lines=(row, *warned, words.RIGHT),
            foot=words.NOTHING_SENT,
        )
        return TrialOutcome(card, finding=finding, details=details, tried=True, good=True)
    assert finding is not None, "whatever fails is explained"
    return TrialOutcome(finding_card(finding), finding.fix, finding, details=details, tried=True)
