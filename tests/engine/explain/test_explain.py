"""Pasted texts: what each comes down to, what is quoted of it, and what never leaves it."""

from __future__ import annotations

import json
import re
import tracemalloc
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from smtp_wizard.engine.base.connection import Auth
from smtp_wizard.engine.base.data_files import DataError, data_path
from smtp_wizard.engine.base.endpoint import Security
from smtp_wizard.engine.base.shown import shown
from smtp_wizard.engine.base.stages import Stage
from smtp_wizard.engine.diagnosis.diagnosis import load_diagnosis
from smtp_wizard.engine.diagnosis.rule_file import UNKNOWN
from smtp_wizard.engine.explain.error_context import AFTER, StageOrAfter
from smtp_wizard.engine.explain.explain import Explainer, Explanation
from smtp_wizard.engine.explain.pasted_text import LONGEST_TEXT, find_replies, plain_text, shortened, without_secrets
from smtp_wizard.engine.explain.wordings import load_wordings
from smtp_wizard.engine.providers.catalog import load_catalog
from smtp_wizard.engine.smtp.symptom import Hints
from tests.engine.explain.readers.test_bounces import EXCHANGE, EXIM, FRAGMENT, POSTFIX, QMAIL, WITHOUT_DIAGNOSTIC
from tests.support.rows import each_row
from tests.support.strangers import SAID, letters, nested

CATALOG = load_catalog()
DIAGNOSIS = load_diagnosis(names={provider.id: provider.firm for provider in CATALOG.providers})
EXPLAINER = Explainer(DIAGNOSIS, load_wordings(), CATALOG)

MAIN_CAUSES = frozenset(
    {
        "account_suspended",
        "address_not_verified",
        "app_password_required",
        "auth_method_unavailable",
        "auth_missing",
        "bad_address_format",
        "bad_credentials",
        "basic_auth_disabled",
        "ca_bundle_missing",
        "cert_expired",
        "cert_hostname_mismatch",
        "cert_self_signed",
        "connection_intercepted",
        "content_rejected",
        "daily_limit",
        "dns_host_not_found",
        "helo_rejected",
        "ip_not_allowlisted",
        "ipv6_broken",
        "local_firewall_denied",
        "message_too_large",
        "no_network",
        "oauth_token_invalid",
        "port_blocked",
        "rate_limited",
        "recipient_rejected",
        "security_policy_blocked",
        "sender_not_allowed",
        "sending_ip_rejected",
        "service_key_needed",
        "smtp_access_off",
        "smtp_auth_disabled",
        "smtputf8_unsupported",
        "spf_dmarc_fail",
        "starttls_not_offered",
        "starttls_required",
        "temporary_try_later",
        "tls_use_implicit",
        "tls_use_starttls",
        "tls_version_old",
        "too_many_logins",
        "too_many_recipients",
        "web_login_required",
        "wrong_host_or_port",
        "wrong_region_server",
    }
)
"""What an explanation can come down to: stable, since scripts are written against these names."""


@dataclass(frozen=True)
class Case:
    """One line of errors.txt."""

    line: int
    stage: StageOrAfter | None
    provider: str | None
    settings: Hints
    text: str
    cause: str

    def explain(self, text: str | None = None) -> Explanation:
        return EXPLAINER.explain_text(
            self.text if text is None else text, stage=self.stage, settings=self.settings, provider=self.provider
        )


SECURITY = {"ssl": Security.TLS, "starttls": Security.STARTTLS, "none": Security.NONE}


def _cases() -> Iterator[Case]:
    lines = (Path(__file__).parent / "errors.txt").read_text("utf-8").splitlines()
    for number, line in enumerate(lines, 1):
        if not line or line.startswith("#"):
            continue
        stage, provider, settings, rest = line.split(" | ", 3)
        text, cause = rest.rsplit(" => ", 1)
        port, _, security = settings.partition("/")
        yield Case(
            number,
            None if stage == "-" else AFTER if stage == AFTER else Stage(stage),
            None if provider == "-" else provider,
            Hints(port=int(port) if port.isdigit() else None, security=SECURITY.get(security)),
            text.replace("\\n", "\n"),
            cause,
        )


CASES = tuple(_cases())


def explain(text: str, **more: object) -> Explanation:
    return EXPLAINER.explain_text(text, **more)  # type: ignore[arg-type]


# --- what each comes down to -----------------------------------------------------------------------------------------


@each_row("case", CASES, ids=lambda case: f"line {case.line}")
def test_errors(case: Case) -> None:
    assert case.explain().cause == case.cause


def test_every_main_cause_is_among_them() -> None:
    assert {case.cause for case in CASES} == MAIN_CAUSES | {UNKNOWN}
    assert len(CASES) > 800


def test_an_explanation_only_names_main_causes() -> None:
    known = {name: explain_broadly(name) for name in DIAGNOSIS.causes}
    assert set(known.values()) == MAIN_CAUSES | {UNKNOWN}


def explain_broadly(cause: str) -> str:
    """What a cause comes down to, by the first rule that ends in it; the cause itself where none does."""
    found = next((rule for rule in DIAGNOSIS.rules if rule.cause == cause), None)
    return DIAGNOSIS.broadly(cause) if found is None or not found.broadly else found.broadly


@pytest.mark.parametrize(
    "wrap",
    [
        lambda text: "\n".join(f"> {line}" for line in text.splitlines()),
        lambda text: text.replace("\n", "\r\n"),
        lambda text: json.dumps({"level": "error", "message": text}),
        lambda text: f"<html><body><p>Sorry!</p><pre>{text.replace('<', '&lt;')}</pre></body></html>",
        lambda text: f'Traceback (most recent call last):\n  File "app.py", line 553, in send\n    mail(x)\n{text}',
        lambda text: f"[2026-11-23 10:15:04] app.ERROR: {text} [] []",
    ],
    ids=["quoted", "wire", "JSON", "HTML", "traceback", "log"],
)
def test_wrapping_changes_little(wrap: object) -> None:
    """However an error comes, nearly always the same is read from it."""
    assert callable(wrap)
    known = [case for case in CASES if case.cause != UNKNOWN]
    same = [case for case in known if case.explain(wrap(case.text)).cause == case.cause]
    assert len(same) >= 0.96 * len(known)


def test_without_a_stage_nearly_as_much_is_known() -> None:
    told = [case for case in CASES if case.stage is not None and case.stage != AFTER]
    same = [
        case for case in told if explain(case.text, settings=case.settings, provider=case.provider).cause == case.cause
    ]
    assert len(same) >= 0.9 * len(told)


@pytest.mark.parametrize(
    ("letter", "cause"),
    [
        (POSTFIX, "recipient_rejected"),
        (FRAGMENT, "spf_dmarc_fail"),
        (QMAIL, "recipient_rejected"),
        (EXIM, "content_rejected"),
        (EXCHANGE, "recipient_rejected"),
        (WITHOUT_DIAGNOSTIC, "recipient_rejected"),
        (FRAGMENT.replace("> ", "").replace("\n", "\\n"), "spf_dmarc_fail"),
    ],
    ids=["Postfix", "fragment", "qmail", "Exim", "Exchange", "no diagnostic", "escaped"],
)
def test_bounces(letter: str, cause: str) -> None:
    found = explain(letter)
    assert found.cause == cause
    assert found.bounced
    assert not [step for step in found.finding.steps if "Test again" in step]


# --- how sure --------------------------------------------------------------------------------------------------------


def test_more_evidence_is_worth_more() -> None:
    said = [
        explain("535-5.7.8 Username and Password not accepted. smtp.gmail.com"),
        explain("550 5.7.23 x"),
        explain("550 xyz"),
        explain("571 computer says no"),
    ]
    sure = [each.confidence for each in said]
    assert sure == sorted(sure, reverse=True)
    assert sure[0] >= 0.9
    assert 0.3 <= sure[2] <= 0.6
    assert sure[3] == 0


@pytest.mark.parametrize("text", ["Mail error", "It failed", "The mail was not sent, please contact the administrator"])
def test_what_says_nothing_is_unknown(text: str) -> None:
    found = explain(text)
    assert (found.cause, found.confidence, found.matched) == (UNKNOWN, 0, ())
    assert found.finding.steps


def test_evidence_is_quoted() -> None:
    found = explain("554 5.7.1 <ana@example.com>: Sender address rejected: not owned by user x", stage=Stage.MAIL)
    assert found.matched[0] == "reply 554 5.7.1"
    assert "words: not owned by" in found.matched


@pytest.mark.parametrize(
    ("text", "settings", "cause"),
    [
        ("SSL routines:wrong version number", Hints(port=587, security=Security.TLS), "tls_use_starttls"),
        ("Greeting never received", Hints(port=465, security=Security.NONE), "tls_use_implicit"),
        ("Greeting never received", Hints(port=587, security=Security.STARTTLS), "port_blocked"),
        ("connect ETIMEDOUT", Hints(port=25), "port_blocked"),
        ("535 5.7.8 no", Hints(host=shown("smtp.gmail.com"), auth=Auth.XOAUTH2), "oauth_token_invalid"),
        ("535 5.7.8 no", Hints(host=shown("smtp.mail.yahoo.com")), "app_password_required"),
        ("getaddrinfo ENOTFOUND", Hints(host=shown("smtp.gmail.com")), "no_network"),
        ("getaddrinfo ENOTFOUND", Hints(host=shown("smtp.gmial.com")), "dns_host_not_found"),
        ("ECONNREFUSED", Hints(host=shown("smtp.gmail.com"), port=587), "port_blocked"),
        ("ECONNREFUSED", Hints(host=shown("mail.example.com"), port=587), "wrong_host_or_port"),
    ],
)
def test_the_settings_decide(text: str, settings: Hints, cause: str) -> None:
    assert explain(text, settings=settings).cause == cause


def test_host_and_port_are_read_from_the_text() -> None:
    assert explain("ssl://smtp.gmail.com:587: handshake failed, connection closed").cause == "tls_use_starttls"
    assert explain("535 failed (smtp.sendgrid.net:587)").cause == "service_key_needed"


@pytest.mark.parametrize(
    ("name", "provider"),
    [
        ("gmail", "gmail"),
        ("Gmail", "gmail"),
        ("office365", "microsoft365"),
        ("outlook.com", "outlook-com"),
        ("163", "netease-163"),
        ("mail.ru", "mail-ru"),
        ("smtp.sendgrid.net", "sendgrid"),
        ("generic", None),
        ("", None),
    ],
)
def test_providers_by_what_people_call_them(name: str, provider: str | None) -> None:
    assert EXPLAINER.provider_called(name) == provider


def test_a_mail_address_says_nothing_about_whose_server_it_was() -> None:
    """Somebody's own server refuses a password; that the user is at a big provider does not matter."""
    assert explain("mail.example.com said 535 5.7.8 failed for ana@yahoo.com").cause == "bad_credentials"


# --- what never leaves it --------------------------------------------------------------------------------------------

SECRETS = ("hunter2", "eyJhbGciOiJSUzI1NiIsImtpZCI6", "AGFuYQBodW50ZXIy")


@each_row("case", [case for case in CASES if case.cause != UNKNOWN][::7], ids=lambda case: f"line {case.line}")
def test_no_secret_is_quoted(case: Case) -> None:
    trace = (
        f"{case.text} (ana@customer.example pass=hunter2 token {SECRETS[1]}aaaaaaaa AUTH PLAIN {SECRETS[2]}) "
        f"https://customer.example/u?key={SECRETS[1]}aaaa"
    )
    said = str(case.explain(trace))
    assert not [each for each in SECRETS if each in said]


def test_servers_that_everybody_uses_stay() -> None:
    found = explain("connect to smtp.gmail.com:587 timed out")
    assert "smtp.gmail.com (port 587)" in found.finding.explanation
    assert "smtp.gmail.com (port 587)" in (found.finding.forward or "")


def test_the_persons_own_addresses_and_servers_stay_readable() -> None:
    """They are what the answer is about, and it is the person's own."""
    found = explain("550 5.7.26 Unauthenticated email from firm.example is not accepted due to domain's DMARC policy")
    assert "Unauthenticated email from firm.example" in found.finding.server_said


@pytest.mark.parametrize(
    ("text", "without"),
    [
        ("ana@example.com at mail.example.com [192.0.2.1]", "ana@example.com at mail.example.com [192.0.2.1]"),
        ("password=hunter2, passwd: 'x y'", "password=[hidden], passwd: '[hidden] y'"),
        ("password not accepted: rejected", "password not accepted: rejected"),
        ("AUTH PLAIN AGFuYQBodW50ZXIy", "AUTH PLAIN [hidden]"),
        ("Bearer ya29.a0AfH6SMBxQ", "Bearer [hidden]"),
        (
            "see https://support.google.com/mail/?p=BadCredentials",
            "see https://support.google.com/mail/?p=BadCredentials",
        ),
        ("go to https://example.com/?key=0123456789abcdefghijklmnop", "go to https://example.com/?key=[...]"),
        ("id AM0PR01MB1234.eurprd01.prod.outlook.com", "id AM0PR01MB1234.eurprd01.prod.outlook.com"),
        ("token 0123456789abcdefghijklmnopqrstuvwxyz", "token [...]"),
    ],
)
def test_secrets_are_taken_out(text: str, without: str) -> None:
    assert without_secrets(text) == without


# --- whatever comes in -----------------------------------------------------------------------------------------------


@settings(max_examples=150, deadline=None)
@given(
    st.text(max_size=300)
    | st.builds(str.__add__, st.sampled_from([case.text for case in CASES]), st.text(max_size=60)),
    st.none() | st.sampled_from([*Stage, AFTER]),
    st.builds(Hints, host=st.text(max_size=40), port=st.none() | st.integers(1, 65535)),
    st.none() | st.text(max_size=20),
)
def test_explaining_is_total(text: str, stage: StageOrAfter | None, told: Hints, name: str | None) -> None:
    found = EXPLAINER.explain_text(text, stage=stage, settings=told, provider=name, client=name)
    assert found.cause in MAIN_CAUSES | {UNKNOWN}
    assert 0 <= found.confidence <= 1
    assert found.finding.steps
    assert all(len(each) < 200 for each in found.matched)


@settings(max_examples=200, deadline=None)
@given(letters())
def test_explaining_a_letter_is_total_whatever_it_is_made_of(letter: str) -> None:
    found = EXPLAINER.explain_text(letter, provider=letter[:40], client=letter[:40])
    assert found.cause in MAIN_CAUSES | {UNKNOWN}
    json.dumps(found.matched).encode()
    "".join([found.finding.explanation, *found.finding.steps, *found.matched, found.finding.forward or ""]).encode()


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=400))
def test_explaining_bytes_is_total(raw: bytes) -> None:
    for text in (raw.decode("latin-1"), raw.decode("utf-8", "replace"), raw.decode("utf-16", "replace")):
        assert EXPLAINER.explain_text(text).finding.steps


@pytest.mark.parametrize(
    "charset", ["idna", "undefined", "punycode", "utf-8\0", "rot13", "unicode_escape", "mbcs", "zip"]
)
def test_a_charset_that_is_none_changes_nothing(charset: str) -> None:
    head = f"From: MAILER-DAEMON\nTo: a\nContent-Type: text/plain; charset={charset}\n"
    for subject in ("Undelivered mail", f"=?{charset}?q?Undelivered=20mail?="):
        assert explain(f"{head}Subject: {subject}\n\n{SAID}\n").cause == "recipient_rejected"


@pytest.mark.parametrize("depth", [30, 600, 3000])
def test_a_letter_that_is_nested_deeply_is_explained(depth: int) -> None:
    assert explain(nested(depth, SAID)).cause == "recipient_rejected"


@pytest.mark.parametrize(
    "sign", ["&#" + "9" * 5000 + ";", "&#x" + "f" * 5000 + ";", "\ud800", "\0", "\\ud800", "\\x00"]
)
def test_signs_that_are_none_are_no_obstacle(sign: str) -> None:
    assert explain(f"{sign} 535 5.7.8 Username and Password not accepted {sign}").cause == "bad_credentials"


@pytest.mark.parametrize(
    "noise",
    [
        "\\",
        "zertifikat",
        "\u0301\u0316",
        "\ufdfa",
        "ssl_connect",
        "x",
        "550 ",
        "5.7.1 ",
        "a.b.c.d.",
        "<",
        "\\n",
        "> ",
        "connection ",
        "not ",
    ],
)
def test_a_long_text_costs_little(noise: str) -> None:
    text = noise * (3 * LONGEST_TEXT // len(noise))
    assert explain(f"{text}\n535 5.7.8 Username and Password not accepted").cause == "bad_credentials"


LINE = "2026-11-23 10:15:04 worker[12]: connecting to the queue, 17 jobs waiting, all is well here\n"
MEGABYTE_AND_A_HALF = LINE * (1_500_000 // len(LINE))
DENIED = "smtplib.SMTPAuthenticationError: (535, b'5.7.8 Username and Password not accepted')\n"


@pytest.mark.parametrize(
    "text",
    [
        MEGABYTE_AND_A_HALF + DENIED + MEGABYTE_AND_A_HALF,
        (MEGABYTE_AND_A_HALF + DENIED + MEGABYTE_AND_A_HALF).replace("\n", "\\n"),
        LINE * 400 + DENIED + MEGABYTE_AND_A_HALF * 2,
        DENIED + MEGABYTE_AND_A_HALF,
        MEGABYTE_AND_A_HALF + DENIED,
    ],
    ids=["middle", "one line", "first half", "beginning", "end"],
)
def test_an_error_in_three_megabytes_is_explained_wherever_it_stands(text: str) -> None:
    assert explain(text).cause == "bad_credentials"


@given(st.text("ab 5\n", max_size=300), st.integers(0, 200))
def test_a_text_is_shortened_to_what_fits(text: str, longest: int) -> None:
    short = shortened(text, longest)
    assert short == text or len(short) <= max(longest, 40)
    assert (short == text) or len(text) > longest


def test_of_very_many_faults_the_first_and_the_last_are_taken() -> None:
    text = "".join(f"{at}: 550 5.1.1 no\n" + LINE * 9 for at in range(5000))
    short = shortened(text, LONGEST_TEXT)
    assert len(short) <= LONGEST_TEXT
    numbers = [int(found) for found in re.findall(r"^(\d+): 550", short, re.MULTILINE)]
    assert numbers == sorted(numbers)
    assert numbers[0] == 0
    assert numbers[-1] == 4999
    assert len(numbers) > 60


BASE64 = "VGhlIG1haWxib3ggaXMgZnVsbC4g" * 3 + "\n"
HEAD = "From: MAILER-DAEMON\nTo: a\nSubject: Undelivered mail\n"


@pytest.mark.parametrize(
    "text",
    [
        f"{HEAD}Content-Transfer-Encoding: base64\n\n{BASE64 * 36_000}",
        HEAD + "Content-Type: message/rfc822\n\n" * 100_000,
        HEAD + "Content-Type: multipart/mixed; boundary=b\n\n" + "--b\n\n" * 600_000,
        nested(100_000, "x"),
        "\ufdfa" * 1_000_000,
        "&lt;" * 750_000,
        "550 5.1.1 no\n" * 230_000,
    ],
    ids=["base64", "messages in messages", "parts", "nested", "long signs", "references", "replies"],
)
def test_what_is_expanded_stays_bounded(text: str) -> None:
    """Megabytes of whatever grows when it is read: the memory for it is a few times that of the text."""
    explain("535 no")  # so that the rules are ready
    tracemalloc.start()
    try:
        assert explain(text).finding.steps
        assert tracemalloc.get_traced_memory()[1] < 40_000_000
    finally:
        tracemalloc.stop()


def test_of_a_long_log_the_end_counts_too() -> None:
    log = "\n".join(f"10:00:{at % 60:02} connecting" for at in range(20_000))
    assert (
        explain(f"{log}\nSMTPDataError: (552, b'5.3.4 Message size exceeds fixed limit')").cause == "message_too_large"
    )


# --- the pieces ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("pasted", "plain"),
    [
        ("a\\nb", "a\nb"),
        ("a\\r\\nb", "a\n\nb"),
        ("a\\\\r\\\\nb", "a\n\nb"),
        ("a\r\nb", "a\nb"),
        ("> > a\n> b", "a\nb"),
        ("<p>a<br/>b</p>", "\na\nb\n"),
        ("<a href='x'>a</a> <ana@example.com>", "a <ana@example.com>"),
        ("&lt;a&gt; &amp; b", "<a> & b"),
        ("\\u003cana@x\\u003e \\x41", "<ana@x> A"),
        ("it\u2019s\u00a0here", "it's here"),
        ("\uff15\uff13\uff15", "535"),
    ],
)
def test_plain_text(pasted: str, plain: str) -> None:
    assert plain_text(pasted) == plain


@pytest.mark.parametrize(
    ("text", "replies"),
    [
        ("535 5.7.8 No", [(535, "5.7.8", "No")]),
        ("535-5.7.8 No\n535 5.7.8 Never", [(535, "5.7.8", "No 5.7.8 Never")]),
        ("(535, b'5.7.8 No')", [(535, "5.7.8", "No")]),
        ("responseCode: 550, response: '550 No such user'", [(550, None, "No such user")]),
        ("553 sorry (#5.7.1)", [(553, "5.7.1", "sorry (#5.7.1)")]),
        ("smtp;550 5.1.1 Unknown", [(550, "5.1.1", "Unknown")]),
        ("#5.7.1 smtp;550 5.7.1 Unable", [(550, "5.7.1", "Unable")]),
        ('code "530", with message "530 5.7.0 Must', [(530, "5.7.0", "Must")]),
        ("421-4.7.0 a\r\n421 4.7.0 b\n", [(421, "4.7.0", "a 4.7.0 b")]),
        ("port 587, line 535, at x.js:550:12", []),
        ("192.0.2.450 and 2001:db8:550::1", []),
        ("HTTP/1.1 404 Not Found", []),
        ("after 500 ms, 550KB", []),
        ("220 ready\n250 ok", []),
    ],
)
def test_replies(text: str, replies: list[tuple[int, str | None, str]]) -> None:
    found = [(each.code, each.enhanced, each.words) for each in find_replies(plain_text(text))]
    assert bool(found) == bool(replies)
    assert set(found) >= set(replies)


def test_the_clues_are_read_strictly(tmp_path: Path) -> None:
    good = data_path("wordings.yaml").read_text("utf-8")
    for old, new, complaint in (
        ("schema: 1", "schema: 2", "schema"),
        ("fault: silent", "fault: sielnt", "'sielnt' is none of"),
        ("    words: ['support", "    words: ['(", "is not a pattern"),
        ("stage: greeting\n", "stagee: greeting\n", "stagee"),
        ("code: 421", "code: x", "whole number"),
    ):
        assert old in good
        path = tmp_path / "wordings.yaml"
        path.write_text(good.replace(old, new, 1), "utf-8")
        with pytest.raises(DataError, match=r"wordings\.yaml, line \d+, column \d+: ") as caught:
            load_wordings(path)
        assert complaint in str(caught.value)
