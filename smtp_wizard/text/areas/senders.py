"""Which addresses an account may send as, in words."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from smtp_wizard.engine.base.shown import Shown, phrase, shown
from smtp_wizard.engine.base.stages import Verdict
from smtp_wizard.engine.checks.sender_matrix import Envelope, FromField, SenderKind, SenderRow
from smtp_wizard.engine.services.senders import SenderMatrix
from smtp_wizard.output.plain_lines import VERDICT_WORDS, finding_lines, paragraph

_KINDS: Mapping[SenderKind, Shown] = {
    SenderKind.ACCOUNT: phrase("the account's own"),
    SenderKind.TRIED: phrase("to try"),
    SenderKind.DOMAIN: phrase("made up: any address of the domain?"),
    SenderKind.ELSEWHERE: phrase("made up: any address at all?"),
}
_ENVELOPES: Mapping[Envelope, Shown] = {
    Envelope.ACCEPTED: phrase("The server takes it as the sender of the envelope (return path)."),
    Envelope.REFUSED: phrase("The server does not take it as the sender of the envelope (return path)."),
    Envelope.UNKNOWN: phrase("Whether the server takes it as the sender of the envelope is not known."),
}
_FROM: Mapping[FromField, Shown] = {
    FromField.ACCEPTED: phrase("In From it arrives as it was sent."),
    FromField.REFUSED: phrase("In From the server does not take it."),
    FromField.UNKNOWN: phrase("What becomes of it in From is not known."),
}


def summary(matrix: SenderMatrix, name: Shown) -> Shown:
    """Say in a sentence what was tried."""
    real = [row for row in matrix.rows if not row.kind.made_up]
    good = [row for row in real if row.good and row.known]
    of = phrase("address") if len(real) == 1 else phrase("addresses")
    words = phrase("{} may send as {} of {} {}", name, len(good), len(real), of)
    unseen = any(row.from_field is FromField.UNKNOWN for row in good)
    return phrase("{}, as far as it was seen.", words) if unseen else phrase("{}.", words)


def row_lines(row: SenderRow) -> Iterator[str]:
    """Yield what there is to say about one address, as lines of text."""
    address = shown(str(row.address), 254)
    yield from paragraph(phrase("{} ({})", address, _KINDS[row.kind]), f"{VERDICT_WORDS[_verdict(row)]:<6}")
    yield from paragraph(_ENVELOPES[row.envelope], _MARGIN)
    if row.kind.made_up:
        return
    yield from paragraph(_from_words(row), _MARGIN)
    if row.finding is not None:
        yield from paragraph(phrase("{}.", row.finding.title), _MARGIN)
        yield from finding_lines(row.finding)


_MARGIN = " " * 6


def _verdict(row: SenderRow) -> Verdict:
    if row.kind.made_up:
        return Verdict.SKIPPED
    if not row.good:
        return Verdict.FAIL
    return Verdict.PASS if row.known else Verdict.UNKNOWN


def _from_words(row: SenderRow) -> Shown:
    if row.from_field is FromField.REWRITTEN:
        return phrase("In From the server puts {} in its place.", row.became)
    if row.from_field is FromField.UNKNOWN and row.code:
        return phrase(
            "A message was sent; look in your mailbox what stands in From of the one with {} in its subject.",
            shown(row.code),
        )
    if row.from_field is FromField.UNKNOWN and row.not_taken:
        return phrase("The server took no message with it, so what becomes of it in From is not known.")
    return _FROM[row.from_field]


def question(matrix: SenderMatrix, to: Shown) -> Shown:
    """Say which messages are sent after a yes."""
    count = len(matrix.wanting)
    if count == 1:
        return phrase("What becomes of the address in From only a message tells. One would be sent, to {}.", to)
    return phrase(
        "What becomes of the addresses in From only messages tell. {} would be sent, one from each, all to {}.",
        count,
        to,
    )


def sent_words(matrix: SenderMatrix, to: Shown) -> Shown:
    """Say how many messages were sent."""
    if matrix.sent == 1:
        return phrase("1 message was sent, to {}.", to)
    return phrase("{} messages were sent, to {}.", matrix.sent, to)
