"""The real program in a real terminal multiplexer at 80x24: from the address to the saved account, by keys alone."""

from __future__ import annotations

import os
import select
import shlex
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from smtp_wizard.engine.accounts.saved_accounts import SavedAccounts
from smtp_wizard.engine.base.stages import Verdict
from smtp_wizard.engine.sandbox import mailbox
from smtp_wizard.engine.services.checks import PRACTICE_FOLDER
from tests.support.patience import PATIENCE

pytestmark = pytest.mark.real

PASSWORD = "abcdefgh ijklmnop"
TEST_TO = "ben@elsewhere.example"


@dataclass
class Tmux:
    """A tmux server of its own with one window, 80 by 24."""

    socket: Path
    pressed: list[str] = field(default_factory=list)
    """Every key but those of typed values."""

    def tell(self, *words: str) -> str:
        """Run one tmux command; return what it prints."""
        command = ["tmux", "-S", str(self.socket), "-f", "/dev/null", *words]
        # readline, which pytest loads, puts LINES and COLUMNS where os.environ does not see them.
        environ = dict(os.environ)
        done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=PATIENCE, env=environ)
        return done.stdout

    def start(self, program: list[str], environ: dict[str, str]) -> None:
        """Open the window with a program; it stays open when the program ends, with the exit code on it."""
        settings = [f"{name}={value}" for name, value in environ.items()]
        line = f"{shlex.join(['env', *settings, *program])}; echo ended with $?; exec sleep 600"
        self.tell("new-session", "-d", "-x", "80", "-y", "24", line)

    def stop(self) -> None:
        """End the tmux server with all that runs in it; return when it has gone, so that the next one is another."""
        server = os.pidfd_open(int(self.tell("display-message", "-p", "#{pid}")))
        try:
            self.tell("kill-server")
            gone, _, _ = select.select([server], [], [], PATIENCE)
            assert gone, "the tmux server does not end"
        finally:
            os.close(server)

    @property
    def screen(self) -> str:
        """What stands in the window."""
        return self.tell("capture-pane", "-p")

    def wait_for(self, words: str) -> None:
        """Look until the words stand there, wherever lines are broken."""
        end = time.monotonic() + PATIENCE
        while words not in " ".join(self.screen.split()):
            assert time.monotonic() < end, f"{words!r} never came:\n{self.screen}"
            time.sleep(0.05)

    def press(self, *keys: str) -> None:
        """Press keys, by tmux's names for them."""
        self.pressed += keys
        self.tell("send-keys", *keys)

    def write(self, text: str) -> None:
        """Type a value."""
        self.tell("send-keys", "-l", text)

    def resize(self, width: int, height: int) -> None:
        """Give the window another size."""
        self.tell("resize-window", "-x", str(width), "-y", str(height))


@pytest.fixture
def tmux(tmp_path: Path) -> Iterator[Tmux]:
    opened = Tmux(tmp_path / "tmux")
    try:
        yield opened
    finally:
        with suppress(subprocess.CalledProcessError):  # there is none any more
            opened.stop()


def environment(own_home: Path) -> dict[str, str]:
    return {
        "HOME": str(own_home),
        "LANG": "C.UTF-8",
        "PYTHONPATH": str(Path(__file__).resolve().parents[2]),
        "SMTP_WIZARD_CONFIG": os.environ["SMTP_WIZARD_CONFIG"],
        "DBUS_SESSION_BUS_ADDRESS": "",
    }


def test_from_the_address_to_the_saved_account(tmux: Tmux, own_home: Path) -> None:
    """Email, Provider, Sign-in, Connect, Test mail, Save, Done, and the account in the list; tested once more."""
    tmux.start([sys.executable, "-m", "smtp_wizard"], environment(own_home))
    tmux.wait_for("Which address should your mail come from?")
    tmux.write("ana@sandbox.test")
    tmux.press("Enter")
    tmux.wait_for("What do you want to practise?")
    tmux.press("Enter")
    tmux.wait_for("Practice password")
    tmux.write(PASSWORD)
    assert PASSWORD not in tmux.screen
    tmux.press("Enter")
    tmux.wait_for("Enter Send a test")
    tmux.press("Enter")
    tmux.wait_for("Where should the test message go?")
    tmux.write(TEST_TO)
    tmux.press("Enter")
    tmux.wait_for("Which code word is in the message?")
    config = Path(os.environ["SMTP_WIZARD_CONFIG"])
    tmux.write(mailbox.messages(config / PRACTICE_FOLDER)[0].subject.split()[-1])
    tmux.press("Enter")
    tmux.wait_for("Name of the account")
    tmux.press("F9")
    tmux.wait_for("Where should the password be kept?")
    for _ in range(4):
        tmux.press("Down")
    tmux.wait_for("▌ Nowhere: ask me each time")
    tmux.press("Enter")
    tmux.wait_for("kept nowhere")
    tmux.press("Enter")
    tmux.wait_for("is saved.")
    assert len(tmux.pressed) <= 22
    assert PASSWORD not in tmux.screen
    (account,) = SavedAccounts(Path(os.environ["SMTP_WIZARD_CONFIG"])).list()
    assert account.connection.sandbox == "accept"
    assert str(account.address) == "ana@sandbox.test"
    assert account.last is not None
    assert account.last.verdict is Verdict.PASS
    sign_in_again(tmux, account.name)
    tmux.stop()
    open_later(tmux, account.name, own_home)


def sign_in_again(tmux: Tmux, name: str) -> None:
    """From Done to the accounts; T signs in with the password that is still in memory; Ctrl+Q leaves."""
    tmux.press("Enter")
    tmux.wait_for("Your accounts")
    tmux.wait_for(name)
    tmux.press("t")
    tmux.wait_for(f"'{name}' works: it signed in")
    tmux.press("C-q")
    tmux.wait_for("ended with 0")


def open_later(tmux: Tmux, name: str, own_home: Path) -> None:
    """Opened again, the program begins with the accounts; T asks for the password that is kept nowhere."""
    tmux.start([sys.executable, "-m", "smtp_wizard"], environment(own_home))
    tmux.wait_for("Your accounts")
    tmux.press("t")
    tmux.wait_for(f"The password of '{name}'")
    tmux.write(PASSWORD)
    tmux.press("Enter")
    tmux.wait_for(f"'{name}' works: it signed in")
    assert PASSWORD not in tmux.screen
    tmux.press("C-q")
    tmux.wait_for("ended with 0")


def test_the_window_grows_and_shrinks_while_a_password_is_typed(tmux: Tmux, own_home: Path) -> None:
    """Guide above the form, beside it in a wide window; too small says so; what was typed is there again."""
    tmux.start([sys.executable, "-m", "smtp_wizard"], environment(own_home))
    tmux.wait_for("Which address should your mail come from?")
    tmux.write("ana@sandbox.test")
    for words in ("What do you want to practise?", "Practice password"):
        tmux.press("Enter")
        tmux.wait_for(words)
    tmux.write("four")
    tmux.wait_for("****")
    tmux.resize(120, 40)
    tmux.wait_for("Practise on this computer")
    tmux.resize(60, 20)
    tmux.wait_for("Practice password")
    tmux.resize(40, 12)
    tmux.wait_for("This window is too small")
    tmux.resize(80, 24)
    tmux.wait_for("****")
