"""A check made on another computer: what goes there, what comes back, what is left behind."""

from __future__ import annotations

import asyncio
import os
import shlex
import termios
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest

from smtp_wizard.commands.options.remote_host import parse_remote_host
from smtp_wizard.engine.base.connection import Auth, Connection
from smtp_wizard.engine.base.endpoint import Endpoint, Security
from smtp_wizard.engine.base.errors import InputError
from smtp_wizard.engine.base.secret import Secret
from smtp_wizard.engine.base.stages import Depth, Stage, Verdict
from smtp_wizard.engine.checks.events import NotBegun
from smtp_wizard.engine.checks.target import Target
from smtp_wizard.engine.diagnosis.diagnosis import load_diagnosis
from smtp_wizard.engine.remote import ssh, terminal_echo
from smtp_wizard.engine.remote.ssh import RemoteError, SshHost
from tests.support.fakessh import fake_ssh
from tests.support.many import PASSWORD, USER, Many, many_servers
from tests.support.misbehaving import refused_port


@pytest.fixture
async def many(tmp_path: Path) -> AsyncIterator[Many]:
    async with many_servers(tmp_path / "ca") as servers:
        yield servers


def target_at(many: Many, **changes: object) -> Target:
    host, port = many.places[0]
    connection = Connection(
        endpoint=Endpoint(host, port, Security.STARTTLS), username=USER, auth=Auth.PASSWORD, ca_file=str(many.ca_file)
    )
    return Target(connection=replace(connection, **changes))  # type: ignore[arg-type]  # each by its name


async def checked(target: Target, password: str = PASSWORD):  # type: ignore[no-untyped-def]
    return await SshHost("web1", environ=os.environ).check(target, Secret(password), Depth.LOGIN, load_diagnosis())


async def test_a_check_there_reports_as_one_here_and_needs_the_standard_library_alone(
    many: Many, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fake_ssh(tmp_path, monkeypatch)
    report = await checked(target_at(many))
    assert report.verdict is Verdict.PASS
    assert [each.stage for each in report.results][-1] is Stage.AUTH
    assert report.tls is not None
    assert report.tls.version == "TLSv1.3"
    assert (report.mechanism, many.totals.signed_in) == ("PLAIN", 1)


async def test_the_secret_is_in_no_word_and_in_no_file_and_nothing_is_left_behind(
    many: Many, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    notes = fake_ssh(tmp_path, monkeypatch)
    before = set(tmp_path.rglob("*"))
    await checked(target_at(many))
    assert "BatchMode=yes" in notes.read_text("utf-8")
    assert PASSWORD not in notes.read_text("utf-8")
    assert set(tmp_path.rglob("*")) - before == {notes}


async def test_what_fails_there_is_explained_here(many: Many, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fake_ssh(tmp_path, monkeypatch)
    report = await checked(target_at(many), "another password")
    result = report.result(Stage.AUTH)
    assert result is not None
    assert result.finding is not None
    assert (result.verdict, result.finding.code) == (Verdict.FAIL, "bad_credentials")
    assert "535" in result.finding.server_said
    assert result.detail == result.finding.title


async def test_a_port_that_is_closed_from_there_is_a_finding(
    many: Many, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fake_ssh(tmp_path, monkeypatch)
    with refused_port() as port:
        report = await checked(target_at(many, endpoint=Endpoint("127.0.0.1", port, Security.STARTTLS)))
    assert report.results[-1].verdict is Verdict.SKIPPED
    result = report.result(Stage.CONNECT)
    assert result is not None
    assert result.verdict is Verdict.FAIL


async def test_a_certificate_that_is_not_believed_there_is_one_too(
    many: Many, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing there can read certificates; what OpenSSL says is told."""
    fake_ssh(tmp_path, monkeypatch)
    report = await checked(target_at(many, ca_file=None))
    result = report.result(Stage.STARTTLS)
    assert result is not None
    assert result.finding is not None
    assert result.finding.code.startswith("cert_")


@pytest.mark.parametrize(
    ("then", "said"),
    [
        (
            "echo 'Permission denied (publickey).' >&2; exit 255",
            "ssh could not go to web1: Permission denied (publickey).",
        ),
        ("exit 126", "There is no Python 3.11 or newer on web1"),
        ("echo '{\"outcomes\": 5}'", "The check on web1 gave no answer"),
        ("echo '\x1b[2Jboom' >&2; exit 1", "gave no answer: \\x1b[2Jboom."),
        ("cat >/dev/null; head -c 9000000 /dev/zero", "What came back has no end."),
    ],
)
async def test_what_does_not_work_is_one_sentence(
    many: Many, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, then: str, said: str
) -> None:
    fake_ssh(tmp_path, monkeypatch, then=then)
    with pytest.raises(RemoteError) as problem:
        await checked(target_at(many))
    assert said in str(problem.value)


CHANGED = """@@@@@@@@@@
@    WARNING: REMOTE HOST IDENTIFICATION HAS CHANGED!     @
Offending ED25519 key in ~/.ssh/known_hosts:1
  ssh-keygen -f "~/.ssh/known_hosts" -R "web1"
Host key for web1 has changed and you have requested strict checking.
Host key verification failed.
"""
JUMP = "channel 0: open failed: refused\nstdio forwarding failed\nConnection closed by UNKNOWN port 65535\n"


@pytest.mark.parametrize(
    ("said", "words", "step"),
    [
        (CHANGED, "Host key for web1 has changed and you have requested strict checking; Host key", "known hosts"),
        (JUMP, "web1: channel 0: open failed: refused; stdio forwarding failed; Connection closed", "by hand"),
        ("No ED25519 host key is known.\nHost key verification failed.\n", "is known; Host key", "by hand"),
    ],
)
async def test_what_ssh_says_is_told_with_its_reason(
    many: Many, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, said: str, words: str, step: str
) -> None:
    fake_ssh(tmp_path, monkeypatch, then=f"printf '%s' {shlex.quote(said)} >&2; exit 255")
    with pytest.raises(RemoteError) as problem:
        await checked(target_at(many))
    assert words in str(problem.value)
    assert "ssh-keygen -f" not in str(problem.value)
    assert step in problem.value.step


async def test_where_no_ssh_or_no_python_is_the_step_says_so(
    many: Many, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fake_ssh(tmp_path, monkeypatch, then="exit 126")
    with pytest.raises(RemoteError) as problem:
        await checked(target_at(many))
    assert problem.value.step == ssh.PYTHON_THERE
    monkeypatch.setenv("PATH", str(tmp_path / "nowhere"))
    with pytest.raises(RemoteError) as problem:
        await checked(target_at(many))
    assert problem.value.step == ssh.SSH_HERE


def test_the_command_is_one_line_which_every_login_shell_takes() -> None:
    """In csh a word in quotes must end on its line."""
    command = SshHost("web1", environ={}).command("ssh")[-1]
    assert len(command.splitlines()) == 1
    assert "!" not in command, "which csh would replace, in quotes too"


@pytest.mark.parametrize("mark", ["", "\n"])
async def test_a_greeting_before_and_a_word_after_the_answer_are_left_out(
    many: Many, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, mark: str
) -> None:
    """A shell whose start file says something to everybody, and one that says goodbye."""
    greeting = f"Welcome to web1! {{}}{mark}"
    then = f"printf '{greeting}'; for last; do :; done; /bin/sh -c \"$last\"; echo logout"
    fake_ssh(tmp_path, monkeypatch, then=then)
    assert (await checked(target_at(many))).verdict is Verdict.PASS


@pytest.mark.parametrize(
    ("then", "begun"),
    [
        ("echo 'Connection refused' >&2; exit 255", False),
        ("exit 126", False),
        ("echo 'No space left on device' >&2; exit 1", False),
        ("printf '\nsmtp-wizard-check/1\n'; echo 'client_loop: send disconnect' >&2; exit 255", True),
    ],
)
async def test_it_is_known_whether_a_server_may_have_seen_the_sign_in(
    many: Many, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, then: str, begun: bool
) -> None:
    fake_ssh(tmp_path, monkeypatch, then=then)
    with pytest.raises(RemoteError) as problem:
        await checked(target_at(many))
    assert isinstance(problem.value, NotBegun) is not begun


async def test_a_computer_that_never_answers_is_given_up(
    many: Many, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fake_ssh(tmp_path, monkeypatch, then="exec sleep 600")
    monkeypatch.setattr(ssh, "PATIENCE", 0.2)
    with pytest.raises(RemoteError, match=r"gave no answer in 0\.2 seconds"):
        await checked(target_at(many))


async def test_ssh_is_asked_to_end_before_it_is_made_to(
    many: Many, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    up, ended = tmp_path / "up", tmp_path / "ended"
    os.mkfifo(up)
    ready = f"trap 'echo so > {ended}; exit 1' TERM; read -r size; echo up > {up}; while :; do sleep 0.1; done"
    fake_ssh(tmp_path, monkeypatch, then=ready)
    monkeypatch.setattr(ssh, "HURRY", 60)
    check = asyncio.create_task(checked(target_at(many)))
    assert await asyncio.to_thread(up.read_text) == "up\n"
    check.cancel()
    with pytest.raises(asyncio.CancelledError):
        await check
    assert ended.exists()


async def test_the_terminal_has_its_echo_again_whatever_ssh_leaves_behind(
    many: Many, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    main, side = os.openpty()
    try:
        monkeypatch.setattr(terminal_echo, "TTY", os.ttyname(side))
        before = termios.tcgetattr(side)
        assert before[3] & termios.ECHO
        fake_ssh(tmp_path, monkeypatch, then=f"stty -echo < {os.ttyname(side)}; exit 255")
        with pytest.raises(RemoteError):
            await SshHost("web1", environ=os.environ, asks=True).check(
                target_at(many), Secret(PASSWORD), Depth.LOGIN, load_diagnosis()
            )
        assert termios.tcgetattr(side) == before
    finally:
        os.close(main)
        os.close(side)


async def test_a_python_that_is_too_old_is_none(many: Many, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fake_ssh(tmp_path, monkeypatch, python="exit 1")
    with pytest.raises(RemoteError, match=r"There is no Python 3\.11"):
        await checked(target_at(many))


async def test_without_ssh_that_is_said(many: Many, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(RemoteError, match="ssh is not installed"):
        await checked(target_at(many))


def test_options_are_passed_on_and_a_host_is_never_one() -> None:
    words = SshHost("ana@web1", ("Port=2222", "ProxyJump=bastion"), environ={}).command("/usr/bin/ssh")
    assert words[:6] == ("/usr/bin/ssh", "-T", "-o", "Port=2222", "-o", "ProxyJump=bastion")
    assert words[words.index("--") + 1] == "ana@web1"
    assert "BatchMode=yes" not in SshHost("web1", environ={}, asks=True).command("ssh")
    assert parse_remote_host(" ana@[2001:db8::1] ") == "ana@[2001:db8::1]"
    for odd in ("", "-oProxyCommand=x", "two words", "a\x00b", "x" * 300, "ana@-oProxyCommand=x", "ana@", "@web1"):
        with pytest.raises(InputError):
            parse_remote_host(odd)
