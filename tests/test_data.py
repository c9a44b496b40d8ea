"""The shipped knowledge: complete against the old article, every fact dated and sourced, no path a dead end."""

from __future__ import annotations

import difflib
import importlib.util
import re
import shutil
import sys
from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import yaml

from smtp_wizard.engine.base.address import Address
from smtp_wizard.engine.base.confidence import Confidence
from smtp_wizard.engine.base.data_files import data_path
from smtp_wizard.engine.base.endpoint import Endpoint, Security
from smtp_wizard.engine.limits.catalogue_limits import sender_of
from smtp_wizard.engine.limits.mailing_plan import Mailing, Sender, plan
from smtp_wizard.engine.providers.catalog import Catalog, load_catalog
from smtp_wizard.engine.providers.limits import MEGABYTE, Counted, Per, SendLimit
from smtp_wizard.engine.providers.provider import (
    AccessPath,
    CatalogEndpoint,
    IspdbEntry,
    PathAuth,
    PathStatus,
    Provider,
    ProviderKind,
    ProviderStatus,
)
from smtp_wizard.engine.sandbox.scenarios import load_scenarios
from tests.support.rows import each_row

CATALOG = load_catalog()
PATHS = [(provider, path) for provider in CATALOG.providers for path in provider.paths]
CHECK_DATA = Path(__file__).parent.parent / "tools" / "check_data.py"

SERVER_LIST = {
    "ihost-exchange": ("smtp.ihostexchange.net", "iHost Exchange: smtp.ihostexchange.net"),
    "comcast": ("smtp.comcast.net", "Comcast: smtp.comcast.net"),
    "microsoft365": ("smtp.office365.com", "Office 365: smtp.office365.com"),
    "gmail": (
        "smtp.gmail.com",
        "Gmail: smtp.gmail.com (Gmail users have extra steps; read how to set up Gmail, either through 2-Step "
        "Verification or the No-Phone option)",
    ),
    "yahoo": (
        "smtp.mail.yahoo.com",
        "Yahoo: smtp.mail.yahoo.com (Yahoo also has a 2-Step Verification option)",
    ),
    "aol": ("smtp.aol.com", "AOL: smtp.aol.com (Port 25 or 465)"),
    "verizon": ("smtp.verizon.net", "Verizon: smtp.verizon.net (Port 465)"),
    "att": ("smtp.mail.att.net", "AT&T: smtp.mail.att.net (Port 465)"),
    "bellsouth": ("smtp.mail.att.net", "Bellsouth: smtp.mail.att.net (Port 465)"),
    "outlook-com": ("smtp-mail.outlook.com", "Live, Hotmail, Outlook: smtp-mail.outlook.com"),
    "godaddy": (
        "smtpout.secureserver.net",
        "GoDaddy with Outlook: smtpout.secureserver.net (Without SSL – One of the following: 80, 3535, With SSL – 465)",
    ),
}
"""The article's list of servers: the provider, its host, its line."""

NAMES = {
    "iHost Exchange": "ihost-exchange",
    "Comcast": "comcast",
    "Office 365": "microsoft365",
    "Gmail": "gmail",
    "Google Gmail": "gmail",
    "G Suite": "google-workspace",
    "Yahoo": "yahoo",
    "AOL": "aol",
    "Verizon": "verizon",
    "AT&T": "att",
    "AT&T Yahoo": "att",
    "Bellsouth": "bellsouth",
    "Live, Hotmail, Outlook": "outlook-com",
    "Windows Live Hotmail": "outlook-com",
    "GoDaddy with Outlook": "godaddy",
    "GoDaddy": "godaddy",
    "RoadRunner": "roadrunner",
    "Earthlink": "earthlink",
    "Cox": "cox",
    "Optimum (Cablevision)": "optimum",
    "Charter": "charter",
    "LunarPages": "lunarpages",
    "RackSpace": "rackspace",
    "iPowerWeb": "ipower",
    "1and1": "ionos",
    "APlus": "aplus",
    "Bluehost": "bluehost",
    "Homestead": "homestead",
    "Custom Email Provider": "custom",
}
"""Every provider's name in the article."""

FIGURES = [
    ("comcast", "1000 messages/day"),
    ("comcast", "24000 messages/day"),
    ("comcast", "10 MB/message"),
    ("verizon", "100 recipients/message"),
    ("verizon", "500 messages/hour"),
    ("att", "100 recipients/message"),
    ("att", "20 MB/message"),
    ("bellsouth", "10 MB/message"),
    ("roadrunner", "1000 messages/day"),
    ("roadrunner", "5 MB/message"),
    ("earthlink", "1000 recipients/day"),
    ("optimum", "50 recipients/message"),
    ("optimum", "20 MB/message"),
    ("charter", "50 messages/hour"),
    ("charter", "10 MB/message"),
    ("godaddy", "250 messages/day"),
    ("godaddy", "30 MB/message"),
    ("lunarpages", "200 messages/hour"),
    ("lunarpages", "400 messages/hour"),
    ("ipower", "500 messages/hour"),
    ("ipower", "5000 messages/day"),
    ("ipower", "25 MB/message"),
    ("ionos", "1 messages/minute"),
    ("ionos", "55 recipients/minute"),
    ("aplus", "500 messages/half-hour"),
    ("aplus", "20 MB/message"),
    ("bluehost", "500 messages/hour"),
    ("bluehost", "10 MB/message"),
    ("homestead", "10 messages/second"),
    ("gmail", "500 messages/day"),
    ("gmail", "100 messages/day"),
    ("gmail", "10 MB/message"),
    ("outlook-com", "100 messages/day"),
    ("outlook-com", "10 MB/message"),
    ("yahoo", "100 messages/hour"),
    ("yahoo", "10 MB/message"),
    ("yahoo", "20 MB/message"),
    ("aol", "100 recipients/message"),
    ("aol", "500 messages/connection"),
    ("aol", "16 MB/message"),
]
"""Every figure of the article's list of limits."""


def path_id(row: tuple[Provider, AccessPath]) -> str:
    provider, path = row
    return f"{provider.id}/{path.id}"


def get(provider_id: str) -> Provider:
    provider = CATALOG.get(provider_id)
    assert provider is not None, provider_id
    return provider


def path_of(provider_id: str, path_id: str) -> AccessPath:
    path = get(provider_id).path(path_id)
    assert path is not None, f"{provider_id}/{path_id}"
    return path


# --- what the article documents ---------------------------------------------------------------------------------------


@each_row("provider_id", SERVER_LIST)
def test_every_server_of_the_article_stands_here_word_for_word(provider_id: str) -> None:
    documented = get(provider_id).documented
    host, line = SERVER_LIST[provider_id]
    assert documented is not None
    assert documented.host == host
    assert line in documented.smtp_lines


@each_row(("name", "provider_id"), NAMES.items())
def test_every_name_of_the_article_is_found(name: str, provider_id: str) -> None:
    documented = get(provider_id).documented
    assert documented is not None
    assert name in documented.names
    assert get(provider_id) in CATALOG.search(name)[:3]


def figure(limit: SendLimit) -> str:
    if limit.what is Counted.BYTES:
        assert limit.value is not None
        return f"{limit.value // MEGABYTE} MB/{limit.per}"
    return f"{limit.value} {limit.what}/{limit.per}"


def documented_figures() -> list[tuple[str, str]]:
    return [
        (provider.id, figure(limit))
        for provider in CATALOG.providers
        if provider.documented
        for limit in provider.documented.limits
    ]


def test_every_figure_of_the_article_stands_here_and_no_other() -> None:
    assert sorted(documented_figures()) == sorted(FIGURES)


def test_a_documented_figure_is_marked_as_the_article_s() -> None:
    for provider in CATALOG.providers:
        for limit in provider.documented.limits if provider.documented else ():
            assert (limit.documented, limit.confidence) == (True, Confidence.ARTICLE)
        assert not any(limit.documented for limit in provider.limits), "what holds today is kept apart"


def test_documented_limits_say_what_is_known_today() -> None:
    for provider in CATALOG.providers:
        if provider.documented and provider.documented.limit_lines:
            assert provider.documented.limits_label, provider.id
            assert provider.documented.limits_today, provider.id


def test_the_ports_of_the_article_stand_here() -> None:
    stated = {"aol": (25, 465), "verizon": (465,), "att": (465,), "bellsouth": (465,), "godaddy": (80, 3535, 465)}
    for provider_id, ports in stated.items():
        documented = get(provider_id).documented
        assert documented is not None
        assert documented.ports == ports


# --- facts ------------------------------------------------------------------------------------------------------------


def facts(provider: Provider) -> Iterator[tuple[str, str, str, Confidence]]:
    """What each fact says about itself: what it is, its source, its date, its confidence."""
    for each in provider.endpoints:
        yield f"{provider.id} {each.endpoint}", each.source, each.as_of, each.confidence
    for limit in provider.limits:
        yield f"{provider.id} {limit.words()}", limit.source, limit.as_of, limit.confidence
    for words in provider.errors:
        yield f"{provider.id} {words.code} {words.enhanced}", words.source, words.as_of, words.confidence
    for gone in provider.retirements:
        yield f"{provider.id} {gone.what}", gone.source, gone.as_of, gone.confidence


def test_every_fact_has_a_source_and_a_date() -> None:
    for provider in CATALOG.providers:
        for what, source, as_of, confidence in facts(provider):
            assert (confidence is Confidence.UNKNOWN) == (not source) == (not as_of), what
            assert not source or provider.source(source) is not None, what


def test_what_is_official_was_seen() -> None:
    """A page that is only named by others proves nothing by itself."""
    for provider in CATALOG.providers:
        for what, source_id, _, confidence in facts(provider):
            source = provider.source(source_id)
            if confidence is Confidence.OFFICIAL and source is not None:
                assert source.seen.value != "named-only", what


NEVER_LOOKED_FOR = 0
"""Entries whose sending limits nobody has looked for yet. Lower it with each that is done; it never rises."""


def test_limits_are_a_figure_or_a_source_that_gives_none_and_the_rest_gets_less() -> None:
    can_send = [each for each in CATALOG.providers if each.kind not in (ProviderKind.CUSTOM, ProviderKind.SANDBOX)]
    can_send = [each for each in can_send if any(not path.closed for path in each.paths)]
    open_ones = [each.id for each in can_send if not any(limit.value or limit.source for limit in each.limits)]
    assert len(open_ones) <= NEVER_LOOKED_FOR, open_ones
    assert all(limit.value or not limit.historical for each in can_send for limit in each.limits)


def test_every_path_names_its_sources() -> None:
    for provider, path in PATHS:
        assert path.sources
        assert all(provider.source(source) for source in path.sources), f"{provider.id}/{path.id}"
        assert path.documented == ("article" in path.sources) or provider.id in NOT_IN_ITS_SERVER_LIST, path.id


NOT_IN_ITS_SERVER_LIST = {"lunarpages", "ipower", "aplus", "bluehost", "homestead"}
"""Providers of which the article knows only the limits: it is the source for their name, not for a way in."""


def test_every_entry_was_checked_on_a_day() -> None:
    assert all(re.fullmatch(r"\d{4}-\d\d-\d\d", provider.checked) for provider in CATALOG.providers)


def test_no_domain_has_two_owners() -> None:
    domains = [domain for provider in CATALOG.providers for domain in provider.domains]
    assert len(domains) == len(set(domains))


# --- servers ----------------------------------------------------------------------------------------------------------


def endpoints() -> list[tuple[Provider, CatalogEndpoint]]:
    return [(provider, each) for provider in CATALOG.providers for each in provider.endpoints]


def test_a_server_that_stands_there_twice_is_offered_once() -> None:
    provider = CATALOG.get("roadrunner")
    assert provider is not None
    offered = [each.endpoint for each in provider.offered(Address("ana", "cfl.rr.com"))]
    assert len(offered) == len(set(offered)) == 4


def test_no_server_without_encryption_is_offered() -> None:
    clear = {(p.id, e.endpoint.port) for p, e in endpoints() if e.endpoint.security is Security.NONE}
    assert clear == {("godaddy", 80), ("godaddy", 3535), ("rediff", 587)}, "the article or ISPDB names them"
    for provider in CATALOG.providers:
        assert all(each.endpoint.security is not Security.NONE for each in provider.offered())


def test_ports_and_security_go_together() -> None:
    for provider, each in endpoints():
        if provider.kind is not ProviderKind.SANDBOX:
            port, security = each.endpoint.port, each.endpoint.security
            assert port in {25, 80, 465, 586, 587, 1025, 2525, 3535}, each
            assert port != 465 or security is Security.TLS, each
            assert port != 25 or not each.offered, "many networks block it"
            assert (each.endpoint.host == "127.0.0.1") is (port == 1025), "a helper on the person's own computer"


def test_the_first_choice_is_the_article_s_server_where_that_still_holds() -> None:
    for provider_id, (host, _) in SERVER_LIST.items():
        best = get(provider_id).best()
        assert best is not None
        assert best.host == host


@each_row(
    ("address", "host"),
    [
        ("ana@optonline.net", "mail.optonline.net"),
        ("ana@optimum.net", "mail.optimum.net"),
        ("ana@brighthouse.com", "mail.brighthouse.com"),
        ("ana@cfl.rr.com", "mail.brighthouse.com"),
        ("ana@nyc.rr.com", "mail.twc.com"),
        ("ana@zohomail.eu", "smtp.zoho.eu"),
        ("ana@nyc.rr.com", "mail.twc.com"),
        ("ana@sandbox.test", "127.0.0.1"),
    ],
)
def test_an_address_gets_the_server_of_its_domain(address: str, host: str) -> None:
    local, _, domain = address.partition("@")
    provider = CATALOG.by_domain(domain)
    assert provider is not None
    best = provider.best(Address(local, domain))
    assert best is not None
    assert best.host == host


def test_who_has_no_known_server_says_where_to_look() -> None:
    without = {each.id for each in CATALOG.providers if each.best() is None and not each.regions()}
    hosting = {"lunarpages", "ipower", "aplus", "bluehost", "homestead", "hostgator", "siteground", "hostpapa"}
    of_each_customer = {"simply", "xserver", "wedos", "xneelo", "azure-communication", "own-web-host"}
    hosting |= {"hiworks", "all-inkl", "messaging-company", "netcup", "webgo", "dinahosting", "mxroute"}
    hosting |= {"afrihost", "sakura", "onamae"}
    assert without == {*hosting, *of_each_customer, "tuta", "hey", "custom"}
    assert all(get(provider_id).note for provider_id in without)


# --- ways in ----------------------------------------------------------------------------------------------------------


@each_row(("provider", "path"), PATHS, ids=path_id)
def test_no_path_is_a_dead_end(provider: Provider, path: AccessPath) -> None:
    """What is closed, disputed or opened by OAuth alone leads on; where it leads is not closed itself."""
    ways = provider.ways_on(path)
    if path.status is PathStatus.RETIRED:
        assert ways
        assert path.retired_on
        assert path.guide, "a retired path is explained"
    if path.auth is PathAuth.OAUTH2 or path.status is PathStatus.NEVER:
        assert len(ways) >= 2
        assert any(isinstance(way, str) or way.auth is not PathAuth.OAUTH2 for way in ways)
    for way in ways:
        assert isinstance(way, str) or not way.closed
        assert isinstance(way, AccessPath) or way.endswith(".")


@each_row(("provider", "path"), PATHS, ids=path_id)
def test_a_path_speaks_to_people(provider: Provider, path: AccessPath) -> None:
    assert path.summary.endswith(".")
    assert len(path.title) <= 76, "one line of a terminal of 80"
    assert not path.secret_label or len(path.secret_label) <= 26, "one column of a form"
    for text in (path.title, path.summary, path.note, path.disputed, provider.note):
        assert "  " not in text
        assert "\n" not in text


def test_the_ways_of_a_personal_google_account() -> None:
    assert [path.id for path in get("gmail").paths] == [
        "app-password",
        "two-step",
        "no-phone",
        "oauth",
        "less-secure-apps",
    ]
    assert path_of("gmail", "no-phone").since == "2024-05-06"
    retired = path_of("gmail", "less-secure-apps")
    assert (retired.status, retired.retired_on, retired.documented) == (PathStatus.RETIRED, "2022-05-30", True)
    assert retired.instead[0] == "no-phone"
    assert path_of("google-workspace", "less-secure-apps").retired_on == "2025-03-14"


def test_app_passwords_of_the_yahoo_family_are_told_both_ways() -> None:
    for provider_id in ("yahoo", "aol", "verizon", "att", "bellsouth"):
        path = path_of(provider_id, "app-password")
        assert path.disputed
        assert path.instead
        assert path_of(provider_id, "password").status is PathStatus.RETIRED
    assert path_of("yahoo", "password").retired_on == "2020-10-20"


def test_a_personal_microsoft_account_opens_to_oauth_alone() -> None:
    usable = [path.auth for path in get("outlook-com").paths if path.status is not PathStatus.RETIRED]
    assert usable == [PathAuth.OAUTH2]
    assert path_of("outlook-com", "password").retired_on == "2024-09-16"
    assert path_of("outlook-com", "app-password").retired_on == "2024-09-16"


def test_a_password_at_microsoft_365_says_until_when() -> None:
    for provider_id in ("microsoft365", "godaddy-microsoft365"):
        path = path_of(provider_id, "password")
        assert (path.status, path.retired_on) == (PathStatus.NEEDS_PREPARATION, "2026-12-31")
        assert "December 2026" in path.summary


def test_mailboxes_that_have_moved_name_who_runs_them_and_how_one_gets_in_there() -> None:
    moved = [each for each in CATALOG.providers if each.status is ProviderStatus.MIGRATED]
    assert "pobox" in {each.id for each in moved}
    assert all(each.successor and each.note for each in moved)
    pobox = get("pobox")
    assert (pobox.successor, [each.date for each in pobox.retirements]) == ("fastmail", ["2024-11-12"])
    assert pobox.paths[0].guide == path_of("fastmail", "app-password").guide
    assert path_of("pobox", "password").disputed, "a new program needs an app password, an old one none"


def test_who_lets_no_program_send_stops_with_a_plain_sentence_and_two_ways_on() -> None:
    barred = [provider for provider in CATALOG.providers if provider.kind is ProviderKind.NO_SMTP]
    assert [provider.id for provider in barred] == ["tuta", "hey"]
    for provider in barred:
        (path,) = provider.paths
        assert (provider.endpoints, path.status, path.auth) == ((), PathStatus.NEVER, PathAuth.NONE)
        assert "no other program send" in provider.note
        assert len([way for way in provider.ways_on(path) if isinstance(way, str)]) == 2


def test_google_s_app_password_has_a_shape() -> None:
    form = path_of("gmail", "app-password").secret_form
    assert form is not None
    assert form.fits("abcd efgh ijkl mnop")


def test_the_practice_server_has_one_path_a_scenario() -> None:
    sandbox = next(provider for provider in CATALOG.providers if provider.kind is ProviderKind.SANDBOX)
    scenarios = [path.scenario for path in sandbox.paths]
    assert scenarios == list(load_scenarios())
    assert scenarios == [path.id for path in sandbox.paths]
    assert not any(path.title.startswith("Practise") for path in sandbox.paths), "the question says so already"
    assert [(each.endpoint.host, each.endpoint.port) for each in sandbox.offered()] == [
        ("127.0.0.1", 5871),
        ("127.0.0.1", 4651),
    ]
    assert sandbox is CATALOG.providers[-1]


def test_every_path_that_works_can_be_rehearsed() -> None:
    for provider, path in PATHS:
        if not path.closed and path.auth is not PathAuth.OAUTH2:
            assert "accept" in path.scenarios or provider.kind is ProviderKind.SANDBOX, f"{provider.id}/{path.id}"


# --- finding: all of them ---------------------------------------------------------------------------------------------


def test_so_many_providers_are_known() -> None:
    real = [each for each in CATALOG.providers if each.kind not in (ProviderKind.CUSTOM, ProviderKind.SANDBOX)]
    assert len(real) == 212
    assert [each.id for each in CATALOG.providers[-2:]] == ["custom", "sandbox"]


@each_row("provider", CATALOG.providers, ids=lambda provider: provider.id)
def test_every_domain_and_every_mail_host_leads_to_its_owner_and_shared_ones_ask(provider: Provider) -> None:
    for domain in provider.domains:
        for typed in (domain.replace("*", "any"), domain.replace("*", "a.b").upper(), domain.replace("*", "any") + "."):
            assert CATALOG.by_domain(typed) is provider, typed
    for ending in provider.mx:
        found = CATALOG.by_mx([f"mx1.{ending.upper()}."])
        assert provider in found, ending
        assert CATALOG.by_mx([ending]) == found
        assert {each.id for each in found if each is not provider} <= set(provider.mx_shared), "it asks whom it says"
        assert CATALOG.by_mx([f"not{ending}"]) == () or provider not in CATALOG.by_mx([f"not{ending}"])
    for other in provider.mx_shared:
        assert provider.id in get(other).mx_shared


def test_whoever_shares_mail_hosts_is_asked_about() -> None:
    groups = {frozenset({each.id, *each.mx_shared}) for each in CATALOG.providers if each.mx_shared}
    assert groups == {
        frozenset({"microsoft365", "godaddy-microsoft365"}),
        frozenset({"godaddy", "godaddy-professional-email"}),
        frozenset({"netease-163", "netease-126"}),
    }


def test_every_provider_is_found_by_its_names() -> None:
    for provider in CATALOG.providers:
        for name in (provider.name, *provider.other_names, provider.id):
            assert provider in CATALOG.search(name), name


# --- ISPDB ------------------------------------------------------------------------------------------------------------

KNOWN_DIFFERENCES = {
    ("centurylink", "centurytel.net"),
    ("centurylink", "q.com"),
    ("centurylink", "elpasotel.net"),
    ("charter", "charter.net"),
    ("ionos", "1und1.de"),
    ("microsoft365", "office365.com"),
    ("roadrunner", "rr.com"),
    ("verizon", "verizon.net"),
    ("yahoo", "yahoo.com"),
    ("zoho", "zoho.com"),
}
"""Where a provider's own page says otherwise than ISPDB. Others only add servers that somebody else lists."""


@each_row(
    ("provider", "entry"),
    [(provider, entry) for provider in CATALOG.providers for entry in provider.ispdb],
    ids=lambda row: f"{row[0].id}/{row[1].domain}",
)
def test_servers_agree_with_ispdb_or_a_note_says_why_not(provider: Provider, entry: IspdbEntry) -> None:
    """Counted once more, from what an address is offered: theirs are ours, our first one is theirs, or a note."""
    offered = [each.endpoint for each in provider.offered(Address("ana", entry.domain))]
    agrees = bool(offered) and offered[0] in entry.endpoints and set(entry.endpoints) <= set(ours(provider))
    assert agrees or entry.note
    assert bool(entry.note) is bool(provider.apart_from(entry))
    assert not entry.note or entry.note.endswith(".")
    if (provider.id, entry.domain) in KNOWN_DIFFERENCES:
        assert entry.note


def ours(provider: Provider) -> list[Endpoint]:
    return [each.endpoint for each in provider.endpoints]


def test_ispdb_has_a_hundred_and_three_files_of_ours() -> None:
    """The snapshot's files, one for each provider that it names."""
    entries = [(provider.id, entry.domain) for provider in CATALOG.providers for entry in provider.ispdb]
    assert len(entries) == len(set(entries)) == 103
    assert set(entries) >= KNOWN_DIFFERENCES
    assert all(re.fullmatch(r"20\d\d-\d\d-\d\d", entry.changed) for each in CATALOG.providers for entry in each.ispdb)


# --- finding: those that people mistake -------------------------------------------------------------------------------


@each_row(
    ("hosts", "found"),
    [
        (["aspmx.l.google.com"], ["google-workspace"]),
        (["smtp.google.com"], ["google-workspace"]),
        (["gmail-smtp-in.l.google.com"], ["gmail"]),
        (["alt1.gmail-smtp-in.l.google.com"], ["gmail"]),
        (["contoso-com.mail.protection.outlook.com"], ["microsoft365", "godaddy-microsoft365"]),
        (["contoso-com.o-v1.mx.microsoft"], ["microsoft365"]),
        (["hotmail-com.olc.protection.outlook.com"], ["outlook-com"]),
        (["smtp.secureserver.net"], ["godaddy", "godaddy-professional-email"]),
        (["mx-aol.mail.gm0.yahoodns.net"], ["aol"]),
        (["mta7.am0.yahoodns.net"], ["yahoo"]),
        (["mx1.emailsrvr.com"], ["rackspace"]),
        (["mx.notgoogle.com"], []),
    ],
)
def test_mail_hosts_lead_to_their_provider(hosts: list[str], found: list[str]) -> None:
    assert [provider.id for provider in CATALOG.by_mx(hosts)] == found


@each_row(
    ("typed", "meant"),
    [
        ("gmial.com", "gmail.com"),
        ("gmail.con", "gmail.com"),
        ("gmai.com", "gmail.com"),
        ("gamil.com", "gmail.com"),
        ("hotmial.com", "hotmail.com"),
        ("yaho.com", "yahoo.com"),
        ("outlok.com", "outlook.com"),
        ("comcst.net", "comcast.net"),
        ("icloud.co", "icloud.com"),
        ("protonmial.com", "protonmail.com"),
        ("gm\u0430il.com", "gmail.com"),
        ("gm\u0430\u0456l.com", "gmail.com"),
        ("gmail.\u0441\u043em", "gmail.com"),
        ("web.d\u0435", "web.de"),
        ("\u0261mx.net", "gmx.net"),
        ("b\u00fccher.de", None),
        ("\u043f\u043e\u0447\u0442\u0430.\u0440\u0444", None),
        ("btinterent.com", "btinternet.com"),
        ("t-onlin.de", "t-online.de"),
        ("mail.com", None),
        ("ymail.com", None),
        ("mymail.com", None),
        ("gmx.com", None),
        ("email.com", None),
        ("example.com", None),
        ("mygreatshop.com", None),
        ("nyc.rr.com", None),
    ],
)
def test_a_mistyped_common_ending_is_offered_back(typed: str, meant: str | None) -> None:
    assert CATALOG.suggest(typed) == meant


def test_no_known_domain_is_ever_taken_for_a_mistake() -> None:
    for provider in CATALOG.providers:
        for domain in provider.domains:
            assert CATALOG.suggest(domain.replace("*", "www")) is None, domain


def test_what_is_offered_back_is_known() -> None:
    for typed in ("gmial.com", "hotmial.com", "comcas.net", "cox.ne"):
        meant = CATALOG.suggest(typed)
        assert meant is not None
        assert CATALOG.by_domain(meant) is not None
        assert difflib.SequenceMatcher(None, typed, meant).ratio() >= 0.85


@each_row(
    ("query", "first"),
    [
        ("gmail", "gmail"),
        ("g suite", "google-workspace"),
        ("hotmail.co.uk", "outlook-com"),
        ("office", "microsoft365"),
        ("1and1", "ionos"),
        ("smtp.aol", "aol"),
        ("secureserver", "godaddy"),
        ("custom", "custom"),
        ("practi", "sandbox"),
        ("xfinity", "comcast"),
    ],
)
def test_people_find_their_provider(query: str, first: str) -> None:
    assert CATALOG.search(query)[0].id == first


# --- the files as files -----------------------------------------------------------------------------------------------


def test_both_yaml_parsers_read_the_same() -> None:
    """The one written in C is not everywhere; the other is stricter about a few characters."""
    text = data_path("providers.yaml").read_text("utf-8")
    plain = yaml.load(text, yaml.SafeLoader)
    fast = yaml.load(text, getattr(yaml, "CSafeLoader", yaml.SafeLoader))
    assert plain == fast


def test_every_source_is_used() -> None:
    table = yaml.safe_load(data_path("providers.yaml").read_text("utf-8"))["sources"]
    used = {source.id for provider in CATALOG.providers for source in provider.sources}
    assert set(table) == used


def _tool() -> ModuleType:
    found = importlib.util.spec_from_file_location("check_data", CHECK_DATA)
    assert found is not None
    assert found.loader is not None
    tool = importlib.util.module_from_spec(found)
    sys.modules[found.name] = tool  # where its dataclasses look for their module
    found.loader.exec_module(tool)
    return tool


def check_data(*arguments: str) -> int:
    """What `make check-data` runs."""
    code = _tool().main(arguments)
    assert isinstance(code, int)
    return code


def test_check_data_finds_nothing_wrong(capsys: pytest.CaptureFixture[str]) -> None:
    assert check_data("--today", CALM) == 0
    assert capsys.readouterr().out.splitlines() == []


CALM = "2026-09-26"
"""A day on which nothing retires within 90 days."""

NO_SENTENCE = "note: providers.yaml: no sentence was kept of these sources, which are no lists: "


def test_check_data_names_each_page_that_keeps_no_sentence(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    gmail = _gmail()
    silent = replace(gmail, sources=tuple(replace(source, says=()) for source in gmail.sources))
    tool = _tool()
    pages = {source.id for source in gmail.sources if source.says}
    assert {limit.source for limit in gmail.limits} < pages
    assert tool._unquoted([silent]) == pages, "and no list, nor the article"
    lists = tuple(replace(source, listing=True) for source in silent.sources)
    assert tool._unquoted([replace(silent, sources=lists)]) == set(), "a list has no sentences"
    quoted = tuple(replace(source, says=("Up to 500 messages a day.",)) for source in silent.sources)
    assert tool._unquoted([replace(silent, sources=quoted)]) == set()
    monkeypatch.setattr(tool, "_unquoted", lambda providers: {"b-limits", "a-limits"})
    assert tool.main(["--today", CALM]) == 0, "a note is no failure"
    assert capsys.readouterr().out == f"{NO_SENTENCE}a-limits, b-limits\n"


def _gmail() -> Provider:
    return next(provider for provider in CATALOG.providers if provider.id == "gmail")


def test_a_sentence_is_kept_of_every_page() -> None:
    assert _tool()._unquoted(CATALOG.providers) == set()


def test_every_figure_of_a_limit_stands_in_a_kept_sentence_or_is_worked_out_of_one() -> None:
    tool = _tool()
    assert [(each.id, limit.figure) for each in CATALOG.providers for limit, _ in tool._unproven(each)] == []
    assert {limit.figure for each in CATALOG.providers for limit in each.limits if limit.worked_out}


def test_check_data_names_a_figure_that_stands_in_no_kept_sentence(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    tool = _tool()
    gmail = _gmail()
    page = next(source for source in gmail.sources if source.id == gmail.limits[0].source)
    other = replace(gmail.limits[0], value=501)
    monkeypatch.setattr(tool, "notes", lambda known, today: tool._said_of_sentences([replace(gmail, limits=(other,))]))
    assert tool.main(["--today", CALM]) == 0, "a note is no failure"
    figure = "'501 messages per day' stands in no kept sentence of"
    assert capsys.readouterr().out == f"note: providers.yaml: gmail: {figure} {page.id}\n"


@pytest.mark.parametrize(
    ("limit", "sentence", "stands"),
    [
        ({"value": 2000}, "At most 2,000 a day.", True),
        ({"value": 2000}, "Höchstens 2.000 am Tag.", True),
        ({"value": 2000}, "Au plus 2 000 par jour.", True),
        ({"value": 2000}, "Höchstens 2'000 am Tag.", True),
        ({"value": 2000}, "You may send up to 2k messages", True),
        ({"value": 10_000}, "하루 최대 1만개", True),
        ({"value": 5}, "Five at a time.", True),
        ({"value": 2}, "At most 2,000 a day.", False),
        ({"value": 15}, "At most 1.5 MB.", False),
        ({"value": 500}, "Port: 5000", False),
        ({"value": 100_000_000, "what": Counted.BYTES}, "up to 100 MB", True),
        ({"value": 100_000_000, "what": Counted.BYTES}, "250-SIZE 104857600", True),
        ({"value": 100_000_000, "what": Counted.BYTES}, "up to 10 MB", False),
        ({"value": 72, "worked_out": "18 in 15 minutes"}, "'emails' => 18, 'interval' => 15,", True),
        ({"value": 72, "worked_out": "18 in 15 minutes"}, "'emails' => 20, 'interval' => 15,", False),
        ({"value": None}, "It depends.", True),
    ],
)
def test_a_figure_is_found_in_each_of_its_usual_spellings(limit: dict[str, Any], sentence: str, stands: bool) -> None:
    gmail = _gmail()
    page = next(source for source in gmail.sources if source.id == gmail.limits[0].source)
    entry = replace(gmail, limits=(replace(gmail.limits[0], **limit),), sources=(replace(page, says=(sentence,)),))
    assert (not list(_tool()._unproven(entry))) == stands


@pytest.mark.parametrize(
    ("today", "retiring"), [("2026-10-01", False), ("2026-10-02", True), ("2026-12-30", True), ("2026-12-31", False)]
)
def test_check_data_tells_what_retires_within_ninety_days(
    today: str, retiring: bool, capsys: pytest.CaptureFixture[str]
) -> None:
    assert check_data("--today", today) == 0
    what = "Sending with a password ('Basic authentication' for SMTP AUTH)"
    notes = [f"note: providers.yaml: {each}: retires on 2026-12-31: {what}" for each in RETIRING]
    said = [line for line in capsys.readouterr().out.splitlines() if line.endswith(what)]
    assert said == (notes if retiring else [])


RETIRING = ("microsoft365", "godaddy-microsoft365")


@pytest.mark.parametrize(("today", "due"), [("2026-12-30", False), ("2026-12-31", True), ("2027-01-15", True)])
def test_check_data_asks_for_a_new_look_once_the_day_has_come(
    today: str, due: bool, capsys: pytest.CaptureFixture[str]
) -> None:
    assert check_data("--today", today) == 0
    said = [line for line in capsys.readouterr().out.splitlines() if "look again since" in line]
    assert [each for each in RETIRING for line in said if f" {each}: look again since 2026-12-31" in line] == (
        list(RETIRING) if due else []
    )


def test_check_data_tells_what_was_last_checked_more_than_a_year_ago(capsys: pytest.CaptureFixture[str]) -> None:
    assert check_data("--today", "2027-11-23") == 0
    assert "checked" not in capsys.readouterr().out
    assert check_data("--today", "2027-11-24") == 0
    said = capsys.readouterr().out.splitlines()
    for provider in CATALOG.providers:
        old = provider.checked <= "2026-11-23"
        assert (f"note: providers.yaml: {provider.id} was last checked on {provider.checked}" in said) is old
    assert "note: basic.md: was last checked on 2026-11-23" in said


@pytest.mark.parametrize(
    ("old", "new", "line"),
    [
        ("guide: comcast\n", "guide: nowhere\n", "comcast/password: there is no guide 'nowhere'"),
        ("port: 5871", "port: 5870", "sandbox: no scenario listens on 127.0.0.1:5870"),
        ("scenario: accept\n", "scenario: sunshine\n", "sandbox/accept: there is no scenario 'sunshine'"),
        ("  - id: ihost-exchange\n", "  - id: ihost\n    id: x\n", "the key 'id' stands twice"),
        ("- id: sina\n", "- id: sinas\n", "diagnosis.yaml: there is no provider 'sina'"),
        ("guide: comcast\n", "guide: basic\n", "comcast.md: the access path 'comcast/password' has the guide 'basic'"),
        ("smtp.qq.com, port: 587", "smtp.qq.com, port: 465", "qq: smtp.qq.com:465 must be encrypted from the first"),
        ("port: 25, security: starttls, offered: false", "port: 25, security: starttls", "many networks block port 25"),
        ("what: messages, per: second, value: 10}", "what: messages, per: second, value: 1}", "stands nowhere: 10"),
    ],
)
def test_check_data_says_in_one_line_what_is_wrong(
    old: str, new: str, line: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    copy = tmp_path / "data"
    shutil.copytree(data_path(), copy)
    providers = copy / "providers.yaml"
    text = providers.read_text("utf-8")
    assert old in text
    providers.write_text(text.replace(old, new, 1), "utf-8")
    assert check_data(str(copy), "--today", CALM) == 1
    said = capsys.readouterr().out.splitlines()
    assert len(said) == 1
    assert line in said[0]


def test_everything_shown_fits_one_line_of_plain_text() -> None:
    """No control characters, no tabs: the data is shown without cleaning."""

    def texts(catalog: Catalog) -> Iterator[str]:
        for provider in catalog.providers:
            yield from (provider.name, provider.note, provider.limits_note, provider.username_note)
            yield from (limit.words() for limit in provider.limits)
            yield from (words.means for words in provider.errors)
            for gone in provider.retirements:
                yield from (gone.what, gone.state, gone.replacement)

    assert all(text.isprintable() for text in texts(CATALOG))
    assert not any("(" in limit.applies_to for provider in CATALOG.providers for limit in provider.limits)


def test_a_figure_over_a_stretch_of_time_is_a_limit_and_no_mere_note() -> None:
    """A plan follows the limits alone, and prints the note beside what it allows."""
    stretch = re.compile(r"(?<!\d)(\d[\d,]*) (?:messages|recipients)[^.]*?\b(?:minutes?|hours?)\b")
    said = {
        each.id: stretch.findall(each.limits_note) for each in CATALOG.providers if stretch.search(each.limits_note)
    }
    # Another server than those of the entry, the past, another firm's, and one panel of many.
    other = {"active24", "afrihost", "ionos", "roadrunner", "websupport", "own-web-host"}
    assert {name: figures for name, figures in said.items() if name not in other} == {}


def test_what_is_counted_for_each_mailbox_has_a_sentence_that_says_so() -> None:
    """Without one, connections count for all mailboxes of a computer together."""
    for provider in CATALOG.providers:
        pages = {source.id: " ".join(source.says) for source in provider.sources}
        for limit in provider.limits:
            assert not limit.each_mailbox or "per mailbox" in pages[limit.source], provider.id


def test_no_user_name_that_a_provider_makes_up_is_cited_to_a_list_of_servers_alone() -> None:
    """Nodemailer's list has no user names."""
    text = data_path("providers.yaml").read_text("utf-8")
    assert re.findall(r"username: \{form: given[^}]*source: nodemailer\b", text) == []


def test_a_plan_keeps_below_the_figure_at_which_a_mailbox_is_suspended() -> None:
    simply = CATALOG.get("simply")
    assert simply is not None
    sender = Sender(name="simply", limits=simply.limits)
    made = plan(Mailing(recipients=1000, start=date(2026, 11, 30)), [sender])
    assert made.interval == 24, "300 in two hours"


def test_a_limit_over_a_stretch_of_time_is_in_the_published_list_of_units() -> None:
    assert {per.value for per in Per} == {
        *("second", "minute", "five-minutes", "ten-minutes", "half-hour", "hour", "two-hours", "twelve-hours"),
        *("day", "week", "month"),
        *("message", "connection", "session", "concurrent", "mailing"),
    }


PLAN_WORDS = re.compile(r"\b(plans?|trial|free|paid|subscribers?|contract|package|accounts?)\b")
NO_KIND = re.compile(r"\b(each|per|web page|whole|greeting|shared|SMTP relay)\b")
"""Words of a case: a figure for each mailbox, or for the whole account, is no kind of account."""


@each_row("provider", [each.id for each in CATALOG.providers])
def test_figures_of_several_kinds_of_account_say_whose_they_are(provider: str) -> None:
    """Else a plan would take one of a trial and one of a paid account together."""
    known = CATALOG.get(provider)
    assert known is not None
    for limit in known.limits:
        if limit.value and PLAN_WORDS.search(limit.applies_to) and not NO_KIND.search(limit.applies_to):
            assert limit.accounts, (provider, limit.words())


@each_row("provider", [each.id for each in CATALOG.providers])
def test_a_limit_on_attachments_says_whether_it_is_before_they_are_encoded(provider: str) -> None:
    known = CATALOG.get(provider)
    assert known is not None
    for limit in known.limits:
        said = re.search(r"\b(files?|attachments?|included)\b", limit.applies_to)
        if limit.what is Counted.BYTES and limit.value and said:
            assert limit.size_of is not None, (provider, limit.words())


def test_no_account_of_the_catalogue_is_planned_with_that_is_barred_while_another_is_not() -> None:
    for provider in CATALOG.providers:
        sender = sender_of(provider)
        if any(not each.barred for each in provider.accounts):
            assert sender.account is not None
            assert not sender.account.barred, provider.id
