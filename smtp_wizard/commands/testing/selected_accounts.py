"""Which of the saved accounts a command is for: names, names with wildcards, all; and what is left out of them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from difflib import get_close_matches
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Any, TypeVar

import click

from smtp_wizard.commands.faults import refuse_unread_state
from smtp_wizard.commands.options.ages import parse_age
from smtp_wizard.commands.options.connection import parsed_by
from smtp_wizard.commands.options.shell_completion import account_tags
from smtp_wizard.engine.accounts.account import name_key
from smtp_wizard.engine.accounts.saved_accounts import AccountFileError
from smtp_wizard.engine.accounts.tags import parse_tag
from smtp_wizard.engine.base.shown import NO_WORDS, phrase, shown
from smtp_wizard.engine.base.stages import Verdict
from smtp_wizard.engine.lazy_dataclass import dataclass
from smtp_wizard.runtime.exit_codes import CommandError, Exit

if TYPE_CHECKING:
    from smtp_wizard.engine.accounts.account import Account
    from smtp_wizard.engine.accounts.saved_accounts import SavedAccounts

F = TypeVar("F", bound=Callable[..., Any])

WILDCARDS = frozenset("*?[")
FAILING = "failing"


@dataclass(frozen=True, slots=True, kw_only=True)
class Selection:
    """What was said about the accounts that are wanted."""

    names: tuple[str, ...]
    """Names, or patterns of names ('Shop*')."""
    every: bool
    failing: bool = False
    """Those alone whose last test failed, or nobody knows how it ended."""
    since: timedelta | None = None
    """Without those that were tested in this time."""
    tags: tuple[str, ...] = ()
    """Those alone that carry one of these."""

    @property
    def filters(self) -> bool:
        """Whether something is left out; then it may be everything."""
        return self.failing or self.since is not None or bool(self.tags)


def selection_options(command: F) -> F:
    """Add the options that leave accounts out; `selection_from` reads them."""
    for option in (
        click.option(
            "--tag",
            "tags",
            metavar="TAG",
            multiple=True,
            callback=parsed_tags,
            shell_complete=account_tags,
            help="Test only accounts with this tag (repeatable).",
        ),
        click.option(
            "--since",
            metavar="AGE",
            callback=parsed_by(parse_age),
            help="Skip accounts tested within this time, such as 30m, 12h, 2d or 1w.",
        ),
        click.option("--only", type=click.Choice([FAILING]), help="Test only accounts whose last test failed."),
    ):
        command = option(command)
    return command


def parsed_tags(context: click.Context, parameter: click.Parameter, given: tuple[str, ...]) -> tuple[str, ...]:
    """As a callback of click: parse each tag, or refuse it with the sentence of its `InputError`."""
    convert = parsed_by(parse_tag)
    return tuple(convert(context, parameter, each) for each in given)


def selection_from(names: Sequence[str], *, every: bool, given: dict[str, Any]) -> Selection:
    """Take what was said about the accounts out of what click gives."""
    return Selection(
        names=tuple(names),
        every=every,
        failing=given.pop("only") == FAILING,
        since=given.pop("since"),
        tags=given.pop("tags"),
    )


def selected_accounts(saved_accounts: SavedAccounts, wanted: Selection, now: datetime) -> tuple[Account, ...]:
    """Return the accounts that are wanted, each once. None may be left only where something filters.

    Raises `CommandError`, `NoSuchAccount`, `AccountFileError`, `click.UsageError`.
    """
    if wanted.every and wanted.names:
        raise click.UsageError("Name accounts, or say --all; not both.")
    found = _named(saved_accounts, wanted.names) if wanted.names else _all(saved_accounts, wanted)
    if wanted.failing:
        refuse_unread_state(saved_accounts.state, phrase("Without --only failing every account is tested."))
    if wanted.tags:
        _refuse_unknown_tags(saved_accounts, wanted.tags)
    return tuple(account for account in found if _fits(account, wanted, now))


def _named(saved_accounts: SavedAccounts, names: Sequence[str]) -> tuple[Account, ...]:
    """Return the accounts of these names; a pattern means those whose names fit it, unless one is called just so."""
    if not any(WILDCARDS & set(name) for name in names):
        return saved_accounts.get_all(names)
    known = {name_key(account.name): account.name for account in saved_accounts.list()}
    meant = [each for name in names for each in _meant(name, known)]
    return saved_accounts.get_all(meant)


def _meant(name: str, known: Mapping[str, str]) -> list[str]:
    key = name_key(name)
    if key in known or not WILDCARDS & set(name):
        return [name]
    fitting = [each for other, each in known.items() if fnmatchcase(other, key)]
    if not fitting:
        raise CommandError(
            "no-such-account",
            phrase("No account has a name like '{}'.", shown(name, 60)),
            phrase("'smtp-wizard accounts' lists them."),
            Exit.NOT_FOUND,
        )
    return fitting


def _all(saved_accounts: SavedAccounts, wanted: Selection) -> tuple[Account, ...]:
    saved = saved_accounts.list()
    if not saved and (unread := saved_accounts.unread()):
        raise AccountFileError(unread[0])
    if not saved:
        raise CommandError(
            "no-accounts", phrase("No account is saved yet."), phrase("'smtp-wizard setup' makes one."), Exit.NOT_FOUND
        )
    if len(saved) > 1 and not wanted.every and not wanted.filters:
        listed = ", ".join(account.name for account in saved[:10])
        raise CommandError(
            "which-account", phrase("Which account? There are: {}.", shown(listed)), phrase("Name some, or say --all.")
        )
    return saved


def _refuse_unknown_tags(saved_accounts: SavedAccounts, tags: Sequence[str]) -> None:
    """Raise `CommandError` where no account carries a tag: a monitor of nothing would call it well for ever."""
    known = {tag for account in saved_accounts.list() for tag in account.tags}
    for tag in tags:
        if tag not in known:
            close = get_close_matches(tag, sorted(known), n=1)
            meant = phrase("Did you mean '{}'?", shown(close[0])) if close else NO_WORDS
            raise CommandError("no-such-tag", phrase("No account has the tag '{}'.", shown(tag)), meant, Exit.NOT_FOUND)


def _fits(account: Account, wanted: Selection, now: datetime) -> bool:
    last = account.last
    failed = last is not None and last.verdict in (Verdict.FAIL, Verdict.UNKNOWN)
    # What lies ahead of the clock, which was set back, says nothing of how long ago it was.
    lately = last is not None and wanted.since is not None and timedelta(0) <= now - last.at < wanted.since
    tagged = not wanted.tags or bool(set(wanted.tags) & set(account.tags))
    return tagged and (failed or not wanted.failing) and not lately
