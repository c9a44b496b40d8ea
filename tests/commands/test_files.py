"""Files and folders as the command line meets them: those of other people, those that are none, those still missing."""

from __future__ import annotations

import json
import os
import signal
import socket
import stat
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from smtp_wizard.engine.accounts.saved_accounts import SavedAccounts
from smtp_wizard.engine.sandbox.scenarios import practice_password
from smtp_wizard.engine.secrets.store_kinds import StoreKind, StoreRef
from tests.commands.test_send import RELAY
from tests.support.certs import Authority
from tests.support.cli import run, run_process, started
from tests.support.nouns import with_fields

SAVING = (
    *("setup", "ana@sandbox.test", "--path", "accept", "--password-stdin", "--store", "session", "--save", "Practice"),
)


@pytest.fixture
def folder(own_home: Path) -> Path:
    """The config folder, with one account in it."""
    folder = own_home / "config"
    SavedAccounts(folder).put(replace(RELAY, store=StoreRef(StoreKind.SESSION, "Office/password")))
    return folder


# --- the folder is made for its owner alone, whichever command comes first ---


def sandbox(place: Path) -> None:
    with started("--config", str(place), "sandbox", "--json") as process:
        assert process.stdout is not None
        while "ca_file" not in process.stdout.readline():
            assert process.poll() is None
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=60)


def save(place: Path) -> None:
    assert run("--config", str(place), *SAVING, stdin=practice_password()).code == 0


def make_vault(place: Path) -> None:
    os.environ["PASSPHRASE"] = "four words of no sense"
    more = ("--store", "vault", *SAVING[-2:], "--passphrase-env", "PASSPHRASE")
    assert run("--config", str(place), *SAVING[:5], *more, stdin=practice_password()).code == 0


def fault(place: Path) -> None:
    """A bug is written down there."""
    from smtp_wizard.commands.faults import reported_bug
    from smtp_wizard.commands.invocation import Invocation
    from smtp_wizard.runtime.output import Form, Output

    invocation = Invocation(Output(Form.TEXT))
    invocation.config = place
    reported_bug(ValueError(), invocation)


@pytest.mark.parametrize("mask", [0o000, 0o022, 0o077], ids=oct)
@pytest.mark.parametrize("first", [sandbox, save, make_vault, fault], ids=lambda each: each.__name__)
def test_whatever_comes_first_makes_every_folder_for_its_owner_alone(
    first: Callable[[Path], None], mask: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PASSPHRASE", "")
    before = os.umask(mask)
    try:
        first(tmp_path / "home" / ".config" / "smtp-wizard")
    finally:
        os.umask(before)
    made = list(tmp_path.rglob("*"))
    assert tmp_path / "home" / ".config" / "smtp-wizard" in made
    modes = {path: stat.S_IMODE(path.stat().st_mode) for path in made}
    assert {path: oct(mode) for path, mode in modes.items() if mode & 0o077} == {}


# --- what others may change is refused ---

READERS = (
    ("accounts",),
    ("accounts", "show", "Office"),
    ("accounts", "rename", "Office", "New"),
    ("accounts", "remove", "Office"),
    ("accounts", "edit", "Office", "--store", "session"),
    ("test",),
    ("test", "--all"),
    ("send", "Office", "--to", "bob@example.net"),
    SAVING,
    ("vault",),
    ("sandbox",),
    ("sandbox", "mailbox"),
)


REFUSED = [
    *((arguments, what) for arguments in READERS for what in ("folder", "parent")),
    *((arguments, "accounts.json") for arguments in READERS if arguments[0] != "sandbox"),
    *((arguments, "sandbox") for arguments in READERS if arguments[0] == "sandbox"),
]


@pytest.mark.parametrize(
    ("arguments", "what"), REFUSED, ids=lambda each: each if isinstance(each, str) else " ".join(each)
)
def test_each_command_refuses_what_others_may_change_with_the_way_out(
    arguments: tuple[str, ...], what: str, folder: Path
) -> None:
    path = {"folder": folder, "parent": folder.parent}.get(what, folder / what)
    if not path.exists():
        path.mkdir()
    whole = (folder / "accounts.json").read_bytes()
    path.chmod(path.stat().st_mode | 0o002)
    ran = run(*arguments, "--json", stdin=practice_password())
    assert ran.code == (1 if arguments == ("sandbox",) else 3)
    assert f"chmod o-w {path}" in ran.error["message"]
    assert (folder / "accounts.json").read_bytes() == whole


@pytest.mark.parametrize("arguments", [("check", "127.0.0.1:1"), ("providers",), ("limits",), ("explain", "-")])
def test_a_list_of_providers_that_others_may_change_is_left_out_and_said(
    arguments: tuple[str, ...], folder: Path
) -> None:
    file = folder / "providers.yaml"
    file.write_text("providers: [{id: gmail, endpoints: [{host: mail.evil.example, port: 465, security: tls}]}]\n")
    file.chmod(0o602)
    ran = run(*arguments, stdin="535 5.7.8 no")
    assert f"'chmod o-w {file}'" in ran.err
    assert "evil" not in ran.out + run("providers", "show", "gmail", "--json").out


# --- what is named on the command line and is no file ---


def a_socket(path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(str(path))


NO_FILES: dict[str, Callable[[Path], object]] = {
    "pipe": os.mkfifo,
    "folder": Path.mkdir,
    "socket": a_socket,
    "device": lambda path: path.symlink_to("/dev/zero"),
    "huge": lambda path: path.write_bytes(b"x" * 20_000_000),
    "nothing": lambda path: None,
}


@pytest.fixture(params=NO_FILES)
def no_file(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    NO_FILES[request.param](Path("x"))
    return tmp_path / "x"


def test_an_authority_that_is_no_file_is_said_at_once(no_file: Path) -> None:
    ran = run_process("check", "127.0.0.1:1", "--ca-file", str(no_file), "--json")
    assert (ran.code, ran.error["code"]) == (2, "ca-file")


def test_an_authority_whose_name_could_not_be_kept_is_said_at_once(tmp_path: Path) -> None:
    """Not when the account is saved, after everything was asked and tested."""
    file = Authority(tmp_path).file
    odd = file.rename(file.with_name("a\nb.pem"))
    ran = run("check", "127.0.0.1:1", "--ca-file", str(odd), "--json")
    assert (ran.code, ran.error["code"]) == (2, "ca-file")
    assert "give the file another name" in ran.error["message"]


def test_an_authority_that_others_may_change_is_refused(tmp_path: Path) -> None:
    """They could vouch for a server of their own. Whose it is makes no difference: the person has named it."""
    file = Authority(tmp_path).file
    if os.getuid() == 0:
        os.chown(file, 12345, 12345)
    file.chmod(0o646)
    ran = run_process("check", "127.0.0.1:1", "--ca-file", str(file), "--json")
    assert (ran.code, ran.error["code"]) == (2, "ca-file")
    assert "(other users may change it; 'chmod o-w' on it ends that)" in ran.error["message"]
    file.chmod(0o644)
    assert run_process("check", "127.0.0.1:1", "--ca-file", str(file), "--json").code == 1


def test_a_saved_authority_that_is_no_file_any_more_is_said_at_once(no_file: Path, folder: Path) -> None:
    saved_accounts = SavedAccounts(folder)
    saved_accounts.change("Office", with_fields(saved_accounts.get("Office"), ca_file=str(no_file)))
    ran = run_process("test", "Office", "--depth", "server", "--json")
    assert ran.code == 1
    assert run("doctor", "--json").code in (0, 1)


def test_the_systems_own_list_that_is_no_file_is_said_at_once(no_file: Path) -> None:
    ran = run_process("check", "127.0.0.1:1", "--json", environ={"SSL_CERT_FILE": str(no_file)})
    assert ran.code == 1


def test_a_secret_file_that_is_none_is_said_at_once(no_file: Path) -> None:
    ran = run_process(*SAVING[:4], "--store", "file", "--secret-file", str(no_file), "--save", "X", "--json")
    assert ran.code == 3


@pytest.mark.parametrize("kind", ["pipe", "folder", "socket"])
def test_a_transcript_that_cannot_be_written_is_said_at_once(
    kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    NO_FILES[kind](Path("x"))
    ran = run_process("check", "127.0.0.1:1", "--transcript", str(tmp_path / "x"), "--json")
    assert (ran.code, ran.error["code"]) == (2, "transcript")


def test_a_transcript_onto_a_full_disk_is_said() -> None:
    ran = run_process("check", "127.0.0.1:1", "--transcript", "/dev/full", "--json")
    assert (ran.code, ran.error["code"]) == (2, "transcript")


def test_a_transcript_into_a_pipe_that_is_read_gets_there(tmp_path: Path) -> None:
    pipe = tmp_path / "x"
    os.mkfifo(pipe)
    reading = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    try:
        assert run("check", "127.0.0.1:1", "--transcript", str(pipe), "--json").code == 1
        assert b"== 127.0.0.1" in os.read(reading, 65536)
    finally:
        os.close(reading)


def test_a_link_to_a_device_is_never_made_a_file_of(folder: Path, tmp_path: Path) -> None:
    """Root, who could, must not put the accounts in the place of /dev/null."""
    device = tmp_path / "device"
    os.mkfifo(device)
    (folder / "accounts.json").unlink()
    (folder / "accounts.json").symlink_to(device)
    ran = run_process(*SAVING, "--json", stdin=practice_password())
    assert ran.code == 3
    assert stat.S_ISFIFO(device.stat().st_mode)
    assert json.loads(ran.out)["schema"] == "smtp-wizard/error/1"
