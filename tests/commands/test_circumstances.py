"""What is around the program and is nobody's fault here: each is one sentence and the exit code that scripts expect.

Every command is run under each: streams that are closed, full, broken or unreadable, a folder that is gone, a user whom
nobody knows, variables that are no text.
"""

from __future__ import annotations

import os
import pickle
import re
import resource
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

import click
import filelock
import pytest

from smtp_wizard.engine.sandbox.scenarios import practice_password
from smtp_wizard.runtime.exit_codes import Exit
from tests.conftest import UNSET, surroundings
from tests.support.cli import PROGRAM, on_terminal, run, run_process
from tests.support.everycommand import COMMANDS, PRACTICE, Ended, LoadedProgram, leaves, load_under, make_config

Each = Mapping[tuple[str, ...], Ended]
LOST = "smtp-wizard: The output could not be written: "


@pytest.fixture
def place(tmp_path: Path) -> Path:
    return tmp_path / "place"


@pytest.fixture(scope="session")
def loaded() -> Iterator[LoadedProgram]:
    program = LoadedProgram()
    yield program
    program.close()


@pytest.fixture(scope="session")
def usual(loaded: LoadedProgram, tmp_path_factory: pytest.TempPathFactory) -> Each:
    """How each command ends where nothing is wrong; found out once, for all processes that run tests."""
    folder = tmp_path_factory.getbasetemp()
    shared = (folder.parent if "PYTEST_XDIST_WORKER" in os.environ else folder) / "usual.pickle"
    with filelock.FileLock(f"{shared}.lock"), pytest.MonkeyPatch.context() as patch:
        if not shared.exists():
            home = tmp_path_factory.mktemp("home")
            for name in UNSET:
                patch.delenv(name, raising=False)
            for name, value in surroundings(home).items():
                patch.setenv(name, value)
            shared.write_bytes(
                pickle.dumps(loaded.run_each("nothing", COMMANDS, tmp_path_factory.mktemp("usual") / "usual"))
            )
        found: Each = pickle.loads(shared.read_bytes())
    return found


def test_every_command_is_among_them() -> None:
    called = {words for words, _ in leaves()}
    groups = {words[:-1] for words in called}
    covered = {leaf for leaf in called for words in COMMANDS if words[: len(leaf)] == leaf}
    assert called - covered == set()
    assert all(any(words == group for words in COMMANDS) for group in groups if group and group != ("sandbox",))


def test_none_of_them_meets_a_fault_where_nothing_is_wrong(usual: Each) -> None:
    assert {words: ended for words, ended in usual.items() if not is_orderly(ended)} == {}
    assert {ended.code for ended in usual.values()} == {0, 1, 2, 3, 4}


def is_orderly(ended: Ended) -> bool:
    """Whether a command ended with an exit code of the contract, and nothing of its insides was shown."""
    told = ended.out + ended.err
    good = ended.code in {*Exit} - {Exit.BUG} or ended.code == 128 + signal.SIGPIPE
    return good and not re.search(r"Traceback|Exception ignored|fault of smtp-wizard|Errno|\bError\(", told)


def steady(text: str) -> str:
    """A text without what is another at each run: numbers (times, ports), and where the folder is."""
    return " ".join(re.sub(r"/\S*/(place|usual)/|[\d.]+", "", text).split())


@pytest.mark.parametrize(
    "conditions",
    [
        ("nobody", "bytes everywhere", "a config folder in a folder that is gone", "all closed"),
        ("odd numbers", "the folder gone", "stdin closed", "stdout broken", "stderr full"),
    ],
    ids=", ".join,
)
def test_all_that_commands_load_is_loaded_where_nothing_is_as_it_should_be(
    conditions: tuple[str, ...], place: Path
) -> None:
    load_under(conditions, place)


FEW = tuple(words for words in COMMANDS if words[:1] in (("accounts",), ("test",), ("schema",), ("--help",)))
"""For what differs little from a condition under which every command is run."""
SAME = {
    "stdin closed": COMMANDS,
    "the folder gone": COMMANDS,
    "stderr full": COMMANDS,
    "stderr closed": FEW,
    "stderr broken": FEW,
    "odd numbers": FEW,
}
VOLATILE = (("doctor",), ("doctor", "--json"))
"""What tells of the surroundings themselves."""


@pytest.mark.parametrize("condition", SAME)
def test_what_is_no_hindrance_changes_nothing(condition: str, usual: Each, loaded: LoadedProgram, place: Path) -> None:
    """Data and exit code are the same; what was to be said on a stream that is not there is said to nobody."""
    for words, ended in loaded.run_each(condition, SAME[condition], place).items():
        assert is_orderly(ended), (words, ended)
        if words not in VOLATILE:
            assert (words, ended.code, steady(ended.out)) == (words, usual[words].code, steady(usual[words].out))


@pytest.mark.parametrize(
    ("condition", "commands", "said"),
    [
        ("stdout full", COMMANDS, True),
        ("stdout closed", FEW, True),
        ("stdout read-only", FEW, True),
        ("both full", FEW, False),
        ("all closed", COMMANDS, False),
    ],
    ids=lambda each: each if isinstance(each, str) else "",
)
def test_output_that_cannot_be_written_is_said_and_nobody_can_say_how_it_ended(
    condition: str, commands: tuple[tuple[str, ...], ...], said: bool, usual: Each, loaded: LoadedProgram, place: Path
) -> None:
    for words, ended in loaded.run_each(condition, commands, place).items():
        assert is_orderly(ended), (words, ended)
        before = usual[words]
        if not before.out or "smtp-wizard/error/1" in before.out:  # what is wrong was said on stderr
            assert (words, ended.code) == (words, before.code)
            continue
        assert (words, ended.code) == (words, 3 if "nagios" in words else 1)
        assert not said or LOST in ended.err, words


def test_a_reader_who_goes_ends_it_as_the_signal_would(usual: Each, loaded: LoadedProgram, place: Path) -> None:
    for words, ended in loaded.run_each("stdout broken", COMMANDS, place).items():
        assert (words, ended.code) == (words, 141 if usual[words].out else usual[words].code)
        assert is_orderly(ended), (words, ended)


def test_input_that_cannot_be_read_is_said(usual: Each, loaded: LoadedProgram, place: Path) -> None:
    readers = {
        (*PRACTICE[:4], "--password-stdin"): 3,
        ("explain",): 2,
        ("explain", "-", "--json"): 2,
        ("explain", "--jsonl"): 2,
        ("unsubscribe", "--check", "-"): 2,
    }
    for words, ended in loaded.run_each("stdin unreadable", COMMANDS, place).items():
        assert is_orderly(ended), (words, ended)
        assert (words, ended.code) == (words, readers.get(words, usual[words].code))
        assert words not in readers or "read" in ended.err


NEEDS_NO_FOLDER = {"completion", "guide", "manual", "schema", "--help", "--version", "no-such-command", "unsubscribe"}


@pytest.mark.parametrize(
    ("condition", "words"),
    [
        (
            "a config folder in a folder that is gone",
            "The folder in which smtp-wizard was started is not there any more",
        ),
        ("nobody", "No home folder is known"),
    ],
)
def test_without_a_config_folder_there_is_one_sentence(
    condition: str, words: str, loaded: LoadedProgram, place: Path
) -> None:
    for command, ended in loaded.run_each(condition, COMMANDS, place).items():
        assert is_orderly(ended), (command, ended)
        if words in ended.err:
            assert ended.code == (3 if "nagios" in command else 2), command
        else:
            assert command[:1] == () or command[0] in NEEDS_NO_FOLDER or ended.code == 2 or "--help" in command, command
    assert list(place.parent.glob("place/*")) == []  # no folder that is called '~'


def test_variables_that_are_no_text_are_no_fault(loaded: LoadedProgram, place: Path) -> None:
    for words, ended in loaded.run_each("bytes everywhere", COMMANDS, place).items():
        assert is_orderly(ended), (words, ended)
        if words[:1] == ("setup",) and "PW" in words:
            assert ended.code == 3
            assert "The environment variable PW holds something that is not UTF-8 text" in ended.err


@pytest.mark.parametrize("closed", ["<&-", ">&-", "2>&-", "<&- >&- 2>&-"])
def test_as_a_shell_closes_them(closed: str, own_home: Path) -> None:
    """The real thing: the streams are not there from the beginning, and no file gets their numbers."""
    make_config(own_home / "config")
    line = f"exec {PROGRAM[0]} -m smtp_wizard accounts {closed}"
    done = subprocess.run(["/bin/sh", "-c", line], capture_output=True, text=True, timeout=60, check=False)
    lost = ">&-" in closed.split() or " >&-" in closed
    assert done.returncode == (1 if lost else 0), done.stderr
    assert ("Office" in done.stdout) is not lost
    assert "Traceback" not in done.stderr


# --- what stands on the command line ---

ODD = {
    "no text": os.fsdecode(b"a\xff\xfeb"),
    "control characters": "a\x1b[2J\r\nb\x07",
    "nothing": "",
    "blanks": "   ",
    "huge": "x" * 100_000,
}
WORDS_THAT_DO = {
    "name": "Office",
    "old": "Office",
    "account": "Office",
    "new": "New",
    "server": "127.0.0.1:1",
    "email": "ana@sandbox.test",
    "provider_id": "nobody",
    "key": "nothing",
}


def texts_of(command: click.Command) -> list[str]:
    return [each.name or "" for each in command.params if each.type.name in ("text", "path", "float", "integer")]


PLACES = [(words, name) for words, command in leaves() for name in texts_of(command)]


@pytest.mark.parametrize(("words", "name"), PLACES, ids=lambda each: each if isinstance(each, str) else " ".join(each))
def test_whatever_stands_in_a_place_of_the_command_line_is_no_fault(
    words: tuple[str, ...], name: str, own_home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_config(own_home / "config")
    monkeypatch.chdir(own_home)
    command = dict(leaves())[words]
    for value in ODD.values():
        if words == ("providers", "verify") and not value.strip():
            continue  # that asks them all
        monkeypatch.setenv("PW", "correct horse")
        ran = run(*words, *filled(command, name, value), "--json", stdin="x")
        assert ran.code in (0, 1, 2, 3, 4), (value, ran)
        assert "fault of smtp-wizard" not in ran.err, (value, ran.err)
        assert ran.out.isascii() or ran.out.encode()


def filled(command: click.Command, name: str, value: str) -> list[str]:
    """Return the words behind a command: those that it needs, and the odd one in its place."""
    given: list[str] = []
    for each in command.params:
        if each.name == name:
            given += [value] if isinstance(each, click.Argument) else [each.opts[0], value]
        elif isinstance(each, click.Argument) and each.name in WORDS_THAT_DO:
            given.append(WORDS_THAT_DO[each.name])
    return given


@pytest.mark.parametrize("value", ODD.values(), ids=ODD.keys())
@pytest.mark.parametrize("words", [("accounts",), ("doctor",), ("sandbox", "mailbox"), ("providers",), ("explain",)])
def test_an_odd_name_of_the_config_folder_is_no_fault(
    words: tuple[str, ...], value: str, own_home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(own_home)
    ran = run("--config", value, *words, stdin="535 no")
    assert ran.code in (0, 1, 2), ran
    assert "fault of smtp-wizard" not in ran.err


@pytest.mark.parametrize(
    "place", ["/dev/null", "/dev/null/x", "/proc/x", "/etc/passwd/x", "~nobody-of-this-name/x", "/"]
)
@pytest.mark.parametrize(
    "words",
    [
        *(("accounts",), ("doctor",), ("sandbox", "mailbox"), ("vault", "passphrase"), ("test",)),
        (*PRACTICE, "--save", "X"),
    ],
    ids=" ".join,
)
def test_a_config_folder_that_cannot_be_is_no_fault(
    words: tuple[str, ...], place: str, own_home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PW", "correct horse")
    ran = run("--config", place if place != "/" else "/" + "b/" * 3000, *words)
    assert ran.code in (0, 1, 2, 3, 4), ran
    assert "fault of smtp-wizard" not in ran.err


# --- no memory on the disk ---


def test_no_core_is_dumped_by_it_or_by_what_it_starts(own_home: Path) -> None:
    """Whatever was allowed before: the memory may hold a password."""
    told = own_home / "limit"
    script = own_home / "limits.py"
    script.write_text(
        "import pathlib, resource\n"
        f"pathlib.Path({str(told)!r}).write_text(str(resource.getrlimit(resource.RLIMIT_CORE)))\n"
        f"print({practice_password()!r})\n"
    )
    command = f"{sys.executable} {script}"

    def allowed() -> None:
        resource.setrlimit(resource.RLIMIT_CORE, (resource.getrlimit(resource.RLIMIT_CORE)[1],) * 2)

    done = subprocess.run(
        [*PROGRAM, *PRACTICE[:4], "--password-command", command], preexec_fn=allowed, capture_output=True, check=False
    )
    assert done.returncode == 0, done.stderr
    soft, hard = map(int, told.read_text().strip("()").split(","))
    assert (soft, hard) in ((0, 0), (1, 1))


def test_a_crash_leaves_no_core(own_home: Path) -> None:
    crash = (
        "import os, signal, sys\n"
        "from smtp_wizard.commands.process import forbid_core_dumps\n"
        "forbid_core_dumps()\n"
        "child = os.fork()\n"
        "os.kill(os.getpid(), signal.SIGSEGV) if child == 0 else None\n"
        "sys.exit(os.WCOREDUMP(os.waitpid(child, 0)[1]))\n"
    )

    def allowed() -> None:
        resource.setrlimit(resource.RLIMIT_CORE, (resource.getrlimit(resource.RLIMIT_CORE)[1],) * 2)

    done = subprocess.run([sys.executable, "-c", crash], preexec_fn=allowed, cwd=own_home, check=False)
    assert done.returncode == 0
    assert [each for each in own_home.iterdir() if each.name.startswith("core")] == []


# --- the screens ---


@pytest.mark.parametrize(
    "variables",
    [
        {"TEXTUAL_LOG": "{log}", "TEXTUAL": "debug,devtools", "TEXTUAL_DEBUG": "1"},
        {"TEXTUAL_LOG": "/nowhere/log"},
        {"TEXTUAL_COLOR_SYSTEM": "none-such", "TEXTUAL_DRIVER": "none.such:Driver", "TEXTUAL_THEME": "none-such"},
        {"COLUMNS": "9" * 20, "LINES": "-1"},
        {"COLUMNS": "\u0668\u0660", "LINES": "0"},
    ],
    ids=" ".join,
)
def test_no_variable_of_the_toolkit_makes_the_screens_fail_or_writes_what_is_typed(
    variables: dict[str, str], own_home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    log = own_home / "log"
    monkeypatch.chdir(own_home)
    for name, value in variables.items():
        monkeypatch.setenv(name, value.format(log=log))
    pasted = "\x1b[200~hunter2\x1b[201~"  # painted at once; what is typed goes over the line letter by letter
    ran = on_terminal((), typed=[("Which address", pasted), ("hunter2", "\x11")], term="xterm-256color")
    assert ran.code == 0, ran
    assert not log.exists()
    assert not Path("keys.log").exists()  # where TEXTUAL_DEBUG writes them


# --- passwords that are no text ---


def test_a_variable_that_is_no_text_is_said(own_home: Path) -> None:
    ran = run_process(*PRACTICE, "--json", environ={"PW": os.fsdecode(b"caf\xe9")})
    assert (ran.code, ran.error["code"]) == (3, "password-unreadable")
    assert "UTF-8" in ran.error["message"]
