"""The keyring store against a real gnome-keyring, on a D-Bus of its own: unlocked, locked, mute, never made, absent."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.support.patience import PATIENCE

pytestmark = pytest.mark.real

ROOT = Path(__file__).parents[2]
PROBE = f"'{sys.executable}' -W error -m tests.realservers.keyring_probe"
STOPPING = f"'{sys.executable}' -W error -m tests.support.stopping"
LIMIT = PATIENCE
"""Seconds after which a person is told something, whatever the keyring does."""

SECRETS = ["abcd efgh ijkl mnop", "pä$$ 'wörd\" %40", "пароль 密码 🔑", "one\ntwo", "x" * 4096]


ACTIVATED = b"Activating service name='org.freedesktop.secrets'"
"""What the bus tells when it must start a keyring by itself. Where one was unlocked before, that one has ended."""


class KeyringEnded(AssertionError):
    """The keyring's own process has ended in the midst, which gnome-keyring does where clients are killed, very seldom.

    The one that the bus starts in its place is locked.
    """


@dataclass
class Desktop:
    """A home in which keyrings are kept, as one person's computer. Each `session` is a sign-in."""

    home: Path

    def session(self, act: str, *, unlock_with: str | None = None, program: str = PROBE) -> dict[str, Any]:
        """Sign in, unlock the keyring or not, do `act` of `keyring_probe`, sign out. Returns what it told."""
        unlock = "printf '%s' \"$UNLOCK\" | gnome-keyring-daemon --unlock --components=secrets >/dev/null; "
        script = (unlock if unlock_with is not None else "") + f"exec {program} {act}"
        return self._run(["dbus-run-session", "--", "sh", "-c", script], UNLOCK=unlock_with or "")

    def stopping(self, act: str) -> dict[str, Any]:
        """Do what `tests.support.stopping` does, in a session of its own; in another where the keyring itself ended."""
        for attempt in range(3):
            folder = self.home / f"computer-{attempt}"
            folder.mkdir()
            with suppress(KeyringEnded):
                return Desktop(folder).session(f"'{folder}' {act} --real", unlock_with="test", program=STOPPING)
        raise KeyringEnded("three times in a row")

    def without_a_session(self, act: str, **environ: str) -> dict[str, Any]:
        """Do `act` as over SSH or in a timed job: without a D-Bus session."""
        return self._run(["sh", "-c", f"exec {PROBE} {act}"], **environ)

    def _run(self, command: list[str], **environ: str) -> dict[str, Any]:
        # HOME and XDG_RUNTIME_DIR are set before the bus starts: it starts the daemon with its own. No DISPLAY.
        runtime = self.home / "run"
        runtime.mkdir(mode=0o700, exist_ok=True)
        environ |= {"PATH": os.environ["PATH"], "HOME": str(self.home), "XDG_RUNTIME_DIR": str(runtime)}
        with subprocess.Popen(
            command,
            env=environ,
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            start_new_session=True,
        ) as running:
            try:
                out, err = running.communicate(json.dumps(SECRETS).encode(), timeout=150)
            finally:
                if running.poll() is None:
                    os.killpg(running.pid, signal.SIGKILL)
        if running.returncode and environ.get("UNLOCK") and ACTIVATED in err:
            raise KeyringEnded(err.decode())
        assert running.returncode == 0, err.decode()
        told: dict[str, Any] = json.loads(out)
        return told


@pytest.fixture
def desktop(tmp_path: Path) -> Desktop:
    return Desktop(tmp_path)


def test_an_unlocked_keyring_keeps_and_forgets(desktop: Desktop) -> None:
    told = desktop.session("whole-life", unlock_with="test")
    assert told["ok"], told
    assert told["came_back"] == [True] * (len(SECRETS) + 1)
    assert told["after"] == "missing"


def test_a_secret_outlives_the_session_and_is_not_in_clear_text_on_disk(desktop: Desktop) -> None:
    assert desktop.session("leave-one", unlock_with="test")["after"] == ""
    kept = [path.read_bytes() for path in desktop.home.rglob("*") if path.is_file()]
    assert any(kept)
    assert not any(b"kept over the end" in data for data in kept)
    told = desktop.session("look", unlock_with="test")
    assert told["ok"]
    assert told["after"] == ""


@pytest.mark.parametrize("unlock_with", [None, "not the passphrase"])
def test_a_locked_keyring_is_said_before_the_limit(desktop: Desktop, unlock_with: str | None) -> None:
    desktop.session("leave-one", unlock_with="test")
    told = desktop.session("look", unlock_with=unlock_with)
    assert not told["ok"]
    assert "is locked; unlock it" in told["words"]
    assert told["after"] == "locked"
    assert told["took"] < LIMIT


def test_a_keyring_that_was_never_made_is_said(desktop: Desktop) -> None:
    told = desktop.session("look")
    assert not told["ok"]
    assert "no keyring here that can be used" in told["words"]
    assert told["after"] == "absent"
    assert told["took"] < LIMIT


def test_a_mute_keyring_is_said_and_holds_nothing(desktop: Desktop) -> None:
    told = desktop.session("look-while-mute")
    assert not told["ok"]
    assert "did not answer within 2 seconds" in told["words"]
    assert told["after"] == "mute"
    assert told["took"] < LIMIT


def test_without_a_session_there_is_no_keyring(desktop: Desktop) -> None:
    told = desktop.without_a_session("look")
    assert not told["ok"]
    assert "no keyring here that can be used" in told["words"]
    assert told["after"] == "absent"
    assert told["took"] < LIMIT


def test_a_session_that_is_gone_is_no_keyring(desktop: Desktop) -> None:
    gone = f"unix:path={desktop.home}/gone"
    told = desktop.without_a_session("look", DBUS_SESSION_BUS_ADDRESS=gone)
    assert told["after"] == "absent"
    assert told["took"] < LIMIT


@pytest.mark.parametrize("act", ["save", "replace", "move", "remove"])
def test_a_change_that_is_killed_at_any_step_leaves_nothing_unseen(desktop: Desktop, act: str) -> None:
    """As in `test_stopped.py`, which stops at each file and lock too; here the keyring goes on while we are killed."""
    told = desktop.stopping(f"kill '{act}'")
    assert told["problems"] == []
    assert min(told["steps"].values()) >= 2


def test_two_programs_that_save_one_name_at_once_keep_the_winners_password(desktop: Desktop) -> None:
    told = desktop.stopping("pause save save")
    assert told["problems"] == []
    assert min(told["steps"].values()) >= 2
