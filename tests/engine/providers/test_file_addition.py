"""A file of providers is changed whole or not at all: other people's changes, links, rights and oddities stay."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from smtp_wizard.engine.base.errors import InputError
from smtp_wizard.engine.providers import file_addition
from smtp_wizard.engine.providers.file_addition import change_own_file, change_shipped_file

CHANGES = {"own": change_own_file, "shipped": change_shipped_file}


def with_line(line: str) -> Callable[[str], str]:
    return lambda before: f"{before}{line}\n"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    folder = tmp_path / "folder"
    folder.mkdir(mode=0o700)
    there = folder / "providers.yaml"
    there.write_text("one\n", "utf-8")
    there.chmod(0o600)
    return there


@pytest.mark.parametrize("kind", CHANGES)
def test_of_two_at_once_both_are_kept(kind: str, file: Path) -> None:
    """The second comes while the first has read the file, and not yet written it."""
    change = CHANGES[kind]
    refused: list[InputError] = []

    def first(before: str) -> str:
        try:
            change(file, with_line("second"), patience=0)
        except InputError as problem:
            refused.append(problem)
        return f"{before}first\n"

    change(file, first)
    if refused:
        assert "another program" in str(refused[0])
        change(file, with_line("second"))
    assert file.read_text("utf-8") == "one\nfirst\nsecond\n"


@pytest.mark.parametrize("kind", CHANGES)
def test_what_fails_or_is_stopped_leaves_all_as_it_was(kind: str, file: Path) -> None:
    for problem in (KeyboardInterrupt, InputError, RuntimeError):

        def fails(before: str, problem: type[BaseException] = problem) -> str:
            raise problem(f"while {before!r} is changed")

        with pytest.raises(problem):
            CHANGES[kind](file, fails)
    assert file.read_text("utf-8") == "one\n"
    assert [each.name for each in file.parent.iterdir()] == ["providers.yaml"]
    CHANGES[kind](file, with_line("two"))
    assert file.read_text("utf-8") == "one\ntwo\n"


def test_a_write_that_fails_leaves_nothing_behind(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fchmod", full)
    with pytest.raises(OSError, match="No space"):
        change_shipped_file(file, with_line("two"))
    assert [each.name for each in file.parent.iterdir()] == ["providers.yaml"]


def test_a_link_to_a_checkout_s_file_stays_one(file: Path, tmp_path: Path) -> None:
    link = tmp_path / "link.yaml"
    link.symlink_to(file)
    file.chmod(0o664)
    change_shipped_file(link, with_line("two"))
    assert link.is_symlink()
    assert file.read_text("utf-8") == "one\ntwo\n"
    assert file.stat().st_mode & 0o777 == 0o664


def test_a_link_to_one_s_own_file_stays_one(file: Path, tmp_path: Path) -> None:
    target = tmp_path / "dotfiles.yaml"
    file.rename(target)
    file.symlink_to(target)
    change_own_file(file, with_line("two"))
    assert file.is_symlink()
    assert target.read_text("utf-8") == "one\ntwo\n"


def _pipe(file: Path) -> None:
    file.unlink()
    os.mkfifo(file)


def _folder(file: Path) -> None:
    file.unlink()
    file.mkdir()


def _endless(file: Path) -> None:
    file.unlink()
    file.symlink_to("/dev/zero")


def _ring(file: Path) -> None:
    file.unlink()
    file.symlink_to(file)


def _large(file: Path) -> None:
    os.truncate(file, file_addition.LARGEST_SHIPPED + 1)


def _latin(file: Path) -> None:
    file.write_bytes(b"name: K\xf6ln\n")


def _read_only(file: Path) -> None:
    file.chmod(0o444)


ODDITIES: dict[str, tuple[Callable[[Path], None], str]] = {
    "read-only": (_read_only, "may only be read"),
    "no UTF-8": (_latin, "no text in UTF-8"),
    "a pipe": (_pipe, "a named pipe"),
    "a folder": (_folder, "directory"),
    "a device": (_endless, "a device"),
    "a ring of links": (_ring, "symbolic links"),
    "nothing": (Path.unlink, "No such file"),
    "too large": (_large, "larger than"),
}


@pytest.mark.parametrize("what", ODDITIES)
def test_what_is_no_file_of_a_checkout_is_said_and_left_alone(what: str, file: Path) -> None:
    make, words = ODDITIES[what]
    make(file)
    before = sorted(each.name for each in file.parent.iterdir())
    with pytest.raises((InputError, OSError), match=words):
        change_shipped_file(file, with_line("two"))
    assert sorted(each.name for each in file.parent.iterdir()) == before


def test_another_user_s_file_stays_theirs(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As root it is given back; as anybody else it is refused, since the new one would be one's own."""

    def refuse(*_: object) -> None:
        raise PermissionError

    stat = Path.stat

    def of_another(path: Path, **more: bool) -> os.stat_result:
        facts = list(stat(path, **more))
        facts[4] += 1
        return os.stat_result(facts)

    monkeypatch.setattr(os, "fchown", refuse)
    with monkeypatch.context() as meanwhile:
        meanwhile.setattr(Path, "stat", of_another)
        with pytest.raises(InputError, match="belongs to another user"):
            change_shipped_file(file, with_line("two"))
    assert file.read_text("utf-8") == "one\n"
    assert [each.name for each in file.parent.iterdir()] == ["providers.yaml"]
