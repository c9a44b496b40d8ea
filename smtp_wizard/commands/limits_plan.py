"""`limits plan`: says how many days a mailing takes, and what to do when it does not fit."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import TYPE_CHECKING

import click

from smtp_wizard.commands.command_with_examples import CommandWithExamples
from smtp_wizard.commands.options.shell_completion import provider_ids
from smtp_wizard.commands.providers import provider_called
from smtp_wizard.engine.base.shown import phrase, shown
from smtp_wizard.engine.limits.catalogue_limits import advice, sender_of
from smtp_wizard.engine.limits.limits_in_force import can_be_chosen, scopes
from smtp_wizard.engine.limits.mailing_plan import Mailing, Plan, Reserve, calendar, parse_size, parse_start, plan
from smtp_wizard.flows.areas.mailing import parse_each, parse_recipients, parse_sent
from smtp_wizard.runtime.exit_codes import CommandError, Exit
from smtp_wizard.runtime.output import Form
from smtp_wizard.runtime.tables import folded, table
from smtp_wizard.text.limits import (
    DAYS_SHOWN,
    GUIDE,
    advice_words,
    bars,
    day_name,
    plan_csv,
    plan_document,
    plan_words,
    refusal_words,
)

if TYPE_CHECKING:
    from smtp_wizard.commands.invocation import Invocation
    from smtp_wizard.engine.providers.provider import Provider


@click.command("plan", cls=CommandWithExamples)
@click.option(
    "--provider",
    "providers",
    multiple=True,
    required=True,
    metavar="ID",
    shell_complete=provider_ids,
    help="The provider (repeatable, one for each account).",
)
@click.option("--recipients", required=True, metavar="N", help="The number of recipients.")
@click.option("--messages-each", default="1", metavar="M", help="Messages for each recipient (default 1).")
@click.option("--size", default="", metavar="MB", help="The size of one message with attachments.")
@click.option(
    "--sent-today", default=(), multiple=True, metavar="N", help="Messages already sent on the first day (repeatable)."
)
@click.option(
    "--reserve", default="", metavar="N|P%", help="Keep room for other mail: a number a day, or a percentage."
)
@click.option("--start", default="", metavar="DATE", help="The first day, such as 2026-11-23 (default: today).")
@click.option(
    "--for", "chosen", default="", metavar="WORDS", help="Choose among several limits by a word, such as 'trial'."
)
@click.option("--json", "_json", is_flag=True, help="Print one JSON document.")
@click.option("--csv", "as_csv", is_flag=True, help="Print the days as CSV.")
@click.pass_obj
def command(
    invocation: Invocation,
    /,
    *,
    providers: tuple[str, ...],
    recipients: str,
    messages_each: str,
    size: str,
    sent_today: tuple[str, ...],
    reserve: str,
    start: str,
    chosen: str,
    _json: bool,
    as_csv: bool,
) -> int:
    """Calculate how many days a mailing takes, and what to do if it does not fit.

    The exit code is 0 whether or not the mailing fits.
    """
    if as_csv and invocation.out.form is Form.JSON:
        raise CommandError("input", phrase("--json and --csv contradict each other."))
    known = [provider_called(invocation, each) for each in providers]
    _check_words(known, chosen)
    mailing = Mailing(
        recipients=parse_recipients(recipients),
        each=parse_each(messages_each),
        size=parse_size(size),
        reserve=Reserve.parse(reserve),
        start=parse_start(start, datetime.now().astimezone().date()),
    )
    sent = _sent(sent_today, len(known))
    made = plan(mailing, [sender_of(each, count, chosen) for each, count in zip(known, sent, strict=True)])
    if invocation.out.form is Form.JSON:
        invocation.out.document(plan_document(made, invocation.catalog))
    elif as_csv:
        invocation.out.data(plan_csv(made).rstrip("\n"))
    else:
        invocation.out.page(folded("\n".join(_plan_text(made, invocation)), invocation.out.width))
    return Exit.OK


def _sent(counts: Sequence[str], accounts: int) -> list[int]:
    """What each account has sent; those that are not named have sent nothing. Raises `CommandError`, `InputError`."""
    if len(counts) > accounts:
        raise CommandError(
            "usage", phrase("--sent-today stands more often than --provider."), phrase("Give it once for each account.")
        )
    sent = [parse_sent(each) for each in counts]
    return sent + [0] * (accounts - len(sent))


def _check_words(providers: Sequence[Provider], chosen: str) -> None:
    """Raises `CommandError` where the words of --for belong to no limit."""
    if chosen and not any(can_be_chosen(chosen, each.limits, each.accounts) for each in providers):
        found = dict.fromkeys(scope for each in providers for scope in scopes(each.limits, each.accounts))
        listed = shown("; ".join(found))
        hint = phrase("There are: {}." if found else "No limit of today is for some accounts only.", listed)
        raise CommandError("no-such-scope", phrase("No limit is for '{}'.", shown(chosen, 60)), hint, Exit.NOT_FOUND)


def _plan_text(made: Plan, invocation: Invocation) -> Iterator[str]:
    catalog = invocation.catalog
    yield from plan_words(made, catalog)
    if made.per_day:
        yield ""
        yield from bars(made) if len(made.working) == 1 else _days_table(made, invocation.out.width)
    ways = advice(made, catalog)
    if ways:
        yield from ["", "What you can do"]
        yield from (f"{number:>2}. {advice_words(each)}" for number, each in enumerate(ways, 1))
        yield f"    More: smtp-wizard guide {GUIDE}"
    yield from ["", "When the limit is reached"]
    yield from (f"  {words}" for words in refusal_words(made, catalog))


def _days_table(made: Plan, width: int | None) -> list[str]:
    """Each account in a column of its own, and all of them; a long plan is cut, and says so."""
    names = [share.sender.name for share in made.working]
    days = zip(calendar(made), *(share.per_day for share in made.working), strict=True)
    rows = [["Day", *names, "All messages"]]
    rows += [[day_name(day), *(f"{each:,}" for each in numbers), f"{number:,}"] for (day, number), *numbers in days]
    rest = rows[DAYS_SHOWN:]
    return table(rows[:DAYS_SHOWN], width) + ([f"... and so on, {len(rest):,} days more"] if rest else [])
