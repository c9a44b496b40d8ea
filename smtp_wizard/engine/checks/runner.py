"""One check from the first look-up to the last reply: stages in order, each inside its own time limit."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Collection, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from smtp_wizard.engine.base.connection import Auth, Family
from smtp_wizard.engine.base.endpoint import Endpoint, Security
from smtp_wizard.engine.base.secret import Secret
from smtp_wizard.engine.base.shown import NO_WORDS, Shown, cut, join, phrase, shown
from smtp_wizard.engine.base.stages import Depth, Stage, Verdict
from smtp_wizard.engine.checks.certificate_inspection import (
    WORTH_INSPECTING,
    InspectionFailed,
    inspect_certificates,
    refined_by_inspection,
)
from smtp_wizard.engine.checks.events import Emit, Line, RunFinished, SignInProgress, StageFinished, StageStarted
from smtp_wizard.engine.checks.report import CheckResult, Report, Speaker
from smtp_wizard.engine.checks.target import ExplainsSymptoms, Mail, Target, TimeLimits, planned_stages
from smtp_wizard.engine.diagnosis.finding import Finding
from smtp_wizard.engine.smtp import protocol, sasl
from smtp_wizard.engine.smtp.masking import MASK, Redactor
from smtp_wizard.engine.smtp.protocol import Capabilities, Command, Dialogue, Reply, SmtpError
from smtp_wizard.engine.smtp.symptom import Fault, Hints, Symptom, TlsFault
from smtp_wizard.engine.smtp.timeouts import done_within, listening_timeout
from smtp_wizard.engine.smtp.tls import TlsFacts
from smtp_wizard.engine.smtp.transport import Peer, Stream, Wire
from smtp_wizard.engine.smtp.wire_error import WireError


async def run_checks(
    target: Target,
    secret: Secret | None,
    *,
    depth: Depth,
    wire: Wire,
    diagnosis: ExplainsSymptoms,
    emit: Emit,
    limits: TimeLimits | None = None,
    sign_in: SignInProgress | None = None,
) -> Report:
    """Go through the stages, telling each event to `emit`, and return the report; the first failure ends it.

    What goes wrong is a value in the report, never an exception. Cancelling closes the socket. With depth `send`,
    `target.mail` must be there; to sign in, `secret`, the password or the access token: `ValueError` otherwise.
    `sign_in`: where it is kept how far the sign-in has come.
    """
    if depth is Depth.SEND and target.mail is None:
        raise ValueError("a check that sends needs a message")
    if depth is not Depth.SERVER and target.connection.auth is not Auth.NONE and secret is None:
        raise ValueError("a check that signs in needs a secret")
    run = CheckRun(
        target, secret, wire, diagnosis, emit, limits or TimeLimits(), sign_in or SignInProgress(unwatched, unwatched)
    )
    try:
        for stage in planned_stages(target, depth):
            await run.stage(stage)
        await run.leave()
    finally:
        run.close()
    report = Report(target.connection.endpoint, tuple(run.results))
    emit(RunFinished(report))
    return report


async def unwatched() -> None:
    """Nobody wants to know of the sign-in."""


@dataclass(eq=False)
class _StageFailure(Exception):
    """A stage ends badly; becomes a Symptom. Not frozen: the interpreter hangs its traceback on it."""

    fault: Fault
    words: Shown = NO_WORDS
    reply: Reply | None = None
    tls: TlsFault | None = None
    lacking: str = ""
    other: Endpoint | None = None
    seen: TlsFacts | None = None
    server_time: datetime | None = None
    facts: Mapping[str, Shown] = field(default_factory=dict)


SOON = timedelta(days=21)
"""A certificate with less time left gets a warning: renewing by hand takes a while, and machines renew earlier."""
_LOST = (Fault.CLOSED, Fault.RESET, Fault.SILENT, Fault.GARBLED, Fault.TLS_FAILED)
_REACHING = (Fault.REFUSED, Fault.SILENT, Fault.RESET, Fault.CLOSED)
_NAMES_SHOWN = 10
"""Names kept of a certificate that nobody believes: it may have a thousand."""
_ELSEWHERE = (TlsFault.VERSION, TlsFault.CLIENT_CERTIFICATE)
"""What one port of a server may want and another may not."""


class CheckRun:
    """One check: the connection, what has been learnt, and one method a stage.

    `run_checks` leads it through the stages; `sender_trials` goes on with it after the sign-in.
    """

    def __init__(
        self,
        target: Target,
        secret: Secret | None,
        wire: Wire,
        diagnosis: ExplainsSymptoms,
        emit: Emit,
        limits: TimeLimits,
        sign_in: SignInProgress,
    ) -> None:
        self.target = target
        self.secret = secret
        self.wire = wire
        self.diagnosis = diagnosis
        self.emit = emit
        self.limits = limits
        self.sign_in = sign_in
        self.results: list[CheckResult] = []
        redactor = Redactor(secret, target.connection.username)
        self.dialogue = Dialogue(redactor)
        self._mask_all = redactor.whole
        self._began = wire.clock()
        self._stage = Stage.DNS
        self._failed = False
        self._may_quit = False
        """Whether the server awaits a command: not in mid-handshake, not in mid-message."""
        self._peers: list[Peer] = []
        self._stream: Stream | None = None
        self._offered = Capabilities()
        self._ehlo_refused = False
        self._name = ""
        """What this end was introduced as."""
        self._dot_sent = False
        self._early: Reply | None = None
        """The reply to DATA that came with a pipelined batch."""

    # -- the frame around every stage ------------------------------------------------------------------------------

    async def stage(self, stage: Stage) -> None:
        """Run one stage inside its time limit; tell how it began and how it ended."""
        if self._failed:
            self._finish(CheckResult(stage, Verdict.SKIPPED, 0.0, phrase("not reached")))
            return
        self._stage = stage
        self.emit(StageStarted(stage))
        began = self.wire.clock()
        limit = self.limits.of(stage)
        try:
            async with listening_timeout(limit):
                result = await self._work(stage)
        except TimeoutError:
            result = self._failure(stage, _StageFailure(Fault.SILENT, facts={"seconds": phrase("{:g}", limit)}))
        except _StageFailure as trouble:
            result = self._failure(stage, trouble)
        except WireError as error:
            result = self._failure(stage, await self._with_inspection(error))
        except SmtpError as error:
            result = self._failure(
                stage, _StageFailure(error.fault, error.words, reply=error.reply, lacking=error.lacking)
            )
        self._failed = result.verdict in (Verdict.FAIL, Verdict.UNKNOWN)
        self._may_quit = self._awaits_command(stage, result)
        self._finish(replace(result, took=self.wire.clock() - began))

    def _awaits_command(self, stage: Stage, result: CheckResult) -> bool:
        if not self._failed:
            return stage not in (Stage.DNS, Stage.CONNECT, Stage.TLS)
        said_no = result.finding is not None and bool(result.finding.server_said)
        # Replies to the rest of a batch are still to come; at RCPT they have been read, where it was that which failed.
        batched = "PIPELINING" in self._offered and stage in (Stage.MAIL, Stage.RCPT) and self._early is None
        return said_no and not batched and stage in (Stage.EHLO, Stage.AUTH, Stage.MAIL, Stage.RCPT)

    def _work(self, stage: Stage) -> Awaitable[CheckResult]:
        work: dict[Stage, Callable[[], Awaitable[CheckResult]]] = {
            Stage.DNS: self._dns,
            Stage.CONNECT: self._connect,
            Stage.TLS: self._tls,
            Stage.GREETING: self._greeting,
            Stage.EHLO: self._ehlo,
            Stage.STARTTLS: self._starttls,
            Stage.AUTH: self._auth,
            Stage.MAIL: self._mail,
            Stage.RCPT: self._rcpt,
            Stage.DATA: self._data,
        }
        return work[stage]()

    def _finish(self, result: CheckResult) -> None:
        self.results.append(result)
        self.emit(StageFinished(result))

    def _failure(self, stage: Stage, trouble: _StageFailure) -> CheckResult:
        """Turn what went wrong into a finding."""
        lost = self._dot_sent and trouble.fault in _LOST
        if lost:
            trouble = replace(trouble, fault=Fault.OUTCOME_UNKNOWN)
        finding = self.diagnosis.explain(self._symptom(stage, trouble))
        # Where we had no connection to give, nobody knows how the server would have answered.
        unknown = lost or trouble.fault is Fault.NO_ROOM
        verdict = Verdict.UNKNOWN if unknown else Verdict.FAIL
        return CheckResult(stage, verdict, 0.0, finding.title, finding, tls=trouble.seen)

    def _symptom(self, stage: Stage, trouble: _StageFailure) -> Symptom:
        target, mail, now = self.target, self.target.mail, self.wire.now()
        reply = trouble.reply
        # A secret too short to be told from ordinary words cannot be masked in them: nothing is quoted.
        hidden = self._mask_all and (stage is Stage.AUTH or trouble.fault is Fault.UNSOLICITED)
        other = trouble.other
        unreached = stage in (Stage.CONNECT, Stage.TLS, Stage.GREETING) and trouble.fault in _REACHING
        if other is None and (unreached or trouble.tls in _ELSEWHERE):
            other = self._alternative()
        return Symptom(
            stage=stage,
            fault=trouble.fault,
            words=NO_WORDS if hidden else trouble.words or (reply.text if reply else NO_WORDS),
            code=reply.code if reply else None,
            enhanced=reply.enhanced if reply else None,
            tls=trouble.tls,
            lacking=trouble.lacking,
            endpoint=target.connection.endpoint,
            hints=Hints(auth=target.connection.auth if target.connection.auth is Auth.XOAUTH2 else None),
            provider=target.connection.provider,
            secret_shape=target.secret_shape,
            username=shown(target.connection.username, 100),
            sender=shown(str(mail.sender)) if mail else NO_WORDS,
            recipient=shown(str(mail.recipient)) if mail else NO_WORDS,
            other=other,
            now=now,
            server_time=trouble.server_time,
            facts={
                "time": phrase("{:%Y-%m-%d %H:%M} UTC", now),
                "ehlo_name": shown(self._name),
                **({"typed": target.typed} if target.typed else {}),
                **trouble.facts,
            },
        )

    def _alternative(self) -> Endpoint | None:
        return next((each for each in self.target.alternatives if each != self.target.connection.endpoint), None)

    def _same_port(self, security: Security) -> Endpoint:
        return replace(self.target.connection.endpoint, security=security)

    def close(self) -> None:
        """Close the socket."""
        if self._stream is not None:
            self._stream.close()

    async def begin_again(self, mail: Mail) -> bool:
        """Forget the message that was begun (RSET, RFC 5321 section 4.1.1.5), and take another one.

        Returns whether the server goes along. No result is kept of it, and nothing is raised.
        """
        self.target = replace(self.target, mail=mail)
        if not self.dialogue.settled:  # the answer that is still to come would be taken for that to what is said next
            return False
        self._stage, self._failed, self._dot_sent, self._early = Stage.MAIL, False, False, None
        self._offered = self._offered.without("PIPELINING")  # each answer is heard before more is said
        try:
            async with listening_timeout(self.limits.of(Stage.MAIL)):
                (reply,) = await self._ask(protocol.rset())
        except (WireError, SmtpError, TimeoutError, _StageFailure):
            return False
        return reply.code in protocol.RESET

    async def leave(self) -> None:
        """Say QUIT where that makes sense; its answer changes nothing and is not waited for."""
        if self._stream is None or not self._may_quit:
            return
        with contextlib.suppress(WireError, SmtpError, TimeoutError):
            async with asyncio.timeout(1.0):
                command = protocol.quit_()
                self._tell(Speaker.OURS, command.shown)
                await self._stream.write(command.data)

    # -- speaking ---------------------------------------------------------------------------------------------------

    @property
    def stream(self) -> Stream:
        """The connection, which every stage after `connect` has."""
        assert self._stream is not None
        return self._stream

    def _tell(self, way: Speaker, text: Shown) -> None:
        encrypted = self._stream is not None and self._stream.encrypted
        self.emit(Line(self.wire.clock() - self._began, self._stage, way, text, encrypted))

    async def _send(self, *commands: Command) -> None:
        await self._write(self._framed(*commands), *commands)

    def _framed(self, *commands: Command) -> bytes:
        """Return the bytes of commands. Raises `SmtpError` where the server has said something unasked."""
        self.dialogue.receive(self.stream.read_ready())
        return self.dialogue.send(*commands)

    async def _write(self, payload: bytes, *commands: Command) -> None:
        for command in commands:
            self._tell(Speaker.OURS, command.shown)
        await self.stream.write(payload)

    async def _reply(self, *, masked: bool = False) -> Reply:
        """Wait for the next reply; masked ones are challenges of an authentication exchange."""
        while (reply := self.dialogue.reply()) is None:
            data = await self.stream.read()
            if not data:
                raise _StageFailure(Fault.CLOSED, self.dialogue.unread)
            self.dialogue.receive(data)
        last = len(reply.lines) - 1
        for index, line in enumerate(reply.lines):
            hidden = (masked and reply.intermediate) or (self._mask_all and self._stage is Stage.AUTH)
            text = MASK if hidden else cut(line)
            template = "{}-{}" if index < last else "{} {}" if text else "{}"
            self._tell(Speaker.THEIRS, phrase(template, reply.code, text))
        return reply

    async def _ask(self, *commands: Command) -> list[Reply]:
        await self._send(*commands)
        return [await self._reply() for command in commands for _ in range(command.replies)]

    def _require(
        self,
        reply: Reply,
        codes: Collection[int],
        *,
        words: Shown = NO_WORDS,
        lacking: str = "",
        other: Endpoint | None = None,
        facts: Mapping[str, Shown] | None = None,
    ) -> None:
        """Let it go on where the reply has one of these codes; end the stage where it has not."""
        if reply.code in codes:
            return
        fault = Fault.REJECTED if reply.refusal else Fault.GARBLED
        raise _StageFailure(fault, words, reply=reply, lacking=lacking, other=other, facts=facts or {})

    # -- the stages -------------------------------------------------------------------------------------------------

    async def _dns(self) -> CheckResult:
        endpoint = self.target.connection.endpoint
        self._peers = list(await self.wire.resolve(endpoint.host, endpoint.port, self.target.family))
        host, first, more = shown(endpoint.host), shown(self._peers[0].address), len(self._peers) - 1
        detail = host if first == host else phrase("{} is {}", host, first)
        return CheckResult(Stage.DNS, Verdict.PASS, 0.0, phrase("{} and {} more", detail, more) if more else detail)

    async def _connect(self) -> CheckResult:
        self._stream = await self.wire.connect(self._peers)
        peer = self._stream.peer
        words = phrase("IPv4" if peer.family is Family.IPV4 else "IPv6")
        address = shown(peer.address)
        self._tell(Speaker.NOTE, phrase("connected to {} port {} ({})", address, peer.port, words))
        return CheckResult(
            Stage.CONNECT,
            Verdict.PASS,
            0.0,
            phrase("{} answers on port {} ({})", address, peer.port, words),
            family=peer.family,
            address=peer.address,
        )

    async def _tls(self) -> CheckResult:
        facts = await self._handshake()
        finding = self._expiry_warning(Stage.TLS, facts)
        verdict = Verdict.WARN if finding else Verdict.PASS
        return CheckResult(Stage.TLS, verdict, 0.0, tls_words(facts, self.wire.now()), finding, tls=facts)

    async def _handshake(self) -> TlsFacts:
        facts = await self.stream.start_tls(self.target.connection.endpoint.host, self.target.trust)
        issuer = facts.issuer or phrase("an unnamed issuer")
        words = tls_words(facts, self.wire.now())
        self._tell(Speaker.NOTE, phrase("{}; {}; issued by {}", words, facts.cipher, issuer))
        return facts

    def _expiry_warning(self, stage: Stage, facts: TlsFacts) -> Finding | None:
        """The warning about a certificate that is good today and will not be for long."""
        left = facts.not_after - self.wire.now() if facts.not_after else SOON
        if facts.not_after is None or left >= SOON:
            return None
        known = {
            "days": phrase("{}", max(left.days, 0)),
            "not_after": phrase("{:%Y-%m-%d}", facts.not_after),
            "issuer": facts.issuer,
        }
        return self.diagnosis.explain(self._symptom(stage, _StageFailure(Fault.EXPIRES_SOON, facts=known)))

    async def _greeting(self) -> CheckResult:
        reply = await self._first_reply()
        self._require(reply, protocol.GREETED)
        return CheckResult(Stage.GREETING, Verdict.PASS, 0.0, cut(reply.text, 100))

    async def _first_reply(self) -> Reply:
        """Wait for the greeting; when none comes, ask over a second connection whether TLS is awaited."""
        waiting = asyncio.ensure_future(self._greeting_or_protocol())
        probing: asyncio.Future[bool] | None = None
        try:
            if not (self.stream.encrypted or await done_within(waiting, self.limits.silence)):
                probing = asyncio.ensure_future(self._awaits_tls())
                await asyncio.wait({waiting, probing}, return_when=asyncio.FIRST_COMPLETED)
                # A server that has waited for a handshake for long enough hangs up: the other connection tells why.
                if (not waiting.done() or _hung_up(waiting)) and await probing:
                    raise _StageFailure(Fault.SPEAKS_TLS, other=self._same_port(Security.TLS))
            return await waiting
        finally:
            for task in (waiting, probing):
                if task is not None and not task.done():
                    task.cancel()
            if waiting.done() and not waiting.cancelled():
                waiting.exception()

    async def _greeting_or_protocol(self) -> Reply:
        data = await self.stream.read()
        if not data:
            raise _StageFailure(Fault.CLOSED)
        if not self.stream.encrypted and data[0] in (0x15, 0x16):
            raise _StageFailure(Fault.SPEAKS_TLS, other=self._same_port(Security.TLS))
        self.dialogue.receive(data)
        try:
            return await self._reply()
        except SmtpError as error:
            if error.fault is Fault.GARBLED and data[:1] in b"+*H<":
                raise _StageFailure(Fault.OTHER_PROTOCOL, error.words) from None
            raise

    async def _awaits_tls(self) -> bool:
        """Whether a fresh connection answers a ClientHello. Nothing but the handshake is sent."""
        try:
            stream = await self.wire.connect(self._peers)
        except WireError:
            return False
        try:
            await stream.start_tls(self.target.connection.endpoint.host, None)
        except WireError as error:
            return error.fault is Fault.TLS_FAILED
        finally:
            stream.close()
        return True

    async def _ehlo(self) -> CheckResult:
        await self._introduce()
        return CheckResult(Stage.EHLO, Verdict.PASS, 0.0, _offer_words(self._offered), capabilities=dict(self._offered))

    async def _introduce(self) -> None:
        name = self._name = protocol.ehlo_argument(self.target.connection.ehlo_name, self.stream.local_address)
        (reply,) = await self._ask(protocol.ehlo(name))
        old = reply.code in protocol.NO_EHLO and not self._ehlo_refused
        if old:
            self._ehlo_refused = True
            (reply,) = await self._ask(protocol.helo(name))
        self._require(reply, protocol.EHLO_ACCEPTED, lacking="NAME" if reply.code in protocol.NAME_REFUSED else "")
        self._offered = Capabilities() if old else Capabilities.parse(reply)

    async def _starttls(self) -> CheckResult:
        if "STARTTLS" not in self._offered:
            raise _StageFailure(Fault.NOT_OFFERED, lacking="STARTTLS", other=self._alternative())
        (reply,) = await self._ask(protocol.starttls())
        self._require(reply, protocol.TLS_READY, lacking="STARTTLS", other=self._alternative())
        self.dialogue.receive(self.stream.read_ready())
        injected = self.dialogue.restart_under_tls()
        facts = await self._handshake()
        await self._introduce()
        finding = self._expiry_warning(Stage.STARTTLS, facts)
        if injected:
            self._tell(Speaker.NOTE, phrase("thrown away, it came unencrypted before the handshake: {}", injected))
            finding = self.diagnosis.explain(self._symptom(Stage.STARTTLS, _StageFailure(Fault.INJECTED, injected)))
        return CheckResult(
            Stage.STARTTLS,
            Verdict.WARN if finding else Verdict.PASS,
            0.0,
            tls_words(facts, self.wire.now()),
            finding,
            tls=facts,
            capabilities=dict(self._offered),
        )

    async def _auth(self) -> CheckResult:
        if not self.stream.encrypted and not (
            self.target.connection.endpoint.security is Security.NONE and self.target.connection.allow_cleartext
        ):
            raise self._cleartext_refused()
        mechanism = sasl.choose_mechanism(self._offered.mechanisms, self.target.connection.auth)
        if mechanism is None:
            raise self._no_mechanism()
        assert self.secret is not None
        exchange = sasl.begin_exchange(
            mechanism,
            self.target.connection.username,
            self.secret,
            endpoint=self.target.connection.endpoint,
            now=self.wire.now(),
        )
        reply = await self._exchange(exchange)
        words = phrase("{} ({})", reply.text, exchange.added) if exchange.added else NO_WORDS
        other = self._encrypted_alternative(reply)
        self._require(reply, protocol.SIGNED_IN, words=words, other=other, facts=exchange.facts)
        exchange.accepted()
        await self.sign_in.accepted()
        detail = phrase("signed in as {} ({})", shown(self.target.connection.username, 60), shown(mechanism))
        return CheckResult(Stage.AUTH, Verdict.PASS, 0.0, detail, mechanism=mechanism)

    async def _exchange(self, exchange: sasl.Exchange) -> Reply:
        start = exchange.start()
        await self.sign_in.sending()
        payload = self._framed(start)
        self.sign_in.mark_sent()
        await self._write(payload, start)
        reply = await self._reply(masked=True)
        while reply.code == protocol.CHALLENGE:
            answer = exchange.answer(reply.lines[0])
            await self._send(answer or sasl.cancel())
            reply = await self._reply(masked=True)
            if answer is None and reply.code == protocol.CHALLENGE:
                raise _StageFailure(Fault.GARBLED)
        self.sign_in.mark_answered()
        return reply

    def _encrypted_alternative(self, reply: Reply) -> Endpoint | None:
        wants_tls = reply.code in (530, 538) and not self.stream.encrypted
        return self._same_port(Security.STARTTLS) if wants_tls and "STARTTLS" in self._offered else None

    def _cleartext_refused(self) -> _StageFailure:
        better = self._same_port(Security.STARTTLS) if "STARTTLS" in self._offered else None
        return _StageFailure(Fault.UNENCRYPTED, other=better)

    def _no_mechanism(self) -> _StageFailure:
        if not self.stream.encrypted and "STARTTLS" in self._offered:
            return _StageFailure(Fault.NOT_OFFERED, lacking="AUTH-BEFORE-TLS", other=self._same_port(Security.STARTTLS))
        offered = shown(", ".join(self._offered.mechanisms))
        words = phrase("the server offers: {}" if offered else "the server offers no sign-in", offered)
        facts = {"mechanisms": cut(offered, 100)} if offered else {}
        return _StageFailure(Fault.NOT_OFFERED, cut(words), lacking=self._lacking() if offered else "AUTH", facts=facts)

    def _lacking(self) -> str:
        """What is missing among the mechanisms that are offered: what takes a token, or what takes a password."""
        if self.target.connection.auth is Auth.XOAUTH2:
            return "OAUTH"
        return "PASSWORD" if sasl.choose_mechanism(self._offered.mechanisms, Auth.XOAUTH2) else "MECHANISM"

    async def _mail(self) -> CheckResult:
        """Hand over the sender; where the server can take several commands at once, recipient and DATA with it."""
        mail = self._message
        if mail.needs_utf8 and "SMTPUTF8" not in self._offered:
            raise _StageFailure(Fault.NOT_OFFERED, lacking="SMTPUTF8")
        command = protocol.mail_from(
            mail.sender,
            self._offered,
            size=len(mail.content),
            utf8=mail.needs_utf8,
            eight_bit=not mail.content.isascii(),
            envelope_id=mail.envelope_id,
        )
        if "PIPELINING" in self._offered:
            await self._send(command, self._recipient(), protocol.data())
        else:
            await self._send(command)
        self._require(await self._reply(), protocol.SENDER_ACCEPTED)
        return CheckResult(Stage.MAIL, Verdict.PASS, 0.0, phrase("sender {} accepted", shown(str(mail.sender))))

    def _recipient(self) -> Command:
        mail = self._message
        return protocol.rcpt_to(mail.recipient, notify=bool(mail.envelope_id) and "DSN" in self._offered)

    async def _rcpt(self) -> CheckResult:
        pipelined = "PIPELINING" in self._offered
        if not pipelined:
            await self._send(self._recipient())
        reply = await self._reply()
        if pipelined:
            self._early = await self._reply()
        if reply.code not in protocol.RECIPIENT_ACCEPTED and self._early is not None and self._early.intermediate:
            # The server took DATA although it refused the recipient: the lone dot ends it with nothing sent.
            await self._ask(protocol.empty_content())
        self._require(reply, protocol.RECIPIENT_ACCEPTED)
        return CheckResult(
            Stage.RCPT, Verdict.PASS, 0.0, phrase("recipient {} accepted", shown(str(self._message.recipient)))
        )

    async def _data(self) -> CheckResult:
        if self._early is None:
            (self._early,) = await self._ask(protocol.data())
        self._require(self._early, protocol.CONTENT_AWAITED)
        await self._send(protocol.content(self._message.content))
        self._dot_sent = True
        reply = await self._reply()
        if reply.code not in protocol.MESSAGE_ACCEPTED and reply.code < 400:
            raise _StageFailure(Fault.GARBLED, reply=reply)  # neither taken nor refused
        self._dot_sent = False
        self._require(reply, protocol.MESSAGE_ACCEPTED)
        return CheckResult(Stage.DATA, Verdict.PASS, 0.0, cut(reply.shown, 100))

    @property
    def _message(self) -> Mail:
        assert self.target.mail is not None
        return self.target.mail

    # -- looking into a failed handshake ----------------------------------------------------------------------------

    async def _with_inspection(self, error: WireError) -> _StageFailure:
        """Add what a second, unbelieving connection sees of a certificate that was not believed."""
        trouble = _StageFailure(error.fault, error.words, tls=error.tls)
        if error.fault is Fault.SPEAKS_PLAIN:
            return replace(trouble, other=self._same_port(Security.STARTTLS))
        if error.tls is None:
            return trouble
        known = {"reason": error.words}
        trouble = replace(trouble, facts=known)
        if error.tls not in WORTH_INSPECTING:
            return trouble
        peer, target = self.stream.peer, self.target
        self.stream.close()  # some servers let nobody in twice
        try:
            async with listening_timeout(self.limits.tls):
                seen = await inspect_certificates(
                    self.wire, peer, target.connection.endpoint, target.connection.ehlo_name, self.limits.silence
                )
        except (
            InspectionFailed,
            TimeoutError,
            ImportError,
        ):  # on another computer there may be nothing to read one with
            return trouble
        found = refined_by_inspection(error.tls, seen, self.wire.now())
        self._tell(Speaker.NOTE, phrase("a second connection, to look and no more: {}", _chain_words(seen.tls)))
        return replace(
            trouble,
            tls=found.tls,
            lacking=found.lacking,
            facts={**known, **found.facts},
            seen=replace(seen.tls, names=seen.tls.names[:_NAMES_SHOWN], chain=()),
            server_time=seen.server_time,
        )


def _hung_up(waiting: asyncio.Future[Reply]) -> bool:
    error = waiting.exception()
    return isinstance(error, _StageFailure | WireError) and error.fault in (Fault.CLOSED, Fault.RESET)


def _chain_words(facts: TlsFacts) -> Shown:
    """The certificates that were sent, in one line."""
    unnamed, nobody = phrase("unnamed"), phrase("nobody named")
    sent = [phrase("{}, until {:%Y-%m-%d}", each.subject or unnamed, each.not_after) for each in facts.chain[:4]]
    signed = phrase("signed by {}", (facts.chain[-1].issuer if facts.chain else nobody) or nobody)
    return cut(phrase("{}; {}", facts.version, join(" < ", [*sent, signed])), 300)


def tls_words(facts: TlsFacts, now: datetime) -> Shown:
    """One short line about a handshake: version, and how long the certificate is still good."""
    version = shown(facts.version.replace("TLSv", "TLS "))
    if facts.not_after is None:
        return version
    return phrase("{}, certificate valid {} more days", version, (facts.not_after - now).days)


def _offer_words(offered: Capabilities) -> Shown:
    if not offered:
        return phrase("the server knows only the old greeting (HELO)")
    named = [phrase("AUTH {}", offered[name]) if name == "AUTH" else name for name in _WORTH_NAMING if name in offered]
    return cut(phrase("offers {}", join(", ", named)), 100)


_WORTH_NAMING = tuple(map(phrase, ("STARTTLS", "AUTH", "SIZE", "PIPELINING", "8BITMIME", "SMTPUTF8", "DSN")))
