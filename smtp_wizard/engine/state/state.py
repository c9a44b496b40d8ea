"""All that the program learns about saved accounts, of one config folder."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from smtp_wizard.engine.base.private_files import lock_of
from smtp_wizard.engine.state.last_told import LastTold
from smtp_wizard.engine.state.mailbox_marks import MailboxMarks
from smtp_wizard.engine.state.named_servers import NamedServers
from smtp_wizard.engine.state.notifications import Notifications
from smtp_wizard.engine.state.results import Results
from smtp_wizard.engine.state.sign_in_renewals import SignInRenewals
from smtp_wizard.engine.state.storage import Storage

if TYPE_CHECKING:
    from filelock import BaseFileLock

FRESH = timedelta(hours=1)
"""What is newer may be of an account that another process has just saved."""


class State:
    """What is learnt, of one config folder. Built once, with the accounts."""

    def __init__(self, folder: Path, *, lock_limit: float = 5.0) -> None:
        """`folder`: see `paths.config_dir`. `lock_limit`: seconds to wait for another process that is writing.

        Nothing is opened or made until there is something to read or to write.
        """
        self._folder = folder
        self.storage = Storage(folder, lock_limit)
        self.results = Results(self.storage)
        self.sign_in_renewals = SignInRenewals(self.storage)
        self.last_told = LastTold(self.storage)
        self.mailboxes = MailboxMarks(self.storage)
        self.named_servers = NamedServers(self.storage)
        self.notifications = Notifications(self.storage)

    @contextmanager
    def alone(self, name: str, seconds: float) -> Iterator[None]:
        """Have no other process do what is called `name` meanwhile, so that what is told once is told once.

        After so many seconds, and where no file can be locked, it is done all the same.
        """
        import filelock

        lock: BaseFileLock | None = None
        try:
            lock = filelock.FileLock(lock_of(self._folder / name), timeout=seconds, mode=0o600)
            lock.acquire()
        except OSError:  # as is a time that is up
            lock = None
        try:
            yield
            self.storage.flush()
        finally:
            if lock is not None:
                lock.release()

    def forget(self, account: str) -> None:
        """Delete all that is known of an account, by its id. What waits to be mailed of it is still told."""
        self.results.forget(account)
        self.sign_in_renewals.forget(account)
        self.last_told.forget(account)
        self.mailboxes.forget(account)
        self.named_servers.forget(account)

    def tidy(self, accounts: Iterable[str], now: datetime) -> None:
        """Delete what belongs to none of `accounts`, the ids of all that are saved, and what waited for too long to be
        mailed. What is new is left.
        """
        saved = frozenset(accounts)
        self.results.tidy(saved, now - FRESH)
        self.sign_in_renewals.tidy(saved, now - FRESH)
        self.last_told.tidy(saved, now - FRESH)
        self.mailboxes.tidy(saved, now - FRESH)
        self.named_servers.tidy(saved, now - FRESH)
        self.notifications.tidy(now)

    def flush(self, seconds: float | None = None) -> tuple[str, ...]:
        """Write everything, close the file, and return in sentences what went wrong since the last time.

        To be called at the end of a program, and not in an event loop. `seconds`: how long that may take.
        """
        self.storage.flush(seconds)
        return self.problems()

    def problems(self) -> tuple[str, ...]:
        """Return in sentences what went wrong since the last time."""
        return self.storage.problems()

    @property
    def unread(self) -> str:
        """Why nothing could be read when that was tried last, in a sentence; '' where it could, or there is nothing."""
        return self.storage.unread

    @property
    def readable(self) -> bool:
        """Whether there is a file that can be read; what is wrong with one that cannot is in `problems()`."""
        return self.storage.read(lambda file: file.execute("SELECT 1 FROM results LIMIT 1").fetchall()) is not None

    @property
    def counts_sign_ins(self) -> bool:
        """Whether any sign-in of whatever account has not succeeded, or is under way; False where nothing is known."""
        return bool(self.storage.read(lambda file: file.execute("SELECT 1 FROM attempts LIMIT 1").fetchall()))
