"""Events and reports as plain lines, JSON, JUnit, Nagios and Prometheus. Pure: nothing here writes anywhere."""

from __future__ import annotations

import textwrap
from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, assert_never

from smtp_wizard.engine.base.stages import Depth, Stage, Verdict
from smtp_wizard.engine.base.who import Who

if TYPE_CHECKING:
    from smtp_wizard.engine.base.endpoint import Endpoint
    from smtp_wizard.engine.checks.events import Event, Line
    from smtp_wizard.engine.checks.report import CheckResult, Report
    from smtp_wizard.engine.diagnosis.finding import Finding
    from smtp_wizard.output.check_outcome import CheckOutcome

WIDTH = 78
"""Columns of a plain report in a terminal of 80."""
_NARROWEST = 12
"""Columns that are left for words, however narrow the terminal."""

STAGE_WORDS: Mapping[Stage, str] = {
    Stage.DNS: "Find server",
    Stage.CONNECT: "Reach port",
    Stage.TLS: "Encryption",
    Stage.GREETING: "Greeting",
    Stage.EHLO: "Hello",
    Stage.STARTTLS: "Encryption",
    Stage.AUTH: "Sign in",
    Stage.MAIL: "Sender",
    Stage.RCPT: "Recipient",
    Stage.DATA: "Message",
}
"""What a person reads for a stage."""

VERDICT_WORDS: Mapping[Verdict, str] = {
    Verdict.PASS: "ok",
    Verdict.WARN: "warn",
    Verdict.FAIL: "FAIL",
    Verdict.SKIPPED: "--",
    Verdict.UNKNOWN: "????",
}
"""What a person reads for a verdict: a word first, colour second."""

_WHO_WORDS: Mapping[Who, str] = {
    Who.YOU: "You",
    Who.PROVIDER: "Your mail provider",
    Who.ADMIN: "Whoever administers the mail",
    Who.HOST: "Whoever runs the computer that sends",
    Who.NETWORK: "Whoever runs the network",
    Who.APP: "The maker of the application that sends",
    Who.RECIPIENT: "The recipient",
}


def who_words(who: Who) -> str:
    """Return what a person reads for who must act."""
    return _WHO_WORDS[who]


def ms(seconds: float) -> float:
    """Return seconds as milliseconds, to a tenth."""
    return round(seconds * 1000, 1)


# --- plain lines ----------------------------------------------------------------------------------------------------

_ROW_START = 6
_ROW_STAGE = 14


def row(result: CheckResult, width: int = WIDTH) -> list[str]:
    """Return one stage as a person reads it: 'ok    Find server   mail.example.com is 192.0.2.1   12 ms'."""
    took = "" if result.verdict is Verdict.SKIPPED else _took(result.took)
    head = f"{VERDICT_WORDS[result.verdict]:<{_ROW_START}}{STAGE_WORDS[result.stage]:<{_ROW_STAGE}}"
    return _wrapped(f"{result.detail}{took}", head, width)


def _took(seconds: float) -> str:
    # A no-break space, so that figure and unit stay on one line; `_wrapped` makes it an ordinary one.
    return f"   {seconds * 1000:.0f}\u00a0ms"


def finding_lines(finding: Finding, width: int = WIDTH) -> list[str]:
    """Return a finding as a person reads it: what, who, steps, the server's words; indented below its row."""
    margin = " " * _ROW_START
    lines = _wrapped(finding.explanation, margin, width) if finding.explanation else []
    lines += _wrapped(who_words(finding.who), f"{margin}Who must act: ", width)
    lines += [f"{margin}What to do:"] if finding.steps else []
    for number, step in enumerate(finding.steps, 1):
        lines += _wrapped(step, f"{margin}{number:>2}. ", width)
    if finding.fix is not None:
        lines += _wrapped(endpoint_words(finding.fix), f"{margin}Try instead: ", width)
    if finding.guide:
        lines += _wrapped(f"smtp-wizard guide {finding.guide}", f"{margin}More help: ", width)
    if finding.server_said:
        lines += _wrapped(finding.server_said, f"{margin}The server said: ", width)
    if finding.forward:
        lines.append(f"{margin}A message that you can send to them:")
        lines += [f"{margin}  > {line}".rstrip() for line in _letter(finding.forward, width)]
    return lines


def endpoint_words(endpoint: Endpoint) -> str:
    """Return an endpoint as it is typed into a form: 'mail.example.com, port 587, STARTTLS'."""
    return f"{endpoint.host}, port {endpoint.port}, {endpoint.security.words}"


def transcript_line(line: Line) -> str:
    """Return one line of the transcript: when, whose words, in clear text or not."""
    return f"{line.at:8.3f} {line.way.value}{' ' if line.encrypted else '!'} {line.text}".rstrip()


PERHAPS_SENT = "Nobody can say whether the message was sent: look for it before you send it again."
"""What is said where the message may or may not be on its way."""
TRANSCRIPT_LEGEND = "C: this program   S: the server   *: a note   !: not encrypted"
"""What stands above a transcript."""


def plain_report(outcome: CheckOutcome, width: int = WIDTH) -> list[str]:
    """Return a whole report as plain lines."""
    lines = [line for result in outcome.report.results for line in result_lines(result, width)]
    if outcome.obstacle is not None:
        lines += _wrapped(outcome.obstacle.title, f"{VERDICT_WORDS[Verdict.FAIL]:<{_ROW_START}}", width)
        lines += finding_lines(outcome.obstacle, width)
    return lines


def result_lines(result: CheckResult, width: int = WIDTH) -> list[str]:
    """Return one stage with its finding as plain lines."""
    return row(result, width) + (finding_lines(result.finding, width) if result.finding is not None else [])


def summary(report: Report, depth: Depth, width: int = WIDTH) -> list[str]:
    """Return the last words below a report: what was proved, and what was not."""
    words = {
        Depth.SERVER: "The server answers as it should. The password was not checked.",
        Depth.LOGIN: "The server lets you in. No message was sent.",
        Depth.SEND: "The server has taken the test message. Whether it arrived, look in the mailbox that it went to.",
    }
    match report.verdict:
        case Verdict.PASS | Verdict.WARN:
            closed = _closed_words(report) if depth is Depth.SERVER else ""
            return _wrapped(closed or words[depth], "", width)
        case Verdict.UNKNOWN:
            return _wrapped(PERHAPS_SENT, "", width) if _perhaps_sent(report) else []
        case Verdict.FAIL | Verdict.SKIPPED:
            return []
    assert_never(report.verdict)


def _closed_words(report: Report) -> str:
    """Say that a server offers ways to sign in, and none for a password or a token; '' where it has one, or none."""
    from smtp_wizard.engine.discovery.named_server import offered_ways, signs_in, unusable_words

    if not offered_ways(report) or signs_in(report):
        return ""
    words = unusable_words(offered_ways(report))
    return f"{words[0].upper()}{words[1:]}."


def _perhaps_sent(report: Report) -> bool:
    """Whether the connection was lost after the message had gone out; what was cut short before that sent nothing."""
    data = report.result(Stage.DATA)
    return data is not None and data.verdict is Verdict.UNKNOWN


def paragraph(text: str, head: str = "", width: int = WIDTH) -> list[str]:
    """Return a text as lines of a plain report, behind `head`."""
    return _wrapped(text, head, width)


def plain_printer(
    write: Callable[[str], None], transcript: Callable[[str], None] | None, width: int = WIDTH
) -> Callable[[Event], None]:
    """Return a reader of events that writes each stage as it ends, and the transcript where somebody wants it."""
    from smtp_wizard.engine.checks.events import Line, RunFinished, StageFinished, StageStarted

    def read(event: Event) -> None:
        match event:
            case StageStarted() | RunFinished():
                pass
            case Line():
                if transcript is not None:
                    transcript(transcript_line(event))
            case StageFinished(result):
                for line in result_lines(result, width):
                    write(line)
            case _:
                assert_never(event)

    return read


COLOURS: Mapping[str, str] = {"ok": "32", "warn": "33", "FAIL": "31;1", "????": "33;1"}
"""The words of the verdicts that stand out, with their SGR parameters (ECMA-48 section 8.3.117)."""


def coloured(line: str) -> str:
    """Return a plain line with its verdict in colour. The words stay the same."""
    word = line[:_ROW_START].strip()
    code = COLOURS.get(word)
    return f"\x1b[{code}m{word}\x1b[0m{line[len(word) :]}" if code else line


def _wrapped(text: str, head: str, width: int = WIDTH) -> list[str]:
    """Wrap a paragraph behind `head`, the following lines under its beginning. Long words are left whole."""
    width = max(width, len(head) + _NARROWEST)
    indent = " " * len(head)
    lines = textwrap.wrap(
        text, width, initial_indent=head, subsequent_indent=indent, break_long_words=False, break_on_hyphens=False
    )
    return [line.replace("\u00a0ms", " ms") for line in lines] or [head.rstrip()]


def _letter(text: str, width: int) -> Iterator[str]:
    for line in text.splitlines():
        yield from textwrap.wrap(line, max(width - 10, _NARROWEST), break_long_words=False, break_on_hyphens=False) or [
            ""
        ]


# --- JSON -----------------------------------------------------------------------------------------------------------


# --- JUnit ----------------------------------------------------------------------------------------------------------


# --- Nagios ---------------------------------------------------------------------------------------------------------


# --- Prometheus -----------------------------------------------------------------------------------------------------
