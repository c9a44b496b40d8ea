"""`discover`: the settings for an address, each with its source and how far it is believed."""

from __future__ import annotations

import shlex
from collections.abc import Coroutine, Sequence
from dataclasses import replace
from typing import Any

import click

from smtp_wizard.commands.check_run import report_line
from smtp_wizard.commands.command_with_examples import CommandWithExamples
from smtp_wizard.commands.invocation import Invocation
from smtp_wizard.commands.options.connection import connection_from, connection_options, parsed_by
from smtp_wizard.engine.base.address import Address, settings_file
from smtp_wizard.engine.base.shown import shown
from smtp_wizard.engine.discovery.autoconfig import load_database
from smtp_wizard.engine.discovery.search import DEADLINE, DiscoveryResult
from smtp_wizard.engine.wizard.draft import Draft
from smtp_wizard.flows.server_search import SearchQuestion, ServerSearch
from smtp_wizard.output.plain_lines import paragraph
from smtp_wizard.runtime.exit_codes import Exit
from smtp_wizard.runtime.output import Form
from smtp_wizard.runtime.questions import can_ask, confirm
from smtp_wizard.runtime.running import Stopwatch, run
from smtp_wizard.text.address import meant_question, near_words
from smtp_wizard.text.discovery import (
    believed_words,
    follow_words,
    list_question,
    redirect_question,
    server_words,
    username_words,
)


@click.command("discover", cls=CommandWithExamples)
@click.argument("email", callback=parsed_by(lambda text: (Address.parse(text), settings_file(text))))
@click.option(
    "--ispdb/--no-ispdb",
    default=None,
    help="Ask the public list ISPDB, which learns the domain.  [default: ask you if needed]",
)
@click.option("--allow-http", is_flag=True, help="Also accept settings that the domain publishes without encryption.")
@click.option(
    "--follow/--no-follow",
    default=None,
    help="Follow the domain's settings to another domain.  [default: ask you if needed]",
)
@connection_options
@click.option("--json", "_json", is_flag=True, help="Print one JSON document.")
@click.pass_obj
def command(
    invocation: Invocation,
    /,
    email: tuple[Address, str],
    ispdb: bool | None,
    allow_http: bool,
    follow: bool | None,
    **given: Any,
) -> int:
    """Find the outgoing server for an e-mail address: who names it, whether it answers, and how trustworthy that is.

    Only the domain leaves this computer, never the part before the @. No password is used and no message is sent. A
    domain in the catalogue is answered without the network. Exit code 1 if nothing is found.
    """
    given.pop("_json")
    address, file = email
    options = connection_from(given)
    watch = Stopwatch(options.timeout)

    async def search(*, public_list: bool, file: str) -> DiscoveryResult:
        if searched.searched and not _left(watch):  # what was found stays
            return searched.found
        return await invocation.services.discovery.find_settings(
            address,
            public_list=public_list,
            plain_http=allow_http,
            file=file,
            options=options,
            deadline=_left(watch),
            tell=invocation.out.narrate if options.verbose else lambda line: None,
        )

    def carry_out(work: Coroutine[Any, Any, None]) -> None:
        run(work, watch, lambda: "Nothing was found yet.")

    doubts = _doubts(invocation, address)
    if invocation.out.form is not Form.JSON:  # before anything is asked, or a server is named whosever it may be
        _tell_notes(invocation, doubts)
    unasked = None if can_ask() else False
    follow, ispdb = unasked if follow is None else follow, unasked if ispdb is None else ispdb
    searched = ServerSearch(search, file=file, follows=follow, asks_list=ispdb)
    carry_out(searched.begin())
    while searched.question is not None and _left(watch):
        carry_out(searched.answer(_agreed(address, searched)))
    return _concluded(invocation, address, searched.found, doubts)


def _left(watch: Stopwatch) -> float:
    """Return the seconds that a search may still take."""
    allowed = watch.left()
    return DEADLINE if allowed is None else min(DEADLINE, allowed)


def _concluded(invocation: Invocation, address: Address, found: DiscoveryResult, doubts: Sequence[str]) -> Exit:
    """Tell what was found, each thing once; where it is nothing, with the ways on. Text has told `doubts` already."""
    somebody = bool(found.provider or found.alternatives or found.candidates)
    ways_on = () if somebody else (_ways_on(address),)
    if found.redirect:
        ways_on = (follow_words(address.domain, found), *ways_on)
    notes = (*(each for each in found.notes if each != found.note), *ways_on)
    _tell(invocation, address, replace(found, notes=notes), doubts)
    return Exit.OK if somebody else Exit.FAILED


def _ways_on(address: Address) -> str:
    """Say what can be done where nobody was found."""
    setup = f"smtp-wizard setup {shown(shlex.quote(address.wire), 200)}"
    return (
        "If you know who keeps the mailbox: 'smtp-wizard providers' lists those that are known, and "
        f"{setup} --provider ID sets it up. Else ask whoever looks after the domain for the outgoing server: "
        f"{setup} --host SERVER."
    )


def _agreed(address: Address, search: ServerSearch) -> bool:
    """Ask what is to be asked before it is searched any further."""
    if search.question is SearchQuestion.REDIRECT:
        return confirm(redirect_question(address.domain, search.found))
    return confirm(list_question(Draft().with_address(address), load_database()))


def _doubts(invocation: Invocation, address: Address) -> tuple[str, ...]:
    """Say that the ending is perhaps another one than was meant, as the wizard asks about it."""
    meant = invocation.catalog.suggest(address.domain)
    return (f"{meant_question(meant)} {near_words(address.domain, meant)}",) if meant else ()


def _tell(invocation: Invocation, email: Address, found: DiscoveryResult, doubts: Sequence[str]) -> None:
    out = invocation.out
    if out.form is Form.JSON:
        from smtp_wizard.output.documents.discover import CandidateJson, Discovered

        provider = found.provider
        out.document(
            Discovered(
                email=email.wire,
                provider=provider.id if provider else None,
                alternatives=tuple(each.id for each in found.alternatives),
                candidates=tuple(map(CandidateJson.of, found.candidates)),
                paths=provider.paths if provider else (),
                mx=tuple(found.mx_hosts),
                notes=(*doubts, found.note, *found.notes),
            )
        )
        return
    names = ", ".join(f"{each.name} ({each.id})" for each in found.alternatives)
    who = f"{found.provider.name} ({found.provider.id})" if found.provider else names
    if who:
        out.data(f"Provider: {who}")
    for line in paragraph(found.note):
        report_line(out, line)
    for number, each in enumerate(found.candidates, 1):
        for line in paragraph(server_words(each), f"{number:>2}. "):
            report_line(out, line)
        for line in paragraph(f"user name {username_words(each)}; {believed_words(each)}", "    "):
            report_line(out, line)
    if found.provider is not None:
        for path in found.provider.paths:
            for line in paragraph(f"{path.title} ({path.status.value})", "Sign-in: "):
                report_line(out, line)
    _tell_notes(invocation, found.notes)


def _tell_notes(invocation: Invocation, notes: Sequence[str]) -> None:
    for note in notes:
        for line in paragraph(note, "Note: "):
            report_line(invocation.out, line)
