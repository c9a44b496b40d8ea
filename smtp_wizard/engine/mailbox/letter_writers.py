"""Who has written a letter: a mail server, somebody's automatic reply (RFC 3834), or a person."""

from __future__ import annotations

import re
from collections.abc import Collection

from smtp_wizard.engine.base.mail_message import MailMessage, decoded
from smtp_wizard.engine.explain.readers.bounce_words import is_subject

DAEMON = re.compile(
    r"mailer-?daemon|postmaster|mail delivery (?:sub)?system|maildelivery|mail-?daemon|exchange[0-9a-f]{16}|"
    r"\bbounces?\b",
    re.IGNORECASE,
)


def is_by_a_server(letter: MailMessage) -> bool:
    """Whether a letter looks as if a mail server had written it: by its head, its envelope, or its From."""
    head = letter.head
    if head.get("x-failed-recipients") or is_exchange_report(letter):
        return True
    empty = "return-path" in {name.lower() for name, _ in head.fields} and head.get("return-path").strip() == "<>"
    return (empty and not is_auto_reply(letter)) or DAEMON.search(decoded(head.get("from"))[:500]) is not None


def is_by_a_person(letter: MailMessage, ours: Collection[str]) -> bool:
    """Whether the envelope says that no mail server has written a letter: such mail has no sender there, so that
    nothing comes back of it (RFC 5321 section 4.5.5, RFC 3464 section 2). Some servers name themselves instead.
    """
    path = letter.head.get("return-path").strip().strip("<>").casefold()
    return "@" in path and path not in ours and DAEMON.search(path) is None


def is_exchange_report(letter: MailMessage) -> bool:
    """Whether Exchange says in the head that this is a report about mail that failed: the field is empty."""
    return "x-ms-exchange-message-is-ndr" in {name.lower() for name, _ in letter.head.fields}


def is_report_of_another_kind(letter: MailMessage) -> bool:
    """Whether a letter is a report that says something else, such as that a message was read (RFC 8098)."""
    kind = letter.head.parameter("report-type").lower()
    return letter.head.kind == "multipart/report" and kind not in ("", "delivery-status")


_OUT_OF_OFFICE = re.compile(
    r"\b(?:out of (?:the )?office|automatic reply|auto(?:matic)?[ -]?(?:reply|response)|autoreply|abwesen(?:d|heit)|"
    r"absence|vacation|risposta automatica|respuesta autom)",
    re.IGNORECASE,
)


def is_auto_reply(letter: MailMessage) -> bool:
    """Whether a program answers for a person who is away (RFC 3834)."""
    head = letter.head
    if is_subject(subject_of(letter), first=True):  # what is called so behind it is the returned message
        return False
    said = head.get("auto-submitted").partition(";")[0].strip().lower()
    if said == "auto-replied" or head.get("x-autoreply") or head.get("x-autorespond"):
        return letter.head.kind != "multipart/report"
    return _OUT_OF_OFFICE.search(subject_of(letter)) is not None


def subject_of(letter: MailMessage) -> str:
    """Return the subject of a letter as a person reads it; may be cut."""
    return decoded(letter.head.get("subject"))[:300]


def is_receipt(letter: MailMessage) -> bool:
    """Whether a letter is called a receipt: the message went on, or has arrived."""
    return _WENT_WELL.search(subject_of(letter)) is not None


_WENT_WELL = re.compile(
    r"\((?:relay(?:ed)?|success|delivered|expanded)\)\s*$"
    r"|^\s*(?:relayed|delivered|expanded|zugestellt|weitergeleitet|remis|relay.|entregado|consegnato|afgeleverd)\s*:",
    re.IGNORECASE,
)
"""What a receipt is called that has no report for machines: Exchange and IIS write such ones."""
