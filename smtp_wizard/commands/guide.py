"""`guide`: lists the guides, or prints one: text on a terminal, Markdown in a pipe."""

from __future__ import annotations

import sys

import click

from smtp_wizard.commands.command_with_examples import CommandWithExamples
from smtp_wizard.commands.invocation import Invocation
from smtp_wizard.commands.options.shell_completion import guide_ids
from smtp_wizard.runtime.exit_codes import Exit
from smtp_wizard.runtime.output import Form
from smtp_wizard.runtime.tables import table


@click.command("guide", cls=CommandWithExamples)
@click.argument("guide_id", required=False, metavar="[ID]", shell_complete=guide_ids)
@click.option("--json", "_json", is_flag=True, help="Print one JSON document.")
@click.pass_obj
def command(invocation: Invocation, guide_id: str | None, _json: bool) -> int:
    """List the guides, or print one: as text on a terminal, as Markdown in a pipe."""
    out, guides = invocation.out, invocation.guides
    if out.form is Form.JSON:
        from smtp_wizard.output.documents.guides import GuideJson, GuidesListed

        found = [guides.get(guide_id)] if guide_id else list(guides.all().values())
        out.document(GuidesListed(tuple(map(GuideJson.of, found))))
    elif guide_id is None:
        out.page("\n".join(table([(each, _title(guides.raw(each))) for each in guides.ids()], out.width)))
    elif sys.stdout.isatty():
        from smtp_wizard.engine.guides.guides import as_text

        out.page(as_text(guides.get(guide_id)).rstrip("\n"))
    else:
        out.data(guides.markdown(guide_id).rstrip("\n"))
    return Exit.OK


def _title(markdown: str) -> str:
    """Return a guide's title without reading all of it: a list must be quick."""
    return next((line.removeprefix("# ") for line in markdown.splitlines() if line.startswith("# ")), "")
