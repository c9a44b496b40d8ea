"""One message of an account, and what becomes of it: its copy in Sent and where it arrives, or how it comes back.

Whoever was asked for a yes sends one message, and no second one: what is asked in the midst (the vault's passphrase, a
sign-in that may lock the account) goes on where it was.
"""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass, replace
from datetime import timedelta
from enum import StrEnum
from typing import Any, Literal

from smtp_wizard.engine.accounts.account import Account
from smtp_wizard.engine.accounts.guarded_sign_in import PAUSED, paused
from smtp_wizard.engine.accounts.secret_entries import SecretEntries
from smtp_wizard.engine.base.address import Address
from smtp_wizard.engine.base.endpoint import Endpoint
from smtp_wizard.engine.base.errors import InputError
from smtp_wizard.engine.base.secret import Secret
from smtp_wizard.engine.base.shown import shown
from smtp_wizard.engine.base.stages import Depth, Stage, Verdict
from smtp_wizard.engine.checks.events import Emit, Event
from smtp_wizard.engine.checks.progress import CheckProgress
from smtp_wizard.engine.checks.recipient import refuse_own_mailbox
from smtp_wizard.engine.checks.report import CheckResult, Report
from smtp_wizard.engine.checks.test_message import new_token
from smtp_wizard.engine.diagnosis.finding import Finding
from smtp_wizard.engine.mailbox.findings import MailboxError
from smtp_wizard.engine.mailbox.rehearsals import nobodys_mailbox
from smtp_wizard.engine.providers.catalog import Catalog
from smtp_wizard.engine.secrets.vault import VaultStore
from smtp_wizard.engine.services.arrivals import PATIENCE, Arrivals, Confirmation, Rehearsal
from smtp_wizard.engine.services.check_options import CheckOptions
from smtp_wizard.engine.services.checks import Checks
from smtp_wizard.flows.accounts.action import LEFT, Action, ActionResult, QuestionNeeded, anyway_question
from smtp_wizard.flows.accounts.arrival_questions import (
    look_question,
    recipient_question,
    rehearse_question,
    wait_question,
)
from smtp_wizard.flows.accounts.password import LACKING
from smtp_wizard.flows.question import Answer, Question, Topic
from smtp_wizard.runtime.expected_errors import EXPECTED_ERRORS
from smtp_wizard.text.accounts import CONFIRM_TITLE, REHEARSE_TITLE
from smtp_wizard.text.areas import arrivals as words
from smtp_wizard.text.areas.on_screens import on_screens

Accepted = Literal["yes", "no", "unknown"]
"""Whether the server has taken a message; 'unknown' where its answer was lost."""


def accepted(report: Report) -> Accepted:
    """Return whether the server has taken the message: 'yes', 'no', or 'unknown' where its answer was lost."""
    taken = report.result(Stage.DATA)
    if taken is None:
        return "no"
    known: dict[Verdict, Accepted] = {Verdict.PASS: "yes", Verdict.WARN: "yes", Verdict.UNKNOWN: "unknown"}
    return known.get(taken.verdict, "no")


def nobodys_address(near: Address, code: str) -> Address:
    """Return an address that is nobody's, of the same domain: a random word is in it."""
    return Address(nobodys_mailbox(code), near.domain)


def refused_at_once(report: Report) -> bool:
    """Whether the server has refused the recipient for good, so that no message went out that could come back."""
    result = report.result(Stage.RCPT)
    return result is not None and refuses_nobody(result)


def refuses_nobody(result: CheckResult) -> bool:
    """Whether an address was refused because it is nobody's. A server may refuse it for any other reason, which is a
    fault of the account's; and for now, which says nothing (RFC 5321 section 4.2.1).
    """
    why = result.finding if result.stage is Stage.RCPT and result.verdict is Verdict.FAIL else None
    return why is not None and why.code == "recipient_rejected" and not why.server_said.startswith("4")


@dataclass(frozen=True, slots=True, kw_only=True)
class SentMessage:
    """A message that went out already: where it went, and the word by which it is found."""

    to: Address
    code: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ArrivalActions:
    """Makes the two actions, for whoever offers them."""

    checks: Checks
    arrivals: Arrivals
    entries: SecretEntries
    vault: VaultStore
    catalog: Catalog

    def confirm(
        self, account: Account, *, secret: Secret | None = None, sent: SentMessage | None = None
    ) -> ConfirmArrival:
        """Return the action that looks for a message: for `sent`, else for one that it sends."""
        return ConfirmArrival(account, self, secret=secret, sent=sent)

    def rehearse(self, account: Account, *, secret: Secret | None = None, keep: bool = True) -> RehearseBounce:
        """Return the action that has a message come back. `keep`: as for `MessageAction`."""
        return RehearseBounce(account, self, secret=secret, keep=keep)


class MessageAction(Action):
    """Sends one message of an account, at most, and looks what becomes of it."""

    def __init__(
        self,
        title: str,
        account: Account,
        services: ArrivalActions,
        *,
        secret: Secret | None,
        code: str = "",
        named: Endpoint | None = None,
        options: CheckOptions | None = None,
        patience: timedelta = PATIENCE,
        keep: bool = True,
        asks: bool = True,
    ) -> None:
        """`secret`: what it signs in with, where that is at hand. `named`: its IMAP server, as the person named it.

        `code`: the word of the message; '' has one made. `patience`: how long it is looked for. `keep`:
        whether the result of sending is kept with the account, which is saved then. `asks`: whether somebody can be
        asked about a sign-in that may lock the account; else it is as `options` say.
        """
        super().__init__(title, services.vault)
        self.account = account
        self.code = code or new_token()
        """The word in the subject by which the message is found."""
        self.report: Report | None = None
        """How sending came out; None while nothing was sent."""
        self.came_to_an_end = False
        """Whether it was done, and not left or held back before that."""
        self._title = title
        self._services = services
        self._typed = secret
        self._named = named
        self._options = options or CheckOptions()
        self._patience = patience
        self._keep = keep
        self._anyway_unasked = None if asks else options is not None and options.ignore_lockout
        self._anyway: bool | None = self._anyway_unasked
        self._progress = CheckProgress()
        """How far sending has come."""

    async def _do(self) -> ActionResult:
        to = self._recipient()
        secret = self._typed or await self._kept_or_typed(self.account, self._services.entries, None)
        if not self._went_out:
            report = await self._sent(secret, to)
            if accepted(report) != "yes":
                return self._not_sent(report)
        self._show_running(self._looking)
        try:
            done = await self._looked(secret, to)
        except MailboxError as problem:
            if problem.finding.code == PAUSED and self._anyway is None:
                raise QuestionNeeded(anyway_question(self._title, problem.finding)) from None
            return self._not_read(problem)
        except EXPECTED_ERRORS as problem:
            return self._not_read(problem)
        self.came_to_an_end = True
        return done

    def _not_read(self, problem: Exception) -> ActionResult:
        """What goes wrong in a mailbox takes nothing back of what is known of the message."""
        name = self.account.name
        return ActionResult(said=self.so_far, trouble=str(problem), name=name, report=self.report, problem=problem)

    @abstractmethod
    def _recipient(self) -> Address:
        """Return where the message goes. Raises `QuestionNeeded` while the person has not said that it may."""

    @abstractmethod
    async def _looked(self, secret: Secret | None, to: Address) -> ActionResult:
        """Look what became of it. Raises what `Arrivals` does, and `QuestionNeeded`."""

    @abstractmethod
    def _look_question(self) -> Question:
        """Return the question whether to look for a message that went out, though it was stopped."""

    @property
    def _looking(self) -> str:
        """What is said while it is looked for."""
        return words.looking_words(self.account.name)

    @property
    def _envelope_id(self) -> str:
        """What the server is to name in what it sends back (RFC 3461 section 4.4); '' where nothing is to come back."""
        return ""

    @property
    def _accepted(self) -> Accepted:
        """Whether the server has taken the message, as far as anybody can tell: also where sending was stopped."""
        if self.report is not None:
            return accepted(self.report)
        return "yes" if self._progress.sent else "unknown" if self._progress.perhaps_sent else "no"

    @property
    def _went_out(self) -> bool:
        """Whether it was sent, as far as anybody can tell: then it is looked for, and never sent again."""
        return self._accepted != "no"

    @property
    def so_far(self) -> str:
        """As `Action.so_far`: what is known of the message."""
        return {"yes": words.TAKEN, "unknown": words.PERHAPS_SENT, "no": ""}[self._accepted]

    def _leaving(self) -> ActionResult:
        if not self.so_far:
            return LEFT
        return ActionResult(said=self.so_far, name=self.account.name, report=self.report)

    def _stopped(self, before: Question) -> Question:
        """As `Action._stopped`: once the message went out, nobody is asked whether it may."""
        if not self.so_far:
            return before
        self._anyway = self._anyway_unasked  # that yes was for what was stopped
        return self._look_question()

    @property
    def _said(self) -> CheckOptions:
        return replace(self._options, ignore_lockout=True) if self._anyway else self._options

    async def _sent(self, secret: Secret | None, to: Address) -> Report:
        report = await self.send(secret, to, self._watch(words.sending_words(shown(str(to), 100))))
        why = paused(report)
        if why is not None and self._anyway is None:
            self.report = None  # nothing was tried
            raise QuestionNeeded(anyway_question(self._title, why))
        return report

    async def send(self, secret: Secret | None, to: Address, emit: Emit) -> Report:
        """Send the message, and nothing else; whoever goes through the action then looks for it. Raises as `Checks`."""
        self._typed, self._progress = secret, CheckProgress()

        def take(event: Event) -> None:
            self._progress.take(event)
            emit(event)

        self.report = await self._services.checks.check_account(
            self.account,
            secret,
            Depth.SEND,
            take,
            to=to,
            options=self._said,
            token=self.code,
            keep=self._keep,
            envelope_id=self._envelope_id,
        )
        return self.report

    def _not_sent(self, report: Report) -> ActionResult:
        finding: Finding | None = next(iter(report.findings), None)
        why = f"{finding.title}. {on_screens(finding.explanation)}" if finding is not None else words.NO_REASON
        lost = words.PERHAPS_SENT if accepted(report) == "unknown" else words.NOT_SENT
        return ActionResult(trouble=f"{lost} {why}", name=self.account.name, report=report)

    def _answered(self, offer: StrEnum) -> ActionResult | None:
        if self.state.about is Topic.LOCKOUT:
            self._anyway = offer is Answer.DO
            return None if self._anyway else self._not_tried()
        if offer is Answer.DO and self.state.about is Topic.PASSWORD:
            typed = self._secret(0)
            if not typed:
                raise InputError(LACKING)
            self._typed = self._services.catalog.tidied(self.account.connection, typed)
        return super()._answered(offer)

    def _not_tried(self) -> ActionResult:
        """Return what came of it where nobody signs in now."""
        return ActionResult(said=self.so_far or words.LEFT_ALONE, name=self.account.name, report=self.report)


class ConfirmArrival(MessageAction):
    """Looks for a message in Sent and, where it went to an account of the person's own, in that mailbox."""

    def __init__(
        self,
        account: Account,
        services: ArrivalActions,
        *,
        secret: Secret | None = None,
        sent: SentMessage | None = None,
        to: Address | None = None,
        code: str = "",
        agreed: bool = False,
        **how: Any,
    ) -> None:
        """`sent`: a message that went out already; else one is sent to `to`, which is asked for where it is None.

        `agreed`: the yes to reading the mailbox for it was given.
        `code` and `how`: as for `MessageAction`.
        """
        title = words.CONFIRM_SENT_TITLE if sent is not None else CONFIRM_TITLE
        super().__init__(title, account, services, secret=secret, code=sent.code if sent is not None else code, **how)
        self.confirmation: Confirmation | None = None
        """What was found."""
        self._message = sent
        self._to = to
        self._agreed = agreed or sent is None

    @property
    def _went_out(self) -> bool:
        return self._message is not None or super()._went_out

    def _recipient(self) -> Address:
        if self._message is not None:
            if not self._agreed:
                raise QuestionNeeded(look_question(self._title, self.account))
            return self._message.to
        if self._to is None:
            raise QuestionNeeded(recipient_question(self._title))
        return self._to

    async def _looked(self, secret: Secret | None, to: Address) -> ActionResult:
        found = self.confirmation = await self._services.arrivals.confirm(
            self.account, secret, to, self.code, named=self._named, options=self._said, patience=self._patience
        )
        if found.paused is not None and self._anyway is None:
            asked = anyway_question(self._title, found.paused)
            whose = words.not_read_words(found.paused_whose or self.account.name)
            raise QuestionNeeded(replace(asked, lines=(whose, *asked.lines)))
        return self._told(found)

    def _told(self, found: Confirmation) -> ActionResult:
        told = " ".join(map(on_screens, words.confirmation_lines(found)))
        if found.bounce is not None:
            return ActionResult(trouble=told, name=self.account.name, report=self.report)
        return ActionResult(said=told, name=self.account.name, report=self.report)

    def _not_tried(self) -> ActionResult:
        """What was found in the mailbox that was read is told all the same."""
        return self._told(self.confirmation) if self.confirmation is not None else super()._not_tried()

    def _look_question(self) -> Question:
        return look_question(self._title, self.account, self.so_far)

    def _answered(self, offer: StrEnum) -> ActionResult | None:
        if offer is Answer.DO and self.state.about is Topic.RECIPIENT:
            to = Address.parse(self.state.entries[0].text)
            refuse_own_mailbox(to, self.account.from_address, self.account.address)
            self._to = to
        elif offer is Answer.DO and self.state.about is Topic.LOOK:
            self._agreed = True
        return super()._answered(offer)


class RehearseBounce(MessageAction):
    """After a yes, sends one message to an address that is nobody's, and waits for it to come back."""

    def __init__(
        self,
        account: Account,
        services: ArrivalActions,
        *,
        secret: Secret | None = None,
        near: Address | None = None,
        code: str = "",
        agreed: bool = False,
        **how: Any,
    ) -> None:
        """`near`: an address of the domain that refuses it; None: of the account's own. `agreed`: the yes was given.

        `code` and `how`: as for `MessageAction`.
        """
        # A refusal of that address says nothing of the account.
        super().__init__(REHEARSE_TITLE, account, services, secret=secret, code=code, **{**how, "keep": False})
        self.to = nobodys_address(near or account.from_address, self.code)
        """Where the message goes."""
        self.rehearsal: Rehearsal | None = None
        """What came back."""
        self._agreed = agreed

    @property
    def asked_first(self) -> Question | None:
        """What is asked before the message goes out; None once that was agreed to."""
        return None if self._agreed else rehearse_question(self.to)

    def agree(self) -> None:
        """Take the yes to that question, for a face that asks it before it begins."""
        self._agreed = True

    @property
    def _envelope_id(self) -> str:
        return self.code

    @property
    def _looking(self) -> str:
        return words.waiting_words(round(self._patience.total_seconds()))

    def _recipient(self) -> Address:
        if (asked := self.asked_first) is not None:
            raise QuestionNeeded(asked)
        return self.to

    def _look_question(self) -> Question:
        return wait_question(self._title, self.so_far)

    def _not_sent(self, report: Report) -> ActionResult:
        if refused_at_once(report):
            self.came_to_an_end = True
            return ActionResult(said=words.REFUSED_AT_ONCE, name=self.account.name)
        return super()._not_sent(report)

    async def _looked(self, secret: Secret | None, to: Address) -> ActionResult:
        found = self.rehearsal = await self._services.arrivals.rehearse(
            self.account, secret, self.code, named=self._named, options=self._said, patience=self._patience
        )
        told = " ".join(map(on_screens, words.rehearsal_lines(found, shown(str(to), 100))))
        said, trouble = (told, "") if found.settled else ("", told)
        return ActionResult(said=said, trouble=trouble, name=self.account.name, report=self.report)

    def _answered(self, offer: StrEnum) -> ActionResult | None:
        if offer is Answer.DO and self.state.about is Topic.REHEARSAL:
            self.agree()
        return super()._answered(offer)
