"""`provider export`: an entry of the catalogue in the format that mail programs read, or as JSON."""

from __future__ import annotations

import click

from smtp_wizard.commands.command_with_examples import CommandWithExamples
from smtp_wizard.commands.invocation import Invocation
from smtp_wizard.commands.options.connection import parsed_by
from smtp_wizard.commands.options.shell_completion import provider_ids
from smtp_wizard.commands.providers import provider_called
from smtp_wizard.engine.base.endpoint import Endpoint, PastedServer, Security, parse_server
from smtp_wizard.engine.base.errors import InputError
from smtp_wizard.engine.base.shown import phrase, shown
from smtp_wizard.engine.providers.autoconfig_export import autoconfig, ispdb, left_out
from smtp_wizard.engine.services.domains import domain_name
from smtp_wizard.runtime.exit_codes import CommandError, Exit
from smtp_wizard.runtime.output import Form

_IMAPS = 993
_IMAP = 143
_WITHOUT_IMAP = (
    "Only the outgoing server is known here. Mail programs want the incoming one, too: name it with --imap HOST:993."
)


@click.command("export", cls=CommandWithExamples)
@click.argument("provider_id", metavar="ID", shell_complete=provider_ids)
@click.option(
    "--format",
    "form",
    type=click.Choice(["autoconfig", "ispdb", "json"]),
    help="The file that a domain publishes (autoconfig: the default), an entry of Thunderbird's list (ispdb), or JSON.",
)
@click.option("--domain", metavar="DOMAIN", callback=parsed_by(domain_name), help="For addresses of this domain.")
@click.option("--mx", metavar="HOST", callback=parsed_by(domain_name), help="The MX host of the domain: its region.")
@click.option("--region", metavar="NAME", help="The region of the account, where no MX host tells it.")
@click.option("--imap", metavar="HOST[:PORT]", callback=parsed_by(parse_server), help="The incoming (IMAP) server.")
@click.option("--json", "_json", is_flag=True, help="Print one JSON document (as --format json).")
@click.pass_obj
def command(
    invocation: Invocation,
    provider_id: str,
    form: str | None,
    domain: str | None,
    mx: str | None,
    region: str | None,
    imap: PastedServer | None,
    _json: bool,
) -> int:
    """Export a provider of the catalogue for another mail program.

    To publish the file, serve it at https://autoconfig.DOMAIN/mail/config-v1.1.xml. Without --domain it suits every
    domain that the provider hosts.
    """
    provider = provider_called(invocation, provider_id)
    as_json = invocation.out.form is Form.JSON
    if as_json and form not in (None, "json"):
        raise CommandError("input", phrase("--json and --format {} contradict each other.", shown(form or "")))
    form = "json" if as_json else form or "autoconfig"
    _refuse_contradictions(form, domain=domain, mx=mx, region=region, imap=imap)
    if form == "json":
        from smtp_wizard.output.documents.providers import ProviderShown

        invocation.out.document(ProviderShown.of(provider, invocation.catalog.overrides_of(provider.id)))
        return Exit.OK
    try:
        if form == "ispdb":
            text = ispdb(provider, domain=domain or "", incoming=_incoming(imap))
            _tell_left_out(invocation, left_out(provider, domain or ""))
        else:
            text = autoconfig(provider, domain=domain or "", mx=mx or "", region=region or "", incoming=_incoming(imap))
    except InputError as problem:
        raise CommandError("nothing-to-export", problem.words) from None
    if imap is None:
        invocation.out.narrate(_WITHOUT_IMAP)
    invocation.out.data(text.rstrip("\n"))
    return Exit.OK


def _refuse_contradictions(form: str, **said: object) -> None:
    """Raise `CommandError` for options that do not go with a format."""
    if form == "json" and any(said.values()):
        raise CommandError(
            "input", phrase("--domain, --mx, --region and --imap are for a mail program's file, not for JSON.")
        )
    if form == "ispdb" and said["mx"]:
        raise CommandError("input", phrase("With --format ispdb, give the ending of the MX host as --domain."))
    if form == "ispdb" and said["region"]:
        raise CommandError("input", phrase("--region is for --format autoconfig."))


def _tell_left_out(invocation: Invocation, others: tuple[str, ...]) -> None:
    """Say which endings are not in the file, as their servers are others, and how to get theirs."""
    if others:
        words = "Not in this file, as their servers are others: {}. Give one of them with --domain for its own file."
        invocation.out.narrate(phrase(words, shown(", ".join(others), 300)))


def _incoming(imap: PastedServer | None) -> Endpoint | None:
    """Return the incoming server (RFC 8314 section 3.2): encrypted from the first byte, but on its old port."""
    if imap is None:
        return None
    port = imap.port or _IMAPS
    usual = Security.STARTTLS if port == _IMAP else Security.TLS
    return Endpoint(imap.host, port, imap.security or usual)
