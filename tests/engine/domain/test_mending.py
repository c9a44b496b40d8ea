"""Domains with one fault each: it is found, and the record that is proposed mends it, in a real DNS."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import pytest

from smtp_wizard.engine.base.shown import NO_WORDS, phrase
from smtp_wizard.engine.base.stages import Verdict
from smtp_wizard.engine.base.who import Who
from smtp_wizard.engine.domain.dmarc import Policy, examine_dmarc, tree
from smtp_wizard.engine.domain.dns_lookups import MOST_QUESTIONS, Lookups
from smtp_wizard.engine.domain.domain_report import DomainQuery, DomainReport, examine_domain
from smtp_wizard.engine.domain.findings import DnsRecord, record_to_publish
from smtp_wizard.engine.domain.sender_records import ReturnPath, SenderRecords, SenderSource
from smtp_wizard.text.domain import domain_lines
from tests.engine.domain.keys import key_record
from tests.support.dnsserver import DnsFault, DnsServer

DOMAIN = "firm.example"
DKIM = f"good._domainkey.{DOMAIN}"
DMARC = f"_dmarc.{DOMAIN}"
Zone = dict[tuple[str, str], list[str]]

PROVIDER = SenderRecords(
    provider="hoster",
    spf=("spf.hoster.example",),
    selectors=("good",),
    alias="{selector}.{domain}.dkim.hoster.example",
    return_path=ReturnPath.SENDER,
    source=SenderSource(title="a page", url="https://hoster.example/dns", date="2026-11-30"),
)


def good_zone() -> Zone:
    """Return a domain without a fault, and the provider that sends for it."""
    return {
        (DOMAIN, "MX"): ["10 mx.hoster.example."],
        (DOMAIN, "NS"): ["ns1.dnshost.example."],
        (DOMAIN, "A"): ["198.51.100.10"],
        (DOMAIN, "TXT"): ["v=spf1 include:spf.hoster.example -all", "some-verification=1"],
        (DKIM, "CNAME"): [f"good.{DOMAIN}.dkim.hoster.example."],
        (f"good.{DOMAIN}.dkim.hoster.example", "TXT"): [key_record(2048)],
        (DMARC, "TXT"): [f"v=DMARC1; p=quarantine; rua=mailto:dmarc@{DOMAIN}"],
        (f"_mta-sts.{DOMAIN}", "TXT"): ["v=STSv1; id=1;"],
        (f"_smtp._tls.{DOMAIN}", "TXT"): [f"v=TLSRPTv1; rua=mailto:tls@{DOMAIN}"],
        ("mx.hoster.example", "A"): ["198.51.100.1"],
        ("spf.hoster.example", "TXT"): ["v=spf1 ip4:198.51.100.0/24 -all"],
        ("mail.firm.example", "A"): ["203.0.113.5"],
        ("mail.firm.example", "MX"): ["10 mail.firm.example."],
        **{(f"s{number}.example", "TXT"): [f"v=spf1 ip4:203.0.113.{number} -all"] for number in range(12)},
        ("all.example", "TXT"): ["v=spf1 include:spf.hoster.example -all"],
        ("late.example", "TXT"): ["v=spf1 ip4:203.0.113.77 -all include:spf.hoster.example"],
        ("loop.example", "TXT"): [f"v=spf1 include:{DOMAIN} -all"],
        **{(f"h{number}.firm.example", "A"): [f"203.0.113.{number + 100}"] for number in range(12)},
    }


def as_text(zone: Zone) -> str:
    """Write a zone as a name server reads it."""
    return "\n".join(
        f"{name}. 60 IN {kind} {_quoted(value) if kind == 'TXT' else value}"
        for (name, kind), values in zone.items()
        for value in values
    )


def _quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"').replace(";", "\\;").replace("\n", "\\010")
    return " ".join(f'"{escaped[at : at + 200]}"' for at in range(0, len(escaped), 200))


def published(zone: Zone, record: DnsRecord) -> Zone:
    """Return the zone with a record in place of what it replaces: SPF in place of SPF, and so on."""
    changed = dict(zone)
    if record.type == "TXT":
        begin = record.value[:6].lower() if "_domainkey" not in record.name else ""
        kept = [each for each in zone.get((record.name, "TXT"), []) if not each.lower().lstrip().startswith(begin)]
        changed[record.name, "TXT"] = [*kept, record.value]
    else:
        changed[record.name, record.type] = [f"{record.value}."]
    return changed


@dataclass(frozen=True)
class Case:
    """A domain with one fault."""

    changes: Mapping[tuple[str, str], list[str]]
    code: str
    verdict: Verdict = Verdict.FAIL
    lost: tuple[tuple[str, str], ...] = ()
    value: str = ""
    """What is to be published."""


def spf(text: str, code: str, value: str, verdict: Verdict = Verdict.FAIL) -> Case:
    return Case({(DOMAIN, "TXT"): text.split("|")}, code, verdict, value=value)


RIGHT = "v=spf1 include:spf.hoster.example -all"
ELEVEN = " ".join(f"a:h{number}.firm.example" for number in range(11))
CASES = {
    "no SPF": spf("other=1", "spf_missing", "v=spf1 include:spf.hoster.example ~all"),
    "two SPF": spf(
        "v=spf1 ip4:203.0.113.9 -all|v=spf1 include:spf.hoster.example ~all",
        "spf_several",
        "v=spf1 include:spf.hoster.example ip4:203.0.113.9 ~all",
    ),
    "misspelt ip4": spf(
        "v=spf1 ipv4:203.0.113.9 include:spf.hoster.example -all",
        "spf_syntax",
        "v=spf1 ip4:203.0.113.9 include:spf.hoster.example -all",
    ),
    "equals sign": spf("v=spf1 include=spf.hoster.example -all", "spf_syntax", RIGHT),
    "a stray word": spf(
        "v=spf1 include:spf.hoster.example and mx -all", "spf_syntax", "v=spf1 include:spf.hoster.example mx -all"
    ),
    "too many look-ups": spf(
        f"v=spf1 {ELEVEN} include:spf.hoster.example -all",
        "spf_too_many_lookups",
        f"v=spf1 {' '.join(f'ip4:203.0.113.{number + 100}' for number in range(11))} include:spf.hoster.example -all",
    ),
    "names that lead nowhere": spf(
        "v=spf1 a:x1.firm.example a:x2.firm.example a:x3.firm.example include:spf.hoster.example -all",
        "spf_too_many_void_lookups",
        RIGHT,
        Verdict.WARN,
    ),
    "a loop": spf(f"v=spf1 include:{DOMAIN} include:spf.hoster.example -all", "spf_loop", RIGHT),
    "a loop at two removes": spf("v=spf1 include:loop.example include:spf.hoster.example -all", "spf_loop", RIGHT),
    "a service that has gone": spf(
        "v=spf1 include:spf.gone.example include:spf.hoster.example -all", "spf_include_without_record", RIGHT
    ),
    "everybody": spf(
        "v=spf1 include:spf.hoster.example +all", "spf_allows_everybody", "v=spf1 include:spf.hoster.example ~all"
    ),
    "no end": spf(
        "v=spf1 include:spf.hoster.example",
        "spf_no_end",
        "v=spf1 include:spf.hoster.example ~all",
        Verdict.WARN,
    ),
    "the provider is missing": spf(
        "v=spf1 mx include:s1.example -all",
        "spf_provider_missing",
        "v=spf1 mx include:s1.example include:spf.hoster.example -all",
    ),
    "the provider is missing behind a redirect": spf(
        "v=spf1 redirect=s1.example",
        "spf_provider_missing",
        "v=spf1 include:spf.hoster.example include:s1.example ~all",
    ),
    "the provider is refused": spf(
        "v=spf1 -include:spf.hoster.example ~all", "spf_provider_missing", "v=spf1 include:spf.hoster.example ~all"
    ),
    "the provider is refused before it is allowed": spf(
        "v=spf1 -include:spf.hoster.example include:spf.hoster.example ~all",
        "spf_provider_missing",
        RIGHT[:-4] + "~all",
    ),
    "the provider is refused by what includes it": spf(
        "v=spf1 mx ~include:all.example -all",
        "spf_provider_missing",
        "v=spf1 mx include:spf.hoster.example ~include:all.example -all",
    ),
    "an included record ignores the provider": spf(
        "v=spf1 include:late.example -all",
        "spf_provider_missing",
        "v=spf1 include:late.example include:spf.hoster.example -all",
    ),
    "ptr": spf("v=spf1 ptr include:spf.hoster.example -all", "spf_ptr", RIGHT, Verdict.WARN),
    "no DKIM": Case({}, "dkim_missing", Verdict.WARN, ((DKIM, "CNAME"),), f"good.{DOMAIN}.dkim.hoster.example"),
    "DKIM on trial": Case(
        {(DKIM, "TXT"): [f"t=y; {key_record(2048)}"]},
        "dkim_testing",
        lost=((DKIM, "CNAME"),),
        value=key_record(2048).replace("; ", "; "),
    ),
    "no DMARC": Case(
        {}, "dmarc_missing", Verdict.WARN, ((DMARC, "TXT"),), f"v=DMARC1; p=none; rua=mailto:postmaster@{DOMAIN}"
    ),
    "two DMARC": Case(
        {(DMARC, "TXT"): ["v=DMARC1; p=reject", f"v=DMARC1; p=none; rua=mailto:a@{DOMAIN}"]},
        "dmarc_several",
        value=f"v=DMARC1; p=none; rua=mailto:a@{DOMAIN}",
    ),
    "DMARC without its version": Case(
        {(DMARC, "TXT"): [f"p=reject; rua=mailto:a@{DOMAIN}"]},
        "dmarc_broken",
        value=f"v=DMARC1; p=reject; rua=mailto:a@{DOMAIN}",
    ),
    "DMARC without a policy": Case(
        {(DMARC, "TXT"): ["v=DMARC1; p=block"]},
        "dmarc_broken",
        value=f"v=DMARC1; p=none; rua=mailto:postmaster@{DOMAIN}",
    ),
    "reports to a plain address": Case(
        {(DMARC, "TXT"): [f"v=DMARC1; p=reject; adkim=s; x=1; rua=a@{DOMAIN}"]},
        "dmarc_bad_report_address",
        Verdict.WARN,
        value=f"v=DMARC1; p=reject; adkim=s; rua=mailto:a@{DOMAIN}",
    ),
    "reports to strangers": Case(
        {(DMARC, "TXT"): ["v=DMARC1; p=reject; rua=mailto:a@reports.example"]},
        "dmarc_reports_not_authorized",
        Verdict.WARN,
        value="v=DMARC1",
    ),
}
"""What is only good to know afterwards, such as a policy that only watches, is no fault."""


async def examined(zone: Zone, question: DomainQuery, faults: Mapping[str, DnsFault] | None = None) -> DomainReport:
    async with DnsServer(as_text(zone), faults) as server:
        return await examine_domain(question, Lookups(server.resolver))


def question(records: SenderRecords | None = PROVIDER, server: str = "") -> DomainQuery:
    name = phrase("Hoster") if records else NO_WORDS
    return DomainQuery(domain=DOMAIN, provider_id="hoster", provider=name, records=records, server=server)


async def test_a_domain_without_a_fault_has_none() -> None:
    report = await examined(good_zone(), question())
    assert report.verdict is Verdict.PASS
    assert report.findings == ()
    assert (report.spf.lookups, report.keys[0].bits) == (1, 2048)


@pytest.mark.parametrize("name", CASES)
async def test_one_fault_is_found_and_its_record_mends_it(name: str) -> None:
    case = CASES[name]
    zone = {key: value for key, value in good_zone().items() if key not in case.lost} | dict(case.changes)
    report = await examined(zone, question())
    assert {each.code for each in report.findings if each.verdict is not Verdict.SKIPPED} == {case.code}
    found = next(each for each in report.findings if each.code == case.code)
    assert found.verdict is case.verdict is report.verdict
    assert found.publish is not None
    assert found.publish.value == case.value
    assert any("dnshost.example" in step for step in found.steps) or case.code == "dmarc_reports_not_authorized"
    again = await examined(published(zone, found.publish), question())
    assert again.verdict is Verdict.PASS, again.findings


async def test_what_stands_behind_all_is_ignored_and_moved_before_it() -> None:
    zone = good_zone() | {(DOMAIN, "TXT"): ["v=spf1 -all include:spf.hoster.example mx exp=why.firm.example"]}
    report = await examined(zone, question())
    assert {each.code for each in report.findings} == {"spf_provider_missing", "spf_after_all"}
    assert report.spf.lookups == 0
    values = {each.publish.value for each in report.findings if each.publish}
    assert values == {"v=spf1 include:spf.hoster.example mx exp=why.firm.example -all"}
    (found,) = (await examined(zone, question(None))).findings
    assert (found.code, found.verdict) == ("spf_after_all", Verdict.FAIL)
    assert "include:spf.hoster.example" in found.explanation
    assert found.publish is not None
    assert (await examined(published(zone, found.publish), question())).verdict is Verdict.PASS
    only_words = good_zone() | {(DOMAIN, "TXT"): ["v=spf1 include:spf.hoster.example -all exp=why.firm.example"]}
    assert (await examined(only_words, question())).findings == ()


@pytest.mark.parametrize(
    ("record", "allowed"),
    [
        ("v=spf1 a:mail.firm.example -all", True),
        ("v=spf1 redirect=own.firm.example", True),
        ("v=spf1 include:own.firm.example -all", True),
        ("v=spf1 -all a:mail.firm.example", False),
        ("v=spf1 -a:mail.firm.example ip4:203.0.113.0/24 -all", False),
        ("v=spf1 ip4:203.0.113.0/24 -a:mail.firm.example -all", True),
        ("v=spf1 ?include:own.firm.example -all", False),
    ],
)
async def test_the_first_term_that_names_a_server_decides(record: str, allowed: bool) -> None:
    zone = good_zone() | {
        (DOMAIN, "TXT"): [record],
        ("own.firm.example", "TXT"): ["v=spf1 ip4:203.0.113.5 -all"],
    }
    found = next(
        (
            each
            for each in (await examined(zone, question(None, "mail.firm.example"))).findings
            if each.code == "spf_provider_missing"
        ),
        None,
    )
    assert (found is None) is allowed
    if found is not None:
        assert found.publish is not None
        again = await examined(published(zone, found.publish), question(None, "mail.firm.example"))
        assert "spf_provider_missing" not in {each.code for each in again.findings}


# --- what no record mends ---


async def test_too_many_services_are_left_to_the_person() -> None:
    many = " ".join(f"include:s{number}.example" for number in range(11))
    zone = good_zone() | {(DOMAIN, "TXT"): [f"v=spf1 {many} include:spf.hoster.example -all"]}
    [found] = (await examined(zone, question())).findings
    assert (found.code, found.publish) == ("spf_too_many_lookups", None)
    assert "12 look-ups; 10 are allowed" in found.title
    assert len(found.steps) == 3


async def test_a_fault_of_a_service_that_is_included_is_the_services() -> None:
    zone = good_zone() | {("spf.hoster.example", "TXT"): ["v=spf1 ipv4:1.2.3.4 -all"]}
    [found] = (await examined(zone, question())).findings
    assert (found.code, found.who, found.publish) == ("spf_syntax", Who.PROVIDER, None)


@pytest.mark.parametrize(
    ("bits", "code", "verdict"),
    [
        (512, "dkim_too_short", Verdict.FAIL),
        (1024, "dkim_short", Verdict.WARN),
        (2048, "", Verdict.PASS),
        (256, "", Verdict.PASS),
    ],
)
async def test_the_length_of_a_key_is_judged(bits: int, code: str, verdict: Verdict) -> None:
    zone = good_zone() | {
        (f"good.{DOMAIN}.dkim.hoster.example", "TXT"): [SHORT_KEY if bits == 512 else key_record(bits)]
    }
    report = await examined(zone, question())
    assert report.verdict is verdict
    assert [each.code for each in report.findings] == ([code] if code else [])
    assert report.keys[0].bits == bits


SHORT_KEY = (
    "v=DKIM1; p=MFwwDQYJKoZIhvcNAQEBBQADSwAwSAJBAKV0jfh0DYjE0sGvXJnFX0BJWQgW+0XtGrMwcmDJsxa0ahmz"
    "CEmBgHZfF9xsGwnaWc2bOGXcEcVt9mY1cZXUXgMCAwEAAQ=="
)


@pytest.mark.parametrize(
    ("record", "code"),
    [
        ("v=DKIM1; p=", "dkim_revoked"),
        ("v=DKIM1; p=abc", "dkim_broken"),
        ("v=DKIM1", "dkim_broken"),
        ("v=DKIM1; k=dsa; p=AAAA", "dkim_broken"),
    ],
)
async def test_a_key_that_is_none(record: str, code: str) -> None:
    zone = good_zone() | {(f"good.{DOMAIN}.dkim.hoster.example", "TXT"): [record]}
    report = await examined(zone, question())
    assert [each.code for each in report.findings] == [code]
    assert report.verdict is Verdict.FAIL


async def test_a_key_that_is_gone_is_no_matter_where_another_signs() -> None:
    two = replace(PROVIDER, selectors=("old", "good"))
    zone = good_zone() | {(f"old._domainkey.{DOMAIN}", "TXT"): ["v=DKIM1; p="]}
    report = await examined(zone, question(two))
    assert report.verdict is Verdict.PASS
    assert [each.code for each in report.findings] == ["dkim_revoked"]


async def test_a_provider_with_its_own_return_path_needs_a_key() -> None:
    zone = {key: value for key, value in good_zone().items() if key != (DKIM, "CNAME")}
    zone[DOMAIN, "TXT"] = ["v=spf1 -all"]
    records = replace(PROVIDER, spf=(), return_path=ReturnPath.PROVIDER)
    codes = {each.code: each.verdict for each in (await examined(zone, question(records))).findings}
    assert codes == {"dkim_missing": Verdict.FAIL, "dmarc_not_aligned": Verdict.FAIL}


async def test_a_server_of_ones_own_must_be_allowed_and_have_its_name() -> None:
    zone = good_zone()
    report = await examined(zone, question(None, "mail.firm.example"))
    by_code = {each.code: each for each in report.findings}
    assert set(by_code) == {"spf_provider_missing", "server_no_reverse_name"}
    assert by_code["server_no_reverse_name"].publish == record_to_publish(
        "5.113.0.203.in-addr.arpa", "PTR", "mail.firm.example"
    )
    for finding in by_code.values():
        assert finding.publish is not None
        zone = published(zone, finding.publish)
    assert (await examined(zone, question(None, "mail.firm.example"))).verdict is Verdict.PASS
    zone["5.113.0.203.in-addr.arpa", "PTR"] = ["dsl-5.isp.example."]
    zone["dsl-5.isp.example", "A"] = ["203.0.113.6"]
    report = await examined(zone, question(None, "mail.firm.example"))
    assert [each.code for each in report.findings] == ["server_reverse_name_differs"]


@pytest.mark.parametrize(
    ("mx", "code", "verdict"),
    [
        ([], "mx_missing", Verdict.WARN),
        (["0 ."], "mx_null", Verdict.FAIL),
        (["10 nowhere.hoster.example."], "mx_no_address", Verdict.WARN),
        (["10 alias.hoster.example."], "mx_alias", Verdict.WARN),
        (["10 192.0.2.1."], "mx_is_address", Verdict.WARN),
    ],
)
async def test_who_takes_the_mail_is_judged(mx: list[str], code: str, verdict: Verdict) -> None:
    zone = good_zone() | {(DOMAIN, "MX"): mx, ("alias.hoster.example", "CNAME"): ["mx.hoster.example."]}
    report = await examined({key: values for key, values in zone.items() if values}, question())
    assert [(each.code, each.verdict) for each in report.findings] == [(code, verdict)]


async def test_a_domain_that_is_not_there_has_one_fault() -> None:
    report = await examined({("other.example", "A"): ["192.0.2.1"]}, question())
    assert [each.code for each in report.findings] == ["domain_missing"]


@pytest.mark.parametrize("name", [DOMAIN, DMARC, DKIM, "spf.hoster.example"])
async def test_a_name_server_that_does_not_say_is_no_fault_of_the_domain(name: str) -> None:
    report = await examined(good_zone(), question(), {name: DnsFault.SERVFAIL})
    assert report.verdict is (Verdict.UNKNOWN if name in (DOMAIN, DMARC) else Verdict.WARN)
    assert all(each.publish is None for each in report.findings)


async def test_a_freemail_domain_lets_nobody_else_send() -> None:
    zone = good_zone() | {(DMARC, "TXT"): ["v=DMARC1; p=reject; rua=mailto:a@firm.example"]}
    asked = replace(question(), owner=phrase("Freemail"))
    [found] = (await examined(zone, asked)).findings
    assert (found.code, found.verdict, found.publish) == ("freemail_sender", Verdict.FAIL, None)
    assert (await examined(zone, replace(asked, owner_sends=True))).findings == ()


# --- DMARC: which record counts (RFC 9989) ---


@pytest.mark.parametrize(
    ("records", "found_at", "policy"),
    [
        ({"firm.example": "v=DMARC1; p=reject; sp=none"}, "firm.example", Policy.NONE),
        ({"firm.example": "v=DMARC1; p=reject"}, "firm.example", Policy.REJECT),
        (
            {"a.firm.example": "v=DMARC1; p=quarantine", "firm.example": "v=DMARC1; p=reject"},
            "a.firm.example",
            Policy.QUARANTINE,
        ),
        ({"example": "v=DMARC1; p=reject; psd=y", "firm.example": "v=DMARC1; p=none"}, "firm.example", Policy.NONE),
        ({"example": "v=DMARC1; p=reject; psd=y"}, "example", Policy.REJECT),
        ({"firm.example": "v=DMARC1; p=none; psd=n", "example": "v=DMARC1; p=reject"}, "firm.example", Policy.NONE),
    ],
)
async def test_the_record_that_counts(records: dict[str, str], found_at: str, policy: Policy) -> None:
    zone: Zone = {(f"_dmarc.{name}", "TXT"): [text] for name, text in records.items()}
    zone["a.firm.example", "A"] = ["192.0.2.1"]
    async with DnsServer(as_text(zone)) as server:
        found = await examine_dmarc("a.firm.example", Lookups(server.resolver))
    assert (found.found_at, found.policy) == (found_at, policy)


def test_a_long_name_is_shortened() -> None:
    names = tree("a.b.c.d.e.f.g.h.i.example.com")
    assert names[:2] == ["a.b.c.d.e.f.g.h.i.example.com", "e.f.g.h.i.example.com"]
    assert names[-1] == "com"
    assert len(names) == 8


# --- hostile records ---


async def test_records_without_end_cost_a_bounded_number_of_questions() -> None:
    zone: Zone = {
        (f"n{number}.example", "TXT"): [
            "v=spf1 " + " ".join(f"include:n{number * 12 + each}.example" for each in range(1, 12))
        ]
        for number in range(30)
    }
    zone[DOMAIN, "TXT"] = ["v=spf1 include:n0.example include:n1.example -all"]
    async with DnsServer(as_text(zone)) as server:
        report = await examine_domain(question(), Lookups(server.resolver))
        assert len(server.queries) <= 2 * MOST_QUESTIONS
    assert "spf_too_many_lookups" in {each.code for each in report.findings}


EVIL = "\x1b]0;pwned\x07\u202e\x9b31m"


@pytest.mark.parametrize(
    ("name", "record", "code"),
    [
        (DOMAIN, f"v=spf1 exists:%{{i}}{EVIL}.x include:spf.hoster.example -all", "spf_syntax"),
        (DOMAIN, f"v=spf1 exp={EVIL}.x include:spf.hoster.example -all", "spf_syntax"),
        (DOMAIN, f"v=spf1 a:{EVIL}x include:spf.hoster.example -all", "spf_syntax"),
        (DMARC, f"v=DMARC1; p=reject; rua=mailto:a@{DOMAIN}; ruf=mailto:a{EVIL}\n@x.example", "dmarc_broken"),
        (DMARC, f"p=reject; rua=mailto:a@{DOMAIN}; ruf=mailto:a{EVIL}", "dmarc_broken"),
        (DMARC, "v=DMARC1; p=reject; rua=mailto:a%1b%0a%e2%80%ae@firm.example", "dmarc_bad_report_address"),
        (f"good.{DOMAIN}.dkim.hoster.example", f"t=y; n={EVIL}; {key_record(2048)}", "dkim_broken"),
        (f"good.{DOMAIN}.dkim.hoster.example", f"t=y; {key_record(2048)}", "dkim_testing"),
    ],
)
async def test_what_strangers_write_is_shown_on_one_line_and_never_proposed(name: str, record: str, code: str) -> None:
    report = await examined(good_zone() | {(name, "TXT"): [record]}, question())
    assert code in {each.code for each in report.findings}
    assert "".join(domain_lines(report)).isprintable()
    values = [f"{each.publish.name} {each.publish.value}" for each in report.findings if each.publish is not None]
    assert all(each.isprintable() and each.isascii() and "pwned" not in each for each in values)
    assert values or code == "dkim_broken"


async def test_an_address_for_reports_is_written_as_it_was_found() -> None:
    zone = good_zone() | {(DMARC, "TXT"): [f"p=reject; rua=mailto:a%3Bb%25@{DOMAIN}"]}
    (found,) = [each for each in (await examined(zone, question())).findings if each.code == "dmarc_broken"]
    assert found.publish is not None
    assert found.publish.value == f"v=DMARC1; p=reject; rua=mailto:a%3Bb%25@{DOMAIN}"
