"""`accounts password`: a new password for a saved account, tried before it is kept. Nothing else is asked."""

from __future__ import annotations

from enum import StrEnum
from typing import Any

import click

from smtp_wizard.commands.accounts import store_words
from smtp_wizard.commands.check_run import Transcript, exit_code, live_reader, report_line, report_width
from smtp_wizard.commands.command_with_examples import CommandWithExamples
from smtp_wizard.commands.flow_answers import ActionObserver, Reply, carried_out
from smtp_wizard.commands.invocation import Invocation
from smtp_wizard.commands.options.browser import FLOW, signed_in_again
from smtp_wizard.commands.options.connection import (
    ConnectionOptions,
    connection_from,
    connection_options,
    sign_in_option,
)
from smtp_wizard.commands.options.passwords import PasswordSource, password_options, taken_from
from smtp_wizard.commands.options.shell_completion import account_names
from smtp_wizard.commands.options.sign_in import given_password, secret_at, tidy_password, typed_password
from smtp_wizard.commands.options.vault import passphrase_options
from smtp_wizard.engine.accounts.account import Account
from smtp_wizard.engine.base.connection import Auth
from smtp_wizard.engine.base.secret import Secret
from smtp_wizard.engine.base.shown import phrase
from smtp_wizard.engine.base.stages import Depth
from smtp_wizard.engine.oauth.server import OAuthFlow
from smtp_wizard.engine.secrets.store_kinds import StoreKind
from smtp_wizard.flows.accounts.password import NewPassword
from smtp_wizard.flows.question import Answer, Question, Topic
from smtp_wizard.output.check_outcome import CheckOutcome
from smtp_wizard.output.plain_lines import summary
from smtp_wizard.runtime.exit_codes import CommandError, Exit
from smtp_wizard.runtime.output import Form
from smtp_wizard.runtime.running import Stopwatch


@click.command("password", cls=CommandWithExamples)
@click.argument("name", shell_complete=account_names)
@password_options
@passphrase_options
@FLOW
@connection_options
@sign_in_option
@click.option("--json", "_json", is_flag=True, help="Print one JSON document.")
@click.pass_obj
def command(invocation: Invocation, /, name: str, **given: Any) -> int:
    """Replace the password of NAME, if the old one was revoked, or sign in again with the browser.

    The new password is tried once, and kept only if the server accepts it. Otherwise the old one stays.
    """
    given.pop("_json")
    flow = given.pop("flow")
    source, connection = taken_from(given), connection_from(given)
    account = invocation.saved_accounts.get(name)
    if account.connection.auth is Auth.NONE:
        raise CommandError("no-sign-in", phrase("'{}' has no password: its server asks for no sign-in.", account.name))
    return _Replacement(invocation, account, source, connection, OAuthFlow(flow) if flow else None).run()


class _Replacement:
    """One run of the command."""

    def __init__(
        self,
        invocation: Invocation,
        account: Account,
        source: PasswordSource,
        connection: ConnectionOptions,
        flow: OAuthFlow | None,
    ) -> None:
        self.invocation = invocation
        self.out = invocation.out
        self.account = account
        self.source = source
        self.connection = connection
        self.flow = flow
        self.watch = Stopwatch(connection.timeout)

    def run(self) -> int:
        with Transcript(self.connection, self.out) as transcript:
            outcome = self._tried(transcript)
        code = exit_code([outcome])
        if self.out.form is Form.JSON:
            now = self.invocation.saved_accounts.now(self.account) if code == Exit.OK else self.account
            from smtp_wizard.output.documents.accounts import PasswordChanged
            from smtp_wizard.output.documents.checks import ResultJson

            self.out.document(PasswordChanged(code == Exit.OK, now.store, (ResultJson.of(outcome),)))
        else:
            for line in summary(outcome.report, Depth.LOGIN, report_width(self.out)):
                report_line(self.out, line)
        self._tell(code)
        return code

    def _secret(self) -> Secret:
        """Return the new password: given, or typed; where it is only referred to, it was changed there already."""
        source, store = self.source, self.account.store
        if not source.given and store is not None and store.kind is StoreKind.ENV:
            source = PasswordSource(variable=store.where)
        elif not source.given and store is not None and store.kind.is_reference:
            return secret_at(self.invocation, store.kind, store.where, self.watch, self._undone)
        given = given_password(self.invocation, source, self.watch, self._undone)
        if given is None and self.account.connection.auth is Auth.XOAUTH2:
            return signed_in_again(self.invocation, self.account, self.flow, self.watch, self._undone)
        return tidy_password(self.invocation, self.account, given or typed_password(self.account.name))

    def _tried(self, transcript: Transcript) -> CheckOutcome:
        """Try the new password, once; nobody is asked whether to sign in against advice: an option says so."""
        account, services = self.account, self.invocation.services
        action = NewPassword(account, services.accounts, services.stores.vault, services.catalog, self.connection)

        def given(question: Question) -> StrEnum:
            if question.card is not None:  # the one that was given was refused
                return Answer.LEAVE
            action.give(0, self._secret())
            return Answer.DO

        replies: dict[Topic, Reply] = {Topic.PASSWORD: given, Topic.LOCKOUT: lambda _: Answer.LEAVE}
        reader = live_reader(self.out, transcript, account.name)
        observer = ActionObserver(action, account.connection.endpoint, self.watch, reader)
        done = carried_out(
            self.invocation, action, replies, self._undone, watch=self.watch, around=observer.until_the_time_is_up
        )
        assert done.report is not None, "it was tried"
        return CheckOutcome(account.name, done.report)

    def _undone(self) -> str:
        return f"Test with 'smtp-wizard test' which password '{self.account.name}' has now."

    def _tell(self, code: Exit) -> None:
        name, store = self.account.name, self.account.store
        if code != Exit.OK:
            self.out.narrate(f"The password of '{name}' was not changed: the new one did not pass.")
        elif store is None or store.kind is StoreKind.SESSION:
            self.out.narrate(f"The new password of '{name}' works. It is not kept: it is asked for each time.")
        else:
            self.out.narrate(f"The new password of '{name}' works, and is {store_words(store)} now.")
