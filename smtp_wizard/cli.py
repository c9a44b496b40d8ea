"""The command line: the commands by name, each loaded when it is used, and what becomes of an exit."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress
from importlib import import_module
from pathlib import Path
from types import MappingProxyType
from typing import Any

import click

from smtp_wizard import __version__
from smtp_wizard.commands.invocation import COMPLETING, Invocation
from smtp_wizard.engine.base.shown import phrase, shown
from smtp_wizard.runtime.exit_codes import EXIT_WORDS, CommandError, Exit, Interrupted
from smtp_wizard.runtime.output import Output, form_asked_for
from smtp_wizard.runtime.signals import orderly_end

COMMANDS: Mapping[str, str] = MappingProxyType(
    {
        "setup": "Set up an account and test it.",
        "check": "Test a mail server without an account.",
        "test": "Test saved accounts again.",
        "history": "Show the last test results of an account.",
        "calendar": "List what expires, and when; also as a calendar file.",
        "send": "Send a test message through a saved account.",
        "senders": "Check which addresses an account may send as.",
        "accounts": "List, show, change and remove saved accounts.",
        "vault": "Show the encrypted password file, or change its passphrase.",
        "discover": "Find the server settings for an e-mail address.",
        "providers": "Look up what a mail provider requires.",
        "provider": "Add a provider, or export one for another mail program.",
        "limits": "Look up sending limits, and plan a mailing.",
        "readiness": "Check whether an account is ready for a mailing.",
        "guide": "List the guides, or read one.",
        "explain": "Explain an error message, a log or a bounce.",
        "bounces": "List the addresses that mail did not reach, and why.",
        "domain": "Check the SPF, DKIM and DMARC records of a domain.",
        "unsubscribe": "Make unsubscribe links and headers, or check a template.",
        "sandbox": "Run a practice mail server on this computer.",
        "doctor": "Check this installation.",
        "completion": "Print the completion script for a shell.",
        "manual": "Print the manual page.",
        "schema": "Print the JSON Schema of a command's JSON output.",
    }
)
"""Every command with its short help, so that the list of commands loads none of them."""

PROGRAM = "smtp-wizard"
HURRY = 0.5
"""Seconds that writing what was learnt may take where a signal has ended the program."""


class _Commands(click.Group):
    """The program; its commands are loaded one by one."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        found = import_module(f"smtp_wizard.commands.{cmd_name}").command
        assert isinstance(found, click.Command)
        return found

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        if args and args[0] not in COMMANDS:
            import difflib

            close = difflib.get_close_matches(args[0], COMMANDS, n=1)
            hint = f" Did you mean '{close[0]}'?" if close else ""
            raise click.UsageError(f"There is no command '{args[0]}'.{hint}", ctx)
        return super().resolve_command(ctx, args)

    def get_help(self, ctx: click.Context) -> str:
        width = max(min(_columns(), ctx.max_content_width or _WIDEST) - 2, _NARROWEST)
        formatter = click.HelpFormatter(width=width)
        self.format_help(ctx, formatter)
        return formatter.getvalue().rstrip("\n")

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Exit codes"):
            formatter.write_dl(EXIT_WORDS)


_WIDEST, _NARROWEST = 80, 50
"""Columns of the help, as click has them."""


def _columns() -> int:
    """Return the terminal's columns, as `shutil.get_terminal_size` does, which loads all that packs files."""
    wanted = os.environ.get("COLUMNS", "")
    if wanted.isdecimal() and int(wanted):
        return int(wanted)
    with suppress(AttributeError, OSError, ValueError):
        return os.get_terminal_size(sys.__stdout__.fileno()).columns or _WIDEST  # type: ignore[union-attr]
    return _WIDEST


@click.group(
    PROGRAM,
    cls=_Commands,
    invoke_without_command=True,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)
@click.option(
    "--config", metavar="DIR", type=click.Path(path_type=Path), help="Keep accounts and state in this folder."
)
@click.option(
    "--mouse/--no-mouse", default=None, help="Turn the mouse on or off on the screens.  [default: off over SSH]"
)
@click.option("--plain", is_flag=True, help="Ask in lines of text instead of drawing screens, as for a screen reader.")
@click.version_option(__version__, prog_name=PROGRAM, message="%(prog)s %(version)s")
@click.pass_context
def program(context: click.Context, config: Path | None, mouse: bool | None, plain: bool) -> int | None:
    """Get a mailbox sending mail for an application, and keep it sending.

    Without a command the screens open: your saved accounts, or the wizard where there are none yet.
    """
    invocation: Invocation = context.obj
    invocation.config, invocation.mouse, invocation.plain = config, mouse, plain
    if context.invoked_subcommand is not None:
        return None
    from smtp_wizard.commands.screens_or_plain import open_screens

    return open_screens(invocation)


def main(arguments: Sequence[str]) -> int:
    """Run one command line (without the program's name); return the exit code. Nothing is raised."""
    _never_fail_to_write()
    out = Output(form_asked_for(arguments))
    invocation = Invocation(out)
    invocation.arguments = tuple(arguments)
    try:
        with orderly_end():
            return _run_and_close(list(arguments), invocation)
    except Interrupted as problem:
        return _interrupted(out, problem)
    except KeyboardInterrupt:
        return _interrupted(out, Interrupted(2))


def _run_and_close(arguments: list[str], invocation: Invocation) -> int:
    code = 0
    patience: float | None = HURRY
    try:
        code = _run(arguments, invocation)
        patience = None
    finally:
        trouble = _closed(invocation, patience)
    return code or trouble


def _closed(invocation: Invocation, seconds: float | None) -> int:
    try:
        invocation.close(seconds)
    except Exception as problem:
        return _translated(problem, invocation)
    return 0


def _run(arguments: list[str], invocation: Invocation) -> int:
    if COMPLETING in os.environ:
        return _complete(invocation)
    try:
        # Typed loosely by click: what the command returns, or the code of --help and --version.
        code: Any = program.main(arguments, prog_name=PROGRAM, standalone_mode=False, obj=invocation)
    except click.Abort as problem:
        if isinstance(
            problem.__cause__, EOFError
        ):  # click takes it for the end of what is typed; a module cut short has it
            return _translated(problem.__cause__, invocation)
        raise Interrupted(2) from problem
    except click.ClickException as problem:
        return invocation.out.error(_usage_error(problem))
    except CommandError as problem:
        return invocation.out.error(problem)
    except Exception as problem:
        return _translated(problem, invocation)
    except SystemExit as problem:  # so click ends where the reader of --help has gone
        raise Interrupted(_BROKEN_PIPE) from problem
    return int(code or 0)


def _complete(invocation: Invocation) -> int:
    """Answer a shell. Whatever is wrong, it must not write among what is being typed."""
    from click.shell_completion import add_completion_class, shell_complete

    from smtp_wizard.commands.options.bash_completion import BashCompletion

    add_completion_class(BashCompletion)
    invocation.out.quiet = True
    with suppress(Exception):
        return shell_complete(program, {"obj": invocation}, PROGRAM, COMPLETING, os.environ[COMPLETING])
    return 1


_BROKEN_PIPE = 13
"""The number of SIGPIPE, which Windows does not know."""


def _interrupted(out: Output, problem: Interrupted) -> int:
    try:
        return out.interrupted(problem)
    except Interrupted as again:  # while that was being said
        return 128 + again.number


def _translated(problem: Exception, invocation: Invocation) -> int:
    """Say what an exception means to the person: a known one in its own words, any other as a bug."""
    from smtp_wizard.commands.faults import known_fault, reported_bug

    out = invocation.out
    if isinstance(problem, OSError | ValueError) and _was_echoed(problem):
        return out.error(out.lost(problem))
    return out.error(known_fault(problem) or reported_bug(problem, invocation))


def _was_echoed(problem: Exception) -> bool:
    """Whether it was met while click wrote something itself, such as --help, which does not use our own output."""
    import traceback

    return any(frame.f_code is click.echo.__code__ for frame, _ in traceback.walk_tb(problem.__traceback__))


def _usage_error(problem: click.ClickException) -> CommandError:
    context = getattr(problem, "ctx", None)
    if context is not None and context.command.hidden and context.parent is not None:
        context = context.parent  # what a group does by itself has no name of its own
    path = context.command_path if context is not None else PROGRAM
    message = shown(_usage_words(problem), 1000)
    if getattr(problem, "option_name", "") in ("--password", "--pass", "-p"):
        message = phrase("A password is never an argument, where everybody on this computer could read it.")
        return CommandError(
            "usage", message, phrase("Use --password-stdin, --password-command or --password-env, or wait to be asked.")
        )
    return CommandError("usage", message, phrase("'{} --help' says how it is used.", shown(str(path))), Exit.USAGE)


def _usage_words(problem: click.ClickException) -> str:
    """Return what click says of wrong usage, with the one option that is most like the one that was typed."""
    if isinstance(problem, click.NoSuchOption) and problem.possibilities:
        return f"{problem.message} Did you mean '{problem.possibilities[0]}'?"
    return problem.format_message()


def _never_fail_to_write() -> None:
    """Let words that a stream's encoding cannot hold be escaped: a report must not end in a Unicode error.

    What a terminal sends that is no text is told by the halves of characters in it (PEP 383).
    """
    for stream, errors in (
        (sys.stdin, "surrogateescape"),
        (sys.stdout, "backslashreplace"),
        (sys.stderr, "backslashreplace"),
    ):
        reconfigure = getattr(stream, "reconfigure", None)
        if reconfigure is not None:
            with suppress(OSError):  # somebody has read from it
                reconfigure(errors=errors)
