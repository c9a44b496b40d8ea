"""Whatever comes in, it is explained, and what is said of it is clean."""

from __future__ import annotations

import re
import unicodedata
from datetime import UTC

from hypothesis import example, given
from hypothesis import strategies as st

from smtp_wizard.engine.base.endpoint import Endpoint, Security
from smtp_wizard.engine.base.shown import shown
from smtp_wizard.engine.base.stages import Stage
from smtp_wizard.engine.diagnosis.finding import Finding
from smtp_wizard.engine.diagnosis.rule_file import UNKNOWN
from smtp_wizard.engine.smtp.symptom import Fault, Symptom, TlsFault
from tests.engine.diagnosis.symptoms import DIAGNOSIS, FINDINGS, replied
from tests.support.rows import each_row

HOSTILE = st.text(max_size=300) | st.sampled_from(
    ["\x1b]0;x\x07", "{host}", "{", "}", "None", "\u202egnol", "a" * 3000, "\r\n250 ok", "[@click=app.quit]x[/]"]
)
ENDPOINTS = st.none() | st.builds(
    Endpoint,
    st.sampled_from(["smtp.example.com", "::1", "127.0.0.1"]),
    st.integers(1, 65535),
    st.sampled_from(Security),
)
FACTS = st.dictionaries(
    st.sampled_from(
        [
            "certificate_names",
            "not_before",
            "not_after",
            "issuer",
            "issuers",
            "weakness",
            "tls_version",
            "days",
            "reason",
            "seconds",
            "limit",
            "time",
            "server_time",
            "ehlo_name",
            "mechanisms",
            "else",
        ]
    ),
    HOSTILE,
    max_size=4,
)
TIMES = st.none() | st.datetimes(timezones=st.just(UTC))


def symptoms(raw: st.SearchStrategy[str]) -> st.SearchStrategy[Symptom]:
    text = raw.map(shown)
    return st.builds(
        Symptom,
        stage=st.sampled_from(Stage),
        fault=st.sampled_from(Fault),
        words=text,
        code=st.none() | st.integers(100, 999),
        enhanced=st.none() | st.from_regex(r"[245]\.[0-9]{1,3}\.[0-9]{1,3}", fullmatch=True),
        tls=st.none() | st.sampled_from(TlsFault),
        lacking=st.sampled_from(["", "STARTTLS", "AUTH", "AUTH-BEFORE-TLS", "MECHANISM", "SMTPUTF8", "SAN"]),
        endpoint=ENDPOINTS,
        provider=st.none() | st.sampled_from([*sorted(DIAGNOSIS.providers), "nobody"]),
        secret_shape=st.sampled_from([None, "app-password", "other"]),
        username=text,
        sender=text,
        recipient=text,
        other=ENDPOINTS,
        now=TIMES,
        server_time=TIMES,
        facts=FACTS.map(lambda facts: {name: shown(fact) for name, fact in facts.items()}),
    )


def everything_said(finding: Finding) -> str:
    return "\n".join([finding.title, finding.explanation, *finding.steps, finding.forward or "", finding.server_said])


@given(symptoms(HOSTILE))
@example(Symptom(stage=Stage.DNS, fault=Fault.NO_SUCH_HOST))
def test_explain_is_total_and_what_it_says_is_clean(symptom: Symptom) -> None:
    finding = DIAGNOSIS.explain(symptom)
    assert finding.code in DIAGNOSIS.causes
    assert finding.steps
    said = everything_said(finding)
    assert not any(unicodedata.category(ch).startswith("C") for ch in said.replace("\n", ""))
    assert all("\n" not in part for part in (finding.title, finding.explanation, finding.server_said, *finding.steps))
    assert len(finding.server_said) <= 500
    assert len(said) < 8000


@given(symptoms(st.text(st.characters(exclude_characters="{}"), max_size=200)))
def test_no_blank_stays_empty(symptom: Symptom) -> None:
    said = everything_said(DIAGNOSIS.explain(symptom))
    if not any("{" in value or "}" in value for value in symptom.facts.values()):
        assert "{" not in said
        assert "}" not in said


@each_row("provider", [None, *sorted(DIAGNOSIS.providers)])
def test_what_is_not_known_never_shows(provider: str | None) -> None:
    """With nothing but the bare fault, every sentence still reads as one."""
    for symptom, _, _ in FINDINGS.values():
        bare = Symptom(
            stage=symptom.stage,
            fault=symptom.fault,
            code=symptom.code,
            enhanced=symptom.enhanced,
            tls=symptom.tls,
            lacking=symptom.lacking,
            provider=provider,
        )
        said = everything_said(DIAGNOSIS.explain(bare))
        assert not re.search(r"[{}]|\bNone\b|  |\s[.,]|\.\.", said)


def test_words_are_looked_at_only_so_far() -> None:
    """A hostile server must not buy our time with megabytes: what stands far behind is not looked at."""
    said = "550 SMTPUTF8 is missing"
    assert DIAGNOSIS.explain(replied(Stage.MAIL, said)).code == "smtputf8_unsupported"
    assert DIAGNOSIS.explain(replied(Stage.MAIL, "550 " + "x " * 5000 + said)).code == UNKNOWN
