"""Bad input and faults, as a script or a person at the command line meets them: one sentence, the right exit code,
nothing lost. Where each is proved, beside this file:

- an address, a host or a port that is none: each kind in `engine/base/test_model.py`, in lines of text in
  `plain/`; at the command line here
- passwords of every kind: here, up to what arrives at the server; the words on the wire in `engine/smtp/`;
  those of a known shape are tidied in `engine/services/test_accounts_life.py`
- a clock that is wrong: `engine/diagnosis/`, `engine/smtp/test_certificates.py`; `test_doctor.py`
- the file of the accounts damaged, newer, read-only, a folder in its place: each kind of damage in
  `engine/accounts/`; that every command says so and leaves it as it is, here
- a full disk: a limit of the kernel and a small file system here; a write that fails half-way in
  `engine/accounts/test_accounts.py`
- two writers, and a writer that is killed: here
- a keyring that is absent, locked, mute or forgetful: each situation in `engine/secrets/test_secrets.py`, against
  a real one in `realservers/test_keyring.py`; what the person reads, here
- a file of the own authority that is gone: `test_accounts.py`
"""

from __future__ import annotations

import asyncio
import base64
import os
import re
import resource
import shutil
import subprocess
import sys
import textwrap
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest

from smtp_wizard.commands.faults import next_steps
from smtp_wizard.engine.accounts.account import Account
from smtp_wizard.engine.accounts.saved_accounts import FILE_NAME, SavedAccounts
from smtp_wizard.engine.base.connection import Auth
from smtp_wizard.engine.base.endpoint import Endpoint, Security
from smtp_wizard.engine.base.secret import Oddity, Secret
from smtp_wizard.engine.base.shown import phrase, shown
from smtp_wizard.engine.mailbox.faults import ImapFailed, MailboxFault
from smtp_wizard.engine.mailbox.findings import MailboxDescription, finding_of
from smtp_wizard.engine.sandbox.scenarios import practice_password
from smtp_wizard.engine.secrets.keyring import KEYRING_LIMIT
from smtp_wizard.engine.secrets.store_kinds import StoreKind, StoreRef
from smtp_wizard.engine.secrets.stores import SecretStores
from smtp_wizard.engine.state.state import State
from tests.commands.test_send import RELAY
from tests.support.certs import Authority
from tests.support.checking import OFFER, SIGNED_IN, starttls_up_to_handshake
from tests.support.cli import PROGRAM, Ran, run, run_process
from tests.support.misbehaving import Expect, Hold, MisbehavingServer, Send, StartTls, Step
from tests.support.patience import PATIENCE
from tests.support.state import rows_of
from tests.support.stores import ForgetfulBackend, HangingBackend, MemoryBackend, RaisingBackend, desktop

pytestmark = pytest.mark.usefixtures("any_password")

PASSWORD = "correct horse battery"
PRACTICE = ("setup", "ana@sandbox.test", "--password-stdin")
IN_THE_KEYRING = (*PRACTICE, "--save", "Office", "--store", "keyring")


@pytest.fixture
def saved_accounts(own_home: Path) -> SavedAccounts:
    return SavedAccounts(own_home / "config")


@pytest.fixture
def file(saved_accounts: SavedAccounts) -> Path:
    """The file of the accounts, with one account in it whose password is kept nowhere."""
    saved_accounts.put(replace(RELAY, store=StoreRef(StoreKind.SESSION, "Office/password")))
    return saved_accounts._folder / FILE_NAME


def is_a_sentence(text: str) -> bool:
    """Whether a person gets one paragraph in words, and nothing of the program's insides."""
    return (
        text.endswith((".", "?")) and len(text) < 400 and not re.search(r"Traceback|Error\(|\bNone\b|\\x|errno", text)
    )


def names_in(folder: Path) -> list[str]:
    return sorted(each.name for each in folder.iterdir())


# --- what is typed ---


@pytest.mark.parametrize("typed", ["", "ana", "ana@", "@example.com", "ana@exa mple.com", "a@b@c.com", "ana@-x.com"])
def test_an_address_that_is_none_is_said(typed: str) -> None:
    for arguments in (("setup", typed), ("setup", "ana@sandbox.test", "--from", typed or "x")):
        ran = run(*arguments, "--json")
        assert (ran.code, ran.error["code"]) == (2, "usage")
        assert is_a_sentence(ran.error["message"])


HOSTS = {
    "http://smtp.example.com": "without http://",
    "https://smtp.example.com/": "without http://",
    "smtp example.com": "no blanks",
    "smtp.example.com/mail": "without a slash",
    "smtp_1.example.com": "no underscore (_)",
    "ana@example.com": "That is an e-mail address.",
    "smtp..example.com": "is not a server name",
    "smtp-.example.com": "is not a server name",
    "smtp.example.com\x1b[2J": "is not a server name",
    "\u2603\u200b": "",
    "": "Type the name of the outgoing mail server",
}


@pytest.mark.parametrize(("typed", "words"), HOSTS.items(), ids=map(repr, HOSTS))
def test_a_host_that_is_none_is_said(typed: str, words: str) -> None:
    for arguments in (("check", typed), ("setup", "ana@example.com", "--host", typed)):
        ran = run(*arguments, "--json")
        assert (ran.code, ran.document["schema"]) == (2, "smtp-wizard/error/1")
        assert words in ran.error["message"]
        assert "\x1b" not in ran.err


def test_a_host_in_letters_of_any_script_is_a_host() -> None:
    """The name is asked for as the DNS knows it (RFC 5891); upper case and the dot at its end are no fault."""
    ran = run("check", "SMTP.B\u00fccher.test.", "--json")
    assert ran.code == 1
    assert {each["host"] for each in ran.document["results"]} == {"smtp.xn--bcher-kva.test"}
    sharp = run("check", "stra\u00dfe.test:587", "--json")
    assert sharp.result["host"] == "xn--strae-oqa.test"


@pytest.mark.parametrize("typed", ["abc", "0", "99999", "65536", "-1", "5 87", "587.0", "\u0665\u0668\u0667", ""])
def test_a_port_that_is_none_is_said(typed: str) -> None:
    for arguments in (("check", f"smtp.example.com:{typed}"), ("setup", "ana@example.com", "--port", typed)):
        ran = run(*arguments, "--json")
        assert ran.code == 2
        assert "A port is a number from 1 to 65535. Most servers use 587 or 465." in ran.error["message"]


def test_a_server_on_this_computer_is_not_taken_for_the_practice_server() -> None:
    ran = run("check", "127.0.0.1:9", "--json")
    assert ran.code == 1
    assert "ractice" not in ran.out


# --- passwords ---

PASSWORDS = {
    "blanks inside": "correct horse battery",
    "blanks around": "  two on each side  ",
    "a line end": "first\nsecond",
    "a Windows line end": "first\r\nsecond",
    "a no-break space": "ab\u00a0cd",
    "quotes": "'single' \"double\" `back`",
    "percent and dollar": "100%s %(x)s $HOME ${PATH} $(id)",
    "backslashes": "C:\\new\\x00",
    "not ASCII": "p\u00e4\u00df\u043f\u0430\u0440\u043e\u043b\u044c \u5bc6\u7801 \U0001f511",
    "an accent of its own": "cafe\u0301",
    "4,096 letters": "x" * 4095 + "y",
    "looks like an option": "--password-env",
}


def recording(authority: Authority, *, long: bool = False) -> list[Step]:
    """Play a server that lets everybody in; a long password comes in a line of its own (RFC 4954 section 4)."""
    context = authority.issue("127.0.0.1").context()
    up_to_auth = [*starttls_up_to_handshake(), StartTls(context), Expect(rb"EHLO .*"), OFFER]
    in_two_steps = [Expect(rb"AUTH PLAIN"), Send(b"334 \r\n"), Expect(rb"[A-Za-z0-9+/=]+")]
    return [*up_to_auth, *(in_two_steps if long else [Expect(rb"AUTH PLAIN \S+")]), SIGNED_IN, Hold()]


def arrived(server: MisbehavingServer) -> list[str]:
    """The passwords that were shown to the server."""
    shown = re.findall(rb"AUTH PLAIN\s+(\S+)", server.received)
    return [base64.b64decode(each).split(b"\0")[2].decode() for each in shown]


async def set_up(server: MisbehavingServer, authority: Authority, password: str, *more: str) -> Ran:
    arguments = ["setup", "ana@example.com", "--host", "127.0.0.1", "--port", str(server.port)]
    arguments += ["--security", "starttls", "--username", "ana", "--ca-file", str(authority.file), "--password-stdin"]
    return await asyncio.to_thread(run, *arguments, "--json", *more, stdin=f"{password}\n")


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return Authority(tmp_path / "ca")


@pytest.fixture
def backend(monkeypatch: pytest.MonkeyPatch) -> MemoryBackend:
    """A desktop's keyring, in memory."""
    backend = desktop()
    monkeypatch.setattr("keyring.get_keyring", lambda: backend)
    return backend


@pytest.mark.parametrize("password", PASSWORDS.values(), ids=PASSWORDS.keys())
async def test_a_password_arrives_as_it_was_given_and_again_from_the_keyring(
    authority: Authority, backend: MemoryBackend, password: str
) -> None:
    async with MisbehavingServer(recording(authority, long=len(password) > 300)) as server:
        saved = await set_up(server, authority, password, "--save", "Office")
        again = await asyncio.to_thread(run, "test", "Office", "--json")
    assert (saved.code, again.code) == (0, 0)
    assert arrived(server) == [password, password]
    assert password not in saved.out + saved.err + again.out + again.err


@pytest.mark.parametrize("password", PASSWORDS.values(), ids=PASSWORDS.keys())
def test_the_practice_server_takes_each_of_them(password: str) -> None:
    assert run(*PRACTICE, "--json", stdin=f"{password}\n").code == 0


@pytest.mark.parametrize(
    ("password", "words"),
    [
        (" hunter22", "a blank at its beginning or end"),
        ("hunter22 ", "a blank at its beginning or end"),
        ("hunter22\n", "a line end"),
        ("hunter22\r\nsecond", "a line end"),
        ("hunter22\u00a0break", "a blank of the kind that web pages have"),
        ("hunter22\u2007space", "a blank of the kind that web pages have"),
        ("hunter22\u200bwidth", "a character that cannot be seen"),
        ("hunter22\tab", "a character that cannot be seen"),
        (" hunter22\u00a0of\u200bthem\n", "beginning or end and a line end and a blank of the kind"),
    ],
)
def test_what_often_came_along_by_copying_is_warned_of_and_kept(password: str, words: str) -> None:
    ran = run(*PRACTICE, "--json", stdin=f"{password}\n")
    assert ran.code == 0
    assert words in ran.err
    assert "It is used as it is" in ran.err
    assert "hunter22" not in ran.err + ran.out


@pytest.mark.parametrize("name", ["blanks inside", "quotes", "percent and dollar", "not ASCII", "4,096 letters"])
def test_nothing_is_said_of_what_is_usual(name: str) -> None:
    assert Secret(PASSWORDS[name]).oddities == ()
    assert "It is used as it is" not in run(*PRACTICE, stdin=f"{PASSWORDS[name]}\n").err


def test_every_oddity_has_its_words() -> None:
    assert set(Secret(" a\nb\u00a0c\u200b ").oddities) == set(Oddity)


@pytest.mark.parametrize(
    "pasted",
    ["abcd efgh ijkl mnop", "abcd\u00a0efgh\u00a0ijkl\u00a0mnop", " abcdefghijklmnop\r\n", "abcd\tefghijklmnop"],
)
async def test_an_app_password_is_tidied_and_not_warned_of(authority: Authority, pasted: str) -> None:
    async with MisbehavingServer(recording(authority)) as server:
        ran = await set_up(server, authority, pasted, "--provider", "gmail", "--path", "app-password")
    assert (ran.code, arrived(server)) == (0, ["abcdefghijklmnop"])
    assert "It is used as it is" not in ran.err


async def test_what_has_not_the_shape_of_an_app_password_is_left_alone(authority: Authority) -> None:
    async with MisbehavingServer(recording(authority)) as server:
        ran = await set_up(server, authority, " my usual one", "--provider", "gmail", "--path", "app-password")
    assert arrived(server) == [" my usual one"]
    assert "a blank at its beginning or end" in ran.err


def test_a_password_that_sasl_cannot_carry_is_a_finding() -> None:
    """A zero byte parts the words of PLAIN (RFC 4616)."""
    ran = run(*PRACTICE, "--json", stdin="before\0after")
    assert (ran.code, ran.stages[-1][1]) == (1, "fail")
    assert len(ran.result["findings"]) == 1


# --- the file of the accounts ---

READING = (
    ("accounts",),
    ("accounts", "show", "Office"),
    ("test", "Office"),
    ("send", "Office", "--to", "b@example.org"),
)
CHANGING = (
    ("accounts", "remove", "Office", "--yes"),
    ("accounts", "rename", "Office", "Shop"),
    ("accounts", "duplicate", "Office"),
    ("accounts", "edit", "Office", "--sender-name", "Ana"),
    ("accounts", "password", "Office", "--password-stdin"),
    (*PRACTICE, "--store", "session", "--save", "New"),
    (*PRACTICE, "--store", "session", "--save", "Office", "--replace"),
)

DAMAGE: dict[str, Callable[[Path], object]] = {
    "cut off": lambda file: file.write_bytes(file.read_bytes()[:-20]),
    "empty": lambda file: file.write_bytes(b""),
    "binary": lambda file: file.write_bytes(bytes(range(256))),
    "from a newer version": lambda file: file.write_bytes(file.read_bytes().replace(b'"version": 2', b'"version": 3')),
}


@pytest.mark.parametrize("damage", DAMAGE)
@pytest.mark.parametrize("arguments", [*READING, *CHANGING], ids=" ".join)
def test_a_file_that_cannot_be_understood_is_said_and_left_as_it_is(
    file: Path, damage: str, arguments: tuple[str, ...]
) -> None:
    DAMAGE[damage](file)
    before = file.read_bytes()
    ran = run(*arguments, "--json", stdin=PASSWORD)
    assert (ran.code, ran.error["code"]) == (3, "accounts")
    assert is_a_sentence(ran.error["message"])
    assert str(file) in ran.error["message"]
    assert "left as it is" in ran.error["message"] or "left as it was" in ran.error["message"]
    assert (file.read_bytes(), PASSWORD in ran.err + ran.out) == (before, False)


@pytest.mark.parametrize("arguments", [*READING, *CHANGING], ids=" ".join)
def test_a_folder_in_the_files_place_is_said_and_left(file: Path, arguments: tuple[str, ...]) -> None:
    file.unlink()
    file.mkdir()
    (file / "mine").write_text("kept", "utf-8")
    ran = run(*arguments, "--json", stdin=PASSWORD)
    assert (ran.code, ran.error["code"]) == (3, "accounts")
    assert "Is a directory" in ran.error["message"]
    assert (file / "mine").read_text("utf-8") == "kept"


@pytest.mark.parametrize("arguments", CHANGING[:3] + CHANGING[5:], ids=" ".join)
def test_a_read_only_file_is_read_and_not_changed(file: Path, arguments: tuple[str, ...]) -> None:
    file.chmod(0o400)
    before = file.read_bytes()
    assert run("accounts", "--json").code == 0
    ran = run(*arguments, "--json", stdin=PASSWORD)
    assert (ran.code, ran.error["code"]) == (3, "accounts")
    assert "Permission denied; nothing there was changed." in ran.error["message"]
    assert (file.read_bytes(), file.stat().st_mode & 0o777) == (before, 0o400)


def test_a_file_that_is_not_understood_keeps_the_password_out_of_the_keyring(
    file: Path, backend: MemoryBackend
) -> None:
    file.write_bytes(b"{")
    ran = run(*PRACTICE, "--store", "keyring", "--save", "Office", "--replace", "--json", stdin=PASSWORD)
    assert (ran.code, backend.entries) == (3, {})


# --- a full disk ---


def full() -> None:
    """Let no file of this process grow beyond what the kernel takes for full."""
    resource.setrlimit(resource.RLIMIT_FSIZE, (300, 300))


@pytest.mark.parametrize("arguments", CHANGING[1:3], ids=" ".join)
def test_a_disk_that_takes_no_more_leaves_the_old_file_and_exits_3(file: Path, arguments: tuple[str, ...]) -> None:
    before = file.read_bytes()
    # Else Python leaves compiled modules that are cut off, and whatever is run next fails by them.
    environ = {**os.environ, "PYTHONDONTWRITEBYTECODE": "1"}
    done = subprocess.run(
        [*PROGRAM, *arguments],
        preexec_fn=full,
        env=environ,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 3, done.stderr
    assert "could not be saved" in done.stderr
    assert "nothing there was changed." in done.stderr
    assert file.read_bytes() == before
    assert not list(file.parent.glob(".*.scratch"))


@contextmanager
def mounted(disk: Path, size: str) -> Iterator[Path]:
    """Mount a file system of that size in memory."""
    disk.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", str(disk)], check=True)
    try:
        yield disk
    finally:
        subprocess.run(["umount", str(disk)], check=True)


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 64 KiB in memory."""
    with mounted(tmp_path / "disk", "64k") as disk:
        yield disk


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """A file system with room for a file of results."""
    with mounted(tmp_path / "disk", "512k") as disk:
        yield disk


def fill(disk: Path) -> None:
    """Write until there is no room left."""
    with (disk / "filler").open("wb", buffering=0) as filler, suppress(OSError):
        while True:
            filler.write(b"x" * 1024)
    assert shutil.disk_usage(disk).free == 0


@pytest.mark.real
async def test_a_full_disk_leaves_the_old_file_and_exits_3(small_disk: Path, authority: Authority) -> None:
    config = small_disk / "config"
    saved_accounts = SavedAccounts(config)
    saved_accounts.put(RELAY)
    file = config / FILE_NAME
    before = file.read_bytes()
    fill(small_disk)
    for arguments in CHANGING[1:3]:
        ran = await asyncio.to_thread(run, "--config", str(config), *arguments, "--json")
        assert (ran.code, "No space left on device" in ran.error["message"]) == (3, True)
    async with MisbehavingServer(recording(authority)) as server:
        more = ("--store", "session", "--save", "New")
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("SMTP_WIZARD_CONFIG", str(config))
            ran = await set_up(server, authority, PASSWORD, *more)
    assert (ran.code, "No space left on device" in ran.error["message"]) == (3, True)
    assert file.read_bytes() == before
    assert names_in(config) == [FILE_NAME, f"{FILE_NAME}.lock", "state.sqlite3"]


async def twice(config: Path, authority: Authority, file: Path) -> Ran:
    """Test the relay of a config folder with the password from a file elsewhere; the server takes it."""
    file.touch(0o600)
    file.write_text(PASSWORD, "utf-8")
    async with MisbehavingServer(recording(authority)) as server:
        relay = replace(
            RELAY,
            connection=replace(
                RELAY.connection,
                endpoint=Endpoint("127.0.0.1", server.port, Security.STARTTLS),
                username="ana",
                auth=Auth.PASSWORD,
                ca_file=str(authority.file),
            ),
            store=StoreRef(StoreKind.FILE, str(file)),
        )
        SavedAccounts(config).put(relay, replacing=True)
        assert (await asyncio.to_thread(run, "--config", str(config), "test", "--json")).code == 0
        return await asyncio.to_thread(run, "--config", str(config), "test", "--json")


@pytest.mark.real
async def test_a_full_disk_hides_no_result(disk: Path, authority: Authority, tmp_path: Path) -> None:
    """The first test has made the file and filled it; the second finds no room."""
    config = disk / "config"
    with pytest.MonkeyPatch.context() as patch:
        kept = State.flush

        def and_then_full(state: State, *limit: float) -> tuple[str, ...]:
            said = kept(state, *limit)
            if not (disk / "filler").exists():
                fill(disk)
            return said

        patch.setattr(State, "flush", and_then_full)
        ran = await twice(config, authority, tmp_path / "secret")
    assert (ran.code, ran.result["verdict"]) == (0, "pass")
    (line,) = ran.err.splitlines()
    assert line.startswith("smtp-wizard: Results and refused sign-ins could not be kept in ")
    assert is_a_sentence(line)
    (disk / "filler").unlink()
    assert len(rows_of(config, "results")) == 1


@pytest.mark.real
async def test_a_folder_that_cannot_be_written_hides_no_result(
    disk: Path, authority: Authority, tmp_path: Path
) -> None:
    """As a container mounts it; what was learnt before is shown."""
    config = disk / "config"
    with pytest.MonkeyPatch.context() as patch:
        kept = State.flush

        def and_then_read_only(state: State, *limit: float) -> tuple[str, ...]:
            said = kept(state, *limit)
            subprocess.run(["mount", "-o", "remount,ro", str(disk)], check=True)
            return said

        patch.setattr(State, "flush", and_then_read_only)
        ran = await twice(config, authority, tmp_path / "secret")
    assert (ran.code, ran.result["verdict"]) == (0, "pass")
    (line,) = ran.err.splitlines()
    assert line.startswith("smtp-wizard: Results and refused sign-ins could not be kept in ")
    assert line.endswith("it cannot be opened, or nothing can be written beside it.")
    listed = run("--config", str(config), "accounts", "--json")
    assert (listed.err, listed.document["accounts"][0]["last"]["verdict"]) == ("", "pass")
    assert len(rows_of(config, "results", mode="ro&immutable=1")) == 1


@pytest.mark.parametrize(
    "arguments", [("accounts",), ("accounts", "show", "Office"), ("accounts", "rename", "Office", "B")]
)
def test_a_file_of_results_that_is_damaged_hides_no_account(file: Path, arguments: tuple[str, ...]) -> None:
    (file.parent / "state.sqlite3").write_text("no database", "utf-8")
    ran = run(*arguments, "--json")
    assert ran.code == 0
    assert ran.err.splitlines()
    assert all(is_a_sentence(line) and "state.sqlite3" in line for line in ran.err.splitlines())


# --- several writers, and one that is killed ---


def run_python(script: str, *arguments: str) -> str:
    """Run a script in a process of its own; return what it printed."""
    command = [sys.executable, "-c", textwrap.dedent(script), *arguments]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=100, check=False)
    assert ended.returncode == 0, ended.stderr
    return ended.stdout


WRITER = """
import sys
from smtp_wizard import cli
for number in range(50):
    assert cli.main(["accounts", "duplicate", "Office", "--as", f"{sys.argv[1]} {number}"]) == 0
"""


def test_two_writers_with_50_saves_each_make_100_accounts(file: Path, saved_accounts: SavedAccounts) -> None:
    writers = [
        subprocess.Popen([sys.executable, "-c", WRITER, name], stderr=subprocess.PIPE, text=True)
        for name in ("left", "right")
    ]
    ended = [writer.communicate(timeout=100) for writer in writers]
    assert [writer.returncode for writer in writers] == [0, 0], ended
    expected = {f"{side} {number}" for side in ("left", "right") for number in range(50)}
    assert {account.name for account in saved_accounts.list()} == {"Office"} | expected


KILLING = """
    import os, signal, sys, time
    from dataclasses import replace
    from pathlib import Path
    from smtp_wizard.engine.accounts.saved_accounts import FILE_NAME, SavedAccounts
    from smtp_wizard.engine.accounts.account_file import contents_to_bytes

    folder = Path(sys.argv[1])
    saved_accounts = SavedAccounts(folder)
    seed = saved_accounts.get("Office")

    def account(number):
        told = replace(seed.identity, sender_name=str(number), company_name=f"{number} " * 5000)
        return replace(seed, identity=told)

    saved_accounts.put(account(0), replacing=True)
    before = time.monotonic()
    saved_accounts.put(account(0), replacing=True)
    one_save = time.monotonic() - before
    last = half_way = 0
    for attempt in range(100):
        begun, tell = os.pipe()
        writer = os.fork()
        if writer == 0:
            while True:
                last += 1
                saved_accounts.put(account(last), replacing=True)
                os.write(tell, b"x")
        os.read(begun, 1)
        time.sleep(attempt % 20 / 10 * one_save)
        os.kill(writer, signal.SIGKILL)
        os.waitpid(writer, 0)
        os.close(begun), os.close(tell)
        number = int(saved_accounts.get("Office").identity.sender_name)
        assert number > last, (number, last)
        assert (folder / FILE_NAME).read_bytes() == contents_to_bytes([account(number)]), attempt
        half_way += bool(list(folder.glob(".*.scratch")))
        last = number
    print(last, half_way)
"""


def test_a_writer_that_is_killed_100_times_leaves_the_old_file_or_the_new_one(
    file: Path, saved_accounts: SavedAccounts
) -> None:
    saves, half_way = map(int, run_python(KILLING, str(file.parent)).split())
    assert saves >= 100
    assert half_way > 0, "no kill came in the middle of a save: the test has proved nothing"
    saved_accounts.put(replace(saved_accounts.get("Office"), name=phrase("Next")))
    assert names_in(file.parent) == [FILE_NAME, f"{FILE_NAME}.lock"]


# --- the keyring ---


def no_backend() -> MemoryBackend:
    import keyring.errors

    raise keyring.errors.NoKeyringError("no backend")


def locked() -> MemoryBackend:
    import keyring.errors

    return desktop(RaisingBackend(problem=keyring.errors.KeyringLocked("locked")))


KEYRINGS: dict[str, Callable[[], MemoryBackend]] = {
    "absent": no_backend,
    "locked": locked,
    "forgets": lambda: desktop(ForgetfulBackend()),
}


def names_the_other_stores(text: str) -> bool:
    return all(f"--store {kind.value}" in text for kind in StoreKind if kind is not StoreKind.KEYRING)


@pytest.mark.parametrize("trouble", KEYRINGS)
def test_a_keyring_that_cannot_be_used_is_said_with_the_other_stores(
    monkeypatch: pytest.MonkeyPatch, saved_accounts: SavedAccounts, trouble: str
) -> None:
    monkeypatch.setattr("keyring.get_keyring", KEYRINGS[trouble])
    ran = run(*IN_THE_KEYRING, "--json", stdin=PASSWORD)
    assert (ran.code, ran.error["code"]) == (3, f"secret-{trouble}")
    assert is_a_sentence(ran.error["message"])
    assert names_the_other_stores(ran.error["hint"])
    assert saved_accounts.list() == ()
    assert run(*PRACTICE, "--save", "Office", "--store", "session", stdin=PASSWORD).code == 0


@pytest.fixture
def mute(monkeypatch: pytest.MonkeyPatch) -> Iterator[HangingBackend]:
    """A keyring that does not answer, and less patience than a person has."""
    backend = HangingBackend(in_reading=True)
    hanging = desktop(backend)
    monkeypatch.setattr("keyring.get_keyring", lambda: hanging)
    monkeypatch.setattr("smtp_wizard.engine.secrets.stores.SecretStores", partial(SecretStores, keyring_limit=0.2))
    yield backend
    backend.release.set()
    for thread in threading.enumerate():
        if thread.name == "smtp-wizard keyring":
            thread.join()


def test_a_keyring_that_does_not_answer_is_waited_for_once_and_not_long(
    mute: HangingBackend, saved_accounts: SavedAccounts
) -> None:
    assert KEYRING_LIMIT <= 8.0
    ran = run(*IN_THE_KEYRING, "--json", stdin=PASSWORD)
    assert (ran.code, ran.error["code"]) == (3, "secret-mute")
    assert "did not answer within 0.2 seconds" in ran.error["message"]
    assert names_the_other_stores(ran.error["hint"])
    assert saved_accounts.list() == ()


def test_a_mute_keyring_holds_neither_a_test_nor_a_move(mute: HangingBackend, saved_accounts: SavedAccounts) -> None:
    kept = StoreRef(StoreKind.KEYRING, "Office/password")
    account: Account = replace(
        RELAY, store=kept, connection=replace(RELAY.connection, auth=Auth.PASSWORD, username="ana")
    )
    saved_accounts.put(account)
    tested = run("test", "Office", "--json")
    assert (tested.code, tested.error["code"]) == (3, "secret-mute")
    assert names_the_other_stores(tested.error["hint"])
    renamed = run("accounts", "rename", "Office", "Shop", "--json")
    assert (renamed.code, renamed.error["code"]) == (3, "secret-mute")
    assert saved_accounts.list() == (account,)


def test_the_end_of_the_program_does_not_wait_for_a_mute_keyring(own_home: Path) -> None:
    """The real limit is cut short by --timeout; the process must be gone, not only its answer."""
    program = textwrap.dedent("""
        import functools, sys, threading, keyring
        keyring.get_keyring = lambda: threading.Event().wait()
        from smtp_wizard.engine.secrets import stores
        stores.SecretStores = functools.partial(stores.SecretStores, keyring_limit=0.2)
        from smtp_wizard.cli import main
        sys.exit(main(sys.argv[1:]))
    """)
    arguments = [*IN_THE_KEYRING, "--json"]
    done = subprocess.run(
        [sys.executable, "-c", program, *arguments],
        input=practice_password(),
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )
    assert (done.returncode, '"secret-mute"' in done.stdout) == (3, True)


def test_a_fault_reaches_the_person_the_same_way_from_a_process_of_its_own(file: Path) -> None:
    file.write_bytes(b"{")
    ran = run_process("accounts")
    assert (ran.code, ran.out) == (3, "")
    assert is_a_sentence(ran.err.strip().splitlines()[0])


@pytest.mark.parametrize("said", ["NO app password required", "Try again later."])
def test_the_guide_is_named_in_a_sentence_of_its_own(said: str) -> None:
    problem = ImapFailed(MailboxFault.APP_PASSWORD, server=shown(said))
    words = next_steps(
        finding_of(problem, MailboxDescription(server=shown("imap.x.example:993"), address=shown("a@x")))
    )
    assert words.endswith(f" The server said: {said.rstrip('.')}. See 'smtp-wizard guide app-password'.")
