"""The options with which an account's answers are given, for every command that takes them."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, TypeVar

import click

from smtp_wizard.commands.connection import SECURITY, parse_words, parsed_by
from smtp_wizard.engine.model import Address, InputError, Scope, parse_host, parse_port

F = TypeVar("F", bound=Callable[..., Any])

LET_IT_SEND_GENERAL = "Let it send general mail only from now on?"
"""What is asked before another account for all mail is displaced."""


def _parse_env_name(text: str) -> str:
    if not re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", text):
        raise InputError("The name of an environment variable has letters, digits and _ only.")
    return text


def _parse_address_or_none(text: str) -> Address | None:
    return Address.parse(text) if text else None


_WORDS = parsed_by(parse_words)
_ADDRESS_OR_NONE = parsed_by(_parse_address_or_none)

_SERVER = (
    click.option("--host", metavar="HOST", callback=parsed_by(parse_host), help="The outgoing server."),
    click.option("--port", metavar="PORT", callback=parsed_by(parse_port), help="Its port."),
    click.option("--security", type=SECURITY, help="How it is encrypted."),
    click.option("--username", metavar="NAME", callback=_WORDS, help="The user name; mostly the address."),
    click.option("--auth", type=click.Choice(["password", "none"]), help="'none': the server wants no sign-in."),
    click.option("--allow-cleartext-login", "allow_cleartext", is_flag=True, help="Sign in even without encryption."),
)
_SENDER = (
    click.option(
        "--from", "sender", metavar="ADDR", callback=_ADDRESS_OR_NONE, help="The address in From, where it differs."
    ),
    click.option("--sender-name", metavar="TEXT", callback=_WORDS, help="The name beside the address in From."),
    click.option("--scope", type=click.Choice([each.value for each in Scope]), help="What it sends."),
    click.option(
        "--company-email/--no-company-email",
        default=None,
        help="Update Company Email: the firm's name and Reply-To.",
    ),
    click.option("--company-name", metavar="TEXT", callback=_WORDS, help="The firm's name."),
    click.option("--reply-to", metavar="ADDR", callback=_ADDRESS_OR_NONE, help="Where answers go."),
)
_STORE = (
    click.option("--store", type=click.Choice(["keyring", "env", "session"]), help="Where the password is kept."),
    click.option(
        "--env-name", metavar="NAME", callback=parsed_by(_parse_env_name), help="The variable, with --store env."
    ),
)


def server_options(command: F) -> F:
    """Add the options about the server and the sign-in."""
    return _with(_SERVER, command)


def sender_options(command: F) -> F:
    """Add the options about what is sent and by whom. An empty address means: none."""
    return _with(_SENDER, command)


def store_options(command: F) -> F:
    """Add the options about where the password is kept."""
    return _with(_STORE, command)


def _with(options: tuple[Callable[[F], F], ...], command: F) -> F:
    for option in reversed(options):
        command = option(command)
    return command
