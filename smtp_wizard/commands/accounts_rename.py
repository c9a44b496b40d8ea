"""`accounts rename`: another name for a saved account; its password moves with it."""

from __future__ import annotations

from enum import StrEnum

import click

from smtp_wizard.commands.command_with_examples import CommandWithExamples
from smtp_wizard.commands.flow_answers import carried_out
from smtp_wizard.commands.invocation import Invocation
from smtp_wizard.commands.options.connection import parsed_by
from smtp_wizard.commands.options.shell_completion import account_names
from smtp_wizard.commands.options.vault import passphrase_options
from smtp_wizard.engine.accounts.account import parse_name
from smtp_wizard.engine.base.shown import phrase, shown
from smtp_wizard.flows.accounts.edits import Rename
from smtp_wizard.flows.question import Answer, Question, Topic
from smtp_wizard.runtime.exit_codes import CommandError, Exit
from smtp_wizard.runtime.output import Form


@click.command("rename", cls=CommandWithExamples)
@click.argument("old", shell_complete=account_names)
@click.argument("new", callback=parsed_by(parse_name))
@passphrase_options
@click.option("--json", "_json", is_flag=True, help="Print one JSON document.")
@click.pass_obj
def command(invocation: Invocation, old: str, new: str, _json: bool) -> int:
    """Rename the account OLD to NEW. Its password moves with it; nothing is tested."""
    before = invocation.saved_accounts.get(old)
    action = Rename(before, invocation.services.accounts, invocation.stores.vault)

    def named(question: Question) -> StrEnum:
        if question.failed:
            raise CommandError("name-taken", shown(question.failed), phrase("Choose another name."))
        action.type(0, new)
        return Answer.DO

    done = carried_out(
        invocation,
        action,
        {Topic.NAME: named},
        lambda: f"Look with 'smtp-wizard accounts' whether '{before.name}' has its new name.",
    )
    if invocation.out.form is Form.JSON:
        from smtp_wizard.output.documents.accounts import AccountJson, AccountRenamed

        renamed = invocation.saved_accounts.get(done.name)
        invocation.out.document(AccountRenamed(before.name, AccountJson.of(renamed)))
    else:
        invocation.out.narrate(done.said)
    return Exit.OK
