"""`accounts tag`: gives accounts the tags by which `test --tag` chooses them, and takes tags away."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import click

from smtp_wizard.commands.command_with_examples import CommandWithExamples
from smtp_wizard.commands.options.shell_completion import account_names, account_tags
from smtp_wizard.commands.testing.selected_accounts import Selection, parsed_tags, selected_accounts
from smtp_wizard.engine.accounts.tags import MOST
from smtp_wizard.engine.base.errors import InputError
from smtp_wizard.engine.base.shown import phrase
from smtp_wizard.runtime.exit_codes import Exit
from smtp_wizard.runtime.output import Form

if TYPE_CHECKING:
    from smtp_wizard.commands.invocation import Invocation
    from smtp_wizard.engine.accounts.account import Account


@click.command("tag", cls=CommandWithExamples)
@click.argument("accounts", nargs=-1, required=True, metavar="ACCOUNT...", shell_complete=account_names)
@click.option(
    "--add",
    metavar="TAG",
    multiple=True,
    callback=parsed_tags,
    shell_complete=account_tags,
    help="Add this tag (repeatable).",
)
@click.option(
    "--remove",
    metavar="TAG",
    multiple=True,
    callback=parsed_tags,
    shell_complete=account_tags,
    help="Remove this tag (repeatable).",
)
@click.option("--json", "_json", is_flag=True, help="Print one JSON document.")
@click.pass_obj
def command(
    invocation: Invocation, accounts: tuple[str, ...], add: tuple[str, ...], remove: tuple[str, ...], _json: bool
) -> int:
    """Add or remove tags of accounts, such as a customer's name, for 'test --tag'.

    ACCOUNT may be a pattern such as 'Shop*'. Nothing is tested, and passwords stay as they are.
    """
    if not add and not remove:
        raise click.UsageError("Say --add or --remove, with a tag.")
    chosen = selected_accounts(invocation.saved_accounts, Selection(names=accounts, every=False), datetime.now(UTC))
    names = [account.name for account in chosen]
    changed = invocation.saved_accounts.alter_all(names, lambda now: _tagged(now, add, remove))
    if invocation.out.form is Form.JSON:
        from smtp_wizard.output.documents.accounts import AccountJson, AccountsTagged

        invocation.out.document(AccountsTagged(tuple(map(AccountJson.of, changed))))
    else:
        for account in changed:
            invocation.out.narrate(f"{account.name}: {', '.join(account.tags) or 'no tags'}")
    return Exit.OK


def _tagged(account: Account, add: Sequence[str], remove: Sequence[str]) -> Account:
    """Return the account with other tags. Raises `InputError` where it would have too many."""
    tags = tuple(sorted({*account.tags, *add} - set(remove)))
    if len(tags) > MOST:
        raise InputError(phrase("'{}' would have more than {} tags.", account.name, MOST))
    return replace(account, tags=tags)
