"""What is taken off a text before it is evidence: prefixes of logs, keys of JSON, frames, encodings."""

from __future__ import annotations

import base64
import json
import quopri

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smtp_wizard.engine.explain.readers.encoded_text import in_clear
from smtp_wizard.engine.explain.readers.json_values import without_keys
from smtp_wizard.engine.explain.readers.log_prefixes import split_prefix, without_prefix
from smtp_wizard.engine.explain.readers.stack_traces import read_exceptions, without_frames

SAID = "535 5.7.8 Error: authentication failed"


@pytest.mark.parametrize(
    "prefix",
    [
        "",
        "Jan  5 10:00:02 mail postfix/smtp[123]: ",
        "Jan  5 10:00:02 mail postfix/smtp: ",
        "2026-01-05T10:00:02.123456+01:00 mail exim[5]: ",
        "2026-01-05 10:00:02,123 ERROR ",
        "[2026-01-05 10:00:02] ",
        "2026/01/05 10:00:02 ",
        "05.01.2026 10:00:02 ",
        "web_1  | 2026-01-05 10:00:02 ",
        "10:00:02 ",
    ],
)
def test_what_a_log_writes_before_a_line(prefix: str) -> None:
    assert without_prefix(prefix + SAID) == SAID


def test_when_and_which_program() -> None:
    assert split_prefix(f"Jan  5 10:00:02 mail postfix/smtp[123]: {SAID}")[:2] == ("Jan  5 10:00:02", "postfix/smtp")


@pytest.mark.parametrize("text", ["", "550 no", "host mx.test said: 550", "5.7.8"])
def test_what_is_no_prefix_stays(text: str) -> None:
    assert without_prefix(text) == text


@given(st.text(max_size=200))
def test_prefixes_raise_nothing(text: str) -> None:
    assert text.endswith(without_prefix(text))


def test_keys_of_json_and_what_is_about_the_request_are_gone() -> None:
    record = {
        "url": "/index.php/content/policy",
        "userAgent": "Mozilla/5.0 (X11) 550",
        "time": "2026-01-05 10:05:35",
        "message": "Sending mail failed: 535 5.7.8 no",
        "code": "EAUTH",
    }
    said = without_keys(json.dumps(record))
    assert "535 5.7.8 no" in said
    assert '"code": "EAUTH"' in said
    for beside in ("url", "policy", "userAgent", "Mozilla", "10:05", "message"):
        assert beside not in said


def test_json_in_json_and_json_that_is_cut_off() -> None:
    inner = json.dumps({"Exception": "ServiceException", "Message": "Could not connect", "file": "/a/content.php"})
    outer = json.dumps({"reqId": "x", "message": inner}).replace('\\"', '"')
    said = without_keys(outer[:-9])
    assert "Could not connect" in said
    assert "content" not in said


@pytest.mark.parametrize("text", ["", 'he said "no": never', "a: b", '{"'])
def test_other_texts_have_no_keys(text: str) -> None:
    assert without_keys(text) == text


@pytest.mark.parametrize(
    "frame",
    [
        "\tat com.sun.mail.smtp.SMTPTransport.openServer(SMTPTransport.java:550)",
        "   at System.Net.Mail.SmtpClient.Send(MailMessage message) in C:\\src\\Mail.cs:line 535",
        "#3 /var/www/vendor/phpmailer/SMTP.php(550): PHPMailer->send()",
        '  File "/usr/lib/python3/smtplib.py", line 535, in login',
        "\tfrom /usr/lib/ruby/net/smtp.rb:550:in `check_response'",
        "/go/src/app/mail.go:535 +0x1f",
        "    at SMTPConnection._formatError (/app/node_modules/nodemailer/lib/smtp-connection/index.js:550:19)",
        "    at async Promise.all (index 0)",
        "... 27 more",
    ],
)
def test_frames_of_stack_traces_are_gone(frame: str) -> None:
    assert without_frames(f"Error: it failed\n{frame}\n{SAID}") == f"Error: it failed\n{SAID}"


def test_the_exceptions_of_a_trace_in_their_order() -> None:
    trace = (
        "javax.mail.MessagingException: Could not connect\n\tat a.b.C.d(C.java:5)\n"
        "Caused by: java.net.ConnectException: Connection refused\n"
    )
    found = read_exceptions(trace)
    assert [(each.kind, each.words) for each in found] == [
        ("javax.mail.MessagingException", "Could not connect"),
        ("java.net.ConnectException", "Connection refused"),
    ]
    assert found[1].lines.first == 3


LETTER = (
    "From: a\nSubject: Undelivered\n\n<b@else.test>: host mx.else.test said: 552 5.3.4 Message too big for us, sorry\n"
)


def test_base64_of_a_letter_without_its_header() -> None:
    assert in_clear(f"see:\n{base64.encodebytes(LETTER.encode()).decode()}") == f"see:\n{LETTER}"


def test_quoted_printable_without_its_header() -> None:
    text = f"Die Nachricht f\u00fcr Sie = nicht zugestellt, {'x' * 90} Empf\u00e4nger {'y' * 90} ende"
    encoded = quopri.encodestring(text.encode()).decode()
    assert in_clear(encoded) == text


def test_what_a_server_says_of_a_token() -> None:
    challenge = base64.b64encode(b'{"status":"400","schemes":"bearer"}').decode()
    assert in_clear(f"334 {challenge}") == '334 {"status":"400","schemes":"bearer"}'


@pytest.mark.parametrize(
    "text",
    [
        "",
        base64.b64encode(b"\0ana\0a password that nobody may see").decode(),
        base64.b64encode(bytes(range(256)) * 4).decode(),
        "user=ana pass=hunter2",
    ],
)
def test_what_may_be_a_secret_or_is_no_text_stays(text: str) -> None:
    assert in_clear(text) == text


def test_words_of_html() -> None:
    page = (
        "<html><head><style>p { color: red }</style></head><body><p>550 <b>no</b></p><p>&lt;b@else.test&gt;</p></body>"
    )
    said = in_clear(page)
    assert "550 no" in said
    assert "<b@else.test>" in said
    assert "color" not in said


@given(st.text("=\n<bodystyle>A334 eyJ", max_size=300))
def test_encodings_raise_nothing(text: str) -> None:
    in_clear(text)
