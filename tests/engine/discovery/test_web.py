"""Documents from the web, fetched from a real https server on this computer: bounded, and never led elsewhere."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest

from smtp_wizard.engine.discovery.web import (
    LARGEST,
    Fetched,
    FetchedDocument,
    HttpWeb,
    LedElsewhere,
    WebProblem,
    may_be_asked_about,
    may_fetch,
)
from smtp_wizard.engine.smtp.tls import Trust
from tests.support.certs import Authority
from tests.support.webserver import Page, WebServer

URL = "https://autoconfig.firm.de/mail/config-v1.1.xml"


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("authority"))


async def fetched(authority: Authority, *pages: tuple[str, Page], patience: float = 5.0) -> Fetched:
    async with WebServer(authority, dict(pages)) as server:
        return await server.web(patience).fetch(URL)


async def test_a_document_is_fetched(authority: Authority) -> None:
    assert await fetched(authority, (URL, Page(b"<x/>"))) == FetchedDocument(b"<x/>", URL)


async def test_what_is_told_is_the_url_and_little_else(authority: Authority) -> None:
    async with WebServer(authority, {URL: Page(b"<x/>")}) as server:
        await server.web().fetch(URL)
        assert server.requests == [URL]
        names = {line.split(b":")[0].lower() for line in server.raw[0].split(b"\r\n")[1:] if line}
    assert names <= {b"host", b"accept", b"accept-encoding", b"connection", b"user-agent"}


@pytest.mark.parametrize("status", ["404 Not Found", "403 Forbidden", "500 Oops", "204 No Content", "401 Who"])
async def test_what_is_not_there_is_absent(authority: Authority, status: str) -> None:
    assert await fetched(authority, (URL, Page(b"<x/>", status))) is WebProblem.ABSENT


async def test_a_redirect_within_the_domain_is_followed(authority: Authority) -> None:
    there = "https://www.firm.de/mail.xml"
    moved = Page(status="301 Moved", location="//www.firm.de/mail.xml")
    assert await fetched(authority, (URL, moved), (there, Page(b"<x/>"))) == FetchedDocument(b"<x/>", there)


@pytest.mark.parametrize(
    "location",
    [
        "http://autoconfig.firm.de/mail.xml",
        "https://user@autoconfig.firm.de/mail.xml",
        "ftp://autoconfig.firm.de/mail.xml",
        "javascript:alert(1)",
        "https://[",
    ],
)
async def test_nobody_is_led_elsewhere(authority: Authority, location: str) -> None:
    async with WebServer(authority, {URL: Page(status="302 Found", location=location)}) as server:
        found = await server.web().fetch(URL)
        assert found in (WebProblem.LED_AWAY, WebProblem.UNREACHABLE)
        assert server.requests == [URL]


@pytest.mark.parametrize("location", ["https://elsewhere.de/mail.xml", "https://firm.de.elsewhere.de/mail.xml"])
async def test_where_another_domain_lies_is_told_and_not_gone_to(authority: Authority, location: str) -> None:
    async with WebServer(authority, {URL: Page(status="302 Found", location=location)}) as server:
        assert await server.web().fetch(URL) == LedElsewhere(location)
        assert server.requests == [URL]


@pytest.mark.parametrize(
    "following",
    [
        "http://elsewhere.de/x",
        "https://ana:secret@elsewhere.de/x",
        "https://10.1.2.3/x",
        "https://[::1]/x",
        "https://www.firm.de/x",
        "https:///x",
        "https://elsewhere.de/" + "x" * 3000,
    ],
)
def test_nobody_is_asked_about_a_place_that_is_no_domain_of_somebody(following: str) -> None:
    assert not may_be_asked_about(URL, following)
    assert not may_be_asked_about(URL.replace("https", "http"), "https://elsewhere.de/x"), "nobody knows who says so"


async def test_a_ring_of_redirects_ends(authority: Authority) -> None:
    assert await fetched(authority, (URL, Page(status="302 Found", location=URL))) is WebProblem.LED_AWAY


async def test_a_document_without_end_is_cut(authority: Authority) -> None:
    assert await fetched(authority, (URL, Page(b"x" * (LARGEST + 1)))) is WebProblem.TOO_LARGE
    assert await fetched(authority, (URL, Page(b"x" * LARGEST))) == FetchedDocument(b"x" * LARGEST, URL)


async def test_packed_content_is_not_unpacked(authority: Authority) -> None:
    """It would be unpacked before its size is known."""
    bomb = gzip.compress(b"\0" * 50_000_000)
    found = await fetched(authority, (URL, Page(bomb, packed="gzip")))
    assert found == FetchedDocument(bomb, URL)


@pytest.mark.parametrize("page", [Page(holds=True), Page(drips=True)])
async def test_what_takes_too_long_is_given_up(authority: Authority, page: Page) -> None:
    assert await fetched(authority, (URL, page), patience=0.3) is WebProblem.SILENT


async def test_a_certificate_that_does_not_fit_is_not_believed(authority: Authority) -> None:
    async with WebServer(authority, {URL: Page(b"<x/>")}, names=("other.firm.de",)) as server:
        assert await server.web().fetch(URL) is WebProblem.NOT_TRUSTED
        assert not server.requests


async def test_an_authority_that_nobody_trusts_is_not_believed(authority: Authority, tmp_path: Path) -> None:
    async with WebServer(authority, {URL: Page(b"<x/>")}) as server:
        web = HttpWeb(Trust(str(Authority(tmp_path).file), only=True), 5.0, server.web().locate)
        assert await web.fetch(URL) is WebProblem.NOT_TRUSTED


async def test_where_nobody_answers_it_is_unreachable(authority: Authority) -> None:
    async with WebServer(authority, {}) as server:
        web = server.web()
    assert await web.fetch(URL) is WebProblem.UNREACHABLE


@pytest.mark.parametrize("url", ["https://", "nonsense", "https://autoconfig.firm.de:99999/"])
async def test_a_url_that_is_none_is_unreachable(url: str) -> None:
    assert await HttpWeb().fetch(url) is WebProblem.UNREACHABLE


@pytest.mark.parametrize(
    ("url", "following", "good"),
    [
        ("https://a.firm.co.uk/x", "https://b.firm.co.uk/y", True),
        ("https://a.firm.co.uk/x", "https://other.co.uk/y", False),
        ("http://a.firm.de/x", "https://a.firm.de/x", True),
        ("https://a.github.io/x", "https://b.github.io/x", False),
        ("https://www.a.github.io/x", "https://a.github.io/x", True),
        ("https://a.firm.de/x", "http://a.firm.de/x", False),
        ("http://a.firm.de/x", "http://firm.de/x", True),
        ("https://host.internal/x", "https://host.internal/y", True),
        ("https://host.internal/x", "https://other.internal/y", False),
        ("https://autoconfig.firm.internal/x", "https://www.firm.internal/y", True),
        ("https://a.firm.de/x", "https://FIRM.de./y", True),
        ("https://a.xn--bcher-kva.de/x", "https://www.bücher.de/y", True),
        ("https://a.firm.de/x", "https://firm.de.evil.test/y", False),
        ("https://10.1.2.3/x", "https://11.1.2.3/y", False),
        ("https://firm.de/x", "https://[64:ff9b::7f00:1]/y", False),
        ("https://github.io/x", "https://b.github.io/y", False),
    ],
)
def test_a_redirect_stays_with_the_same_owner(url: str, following: str, good: bool) -> None:
    assert may_fetch(url, following) is good
