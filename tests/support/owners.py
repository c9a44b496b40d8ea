"""Files of other people, whoever runs the tests: root gives them away, anybody else is shown another owner."""

from __future__ import annotations

import grp  # noqa: F401  loaded before anybody else is become, who may have no access to this Python
import os
import pwd  # noqa: F401
import signal
import traceback
from collections.abc import Callable
from pathlib import Path

import pytest

STRANGER = 54321
"""A user that is neither root nor whoever runs the tests, and has no name."""


def give_away(monkeypatch: pytest.MonkeyPatch, path: Path, *, user: int = -1, group: int = -1) -> None:
    """Let a file, a folder or a link belong to another user or group."""
    if os.geteuid() == 0:
        os.chown(path, user, group, follow_symlinks=False)
        return
    key = (path.lstat().st_dev, path.lstat().st_ino)
    lstat, fstat = Path.lstat, os.fstat

    def shown(found: os.stat_result) -> os.stat_result:
        if (found.st_dev, found.st_ino) != key:
            return found
        fields = list(found[:10])
        fields[4] = fields[4] if user == -1 else user
        fields[5] = fields[5] if group == -1 else group
        return os.stat_result(fields)

    monkeypatch.setattr(Path, "lstat", lambda self: shown(lstat(self)))
    monkeypatch.setattr(os, "fstat", lambda handle: shown(fstat(handle)))


def as_user(user: int, group: int, work: Callable[[], str]) -> str:
    """Return what `work` returns in a process that has become another user, with no other group. Only root may."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            os.setgroups([])
            os.setgid(group)
            os.setuid(user)
            told = work()
        except BaseException:
            told = traceback.format_exc()
        os.write(writing, told.encode())
        os.kill(os.getpid(), signal.SIGKILL)  # nothing of the test's own run is to be ended here
    os.close(writing)
    with os.fdopen(reading, "rb") as file:
        said = file.read().decode()
    os.waitpid(child, 0)
    return said
