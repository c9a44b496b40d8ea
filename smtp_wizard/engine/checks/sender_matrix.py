"""What a server makes of each address as a sender: in the envelope, and in From. Judged from what it answered."""

from __future__ import annotations

from collections.abc import Collection
from enum import StrEnum

from smtp_wizard.engine.base.address import Address
from smtp_wizard.engine.base.shown import NO_WORDS, Shown, phrase, shown
from smtp_wizard.engine.base.stages import Stage, Verdict
from smtp_wizard.engine.base.who import Who
from smtp_wizard.engine.checks.report import CheckResult
from smtp_wizard.engine.checks.sender_trials import TriedSender
from smtp_wizard.engine.diagnosis.finding import Finding
from smtp_wizard.engine.lazy_dataclass import dataclass


class SenderKind(StrEnum):
    """Whose an address is."""

    ACCOUNT = "account"
    """The account's own: it sends as this one, or signs in as it."""
    TRIED = "tried"
    """The person named it."""
    DOMAIN = "domain"
    """Made up, of the account's domain: does the server take any address of it?"""
    ELSEWHERE = "elsewhere"
    """Made up, of a domain that is nobody's (RFC 2606): does it take any address at all?"""

    @property
    def made_up(self) -> bool:
        """Whether it is nobody's: no message is sent with it."""
        return self in (SenderKind.DOMAIN, SenderKind.ELSEWHERE)


class Envelope(StrEnum):
    """What a server makes of an address as the sender of the envelope (MAIL)."""

    ACCEPTED = "accepted"
    REFUSED = "refused"
    UNKNOWN = "unknown"


class FromField(StrEnum):
    """What a server makes of an address in From."""

    ACCEPTED = "accepted"
    REWRITTEN = "rewritten"
    """It puts another address in its place."""
    REFUSED = "refused"
    UNKNOWN = "unknown"
    """No message was sent, or it was not seen how it arrived."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SenderRow:
    """One address, and what became of it."""

    address: Address
    kind: SenderKind
    envelope: Envelope = Envelope.UNKNOWN
    from_field: FromField = FromField.UNKNOWN
    became: Shown = NO_WORDS
    """The address that stands in From instead, where it was rewritten."""
    code: str = ""
    """The word in the subject of the message that was sent; '' where none was."""
    not_taken: bool = False
    """Whether a message with it was not taken, for a reason that may say nothing of the address."""
    finding: Finding | None = None
    """What is wrong, and what to change: of the envelope, else of From."""

    @property
    def good(self) -> bool:
        """Whether nothing speaks against sending as this address."""
        refused = self.envelope is Envelope.REFUSED
        return not refused and self.from_field not in (FromField.REFUSED, FromField.REWRITTEN)

    @property
    def known(self) -> bool:
        """Whether it was seen that a message with it is taken, as far as that was tried."""
        return self.envelope is not Envelope.UNKNOWN and not self.not_taken


ABOUT_SENDER = frozenset({"sender_not_allowed", "address_not_verified", "spf_dmarc_fail"})
"""Causes that say by themselves that it is the sender that is not taken."""
OF_THE_MOMENT = frozenset(
    {
        "daily_limit",
        "rate_limited",
        "temporary_try_later",
        "too_many_logins",
        "too_many_recipients",
        "message_too_large",
        "account_suspended",
        "auth_missing",
        "outcome_unknown",
        "ip_not_allowlisted",
    }
)
"""Causes that say nothing of a sender, whatever else was taken."""


def envelope_of(tried: TriedSender, among: Collection[TriedSender]) -> tuple[Envelope, Finding | None]:
    """Return what a server made of the sender of an envelope, and why. `among`: all that were tried, to compare with.

    A refusal at RCPT may be about the recipient: where the same one was taken from another sender, it is not.
    """
    if tried.verdict(Stage.RCPT) in _GOOD:
        return Envelope.ACCEPTED, None
    failed = tried.result(Stage.RCPT) or tried.result(Stage.MAIL)
    taken_of_others = any(each.verdict(Stage.RCPT) in _GOOD for each in among)
    return (Envelope.REFUSED if _is_refusal(failed, taken_of_others) else Envelope.UNKNOWN), _finding(failed)


def from_of(tried: TriedSender, among: Collection[TriedSender]) -> tuple[FromField, Finding | None]:
    """Return what a server made of the message with a From, and why. ACCEPTED: it was taken, and may be changed yet."""
    result = tried.result(Stage.DATA)
    if result is None:  # it is the envelope that was not taken
        return FromField.UNKNOWN, _finding(tried.result(Stage.RCPT) or tried.result(Stage.MAIL))
    if result.verdict in _GOOD:
        return FromField.ACCEPTED, None
    taken_of_others = any(each.verdict(Stage.DATA) in _GOOD for each in among)
    return (FromField.REFUSED if _is_refusal(result, taken_of_others) else FromField.UNKNOWN), _finding(result)


_GOOD = (Verdict.PASS, Verdict.WARN)


def _finding(result: CheckResult | None) -> Finding | None:
    return result.finding if result is not None else None


def _is_refusal(result: CheckResult | None, taken_of_others: bool) -> bool:
    """Whether a stage failed because of the sender, for good (RFC 5321 section 4.2.1: 5yz)."""
    found = _finding(result)
    if found is None:
        return False
    if found.code == "smtputf8_unsupported":  # it is not even asked
        return True
    if not found.server_said.startswith("5") or found.code in OF_THE_MOMENT:
        return False
    return found.code in ABOUT_SENDER or taken_of_others


def rewritten_finding(address: Address, became: Shown, server: Shown) -> Finding:
    """Return what a person reads where a server puts another address into From."""
    wanted = shown(str(address), 254)
    return Finding(
        code="sender_rewritten",
        broadly="sender_not_allowed",
        title=phrase("{} becomes {} in From", wanted, became),
        explanation=phrase(
            "{} takes the message, and puts {} in the place of {}: so recipients see it, and answer to it.",
            server,
            became,
            wanted,
        ),
        who=Who.YOU,
        steps=(
            phrase("Send from {}, or have {} confirmed as yours at your provider first.", became, wanted),
            phrase("Try it again after that."),
        ),
    )
