"""`domain`: what a domain publishes about its mail, what is wrong with it, and the record that mends it."""

from __future__ import annotations

import click

from smtp_wizard.commands.check_run import report_line
from smtp_wizard.commands.command_with_examples import CommandWithExamples
from smtp_wizard.commands.invocation import Invocation
from smtp_wizard.commands.options.shell_completion import provider_ids
from smtp_wizard.commands.options.time_limit import bounding
from smtp_wizard.commands.providers import provider_called
from smtp_wizard.engine.base.errors import InputError
from smtp_wizard.engine.base.shown import phrase, shown
from smtp_wizard.engine.base.stages import Verdict
from smtp_wizard.engine.domain.dkim import SELECTOR
from smtp_wizard.engine.services.domains import Domains
from smtp_wizard.runtime.exit_codes import CommandError, Exit
from smtp_wizard.runtime.output import Form
from smtp_wizard.runtime.running import Stopwatch, run_bounded
from smtp_wizard.text.address import look_alike_words
from smtp_wizard.text.domain import domain_lines

DEADLINE = 30.0
"""Seconds that it may take in all, where nobody says how many."""


@click.command("domain", cls=CommandWithExamples)
@click.argument("domain")
@click.option(
    "--provider",
    "provider_id",
    metavar="ID",
    shell_complete=provider_ids,
    help="The provider that sends for it.  [default: the one that receives its mail]",
)
@click.option("--server", default="", metavar="HOST", help="Your own mail server that sends for it.")
@click.option("--selector", "selectors", multiple=True, metavar="NAME", help="Also check this DKIM selector.")
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
def command(
    invocation: Invocation,
    domain: str,
    provider_id: str | None,
    server: str,
    selectors: tuple[str, ...],
    timeout: float,
    _json: bool,
) -> int:
    """Check the SPF, DKIM and DMARC records of DOMAIN (or of an address), and who receives its mail.

    Each fault comes with the record to publish, merged with the existing one. Only the DNS is asked. Exit code 1 if
    mail is lost or lands in junk, or if the DNS does not answer.
    """
    for selector in selectors:
        if not SELECTOR.fullmatch(selector):
            raise CommandError("input", phrase("'{}' is no DKIM selector.", shown(selector, 60)))
    provider = provider_called(invocation, provider_id) if provider_id is not None else None
    try:
        _tell_look_alike(invocation, domain)
        work = Domains(invocation.catalog).examine(domain, provider=provider, selectors=selectors, server=server)
        report = run_bounded(work, Stopwatch(timeout), lambda: "Nothing was found yet.")
    except InputError as problem:
        raise CommandError("input", problem.words) from None
    if invocation.out.form is Form.JSON:
        from smtp_wizard.output.documents.domain import DomainExamined

        invocation.out.document(DomainExamined.of(report))
    else:
        for line in domain_lines(report):
            report_line(invocation.out, line)
    return Exit.FAILED if report.verdict in (Verdict.FAIL, Verdict.UNKNOWN) else Exit.OK


def _tell_look_alike(invocation: Invocation, domain: str) -> None:
    """Say that a domain only looks like a known one. Raises `InputError` where it has letters that none can have."""
    ending = domain.rpartition("@")[2].strip().rstrip(".").lower()
    if doubt := look_alike_words(ending, invocation.catalog.suggest(ending)):
        invocation.out.narrate(doubt)
