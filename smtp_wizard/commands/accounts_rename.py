"""`accounts rename`: another name for a saved account; its password moves with it."""

from __future__ import annotations

import click

from smtp_wizard.commands.invocation import Invocation
from smtp_wizard.commands.options.connection import parsed_by
from smtp_wizard.commands.options.vault import offer_passphrase, passphrase_options
from smtp_wizard.engine.accounts.account import parse_name
from smtp_wizard.runtime.exits import Exit
from smtp_wizard.runtime.output import Form
from smtp_wizard.runtime.running import Stopwatch, run
from smtp_wizard.text.accounts import renamed_words


@click.command("rename")
@click.argument("old")
@click.argument("new", callback=parsed_by(parse_name))
@passphrase_options
@click.option("--json", "_json", is_flag=True, help="Print one JSON document.")
@click.pass_obj
def command(invocation: Invocation, old: str, new: str, _json: bool) -> int:
    """Give the account OLD the name NEW. Its password moves with it; nothing is tested."""
    before = invocation.saved_accounts.get(old)
    offer_passphrase(invocation, before.store)
    renamed = run(
        invocation.services.accounts.rename(before.name, new),
        Stopwatch(),
        lambda: f"Look with 'smtp-wizard accounts' whether '{before.name}' has its new name.",
    )
    if invocation.out.form is Form.JSON:
        from smtp_wizard.output.documents.accounts import AccountJson, AccountRenamed

        invocation.out.document(AccountRenamed(before.name, AccountJson.of(renamed)))
    else:
        invocation.out.narrate(renamed_words(before.name, renamed.name))
    return Exit.OK
