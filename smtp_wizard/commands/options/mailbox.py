"""The options of commands that read a mailbox."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import click

from smtp_wizard.commands.options.connection import parsed_by
from smtp_wizard.commands.options.time_limit import bounding
from smtp_wizard.engine.base.endpoint import parse_imap

F = TypeVar("F", bound=Callable[..., Any])


def imap_option(command: F) -> F:
    """Add the option that names the IMAP server."""
    return click.option(
        "--imap",
        metavar="HOST[:PORT]",
        callback=parsed_by(parse_imap),
        help="The IMAP server to read the mailbox from.  [default: the one named before, or found out]",
    )(command)


def mailbox_options(command: F) -> F:
    """Add the options about the connection that make sense for reading; `connection_from` reads them."""
    for option in (
        click.option("-6", "ipv6", is_flag=True, help="Use IPv6 only."),
        click.option("-4", "ipv4", is_flag=True, help="Use IPv4 only."),
        click.option(
            "--timeout",
            type=float,
            metavar="SECONDS",
            callback=bounding,
            help="Stop the whole command after this time.",
        ),
        click.option("--ca-file", metavar="FILE", help="Also trust the certificate authorities in this PEM file."),
    ):
        command = option(command)
    return command
