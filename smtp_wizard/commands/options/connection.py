"""The options about the connection, which every command that checks has, and their values."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from smtp_wizard.commands.options.time_limit import bounding
from smtp_wizard.engine.base.characters import has_control
from smtp_wizard.engine.base.connection import Family
from smtp_wizard.engine.base.endpoint import (
    USUAL_PORTS,
    USUAL_WAYS,
    Endpoint,
    Security,
    parse_ehlo_name,
)
from smtp_wizard.engine.base.errors import InputError
from smtp_wizard.engine.base.private_files import absolute
from smtp_wizard.engine.base.shown import NO_WORDS, Shown, phrase, shown
from smtp_wizard.engine.base.stages import Depth
from smtp_wizard.engine.lazy_dataclass import dataclass
from smtp_wizard.engine.services.check_options import CheckOptions
from smtp_wizard.runtime.exit_codes import CommandError

if TYPE_CHECKING:
    from smtp_wizard.engine.providers.catalog import Catalog

F = TypeVar("F", bound=Callable[..., Any])


def parsed_by(parse: Callable[[str], Any]) -> Callable[[click.Context, click.Parameter, str | None], Any]:
    """Return a click callback that parses a value, or refuses it with the sentence of its `InputError`."""

    def convert(context: click.Context, parameter: click.Parameter, value: str | None) -> Any:
        if value is None:
            return None
        try:
            return parse(value)
        except InputError as problem:
            raise click.BadParameter(str(problem), ctx=context, param=parameter) from None

    return convert


SECURITY = click.Choice([each.value for each in Security])
DEPTH = click.Choice([each.value for each in Depth])


@dataclass(frozen=True, slots=True, kw_only=True)
class ConnectionOptions(CheckOptions):
    """What was said about the connection, and about how long it may take and what is shown of it."""

    timeout: float | None = None
    verbose: bool = False
    transcript: Path | None = None


def sign_in_option(command: F) -> F:
    """Add the option with which somebody signs in although the account may get locked, for `connection_from`."""
    return click.option(
        "--ignore-lockout",
        is_flag=True,
        help="Sign in even after repeated refusals; the provider may lock the account.",
    )(command)


def connection_options(command: F) -> F:
    """Add the options about the connection; `connection_from` reads them."""
    for option in (
        click.option("--transcript", metavar="FILE", help="Write the conversation to this file, passwords masked."),
        click.option("-v", "--verbose", is_flag=True, help="Show the conversation with the server, passwords masked."),
        click.option("-6", "ipv6", is_flag=True, help="Use IPv6 only."),
        click.option("-4", "ipv4", is_flag=True, help="Use IPv4 only."),
        click.option(
            "--timeout",
            type=float,
            metavar="SECONDS",
            callback=bounding,
            help="Stop the whole command after this time.",
        ),
        click.option(
            "--ehlo-name",
            metavar="NAME",
            callback=parsed_by(parse_ehlo_name),
            help="The name to give in EHLO.",
        ),
        click.option("--ca-file", metavar="FILE", help="Also trust the certificate authorities in this PEM file."),
    ):
        command = option(command)
    return command


def connection_from(given: dict[str, Any]) -> ConnectionOptions:
    """Take the options about the connection out of what click gives. Raises `click.UsageError`, `CommandError`."""
    ipv4, ipv6, timeout = given.pop("ipv4"), given.pop("ipv6"), given.pop("timeout")
    if ipv4 and ipv6:
        raise click.UsageError("Only one of -4 and -6 can be used.")
    if timeout is not None and not (math.isfinite(timeout) and timeout > 0):
        raise click.UsageError("--timeout takes a number of seconds above 0.")
    ca_file, transcript = given.pop("ca_file"), given.pop("transcript", None)
    return ConnectionOptions(
        ca_file=_usable_authority(ca_file) if ca_file else None,
        ehlo_name=given.pop("ehlo_name", "") or "",
        family=Family.IPV4 if ipv4 else Family.IPV6 if ipv6 else None,
        timeout=timeout,
        verbose=given.pop("verbose", False),
        transcript=Path(transcript) if transcript is not None else None,
        ignore_lockout=given.pop("ignore_lockout", False),
    )


def _usable_authority(name: str) -> str:
    """Return the file's absolute name, since it is kept with an account. Raises `CommandError` where it is none."""
    from smtp_wizard.engine.smtp.tls import Trust, verifying_context
    from smtp_wizard.engine.smtp.wire_error import WireError

    try:
        path = str(absolute(Path(name)))
        if has_control(path):
            raise InputError(phrase("that name has a character in it that cannot be kept; give the file another name."))
        verifying_context(Trust(path))
    except InputError as problem:
        raise CommandError("ca-file", phrase("--ca-file: {}", problem.words)) from None
    except WireError as problem:
        raise CommandError(
            "ca-file",
            phrase("--ca-file {}: {}.", shown(name, 200), problem.words),
            phrase("It must be a readable PEM file."),
        ) from None
    return path


def usual_way(port: int | None, known: Endpoint | None) -> Security:
    """Return how to speak to a port when nobody said; what answers decides in the end. Raises `CommandError`."""
    if known is not None and port in (None, known.port):
        return known.security
    port = port or USUAL_PORTS[Security.STARTTLS]
    way = USUAL_WAYS.get(port)
    if way is None:
        raise missing_answers(
            ["--security"], phrase("Port {} is not a usual one: only you can say how it is encrypted.", port)
        )
    return way


def changed_endpoint(
    known: Endpoint | None,
    host: str,
    port: int | None,
    security: Security | None,
    catalog: Catalog,
) -> Endpoint:
    """Return the server `host` with what was said of it; what was not said follows. Raises `CommandError`.

    A host that is listed has its own port and encryption. Of the known server the port follows the encryption, as in
    the wizard; another host begins with the usual port.
    """
    same = known is not None and known.host == host
    provider = catalog.at_host(host) if port is None and not same else None
    listed = [each.endpoint for each in provider.offered() if each.endpoint.host == host] if provider else []
    fitting = [each for each in listed if security in (None, each.security)]
    if fitting:
        return fitting[0]
    security = security or usual_way(port, known)
    if port is None and known is not None and same:
        return known.with_security(security)
    return Endpoint(host, port or USUAL_PORTS[security], security)


_ON_COMMAND_LINE = phrase("Give what is missing on the command line.")
_OR_IN_TERMINAL = phrase("Give what is missing on the command line, or run the command in a terminal to be asked.")


def missing_answers(lacking: Sequence[str], why: Shown = NO_WORDS, *, terminal_asks: bool = True) -> CommandError:
    """Return the error for answers that nobody gave, each named. `why` says more, in a sentence.

    `terminal_asks`: whether the command asks for them where there is a terminal.
    """
    way = _OR_IN_TERMINAL if terminal_asks else _ON_COMMAND_LINE
    return CommandError(
        "missing-answers",
        phrase("Missing: {}.", shown(", ".join(lacking))),
        phrase("{} {}", why, way) if why else way,
    )


def origin_sentence(note: str) -> Shown:
    """Return the note of where settings come from as a sentence of its own."""
    said = shown(note, 400)
    if not said:
        return NO_WORDS
    whole = phrase("The settings are from {}", shown(said[6:])) if said.startswith("from: ") else said
    return whole if said.endswith((".", "?", "!")) else phrase("{}.", whole)
