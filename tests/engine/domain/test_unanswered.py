"""What the DNS does not say is no fault of the domain, nothing is proposed for it; and records that mean harm."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

from smtp_wizard.engine.base.stages import Verdict
from smtp_wizard.engine.discovery.dns import Resolver
from smtp_wizard.engine.domain.dmarc import DmarcFault, examine_dmarc
from smtp_wizard.engine.domain.dns_lookups import MOST_TEXTS, Lookups, Texts
from smtp_wizard.engine.domain.domain_report import examine_domain
from smtp_wizard.engine.domain.sender_records import ReturnPath
from smtp_wizard.engine.domain.spf import examine_spf
from smtp_wizard.text.domain import domain_lines
from tests.engine.domain.test_mending import DKIM, DMARC, DOMAIN, PROVIDER, Zone, as_text, examined, good_zone, question
from tests.support.dnsserver import DnsFault, DnsServer

SERVER = "mail.firm.example"
REVERSE = "25.100.51.198.in-addr.arpa"


def own_server() -> Zone:
    """Return a domain that sends from a server of its own, with its name both ways."""
    return good_zone() | {
        (DOMAIN, "TXT"): ["v=spf1 a:mail.firm.example mx include:spf.hoster.example -all"],
        (SERVER, "A"): ["198.51.100.25"],
        (REVERSE, "PTR"): [f"{SERVER}."],
    }


@pytest.mark.parametrize("silent", [SERVER, "mx.hoster.example", REVERSE])
@pytest.mark.parametrize("fault", [DnsFault.SERVFAIL, DnsFault.REFUSED])
async def test_of_what_was_not_answered_nothing_is_concluded(silent: str, fault: DnsFault) -> None:
    """Neither that a term leads to nothing, so that it would be taken out, nor that a server has no name."""
    asked = replace(question(), server=SERVER)
    assert [
        each.verdict for each in (await examined(own_server(), asked)).findings if each.verdict is Verdict.FAIL
    ] == []
    report = await examined(own_server(), asked, {silent: fault})
    assert report.verdict is Verdict.WARN
    assert {each.code for each in report.findings} <= {"spf_unreachable", "server_unreachable", "mta_sts_missing"}
    assert all(each.publish is None for each in report.findings)
    assert report.spf.void == 0


async def test_who_is_named_in_a_record_that_did_not_come_is_not_called_missing() -> None:
    zone = good_zone() | {
        (DOMAIN, "TXT"): ["v=spf1 include:all.firm.example -all"],
        ("all.firm.example", "TXT"): ["v=spf1 include:spf.hoster.example -all"],
    }
    report = await examined(zone, question(), {"all.firm.example": DnsFault.SERVFAIL})
    assert "spf_provider_missing" not in {each.code for each in report.findings}


@pytest.mark.parametrize("silent", [f"_mta-sts.{DOMAIN}", f"_smtp._tls.{DOMAIN}"])
async def test_encryption_that_was_not_said_is_not_called_missing(silent: str) -> None:
    assert (await examined(good_zone(), question(), {silent: DnsFault.SERVFAIL})).findings == ()


async def test_one_mail_host_of_two_that_was_not_said_may_be_the_sender() -> None:
    zone = good_zone() | {
        (DOMAIN, "MX"): ["10 mx.hoster.example.", "20 mail.firm.example."],
        (DOMAIN, "TXT"): ["v=spf1 mx -all"],
    }
    asked = replace(question(None), server="out.firm.example")
    zone["out.firm.example", "A"] = ["203.0.113.5"]
    codes = {each.code for each in (await examined(zone, asked, {SERVER: DnsFault.SERVFAIL})).findings}
    assert "spf_unreachable" in codes
    assert "spf_provider_missing" not in codes


async def test_a_key_that_was_not_said_may_be_the_one_that_signs() -> None:
    two = replace(PROVIDER, selectors=("gone", "good"), return_path=ReturnPath.PROVIDER)
    report = await examined(good_zone(), question(two), {DKIM: DnsFault.SERVFAIL})
    assert {each.code for each in report.findings} == {"dkim_unreachable"}


async def test_a_parent_that_was_not_said_may_have_the_record_that_counts() -> None:
    zone = good_zone() | {("news.firm.example", "TXT"): ["v=spf1 -all"]}
    async with DnsServer(as_text(zone), {DMARC: DnsFault.SERVFAIL}) as server:
        found = await examine_dmarc("news.firm.example", Lookups(server.resolver))
    assert [fault for fault, _ in found.faults] == [DmarcFault.UNREACHABLE]


async def test_after_three_names_that_are_silent_no_more_is_asked_for_spf() -> None:
    names = [f"s{number}.silent.example" for number in range(9)]
    zone = good_zone() | {(DOMAIN, "TXT"): [f"v=spf1 {' '.join(f'include:{name}' for name in names)} -all"]}
    async with DnsServer(as_text(zone), dict.fromkeys(names, DnsFault.SERVFAIL)) as server:
        found = await examine_spf(DOMAIN, Lookups(server.resolver))
    assert [each.where for each in found.troubles] == names[:3]


class _Together(Lookups):
    """Answers who may get reports only once all are asked."""

    def __init__(self, resolver: Resolver, wanted: int) -> None:
        super().__init__(resolver)
        self._waiting = asyncio.Barrier(wanted)

    async def texts(self, name: str) -> Texts:
        if "._report." in name:
            await self._waiting.wait()
            return Texts(("v=DMARC1",))
        return await super().texts(name)


async def test_all_who_get_reports_are_asked_at_once() -> None:
    addresses = ",".join(f"mailto:a@r{number}.test" for number in range(20))
    zone = good_zone() | {(DMARC, "TXT"): [f"v=DMARC1; p=reject; rua={addresses}"]}
    async with DnsServer(as_text(zone)) as server, asyncio.timeout(20):
        found = await examine_dmarc(DOMAIN, _Together(server.resolver, 20))
    assert (len(found.reports_to), found.faults) == (20, ())


@pytest.mark.parametrize(
    ("silent", "said"),
    [
        (DOMAIN, "SPF         not known: the DNS did not answer"),
        (DOMAIN, "Mail hosts  not known: the DNS did not answer"),
        (DMARC, "DMARC       not known: the DNS did not answer"),
        (DKIM, "DKIM        not known: the DNS did not answer"),
    ],
)
async def test_what_was_not_said_is_told_as_not_known(silent: str, said: str) -> None:
    report = await examined(good_zone(), question(), {silent: DnsFault.SERVFAIL})
    assert said in "\n".join(domain_lines(report))


async def test_the_record_is_found_among_any_number_of_others() -> None:
    zone = good_zone()
    zone[DOMAIN, "TXT"] = [
        *(f"{number:04}-site-verification" for number in range(10 * MOST_TEXTS)),
        *zone[DOMAIN, "TXT"],
    ]
    report = await examined(zone, question())
    assert report.spf.record == "v=spf1 include:spf.hoster.example -all"


@pytest.mark.parametrize(
    "record",
    [
        "v=spf1 a/\u0661\u0662 include:spf.hoster.example -all",
        "v=spf1 mx//\u0661\u0662\u0668 include:spf.hoster.example -all",
        "v=spf1 a/99 include:spf.hoster.example -all",
        "v=spf1 ip4:\u0661.2.3.4 include:spf.hoster.example -all",
        "v=spf1 exists:%{i\u0661} include:spf.hoster.example -all",
        "v=spf1 include:{provider}.%(x)s include:spf.hoster.example -all",
    ],
)
async def test_figures_and_blanks_that_are_none_are_told_as_what_no_receiver_reads(record: str) -> None:
    report = await examined(good_zone() | {(DOMAIN, "TXT"): [record]}, question())
    assert report.spf.record == record
    assert "spf_syntax" in {each.code for each in report.findings}


@pytest.mark.parametrize("name", [DOMAIN, DMARC, DKIM])
async def test_names_that_lead_in_a_circle_end(name: str) -> None:
    zone = {key: each for key, each in good_zone().items() if key[0] != name or key[1] == "NS"}
    zone |= {(name, "CNAME"): ["circle.firm.example."], ("circle.firm.example", "CNAME"): [f"{name}."]}
    zone = {key: each for key, each in zone.items() if key[0] != DOMAIN or name != DOMAIN or key[1] == "CNAME"}
    report = await examined(zone, question())
    assert report.verdict in (Verdict.WARN, Verdict.FAIL, Verdict.UNKNOWN)


async def test_who_did_not_answer_is_not_asked_again_for_another_name() -> None:
    faults = dict.fromkeys((DOMAIN, DMARC, DKIM), DnsFault.SERVFAIL)
    async with DnsServer(as_text(good_zone()), faults) as server:
        await examine_domain(question(), Lookups(server.resolver))
        assert "CNAME" not in {each.type for each in server.queries if each.name in faults}
