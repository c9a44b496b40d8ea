"""What the DNS does not say is no fault of the domain, nothing is proposed for it; and records that mean harm."""

from __future__ import annotations

from dataclasses import replace

import pytest

from smtp_wizard.engine.base.stages import Verdict
from smtp_wizard.engine.domain.dns_lookups import MOST_TEXTS
from tests.engine.domain.test_mending import DKIM, DMARC, DOMAIN, Zone, examined, good_zone, question
from tests.support.dnsserver import DnsFault

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
    assert report.verdict in (Verdict.WARN, Verdict.FAIL)
