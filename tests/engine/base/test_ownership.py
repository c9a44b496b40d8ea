"""Whose files are believed: one's own and root's, where nobody else may change them or what leads to them."""

from __future__ import annotations

import grp
import os
import pwd
import shlex
import socket
import stat
import struct
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from smtp_wizard.engine.accounts.saved_accounts import FILE_NAME, AccountFileError, SavedAccounts
from smtp_wizard.engine.base import file_ownership
from smtp_wizard.engine.base.file_ownership import UnsafeFile, refuse_foreign_owners
from smtp_wizard.engine.base.private_files import lock_of, make_private_dir, read_bounded, read_private, read_start
from smtp_wizard.engine.providers.catalog import OWN_FILE as OWN_PROVIDERS
from smtp_wizard.engine.providers.catalog import load_catalog
from smtp_wizard.engine.secrets.secret_store import SecretError, SecretFault
from smtp_wizard.engine.secrets.vault import FILE_NAME as VAULT
from smtp_wizard.engine.secrets.vault import VaultStore
from smtp_wizard.engine.state.state import State
from smtp_wizard.engine.state.timestamps import FILE_NAME as STATE
from smtp_wizard.engine.state.timestamps import OLD_NAME
from smtp_wizard.engine.wizard.draft_file import FILE_NAME as DRAFT
from smtp_wizard.engine.wizard.draft_file import DraftFile
from tests.support.owners import STRANGER, give_away

OWN = (
    "providers:\n  - {id: our-firm, name: Our firm, endpoints: [{host: mail.firm.example, port: 465, security: tls}]}\n"
)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "config"
    make_private_dir(folder)
    return folder


@pytest.fixture
def file(folder: Path) -> Path:
    file = folder / "some.json"
    file.write_bytes(b"{}")
    file.chmod(0o600)
    return file


def refusal(path: Path) -> str:
    with pytest.raises(UnsafeFile) as caught:
        read_private(path, 1000)
    return str(caught.value)


@contextmanager
def umask(mask: int) -> Iterator[None]:
    before = os.umask(mask)
    try:
        yield
    finally:
        os.umask(before)


# --- the file itself ---


@pytest.mark.parametrize("mode", [0o600, 0o400, 0o644, 0o755])
def test_a_file_that_others_cannot_write_is_read(file: Path, mode: int) -> None:
    """Reading is another matter: what must not be read by others is sealed, or not in these files."""
    file.chmod(mode)
    assert read_private(file, 1000) == b"{}"


@pytest.mark.parametrize(("mode", "who"), [(0o602, "o"), (0o666, "go"), (0o660, "g"), (0o777, "go")])
def test_a_file_that_others_may_write_is_refused_with_the_command_that_ends_it(
    file: Path, mode: int, who: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    give_away(monkeypatch, file, group=STRANGER)
    file.chmod(mode)
    said = refusal(file)
    assert "Other users may change the file some.json" in said
    assert f"'chmod {who}-w {file}'" in said


def test_a_file_of_another_user_is_refused_with_the_command_that_ends_it(
    file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    give_away(monkeypatch, file, user=STRANGER)
    said = refusal(file)
    assert f"The file some.json belongs to the user {STRANGER}" in said
    assert f"'chown {pwd.getpwuid(os.geteuid()).pw_name} {file}'" in said


def test_the_command_quotes_what_a_shell_would_misread(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    awkward = folder / "a 'b' $(id)"
    awkward.write_bytes(b"")
    awkward.chmod(0o602)
    assert shlex.quote(str(awkward)) in refusal(awkward)


def test_a_file_of_roots_is_believed(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An administrator may give everybody the same providers."""
    give_away(monkeypatch, file, user=0)
    assert read_private(file, 1000) == b"{}"


# --- the private group ---


def group_called(name: str, number: int, members: list[str]) -> grp.struct_group:
    return grp.struct_group((name, "x", number, members))


@pytest.fixture
def own_group(monkeypatch: pytest.MonkeyPatch) -> Callable[..., int]:
    """Let the user of the tests be 'ana', with a group that is told of."""

    def told(name: str = "ana", members: list[str] | None = None, primary: bool = True) -> int:
        number = 4711
        ana = pwd.struct_passwd(("ana", "x", os.geteuid(), number if primary else 100, "", "/home/ana", "/bin/sh"))
        monkeypatch.setattr(pwd, "getpwuid", lambda user: ana)
        monkeypatch.setattr(grp, "getgrgid", lambda group: group_called(name, number, members or []))
        return number

    return told


@pytest.mark.parametrize("members", [[], ["ana"], ["root"], ["ana", "root"]])
def test_a_users_private_group_is_nobody_else(own_group: Callable[..., int], members: list[str]) -> None:
    assert file_ownership.is_private_group(own_group(members=members))


@pytest.mark.parametrize(
    ("name", "members", "primary"),
    [("ana", ["bob"], True), ("users", [], True), ("domain users", ["ana"], True), ("ana", [], False)],
)
def test_a_group_that_is_shared_or_not_ones_own_is_not_private(
    own_group: Callable[..., int], name: str, members: list[str], primary: bool
) -> None:
    assert not file_ownership.is_private_group(own_group(name, members, primary))


def test_a_group_that_is_another_users_primary_one_too_is_not_private(
    own_group: Callable[..., int], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Such a user stands in the list of users alone, not among the group's members."""
    group = own_group()
    listed = b"ana:x:%d:%d::/home/ana:/bin/sh\nbob:x:%d:%d::/home/bob:/bin/sh\n"
    monkeypatch.setattr(
        Path, "open", lambda self, mode: _opened(listed % (os.geteuid(), group, os.geteuid() + 1, group))
    )
    assert not file_ownership.is_private_group(group)
    monkeypatch.setattr(
        Path, "open", lambda self, mode: _opened(listed % (os.geteuid(), group, os.geteuid() + 1, group + 1))
    )
    assert file_ownership.is_private_group(group)


def _opened(data: bytes) -> object:
    import io

    return io.BytesIO(data)


def test_no_list_of_users_is_walked_through(own_group: Callable[..., int], monkeypatch: pytest.MonkeyPatch) -> None:
    """A directory service may have a hundred thousand of them."""

    def walked(*_: object) -> object:
        raise AssertionError("asked for everybody")

    monkeypatch.setattr(pwd, "getpwall", walked)
    monkeypatch.setattr(grp, "getgrall", walked)
    assert file_ownership.is_private_group(own_group())


def test_who_has_no_name_has_no_private_group(monkeypatch: pytest.MonkeyPatch) -> None:
    def unknown(_: int) -> object:
        raise KeyError

    monkeypatch.setattr(pwd, "getpwuid", unknown)
    monkeypatch.setattr(grp, "getgrgid", unknown)
    assert not file_ownership.is_private_group(4711)


def test_providers_written_under_a_umask_of_002_are_read(
    folder: Path, own_group: Callable[..., int], monkeypatch: pytest.MonkeyPatch
) -> None:
    """How an editor writes the file on Debian and Fedora, where each user has a group of their own."""
    file = folder / OWN_PROVIDERS
    with umask(0o002):
        file.write_text(OWN)
    assert stat.S_IMODE(file.stat().st_mode) == 0o664
    give_away(monkeypatch, file, group=own_group())
    catalog = load_catalog(own=file)
    assert (catalog.own_trouble, catalog.get("our-firm") is None) == ("", False)
    own_group(members=["bob"])
    catalog = load_catalog(own=file)
    assert catalog.get("our-firm") is None
    assert f"'chmod g-w {file}'" in catalog.own_trouble


# --- access lists ---


NOBODY = 0xFFFFFFFF
US = os.geteuid()
BASE = ((0x01, 6, NOBODY), (0x10, 6, NOBODY), (0x20, 4, NOBODY))


@pytest.mark.parametrize(
    ("entries", "good"),
    [
        ([(0x04, 4, NOBODY), (0x02, 6, US)], True),
        ([(0x04, 4, NOBODY), (0x02, 6, 0)], True),
        ([(0x04, 4, NOBODY), (0x02, 4, STRANGER)], True),
        ([(0x04, 4, NOBODY), (0x02, 6, STRANGER)], False),
        ([(0x04, 4, NOBODY), (0x08, 6, STRANGER)], False),
        ([(0x04, 6, NOBODY)], False),
    ],
)
def test_an_access_list_says_who_the_groups_bits_stand_for(
    file: Path, entries: list[tuple[int, int, int]], good: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    packed = struct.pack("<I", 2) + b"".join(struct.pack("<HHI", *entry) for entry in (*BASE, *entries))
    give_away(monkeypatch, file, group=STRANGER)
    file.chmod(0o664)
    monkeypatch.setattr(os, "getxattr", lambda where, name: packed, raising=False)
    if good:
        assert read_private(file, 1000) == b"{}"
    else:
        assert "'chmod g-w" in refusal(file)


# --- what leads there ---


def test_a_folder_that_others_may_write_to_is_refused(folder: Path, file: Path) -> None:
    folder.chmod(0o702)
    said = refusal(file)
    assert "Other users may change the folder config" in said
    assert f"'chmod o-w {folder}'" in said


def test_the_sticky_bit_does_not_make_a_shared_folder_ones_own(folder: Path, file: Path) -> None:
    folder.chmod(0o1777)
    assert "Other users may change the folder config" in refusal(file)


def test_a_folder_of_another_user_is_refused(folder: Path, file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    give_away(monkeypatch, folder, user=STRANGER)
    assert f"belongs to the user {STRANGER}" in refusal(file)


def test_a_parent_that_others_may_write_to_is_refused_unless_it_is_sticky(tmp_path: Path, file: Path) -> None:
    """Whoever may write there can put another folder in the place; not so in /tmp."""
    tmp_path.chmod(0o777)
    assert f"'chmod go-w {tmp_path}'" in refusal(file) or f"'chmod o-w {tmp_path}'" in refusal(file)
    tmp_path.chmod(0o1777)
    assert read_private(file, 1000) == b"{}"


def test_a_parent_of_another_user_is_refused(
    tmp_path: Path, folder: Path, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Root in the home of somebody else, as sudo may leave it."""
    give_away(monkeypatch, tmp_path, user=STRANGER)
    said = refusal(file)
    assert "A folder on the way belongs to" in said
    assert "--config" in said
    with pytest.raises(UnsafeFile):
        make_private_dir(folder / "deeper")
    assert not (folder / "deeper").exists()


def test_root_is_told_to_start_it_without_sudo(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    give_away(monkeypatch, file, user=STRANGER)
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    if os.getuid() != 0:  # what else is on the way belongs to whoever runs the tests
        monkeypatch.setattr(file_ownership, "_is_trusted", lambda user: user != STRANGER)
    said = refusal(file)
    assert "without sudo" in said
    assert f"'chown root {file}'" in said


def test_in_a_container_that_knows_no_root_the_folders_around_are_believed(
    tmp_path: Path, folder: Path, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Podman without root shows the computer's own folders as nobody's; what is ours there is still ours."""
    give_away(monkeypatch, tmp_path, user=65534)
    whole = Path.read_text
    for ranges, good in (("0 1000 1\n1 100000 65536\n", True), ("0 0 4294967295\n", False)):

        def told(self: Path, encoding: str | None = None, ranges: str = ranges) -> str:
            return ranges if str(self) == "/proc/self/uid_map" else whole(self, encoding)

        monkeypatch.setattr(Path, "read_text", told)
        if good:
            assert read_private(file, 1000) == b"{}"
        else:
            assert "belongs to" in refusal(file)
    monkeypatch.setattr(Path, "read_text", lambda self, encoding=None: "0 1000 1\n")
    give_away(monkeypatch, folder, user=65534)
    assert "The folder config belongs to" in refusal(file)


def test_links_of_ones_own_are_followed(tmp_path: Path, file: Path) -> None:
    """As managers of dotfiles make them: the folder, or a file in it."""
    dots = tmp_path / "dots"
    file.parent.rename(dots)
    (tmp_path / "config").symlink_to("dots")
    (tmp_path / "alone").mkdir()
    (tmp_path / "alone" / "linked.json").symlink_to(Path("..") / "config" / "some.json")
    assert read_private(tmp_path / "config" / "some.json", 1000) == b"{}"
    assert read_private(tmp_path / "alone" / "linked.json", 1000) == b"{}"


def test_what_a_link_leads_through_is_looked_at(tmp_path: Path, folder: Path) -> None:
    shared = tmp_path / "shared"
    shared.mkdir()
    (shared / "theirs.json").write_bytes(b"{}")
    (shared / "theirs.json").chmod(0o600)
    link = folder / "some.json"
    link.symlink_to(shared / "theirs.json")
    assert read_private(link, 1000) == b"{}"
    shared.chmod(0o707)
    assert "on the way" in refusal(link)
    shared.chmod(0o700)
    (shared / "theirs.json").chmod(0o606)
    assert "'chmod o-w" in refusal(link)


def test_a_link_of_another_user_is_refused(tmp_path: Path, file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Who makes one in /tmp chooses which of one's own folders is read."""
    link = tmp_path / "link"
    link.symlink_to(file.parent)
    give_away(monkeypatch, link, user=STRANGER)
    said = refusal(link / "some.json")
    assert "A link on the way belongs to" in said
    assert f"'chown -h {pwd.getpwuid(os.geteuid()).pw_name} {link}'" in said


def test_links_in_a_circle_are_no_endless_loop(folder: Path) -> None:
    (folder / "one").symlink_to("two")
    (folder / "two").symlink_to("one")
    with pytest.raises(OSError, match="symbolic link"):
        read_private(folder / "one", 1000)
    with pytest.raises(OSError, match="symbolic link"):
        refuse_foreign_owners(folder / "one" / "more")


def test_what_is_missing_is_nobodys(tmp_path: Path) -> None:
    refuse_foreign_owners(tmp_path / "none" / "at" / "all")
    with pytest.raises(FileNotFoundError):
        read_private(tmp_path / "none" / "some.json", 1000)


# --- reading is bounded ---


def a_socket(path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(str(path))


PLACES: dict[str, tuple[Callable[[Path], object], str]] = {
    "a pipe": (os.mkfifo, "it is a named pipe and no file"),
    "a folder": (Path.mkdir, "Is a directory"),
    "a socket": (a_socket, "it is a socket"),
    "a device": (lambda path: path.symlink_to("/dev/zero"), "it is a device and no file"),
    "far too much": (lambda path: path.write_bytes(b"[" * 100_000_000), "larger than"),
}


@pytest.fixture(params=PLACES, ids=str)
def place(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Callable[[Path], str]:
    """Put something into the place of a file; return the words that name it."""
    make, words = PLACES[request.param]
    monkeypatch.chdir(tmp_path)

    def put(path: Path) -> str:
        make(path)
        return words

    return put


def test_nothing_in_a_files_place_is_waited_for(folder: Path, place: Callable[[Path], str]) -> None:
    words = place(Path("config") / "x")
    for read in (read_private, read_bounded):
        with pytest.raises(OSError, match=words):
            read(folder / "x", 1000)


def test_the_accounts_say_what_is_in_their_place(folder: Path, place: Callable[[Path], str]) -> None:
    words = place(Path("config") / FILE_NAME)
    with pytest.raises(AccountFileError, match=words):
        SavedAccounts(folder).list()


def test_the_providers_say_what_is_in_their_place(folder: Path, place: Callable[[Path], str]) -> None:
    words = place(Path("config") / OWN_PROVIDERS)
    assert words in load_catalog(own=folder / OWN_PROVIDERS).own_trouble


async def test_the_vault_says_what_is_in_its_place(folder: Path, place: Callable[[Path], str]) -> None:
    words = place(Path("config") / VAULT)
    assert words in (await VaultStore(folder).probe()).words


def test_a_draft_is_not_waited_for(folder: Path, place: Callable[[Path], str]) -> None:
    place(Path("config") / DRAFT)
    assert DraftFile(folder).load() is None


def test_of_a_large_file_the_start_can_be_read(file: Path) -> None:
    file.write_bytes(b"x" * 5000)
    assert read_start(file, 1000) == b"x" * 1000


# --- each file in the folder ---


@pytest.mark.parametrize("name", [FILE_NAME, OWN_PROVIDERS, VAULT, DRAFT, STATE, OLD_NAME])
async def test_what_a_stranger_may_write_is_not_believed(
    folder: Path, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither where the file is theirs nor where the folder is."""
    file = folder / name
    file.write_bytes(b"{}")
    file.chmod(0o606)
    for path in (file, folder):
        assert f"'chmod o-w {path}'" in await told_of(folder, name)
        file.chmod(0o600)
        folder.chmod(0o703)


async def told_of(folder: Path, name: str) -> str:
    """What is said of a file of the folder that cannot be believed."""
    match name:
        case "accounts.json":
            with pytest.raises(AccountFileError) as accounts:
                SavedAccounts(folder).list()
            return str(accounts.value)
        case "providers.yaml":
            return load_catalog(own=folder / name).own_trouble
        case "vault.json":
            with pytest.raises(SecretError) as vault:
                VaultStore(folder)._read()
            assert vault.value.fault is SecretFault.EXPOSED
            return str(vault.value)
        case "draft.json":
            box = DraftFile(folder)
            assert box.load() is None
            assert (folder / name).exists()  # left for its owner to look at
            return box.problem
        case "state.sqlite3":
            state = State(folder)
            assert state.results.lasts(["00000000000000a1"]) == {}
            (read,) = state.storage.problems()
            state.forget("00000000000000a1")
            (written,) = state.flush()
            assert [each.name for each in folder.iterdir()] == [name]
            assert read.replace("not read.", "not kept.") == written
            return written
    with pytest.raises(UnsafeFile) as other:
        read_private(folder / name, 1000)
    return str(other.value)


def test_nothing_is_saved_where_others_could_exchange_it(folder: Path) -> None:
    from tests.engine.accounts.test_accounts import account

    folder.chmod(0o703)
    with pytest.raises(AccountFileError, match=r"Nothing was saved\. Other users may change the folder config"):
        SavedAccounts(folder).put(account("Office"))
    assert list(folder.iterdir()) == []


def test_a_lock_of_another_user_is_refused(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """They could hold it for ever."""
    lock = folder / f"{FILE_NAME}.lock"
    lock.write_bytes(b"")
    assert lock_of(folder / FILE_NAME) == lock
    give_away(monkeypatch, lock, user=STRANGER)
    with pytest.raises(UnsafeFile, match=r"chown"):
        lock_of(folder / FILE_NAME)


# --- the folder is made for its owner alone ---


@pytest.mark.parametrize("mask", [0o000, 0o002, 0o022, 0o077, 0o777])
def test_every_missing_parent_is_made_for_its_owner_alone(tmp_path: Path, mask: int) -> None:
    tmp_path.chmod(0o755)
    with umask(mask):
        make_private_dir(tmp_path / "home" / ".config" / "smtp-wizard" / "sandbox")
    made = [path for path in tmp_path.rglob("*") if path.is_dir()]
    assert len(made) == 4
    assert {stat.S_IMODE(path.stat().st_mode) for path in made} == {0o700}
    assert stat.S_IMODE(tmp_path.stat().st_mode) == 0o755


def test_a_folder_that_is_there_keeps_its_mode(tmp_path: Path) -> None:
    (tmp_path / "config").mkdir(mode=0o755)
    make_private_dir(tmp_path / "config" / "sandbox")
    assert stat.S_IMODE((tmp_path / "config").stat().st_mode) == 0o755
