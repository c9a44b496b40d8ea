"""`check`: a server that belongs to no account."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from smtp_wizard.engine.base import endpoint
from smtp_wizard.engine.base.endpoint import Security
from smtp_wizard.engine.base.stages import Stage
from tests.support.certs import Authority
from tests.support.cli import Ran, run
from tests.support.misbehaving import Drip, Expect, Hold, MisbehavingServer, Send, StartTls, Step, refused_port
from tests.support.time_is_up import TimeIsUp


async def cli(*arguments: str, stdin: str | bytes = "") -> Ran:
    """Run a command beside the servers of this test."""
    return await asyncio.to_thread(run, *arguments, stdin=stdin)


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return Authority(tmp_path / "ca")


def plain_start(offers: bytes = b"250-here\r\n250 STARTTLS\r\n") -> list[Step]:
    return [Send(b"220 ready\r\n"), Expect(rb"EHLO .*"), Send(offers)]


def upgraded(authority: Authority, offers: bytes = b"250-here\r\n250 AUTH PLAIN LOGIN\r\n") -> list[Step]:
    context = authority.issue("localhost", "127.0.0.1").context()
    return [
        *plain_start(),
        Expect(rb"STARTTLS"),
        Send(b"220 go\r\n"),
        StartTls(context),
        Expect(rb"EHLO .*"),
        Send(offers),
    ]


def implicit(authority: Authority) -> list[Step]:
    context = authority.issue("localhost", "127.0.0.1").context()
    return [StartTls(context), Send(b"220 ready\r\n"), Expect(rb"EHLO .*"), Send(b"250-here\r\n250 AUTH PLAIN\r\n")]


async def test_a_server_that_serves_exits_0(authority: Authority) -> None:
    async with MisbehavingServer([*upgraded(authority), Hold()]) as server:
        where = f"127.0.0.1:{server.port}"
        ran = await cli("check", where, "--security", "starttls", "--ca-file", str(authority.file), "--json")
    assert (ran.code, ran.result["verdict"], ran.result["account"]) == (0, "pass", None)
    assert ran.document["best"] == {
        "host": "127.0.0.1",
        "port": server.port,
        "security": "starttls",
        "families": ["ipv4"],
        "why": "",
    }
    assert ran.document["network"] == {"ports": [], "sights": [], "neutral": [], "proposal": None}
    assert ran.err == ""
    assert ran.result["tls"]["version"] == "TLSv1.3"


async def test_the_report_for_a_person_says_that_no_password_was_checked(authority: Authority) -> None:
    async with MisbehavingServer([*upgraded(authority), Hold()]) as server:
        where = f"127.0.0.1:{server.port}"
        ran = await cli("check", where, "--security", "starttls", "--ca-file", str(authority.file))
    assert ran.code == 0
    assert ran.out.splitlines()[0].startswith("ok    Find server   127.0.0.1")
    assert "The password was not checked." in ran.out
    assert "\x1b" not in ran.out


async def test_an_untrusted_certificate_exits_1_with_a_finding(authority: Authority) -> None:
    async with MisbehavingServer([*upgraded(authority)[:-2], Hold()], strict=False) as server:
        ran = await cli("check", f"127.0.0.1:{server.port}", "--security", "starttls", "--json")
    assert (ran.code, ran.result["verdict"]) == (1, "fail")
    assert ran.result["findings"][0]["code"].startswith("cert")
    assert ran.document["best"] is None


async def test_sign_in_with_each_way_to_give_a_password(
    authority: Authority, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("MAIL_PASSWORD", "pa ss")
    secret = tmp_path / "secret"
    secret.write_text("pa ss\nsecond line\n", "utf-8")
    script = [*upgraded(authority), Expect(rb"AUTH PLAIN AGFuYQBwYSBzcw=="), Send(b"235 ok\r\n"), Hold()]
    async with MisbehavingServer(script) as server:
        common = ["check", f"127.0.0.1:{server.port}", "--security", "starttls", "--ca-file", str(authority.file)]
        common += ["--depth", "login", "--username", "ana", "--json"]
        for given, stdin in (
            (["--password-stdin"], "pa ss\n"),
            (["--password-stdin"], "pa ss\r\n"),
            (["--password-stdin"], "pa ss"),
            (["--password-command", f"cat {secret}"], ""),
            (["--password-env", "MAIL_PASSWORD"], ""),
        ):
            ran = await cli(*common, *given, stdin=stdin)
            assert (ran.code, ran.result["mechanism"]) == (0, "PLAIN"), given
            assert "pa ss" not in ran.out + ran.err
    assert server.connections == 5


async def test_only_one_line_end_is_taken_off_a_password(authority: Authority) -> None:
    script = [*upgraded(authority), Expect(rb"AUTH PLAIN AGFuYQBwdwo="), Send(b"235 ok\r\n"), Hold()]
    async with MisbehavingServer(script) as server:
        common = ["check", f"127.0.0.1:{server.port}", "--security", "starttls", "--ca-file", str(authority.file)]
        ran = await cli(*common, "--depth", "login", "--username", "ana", "--password-stdin", stdin="pw\n\n")
    assert ran.code == 0


async def test_what_answers_decides_where_nobody_said_how(authority: Authority) -> None:
    """The port is tried as STARTTLS, says nothing, and turns out to speak TLS."""
    held = [*implicit(authority), Hold()]
    async with MisbehavingServer(held, strict=False) as server:
        ran = await cli("check", f"127.0.0.1:{server.port}", "--ca-file", str(authority.file), "--json")
    assert (ran.code, ran.result["security"]) == (0, "tls")
    assert "answers in another way" in ran.err


async def test_a_way_that_was_said_is_kept_to(authority: Authority) -> None:
    async with MisbehavingServer([*implicit(authority), Hold()], strict=False) as server:
        where = f"127.0.0.1:{server.port}"
        ran = await cli("check", where, "--security", "starttls", "--ca-file", str(authority.file), "--json")
    assert (ran.code, ran.result["security"]) == (1, "starttls")


async def test_without_a_port_the_ones_that_serve_come_first(
    authority: Authority, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with MisbehavingServer([*upgraded(authority), Hold()]) as server:
        with refused_port() as closed:
            ways = {closed: Security.TLS, server.port: Security.STARTTLS}
            monkeypatch.setattr("smtp_wizard.engine.scan.ports.USUAL_WAYS", ways)
            ran = await cli("check", "localhost", "--ca-file", str(authority.file), "--json")
            shown = await cli("check", "localhost", "--ca-file", str(authority.file))
    assert ran.code == 0
    assert [(one["port"], one["verdict"]) for one in ran.document["results"]] == [
        (server.port, "pass"),
        (closed, "fail"),
    ]
    assert ran.document["best"]["port"] == server.port
    assert f"Best: port {server.port} with STARTTLS." in shown.out


def test_where_no_port_serves_the_reason_is_said_once() -> None:
    ran = run("check", "nowhere.invalid")
    assert ran.code == 1
    assert ran.out.count("Who must act:") == 1
    assert run("check", "nowhere.invalid", "--json").document["best"] is None


def test_the_usual_ports_are_those_of_the_standards() -> None:
    assert [*endpoint.USUAL_WAYS] == [465, 587, 2525, 25]


async def test_the_time_limit_holds_for_the_whole_and_what_was_seen_is_reported(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    time_is_up = TimeIsUp(monkeypatch)
    script: list[Step] = [Drip(b"220-a\r\n" * 100, 0.05)]
    async with MisbehavingServer(script, strict=False) as server:
        where = f"127.0.0.1:{server.port}"
        checking = cli("check", where, "--security", "starttls", "--timeout", "2", "--json")
        ran = await time_is_up.when(lambda: (server.port, Stage.GREETING) in time_is_up.begun, checking)
    assert (ran.code, ran.result["verdict"]) == (1, "unknown")
    assert ran.stages[-1] == ("greeting", "unknown")
    assert ran.result["findings"][0]["code"] == "time-is-up"


async def test_the_transcript_is_private_and_masked(authority: Authority, tmp_path: Path) -> None:
    file = tmp_path / "talk.txt"
    file.write_text("old", "utf-8")
    file.chmod(0o644)
    script = [*upgraded(authority), Expect(rb"AUTH PLAIN .*"), Send(b"535 5.7.8 no hunter2secret\r\n"), Hold()]
    async with MisbehavingServer(script) as server:
        common = ["check", f"127.0.0.1:{server.port}", "--security", "starttls", "--ca-file", str(authority.file)]
        common += ["--depth", "login", "--username", "ana", "--password-stdin", "-v", "--transcript", str(file)]
        ran = await cli(*common, stdin="hunter2secret")
    assert ran.code == 1
    text = file.read_text("utf-8")
    assert file.stat().st_mode & 0o777 == 0o600
    assert "AUTH PLAIN ********" in text
    assert "old" not in text
    assert "C  AUTH PLAIN ********" in ran.err
    assert "EHLO" not in ran.out
    assert "hunter2secret" not in ran.out + ran.err + text


def test_a_transcript_into_a_device_leaves_the_device_alone(tmp_path: Path) -> None:
    mode = Path("/dev/null").stat().st_mode
    with refused_port() as port:
        assert run("check", f"127.0.0.1:{port}", "--security", "tls", "--transcript", "/dev/null").code == 1
    assert Path("/dev/null").stat().st_mode == mode
    assert (
        run("check", "127.0.0.1:1", "--transcript", str(tmp_path / "no" / "file"), "--json").error["code"]
        == "transcript"
    )


async def test_hostile_words_reach_the_terminal_escaped() -> None:
    script: list[Step] = [Send(b"554 \x1b]0;owned\x07 \xe2\x80\xae go away\r\n")]
    async with MisbehavingServer([*script, Hold()], strict=False) as server:
        where = f"127.0.0.1:{server.port}"
        shown = await cli("check", where, "--security", "starttls", "-v")
        ran = await cli("check", where, "--security", "starttls", "--json")
    assert "go away" in shown.out
    for text in (shown.out, shown.err, ran.result["findings"][0]["server_said"]):
        assert not set(text) & {"\x1b", "\x07", "\u202e"}


async def test_a_message_goes_from_and_to_where_it_was_said(authority: Authority) -> None:
    script: list[Step] = [
        *upgraded(authority, b"250-here\r\n250 HELP\r\n"),
        Expect(rb"MAIL FROM:<ana@example\.com>"),
        Send(b"250 ok\r\n"),
        Expect(rb"RCPT TO:<bob@example\.org>"),
        Send(b"550 5.1.1 no such user\r\n"),
        Hold(),
    ]
    async with MisbehavingServer(script) as server:
        common = ["check", f"127.0.0.1:{server.port}", "--security", "starttls", "--ca-file", str(authority.file)]
        common += ["--depth", "send", "--auth", "none", "--from", "ana@example.com", "--to", "bob@example.org"]
        ran = await cli(*common, "--json")
    assert ran.code == 1
    assert ("rcpt", "fail") in ran.stages


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        (["--depth", "login"], ["--username", "--password-stdin"]),
        (["--depth", "send"], ["--username", "--from", "--to", "--password-stdin"]),
        (["--depth", "send", "--auth", "none"], ["--from", "--to"]),
    ],
)
def test_what_is_missing_is_named_and_nothing_is_tried(arguments: list[str], named: list[str]) -> None:
    ran = run("check", "127.0.0.1:1", *arguments, "--json")
    assert (ran.code, ran.error["code"]) == (2, "missing-answers")
    assert all(name in ran.error["message"] for name in named)


@pytest.mark.parametrize(
    "arguments",
    [
        ["mail.example.com:99999"],
        ["http://mail.example.com"],
        ["ana@example.com"],
        ["::1:x"],
        ["127.0.0.1:1", "--ehlo-name", "x\r\nMAIL FROM:<a@b.c>"],
        ["127.0.0.1:1", "--ehlo-name", "[not an address]"],
        ["127.0.0.1:1", "--ehlo-name", "[192.0.2.1"],
        ["127.0.0.1:1", "--ehlo-name", "fe80::1%eth0"],
        ["993"],
        ["1.2.3"],
        ["0x7f.1:25"],
        ["127.0.0.1:1", "--username", "a\nb"],
        ["127.0.0.1:1", "-4", "-6"],
        ["127.0.0.1:1", "--timeout", "0"],
        ["127.0.0.1:1", "--timeout", "nan"],
        ["127.0.0.1:1", "--security", "ssl"],
        ["127.0.0.1:1", "--password-stdin", "--password-env", "X"],
        ["127.0.0.1:1", "--ca-file", "/nowhere/ca.pem"],
        [],
    ],
)
def test_what_cannot_be_used_exits_2_with_an_error_document(arguments: list[str]) -> None:
    ran = run("check", *arguments, "--json")
    assert ran.code == 2
    assert ran.error["message"]


def test_a_server_is_taken_as_it_was_pasted() -> None:
    with refused_port() as port:
        ran = run("check", f"ssl://127.0.0.1:{port}", "--json")
    assert (ran.code, ran.result["security"]) == (1, "tls")


@pytest.mark.parametrize("where", ["[::1]:2", "::1", "[::1]"])
def test_an_ipv6_address_can_be_said(where: str) -> None:
    assert endpoint.parse_server(where).host == "::1"


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("pc.example.com", b"pc.example.com"),
        ("192.0.2.1", b"[192.0.2.1]"),
        ("2001:db8::1", b"[IPv6:2001:db8::1]"),
        ("[192.0.2.1]", b"[192.0.2.1]"),
        ("[IPv6:2001:db8::1]", b"[IPv6:2001:db8::1]"),
    ],
)
async def test_what_may_stand_in_ehlo(name: str, said: bytes) -> None:
    async with MisbehavingServer([Send(b"220 hi\r\n"), Expect(b".*"), Send(b"250 hi\r\n"), Hold()]) as server:
        ran = await cli("check", f"127.0.0.1:{server.port}", "--security", "none", "--ehlo-name", name)
        assert server.conversations[0].lines[0] == b"EHLO " + said
    assert ran.code == 0


async def test_a_name_that_is_refused_is_told_with_the_option(authority: Authority) -> None:
    script: list[Step] = [Send(b"220 hi\r\n"), Expect(b".*"), Send(b"501 5.5.4 no\r\n"), Hold()]
    async with MisbehavingServer(script) as server:
        where = [f"127.0.0.1:{server.port}", "--security", "none", "--ehlo-name", "192.0.2.1"]
        ran = await cli("check", *where, "--json")
        await server.conversations[0].ended.wait()
        assert server.conversations[0].lines == [b"EHLO [192.0.2.1]", b"QUIT"], "HELO would say the same name"
    (finding,) = ran.result["findings"]
    assert finding["code"] == "helo_rejected"
    assert "introduced as [192.0.2.1]" in finding["explanation"]
    assert "--ehlo-name mail.example.com" in " ".join(finding["steps"])


async def test_a_password_in_clear_text_needs_a_yes() -> None:
    script = [*plain_start(b"250-here\r\n250 AUTH PLAIN\r\n"), Expect(rb"AUTH PLAIN .*"), Send(b"235 ok\r\n"), Hold()]
    refusing = [*plain_start(b"250-here\r\n250 AUTH PLAIN\r\n"), Hold()]
    for scripted, more, code in ((refusing, [], 1), (script, ["--allow-cleartext-login"], 0)):
        async with MisbehavingServer(scripted, strict=False) as server:
            common = ["check", f"127.0.0.1:{server.port}", "--security", "none", "--depth", "login"]
            ran = await cli(*common, "--username", "ana", "--password-stdin", *more, stdin="pw123456")
            assert ran.code == code, ran.out
            assert (b"AUTH" in server.received) is (code == 0)


@pytest.mark.parametrize(("reply", "code"), [(b"235 ok\r\n", 0), (b"334 eyJzdGF0dXMiOiI0MDEifQ==\r\n", 1)])
async def test_an_access_token_can_be_tried_by_hand(authority: Authority, reply: bytes, code: int) -> None:
    refused: list[Step] = [Expect(rb""), Send(b"535 5.7.8 no\r\n")] if code else []
    script: list[Step] = [
        *upgraded(authority, b"250-here\r\n250 AUTH PLAIN XOAUTH2\r\n"),
        *[Expect(rb"AUTH XOAUTH2 dXNlcj1h[\w+/=]+"), Send(reply), *refused, Hold()],
    ]
    async with MisbehavingServer(script, strict=False) as server:
        where = [f"127.0.0.1:{server.port}", "--security", "starttls", "--ca-file", str(authority.file)]
        signing_in = ["--depth", "login", "--auth", "xoauth2", "--username", "ana@example.test", "--password-stdin"]
        ran = await cli("check", *where, *signing_in, "--json", stdin="ya29.token\n")
    assert ran.code == code
    assert [each["code"] for each in ran.result["findings"]] == (["oauth_token_invalid"] if code else [])
    assert "ya29" not in ran.out + ran.err
    if code:
        assert ran.result["findings"][0]["server_said"] == "535 5.7.8 no (status: 401)"


def test_a_token_cannot_be_tried_without_one() -> None:
    ran = run("check", "127.0.0.1:1", "--depth", "login", "--auth", "xoauth2", "--json")
    assert (ran.code, ran.error["code"]) == (2, "missing-answers")
