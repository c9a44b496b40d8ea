"""The command line against real servers, as its users call it: a password from a pipe, one document, an exit code."""

from __future__ import annotations

import pytest

from tests.realservers.servers import ALICE, NAME, RECIPIENT, REFUSED_RECIPIENT, ZOE, Login, MailServer
from tests.support.cli import Ran, run, run_process

pytestmark = pytest.mark.real

BOTH = pytest.mark.parametrize("server", ["postfix", "exim"], indirect=True)
WRONG = "not the password of anybody"


@pytest.fixture
def server(request: pytest.FixtureRequest) -> MailServer:
    """The server that the parameter names."""
    running = request.getfixturevalue(request.param)
    assert isinstance(running, MailServer)
    return running


def set_up(server: MailServer, login: Login, *more: str, password: str = "", security: str = "starttls") -> Ran:
    """Call the program as a process of its own, with every answer given."""
    port = server.starttls_port if security == "starttls" else server.tls_port
    words = ["setup", login.address, "--host", NAME, "--port", str(port), "--security", security]
    words += ["--username", login.username, "--password-stdin", "--store", "session", "--ca-file", str(server.ca_file)]
    return run_process(*words, "--json", *more, stdin=password or login.password)


@BOTH
@pytest.mark.parametrize("security", ["starttls", "tls"])
@pytest.mark.parametrize("login", [ALICE, ZOE], ids=["ascii", "beyond"])
def test_signing_in(server: MailServer, security: str, login: Login) -> None:
    ran = set_up(server, login, "--depth", "login", security=security)
    assert (ran.code, ran.result["verdict"], ran.err) == (0, "pass", "")
    assert login.password not in ran.out


@BOTH
def test_a_wrong_password_is_one_attempt_one_finding_and_nobodys_to_read(server: MailServer) -> None:
    mark = server.mark()
    ran = set_up(server, ALICE, "--depth", "login", password=WRONG)
    assert (ran.code, ran.result["verdict"]) == (1, "fail")
    (finding,) = ran.result["findings"]
    assert finding["who"] == "you"
    assert server.sign_in_attempts(mark) == 1
    assert WRONG not in ran.out + ran.err


@BOTH
def test_a_test_message_and_a_recipient_that_is_refused(server: MailServer) -> None:
    before = len(server.messages(RECIPIENT))
    assert set_up(server, ALICE, "--send-test", REFUSED_RECIPIENT).stages[-2:] == [
        ("rcpt", "fail"),
        ("data", "skipped"),
    ]
    assert set_up(server, ALICE, "--send-test", RECIPIENT).stages[-1] == ("data", "pass")
    assert before <= len(server.messages(RECIPIENT)) <= before + 1


@BOTH
def test_saved_and_tested_again_with_the_same_rows(server: MailServer, monkeypatch: pytest.MonkeyPatch) -> None:
    first = set_up(server, ALICE, "--save", "Real")
    assert first.result["account"] == "Real"
    again = run("test", "Real", "--password-stdin", "--json", stdin=ALICE.password)
    assert (again.code, again.stages) == (0, first.stages)
