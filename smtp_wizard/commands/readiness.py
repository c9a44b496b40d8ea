"""`readiness`: whether an account is ready for a mailing to so many, by what receivers ask of senders today."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import TYPE_CHECKING

import click

from smtp_wizard.commands.check_run import report_line
from smtp_wizard.commands.command_with_examples import CommandWithExamples
from smtp_wizard.commands.invocation import Invocation
from smtp_wizard.commands.options.shell_completion import account_names
from smtp_wizard.engine.base.shown import phrase, shown
from smtp_wizard.engine.base.stages import Verdict
from smtp_wizard.engine.limits.catalogue_limits import sender_of
from smtp_wizard.engine.limits.mailing_plan import Mailing, Reserve, plan
from smtp_wizard.flows.areas.mailing import parse_recipients
from smtp_wizard.output.plain_lines import VERDICT_WORDS, paragraph, who_words
from smtp_wizard.runtime.exits import CommandError, Exit
from smtp_wizard.runtime.output import Form
from smtp_wizard.runtime.running import Stopwatch, run_bounded
from smtp_wizard.text.limits import plan_document, plan_words

if TYPE_CHECKING:
    from smtp_wizard.engine.domain.readiness import RequirementResult

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
    help="Stop the whole command after this time.",
)
@click.option("--json", "_json", is_flag=True, help="Print one JSON document.")
@click.pass_obj
def command(invocation: Invocation, account: str, recipients: str, timeout: float, _json: bool) -> int:
    """Check whether ACCOUNT is ready for a mailing: what large receivers require of senders, and how long it takes.

    Only the DNS is asked, and only about your domain. What cannot be checked from here is named. Exit code 1 if
    something is missing, or the mailing does not fit.
    """
    from smtp_wizard.engine.domain.readiness import judge, load_requirements

    chosen, count = invocation.saved_accounts.get(account), parse_recipients(recipients)
    catalog = invocation.catalog
    provider = catalog.get(chosen.connection.provider)
    if provider is None:
        raise CommandError("input", phrase("The provider of '{}' is not known any more.", shown(chosen.name)))
    work = invocation.services.domains.examine(str(chosen.from_address), provider=provider)
    report = run_bounded(work, Stopwatch(timeout), lambda: "Nothing was found yet.")
    met = judge(load_requirements(), report, chosen.connection.endpoint, count)
    mailing = Mailing(recipients=count, reserve=Reserve.parse(""), start=datetime.now().astimezone().date())
    made = plan(mailing, [sender_of(provider, 0, "")])
    missing = [each for each in met if each.verdict is Verdict.FAIL]
    document = plan_document(made, catalog)
    ready = not missing and document.fits
    if invocation.out.form is Form.JSON:
        from smtp_wizard.output.documents.readiness import ReadyForMailing, RequirementJson

        found = tuple(map(RequirementJson.of, met))
        invocation.out.document(ReadyForMailing(chosen.name, report.domain, ready, found, document))
    else:
        for line in _lines(chosen.name, met, ready=ready, missing=len(missing)):
            report_line(invocation.out, line)
        invocation.out.data("")
        for line in plan_words(made, catalog):
            report_line(invocation.out, line)
    return Exit.OK if ready else Exit.FAILED


def _lines(name: str, met: Sequence[RequirementResult], *, ready: bool, missing: int) -> Iterator[str]:
    what = "nothing that can be seen from here is missing" if not missing else f"{missing} missing"
    yield f"{shown(name)}: {'ready' if ready else 'not ready'} for this mailing, {what}."
    for each in met:
        asked = each.requirement
        yield ""
        yield from paragraph(f"{asked.title} ({', '.join(asked.by)})", f"{VERDICT_WORDS[each.verdict]:<6}")
        yield from paragraph(each.detail, _MARGIN)
        if each.verdict is not Verdict.PASS:
            yield from paragraph(f"{who_words(asked.who)}: {asked.step}", _MARGIN)


_MARGIN = " " * 6
