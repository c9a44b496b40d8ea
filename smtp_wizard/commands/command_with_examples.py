"""Commands whose help ends with examples, which are read only when the help is."""

from __future__ import annotations

import click


def write_examples(context: click.Context, formatter: click.HelpFormatter) -> None:
    """Write the examples of a command below its help, each with what it is for."""
    from smtp_wizard.commands.examples import examples

    _, _, words = context.command_path.partition(" ")
    if found := examples().get(words):
        with formatter.section("Examples"):
            for example in found:
                # Not wrapped: a command that is cut in two is copied as two.
                formatter.write(f"{'':>{formatter.current_indent}}{example.line}\n")
                formatter.write(f"{'':>{formatter.current_indent}}    {example.what}\n")


class CommandWithExamples(click.Command):
    """A command whose help has examples."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """As `Command.parse_args`; an option without its value is told with the command that it is of."""
        try:
            return super().parse_args(ctx, args)
        except click.UsageError as problem:
            problem.ctx = problem.ctx or ctx
            raise

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """As `Command.format_epilog`."""
        super().format_epilog(ctx, formatter)
        write_examples(ctx, formatter)
