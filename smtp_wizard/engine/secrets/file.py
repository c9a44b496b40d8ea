"""A file that somebody else writes: only its name is saved, and it is read each time."""

from __future__ import annotations

import errno
import os
import re
import stat
import struct
import unicodedata
from collections.abc import Iterator, Mapping
from pathlib import Path

from smtp_wizard.engine.base.errors import InputError
from smtp_wizard.engine.base.file_ownership import UnsafeFile, refuse_foreign_way
from smtp_wizard.engine.base.private_files import absolute
from smtp_wizard.engine.base.secret import Secret
from smtp_wizard.engine.base.shown import Shown, phrase, shown
from smtp_wizard.engine.base.threads import in_thread
from smtp_wizard.engine.secrets.command import password_line, unreadable
from smtp_wizard.engine.secrets.reference_stores import ReferenceStore
from smtp_wizard.engine.secrets.secret_store import LARGEST, Availability, ReferenceMissing, SecretError, SecretFault
from smtp_wizard.engine.secrets.store_kinds import StoreKind

CREDENTIALS = "$CREDENTIALS_DIRECTORY/"
"""Begins the name of a file that systemd hands to a service (systemd.exec(5), 'Credentials'); resolved when it is
read, since the folder is another one at each start."""

_ACL = "system.posix_acl_access"
_ACL_USER, _ACL_GROUP_OBJ, _ACL_GROUP, _ACL_MASK = 0x02, 0x04, 0x08, 0x10


def parse_secret_file(text: str) -> str:
    """Take the name of a file as typed; return it in full, or beginning with `$CREDENTIALS_DIRECTORY/`.

    Raises `InputError`. Whether the file is there is found out when it is read.
    """
    name = text.strip()
    if not name:
        raise InputError(phrase("Type the name of the file that has the password in its first line."))
    if any(unicodedata.category(ch) in {"Cc", "Cs"} for ch in name):
        raise InputError(phrase("That name has a character in it that cannot be seen; please type it by hand."))
    if name.startswith(CREDENTIALS):
        if not re.fullmatch(r"[A-Za-z0-9._@:-]+", entry := name.removeprefix(CREDENTIALS)) or entry in (".", ".."):
            raise InputError(phrase("After $CREDENTIALS_DIRECTORY/ stands the name of one credential."))
        return name
    if name.startswith("$"):
        raise InputError(
            phrase("Of the environment only $CREDENTIALS_DIRECTORY/ is understood here; type the file's full name.")
        )
    return str(absolute(Path(name)))


class FileStore(ReferenceStore):
    """Reads the first line of a file that its owner alone can read."""

    kind = StoreKind.FILE

    def __init__(self, environ: Mapping[str, str]) -> None:
        """`environ` says where `$CREDENTIALS_DIRECTORY` is."""
        self._environ = environ

    async def probe(self) -> Availability:
        return Availability(
            True,
            "Only the name of a file is saved: the password stands in it in clear, where no other user of this "
            "computer can read it but everybody who gets the disk or a backup can, and timed jobs (cron) can read it.",
            unattended=True,
        )

    async def read(self, where: str) -> Secret:
        path = self._path(where)

        def work() -> bytes | SecretError:
            # As a value: an exception that is carried from one thread to another has both as its context.
            try:
                return _content(path)
            except SecretError as problem:
                return problem

        found = await in_thread(work)  # a network's file system may hang
        if isinstance(found, ReferenceMissing):
            raise ReferenceMissing(found.words)
        if isinstance(found, SecretError):
            raise SecretError(found.fault, found.words)
        return password_line(found, phrase("The file {}", _shown(path)))

    def default(self, account_name: str) -> str:
        raise unreadable(phrase("No file is named that has the password in it."))

    def differs(self, where: str) -> Shown:
        return phrase(
            "The file {} has another password in it than the one that was given; write the right one there first.",
            shown(where, 200),
        )

    def _path(self, where: str) -> Path:
        if not where.startswith(CREDENTIALS):
            return Path(where)
        folder = self._environ.get("CREDENTIALS_DIRECTORY", "")
        if not folder:
            raise unreadable(
                phrase(
                    "The password is a credential of a systemd service, and $CREDENTIALS_DIRECTORY is not "
                    "set here: only the service itself can read it."
                )
            )
        return Path(folder) / where.removeprefix(CREDENTIALS)


def _content(path: Path) -> bytes:
    """Return a file's content, one byte more than `LARGEST` at most. Raises `SecretError`.

    What is looked at is what was opened, so it makes no difference what becomes of the name, or of a link, meanwhile.
    """
    try:
        # Not blocking: opening a pipe would wait for somebody who writes into it.
        handle = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0))
    except OSError as problem:
        raise _cannot_open(path, problem) from None
    try:
        _refuse(path, handle)
        raw = b""
        while len(raw) <= LARGEST and (more := os.read(handle, LARGEST + 1 - len(raw))):
            raw += more
        return raw
    except OSError as problem:
        raise _cannot_open(path, problem) from None
    finally:
        os.close(handle)


def _refuse(path: Path, handle: int) -> None:
    """Raise `SecretError` unless what was opened is a plain file that only its owner, or root, can read or replace."""
    found = os.fstat(handle)
    if not stat.S_ISREG(found.st_mode):
        raise unreadable(phrase("{} is no file.", _shown(path)))
    if os.name != "posix":
        return
    if found.st_uid not in (os.geteuid(), 0) and os.geteuid() != 0:
        raise SecretError(
            SecretFault.EXPOSED, phrase("The file {} belongs to another user, who can read it.", _shown(path))
        )
    if found.st_mode & stat.S_IRWXO or (found.st_mode & stat.S_IRWXG and not _group_bits_are_ours_alone(handle)):
        raise SecretError(
            SecretFault.EXPOSED,
            phrase(
                "Others on this computer can read or write the file {}, so it is not used; "
                "'chmod 600' on it ends that.",
                _shown(path),
            ),
        )
    try:
        refuse_foreign_way(path, found.st_uid)
    except UnsafeFile as problem:
        raise SecretError(
            SecretFault.EXPOSED, phrase("The file {} is not used: {}.", _shown(path), problem.words)
        ) from None


def _group_bits_are_ours_alone(handle: int) -> bool:
    """Whether the group's bits are only the mask of an access list that lets us in and nobody else.

    So systemd hands credentials to a service that runs as another user than root. Layout: Linux' posix_acl_xattr.h.
    """
    if not hasattr(os, "getxattr"):
        return False
    try:
        entries = list(_acl_entries(os.getxattr(handle, _ACL)))
    except (OSError, struct.error):
        return False
    mask = next((allowed for tag, allowed, _ in entries if tag == _ACL_MASK), 0o7)
    granted = [(tag, who) for tag, allowed, who in entries if allowed & mask]
    strangers = [
        who for tag, who in granted if tag in (_ACL_GROUP_OBJ, _ACL_GROUP) or (tag == _ACL_USER and who != os.geteuid())
    ]
    return bool(entries) and not strangers


def _acl_entries(raw: bytes) -> Iterator[tuple[int, int, int]]:
    """Yield tag, permissions and user or group of each entry. Raises `struct.error`."""
    yield from struct.iter_unpack("<HHI", raw[4:])


def _cannot_open(path: Path, problem: OSError) -> SecretError:
    if problem.errno in (errno.ENOENT, errno.ENOTDIR):
        return ReferenceMissing(phrase("The file {} is not there.", _shown(path)))
    return unreadable(
        phrase("The file {} could not be read: {}.", _shown(path), shown(problem.strerror or "unknown reason", 100))
    )


def _shown(path: Path) -> Shown:
    return shown(str(path), 200)
