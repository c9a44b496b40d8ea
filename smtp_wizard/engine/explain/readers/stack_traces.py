"""Exceptions as programs print them, without the frames: Java, .NET, PHP, Python, Ruby, Go, Node.

The frames name files, lines and classes; what they say of the failure is nothing, and their numbers look like replies.
What stands between them (`Caused by:`, `--->`, `nested exception is:`) is the cause, and the innermost cause says most.
"""

from __future__ import annotations

import re

from smtp_wizard.engine.base.stages import Stage
from smtp_wizard.engine.explain.evidence import Complaint, LineRange

MOST_LINES = 5_000
LONGEST_LINE = 2_000

_FRAME = re.compile(
    r"""[ \t]{0,40}(?:
      at[ ](?:async[ ])?(?:new[ ])?[\w.$<>/\[\]`,&@ -]{1,300}\(.{0,400}    # Java, .NET, Node
    | at[ ](?:async[ ])?(?:file://)?[/\w.:@\\-]{1,300}:\d{1,6}(?::\d{1,6})?\)?    # Node
    | File[ ]"[^"]{1,300}",[ ]line[ ]\d{1,6}.{0,200}                              # Python
    | \#\d{1,3}[ ].{1,600}                                                        # PHP
    | from[ ]/?[\w./@-]{1,300}:\d{1,6}:in[ ].{1,200}                              # Ruby
    | (?:/|[A-Za-z]:\\|\./)[\w./\\@+-]{1,300}\.(?:rb|go|php|py|js|ts|java|cs|ex|exs|erl
        |rs):\d{1,6}(?::\d{1,6})?(?::in[ ].{1,200}|[ ]\+0x[0-9a-f]{1,16})?
    | \.\.\.[ ]\d{1,4}[ ](?:more|common[ ]frames[ ]omitted)
    | ---[ ]End[ ]of[ ](?:inner[ ]exception[ ])?stack[ ]trace.{0,100}
    | goroutine[ ]\d{1,9}[ ]\[.{1,60}
    | (?:Stack[ ]trace|Traceback[ ]\(most[ ]recent[ ]call[ ]last\)|Stack|Backtrace):?
    | During[ ]handling[ ]of[ ]the[ ]above[ ]exception,[ ]another[ ]exception[ ]occurred:
    | The[ ]above[ ]exception[ ]was[ ]the[ ]direct[ ]cause[ ]of[ ]the[ ]following[ ]exception:
    | thrown[ ]in[ ].{1,300}on[ ]line[ ]\d{1,6}
    )[ \t]{0,20}$""",
    re.VERBOSE,
)
_SOURCE_LINE = re.compile(r"[ \t]{4,40}\S.{0,400}$")
"""The line of a program that Python prints under a frame."""
_EXCEPTION = re.compile(
    r"(?:Caused by: |(?:Uncaught |PHP Fatal error: {1,2}Uncaught |Fatal error: Uncaught "
    r"|Unhandled exception\.? |-{3}> |-{2}> |nested exception is:? |panic: "
    r"|Exception in thread \"[^\"]{1,80}\" ){0,3})"
    r"(?P<kind>(?:[\w$]{1,80}[.\\:]{1,2}){0,12}[A-Z][\w$]{0,80}(?:Exception|Error|Errno::\w{1,40}|Timeout"
    r"|Refused|Disconnected|Failure|Fault))(?: \(0x[0-9A-F]{8}\)| \(\d{1,6}\))?(?:: (?P<words>.{0,1500}))?"
)
_ENOUGH_FRAMES = 1


def without_frames(text: str) -> str:
    """Return a text without the frames of stack traces; one that has none is unchanged."""
    if _MAY_HAVE.search(text) is None:
        return text
    lines = text.split("\n", MOST_LINES)
    kept: list[str] = []
    python = False
    for line in lines:
        cut = line[:LONGEST_LINE]
        if _FRAME.match(cut) is not None:
            python = cut.lstrip().startswith('File "')
            continue
        if python and _SOURCE_LINE.match(cut) is not None:
            python = False
            continue
        python = False
        kept.append(_INLINE_FRAMES.sub(" ", line))
    return "\n".join(kept) if len(kept) < len(lines) or "at " in text else text


# --- what the frames say of the stage ---

_FRAMES_OF = (
    # smtplib; JavaMail; MailKit; System.Net.Mail; nodemailer; Net::SMTP of Ruby; net/smtp of Go; Swift Mailer
    (
        Stage.CONNECT,
        re.compile(
            r"in create_connection|in _get_socket|SocketFetcher\.|SmtpConnection\.GetConnection"
            r"|Socket\w{0,12}\.[Cc]onnect\b|SocketUtils\.Connect|in [`'](?:open|tcp_socket)'"
            r"|smtp\.Dial\b|TCPConnectWrap\."
        ),
    ),
    (Stage.GREETING, re.compile(r"in getreply|_actionGreeting|_?[rR]eadGreeting|in [`'](?:recv_response|do_start)'")),
    (
        Stage.EHLO,
        re.compile(
            r"in (?:ehlo|helo)\b|_action[EH]E?H?LO"
            r"|SMTPTransport\.[eh]e?h?lo\b|EHelloCommand|doEhloCommand|SmtpClient\.Ehlo"
        ),
    ),
    (Stage.STARTTLS, re.compile(r"in starttls\b|_actionSTARTTLS|SMTPTransport\.startTLS|StartTlsCommand|\.StartTLS\b")),
    (
        Stage.AUTH,
        re.compile(
            r"in (?:login|auth|auth_\w{1,12})\b|_actionAUTH|Authenticator\.authenticate|SmtpClient\.Authenticate"
            r"|AuthCommand|in [`'](?:authenticate|auth_\w{1,10}|do_auth\w{0,12})'|\(\*Client\)\.Auth\b"
        ),
    ),
    (
        Stage.MAIL,
        re.compile(
            r"in mail\b|_actionMAIL|SMTPTransport\.mailFrom|MailCommand\.|doMailFromCommand|SmtpClient\.MailFrom"
            r"|in [`']mailfrom'|\(\*Client\)\.Mail\b"
        ),
    ),
    (
        Stage.RCPT,
        re.compile(
            r"in rcpt\b|_actionRCPT|SMTPTransport\.rcptTo|RecipientCommand\.|doRcptToCommand|SmtpClient\.RcptTo"
            r"|in [`']rcptto|\(\*Client\)\.Rcpt\b"
        ),
    ),
    (
        Stage.DATA,
        re.compile(
            r"in data\b|_actionDATA|_actionSMTPStream|SMTPTransport\.(?:finishData|data)\b|DataStopCommand|DataCommand"
            r"|SmtpClient\.(?:Data|Bdat)|\(\*Client\)\.Data\b"
        ),
    ),
)
"""What the functions of libraries are called in which a stage is worked through, the earliest stage first."""
_READING = re.compile(
    r"in (?:getreply|readinto|recv_into|_readinto)\b|readServerResponse|ReadResponse"
    r"|recv_response|readTimeout|rbuf_fill"
)


def stage_in_frames(text: str) -> Stage | None:
    """Return the stage in which an exception was raised, by the functions that its frames name; None where none does.

    A program that waits to connect is in no function of reading; one that waits for words has connected.
    """
    if _MAY_HAVE.search(text) is None:
        return None
    window = _frames(text[-_LONGEST_TRACE:])
    reached = [stage for stage, pattern in _FRAMES_OF if pattern.search(window) is not None]
    if reached and reached[-1] is not Stage.CONNECT:
        return reached[-1]
    if _READING.search(window) is not None:
        return Stage.GREETING
    return Stage.CONNECT if reached else None


def _frames(text: str) -> str:
    """Return the frames alone: what people write around them speaks of mail and of data too."""
    lines = (line[:LONGEST_LINE] for line in text.split("\n"))
    return "\n".join(
        part
        for line in lines
        for part in ([line] if _FRAME.match(line) is not None else (each[0] for each in _INLINE_FRAMES.finditer(line)))
    )


_LONGEST_TRACE = 20_000


_MAY_HAVE = re.compile(
    r"\bat [\w.$/]|File \"|\n#\d|:in [`'\"]|goroutine \d|\.\.\. \d|\.(?:rb|go|php|py|js|ts):\d|End of (?:inner|stack)"
)
_INLINE_FRAMES = re.compile(
    r"(?<=\s)at (?:async )?(?:new )?[\w.$<>/\[\]`]{3,200}\((?:[^()\n]{0,200}"
    r"|[^()\n]{0,100}\([^()\n]{0,100}\)[^()\n]{0,100})\)(?: in [^\n]{1,200}?:line \d{1,6})?"
    r"|(?<=[\s\])])\(?[\w./@-]{3,200}\.(?:js|ts|php|py|java|cs|go|rb):\d{1,6}(?::\d{1,6})?\)?"
)
"""Frames on one line, as they stand where a trace lost its line ends."""


def read_exceptions(text: str) -> list[Complaint]:
    """Return the exceptions that a text names, the outermost first."""
    found: list[Complaint] = []
    for number, line in enumerate(text.split("\n", MOST_LINES)[:MOST_LINES], 1):
        for each in _EXCEPTION.finditer(line[:LONGEST_LINE]):
            words = (each["words"] or "").strip()
            found.append(Complaint(kind=each["kind"], words=words, lines=LineRange(number, number)))
    return found
