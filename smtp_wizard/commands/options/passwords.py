"""Where a password comes from when it is not asked for. It is never an argument: everybody can read those."""

from __future__ import annotations

import os
import shlex
import sys
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, TypeVar

import click

from smtp_wizard.engine.base.errors import InputError
from smtp_wizard.engine.base.secret import Secret
from smtp_wizard.engine.base.shown import NO_WORDS, Shown, phrase, shown
from smtp_wizard.engine.base.threads import in_thread
from smtp_wizard.engine.lazy_dataclass import dataclass
from smtp_wizard.engine.secrets.command import first_line, utf8_text
from smtp_wizard.engine.secrets.reference_stores import parse_variable
from smtp_wizard.engine.secrets.secret_store import LARGEST, SecretError
from smtp_wizard.runtime.exit_codes import CommandError, Exit

if TYPE_CHECKING:
    from smtp_wizard.engine.secrets.reference_stores import EnvStore
    from smtp_wizard.engine.secrets.stores import SecretStores

PASSWORD_OPTIONS = "a password (--password-stdin, --password-command or --password-env)"
"""How a missing password is named."""

F = TypeVar("F", bound=Callable[..., Any])


@dataclass(frozen=True, slots=True)
class PasswordSource:
    """Which of the ways was named on the command line, if any."""

    stdin: bool = False
    command: str | None = None
    variable: str | None = None

    @property
    def given(self) -> bool:
        """Whether one was named."""
        return self.stdin or self.command is not None or self.variable is not None


def hidden(context: click.Context, parameter: click.Parameter, name: str | None) -> str | None:
    """Take a variable that holds a secret out of the environment at once, before any program can be started.

    Raises `click.BadParameter` for what is no name; it is not quoted, since it may be the secret itself.
    """
    if name is None:
        return None
    try:
        name = parse_variable(name)
    except InputError as problem:
        words = f"{problem} Give the name of the variable, never the secret itself."
        raise click.BadParameter(words, ctx=context, param=parameter) from None
    context.obj.env.hide((name,))
    return name


def command_words(context: click.Context, parameter: click.Parameter, text: str | None) -> str | None:
    """Take a command that prints a secret. Raises `click.BadParameter`, which names the option, for what is none."""
    if text is None:
        return None
    try:
        words = shlex.split(text)
    except ValueError:
        said = "That command cannot be read: a quotation mark is open."
        raise click.BadParameter(said, ctx=context, param=parameter) from None
    if not words or not words[0]:
        raise click.BadParameter("No command stands there.", ctx=context, param=parameter)
    return text


def password_options(command: F) -> F:
    """Add the options that say where the password comes from; `taken_from` reads them."""
    for option in (
        click.option(
            "--password-env", metavar="NAME", callback=hidden, help="Take the password from this environment variable."
        ),
        click.option(
            "--password-command",
            metavar="CMD",
            callback=command_words,
            help="Run this command; the first line it prints is the password.",
        ),
        click.option("--password-stdin", is_flag=True, help="Read the password from standard input."),
    ):
        command = option(command)
    return command


def taken_from(given: dict[str, Any]) -> PasswordSource:
    """Take the password options out of what click gives. Raises `click.UsageError` for more than one."""
    source = PasswordSource(given.pop("password_stdin"), given.pop("password_command"), given.pop("password_env"))
    if sum((source.stdin, source.command is not None, source.variable is not None)) > 1:
        raise click.UsageError("Only one of --password-stdin, --password-command and --password-env can be used.")
    return source


async def read_password(source: PasswordSource, stores: SecretStores) -> Secret | None:
    """Return the password, None where no way was named. Raises `CommandError`."""
    if source.variable is not None:
        return _from_variable(source.variable, stores.env)
    if source.command is not None:
        return await _from_command(source.command, stores.for_children())
    return await _from_stdin() if source.stdin else None


def _from_variable(name: str, env: EnvStore) -> Secret:
    # Taken out of the environment, so that no child process inherits it.
    try:
        secret = env.take(name)
    except SecretError as problem:
        raise _unreadable(problem.words) from None
    if secret is None:
        raise _unreadable(phrase("{}.", env.lacks(name)), phrase("Set it, and start again."))
    return secret


async def _from_stdin() -> Secret:
    if sys.stdin.isatty():
        raise CommandError(
            "password-on-terminal",
            phrase("Standard input is a terminal, where the password would be shown."),
            phrase("Leave --password-stdin out: you are asked for the password, and it is not shown."),
        )
    try:
        raw = await in_thread(_read_stdin)
    except OSError as problem:
        why = shown(problem.strerror or "unknown reason", 80)
        raise _unreadable(phrase("Standard input cannot be read: {}.", why)) from None
    text = _decoded(raw, phrase("standard input"))
    ending = "\r\n" if text.endswith("\r\n") else "\n" if text.endswith("\n") else ""
    return _not_empty(text.removesuffix(ending) if ending else text, phrase("Standard input"))


def _read_stdin() -> bytes:
    """Read to the end, without the buffer's lock: a daemon thread that holds it breaks the end of the interpreter."""
    try:
        handle = sys.stdin.fileno()
    except (OSError, ValueError):
        return sys.stdin.buffer.read(LARGEST + 1)
    raw = b""
    while len(raw) <= LARGEST and (more := os.read(handle, LARGEST + 1 - len(raw))):
        raw += more
    return raw


async def _from_command(command: str, environ: Mapping[str, str]) -> Secret:
    try:
        return await first_line(shlex.split(command), environ)
    except SecretError as problem:
        raise _unreadable(problem.words) from None


def _decoded(raw: bytes, where: Shown) -> str:
    if len(raw) > LARGEST:
        raise _unreadable(phrase("What {} gave is far longer than a password or secret.", where))
    text = utf8_text(raw)
    if text is None:
        raise _unreadable(phrase("What {} gave is not UTF-8 text.", where))
    return text


def _not_empty(text: str, where: Shown) -> Secret:
    if not text:
        raise _unreadable(phrase("{} gave no password or secret.", where))
    return Secret(text)


def _unreadable(message: Shown, hint: Shown = NO_WORDS) -> CommandError:
    return CommandError("password-unreadable", message, hint, Exit.SECRET)
