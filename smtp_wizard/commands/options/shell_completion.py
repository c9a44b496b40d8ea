"""What the shell completes: names of accounts, ids of providers and guides. Nothing here may fail: it helps to type."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

import click

from smtp_wizard.commands.invocation import COMPLETING

if TYPE_CHECKING:
    from smtp_wizard.commands.invocation import Invocation

Complete = Callable[[click.Context, click.Parameter, str], list[str]]


def _completing(known: Callable[[Invocation], Iterable[str]]) -> Complete:
    """Return what gives those of the known words that begin as what was typed, in upper or lower case."""

    def complete(context: click.Context, _: click.Parameter, typed: str) -> list[str]:
        from smtp_wizard.runtime.expected_errors import EXPECTED_ERRORS

        invocation: Invocation = context.obj
        invocation.config = context.find_root().params.get("config") or invocation.config
        try:
            words = known(invocation)
        except EXPECTED_ERRORS:
            return []
        begun = typed.casefold()
        # What begins as an option does would be taken for one.
        found = (word for word in words if word.casefold().startswith(begun) and not word.startswith("-"))
        return [_for_shell(word) for word in found]

    return complete


def _scenarios(_: Invocation) -> Iterable[str]:
    from smtp_wizard.engine.sandbox.scenarios import load_scenarios

    return load_scenarios()


def _tags(invocation: Invocation) -> Iterable[str]:
    return sorted({tag for each in invocation.saved_accounts.list() for tag in each.tags})


def _schemas(_: Invocation) -> Iterable[str]:
    from smtp_wizard.output.schemas import NAMES

    return NAMES


account_names = _completing(lambda invocation: [each.name for each in invocation.saved_accounts.list()])
provider_ids = _completing(lambda invocation: [each.id for each in invocation.catalog.providers])
guide_ids = _completing(lambda invocation: invocation.guides.ids())
account_tags = _completing(_tags)
scenario_ids = _completing(_scenarios)
schema_names = _completing(_schemas)

_ODD = re.compile(r"[^\w@%+=:,./-]", re.ASCII)


def _for_shell(word: str) -> str:
    r"""Return a word as the shell's script takes it.

    Bash's puts it on the line as it is, and its `read` takes one backslash of two; the others quote by themselves.
    """
    return _ODD.sub(r"\\\\\g<0>", word) if os.environ.get(COMPLETING, "").startswith("bash") else word
