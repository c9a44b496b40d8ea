"""`bounces`: which addresses were not reached, why, and what to do about each: read from the account's own mailbox."""

from __future__ import annotations

from contextlib import nullcontext
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from smtp_wizard.commands.command_with_examples import CommandWithExamples
from smtp_wizard.commands.options.ages import parse_age
from smtp_wizard.commands.options.connection import connection_from, parsed_by, sign_in_option
from smtp_wizard.commands.options.mailbox import imap_option, mailbox_options
from smtp_wizard.commands.options.passwords import password_options, taken_from
from smtp_wizard.commands.options.shell_completion import account_names
from smtp_wizard.commands.options.sign_in import password_of
from smtp_wizard.commands.options.vault import passphrase_options
from smtp_wizard.engine.base.private_files import write_private
from smtp_wizard.engine.base.shown import phrase, shown
from smtp_wizard.runtime.exit_codes import CommandError, Exit
from smtp_wizard.runtime.output import Form
from smtp_wizard.runtime.running import Stopwatch, run_bounded

if TYPE_CHECKING:
    from collections.abc import Sequence

    from smtp_wizard.commands.invocation import Invocation
    from smtp_wizard.engine.accounts.account import Account
    from smtp_wizard.engine.base.endpoint import Endpoint
    from smtp_wizard.engine.mailbox.failed_deliveries import FailedDelivery
    from smtp_wizard.engine.services.bounces import BounceReport


@click.command("bounces", cls=CommandWithExamples)
@click.argument("account", shell_complete=account_names)
@click.option(
    "--since",
    default="30d",
    metavar="AGE",
    show_default=True,
    callback=parsed_by(parse_age),
    help="Go back this far, such as 12h, 3d or 2w.",
)
@click.option("--new", is_flag=True, help="List only what was not shown before, as for cron.")
@click.option("--csv", "csv_file", metavar="FILE", help="Write a CSV file ('-' prints it).")
@imap_option
@password_options
@passphrase_options
@mailbox_options
@sign_in_option
@click.option("--json", "_json", is_flag=True, help="Print one JSON document.")
@click.pass_obj
def command(
    invocation: Invocation,
    /,
    account: str,
    since: timedelta,
    new: bool,
    csv_file: str | None,
    imap: Endpoint | None,
    **given: Any,
) -> int:
    """List the addresses that mail from ACCOUNT did not reach: why, whether that is final, and what to do.

    The mailbox is read over encrypted IMAP, and not changed. What was shown is remembered for --new; no address or
    subject is kept or sent anywhere.
    """
    given.pop("_json")
    if csv_file == "-" and invocation.out.form is Form.JSON:
        raise click.UsageError("Only one of --json and '--csv -' can go to stdout.")
    source, connection = taken_from(given), connection_from(given)
    chosen = invocation.saved_accounts.get(account)
    watch = Stopwatch(connection.timeout)
    secret = password_of(invocation, chosen, source, watch, _undone)
    state = invocation.saved_accounts.state
    # Two that run at once would both tell what is new, and mail it.
    left = watch.left()
    patience = _PATIENCE if left is None else min(_PATIENCE, left)
    with state.alone(f"bounces-{chosen.id}", patience) if new else nullcontext():
        work = invocation.services.bounces.read(chosen, secret, since, named=imap, options=connection)
        report = run_bounded(work, watch, _undone)
        deliveries = [each for each in report.deliveries if each.new or not new]
        if csv_file is not None:
            _write_table(invocation, csv_file, deliveries)
        if csv_file != "-":
            _say(invocation, chosen, report, deliveries, new=new)
        invocation.services.bounces.remember(chosen, report)
    return Exit.OK


_PATIENCE = 60.0
"""Seconds that another run with --new is waited for, within what --timeout allows."""


def _undone() -> str:
    return "The mailbox was not read to its end; nothing in it was changed."


def _say(
    invocation: Invocation,
    account: Account,
    report: BounceReport,
    deliveries: Sequence[FailedDelivery],
    *,
    new: bool,
) -> None:
    out = invocation.out
    unreadable = tuple(each for each in report.unreadable if each.new or not new)
    if out.form is Form.JSON:
        from smtp_wizard.output.documents.bounces import BounceJson, BouncesFound, UnreadableJson

        found = tuple(map(BounceJson.of, deliveries))
        document = BouncesFound(
            account.name,
            report.since,
            report.server,
            report.scanned,
            report.auto_replies,
            report.complete,
            found,
            tuple(map(UnreadableJson.of, unreadable)),
        )
        out.document(document)
        return
    from smtp_wizard.text.areas.bounces import delivery_lines, grouped, notes, summary

    if not deliveries:
        out.narrate(summary(report, deliveries, account.name, new=new))
    else:
        out.data(summary(report, deliveries, account.name, new=new))
    for group in grouped(deliveries):
        out.data("")
        out.data("\n".join(delivery_lines(group)))
    for note in notes(replace(report, unreadable=unreadable)):
        out.narrate(note)


def _write_table(invocation: Invocation, file: str, deliveries: Sequence[FailedDelivery]) -> None:
    """Write the table, for its owner alone. Raises `CommandError`."""
    from smtp_wizard.output.documents.bounces import csv_table

    table = csv_table(deliveries)
    if file == "-":
        invocation.out.data(table.replace("\r\n", "\n").rstrip("\n"))
        return
    try:
        write_private(Path(file), table.encode("utf-8-sig"))
    except OSError as problem:
        why = shown(problem.strerror or "unknown reason", 80)
        raise CommandError("output", phrase("{} cannot be written: {}.", shown(file, 200), why)) from None
    invocation.out.narrate(f"The table is in {shown(file, 200)}: {len(deliveries)} rows.")
