"""What a command prints and what a file holds: followed safely, compared, and never told."""

from __future__ import annotations

import asyncio
import os
import re
import shlex
import stat
import struct
import sys
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any
from unittest.mock import Mock

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smtp_wizard.engine.base.errors import InputError
from smtp_wizard.engine.base.secret import Secret
from smtp_wizard.engine.secrets.command import CommandStore, parse_command
from smtp_wizard.engine.secrets.file import FileStore, parse_secret_file
from smtp_wizard.engine.secrets.reference_stores import ReferenceStore
from smtp_wizard.engine.secrets.secret_store import SecretError, SecretFault
from smtp_wizard.engine.secrets.store_kinds import StoreKind, StoreRef
from smtp_wizard.engine.secrets.stores import SecretStores
from tests.support.leaks import assert_no_trace
from tests.support.owners import STRANGER, give_away
from tests.support.processes import ended
from tests.support.walk import until

PASSWORD = "pä$$ 'wörd\" %40"
SECRET = Secret(PASSWORD)


def printing(program: str) -> str:
    """Return a command that runs a line of Python."""
    return shlex.join([sys.executable, "-c", program])


def commands(**more: Any) -> CommandStore:
    return CommandStore(os.environ, **more)


def private(path: Path, content: str | bytes = f"{PASSWORD}\n") -> Path:
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    path.chmod(0o600)
    return path


async def trouble_of(work: Any) -> SecretError:
    with pytest.raises(SecretError) as caught:
        await work
    told = "".join(traceback.format_exception(caught.value)) + repr(caught.value)
    assert_no_trace(PASSWORD, told)
    assert str(caught.value).endswith(".")
    assert "\n" not in str(caught.value)
    return caught.value


# -- commands ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("program", "secret"),
    [
        (f"print({PASSWORD!r})", PASSWORD),
        (f"print({PASSWORD!r}); print('user: ana')", PASSWORD),
        ("print('  blanks  ', end='')", "  blanks  "),
        ("import sys; sys.stdout.buffer.write(b'one\\r\\ntwo')", "one"),
        (f"import sys; print({PASSWORD!r}); print({PASSWORD!r}, file=sys.stderr)", PASSWORD),
    ],
)
async def test_the_first_line_is_the_secret(program: str, secret: str, capfd: pytest.CaptureFixture[str]) -> None:
    assert await commands().read(printing(program)) == Secret(secret)
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize(
    ("program", "words"),
    [
        (f"import sys; print({PASSWORD!r}, file=sys.stderr); sys.exit(3)", "gave up (exit code 3); run it by hand"),
        ("import os; os.kill(os.getpid(), 9)", "gave up (signal 9)"),
        ("pass", "gave no password"),
        ("print()", "gave no password"),
        ("import sys; sys.stdout.buffer.write(b'\\xff\\xfe')", "gave no UTF-8 text"),
        ("print('x' * 70000)", "gave far more than a password"),
        ("while True: print('x' * 1000)", "gave far more than a password"),
    ],
)
async def test_what_goes_wrong_is_one_sentence(program: str, words: str) -> None:
    problem = await trouble_of(commands().read(printing(program)))
    assert problem.fault is SecretFault.UNREADABLE
    assert words in str(problem)
    assert "print(" not in str(problem)


async def test_a_program_that_is_not_there_is_named() -> None:
    problem = await trouble_of(commands().read("no-such-password-manager show mail"))
    assert "no-such-password-manager could not be run: No such file" in str(problem)


async def test_a_command_that_never_ends_is_ended_with_all_that_it_started(tmp_path: Path) -> None:
    """The child of the command holds the pipe open, and would outlive it."""
    # A shell, which has begun the child long before the time is over, also on a busy computer.
    program = f"sleep 600 & echo $! >'{tmp_path}/pid'; wait"
    problem = await trouble_of(commands(limit=3.0).read(shlex.join(["sh", "-c", program])))
    assert "was not done within 3 seconds" in str(problem)
    number = int((tmp_path / "pid").read_text())
    while _alive(number):
        await asyncio.sleep(0.001)


def _alive(number: int) -> bool:
    """Whether a process runs; one that is dead and not yet buried does not."""
    try:
        return Path(f"/proc/{number}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


async def test_a_command_has_no_terminal_no_input_and_no_key_agents_way_to_ours() -> None:
    program = (
        "import os, sys\n"
        "try: os.open('/dev/tty', os.O_RDWR); tty = 'a terminal'\n"
        "except OSError: tty = 'none'\n"
        "print(tty, sys.stdin.read() == '', os.getsid(0) == os.getpid(), os.environ.get('GPG_TTY'))"
    )
    store = CommandStore({**os.environ, "GPG_TTY": "/dev/pts/1"})
    assert (await store.read(printing(program))).reveal() == "none True True None"


async def test_a_command_takes_nothing_of_what_is_meant_for_us() -> None:
    """A password that is about to be read from standard input, or the answer to the next question."""
    reading, writing = os.pipe()
    os.write(writing, b"meant for us\n")
    os.close(writing)
    ours = os.dup(0)
    os.dup2(reading, 0)
    try:
        given = await commands().read(printing("import sys; print('got', repr(sys.stdin.read()))"))
        assert (given.reveal(), os.read(0, 100)) == ("got ''", b"meant for us\n")
    finally:
        os.dup2(ours, 0)
        os.close(ours)
        os.close(reading)


async def test_no_shell_reads_the_command(tmp_path: Path) -> None:
    where = parse_command(f"{shlex.quote(sys.executable)} -c 'import sys; print(sys.argv[1])' 'a $(touch x); * `id`'")
    assert (await commands().read(where)).reveal() == "a $(touch x); * `id`"


async def test_the_home_folder_is_understood(own_home: Path) -> None:
    where = parse_command(f"{shlex.quote(sys.executable)} -c 'import sys; print(sys.argv[1:])' ~/key ~x a~/b")
    assert (await commands().read(where)).reveal() == f"['{own_home}/key', '~x', 'a~/b']"


@given(st.lists(st.text(st.characters(exclude_categories=("Cc", "Cs")), max_size=20), min_size=1, max_size=6))
def test_the_words_of_a_command_survive_being_saved(words: list[str]) -> None:
    try:
        where = parse_command(shlex.join(words))
    except InputError:
        return
    assert shlex.split(where) == words
    assert parse_command(where) == where


@pytest.mark.parametrize(
    ("typed", "words"),
    [
        ("", "for example: pass show"),
        ("   ", "for example: pass show"),
        ("''", "for example: pass show"),
        ("pass 'show", "quotation mark is open"),
        ("pass show x | head -1", "No shell runs the command, so '|'"),
        ("cat < file", "so '<'"),
        ("echo $(cat file)", r"No shell"),
        ("pass show x\nrm y", "on one line"),
        ("pass " + "x" * 1000, "at most 1000"),
    ],
)
def test_what_only_a_shell_understands_is_refused(typed: str, words: str) -> None:
    with pytest.raises(InputError) as caught:
        parse_command(typed)
    assert words in str(caught.value)


async def test_a_command_with_the_password_in_it_is_not_saved() -> None:
    store = commands()
    for where in (printing("print('correct horse')"), shlex.join(["echo", "correct horse"])):
        problem = await trouble_of(store.put(StoreRef(store.kind, where), Secret("correct horse")))
        assert "correct horse" not in str(problem)
        assert problem.fault is SecretFault.REFUSED


@pytest.mark.parametrize(
    ("where", "secret"),
    [
        ("""echo 'it'"'"'s a secret'""", "it's a secret"),  # only once its quotes are taken off
        ("echo 'a b' c", "'a b' c"),  # only as it is written
    ],
)
async def test_the_password_is_found_in_a_command_however_it_is_quoted(where: str, secret: str) -> None:
    problem = await trouble_of(commands().put(StoreRef(StoreKind.COMMAND, where), Secret(secret)))
    assert "which would be saved in clear" in str(problem)


async def test_a_password_of_few_signs_may_stand_in_a_command_by_chance() -> None:
    """Every second command has an 'a' in it."""
    where = printing("print('a')")
    await commands().put(StoreRef(StoreKind.COMMAND, where), Secret("a"))


async def test_a_front_door_may_lend_its_terminal_to_a_command_that_gave_up() -> None:
    asked: list[list[str]] = []

    def lend(words: Any, environ: Any) -> tuple[bytes, int] | None:
        asked.append(list(words))
        return answers.pop()

    store = commands(lend=lend)
    answers: list[tuple[bytes, int] | None] = [(b"", 1), None, (PASSWORD.encode() + b"\n", 0)]
    where = printing("raise SystemExit(2)")
    assert await store.read(where) == SECRET
    assert "exit code 2" in str(await trouble_of(store.read(where)))
    assert "exit code 1" in str(await trouble_of(store.read(where)))
    assert asked == [shlex.split(where)] * 3
    assert await store.read(printing("print('works')")) == Secret("works")
    assert len(asked) == 3


async def test_what_a_command_has_started_ends_too_where_the_time_is_up_while_it_starts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The command runs already, and asyncio has not handed it over yet: neither it nor its child goes on."""
    marker, handed_over = tmp_path / "pid", asyncio.Event()
    create = asyncio.create_subprocess_exec

    async def slowly(*words: str, **how: Any) -> asyncio.subprocess.Process:
        process = await create(*words, **how)
        await handed_over.wait()
        return process

    monkeypatch.setattr(asyncio, "create_subprocess_exec", slowly)
    command = shlex.join(["sh", "-c", f"sleep 600 & echo $! > {marker}; wait"])
    reading = asyncio.ensure_future(CommandStore(os.environ).read(command))
    await until(lambda: marker.exists() and marker.read_text("utf-8").endswith("\n"), lambda: "it never began")
    reading.cancel()
    asyncio.get_running_loop().call_soon(handed_over.set)
    with pytest.raises(asyncio.CancelledError):
        await reading
    assert ended(int(marker.read_text("utf-8")))


# -- files -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("content", "secret"),
    [
        (f"{PASSWORD}\n", PASSWORD),
        (PASSWORD, PASSWORD),
        ("one\r\ntwo\n", "one"),
        ("  blanks  \n", "  blanks  "),
    ],
)
async def test_the_first_line_of_a_private_file_is_the_secret(content: str, secret: str, tmp_path: Path) -> None:
    where = parse_secret_file(str(private(tmp_path / "secret", content)))
    assert await FileStore({}).read(where) == Secret(secret)


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o644, 0o660, 0o602, 0o610, 0o666, 0o700 | 0o001])
async def test_a_file_that_others_can_read_or_write_is_refused(mode: int, tmp_path: Path) -> None:
    path = private(tmp_path / "secret")
    path.chmod(mode)
    problem = await trouble_of(FileStore({}).read(str(path)))
    assert problem.fault is SecretFault.EXPOSED
    assert "chmod 600" in str(problem)


async def test_a_link_is_judged_by_what_it_leads_to(tmp_path: Path) -> None:
    path = private(tmp_path / "secret")
    (tmp_path / "link").symlink_to(path)
    assert await FileStore({}).read(str(tmp_path / "link")) == SECRET
    path.chmod(0o644)
    assert (await trouble_of(FileStore({}).read(str(tmp_path / "link")))).fault is SecretFault.EXPOSED


async def test_the_file_is_judged_by_what_was_opened(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Somebody changes the name while it is being opened: what counts is what is read."""
    path, open_for_all = private(tmp_path / "secret"), tmp_path / "planted"
    open_for_all.write_text("planted\n")
    open_for_all.chmod(0o644)
    whole = os.open

    def swapping(name: Any, *arguments: Any, **more: Any) -> int:
        if Path(name) == path:
            open_for_all.replace(path)
        return whole(name, *arguments, **more)

    monkeypatch.setattr(os, "open", swapping)
    assert (await trouble_of(FileStore({}).read(str(path)))).fault is SecretFault.EXPOSED


@pytest.mark.parametrize("mode", [0o777, 0o702, 0o772])
@pytest.mark.parametrize("up", ["inner", "outer"])
async def test_a_file_that_others_could_replace_is_refused(mode: int, up: str, tmp_path: Path) -> None:
    """Whoever may change a folder that leads to it could have us sign in with a password of theirs."""
    inner = tmp_path / "outer" / "inner"
    inner.mkdir(parents=True, mode=0o700)
    path = private(inner / "secret")
    folder = {"inner": inner, "outer": inner.parent}[up]
    assert await FileStore({}).read(str(path)) == SECRET
    folder.chmod(mode)
    problem = await trouble_of(FileStore({}).read(str(path)))
    assert problem.fault is SecretFault.EXPOSED
    assert "other users could put another file there" in str(problem)
    assert str(folder) in str(problem)
    assert re.search(r"'chmod (o|g|go)-w' on it", str(problem))
    folder.chmod(mode | stat.S_ISVTX)  # as /tmp: nobody may touch the files of others there
    assert await FileStore({}).read(str(path)) == SECRET


async def test_a_file_behind_a_strangers_folder_or_link_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder, link = tmp_path / "folder", tmp_path / "link"
    folder.mkdir(mode=0o755)
    path = private(folder / "secret")
    link.symlink_to(path)
    assert await FileStore({}).read(str(link)) == SECRET
    give_away(monkeypatch, link, user=STRANGER)
    assert "the link " in str(await trouble_of(FileStore({}).read(str(link))))
    assert await FileStore({}).read(str(path)) == SECRET
    give_away(monkeypatch, folder, user=STRANGER)
    problem = await trouble_of(FileStore({}).read(str(path)))
    assert (problem.fault, "who could put another file there" in str(problem)) == (SecretFault.EXPOSED, True)
    give_away(monkeypatch, path, user=STRANGER)
    if os.geteuid() == 0:  # root may read what is another user's, and that user's folder leads to it
        assert await FileStore({}).read(str(path)) == SECRET


def _pipe(path: Path) -> None:
    os.mkfifo(path, 0o600)


def _folder(path: Path) -> None:
    path.mkdir(0o700)


def _nothing(path: Path) -> None:
    assert not path.exists()


def _too_long(path: Path) -> None:
    private(path, "x" * 70000)


def _empty(path: Path) -> None:
    private(path, "")


def _other_bytes(path: Path) -> None:
    private(path, b"\xff\xfe\n")


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (_pipe, "is no file"),
        (_folder, "is no file"),
        (_nothing, "is not there"),
        (_too_long, "far more than a password"),
        (_empty, "gave no password"),
        (_other_bytes, "no UTF-8 text"),
    ],
)
async def test_what_is_no_file_with_a_password_is_said(
    make: Callable[[Path], None], words: str, tmp_path: Path
) -> None:
    make(tmp_path / "secret")
    assert words in str(await trouble_of(FileStore({}).read(str(tmp_path / "secret"))))


async def test_a_file_of_another_user_is_refused_unless_we_are_root(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = private(tmp_path / "secret")
    if os.geteuid() == 0:
        os.chown(path, 12345, -1)  # a file of root's is believed whoever asks
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    assert await FileStore({}).read(str(path)) == SECRET
    monkeypatch.setattr(os, "geteuid", lambda: os.getuid() + 54321)
    problem = await trouble_of(FileStore({}).read(str(path)))
    assert (problem.fault, "belongs to another user" in str(problem)) == (SecretFault.EXPOSED, True)


async def test_a_credential_of_a_service_is_found_where_the_service_has_it_now(tmp_path: Path) -> None:
    private(tmp_path / "mail")
    where = parse_secret_file("$CREDENTIALS_DIRECTORY/mail")
    assert where == "$CREDENTIALS_DIRECTORY/mail"
    assert await FileStore({"CREDENTIALS_DIRECTORY": str(tmp_path)}).read(where) == SECRET
    assert "only the service itself" in str(await trouble_of(FileStore({}).read(where)))


def acl(*entries: tuple[int, int, int]) -> bytes:
    return struct.pack("<I", 2) + b"".join(struct.pack("<HHI", *entry) for entry in entries)


NOBODY = 0xFFFFFFFF
US = os.geteuid()


@pytest.mark.parametrize(
    ("entries", "ours"),
    [
        ([(0x01, 4, NOBODY), (0x02, 4, US), (0x04, 0, NOBODY), (0x10, 4, NOBODY), (0x20, 0, NOBODY)], True),
        ([(0x01, 4, NOBODY), (0x02, 4, US + 1), (0x04, 0, NOBODY), (0x10, 4, NOBODY), (0x20, 0, NOBODY)], False),
        ([(0x01, 4, NOBODY), (0x02, 4, US), (0x04, 4, NOBODY), (0x10, 4, NOBODY), (0x20, 0, NOBODY)], False),
        ([(0x01, 4, NOBODY), (0x08, 4, 7), (0x04, 0, NOBODY), (0x10, 4, NOBODY), (0x20, 0, NOBODY)], False),
        # What the mask takes away from somebody else is no right of theirs.
        (
            [
                *[(0x01, 4, NOBODY), (0x02, 4, US), (0x02, 2, US + 1), (0x08, 2, 7)],
                *[(0x04, 0, NOBODY), (0x10, 4, NOBODY), (0x20, 0, NOBODY)],
            ],
            True,
        ),
        ([], False),
    ],
)
async def test_the_mask_of_an_access_list_that_lets_only_us_in_is_no_exposure(
    entries: list[tuple[int, int, int]], ours: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """How systemd hands a credential to a service that runs as a user of its own."""
    path = private(tmp_path / "secret")
    path.chmod(0o440)
    monkeypatch.setattr(os, "getxattr", lambda handle, name: acl(*entries), raising=False)
    if ours:
        assert await FileStore({}).read(str(path)) == SECRET
    else:
        assert (await trouble_of(FileStore({}).read(str(path)))).fault is SecretFault.EXPOSED


@pytest.mark.parametrize(
    "typed",
    [
        "",
        "  ",
        "$HOME/x",
        "$CREDENTIALS_DIRECTORY/../x",
        "$CREDENTIALS_DIRECTORY/..",
        "$CREDENTIALS_DIRECTORY/.",
        "$CREDENTIALS_DIRECTORY/",
        "a\0b",
    ],
)
def test_a_name_that_is_none_is_refused(typed: str) -> None:
    with pytest.raises(InputError):
        parse_secret_file(typed)


def test_a_file_is_saved_by_its_full_name(own_home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert parse_secret_file("~/secret") == str(own_home / "secret")
    assert parse_secret_file(" secret ") == str(tmp_path / "secret")


# -- both --------------------------------------------------------------------------------------------------------------


@pytest.fixture(params=["command", "file"])
def reference(request: pytest.FixtureRequest, tmp_path: Path) -> tuple[ReferenceStore, str]:
    """A store, and the way to a file with the password in it."""
    path = private(tmp_path / "secret")
    store: ReferenceStore = commands() if request.param == "command" else FileStore({})
    program = f"print(open({str(path)!r}).read())"
    return store, printing(program) if request.param == "command" else str(path)


async def test_only_the_way_is_kept(reference: tuple[ReferenceStore, str]) -> None:
    store, where = reference
    ref = StoreRef(store.kind, where)
    await store.put(ref, SECRET, before=Mock(side_effect=AssertionError("something is written")))
    assert await store.get(ref) == SECRET
    await store.delete(ref)
    assert await store.get(ref) == SECRET


async def test_a_way_to_another_secret_is_refused(reference: tuple[ReferenceStore, str]) -> None:
    store, where = reference
    with pytest.raises(SecretError, match="another password") as differs:
        await store.put(StoreRef(store.kind, where), Secret("what was typed"))
    assert differs.value.fault is SecretFault.DIFFERS
    assert_no_trace(PASSWORD, str(differs.value))
    assert "what was typed" not in str(differs.value)


async def test_there_is_no_usual_way(reference: tuple[ReferenceStore, str]) -> None:
    store, _ = reference
    with pytest.raises(SecretError) as lacking:
        store.default("Office")
    assert lacking.value.fault is SecretFault.UNREADABLE


async def test_the_probe_is_honest(reference: tuple[ReferenceStore, str]) -> None:
    found = await reference[0].probe()
    assert found.ok
    assert found.unattended
    assert "cron" in found.words
    assert found.words.count(".") == 1


async def test_all_stores_take_the_way_along(tmp_path: Path) -> None:
    stores = SecretStores(dict(os.environ), tmp_path)
    where = str(private(tmp_path / "secret"))
    ref = stores.place(StoreKind.FILE, "Office", where)
    assert ref == StoreRef(StoreKind.FILE, where)
    await stores.put(ref, SECRET)
    assert await stores.fetch(ref) == await stores.read(StoreKind.FILE, where) == SECRET


def test_every_entry_is_another_one(tmp_path: Path) -> None:
    stores = SecretStores({}, tmp_path)
    for kind in (StoreKind.KEYRING, StoreKind.VAULT, StoreKind.SESSION):
        places = {stores.place(kind, "Office", "ignored") for _ in range(50)}
        assert len(places) == 50
        assert all(place.kind is kind and place.where.startswith("Office/password/") for place in places)
