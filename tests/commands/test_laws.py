"""What holds for every command: one document, no secret anywhere, signals, bugs, what is loaded, how help reads."""

from __future__ import annotations

import asyncio
import fcntl
import json
import os
import shlex
import signal
import subprocess
import sys
import termios
from pathlib import Path
from typing import Any

import pytest

from smtp_wizard import __version__, cli
from smtp_wizard.engine.secrets.secret_store import LARGEST
from smtp_wizard.runtime.exit_codes import Exit
from tests.support.cli import PROGRAM, checked, on_terminal, run, run_process, started
from tests.support.misbehaving import refused_port, silent_port
from tests.support.patience import PATIENCE
from tests.support.processes import ended
from tests.support.time_is_up import TimeIsUp

pytestmark = pytest.mark.usefixtures("any_password")

PASSWORD = "correct horse battery"
PRACTICE = ("setup", "ana@sandbox.test", "--store", "session")


# --- help, version, the bare name ---


def test_help_names_every_command_and_the_exit_codes() -> None:
    ran = run("--help")
    assert ran.code == 0
    for name in cli.COMMANDS:
        assert f"  {name} " in ran.out
    for code in Exit:
        assert f"\n  {code.value} " in ran.out
    assert "Ctrl-C" in ran.out
    assert run("-h").out == ran.out


@pytest.mark.parametrize("name", cli.COMMANDS)
def test_every_command_exists_and_has_help(name: str) -> None:
    ran = run(name, "--help")
    assert ran.code == 0
    assert ran.out.startswith(f"Usage: smtp-wizard {name}")
    assert "--json" in ran.out


def test_no_command_takes_a_password_as_an_argument() -> None:
    for words in (["setup"], ["check", "h.invalid"], ["test"]):
        for argument in (["--password", "hunter2"], ["--password=hunter2"], ["-p", "hunter2"]):
            ran = run(*words, *argument, "--json")
            assert ran.code == 2
            assert "hunter2" not in ran.out + ran.err
            assert "never an argument" in ran.error["message"]


def test_the_version() -> None:
    assert run("--version").out == f"smtp-wizard {__version__}\n"


@pytest.mark.parametrize("words", [["chek", "h"], ["limits", "plan"], ["--nonsense"], ["accounts", "nonsense", "x"]])
def test_a_command_line_that_cannot_be_understood_exits_2(words: list[str]) -> None:
    plain, ran = run(*words), run(*words, "--json")
    assert (plain.code, plain.out) == (2, "")
    assert plain.err.startswith("smtp-wizard: ")
    assert (ran.code, ran.error["code"]) == (2, "usage")


def test_what_was_typed_is_quoted_with_its_control_characters_escaped() -> None:
    ran = run("\x1b]0;owned\x07")
    assert "\\x1b]0;owned\\x07" in ran.err
    assert "\x1b" not in ran.err


def readme_calls() -> list[list[str]]:
    """The arguments of every call of the program that stands in a block of code of the README."""
    text = (Path(__file__).parents[2] / "README.md").read_text("utf-8").replace("\\\n", " ")
    blocks = [block for at, block in enumerate(text.split("```")) if at % 2]
    calls = [shlex.split(line, comments=True) for block in blocks for line in block.splitlines()[1:]]
    found = [words[words.index("smtp-wizard") + 1 :] for words in calls if "smtp-wizard" in words]
    return [words for words in found if words]


def test_the_readme_shows_calls() -> None:
    assert len(readme_calls()) > 5


@pytest.mark.parametrize("words", readme_calls(), ids=" ".join)
def test_every_call_of_the_readme_is_understood(words: list[str]) -> None:
    """With --help at its end a call is read, and refused where it has an option that is none, but not run."""
    ran = run(*words, "--help")
    assert (ran.code, ran.err) == (0, "")
    assert run(*words, "--nonsense", "--help").code in (2, 3)  # 3: how a plugin says it


def test_a_mistyped_command_is_offered_back() -> None:
    assert "Did you mean 'check'?" in run("chek", "h").err


@pytest.mark.parametrize(
    ("words", "meant"),
    [
        (["guide", "gmail-app-pasword"], "gmail-app-password"),
        (["schema", "tset"], "test"),
        (["accounts", "shwo", "Office"], "show"),
        (["vault", "pasphrase"], "passphrase"),
        (["providers", "show", "gmial"], "gmail"),
    ],
)
def test_what_was_mistyped_is_offered_back(words: list[str], meant: str) -> None:
    ran = run(*words)
    assert ran.code in (2, 4)
    assert f"Did you mean '{meant}'?" in ran.err


def test_the_value_of_an_option_is_no_mistyped_command() -> None:
    ran = run("sandbox", "--scenario", "quota-reached", "--help")
    assert (ran.code, ran.err) == (0, "")
    assert "does not know 'nothing'" in run("sandbox", "--scenario", "nothing").err


def test_without_a_terminal_the_bare_name_says_so_and_names_setup() -> None:
    ran = run()
    assert (ran.code, ran.out) == (2, "")
    assert "cannot be drawn here" in ran.err
    assert "smtp-wizard setup" in ran.err


@pytest.mark.parametrize("term", ["", "dumb", "unknown"])
def test_a_terminal_that_cannot_draw_gets_lines_of_text(term: str) -> None:
    ran = on_terminal([], typed=[("E-mail address: ", "quit\n")], term=term)
    assert ran.code == 0
    assert "\x1b" not in ran.out


def test_a_terminal_that_can_draw_gets_the_wizard_and_its_own_screen_back() -> None:
    """The first question is asked; Ctrl-Q leaves, and the terminal is as it was."""
    ran = on_terminal([], typed=[("\x1b[?1049h", ""), ("address", "\x11")])
    assert ran.code == 0
    assert ran.out.count("\x1b[?1049h") == ran.out.count("\x1b[?1049l") == 1


@pytest.fixture
def screens(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    """Record how the screens would be opened, as on a terminal that can draw."""
    import types

    opened: list[dict[str, Any]] = []

    def run_app(services: Any, guides: Any, *, foreground: Any, start: str, draft: Any, mouse: bool) -> int:
        opened.append({"start": start, "draft": draft, "mouse": mouse})
        return 0

    app = types.ModuleType("smtp_wizard.app")
    app.run_app = run_app  # type: ignore[attr-defined]  # what stands in for the real one
    monkeypatch.setitem(sys.modules, "smtp_wizard.app", app)
    monkeypatch.setattr("smtp_wizard.commands.screens_or_plain.can_draw", lambda: True)
    monkeypatch.setattr("smtp_wizard.commands.setup.can_ask", lambda: True)
    return opened


def test_the_bare_name_opens_the_wizard_and_later_the_accounts(screens: list[dict[str, Any]]) -> None:
    assert run().code == 0
    arguments = [*PRACTICE, "--password-stdin", "--save", "Office", "--json"]
    assert run(*arguments, stdin=PASSWORD).code == 0
    assert run("--no-mouse").code == 0
    assert [(one["start"], one["mouse"]) for one in screens] == [("setup", True), ("home", False)]


def test_over_ssh_the_mouse_is_left_to_the_terminal(
    screens: list[dict[str, Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSH_CONNECTION", "192.0.2.1 1 192.0.2.2 22")
    run()
    run("--mouse")
    assert [one["mouse"] for one in screens] == [False, True]


def test_setup_opens_the_screens_at_what_was_said(screens: list[dict[str, Any]]) -> None:
    ran = run("setup", "ana@sandbox.test", "--sender-name", "Ana")
    assert ran.code == 0
    (opened,) = screens
    assert (opened["start"], str(opened["draft"].address)) == ("setup", "ana@sandbox.test")
    connection, identity = opened["draft"].connection, opened["draft"].identity
    assert (connection.provider, connection.path, identity.sender_name) == ("sandbox", None, "Ana")


def test_with_every_answer_given_no_screen_opens(screens: list[dict[str, Any]]) -> None:
    assert run(*PRACTICE, "--password-stdin", stdin=PASSWORD).code == 0
    assert screens == []


# --- secrets ---


@pytest.mark.parametrize("path", ["accept", "wrong-password", "app-password-required", "expired-certificate"])
@pytest.mark.parametrize("form", [(), ("--json",), ("-v",)])
def test_the_password_is_in_no_output_and_no_file(path: str, form: tuple[str, ...], own_home: Path) -> None:
    import base64

    talk = own_home / "talk.txt"
    more = ["--path", path, "--password-stdin", "--save", "Office", "--transcript", str(talk), *form]
    ran = run(*PRACTICE, *more, "--send-test", "bob@sandbox.test", stdin=PASSWORD)
    forms = [PASSWORD.encode(), base64.b64encode(PASSWORD.encode())[:-4]]
    forms.append(base64.b64encode(b"\0ana@sandbox.test\0" + PASSWORD.encode())[24:-4])
    seen = [ran.out.encode(), ran.err.encode()]
    seen += [file.read_bytes() for file in own_home.rglob("*") if file.is_file()]
    assert [each for each in forms for text in seen if each in text] == []


def test_the_variable_is_taken_out_of_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MAIL_PASSWORD", PASSWORD)
    assert run(*PRACTICE, "--password-env", "MAIL_PASSWORD").code == 0
    assert "MAIL_PASSWORD" not in os.environ


@pytest.mark.parametrize(
    ("given", "stdin", "words"),
    [
        (["--password-env", "UNSET_VARIABLE"], b"", "is not set"),
        (["--password-stdin"], b"", "gave no password"),
        (["--password-stdin"], b"\n", "gave no password"),
        (["--password-stdin"], b"caf\xe9-hunter2", "not UTF-8"),
        (["--password-stdin"], b"x" * (LARGEST + 1), "far longer"),
        (["--password-command", "false"], b"", "gave up (exit code 1)"),
        (["--password-command", "true"], b"", "gave no password"),
        (["--password-command", "/no/such/program"], b"", "could not be run"),
        (["--password-command", "yes"], b"", "far more than a password"),
    ],
)
def test_a_password_that_cannot_be_read_exits_3(given: list[str], stdin: bytes, words: str) -> None:
    ran = run(*PRACTICE, *given, "--json", stdin=stdin)
    assert (ran.code, ran.error["code"]) == (3, "password-unreadable")
    assert words in ran.error["message"]
    assert "hunter2" not in ran.out + ran.err


@pytest.mark.parametrize(
    "option",
    [
        (*PRACTICE, "--password-command"),
        (*PRACTICE, "--client-secret-command"),
        (*PRACTICE, "--secret-command"),
        (*PRACTICE, "--passphrase-command"),
        ("vault", "passphrase", "--new-passphrase-command"),
    ],
    ids=lambda words: words[-1],
)
@pytest.mark.parametrize("command", ["'unclosed", "", "   "])
def test_a_command_for_a_secret_that_is_none_exits_2_and_names_its_own_option(
    option: tuple[str, ...], command: str
) -> None:
    ran = run(*option, command, "--json")
    assert ran.code == 2
    assert option[-1] in ran.error["message"]


VARIABLES = (
    (*PRACTICE, "--password-env"),
    (*PRACTICE, "--client-secret-env"),
    (*PRACTICE, "--store", "env", "--env-name"),
    (*PRACTICE, "--passphrase-env"),
    ("vault", "passphrase", "--new-passphrase-env"),
)


@pytest.mark.parametrize("option", VARIABLES, ids=lambda words: words[-1])
@pytest.mark.parametrize("secret", ["hV~8Q~topsecret.x", "abcdefghijklmnop", "Hunter2", "JBSW Y3DP", ""])
def test_a_secret_in_the_place_of_a_variable_s_name_is_quoted_nowhere(option: tuple[str, ...], secret: str) -> None:
    """It would stand in the mail that cron sends."""
    sign_in = ("--auth", "xoauth2") if "--client-secret-env" in option else ()
    for form in ((), ("--json",)):
        ran = run(*option, secret, *sign_in, *form)
        assert ran.code in (2, 3, 4)
        assert not secret or secret not in ran.out + ran.err


def test_a_file_that_is_not_there_leads_to_another_file_and_not_to_another_store() -> None:
    ran = run(*PRACTICE[:2], "--secret-file", "/nowhere/secret", "--json")
    assert (ran.code, ran.error["code"]) == (3, "secret-missing")
    assert "--secret-file" in ran.error["hint"]
    assert "--store" not in ran.error["hint"]


@pytest.mark.parametrize(
    ("held", "words"), [("", "PW is empty"), ("x" * (LARGEST + 1), "PW holds far more than a password or secret")]
)
def test_a_variable_that_holds_no_password_says_why(held: str, words: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PW", held)
    ran = run(*PRACTICE, "--password-env", "PW", "--json")
    assert (ran.code, ran.error["code"]) == (3, "password-unreadable")
    assert words in ran.error["message"]


def test_the_command_for_the_password_gets_no_shell_no_terminal_and_no_input(tmp_path: Path) -> None:
    script = tmp_path / "give.py"
    script.write_text(
        "import os, sys\n"
        "assert sys.stdin.read() == ''\n"
        "assert os.getsid(0) == os.getpid()\n"
        "assert sys.argv[1:] == ['$HOME; echo', '*']\n"
        "try:\n    os.open('/dev/tty', os.O_RDWR)\nexcept OSError:\n    print('the password')\n"
        "print('a second line')\n",
        "utf-8",
    )
    ran = run(*PRACTICE, "--password-command", f"{sys.executable} {script} '$HOME; echo' '*'", "--json")
    assert (ran.code, ran.result["verdict"]) == (0, "pass")


async def test_a_command_for_the_password_that_never_ends_is_ended_with_all_that_it_started(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    time_is_up = TimeIsUp(monkeypatch)
    marker = tmp_path / "pid"
    command = f"sh -c 'sleep 600 & echo $! > {marker}; wait'"
    waiting = asyncio.to_thread(run, *PRACTICE, "--password-command", command, "--timeout", "1", "--json")
    ran = await time_is_up.when(lambda: marker.exists() and marker.read_text("utf-8").endswith("\n"), waiting)
    assert (ran.code, ran.error["code"]) == (1, "timeout")
    pid = int(marker.read_text("utf-8"))
    assert ended(pid)


def test_reading_the_password_from_a_terminal_is_refused() -> None:
    ran = on_terminal([*PRACTICE, "--password-stdin"])
    assert ran.code == 2
    assert "would be shown" in ran.out


# --- one document, whatever happens ---


@pytest.mark.parametrize(
    "words",
    [
        ["setup"],
        ["setup", "nonsense"],
        ["check"],
        ["check", "h.invalid", "--port", "9"],
        ["test"],
        ["test", "nobody"],
        ["accounts"],
        ["accounts", "show"],
        ["accounts", "show", "nobody"],
        ["accounts", "remove", "nobody"],
        ["providers"],
        ["providers", "show", "nobody"],
        ["guide", "nonesuch"],
        ["sandbox", "--scenario", "nonesuch"],
        ["sandbox", "mailbox"],
        ["sandbox", "mailbox", "show", "nonesuch"],
        ["schema"],
        ["schema", "nonesuch"],
        ["nonesuch"],
        ["test", "--format", "xml"],
    ],
)
def test_stdout_is_one_document_that_keeps_its_schema(words: list[str]) -> None:
    ran = run(*words, "--json")
    assert checked(ran.out)
    assert (ran.code == 0) is (ran.document["schema"] != "smtp-wizard/error/1")


@pytest.mark.parametrize("form", [["--format", "json"], ["--format=json"], ["--format", "jsonl"]])
def test_the_format_asked_for_holds_for_errors_too(form: list[str]) -> None:
    assert json.loads(run("test", "nobody", *form).out)["schema"] == "smtp-wizard/error/1"


def test_a_value_after_two_dashes_is_no_wish_for_json() -> None:
    assert run("guide", "--", "--json").out == ""


# --- bugs ---


@pytest.fixture
def broken(monkeypatch: pytest.MonkeyPatch) -> None:
    """A fault in the middle of a sign-in, with the password in the exception and in every frame."""

    async def fail(*_: Any, **__: Any) -> Any:
        local = PASSWORD
        try:
            raise KeyError(local)
        except KeyError:
            raise ValueError(f"bad password {local!r}") from None

    monkeypatch.setattr("smtp_wizard.engine.services.checks.run_checks", fail)


@pytest.mark.usefixtures("broken")
def test_a_bug_is_one_sentence_and_a_private_log_without_secrets(own_home: Path) -> None:
    plain = run(*PRACTICE, "--password-stdin", stdin=PASSWORD)
    ran = run(*PRACTICE, "--password-stdin", "--json", stdin=PASSWORD)
    log = own_home / "config" / "last-fault.log"
    assert (plain.code, ran.code, ran.error["code"]) == (70, 70, "bug")
    assert str(log) in ran.error["message"]
    assert "Traceback" not in plain.err + plain.out
    assert len(plain.err.splitlines()) <= 2
    assert log.stat().st_mode & 0o777 == 0o600
    text = log.read_text("utf-8")
    assert "ValueError" in text
    assert "engine/services/checks.py" in text
    assert "code = " not in text, "lines of code may quote what was typed"
    assert PASSWORD not in text + plain.err + ran.out


@pytest.mark.usefixtures("broken")
def test_a_bug_whose_log_cannot_be_written_is_still_one_sentence(own_home: Path) -> None:
    (own_home / "file").write_text("", "utf-8")
    words = ["setup", "ana@example.com", "--host", "h.invalid", "--auth", "none", "--json"]
    ran = run("--config", str(own_home / "file" / "folder"), *words)
    assert (ran.code, ran.error["code"]) == (70, "bug")
    assert ran.error["message"] == "This is a fault of smtp-wizard itself (ValueError)."


# --- signals and pipes ---


def test_ctrl_c_ends_a_check_at_once_and_says_what_was_not_done() -> None:
    with silent_port() as port, started("check", f"127.0.0.1:{port}", "--security", "starttls", "-v") as process:
        assert process.stderr is not None
        while "connected to" not in process.stderr.readline():
            pass
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=PATIENCE)
    assert process.returncode == 130
    assert "Interrupted. The check of 127.0.0.1 was not finished." in err
    assert "Traceback" not in err


def test_a_terminated_check_exits_143_with_one_document() -> None:
    with silent_port() as port, started("check", f"127.0.0.1:{port}", "--security", "tls", "-v", "--json") as process:
        assert process.stderr is not None
        while "connected to" not in process.stderr.readline():
            pass
        process.send_signal(signal.SIGTERM)
        out, err = process.communicate(timeout=PATIENCE)
    assert process.returncode == 143
    assert checked(out)["error"]["code"] == "interrupted"
    assert "Ended by SIGTERM." in err


def unread(pipe: int) -> int:
    """Return how many bytes nobody has taken out of a pipe yet."""
    return int.from_bytes(fcntl.ioctl(pipe, termios.FIONREAD, bytes(4)), sys.byteorder)


def test_waiting_for_a_password_can_be_interrupted() -> None:
    process = subprocess.Popen(
        [*PROGRAM, *PRACTICE, "--password-stdin", "--json"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stdin is not None
        process.stdin.write("half a pass")
        process.stdin.flush()
        while unread(process.stdin.fileno()):
            assert process.poll() is None
            os.sched_yield()
        process.send_signal(signal.SIGINT)
        assert process.wait(PATIENCE) == 130
        assert process.stdout is not None
        assert checked(process.stdout.read())["error"]["message"] == "Interrupted. Nothing was saved."
    finally:
        process.kill()
        process.communicate()


def test_the_practice_server_runs_until_it_is_stopped() -> None:
    with started("sandbox", "--json") as process:
        assert process.stdout is not None
        text = ""
        while not text.endswith("}\n") or text.count("{") != text.count("}"):
            text += process.stdout.readline()
        told = checked(text)
        tls = next(one for one in told["endpoints"] if one["security"] == "tls")
        where = f"{tls['host']}:{tls['port']}"
        ran = run("check", where, "--security", "tls", "--ca-file", told["ca_file"], "--json")
        assert (ran.code, ran.result["verdict"]) == (0, "pass")
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=PATIENCE)
    assert process.returncode == 130
    assert out == ""  # there was one document already
    assert "still in its mailbox" in err


def test_a_reader_that_has_gone_is_no_error() -> None:
    read_end, write_end = os.pipe()
    os.close(read_end)
    process = subprocess.Popen([*PROGRAM, "providers"], stdout=write_end, stderr=subprocess.PIPE)
    os.close(write_end)
    _, err = process.communicate(timeout=PATIENCE)
    assert (process.returncode, err) == (141, b"")


@pytest.mark.parametrize("encoding", ["ascii", "latin-1"])
def test_an_output_that_knows_few_characters_gets_all_of_them_escaped(encoding: str) -> None:
    ran = run_process("accounts", "show", "\u540d", "--json", environ={"PYTHONIOENCODING": encoding})
    assert ran.code == 4
    assert "There is no account named '\\u540d'." in ran.err
    assert "\u540d" in ran.error["message"]


# --- what is loaded ---


@pytest.mark.parametrize(
    "words",
    [
        ["--version"],
        ["accounts", "--json"],
        ["providers"],
        ["guide", "basic"],
        ["schema", "test"],
        ["check", "127.0.0.1:{port}", "--security", "tls"],
        [*PRACTICE, "--auth", "none"],
        ["sandbox", "mailbox"],
    ],
)
def test_no_command_loads_the_toolkit_of_the_screens(words: list[str], tmp_path: Path) -> None:
    listing = tmp_path / "modules.json"
    program = (
        "import json, pathlib, sys\nfrom smtp_wizard.__main__ import main\nmain()\n"
        f"pathlib.Path({str(listing)!r}).write_text(json.dumps(sorted(sys.modules)))"
    )
    with refused_port() as port:
        arguments = [word.format(port=port) for word in words]
        subprocess.run([sys.executable, "-c", program, *arguments], capture_output=True, timeout=60, check=False)
    loaded = set(json.loads(listing.read_text("utf-8")))
    assert loaded & {"textual", "rich", "smtp_wizard.app", "keyring.backend"} == set()


def test_the_version_loads_no_engine_and_no_event_loop() -> None:
    program = "import sys\nfrom smtp_wizard.__main__ import main\nmain()\nprint(sorted(sys.modules))"
    done = subprocess.run([sys.executable, "-c", program, "--version"], capture_output=True, timeout=60, check=True)
    assert b"'asyncio'" not in done.stdout
    assert b"'smtp_wizard.engine" not in done.stdout


@pytest.mark.parametrize("words", [("test", "--tag"), ("accounts", "edit", "--ca-file"), ("limits", "plan", "--start")])
def test_an_option_without_its_value_is_told_with_the_help_of_its_command(words: tuple[str, ...]) -> None:
    ran = run(*words)
    assert ran.code == 2
    assert f"'smtp-wizard {' '.join(words[:-1])} --help' says how it is used." in ran.err


def test_of_several_options_the_one_that_is_most_like_what_was_typed_is_named() -> None:
    ran = run("test", "--al")
    assert ran.code == 2
    assert "No such option '--al'. Did you mean '--all'?" in " ".join(ran.err.split())
