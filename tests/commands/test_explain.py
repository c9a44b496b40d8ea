"""`explain`: pasted errors on the command line, one or many."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from smtp_wizard.commands.explain import LONGEST_LINE, LONGEST_TEXT
from smtp_wizard.engine.explain.explain import Explainer, Explanation
from tests.support.cli import LIMIT, PROGRAM, Ran, checked, hold, on_terminal, run
from tests.support.strangers import LINES, lines_of

BLOCKED = "Error: connect ETIMEDOUT 192.0.2.4:25"
GMAIL = "535-5.7.8 Username and Password not accepted. Learn more at\n535 5.7.8 https://support.google.com/mail/?p=Bad"


def explained(*arguments: str, stdin: str | bytes = "") -> dict[str, Any]:
    ran = run("explain", "--json", *arguments, stdin=stdin)
    assert (ran.code, ran.err) == (0, "")
    return ran.document


def lines(ran: Ran) -> list[dict[str, Any]]:
    return [checked(line) for line in ran.out.splitlines()]


def asked(*objects: object) -> str:
    return "".join(json.dumps(each) + "\n" for each in objects)


def test_a_person_reads_what_it_is_and_what_to_do() -> None:
    ran = run("explain", stdin=GMAIL)
    assert ran.code == 0
    assert ran.out.startswith("Google wants an app password here\n")
    assert "Who must act: You" in ran.out
    assert " 1. " in ran.out
    assert "smtp-wizard guide gmail-app-password" in ran.out


def test_the_document() -> None:
    document = explained(stdin=GMAIL)
    assert (document["cause"], document["code"]) == ("bad_credentials", "app_password_required")
    assert document["who"] == "you"
    assert document["guide"] == "gmail-app-password"
    assert document["forward"] is None
    assert document["confidence"] > 0.8
    assert "reply 535 5.7.8" in document["matched"]


def test_from_a_file(tmp_path: Path) -> None:
    file = tmp_path / "error.log"
    file.write_text(BLOCKED, "utf-8")
    document = explained(str(file))
    assert (document["cause"], document["who"]) == ("port_blocked", "network")
    assert document["forward"].startswith("Hello")


@pytest.mark.parametrize(
    "raw", [BLOCKED.encode("utf-16"), b"\xef\xbb\xbf" + BLOCKED.encode(), b"\xff\xe9 " + BLOCKED.encode()]
)
def test_any_encoding(raw: bytes) -> None:
    assert explained("-", stdin=raw)["cause"] == "port_blocked"


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    ran = run("explain", "--json", str(tmp_path / "none"))
    assert (ran.code, ran.error["code"]) == (2, "input")
    assert "No such file" in ran.error["message"]


@pytest.mark.parametrize("nothing", ["", " \n\t\n"])
def test_nothing_to_explain(nothing: str) -> None:
    ran = run("explain", "--json", stdin=nothing)
    assert (ran.code, ran.error["message"]) == (2, "There is nothing to explain.")


def test_a_huge_text_is_read_only_so_far() -> None:
    assert explained(stdin=BLOCKED + "\n" + "x" * LONGEST_TEXT)["cause"] == "port_blocked"


def test_unknown_says_so_and_what_to_try() -> None:
    document = explained(stdin="It does not work")
    assert (document["cause"], document["confidence"], document["matched"]) == ("unknown", 0, [])
    assert document["steps"]


@pytest.mark.parametrize(
    ("options", "cause"),
    [
        ((), "tls_use_starttls"),
        (("--port", "465", "--security", "starttls"), "tls_use_starttls"),
    ],
)
def test_a_wrong_version_number(options: tuple[str, ...], cause: str) -> None:
    assert explained(*options, stdin="SSL routines:ssl3_get_record:wrong version number")["cause"] == cause


@pytest.mark.parametrize(
    ("text", "options", "cause"),
    [
        ("Greeting never received", ("--port", "465", "--security", "none"), "tls_use_implicit"),
        ("Greeting never received", ("--port", "587", "--security", "starttls"), "port_blocked"),
        (
            "Error: socket hang up, connection closed",
            ("--port", "587", "--security", "ssl", "--stage", "tls"),
            "tls_use_starttls",
        ),
        ("535 Error: authentication failed", ("--provider", "yahoo"), "app_password_required"),
        ("535 Error: authentication failed", ("--host", "smtp.sendgrid.net"), "service_key_needed"),
        ("535 Error: authentication failed", (), "bad_credentials"),
        ("550 5.7.1 rejected: account disabled", ("--stage", "after"), "account_suspended"),
        ("The operation has timed out.", ("--client", "System.Net.Mail", "--port", "465"), "tls_use_implicit"),
    ],
)
def test_what_is_known_beside_the_text_decides(text: str, options: tuple[str, ...], cause: str) -> None:
    assert explained(*options, stdin=text)["cause"] == cause


def test_a_provider_that_nobody_knows_is_no_obstacle() -> None:
    ran = run("explain", "--json", "--provider", "nobody", stdin=GMAIL)
    assert (ran.code, ran.document["cause"]) == (0, "bad_credentials")
    assert "'nobody' is not known" in ran.err


@pytest.mark.parametrize(
    "options", [("--stage", "lunch"), ("--port", "70000"), ("--port", "x"), ("--security", "maybe"), ("--what",)]
)
def test_wrong_usage(options: tuple[str, ...]) -> None:
    ran = run("explain", "--json", *options, stdin=GMAIL)
    assert ran.code == 2
    assert ran.error["message"]


def test_no_password_is_said_again_and_the_persons_own_addresses_are() -> None:
    text = (
        "smtp.customer.example said 550 5.7.1 <ana.lopez@customer.example>: Sender address rejected: not owned by "
        "user ana.lopez@customer.example from 192.0.2.77, password=hunter2"
    )
    told, document = run("explain", stdin=text), run("explain", "--json", stdin=text)
    assert "hunter2" not in told.out + told.err + document.out + document.err
    assert "ana.lopez@customer.example" in told.out


# --- many ---


def test_lines_in_and_out_in_order() -> None:
    ran = run(
        "explain",
        "--jsonl",
        stdin=asked(
            {"text": BLOCKED, "id": 1},
            {"text": "550 relay not permitted", "stage": "rcpt", "settings": {"port": 25, "security": "none"}},
            {"text": "535 authentication failed", "stage": "auth", "provider": "icloud", "client": "nodemailer"},
            {"text": "", "stage": None, "settings": None, "provider": None},
            {"text": "EOF", "stage": "tls", "settings": {"port": "587", "security": "SSL", "host": None}},
            {"text": "535 5.7.8 no", "stage": "auth", "settings": {"host": "smtp.gmail.com", "auth": "xoauth2"}},
        ),
    )
    assert (ran.code, ran.err) == (0, "")
    assert [each["cause"] for each in lines(ran)] == [
        "port_blocked",
        "auth_missing",
        "app_password_required",
        "unknown",
        "tls_use_starttls",
        "oauth_token_invalid",
    ]


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("nonsense", "The line is not JSON."),
        ("", "The line is not JSON."),
        ('"text"', "The line is not a JSON object."),
        ("[" * 100_000, "The line is not JSON."),
        ("{}", "The key 'text' is missing, or is no text."),
        ('{"text": 5}', "The key 'text' is missing, or is no text."),
        ('{"text": "x", "stage": "lunch"}', "The stage 'lunch' is none of: dns"),
        ('{"text": "x", "stage": 5}', "The key 'stage' is no text."),
        ('{"text": "x", "settings": []}', "The key 'settings' is no object."),
        ('{"text": "x", "settings": {"port": 0}}', "A port is a number"),
        ('{"text": "x", "settings": {"port": true}}', "A port is a number"),
        ('{"text": "x", "settings": {"security": "maybe"}}', "The security 'maybe' is none of: tls"),
        ('{"text": "x", "provider": ["y"]}', "The key 'provider' is no text."),
        ('{"text": "' + "x" * LONGEST_LINE + '"}', "The line is longer than"),
    ],
    ids=range(14),
)
def test_a_bad_line_is_answered_in_its_place(line: str, message: str) -> None:
    ran = run("explain", "--jsonl", stdin=f"{asked({'text': BLOCKED})}{line}\n{asked({'text': BLOCKED})}")
    before, bad, after = lines(ran)
    assert ran.code == 2
    assert before["cause"] == after["cause"] == "port_blocked"
    assert (bad["schema"], bad["error"]["code"]) == ("smtp-wizard/error/1", "input")
    assert bad["error"]["message"].startswith(message)


@settings(max_examples=25, deadline=None)
@given(st.lists(LINES, max_size=3))
def test_every_line_has_its_answer_whatever_stands_in_the_others(given_lines: list[bytes]) -> None:
    known = asked({"text": BLOCKED}).encode()
    ran = run("explain", "--jsonl", stdin=known + lines_of(given_lines) + known)
    answers = lines(ran)
    assert len(answers) == len(given_lines) + 2
    assert answers[0]["cause"] == answers[-1]["cause"] == "port_blocked"
    failed = [each["error"]["code"] for each in answers if "error" in each]
    assert (ran.code, set(failed), ran.err) == (2 if failed else 0, {"input"} if failed else set(), "")
    for each in answers:
        hold(each, "explain-line")


def test_a_line_that_meets_a_fault_costs_that_line_only(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """What cannot happen by what stands in a line is told in its place, and written down."""
    explain = Explainer.explain_text

    def faulty(explainer: Explainer, text: str, **more: Any) -> Explanation:
        if text.startswith("secret"):
            raise RecursionError(text)
        return explain(explainer, text, **more)

    monkeypatch.setattr(Explainer, "explain_text", faulty)
    stdin = asked({"text": BLOCKED}, {"text": "secret words"}, {}, {"text": BLOCKED})
    ran = run("--config", str(tmp_path), "explain", "--jsonl", stdin=stdin)
    assert ran.code == 70
    assert [each.get("cause") or each["error"]["code"] for each in lines(ran)] == [
        "port_blocked",
        "bug",
        "input",
        "port_blocked",
    ]
    written = (tmp_path / "last-fault.log").read_text("utf-8")
    assert "RecursionError" in written
    assert "secret words" not in ran.out + ran.err + written


def test_the_schema_of_a_line_says_what_a_failed_one_is() -> None:
    schema = run("schema", "explain-line").out
    for words in ("The exit code is 0 without errors, 2 with any 'input', 70 with any 'bug'.", "smtp-wizard/error/1"):
        assert words in schema


@pytest.mark.parametrize("form", [(), ("--json",)])
@pytest.mark.parametrize(
    "raw",
    [
        b"From: a\nTo: b\nSubject: c\nContent-Type: text/plain; charset=idna\n\nmail delivery failed \xff\n",
        b"From: a\nTo: b\nSubject: c\nContent-Type: text/plain; charset=utf\x008\n\nmail delivery failed\n",
        b"\x00" * 1000,
        b"x" * 3_000_000,
        b"\xed\xa0\x80",
        b"&#" + b"9" * 5000,
    ],
    ids=range(6),
)
def test_whatever_is_pasted_is_explained(raw: bytes, form: tuple[str, ...]) -> None:
    ran = run("explain", *form, stdin=raw)
    assert (ran.code, ran.err) == (0, "")
    assert ran.out


def test_bytes_that_are_no_text() -> None:
    ran = run("explain", "--jsonl", stdin=b'{"text": "\xff"}\n' + asked({"text": BLOCKED}).encode())
    assert [each["schema"] for each in lines(ran)] == ["smtp-wizard/error/1", "smtp-wizard/explain/1"]


def test_options_stand_in_for_what_a_line_leaves_out() -> None:
    ran = run(
        "explain",
        "--jsonl",
        "--provider",
        "yahoo",
        stdin=asked({"text": "535 failed"}, {"text": "535 failed", "provider": "sendgrid"}),
    )
    assert [each["cause"] for each in lines(ran)] == ["app_password_required", "service_key_needed"]


def test_the_last_line_needs_no_end_and_no_lines_need_no_answer() -> None:
    assert len(lines(run("explain", "--jsonl", stdin=asked({"text": BLOCKED}).rstrip("\n")))) == 1
    assert run("explain", "--jsonl", stdin="") == Ran(0, "", "")


def test_an_answer_comes_before_the_next_line_is_asked() -> None:
    """Somebody may keep the program running and ask it now and then."""
    with subprocess.Popen(
        [*PROGRAM, "explain", "--jsonl"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        for _ in range(2):
            process.stdin.write(asked({"text": BLOCKED}))
            process.stdin.flush()
            assert checked(process.stdout.readline())["cause"] == "port_blocked"
        process.stdin.close()
        assert process.wait(LIMIT) == 0


def test_on_a_terminal_it_says_what_to_do() -> None:
    seen = on_terminal(["explain"], typed=[("Paste the error", f"{BLOCKED}\n\x04")])
    assert seen.code == 0
    assert "No answer came on port 25" in seen.out
