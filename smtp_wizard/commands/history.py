"""`history`: how the last checks of an account came out, and how long each took."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

import click

from smtp_wizard.commands.command_with_examples import CommandWithExamples
from smtp_wizard.commands.faults import refuse_unread_state
from smtp_wizard.commands.options.shell_completion import account_names
from smtp_wizard.engine.state.results import KEEP
from smtp_wizard.runtime.exit_codes import Exit
from smtp_wizard.runtime.output import Form
from smtp_wizard.runtime.tables import table

if TYPE_CHECKING:
    from smtp_wizard.commands.invocation import Invocation
    from smtp_wizard.engine.accounts.account import Account
    from smtp_wizard.engine.state.results import Result
    from smtp_wizard.runtime.output import Output

USUAL = 20
"""Results that are shown where nobody says how many."""


@click.command("history", cls=CommandWithExamples)
@click.argument("account", shell_complete=account_names)
@click.option(
    "--last",
    "most",
    metavar="N",
    type=click.IntRange(1, KEEP),
    default=USUAL,
    show_default=True,
    help="Show the last N results.",
)
@click.option("--json", "_json", is_flag=True, help="Print one JSON document.")
@click.pass_obj
def command(invocation: Invocation, account: str, most: int, _json: bool) -> int:
    """Show the last test results of ACCOUNT, newest first, with the time that each stage took.

    Nothing is tested. The last 100 results of each account are kept in the config folder.
    """
    out, chosen = invocation.out, invocation.saved_accounts.get(account)
    state = invocation.saved_accounts.state
    results = state.results.history(chosen.id, most)
    refuse_unread_state(state)
    if out.form is Form.JSON:
        from smtp_wizard.output.documents.history import History, PastResultJson

        out.document(History(chosen.name, tuple(map(PastResultJson.of, results))))
    elif not results:
        out.narrate(f"'{chosen.name}' has not been tested yet: 'smtp-wizard test' does that.")
    else:
        out.page("\n".join(_lines(chosen, results, out)))
    return Exit.OK


def _lines(account: Account, results: Sequence[Result], out: Output) -> Iterator[str]:
    from smtp_wizard.commands.accounts import colour_of
    from smtp_wizard.text.last_test import seconds_of, seconds_words, spark

    yield f"{account.name} ({account.connection.endpoint})"
    if len(seconds := seconds_of(results)) > 1:
        words = f"{seconds_words(seconds)} to sign in, the oldest first"
        drawn = spark(seconds, None if out.width is None else out.width - len(words) - 2)
        yield f"{drawn}  {words}" if out.can_show(drawn) else words[0].upper() + words[1:]
    yield ""
    rows = [("Tested", "Depth", "Result", "Seconds", "Slowest stage"), *map(_row, results)]
    codes = ["", *(colour_of(each.last) for each in results)]
    yield from table(rows, out.width, {2: codes} if out.colour else None)


def _row(result: Result) -> tuple[str, str, str, str, str]:
    from smtp_wizard.commands.accounts import last_result_words

    last, took = result.last, result.ms
    seconds = f"{sum(took.values()) / 1000:.2f}" if took else ""
    return f"{last.at.astimezone():%Y-%m-%d %H:%M}", last.depth, last_result_words(last), seconds, _slowest(result)


def _slowest(result: Result) -> str:
    from smtp_wizard.output.plain_lines import STAGE_WORDS

    if not result.ms:
        return ""
    stage, took = max(result.ms.items(), key=lambda each: each[1])
    return f"{STAGE_WORDS[stage]}, {took / 1000:.2f} s"
