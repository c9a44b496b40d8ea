"""`send`: sends the test message of a saved account, and says what is known of it then and what is not."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from smtp_wizard.commands.checking import Transcript, exit_code, live_reader, observed, report_line
from smtp_wizard.commands.helped import HelpedCommand
from smtp_wizard.commands.invocation import Invocation
from smtp_wizard.commands.options.completing import account_names
from smtp_wizard.commands.options.connection import (
    ConnectionOptions,
    connection_from,
    connection_options,
    missing_answers,
    parsed_by,
    sign_in_option,
)
from smtp_wizard.commands.options.passwords import PasswordSource, password_options, taken_from
from smtp_wizard.commands.options.sign_in import password_of
from smtp_wizard.commands.options.vault import passphrase_options
from smtp_wizard.engine.accounts.account import Account
from smtp_wizard.engine.base.address import Address
from smtp_wizard.engine.base.secret import Secret
from smtp_wizard.engine.base.shown import shown
from smtp_wizard.engine.base.stages import Depth, Stage, Verdict
from smtp_wizard.engine.checks.events import Emit
from smtp_wizard.engine.checks.progress import CheckProgress
from smtp_wizard.engine.checks.recipient import refuse_own_mailbox
from smtp_wizard.engine.checks.report import Report
from smtp_wizard.engine.checks.test_message import new_token
from smtp_wizard.engine.services.checks import PRACTICE_FOLDER
from smtp_wizard.output.lines import paragraph
from smtp_wizard.output.outcome import CheckOutcome
from smtp_wizard.runtime.output import Form
from smtp_wizard.runtime.running import Stopwatch, run

if TYPE_CHECKING:
    from smtp_wizard.output.documents.checks import Accepted


@click.command("send", cls=HelpedCommand)
@click.argument("account", shell_complete=account_names)
@click.option("--to", metavar="ADDR", callback=parsed_by(Address.parse), help="Where the test message goes.")
@password_options
@passphrase_options
@connection_options
@sign_in_option
@click.option("--json", "_json", is_flag=True, help="Print one JSON document.")
@click.pass_obj
def command(invocation: Invocation, /, account: str, to: Address | None, **given: Any) -> int:
    """Send the test message of ACCOUNT, and say whether the server has taken it.

    Whether it arrives nobody can know from here: look for the message's code in the mailbox that it goes to.
    """
    given.pop("_json")
    source, connection = taken_from(given), connection_from(given)
    if to is None:
        raise missing_answers(["--to"])
    chosen = invocation.saved_accounts.get(account)
    refuse_own_mailbox(to, chosen.from_address, chosen.address)
    return _Sending(invocation, chosen, to, source, connection).run()


class _Sending:
    """One run of the command."""

    def __init__(
        self,
        invocation: Invocation,
        account: Account,
        to: Address,
        source: PasswordSource,
        connection: ConnectionOptions,
    ) -> None:
        self.invocation = invocation
        self.out = invocation.out
        self.account = account
        self.to = to
        self.source = source
        self.connection = connection
        self.watch = Stopwatch(connection.timeout)
        self.watched = CheckProgress()
        self.code = new_token()
        """The word in the subject by which this message is found."""

    def run(self) -> int:
        secret = password_of(self.invocation, self.account, self.source, self.watch, self._undone)
        with Transcript(self.connection, self.out) as transcript:
            outcome = run(self._check(secret, transcript), self.watch, self._undone)
        key = self._practice_key()
        if self.out.form is Form.JSON:
            from smtp_wizard.output.documents.checks import ResultJson, Sent

            taken = accepted(outcome.report)
            self.out.document(Sent(str(self.to), self.code, taken, key, (ResultJson.of(outcome),)))
        else:
            for sentence in self._sentences(outcome.report, key):
                for line in paragraph(sentence):
                    report_line(self.out, line)
        return exit_code([outcome])

    def _undone(self) -> str:
        if self.watched.perhaps_sent:
            return f"The test message may or may not have been sent; its code is {self.code}."
        return "No message was sent."

    async def _check(self, secret: Secret | None, transcript: Transcript) -> CheckOutcome:
        return await observed(
            lambda emit: self._send(secret, emit),
            self.account.connection.endpoint,
            shown(self.account.name),
            self.watch,
            live_reader(self.out, transcript, shown(self.account.name)),
            self.watched,
        )

    async def _send(self, secret: Secret | None, emit: Emit) -> Report:
        return await self.invocation.services.checks.check_account(
            self.account, secret, Depth.SEND, emit, to=self.to, options=self.connection, token=self.code
        )

    def _practice_key(self) -> str | None:
        """Return how the practice mailbox calls the message, None where it is none or has not arrived there."""
        if self.account.connection.sandbox is None:
            return None
        from smtp_wizard.engine.sandbox import mailbox

        found = mailbox.messages(self.invocation.folder / PRACTICE_FOLDER)
        return next((each.key for each in found if self.code in each.subject), None)

    def _sentences(self, report: Report, key: str | None) -> list[str]:
        """Say what is known, and what is not."""
        match accepted(report):
            case "yes" if self.account.connection.sandbox is not None:
                where = f"'smtp-wizard sandbox mailbox show {key}' shows it" if key else "it is not in the mailbox yet"
                return [
                    f"The practice server has taken the message for {self.to}; its code is {self.code}. It lies in "
                    f"the practice mailbox on this computer and goes nowhere else: {where}."
                ]
            case "yes":
                return [
                    f"The server has taken the message for {self.to}; its code is {self.code}.",
                    "Not known from here: whether it arrives, and whether as junk. Look for the code in that mailbox, "
                    f"in Junk or Spam too, and for a returned message in the mailbox of {self._sender}.",
                ]
            case "unknown":
                return [f"Nobody can say whether the message was sent: look for its code, {self.code}, first."]
        return ["No message was sent."]

    @property
    def _sender(self) -> Address:
        return self.account.from_address


def accepted(report: Report) -> Accepted:
    """Return whether the server has taken the message: 'yes', 'no', or 'unknown' where its answer was lost."""
    taken = report.result(Stage.DATA)
    if taken is None:
        return "no"
    known: dict[Verdict, Accepted] = {Verdict.PASS: "yes", Verdict.WARN: "yes", Verdict.UNKNOWN: "unknown"}
    return known.get(taken.verdict, "no")
