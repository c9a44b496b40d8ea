"""`providers`: what the person's own file changes is said, and `providers verify` speaks to each server."""

from __future__ import annotations

import asyncio
import re
from datetime import date
from pathlib import Path
from types import SimpleNamespace

import pytest

from smtp_wizard.engine.base.stages import Stage
from tests.support.certs import Authority
from tests.support.cli import Ran, run
from tests.support.misbehaving import Expect, Hold, MisbehavingServer, Send, StartTls, Step, refused_port
from tests.support.time_is_up import TimeIsUp

OVERRIDE = """\
providers:
  - id: gmail
    endpoints:
      - {host: gate.firm.example, port: 587, security: starttls}
"""
SAID = "Your own providers.yaml sets the server of 'gmail': gate.firm.example:587 (STARTTLS) instead of "


@pytest.fixture
def own_file(own_home: Path) -> Path:
    """The place of the person's own providers.yaml."""
    folder = own_home / "config"
    folder.mkdir()
    return folder / "providers.yaml"


def test_showing_an_overridden_provider_says_so(own_file: Path) -> None:
    own_file.write_text(OVERRIDE, "utf-8")
    shown = run("providers", "show", "gmail", "--json").document
    assert shown["endpoints"][0]["host"] == "gate.firm.example"
    assert shown["overrides"] == [
        {
            "provider": "gmail",
            "field": "server",
            "old": "smtp.gmail.com:465 (SSL/TLS), smtp.gmail.com:587 (STARTTLS)",
            "new": "gate.firm.example:587 (STARTTLS)",
        }
    ]
    assert f"\nOverridden\n  {SAID}" in run("providers", "show", "gmail").out
    assert run("providers", "show", "yahoo", "--json").document["overrides"] == []
    assert "Overridden" not in run("providers", "show", "yahoo").out


def test_setting_up_says_where_the_password_will_go_before_it_goes(own_file: Path) -> None:
    own_file.write_text(OVERRIDE.replace("gate.firm.example", "127.0.0.1"), "utf-8")
    ran = run("setup", "ana@gmail.com", "--password-stdin", "--depth", "server", stdin="correct horse battery")
    assert "sets the server of 'gmail': 127.0.0.1:587 (STARTTLS)" in ran.err


def test_a_file_that_cannot_be_used_is_one_sentence_and_the_rest_goes_on(own_file: Path) -> None:
    own_file.write_text(OVERRIDE.replace("587", "0"), "utf-8")
    ran = run("providers", "show", "gmail", "--json")
    assert ran.code == 0
    assert ran.document["endpoints"][0]["host"] == "smtp.gmail.com"
    (line,) = ran.err.splitlines()
    assert line.startswith("smtp-wizard: Your own list of providers is left out: providers.yaml, line 4, column ")


def test_another_config_folder_has_its_own_file(own_file: Path, tmp_path: Path) -> None:
    own_file.write_text(OVERRIDE, "utf-8")
    other = run("--config", str(tmp_path / "other"), "providers", "show", "gmail", "--json").document
    assert other["overrides"] == []


# --- verify ---


async def cli(*arguments: str) -> Ran:
    """Run a command beside the servers of this test."""
    return await asyncio.to_thread(run, *arguments)


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return Authority(tmp_path / "ca")


def serving(authority: Authority, offers: bytes = b"250 AUTH PLAIN\r\n") -> list[Step]:
    context = authority.issue("localhost", "127.0.0.1").context()
    return [StartTls(context), Send(b"220 ready\r\n"), Expect(rb"EHLO .*"), Send(b"250-here\r\n" + offers), Hold()]


def firms(*ports: int) -> str:
    """One provider with servers at these ports."""
    lines = [f"      - {{host: 127.0.0.1, port: {port}, security: tls}}\n" for port in ports]
    return "providers:\n  - id: our-firm\n    name: Our firm\n    endpoints:\n" + "".join(lines)


async def test_servers_that_are_as_the_catalogue_says_exit_0(own_file: Path, authority: Authority) -> None:
    async with MisbehavingServer(serving(authority)) as one, MisbehavingServer(serving(authority)) as two:
        own_file.write_text(firms(one.port, two.port), "utf-8")
        ran = await cli("providers", "verify", "our-firm", "--ca-file", str(authority.file), "--json")
    assert (ran.code, ran.err) == (0, "")
    servers = ran.document["servers"]
    assert [(each["port"], each["fits"], each["misfits"]) for each in servers] == [
        (one.port, True, []),
        (two.port, True, []),
    ]
    assert servers[0]["providers"] == ["our-firm"]
    assert servers[0]["verdict"] == "pass"


async def test_what_no_longer_fits_is_printed_and_exits_1(own_file: Path, authority: Authority) -> None:
    with refused_port() as gone:
        ran, changed = await verified_three(own_file, authority, gone)
    assert ran.code == 1
    refused, no_password, count = ran.out.splitlines()
    assert refused.startswith(f"our-firm: 127.0.0.1:{gone} (SSL/TLS): connect: ")
    said = "ehlo: no sign-in with a password is offered (AUTH: XOAUTH2)"
    assert no_password == f"our-firm: 127.0.0.1:{changed} (SSL/TLS): {said}"
    assert count == "1 of 3 servers fit."


async def verified_three(own_file: Path, authority: Authority, gone: int) -> tuple[Ran, int]:
    """One server is as it should be, one refuses, one has changed."""
    async with (
        MisbehavingServer(serving(authority)) as good,
        MisbehavingServer(serving(authority, b"250 AUTH XOAUTH2\r\n")) as changed,
    ):
        own_file.write_text(firms(good.port, gone, changed.port), "utf-8")
        ran = await cli("providers", "verify", "our-firm", "--ca-file", str(authority.file))
    return ran, changed.port


async def test_no_password_and_no_message_goes_out(own_file: Path, authority: Authority) -> None:
    async with MisbehavingServer(serving(authority)) as server:
        own_file.write_text(firms(server.port), "utf-8")
        ran = await cli("providers", "verify", "our-firm", "--ca-file", str(authority.file), "--verbose")
    assert ran.code == 0
    ours = re.findall(r"^ +[\d.]+ C!? +(\w+)", ran.err, re.MULTILINE)
    assert ours == ["EHLO", "QUIT"], ran.err


async def test_when_the_time_is_up_nothing_is_called_good(own_file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    time_is_up = TimeIsUp(monkeypatch)
    async with MisbehavingServer([Hold()]) as silent:
        own_file.write_text(firms(silent.port), "utf-8")
        verifying = cli("providers", "verify", "our-firm", "--timeout", "3", "--concurrency", "1", "--json")
        ran = await time_is_up.when(lambda: (silent.port, Stage.TLS) in time_is_up.begun, verifying)
    assert ran.code == 1
    (server,) = ran.document["servers"]
    assert (server["fits"], server["verdict"]) == (False, "unknown")


def test_a_provider_without_a_server_has_nothing_to_verify() -> None:
    ran = run("providers", "verify", "tuta")
    assert (ran.code, ran.out) == (0, "It has no server to speak to.\n")
    assert run("providers", "verify", "tuta", "--json").document["servers"] == []


def test_verifying_one_that_is_not_known_exits_4() -> None:
    assert run("providers", "verify", "gmial", "--json").error["hint"] == "Did you mean 'gmail'?"


@pytest.mark.parametrize(("today", "words"), [("2026-11-30", "Retires on"), ("2026-12-31", "Retired on")])
def test_a_way_in_that_is_still_open_is_not_called_retired(
    monkeypatch: pytest.MonkeyPatch, today: str, words: str
) -> None:
    clock = SimpleNamespace(today=lambda: date.fromisoformat(today))
    monkeypatch.setattr("smtp_wizard.commands.providers.date", clock)
    assert f"{words} 2026-12-31." in run("providers", "show", "microsoft365").out
