"""`readiness`: whether an account is ready for a mailing to so many, by what receivers ask of senders today."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

import click

from smtp_wizard.commands.check_run import report_line
from smtp_wizard.commands.command_with_examples import CommandWithExamples
from smtp_wizard.commands.invocation import Invocation
from smtp_wizard.commands.options.shell_completion import account_names
from smtp_wizard.commands.options.time_limit import bounding
from smtp_wizard.engine.base.shown import shown
from smtp_wizard.engine.base.stages import Verdict
from smtp_wizard.engine.limits.mailing_plan import Mailing, Reserve
from smtp_wizard.flows.areas.mailing import parse_recipients
from smtp_wizard.flows.areas.readiness import Readiness, concluded, examined
from smtp_wizard.output.plain_lines import VERDICT_WORDS, paragraph, who_words
from smtp_wizard.runtime.exit_codes import Exit
from smtp_wizard.runtime.output import Form
from smtp_wizard.runtime.running import Stopwatch, run_bounded
from smtp_wizard.text.limits import plan_document, plan_words

DEADLINE = 30.0
"""Seconds that the look at the domain may take, where nobody says how many."""


@click.command("readiness", cls=CommandWithExamples)
@click.argument("account", shell_complete=account_names)
@click.option("--recipients", required=True, metavar="N", help="The number of recipients.")
@click.option(
    "--timeout",
    type=click.FloatRange(min=0.1),
    default=DEADLINE,
    metavar="SECONDS",
    callback=bounding,
    help="Stop the whole command after this time.",
)
@click.option("--json", "_json", is_flag=True, help="Print one JSON document.")
@click.pass_obj
def command(invocation: Invocation, account: str, recipients: str, timeout: float, _json: bool) -> int:
    """Check whether ACCOUNT is ready for a mailing: what large receivers require of senders, and how long it takes.

    Only the DNS is asked, and only about your domain. What cannot be checked from here is named. Exit code 1 if
    something is missing or not known, or the mailing does not fit.
    """
    chosen, count = invocation.saved_accounts.get(account), parse_recipients(recipients)
    catalog = invocation.catalog
    work = examined(chosen, invocation.services.domains, catalog)
    report = run_bounded(work, Stopwatch(timeout), lambda: "Nothing was found yet.")
    mailing = Mailing(recipients=count, reserve=Reserve.parse(""), start=datetime.now().astimezone().date())
    found = concluded(chosen, mailing, report, catalog)
    if invocation.out.form is Form.JSON:
        from smtp_wizard.output.documents.readiness import ReadyForMailing, RequirementJson

        asked = tuple(map(RequirementJson.of, found.requirements))
        made = plan_document(found.plan, catalog)
        invocation.out.document(ReadyForMailing(chosen.name, found.domain, found.ready, found.verdict, asked, made))
    else:
        for line in _lines(found):
            report_line(invocation.out, line)
        invocation.out.data("")
        for line in plan_words(found.plan, catalog):
            report_line(invocation.out, line)
    return Exit.OK if found.ready else Exit.FAILED


def _lines(found: Readiness) -> Iterator[str]:
    yield from paragraph(" ".join((_head(found), *found.reasons)), "")
    for each in found.requirements:
        asked = each.requirement
        yield ""
        yield from paragraph(f"{asked.title} ({', '.join(asked.by)})", f"{VERDICT_WORDS[each.verdict]:<6}")
        yield from paragraph(each.detail, _MARGIN)
        if each.verdict is not Verdict.PASS:
            yield from paragraph(each.step if each.silent else f"{who_words(asked.who)}: {each.step}", _MARGIN)


def _head(found: Readiness) -> str:
    name = shown(found.account.name)
    if found.verdict is Verdict.PASS:
        return f"{name}: ready for this mailing, nothing that can be seen from here is missing."
    if found.verdict is Verdict.UNKNOWN:
        return f"{name}: not known whether it is ready for this mailing."
    missing = f", {len(found.missing)} missing" if found.missing else ""
    return f"{name}: not ready for this mailing{missing}."


_MARGIN = " " * 6
