"""What a finding is made of: its words, the facts in them, its guide, the fix that it offers."""

from __future__ import annotations

import re
from datetime import datetime, timedelta

import pytest

from smtp_wizard.engine.base.data_files import data_path, read_yaml
from smtp_wizard.engine.base.endpoint import Endpoint, Security
from smtp_wizard.engine.base.shown import shown
from smtp_wizard.engine.base.stages import Stage
from smtp_wizard.engine.base.who import Who
from smtp_wizard.engine.diagnosis.placeholders import server_said
from smtp_wizard.engine.diagnosis.rule_file import UNKNOWN
from smtp_wizard.engine.smtp.symptom import Fault, Symptom, TlsFault
from tests.engine.diagnosis.symptoms import DIAGNOSIS, FINDINGS, STARTTLS_587, TLS_465, happened, replied
from tests.support.rows import each_row


def test_the_words_of_every_finding_are_short_and_clear() -> None:
    """A person reads a title of one line, two or three sentences, and steps of one action each."""
    for symptom, _, _ in FINDINGS.values():
        finding = DIAGNOSIS.explain(symptom)
        assert 8 <= len(finding.title) <= 70
        assert not finding.title.endswith(".")
        assert 1 <= len(re.findall(r"[.!?](?=\s|$)", finding.explanation)) <= 3
        assert len(finding.explanation) <= 300
        assert 1 <= len(finding.steps) <= 5
        assert all(len(step) <= 220 for step in finding.steps)


def test_facts_are_filled_in() -> None:
    finding = DIAGNOSIS.explain(
        happened(
            Stage.STARTTLS,
            Fault.TLS_FAILED,
            tls=TlsFault.WRONG_NAME,
            facts={"certificate_names": "mail.host.example, host.example"},
        )
    )
    assert "smtp.example.com" in finding.explanation
    assert "mail.host.example, host.example" in finding.explanation
    assert any("mail.host.example, host.example" in step for step in finding.steps)


def test_a_provider_is_called_by_its_name() -> None:
    finding = DIAGNOSIS.explain(replied(Stage.AUTH, "535 5.7.8 no", provider="ionos"))
    assert "IONOS" not in finding.title
    app = DIAGNOSIS.explain(replied(Stage.AUTH, "535 no", provider="yahoo"))
    assert app.explanation.startswith("Yahoo Mail does not let programs in")


def test_a_provider_without_a_name_gets_a_word_that_fits_the_sentence() -> None:
    finding = DIAGNOSIS.explain(replied(Stage.AUTH, "534 5.7.9 Application-specific password required"))
    assert finding.explanation.startswith("Your e-mail provider does not let programs in")
    assert finding.steps[0] == "Sign in on the website of your e-mail provider."


def test_an_endpoint_that_answered_is_offered_in_words_and_as_a_fix() -> None:
    wrong = Endpoint("smtp.example.com", 587, Security.TLS)
    offered = DIAGNOSIS.explain(happened(Stage.TLS, Fault.SPEAKS_PLAIN, wrong, other=TLS_465))
    assert offered.fix == TLS_465
    assert "Or use smtp.example.com (port 465) with SSL/TLS." in offered.steps
    alone = DIAGNOSIS.explain(happened(Stage.TLS, Fault.SPEAKS_PLAIN, wrong))
    assert alone.fix is None
    assert len(alone.steps) == len(offered.steps) - 1
    same_port = DIAGNOSIS.explain(happened(Stage.TLS, Fault.SPEAKS_PLAIN, wrong, other=STARTTLS_587))
    assert same_port.fix == STARTTLS_587
    assert same_port.steps == alone.steps


def test_the_better_wording_is_said_where_its_facts_are_known() -> None:
    known = DIAGNOSIS.explain(happened(Stage.CONNECT, Fault.SILENT, other=TLS_465))
    assert known.steps[0] == "Try smtp.example.com (port 465) with SSL/TLS instead."
    unknown = DIAGNOSIS.explain(happened(Stage.CONNECT, Fault.SILENT))
    assert unknown.steps[0] == "Try the other usual port, 465 with SSL/TLS or 587 with STARTTLS."


def test_a_limit_is_named_only_when_it_is_known() -> None:
    reached = "550 5.4.5 Daily user sending limit exceeded"
    known = DIAGNOSIS.explain(replied(Stage.DATA, reached, facts={"limit": "500 messages a day"}))
    assert known.steps[0] == "The limit is 500 messages a day."
    assert "limit is" not in DIAGNOSIS.explain(replied(Stage.DATA, reached)).steps[0]


def test_what_is_sent_on_holds_the_facts_and_no_more() -> None:
    finding = DIAGNOSIS.explain(
        replied(
            Stage.AUTH,
            "535 5.7.139 Authentication unsuccessful, SmtpClientAuthentication is disabled for the Tenant",
            provider="microsoft365",
            username="ana@example.com",
            facts={"time": "2026-11-23 10:15 UTC"},
        )
    )
    assert finding.forward is not None
    request, _, facts = finding.forward.partition("\n\n")
    assert "Authenticated SMTP" in request
    assert facts.splitlines() == [
        "Mail server: smtp.example.com (port 587)",
        "Secure connection: STARTTLS",
        "User name: ana@example.com",
        "Time: 2026-11-23 10:15 UTC",
        "The server said: 535 5.7.139 Authentication unsuccessful, SmtpClientAuthentication is disabled for the Tenant",
    ]


@pytest.mark.parametrize(
    ("symptom", "said"),
    [
        (replied(Stage.AUTH, "535 5.7.8 No"), "535 5.7.8 No"),
        (
            Symptom(stage=Stage.AUTH, fault=Fault.REJECTED, code=535, enhanced="5.7.8", words=shown("No")),
            "535 5.7.8 No",
        ),
        (Symptom(stage=Stage.AUTH, fault=Fault.REJECTED, code=535, words=shown("535 No")), "535 No"),
        (Symptom(stage=Stage.AUTH, fault=Fault.REJECTED, code=535), "535"),
        (happened(Stage.MAIL, Fault.CLOSED, code=421, words="4.4.2 Bye"), "421 4.4.2 Bye"),
        (happened(Stage.CONNECT, Fault.REFUSED, words="Connection refused"), ""),
        (happened(Stage.TLS, Fault.TLS_FAILED, words="certificate verify failed"), ""),
        (happened(Stage.GREETING, Fault.OTHER_PROTOCOL, words="+OK \x1b[31mhi\r\n"), "+OK \\x1b[31mhi"),
    ],
)
def test_the_servers_own_words(symptom: Symptom, said: str) -> None:
    """Details show what the server said, with its codes, and never what this computer said."""
    assert server_said(symptom) == said
    assert DIAGNOSIS.explain(symptom).server_said == said


@pytest.mark.parametrize(
    ("provider", "guide"),
    [
        ("gmail", "gmail-app-password"),
        ("google-workspace", "google-workspace"),
        ("yahoo", "yahoo-app-password"),
        ("aol", "aol-app-password"),
        ("att", "att-secure-mail-key"),
        ("icloud", "icloud-app-password"),
        ("sandbox", "sandbox"),
        (None, "basic"),
    ],
)
def test_the_guide_is_the_providers(provider: str | None, guide: str) -> None:
    finding = DIAGNOSIS.explain(
        replied(Stage.AUTH, "534 5.7.9 Application-specific password required", provider=provider)
    )
    assert (finding.code, finding.guide) == ("app_password_required", guide)


def test_the_same_code_means_what_the_provider_means_by_it() -> None:
    said = "535 5.7.8 Error: authentication failed"
    codes = {p: DIAGNOSIS.explain(replied(Stage.AUTH, said, provider=p)).code for p in ("icloud", "sendgrid", "ionos")}
    assert codes == {
        "icloud": "app_password_required",
        "sendgrid": "service_key_needed",
        "ionos": "bad_credentials",
    }


def test_a_sender_other_than_the_user_name_is_suspected_first() -> None:
    more = {"username": "ana@example.com", "sender": "bob@example.org"}
    assert DIAGNOSIS.explain(replied(Stage.MAIL, "550 5.7.1 No", **more)).code == "sender_not_allowed"
    same = {"username": "ana@example.com", "sender": "Ana@Example.com"}
    assert DIAGNOSIS.explain(replied(Stage.MAIL, "550 5.7.1 No", **same)).code == UNKNOWN


def test_a_user_name_without_at_is_pointed_at() -> None:
    finding = DIAGNOSIS.explain(replied(Stage.AUTH, "535 5.7.8 Wrong", username="ana"))
    assert finding.code == "bad_credentials"
    assert "ana has no @" in finding.explanation


@pytest.mark.parametrize("tls", [TlsFault.EXPIRED, TlsFault.NOT_YET_VALID])
def test_a_clock_that_is_wrong_beyond_doubt_is_named(tls: TlsFault) -> None:
    """Before this program was made, or on another day than the server: then the certificate is not to blame."""

    def said(now: datetime | None, server_time: datetime | None = None) -> str:
        return DIAGNOSIS.explain(
            happened(Stage.TLS, Fault.TLS_FAILED, TLS_465, tls=tls, now=now, server_time=server_time)
        ).code

    right, day = DIAGNOSIS.checked + timedelta(days=400), timedelta(days=1)
    assert said(None) != said(DIAGNOSIS.checked - timedelta(seconds=1)) == "cert_clock_wrong"
    assert said(DIAGNOSIS.checked) == said(right) == said(None)
    assert said(right, right + day) == said(right, right - day) == said(None)
    assert said(right, right + 2 * day) == said(right, right - 2 * day) == "cert_clock_wrong"


def test_the_data_as_a_whole_is_as_new_as_its_newest_part() -> None:
    """The day is what a clock is measured by: whoever checks a provider moves it on."""
    providers = read_yaml(data_path("providers.yaml"))["providers"]
    assert f"{DIAGNOSIS.checked:%Y-%m-%d}" >= max(provider["checked"] for provider in providers)


def test_who_stands_in_between_is_found_anywhere_in_the_chain() -> None:
    facts = {"issuer": "Office 7", "issuers": "Office 7, Zscaler Intermediate Root CA"}
    for tls in (TlsFault.CHAIN_INCOMPLETE, TlsFault.EXPIRED, TlsFault.CERTIFICATE):
        finding = DIAGNOSIS.explain(happened(Stage.TLS, Fault.TLS_FAILED, TLS_465, tls=tls, facts=facts))
        assert (finding.code, finding.who) == ("connection_intercepted", Who.NETWORK)
        assert "signed by Office 7" in finding.explanation


@pytest.mark.parametrize(
    "issuer",
    [
        "Let's Encrypt, R11",
        "DigiCert Inc, DigiCert Global G2 TLS RSA SHA256 2020 CA1",
        "GlobalSign nv-sa, GlobalSign GCC R6 AlphaSSL CA 2025",
        "Google Trust Services, WR2",
        "Cloudflare, Inc., Cloudflare Inc ECC CA-3",
        "Sectigo Limited, Sectigo Public Server Authentication CA DV R36",
        "Microsoft Corporation, Microsoft Azure RSA TLS Issuing CA 03",
        "Amazon, Amazon RSA 2048 M03",
        "Company Internal Root CA",
        "BigData GmbH",
    ],
)
def test_an_ordinary_issuer_is_not_taken_for_a_filter(issuer: str) -> None:
    symptom = happened(Stage.TLS, Fault.TLS_FAILED, TLS_465, tls=TlsFault.EXPIRED, facts={"issuer": issuer})
    assert DIAGNOSIS.explain(symptom).code == "cert_expired"


def test_what_no_rule_knows_says_so() -> None:
    """A reply of an unknown kind is called unknown, not explained with a certainty that nobody has."""
    finding = DIAGNOSIS.explain(Symptom(stage=Stage.RCPT, fault=Fault.REJECTED, code=299, words=shown("???")))
    assert finding.code == UNKNOWN
    assert finding.server_said == "299 ???"
    assert finding.forward is not None


@each_row(("stage", "code"), [(stage, code) for stage in Stage for code in (421, 450, 451, 452, 454)])
def test_what_passes_is_never_called_for_good(stage: Stage, code: int) -> None:
    """A 4xx reply without telling words asks for patience (RFC 5321 section 4.2.1)."""
    finding = DIAGNOSIS.explain(Symptom(stage=stage, fault=Fault.REJECTED, code=code, endpoint=STARTTLS_587))
    assert finding.code in {"temporary_try_later", "server_closed"}
