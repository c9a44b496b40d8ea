"""`completion`: the script by which a shell completes commands, options, accounts, providers and guides."""

from __future__ import annotations

import click

from smtp_wizard.commands.command_with_examples import CommandWithExamples
from smtp_wizard.commands.invocation import COMPLETING, Invocation
from smtp_wizard.runtime.exit_codes import Exit
from smtp_wizard.runtime.output import Form

SHELLS = ("bash", "zsh", "fish")


@click.command("completion", cls=CommandWithExamples)
@click.argument("shell", type=click.Choice(SHELLS))
@click.option("--json", "_json", is_flag=True, help="Print one JSON document.")
@click.pass_context
def command(context: click.Context, shell: str, _json: bool) -> int:
    """Print the completion script for SHELL. It completes commands, options, accounts, providers and guides.

    Bash: write it to a file that ~/.bashrc sources. Zsh: write it to a file _smtp-wizard in a folder of $fpath. Fish:
    write it to ~/.config/fish/completions/smtp-wizard.fish.
    """
    from click.shell_completion import ShellComplete, get_completion_class

    kind = get_completion_class(shell)
    assert kind is not None
    root = context.find_root()
    assert root.info_name is not None
    completer = kind(root.command, {}, root.info_name, COMPLETING)
    invocation: Invocation = context.obj
    # Of the base class: that of bash would run bash first, to warn of an old one.
    script = ShellComplete.source(completer).strip("\n")
    if invocation.out.form is Form.JSON:
        from smtp_wizard.output.documents.document import CompletionScript

        invocation.out.document(CompletionScript(shell, script))
    else:
        invocation.out.data(script)
    return Exit.OK
