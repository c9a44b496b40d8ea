"""A check made on another computer, through the system's ssh: its configuration, agent and known hosts hold.

The engine's check alone goes there, in one file that is read from standard input, unpacked into a folder of its own,
and removed at the end, whatever happens. So does the secret: it is in no word of a command, no variable and no file.
"""

from __future__ import annotations

import asyncio
import io
import json
import shlex
import shutil
import zipfile
from collections.abc import Mapping, Sequence
from contextlib import nullcontext, suppress
from functools import cache
from pathlib import Path

import smtp_wizard
from smtp_wizard.engine.base.connection import Auth
from smtp_wizard.engine.base.errors import ShownError
from smtp_wizard.engine.base.records import read_record, write_record
from smtp_wizard.engine.base.secret import Secret
from smtp_wizard.engine.base.shown import Shown, phrase, shown
from smtp_wizard.engine.base.stages import Depth
from smtp_wizard.engine.base.strict_json import JsonError, read_json
from smtp_wizard.engine.checks.events import NotBegun
from smtp_wizard.engine.checks.report import CheckResult, Report
from smtp_wizard.engine.checks.target import ExplainsSymptoms, Target
from smtp_wizard.engine.remote.messages import BEGINS, LONGEST, RemoteCheckRequest, RemoteCheckResponse, StageOutcome
from smtp_wizard.engine.remote.terminal_echo import terminal_as_it_was

PARTS = ("base", "smtp", "checks", "diagnosis", "remote")
"""The folders of the engine that a check is made of."""
LARGEST = 4 * 1024 * 1024
"""Bytes of an answer at most."""
FAILED, NO_PYTHON = 255, 126
"""What ssh itself exits with, and what the other computer does where no Python fits."""
PATIENCE = 300
"""Seconds that the other computer is given, questions of ssh to the person included: no check takes so long."""
KEY_CHANGED = b"REMOTE HOST IDENTIFICATION HAS CHANGED"
"""What ssh says of a computer that shows another key than it did (sshconnect.c of OpenSSH)."""
HURRY = 2.0
"""Seconds that ssh is given to end."""

CODE = """
import os, shutil, sys, tempfile
folder = tempfile.mkdtemp()
try:
    size = int(sys.stdin.buffer.readline())
    name = os.path.join(folder, "check.zip")
    with open(name, "wb") as file:
        file.write(sys.stdin.buffer.read(size))
    sys.path.insert(0, name)
    from smtp_wizard.engine.remote.remote_runner import main
    main(folder)
finally:
    shutil.rmtree(folder, True)
"""
ONE_LINE = f"exec({json.dumps(CODE)})"
"""The same without line ends: csh, which may be the login shell there, takes none inside quotes."""
FIND_PYTHON = (
    "for each in python3 python3.14 python3.13 python3.12 python3.11; do "
    'if command -v $each >/dev/null 2>&1 && $each -c "import sys; sys.exit(sys.version_info < (3, 11))" </dev/null; '
    'then exec $each -I -c "$0"; fi; done; exit 126'
)
"""Begins the first Python that is new enough."""


TRY_SSH = phrase("Try 'ssh' to it by hand, and test again.")
PYTHON_THERE = phrase("Install Python there, and test again.")
SSH_HERE = phrase("Install ssh here (on Debian and Ubuntu the package openssh-client), and test again.")
OTHER_KEY = phrase(
    "If that computer was set up anew, remove its old key from your known hosts (ssh-keygen -R), and test again. If it "
    "was not, another computer may have taken its place: ask who runs it."
)


class RemoteError(ShownError):
    """The check could not be made on the other computer. The text is one sentence for a person."""

    def __init__(self, words: Shown, step: Shown = TRY_SSH) -> None:
        """`step`: what to do about it."""
        super().__init__(words)
        self.step = step


class Unreached(RemoteError, NotBegun):
    """It was not even begun there."""


class SshHost:
    """Another computer."""

    def __init__(
        self, host: str, options: Sequence[str] = (), *, environ: Mapping[str, str], asks: bool = False
    ) -> None:
        """`host`: never with a hyphen first. `options`: as behind -o of ssh. `asks`: somebody is there.

        `environ`: of ssh, which may hand variables on; none with a secret may be among them.
        """
        self.host = host
        self._options = tuple(options)
        self._environ = environ
        self._asks = asks

    async def check(self, target: Target, secret: Secret | None, depth: Depth, diagnosis: ExplainsSymptoms) -> Report:
        """Make a check there; return its report, explained here. Raises `RemoteError`."""
        question = _question(target, secret, depth)
        program = _program()
        said = f"{len(program)}\n".encode() + program + json.dumps(write_record(question)).encode()
        try:
            async with asyncio.timeout(PATIENCE):
                # The terminal is looked at before ssh begins, which changes it while it asks.
                with terminal_as_it_was() if self._asks else nullcontext():
                    code, out, err = await self._run(said)
        except TimeoutError:
            raise RemoteError(
                phrase("The check on {} gave no answer in {} seconds.", shown(self.host, 100), PATIENCE)
            ) from None
        _, begun, out = out.partition(b"\n" + BEGINS)
        if code == FAILED and not begun:
            step = OTHER_KEY if KEY_CHANGED in err else TRY_SSH
            raise Unreached(phrase("ssh could not go to {}: {}.", shown(self.host, 100), _last_lines(err, 3)), step)
        if code == NO_PYTHON and not begun:
            raise Unreached(
                phrase(
                    "There is no Python 3.11 or newer on {}: install it there (on Debian and Ubuntu the package "
                    "python3).",
                    shown(self.host, 100),
                ),
                PYTHON_THERE,
            )
        try:
            answer = read_record(RemoteCheckResponse, read_json(out.partition(b"\n")[0]))
        except JsonError:
            trouble = RemoteError if begun else Unreached
            raise trouble(
                phrase("The check on {} gave no answer: {}.", shown(self.host, 100), _last_lines(err, 1))
            ) from None
        results = tuple(_result(each, target, diagnosis) for each in answer.outcomes)
        return Report(target.connection.endpoint, results)

    def command(self, program: str) -> tuple[str, ...]:
        """Return the words that start ssh. `program`: where it is."""
        # Where nobody is there a question for a password or a host key would wait for ever.
        asking = () if self._asks else ("-o", "BatchMode=yes")
        options = tuple(word for option in self._options for word in ("-o", option))
        there = shlex.join(["sh", "-c", FIND_PYTHON, ONE_LINE])
        return (program, "-T", *options, *asking, "--", self.host, there)

    async def _run(self, said: bytes) -> tuple[int, bytes, bytes]:
        program = shutil.which("ssh")
        if program is None:
            raise Unreached(phrase("ssh is not installed on this computer."), SSH_HERE)
        try:
            process = await asyncio.create_subprocess_exec(
                *self.command(program),
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.PIPE,
                limit=LARGEST,
                env=dict(self._environ),
            )
        except OSError as problem:
            raise Unreached(phrase("ssh could not be started: {}.", shown(problem.strerror or "", 100))) from None
        try:
            out, err = await _exchanged(process, said)
            return await process.wait(), out, err
        finally:
            await _ended(process)


async def _exchanged(process: asyncio.subprocess.Process, said: bytes) -> tuple[bytes, bytes]:
    """Hand over what is said; return what comes back, as much of it as is believed."""
    assert process.stdin is not None
    assert process.stdout is not None
    assert process.stderr is not None

    async def say(to: asyncio.StreamWriter) -> None:
        with suppress(OSError):  # it has ended, and says why
            to.write(said)
            await to.drain()
            to.close()

    _, out, err = await asyncio.gather(say(process.stdin), _read(process.stdout), _read(process.stderr))
    return out, err


async def _read(stream: asyncio.StreamReader) -> bytes:
    data = bytearray()
    while piece := await stream.read(65536):
        data += piece
        if len(data) > LARGEST:
            raise RemoteError(phrase("What came back has no end."))
    return bytes(data)


async def _ended(process: asyncio.subprocess.Process) -> None:
    """End ssh where it has not ended by itself: it is asked first, so that it can tidy up after a question."""
    for end in (process.terminate, process.kill):
        if process.returncode is None:
            with suppress(ProcessLookupError):
                end()
            with suppress(TimeoutError):
                async with asyncio.timeout(HURRY):
                    await process.wait()


def _question(target: Target, secret: Secret | None, depth: Depth) -> RemoteCheckRequest:
    connection = target.connection
    signs_in = depth is not Depth.SERVER and connection.auth is not Auth.NONE
    return RemoteCheckRequest(
        endpoint=connection.endpoint,
        username=connection.username,
        auth=connection.auth,
        ehlo_name=connection.ehlo_name,
        allow_cleartext=connection.allow_cleartext,
        family=target.family,
        depth=depth,
        secret=secret.reveal() if signs_in and secret is not None else None,
        authority=_authority(connection.ca_file),
    )


def _authority(file: str | None) -> str | None:
    """Return a company's own authority, which the other computer may not have. Raises `RemoteError`."""
    if file is None:
        return None
    try:
        return Path(file).read_text("ascii")
    except (OSError, ValueError):
        raise RemoteError(phrase("The file {} cannot be read.", shown(file, 200))) from None


@cache
def _program() -> bytes:
    """Return the engine's check as one file that Python can import from."""
    top = Path(smtp_wizard.__file__).parent
    files = [top / "__init__.py", top / "engine" / "__init__.py", top / "engine" / "lazy_dataclass.py"]
    files += [each for part in PARTS for each in sorted((top / "engine" / part).glob("*.py"))]
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w", zipfile.ZIP_DEFLATED) as archive:
        for file in files:
            archive.writestr(f"smtp_wizard/{file.relative_to(top).as_posix()}", file.read_bytes())
    return data.getvalue()


def _result(outcome: StageOutcome, target: Target, diagnosis: ExplainsSymptoms) -> CheckResult:
    finding = diagnosis.explain(outcome.trouble.symptom(target)) if outcome.trouble is not None else None
    said = outcome.capabilities
    return CheckResult(
        stage=outcome.stage,
        verdict=outcome.verdict,
        took=outcome.took,
        detail=finding.title if finding is not None and not finding.warning else shown(outcome.detail, LONGEST),
        finding=finding,
        family=outcome.family,
        address=shown(outcome.address, 100) if outcome.address is not None else None,
        tls=outcome.tls.facts() if outcome.tls is not None else None,
        capabilities={shown(name, 50): shown(words, 200) for name, words in said.items()} if said is not None else None,
        mechanism=shown(outcome.mechanism, 50) if outcome.mechanism is not None else None,
    )


def _last_lines(err: bytes, most: int) -> Shown:
    """Return what was said last. Lines that are set in, such as commands to copy, go with others that are left out."""
    lines = [line.strip().rstrip(". ") for line in err.decode("utf-8", "replace").splitlines() if line[:1].strip()]
    return shown("; ".join(line for line in lines[-most:] if line), 300) if lines else phrase("it said nothing")
