"""`sandbox`: runs the practice server, and shows what arrived in it."""

from __future__ import annotations

import asyncio
import difflib
from pathlib import Path
from typing import TYPE_CHECKING

import click

from smtp_wizard.commands.groups import GroupWithDefault
from smtp_wizard.commands.invocation import Invocation
from smtp_wizard.commands.options.shell_completion import scenario_ids
from smtp_wizard.engine.base.shown import phrase, shown
from smtp_wizard.runtime.exit_codes import CommandError, Exit
from smtp_wizard.runtime.output import Form, Output
from smtp_wizard.runtime.tables import facts, table

if TYPE_CHECKING:
    from smtp_wizard.engine.sandbox.scenarios import Scenario
    from smtp_wizard.engine.sandbox.server import Sandbox


class _Practice(GroupWithDefault):
    default = "run"


class _Mailbox(GroupWithDefault):
    default = "list"


@click.group("sandbox", cls=_Practice)
def command() -> None:
    """Run a practice mail server on this computer that behaves like a provider.

    It runs until Ctrl-C. Messages sent to it stay on this computer; 'sandbox mailbox' shows them.
    """


@command.command("run", hidden=True)
@click.option(
    "--scenario",
    default="accept",
    show_default=True,
    metavar="NAME",
    shell_complete=scenario_ids,
    help="What the server plays, such as 'quota-reached'.",
)
@click.option("--json", "_json", is_flag=True, help="Print one JSON document when it is ready.")
@click.pass_obj
def serve(invocation: Invocation, scenario: str, _json: bool) -> int:
    """Run the practice server."""
    from smtp_wizard.engine.sandbox.server import Sandbox
    from smtp_wizard.runtime.running import Stopwatch, run

    sandbox = Sandbox(_folder(invocation), _scenario(scenario))

    async def until_ended() -> None:
        async with sandbox:
            _announce(invocation.out, sandbox)
            await asyncio.Event().wait()

    run(until_ended(), Stopwatch(), lambda: "The practice server has stopped. What arrived is still in its mailbox.")
    return Exit.OK


def _folder(invocation: Invocation) -> Path:
    from smtp_wizard.engine.services.checks import PRACTICE_FOLDER

    return invocation.folder / PRACTICE_FOLDER


def _scenario(name: str) -> Scenario:
    from smtp_wizard.engine.sandbox.scenarios import load_scenarios

    known = load_scenarios()
    if name in known:
        return known[name]
    close = difflib.get_close_matches(name, known, n=1)
    raise CommandError(
        "no-such-scenario",
        phrase("The practice server does not know '{}'.", shown(name, 60)),
        phrase("Did you mean '{}'?" if close else "It knows: {}.", shown(close[0] if close else ", ".join(known))),
        Exit.NOT_FOUND,
    )


def _announce(out: Output, sandbox: Sandbox) -> None:
    """Say how the server is reached."""
    scenario = sandbox.scenario
    if out.form is Form.JSON:
        from smtp_wizard.output.documents.sandbox import Practice

        out.document(
            Practice(
                scenario=scenario.id,
                what=scenario.what,
                endpoints=tuple(sandbox.endpoints),
                username=PRACTICE_USER,
                password=scenario.practice_password,
                ca_file=str(sandbox.ca_file),
            )
        )
        return
    rows = [
        ("Scenario", f"{scenario.id}: {scenario.what}"),
        *(("Server", f"{each.host}, port {each.port}, {each.security.words}") for each in sandbox.endpoints),
        ("User name", f"{PRACTICE_USER} (or any other)"),
        ("Password", f"{scenario.practice_password} ({_taken(scenario)})"),
        ("CA file", str(sandbox.ca_file)),
    ]
    out.data("\n".join(facts(rows, out.width)))
    out.narrate("Running. Ctrl-C stops it.")


def _taken(scenario: Scenario) -> str:
    """Say whether the practice password is taken."""
    from smtp_wizard.engine.sandbox.scenarios import SignInRule

    refused = scenario.auth is SignInRule.REFUSE
    return "refused here, as every other is" if refused else "no other is taken; blanks do not matter"


PRACTICE_USER = "ana@sandbox.test"
"""A user name for the practice server; it takes any other as well."""


@command.group("mailbox", cls=_Mailbox)
def mailbox() -> None:
    """List the messages that the practice server received, newest first."""


@mailbox.command("list", hidden=True)
@click.option("--clear", is_flag=True, help="Delete the messages instead.")
@click.option("--json", "_json", is_flag=True, help="Print one JSON document.")
@click.pass_obj
def listed(invocation: Invocation, clear: bool, _json: bool) -> int:
    """List the messages, or delete them."""
    from smtp_wizard.engine.sandbox import mailbox as practice_mailbox

    out = invocation.out
    deleted = practice_mailbox.clear(_folder(invocation)) if clear else 0
    found = practice_mailbox.messages(_folder(invocation))
    if out.form is Form.JSON:
        from smtp_wizard.output.documents.sandbox import Mailbox, MessageJson

        out.document(Mailbox(tuple(map(MessageJson.of, found)), deleted))
    elif clear:
        out.narrate(f"Deleted: {deleted}")
    elif not found:
        out.narrate("Nothing has arrived yet.")
    else:
        rows = [("Key", "Arrived", "To", "Subject")]
        rows += [(m.key, f"{m.when.astimezone():%Y-%m-%d %H:%M}", ", ".join(m.recipients), m.subject) for m in found]
        out.page("\n".join(table(rows, out.width)))
    return Exit.OK


@mailbox.command("show")
@click.argument("key")
@click.option("--json", "_json", is_flag=True, help="Print one JSON document.")
@click.pass_obj
def show(invocation: Invocation, key: str, _json: bool) -> int:
    """Show one message, by its KEY in the list."""
    from smtp_wizard.engine.sandbox import mailbox as practice_mailbox

    summary = next((each for each in practice_mailbox.messages(_folder(invocation)) if each.key == key), None)
    if summary is None:
        raise CommandError(
            "no-such-message",
            phrase("There is no message '{}' in the practice mailbox.", shown(key, 80)),
            phrase("'smtp-wizard sandbox mailbox' lists them."),
            Exit.NOT_FOUND,
        )
    message = practice_mailbox.read(_folder(invocation), key)
    headers = [(shown(name), shown(practice_mailbox.readable(value))) for name, value in message.head.fields]
    body = message.shown("text/plain")
    lines = [shown(line) for line in body.text().splitlines()] if body is not None else []
    if invocation.out.form is Form.JSON:
        from smtp_wizard.output.documents.document import HeaderJson
        from smtp_wizard.output.documents.sandbox import MessageJson, MessageShown

        fields = tuple(HeaderJson(name, value) for name, value in headers)
        invocation.out.document(MessageShown(MessageJson.of(summary), fields, "\n".join(lines)))
    else:
        invocation.out.data("\n".join([*(f"{name}: {value}" for name, value in headers), "", *lines]))
    return Exit.OK
