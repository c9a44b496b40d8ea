"""The JSON that a domain publishes with its digest in the DNS: how it is read, and when it is believed."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Mapping
from typing import Any

import pytest

from smtp_wizard.engine.discovery.user_agent_configuration import digests, read_configuration
from smtp_wizard.engine.providers.catalog import Catalog, load_catalog
from tests.engine.discovery.test_discovery_sources import MX, Asked, Search, search
from tests.support.certs import Authority
from tests.support.webserver import Page

__all__ = ["search"]

URL = "https://ua-auto-config.firm.de/.well-known/user-agent-configuration.json"


@pytest.fixture(scope="module")
def catalog() -> Catalog:
    return load_catalog()


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("authority"))


def document(
    host: str = "smtp.firm.de", name: str = "submit", authentication: Mapping[str, Any] | None = None
) -> bytes:
    protocols = {"imap": {"host": "imap.firm.de"}, name: {"host": host}}
    ways = authentication or {"password": True}
    return json.dumps({"protocols": protocols, "authentication": ways, "info": {"provider": {"name": "Firm"}}}).encode()


def digest(content: bytes) -> str:
    return base64.b64encode(hashlib.sha256(content).digest()).decode()


def record(content: bytes) -> str:
    return f'_ua-auto-config.firm.de. 60 IN TXT "v=UAAC1; a=sha256; " "d={digest(content)}"\n'


async def published(search: Search, zone: str, content: bytes) -> Asked:
    return await search(MX + zone, {URL: Page(content)})


# --- in a search ---


async def test_a_file_with_its_digest_in_the_dns_is_taken(search: Search) -> None:
    asked = await published(search, record(document()), document())
    assert asked.servers[0] == "smtp.firm.de:465"
    first = asked.candidate("smtp.firm.de")
    assert (first.source, first.published, first.auth) == ("autoconfig", True, ("password",))
    assert not any(b"ana.secret" in head for head in asked.heads)


async def test_the_digest_of_the_file_before_may_stand_beside(search: Search) -> None:
    zone = record(b"{}") + record(document())
    assert (await published(search, zone, document())).servers == ["smtp.firm.de:465"]


async def test_a_file_that_is_another_is_not_used_and_that_is_said(search: Search) -> None:
    asked = await published(search, record(document()), document("smtp.wrong.example"))
    assert not asked.servers
    assert "its digest is another" in asked.notes


async def test_without_a_digest_nothing_is_fetched(search: Search) -> None:
    asked = await published(search, "", document())
    assert not asked.servers
    assert URL not in "\n".join(asked.web)
    assert not any(b"user-agent-configuration" in head for head in asked.heads)


async def test_a_server_of_another_owner_is_believed_less(search: Search) -> None:
    content = document("smtp.elsewhere.example")
    asked = await published(search, record(content), content)
    own = (await published(search, record(document()), document())).candidate("smtp.firm.de")
    assert asked.candidate("smtp.elsewhere.example").trust < own.trust


# --- reading ---


@pytest.mark.parametrize(
    ("content", "host", "auth"),
    [
        (document(), "smtp.firm.de", ("password",)),
        (document(name="smtp"), "smtp.firm.de", ("password",)),
        (document(authentication={"oauth-public": {"issuer": "https://id.firm.de"}}), "smtp.firm.de", ("xoauth2",)),
        (
            document(authentication={"password": True, "oauth-public": {"issuer": "https://id.firm.de"}}),
            "smtp.firm.de",
            ("password", "xoauth2"),
        ),
        (b'{"protocols": {"submit": {"host": "smtp.firm.de"}}}', "smtp.firm.de", ("password",)),
    ],
    ids=["submit", "smtp", "oauth", "both", "says-nothing-of-signing-in"],
)
def test_what_a_file_says(content: bytes, host: str, auth: tuple[str, ...]) -> None:
    offer = read_configuration(content)
    assert offer is not None
    assert (str(offer.endpoint), offer.auth) == (f"{host}:465", auth)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"<html>",
        b"\xff\xfe",
        b"[" * 100_000,
        b"null",
        b"[]",
        b'{"protocols": []}',
        b'{"protocols": {"submit": "smtp.firm.de"}}',
        b'{"protocols": {"submit": {"host": 7}}}',
        b'{"protocols": {"submit": {"host": ["smtp.firm.de"]}}}',
        b'{"protocols": {"submit": {"host": "smtp firm"}}}',
        b'{"protocols": {"submit": {"host": ""}}}',
        b'{"protocols": {"imap": {"host": "imap.firm.de"}}}',
    ],
)
def test_what_names_no_server_is_passed_over(content: bytes) -> None:
    assert read_configuration(content) is None


@pytest.mark.parametrize(
    "text",
    [
        "",
        "v=spf1 -all",
        f"v=UAAC2; a=sha256; d={digest(b'x')}",
        f"v=UAAC1; a=md5; d={digest(b'x')}",
        "v=UAAC1; a=sha256",
        "v=UAAC1; a=sha256; d=AAAA",
        "v=UAAC1; a=sha256; d=not base64!",
        "v=UAAC1; a=sha256; d=\xe4\xf6",
        ";;;===;",
    ],
)
def test_what_is_no_digest_is_passed_over(text: str) -> None:
    assert digests([text]) == ()
