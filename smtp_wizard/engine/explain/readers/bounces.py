"""Bounces: a letter that says that a message could not be delivered (RFC 3464, RFC 6522), or one that only says it in
the words of some mail server. What the refusing server said is taken out of it; the returned message is not looked at.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from smtp_wizard.engine.base.mail_message import LONGEST_FIELD, MailMessage, MessagePart, decoded, read_message
from smtp_wizard.engine.explain.readers.bounce_signs import LONGEST, begins_like_letter, has_signs_of_bounce
from smtp_wizard.engine.lazy_dataclass import dataclass

if TYPE_CHECKING:
    from email.message import Message


@dataclass(frozen=True, slots=True, kw_only=True)
class OtherRecipient:
    """Another address that was not reached by the same message (RFC 3464 section 2.3)."""

    recipient: str
    action: str
    status: str
    server: str
    words: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Bounce:
    """What a bounce says about the first recipient who was not reached."""

    text: str
    """What is to be explained: the words of the server that refused, or of the letter where there are none."""
    action: str = ""
    """'failed', 'delayed' (RFC 3464 section 2.3.3); '' where the letter does not say."""
    status: str = ""
    """Enhanced status code (RFC 3463)."""
    diagnostic: str = ""
    """What the other server said, without the kind of code before it."""
    recipient: str = ""
    server: str = ""
    """The server that refused: 'mx.example.org'."""
    reporter: str = ""
    """The server that says so: the one that sent the message on."""
    command: str = ""
    """The command that was answered so: 'RCPT TO', 'end of DATA'."""
    since: str = ""
    """When the message was handed in."""
    until: str = ""
    """Until when it is tried again."""
    forwarded: bool = False
    """The mail for this address is passed on to another server, which refused it."""
    others: tuple[OtherRecipient, ...] = ()
    """The other recipients that the same report is about, at most 100."""


def read_bounce(text: str) -> Bounce | None:
    """Return what a bounce says; None for any other text. Nothing is raised, however broken it is."""
    text = text[:LONGEST].replace("\r\n", "\n")
    letter = _letter(text)
    if letter is None and not has_signs_of_bounce(text):
        return None
    from smtp_wizard.engine.explain.readers.bounce_words import may_be_bounce, says_so

    if letter is None and not may_be_bounce(text):
        return None
    body = (_words_of(letter) or text.lstrip().partition("\n\n")[2]) if letter is not None else text
    fields = _delivery_fields(letter, text)
    date = letter.head.get("date") if letter is not None else ""
    if fields:
        return _reported(fields, without_returned(body), date)
    heading = _heading(letter) if letter is not None else ""
    if says_so(f"{heading}\n{body}"):
        return _told(letter, heading, without_returned(body), date)
    return _odd_one(letter, body) if letter is not None else None


def words_of_letter(text: str) -> str | None:
    """Return what a whole letter that is no bounce says, without its headers; None for any other text.

    Headers are copied into every letter, so a word of them is no evidence.
    """
    text = text[:LONGEST].replace("\r\n", "\n")
    letter = _letter(text)
    return (_words_of(letter) or text.lstrip().partition("\n\n")[2]) if letter is not None else None


def read_told(text: str) -> Bounce:
    """Return what a text says of which somebody says that it came back, however it looks."""
    return _told(None, "", without_returned(text), "")


# --- the parts of a letter ---


def _letter(text: str) -> MailMessage | None:
    """Read the text as a letter, where it begins like one."""
    return read_message(text.lstrip()) if begins_like_letter(text) else None


def _heading(letter: MailMessage) -> str:
    return "\n".join(decoded(letter.head.get(name)) for name in ("subject", "from"))


def _words_of(letter: MailMessage) -> str:
    """Return what the letter says to a person, without a message that it returns; '' where no part can be read."""
    return "\n".join(text for part in letter.parts if part.kind in _READABLE and (text := part.text()).strip())


_READABLE = frozenset({"text/plain", "text/html"})

# --- the report for machines (RFC 3464) ---

_FIELD = re.compile(
    r"[ \t>|]*+(Reporting-MTA|Arrival-Date|Final-Recipient|Original-Recipient|Action|Status|Remote-MTA|Diagnostic-Code"
    r"|Last-Attempt-Date|Will-Retry-Until):[ \t]*+(.*)",
    re.IGNORECASE,
)
_CONTINUES = re.compile(r"[ \t]+(?!(?:[A-Za-z]{1,20}-[A-Za-z\-]{1,40}|Action|Status): )\S")
Fields = Mapping[str, str]


def _delivery_fields(letter: MailMessage | None, text: str) -> list[Fields]:
    """Return the fields about each recipient who was not reached, the one who says most first, with those of all."""
    parts = [part.text() for part in letter.parts if part.kind in _REPORTS] if letter is not None else []
    common: dict[str, str] = {}
    groups: list[dict[str, str]] = []
    for name, value in _fields_in("\n".join(parts) or text):
        _enter(name, value, common, groups)
    failed = [group for group in groups if group.keys() & {"status", "diagnostic-code", "action"}]
    failed.sort(key=_how_well)
    return [{**common, **each} for each in failed if each is failed[0] or _how_well(each) < _ACTIONS["relayed"]]


def _how_well(group: Fields) -> int:
    return _ACTIONS.get(group.get("action", "").lower(), 1)


_REPORTS = frozenset({"message/delivery-status", "message/global-delivery-status"})
"""The second is for addresses in other letters than ASCII (RFC 6533 section 4)."""
_ACTIONS = {"failed": 0, "delayed": 2, "relayed": 3, "expanded": 3, "delivered": 3}
"""Which recipient's fields say why something went wrong, best first. Without an action: 1."""


_OF_ALL = frozenset({"reporting-mta", "arrival-date"})
"""Fields about the message as a whole (RFC 3464 section 2.2)."""


def _enter(name: str, value: str, common: dict[str, str], groups: list[dict[str, str]]) -> None:
    """Put a field where it belongs: to the whole report, or to a recipient. Fields may come in any order."""
    if name in _OF_ALL:
        common[name] = value
        return
    if not groups or name in groups[-1]:
        groups.append({})
    groups[-1][name] = value


def _fields_in(text: str) -> Iterator[tuple[str, str]]:
    """Yield the fields of a report line by line, names in lower case, values on one line, wherever they stand."""
    name, value = "", ""
    for line in text.split("\n"):
        found = _FIELD.match(line)
        if found is not None:
            if name:
                yield name, _unfolded(value)
            name, value = found[1].lower(), found[2]
        elif name and _CONTINUES.match(line) and len(value) < LONGEST_FIELD:
            value = f"{value} {line}"
        elif name:
            yield name, _unfolded(value)
            name = ""
    if name:
        yield name, _unfolded(value)


def _unfolded(value: str) -> str:
    return " ".join(value.split())[:LONGEST_FIELD]


_INTERNAL = re.compile(
    r"@(?:[^.]{1,63}|.{1,190}\.(?:local|localdomain|localhost|internal|intern|lan|corp|home))$", re.IGNORECASE
)
"""An address within the recipient's own servers, which nobody wrote to (RFC 6761, RFC 6762, RFC 3464 section 2.3.1)."""


def _recipients_in(fields: Fields) -> tuple[str, str]:
    """Return the address that a report is about, and the one that was written to, '' where it does not say."""
    from smtp_wizard.engine.explain.readers.bounce_prose import address_in

    original = address_in(_without_kind(fields.get("original-recipient", "")))
    recipient = address_in(_without_kind(fields.get("final-recipient", ""))) or original
    if original and _INTERNAL.search(recipient) is not None:
        recipient = original
    return recipient, original


def _other(fields: Fields) -> OtherRecipient:
    return OtherRecipient(
        recipient=_recipients_in(fields)[0],
        action=fields.get("action", "").lower().partition(" ")[0],
        status=_status_in(fields.get("status", "")),
        server=_without_kind(fields.get("remote-mta", "")).partition(" ")[0].lower(),
        words=_without_kind(fields.get("diagnostic-code", "")),
    )


_MOST = 100


def _reported(every: Sequence[Fields], body: str, date: str) -> Bounce:
    from smtp_wizard.engine.explain.readers.bounce_prose import command_in, is_forwarded, refuser_in, server_in

    fields = every[0]
    status = _status_in(fields.get("status", ""))
    diagnostic = _without_kind(fields.get("diagnostic-code", ""))
    recipient, original = _recipients_in(fields)
    reporter = _without_kind(fields.get("reporting-mta", "")).partition(" ")[0].lower()
    return Bounce(
        text=_to_explain(status, diagnostic, body),
        action=fields.get("action", "").lower().partition(" ")[0],
        status=status,
        diagnostic=diagnostic,
        recipient=recipient,
        server=_without_kind(fields.get("remote-mta", "")).partition(" ")[0].lower()
        or server_in(diagnostic)
        or refuser_in(body, reporter),
        reporter=reporter,
        command=command_in(body),
        since=date or fields.get("last-attempt-date", "") or fields.get("arrival-date", ""),
        until=fields.get("will-retry-until", ""),
        forwarded=is_forwarded(diagnostic or body) or (bool(original) and original.casefold() != recipient.casefold()),
        others=tuple(other for each in every[1:_MOST] if (other := _other(each)).recipient not in ("", recipient)),
    )


def _told(letter: MailMessage | None, heading: str, body: str, date: str) -> Bounce:
    """Return what a letter says that is for people alone."""
    from smtp_wizard.engine.explain.readers import bounce_prose as letters

    told = f"{heading}\n{body}"
    failed = letter.head.get("x-failed-recipients") if letter is not None else ""
    reason = letters.reason_in(body)
    reporter = letters.reporter_in(body)
    written_to = letters.expanded_from(body)
    return Bounce(
        text=reason,
        action="delayed" if letters.is_delay(told) else "failed",
        recipient=letters.address_in(failed) or written_to or letters.recipient_in(body),
        server=letters.server_in(reason) or letters.refuser_in(body, reporter),
        reporter=reporter,
        command=letters.command_in(body),
        since=date,
        until=letters.until_in(body),
        forwarded=bool(written_to) or letters.is_forwarded(reason),
    )


def _to_explain(status: str, diagnostic: str, body: str) -> str:
    """Return the most telling words: the other server's; else what the letter says, with the status."""
    if status.endswith(_EXPIRED) and _BARE_CODE.match(diagnostic):
        return f"{diagnostic[:3]} {status}{diagnostic[3:]}"  # the plain code would speak of the address
    if _MIXED_CLASSES.match(diagnostic):  # as Exchange says it: given up, of what was to pass by itself
        return f"{diagnostic[:4]}{diagnostic[0]}{diagnostic[5:]}"
    if diagnostic and (not status or status in diagnostic or _BASIC_CODE.match(diagnostic)):
        return diagnostic
    if diagnostic:
        return f"{status} {diagnostic}"
    return f"{status} {body}".strip()


_BASIC_CODE = re.compile(r"\d{3}\D")
_BARE_CODE = re.compile(r"[45]\d\d[ -](?![245]\.\d)")
_MIXED_CLASSES = re.compile(r"5\d\d[ -]4\.\d{1,3}\.\d{1,3}(?![.\d])")
_EXPIRED = ".4.7"
"""Delivery time expired (RFC 3463 section 3.5)."""
_STATUS = re.compile(r"[245]\.\d{1,3}\.\d{1,3}")
_KIND = re.compile(r"\s*+[A-Za-z][\w\-]*+\s*+;\s*+")


def _status_in(value: str) -> str:
    """Return the enhanced code in a Status field, which may have a comment behind it."""
    found = _STATUS.match(value)
    return found[0] if found else ""


def _without_kind(value: str) -> str:
    """Take off the kind before a value: 'smtp; 550 ...', 'rfc822; ana@example.com', 'dns; mx.example.com'."""
    found = _KIND.match(value)
    return value[found.end() :].strip() if found else value.strip()


# --- letters for people alone ---

_BEFORE_RETURNED = (
    "-+ ?(?:this is a copy of|the headers? of the (?:original|returned)|below (?:this"
    "|the next) line is a copy|(?:the )?(?:original|returned|forwarded|undelivered) message)",
    "-+ ?message header|----- original|original message headers?:|message headers follow",
    "return-path: |received: ?(?:from|by) ",
)
_RETURNED = re.compile(rf"^[ \t>]*(?:{'|'.join(_BEFORE_RETURNED)})", re.IGNORECASE | re.MULTILINE)


def without_returned(body: str) -> str:
    """Cut off the returned message, whose words are the person's own and none of the server's.

    What stands before it must say something: a letter that was passed on has such a line before all that counts.
    """
    reason = _REASON.search(body)
    found = _RETURNED.search(body, reason.end()) if reason is not None else None
    return body[: found.start()] if found is not None else body


_REASON = re.compile(
    r"(?<!\d)[45]\d\d(?!\d)|[45]\.\d\.\d|deliver|fail|reject|refus|@|zustell|remis|entreg|consegn", re.IGNORECASE
)


def _odd_one(letter: MailMessage, body: str) -> Bounce | None:
    """Recognise one of the many forms that follow no standard."""
    import logging

    from flufl.bounce import all_failures

    # It logs what it trips over, which without a log goes to the terminal.
    logging.getLogger("flufl.bounce").setLevel(logging.CRITICAL + 1)
    try:
        temporary, permanent = all_failures(_shortened(letter))
    except Exception:  # it reads what strangers wrote, by many rules: whatever it trips over is no bounce for us
        return None
    if not temporary and not permanent:
        return None
    recipient = min(permanent or temporary).decode("utf-8", "replace")
    found = _told(letter, "", without_returned(body), letter.head.get("date"))
    return replace(found, text=without_returned(body), action="failed" if permanent else "delayed", recipient=recipient)


_SHORT_LINE = 300
_SHORT_LETTER = 20_000
_SHORT_HEADER = 50
"""What a letter is cut to: characters of a line and of all its text, fields of a header."""


def _shortened(letter: MailMessage) -> Message:
    """Return a letter in the form of the standard library, so short that patterns of any kind are done with it soon.

    In ASCII, as all those patterns are: the standard library raises for some other letters.
    """
    from email.message import Message

    made = Message()
    for name, value in letter.head.fields[:_SHORT_HEADER]:
        if name.lower() not in _OF_THE_CONTENT:
            made[name] = _ascii(value)
    made["Content-Type"] = letter.head.kind
    room = _SHORT_LETTER
    if len(letter.parts) == 1:
        made.set_payload(_shortened_text(letter.head, room))
        return made
    for part in letter.parts[1:]:
        if part.kind in _READABLE and room > 0:
            inner = Message()
            inner["Content-Type"] = part.kind
            if about := part.get("content-description"):
                inner["Content-Description"] = _ascii(about)
            text = _shortened_text(part, room)
            room -= len(text)
            inner.set_payload(text)
            made.attach(inner)
    return made


_OF_THE_CONTENT = frozenset({"content-type", "content-transfer-encoding"})


def _shortened_text(part: MessagePart, room: int) -> str:
    return "\n".join(map(_ascii, part.text().splitlines()))[:room]


def _ascii(line: str) -> str:
    return line[:_SHORT_LINE].encode("ascii", "replace").decode()
