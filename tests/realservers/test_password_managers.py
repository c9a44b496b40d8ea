"""Passwords that real password managers keep: pass with GnuPG, and age; with a terminal that is lent, and without."""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.cli import Ran, on_terminal, run_process
from tests.support.leaks import assert_no_trace

pytestmark = pytest.mark.real

PASSWORD = "abcdefgh ijklmnop"
PRACTICE = ("setup", "ana@sandbox.test", "--path", "accept", "--save", "Office", "--json")
PASSPHRASE = "of the key"


def call(*words: str, given: str = "", environ: dict[str, str] | None = None) -> str:
    """Run a program; return what it printed."""
    done = subprocess.run(
        words, input=given, capture_output=True, text=True, env=environ or dict(os.environ), timeout=60, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture
def age(own_home: Path) -> str:
    """A command that decrypts a file with a key of its own."""
    key, kept = own_home / "key.txt", own_home / "mail.age"
    call("age-keygen", "-o", str(key))
    call("age", "--encrypt", "-i", str(key), "-o", str(kept), given=f"{PASSWORD}\n")
    assert_no_trace(PASSWORD, own_home)
    return "age --decrypt -i ~/key.txt ~/mail.age"


@pytest.fixture
def gpg_home(monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """An empty home of GnuPG; its agent ends with the test. Its sockets need a short path."""
    home = tmp_path_factory.mktemp("g")
    home.chmod(0o700)
    monkeypatch.setenv("GNUPGHOME", str(home))
    yield home
    call("gpgconf", "--kill", "all")
    shutil.rmtree(home, ignore_errors=True)


def password_store(passphrase: str) -> str:
    """Make a key and a store with one password in it; return the command that prints it."""
    call(
        *("gpg", "--batch", "--quiet", "--pinentry-mode", "loopback", "--passphrase", passphrase),
        *("--quick-gen-key", "ana@sandbox.test", "default", "default", "never"),
    )
    call("pass", "init", "ana@sandbox.test")
    call("pass", "insert", "--multiline", "mail/office", given=f"{PASSWORD}\nuser: ana\n")
    return "pass show mail/office"


def saved_and_tested(command: str, own_home: Path) -> None:
    """Save an account with a command, and test it in the next process, without any terminal."""
    said = run_process(*PRACTICE, "--secret-command", command)
    assert (said.code, said.result["account"]) == (0, "Office"), said
    again = run_process("test", "Office", "--json")
    assert (again.code, again.result["verdict"]) == (0, "pass"), again
    assert_no_trace(PASSWORD, own_home / "config", said.out, said.err, again.out, again.err)


def test_age_keeps_the_password(age: str, own_home: Path) -> None:
    saved_and_tested(age, own_home)


def test_age_without_its_key_is_one_sentence(age: str, own_home: Path) -> None:
    saved_and_tested(age, own_home)
    (own_home / "key.txt").unlink()
    ran = run_process("test", "Office", "--json")
    assert (ran.code, ran.error["code"]) == (3, "secret-unreadable")
    assert "The command age gave up (exit code 1)" in ran.error["message"]


@pytest.mark.usefixtures("gpg_home")
def test_pass_keeps_the_password(own_home: Path) -> None:
    saved_and_tested(password_store(""), own_home)


def locked(command: str) -> Ran:
    """Test with a key agent that has forgotten the passphrase."""
    call("gpgconf", "--kill", "gpg-agent")
    return run_process("test", "Office", "--json")


def test_a_key_that_wants_its_passphrase_is_asked_for_on_a_terminal_alone(gpg_home: Path, own_home: Path) -> None:
    """Without a terminal it fails at once; with one the command gets it, and asks the person itself."""
    asking = own_home / "asking"
    asking.write_text(
        "#!/bin/sh\n"
        "# Asks on its own terminal, as a pinentry does, and has none in a session of its own.\n"
        "exec </dev/tty || exit 2\n"
        "printf 'Passphrase of the key: ' >/dev/tty\n"
        "read -r answer\n"
        f"[ \"$answer\" = '{PASSPHRASE}' ] || exit 3\n"
        f'exec gpg --batch --quiet --pinentry-mode loopback --passphrase "$answer" --decrypt {gpg_home}/mail.gpg\n'
    )
    asking.chmod(0o700)
    password_store(PASSPHRASE)
    call("gpg", "--batch", "--encrypt", "-r", "ana@sandbox.test", "-o", f"{gpg_home}/mail.gpg", given=f"{PASSWORD}\n")
    command = shlex.quote(str(asking))
    alone = run_process(*PRACTICE, "--secret-command", command)
    assert (alone.code, alone.error["code"]) == (3, "secret-unreadable"), alone
    words = [each for each in PRACTICE if each != "--json"]
    asked = ("Passphrase of the key: ", f"{PASSPHRASE}\n")
    said = on_terminal([*words, "--secret-command", command], typed=[asked, asked])
    assert said.code == 0, said
    assert "Saved as 'Office'" in said.out
    assert_no_trace(PASSWORD, own_home / "config", said.out)
    failed = locked(command)
    assert (failed.code, failed.error["code"]) == (3, "secret-unreadable")
