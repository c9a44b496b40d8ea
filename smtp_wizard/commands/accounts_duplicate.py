"""`accounts duplicate`: a second account like a saved one, to be changed afterwards."""

from __future__ import annotations

import click

from smtp_wizard.commands.command_with_examples import CommandWithExamples
from smtp_wizard.commands.flow_answers import carried_out
from smtp_wizard.commands.invocation import Invocation
from smtp_wizard.commands.options.connection import parsed_by
from smtp_wizard.commands.options.shell_completion import account_names
from smtp_wizard.commands.options.vault import passphrase_options
from smtp_wizard.engine.accounts.account import parse_name
from smtp_wizard.engine.accounts.saved_accounts import NameTaken
from smtp_wizard.engine.base.shown import phrase
from smtp_wizard.flows.accounts.edits import Duplicate
from smtp_wizard.runtime.exit_codes import CommandError, Exit
from smtp_wizard.runtime.output import Form


@click.command("duplicate", cls=CommandWithExamples)
@click.argument("name", shell_complete=account_names)
@click.option("--as", "new", metavar="NAME", callback=parsed_by(parse_name), help="The name of the copy.")
@passphrase_options
@click.option("--json", "_json", is_flag=True, help="Print one JSON document.")
@click.pass_obj
def command(invocation: Invocation, name: str, new: str | None, _json: bool) -> int:
    """Save a copy of the account NAME, with its password, for general mail. Nothing is tested."""
    original = invocation.saved_accounts.get(name)
    action = Duplicate(original, invocation.services.accounts, invocation.stores.vault, new or "")
    try:
        done = carried_out(
            invocation, action, {}, lambda: "Look with 'smtp-wizard accounts' whether there is a second one."
        )
    except NameTaken as problem:
        raise CommandError("name-taken", problem.words, phrase("Say another one: --as NAME.")) from None
    if invocation.out.form is Form.JSON:
        from smtp_wizard.output.documents.accounts import AccountDuplicated, AccountJson

        copy = invocation.saved_accounts.get(done.name)
        invocation.out.document(AccountDuplicated(original.name, AccountJson.of(copy)))
    else:
        invocation.out.narrate(done.said)
    return Exit.OK
