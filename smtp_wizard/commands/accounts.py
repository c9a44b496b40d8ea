"""`accounts`: what is saved. Never the secret."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from smtp_wizard.commands.groups import GroupWithDefault, LazyCommand
from smtp_wizard.commands.options.shell_completion import account_names
from smtp_wizard.commands.options.vault import passphrase_options
from smtp_wizard.engine.base.connection import Auth
from smtp_wizard.engine.base.shown import phrase, shown
from smtp_wizard.engine.secrets.store_kinds import StoreKind, StoreRef
from smtp_wizard.runtime.exit_codes import CommandError, Exit
from smtp_wizard.runtime.output import Form
from smtp_wizard.runtime.questions import can_ask, confirm
from smtp_wizard.runtime.tables import facts, table

if TYPE_CHECKING:
    from smtp_wizard.commands.invocation import Invocation
    from smtp_wizard.engine.accounts.account import Account
    from smtp_wizard.engine.state.results import LastResult
    from smtp_wizard.engine.state.sign_in_renewals import SignInRenewal
    from smtp_wizard.flows.question import Answer

STORE_WORDS = {
    StoreKind.KEYRING: "in the keyring of this computer",
    StoreKind.VAULT: "in the vault of smtp-wizard",
    StoreKind.COMMAND: "printed by the command {where}",
    StoreKind.FILE: "in the file {where}",
    StoreKind.ENV: "in the environment variable {where}",
    StoreKind.SESSION: "not kept: it is asked for each time",
}


_LATER = {
    "edit": LazyCommand("smtp_wizard.commands.accounts_edit", "Change an account; it is tested before it is saved."),
    "rename": LazyCommand("smtp_wizard.commands.accounts_rename", "Rename an account."),
    "password": LazyCommand("smtp_wizard.commands.accounts_password", "Replace a password that was revoked."),
    "tag": LazyCommand("smtp_wizard.commands.accounts_tag", "Add or remove tags, for 'test --tag'."),
    "duplicate": LazyCommand("smtp_wizard.commands.accounts_duplicate", "Save a copy of an account."),
}


@click.group("accounts", cls=GroupWithDefault, later=_LATER)
def command() -> None:
    """List, show, change and remove saved accounts. Passwords are never shown."""


@command.command("list", hidden=True)
@click.option("--json", "_json", is_flag=True, help="Print one JSON document.")
@click.pass_obj
def listed(invocation: Invocation, _json: bool) -> int:
    """List the saved accounts."""
    out, accounts = invocation.out, invocation.saved_accounts.list()
    if out.form is Form.JSON:
        from smtp_wizard.output.documents.accounts import AccountJson, AccountsListed
        from smtp_wizard.output.documents.checks import UnreadJson

        unread = invocation.saved_accounts.unread_entries()
        out.document(AccountsListed(tuple(map(AccountJson.of, accounts)), tuple(map(UnreadJson.of, unread))))
    elif not invocation.saved_accounts.holds_any():
        out.narrate("No account is saved yet. 'smtp-wizard setup' makes one.")
    else:
        never = _never(invocation)
        rows = [("Name", "Server", "Last test", "Result"), *(_row(account, never) for account in accounts)]
        codes = ["", *(colour_of(account.last) for account in accounts)]
        out.page("\n".join(table(rows, out.width, {3: codes} if out.colour else None)))
    return Exit.OK


@command.command("show")
@click.argument("name", shell_complete=account_names)
@click.option("--json", "_json", is_flag=True, help="Print one JSON document.")
@click.pass_obj
def show(invocation: Invocation, name: str, _json: bool) -> int:
    """Show an account."""
    from smtp_wizard.engine.accounts.guarded_sign_in import counted_words
    from smtp_wizard.engine.accounts.lockout_guard import LockoutGuard
    from smtp_wizard.engine.accounts.sign_in_expiry import ending_words
    from smtp_wizard.engine.scan.known_host import counted_names

    out, account = invocation.out, invocation.saved_accounts.get(name)
    host = account.connection.endpoint.host
    whose, *also = counted_names(invocation.services.catalog, host, account.connection.username, account.address)
    lately = (
        ()
        if account.connection.sandbox
        else LockoutGuard(invocation.saved_accounts.state.storage).counted(whose, host, also)
    )
    if out.form is Form.JSON:
        from smtp_wizard.output.documents.accounts import AccountJson, AccountShown

        out.document(AccountShown(AccountJson.of(account), len(lately)))
    else:
        words = counted_words(lately, invocation.services.diagnosis.title) if lately else ""
        known = [*_facts(account, _never(invocation)), *([("Failed lately", words)] if words else [])]
        out.data("\n".join(facts(known, out.width)))
        ending = ending_words(account, invocation.services.catalog, invocation.services.now())
        if ending:
            out.narrate(ending)
    return Exit.OK


@command.command("remove")
@click.argument("name", shell_complete=account_names)
@click.option("--yes", is_flag=True, help="Do not ask for confirmation.")
@passphrase_options
@click.option("--json", "_json", is_flag=True, help="Print one JSON document.")
@click.pass_obj
def remove(invocation: Invocation, name: str, yes: bool, _json: bool) -> int:
    """Remove an account and its password."""
    from smtp_wizard.commands.flow_answers import carried_out
    from smtp_wizard.commands.options.vault import PassphraseReply
    from smtp_wizard.flows.accounts.edits import Delete
    from smtp_wizard.flows.question import Answer, Topic

    account = invocation.saved_accounts.get(name)
    action = Delete(account, invocation.services.accounts, invocation.stores.vault)
    asks = PassphraseReply(invocation, action)
    done = carried_out(
        invocation,
        action,
        {
            Topic.DELETION: lambda _: Answer.DO if yes else _agreed(account),
            # Without the vault the account is removed all the same.
            Topic.PASSPHRASE: lambda question: asks(question) if can_ask() else Answer.LEAVE,
        },
        lambda: f"Look with 'smtp-wizard accounts' whether '{account.name}' is still there.",
    )
    if done.trouble:
        invocation.out.narrate(done.trouble)
    if invocation.out.form is Form.JSON:
        from smtp_wizard.output.documents.accounts import AccountRemoved

        invocation.out.document(AccountRemoved(account.name, done.trouble))
    else:
        invocation.out.narrate(f"Removed: {account.name}")
    return Exit.SECRET if done.trouble else Exit.OK


def _agreed(account: Account) -> Answer:
    """Ask whether an account is to go. Raises `CommandError` where nobody can be asked, and after a no."""
    from smtp_wizard.flows.question import Answer

    if not can_ask():
        raise CommandError(
            "missing-answers",
            phrase("Remove '{}'? Nobody can be asked here.", account.name),
            phrase("Add --yes."),
        )
    if not confirm(f"Remove '{account.name}' ({account.connection.endpoint}) and its password?"):
        raise CommandError("declined", phrase("Nothing was removed."), exit_code=Exit.FAILED)
    return Answer.DO


def _never(invocation: Invocation) -> str:
    """Return what is said of an account without a result: nothing is known where the results cannot be read."""
    return "not known" if invocation.saved_accounts.state.unread else "never"


def _row(account: Account, never: str) -> tuple[str, str, str, str]:
    practice = " (practice)" if account.connection.sandbox else ""
    last = account.last
    when = f"{last.at.astimezone():%Y-%m-%d %H:%M}" if last else never
    return account.name, f"{account.connection.endpoint}{practice}", when, last_result_words(last)


def last_result_words(last: LastResult | None) -> str:
    """Return a last result in a few words: 'ok', 'FAIL Sign in'."""
    if last is None:
        return ""
    from smtp_wizard.engine.state.results import NOT_PROVED
    from smtp_wizard.output.plain_lines import STAGE_WORDS, VERDICT_WORDS

    if last.code == NOT_PROVED:
        return f"{VERDICT_WORDS[last.verdict]} not proved"
    stage = f" {STAGE_WORDS[last.stage]}" if last.stage else ""
    return f"{VERDICT_WORDS[last.verdict]}{stage}"


def colour_of(last: LastResult | None) -> str:
    """Return the colour of a last result's words, as `table` takes it."""
    from smtp_wizard.output.plain_lines import COLOURS, VERDICT_WORDS

    return COLOURS.get(VERDICT_WORDS[last.verdict], "") if last is not None else ""


def store_words(store: StoreRef | None) -> str:
    """Return in words where a password is kept."""
    return STORE_WORDS[store.kind].format(where=shown(store.where, 200)) if store else "none is needed"


def _login_facts(login: SignInRenewal | None) -> list[tuple[str, str]]:
    if login is None:
        return []
    return [
        ("Client id", shown(login.client_id, 200)),
        ("Signs in by itself at", shown(login.application_at, 200)),
        ("Set up" if login.application_at else "Signed in", f"{login.granted.astimezone():%Y-%m-%d %H:%M}"),
        ("Renewed", f"{login.renewed.astimezone():%Y-%m-%d %H:%M}"),
    ]


def _facts(account: Account, never: str) -> list[tuple[str, str]]:
    last = account.last
    known = [
        ("Name", account.name),
        ("Address", str(account.address)),
        ("Server", account.connection.endpoint.host),
        ("Port", str(account.connection.endpoint.port)),
        ("Security", account.connection.endpoint.security.words),
        ("User name", account.connection.username),
        ("Password" if account.connection.auth is not Auth.XOAUTH2 else "Token", store_words(account.store)),
        ("Provider", account.connection.provider or ""),
        ("Sign-in", account.connection.path or ""),
        *_login_facts(account.login),
        ("From", str(account.from_address)),
        ("Sender's name", account.identity.sender_name),
        ("Used for", account.scope.words),
        ("Tags", ", ".join(account.tags)),
        ("Company", account.identity.company_name),
        ("Reply to", str(account.identity.reply_to) if account.identity.reply_to else ""),
        ("Own authority", account.connection.ca_file or ""),
        ("Introduced as", account.connection.ehlo_name),
        ("Practice", account.connection.sandbox or ""),
        ("Last test", f"{last.at.astimezone():%Y-%m-%d %H:%M}, {last_result_words(last)}" if last else never),
    ]
    return [(name, words) for name, words in known if words]
