"""`providers verify`: speaks to the servers of the catalogue, without a password, and says what no longer fits."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import click

from smtp_wizard.commands.check_run import Transcript, held_reader, not_begun, observed
from smtp_wizard.commands.command_with_examples import CommandWithExamples
from smtp_wizard.commands.invocation import Invocation
from smtp_wizard.commands.options.connection import ConnectionOptions, connection_from, connection_options
from smtp_wizard.commands.options.shell_completion import provider_ids
from smtp_wizard.commands.providers import provider_called
from smtp_wizard.engine.base.connection import Auth, Connection
from smtp_wizard.engine.base.endpoint import Endpoint
from smtp_wizard.engine.base.shown import shown
from smtp_wizard.engine.base.stages import Depth
from smtp_wizard.engine.checks.report import Report
from smtp_wizard.engine.checks.target import Target
from smtp_wizard.engine.scan.verify import ListedSmtpServer, Verified, listed_servers, verify
from smtp_wizard.output.plain_lines import ms
from smtp_wizard.runtime.exit_codes import Exit
from smtp_wizard.runtime.output import Form
from smtp_wizard.runtime.running import Stopwatch, run

if TYPE_CHECKING:
    from smtp_wizard.output.documents.providers import VerifiedJson

MOST_AT_ONCE = 100


@click.command("verify", cls=CommandWithExamples)
@click.argument("provider_id", metavar="[ID]", required=False, shell_complete=provider_ids)
@click.option(
    "--concurrency",
    metavar="N",
    type=click.IntRange(1, MOST_AT_ONCE),
    default=20,
    show_default=True,
    help="Check at most N servers at once.",
)
@connection_options
@click.option("--json", "_json", is_flag=True, help="Print one JSON document.")
@click.pass_obj
def command(invocation: Invocation, /, provider_id: str | None, concurrency: int, **given: Any) -> int:
    """Connect to the servers of one provider, or of all, and report what no longer matches the catalogue.

    No password and no message is sent. For maintainers of the catalogue.
    """
    given.pop("_json")
    connection = connection_from(given)
    catalog = invocation.catalog
    wanted = listed_servers(
        [provider_called(invocation, provider_id)] if provider_id is not None else catalog.providers
    )
    return _Verifier(invocation, connection).run(wanted, concurrency)


class _Verifier:
    """One run of the command."""

    def __init__(self, invocation: Invocation, connection: ConnectionOptions) -> None:
        self.invocation = invocation
        self.out = invocation.out
        self.connection = connection
        self.watch = Stopwatch(connection.timeout)
        self.done = 0

    def run(self, wanted: Sequence[ListedSmtpServer], at_once: int) -> int:
        with Transcript(self.connection, self.out) as transcript:

            async def check(endpoint: Endpoint) -> Report:
                report = await self._check(endpoint, transcript)
                self.done += 1
                return report

            found = run(
                verify(wanted, check, at_once=at_once),
                self.watch,
                lambda: f"{self.done} of {len(wanted)} servers were spoken to.",
            )
        if self.out.form is Form.JSON:
            from smtp_wizard.output.documents.providers import ProvidersVerified

            self.out.document(ProvidersVerified(tuple(map(_json_of, found))))
        else:
            self._print(found)
        return Exit.FAILED if any(each.misfits for each in found) else Exit.OK

    async def _check(self, endpoint: Endpoint, transcript: Transcript) -> Report:
        if self.watch.left() == 0:
            return not_begun(None, endpoint, self.watch.limit or 0.0).report
        connection = self.connection
        target = Target(
            connection=Connection(
                endpoint=endpoint, auth=Auth.NONE, ca_file=connection.ca_file, ehlo_name=connection.ehlo_name
            ),
            family=connection.family,
        )
        lines: list[str] = []
        outcome = await observed(
            lambda emit: self.invocation.services.checks.check_target(target, None, Depth.SERVER, emit),
            endpoint,
            None,
            self.watch,
            held_reader(transcript, lines),
        )
        transcript.block(shown(str(endpoint)), lines)
        return outcome.report

    def _print(self, found: Sequence[Verified]) -> None:
        for each in found:
            for misfit in each.misfits:
                endpoint = each.place.endpoint
                who = ", ".join(provider.id for provider in each.place.providers)
                self.out.data(f"{who}: {endpoint} ({endpoint.security.words}): {misfit}")
        good = sum(not each.misfits for each in found)
        self.out.data(f"{good} of {len(found)} servers fit." if found else "It has no server to speak to.")


def _json_of(verified: Verified) -> VerifiedJson:
    from smtp_wizard.output.documents.providers import VerifiedJson

    return VerifiedJson(
        endpoint=verified.place.endpoint,
        providers=tuple(provider.id for provider in verified.place.providers),
        fits=not verified.misfits,
        misfits=tuple(verified.misfits),
        verdict=verified.report.verdict,
        ms=ms(verified.report.took),
    )
