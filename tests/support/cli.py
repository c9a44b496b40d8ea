"""Runs the command line: inside this process with its streams captured, as a process of its own, or on a terminal."""

from __future__ import annotations

import fcntl
import functools
import io
import json
import os
import pty
import select
import struct
import subprocess
import sys
import termios
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Any

import jsonschema

from smtp_wizard import cli
from smtp_wizard.output.schemas import schema_of
from tests.support.data_read_once import data_read_once
from tests.support.patience import PATIENCE

PROGRAM = (sys.executable, "-m", "smtp_wizard")
LIMIT = PATIENCE
"""Seconds after which a test gives up on a process."""


@dataclass(frozen=True)
class Ran:
    """What became of one call."""

    code: int
    out: str
    err: str

    @property
    def document(self) -> dict[str, Any]:
        """The one JSON document on stdout, held to its published schema."""
        return checked(self.out)

    @property
    def error(self) -> dict[str, Any]:
        """The error of an error document."""
        assert self.document["schema"] == "smtp-wizard/error/1"
        error: dict[str, Any] = self.document["error"]
        return error

    @property
    def result(self) -> dict[str, Any]:
        """The only entry of `results`."""
        (result,) = self.document["results"]
        assert isinstance(result, dict)
        return result

    @property
    def stages(self) -> list[tuple[str, str]]:
        """Stage and verdict of the only result."""
        return [(stage["stage"], stage["verdict"]) for stage in self.result["stages"]]


def checked(text: str) -> dict[str, Any]:
    """Return the JSON document that a text is, once it has proved to be what its schema says."""
    document: dict[str, Any] = json.loads(text)
    program, name, version = document["schema"].split("/")
    assert (program, version) == ("smtp-wizard", "1")
    hold(document, name)
    return document


def hold(document: object, name: str) -> None:
    """Hold a document to the published schema of this name. Raises `jsonschema.ValidationError`."""
    error = jsonschema.exceptions.best_match(validator(name).iter_errors(document))
    if error is not None:
        raise error


@functools.cache
def validator(name: str) -> jsonschema.Draft202012Validator:
    """Return what holds a document to a published schema, looked at once: that costs more than they do."""
    schema = schema_of(name)
    jsonschema.Draft202012Validator.check_schema(schema)
    return jsonschema.Draft202012Validator(schema)


def run(*arguments: str, stdin: str | bytes = "") -> Ran:
    """Run a command in this process; nothing of it is a terminal."""
    raw = stdin.encode() if isinstance(stdin, str) else stdin
    before = sys.stdin, sys.stdout, sys.stderr
    streams = [io.TextIOWrapper(io.BytesIO(each), "utf-8") for each in (raw, b"", b"")]
    sys.stdin, sys.stdout, sys.stderr = streams
    try:
        with data_read_once():
            code = cli.main(arguments)
    finally:
        sys.stdin, sys.stdout, sys.stderr = before
    out, err = (_written(stream) for stream in streams[1:])
    return Ran(code, out, err)


def _written(stream: io.TextIOWrapper) -> str:
    stream.flush()
    assert isinstance(stream.buffer, io.BytesIO)
    return stream.buffer.getvalue().decode("utf-8")


def run_process(*arguments: str, stdin: str | bytes = b"", environ: dict[str, str] | None = None) -> Ran:
    """Run the program as a process of its own."""
    done = subprocess.run(
        [*PROGRAM, *arguments],
        input=stdin.encode() if isinstance(stdin, str) else stdin,
        capture_output=True,
        env={**os.environ, **(environ or {})},
        timeout=LIMIT,
        check=False,
    )
    return Ran(done.returncode, done.stdout.decode(), done.stderr.decode())


@contextmanager
def started(*arguments: str) -> Iterator[subprocess.Popen[str]]:
    """Start the program, to be sent signals; ended at the latest when the test is done."""
    process = subprocess.Popen(
        [*PROGRAM, *arguments],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def on_terminal(
    arguments: Sequence[str], *, typed: Sequence[tuple[str, str]] = (), term: str = "xterm", rows: int = 0
) -> Ran:
    """Run the program on a terminal of its own. `typed`: what to wait for, and what to type then.

    `rows`: how high the terminal is; nobody has given it a size else.

    Everything that stands on the terminal is in `out`.
    """
    terminal, far_end = pty.openpty()
    if rows:
        fcntl.ioctl(far_end, termios.TIOCSWINSZ, struct.pack("HHHH", rows, 80, 0, 0))
    process = subprocess.Popen(
        [sys.executable, "-c", _TAKE_TERMINAL, *PROGRAM, *arguments],
        stdin=far_end,
        stdout=far_end,
        stderr=far_end,
        env={**os.environ, "TERM": term},
        start_new_session=True,
    )
    os.close(far_end)
    try:
        seen = b""
        for awaited, answer in typed:
            seen += _read_until(terminal, awaited.encode(), seen)
            os.write(terminal, answer.encode())
        seen += _read_until(terminal, None, seen)
        code = process.wait(LIMIT)
    finally:
        os.close(terminal)
        process.kill()
        process.wait()
    return Ran(code, seen.decode().replace("\r\n", "\n"), "")


_TAKE_TERMINAL = """\
import fcntl, os, sys, termios
fcntl.ioctl(0, termios.TIOCSCTTY, 0)
os.execv(sys.argv[1], sys.argv[1:])
"""
"""Makes the terminal the session's own, so that /dev/tty leads there, and becomes the program."""


def _read_until(terminal: int, awaited: bytes | None, before: bytes) -> bytes:
    """Read until the words stand there, or, for None, to the end of the program."""
    seen = b""
    end = time.monotonic() + LIMIT
    with suppress(OSError):  # how Linux says that nobody has the terminal open any more
        while time.monotonic() < end:
            if awaited is not None and awaited in seen:
                return seen
            ready, _, _ = select.select([terminal], [], [], 1.0)
            if ready:
                more = os.read(terminal, 65536)
                if not more:
                    break
                seen += more
        else:
            raise AssertionError(f"{awaited!r} never came, only {(before + seen)!r}")
    assert awaited is None or awaited in seen, f"{awaited!r} never came, only {(before + seen)!r}"
    return seen
