"""From the letters that came back to what can be done: each address once, the newest first, with why and what it needs.

What the letters say is explained by the same rules as anything that is pasted; nothing leaves this computer.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime

from smtp_wizard.engine.base.shown import NO_WORDS, Shown, phrase, shown
from smtp_wizard.engine.base.who import Who
from smtp_wizard.engine.diagnosis.finding import Finding
from smtp_wizard.engine.explain.error_context import AFTER
from smtp_wizard.engine.explain.explain import Explainer
from smtp_wizard.engine.lazy_dataclass import dataclass
from smtp_wizard.engine.mailbox.bounce_letters import FailedRecipient, LetterKind
from smtp_wizard.engine.mailbox.bounce_scan import FoundLetter
from smtp_wizard.engine.mailbox.letter_addresses import ADDRESS_IN_TEXT
from smtp_wizard.engine.mailbox.rehearsals import is_nobodys


@dataclass(frozen=True, slots=True, kw_only=True)
class FailedDelivery:
    """One message that did not reach one address. Its words are fit to show."""

    address: Shown
    kind: LetterKind
    at: datetime | None
    """When that was said. Aware."""
    subject: Shown
    """The message's."""
    sent_at: datetime | None
    status: Shown
    """Enhanced status code (RFC 3463), '' where none is given."""
    final: bool
    """Whether nobody tries it again."""
    cause: str
    """Id of a main cause in the taxonomy, or 'unknown'."""
    code: str
    """Which special case of it: tells a full mailbox from an address that is gone and from a message that is late."""
    why: Shown
    who: Who
    steps: tuple[Shown, ...]
    """What to do, above all with the customer's record."""
    did_you_mean: Shown
    """Another address that was probably meant; '' where none is known."""
    reported_by: Shown
    new: bool
    """Whether it was not shown before."""
    server_said: Shown = NO_WORDS
    """The refusing server's words; '' where the letter has none."""
    forward: Shown | None = None
    """The message that a step asks to send on."""
    backscatter: bool = False
    """Whether the returned message is from another domain than the account's: its address was put to it by others."""


def failed_deliveries(
    letters: Iterable[FoundLetter],
    explainer: Explainer,
    meant: Callable[[str], str],
    seen: Collection[str],
    since: datetime,
    own: Iterable[str] = (),
    also: Collection[str] = (),
) -> tuple[FailedDelivery, ...]:
    """Return what the letters say, grouped by address: the group with the newest letter first, and in it the newest.

    `meant`: returns what was probably meant with an address, or ''. `seen`: the keys of the letters that were shown
    before. `own`: the account's own addresses; a returned message of another domain is told apart, where there are any.
    `also`: further addresses that mail is known to be sent from, in small letters.
    Letters from before `since` are left out, delays that ended in a failure, and what was sent to nobody on purpose.
    """
    unlike = {each.key: each for each in letters_since(letters, since)}
    told = [_Told(found, each) for found in unlike.values() for each in found.letter.recipients]
    told = [each for each in told if not is_nobodys(each.recipient.address)]
    strange = senders_of_others(unlike.values(), own, also)
    said = [_apart(_delivery(each, explainer, meant, seen), each.found, strange) for each in _settled(told)]
    newest: dict[tuple[str, bool], datetime] = {}
    for each in said:
        key = group_key(each)
        newest[key] = max(newest.get(key, NEVER), each.at or NEVER)

    def place(each: FailedDelivery) -> tuple[datetime, tuple[str, bool], datetime]:
        key = group_key(each)
        return newest[key], key, each.at or NEVER

    return tuple(sorted(said, key=place, reverse=True))


def group_key(delivery: FailedDelivery) -> tuple[str, bool]:
    """Return what the deliveries of one group have in common: the address, and whether the messages were one's own."""
    return delivery.address.casefold(), delivery.backscatter


NEVER = datetime(1970, 1, 1, tzinfo=UTC)


def letters_since(letters: Iterable[FoundLetter], since: datetime) -> Iterator[FoundLetter]:
    """Yield the letters that came at `since` or later; one of which nobody knows when it came is among them."""
    return (each for each in letters if (moment_of(each) or since) >= since)


def moment_of(found: FoundLetter) -> datetime | None:
    """Return when a letter came; what its writer says, where the server does not say it."""
    return found.arrived or found.letter.at


@dataclass(frozen=True, slots=True)
class _Told:
    found: FoundLetter
    recipient: FailedRecipient

    @property
    def message(self) -> tuple[str, str]:
        """What two letters about the same message to the same address have in common."""
        letter = self.found.letter
        return self.recipient.address.casefold(), letter.returned_id or letter.subject


def _settled(told: Sequence[_Told]) -> Iterator[_Told]:
    """Yield what is the last word on each message: no delay where it failed in the end, and of delays the last."""
    failed = {each.message for each in told if each.recipient.kind is LetterKind.FAILED}
    delays: dict[tuple[str, str], _Told] = {}
    for each in told:
        if each.recipient.kind is LetterKind.FAILED:
            yield each
        elif each.message not in failed:
            before = delays.get(each.message)
            if before is None or (moment_of(each.found) or NEVER) > (moment_of(before.found) or NEVER):
                delays[each.message] = each
    yield from delays.values()


def _delivery(told: _Told, explainer: Explainer, meant: Callable[[str], str], seen: Collection[str]) -> FailedDelivery:
    recipient, letter = told.recipient, told.found.letter
    explanation = explainer.explain_text(recipient.words, stage=AFTER)
    finding = explanation.finding
    other = shown(meant(recipient.address), 254)
    steps = _steps_of_who_moved(recipient) or finding.steps
    return FailedDelivery(
        address=shown(recipient.address, 254),
        kind=recipient.kind,
        at=moment_of(told.found),
        subject=shown(letter.subject, 200),
        sent_at=letter.sent_at,
        status=shown(recipient.status, 20),
        final=recipient.kind is LetterKind.FAILED,
        cause=explanation.cause,
        code=_code(recipient.kind, finding, explainer),
        why=finding.title,
        who=finding.who,
        steps=tuple(step for step in steps if not other or other not in step),  # it is said apart
        did_you_mean=other,
        reported_by=shown(letter.reported_by, 100),
        new=told.found.key not in seen,
        server_said=shown(recipient.said, _MOST_SAID),  # our form of the report is nobody's words
        forward=finding.forward,
    )


def _steps_of_who_moved(recipient: FailedRecipient) -> tuple[Shown, ...]:
    """Return what to do where the server names a new address (RFC 5321 section 3.4: reply 551); nothing elsewhere.

    Whoever runs that server may name any address, so only the customer can say that it is theirs.
    """
    said = recipient.said[:_LONGEST_MOVED]
    if _MOVED.search(said) is None:
        return ()
    named = (each[0].rstrip(".") for each in ADDRESS_IN_TEXT.finditer(said))
    new = next((each for each in named if each.casefold() != recipient.address.casefold()), "")
    if not new:
        return ()
    return (
        phrase("The server names a new address: {}.", shown(new, 254)),
        phrase("Ask the customer in another way whether it is theirs, before you write there."),
        phrase("Then correct the customer's record, and send the message again."),
    )


_MOVED = re.compile(
    r"(?<!\d)551(?!\d)|(?<![\d.])5\.1\.6(?!\d)|\bmoved\b|\b(?:new|changed) (?:e-?mail )?address", re.IGNORECASE
)
_LONGEST_MOVED = 600
_MOST_SAID = 300
"""Characters of a server's words that are shown."""
_LATE = "temporary_try_later"
_FULL = "mailbox_full"


def _code(kind: LetterKind, finding: Finding, explainer: Explainer) -> str:
    """Return which case it is. What puts a message off says nothing of the address; only a full mailbox and what does
    not pass by itself are worth telling then."""
    late = kind is LetterKind.DELAYED and finding.code != _FULL and not explainer.is_lasting(finding.code)
    return _LATE if late else finding.code


# --- backscatter: what comes back of a message that others sent with the account's address as its envelope sender ---

BACKSCATTER = "backscatter"


def senders_of_others(letters: Iterable[FoundLetter], own: Iterable[str], also: Collection[str]) -> frozenset[str]:
    """Return who is named in From of the returned messages and is of another domain than the account.

    `own` and `also`: as for `failed_deliveries`. Empty where no domain of the account's own is known.
    """
    domains = frozenset(filter(None, (each.rpartition("@")[2].casefold() for each in own if "@" in each)))
    named = {each.letter.returned_from for each in letters} if domains else set()
    return frozenset(
        each
        for each in named
        if each and each.casefold() not in also and not _is_within_any(each.rpartition("@")[2].casefold(), domains)
    )


def _apart(delivery: FailedDelivery, found: FoundLetter, strange: Collection[str]) -> FailedDelivery:
    """Return a delivery as it is, or, where the message is from one of `strange`, as that of somebody else's message.

    An own domain may be among them of which nobody knows here: what that would mean is told too.
    """
    sender = found.letter.returned_from
    if sender not in strange:
        return delivery
    steps = (
        phrase("Do nothing, and change no customer's record: who is written to here is no customer of yours."),
        phrase(
            "Unless {} is an address of your own, which is not known here. Then this holds: {}. {}",
            shown(sender, 100),
            delivery.why,
            next(iter(delivery.steps), NO_WORDS),
        ),
    )
    return replace(
        delivery,
        code=BACKSCATTER,
        why=phrase("Probably not your message: it is from {}, and your address was only put to it", shown(sender, 100)),
        who=Who.YOU,
        steps=steps,
        did_you_mean=NO_WORDS,
        forward=None,
        backscatter=True,
    )


def _is_within_any(one: str, others: Collection[str]) -> bool:
    """Whether a domain is one of these, is below one, or has one below it."""
    return any(one == other or one.endswith(f".{other}") or other.endswith(f".{one}") for other in others)


# --- what was probably meant ---


def one_letter_off(written_to: Iterable[str]) -> Callable[[str], str]:
    """Return what takes an address and returns the one of these that differs from it in one letter; '' where none, or
    several, do. An address that is asked about again is not compared again.

    A letter that is another one, too much, missing, or exchanged with its neighbour.
    """
    by_length: dict[int, dict[str, str]] = {}
    for each in written_to:
        folded = each.casefold()
        by_length.setdefault(len(folded), {})[folded] = each

    @functools.cache
    def near(wanted: str) -> str:
        alike = (by_length.get(len(wanted) + more, {}) for more in (-1, 0, 1))
        close = [each for part in alike for folded, each in part.items() if _is_close(wanted, folded)]
        return close[0] if len(close) == 1 else ""

    return lambda address: near(address.casefold())


def _is_close(one: str, other: str) -> bool:
    if one == other or abs(len(one) - len(other)) > 1:
        return False
    begin = next((at for at, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), min(len(one), len(other)))
    rest, other_rest = one[begin:], other[begin:]
    if len(one) == len(other):
        exchanged = rest[:2] == other_rest[1::-1] and rest[2:] == other_rest[2:] and len(rest) > 1
        return rest[1:] == other_rest[1:] or exchanged
    longer, shorter = (rest, other_rest) if len(one) > len(other) else (other_rest, rest)
    return longer[1:] == shorter
