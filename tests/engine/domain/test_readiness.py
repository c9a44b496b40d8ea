"""What receivers ask of who sends to many, against domains that have it, and that lack a part of it."""

from __future__ import annotations

from datetime import date

import pytest

from smtp_wizard.engine.base.endpoint import Endpoint, Security
from smtp_wizard.engine.base.stages import Verdict
from smtp_wizard.engine.domain.readiness import RequirementResult, judge, load_requirements
from smtp_wizard.engine.providers.catalog import load_catalog
from smtp_wizard.engine.providers.provider import SourceKind
from smtp_wizard.engine.services.domains import Domains
from tests.engine.domain.keys import key_record
from tests.support.dnsserver import DnsFault, DnsServer

GOOD = """\
firm.example. 60 IN MX 10 aspmx.l.google.com.
firm.example. 60 IN TXT "v=spf1 include:_spf.google.com -all"
_spf.google.com. 60 IN TXT "v=spf1 ip4:192.0.2.0/24 -all"
_dmarc.firm.example. 60 IN TXT "v=DMARC1; p=none; rua=mailto:reports@firm.example"
"""
PAGES = {
    "Google": "support.google.com",
    "Yahoo": "senders.yahooinc.com",
    "Microsoft": "techcommunity.microsoft.com",
}
ENDPOINT = Endpoint("smtp.example.com", 465, Security.TLS)


async def judged(
    zone: str, recipients: int = 10_000, endpoint: Endpoint = ENDPOINT, silent: str = ""
) -> dict[str, RequirementResult]:
    catalog = load_catalog()
    async with DnsServer(zone, {silent: DnsFault.SERVFAIL} if silent else None) as dns:
        report = await Domains(catalog, dns.resolver).examine("firm.example", provider=catalog.get("google-workspace"))
    return {each.requirement.id: each for each in judge(load_requirements(), report, endpoint, recipients)}


async def test_what_is_there_is_met_and_what_cannot_be_seen_is_said_to_be_unknown() -> None:
    met = await judged(GOOD)
    assert (met["spf"].verdict, met["dmarc"].verdict, met["tls"].verdict) == (Verdict.PASS,) * 3
    assert {met[each].verdict for each in ("names", "unsubscribe", "complaints")} == {Verdict.UNKNOWN}


@pytest.mark.parametrize(
    ("lacking", "id"), [("v=spf1 include:_spf.google.com -all", "spf"), ("_dmarc.firm.example.", "dmarc")]
)
async def test_a_record_that_is_missing_is_not_met(lacking: str, id: str) -> None:
    zone = "".join(line for line in GOOD.splitlines(keepends=True) if lacking not in line)
    met = await judged(zone)
    assert met[id].verdict is Verdict.FAIL
    assert met[id].requirement.step


@pytest.mark.parametrize(
    ("silent", "ids"),
    [
        ("firm.example", ("spf", "either", "alignment")),
        ("_spf.google.com", ("spf", "either", "alignment")),
        ("_dmarc.firm.example", ("dmarc",)),
        ("google._domainkey.firm.example", ("dkim",)),
    ],
)
async def test_what_the_dns_does_not_say_is_not_known(silent: str, ids: tuple[str, ...]) -> None:
    met = await judged(GOOD, silent=silent)
    assert {met[each].verdict for each in ids} == {Verdict.UNKNOWN}
    assert "did not answer" in met[ids[0]].detail


async def test_what_is_asked_of_many_messages_only_is_a_warning_for_a_small_mailing() -> None:
    zone = "".join(line for line in GOOD.splitlines(keepends=True) if "_dmarc" not in line)
    small, large = await judged(zone, recipients=100), await judged(zone, recipients=5_000)
    assert (small["dmarc"].verdict, large["dmarc"].verdict) == (Verdict.WARN, Verdict.FAIL)
    assert "5,000 messages a day" in small["dmarc"].detail


async def test_who_sends_little_needs_spf_or_dkim_and_who_sends_much_both() -> None:
    zone = "".join(line for line in GOOD.splitlines(keepends=True) if "firm.example. 60 IN TXT" not in line)
    key = key_record(2048)
    texts = " ".join(f'"{key[at : at + 200]}"' for at in range(0, len(key), 200))
    signed = f"{zone}google._domainkey.firm.example. 60 IN TXT {texts}\n"
    small, large = await judged(signed, recipients=100), await judged(signed)
    assert (small["either"].verdict, small["spf"].verdict) == (Verdict.PASS, Verdict.WARN)
    assert (large["either"].verdict, large["spf"].verdict) == (Verdict.PASS, Verdict.FAIL)
    unknown = (await judged(zone, recipients=100))["either"]
    assert unknown.verdict is Verdict.UNKNOWN, "there may be a key under another name"
    assert "does not say who may send its mail" in unknown.detail
    revoked = (await judged(f'{zone}google._domainkey.firm.example. 60 IN TXT "v=DKIM1; p="\n', recipients=1))["either"]
    assert revoked.verdict is Verdict.FAIL


async def test_a_connection_without_encryption_is_not_met() -> None:
    clear = Endpoint("smtp.example.com", 25, Security.NONE)
    assert (await judged(GOOD, endpoint=clear))["tls"].verdict is Verdict.FAIL


def test_each_requirement_has_who_asks_for_it_since_when_and_a_source_that_says_so() -> None:
    for each in load_requirements():
        assert each.by
        assert each.source.says
        assert each.source.kind is SourceKind.OFFICIAL, "a receiver's own page"
        own = {source.url.split("/")[2] for source in (each.source, *each.also)}
        assert own == {PAGES[receiver] for receiver in each.by}
        assert date.fromisoformat(each.since) < date(2026, 12, 1)
        assert each.asked.endswith(".")
        assert each.step.endswith(".")


@pytest.mark.parametrize(
    ("record", "spf", "alignment"),
    [
        ("v=spf1 ip4:192.0.2.99 -all", Verdict.UNKNOWN, Verdict.UNKNOWN),
        ("v=spf1 ip4:192.0.2.7 -all", Verdict.PASS, Verdict.PASS),
        ("v=spf1 -all", Verdict.FAIL, Verdict.UNKNOWN),
    ],
)
@pytest.mark.parametrize("server", ["smtp.firm.example", "192.0.2.7"])
async def test_a_record_must_name_the_server_that_was_entered_by_hand(
    server: str, record: str, spf: Verdict, alignment: Verdict
) -> None:
    zone = GOOD.replace("v=spf1 include:_spf.google.com -all", record) + "smtp.firm.example. 60 IN A 192.0.2.7\n"
    async with DnsServer(zone) as dns:
        report = await Domains(load_catalog(), dns.resolver).examine("firm.example", sends_through=server)
    met = {each.requirement.id: each.verdict for each in judge(load_requirements(), report, ENDPOINT, 10_000)}
    assert (met["spf"], met["alignment"]) == (spf, alignment)


async def test_where_the_dns_is_silent_one_is_told_to_look_later() -> None:
    catalog = load_catalog()
    faults = dict.fromkeys(("firm.example", "_dmarc.firm.example"), DnsFault.SERVFAIL)
    async with DnsServer(GOOD, faults) as dns:
        report = await Domains(catalog, dns.resolver).examine("firm.example", provider=catalog.get("google-workspace"))
    met = {each.requirement.id: each for each in judge(load_requirements(), report, ENDPOINT, 100)}
    for id in ("spf", "dmarc"):
        assert (met[id].verdict, met[id].step) == (Verdict.UNKNOWN, "Look again in some minutes.")
    assert met["alignment"].verdict is Verdict.UNKNOWN
    assert met["alignment"].silent
    assert met["alignment"].undecided, "nobody is ready where this is not known"


FREEMAIL = """\
yahoo.com. 60 IN MX 10 mx.yahoodns.example.
yahoo.com. 60 IN TXT "v=spf1 ip4:192.0.2.0/29 ~all"
_dmarc.yahoo.com. 60 IN TXT "v=DMARC1; p=reject; rua=mailto:reports@yahoo.com"
smtp.firm.example. 60 IN A 203.0.113.7
out.yahoo.example. 60 IN A 192.0.2.3
"""


async def of_freemail(provider: str, server: str = "", zone: str = FREEMAIL) -> dict[str, RequirementResult]:
    catalog = load_catalog()
    async with DnsServer(zone) as dns:
        report = await Domains(catalog, dns.resolver).examine(
            "ana@yahoo.com", provider=catalog.get(provider), sends_through=server
        )
    return {each.requirement.id: each for each in judge(load_requirements(), report, ENDPOINT, 100)}


@pytest.mark.parametrize(("provider", "server"), [("ionos", ""), ("", "smtp.sendgrid.net")])
async def test_the_domain_of_a_mailbox_provider_is_not_proved_by_another_server(provider: str, server: str) -> None:
    met = await of_freemail(provider, server)
    for id in ("either", "alignment"):
        assert met[id].verdict is Verdict.FAIL, "Yahoo asks all receivers to refuse it, however little is sent"
        assert "Only Yahoo" in met[id].detail
        assert "from an address of a domain of your own" in met[id].step
    lax = await of_freemail(provider, server, FREEMAIL.replace("p=reject", "p=none"))
    assert lax["alignment"].verdict is Verdict.WARN


@pytest.mark.parametrize("server", ["smtp.firm.example", "127.0.0.1"])
async def test_of_a_server_that_nobody_knows_it_is_not_known_whether_it_sends_for_a_mailbox_provider(
    server: str,
) -> None:
    met = await of_freemail("", server)
    assert (met["alignment"].verdict, met["alignment"].undecided) == (Verdict.UNKNOWN, True)
    assert "Only Yahoo" in met["alignment"].detail
    shared = (await of_freemail("sky"))["alignment"]
    assert shared.verdict is Verdict.UNKNOWN, "it sends through the same server, as another mailbox"
    named = await of_freemail("", "out.yahoo.example")
    assert {named[id].verdict for id in ("either", "spf", "alignment")} == {Verdict.PASS}


async def test_what_a_mailbox_provider_publishes_for_its_own_domain_is_nobody_elses_to_do() -> None:
    met = await of_freemail("yahoo")
    assert {met[id].verdict for id in ("either", "spf", "dmarc", "alignment")} == {Verdict.PASS}
    assert (met["dkim"].verdict, met["dkim"].step) == (Verdict.SKIPPED, "There is nothing for you to do.")
    bare = await of_freemail("yahoo", zone=FREEMAIL.replace("_dmarc.yahoo.com", "_dmarc.other.example"))
    assert bare["dmarc"].verdict is Verdict.WARN
    assert "Only Yahoo" in bare["dmarc"].step


async def test_where_bounces_go_to_the_provider_only_a_signature_proves_the_domain() -> None:
    catalog = load_catalog()
    async with DnsServer(GOOD) as dns:
        report = await Domains(catalog, dns.resolver).examine("firm.example", provider=catalog.get("brevo"))
    met = {each.requirement.id: each for each in judge(load_requirements(), report, ENDPOINT, 10_000)}
    assert met["spf"].verdict is Verdict.PASS, "it is asked about the provider's own domain"
    assert (met["alignment"].verdict, met["alignment"].undecided) == (Verdict.UNKNOWN, True)


async def test_what_can_never_be_seen_from_here_decides_nothing() -> None:
    met = await judged(GOOD)
    assert met["complaints"].verdict is Verdict.UNKNOWN
    assert {id for id, each in met.items() if each.undecided} == set()
