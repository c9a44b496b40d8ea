"""Files of other people, with real users: who is let in, who is not, and that no command waits for anything.

Root becomes 'news', which every Debian and Ubuntu has, with a group of that name and nobody in it; 'games' is the
other user.
"""

from __future__ import annotations

import os
import pwd
import shutil
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from smtp_wizard.engine.accounts.saved_accounts import AccountFileError, SavedAccounts
from smtp_wizard.engine.base.file_ownership import UnsafeFile
from smtp_wizard.engine.base.private_files import make_private_dir, read_private
from smtp_wizard.engine.providers.catalog import load_catalog
from tests.support.owners import as_user

pytestmark = pytest.mark.real

OWN = "providers: [{id: our-firm, name: Our firm, endpoints: [{host: mail.firm.example, port: 465, security: tls}]}]\n"
US, THEM = pwd.getpwnam("news"), pwd.getpwnam("games")


@pytest.fixture
def home() -> Iterator[Path]:
    """A home of 'news', where only its owner may write, and everybody may pass."""
    home = Path(tempfile.mkdtemp())
    home.chmod(0o755)
    os.chown(home, US.pw_uid, US.pw_gid)
    try:
        yield home
    finally:
        shutil.rmtree(home)


@pytest.fixture
def folder(home: Path) -> Path:
    assert ours(lambda: make_private_dir(home / ".config" / "smtp-wizard")) == "None"
    return home / ".config" / "smtp-wizard"


def ours(work: Callable[[], object]) -> str:
    return as_user(US.pw_uid, US.pw_gid, lambda: str(work()))


def theirs(work: Callable[[], object]) -> str:
    return as_user(THEM.pw_uid, THEM.pw_gid, lambda: str(work()))


def told(file: Path) -> str:
    """What reading the file gives to 'news': its content, or the refusal."""

    def work() -> str:
        try:
            return read_private(file, 1000).decode()
        except UnsafeFile as problem:
            return str(problem)

    return ours(work)


def written(file: Path, mode: int, owner: pwd.struct_passwd = US) -> Path:
    file.write_text(OWN)
    os.chown(file, owner.pw_uid, owner.pw_gid)
    file.chmod(mode)
    return file


def test_a_file_of_mode_0664_is_ours_where_the_group_is_private(folder: Path) -> None:
    file = written(folder / "providers.yaml", 0o664)
    assert ours(lambda: load_catalog(own=file).get("our-firm") is not None) == "True"
    os.chown(file, US.pw_uid, THEM.pw_gid)
    assert f"'chmod g-w {file}'" in told(file)
    os.chown(file, US.pw_uid, pwd.getpwnam("root").pw_gid)
    assert told(file) == OWN


def test_a_file_of_somebody_elses_is_refused_and_one_of_roots_is_not(folder: Path) -> None:
    assert f"'chown news {folder / 'x'}', as root," in told(written(folder / "x", 0o644, THEM))
    assert told(written(folder / "x", 0o644, pwd.getpwnam("root"))) == OWN


def test_root_does_not_believe_what_somebody_else_wrote(folder: Path, home: Path) -> None:
    """As over 'sudo -E': HOME is still the other user's, and commands in their accounts.json would be run as root."""
    written(folder / "accounts.json", 0o600)
    with pytest.raises(AccountFileError, match=r"belongs to the user news") as caught:
        SavedAccounts(folder).list()
    assert "--config" in str(caught.value)
    with pytest.raises(UnsafeFile):
        make_private_dir(folder / "sandbox")


def test_who_owns_a_parent_could_exchange_what_lies_in_it(folder: Path, home: Path) -> None:
    os.chown(home, THEM.pw_uid, THEM.pw_gid)
    said = told(written(folder / "x", 0o600))
    assert "A folder on the way belongs to the user games" in said


def test_in_a_shared_folder_the_sticky_bit_keeps_what_is_ours() -> None:
    shared = Path(tempfile.mkdtemp())
    try:
        shared.chmod(0o1777)
        assert ours(lambda: make_private_dir(shared / "config")) == "None"
        file = written(shared / "config" / "x", 0o600)
        assert told(file) == OWN
        assert "Operation not permitted" in theirs(lambda: (shared / "config").rename(shared / "gone"))
        shared.chmod(0o777)
        assert f"'chmod o-w {shared}', as root," in told(file)
        assert theirs(lambda: (shared / "config").rename(shared / "gone")) == str(shared / "gone")
    finally:
        shutil.rmtree(shared)


def test_a_link_that_somebody_else_made_is_not_followed(folder: Path) -> None:
    shared = Path(tempfile.mkdtemp())
    try:
        shared.chmod(0o1777)
        written(folder / "x", 0o600)
        assert theirs(lambda: (shared / "config").symlink_to(folder)) == "None"
        said = told(shared / "config" / "x")
        assert "A link on the way belongs to the user games" in said or "Permission denied" in said
    finally:
        shutil.rmtree(shared)


def test_an_access_list_that_lets_another_user_write_is_seen(folder: Path) -> None:
    """The group's bits are then the mask of the list, and the group is our own."""
    import struct

    file = written(folder / "x", 0o664)
    assert told(file) == OWN
    entries = ((0x01, 6, 2**32 - 1), (0x02, 6, THEM.pw_uid), (0x04, 4, 2**32 - 1), (0x10, 6, 2**32 - 1))
    packed = struct.pack("<I", 2) + b"".join(struct.pack("<HHI", *each) for each in (*entries, (0x20, 4, 2**32 - 1)))
    os.setxattr(file, "system.posix_acl_access", packed)
    assert f"'chmod g-w {file}'" in told(file)
    file.chmod(0o644)  # as that sentence says: it closes the mask
    assert told(file) == OWN
