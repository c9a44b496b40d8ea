"""Who owns a file or a folder, and who else may change it: looked at as ssh looks at its own settings.

A command that stands in `accounts.json` is run, and to a server that stands in `providers.yaml` passwords are sent. So
nothing is believed that another user than oneself or root owns or may write to, nor what is reached through a folder
or a link of theirs. Only POSIX systems are looked at.
"""

from __future__ import annotations

import errno
import os
import shlex
import stat
import struct
from collections.abc import Iterator
from pathlib import Path

from smtp_wizard.engine.base.shown import Shown, phrase, shown

ROOT = 0
_ACL = "system.posix_acl_access"
ACL_USER, ACL_GROUP_OBJ, ACL_GROUP, ACL_MASK = 0x02, 0x04, 0x08, 0x10
_WRITE = 2
_MOST_LINKS = 40
_LARGEST_PASSWD = 1_000_000
"""Bytes that are read of the computer's own list of users."""
_UNMAPPED = 65534
"""The user that stands for all that a user namespace does not know (user_namespaces(7))."""


class UnsafeFile(OSError):
    """Another user owns a file or a folder, or may change it. The text is one sentence that says what to do."""

    def __init__(self, words: Shown) -> None:
        super().__init__(errno.EPERM, words)
        self.words = words

    def __str__(self) -> str:
        return self.words


def refuse_foreign_owners(path: Path) -> None:
    """Raise `UnsafeFile` where a folder or file, or a folder or link that leads to it, is another user's to change.

    Above it a folder that all may write to is good where its sticky bit keeps them from each other's files, as in /tmp.
    `path` is absolute; what is missing of it is nobody's. Raises `OSError` where it cannot be looked at.
    """
    if os.name == "posix":
        for step, found, last in _way(path):
            _refuse(step, found, step, leads=not last)


def refuse_foreign_owners_open(path: Path, handle: int) -> None:
    """Raise `UnsafeFile` where another user owns, or may change, the file that is open as `handle`."""
    if os.name == "posix":
        _refuse(path, os.fstat(handle), handle)


def refuse_other_writers(path: Path) -> None:
    """Raise `UnsafeFile` where others than its owner may change a file that the person named, no matter who owns it.

    The text goes on after words that name the file. Raises `OSError` where it cannot be looked at.
    """
    if os.name == "posix":
        found = path.stat()
        who = other_writers(path, found)
        if who and stat.S_ISREG(found.st_mode):
            raise UnsafeFile(phrase("other users may change it; 'chmod {}-w' on it ends that", shown(who)))


def refuse_foreign_way(path: Path, owner: int) -> None:
    """Raise `UnsafeFile` where somebody could put another file into the place of one that the person named.

    That is anybody who owns, or may write to, a folder or link that leads to it, apart from this user, root and the
    file's `owner`. The text goes on after words that name the file. Raises `OSError` where it cannot be looked at.
    """
    if os.name != "posix":
        return
    for step, found, last in _way(path):
        if last:
            return
        if not (_is_trusted(found.st_uid) or found.st_uid == owner or _is_unmapped(found.st_uid)):
            raise UnsafeFile(
                phrase(
                    "the {} {} that leads to it belongs to {}, who could put another file there",
                    _kind(found),
                    _quoted(step),
                    _user(found.st_uid),
                )
            )
        guarded = stat.S_ISLNK(found.st_mode) or found.st_mode & stat.S_ISVTX
        who = "" if guarded else other_writers(step, found)
        if who:
            raise UnsafeFile(
                phrase(
                    "other users could put another file there, since they may change the folder {}; 'chmod {}-w' on it "
                    "ends that",
                    _quoted(step),
                    shown(who),
                )
            )


def other_writers(where: Path | int, found: os.stat_result, wanted: int = _WRITE) -> str:
    """Return who else has one of the rights `wanted` (4 read, 2 write, 1 search): '', 'g', 'o' or 'go', as for chmod.

    `where` is a path or an open file, `found` its status. The user's own group is nobody else where it is private, and
    a group's bits that are the mask of an access list (acl(5)) are judged by the list.
    """
    others = "o" if found.st_mode & wanted else ""
    if not found.st_mode & (wanted << 3):
        return others
    entries = access_list(where)
    strangers = _strangers(entries, found.st_gid, wanted) if entries else not is_private_group(found.st_gid)
    return ("g" if strangers else "") + others


def is_private_group(group: int) -> bool:
    """Whether a group stands for this user alone: their primary group, named as they are, with no other member.

    As pam_umask(8) tells it, which gives such users the umask 002. Two entries are looked up by number, and the list of
    users that lies on this computer is read; a directory service is never asked for all that it has. Root's own group
    is root's, where nobody else is in it.
    """
    import grp
    import pwd

    try:
        entry = grp.getgrgid(group)
        if not {_name(os.geteuid()), "root"}.issuperset(entry.gr_mem):
            return False
        if group == ROOT:
            return True
        user = pwd.getpwuid(os.geteuid())
    except (KeyError, OSError):
        return False
    return user.pw_gid == group and user.pw_name == entry.gr_name and not _other_users_of(group, {user.pw_uid, ROOT})


def _other_users_of(group: int, ours: set[int]) -> bool:
    """Whether the computer's own list has another user with this primary group (passwd(5))."""
    try:
        with Path("/etc/passwd").open("rb") as file:
            lines = file.read(_LARGEST_PASSWD).splitlines()
    except OSError:
        return False
    fields = [line.split(b":") for line in lines]
    return any(
        len(each) > 3 and each[3] == b"%d" % group and not (each[2].isdigit() and int(each[2]) in ours)
        for each in fields
    )


# -- one file or folder ------------------------------------------------------------------------------------------------


def _refuse(path: Path, found: os.stat_result, where: Path | int, *, leads: bool = False) -> None:
    """Raise `UnsafeFile` unless only this user and root may change it. `leads`: it is on the way to what is wanted."""
    if not (leads or stat.S_ISREG(found.st_mode) or stat.S_ISDIR(found.st_mode)):
        return  # a pipe, a device: the reader says so, and it makes no difference whose it is
    if not _is_trusted(found.st_uid) and not (leads and _is_unmapped(found.st_uid)):
        raise UnsafeFile(_owner_sentence(path, found, leads=leads))
    if stat.S_ISLNK(found.st_mode) or (leads and found.st_mode & stat.S_ISVTX):
        return
    who = other_writers(where, found)
    if who:
        raise UnsafeFile(_writer_sentence(path, found, who, leads=leads))


def _is_trusted(user: int) -> bool:
    return user in (ROOT, os.geteuid())


def _is_unmapped(user: int) -> bool:
    """Whether a user stands for those of the computer around: in a container without rights, root's folders are so."""
    if user != _UNMAPPED:
        return False
    try:
        ranges = [line.split() for line in Path("/proc/self/uid_map").read_text("ascii").splitlines()]
    except (OSError, ValueError):
        return False
    return bool(ranges) and sum(int(each[-1]) for each in ranges if each) < 2**32 - 1


def _owner_sentence(path: Path, found: os.stat_result, *, leads: bool) -> Shown:
    what, owner, ours = _kind(found), _user(found.st_uid), _name(os.geteuid())
    chown = "'chown -h {} {}'" if stat.S_ISLNK(found.st_mode) else "'chown {} {}'"
    command = phrase(chown, ours, _quoted(path))
    if leads:
        return phrase(
            "A {} on the way belongs to {}, who could put other settings there, so nothing behind it is "
            "used: name another folder with --config, or let root make it yours with {}.",
            what,
            owner,
            command,
        )
    if os.geteuid() == ROOT:
        return phrase(
            "The {} {} belongs to {}, and you are root, so it is not used: start smtp-wizard as "
            "that user, without sudo; or {} makes it root's.",
            what,
            _shown(path),
            owner,
            command,
        )
    return phrase(
        "The {} {} belongs to {}, so it is not used: {}, as root, makes it yours.", what, _shown(path), owner, command
    )


def _writer_sentence(path: Path, found: os.stat_result, who: str, *, leads: bool) -> Shown:
    command = phrase("'chmod {}-w {}'", shown(who), _quoted(path))
    if found.st_uid != os.geteuid() != ROOT:
        command = phrase("{}, as root,", command)
    if leads:
        return phrase(
            "Other users may change a {} on the way, and put other settings there, so nothing behind it "
            "is used: {} keeps them out, or name another folder with --config.",
            _kind(found),
            command,
        )
    return phrase(
        "Other users may change the {} {}, so it is not used: look at what is in it, then {} keeps them out.",
        _kind(found),
        _shown(path),
        command,
    )


def _kind(found: os.stat_result) -> Shown:
    if stat.S_ISLNK(found.st_mode):
        return phrase("link")
    return phrase("folder" if stat.S_ISDIR(found.st_mode) else "file")


def _name(user: int) -> Shown:
    """Return the name of a user, or the number where it has none."""
    import pwd

    try:
        return shown(pwd.getpwuid(user).pw_name, 40)
    except (KeyError, OSError):
        return phrase("{}", user)


def _user(user: int) -> Shown:
    return phrase("the user {}", _name(user))


def _shown(path: Path) -> Shown:
    return shown(path.name, 80)


def _quoted(path: Path) -> Shown:
    return shown(shlex.quote(str(path)), 200)


# -- what leads there --------------------------------------------------------------------------------------------------


def _way(path: Path) -> Iterator[tuple[Path, os.stat_result, bool]]:
    """Yield every folder and link that is passed on the way to `path`, from the root down, then what is there (True).

    Ends where something is missing. Raises `OSError`.
    """
    here, links = Path(path.anchor), 0
    left = list(reversed(path.parts[1:]))
    yield here, here.lstat(), not left
    while left:
        name = left.pop()
        if name == "..":
            here = here.parent
            continue
        step = here / name
        try:
            found = step.lstat()
        except (FileNotFoundError, NotADirectoryError):
            return
        is_link = stat.S_ISLNK(found.st_mode)
        yield step, found, not (left or is_link)
        if not is_link:
            here = step
            continue
        links += 1
        if links > _MOST_LINKS:
            raise OSError(errno.ELOOP, os.strerror(errno.ELOOP), str(path))
        target = step.readlink()
        if target.is_absolute():
            here = Path(target.anchor)
        left.extend(reversed(target.parts[1:] if target.is_absolute() else target.parts))


# -- access lists ------------------------------------------------------------------------------------------------------


def access_list(where: Path | int) -> list[tuple[int, int, int]]:
    """Return tag, rights and user or group of each entry of an access list; none where there is no list.

    Layout: Linux' posix_acl_xattr.h.
    """
    if not hasattr(os, "getxattr"):
        return []
    try:
        return list(struct.iter_unpack("<HHI", os.getxattr(where, _ACL)[4:]))
    except (OSError, struct.error):
        return []


def _strangers(entries: list[tuple[int, int, int]], group: int, wanted: int) -> bool:
    """Whether an access list gives one of the rights `wanted` to anybody but this user, their group, and root."""
    mask = next((allowed for tag, allowed, _ in entries if tag == ACL_MASK), 0o7)
    for tag, allowed, who in entries:
        if not allowed & mask & wanted:
            continue
        if tag == ACL_USER and not _is_trusted(who):
            return True
        if tag in (ACL_GROUP_OBJ, ACL_GROUP) and not is_private_group(group if tag == ACL_GROUP_OBJ else who):
            return True
    return False
