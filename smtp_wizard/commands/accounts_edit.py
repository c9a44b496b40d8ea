"""`accounts edit`: a saved account with other answers; tested again, and saved only if that passes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, TypeVar

import click
from click.core import ParameterSource

from smtp_wizard.commands.accounts import store_words
from smtp_wizard.commands.check_run import Transcript, exit_code, live_reader, observed, report_line, report_width
from smtp_wizard.commands.command_with_examples import CommandWithExamples
from smtp_wizard.commands.flow_answers import carried_out
from smtp_wizard.commands.invocation import Invocation
from smtp_wizard.commands.options.answers import (
    REFERENCES,
    reference_missing,
    sender_options,
    server_options,
    store_named,
    store_options,
)
from smtp_wizard.commands.options.connection import (
    ConnectionOptions,
    changed_endpoint,
    connection_from,
    connection_options,
    sign_in_option,
)
from smtp_wizard.commands.options.passwords import PasswordSource, password_options, taken_from
from smtp_wizard.commands.options.shell_completion import account_names
from smtp_wizard.commands.options.sign_in import password_of, secret_at
from smtp_wizard.commands.options.vault import passphrase_options
from smtp_wizard.commands.save_step import Saving
from smtp_wizard.commands.screens_or_plain import open_wizard
from smtp_wizard.engine.accounts.account import Account
from smtp_wizard.engine.base.connection import Auth, Connection
from smtp_wizard.engine.base.endpoint import Endpoint, Security
from smtp_wizard.engine.base.errors import InputError
from smtp_wizard.engine.base.identity import Identity, Scope
from smtp_wizard.engine.base.secret import Secret
from smtp_wizard.engine.base.shown import phrase
from smtp_wizard.engine.base.stages import Depth
from smtp_wizard.engine.providers.catalog import Catalog
from smtp_wizard.engine.secrets.reference_stores import variable_for
from smtp_wizard.engine.secrets.store_kinds import StoreKind
from smtp_wizard.engine.wizard.account_draft import draft_of
from smtp_wizard.engine.wizard.draft import Draft
from smtp_wizard.flows.accounts.edits import Edit
from smtp_wizard.output.check_outcome import CheckOutcome
from smtp_wizard.output.plain_lines import summary
from smtp_wizard.runtime.exit_codes import CommandError, Exit
from smtp_wizard.runtime.output import Form
from smtp_wizard.runtime.questions import can_ask
from smtp_wizard.runtime.running import Stopwatch, run

_ANSWERS = frozenset(
    {
        *("host", "port", "security", "username", "auth", "allow_cleartext", "ehlo_name", "ca_file"),
        *("sender", "sender_name", "scope", "company_email", "company_name", "reply_to"),
        *("store", "env_name", "secret_command", "secret_file"),
    }
)
"""The options that change something, as click calls their values."""
_SENDER = ("sender", "sender_name", "company_name", "reply_to")
_WHERE = frozenset({"store", *REFERENCES.values()})


@click.command("edit", cls=CommandWithExamples)
@click.argument("name", shell_complete=account_names)
@server_options
@sender_options
@store_options
@click.option("--replace", "displacing", is_flag=True, help="Replace another account that is used for all mail.")
@password_options
@passphrase_options
@connection_options
@sign_in_option
@click.option("--json", "_json", is_flag=True, help="Print one JSON document.")
@click.pass_context
def command(context: click.Context, /, name: str, displacing: bool, **given: Any) -> int:
    """Change settings of the account NAME.

    The changed account is tested up to the sign-in, and saved only if that passes. An empty value removes an optional
    setting: --from '', --reply-to '', --ca-file ''. Without options, in a terminal, the wizard opens with the account's
    settings filled in.
    """
    invocation: Invocation = context.obj
    said = {each for each in _ANSWERS if context.get_parameter_source(each) is ParameterSource.COMMANDLINE}
    account = invocation.saved_accounts.get(name)
    given.pop("_json")
    source, connection = taken_from(given), connection_from(given)
    given |= {"ehlo_name": connection.ehlo_name, "ca_file": connection.ca_file}
    if not said and not source.given:
        return _in_the_wizard(invocation, account)
    changes = {each: given[each] for each in said}
    return _Edit(invocation, account, changes, source, connection, agreed=displacing).run()


def _in_the_wizard(invocation: Invocation, account: Account) -> int:
    """Go through the wizard with the account's answers filled in."""
    if not can_ask() or invocation.out.form is not Form.TEXT:
        raise CommandError(
            "missing-answers",
            phrase("Nothing is named that is to change in '{}'.", account.name),
            phrase("'smtp-wizard accounts edit --help' lists what can be changed."),
        )

    services = invocation.services
    action = Edit(account, services.entries, services.stores.vault, services.catalog)
    done = carried_out(invocation, action, {}, lambda: "Nothing was changed.")
    return open_wizard(invocation, "setup", done.draft)


class _Edit:
    """One run of the command with something to change."""

    def __init__(
        self,
        invocation: Invocation,
        account: Account,
        changes: Mapping[str, Any],
        source: PasswordSource,
        connection: ConnectionOptions,
        *,
        agreed: bool,
    ) -> None:
        """`changes`: what was said, as click gives it."""
        self.invocation = invocation
        self.out = invocation.out
        self.account = account
        self.changes = changes
        self.source = source
        self.connection = connection
        self.agreed = agreed
        self.watch = Stopwatch(connection.timeout)

    def run(self) -> int:
        catalog = self.invocation.services.catalog
        draft = changed(draft_of(self.account, None, catalog), self.changes, catalog)
        saving = Saving(self.invocation, draft, self._perhaps_saved, agreed=self.agreed)
        draft = saving.agree()
        draft = replace(draft, secret=self._secret(draft))
        with Transcript(self.connection, self.out) as transcript:
            outcome = run(self._check(draft, transcript), self.watch, self._undone)
        code = exit_code([outcome])
        proof = self.invocation.services.checks.prove(draft, outcome.report, Depth.LOGIN)
        saved = saving.save(replace(draft, proof=proof)) if code == Exit.OK else None
        self._print(outcome, saved)
        return code

    def _secret(self, draft: Draft) -> Secret | None:
        """Return the password to test with: a new one that was given, the new variable's, else the account's own."""
        source = self.source
        moves = bool(_WHERE & self.changes.keys()) and draft.store is not None
        if not source.given and moves and draft.store is StoreKind.ENV:
            source = PasswordSource(variable=draft.env_name)
        elif not source.given and moves and draft.store in (StoreKind.COMMAND, StoreKind.FILE):
            return secret_at(self.invocation, draft.store, draft.where, self.watch, self._undone)
        connection = replace(self.account.connection, auth=draft.connection.auth)
        account = replace(self.account, connection=connection)
        return password_of(self.invocation, account, source, self.watch, self._undone)

    async def _check(self, draft: Draft, transcript: Transcript) -> CheckOutcome:
        assert draft.connection.endpoint is not None
        return await observed(
            lambda emit: self.invocation.services.checks.check_draft(draft, Depth.LOGIN, emit, options=self.connection),
            draft.connection.endpoint,
            self.account.name,
            self.watch,
            live_reader(self.out, transcript, self.account.name),
        )

    def _perhaps_saved(self) -> str:
        return f"Look with 'smtp-wizard accounts show' whether '{self.account.name}' was changed."

    def _undone(self) -> str:
        return "Nothing was changed."

    def _print(self, outcome: CheckOutcome, saved: Account | None) -> None:
        name = self.account.name
        if self.out.form is Form.JSON:
            from smtp_wizard.output.documents.accounts import AccountEdited, AccountJson
            from smtp_wizard.output.documents.checks import ResultJson

            account = AccountJson.of(saved or self.account)
            self.out.document(AccountEdited(saved is not None, account, (ResultJson.of(outcome),)))
        else:
            for line in summary(outcome.report, Depth.LOGIN, report_width(self.out)):
                report_line(self.out, line)
        if saved is None:
            self.out.narrate(f"'{name}' was not changed: the check did not pass.")
        else:
            self.out.narrate(f"'{name}' is changed. Its password: {store_words(saved.store)}.")


def changed(draft: Draft, said: Mapping[str, Any], catalog: Catalog) -> Draft:
    """Return the draft with what was said in its place. Raises `CommandError`, `click.UsageError`."""
    known = draft.connection.endpoint
    assert known is not None
    security = Security(said["security"]) if said.get("security") else None
    endpoint = changed_endpoint(known, said.get("host") or known.host, said.get("port"), security, catalog)
    draft = draft.with_endpoint(endpoint).confirmed()
    draft = replace(
        draft,
        connection=_with_said(draft.connection, said, "username", "ehlo_name", "ca_file"),
        identity=_for_the_company(_with_said(draft.identity, said, *_SENDER), said),
        scope=Scope(said["scope"]) if "scope" in said else draft.scope,
    )
    if said.get("auth") == Auth.XOAUTH2 and draft.connection.auth is not Auth.XOAUTH2:
        raise InputError(phrase("A sign-in in the browser is set up anew: 'smtp-wizard setup --auth xoauth2'."))
    if "auth" in said:
        connection = replace(draft.connection, auth=Auth(said["auth"]))
        draft = replace(draft, connection=connection)
    if "allow_cleartext" in said:
        draft = replace(draft, connection=replace(draft.connection, allow_cleartext=True))
    return _elsewhere(draft, said)


N = TypeVar("N", Connection[Endpoint | None], Identity)


def _with_said(noun: N, said: Mapping[str, Any], *names: str) -> N:
    """Return the connection, or the identity, with those of its fields that were said in the place of its own."""
    return replace(noun, **{each: said[each] for each in names if each in said})


def _for_the_company(identity: Identity, said: Mapping[str, Any]) -> Identity:
    """A firm's name or Reply-To that is given is one that is wanted."""
    implied = bool(said.get("company_name") or said.get("reply_to"))
    return replace(identity, update_company=said.get("company_email", identity.update_company or implied))


def _elsewhere(draft: Draft, said: Mapping[str, Any]) -> Draft:
    """Say where the password is kept from now on; a variable that is not named has the account's own name."""
    if not _WHERE & said.keys():
        return draft
    store = store_named(said.get("store"), said)
    if store is None:
        return draft
    where = str(said.get(REFERENCES[store]) or "") if store in REFERENCES else ""
    if store.is_reference and not where:
        where = draft.where if draft.store is store else variable_for(draft.name) if store is StoreKind.ENV else ""
        if not where:
            raise reference_missing(store)
    return draft.with_store(store, where)
