"""Sessions between a program and a mail server, as programs write them down: who said what, in which order.

swaks, openssl s_client, curl -v, telnet, PHPMailer, nodemailer, smtplib, Net::SMTP of Perl and Ruby, JavaMail, MailKit,
MailSo (RainLoop), Mutt, Postal, Apache Commons, msmtp, Exim, sendmail -v, Postfix -v, the protocol logs of Exchange:
they differ in what they put before a line. What stands behind it is SMTP (RFC 5321), so one reader takes them all.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from smtp_wizard.engine.base.endpoint import Security
from smtp_wizard.engine.base.stages import Stage
from smtp_wizard.engine.explain.evidence import (
    ClientCommand,
    Complaint,
    Connecting,
    Evidence,
    LineRange,
    Secured,
    ServerReply,
)
from smtp_wizard.engine.explain.readers.iis_logs import read_iis
from smtp_wizard.engine.explain.readers.log_prefixes import split_prefix

MOST_LINES = 5_000
LONGEST_LINE = 2_000

# --- what stands before a line ---

_FROM_SERVER = re.compile(
    r"""[ \t]{0,12}(?:
      <[-~*]{1,2}\*?(?![a-zA-Z])          # swaks, Ruby: '<- ', '<~ ', '<** '
    | <<<?(?![a-zA-Z@])                    # Perl, sendmail
    | SMTP<<                               # Exim
    | <(?=[ ][2-5]\d\d)                    # curl
    | (?:(?:TRACE|DEBUG|INFO)[ ]{1,4})?(?:\[[\w-]{1,40}\][ ])?S(?:ERVER)?:  # nodemailer, MailKit, Zend
    | SMTP\[\w{1,20}\]:[ ]<(?=[ ])         # MailSo
    | (?:<\d>[ ])?mutt_socket_\w{1,20}\(\)[ ]\d{1,3}<(?=[ ])
    | =>(?=[ ][2-5]\d\d[ -])               # Postal: the log of the server, which sends this
    | SERVER[ ]->[ ]CLIENT:                # PHPMailer
    | SMTP[ ]->[ ]ERROR:[ ][A-Z][\w ()]{2,60}:[ ]{1,2}(?=[45]\d\d[ -]) # PHPMailer 5
    | SMTP[ ]->[ ](?:FROM[ ]SERVER|get_lines\(\)|ERROR|NOTICE):
    | Net::SMTP(?:=\w+\(0x[0-9a-f]+\))?<<<
    | (?:reply|data):[ ]{1,3}(?:b?['"]|\(?(?=\d{3})) # smtplib
    | reply:[ ]retcode[ ]\(
    | (?:Response|RESPONSE|Received|RECV|Recv|recv|Server|SERVER|server|SMTP[ ]server|Remote|remote|INBOUND|inbound
        |IN|RX|Reply)(?:[ ](?:said|response|says|reply|replied))?[ ]?[:>]
    | <[ ][\w.-]{1,120}\[[0-9a-f.:]{2,45}\](?::\d{1,5})?: # Postfix, verbose
    )[ ]{0,8}b?['"\[(]?""",
    re.VERBOSE,
)
_FROM_CLIENT = re.compile(
    r"""[ \t]{0,12}(?:
      [-~]{1,2}>(?![a-zA-Z])
    | >>>?(?![a-zA-Z@])
    | SMTP>>
    | >(?=[ ][A-Z]{4})
    | (?:(?:TRACE|DEBUG|INFO)[ ]{1,4})?(?:\[[\w-]{1,40}\][ ])?C(?:LIENT)?:
    | SMTP\[\w{1,20}\]:[ ]>(?=[ ])
    | (?:<\d>[ ])?mutt_socket_\w{1,20}\(\)[ ]\d{1,3}>(?=[ ])
    | <=(?=[ ][A-Z]{4})
    | CLIENT[ ]->[ ]SERVER:
    | Net::SMTP(?:=\w+\(0x[0-9a-f]+\))?>>>
    | send:[ ]{1,3}b?['"]
    | (?:Request|REQUEST|Sent|SENT|SEND|Send|send|Sending|Client|CLIENT|client|OUTBOUND|outbound|OUT|TX
        |Command)(?:[ ]command)?[ ]?[:>]
    | >[ ][\w.-]{1,120}\[[0-9a-f.:]{2,45}\](?::\d{1,5})?:
    )[ ]{0,8}b?['"\[(]?""",
    re.VERBOSE,
)
_PROTOCOL_LOG = re.compile(
    r"\d{4}-\d\d-\d\dT[\d:.]{8,16}Z?,(?P<connector>[^,]{0,200}),(?P<session>[0-9A-F]{6,20}),\d{1,6},(?P<local>[^,]{0,60}),"
    r"(?P<remote>[^,]{0,60}),(?P<event>[+\-<>*]),(?P<data>[^,]{0,1500})"
)
"""A line of Exchange's protocol log: its data may stand in quotes, which a comma in it asks for."""

# --- what a line says ---

_REPLY = re.compile(r"(?P<code>[2-5]\d\d)(?P<more>[ \-]|\)?[;,:]?[ ]?(?:Msg:)?[ ]?|$)(?P<words>.{0,1500})")
_ENHANCED = re.compile(r"(?:b?['\"])?(?P<enhanced>[245]\.\d{1,3}\.\d{1,3})(?![\d.]*\d)")
_COMMAND = re.compile(
    r"(?P<verb>EHLO|HELO|LHLO|STARTTLS|AUTH|MAIL FROM|RCPT TO|DATA|BDAT|QUIT|RSET|NOOP|VRFY)(?=$|[ :\\<'\"\])]|\r)",
    re.IGNORECASE,
)
_DOT = re.compile(r"\.(?:\\r\\n|\r|['\"])*$")
_CONNECTING = re.compile(
    r"(?:===?\s|\*\s|DEBUG SMTP: |SMTP INBOUND|connection: |Connection: |\[[\w-]{1,40}\] )?"
    r"(?:Trying|Connecting(?: on| to| via \w+)?|trying to connect to(?: host)?|Connected(?: to)?"
    r"|opening to|connect(?: to)?:?"
    r"|Connection established to|SMTP connect(?:ion)? to|Attempt(?:ing)?(?: to connect)?(?: \d+)?"
    r"|Resolving|\d+\. attempt|Try \d+|Versuch \d+)"
    r"(?=[ :(.,])(?P<rest>[^\n]{0,240})",
    re.IGNORECASE,
)
_PLACE = re.compile(
    r"(?<![\w.-])(?P<host>(?:[a-z0-9-]{1,63}\.){1,8}[a-z]{2,18}|localhost|\d{1,3}(?:\.\d{1,3}){3})(?![\w-])"
    r"(?:[\"'\])]{0,3}(?:[:,][ ]?(?:port[ :=]{0,2})?|[ ]\(?port[ :=]{0,2}|[ ]on port )(?P<port>\d{2,5}))?"
    r"|port[ :=]{0,3}(?P<bare>\d{2,5})",
    re.IGNORECASE,
)
_SECURED = re.compile(
    r"=== TLS (?:started|starting)|TLS (?:session|connection) (?:established|started)"
    r"|SSL connection using|Verify return code: 0"
    r"|STARTTLS: |starttls (?:succeeded|ok)|Connection upgraded|TLSv1\.[23] .{0,60}(?:cipher|with)"
    r"|SSL/TLS.{0,20}established",
    re.IGNORECASE,
)
_COMPLAINS = re.compile(
    r"\*\*\* |(?:SMTP )?ERROR\b|.{0,80}(?:Exception|Error|failed|failure|refused|timed out|timeout|closed"
    r"|reset|cannot|could not|"
    r"unable to|not )\b",
    re.IGNORECASE,
)
_STAGES = {
    "": Stage.GREETING,
    "EHLO": Stage.EHLO,
    "HELO": Stage.EHLO,
    "LHLO": Stage.EHLO,
    "STARTTLS": Stage.STARTTLS,
    "AUTH": Stage.AUTH,
    "MAIL FROM": Stage.MAIL,
    "RCPT TO": Stage.RCPT,
    "DATA": Stage.DATA,
    "BDAT": Stage.DATA,
    ".": Stage.DATA,
}
_SAID_IN = {220: Stage.GREETING, 235: Stage.AUTH, 334: Stage.AUTH, 354: Stage.DATA, 534: Stage.AUTH, 535: Stage.AUTH}
"""The stage of a reply where no command was written down (RFC 5321 section 4.2.3, RFC 4954 section 6)."""
_AGREES = 250
"""No server greets with it; a session that begins with it was cut off before."""
_ENOUGH = 2
"""So many lines of a session are needed: one may stand in any error."""


def read_transcript(text: str) -> list[Evidence]:
    """Return what was said in the sessions of a text, in order; nothing where there is no session in it."""
    reader = _Reader()
    for number, line in enumerate(text.split("\n", MOST_LINES)[:MOST_LINES], 1):
        reader.take(number, line[:LONGEST_LINE])
    return reader.ended()


class _Reader:
    """Takes a session line by line and knows which command is waiting for its reply."""

    def __init__(self) -> None:
        self._found: list[Evidence] = []
        self._command = ""
        self._open: tuple[int, str | None, list[str], int, str] | None = None
        """A reply of which more lines may come: code, enhanced code, words, first line, when."""
        self._last = 0
        self._last_code = 0
        self._secured = False
        self._spoken = 0
        self._positive = 0

    def take(self, number: int, line: str) -> None:
        at, _, said = split_prefix(line)
        logged = _PROTOCOL_LOG.match(line)
        from_server = from_client = False
        if "SMTPSVC" in line and (told := list(read_iis(line))):
            for answers, words in told:
                self._take_said(number, words, answers, not answers, at)
            return
        if logged is not None:
            from_server, from_client = logged["event"] == "<", logged["event"] == ">"
            said = logged["data"].strip('"')
            if logged["event"] == "+":
                self._connect(number, logged["remote"])
                return
            if "smtp receive" in logged["connector"].lower() or "\\default" in logged["connector"].lower():
                from_server, from_client = from_client, from_server
        elif (found := _FROM_SERVER.match(said)) is not None:
            from_server, said = True, said[found.end() :]
        elif (found := _FROM_CLIENT.match(said)) is not None:
            from_client, said = True, said[found.end() :]
        self._take_said(number, said.strip(), from_server, from_client, at)

    def _take_said(self, number: int, said: str, from_server: bool, from_client: bool, at: str) -> None:
        if (
            not from_client
            and (reply := _REPLY.match(said)) is not None
            and (from_server or reply["more"] in (" ", "-", ""))
        ):
            self._take_reply(number, reply, at, from_server)
            return
        if from_server and self._open is not None and said:
            self._open[2].append(said)
            self._last = number
            return
        self._close()
        if not from_server and (command := _COMMAND.match(said)) is not None:
            self._command = command["verb"].upper()
            self._spoken += 1
            self._found.append(ClientCommand(verb=self._command, lines=LineRange(number, number)))
        elif (from_client and self._command == "DATA" and _DOT.match(said)) or (
            self._command == "DATA" and said == "."
        ):
            self._command = "."
            self._spoken += 1
        elif (connecting := _CONNECTING.match(said)) is not None:
            self._connect(number, connecting["rest"])
        elif _SECURED.match(said) is not None:
            self._secured = True
            self._found.append(Secured(lines=LineRange(number, number)))
        elif said and _COMPLAINS.match(said) is not None:
            self._found.append(Complaint(words=said, lines=LineRange(number, number)))

    def _connect(self, number: int, rest: str) -> None:
        place = _PLACE.search(rest)
        host = place["host"] or "" if place is not None else ""
        port = (place["port"] or place["bare"]) if place is not None else None
        self._command = ""
        self._secured = False
        self._found.append(
            Connecting(
                host=host.lower(),
                port=int(port) if port else None,
                security=_security(rest),
                lines=LineRange(number, number),
            )
        )

    def _take_reply(self, number: int, found: re.Match[str], at: str, from_server: bool) -> None:
        code = int(found["code"])
        words = found["words"].strip(" '\"\\")
        enhanced = _ENHANCED.match(words)
        if enhanced is not None:
            words = words[enhanced.end() :].strip(" '\"")
        if self._open is not None and self._open[0] == code:
            self._open[2].append(words)
            self._last = number
        else:
            self._close()
            self._open = (code, enhanced["enhanced"] if enhanced is not None else None, [words], number, at)
            self._last = number
        if found["more"] != "-":
            self._close()

    def _close(self, *, cut: bool = False) -> None:
        if self._open is None:
            return
        code, enhanced, words, first, at = self._open
        self._open = None
        self._spoken += 1
        self._positive += code < 400
        said = " ".join(each for each in words if each)
        again = self._found[-1] if self._found else None
        if (
            isinstance(again, ServerReply)
            and again.code == code
            and again.words.endswith(said)
            and again.lines.last >= first - 2
        ):
            return  # smtplib writes each reply three times
        stage = self._stage_of(code, said)
        if code == 220 and stage is Stage.GREETING and self._talked():
            self._found.append(Connecting(lines=LineRange(first, first)))
        self._found.append(
            ServerReply(
                code=code,
                enhanced=enhanced,
                words=said,
                command=self._command,
                stage=stage,
                at=at,
                cut=cut,
                lines=LineRange(first, self._last),
            )
        )
        self._last_code = code
        if code == 354:
            self._command = "."

    def _talked(self) -> bool:
        """Whether there was a conversation since the last connection was begun."""
        for each in reversed(self._found):
            if isinstance(each, Connecting):
                return False
            if isinstance(each, ServerReply):
                return True
        return False

    def _stage_of(self, code: int, words: str) -> Stage | None:
        if self._command:
            return _STAGES.get(self._command)
        if code == 220 and _TLS.search(words) is not None:
            return Stage.STARTTLS
        if code in _SAID_IN:
            return _SAID_IN[code]
        before = next((each.stage for each in reversed(self._found) if isinstance(each, ServerReply)), None)
        if before is None:
            return Stage.EHLO if code == _AGREES else Stage.GREETING
        if code == 250 and before in (Stage.GREETING, Stage.STARTTLS):
            return Stage.EHLO
        return None

    def ended(self) -> list[Evidence]:
        """Return what was found, if it was a session."""
        self._close(cut=True)
        return self._found if self._spoken >= _ENOUGH and self._positive else []


_TLS = re.compile(r"\btls\b|negotiation", re.IGNORECASE)


def _security(words: str) -> Security | None:
    lower = words.lower()
    if "starttls" in lower:
        return Security.STARTTLS
    return Security.TLS if "ssl" in lower or "smtps" in lower or "implicit" in lower else None


def connections(found: list[Evidence]) -> Iterator[list[Evidence]]:
    """Yield the evidence of a session connection by connection: of several attempts each by itself."""
    part: list[Evidence] = []
    for each in found:
        begun = [other for other in part if not isinstance(other, Connecting)]
        if isinstance(each, Connecting) and begun and not all(isinstance(other, Complaint) for other in part):
            yield part
            part = []
        part.append(each)
    if part:
        yield part
