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
from tests.support.dnsserver import DnsFault, DnsServer


@pytest.fixture
def account(own_home: Path) -> str:
    connection = replace(RELAY.connection, provider="google-workspace", path=None)
    SavedAccounts(own_home / "config").put(replace(RELAY, connection=connection))
    return RELAY.name


def answered_by(zone: str, monkeypatch: pytest.MonkeyPatch, *silent: str) -> None:
    """Have the command look at a domain of ours; of the names that are `silent` the DNS says nothing."""

    async def found() -> DomainReport:
        catalog = load_catalog()
        async with DnsServer(zone, dict.fromkeys(silent, DnsFault.SERVFAIL)) as dns:
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


def test_of_a_dns_that_says_nothing_nobody_is_called_ready(account: str, monkeypatch: pytest.MonkeyPatch) -> None:
    answered_by(GOOD, monkeypatch, "firm.example")
    ran = run("readiness", account, "--recipients", "500")
    head = " ".join(ran.out.partition("\n\n")[0].split())
    assert ran.code == 1
    assert head == (
        f"{account}: not known whether it is ready for this mailing. One thing that decides it is not known."
        " The DNS did not answer: look again in some minutes."
        " 6 more things cannot be seen from here: see to that yourself."
    )
    document = run("readiness", account, "--recipients", "500", "--json").document
    assert (document["ready"], document["verdict"]) == (False, "unknown")


def test_how_long_a_mailing_takes_stands_in_the_first_sentence(account: str, monkeypatch: pytest.MonkeyPatch) -> None:
    answered_by(GOOD, monkeypatch)
    ran = run("readiness", account, "--recipients", "4900")
    head = " ".join(ran.out.partition("\n\n")[0].split())
    assert (ran.code, "is missing. It takes 3 days." in head) == (0, True), head
    assert "things cannot be seen from here" in head


def test_what_cannot_be_used_is_said(account: str) -> None:
    ran = run("readiness", account, "--recipients", "many", "--json")
    assert ran.code == 2
    assert run("readiness", "Nobody", "--recipients", "5", "--json").code == 4
