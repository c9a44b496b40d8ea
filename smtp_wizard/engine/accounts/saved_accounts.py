"""The saved accounts, kept in one file.

The file is written by the program alone, and only when a person has changed something: whole or not at all, readable by
its owner only, under a lock. It never holds a secret, only a reference to where the secret is kept. A file that cannot
be understood is said so and left as it is; one account in it that cannot is refused alone, and kept as it stands there.
What was learnt of an account since is read with it from `state`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from smtp_wizard.engine.accounts.account import NAME_LIMIT, Account, AccountsError, fit_name, name_key, new_id
from smtp_wizard.engine.accounts.account_file import (
    Contents,
    DamagedFile,
    NewerFile,
    Unread,
    account_from_json,
    account_to_json,
    contents_from_bytes,
    contents_to_bytes,
)
from smtp_wizard.engine.base import private_files
from smtp_wizard.engine.base.identity import Scope
from smtp_wizard.engine.base.shown import Shown, phrase, shown
from smtp_wizard.engine.base.strict_json import JsonError
from smtp_wizard.engine.secrets.store_kinds import StoreKind, StoreRef
from smtp_wizard.engine.state.sign_in_renewals import SignInRenewal
from smtp_wizard.engine.state.state import State

FILE_NAME = "accounts.json"
LARGEST = 64 * 1024 * 1024
"""Bytes of the file at most: some 80,000 accounts."""

QUICKLY_READ = 64 * 1024
"""Bytes of the file up to which reading it takes no time that anybody notices: some hundred accounts."""

MOST_TOLD = 5
"""Accounts that cannot be used, of which each is told by itself."""

_SUGGEST_FROM = 0.6
"""How alike two names must be (0 to 1) before one is offered for the other."""


class AccountFileError(AccountsError):
    """The file of the accounts could not be read or written. It is as it was before."""


class NoSuchAccount(AccountsError):
    """There is no account of that name; `suggestion` is the name that was perhaps meant."""

    def __init__(self, name: str, suggestion: str | None) -> None:
        words = phrase("There is no account named '{}'.", shown(name, NAME_LIMIT))
        meant = phrase("{} Did you mean '{}'?", words, shown(suggestion)) if suggestion else words
        super().__init__(meant)
        self.suggestion = suggestion


class UnreadAccount(AccountFileError):
    """The account of that name stands in the file, and cannot be understood."""


class NameTaken(AccountsError):
    """Another account has that name, and nobody said that it may be replaced."""

    def __init__(self, name: str) -> None:
        super().__init__(phrase("There is already an account named '{}'.", shown(name)))


class Displaces(AccountsError):
    """`other` is the account for all mail already, and nobody said that it may be displaced."""

    def __init__(self, other: Account) -> None:
        super().__init__(phrase("'{}' is the account for all mail already, and there can be only one.", other.name))
        self.other = other


Leaving = Callable[[Account], None]
"""Told of an account as it stands in the file, just before the file is written without it or with another in its place.
What it raises stops the writing."""

_Accounts = list[Account]
"""Has a name because `SavedAccounts.list` hides the built-in one inside the class."""


class SavedAccounts:
    """The saved accounts of one config folder. Built once at the front door and handed down."""

    def __init__(self, folder: Path, *, lock_limit: float = 5.0) -> None:
        """`folder`: see `paths.config_dir`. `lock_limit`: seconds to wait for another process that is saving."""
        self._folder = folder
        self._file = folder / FILE_NAME
        self._lock_limit = lock_limit
        self.state = State(folder, lock_limit=lock_limit)
        """What was learnt of the accounts, by their ids."""
        self._last_read: tuple[bytes, Contents] | None = None
        """What stood in the file, and what was made of it: a file that is as before is not taken apart again."""
        self._told_unread: set[Shown] = set()

    def list(self) -> tuple[Account, ...]:
        """Return all accounts by name, with what was learnt of each. Writes nothing. Raises `AccountFileError`."""
        return self.as_learnt(sorted(self._read(), key=lambda account: name_key(account.name)))

    def get(self, name: str) -> Account:
        """Return the account of that name, in upper or lower case. Raises `NoSuchAccount`, `AccountFileError`."""
        return self.get_all((name,))[0]

    def get_all(self, names: Iterable[str]) -> tuple[Account, ...]:
        """Return the accounts of those names, each once, in one look at the file. Raises as `get`."""
        accounts = self._read()
        by_key = {name_key(account.name): account for account in accounts}
        wanted = {name_key(name): name for name in names}
        for key, name in wanted.items():
            if key not in by_key:
                raise self._missing(accounts, name)
        return self.as_learnt([by_key[key] for key in wanted])

    def now(self, account: Account) -> Account:
        """Return an account as it is saved now, under whatever name. Raises `NoSuchAccount`, `AccountFileError`."""
        accounts = self._read()
        same = (other for other in accounts if account.id and other.id == account.id)
        return next(same, None) or accounts[self._place(accounts, account.name)]

    def known(self, id: str, name: str) -> Account:
        """Return the account of an id, under whatever name; of the name alone where it has no id. Raises as `get`."""
        if not id:
            return self.get(name)
        accounts = self._read()
        same = next((other for other in accounts if other.id == id), None)
        if same is None:
            raise self._missing(accounts, name)
        return self.as_learnt([same])[0]

    def holds_any(self) -> bool:
        """Whether there is any account, also one that cannot be used. Raises `AccountFileError`."""
        return self._contents() != Contents()

    def may_hold_any(self) -> bool:
        """Whether there is a list to go to: where the accounts cannot be read, the list says why."""
        try:
            return not self.are_quickly_read() or self.holds_any()
        except AccountsError:
            return True

    def are_quickly_read(self) -> bool:
        """Whether the file is so small that nobody notices how long it takes to read it; also where there is none."""
        try:
            return self._file.stat().st_size <= QUICKLY_READ
        except OSError:
            return True  # reading it ends at once

    def unread(self) -> tuple[Shown, ...]:
        """Say in a sentence each which accounts in the file cannot be used, and why. Raises `AccountFileError`."""
        return tuple(map(self._unread_words, self._contents().unread))

    def unread_entries(self) -> tuple[tuple[str, Shown], ...]:
        """Return what `unread` says, each with the account's name, '' where it tells none. Raises as `unread`."""
        return tuple((each.name, self._unread_words(each)) for each in self._contents().unread)

    def problems(self) -> tuple[Shown, ...]:
        """Return what `unread` says of the file as it was last read, as far as it was not returned before.

        Of many, how many more there are.
        """
        unread = self._last_read[1].unread if self._last_read is not None else ()
        found = [words for words in map(self._unread_words, unread) if words not in self._told_unread]
        self._told_unread.update(found)
        more = len(found) - MOST_TOLD
        rest = [phrase("{} more accounts there cannot be used either.", more)] if more > 0 else []
        return (*found[:MOST_TOLD], *rest)

    def stores(self) -> frozenset[StoreRef]:
        """Return where all accounts have their secrets. Raises `AccountFileError`, also where one does not tell.

        What is not among them belongs to no account, and may be deleted.
        """
        found = {account.store for account in self._read()}
        for each in self._contents().unread:
            try:
                found.add(each.store)
            except JsonError:
                raise UnreadAccount(self._unread_words(each)) from None
        return frozenset(ref for ref in found if ref is not None)

    def variables(self) -> tuple[str, ...]:
        """Return the names of the variables in which accounts have their secrets, as far as the file can be read."""
        try:
            refs = [account.store for account in self._read()]
        except AccountFileError:
            return ()
        for each in self._contents().unread:
            with suppress(JsonError):
                refs.append(each.store)
        return tuple(dict.fromkeys(ref.where for ref in refs if ref is not None and ref.kind is StoreKind.ENV))

    def suggest(self, name: str) -> str | None:
        """Return the name of an account that is much like `name`, or None. Raises `AccountFileError`."""
        return _suggestion(self._read(), name)

    def free_name(self, wanted: str) -> str:
        """Return `wanted` made into a name that no account has yet: 'Office', 'Office 2'. Raises `AccountFileError`."""
        contents = self._contents()
        names = [*(each.name for each in contents.accounts), *(each.name for each in contents.unread)]
        taken = {name_key(name) for name in names}
        base = fit_name(wanted)
        name, number = base, 1
        while name_key(name) in taken:
            number += 1
            ending = f" {number}"
            name = base[: NAME_LIMIT - len(ending)].rstrip() + ending
        return name

    def displaced_by(self, account: Account) -> Account | None:
        """Return the other account for all mail that saving `account` displaces, or None. Raises `AccountFileError`."""
        return _displaced(self._read(), account)

    def put(
        self,
        account: Account,
        *,
        replacing: bool = False,
        displacing: bool = False,
        leaving: Leaving = lambda _: None,
    ) -> Account | None:
        """Save an account; return the one that it replaced, whose secret may be kept elsewhere.

        `replacing`: one of the same name may be replaced (else `NameTaken`). `displacing`: another account for all
        mail becomes one for general mail in the same write (else `Displaces`). `leaving` is told of the one that is
        replaced. Raises `AccountFileError`, and `AccountsError` for an account that could not be read back.
        """
        with self._changing() as accounts:
            same = [other for other in accounts if name_key(other.name) == name_key(account.name)]
            if same and not replacing:
                raise NameTaken(same[0].name)
            self._refuse_name_of_unread(account.name)
            accounts[:] = [other for other in accounts if other not in same]
            _enter(accounts, _with_id(account, accounts, new_id()), displacing=displacing)
            for replaced in same:
                leaving(replaced)
        return same[0] if same else None

    def remove(self, name: str, *, leaving: Leaving = lambda _: None) -> Account:
        """Forget an account and return it, so that its secret can be deleted too. Raises as `get` does.

        `leaving` is told of it.
        """
        with self._changing() as accounts:
            removed = accounts.pop(self._place(accounts, name))
            leaving(removed)
        return removed

    def change(
        self, name: str, changed: Account, *, displacing: bool = False, leaving: Leaving = lambda _: None
    ) -> Account:
        """Put another account in place of the one of that name, under its own, perhaps new, name; return the old one.

        `leaving` is told of the old one. Raises as `get` and `put` do; `NameTaken` where the new name belongs to a
        third account.
        """
        return self._swapped(name, lambda _: changed, displacing=displacing, leaving=leaving)[0]

    def alter(
        self,
        name: str,
        work: Callable[[Account], Account],
        *,
        displacing: bool = False,
        leaving: Leaving = lambda _: None,
    ) -> Account:
        """Change an account into what `work` makes of it, as it stands in the file now; return the new one.

        So nothing is lost that another process has changed in it. What `work` raises stops the writing. Otherwise as
        `change`.
        """
        _, changed = self._swapped(name, work, displacing=displacing, leaving=leaving)
        return self.as_learnt([changed])[0]

    def alter_all(self, names: Iterable[str], work: Callable[[Account], Account]) -> tuple[Account, ...]:
        """Change several accounts in one writing, each as it stands in the file now; return the new ones.

        `work` changes neither the name nor what an account is for. All are changed or, where it raises, none. Otherwise
        as `alter`.
        """
        changed: list[Account] = []
        with self._changing() as accounts:
            places = {name_key(account.name): at for at, account in enumerate(accounts)}
            for name in names:
                at = places.get(name_key(name))
                if at is None:
                    raise self._missing(accounts, name)
                accounts[at] = work(accounts[at])
                changed.append(accounts[at])
        return self.as_learnt(changed)

    def _swapped(
        self, name: str, work: Callable[[Account], Account], *, displacing: bool, leaving: Leaving
    ) -> tuple[Account, Account]:
        """Return the old account and the new one."""
        with self._changing() as accounts:
            old = accounts.pop(self._place(accounts, name))
            changed = work(old)
            taken = [other for other in accounts if name_key(other.name) == name_key(changed.name)]
            if taken:
                raise NameTaken(taken[0].name)
            self._refuse_name_of_unread(changed.name)
            changed = _with_id(changed, accounts, old.id)
            _enter(accounts, changed, displacing=displacing)
            leaving(old)
        return old, changed

    @contextmanager
    def _changing(self) -> Iterator[_Accounts]:
        """Read, let the caller change the list, write: all under the lock. An exception inside writes nothing."""
        import filelock

        try:
            with filelock.FileLock(private_files.lock_of(self._file), timeout=self._lock_limit, mode=0o600):
                contents = self._contents()
                accounts = [*contents.accounts]
                yield accounts
                private_files.sweep_scratch(self._file)
                private_files.write_private(self._file, contents_to_bytes(accounts, contents.unread))
                self._told(contents, accounts)
        except filelock.Timeout:
            raise AccountFileError(
                phrase(
                    "Another smtp-wizard has been saving accounts for more than {:g} seconds; "
                    "nothing was saved, please try again.",
                    self._lock_limit,
                )
            ) from None
        except private_files.UnsafeFile as problem:
            raise AccountFileError(phrase("Nothing was saved. {}", problem.words)) from None
        except OSError as problem:
            raise AccountFileError(
                phrase(
                    "The accounts could not be saved in {}: {}; nothing there was changed.",
                    _shown(self._file),
                    _why(problem),
                )
            ) from None

    def _told(self, before: Contents, after: _Accounts) -> None:
        """Let the state follow: what was removed leaves nothing behind, and results leave the file for the state."""
        saved = {account.id for account in after} | {each.id for each in before.unread}
        self.state.results.carry_over(
            {each.id: each.last for each in before.accounts if each.last and each.id in saved}
        )
        for account in before.accounts:
            if account.id not in saved:
                self.state.forget(account.id)
        self.state.tidy(saved, datetime.now(UTC))

    def as_learnt(self, accounts: Sequence[Account]) -> tuple[Account, ...]:
        """Return accounts with their last results and renewals as known now, in one look at the state for all."""
        ids = [account.id for account in accounts]
        lasts = self.state.results.lasts(ids)
        logins = self.state.sign_in_renewals.latest([account.id for account in accounts if account.login])
        return tuple(
            replace(each, last=lasts.get(each.id, each.last), login=_newer(each.login, logins.get(each.id)))
            if each.id in lasts or each.id in logins
            else each
            for each in accounts
        )

    def _unread_words(self, unread: Unread) -> Shown:
        who = phrase("The account '{}'", shown(unread.name, NAME_LIMIT)) if unread.name else phrase("An account")
        return phrase(
            "{} in {} cannot be used ({}); it was left as it is: mend it there.",
            who,
            _shown(self._file),
            unread.problem,
        )

    def _missing(self, accounts: Sequence[Account], name: str) -> AccountsError:
        """Return why there is no account of that name."""
        for each in self._contents().unread:
            if each.name and name_key(each.name) == name_key(name):
                return UnreadAccount(self._unread_words(each))
        return NoSuchAccount(name, _suggestion(accounts, name))

    def _refuse_name_of_unread(self, name: str) -> None:
        """Raise `UnreadAccount` where an account in the file that cannot be understood has that name already."""
        problem = self._missing((), name)
        if isinstance(problem, UnreadAccount):
            raise problem

    def _place(self, accounts: Sequence[Account], name: str) -> int:
        """Return where the account of that name stands in the list. Raises as `get`."""
        for place, account in enumerate(accounts):
            if name_key(account.name) == name_key(name):
                return place
        raise self._missing(accounts, name)

    def _read(self) -> _Accounts:
        return [*self._contents().accounts]

    def _contents(self) -> Contents:
        try:
            data = private_files.read_private(self._file, LARGEST)
        except FileNotFoundError:
            return Contents()
        except private_files.UnsafeFile as problem:
            raise AccountFileError(problem.words) from None
        except OSError as problem:
            raise AccountFileError(
                phrase("The saved accounts in {} could not be read: {}.", _shown(self._file), _why(problem))
            ) from None
        try:
            if self._last_read is None or self._last_read[0] != data:
                self._last_read = data, contents_from_bytes(data)
            return self._last_read[1]
        except NewerFile:
            raise AccountFileError(
                phrase(
                    "The saved accounts in {} were written by a newer smtp-wizard; "
                    "please update this one (the file was left as it is).",
                    _shown(self._file),
                )
            ) from None
        except DamagedFile as problem:
            raise AccountFileError(
                phrase(
                    "The file {} is damaged ({}); it was left as it is: mend it, or move it away to begin anew.",
                    _shown(self._file),
                    problem.words,
                )
            ) from None


def _with_id(account: Account, others: Sequence[Account], id: str) -> Account:
    """Return an account with its own id, or with `id` where it has none, or another's: it is a copy of that one."""
    own = account.id and account.id not in {other.id for other in others}
    return account if own else replace(account, id=id)


def _suggestion(accounts: Sequence[Account], name: str) -> str | None:
    import difflib

    by_key = {name_key(account.name): account.name for account in accounts}
    close = difflib.get_close_matches(name_key(name)[:NAME_LIMIT], by_key, n=1, cutoff=_SUGGEST_FROM)
    return by_key[close[0]] if close else None


def _enter(accounts: list[Account], account: Account, *, displacing: bool) -> None:
    """Put an account among the others. Raises `Displaces`, and `AccountsError` for one that could not be read back."""
    if not _comes_back(account):
        raise AccountsError(phrase("The account '{}' cannot be saved as it is.", shown(account.name, NAME_LIMIT)))
    displaced = _displaced(accounts, account)
    if displaced is not None:
        if not displacing:
            raise Displaces(displaced)
        accounts[accounts.index(displaced)] = replace(displaced, scope=Scope.GENERAL)
    accounts.append(account)


def _comes_back(account: Account) -> bool:
    try:
        return account_from_json(account_to_json(account)) == account
    except JsonError:
        return False


def _displaced(accounts: Sequence[Account], account: Account) -> Account | None:
    if account.scope is not Scope.ALL:
        return None
    others = (other for other in accounts if name_key(other.name) != name_key(account.name))
    return next((other for other in others if other.scope is Scope.ALL), None)


def _shown(path: Path) -> Shown:
    return shown(str(path), 200)


def _why(problem: OSError) -> Shown:
    return shown(problem.strerror or type(problem).__name__, 100)


def _newer(saved: SignInRenewal | None, learnt: SignInRenewal | None) -> SignInRenewal | None:
    """Return what is known of a sign-in: as it was saved, or as it was renewed since."""
    if saved is None or learnt is None or (learnt.client_id, learnt.granted) != (saved.client_id, saved.granted):
        return saved
    return replace(saved, renewed=learnt.renewed, ends=learnt.ends) if learnt.renewed >= saved.renewed else saved
