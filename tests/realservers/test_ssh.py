"""A wizard over a real SSH line, cut in the middle: the next login goes on, and only the password is typed again."""

from __future__ import annotations

import contextlib
import os
import shlex
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from smtp_wizard.engine.accounts.saved_accounts import SavedAccounts
from smtp_wizard.engine.wizard.draft_file import DraftFile
from tests.support.line import Line
from tests.support.patience import PATIENCE
from tests.support.ports import free_ports

pytestmark = pytest.mark.real

PASSWORD = "abcd efgh ijkl mnop"
PASSPHRASE = "plum corner violet stove"
DOWN = "\x1b[B"


@dataclass(frozen=True)
class Login:
    """An SSH server on loopback that takes one key."""

    port: int
    key: Path
    config: Path

    def line(self) -> Line:
        """Log in with a terminal, and start the program there."""
        program = shlex.join([sys.executable, "-m", "smtp_wizard", "--config", str(self.config)])
        here = shlex.quote(str(Path(__file__).resolve().parent.parent.parent))
        remote = f"cd {here} && exec env TERM=xterm-256color LANG=C.UTF-8 {program}"
        options = ("StrictHostKeyChecking=no", "UserKnownHostsFile=/dev/null", "LogLevel=ERROR", "IdentitiesOnly=yes")
        said = [word for option in options for word in ("-o", option)]
        command = ["ssh", "-tt", *said, "-F", "none", "-i", str(self.key), "-p", str(self.port), "127.0.0.1", remote]
        return Line(command, {})


@pytest.fixture
def login(tmp_path: Path) -> Iterator[Login]:
    """Start the server; every connection ends with the test."""
    for name in ("host", "user"):
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(tmp_path / name)], check=True)
    shutil.copy(tmp_path / "user.pub", tmp_path / "authorized")
    (port,) = free_ports(1)
    settings = tmp_path / "sshd_config"
    settings.write_text(
        f"ListenAddress 127.0.0.1:{port}\nHostKey {tmp_path / 'host'}\nPidFile none\nStrictModes no\nUsePAM no\n"
        f"AuthorizedKeysFile {tmp_path / 'authorized'}\nPermitRootLogin yes\nPasswordAuthentication no\n"
    )
    if os.geteuid() == 0:
        Path("/run/sshd").mkdir(mode=0o755, exist_ok=True)
    server = shutil.which("sshd", path=f"{os.environ['PATH']}:/usr/sbin")
    assert server is not None, "sshd is not installed"
    running = subprocess.Popen(
        [server, "-D", "-e", "-f", str(settings)], stderr=subprocess.DEVNULL, start_new_session=True
    )
    try:
        wait_for_port(port)
        yield Login(port, tmp_path / "user", tmp_path / "config")
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(running.pid, signal.SIGTERM)
        running.wait(PATIENCE)


def wait_for_port(port: int) -> None:
    end = time.monotonic() + PATIENCE
    while True:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        assert time.monotonic() < end, "sshd does not answer"
        time.sleep(0.05)


def test_a_lost_line_costs_the_password_and_nothing_else(login: Login) -> None:
    line = login.line()
    try:
        line.take(until="Which address")
        line.press("you@sandbox.test\r", until="practise?")
        line.press("\r", until="Practice password")
        line.press("half a passw", until="****")
    finally:
        line.close()  # SIGKILL to ssh: the server sees the line go, and the program a hang-up
    box = DraftFile(login.config)
    end = time.monotonic() + PATIENCE
    while (kept := box.load()) is None or kept.step.id != "connect":
        assert time.monotonic() < end, "the draft was not kept"
        time.sleep(0.05)
    assert b"half a passw" not in b"".join(each.read_bytes() for each in login.config.rglob("*") if each.is_file())

    line = login.line()
    try:
        line.take(until="Go on where I stopped")
        line.press("\r", until="Practice password")
        line.press(PASSWORD)
        line.press("\r", until="Next: one test message")
        line.press("\r", until="Where should the test")
        line.press("\x1b[B")
        line.press("\r", until="Name of the account")
        line.press("\x1b[20~", until="Where should the password be kept?")
        line.press("\x1b[A" * 4)  # a session over SSH has no keyring: it is to be kept nowhere
        line.press("\r", until="Password in the vault")
        line.press("\r", until="A new vault")
        line.press(f"{PASSPHRASE}\r")
        line.press(f"{PASSPHRASE}\r", until="is saved")
    finally:
        line.close()
    (account,) = SavedAccounts(login.config).list()
    assert str(account.address) == "you@sandbox.test"
    assert account.connection.sandbox == "accept"
