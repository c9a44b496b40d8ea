"""What a letter in the mailbox says about mail that could not be delivered: each address, whether it is final, and why.

Read are reports (RFC 3464, RFC 6522), and letters that say it in words alone. A letter only counts where a mail server
has written it: what a person quotes of a bounce is none. Automatic replies (RFC 3834) are told apart.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from email.utils import parsedate_to_datetime
from enum import StrEnum
from itertools import islice

from smtp_wizard.engine.base.mail_message import MailMessage, MessagePart, decoded, read_message
from smtp_wizard.engine.explain.readers.bounce_words import is_subject
from smtp_wizard.engine.explain.readers.bounces import Bounce, read_bounce, without_returned, words_of_letter
from smtp_wizard.engine.lazy_dataclass import dataclass
from smtp_wizard.engine.mailbox.letter_addresses import (
    ADDRESS,
    ADDRESS_IN_TEXT,
    MAILBOX_ALONE,
    UNUSUAL_ADDRESS,
    domain_of,
    first_address,
    is_torn,
    tidy,
)
from smtp_wizard.engine.mailbox.letter_writers import (
    DAEMON,
    is_auto_reply,
    is_by_a_person,
    is_by_a_server,
    is_exchange_report,
    is_receipt,
    is_report_of_another_kind,
    subject_of,
)
from smtp_wizard.engine.mailbox.moments import usable
from smtp_wizard.engine.mailbox.recipient_blocks import RecipientBlock, recipient_blocks

LARGEST = 64 * 1024
"""Octets of a letter that are read: reports come first, and of the returned message only the head is wanted."""
MOST_RECIPIENTS = 100
"""Addresses of one letter that are looked at."""


class LetterKind(StrEnum):
    """What a letter is."""

    FAILED = "failed"
    DELAYED = "delayed"
    """Not delivered yet; the server goes on trying."""
    AUTO_REPLY = "auto-reply"
    OTHER = "other"


@dataclass(frozen=True, slots=True, kw_only=True)
class FailedRecipient:
    """An address that was not reached, as one letter says it. All words are the letter's, as they came."""

    address: str
    kind: LetterKind
    status: str
    """Enhanced status code (RFC 3463), '' where none is given."""
    words: str
    """What is to be explained: what the refusing server said."""
    said: str = ""
    """The refusing server's own words alone (Diagnostic-Code, RFC 3464 section 2.3.6), or the letter's; may be cut."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BounceLetter:
    """A letter that was looked at."""

    kind: LetterKind
    recipients: tuple[FailedRecipient, ...] = ()
    at: datetime | None = None
    """When it was written. Aware."""
    message_id: str = ""
    """Its own."""
    reported_by: str = ""
    """The server that says so."""
    subject: str = ""
    """The returned message's."""
    sent_at: datetime | None = None
    """When the returned message was written. Aware."""
    returned_id: str = ""
    """The Message-ID of the returned message."""
    returned_from: str = ""
    """The address in the From of the returned message; '' where it is not known."""
    envelope_id: str = ""
    """The ENVID that was given when it was handed in (RFC 3461 section 4.4)."""
    own_subject: str = ""
    """The letter's own, by which it is found again in the mailbox."""
    unreadable: bool = False
    """Whether it reports a failure, but not, or not for all, to which address, or was written by no mail server."""
    has_more: bool = False
    """Whether it names more addresses than were read of it."""


OTHER = BounceLetter(kind=LetterKind.OTHER)


def read_letter(octets: bytes, own: Iterable[str] = ()) -> BounceLetter:
    """Return what a letter says. `own`: the account's own addresses, which are never the ones that failed.

    Nothing is raised, however broken the letter is.
    """
    text = octets[:LARGEST].decode("latin-1").replace("\r\n", "\n")
    letter = read_message(text, octets=True)
    ours = {each.casefold() for each in own}
    found = named = tuple(_reported(letter))
    if not found and not _was_delivered(letter):
        found = tuple(_told(letter, text, ours))
    nameless = sum(_fails_namelessly(group) for group in islice(_groups(letter), 2 * MOST_RECIPIENTS))
    if not found or is_by_a_person(letter, ours):
        return _without_address(letter, text, reported=nameless > 0 or bool(found))
    returned = _returned_head(letter, text)
    failed = any(each.kind is LetterKind.FAILED for each in found)
    report = _report_fields(letter)
    return BounceLetter(
        kind=LetterKind.FAILED if failed else LetterKind.DELAYED,
        recipients=found[:MOST_RECIPIENTS],
        at=_moment(letter.head.get("date")),
        message_id=letter.head.get("message-id").strip(),
        reported_by=_bare(report.get("reporting-mta", "")) or domain_of(letter.head.get("from")),
        subject=decoded(returned.get("subject")),
        sent_at=_moment(returned.get("date")),
        returned_id=returned.get("message-id").strip(),
        returned_from=first_address(returned.get("from")),
        envelope_id=report.get("original-envelope-id", ""),
        own_subject=decoded(letter.head.get("subject")),
        unreadable=nameless > (0 if named else len(found)) or (not named and _names_another(letter, found, ours)),
        has_more=len(found) > MOST_RECIPIENTS or _has_more_groups(letter, octets),
    )


def _without_address(letter: MailMessage, text: str, *, reported: bool) -> BounceLetter:
    """Return what a letter is of which no address could be read. `reported`: its report tells of a failure."""
    failed = reported or _fails_in_words(letter, text)
    if not failed:
        return BounceLetter(kind=LetterKind.AUTO_REPLY) if is_auto_reply(letter) else OTHER
    return BounceLetter(
        kind=LetterKind.OTHER,
        at=_moment(letter.head.get("date")),
        message_id=letter.head.get("message-id").strip(),
        own_subject=decoded(letter.head.get("subject")),
        unreadable=True,
    )


def _fails_in_words(letter: MailMessage, text: str) -> bool:
    if _was_delivered(letter) or is_report_of_another_kind(letter):
        return False
    if is_exchange_report(letter):
        return True
    return is_by_a_server(letter) and (is_subject(subject_of(letter)) or read_bounce(text) is not None)


# --- reports for machines (RFC 3464) ---

_REPORT = frozenset({"message/delivery-status", "message/global-delivery-status"})
Fields = Mapping[str, str]


def _groups(letter: MailMessage) -> Iterator[Fields]:
    """Yield the groups of fields of a report: the first is about the message, each other about a recipient."""
    for part in letter.parts:
        if part.kind in _REPORT:
            for block in re.split(r"\n[ \t]*\n", part.text().replace("\r\n", "\n").strip("\n")):
                yield _fields(block)


def _fields(block: str) -> Fields:
    head = read_message(block + "\n").head
    return {name.lower(): " ".join(value.split()) for name, value in reversed(head.fields)}


def _report_fields(letter: MailMessage) -> Fields:
    """Return the fields about the message as a whole."""
    return next((each for each in _groups(letter) if "final-recipient" not in each), {})


def _reported(letter: MailMessage) -> Iterator[FailedRecipient]:
    groups = list(islice(_groups(letter), 2 * MOST_RECIPIENTS))
    longest = max(_SHORTEST_WORDS, _LONGEST_WORDS // len(groups)) if groups else 0
    in_words = _words_by_address(letter, groups)
    for group in groups:
        action = group.get("action", "").partition(" ")[0].lower()
        kind = _ACTIONS.get(action)
        address = _address_of(group)
        if kind is None or not address:
            continue
        status = (_STATUS.match(group.get("status", "")) or [""])[0]
        told = in_words.get(address.casefold(), in_words.get("", ""))
        words, said = _as_report(address, group, told, longest), _bare(group.get("diagnostic-code", ""))
        yield FailedRecipient(address=address, kind=kind, status=status, words=words, said=said[:longest])


def _words_by_address(letter: MailMessage, groups: Sequence[Fields]) -> Mapping[str, str]:
    """Return what a report says in words of each address, in small letters; under '' of the only one it is about."""
    if all(group.get("diagnostic-code") for group in groups if group.get("action")):
        return {}
    words = next((part.text() for part in letter.parts if part.kind == "text/plain"), "")
    if sum(group.get("action", "").partition(" ")[0].lower() in _ACTIONS for group in groups) < 2:
        return {"": words}
    return {each.address.casefold(): each.words for each in recipient_blocks(words)}


def _fails_namelessly(group: Fields) -> bool:
    """Whether a group tells of a failure, or a delay, of an address that cannot be read; or does not say which."""
    action = group.get("action", "").partition(" ")[0].lower()
    if not action:
        return group.get("status", "").startswith(("4", "5"))
    return action in _ACTIONS and not _address_of(group)


def _has_more_groups(letter: MailMessage, octets: bytes) -> bool:
    """Whether a report goes on behind what is read of it: it has too many groups, or the letter was cut off in it."""
    cut = len(octets) >= LARGEST and letter.parts[-1].kind in _REPORT
    return cut or next(islice(_groups(letter), 2 * MOST_RECIPIENTS, None), None) is not None


_ACTIONS: Mapping[str, LetterKind] = {"failed": LetterKind.FAILED, "delayed": LetterKind.DELAYED}
"""RFC 3464 section 2.3.3; 'delivered', 'relayed' and 'expanded' are no failures."""
_REACHED = frozenset({"delivered", "relayed", "expanded"})


def _was_delivered(letter: MailMessage) -> bool:
    """Whether a report says of every recipient that the message reached them, or another mail system."""
    said = [group["action"].partition(" ")[0].lower() for group in _groups(letter) if group.get("action")]
    return _REACHED.issuperset(said) if said else is_receipt(letter)


_STATUS = re.compile(r"[245]\.\d{1,3}\.\d{1,3}")


def _address_of(group: Fields) -> str:
    """Return the address as the sender wrote it, where the report says so; else as the server had it in the end."""
    said = [_bare(group.get(name, "")).strip("<>") for name in ("original-recipient", "final-recipient")]
    whole = (each for each in said if ADDRESS.fullmatch(each) or UNUSUAL_ADDRESS.fullmatch(each))
    found = next(whole, said[1] if MAILBOX_ALONE.fullmatch(said[1]) else "")
    return tidy(found) if found else ""


def _as_report(address: str, group: Fields, told: str, longest: int) -> str:
    """Return what a report says of one recipient, in its form, for the reader of such texts.

    `address`: the one that was written to, which behind a forwarding is not the final one. `told`: what the letter
    says of it in words. `longest`: characters of each word and of these; each recipient is explained by itself.
    """
    wanted = ("action", "status", "remote-mta", "diagnostic-code")
    lines = [f"Final-Recipient: rfc822; {address}"]
    lines += [f"{name.title()}: {group[name][:longest]}" for name in wanted if group.get(name)]
    if not group.get("diagnostic-code"):
        lines += ["", told[:longest]]
    return "\n".join(lines)


_LONGEST_WORDS, _SHORTEST_WORDS = 4_000, 500
"""Characters of a letter's own words: for one recipient, and for each of many."""

# --- letters in words alone ---


def _told(letter: MailMessage, text: str, ours: Collection[str]) -> Iterator[FailedRecipient]:
    """Yield whom a letter says was not reached, where a mail server has written it."""
    if is_report_of_another_kind(letter) or not is_by_a_server(letter):
        return
    bounce = read_bounce(text)
    if bounce is None:
        return
    kind = LetterKind.DELAYED if bounce.action == "delayed" else LetterKind.FAILED
    for block in list(_blocks(letter, bounce, text, ours))[: MOST_RECIPIENTS + 1]:
        status = _status_of(block, bounce)
        words = _in_form(block, kind, status)
        said = " ".join(block.words[:_SHORTEST_WORDS].split())
        yield FailedRecipient(address=block.address, kind=kind, status=status, words=words, said=said)


def _blocks(letter: MailMessage, bounce: Bounce, text: str, ours: Collection[str]) -> Iterator[RecipientBlock]:
    """Yield the addresses that a letter in words is about, each with what it says of it.

    Of several each gets the words that stand with it alone: what is said of another would be a false reason.
    """
    body = without_returned(words_of_letter(text) or "")
    whole = f"{text}\n{body}"
    parted = _parted(letter, body, whole, ours)
    said = {each.address.casefold(): each for each in parted}
    named = [each for each in _named(letter) if not is_torn(each, whole)]
    if len(named) > 1:
        yield from (said.get(each.casefold(), RecipientBlock(each, "")) for each in named)
    elif len(parted) > 1 and not named:
        yield from parted
    else:
        yield from (RecipientBlock(each, bounce.text) for each in _addresses(letter, bounce, whole, ours))


def _parted(letter: MailMessage, body: str, whole: str, ours: Collection[str]) -> list[RecipientBlock]:
    """Return what a letter says of each address on a line of its own, without one's own and the writer's.

    `body`: its words without the returned message. `whole`: the letter as it came, and its words.
    """
    others = _not_recipients(letter, ours)
    return [
        RecipientBlock(tidy(each.address), each.words)
        for each in recipient_blocks(body)
        if not (each.address.casefold() in others or DAEMON.search(each.address) or is_torn(each.address, whole))
    ]


def _not_recipients(letter: MailMessage, ours: Collection[str]) -> Collection[str]:
    daemon = ADDRESS_IN_TEXT.search(letter.head.get("from"))
    return {*ours, *([tidy(daemon[0]).casefold()] if daemon else [])}


def _named(letter: MailMessage) -> list[str]:
    """Return the addresses that Exim, and Google, put into a field of the head."""
    named = (each.strip() for each in letter.head.get("x-failed-recipients").split(","))
    return list(dict.fromkeys(tidy(each) for each in named if ADDRESS.fullmatch(each)))


def _status_of(block: RecipientBlock, bounce: Bounce) -> str:
    whole = bounce.status if block.words == bounce.text else ""
    return whole or (_STATUS_IN_WORDS.search(block.words) or [""])[0]


def _names_another(letter: MailMessage, found: Sequence[FailedRecipient], ours: Collection[str]) -> bool:
    """Whether the sentence that names the only address that was found names others, of which nothing more is known."""
    if len(found) > 1 or _named(letter):
        return False
    words = "\n".join(part.text() for part in letter.parts if part.kind == "text/plain")[:LARGEST]
    others = {*_not_recipients(letter, ours), found[0].address.casefold()}
    for part in _PARAGRAPH.split(without_returned(words))[:_PARAGRAPHS]:
        named = {tidy(each[0].strip(".")).casefold() for each in ADDRESS_IN_TEXT.finditer(_FORWARDED.sub("", part))}
        if found[0].address.casefold() in named and any(not DAEMON.search(each) for each in named - others):
            return True
    return False


_PARAGRAPH = re.compile(r"\n[ \t]*\n")
_PARAGRAPHS = 200
_FORWARDED = re.compile(r"\((?:expanded|generated) from [^)]{0,330}\)|\bof \S{3,320}|<mailto:[^>]{0,330}>")
"""Addresses in other parts of a sentence: the one that was forwarded from is no second recipient."""


def _in_form(block: RecipientBlock, kind: LetterKind, status: str) -> str:
    """Return what a letter in words says in the form of a report, so that it is read as one."""
    said = " ".join(block.words[:_LONGEST_WORDS].split())
    lines = [f"Final-Recipient: rfc822; {block.address}", f"Action: {kind.value}"]
    lines += [f"Status: {status}"] if status else []
    return "\n".join([*lines, *([f"Diagnostic-Code: smtp; {said}"] if said else [])])


_STATUS_IN_WORDS = re.compile(r"\b[45]\.\d{1,3}\.\d{1,3}\b(?!\.)")


def _addresses(letter: MailMessage, bounce: Bounce, whole: str, ours: Collection[str]) -> Iterator[str]:
    """Yield the address that a letter in words is about: as it names it, else the first in its words."""
    said = [*_named(letter), *([tidy(bounce.recipient)] if ADDRESS.fullmatch(bounce.recipient) else [])]
    said = [each for each in said if not is_torn(each, whole)][:1]
    if not said:
        in_words = (tidy(each[0].strip(".")) for each in ADDRESS_IN_TEXT.finditer(bounce.text[: LARGEST // 2]))
        others = _not_recipients(letter, ours)
        said = [each for each in in_words if each.casefold() not in others and not DAEMON.search(each)][:1]
    yield from said


# --- the returned message ---


def _returned_head(letter: MailMessage, text: str) -> MessagePart:
    """Return the head of the returned message; an empty one where the letter has none of it."""
    for part in letter.parts[1:]:
        if part.kind in ("message/rfc822", "text/rfc822-headers", "message/rfc822-headers", "message/global-headers"):
            return read_message("\n".join(part.text().lstrip("\n").split("\n")[:_HEAD_LINES]), octets=False).head
    body = text.partition("\n\n")[2]
    at = _BEGINS.search(body)
    return read_message(body[at.start() :][:LARGEST]).head if at is not None else MessagePart(octets=False)


_HEAD_LINES = 400
_BEGINS = re.compile(r"^(?:Return-Path|Received|DKIM-Signature|MIME-Version|Message-ID|Date|From): ", re.MULTILINE)

# --- small things ---


def _bare(value: str) -> str:
    """Take off the kind before a value: 'rfc822; ana@example.com', 'dns; mx.example.com'."""
    kind, parted, rest = value.partition(";")
    return rest.strip() if parted and re.fullmatch(r"[\w -]{1,40}", kind) else value.strip()


def _moment(field: str) -> datetime | None:
    """Return the moment of a Date field; None where it makes no sense. Without a zone it counts as UTC."""
    try:
        return usable(parsedate_to_datetime(field[:200]))
    except (ValueError, TypeError, IndexError, OverflowError):
        return None
