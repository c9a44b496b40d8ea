"""`unsubscribe`: the link, the HTML and the headers of a mailing; or whether a template has them."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from smtp_wizard.commands.command_with_examples import CommandWithExamples
from smtp_wizard.commands.invocation import Invocation
from smtp_wizard.engine.base.address import Address
from smtp_wizard.engine.base.errors import InputError
from smtp_wizard.engine.base.shown import phrase, shown
from smtp_wizard.engine.unsubscribe import LARGEST, SUBJECT, TemplateReport, check_template, rules, unsubscribe
from smtp_wizard.output.plain_lines import paragraph
from smtp_wizard.runtime.exit_codes import CommandError, Exit
from smtp_wizard.runtime.output import Form


@click.command("unsubscribe", cls=CommandWithExamples)
@click.argument("address", required=False)
@click.option(
    "--subject",
    default=SUBJECT,
    show_default=True,
    metavar="WORD",
    help="The word in the subject that marks a request.",
)
@click.option("--url", default="", metavar="URL", help="An https address for one-click unsubscribing.")
@click.option(
    "--check",
    "template",
    metavar="FILE",
    help="Check the link, header and address in this template ('-': standard input).",
)
@click.option("--json", "_json", is_flag=True, help="Print one JSON document.")
@click.pass_obj
def command(
    invocation: Invocation, address: str | None, subject: str, url: str, template: str | None, _json: bool
) -> int:
    """Make the unsubscribe link, HTML and headers for ADDRESS, or look for them in a template.

    With --check, exit code 1 if something is missing.
    """
    if (address is None) == (template is None):
        raise CommandError(
            "usage", phrase("Give the address that takes the requests, or a template with --check FILE.")
        )
    if template is not None:
        return _check(invocation, template)
    assert address is not None
    return _print(invocation, address, subject, url)


def _print(invocation: Invocation, address: str, subject: str, url: str) -> int:
    try:
        made = unsubscribe(Address.parse(address), subject=subject, url=url)
    except InputError as problem:
        raise CommandError("input", problem.words) from None
    if invocation.out.form is Form.JSON:
        from smtp_wizard.output.documents.document import HeaderJson
        from smtp_wizard.output.documents.unsubscribe import RuleJson, UnsubscribeLink

        invocation.out.document(
            UnsubscribeLink(
                mailto=made.mailto,
                url=made.url or None,
                html=made.html,
                text=made.text,
                headers=tuple(HeaderJson(name, value) for name, value in made.headers),
                one_click=made.one_click,
                rules=tuple(RuleJson(each.name, each.words) for each in rules()),
            )
        )
        return Exit.OK
    rows = [("Link", made.mailto), ("HTML", made.html), ("Text", made.text)]
    rows += [("Header", f"{name}: {value}") for name, value in made.headers]
    for label, value in rows:
        invocation.out.data(f"{label:<8}{value}")
    if not made.one_click:
        invocation.out.narrate("One-click for large mailings also needs an https address: --url")
    for each in rules():
        for line in paragraph(f"{each.name}: {each.words}"):
            invocation.out.narrate(line)
    return Exit.OK


def _check(invocation: Invocation, template: str) -> int:
    report = check_template(_read(template))
    if invocation.out.form is Form.JSON:
        from smtp_wizard.output.documents.unsubscribe import TemplateChecked

        invocation.out.document(TemplateChecked(report.kind, report.good, report.seen, report.links))
    else:
        for line in template_lines(report):
            invocation.out.data(line)
    return Exit.OK if report.good else Exit.FAILED


def template_lines(report: TemplateReport) -> list[str]:
    """Return what was found in a template, a line each."""
    return [line for each in report.seen for line in paragraph(each.words, f"{'ok' if each.good else 'FAIL':<6}")]


def _read(template: str) -> bytes:
    try:
        if template == "-":
            return sys.stdin.buffer.read(LARGEST)
        with Path(template).open("rb") as file:
            return file.read(LARGEST)
    except OSError as problem:
        why = problem.strerror or "it cannot be read"
        raise CommandError("file", phrase("The template could not be read: {}.", shown(why))) from None
