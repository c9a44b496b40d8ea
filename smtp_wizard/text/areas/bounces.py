"""Mail that came back, in words: a line for each address, why, and what to do with the customer's record."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from itertools import groupby

from smtp_wizard.engine.base.shown import Shown, phrase, shown
from smtp_wizard.engine.mailbox.bounce_letters import MOST_RECIPIENTS, LetterKind
from smtp_wizard.engine.mailbox.failed_deliveries import FailedDelivery, group_key
from smtp_wizard.engine.services.bounces import BounceReport, UnreadableLetter
from smtp_wizard.output.plain_lines import paragraph

_MOST_LETTERS = 3
"""Letters that could not be read which are named."""
_MOST_MESSAGES = 20
"""Messages that are named which failed for one reason: they are to be sent again."""
_MOST_REASONS = 5


def grouped(deliveries: Sequence[FailedDelivery]) -> list[tuple[FailedDelivery, ...]]:
    """Return the deliveries to each address together, in their order."""
    return [tuple(group) for _, group in groupby(deliveries, key=group_key)]


def by_reason(group: Sequence[FailedDelivery]) -> list[tuple[FailedDelivery, ...]]:
    """Return the deliveries to one address by why they failed: what is final first, else the newest."""
    parted: dict[tuple[bool, str, str], list[FailedDelivery]] = {}
    for each in sorted(group, key=lambda each: not each.final):
        parted.setdefault((each.final, each.code, each.why), []).append(each)
    return list(map(tuple, parted.values()))


def summary(report: BounceReport, deliveries: Sequence[FailedDelivery], name: Shown, *, new: bool) -> Shown:
    """Say in a sentence what came back."""
    since = day_words(report.since)
    kind = phrase("new ") if new else phrase("")
    if not deliveries and not report.complete:
        return phrase("{}: not all that came back since {} could be read.", name, since)
    if not deliveries:
        return phrase("{}: no {}mail has come back since {}.", name, kind, since)
    own = grouped([each for each in deliveries if not each.backscatter])
    failed = sum(any(each.final for each in group) for group in own)
    waiting = len(own) - failed
    words = phrase("{}: {} {}failed since {}", name, _addresses(failed), kind, since)
    return phrase("{}, and {} still waiting.", words, waiting) if waiting else phrase("{}.", words)


def _addresses(count: int) -> Shown:
    return phrase("1 address") if count == 1 else phrase("{} addresses", count)


def notes(report: BounceReport, *, options: bool = True) -> Iterator[Shown]:
    """Yield what else there is to know. `options`: whether the reader can give options of the command line."""
    if report.auto_replies:
        count = report.auto_replies
        replies = phrase("1 automatic reply") if count == 1 else phrase("{} automatic replies", count)
        yield phrase("Left out: {}, which only say that mail has arrived.", replies)
    strange = sum(each.backscatter for each in report.deliveries)
    if strange:
        what = phrase("1 letter is") if strange == 1 else phrase("{} letters are", strange)
        yield phrase("Not counted: {} about messages that are not from your domain.", what)
    if report.rehearsed:
        count = report.rehearsed
        sent = phrase("1 message that was") if count == 1 else phrase("{} messages that were", count)
        them = phrase("it") if count == 1 else phrase("them")
        yield phrase("Left out: {} sent to nobody on purpose, to see {} come back.", sent, them)
    for folder in report.unread:
        yield phrase("The folder '{}' could not be read: what came back into it is not listed.", folder)
    if report.unknown:
        yield no_junk_words(report.unknown)
    yield from _unreadable_words(report.unreadable)
    if report.crowded:
        letters = phrase("1 letter names") if report.crowded == 1 else phrase("{} letters name", report.crowded)
        yield phrase("{} more addresses than are read of one: only the first {} are listed.", letters, MOST_RECIPIENTS)
    if report.not_handed_out:
        count = report.not_handed_out
        letters = phrase("1 letter") if count == 1 else phrase("{} letters", count)
        yield phrase("The server did not send {} that may tell of failed mail. Try again later.", letters)
    if report.cut_off:
        shorter = phrase(" Ask for a shorter time: --since 3d." if options else "")
        yield phrase("There are more than were read.{}", shorter)


def no_junk_words(folders: Sequence[Shown]) -> Shown:
    """Say that Junk may be any of these folders."""
    named = ", ".join(f"'{each}'" for each in folders[:_MOST_FOLDERS])
    more = phrase(" and {} more", len(folders) - _MOST_FOLDERS) if len(folders) > _MOST_FOLDERS else phrase("")
    return phrase(
        "No folder for junk was found. If it is one of {}{}, look there too: it was not read.", shown(named, 500), more
    )


_MOST_FOLDERS = 5


def _unreadable_words(letters: Sequence[UnreadableLetter]) -> Iterator[Shown]:
    """Yield how many letters could not be read, and by what the first of them are found in the mailbox."""
    if not letters:
        return
    counted = phrase("1 letter") if len(letters) == 1 else phrase("{} letters", len(letters))
    they = phrase("it reports") if len(letters) == 1 else phrase("they report")
    yield phrase(
        "{} could not be read: {} mail that failed, but not clearly for which address, or not as a mail server does. "
        "Look in your mailbox:",
        counted,
        they,
    )
    for each in letters[:_MOST_LETTERS]:
        yield phrase("{}  {}", day_words(each.at), each.subject or phrase("(no subject)"))
    if len(letters) > _MOST_LETTERS:
        yield phrase("... and {} more.", len(letters) - _MOST_LETTERS)


def delivery_lines(group: Sequence[FailedDelivery]) -> Iterator[str]:
    """Yield what there is to say about one address, as lines of text: of each reason its own messages."""
    newest, parted = group[0], by_reason(group)
    times = "" if len(group) == 1 else f"  ({len(group)} messages)"
    yield f"{newest.address}{times}{'  new' if any(each.new for each in group) else ''}"
    if newest.did_you_mean:
        yield from paragraph(meant_words(newest), _MARGIN)
    for number, same in enumerate(parted[:_MOST_REASONS]):
        if number:
            yield ""
        yield from _reason_lines(same)
    if len(parted) > _MOST_REASONS:
        yield f"{_MARGIN}... and {len(parted) - _MOST_REASONS} other reasons: --json has them all."


def _reason_lines(same: Sequence[FailedDelivery]) -> Iterator[str]:
    newest = same[0]
    yield from paragraph(why_words(newest), _MARGIN)
    for number, step in enumerate(newest.steps, 1):
        yield from paragraph(step, f"{_MARGIN}{number}. ")
    if newest.server_said:
        yield from paragraph(said_words(newest), _MARGIN)
    if newest.forward:
        yield f"{_MARGIN}The message to send:"
        for line in newest.forward.splitlines():
            yield from paragraph(line, _MARGIN * 2)
    for each in same[:_MOST_MESSAGES]:
        yield from paragraph(each.subject or "(no subject)", f"{_MARGIN}{day_words(each.sent_at or each.at):<12}")
    if len(same) > _MOST_MESSAGES:
        yield f"{_MARGIN}... and {len(same) - _MOST_MESSAGES} more: --csv has them all."


_MARGIN = " " * 4


def why_words(delivery: FailedDelivery) -> Shown:
    """Say why an address was not reached, and whether that is final."""
    code = phrase(" ({})", delivery.status) if delivery.status else phrase("")
    if delivery.kind is LetterKind.DELAYED:
        return phrase("{}{}.", delivery.why, code)  # that it is still being tried is what it says
    if delivery.backscatter:
        return phrase("{}{}.", delivery.why, code)
    state = phrase("final") if delivery.final else phrase("not final: it is still being tried")
    return phrase("{}{}, {}.", delivery.why, code, state)


QUESTION = "Which customers did not get your mail?"


def counted_words(final: Sequence[bool], *, complete: bool = True) -> tuple[str, str]:
    """Say how many addresses were not reached, and how many wait. `final`: for each whether nobody tries it again.

    `complete`: whether all that came back was read.
    """
    if not final and not complete:
        return "Not all that came back could be read.", ""
    failed, waiting = sum(final), len(final) - sum(final)
    more = "" if not waiting else "1 is still being tried" if waiting == 1 else f"{waiting} are still being tried"
    if not failed:
        return ("Nothing has come back for good." if waiting else "Nothing has come back."), more
    return "1 address was not reached." if failed == 1 else f"{failed} addresses were not reached.", more


def meant_words(delivery: FailedDelivery) -> Shown:
    """Offer back the address that was probably meant."""
    return phrase("Did you mean {}?", delivery.did_you_mean)


def messages_words(count: int) -> str:
    """Say how many messages a reason holds for."""
    return "1 message." if count == 1 else f"{count} messages."


def said_words(delivery: FailedDelivery) -> Shown:
    """Quote the server that refused."""
    return phrase("The server said: {}", delivery.server_said)


def day_words(moment: datetime | None) -> Shown:
    """Return a day, in local time."""
    return phrase("{:%Y-%m-%d}", moment.astimezone()) if moment is not None else phrase("unknown day")
