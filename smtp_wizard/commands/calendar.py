"""`calendar`: what will end, and when: certificates, sign-ins, ways in that retire, limits that change."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from smtp_wizard.commands.command_with_examples import CommandWithExamples
from smtp_wizard.engine.accounts.deadlines import Deadline, by_day, deadlines_of_accounts, deadlines_of_catalogue
from smtp_wizard.engine.base.private_files import write_shared
from smtp_wizard.engine.base.shown import phrase, shown
from smtp_wizard.runtime.exit_codes import CommandError, Exit
from smtp_wizard.runtime.output import Form
from smtp_wizard.runtime.tables import folded

if TYPE_CHECKING:
    from collections.abc import Sequence

    from smtp_wizard.commands.invocation import Invocation


@click.command("calendar", cls=CommandWithExamples)
@click.option("--catalogue", is_flag=True, help="Include everything that providers have announced.")
@click.option("--ics", "file", metavar="FILE", help="Write an iCalendar file ('-' prints it).")
@click.option("--json", "_json", is_flag=True, help="Print one JSON document.")
@click.pass_obj
def command(invocation: Invocation, catalogue: bool, file: str | None, _json: bool) -> int:
    """List what expires for the saved accounts, and when.

    These are certificates (as the last test saw them), browser sign-ins, sign-in methods that a provider closes, and
    limits that change, each with its source. Nothing is tested, and the network is not used.
    """
    out, now = invocation.out, datetime.now(UTC)
    if file == "-" and out.form is Form.JSON:
        raise click.UsageError("--ics - and --json both print on standard output; choose one.")
    ends = _ends(invocation, now, catalogue=catalogue)
    state = invocation.saved_accounts.state
    if file is not None:
        _write(invocation, file, ends, now)
    if out.form is Form.JSON:
        from smtp_wizard.output.documents.calendar import Calendar, EventJson

        out.document(Calendar(tuple(map(EventJson.of, ends))))
    elif file is None:
        _print(invocation, ends, now)
    return Exit.SECRET if state.unread else Exit.OK  # what it knows of certificates is missing


def _ends(invocation: Invocation, now: datetime, *, catalogue: bool) -> Sequence[Deadline]:
    mine = deadlines_of_accounts(invocation.saved_accounts, invocation.catalog, now)
    return by_day((*mine, *deadlines_of_catalogue(invocation.catalog, now.date()))) if catalogue else mine


def _print(invocation: Invocation, ends: Sequence[Deadline], now: datetime) -> None:
    from smtp_wizard.text.calendar import HEADING, NOTHING_ENDS, end_lines

    if not ends and not invocation.saved_accounts.state.unread:
        invocation.out.narrate(NOTHING_ENDS)
    elif ends:
        lines = "\n".join([HEADING, *end_lines(ends, now)])
        invocation.out.page(folded(lines, invocation.out.width))


def _write(invocation: Invocation, file: str, ends: Sequence[Deadline], now: datetime) -> None:
    from smtp_wizard.output.icalendar import icalendar

    text = icalendar(ends, now)
    if file == "-":
        invocation.out.data(text.removesuffix("\n"))
        return
    try:
        write_shared(Path(file), text.encode())
    except (OSError, ValueError) as problem:
        why = problem.strerror if isinstance(problem, OSError) else None
        raise CommandError(
            "unwritable",
            phrase("'{}' cannot be written: {}.", shown(file, 200), shown(why or "that is no name of a file", 100)),
            exit_code=Exit.FAILED,
        ) from None
    invocation.out.narrate(f"{len(ends)} events are in {shown(file, 200)}.")
