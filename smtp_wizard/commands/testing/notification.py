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
from smtp_wizard.runtime.exit_codes import CommandError
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

    def tell(self, lines: Sequence[str], now: datetime) -> bool:
        """Mail the lines with those that wait, or let them wait; return whether they need not be told again."""
        lines = [*self._kept.waiting(self._name), *lines] if self._is_due(now) else lines
        if not lines:
            return True
        if not self._is_due(now):
            self._kept.wait(self._name, lines, now)
            return True
        if trouble := self._sent(lines):
            self._invocation.out.narrate(
                f"smtp-wizard: the message about what changed could not be sent through '{self._account.name}': "
                f"{trouble}. It is told again next time."
            )
            return False
        self._kept.sent(self._name, now)
        return True

    def _is_due(self, now: datetime) -> bool:
        last = self._kept.last(self._name)
        # A clock that was set back makes nobody wait longer.
        return last is None or not last <= now < last + APART

    def _sent(self, lines: Sequence[str]) -> str:
        """Send one message; return why it was not taken, '' where it was."""
        number = "1 change" if len(lines) == 1 else f"{len(lines)} changes"
        subject = f"smtp-wizard on {shown(socket.gethostname(), 60)}: {number}"
        text = NoticeText(subject=subject, lines=tuple(lines))
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
