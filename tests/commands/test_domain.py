"""`domain`: what it prints, its exit codes, and what it is told, against a DNS server on this computer."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from smtp_wizard.engine.discovery import dns
from smtp_wizard.engine.domain.sender_records import ReturnPath, load_sender_records
from smtp_wizard.engine.providers.catalog import load_catalog
from tests.commands.test_discover import Served
from tests.engine.domain.test_mending import DOMAIN, as_text, good_zone
from tests.support.cli import run
from tests.support.dnsserver import DnsFault, DnsServer

MINE = {
    ("own.example", "MX"): ["1 aspmx.l.google.com."],
    ("own.example", "TXT"): ["v=spf1 include:_spf.google.com ~all"],
    ("_spf.google.com", "TXT"): ["v=spf1 ip4:192.0.2.0/24 ~all"],
    ("aspmx.l.google.com", "A"): ["192.0.2.7"],
}
REJECTING = {
    ("good.example", "MX"): ["1 mx.good.example."],
    ("good.example", "TXT"): ["v=spf1 mx -all"],
    ("mx.good.example", "A"): ["192.0.2.8"],
    ("_dmarc.good.example", "TXT"): ["v=DMARC1; p=reject; rua=mailto:a@good.example"],
    ("_dmarc.watching.example", "TXT"): ["v=DMARC1; p=reject; t=y; rua=mailto:a@watching.example"],
    ("sub.watching.example", "MX"): ["1 mx.good.example."],
}
FREE = {
    ("_dmarc.gmail.com", "TXT"): ["v=DMARC1; p=none; sp=quarantine; rua=mailto:a@gmail.com"],
    ("gmail.com", "MX"): ["5 x."],
}


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> Iterator[DnsServer]:
    with Served(as_text(good_zone() | MINE | FREE | REJECTING)) as server:
        monkeypatch.setattr(dns, "Resolver", lambda: server.resolver)
        yield server


def test_a_report_names_the_records_and_ends_with_the_verdict(asked: DnsServer) -> None:
    ran = run("domain", DOMAIN, "--selector", "good")
    assert ran.code == 0
    assert "ok    Mail hosts  mx.hoster.example" in ran.out
    assert "ok    SPF         v=spf1 include:spf.hoster.example -all" in ran.out
    assert "ok    DKIM        good (2048 bits)" in ran.out
    assert "(asks for junk)" in " ".join(ran.out.split())


def test_the_provider_that_takes_the_mail_is_the_one_that_sends(asked: DnsServer) -> None:
    found = document("domain", "ana@OWN.example", code=0)
    assert found["domain"] == "own.example"
    assert found["provider"] == "google-workspace"
    assert [(each["selector"], each["verdict"]) for each in found["dkim"]] == [("google", "fail")]
    codes = {each["code"]: each for each in found["findings"]}
    assert {"dkim_missing", "dmarc_missing"} <= set(codes)
    assert codes["dmarc_missing"]["publish"] == {
        "name": "_dmarc.own.example",
        "type": "TXT",
        "value": "v=DMARC1; p=none; rua=mailto:postmaster@own.example",
    }


def test_another_provider_is_missing_from_the_record(asked: DnsServer) -> None:
    found = document("domain", "own.example", "--provider", "microsoft365", code=1)
    [missing] = [each for each in found["findings"] if each["code"] == "spf_provider_missing"]
    assert missing["publish"]["value"] == "v=spf1 include:_spf.google.com include:spf.protection.outlook.com ~all"


def test_an_address_of_a_mailbox_provider_belongs_to_it(asked: DnsServer) -> None:
    found = document("domain", "ana@gmail.com", "--provider", "microsoft365", code=0)
    assert [each["code"] for each in found["findings"]] == ["freemail_sender"]
    assert document("domain", "ana@gmail.com", "--provider", "gmail", code=0)["findings"] == []


def test_a_provider_of_mailboxes_proves_no_mail_of_another_domain(asked: DnsServer) -> None:
    found = document("domain", "ana@good.example", "--provider", "gmail", code=1)
    [unaligned] = [each for each in found["findings"] if each["code"] == "dmarc_not_aligned"]
    assert (unaligned["verdict"], unaligned["who"]) == ("fail", "you")
    assert document("domain", "ana@good.example", code=0)["verdict"] == "pass"
    [mild] = [
        each
        for each in document("domain", "own.example", "--provider", "gmail", code=0)["findings"]
        if each["code"] == "dmarc_not_aligned"
    ]
    assert mild["verdict"] == "warn"


def test_a_record_of_the_domain_above_on_trial_is_told_as_such(asked: DnsServer) -> None:
    words = " ".join(run("domain", "sub.watching.example").out.split())
    assert "(only watches, as watching.example has it)" in words


@pytest.mark.parametrize("selector", ["bad..sel", ".a", "a.", "-", "x" * 64])
def test_what_is_no_selector_is_one_sentence(asked: DnsServer, selector: str) -> None:
    ran = run("domain", DOMAIN, f"--selector={selector}")
    assert (ran.code, ran.out) == (2, "")


def test_one_record_that_mends_several_faults_is_written_once(monkeypatch: pytest.MonkeyPatch) -> None:
    zone = good_zone() | {(DOMAIN, "TXT"): ["v=spf1 ipv4:203.0.113.9 ipv4:203.0.113.8 mx"]}
    with Served(as_text(zone)) as server:
        monkeypatch.setattr(dns, "Resolver", lambda: server.resolver)
        ran = run("domain", DOMAIN)
    assert ran.out.count("Value  v=spf1 ip4:203.0.113.9 ip4:203.0.113.8 mx ~all") == 1
    assert ran.out.count("The record above mends this as well.") == 2


def test_a_dns_that_says_nothing_leaves_everything_unknown(monkeypatch: pytest.MonkeyPatch) -> None:
    silent = dict.fromkeys(
        (DOMAIN, f"_dmarc.{DOMAIN}", "_dmarc.example", f"_mta-sts.{DOMAIN}", f"_smtp._tls.{DOMAIN}"), DnsFault.SERVFAIL
    )
    with Served(as_text(good_zone()), silent) as server:
        monkeypatch.setattr(dns, "Resolver", lambda: server.resolver)
        found = document("domain", DOMAIN, code=1)
        ran = run("domain", DOMAIN)
    assert (found["verdict"], found["mx"], found["spf"]["verdict"]) == ("unknown", None, "unknown")
    [told] = found["findings"]
    assert (told["code"], told["steps"]) == ("dns_unreachable", ["Look again in some minutes."])
    assert ran.code == 1
    assert ran.out.count("????") == 3
    assert "none" not in ran.out
    assert "no record" not in ran.out


def test_of_a_domain_that_is_not_there_nothing_else_is_said(asked: DnsServer) -> None:
    ran = run("domain", "nowhere.example")
    assert ran.code == 1
    assert ran.out.startswith("FAIL  Mail hosts  none\n--    SPF         no record that counts\n--    DKIM")
    assert "There is no domain nowhere.example" in ran.out


def test_only_names_are_asked_about(asked: DnsServer) -> None:
    run("domain", "ana.secret@own.example")
    assert asked.queries
    assert all("ana" not in each.name and "secret" not in each.name for each in asked.queries)


@pytest.mark.parametrize("given", ["nodots", "192.0.2.1", "[::1]", "", "a b.example", "x" * 300 + ".example", "ana@"])
def test_what_is_no_domain_is_one_sentence(asked: DnsServer, given: str) -> None:
    ran = run("domain", given)
    assert ran.code == 2
    assert ran.out == ""
    assert len(ran.err.splitlines()) <= 3
    assert asked.queries == []


def test_a_domain_that_only_looks_like_another_is_told_before_anything(asked: DnsServer) -> None:
    assert run("domain", "ana@GM\u0430IL.com.").err.startswith(
        "gm\u0430il.com looks like gmail.com, and has letters of"
    )
    assert "looks like" not in run("domain", DOMAIN).err


def test_who_is_not_known_is_one_sentence(asked: DnsServer) -> None:
    assert run("domain", DOMAIN, "--provider", "nobody").code == 4
    assert run("domain", DOMAIN, "--selector", "a b").code == 2


def document(*arguments: str, code: int) -> dict[str, Any]:
    ran = run(*arguments, "--json")
    assert ran.code == code, ran.err
    found: dict[str, Any] = json.loads(ran.out)
    return found


def test_every_provider_with_records_is_in_the_catalogue() -> None:
    catalog = load_catalog()
    assert [each for each in load_sender_records() if catalog.get(each) is None] == []


def test_every_record_that_is_asked_for_names_its_source() -> None:
    for records in load_sender_records().values():
        assert records.source.url.startswith("https://")
        assert records.spf or records.selectors or records.return_path is ReturnPath.PROVIDER, records.provider
