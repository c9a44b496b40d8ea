"""A domain from which nobody may send, or everybody; and records that must not be lost by what mends them."""

from __future__ import annotations

from dataclasses import replace

import pytest

from smtp_wizard.engine.base.stages import Verdict
from smtp_wizard.engine.domain.domain_report import DomainReport
from smtp_wizard.engine.domain.spf_mending import PLACE
from tests.engine.domain.test_mending import DOMAIN, Zone, examined, good_zone, published, question

NAMED = {("good.example", "TXT"): ["v=spf1 ip4:203.0.113.9 -all"]}


def holding(*records: str) -> Zone:
    return good_zone() | NAMED | {(DOMAIN, "TXT"): list(records)}


async def of_unknown(zone: Zone) -> DomainReport:
    """Look without knowing what sends."""
    return await examined(zone, replace(question(None), provider_id=""))


@pytest.mark.parametrize(
    ("record", "verdict"),
    [
        ("v=spf1 -all", Verdict.FAIL),
        ("v=spf1 ~all", Verdict.FAIL),
        ("v=spf1 ?all", Verdict.WARN),
        ("v=spf1", Verdict.WARN),
        ("v=spf1 redirect=good.example -all", Verdict.FAIL),
        ("v=spf1 a:nowhere.firm.example -all", Verdict.FAIL),
        ("v=spf1 redirect=none.example", Verdict.FAIL),
    ],
)
async def test_a_record_that_names_nobody_is_a_fault(record: str, verdict: Verdict) -> None:
    zone = holding(record) | {("none.example", "TXT"): ["v=spf1 -all"]}
    [found] = [each for each in (await of_unknown(zone)).findings if each.code == "spf_names_no_server"]
    assert found.verdict is verdict
    if "good.example" in record:
        assert found.publish is not None
        assert found.publish.value == "v=spf1 include:good.example -all"
    else:
        assert found.publish is None
        assert any(PLACE in step for step in found.steps)
        assert any("--provider ID or --server HOST" in step for step in found.steps)


@pytest.mark.parametrize(
    "record", ["v=spf1 exists:%{i}.good.example -all", "v=spf1 ?include:good.example -all", "v=spf1 a -all"]
)
async def test_a_record_that_may_name_somebody_is_none(record: str) -> None:
    assert "spf_names_no_server" not in {each.code for each in (await of_unknown(holding(record))).findings}


async def test_nobody_sends_for_a_domain_that_takes_no_mail() -> None:
    report = await of_unknown(holding("v=spf1 -all") | {(DOMAIN, "MX"): ["0 ."]})
    found = {each.code: each for each in report.findings}
    assert found["spf_names_no_server"].verdict is Verdict.SKIPPED
    assert "no server may send" in found["spf_names_no_server"].explanation
    assert found["mx_null"].verdict is Verdict.FAIL


@pytest.mark.parametrize(
    "wide", ["ip4:0.0.0.0/0", "ip4:128.0.0.0/1", "ip6:::/0", "ip6:2000::/3", "a/0", "a//3", "a:mail.firm.example/2"]
)
async def test_a_network_that_nobody_can_own_allows_everybody(wide: str) -> None:
    report = await examined(holding(f"v=spf1 {wide} include:spf.hoster.example -all"), question())
    [found] = [each for each in report.findings if each.code == "spf_allows_everybody"]
    assert (found.verdict, wide in found.explanation) == (Verdict.FAIL, True)
    assert found.publish is not None
    again = await examined(published(holding(), found.publish), question())
    assert "spf_allows_everybody" not in {each.code for each in again.findings}
    assert "include:spf.hoster.example -all" in found.publish.value


@pytest.mark.parametrize(
    ("records", "kept"),
    [
        ((), f"v=spf1 {PLACE} ~all"),
        (("v=spf1 include:loop.example -all",), f"v=spf1 {PLACE} -all"),
        (("v=spf1 include:unknown.example -all",), f"v=spf1 {PLACE} -all"),
        (("v=spf1 include:unknown.example include:good.example -all",), f"v=spf1 include:good.example {PLACE} -all"),
        (("v=spf1 redirect=unknown.example",), f"v=spf1 {PLACE} ~all"),
        (("v=spf1 +all",), f"v=spf1 {PLACE} ~all"),
        (("v=spf1 mx +all",), f"v=spf1 mx {PLACE} ~all"),
        (("v=spf1 mx ip4:203.0.113.999 -all",), f"v=spf1 mx {PLACE} -all"),
        (("v=spf1 ptr -all",), f"v=spf1 {PLACE} -all"),
        (("v=spf1 mx ip4:0.0.0.0/0 -all",), f"v=spf1 mx {PLACE} -all"),
        (("v=spf1 -all", "v=spf1 ~all"), f"v=spf1 {PLACE} ~all"),
    ],
)
async def test_where_it_is_not_known_what_sends_no_record_is_offered_as_it_is(
    records: tuple[str, ...], kept: str
) -> None:
    report = await of_unknown(holding(*records, "other=1"))
    spf = [each for each in report.findings if each.code.startswith("spf_")]
    assert spf
    for found in spf:
        assert found.publish is None
        assert any(step.endswith(kept) for step in found.steps), found.steps
        assert any("--provider ID or --server HOST" in step for step in found.steps)


@pytest.mark.parametrize(
    ("record", "value"),
    [
        ("v=spf1 mx-all", "v=spf1 mx -all"),
        ("v=spf1 ip4:203.0.113.3 mx a:old.firm.example ptrr ?all", ""),
        ("v=spf1 ipv4:203.0.113.3 mx a:old.firm.example ?all", "v=spf1 ip4:203.0.113.3 mx a:old.firm.example ?all"),
        ("v=spf1 203.0.113.3 and mx -all", "v=spf1 ip4:203.0.113.3 mx -all"),
        ("v=spf1mx -all", "v=spf1 mx -all"),
        ("v=spf1; mx -all", "v=spf1 mx -all"),
        ("v=spf mx -all", "v=spf1 mx -all"),
    ],
)
async def test_what_stands_there_and_may_be_right_stays(record: str, value: str) -> None:
    report = await of_unknown(holding(record))
    found, *_ = [each for each in report.findings if each.code.startswith("spf_")]
    assert (found.publish.value if found.publish else "") == value


async def test_a_term_that_finds_nothing_stays_as_long_as_that_is_allowed() -> None:
    zone = {key: each for key, each in holding("v=spf1 mx ipv4:203.0.113.9").items() if key != (DOMAIN, "MX")}
    [found] = [each for each in (await of_unknown(zone)).findings if each.code == "spf_syntax"]
    assert found.publish is not None
    assert found.publish.value == "v=spf1 mx ip4:203.0.113.9 ~all"


async def test_what_is_left_out_is_named() -> None:
    report = await examined(holding("v=spf1 include:gone.example include:spf.hoster.example -all"), question())
    [found] = [each for each in report.findings if each.code == "spf_include_without_record"]
    assert found.publish is not None
    assert any("It leaves out 'include:gone.example'" in step for step in found.steps)


async def test_the_providers_own_record_is_not_taken_out_where_the_dns_does_not_know_it() -> None:
    zone = holding("v=spf1 include:spf.hoster.example mx -all")
    del zone["spf.hoster.example", "TXT"]
    [found] = [each for each in (await examined(zone, question())).findings if each.code.startswith("spf_")]
    assert found.publish is None


async def test_a_refusal_that_stands_before_the_provider_gives_way() -> None:
    report = await examined(holding("v=spf1 -include:spf.hoster.example mx ~all"), question())
    for found in report.findings:
        if found.code == "spf_provider_missing" and found.publish is not None:
            assert found.publish.value == "v=spf1 mx include:spf.hoster.example ~all"


async def test_a_key_that_was_asked_about_and_is_not_there_is_told() -> None:
    zone = good_zone() | {(f"s6._domainkey.{DOMAIN}", "CNAME"): ["gone.hoster.example."]}
    report = await examined(zone, replace(question(), selectors=("s6",)))
    assert [(each.code, each.verdict) for each in report.findings] == [("dkim_missing", Verdict.WARN)]
    assert "'s6'" in report.findings[0].title
