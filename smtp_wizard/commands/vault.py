"""`vault`: the encrypted file in which passwords can be kept. Its passphrase can be changed here."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import click

from smtp_wizard.commands.groups import GroupWithDefault
from smtp_wizard.commands.invocation import Invocation
from smtp_wizard.commands.options.passwords import hidden
from smtp_wizard.commands.options.vault import (
    command_source,
    new_passphrase,
    offer_passphrase,
    passphrase_options,
    variable_source,
)
from smtp_wizard.engine.base.secret import Secret
from smtp_wizard.engine.base.shown import phrase, shown
from smtp_wizard.engine.secrets.store_kinds import StoreKind
from smtp_wizard.engine.secrets.vault import FILE_NAME
from smtp_wizard.runtime.exit_codes import CommandError, Exit
from smtp_wizard.runtime.output import Form
from smtp_wizard.runtime.questions import can_ask
from smtp_wizard.runtime.running import Stopwatch, run
from smtp_wizard.runtime.tables import facts

OLD_COPIES = "A copy of its file that was made before, as in a backup, still opens with the old one."


@click.group("vault", cls=GroupWithDefault)
def command() -> None:
    """Show the encrypted file that '--store vault' keeps passwords in, or change its passphrase."""


@command.command("list", hidden=True)
@click.option("--json", "_json", is_flag=True, help="Print one JSON document.")
@click.pass_obj
def state(invocation: Invocation, _json: bool) -> int:
    """Show where the vault is and which accounts have their password in it. It is not opened."""
    file = invocation.folder / FILE_NAME
    used_by = [
        each.name for each in invocation.saved_accounts.list() if each.store and each.store.kind is StoreKind.VAULT
    ]
    if invocation.out.form is Form.JSON:
        from smtp_wizard.output.documents.accounts import VaultStatus

        invocation.out.document(VaultStatus(str(file), file.exists(), tuple(used_by)))
    elif not file.exists():
        invocation.out.narrate("There is no vault yet; '--store vault' makes one.")
    else:
        rows = [("File", shown(str(file), 200)), ("Used by", ", ".join(used_by) or "no account")]
        invocation.out.data("\n".join(facts(rows, invocation.out.width)))
    return Exit.OK


@command.command("passphrase")
@passphrase_options
@click.option(
    "--new-passphrase-env",
    metavar="NAME",
    callback=hidden,
    help="Take the new passphrase from this environment variable.",
)
@click.option(
    "--new-passphrase-command", metavar="CMD", help="Run this command; the first line it prints is the new passphrase."
)
@click.option("--json", "_json", is_flag=True, help="Print one JSON document.")
@click.pass_obj
def passphrase(
    invocation: Invocation, new_passphrase_env: str | None, new_passphrase_command: str | None, _json: bool
) -> int:
    """Change the vault's passphrase; the passwords in it stay.

    Missing answers are asked for. The old passphrase no longer opens the vault.
    """
    from smtp_wizard.engine.secrets.vault import VaultState

    source = _source(invocation, new_passphrase_env, new_passphrase_command)
    vault = invocation.stores.vault
    if vault.state is VaultState.MISSING:
        raise CommandError(
            "no-vault", phrase("There is no vault yet."), phrase("'--store vault' makes one."), Exit.NOT_FOUND
        )
    if source is None and not can_ask():
        hint = phrase("Give it: --new-passphrase-env or --new-passphrase-command.")
        raise CommandError("missing-answers", phrase("Missing: the new passphrase of the vault."), hint)
    offer_passphrase(invocation, StoreKind.VAULT)

    async def given() -> Secret:
        assert source is not None
        return await source()

    new = run(given(), Stopwatch()) if source is not None else new_passphrase(invocation)
    run(
        vault.change_passphrase(new), Stopwatch(), lambda: "The vault has either passphrase now: try the new one first."
    )
    if invocation.out.form is Form.JSON:
        from smtp_wizard.output.documents.accounts import VaultPassphrase

        invocation.out.document(VaultPassphrase(changed=True))
    else:
        invocation.out.narrate(f"The vault has another passphrase now. {OLD_COPIES}")
    return Exit.OK


def _source(
    invocation: Invocation, variable: str | None, command_text: str | None
) -> Callable[[], Awaitable[Secret]] | None:
    if variable is not None and command_text is not None:
        raise click.UsageError("Only one of --new-passphrase-env and --new-passphrase-command can be used.")
    if variable is not None:
        return variable_source(invocation, variable)
    return command_source(invocation, command_text, "--new-passphrase-command") if command_text is not None else None
