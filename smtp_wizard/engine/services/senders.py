"""Which addresses an account may send as: in the envelope, without a message; in From, by one to oneself."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from smtp_wizard.engine.accounts.account import Account
from smtp_wizard.engine.base.address import Address, AddressError
from smtp_wizard.engine.base.endpoint import Endpoint
from smtp_wizard.engine.base.secret import Secret
from smtp_wizard.engine.base.shown import NO_WORDS, Shown, phrase, shown
from smtp_wizard.engine.base.stages import Verdict
from smtp_wizard.engine.base.threads import in_thread
from smtp_wizard.engine.checks.events import Emit
from smtp_wizard.engine.checks.report import Report
from smtp_wizard.engine.checks.sender_matrix import (
    Envelope,
    FromField,
    SenderKind,
    SenderRow,
    envelope_of,
    from_of,
    rewritten_finding,
)
from smtp_wizard.engine.checks.sender_trials import SenderTrial
from smtp_wizard.engine.checks.target import Mail
from smtp_wizard.engine.diagnosis.finding import Finding
from smtp_wizard.engine.lazy_dataclass import dataclass
from smtp_wizard.engine.mailbox.faults import SoughtMail
from smtp_wizard.engine.mailbox.findings import MailboxError
from smtp_wizard.engine.oauth.errors import OAuthError
from smtp_wizard.engine.providers.catalog import Catalog
from smtp_wizard.engine.secrets.secret_store import SecretError
from smtp_wizard.engine.services.check_options import CheckOptions
from smtp_wizard.engine.services.checks import Checks
from smtp_wizard.engine.services.mailboxes import Mailboxes

if TYPE_CHECKING:
    from smtp_wizard.engine.mailbox.imap_session import ImapSession
    from smtp_wizard.engine.providers.sender_rules import SenderRule

MOST_TRIED = 8
"""Addresses that a person may name: servers hang up on who is refused often."""
PATIENCE = timedelta(seconds=20)
"""How long messages to oneself are waited for."""
PAUSES = (0.5, 1.0, 2.0)
"""Seconds between two looks; the last one again and again."""
_NOWHERE = ("example.net", "example.org")
"""Domains that are nobody's, for ever (RFC 2606 section 3); the one that is not the account's is taken."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SenderMatrix:
    """What is known of the senders of an account."""

    report: Report
    """Of the last sign-in. Where it failed, nothing was tried."""
    rows: tuple[SenderRow, ...]
    by_messages: bool = False
    """Whether messages were tried, and not the envelope alone."""
    sent: int = 0
    """Messages that the server took."""
    trouble: Shown = NO_WORDS
    """Why it was not seen how they arrived, in a sentence; '' where it was, or none was sent."""
    unread: Finding | None = None
    """The same with what helps, where the mailbox could not be read."""

    @property
    def signed_in(self) -> bool:
        """Whether anything could be tried."""
        return self.report.verdict in (Verdict.PASS, Verdict.WARN)

    @property
    def failed(self) -> bool:
        """Whether an address that is somebody's may not send, or it could not be told whether it may.

        What becomes of From is asked only where messages were tried.
        """
        real = [row for row in self.rows if not row.kind.made_up]
        unseen = self.by_messages and any(row.from_field is FromField.UNKNOWN for row in real)
        return not self.signed_in or unseen or any(not (row.good and row.known) for row in real)

    @property
    def wanting(self) -> tuple[SenderRow, ...]:
        """The addresses of which only a message tells what becomes of From."""
        return tuple(row for row in self.rows if not row.kind.made_up and row.from_field is FromField.UNKNOWN)


class Senders:
    """Tries which addresses an account may send as."""

    def __init__(
        self,
        *,
        catalog: Catalog,
        checks: Checks,
        mailboxes: Mailboxes,
        practice: Path,
        now: Callable[[], datetime],
        pause: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        """`practice`: the folder of the practice server's mailbox. `pause` waits for so many seconds."""
        self._catalog = catalog
        self._checks = checks
        self._mailboxes = mailboxes
        self._practice = practice
        self._now = now
        self._pause = pause

    async def try_envelopes(
        self,
        account: Account,
        secret: Secret | None,
        named: Sequence[Address],
        emit: Emit,
        *,
        options: CheckOptions | None = None,
    ) -> SenderMatrix:
        """Try the account's own addresses, those that are named, and two made-up ones, as senders of the envelope.

        No message is sent. Raises as `Checks.check_draft`.
        """
        from smtp_wizard.engine.checks.test_message import new_token

        rows = list(candidates(account, named))
        trials = [SenderTrial(self._mail(account, row.address, row.address, new_token())) for row in rows]
        report, tried = await self._checks.try_senders(account, secret, trials, emit, options=options)
        advised = await self._advised(account)
        for at, each in enumerate(tried):
            envelope, finding = envelope_of(each, tried)
            refused = envelope is Envelope.REFUSED
            rows[at] = replace(rows[at], envelope=envelope, finding=advised(finding) if refused else finding)
        return SenderMatrix(report=report, rows=tuple(rows))

    async def try_messages(
        self,
        account: Account,
        secret: Secret | None,
        matrix: SenderMatrix,
        emit: Emit,
        *,
        named: Endpoint | None = None,
        options: CheckOptions | None = None,
        patience: timedelta | None = None,
    ) -> SenderMatrix:
        """Send one message to oneself from each address that is somebody's, and look what stands in From of it.

        Where an address is not taken in the envelope, the first of somebody's that is goes there in its place.
        `named`: the IMAP server, as the person named it. `patience`: how long messages are waited for; `PATIENCE`,
        where left out. A mailbox that cannot be read is said; raises as `Checks.check_draft`.
        """
        from smtp_wizard.engine.checks.test_message import new_token

        rows = matrix.wanting
        real = (row.address for row in matrix.rows if row.envelope is Envelope.ACCEPTED and not row.kind.made_up)
        fallback = next(real, account.from_address)
        codes = [new_token() for _ in rows]
        trials = [
            SenderTrial(self._mail(account, _envelope_for(row, fallback), row.address, code), send=True)
            for row, code in zip(rows, codes, strict=True)
        ]
        report, tried = await self._checks.try_senders(account, secret, trials, emit, options=options)
        advised = await self._advised(account)
        judged = dict[Address, SenderRow]()
        for row, code, each in zip(rows, codes, tried, strict=False):  # it may have ended early
            found, finding = from_of(each, tried)
            taken = found is FromField.ACCEPTED
            kept = row.finding or (advised(finding) if found is FromField.REFUSED else finding)
            judged[row.address] = replace(
                row, from_field=found, finding=kept, code=code if taken else "", not_taken=not taken
            )
        sent = {row.code: row for row in judged.values() if row.code}
        seen, trouble, unread = await self._seen(
            account, secret, sent, named, options, PATIENCE if patience is None else patience
        )
        server = shown(account.connection.endpoint.host, 100)
        for code, row in sent.items():
            judged[row.address] = _as_arrived(row, seen.get(code), server, advised)
        found_rows = tuple(judged.get(row.address, row) for row in matrix.rows)
        return SenderMatrix(
            report=report, rows=found_rows, by_messages=True, sent=len(sent), trouble=trouble, unread=unread
        )

    # -- the messages -----------------------------------------------------------------------------------------------

    def _mail(self, account: Account, envelope: Address, sender: Address, code: str) -> Mail:
        """Write a message to oneself. Raises `InputError`."""
        from smtp_wizard.engine.checks.test_message import test_message

        content = test_message(
            sender,
            account.address,
            sender_name=account.identity.sender_name,
            reply_to=None,
            company="",
            now=self._now(),
            token=code,
            host_words=account.connection.endpoint.host,
        )
        return Mail(envelope, account.address, content)

    async def _seen(
        self,
        account: Account,
        secret: Secret | None,
        sent: Mapping[str, SenderRow],
        named: Endpoint | None,
        options: CheckOptions | None,
        patience: timedelta,
    ) -> tuple[Mapping[str, str], Shown, Finding | None]:
        """Return what stands in From of the messages that arrived, by code, and why that could not be seen."""
        if not sent:
            return {}, NO_WORDS, None
        if account.connection.sandbox is not None:
            return await in_thread(lambda: self._practised(sent)), NO_WORDS, None
        from smtp_wizard.engine.mailbox.arrival import arrived_from

        day, end = (self._now() - timedelta(days=1)).date(), self._now() + patience

        def look(session: ImapSession) -> dict[str, str]:
            return arrived_from(session, sent, day)

        try:
            opened = self._mailboxes.opened(
                account, secret, named=named, options=options, patience=patience, sought=SoughtMail.MESSAGE
            )
            async with opened as mailbox:
                for number in itertools.count():
                    found = await mailbox.do(look)
                    pause = PAUSES[min(number, len(PAUSES) - 1)]
                    if len(found) == len(sent) or self._now() + timedelta(seconds=pause) > end:
                        return found, NO_WORDS if len(found) == len(sent) else _NOT_THERE, None
                    await self._pause(pause)
        except MailboxError as problem:
            return {}, problem.words, problem.finding
        except (OAuthError, SecretError) as problem:
            return {}, problem.words, None
        raise AssertionError("it counts without end")

    def _practised(self, codes: Iterable[str]) -> Mapping[str, str]:
        """Look into the practice mailbox."""
        from smtp_wizard.engine.mailbox.arrival import sender_in
        from smtp_wizard.engine.sandbox import mailbox

        found = {}
        for code in codes:
            kept = next((each for each in mailbox.messages(self._practice) if code in each.subject.split()), None)
            if kept is not None:
                field = mailbox.read(self._practice, kept.key).head.get("from")
                found[code] = sender_in(
                    f"From: {field}\n\n".encode("latin-1", "replace")
                )  # a character is an octet there
        return found

    # -- what to change ---------------------------------------------------------------------------------------------

    async def _advised(self, account: Account) -> Callable[[Finding | None], Finding | None]:
        """Return what puts the provider's own way to another sender in the place of general steps."""
        from smtp_wizard.engine.providers.sender_rules import load_sender_rules

        rule = (await in_thread(load_sender_rules)).get(account.connection.provider or "")
        return lambda finding: with_rule(finding, rule)


def with_rule(finding: Finding | None, rule: SenderRule | None) -> Finding | None:
    """Return a finding about a sender with what its provider says of it."""
    if finding is None or rule is None:
        return finding
    source = phrase("That is what {} says ({}).", shown(rule.source.title, 200), shown(rule.as_of))
    return replace(finding, steps=(*rule.steps, source, phrase("Try it again after that.")))


_NOT_THERE = phrase("Not all of the messages have arrived yet. Look for them in your mailbox, also in Junk.")


def candidates(account: Account, named: Sequence[Address]) -> Iterator[SenderRow]:
    """Yield the addresses to try, each once: the account's own, those that are named, and two that are made up."""
    from smtp_wizard.engine.checks.test_message import new_token

    own = [account.from_address, account.address, *_signs_in_as(account)]
    found = [(each, SenderKind.ACCOUNT) for each in own]
    found += [(each, SenderKind.TRIED) for each in named[:MOST_TRIED]]
    word = f"no-such-sender-{new_token()}"
    found.append((Address(word, account.address.domain), SenderKind.DOMAIN))
    nowhere = next(each for each in _NOWHERE if each != account.address.ascii_domain.casefold())
    found.append((Address(word, nowhere), SenderKind.ELSEWHERE))
    seen = set[tuple[str, str]]()
    for address, kind in found:
        key = (address.local.casefold(), address.ascii_domain.casefold())
        if key not in seen:
            seen.add(key)
            yield SenderRow(address=address, kind=kind)


def _signs_in_as(account: Account) -> Iterator[Address]:
    """Yield the user name, where that is an address."""
    try:
        if "@" in account.connection.username:
            yield Address.parse_bare(account.connection.username)
    except AddressError:
        return


def _envelope_for(row: SenderRow, fallback: Address) -> Address:
    return row.address if row.envelope is Envelope.ACCEPTED else fallback


def _as_arrived(
    row: SenderRow, arrived: str | None, server: Shown, advised: Callable[[Finding | None], Finding | None]
) -> SenderRow:
    """Return a row with what stands in From of its message; unknown where that was not seen, or cannot be read."""
    if not arrived:
        return replace(row, from_field=FromField.UNKNOWN)
    if _same(row.address, arrived):
        return replace(row, from_field=FromField.ACCEPTED)
    became = shown(arrived, 254)
    finding = row.finding or advised(rewritten_finding(row.address, became, server))
    return replace(row, from_field=FromField.REWRITTEN, became=became, finding=finding)


def _same(address: Address, arrived: str) -> bool:
    return arrived.casefold() in (str(address).casefold(), address.wire.casefold())
