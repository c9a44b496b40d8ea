"""The vault's passphrase on the command line: given by an option, or asked before it is needed."""

from __future__ import annotations

import shlex
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any, TypeVar

import click

from smtp_wizard.engine.base.errors import InputError
from smtp_wizard.engine.base.shown import phrase, shown
from smtp_wizard.engine.secrets.store_kinds import StoreKind, StoreRef
from smtp_wizard.runtime.exit_codes import CommandError, Exit
from smtp_wizard.runtime.questions import ask_password, can_ask

if TYPE_CHECKING:
    from smtp_wizard.commands.invocation import Invocation
    from smtp_wizard.engine.base.secret import Secret
    from smtp_wizard.flows.question import Answer, Question, QuestionFlow
    from smtp_wizard.flows.vault import UnlockVault, VaultOpened

F = TypeVar("F", bound=Callable[..., Any])

ATTEMPTS = 3
"""How often a passphrase may be typed before the command gives up."""
FORGOTTEN = "If it is forgotten, move the vault's file away and type the passwords anew."


def passphrase_options(command: F) -> F:
    """Add the options that give the vault's passphrase; they need no parameter: the invocation keeps what they say."""
    for option in (
        click.option(
            "--passphrase-command",
            metavar="CMD",
            expose_value=False,
            callback=_from_command,
            help="Run this command; the first line it prints is the vault's passphrase.",
        ),
        click.option(
            "--passphrase-env",
            metavar="NAME",
            expose_value=False,
            callback=_from_variable,
            help="Take the vault's passphrase from this environment variable.",
        ),
    ):
        command = option(command)
    return command


def _from_variable(context: click.Context, parameter: click.Parameter, text: str | None) -> None:
    from smtp_wizard.commands.options.passwords import hidden

    name = hidden(context, parameter, text)
    if name is not None:
        _give(context.obj, variable_source(context.obj, name))


def _from_command(context: click.Context, _: click.Parameter, text: str | None) -> None:
    if text is not None:
        _give(context.obj, command_source(context.obj, text))


def _give(invocation: Invocation, source: Callable[[], Awaitable[Secret]]) -> None:
    if invocation.passphrase is not None:
        raise click.UsageError("Only one of --passphrase-env and --passphrase-command can be used.")
    invocation.give_passphrase(source)


def variable_source(invocation: Invocation, name: str) -> Callable[[], Awaitable[Secret]]:
    """Take a passphrase out of the environment, before any other program is started; return what gives it.

    Raises `CommandError`.
    """
    from smtp_wizard.engine.secrets.secret_store import SecretError

    hint = phrase("Set it to the vault's passphrase, and start again.")
    try:
        held = invocation.env.take(name)
    except SecretError as problem:
        raise CommandError("passphrase-unreadable", problem.words, hint, Exit.SECRET) from None
    if held is None:
        words = phrase("{}.", invocation.env.lacks(name))
        raise CommandError("passphrase-unreadable", words, hint, Exit.SECRET)
    passphrase = held

    async def given() -> Secret:
        return passphrase

    return given


def command_source(
    invocation: Invocation, text: str, option: str = "--passphrase-command"
) -> Callable[[], Awaitable[Secret]]:
    """Return what gives a passphrase by running a command, each time it is asked. Raises `click.UsageError`."""
    from smtp_wizard.engine.secrets.command import first_line, parse_command

    try:
        words = shlex.split(parse_command(text))
    except InputError as problem:
        raise click.UsageError(f"{option}: {problem}") from None

    async def printed() -> Secret:
        return await first_line(words, invocation.stores.for_children())

    return printed


class PassphraseReply:
    """Asks for what a question about the vault lacks, `ATTEMPTS` times where it is the wrong one."""

    def __init__(self, invocation: Invocation, flow: QuestionFlow[Any]) -> None:
        self._invocation = invocation
        self._flow = flow
        self._wrong = 0

    def __call__(self, question: Question) -> Answer:
        """Hand the passphrase over. Raises `SecretError` where nobody can be asked, or it was wrong too often."""
        from smtp_wizard.flows.question import Answer, Topic

        if not can_ask():
            raise self._invocation.stores.vault.closed()
        entry = question.entries[question.at]
        if entry.error:
            self._refused(question.about is Topic.PASSPHRASE, entry.error)
        else:
            self._introduce(question)
        # The second time it is the same of the same.
        prompt = f"{entry.label} of the vault" if question.at == 0 else entry.label
        self._flow.give(question.at, ask_password(prompt))
        return Answer.DO

    def _introduce(self, question: Question) -> None:
        """Say what a new passphrase is for; whoever has a vault knows."""
        if len(question.entries) > 1 and question.at == 0 and question.lines:
            self._invocation.out.narrate(" ".join(question.lines))

    def _refused(self, wrong: bool, why: str) -> None:
        from smtp_wizard.engine.secrets.secret_store import SecretError, SecretFault

        if not wrong:
            self._invocation.out.narrate(why)
            return
        self._wrong += 1
        if self._wrong == ATTEMPTS:
            raise SecretError(SecretFault.WRONG, shown(why))
        self._invocation.out.narrate(f"{why} {FORGOTTEN}")


def offer_passphrase(invocation: Invocation, *places: StoreRef | StoreKind | None, creating: bool = False) -> None:
    """Ask for the vault's passphrase where one of the places is the vault, it is closed, and somebody is there to ask.

    `creating`: something will be put into it, so that a vault that is not there yet is made. Raises `SecretError` and
    `CommandError`; where nobody can be asked, the vault itself says that it is closed when it is used.
    """
    kinds = [place.kind if isinstance(place, StoreRef) else place for place in places]
    if StoreKind.VAULT not in kinds:
        return
    from smtp_wizard.flows.vault import UnlockVault, needs_opening
    from smtp_wizard.runtime.running import Stopwatch, run

    vault = invocation.stores.vault
    if run(needs_opening(vault, *places, creating=creating), Stopwatch()) and can_ask():
        open_vault(invocation, UnlockVault(vault))


def open_vault(invocation: Invocation, question: UnlockVault) -> VaultOpened:
    """Ask until the vault is open, and return that. Raises `SecretError`, `CommandError`."""
    from smtp_wizard.engine.secrets.secret_store import SecretError
    from smtp_wizard.runtime.running import Stopwatch, run

    reply, opened = PassphraseReply(invocation, question), None
    while opened is None:
        opened = run(question.act(reply(question.state)), Stopwatch())
    if opened.fault is not None:
        raise SecretError(opened.fault, opened.why_not)
    return opened


def new_passphrase(invocation: Invocation) -> Secret:
    """Ask for a new passphrase, twice. Raises `CommandError` at the end of the input."""
    from smtp_wizard.flows.vault import NewPassphrase
    from smtp_wizard.runtime.running import Stopwatch, run

    question = NewPassphrase()
    reply, chosen = PassphraseReply(invocation, question), None
    while chosen is None:
        chosen = run(question.act(reply(question.state)), Stopwatch())
    return chosen
