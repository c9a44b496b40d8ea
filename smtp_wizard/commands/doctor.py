"""`doctor`: what this installation can and cannot do."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime

import click

from smtp_wizard.commands.check_run import report_line
from smtp_wizard.commands.command_with_examples import CommandWithExamples
from smtp_wizard.commands.invocation import Invocation
from smtp_wizard.commands.options.vault import offer_passphrase, passphrase_options
from smtp_wizard.commands.screens_or_plain import can_draw
from smtp_wizard.engine.accounts.secret_entries import CleanupResult, Leftovers, SecretEntries
from smtp_wizard.engine.base.shown import phrase, shown
from smtp_wizard.engine.services import computer
from smtp_wizard.engine.services.doctor import MANY, Doctor, left_words
from smtp_wizard.engine.services.part_health import Health, PartHealth
from smtp_wizard.engine.smtp.transport import SocketWire
from smtp_wizard.output.plain_lines import paragraph
from smtp_wizard.runtime.console import SMALLEST, only_ascii
from smtp_wizard.runtime.exit_codes import CommandError, Exit
from smtp_wizard.runtime.output import Form, Output
from smtp_wizard.runtime.questions import can_ask, confirm
from smtp_wizard.runtime.running import Stopwatch, run

AREAS: Mapping[str, str] = {
    "terminal": "Terminal",
    "stores": "Store",
    "config": "Config folder",
    "dns": "Names",
    "tls": "Encryption",
    "clock": "Clock",
    "data": "Data",
    "versions": "Versions",
}
"""What a person reads for an area, in the order in which they are told."""

_STATES = {Health.OK: "ok", Health.WARN: "warn", Health.FAIL: "FAIL"}


@click.command("doctor", cls=CommandWithExamples)
@click.option("--network", is_flag=True, help="Also look up the name of a well-known mail server.")
@click.option("--clean", is_flag=True, help="Delete passwords that interrupted changes left behind.")
@click.option("--yes", is_flag=True, help="Do not ask before deleting.")
@click.option("-v", "--verbose", is_flag=True, help="Add the reasons, and what can be done.")
@passphrase_options
@click.option("--json", "_json", is_flag=True, help="Print one JSON document.")
@click.pass_obj
def command(invocation: Invocation, network: bool, clean: bool, yes: bool, verbose: bool, _json: bool) -> int:
    """Check this installation: terminal, password stores, DNS, encryption, clock, age of the data.

    Nothing is changed without --clean, and the network is not used without --network. Exit code 1 if something fails, 3
    if something could not be deleted.
    """
    if yes and not clean:
        raise click.UsageError("--yes goes with --clean.")
    entries = SecretEntries(invocation.stores, invocation.saved_accounts)
    cleaned = _cleaned(invocation, entries, yes=yes) if clean else CleanupResult((), ())
    doctor = Doctor(
        folder=invocation.folder,
        saved_accounts=invocation.saved_accounts,
        stores=invocation.stores,
        entries=entries,
        wire=SocketWire(),
        environ=invocation.environ,
        now=lambda: datetime.now(UTC),
    )
    seen, left = run(doctor.examine(lambda: invocation.catalog, network=network), Stopwatch(), _unseen)
    installed = computer.versions()
    found = [*terminal(invocation.environ), *seen, computer.installed(installed)]
    found.sort(key=lambda each: list(AREAS).index(each.area))
    if invocation.out.form is Form.JSON:
        from smtp_wizard.output.documents.doctor import Diagnosed, LeftJson

        remain, removed = (tuple(map(LeftJson.of, each)) for each in (left.entries, cleaned.removed))
        invocation.out.document(Diagnosed(tuple(found), remain, removed, installed))
    else:
        _print(invocation, found, installed, verbose=verbose)
    if cleaned.kept:
        return Exit.SECRET
    return Exit.FAILED if any(each.state is Health.FAIL for each in found) else Exit.OK


def _print(invocation: Invocation, found: Sequence[PartHealth], installed: Mapping[str, str], *, verbose: bool) -> None:
    """Print a line a check; with `verbose` all that is to be said of it, and the packages."""
    out = invocation.out
    for each in found:
        head = f"{_STATES[each.state]:<6}{_label(each):<16}"
        for line in paragraph(each.sentence, head) if verbose else [_one_line(head, each.sentence, out)]:
            report_line(out, line)
    if verbose:
        packages = [f"{name} {version}" for name, version in list(installed.items())[2:] if version]
        for line in paragraph(", ".join(packages), " " * 22):
            out.data(line)
    elif any(each.state is not Health.OK for each in found):
        out.narrate("'smtp-wizard doctor -v' says why, and what can be done.")


def _one_line(head: str, sentence: str, out: Output) -> str:
    """Return what a check comes to: the first thing that is said of it, cut behind a word where the terminal ends."""
    first = re.split(r"(?<=[.;])\s", sentence, maxsplit=1)[0].rstrip(".;")
    line = f"{head}{first}."
    if out.width is None or len(line) <= out.width:
        return line
    mark = "\u2026" if out.can_show("\u2026") else "..."
    room = max(out.width - len(mark), 1)
    end = line.rfind(" ", len(head), room + 1)
    return line[: end if end > 0 else room].rstrip(",:") + mark


def _unseen() -> str:
    return "Not everything was looked at."


def _cleaned(invocation: Invocation, entries: SecretEntries, *, yes: bool) -> CleanupResult:
    """Delete what was left, after a yes. Raises `CommandError`."""
    left = run(entries.left(), Stopwatch(), _unseen)
    if not left.entries and not left.odd:
        invocation.out.narrate("No change was stopped in the middle: there is nothing to delete.")
        return CleanupResult((), ())
    if not yes:
        _agree(invocation, left)
    offer_passphrase(invocation, *(each.ref for each in left.entries))
    cleaned = run(entries.clean(), Stopwatch(), lambda: "Look with 'smtp-wizard doctor' what is left.")
    for each in cleaned.removed:
        invocation.out.narrate(f"Deleted: {each.ref.where} ({each.ref.kind.value})")
    for each, why in cleaned.kept:
        invocation.out.narrate(f"Not deleted: {each.ref.where} ({each.ref.kind.value}). {why}")
    return cleaned


def _agree(invocation: Invocation, left: Leftovers) -> None:
    count = len(left.entries)
    passwords = "1 password" if count == 1 else f"{count} passwords"
    question = f"Delete {passwords} that no account uses?" if count else "Delete notes that cannot be read?"
    if not can_ask():
        raise CommandError(
            "missing-answers", phrase("{} Nobody can be asked here.", shown(question)), phrase("Add --yes.")
        )
    for each in left.entries[:MANY]:
        invocation.out.narrate(left_words(each))
    if not confirm(question):
        raise CommandError("declined", phrase("Nothing was deleted."), exit_code=Exit.FAILED)


def _label(each: PartHealth) -> str:
    """Return what stands before a sentence; of the stores there are several."""
    return f"{AREAS[each.area]}: {each.code.removeprefix('store-')}" if each.area == "stores" else AREAS[each.area]


def terminal(environ: Mapping[str, str]) -> list[PartHealth]:
    """Say what the terminal of this command can show."""
    if not can_ask():
        words = "There is no terminal here: nothing is asked, and what is missing is named."
        return [PartHealth("terminal", "terminal", Health.OK, words)]
    columns, rows = os.get_terminal_size(sys.stderr.fileno())
    if not can_draw():
        words = "The questions come in lines of text here, not as screens."
        return [PartHealth("terminal", "terminal", Health.OK, words)]
    return [_size(columns, rows), _letters(environ), _colours(environ)]


def _size(columns: int, rows: int) -> PartHealth:
    if columns < SMALLEST[0] or rows < SMALLEST[1]:
        words = f"{columns} columns and {rows} rows: too small for the screens, which need {SMALLEST[0]} and "
        return PartHealth("terminal", "terminal", Health.WARN, f"{words}{SMALLEST[1]}.")
    return PartHealth(
        "terminal", "terminal", Health.OK, f"{columns} columns and {rows} rows: the screens can be drawn."
    )


def _letters(environ: Mapping[str, str]) -> PartHealth:
    ascii_only = only_ascii(environ, sys.stderr.encoding)
    words = (
        "It shows plain letters alone (ASCII); lines and accents are spelt out." if ascii_only else "It shows UTF-8."
    )
    return PartHealth("terminal", "letters", Health.OK, words)


def _colours(environ: Mapping[str, str]) -> PartHealth:
    unwanted = "NO_COLOR" in environ
    words = "Colours are not wanted (NO_COLOR)." if unwanted else "It is taken to show colours."
    return PartHealth("terminal", "colours", Health.OK, words)
