"""A session as a whole: how far each attempt got, what it ended with, and which attempt decides.

A reply belongs to the command before it, and counts only as long as nothing that came later made up for it: a server
that does not know EHLO is asked HELO, a way of signing in that is refused is followed by another. Of several attempts
the one that got furthest decides; of those that got equally far, the last.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from smtp_wizard.engine.base.endpoint import Security
from smtp_wizard.engine.base.stages import Stage
from smtp_wizard.engine.explain.evidence import (
    AttemptOutcome,
    ClientCommand,
    Complaint,
    Connecting,
    Evidence,
    Secured,
    ServerReply,
)
from smtp_wizard.engine.lazy_dataclass import dataclass

_ORDER = tuple(Stage)
_SEND_IT = 354
_ACCEPTED_AT = frozenset({".", "BDAT"})
_NO_MATTER = frozenset({"QUIT", "RSET", "NOOP", "VRFY"})
"""Commands whose replies say nothing about the message."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """One connection, from its beginning to its end."""

    host: str = ""
    port: int | None = None
    security: Security | None = None
    reached: Stage
    """The last stage that was begun."""
    refusal: ServerReply | None = None
    """The refusal that nothing made up for; None where there was none."""
    complaints: tuple[Complaint, ...] = ()
    """What the program said after the last reply, or in the place of one."""
    outcome: AttemptOutcome
    answered: bool
    """Whether the server said anything."""
    unconfirmed: bool = False
    """The whole message was handed over, and no reply came to its end: it may have been sent."""
    sign_in_hidden: bool = False
    """The server offers STARTTLS and no sign-in before it (RFC 4954 section 4), and the program did not encrypt."""
    gave_up: bool = False
    """The program said QUIT (RFC 5321 section 4.1.1.10) before a sign-in or a message, though nothing was refused."""
    offers_starttls: bool = False
    """The last reply to EHLO offers STARTTLS, or the connection is encrypted."""
    unsigned: bool = False
    """The message was begun right after EHLO, without a sign-in."""


def read_attempts(parts: Iterable[Sequence[Evidence]]) -> list[Attempt]:
    """Return the attempts of a session, in their order."""
    return [_Attempt(part).finished() for part in parts]


def decisive(attempts: Sequence[Attempt]) -> Attempt | None:
    """Return the attempt that the others stand behind; None where there is none."""
    if not attempts:
        return None
    if attempts[-1].outcome is AttemptOutcome.ACCEPTED:
        return attempts[-1]
    failed = [each for each in attempts if each.outcome is AttemptOutcome.FAILED] or list(attempts)
    return max(enumerate(failed), key=lambda each: (_ORDER.index(each[1].reached), each[0]))[1]


class _Attempt:
    """Goes through what was said in one connection."""

    def __init__(self, part: Sequence[Evidence]) -> None:
        self._part = part
        self._host, self._port, self._security = "", None, None  # type: tuple[str, int | None, Security | None]
        self._reached = Stage.CONNECT
        self._refusal: ServerReply | None = None
        self._complaints: list[Complaint] = []
        self._accepted = False
        self._answered = False
        self._handed_over = False
        self._sign_in_hidden = False
        self._gave_up = False
        self._offers_sign_in = False
        self._encrypted = False
        self._offers_starttls = False
        self._unsigned = False
        self._last: Stage | None = None
        """The stage of the last reply."""

    def finished(self) -> Attempt:
        for each in self._part:
            self._take(each)
        hidden = self._sign_in_hidden and _ORDER.index(self._reached) < _ORDER.index(Stage.STARTTLS)
        failed = self._refusal is not None or bool(self._complaints) or hidden
        outcome = (
            AttemptOutcome.ACCEPTED
            if self._accepted and self._refusal is None
            else AttemptOutcome.FAILED
            if failed
            else AttemptOutcome.OPEN
        )
        return Attempt(
            host=self._host,
            port=self._port,
            security=self._security,
            reached=self._reached,
            refusal=self._refusal,
            complaints=tuple(self._complaints),
            outcome=outcome,
            answered=self._answered,
            unconfirmed=self._handed_over and bool(self._complaints),
            sign_in_hidden=hidden,
            gave_up=self._gave_up and not failed,
            offers_starttls=self._offers_starttls or self._encrypted,
            unsigned=self._unsigned,
        )

    def _take(self, each: Evidence) -> None:
        if isinstance(each, Connecting):
            self._host, self._port = each.host or self._host, each.port or self._port
            self._security = each.security or self._security
        elif isinstance(each, ServerReply):
            self._take_reply(each)
        elif isinstance(each, ClientCommand):
            self._take_command(each.verb)
        elif isinstance(each, Secured):
            self._encrypted = True
            self._begin(Stage.STARTTLS if self._answered else Stage.TLS)
        elif isinstance(each, Complaint):
            self._complaints.append(each)

    def _take_command(self, verb: str) -> None:
        self._begin(_BEGUN_BY.get(verb))
        if verb == "STARTTLS":
            self._security, self._encrypted = Security.STARTTLS, True
        elif verb == "MAIL FROM":
            self._unsigned = self._last is Stage.EHLO
        elif verb == "QUIT":
            self._gave_up = self._last is Stage.EHLO and self._offers_sign_in

    def _begin(self, stage: Stage | None) -> None:
        if stage is not None and _ORDER.index(stage) > _ORDER.index(self._reached):
            self._reached = stage

    def _take_reply(self, reply: ServerReply) -> None:
        self._answered = True
        if reply.command in _NO_MATTER:
            return
        self._last = reply.stage
        self._handed_over = reply.code == _SEND_IT
        if reply.stage is Stage.EHLO and not reply.refuses:
            offers = reply.words.upper()
            self._offers_starttls = "STARTTLS" in offers
            self._offers_sign_in = "AUTH" in offers
            self._sign_in_hidden = not reply.cut and self._offers_starttls and not self._offers_sign_in
        self._begin(reply.stage)
        if reply.refuses:
            if reply.code != 421 or self._refusal is None:
                self._refusal = reply
            self._complaints.clear()
            return
        if self._refusal is not None and self._makes_up(reply, self._refusal):
            self._refusal = None
        self._complaints.clear()
        self._accepted = self._accepted or (reply.command in _ACCEPTED_AT and reply.code == 250)

    @staticmethod
    def _makes_up(reply: ServerReply, refusal: ServerReply) -> bool:
        """Whether a reply shows that a refusal before it did no harm."""
        if refusal.stage is None or reply.stage is None:
            return False
        if refusal.stage is Stage.RCPT:
            return False  # another recipient was taken; this one was not
        return _ORDER.index(reply.stage) >= _ORDER.index(refusal.stage) and reply.code not in (334, 221)


_BEGUN_BY = {
    "EHLO": Stage.EHLO,
    "HELO": Stage.EHLO,
    "STARTTLS": Stage.STARTTLS,
    "AUTH": Stage.AUTH,
    "MAIL FROM": Stage.MAIL,
    "RCPT TO": Stage.RCPT,
    "DATA": Stage.DATA,
}
