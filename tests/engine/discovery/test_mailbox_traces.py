"""Who keeps the mailboxes behind a filter or a forwarder: what the domain's DNS and its autodiscover tell of it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

import pytest

from smtp_wizard.engine.base.address import Address
from smtp_wizard.engine.base.data_files import DataError
from smtp_wizard.engine.base.endpoint import Endpoint
from smtp_wizard.engine.base.shown import shown
from smtp_wizard.engine.base.stages import Stage, Verdict
from smtp_wizard.engine.checks.report import CheckResult, Report
from smtp_wizard.engine.discovery.autodiscover import autodiscover_url, read_autodiscover
from smtp_wizard.engine.discovery.candidate import FoundBy
from smtp_wizard.engine.discovery.mailbox_traces import (
    FilterKind,
    FoundTraces,
    Trace,
    filter_of,
    find_traces,
    load_mailbox_knowledge,
    together,
    traces_note,
)
from smtp_wizard.engine.discovery.search import DiscoveryResult, DiscoverySources, discover
from smtp_wizard.engine.providers.catalog import Catalog, load_catalog
from smtp_wizard.engine.wizard.draft import Draft, with_found
from smtp_wizard.output.documents.discover import CandidateJson
from smtp_wizard.text.discovery import believed_words, trust_words
from tests.engine.discovery.test_autoconfig import configuration, server
from tests.engine.discovery.test_discovery_sources import Pages, Trying
from tests.support.dnsserver import DnsServer

ANA = Address("ana.secret", "firm.test")
FILTERED = "firm.test. 60 IN MX 10 eu-smtp-inbound-1.mimecast.com.\n"
MICROSOFT_SPF = (
    'firm.test. 60 IN TXT "v=spf1 include:eu._netblocks.mimecast.com include:spf.protection.outlook.com -all"\n'
)
MICROSOFT_DKIM = "selector1._domainkey.firm.test. 60 IN CNAME selector1-firm-test._domainkey.firm.onmicrosoft.com.\n"
AUTODISCOVER = "autodiscover.firm.test. 60 IN CNAME autodiscover.outlook.com.\n"
GOOGLE_SPF = 'firm.test. 60 IN TXT "v=spf1 include:_spf.google.com ~all"\n'
GOOGLE_DKIM = 'google._domainkey.firm.test. 60 IN TXT "v=DKIM1; k=rsa; " "p=MIIBIj"\n'


@pytest.fixture(scope="module")
def catalog() -> Catalog:
    return load_catalog()


async def found(
    catalog: Catalog, zone: str, pages: Mapping[str, bytes] | None = None, good: tuple[str, ...] = ()
) -> tuple[DiscoveryResult, Pages, DnsServer]:
    web = Pages(pages or {})
    async with DnsServer(zone) as dns:
        asking = DiscoverySources(resolver=dns.resolver, web=web, verify=Trying(good))
        return await discover(ANA, catalog, asking), web, dns


# --- the search ---


async def test_behind_a_filter_the_person_is_asked_and_the_likeliest_stands_first(catalog: Catalog) -> None:
    result, _, _ = await found(
        catalog, FILTERED + MICROSOFT_SPF + MICROSOFT_DKIM + AUTODISCOVER, good=("smtp.office365.com:587",)
    )
    assert (result.filtered_by, result.provider) == ("Mimecast", None)
    assert result.alternatives[0] is catalog.get("microsoft365")
    best = result.candidates[0]
    assert (str(best.endpoint), best.source, best.verified) == ("smtp.office365.com:587", FoundBy.TRACES, True)
    assert trust_words(best.trust) == "likely right"
    assert "its autodiscover leads there and its DKIM key is theirs and its SPF record names them" in best.note
    assert result.notes[0] == (
        "The mail of firm.test is filtered by Mimecast (eu-smtp-inbound-1.mimecast.com), which keeps no mailbox: "
        "who keeps yours?"
    )
    draft = with_found(Draft().with_address(ANA), result, catalog)
    assert (draft.maybe[0], draft.filtered_by) == ("microsoft365", "Mimecast")
    assert draft.with_address(Address("ana", "other.test")).filtered_by == ""


async def test_one_trace_behind_a_filter_is_enough_to_ask_and_makes_nothing_likely(catalog: Catalog) -> None:
    result, _, _ = await found(catalog, FILTERED + MICROSOFT_SPF, good=("smtp.office365.com:587",))
    assert result.alternatives[0] is catalog.get("microsoft365")
    assert trust_words(result.candidates[0].trust) == "perhaps right"


@pytest.mark.parametrize(
    ("host", "name", "words"),
    [
        ("us-smtp-inbound-1.mimecast.com", "Mimecast", "filtered"),
        ("mxa-00000000.gslb.pphosted.com", "Proofpoint", "filtered"),
        ("mx1-us1.ppe-hosted.com", "Proofpoint Essentials", "filtered"),
        ("d12345a.ess.barracudanetworks.com", "Barracuda", "filtered"),
        ("route1.mx.cloudflare.net", "Cloudflare Email Routing", "hands the mail"),
        ("mx1.improvmx.com", "ImprovMX", "hands the mail"),
        ("mx1.simplelogin.co", "SimpleLogin", "hands the mail"),
        ("mx1.forwardemail.net", "Forward Email", "hands the mail"),
    ],
)
async def test_every_filter_and_forwarder_is_said_and_is_no_provider(
    host: str, name: str, words: str, catalog: Catalog
) -> None:
    result, web, _ = await found(catalog, f"firm.test. 60 IN MX 10 {host}.\n")
    assert (result.filtered_by, result.provider, result.alternatives, result.candidates) == (name, None, (), ())
    assert words in result.note
    assert result.note.endswith("?")
    assert not any(host.split(".", 1)[1] in url for url in web.asked), "its web says nothing of this mailbox"


async def test_a_provider_that_receives_beside_a_filter_is_named_by_its_own_host(catalog: Catalog) -> None:
    mixed = "firm.test. 60 IN MX 5 us-smtp-inbound-1.mimecast.com.\nfirm.test. 60 IN MX 10 aspmx.l.google.com.\n"
    result, _, _ = await found(catalog, mixed)
    assert result.provider is catalog.get("google-workspace")
    assert result.note == "from: the MX record of firm.test (aspmx.l.google.com)"
    assert result.notes[0] == (
        "The mail of firm.test is filtered by Mimecast (us-smtp-inbound-1.mimecast.com), which keeps no mailbox."
    )


async def test_what_the_dns_points_to_has_no_day_of_a_change(catalog: Catalog) -> None:
    """The day is that on which our own list was checked: the DNS has none."""
    result, _, _ = await found(catalog, FILTERED + MICROSOFT_SPF)
    words = believed_words(result.candidates[0])
    assert "last changed" not in words
    assert "; checked " in words


def test_one_provider_that_traces_point_to_is_nothing_to_choose_from(catalog: Catalog) -> None:
    gmail, fastmail = catalog.get("gmail"), catalog.get("fastmail")
    assert gmail is not None
    assert fastmail is not None
    assert traces_note("firm.test", [gmail]).endswith("is your mailbox there?")
    assert traces_note("firm.test", [gmail, fastmail]).endswith("please choose yours.")


async def test_a_name_that_only_looks_like_a_filter_is_none(catalog: Catalog) -> None:
    result, _, _ = await found(catalog, "firm.test. 60 IN MX 10 mx.notmimecast.com.\n")
    assert result.filtered_by == ""
    assert "It is not known to be of anybody in our list" in result.note


@pytest.mark.parametrize(
    ("mx", "provider"),
    [
        ("mx20.antispam.mailspamprotection.com", "siteground"),
        ("wes1-mx1.wedos.net", "wedos"),
        ("mailcluster.loopia.se", "loopia"),
        ("mx.forpsi.com", "forpsi"),
    ],
)
async def test_a_mail_host_of_somebody_in_our_list_by_its_name_is_asked_about(
    catalog: Catalog, mx: str, provider: str
) -> None:
    result, _, _ = await found(catalog, f"firm.test. 60 IN MX 10 {mx}.\n")
    assert (result.provider, [each.id for each in result.alternatives]) == (None, [provider])
    assert result.note.startswith(f"{mx} receives the mail of firm.test. By its name it may be of ")
    assert result.candidates == ()


@pytest.mark.parametrize("host", ["localhost", "192.0.2.1"])
async def test_a_mail_host_that_is_none_receives_nothing(catalog: Catalog, host: str) -> None:
    result, _, _ = await found(catalog, f"firm.test. 60 IN MX 10 {host}.\n")
    assert result.note == f"firm.test names {host} for its mail, which is no mail host: nothing arrives there."


async def test_who_only_hands_mail_on_keeps_no_mailbox_by_its_name(catalog: Catalog) -> None:
    result, _, _ = await found(catalog, "firm.test. 60 IN MX 10 inbound.mailgun.org.\n")
    assert result.alternatives == ()
    assert "known to be of anybody in our list" in result.note


async def test_an_autodiscover_that_leads_to_a_provider_is_asked_about_whoever_receives_the_mail(
    catalog: Catalog,
) -> None:
    result, _, _ = await found(catalog, "firm.test. 60 IN MX 10 mx.hoster.test.\n" + AUTODISCOVER)
    assert [each.id for each in result.alternatives] == ["microsoft365", "godaddy-microsoft365"]


@pytest.mark.parametrize("ways", ["NTLM", "GSSAPI NTLM"])
async def test_a_server_whose_ways_in_nobody_has_is_told_wherever_it_comes_from(catalog: Catalog, ways: str) -> None:
    """Exchange inside a firm: its mail host lets only Windows in."""

    async def tried(endpoint: Endpoint) -> Report:
        hello = CheckResult(Stage.EHLO, Verdict.PASS, 0.1, shown("hello"), capabilities={"AUTH": shown(ways)})
        return Report(endpoint, (hello,))

    async with DnsServer("firm.test. 60 IN MX 10 post.firm.test.\n") as dns:
        asking = DiscoverySources(resolver=dns.resolver, web=Pages({}), verify=tried)
        result = await discover(ANA, catalog, asking)
    assert result.candidates == ()
    assert "post.firm.test: it answers, and offers only" in result.note
    assert "must allow LOGIN or PLAIN on the encrypted port." in result.note


async def test_what_the_domain_itself_publishes_comes_before_traces(catalog: Catalog) -> None:
    own = "https://autoconfig.firm.test/mail/config-v1.1.xml"
    result, _, _ = await found(
        catalog, FILTERED + MICROSOFT_SPF, {own: configuration(server("smtp.firm.test"))}, good=("smtp.firm.test:465",)
    )
    assert str(result.candidates[0].endpoint) == "smtp.firm.test:465"
    assert result.alternatives == ()
    assert result.filtered_by == "Mimecast"


async def test_without_a_filter_one_trace_is_not_enough_to_ask(catalog: Catalog) -> None:
    """A web host's standard SPF record, or a newsletter that is sent by somebody else, says little of the mailboxes."""
    zone = "firm.test. 60 IN MX 10 mx.hoster.test.\n" + GOOGLE_SPF
    one, _, _ = await found(catalog, zone)
    assert (one.provider, one.alternatives) == (None, ())
    two, _, _ = await found(catalog, zone + GOOGLE_DKIM)
    assert two.alternatives[0] is catalog.get("google-workspace")
    assert two.note.startswith("from: traces in the DNS of firm.test. They point to Google Workspace")


async def test_where_the_mail_host_is_in_our_list_nothing_more_is_asked(catalog: Catalog) -> None:
    _, web, dns = await found(catalog, "firm.test. 60 IN MX 1 aspmx.l.google.com.\n" + AUTODISCOVER)
    traces = [each for each in dns.queries if each.type in ("TXT", "CNAME")]
    assert not [each for each in traces if each.name != "_ua-auto-config.firm.test"], "asked before that is known"
    assert not any("autodiscover" in url for url in web.asked)


async def test_traces_count_as_a_guess_in_json(catalog: Catalog) -> None:
    result, _, _ = await found(catalog, FILTERED + MICROSOFT_SPF)
    assert {CandidateJson.of(each).source for each in result.candidates} == {FoundBy.GUESS}


# --- autodiscover ---


async def test_an_autodiscover_of_the_domain_names_the_mailbox_server(catalog: Catalog) -> None:
    """Exchange at the firm: the host of its answer is tried as a server for sending."""
    zone = "firm.test. 60 IN MX 10 filter.hoster.test.\nautodiscover.firm.test. 60 IN A 192.0.2.1\n"
    answer = json.dumps({"Protocol": "AutodiscoverV1", "Url": "https://owa.firm.test/Autodiscover/Autodiscover.xml"})
    url = autodiscover_url("firm.test")
    result, web, _ = await found(catalog, zone, {url: answer.encode()}, good=("owa.firm.test:587",))
    assert [(str(each.endpoint), each.source) for each in result.candidates] == [("owa.firm.test:587", FoundBy.GUESS)]
    assert url in web.asked


async def test_nobody_s_address_stands_in_the_question(catalog: Catalog) -> None:
    zone = "firm.test. 60 IN MX 10 filter.hoster.test.\nautodiscover.firm.test. 60 IN A 192.0.2.1\n"
    _, web, dns = await found(catalog, zone)
    assert any("postmaster%40firm.test" in url for url in web.asked)
    assert not any("ana" in url for url in web.asked)
    assert not any("ana" in each.name for each in dns.queries)


async def test_an_answer_that_leads_to_a_provider_is_a_trace_of_it(catalog: Catalog) -> None:
    zone = FILTERED + "autodiscover.firm.test. 60 IN A 192.0.2.1\n"
    answer = b'{"Protocol": "AutodiscoverV1", "Url": "https://outlook.office365.com/autodiscover/autodiscover.xml"}'
    result, _, _ = await found(catalog, zone, {autodiscover_url("firm.test"): answer})
    assert result.alternatives[0] is catalog.get("microsoft365")


@pytest.mark.parametrize(
    "answer",
    [
        b"",
        b"<html>",
        b"[]",
        b"{}",
        b'{"Url": 5}',
        b'{"Url": "http://owa.firm.test/"}',
        b'{"Url": "https://"}',
        b'{"Url": "https://[::1"}',
        b'{"Url": "https://a b/"}',
        b"[" * 100_000,
        b"\xff\xfe",
    ],
)
def test_an_answer_that_names_nothing_is_none(answer: bytes) -> None:
    assert read_autodiscover(answer) == ""


# --- traces ---


@pytest.mark.parametrize(
    ("zone", "expected"),
    [
        ("", {}),
        (MICROSOFT_SPF, {"microsoft365": (Trace.SPF,)}),
        (MICROSOFT_DKIM, {"microsoft365": (Trace.DKIM,)}),
        (AUTODISCOVER, {"microsoft365": (Trace.AUTODISCOVER,)}),
        (AUTODISCOVER.replace("outlook.com", "stranger.com"), {}),
        (GOOGLE_DKIM + GOOGLE_SPF, {"google-workspace": (Trace.DKIM, Trace.SPF)}),
        ('google._domainkey.firm.test. 60 IN TXT "nothing"\n', {}),
        ('google._domainkey.firm.test. 60 IN TXT "v=DKIM1; k=rsa; p="\n', {}),
        ('google._domainkey.firm.test. 60 IN TXT "v=DKIM1; p= ; n=p=abc"\n', {}),
        ("selector1._domainkey.firm.test. 60 IN CNAME selector1.stranger.com.\n", {}),
        ('firm.test. 60 IN TXT "v=spf1 redirect=_spf.google.com"\n', {"google-workspace": (Trace.SPF,)}),
        ('firm.test. 60 IN TXT "v=spf1 ?include:zoho.com -all"\n', {"zoho": (Trace.SPF,)}),
        ('firm.test. 60 IN TXT "v=spf1 -include:zoho.com ~include:_spf.google.com -all"\n', {}),
        ('firm.test. 60 IN TXT "v=spf1 +include:zoho.eu -all"\n', {"zoho": (Trace.SPF,)}),
        ('firm.test. 60 IN TXT "v=spf1 include:notzoho.com a:zoho.com -all"\n', {}),
        ('firm.test. 60 IN TXT "include:_spf.google.com"\n', {}),
        ('firm.test. 60 IN TXT "v=spf1 include:_spf." "google.com ~all"\n', {"google-workspace": (Trace.SPF,)}),
        (
            "fm1._domainkey.firm.test. 60 IN CNAME fm1.firm.test.dkim.fmhosted.com.\n"
            'firm.test. 60 IN TXT "v=spf1 include:spf.messagingengine.com ~all"\n',
            {"fastmail": (Trace.DKIM, Trace.SPF)},
        ),
        ('firm.test. 60 IN TXT "v=spf1 include:_spf.protonmail.ch ~all"\n', {"proton": (Trace.SPF,)}),
        ('firm.test. 60 IN TXT "v=spf1 include:_spf.mail.hostinger.com ~all"\n', {"hostinger": (Trace.SPF,)}),
    ],
)
async def test_each_trace_is_known(zone: str, expected: dict[str, tuple[Trace, ...]]) -> None:
    async with DnsServer(zone or "other.test. 60 IN A 192.0.2.1\n") as dns:
        result = await find_traces("firm.test", load_mailbox_knowledge().traces, dns.resolver)
    assert {each.provider: each.traces for each in result} == expected


def test_traces_of_several_look_ups_are_put_together_most_first() -> None:
    both = together(
        [
            FoundTraces("a", (Trace.SPF,)),
            FoundTraces("b", (Trace.SPF,)),
            FoundTraces("b", (Trace.AUTODISCOVER,)),
            FoundTraces("a", (Trace.SPF,)),
        ]
    )
    assert both == (FoundTraces("b", (Trace.AUTODISCOVER, Trace.SPF)), FoundTraces("a", (Trace.SPF,)))


# --- the data ---


def test_the_first_mail_host_that_is_known_decides() -> None:
    known = load_mailbox_knowledge().filters
    found = filter_of(("mx.firm.test", "MX1.ImprovMX.com."), known)
    assert found is not None
    assert (found.id, found.kind) == ("improvmx", FilterKind.FORWARDER)
    assert filter_of((), known) is None


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("kind: forwarder", "kind: magic", "is none of"),
        ("as_of: 2021-05-31", "as_of: yesterday", "date"),
        ("url: https://gist.github.com/vimal", "url: ftp://gist.github.com/vimal", "https://"),
        ("mx: [improvmx.com]", "mx: []", "mx"),
    ],
)
def test_data_that_is_not_as_it_must_be_is_refused(old: str, new: str, words: str, tmp_path: Path) -> None:
    text = (Path(__file__).parents[3] / "data" / "discovery.yaml").read_text("utf-8")
    assert old in text
    (tmp_path / "discovery.yaml").write_text(text.replace(old, new), "utf-8")
    with pytest.raises(DataError, match=words):
        load_mailbox_knowledge(tmp_path / "discovery.yaml")
