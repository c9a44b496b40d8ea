"""`readiness`: what is missing before a mailing, and how long it takes."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from smtp_wizard.engine.accounts.saved_accounts import SavedAccounts
from smtp_wizard.engine.domain.domain_report import DomainReport
from smtp_wizard.engine.providers.catalog import load_catalog
from smtp_wizard.engine.services.domains import Domains
from tests.commands.test_send import RELAY
from tests.engine.domain.test_readiness import GOOD
from tests.support.cli import run
from tests.support.dnsserver import DnsServer


@pytest.fixture
def account(own_home: Path) -> str:
    connection = replace(RELAY.connection, provider="google-workspace", path=None)
    SavedAccounts(own_home / "config").put(replace(RELAY, connection=connection))
    return RELAY.name


def answered_by(zone: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Have the command look at a domain of ours."""

    async def found() -> DomainReport:
        catalog = load_catalog()
        async with DnsServer(zone) as dns:
            return await Domains(catalog, dns.resolver).examine(
                "firm.example", provider=catalog.get("google-workspace")
            )

    report = asyncio.run(found())

    async def examine(self: Domains, domain: str, **_: Any) -> DomainReport:
        assert domain == "hello@example.com", "the address in From"
        return report

    monkeypatch.setattr(Domains, "examine", examine)


def test_a_script_reads_each_requirement_with_its_source_and_the_plan(
    account: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    answered_by(GOOD, monkeypatch)
    document = run("readiness", account, "--recipients", "500", "--json").document
    by_id = {each["id"]: each for each in document["requirements"]}
    assert by_id["spf"]["verdict"] == "pass"
    assert len(by_id["dmarc"]["by"]) == 3
    assert by_id["dmarc"]["source"]["url"].startswith("https://")
    assert document["plan"]["messages"] == 500
    assert document["plan"]["days"] == 1


def test_a_person_reads_what_is_missing_and_who_does_it(account: str, monkeypatch: pytest.MonkeyPatch) -> None:
    answered_by("firm.example. 60 IN MX 10 aspmx.l.google.com.\n", monkeypatch)
    ran = run("readiness", account, "--recipients", "6000")
    words = " ".join(ran.out.split())
    assert ran.code == 1
    assert "not ready for this mailing" in words
    assert "A DMARC record" in words
    assert "Publish the DMARC record that 'smtp-wizard domain' shows." in words


def test_what_cannot_be_used_is_said(account: str) -> None:
    ran = run("readiness", account, "--recipients", "many", "--json")
    assert ran.code == 2
    assert run("readiness", "Nobody", "--recipients", "5", "--json").code == 4
