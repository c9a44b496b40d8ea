"""`check`: tests a server that belongs to no account."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import click

from smtp_wizard.commands.checking import (
    Check,
    Transcript,
    exit_code,
    held_reader,
    live_reader,
    observed,
    report_line,
)
from smtp_wizard.commands.connection import (
    DEPTH,
    SECURITY,
    USUAL_PORTS,
    USUAL_WAYS,
    Connection,
    connection_from,
    connection_options,
    missing_answers,
    parse_words,
    parsed_by,
    split_host_port,
)
from smtp_wizard.commands.exits import Exit
from smtp_wizard.commands.invocation import Invocation
from smtp_wizard.commands.output import Form
from smtp_wizard.commands.passwords import PASSWORD_OPTIONS, PasswordSource, password_options, taken_from
from smtp_wizard.commands.questions import ask_password, can_ask
from smtp_wizard.commands.running import Stopwatch, run
from smtp_wizard.commands.sign_in import given_password, warn_of_oddities
from smtp_wizard.engine.catalog import ProviderKind
from smtp_wizard.engine.check import Limits
from smtp_wizard.engine.desk import Options
from smtp_wizard.engine.model import Address, Auth, Depth, Endpoint, Secret, Security, Verdict
from smtp_wizard.engine.wizard import Draft
from smtp_wizard.report import Outcome, finding_lines, outcome_json, summary, sweep_lines


@dataclass(frozen=True, slots=True)
class Asked:
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
    connection: Connection


@click.command("check")
@click.argument("server", metavar="HOST[:PORT]")
@click.option("--security", type=SECURITY, help="How the port is encrypted. Left out: what answers decides.")
@click.option("--depth", type=DEPTH, default="server", show_default=True, help="How far the check goes.")
@click.option("--username", metavar="NAME", callback=parsed_by(parse_words), help="Sign in as this user.")
@click.option("--auth", type=click.Choice(["password", "none"]), default="password", help="'none': no sign-in.")
@click.option(
    "--from",
    "sender",
    metavar="ADDR",
    callback=parsed_by(Address.parse),
    help="With --depth send: from here.",
)
@click.option("--to", metavar="ADDR", callback=parsed_by(Address.parse), help="With --depth send: to here.")
@click.option("--allow-cleartext-login", "allow_cleartext", is_flag=True, help="Sign in even without encryption.")
@password_options
@connection_options
@click.option("--json", "_json", is_flag=True, help="Print one JSON document.")
@click.pass_obj
def command(invocation: Invocation, /, server: str, **given: Any) -> int:
    """Test a mail server that belongs to no account.

    Without a port every usual one is tried, and you are told which serve, and how. Without --depth no password is
    used and nothing is sent.
    """
    given.pop("_json")
    password, connection = taken_from(given), connection_from(given)
    host, port = split_host_port(server)
    asked = Asked(
        host=host,
        port=port,
        security=Security(given["security"]) if given["security"] else None,
        depth=Depth(given["depth"]),
        auth=Auth(given["auth"]),
        username=given["username"] or "",
        sender=given["sender"],
        to=given["to"],
        allow_cleartext=given["allow_cleartext"],
        password=password,
        connection=connection,
    )
    return _Checker(invocation, asked).run()


class _Checker:
    """One run of the command."""

    def __init__(self, invocation: Invocation, asked: Asked) -> None:

        self.invocation = invocation
        self.out = invocation.out
        self.asked = asked
        self.watch = Stopwatch(asked.connection.timeout)
        self.secret: Secret | None = None

    def run(self) -> int:
        self._refuse_missing()
        self.secret = self._password()
        return self._one(self._endpoint()) if self.asked.port is not None else self._sweep()

    # -- what is needed ---------------------------------------------------------------------------------------------

    def _refuse_missing(self) -> None:
        asked = self.asked
        signs_in = asked.depth is not Depth.SERVER and asked.auth is Auth.PASSWORD
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
        secret = given or ask_password(f"Password of {asked.username}")
        warn_of_oddities(self.out, secret)
        return secret

    def _endpoint(self) -> Endpoint:
        asked = self.asked
        assert asked.port is not None
        security = asked.security or USUAL_WAYS.get(asked.port, Security.STARTTLS)
        return Endpoint(asked.host, asked.port, security)

    def _undone(self) -> str:
        return f"The check of {self.asked.host} was not finished."

    # -- one port ---------------------------------------------------------------------------------------------------

    def _one(self, endpoint: Endpoint) -> int:

        with Transcript(self.asked.connection, self.out) as transcript:
            outcome = run(self._as_it_answers(endpoint, transcript), self.watch, self._undone)
        if self.out.form is Form.JSON:
            self.out.document("check", results=[outcome_json(outcome)], best=_best([outcome]))
        else:
            for line in summary(outcome.report, self.asked.depth):
                report_line(self.out, line)
        return exit_code([outcome])

    async def _as_it_answers(self, endpoint: Endpoint, transcript: Transcript) -> Outcome:
        """Check an endpoint; where the way was not said and the port answers in the other, check it in that."""
        outcome = await self._check(endpoint, self.asked.depth, transcript)
        fix = next((finding.fix for finding in outcome.findings if finding.fix is not None), None)
        other_way = fix is not None and (fix.host, fix.port) == (endpoint.host, endpoint.port)
        if self.asked.security is None and fix is not None and other_way and fix.security is not Security.NONE:
            self.out.narrate(f"Port {fix.port} answers in another way: {fix.security.words}. Once more:")
            return await self._check(fix, self.asked.depth, transcript)
        return outcome

    async def _check(self, endpoint: Endpoint, depth: Depth, transcript: Transcript) -> Outcome:

        reader = live_reader(self.out, transcript, str(endpoint))
        return await observed(self._work(endpoint, depth), endpoint, None, self.watch, reader)

    def _work(self, endpoint: Endpoint, depth: Depth) -> Check:
        """Return the check of one endpoint, as `observed` takes it."""
        asked, desk = self.asked, self.invocation.desk
        draft = Draft(
            address=asked.sender,
            provider=_provider_of(self.invocation, endpoint.host),
            endpoint=endpoint,
            username=asked.username,
            auth=asked.auth,
            allow_cleartext=asked.allow_cleartext,
            secret=self.secret,
            test_to=asked.to,
        )
        connection = asked.connection
        options = Options(family=connection.family, ehlo_name=connection.ehlo_name, ca_file=connection.ca_file)
        return lambda emit: desk.check_draft(draft, depth, emit, options=options)

    # -- every usual port -------------------------------------------------------------------------------------------

    def _sweep(self) -> int:

        with Transcript(self.asked.connection, self.out) as transcript:
            outcomes = run(self._try_usual(transcript), self.watch, self._undone)
            serving = [each for each in outcomes if _serves(each)]
            if self.out.form is Form.TEXT:
                self._print_sweep(outcomes, serving)
            if serving and self.asked.depth is not Depth.SERVER:
                best = serving[0].report.endpoint
                deep = run(self._check(best, self.asked.depth, transcript), self.watch, self._undone)
                outcomes = [deep, *(each for each in outcomes if each is not serving[0])]
                serving = [deep]
        if self.out.form is Form.JSON:
            self.out.document("check", results=[outcome_json(each) for each in outcomes], best=_best(serving))
        return exit_code(serving[:1]) if serving else Exit.FAILED

    async def _try_usual(self, transcript: Transcript) -> list[Outcome]:
        """Try every usual port at once, each its usual way; return those that serve first, best first."""
        self.invocation.desk.limits = Limits(connect=_PATIENCE)
        outcomes = await asyncio.gather(*(self._try(endpoint, transcript) for endpoint in self._usual()))
        return sorted(outcomes, key=lambda outcome: not _serves(outcome))

    def _usual(self) -> list[Endpoint]:
        host, said = self.asked.host, self.asked.security
        ways = {port: way for port, way in USUAL_WAYS.items() if said in (None, way)}
        if said is Security.NONE:
            ways = dict.fromkeys((USUAL_PORTS[Security.NONE], 587, 2525), Security.NONE)
        return [Endpoint(host, port, way) for port, way in ways.items()]

    async def _try(self, endpoint: Endpoint, transcript: Transcript) -> Outcome:

        lines: list[str] = []
        work = self._work(endpoint, Depth.SERVER)
        outcome = await observed(work, endpoint, None, self.watch, held_reader(transcript, lines))
        transcript.block(str(endpoint), lines)
        return outcome

    def _print_sweep(self, outcomes: Sequence[Outcome], serving: Sequence[Outcome]) -> None:

        for line in sweep_lines(outcomes):
            report_line(self.out, line)
        if serving:
            best = serving[0].report.endpoint
            self.out.data(f"Best: port {best.port} with {best.security.words}.")
            return
        # Every way was tried, so the findings offer none of them; what is said of four ports is said once.
        findings = [replace(finding, fix=None) for outcome in outcomes for finding in outcome.findings]
        for finding in {finding.title: finding for finding in reversed(findings)}.values():
            self.out.data(finding.title)
            for line in finding_lines(finding):
                report_line(self.out, line)


_PATIENCE = 6.0
"""Seconds to wait for a port to open when several are tried: a lost SYN is sent again after 1 and 3."""


def _serves(outcome: Outcome) -> bool:
    return outcome.report.verdict in (Verdict.PASS, Verdict.WARN)


def _best(outcomes: Sequence[Outcome]) -> dict[str, Any] | None:
    """Return the best endpoint that serves, as JSON."""
    best = next((outcome.report.endpoint for outcome in outcomes if _serves(outcome)), None)
    return None if best is None else {"host": best.host, "port": best.port, "security": best.security.value}


def _provider_of(invocation: Invocation, host: str) -> str | None:
    """Return the first provider in the catalogue whose server this is: what its replies mean is known then.

    Not the practice server: whatever else listens on this computer is none.
    """
    for provider in invocation.desk.catalog.providers:
        if provider.kind is not ProviderKind.SANDBOX and host in {each.endpoint.host for each in provider.endpoints}:
            return provider.id
    return None
