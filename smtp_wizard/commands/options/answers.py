"""The options with which an account's answers are given, for every command that takes them."""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping
from typing import Any, TypeVar, cast

import click

from smtp_wizard.commands.options.connection import SECURITY, parsed_by
from smtp_wizard.commands.options.passwords import hidden
from smtp_wizard.engine.base.address import Address
from smtp_wizard.engine.base.characters import parse_words
from smtp_wizard.engine.base.endpoint import PastedServer, parse_port, parse_server
from smtp_wizard.engine.base.identity import Scope
from smtp_wizard.engine.secrets.command import parse_command
from smtp_wizard.engine.secrets.file import parse_secret_file
from smtp_wizard.engine.secrets.reference_stores import parse_variable
from smtp_wizard.engine.secrets.store_kinds import StoreKind

F = TypeVar("F", bound=Callable[..., Any])


def _env_name(context: click.Context, parameter: click.Parameter, text: str | None) -> str | None:
    """Take the name of the variable that has the password; what it holds is hidden from other programs at once."""
    return hidden(context, parameter, parsed_by(parse_variable)(context, parameter, text))


def _parse_address_or_none(text: str) -> Address | None:
    return Address.parse(text) if text else None


_WORDS = parsed_by(parse_words)
_ADDRESS_OR_NONE = parsed_by(_parse_address_or_none)

_SERVER = (
    click.option("--host", metavar="HOST", callback=parsed_by(parse_server), help="The outgoing (SMTP) server."),
    click.option("--port", metavar="PORT", callback=parsed_by(parse_port), help="The server's port."),
    click.option("--security", type=SECURITY, help="How the connection is encrypted."),
    click.option("--username", metavar="NAME", callback=_WORDS, help="The user name, usually the e-mail address."),
    click.option(
        "--auth",
        type=click.Choice(["password", "xoauth2", "none"]),
        help="Sign in with a password, in the browser (xoauth2), or not at all.",
    ),
    click.option(
        "--allow-cleartext-login", "allow_cleartext", is_flag=True, help="Allow the password to be sent unencrypted."
    ),
)
_SENDER = (
    click.option(
        "--from",
        "sender",
        metavar="ADDR",
        callback=_ADDRESS_OR_NONE,
        help="The From address, if it is not the account's own.",
    ),
    click.option("--sender-name", metavar="TEXT", callback=_WORDS, help="The name shown beside the From address."),
    click.option(
        "--scope",
        type=click.Choice([each.value for each in Scope]),
        help="Use the account for general mail, or for all mail.",
    ),
    click.option(
        "--company-email/--no-company-email",
        default=None,
        help="Also update Company Email: the company's name and Reply-To.",
    ),
    click.option("--company-name", metavar="TEXT", callback=_WORDS, help="The company's name."),
    click.option("--reply-to", metavar="ADDR", callback=_ADDRESS_OR_NONE, help="The address that replies go to."),
)
_STORE = (
    click.option("--store", type=click.Choice([each.value for each in StoreKind]), help="Where to keep the password."),
    click.option(
        "--env-name",
        metavar="NAME",
        callback=_env_name,
        help="With --store env: the environment variable that holds the password.",
    ),
    click.option(
        "--secret-command",
        metavar="CMD",
        callback=parsed_by(parse_command),
        help="With --store command: the command that prints the password on its first line.",
    ),
    click.option(
        "--secret-file",
        metavar="FILE",
        callback=parsed_by(parse_secret_file),
        help="With --store file: the file with the password on its first line, or $CREDENTIALS_DIRECTORY/NAME.",
    ),
)


REFERENCES: Mapping[StoreKind, str] = {
    StoreKind.ENV: "env_name",
    StoreKind.COMMAND: "secret_command",
    StoreKind.FILE: "secret_file",
}
"""Which option names the way to a password that is kept elsewhere, as click calls its value."""


def store_named(store: str | None, said: Mapping[str, Any]) -> StoreKind | None:
    """Return the store that the options name, if any: an option for the way there names its store as well.

    Raises `click.UsageError` where they contradict each other.
    """
    named = [kind for kind, option in REFERENCES.items() if said.get(option) is not None]
    kind = StoreKind(store) if store is not None else named[0] if named else None
    for each in named:
        if each is not kind:
            raise click.UsageError(f"--{REFERENCES[each].replace('_', '-')} goes with --store {each.value}.")
    return kind


def reference_missing(kind: StoreKind) -> click.UsageError:
    """Return the error for a store that only keeps the way to the password, where no way was named."""
    return click.UsageError(f"--store {kind.value} needs --{REFERENCES[kind].replace('_', '-')}.")


def server_options(command: F) -> F:
    """Add the options about the server and the sign-in; a --host that names the port, too, is put apart."""

    @functools.wraps(command)
    def with_parts(*arguments: Any, **given: Any) -> Any:
        return command(*arguments, **_put_apart(given))

    return _with(_SERVER, cast("F", with_parts))


def _put_apart(given: dict[str, Any]) -> dict[str, Any]:
    """Return the options with what a pasted --host says in --host, --port and --security.

    Raises `click.UsageError` where those say otherwise.
    """
    pasted: PastedServer | None = given["host"]
    if pasted is None:
        return given
    parts = {"host": pasted.host, "port": given["port"] or pasted.port}
    parts["security"] = given["security"] or (pasted.security.value if pasted.security else None)
    for name, own in (("port", pasted.port), ("security", pasted.security)):
        if own is not None and given[name] not in (None, own):
            raise click.UsageError(f"--host says {own}, and --{name} says {given[name]}.")
    return {**given, **parts}


def accept_found_option(command: F) -> F:
    """Add the option that takes a server beforehand which nobody is there to confirm."""
    words = (
        "Accept a server of another domain if the address's domain publishes it over HTTPS, or the public list ISPDB "
        "has it (ISPDB learns the domain)."
    )
    return click.option("--accept-found", is_flag=True, help=words)(command)


def follow_option(command: F) -> F:
    """Add the option that has a settings file read at another domain, where the address's own leads there."""
    return click.option("--follow", is_flag=True, help="Follow the domain's settings to another domain.")(command)


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
