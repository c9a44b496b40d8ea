"""`send`: sends the test message of a saved account, and says what is known of it then and what is not."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import click

from smtp_wizard.commands.check_run import Transcript, exit_code, live_reader, observed, report_line
from smtp_wizard.commands.command_with_examples import CommandWithExamples
from smtp_wizard.commands.faults import known_fault, next_steps
from smtp_wizard.commands.invocation import Invocation
from smtp_wizard.commands.options.arrival_search import ArrivalFound, ArrivalSearch
from smtp_wizard.commands.options.connection import (
    ConnectionOptions,
    connection_from,
    connection_options,
    missing_answers,
    parsed_by,
    sign_in_option,
)
from smtp_wizard.commands.options.mailbox import imap_option
from smtp_wizard.commands.options.passwords import PasswordSource, password_options, taken_from
from smtp_wizard.commands.options.shell_completion import account_names
from smtp_wizard.commands.options.sign_in import password_of
from smtp_wizard.commands.options.vault import passphrase_options
from smtp_wizard.engine.accounts.account import Account
from smtp_wizard.engine.base.address import Address
from smtp_wizard.engine.base.errors import ShownError
from smtp_wizard.engine.base.secret import Secret
from smtp_wizard.engine.base.shown import NO_WORDS, phrase, shown
from smtp_wizard.engine.base.stages import Depth
from smtp_wizard.engine.checks.events import Emit, Event, StageFinished
from smtp_wizard.engine.checks.progress import CheckProgress
from smtp_wizard.engine.checks.recipient import refuse_own_mailbox
from smtp_wizard.engine.checks.report import Report
from smtp_wizard.engine.checks.test_message import new_token
from smtp_wizard.engine.services.checks import PRACTICE_FOLDER
from smtp_wizard.flows.accounts.arrival import (
    ArrivalActions,
    ConfirmArrival,
    RehearseBounce,
    accepted,
    refused_at_once,
    refuses_nobody,
)
from smtp_wizard.flows.question import Answer
from smtp_wizard.output.check_outcome import CheckOutcome
from smtp_wizard.output.plain_lines import paragraph
from smtp_wizard.runtime.exit_codes import CommandError, Exit
from smtp_wizard.runtime.output import Form
from smtp_wizard.runtime.questions import can_ask
from smtp_wizard.runtime.questions import confirm as confirmed
from smtp_wizard.runtime.running import Stopwatch, run, run_bounded
from smtp_wizard.text.areas.arrivals import NOT_SENT, REFUSED_AT_ONCE

if TYPE_CHECKING:
    from smtp_wizard.engine.base.endpoint import Endpoint


@click.command("send", cls=CommandWithExamples)
@click.argument("account", shell_complete=account_names)
@click.option("--to", metavar="ADDR", callback=parsed_by(Address.parse), help="The recipient's address.")
@click.option(
    "--confirm", is_flag=True, help="Read the mailbox afterwards: the copy in Sent, and where the message arrived."
)
@click.option(
    "--rehearse-bounce", is_flag=True, help="Send to an address that does not exist, and wait for the bounce."
)
@click.option(
    "--wait",
    default="60",
    metavar="SECONDS",
    type=click.IntRange(1, 900),
    show_default=True,
    help="Wait this long for it.",
)
@click.option("--yes", is_flag=True, help="Do not ask before sending the message that bounces.")
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
    to: Address | None,
    confirm: bool,
    rehearse_bounce: bool,
    wait: int,
    yes: bool,
    imap: Endpoint | None,
    **given: Any,
) -> int:
    """Send a test message from ACCOUNT, and report whether the server accepted it.

    --confirm reads your mailbox afterwards: is there a copy in Sent, and, if the recipient is one of your accounts, did
    the message arrive in the inbox or in Junk? --rehearse-bounce sends to an address that does not exist, at your own
    domain or that of --to, to show you where bounces arrive.
    """
    given.pop("_json")
    source, connection = taken_from(given), connection_from(given)
    chosen = invocation.saved_accounts.get(account)
    looking = ArrivalSearch(confirm=confirm, rehearse=rehearse_bounce, patience=timedelta(seconds=wait), imap=imap)
    if rehearse_bounce and confirm:
        raise click.UsageError("Only one of --confirm and --rehearse-bounce can be used.")
    action = _action(invocation, chosen, to, looking, connection, agreed=yes)
    if isinstance(action, RehearseBounce):
        to = action.to
        _ask_before(invocation, action)
    if to is None:
        raise missing_answers(["--to"])
    refuse_own_mailbox(to, chosen.from_address, chosen.address)
    return _Sending(invocation, chosen, to, source, connection, looking, action).run()


def _action(
    invocation: Invocation,
    account: Account,
    to: Address | None,
    looking: ArrivalSearch,
    connection: ConnectionOptions,
    *,
    agreed: bool,
) -> ConfirmArrival | RehearseBounce | None:
    """Return what sends the message and looks for it; None where nothing is looked for."""
    services = invocation.services
    made = ArrivalActions(
        checks=services.checks,
        arrivals=services.arrivals,
        entries=services.entries,
        vault=services.stores.vault,
        catalog=services.catalog,
    )
    how: dict[str, Any] = {
        "code": new_token(),
        "agreed": agreed,
        "asks": False,
        "named": looking.imap,
        "options": connection,
        "patience": looking.patience,
    }
    if looking.confirm:
        return ConfirmArrival(account, made, to=to, **how)
    return RehearseBounce(account, made, near=to, **how) if looking.rehearse else None


def _ask_before(invocation: Invocation, action: RehearseBounce) -> None:
    """Ask what the action asks before the message goes out. Raises `CommandError` without a yes."""
    asked = action.asked_first
    if asked is None:
        return
    if not can_ask():
        raise CommandError("rehearse", shown(asked.lines[0], 300), phrase("Add --yes if that is what you want."))
    for line in asked.lines:
        invocation.out.narrate(line)
    yes = next(each.verb for each in asked.offers if each.id is Answer.DO)
    if not confirmed(f"{yes}?", undone=NOT_SENT):
        raise CommandError("declined", shown(NOT_SENT), exit_code=Exit.FAILED)
    action.agree()


class _Sending:
    """One run of the command."""

    def __init__(
        self,
        invocation: Invocation,
        account: Account,
        to: Address,
        source: PasswordSource,
        connection: ConnectionOptions,
        looking: ArrivalSearch,
        action: ConfirmArrival | RehearseBounce | None,
    ) -> None:
        """`action`: what sends the message, where it is looked for as well."""
        self.invocation = invocation
        self.out = invocation.out
        self.account = account
        self.to = to
        self.source = source
        self.connection = connection
        self.watch = Stopwatch(connection.timeout)
        self.watched = CheckProgress()
        self.looking = looking
        self.action = action
        self.code = action.code if action is not None else new_token()
        """The word in the subject by which this message is found."""
        self.sent = False
        """Whether the server has taken it."""

    def run(self) -> int:
        secret = password_of(self.invocation, self.account, self.source, self.watch, self._undone)
        with Transcript(self.connection, self.out) as transcript:
            outcome = run(self._check(secret, transcript), self.watch, self._undone)
        key, taken = self._practice_key(), accepted(outcome.report)
        if self.out.form is not Form.JSON:
            self._tell(self._sentences(outcome.report, key))
        self.sent = taken == "yes"
        found = self._found() if self.sent else ArrivalFound()
        if self.out.form is Form.JSON:
            from smtp_wizard.output.documents.checks import ResultJson, Sent

            results = (ResultJson.of(outcome),)
            self.out.document(
                Sent(str(self.to), self.code, taken, key, results, *found.document(str(self.to)), found.reason)
            )
        else:
            self._tell(found.sentences(shown(str(self.to), 100)))
        if found.unread is not None:
            self._narrate(next_steps(found.unread))
        if self.looking.rehearse and refused_at_once(outcome.report):
            return Exit.OK
        return exit_code([outcome]) if not found.lost else Exit.FAILED

    def _tell(self, sentences: Iterable[str]) -> None:
        for sentence in sentences:
            for line in paragraph(sentence):
                report_line(self.out, line)

    def _found(self) -> ArrivalFound:
        """Look into the mailbox; what goes wrong there takes nothing back of what is known of the message."""
        try:
            return self._looked_for()
        except ShownError as problem:
            trouble = problem.words
            known = known_fault(problem)
            hint, how = known.hint if known is not None else NO_WORDS, "The mailbox was not looked into"
        except CommandError as problem:  # the time is up
            trouble, hint, how = problem.message, problem.hint, "Nothing was found in the mailbox so far"
        self._narrate(f"{how}: {trouble}", hint)
        return ArrivalFound(trouble=trouble)

    def _narrate(self, *sentences: str) -> None:
        """Write sentences beside the result."""
        for line in (line for each in sentences if each for line in paragraph(each)):
            self.out.narrate(line)

    def _looked_for(self) -> ArrivalFound:
        """Look into the mailbox, where that is wanted. Raises `ShownError`, `CommandError`."""
        if self.action is None:
            return ArrivalFound()
        done = run_bounded(self.action.begin(), self.watch, self._undone)
        if done is not None and done.problem is not None:
            raise done.problem
        if isinstance(self.action, ConfirmArrival):
            return ArrivalFound(confirmation=self.action.confirmation)
        return ArrivalFound(rehearsal=self.action.rehearsal)

    def _undone(self) -> str:
        if self.sent or self.watched.sent:
            return f"The message was sent; its code is {self.code}. Look for it yourself."
        if self.watched.perhaps_sent:
            return f"The test message may or may not have been sent; its code is {self.code}."
        return "No message was sent."

    async def _check(self, secret: Secret | None, transcript: Transcript) -> CheckOutcome:
        return await observed(
            lambda emit: self._send(secret, emit),
            self.account.connection.endpoint,
            self.account.name,
            self.watch,
            self._reader(transcript),
            self.watched,
        )

    def _reader(self, transcript: Transcript) -> Emit:
        """Return what shows the check. What the refusal of an address that is made up means is said below it."""
        show = live_reader(self.out, transcript, self.account.name)
        if not self.looking.rehearse:
            return show

        def take(event: Event) -> None:
            if isinstance(event, StageFinished) and refuses_nobody(event.result):
                event = StageFinished(replace(event.result, finding=None))
            show(event)

        return take

    async def _send(self, secret: Secret | None, emit: Emit) -> Report:
        if self.action is not None:
            return await self.action.send(secret, self.to, emit)
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
            case "yes" if self.looking.wanted:
                return [f"The server has taken the message for {self.to}; its code is {self.code}."]
            case "yes":
                return [
                    f"The server has taken the message for {self.to}; its code is {self.code}.",
                    "Not known from here: whether it arrives, and whether as junk. Look for the code in that mailbox, "
                    f"in Junk or Spam too, and for a returned message in the mailbox of {self._sender}.",
                ]
            case "unknown":
                return [f"Nobody can say whether the message was sent: look for its code, {self.code}, first."]
            case _ if self.looking.rehearse and refused_at_once(report):
                return [f"{REFUSED_AT_ONCE} --to with one of its addresses takes that domain."]
        return ["No message was sent."]

    @property
    def _sender(self) -> Address:
        return self.account.from_address
