"""`senders`: which addresses an account may send as, in the envelope and in From, and what to change."""

from __future__ import annotations

from collections.abc import Coroutine
from typing import TYPE_CHECKING, Any

import click

from smtp_wizard.commands.check_run import Transcript, report_line
from smtp_wizard.commands.command_with_examples import CommandWithExamples
from smtp_wizard.commands.faults import next_steps
from smtp_wizard.commands.options.connection import (
    ConnectionOptions,
    connection_from,
    connection_options,
    parsed_by,
    sign_in_option,
)
from smtp_wizard.commands.options.mailbox import imap_option
from smtp_wizard.commands.options.passwords import password_options, taken_from
from smtp_wizard.commands.options.shell_completion import account_names
from smtp_wizard.commands.options.sign_in import password_of
from smtp_wizard.commands.options.vault import passphrase_options
from smtp_wizard.engine.base.address import Address
from smtp_wizard.engine.base.shown import phrase, shown
from smtp_wizard.engine.checks.progress import CheckProgress
from smtp_wizard.output.plain_lines import paragraph, plain_printer
from smtp_wizard.runtime.exit_codes import CommandError, Exit, Interrupted
from smtp_wizard.runtime.expected_errors import EXPECTED_ERRORS
from smtp_wizard.runtime.output import Form
from smtp_wizard.runtime.questions import can_ask, confirm
from smtp_wizard.runtime.running import Stopwatch, run_bounded

if TYPE_CHECKING:
    from smtp_wizard.commands.invocation import Invocation
    from smtp_wizard.engine.accounts.account import Account
    from smtp_wizard.engine.base.endpoint import Endpoint
    from smtp_wizard.engine.base.secret import Secret
    from smtp_wizard.engine.base.shown import Shown
    from smtp_wizard.engine.checks.events import Event
    from smtp_wizard.engine.services.senders import SenderMatrix


def _addresses(context: click.Context, parameter: click.Parameter, texts: tuple[str, ...]) -> tuple[Address, ...]:
    """Take the addresses to try. Raises `click.BadParameter`."""
    from smtp_wizard.engine.services.senders import MOST_TRIED

    parse = parsed_by(Address.parse)
    found = tuple(dict.fromkeys(parse(context, parameter, each) for each in texts))
    if len(found) > MOST_TRIED:
        raise click.BadParameter(f"at most {MOST_TRIED} addresses can be tried at once.", ctx=context, param=parameter)
    return found


@click.command("senders", cls=CommandWithExamples)
@click.argument("account", shell_complete=account_names)
@click.option(
    "--try",
    "others",
    multiple=True,
    metavar="ADDR",
    callback=_addresses,
    help="Another address to try, such as an alias. Can be given more than once.",
)
@click.option("--yes", is_flag=True, help="Do not ask before messages are sent to your own mailbox.")
@imap_option
@password_options
@passphrase_options
@connection_options
@sign_in_option
@click.option("--json", "_json", is_flag=True, help="Print one JSON document.")
@click.pass_obj
def command(
    invocation: Invocation,
    /,
    account: str,
    others: tuple[Address, ...],
    yes: bool,
    imap: Endpoint | None,
    **given: Any,
) -> int:
    """List the addresses that ACCOUNT may send as: its own, those to --try, any of its domain, any at all.

    The envelope sender is tried without sending a message. Only a message shows what becomes of From: if you agree, one
    goes from each of your addresses to your own mailbox and is read there. Exit code 1 if an address is refused, or
    that could not be seen.
    """
    given.pop("_json")
    source, connection = taken_from(given), connection_from(given)
    chosen = invocation.saved_accounts.get(account)
    watch = Stopwatch(connection.timeout)
    secret = password_of(invocation, chosen, source, watch, lambda: "Nothing was tried.")
    return _Trying(invocation, chosen, secret, connection, watch, imap).run(others, yes=yes)


class _Trying:
    """One run of the command."""

    def __init__(
        self,
        invocation: Invocation,
        account: Account,
        secret: Secret | None,
        connection: ConnectionOptions,
        watch: Stopwatch,
        imap: Endpoint | None,
    ) -> None:
        self.invocation = invocation
        self.out = invocation.out
        self.account = account
        self.secret = secret
        self.connection = connection
        self.watch = watch
        self.imap = imap
        self.progress = CheckProgress()
        self.to = shown(str(account.address), 254)

    def run(self, others: tuple[Address, ...], *, yes: bool) -> int:
        senders = self.invocation.services.senders
        with Transcript(self.connection, self.out) as transcript:
            transcript.begin(self.account.name)
            told = plain_printer(_nothing, transcript.add if transcript.wanted else None)

            def emit(event: Event) -> None:
                self.progress.take(event)
                told(event)

            work = senders.try_envelopes(self.account, self.secret, others, emit, options=self.connection)
            matrix = _signed_in(run_bounded(work, self.watch, self._undone))
            if matrix.wanting and self._wanted(matrix, yes=yes):
                more = senders.try_messages(
                    self.account, self.secret, matrix, emit, named=self.imap, options=self.connection
                )
                matrix = self._tried(more, matrix)
        self._say(matrix, matrix.trouble)
        return Exit.FAILED if matrix.failed else Exit.OK

    def _tried(self, more: Coroutine[Any, Any, SenderMatrix], known: SenderMatrix) -> SenderMatrix:
        """Return what the messages told. Where they told nothing, what was known before is written, and why is raised.

        Raises `CommandError`, `Interrupted`, and what is in `EXPECTED_ERRORS`.
        """
        try:
            return _signed_in(run_bounded(more, self.watch, self._undone))
        except (CommandError, *EXPECTED_ERRORS) as problem:
            self._say(known, problem.message if isinstance(problem, CommandError) else shown(str(problem), 1_000))
            raise
        except Interrupted as problem:
            self._say(known, phrase("Interrupted. {}", shown(problem.undone, 300)))
            raise

    def _undone(self) -> str:
        if any(each.stage.value == "data" for each in self.progress.results) or self.progress.perhaps_sent:
            return f"Messages may have been sent, to {self.to} alone."
        return "No message was sent."

    def _wanted(self, matrix: SenderMatrix, *, yes: bool) -> bool:
        """Whether messages are to be sent."""
        from smtp_wizard.text.areas.senders import question

        if yes:
            return True
        self.out.narrate(question(matrix, self.to))
        if can_ask():
            return confirm("Send it?" if len(matrix.wanting) == 1 else "Send them?", undone=self._undone())
        self.out.narrate("None was sent: add --yes if that is what you want.")
        return False

    def _say(self, matrix: SenderMatrix, trouble: Shown) -> None:
        """Write what was found. `trouble`: why it is not more, '' where nothing is wanting."""
        if self.out.form is Form.JSON:
            from smtp_wizard.output.documents.senders import SendersTried

            self.out.document(SendersTried.of(self.account.name, self.to, matrix, trouble))
            self._say_what_helps(matrix)
            return
        from smtp_wizard.text.areas.senders import row_lines, sent_words, summary

        report_line(self.out, summary(matrix, self.account.name))
        for row in matrix.rows:
            self.out.data("")
            for line in row_lines(row):
                report_line(self.out, line)
        if matrix.sent:
            self.out.data("")
            for line in paragraph(sent_words(matrix, self.to)):
                self.out.data(line)
        if matrix.trouble:
            for line in paragraph(matrix.trouble):
                self.out.narrate(line)
        self._say_what_helps(matrix)

    def _say_what_helps(self, matrix: SenderMatrix) -> None:
        """Write what to do where the mailbox could not be read."""
        if matrix.unread is not None:
            for line in paragraph(next_steps(matrix.unread)):
                self.out.narrate(line)


def _nothing(_: object) -> None:
    return


def _signed_in(matrix: SenderMatrix) -> SenderMatrix:
    """Return what was found. Raises `CommandError` where the sign-in failed, so that nothing could be tried."""
    if matrix.signed_in:
        return matrix
    finding = matrix.report.findings[-1]
    raise CommandError(
        finding.code, phrase("{}. {}", finding.title, finding.explanation), next_steps(finding), Exit.FAILED
    )
