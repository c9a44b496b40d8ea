"""`manual`: the manual page, made of the commands themselves (man(7))."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

import click

from smtp_wizard import __version__
from smtp_wizard.commands.command_with_examples import CommandWithExamples
from smtp_wizard.commands.examples import examples
from smtp_wizard.commands.invocation import Invocation
from smtp_wizard.runtime.exit_codes import EXIT_WORDS, Exit
from smtp_wizard.runtime.output import Form

ENVIRONMENT = (
    ("SMTP_WIZARD_CONFIG", "Another folder for accounts and state than the usual one."),
    ("SMTP_WIZARD_THEME", "How the screens look: dark, light, high-contrast or ansi."),
    ("ACCESSIBLE", "Set to 1: questions in lines of text in place of screens."),
    ("NO_COLOR", "Set: no colour."),
    ("SSL_CERT_FILE", "The certificate authorities to believe, in place of the system's."),
)
FILES = (
    ("accounts.json", "The saved accounts. Never a password."),
    ("vault.json", "The encrypted file for passwords."),
    ("state.sqlite3", "Results, refused sign-ins, what was told of changes."),
    ("providers.yaml", "Providers of your own."),
)


@click.command("manual", cls=CommandWithExamples)
@click.option("--json", "_json", is_flag=True, help="Print one JSON document.")
@click.pass_context
def command(context: click.Context, _json: bool) -> int:
    """Print the manual page.

    To install it, write it to smtp-wizard.1 in a folder man1, such as ~/.local/share/man/man1.
    """
    invocation: Invocation = context.obj
    root = context.find_root()
    assert isinstance(root.command, click.Group)
    page = "\n".join(_page(root.command, root.info_name or "smtp-wizard"))
    if invocation.out.form is Form.JSON:
        from smtp_wizard.output.documents.document import ManualPage

        invocation.out.document(ManualPage(page))
    else:
        invocation.out.page(page)
    return Exit.OK


def _page(program: click.Group, name: str) -> Iterator[str]:
    yield f'.TH {_text(name.upper())} 1 "" "{_text(f"{name} {__version__}")}" "User commands"'
    yield from (".SH NAME", f"{_text(name)} \\- get a mailbox sending mail for an application, and keep it sending")
    yield from (".SH SYNOPSIS", f".B {_text(name)}", "[\\fIOPTION\\fR]... [\\fICOMMAND\\fR [\\fIARGUMENT\\fR]...]")
    context = click.Context(program, info_name=name, **program.context_settings)  # -h is an option too
    yield ".SH DESCRIPTION"
    yield from _paragraphs(program.help or "")
    yield ".SH OPTIONS"
    yield from _options(program, context)
    yield ".SH COMMANDS"
    for words, each, below in _commands((), program, context):
        yield from _command((name, *words), each, below)
    yield ".SH EXIT STATUS"
    yield from _listed(EXIT_WORDS)
    yield ".SH ENVIRONMENT"
    yield from _listed(ENVIRONMENT)
    yield ".SH FILES"
    yield from _paragraphs("In the config folder, which 'smtp-wizard doctor' names:")
    yield from _listed(FILES)


def _commands(
    words: Sequence[str], group: click.Group, context: click.Context
) -> Iterator[tuple[Sequence[str], click.Command, click.Context]]:
    """Yield every command with the words that call it; a group stands for the one that runs where none is named."""
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        if command is None or command.hidden:
            continue
        below = click.Context(command, parent=context, info_name=name)
        yield (*words, name), command, below
        if isinstance(command, click.Group):
            yield from _commands((*words, name), command, below)


def _command(words: Sequence[str], command: click.Command, context: click.Context) -> Iterator[str]:
    default = command.commands.get(getattr(command, "default", "")) if isinstance(command, click.Group) else None
    usage = " ".join(piece for piece in (default or command).collect_usage_pieces(context) if piece)
    yield f".SS {_text(' '.join(words))} {_text(usage)}"
    yield from _paragraphs(command.help or "")
    yield from _options(default or command, context)
    for example in examples().get(" ".join(words[1:]), ()):
        yield from (".PP", ".nf", _text(example.line), ".fi", f"({_text(example.what)})")


def _options(command: click.Command, context: click.Context) -> Iterator[str]:
    records = (each.get_help_record(context) for each in command.get_params(context))
    yield from _listed([record for record in records if record is not None])


def _listed(rows: Sequence[tuple[str, str]]) -> Iterator[str]:
    for name, words in rows:
        yield from (".TP", f"\\fB{_text(name)}\\fR", _text(words))


def _paragraphs(words: str) -> Iterator[str]:
    for paragraph in re.split(r"\n\s*\n", words.strip()):
        yield from (".PP", _text(" ".join(paragraph.split())))


def _text(words: str) -> str:
    """Return words so that none of them is a macro or an escape, and hyphens of options can be copied."""
    escaped = words.replace("\\", "\\e").replace("-", "\\-").replace("'", "\\(aq").replace("`", "\\(ga")
    return f"\\&{escaped}" if escaped.startswith(".") else escaped
