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


# --- what nobody can know, and what every receiver refuses ---


@pytest.mark.parametrize(
    "record",
    [
        "v=spf1 include:%{i}._ip.%{h}._ehlo.%{d}._spf.vali.example ~all",
        "v=spf1 exists:%{i}.spf.firm.example -all",
        "v=spf1 redirect=%{d}._spf.vali.example",
        "v=spf1 include:macro.example -all",
        "v=spf1 ptr:hoster.example -all",
    ],
)
@pytest.mark.parametrize("server", ["", "mail.firm.example"])
async def test_whom_a_macro_names_is_not_known(record: str, server: str) -> None:
    zone = holding(record) | {("macro.example", "TXT"): ["v=spf1 exists:%{ir}.macro.example -all"]}
    asked = replace(question(None, server), provider_id="") if server else question()
    report = await examined(zone, asked)
    codes = {each.code: each for each in report.findings}
    assert "spf_provider_missing" not in codes
    assert (codes["spf_depends_on_message"].verdict, report.named) == (Verdict.SKIPPED, None)
    assert codes["spf_depends_on_message"].publish is None


async def test_who_is_refused_by_name_is_missing_whatever_a_macro_says() -> None:
    report = await examined(holding("v=spf1 -include:spf.hoster.example exists:%{i}.x.example ~all"), question())
    assert "spf_provider_missing" in {each.code for each in report.findings}


def many_hosts(number: int) -> Zone:
    """Return a domain whose mail so many hosts take, all of which may send."""
    hosts = [f"m{each}.firm.example" for each in range(number)]
    zone = holding("v=spf1 mx include:spf.hoster.example -all")
    zone[DOMAIN, "MX"] = [f"{each} {host}." for each, host in enumerate(hosts)]
    return zone | {(host, "A"): [f"203.0.113.{each}"] for each, host in enumerate(hosts)}


async def test_more_mail_hosts_than_a_receiver_asks_for_are_named_by_their_addresses() -> None:
    assert (await examined(many_hosts(10), question())).verdict is Verdict.PASS
    zone = many_hosts(12)
    report = await examined(zone, question())
    [found] = [each for each in report.findings if each.code == "spf_too_many_mail_hosts"]
    assert (found.verdict, report.spf_verdict) == (Verdict.FAIL, Verdict.FAIL)
    assert found.publish is not None
    addresses = " ".join(f"ip4:203.0.113.{each}" for each in range(12))
    assert found.publish.value == f"v=spf1 {addresses} include:spf.hoster.example -all"
    assert any("when one of them moves" in step for step in found.steps)
    assert (await examined(published(zone, found.publish), question())).verdict is Verdict.PASS
    [unknown] = [each for each in (await examined(many_hosts(17), question())).findings if each.code == found.code]
    assert unknown.publish is None, "not all of them came"
    assert "'a:'" in unknown.steps[0]


@pytest.mark.parametrize(
    ("record", "value"),
    [
        (
            "v=spf1 redirect=spf.hoster.example redirect=good.example",
            "v=spf1 include:spf.hoster.example include:good.example ~all",
        ),
        ("v=spf1 redirect=spf.hoster.example redirect=spf.hoster.example", "v=spf1 redirect=spf.hoster.example"),
        (
            "v=spf1 include:spf.hoster.example exp=a.example exp=b.example -all",
            "v=spf1 include:spf.hoster.example exp=a.example -all",
        ),
    ],
)
async def test_a_modifier_that_stands_there_twice_makes_receivers_ignore_the_record(record: str, value: str) -> None:
    zone = holding(record)
    [found] = [each for each in (await examined(zone, question())).findings if each.code == "spf_doubled_modifier"]
    assert found.verdict is Verdict.FAIL
    assert found.publish is not None
    assert found.publish.value == value
    assert (await examined(published(zone, found.publish), question())).verdict is Verdict.PASS


async def test_a_provider_whose_addresses_are_refused_before_it_is_missing() -> None:
    zone = holding("v=spf1 -ip4:198.51.0.0/16 include:spf.hoster.example -all")
    [found] = [each for each in (await examined(zone, question())).findings if each.code == "spf_provider_missing"]
    assert found.publish is not None
    assert found.publish.value == "v=spf1 include:spf.hoster.example -ip4:198.51.0.0/16 -all"
    partly = holding("v=spf1 -ip4:198.51.100.0/25 include:spf.hoster.example -all")
    assert (await examined(partly, question())).verdict is Verdict.PASS


async def test_whose_servers_are_refused_may_still_be_named_by_a_macro_of_its_own() -> None:
    zone = holding("v=spf1 -ip4:198.51.0.0/16 include:spf.hoster.example -all")
    zone["spf.hoster.example", "TXT"] = ["v=spf1 ip4:198.51.100.0/24 exists:%{i}.hoster.example -all"]
    assert (await examined(zone, question())).verdict is Verdict.PASS


@pytest.mark.parametrize("wide", [" ".join(f"ip4:{each}.0.0.0/8" for each in range(1, 60)), "a/8", "mx/12"])
async def test_networks_that_nobody_has_are_everybody(wide: str) -> None:
    report = await examined(holding(f"v=spf1 include:spf.hoster.example {wide} -all"), question())
    assert "spf_allows_everybody" in {each.code for each in report.findings}
