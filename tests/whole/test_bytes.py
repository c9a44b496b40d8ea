"""What goes over the line: the real program in a real terminal of 80x24, its bytes counted.

The figures are those that a slow SSH line can bear: nothing while nobody does anything, four kilobytes for the first
frame and for another screen, one for a key, a little more where it leads to another field, two for a key in a filter,
four for a whole check, in which the form becomes the check, and the check its outcome.
"""

from __future__ import annotations

import os
import select
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.line import Line

FIRST_FRAME = 4 * 1024
NEW_SCREEN = 4 * 1024
KEY = 1024
TAB = 1536
FILTER_KEY = 2 * 1024
CHECK = 4 * 1024
SAVE_AND_ASK = 8 * 1024
"""Saving begins, and asks for a passphrase: a computer that is slow enough paints both."""
VAULT_AND_DONE = 12 * 1024
"""The vault is made, the account is saved, and the last page comes: three screens one after the other."""
DOWN, UP, ESCAPE, TAB_KEY, F1, F9 = "\x1b[B", "\x1b[A", "\x1b", "\t", "\x1bOP", "\x1b[20~"
PASSPHRASE = "plum corner violet stove"


@pytest.fixture
def line(tmp_path: Path) -> Iterator[Line]:
    opened = Line([sys.executable, "-m", "smtp_wizard"], {"SMTP_WIZARD_CONFIG": str(tmp_path)})
    try:
        yield opened
    finally:
        opened.close()


@pytest.mark.begins_early
def test_the_line_stays_light(line: Line) -> None:
    """From the first frame to the saved account: every screen, every key, every pause."""
    assert line.take(quiet=1.2, until="Which address") <= FIRST_FRAME
    assert idle(line) == 0
    assert line.press("a") <= KEY
    assert line.press("\x7f") <= KEY
    line.press("you@sandbox.test")
    assert line.press("\r", until="practise?") <= NEW_SCREEN
    assert line.press(ESCAPE, until="practice mailbox") <= NEW_SCREEN
    assert idle(line) == 0
    assert line.press(DOWN) <= KEY
    assert line.press("\r", until="Find your provider") <= NEW_SCREEN
    assert line.press(TAB_KEY) <= TAB
    assert line.press(TAB_KEY) <= TAB
    assert line.press("g") <= FILTER_KEY
    assert line.press("m") <= FILTER_KEY
    assert idle(line) == 0
    line.press(ESCAPE, until="Yes, go on")
    line.press(ESCAPE, until="Which address")
    assert line.press("\r", until="practise?") <= NEW_SCREEN
    assert line.press(F1, until="Help: Sign-in") <= NEW_SCREEN
    assert line.press(ESCAPE) <= NEW_SCREEN
    assert line.press(DOWN) <= KEY
    assert line.press(UP) <= KEY
    assert line.press("\r", until="Practice password") <= NEW_SCREEN
    assert idle(line) == 0
    assert line.press("p") <= KEY
    line.press("\x7fabcdefghijklmnop")
    assert line.press("\r", until="Next: one test message") <= CHECK
    assert idle(line) == 0
    assert line.press("\r", until="Where should the test") <= NEW_SCREEN
    assert line.press(DOWN) <= KEY
    assert line.press("\r", until="Name of the account") <= NEW_SCREEN
    assert idle(line) == 0
    assert line.press(F9, until="Where should the password be kept?") <= NEW_SCREEN
    line.press(UP * 4)  # from 'nowhere', where the practice password is kept without a keyring
    assert line.press("\r", until="Password in the vault") <= NEW_SCREEN
    assert line.press("\r", until="A new vault") <= SAVE_AND_ASK
    line.press(f"{PASSPHRASE}\r")
    line.press(PASSPHRASE)
    assert idle(line) == 0
    assert line.press("\r", until="is saved") <= VAULT_AND_DONE
    assert idle(line) == 0
    line.press(DOWN)
    line.press(DOWN)
    assert line.press("\r", until="Which value") <= NEW_SCREEN  # a longer list: its scrollbar moves nothing
    assert line.press(ESCAPE) <= NEW_SCREEN
    assert line.press("\r", until="Your accounts") <= NEW_SCREEN
    assert idle(line) == 0


def idle(line: Line) -> int:
    """Return the bytes of two seconds in which nobody does anything."""
    began, count = time.monotonic(), 0
    while time.monotonic() - began < 2.0:
        if select.select([line.end], [], [], 0.1)[0]:
            count += len(os.read(line.end, 65536))
    return count
