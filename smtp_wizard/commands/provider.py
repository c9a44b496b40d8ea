"""`provider`: one provider of the catalogue: shown, added, or written for a mail program."""

from __future__ import annotations

import click

from smtp_wizard.commands.groups import GroupWithDefault, LazyCommand
from smtp_wizard.commands.providers import show

_LATER = {
    "new": LazyCommand("smtp_wizard.commands.provider_new", "Add a provider; its server is tried first."),
    "export": LazyCommand("smtp_wizard.commands.provider_export", "Export a provider for another mail program."),
}


class _Group(GroupWithDefault):
    default = "show"


@click.group("provider", cls=_Group, later=_LATER)
def command() -> None:
    """Show the provider with this ID, as 'providers show' does."""


command.add_command(show)
