"""The forms of a report: lines for a person, JSON, JUnit, Nagios, Prometheus."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from junitparser import JUnitXml
from prometheus_client.parser import text_string_to_metric_families

from smtp_wizard.engine.accounts.account_warnings import AccountWarning, AccountWarningKind
from smtp_wizard.engine.accounts.changes import Change
from smtp_wizard.engine.base.connection import Family
from smtp_wizard.engine.base.endpoint import Endpoint, Security
from smtp_wizard.engine.base.records import write_record
from smtp_wizard.engine.base.shown import phrase, shown
from smtp_wizard.engine.base.stages import Depth, Stage, Verdict
from smtp_wizard.engine.base.who import Who
from smtp_wizard.engine.checks.events import Event, Line, RunFinished, StageFinished, StageStarted
from smtp_wizard.engine.checks.report import CheckResult, Report, Speaker
from smtp_wizard.engine.diagnosis.finding import Finding
from smtp_wizard.engine.smtp.tls import TlsFacts
from smtp_wizard.output import junit, nagios, prometheus
from smtp_wizard.output import plain_lines as report
from smtp_wizard.output.check_outcome import CheckOutcome
from smtp_wizard.output.documents.checks import LineOfTest, ResultJson, TestedJson, WarningJson
from tests.support.cli import hold

NOW = datetime(2026, 11, 30, tzinfo=UTC)
ENDPOINT = Endpoint("mail.example.com", 587, Security.STARTTLS)
FACTS = TlsFacts(
    shown("TLSv1.3"),
    shown("TLS_AES_256_GCM_SHA384"),
    shown("mail.example.com"),
    shown("Example CA"),
    datetime(2026, 1, 1, tzinfo=UTC),
    datetime(2027, 1, 1, tzinfo=UTC),
    (shown("mail.example.com"),),
)
FINDING = Finding(
    code="bad_credentials",
    title=shown("The user name or the password is wrong"),
    explanation=shown(
        "The server does not know this user name and password together, and it says so in a long sentence."
    ),
    who=Who.PROVIDER,
    steps=(shown("Type the password again."), shown("Look at the provider's page.")),
    guide="basic",
    server_said=shown("535 5.7.8 No <way> & \"no\" | 'how'"),
    forward=phrase("Please look at this mailbox.\n\nServer: mail.example.com"),
    fix=Endpoint("mail.example.com", 465, Security.TLS),
)
CLOSING = AccountWarning(AccountWarningKind.RETIREMENT, shown("2026-12-31: Passwords: announced."))
PASSING = Report(
    ENDPOINT,
    (
        CheckResult(Stage.DNS, Verdict.PASS, 0.012, shown("mail.example.com is 192.0.2.1")),
        CheckResult(Stage.CONNECT, Verdict.PASS, 0.03, shown("it answers"), family=Family.IPV4, address="192.0.2.1"),
        CheckResult(
            Stage.STARTTLS, Verdict.PASS, 0.04, shown("TLS 1.3"), tls=FACTS, capabilities={"SIZE": shown("100")}
        ),
        CheckResult(Stage.AUTH, Verdict.PASS, 0.05, shown("signed in"), mechanism="PLAIN"),
    ),
)
FAILING = Report(
    ENDPOINT,
    (
        CheckResult(Stage.DNS, Verdict.PASS, 0.012, shown("mail.example.com is 192.0.2.1")),
        CheckResult(Stage.AUTH, Verdict.FAIL, 0.31, FINDING.title, FINDING),
        CheckResult(Stage.MAIL, Verdict.SKIPPED, 0.0, shown("not reached")),
    ),
)
OBSTACLE = Finding(
    code="secret-locked",
    title=shown("The password could not be read"),
    explanation=shown("Locked."),
    who=Who.YOU,
    steps=(shown("Unlock."),),
)
UNTRIED = CheckOutcome(shown("Locked one"), Report(ENDPOINT), OBSTACLE)


def test_every_stage_verdict_and_actor_has_words() -> None:
    assert set(report.STAGE_WORDS) == set(Stage)
    assert set(report.VERDICT_WORDS) == set(Verdict)
    assert all(report.who_words(who) for who in Who)


def test_a_stage_is_one_row() -> None:
    assert report.row(PASSING.results[0]) == ["ok    Find server   mail.example.com is 192.0.2.1   12 ms"]
    assert report.row(FAILING.results[2]) == ["--    Sender        not reached"]


def test_a_long_row_is_wrapped_under_its_words_and_keeps_figure_and_unit_together() -> None:
    lines = report.row(CheckResult(Stage.EHLO, Verdict.PASS, 0.012, shown("word " * 11 + "it")))
    assert lines[1] == " " * 20 + "12 ms"
    assert all(len(line) <= report.WIDTH for line in lines)


def test_a_failure_says_what_who_steps_and_the_servers_words() -> None:
    lines = report.plain_report(CheckOutcome(None, FAILING))
    assert lines[1] == "FAIL  Sign in       The user name or the password is wrong   310 ms"
    text = "\n".join(lines)
    for words in (
        "Who must act: Your mail provider",
        " 1. Type the password again.",
        " 2. Look at the provider's page.",
        "Try instead: mail.example.com, port 465, SSL/TLS",
        "More help: smtp-wizard guide basic",
        "The server said: 535 5.7.8 No",
        "  > Please look at this mailbox.",
        "  > Server: mail.example.com",
    ):
        assert words in text
    assert all(len(line) <= report.WIDTH for line in lines)


@pytest.mark.parametrize("width", [44, 60])
def test_a_report_fits_a_narrow_terminal(width: int) -> None:
    told = CheckOutcome(None, FAILING)
    rows: list[str] = []
    for result in FAILING.results:
        report.plain_printer(rows.append, None, width)(StageFinished(result))
    lines = [*report.plain_report(told, width), *report.summary(PASSING, Depth.LOGIN, width)]
    assert max(map(len, [*lines, *rows])) <= width
    assert rows == report.plain_report(told, width)
    assert " ".join(" ".join(lines).split()).startswith(
        "ok Find server mail.example.com is 192.0.2.1 12 ms FAIL Sign in"
    )


def test_the_printer_writes_stages_as_they_end_and_the_transcript_only_where_it_is_wanted() -> None:
    events: list[Event] = [
        StageStarted(Stage.DNS),
        Line(0.5, Stage.EHLO, Speaker.OURS, shown("EHLO [127.0.0.1]"), encrypted=False),
        StageFinished(PASSING.results[0]),
        RunFinished(PASSING),
    ]
    rows: list[str] = []
    talk: list[str] = []
    for event in events:
        report.plain_printer(rows.append, talk.append)(event)
        report.plain_printer(rows.append, None)(event)
    assert rows == report.row(PASSING.results[0]) * 2
    assert talk == ["   0.500 C! EHLO [127.0.0.1]"]


@pytest.mark.parametrize(
    ("depth", "words"),
    [(Depth.SERVER, "password was not checked"), (Depth.LOGIN, "lets you in"), (Depth.SEND, "taken")],
)
def test_the_last_words_say_what_was_proved(depth: Depth, words: str) -> None:
    assert words in " ".join(report.summary(PASSING, depth))
    assert report.summary(FAILING, depth) == []


def test_a_server_whose_ways_to_sign_in_nobody_has_does_not_answer_as_it_should() -> None:
    def offering(*ways: str) -> Report:
        hello = CheckResult(Stage.EHLO, Verdict.PASS, 0.1, shown("hello"), capabilities={"AUTH": shown(" ".join(ways))})
        return Report(ENDPOINT, (hello,))

    said = " ".join(report.summary(offering("NTLM", "GSSAPI"), Depth.SERVER))
    assert said.startswith("It answers, and offers only NTLM and GSSAPI to sign in")
    assert "must allow LOGIN or PLAIN" in said
    for ways in (("NTLM", "LOGIN"), ("XOAUTH2",), ()):
        assert "as it should" in " ".join(report.summary(offering(*ways), Depth.SERVER)), ways


def test_a_lost_message_is_called_unknown() -> None:
    lost = Report(ENDPOINT, (CheckResult(Stage.DATA, Verdict.UNKNOWN, 1.0, shown("lost")),))
    assert "Nobody can say" in " ".join(report.summary(lost, Depth.SEND))


@pytest.mark.parametrize("stage", [Stage.DNS, Stage.CONNECT, Stage.AUTH, Stage.RCPT])
@pytest.mark.parametrize("depth", list(Depth))
def test_a_check_that_was_cut_short_before_the_message_speaks_of_none(stage: Stage, depth: Depth) -> None:
    cut_short = Report(ENDPOINT, (CheckResult(stage, Verdict.UNKNOWN, 1.0, shown("The time allowed was up")),))
    assert report.summary(cut_short, depth) == []


def test_colour_is_beside_the_words() -> None:
    line = report.row(PASSING.results[0])[0]
    assert re.sub(r"\x1b\[[0-9;]*m", "", report.coloured(line)) == line
    assert report.coloured(line) != line
    assert report.coloured("      plain") == "      plain"


def test_json_is_what_the_schema_says() -> None:
    entry = write_record(ResultJson.of(CheckOutcome(shown("Office"), FAILING)))
    assert [stage["finding"] for stage in entry["stages"]] == [None, "bad_credentials", None]
    assert entry["findings"][0]["who"] == "provider"
    assert entry["tls"] is None
    passing = write_record(ResultJson.of(CheckOutcome(None, PASSING)))
    assert passing["tls"]["not_after"] == "2027-01-01T00:00:00Z"
    assert (passing["family"], passing["mechanism"], passing["capabilities"]) == ("ipv4", "PLAIN", {"SIZE": "100"})
    for each in (CheckOutcome(shown("Office"), FAILING), CheckOutcome(None, PASSING), UNTRIED):
        warned = (WarningJson(AccountWarningKind.RETIREMENT, "It closes."),)
        line = LineOfTest(TestedJson(ResultJson.of(each), 0, Change.NEW, warned, "here", ()))
        hold(line.to_json(), "test-line")


def test_junit_counts_what_failed_and_what_could_not_begin() -> None:
    root = ET.fromstring(
        junit.junit([CheckOutcome(shown("Office"), FAILING), CheckOutcome(shown("Home"), PASSING), UNTRIED])
    )
    counts = [(s.get("name"), s.get("tests"), s.get("failures"), s.get("errors"), s.get("skipped")) for s in root]
    assert counts == [("Office", "3", "1", "0", "1"), ("Home", "4", "0", "0", "0"), ("Locked one", "1", "0", "1", "0")]
    (failure,) = root.iter("failure")
    assert failure.get("type") == "bad_credentials"
    assert FINDING.server_said.split()[0] in (failure.text or "")


@given(st.text(), st.text())
def test_no_words_of_others_break_junit(name: str, words: str) -> None:
    result = CheckResult(Stage.AUTH, Verdict.FAIL, 0.1, shown(words), None)
    root = ET.fromstring(junit.junit([CheckOutcome(shown(name or "x"), Report(ENDPOINT, (result,)))]))
    assert len(root) == 1


def test_junit_says_words_as_they_are() -> None:
    words = shown("<a & 'b' \"c\"> ]]>")
    result = CheckResult(Stage.AUTH, Verdict.FAIL, 0.1, words, None)
    text = junit.junit([CheckOutcome(words, Report(ENDPOINT, (result,)))])
    (suite,) = ET.fromstring(text)
    (failure,) = suite.iter("failure")
    assert [suite.get("name"), failure.get("message"), failure.text] == [words] * 3
    assert text.startswith('<?xml version="1.0" encoding="UTF-8"?>\n<testsuites>\n  <testsuite ')


@pytest.mark.parametrize(
    ("outcomes", "state", "code"),
    [
        ([CheckOutcome(shown("a"), PASSING)], "OK", 0),
        (
            [CheckOutcome(shown("a"), Report(ENDPOINT, (CheckResult(Stage.DNS, Verdict.WARN, 0.1, shown("w")),)))],
            "WARNING",
            1,
        ),
        ([CheckOutcome(shown("a"), PASSING), CheckOutcome(shown("b"), FAILING)], "CRITICAL", 2),
        ([CheckOutcome(shown("a"), PASSING), UNTRIED], "UNKNOWN", 3),
        ([UNTRIED, CheckOutcome(shown("b"), FAILING)], "CRITICAL", 2),
        ([CheckOutcome(shown("a"), PASSING), CheckOutcome(shown("b"), PASSING, warnings=(CLOSING,))], "WARNING", 1),
        ([CheckOutcome(shown("a"), FAILING, warnings=(CLOSING,))], "CRITICAL", 2),
        ([], "OK", 0),
    ],
)
def test_nagios_says_the_worst_first(outcomes: list[CheckOutcome], state: str, code: int) -> None:
    text, exit_code = nagios.nagios(outcomes, NOW)
    assert text.startswith(f"SMTP {state} - ")
    assert exit_code == code


def test_what_a_plugin_says_of_many_begins_with_who_is_not_well_and_ends_with_the_figures() -> None:
    """Nagios takes 8 KB, and other programs less: what is cut must be neither."""
    many = [CheckOutcome(shown(f"Well {number}"), PASSING) for number in range(100)]
    late = CheckOutcome(shown("Ends"), PASSING, warnings=(CLOSING,))
    text, code = nagios.nagios([*many, late, UNTRIED, CheckOutcome(shown("Refused"), FAILING)], NOW)
    lines = text.splitlines()
    assert code == 2
    assert [line.split(":")[0] for line in lines[1:5]] == ["CRITICAL", "UNKNOWN", "WARNING", "OK"]
    assert [" | " in line for line in lines] == [False] * 103 + [True]


EXPIRED = Report(
    ENDPOINT,
    (
        CheckResult(Stage.DNS, Verdict.PASS, 0.012),
        CheckResult(Stage.STARTTLS, Verdict.FAIL, 0.04, FINDING.title, FINDING, tls=FACTS),
    ),
)


def test_a_certificate_that_has_run_out_has_days_below_zero() -> None:
    told = [CheckOutcome(shown("a"), EXPIRED)]
    later = FACTS.not_after
    assert later is not None
    assert "'a certificate days'=-1;21:;0:" in nagios.nagios(told, later + timedelta(hours=1))[0]
    assert re.search(
        r"certificate_days\{.*\} -1$", prometheus.prometheus(told, later + timedelta(hours=1)), re.MULTILINE
    )
    assert "certificate_days{" not in prometheus.prometheus(told, NOW), "refused for another reason, it is not believed"


def test_nagios_keeps_names_out_of_the_performance_data() -> None:
    text, _ = nagios.nagios([CheckOutcome(shown("it's | a=name"), PASSING)], NOW)
    head, bar, data = text.partition(" | ")
    assert bar
    assert "|" not in head + data
    assert data == "'it''s / a_name'=0.132s 'it''s / a_name certificate days'=32;21:;0:"


def test_nagios_says_what_is_about_to_end() -> None:
    text, _ = nagios.nagios([CheckOutcome(shown("a"), PASSING, warnings=(CLOSING,))], NOW)
    assert text.startswith("SMTP WARNING - a: 2026-12-31: Passwords: announced. | 'a'=")


PERFORMANCE = re.compile(
    r"(?:'(?:[^'=]|'')+'|[^\s'=]+)=-?[0-9.]+(?:us|ms|s|%|[KMGT]?B|c)?"
    r"(?:;(?:@?(?:~|-?[0-9.]*)(?::-?[0-9.]*)?)?){0,2}(?:;-?[0-9.]*){0,2}"
)
"""One label with its value, warning, critical, least and most (Monitoring Plugins Development Guidelines, 2.6)."""


def test_the_performance_data_are_what_the_guidelines_say() -> None:
    names = ("plain", "two words", "it's", "a=b|c", "\u00fc")
    text, _ = nagios.nagios([CheckOutcome(shown(name), PASSING) for name in names], NOW)
    data = text.splitlines()[-1].partition(" | ")[2]
    found = PERFORMANCE.findall(data)
    assert len(found) == 2 * len(names)
    assert " ".join(found) == data


def test_the_own_parser_of_prometheus_takes_the_metrics() -> None:
    told = [CheckOutcome(shown('a "b" \\'), PASSING, warnings=(CLOSING,)), CheckOutcome(shown("c"), FAILING)]
    families = {each.name: each for each in text_string_to_metric_families(prometheus.prometheus(told, NOW) + "\n")}
    days = families["smtp_wizard_certificate_days"].samples
    assert [(each.labels["account"], each.value) for each in days] == [('a "b" \\', 32.0)]
    warnings = families["smtp_wizard_warning"].samples
    assert [(each.labels["account"], each.labels["kind"]) for each in warnings] == [('a "b" \\', "retirement")]
    assert {each.value for each in families["smtp_wizard_check_success"].samples} == {0.0, 1.0}
    assert {each.type for each in families.values()} == {"gauge"}


def test_a_parser_of_junit_counts_the_same() -> None:
    told = [CheckOutcome(shown("Office"), FAILING), CheckOutcome(shown("Home"), PASSING), UNTRIED]
    suites = JUnitXml.fromstring(junit.junit(told).encode())
    found = [(suite.name, suite.tests, suite.failures, suite.errors, suite.skipped) for suite in suites]
    assert found == [("Office", 3, 1, 0, 1), ("Home", 4, 0, 0, 0), ("Locked one", 1, 0, 1, 0)]
    (case,) = [case for suite in suites for case in suite if case.result and case.result[0].type == "bad_credentials"]
    assert (case.classname, case.name) == ("Office", "auth")


def test_prometheus_has_one_type_line_a_metric_and_escaped_labels() -> None:
    text = prometheus.prometheus([CheckOutcome(shown('a "b" \\'), PASSING), CheckOutcome(shown("c"), FAILING)], NOW)
    assert 'smtp_wizard_check_success{account="a \\"b\\" \\\\",host="mail.example.com",port="587"' in text
    assert text.count("# TYPE smtp_wizard_check_success gauge") == 1
    assert 'stage="mail"' not in text  # it was not reached
    assert "smtp_wizard_certificate_not_after_seconds{" in text
    for line in text.splitlines():
        assert re.fullmatch(r'# (HELP|TYPE) \w+ .+|\w+\{\w+="([^"\\]|\\.)*"(,\w+="([^"\\]|\\.)*")*\} [0-9.]+', line)
