"""Logs of the SMTP service of IIS, and Exim's own refusals."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smtp_wizard.engine.base.stages import Stage
from smtp_wizard.engine.base.who import Who
from smtp_wizard.engine.explain.evidence import AttemptOutcome, Party, ServerReply
from smtp_wizard.engine.explain.factory import load_explainer
from smtp_wizard.engine.explain.readers.iis_logs import read_iis
from smtp_wizard.engine.explain.readers.mail_logs import read_mail_log
from smtp_wizard.engine.explain.readers.transcripts import read_transcript
from smtp_wizard.engine.providers.catalog import load_catalog


def outbound(*lines: tuple[str, str]) -> str:
    """What the service writes of mail that it hands on: which side spoke, and what."""
    return "\n".join(
        f"2024-03-01 20:48:22 192.0.2.10 OutboundConnection{side} SMTPSVC1 WEB - 25 {said} 0 0 60 0 62 SMTP - - - -"
        for side, said in lines
    )


HANDED_ON = outbound(
    ("Response", "- - 220+mx.customer.test+ESMTP"),
    ("Command", "EHLO - web.firm.test"),
    ("Response", "- - 250-mx.customer.test"),
    ("Command", "MAIL - FROM:<shop@firm.test>"),
    ("Response", "- - 250+2.1.0+Ok"),
    ("Command", "RCPT - TO:<ana@customer.test>"),
    ("Response", "- - 550+5.1.1+User+unknown"),
)
HANDED_IN = """\
2024-03-01 20:48:22 10.0.0.5 app SMTPSVC1 WEB 10.0.0.2 0 EHLO - +app 250 0 100 10 0 SMTP - - - -
2024-03-01 20:48:22 10.0.0.5 app SMTPSVC1 WEB 10.0.0.2 0 MAIL - +FROM:<shop@firm.test> 250 0 40 30 0 SMTP - - - -
2024-03-01 20:48:22 10.0.0.5 app SMTPSVC1 WEB 10.0.0.2 0 RCPT - +TO:<ana@customer.test> 550 0 0 30 0 SMTP - - - -
"""
OWN_FORM = """\
10.3.5.1, app.firm.test, 3/1/24, 13:17:37, SMTPSVC1, MAIL01, 10.0.0.2, 90, 42, 0, 250, 0, EHLO, -, app,
10.3.5.1, app.firm.test, 3/1/24, 13:17:37, SMTPSVC1, MAIL01, 10.0.0.2, 90, 42, 0, 552, 0, MAIL FROM, -, FROM:<a@b.test>,
"""
EXPLAINER = load_explainer(load_catalog())


@pytest.mark.parametrize(
    ("log", "code", "stage"),
    [(HANDED_ON, 550, Stage.RCPT), (HANDED_IN, 550, Stage.RCPT), (OWN_FORM, 552, None)],
    ids=["W3C, out", "W3C, in", "own form"],
)
def test_the_last_reply_belongs_to_the_command_before_it(log: str, code: int, stage: Stage | None) -> None:
    replies = [each for each in read_transcript(log) if isinstance(each, ServerReply)]
    assert (replies[-1].code, replies[-1].stage) == (code, stage or replies[-1].stage)


def test_what_the_other_server_said_is_explained() -> None:
    answer = EXPLAINER.explain_text(HANDED_ON)
    assert answer.finding.code == "recipient_rejected"
    assert answer.confidence >= 0.9


@pytest.mark.parametrize("line", ["", "220 mail.firm.test ESMTP", "SMTPSVC1 started", "x SMTPSVC1 y, z"])
def test_other_lines_say_nothing(line: str) -> None:
    assert list(read_iis(line)) == []


@given(st.text())
def test_nothing_is_raised(text: str) -> None:
    list(read_iis(f"192.0.2.1 OutboundConnectionResponse SMTPSVC1 WEB - 25 - - {text}"))


REFUSED = (
    "2024-04-04 10:37:30 H=(shop) [192.0.2.7] F=<shop@firm.test> rejected RCPT <ana@customer.test>: relay not permitted"
)


@pytest.mark.parametrize(
    ("line", "outcome", "command", "words"),
    [
        (REFUSED, AttemptOutcome.FAILED, "RCPT", "550 relay not permitted"),
        (
            REFUSED.replace("rejected", "temporarily rejected"),
            AttemptOutcome.DELAYED,
            "RCPT",
            "451 relay not permitted",
        ),
        (
            "2024-04-04 10:37:30 H=(x) [192.0.2.7] rejected EHLO or HELO x: syntactically invalid argument(s): x",
            AttemptOutcome.FAILED,
            "EHLO or HELO",
            "550 syntactically invalid argument(s): x",
        ),
        (
            "2024-04-04 10:37:30 1rsXyz-0001aB-2c H=(x) [192.0.2.7] F=<a@firm.test> rejected after DATA: maximum size",
            AttemptOutcome.FAILED,
            "DATA",
            "550 maximum size",
        ),
    ],
)
def test_refusals_of_exim(line: str, outcome: AttemptOutcome, command: str, words: str) -> None:
    (found,) = read_mail_log(line)
    assert (found.outcome, found.command, found.words) == (outcome, command, words)
    assert found.speaker is Party.OWN


def test_ones_own_server_wants_a_sign_in() -> None:
    answer = EXPLAINER.explain_text(REFUSED)
    assert (answer.finding.code, answer.finding.who) == ("auth_missing", Who.ADMIN)
