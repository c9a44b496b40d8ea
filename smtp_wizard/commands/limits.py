"""`limits`: how much each provider lets an account send, and how a mailing fits that."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

import click

from smtp_wizard.commands.groups import GroupWithDefault, LazyCommand
from smtp_wizard.engine.base.shown import phrase, shown
from smtp_wizard.engine.limits.catalogue_limits import LimitRow, Sorting, listed, matching, rows_of, sorted_rows
from smtp_wizard.runtime.exit_codes import CommandError, Exit
from smtp_wizard.runtime.output import Form
from smtp_wizard.runtime.tables import table
from smtp_wizard.text.limits import limit_source_words, limit_words, rows_csv

if TYPE_CHECKING:
    from smtp_wizard.commands.invocation import Invocation

_LATER = {"plan": LazyCommand("smtp_wizard.commands.limits_plan", "Calculate how many days a mailing takes.")}


@click.group("limits", cls=GroupWithDefault, later=_LATER)
def command() -> None:
    """List sending limits, today's and the old article's (*): all, or those of the providers that match QUERY."""


@command.command("list", hidden=True)
@click.argument("query", required=False)
@click.option(
    "--sort",
    "sorting",
    type=click.Choice([each.value for each in Sorting]),
    default="catalog",
    help="The order of the list.",
)
@click.option("--json", "_json", is_flag=True, help="Print one JSON document.")
@click.option("--csv", "as_csv", is_flag=True, help="Print CSV.")
@click.pass_obj
def list_limits(invocation: Invocation, query: str | None, sorting: str, _json: bool, as_csv: bool) -> int:
    """List the limits."""
    out, catalog = invocation.out, invocation.catalog
    if out.form is Form.JSON and as_csv:
        raise CommandError("input", phrase("--json and --csv contradict each other."))
    if query and not matching(catalog, query):
        from smtp_wizard.commands.providers import nobody_matches

        raise nobody_matches(invocation, query)
    found = sorted_rows(listed(catalog, query or ""), Sorting(sorting))
    rows = [row for provider in found for row in rows_of(provider)]
    if out.form is Form.JSON:
        from smtp_wizard.output.documents.limits import LimitRowJson, Limits

        out.document(Limits(tuple(map(LimitRowJson.of, rows))))
    elif as_csv:
        out.data(rows_csv(rows).rstrip("\n"))
    elif not rows:
        out.narrate(phrase("No provider with limits is known for '{}'.", shown(query or "", 60)))
    else:
        out.page("\n".join(_text(rows, out.width)))
        out.narrate("* as the old help article has it")
    return Exit.OK


def _text(rows: Sequence[LimitRow], width: int | None) -> Iterator[str]:
    lines = [("Provider", "", "Limit", "Who says so", "Checked")]
    for row in rows:
        mark = "*" if row.limit.documented else ""
        lines.append((row.provider.id, mark, limit_words(row), limit_source_words(row), row.provider.checked))
    yield from table(lines, width)
