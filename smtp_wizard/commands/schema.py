"""`schema`: the JSON Schemas of what the commands print."""

from __future__ import annotations

import json

import click

from smtp_wizard.commands.command_with_examples import CommandWithExamples
from smtp_wizard.commands.invocation import Invocation
from smtp_wizard.commands.options.shell_completion import schema_names
from smtp_wizard.engine.base.shown import phrase, shown
from smtp_wizard.output.documents.document import Schemas
from smtp_wizard.output.schemas import NAMES, schema_of
from smtp_wizard.runtime.exit_codes import CommandError, Exit
from smtp_wizard.runtime.output import Form


@click.command("schema", cls=CommandWithExamples)
@click.argument("words", nargs=-1, metavar="[COMMAND]", shell_complete=schema_names)
@click.option("--json", "_json", is_flag=True, help="Print one JSON document.")
@click.pass_obj
def command(invocation: Invocation, words: tuple[str, ...], _json: bool) -> int:
    """Print the JSON Schema of the output of COMMAND with --json, or list the names of all schemas."""
    out, name = invocation.out, "-".join(words)
    if name:
        if name not in NAMES:
            import difflib

            close = difflib.get_close_matches(name[:60], NAMES, n=1)
            raise CommandError(
                "no-such-schema",
                phrase("There is no schema for '{}'.", shown(name, 60)),
                phrase("Did you mean '{}'?", shown(close[0])) if close else phrase("'smtp-wizard schema' lists them."),
                Exit.NOT_FOUND,
            )
        out.page(json.dumps(schema_of(name), indent=2))
    elif out.form is Form.JSON:
        out.document(Schemas(NAMES))
    else:
        out.data("\n".join(NAMES))
    return Exit.OK
