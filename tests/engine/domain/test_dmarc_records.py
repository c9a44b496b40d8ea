"""DMARC records that receivers read otherwise than they look, and what mends them without asking for more."""

from __future__ import annotations

import pytest

from smtp_wizard.engine.base.stages import Verdict
from smtp_wizard.engine.domain.domain_report import DomainReport
from smtp_wizard.engine.domain.findings import DomainFinding
from smtp_wizard.engine.providers.catalog import load_catalog
from smtp_wizard.engine.services.domains import Domains
from smtp_wizard.text.domain import domain_lines
from tests.engine.domain.keys import key_record
from tests.engine.domain.test_mending import DKIM, DMARC, DOMAIN, Zone, examined, good_zone, published, question
from tests.support.dnsserver import DnsServer

REPORTS = f"rua=mailto:d@{DOMAIN}"


async def reported(*records: str, more: Zone | None = None) -> DomainReport:
    return await examined(good_zone() | {(DMARC, "TXT"): list(records)} | (more or {}), question())


def found_in(report: DomainReport, code: str) -> DomainFinding:
    [found] = [each for each in report.findings if each.code == code]
    return found


@pytest.mark.parametrize(
    ("records", "value"),
    [
        (["v=DMARC1; p=reject; pct=5"], f"v=DMARC1; p=reject; pct=5; rua=mailto:postmaster@{DOMAIN}"),
        (["v=DMARC1; p=reject; pct=500"], f"v=DMARC1; p=reject; rua=mailto:postmaster@{DOMAIN}"),
        (
            [f"v=DMARC1; p=reject; {REPORTS} mailto:e@{DOMAIN}"],
            f"v=DMARC1; p=reject; {REPORTS},mailto:e@{DOMAIN}",
        ),
        (["v=DMARC1; p=none", f"v=DMARC1; p=reject; {REPORTS}"], f"v=DMARC1; p=none; {REPORTS}"),
        ([f"v=DMARC1, p=reject, {REPORTS},mailto:e@{DOMAIN}"], f"v=DMARC1; p=reject; {REPORTS},mailto:e@{DOMAIN}"),
        ([f"v=DMARC1; p=reject; p=none; {REPORTS}"], f"v=DMARC1; p=none; {REPORTS}"),
        ([f'"v=DMARC1; p=reject; {REPORTS}"'], f"v=DMARC1; p=reject; {REPORTS}"),
    ],
)
async def test_what_mends_a_record_asks_for_no_more_and_loses_no_address(records: list[str], value: str) -> None:
    report = await reported(*records)
    proposed = [each.publish for each in report.findings if each.publish is not None]
    assert {each.value for each in proposed} == {value}
    zone = good_zone() | {(DMARC, "TXT"): records}
    assert (await examined(published(zone, proposed[0]), question())).verdict is Verdict.PASS


@pytest.mark.parametrize(
    ("record", "part"),
    [
        (f"v=DMARC1; p=quarantined; {REPORTS}", "'p=quarantined'"),
        (f"v=DMARC1; p=; {REPORTS}", "'p='"),
        (f"v=DMARC1; sp=reject; {REPORTS}", "'p='"),
        (f"v=DMARC1; p=reject; sp=rejected; {REPORTS}", "'sp=rejected'"),
        (f"v=DMARC1; p=reject; aspf=strict; {REPORTS}", "'aspf=strict'"),
    ],
)
async def test_a_part_that_no_receiver_reads_is_named(record: str, part: str) -> None:
    report = await reported(record)
    found = found_in(report, "dmarc_part_not_read")
    assert (found.verdict, report.dmarc_verdict) == (Verdict.WARN, Verdict.WARN)
    assert part in found.title
    assert found.publish is not None
    again = await examined(published(good_zone(), found.publish), question())
    assert again.verdict is Verdict.PASS
    assert again.dmarc.policy is report.dmarc.policy, "the record asks for what receivers do today"


async def test_a_policy_that_is_misspelt_is_offered_as_it_is_meant() -> None:
    found = found_in(await reported(f"v=DMARC1; p=quarantined; {REPORTS}"), "dmarc_part_not_read")
    assert any("Is 'p=quarantine' meant?" in step for step in found.steps)


async def test_a_part_that_stands_there_twice_spoils_the_record() -> None:
    report = await reported(f"v=DMARC1; p=none; p=reject; {REPORTS}")
    assert found_in(report, "dmarc_broken").verdict is Verdict.FAIL
    assert report.dmarc.policy is None


async def test_what_pct_does_is_said() -> None:
    report = await reported(f"v=DMARC1; p=reject; pct=0; {REPORTS}")
    found = found_in(report, "dmarc_percent")
    assert (found.verdict, found.publish) == (Verdict.SKIPPED, None)
    assert "'pct=0'" in found.explanation
    assert "some receivers for 0 of 100 messages" in " ".join(" ".join(domain_lines(report)).split())
    watching = await reported(f"v=DMARC1; p=none; pct=5; {REPORTS}")
    assert "dmarc_percent" not in {each.code for each in watching.findings}


@pytest.mark.parametrize(
    "target", [{}, {("dm.vendor.example", "TXT"): ["hello"]}, {("dm.vendor.example", "TXT"): ["v=DMARC1; p=none"]}]
)
async def test_beside_another_name_no_record_can_be_added(target: Zone) -> None:
    zone = {key: each for key, each in good_zone().items() if key != (DMARC, "TXT")}
    report = await examined(zone | target | {(DMARC, "CNAME"): ["dm.vendor.example."]}, question())
    [found] = [each for each in report.findings if each.publish is not None]
    assert "only another name (CNAME) for dm.vendor.example" in found.steps[0]
    assert "Delete the CNAME" in found.steps[1]


async def test_a_domain_is_named_as_it_was_written_and_its_record_as_the_dns_knows_it() -> None:
    zone = "xn--bcher-kva.example. 60 IN MX 10 mx.hoster.example.\n"
    async with DnsServer(zone) as dns:
        report = await Domains(load_catalog(), dns.resolver).examine("ana@B\u00fccher.example")
    found = found_in(report, "dmarc_missing")
    assert found.title == "b\u00fccher.example has no DMARC record"
    assert found.publish is not None
    assert found.publish.name == "_dmarc.xn--bcher-kva.example"


# --- DKIM keys that are good but for their record ---


KEY = key_record(2048)


def with_key(*records: str) -> Zone:
    zone = {key: each for key, each in good_zone().items() if key != (DKIM, "CNAME")}
    return zone | {(DKIM, "TXT"): list(records)}


@pytest.mark.parametrize(
    ("record", "code"),
    [
        (f'"{KEY}"', "dkim_quoted"),
        (f'"{KEY[:200]}" "{KEY[200:]}"', "dkim_quoted"),
        (KEY.replace("p=", "h=sha1; p="), "dkim_only_sha1"),
        (KEY.replace("p=", "s=tlsrpt; p="), "dkim_not_for_mail"),
    ],
)
async def test_the_same_key_without_what_spoils_it_is_proposed(record: str, code: str) -> None:
    zone = with_key(record)
    found = found_in(await examined(zone, question()), code)
    assert found.verdict is Verdict.FAIL
    assert found.publish is not None
    assert found.publish.value == KEY
    assert (await examined(published(zone, found.publish), question())).verdict is Verdict.PASS


@pytest.mark.parametrize("part", ["h=sha1:sha256", "s=*", "s=email:x", "t=s"])
async def test_what_allows_mail_as_well_is_no_fault(part: str) -> None:
    assert (await examined(with_key(KEY.replace("p=", f"{part}; p=")), question())).verdict is Verdict.PASS


async def test_of_two_keys_the_one_that_is_not_the_providers_is_to_be_deleted() -> None:
    found = found_in(await examined(with_key(KEY, KEY.replace("p=", "n=x; p=")), question()), "dkim_several")
    assert found.publish is None
    assert "Delete the other one." in found.steps
    assert not any("new key" in step for step in found.steps)


async def test_a_key_with_a_part_twice_is_none() -> None:
    report = await examined(with_key(f"{KEY}; v=DKIM1"), question())
    assert found_in(report, "dkim_broken").publish is None


async def test_a_key_behind_another_name_is_its_owners_to_change() -> None:
    zone = good_zone() | {(f"good.{DOMAIN}.dkim.hoster.example", "TXT"): [f"t=y; {KEY}"]}
    found = found_in(await examined(zone, question()), "dkim_testing")
    assert "only another name (CNAME)" in found.steps[0]


async def test_a_whole_record_in_quotation_marks_is_meant_as_spf() -> None:
    zone = good_zone() | {(DOMAIN, "TXT"): ['"v=spf1 include:spf.hoster.example -all"']}
    found = found_in(await examined(zone, question()), "spf_missing")
    assert found.publish is not None
    assert found.publish.value == "v=spf1 include:spf.hoster.example -all"
