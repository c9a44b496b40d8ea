"""A command that does something by itself and has commands below it: `providers outlook`, `providers show ID`."""

from __future__ import annotations

import click


class GroupWithDefault(click.Group):
    """A group whose command `default` runs where none of the others is named."""

    default = "list"

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Put the name of the command first, where it was left out or options stand before it."""
        if args and args[0] in ctx.help_option_names:
            return super().parse_args(ctx, args)
        rest = list(args)
        name = next((word for word in args if not word.startswith("-")), "")
        if name in self.commands:
            rest.remove(name)
        args = [name if name in self.commands else self.default, *rest]
        return super().parse_args(ctx, args)

    def format_usage(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Show how the group itself is called, not how a group of commands is."""
        default = self.commands[self.default]
        pieces = [piece for piece in default.collect_usage_pieces(ctx) if piece]
        formatter.write_usage(ctx.command_path, " ".join(pieces))
        named = [name for name in self.commands if name != self.default]
        formatter.write_usage(ctx.command_path, f"{'|'.join(named)} ...", prefix="   or: ")

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Show the default command's options as the group's own."""
        self.commands[self.default].format_options(ctx, formatter)
        with formatter.section("Commands"):
            formatter.write_dl(
                [(name, each.get_short_help_str()) for name, each in self.commands.items() if name != self.default]
            )
