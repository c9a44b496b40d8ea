"""`discover`: what it prints and what it is told, against real servers on this computer."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from typing import Any

import pytest

from smtp_wizard.engine.base.endpoint import Endpoint, Security
from smtp_wizard.engine.discovery import search
from smtp_wizard.engine.discovery.autoconfig import load_database
from smtp_wizard.engine.discovery.candidate import Candidate, FoundBy
from smtp_wizard.engine.discovery.dns import DnsProblem
from smtp_wizard.engine.discovery.search import DiscoveryResult, DiscoverySources
from smtp_wizard.runtime.running import Stopwatch
from tests.engine.discovery.test_autoconfig import configuration, server
from tests.engine.discovery.test_discovery_sources import Pages, Trying
from tests.support.cli import Ran, run
from tests.support.discovering import Answer, answering
from tests.support.dnsserver import DnsFault, DnsServer
from tests.support.patience import PATIENCE

ZONE = """
firm.de. 60 IN MX 10 mx.hoster.de.
_submissions._tcp.firm.de. 60 IN SRV 0 0 465 smtp.firm.de.
atgoogle.de. 60 IN MX 1 aspmx.l.google.com.
nothing.de. 60 IN MX 10 mx.nothing.de.
filtered.de. 60 IN MX 10 us-smtp-inbound-1.mimecast.com.
"""
OWN = "https://autoconfig.firm.de/mail/config-v1.1.xml"


class Served:
    """A DNS server that runs beside the test, in a loop of its own."""

    def __init__(self, zone: str, faults: Mapping[str, DnsFault] | None = None) -> None:
        self._zone = zone
        self._faults = faults
        self.server: DnsServer
        self._loop = asyncio.new_event_loop()
        self._up = threading.Event()
        self._end: asyncio.Event
        self._thread = threading.Thread(target=lambda: self._loop.run_until_complete(self._run()))

    async def _run(self) -> None:
        self._end = asyncio.Event()
        async with DnsServer(self._zone, self._faults) as self.server:
            self._up.set()
            await self._end.wait()

    def __enter__(self) -> DnsServer:
        self._thread.start()
        assert self._up.wait(PATIENCE)
        return self.server

    def __exit__(self, *_: object) -> None:
        self._loop.call_soon_threadsafe(self._end.set)
        self._thread.join()
        self._loop.close()


@pytest.fixture
def dns() -> Iterator[DnsServer]:
    with Served(ZONE) as server:
        yield server


Discover = Callable[..., Ran]


@pytest.fixture
def discover(dns: DnsServer, monkeypatch: pytest.MonkeyPatch) -> Discover:
    """Run `discover` with these name servers, a web of pages, and servers of which some are good."""

    really = search.discover

    def ran(*words: str, pages: Mapping[str, bytes] | None = None, good: tuple[str, ...] = ()) -> Ran:
        async def asked(
            address: Any, catalog: Any, asking: DiscoverySources, tell: Callable[[str], None]
        ) -> DiscoveryResult:
            there = replace(asking, resolver=dns.resolver, web=Pages(pages or {}), verify=Trying(good))
            return await really(address, catalog, there, tell)

        monkeypatch.setattr(search, "discover", asked)
        return run("discover", *words)

    return ran


def test_a_known_ending_is_answered_from_our_own_list(dns: DnsServer) -> None:
    ran = run("discover", "ana@gmail.com", "--json")
    assert (ran.code, ran.document["provider"]) == (0, "gmail")
    first = ran.document["candidates"][0]
    assert (first["source"], first["trust"], first["verified"]) == ("catalog", 1.0, False)
    assert first["username"] == "ana@gmail.com"
    assert "app-password" in {path["id"] for path in ran.document["paths"]}
    assert not dns.queries


def test_what_several_sources_name_is_shown_with_each(discover: Discover) -> None:
    ran = discover("ana@firm.de", "--json", pages={OWN: configuration(server())}, good=("smtp.firm.de:465",))
    (only,) = ran.document["candidates"]
    assert (ran.code, ran.document["provider"], ran.document["mx"]) == (0, None, ["mx.hoster.de"])
    assert (only["host"], only["port"], only["security"]) == ("smtp.firm.de", 465, "tls")
    assert (only["source"], only["also"], only["verified"]) == ("autoconfig", ["srv"], True)
    assert 0.8 < only["trust"] <= 0.95


def test_the_text_says_source_trust_and_whether_it_holds(discover: Discover) -> None:
    ran = discover("ana@firm.de", good=("smtp.firm.de:465",))
    assert " 1. smtp.firm.de, port 465, SSL/TLS" in ran.out
    words = " ".join(ran.out.split())
    assert "named by the domain's DNS (SRV)" in words
    assert "it answers, and its certificate fits" in words
    assert "user name ana@firm.de" in words


@pytest.mark.parametrize("domain", ["filtered.de", "nothing.de", "nowhere.de"])
def test_where_nobody_is_found_that_is_said_once_with_a_way_on(domain: str, discover: Discover) -> None:
    ran = discover(f"ana@{domain}", "--json")
    notes = ran.document["notes"]
    assert ran.code == 1
    assert len(set(notes)) == len(notes)
    assert f"smtp-wizard setup ana@{domain} --provider ID" in notes[-1]
    assert f"smtp-wizard setup ana@{domain} --host SERVER" in notes[-1]
    text = " ".join(discover(f"ana@{domain}").out.split())
    assert text.count("keeps no mailbox") == (domain == "filtered.de")


def test_the_mail_host_names_the_provider(discover: Discover) -> None:
    ran = discover("ana@atgoogle.de", "--json")
    assert ran.document["provider"] == "google-workspace"
    assert ran.document["candidates"][0]["source"] == "mx"
    assert discover("ana@atgoogle.de").out.startswith("Provider: Google Workspace")


def test_where_nothing_is_found_the_exit_code_says_so(discover: Discover) -> None:
    ran = discover("ana@nothing.de", "--json")
    assert (ran.code, ran.document["candidates"]) == (1, [])
    assert "mx.nothing.de receives the mail of nothing.de" in ran.document["notes"][0]


def test_the_public_list_is_asked_only_where_that_was_said(discover: Discover) -> None:
    url = load_database().address("nothing.de")
    pages = {url: configuration(server("smtp.listed.de"))}
    assert discover("ana@nothing.de", "--json", pages=pages).document["candidates"] == []
    assert discover("ana@nothing.de", "--no-ispdb", "--json", pages=pages).document["candidates"] == []
    asked = discover("ana@nothing.de", "--ispdb", "--json", pages=pages)
    assert [each["source"] for each in asked.document["candidates"]] == ["ispdb"]


def test_settings_without_encryption_are_taken_only_where_that_was_said(discover: Discover) -> None:
    pages = {"http://autoconfig.nothing.de/mail/config-v1.1.xml": configuration(server("smtp.nothing.de"))}
    # The pages are read from where they were fetched, so the trust is that of a line that anybody can write on.
    assert discover("ana@nothing.de", "--json", pages=pages).document["candidates"] == []
    (only,) = discover("ana@nothing.de", "--allow-http", "--json", pages=pages).document["candidates"]
    assert only["trust"] < 0.5


@pytest.mark.parametrize("typed", ["ana", "ana@", "@firm.de", "a b@firm.de"])
def test_what_is_no_address_is_refused(typed: str) -> None:
    assert run("discover", typed, "--json").code == 2


@pytest.fixture
def answer(monkeypatch: pytest.MonkeyPatch) -> Answer:
    return answering(monkeypatch)


def test_the_time_of_the_command_bounds_the_search(answer: Answer) -> None:
    run("discover", "ana@firm.example", "--timeout", "2.5", "--json")
    run("discover", "ana@firm.example", "--json")
    bounded, usual = (asking.deadline for asking in answer.asked)
    assert 0 < bounded <= 2.5
    assert usual == 8.0


def test_when_the_time_is_up_nothing_more_is_searched_or_asked_and_what_was_found_stays(
    answer: Answer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Stopwatch, "left", lambda watch: max(0.0, 2.5 * (1 - len(answer.asked))))
    answer.found["redirect"] = "https://elsewhere.example/config-v1.1.xml"
    ran = run("discover", "ana@firm.example", "--follow", "--timeout", "2.5", "--json")
    assert [asking.deadline for asking in answer.asked] == [2.5]
    assert ran.document["notes"] is not None


def test_where_there_was_no_time_at_all_the_first_search_ends_in_words(answer: Answer) -> None:
    ran = run("discover", "ana@firm.example", "--timeout", "0.000000001", "--json")
    assert [asking.deadline for asking in answer.asked] == [0.0]
    assert ran.code == 1


def test_an_ending_that_only_looks_like_a_known_one_is_doubted(answer: Answer) -> None:
    ran = run("discover", "ana@gm\u0430\u0456l.com", "--json")
    assert "xn--gml-7cd4q.com" in ran.document["notes"][0]
    assert "Did you mean gmail.com?" in run("discover", "ana@gmial.com").out


@pytest.mark.parametrize("typed", ["ana@gm\u0430\u0456l.com", "ana@gmial.com"])
def test_the_doubt_comes_before_everything_that_was_found(typed: str, answer: Answer) -> None:
    from smtp_wizard.engine.providers.catalog import load_catalog

    answer.found["provider"] = load_catalog().get("google-workspace")
    out = run("discover", typed).out
    assert out.startswith("Note: Did you mean gmail.com?")
    assert "\nProvider: Google Workspace" in out
    assert out.count("Did you mean") == 1


def test_several_providers_are_named(answer: Answer) -> None:
    from smtp_wizard.engine.providers.catalog import load_catalog

    answer.found |= {"alternatives": load_catalog().providers[:2], "source": FoundBy.MX, "problem": None}
    ran = run("discover", "ana@firm.example", "--json")
    assert (ran.code, len(ran.document["alternatives"])) == (0, 2)
    assert ran.document["provider"] is None


def test_the_question_names_what_the_list_learns(answer: Answer, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []

    def confirm(question: str) -> bool:
        asked.append(question)
        return True

    monkeypatch.setattr("smtp_wizard.commands.discover.can_ask", lambda: True)
    monkeypatch.setattr("smtp_wizard.commands.discover.confirm", confirm)
    answer.found["problem"] = None
    run("discover", "ana@firm.example", "--json")
    (question,) = asked
    assert "The list learns your domain, never your address." in question
    assert [asking.database is not None for asking in answer.asked] == [False, True]
    answer.found["problem"] = DnsProblem.NO_SUCH_DOMAIN
    run("discover", "ana@firm.example", "--json")
    assert len(asked) == 1, "a domain that does not exist is in no list"


def test_the_doubt_is_told_before_anything_is_asked(answer: Answer, monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[str] = []

    def confirm(question: str) -> bool:
        told.append("asked")
        return False

    monkeypatch.setattr("smtp_wizard.commands.discover.can_ask", lambda: True)
    monkeypatch.setattr("smtp_wizard.commands.discover.confirm", confirm)
    monkeypatch.setattr("smtp_wizard.commands.discover.report_line", lambda out, line: told.append(line))
    answer.found["problem"] = None
    run("discover", "ana@gm\u0430\u0456l.com")
    assert told[0].startswith("Note: Did you mean gmail.com?")
    assert "asked" in told


def test_a_settings_file_that_was_pasted_names_the_address(discover: Discover) -> None:
    ran = discover("https://autoconfig.firm.de/mail/config-v1.1.xml?emailaddress=ana%40firm.de", "--json")
    assert ran.document["email"] == "ana@firm.de"


@pytest.mark.parametrize(("said", "followed"), [("--follow", True), ("--no-follow", False), ("--json", False)])
def test_settings_at_another_domain_are_read_where_that_was_said(
    said: str, followed: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    answer = answering(monkeypatch)
    answer.found["redirect"] = "https://mail.hoster.de/config.xml"
    ran = run("discover", "ana@elsewhere.de", "--no-ispdb", said)
    told = "lies at another domain, hoster.de. --follow reads it there." in " ".join(ran.out.split())
    assert told or followed
    assert [each.file for each in answer.asked] == ["", "https://mail.hoster.de/config.xml"][: 1 + followed]


def test_a_domain_in_other_letters_is_shown_in_them_too(monkeypatch: pytest.MonkeyPatch) -> None:
    answer = answering(monkeypatch)
    endpoint = Endpoint("mail.xn--mller-kva.de", 465, Security.TLS)
    server = Candidate(endpoint=endpoint, username="ana@xn--mller-kva.de", source=FoundBy.SRV, trust=0.7)
    answer.found |= {"candidates": (server,), "source": FoundBy.SRV, "problem": None}
    said = " ".join(run("discover", "ana@müller.de", "--no-ispdb").out.split())
    assert "mail.xn--mller-kva.de, port 465, SSL/TLS (mail.müller.de)" in said
    assert "user name ana@xn--mller-kva.de (ana@müller.de)" in said
