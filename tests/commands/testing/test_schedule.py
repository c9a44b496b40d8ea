"""`test --init`: a service with its timer, and a line for cron, as they are taken by the programs that read them."""

from __future__ import annotations

import shlex
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest

from smtp_wizard.commands.testing.schedule import (
    Schedule,
    cron_line,
    cron_words,
    schedule_for,
    service,
    systemd_words,
    timer,
)
from smtp_wizard.engine.accounts.saved_accounts import SavedAccounts
from smtp_wizard.engine.base.connection import Auth
from smtp_wizard.engine.secrets.store_kinds import StoreKind, StoreRef
from tests.commands.test_send import RELAY
from tests.support.cli import run
from tests.support.nouns import with_fields

PLAIN = Schedule(
    program=("/usr/bin/smtp-wizard",),
    folder=Path("/home/ana/.config/smtp-wizard"),
    arguments=("test", "--all", "--changed"),
    user="ana",
    passphrase=False,
    credentials=(),
    variables=(),
)


def test_the_service_runs_the_same_command_as_the_same_person() -> None:
    lines = service(PLAIN).splitlines()
    assert "ExecStart=/usr/bin/smtp-wizard --config /home/ana/.config/smtp-wizard test --all --changed" in lines
    assert {"Type=oneshot", "User=ana", "ReadWritePaths=/home/ana/.config/smtp-wizard"} <= set(lines)
    assert not [line for line in lines if line.startswith(("LoadCredential", "EnvironmentFile"))]
    assert "OnCalendar=*-*-* 03:17:00" in timer()


def test_secrets_come_as_credentials_and_never_as_words() -> None:
    text = service(replace(PLAIN, passphrase=True, credentials=("office",), variables=("MAIL_PASSWORD",)))
    assert "LoadCredential=vault-passphrase:/etc/smtp-wizard/vault-passphrase" in text
    assert "LoadCredential=office:/etc/smtp-wizard/office" in text
    assert "EnvironmentFile=/etc/smtp-wizard/environment" in text
    assert 'test --all --changed --passphrase-command "cat %d/vault-passphrase"' in text


ODD = ("test", "Sh%op*", "two words", "it's", 'say "so"', "$HOME", "back\\slash", "a;b")


def test_odd_words_reach_the_program_as_they_are() -> None:
    command = next(
        line for line in service(replace(PLAIN, arguments=ODD)).splitlines() if line.startswith("ExecStart=")
    )
    assert command.endswith('test Sh%%op* "two words" "it\'s" "say \\"so\\"" $$HOME "back\\\\slash" "a;b"')
    line = cron_line(replace(PLAIN, arguments=ODD))
    assert shlex.split(line.replace("\\%", "%"))[-len(ODD) :] == list(ODD)
    assert "%" not in line.replace("\\%", "")


def test_a_line_for_cron_lets_no_two_runs_be_at_work() -> None:
    words = shlex.split(cron_line(replace(PLAIN, passphrase=True)))
    assert words[:5] == ["17", "3", "*", "*", "*"]
    assert words[5:8] == ["flock", "-n", "/home/ana/.config/smtp-wizard/test.lock"]
    assert words[-2:] == ["--passphrase-command", "cat /home/ana/.config/smtp-wizard/vault-passphrase"]


def test_what_the_accounts_need_is_found_out(tmp_path: Path) -> None:
    stores = (
        StoreRef(StoreKind.VAULT, "x/password"),
        StoreRef(StoreKind.FILE, "$CREDENTIALS_DIRECTORY/office"),
        StoreRef(StoreKind.FILE, "/elsewhere"),
        StoreRef(StoreKind.ENV, "MAIL_PASSWORD"),
    )
    accounts = [with_fields(RELAY, store=store) for store in stores]
    given = ["--config", "here", "test", "--all", "--init", "systemd", "--init=cron", "--config=there", "-v"]
    found = schedule_for(accounts, tmp_path, given, has_passphrase=False)
    assert found.arguments == ("test", "--all", "-v")
    assert (found.passphrase, found.credentials, found.variables) == (True, ("office",), ("MAIL_PASSWORD",))
    assert not schedule_for(accounts, tmp_path, given, has_passphrase=True).passphrase


def test_files_are_named_so_that_another_folder_makes_no_difference(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    given = ["test", "--all", "--ca-file", "ours.pem", "--transcript=logs/said.txt", "--", "--ca-file", "x"]
    found = schedule_for([], Path("config"), given, has_passphrase=False)
    assert found.arguments == (
        *("test", "--all", "--ca-file", str(tmp_path / "ours.pem"), f"--transcript={tmp_path}/logs/said.txt"),
        *("--", "--ca-file", "x"),
    )
    lines = service(found).splitlines()
    assert f"ReadWritePaths={tmp_path / 'config'} {tmp_path / 'logs'}" in lines


def test_a_service_finds_files_in_the_folder_for_passing_ones() -> None:
    assert "PrivateTmp=yes" in service(replace(PLAIN, files=(Path("/home/ana/said.txt"),)))
    assert "PrivateTmp" not in service(replace(PLAIN, files=(Path("/tmp/said.txt"),)))
    assert "PrivateTmp" not in service(replace(PLAIN, folder=Path("/var/tmp/config")))


def test_a_folder_with_a_dollar_is_the_one_that_may_be_written() -> None:
    lines = service(replace(PLAIN, folder=Path("/srv/a$b%c d"))).splitlines()
    assert 'ReadWritePaths="/srv/a$b%%c d"' in lines
    assert any('--config "/srv/a$$b%%c d"' in line for line in lines)


@pytest.mark.parametrize("option", [("--passphrase-env", "PP"), ("--passphrase-env=PP",)])
def test_the_variable_of_the_passphrase_must_be_set_there(tmp_path: Path, option: tuple[str, ...]) -> None:
    account = with_fields(RELAY, store=StoreRef(StoreKind.VAULT, "x/password"))
    found = schedule_for([account], tmp_path, ["test", "--all", *option], has_passphrase=True)
    assert (found.passphrase, found.variables) == (False, ("PP",))
    assert "EnvironmentFile=/etc/smtp-wizard/environment" in service(found)
    assert "environment must set PP" in systemd_words(found)
    assert "The crontab must set PP" in cron_words(found)


@pytest.mark.parametrize("form", ["systemd", "cron"])
def test_the_command_prints_it_and_tests_nothing(own_home: Path, form: str) -> None:
    saved = SavedAccounts(own_home / "config")
    saved.put(with_fields(RELAY, store=StoreRef(StoreKind.VAULT, "x/password")))
    ran = run("test", "--all", "--changed", "--init", form)
    assert ran.code == 0
    assert "test --all --changed" in ran.out
    assert "vault-passphrase" in ran.err
    assert saved.list()[0].last is None
    assert ("[Timer]" in ran.out) is (form == "systemd")


def test_a_password_cannot_be_given_to_what_runs_later(own_home: Path) -> None:
    SavedAccounts(own_home / "config").put(RELAY)
    assert run("test", "Office", "--init", "cron", "--password-stdin", stdin="x").code == 2


def test_the_line_for_cron_is_a_command_that_a_shell_takes() -> None:
    line = cron_line(replace(PLAIN, arguments=ODD, passphrase=True)).replace("\\%", "%")
    command = line.split(" ", 5)[5].replace("flock -n", "printf '%s|'")
    done = subprocess.run(["sh", "-c", command], capture_output=True, text=True, timeout=60, check=True)
    assert [each for each in done.stdout.split("|") if each in ODD] == list(ODD)


def systemd_of(own_home: Path, *words: str) -> tuple[list[str], str]:
    ran = run("test", "--all", "--changed", "--init", "systemd", *words)
    assert ran.code == 0, ran
    return ran.out.splitlines(), " ".join(ran.err.split())


def test_what_nobody_can_read_at_night_is_named(own_home: Path) -> None:
    saved = SavedAccounts(own_home / "config")
    stores = {
        "Asked": StoreRef(StoreKind.SESSION, ""),
        "Desk": StoreRef(StoreKind.KEYRING, "x/password"),
        "Good": StoreRef(StoreKind.ENV, "MAIL_PASSWORD"),
    }
    for name, store in stores.items():
        saved.put(with_fields(RELAY, name=name, id="", auth=Auth.PASSWORD, username="ana", store=store))
    saved.put(with_fields(RELAY, name="Open", id="", auth=Auth.NONE, username="", store=None))
    for form in ("systemd", "cron"):
        said = " ".join(run("test", "--all", "--init", form).err.split())
        assert "nobody is there to type the password of Asked, which" in said
        assert "which holds the password of Desk." in said
        assert "Good" not in said
        assert "Open" not in said
        assert "--store vault" in said
    assert "Asked" not in run("test", "--all", "--depth", "server", "--init", "cron").err
    notify = ("--changed", "--notify", "Asked", "--to", "t@x.example", "--init", "cron")
    assert "Asked" in run("test", "Good", *notify).err


def test_a_password_manager_may_write_at_home(own_home: Path) -> None:
    """gpg makes locks beside its keys; read-only, it says that it cannot reach its agent."""
    saved = SavedAccounts(own_home / "config")
    saved.put(with_fields(RELAY, store=StoreRef(StoreKind.COMMAND, "pass show mail")))
    lines, _ = systemd_of(own_home)
    assert "ProtectSystem=full" in lines
    assert not [line for line in lines if line.startswith("ProtectHome")]
    saved.put(with_fields(RELAY, store=StoreRef(StoreKind.ENV, "MAIL_PASSWORD")), replacing=True)
    assert {"ProtectSystem=strict", "ProtectHome=read-only"} <= set(systemd_of(own_home)[0])
    assert "ProtectSystem=full" in systemd_of(own_home, "--passphrase-command", "pass show vault")[0]


@pytest.mark.parametrize("kind", ["authority", "password"])
def test_a_file_of_an_account_is_found_in_the_folder_for_passing_ones(kind: str) -> None:
    passing = "/tmp/kept"
    account = with_fields(RELAY, ca_file=passing) if kind == "authority" else RELAY
    account = account if kind == "authority" else with_fields(RELAY, store=StoreRef(StoreKind.FILE, passing))
    found = schedule_for([account], Path("/home/ana"), ["test"], has_passphrase=False)
    assert "PrivateTmp" not in service(found)


def test_what_decides_whose_certificates_are_believed_holds_at_night_too(
    own_home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    SavedAccounts(own_home / "config").put(RELAY)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("SSL_CERT_FILE", "our own.pem")
    assert f'Environment="SSL_CERT_FILE={tmp_path}/our own.pem"' in systemd_of(own_home)[0]
    line = run("test", "--all", "--init", "cron").out
    assert line.startswith(f"17 3 * * * SSL_CERT_FILE='{tmp_path}/our own.pem' flock -n ")


def test_a_name_of_two_lines_is_refused_in_a_sentence(own_home: Path, tmp_path: Path) -> None:
    SavedAccounts(own_home / "config").put(RELAY)
    ran = run("test", "--all", "--transcript", "a\nb", "--init", "cron")
    assert (ran.code, ran.out) == (2, "")
    assert "line end" in ran.err
