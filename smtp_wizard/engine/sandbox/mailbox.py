"""The mailbox of the practice server: a Maildir in which everything stays that was sent to it.

<folder>/mailbox/        the messages; they outlive the process
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from smtp_wizard.engine.base.file_ownership import refuse_foreign_owners
from smtp_wizard.engine.base.mail_message import MailMessage, decoded, in_charset, read_message
from smtp_wizard.engine.base.private_files import read_private, read_start
from smtp_wizard.engine.base.shown import shown

if TYPE_CHECKING:
    import mailbox

MOST_KEPT = 200
"""Messages that the mailbox keeps; the oldest makes room for the newest."""
_HEADERS_READ = 64 * 1024
_LARGEST = 16 * 1024 * 1024
"""Bytes of a message that is read; the server takes smaller ones only."""


@dataclass(frozen=True, slots=True)
class SandboxMessage:
    """One message in the practice mailbox. The words come from outside and are cleaned."""

    key: str
    """What `read` takes."""
    when: datetime
    """When it arrived, in UTC."""
    sender: str
    """Of the envelope."""
    recipients: tuple[str, ...]
    """Of the envelope."""
    subject: str
    size: int
    """Bytes on the disk."""
    path: Path


def messages(folder: Path, limit: int = MOST_KEPT) -> tuple[SandboxMessage, ...]:
    """Return the newest `limit` messages below the sandbox's folder, newest first; none where there is no mailbox.

    What is no message of ours is left out. Raises `UnsafeFile` where others may change the folder, `OSError`.
    """
    refuse_foreign_owners(_mailbox_path(folder))
    return tuple(found for path in _newest_first(folder)[:limit] if (found := _summary(path)) is not None)


def read(folder: Path, key: str) -> MailMessage:
    """Return one message, whatever is in it. Raises `KeyError` where there is none with that key, `UnsafeFile`,
    `OSError`.
    """
    path = next((each for each in _newest_first(folder) if _key(each) == key), None)
    try:
        if path is not None:
            return read_message(read_private(path, _LARGEST).decode("latin-1"), octets=True)
    except FileNotFoundError:  # another process has deleted it just now
        pass
    raise KeyError(key)


def readable(value: str) -> str:
    """Return a header field of a message in words: its octets as UTF-8 (RFC 6532), its encoded words in clear."""
    return decoded(in_charset(value.encode("latin-1", "replace"), "utf-8"))


def clear(folder: Path) -> int:
    """Delete the messages; return how many there were. Raises `UnsafeFile`, `OSError`."""
    refuse_foreign_owners(_mailbox_path(folder))
    paths = _newest_first(folder)
    for path in paths:
        path.unlink(missing_ok=True)
    return len(paths)


def _mailbox_path(folder: Path) -> Path:
    return folder / "mailbox"


def open_mailbox(folder: Path) -> mailbox.Maildir:
    """Return the Maildir; it is made where there is none. Raises `OSError`."""
    import mailbox

    return mailbox.Maildir(_mailbox_path(folder), factory=None, create=True)


def deliver(folder: Path, message: bytes) -> str:
    """Keep a message, readable by its owner only, and let the oldest go; return its key."""
    key = open_mailbox(folder).add(message.replace(b"\r\n", b"\n"))
    (_mailbox_path(folder) / "new" / key).chmod(0o600)
    for path in _newest_first(folder)[MOST_KEPT:]:
        path.unlink(missing_ok=True)
    return key


def _newest_first(folder: Path) -> list[Path]:
    arrived: list[tuple[int, str, Path]] = []
    for place in ("new", "cur"):
        with suppress(FileNotFoundError, NotADirectoryError):
            for path in (_mailbox_path(folder) / place).iterdir():
                # Another process may delete it just now.
                with suppress(FileNotFoundError):
                    arrived.append((path.stat().st_mtime_ns, path.name, path))
    return [path for _, _, path in sorted(arrived, reverse=True)]


def _summary(path: Path) -> SandboxMessage | None:
    """Read the head of one message; None where it has just been deleted, or is none of ours."""
    try:
        facts = path.stat()
        head = read_message(read_start(path, _HEADERS_READ).decode("latin-1"), octets=True).head
    except OSError:
        return None
    return SandboxMessage(
        key=_key(path),
        when=datetime.fromtimestamp(facts.st_mtime, UTC),
        sender=shown(readable(head.get("return-path")).strip("<> ")),
        recipients=tuple(shown(readable(one)) for one in head.all("delivered-to")[:100]),
        subject=shown(readable(head.get("subject"))),
        size=facts.st_size,
        path=path,
    )


def _key(path: Path) -> str:
    """Return a message's name without its flags (maildir(5))."""
    return path.name.partition(":")[0]


def trace(helo: str, sender: str, recipients: Sequence[str], now: datetime) -> bytes:
    """Return what a server writes above a message that it takes (RFC 5321 section 4.4)."""
    from email.utils import format_datetime

    lines = [
        f"Return-Path: <{shown(sender)}>",
        *(f"Delivered-To: {shown(one)}" for one in recipients),
        f"Received: from {shown(helo, 255)} by localhost with ESMTPSA; {format_datetime(now)}",
    ]
    return "".join(f"{line}\n" for line in lines).encode()
