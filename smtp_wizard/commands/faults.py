"""What an exception means to the person: a known fault in its own words, any other as a bug that is written down."""

from __future__ import annotations

import errno
from typing import TYPE_CHECKING

from smtp_wizard.commands.invocation import Invocation
from smtp_wizard.engine.base.shown import NO_WORDS, Shown, join, phrase, shown
from smtp_wizard.engine.secrets.secret_store import ReferenceMissing, SecretError, SecretFault
from smtp_wizard.engine.secrets.store_kinds import StoreKind
from smtp_wizard.runtime.exit_codes import CommandError, Exit
from smtp_wizard.runtime.fault_log import LAST_FAULT, FaultLog

if TYPE_CHECKING:
    from smtp_wizard.engine.diagnosis.finding import Finding
    from smtp_wizard.engine.state.state import State


def refuse_unread_state(state: State, hint: Shown = NO_WORDS) -> None:
    """Raise `CommandError` where what was learnt could not be read: nothing must not be taken for all there is."""
    if state.unread:
        state.problems()  # it is said here
        raise CommandError("state-unread", shown(state.unread), hint, Exit.SECRET)


def known_fault(problem: Exception) -> CommandError | None:
    """Return the error for an exception that the engine raises on purpose, None for a bug."""
    from smtp_wizard.engine.base.errors import ShownError

    known = _of_what_was_asked(problem) or _of_a_service(problem) or _of_this_computer(problem)
    if known is None and isinstance(problem, ShownError):
        return CommandError("failed", problem.words, exit_code=Exit.FAILED)
    return known


def _of_what_was_asked(problem: Exception) -> CommandError | None:
    """Return the error where the person asked for what is not there, or is not possible."""
    from smtp_wizard.engine.accounts.saved_accounts import Displaces, NameTaken, NoSuchAccount
    from smtp_wizard.engine.base.errors import InputError
    from smtp_wizard.engine.guides.guides import UnknownGuide

    match problem:
        case InputError():
            return CommandError("input", problem.words)
        case NoSuchAccount():
            listed = phrase("'smtp-wizard accounts' lists them.")
            return CommandError("no-such-account", problem.words, listed, Exit.NOT_FOUND)
        case UnknownGuide():
            listed = phrase("'smtp-wizard guide' lists them.")
            return CommandError("no-such-guide", problem.words, listed, Exit.NOT_FOUND)
        case NameTaken():
            return CommandError("name-taken", problem.words, REPLACE_HINT)
        case Displaces():
            return CommandError("displaces", problem.words, REPLACE_HINT)
    return None


def _of_a_service(problem: Exception) -> CommandError | None:
    """Return the error where a file of accounts, a place for secrets, a mailbox or a server does not do its part."""
    from smtp_wizard.engine.accounts.account import AccountsError
    from smtp_wizard.engine.base.file_ownership import UnsafeFile
    from smtp_wizard.engine.mailbox.findings import MailboxError
    from smtp_wizard.engine.oauth.errors import OAuthError
    from smtp_wizard.engine.sandbox.errors import SandboxError

    match problem:
        case AccountsError():
            return CommandError("accounts", problem.words, exit_code=Exit.SECRET)
        case SecretError():
            return CommandError(f"secret-{problem.fault.value}", problem.words, other_stores(problem), Exit.SECRET)
        case UnsafeFile():
            return CommandError("unsafe-file", problem.words, exit_code=Exit.SECRET)
        case MailboxError():
            return CommandError(problem.finding.code, problem.words, next_steps(problem.finding), Exit.FAILED)
        case OAuthError():
            return CommandError(f"oauth-{problem.fault.value}", problem.words, exit_code=Exit.SECRET)
        case SandboxError():
            return CommandError("sandbox", problem.words, exit_code=Exit.FAILED)
    return None


def _of_this_computer(problem: Exception) -> CommandError | None:
    """Return the error where the installation, the time or the system does not allow it."""
    from smtp_wizard.engine.base.data_files import DataError, DataUnread

    match problem:
        case DataUnread() if problem.crowded:
            more = phrase("Allow more open files: 'ulimit -n 1024' before the command.")
            return CommandError("data", problem.words, more)
        case DataError():
            again = phrase("What smtp-wizard knows is damaged here: install it again.")
            return CommandError("data", problem.words, again)
        case TimeoutError():
            over = phrase("The time allowed by --timeout was up.")
            return CommandError("timeout", over, phrase("Allow more of it."), exit_code=Exit.FAILED)
        case OSError() if problem.errno in _OF_THE_SYSTEM:
            return CommandError("system", _refused(problem), shown(_OF_THE_SYSTEM[problem.errno]), Exit.FAILED)
    return None


def next_steps(finding: Finding) -> Shown:
    """Return what to do about a finding, on one line, with the guide that helps."""
    steps = join(" ", finding.steps)
    said = phrase("{} The server said: {}", steps, finding.server_said) if finding.server_said else steps
    if not finding.guide:
        return said
    stop = phrase("." if said and said[-1] not in ".!?" else "")
    return phrase("{}{} See 'smtp-wizard guide {}'.", said, stop, shown(finding.guide))


_MANY_FILES = "Allow more of them (ulimit -n), or do less at once (--concurrency)."
_OF_THE_SYSTEM = {
    **dict.fromkeys((errno.ENOSPC, errno.EDQUOT, errno.EFBIG), "Make room, and start again."),
    **dict.fromkeys((errno.EMFILE, errno.ENFILE), _MANY_FILES),
    errno.ENOMEM: "End other programs, and start again.",
    **dict.fromkeys((errno.EIO, errno.ESTALE, errno.ENODEV, errno.ENXIO, errno.EROFS, errno.EBADF), ""),
    **dict.fromkeys((errno.EACCES, errno.EPERM, errno.ENAMETOOLONG, errno.ENOTDIR, errno.EISDIR, errno.ELOOP), ""),
}
"""What is nobody's fault here: the computer refuses it. Each with what helps, where something does."""


def _refused(problem: OSError) -> Shown:
    why = shown(problem.strerror or "no reason was given", 100)
    names = problem.filename if isinstance(problem.filename, str) else ""
    named = phrase("{} ({})", why, shown(names, 200)) if names else why
    return phrase("This computer refused something: {}.", named)


_OF_THE_KEYRING = (
    SecretFault.ABSENT,
    SecretFault.LOCKED,
    SecretFault.MUTE,
    SecretFault.FORGETS,
    SecretFault.UNSAFE,
    SecretFault.REFUSED,
    SecretFault.MISSING,
    SecretFault.TOO_LONG,
)


_ANOTHER_FILE = phrase(
    "Name the right file: --secret-file FILE; for a saved account: 'smtp-wizard accounts edit NAME --secret-file FILE'."
)
GIVE_PASSPHRASE = phrase("Give it: --passphrase-env NAME or --passphrase-command CMD.")


def other_stores(problem: SecretError) -> Shown:
    """Name the other places for a password, where the keyring is at fault, or what else helps; '' if nothing does."""
    if problem.fault is SecretFault.CLOSED:
        return GIVE_PASSPHRASE
    if isinstance(problem, ReferenceMissing):
        return _ANOTHER_FILE
    if problem.fault not in _OF_THE_KEYRING:
        return NO_WORDS
    others = " or ".join(f"--store {kind.value}" for kind in StoreKind if kind is not StoreKind.KEYRING)
    return phrase(
        "A password can be kept elsewhere: {}. An account that is saved already is moved by "
        "'smtp-wizard accounts edit NAME --store ...'.",
        shown(others),
    )


REPLACE_HINT = phrase("Add --replace if that is what you want.")


def reported_bug(problem: Exception, invocation: Invocation) -> CommandError:
    """Write a bug down; return the error that says so. Neither holds what was typed, or any variable's value."""
    kind = type(problem).__name__
    log = FaultLog(invocation.folder, LAST_FAULT).write(problem)
    where = phrase(" What happened is written in {}.", log) if log else NO_WORDS
    return CommandError(
        "bug", phrase("This is a fault of smtp-wizard itself ({}).{}", shown(kind), where), exit_code=Exit.BUG
    )
