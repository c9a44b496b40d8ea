"""`check HOST` without a port, and the question whether this network blocks one."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest

from smtp_wizard.commands.check_all_ports import Sweep
from smtp_wizard.commands.check_run import Transcript
from smtp_wizard.engine.base.endpoint import Endpoint, Security
from smtp_wizard.engine.base.stages import Stage
from smtp_wizard.engine.scan.blocked_ports import Blame, ControlAnswer
from smtp_wizard.engine.scan.control_host import ControlHost
from smtp_wizard.engine.scan.results import PortScanned, ScanEvent
from smtp_wizard.text.network import answer_lines
from tests.support.certs import Authority
from tests.support.cli import Ran, run
from tests.support.misbehaving import (
    Expect,
    Hold,
    MisbehavingServer,
    Send,
    StartTls,
    Step,
    refused_port,
    silent_port,
)
from tests.support.time_is_up import TimeIsUp

TLS, STARTTLS = Security.TLS, Security.STARTTLS
HOST = "localhost"


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return Authority(tmp_path / "ca")


@pytest.fixture
def closed() -> Iterator[int]:
    """A port that refuses."""
    with refused_port() as port:
        yield port


async def cli(*arguments: str) -> Ran:
    """Run `check` beside the servers of this test."""
    return await asyncio.to_thread(run, "check", *arguments)


def implicit(authority: Authority) -> list[Step]:
    context = authority.issue("localhost", "127.0.0.1").context()
    offer = Send(b"250-here\r\n250 AUTH PLAIN\r\n")
    return [StartTls(context), Send(b"220 ready\r\n"), Expect(rb"EHLO .*"), offer, Hold()]


def usual(monkeypatch: pytest.MonkeyPatch, ways: dict[int, Security]) -> None:
    """Let other ports be the usual ones."""
    monkeypatch.setattr("smtp_wizard.engine.scan.ports.USUAL_WAYS", ways)


def proposing(monkeypatch: pytest.MonkeyPatch, *known: ControlHost) -> None:
    """Let others be proposed, and that about servers on this computer, too."""
    monkeypatch.setattr("smtp_wizard.engine.scan.control_host.is_internal_host", lambda host: False)
    monkeypatch.setattr("smtp_wizard.engine.scan.control_host.load_control_hosts", lambda: known)


async def test_ports_are_told_of_as_they_answer_and_the_table_says_what_follows(
    authority: Authority, closed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with MisbehavingServer(implicit(authority)) as server, MisbehavingServer([Send(b"+OK\r\n"), Hold()]) as pop:
        usual(monkeypatch, {pop.port: STARTTLS, closed: STARTTLS, server.port: TLS})
        ran = await cli(HOST, "--ca-file", str(authority.file))
    words = " ".join(ran.out.split())
    assert ran.code == 0
    assert f"{server.port}: answers, SSL/TLS, over IPv4\n" in ran.err
    assert f"{closed}: refuses connections\n" in ran.err
    assert ran.out.startswith(f"ok    port {server.port}, SSL/TLS")
    assert f"Best: port {server.port} with SSL/TLS. Everything is encrypted there from the first byte." in words
    assert f"Connections to port {closed} are refused at once" in words
    assert f"On port {pop.port} a server for reading mail (POP) answers" in words


async def test_the_document_says_what_the_network_does(
    authority: Authority, closed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with MisbehavingServer(implicit(authority)) as server:
        usual(monkeypatch, {server.port: TLS, closed: STARTTLS})
        proposing(monkeypatch, ControlHost("neutral.example.net", (closed,)))
        ran = await cli(HOST, "--ca-file", str(authority.file), "--json")
    assert (ran.code, ran.err) == (0, "")
    assert ran.document["best"] == {
        "host": HOST,
        "port": server.port,
        "security": "tls",
        "families": ["ipv4"],
        "why": "Everything is encrypted there from the first byte.",
    }
    assert [(each["port"], each["serves"], each["families"]) for each in ran.document["network"]["ports"]] == [
        (server.port, True, ["ipv4"]),
        (closed, False, []),
    ]
    (sight,) = ran.document["network"]["sights"]
    assert (sight["kind"], sight["ports"], sight["who"]) == ("refused", [closed], "provider")
    assert ran.document["network"]["neutral"] == []
    assert ran.document["network"]["proposal"] == {"host": "neutral.example.net", "ports": [closed]}


async def test_a_port_that_answers_in_the_other_way_is_said_to_serve_in_that(
    authority: Authority, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with MisbehavingServer([Hold()], implicit(authority), strict=False) as server:
        usual(monkeypatch, {server.port: STARTTLS})
        ran = await cli(HOST, "--ca-file", str(authority.file), "--json")
        assert ran.document["best"]["security"] == "tls"
        usual(monkeypatch, {server.port: TLS})
        kept = await cli(HOST, "--security", "starttls", "--ca-file", str(authority.file), "--json")
    assert kept.document["results"] == []
    assert (kept.code, kept.document["best"]) == (1, None)


async def test_each_conversation_is_in_the_transcript(
    authority: Authority, closed: int, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    async with MisbehavingServer(implicit(authority)) as server:
        usual(monkeypatch, {server.port: TLS, closed: STARTTLS})
        await cli(HOST, "--ca-file", str(authority.file), "--transcript", str(tmp_path / "talk.txt"))
    text = (tmp_path / "talk.txt").read_text("utf-8")
    assert f"== {HOST}:{server.port}, SSL/TLS, over IPv4" in text
    assert f"== {HOST}:{closed}, STARTTLS, over IPv4" in text
    assert "EHLO" in text


def ports_scanned(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Return the ports about which all is known, which grow while a probe goes on."""
    ports: list[int] = []
    take = Sweep._take

    def taken(sweep: Sweep, event: ScanEvent, transcript: Transcript) -> None:
        take(sweep, event, transcript)
        if isinstance(event, PortScanned):
            ports.append(event.result.port)

    monkeypatch.setattr(Sweep, "_take", taken)
    return ports


async def test_what_was_seen_when_the_time_is_up_is_reported(
    authority: Authority, monkeypatch: pytest.MonkeyPatch
) -> None:
    time_is_up, scanned = TimeIsUp(monkeypatch), ports_scanned(monkeypatch)
    async with MisbehavingServer(implicit(authority)) as server:
        with silent_port() as mute:
            usual(monkeypatch, {server.port: TLS, mute: STARTTLS})
            probing = cli(HOST, "--ca-file", str(authority.file), "--timeout", "6", "--json")

            def only_the_silent_is_left() -> bool:
                return server.port in scanned and (mute, Stage.GREETING) in time_is_up.begun

            ran = await time_is_up.when(only_the_silent_is_left, probing)
    assert ran.code == 0
    serving, cut = ran.document["results"]
    assert (serving["port"], serving["verdict"]) == (server.port, "pass")
    assert (cut["port"], cut["verdict"], cut["findings"][0]["code"]) == (mute, "unknown", "time-is-up")
    assert [stage["stage"] for stage in cut["stages"]] == ["dns", "connect", "greeting"]


async def test_the_best_port_is_signed_in_at_where_that_is_wanted(
    authority: Authority, closed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No password goes to a port before the best one is known, and none to any other."""
    signed_in: list[Step] = [*implicit(authority)[:-1], Expect(rb"AUTH PLAIN .*"), Send(b"235 ok\r\n"), Hold()]
    async with MisbehavingServer(implicit(authority), signed_in) as server:
        usual(monkeypatch, {closed: STARTTLS, server.port: TLS})
        common = [HOST, "--ca-file", str(authority.file), "--depth", "login", "--username", "ana", "--json"]
        monkeypatch.setenv("MAIL_PASSWORD", "correct horse")
        ran = await cli(*common, "--password-env", "MAIL_PASSWORD")
    first, second = ran.document["results"]
    assert (ran.code, first["port"], first["mechanism"], second["port"]) == (0, server.port, "PLAIN", closed)
    assert [b"AUTH" in each.received for each in server.conversations] == [False, True]


async def test_a_server_that_answers_and_cannot_be_used_is_not_called_silent(
    authority: Authority, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with MisbehavingServer(implicit(authority), strict=False) as server:
        usual(monkeypatch, {server.port: TLS})
        ran = await cli(HOST)
    assert ran.code == 1
    assert "A server answers, but none of its ports can be used as it is." in " ".join(ran.out.split())


# --- does this network block a port? ---


async def test_nobody_is_contacted_without_a_yes(closed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without a terminal the command that would find it out is named, and that is all."""
    async with MisbehavingServer([Send(b"220 ready\r\n"), Hold()]) as neutral:
        proposing(monkeypatch, ControlHost("127.0.0.1", (closed,)))
        usual(monkeypatch, {closed: STARTTLS})
        for server in (f"{HOST}:{closed}", HOST):
            ran = await cli(server)
            assert ran.code == 1
            assert f"Does this network block port {closed}?" in ran.err
            assert f"smtp-wizard check {server} --neutral 127.0.0.1" in " ".join(ran.err.split())
    assert neutral.connections == 0


@pytest.mark.parametrize("yes", [True, False])
async def test_in_a_terminal_the_question_names_the_host(
    closed: int, monkeypatch: pytest.MonkeyPatch, yes: bool
) -> None:
    asked: list[str] = []
    proposing(monkeypatch, ControlHost("127.0.0.1", (closed,)))
    monkeypatch.setattr("smtp_wizard.commands.check_all_ports.can_ask", lambda: True)

    def answer(question: str) -> bool:
        asked.append(question)
        return yes

    monkeypatch.setattr("smtp_wizard.commands.check_all_ports.confirm", answer)
    ran = await cli(f"{HOST}:{closed}")
    assert len(asked) == 1
    assert "127.0.0.1, a well-known mail server" in " ".join(asked[0].split())
    assert ("127.0.0.1 tells nothing" in ran.out) is yes


async def test_where_another_port_serves_no_question_stands_in_the_way(
    authority: Authority, closed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    proposing(monkeypatch, ControlHost("127.0.0.1", (closed,)))
    monkeypatch.setattr("smtp_wizard.commands.check_all_ports.can_ask", lambda: True)
    monkeypatch.setattr("smtp_wizard.commands.check_all_ports.confirm", pytest.fail)
    async with MisbehavingServer(implicit(authority)) as server:
        usual(monkeypatch, {server.port: TLS, closed: STARTTLS})
        ran = await cli(HOST, "--ca-file", str(authority.file))
    assert f"Does this network block port {closed}?" in ran.err


async def test_a_host_that_was_named_is_asked_where_nobody_answered(monkeypatch: pytest.MonkeyPatch) -> None:
    """The neutral host takes the port that the other does not: the network is not to blame."""
    async with MisbehavingServer([Send(b"554 go away\r\n"), Hold()], strict=False) as neutral:
        usual(monkeypatch, {neutral.port: STARTTLS})
        ran = await cli("127.0.0.2", "--neutral", "127.0.0.1", "--json")
        shown = await cli(f"127.0.0.2:{neutral.port}", "--security", "starttls", "--neutral", "127.0.0.1")
    (answer,) = ran.document["network"]["neutral"]
    assert (ran.code, answer["host"], answer["port"], answer["answer"]) == (1, "127.0.0.1", neutral.port, "server")
    assert answer["who"] == "provider"
    assert f"This network lets port {neutral.port} through" in " ".join(shown.out.split())
    assert "Who must act: Your mail provider" in shown.out


async def test_a_host_that_was_named_is_left_alone_where_every_port_was_reached(
    authority: Authority, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with MisbehavingServer(implicit(authority)) as server:
        usual(monkeypatch, {server.port: TLS})
        ran = await cli(HOST, "--ca-file", str(authority.file), "--neutral", "nobody.invalid")
    assert ran.code == 0
    assert "nobody.invalid was not asked" in ran.err


@pytest.mark.parametrize("name", ["http://x", "a b", "ana@example.com", ""])
def test_a_neutral_host_is_a_host(name: str) -> None:
    assert run("check", "127.0.0.1:1", "--neutral", name, "--json").code == 2


def test_what_an_answer_says_begins_with_the_ports_that_do_serve() -> None:
    there = Endpoint("mail.firma.example", 587, STARTTLS)

    def lines(blame: Blame, sure: bool = True) -> list[str]:
        return answer_lines(
            [
                ControlAnswer("mail.firma.example", port, "mail.known.example", blame, sure, (there,))
                for port in (25, 465)
            ]
        )

    blocked = lines(Blame.NETWORK)
    assert blocked[0].startswith("This network blocks ports 25 and 465: mail.known.example serves there")
    assert blocked[1] == "Who must act: Whoever runs the network"
    assert blocked[2] == "1. Use port 587 with STARTTLS instead: it serves."
    assert "mail.firma.example, ports 25 and 465" in blocked[3]
    assert lines(Blame.NETWORK, sure=False)[0].startswith("This network seems to block")
    assert lines(Blame.SERVER)[1] == "Who must act: Your mail provider"
    assert lines(Blame.REDIRECTED)[0].startswith("This network catches")
    assert lines(Blame.UNCLEAR)[1] == "Who must act: You"
    assert answer_lines([]) == []
