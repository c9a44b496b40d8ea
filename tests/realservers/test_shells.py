"""What real shells and the real man make of what the program prints for them."""

from __future__ import annotations

import shlex
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from smtp_wizard.commands.testing.schedule import UNIT, service, timer
from smtp_wizard.engine.accounts.saved_accounts import SavedAccounts
from tests.commands.test_send import RELAY
from tests.commands.testing.test_schedule import PLAIN
from tests.support.cli import run
from tests.support.nouns import with_fields

pytestmark = pytest.mark.real


def test_man_has_nothing_to_say_against_the_manual_page(tmp_path: Path) -> None:
    file = tmp_path / "smtp-wizard.1"
    file.write_text(run("manual").out, "utf-8")
    done = subprocess.run(
        ["man", "--warnings", "-l", str(file)], capture_output=True, text=True, timeout=60, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert "EXIT STATUS" in done.stdout
    assert "smtp-wizard test --all --changed" in done.stdout


ZSH = """
autoload -U compinit && compinit -u -d "$1/dump"
compadd() { while [ $# -gt 0 ]; do case "$1" in -a) shift; print -rl -- ${(P)1};; esac; shift; done }
source "$1/script"
words=(smtp-wizard test 'sh') CURRENT=3
_smtp_wizard_completion
"""


def program(folder: Path) -> None:
    file = folder / "smtp-wizard"
    file.write_text(f'#!/bin/sh\nexec {shlex.quote(sys.executable)} -m smtp_wizard "$@"\n', "utf-8")
    file.chmod(0o700)


@pytest.mark.parametrize(
    ("shell", "ask"),
    [
        (["zsh", "-f", "-c", ZSH, "zsh"], None),
        (["fish", "--no-config", "-c"], 'source $argv[1]/script; complete -C "smtp-wizard test sh"'),
    ],
    ids=["zsh", "fish"],
)
def test_the_shell_offers_the_account(
    own_home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, shell: list[str], ask: str | None
) -> None:
    SavedAccounts(own_home / "config").put(with_fields(RELAY, name="Shop 1"))
    program(tmp_path)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")
    (tmp_path / "script").write_text(run("completion", shell[0]).out, "utf-8")
    command = [*shell, *([ask] if ask else []), str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert "Shop 1" in done.stdout.replace("\\ ", " ").splitlines(), done.stdout + done.stderr


@pytest.mark.parametrize("passphrase", [False, True])
def test_systemd_has_nothing_to_say_against_the_service_and_its_timer(tmp_path: Path, passphrase: bool) -> None:
    words = ("test", "Sh%op*", "two words", "it's", "$HOME")
    wanted = replace(
        PLAIN,
        program=("/bin/true",),
        arguments=words,
        user="",
        passphrase=passphrase,
        credentials=("office",),
        variables=("MAIL_PASSWORD",),
    )
    files = {f"{UNIT}.service": service(wanted), f"{UNIT}.timer": timer()}
    for name, text in files.items():
        (tmp_path / name).write_text(text, "utf-8")
    command = ["systemd-analyze", "verify", *(str(tmp_path / name) for name in files)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, [line for line in done.stderr.splitlines() if UNIT in line]) == (0, [])
