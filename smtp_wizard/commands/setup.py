"""`setup`: an account from options; what is missing is asked by the screens, by plain questions, or named."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import click

from smtp_wizard.commands.accounts import store_words
from smtp_wizard.commands.check_run import Transcript, exit_code, live_reader, observed, report_line, report_width
from smtp_wizard.commands.command_with_examples import CommandWithExamples
from smtp_wizard.commands.invocation import Invocation
from smtp_wizard.commands.options.answers import (
    accept_found_option,
    follow_option,
    sender_options,
    server_options,
    store_options,
)
from smtp_wizard.commands.options.browser import browser_from, browser_options
from smtp_wizard.commands.options.connection import (
    DEPTH,
    connection_from,
    connection_options,
    missing_answers,
    origin_sentence,
    parsed_by,
    sign_in_option,
)
from smtp_wizard.commands.options.passwords import password_options, taken_from
from smtp_wizard.commands.options.shell_completion import provider_ids
from smtp_wizard.commands.options.sign_in import warn_of_oddities
from smtp_wizard.commands.options.vault import passphrase_options
from smtp_wizard.commands.save_step import Saving
from smtp_wizard.commands.screens_or_plain import open_wizard
from smtp_wizard.commands.setup_options import GivenAnswers, SetupOptions, elsewhere_words
from smtp_wizard.commands.setup_questions import MissingAnswers
from smtp_wizard.commands.setup_way_in import WayIn
from smtp_wizard.engine.accounts.account import Account, parse_name
from smtp_wizard.engine.base.address import Address
from smtp_wizard.engine.base.connection import Auth
from smtp_wizard.engine.base.shown import shown
from smtp_wizard.engine.base.stages import Depth
from smtp_wizard.engine.checks.progress import CheckProgress
from smtp_wizard.engine.checks.recipient import refuse_own_mailbox
from smtp_wizard.engine.wizard.draft import Draft, with_tidy_secret
from smtp_wizard.output.check_outcome import CheckOutcome
from smtp_wizard.output.plain_lines import summary
from smtp_wizard.runtime.exit_codes import Exit
from smtp_wizard.runtime.output import Form
from smtp_wizard.runtime.questions import can_ask
from smtp_wizard.runtime.running import Stopwatch, run
from smtp_wizard.runtime.tables import table
from smtp_wizard.text.address import look_alike_words

_ADDRESS = parsed_by(Address.parse)


@click.command("setup", cls=CommandWithExamples)
@click.argument("email", required=False, callback=_ADDRESS)
@click.option(
    "--provider",
    metavar="ID",
    shell_complete=provider_ids,
    help="The mail provider ('smtp-wizard providers' lists them).",
)
@click.option("--path", metavar="ID", help="The sign-in method ('smtp-wizard providers show ID' lists them).")
@server_options
@accept_found_option
@follow_option
@click.option("--depth", type=DEPTH, help="Test the server only, the sign-in too, or send a message.  [default: login]")
@click.option(
    "--send-test",
    metavar="ADDR",
    callback=_ADDRESS,
    help="Also send a test message to this address (implies --depth send).",
)
@sender_options
@store_options
@click.option("--save", metavar="NAME", callback=parsed_by(parse_name), help="Save the account under this name.")
@click.option("--replace", "replacing", is_flag=True, help="Replace what is already saved.")
@password_options
@passphrase_options
@browser_options
@connection_options
@sign_in_option
@click.option("--plain", is_flag=True, help="Ask in lines of text instead of drawing screens.")
@click.option("--json", "_json", is_flag=True, help="Print one JSON document.")
@click.pass_obj
def command(invocation: Invocation, /, **given: Any) -> int:
    """Set up an account and test it, starting from EMAIL.

    If every answer is given, nothing is asked. Otherwise the wizard opens in a terminal; elsewhere the missing answers
    are named. Nothing is saved without --save, and no message is sent without --send-test. A password is never sent to
    a server that was merely found: name the server, or see --accept-found.
    """
    given.pop("_json")
    invocation.plain |= given.pop("plain")
    _take_token_command(given)
    password, connection, browser = taken_from(given), connection_from(given), browser_from(given)
    return _Setup(invocation, SetupOptions(password=password, browser=browser, connection=connection, **given)).run()


def _take_token_command(given: dict[str, Any]) -> None:
    """Take a command that prints access tokens: the account refers to it, and it is asked again each time."""
    words = given.pop("token_command")
    if words is None:
        return
    if given["auth"] not in (None, "xoauth2") or given["store"] not in (None, "command") or given["secret_command"]:
        raise click.UsageError("--token-command means --auth xoauth2 and --store command; leave other ways out.")
    given.update(auth="xoauth2", store="command", secret_command=words)


class _Setup:
    """One run of the command."""

    def __init__(self, invocation: Invocation, given: SetupOptions) -> None:
        self.invocation = invocation
        self.out = invocation.out
        self.given = given
        self.watch = Stopwatch(given.connection.timeout)
        self.watched = CheckProgress()
        self.answers = GivenAnswers(invocation, given, self.watch, self._undone)
        self.missing = MissingAnswers(invocation, given, self.answers, self.watch, self._undone)
        self.way_in = WayIn(invocation, given, self.watch, self._undone)

    def run(self) -> int:
        self.answers.refuse_contradictions()
        draft = self.answers.filled_in(self.answers.begun(self.given.email))
        draft = self.way_in.towards_browser(replace(draft, secret=self.answers.secret()))
        lacking = self.missing.names(draft)
        # The screens ask a person to sign in; what an application lacks is said by options alone.
        if lacking and (not can_ask() or self.given.browser.as_application):
            asks = not self.given.browser.as_application
            self._tell_look_alike(draft)
            raise missing_answers(lacking, origin_sentence(draft.origin_note), terminal_asks=asks)
        if lacking and self.out.form is Form.TEXT:
            return open_wizard(self.invocation, "setup", draft)
        self._tell_look_alike(draft)
        for override in self.invocation.services.catalog.overrides_of(draft.connection.provider):
            self.out.narrate(override.words)  # the person's own file decides where the password goes
        draft = self.missing.asked(draft) if lacking else draft
        if words := elsewhere_words(draft, self.invocation.services.catalog):
            self.out.narrate(words)
        self.missing.refuse_unconfirmed(draft)
        draft = with_tidy_secret(self.way_in.chosen(draft), self.invocation.services.catalog)
        warn_of_oddities(self.out, draft.secret)
        self._refuse_unprovable(draft)
        saving = self._saving(draft) if draft.name else None
        draft = saving.agree() if saving is not None else draft
        return self._check_and_save(self.way_in.through_browser(draft), saving)

    def _tell_look_alike(self, draft: Draft) -> None:
        """Say that the address only looks like one of a known provider. The wizard asks about it."""
        domain = draft.address.domain if draft.address is not None else ""
        if doubt := look_alike_words(domain, self.invocation.services.catalog.suggest(domain)):
            self.out.narrate(doubt)

    def _refuse_unprovable(self, draft: Draft) -> None:
        if draft.test_to is not None:
            refuse_own_mailbox(draft.test_to, draft.from_address, draft.address)
        if draft.name and self.given.how_deep is Depth.SERVER and draft.connection.auth is not Auth.NONE:
            raise click.UsageError("An account is saved only when its sign-in was tested: leave --depth server out.")

    def _saving(self, draft: Draft) -> Saving:
        look = f"Look with 'smtp-wizard accounts' whether '{draft.name}' was saved."
        return Saving(self.invocation, draft, lambda: look, agreed=self.given.replacing)

    def _undone(self) -> str:
        if self.watched.sent:
            return "Nothing was saved. The test message was sent."
        sent = " The test message may or may not have been sent." if self.watched.perhaps_sent else ""
        return f"Nothing was saved.{sent}"

    # -- the check, and saving --------------------------------------------------------------------------------------

    def _check_and_save(self, draft: Draft, saving: Saving | None) -> int:
        if draft.origin_note:
            self.out.narrate(draft.origin_note)  # also beside JSON: who led where a password goes is always said
        with Transcript(self.given.connection, self.out) as transcript:
            outcome = run(self._check(draft, transcript), self.watch, self._undone)
        code = exit_code([outcome])
        draft = replace(draft, proof=self.invocation.services.checks.prove(draft, outcome.report, self.given.how_deep))
        saved = saving.save(draft) if saving is not None and code == Exit.OK else None
        if self.out.form is Form.JSON:
            from smtp_wizard.output.documents.checks import ResultJson, Setup

            named = replace(outcome, account=saved.name if saved else None)
            self.out.document(Setup((ResultJson.of(named),)))
        else:
            self._print(draft, outcome)
        self._tell_saved(draft, saved, code)
        return code

    async def _check(self, draft: Draft, transcript: Transcript) -> CheckOutcome:
        connection, depth = self.given.connection, self.given.how_deep
        assert draft.connection.endpoint is not None
        return await observed(
            lambda emit: self.invocation.services.checks.check_draft(draft, depth, emit, options=connection),
            draft.connection.endpoint,
            None,
            self.watch,
            live_reader(self.out, transcript, shown(str(draft.connection.endpoint))),
            self.watched,
        )

    def _print(self, draft: Draft, outcome: CheckOutcome) -> None:
        for line in summary(outcome.report, self.given.how_deep, report_width(self.out)):
            report_line(self.out, line)
        if exit_code([outcome]) == Exit.OK:
            self.out.data("\nWhat to type into the application:")
            self.out.data("\n".join(f"  {line}" for line in table(_settings(draft))))

    def _tell_saved(self, draft: Draft, saved: Account | None, code: Exit) -> None:
        if saved is not None:
            self.out.narrate(f"Saved as '{saved.name}'. Its {_kept(saved)}: {store_words(saved.store)}.")
        elif draft.name:
            self.out.narrate("Nothing was saved: the check did not pass.")
        elif code == Exit.OK and self.out.form is Form.TEXT:
            self.out.narrate("Nothing was saved; --save NAME would.")


def _kept(account: Account) -> str:
    return "sign-in" if account.connection.auth is Auth.XOAUTH2 else "password"


def _settings(draft: Draft) -> Sequence[tuple[str, str]]:
    assert draft.connection.endpoint is not None
    facts = [
        ("Outgoing server", draft.connection.endpoint.host),
        ("Port", str(draft.connection.endpoint.port)),
        ("Secure connection", draft.connection.endpoint.security.words),
        ("User name", draft.connection.username if draft.connection.auth is not Auth.NONE else ""),
        ("Password", "the one that was just used" if draft.connection.auth is Auth.PASSWORD else ""),
        ("Sign-in", "in the browser (OAuth 2.0, XOAUTH2)" if draft.connection.auth is Auth.XOAUTH2 else ""),
        ("From", str(draft.from_address or "")),
    ]
    return [(name, words) for name, words in facts if words]
