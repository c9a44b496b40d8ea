"""A command that does something by itself and has commands below it: `providers outlook`, `providers show ID`."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from typing import Any

import click

from smtp_wizard.commands.command_with_examples import CommandWithExamples, write_examples
from smtp_wizard.engine.lazy_dataclass import dataclass

_WHOLE = 200
"""Characters of a short help: what does not fit into its column is folded, not cut off."""


@dataclass(frozen=True, slots=True)
class LazyCommand:
    """A command below a group that is loaded only when it is used."""

    module: str
    """Its module, which calls it `command`."""
    help: str
    """What the list of commands says about it."""


class GroupWithDefault(click.Group):
    """A group whose command `default` runs where none of the others is named."""

    default = "list"
    command_class = CommandWithExamples

    def __init__(self, *arguments: Any, later: Mapping[str, LazyCommand] | None = None, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self.later = dict(later or {})

    def list_commands(self, ctx: click.Context) -> list[str]:
        """As `Group.list_commands`."""
        return [*self.commands, *self.later]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """As `Group.get_command`."""
        if cmd_name not in self.later:
            return super().get_command(ctx, cmd_name)
        found = import_module(self.later[cmd_name].module).command
        assert isinstance(found, click.Command)
        return found

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Put the name of the command first, where it was left out or options stand before it."""
        if args and args[0] in ctx.help_option_names:
            return super().parse_args(ctx, args)
        rest = list(args)
        name = next((word for word in args if not word.startswith("-")), "")
        known = name in self.list_commands(ctx)
        if known:
            rest.remove(name)
        # Behind an option it may be that option's value.
        named = bool(name) and args[0] == name
        if named and not known and not any(isinstance(each, click.Argument) for each in self.default_command.params):
            raise click.UsageError(f"There is no command '{ctx.info_name} {name}'.{self._meant(ctx, name)}", ctx)
        args = [name if known else self.default, *rest]
        return super().parse_args(ctx, args)

    @property
    def default_command(self) -> click.Command:
        """The command that runs where none is named."""
        return self.commands[self.default]

    def _meant(self, ctx: click.Context, name: str) -> str:
        """Return a question whether another command was meant; nothing where none is like it."""
        import difflib

        close = difflib.get_close_matches(name, self.list_commands(ctx), n=1)
        return f" Did you mean '{close[0]}'?" if close else ""

    def format_usage(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Show how the group itself is called, not how a group of commands is."""
        default = self.commands[self.default]
        pieces = [piece for piece in default.collect_usage_pieces(ctx) if piece]
        formatter.write_usage(ctx.command_path, " ".join(pieces))
        named = [name for name in self.list_commands(ctx) if name != self.default]
        formatter.write_usage(ctx.command_path, f"{'|'.join(named)} ...", prefix="   or: ")

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """As `Command.format_epilog`."""
        super().format_epilog(ctx, formatter)
        write_examples(ctx, formatter)

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Show the default command's options as the group's own."""
        self.commands[self.default].format_options(ctx, formatter)
        with formatter.section("Commands"):
            own = [
                (name, each.get_short_help_str(_WHOLE)) for name, each in self.commands.items() if name != self.default
            ]
            formatter.write_dl(own + [(name, each.help) for name, each in self.later.items()])
