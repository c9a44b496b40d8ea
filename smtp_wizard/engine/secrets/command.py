"""What a command prints: a password manager is asked each time, and its answer is kept nowhere.

The command is a list of words, never a line for a shell. It runs in a session of its own, where it finds no terminal to
scribble on; nothing of what it writes to stderr is shown, since that may quote the secret.
"""

from __future__ import annotations

import asyncio
import os
import shlex
import signal
import sys
import unicodedata
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from smtp_wizard.engine.base.errors import InputError
from smtp_wizard.engine.base.secret import Secret
from smtp_wizard.engine.base.shown import Shown, phrase, shown
from smtp_wizard.engine.secrets.reference_stores import ReferenceStore
from smtp_wizard.engine.secrets.secret_store import LARGEST, Availability, Before, SecretError, SecretFault, do_nothing
from smtp_wizard.engine.secrets.store_kinds import StoreKind, StoreRef
from smtp_wizard.engine.smtp.timeouts import listening_timeout

COMMAND_SECONDS = 30.0
"""How long a command may take."""
COMMAND_LIMIT = 1000
"""Characters of a command at most."""

COMMAND_EXAMPLES = (
    "pass show mail/office",
    "op read op://Private/Mail/password",
    "bw get password mail",
    "age --decrypt -i ~/.age/key.txt ~/.age/mail.age",
    "secret-tool lookup service mail",
)
"""Commands of password managers as their owners write them."""

_SHELL_WORDS = frozenset({"|", "||", "&", "&&", ";", ">", ">>", "<", "<<", "<<<"})

Lend = Callable[[Sequence[str], Mapping[str, str]], tuple[bytes, int] | None]
"""Runs a command on the person's own terminal, where it can ask; returns its output and exit code, None where that was
not wanted. Raises `OSError`, `TimeoutError`."""


def parse_command(text: str) -> str:
    """Take a command as it would be typed at a shell; return it in the one spelling that is saved.

    Raises `InputError`: no shell runs it, so what only a shell understands is refused instead of misunderstood.
    """
    if any(unicodedata.category(ch) in {"Cc", "Cs"} for ch in text.strip()):
        raise InputError(phrase("A command stands on one line, without characters that cannot be seen."))
    try:
        words = shlex.split(text)
    except ValueError:
        raise InputError(phrase("That command cannot be read: a quotation mark is open.")) from None
    if not words or not words[0]:
        raise InputError(
            phrase("Type the command that prints the password, for example: {}", shown(COMMAND_EXAMPLES[0]))
        )
    for word in words:
        if word in _SHELL_WORDS or word.startswith(("$(", "`")):
            raise InputError(
                phrase(
                    "No shell runs the command, so '{}' would mean nothing in it; put it into a script of "
                    "yours, and name that.",
                    shown(word, 20),
                )
            )
    written = shlex.join(words)
    if len(written) > COMMAND_LIMIT:
        raise InputError(
            phrase("A command has at most {} characters; put a longer one into a script of yours.", COMMAND_LIMIT)
        )
    return written


def words_of(where: str) -> list[str]:
    """Return the words of a command as `parse_command` wrote it; '~/' at a word's beginning is the home folder.

    Raises `SecretError` for what it did not write: somebody has changed the file by hand.
    """
    try:
        words = shlex.split(where)
    except ValueError:
        raise unreadable(
            phrase("The command '{}' cannot be read: a quotation mark is open.", shown(where, 100))
        ) from None
    if not words or not words[0]:
        raise unreadable(phrase("No command is named that prints the password."))
    return [os.path.expanduser(word) if word.startswith("~/") else word for word in words]  # noqa: PTH111


class CommandFailed(SecretError):
    """A command has ended with another exit code than 0: it may have wanted to ask something."""


class CommandStore(ReferenceStore):
    """Runs a command for each secret; its first line of output is the secret.

    With an account that signs in by an access token the command prints such a token, so that a token broker can be
    used; it is asked again each time, since tokens last an hour.
    """

    kind = StoreKind.COMMAND

    def __init__(
        self,
        environ: Mapping[str, str],
        *,
        limit: float = COMMAND_SECONDS,
        before: Callable[[], None] = do_nothing,
        lend: Lend | None = None,
    ) -> None:
        """`environ`: what the command gets; `limit`: seconds that it may take.

        `before` is called before a program is started: what no child process may inherit is taken out of the
        environment. `lend` lends the person's terminal to a command that must ask them something; None: there is none.
        """
        self._environ = environ
        self._limit = limit
        self._before = before
        self._lend = lend

    async def probe(self) -> Availability:
        if os.name != "posix" and sys.platform != "win32":
            return Availability(False, "Commands cannot be run on this system.", unattended=False)
        return Availability(
            True,
            "Only a command is saved: it is run each time and prints the password, which stays as safe as your "
            "password manager keeps it, and timed jobs (cron) can read it if the command works without asking.",
            unattended=True,
        )

    async def put(self, ref: StoreRef, secret: Secret, *, before: Before = do_nothing) -> None:
        words = [ref.where, *words_of(ref.where)]
        if len(secret) > 3 and any(secret.reveal() in word for word in words):
            raise SecretError(
                SecretFault.REFUSED,
                phrase(
                    "The password itself stands in that command, which would be saved in clear; name a command that "
                    "fetches it."
                ),
            )
        await super().put(ref, secret, before=before)

    async def read(self, where: str) -> Secret:
        words = words_of(where)
        self._before()
        try:
            return await first_line(words, self._environ, limit=self._limit)
        except CommandFailed:
            lent = self._lent(words)
            if lent is None:
                raise
            return lent

    def _lent(self, words: Sequence[str]) -> Secret | None:
        """Run the command once more where it can ask the person, if the front door can lend a terminal."""
        if self._lend is None:
            return None
        name = shown(words[0], 100)
        try:
            outcome = self._lend(words, self._environ)
        except (OSError, TimeoutError):
            return None
        if outcome is None:
            return None
        raw, code = outcome
        if code:
            raise _gave_up(name, code)
        return password_line(raw, phrase("The command {}", name))

    def default(self, account_name: str) -> str:
        raise SecretError(SecretFault.UNREADABLE, phrase("No command is named that prints the password."))

    def differs(self, where: str) -> Shown:
        return phrase(
            "The command '{}' prints another password than the one that was given; "
            "change it in your password manager first.",
            shown(where, 100),
        )


async def first_line(words: Sequence[str], environ: Mapping[str, str], *, limit: float = COMMAND_SECONDS) -> Secret:
    """Run a command, without a shell and away from our terminal; return its first line.

    Raises `SecretError`. It does not outlive this call; nor does what it started, in its session.
    """
    name = shown(words[0], 100)
    try:
        raw, code = await _output(words, environ, limit)
    except TimeoutError:
        raise unreadable(phrase("The command {} was not done within {:g} seconds.", name, limit)) from None
    except OSError as problem:
        reason = shown(problem.strerror or "unknown reason", 100)
        raise unreadable(phrase("The command {} could not be run: {}.", name, reason)) from None
    if code:
        raise _gave_up(name, code)
    return password_line(raw, phrase("The command {}", name))


def _gave_up(name: Shown, code: int) -> CommandFailed:
    how = phrase("exit code {}" if code > 0 else "signal {}", abs(code))
    return CommandFailed(
        SecretFault.UNREADABLE, phrase("The command {} gave up ({}); run it by hand to see why.", name, how)
    )


async def _output(words: Sequence[str], environ: Mapping[str, str], limit: float) -> tuple[bytes, int]:
    """Return a command's output and exit code. Raises `OSError` where it cannot be started, `TimeoutError`."""
    process = await _started(words, environ)
    try:
        # Our own caller's time limit raises the same error, outside of this one: it is told apart there.
        async with listening_timeout(limit):
            return await _read_all(process), await process.wait()
    finally:
        _end(process)
        await process.wait()


async def _started(words: Sequence[str], environ: Mapping[str, str]) -> asyncio.subprocess.Process:
    """Start a command. Raises `OSError`.

    Where the time is up meanwhile it is waited for and ended here: asyncio would end the command alone,
    and what it has started by then would go on.
    """
    starting = asyncio.ensure_future(
        asyncio.create_subprocess_exec(
            *words,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.DEVNULL,
            # In a session of its own it finds no terminal to scribble on, and can be ended with all that it started.
            start_new_session=True,
            env=without_terminal(environ),
        )
    )
    try:
        return await asyncio.shield(starting)
    except asyncio.CancelledError:
        with suppress(OSError):
            process = await starting
            _end(process)
            await process.wait()
        raise


def without_terminal(environ: Mapping[str, str]) -> dict[str, str]:
    """Return an environment in which a key agent is not told of our terminal: it would draw over the screen."""
    return {name: value for name, value in environ.items() if name != "GPG_TTY"}


async def _read_all(process: asyncio.subprocess.Process) -> bytes:
    assert process.stdout is not None
    raw = b""
    while len(raw) <= LARGEST and (more := await process.stdout.read(LARGEST)):
        raw += more
    if len(raw) > LARGEST:
        raise unreadable(phrase("The command gave far more than a password or secret."))
    return raw


def _end(process: asyncio.subprocess.Process) -> None:
    with suppress(ProcessLookupError, PermissionError):
        if sys.platform == "win32":
            process.kill()
        else:
            os.killpg(process.pid, signal.SIGKILL)
    # Without it a pipe that is still full keeps the transport open for ever.
    transport: Any = getattr(process, "_transport", None)
    if transport is not None:
        transport.close()


def password_line(raw: bytes, where: Shown) -> Secret:
    """Return the first line of what a command or a file gave, without its end. Raises `SecretError`.

    `where` begins the sentence: 'The command pass'.
    """
    if len(raw) > LARGEST:
        raise unreadable(phrase("{} gave far more than a password or secret.", where))
    text = utf8_text(raw)
    if text is None:
        raise unreadable(phrase("{} gave no UTF-8 text.", where))
    line = text.partition("\n")[0].removesuffix("\r")
    if not line:
        raise unreadable(phrase("{} gave no password or secret: its first line is empty.", where))
    return Secret(line)


def utf8_text(raw: bytes) -> str | None:
    """Return the text that bytes are, None where they are none.

    The error for that ends here: it has the bytes in it, and they are a password. What is raised inside its handler
    would lead to it.
    """
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError:
        return None


def unreadable(sentence: Shown) -> SecretError:
    """Return the error for what cannot be read."""
    return SecretError(SecretFault.UNREADABLE, sentence)


def found_program(where: str, environ: Mapping[str, str]) -> str | None:
    """Return the file of the program that a command begins with, None where there is none. Runs nothing."""
    import shutil

    try:
        found = shutil.which(words_of(where)[0], path=environ.get("PATH"))
    except SecretError:
        return None
    return str(Path(found)) if found else None
