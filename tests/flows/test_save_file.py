"""Writing to a file that a person names: never over another one, and every refusal is said at the name."""

from __future__ import annotations

import asyncio
import errno
import os
import stat
from pathlib import Path

import pytest

from smtp_wizard.flows.question import Answer
from smtp_wizard.flows.save_file import LACKING, THERE, FileSaved, SaveFile

TEXT = "S: 250 hällo\n"


def saving(folder: Path, *, private: bool = True, text: str = TEXT) -> SaveFile:
    return SaveFile(text, "said", "txt", private=private, folder=folder)


def error(flow: SaveFile) -> str:
    return flow.state.entries[0].error


async def test_it_is_written_whole_and_for_its_owner_alone(tmp_path: Path) -> None:
    flow = saving(tmp_path)
    before = os.umask(0o277)  # takes the owner's right to write
    try:
        written = await flow.act(Answer.DO)
    finally:
        os.umask(before)
    assert written == FileSaved(tmp_path / "said.txt")
    assert written.file is not None
    assert written.file.read_bytes() == TEXT.encode()
    assert stat.S_IMODE(written.file.stat().st_mode) == 0o600
    assert written.words == "saved as said.txt"


async def test_what_is_no_secret_is_written_as_the_umask_says(tmp_path: Path) -> None:
    before = os.umask(0o022)
    try:
        await saving(tmp_path, private=False).act(Answer.DO)
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "said.txt").stat().st_mode) == 0o644


async def test_the_name_that_is_proposed_is_free(tmp_path: Path) -> None:
    (tmp_path / "said.txt").write_text("mine")
    (tmp_path / "said-2.txt").symlink_to(tmp_path)
    flow = saving(tmp_path)
    assert flow.state.entries[0].text == str(tmp_path / "said-3.txt")


@pytest.mark.parametrize("there", ["file", "link", "dangling", "folder"])
async def test_nothing_is_ever_written_over(there: str, tmp_path: Path) -> None:
    """Whatever has that name, a link that leads nowhere too."""
    flow, other, name = saving(tmp_path), tmp_path / "other", tmp_path / "said.txt"
    match there:
        case "file":
            name.write_text("mine")
        case "link":
            other.write_text("mine")
            name.symlink_to(other)
        case "dangling":
            name.symlink_to(other)
        case "folder":
            name.mkdir()
    assert await flow.act(Answer.DO) is None
    assert error(flow) == THERE
    assert there != "dangling" or not other.exists()
    assert there not in ("file", "link") or name.read_text() == "mine"
    flow.type(0, str(tmp_path / "another.txt"))
    assert error(flow) == ""
    assert await flow.act(Answer.DO) == FileSaved(tmp_path / "another.txt")


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ("", LACKING),
        ("   ", LACKING),
        ("nowhere/said.txt", "It cannot be written there: No such file or directory"),
        ("a\0b", "It cannot be written there: That name has a character in it"),
        ("x" * 300, "It cannot be written there: File name too long"),
        ("~nobody-of-this-name/x", "It cannot be written there: There is no home folder of that name."),
        ("\ud800", "It cannot be written there: That name has a character in it"),
    ],
)
async def test_what_is_wrong_with_a_name_is_said_at_it(
    typed: str, said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    flow = saving(tmp_path)
    flow.type(0, typed)
    assert await flow.act(Answer.DO) is None
    assert error(flow).startswith(said)
    assert not flow.state.running
    assert list(tmp_path.iterdir()) == []


async def test_of_a_disk_that_is_full_nothing_is_left(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(handle: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", full)
    flow = saving(tmp_path)
    assert await flow.act(Answer.DO) is None
    assert error(flow) == "It cannot be written there: No space left on device"
    assert list(tmp_path.iterdir()) == []


async def test_a_folder_that_is_gone_proposes_the_home_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    gone = tmp_path / "gone"
    gone.mkdir()
    monkeypatch.chdir(gone)
    gone.rmdir()
    flow = SaveFile(TEXT, "said", "txt", private=True)
    assert flow.state.entries[0].text == "~/said.txt"


async def test_leaving_it_writes_nothing(tmp_path: Path) -> None:
    assert await saving(tmp_path).act(Answer.LEAVE) == FileSaved()
    assert FileSaved().words == ""
    assert list(tmp_path.iterdir()) == []


async def test_whoever_gives_up_stands_before_the_same_question(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from smtp_wizard.flows import save_file

    async def cancelled(work: object) -> None:
        raise asyncio.CancelledError

    monkeypatch.setattr(save_file, "in_thread", cancelled)
    flow = saving(tmp_path)
    before = flow.state
    with pytest.raises(asyncio.CancelledError):
        await flow.act(Answer.DO)
    assert flow.state == before


async def test_letters_that_no_file_can_hold_do_not_end_it(tmp_path: Path) -> None:
    flow = saving(tmp_path, text="a\udc80b")
    written = await flow.act(Answer.DO)
    assert written == FileSaved(tmp_path / "said.txt")
    assert (tmp_path / "said.txt").read_bytes() == b"a?b"
