"""The step 'Server': which server sends the mail, by hand; its ports are tried without a password."""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Iterator, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any, TypeVar

from smtp_wizard.engine.base.address import Address
from smtp_wizard.engine.base.connection import Connection
from smtp_wizard.engine.base.endpoint import (
    USUAL_PORTS,
    USUAL_WAYS,
    Endpoint,
    PastedServer,
    Security,
    following_port,
    parse_port,
    parse_server,
)
from smtp_wizard.engine.base.errors import InputError
from smtp_wizard.engine.base.stages import Depth
from smtp_wizard.engine.checks.events import Event, Line, StageFinished
from smtp_wizard.engine.discovery.candidate import Candidate, FoundBy
from smtp_wizard.engine.discovery.server_identity import belongs_to
from smtp_wizard.engine.providers.catalog import Catalog
from smtp_wizard.engine.scan.results import PortScanned, ScanEvent, ScanResult, ScanStarted, fold_scan
from smtp_wizard.engine.services.check_options import CheckOptions
from smtp_wizard.engine.services.checks import Checks
from smtp_wizard.engine.services.scans import Scans
from smtp_wizard.engine.wizard.draft import Draft
from smtp_wizard.engine.wizard.steps import Back, Next, may_be_nameless, with_typed_username
from smtp_wizard.engine.wizard.trusted_servers import doubt_about, server_was_discovered
from smtp_wizard.flows.flow import Card, Entry, Flow, Leads, Mood, Offer, Section
from smtp_wizard.flows.server_questions import NetworkQuestion, answer_card, doubt_card, serving_instead
from smtp_wizard.flows.server_state import (
    ANSWERS,
    NOTHING,
    SECTIONS,
    WHERE_TO_FIND,
    ServerField,
    ServerOffer,
    ServerQuestion,
    ServerState,
    TrialOutcome,
    cleartext_card,
    of_report,
    of_scan,
)
from smtp_wizard.flows.stoppable import StoppableWork, Stopped
from smtp_wizard.output.plain_lines import transcript_line
from smtp_wizard.runtime.expected_errors import EXPECTED_ERRORS
from smtp_wizard.text import server as words
from smtp_wizard.text.network import (
    UnreachedPorts,
    unreached,
    unreached_after,
    unreached_ports,
)
from smtp_wizard.text.wizard import parse_reply_to

T = TypeVar("T")


_PARSERS: dict[ServerField, Callable[[str], object]] = {
    ServerField.HOST: parse_server,
    ServerField.PORT: parse_port,
    ServerField.SENDER: parse_reply_to,
}


class ServerFlow(Flow[ServerState, ServerOffer, Leads]):
    """The server's name, its port and how it is encrypted, the user name, and the address that mail comes from."""

    def __init__(
        self, draft: Draft, *, catalog: Catalog, checks: Checks, scans: Scans, now: Callable[[], datetime]
    ) -> None:
        """Begin with what the draft knows; a server that was found for the address is filled in as a guess."""
        self._draft = draft
        self._catalog = catalog
        self._checks = checks
        self._scans = scans
        self._now = now
        known, typed = draft.connection.endpoint, draft.typed
        self._guess = _own_server(draft) if known is None else None
        begun = known or (self._guess.endpoint if self._guess else None)
        self._known = known.host if known else ""
        self._security = begun.security if begun else Security.TLS
        self._texts = {
            ServerField.HOST: typed.get("host", begun.host if begun else ""),
            ServerField.PORT: typed.get("port", str(begun.port if begun else USUAL_PORTS[Security.TLS])),
            ServerField.USERNAME: draft.connection.username,
            ServerField.SENDER: typed.get("sender", str(draft.identity.sender or "")),
        }
        self._filled = (self._texts[ServerField.PORT], self._security)
        """Port and security as they were filled in: where they differ, the person chose them."""
        self._errors: dict[ServerField, str] = {}
        self._cursor = ServerField.HOST
        self._question: ServerQuestion | None = None
        self._outcome = NOTHING
        self._running: Card | None = None
        self._best_so_far: ScanResult | None = None
        self._taking = False
        """Whether the scan is to end with what it has."""
        self._work = StoppableWork()
        self._network = NetworkQuestion(scans)
        super().__init__(self._picture())

    # -- what is typed ----------------------------------------------------------------------------------------------

    def type(self, field: ServerField, text: str) -> None:
        """Put a text into a field; what was said of the server that stood there before no longer holds."""
        if self._texts[field] == text:
            return
        self._texts[field] = text
        self._errors.pop(field, None)
        self._question = None
        if field is ServerField.HOST or (field is ServerField.PORT and not self._outcome.scan):
            self._forget()
        self._draw()

    def choose(self, security: Security) -> None:
        """Choose how it is encrypted; the port follows, unless somebody chose that one."""
        before, self._security = self._security, security
        self._question = None
        port = self._value(ServerField.PORT, parse_port)
        if port is not None:
            self._texts[ServerField.PORT] = str(following_port(port, before, security))
        if before is not security and not self._outcome.scan:
            self._forget()
        self._draw()

    def checked(self, field: ServerField) -> str:
        """Return what is wrong with the text of a field, '' where nothing is; it is said there from now on."""
        try:
            parse = _PARSERS.get(field)
            if parse is not None:
                parse(self._texts[field])
        except InputError as problem:
            self._errors[field], self._cursor = str(problem), field
            self._draw()
            return str(problem)
        if field is ServerField.HOST:
            self._put_apart()
            self._draw()
        return ""

    @property
    def draft(self) -> Draft:
        """The draft with what stands in the fields, right or wrong: nothing typed is lost."""
        draft, endpoint = self._draft, self._endpoint
        if endpoint is None:
            draft = draft.with_typed("host", self._texts[ServerField.HOST])
            draft = draft.with_typed("port", self._texts[ServerField.PORT])
        else:
            # A guess that stands here is not confirmed before the person goes on with it.
            put = draft.with_endpoint if self._is_guess else draft.with_typed_endpoint
            draft = put(endpoint).with_typed("host", None).with_typed("port", None)
        return with_typed_username(self._with_sender(draft), self._catalog, self._texts[ServerField.USERNAME].strip())

    def _with_sender(self, draft: Draft) -> Draft:
        typed = self._texts[ServerField.SENDER]
        try:
            sender: Address | None = parse_reply_to(typed)
        except InputError:
            return draft.with_typed("sender", typed)
        own = None if sender == draft.address else sender
        return replace(draft, identity=replace(draft.identity, sender=own)).with_typed("sender", None)

    @property
    def _is_guess(self) -> bool:
        """Whether the server's name is still the one that was found for the address."""
        return self._guess is not None and self._texts[ServerField.HOST] == self._guess.endpoint.host

    @property
    def _endpoint(self) -> Endpoint | None:
        """The server that stands in the fields; None where one of them cannot be used."""
        pasted = self._pasted
        port = (pasted.port if pasted else None) or self._value(ServerField.PORT, parse_port)
        return Endpoint(pasted.host, port, pasted.security or self._security) if pasted and port is not None else None

    @property
    def _pasted(self) -> PastedServer | None:
        """What stands in the field of the name: it may say the port and the encryption, too."""
        return self._value(ServerField.HOST, parse_server)

    @property
    def _host(self) -> str | None:
        return self._pasted.host if self._pasted is not None else None

    def _put_apart(self) -> None:
        """Put the port and the encryption that were pasted with the name into their own fields."""
        pasted = self._pasted
        if pasted is None or (pasted.port is None and pasted.security is None):
            return
        self._texts[ServerField.HOST] = pasted.host
        if pasted.security is not None:
            self._security = pasted.security
        elif pasted.port is not None:
            self._security = USUAL_WAYS.get(pasted.port, self._security)
        if pasted.port is not None:
            self._texts[ServerField.PORT] = str(pasted.port)
            self._errors.pop(ServerField.PORT, None)

    def _value(self, field: ServerField, parse: Callable[[str], T]) -> T | None:
        try:
            return parse(self._texts[field])
        except InputError:
            return None

    # -- what is done -----------------------------------------------------------------------------------------------

    async def act(self, offer: ServerOffer) -> Leads | None:
        match offer:
            case ServerOffer.BACK:
                return Back(self.draft)
            case ServerOffer.STOP | ServerOffer.TAKE:
                self._end_early(take=offer is ServerOffer.TAKE)
            case ServerOffer.USE:
                return self._used()
            case ServerOffer.YES | ServerOffer.NO:
                return await self._answered(offer is ServerOffer.YES)
            case ServerOffer.NETWORK:
                self._ask(ServerQuestion.NETWORK if self._network.unreached is not None else None)
            case ServerOffer.PORTS if not self.checked(ServerField.HOST):
                await self._try_ports()
            case ServerOffer.TEST if self._usable(ServerField.HOST, ServerField.PORT):
                await self._test()
            case ServerOffer.FIX if self._outcome.fix is not None:
                await self._try_instead(self._outcome.fix)
        return None

    def _usable(self, *fields: ServerField) -> bool:
        return not next((error for error in map(self.checked, fields) if error), "")

    def _used(self) -> Leads | None:
        """Go on, unless a field is wrong or something is to be asked first."""
        if not self._usable(ServerField.HOST, ServerField.PORT, ServerField.SENDER):
            return None
        draft = self.draft
        if doubt_about(draft, self._catalog) is not None:
            self._ask(ServerQuestion.SERVER)
            return None
        draft = draft.confirmed()
        if draft.connection.awaits_consent:
            self._ask(ServerQuestion.CLEARTEXT)
            return None
        return Next(draft)

    def _ask(self, question: ServerQuestion | None) -> None:
        self._question = question
        self._draw()

    async def _answered(self, yes: bool) -> Leads | None:
        question, self._question = self._question, None
        match question:
            case ServerQuestion.SERVER if yes:
                self._draft = self.draft.confirmed()
                return self._used_or_drawn()
            case ServerQuestion.CLEARTEXT if yes:
                draft = self.draft.confirmed()
                agreed: Connection[Endpoint | None] = replace(draft.connection, allow_cleartext=True)
                self._draft = replace(draft, connection=agreed)
                return self._used_or_drawn()
            case ServerQuestion.NETWORK if yes:
                await self._ask_network()
            case ServerQuestion.SERVER:
                self._cursor = ServerField.HOST
            case ServerQuestion.CLEARTEXT:
                self._cursor = ServerField.SECURITY
        self._draw()
        return None

    def _used_or_drawn(self) -> Leads | None:
        leads = self._used()
        self._draw()
        return leads

    # -- what is tried ----------------------------------------------------------------------------------------------

    async def _test(self) -> None:
        """Try the server that stands in the fields, without a password."""
        endpoint = self._endpoint
        assert endpoint is not None, "the fields were looked at"
        rows: list[str] = []
        lines: list[str] = []

        def see(event: Event) -> None:
            if isinstance(event, StageFinished):
                rows.append(words.stage_row(event.result))
                self._run_on(f"Trying {endpoint} …", [*rows, words.WAITING])
            elif isinstance(event, Line):
                lines.append(transcript_line(event))

        self._run_on(f"Trying {endpoint} …", [words.WAITING])
        report = await self._done(self._checks.check_draft(self.draft, Depth.SERVER, see))
        if report is not None and self._endpoint == endpoint:  # else another one was typed meanwhile
            self._tell(of_report(report, rows, lines, self._now()))
            self._wonder(lambda: unreached_after(self._scans, report))

    async def _try_instead(self, fix: Endpoint) -> None:
        """Take what is offered, and try it."""
        self._texts[ServerField.HOST] = fix.host
        self._fill_in(fix)
        await self._test()

    async def _try_ports(self) -> None:
        """Try every port that may serve, all at once; take the best, unless the person's own serves."""
        host = self._host
        assert host is not None, "the field was looked at"
        title = f"Trying the usual ports of {host} …"
        seen: list[PortScanned] = []

        def see(event: ScanEvent) -> None:
            if isinstance(event, ScanStarted):
                self._best_so_far = ScanResult(event.question)
            elif isinstance(event, PortScanned) and self._best_so_far is not None:
                seen.append(event)
                self._best_so_far = fold_scan(self._best_so_far.question, seen)
                self._run_on(title, words.running_rows(self._best_so_far, self._now()))

        self._run_on(title, [words.WAITING])
        draft = self.draft
        options = CheckOptions(ehlo_name=draft.connection.ehlo_name)
        found = server_was_discovered(draft, self._catalog)
        ca_file = draft.connection.ca_file
        try:
            scan = await self._done(self._scans.probe(host, see, ca_file=ca_file, options=options, found=found))
            if scan is None and self._taking:
                scan = self._best_so_far
            if scan is not None:
                self._conclude(scan)
        finally:
            self._best_so_far, self._taking = None, False

    def _conclude(self, scan: ScanResult) -> None:
        """Fill in the port to take, and say what follows from all of them."""
        host, own = scan.question.host, self._endpoint
        if self._host != host:  # another one was typed meanwhile
            return
        taken = self._to_take(scan, own)
        if taken is not None and taken != own:
            self._fill_in(taken)
        self._tell(of_scan(scan, taken, self._now()))
        whole = len(scan.ports) == len(scan.question.endpoints)
        ports = unreached_ports(scan) if whole else []
        serving = [each.report.endpoint for each in scan.serving]
        self._wonder(lambda: unreached(self._scans, host, ports, serving))

    def _to_take(self, scan: ScanResult, own: Endpoint | None) -> Endpoint | None:
        """Return the port to take: the person's own choice where it serves, else the best."""
        chosen = (self._texts[ServerField.PORT], self._security) != self._filled
        if chosen and own in {each.report.endpoint for each in scan.serving}:
            return own
        return scan.best.endpoint if scan.best is not None else None

    async def _ask_network(self) -> None:
        self._running = self._network.running()
        self._draw()
        answers = await self._done(self._network.answers())
        if answers:
            fix = serving_instead(answers)
            self._tell(replace(self._outcome, card=answer_card(answers), fix=fix, finding=None, notes=()))

    # -- how it is done ---------------------------------------------------------------------------------------------

    async def _done(self, work: Coroutine[Any, Any, T]) -> T | None:
        """Do it; return None where it was stopped, or could not be done, which is said.

        However it ends, the flow is as it was before; what was typed meanwhile stays.
        """
        try:
            return await self._work.run(work)
        except Stopped:
            return None
        except EXPECTED_ERRORS as problem:
            self._outcome = TrialOutcome(Card(mood=Mood.FAILED, title=words.COULD_NOT_TRY, lines=(str(problem),)))
            return None
        finally:
            self._running = None
            self._draw()

    def _end_early(self, *, take: bool) -> None:
        self._taking = take and self._best_so_far is not None
        self._work.stop()

    def _tell(self, outcome: TrialOutcome) -> None:
        """Say what a trial told, and ask no more about a network."""
        self._outcome = outcome
        self._network.wonder(None)
        self._draw()

    def _wonder(self, find: Callable[[], UnreachedPorts | None]) -> None:
        """See whether there is something to find out about ports that did not answer."""
        if self._draft.connection.sandbox is not None:
            return
        try:
            self._network.wonder(find())
        except EXPECTED_ERRORS:  # nobody can be proposed: then nothing is offered
            return
        self._draw()

    def _forget(self) -> None:
        """Let go what the last trial said: it was about another server."""
        self._outcome = NOTHING
        self._network.wonder(None)

    def _fill_in(self, endpoint: Endpoint) -> None:
        """Put port and security, which belong together, into their fields."""
        self._texts[ServerField.PORT] = str(endpoint.port)
        self._security = endpoint.security
        self._filled = (self._texts[ServerField.PORT], self._security)
        self._errors.pop(ServerField.PORT, None)

    # -- what is shown ----------------------------------------------------------------------------------------------

    def _run_on(self, title: str, rows: Sequence[str]) -> None:
        self._running = Card(mood=Mood.RUNNING, title=title, lines=tuple(rows), foot="Esc stops")
        self._draw()

    def _draw(self) -> None:
        self._show(self._picture())

    def _picture(self) -> ServerState:
        outcome = self._outcome
        return ServerState(
            host=self._entry(ServerField.HOST, words.HOST, self._host_hint(), "smtp.example.com"),
            security=self._security,
            port=self._entry(ServerField.PORT, words.PORT, self._port_hint()),
            username=self._entry(ServerField.USERNAME, words.USERNAME, self._username_hint()),
            sender=self._entry(ServerField.SENDER, words.SENDER, words.SENDER_HINT, str(self._draft.address or "")),
            card=self._card(),
            offers=tuple(self._offers()),
            question=self._question,
            running=self._running is not None,
            cursor=self._cursor,
            finding=outcome.finding,
            notes=outcome.notes,
            details=outcome.details,
            sections=(Section("What the ports say", outcome.notes),) if outcome.notes else SECTIONS,
        )

    def _entry(self, field: ServerField, label: str, hint: str, placeholder: str = "") -> Entry:
        error = self._errors.get(field, "")
        return Entry(label=label, text=self._texts[field], placeholder=placeholder, hint=hint, error=error)

    def _host_hint(self) -> str:
        if self._guess is None or not self._is_guess:
            return ""
        return words.GUESS_HINT if self._guess.source is FoundBy.GUESS else words.FOUND_HINT

    def _port_hint(self) -> str:
        return words.port_hint(self._value(ServerField.PORT, parse_port), self._security)

    def _username_hint(self) -> str:
        if self._texts[ServerField.USERNAME].strip():
            return words.USERNAME_HINT
        return words.NAMELESS_HINT if self.may_be_nameless else words.NAME_LATER_HINT

    @property
    def may_be_nameless(self) -> bool:
        """Whether no user name means no sign-in."""
        return may_be_nameless(self._draft, self._catalog)

    def _card(self) -> Card | None:
        """The question that stands, what is being tried, or what came of it."""
        match self._question:
            case ServerQuestion.SERVER:
                doubt = doubt_about(self.draft, self._catalog)
                return doubt_card(doubt) if doubt is not None else None
            case ServerQuestion.CLEARTEXT:
                return cleartext_card(self._endpoint)
            case ServerQuestion.NETWORK:
                return self._network.asking()
        return self._running or self._outcome.card or WHERE_TO_FIND

    def _offers(self) -> Iterator[Offer[ServerOffer]]:
        if self._question is not None:
            no, yes = ANSWERS[self._question]
            yield Offer(ServerOffer.NO, no, chip="No")
            yield Offer(ServerOffer.YES, yes, chip="Yes")
        elif self._running is not None:
            if self._best_so_far is not None and self._best_so_far.best is not None:
                yield Offer(ServerOffer.TAKE, "Take the best so far", chip="Take the best so far")
            yield Offer(ServerOffer.STOP, "Stop", key="Esc", chip="Stop")
        else:
            yield from self._ways_on()

    def _ways_on(self) -> Iterator[Offer[ServerOffer]]:
        """What can be done with what stands in the fields, the sensible thing first."""
        outcome = self._outcome
        if outcome.fix is not None:
            yield Offer(ServerOffer.FIX, f"Use {self._short(outcome.fix)}", chip=f"Use port {outcome.fix.port}")
        again = outcome.tried and not outcome.good
        use = _named(ServerOffer.USE, "Use it all the same" if again else "Use this server")
        trials = self._trials(again)
        first, *others = trials
        yield from (first, use) if again or self._is_new else (use, first)
        if self._network.unreached is not None:
            yield Offer(ServerOffer.NETWORK, self._network.title, chip="Find out")
        # The one port is among those that were tried.
        yield from others if not outcome.tried else ()

    def _short(self, endpoint: Endpoint) -> str:
        """Name what is to be used instead: the port alone where the server is the same."""
        host = f"{endpoint.host}, " if endpoint.host != self._host else ""
        return f"{host}port {endpoint.port} with {endpoint.security.words}"

    def _trials(self, again: bool) -> tuple[Offer[ServerOffer], ...]:
        """The two ways to try it: all ports first, unless the port in the field is none of the usual ones."""
        ports = _named(ServerOffer.PORTS, "Try the usual ports")
        test = _named(ServerOffer.TEST, "Try this port only")
        port = self._value(ServerField.PORT, parse_port)
        usual = port is None or USUAL_WAYS.get(port) is self._security
        return (ports, test) if usual else (test, ports)

    @property
    def _is_new(self) -> bool:
        """Whether a server was named here that nobody has tried yet."""
        if self._outcome.tried or self._draft.connection.sandbox is not None:
            return False
        host = self._host
        return host is not None and host != self._known


def _named(id: ServerOffer, words: str) -> Offer[ServerOffer]:
    """Return an offer whose row and whose key say the same."""
    return Offer(id, words, chip=words)


def _own_server(draft: Draft) -> Candidate | None:
    """Return the first server of the address's own domain that was found; one of somebody else is not suggested."""
    domain = draft.address.ascii_domain if draft.address is not None else ""
    return next((each for each in draft.candidates if belongs_to(each.endpoint.host, domain)), None)
