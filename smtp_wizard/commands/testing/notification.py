"""`test --notify`: what changed, mailed through a saved account; one message an hour at most."""

from __future__ import annotations

import socket
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from smtp_wizard.commands.options.vault import offer_passphrase
from smtp_wizard.engine.accounts.account import Account
from smtp_wizard.engine.base.address import Address
from smtp_wizard.engine.base.shown import shown
from smtp_wizard.engine.base.stages import Verdict
from smtp_wizard.engine.checks.notice_message import NoticeText
from smtp_wizard.engine.checks.report import Report
from smtp_wizard.runtime.exit_codes import CommandError, Exit
from smtp_wizard.runtime.expected_errors import EXPECTED_ERRORS
from smtp_wizard.runtime.running import Stopwatch, run

if TYPE_CHECKING:
    from smtp_wizard.commands.invocation import Invocation

UNSURE = "The message about what changed may or may not have been sent."
APART = timedelta(hours=1)
"""Between two messages at least; what comes within is collected and sent with the next."""


class Notification:
    """Mails changes under the name of a comparison."""

    def __init__(self, invocation: Invocation, account: Account, to: Address, name: str, watch: Stopwatch) -> None:
        self._invocation = invocation
        self._account = account
        self._to = to
        self._name = name
        self._watch = watch
        self._kept = invocation.saved_accounts.state.notifications

    def open_vault(self) -> None:
        """Open the vault where the account needs it. Raises `SecretError`."""
        offer_passphrase(self._invocation, self._account.store)

    def tell(self, lines: Sequence[str], now: datetime) -> Exit:
        """Mail the lines with those that wait, or let them wait; return `Exit.OK` where they need not be told again."""
        if not self._is_due(now):
            if lines:
                self._kept.wait(self._name, lines, now)
            return Exit.OK
        newest = self._kept.newest(self._name)  # what another run lets wait from now on is not deleted with the rest
        every = [*self._kept.waiting(self._name), *lines]
        return self._mailed(every, newest, now) if every else Exit.OK

    def _mailed(self, lines: Sequence[str], newest: int, now: datetime) -> Exit:
        self._watch.release()
        before = self._kept.last(self._name)
        # Kept before it is sent: where that cannot be, each run would send one.
        if not self._kept.begin(self._name, now, self._watch.time_to_keep()):
            self._complain("is not sent: at most one goes out an hour, and when this one does could not be kept")
            return Exit.SECRET
        if trouble := self._sent(lines):
            self._kept.failed(self._name, before)
            self._complain(f"could not be sent through '{self._account.name}': {trouble}")
            return Exit.FAILED
        self._kept.sent(self._name, newest)
        return Exit.OK

    def _complain(self, words: str) -> None:
        told = f"smtp-wizard: the message about what changed {words}. It is told again next time."
        self._invocation.out.narrate(told)

    def _is_due(self, now: datetime) -> bool:
        last = self._kept.last(self._name)
        # A clock that was set back makes nobody wait longer.
        return last is None or not last <= now < last + APART

    def _sent(self, lines: Sequence[str]) -> str:
        """Send one message; return why it was not taken, '' where it was."""
        left_out = self._kept.left_out(self._name)
        note = [f"Left out before these, as too many or too old: {_changes(left_out)}."]
        subject = f"smtp-wizard on {shown(socket.gethostname(), 60)}: {_changes(left_out + len(lines))}"
        text = NoticeText(subject=subject, lines=(*(note if left_out else ()), *lines))
        try:
            report = run(self._send(text), self._watch, lambda: UNSURE)
        except (*EXPECTED_ERRORS, CommandError, TimeoutError) as problem:
            return str(problem).rstrip(".") or "the time allowed was up"
        if report.verdict in (Verdict.PASS, Verdict.WARN):
            return ""
        return next((finding.title for finding in report.findings), "nobody knows why")

    async def _send(self, text: NoticeText) -> Report:
        services = self._invocation.services
        async with self._watch.bound():
            secret = await services.entries.secret_of(self._account)
            return await services.checks.send_notice(self._account, secret, self._to, text)


def _changes(number: int) -> str:
    return "1 change" if number == 1 else f"{number:,} changes"
