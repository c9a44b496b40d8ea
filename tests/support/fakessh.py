"""An ssh that goes nowhere: it runs the command on this computer, by a Python without anything but its own library."""

from __future__ import annotations

import shlex
import sys
from pathlib import Path

import pytest

BASE = Path(sys.base_prefix) / "bin" / f"python{sys.version_info.major}.{sys.version_info.minor}"


def fake_ssh(folder: Path, patch: pytest.MonkeyPatch, *, then: str = "", python: str = "") -> Path:
    """Put it first in the PATH; return the file in which it notes its words, and those of the programs it starts.

    `then`: a line of shell that is run in the place of the command. `python`: what 'python3' does there.
    """
    here, there, notes = folder / "here", folder / "there", folder / "notes"
    for each in (here, there):
        each.mkdir()
    (there / "sh").symlink_to("/bin/sh")
    started = python or f'exec {shlex.quote(str(BASE))} -S "$@"'
    _script(there / "python3", f'printf "%s\\n" "$@" >> {shlex.quote(str(notes))}\n{started}')
    command = then or f'for last; do :; done; PATH={shlex.quote(str(there))} exec /bin/sh -c "$last"'
    _script(here / "ssh", f'printf "%s\\n" "$@" >> {shlex.quote(str(notes))}\n{command}')
    patch.setenv("PATH", str(here), prepend=":")
    patch.setenv("TMPDIR", str(folder))
    return notes


def _script(file: Path, text: str) -> None:
    file.write_text(f"#!/bin/sh\n{text}\n", "utf-8")
    file.chmod(0o700)
