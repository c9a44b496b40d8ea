"""`check`: tests a server that belongs to no account."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import click

from smtp_wizard.commands.check_all_ports import ControlHostCheck, ControlHostResult, Sweep
from smtp_wizard.commands.check_run import (
    Check,
    Transcript,
    exit_code,
    live_reader,
    observed,
    report_line,
    report_width,
)
from smtp_wizard.commands.command_with_examples import CommandWithExamples
from smtp_wizard.commands.invocation import Invocation
from smtp_wizard.commands.options.connection import (
    DEPTH,
    SECURITY,
    ConnectionOptions,
    connection_from,
    connection_options,
    missing_answers,
    parsed_by,
    sign_in_option,
)
from smtp_wizard.commands.options.passwords import PASSWORD_OPTIONS, PasswordSource, password_options, taken_from
from smtp_wizard.commands.options.remote_host import parse_remote_host
from smtp_wizard.commands.options.sign_in import given_password, warn_of_oddities
from smtp_wizard.engine.base.address import Address
from smtp_wizard.engine.base.characters import parse_words
from smtp_wizard.engine.base.connection import Auth, Connection
from smtp_wizard.engine.base.endpoint import USUAL_WAYS, Endpoint, Security, parse_host, parse_server
from smtp_wizard.engine.base.secret import Secret
from smtp_wizard.engine.base.shown import shown
from smtp_wizard.engine.base.stages import Depth, Stage, Verdict
from smtp_wizard.engine.scan.known_host import provider_of
from smtp_wizard.engine.scan.network_findings import report_unreached
from smtp_wizard.engine.wizard.draft import Draft
from smtp_wizard.output.check_outcome import CheckOutcome
from smtp_wizard.output.plain_lines import summary
from smtp_wizard.runtime.exit_codes import Exit, Interrupted
from smtp_wizard.runtime.output import Form
from smtp_wizard.runtime.questions import ask_password, can_ask
from smtp_wizard.runtime.running import Stopwatch, run
from smtp_wizard.text.network import best_json, network_json, why_words

if TYPE_CHECKING:
    from smtp_wizard.engine.remote.ssh import SshHost
    from smtp_wizard.output.documents.ports import BestJson, NetworkJson


@dataclass(frozen=True, slots=True)
class CheckRequest:
    """What was asked for."""

    host: str
    port: int | None
    security: Security | None
    depth: Depth
    auth: Auth
    username: str
    sender: Address | None
    to: Address | None
    allow_cleartext: bool
    password: PasswordSource
    connection: ConnectionOptions
    neutral: str | None
    """The host that is to tell whether this network blocks a port."""
    on: str | None
    """The computer that makes the same check, as ssh knows it."""
    ssh_options: tuple[str, ...]


@click.command("check", cls=CommandWithExamples)
@click.argument("server", metavar="HOST[:PORT]")
@click.option("--security", type=SECURITY, help="How the port is encrypted.  [default: found out]")
@click.option(
    "--depth",
    type=DEPTH,
    default="server",
    show_default=True,
    help="Test the server only, the sign-in too, or send a message.",
)
@click.option("--username", metavar="NAME", callback=parsed_by(parse_words), help="Sign in as this user.")
@click.option(
    "--auth",
    type=click.Choice([each.value for each in Auth]),
    default=Auth.PASSWORD.value,
    help="How to sign in; with xoauth2 the password options give an access token.",
)
@click.option(
    "--from",
    "sender",
    metavar="ADDR",
    callback=parsed_by(Address.parse),
    help="With --depth send: the sender's address.",
)
@click.option(
    "--to", metavar="ADDR", callback=parsed_by(Address.parse), help="With --depth send: the recipient's address."
)
@click.option(
    "--allow-cleartext-login", "allow_cleartext", is_flag=True, help="Allow the password to be sent unencrypted."
)
@click.option(
    "--neutral",
    metavar="OTHERHOST",
    callback=parsed_by(parse_host),
    help="If HOST does not answer, try this server, to see whether the network blocks the port.",
)
@click.option(
    "--on",
    metavar="[USER@]HOST",
    callback=parsed_by(parse_remote_host),
    help="Also run the check on HOST, over ssh, and compare.",
)
@click.option(
    "-o", "ssh_options", metavar="OPTION", multiple=True, help="With --on: pass this option to ssh (repeatable)."
)
@password_options
@connection_options
@sign_in_option
@click.option("--json", "_json", is_flag=True, help="Print one JSON document.")
@click.pass_obj
def command(invocation: Invocation, /, server: str, **given: Any) -> int:
    """Test a mail server without an account.

    Without a port, every usual port is tried, and you learn which ones work, how, and what the network blocks. Without
    --depth, no password is used and no message is sent.
    """
    given.pop("_json")
    password, connection = taken_from(given), connection_from(given)
    pasted = parse_server(server)
    asked = CheckRequest(
        host=pasted.host,
        port=pasted.port,
        security=Security(given["security"]) if given["security"] else pasted.security,
        depth=Depth(given["depth"]),
        auth=Auth(given["auth"]),
        username=given["username"] or "",
        sender=given["sender"],
        to=given["to"],
        allow_cleartext=given["allow_cleartext"],
        password=password,
        connection=connection,
        neutral=given["neutral"],
        on=given["on"],
        ssh_options=given["ssh_options"],
    )
    return _Checker(invocation, asked).run()


class _Checker:
    """One run of the command."""

    def __init__(self, invocation: Invocation, asked: CheckRequest) -> None:

        self.invocation = invocation
        self.out = invocation.out
        self.asked = asked
        self.watch = Stopwatch(asked.connection.timeout)
        self.secret: Secret | None = None

    def run(self) -> int:
        self._refuse_missing()
        self.secret = self._password()
        if self.asked.on is not None:
            return self._both(self._endpoint(), self.asked.on)
        return self._one(self._endpoint()) if self.asked.port is not None else self._sweep()

    # -- what is needed ---------------------------------------------------------------------------------------------

    def _refuse_missing(self) -> None:
        asked = self.asked
        if asked.on is not None and (asked.port is None or asked.depth is Depth.SEND):
            raise click.UsageError("--on checks one port, HOST:PORT, and sends nothing.")
        if asked.ssh_options and asked.on is None:
            raise click.UsageError("-o goes with --on.")
        signs_in = asked.depth is not Depth.SERVER and asked.auth is not Auth.NONE
        sends = asked.depth is Depth.SEND
        lacking = [
            name
            for name, missing in (
                ("--username", signs_in and not asked.username),
                ("--from", sends and asked.sender is None),
                ("--to", sends and asked.to is None),
                (PASSWORD_OPTIONS, signs_in and not asked.password.given and not can_ask()),
            )
            if missing
        ]
        if lacking:
            raise missing_answers(lacking)

    def _password(self) -> Secret | None:

        asked = self.asked
        if asked.depth is Depth.SERVER or asked.auth is Auth.NONE:
            return None
        given = given_password(self.invocation, asked.password, self.watch, self._undone)
        what = "Access token" if asked.auth is Auth.XOAUTH2 else "Password"
        secret = given or ask_password(f"{what} of {asked.username}")
        warn_of_oddities(self.out, secret)
        return secret

    def _endpoint(self) -> Endpoint:
        asked = self.asked
        assert asked.port is not None
        security = asked.security or USUAL_WAYS.get(asked.port, Security.STARTTLS)
        return Endpoint(asked.host, asked.port, security)

    def _document(self, outcomes: Sequence[CheckOutcome], best: BestJson | None, network: NetworkJson) -> None:
        from smtp_wizard.output.documents.checks import PlacedJson, ResultJson
        from smtp_wizard.output.documents.ports import Checked

        results = tuple(PlacedJson(ResultJson.of(each), "here", ()) for each in outcomes)
        self.out.document(Checked(results, best, network))

    def _undone(self) -> str:
        return f"The check of {self.asked.host} was not finished."

    # -- one port ---------------------------------------------------------------------------------------------------

    def _one(self, endpoint: Endpoint) -> int:

        with Transcript(self.asked.connection, self.out) as transcript:
            outcome = run(self._as_it_answers(endpoint, transcript), self.watch, self._undone)
        if self.out.form is Form.TEXT:
            for line in summary(outcome.report, self.asked.depth, report_width(self.out)):
                report_line(self.out, line)
        report = outcome.report
        neutral = self._neutral([endpoint.port] if report_unreached(report) else [], None)
        if self.out.form is Form.JSON:
            families = (report.family,) if report.family else ()
            best = best_json(report.endpoint if _serves(outcome) else None, families)
            self._document([outcome], best, network_json(None, neutral.answers, neutral.proposal))
        return exit_code([outcome])

    async def _as_it_answers(self, endpoint: Endpoint, transcript: Transcript) -> CheckOutcome:
        """Check an endpoint; where the way was not said and the port answers in the other, check it in that."""
        outcome = await self._check(endpoint, self.asked.depth, transcript)
        from smtp_wizard.flows.server_questions import answers_in

        offered = next((finding.fix for finding in outcome.findings if finding.fix is not None), None)
        other = answers_in(endpoint, offered, said=self.asked.security is not None)
        if other is None:
            return outcome
        self.out.narrate(f"Port {other.port} answers in another way: {other.security.words}. Once more:")
        return await self._check(other, self.asked.depth, transcript)

    async def _check(self, endpoint: Endpoint, depth: Depth, transcript: Transcript) -> CheckOutcome:

        reader = live_reader(self.out, transcript, shown(str(endpoint)))
        return await observed(self._work(endpoint, depth), endpoint, None, self.watch, reader)

    def _work(self, endpoint: Endpoint, depth: Depth, remote: SshHost | None = None) -> Check:
        """Return the check of one endpoint, as `observed` takes it."""
        asked, services = self.asked, self.invocation.services
        provider = provider_of(services.catalog, endpoint.host)
        draft = Draft(
            address=asked.sender,
            connection=Connection(
                endpoint=endpoint,
                username=asked.username,
                auth=asked.auth,
                provider=provider.id if provider else None,
                allow_cleartext=asked.allow_cleartext,
            ),
            confirmed_host=endpoint.host,
            secret=self.secret,
            test_to=asked.to,
        )
        return lambda emit: services.checks.check_draft(draft, depth, emit, options=asked.connection, remote=remote)

    # -- from two places --------------------------------------------------------------------------------------------

    def _both(self, endpoint: Endpoint, host: str) -> int:
        """Check one port here and on another computer, and show both."""
        from smtp_wizard.commands.testing.remote_comparison import differences, here_alone, side_by_side
        from smtp_wizard.engine.remote.ssh import SshHost

        there = SshHost(host, self.asked.ssh_options, environ=self.invocation.stores.for_children(), asks=can_ask())
        both = [run(self._quietly(endpoint, None), self.watch, self._undone)]
        try:
            both.append(run(self._quietly(endpoint, there), self.watch, lambda: f"Not tested from {host}."))
        except Interrupted:
            self._print_places(endpoint, both, host, (), here_alone(both[0], self.out.width))
            raise
        differs = differences(both[0].report, both[1].report)
        self._print_places(endpoint, both, host, differs, side_by_side(both[0], both[1], host, self.out.width))
        return exit_code(both)

    def _print_places(
        self,
        endpoint: Endpoint,
        done: Sequence[CheckOutcome],
        host: str,
        differs: tuple[Stage, ...],
        lines: Iterable[str],
    ) -> None:
        """Print what was checked here, and there where that was done too; `lines`: as it is told to a person."""
        if self.out.form is Form.JSON:
            from smtp_wizard.commands.testing.remote_comparison import HERE
            from smtp_wizard.output.documents.checks import PlacedJson, ResultJson
            from smtp_wizard.output.documents.ports import Checked

            placed = zip(done, (HERE, host), strict=False)
            results = tuple(PlacedJson(ResultJson.of(each), at, differs) for each, at in placed)
            best = best_json(endpoint if _serves(done[0]) else None, ())
            self.out.document(Checked(results, best, network_json(None, (), None)))
        else:
            for line in lines:
                report_line(self.out, line)

    async def _quietly(self, endpoint: Endpoint, there: SshHost | None) -> CheckOutcome:
        from smtp_wizard.commands.testing.remote_comparison import outcome_there

        work = self._work(endpoint, self.asked.depth, there)
        if there is None:
            return await observed(work, endpoint, None, self.watch, lambda _: None)
        return await outcome_there(work, endpoint, None, self.watch, self.invocation)

    # -- every port ------------------------------------------------------------------------------------------------

    def _sweep(self) -> int:
        asked, watch = self.asked, self.watch
        sweep = Sweep(self.invocation, asked.host, asked.security, asked.connection, watch)
        with Transcript(asked.connection, self.out) as transcript:
            found = run(sweep.found(transcript), watch, self._undone)
            outcomes = found.outcomes
            best = found.probe.best
            if self.out.form is Form.TEXT:
                sweep.show(found)
            if best is not None and asked.depth is not Depth.SERVER:
                deep = run(self._check(best.endpoint, asked.depth, transcript), watch, self._undone)
                outcomes = [deep, *outcomes[1:]]
        neutral = self._neutral(found.unreached, [each.report.endpoint for each in found.probe.serving])
        if self.out.form is Form.JSON:
            good = best is not None and _serves(outcomes[0])
            chosen = best_json(best.endpoint, best.families, why_words(best)) if best and good else None
            self._document(outcomes, chosen, network_json(found.probe, neutral.answers, neutral.proposal))
        return exit_code(outcomes[:1]) if best is not None else Exit.FAILED

    # -- the network ------------------------------------------------------------------------------------------------

    def _neutral(self, ports: Sequence[int], serving: Sequence[Endpoint] | None) -> ControlHostResult:
        """Find out, where that is wanted, whether this network blocks the ports that nobody has spoken at."""
        asked = self.asked
        server = str(Endpoint(asked.host, asked.port, Security.TLS)) if asked.port else asked.host
        ask = ControlHostCheck(self.invocation, asked.host, server, asked.connection, self.watch)
        return ask.settled(asked.neutral, ports, serving, self._undone)


def _serves(outcome: CheckOutcome) -> bool:
    return outcome.report.verdict in (Verdict.PASS, Verdict.WARN)
