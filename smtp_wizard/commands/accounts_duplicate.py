"""`accounts duplicate`: a second account like a saved one, to be changed afterwards."""

from __future__ import annotations

import click

from smtp_wizard.commands.invocation import Invocation
from smtp_wizard.commands.options.connection import parsed_by
from smtp_wizard.commands.options.vault import offer_passphrase, passphrase_options
from smtp_wizard.engine.accounts.account import parse_name
from smtp_wizard.runtime.exits import Exit
from smtp_wizard.runtime.output import Form
from smtp_wizard.runtime.running import Stopwatch, run


@click.command("duplicate")
@click.argument("name")
@click.option("--as", "new", metavar="NAME", callback=parsed_by(parse_name), help="What it is called.")
@passphrase_options
@click.option("--json", "_json", is_flag=True, help="Print one JSON document.")
@click.pass_obj
def command(invocation: Invocation, name: str, new: str | None, _json: bool) -> int:
    """Save a second account like NAME, password included, for general mail. Nothing is tested."""
    original = invocation.saved_accounts.get(name)
    offer_passphrase(invocation, original.store)
    copy = run(
        invocation.services.accounts.duplicate(original.name, new or ""),
        Stopwatch(),
        lambda: "Look with 'smtp-wizard accounts' whether there is a second one.",
    )
    if invocation.out.form is Form.JSON:
        from smtp_wizard.output.documents.accounts import AccountDuplicated, AccountJson

        invocation.out.document(AccountDuplicated(original.name, AccountJson.of(copy)))
    else:
        invocation.out.narrate(f"Saved as '{copy.name}', like '{original.name}', for {copy.scope.words}.")
    return Exit.OK
